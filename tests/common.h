// SPDX-License-Identifier: MIT
/*
 * common.h - what tests of all kinds share: one number for many, how much
 * memory is left, and the end of a state directory
 */
#ifndef TESTS_COMMON_H
#define TESTS_COMMON_H

#include "kmemfs/base/random.h"
#include "kmemfs/phys/phys.h"

#include <glib.h>
#include <glib/gstdio.h>

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

/* Remove a state directory, and free its path.  Returns how many files it had,
 * -1 when others are left in it. */
static inline int
remove_state(char *dir)
{
	static const char *const names[] = {"journal", "lock", "machine.ini"};
	int nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *path = g_build_filename(dir, names[i], NULL);

		nr += !g_unlink(path);
		g_free(path);
	}
	if (g_rmdir(dir))
		nr = -1;
	g_free(dir);
	return nr;
}

#endif
