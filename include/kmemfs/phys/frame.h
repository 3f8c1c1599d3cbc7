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
					     id, or frame_owner(); 0 =
					     nobody of ours */
			int32_t mapcount; /* allocated: entries that map it */
		};
	};
	union {
		int32_t refs;  /* users; 0 while free */
		int32_t place; /* on a pcp list: which, see pcp_place() */
	};
	uint8_t order : 4; /* of the block */
	uint8_t state : 4; /* enum frame_state */
	uint8_t type : 4;  /* migratetype: of the list it is on; carried by
			      an allocated or pcp page */
	uint8_t flags : 4; /* enum frame_flags */
	uint16_t zone;	   /* struct zone's id, while state is not NONE */
};

_Static_assert(sizeof(struct frame) == 16, "four frames a cache line");

/* Its users: none while it is free or on a pcp list. */
static inline uint32_t
frame_refs(const struct frame *f)
{
	return f->state == FRAME_ALLOCATED ? (uint32_t)f->refs : 0;
}

#define HEAD_ORDER 15
#define HEAD_STATE_SHIFT 4
#define HEAD_SHARED (1 << 6)

/*
 * What others ask of a frame, in a byte: 0, or of a block's first frame its
 * state and order, and whether it has other than one reference.  struct phys
 * keeps these apart as well: 64 in a cache line, so that looking for a buddy,
 * or giving back a block, does not wait for the frame.
 */
static inline uint8_t
frame_head(const struct frame *f)
{
	bool shared = f->state == FRAME_ALLOCATED && f->refs != 1;

	return f->state == FRAME_NONE
		       ? 0
		       : (uint8_t)(f->state << HEAD_STATE_SHIFT | f->order |
				   (shared ? HEAD_SHARED : 0));
}

/* An owner that is a part of the modelled kernel, not an op's allocation. */
enum frame_owner_kind {
	OWNER_SLAB,
	OWNER_MEMPOOL,
	OWNER_PERCPU,
	OWNER_PGTABLE, /* a page table; number: id of its address space */
	OWNER_ANON,    /* anonymous memory; number: id of its anon_vma */
	OWNER_OBJECT,  /* page of a file or of shared memory; its id */
	OWNER_STACK,   /* a kernel stack; number: its task's pid */
	OWNER_VMALLOC, /* page of a vmalloc area; number: the area's id */
};
#define OWNER_KERNEL (1U << 31)
#define OWNER_KIND_SHIFT 28
#define OWNER_NUMBER_MAX ((1U << OWNER_KIND_SHIFT) - 1)

/* @number: which of that kind, from 0. */
static inline uint32_t
frame_owner(enum frame_owner_kind kind, uint32_t number)
{
	return OWNER_KERNEL | (uint32_t)kind << OWNER_KIND_SHIFT | number;
}

/* Whether @owner is of @kind; its number. */
static inline bool
frame_owned_by(uint32_t owner, enum frame_owner_kind kind, uint32_t *number)
{
	*number = owner & OWNER_NUMBER_MAX;
	return owner >> OWNER_KIND_SHIFT == (8U | (uint32_t)kind);
}

#endif
