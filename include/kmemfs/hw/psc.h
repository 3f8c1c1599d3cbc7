// SPDX-License-Identifier: MIT
/*
 * psc.h - paging-structure caches: what upper entries of tables said
 *
 * A walk that misses the TLB may begin below the entries that are kept here.
 * Like a TLB's, they stay until they are flushed, whatever becomes of the
 * tables.
 *
 * Source: Intel SDM volume 3, 4.10.3; sizes are not documented.
 */
#ifndef KMEMFS_HW_PSC_H
#define KMEMFS_HW_PSC_H

#include "kmemfs/hw/mmu.h"

#define PSC_ENTRIES 32

struct psc_entry {
	uint64_t prefix;	/* virtual address >> shift */
	struct mmu_start start; /* where a walk goes on */
	uint64_t used;		/* for replacement; 0: empty */
	uint16_t pcid;
	uint8_t shift; /* log2 of what the entry covers */
};

struct psc;

struct psc *psc_new(void);
void psc_free(struct psc *c);
/* The lowest place where a walk for @va may begin; NULL: at the top. */
const struct mmu_start *psc_find(struct psc *c, va_t va, uint16_t pcid);
/* Keep the upper entries of a walk that went well; @start as psc_find() gave
 * it. */
void psc_fill(struct psc *c, const struct mmu_regs *regs, va_t va,
	      uint16_t pcid, const struct mmu_start *start,
	      const struct mmu_result *walk);
/* Forget those of @pcid; -1: all.  @c may be NULL. */
void psc_flush(struct psc *c, int pcid);
/* Entry @n below PSC_ENTRIES, NULL: empty. */
const struct psc_entry *psc_entry(const struct psc *c, unsigned int n);

#endif
