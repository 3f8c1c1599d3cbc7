// SPDX-License-Identifier: MIT
/*
 * fixture.h - small physical memories, made by hand, frame by frame
 *
 * No boot, no reserved memory: zones where the test wants them, with nothing
 * managed until the test hands it over.  Lists and events are compared as
 * text, so that a failure shows what was there.
 */
#ifndef TESTS_UNIT_PHYS_FIXTURE_H
#define TESTS_UNIT_PHYS_FIXTURE_H

#include "kmemfs/phys/pages.h"
#include "kmemfs/phys/phys.h"

#include <check.h>
#include <string.h>

struct fixture_zone {
	unsigned int node;
	enum zone_type type;
	pfn_t start;
	pfn_t end;
};

struct fixture {
	struct phys phys;
	struct phys_config config;
	struct trace trace;
	uint64_t now;
	size_t frames_bytes;
};

/* Memory of architecture @arch with @nr zones, sorted by node and type, and
 * @cpus CPUs, spread over the nodes in turn. */
struct fixture *fixture_new(enum arch_id arch, unsigned int cpus,
			    const struct fixture_zone *zones, unsigned int nr);
/* One zone Normal on x86-64 from pfn 1024 on, with @blocks blocks of order 10
 * handed over, one CPU, per-cpu lists that keep nothing (batch 1, high 0). */
struct fixture *fixture_simple(unsigned int blocks);
void fixture_free(struct fixture *f);

struct zone *fixture_zone(struct fixture *f, unsigned int node,
			  enum zone_type type);
/* All CPUs' lists of all zones. */
void fixture_set_pcp(struct fixture *f, uint32_t batch, uint32_t high);

/* Allocate with the defaults: cpu 0, local node, process context. */
pfn_t fixture_alloc(struct fixture *f, gfp_t gfp, unsigned int order);

/* "1024 2048": first pfns of a list in its order; static buffer. */
const char *free_list(struct zone *zone, unsigned int order,
		      enum migratetype type);
const char *pcp_list(struct zone *zone, unsigned int cpu, unsigned int order,
		     enum migratetype type);
/* "mm_page_alloc 5 0 1 3264; mm_page_free 5 0": the ring's events since the
 * last call; static buffer. */
const char *events(struct fixture *f);
/* Fail with the findings when a law of physical memory is broken. */
void assert_lawful(struct fixture *f);

#endif
