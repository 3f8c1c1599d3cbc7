// SPDX-License-Identifier: MIT
/*
 * percpu_impl.h - what the files of per-CPU memory call of each other
 */
#ifndef KMEMFS_SLAB_PERCPU_IMPL_H
#define KMEMFS_SLAB_PERCPU_IMPL_H

#include "kmemfs/slab/percpu.h"

/* --- percpu_chunk.c: the map of a chunk, the lists by free size ------------
 */

struct percpu_chunk *percpu_chunk_new(struct percpu *pc,
				      struct percpu_area *area,
				      uint64_t first_page, uint64_t nr_pages);
void percpu_chunk_free(struct percpu_chunk *c);
/* All bytes before the start and behind the end are taken; they are nobody's.
 * For chunks that share their area's pages. */
void percpu_chunk_bound(struct percpu *pc, struct percpu_chunk *c,
			uint64_t start_offset, uint64_t end_offset);
/* The first place for @size bytes at a multiple of @align, on populated pages
 * only if so wanted: offset in the chunk, UINT64_MAX: none. */
uint64_t percpu_chunk_find(const struct percpu *pc,
			   const struct percpu_chunk *c, uint64_t size,
			   uint64_t align, bool populated);
void percpu_chunk_take(struct percpu *pc, struct percpu_chunk *c, uint64_t off,
		       uint64_t size);
/* The allocation that starts at @off; returns its bytes. */
uint64_t percpu_chunk_give(struct percpu *pc, struct percpu_chunk *c,
			   uint64_t off);
/* Pages were populated or are no more: count. */
void percpu_chunk_recount(struct percpu *pc, struct percpu_chunk *c);
unsigned int percpu_size_slot(const struct percpu *pc, uint64_t size);
unsigned int percpu_free_slot(const struct percpu *pc);
/* Put @c on the list that its largest stretch asks for; @fresh: on none yet. */
void percpu_chunk_relocate(struct percpu *pc, struct percpu_chunk *c,
			   bool fresh);
/* Put @c, not the reserved one, first on list @slot. */
void percpu_chunk_move(struct percpu *pc, struct percpu_chunk *c,
		       unsigned int slot);

/* --- percpu_pages.c: address space and frames ------------------------------
 */

/* @base 0: the highest place that is free; NULL: there is none. */
struct percpu_area *percpu_area_new(struct percpu *pc, va_t base);
void percpu_area_free(struct percpu *pc, struct percpu_area *area);
/* Frames for pages @from..@to of @c on all CPUs, or for none: -ENOMEM. */
int percpu_populate(struct percpu *pc, struct percpu_chunk *c, uint64_t from,
		    uint64_t to, gfp_t gfp, unsigned int cpu);
/* A frame for page @page of the first area's unit of @cpu, if there is none. */
int percpu_touch(struct percpu *pc, struct percpu_area *area, unsigned int cpu,
		 uint64_t page, gfp_t gfp);
void percpu_depopulate(struct percpu *pc, struct percpu_chunk *c,
		       unsigned int cpu);

#endif
