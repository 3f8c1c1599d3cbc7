// SPDX-License-Identifier: MIT
/*
 * kernel_verify.c - the laws of the kernel half
 *
 * How it works: what areas, slots and stacks say is compared with the entries
 * in RAM, page by page; then all of init_mm's tables are walked and their
 * entries counted, so that none is left that nobody speaks of.
 */
#include "kernel_impl.h"
#include "laws_impl.h"

#include "kmemfs/phys/frame_walk.h"

#include <inttypes.h>

struct kernel_audit {
	struct audit *audit;
	const struct vm *vm;
	uint64_t expected; /* leaves that areas and slots speak of */
	uint64_t found;	   /* leaves outside of the direct map */
	GHashTable *owned; /* pfn -> area id + 1: pages of areas */
};

static pfn_t
entry_pfn(const struct vm *vm, va_t va)
{
	pa_t at = vm_entry_at(vm, vm->init_mm, va, 0);

	return at ? vm_entry_pfn(vm, pte_load(vm, at)) : PFN_NONE;
}

/* --- addresses ------------------------------------------------------------ */

static void
audit_sets(struct kernel_audit *a)
{
	const struct kernel_half *k = a->vm->kernel;
	const struct vm_layout *l = &a->vm->layout;
	uint64_t bytes = 0, lazy = 0, all = l->vmalloc_end - l->vmalloc_start;
	va_t end = 0;

	if (l->modules > l->vmalloc_end)
		all += l->modules_end - l->modules;
	for (guint i = 0; i < k->areas->len; i++) {
		const struct kernel_area *area = g_ptr_array_index(k->areas, i);

		bytes += area->end - area->start;
		if (area->start < end || area->end <= area->start ||
		    !page_aligned(area->start | area->end) ||
		    rangeset_overlaps(&k->free, area->start, area->end) ||
		    rangeset_overlaps(&k->lazy, area->start, area->end))
			audit_tell(a->audit, LAW_KERNEL_AREAS,
				   "the area %#" PRIx64 "-%#" PRIx64
				   " is somebody else's too",
				   area->start, area->end);
		end = area->end;
	}
	for (unsigned int i = 0; i < rangeset_size(&k->free); i++)
		bytes += rangeset_at(&k->free, i)->end -
			 rangeset_at(&k->free, i)->start;
	for (unsigned int i = 0; i < rangeset_size(&k->lazy); i++)
		lazy += rangeset_at(&k->lazy, i)->end -
			rangeset_at(&k->lazy, i)->start;
	if (bytes + lazy != all || lazy >> VM_PAGE_SHIFT != k->lazy_pages)
		audit_tell(a->audit, LAW_KERNEL_AREAS,
			   "%" PRIu64 " bytes in areas, free or lazy (%" PRIu64
			   " pages are counted), of %" PRIu64,
			   bytes + lazy, k->lazy_pages, all);
}

/* --- areas ---------------------------------------------------------------- */

static void
note_owner(struct kernel_audit *a, const struct kernel_area *area, pfn_t pfn)
{
	gpointer key = (gpointer)(uintptr_t)pfn;

	if (!(area->flags & KA_ALLOC))
		return;
	if (g_hash_table_lookup(a->owned, key))
		audit_tell(a->audit, LAW_KERNEL_PAGES,
			   "pfn %" PRIu64 " belongs to two areas", pfn);
	g_hash_table_insert(a->owned, key, GUINT_TO_POINTER(area->id + 1));
}

/* What the entry should lead to; @have is where it leads. */
static pfn_t
wanted(const struct vm *vm, const struct kernel_area *area, va_t va, pfn_t have)
{
	if (!(area->flags & KA_PERCPU))
		return kernel_area_pfn(area, va);
	/* Made when first walked. */
	return have == PFN_NONE ? PFN_NONE : kernel_percpu_pfn(vm, va);
}

static void
audit_area(struct kernel_audit *a, const struct kernel_area *area)
{
	const struct vm *vm = a->vm;

	for (va_t va = area->start; va < area->end; va += VM_PAGE) {
		pfn_t have = entry_pfn(vm, va);
		pfn_t want = wanted(vm, area, va, have);

		if (want != PFN_NONE) {
			a->expected++;
			note_owner(a, area, want);
		}
		if (want == have)
			continue;
		if (want == PFN_NONE)
			audit_tell(a->audit, LAW_KERNEL_GUARD,
				   "%#" PRIx64 " is mapped", va);
		else
			audit_tell(a->audit, LAW_KERNEL_ENTRIES,
				   "%#" PRIx64 " should lead to pfn %" PRIu64
				   ", it is %" PRIu64,
				   va, want, have);
	}
}

/* Frames that say they belong to an area, and do not; and their number. */
static void
audit_owned(struct kernel_audit *a)
{
	const struct phys *phys = a->vm->phys;
	pfn_t pfn = frame_next_allocated(phys, 0);
	uint64_t nr = 0;

	for (; pfn != PFN_NONE;
	     pfn = frame_next_allocated(
		     phys, pfn + (1ULL << phys->frames[pfn].order))) {
		uint32_t owner = phys->frames[pfn].owner, number;
		gpointer id =
			g_hash_table_lookup(a->owned, (gpointer)(uintptr_t)pfn);

		if (!frame_owned_by(owner, OWNER_VMALLOC, &number)) {
			nr += id != NULL;
			continue;
		}
		nr++;
		if (GPOINTER_TO_UINT(id) != number + 1)
			audit_tell(a->audit, LAW_KERNEL_PAGES,
				   "pfn %" PRIu64
				   " says that it belongs to area %u",
				   pfn, number);
	}
	if (nr != g_hash_table_size(a->owned) ||
	    nr + a->vm->kernel->leaked_pages != a->vm->kernel->vmalloc_pages)
		audit_tell(a->audit, LAW_KERNEL_PAGES,
			   "areas have %u pages of their own, %" PRIu64
			   " are allocated, %" PRIu64 " counted",
			   g_hash_table_size(a->owned), nr,
			   a->vm->kernel->vmalloc_pages);
}

/* --- slots ---------------------------------------------------------------- */

static void
audit_kmap(struct kernel_audit *a)
{
	const struct vm *vm = a->vm;
	const struct kernel_half *k = vm->kernel;
	unsigned int used = 0;

	for (unsigned int i = 0; i < vm->layout.pkmap_slots; i++) {
		va_t va = vm->layout.pkmap_base + ((va_t)i << VM_PAGE_SHIFT);
		pfn_t want = k->pkmap_count[i] ? k->pkmap_pfn[i] : PFN_NONE;

		used += k->pkmap_count[i] != 0;
		a->expected += k->pkmap_count[i] != 0;
		if (entry_pfn(vm, va) != want)
			audit_tell(a->audit, LAW_KERNEL_KMAP,
				   "slot %u has count %u and leads to %" PRIu64,
				   i, k->pkmap_count[i], entry_pfn(vm, va));
		if (want != PFN_NONE && kernel_page_address(vm, want) != va)
			audit_tell(a->audit, LAW_KERNEL_KMAP,
				   "pfn %" PRIu64
				   " of slot %u has address %#" PRIx64,
				   want, i, kernel_page_address(vm, want));
	}
	if (used != g_hash_table_size(k->pkmap_of))
		audit_tell(a->audit, LAW_KERNEL_KMAP,
			   "%u slots are used, %u pages have one", used,
			   g_hash_table_size(k->pkmap_of));
	for (unsigned int cpu = 0; cpu < vm->nr_cpus; cpu++) {
		a->expected += kernel_local_of(vm, cpu)->nr;
		for (unsigned int type = 0; type < KM_TYPE_NR; type++)
			a->expected += k->typed[cpu * KM_TYPE_NR + type] != 0;
	}
}

/* --- all tables ----------------------------------------------------------- */

static void
audit_leaf(struct kernel_audit *a, va_t va, uint64_t entry, unsigned int level)
{
	const struct vm *vm = a->vm;
	uint64_t size = 1ULL << vm->shape.shift[level];
	pa_t pa = kernel_pa(vm, va);

	if (pa == UINT64_MAX) {
		a->found++;
		return;
	}
	if ((entry & vm->shape.frame_mask & ~(size - 1)) != pa)
		audit_tell(a->audit, LAW_KERNEL_ENTRIES,
			   "%#" PRIx64
			   " of the direct map has the entry %#" PRIx64,
			   va, entry);
}

static void
walk(struct kernel_audit *a, pa_t table, unsigned int level, va_t base)
{
	const struct vm *vm = a->vm;
	unsigned int unused = 64 - vm->shape.f->va_bits;
	uint32_t number;

	for (unsigned int i = 0; i < vm->shape.entries[level]; i++) {
		uint64_t e = pte_load(vm, table + i * vm->shape.bytes);
		va_t va = base + ((uint64_t)i << vm->shape.shift[level]);
		pfn_t pfn = (e & vm->shape.frame_mask) >> VM_PAGE_SHIFT;

		if (level == vm->shape.top && vm->shape.f->sign_extends)
			va = (va_t)((int64_t)(va << unused) >> unused);
		if (!(e & PTE_P) || va < vm->layout.page_offset)
			continue;
		if (!level || (e & PTE_PS))
			audit_leaf(a, va, e, level);
		else if (pfn < vm->phys->max_pfn &&
			 frame_owned_by(vm->phys->frames[pfn].owner,
					OWNER_PGTABLE, &number) &&
			 !number && (vm->pages[pfn].index & 7) == level - 1)
			walk(a, pfn << VM_PAGE_SHIFT, level - 1, va);
		else
			audit_tell(a->audit, LAW_KERNEL_ENTRIES,
				   "the entry %#" PRIx64 " for %#" PRIx64
				   " leads to no table of the kernel's",
				   e, va);
	}
}

/* --- stacks --------------------------------------------------------------- */

static void
audit_stacks(struct kernel_audit *a)
{
	const struct vm *vm = a->vm;
	uint64_t kib = 0, nodes = 0;

	for (guint i = 0; i < vm->tasks->len; i++) {
		const struct task *t = g_ptr_array_index(vm->tasks, i);

		if (!t->kernel_stack)
			continue;
		kib += vm->layout.stack_bytes / 1024;
		if (kernel_lookup(vm, t->kernel_stack) == UINT64_MAX ||
		    (t->kernel_stack & (vm->layout.stack_bytes - 1)))
			audit_tell(a->audit, LAW_KERNEL_STACKS,
				   "task %d has its stack at %#" PRIx64, t->pid,
				   t->kernel_stack);
	}
	for (unsigned int n = 0; n < vm->phys->nr_nodes; n++)
		nodes += (uint64_t)vm->phys->nodes[n]->stat[NS_nr_kernel_stack];
	if (kib != nodes)
		audit_tell(a->audit, LAW_KERNEL_STACKS,
			   "tasks have %" PRIu64 " KiB, nodes count %" PRIu64,
			   kib, nodes);
}

void
kernel_verify(const struct vm *vm, struct audit *audit)
{
	struct kernel_audit a = {.audit = audit, .vm = vm};
	const struct kernel_half *k = vm->kernel;

	if (!k || !k->started)
		return;
	a.owned = g_hash_table_new(NULL, NULL);
	audit_sets(&a);
	for (guint i = 0; i < k->areas->len; i++)
		audit_area(&a, g_ptr_array_index(k->areas, i));
	audit_owned(&a);
	audit_kmap(&a);
	walk(&a, vm->init_mm->top, vm->shape.top, 0);
	if (a.found != a.expected)
		audit_tell(audit, LAW_KERNEL_ENTRIES,
			   "areas and slots have %" PRIu64
			   " entries, the tables %" PRIu64,
			   a.expected, a.found);
	audit_stacks(&a);
	g_hash_table_destroy(a.owned);
}
