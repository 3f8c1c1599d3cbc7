// SPDX-License-Identifier: MIT
/*
 * frame_walk.h - stepping through what is in use, past what nobody touched
 */
#ifndef KMEMFS_PHYS_FRAME_WALK_H
#define KMEMFS_PHYS_FRAME_WALK_H

#include "kmemfs/phys/phys.h"

/*
 * The first pfn of the first allocated block that starts at or after @from;
 * PFN_NONE when there is none.  Costs a step for each block that lies between,
 * except for runs of free blocks that nobody has touched: one step for a run.
 */
pfn_t frame_next_allocated(const struct phys *phys, pfn_t from);

#endif
