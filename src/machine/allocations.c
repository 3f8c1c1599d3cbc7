// SPDX-License-Identifier: MIT
/*
 * allocations.c - the table of what is allocated through ops
 *
 * How it works: ids are given in order, so the table is an array in chunks of
 * 1024 pointers; a chunk whose allocations are all gone is freed (the newest
 * one when the next begins), and a bitmap tells which chunks are there. Looking
 * up, adding, removing and stepping to the next id all cost a few loads, with
 * millions live as with ten.
 *
 * Names that users give are in a hash table.  A made-up name, a<id>, is not:
 * it is read as its number.  The next made-up name passes over names that a
 * user has taken; and whoever asks for just the name that would be made up
 * next gets what the machine would have made.  So the name that comes out
 * decides everything, and replaying a journal that spells out made-up names
 * gives the same ids.
 *
 * Always true: no two live allocations have one name; ids only grow.
 */
#include "kmemfs/machine/machine.h"

#include "kmemfs/base/check.h"

#include <stdio.h>

#define CHUNK_BITS 10
#define CHUNK (1U << CHUNK_BITS)

struct chunk {
	unsigned int used;
	struct allocation *slot[CHUNK];
};

struct allocation_table {
	struct chunk **chunks; /* by id >> CHUNK_BITS */
	uint64_t *there;       /* bit per chunk that is not NULL */
	uint32_t nr_chunks;    /* room in both, a multiple of 64 */
	uint32_t last;	       /* id given last */
	uint64_t count;
	GHashTable *names;   /* name -> struct allocation, users' names */
	GHashTable *objects; /* address -> id of the object placed last */
	uint64_t nr_a_names; /* of them such as could be made up: a12 */
};

struct allocation_table *
allocation_table_new(void)
{
	struct allocation_table *t = g_new0(struct allocation_table, 1);

	t->names = g_hash_table_new(g_str_hash, g_str_equal);
	t->objects = g_hash_table_new(NULL, NULL);
	return t;
}

static void
allocation_free(struct allocation *a)
{
	g_free(a->name);
	g_free(a->why);
	g_free(a);
}

void
allocation_table_free(struct allocation_table *t)
{
	if (!t)
		return;
	for (uint32_t c = 0; c < t->nr_chunks; c++) {
		if (!t->chunks[c])
			continue;
		for (unsigned int i = 0; i < CHUNK; i++)
			if (t->chunks[c]->slot[i])
				allocation_free(t->chunks[c]->slot[i]);
		g_free(t->chunks[c]);
	}
	g_hash_table_destroy(t->names);
	g_hash_table_destroy(t->objects);
	g_free(t->chunks);
	g_free(t->there);
	g_free(t);
}

uint64_t
allocation_count(const struct machine *m)
{
	return m->allocations->count;
}

uint32_t
allocation_last_id(const struct machine *m)
{
	return m->allocations->last;
}

struct allocation *
allocation_get(struct machine *m, uint32_t id)
{
	const struct allocation_table *t = m->allocations;
	uint32_t c = id >> CHUNK_BITS;

	if (c >= t->nr_chunks || !t->chunks[c])
		return NULL;
	return t->chunks[c]->slot[id & (CHUNK - 1)];
}

/* The number in a name as it could be made up, a12; 0 for other names. */
static uint32_t
made_up_id(const char *name)
{
	uint64_t id = 0;

	if (name[0] != 'a' || name[1] < '1' || name[1] > '9')
		return 0;
	for (name++; *name >= '0' && *name <= '9'; name++) {
		id = id * 10 + (uint64_t)(*name - '0');
		if (id > ALLOCATION_ID_MAX)
			return 0;
	}
	return *name ? 0 : (uint32_t)id;
}

static void
made_up_name(uint32_t id, char buf[16])
{
	char *at = buf + 15;

	*at = '\0';
	do {
		*--at = (char)('0' + id % 10);
		id /= 10;
	} while (id);
	*--at = 'a';
	memmove(buf, at, (size_t)(buf + 16 - at));
}

const char *
allocation_name(const struct allocation *a, char buf[16])
{
	if (a->named)
		return a->name;
	made_up_name(a->id, buf);
	return buf;
}

struct allocation *
allocation_find(struct machine *m, const char *name)
{
	uint32_t id = made_up_id(name);
	struct allocation *a = id ? allocation_get(m, id) : NULL;

	if (a && !a->named)
		return a;
	return g_hash_table_lookup(m->allocations->names, name);
}

/* The first chunk from @c on; nr_chunks when there is none. */
static uint32_t
chunk_next(const struct allocation_table *t, uint32_t c)
{
	while (c < t->nr_chunks) {
		uint64_t bits = t->there[c / 64] >> (c % 64);

		if (bits)
			return c + (uint32_t)__builtin_ctzll(bits);
		c = (c / 64 + 1) * 64;
	}
	return t->nr_chunks;
}

struct allocation *
allocation_next(struct machine *m, uint32_t after)
{
	const struct allocation_table *t = m->allocations;
	uint64_t id = (uint64_t)after + 1;

	while (id <= t->last) {
		uint32_t c = chunk_next(t, (uint32_t)(id >> CHUNK_BITS));

		if (c == t->nr_chunks)
			return NULL;
		if (c > id >> CHUNK_BITS)
			id = (uint64_t)c << CHUNK_BITS;
		do {
			struct allocation *a =
				t->chunks[c]->slot[id & (CHUNK - 1)];

			if (a)
				return a;
		} while (++id & (CHUNK - 1));
	}
	return NULL;
}

static void
chunk_drop(struct allocation_table *t, uint32_t c)
{
	g_free(t->chunks[c]);
	t->chunks[c] = NULL;
	t->there[c / 64] &= ~(1ULL << (c % 64));
}

/* Room for @id in the array of chunks, and the chunk itself. */
static struct chunk *
chunk_make(struct allocation_table *t, uint32_t id)
{
	uint32_t c = id >> CHUNK_BITS;

	if (c >= t->nr_chunks) {
		uint32_t nr = MAX_OF(64, t->nr_chunks * 2);

		while (nr <= c)
			nr *= 2;
		t->chunks = g_renew(struct chunk *, t->chunks, nr);
		t->there = g_renew(uint64_t, t->there, nr / 64);
		memset(t->chunks + t->nr_chunks, 0,
		       (nr - t->nr_chunks) * sizeof(*t->chunks));
		memset(t->there + t->nr_chunks / 64, 0,
		       (nr - t->nr_chunks) / 64 * sizeof(*t->there));
		t->nr_chunks = nr;
	}
	if (!t->chunks[c]) {
		uint32_t before = t->last >> CHUNK_BITS;

		if (t->chunks[before] && !t->chunks[before]->used)
			chunk_drop(t, before);
		t->chunks[c] = g_new0(struct chunk, 1);
		t->there[c / 64] |= 1ULL << (c % 64);
	}
	return t->chunks[c];
}

/* The id whose name would be made up now; 0 when all are used up. */
static uint32_t
next_made_up(const struct allocation_table *t)
{
	uint64_t id = (uint64_t)t->last + 1;
	char name[16];

	for (; t->nr_a_names && id <= ALLOCATION_ID_MAX; id++) {
		made_up_name((uint32_t)id, name);
		if (!g_hash_table_contains(t->names, name))
			break;
	}
	return id <= ALLOCATION_ID_MAX ? (uint32_t)id : 0;
}

static void
tell_name(struct machine *m, const struct allocation *a)
{
	char buf[16];

	machine_tell_entry(m, ENTRY_ALLOC, NULL, allocation_name(a, buf));
}

struct allocation *
allocation_add(struct machine *m, const char *name)
{
	struct allocation_table *t = m->allocations;
	uint32_t as_id = name ? made_up_id(name) : 0;
	bool made_up = !name;
	struct allocation *a;
	struct chunk *chunk;
	uint32_t id;

	KM_DEBUG(!name || !allocation_find(m, name));
	if (t->last == ALLOCATION_ID_MAX)
		return NULL;
	id = t->last + 1;
	if (!name || as_id >= id) {
		uint32_t next = next_made_up(t);

		if (!name && !next)
			return NULL;
		if (!name || as_id == next) {
			id = next;
			made_up = true;
		}
	}
	a = g_new0(struct allocation, 1);
	a->id = id;
	a->named = !made_up;
	if (a->named) {
		a->name = g_strdup(name);
		g_hash_table_insert(t->names, a->name, a);
		t->nr_a_names += as_id != 0;
	}
	chunk = chunk_make(t, id);
	chunk->slot[id & (CHUNK - 1)] = a;
	chunk->used++;
	t->last = id;
	t->count++;
	tell_name(m, a);
	return a;
}

/*
 * Two objects may lie at one address: a double free that nobody noticed hands
 * it out twice.  The later one answers for the address; with it gone, none
 * does.
 */
void
allocation_place(struct machine *m, const struct allocation *a)
{
	g_hash_table_insert(m->allocations->objects,
			    GSIZE_TO_POINTER(a->address),
			    GUINT_TO_POINTER(a->id));
}

struct allocation *
allocation_at(struct machine *m, va_t address)
{
	uint32_t id = GPOINTER_TO_UINT(g_hash_table_lookup(
		m->allocations->objects, GSIZE_TO_POINTER(address)));

	return id ? allocation_get(m, id) : NULL;
}

void
allocation_remove(struct machine *m, struct allocation *a)
{
	struct allocation_table *t = m->allocations;
	uint32_t c = a->id >> CHUNK_BITS;
	struct chunk *chunk = t->chunks[c];

	KM_ASSERT(chunk && chunk->slot[a->id & (CHUNK - 1)] == a);
	tell_name(m, a);
	if (a->kind == ALLOCATION_OBJECT && allocation_at(m, a->address) == a)
		g_hash_table_remove(t->objects, GSIZE_TO_POINTER(a->address));
	if (a->kind == ALLOCATION_AREA)
		area_lift(m, a);
	if (a->named) {
		g_hash_table_remove(t->names, a->name);
		t->nr_a_names -= made_up_id(a->name) != 0;
	}
	chunk->slot[a->id & (CHUNK - 1)] = NULL;
	/* The chunk in use stays: allocating and freeing one thing again and
	 * again must not make and clear a chunk each time. */
	if (!--chunk->used && c != t->last >> CHUNK_BITS)
		chunk_drop(t, c);
	t->count--;
	allocation_free(a);
}
