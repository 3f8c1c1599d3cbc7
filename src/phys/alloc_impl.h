// SPDX-License-Identifier: MIT
/*
 * alloc_impl.h - what a search for pages knows, and its steps
 */
#ifndef KMEMFS_PHYS_ALLOC_IMPL_H
#define KMEMFS_PHYS_ALLOC_IMPL_H

#include "buddy_impl.h"
#include "kmemfs/phys/pages.h"

/* mm/internal.h; the names of 6.1.192. */
enum alloc_flags {
	ALLOC_WMARK_MASK = 0x03,    /* which watermark: enum wmark */
	ALLOC_NO_WATERMARKS = 0x04, /* all reserves */
	ALLOC_OOM = 0x08,	    /* an OOM victim */
	ALLOC_NON_BLOCK = 0x10,	    /* cannot block */
	ALLOC_MIN_RESERVE = 0x20,   /* == __GFP_HIGH */
	ALLOC_CPUSET = 0x40,
	ALLOC_CMA = 0x80,	  /* may use CMA areas */
	ALLOC_NOFRAGMENT = 0x100, /* do not mix pageblock types */
	ALLOC_HIGHATOMIC = 0x200, /* may use the HighAtomic reserve */
	ALLOC_KSWAPD = 0x800,	  /* == __GFP_KSWAPD_RECLAIM */
	ALLOC_RESERVES = ALLOC_NON_BLOCK | ALLOC_MIN_RESERVE |
			 ALLOC_HIGHATOMIC | ALLOC_OOM,
};

/* One request on its way: struct alloc_context of the kernel, and more. */
struct search {
	struct phys *phys;
	const struct zonelist *zonelist;
	unsigned int first;	/* in zonelist: the preferred zone */
	struct zone *preferred; /* NULL: no zone may serve it */
	enum zone_type highest; /* zone of the request */
	enum migratetype type;
	unsigned int order;
	unsigned int cpu;
	unsigned int cpu_nid; /* numa_node_id() */
	gfp_t gfp;
	struct out *why; /* NULL: nobody asks */
};

/* gfp_migratetype(), for hot paths: never both bits. */
static inline enum migratetype
request_type(gfp_t gfp)
{
	unsigned int type = (gfp & (__GFP_MOVABLE | __GFP_RECLAIMABLE)) >> 3;

	return type == 3 ? MIGRATE_UNMOVABLE : (enum migratetype)type;
}

/* --- suitable.c: may this zone serve? ------------------------------------ */

/* Pages that do not count for this request: unusable_free. */
int64_t zone_unusable(const struct zone *zone, unsigned int order,
		      unsigned int flags);
/* The mark that the reserves leave of @mark. */
int64_t zone_reserve_mark(int64_t mark, unsigned int flags);
/* __zone_watermark_ok() for the zone's free pages. */
bool zone_watermark_ok(const struct zone *zone, unsigned int order,
		       uint64_t mark, enum zone_type highest,
		       unsigned int flags);
/* Whether zone_suitable_order() finds one. */
static inline bool
zone_has_suitable(const struct zone *zone, unsigned int order,
		  unsigned int flags)
{
	unsigned int orders = zone->free_orders[MIGRATE_UNMOVABLE] |
			      zone->free_orders[MIGRATE_MOVABLE] |
			      zone->free_orders[MIGRATE_RECLAIMABLE];

	if (flags & ALLOC_CMA)
		orders |= zone->free_orders[MIGRATE_CMA];
	if (flags & (ALLOC_HIGHATOMIC | ALLOC_OOM))
		orders |= zone->free_orders[MIGRATE_HIGHATOMIC];
	return orders >> order;
}

/* Ditto, and for atomic single pages without the boost: the slow end of
 * zone_watermark_fast(). */
bool zone_watermark_slow(const struct zone *zone, const struct search *s,
			 uint64_t mark, unsigned int flags);
/* The smallest order >= @order with a block this request may take; its type.
 * MAX_ORDER: none. */
unsigned int zone_suitable_order(const struct zone *zone, unsigned int order,
				 unsigned int flags, enum migratetype *type);
unsigned int alloc_flags_fast(const struct search *s);
unsigned int alloc_flags_slow(const struct search *s);
/* What a task with PF_MEMALLOC, or __GFP_MEMALLOC, may ignore. */
unsigned int alloc_flags_reserve(const struct page_request *request);
unsigned int alloc_flags_cma(const struct search *s, unsigned int flags);

/* --- rmqueue.c: a block of this zone ------------------------------------- */

pfn_t rmqueue(const struct search *s, struct zone *zone, unsigned int flags);
/* From the CPU's list, refilled when empty; counts nothing: for
 * __alloc_pages_bulk too. */
pfn_t rmqueue_pcplist(const struct search *s, struct zone *zone,
		      struct per_cpu_pages *pcp, unsigned int flags);
/* pgalloc and numa_* of @nr blocks that @zone gave. */
void rmqueue_count(const struct search *s, struct zone *zone, uint64_t nr);

/* Take the first block off the CPU's list @index, which is not empty. */
static inline pfn_t
pcp_pop(struct zone *zone, struct per_cpu_pages *pcp, unsigned int index,
	unsigned int order)
{
	struct block_list *list = &pcp->list[index];
	pfn_t pfn = link_pfn(zone, list->head);

	list->head = zone->phys->frames[pfn].next;
	if (list->head)
		link_frame(zone, list->head)->prev = 0;
	else
		list->tail = 0;
	pcp->length[index]--;
	pcp->count -= 1U << order;
	return pfn;
}

/* Make the block in hand an allocation: prep_new_page(). */
static inline void
prep_new_page(struct phys *phys, pfn_t pfn, unsigned int order, gfp_t gfp,
	      enum migratetype type)
{
	struct frame *f = &phys->frames[pfn];
	uint8_t flags = 0;

	if (order && (gfp & __GFP_COMP))
		flags |= FRAME_COMPOUND;
	if (gfp & __GFP_ZERO)
		flags |= FRAME_ZEROED;
	if (f->type == MIGRATE_HIGHATOMIC)
		flags |= FRAME_HIGHATOMIC;
	phys->heads[pfn] = head_byte(FRAME_ALLOCATED, order);
	f->owner = 0;
	f->mapcount = 0;
	f->refs = 1;
	f->order = order & 15;
	f->state = FRAME_ALLOCATED;
	f->type = type & 15;
	f->flags = flags & 15;
}

/* --- fallback.c: blocks of other types ----------------------------------- */

/* Put a block of another type on the lists of @type: __rmqueue_fallback. */
bool rmqueue_fallback(struct zone *zone, unsigned int order,
		      enum migratetype type, unsigned int flags,
		      struct out *why);
/* The order to take a block of, or MAX_ORDER; @from: its type. */
unsigned int fallback_order(const struct zone *zone, unsigned int order,
			    enum migratetype type, unsigned int flags,
			    enum migratetype *from);
/* Whether a block of @order lets a request of @type have its pageblock. */
bool can_steal(const struct phys *phys, unsigned int order,
	       enum migratetype type);
/* Move the free blocks of @pfn's pageblock to the lists of @type, ascending;
 * returns pages moved and, in @movable unless NULL, allocated movable ones. */
uint64_t move_freepages_block(struct zone *zone, pfn_t pfn,
			      enum migratetype type, uint64_t *movable);
void highatomic_reserve(struct zone *zone, pfn_t pfn, struct out *why);
/* @force: also the last one of a zone.  True when one was given back. */
bool highatomic_unreserve(const struct search *s, bool force);

#endif
