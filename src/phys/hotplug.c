// SPDX-License-Identifier: MIT
/*
 * hotplug.c - memory that goes offline and comes back
 *
 * What it models: online_pages, offline_pages, zone_for_pfn_range,
 *                 resize_zone_range, shrink_zone_span, update_pgdat_span of
 *                 mm/memory_hotplug.c.
 * How it works:   offline takes the range from the buddy, from the spans and
 *                 from the zone's counts; the zone's span shrinks only at its
 *                 ends.  Online does the opposite, into the zone that the way
 *                 of onlining chooses.  Both compute watermarks, reserves and
 *                 per-cpu sizes anew; zonelists only when a zone got its first
 *                 pages or lost its last.
 * Differs from the kernel: nothing is migrated away: a range with a page in
 *                 use stays online (EBUSY).
 */
#include "boot_impl.h"

#include "kmemfs/phys/memory_block.h"
#include "kmemfs/phys/pages.h"

#include <errno.h>

/* The node of the memory that [@start, +@nr) is part of; -1: no memory. */
static int
hotplug_node(const struct phys *phys, pfn_t start, uint64_t nr)
{
	const struct memblock *mb = &phys->memblock;

	for (guint i = 0; i < mb->memory->len; i++) {
		const struct range *r =
			&g_array_index(mb->memory, struct range, i);

		if (start >= r->start >> phys->page_shift &&
		    start + nr <= r->end >> phys->page_shift)
			return g_array_index(mb->memory_node, int, i);
	}
	return -1;
}

static bool
zone_intersects(const struct zone *zone, pfn_t start, uint64_t nr)
{
	return zone->spanned_pages && start < zone_end_pfn(zone) &&
	       start + nr > zone->start_pfn;
}

struct zone *
hotplug_zone(const struct phys *phys, pfn_t start, uint64_t nr_pages,
	     enum online_type how)
{
	int nid = hotplug_node(phys, start, nr_pages);
	struct zone *zones, *kernel, *movable;
	bool in_kernel, in_movable;

	if (nid < 0)
		return NULL;
	zones = phys->nodes[nid]->zones;
	kernel = &zones[ZONE_NORMAL];
	movable = &zones[ZONE_MOVABLE];
	for (unsigned int type = 0; type < ZONE_NORMAL; type++) {
		if (zone_intersects(&zones[type], start, nr_pages)) {
			kernel = &zones[type];
			break;
		}
	}
	in_kernel = zone_intersects(kernel, start, nr_pages);
	in_movable = zone_intersects(movable, start, nr_pages);
	if (how == ONLINE_MOVABLE)
		return movable;
	if (how == ONLINE_KERNEL)
		return kernel;
	/* The one that has the memory around; else what the policy says. */
	if (in_kernel != in_movable)
		return in_movable ? movable : kernel;
	return phys->cmdline->movable_node ? movable : kernel;
}

static gint
compare_spans(gconstpointer a, gconstpointer b)
{
	const struct pfn_span *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Take [@start, @end) out of a list of spans. */
static void
spans_remove(GArray *spans, pfn_t start, pfn_t end)
{
	for (guint i = spans->len; i-- > 0;) {
		struct pfn_span *s = &g_array_index(spans, struct pfn_span, i);
		struct pfn_span rest = {end, s->end, s->zone};
		bool right = s->end > end;

		if (s->start >= end || s->end <= start)
			continue;
		s->end = MIN_OF(s->end, start);
		if (s->start >= s->end)
			g_array_remove_index(spans, i);
		if (right)
			g_array_append_val(spans, rest);
	}
	g_array_sort(spans, compare_spans);
}

static void
spans_add(GArray *spans, pfn_t start, pfn_t end, uint16_t zone)
{
	struct pfn_span span = {start, end, zone};

	g_array_append_val(spans, span);
	g_array_sort(spans, compare_spans);
}

/* The node spans from its first zone's start to its last one's end. */
static void
node_update_span(struct node *node)
{
	pfn_t start = PFN_NONE, end = 0;

	for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
		const struct zone *zone = &node->zones[type];

		if (!zone->spanned_pages)
			continue;
		start = MIN_OF(start, zone->start_pfn);
		end = MAX_OF(end, zone_end_pfn(zone));
	}
	node->start_pfn = end ? start : 0;
	node->spanned_pages = end ? end - start : 0;
}

/* Draw the zone's ends in to what it still has. */
static void
zone_shrink_span(struct zone *zone, pfn_t start, pfn_t end)
{
	const struct phys *phys = zone->phys;
	pfn_t low = PFN_NONE, high = 0;

	for (guint i = 0; i < phys->spans->len; i++) {
		const struct pfn_span *s =
			&g_array_index(phys->spans, struct pfn_span, i);

		if (s->zone != zone->id)
			continue;
		low = MIN_OF(low, s->start);
		high = MAX_OF(high, s->end);
	}
	if (!high) {
		zone->start_pfn = 0;
		zone->spanned_pages = 0;
	} else if (zone->start_pfn == start) {
		zone->spanned_pages = zone_end_pfn(zone) - low;
		zone->start_pfn = low;
	} else if (zone_end_pfn(zone) == end) {
		zone->spanned_pages = high - zone->start_pfn;
	}
	node_update_span(zone->node);
}

static void
zone_grow_span(struct zone *zone, pfn_t start, pfn_t end)
{
	if (zone->spanned_pages) {
		end = MAX_OF(end, zone_end_pfn(zone));
		start = MIN_OF(start, zone->start_pfn);
	}
	zone->start_pfn = start;
	zone->spanned_pages = end - start;
	node_update_span(zone->node);
}

static void
hotplug_rebuild_zonelists(struct phys *phys)
{
	phys->vm_total_pages = phys_pages_above_high(phys, ZONE_MOVABLE);
	phys_build_all_zonelists(phys, true);
}

/* Whether all of the range is online memory of one zone. */
static struct zone *
hotplug_one_zone(const struct phys *phys, pfn_t start, uint64_t nr_pages)
{
	struct zone *zone = NULL;
	uint64_t found = 0;

	for (guint i = 0; i < phys->spans->len; i++) {
		const struct pfn_span *s =
			&g_array_index(phys->spans, struct pfn_span, i);
		pfn_t from = MAX_OF(s->start, start);
		pfn_t to = MIN_OF(s->end, start + nr_pages);

		if (from >= to)
			continue;
		if (zone && zone != phys->zones[s->zone])
			return NULL;
		zone = phys->zones[s->zone];
		found += to - from;
	}
	return found == nr_pages ? zone : NULL;
}

int
hotplug_offline(struct phys *phys, pfn_t start, uint64_t nr_pages)
{
	struct zone *zone = hotplug_one_zone(phys, start, nr_pages);

	if (!nr_pages || !zone)
		return -EINVAL;
	pages_drain(phys, zone, -1);
	if (!buddy_take_range(zone, start, start + nr_pages))
		return -EBUSY;
	zone->present_pages -= nr_pages;
	zone->node->present_pages -= nr_pages;
	phys_init_wmark_min(phys);
	if (!zone_populated(zone))
		hotplug_rebuild_zonelists(phys);
	spans_remove(phys->spans, start, start + nr_pages);
	spans_remove(phys->managed, start, start + nr_pages);
	zone_shrink_span(zone, start, start + nr_pages);
	phys_index_spans(phys);
	return 0;
}

int
hotplug_online(struct phys *phys, pfn_t start, uint64_t nr_pages,
	       enum online_type how)
{
	struct zone *zone = hotplug_zone(phys, start, nr_pages, how);
	uint64_t block = 1ULL << phys->pageblock_order;
	bool first;

	if (!nr_pages || !zone || start + nr_pages > phys->frames_len)
		return -EINVAL;
	for (pfn_t at = start; at < start + nr_pages; at += block) {
		if (phys_present(phys, at))
			return -EINVAL;
	}
	first = !zone_populated(zone);
	zone_grow_span(zone, start, start + nr_pages);
	spans_add(phys->spans, start, start + nr_pages, zone->id);
	phys_index_spans(phys);
	zone_make_pcp(zone);
	for (pfn_t at = start; at < start + nr_pages; at += block)
		pageblock_set_type(phys, at, MIGRATE_MOVABLE);
	phys_manage(phys, zone, start, start + nr_pages, false);
	zone->present_pages += nr_pages;
	zone->node->present_pages += nr_pages;
	if (first)
		hotplug_rebuild_zonelists(phys);
	phys_init_wmark_min(phys);
	return 0;
}

void
boot_hotplug(struct phys *phys)
{
	static const enum online_type how[] = {
		[MEMHP_ONLINE] = ONLINE_AUTO,
		[MEMHP_ONLINE_KERNEL] = ONLINE_KERNEL,
		[MEMHP_ONLINE_MOVABLE] = ONLINE_MOVABLE,
	};
	const GArray *plugged = phys->config->hotplugged;
	uint64_t block = memory_block_pages(phys);

	for (guint i = 0; plugged && block && i < plugged->len; i++) {
		const struct range *r =
			&g_array_index(plugged, struct range, i);
		pfn_t end = r->end >> phys->page_shift;

		for (pfn_t at =
			     round_up_to(r->start >> phys->page_shift, block);
		     phys->cmdline->memhp != MEMHP_OFFLINE && at + block <= end;
		     at += block)
			hotplug_online(phys, at, block,
				       how[phys->cmdline->memhp]);
	}
}
