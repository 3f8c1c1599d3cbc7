// SPDX-License-Identifier: MIT
/*
 * ram.c - the bytes of physical memory, sparse
 *
 * How it works: memory consists of pieces of 4 KiB (the modelled machine's page
 * size plays no part).  One that is there has a place in the arena; a table
 * says which, one word for each piece of memory.  So a byte is one read away
 * from its address, however large the memory is, and what is held lies close
 * together in pages of the host, however far apart it is in the model.
 *
 *     address / 4 KiB -> place[] -> arena + place * 4 KiB
 *
 * Table and arena are addresses that are asked of the host as a whole and
 * filled by it as they are touched: 64 GiB of addresses for the table of 64
 * TiB.  Leaves, 4096 places or 16 MiB of memory, know how many of their pieces
 * are there, and parts, 4096 leaves, how many leaves have any, so that looking
 * for what is held passes over the rest; a leaf that has none goes back to the
 * host.
 *
 * Always true: what is held is 4 KiB a piece, 16 KiB a leaf with a piece and 8
 * KiB a part with a leaf (where there is but one of them it is not counted).
 * It passes the limit by words of ram_store() only.  So what may still be
 * written depends only on which pieces are there, not on the way that led to
 * it.  No place is 0.
 *
 * Where it lies: all of it in the daemon's memory; this is the modelled RAM.
 */
#include "kmemfs/hw/ram.h"

#include "kmemfs/base/check.h"

#include <endian.h>
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#define PIECE_SHIFT 12
#define PIECE_SIZE (1ULL << PIECE_SHIFT)
#define SLOT_BITS 12
#define SLOTS (1U << SLOT_BITS)
#define HUGE (2ULL << 20) /* a large page of the host */
#define HUGE_PIECES (HUGE >> PIECE_SHIFT)
#define ARENA_MOST GIB(64) /* at first */
#define LEAF_SPAN (PIECE_SIZE * SLOTS)
#define LEAF_BYTES (SLOTS * sizeof(uint32_t))
#define PART_BYTES (SLOTS * sizeof(uint16_t))

#define unlikely(e) __builtin_expect(!!(e), 0)

struct ram {
	pa_t end;
	uint32_t *place; /* of each piece, as far as leaves go; 0: zeros */
	uint8_t *arena;
	uint16_t *used;	  /* [nr_parts * SLOTS] pieces of that leaf */
	uint32_t *leaves; /* [nr_parts] that have pieces */
	uint64_t nr_parts;
	uint64_t limit;
	uint64_t held;
	uint64_t room;	 /* places that the arena has */
	uint32_t fresh;	 /* the first that was never used */
	uint32_t unused; /* the last that came back; it names the one before */
};

static bool
all_zero(const uint8_t *bytes, size_t len)
{
	return !len || (!*bytes && !memcmp(bytes, bytes + 1, len - 1));
}

/* Addresses; the host fills them as they are touched.  NULL: none left. */
static void *
reserve(uint64_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static uint64_t
table_bytes(const struct ram *ram)
{
	return (ram->end / LEAF_SPAN + 1) * LEAF_BYTES;
}

/* Places for what may be held, or fewer when addresses are scarce. */
static void
arena_reserve(struct ram *ram)
{
	uint64_t most = MIN_OF(ram->end, ram->limit);
	uint64_t bytes = round_up_to(MIN_OF(most, ARENA_MOST), HUGE) + HUGE;

	while (!(ram->arena = reserve(bytes)) && bytes > HUGE)
		bytes = round_up_to(bytes / 2, HUGE);
	ram->room = bytes >> PIECE_SHIFT;
	/* What ram_prefetch() asks for in vain shall be there. */
	if (ram->arena)
		*(volatile uint8_t *)ram->arena = 0;
	ram->fresh = 1;
}

struct ram *
ram_new(pa_t end, uint64_t limit)
{
	struct ram *ram = g_new0(struct ram, 1);

	KM_ASSERT(end <= 1ULL << 52);
	ram->end = end;
	ram->limit = limit;
	ram->nr_parts = end > LEAF_SPAN * SLOTS
				? (end - 1) / (LEAF_SPAN * SLOTS) + 1
				: 1;
	ram->leaves = g_new0(uint32_t, ram->nr_parts);
	ram->used = reserve(ram->nr_parts * PART_BYTES);
	ram->place = reserve(table_bytes(ram));
	arena_reserve(ram);
	if (!ram->used || !ram->place || !ram->arena)
		g_error("no addresses for %" PRIu64 " bytes of modelled RAM",
			end);
	return ram;
}

void
ram_free(struct ram *ram)
{
	if (!ram)
		return;
	munmap(ram->arena, ram->room << PIECE_SHIFT);
	munmap(ram->place, table_bytes(ram));
	munmap(ram->used, ram->nr_parts * PART_BYTES);
	g_free(ram->leaves);
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

/* --- places ----------------------------------------------------------------
 */

static inline uint8_t *
at_place(const struct ram *ram, uint32_t place)
{
	return ram->arena + ((size_t)place << PIECE_SHIFT);
}

/* Words passed the limit, or the host was short of addresses at first. */
static void
arena_grow(struct ram *ram)
{
	uint64_t bytes = ram->room << PIECE_SHIFT;
	uint8_t *at = NULL;

	if (2 * ram->room < UINT32_MAX)
		at = reserve(2 * bytes);
	if (!at)
		g_error("no addresses for %" PRIu64 " bytes of modelled RAM",
			2 * bytes);
	/* All of it is in use. */
	madvise(at, bytes, MADV_HUGEPAGE);
	memcpy(at, ram->arena, bytes);
	munmap(ram->arena, bytes);
	ram->arena = at;
	ram->room *= 2;
}

/*
 * A place that holds zeros.  From the second large page of the host on these
 * are asked for: whoever goes about in modelled RAM at random would else wait
 * for the host's page tables more than for memory.
 */
static uint32_t
place_new(struct ram *ram)
{
	uint32_t place = ram->unused;
	uint8_t *piece;

	ram->held += PIECE_SIZE;
	if (place) {
		piece = at_place(ram, place);
		memcpy(&ram->unused, piece, sizeof(place));
		memset(piece, 0, PIECE_SIZE);
		return place;
	}
	if (ram->fresh == ram->room)
		arena_grow(ram);
	place = ram->fresh++;
	piece = at_place(ram, place);
	if ((uintptr_t)piece % HUGE == 0 && place > HUGE_PIECES &&
	    ram->room - place >= HUGE_PIECES)
		madvise(piece, HUGE, MADV_HUGEPAGE);
	return place;
}

static void
place_drop(struct ram *ram, uint32_t place)
{
	memcpy(at_place(ram, place), &ram->unused, sizeof(place));
	ram->unused = place;
	ram->held -= PIECE_SIZE;
}

/* --- the way to a piece ----------------------------------------------------
 */

/* @piece: address / PIECE_SIZE, not beyond the end.  NULL: zeros. */
static inline uint8_t *
piece_find(const struct ram *ram, uint64_t piece)
{
	uint32_t place = ram->place[piece];

	return place ? at_place(ram, place) : NULL;
}

/* What a leaf costs; and if it is the first of its part.  Memory that needs
 * only one of them does without, as it were. */
static uint64_t
leaf_cost(const struct ram *ram)
{
	return ram->end > LEAF_SPAN ? LEAF_BYTES : 0;
}

static uint64_t
part_cost(const struct ram *ram)
{
	return ram->nr_parts > 1 ? PART_BYTES : 0;
}

/* The piece, made (all zeros) when it is not there. */
static uint8_t *
piece_make(struct ram *ram, uint64_t piece)
{
	uint64_t leaf = piece >> SLOT_BITS, part = leaf >> SLOT_BITS;

	if (!ram->place[piece]) {
		ram->place[piece] = place_new(ram);
		if (!ram->used[leaf]++) {
			ram->held += leaf_cost(ram);
			if (!ram->leaves[part]++)
				ram->held += part_cost(ram);
		}
	}
	return at_place(ram, ram->place[piece]);
}

/* The last piece of it is gone. */
static void
leaf_drop(struct ram *ram, uint64_t leaf)
{
	uint64_t part = leaf >> SLOT_BITS;

	ram->held -= leaf_cost(ram);
	if (leaf_cost(ram))
		madvise(ram->place + leaf * SLOTS, LEAF_BYTES, MADV_DONTNEED);
	if (--ram->leaves[part])
		return;
	ram->held -= part_cost(ram);
	if (part_cost(ram))
		madvise(ram->used + part * SLOTS, PART_BYTES, MADV_DONTNEED);
}

/*
 * What making @piece adds to what is held, when @before (UINT64_MAX: none) is
 * the last piece that was counted but is not made yet: a leaf or a part that
 * both need is counted once.
 */
static uint64_t
piece_cost(const struct ram *ram, uint64_t piece, uint64_t before)
{
	uint64_t leaf = piece >> SLOT_BITS, part = leaf >> SLOT_BITS;
	bool first = before == UINT64_MAX;
	uint64_t cost = PIECE_SIZE;

	if (ram->used[leaf])
		return cost;
	if (first || before >> SLOT_BITS != leaf)
		cost += leaf_cost(ram);
	if (!ram->leaves[part] && (first || before >> (2 * SLOT_BITS) != part))
		cost += part_cost(ram);
	return cost;
}

/* --- bytes -----------------------------------------------------------------
 */

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

/* A word that lies in two pieces, or behind the end; or one of an odd size. */
static __attribute__((noinline)) uint64_t
load_across(const struct ram *ram, pa_t at, unsigned int bytes)
{
	uint64_t value = 0;

	ram_read(ram, at, &value, bytes);
	return le64toh(value);
}

uint64_t
ram_load(const struct ram *ram, pa_t at, unsigned int bytes)
{
	size_t offset = at & (PIECE_SIZE - 1);
	const uint8_t *piece;
	uint64_t value = 0;

	if (unlikely(at >= ram->end || offset > PIECE_SIZE - bytes))
		return load_across(ram, at, bytes);
	piece = piece_find(ram, at >> PIECE_SHIFT);
	if (unlikely(!piece))
		return 0;
	if (bytes == sizeof(value))
		memcpy(&value, piece + offset, sizeof(value));
	else if (bytes == sizeof(uint32_t))
		memcpy(&value, piece + offset, sizeof(uint32_t));
	else
		return load_across(ram, at, bytes);
	return le64toh(value);
}

/* A word that lies in two pieces, in one that is not there, or across the end;
 * or one of an odd size. */
static __attribute__((noinline)) void
store_across(struct ram *ram, pa_t at, unsigned int bytes, uint64_t value)
{
	for (; bytes-- && at < ram->end; at++, value >>= 8) {
		uint8_t *piece = piece_make(ram, at >> PIECE_SHIFT);

		piece[at & (PIECE_SIZE - 1)] = (uint8_t)value;
	}
}

void
ram_store(struct ram *ram, pa_t at, unsigned int bytes, uint64_t value)
{
	size_t offset = at & (PIECE_SIZE - 1);
	uint64_t word = htole64(value);
	uint8_t *piece;

	if (unlikely(at >= ram->end || ram->end - at < bytes ||
		     offset > PIECE_SIZE - bytes)) {
		store_across(ram, at, bytes, value);
		return;
	}
	piece = piece_find(ram, at >> PIECE_SHIFT);
	if (unlikely(!piece))
		store_across(ram, at, bytes, value);
	else if (bytes == sizeof(word))
		memcpy(piece + offset, &word, sizeof(word));
	else if (bytes == sizeof(uint32_t))
		memcpy(piece + offset, &word, sizeof(uint32_t));
	else
		store_across(ram, at, bytes, value);
}

void
ram_prefetch(const struct ram *ram, pa_t at)
{
	uint64_t piece = at >> PIECE_SHIFT;

	/* No jumps, since they could not be foretold: what is not there lies
	 * at place 0, and what is beyond the end where the first piece does. */
	piece &= -(uint64_t)(at < ram->end);
	__builtin_prefetch(
		at_place(ram, ram->place[piece]) + (at & (PIECE_SIZE - 1)), 1);
}

/* Free those pieces of @leaf, which has some, that are among @first..@last. */
static void
leaf_zero(struct ram *ram, uint64_t leaf, uint64_t first, uint64_t last)
{
	uint64_t base = leaf << SLOT_BITS, end = base + SLOTS - 1;

	first = MAX_OF(first, base);
	last = MIN_OF(last, end);
	for (uint64_t i = first; i <= last && ram->used[leaf]; i++) {
		if (!ram->place[i])
			continue;
		place_drop(ram, ram->place[i]);
		ram->place[i] = 0;
		ram->used[leaf]--;
	}
	if (!ram->used[leaf])
		leaf_drop(ram, leaf);
}

/* The first leaf of @leaf..@last that has a piece; UINT64_MAX: none has. */
static uint64_t
leaf_next(const struct ram *ram, uint64_t leaf, uint64_t last)
{
	uint64_t part = leaf >> SLOT_BITS;

	for (; part < ram->nr_parts; leaf = ++part << SLOT_BITS)
		for (; ram->leaves[part] && leaf >> SLOT_BITS == part; leaf++) {
			if (leaf > last)
				return UINT64_MAX;
			if (ram->used[leaf])
				return leaf;
		}
	return UINT64_MAX;
}

/* Free the pieces @first..@last. */
static void
pieces_drop(struct ram *ram, uint64_t first, uint64_t last)
{
	uint64_t end = last >> SLOT_BITS;
	uint64_t leaf = leaf_next(ram, first >> SLOT_BITS, end);

	for (; leaf != UINT64_MAX; leaf = leaf_next(ram, leaf + 1, end))
		leaf_zero(ram, leaf, first, last);
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
		pieces_drop(ram, whole >> PIECE_SHIFT,
			    (whole_end >> PIECE_SHIFT) - 1);
	if (end > whole_end && whole_end >= whole)
		zero_part(ram, whole_end, end - whole_end);
}

bool
ram_next_data(const struct ram *ram, pa_t at, pa_t *page)
{
	uint64_t from = at >> PIECE_SHIFT, leaf;

	if (at >= ram->end)
		return false;
	leaf = leaf_next(ram, from >> SLOT_BITS, UINT64_MAX);
	for (; leaf != UINT64_MAX;
	     leaf = leaf_next(ram, leaf + 1, UINT64_MAX)) {
		uint64_t end = (leaf + 1) << SLOT_BITS;

		for (uint64_t i = MAX_OF(from, end - SLOTS); i < end; i++) {
			const uint8_t *piece = piece_find(ram, i);

			if (!piece || all_zero(piece, PIECE_SIZE))
				continue;
			*page = i << PIECE_SHIFT;
			return true;
		}
	}
	return false;
}
