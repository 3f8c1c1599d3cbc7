// SPDX-License-Identifier: MIT
/*
 * kernel_impl.h - what the files of the kernel half share
 */
#ifndef KMEMFS_VM_KERNEL_IMPL_H
#define KMEMFS_VM_KERNEL_IMPL_H

#include "kmemfs/vm/kernel.h"
#include "vm_impl.h"

/* PAGE_KERNEL: P RW A D, NX where there is one, and G unless user mode has
 * tables without it. */
static inline uint64_t
kernel_prot(const struct vm *vm)
{
	return PTE_P | PTE_RW | PTE_A | PTE_D | (vm->kpti ? 0 : PTE_G) |
	       vm->shape.no_exec;
}

/* --- kernel_map.c ---------------------------------------------------------
 */

/* Where the pages of a mapping are. */
struct kernel_source {
	const pfn_t *pages; /* NULL: one after the other from */
	pfn_t first;
	uint64_t bits; /* of the entries */
};

/* Enter @nr pages of @from at @va; 0 or, with nothing entered, -errno. */
int kernel_enter(struct vm *vm, va_t va, const struct kernel_source *from,
		 uint64_t nr, unsigned int cpu);
/* Take the entries of @nr pages out; TLBs are not told. */
void kernel_clear(struct vm *vm, va_t va, uint64_t nr);
/* flush_tlb_kernel_range: all CPUs forget @start..@end. */
void kernel_flush(struct vm *vm, va_t start, va_t end, unsigned int cpu);
/* One CPU forgets one page. */
void kernel_flush_one(struct vm *vm, va_t va, unsigned int cpu);

/* --- kernel_area.c --------------------------------------------------------
 */

/*
 * Addresses for @nr pages, a guard page after them unless KA_RAM or KA_BLOCK,
 * aligned to @align bytes, and a record; nothing is mapped.  NULL: none are
 * left, which the log tells.
 */
struct kernel_area *kernel_area_new(struct vm *vm,
				    const struct kernel_request *q, uint64_t nr,
				    uint64_t align, uint32_t flags);
/* Enter the record of an area, start and end filled in, whose addresses are
 * free: it gets its id. */
void kernel_area_adopt(struct vm *vm, struct kernel_area *a);
/* Take its entries out; its addresses are given back lazily; frees the record,
 * not its pages. */
void kernel_area_drop(struct vm *vm, struct kernel_area *a, unsigned int cpu);
/* The same, and no purge yet, however many wait. */
void kernel_area_retire(struct vm *vm, struct kernel_area *a);
void kernel_area_free(struct kernel_area *a);
/* The area that begins at @va, NULL. */
struct kernel_area *kernel_area_find(const struct kernel_half *k, va_t va);
/* Blocks that have nothing mapped go. */
void kernel_blocks_purge(struct vm *vm);

/* Pages for an area, into its own list: 0, -ENOMEM (none are kept). */
int kernel_pages_get(struct vm *vm, struct kernel_area *a,
		     const struct kernel_request *q, uint32_t owner);
void kernel_pages_put(struct vm *vm, const struct kernel_area *a,
		      unsigned int cpu);
/* Enter them: 0 or -errno. */
int kernel_area_enter(struct vm *vm, const struct kernel_area *a, uint64_t bits,
		      unsigned int cpu);

/* --- kernel_percpu.c ------------------------------------------------------ */

/* The frame behind @va of per-CPU memory, PFN_NONE. */
pfn_t kernel_percpu_pfn(const struct vm *vm, va_t va);
/* Enter it: whether there is one. */
bool kernel_percpu_fault(struct vm *vm, unsigned int cpu, va_t va);

/* --- kernel_kmap_local.c -------------------------------------------------- */

struct kernel_local *kernel_local_get(struct vm *vm, unsigned int cpu);

/* --- kernel_stack.c ------------------------------------------------------- */

/* Make the CPUs' interrupt stacks known: 0, -errno. */
int kernel_irq_stacks(struct vm *vm, unsigned int cpu);

#endif
