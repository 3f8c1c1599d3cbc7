// SPDX-License-Identifier: MIT
/*
 * mprotect.c - what may be done with an area, and with its pages
 *
 * What it models: do_mprotect_pkey, mprotect_fixup, change_pte_range
 * (mm/mprotect.c), vm_get_page_prot, vma_wants_writenotify.
 *
 * How it works: the area gets its flags, merged or cut; then each entry in it
 * gets the rights of the new ones, and keeps its frame, A and D.  A page that
 * nobody else has becomes writable at once, others with the next write.
 */
#include "vm_impl.h"

#include <errno.h>

/* vma_soft_dirty_enabled() */
static bool
tells_soft_dirty(const struct vm *vm, const struct vma *v)
{
	return vm->shape.soft_dirty && !(v->flags & VM_SOFTDIRTY);
}

uint64_t
pte_prot(const struct vm *vm, const struct vma *v)
{
	uint64_t bits = PTE_P | PTE_US | PTE_A;

	if (!(v->flags & VM_ACCESS_FLAGS))
		return PTE_PROTNONE | PTE_A;
	if (!(v->flags & VM_EXEC))
		bits |= vm->shape.no_exec;
	/* A file must learn of the first write to each page, and so must who
	 * asks which pages are written. */
	if ((v->flags & (VM_WRITE | VM_SHARED)) == (VM_WRITE | VM_SHARED) &&
	    (!v->object || v->object->shmem) && !tells_soft_dirty(vm, v))
		bits |= PTE_RW;
	return bits;
}

/* can_change_pte_writable() */
static bool
may_write_at_once(struct vm *vm, const struct vma *v, va_t va, uint64_t entry)
{
	bool bad;
	pfn_t pfn;

	if (!(v->flags & VM_WRITE) || !(entry & PTE_D) || !(entry & PTE_P))
		return false;
	if (tells_soft_dirty(vm, v) && !(entry & vm->shape.soft_dirty))
		return false;
	if (v->flags & VM_SHARED)
		return true;
	pfn = pt_page(vm, v, va, entry, &bad);
	return pfn != PFN_NONE && (vm->pages[pfn].flags & VMP_ANON) &&
	       (vm->pages[pfn].flags & VMP_EXCLUSIVE);
}

static uint64_t
changed(struct vm *vm, const struct vma *v, va_t va, uint64_t entry,
	uint64_t prot)
{
	const uint64_t keep = PTE_A | PTE_D | PTE_SPECIAL | PTE_PCD | PTE_PWT |
			      PTE_SOFT_DIRTY;
	uint64_t bits = (prot & ~(uint64_t)PTE_A) | (entry & keep);
	uint64_t next = pte_make(vm, vm_entry_pfn(vm, entry), bits);

	if (!(next & PTE_RW) && may_write_at_once(vm, v, va, next))
		next |= PTE_RW;
	return next;
}

static void
change_range(struct vma *v, va_t start, va_t end, unsigned int cpu)
{
	struct vm *vm = v->mm->vm;
	uint64_t prot = pte_prot(vm, v);
	/* What TLBs may know more of than entries now say. */
	struct flush_notes notes = FLUSH_NOTES;
	unsigned int level;
	pa_t at;

	if (v->flags & VM_HUGETLB) {
		hugetlb_protect(v, start, end, cpu);
		return;
	}
	for (va_t va = pt_next(vm, v->mm, start, end, &at, &level); va < end;
	     va = pt_next(vm, v->mm, va, end, &at, &level)) {
		va_t stop = MIN_OF(pt_table_end(vm, va), end);

		if (level) {
			if (va == stop - huge_bytes(vm)) {
				if (thp_change(vm, v, at))
					flush_note(&notes, va, stop, 1);
				va = stop;
			} else {
				thp_split_entry(vm, v, va, at, cpu);
			}
			continue;
		}
		for (; va < stop; va += VM_PAGE, at += vm->shape.bytes) {
			uint64_t entry = pte_load(vm, at), next;

			if (!pte_there(entry))
				continue;
			next = changed(vm, v, va, entry, prot);
			pte_store(vm, at, next);
			if ((entry & PTE_P) && next != entry)
				flush_note(&notes, va, va + VM_PAGE, 0);
		}
	}
	flush_noted(vm, v->mm, &notes, cpu);
}

static int
fixup(struct vm *vm, struct task *t, struct vma *v, struct vma **prev,
      va_t start, va_t end, uint64_t flags)
{
	const uint64_t uncharged =
		VM_ACCOUNT | VM_WRITE | VM_HUGETLB | VM_SHARED | VM_NORESERVE;
	uint64_t old = v->flags, charged = 0;
	uint64_t pages = (end - start) >> VM_PAGE_SHIFT;
	struct vma *area;
	int err;

	if (flags == old) {
		*prev = v;
		return 0;
	}
	if (flags & VM_WRITE) {
		if (!may_expand_vm(vm, t, flags, pages) &&
		    may_expand_vm(vm, t, old, pages))
			return vm_refuse(vm, -ENOMEM, WHY_RLIMIT);
		if (!(old & uncharged)) {
			charged = pages;
			if (vm_commit(vm, t, charged))
				return -ENOMEM;
			flags |= VM_ACCOUNT;
		}
	}
	err = vma_set_flags(v, prev, start, end, flags, &area, t->cpu);
	if (err) {
		vm_uncommit(vm, charged);
		return err;
	}
	area->flags = flags | (area->flags & VM_SOFTDIRTY);
	change_range(area, start, end, t->cpu);
	vm_stat_account(area->mm, old, -(int64_t)pages);
	vm_stat_account(area->mm, flags, (int64_t)pages);
	if ((old & (VM_WRITE | VM_SHARED | VM_LOCKED)) == VM_LOCKED &&
	    (flags & VM_WRITE))
		(void)vm_populate(vm, t, start, end);
	return 0;
}

/* The range, with PROT_GROWSDOWN from the start of the area, -errno. */
static int
first_area(struct mm *mm, uint64_t grows, va_t *start, va_t end,
	   struct vma **first)
{
	struct vma *v = vma_find(mm, *start);

	if (!v)
		return vm_refuse(mm->vm, -ENOMEM, WHY_NOTHING);
	*first = v;
	if (grows & VM_PROT_GROWSDOWN) {
		if (v->start >= end)
			return vm_refuse(mm->vm, -ENOMEM, WHY_NOTHING);
		*start = v->start;
		if (v->flags & VM_GROWSDOWN)
			return 0;
		return vm_refuse(mm->vm, -EINVAL, WHY_GROWS);
	}
	if (v->start > *start)
		return vm_refuse(mm->vm, -ENOMEM, WHY_NOTHING);
	if (grows & VM_PROT_GROWSUP)
		return vm_refuse(mm->vm, -EINVAL, WHY_GROWSUP);
	return 0;
}

int
vm_mprotect(struct vm *vm, struct task *t, va_t addr, uint64_t len,
	    uint64_t prot)
{
	const uint64_t valid =
		VM_PROT_READ | VM_PROT_WRITE | VM_PROT_EXEC | VM_PROT_SEM;
	uint64_t grows = prot & (VM_PROT_GROWSDOWN | VM_PROT_GROWSUP);
	struct mm *mm = task_mm(vm, t);
	struct vma *v, *prev;
	va_t end;
	int err;

	prot &= ~grows;
	if (!mm || grows == (VM_PROT_GROWSDOWN | VM_PROT_GROWSUP))
		return vm_refuse(vm, -EINVAL, WHY_GROWS_BOTH);
	if (!page_aligned(addr))
		return vm_refuse(vm, -EINVAL, WHY_UNALIGNED);
	if (!len)
		return 0;
	end = addr + page_align(len);
	if (end <= addr)
		return vm_refuse(vm, -ENOMEM, WHY_BEYOND);
	if (prot & ~valid)
		return vm_refuse(vm, -EINVAL, WHY_RIGHT);
	err = first_area(mm, grows, &addr, end, &v);
	if (err)
		return err;
	prev = addr > v->start ? v : vma_prev(v);
	for (;;) {
		uint64_t flags = (v->flags & ~(uint64_t)VM_ACCESS_FLAGS) |
				 (prot & VM_ACCESS_FLAGS);
		va_t stop = MIN_OF(v->end, end);

		if ((flags & ~(flags >> 4)) & VM_ACCESS_FLAGS)
			return vm_refuse(vm, -EACCES, WHY_NEVER);
		err = fixup(vm, t, v, &prev, addr, stop, flags);
		if (err)
			return err;
		addr = MAX_OF(stop, prev->end);
		if (addr >= end)
			return 0;
		v = vma_find(mm, prev->end);
		if (!v || v->start != addr)
			return vm_refuse(vm, -ENOMEM, WHY_HOLE);
	}
}
