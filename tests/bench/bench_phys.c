// SPDX-License-Identifier: MIT
/*
 * bench_phys.c - the page allocator against the smallest buddy that works
 *
 * Rows: a page from a per-cpu list and back; a random mix of orders at half
 * full on three sizes of machine; host memory for each frame that is in use.
 */
#include "lib/bench.h"
#include "lib/ideal.h"
#include "lib/mix.h"

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

struct mixes {
	struct mix ours, ideal;
	struct mix loop; /* neither: what the bench itself takes */
	unsigned int steps;
};

static __attribute__((noinline)) double
mix_ours(struct mixes *both)
{
	return mix_run(&both->ours, both->steps);
}

static __attribute__((noinline)) double
mix_ideal(struct mixes *both)
{
	return mix_run(&both->ideal, both->steps);
}

static __attribute__((noinline)) double
mix_loop(struct mixes *both)
{
	return mix_run(&both->loop, both->steps);
}

/* Net: an order and a block that goes are chosen by the bench itself. */
static double
net_ours(void *with)
{
	return mix_ours(with) - mix_loop(with);
}

static double
net_ideal(void *with)
{
	return mix_ideal(with) - mix_loop(with);
}

static void
mixes_run(struct mixes *both, const struct bench_row *row)
{
	mix_begin(&both->ours);
	mix_begin(&both->ideal);
	mix_begin(&both->loop);
	bench_run(row);
	mix_end(&both->ours);
	mix_end(&both->ideal);
	mix_end(&both->loop);
}

static void
bench_mix(const char *size, uint64_t bytes)
{
	char *what = g_strdup_printf(
		"alloc+free, random orders 0-10, half full, %s", size);
	char *ini = g_strdup_printf(
		"[machine]\narch = x86-64\nmemory = %s\ncpus = 1\n", size);

	if (bench_wants(what)) {
		const struct mix half = {.orders = MAX_ORDER,
					 .most_pages = bytes >> 13,
					 .most_blocks = bytes >> 18};
		struct mixes both = {half, half, half,
				     bench_quick() ? 100000 : 400000};

		both.ours.m = bench_boot(ini);
		both.ideal.ideal = ideal_new(bytes >> 12);
		mixes_run(&both, &(struct bench_row){
					 .what = what,
					 .unit = "ns",
					 .reference = "ideal buddy",
					 .ours = net_ours,
					 .other = net_ideal,
					 .with = &both,
					 .target = TARGET_LINE,
					 .limit = 2,
					 .plus = 15,
				 });
		machine_free(both.ours.m);
		ideal_free(both.ideal.ideal);
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
	uint64_t before = bench_resident();
	/* All of it is in use, since it writes its lists at the start. */
	struct ideal *b = ideal_new(round_up_to(FRAMES, 1024));
	double bytes;

	(void)with;
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
