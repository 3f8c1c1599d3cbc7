// SPDX-License-Identifier: MIT
/* test_fallback.c - stealing between types, boost, HighAtomic, CMA lending */
#include "fixture.h"

#include <stdio.h>

#define NORMAL(f) fixture_zone(f, 0, ZONE_NORMAL)
#define LIST(f, order, type) free_list(NORMAL(f), order, MIGRATE_##type)
#define TYPE(f, pfn) pageblock_type(&(f)->phys, pfn)
#define MOVABLE GFP_HIGHUSER_MOVABLE
#define RECLAIMABLE (GFP_KERNEL | __GFP_RECLAIMABLE)

/* Where free pages of a movable pageblock at 1024 lie, in all else of the zone
 * nothing is free: frees @nr blocks of @order, one of two, from the top. */
static struct fixture *
fixture_holes(gfp_t gfp, unsigned int order, unsigned int nr)
{
	struct fixture *f = fixture_simple(1);
	pfn_t pfn[1024];
	unsigned int all = 1024U >> order;

	for (unsigned int i = 0; i < all; i++)
		pfn[i] = fixture_alloc(f, gfp, order);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_pages], 0);
	/* The first pageblock, its even blocks, from the highest down. */
	for (unsigned int i = all / 2; nr && i >= 2; i -= 2, nr--)
		pages_put(&f->phys, pfn[i - 2], order, 0);
	ck_assert_uint_eq(nr, 0);
	f->trace.enabled = 1 << TRACE_MM_PAGE_ALLOC_EXTFRAG;
	return f;
}

static const struct {
	const char *why;
	gfp_t gfp;
	enum migratetype have[2], from;
} orders_of[] = {
	{"Unmovable takes Reclaimable first",
	 GFP_KERNEL,	 {MIGRATE_MOVABLE, MIGRATE_RECLAIMABLE},
	 MIGRATE_RECLAIMABLE},
	{"Movable takes Reclaimable first",
	 MOVABLE,	 {MIGRATE_UNMOVABLE, MIGRATE_RECLAIMABLE},
	 MIGRATE_RECLAIMABLE},
	{"Reclaimable takes Unmovable first",
	 RECLAIMABLE, {MIGRATE_MOVABLE, MIGRATE_UNMOVABLE},
	 MIGRATE_UNMOVABLE  },
	{"Unmovable never takes CMA",
	 GFP_KERNEL,	 {MIGRATE_CMA, MIGRATE_MOVABLE},
	 MIGRATE_MOVABLE	},
};

START_TEST(each_type_falls_back_in_its_own_order)
{
	const struct fixture_zone z = {0, ZONE_NORMAL, 1024, 3072};
	struct fixture *f = fixture_new(ARCH_X86_64, 1, &z, 1);

	for (unsigned int i = 0; i < 2; i++) {
		pfn_t at = 1024 + 1024 * i;

		pageblock_set_type(&f->phys, at, orders_of[_i].have[i]);
		pageblock_set_type(&f->phys, at + 512, orders_of[_i].have[i]);
		buddy_hand_over(NORMAL(f), at, at + 1024);
	}
	f->trace.enabled = 1 << TRACE_MM_PAGE_ALLOC_EXTFRAG;
	ck_assert_uint_ne(fixture_alloc(f, orders_of[_i].gfp, 0), PFN_NONE);
	ck_assert_msg(trace_get(&f->trace, 0)->arg[5] == orders_of[_i].from,
		      "%s", orders_of[_i].why);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_block_of_whole_pageblocks_takes_them_all_along)
{
	struct fixture *f = fixture_simple(2);

	f->trace.enabled = 1 << TRACE_MM_PAGE_ALLOC_EXTFRAG;
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 0), 1024);
	ck_assert_int_eq(TYPE(f, 1024), MIGRATE_UNMOVABLE);
	ck_assert_int_eq(TYPE(f, 1536), MIGRATE_UNMOVABLE);
	ck_assert_int_eq(TYPE(f, 2048), MIGRATE_MOVABLE);
	ck_assert_str_eq(LIST(f, 9, UNMOVABLE), "1536");
	ck_assert_str_eq(events(f), "mm_page_alloc_extfrag 1024 0 10 9 0 1 0 "
				    "1");
	/* The whole is no fragmentation: no boost. */
	ck_assert_uint_eq(NORMAL(f)->watermark_boost, 0);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

static const struct {
	const char *why;
	gfp_t held; /* what fills the pageblock */
	gfp_t wants;
	unsigned int order, holes, fallback_order;
	bool retag;
} steals[] = {
	/* 512 pages a pageblock; alike = 512 - free - movable. */
	{"free 64, movable 448: 64 < 256",  MOVABLE,    GFP_KERNEL,	4, 4,  4, false},
	{"free 256 of 512",		    MOVABLE,    GFP_KERNEL,	 4, 16, 4, true },
	{"free 240 < 256",		   MOVABLE,    GFP_KERNEL,	4, 15, 4, false},
 /* The pageblock became Unmovable when it was filled: nothing alike. */
	{"Reclaimable in an Unmovable one", GFP_KERNEL, RECLAIMABLE, 4, 8,  4,
	 false								      },
	{"ditto, half of it free",	   GFP_KERNEL, RECLAIMABLE, 4, 16, 4, true },
 /* Movable counts movable pages; here there are none. */
	{"Movable into Unmovable, order 4", GFP_KERNEL, MOVABLE,	 4, 8,  4,
	 false								      },
	{"Movable, half free",	       GFP_KERNEL, MOVABLE,	    4, 16, 4, true },
 /* Too small to settle: just the block. */
	{"Movable, order 3 does not steal", GFP_KERNEL, MOVABLE,	 3, 32, 3,
	 false								      },
	{"Unmovable steals at any order",	  MOVABLE,	   GFP_KERNEL,  3, 32, 3, true },
};

START_TEST(half_a_pageblock_free_or_alike_changes_its_owner)
{
	struct fixture *f = fixture_holes(steals[_i].held, steals[_i].order,
					  steals[_i].holes);
	enum migratetype own = TYPE(f, 1024);
	enum migratetype wants = gfp_migratetype(steals[_i].wants);
	const struct trace_record *r;

	ck_assert_uint_ne(fixture_alloc(f, steals[_i].wants, 0), PFN_NONE);
	r = trace_get(&f->trace, 0);
	ck_assert_uint_eq(r->event, TRACE_MM_PAGE_ALLOC_EXTFRAG);
	ck_assert_msg(r->arg[2] == steals[_i].fallback_order, "%s: order %d",
		      steals[_i].why, (int)r->arg[2]);
	ck_assert_msg(r->arg[7] == steals[_i].retag, "%s: change_ownership %d",
		      steals[_i].why, (int)r->arg[7]);
	ck_assert_int_eq(TYPE(f, 1024), steals[_i].retag ? wants : own);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(pages_of_a_like_kind_count_for_the_new_owner)
{
	struct fixture *f = fixture_simple(1);
	pfn_t pfn[32];

	/* A Movable pageblock with 300 pages that cannot move, taken while it
	 * was of another type, and 16 free ones: Unmovable may have it. */
	for (int i = 0; i < 32; i++)
		pfn[i] = fixture_alloc(f, GFP_KERNEL, 4);
	for (int i = 0; i < 32; i++)
		ck_assert_uint_ne(fixture_alloc(f, MOVABLE, 4), PFN_NONE);
	pageblock_set_type(&f->phys, 1024, MIGRATE_MOVABLE);
	pages_put(&f->phys, pfn[6], 4, 0);
	ck_assert_str_eq(LIST(f, 4, MOVABLE), "1120");
	fixture_alloc(f, GFP_KERNEL, 0);
	ck_assert_int_eq(TYPE(f, 1024), MIGRATE_UNMOVABLE);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_stolen_pageblock_moves_to_the_tail_in_ascending_order)
{
	struct fixture *f = fixture_holes(MOVABLE, 4, 16);

	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 4), 1024);
	ck_assert_str_eq(LIST(f, 4, MOVABLE), "");
	ck_assert_str_eq(LIST(f, 4, UNMOVABLE),
			 "1056 1088 1120 1152 1184 1216 1248 1280 1312 1344 "
			 "1376 1408 1440 1472 1504");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_movable_request_that_cannot_settle_takes_the_smallest)
{
	struct fixture *f = fixture_simple(1);
	pfn_t small, large;

	/* Unmovable blocks of order 3 and 1 are free, nothing else. */
	large = fixture_alloc(f, GFP_KERNEL, 3);
	fixture_alloc(f, GFP_KERNEL, 3);
	small = fixture_alloc(f, GFP_KERNEL, 1);
	fixture_alloc(f, GFP_KERNEL, 1);
	while (fixture_alloc(f, GFP_KERNEL, 0) != PFN_NONE)
		;
	pages_put(&f->phys, large, 3, 0);
	pages_put(&f->phys, small, 1, 0);
	f->trace.enabled = 1 << TRACE_MM_PAGE_ALLOC_EXTFRAG;
	ck_assert_uint_eq(fixture_alloc(f, MOVABLE, 0), small);
	ck_assert_str_eq(events(f), "mm_page_alloc_extfrag 1040 0 1 9 1 0 1 0");
	ck_assert_str_eq(LIST(f, 3, UNMOVABLE), "1024");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_steal_raises_the_watermarks_up_to_a_part_of_high)
{
	struct fixture *f = fixture_simple(4);
	pfn_t pfn[256];

	NORMAL(f)->watermark[WMARK_HIGH] = 500; /* most: 750 */
	for (int i = 0; i < 256; i++)
		pfn[i] = fixture_alloc(f, MOVABLE, 4);
	for (int i = 0; i < 256; i += 32) {
		uint64_t had = NORMAL(f)->watermark_boost;

		pages_put(&f->phys, pfn[i], 4, 0);
		/* One pageblock a steal; it would keep others out now. */
		ck_assert_uint_eq(
			fixture_alloc(f, GFP_KERNEL | __GFP_MEMALLOC, 4),
			pfn[i]);
		ck_assert_uint_eq(NORMAL(f)->watermark_boost,
				  MIN_OF(had + 512, 750));
	}
	ck_assert(!NORMAL(f)->boosted);
	fixture_free(f);
}
END_TEST

static const struct {
	const char *why;
	uint64_t factor, high;
	unsigned int blocks;
	uint64_t boost;
} boosts[] = {
	{"switched off",		 0,	    500, 4, 0  },
	{"no watermarks yet",	      15000, 0,	4, 0  },
	{"fewer than four pageblocks", 15000, 500, 1, 0  },
	{"at least one pageblock",	   15000, 10,  4, 512},
};

START_TEST(small_zones_are_not_boosted)
{
	struct fixture *f = fixture_simple(boosts[_i].blocks);
	pfn_t pfn = fixture_alloc(f, MOVABLE, 4);

	while (fixture_alloc(f, MOVABLE, 4) != PFN_NONE)
		;
	f->phys.sysctl.watermark_boost_factor = boosts[_i].factor;
	NORMAL(f)->watermark[WMARK_HIGH] = boosts[_i].high;
	pages_put(&f->phys, pfn, 4, 0);
	fixture_alloc(f, GFP_KERNEL, 4);
	ck_assert_msg(NORMAL(f)->watermark_boost == boosts[_i].boost, "%s",
		      boosts[_i].why);
	fixture_free(f);
}
END_TEST

START_TEST(without_grouping_all_requests_are_unmovable)
{
	struct fixture *f = fixture_simple(1);
	pfn_t pfn;

	f->phys.mobility_off = true;
	pfn = fixture_alloc(f, MOVABLE, 0);
	ck_assert_int_eq(f->phys.frames[pfn].type, MIGRATE_UNMOVABLE);
	ck_assert_int_eq(TYPE(f, 1024), MIGRATE_UNMOVABLE);
	pageblock_set_type(&f->phys, 1024, MIGRATE_MOVABLE);
	ck_assert_int_eq(TYPE(f, 1024), MIGRATE_UNMOVABLE);
	pageblock_set_type(&f->phys, 1024, MIGRATE_ISOLATE);
	ck_assert_int_eq(TYPE(f, 1024), MIGRATE_ISOLATE);
	fixture_free(f);
}
END_TEST

/* --- HighAtomic ---------------------------------------------------------- */

START_TEST(an_atomic_high_order_request_reserves_its_pageblock)
{
	struct fixture *f = fixture_simple(4);
	pfn_t pfn;

	/* Below low, so that the request is known to be atomic. */
	NORMAL(f)->watermark[WMARK_LOW] = 100000;
	pfn = fixture_alloc(f, GFP_ATOMIC, 3);
	ck_assert_uint_eq(pfn, 1024);
	ck_assert_int_eq(TYPE(f, 1024), MIGRATE_HIGHATOMIC);
	ck_assert_uint_eq(NORMAL(f)->nr_reserved_highatomic, 512);
	ck_assert_str_eq(LIST(f, 8, HIGHATOMIC), "1280");
	ck_assert_int_eq(f->phys.frames[pfn].flags & FRAME_HIGHATOMIC, 0);
	/* The next one comes from there, and no other pageblock is taken:
	 * 4096 / 100 + 512 pages are the most. */
	pfn = fixture_alloc(f, GFP_ATOMIC, 4);
	ck_assert_uint_eq(pfn, 1040);
	ck_assert_int_ne(f->phys.frames[pfn].flags & FRAME_HIGHATOMIC, 0);
	assert_lawful(f);
	/* Single pages and those who can wait stay out. */
	ck_assert_int_ne(TYPE(f, fixture_alloc(f, GFP_ATOMIC, 0)),
			 MIGRATE_HIGHATOMIC);
	ck_assert_int_ne(TYPE(f, fixture_alloc(f, GFP_KERNEL, 3)),
			 MIGRATE_HIGHATOMIC);
	fixture_free(f);
}
END_TEST

START_TEST(the_reserve_has_a_limit)
{
	struct fixture *f = fixture_simple(4);

	NORMAL(f)->watermark[WMARK_LOW] = 100000;
	for (int i = 0; i < 200; i++)
		fixture_alloc(f, GFP_ATOMIC, 3);
	/* 512 < 552, so a second pageblock is taken, and no third. */
	ck_assert_uint_eq(NORMAL(f)->nr_reserved_highatomic, 1024);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(the_reserve_does_not_count_as_free_for_others)
{
	struct fixture *f = fixture_simple(4);

	NORMAL(f)->watermark[WMARK_LOW] = 100000;
	fixture_alloc(f, GFP_ATOMIC, 3);
	NORMAL(f)->watermark[WMARK_LOW] = 3500;
	NORMAL(f)->watermark[WMARK_MIN] = 3500; /* 4088 - 512 - ... <= 3577 */
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 6), 1536);
	NORMAL(f)->watermark[WMARK_LOW] = 3520;
	NORMAL(f)->watermark[WMARK_MIN] = 3520;
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL | __GFP_NORETRY, 0),
			  PFN_NONE);
	fixture_free(f);
}
END_TEST

/* All but 8 pages and the reserve's 504 at 1032 are taken. */
static struct fixture *
fixture_reserve_left(void)
{
	struct fixture *f = fixture_simple(4);

	NORMAL(f)->watermark[WMARK_LOW] = 100000;
	fixture_alloc(f, GFP_ATOMIC, 3);
	while (fixture_alloc(f, GFP_KERNEL | __GFP_NORETRY, 0) != PFN_NONE)
		;
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_pages], 512);
	ck_assert_int_eq(TYPE(f, 1024), MIGRATE_HIGHATOMIC);
	return f;
}

START_TEST(before_a_request_fails_the_reserve_is_given_back)
{
	struct fixture *f = fixture_reserve_left();

	/* __GFP_NORETRY gave up before; nobody else does. */
	ck_assert_uint_eq(fixture_alloc(f, RECLAIMABLE, 0), 1032);
	ck_assert_int_eq(TYPE(f, 1024), MIGRATE_RECLAIMABLE);
	ck_assert_uint_eq(NORMAL(f)->nr_reserved_highatomic, 0);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(an_atomic_request_that_finds_nothing_else_enters_the_reserve)
{
	struct fixture *f = fixture_reserve_left();

	for (int i = 0; i < 8; i++)
		ck_assert_uint_gt(fixture_alloc(f, GFP_ATOMIC, 0), 1536);
	ck_assert_uint_eq(fixture_alloc(f, GFP_ATOMIC, 0), 1032);
	ck_assert_int_eq(TYPE(f, 1024), MIGRATE_HIGHATOMIC);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

/* --- CMA ----------------------------------------------------------------- */

/* 2 CMA blocks of order 10 at 1024, @blocks ordinary ones behind. */
static struct fixture *
fixture_cma(unsigned int blocks)
{
	const struct fixture_zone z = {0, ZONE_NORMAL, 1024,
				       3072 + blocks * 1024};
	struct fixture *f = fixture_new(ARCH_X86_64, 1, &z, 1);

	f->config.cma_kernel = true;
	for (pfn_t at = 1024; at < 3072; at += 512)
		pageblock_set_type(&f->phys, at, MIGRATE_CMA);
	buddy_hand_over(NORMAL(f), 1024, z.end);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_cma], 2048);
	return f;
}

START_TEST(cma_lends_first_while_it_holds_over_half_of_what_is_free)
{
	struct fixture *f = fixture_cma(3);

	/* 2048 of 5120 free pages are CMA: not over half. */
	ck_assert_uint_eq(fixture_alloc(f, MOVABLE, 4), 3072);
	for (unsigned int i = 0; i < 66; i++) /* 1072 pages in all */
		fixture_alloc(f, GFP_KERNEL, 4);
	ck_assert_uint_eq(fixture_alloc(f, MOVABLE, 4), 1024);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_cma], 2032);
	/* Only movable requests borrow. */
	ck_assert_uint_gt(fixture_alloc(f, GFP_KERNEL, 4), 3072);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(cma_serves_when_the_movable_lists_are_empty)
{
	struct fixture *f = fixture_cma(1);

	fixture_set_pcp(f, 8, 64);
	while (NORMAL(f)->stat[ZS_nr_free_pages] >
	       NORMAL(f)->stat[ZS_nr_free_cma])
		ck_assert_uint_ne(fixture_alloc(f, GFP_KERNEL, 3), PFN_NONE);
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL | __GFP_NORETRY, 5),
			  PFN_NONE);
	ck_assert_uint_eq(fixture_alloc(f, MOVABLE, 0), 1024);
	/* The refill carries type CMA and is counted at once. */
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_cma], 2040);
	ck_assert_str_eq(pcp_list(NORMAL(f), 0, 0, MIGRATE_MOVABLE),
			 "1025 1026 1027 1028 1029 1030 1031");
	assert_lawful(f);
	pages_drain(&f->phys, NULL, -1);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_cma], 2047);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(who_may_not_use_cma_does_not_count_its_pages)
{
	struct fixture *f = fixture_cma(1);

	NORMAL(f)->watermark[WMARK_LOW] = 1500;
	NORMAL(f)->watermark[WMARK_MIN] = 1500;
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL | __GFP_NORETRY, 0),
			  PFN_NONE);
	ck_assert_uint_ne(fixture_alloc(f, MOVABLE, 0), PFN_NONE);
	fixture_free(f);
}
END_TEST

Suite *suite_fallback(void);

Suite *
suite_fallback(void)
{
	Suite *s = suite_create("fallback");
	TCase *t = tcase_create("fallback");

	tcase_add_loop_test(t, each_type_falls_back_in_its_own_order, 0,
			    ARRAY_SIZE(orders_of));
	tcase_add_test(t, a_block_of_whole_pageblocks_takes_them_all_along);
	tcase_add_loop_test(t, half_a_pageblock_free_or_alike_changes_its_owner,
			    0, ARRAY_SIZE(steals));
	tcase_add_test(t, pages_of_a_like_kind_count_for_the_new_owner);
	tcase_add_test(t,
		       a_stolen_pageblock_moves_to_the_tail_in_ascending_order);
	tcase_add_test(t,
		       a_movable_request_that_cannot_settle_takes_the_smallest);
	tcase_add_test(t, a_steal_raises_the_watermarks_up_to_a_part_of_high);
	tcase_add_loop_test(t, small_zones_are_not_boosted, 0,
			    ARRAY_SIZE(boosts));
	tcase_add_test(t, without_grouping_all_requests_are_unmovable);
	tcase_add_test(t, an_atomic_high_order_request_reserves_its_pageblock);
	tcase_add_test(t, the_reserve_has_a_limit);
	tcase_add_test(t, the_reserve_does_not_count_as_free_for_others);
	tcase_add_test(t, before_a_request_fails_the_reserve_is_given_back);
	tcase_add_test(
		t,
		an_atomic_request_that_finds_nothing_else_enters_the_reserve);
	tcase_add_test(
		t, cma_lends_first_while_it_holds_over_half_of_what_is_free);
	tcase_add_test(t, cma_serves_when_the_movable_lists_are_empty);
	tcase_add_test(t, who_may_not_use_cma_does_not_count_its_pages);
	suite_add_tcase(s, t);
	return s;
}
