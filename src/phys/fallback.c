// SPDX-License-Identifier: MIT
/*
 * fallback.c - taking memory from pageblocks of another type
 *
 * What it models: __rmqueue_fallback, steal_suitable_fallback,
 * boost_watermark, move_freepages, {un,}reserve_highatomic_pageblock.
 *
 * How it works: a type whose lists are empty takes the largest block of
 * another type, so that it can settle there: whole pageblocks change hands, or
 * all free blocks of a pageblock move over, and if at least half of it is free
 * or of a like kind, it gets the new type.  A Movable request that cannot have
 * the whole takes the smallest block instead.
 *
 * Differs from the kernel: whether an allocated page is movable is told by the
 * type of the request that took it, not by its being on an LRU list.
 */
#include "alloc_impl.h"
#include "why_impl.h"

static const enum migratetype fallbacks[MIGRATE_PCPTYPES][2] = {
	[MIGRATE_UNMOVABLE] = {MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE  },
	[MIGRATE_MOVABLE] = {MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE},
	[MIGRATE_RECLAIMABLE] = {MIGRATE_UNMOVABLE,   MIGRATE_MOVABLE  },
};

/* find_suitable_fallback(): the type to take a block of @order from;
 * MIGRATE_TYPES: none. */
static enum migratetype
find_fallback(const struct zone *zone, unsigned int order,
	      enum migratetype type)
{
	const struct free_area *area = &zone->free_area[order];

	if (!area->nr_free_all)
		return MIGRATE_TYPES;
	for (int i = 0; i < 2; i++)
		if (area->nr_free[fallbacks[type][i]])
			return fallbacks[type][i];
	return MIGRATE_TYPES;
}

bool
can_steal(const struct phys *phys, unsigned int order, enum migratetype type)
{
	return order >= phys->pageblock_order / 2 || type != MIGRATE_MOVABLE ||
	       phys->mobility_off;
}

uint64_t
move_freepages_block(struct zone *zone, pfn_t pfn, enum migratetype type,
		     uint64_t *movable)
{
	struct phys *phys = zone->phys;
	uint64_t nr = pageblock_pages(phys), moved = 0;
	pfn_t start = round_down_to(pfn, nr);
	pfn_t end = start + nr;

	if (movable)
		*movable = 0;
	if (!zone_spans(zone, end - 1) || end > phys->max_pfn)
		return 0;
	if (!zone_spans(zone, start))
		start = pfn;
	while (start < end) {
		const struct frame *f = &phys->frames[start];
		unsigned int order = f->order;
		uint64_t pages = 1ULL << order;

		if (f->state == FRAME_NONE || f->zone != zone->id) {
			start++;
			continue;
		}
		if (f->state == FRAME_FREE) {
			buddy_move(zone, start, order, type);
			moved += pages;
		} else if (movable && f->state == FRAME_ALLOCATED &&
			   f->type == MIGRATE_MOVABLE) {
			*movable += MIN_OF(pages, end - start);
		}
		start += pages;
	}
	return moved;
}

/* Let kswapd free more than it would: steals are to become rare. */
static bool
boost_watermark(struct zone *zone)
{
	uint64_t factor = zone->phys->sysctl.watermark_boost_factor;
	uint64_t nr = pageblock_pages(zone->phys), high, most;

	if (!factor || nr * 4 > zone->managed_pages)
		return false;
	high = zone->watermark[WMARK_HIGH];
	most = high / 10000 * factor + high % 10000 * factor / 10000;
	if (!most)
		return false;
	most = MAX_OF(most, nr);
	zone->watermark_boost = MIN_OF(zone->watermark_boost + nr, most);
	return true;
}

static void
change_pageblocks(struct phys *phys, pfn_t pfn, unsigned int order,
		  enum migratetype type)
{
	pfn_t end = pfn + (1ULL << order);

	for (; pfn < end; pfn += pageblock_pages(phys))
		pageblock_set_type(phys, pfn, type);
}

/* Move all of the pageblock and decide who owns it from now on.  False when
 * its free blocks cannot be moved as a whole. */
static bool
steal_pageblock(struct zone *zone, pfn_t pfn, enum migratetype old,
		enum migratetype type, struct out *why)
{
	struct phys *phys = zone->phys;
	uint64_t nr = pageblock_pages(phys);
	uint64_t movable, alike = 0, moved;
	bool retag;

	moved = move_freepages_block(zone, pfn, type, &movable);
	if (type == MIGRATE_MOVABLE)
		alike = movable;
	else if (old == MIGRATE_MOVABLE)
		alike = nr - (moved + movable);
	if (!moved)
		return false;
	retag = moved + alike >= nr / 2 || phys->mobility_off;
	if (retag)
		pageblock_set_type(phys, pfn, type);
	if (unlikely(why))
		why_stolen(why, phys, pfn, type, moved, movable, alike, retag);
	return true;
}

static void
steal_block(struct zone *zone, pfn_t pfn, unsigned int order,
	    enum migratetype type, unsigned int flags, struct out *why)
{
	struct phys *phys = zone->phys;
	enum migratetype old = block_type(phys, pfn);

	if (old == MIGRATE_HIGHATOMIC) {
		if (unlikely(why))
			why_line(why, "its pageblock is HighAtomic: only this "
				      "block moves");
	} else if (order >= phys->pageblock_order) {
		change_pageblocks(phys, pfn, order, type);
		if (unlikely(why))
			why_line(why,
				 "it fills whole pageblocks: they become "
				 "%s",
				 migratetype_name(type));
	} else {
		if (boost_watermark(zone) && (flags & ALLOC_KSWAPD))
			zone->boosted = true;
		if (can_steal(phys, order, type) &&
		    steal_pageblock(zone, pfn, old, type, why))
			return;
		if (unlikely(why))
			why_line(why,
				 "the rest of its pageblock stays with "
				 "%s",
				 migratetype_name(old));
	}
	buddy_move(zone, pfn, order, type);
}

unsigned int
fallback_order(const struct zone *zone, unsigned int order,
	       enum migratetype type, unsigned int flags,
	       enum migratetype *from)
{
	const struct phys *phys = zone->phys;
	unsigned int pageblock = phys->pageblock_order;
	unsigned int least = order, at;

	if (order < pageblock && (flags & ALLOC_NOFRAGMENT))
		least = pageblock;
	for (at = MAX_ORDER; at-- > least;) {
		*from = find_fallback(zone, at, type);
		if (*from == MIGRATE_TYPES)
			continue;
		if (can_steal(phys, at, type) || at <= order)
			return at;
		/* Movable, and not the whole pageblock: the smallest will
		 * do, and leaves the large ones whole. */
		for (at = order; at < MAX_ORDER; at++) {
			*from = find_fallback(zone, at, type);
			if (*from != MIGRATE_TYPES)
				return at;
		}
	}
	return MAX_ORDER;
}

bool
rmqueue_fallback(struct zone *zone, unsigned int order, enum migratetype type,
		 unsigned int flags, struct out *why)
{
	struct phys *phys = zone->phys;
	unsigned int pageblock = phys->pageblock_order;
	enum migratetype from;
	unsigned int at;
	pfn_t pfn;

	if (!type_is_mergeable(type))
		return false;
	at = fallback_order(zone, order, type, flags, &from);
	if (at == MAX_ORDER) {
		if (unlikely(why))
			why_no_fallback(why, order, type, flags);
		return false;
	}
	pfn = link_pfn(zone, zone->free_area[at].list[from].head);
	if (unlikely(why))
		why_steal(why, phys, pfn, at, from, type);
	steal_block(zone, pfn, at, type, flags, why);
	TRACE(phys->trace, MM_PAGE_ALLOC_EXTFRAG, pfn, order, at, pageblock,
	      type, from, at < pageblock, block_type(phys, pfn) == type);
	return true;
}

/* --- the reserve for atomic requests of higher order --------------------- */

void
highatomic_reserve(struct zone *zone, pfn_t pfn, struct out *why)
{
	struct phys *phys = zone->phys;
	uint64_t nr = pageblock_pages(phys);
	uint64_t most = zone->managed_pages / 100 + nr;

	if (zone->nr_reserved_highatomic >= most ||
	    !type_is_mergeable(block_type(phys, pfn)))
		return;
	zone->nr_reserved_highatomic += nr;
	pageblock_set_type(phys, pfn, MIGRATE_HIGHATOMIC);
	move_freepages_block(zone, pfn, MIGRATE_HIGHATOMIC, NULL);
	if (unlikely(why))
		why_line(why,
			 "its pageblock is reserved for atomic requests: "
			 "HighAtomic, %" PRIu64 " of at most %" PRIu64 " pages",
			 zone->nr_reserved_highatomic, most);
}

static bool
zone_unreserve(const struct search *s, struct zone *zone)
{
	struct phys *phys = zone->phys;
	uint64_t nr = pageblock_pages(phys);

	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		uint32_t link;
		pfn_t pfn;

		link = zone->free_area[order].list[MIGRATE_HIGHATOMIC].head;
		if (!link)
			continue;
		pfn = link_pfn(zone, link);
		if (block_type(phys, pfn) == MIGRATE_HIGHATOMIC)
			zone->nr_reserved_highatomic -=
				MIN_OF(nr, zone->nr_reserved_highatomic);
		pageblock_set_type(phys, pfn, s->type);
		if (move_freepages_block(zone, pfn, s->type, NULL)) {
			if (unlikely(s->why))
				why_line(s->why,
					 "the HighAtomic pageblock at "
					 "%" PRIu64 " is given back to %s",
					 pfn, migratetype_name(s->type));
			return true;
		}
	}
	return false;
}

bool
highatomic_unreserve(const struct search *s, bool force)
{
	for (unsigned int i = 0; i < s->zonelist->nr; i++) {
		struct zone *zone = s->zonelist->zones[i];

		if (zone->type > s->highest ||
		    (!force &&
		     zone->nr_reserved_highatomic <= pageblock_pages(s->phys)))
			continue;
		if (zone_unreserve(s, zone))
			return true;
	}
	return false;
}
