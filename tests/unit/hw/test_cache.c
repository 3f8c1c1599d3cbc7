// SPDX-License-Identifier: MIT
/* test_cache.c - where a line is, who holds it, what it costs */
#include "kmemfs/hw/cache.h"

#include <check.h>

Suite *suite_cache(void);

/* Two nodes of two CPUs. */
static const int32_t nodes[] = {0, 0, 1, 1};
static struct caches *caches;

static void
setup(void)
{
	caches = caches_new(&cache_default_config, 4, nodes, 2);
}

static void
teardown(void)
{
	caches_free(caches);
}

static uint32_t
touch(unsigned int cpu, pa_t at, bool write, enum cache_level *from)
{
	return caches_access(caches, cpu, at, 8, write, 10, from);
}

START_TEST(the_second_access_hits_what_the_first_brought)
{
	enum cache_level from;

	ck_assert_uint_eq(touch(0, 0x1000, false, &from),
			  cache_default_config.memory_cycles);
	ck_assert_int_eq(from, CACHE_MEMORY);
	ck_assert_uint_eq(touch(0, 0x1038, false, &from), 4);
	ck_assert_int_eq(from, CACHE_L1);
	touch(0, 0x1040, false, &from);
	ck_assert_int_eq(from, CACHE_MEMORY);
}
END_TEST

START_TEST(remote_memory_costs_as_much_more_as_it_is_far)
{
	enum cache_level from;
	uint32_t near = caches_latency(caches, 0, 0x1000, 10, &from);

	ck_assert_uint_eq(caches_access(caches, 0, 0x1000, 8, false, 21, &from),
			  near * 21 / 10);
	ck_assert_uint_eq(caches_stats(caches, 0)->remote, 1);
}
END_TEST

START_TEST(a_line_that_two_cpus_write_bounces)
{
	enum cache_level from;

	touch(0, 0x1000, true, &from);
	for (unsigned int i = 0; i < 10; i++) {
		touch(1 - i % 2, 0x1000, true, &from);
		ck_assert_int_eq(from, CACHE_OTHER);
	}
	ck_assert_uint_eq(caches_stats(caches, 0)->invalidated, 5);
	ck_assert_uint_eq(caches_stats(caches, 1)->invalidated, 5);
	/* Each on a line of its own: none of that. */
	touch(0, 0x2000, true, &from);
	touch(1, 0x2040, true, &from);
	touch(0, 0x2000, true, &from);
	ck_assert_int_eq(from, CACHE_L1);
	touch(1, 0x2040, true, &from);
	ck_assert_int_eq(from, CACHE_L1);
}
END_TEST

START_TEST(what_one_cpu_wrote_another_reads_and_then_both_have)
{
	enum cache_level from;

	touch(0, 0x1000, true, &from);
	touch(1, 0x1000, false, &from);
	ck_assert_int_eq(from, CACHE_OTHER);
	touch(0, 0x1000, false, &from);
	ck_assert_int_eq(from, CACHE_L1);
	touch(1, 0x1000, false, &from);
	ck_assert_int_eq(from, CACHE_L1);
	/* A write takes it away from the reader. */
	touch(0, 0x1000, true, &from);
	touch(1, 0x1000, false, &from);
	ck_assert_int_eq(from, CACHE_OTHER);
}
END_TEST

/* 64 sets of 8: nine lines of one set do not fit. */
START_TEST(what_falls_out_of_the_first_level_is_in_the_second)
{
	enum cache_level from;

	for (unsigned int i = 0; i < 9; i++)
		touch(0, (pa_t)i * 64 * CACHE_LINE, false, &from);
	touch(0, 0, false, &from);
	ck_assert_int_eq(from, CACHE_L2);
}
END_TEST

START_TEST(a_neighbour_on_the_node_finds_it_in_the_third_level)
{
	enum cache_level from;

	touch(0, 0x1000, false, &from);
	touch(1, 0x1000, false, &from);
	ck_assert_int_eq(from, CACHE_L3);
	touch(2, 0x1000, false, &from);
	ck_assert_int_eq(from, CACHE_MEMORY);
}
END_TEST

START_TEST(an_access_over_a_line_border_pays_for_both)
{
	enum cache_level from;

	touch(0, 0x1000, false, &from);
	touch(0, 0x1040, false, &from);
	ck_assert_uint_eq(touch(0, 0x103c, false, &from),
			  4 + 4 + cache_default_config.unaligned_cycles);
}
END_TEST

START_TEST(a_flushed_line_comes_from_memory_again)
{
	enum cache_level from;

	touch(0, 0x1000, true, &from);
	touch(2, 0x1000, false, &from);
	caches_flush_line(caches, 0x1010);
	for (unsigned int cpu = 0; cpu < 4; cpu++) {
		caches_latency(caches, cpu, 0x1000, 10, &from);
		ck_assert_int_eq(from, CACHE_MEMORY);
	}
}
END_TEST

Suite *
suite_cache(void)
{
	Suite *suite = suite_create("cache");
	TCase *tc = tcase_create("cache");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_second_access_hits_what_the_first_brought);
	tcase_add_test(tc, remote_memory_costs_as_much_more_as_it_is_far);
	tcase_add_test(tc, a_line_that_two_cpus_write_bounces);
	tcase_add_test(tc, what_one_cpu_wrote_another_reads_and_then_both_have);
	tcase_add_test(tc, what_falls_out_of_the_first_level_is_in_the_second);
	tcase_add_test(tc, a_neighbour_on_the_node_finds_it_in_the_third_level);
	tcase_add_test(tc, an_access_over_a_line_border_pays_for_both);
	tcase_add_test(tc, a_flushed_line_comes_from_memory_again);
	suite_add_tcase(suite, tc);
	return suite;
}
