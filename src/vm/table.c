// SPDX-License-Identifier: MIT
/*
 * table.c - page tables: entries in modelled RAM, found, made and freed
 *
 * What it models: __handle_mm_fault's pgd_alloc..pte_alloc, free_pgd_range,
 * pgd_alloc (arch/x86/mm/pgtable.c), pXd_clear_bad, print_bad_pte,
 * vm_normal_page.
 *
 * How it works: one walk serves all formats; levels count from the table of
 * leaves, 0.  A table's frame has a record that says whose it is, for which
 * addresses, at which level:
 *
 *     top table --entry--> frame of a table: owner PGTABLE of this mm,
 *                          index = first address | level
 *
 * An entry is followed only when the frame that it names has exactly the record
 * that belongs there.  Anything else was written by a user: it is told of as
 * the kernel does, cleared where the kernel clears it, and never followed; so
 * no walk loops, and no frame is freed that is not this table's.
 *
 * Always true: mm->tables is how many frames have a record of this mm.
 *
 * Where it lies: entries in modelled RAM; who owns a frame on the host.
 *
 * Differs from the kernel: a PAE top table has a frame of its own, not 32 bytes
 * of a slab.  What a lost entry led to stays allocated, as there.
 */
#include "vm_impl.h"

#include <errno.h>
#include <inttypes.h>

#define TABLE_USER (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define TABLE_KERNEL (PTE_P | PTE_RW | PTE_A | PTE_D)
/* Lines about bad entries in a minute of modelled time. */
#define BAD_MOST 60

/* What the record of a table of @level that covers @va says. */
static inline uint64_t
record_of(const struct vm *vm, va_t va, unsigned int level)
{
	const struct vm_shape *s = &vm->shape;

	if (level == s->top)
		return level;
	return (va >> s->shift[level + 1] << s->shift[level + 1]) | level;
}

static inline bool
is_kernel(const struct vm *vm, va_t va)
{
	return va >= vm->layout.page_offset;
}

static inline pa_t
slot_at(const struct vm *vm, pa_t table, va_t va, unsigned int level)
{
	const struct vm_shape *s = &vm->shape;

	return table +
	       (va >> s->shift[level] & (s->entries[level] - 1U)) * s->bytes;
}

/* Whether @entry leads to our table of @level for @va. */
static inline bool
leads_on(const struct vm *vm, const struct mm *mm, uint64_t entry, va_t va,
	 unsigned int level)
{
	pfn_t pfn = (entry & vm->shape.frame_mask) >> VM_PAGE_SHIFT;
	uint32_t owner =
		frame_owner(OWNER_PGTABLE, is_kernel(vm, va) ? 0 : mm->id);

	return (entry & PTE_P) && pfn < vm->phys->max_pfn &&
	       vm->phys->frames[pfn].state == FRAME_ALLOCATED &&
	       vm->phys->frames[pfn].owner == owner &&
	       vm->pages[pfn].index == record_of(vm, va, level) &&
	       (vm->pages[pfn].flags & VMP_TABLE);
}

/* Whether @entry of @level is a leaf that maps a page of ours that large. */
static bool
maps_huge(const struct vm *vm, uint64_t entry, unsigned int level)
{
	pfn_t pfn;

	if (level != 1 || !huge_leaf_bits(entry))
		return false;
	pfn = huge_pfn(vm, entry, level);
	if (pfn >= vm->phys->max_pfn)
		return false;
	if (vm->pages[pfn].flags & VMP_HUGETLB)
		return true;
	return vm->thp &&
	       (pfn == vm->thp->zero || (vm->pages[pfn].flags & VMP_HUGE));
}

/* --- bad entries -------------------------------------------------------- */

static bool
may_tell(struct vm *vm)
{
	uint64_t minute = *vm->phys->now_ns / 60000000000ULL;

	if (minute != vm->bad_minute) {
		vm->bad_minute = minute;
		vm->bad_told = 0;
	}
	return vm->bad_told++ < BAD_MOST;
}

static void
tell_bad_table(struct vm *vm, pa_t at, uint64_t entry, unsigned int level)
{
	static const struct {
		const char *name;
		unsigned int line; /* of mm/pgtable-generic.c */
	} levels[MMU_LEVELS_MAX] = {
		{"pte", 0 },
		    {"pmd", 51},
		 {"pud", 39},
		      {"p4d", 31},
		   {"pgd", 24},
	};

	if (may_tell(vm))
		vm_printk(vm,
			  "mm/pgtable-generic.c:%u: bad %s %016" PRIx64
			  "(%016" PRIx64 ")",
			  levels[level].line, levels[level].name,
			  vm->layout.page_offset + at, entry);
}

void
pt_bad(struct vm *vm, const struct vma *v, va_t va, uint64_t entry)
{
	const struct task *t = NULL;
	pa_t pmd = vm_entry_at(vm, v->mm, va, 1);

	if (!may_tell(vm))
		return;
	for (guint i = 0; !t && i < vm->tasks->len; i++) {
		const struct task *one = g_ptr_array_index(vm->tasks, i);

		if (one->mm == v->mm)
			t = one;
	}
	vm_printk(vm,
		  "BUG: Bad page map in process %s  pte:%08" PRIx64
		  " pmd:%08" PRIx64,
		  t ? t->comm : "?", entry, pmd ? pte_load(vm, pmd) : 0);
	vm_printk(vm,
		  "addr:%016" PRIx64 " vm_flags:%08" PRIx64
		  " anon_vma:%016x mapping:%016x index:%" PRIx64,
		  va, v->flags, v->anon ? v->anon->id : 0,
		  v->object ? v->object->id : 0,
		  v->pgoff + ((va - v->start) >> VM_PAGE_SHIFT));
	vm_printk(vm, "file:%s",
		  v->object && v->object->name ? v->object->name : "(null)");
}

/* Whether frame @pfn is one that @v has at page @index of what it maps. */
static inline bool
belongs(const struct vm *vm, const struct vma *v, pfn_t pfn, uint64_t index)
{
	const struct frame *f = &vm->phys->frames[pfn];
	const struct vm_page *p = &vm->pages[pfn];

	if (unlikely(p->flags & (VMP_HUGE | VMP_TAIL)))
		return huge_parts(vm, pg_head(vm, pfn)) &&
		       vm_mapcount(vm, pfn) && p->index == index &&
		       anon_has(v, p->mapping);
	if (f->state != FRAME_ALLOCATED || f->order || f->mapcount <= 0 ||
	    f->refs <= 0 || p->index != index)
		return false;
	if (p->flags & VMP_OBJECT)
		return v->object && v->object->id == p->mapping;
	return (p->flags & VMP_ANON) && anon_has(v, p->mapping);
}

pfn_t
pt_page(struct vm *vm, const struct vma *v, va_t va, uint64_t entry, bool *bad)
{
	pfn_t pfn = vm_entry_pfn(vm, entry);
	uint64_t index = v->pgoff + ((va - v->start) >> VM_PAGE_SHIFT);

	*bad = false;
	if (entry & PTE_SPECIAL) {
		if (pfn == vm->zero_page || (v->flags & VM_PFNMAP))
			return PFN_NONE;
	} else if (likely(pfn < vm->phys->max_pfn &&
			  belongs(vm, v, pfn, index))) {
		return pfn;
	}
	*bad = true;
	pt_bad(vm, v, va, entry);
	return PFN_NONE;
}

/* --- one table ---------------------------------------------------------- */

static void
count_table(struct vm *vm, struct mm *mm, pfn_t pfn, unsigned int level,
	    int sign)
{
	mm->tables += (uint64_t)(int64_t)sign;
	if (level == vm->shape.top)
		return;
	if (level <= 1)
		pg_node(vm, pfn)->stat[NS_nr_page_table_pages] += sign;
	if (level <= 2)
		mm->pgtables += (uint64_t)(int64_t)sign;
}

/* Frame @pfn is a table of @mm from now on. */
static void
table_record(struct vm *vm, struct mm *mm, pfn_t pfn, va_t va,
	     unsigned int level)
{
	/* Held from now on, so that no store has to ask for the host's. */
	pte_store(vm, pfn << VM_PAGE_SHIFT, 0);
	vm->phys->frames[pfn].owner = frame_owner(OWNER_PGTABLE, mm->id);
	vm->pages[pfn] = (struct vm_page){
		.mapping = mm->id,
		.flags = VMP_TABLE,
		.index = record_of(vm, va, level),
	};
	count_table(vm, mm, pfn, level, 1);
}

/* A table of @level for @va, all zero: 0, -ENOMEM, -ENOSPC. */
static int
table_alloc(struct vm *vm, struct mm *mm, va_t va, unsigned int level,
	    unsigned int cpu, pa_t *table)
{
	pfn_t pfn;
	int err = pg_alloc(vm, NULL, 0,
			   mm->id ? GFP_PGTABLE_USER : GFP_KERNEL | __GFP_ZERO,
			   cpu, &pfn);

	if (err)
		return err;
	*table = pfn << VM_PAGE_SHIFT;
	if (ram_may_write(vm->ram, *table, VM_PAGE)) {
		pages_put(vm->phys, pfn, 0, cpu);
		return -ENOSPC;
	}
	table_record(vm, mm, pfn, va, level);
	return 0;
}

/* Two top tables side by side, the kernel's and the user's. */
static int
top_alloc_pair(struct vm *vm, struct mm *mm, unsigned int cpu)
{
	const struct page_request q = {
		.gfp = GFP_PGTABLE_USER,
		.order = 1,
		.nid = NODE_LOCAL,
		.cpu = cpu,
	};
	pfn_t pfn;
	int err = pages_alloc(vm->phys, &q, &pfn);

	if (err)
		return err;
	ram_zero(vm->ram, pfn << VM_PAGE_SHIFT, 2 * VM_PAGE);
	if (ram_may_write(vm->ram, pfn << VM_PAGE_SHIFT, 2 * VM_PAGE)) {
		pages_put(vm->phys, pfn, 1, cpu);
		return -ENOSPC;
	}
	pages_split(vm->phys, pfn, 1);
	table_record(vm, mm, pfn, 0, vm->shape.top);
	table_record(vm, mm, pfn + 1, 0, vm->shape.top);
	mm->top = pfn << VM_PAGE_SHIFT;
	return 0;
}

/*
 * Write an entry of @level of @mm at @at.  One of the top table that leads to
 * user memory stands in the user's too; the kernel, with its own, may run
 * nothing there.
 */
static void
slot_set(struct vm *vm, const struct mm *mm, unsigned int level, pa_t at,
	 uint64_t entry)
{
	if (unlikely(vm->kpti) && level == vm->shape.top && mm->id) {
		pte_store(vm, at + VM_PAGE, entry);
		if (entry & PTE_P)
			entry |= vm->shape.no_exec;
	}
	pte_store(vm, at, entry);
}

/* Its frame is no table any more; who calls gives it back. */
static void
table_forget(struct vm *vm, struct mm *mm, pfn_t pfn, unsigned int level)
{
	count_table(vm, mm, pfn, level, -1);
	/* Kept for entries that someone has overwritten: lost with them. */
	if (level == 1 && vm->thp)
		g_hash_table_remove(vm->thp->deposits, GSIZE_TO_POINTER(pfn));
	vm->phys->frames[pfn].owner = 0;
	vm->pages[pfn] = (struct vm_page){0};
	vm->tables++;
	vm->generation++;
}

static uint64_t
link_to(const struct vm *vm, const struct mm *mm, pa_t table,
	unsigned int level)
{
	/* A PDPTE of PAE has no rights, and reserves their bits. */
	if (vm->mode == MMU_PAE && level == 2)
		return table | PTE_P;
	return table | (mm->id ? TABLE_USER : TABLE_KERNEL);
}

/* --- walks -------------------------------------------------------------- */

pa_t
vm_entry_at(const struct vm *vm, const struct mm *mm, va_t va,
	    unsigned int level)
{
	pa_t table = mm->top;

	for (unsigned int l = vm->shape.top; l > level; l--) {
		uint64_t e = pte_load(vm, slot_at(vm, table, va, l));

		if (!leads_on(vm, mm, e, va, l - 1))
			return 0;
		table = e & vm->shape.frame_mask;
	}
	return slot_at(vm, table, va, level);
}

bool
vm_leaf(const struct vm *vm, const struct mm *mm, va_t va, struct vm_leaf *leaf)
{
	pa_t table = mm->top;

	for (unsigned int l = vm->shape.top;; l--) {
		*leaf = (struct vm_leaf){.at = slot_at(vm, table, va, l),
					 .level = l,
					 .pfn = PFN_NONE};
		leaf->entry = pte_load(vm, leaf->at);
		if (!l) {
			leaf->pfn = vm_entry_pfn(vm, leaf->entry);
			return true;
		}
		if (maps_huge(vm, leaf->entry, l)) {
			uint64_t offset =
				va & ((1ULL << vm->shape.shift[l]) - 1);

			leaf->pfn = huge_pfn(vm, leaf->entry, l) +
				    (offset >> VM_PAGE_SHIFT);
			return true;
		}
		if (!leads_on(vm, mm, leaf->entry, va, l - 1))
			return false;
		table = leaf->entry & vm->shape.frame_mask;
	}
}

uint64_t
vm_entry_get(const struct vm *vm, pa_t at)
{
	return pte_load(vm, at);
}

void
vm_entry_set(struct vm *vm, pa_t at, uint64_t entry)
{
	pte_store(vm, at, entry);
}

pfn_t
vm_entry_pfn(const struct vm *vm, uint64_t entry)
{
	if (!pte_there(entry))
		return PFN_NONE;
	if (vm->shape.inverted && pte_is_protnone(entry))
		entry = ~entry;
	return (entry & vm->shape.frame_mask) >> VM_PAGE_SHIFT;
}

void
vm_kernel_entry_made(struct vm *vm, va_t va)
{
	unsigned int top = vm->shape.top;
	uint64_t e = pte_load(vm, slot_at(vm, vm->init_mm->top, va, top));

	for (guint i = 0; i < vm->mms->len; i++) {
		struct mm *mm = g_ptr_array_index(vm->mms, i);

		pte_store(vm, slot_at(vm, mm->top, va, top), e);
		flush_top(vm, mm);
	}
}

/* The table of @level below the entry @at, made if it is not there. */
static int
step_down(struct vm *vm, struct mm *mm, va_t va, unsigned int level, pa_t at,
	  unsigned int cpu, pa_t *table)
{
	uint64_t e = pte_load(vm, at);
	int err;

	if (likely(leads_on(vm, mm, e, va, level))) {
		*table = e & vm->shape.frame_mask;
		return 0;
	}
	if (e) {
		tell_bad_table(vm, at, e, level + 1);
		vm->generation++;
		vm->tables++;
	}
	err = table_alloc(vm, mm, va, level, cpu, table);
	if (err)
		return err;
	slot_set(vm, mm, level + 1, at, link_to(vm, mm, *table, level + 1));
	if (level + 1 == vm->shape.top) {
		if (!mm->id)
			vm_kernel_entry_made(vm, va);
		else
			flush_top(vm, mm);
	}
	return 0;
}

int
pt_make(struct vm *vm, struct mm *mm, va_t va, unsigned int level,
	unsigned int cpu, pa_t *at)
{
	pa_t table = mm->top;

	for (unsigned int l = vm->shape.top; l > level; l--) {
		int err = step_down(vm, mm, va, l - 1,
				    slot_at(vm, table, va, l), cpu, &table);

		if (err)
			return err;
	}
	*at = slot_at(vm, table, va, level);
	return 0;
}

int
vm_entry_make(struct vm *vm, struct mm *mm, va_t va, unsigned int cpu, pa_t *at)
{
	uint64_t leaf_of = va >> vm->shape.shift[1];
	int err;

	if (mm->leaf_gen == vm->tables && mm->leaf_of == leaf_of) {
		*at = slot_at(vm, mm->leaf, va, 0);
		return 0;
	}
	err = pt_make(vm, mm, va, 0, cpu, at);
	if (err)
		return err;
	mm->leaf_of = leaf_of;
	mm->leaf_gen = vm->tables;
	mm->leaf = *at & ~(pa_t)(VM_PAGE - 1);
	return 0;
}

/* First address after what an entry of @level covers; 0 beyond the last. */
static va_t
after(const struct vm *vm, va_t va, unsigned int level)
{
	return ((va >> vm->shape.shift[level]) + 1) << vm->shape.shift[level];
}

va_t
pt_next(struct vm *vm, struct mm *mm, va_t va, va_t end, pa_t *at,
	unsigned int *level)
{
	*level = 0;
	while (va < end) {
		pa_t table = mm->top;
		unsigned int l;

		for (l = vm->shape.top; l; l--) {
			pa_t slot = slot_at(vm, table, va, l);
			uint64_t e = pte_load(vm, slot);

			if (!leads_on(vm, mm, e, va, l - 1)) {
				if (!e)
					break;
				if (maps_huge(vm, e, l)) {
					*at = slot;
					*level = l;
					return va;
				}
				tell_bad_table(vm, slot, e, l);
				slot_set(vm, mm, l, slot, 0);
				vm->generation++;
				vm->tables++;
				break;
			}
			table = e & vm->shape.frame_mask;
		}
		if (!l) {
			*at = slot_at(vm, table, va, 0);
			return va;
		}
		va = after(vm, va, l);
		if (!va)
			break;
	}
	return end;
}

/* --- tables kept aside -------------------------------------------------- */

int
pt_spare_new(struct vm *vm, struct mm *mm, va_t va, unsigned int cpu,
	     pfn_t *table)
{
	pa_t at = 0;
	int err = table_alloc(vm, mm, va, 0, cpu, &at);

	*table = at >> VM_PAGE_SHIFT;
	return err;
}

void
pt_spare_free(struct vm *vm, struct mm *mm, pfn_t table, unsigned int cpu)
{
	table_forget(vm, mm, table, 0);
	pages_put(vm->phys, table, 0, cpu);
}

void
pt_link(struct vm *vm, struct mm *mm, va_t va, pa_t at, pfn_t table)
{
	vm->pages[table].index = record_of(vm, va, 0);
	pte_store(vm, at, link_to(vm, mm, table << VM_PAGE_SHIFT, 1));
}

/* --- top tables --------------------------------------------------------- */

/* The kernel half is the same everywhere. */
static void
copy_kernel_half(struct vm *vm, const struct mm *mm)
{
	const struct vm_shape *s = &vm->shape;
	unsigned int i = vm->layout.page_offset >> s->shift[s->top] &
			 (s->entries[s->top] - 1U);

	for (; vm->init_mm && i < s->entries[s->top]; i++) {
		uint64_t e = pte_load(vm, vm->init_mm->top + i * s->bytes);

		if (e)
			pte_store(vm, mm->top + i * s->bytes, e);
	}
}

int
pt_new(struct vm *vm, struct mm *mm, unsigned int cpu)
{
	int err = vm->kpti && mm->id ? top_alloc_pair(vm, mm, cpu)
				     : table_alloc(vm, mm, 0, vm->shape.top,
						   cpu, &mm->top);

	if (err)
		return err;
	if (!mm->id)
		return 0;
	copy_kernel_half(vm, mm);
	/* The processor loads PDPTEs with CR3 only: they are made at once. */
	for (va_t va = 0; vm->mode == MMU_PAE && va < vm->layout.page_offset;
	     va += GIB(1)) {
		pa_t table;

		err = step_down(vm, mm, va, 1, slot_at(vm, mm->top, va, 2), cpu,
				&table);
		if (err) {
			pt_free(vm, mm, cpu);
			return err;
		}
	}
	return 0;
}

void
pt_free(struct vm *vm, struct mm *mm, unsigned int cpu)
{
	pfn_t pfn = mm->top >> VM_PAGE_SHIFT;

	for (va_t va = 0; vm->mode == MMU_PAE && va < vm->layout.page_offset;
	     va += GIB(1)) {
		uint64_t e = pte_load(vm, slot_at(vm, mm->top, va, 2));
		pfn_t pmd = (e & vm->shape.frame_mask) >> VM_PAGE_SHIFT;

		if (!leads_on(vm, mm, e, va, 1))
			continue;
		table_forget(vm, mm, pmd, 1);
		pages_put(vm->phys, pmd, 0, cpu);
	}
	for (unsigned int i = 0; i < (vm->kpti && mm->id ? 2U : 1U); i++) {
		table_forget(vm, mm, pfn + i, vm->shape.top);
		pages_put(vm->phys, pfn + i, 0, cpu);
	}
}

/* --- tables that became empty ------------------------------------------- */

/* Whether a table of @level that covers @start may go, and where its range
 * ends: all it covers is free between floor and ceiling. */
static bool
may_free(const struct vm *vm, unsigned int level, va_t start, va_t end,
	 va_t floor, va_t ceiling)
{
	va_t mask = ~((1ULL << vm->shape.shift[level + 1]) - 1);

	if ((start & mask) < floor)
		return false;
	if (ceiling) {
		ceiling &= mask;
		if (!ceiling)
			return false;
	}
	return end - 1 <= ceiling - 1;
}

/* Free the tables below the table @table of @level, for @start..@end. */
static void
free_below(struct gather *g, pa_t table, unsigned int level, va_t start,
	   va_t end, va_t floor, va_t ceiling)
{
	struct vm *vm = g->vm;
	va_t next;

	for (va_t va = start; va && va < end; va = next) {
		pa_t at = slot_at(vm, table, va, level);
		uint64_t e = pte_load(vm, at);
		pfn_t pfn = (e & vm->shape.frame_mask) >> VM_PAGE_SHIFT;

		next = after(vm, va, level);
		if (!next || next > end)
			next = end;
		if (!e)
			continue;
		if (!leads_on(vm, g->mm, e, va, level - 1)) {
			tell_bad_table(vm, at, e, level);
			slot_set(vm, g->mm, level, at, 0);
			vm->generation++;
			vm->tables++;
			continue;
		}
		if (level > 1)
			free_below(g, pfn << VM_PAGE_SHIFT, level - 1, va, next,
				   floor, ceiling);
		if (!may_free(vm, level - 1, va, next, floor, ceiling))
			continue;
		slot_set(vm, g->mm, level, at, 0);
		table_forget(vm, g->mm, pfn, level - 1);
		g_array_append_val(g->tables, pfn);
		/* pte_free_tlb() and its like note one page of it. */
		flush_note(&g->notes, va, va + VM_PAGE, level);
	}
}

void
pt_free_range(struct gather *g, va_t start, va_t end, va_t floor, va_t ceiling)
{
	va_t span = 1ULL << g->vm->shape.shift[1];

	start &= ~(span - 1);
	if (start < floor) {
		start += span;
		if (!start)
			return;
	}
	if (ceiling) {
		ceiling &= ~(span - 1);
		if (!ceiling)
			return;
	}
	if (end - 1 > ceiling - 1)
		end -= span;
	if (start > end - 1)
		return;
	free_below(g, g->mm->top, g->vm->shape.top, start, end, floor, ceiling);
}
