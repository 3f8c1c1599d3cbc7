// SPDX-License-Identifier: MIT
/*
 * labs.c - /labs: what came of trying something
 *
 * How it works: a column for each allocator, so that a row can be read across.
 */
#include "kmemfs/show.h"

#include "kmemfs/machine/lab_slabs.h"

#include <inttypes.h>

#define NAME_WIDTH 28
#define WIDTH 12

static void
put_head(struct out *out, const char *what)
{
	out_printf(out, "%-*s", NAME_WIDTH, what);
	for (unsigned int i = 0; i < NR_SLAB_ALLOCATORS; i++)
		out_printf(out, " %*s", WIDTH, slab_allocator_names[i]);
	out_char(out, '\n');
}

static void
put_row(struct out *out, const struct slab_lab *lab, const char *what,
	uint64_t (*value)(const struct slab_lab_result *r))
{
	out_printf(out, "%-*s", NAME_WIDTH, what);
	for (unsigned int i = 0; i < NR_SLAB_ALLOCATORS; i++)
		out_printf(out, " %*" PRIu64, WIDTH, value(&lab->result[i]));
	out_char(out, '\n');
}

/* A number of hundredths. */
static void
put_hundredths(struct out *out, const struct slab_lab *lab, uint64_t page,
	       const char *what,
	       uint64_t (*value)(const struct slab_lab_result *r,
				 uint64_t page))
{
	out_printf(out, "%-*s", NAME_WIDTH, what);
	for (unsigned int i = 0; i < NR_SLAB_ALLOCATORS; i++) {
		uint64_t v = value(&lab->result[i], page);

		out_printf(out, " %*" PRIu64 ".%02" PRIu64, WIDTH - 3, v / 100,
			   v % 100);
	}
	out_char(out, '\n');
}

#define FIELD(name)                                                            \
	static uint64_t lab_##name(const struct slab_lab_result *r)            \
	{                                                                      \
		return r->name;                                                \
	}

FIELD(allocated)
FIELD(freed)
FIELD(failed)
FIELD(live)
FIELD(asked)
FIELD(taken)
FIELD(pages)
FIELD(peak)
FIELD(shrunk)

static uint64_t
ratio(uint64_t part, uint64_t whole, uint64_t scale)
{
	return whole ? part * scale / whole : 0;
}

static uint64_t
internal(const struct slab_lab_result *r, uint64_t page)
{
	(void)page;
	return ratio(r->taken - MIN_OF(r->asked, r->taken), r->taken, 10000);
}

static uint64_t
external(const struct slab_lab_result *r, uint64_t page)
{
	uint64_t all = r->pages * page;

	return ratio(all - MIN_OF(r->taken, all), all, 10000);
}

static uint64_t
per_page(const struct slab_lab_result *r, uint64_t page)
{
	(void)page;
	return ratio(r->live, r->pages, 100);
}

static uint64_t
sets_used(const struct slab_lab_result *r)
{
	uint64_t used = 0;

	for (unsigned int i = 0; i < SLAB_LAB_SETS; i++)
		used += r->line[i] != 0;
	return used;
}

static uint64_t
busiest(const struct slab_lab_result *r, uint64_t page)
{
	uint64_t most = 0;

	(void)page;
	for (unsigned int i = 0; i < SLAB_LAB_SETS; i++)
		most = MAX_OF(most, r->line[i]);
	return ratio(most, r->live, 100 * SLAB_LAB_SETS);
}

void
show_lab_slabs(const struct view *v, struct out *out)
{
	const struct slab_lab *lab = v->m->slab_lab;
	uint64_t page = page_size(v->m->phys);

	if (!lab)
		return;
	out_printf(out,
		   "# workload=%s seed=%" PRIu64 " operations=%" PRIu64
		   " live=%" PRIu64 ": %s\n",
		   lab->workload->name, lab->seed, lab->operations, lab->live,
		   lab->workload->doc);
	put_head(out, "what");
	put_row(out, lab, "allocated", lab_allocated);
	put_row(out, lab, "freed", lab_freed);
	put_row(out, lab, "failed", lab_failed);
	put_row(out, lab, "live_objects", lab_live);
	put_row(out, lab, "asked_bytes", lab_asked);
	put_row(out, lab, "taken_bytes", lab_taken);
	put_row(out, lab, "pages", lab_pages);
	put_row(out, lab, "peak_pages", lab_peak);
	put_row(out, lab, "pages_after_shrink", lab_shrunk);
	put_hundredths(out, lab, page, "internal_fragmentation_%", internal);
	put_hundredths(out, lab, page, "external_fragmentation_%", external);
	put_hundredths(out, lab, page, "objects_per_page", per_page);
	put_row(out, lab, "cache_sets_used", sets_used);
	put_hundredths(out, lab, page, "busiest_set_over_mean", busiest);
}

void
show_lab_slabs_sets(const struct view *v, struct out *out)
{
	const struct slab_lab *lab = v->m->slab_lab;

	if (!lab)
		return;
	put_head(out, "set");
	for (unsigned int set = 0; set < SLAB_LAB_SETS; set++) {
		out_printf(out, "%-*u", NAME_WIDTH, set);
		for (unsigned int i = 0; i < NR_SLAB_ALLOCATORS; i++)
			out_printf(out, " %*" PRIu64, WIDTH,
				   lab->result[i].line[set]);
		out_char(out, '\n');
	}
}
