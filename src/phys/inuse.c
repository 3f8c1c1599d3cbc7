// SPDX-License-Identifier: MIT
/*
 * inuse.c - a machine that has been running: which frames are free, which not
 *
 * What it models: nothing that a kernel does: the state of a real machine, as
 *                 it was captured.
 * How it works:   all that boot code gave to the buddy is taken back; what is
 *                 not said to be free comes again as allocations of nobody,
 *                 in blocks as large as can be; then per-cpu lists get their
 *                 pages; last come the free ranges, in the order given, which
 *                 is that of the lists.  While the allocations are made nothing
 *                 is free that a block of them could merge with.
 * Always true:    managed pages, watermarks and events are those of a boot;
 *                 the laws of verify.c hold.
 */
#include "alloc_impl.h"
#include "boot_impl.h"

#include <inttypes.h>
#include <string.h>

static gint
compare_starts(gconstpointer a, gconstpointer b)
{
	const struct typed_frames *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static void
append(GArray *to, const GArray *ranges)
{
	if (ranges && ranges->len)
		g_array_append_vals(to, ranges->data, ranges->len);
}

GArray *
typed_frames_sorted(const GArray *ranges, const GArray *others)
{
	GArray *sorted = g_array_new(FALSE, FALSE, sizeof(struct typed_frames));

	append(sorted, ranges);
	append(sorted, others);
	g_array_sort(sorted, compare_starts);
	return sorted;
}

static const struct pfn_span *
managed_span(const struct phys *phys, guint i)
{
	return &g_array_index(phys->managed, struct pfn_span, i);
}

/* --- pageblocks --------------------------------------------------------- */

/* The zone that has a pageblock: that of its first frame in any zone. */
static struct zone *
pageblock_zone(const struct phys *phys, pfn_t first)
{
	struct zone *zone = NULL;

	for (pfn_t at = first; !zone && at < first + pageblock_pages(phys);
	     at++)
		zone = phys_zone_of(phys, at);
	return zone;
}

/* Everything Movable, but for what belongs to CMA. */
static void
clear_pageblocks(struct phys *phys)
{
	uint64_t nr = pageblock_pages(phys);
	pfn_t at = 0;

	while ((at = pageblock_next_set(phys, at, phys->max_pfn)) != PFN_NONE) {
		at = round_down_to(at, nr);
		if (type_is_mergeable(block_type(phys, at)))
			pageblock_set_type(phys, at, MIGRATE_MOVABLE);
		at += nr;
	}
}

static bool
set_pageblocks(struct boot *boot, const struct typed_frames *range)
{
	struct phys *phys = boot->phys;
	uint64_t nr = pageblock_pages(phys);

	for (pfn_t at = round_down_to(range->start, nr); at < range->end;
	     at += nr) {
		struct zone *zone =
			at < phys->max_pfn ? pageblock_zone(phys, at) : NULL;

		if (!zone)
			return boot_fail(boot,
					 "[pageblocks]: frame %" PRIu64
					 " is not in any zone",
					 at);
		if (!type_is_mergeable(block_type(phys, at)))
			return boot_fail(
				boot,
				"[pageblocks]: the pageblock at frame "
				"%" PRIu64 " is %s already",
				at, migratetype_name(block_type(phys, at)));
		pageblock_set_type(phys, at, range->type);
		if (range->type == MIGRATE_HIGHATOMIC)
			zone->nr_reserved_highatomic += nr;
	}
	return true;
}

static bool
apply_pageblocks(struct boot *boot, const GArray *ranges)
{
	bool good = true;

	clear_pageblocks(boot->phys);
	for (guint i = 0; good && i < ranges->len; i++)
		good = set_pageblocks(
			boot, &g_array_index(ranges, struct typed_frames, i));
	return good;
}

/* --- what is free ------------------------------------------------------- */

/* CMA pageblocks have CMA lists, others do not. */
static bool
check_type(struct boot *boot, const struct typed_frames *range)
{
	struct phys *phys = boot->phys;
	uint64_t nr = pageblock_pages(phys);

	for (pfn_t at = range->start; at < range->end;
	     at = round_down_to(at, nr) + nr) {
		bool cma = block_type(phys, at) == MIGRATE_CMA;

		if (cma == (range->type == MIGRATE_CMA))
			continue;
		return boot_fail(boot,
				 "[free]: frame %" PRIu64 " is %sin the cma= "
				 "area",
				 at, cma ? "" : "not ");
	}
	return true;
}

/* All of @range of @group is managed, by whichever zones. */
static bool
check_managed(struct boot *boot, const struct typed_frames *range,
	      const char *group)
{
	const struct phys *phys = boot->phys;
	pfn_t at = range->start;

	for (guint i = phys_span_above(phys->managed, at);
	     i < phys->managed->len && at < range->end; i++) {
		const struct pfn_span *s = managed_span(phys, i);

		if (s->start > at)
			break;
		at = s->end;
	}
	if (at < range->end)
		return boot_fail(boot,
				 "[%s]: frame %" PRIu64 " is not memory that "
				 "the page allocator has",
				 group, at);
	return true;
}

/* Take the free block that begins at @at off its list. */
static enum migratetype
pull(struct zone *zone, pfn_t at, unsigned int *order)
{
	enum migratetype type;
	pfn_t head;
	bool is_free = buddy_covering(zone, at, &head, order);

	KM_ASSERT(is_free && head == at);
	type = buddy_del(zone, at, *order);
	zone_mod_free(zone, -((int64_t)1 << *order), type);
	return type;
}

/* Make [@start, @end), which no list has, allocations of nobody. */
static void
take(struct zone *zone, pfn_t start, pfn_t end)
{
	struct phys *phys = zone->phys;
	unsigned int order;

	buddy_hand_over(zone, start, end);
	for (pfn_t at = start; at < end; at += 1ULL << order) {
		enum migratetype type = pull(zone, at, &order);

		frame_set_head(&phys->frames[at], zone, order, FRAME_NONE,
			       type);
		prep_new_page(phys, at, order, 0, type);
	}
}

/* What @span has and no range of @sorted, from *@next on; ranges that end in
 * the span are passed. */
static void
take_rest(struct phys *phys, const struct pfn_span *span, const GArray *sorted,
	  guint *next)
{
	struct zone *zone = phys->zones[span->zone];
	pfn_t at = span->start;

	for (; *next < sorted->len; (*next)++) {
		const struct typed_frames *r =
			&g_array_index(sorted, struct typed_frames, *next);

		if (r->start >= span->end)
			break;
		if (r->start > at)
			take(zone, at, r->start);
		at = MIN_OF(r->end, span->end);
		if (r->end > span->end)
			return;
	}
	if (at < span->end)
		take(zone, at, span->end);
}

/* Give [@start, @end) to the lists of @type. */
static void
give(struct zone *zone, pfn_t start, pfn_t end, enum migratetype type)
{
	struct phys *phys = zone->phys;
	pfn_t head;
	unsigned int order;

	buddy_hand_over(zone, start, end);
	for (pfn_t at = start; at < end; at = head + (1ULL << order)) {
		enum migratetype now = type;

		frame_block(phys, at, &head, &order, &now);
		if (now == type)
			continue;
		buddy_move(zone, head, order, type);
		zone_mod_free(zone, -((int64_t)1 << order), now);
		zone_mod_free(zone, (int64_t)1 << order, type);
	}
}

static void
take_back_all(struct phys *phys)
{
	for (guint i = 0; i < phys->managed->len; i++) {
		const struct pfn_span *s = managed_span(phys, i);
		bool taken = buddy_take_range(phys->zones[s->zone], s->start,
					      s->end);

		KM_ASSERT(taken);
	}
}

/* All is free, each block on the list of its pageblock. */
static void
give_all(struct phys *phys)
{
	for (guint i = 0; i < phys->managed->len; i++) {
		const struct pfn_span *s = managed_span(phys, i);

		buddy_hand_over(phys->zones[s->zone], s->start, s->end);
	}
}

/* Put [@start, @end), which no list has, at the tails of @cpu's lists. */
static void
list_pages(struct zone *zone, pfn_t start, pfn_t end, unsigned int cpu)
{
	struct phys *phys = zone->phys;
	unsigned int order;

	buddy_hand_over(zone, start, end);
	for (pfn_t at = start; at < end; at += 1ULL << order)
		pull(zone, at, &order);
	for (pfn_t at = start; at < end; at++) {
		enum migratetype type = block_type(phys, at);

		pcp_add(zone, &zone->pcp[cpu],
			pcp_index(pcp_list_type(type), 0), at, type, true);
	}
}

/* Put @range where it belongs, zone by zone: on per-cpu lists with @pcp. */
static void
place(struct phys *phys, const struct typed_frames *range, bool pcp)
{
	for (guint i = phys_span_above(phys->managed, range->start);
	     i < phys->managed->len; i++) {
		const struct pfn_span *s = managed_span(phys, i);
		struct zone *zone = phys->zones[s->zone];
		pfn_t start = MAX_OF(s->start, range->start);
		pfn_t end = MIN_OF(s->end, range->end);

		if (start >= end)
			break;
		if (pcp)
			list_pages(zone, start, end, range->cpu);
		else
			give(zone, start, end, range->type);
	}
}

static void
give_free(struct phys *phys, const GArray *ranges, const GArray *pcp)
{
	GArray *sorted = typed_frames_sorted(ranges, pcp);
	guint next = 0;

	for (guint i = 0; i < phys->managed->len; i++) {
		const struct pfn_span *s = managed_span(phys, i);

		buddy_expect(phys->zones[s->zone], s->start, s->end);
		take_rest(phys, s, sorted, &next);
	}
	for (guint i = 0; pcp && i < pcp->len; i++)
		place(phys, &g_array_index(pcp, struct typed_frames, i), true);
	for (guint i = 0; i < ranges->len; i++)
		place(phys, &g_array_index(ranges, struct typed_frames, i),
		      false);
	g_array_free(sorted, TRUE);
}

bool
boot_in_use(struct boot *boot)
{
	struct phys *phys = boot->phys;
	const struct phys_config *config = phys->config;
	const GArray *ranges = config->free_frames;
	const GArray *pcp = config->pcp_frames;
	uint64_t event[NR_VM_EVENTS];

	if (config->pageblocks && !apply_pageblocks(boot, config->pageblocks))
		return false;
	for (guint i = 0; ranges && i < ranges->len; i++) {
		const struct typed_frames *r =
			&g_array_index(ranges, struct typed_frames, i);

		if (!check_managed(boot, r, "free") || !check_type(boot, r))
			return false;
	}
	for (guint i = 0; pcp && i < pcp->len; i++) {
		const struct typed_frames *r =
			&g_array_index(pcp, struct typed_frames, i);

		if (!check_managed(boot, r, "pcp"))
			return false;
	}
	if (!ranges && !config->pageblocks)
		return true;
	memcpy(event, phys->event, sizeof(event));
	take_back_all(phys);
	if (ranges)
		give_free(phys, ranges, pcp);
	else
		give_all(phys);
	memcpy(phys->event, event, sizeof(event));
	return true;
}
