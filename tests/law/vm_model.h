// SPDX-License-Identifier: MIT
/*
 * vm_model.h - law_vm's flat model: each task's pages, their rights and bytes
 *
 * It knows nothing of tables, faults or frames.
 */
#ifndef TESTS_LAW_VM_MODEL_H
#define TESTS_LAW_VM_MODEL_H

#include "common.h"
#include "driver.h"

#include "kmemfs/vm/fault.h"
#include "kmemfs/vm/hugetlb.h"
#include "kmemfs/vm/mempolicy.h"
#include "kmemfs/vm/thp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WINDOW window /* pages below mmap_base that the model watches */
#define WINDOW_MOST                                                            \
	1600	/* of machines with huge pages: two of them, and more */
#define HEAP 32 /* pages of the heap that it watches */
#define PAGES (WINDOW + HEAP)
#define PAGES_MOST (WINDOW_MOST + HEAP)
#define HUGE 512	      /* frames of a huge page, where there are any */
#define POOL_AT 0x40000000ULL /* where pages of the pool are mapped */
#define POOL_MOST 6	      /* in a task */
#define TASKS_MOST 7
#define FILES 3
#define FILE_PAGES 24
#define SHARED_MOST 400
#define OFTEN 300
#define SELDOM 20

static const struct machine_kind {
	const char *name;
	const char *ini; /* of its [machine] group */
	struct vm_config vm;
	uint64_t room; /* pages that are left free; 0: all */
	bool huge;     /* transparent huge pages and a pool */
} kinds[] = {
	{"small",	  "arch = x86-64\nmemory = 64M\ncpus = 2\n",    {0},								  0,   false},
	{"i386",	 "arch = i386\nmemory = 64M\ncpus = 2\n",	  {0},							       0,	  false},
	{"pae",	"arch = i386-pae\nmemory = 64M\ncpus = 3\n",  {0},								  0,   false},
	{"kpti",
	 "arch = x86-64\nmemory = 64M\ncpus = 2\n",		 {.kpti = true, .pcid = true},
	 0,															      false},
	{"five",
	 "arch = x86-64\nmemory = 64M\ncpus = 2\n",		 {.mode = MMU_5LEVEL, .pcid = true, .smep = true, .smap = true},
	 0,															      false},
	{"nodes",
	 "arch = x86-64\nmemory = 192M\nnodes = 3\ncpus = 6\n",	 {.pcid = true},
	 0,															      false},
	{"thp",
	 "arch = x86-64\nmemory = 128M\ncpus = 2\n",		{.pcid = true},
	 0,															      true },
	{"thp-five",
	 "arch = x86-64\nmemory = 128M\ncpus = 2\n",		{.mode = MMU_5LEVEL},
	 0,															      true },
	{"thp-i386",  "arch = i386\nmemory = 128M\ncpus = 2\n",     {0},							    0,   true },
	{"thp-pae",   "arch = i386-pae\nmemory = 128M\ncpus = 2\n", {0},							       0,	  true },
	{"thp-nodes",
	 "arch = x86-64\nmemory = 192M\nnodes = 3\ncpus = 6\n",	 {.pcid = true},
	 0,															      true },
	{"thp-tiny",
	 "arch = x86-64\nmemory = 96M\ncpus = 2\n",		 {0},
	 3000,															   true },
	{"tiny",	 "arch = x86-64\nmemory = 47M\ncpus = 2\n",    {0},								 700, false},
};

/* A page of a file or of shared memory: bytes that many may see. */
struct shared {
	uint8_t bytes[VM_PAGE];
};

struct mpage {
	bool mapped, locked, dontfork, wipe;
	bool beyond;	   /* the end of what it shows */
	unsigned int left; /* pages of that from here on */
	unsigned int prot;
	struct shared *shared; /* NULL: anonymous */
	bool private;	       /* writes make an own copy */
	uint8_t *own;	       /* NULL: zeros, or what is shared */
};

/* A huge page of the pool: only its first and its last 4 KiB are used. */
struct mpool {
	bool mapped, written;
	bool weak; /* was not promised: it may be missing, and may be lost */
	unsigned int prot;
	struct shared *shared; /* [2]; NULL: private */
	uint8_t own[2][VM_PAGE];
};

struct mtask {
	struct task *t;
	struct mpage page[PAGES_MOST];
	struct mpool pool[POOL_MOST];
};

struct run {
	struct law_run law;
	const struct machine_kind *kind;
	struct machine_config *config;
	struct trace trace;
	uint64_t now;
	struct phys *phys;
	struct ram *ram;
	struct symbols *symbols;
	struct vm *vm;
	struct mtask *task[TASKS_MOST];
	unsigned int nr_tasks;
	struct vm_object *file[FILES];
	struct shared *content[FILES];
	struct shared *made[SHARED_MOST]; /* of shared anonymous memory */
	unsigned int nr_made;
};

static unsigned int window = 192;

/* --- the flat model ----------------------------------------------------- */

static va_t
address(const struct mtask *m, unsigned int n)
{
	const struct mm *mm = m->t->mm;

	if (n < WINDOW)
		return mm->mmap_base - (uint64_t)(WINDOW - n) * VM_PAGE;
	return mm->start_brk + (uint64_t)(n - WINDOW) * VM_PAGE;
}

static const uint8_t *
content(const struct mpage *p)
{
	static const uint8_t zeros[VM_PAGE];

	if (p->own)
		return p->own;
	return p->shared ? p->shared->bytes : zeros;
}

static uint8_t *
writable(struct mpage *p)
{
	if (p->shared && !p->private)
		return p->shared->bytes;
	if (!p->own)
		p->own = g_memdup2(content(p), VM_PAGE);
	return p->own;
}

static void
clear(struct mpage *p)
{
	g_free(p->own);
	memset(p, 0, sizeof(*p));
}

static bool
can_read(const struct mpage *p)
{
	return p->mapped && p->prot && !p->beyond;
}

static bool
can_write(const struct mpage *p)
{
	return p->mapped && (p->prot & VM_PROT_WRITE) && !p->beyond;
}

static struct mtask *
some_task(struct run *r)
{
	return r->task[below(r, r->nr_tasks)];
}

/* The first page of a huge one that page @n is in, or of the next one. */
static unsigned int
huge_page(const struct mtask *m, unsigned int n)
{
	unsigned int first = (unsigned int)(address(m, 0) / VM_PAGE % HUGE);

	first = first ? HUGE - first : 0;
	return first + (n > first ? (n - first) / HUGE * HUGE : 0);
}

/* Some pages of one of the two windows. */
static unsigned int
some_range(struct run *r, unsigned int *nr)
{
	bool heap = !below(r, 8);
	unsigned int from = heap ? WINDOW : 0, len = heap ? HEAP : WINDOW;
	unsigned int n = (unsigned int)below(r, len);

	*nr = 1 + (unsigned int)below(r, below(r, 4) ? 8 : len);
	if (r->kind->huge && !heap && below(r, 2)) {
		/* A huge page, or what lies across its border. */
		n = huge_page(r->task[0], n);
		*nr = below(r, 2) ? HUGE : 1 + (unsigned int)below(r, 3 * HUGE);
		n += below(r, 3) ? 0 : (unsigned int)below(r, HUGE);
		n = MIN_OF(n, len - 1);
	}
	*nr = MIN_OF(*nr, len - n);
	return from + n;
}

#endif
