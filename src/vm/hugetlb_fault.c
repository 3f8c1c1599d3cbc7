// SPDX-License-Identifier: MIT
/*
 * hugetlb_fault.c - areas made of pages of the pool
 *
 * What it models: hugetlb_fault, hugetlb_no_page, hugetlb_wp,
 * unmap_ref_private, copy_hugetlb_page_range, __unmap_hugepage_range,
 * hugetlb_change_protection (mm/hugetlb.c).
 *
 * How it works: every entry is a leaf of level 1.  A shared area's pages are
 * its object's; a private one's are anonymous, each zeroed, from its first
 * touch on, read or write.  When a parent writes to a page that its child has
 * too and the pool is empty, the child loses the page, since the parent was
 * promised it.
 *
 * Differs from the kernel: tables of level 1 are not shared between address
 * spaces; pages of the pool cannot be pinned.
 */
#include "vm_impl.h"

#include <errno.h>

static va_t
start_of(const struct vm *vm, va_t va)
{
	return va & ~(huge_bytes(vm) - 1);
}

/* Page of the object at @va, in huge pages. */
static uint64_t
index_at(const struct vm *vm, const struct vma *v, va_t va)
{
	return (v->pgoff + ((start_of(vm, va) - v->start) >> VM_PAGE_SHIFT)) >>
	       vm->hugetlb->order;
}

/* The page that leaf @e of @v at @va maps, PFN_NONE with a line in the log. */
static pfn_t
page_of(struct vm *vm, const struct vma *v, va_t va, uint64_t e)
{
	pfn_t pfn = huge_pfn(vm, e, 1);
	const struct vm_page *p =
		&vm->pages[MIN_OF(pfn, vm->phys->max_pfn - 1)];

	if (huge_leaf_bits(e) && pfn < vm->phys->max_pfn &&
	    (p->flags & VMP_HUGETLB) && vm->phys->frames[pfn].mapcount > 0 &&
	    p->index == index_at(vm, v, va) << vm->hugetlb->order &&
	    (p->flags & VMP_ANON ? anon_has(v, p->mapping)
				 : p->mapping == v->object->id))
		return pfn;
	pt_bad(vm, v, va, e);
	return PFN_NONE;
}

static uint64_t
leaf_bits(const struct vm *vm, const struct vma *v, bool write)
{
	uint64_t bits = pte_prot(vm, v) & ~(uint64_t)PTE_RW;

	return write ? bits | PTE_RW | pte_dirty_bits(vm) : bits;
}

static void
set_page(struct vm *vm, const struct vma *v, va_t va, pfn_t pfn, bool anon)
{
	uint32_t id = anon ? v->anon->id : v->object->id;

	vm->pages[pfn] = (struct vm_page){
		.mapping = id,
		.flags = VMP_HUGETLB | VMP_UPTODATE |
			 (anon ? VMP_ANON | VMP_EXCLUSIVE : VMP_OBJECT),
		.index = index_at(vm, v, va) << vm->hugetlb->order,
	};
	vm->phys->frames[pfn].owner =
		frame_owner(anon ? OWNER_ANON : OWNER_OBJECT, id);
}

/* One entry more for the page, whose reference the caller has. */
static void
map_page(struct vm *vm, struct vma *v, pa_t at, pfn_t pfn, bool write)
{
	vm->phys->frames[pfn].mapcount++;
	v->mm->hugetlb += 1LL << vm->hugetlb->order;
	pte_store(vm, at, huge_make(vm, pfn, leaf_bits(vm, v, write), 1));
}

static void
unmap_page(struct vm *vm, struct vma *v, pa_t at, pfn_t pfn)
{
	pte_store(vm, at, 0);
	vm->phys->frames[pfn].mapcount--;
	v->mm->hugetlb -= 1LL << vm->hugetlb->order;
}

/* --- faults ------------------------------------------------------------- */

static unsigned int
alloc_zeroed(struct vm *vm, struct vma *v, va_t va, unsigned int cpu,
	     pfn_t *pfn)
{
	if (hugetlb_alloc(vm, v, index_at(vm, v, va), false, cpu, pfn))
		return VM_FAULT_SIGBUS;
	ram_zero(vm->ram, *pfn << VM_PAGE_SHIFT, huge_bytes(vm));
	return 0;
}

/* hugetlb_no_page() */
static unsigned int
no_page(struct vm *vm, struct vma *v, va_t va, pa_t at, unsigned int flags,
	unsigned int cpu)
{
	struct vm_object *o = v->object;
	uint64_t index = index_at(vm, v, va);
	bool shared = v->flags & VM_MAYSHARE;
	unsigned int bad;
	pfn_t pfn;

	if (index << (vm->hugetlb->order + VM_PAGE_SHIFT) >= o->size)
		return VM_FAULT_SIGBUS;
	if (!shared) {
		if (anon_prepare(v))
			return VM_FAULT_OOM;
		bad = alloc_zeroed(vm, v, va, cpu, &pfn);
		if (bad)
			return bad;
		set_page(vm, v, va, pfn, true);
		map_page(vm, v, at, pfn, flags & VMF_WRITE);
		return 0;
	}
	pfn = page_tree_get(o->pages, index);
	if (pfn == PFN_NONE) {
		bad = alloc_zeroed(vm, v, va, cpu, &pfn);
		if (bad)
			return bad;
		set_page(vm, v, va, pfn, false);
		page_tree_set(o->pages, index, pfn);
		o->nr_pages++;
	}
	pages_get(vm->phys, pfn);
	map_page(vm, v, at, pfn,
		 (v->flags & (VM_WRITE | VM_SHARED)) == (VM_WRITE | VM_SHARED));
	return 0;
}

/* unmap_ref_private(): areas without a promise lose their page @index. */
static void
take_from_others(struct vm *vm, struct vma *v, va_t va, unsigned int cpu)
{
	uint64_t index = index_at(vm, v, va) << vm->hugetlb->order;
	GPtrArray *areas = v->object->areas;

	areas_sort(areas);
	for (guint i = 0; i < areas->len; i++) {
		struct vma *other = g_ptr_array_index(areas, i);
		va_t at;

		if (other == v || (other->flags & VM_MAYSHARE) || other->resv ||
		    index < other->pgoff ||
		    index >= other->pgoff + vma_pages(other))
			continue;
		at = other->start + ((index - other->pgoff) << VM_PAGE_SHIFT);
		zap(other, at, at + huge_bytes(vm), false, cpu);
	}
}

static int
copy_huge(struct vm *vm, pfn_t to, pfn_t from)
{
	int err = 0;

	ram_zero(vm->ram, to << VM_PAGE_SHIFT, huge_bytes(vm));
	for (unsigned int i = 0; !err && i < 1U << vm->hugetlb->order; i++)
		pg_copy(vm, to + i, from + i, &err);
	return err;
}

/* hugetlb_wp() */
static unsigned int
write_protected(struct vm *vm, struct vma *v, va_t va, pa_t at, pfn_t old,
		unsigned int cpu)
{
	struct vm_page *p = &vm->pages[old];
	bool promised = v->resv && (p->flags & VMP_ANON);
	pfn_t pfn;

	if ((p->flags & VMP_ANON) && vm->phys->frames[old].mapcount == 1)
		pg_take_over(vm, v, old);
	if ((v->flags & VM_MAYSHARE) ||
	    (p->flags & (VMP_ANON | VMP_EXCLUSIVE)) ==
		    (VMP_ANON | VMP_EXCLUSIVE)) {
		pte_store(vm, at,
			  pte_load(vm, at) | PTE_RW | PTE_A |
				  pte_dirty_bits(vm));
		return 0;
	}
	if (anon_prepare(v))
		return VM_FAULT_OOM;
	if (hugetlb_alloc(vm, v, index_at(vm, v, va), promised, cpu, &pfn)) {
		if (!promised)
			return VM_FAULT_SIGBUS;
		take_from_others(vm, v, start_of(vm, va), cpu);
		return write_protected(vm, v, va, at, old, cpu);
	}
	if (copy_huge(vm, pfn, old)) {
		hugetlb_put(vm, pfn);
		return VM_FAULT_HOST;
	}
	unmap_page(vm, v, at, old);
	vm->generation++;
	flush_huge(vm, v->mm, start_of(vm, va), cpu);
	hugetlb_put(vm, old);
	set_page(vm, v, va, pfn, true);
	map_page(vm, v, at, pfn, true);
	return 0;
}

unsigned int
hugetlb_fault(struct vm *vm, struct vma *v, va_t va, unsigned int flags,
	      unsigned int cpu)
{
	uint64_t e;
	pfn_t pfn;
	pa_t at;
	int err = pt_make(vm, v->mm, va, 1, cpu, &at);

	if (err)
		return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_HOST;
	e = pte_load(vm, at);
	if (!e)
		return no_page(vm, v, va, at, flags, cpu);
	pfn = page_of(vm, v, va, e);
	if (pfn == PFN_NONE)
		return VM_FAULT_SIGBUS;
	if (pte_is_protnone(e)) {
		pte_store(vm, at,
			  huge_make(vm, pfn,
				    leaf_bits(vm, v, false) | (e & PTE_D), 1));
		return 0;
	}
	if ((flags & VMF_WRITE) && !(e & PTE_RW))
		return write_protected(vm, v, va, at, pfn, cpu);
	pte_store(vm, at,
		  e | PTE_A | (flags & VMF_WRITE ? pte_dirty_bits(vm) : 0));
	return 0;
}

/* --- ranges ------------------------------------------------------------- */

void
hugetlb_zap(struct gather *g, struct vma *v, va_t start, va_t end)
{
	struct vm *vm = g->vm;
	unsigned int level;
	pa_t at;

	for (va_t va = pt_next(vm, v->mm, start, end, &at, &level); va < end;
	     va = pt_next(vm, v->mm, va, end, &at, &level)) {
		pfn_t pfn;

		va = start_of(vm, va);
		pfn = level ? page_of(vm, v, va, pte_load(vm, at)) : PFN_NONE;
		if (level)
			pte_store(vm, at, 0);
		if (pfn != PFN_NONE) {
			unmap_page(vm, v, at, pfn);
			flush_note(&g->notes, va, va + huge_bytes(vm), 1);
			g_array_append_val(g->pages, pfn);
		}
		va += huge_bytes(vm);
	}
}

int
hugetlb_copy(struct vm *vm, struct vma *from, struct vma *to, unsigned int cpu)
{
	unsigned int level;
	pa_t at, into;

	for (va_t va =
		     pt_next(vm, from->mm, from->start, from->end, &at, &level);
	     va < from->end;
	     va = pt_next(vm, from->mm, va, from->end, &at, &level)) {
		uint64_t e = level ? pte_load(vm, at) : 0;
		pfn_t pfn = level ? page_of(vm, from, va, e) : PFN_NONE;
		int err = pfn == PFN_NONE
				  ? 0
				  : pt_make(vm, to->mm, va, 1, cpu, &into);

		if (err)
			return err;
		if (pfn != PFN_NONE) {
			pages_get(vm->phys, pfn);
			vm->phys->frames[pfn].mapcount++;
			to->mm->hugetlb += 1LL << vm->hugetlb->order;
			if (!(from->flags & VM_SHARED)) {
				vm->pages[pfn].flags &=
					~(uint32_t)VMP_EXCLUSIVE;
				e &= ~(uint64_t)PTE_RW;
				pte_store(vm, at, e);
			}
			pte_store(vm, into, e);
		}
		va = start_of(vm, va) + huge_bytes(vm);
	}
	return 0;
}

void
hugetlb_protect(struct vma *v, va_t start, va_t end, unsigned int cpu)
{
	struct vm *vm = v->mm->vm;
	uint64_t prot = pte_prot(vm, v) & ~(uint64_t)PTE_A;
	struct flush_notes notes = FLUSH_NOTES;
	unsigned int level;
	pa_t at;

	for (va_t va = pt_next(vm, v->mm, start, end, &at, &level); va < end;
	     va = pt_next(vm, v->mm, va, end, &at, &level)) {
		uint64_t e = level ? pte_load(vm, at) : 0;
		uint64_t keep = e & (PTE_A | PTE_D | vm->shape.soft_dirty);

		va = start_of(vm, va);
		if (level) {
			pte_store(vm, at,
				  huge_make(vm, huge_pfn(vm, e, 1), prot | keep,
					    1));
			flush_note(&notes, va, va + huge_bytes(vm), 1);
		}
		va += huge_bytes(vm);
	}
	flush_noted(vm, v->mm, &notes, cpu);
}
