// SPDX-License-Identifier: MIT
/*
 * fault.h - allocations that fail because somebody wants them to
 *
 * The kernel's fault injection: an attribute set says how often what would
 * succeed is made to fail.  One set makes requests for pages fail, one (of
 * slab.h) requests for objects.  With probability 0, as at boot, it costs a
 * load and a test.
 *
 * Follows lib/fault-inject.c, mm/failslab.c and fail_page_alloc of
 * mm/page_alloc.c of 6.1.192.
 */
#ifndef KMEMFS_PHYS_FAULT_H
#define KMEMFS_PHYS_FAULT_H

#include "kmemfs/base/number_stream.h"
#include "kmemfs/base/out.h"
#include "kmemfs/base/refusal.h"
#include "kmemfs/phys/gfp.h"

/* The kernel's struct fault_attr, and what its two users add to it. */
struct fault_attr {
	const char *name;	 /* of its directory in debugfs */
	uint64_t probability;	 /* percent */
	uint64_t interval;	 /* only each interval-th is thrown for */
	uint64_t count;		 /* those that the interval has counted */
	int64_t times;		 /* failures still to come; -1: without end */
	int64_t space;		 /* bytes or pages that succeed before */
	uint64_t verbose;	 /* 0: nothing is said of a failure */
	uint64_t min_order;	 /* pages: of smaller orders none fails */
	bool ignore_gfp_wait;	 /* requests that may wait never fail */
	bool ignore_gfp_highmem; /* pages: nor those that may be high memory */
	bool cache_filter;	 /* objects: only of SLAB_FAILSLAB caches */
	uint64_t random;	 /* the generator that throws */
};

/* As at boot; @seed: of its generator. */
void fault_init(struct fault_attr *attr, const char *name, uint64_t min_order,
		uint64_t seed);
/*
 * Throw for a request of @gfp that takes @size of what space counts: whether
 * it is to fail (should_fail_ex, with the tests of gfp that its users have in
 * common).  What the kernel says of it goes to @say, NULL: nothing is said.
 */
bool fault_should_fail(struct fault_attr *attr, gfp_t gfp, int64_t size,
		       void (*say)(void *user, const char *line), void *user);

/* The attributes by the names of their files: write one, print one with its
 * newline.  -ENOENT: no such attribute, -EINVAL, -ERANGE; 0. */
int fault_write(struct fault_attr *attr, const char *attribute,
		const char *value, struct refusal *why);
bool fault_show(const struct fault_attr *attr, const char *attribute,
		struct out *out);
/* All that later throws depend on, as numbers. */
void fault_digest(const struct fault_attr *attr,
		  const struct number_stream *to);

#endif
