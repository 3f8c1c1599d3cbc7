// SPDX-License-Identifier: MIT
/*
 * buddy.c - free frames in blocks of powers of two
 *
 * What it models: the free areas of mm/page_alloc.c: __free_one_page,
 * __rmqueue_smallest, expand, move_to_free_list.
 *
 * How it works: a free block is described by its first frame alone, which
 * links it into the list of its order and type.  The buddy of the block at pfn
 * of order k is at pfn ^ 2^k; two buddies that are both free become one of
 * order k + 1:
 *
 *     order 2   [ 8       9      10      11 ]
 *     order 1   [ 8       9 ]  [10      11 ]     9 ^ 2 = 11, 8 & 10 = 8
 *     order 0   [ 8 ]  [  9 ]
 *
 * A frame that is not the first one of a block has state NONE, always: what
 * splits or merges blocks keeps it so.  Blocks of the largest order that were
 * handed over and never touched are not described at all; runs.c has them.
 *
 * Always true: see phys_laws in verify.c.
 *
 * Differs from the kernel: no guard pages, no shuffling, no capture of freed
 * pages by compaction.
 */
#include "buddy_impl.h"
#include "why_impl.h"

void
buddy_add(struct zone *zone, pfn_t pfn, unsigned int order,
	  enum migratetype type, bool to_tail)
{
	struct block_list *list = &zone->free_area[order].list[type];
	struct frame *f = &zone->phys->frames[pfn];

	frame_set_head(f, zone, order, FRAME_FREE, type);
	if (to_tail)
		list_add_tail(zone, list, f, link_of(zone, pfn));
	else
		list_add_head(zone, list, f, link_of(zone, pfn));
	area_add(zone, order, type, 1);
}

/* Take a described block that is no run off its list. */
static enum migratetype
buddy_unlink(struct zone *zone, struct frame *f, unsigned int order)
{
	enum migratetype type = f->type;

	list_del(zone, &zone->free_area[order].list[type], f);
	f->state = FRAME_NONE;
	zone->phys->heads[f - zone->phys->frames] = 0;
	area_sub(zone, order, type, 1);
	return type;
}

enum migratetype
buddy_del_in_run(struct zone *zone, pfn_t pfn)
{
	struct run *run = runs_find(zone, pfn);
	enum migratetype type;

	KM_ASSERT(run);
	type = zone->phys->frames[run->start].type;
	runs_take(zone, run, pfn, 1);
	return type;
}

enum migratetype
buddy_del(struct zone *zone, pfn_t pfn, unsigned int order)
{
	struct frame *f = &zone->phys->frames[pfn];

	if (likely(f->state == FRAME_FREE && !(f->flags & FRAME_RUN)))
		return buddy_unlink(zone, f, order);
	KM_ASSERT(order == MAX_BLOCK_ORDER);
	return buddy_del_in_run(zone, pfn);
}

void
buddy_move(struct zone *zone, pfn_t pfn, unsigned int order,
	   enum migratetype type)
{
	buddy_del(zone, pfn, order);
	buddy_add(zone, pfn, order, type, true);
}

/* page_is_buddy(): blocks inside runs are of the largest order, whose buddy
 * nobody asks for. */
static bool
buddy_is_free(const struct zone *zone, pfn_t pfn, unsigned int order)
{
	const struct phys *phys = zone->phys;

	/* What is all of one zone is so beyond the largest block. */
	return pfn < phys->max_pfn &&
	       phys->heads[pfn] == head_byte(FRAME_FREE, order) &&
	       (likely(zone_around(phys, pfn)) ||
		phys->frames[pfn].zone == zone->id);
}

/* buddy_merge_likely(): the pair that @pfn is half of has a free buddy, so
 * keep @pfn from being taken before its other half comes. */
static bool
buddy_merge_likely(const struct zone *zone, pfn_t pfn, unsigned int order)
{
	pfn_t pair = pfn & ~(1ULL << order);

	if (order >= MAX_BLOCK_ORDER - 1)
		return false;
	return buddy_is_free(zone, pair ^ (2ULL << order), order + 1);
}

void
buddy_free(struct zone *zone, pfn_t pfn, unsigned int order,
	   enum migratetype type, bool to_tail)
{
	struct phys *phys = zone->phys;

	frame_set_head(&phys->frames[pfn], zone, 0, FRAME_NONE, 0);
	zone_mod_free(zone, (int64_t)1 << order, type);
	for (; order < MAX_BLOCK_ORDER; order++) {
		pfn_t buddy = pfn ^ (1ULL << order);

		if (!buddy_is_free(zone, buddy, order))
			break;
		if (unlikely(order >= phys->pageblock_order)) {
			enum migratetype other = block_type(phys, buddy);

			if (type != other && (!type_is_mergeable(type) ||
					      !type_is_mergeable(other)))
				break;
		}
		buddy_unlink(zone, &phys->frames[buddy], order);
		pfn &= buddy;
	}
	buddy_add(zone, pfn, order, type,
		  to_tail || buddy_merge_likely(zone, pfn, order));
}

/* expand(): keep the lowest part of the block in hand, of order @low; the rest
 * goes to the heads of the lists of @type. */
static void
buddy_expand(struct zone *zone, pfn_t pfn, unsigned int low, unsigned int high,
	     enum migratetype type)
{
	while (high > low) {
		high--;
		buddy_add(zone, pfn + (1ULL << high), high, type, false);
	}
}

pfn_t
buddy_rmqueue(struct zone *zone, unsigned int order, enum migratetype type,
	      struct out *why)
{
	unsigned int at = smallest_free(zone, order, type);
	struct phys *phys = zone->phys;
	struct frame *f;
	pfn_t pfn;

	if (at == MAX_ORDER)
		return PFN_NONE;
	pfn = link_pfn(zone, zone->free_area[at].list[type].head);
	buddy_del(zone, pfn, at);
	buddy_expand(zone, pfn, order, at, type);
	f = &phys->frames[pfn];
	f->type = type & 15;
	f->zone = zone->id;
	TRACE(phys->trace, MM_PAGE_ALLOC_ZONE_LOCKED, pfn, order, type,
	      pcp_order(phys, order) && type_is_mergeable(type));
	if (unlikely(why))
		why_taken(why, pfn, order, at, type);
	return pfn;
}

bool
buddy_covering(const struct zone *zone, pfn_t pfn, pfn_t *head,
	       unsigned int *order)
{
	const struct frame *f;

	*head = head_covering(zone->phys, pfn);
	if (*head != PFN_NONE) {
		f = &zone->phys->frames[*head];
		*order = f->order;
		return f->state == FRAME_FREE && f->zone == zone->id;
	}
	if (!runs_find(zone, pfn))
		return false;
	*head = round_down_to(pfn, MAX_BLOCK_PAGES);
	*order = MAX_BLOCK_ORDER;
	return true;
}

enum frame_state
frame_block(const struct phys *phys, pfn_t pfn, pfn_t *head,
	    unsigned int *order, enum migratetype *type)
{
	const struct frame *f;
	const struct zone *zone;
	const struct run *run;
	pfn_t at;

	if (pfn >= phys->max_pfn)
		return FRAME_NONE;
	at = head_covering(phys, pfn);
	if (at != PFN_NONE) {
		f = &phys->frames[at];
		*head = at;
		*order = f->order;
		*type = f->type;
		return f->state;
	}
	zone = phys_zone_of(phys, pfn);
	run = zone ? runs_find(zone, pfn) : NULL;
	if (!run)
		return FRAME_NONE;
	*head = round_down_to(pfn, MAX_BLOCK_PAGES);
	*order = MAX_BLOCK_ORDER;
	*type = phys->frames[run->start].type;
	return FRAME_FREE;
}

pfn_t
buddy_list_next(const struct zone *zone, unsigned int order,
		enum migratetype type, struct list_cursor *cursor)
{
	const struct frame *f;
	pfn_t pfn;

	if (cursor->done)
		return PFN_NONE;
	if (!cursor->at)
		cursor->at = zone->free_area[order].list[type].head;
	else if (!cursor->in_run)
		cursor->at = link_frame(zone, cursor->at)->next;
	if (!cursor->at) {
		cursor->done = true;
		return PFN_NONE;
	}
	pfn = link_pfn(zone, cursor->at);
	f = link_frame(zone, cursor->at);
	if (f->flags & FRAME_RUN) {
		const struct run *run = runs_find(zone, pfn);

		pfn += cursor->in_run * MAX_BLOCK_PAGES;
		if (++cursor->in_run == run->nr)
			cursor->in_run = 0;
	}
	return pfn;
}
