// SPDX-License-Identifier: MIT
/*
 * bench_phys.c - the page allocator against the smallest buddy that works
 *
 * Rows: a page from a per-cpu list and back; a random mix of orders at half
 * full on three sizes of machine; host memory for each frame that is in use.
 */
#include "lib/bench.h"
#include "lib/ideal.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>

/* --- a page from the per-cpu list, and back ----------------------------------
 */

struct hit {
	struct machine *m;
	struct ideal *ideal;
	unsigned int pairs;
	volatile uint64_t sink;
};

static double
hit_ours(void *with)
{
	struct hit *h = with;
	struct page_request request = {.gfp = GFP_KERNEL, .nid = NODE_LOCAL};
	struct phys *phys = h->m->phys;
	uint64_t sum = 0, start = bench_cpu();

	for (unsigned int i = 0; i < h->pairs; i++) {
		pfn_t pfn;

		if (pages_alloc(phys, &request, &pfn))
			return NAN;
		sum += pfn;
		pages_put(phys, pfn, 0, 0);
	}
	h->sink = sum;
	return (double)(bench_cpu() - start) / h->pairs;
}

static double
hit_ideal(void *with)
{
	struct hit *h = with;
	uint64_t sum = 0, start = bench_cpu();

	for (unsigned int i = 0; i < h->pairs; i++) {
		uint32_t page = ideal_take(h->ideal, 0);

		sum += page;
		ideal_give(h->ideal, page, 0);
	}
	h->sink = sum;
	return (double)(bench_cpu() - start) / h->pairs;
}

static void
bench_hit(void)
{
	const char *what = "alloc+free, per-cpu list hit";
	struct hit h = {.pairs = 300000};

	if (!bench_wants(what))
		return;
	h.m = bench_boot("[machine]\narch = x86-64\nmemory = 1G\ncpus = 1\n");
	h.ideal = ideal_new(GIB(1) >> 12);
	/* Keep the first page: its buddy then is a hit without split or merge.
	 */
	ideal_take(h.ideal, 0);
	bench_run(&(struct bench_row){
		.what = what,
		.unit = "ns",
		.reference = "ideal buddy",
		.ours = hit_ours,
		.other = hit_ideal,
		.with = &h,
		.target = TARGET_LINE,
		.limit = 2,
		.plus = 15,
	});
	ideal_free(h.ideal);
	machine_free(h.m);
}

/* --- random mix ---------------------------------------------------------- */

struct block {
	uint64_t pfn;
	unsigned int order;
};

/* The blocks that are out, and what decides the next step. */
struct mix {
	struct block *live;
	uint64_t nr_live, room;
	uint64_t pages, most; /* out now; half of the memory */
	uint64_t random;
	struct machine *m;
	struct ideal *ideal;
};

struct mixes {
	struct mix ours, ideal;
	unsigned int steps;
};

static bool
take_ours(struct mix *x, unsigned int order, uint64_t *pfn)
{
	struct page_request request = {
		.gfp = GFP_KERNEL, .order = order, .nid = NODE_LOCAL};

	return !pages_alloc(x->m->phys, &request, pfn);
}

static bool
take_ideal(struct mix *x, unsigned int order, uint64_t *pfn)
{
	*pfn = ideal_take(x->ideal, order);
	return *pfn != IDEAL_NONE;
}

/* One step: a block more, or one fewer when half is out. */
static inline __attribute__((always_inline)) bool
mix_step(struct mix *x, bool (*take)(struct mix *, unsigned int, uint64_t *))
{
	uint64_t r = bench_random(&x->random);
	struct block *b;

	if (x->pages < x->most) {
		unsigned int order = (unsigned int)((r >> 32) % MAX_ORDER);

		if (x->nr_live == x->room)
			return false;
		b = &x->live[x->nr_live++];
		b->order = order;
		x->pages += 1ULL << order;
		return take(x, order, &b->pfn);
	}
	b = &x->live[r % x->nr_live];
	x->pages -= 1ULL << b->order;
	if (x->m)
		pages_put(x->m->phys, b->pfn, b->order, 0);
	else
		ideal_give(x->ideal, (uint32_t)b->pfn, b->order);
	*b = x->live[--x->nr_live];
	return true;
}

static double
mix_ours(void *with)
{
	struct mixes *both = with;
	uint64_t start = bench_cpu();

	for (unsigned int i = 0; i < both->steps; i++)
		if (!mix_step(&both->ours, take_ours))
			return NAN;
	/* Two steps are a block taken and one given. */
	return 2.0 * (double)(bench_cpu() - start) / both->steps;
}

static double
mix_ideal(void *with)
{
	struct mixes *both = with;
	uint64_t start = bench_cpu();

	for (unsigned int i = 0; i < both->steps; i++)
		if (!mix_step(&both->ideal, take_ideal))
			return NAN;
	return 2.0 * (double)(bench_cpu() - start) / both->steps;
}

static void
mix_begin(struct mix *x, uint64_t nr_pages)
{
	x->most = nr_pages / 2;
	x->room = nr_pages / 64;
	x->live = g_new(struct block, x->room);
	x->random = 1;
	while (x->pages < x->most)
		if (!mix_step(x, x->m ? take_ours : take_ideal))
			abort();
	/* Then every block is changed once or twice: the host's memory behind
	 * the frames is there now. */
	for (uint64_t i = 0, nr = 4 * x->nr_live; i < nr; i++)
		if (!mix_step(x, x->m ? take_ours : take_ideal))
			abort();
}

static void
bench_mix(const char *size, uint64_t bytes)
{
	struct mixes both = {.steps = bench_quick() ? 100000 : 400000};
	char *what = g_strdup_printf(
		"alloc+free, random orders 0-10, half full, %s", size);
	char *ini = g_strdup_printf(
		"[machine]\narch = x86-64\nmemory = %s\ncpus = 1\n", size);

	if (bench_wants(what)) {
		both.ours.m = bench_boot(ini);
		both.ideal.ideal = ideal_new(bytes >> 12);
		mix_begin(&both.ours, bytes >> 12);
		mix_begin(&both.ideal, bytes >> 12);
		bench_run(&(struct bench_row){
			.what = what,
			.unit = "ns",
			.reference = "ideal buddy",
			.ours = mix_ours,
			.other = mix_ideal,
			.with = &both,
			.target = TARGET_LINE,
			.limit = 2,
			.plus = 15,
		});
		machine_free(both.ours.m);
		ideal_free(both.ideal.ideal);
		g_free(both.ours.live);
		g_free(both.ideal.live);
	}
	g_free(what);
	g_free(ini);
}

/* --- memory for each frame in use ---------------------------------------- */

#define FRAMES 1000000

static double
bytes_ours(void *with)
{
	struct machine *m =
		bench_boot("[machine]\narch = x86-64\nmemory = 8G\ncpus = 1\n");
	struct page_request request = {.gfp = GFP_KERNEL, .nid = NODE_LOCAL};
	uint64_t before = bench_resident();
	double bytes;

	(void)with;
	for (unsigned int i = 0; i < FRAMES; i++) {
		pfn_t pfn;

		if (pages_alloc(m->phys, &request, &pfn))
			return NAN;
	}
	bytes = (double)(bench_resident() - before) / FRAMES;
	machine_free(m);
	return bytes;
}

static double
bytes_ideal(void *with)
{
	struct ideal *b = ideal_new(GIB(8) >> 12);
	uint64_t before = bench_resident();
	double bytes;

	(void)with;
	/* Its lists of whole blocks were written at the start: count all. */
	for (unsigned int i = 0; i < FRAMES; i++)
		ideal_take(b, 0);
	bytes = (double)(bench_resident() - before) / FRAMES;
	ideal_free(b);
	return bytes;
}

int
main(int argc, char **argv)
{
	bench_begin(argc, argv);
	bench_hit();
	bench_mix("1G", GIB(1));
	bench_mix("64G", GIB(64));
	bench_mix("1T", GIB(1024));
	bench_run(&(struct bench_row){
		.what = "host memory for a frame in use",
		.unit = "bytes",
		.reference = "ideal buddy",
		.ours = bytes_ours,
		.other = bytes_ideal,
		.target = TARGET_OURS_MAX,
		.limit = 24,
		.rounds = 3,
	});
	return bench_end();
}
