// SPDX-License-Identifier: MIT
/*
 * mmu.h - from a virtual to a physical address, through tables in RAM
 *
 * The walk reads the bytes of modelled RAM as hardware does and trusts
 * nothing in them.  What lies beyond RAM reads as zeros: not present.
 *
 * Source: Intel SDM volume 3, 4.2 to 4.8.
 */
#ifndef KMEMFS_HW_MMU_H
#define KMEMFS_HW_MMU_H

#include "kmemfs/base/types.h"
#include "kmemfs/hw/ram.h"

#define MMU_LEVELS_MAX 5

enum mmu_mode {
	MMU_NONE,   /* no paging: virtual is physical */
	MMU_32BIT,  /* i386: two levels, 4 MiB pages with PSE */
	MMU_PAE,    /* three levels, 2 MiB pages */
	MMU_4LEVEL, /* x86-64, 48 bits */
	MMU_5LEVEL, /* x86-64 with LA57 */
	MMU_CUSTOM, /* a textbook's tables, described in the machine file */
	MMU_BOUNDS, /* no tables: a base that is added, a limit before it */
	NR_MMU_MODES
};

extern const char *const mmu_mode_names[NR_MMU_MODES];

/* Bits of an x86 entry. */
enum mmu_bits {
	PTE_P = 1 << 0,
	PTE_RW = 1 << 1,
	PTE_US = 1 << 2,
	PTE_PWT = 1 << 3,
	PTE_PCD = 1 << 4,
	PTE_A = 1 << 5,
	PTE_D = 1 << 6,
	PTE_PS = 1 << 7, /* leaf of 4 KiB: PAT */
	PTE_G = 1 << 8,
};
#define PTE_NX (1ULL << 63)

/*
 * How tables look: one for each mode.  A table of level 0 holds the leaves of
 * the smallest pages.  From @present on, one bit each; those that a format
 * lacks are 0; without @user, @write everything is allowed.
 */
struct mmu_format {
	unsigned int levels;
	unsigned int va_bits;
	bool sign_extends;   /* bits above va_bits repeat the top one */
	uint8_t entry_bytes; /* 1, 2, 4 or 8, little-endian */
	uint8_t page_shift;  /* of the smallest page */
	uint8_t frame_shift; /* where the frame's number begins in an entry */
	uint8_t frame_bits;  /* how many bits it has; x86: by phys_bits */
	uint8_t index_bits[MMU_LEVELS_MAX];
	uint64_t present, write, user, accessed, dirty, leaf, global, no_exec;
};

/* Everything that the walk depends on beside memory. */
struct mmu_regs {
	enum mmu_mode mode;
	const struct mmu_format *format; /* MMU_CUSTOM's; else NULL */
	uint64_t cr3;
	uint64_t pdpte[4];    /* PAE: what was loaded with CR3 */
	uint64_t base, limit; /* MMU_BOUNDS: addresses from @limit on are
				 refused, @base is added to others */
	uint8_t phys_bits;    /* MAXPHYADDR, 32 to 52 */
	bool wp;	      /* CR0.WP */
	bool pse;	      /* CR4.PSE: 32-bit mode's large pages */
	bool nxe;	      /* EFER.NXE */
	bool smep, smap;      /* CR4 */
	bool gb_pages;	      /* 1 GiB pages are supported */
};

enum mmu_access { MMU_READ, MMU_WRITE, MMU_FETCH, NR_MMU_ACCESSES };
extern const char *const mmu_access_names[NR_MMU_ACCESSES];

struct mmu_request {
	va_t va;
	enum mmu_access access;
	bool user;     /* CPL 3 */
	bool ac;       /* EFLAGS.AC: SMAP lets explicit accesses pass */
	bool implicit; /* the processor's own access to its tables */
};

/* Error code of a page fault. */
enum mmu_error {
	PF_PROT = 1 << 0, /* the page is there */
	PF_WRITE = 1 << 1,
	PF_USER = 1 << 2,
	PF_RSVD = 1 << 3,
	PF_INSTR = 1 << 4,
};

enum mmu_outcome {
	MMU_OK,
	MMU_PAGE_FAULT,
	MMU_GENERAL_PROTECTION, /* non-canonical; beyond the limit; bad PDPTE
				   at a CR3 load */
};

/* An entry that the walk read. */
struct mmu_step {
	pa_t at;
	uint64_t entry;
	uint8_t level; /* 0: table of the smallest pages */
};

struct mmu_result {
	enum mmu_outcome outcome;
	uint32_t error_code; /* page fault: enum mmu_error */
	pa_t pa;	     /* MMU_OK */
	uint8_t page_shift;  /* MMU_OK: size of the page, log2 */
	bool writable, user, no_exec, global, dirty; /* MMU_OK: combined */
	uint8_t memory_type; /* MMU_OK: 4 PAT + 2 PCD + PWT */
	uint8_t nr_steps;    /* entries read, the top one first */
	struct mmu_step step[MMU_LEVELS_MAX];
};

/* What an entry of @level is called: "PTE", "PDE", "PDPTE", ..., "L0", ... */
const char *mmu_entry_name(enum mmu_mode mode, unsigned int level);
/* The format of a mode that has tables. */
const struct mmu_format *mmu_format(const struct mmu_regs *regs);
/*
 * Walk; changes nothing.  The last step of a fault is the entry at fault,
 * or, when combined rights forbid the access, the leaf.
 */
void mmu_walk(const struct ram *ram, const struct mmu_regs *regs,
	      const struct mmu_request *request, struct mmu_result *result);
/* Where a walk goes on that knows what entries above say. */
struct mmu_start {
	pa_t table;
	uint64_t in_all, in_any; /* bits of the entries above, together */
	uint8_t level;		 /* of the table */
};

/* mmu_walk() from @start on, which must be what the tables said. */
void mmu_walk_from(const struct ram *ram, const struct mmu_regs *regs,
		   const struct mmu_request *request,
		   const struct mmu_start *start, struct mmu_result *result);
/*
 * What a walk knew below its step @n, for mmu_walk_from(): false when that one
 * led to no table, or when nobody keeps what it says (a PAE PDPTE is in a
 * register anyway).  @start: where the walk began, NULL: at the top.
 */
bool mmu_start_below(const struct mmu_regs *regs, const struct mmu_start *start,
		     const struct mmu_result *result, unsigned int n,
		     struct mmu_start *below);
/* Whether a page lets @q through that has these rights from all its entries
 * together, be they read just now or kept in a TLB. */
bool mmu_allows(const struct mmu_regs *regs, const struct mmu_request *q,
		bool writable, bool user, bool no_exec);
/*
 * What the hardware writes after a successful walk: A in every entry used, D
 * in the leaf of a write.  Entries that have them are not written.  Returns
 * how many were; the host's limit plays no part, as the pages are there.
 */
unsigned int mmu_set_bits(struct ram *ram, const struct mmu_regs *regs,
			  const struct mmu_request *request,
			  const struct mmu_result *result);
/*
 * Load CR3; with PAE the four PDPTEs are read and checked: false (#GP) when a
 * present one has a reserved bit set, and nothing is loaded then.
 */
bool mmu_load_cr3(const struct ram *ram, struct mmu_regs *regs, uint64_t cr3);
/* Reserved bits of a present entry of @level that is (not) a leaf. */
uint64_t mmu_reserved(const struct mmu_regs *regs, unsigned int level,
		      bool leaf);
/* Whether a present entry of @level is taken for a leaf. */
bool mmu_is_leaf(const struct mmu_regs *regs, unsigned int level,
		 uint64_t entry);
/* What a present entry of @level names: first byte of a page, when it is a
 * leaf, or of a table. */
pa_t mmu_entry_pa(const struct mmu_regs *regs, unsigned int level,
		  uint64_t entry);
/* log2 of the bytes that one entry of @level covers. */
unsigned int mmu_level_shift(const struct mmu_format *f, unsigned int level);

#endif
