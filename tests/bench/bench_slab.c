// SPDX-License-Identifier: MIT
/*
 * bench_slab.c - slabs against the smallest slab allocator that works
 *
 * Rows: an object from the CPU's slab and back, against the bare loop; random
 * sizes that come and go among a million objects, against slabs that touch no
 * object and against slabs whose lists lie in the objects; host memory for an
 * object, without the bytes of modelled RAM.
 */
#include "kmemfs/slab/kmalloc.h"
#include "lib/bench.h"
#include "lib/ideal_slab.h"

#include <glib.h>
#include <malloc.h>
#include <math.h>
#include <stdlib.h>

static const char ini[] = "[machine]\narch = x86-64\nmemory = 2G\ncpus = 1\n";

/* --- an object from the CPU's slab, and back -------------------------------
 */

struct hit {
	struct kmem_cache *cache;
	struct slab_request request;
	unsigned int pairs;
	volatile uint64_t sink;
};

static double
hit_ours(void *with)
{
	struct hit *h = with;
	uint64_t sum = 0, start = bench_cpu();

	for (unsigned int i = 0; i < h->pairs; i++) {
		va_t object;

		if (kmem_cache_alloc(h->cache, &h->request, &object))
			return NAN;
		sum += object;
		kmem_cache_free(h->cache, object, &h->request);
	}
	h->sink = sum;
	return (double)(bench_cpu() - start) / h->pairs;
}

/* The loop around them. */
static double
hit_loop(void *with)
{
	struct hit *h = with;
	uint64_t sum = 0, start = bench_cpu();

	for (unsigned int i = 0; i < h->pairs; i++) {
		sum += i;
		h->sink = sum;
	}
	return (double)(bench_cpu() - start) / h->pairs;
}

static void
bench_hit(void)
{
	const char *what = "kmem_cache alloc+free, cpu slab hit";
	struct hit h = {.pairs = 1000000};
	struct kmem_cache_args args = {
		.name = "bench", .size = 120, .who = &h.request};
	struct machine *m;

	if (!bench_wants(what))
		return;
	m = bench_boot(ini);
	h.request = (struct slab_request){.gfp = GFP_KERNEL, .nid = NODE_LOCAL};
	if (kmem_cache_create(m->slab, &args, &h.cache, NULL)) {
		bench_skip(what, "no cache");
		return;
	}
	bench_run(&(struct bench_row){
		.what = what,
		.unit = "ns",
		.reference = "the loop alone",
		.ours = hit_ours,
		.other = hit_loop,
		.with = &h,
		.target = TARGET_LINE,
		.limit = 1,
		.plus = 25,
	});
	machine_free(m);
}

/* --- a million objects -----------------------------------------------------
 */

#define LIVE 1000000U

struct crowd {
	struct machine *m;
	struct ideal_slabs *ideal;
	struct slab_request request;
	uint64_t *ours, *other;		    /* [LIVE] addresses */
	uint64_t ours_random, other_random; /* generators in step */
	uint32_t ours_next, other_next;	    /* the object that goes next */
	unsigned int steps;
};

/* Most objects of a kernel are small. */
static uint32_t
some_size(uint64_t random)
{
	return 1 + (uint32_t)(random >> 32) % (16U << random % 6);
}

/*
 * An object that goes, and a number for what comes.  The one after it is drawn
 * already and its address asked for: that this table is too large for the
 * host's caches is not to be measured.
 */
static inline uint64_t *
next_of(uint64_t *table, uint32_t *next, uint64_t *random, uint64_t *number)
{
	uint64_t *at = &table[*next];

	*next = (uint32_t)(bench_random(random) % LIVE);
	__builtin_prefetch(&table[*next], 1);
	*number = bench_random(random);
	return at;
}

static double
crowd_ours(void *with)
{
	struct crowd *c = with;
	uint64_t start = bench_cpu();

	for (unsigned int i = 0; i < c->steps; i++) {
		uint64_t random;
		uint64_t *at = next_of(c->ours, &c->ours_next, &c->ours_random,
				       &random);

		kfree(c->m->slab, *at, &c->request);
		if (kmalloc(c->m->slab, some_size(random), &c->request, at))
			return NAN;
	}
	return (double)(bench_cpu() - start) / c->steps;
}

static double
crowd_ideal(void *with)
{
	struct crowd *c = with;
	uint64_t start = bench_cpu();

	for (unsigned int i = 0; i < c->steps; i++) {
		uint64_t random;
		uint64_t *at = next_of(c->other, &c->other_next,
				       &c->other_random, &random);

		ideal_slabs_give(c->ideal, *at);
		*at = ideal_slabs_take(c->ideal, some_size(random));
		if (!*at)
			return NAN;
	}
	return (double)(bench_cpu() - start) / c->steps;
}

static bool
crowd_fill(struct crowd *c)
{
	uint64_t random = 7;

	for (unsigned int i = 0; i < LIVE; i++) {
		uint32_t bytes = some_size(bench_random(&random));

		if (kmalloc(c->m->slab, bytes, &c->request, &c->ours[i]))
			return false;
		c->other[i] = ideal_slabs_take(c->ideal, bytes);
		if (!c->other[i])
			return false;
	}
	return true;
}

static void
bench_crowd(const char *what, const char *reference, bool in_bytes)
{
	struct crowd c = {.steps = 500000, .ours_random = 1, .other_random = 1};

	if (!bench_wants(what))
		return;
	c.request = (struct slab_request){.gfp = GFP_KERNEL, .nid = NODE_LOCAL};
	c.m = bench_boot(ini);
	c.ideal = ideal_slabs_new(400000, in_bytes);
	c.ours = g_new(uint64_t, LIVE);
	c.other = g_new(uint64_t, LIVE);
	if (crowd_fill(&c)) {
		/* Lists as they are after long use, not after filling. */
		crowd_ours(&c);
		crowd_ideal(&c);
		bench_run(&(struct bench_row){
			.what = what,
			.unit = "ns",
			.reference = reference,
			.ours = crowd_ours,
			.other = crowd_ideal,
			.with = &c,
			.target = TARGET_RATIO_MAX,
			.limit = 3,
		});
	} else {
		bench_skip(what, "memory is out");
	}
	g_free(c.ours);
	g_free(c.other);
	ideal_slabs_free(c.ideal);
	machine_free(c.m);
}

/* --- host memory -----------------------------------------------------------
 */

static double
bytes_ours(void *with)
{
	struct machine *m = bench_boot(ini);
	const struct slab_request request = {.gfp = GFP_KERNEL,
					     .nid = NODE_LOCAL};
	uint64_t random = 7, before, held;
	double bytes;
	va_t object;

	(void)with;
	malloc_trim(0);
	before = bench_resident();
	held = ram_held(m->ram);
	for (unsigned int i = 0; i < LIVE; i++)
		if (kmalloc(m->slab, some_size(bench_random(&random)), &request,
			    &object))
			return NAN;
	bytes = (double)(bench_resident() - before) -
		(double)(ram_held(m->ram) - held);
	machine_free(m);
	return bytes / LIVE;
}

static double
bytes_ideal(void *with)
{
	struct ideal_slabs *s;
	uint64_t random = 7, before;
	double bytes;

	(void)with;
	malloc_trim(0);
	before = bench_resident();
	s = ideal_slabs_new(400000, false);
	for (unsigned int i = 0; i < LIVE; i++)
		ideal_slabs_take(s, some_size(bench_random(&random)));
	bytes = (double)(bench_resident() - before);
	ideal_slabs_free(s);
	return bytes / LIVE;
}

int
main(int argc, char **argv)
{
	bench_begin(argc, argv);
	bench_hit();
	bench_crowd("random kmalloc+kfree, 1M live", "ideal slabs", false);
	bench_crowd("random kmalloc+kfree, 1M live, links in objects",
		    "ideal slabs with bytes", true);
	bench_run(&(struct bench_row){
		.what = "host memory for an object in use",
		.unit = "bytes",
		.reference = "ideal slabs",
		.ours = bytes_ours,
		.other = bytes_ideal,
		.target = TARGET_OURS_MAX,
		.limit = 8,
		.rounds = 3,
	});
	return bench_end();
}
