// SPDX-License-Identifier: MIT
/*
 * rmap.c - from a frame to the entries that map it; pages pinned by others
 *
 * What it models: rmap_walk_anon, rmap_walk_file (mm/rmap.c), pin_user_pages
 * (mm/gup.c).
 *
 * How it works: a page knows its object or anon_vma and its place in it; these
 * know the areas; an area and a place make an address, whose entry is looked
 * at.  The order is that of the areas' mms and addresses.
 */
#include "vm_impl.h"

#include "kmemfs/vm/walk.h"

#include <errno.h>

struct walk {
	const struct vm *vm;
	pfn_t pfn;
	uint64_t index;
	vm_rmap_fn fn;
	void *user;
	unsigned int found;
};

static void
look(struct walk *w, struct vma *v)
{
	struct vm_leaf leaf;
	va_t va;

	if (w->index < v->pgoff || w->index >= v->pgoff + vma_pages(v))
		return;
	va = v->start + ((w->index - v->pgoff) << VM_PAGE_SHIFT);
	if (!vm_leaf(w->vm, v->mm, va, &leaf) || leaf.pfn != w->pfn ||
	    (leaf.entry & PTE_SPECIAL))
		return;
	w->found++;
	if (w->fn)
		w->fn(w->user, v, va, leaf.at, leaf.entry);
}

static gint
by_place(gconstpointer a, gconstpointer b)
{
	const struct vma *v = *(struct vma *const *)a;
	const struct vma *w = *(struct vma *const *)b;

	if (v->mm->id != w->mm->id)
		return v->mm->id < w->mm->id ? -1 : 1;
	return v->start < w->start ? -1 : v->start > w->start;
}

void
areas_sort(GPtrArray *areas)
{
	g_ptr_array_sort(areas, by_place);
}

unsigned int
vm_rmap_walk(const struct vm *vm, pfn_t pfn, vm_rmap_fn fn, void *user)
{
	struct walk w = {vm, pfn, 0, fn, user, 0};
	const struct vm_page *p;
	GPtrArray *areas = NULL;
	pfn_t head;

	if (!vm->pages || pfn >= vm->phys->max_pfn)
		return 0;
	head = vm_page_head(vm, pfn);
	p = &vm->pages[head];
	w.index = p->index + (pfn - head);
	if (p->flags & VMP_ANON) {
		const struct anon_vma *a = anon_by_id(vm, p->mapping);

		areas = a ? a->areas : NULL;
	} else if (p->flags & VMP_OBJECT) {
		const struct vm_object *o = g_hash_table_lookup(
			vm->objects, GUINT_TO_POINTER(p->mapping));

		areas = o ? o->areas : NULL;
	}
	if (!areas)
		return 0;
	areas_sort(areas);
	for (guint i = 0; i < areas->len; i++)
		look(&w, g_ptr_array_index(areas, i));
	return w.found;
}

/* --- all pages of a range ----------------------------------------------- */

void
pg_each(struct vm *vm, struct vma *v, va_t start, va_t end, pg_each_fn fn,
	void *user)
{
	unsigned int level;
	bool on = true;
	pa_t at;

	for (va_t va = pt_next(vm, v->mm, start, end, &at, &level);
	     on && va < end; va = pt_next(vm, v->mm, va, end, &at, &level)) {
		uint64_t entry = pte_load(vm, at);
		va_t here = va;
		bool bad;
		pfn_t pfn = PFN_NONE;

		va += VM_PAGE;
		if (level)
			va = (here & ~(huge_bytes(vm) - 1)) + huge_bytes(vm);
		if (!pte_there(entry))
			continue;
		if (v->flags & VM_HUGETLB)
			pfn = level ? huge_pfn(vm, entry, 1) : PFN_NONE;
		else if (level)
			pfn = thp_page(vm, v, here, entry, &bad);
		else
			pfn = pt_page(vm, v, here, entry, &bad);
		if (pfn != PFN_NONE)
			on = fn(user, v, here, pfn);
	}
}

/* --- pins --------------------------------------------------------------- */

static void
pin(struct vm *vm, pfn_t pfn)
{
	gpointer key = (gpointer)(uintptr_t)pfn;
	uintptr_t pins = (uintptr_t)g_hash_table_lookup(vm->pins, key);

	pages_get(vm->phys, pg_head(vm, pfn));
	vm->pages[pfn].flags |= VMP_PINNED;
	g_hash_table_insert(vm->pins, key, (gpointer)(pins + 1));
	pg_node(vm, pfn)->stat[NS_nr_foll_pin_acquired]++;
}

/* A page that is there and may be pinned so; PFN_NONE: fault first. */
static pfn_t
pinnable(struct vm *vm, const struct vma *v, va_t va, bool write,
	 unsigned int *need)
{
	struct vm_leaf leaf;
	bool bad;
	pfn_t pfn;

	*need = write ? VMF_WRITE : 0;
	if (!vm_leaf(vm, v->mm, va, &leaf) || !(leaf.entry & PTE_P) ||
	    (write && !(leaf.entry & PTE_RW)))
		return PFN_NONE;
	if (leaf.level)
		pfn = thp_page(vm, v, va, leaf.entry, &bad);
	else
		pfn = pt_page(vm, v, va, leaf.entry, &bad);
	/* The zero page has no count: who pins it gets a page of its own. */
	if (pfn == PFN_NONE) {
		*need = VMF_WRITE;
		return PFN_NONE;
	}
	if ((vm->pages[pfn].flags & (VMP_ANON | VMP_EXCLUSIVE)) == VMP_ANON) {
		*need |= VMF_UNSHARE;
		return PFN_NONE;
	}
	/* Frames of a huge page are pinned one by one. */
	if (leaf.level)
		huge_make_parts(vm, pfn);
	return leaf.pfn;
}

static pfn_t
pin_one(struct vm *vm, struct task *t, va_t va, bool write)
{
	struct vma *v = vma_at(t->mm, va);
	unsigned int need;

	if (!v || (v->flags & (VM_IO | VM_PFNMAP | VM_HUGETLB)) ||
	    !(v->flags & (write ? VM_WRITE : VM_READ)))
		return PFN_NONE;
	for (int tries = 0; tries < 4; tries++) {
		pfn_t pfn = pinnable(vm, v, va, write, &need);

		if (pfn != PFN_NONE) {
			pin(vm, pfn);
			return pfn;
		}
		if ((need & VMF_WRITE) && !(v->flags & VM_WRITE))
			return PFN_NONE;
		if (vm_handle_fault(vm, t, v, va, need, t->cpu) &
		    VM_FAULT_ERROR)
			return PFN_NONE;
	}
	return PFN_NONE;
}

int64_t
vm_pin_pages(struct vm *vm, struct task *t, va_t va, uint64_t nr, bool write,
	     pfn_t *pfns)
{
	struct mm *mm = task_mm(vm, t);
	uint64_t done = 0;

	if (!mm)
		return -EINVAL;
	va &= ~(VM_PAGE - 1);
	for (; done < nr; done++, va += VM_PAGE) {
		pfns[done] = pin_one(vm, t, va, write);
		if (pfns[done] == PFN_NONE)
			break;
	}
	return done || !nr ? (int64_t)done : -EFAULT;
}

int
vm_unpin_page(struct vm *vm, pfn_t pfn, bool dirty, unsigned int cpu)
{
	gpointer key = (gpointer)(uintptr_t)pfn;
	uintptr_t pins = (uintptr_t)g_hash_table_lookup(vm->pins, key);

	if (!pins)
		return -EINVAL;
	if (dirty)
		pg_set_dirty(vm, pfn);
	if (pins == 1) {
		g_hash_table_remove(vm->pins, key);
		vm->pages[pfn].flags &= ~(uint32_t)VMP_PINNED;
	} else {
		g_hash_table_insert(vm->pins, key, (gpointer)(pins - 1));
	}
	pg_node(vm, pfn)->stat[NS_nr_foll_pin_released]++;
	pg_put(vm, pfn, cpu);
	return 0;
}
