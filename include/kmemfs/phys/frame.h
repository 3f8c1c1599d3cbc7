// SPDX-License-Identifier: MIT
/*
 * frame.h - one record a page frame, and the block it belongs to
 *
 * 16 bytes a frame, four in a cache line, in one sparse array indexed by pfn:
 * memory that nobody touched costs nothing, since the array is reserved and
 * not filled.  All-zero therefore is a meaning: "not the first frame of any
 * live block".  A block (free, on a per-cpu list, allocated) is described by
 * its first frame only, as PageBuddy marks only the head; frame_block() finds
 * the block that covers a pfn by looking at the 11 possible first frames.
 *
 * Links are 32-bit indices relative to the zone's first pfn, plus one, so that
 * 0 ends a list; a zone spans less than 2^32 - 1 frames (16 TiB of 4 KiB).
 */
#ifndef KMEMFS_PHYS_FRAME_H
#define KMEMFS_PHYS_FRAME_H

#include "kmemfs/base/types.h"

enum frame_state {
	FRAME_NONE,	 /* inside a block, in a free run, reserved, absent */
	FRAME_FREE,	 /* first frame of a block on a buddy list */
	FRAME_PCP,	 /* first frame of a block on a per-cpu list */
	FRAME_ALLOCATED, /* first frame of an allocated block */
	NR_FRAME_STATES
};

enum frame_flags {
	FRAME_RUN = 1 << 0,	   /* free: starts a run of untouched blocks */
	FRAME_COMPOUND = 1 << 1,   /* allocated with __GFP_COMP */
	FRAME_ZEROED = 1 << 2,	   /* allocated with __GFP_ZERO */
	FRAME_HIGHATOMIC = 1 << 3, /* taken from the HighAtomic reserve */
	FRAME_TAKEN = FRAME_RUN	   /* allocated: left the buddy, as recorded;
				      its mm_page_alloc is still to come */
};

struct frame {
	union {
		struct {
			uint32_t next; /* free, pcp: link, see above */
			uint32_t prev;
		};
		struct {
			uint32_t owner;	  /* allocated: struct allocation's
					     id, 0 = nobody of ours */
			int32_t mapcount; /* allocated: entries that map it */
		};
	};
	int32_t refs;	   /* users; 0 while free or on a pcp list */
	uint8_t order : 4; /* of the block */
	uint8_t state : 4; /* enum frame_state */
	uint8_t type : 4;  /* migratetype: of the list it is on; carried by
			      an allocated or pcp page */
	uint8_t flags : 4; /* enum frame_flags */
	uint16_t zone;	   /* struct zone's id, while state is not NONE */
};

_Static_assert(sizeof(struct frame) == 16, "four frames a cache line");

#endif
