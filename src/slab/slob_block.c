// SPDX-License-Identifier: MIT
/*
 * slob_block.c - SLOB's free blocks, in modelled RAM
 *
 * What it models: set_slob, slob_units, slob_next, slob_last of mm/slob.c of
 *                 6.1.192.
 * Where it lies:  in the free block itself, in units of 2 bytes (4 when a page
 *                 is larger than 65534 bytes):
 *
 *     more than one unit     units | next      next: of the block that follows,
 *     a single unit          -next             units from the page's beginning
 *
 *                 The last block's next is the page's end.
 * How it works:   both are read back as they are, with a sign, and may lead out
 *                 of the page; an address without memory is an oops of the
 *                 caller's.
 */
#include "slob_impl.h"

static int64_t
unit_at(const struct slab_common *sc, pa_t pa)
{
	if (slob_unit(sc) == 4)
		return (int32_t)ram_load(sc->ram, pa, 4);
	/* ram_load knows words only. */
	return (int16_t)(ram_load(sc->ram, pa, 4) & 0xffff);
}

static bool
store_units(struct slab_common *sc, va_t at, const int64_t *value,
	    unsigned int nr)
{
	uint32_t unit = slob_unit(sc);
	uint8_t bytes[8];
	pa_t pa;

	if (!slab_mapped(sc, at, (size_t)nr * unit, &pa))
		return false;
	for (unsigned int i = 0; i < nr; i++)
		for (uint32_t k = 0; k < unit; k++)
			bytes[i * unit + k] =
				(uint8_t)((uint64_t)value[i] >> (8 * k));
	return ram_write(sc->ram, pa, bytes, (size_t)nr * unit) == 0;
}

static va_t
page_of(const struct slab_common *sc, va_t at)
{
	return at & ~(page_size(sc->phys) - 1);
}

bool
slob_read(const struct slab_common *sc, va_t at, struct slob_block *b)
{
	uint32_t unit = slob_unit(sc);
	int64_t first, next;
	pa_t pa;

	if (!slab_mapped(sc, at, unit, &pa))
		return false;
	first = unit_at(sc, pa);
	next = -first;
	if (first >= 0) {
		if (!slab_mapped(sc, at + unit, unit, &pa))
			return false;
		next = unit_at(sc, pa);
	}
	*b = (struct slob_block){
		.at = at,
		.units = first > 0 ? first : 1,
		.next = page_of(sc, at) + (uint64_t)(next * unit),
	};
	return true;
}

bool
slob_write(struct slab_common *sc, va_t at, int64_t units, va_t next)
{
	int64_t offset = (int64_t)(next - page_of(sc, at)) / slob_unit(sc);
	const int64_t two[2] = {units, offset}, one[1] = {-offset};

	return units > 1 ? store_units(sc, at, two, 2)
			 : store_units(sc, at, one, 1);
}

bool
slob_last(const struct slab_common *sc, const struct slob_block *b)
{
	return page_of(sc, b->next) == b->next;
}

unsigned int
slob_walk(const struct slab *page, uint8_t *state, bool *broken)
{
	const struct slab_common *sc = page->cache->common;
	va_t base = slab_address(page);
	uint32_t unit = slob_unit(sc), end = slob_page_units(sc);
	uint64_t from = 0;
	unsigned int found = 0;
	struct slob_block b = {.next = page->freelist};

	*broken = false;
	if (!page->freelist)
		return 0;
	/* Blocks lie in order of their addresses and leave gaps. */
	do {
		uint64_t at = (b.next - base) / unit;

		*broken = b.next < base || (b.next - base) % unit ||
			  at < from || at >= end ||
			  !slob_read(sc, b.next, &b) ||
			  (uint64_t)b.units > end - at;
		if (*broken)
			return found;
		memset(state + at, OBJECT_FREE, (size_t)b.units);
		found += (unsigned int)b.units;
		from = at + (uint64_t)b.units;
	} while (!slob_last(sc, &b));
	*broken = b.next != base + (uint64_t)end * unit;
	return found;
}
