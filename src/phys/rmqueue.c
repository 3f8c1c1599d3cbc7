// SPDX-License-Identifier: MIT
/*
 * rmqueue.c - a block of one zone, from the CPU's list or from the buddy
 *
 * What it models: rmqueue, rmqueue_pcplist, rmqueue_bulk, rmqueue_buddy,
 * __rmqueue, prep_new_page, zone_statistics.
 *
 * How it works: small orders come from the head of the CPU's list; an empty
 * one is refilled with a batch, whose blocks stand there in the order in which
 * the buddy gave them.  The buddy gives the smallest block of the wanted type
 * that is large enough, then CMA blocks if they are allowed, then steals from
 * another type.  CMA comes first while more than half of the zone's free pages
 * is in there.
 */
#include "alloc_impl.h"
#include "why_impl.h"

/* __rmqueue(): counts no pages. */
static pfn_t
rmqueue_one(struct zone *zone, unsigned int order, enum migratetype type,
	    unsigned int flags, struct out *why)
{
	pfn_t pfn;

	if ((flags & ALLOC_CMA) &&
	    zone->stat[ZS_nr_free_cma] > zone->stat[ZS_nr_free_pages] / 2) {
		pfn = buddy_rmqueue(zone, order, MIGRATE_CMA, why);
		if (pfn != PFN_NONE)
			return pfn;
	}
	do {
		pfn = buddy_rmqueue(zone, order, type, why);
		if (pfn == PFN_NONE && (flags & ALLOC_CMA))
			pfn = buddy_rmqueue(zone, order, MIGRATE_CMA, why);
	} while (pfn == PFN_NONE &&
		 rmqueue_fallback(zone, order, type, flags, why));
	return pfn;
}

/* Append up to @nr blocks to the list.  As in the kernel, nr_free_pages is
 * counted when all are there, nr_free_cma at once: lending depends on it. */
static void
rmqueue_bulk(const struct search *s, struct zone *zone,
	     struct per_cpu_pages *pcp, unsigned int index, uint32_t nr,
	     unsigned int flags)
{
	struct phys *phys = s->phys;
	uint32_t i;

	for (i = 0; i < nr; i++) {
		size_t told = s->why ? s->why->len : 0;
		enum migratetype carried;
		pfn_t pfn;

		pfn = rmqueue_one(zone, s->order, s->type, flags, s->why);
		if (pfn == PFN_NONE)
			break;
		if (unlikely(s->why))
			why_shorten(s->why, told, i);
		carried = phys->frames[pfn].type;
		pcp_add(zone, pcp, index, pfn, carried, true);
		if (carried == MIGRATE_CMA)
			zone->stat[ZS_nr_free_cma] -= 1LL << s->order;
	}
	zone->stat[ZS_nr_free_pages] -= (int64_t)i << s->order;
	if (unlikely(s->why))
		why_refill(s->why, s, pcp, nr, i);
}

pfn_t
rmqueue_pcplist(const struct search *s, struct zone *zone,
		struct per_cpu_pages *pcp, unsigned int flags)
{
	unsigned int index = pcp_index(s->type, s->order);
	const struct block_list *list = &pcp->list[index];

	if (unlikely(s->why))
		why_pcp(s->why, s, pcp, index);
	if (unlikely(!list->head)) {
		uint32_t batch = pcp->batch;

		if (batch > 1)
			batch = MAX_OF(batch >> s->order, 2);
		rmqueue_bulk(s, zone, pcp, index, batch, flags);
		if (!list->head)
			return PFN_NONE;
	}
	return pcp_pop(zone, pcp, index, s->order);
}

static pfn_t
rmqueue_buddy(const struct search *s, struct zone *zone, unsigned int flags)
{
	pfn_t pfn = PFN_NONE;

	if (flags & ALLOC_HIGHATOMIC)
		pfn = buddy_rmqueue(zone, s->order, MIGRATE_HIGHATOMIC, s->why);
	if (pfn == PFN_NONE)
		pfn = rmqueue_one(zone, s->order, s->type, flags, s->why);
	if (pfn == PFN_NONE && (flags & (ALLOC_OOM | ALLOC_NON_BLOCK)))
		pfn = buddy_rmqueue(zone, s->order, MIGRATE_HIGHATOMIC, s->why);
	if (pfn != PFN_NONE)
		zone_mod_free(zone, -(1LL << s->order),
			      s->phys->frames[pfn].type);
	return pfn;
}

void
rmqueue_count(const struct search *s, struct zone *zone, uint64_t nr)
{
	uint64_t *numa = zone->numa;
	unsigned int nid = zone->node->id;

	s->phys->event[VE_pgalloc_dma + zone->type] += nr << s->order;
	if (!s->phys->arch->numa)
		return;
	if (likely(nid == s->preferred->node->id)) {
		numa[NUMA_numa_hit - NUMA_BASE] += nr;
	} else {
		numa[NUMA_numa_miss - NUMA_BASE] += nr;
		s->preferred->numa[NUMA_numa_foreign - NUMA_BASE] += nr;
	}
	if (likely(nid == s->cpu_nid))
		numa[NUMA_numa_local - NUMA_BASE] += nr;
	else
		numa[NUMA_numa_other - NUMA_BASE] += nr;
}

pfn_t
rmqueue(const struct search *s, struct zone *zone, unsigned int flags)
{
	pfn_t pfn = PFN_NONE;

	/* The Movable lists may hold CMA pages: not for everyone. */
	if (pcp_order(s->phys, s->order) &&
	    (s->type != MIGRATE_MOVABLE || (flags & ALLOC_CMA) ||
	     !s->phys->config->cma_kernel)) {
		struct per_cpu_pages *pcp = &zone->pcp[s->cpu];

		pcp->free_factor >>= 1;
		pfn = rmqueue_pcplist(s, zone, pcp, flags);
	}
	if (unlikely(pfn == PFN_NONE))
		pfn = rmqueue_buddy(s, zone, flags);
	if (likely(pfn != PFN_NONE))
		rmqueue_count(s, zone, 1);
	if (unlikely(zone->boosted)) {
		zone->boosted = false;
		if (unlikely(s->why))
			why_line(s->why, "kswapd is woken: the steal raised "
					 "the zone's watermarks");
	}
	return pfn;
}
