// SPDX-License-Identifier: MIT
/*
 * ram.c - the bytes of physical memory, sparse
 *
 * How it works: a radix tree over the number of a 4 KiB piece (the modelled
 * machine's page size plays no part), 12 bits a level, as deep as the end of
 * memory needs: two levels for 64 GiB, three for 256 TiB.
 *
 *     address   | level 1 (12) | level 0 (12) | byte (12) |
 *     root node --> slot ------> slot ------> piece of 4096 bytes
 *
 * Always true: a node other than the root has at least one used slot; what is
 * held is 4 KiB a piece and the size of a node for each node but the root, and
 * passes the limit by words of ram_store() only.  So what may still be written
 * depends only on which pieces are there, not on the way that led to it.
 *
 * Where it lies: all of it in the daemon's memory; this is the modelled RAM.
 */
#include "kmemfs/hw/ram.h"

#include "kmemfs/base/check.h"

#include <endian.h>
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PIECE_SHIFT 12
#define PIECE_SIZE (1ULL << PIECE_SHIFT)
#define LEVEL_BITS 12
#define SLOTS (1U << LEVEL_BITS)

struct ram_node {
	unsigned int used; /* slots that are not NULL */
	void *slot[SLOTS]; /* nodes; pieces at level 0 */
};

/* Memory of the host that pieces are cut from. */
struct chunk {
	struct chunk *next;
	void *start;
	size_t size;
};

/* A piece that is not used. */
struct unused {
	struct unused *next;
};

struct ram {
	pa_t end;
	uint64_t limit;
	uint64_t held;
	struct chunk *chunks;  /* newest first */
	uint8_t *fresh;	       /* rest of the newest */
	size_t fresh_left;     /* bytes of it */
	struct unused *unused; /* pieces that came back */
	unsigned int top;      /* level of the root */
	struct ram_node root;
};

static inline unsigned int
slot_of(uint64_t piece, unsigned int level)
{
	return (piece >> (level * LEVEL_BITS)) & (SLOTS - 1);
}

/* Pieces below one slot of a node at @level. */
static inline uint64_t
span_of(unsigned int level)
{
	return 1ULL << (level * LEVEL_BITS);
}

static bool
all_zero(const uint8_t *bytes, size_t len)
{
	return !len || (!*bytes && !memcmp(bytes, bytes + 1, len - 1));
}

struct ram *
ram_new(pa_t end, uint64_t limit)
{
	struct ram *ram = g_new0(struct ram, 1);

	KM_ASSERT(end <= 1ULL << 60);
	ram->end = end;
	ram->limit = limit;
	while (ram->top < 3 && end > PIECE_SIZE
					       << ((ram->top + 1) * LEVEL_BITS))
		ram->top++;
	return ram;
}

/* --- pieces ----------------------------------------------------------------
 *
 * Chunks double up to the size of a large page of the host, which is asked for
 * then: whoever goes about in modelled RAM at random would else wait for the
 * host's page tables more than for memory.
 */

#define CHUNK_FIRST (64U << 10)
#define CHUNK_MOST (2U << 20)

static void
chunk_add(struct ram *ram)
{
	size_t size = ram->chunks ? 2 * ram->chunks->size : CHUNK_FIRST;
	struct chunk *chunk = g_new(struct chunk, 1);

	size = MIN_OF(size, CHUNK_MOST);
	if (posix_memalign(&chunk->start, size, size))
		g_error("no memory for %zu bytes of modelled RAM", size);
	if (size == CHUNK_MOST)
		madvise(chunk->start, size, MADV_HUGEPAGE);
	chunk->size = size;
	chunk->next = ram->chunks;
	ram->chunks = chunk;
	ram->fresh = chunk->start;
	ram->fresh_left = size;
}

/* A piece of zeros. */
static uint8_t *
piece_new(struct ram *ram)
{
	uint8_t *piece = (uint8_t *)ram->unused;

	if (piece) {
		ram->unused = ram->unused->next;
	} else {
		if (!ram->fresh_left)
			chunk_add(ram);
		piece = ram->fresh;
		ram->fresh += PIECE_SIZE;
		ram->fresh_left -= PIECE_SIZE;
	}
	ram->held += PIECE_SIZE;
	return memset(piece, 0, PIECE_SIZE);
}

static void
piece_drop(struct ram *ram, void *piece)
{
	struct unused *u = piece;

	u->next = ram->unused;
	ram->unused = u;
	ram->held -= PIECE_SIZE;
}

static void
chunks_free(struct ram *ram)
{
	while (ram->chunks) {
		struct chunk *chunk = ram->chunks;

		ram->chunks = chunk->next;
		free(chunk->start);
		g_free(chunk);
	}
}

static void
node_free_below(struct ram_node *node, unsigned int level)
{
	for (unsigned int i = 0; node->used && i < SLOTS; i++) {
		if (!node->slot[i])
			continue;
		if (level) {
			node_free_below(node->slot[i], level - 1);
			g_free(node->slot[i]);
		}
		node->used--;
	}
}

void
ram_free(struct ram *ram)
{
	if (!ram)
		return;
	node_free_below(&ram->root, ram->top);
	chunks_free(ram);
	g_free(ram);
}

pa_t
ram_end(const struct ram *ram)
{
	return ram->end;
}

uint64_t
ram_held(const struct ram *ram)
{
	return ram->held;
}

static uint8_t *
piece_find(const struct ram *ram, uint64_t piece)
{
	const struct ram_node *node = &ram->root;

	for (unsigned int level = ram->top; level; level--) {
		node = node->slot[slot_of(piece, level)];
		if (!node)
			return NULL;
	}
	return node->slot[slot_of(piece, 0)];
}

/* The piece, made (all zeros) when it is not there. */
static uint8_t *
piece_make(struct ram *ram, uint64_t piece)
{
	struct ram_node *node = &ram->root;
	void **slot;

	for (unsigned int level = ram->top; level; level--) {
		slot = &node->slot[slot_of(piece, level)];
		if (!*slot) {
			*slot = g_malloc0(sizeof(*node));
			ram->held += sizeof(*node);
			node->used++;
		}
		node = *slot;
	}
	slot = &node->slot[slot_of(piece, 0)];
	if (!*slot) {
		*slot = piece_new(ram);
		node->used++;
	}
	return *slot;
}

/*
 * What making @piece adds to what is held, when @before (UINT64_MAX: none) is
 * the last piece that was counted but is not made yet: nodes that both need
 * are counted once.
 */
static uint64_t
piece_cost(const struct ram *ram, uint64_t piece, uint64_t before)
{
	const struct ram_node *node = &ram->root;
	unsigned int level = ram->top;
	uint64_t cost = PIECE_SIZE;

	for (; level && node->slot[slot_of(piece, level)]; level--)
		node = node->slot[slot_of(piece, level)];
	/* Here the path ends: the nodes at level - 1 and below are missing. */
	for (; level; level--)
		if (before == UINT64_MAX ||
		    before / span_of(level) != piece / span_of(level))
			cost += sizeof(*node);
	return cost;
}

void
ram_read(const struct ram *ram, pa_t at, void *to, size_t len)
{
	uint8_t *into = to;

	while (len) {
		size_t offset = at & (PIECE_SIZE - 1);
		size_t part = MIN_OF(len, PIECE_SIZE - offset);
		const uint8_t *piece = NULL;

		if (at < ram->end)
			piece = piece_find(ram, at >> PIECE_SHIFT);
		if (piece)
			memcpy(into, piece + offset, part);
		else
			memset(into, 0, part);
		into += part;
		at += part;
		len -= part;
	}
}

/*
 * Whether a write fits: @from NULL stands for bytes that are not zero.
 */
static int
write_check(const struct ram *ram, pa_t at, const uint8_t *from, size_t len)
{
	uint64_t room = ram->limit - MIN_OF(ram->held, ram->limit);
	uint64_t before = UINT64_MAX, need = 0;

	if (at > ram->end || len > ram->end - at)
		return -EFAULT;
	while (len) {
		size_t offset = at & (PIECE_SIZE - 1);
		size_t part = MIN_OF(len, PIECE_SIZE - offset);
		uint64_t piece = at >> PIECE_SHIFT;

		if (!piece_find(ram, piece) &&
		    !(from && all_zero(from, part))) {
			need += piece_cost(ram, piece, before);
			before = piece;
			if (need > room)
				return -ENOSPC;
		}
		if (from)
			from += part;
		at += part;
		len -= part;
	}
	return 0;
}

int
ram_may_write(const struct ram *ram, pa_t at, size_t len)
{
	return write_check(ram, at, NULL, len);
}

int
ram_write(struct ram *ram, pa_t at, const void *from, size_t len)
{
	const uint8_t *bytes = from;
	int err;

	/* A few bytes in a piece that is there: page tables live from this. */
	if (len <= PIECE_SIZE - (at & (PIECE_SIZE - 1)) && at < ram->end &&
	    len <= ram->end - at) {
		uint8_t *piece = piece_find(ram, at >> PIECE_SHIFT);

		if (piece) {
			memcpy(piece + (at & (PIECE_SIZE - 1)), from, len);
			return 0;
		}
	}
	err = write_check(ram, at, bytes, len);
	if (err)
		return err;
	while (len) {
		size_t offset = at & (PIECE_SIZE - 1);
		size_t part = MIN_OF(len, PIECE_SIZE - offset);
		uint8_t *piece = piece_find(ram, at >> PIECE_SHIFT);

		if (!piece && !all_zero(bytes, part))
			piece = piece_make(ram, at >> PIECE_SHIFT);
		if (piece)
			memcpy(piece + offset, bytes, part);
		bytes += part;
		at += part;
		len -= part;
	}
	return 0;
}

uint64_t
ram_load(const struct ram *ram, pa_t at, unsigned int bytes)
{
	size_t offset = at & (PIECE_SIZE - 1);
	uint64_t value = 0;

	if (at < ram->end && offset + bytes <= PIECE_SIZE) {
		const uint8_t *piece = piece_find(ram, at >> PIECE_SHIFT);

		if (!piece)
			return 0;
		if (bytes == sizeof(value))
			memcpy(&value, piece + offset, sizeof(value));
		else
			memcpy(&value, piece + offset, sizeof(uint32_t));
	} else {
		ram_read(ram, at, &value, bytes);
	}
	return le64toh(value);
}

/* A word that lies in two pieces. */
static void
store_across(struct ram *ram, pa_t at, unsigned int bytes, uint64_t value)
{
	uint64_t word = htole64(value);
	const uint8_t *from = (const uint8_t *)&word;

	for (unsigned int i = 0; i < bytes && at + i < ram->end; i++)
		piece_make(ram,
			   (at + i) >>
				   PIECE_SHIFT)[(at + i) & (PIECE_SIZE - 1)] =
			from[i];
}

void
ram_store(struct ram *ram, pa_t at, unsigned int bytes, uint64_t value)
{
	size_t offset = at & (PIECE_SIZE - 1);
	uint64_t word = htole64(value);
	uint8_t *piece;

	if (at >= ram->end || offset + bytes > PIECE_SIZE) {
		store_across(ram, at, bytes, value);
		return;
	}
	piece = piece_find(ram, at >> PIECE_SHIFT);
	if (!piece)
		piece = piece_make(ram, at >> PIECE_SHIFT);
	if (bytes == sizeof(word))
		memcpy(piece + offset, &word, sizeof(word));
	else
		memcpy(piece + offset, &word, sizeof(uint32_t));
}

void
ram_prefetch(const struct ram *ram, pa_t at)
{
	const uint8_t *piece;

	if (at >= ram->end)
		return;
	piece = piece_find(ram, at >> PIECE_SHIFT);
	if (piece)
		__builtin_prefetch(piece + (at & (PIECE_SIZE - 1)), 1);
}

/* Free the pieces @first..@last that lie below @node, whose own first piece is
 * @base; nodes that become empty go too. */
static void
node_drop(struct ram *ram, struct ram_node *node, unsigned int level,
	  uint64_t base, uint64_t first, uint64_t last)
{
	uint64_t span = span_of(level);
	unsigned int i =
		first > base ? (unsigned int)((first - base) / span) : 0;

	for (; i < SLOTS && base + i * span <= last && node->used; i++) {
		struct ram_node *below = node->slot[i];

		if (!below)
			continue;
		if (level)
			node_drop(ram, below, level - 1, base + i * span, first,
				  last);
		if (level && below->used)
			continue;
		if (level) {
			ram->held -= sizeof(*node);
			g_free(below);
		} else {
			piece_drop(ram, below);
		}
		node->slot[i] = NULL;
		node->used--;
	}
}

static void
zero_part(struct ram *ram, pa_t at, size_t len)
{
	uint8_t *piece = piece_find(ram, at >> PIECE_SHIFT);

	if (piece)
		memset(piece + (at & (PIECE_SIZE - 1)), 0, len);
}

void
ram_zero(struct ram *ram, pa_t at, uint64_t len)
{
	pa_t end, whole, whole_end;

	if (at >= ram->end)
		return;
	end = at + MIN_OF(len, ram->end - at);
	whole = round_up_to(at, PIECE_SIZE);
	/* A last piece cut by the end of memory holds nothing beyond it. */
	whole_end = end == ram->end ? round_up_to(end, PIECE_SIZE)
				    : round_down_to(end, PIECE_SIZE);
	if (whole > at)
		zero_part(ram, at, MIN_OF(whole, end) - at);
	if (whole_end > whole)
		node_drop(ram, &ram->root, ram->top, 0, whole >> PIECE_SHIFT,
			  (whole_end >> PIECE_SHIFT) - 1);
	if (end > whole_end && whole_end >= whole)
		zero_part(ram, whole_end, end - whole_end);
}

/* The first piece from @first on below @node that has a byte not zero. */
static bool
node_next(const struct ram_node *node, unsigned int level, uint64_t base,
	  uint64_t first, uint64_t *piece)
{
	uint64_t span = span_of(level);
	unsigned int i =
		first > base ? (unsigned int)((first - base) / span) : 0;

	for (; i < SLOTS; i++) {
		const void *below = node->slot[i];

		if (!below)
			continue;
		if (level &&
		    node_next(below, level - 1, base + i * span, first, piece))
			return true;
		if (!level && !all_zero(below, PIECE_SIZE)) {
			*piece = base + i;
			return true;
		}
	}
	return false;
}

bool
ram_next_data(const struct ram *ram, pa_t at, pa_t *page)
{
	uint64_t piece;

	if (at >= ram->end ||
	    !node_next(&ram->root, ram->top, 0, at >> PIECE_SHIFT, &piece))
		return false;
	*page = piece << PIECE_SHIFT;
	return true;
}
