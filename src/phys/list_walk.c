// SPDX-License-Identifier: MIT
/*
 * list_walk.c - stepping through a free list in strides
 *
 * How it works: an element that stands for a run of untouched blocks (runs.c)
 * is given whole, so that a list of millions of blocks costs one step.
 */
#include "kmemfs/phys/list_walk.h"

#include "buddy_impl.h"

pfn_t
buddy_list_stride(const struct zone *zone, unsigned int order,
		  enum migratetype type, struct list_cursor *cursor,
		  uint64_t *nr)
{
	pfn_t pfn;

	if (cursor->done)
		return PFN_NONE;
	cursor->at = cursor->at ? link_frame(zone, cursor->at)->next
				: zone->free_area[order].list[type].head;
	if (!cursor->at) {
		cursor->done = true;
		return PFN_NONE;
	}
	pfn = link_pfn(zone, cursor->at);
	*nr = link_frame(zone, cursor->at)->flags & FRAME_RUN
		      ? runs_find(zone, pfn)->nr
		      : 1;
	return pfn;
}
