// SPDX-License-Identifier: MIT
/*
 * pcp.c - each CPU's own lists of free blocks
 *
 * What it models: struct per_cpu_pages of mm/page_alloc.c:
 * free_unref_page_commit, nr_pcp_free, free_pcppages_bulk, drain_pages.
 *
 * How it works: a zone has, for each CPU, a list for each of the orders 0 to 3
 * and each mergeable type, and with transparent huge pages two more for
 * pageblocks (not movable, movable).  Frees push at the head and allocations
 * take from the head; what goes back to the buddy is taken from the tail, one
 * list emptied before the next is looked at.  A page carries the type that its
 * pageblock had when it was freed, or that it was asked for when the list was
 * refilled, and goes back to the buddy under that type.
 *
 * Differs from the kernel: no lock, so no trylock that fails in an interrupt.
 */
#include "buddy_impl.h"
#include "kmemfs/phys/pages.h"

/* CONFIG_PCP_BATCH_SCALE_MAX */
#define BATCH_SCALE_MAX 5

void
pcp_add(struct zone *zone, struct per_cpu_pages *pcp, unsigned int index,
	pfn_t pfn, enum migratetype type, bool to_tail)
{
	struct frame *f = &zone->phys->frames[pfn];
	unsigned int order = pcp_index_order(zone->phys, index);

	frame_set_head(f, zone, order, FRAME_PCP, type);
	f->place = pcp_place(zone, pcp, index);
	if (to_tail)
		list_add_tail(zone, &pcp->list[index], f, link_of(zone, pfn));
	else
		list_add_head(zone, &pcp->list[index], f, link_of(zone, pfn));
	pcp->length[index]++;
	pcp->count += 1U << order;
}

void
pcp_del(struct zone *zone, struct per_cpu_pages *pcp, unsigned int index,
	pfn_t pfn)
{
	struct frame *f = &zone->phys->frames[pfn];

	list_del(zone, &pcp->list[index], f);
	f->state = FRAME_NONE;
	f->refs = 0;
	zone->phys->heads[pfn] = 0;
	pcp->length[index]--;
	pcp->count -= 1U << f->order;
}

struct per_cpu_pages *
pcp_holding(struct zone *zone, pfn_t pfn, unsigned int *index)
{
	const struct frame *f = &zone->phys->frames[pfn];

	KM_ASSERT(f->state == FRAME_PCP);
	*index = (unsigned int)f->place % PCP_PLACES;
	return &zone->pcp[(unsigned int)f->place / PCP_PLACES];
}

/* The block at the tail goes back next. */
static inline void
prefetch_next(const struct zone *zone, const struct block_list *list,
	      unsigned int order)
{
	if (list->tail)
		prefetch_buddies(zone->phys, link_pfn(zone, list->tail), order);
}

void
pcp_drain(struct zone *zone, struct per_cpu_pages *pcp, uint32_t want,
	  unsigned int index)
{
	struct phys *phys = zone->phys;
	int64_t count = MIN_OF(pcp->count, want);

	while (count > 0) {
		unsigned int order;

		while (!pcp->list[index].tail)
			index = (index + 1) % NR_PCP_LISTS;
		order = pcp_index_order(phys, index);
		do {
			pfn_t pfn = link_pfn(zone, pcp->list[index].tail);
			enum migratetype type = phys->frames[pfn].type;

			pcp_del(zone, pcp, index, pfn);
			prefetch_next(zone, &pcp->list[index], order);
			count -= 1LL << order;
			if (unlikely(zone->nr_isolate_pageblock))
				type = block_type(phys, pfn);
			buddy_free(zone, pfn, order, type, false);
			TRACE(phys->trace, MM_PAGE_PCPU_DRAIN, pfn, order,
			      type);
		} while (count > 0 && pcp->list[index].tail);
		index = (index + 1) % NR_PCP_LISTS;
	}
}

/* How many pages to give back: more each time while nobody allocates. */
static uint32_t
nr_pcp_free(struct per_cpu_pages *pcp, uint32_t high, bool free_high)
{
	uint32_t batch = pcp->batch, nr, most;

	if (free_high)
		return pcp->count;
	if (high < batch)
		return 1; /* a list that is to keep nothing */
	most = high - batch;
	nr = batch << pcp->free_factor;
	if (nr < most && pcp->free_factor < BATCH_SCALE_MAX)
		pcp->free_factor++;
	/* As clamp() does it: the upper bound wins. */
	return MIN_OF(MAX_OF(nr, batch), most);
}

static uint32_t
nr_pcp_high(const struct zone *zone, const struct per_cpu_pages *pcp,
	    bool free_high)
{
	if (!pcp->high || free_high)
		return 0;
	if (likely(!zone->reclaim_active))
		return pcp->high;
	return MIN_OF(pcp->batch << 2, pcp->high);
}

static inline uint32_t
pcp_excess(const struct zone *zone, struct per_cpu_pages *pcp,
	   unsigned int order, int64_t count)
{
	bool free_high =
		pcp->free_factor && order && order <= PAGE_ALLOC_COSTLY_ORDER;
	uint32_t high = nr_pcp_high(zone, pcp, free_high);

	if (likely(count < (int64_t)high))
		return 0;
	return nr_pcp_free(pcp, high, free_high);
}

uint32_t
pcp_due(struct zone *zone, struct per_cpu_pages *pcp, unsigned int order,
	int64_t count)
{
	return pcp_excess(zone, pcp, order, count);
}

void
pcp_free(struct zone *zone, unsigned int cpu, pfn_t pfn, unsigned int order,
	 enum migratetype type)
{
	struct per_cpu_pages *pcp = &zone->pcp[cpu];
	unsigned int index = pcp_index(pcp_list_type(type), order);
	uint32_t due;

	zone->phys->event[VE_pgfree] += 1ULL << order;
	pcp_add(zone, pcp, index, pfn, type, false);
	due = pcp_excess(zone, pcp, order, pcp->count);
	if (unlikely(due))
		pcp_drain(zone, pcp, due, index);
}

void
pages_drain_batch(struct zone *zone, unsigned int cpu)
{
	pcp_drain(zone, &zone->pcp[cpu], zone->pcp[cpu].batch, 0);
}

/* drain_pages_zone(): in steps, each of which starts at the first list. */
static void
pcp_drain_all(struct zone *zone, struct per_cpu_pages *pcp)
{
	while (pcp->count)
		pcp_drain(zone, pcp, pcp->batch << BATCH_SCALE_MAX, 0);
}

static void
pages_drain_cpu(struct phys *phys, struct zone *zone, unsigned int cpu)
{
	if (zone) {
		pcp_drain_all(zone, &zone->pcp[cpu]);
		return;
	}
	for (unsigned int i = 0; i < phys->nr_zones; i++)
		if (phys->zones[i]->pcp)
			pcp_drain_all(phys->zones[i],
				      &phys->zones[i]->pcp[cpu]);
}

void
pages_drain(struct phys *phys, struct zone *zone, int cpu)
{
	if (cpu >= 0) {
		pages_drain_cpu(phys, zone, (unsigned int)cpu);
		return;
	}
	for (unsigned int i = 0; i < phys->nr_cpus; i++)
		pages_drain_cpu(phys, zone, i);
}

pfn_t
pcp_list_next(const struct zone *zone, unsigned int cpu, unsigned int index,
	      struct list_cursor *cursor)
{
	if (cursor->done || !zone->pcp)
		return PFN_NONE;
	cursor->at = cursor->at ? link_frame(zone, cursor->at)->next
				: zone->pcp[cpu].list[index].head;
	if (cursor->at)
		return link_pfn(zone, cursor->at);
	cursor->done = true;
	return PFN_NONE;
}
