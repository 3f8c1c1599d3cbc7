// SPDX-License-Identifier: MIT
/*
 * replay_map.c - which of our blocks stands for which recorded one
 *
 * How it works: a hash table with open addressing and linear probing; a key is
 * removed by moving back those behind it, so that there are no tombstones and
 * the table's size follows what is live, not the recording's length.  A look-up
 * by any frame of a block asks for each first frame it could have, one for each
 * order of which a block is live near by: in a region, some of the largest
 * blocks that there can be.
 *
 * Always true: at most 3/4 of the slots are used; the slots between a key's
 * own and the one it lies in are used.
 */
#include "replay_impl.h"

#include "kmemfs/base/check.h"

#include <glib.h>
#include <stdlib.h>

#define SLOTS_MIN 64
#define ORDER_BITS 4

/* An unused slot is all zeros: key is the recorded pfn plus one. */
struct slot {
	uint64_t key;
	uint64_t pfn_order; /* our pfn << ORDER_BITS | order */
};

#define REGIONS 1024U

struct replay_map {
	struct slot *slot;
	unsigned int bits; /* there are 2^bits slots */
	uint64_t used;
	uint64_t pages;
	uint16_t orders[REGIONS]; /* a bit for each order with a live block */
	uint32_t live[REGIONS][MAX_ORDER]; /* blocks by order */
};

_Static_assert(MAX_ORDER <= 1 << ORDER_BITS, "an order fits");

static uint64_t
map_mix(uint64_t v)
{
	v *= 0x9e3779b97f4a7c15ULL;
	v ^= v >> 29;
	return v * 0xbf58476d1ce4e5b9ULL;
}

static uint64_t
map_home(const struct replay_map *map, uint64_t key)
{
	return key * 0x9e3779b97f4a7c15ULL >> (64 - map->bits);
}

/* All frames of a block are of one. */
static unsigned int
map_region(pfn_t recorded)
{
	return recorded / (1ULL << (MAX_ORDER - 1)) % REGIONS;
}

static uint64_t
map_size(const struct replay_map *map)
{
	return 1ULL << map->bits;
}

static void
map_init(struct replay_map *map, unsigned int bits)
{
	map->bits = bits;
	map->slot = g_new0(struct slot, map_size(map));
}

struct replay_map *
replay_map_new(void)
{
	struct replay_map *map = g_new0(struct replay_map, 1);

	map_init(map, (unsigned int)__builtin_ctz(SLOTS_MIN));
	return map;
}

void
replay_map_free(struct replay_map *map)
{
	if (!map)
		return;
	g_free(map->slot);
	g_free(map);
}

/* Where @key lies, or the free slot where it would. */
static uint64_t
map_seek(const struct replay_map *map, uint64_t key)
{
	uint64_t mask = map_size(map) - 1, at = map_home(map, key);

	while (map->slot[at].key && map->slot[at].key != key)
		at = (at + 1) & mask;
	return at;
}

static void
map_resize(struct replay_map *map, unsigned int bits)
{
	struct slot *old = map->slot;
	uint64_t i, size = map_size(map);

	map_init(map, bits);
	for (i = 0; i < size; i++)
		if (old[i].key)
			map->slot[map_seek(map, old[i].key)] = old[i];
	g_free(old);
}

static void
map_block(const struct slot *slot, struct replay_block *block)
{
	block->recorded = slot->key - 1;
	block->pfn = slot->pfn_order >> ORDER_BITS;
	block->order = slot->pfn_order & ((1U << ORDER_BITS) - 1);
}

void
replay_map_add(struct replay_map *map, const struct replay_block *block)
{
	unsigned int region = map_region(block->recorded);
	struct slot *slot;

	KM_ASSERT(block->order < MAX_ORDER);
	if ((map->used + 1) * 4 > map_size(map) * 3)
		map_resize(map, map->bits + 1);
	slot = &map->slot[map_seek(map, block->recorded + 1)];
	KM_ASSERT(!slot->key);
	slot->key = block->recorded + 1;
	slot->pfn_order = block->pfn << ORDER_BITS | block->order;
	map->used++;
	map->live[region][block->order]++;
	map->orders[region] |= (uint16_t)(1U << block->order);
	map->pages += 1ULL << block->order;
}

bool
replay_map_find(const struct replay_map *map, pfn_t recorded,
		struct replay_block *block)
{
	const struct slot *slot = &map->slot[map_seek(map, recorded + 1)];

	if (slot->key)
		map_block(slot, block);
	return slot->key != 0;
}

bool
replay_map_cover(const struct replay_map *map, pfn_t recorded,
		 struct replay_block *block)
{
	unsigned int orders = map->orders[map_region(recorded)];

	for (; orders; orders &= orders - 1) {
		uint64_t size = 1ULL << __builtin_ctz(orders);

		if (replay_map_find(map, round_down_to(recorded, size),
				    block) &&
		    recorded - block->recorded < 1ULL << block->order)
			return true;
	}
	return false;
}

/* Move back what lies behind the hole at @hole and may lie there. */
static void
map_close(struct replay_map *map, uint64_t hole)
{
	uint64_t mask = map_size(map) - 1, at = hole;

	for (;;) {
		uint64_t home;

		at = (at + 1) & mask;
		if (!map->slot[at].key)
			break;
		home = map_home(map, map->slot[at].key);
		/* Whether its home lies cyclically in (hole, at]. */
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		map->slot[hole] = map->slot[at];
		hole = at;
	}
	map->slot[hole] = (struct slot){0};
}

void
replay_map_remove(struct replay_map *map, pfn_t recorded)
{
	unsigned int region = map_region(recorded);
	uint64_t at = map_seek(map, recorded + 1);
	struct replay_block block;

	KM_ASSERT(map->slot[at].key);
	map_block(&map->slot[at], &block);
	map_close(map, at);
	map->used--;
	if (!--map->live[region][block.order])
		map->orders[region] &= (uint16_t) ~(1U << block.order);
	map->pages -= 1ULL << block.order;
	if (map_size(map) > SLOTS_MIN && map->used * 8 < map_size(map))
		map_resize(map, map->bits - 1);
}

static int
map_compare(const void *a, const void *b)
{
	pfn_t one = ((const struct replay_block *)a)->recorded;
	pfn_t other = ((const struct replay_block *)b)->recorded;

	return one < other ? -1 : one > other;
}

struct replay_block *
replay_map_list(const struct replay_map *map, uint64_t *nr)
{
	struct replay_block *list = g_new(struct replay_block, map->used + 1);
	uint64_t i;

	*nr = 0;
	for (i = 0; i < map_size(map); i++)
		if (map->slot[i].key)
			map_block(&map->slot[i], &list[(*nr)++]);
	qsort(list, *nr, sizeof(*list), map_compare);
	return list;
}

uint64_t
replay_map_blocks(const struct replay_map *map)
{
	return map->used;
}

uint64_t
replay_map_pages(const struct replay_map *map)
{
	return map->pages;
}

uint64_t
replay_map_fingerprint(const struct replay_map *map)
{
	uint64_t i, sum = map->used;

	for (i = 0; i < map_size(map); i++)
		if (map->slot[i].key)
			sum += map_mix(map_mix(map->slot[i].key) ^
				       map->slot[i].pfn_order);
	return sum;
}
