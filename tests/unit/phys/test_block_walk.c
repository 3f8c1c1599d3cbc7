// SPDX-License-Identifier: MIT
/* test_block_walk.c - spans of blocks: none left out, none given twice */
#include "unit/view/views.h"

#include "kmemfs/phys/block_walk.h"

Suite *suite_block_walk(void);

/* Walk all that was given to the page allocator; pages by state. */
static void
walk(const struct phys *phys, uint64_t pages[NR_FRAME_STATES], uint64_t *steps)
{
	memset(pages, 0, NR_FRAME_STATES * sizeof(*pages));
	*steps = 0;
	for (guint i = 0; i < phys->managed->len; i++) {
		const struct pfn_span *s =
			&g_array_index(phys->managed, struct pfn_span, i);
		pfn_t at = s->start;

		while (at < s->end) {
			struct block_span span =
				block_span_at(phys->zones[s->zone], at);

			if (span.start != at || span.end > s->end)
				ck_abort_msg("a block reaches out");
			pages[span.state] += span.end - span.start;
			at = span.end;
			++*steps;
		}
	}
}

static uint64_t
pcp_pages(const struct phys *phys)
{
	uint64_t pages = 0;

	for (unsigned int z = 0; z < phys->nr_zones; z++)
		for (unsigned int cpu = 0;
		     phys->zones[z]->pcp && cpu < phys->nr_cpus; cpu++)
			pages += phys->zones[z]->pcp[cpu].count;
	return pages;
}

static uint64_t
free_pages(const struct phys *phys)
{
	uint64_t pages = 0;

	for (unsigned int z = 0; z < phys->nr_zones; z++)
		pages += (uint64_t)phys->zones[z]->stat[ZS_nr_free_pages];
	return pages;
}

START_TEST(a_walk_counts_what_the_lists_count)
{
	static const char *const machines[] = {
		NUMA_MACHINE, HIGHMEM_MACHINE,
		"[machine]\narch = x86-64\ncpus = 1\nmemory = 64M\n"};
	struct machine *m = views_boot(machines[_i]);
	uint64_t pages[NR_FRAME_STATES], steps, managed = 0;

	views_use(m, 11, 2000);
	for (unsigned int z = 0; z < m->phys->nr_zones; z++)
		managed += m->phys->zones[z]->managed_pages;
	walk(m->phys, pages, &steps);
	ck_assert_uint_eq(pages[FRAME_FREE], free_pages(m->phys));
	ck_assert_uint_eq(pages[FRAME_PCP], pcp_pages(m->phys));
	ck_assert_uint_eq(pages[FRAME_NONE], 0);
	ck_assert_uint_gt(pages[FRAME_ALLOCATED], 0);
	ck_assert_uint_eq(pages[FRAME_FREE] + pages[FRAME_PCP] +
				  pages[FRAME_ALLOCATED],
			  managed);
	machine_free(m);
}
END_TEST

START_TEST(memory_nobody_touched_costs_few_steps)
{
	struct machine *m = views_boot("[machine]\narch = x86-64\ncpus = 4\n"
				       "memory = 4T\nnodes = 4\n");
	uint64_t pages[NR_FRAME_STATES], steps;

	walk(m->phys, pages, &steps);
	ck_assert_uint_eq(pages[FRAME_FREE], free_pages(m->phys));
	ck_assert_uint_lt(steps, 1000);
	machine_free(m);
}
END_TEST

START_TEST(a_frame_inside_a_block_leads_to_the_whole_block)
{
	struct machine *m = views_boot(NUMA_MACHINE);
	struct block_span span;
	const struct allocation *a;

	ck_assert_int_eq(views_do(m, "page/alloc_pages GFP_KERNEL 4 name=one"),
			 0);
	a = allocation_find(m, "one");
	span = block_span_at(phys_zone_of(m->phys, a->pfn), a->pfn + 5);
	ck_assert_uint_eq(span.start, a->pfn);
	ck_assert_uint_eq(span.end, a->pfn + 16);
	ck_assert_int_eq(span.state, FRAME_ALLOCATED);
	ck_assert_uint_eq(span.order, 4);
	ck_assert_int_eq(span.type, MIGRATE_UNMOVABLE);
	machine_free(m);
}
END_TEST

Suite *
suite_block_walk(void)
{
	Suite *s = suite_create("block_walk");
	TCase *t = tcase_create("block_walk");

	tcase_add_loop_test(t, a_walk_counts_what_the_lists_count, 0, 3);
	tcase_add_test(t, memory_nobody_touched_costs_few_steps);
	tcase_add_test(t, a_frame_inside_a_block_leads_to_the_whole_block);
	suite_add_tcase(s, t);
	return s;
}
