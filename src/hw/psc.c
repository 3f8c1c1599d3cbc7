// SPDX-License-Identifier: MIT
/*
 * psc.c - paging-structure caches
 *
 * How it works: one small buffer for all levels, searched whole; the entry of
 * the lowest level that covers an address wins.
 *
 * Differs from hardware: there each level has a buffer of its own, and entries
 * that walks in vain have read may be kept too.
 */
#include "kmemfs/hw/psc.h"

#include <glib.h>
#include <string.h>

struct psc {
	struct psc_entry entry[PSC_ENTRIES];
	uint64_t uses;
};

struct psc *
psc_new(void)
{
	return g_new0(struct psc, 1);
}

void
psc_free(struct psc *c)
{
	g_free(c);
}

const struct mmu_start *
psc_find(struct psc *c, va_t va, uint16_t pcid)
{
	struct psc_entry *best = NULL;

	for (unsigned int i = 0; i < PSC_ENTRIES; i++) {
		struct psc_entry *e = &c->entry[i];

		if (e->used && e->pcid == pcid && va >> e->shift == e->prefix &&
		    (!best || e->shift < best->shift))
			best = e;
	}
	if (!best)
		return NULL;
	best->used = ++c->uses;
	return &best->start;
}

/* Its own place, else the one not used for longest. */
static struct psc_entry *
place(struct psc *c, uint64_t prefix, unsigned int shift, uint16_t pcid)
{
	struct psc_entry *oldest = c->entry;

	for (unsigned int i = 0; i < PSC_ENTRIES; i++) {
		struct psc_entry *e = &c->entry[i];

		if (e->used && e->pcid == pcid && e->shift == shift &&
		    e->prefix == prefix)
			return e;
		if (e->used < oldest->used)
			oldest = e;
	}
	return oldest;
}

void
psc_fill(struct psc *c, const struct mmu_regs *regs, va_t va, uint16_t pcid,
	 const struct mmu_start *start, const struct mmu_result *walk)
{
	/* @start may lie in the entry that is replaced first. */
	struct mmu_start from = start ? *start : (struct mmu_start){0}, below;

	for (unsigned int n = 0; n < walk->nr_steps; n++) {
		unsigned int shift =
			mmu_level_shift(mmu_format(regs), walk->step[n].level);

		if (!mmu_start_below(regs, start ? &from : NULL, walk, n,
				     &below))
			continue;
		*place(c, va >> shift, shift, pcid) = (struct psc_entry){
			.prefix = va >> shift,
			.start = below,
			.used = ++c->uses,
			.pcid = pcid,
			.shift = (uint8_t)shift,
		};
	}
}

void
psc_flush(struct psc *c, int pcid)
{
	for (unsigned int i = 0; c && i < PSC_ENTRIES; i++)
		if (pcid < 0 || c->entry[i].pcid == pcid)
			memset(&c->entry[i], 0, sizeof(c->entry[i]));
}

const struct psc_entry *
psc_entry(const struct psc *c, unsigned int n)
{
	return c->entry[n].used ? &c->entry[n] : NULL;
}
