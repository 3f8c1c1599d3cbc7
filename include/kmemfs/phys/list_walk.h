// SPDX-License-Identifier: MIT
/*
 * list_walk.h - stepping through a free list in strides
 */
#ifndef KMEMFS_PHYS_LIST_WALK_H
#define KMEMFS_PHYS_LIST_WALK_H

#include "kmemfs/phys/phys.h"

/*
 * As buddy_list_next(), but gives as many blocks as the list keeps together:
 * *@nr blocks that follow one another in the list and, ascending, in memory.
 * How many a step gives is the host's matter, not the machine's state: two
 * equal lists may come in different steps.  A cursor serves one of the two
 * functions only.
 */
pfn_t buddy_list_stride(const struct zone *zone, unsigned int order,
			enum migratetype type, struct list_cursor *cursor,
			uint64_t *nr);

#endif
