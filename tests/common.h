// SPDX-License-Identifier: MIT
/*
 * common.h - what tests of all kinds share: numbers at random, one number for
 * many, and how much memory is left
 */
#ifndef TESTS_COMMON_H
#define TESTS_COMMON_H

#include "kmemfs/phys/phys.h"

/* The next number of the generator with this state (splitmix64). */
static inline uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Add @v to @hash, a uint64_t: for walks that tell numbers. */
static inline void
hash_number(void *hash, uint64_t v)
{
	uint64_t *sum = hash;

	*sum = (*sum ^ v) * 0x9e3779b97f4a7c15;
	*sum ^= *sum >> 29;
}

/* Pages that the page allocator has free, per-cpu lists too. */
static inline uint64_t
unused_pages(const struct phys *phys)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < phys->nr_zones; i++) {
		const struct zone *zone = phys->zones[i];

		sum += (uint64_t)zone->stat[ZS_nr_free_pages];
		for (unsigned int cpu = 0; zone->pcp && cpu < phys->nr_cpus;
		     cpu++)
			sum += zone->pcp[cpu].count;
	}
	return sum;
}

#endif
