// SPDX-License-Identifier: MIT
/*
 * extfrag.c - how scattered free memory is
 *
 * What it models: fill_contig_page_info, __fragmentation_index,
 *                 unusable_free_index and extfrag_for_order of mm/vmstat.c.
 * How it works:   from F free pages in B blocks, of which those of the wanted
 *                 order or more make up S blocks of that order.
 */
#include "kmemfs/phys/phys.h"

struct contiguity {
	uint64_t pages;	   /* F */
	uint64_t blocks;   /* B */
	uint64_t suitable; /* S */
};

static struct contiguity
contiguity(const uint64_t nr_free[MAX_ORDER], unsigned int order)
{
	struct contiguity c = {0, 0, 0};

	for (unsigned int o = 0; o < MAX_ORDER; o++) {
		c.pages += nr_free[o] << o;
		c.blocks += nr_free[o];
		if (o >= order)
			c.suitable += nr_free[o] << (o - order);
	}
	return c;
}

int
fragmentation_index(const uint64_t nr_free[MAX_ORDER], unsigned int order)
{
	struct contiguity c = contiguity(nr_free, order);

	if (!c.blocks)
		return 0;
	if (c.suitable)
		return -1000;
	/* Near 1000: the pages are there, in small pieces; near 0: they lack.
	 */
	return 1000 -
	       (int)((1000 + c.pages * 1000 / (1ULL << order)) / c.blocks);
}

unsigned int
unusable_index(const uint64_t nr_free[MAX_ORDER], unsigned int order)
{
	struct contiguity c = contiguity(nr_free, order);

	if (!c.pages)
		return 1000;
	return (unsigned int)((c.pages - (c.suitable << order)) * 1000 /
			      c.pages);
}

unsigned int
extfrag_for_order(const uint64_t nr_free[MAX_ORDER], unsigned int order)
{
	struct contiguity c = contiguity(nr_free, order);

	if (!c.pages)
		return 0;
	return (unsigned int)((c.pages - (c.suitable << order)) * 100 /
			      c.pages);
}

static void
zone_counts(const struct zone *zone, uint64_t nr_free[MAX_ORDER])
{
	for (unsigned int o = 0; o < MAX_ORDER; o++)
		nr_free[o] = zone->free_area[o].nr_free_all;
}

int
zone_fragmentation_index(const struct zone *zone, unsigned int order)
{
	uint64_t nr_free[MAX_ORDER];

	zone_counts(zone, nr_free);
	return fragmentation_index(nr_free, order);
}

unsigned int
zone_unusable_index(const struct zone *zone, unsigned int order)
{
	uint64_t nr_free[MAX_ORDER];

	zone_counts(zone, nr_free);
	return unusable_index(nr_free, order);
}
