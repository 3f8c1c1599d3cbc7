// SPDX-License-Identifier: MIT
/*
 * pageblock.c - the migrate type of each pageblock
 *
 * What it models: pageblock_flags of mm/page_alloc.c, one byte a pageblock.
 *
 * How it works: a byte holds type ^ MOVABLE, so that memory nobody touched is
 * Movable, as memmap_init() makes it.  The array is sparse and may be tens of
 * megabytes; 4096 marks, each for an equal share of it, tell which parts of it
 * were ever written, so that nobody has to look at the others.
 */
#include "buddy_impl.h"

#include <string.h>

static uint64_t
pageblock_index(const struct phys *phys, pfn_t pfn)
{
	return pfn >> phys->pageblock_order;
}

/* log2 of the pageblocks that share one mark. */
static unsigned int
mark_shift(const struct phys *phys)
{
	uint64_t last = pageblock_index(phys, phys->max_pfn);
	unsigned int shift = 0;

	while (last >> shift >= PAGEBLOCK_MARKS)
		shift++;
	return shift;
}

enum migratetype
pageblock_type(const struct phys *phys, pfn_t pfn)
{
	return block_type(phys, pfn);
}

void
pageblock_set_type(struct phys *phys, pfn_t pfn, enum migratetype type)
{
	uint64_t index = pageblock_index(phys, pfn);
	uint64_t mark = index >> mark_shift(phys);
	enum migratetype old = block_type(phys, pfn);
	uint8_t parted = phys->pageblocks[index] & PAGEBLOCK_PARTED;

	if (phys->mobility_off && type_is_mergeable(type))
		type = MIGRATE_UNMOVABLE;
	if (type != old && !type_is_mergeable(old))
		parted = PAGEBLOCK_PARTED;
	phys->pageblocks[index] = (uint8_t)(type ^ MIGRATE_MOVABLE) | parted;
	phys->pageblock_marks[mark / 64] |= 1ULL << mark % 64;
}

/* The first byte of @from..@end that is not 0, or @end. */
static uint64_t
next_set_byte(const uint8_t *bytes, uint64_t from, uint64_t end)
{
	for (; from < end; from++) {
		uint64_t word;

		if (from % 8 == 0 && end - from >= 8) {
			memcpy(&word, bytes + from, 8);
			if (!word) {
				from += 7;
				continue;
			}
		}
		if (bytes[from])
			break;
	}
	return from;
}

pfn_t
pageblock_next_set(const struct phys *phys, pfn_t from, pfn_t end)
{
	unsigned int shift = mark_shift(phys);
	unsigned int order = phys->pageblock_order;
	uint64_t at, last;

	if (end > phys->max_pfn)
		end = phys->max_pfn;
	if (from >= end)
		return PFN_NONE;
	at = pageblock_index(phys, from);
	last = pageblock_index(phys, end - 1) + 1;
	while (at < last) {
		uint64_t mark = at >> shift;
		uint64_t next = MIN_OF((mark + 1) << shift, last);

		if ((phys->pageblock_marks[mark / 64] >> mark % 64) & 1) {
			at = next_set_byte(phys->pageblocks, at, next);
			if (at < next)
				return MAX_OF(from, at << order);
		}
		at = next;
	}
	return PFN_NONE;
}
