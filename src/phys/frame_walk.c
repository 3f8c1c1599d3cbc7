// SPDX-License-Identifier: MIT
/*
 * frame_walk.c - stepping through what is in use, past what nobody touched
 *
 * How it works: only frames that were given to the buddy can be allocated, so
 * the walk goes from one managed extent to the next, in the order of pfns over
 * all zones, and inside one from block to block; runs of untouched blocks are
 * passed over whole.
 */
#include "kmemfs/phys/frame_walk.h"

#include "buddy_impl.h"

/* The first extent of @zone that ends after @pfn. */
static const struct extent *
extent_after(const struct zone *zone, pfn_t pfn)
{
	size_t low = 0, high;

	if (!zone->runs)
		return NULL;
	high = zone->runs->nr_managed;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (zone->runs->managed[middle].end > pfn)
			high = middle;
		else
			low = middle + 1;
	}
	return low < zone->runs->nr_managed ? &zone->runs->managed[low] : NULL;
}

/* The lowest extent of all zones that ends after @pfn. */
static const struct extent *
lowest_extent(const struct phys *phys, pfn_t pfn, const struct zone **in)
{
	const struct extent *lowest = NULL;

	for (unsigned int i = 0; i < phys->nr_zones; i++) {
		const struct extent *e;

		if (!zone_populated(phys->zones[i]))
			continue;
		e = extent_after(phys->zones[i], pfn);
		if (e && (!lowest || e->start < lowest->start)) {
			lowest = e;
			*in = phys->zones[i];
		}
	}
	return lowest;
}

/* The first allocated block of @zone that starts in @at..@end. */
static pfn_t
walk_extent(const struct zone *zone, pfn_t at, pfn_t end)
{
	pfn_t from = at;

	while (at < end) {
		const struct run *run = runs_find(zone, at);
		enum migratetype type;
		unsigned int order;
		pfn_t head;

		if (run) {
			at = run->start + run->nr * MAX_BLOCK_PAGES;
			continue;
		}
		switch (frame_block(zone->phys, at, &head, &order, &type)) {
		case FRAME_NONE:
			at++;
			break;
		case FRAME_ALLOCATED:
			if (head >= from)
				return head;
			/* fall through */
		default:
			at = head + (1ULL << order);
		}
	}
	return PFN_NONE;
}

pfn_t
frame_next_allocated(const struct phys *phys, pfn_t from)
{
	const struct extent *e;
	const struct zone *zone = NULL;

	while ((e = lowest_extent(phys, from, &zone))) {
		pfn_t found = walk_extent(zone, MAX_OF(from, e->start), e->end);

		if (found != PFN_NONE)
			return found;
		from = e->end;
	}
	return PFN_NONE;
}
