// SPDX-License-Identifier: MIT
/*
 * bench_growth.c - how cost grows with the machine and with what is allocated
 *
 * A block taken and one given back, of orders 0 to 10, around 100,000 live
 * ones or an eighth of the machine; of orders 0 to 3 around 1,000 to ten
 * million.  Rows end in the number that the plot has on its axis: bench_plot.c
 * reads them.  The ideal buddy fills its lists at the start, a gigabyte of them
 * for half a terabyte, so it is not there beyond a terabyte.
 */
#include "lib/bench.h"
#include "lib/ideal.h"
#include "lib/mix.h"

#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>

#define LIVE 100000
#define IDEAL_MOST GIB(1024)
#define STEPS 200000
#define ROUNDS 5

struct growth {
	const char *ini;
	struct mix ours, ideal;
};

static double
growth_ours(void *with)
{
	return mix_run(&((struct growth *)with)->ours, STEPS);
}

static double
growth_ideal(void *with)
{
	return mix_run(&((struct growth *)with)->ideal, STEPS);
}

static double
growth_start(void *with)
{
	uint64_t start = bench_cpu(), end;
	struct machine *m = bench_boot(((struct growth *)with)->ini);

	end = bench_cpu();
	machine_free(m);
	return (double)(end - start) / 1e6;
}

static char *
machine_of(const char *size, uint64_t bytes)
{
	return g_strdup_printf("[machine]\narch = x86-64\nmemory = %s\n"
			       "cpus = %u\nnodes = %u\n",
			       size, bytes > GIB(8192) ? 16U : 1U,
			       bytes > GIB(8192) ? 16U : 1U);
}

/* Both sides around the level of @level; the ideal one only if it fits. */
static void
growth_row(const char *what, const char *ini, uint64_t bytes,
	   const struct mix *level)
{
	struct growth g = {ini, *level, *level};
	bool ideal = bytes <= IDEAL_MOST;

	if (!bench_wants(what))
		return;
	g.ours.m = bench_boot(ini);
	mix_begin(&g.ours);
	if (ideal) {
		g.ideal.ideal = ideal_new(bytes >> 12);
		mix_begin(&g.ideal);
	}
	bench_run(&(struct bench_row){
		.what = what,
		.unit = "ns",
		.reference = "ideal buddy",
		.ours = growth_ours,
		.other = ideal ? growth_ideal : NULL,
		.with = &g,
		.rounds = ROUNDS,
	});
	mix_end(&g.ours);
	mix_end(&g.ideal);
	machine_free(g.ours.m);
	if (ideal)
		ideal_free(g.ideal.ideal);
}

static void
by_size(const char *size, uint64_t bytes)
{
	/* An eighth: boot code has half of the smallest one. */
	const struct mix level = {.orders = MAX_ORDER,
				  .most_pages = bytes >> 15,
				  .most_blocks = LIVE};
	char *ini = machine_of(size, bytes);
	char *start = g_strdup_printf("start by size of the machine, %s", size);
	char *step =
		g_strdup_printf("alloc+free by size of the machine, %s", size);

	bench_run(&(struct bench_row){
		.what = start,
		.unit = "ms",
		.ours = growth_start,
		.with = &(struct growth){.ini = ini},
		.rounds = ROUNDS,
	});
	growth_row(step, ini, bytes, &level);
	g_free(ini);
	g_free(start);
	g_free(step);
}

static void
by_live(uint64_t live)
{
	const struct mix level = {.orders = PAGE_ALLOC_COSTLY_ORDER + 1,
				  .most_pages = GIB(256) >> 12,
				  .most_blocks = live};
	char *ini = machine_of("256G", GIB(256));
	char *what = g_strdup_printf("alloc+free by live allocations, %" PRIu64,
				     live);

	growth_row(what, ini, GIB(256), &level);
	g_free(ini);
	g_free(what);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} sizes[] = {
		{"64M",	MIB(64)   },
		     {"256M", MIB(256)  },
		  {"1G",	 GIB(1)    },
		{"4G",   GIB(4)    },
		     {"16G",  GIB(16)   },
		  {"64G",  GIB(64)	 },
		{"256G", GIB(256)	 },
		     {"1T",   GIB(1024) },
		  {"4T",	 GIB(4096) },
		{"16T",	GIB(16384)},
		     {"64T",  GIB(65536)},
	};

	bench_begin(argc, argv);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		by_size(sizes[i].name, sizes[i].bytes);
	for (uint64_t live = 1000; live <= 10000000; live *= 10)
		by_live(live);
	return bench_end();
}
