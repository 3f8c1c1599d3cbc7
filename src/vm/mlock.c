// SPDX-License-Identifier: MIT
/*
 * mlock.c - pages that must stay, and what is there
 *
 * What it models: do_mlock, apply_vma_lock_flags, mlock_fixup, mlockall
 * (mm/mlock.c), sys_msync (mm/msync.c), sys_mincore (mm/mincore.c).
 */
#include "vm_impl.h"

#include <errno.h>
#include <string.h>

#define LOCK_FLAGS ((uint64_t)(VM_LOCKED | VM_LOCKONFAULT))

/* mlock_vma_pages_range(): what is there already. */
static void
lock_pages(struct vma *v, va_t start, va_t end, bool lock)
{
	struct vm *vm = v->mm->vm;
	unsigned int level;
	pa_t at;

	for (va_t va = pt_next(vm, v->mm, start, end, &at, &level); va < end;
	     va = pt_next(vm, v->mm, va, end, &at, &level)) {
		uint64_t entry = pte_load(vm, at);
		va_t here = va;
		bool bad;
		pfn_t pfn;

		va += level ? huge_bytes(vm) : VM_PAGE;
		if (!(entry & PTE_P))
			continue;
		pfn = level ? thp_page(vm, v, here, entry, &bad)
			    : pt_page(vm, v, here, entry, &bad);
		/* A huge page stays evictable while small entries map it. */
		if (pfn == PFN_NONE ||
		    (!level && (vm->pages[pfn].flags & (VMP_HUGE | VMP_TAIL))))
			continue;
		if (lock)
			pg_mlock(vm, pfn);
		else
			pg_munlock(vm, pfn);
	}
}

static int
fixup(struct vma *v, struct vma **prev, va_t start, va_t end, uint64_t flags,
      unsigned int cpu)
{
	uint64_t old = v->flags, pages = (end - start) >> VM_PAGE_SHIFT;
	struct vma *area;
	int err;

	if (flags == old || (old & (VM_SPECIAL | VM_HUGETLB))) {
		*prev = v;
		return 0;
	}
	err = vma_set_flags(v, prev, start, end, flags, &area, cpu);
	if (err)
		return err;
	if (!(flags & VM_LOCKED))
		area->mm->locked_vm -= old & VM_LOCKED ? pages : 0;
	else if (!(old & VM_LOCKED))
		area->mm->locked_vm += pages;
	if ((flags ^ old) & VM_LOCKED)
		lock_pages(area, start, end, flags & VM_LOCKED);
	return 0;
}

static int
apply_flags(struct mm *mm, va_t start, uint64_t len, uint64_t flags,
	    unsigned int cpu)
{
	va_t end = start + len;
	struct vma *v, *prev;

	if (end < start)
		return vm_refuse(mm->vm, -EINVAL, WHY_BEYOND);
	if (end == start)
		return 0;
	v = vma_at(mm, start);
	if (!v)
		return vm_refuse(mm->vm, -ENOMEM, WHY_NOTHING);
	prev = start > v->start ? v : vma_prev(v);
	for (;;) {
		va_t stop = MIN_OF(v->end, end);
		int err = fixup(v, &prev, start, stop,
				(v->flags & ~LOCK_FLAGS) | flags, cpu);

		if (err)
			return err;
		start = MAX_OF(stop, prev->end);
		if (start >= end)
			return 0;
		v = vma_find(mm, prev->end);
		if (!v || v->start != start)
			return vm_refuse(mm->vm, -ENOMEM, WHY_HOLE);
	}
}

/* Pages of the range that are locked already. */
static uint64_t
locked_there(struct mm *mm, va_t start, uint64_t len)
{
	va_t end = start + len < start ? UINT64_MAX : start + len;
	uint64_t pages = 0;

	for (guint n = vma_index(mm, start); n < mm->areas->len; n++) {
		const struct vma *v = vma_nth(mm, n);

		if (v->start >= end)
			break;
		if (v->flags & VM_LOCKED)
			pages += (MIN_OF(v->end, end) -
				  MAX_OF(v->start, start)) >>
				 VM_PAGE_SHIFT;
	}
	return pages;
}

/* All of a range must be there: __mm_populate() as mlock sees it. */
static int
populate_all(struct vm *vm, struct task *t, va_t start, uint64_t len)
{
	int err = vm_populate(vm, t, start, start + len);

	if (err == -EFAULT)
		return vm_refuse(vm, -ENOMEM, WHY_LOCKED_ABSENT);
	return err == -ENOMEM ? -EAGAIN : err;
}

int
vm_mlock(struct vm *vm, struct task *t, va_t addr, uint64_t len, bool on_fault)
{
	struct mm *mm = task_mm(vm, t);
	uint64_t locked, limit, flags = VM_LOCKED;
	int err;

	if (!mm)
		return -EINVAL;
	if (!can_mlock(t))
		return vm_refuse(vm, -EPERM, WHY_NO_LOCK);
	len = page_align(len + (addr & (VM_PAGE - 1)));
	addr &= ~(VM_PAGE - 1);
	limit = t->rlimit[LIMIT_MEMLOCK] >> VM_PAGE_SHIFT;
	locked = (len >> VM_PAGE_SHIFT) + mm->locked_vm;
	if (locked > limit)
		locked -= locked_there(mm, addr, len);
	if (locked > limit && !(t->caps & CAP_IPC_LOCK_BIT))
		return vm_refuse(vm, -ENOMEM, WHY_LOCK_LIMIT);
	if (on_fault)
		flags |= VM_LOCKONFAULT;
	err = apply_flags(mm, addr, len, flags, t->cpu);
	return err ? err : populate_all(vm, t, addr, len);
}

int
vm_munlock(struct vm *vm, struct task *t, va_t addr, uint64_t len)
{
	struct mm *mm = task_mm(vm, t);

	if (!mm)
		return -EINVAL;
	len = page_align(len + (addr & (VM_PAGE - 1)));
	return apply_flags(mm, addr & ~(VM_PAGE - 1), len, 0, t->cpu);
}

/* Set the lock flags of all areas; errors play no part. */
static void
apply_all(struct mm *mm, uint64_t flags, unsigned int cpu)
{
	struct vma *prev = NULL, *v = vma_nth(mm, 0);

	while (v) {
		va_t end = v->end;

		(void)fixup(v, &prev, v->start, end,
			    (v->flags & ~LOCK_FLAGS) | flags, cpu);
		v = vma_find(mm, end);
	}
}

int
vm_mlockall(struct vm *vm, struct task *t, uint64_t flags)
{
	const uint64_t known = VM_MCL_CURRENT | VM_MCL_FUTURE | VM_MCL_ONFAULT;
	struct mm *mm = task_mm(vm, t);
	uint64_t limit, add = VM_LOCKED;

	if (!mm || !flags || (flags & ~known) || flags == VM_MCL_ONFAULT)
		return vm_refuse(vm, -EINVAL, WHY_MCL);
	if (!can_mlock(t))
		return vm_refuse(vm, -EPERM, WHY_NO_LOCK);
	limit = t->rlimit[LIMIT_MEMLOCK] >> VM_PAGE_SHIFT;
	if ((flags & VM_MCL_CURRENT) && mm->total_vm > limit &&
	    !(t->caps & CAP_IPC_LOCK_BIT))
		return vm_refuse(vm, -ENOMEM, WHY_LOCK_LIMIT);
	if (flags & VM_MCL_ONFAULT)
		add |= VM_LOCKONFAULT;
	mm->def_flags &= ~LOCK_FLAGS;
	if (flags & VM_MCL_FUTURE)
		mm->def_flags |= add;
	if (!(flags & VM_MCL_CURRENT))
		return 0;
	apply_all(mm, add, t->cpu);
	/* As far as it goes: an area that allows nothing stops it. */
	for (guint n = 0; n < mm->areas->len; n++)
		(void)vm_populate(vm, t, vma_nth(mm, n)->start,
				  vma_nth(mm, n)->end);
	return 0;
}

int
vm_munlockall(struct vm *vm, struct task *t)
{
	struct mm *mm = task_mm(vm, t);

	if (!mm)
		return -EINVAL;
	mm->def_flags &= ~LOCK_FLAGS;
	apply_all(mm, 0, t->cpu);
	return 0;
}

/* --- msync -------------------------------------------------------------- */

static void
sync_area(const struct vma *v, va_t start, va_t end)
{
	uint64_t first = v->pgoff + ((start - v->start) >> VM_PAGE_SHIFT);

	(void)vm_object_sync(v->object, first,
			     first + ((end - start) >> VM_PAGE_SHIFT) - 1);
}

int
vm_msync(struct vm *vm, struct task *t, va_t addr, uint64_t len, uint64_t flags)
{
	const uint64_t known = VM_MS_ASYNC | VM_MS_INVALIDATE | VM_MS_SYNC;
	struct mm *mm = task_mm(vm, t);
	va_t end = addr + page_align(len);
	int holes = 0;

	if (!mm || (flags & ~known) ||
	    ((flags & VM_MS_ASYNC) && (flags & VM_MS_SYNC)))
		return vm_refuse(vm, -EINVAL, WHY_MSYNC);
	if (!page_aligned(addr))
		return vm_refuse(vm, -EINVAL, WHY_UNALIGNED);
	if (end < addr)
		return vm_refuse(vm, -ENOMEM, WHY_BEYOND);
	while (addr < end) {
		const struct vma *v = vma_find(mm, addr);

		if (!v)
			return vm_refuse(vm, -ENOMEM, WHY_HOLE);
		if (addr < v->start) {
			holes = vm_refuse(vm, -ENOMEM, WHY_HOLE);
			addr = v->start;
			if (flags == VM_MS_ASYNC || addr >= end)
				return holes;
		}
		if ((flags & VM_MS_INVALIDATE) && (v->flags & VM_LOCKED))
			return vm_refuse(vm, -EBUSY, WHY_INVALIDATE);
		if ((flags & VM_MS_SYNC) && v->object && (v->flags & VM_SHARED))
			sync_area(v, addr, MIN_OF(v->end, end));
		addr = v->end;
	}
	return holes;
}

/* --- mincore ------------------------------------------------------------ */

static bool
in_core(struct vm *vm, const struct vma *v, va_t va)
{
	struct vm_leaf leaf;

	if (vm_leaf(vm, v->mm, va, &leaf) && pte_there(leaf.entry))
		return true;
	return v->object &&
	       vm_object_page(v->object,
			      v->pgoff + ((va - v->start) >> VM_PAGE_SHIFT)) !=
		       PFN_NONE;
}

int
vm_mincore(struct vm *vm, struct task *t, va_t addr, uint64_t len, uint8_t *vec)
{
	struct mm *mm = task_mm(vm, t);
	va_t size = vm->layout.task_size, end;

	if (!mm || !page_aligned(addr))
		return vm_refuse(vm, -EINVAL, WHY_UNALIGNED);
	if (addr > size || len > size - addr)
		return vm_refuse(vm, -ENOMEM, WHY_BEYOND);
	if (!vec)
		return -EFAULT;
	end = addr + page_align(len);
	for (; addr < end; addr += VM_PAGE) {
		const struct vma *v = vma_at(mm, addr);

		if (!v)
			return -ENOMEM;
		*vec++ = in_core(vm, v, addr);
	}
	return 0;
}
