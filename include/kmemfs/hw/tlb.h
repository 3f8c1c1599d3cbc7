// SPDX-License-Identifier: MIT
/*
 * tlb.h - one CPU's translation look-aside buffers
 *
 * Two levels, as in Intel's cores: first-level buffers by kind of access and
 * page size, a second level shared by both.  An entry keeps what the tables
 * said when it was filled; nothing but a flush changes it, so that it can be
 * stale as on hardware.
 *
 * Source: Intel SDM volume 3, 4.10; sizes of Skylake client cores.
 */
#ifndef KMEMFS_HW_TLB_H
#define KMEMFS_HW_TLB_H

#include "kmemfs/hw/mmu.h"
#include "kmemfs/hw/psc.h"

/* Its buffers; sizes come from the machine file, [tlb] NAME = SETS WAYS. */
enum tlb_part {
	TLB_L1I_4K,
	TLB_L1I_2M,
	TLB_L1D_4K,
	TLB_L1D_2M, /* and 4M */
	TLB_L1D_1G,
	TLB_L2, /* 4K and 2M, data and code */
	TLB_L2_1G,
	NR_TLB_PARTS
};

extern const char *const tlb_part_names[NR_TLB_PARTS];

struct tlb_geometry {
	uint16_t sets; /* a power of two; 0: there is none */
	uint16_t ways;
};

extern const struct tlb_geometry tlb_default_geometry[NR_TLB_PARTS];

struct tlb_entry {
	va_t page;     /* first address of the page */
	pa_t frame;    /* its first physical address */
	uint64_t leaf; /* the entry it came from, */
	pa_t leaf_at;  /* and where that stood */
	uint64_t seen; /* tables' generation when it was last known to be
			  what they say */
	uint64_t used; /* for replacement: larger is later */
	uint16_t pcid;
	uint8_t page_shift; /* 0: empty */
	uint8_t memory_type;
	bool writable, user, no_exec, global, dirty;
};

struct tlb_stats {
	uint64_t l1_hits, l2_hits, misses;
	uint64_t flushes_all, flushes_pcid, flushes_page;
	uint64_t dropped;    /* entries that flushes took out */
	uint64_t evicted;    /* entries replaced by others */
	uint64_t stale_used; /* hits on entries that were stale */
};

struct tlb;

struct tlb *tlb_new(const struct tlb_geometry geometry[NR_TLB_PARTS]);
void tlb_free(struct tlb *t);
/* The smallest page is of 2^@shift bytes, 1 to 31, not of 4 KiB: before
 * anything is entered.  It goes where pages of 4 KiB go. */
void tlb_set_page_shift(struct tlb *t, unsigned int shift);
/* Keep upper entries too, or do not: before anything is entered. */
void tlb_keep_upper(struct tlb *t, bool keep);
/* What it keeps of upper entries; NULL: nothing. */
struct psc *tlb_upper(const struct tlb *t);
struct tlb_stats *tlb_stats(struct tlb *t);

enum tlb_where { TLB_MISS, TLB_HIT_L1, TLB_HIT_L2 };

/*
 * Look @va up for @access with @pcid: the first-level entry (filled from the
 * second level if it was there only), or NULL.  @where says which it was;
 * counts; the entry becomes the last one used.
 */
struct tlb_entry *tlb_lookup(struct tlb *t, va_t va, uint16_t pcid,
			     enum mmu_access access, enum tlb_where *where);
/* The same without counting or moving anything; second level if not in the
 * first.  NULL. */
const struct tlb_entry *tlb_peek(const struct tlb *t, va_t va, uint16_t pcid,
				 enum mmu_access access, enum tlb_where *where);
/* Enter the result of a walk (MMU_OK) in both levels.  @seen: the tables'
 * generation. Returns the first-level entry. */
struct tlb_entry *tlb_fill(struct tlb *t, va_t va, uint16_t pcid,
			   enum mmu_access access,
			   const struct mmu_result *walk, bool dirty,
			   uint64_t seen);

/* INVLPG: @va's page of @pcid, and global ones. */
void tlb_flush_page(struct tlb *t, va_t va, uint16_t pcid);
/* All but global entries of @pcid, as a MOV to CR3 with PCIDE. */
void tlb_flush_pcid(struct tlb *t, uint16_t pcid);
/* All; with @global those too. */
void tlb_flush_all(struct tlb *t, bool global);

/* Entry @n of @part, sets first: NULL when it is empty or beyond the end. */
const struct tlb_entry *tlb_entry(const struct tlb *t, enum tlb_part part,
				  unsigned int n);
struct tlb_geometry tlb_geometry(const struct tlb *t, enum tlb_part part);
unsigned int tlb_used(const struct tlb *t, enum tlb_part part);

#endif
