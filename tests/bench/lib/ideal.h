// SPDX-License-Identifier: MIT
/*
 * ideal.h - the smallest buddy allocator that works, as a yardstick
 *
 * One list of free blocks an order and a state byte a page; no zones, types,
 * watermarks, counters, events or errors.  What a model of a kernel takes
 * longer than this is the price of the kernel's rules.
 */
#ifndef KMEMFS_BENCH_IDEAL_H
#define KMEMFS_BENCH_IDEAL_H

#include <stdint.h>

#define IDEAL_ORDERS 11
#define IDEAL_NONE UINT32_MAX

struct ideal_link {
	uint32_t next, prev;
};

struct ideal {
	uint8_t *state;		 /* order + 1 of the free block that begins */
	struct ideal_link *link; /* of the first page of a free block */
	uint32_t head[IDEAL_ORDERS];
	uint64_t nr_pages;
};

/* @nr_pages free pages, a multiple of 2^10, below 2^32.  Lies in huge pages of
 * the host where these are to be had. */
struct ideal *ideal_new(uint64_t nr_pages);
void ideal_free(struct ideal *b);
/* First page of a block of 2^@order, or IDEAL_NONE. */
uint32_t ideal_take(struct ideal *b, unsigned int order);
void ideal_give(struct ideal *b, uint32_t page, unsigned int order);

#endif
