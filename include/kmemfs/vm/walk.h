// SPDX-License-Identifier: MIT
/*
 * walk.h - what the entries of an area map, for those who look and change
 * nothing, and the few settings that /proc/PID takes
 *
 * Source: mm/pagewalk.c, fs/proc/task_mmu.c, fs/proc/base.c of 6.1.192.
 */
#ifndef KMEMFS_VM_WALK_H
#define KMEMFS_VM_WALK_H

#include "kmemfs/vm/task.h"

/* What one entry maps of an area. */
struct vm_mapping {
	va_t va;
	uint64_t entry;
	pfn_t pfn;	    /* of the frame at @va */
	uint64_t pages;	    /* frames one after the other, 1 for a small leaf */
	unsigned int level; /* of the entry, 0: smallest pages */
	pfn_t head;	    /* whose record stands for the page; PFN_NONE: no
			       page of anybody's, the zero page or a device */
	bool young, dirty, soft_dirty;
};

typedef void (*vm_mapping_fn)(void *user, const struct vma *v,
			      const struct vm_mapping *mapping);
/*
 * Tell of each entry of @v that maps something at @start..@end, in order;
 * parts without tables are stepped over at once.  Of a large leaf that begins
 * before @start what is behind it is told.
 */
void vm_walk(const struct vm *vm, const struct vma *v, va_t start, va_t end,
	     vm_mapping_fn fn, void *user);
/* The first frame of the page that frame @pfn is of, whose record stands for
 * all of it; @pfn itself where it is no huge page's. */
pfn_t vm_page_head(const struct vm *vm, pfn_t pfn);
/* What is known of the page that begins at @head (struct vm_mapping). */
const struct vm_page *vm_page_of(const struct vm *vm, pfn_t head);
/* Whether frame @pfn holds a table of user or kernel addresses that the kernel
 * marks as one (PageTable): not the upper levels. */
bool vm_is_marked_table(const struct vm *vm, pfn_t pfn);

/* --- settings ------------------------------------------------------------- */

/* What is written to clear_refs. */
enum clear_refs {
	CLEAR_REFS_ALL = 1,
	CLEAR_REFS_ANON,
	CLEAR_REFS_MAPPED,
	CLEAR_REFS_SOFT_DIRTY,
	CLEAR_REFS_HIWATER_RSS,
	NR_CLEAR_REFS
};

/*
 * Forget which pages of @t were referenced, or written, or how many it had at
 * most.  Nothing happens to a task without an address space.  -EINVAL.
 */
int vm_clear_refs(struct vm *vm, struct task *t, unsigned int what,
		  unsigned int cpu);
/* For all of its thread group and all that share its memory, PID 1 apart, if
 * it is not meant itself: 0, -EINVAL when beyond -1000..1000. */
int task_set_oom_score_adj(struct task *t, int64_t value);
/* Name a task; what is too long is cut. */
void task_set_comm(struct task *t, const char *comm);

#endif
