// SPDX-License-Identifier: MIT
/* test_rangeset.c - sorted ranges with tags */
#include "kmemfs/phys/rangeset.h"

#include <check.h>
#include <string.h>

Suite *suite_rangeset(void);

static struct rangeset set;

static void
setup(void)
{
	rangeset_init(&set);
}

static void
teardown(void)
{
	rangeset_fini(&set);
}

/* The set as "0-10:1 20-30:2". */
static void
assert_is(const char *want)
{
	GString *text = g_string_new(NULL);

	for (unsigned int i = 0; i < rangeset_size(&set); i++)
		g_string_append_printf(
			text, "%s%llu-%llu:%d", i ? " " : "",
			(unsigned long long)rangeset_at(&set, i)->start,
			(unsigned long long)rangeset_at(&set, i)->end,
			rangeset_at(&set, i)->tag);
	ck_assert_str_eq(text->str, want);
	g_string_free(text, TRUE);
}

START_TEST(neighbours_of_one_tag_become_one_range)
{
	rangeset_add(&set, 20, 30, 1);
	rangeset_add(&set, 0, 10, 1);
	assert_is("0-10:1 20-30:1");
	rangeset_add(&set, 10, 20, 1);
	assert_is("0-30:1");
}
END_TEST

START_TEST(neighbours_of_different_tags_stay_apart)
{
	rangeset_add(&set, 0, 10, 1);
	rangeset_add(&set, 10, 20, 2);
	assert_is("0-10:1 10-20:2");
}
END_TEST

START_TEST(what_is_there_keeps_its_tag_when_more_is_added_over_it)
{
	rangeset_add(&set, 10, 20, 1);
	rangeset_add(&set, 40, 50, 1);
	rangeset_add(&set, 0, 60, 2);
	assert_is("0-10:2 10-20:1 20-40:2 40-50:1 50-60:2");
}
END_TEST

START_TEST(a_removal_cuts_ranges_in_two)
{
	rangeset_add(&set, 0, 100, 3);
	rangeset_remove(&set, 40, 60);
	assert_is("0-40:3 60-100:3");
	rangeset_remove(&set, 30, 70);
	assert_is("0-30:3 70-100:3");
	rangeset_remove(&set, 0, 200);
	assert_is("");
}
END_TEST

START_TEST(a_tag_is_set_only_where_there_is_something)
{
	rangeset_add(&set, 0, 10, 0);
	rangeset_add(&set, 20, 30, 0);
	rangeset_set_tag(&set, 5, 25, 7);
	assert_is("0-5:0 5-10:7 20-25:7 25-30:0");
}
END_TEST

START_TEST(covering_and_overlapping_are_told_apart)
{
	rangeset_add(&set, 0, 10, 0);
	rangeset_add(&set, 10, 20, 1);
	rangeset_add(&set, 30, 40, 0);
	ck_assert(rangeset_covers(&set, 5, 20));
	ck_assert(!rangeset_covers(&set, 5, 21));
	ck_assert(rangeset_overlaps(&set, 15, 25));
	ck_assert(!rangeset_overlaps(&set, 20, 30));
	ck_assert_ptr_null(rangeset_find(&set, 20));
	ck_assert_int_eq(rangeset_find(&set, 10)->tag, 1);
}
END_TEST

/* 200 random additions and removals against a plain array of marks. */
START_TEST(random_changes_agree_with_a_bitmap)
{
	signed char mark[256];
	uint64_t state = (uint64_t)_i + 1;

	memset(mark, -1, sizeof(mark));
	for (int op = 0; op < 200; op++) {
		uint64_t start, end;
		int tag;

		state = state * 6364136223846793005u + 1442695040888963407u;
		start = (state >> 33) % 256;
		end = start + (state >> 45) % (257 - start);
		tag = (int)(state >> 60) % 3;
		if ((state >> 30) & 1)
			rangeset_add(&set, start, end, tag);
		else
			rangeset_remove(&set, start, end);
		for (uint64_t i = start; i < end; i++) {
			if (!((state >> 30) & 1))
				mark[i] = -1;
			else if (mark[i] < 0)
				mark[i] = (signed char)tag;
		}
		for (uint64_t i = 0; i < 256; i++) {
			const struct rangeset_item *item =
				rangeset_find(&set, i);

			ck_assert_int_eq(item ? item->tag : -1, mark[i]);
		}
	}
	for (unsigned int i = 1; i < rangeset_size(&set); i++) {
		const struct rangeset_item *a = rangeset_at(&set, i - 1);
		const struct rangeset_item *b = rangeset_at(&set, i);

		ck_assert(a->end < b->start ||
			  (a->end == b->start && a->tag != b->tag));
	}
}
END_TEST

Suite *
suite_rangeset(void)
{
	Suite *s = suite_create("rangeset");
	TCase *t = tcase_create("rangeset");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, neighbours_of_one_tag_become_one_range);
	tcase_add_test(t, neighbours_of_different_tags_stay_apart);
	tcase_add_test(t,
		       what_is_there_keeps_its_tag_when_more_is_added_over_it);
	tcase_add_test(t, a_removal_cuts_ranges_in_two);
	tcase_add_test(t, a_tag_is_set_only_where_there_is_something);
	tcase_add_test(t, covering_and_overlapping_are_told_apart);
	tcase_add_loop_test(t, random_changes_agree_with_a_bitmap, 0, 20);
	suite_add_tcase(s, t);
	return s;
}
