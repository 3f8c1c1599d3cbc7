// SPDX-License-Identifier: MIT
/* test_trace.c - the ring: bounds, losses, clearing, consuming, counting */
#include "kmemfs/base/trace.h"

#include <check.h>

Suite *suite_trace(void);

#define SIZE 16

static struct trace ring;

static void
setup(void)
{
	trace_init(&ring, SIZE);
	ring.enabled = 1U << TRACE_MM_PAGE_FREE;
}

static void
teardown(void)
{
	trace_fini(&ring);
}

/* Records whose pfn is their number. */
static void
emit(uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		TRACE(&ring, MM_PAGE_FREE, from, 0);
}

static void
shows(uint64_t from, uint64_t to)
{
	uint64_t n = trace_oldest(&ring);

	ck_assert_uint_eq(ring.written - n, to - from);
	for (; from < to; from++, n++)
		ck_assert_uint_eq(trace_get(&ring, n)->arg[0], from);
}

START_TEST(an_event_that_is_off_leaves_nothing)
{
	TRACE(&ring, MM_PAGE_ALLOC, 1, 0, 0, 0);
	ck_assert_uint_eq(ring.written, 0);
	ring.on = false;
	emit(0, 1);
	ck_assert_uint_eq(ring.written, 0);
	ck_assert_ptr_null(ring.ring);
}
END_TEST

START_TEST(a_record_keeps_who_ran_and_its_arguments)
{
	const struct trace_record *record;

	ring.enabled = 1U << TRACE_MM_PAGE_ALLOC_EXTFRAG;
	ring.now = (struct trace_now){.ns = 7, .cpu = 3, .pid = 42};
	TRACE(&ring, MM_PAGE_ALLOC_EXTFRAG, 1, 2, 3, 4, 5, 6, 7, 8);
	record = trace_get(&ring, 0);
	ck_assert_uint_eq(record->now.ns, 7);
	ck_assert_uint_eq(record->now.cpu, 3);
	ck_assert_int_eq(record->now.pid, 42);
	for (uint64_t i = 0; i < TRACE_ARGS_MAX; i++)
		ck_assert_uint_eq(record->arg[i], i + 1);
}
END_TEST

START_TEST(arguments_that_are_not_given_are_zero)
{
	ring.enabled |= 1U << TRACE_MM_PAGE_ALLOC_EXTFRAG;
	TRACE(&ring, MM_PAGE_ALLOC_EXTFRAG, 1, 2, 3, 4, 5, 6, 7, 8);
	for (int i = 0; i < SIZE; i++)
		TRACE(&ring, MM_PAGE_FREE, 9, 1);
	for (unsigned int i = 2; i < TRACE_ARGS_MAX; i++)
		ck_assert_uint_eq(trace_get(&ring, SIZE)->arg[i], 0);
}
END_TEST

START_TEST(a_full_ring_drops_its_oldest_and_counts_them)
{
	emit(0, SIZE);
	ck_assert_uint_eq(ring.lost, 0);
	shows(0, SIZE);
	emit(SIZE, SIZE + 5);
	ck_assert_uint_eq(ring.lost, 5);
	shows(5, SIZE + 5);
}
END_TEST

START_TEST(what_was_consumed_is_gone_and_not_lost)
{
	emit(0, SIZE);
	for (int i = 0; i < 6; i++)
		trace_consume(&ring);
	shows(6, SIZE);
	emit(SIZE, SIZE + 6);
	ck_assert_uint_eq(ring.lost, 0);
	emit(SIZE + 6, SIZE + 8);
	ck_assert_uint_eq(ring.lost, 2);
	shows(8, SIZE + 8);
}
END_TEST

START_TEST(a_cleared_ring_is_empty_and_has_lost_nothing)
{
	emit(0, SIZE + 3);
	trace_clear(&ring);
	ck_assert_uint_eq(trace_oldest(&ring), ring.written);
	ck_assert_uint_eq(ring.lost, 0);
	emit(100, 103);
	shows(100, 103);
	ck_assert_uint_eq(ring.lost, 0);
}
END_TEST

static const struct {
	const char *why;
	uint64_t written, capacity, first, lost;
} resizes[] = {
	{"grown, all stay",	    10,	64, 0,  0 },
	{"grown after it ran over",    20,	64, 4,  4 },
	{"shrunk below what it holds", 100, 16, 84, 84},
	{"the same size",		  12,  16, 0,  0 },
};

START_TEST(a_resized_ring_keeps_the_newest)
{
	trace_resize(&ring, resizes[_i].written > 20 ? 64 : SIZE);
	emit(0, resizes[_i].written);
	trace_resize(&ring, resizes[_i].capacity);
	ck_assert_uint_eq(ring.lost, resizes[_i].lost);
	shows(resizes[_i].first, resizes[_i].written);
	emit(resizes[_i].written, resizes[_i].written + 3);
	ck_assert_uint_eq(trace_get(&ring, ring.written - 1)->arg[0],
			  resizes[_i].written + 2);
}
END_TEST

START_TEST(a_counted_event_counts_even_when_it_is_not_recorded)
{
	ring.counted = 1U << TRACE_MM_PAGE_PCPU_DRAIN;
	for (int i = 0; i < 3; i++)
		TRACE(&ring, MM_PAGE_PCPU_DRAIN, 1, 0, 0);
	emit(0, 2);
	ck_assert_uint_eq(ring.count[TRACE_MM_PAGE_PCPU_DRAIN], 3);
	ck_assert_uint_eq(ring.count[TRACE_MM_PAGE_FREE], 0);
	ck_assert_uint_eq(ring.written, 2);
}
END_TEST

START_TEST(events_are_found_by_system_and_name)
{
	for (unsigned int i = 0; i < NR_TRACE_EVENTS; i++)
		ck_assert_uint_eq(trace_find(trace_system(i), trace_name(i)),
				  i);
	ck_assert_uint_eq(trace_find("kmem", "mm_page"), NR_TRACE_EVENTS);
	ck_assert_uint_eq(trace_find("vmscan", "mm_page_free"),
			  NR_TRACE_EVENTS);
}
END_TEST

Suite *
suite_trace(void)
{
	Suite *suite = suite_create("trace");
	TCase *tc = tcase_create("ring");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_event_that_is_off_leaves_nothing);
	tcase_add_test(tc, a_record_keeps_who_ran_and_its_arguments);
	tcase_add_test(tc, arguments_that_are_not_given_are_zero);
	tcase_add_test(tc, a_full_ring_drops_its_oldest_and_counts_them);
	tcase_add_test(tc, what_was_consumed_is_gone_and_not_lost);
	tcase_add_test(tc, a_cleared_ring_is_empty_and_has_lost_nothing);
	tcase_add_loop_test(tc, a_resized_ring_keeps_the_newest, 0,
			    ARRAY_SIZE(resizes));
	tcase_add_test(tc, a_counted_event_counts_even_when_it_is_not_recorded);
	tcase_add_test(tc, events_are_found_by_system_and_name);
	suite_add_tcase(suite, tc);
	return suite;
}
