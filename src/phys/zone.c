// SPDX-License-Identifier: MIT
/*
 * zone.c - architectures, zone names, and where a pfn belongs
 *
 * How it works:   the memory that is online is a sorted list of spans, each of
 *                 one zone.  Memory is also cut in equal granules, at most
 *                 65536; a granule that lies in one span whole names its zone
 *                 in span_index, so that nearly all look-ups are one load.
 *                 Others search the spans.
 *
 *                   spans   [====DMA====][=======DMA32=========]  [==Normal==
 *                   index     0    1    |  2  |  2  |  2  |  0  |  0  |  3  |
 *
 * Always true:    no two spans overlap; a span lies inside its zone.
 */
#include "boot_impl.h"
#include "buddy_impl.h"

#include <string.h>

#define ZONES_X86_64                                                           \
	(1 << ZONE_DMA | 1 << ZONE_DMA32 | 1 << ZONE_NORMAL |                  \
	 1 << ZONE_MOVABLE | 1 << ZONE_DEVICE)
#define ZONES_I386                                                             \
	(1 << ZONE_DMA | 1 << ZONE_NORMAL | 1 << ZONE_HIGHMEM |                \
	 1 << ZONE_MOVABLE)

/* Linux 6.1 as Debian builds it; generic: a small kernel without huge pages,
 * so a pageblock is the largest block. */
const struct arch archs[NR_ARCHS] = {
	[ARCH_X86_64] =
		{
			       .name = "x86-64",
			       .zone_mask = ZONES_X86_64,
			       .pageblock_order = 9,
			       .thp = true,
			       .numa = true,
			       .struct_page_size = 64,
			       .page_offset = 0xffff888000000000,
			       .vmemmap = 0xffffea0000000000,
			       .pfn_limit = 1ULL
				     << (46 - 12), /* four-level direct map */
		},
	[ARCH_I386] =
		{
			       .name = "i386",
			       .zone_mask = ZONES_I386,
			       .pageblock_order = 10,
			       .thp = true,
			       .struct_page_size = 40,
			       .page_offset = 0xc0000000,
			       .pfn_limit = 1ULL << (32 - 12),
			       },
	[ARCH_I386_PAE] =
		{
			       .name = "i386-pae",
			       .zone_mask = ZONES_I386,
			       .pageblock_order = 9,
			       .thp = true,
			       .struct_page_size = 40,
			       .page_offset = 0xc0000000,
			       .pfn_limit = 1ULL << (36 - 12),
			       },
	[ARCH_GENERIC] =
		{
			       .name = "generic",
			       .zone_mask = 1 << ZONE_NORMAL | 1 << ZONE_MOVABLE,
			       .pageblock_order = MAX_ORDER - 1,
			       .struct_page_size = 32,
			       .pfn_limit = 1ULL << (52 - 12),
			       },
};

enum arch_id
arch_find(const char *name)
{
	for (unsigned int i = 0; i < NR_ARCHS; i++) {
		if (!strcmp(archs[i].name, name))
			return (enum arch_id)i;
	}
	return NR_ARCHS;
}

const char *
zone_type_name(enum zone_type type)
{
	static const char *const names[] = {
#define ZONE(id, name, vmstat) [ZONE_##id] = name,
#include "kmemfs/phys/zone.def"
#undef ZONE
	};

	return names[type];
}

bool
zone_is_highmem(const struct zone *zone)
{
	return zone->type == ZONE_HIGHMEM ||
	       (zone->type == ZONE_MOVABLE &&
		zone->phys->movable_zone == ZONE_HIGHMEM);
}

static const struct pfn_span *
span_at(const GArray *spans, guint i)
{
	return &g_array_index(spans, struct pfn_span, i);
}

guint
phys_span_above(const GArray *spans, pfn_t pfn)
{
	guint low = 0, high = spans->len;

	while (low < high) {
		guint mid = low + (high - low) / 2;

		if (span_at(spans, mid)->end > pfn)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static const struct pfn_span *
span_find(const GArray *spans, pfn_t pfn)
{
	guint i = phys_span_above(spans, pfn);

	if (i == spans->len || span_at(spans, i)->start > pfn)
		return NULL;
	return span_at(spans, i);
}

#define GRANULES_MOST 65536
#define GRANULE_SHIFT_LEAST 15 /* 128 MiB of 4 KiB */

void
phys_index_spans(struct phys *phys)
{
	unsigned int shift = GRANULE_SHIFT_LEAST;

	while (phys->frames_len >> shift >= GRANULES_MOST)
		shift++;
	g_free(phys->span_index);
	phys->span_shift = shift;
	phys->span_index_len = (phys->frames_len >> shift) + 1;
	phys->span_index = g_new0(uint16_t, phys->span_index_len);
	for (guint i = 0; i < phys->spans->len; i++) {
		const struct pfn_span *s = span_at(phys->spans, i);
		uint64_t first = round_up_to(s->start, 1ULL << shift) >> shift;

		for (uint64_t g = first; (g + 1) << shift <= s->end; g++)
			phys->span_index[g] = (uint16_t)(s->zone + 1);
	}
}

static bool
zone_has(const struct phys *phys, unsigned int id, pfn_t pfn)
{
	return zone_spans(phys->zones[id], pfn);
}

/*
 * A hole belongs to the zone of the memory that follows it when that zone
 * spans the hole (memmap_init initialises holes so), else of the memory before
 * it, else to any that spans it.
 */
static struct zone *
zone_of_hole(const struct phys *phys, pfn_t pfn)
{
	guint next = phys_span_above(phys->spans, pfn);

	if (next < phys->spans->len &&
	    zone_has(phys, span_at(phys->spans, next)->zone, pfn))
		return phys->zones[span_at(phys->spans, next)->zone];
	if (next > 0 &&
	    zone_has(phys, span_at(phys->spans, next - 1)->zone, pfn))
		return phys->zones[span_at(phys->spans, next - 1)->zone];
	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		if (zone_has(phys, id, pfn))
			return phys->zones[id];
	}
	return NULL;
}

struct zone *
phys_zone_of(const struct phys *phys, pfn_t pfn)
{
	uint16_t around = zone_around(phys, pfn);
	const struct pfn_span *span;

	if (around)
		return phys->zones[around - 1];
	span = span_find(phys->spans, pfn);
	return span ? phys->zones[span->zone] : zone_of_hole(phys, pfn);
}

bool
phys_present(const struct phys *phys, pfn_t pfn)
{
	return zone_around(phys, pfn) || span_find(phys->spans, pfn);
}

/* How many of @len bytes from @at on are in @ranges without a hole. */
static uint64_t
in_ranges(const GArray *ranges, pa_t at, uint64_t len)
{
	uint64_t sum = 0;

	/* Ranges that touch may stand apart, one for each node. */
	for (guint i = 0; sum < len && i < ranges->len; i++) {
		const struct range *r = &g_array_index(ranges, struct range, i);

		if (at + sum >= r->start && at + sum < r->end)
			sum = MIN_OF(len, r->end - at);
	}
	return sum;
}

bool
phys_is_ram(const struct phys *phys, pa_t at, uint64_t len, pa_t ram_end)
{
	const GArray *map = phys->config->firmware;

	if (in_ranges(phys->memblock.memory, at, len) == len)
		return true;
	/* What mem= keeps from the kernel is memory all the same. */
	for (guint i = 0; i < map->len; i++) {
		const struct firmware_range *f =
			&g_array_index(map, struct firmware_range, i);
		pa_t end = MIN_OF(round_down_to(f->range.end, page_size(phys)),
				  ram_end);

		if (f->type == E820_USABLE && at < end && len <= end - at &&
		    at >= round_up_to(f->range.start, page_size(phys)))
			return true;
	}
	return false;
}

bool
phys_reserved(const struct phys *phys, pfn_t pfn)
{
	return phys_present(phys, pfn) && !span_find(phys->managed, pfn);
}
