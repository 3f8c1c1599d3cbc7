// SPDX-License-Identifier: MIT
/*
 * foresight.h - what the page allocator would do next, asked before it does it
 *
 * For a mirrored recording: the model says which block it would take or give
 * back, and then does what was recorded.  Functions called foresee_* change
 * nothing unless they say so; those called resync_* make the model agree with
 * what a recording has proved.
 */
#ifndef KMEMFS_PHYS_FORESIGHT_H
#define KMEMFS_PHYS_FORESIGHT_H

#include "kmemfs/phys/pages.h"

/* Whether blocks of @order may stay on per-cpu lists: pcp_allowed_order. */
bool foresee_pcp_order(const struct phys *phys, unsigned int order);
/* The block that __rmqueue_smallest would take, *@at its order (may be NULL);
 * PFN_NONE: the lists of @type have none. */
pfn_t foresee_buddy(const struct zone *zone, unsigned int order,
		    enum migratetype type, unsigned int *at);
/* The block that a pcp allocation of @cpu would take; PFN_NONE: it would refill
 * the list first. */
pfn_t foresee_pcp(const struct zone *zone, unsigned int cpu, unsigned int order,
		  enum migratetype type);
/* Whether the block at @pfn is on that list. */
bool foresee_on_pcp(const struct zone *zone, unsigned int cpu,
		    unsigned int order, enum migratetype type, pfn_t pfn);
/* How many blocks stand before @pfn, which is on a per-cpu list of @zone. */
uint64_t foresee_pcp_depth(const struct zone *zone, pfn_t pfn);
/* How many blocks in a row, from the head of the list on and before @stop, at
 * most @most, have their bit in @bits (by pfn) set; *@last is the last one. */
uint64_t foresee_pcp_run(const struct zone *zone, unsigned int cpu,
			 unsigned int order, enum migratetype type,
			 const uint8_t *bits, pfn_t stop, uint64_t most,
			 pfn_t *last);
/* Whether all of these blocks have. */
bool foresee_pcp_all(const struct zone *zone, unsigned int cpu,
		     unsigned int order, enum migratetype type,
		     const uint8_t *bits, pfn_t stop, uint64_t most);
/* Which of a CPU's lists has such blocks: for pcp_list_next(). */
unsigned int foresee_pcp_list(unsigned int order, enum migratetype type);
/* How many blocks that list has. */
uint64_t foresee_pcp_length(const struct zone *zone, unsigned int cpu,
			    unsigned int order, enum migratetype type);

/* What __rmqueue_fallback would do. */
struct fallback_step {
	pfn_t pfn;
	unsigned int order;
	enum migratetype from;
	bool ownership; /* its pageblock's type is the wanted one afterwards */
};

/* False: no other type has a block either. */
bool foresee_fallback(const struct zone *zone, unsigned int order,
		      enum migratetype type, struct fallback_step *step);

/* The drain of a per-cpu list that a free has set off. */
struct drain_step {
	struct zone *zone; /* NULL: none is going on */
	unsigned int cpu;
	unsigned int index; /* the list in hand */
	uint32_t left;	    /* pages still to be given back */
};

/*
 * What follows after a block of @order at @pfn was pushed on @cpu's list; the
 * list is taken to hold @hidden pages more than the model knows of.  @sure: a
 * drain has begun, only its length is asked for.  Moves free_factor.
 */
void foresee_drain(struct zone *zone, unsigned int cpu, pfn_t pfn,
		   unsigned int order, int64_t hidden, bool sure,
		   struct drain_step *drain);
/*
 * What follows when @pfn is the first block of a drain that no free set off:
 * @cpu's `batch` pages of a zone of another node (drain_zone_pages), else all
 * of the list that holds it, whose CPU that may be (drain_pages_zone).
 */
void foresee_drain_all(struct zone *zone, unsigned int cpu, pfn_t pfn,
		       struct drain_step *drain);
/* The block that the drain gives back next, PFN_NONE: none; *@order its order.
 * Moves on to the list that it is on. */
pfn_t foresee_drained(struct drain_step *drain, unsigned int *order);

/* Whether a zone of the node has its high watermark free, so that kswapd has
 * done its work: pgdat_balanced() for single pages. */
bool foresee_balanced(const struct node *node);

/* The pcp numbers that zones have while a kernel boots. */
enum pcp_phase {
	PCP_BOOT,  /* nothing stays on the lists */
	PCP_EARLY, /* for the memory there is; watermarks are still 0 */
	PCP_FINAL
};

/* Give all lists of @zone batch and high of @phase. */
void resync_pcp_phase(struct zone *zone, enum pcp_phase phase);
/* The batch of a phase, as it would be now. */
uint32_t foresee_pcp_batch(const struct zone *zone, enum pcp_phase phase);

/* Make free frames, or a block of them, allocated without an event: the kernel
 * took them silently.  Owner 0.  False when some were not free. */
bool resync_take(struct phys *phys, pfn_t pfn, unsigned int order,
		 enum migratetype type, unsigned int cpu);
/* The block at @pfn goes to the buddy, past the CPU's list that is in use. */
enum mirror_result resync_free(struct phys *phys, pfn_t pfn, unsigned int order,
			       unsigned int cpu);
/* The freed page at @pfn was the excess of alloc_pages_exact, which goes to the
 * buddy's tail and not to a per-cpu list: make_alloc_exact. */
void resync_excess(struct phys *phys, pfn_t pfn);
/* The block at @pfn, on a per-cpu list (else nothing happens), goes to the
 * head, or the tail, of @cpu's list of @type. */
void resync_move(struct phys *phys, pfn_t pfn, enum migratetype type,
		 unsigned int cpu, bool to_tail);
/* The blocks of a per-cpu list from its head to @last go to the tail, in their
 * order. */
void resync_rotate(struct zone *zone, pfn_t last);
/* Ditto for the blocks before @pfn. */
void resync_to_head(struct zone *zone, pfn_t pfn);
/* Take back resync_take(): the block goes to the head, or the tail, of @cpu's
 * list. */
void resync_untake(struct phys *phys, pfn_t pfn, unsigned int order,
		   enum migratetype type, unsigned int cpu, bool to_tail);
/* The free block at @pfn belongs on the lists of @type, at the tail; with
 * @pageblock so does its pageblock. */
void resync_type(struct zone *zone, pfn_t pfn, unsigned int order,
		 enum migratetype type, bool pageblock);

/* What frames were when a recording began. */
enum start_state {
	START_FREE,   /* free; blocks as large as can be, at the lists' tails */
	START_USED,   /* allocated */
	START_ABSENT, /* not given to the page allocator yet */
};

/* Whether an allocation with an owner begins in the range. */
bool phys_range_is_owned(const struct phys *phys, pfn_t first, pfn_t end);
/*
 * Make the frames from @first to @end, all that are RAM, what they were.  They
 * are taken out of any lists first.  False, and nothing is done, when one is
 * an allocation with an owner.
 */
bool resync_start(struct phys *phys, pfn_t first, pfn_t end,
		  enum start_state state, enum migratetype type);
/* Set the type of all pageblocks that begin in the range. */
void resync_pageblocks(struct phys *phys, pfn_t first, pfn_t end,
		       enum migratetype type);
/* Late initialisation gives these frames to their zone: deferred_free_range.
 */
enum mirror_result resync_late(struct phys *phys, pfn_t pfn,
			       unsigned int order);

#endif
