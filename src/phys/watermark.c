// SPDX-License-Identifier: MIT
/*
 * watermark.c - how many free pages each zone keeps back
 *
 * What it models: calculate_min_free_kbytes, __setup_per_zone_wmarks,
 *                 setup_per_zone_lowmem_reserve, calculate_totalreserve_pages,
 *                 init_per_zone_wmark_min, si_mem_available of
 *                 mm/page_alloc.c; set_recommended_min_free_kbytes of
 *                 mm/khugepaged.c.
 * How it works:   min_free_kbytes, the square root of 16 times the kilobytes of
 *                 low memory, is shared out among zones by their managed
 *                 pages.  Each step above min is a quarter of the zone's share
 *                 or watermark_scale_factor of the zone, whichever is more.
 *                 Huge pages raise the sum to eleven pageblocks a zone, at
 *                 most a twentieth of what is above the high watermarks.
 * Always true:    min <= low <= high <= promo.
 */
#include "boot_impl.h"

#include "kmemfs/base/check.h"

#define MIN_FREE_KBYTES_LEAST 128
#define MIN_FREE_KBYTES_MOST 262144
#define HIGHMEM_MIN_LEAST 32
#define HIGHMEM_MIN_MOST 128

static uint64_t
integer_sqrt(uint64_t v)
{
	uint64_t root = 0;

	/* One bit a step, from the highest that a root can have. */
	for (uint64_t bit = 1ULL << 31; bit; bit >>= 1) {
		if ((root + bit) * (root + bit) <= v)
			root += bit;
	}
	return root;
}

/* Every zonelist has every zone, so which list is asked does not matter. */
uint64_t
phys_pages_above_high(const struct phys *phys, enum zone_type highest)
{
	uint64_t sum = 0;

	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		const struct zone *zone = phys->zones[id];
		uint64_t high = wmark_pages(zone, WMARK_HIGH);

		if (zone->type <= highest && zone->managed_pages > high)
			sum += zone->managed_pages - high;
	}
	return sum;
}

static unsigned int
kib_shift(const struct phys *phys)
{
	return phys->page_shift - 10;
}

static void
calculate_min_free_kbytes(struct phys *phys)
{
	uint64_t lowmem_kib = phys_pages_above_high(phys, ZONE_NORMAL)
			      << kib_shift(phys);
	uint64_t kib = integer_sqrt(lowmem_kib * 16);

	if ((int64_t)kib <= phys->sysctl.user_min_free_kbytes)
		return;
	phys->sysctl.min_free_kbytes = MIN_OF(
		MAX_OF(kib, MIN_FREE_KBYTES_LEAST), MIN_FREE_KBYTES_MOST);
}

static void
setup_totalreserve(struct phys *phys)
{
	uint64_t sum = 0;

	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		const struct zone *zone = phys->zones[id];
		uint64_t most = 0;

		for (unsigned int j = zone->type; j < MAX_NR_ZONES; j++)
			most = MAX_OF(most, zone->lowmem_reserve[j]);
		most += wmark_pages(zone, WMARK_HIGH);
		sum += MIN_OF(most, zone->managed_pages);
	}
	phys->total_reserve_pages = sum;
}

void
phys_setup_lowmem_reserve(struct phys *phys)
{
	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		struct zone *zone = phys->zones[id];
		uint64_t ratio = phys->sysctl.lowmem_reserve_ratio[zone->type];
		uint64_t above = 0;

		for (unsigned int j = zone->type + 1U; j < MAX_NR_ZONES; j++) {
			above += zone->node->zones[j].managed_pages;
			zone->lowmem_reserve[j] = 0;
			if (ratio && zone->managed_pages)
				zone->lowmem_reserve[j] = above / ratio;
		}
	}
	setup_totalreserve(phys);
}

/* @x * @numerator / 10000 without the product, as mult_frac(). */
static uint64_t
per_myriad(uint64_t x, uint64_t numerator)
{
	return x / 10000 * numerator + x % 10000 * numerator / 10000;
}

static void
zone_setup_wmarks(struct zone *zone, uint64_t pages_min, uint64_t lowmem)
{
	uint64_t scale = zone->phys->sysctl.watermark_scale_factor;
	uint64_t share = pages_min * zone->managed_pages / lowmem;
	uint64_t step =
		MAX_OF(share / 4, per_myriad(zone->managed_pages, scale));

	zone->watermark[WMARK_MIN] = share;
	if (zone_is_highmem(zone))
		zone->watermark[WMARK_MIN] = MIN_OF(
			MAX_OF(zone->managed_pages / 1024, HIGHMEM_MIN_LEAST),
			HIGHMEM_MIN_MOST);
	zone->watermark_boost = 0;
	for (unsigned int w = WMARK_LOW; w < NR_WMARK; w++)
		zone->watermark[w] = zone->watermark[w - 1] + step;
}

void
phys_setup_wmarks(struct phys *phys)
{
	uint64_t pages_min = phys->sysctl.min_free_kbytes >> kib_shift(phys);
	uint64_t lowmem = 0;

	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		if (!zone_is_highmem(phys->zones[id]))
			lowmem += phys->zones[id]->managed_pages;
	}
	KM_ASSERT(lowmem);
	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		if (arch_has_zone(phys->arch, phys->zones[id]->type))
			zone_setup_wmarks(phys->zones[id], pages_min, lowmem);
	}
	setup_totalreserve(phys);
	phys_setup_pcp(phys, 0);
}

/* Room for two pageblocks of each kind that falls back to another. */
static void
recommend_min_free(struct phys *phys)
{
	uint64_t zones = 0, pages, kib;

	for (unsigned int id = 0; id < phys->nr_zones; id++)
		zones += zone_populated(phys->zones[id]) &&
			 phys->zones[id]->type <= ZONE_NORMAL;
	pages = (zones << phys->pageblock_order) *
		(2 + MIGRATE_PCPTYPES * MIGRATE_PCPTYPES);
	pages = MIN_OF(pages, phys_pages_above_high(phys, ZONE_NORMAL) / 20);
	kib = pages << kib_shift(phys);
	phys->sysctl.min_free_kbytes =
		MAX_OF(phys->sysctl.min_free_kbytes, kib);
}

void
phys_init_wmark_min(struct phys *phys)
{
	calculate_min_free_kbytes(phys);
	phys_setup_wmarks(phys);
	phys_setup_thresholds(phys);
	phys_setup_lowmem_reserve(phys);
	if (phys->khugepaged) {
		recommend_min_free(phys);
		phys_setup_wmarks(phys);
	}
}

void
phys_set_khugepaged(struct phys *phys, bool runs)
{
	phys->khugepaged = runs;
	if (runs)
		recommend_min_free(phys);
	else
		calculate_min_free_kbytes(phys);
	phys_setup_wmarks(phys);
}

void
boot_khugepaged(struct phys *phys)
{
	uint64_t managed = 0;

	for (unsigned int id = 0; id < phys->nr_zones; id++)
		managed += phys->zones[id]->managed_pages;
	/* Small machines switch huge pages off and stop here. */
	if (!phys->arch->thp || managed << phys->page_shift < MIB(512))
		return;
	phys_set_khugepaged(phys, phys->cmdline->thp != THP_NEVER);
}

static uint64_t
node_stat_sum(const struct phys *phys, enum node_stat item)
{
	int64_t sum = 0;

	for (unsigned int n = 0; n < phys->nr_nodes; n++)
		sum += phys->nodes[n]->stat[item];
	return sum > 0 ? (uint64_t)sum : 0;
}

uint64_t
phys_available(const struct phys *phys)
{
	uint64_t low = 0, cache, slab;
	int64_t available = -(int64_t)phys->total_reserve_pages;

	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		available += phys->zones[id]->stat[ZS_nr_free_pages];
		low += wmark_pages(phys->zones[id], WMARK_LOW);
	}
	cache = node_stat_sum(phys, NS_nr_active_file) +
		node_stat_sum(phys, NS_nr_inactive_file);
	slab = node_stat_sum(phys, NS_nr_slab_reclaimable) +
	       node_stat_sum(phys, NS_nr_kernel_misc_reclaimable);
	available += (int64_t)(cache - MIN_OF(cache / 2, low));
	available += (int64_t)(slab - MIN_OF(slab / 2, low));
	return available > 0 ? (uint64_t)available : 0;
}
