// SPDX-License-Identifier: MIT
/*
 * verify.c - the laws of virtual memory, checked by walking everything
 *
 * How it works: all tables of all address spaces are walked, and each entry is
 * counted for the frame that it maps; then all frames that belong to this layer
 * are walked, and what they say is compared with what was counted.  The walk is
 * a plain one of its own, which trusts nothing but the format.
 */
#include "kernel_impl.h"
#include "laws_impl.h"

#include "kmemfs/phys/frame_walk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FINDINGS_MOST 8

#define LAW(id, name, sentence) {name, sentence},
const struct law vm_laws[] = {
#include "laws.def"
	{NULL, NULL}
};
#undef LAW

/* What the walk found of a frame. */
struct seen {
	uint32_t entries, huge; /* leaves of 4 KiB, of more */
	bool table;
};

struct vm_audit {
	struct audit audit;
	const struct vm *vm;
	GHashTable *seen;	     /* pfn -> struct seen, owned */
	int64_t rss[NR_MM_COUNTERS]; /* of the address space in hand */
	uint64_t tables;
	unsigned int kept; /* tables that huge leaves of the one in hand need */
	int64_t hugetlb;   /* pages, of the address space in hand */
	uint64_t pool, pool_free; /* pages of the pool, those nobody has */
};

static struct seen *
seen_of(struct vm_audit *a, pfn_t pfn)
{
	gpointer key = (gpointer)(uintptr_t)pfn;
	struct seen *s = g_hash_table_lookup(a->seen, key);

	if (!s) {
		s = g_new0(struct seen, 1);
		g_hash_table_insert(a->seen, key, s);
	}
	return s;
}

/* --- tables ------------------------------------------------------------- */

static void
audit_leaf(struct vm_audit *a, const struct mm *mm, va_t va, uint64_t e)
{
	const struct vm *vm = a->vm;
	pfn_t pfn = vm_entry_pfn(vm, e);

	if (pfn == PFN_NONE || (e & PTE_SPECIAL))
		return;
	if (pfn < vm->phys->max_pfn && (vm->pages[pfn].flags & VMP_TAIL)) {
		seen_of(a, pfn)->entries++;
		a->rss[MM_ANONPAGES]++;
		return;
	}
	if (pfn >= vm->phys->max_pfn ||
	    vm->phys->frames[pfn].state != FRAME_ALLOCATED ||
	    !(vm->pages[pfn].flags & (VMP_ANON | VMP_OBJECT))) {
		audit_tell(&a->audit, LAW_MAPCOUNT,
			   "mm %u maps pfn %" PRIu64 " at %#" PRIx64
			   ", which is no user page",
			   mm->id, pfn, va);
		return;
	}
	seen_of(a, pfn)->entries++;
	a->rss[pg_counter(vm, pfn)]++;
}

/* A leaf for many frames: whether it is one. */
static bool
audit_huge_leaf(struct vm_audit *a, uint64_t e)
{
	const struct vm *vm = a->vm;
	pfn_t pfn;

	if (!huge_leaf_bits(e))
		return false;
	pfn = huge_pfn(vm, e, 1);
	if (pfn >= vm->phys->max_pfn)
		return false;
	if (vm->thp && pfn == vm->thp->zero) {
		a->kept++;
		return true;
	}
	if (!(vm->pages[pfn].flags & (VMP_HUGE | VMP_HUGETLB)))
		return false;
	seen_of(a, pfn)->huge++;
	if (vm->pages[pfn].flags & VMP_HUGETLB) {
		a->hugetlb += 1LL << vm->hugetlb->order;
	} else {
		a->rss[MM_ANONPAGES] += huge_frames(vm);
		a->kept++;
	}
	return true;
}

/* Tables of leaves that are kept for the huge leaves of @table: as many. */
static void
audit_kept(struct vm_audit *a, const struct mm *mm, pfn_t table)
{
	const GArray *kept =
		a->vm->thp ? g_hash_table_lookup(a->vm->thp->deposits,
						 GSIZE_TO_POINTER(table))
			   : NULL;
	guint nr = kept ? kept->len : 0;

	if (nr != a->kept)
		audit_tell(&a->audit, LAW_TABLES,
			   "mm %u: the table pfn %" PRIu64
			   " has %u huge leaves and keeps %u tables",
			   mm->id, table, a->kept, nr);
	for (guint i = 0; i < nr; i++)
		seen_of(a, g_array_index(kept, pfn_t, i))->table = true;
	a->tables += nr;
	a->kept = 0;
}

static void
audit_table(struct vm_audit *a, const struct mm *mm, pa_t table,
	    unsigned int level, va_t base)
{
	const struct vm *vm = a->vm;
	pfn_t pfn = table >> VM_PAGE_SHIFT;
	struct seen *s = seen_of(a, pfn);

	if (s->table) {
		audit_tell(&a->audit, LAW_TABLES,
			   "pfn %" PRIu64 " is a table twice", pfn);
		return;
	}
	s->table = true;
	a->tables++;
	for (unsigned int i = 0; i < vm->shape.entries[level]; i++) {
		va_t va = base + ((uint64_t)i << vm->shape.shift[level]);
		uint64_t e = pte_load(vm, table + i * vm->shape.bytes);
		uint32_t owner;

		/* Areas of the kernel are its own business. */
		if (!e || va >= vm->layout.task_size)
			continue;
		if (!level) {
			audit_leaf(a, mm, va, e);
			continue;
		}
		if (level == 1 && audit_huge_leaf(a, e))
			continue;
		pfn = (e & vm->shape.frame_mask) >> VM_PAGE_SHIFT;
		if (pfn >= vm->phys->max_pfn ||
		    !frame_owned_by(vm->phys->frames[pfn].owner, OWNER_PGTABLE,
				    &owner) ||
		    owner != mm->id) {
			audit_tell(&a->audit, LAW_TABLES,
				   "mm %u: the entry for %#" PRIx64
				   " at level %u "
				   "leads to no table of its own",
				   mm->id, va, level);
			continue;
		}
		audit_table(a, mm, pfn << VM_PAGE_SHIFT, level - 1, va);
	}
	if (level == 1)
		audit_kept(a, mm, table >> VM_PAGE_SHIFT);
}

/* The user's top table leads where the kernel's does, below its half. */
static void
audit_user_top(struct vm_audit *a, const struct mm *mm)
{
	const struct vm_shape *s = &a->vm->shape;
	pa_t user = mm->top + VM_PAGE;
	uint64_t differ = s->frame_mask | PTE_P;

	seen_of(a, user >> VM_PAGE_SHIFT)->table = true;
	a->tables++;
	for (unsigned int i = 0; i < s->entries[s->top]; i++) {
		uint64_t mine = pte_load(a->vm, user + i * s->bytes);
		uint64_t kernels = pte_load(a->vm, mm->top + i * s->bytes);
		va_t va = (uint64_t)i << s->shift[s->top];

		if (va >= a->vm->layout.task_size)
			kernels = 0;
		if ((mine ^ kernels) & differ)
			audit_tell(&a->audit, LAW_TABLES,
				   "mm %u: the user's top entry for %#" PRIx64
				   " is not the kernel's",
				   mm->id, va);
	}
}

/* --- one address space -------------------------------------------------- */

static void
audit_areas(struct vm_audit *a, const struct mm *mm, uint64_t *committed)
{
	uint64_t total = 0, locked = 0;
	va_t end = 0;

	for (guint i = 0; i < mm->areas->len; i++) {
		const struct vma *v = vma_nth(mm, i);

		if (v->start < end || v->end <= v->start || v->mm != mm ||
		    !page_aligned(v->start | v->end) ||
		    v->end > a->vm->layout.task_size)
			audit_tell(&a->audit, LAW_AREAS,
				   "mm %u: the area %#" PRIx64 "-%#" PRIx64
				   " after %#" PRIx64,
				   mm->id, v->start, v->end, end);
		end = v->end;
		total += vma_pages(v);
		locked += v->flags & VM_LOCKED ? vma_pages(v) : 0;
		*committed += v->flags & VM_ACCOUNT ? vma_pages(v) : 0;
	}
	if (total != mm->total_vm || locked != mm->locked_vm)
		audit_tell(&a->audit, LAW_SUMS,
			   "mm %u has %" PRIu64 " pages, %" PRIu64
			   " locked; it counts %" PRIu64 " and %" PRIu64,
			   mm->id, total, locked, mm->total_vm, mm->locked_vm);
}

static void
audit_mm(struct vm_audit *a, const struct mm *mm, uint64_t *committed)
{
	int users = 0;

	audit_areas(a, mm, committed);
	memset(a->rss, 0, sizeof(a->rss));
	a->tables = 0;
	a->hugetlb = 0;
	audit_table(a, mm, mm->top, a->vm->shape.top, 0);
	if (a->vm->kpti)
		audit_user_top(a, mm);
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		if (a->rss[i] != mm->counter[i])
			audit_tell(&a->audit, LAW_RSS,
				   "mm %u: counter %d is %" PRId64 ", %" PRId64
				   " entries",
				   mm->id, i, mm->counter[i], a->rss[i]);
	if (a->hugetlb != mm->hugetlb)
		audit_tell(&a->audit, LAW_RSS,
			   "mm %u has %" PRId64
			   " pages of the pool and counts %" PRId64,
			   mm->id, a->hugetlb, mm->hugetlb);
	if (a->tables != mm->tables)
		audit_tell(&a->audit, LAW_TABLES,
			   "mm %u reaches %" PRIu64
			   " tables and counts %" PRIu64,
			   mm->id, a->tables, mm->tables);
	for (guint i = 0; i < a->vm->tasks->len; i++) {
		const struct task *t = g_ptr_array_index(a->vm->tasks, i);

		users += t->mm == mm;
	}
	if (users != mm->users)
		audit_tell(&a->audit, LAW_TASKS,
			   "mm %u has %d users and counts %d", mm->id, users,
			   mm->users);
}

/* --- frames ------------------------------------------------------------- */

/* What the frames say, by node. */
struct tally {
	int64_t anon, mapped, file, shmem, tables, lru[5], huge;
};

/* A page of many frames that is anonymous memory. */
static void
audit_huge(struct vm_audit *a, pfn_t head, struct tally *sum)
{
	const struct vm *vm = a->vm;
	const struct huge_parts *parts = huge_parts(vm, head);
	const struct vm_page *p = &vm->pages[head];
	uint32_t huge = seen_of(a, head)->huge, refs = huge;
	unsigned int lru = p->flags & VMP_MLOCKED
				   ? 4
				   : (p->flags & VMP_SWAPBACKED ? 0 : 2) +
					     (p->flags & VMP_ACTIVE ? 1 : 0);

	for (unsigned int i = 0; i < huge_frames(vm); i++) {
		struct seen *s = g_hash_table_lookup(
			a->seen, GSIZE_TO_POINTER(head + i));
		uint32_t entries = s ? s->entries : 0;
		uint32_t counted = parts ? parts->entries[i] : 0;

		refs += entries + (uint32_t)(uintptr_t)g_hash_table_lookup(
					  vm->pins, GSIZE_TO_POINTER(head + i));
		sum->anon += huge || entries;
		if (entries != counted)
			audit_tell(&a->audit, LAW_MAPCOUNT,
				   "pfn %" PRIu64
				   " of a huge page counts %u entries and has "
				   "%u",
				   head + i, counted, entries);
		if ((entries || !i) &&
		    vm_rmap_walk(vm, head + i, NULL, NULL) != huge + entries)
			audit_tell(&a->audit, LAW_RMAP,
				   "pfn %" PRIu64
				   " of a huge page: the way back does not "
				   "find %u entries",
				   head + i, huge + entries);
	}
	if (vm->phys->frames[head].mapcount != (int32_t)huge)
		audit_tell(&a->audit, LAW_MAPCOUNT,
			   "huge page pfn %" PRIu64
			   " has map count %d and %u entries",
			   head, vm->phys->frames[head].mapcount, huge);
	if ((uint32_t)vm->phys->frames[head].refs != refs)
		audit_tell(&a->audit, LAW_REFS,
			   "huge page pfn %" PRIu64
			   " has %d references, there are %u",
			   head, vm->phys->frames[head].refs, refs);
	sum->lru[lru] += huge_frames(vm);
	sum->huge += huge ? huge_frames(vm) : 0;
}

/* A page of the pool, free or in use. */
static void
audit_hugetlb(struct vm_audit *a, pfn_t pfn)
{
	const struct vm *vm = a->vm;
	const struct frame *f = &vm->phys->frames[pfn];
	bool object = vm->pages[pfn].flags & VMP_OBJECT;
	bool used = vm->pages[pfn].flags & (VMP_OBJECT | VMP_ANON);
	uint32_t entries = seen_of(a, pfn)->huge;

	a->pool_free += !used;
	a->pool++;
	if (f->mapcount != (int32_t)entries ||
	    (uint32_t)f->refs != entries + (object || !used))
		audit_tell(&a->audit, LAW_REFS,
			   "pfn %" PRIu64
			   " of the pool has %d references, map count %d and "
			   "%u entries%s",
			   pfn, f->refs, f->mapcount, entries,
			   object ? ", an object" : "");
}

static void
audit_page(struct vm_audit *a, pfn_t pfn, struct tally *sum)
{
	const struct vm *vm = a->vm;
	const struct frame *f = &vm->phys->frames[pfn];
	const struct vm_page *p = &vm->pages[pfn];
	uint32_t entries = seen_of(a, pfn)->entries;
	bool object = p->flags & VMP_OBJECT;
	uintptr_t pins = (uintptr_t)g_hash_table_lookup(
		vm->pins, (gpointer)(uintptr_t)pfn);
	unsigned int back;

	if (f->mapcount != (int32_t)entries)
		audit_tell(&a->audit, LAW_MAPCOUNT,
			   "pfn %" PRIu64 " has map count %d and %u entries",
			   pfn, f->mapcount, entries);
	if ((uint64_t)f->refs != entries + (object ? 1 : 0) + pins)
		audit_tell(&a->audit, LAW_REFS,
			   "pfn %" PRIu64 " has %d references; %u entries, %u "
			   "pins%s",
			   pfn, f->refs, entries, (unsigned int)pins,
			   object ? ", an object" : "");
	back = vm_rmap_walk(vm, pfn, NULL, NULL);
	if (back != entries)
		audit_tell(&a->audit, LAW_RMAP,
			   "pfn %" PRIu64
			   ": the way back finds %u of %u entries",
			   pfn, back, entries);
	if (object) {
		sum->file++;
		sum->shmem += !!(p->flags & VMP_SWAPBACKED);
		sum->mapped += entries != 0;
	} else {
		sum->anon += entries != 0;
	}
	if (p->flags & VMP_MLOCKED)
		sum->lru[4]++;
	else
		sum->lru[(p->flags & VMP_SWAPBACKED ? 0 : 2) +
			 (p->flags & VMP_ACTIVE ? 1 : 0)]++;
}

static void
audit_user_page(struct vm_audit *a, pfn_t pfn, struct tally *sum)
{
	if (a->vm->pages[pfn].flags & VMP_HUGE)
		audit_huge(a, pfn, sum);
	else if (a->vm->pages[pfn].flags & VMP_HUGETLB)
		audit_hugetlb(a, pfn);
	else
		audit_page(a, pfn, sum);
}

static void
audit_table_frame(struct vm_audit *a, pfn_t pfn, uint32_t owner,
		  struct tally *sum)
{
	const struct vm *vm = a->vm;
	uint64_t level = vm->pages[pfn].index & (VM_PAGE - 1);

	if (owner && !seen_of(a, pfn)->table)
		audit_tell(&a->audit, LAW_TABLES,
			   "pfn %" PRIu64
			   " is a table of mm %u that nothing leads "
			   "to",
			   pfn, owner);
	if (level <= 1 && level != vm->shape.top)
		sum->tables++;
}

static void
compare(struct vm_audit *a, unsigned int nid, const struct tally *sum)
{
	const int64_t *stat = a->vm->phys->nodes[nid]->stat;
	const struct {
		enum node_stat stat;
		int64_t count;
	} rows[] = {
		{NS_nr_anon_pages,		   sum->anon  },
		{NS_nr_mapped,		       sum->mapped},
		{NS_nr_file_pages,		   sum->file  },
		{NS_nr_shmem,		      sum->shmem },
		{NS_nr_page_table_pages,		 sum->tables},
		{NS_nr_inactive_anon,	      sum->lru[0]},
		{NS_nr_active_anon,		    sum->lru[1]},
		{NS_nr_inactive_file,	      sum->lru[2]},
		{NS_nr_active_file,		    sum->lru[3]},
		{NS_nr_unevictable,		    sum->lru[4]},
		{NS_nr_anon_transparent_hugepages, sum->huge  },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (stat[rows[i].stat] != rows[i].count)
			audit_tell(&a->audit, LAW_COUNTERS,
				   "node %u: counter %d is %" PRId64
				   ", there are "
				   "%" PRId64,
				   nid, rows[i].stat, stat[rows[i].stat],
				   rows[i].count);
}

static void
audit_frames(struct vm_audit *a)
{
	const struct phys *phys = a->vm->phys;
	struct tally *sums = g_new0(struct tally, phys->nr_nodes);
	pfn_t pfn = frame_next_allocated(phys, 0);

	for (; pfn != PFN_NONE;
	     pfn = frame_next_allocated(
		     phys, pfn + (1ULL << phys->frames[pfn].order))) {
		const struct frame *f = &phys->frames[pfn];
		struct tally *sum = &sums[phys->zones[f->zone]->node->id];
		uint32_t number;

		if (frame_owned_by(f->owner, OWNER_PGTABLE, &number))
			audit_table_frame(a, pfn, number, sum);
		else if (frame_owned_by(f->owner, OWNER_ANON, &number) ||
			 frame_owned_by(f->owner, OWNER_OBJECT, &number))
			audit_user_page(a, pfn, sum);
	}
	for (unsigned int nid = 0; nid < phys->nr_nodes; nid++)
		compare(a, nid, &sums[nid]);
	g_free(sums);
}

/* The pool has as many pages as it says, and promises no more than are free. */
static void
audit_pool(struct vm_audit *a)
{
	const struct hugetlb *h = a->vm->hugetlb;
	uint64_t nr = 0, free = 0, surplus = 0;

	for (unsigned int i = 0; h && i < a->vm->phys->nr_nodes; i++) {
		nr += h->node[i].nr;
		free += h->node[i].list->len;
		surplus += h->node[i].surplus;
	}
	if (h &&
	    (nr != h->nr || free != h->free || surplus != h->surplus ||
	     h->nr != a->pool || h->free != a->pool_free || h->resv > h->free))
		audit_tell(&a->audit, LAW_POOL,
			   "the pool says %" PRIu64 " pages, %" PRIu64
			   " free, %" PRIu64 " surplus, %" PRIu64
			   " promised; there are %" PRIu64 ", %" PRIu64 " free",
			   h->nr, h->free, h->surplus, h->resv, a->pool,
			   a->pool_free);
}

/* --- the rest ----------------------------------------------------------- */

static void
audit_commit(struct vm_audit *a, uint64_t committed)
{
	GHashTableIter it;
	gpointer value;

	g_hash_table_iter_init(&it, a->vm->objects);
	while (g_hash_table_iter_next(&it, NULL, &value)) {
		const struct vm_object *o = value;

		if (o->charged)
			committed += page_align(o->size) >> VM_PAGE_SHIFT;
	}
	if (committed != a->vm->committed)
		audit_tell(&a->audit, LAW_COMMIT,
			   "%" PRIu64
			   " pages are promised, the sum is %" PRIu64,
			   a->vm->committed, committed);
}

static void
audit_tlb(struct vm_audit *a, unsigned int cpu)
{
	const struct vm_cpu *c = &a->vm->cpu[cpu];

	for (int part = 0; c->mm && !c->hand_made && part < NR_TLB_PARTS;
	     part++) {
		struct tlb_geometry g = tlb_geometry(c->tlb, part);

		for (unsigned int n = 0; n < (unsigned int)g.sets * g.ways;
		     n++) {
			const struct tlb_entry *e = tlb_entry(c->tlb, part, n);
			struct mmu_request q = {.ac = true};
			struct mmu_result w;

			if (!e || e->pcid != c->pcid ||
			    kernel_is_lazy(a->vm, e->page))
				continue;
			q.va = e->page;
			mmu_walk(a->vm->ram, &c->regs, &q, &w);
			if (w.outcome != MMU_OK || w.pa != e->frame ||
			    w.writable < e->writable || w.user < e->user ||
			    w.no_exec > e->no_exec)
				audit_tell(&a->audit, LAW_TLB,
					   "CPU %u has an entry for %#" PRIx64
					   " that tables do not",
					   cpu, e->page);
		}
	}
}

static void
audit_family(struct vm_audit *a)
{
	const struct vm *vm = a->vm;

	for (const struct task *t = task_next(vm, 0); t;
	     t = task_next(vm, t->pid))
		if ((t->ppid && !task_find(vm, t->ppid)) ||
		    !task_find(vm, t->tgid))
			audit_tell(&a->audit, LAW_FAMILY,
				   "task %d has parent %d, thread group %d",
				   t->pid, t->ppid, t->tgid);
}

unsigned int
vm_verify(const struct vm *vm, finding_fn found, void *user)
{
	struct vm_audit a = {
		.audit = {.laws = vm_laws,
			  .most = FINDINGS_MOST,
			  .found = found,
			  .user = user},
		.vm = vm,
	};
	uint64_t committed = 0;

	if (!vm->pages)
		return 0;
	a.seen = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	for (guint i = 0; i < vm->mms->len; i++)
		audit_mm(&a, g_ptr_array_index(vm->mms, i), &committed);
	audit_commit(&a, committed);
	audit_frames(&a);
	audit_pool(&a);
	audit_family(&a);
	for (unsigned int cpu = 0; cpu < vm->nr_cpus; cpu++)
		audit_tlb(&a, cpu);
	kernel_verify(vm, &a.audit);
	g_hash_table_destroy(a.seen);
	return a.audit.nr;
}
