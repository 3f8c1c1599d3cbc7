// SPDX-License-Identifier: MIT
/*
 * fork.c - an address space is copied, its pages are not
 *
 * What it models: dup_mmap (kernel/fork.c), copy_page_range, copy_present_pte
 * (mm/memory.c).
 *
 * How it works: each area is copied, and the entries of those that may hold
 * anonymous pages: a private writable one becomes read-only on both sides, so
 * that the first write of either copies the page.  Pages of files are left to
 * faults.  A page that someone may have pinned is copied at once, so that the
 * parent keeps the frame that a device knows.
 */
#include "vm_impl.h"

#include <errno.h>

/* vma_needs_copy() */
static bool
needs_copy(const struct vma *v)
{
	return (v->flags & (VM_PFNMAP | VM_MIXEDMAP)) || v->anon;
}

struct copy {
	struct vm *vm;
	struct vma *from;
	struct vma *to;
	unsigned int cpu;
	bool lowered; /* rights of the parent's entries */
};

/* A page of the child's own, since the parent's is pinned: 0, -errno. */
static int
copy_pinned(struct copy *c, va_t va, pfn_t pfn, pa_t at)
{
	struct vm *vm = c->vm;
	uint64_t bits = pte_prot(vm, c->to);
	pfn_t copy;
	int err = pg_alloc(vm, c->to, va, GFP_HIGHUSER_MOVABLE, c->cpu, &copy);

	if (err)
		return err;
	pg_copy(vm, copy, pfn, &err);
	if (err) {
		pages_put(vm->phys, copy, 0, c->cpu);
		return err;
	}
	pg_new_anon(vm, c->to, va, copy);
	mm_count(c->to->mm, MM_ANONPAGES, 1);
	if (c->to->flags & VM_WRITE)
		bits |= PTE_RW | pte_dirty_bits(vm);
	pte_store(vm, at, pte_make(vm, copy, bits));
	return 0;
}

static int
copy_entry(struct copy *c, va_t va, pa_t from, pa_t to)
{
	struct vm *vm = c->vm;
	uint64_t entry = pte_load(vm, from);
	bool bad;
	pfn_t pfn;

	if (!pte_there(entry)) {
		if (entry)
			pt_bad(vm, c->from, va, entry);
		return 0;
	}
	pfn = pt_page(vm, c->from, va, entry, &bad);
	if (bad)
		return 0;
	if (pfn != PFN_NONE) {
		struct vm_page *p = &vm->pages[pfn];

		if ((p->flags & VMP_ANON) && (p->flags & VMP_EXCLUSIVE) &&
		    pg_pinned(vm, pfn))
			return copy_pinned(c, va, pfn, to);
		p->flags &= ~(uint32_t)VMP_EXCLUSIVE;
		pg_map(vm, c->to, pfn);
		mm_count(c->to->mm, pg_counter(vm, pfn), 1);
	}
	if ((entry & PTE_RW) && !(c->from->flags & VM_SHARED)) {
		entry &= ~(uint64_t)PTE_RW;
		pte_store(vm, from, entry);
		c->lowered = true;
	}
	if (c->from->flags & VM_SHARED)
		entry &= ~(uint64_t)PTE_D;
	pte_store(vm, to, entry & ~(uint64_t)PTE_A);
	return 0;
}

static int
copy_range(struct copy *c)
{
	struct vm *vm = c->vm;
	va_t end = c->from->end;
	unsigned int level;
	pa_t from, to;

	if (c->from->flags & VM_HUGETLB) {
		c->lowered = true;
		return hugetlb_copy(vm, c->from, c->to, c->cpu);
	}

	for (va_t va = pt_next(vm, c->from->mm, c->from->start, end, &from,
			       &level);
	     va < end; va = pt_next(vm, c->from->mm, va, end, &from, &level)) {
		va_t stop = MIN_OF(pt_table_end(vm, va), end);
		int err;

		if (level) {
			c->lowered = true;
			err = thp_copy(vm, c->from, c->to, va, from, c->cpu);
			if (err && err != -EAGAIN)
				return err;
			va = err ? va : stop;
			continue;
		}
		err = vm_entry_make(vm, c->to->mm, va, c->cpu, &to);
		for (; !err && va < stop; va += VM_PAGE) {
			err = copy_entry(c, va, from, to);
			from += vm->shape.bytes;
			to += vm->shape.bytes;
		}
		if (err)
			return err;
	}
	return 0;
}

/* Areas of @mm up to here were copied and promised. */
static int
dup_area(struct task *t, struct mm *mm, struct vma *v, unsigned int cpu,
	 bool *lowered)
{
	struct vm *vm = mm->vm;
	struct copy c = {.vm = vm, .from = v, .cpu = cpu};
	struct vma *to;
	int err;

	if (v->flags & VM_DONTCOPY) {
		vm_stat_account(mm, v->flags, -(int64_t)vma_pages(v));
		return 0;
	}
	if ((v->flags & VM_ACCOUNT) && vm_commit(vm, t, vma_pages(v)))
		return -ENOMEM;
	to = c.to = vma_dup(v, mm);
	/* What was promised to the parent is not to the child. */
	hugetlb_resv_put(to);
	to->anon = NULL;
	err = v->flags & VM_WIPEONFORK ? 0 : anon_fork(to, v);
	to->flags &= ~(uint64_t)(VM_LOCKED | VM_LOCKONFAULT);
	/* From now on the copy's teardown gives back what it was promised. */
	g_ptr_array_add(mm->areas, to);
	if (!err && !(v->flags & VM_WIPEONFORK) && needs_copy(v))
		err = copy_range(&c);
	*lowered |= c.lowered;
	return err;
}

struct mm *
mm_dup(struct task *t, unsigned int cpu, int *err)
{
	struct mm *old = t->mm, *mm;
	bool lowered = false;

	old->vm->acting = t;
	mm = mm_new(old->vm, cpu, err);
	if (!mm)
		return NULL;
	if (old->vm->thp)
		khugepaged_fork(old->vm, mm, old);
	mm->total_vm = old->total_vm;
	mm->data_vm = old->data_vm;
	mm->exec_vm = old->exec_vm;
	mm->stack_vm = old->stack_vm;
	mm->start_code = old->start_code;
	mm->end_code = old->end_code;
	mm->start_data = old->start_data;
	mm->end_data = old->end_data;
	mm->start_brk = old->start_brk;
	mm->brk = old->brk;
	mm->start_stack = old->start_stack;
	mm->arg_start = old->arg_start;
	mm->arg_end = old->arg_end;
	mm->mmap_base = old->mmap_base;
	for (guint i = 0; !*err && i < old->areas->len; i++)
		*err = dup_area(t, mm, vma_nth(old, i), cpu, &lowered);
	if (lowered) {
		old->vm->generation++;
		flush_mm(old->vm, old, cpu);
	}
	mm_update_hiwater(mm);
	if (!*err)
		return mm;
	mm_put(mm, cpu);
	return NULL;
}
