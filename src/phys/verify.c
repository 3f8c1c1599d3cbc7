// SPDX-License-Identifier: MIT
/*
 * verify.c - the laws of physical memory, checked by counting everything
 *
 * How it works: all lists are walked and every element checked; then all
 * frames that were ever given to the buddy are walked, block by block, runs as
 * a whole.  Elements of lists are distinct described blocks, and there are as
 * many blocks as elements, so each block is on exactly one list.  The cost
 * follows what was touched, not the size of the machine.
 */
#include "buddy_impl.h"
#include "kmemfs/phys/pages.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Findings reported for one law. */
#define FINDINGS_MOST 8
/* Blocks of a run whose first frame is looked at. */
#define RUN_SAMPLES 4096

enum law_id {
#define LAW(id, name, sentence) LAW_##id,
#include "laws.def"
#undef LAW
	NR_LAWS
};

#define LAW(id, name, sentence) {name, sentence},
const struct law phys_laws[] = {
#include "laws.def"
	{NULL, NULL}
};
#undef LAW

struct phys_audit {
	struct audit audit;
	const struct phys *phys;
};

/* What a walk over one zone counted. */
struct tally {
	uint64_t free[MAX_ORDER][MIGRATE_TYPES]; /* blocks */
	uint64_t pcp[MAX_ORDER];		 /* blocks */
	uint64_t pcp_listed[MAX_ORDER];		 /* blocks on pcp lists */
	uint64_t free_pages;
	uint64_t pcp_pages;
	uint64_t allocated_pages;
	uint64_t extents_pages;
};

static __attribute__((format(printf, 4, 5))) void
finding(struct phys_audit *a, const struct zone *zone, enum law_id law,
	const char *format, ...)
{
	char about[32] = "";
	va_list ap;

	if (zone)
		snprintf(about, sizeof(about), "node %u %s: ", zone->node->id,
			 zone_type_name(zone->type));
	va_start(ap, format);
	audit_vtell(&a->audit, law, about, format, ap);
	va_end(ap);
}

/* --- lists --------------------------------------------------------------- */

/* Check an element of a list; false when it cannot be followed. */
static bool
audit_element(struct phys_audit *a, const struct zone *zone, uint32_t at,
	      uint32_t prev, enum frame_state state, unsigned int order,
	      enum law_id law)
{
	pfn_t pfn = link_pfn(zone, at);
	const struct frame *f = &a->phys->frames[pfn];

	if (pfn >= a->phys->max_pfn) {
		finding(a, zone, law, "a link leads beyond memory: %" PRIu64,
			pfn);
		return false;
	}
	if (f->state != state || f->order != order || f->zone != zone->id) {
		finding(a, zone, law,
			"pfn %" PRIu64 " is on a list of order %u but is in "
			"state %u of order %u, zone %u",
			pfn, order, f->state, f->order, f->zone);
		return false;
	}
	if (f->prev != prev)
		finding(a, zone, law, "pfn %" PRIu64 " does not link back",
			pfn);
	return true;
}

static void
audit_free_list(struct phys_audit *a, const struct zone *zone,
		unsigned int order, enum migratetype type)
{
	const struct free_area *area = &zone->free_area[order];
	const struct block_list *list = &area->list[type];
	uint64_t blocks = 0;
	uint32_t prev = 0;

	for (uint32_t at = list->head; at; at = link_frame(zone, at)->next) {
		const struct frame *f = link_frame(zone, at);
		pfn_t pfn = link_pfn(zone, at);
		const struct run *run;

		if (blocks > area->nr_free[type] ||
		    !audit_element(a, zone, at, prev, FRAME_FREE, order,
				   LAW_LINKS))
			break;
		if (f->type != type)
			finding(a, zone, LAW_LINKS,
				"pfn %" PRIu64 " of type %u is on the list of "
				"type %u",
				pfn, f->type, type);
		run = runs_find(zone, pfn);
		if (!!run != !!(f->flags & FRAME_RUN) ||
		    (run && run->start != pfn))
			finding(a, zone, LAW_RUNS,
				"pfn %" PRIu64 " and the runs disagree", pfn);
		blocks += run && run->start == pfn ? run->nr : 1;
		prev = at;
	}
	if (list->tail != prev)
		finding(a, zone, LAW_LINKS,
			"the list of order %u type %u has the wrong tail",
			order, type);
	if (blocks != area->nr_free[type])
		finding(a, zone, LAW_NR_FREE,
			"order %u type %u: %" PRIu64 " blocks on the list, "
			"nr_free %" PRIu64,
			order, type, blocks, area->nr_free[type]);
	if (((zone->free_orders[type] >> order) & 1) != !!list->head)
		finding(a, zone, LAW_NR_FREE,
			"order %u type %u: whether the list is empty is noted "
			"wrongly",
			order, type);
}

static void
audit_free_lists(struct phys_audit *a, const struct zone *zone)
{
	int64_t pages = 0, cma = 0;

	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		const struct free_area *area = &zone->free_area[order];
		uint64_t all = 0;

		for (int t = 0; t < MIGRATE_TYPES; t++) {
			int64_t nr = (int64_t)(area->nr_free[t] << order);

			audit_free_list(a, zone, order, t);
			all += area->nr_free[t];
			pages += t == MIGRATE_ISOLATE ? 0 : nr;
			cma += t == MIGRATE_CMA ? nr : 0;
		}
		if (all != area->nr_free_all)
			finding(a, zone, LAW_NR_FREE,
				"order %u: %" PRIu64 " blocks of all types, "
				"nr_free %" PRIu64,
				order, all, area->nr_free_all);
	}
	if (pages != zone->stat[ZS_nr_free_pages])
		finding(a, zone, LAW_FREE_PAGES,
			"%" PRId64 " pages on the lists, counter %" PRId64,
			pages, zone->stat[ZS_nr_free_pages]);
	if (cma != zone->stat[ZS_nr_free_cma])
		finding(a, zone, LAW_FREE_CMA,
			"%" PRId64 " pages on the lists, counter %" PRId64, cma,
			zone->stat[ZS_nr_free_cma]);
}

static uint64_t
audit_pcp_list(struct phys_audit *a, const struct zone *zone, unsigned int cpu,
	       unsigned int index)
{
	const struct per_cpu_pages *pcp = &zone->pcp[cpu];
	const struct block_list *list = &pcp->list[index];
	unsigned int order = pcp_index_order(zone->phys, index);
	uint32_t prev = 0, blocks = 0;

	for (uint32_t at = list->head; at; at = link_frame(zone, at)->next) {
		if (blocks > pcp->length[index] ||
		    !audit_element(a, zone, at, prev, FRAME_PCP, order,
				   LAW_PCP))
			break;
		if (link_frame(zone, at)->place != pcp_place(zone, pcp, index))
			finding(a, zone, LAW_PCP,
				"pfn %" PRIu64 " is on cpu %u's list %u and "
				"has place %#x",
				link_pfn(zone, at), cpu, index,
				(unsigned int)link_frame(zone, at)->place);
		prev = at;
		blocks++;
	}
	if (list->tail != prev || blocks != pcp->length[index])
		finding(a, zone, LAW_PCP,
			"cpu %u list %u: %u blocks, length %u", cpu, index,
			blocks, pcp->length[index]);
	return blocks;
}

static void
audit_pcp(struct phys_audit *a, const struct zone *zone, struct tally *t)
{
	for (unsigned int cpu = 0; zone->pcp && cpu < zone->phys->nr_cpus;
	     cpu++) {
		uint64_t pages = 0;

		for (unsigned int i = 0; i < NR_PCP_LISTS; i++) {
			unsigned int order = pcp_index_order(zone->phys, i);
			uint64_t blocks = audit_pcp_list(a, zone, cpu, i);

			t->pcp_listed[order] += blocks;
			pages += blocks << order;
		}
		if (pages != zone->pcp[cpu].count)
			finding(a, zone, LAW_PCP,
				"cpu %u: %" PRIu64 " pages on the lists, count "
				"%u",
				cpu, pages, zone->pcp[cpu].count);
		t->pcp_pages += pages;
	}
}

/* --- memory -------------------------------------------------------------- */

/* Whether the kernel would have merged two free buddies of @order. */
static bool
should_merge(const struct phys *phys, pfn_t pfn, pfn_t buddy,
	     unsigned int order)
{
	unsigned int shift = phys->pageblock_order;
	enum migratetype own = block_type(phys, pfn);
	enum migratetype other = block_type(phys, buddy);

	if (order < shift)
		return true;
	/* The rule looked at types when the later one was freed: types that
	 * changed since then say nothing. */
	if ((phys->pageblocks[pfn >> shift] |
	     phys->pageblocks[buddy >> shift]) &
	    PAGEBLOCK_PARTED)
		return false;
	if (type_is_mergeable(own) && type_is_mergeable(other))
		return true;
	return own == other && phys->frames[pfn].type == own &&
	       phys->frames[buddy].type == own;
}

static void
audit_merged(struct phys_audit *a, const struct zone *zone, pfn_t pfn,
	     unsigned int order)
{
	pfn_t buddy = pfn ^ (1ULL << order);
	const struct frame *f = &a->phys->frames[buddy];

	if (order == MAX_BLOCK_ORDER || buddy >= a->phys->max_pfn ||
	    buddy < pfn || f->state != FRAME_FREE || f->order != order ||
	    f->zone != zone->id)
		return;
	if (should_merge(a->phys, pfn, buddy, order))
		finding(a, zone, LAW_MERGED,
			"pfn %" PRIu64 " and %" PRIu64 " of order %u are both "
			"free",
			pfn, buddy, order);
}

/* Check and count the described block at @pfn; returns where it ends. */
static pfn_t
audit_block(struct phys_audit *a, const struct zone *zone, pfn_t pfn, pfn_t end,
	    struct tally *t)
{
	const struct frame *frames = a->phys->frames;
	const struct frame *f = &frames[pfn];
	uint64_t pages = 1ULL << f->order;
	bool allocated = f->state == FRAME_ALLOCATED;

	if (pfn & (pages - 1))
		finding(a, zone, LAW_ALIGNED,
			"the block of order %u at pfn %" PRIu64, f->order, pfn);
	if (pages > end - pfn || f->order >= MAX_ORDER ||
	    f->state >= NR_FRAME_STATES) {
		finding(a, zone, LAW_ONE_PLACE,
			"the block of order %u at pfn %" PRIu64 " reaches out "
			"of managed memory",
			f->order, pfn);
		return pfn + 1;
	}
	if (f->zone != zone->id ||
	    (f->state != FRAME_PCP && (f->refs > 0) != allocated) ||
	    f->refs < 0 || f->type >= MIGRATE_TYPES)
		finding(a, zone, LAW_HEADS,
			"pfn %" PRIu64 " in state %u: zone %u, refs %d, type "
			"%u",
			pfn, f->state, f->zone, f->refs, f->type);
	if (a->phys->heads[pfn] != frame_head(f))
		finding(a, zone, LAW_HEADS,
			"pfn %" PRIu64 " in state %u of order %u is noted as "
			"%#x",
			pfn, f->state, f->order, a->phys->heads[pfn]);
	for (uint64_t i = 1; i < pages; i++)
		if (frames[pfn + i].state != FRAME_NONE ||
		    a->phys->heads[pfn + i])
			finding(a, zone, LAW_HEADS,
				"pfn %" PRIu64 " lies inside the block at "
				"%" PRIu64 " and is described",
				pfn + i, pfn);
	if (f->state == FRAME_FREE) {
		t->free[f->order][f->type % MIGRATE_TYPES]++;
		t->free_pages += pages;
		audit_merged(a, zone, pfn, f->order);
	} else if (allocated) {
		t->allocated_pages += pages;
	} else {
		t->pcp[f->order]++;
	}
	return pfn + pages;
}

static pfn_t
audit_run(struct phys_audit *a, const struct zone *zone, const struct run *run,
	  pfn_t pfn, pfn_t end, struct tally *t)
{
	const struct frame *frames = a->phys->frames;
	const struct frame *f = &frames[run->start];
	uint64_t step = MAX_OF(run->nr / RUN_SAMPLES, 1);
	pfn_t last = run->start + run->nr * MAX_BLOCK_PAGES;

	if (pfn != run->start || run->nr < 2 || last > end ||
	    run->start % MAX_BLOCK_PAGES || f->order != MAX_BLOCK_ORDER ||
	    f->state != FRAME_FREE || !(f->flags & FRAME_RUN) || f->refs ||
	    f->zone != zone->id)
		finding(a, zone, LAW_RUNS,
			"the run of %" PRIu64 " blocks at pfn %" PRIu64,
			run->nr, run->start);
	for (uint64_t i = step; i < run->nr; i += step) {
		pfn_t at = run->start + i * MAX_BLOCK_PAGES;

		if (frames[at].state != FRAME_NONE || a->phys->heads[at])
			finding(a, zone, LAW_RUNS,
				"pfn %" PRIu64 " lies inside a run and is "
				"described",
				at);
	}
	t->free[MAX_BLOCK_ORDER][f->type % MIGRATE_TYPES] += run->nr;
	t->free_pages += run->nr * MAX_BLOCK_PAGES;
	return MAX_OF(last, pfn + 1);
}

static void
audit_extent(struct phys_audit *a, const struct zone *zone,
	     const struct extent *e, struct tally *t)
{
	pfn_t pfn = e->start;

	t->extents_pages += e->end - e->start;
	if (!zone_spans(zone, e->start) || !zone_spans(zone, e->end - 1)) {
		finding(a, zone, LAW_MANAGED,
			"pfn %" PRIu64 " to %" PRIu64 " are managed but not "
			"in the zone",
			e->start, e->end);
		return;
	}
	while (pfn < e->end) {
		const struct run *run = NULL;

		if (pfn % MAX_BLOCK_PAGES == 0)
			run = runs_find(zone, pfn);
		if (run) {
			pfn = audit_run(a, zone, run, pfn, e->end, t);
			continue;
		}
		if (a->phys->frames[pfn].state != FRAME_NONE) {
			pfn = audit_block(a, zone, pfn, e->end, t);
			continue;
		}
		finding(a, zone, LAW_ONE_PLACE,
			"pfn %" PRIu64 " belongs to no block", pfn);
		pfn++;
	}
}

/* Compare what memory holds with what the lists hold. */
static void
audit_sums(struct phys_audit *a, const struct zone *zone, const struct tally *t)
{
	uint64_t used = t->free_pages + t->pcp_pages + t->allocated_pages;

	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		for (int type = 0; type < MIGRATE_TYPES; type++) {
			uint64_t nr = zone->free_area[order].nr_free[type];

			if (t->free[order][type] != nr)
				finding(a, zone, LAW_NR_FREE,
					"order %u type %d: %" PRIu64 " free "
					"blocks in memory, nr_free %" PRIu64,
					order, type, t->free[order][type], nr);
		}
		if (t->pcp[order] != t->pcp_listed[order])
			finding(a, zone, LAW_PCP,
				"order %u: %" PRIu64 " blocks in memory, "
				"%" PRIu64 " on the lists",
				order, t->pcp[order], t->pcp_listed[order]);
	}
	if (used != zone->managed_pages ||
	    t->extents_pages != zone->managed_pages)
		finding(a, zone, LAW_MANAGED,
			"%" PRIu64 " free + %" PRIu64 " per-cpu + %" PRIu64
			" allocated, %" PRIu64 " given, %" PRIu64 " managed",
			t->free_pages, t->pcp_pages, t->allocated_pages,
			t->extents_pages, zone->managed_pages);
}

static void
audit_sorted(struct phys_audit *a, const struct zone *zone)
{
	const struct free_runs *runs = zone->runs;

	for (size_t i = 1; i < runs->nr; i++)
		if (runs->run[i - 1].start +
			    runs->run[i - 1].nr * MAX_BLOCK_PAGES >
		    runs->run[i].start)
			finding(a, zone, LAW_RUNS,
				"the runs before pfn %" PRIu64 " reach it",
				runs->run[i].start);
	for (size_t i = 1; i < runs->nr_managed; i++)
		if (runs->managed[i - 1].end >= runs->managed[i].start)
			finding(a, zone, LAW_MANAGED,
				"managed memory before pfn %" PRIu64
				" reaches it",
				runs->managed[i].start);
}

static void
audit_zone(struct phys_audit *a, const struct zone *zone)
{
	struct tally t = {0};

	for (int i = 0; i < NR_ZONE_STATS; i++)
		if (zone->stat[i] < 0)
			finding(a, zone, LAW_COUNTERS, "counter %d is %" PRId64,
				i, zone->stat[i]);
	if (zone->managed_pages > zone->present_pages ||
	    zone->present_pages > zone->spanned_pages)
		finding(a, zone, LAW_MANAGED,
			"%" PRIu64 " managed, %" PRIu64 " present, %" PRIu64
			" spanned",
			zone->managed_pages, zone->present_pages,
			zone->spanned_pages);
	if (zone->runs) {
		audit_sorted(a, zone);
		audit_free_lists(a, zone);
		audit_pcp(a, zone, &t);
		for (size_t i = 0; i < zone->runs->nr_managed; i++)
			audit_extent(a, zone, &zone->runs->managed[i], &t);
	}
	audit_sums(a, zone, &t);
}

/* Pageblocks may be shared by zones, so this is one sum. */
static void
audit_highatomic(struct phys_audit *a)
{
	const struct phys *phys = a->phys;
	uint64_t nr = pageblock_pages(phys), reserved = 0, tagged = 0;
	pfn_t at = 0;

	for (unsigned int i = 0; i < phys->nr_zones; i++)
		reserved += phys->zones[i]->nr_reserved_highatomic;
	while ((at = pageblock_next_set(phys, at, phys->max_pfn)) != PFN_NONE) {
		if (block_type(phys, at) == MIGRATE_HIGHATOMIC)
			tagged += nr;
		at = round_down_to(at, nr) + nr;
	}
	if (tagged > reserved)
		finding(a, NULL, LAW_HIGHATOMIC,
			"%" PRIu64 " pages in HighAtomic pageblocks, %" PRIu64
			" reserved",
			tagged, reserved);
}

unsigned int
phys_verify(const struct phys *phys, finding_fn found, void *user)
{
	struct phys_audit a = {
		.audit = {.laws = phys_laws,
			  .most = FINDINGS_MOST,
			  .found = found,
			  .user = user},
		.phys = phys,
	};

	for (unsigned int i = 0; i < phys->nr_zones; i++)
		audit_zone(&a, phys->zones[i]);
	audit_highatomic(&a);
	return a.audit.nr;
}
