// SPDX-License-Identifier: MIT
/*
 * pageblocks.c - how many pageblocks of a zone have which migrate type
 *
 * What it models: mm/vmstat.c:pagetypeinfo_showblockcount_print.
 * How it works: pageblocks are Movable unless something was done to them, and
 * a byte of 0 stands for that; so whole words of zeros are counted at once.
 */
#include "kmemfs/view/pageblocks.h"

#include "kmemfs/phys/memory_block.h"

#include <string.h>

/* Count those of @nr pageblocks from number @first on, none of them a hole. */
static void
count_run(const struct phys *phys, uint64_t first, uint64_t nr,
	  uint64_t count[MIGRATE_TYPES])
{
	unsigned int shift = phys->pageblock_order;
	uint64_t i = 0, word;

	while (i < nr) {
		if (nr - i >= sizeof(word)) {
			memcpy(&word, phys->pageblocks + first + i,
			       sizeof(word));
			if (!word) {
				count[MIGRATE_MOVABLE] += sizeof(word);
				i += sizeof(word);
				continue;
			}
		}
		count[pageblock_type(phys, (first + i) << shift)]++;
		i++;
	}
}

/*
 * The first pfn after @pfn, @until at most, that may be in another zone: the
 * end of the memory that @pfn is in, or the next pageblock in a hole.
 */
static pfn_t
same_zone_until(const struct phys *phys, pfn_t pfn, pfn_t until)
{
	guint low = 0, high = phys->spans->len;

	while (low < high) {
		guint middle = (low + high) / 2;

		if (g_array_index(phys->spans, struct pfn_span, middle).end >
		    pfn)
			high = middle;
		else
			low = middle + 1;
	}
	if (low < phys->spans->len) {
		const struct pfn_span *span =
			&g_array_index(phys->spans, struct pfn_span, low);

		if (span->start <= pfn)
			return MIN_OF(until, span->end);
	}
	return pfn + 1;
}

void
pageblocks_count(const struct zone *zone, uint64_t count[MIGRATE_TYPES])
{
	const struct phys *phys = zone->phys;
	unsigned int shift = phys->pageblock_order;
	pfn_t pfn = zone->start_pfn, end = zone_end_pfn(zone), until;
	uint64_t step = 1ULL << shift;

	memset(count, 0, MIGRATE_TYPES * sizeof(*count));
	while (pfn < end) {
		bool there = memory_has_page(phys, pfn, &until);
		uint64_t nr;

		until = MIN_OF(until, end);
		if (there)
			until = same_zone_until(phys, pfn, until);
		nr = (until - pfn + step - 1) >> shift;
		if (there && phys_zone_of(phys, pfn) == zone)
			count_run(phys, pfn >> shift, nr, count);
		pfn += nr << shift;
	}
}
