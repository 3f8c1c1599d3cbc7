// SPDX-License-Identifier: MIT
/* test_assumed.c - mirrored replays that begin with a captured host */
#include "kmemfs/machine/op.h"
#include "kmemfs/phys/foresight.h"

#include "unit/machine/replay_feed.h"

#include <check.h>

Suite *suite_assumed(void);

/* Of the 32 pages on per-cpu lists half are assumed to be on each CPU's. */
static void
setup(void)
{
	feed_setup_config("[machine]\narch = x86-64\ncpus = 2\nmemory = 64M\n"
			  "[free]\nmovable = 13312-14335\n"
			  "[pageblocks]\n"
			  "[pcp]\n0 = 12288-12303\n1 = 12304-12319\n");
}

static void
take(unsigned int cpu, pfn_t pfn)
{
	feed_line(cpu,
		  "mm_page_alloc: pfn=%#x order=0 migratetype=1 "
		  "gfp_flags=GFP_HIGHUSER_MOVABLE",
		  (unsigned int)pfn);
}

static void
refill(unsigned int cpu, pfn_t pfn)
{
	feed_line(cpu,
		  "mm_page_alloc_zone_locked: pfn=%#x order=0 migratetype=1 "
		  "percpu_refill=1",
		  (unsigned int)pfn);
}

static uint64_t
right(void)
{
	return feed_counts()->foreseen[FORESEEN_PCP].right;
}

static uint64_t
listed(unsigned int cpu)
{
	return foresee_pcp_length(phys_zone_of(feed_m->phys, PFN), cpu, 0,
				  MIGRATE_MOVABLE);
}

START_TEST(a_captured_machine_is_a_start_state)
{
	feed_begin("model");
	ck_assert(!replay_started(feed_m->replay));
	feed_end();
	feed_begin("mirror");
	ck_assert(replay_started(feed_m->replay));
	feed_end();
	feed_begin("mirror");
	ck_assert(replay_started(feed_m->replay));
	feed_end();
}
END_TEST

START_TEST(a_page_that_is_taken_brings_those_beside_it)
{
	feed_begin("mirror");
	take(1, PFN + 5);
	ck_assert_uint_eq(right(), 0);
	take(1, PFN + 6);
	take(1, PFN + 7);
	ck_assert_uint_eq(right(), 2);
	/* Now downwards, and on the other CPU's list. */
	take(0, PFN + 3);
	take(0, PFN + 2);
	take(0, PFN + 1);
	ck_assert_uint_eq(right(), 3);
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_NOT_FREE], 0);
	feed_end();
}
END_TEST

START_TEST(pages_that_are_put_in_order_are_not_allocated_by_that)
{
	uint64_t before, missing;

	feed_begin("mirror");
	before = feed_m->phys->event[VE_pgalloc_dma32];
	take(1, PFN + 5);
	take(0, PFN + 13);
	take(1, PFN + 20);
	missing = feed_counts()->missing;
	ck_assert_uint_eq(feed_m->phys->event[VE_pgalloc_dma32],
			  before + 3 + missing);
	feed_end();
}
END_TEST

START_TEST(what_the_recording_freed_is_above_what_is_assumed)
{
	feed_begin("mirror");
	feed_free(PFN + 64, 0);
	take(0, PFN + 64);
	ck_assert_uint_eq(right(), 1);
	/* A guess that was wrong does not stay in the way. */
	feed_free(PFN + 65, 0);
	take(0, PFN + 9);
	take(0, PFN + 65);
	take(0, PFN + 10);
	ck_assert_uint_eq(right(), 2);
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_NOT_FREE], 1);
	feed_end();
}
END_TEST

START_TEST(a_list_that_is_refilled_had_none_of_them)
{
	feed_begin("mirror");
	ck_assert_uint_eq(listed(0), 16);
	refill(0, 13312);
	refill(0, 13313);
	refill(0, 13314);
	ck_assert_uint_eq(listed(0), 3);
	ck_assert_uint_eq(listed(1), 32);
	take(0, 13312);
	take(0, 13313);
	ck_assert_uint_eq(right(), 2);
	/* Nor the other CPU's, so they were in use or on another type's. */
	take(0, 13314);
	refill(1, 13315);
	refill(1, 13316);
	ck_assert_uint_eq(listed(1), 2);
	feed_end();
}
END_TEST

START_TEST(what_is_known_among_what_is_assumed_is_not_passed_by)
{
	feed_begin("mirror");
	/* One page, in an interrupt: the list was not empty for that. */
	refill(1, 13312);
	ck_assert_uint_eq(listed(1), 17);
	/* It has no neighbours above it, and is behind all others. */
	take(1, PFN + 31);
	ck_assert_uint_eq(feed_counts()->missing, 0);
	/* The one that was refilled comes next, but another one does. */
	take(1, PFN + 20);
	ck_assert_uint_eq(feed_counts()->missing, 1);
	take(1, PFN + 19);
	ck_assert_uint_eq(right(), 1);
	feed_end();
}
END_TEST

START_TEST(a_drained_page_is_the_last_of_what_is_assumed)
{
	feed_begin("mirror");
	feed_line(0, "mm_page_pcpu_drain: pfn=%#x order=0 migratetype=1",
		  PFN + 7);
	feed_line(0, "mm_page_pcpu_drain: pfn=%#x order=0 migratetype=1",
		  PFN + 3);
	ck_assert_uint_eq(feed_counts()->missing, 0);
	ck_assert_uint_eq(listed(0), 14);
	/* What the recording freed is not before a page that was there. */
	feed_free(PFN + 64, 0);
	feed_line(0, "mm_page_pcpu_drain: pfn=%#x order=0 migratetype=1",
		  PFN + 64);
	ck_assert_uint_eq(feed_counts()->missing, 0);
	ck_assert_uint_eq(listed(0), 14);
	feed_end();
}
END_TEST

START_TEST(a_list_that_is_longer_than_its_high_may_stay_so)
{
	feed_op("vm/sysctl percpu_pagelist_high_fraction 1000");
	feed_begin("mirror");
	for (unsigned int i = 0; i < 8; i++)
		feed_free(PFN + 64 + i, 0);
	ck_assert_uint_le(feed_counts()->foreseen[FORESEEN_DRAIN].steps, 3);
	feed_end();
}
END_TEST

Suite *
suite_assumed(void)
{
	Suite *suite = suite_create("assumed");
	TCase *tc = tcase_create("assumed");

	tcase_add_checked_fixture(tc, setup, feed_teardown);
	tcase_add_test(tc, a_captured_machine_is_a_start_state);
	tcase_add_test(tc, a_page_that_is_taken_brings_those_beside_it);
	tcase_add_test(tc,
		       pages_that_are_put_in_order_are_not_allocated_by_that);
	tcase_add_test(tc, what_the_recording_freed_is_above_what_is_assumed);
	tcase_add_test(tc, a_list_that_is_refilled_had_none_of_them);
	tcase_add_test(tc,
		       what_is_known_among_what_is_assumed_is_not_passed_by);
	tcase_add_test(tc, a_drained_page_is_the_last_of_what_is_assumed);
	tcase_add_test(tc, a_list_that_is_longer_than_its_high_may_stay_so);
	suite_add_tcase(suite, tc);
	return suite;
}
