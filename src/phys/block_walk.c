// SPDX-License-Identifier: MIT
/* block_walk.c - stepping over managed memory, block by block */
#include "kmemfs/phys/block_walk.h"

#include "buddy_impl.h"

struct block_span
block_span_at(const struct zone *zone, pfn_t pfn)
{
	const struct frame *f = &zone->phys->frames[pfn];
	struct block_span span = {.start = pfn, .end = pfn + 1};
	const struct run *run = NULL;

	/* The frame after a block's last one is the next block's first, or
	 * lies in a run, or is nobody's. */
	if (f->state == FRAME_NONE ||
	    (f->state == FRAME_FREE && f->flags & FRAME_RUN))
		run = runs_find(zone, pfn);
	if (run) {
		span.start = run->start;
		span.end = run->start + run->nr * MAX_BLOCK_PAGES;
		span.state = FRAME_FREE;
		span.order = MAX_BLOCK_ORDER;
		span.type = zone->phys->frames[run->start].type;
		return span;
	}
	span.state = frame_block(zone->phys, pfn, &span.start, &span.order,
				 &span.type);
	if (span.state == FRAME_NONE) {
		span.start = pfn;
		span.order = 0;
		span.type = MIGRATE_MOVABLE;
		return span;
	}
	span.end = span.start + (1ULL << span.order);
	return span;
}
