// SPDX-License-Identifier: MIT
/*
 * vmed.h - a booted machine with virtual memory and one task
 */
#ifndef TESTS_UNIT_VM_VMED_H
#define TESTS_UNIT_VM_VMED_H

#include "../phys/booted.h"

#include "kmemfs/vm/fault.h"
#include "kmemfs/vm/hugetlb.h"
#include "kmemfs/vm/mempolicy.h"
#include "kmemfs/vm/thp.h"

#include <errno.h>

struct vmed {
	struct booted *b;
	struct ram *ram;
	struct symbols *symbols;
	struct vm *vm;
	struct task *t;	 /* forked from PID 1, on CPU 0; handles SIGSEGV */
	uint64_t before; /* free pages once PID 1 runs */
};

struct vmed_kind {
	const char *arch;   /* NULL: x86-64 */
	const char *memory; /* NULL: 64M */
	struct vm_config vm;
	const char *more; /* lines of [machine]; NULL: none */
	bool huge;	  /* transparent huge pages wherever they can be */
};

#define RW (VM_PROT_READ | VM_PROT_WRITE)

struct vmed *vmed_new(const struct vmed_kind *kind);
/* The usual one: x86-64, 64M, 2 CPUs. */
struct vmed *vmed_usual(void);
/* Also checks that with the last task all frames went, and all laws. */
void vmed_free(struct vmed *m);
/* mmap that must succeed: anonymous, private, anywhere; with more. */
va_t map(struct vmed *m, uint64_t pages, uint64_t prot);
va_t map_with(struct vmed *m, va_t at, uint64_t pages, uint64_t prot,
	      uint64_t flags, struct vm_object *o, uint64_t page);
/* mmap's errno. */
int map_error(struct vmed *m, const struct vm_mmap_args *a);
/* A user's access on the task's CPU: vm_access()'s result. */
int poke_user(struct vmed *m, struct task *t, va_t va, uint8_t byte);
int peek_user(struct vmed *m, struct task *t, va_t va, uint8_t *byte);
/* The byte at @va as @t reads it; the test fails when it cannot. */
uint8_t byte_at(struct vmed *m, struct task *t, va_t va);
/* The leaf entry for @va, 0: none; its frame. */
uint64_t leaf_of(struct vmed *m, struct task *t, va_t va);
pfn_t pfn_of(struct vmed *m, struct task *t, va_t va);
/* A child of @t; it handles SIGSEGV too. */
struct task *child_of(struct task *t);
/* exit and reap. */
void end_task(struct task *t);
uint64_t vmed_free_pages(const struct vmed *m);
/* Sum of a node counter over all nodes. */
int64_t node_sum(const struct vmed *m, enum node_stat stat);
void vmed_lawful(const struct vmed *m);
/* How many areas @t has in @start..@end. */
unsigned int areas_in(struct task *t, va_t start, va_t end);

#endif
