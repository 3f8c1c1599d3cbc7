// SPDX-License-Identifier: MIT
/*
 * fault.c - a page is put where an area says that one belongs
 *
 * What it models: handle_mm_fault, do_anonymous_page, do_fault,
 * do_fault_around, do_wp_page, wp_page_copy (mm/memory.c).
 *
 * How it works: by what the entry says now:
 *
 *     nothing, anonymous area:   read: the zero page; write: a zeroed frame
 *     nothing, area of an object: read: its page, and up to 15 neighbours that
 *                                 are in memory; private write: a copy; shared
 *                                 write: its page, dirty
 *     a page, not writable:      write: made writable when nobody else has it,
 *                                 else a copy
 *
 * Always true: an entry is written after the frame has its owner and count;
 * whatever a fault could not finish it has undone.
 *
 * Differs from the kernel: the table of leaves is made before the frame also
 * where the kernel asks for it after.
 */
#include "vm_impl.h"

#include <errno.h>

struct fault {
	struct vm *vm;
	struct vma *v;
	va_t va; /* of the page */
	pa_t at; /* of the entry */
	uint64_t entry;
	unsigned int flags;
	unsigned int cpu;
};

static unsigned int
fault_of(int err)
{
	if (!err)
		return 0;
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_HOST;
}

static inline uint64_t
index_of(const struct fault *f)
{
	return f->v->pgoff + ((f->va - f->v->start) >> VM_PAGE_SHIFT);
}

/* An entry changes that TLBs may know. */
static void
replace(struct fault *f, uint64_t entry)
{
	pte_store(f->vm, f->at, entry);
	if (!(f->entry & PTE_P))
		return;
	f->vm->generation++;
	flush_range(f->vm, f->v->mm, f->va, f->va + VM_PAGE, f->cpu);
}

/* A frame for an anonymous page of the area, which may have some from now on.
 */
static unsigned int
take_frame(struct fault *f, gfp_t more, pfn_t *pfn)
{
	int err = anon_prepare(f->v);

	if (!err)
		err = pg_alloc(f->vm, f->v, f->va, GFP_HIGHUSER_MOVABLE | more,
			       f->cpu, pfn);
	return err ? VM_FAULT_OOM : 0;
}

/* It gets the bytes of @from, or is given back. */
static unsigned int
copy_frame(struct fault *f, pfn_t from, pfn_t pfn)
{
	int err;

	pg_copy(f->vm, pfn, from, &err);
	if (!err)
		return 0;
	pages_put(f->vm->phys, pfn, 0, f->cpu);
	return VM_FAULT_HOST;
}

/* A new anonymous page for the fault, with the bytes of @from if any. */
static unsigned int
new_anon(struct fault *f, pfn_t from, pfn_t *pfn)
{
	gfp_t more = from == PFN_NONE ? __GFP_ZERO : 0;
	unsigned int bad = take_frame(f, more, pfn);

	if (bad || from == PFN_NONE)
		return bad;
	return copy_frame(f, from, *pfn);
}

/* The entry of an anonymous page that only this area has. */
static uint64_t
own_entry(const struct fault *f, pfn_t pfn)
{
	uint64_t bits = pte_prot(f->vm, f->v);

	if ((f->v->flags & VM_WRITE) && !(f->flags & VMF_UNSHARE))
		bits |= PTE_RW | pte_dirty_bits(f->vm);
	return pte_make(f->vm, pfn, bits);
}

/* --- nothing there ------------------------------------------------------ */

static unsigned int
do_anonymous(struct fault *f)
{
	struct vm *vm = f->vm;
	unsigned int bad;
	pfn_t pfn;

	if (!(f->flags & VMF_WRITE) && vm->zero_page != PFN_NONE) {
		pte_store(vm, f->at,
			  pte_make(vm, vm->zero_page,
				   pte_prot(vm, f->v) | PTE_SPECIAL));
		return 0;
	}
	bad = new_anon(f, PFN_NONE, &pfn);
	if (bad)
		return bad;
	pg_new_anon(vm, f->v, f->va, pfn);
	mm_count(f->v->mm, MM_ANONPAGES, 1);
	pte_store(vm, f->at, own_entry(f, pfn));
	return 0;
}

static void
map_object_page(struct fault *f, pa_t at, pfn_t pfn, bool dirty)
{
	struct vm *vm = f->vm;
	uint64_t bits = pte_prot(vm, f->v);

	if (dirty)
		bits |= PTE_RW | pte_dirty_bits(vm);
	pg_map(vm, f->v, pfn);
	mm_count(f->v->mm, pg_counter(vm, pfn), 1);
	pte_store(vm, at, pte_make(vm, pfn, bits));
}

/* Map what is in memory of the pages around; whether this one was. */
static bool
fault_around(struct fault *f)
{
	struct vm *vm = f->vm;
	const struct vma *v = f->v;
	uint64_t span = vm->sysctl.fault_around_bytes;
	va_t start, end;
	bool hit = false;

	if (span <= VM_PAGE)
		return false;
	start = MAX_OF(f->va & ~(span - 1), v->start);
	start = MAX_OF(start,
		       pt_table_end(vm, f->va) - (1ULL << vm->shape.shift[1]));
	end = MIN_OF(MIN_OF(start + span, v->end), pt_table_end(vm, f->va));
	for (va_t va = start; va < end; va += VM_PAGE) {
		int64_t away = ((int64_t)va - (int64_t)f->va) >> VM_PAGE_SHIFT;
		pa_t at = f->at + (uint64_t)(away * vm->shape.bytes);
		uint64_t index = index_of(f) + (uint64_t)away;
		pfn_t pfn = vm_object_page(v->object, index);

		if (pfn == PFN_NONE || pte_load(vm, at))
			continue;
		map_object_page(f, at, pfn, false);
		hit |= va == f->va;
	}
	return hit;
}

static unsigned int
do_read(struct fault *f)
{
	unsigned int result;
	pfn_t pfn;

	if (fault_around(f))
		return 0;
	result = obj_fault(f->v->object, f->v, index_of(f), f->cpu, &pfn);
	if (!(result & VM_FAULT_ERROR))
		map_object_page(f, f->at, pfn, false);
	return result;
}

/* A private area is written: its own copy of the object's page, whose frame is
 * taken before the page is read. */
static unsigned int
do_cow(struct fault *f)
{
	struct vm *vm = f->vm;
	pfn_t from, pfn;
	unsigned int result, bad = take_frame(f, 0, &pfn);

	if (bad)
		return bad;
	result = obj_fault(f->v->object, f->v, index_of(f), f->cpu, &from);
	if (result & VM_FAULT_ERROR) {
		pages_put(vm->phys, pfn, 0, f->cpu);
		return result;
	}
	bad = copy_frame(f, from, pfn);
	if (bad)
		return result | bad;
	pg_new_anon(vm, f->v, f->va, pfn);
	mm_count(f->v->mm, MM_ANONPAGES, 1);
	pte_store(vm, f->at, own_entry(f, pfn));
	return result;
}

static unsigned int
do_shared(struct fault *f)
{
	pfn_t pfn;
	unsigned int result =
		obj_fault(f->v->object, f->v, index_of(f), f->cpu, &pfn);

	if (result & VM_FAULT_ERROR)
		return result;
	map_object_page(f, f->at, pfn, true);
	pg_set_dirty(f->vm, pfn);
	return result;
}

static unsigned int
do_missing(struct fault *f)
{
	const struct vma *v = f->v;

	/* Its driver has put all entries there, and brings none back. */
	if (v->flags & VM_PFNMAP)
		return VM_FAULT_SIGBUS;
	if (!v->object)
		return do_anonymous(f);
	if (!(f->flags & VMF_WRITE))
		return do_read(f);
	return v->flags & VM_SHARED ? do_shared(f) : do_cow(f);
}

/* --- there, but not to be written --------------------------------------- */

static void
reuse(struct fault *f)
{
	f->vm->phys->event[VE_pgreuse]++;
	pte_store(f->vm, f->at,
		  f->entry | PTE_RW | PTE_A | pte_dirty_bits(f->vm));
}

/* wp_page_copy(): @old is PFN_NONE for the zero page and pfn maps. */
static unsigned int
copy_page(struct fault *f, pfn_t old)
{
	struct vm *vm = f->vm;
	pfn_t source = old, pfn;
	unsigned int bad;

	if (old == PFN_NONE && vm_entry_pfn(vm, f->entry) != vm->zero_page)
		source = vm_entry_pfn(vm, f->entry);
	bad = new_anon(f, source, &pfn);
	if (bad)
		return bad;
	pg_new_anon(vm, f->v, f->va, pfn);
	mm_count(f->v->mm, MM_ANONPAGES, 1);
	replace(f, own_entry(f, pfn));
	if (old == PFN_NONE)
		return 0;
	mm_count(f->v->mm, pg_counter(vm, old), -1);
	pg_unmap(vm, f->v, old);
	pg_put(vm, old, f->cpu);
	return 0;
}

/* do_wp_page() */
static unsigned int
do_protected(struct fault *f)
{
	struct vm *vm = f->vm;
	bool bad, unshare = f->flags & VMF_UNSHARE;
	pfn_t pfn = pt_page(vm, f->v, f->va, f->entry, &bad);
	struct vm_page *p;

	if (bad)
		return VM_FAULT_SIGBUS;
	/* Only anonymous pages can be shared with someone who writes. */
	if (unshare && (pfn == PFN_NONE || !(vm->pages[pfn].flags & VMP_ANON)))
		return 0;
	if (pfn == PFN_NONE) {
		if (!(f->v->flags & VM_SHARED))
			return copy_page(f, PFN_NONE);
		reuse(f);
		return 0;
	}
	p = &vm->pages[pfn];
	if (f->v->flags & VM_SHARED) {
		pg_set_dirty(vm, pfn);
		reuse(f);
		return 0;
	}
	if ((p->flags & VMP_ANON) && !(p->flags & VMP_EXCLUSIVE) &&
	    vm->phys->frames[pg_head(vm, pfn)].refs == 1)
		pg_take_over(vm, f->v, pfn);
	if ((p->flags & (VMP_ANON | VMP_EXCLUSIVE)) ==
	    (VMP_ANON | VMP_EXCLUSIVE)) {
		if (!unshare)
			reuse(f);
		return 0;
	}
	return copy_page(f, pfn);
}

/* The entry is there: what keeps the access from succeeding? */
static unsigned int
do_present(struct fault *f)
{
	struct vm *vm = f->vm;
	uint64_t rw = f->entry & PTE_RW, entry = f->entry | PTE_A;

	if (pte_is_protnone(f->entry)) {
		/* The area allows it: someone else took the right away. */
		uint64_t bits = pte_prot(vm, f->v) | (f->entry & PTE_D);

		pte_store(vm, f->at,
			  pte_make(vm, vm_entry_pfn(vm, f->entry), bits));
		return 0;
	}
	if ((f->flags & (VMF_WRITE | VMF_UNSHARE)) && !rw)
		return do_protected(f);
	if (f->flags & VMF_WRITE)
		entry |= pte_dirty_bits(vm);
	if (entry != f->entry)
		pte_store(vm, f->at, entry);
	return 0;
}

/* Whether one leaf for all of 2 MiB is there, or can be: what came of it. */
static unsigned int
huge_first(struct fault *f)
{
	struct vm *vm = f->vm;
	struct vma *v = f->v;
	uint64_t e;
	pa_t at;
	int err;

	if (!vm->thp || (v->mm->leaf_gen == vm->tables &&
			 v->mm->leaf_of == f->va >> vm->shape.shift[1]))
		return VM_FAULT_FALLBACK;
	err = pt_make(vm, v->mm, f->va, 1, f->cpu, &at);
	if (err)
		return fault_of(err);
	e = pte_load(vm, at);
	if (!e && thp_allowed(vm, v, true))
		return thp_fault(vm, v, f->va, at, f->flags, f->cpu);
	if (e && thp_entry_at(vm, v->mm, f->va))
		return thp_fault_present(vm, v, f->va, at, f->flags, f->cpu);
	return VM_FAULT_FALLBACK;
}

static unsigned int
handle(struct fault *f)
{
	unsigned int result;
	int err;

	if (unlikely(f->v->flags & VM_HUGETLB))
		return hugetlb_fault(f->vm, f->v, f->va, f->flags, f->cpu);
	result = huge_first(f);
	if (result != VM_FAULT_FALLBACK)
		return result;
	err = vm_entry_make(f->vm, f->v->mm, f->va, f->cpu, &f->at);
	if (unlikely(err))
		return fault_of(err);
	f->entry = pte_load(f->vm, f->at);
	if (!f->entry)
		return do_missing(f);
	if (pte_there(f->entry))
		return do_present(f);
	/* No swap area has such an entry. */
	pt_bad(f->vm, f->v, f->va, f->entry);
	return VM_FAULT_SIGBUS;
}

unsigned int
vm_handle_fault(struct vm *vm, struct task *t, struct vma *v, va_t va,
		unsigned int flags, unsigned int cpu)
{
	struct fault f = {
		.vm = vm,
		.v = v,
		.va = va & ~(VM_PAGE - 1),
		.flags = flags,
		.cpu = cpu,
	};
	unsigned int result;

	if (t)
		vm->acting = t;
	vm->phys->event[VE_pgfault]++;
	result = handle(&f);
	if (t && !(result & VM_FAULT_ERROR)) {
		if (result & VM_FAULT_MAJOR)
			t->maj_flt++;
		else
			t->min_flt++;
	}
	return result;
}

/* --- faulting in what was asked for ------------------------------------- */

static int
populate_error(unsigned int result)
{
	if (!(result & VM_FAULT_ERROR))
		return 0;
	if (result & VM_FAULT_OOM)
		return -ENOMEM;
	return result & VM_FAULT_HOST ? -ENOSPC : -EFAULT;
}

/* Whether what is there serves already: follow_page_mask(), FOLL_TOUCH. */
static bool
touch_there(struct vm *vm, struct vma *v, va_t va, bool write)
{
	struct vm_leaf leaf;
	bool bad;
	pfn_t pfn;

	if (!vm_leaf(vm, v->mm, va, &leaf) || !(leaf.entry & PTE_P) ||
	    (write && !(leaf.entry & PTE_RW)))
		return false;
	if (leaf.level)
		return true;
	pfn = pt_page(vm, v, va, leaf.entry, &bad);
	if (pfn == PFN_NONE)
		return true;
	if (write && !(leaf.entry & PTE_D))
		pg_set_dirty(vm, pfn);
	pg_mark_accessed(vm, pfn);
	return true;
}

int
vma_fault_in(struct vm *vm, struct task *t, struct vma *v, va_t start, va_t end,
	     bool write)
{
	for (va_t va = start; va < end; va += VM_PAGE) {
		int err;

		if (touch_there(vm, v, va, write))
			continue;
		err = populate_error(vm_handle_fault(
			vm, t, v, va, write ? VMF_WRITE : 0, t->cpu));
		if (err)
			return err;
		(void)touch_there(vm, v, va, write);
	}
	return 0;
}

int
vm_populate(struct vm *vm, struct task *t, va_t start, va_t end)
{
	struct mm *mm = t->mm;

	for (guint n = vma_index(mm, start); n < mm->areas->len; n++) {
		struct vma *v = vma_nth(mm, n);
		bool write = (v->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE;
		int err;

		if (MAX_OF(v->start, start) >= end)
			break;
		if (v->flags & (VM_IO | VM_PFNMAP | VM_LOCKONFAULT))
			continue;
		if (!(v->flags & VM_ACCESS_FLAGS))
			return -EFAULT;
		err = vma_fault_in(vm, t, v, MAX_OF(v->start, start),
				   MIN_OF(v->end, end), write);
		if (err)
			return err;
	}
	return 0;
}
