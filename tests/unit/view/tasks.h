// SPDX-License-Identifier: MIT
/* tasks.h - machines whose tasks have memory, by random programs */
#ifndef TESTS_UNIT_VIEW_TASKS_H
#define TESTS_UNIT_VIEW_TASKS_H

#include "unit/view/views.h"

#include "kmemfs/vm/walk.h"

#define TASKS_MOST 6
#define AREA_PAGES 40
#define FILE_PAGES 32

struct program {
	struct machine *m;
	struct vm *vm;
	struct vm_object *file;
	unsigned int seed;
	bool huge;		       /* some areas have room for huge pages */
	struct task *task[TASKS_MOST]; /* [0] is PID 1 */
	unsigned int nr;
};

static inline unsigned int
tasks_random(struct program *p, unsigned int below)
{
	p->seed = p->seed * 1103515245 + 12345;
	return (p->seed >> 16) % below;
}

/* Map @pages for @t; @o NULL: anonymous. */
static inline va_t
tasks_map(struct vm *vm, struct task *t, uint64_t pages, uint64_t flags,
	  struct vm_object *o)
{
	const struct vm_open open = {o, VM_OPEN_READ | VM_OPEN_WRITE};
	const struct vm_mmap_args a = {
		.len = pages * VM_PAGE,
		.prot = VM_PROT_READ | VM_PROT_WRITE,
		.flags = flags | (o ? 0 : VM_MAP_ANONYMOUS),
		.file = o ? &open : NULL,
	};
	va_t at = 0;

	ck_assert_int_eq(vm_mmap(vm, t, &a, &at), 0);
	return at;
}

/* User code of @t writes or reads a byte on its CPU: vm_access()'s result. */
static inline int
tasks_touch(struct vm *vm, struct task *t, va_t va, bool write)
{
	uint8_t byte = 7;
	const struct vm_access a = {
		va, 1, write ? MMU_WRITE : MMU_READ, true, false, &byte,
	};
	struct vm_access_result r;

	ck_assert_int_eq(vm_switch_to(vm, t->cpu, t), 0);
	return vm_access(vm, t->cpu, &a, &r);
}

/* Write to each of @pages pages from @va on. */
static inline void
tasks_fill(struct vm *vm, struct task *t, va_t va, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		ck_assert_int_eq(tasks_touch(vm, t, va + i * VM_PAGE, true), 0);
}

static inline struct task *
tasks_fork(struct task *parent, unsigned int share)
{
	struct task *t = NULL;

	ck_assert_int_eq(task_fork(parent, parent->cpu, share, NULL, &t), 0);
	t->handles_segv = true;
	return t;
}

static inline void
program_begin(struct program *p, struct machine *m, unsigned int seed)
{
	*p = (struct program){.m = m, .vm = m->vm, .seed = seed, .nr = 1};
	p->task[0] = task_find(m->vm, 1);
	p->task[0]->handles_segv = true;
	ck_assert_int_eq(task_wake(p->task[0]), 0);
	p->file = vm_file_new(m->vm, "lib", FILE_PAGES * VM_PAGE, NULL, 0);
}

/* Some range of some area that @t has. */
static inline va_t
program_range(struct program *p, struct task *t, uint64_t *pages)
{
	GPtrArray *areas = t->mm->areas;
	const struct vma *v =
		g_ptr_array_index(areas, tasks_random(p, areas->len));
	uint64_t from = tasks_random(p, (unsigned int)vma_pages(v));
	uint64_t most = MIN_OF(vma_pages(v) - from, AREA_PAGES);

	*pages = 1 + tasks_random(p, (unsigned int)most);
	return v->start + from * VM_PAGE;
}

static inline void
program_fork(struct program *p, struct task *t)
{
	static const unsigned int shares[] = {0, 0, 0, TASK_SHARES_VM,
					      TASK_SHARES_VM | TASK_THREAD};

	if (p->nr < TASKS_MOST)
		p->task[p->nr++] = tasks_fork(t, shares[tasks_random(p, 5)]);
}

/* The last one ends; threads and all must be as if it had not been. */
static inline void
program_exit(struct program *p)
{
	struct task *t;

	if (p->nr == 1)
		return;
	t = p->task[--p->nr];
	ck_assert_int_eq(task_exit(t, false), 0);
	ck_assert_int_eq(task_reap(t), 0);
}

static inline void
program_step(struct program *p)
{
	static const uint64_t kinds[] = {VM_MAP_PRIVATE, VM_MAP_SHARED};
	struct task *t = p->task[tasks_random(p, p->nr)];
	uint64_t pages;
	va_t at = program_range(p, t, &pages);

	switch (tasks_random(p, 14)) {
	case 0:
	case 1:
		if (p->huge && !tasks_random(p, 4))
			tasks_map(p->vm, t, 1024, VM_MAP_PRIVATE, NULL);
		else if (t->mm->areas->len < 30)
			tasks_map(p->vm, t, 1 + tasks_random(p, FILE_PAGES),
				  kinds[tasks_random(p, 2)],
				  tasks_random(p, 2) ? p->file : NULL);
		break;
	case 2:
		program_fork(p, t);
		break;
	case 3:
		if (!tasks_random(p, 4))
			program_exit(p);
		break;
	case 4:
		/* A task needs some area for the next step. */
		if (t->mm->areas->len > 6)
			(void)vm_munmap(p->vm, t, at, pages * VM_PAGE);
		break;
	case 5:
		(void)vm_mprotect(p->vm, t, at, pages * VM_PAGE,
				  tasks_random(p, 4));
		break;
	case 6:
		(void)vm_madvise(p->vm, t, at, pages * VM_PAGE,
				 tasks_random(p, 2) ? VM_MADV_DONTNEED
						    : VM_MADV_FREE);
		break;
	case 7:
		if (tasks_random(p, 2))
			(void)vm_mlock(p->vm, t, at, pages * VM_PAGE, false);
		else
			(void)vm_munlock(p->vm, t, at, pages * VM_PAGE);
		break;
	case 8:
		(void)vm_clear_refs(p->vm, t, 1 + tasks_random(p, 5), t->cpu);
		break;
	default:
		for (uint64_t i = 0; i < pages; i++)
			(void)tasks_touch(p->vm, t, at + i * VM_PAGE,
					  tasks_random(p, 3));
	}
}

static inline void
program_run(struct program *p, unsigned int steps)
{
	while (steps--)
		program_step(p);
}

/* The sum of all numbers behind N0=, N1=, ... */
static inline uint64_t
tasks_numa_pages(const char *text)
{
	uint64_t sum = 0;

	for (const char *at = text; (at = strstr(at, " N"));) {
		at = strchr(at, '=') + 1;
		sum += strtoull(at, NULL, 10);
	}
	return sum;
}

#endif
