// SPDX-License-Identifier: MIT
/*
 * tlb.c - one CPU's translation look-aside buffers
 *
 * How it works: each buffer is an array of sets of ways; the low bits of the
 * page's number choose the set.  Replacement is least recently used, by a
 * counter that grows with each use.  The second level holds 4 KiB and 2 MiB
 * pages in one buffer: a look-up there tries both page numbers.
 *
 * Always true: an address has at most one entry for a PCID in a buffer.
 *
 * Differs from hardware: the real replacement is not documented; here a first
 * level is not contained in the second on purpose, but is in effect, as both
 * are filled by a walk.
 */
#include "kmemfs/hw/tlb.h"

#include "kmemfs/base/check.h"

#include <glib.h>
#include <string.h>

const char *const tlb_part_names[NR_TLB_PARTS] = {
	"l1i-4k", "l1i-2m", "l1d-4k", "l1d-2m", "l1d-1g", "l2", "l2-1g",
};

const struct tlb_geometry tlb_default_geometry[NR_TLB_PARTS] = {
	[TLB_L1I_4K] = {16,  8 },
		[TLB_L1I_2M] = {1,   8 },
	       [TLB_L1D_4K] = {16,  4 },
	[TLB_L1D_2M] = {8,   4 },
		[TLB_L1D_1G] = {1,   4 },
	       [TLB_L2] = {128, 12},
	[TLB_L2_1G] = {4,	  4 },
};

struct buffer {
	struct tlb_geometry geometry;
	struct tlb_entry *entries; /* [sets * ways] */
	uint32_t held[32];	   /* entries by page_shift, so that sizes that
				      are not there need no look */
};

struct tlb {
	struct buffer part[NR_TLB_PARTS];
	uint8_t shifts[NR_TLB_PARTS][4]; /* page sizes that a part may hold */
	uint8_t small;			 /* the smallest page, log2 */
	struct psc *upper;
	struct tlb_stats stats;
	uint64_t uses;
};

/* The page sizes that a buffer may hold, smallest first. */
static const uint8_t x86_shifts[NR_TLB_PARTS][4] = {
	[TLB_L1I_4K] = {12 },
	     [TLB_L1I_2M] = {21,	 22},
	[TLB_L1D_4K] = {12  },
	     [TLB_L1D_2M] = {21, 22},
	[TLB_L1D_1G] = {30},
	     [TLB_L2] = {12,  21, 22},
	[TLB_L2_1G] = {30 },
};

static inline unsigned int
nr_entries(const struct buffer *b)
{
	return (unsigned int)b->geometry.sets * b->geometry.ways;
}

struct tlb *
tlb_new(const struct tlb_geometry geometry[NR_TLB_PARTS])
{
	struct tlb *t = g_new0(struct tlb, 1);

	for (unsigned int p = 0; p < NR_TLB_PARTS; p++) {
		struct buffer *b = &t->part[p];

		b->geometry = geometry[p];
		b->entries = g_new0(struct tlb_entry, nr_entries(b));
	}
	memcpy(t->shifts, x86_shifts, sizeof(x86_shifts));
	t->small = 12;
	return t;
}

void
tlb_set_page_shift(struct tlb *t, unsigned int shift)
{
	for (unsigned int p = 0; p < NR_TLB_PARTS; p++)
		if (t->shifts[p][0] == t->small)
			t->shifts[p][0] = (uint8_t)shift;
	t->small = (uint8_t)shift;
}

void
tlb_keep_upper(struct tlb *t, bool keep)
{
	g_clear_pointer(&t->upper, psc_free);
	if (keep)
		t->upper = psc_new();
}

struct psc *
tlb_upper(const struct tlb *t)
{
	return t->upper;
}

void
tlb_free(struct tlb *t)
{
	if (!t)
		return;
	for (unsigned int p = 0; p < NR_TLB_PARTS; p++)
		g_free(t->part[p].entries);
	psc_free(t->upper);
	g_free(t);
}

struct tlb_stats *
tlb_stats(struct tlb *t)
{
	return &t->stats;
}

static inline bool
matches(const struct tlb_entry *e, va_t va, unsigned int shift, uint16_t pcid)
{
	return e->page_shift == shift && !((e->page ^ va) >> shift) &&
	       (e->global || e->pcid == pcid);
}

static inline struct tlb_entry *
set_of(const struct buffer *b, va_t va, unsigned int shift)
{
	uint64_t set = va >> shift & (b->geometry.sets - 1U);

	return b->entries + set * b->geometry.ways;
}

static inline struct tlb_entry *
find(const struct buffer *b, va_t va, unsigned int shift, uint16_t pcid)
{
	struct tlb_entry *e;

	if (!b->held[shift])
		return NULL;
	e = set_of(b, va, shift);
	for (unsigned int w = 0; w < b->geometry.ways; w++, e++)
		if (matches(e, va, shift, pcid))
			return e;
	return NULL;
}

static struct tlb_entry *
find_any(const struct tlb *t, enum tlb_part part, va_t va, uint16_t pcid)
{
	for (const uint8_t *shift = t->shifts[part]; *shift; shift++) {
		struct tlb_entry *e = find(&t->part[part], va, *shift, pcid);

		if (e)
			return e;
	}
	return NULL;
}

/* First-level buffers of an access, those of small pages first. */
static const enum tlb_part first_level[2][3] = {
	{TLB_L1D_4K, TLB_L1D_2M, TLB_L1D_1G  },
	{TLB_L1I_4K, TLB_L1I_2M, NR_TLB_PARTS},
};

static struct tlb_entry *
find_l1(const struct tlb *t, va_t va, uint16_t pcid, enum mmu_access access)
{
	const enum tlb_part *parts = first_level[access == MMU_FETCH];

	for (unsigned int i = 0; i < 3 && parts[i] != NR_TLB_PARTS; i++) {
		struct tlb_entry *e = find_any(t, parts[i], va, pcid);

		if (e)
			return e;
	}
	return NULL;
}

static struct tlb_entry *
find_l2(const struct tlb *t, va_t va, uint16_t pcid)
{
	struct tlb_entry *e = find_any(t, TLB_L2, va, pcid);

	return e ? e : find_any(t, TLB_L2_1G, va, pcid);
}

static void
touch(struct tlb *t, struct tlb_entry *e)
{
	e->used = ++t->uses;
}

/* The way that a new entry takes: its own, an empty one, the oldest. */
static struct tlb_entry *
victim(struct tlb *t, struct buffer *b, va_t va, unsigned int shift,
       uint16_t pcid)
{
	struct tlb_entry *e = find(b, va, shift, pcid), *oldest;

	if (e)
		return e;
	e = oldest = set_of(b, va, shift);
	for (unsigned int w = 0; w < b->geometry.ways; w++, e++) {
		if (!e->page_shift)
			return e;
		if (e->used < oldest->used)
			oldest = e;
	}
	t->stats.evicted++;
	return oldest;
}

static struct tlb_entry *
enter(struct tlb *t, enum tlb_part part, const struct tlb_entry *entry)
{
	struct buffer *b = &t->part[part];
	struct tlb_entry *e;

	if (!b->geometry.sets)
		return NULL;
	e = victim(t, b, entry->page, entry->page_shift, entry->pcid);
	if (e->page_shift)
		b->held[e->page_shift]--;
	b->held[entry->page_shift]++;
	*e = *entry;
	touch(t, e);
	return e;
}

/* The first-level buffer for a page of @shift, or NR_TLB_PARTS. */
static enum tlb_part
l1_part(const struct tlb *t, unsigned int shift, enum mmu_access access)
{
	unsigned int size = shift == t->small ? 0 : shift < 30 ? 1 : 2;

	return first_level[access == MMU_FETCH][size];
}

struct tlb_entry *
tlb_lookup(struct tlb *t, va_t va, uint16_t pcid, enum mmu_access access,
	   enum tlb_where *where)
{
	struct tlb_entry *e = find_l1(t, va, pcid, access), *first;
	enum tlb_part part;

	if (e) {
		*where = TLB_HIT_L1;
		t->stats.l1_hits++;
		touch(t, e);
		return e;
	}
	e = find_l2(t, va, pcid);
	if (!e) {
		*where = TLB_MISS;
		t->stats.misses++;
		return NULL;
	}
	*where = TLB_HIT_L2;
	t->stats.l2_hits++;
	touch(t, e);
	part = l1_part(t, e->page_shift, access);
	first = part == NR_TLB_PARTS ? NULL : enter(t, part, e);
	return first ? first : e;
}

const struct tlb_entry *
tlb_peek(const struct tlb *t, va_t va, uint16_t pcid, enum mmu_access access,
	 enum tlb_where *where)
{
	const struct tlb_entry *e = find_l1(t, va, pcid, access);

	*where = TLB_HIT_L1;
	if (!e) {
		e = find_l2(t, va, pcid);
		*where = e ? TLB_HIT_L2 : TLB_MISS;
	}
	return e;
}

struct tlb_entry *
tlb_fill(struct tlb *t, va_t va, uint16_t pcid, enum mmu_access access,
	 const struct mmu_result *walk, bool dirty, uint64_t seen)
{
	const struct mmu_step *leaf = &walk->step[walk->nr_steps - 1];
	uint64_t offset = (1ULL << walk->page_shift) - 1;
	struct tlb_entry entry = {
		.page = va & ~offset,
		.frame = walk->pa & ~offset,
		.leaf = leaf->entry,
		.leaf_at = leaf->at,
		.seen = seen,
		.pcid = pcid,
		.page_shift = walk->page_shift,
		.memory_type = walk->memory_type,
		.writable = walk->writable,
		.user = walk->user,
		.no_exec = walk->no_exec,
		.global = walk->global,
		.dirty = dirty,
	};
	enum tlb_part part = l1_part(t, entry.page_shift, access);
	struct tlb_entry *second, *first = NULL;

	KM_DEBUG(walk->outcome == MMU_OK && walk->nr_steps);
	second = enter(t,
		       entry.page_shift == 30 && t->small != 30 ? TLB_L2_1G
								: TLB_L2,
		       &entry);
	if (part != NR_TLB_PARTS)
		first = enter(t, part, &entry);
	return first ? first : second;
}

/* --- flushing ------------------------------------------------------------ */

static void
drop(struct tlb *t, struct buffer *b, struct tlb_entry *e)
{
	b->held[e->page_shift]--;
	memset(e, 0, sizeof(*e));
	t->stats.dropped++;
}

void
tlb_flush_page(struct tlb *t, va_t va, uint16_t pcid)
{
	t->stats.flushes_page++;
	psc_flush(t->upper, pcid);
	for (unsigned int p = 0; p < NR_TLB_PARTS; p++) {
		struct tlb_entry *e;

		while ((e = find_any(t, p, va, pcid)))
			drop(t, &t->part[p], e);
	}
}

static void
flush_if(struct tlb *t, bool global, int pcid)
{
	for (unsigned int p = 0; p < NR_TLB_PARTS; p++) {
		struct buffer *b = &t->part[p];
		struct tlb_entry *end = b->entries + nr_entries(b);

		for (struct tlb_entry *e = b->entries; e < end; e++)
			if (e->page_shift && (global || !e->global) &&
			    (pcid < 0 || e->pcid == pcid))
				drop(t, b, e);
	}
}

void
tlb_flush_pcid(struct tlb *t, uint16_t pcid)
{
	t->stats.flushes_pcid++;
	psc_flush(t->upper, pcid);
	flush_if(t, false, pcid);
}

void
tlb_flush_all(struct tlb *t, bool global)
{
	t->stats.flushes_all++;
	psc_flush(t->upper, -1);
	flush_if(t, global, -1);
}

/* --- looking ------------------------------------------------------------- */

const struct tlb_entry *
tlb_entry(const struct tlb *t, enum tlb_part part, unsigned int n)
{
	const struct buffer *b = &t->part[part];

	if (n >= nr_entries(b) || !b->entries[n].page_shift)
		return NULL;
	return &b->entries[n];
}

struct tlb_geometry
tlb_geometry(const struct tlb *t, enum tlb_part part)
{
	return t->part[part].geometry;
}

unsigned int
tlb_used(const struct tlb *t, enum tlb_part part)
{
	unsigned int used = 0;

	for (unsigned int n = 0; n < nr_entries(&t->part[part]); n++)
		used += tlb_entry(t, part, n) != NULL;
	return used;
}
