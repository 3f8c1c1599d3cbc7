// SPDX-License-Identifier: MIT
/*
 * buddy_impl.h - lists of blocks, and what the files of the page allocator
 * share about them
 *
 * A block is named by its first pfn.  Functions here move blocks and keep
 * nr_free; only those that say so touch nr_free_pages and nr_free_cma.
 */
#ifndef KMEMFS_PHYS_BUDDY_IMPL_H
#define KMEMFS_PHYS_BUDDY_IMPL_H

#include "kmemfs/base/check.h"
#include "kmemfs/base/out.h"
#include "kmemfs/phys/phys.h"

#define MAX_BLOCK_ORDER (MAX_ORDER - 1)
#define MAX_BLOCK_PAGES (1ULL << MAX_BLOCK_ORDER)
/* High bit of a pageblock's byte: it once had a type that does not merge with
 * others, so an equal buddy may have been left beside it. */
#define PAGEBLOCK_PARTED 0x80
#define PAGEBLOCK_TYPE_BITS 0x07

#define likely(e) __builtin_expect(!!(e), 1)
#define unlikely(e) __builtin_expect(!!(e), 0)

/* A run of blocks of the largest order that nobody has touched: one element
 * of its list, standing for all of them in ascending order. */
struct run {
	pfn_t start;
	uint64_t nr; /* blocks, at least 2 */
};

/* Frames of a zone that were given to the buddy, whatever they are now. */
struct extent {
	pfn_t start;
	pfn_t end;
};

struct free_runs {
	struct run *run; /* sorted, disjoint */
	size_t nr;
	size_t capacity;
	struct extent *managed; /* sorted, disjoint, not adjacent */
	size_t nr_managed;
	size_t managed_capacity;
};

static inline uint64_t
pageblock_pages(const struct phys *phys)
{
	return 1ULL << phys->pageblock_order;
}

/* Types whose blocks may become one: migratetype_is_mergeable(). */
static inline bool
type_is_mergeable(enum migratetype type)
{
	return type < MIGRATE_PCPTYPES;
}

/* pageblock_type(), for hot paths. */
static inline enum migratetype
block_type(const struct phys *phys, pfn_t pfn)
{
	uint8_t byte = phys->pageblocks[pfn >> phys->pageblock_order];

	return (byte & PAGEBLOCK_TYPE_BITS) ^ MIGRATE_MOVABLE;
}

/* --- links ------------------------------------------------------------------
 */

static inline uint32_t
link_of(const struct zone *zone, pfn_t pfn)
{
	return (uint32_t)(pfn - zone->link_base) + 1;
}

static inline pfn_t
link_pfn(const struct zone *zone, uint32_t link)
{
	return zone->link_base + (link - 1);
}

static inline struct frame *
link_frame(const struct zone *zone, uint32_t link)
{
	return &zone->phys->frames[link_pfn(zone, link)];
}

static inline void
list_add_head(struct zone *zone, struct block_list *list, struct frame *f,
	      uint32_t link)
{
	f->next = list->head;
	f->prev = 0;
	if (list->head)
		link_frame(zone, list->head)->prev = link;
	else
		list->tail = link;
	list->head = link;
}

static inline void
list_add_tail(struct zone *zone, struct block_list *list, struct frame *f,
	      uint32_t link)
{
	f->next = 0;
	f->prev = list->tail;
	if (list->tail)
		link_frame(zone, list->tail)->next = link;
	else
		list->head = link;
	list->tail = link;
}

static inline void
list_del(struct zone *zone, struct block_list *list, const struct frame *f)
{
	if (f->prev)
		link_frame(zone, f->prev)->next = f->next;
	else
		list->head = f->next;
	if (f->next)
		link_frame(zone, f->next)->prev = f->prev;
	else
		list->tail = f->prev;
}

/* --- heads ------------------------------------------------------------------
 */

/* frame_head() of a free, or singly referenced, block. */
static inline uint8_t
head_byte(enum frame_state state, unsigned int order)
{
	return (uint8_t)(state << HEAD_STATE_SHIFT | order);
}

/* The frame at @pfn was described by hand: note it. */
static inline void
frame_note(const struct phys *phys, pfn_t pfn)
{
	phys->heads[pfn] = frame_head(&phys->frames[pfn]);
}

/* Whether a block of @order, in any state, begins at @pfn. */
static inline bool
head_is(const struct phys *phys, pfn_t pfn, unsigned int order)
{
	return phys->heads[pfn] && (phys->heads[pfn] & HEAD_ORDER) == order;
}

/* The first frame of the described block that holds @pfn, PFN_NONE: none.  The
 * heads tell, so that frames that nobody wrote to stay untouched. */
static inline pfn_t
head_covering(const struct phys *phys, pfn_t pfn)
{
	for (unsigned int k = 0; k < MAX_ORDER; k++) {
		pfn_t at = round_down_to(pfn, 1ULL << k);
		uint8_t head = phys->heads[at];

		if (head && at + (1ULL << (head & HEAD_ORDER)) > pfn)
			return at;
	}
	return PFN_NONE;
}

/* The zone of all frames around @pfn, by the shortcut into spans: its id + 1;
 * 0: it takes a search, or a look at the frame. */
static inline uint16_t
zone_around(const struct phys *phys, pfn_t pfn)
{
	uint64_t granule = pfn >> phys->span_shift;

	return granule < phys->span_index_len ? phys->span_index[granule] : 0;
}

/* The zone of a described frame. */
static inline struct zone *
frame_zone(const struct phys *phys, pfn_t pfn)
{
	uint16_t around = zone_around(phys, pfn);

	return phys
		->zones[likely(around) ? around - 1U : phys->frames[pfn].zone];
}

/* Describe a block in its first frame; links are set by list_add_*.  Nothing is
 * read: a page that is read before it is written to costs two faults. */
static inline void
frame_describe(struct frame *f, const struct zone *zone, unsigned int order,
	       enum frame_state state, enum migratetype type, uint8_t flags)
{
	zone->phys->heads[f - zone->phys->frames] =
		state == FRAME_NONE ? 0 : head_byte(state, order);
	f->refs = 0;
	f->order = order & 15;
	f->state = state & 15;
	f->type = type & 15;
	f->flags = flags & 15;
	f->zone = zone->id;
}

static inline void
frame_set_head(struct frame *f, const struct zone *zone, unsigned int order,
	       enum frame_state state, enum migratetype type)
{
	frame_describe(f, zone, order, state, type, 0);
}

/* --- buddy.c ----------------------------------------------------------------
 */

/* @nr blocks were put on a list of @order. */
static inline void
area_add(struct zone *zone, unsigned int order, enum migratetype type,
	 uint64_t nr)
{
	struct free_area *area = &zone->free_area[order];

	area->nr_free[type] += nr;
	area->nr_free_all += nr;
	zone->free_orders[type] |= (uint16_t)(1U << order);
}

/* @nr blocks were taken off it. */
static inline void
area_sub(struct zone *zone, unsigned int order, enum migratetype type,
	 uint64_t nr)
{
	struct free_area *area = &zone->free_area[order];

	area->nr_free[type] -= nr;
	area->nr_free_all -= nr;
	if (!area->nr_free[type])
		zone->free_orders[type] &= (uint16_t) ~(1U << order);
}

/* The smallest order >= @order with a free block of @type, or MAX_ORDER. */
static inline unsigned int
smallest_free(const struct zone *zone, unsigned int order,
	      enum migratetype type)
{
	unsigned int orders = zone->free_orders[type] >> order;

	return orders ? order + (unsigned int)__builtin_ctz(orders) : MAX_ORDER;
}

/* What freeing a block of @order looks at: ask the host for it before it is
 * needed, all at once. */
static inline void
prefetch_buddies(const struct phys *phys, pfn_t pfn, unsigned int order)
{
	pfn_t pair = pfn & ~(1ULL << order);

	__builtin_prefetch(&phys->heads[pfn ^ (1ULL << order)]);
	__builtin_prefetch(&phys->heads[pair ^ (2ULL << order)]);
}

/* nr_free_pages, and nr_free_cma for that type; nothing for Isolate. */
static inline void
zone_mod_free(struct zone *zone, int64_t nr_pages, enum migratetype type)
{
	if (unlikely(type == MIGRATE_ISOLATE))
		return;
	zone->stat[ZS_nr_free_pages] += nr_pages;
	if (unlikely(type == MIGRATE_CMA))
		zone->stat[ZS_nr_free_cma] += nr_pages;
}

/* Put a block on a list, as it is. */
void buddy_add(struct zone *zone, pfn_t pfn, unsigned int order,
	       enum migratetype type, bool to_tail);
/* Take the free block at @pfn off its list, also from inside a run; its frame
 * gets state NONE.  Returns the type of that list. */
enum migratetype buddy_del(struct zone *zone, pfn_t pfn, unsigned int order);
/* Ditto of the block of MAX_BLOCK_ORDER inside a run. */
enum migratetype buddy_del_in_run(struct zone *zone, pfn_t pfn);
/* From its list to the tail of the list of @type: move_to_free_list. */
void buddy_move(struct zone *zone, pfn_t pfn, unsigned int order,
		enum migratetype type);
/*
 * Free a block and merge it with its free buddies: __free_one_page.  Counts
 * free pages.  @to_tail: FPI_TO_TAIL.
 */
void buddy_free(struct zone *zone, pfn_t pfn, unsigned int order,
		enum migratetype type, bool to_tail);
/*
 * Take a block of @order from the lists of @type, splitting the smallest that
 * is large enough: __rmqueue_smallest.  It has state NONE and carries @type.
 * Does not count free pages.  Emits mm_page_alloc_zone_locked.
 */
pfn_t buddy_rmqueue(struct zone *zone, unsigned int order,
		    enum migratetype type, struct out *why);
/* The free block of @zone that covers @pfn; false when it is not free. */
bool buddy_covering(const struct zone *zone, pfn_t pfn, pfn_t *head,
		    unsigned int *order);

/* --- runs.c -----------------------------------------------------------------
 */

/* The run of @zone that covers @pfn, or NULL. */
struct run *runs_find(const struct zone *zone, pfn_t pfn);
/* Take @nr blocks from @first on out of @run, wherever it is in its list. */
void runs_take(struct zone *zone, struct run *run, pfn_t first, uint64_t nr);
/* Whether all of @start..@end was given to the buddy of @zone. */
bool extents_cover(const struct zone *zone, pfn_t start, pfn_t end);
void extents_add(struct zone *zone, pfn_t start, pfn_t end);
void extents_remove(struct zone *zone, pfn_t start, pfn_t end);
/* Get zone->runs, making it and the origin of links when there is none. */
struct free_runs *runs_get(struct zone *zone);

/* --- backing.c --------------------------------------------------------------
 */

/* Address space for @bytes of zeros, which cost the host nothing before they
 * are written; to be given back with munmap.  NULL: the host has no more. */
void *backing_reserve(uint64_t bytes);
/*
 * The untouched frames of @zone that start at @next, @nr of them, are used
 * from now on; between @floor and @next all were touched.  Lets the host back
 * them with huge pages where that wastes little.
 */
void backing_grow(const struct zone *zone, pfn_t floor, pfn_t next,
		  uint64_t nr);

/* --- pcp.c ------------------------------------------------------------------
 */

/* Blocks of @order may stay on per-cpu lists: pcp_allowed_order(). */
static inline bool
pcp_order(const struct phys *phys, unsigned int order)
{
	return order <= PAGE_ALLOC_COSTLY_ORDER ||
	       (phys->arch->thp && order == phys->pageblock_order);
}

#define NR_LOWORDER_PCP_LISTS (PCP_ORDERS * MIGRATE_PCPTYPES)

/* The list of (order, type): order_to_pindex(). */
static inline unsigned int
pcp_index(enum migratetype type, unsigned int order)
{
	if (unlikely(order > PAGE_ALLOC_COSTLY_ORDER))
		return NR_LOWORDER_PCP_LISTS + (type == MIGRATE_MOVABLE);
	return MIGRATE_PCPTYPES * order + type;
}

static inline unsigned int
pcp_index_order(const struct phys *phys, unsigned int index)
{
	if (index >= NR_LOWORDER_PCP_LISTS)
		return phys->pageblock_order;
	return index / MIGRATE_PCPTYPES;
}

/* The type whose list takes pages that carry @type. */
static inline enum migratetype
pcp_list_type(enum migratetype type)
{
	return type < MIGRATE_PCPTYPES ? type : MIGRATE_MOVABLE;
}

/* A frame's place: its list, by CPU and index.  A page from a CMA refill or a
 * recording may be on a list of another type than it carries. */
#define PCP_PLACES 16
_Static_assert(NR_PCP_LISTS <= PCP_PLACES,
	       "a place is CPU * PCP_PLACES + index");

static inline int32_t
pcp_place(const struct zone *zone, const struct per_cpu_pages *pcp,
	  unsigned int index)
{
	return (int32_t)(pcp - zone->pcp) * PCP_PLACES + (int32_t)index;
}

/* Put a block (state NONE) on a list; it carries @type; counts it. */
void pcp_add(struct zone *zone, struct per_cpu_pages *pcp, unsigned int index,
	     pfn_t pfn, enum migratetype type, bool to_tail);
/* Take a block off list @index; its frame gets state NONE. */
void pcp_del(struct zone *zone, struct per_cpu_pages *pcp, unsigned int index,
	     pfn_t pfn);
/* The CPU's lists, and which of them, that hold the block at @pfn, which is in
 * state PCP. */
struct per_cpu_pages *pcp_holding(struct zone *zone, pfn_t pfn,
				  unsigned int *index);
/* Push a freed block and give some back when that are enough:
 * free_unref_page_commit. */
void pcp_free(struct zone *zone, unsigned int cpu, pfn_t pfn,
	      unsigned int order, enum migratetype type);
/* How many pages a list of @count pages gives back after a block of @order was
 * pushed; 0: it is short enough.  Moves free_factor as the kernel does. */
uint32_t pcp_due(struct zone *zone, struct per_cpu_pages *pcp,
		 unsigned int order, int64_t count);
/* Give @count pages back, from list @index on: free_pcppages_bulk. */
void pcp_drain(struct zone *zone, struct per_cpu_pages *pcp, uint32_t count,
	       unsigned int index);

#endif
