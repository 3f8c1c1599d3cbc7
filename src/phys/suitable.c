// SPDX-License-Identifier: MIT
/*
 * suitable.c - which zones may serve a request, and how deep it may dig
 *
 * What it models: gfp_zone, __zone_watermark_ok, gfp_to_alloc_flags,
 * alloc_flags_nofragment and __gfp_pfmemalloc_flags of 6.1.192.
 *
 * How it works: a zone may serve when what would be left is above a mark:
 *
 *     free - (2^order - 1) - HighAtomic reserve - free CMA
 *         > mark, less what the request's rights take off it
 *         + lowmem_reserve[zone of the request]
 *
 * Differs from the kernel: no cpusets, no realtime tasks, no OOM victims.
 */
#include "alloc_impl.h"

#define NO MAX_NR_ZONES
/* By the zone bits of a request, DMA 1, HIGHMEM 2, DMA32 4, MOVABLE 8; two of
 * the first three together mean nothing.  ZONE_MOVABLE needs HIGHMEM too. */
#define ZONES_OF(dma, high, dma32)                                             \
	{                                                                      \
		ZONE_NORMAL, dma, high, NO, dma32, NO, NO, NO, ZONE_NORMAL,    \
			dma, ZONE_MOVABLE, NO, dma32, NO, NO, NO               \
	}
/* A row for each set of zones the kernel has: DMA 1, DMA32 2, HighMem 4.
 * Normal stands in for those it lacks. */
static const uint8_t request_zones[8][16] = {
	ZONES_OF(ZONE_NORMAL, ZONE_NORMAL, ZONE_NORMAL),
	ZONES_OF(ZONE_DMA, ZONE_NORMAL, ZONE_NORMAL),
	ZONES_OF(ZONE_NORMAL, ZONE_NORMAL, ZONE_DMA32),
	ZONES_OF(ZONE_DMA, ZONE_NORMAL, ZONE_DMA32),
	ZONES_OF(ZONE_NORMAL, ZONE_HIGHMEM, ZONE_NORMAL),
	ZONES_OF(ZONE_DMA, ZONE_HIGHMEM, ZONE_NORMAL),
	ZONES_OF(ZONE_NORMAL, ZONE_HIGHMEM, ZONE_DMA32),
	ZONES_OF(ZONE_DMA, ZONE_HIGHMEM, ZONE_DMA32),
};

enum zone_type
request_zone(const struct arch *arch, gfp_t gfp)
{
	unsigned int has = arch_has_zone(arch, ZONE_DMA) |
			   arch_has_zone(arch, ZONE_DMA32) << 1 |
			   arch_has_zone(arch, ZONE_HIGHMEM) << 2;

	return request_zones[has][gfp & 15];
}

int64_t
zone_unusable(const struct zone *zone, unsigned int order, unsigned int flags)
{
	int64_t unusable = (1LL << order) - 1;

	if (!(flags & ALLOC_RESERVES))
		unusable += (int64_t)zone->nr_reserved_highatomic;
	if (!(flags & ALLOC_CMA))
		unusable += zone->stat[ZS_nr_free_cma];
	return unusable;
}

int64_t
zone_reserve_mark(int64_t mark, unsigned int flags)
{
	if (flags & ALLOC_MIN_RESERVE) {
		mark -= mark / 2;
		if (flags & ALLOC_NON_BLOCK)
			mark -= mark / 4;
	}
	if (flags & ALLOC_OOM)
		mark -= mark / 2;
	return mark;
}

unsigned int
zone_suitable_order(const struct zone *zone, unsigned int order,
		    unsigned int flags, enum migratetype *type)
{
	for (; order < MAX_ORDER; order++) {
		const struct free_area *area = &zone->free_area[order];

		if (!area->nr_free_all)
			continue;
		for (*type = 0; *type < MIGRATE_PCPTYPES; (*type)++)
			if (area->nr_free[*type])
				return order;
		*type = MIGRATE_CMA;
		if ((flags & ALLOC_CMA) && area->nr_free[MIGRATE_CMA])
			return order;
		*type = MIGRATE_HIGHATOMIC;
		if ((flags & (ALLOC_HIGHATOMIC | ALLOC_OOM)) &&
		    area->nr_free[MIGRATE_HIGHATOMIC])
			return order;
	}
	return MAX_ORDER;
}

bool
zone_watermark_ok(const struct zone *zone, unsigned int order, uint64_t mark,
		  enum zone_type highest, unsigned int flags)
{
	int64_t free = zone->stat[ZS_nr_free_pages] -
		       zone_unusable(zone, order, flags);
	int64_t min = zone_reserve_mark((int64_t)mark, flags);

	if (free <= min + (int64_t)zone->lowmem_reserve[highest])
		return false;
	return !order || zone_has_suitable(zone, order, flags);
}

bool
zone_watermark_slow(const struct zone *zone, const struct search *s,
		    uint64_t mark, unsigned int flags)
{
	if (zone_watermark_ok(zone, s->order, mark, s->highest, flags))
		return true;
	if (s->order || !(s->gfp & __GFP_ATOMIC) || !zone->watermark_boost ||
	    (flags & ALLOC_WMARK_MASK) != WMARK_MIN)
		return false;
	return zone_watermark_ok(zone, 0, zone->watermark[WMARK_MIN],
				 s->highest, flags);
}

unsigned int
alloc_flags_cma(const struct search *s, unsigned int flags)
{
	if (s->phys->config->cma_kernel && s->type == MIGRATE_MOVABLE)
		flags |= ALLOC_CMA;
	return flags;
}

/* Avoiding fragmentation pays between Normal and DMA32 only. */
static bool
avoids_fragmentation(const struct search *s)
{
	const struct zone *zone = s->preferred;

	if (!arch_has_zone(s->phys->arch, ZONE_DMA32) || !zone ||
	    zone->type != ZONE_NORMAL)
		return false;
	return s->phys->nr_nodes == 1 ||
	       zone_populated(&zone->node->zones[ZONE_DMA32]);
}

unsigned int
alloc_flags_fast(const struct search *s)
{
	unsigned int flags = WMARK_LOW | (s->gfp & ALLOC_KSWAPD);

	if (avoids_fragmentation(s))
		flags |= ALLOC_NOFRAGMENT;
	return alloc_flags_cma(s, flags);
}

unsigned int
alloc_flags_slow(const struct search *s)
{
	unsigned int flags = WMARK_MIN | ALLOC_CPUSET;

	flags |= s->gfp & (ALLOC_MIN_RESERVE | ALLOC_KSWAPD);
	if (!(s->gfp & __GFP_DIRECT_RECLAIM)) {
		if (!(s->gfp & __GFP_NOMEMALLOC)) {
			flags |= ALLOC_NON_BLOCK;
			if (s->order && (flags & ALLOC_MIN_RESERVE))
				flags |= ALLOC_HIGHATOMIC;
		}
		if (flags & ALLOC_MIN_RESERVE)
			flags &= ~(unsigned int)ALLOC_CPUSET;
	}
	return alloc_flags_cma(s, flags);
}

unsigned int
alloc_flags_reserve(const struct page_request *request)
{
	bool softirq = request->context == CONTEXT_SOFTIRQ;
	bool interrupt = softirq || request->context == CONTEXT_IRQ;

	if (request->gfp & __GFP_NOMEMALLOC)
		return 0;
	if (request->gfp & __GFP_MEMALLOC)
		return ALLOC_NO_WATERMARKS;
	if (request->pf_memalloc && (softirq || !interrupt))
		return ALLOC_NO_WATERMARKS;
	return 0;
}

_Static_assert((int)ALLOC_MIN_RESERVE == (int)__GFP_HIGH, "same bit");
_Static_assert((int)ALLOC_KSWAPD == (int)__GFP_KSWAPD_RECLAIM, "same bit");
