// SPDX-License-Identifier: MIT
/*
 * lab_slabs.h - the same work done by the three allocators of objects
 *
 * Each boots a machine of its own from the same description, so that the
 * machine at hand is not touched, and gets the same requests and frees in the
 * same order.
 */
#ifndef KMEMFS_MACHINE_LAB_SLABS_H
#define KMEMFS_MACHINE_LAB_SLABS_H

#include "kmemfs/machine/config.h"
#include "kmemfs/slab/slab.h"

/* What is asked for: sizes and how often, from kmalloc or from caches. */
struct slab_workload {
	const char *name;
	const char *doc;
};

/* By number, NULL at the end; by name, NULL. */
const struct slab_workload *slab_workload_nth(unsigned int n);
const struct slab_workload *slab_workload_find(const char *name);

#define SLAB_LAB_OPERATIONS_MOST 1000000
#define SLAB_LAB_LIVE_MOST 100000
/* Sets of the cache that objects' first lines are sorted into: 32 KiB in lines
 * of 64 bytes, 8 of them a set. */
#define SLAB_LAB_SETS 64

/* What one allocator made of it. */
struct slab_lab_result {
	uint64_t allocated, freed, failed; /* requests */
	uint64_t live;			   /* objects at the end */
	uint64_t asked;	 /* bytes that users of those asked for */
	uint64_t taken;	 /* bytes that those take, with what belongs to each */
	uint64_t pages;	 /* that hold them */
	uint64_t peak;	 /* most pages at any time */
	uint64_t shrunk; /* pages after all caches were shrunk */
	uint64_t line[SLAB_LAB_SETS]; /* first lines of objects in each set */
};

struct slab_lab {
	const struct slab_workload *workload;
	uint64_t seed, operations, live; /* what was asked for */
	struct slab_lab_result result[NR_SLAB_ALLOCATORS];
};

/*
 * Do @operations of @workload with each allocator, around @live objects at a
 * time, as @seed decides.  NULL and a sentence in @why when a machine of
 * @config cannot be booted again.
 */
struct slab_lab *slab_lab_run(const struct machine_config *config,
			      const struct slab_workload *workload,
			      uint64_t seed, uint64_t operations, uint64_t live,
			      char *why, size_t why_size);

#endif
