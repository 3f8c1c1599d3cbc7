// SPDX-License-Identifier: MIT
/*
 * pagetable.h - page tables as a tree of names, read as hardware reads them
 *
 * An entry is known by its path: the indices that lead to it from the top
 * table, in one number,
 *
 *     1 | index in the top table | next index | ...      9 or 10 bits each
 *
 * so that paths of all lengths differ and 0 is none.  Nothing that stands in
 * tables is trusted: a path has no more parts than there are levels.
 */
#ifndef KMEMFS_VIEW_PAGETABLE_H
#define KMEMFS_VIEW_PAGETABLE_H

#include "kmemfs/view/view.h"

/* The tables of one address space: their user half, or the kernel half. */
struct pagetable {
	const struct vm *vm;
	struct mmu_regs regs; /* CR3 points at the top table */
	bool kernel;
};

enum slot_kind {
	SLOT_NONE,  /* not present */
	SLOT_TABLE, /* points on */
	SLOT_LEAF
};

/* An entry, read. */
struct slot {
	enum slot_kind kind;
	unsigned int level; /* 0: of the table of the smallest pages */
	va_t va;	    /* first address that it covers */
	pa_t at;
	uint64_t entry;
	uint64_t in_all, in_any; /* bits of it and of all above it */
};

/* Of @t (NULL: the kernel half); false: it has no tables. */
bool pagetable_of(const struct vm *vm, const struct task *t,
		  struct pagetable *pt);
/* The entry at the end of @path, which leads only through tables; SLOT_NONE
 * too when there is no such place, or when it is in the other half. */
enum slot_kind pagetable_slot(const struct pagetable *pt, uint64_t path,
			      struct slot *slot);
/* The first entry of @kind in the table at the end of @path (0: the top one)
 * whose index is @from or more: its path, 0 when there is none. */
uint64_t pagetable_next(const struct pagetable *pt, uint64_t path,
			enum slot_kind kind, unsigned int from);
/* The path of the table that the entry stands in, 0: the top one; the index of
 * the entry there. */
uint64_t pagetable_above(const struct vm *vm, uint64_t path);
unsigned int pagetable_index(const struct vm *vm, uint64_t path);
/* The path that goes on with @index. */
uint64_t pagetable_below(const struct vm *vm, uint64_t path,
			 unsigned int index);

/* Names of the bits that are set in a present entry: "P RW US A D". */
void pagetable_flags(const struct mmu_regs *regs, unsigned int level,
		     uint64_t entry, struct out *out);
/* The memory type that a leaf asks for, by the PAT that Linux loads. */
const char *pagetable_memory_type(unsigned int level, uint64_t entry);

#endif
