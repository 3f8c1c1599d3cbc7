// SPDX-License-Identifier: MIT
/*
 * zap.c - entries go, and what they mapped
 *
 * What it models: zap_pte_range, zap_page_range_single (mm/memory.c).
 *
 * How it works: tables of leaves one after the other, absent ones skipped as a
 * whole; a page that was written tells its object; frames wait in the gather
 * until TLBs have forgotten them.
 */
#include "vm_impl.h"

static void
zap_entry(struct gather *g, struct vma *v, va_t va, pa_t at, uint64_t entry)
{
	struct vm *vm = g->vm;
	bool bad = false;
	pfn_t pfn;

	if (!pte_there(entry)) {
		pt_bad(vm, v, va, entry);
		pte_store(vm, at, 0);
		return;
	}
	pfn = pt_page(vm, v, va, entry, &bad);
	if (g->keep_anon && pfn != PFN_NONE &&
	    (vm->pages[pfn].flags & VMP_ANON))
		return;
	pte_store(vm, at, 0);
	flush_note(&g->notes, va, va + VM_PAGE, 0);
	if (pfn == PFN_NONE)
		return;
	if (!(vm->pages[pfn].flags & VMP_ANON)) {
		if (entry & PTE_D)
			pg_set_dirty(vm, pfn);
		if ((entry & PTE_A) && !(v->flags & VM_SEQ_READ))
			pg_mark_accessed(vm, pfn);
	}
	mm_count(v->mm, pg_counter(vm, pfn), -1);
	pg_unmap(vm, v, pfn);
	g_array_append_val(g->pages, pfn);
}

void
zap_range(struct gather *g, struct vma *v, va_t start, va_t end)
{
	struct vm *vm = g->vm;
	unsigned int level;
	pa_t at;

	if (unlikely(v->flags & VM_HUGETLB)) {
		hugetlb_zap(g, v, start, end);
		return;
	}
	for (va_t va = pt_next(vm, v->mm, start, end, &at, &level); va < end;
	     va = pt_next(vm, v->mm, va, end, &at, &level)) {
		va_t stop = MIN_OF(pt_table_end(vm, va), end);

		if (level) {
			if (va == stop - huge_bytes(vm)) {
				thp_zap(g, v, va, at);
				va = stop;
			} else {
				thp_split_entry(vm, v, va, at, g->cpu);
			}
			continue;
		}
		for (; va < stop; va += VM_PAGE, at += vm->shape.bytes) {
			uint64_t entry = pte_load(vm, at);

			if (entry)
				zap_entry(g, v, va, at, entry);
		}
	}
}

void
zap(struct vma *v, va_t start, va_t end, bool keep_anon, unsigned int cpu)
{
	struct gather g;

	gather_init(&g, v->mm, cpu);
	g.keep_anon = keep_anon;
	mm_update_hiwater(v->mm);
	zap_range(&g, v, start, end);
	gather_finish(&g);
}
