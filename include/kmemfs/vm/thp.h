// SPDX-License-Identifier: MIT
/*
 * thp.h - transparent huge pages: one entry for 2 MiB
 *
 * A page of order 9 that an entry of level 1 maps.  An entry can be split into
 * 512 small ones while the page stays whole; then each of its frames counts
 * the small entries that map it, in struct huge_parts.  A page can be split
 * when nobody has pinned it.
 *
 * Source: mm/huge_memory.c, mm/khugepaged.c of 6.1.192.
 */
#ifndef KMEMFS_VM_THP_H
#define KMEMFS_VM_THP_H

#include "kmemfs/phys/cmdline.h"
#include "kmemfs/vm/task.h"

/* How hard a fault tries for a huge page; names as in sysfs. */
enum thp_defrag {
	THP_DEFRAG_ALWAYS,
	THP_DEFRAG_DEFER,
	THP_DEFRAG_DEFER_MADVISE,
	THP_DEFRAG_MADVISE,
	THP_DEFRAG_NEVER,
	NR_THP_DEFRAGS
};

#define NR_THP_MODES 3
extern const char *const thp_mode_names[NR_THP_MODES];
extern const char *const thp_defrag_names[NR_THP_DEFRAGS];

/* Settings and state; there is one where the architecture has such pages. */
struct thp {
	unsigned int order; /* 9 */
	enum thp_mode enabled;
	enum thp_defrag defrag;
	bool use_zero_page;
	/* khugepaged's: in sysfs under their names. */
	bool khugepaged_defrag;
	uint32_t pages_to_scan, scan_sleep_ms, alloc_sleep_ms;
	uint32_t max_ptes_none, max_ptes_swap, max_ptes_shared;
	uint32_t pages_collapsed, full_scans;

	pfn_t zero;	      /* the huge zero page, PFN_NONE: not made */
	uint32_t zero_refs;   /* address spaces that have it, and one */
	GHashTable *parts;    /* pfn -> struct huge_parts */
	GHashTable *deposits; /* pfn of a table of level 1 -> GArray of pfn_t:
				 tables of leaves kept for its huge entries */
	GArray **deferred;    /* [nr_nodes] of pfn_t: pages that lost a part, in
				 the order in which they did */

	GPtrArray *scan;    /* of struct mm *: whom khugepaged looks at */
	struct mm *scan_mm; /* the one in hand, NULL: begins anew */
	va_t scan_at;
	bool asleep; /* until scan_next_ns; else until someone comes */
	uint64_t scan_next_ns;
	uint32_t progress; /* of a scan that waits for memory, and whether it */
	bool waited;	   /* has waited already; how often it has begun */
	uint32_t passes;   /* at the first address space */
};

/*
 * Write or print a setting by the name of its file below
 * transparent_hugepage: "enabled", "khugepaged/defrag".  -EINVAL; -ENOENT: no
 * such one; -EACCES: only to be read.  False: unknown.
 */
int thp_setting_write(struct vm *vm, const char *name, const char *value,
		      struct refusal *r);
bool thp_setting_show(const struct vm *vm, const char *name, struct out *out);
/* When huge pages are had; khugepaged starts or stops with it: 0, -EINVAL. */
int thp_set_enabled(struct vm *vm, enum thp_mode mode);
/* khugepaged runs again as if it had slept enough (after a write to one of its
 * intervals). */
void thp_wake(struct vm *vm);
/* madvise(MADV_COLLAPSE) of @start..@end of @v. */
int thp_collapse_range(struct vm *vm, struct vma *v, va_t start, va_t end,
		       unsigned int cpu);
/*
 * Split the huge page that @pfn, its first frame, begins: 0; -EBUSY: it is no
 * such page; -EAGAIN: someone has pinned it.  Frames that nothing maps are
 * freed.  split_huge_page().
 */
int thp_split_page(struct vm *vm, pfn_t pfn, unsigned int cpu);
/* Pages of node @nid that lost a part, to be split when memory is short:
 * how many there are; split up to @nr of them, returns how many were. */
uint64_t thp_deferred_count(const struct vm *vm, unsigned int nid);
uint64_t thp_deferred_scan(struct vm *vm, unsigned int nid, uint64_t nr,
			   unsigned int cpu);
/* Give the huge zero page back if no address space has it: frames freed. */
uint64_t thp_shrink_zero(struct vm *vm, unsigned int cpu);
/* THPeligible of smaps. */
bool thp_eligible(const struct vm *vm, const struct vma *v);

#endif
