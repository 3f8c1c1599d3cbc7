// SPDX-License-Identifier: MIT
/*
 * ideal_slab.h - the smallest slab allocator that works, as a yardstick
 *
 * One size class for each power of two and two between; slabs of one page; a
 * slab keeps the indices of its free objects in an array; a class keeps the
 * slabs that have some.  No bytes of objects are touched, nothing is counted,
 * no CPUs, nodes or flags.
 *
 * With bytes there is memory behind the objects, and a slab's free objects are
 * a list in it, as a kernel has them: each holds the index of the next.
 */
#ifndef KMEMFS_BENCH_IDEAL_SLAB_H
#define KMEMFS_BENCH_IDEAL_SLAB_H

#include <stdbool.h>
#include <stdint.h>

struct ideal_slabs;

/* @pages that slabs can have; @in_bytes: lists of free objects lie in them. */
struct ideal_slabs *ideal_slabs_new(uint32_t pages, bool in_bytes);
void ideal_slabs_free(struct ideal_slabs *s);
/* Address of an object of at least @bytes, 1 to 1024; 0: memory is out. */
uint64_t ideal_slabs_take(struct ideal_slabs *s, uint32_t bytes);
void ideal_slabs_give(struct ideal_slabs *s, uint64_t object);

#endif
