// SPDX-License-Identifier: MIT
/*
 * proc_pagemap.c - /proc/PID/pagemap and mem: by virtual address
 *
 * What it models: pagemap_read, pte_to_pagemap_entry (fs/proc/task_mmu.c),
 * mem_rw (fs/proc/base.c) of 6.1, for a reader who may see frame numbers.
 *
 * How it works: a page's entry stands at eight times its number.  Where no area
 * is, or nothing has been asked of it, there are holes.
 *
 * Differs from the kernel: a read of mem faults nothing in: what an area has
 * not yet got reads as zeros, as it would have.
 */
#include "kmemfs/show.h"

#include "proc_impl.h"

#include <errno.h>
#include <string.h>

#define ENTRY sizeof(uint64_t)

enum pagemap_bit {
	PM_SOFT_DIRTY = 55,
	PM_EXCLUSIVE = 56,
	PM_FILE = 61,
	PM_PRESENT = 63,
};

#define PM(name) (1ULL << PM_##name)

/* A part of the file: entries of pages @start..@end. */
struct part {
	const struct vm *vm;
	uint64_t *to;
	va_t start, end;
};

static void
put_mapping(void *user, const struct vma *v, const struct vm_mapping *m)
{
	struct part *p = user;
	uint64_t flags = PM(PRESENT), i = (m->va - p->start) >> VM_PAGE_SHIFT;

	if (m->soft_dirty)
		flags |= PM(SOFT_DIRTY);
	if (m->head != PFN_NONE) {
		if (!(vm_page_of(p->vm, m->head)->flags & VMP_ANON))
			flags |= PM(FILE);
		if (vm_mapcount(p->vm, m->pfn) == 1)
			flags |= PM(EXCLUSIVE);
	}
	(void)v;
	for (uint64_t n = 0; n < m->pages; n++)
		p->to[i + n] |= flags | (m->pfn + n);
}

static void
put_part(const struct mm *mm, struct part *p)
{
	bool soft_dirty = p->vm->shape.soft_dirty;
	const struct vma *v;

	for (guint n = 0; (v = proc_area(mm, n)) && v->start < p->end; n++) {
		va_t at = MAX_OF(v->start, p->start);

		if (v->end <= p->start)
			continue;
		for (; soft_dirty && (v->flags & VM_SOFTDIRTY) &&
		       at < MIN_OF(v->end, p->end);
		     at += VM_PAGE)
			p->to[(at - p->start) >> VM_PAGE_SHIFT] =
				PM(SOFT_DIRTY);
		vm_walk(p->vm, v, p->start, p->end, put_mapping, p);
	}
}

uint64_t
size_pid_pagemap(const struct view *v)
{
	return proc_mm(v)
		       ? (v->m->vm->layout.task_size >> VM_PAGE_SHIFT) * ENTRY
		       : 0;
}

ssize_t
read_pid_pagemap(const struct view *v, void *to, size_t len, uint64_t at)
{
	uint64_t size = size_pid_pagemap(v);
	struct part p = {v->m->vm, to, at / ENTRY << VM_PAGE_SHIFT, 0};

	/* The end comes first: whoever reads as much as st_size says tries for
	 * one byte more. */
	if (at >= size)
		return 0;
	if (at % ENTRY || len % ENTRY)
		return -EINVAL;
	len = MIN_OF(len, size - at);
	p.end = p.start + (len / ENTRY << VM_PAGE_SHIFT);
	memset(to, 0, len);
	put_part(proc_mm(v), &p);
	return (ssize_t)len;
}

/* Whether an area is at or behind @va; then where data begins. */
static bool
next_area(const struct mm *mm, va_t va, va_t *start)
{
	const struct vma *v;

	for (guint n = 0; (v = proc_area(mm, n)); n++)
		if (v->end > va) {
			*start = MAX_OF(v->start, va);
			return true;
		}
	return false;
}

bool
next_pid_pagemap(const struct view *v, uint64_t at, uint64_t *data)
{
	va_t start;

	if (!next_area(proc_mm(v), at / ENTRY << VM_PAGE_SHIFT, &start))
		return false;
	*data = MAX_OF((start >> VM_PAGE_SHIFT) * ENTRY, at);
	return true;
}

/* --- mem ------------------------------------------------------------------ */

uint64_t
size_pid_mem(const struct view *v)
{
	return proc_mm(v) ? v->m->vm->layout.task_size : 0;
}

bool
next_pid_mem(const struct view *v, uint64_t at, uint64_t *data)
{
	return next_area(proc_mm(v), at, data);
}

ssize_t
read_pid_mem(const struct view *v, void *to, size_t len, uint64_t at)
{
	const struct task *t = proc_task(v);
	const struct mm *mm = proc_mm(v);
	va_t end = at;
	const struct vma *a;

	if (!mm || at >= v->m->vm->layout.task_size)
		return 0;
	/* As far as areas follow each other that can be looked at. */
	for (guint n = 0; (a = proc_area(mm, n)) && a->start <= end; n++)
		if (a->end > end && !(a->flags & (VM_IO | VM_PFNMAP)))
			end = a->end;
	if (end == at)
		return -EIO;
	len = MIN_OF(len, end - at);
	(void)vm_peek(v->m->vm, t, at, to, len);
	return (ssize_t)len;
}
