// SPDX-License-Identifier: MIT
/* test_pcp.c - per-cpu lists: refill, order of use, when and what they drain */
#include "fixture.h"

#include <stdio.h>

#define NORMAL(f) fixture_zone(f, 0, ZONE_NORMAL)
#define PCP(f) (&NORMAL(f)->pcp[0])
#define LIST(f, order, type) pcp_list(NORMAL(f), 0, order, MIGRATE_##type)
#define MOVABLE GFP_HIGHUSER_MOVABLE

static struct fixture *
fixture_pcp(uint32_t batch, uint32_t high)
{
	struct fixture *f = fixture_simple(4);

	fixture_set_pcp(f, batch, high);
	return f;
}

/* Allocate @nr single movable pages into @pfn, and forget how the lists were
 * used until here. */
static void
hold_pages(struct fixture *f, pfn_t *pfn, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		pfn[i] = fixture_alloc(f, MOVABLE, 0);
	pages_drain(&f->phys, NULL, -1);
	ck_assert_uint_eq(PCP(f)->count, 0);
	PCP(f)->free_factor = 0;
}

static const struct {
	const char *why;
	unsigned int batch, order, refill;
} refills[] = {
	{"single pages: a batch",	  63, 0, 63},
	{"order 1: half of it",		63, 1, 31},
	{"order 3: an eighth",	       63, 3, 7 },
	{"never less than two blocks",     7,  3, 2 },
	{"pageblocks: two",		    63, 9, 2 },
	{"a list that keeps nothing: one", 1,  0, 1 },
	{"ditto, of a higher order",	     1,	2, 1 },
};

START_TEST(an_empty_list_is_refilled_with_a_batch_scaled_by_order)
{
	struct fixture *f = fixture_pcp(refills[_i].batch, 512);
	unsigned int order = refills[_i].order;
	unsigned int left = (refills[_i].refill - 1) << order;

	ck_assert_uint_eq(fixture_alloc(f, MOVABLE, order), 1024);
	ck_assert_msg(PCP(f)->count == left, "%s: %u pages stayed, not %u",
		      refills[_i].why, PCP(f)->count, left);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_refilled_list_gives_pages_in_the_order_of_the_refill)
{
	struct fixture *f = fixture_pcp(4, 64);

	ck_assert_uint_eq(fixture_alloc(f, MOVABLE, 0), 1024);
	ck_assert_str_eq(LIST(f, 0, MOVABLE), "1025 1026 1027");
	ck_assert_uint_eq(fixture_alloc(f, MOVABLE, 0), 1025);
	fixture_free(f);
}
END_TEST

START_TEST(what_was_freed_last_is_taken_first)
{
	struct fixture *f = fixture_pcp(4, 64);
	pfn_t a = fixture_alloc(f, MOVABLE, 0);
	pfn_t b = fixture_alloc(f, MOVABLE, 0);

	pages_put(&f->phys, a, 0, 0);
	pages_put(&f->phys, b, 0, 0);
	ck_assert_str_eq(LIST(f, 0, MOVABLE), "1025 1024 1026 1027");
	ck_assert_uint_eq(fixture_alloc(f, MOVABLE, 0), b);
	ck_assert_uint_eq(fixture_alloc(f, MOVABLE, 0), a);
	fixture_free(f);
}
END_TEST

START_TEST(each_drain_without_an_allocation_doubles_until_high_less_batch)
{
	/* batch 4, high 16: 4, then 8, then 16 cut to 16 - 4. */
	static const struct {
		unsigned int frees, count, factor;
	} steps[] = {
		{15, 15, 0},
		     {1,	 12, 1},
		 {3,  15, 1},
		      {1,  8,  2},
		{7,  15, 2},
		     {1,	 4,  2},
		 {11, 15, 2},
		      {1,  4,  2},
	};
	struct fixture *f = fixture_pcp(4, 16);
	pfn_t pfn[64];
	unsigned int n = 0;

	hold_pages(f, pfn, 64);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		for (unsigned int k = 0; k < steps[i].frees; k++)
			pages_put(&f->phys, pfn[n++], 0, 0);
		ck_assert_uint_eq(PCP(f)->count, steps[i].count);
		ck_assert_uint_eq(PCP(f)->free_factor, steps[i].factor);
	}
	assert_lawful(f);
	fixture_alloc(f, MOVABLE, 0);
	ck_assert_uint_eq(PCP(f)->free_factor, 1);
	fixture_alloc(f, MOVABLE, 0);
	ck_assert_uint_eq(PCP(f)->free_factor, 0);
	fixture_free(f);
}
END_TEST

START_TEST(the_oldest_pages_are_drained)
{
	struct fixture *f = fixture_pcp(2, 4);
	pfn_t pfn[8];

	hold_pages(f, pfn, 8);
	f->trace.enabled = 1 << TRACE_MM_PAGE_PCPU_DRAIN;
	for (int i = 0; i < 4; i++)
		pages_put(&f->phys, pfn[i], 0, 0);
	ck_assert_str_eq(LIST(f, 0, MOVABLE), "1027 1026");
	ck_assert_str_eq(events(f), "mm_page_pcpu_drain 1024 0 1; "
				    "mm_page_pcpu_drain 1025 0 1");
	fixture_free(f);
}
END_TEST

START_TEST(freeing_higher_orders_in_a_row_empties_all_lists)
{
	struct fixture *f = fixture_pcp(4, 64);
	pfn_t big = fixture_alloc(f, MOVABLE, 2);
	pfn_t small = fixture_alloc(f, MOVABLE, 0);

	PCP(f)->free_factor = 1;
	pages_put(&f->phys, small, 0, 0); /* order 0: not so */
	ck_assert_uint_gt(PCP(f)->count, 1);
	pages_put(&f->phys, big, 2, 0);
	ck_assert_uint_eq(PCP(f)->count, 0);
	ck_assert_uint_eq(PCP(f)->free_factor, 1);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(freeing_higher_orders_after_an_allocation_keeps_them)
{
	struct fixture *f = fixture_pcp(4, 64);
	pfn_t big = fixture_alloc(f, MOVABLE, 2);

	pages_put(&f->phys, big, 2, 0);
	ck_assert_uint_eq(PCP(f)->count, 8);
	fixture_free(f);
}
END_TEST

START_TEST(the_boot_list_keeps_nothing)
{
	struct fixture *f = fixture_pcp(1, 0);
	pfn_t pfn = fixture_alloc(f, MOVABLE, 0);

	ck_assert_uint_eq(PCP(f)->count, 0);
	f->trace.enabled = 1 << TRACE_MM_PAGE_PCPU_DRAIN;
	pages_put(&f->phys, pfn, 0, 0);
	ck_assert_str_eq(events(f), "mm_page_pcpu_drain 1024 0 1");
	ck_assert_uint_eq(PCP(f)->count, 0);
	fixture_free(f);
}
END_TEST

START_TEST(a_list_as_long_as_a_batch_drains_nothing)
{
	/* high - batch is the most that may go: 0. */
	struct fixture *f = fixture_pcp(4, 4);
	pfn_t pfn[8];

	hold_pages(f, pfn, 8);
	for (int i = 0; i < 8; i++)
		pages_put(&f->phys, pfn[i], 0, 0);
	ck_assert_uint_eq(PCP(f)->count, 8);
	fixture_free(f);
}
END_TEST

START_TEST(lists_stay_short_while_reclaim_is_active)
{
	struct fixture *f = fixture_pcp(2, 64);
	pfn_t pfn[16];

	hold_pages(f, pfn, 16);
	NORMAL(f)->reclaim_active = true;
	for (int i = 0; i < 7; i++)
		pages_put(&f->phys, pfn[i], 0, 0);
	ck_assert_uint_eq(PCP(f)->count, 7);
	pages_put(&f->phys, pfn[7], 0, 0); /* 8 = 4 * batch */
	ck_assert_uint_eq(PCP(f)->count, 6);
	fixture_free(f);
}
END_TEST

START_TEST(one_list_is_emptied_before_the_next_is_touched)
{
	struct fixture *f = fixture_pcp(8, 64);
	pfn_t unmovable = fixture_alloc(f, GFP_KERNEL, 0);
	pfn_t movable = fixture_alloc(f, MOVABLE, 0);
	uint32_t before = PCP(f)->count;

	/* 7 Unmovable and 7 Movable pages; a drain starts at list 0. */
	ck_assert_uint_eq(before, 14);
	pages_drain_batch(NORMAL(f), 0);
	ck_assert_str_eq(LIST(f, 0, UNMOVABLE), "");
	ck_assert_uint_eq(PCP(f)->length[MIGRATE_MOVABLE], 6);
	assert_lawful(f);
	/* A free starts at its own list. */
	PCP(f)->high = 8;
	PCP(f)->batch = 4;
	pages_put(&f->phys, unmovable, 0, 0);
	ck_assert_uint_eq(PCP(f)->count, 7);
	pages_put(&f->phys, movable, 0, 0);
	ck_assert_uint_eq(PCP(f)->length[MIGRATE_MOVABLE], 3);
	ck_assert_uint_eq(PCP(f)->length[MIGRATE_UNMOVABLE], 1);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(draining_all_cpus_leaves_nothing_anywhere)
{
	const struct fixture_zone z[] = {
		{0, ZONE_DMA32,	1024, 2048},
		{0, ZONE_NORMAL, 2048, 4096},
	};
	struct fixture *f = fixture_new(ARCH_X86_64, 3, z, 2);
	struct page_request request = {.gfp = GFP_KERNEL, .nid = 0};
	pfn_t pfn;

	buddy_hand_over(fixture_zone(f, 0, ZONE_DMA32), 1024, 2048);
	buddy_hand_over(NORMAL(f), 2048, 4096);
	fixture_set_pcp(f, 16, 128);
	for (request.cpu = 0; request.cpu < 3; request.cpu++) {
		ck_assert_int_eq(pages_alloc(&f->phys, &request, &pfn), 0);
		pages_put(&f->phys, pfn, 0, request.cpu);
		request.gfp ^= __GFP_DMA32;
	}
	pages_drain(&f->phys, NULL, 1);
	ck_assert_uint_eq(fixture_zone(f, 0, ZONE_DMA32)->pcp[1].count, 0);
	ck_assert_uint_eq(NORMAL(f)->pcp[0].count, 16);
	pages_drain(&f->phys, NORMAL(f), -1);
	ck_assert_uint_eq(NORMAL(f)->pcp[2].count, 0);
	pages_drain(&f->phys, NULL, -1);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_pages], 2048);
	ck_assert_str_eq(free_list(NORMAL(f), 0, MIGRATE_UNMOVABLE), "");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

static const struct {
	enum migratetype type;
	const char *list;
} guests[] = {
	{MIGRATE_HIGHATOMIC, "HighAtomic"},
	{MIGRATE_CMA,	      "CMA"	   },
};

START_TEST(pages_of_special_pageblocks_visit_the_movable_list)
{
	struct fixture *f = fixture_pcp(1, 64);
	pfn_t pfn = fixture_alloc(f, MOVABLE, 0);

	pageblock_set_type(&f->phys, pfn, guests[_i].type);
	NORMAL(f)->nr_reserved_highatomic = 512;
	pages_put(&f->phys, pfn, 0, 0);
	ck_assert_str_eq(LIST(f, 0, MOVABLE), "1024");
	assert_lawful(f);
	pages_drain(&f->phys, NULL, -1);
	ck_assert_msg(!strcmp(free_list(NORMAL(f), 9, guests[_i].type), "1024"),
		      "it returns to the %s list", guests[_i].list);
	fixture_free(f);
}
END_TEST

START_TEST(a_page_returns_under_the_type_it_carries)
{
	struct fixture *f = fixture_pcp(1, 64);
	pfn_t pfn = fixture_alloc(f, MOVABLE, 0);

	pages_put(&f->phys, pfn, 0, 0); /* carries Movable */
	pageblock_set_type(&f->phys, pfn, MIGRATE_RECLAIMABLE);
	pages_drain(&f->phys, NULL, -1);
	ck_assert_str_eq(free_list(NORMAL(f), 10, MIGRATE_RECLAIMABLE), "");
	ck_assert_str_eq(free_list(NORMAL(f), 10, MIGRATE_MOVABLE),
			 "1024 2048 3072 4096");
	fixture_free(f);
}
END_TEST

START_TEST(while_a_pageblock_is_isolated_types_are_looked_up_again)
{
	struct fixture *f = fixture_pcp(1, 64);
	pfn_t kept = fixture_alloc(f, MOVABLE, 0);
	pfn_t freed = fixture_alloc(f, MOVABLE, 0);

	pages_put(&f->phys, freed, 0, 0);
	pageblock_set_type(&f->phys, 1024, MIGRATE_ISOLATE);
	NORMAL(f)->nr_isolate_pageblock = 1;
	pages_drain(&f->phys, NULL, -1);
	ck_assert_str_eq(free_list(NORMAL(f), 0, MIGRATE_ISOLATE), "1025");
	/* And a free does not go to a per-cpu list at all. */
	pages_put(&f->phys, kept, 0, 0);
	ck_assert_uint_eq(PCP(f)->count, 0);
	fixture_free(f);
}
END_TEST

START_TEST(whole_pageblocks_have_lists_with_huge_pages_only)
{
	const struct fixture_zone z = {0, ZONE_NORMAL, 1024, 4096};
	struct fixture *f = fixture_new(ARCH_GENERIC, 1, &z, 1);

	buddy_hand_over(NORMAL(f), 1024, 4096);
	fixture_set_pcp(f, 8, 4096);
	pages_put(&f->phys, fixture_alloc(f, MOVABLE, 10), 10, 0);
	pages_put(&f->phys, fixture_alloc(f, MOVABLE, 9), 9, 0);
	ck_assert_uint_eq(PCP(f)->count, 0);
	fixture_free(f);

	f = fixture_pcp(8, 4096);
	pages_put(&f->phys, fixture_alloc(f, MOVABLE, 9), 9, 0);
	ck_assert_str_eq(LIST(f, 9, MOVABLE), "1024 1536");
	pages_put(&f->phys, fixture_alloc(f, MOVABLE, 10), 10, 0);
	ck_assert_uint_eq(PCP(f)->count, 1024);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

Suite *suite_pcp(void);

Suite *
suite_pcp(void)
{
	Suite *s = suite_create("pcp");
	TCase *t = tcase_create("pcp");

	tcase_add_loop_test(
		t, an_empty_list_is_refilled_with_a_batch_scaled_by_order, 0,
		ARRAY_SIZE(refills));
	tcase_add_test(t,
		       a_refilled_list_gives_pages_in_the_order_of_the_refill);
	tcase_add_test(t, what_was_freed_last_is_taken_first);
	tcase_add_test(
		t,
		each_drain_without_an_allocation_doubles_until_high_less_batch);
	tcase_add_test(t, the_oldest_pages_are_drained);
	tcase_add_test(t, freeing_higher_orders_in_a_row_empties_all_lists);
	tcase_add_test(t, freeing_higher_orders_after_an_allocation_keeps_them);
	tcase_add_test(t, the_boot_list_keeps_nothing);
	tcase_add_test(t, a_list_as_long_as_a_batch_drains_nothing);
	tcase_add_test(t, lists_stay_short_while_reclaim_is_active);
	tcase_add_test(t, one_list_is_emptied_before_the_next_is_touched);
	tcase_add_test(t, draining_all_cpus_leaves_nothing_anywhere);
	tcase_add_loop_test(t,
			    pages_of_special_pageblocks_visit_the_movable_list,
			    0, ARRAY_SIZE(guests));
	tcase_add_test(t, a_page_returns_under_the_type_it_carries);
	tcase_add_test(t,
		       while_a_pageblock_is_isolated_types_are_looked_up_again);
	tcase_add_test(t, whole_pageblocks_have_lists_with_huge_pages_only);
	suite_add_tcase(s, t);
	return s;
}
