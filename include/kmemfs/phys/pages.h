// SPDX-License-Identifier: MIT
/*
 * pages.h - asking for page frames and giving them back
 *
 * Follows mm/page_alloc.c of 6.1.192: __alloc_pages, get_page_from_freelist,
 * rmqueue, __alloc_pages_slowpath, free_unref_page, __free_one_page.
 */
#ifndef KMEMFS_PHYS_PAGES_H
#define KMEMFS_PHYS_PAGES_H

#include "kmemfs/base/out.h"
#include "kmemfs/phys/law.h"
#include "kmemfs/phys/phys.h"

enum alloc_context {
	CONTEXT_PROCESS,
	CONTEXT_ATOMIC,
	CONTEXT_SOFTIRQ,
	CONTEXT_IRQ,
	CONTEXT_SPINLOCK,
	NR_CONTEXTS
};

/* The pointer stands first: behind a flag, writing the fields and reading it
 * back at once would wait for the writes. */
struct page_request {
	struct out *why; /* NULL: nobody asks, costs nothing */
	gfp_t gfp;
	unsigned int order;
	int nid; /* preferred node; NODE_LOCAL: cpu's */
	unsigned int cpu;
	enum alloc_context context;
	bool pf_memalloc; /* task has PF_MEMALLOC */
	uint64_t nodes;	  /* bit per node below 64 that may serve; 0: all may */
};

/* The highest zone of a request: gfp_zone().  MAX_NR_ZONES: a combination of
 * zone bits that means nothing. */
enum zone_type request_zone(const struct arch *arch, gfp_t gfp);

/*
 * Allocate 2^order frames.  On success stores the first pfn; the head frame
 * has state ALLOCATED, one reference, owner 0; emits mm_page_alloc.  Returns
 * 0, -ENOMEM (counted as the kernel counts it, mm_page_alloc with pfn 0),
 * or -EINVAL for an order above 10 or an invalid zone combination.
 * Bytes are not touched: __GFP_ZERO is the caller's business.
 */
int pages_alloc(struct phys *phys, const struct page_request *request,
		pfn_t *pfn);
/* Ditto; when there is no memory, and that was not made so by fault injection,
 * the modelled log gets "page allocation failure", unless __GFP_NOWARN. */
int pages_alloc_warn(struct phys *phys, const struct page_request *request,
		     pfn_t *pfn);

/*
 * Drop one reference of the block at @pfn (state ALLOCATED, order @order); at
 * zero frees it: per-cpu list or buddy, emits mm_page_free.  @cpu does it.
 */
void pages_put(struct phys *phys, pfn_t pfn, unsigned int order,
	       unsigned int cpu);

/* One more reference to the allocated block at @pfn: whoever changes refs of
 * struct frame does it by these. */
void pages_get(struct phys *phys, pfn_t pfn);

/* Cut an allocated block into 2^order single pages, each with one reference
 * (split_page); compound blocks are not to be given. */
void pages_split(struct phys *phys, pfn_t pfn, unsigned int order);
/* The allocated block at @pfn is compound no more (ClearPageCompound). */
void pages_uncompound(struct phys *phys, pfn_t pfn);

/*
 * Allocate up to @nr single pages at one go into @pfns: __alloc_pages_bulk, as
 * vmalloc does; emits no mm_page_alloc.  Returns how many there are, which may
 * be fewer than wanted (at least one unless memory is out), or -errno.
 */
int pages_alloc_bulk(struct phys *phys, const struct page_request *request,
		     unsigned int nr, pfn_t *pfns);

/* Drop one reference of each of @nr single pages; those that reach zero are
 * freed together: free_unref_page_list, emits mm_page_free_batched too. */
void pages_put_list(struct phys *phys, const pfn_t *pfns, unsigned int nr,
		    unsigned int cpu);

/* Give `batch` pages of @cpu's lists of @zone back, as the vmstat worker does
 * for zones of other nodes: drain_zone_pages. */
void pages_drain_batch(struct zone *zone, unsigned int cpu);

/* Give the pages of @cpu's lists (or all CPUs': -1) of @zone (NULL: all) back
 * to the buddy. drain_all_pages, drain_zone_pages. */
void pages_drain(struct phys *phys, struct zone *zone, int cpu);

/* --- mirror: take and give just these frames, as a recording says -------- */

/* What had to be done to make a recorded step possible. */
enum mirror_result {
	MIRROR_OK,	    /* it was where the kernel had it */
	MIRROR_ELSEWHERE,   /* it was free, in another place; taken */
	MIRROR_NOT_FREE,    /* it was allocated: freed first (resync) */
	MIRROR_NOT_MANAGED, /* reserved or absent: given to the zone (resync) */
	MIRROR_IMPOSSIBLE,  /* beyond the machine's memory: nothing done */
};

/*
 * Make the frames @pfn..+2^order an allocated block, wherever they are now
 * (buddy lists, pcp lists, inside larger blocks).  What remains of split
 * blocks goes back to the lists.  @type is what the recording says.
 */
enum mirror_result mirror_take(struct phys *phys, pfn_t pfn, unsigned int order,
			       gfp_t gfp, enum migratetype type,
			       unsigned int cpu);
/* The recorded kernel took this block from the buddy under the zone lock; if
 * @pcp_refill it goes to the tail of @cpu's pcp list of (order, type). */
enum mirror_result mirror_zone_locked(struct phys *phys, pfn_t pfn,
				      unsigned int order, enum migratetype type,
				      bool pcp_refill, unsigned int cpu);
/* Free exactly this block (mm_page_free): pcp head, or the buddy. The model's
 * own drain rules do not run under mirror: drains are recorded. */
enum mirror_result mirror_free(struct phys *phys, pfn_t pfn, unsigned int order,
			       unsigned int cpu);
/* mm_page_pcpu_drain: from @cpu's pcp (or wherever) to the buddy. */
enum mirror_result mirror_drain(struct phys *phys, pfn_t pfn,
				unsigned int order, enum migratetype type,
				unsigned int cpu);

/*
 * mm_page_alloc_extfrag: for a request of @alloc_order the recorded kernel
 * moved a block of @fallback_order at @pfn from the lists of @fallback_type to
 * those of @type, and with @change_ownership its pageblock.
 */
enum mirror_result
mirror_extfrag(struct phys *phys, pfn_t pfn, unsigned int alloc_order,
	       unsigned int fallback_order, enum migratetype type,
	       enum migratetype fallback_type, bool change_ownership);

/* --- hotplug.c ----------------------------------------------------------- */

/* Offline the frames of a memory block: -EBUSY when any is allocated or not
 * managed; 0.  All zone numbers are recomputed as the kernel does. */
int hotplug_offline(struct phys *phys, pfn_t start, uint64_t nr_pages);
enum online_type { ONLINE_AUTO, ONLINE_KERNEL, ONLINE_MOVABLE };
int hotplug_online(struct phys *phys, pfn_t start, uint64_t nr_pages,
		   enum online_type how);
/* The zone ONLINE_xxx would choose. */
struct zone *hotplug_zone(const struct phys *phys, pfn_t start,
			  uint64_t nr_pages, enum online_type how);

/* --- verify.c ------------------------------------------------------------ */

/* Check every law of physical memory by full walks; calls @found for each
 * broken one, some times a law. Returns the number of findings. */
unsigned int phys_verify(const struct phys *phys, finding_fn found, void *user);
extern const struct law phys_laws[];

#endif
