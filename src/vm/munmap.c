// SPDX-License-Identifier: MIT
/*
 * munmap.c - areas go; the heap and stacks grow and shrink
 *
 * What it models: do_mas_munmap, unmap_region, sys_brk, do_brk_flags,
 * expand_downwards, acct_stack_growth (mm/mmap.c).
 *
 * Always true: a call that fails has changed nothing.
 *
 * Differs from the kernel: what grows down and is not accounted (it cannot be
 * written to, or is MAP_NORESERVE) must be affordable to grow, as there, but
 * promises nothing; there Committed_AS grows and never comes back.
 */
#include "vm_impl.h"

#include <errno.h>

/* Take areas @from..@to (index, exclusive) out and free what they map. */
static void
remove_areas(struct vm *vm, struct mm *mm, guint from, guint to,
	     unsigned int cpu)
{
	const struct vma *prev = from ? vma_nth(mm, from - 1) : NULL;
	const struct vma *next = vma_nth(mm, to);
	va_t floor = prev ? prev->end : 0, ceiling = next ? next->start : 0;
	va_t start = vma_nth(mm, from)->start, end = vma_nth(mm, to - 1)->end;
	uint64_t accounted = 0;
	struct gather g;

	mm_update_hiwater(mm);
	gather_init(&g, mm, cpu);
	for (guint n = from; n < to; n++) {
		struct vma *v = vma_nth(mm, n);

		zap_range(&g, v, v->start, v->end);
	}
	pt_free_range(&g, start, end, floor, ceiling);
	gather_finish(&g);
	for (guint n = from; n < to; n++) {
		struct vma *v = vma_nth(mm, n);
		int64_t pages = (int64_t)vma_pages(v);

		if (v->flags & VM_LOCKED)
			mm->locked_vm -= (uint64_t)pages;
		if (v->flags & VM_ACCOUNT)
			accounted += (uint64_t)pages;
		vm_stat_account(mm, v->flags, -pages);
		vma_free(v, cpu);
	}
	g_ptr_array_remove_range(mm->areas, from, to - from);
	vm_uncommit(vm, accounted);
	if (vm->hooks.areas_gone)
		vm->hooks.areas_gone(vm->hooks.user, mm, start, end);
}

int
mm_munmap(struct vm *vm, struct task *t, struct mm *mm, va_t addr, uint64_t len)
{
	va_t size = vm->layout.task_size, end;
	struct vma *v, *last;
	guint from, to;

	if (!page_aligned(addr))
		return vm_refuse(vm, -EINVAL, WHY_UNALIGNED);
	if (addr > size || len > size - addr)
		return vm_refuse(vm, -EINVAL, WHY_BEYOND);
	end = addr + page_align(len);
	if (end == addr)
		return vm_refuse(vm, -EINVAL, WHY_EMPTY);
	v = vma_find(mm, addr);
	if (!v || v->start >= end)
		return 0;
	last = vma_find(mm, end - 1);
	if ((addr > v->start && !vma_may_cut(v, addr)) ||
	    (last && last->start < end && end < last->end &&
	     !vma_may_cut(last, end)))
		return vm_refuse(vm, -EINVAL, WHY_CUT_POOL);
	if (addr > v->start) {
		/* A hole in an area makes one more. */
		if (end < v->end && mm->areas->len >= vm->sysctl.max_map_count)
			return vm_refuse(vm, -ENOMEM, WHY_AREAS);
		(void)vma_cut(v, addr);
	}
	v = vma_find(mm, end - 1);
	if (v && v->start < end && end < v->end)
		(void)vma_cut(v, end);
	from = vma_index(mm, addr);
	to = vma_index(mm, end);
	if (to > from)
		remove_areas(vm, mm, from, to, t->cpu);
	return 0;
}

int
vm_munmap(struct vm *vm, struct task *t, va_t addr, uint64_t len)
{
	struct mm *mm = task_mm(vm, t);

	return mm ? mm_munmap(vm, t, mm, addr, len) : -EINVAL;
}

/* --- the heap ----------------------------------------------------------- */

int
mm_add_brk(struct vm *vm, struct task *t, va_t addr, uint64_t len)
{
	struct mm *mm = t->mm;
	uint64_t pages = len >> VM_PAGE_SHIFT;
	const struct merge m = {
		.start = addr,
		.end = addr + len,
		.flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE |
			 VM_MAYEXEC | VM_ACCOUNT | mm->def_flags,
		.pgoff = addr >> VM_PAGE_SHIFT,
	};
	guint n = vma_index(mm, addr);
	struct vma *v = n ? vma_nth(mm, n - 1) : NULL;

	if (!may_expand_vm(vm, t, m.flags, pages) ||
	    mm->areas->len > vm->sysctl.max_map_count ||
	    vm_commit(vm, t, pages))
		return -ENOMEM;
	if (v && v->end == addr && vma_can_follow(v, &m)) {
		v->end = m.end;
	} else {
		v = vma_new(mm, m.start, m.end, m.flags, NULL, m.pgoff);
		vma_link(v);
	}
	vm_stat_account(mm, m.flags, (int64_t)pages);
	if (m.flags & VM_LOCKED)
		mm->locked_vm += pages;
	v->flags |= VM_SOFTDIRTY;
	return 0;
}

static bool
brk_may_grow(struct vm *vm, struct task *t, va_t old, va_t to)
{
	const struct mm *mm = t->mm;
	const struct vma *next = vma_find(t->mm, old);
	va_t at;

	if (mm_unmapped_area(vm, t, old, to - old, VM_MAP_FIXED, &at) ||
	    mlock_refused(t, mm->def_flags, to - old))
		return false;
	return !next || to + VM_PAGE <= vma_gap_start(next);
}

/* check_data_rlimit() */
static bool
data_limit_refuses(const struct task *t, va_t to)
{
	const struct mm *mm = t->mm;
	uint64_t limit = t->rlimit[LIMIT_DATA];

	return limit < LIMIT_INFINITY &&
	       (to - mm->start_brk) + (mm->end_data - mm->start_data) > limit;
}

va_t
vm_brk(struct vm *vm, struct task *t, va_t to)
{
	struct mm *mm = task_mm(vm, t);
	va_t old, end;

	if (!mm)
		return 0;
	end = page_align(to);
	old = page_align(mm->brk);
	if (to < mm->start_brk || end < to || data_limit_refuses(t, to))
		return mm->brk;
	if (end == old)
		return mm->brk = to;
	if (to <= mm->brk) {
		const struct vma *v = vma_find(mm, end);

		if (!v || v->start >= old ||
		    mm_munmap(vm, t, mm, end, old - end))
			return mm->brk;
		return mm->brk = to;
	}
	if (!brk_may_grow(vm, t, old, end) || mm_add_brk(vm, t, old, end - old))
		return mm->brk;
	mm->brk = to;
	if (mm->def_flags & VM_LOCKED)
		(void)vm_populate(vm, t, old, end);
	return to;
}

/* --- stacks ------------------------------------------------------------- */

static int
stack_refused(struct vm *vm, const struct task *t, const struct vma *v,
	      uint64_t size, uint64_t grow)
{
	if (!may_expand_vm(vm, t, v->flags, grow) ||
	    size > t->rlimit[LIMIT_STACK] ||
	    mlock_refused(t, v->flags, grow << VM_PAGE_SHIFT))
		return -ENOMEM;
	if (vm_commit(vm, t, grow))
		return -ENOMEM;
	if (!(v->flags & VM_ACCOUNT))
		vm_uncommit(vm, grow);
	return 0;
}

int
vma_expand_stack(struct vm *vm, struct task *t, struct vma *v, va_t va)
{
	const struct vma *prev = vma_prev(v);
	uint64_t gap = vm->sysctl.stack_guard_gap << VM_PAGE_SHIFT, grow;
	int err;

	va &= ~(VM_PAGE - 1);
	if (!(v->flags & VM_GROWSDOWN))
		return -EFAULT;
	if (va < vm->sysctl.mmap_min_addr)
		return -EPERM;
	if (prev && !(prev->flags & VM_GROWSDOWN) &&
	    (prev->flags & VM_ACCESS_FLAGS) && va - prev->end < gap)
		return -ENOMEM;
	/* Below an area that is no obstacle by itself. */
	if (prev && va < prev->end)
		return -ENOMEM;
	err = anon_prepare(v);
	if (err || va >= v->start)
		return err;
	grow = (v->start - va) >> VM_PAGE_SHIFT;
	if (grow > v->pgoff)
		return -ENOMEM;
	err = stack_refused(vm, t, v, v->end - va, grow);
	if (err)
		return err;
	if (v->flags & VM_LOCKED)
		v->mm->locked_vm += grow;
	vm_stat_account(v->mm, v->flags, (int64_t)grow);
	v->start = va;
	v->pgoff -= grow;
	return 0;
}
