// SPDX-License-Identifier: MIT
/*
 * thp.c - transparent huge pages: when, and faults on them
 *
 * What it models: hugepage_init, hugepage_vma_check, vma_thp_gfp_mask,
 * do_huge_pmd_anonymous_page, do_huge_pmd_wp_page, the huge zero page
 * (mm/huge_memory.c).
 *
 * How it works: a fault where no table of small leaves is yet may take 2 MiB
 * at once, when its whole range lies in the area and the settings allow it;
 * whenever it cannot, the fault goes on with a small page.  A huge page that
 * others have too is not copied as a whole: its entry is split, and the one
 * small page is copied.
 *
 * Differs from the kernel: files and shared memory have no huge pages here, as
 * with shmem_enabled=never and without CONFIG_READ_ONLY_THP_FOR_FS.
 */
#include "vm_impl.h"

#include <errno.h>

#define NO_KHUGEPAGED (VM_SPECIAL | VM_HUGETLB)

const char *const thp_mode_names[NR_THP_MODES] = {
	[THP_ALWAYS] = "always",
	[THP_MADVISE] = "madvise",
	[THP_NEVER] = "never",
};

const char *const thp_defrag_names[NR_THP_DEFRAGS] = {
	[THP_DEFRAG_ALWAYS] = "always",
	[THP_DEFRAG_DEFER] = "defer",
	[THP_DEFRAG_DEFER_MADVISE] = "defer+madvise",
	[THP_DEFRAG_MADVISE] = "madvise",
	[THP_DEFRAG_NEVER] = "never",
};

/* --- settings ----------------------------------------------------------- */

static void
array_free(gpointer array)
{
	g_array_free(array, TRUE);
}

struct thp *
thp_new(const struct vm *vm)
{
	bool small = vm_total_pages(vm) << VM_PAGE_SHIFT < MIB(512);
	struct thp *t;

	if (!vm->shape.f || !vm->phys->arch->thp)
		return NULL;
	t = g_new0(struct thp, 1);
	t->order = vm->shape.shift[1] - VM_PAGE_SHIFT;
	/* A small machine starts with all of it off. */
	t->enabled = small ? THP_NEVER : vm->phys->cmdline->thp;
	t->defrag = small ? THP_DEFRAG_NEVER : THP_DEFRAG_MADVISE;
	t->use_zero_page = t->khugepaged_defrag = !small;
	t->pages_to_scan = 8U << t->order;
	t->scan_sleep_ms = 10000;
	t->alloc_sleep_ms = 60000;
	t->max_ptes_none = (1U << t->order) - 1;
	t->max_ptes_swap = (1U << t->order) / 8;
	t->max_ptes_shared = (1U << t->order) / 2;
	t->zero = PFN_NONE;
	t->parts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	t->deposits = g_hash_table_new_full(NULL, NULL, NULL, array_free);
	t->deferred = g_new0(GArray *, vm->phys->nr_nodes);
	for (unsigned int i = 0; i < vm->phys->nr_nodes; i++)
		t->deferred[i] = g_array_new(FALSE, FALSE, sizeof(pfn_t));
	t->scan = g_ptr_array_new();
	return t;
}

void
thp_free(struct vm *vm)
{
	struct thp *t = vm->thp;

	if (!t)
		return;
	for (unsigned int i = 0; i < vm->phys->nr_nodes; i++)
		g_array_free(t->deferred[i], TRUE);
	g_free(t->deferred);
	g_hash_table_destroy(t->parts);
	g_hash_table_destroy(t->deposits);
	g_ptr_array_free(t->scan, TRUE);
	g_free(t);
}

bool
thp_suits(const struct vm *vm, const struct vma *v, va_t va)
{
	va_t start = va & ~(huge_bytes(vm) - 1);

	return start >= v->start && v->end > start &&
	       v->end - start >= huge_bytes(vm);
}

bool
thp_allowed(const struct vm *vm, const struct vma *v, bool in_fault)
{
	const struct thp *t = vm->thp;

	if (!t || (v->flags & (VM_NOHUGEPAGE | NO_KHUGEPAGED)) ||
	    !vma_is_anonymous(v))
		return false;
	if (!in_fault && (v->end < huge_bytes(vm) ||
			  !thp_suits(vm, v, v->end - huge_bytes(vm))))
		return false;
	if (t->enabled == THP_NEVER ||
	    (t->enabled == THP_MADVISE && !(v->flags & VM_HUGEPAGE)))
		return false;
	return in_fault || v->anon;
}

bool
thp_eligible(const struct vm *vm, const struct vma *v)
{
	return thp_allowed(vm, v, true) && v->end >= huge_bytes(vm) &&
	       thp_suits(vm, v, v->end - huge_bytes(vm));
}

/* vma_thp_gfp_mask() */
static gfp_t
gfp_of(const struct thp *t, const struct vma *v)
{
	bool advised = v->flags & VM_HUGEPAGE;

	switch (t->defrag) {
	case THP_DEFRAG_ALWAYS:
		return GFP_TRANSHUGE | (advised ? 0 : __GFP_NORETRY);
	case THP_DEFRAG_DEFER:
		return GFP_TRANSHUGE_LIGHT | __GFP_KSWAPD_RECLAIM;
	case THP_DEFRAG_DEFER_MADVISE:
		return GFP_TRANSHUGE_LIGHT |
		       (advised ? __GFP_DIRECT_RECLAIM : __GFP_KSWAPD_RECLAIM);
	case THP_DEFRAG_MADVISE:
		return GFP_TRANSHUGE_LIGHT |
		       (advised ? __GFP_DIRECT_RECLAIM : 0);
	default:
		return GFP_TRANSHUGE_LIGHT;
	}
}

int
thp_alloc(struct vm *vm, const struct vma *v, va_t va, unsigned int cpu,
	  pfn_t *pfn)
{
	struct page_request q = {
		.gfp = gfp_of(vm->thp, v), .order = vm->thp->order, .cpu = cpu};
	int err = place_alloc(vm, v, va & ~(huge_bytes(vm) - 1), &q, true, pfn);

	if (!err)
		ram_zero(vm->ram, *pfn << VM_PAGE_SHIFT, huge_bytes(vm));
	return err;
}

/* --- the huge zero page ------------------------------------------------- */

pfn_t
thp_zero_get(struct vm *vm, struct mm *mm, unsigned int cpu)
{
	struct page_request q = {.gfp = (GFP_TRANSHUGE | __GFP_ZERO) &
					~(gfp_t)__GFP_MOVABLE,
				 .order = vm->thp->order,
				 .cpu = cpu};
	struct thp *t = vm->thp;

	if (mm->huge_zero)
		return t->zero;
	if (t->zero == PFN_NONE) {
		if (place_alloc(vm, NULL, 0, &q, false, &t->zero)) {
			t->zero = PFN_NONE;
			vm->phys->event[VE_thp_zero_page_alloc_failed]++;
			return PFN_NONE;
		}
		ram_zero(vm->ram, t->zero << VM_PAGE_SHIFT, huge_bytes(vm));
		vm->phys->event[VE_thp_zero_page_alloc]++;
		t->zero_refs = 1;
	}
	t->zero_refs++;
	mm->huge_zero = true;
	return t->zero;
}

uint64_t
thp_shrink_zero(struct vm *vm, unsigned int cpu)
{
	struct thp *t = vm->thp;

	if (!t || t->zero == PFN_NONE || t->zero_refs > 1)
		return 0;
	pages_put(vm->phys, t->zero, t->order, cpu);
	t->zero = PFN_NONE;
	t->zero_refs = 0;
	return huge_frames(vm);
}

/* --- faults ------------------------------------------------------------- */

static unsigned int
fault_of(int err)
{
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_HOST;
}

static unsigned int
map_zero(struct vm *vm, struct vma *v, va_t va, pa_t at, unsigned int cpu)
{
	int err = thp_deposit_new(vm, v->mm, va, at, cpu);
	pfn_t zero;

	if (err)
		return fault_of(err);
	zero = thp_zero_get(vm, v->mm, cpu);
	if (zero == PFN_NONE) {
		pt_spare_free(vm, v->mm, thp_withdraw(vm, at), cpu);
		vm->phys->event[VE_thp_fault_fallback]++;
		return VM_FAULT_FALLBACK;
	}
	pte_store(vm, at, huge_make(vm, zero, pte_prot(vm, v), 1));
	return 0;
}

unsigned int
thp_fault(struct vm *vm, struct vma *v, va_t va, pa_t at, unsigned int flags,
	  unsigned int cpu)
{
	uint64_t bits = pte_prot(vm, v) | pte_dirty_bits(vm);
	pfn_t pfn;
	int err;

	if (!thp_suits(vm, v, va))
		return VM_FAULT_FALLBACK;
	va &= ~(huge_bytes(vm) - 1);
	if (anon_prepare(v))
		return VM_FAULT_OOM;
	khugepaged_enter(vm, v);
	if (!(flags & VMF_WRITE) && vm->thp->use_zero_page)
		return map_zero(vm, v, va, at, cpu);
	if (thp_alloc(vm, v, va, cpu, &pfn)) {
		vm->phys->event[VE_thp_fault_fallback]++;
		return VM_FAULT_FALLBACK;
	}
	err = thp_deposit_new(vm, v->mm, va, at, cpu);
	if (err) {
		pages_put(vm->phys, pfn, vm->thp->order, cpu);
		return fault_of(err);
	}
	huge_new_anon(vm, v, va, pfn);
	mm_count(v->mm, MM_ANONPAGES, huge_frames(vm));
	if (v->flags & VM_WRITE)
		bits |= PTE_RW;
	pte_store(vm, at, huge_make(vm, pfn, bits, 1));
	vm->phys->event[VE_thp_fault_alloc]++;
	return 0;
}

/* do_huge_pmd_wp_page() */
static unsigned int
write_protected(struct vm *vm, struct vma *v, va_t va, pa_t at, pfn_t pfn,
		unsigned int flags, unsigned int cpu)
{
	struct vm_page *p;

	if (pfn == PFN_NONE)
		goto split;
	p = &vm->pages[pfn];
	if (!(p->flags & VMP_EXCLUSIVE) && vm->phys->frames[pfn].refs == 1)
		pg_take_over(vm, v, pfn);
	if (!(p->flags & VMP_EXCLUSIVE))
		goto split;
	if (!(flags & VMF_UNSHARE))
		pte_store(vm, at,
			  pte_load(vm, at) | PTE_RW | PTE_A |
				  pte_dirty_bits(vm));
	return 0;

split:
	thp_split_entry(vm, v, va, at, cpu);
	return VM_FAULT_FALLBACK;
}

unsigned int
thp_fault_present(struct vm *vm, struct vma *v, va_t va, pa_t at,
		  unsigned int flags, unsigned int cpu)
{
	uint64_t e = pte_load(vm, at), next = e | PTE_A;
	bool bad;
	pfn_t pfn = thp_page(vm, v, va, e, &bad);

	if (bad)
		return VM_FAULT_SIGBUS;
	if (pte_is_protnone(e)) {
		next = huge_make(vm, huge_pfn(vm, e, 1),
				 pte_prot(vm, v) | (e & PTE_D), 1);
		pte_store(vm, at, next);
		return 0;
	}
	if ((flags & (VMF_WRITE | VMF_UNSHARE)) && !(e & PTE_RW))
		return write_protected(vm, v, va, at, pfn, flags, cpu);
	if (flags & VMF_WRITE)
		next |= pte_dirty_bits(vm);
	if (next != e)
		pte_store(vm, at, next);
	return 0;
}
