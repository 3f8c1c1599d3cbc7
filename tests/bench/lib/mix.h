// SPDX-License-Identifier: MIT
/*
 * mix.h - blocks of random orders that come and go around a level
 *
 * The same steps for the model and for the ideal buddy: below the level a
 * block is taken, at the level one picked at random is given back.
 */
#ifndef KMEMFS_BENCH_MIX_H
#define KMEMFS_BENCH_MIX_H

#include "bench.h"
#include "ideal.h"

struct mix_block {
	uint64_t pfn;
	unsigned int order;
};

struct mix {
	struct machine *m;    /* where blocks come from, */
	struct ideal *ideal;  /* or NULL and this */
	unsigned int orders;  /* 0 to orders - 1 */
	uint64_t most_pages;  /* the level: no more pages than that, */
	uint64_t most_blocks; /* nor more blocks */
	/* Made by mix_begin(). */
	struct mix_block *live;
	uint64_t nr_live, pages;
	uint64_t random;
};

/*
 * Fill up to the level, then change each block twice: the host's memory behind
 * what is used is there from then on.  Ends the program when memory is out.
 */
void mix_begin(struct mix *x);
/* Nanoseconds for a block taken and one given back, over @steps of either. */
double mix_run(struct mix *x, unsigned int steps);
void mix_end(struct mix *x);

#endif
