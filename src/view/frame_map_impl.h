// SPDX-License-Identifier: MIT
/* frame_map_impl.h - what the frames of a range are, counted in equal shares */
#ifndef KMEMFS_VIEW_FRAME_MAP_IMPL_H
#define KMEMFS_VIEW_FRAME_MAP_IMPL_H

#include "kmemfs/phys/phys.h"

/* What a frame can be, in the order in which cells are filled from below. */
enum frame_class {
	FRAMES_RESERVED, /* by firmware or boot code: never the allocator's */
	FRAMES_UNMOVABLE,
	FRAMES_SLAB,
	FRAMES_TABLES, /* page tables and kernel stacks */
	FRAMES_RECLAIMABLE,
	FRAMES_MOVABLE,
	FRAMES_TASKS, /* what tasks have, and pages of files */
	FRAMES_PCP,
	FRAMES_ISOLATED,
	FRAMES_FREE,
	FRAMES_OFFLINE,
	FRAMES_HOLE, /* no memory, or not of this zone */
	NR_FRAME_CLASSES
};

struct frame_cell {
	uint64_t nr[NR_FRAME_CLASSES];	 /* frames */
	uint64_t of_type[MIGRATE_TYPES]; /* frames in pageblocks of the type */
};

struct frame_map {
	pfn_t start, end;   /* multiples of a cell */
	unsigned int shift; /* a cell has 2^shift frames */
	uint64_t nr;	    /* cells */
	struct frame_cell *cells;
};

/*
 * Map frames @start..@end of @zone, or, with NULL, what is offline of node
 * @nid's memory there, in at most @most cells.
 */
void frame_map_init(struct frame_map *map, const struct phys *phys,
		    const struct zone *zone, unsigned int nid, pfn_t start,
		    pfn_t end, uint64_t most);
void frame_map_fini(struct frame_map *map);
/* Whole frames @*start..@*end of the @i-th range of memory that the boot found;
 * false when it is not node @nid's. */
bool frames_of_boot(const struct phys *phys, guint i, unsigned int nid,
		    pfn_t *start, pfn_t *end);

#endif
