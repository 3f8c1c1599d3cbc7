// SPDX-License-Identifier: MIT
/*
 * replay_objects.c - which of our objects stands for which recorded one
 *
 * How it works: a hash table with open addressing and linear probing, 16 bytes
 * a slot.  A key is removed by moving back those behind it, so that there are
 * no tombstones and the table's size follows what is live.  Beside our address,
 * as a distance from the direct map's start, a slot has room for the call site
 * that allocated: it tells which cache that site takes from when the object's
 * free names one.
 *
 * Always true: at most half of the slots are used; the slots between a key's
 * own and the one it lies in are used.
 */
#include "replay_slab_impl.h"

#include "kmemfs/base/check.h"

#include <glib.h>
#include <stdlib.h>

#define SLOTS_MIN 64
#define SITE_BITS 16

struct slot {
	uint64_t ptr;	  /* recorded; 0: unused */
	uint64_t at_site; /* our physical address << SITE_BITS | site */
};

struct object_map {
	struct slot *slot;
	unsigned int bits; /* there are 2^bits slots */
	uint64_t used;
};

_Static_assert(sizeof(struct slot) == 16, "compact");
_Static_assert(REPLAY_SITES_MAX <= 1 << SITE_BITS, "a site's number fits");

static uint64_t
mix(uint64_t v)
{
	v *= 0x9e3779b97f4a7c15ULL;
	v ^= v >> 29;
	return v * 0xbf58476d1ce4e5b9ULL;
}

static uint64_t
size_of(const struct object_map *map)
{
	return 1ULL << map->bits;
}

static uint64_t
home(const struct object_map *map, uint64_t ptr)
{
	return ptr * 0x9e3779b97f4a7c15ULL >> (64 - map->bits);
}

static uint64_t
seek(const struct object_map *map, uint64_t ptr)
{
	uint64_t mask = size_of(map) - 1, at = home(map, ptr);

	while (map->slot[at].ptr && map->slot[at].ptr != ptr)
		at = (at + 1) & mask;
	return at;
}

static void
init(struct object_map *map, unsigned int bits)
{
	map->bits = bits;
	map->slot = g_new0(struct slot, size_of(map));
}

static void
resize(struct object_map *map, unsigned int bits)
{
	struct slot *old = map->slot;
	uint64_t size = size_of(map);

	init(map, bits);
	for (uint64_t i = 0; i < size; i++)
		if (old[i].ptr)
			map->slot[seek(map, old[i].ptr)] = old[i];
	g_free(old);
}

struct object_map *
object_map_new(void)
{
	struct object_map *map = g_new0(struct object_map, 1);

	init(map, (unsigned int)__builtin_ctz(SLOTS_MIN));
	return map;
}

void
object_map_free(struct object_map *map)
{
	if (!map)
		return;
	g_free(map->slot);
	g_free(map);
}

void
object_map_add(struct object_map *map, uint64_t ptr, pa_t pa, uint32_t site)
{
	struct slot *slot;

	KM_ASSERT(ptr && !(pa >> (64 - SITE_BITS)) && !(site >> SITE_BITS));
	if ((map->used + 1) * 2 > size_of(map))
		resize(map, map->bits + 1);
	slot = &map->slot[seek(map, ptr)];
	KM_ASSERT(!slot->ptr);
	slot->ptr = ptr;
	slot->at_site = pa << SITE_BITS | site;
	map->used++;
}

static void
tell(const struct slot *slot, struct replay_object *object)
{
	object->ptr = slot->ptr;
	object->pa = slot->at_site >> SITE_BITS;
	object->site = slot->at_site & ((1U << SITE_BITS) - 1);
}

bool
object_map_find(const struct object_map *map, uint64_t ptr,
		struct replay_object *object)
{
	const struct slot *slot;

	if (!ptr)
		return false;
	slot = &map->slot[seek(map, ptr)];
	if (slot->ptr)
		tell(slot, object);
	return slot->ptr != 0;
}

/* Move back what lies behind the hole at @hole and may lie there. */
static void
close_hole(struct object_map *map, uint64_t hole)
{
	uint64_t mask = size_of(map) - 1, at = hole;

	for (;;) {
		uint64_t from;

		at = (at + 1) & mask;
		if (!map->slot[at].ptr)
			break;
		from = home(map, map->slot[at].ptr);
		/* Whether its home lies cyclically in (hole, at]. */
		if (((at - from) & mask) < ((at - hole) & mask))
			continue;
		map->slot[hole] = map->slot[at];
		hole = at;
	}
	map->slot[hole] = (struct slot){0};
}

bool
object_map_take(struct object_map *map, uint64_t ptr,
		struct replay_object *object)
{
	uint64_t at;

	if (!ptr)
		return false;
	at = seek(map, ptr);
	if (!map->slot[at].ptr)
		return false;
	tell(&map->slot[at], object);
	close_hole(map, at);
	map->used--;
	if (size_of(map) > SLOTS_MIN && map->used * 16 < size_of(map))
		resize(map, map->bits - 1);
	return true;
}

uint64_t
object_map_count(const struct object_map *map)
{
	return map->used;
}

uint64_t
object_map_fingerprint(const struct object_map *map)
{
	uint64_t sum = map->used;

	for (uint64_t i = 0; i < size_of(map); i++)
		if (map->slot[i].ptr)
			sum += mix(mix(map->slot[i].ptr) ^
				   map->slot[i].at_site >> SITE_BITS);
	return sum;
}

static int
compare(const void *a, const void *b)
{
	uint64_t one = ((const struct replay_object *)a)->ptr;
	uint64_t other = ((const struct replay_object *)b)->ptr;

	return one < other ? -1 : one > other;
}

struct replay_object *
object_map_list(const struct object_map *map, uint64_t *nr)
{
	struct replay_object *list = g_new(struct replay_object, map->used + 1);

	*nr = 0;
	for (uint64_t i = 0; i < size_of(map); i++)
		if (map->slot[i].ptr)
			tell(&map->slot[i], &list[(*nr)++]);
	qsort(list, *nr, sizeof(*list), compare);
	return list;
}
