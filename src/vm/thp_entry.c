// SPDX-License-Identifier: MIT
/*
 * thp_entry.c - huge leaves: found, split, copied, moved, cleared
 *
 * What it models: __split_huge_pmd_locked, copy_huge_pmd, zap_huge_pmd,
 * move_huge_pmd, change_huge_pmd, vma_adjust_trans_huge (mm/huge_memory.c),
 * pgtable_trans_huge_deposit (mm/pgtable-generic.c).
 *
 * How it works: for each huge leaf a table of small ones is kept aside, so
 * that splitting never has to ask for memory:
 *
 *     level 1   [ huge leaf ]---> 2 MiB        kept with the level 1 table:
 *               [ ...       ]                  one empty table a huge leaf
 *
 * Splitting takes one of these, fills it, and lets the entry lead to it.
 *
 * Always true: a table of level 1 has as many tables kept as huge leaves.
 */
#include "vm_impl.h"

#include <errno.h>

/* --- tables kept aside -------------------------------------------------- */

static gpointer
key_of(pa_t at)
{
	return GSIZE_TO_POINTER(at >> VM_PAGE_SHIFT);
}

void
thp_deposit(struct vm *vm, pa_t at, pfn_t table)
{
	GHashTable *all = vm->thp->deposits;
	GArray *kept = g_hash_table_lookup(all, key_of(at));

	if (!kept) {
		kept = g_array_new(FALSE, FALSE, sizeof(pfn_t));
		g_hash_table_insert(all, key_of(at), kept);
	}
	/* The kernel's list is a ring: the one in hand goes to its end. */
	if (kept->len) {
		pfn_t first = g_array_index(kept, pfn_t, 0);

		g_array_remove_index(kept, 0);
		g_array_append_val(kept, first);
	}
	g_array_prepend_val(kept, table);
}

pfn_t
thp_withdraw(struct vm *vm, pa_t at)
{
	GArray *kept = g_hash_table_lookup(vm->thp->deposits, key_of(at));
	pfn_t table;

	if (!kept)
		return PFN_NONE;
	table = g_array_index(kept, pfn_t, 0);
	g_array_remove_index(kept, 0);
	if (!kept->len)
		g_hash_table_remove(vm->thp->deposits, key_of(at));
	return table;
}

int
thp_deposit_new(struct vm *vm, struct mm *mm, va_t va, pa_t at,
		unsigned int cpu)
{
	pfn_t table;
	int err = pt_spare_new(vm, mm, va, cpu, &table);

	if (!err)
		thp_deposit(vm, at, table);
	return err;
}

static void
drop_deposit(struct vm *vm, struct mm *mm, pa_t at, unsigned int cpu)
{
	pfn_t table = thp_withdraw(vm, at);

	if (table != PFN_NONE)
		pt_spare_free(vm, mm, table, cpu);
}

/* --- which -------------------------------------------------------------- */

static bool
is_ours(const struct vm *vm, uint64_t e)
{
	pfn_t pfn = huge_pfn(vm, e, 1);

	return huge_leaf_bits(e) && pfn < vm->phys->max_pfn &&
	       (pfn == vm->thp->zero || (vm->pages[pfn].flags & VMP_HUGE));
}

pa_t
thp_entry_at(const struct vm *vm, const struct mm *mm, va_t va)
{
	pa_t at = vm->thp ? vm_entry_at(vm, mm, va, 1) : 0;

	return at && is_ours(vm, pte_load(vm, at)) ? at : 0;
}

pfn_t
thp_page(struct vm *vm, const struct vma *v, va_t va, uint64_t entry, bool *bad)
{
	pfn_t pfn = huge_pfn(vm, entry, 1);
	uint64_t index;
	const struct vm_page *p;

	*bad = false;
	va &= ~(huge_bytes(vm) - 1);
	if (pfn == vm->thp->zero)
		return PFN_NONE;
	index = v->pgoff + ((va - v->start) >> VM_PAGE_SHIFT);
	if (is_ours(vm, entry)) {
		p = &vm->pages[pfn];
		if (vm->phys->frames[pfn].mapcount > 0 && p->index == index &&
		    anon_has(v, p->mapping))
			return pfn;
	}
	*bad = true;
	pt_bad(vm, v, va, entry);
	return PFN_NONE;
}

/* --- splitting ---------------------------------------------------------- */

/* Small entries of the huge zero page: the small one. */
static void
fill_with_zero(struct vm *vm, const struct vma *v, pfn_t table)
{
	uint64_t e = pte_make(vm, vm->zero_page, pte_prot(vm, v) | PTE_SPECIAL);

	for (unsigned int i = 0;
	     vm->zero_page != PFN_NONE && i < huge_frames(vm); i++)
		pte_store(vm, (table << VM_PAGE_SHIFT) + i * vm->shape.bytes,
			  e);
}

/* D is left out, as the kernel does: the page itself is dirty now. */
static void
fill_with_parts(struct vm *vm, const struct vma *v, pfn_t table, pfn_t pfn,
		uint64_t old)
{
	uint64_t bits = pte_prot(vm, v) & ~(uint64_t)(PTE_A | PTE_RW);

	bits |= old & (PTE_A | vm->shape.soft_dirty);
	if ((old & PTE_RW) && (v->flags & VM_WRITE))
		bits |= PTE_RW;
	if (old & PTE_D)
		vm->pages[pfn].flags |= VMP_DIRTY;
	for (unsigned int i = 0; i < huge_frames(vm); i++)
		pte_store(vm, (table << VM_PAGE_SHIFT) + i * vm->shape.bytes,
			  pte_make(vm, pfn + i, bits));
}

void
thp_split_entry(struct vm *vm, struct vma *v, va_t va, pa_t at,
		unsigned int cpu)
{
	uint64_t old = pte_load(vm, at);
	bool bad;
	pfn_t pfn = thp_page(vm, v, va, old, &bad), table;

	va &= ~(huge_bytes(vm) - 1);
	vm->phys->event[VE_thp_split_pmd]++;
	pte_store(vm, at, 0);
	vm->generation++;
	flush_range(vm, v->mm, va, va + huge_bytes(vm), cpu);
	table = thp_withdraw(vm, at);
	/* Entries that a user has written have none. */
	if (bad || table == PFN_NONE)
		return;
	if (pfn == PFN_NONE) {
		fill_with_zero(vm, v, table);
	} else {
		fill_with_parts(vm, v, table, pfn, old);
		huge_map_parts(vm, v, pfn,
			       vm->pages[pfn].flags & VMP_EXCLUSIVE);
	}
	pt_link(vm, v->mm, va, at, table);
}

void
thp_split_at(struct vma *v, va_t va)
{
	struct vm *vm = v->mm->vm;
	uint64_t size;
	va_t start;
	pa_t at;

	if (!vm->thp || (v->flags & VM_HUGETLB) || !v->anon)
		return;
	size = huge_bytes(vm);
	start = va & ~(size - 1);
	if (start == va || start < v->start || v->end - start < size)
		return;
	at = thp_entry_at(vm, v->mm, va);
	if (at)
		thp_split_entry(vm, v, va, at,
				vm->acting ? vm->acting->cpu : 0);
}

/* --- clearing, copying, moving ------------------------------------------ */

void
thp_zap(struct gather *g, struct vma *v, va_t va, pa_t at)
{
	struct vm *vm = g->vm;
	bool bad;
	pfn_t pfn = thp_page(vm, v, va, pte_load(vm, at), &bad);

	pte_store(vm, at, 0);
	flush_note(&g->notes, va, va + huge_bytes(vm), 1);
	drop_deposit(vm, v->mm, at, g->cpu);
	if (pfn == PFN_NONE)
		return;
	mm_count(v->mm, MM_ANONPAGES, -(int64_t)huge_frames(vm));
	huge_unmap(vm, v, pfn);
	g_array_append_val(g->pages, pfn);
}

int
thp_copy(struct vm *vm, struct vma *from, struct vma *to, va_t va, pa_t at,
	 unsigned int cpu)
{
	uint64_t e = pte_load(vm, at);
	bool bad;
	pfn_t pfn = thp_page(vm, from, va, e, &bad);
	pa_t into;
	int err;

	if (bad)
		return 0;
	err = pt_make(vm, to->mm, va, 1, cpu, &into);
	if (!err)
		err = thp_deposit_new(vm, to->mm, va, into, cpu);
	if (err)
		return err;
	if (pfn == PFN_NONE) {
		(void)thp_zero_get(vm, to->mm, cpu);
	} else if ((vm->pages[pfn].flags & VMP_EXCLUSIVE) &&
		   pg_pinned(vm, pfn)) {
		/* Small pages can be copied one by one. */
		drop_deposit(vm, to->mm, into, cpu);
		thp_split_entry(vm, from, va, at, cpu);
		return -EAGAIN;
	} else {
		vm->pages[pfn].flags &= ~(uint32_t)VMP_EXCLUSIVE;
		huge_map(vm, to, pfn);
		mm_count(to->mm, MM_ANONPAGES, huge_frames(vm));
	}
	e &= ~(uint64_t)PTE_RW;
	pte_store(vm, at, e);
	pte_store(vm, into, e & ~(uint64_t)PTE_A);
	return 0;
}

void
thp_move(struct vm *vm, pa_t from, pa_t into)
{
	uint64_t e = pte_load(vm, from);
	pfn_t table = vm->thp ? thp_withdraw(vm, from) : PFN_NONE;

	pte_store(vm, from, 0);
	if (table != PFN_NONE)
		thp_deposit(vm, into, table);
	pte_store(vm, into, e | vm->shape.soft_dirty);
}

bool
thp_change(struct vm *vm, const struct vma *v, pa_t at)
{
	uint64_t keep = PTE_A | PTE_D | vm->shape.soft_dirty;
	uint64_t e = pte_load(vm, at);
	uint64_t bits = (pte_prot(vm, v) & ~(uint64_t)PTE_A) | (e & keep);
	uint64_t next = huge_make(vm, huge_pfn(vm, e, 1), bits, 1);

	pte_store(vm, at, next);
	return (e & PTE_P) && next != e;
}
