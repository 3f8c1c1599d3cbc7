// SPDX-License-Identifier: MIT
/*
 * percpu_chunk.c - what of a chunk is free, and the lists of chunks
 *
 * What it models: pcpu_find_block_fit, pcpu_alloc_area, pcpu_free_area,
 *                 pcpu_chunk_relocate, pcpu_size_to_slot of mm/percpu.c of
 *                 6.1.192.
 * How it works:   a map with an entry for each 4 bytes; the first place that is
 *                 large enough is taken.  Chunks stand on lists by the size of
 *                 their largest free stretch, so that the fullest chunk that
 *                 can serve is found first.
 * Always true:    free_bytes, contig and first_free are what the map says.
 * Differs from the kernel: hints of where to look, which may make it pass over
 *                 a place for an alignment beyond 4, are not kept.
 */
#include "percpu_impl.h"

#include <string.h>

#define SLOT_BASE_SHIFT 5 /* 1-31 bytes share a list */

static uint64_t
nr_bits(const struct percpu *pc, const struct percpu_chunk *c)
{
	return c->nr_pages * page_size(pc->phys) / PERCPU_MIN_ALLOC;
}

/* --- lists -----------------------------------------------------------------
 */

static unsigned int
size_slot(uint64_t size)
{
	int high = 0;

	while (size >> high)
		high++;
	return (unsigned int)MAX_OF(high - SLOT_BASE_SHIFT + 2, 1);
}

unsigned int
percpu_free_slot(const struct percpu *pc)
{
	return pc->nr_slots - 1;
}

unsigned int
percpu_size_slot(const struct percpu *pc, uint64_t size)
{
	return size == pc->unit_size ? percpu_free_slot(pc) : size_slot(size);
}

static unsigned int
chunk_slot(const struct percpu *pc, const struct percpu_chunk *c)
{
	if (c->free_bytes < PERCPU_MIN_ALLOC || !c->contig)
		return 0;
	return percpu_size_slot(pc, c->contig);
}

void
percpu_chunk_move(struct percpu *pc, struct percpu_chunk *c, unsigned int slot)
{
	g_queue_remove(&pc->slots[c->slot], c);
	c->slot = slot;
	g_queue_push_head(&pc->slots[slot], c);
}

void
percpu_chunk_relocate(struct percpu *pc, struct percpu_chunk *c, bool fresh)
{
	unsigned int slot = chunk_slot(pc, c);

	if (c->reserved)
		return;
	if (fresh) {
		c->slot = slot;
		g_queue_push_head(&pc->slots[slot], c);
	} else if (slot != c->slot) {
		bool fuller = c->slot < slot;

		g_queue_remove(&pc->slots[c->slot], c);
		c->slot = slot;
		if (fuller)
			g_queue_push_head(&pc->slots[slot], c);
		else
			g_queue_push_tail(&pc->slots[slot], c);
	}
}

/* --- the map ----------------------------------------------------------------
 */

static bool
page_empty(const struct percpu *pc, const struct percpu_chunk *c, uint64_t page)
{
	uint64_t per_page = page_size(pc->phys) / PERCPU_MIN_ALLOC;
	const uint8_t *map = c->map + page * per_page;

	for (uint64_t i = 0; i < per_page; i++)
		if (map[i] != PERCPU_FREE)
			return false;
	return true;
}

void
percpu_chunk_recount(struct percpu *pc, struct percpu_chunk *c)
{
	uint64_t bits = nr_bits(pc, c), run = 0, best = 0, empty = 0;

	c->free_bytes = 0;
	c->first_free = bits;
	for (uint64_t i = 0; i < bits; i++) {
		if (c->map[i] != PERCPU_FREE) {
			run = 0;
			continue;
		}
		c->first_free = MIN_OF(c->first_free, i);
		c->free_bytes += PERCPU_MIN_ALLOC;
		run++;
		best = MAX_OF(best, run);
	}
	c->contig = best * PERCPU_MIN_ALLOC;
	c->nr_populated = 0;
	for (uint64_t page = 0; page < c->nr_pages; page++) {
		c->nr_populated += c->populated[page];
		empty += c->populated[page] && page_empty(pc, c, page);
	}
	if (!c->reserved)
		pc->nr_empty_pop += empty - c->nr_empty_pop;
	c->nr_empty_pop = empty;
}

struct percpu_chunk *
percpu_chunk_new(struct percpu *pc, struct percpu_area *area,
		 uint64_t first_page, uint64_t nr_pages)
{
	struct percpu_chunk *c = g_new0(struct percpu_chunk, 1);

	c->area = area;
	c->first_page = first_page;
	c->nr_pages = nr_pages;
	c->map = g_malloc0(nr_bits(pc, c));
	c->populated = g_new0(bool, nr_pages);
	percpu_chunk_recount(pc, c);
	return c;
}

void
percpu_chunk_free(struct percpu_chunk *c)
{
	if (!c)
		return;
	g_free(c->map);
	g_free(c->populated);
	g_free(c);
}

static void
mark(struct percpu_chunk *c, uint64_t off, uint64_t size)
{
	uint64_t bit = off / PERCPU_MIN_ALLOC;

	if (!size)
		return;
	memset(c->map + bit, PERCPU_REST, size / PERCPU_MIN_ALLOC);
	c->map[bit] = PERCPU_START;
}

void
percpu_chunk_bound(struct percpu *pc, struct percpu_chunk *c,
		   uint64_t start_offset, uint64_t end_offset)
{
	uint64_t bytes = c->nr_pages * page_size(pc->phys);

	c->start_offset = start_offset;
	c->end_offset = end_offset;
	mark(c, 0, start_offset);
	mark(c, bytes - end_offset, end_offset);
	for (uint64_t page = 0; page < c->nr_pages; page++)
		c->populated[page] = true;
	percpu_chunk_recount(pc, c);
}

static bool
all_populated(const struct percpu *pc, const struct percpu_chunk *c,
	      uint64_t off, uint64_t size)
{
	unsigned int shift = pc->phys->page_shift;

	for (uint64_t page = off >> shift; page <= (off + size - 1) >> shift;
	     page++)
		if (!c->populated[page])
			return false;
	return true;
}

uint64_t
percpu_chunk_find(const struct percpu *pc, const struct percpu_chunk *c,
		  uint64_t size, uint64_t align, bool populated)
{
	uint64_t bits = nr_bits(pc, c), want = size / PERCPU_MIN_ALLOC;
	uint64_t step = align / PERCPU_MIN_ALLOC, at = c->first_free;

	if (c->contig < size)
		return UINT64_MAX;
	for (at = round_up_to(at, step); at + want <= bits;) {
		uint64_t n = 0;

		while (n < want && c->map[at + n] == PERCPU_FREE)
			n++;
		if (n < want)
			at = round_up_to(at + n + 1, step);
		else if (populated &&
			 !all_populated(pc, c, at * PERCPU_MIN_ALLOC, size))
			at += step;
		else
			return at * PERCPU_MIN_ALLOC;
	}
	return UINT64_MAX;
}

void
percpu_chunk_take(struct percpu *pc, struct percpu_chunk *c, uint64_t off,
		  uint64_t size)
{
	struct percpu_stats *stats = &pc->stats;

	mark(c, off, size);
	percpu_chunk_recount(pc, c);
	percpu_chunk_relocate(pc, c, false);
	stats->nr_alloc++;
	stats->nr_cur_alloc++;
	stats->nr_max_alloc = MAX_OF(stats->nr_max_alloc, stats->nr_cur_alloc);
	stats->min_alloc_size = MIN_OF(stats->min_alloc_size, size);
	stats->max_alloc_size = MAX_OF(stats->max_alloc_size, size);
	c->nr_alloc++;
	c->max_alloc_size = MAX_OF(c->max_alloc_size, size);
}

uint64_t
percpu_chunk_give(struct percpu *pc, struct percpu_chunk *c, uint64_t off)
{
	uint64_t bits = nr_bits(pc, c), bit = off / PERCPU_MIN_ALLOC;
	uint64_t end = bit + 1;

	while (end < bits && c->map[end] == PERCPU_REST)
		end++;
	memset(c->map + bit, PERCPU_FREE, end - bit);
	pc->stats.nr_dealloc++;
	pc->stats.nr_cur_alloc--;
	c->nr_alloc--;
	percpu_chunk_recount(pc, c);
	percpu_chunk_relocate(pc, c, false);
	return (end - bit) * PERCPU_MIN_ALLOC;
}
