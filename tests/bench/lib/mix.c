// SPDX-License-Identifier: MIT
/* mix.c - one step at a time, for either side */
#include "mix.h"

#include "kmemfs/phys/pages.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>

typedef bool (*take_fn)(struct mix *, unsigned int, uint64_t *);

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

/* The steps alone. */
static bool
take_nothing(struct mix *x, unsigned int order, uint64_t *pfn)
{
	(void)x;
	*pfn = order;
	return true;
}

static inline __attribute__((always_inline)) bool
mix_step(struct mix *x, take_fn take)
{
	uint64_t r = bench_random(&x->random);
	struct mix_block *b;

	if (x->pages < x->most_pages && x->nr_live < x->most_blocks) {
		b = &x->live[x->nr_live++];
		b->order = (unsigned int)((r >> 32) % x->orders);
		x->pages += 1ULL << b->order;
		return take(x, b->order, &b->pfn);
	}
	b = &x->live[r % x->nr_live];
	x->pages -= 1ULL << b->order;
	if (x->m)
		pages_put(x->m->phys, b->pfn, b->order, 0);
	else if (x->ideal)
		ideal_give(x->ideal, (uint32_t)b->pfn, b->order);
	*b = x->live[--x->nr_live];
	return true;
}

static bool
mix_steps(struct mix *x, uint64_t steps)
{
	uint64_t i = 0;

	if (x->m)
		while (i < steps && mix_step(x, take_ours))
			i++;
	else if (x->ideal)
		while (i < steps && mix_step(x, take_ideal))
			i++;
	else
		while (i < steps && mix_step(x, take_nothing))
			i++;
	return i == steps;
}

void
mix_begin(struct mix *x)
{
	uint64_t room = MIN_OF(x->most_pages, x->most_blocks);

	x->live = g_new(struct mix_block, room);
	x->random = 1;
	while (x->pages < x->most_pages && x->nr_live < x->most_blocks)
		if (!mix_steps(x, 1))
			abort();
	if (!mix_steps(x, 4 * x->nr_live))
		abort();
}

double
mix_run(struct mix *x, unsigned int steps)
{
	uint64_t start = bench_cpu();

	if (!mix_steps(x, steps))
		return NAN;
	/* Two steps are a block taken and one given. */
	return 2.0 * (double)(bench_cpu() - start) / steps;
}

void
mix_end(struct mix *x)
{
	g_free(x->live);
}
