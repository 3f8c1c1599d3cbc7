// SPDX-License-Identifier: MIT
/*
 * block_walk.h - stepping over managed memory, block by block
 */
#ifndef KMEMFS_PHYS_BLOCK_WALK_H
#define KMEMFS_PHYS_BLOCK_WALK_H

#include "kmemfs/phys/phys.h"

/* Neighbouring frames that are of one block, or of a run of free blocks that
 * nobody touched. */
struct block_span {
	pfn_t start;
	pfn_t end; /* exclusive */
	enum frame_state state;
	unsigned int order; /* of the block, or of each block of the run */
	enum migratetype type;
};

/*
 * What covers @pfn, which @zone was given.  Costs the same for a run of any
 * length; is quickest for the first frame of a block.  A frame of no block is
 * a span of its own, of state NONE and order 0.
 */
struct block_span block_span_at(const struct zone *zone, pfn_t pfn);

#endif
