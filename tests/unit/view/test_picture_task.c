// SPDX-License-Identifier: MIT
/* test_picture_task.c - what the pictures of a task show */
#include "unit/view/pictures.h"

#include <inttypes.h>

Suite *suite_picture_task(void);

#define TABLE (picture_table[PICTURE_PAGETABLE].draw)
#define SPACE (picture_table[PICTURE_ADDRESS_SPACE].draw)

START_TEST(a_touched_page_shows_in_both_pictures_of_its_task)
{
	struct machine *m = views_boot(NUMA_MACHINE);
	double table, space;

	ck_assert_int_eq(views_do(m, "task/fork name=t"), 0);
	ck_assert_int_eq(views_do(m, "vm/mmap t 1M name=heap"), 0);
	table = pictures_area(m, TABLE, COLOUR_GREEN);
	space = pictures_area(m, SPACE, COLOUR_GREEN);
	ck_assert_int_eq(views_do(m, "vm/touch t heap write 64K"), 0);
	ck_assert(pictures_area(m, TABLE, COLOUR_GREEN) > table);
	ck_assert(pictures_area(m, SPACE, COLOUR_GREEN) > space);
	table = pictures_area(m, TABLE, COLOUR_YELLOW);
	space = pictures_area(m, SPACE, COLOUR_YELLOW);
	ck_assert_int_eq(views_do(m, "vm/touch t heap read 128K"), 0);
	ck_assert(pictures_area(m, TABLE, COLOUR_YELLOW) > table);
	ck_assert(pictures_area(m, SPACE, COLOUR_YELLOW) > space);
	space = pictures_area(m, SPACE, COLOUR_ORANGE);
	ck_assert_int_eq(views_do(m, "task/fork t name=child"), 0);
	ck_assert(pictures_area(m, SPACE, COLOUR_ORANGE) > space);
	machine_free(m);
}
END_TEST

START_TEST(damaged_entries_show_in_the_picture_of_the_table)
{
	struct machine *m = views_boot(NUMA_MACHINE);
	double before;

	ck_assert_int_eq(views_do(m, "task/fork name=t"), 0);
	before = pictures_area(m, TABLE, COLOUR_VERMILLION);
	/* Its top table leads to itself, and beyond RAM. */
	ck_assert_int_eq(
		views_do(
			m,
			"bytes/write ram %" PRIu64 " hex:%02x%02x%02x%02x%02x"
			"00000007000000ff030000",
			pictures_task(m)->mm->top + 8,
			(unsigned int)(pictures_task(m)->mm->top & 0xff) | 7,
			(unsigned int)(pictures_task(m)->mm->top >> 8 & 0xff),
			(unsigned int)(pictures_task(m)->mm->top >> 16 & 0xff),
			(unsigned int)(pictures_task(m)->mm->top >> 24 & 0xff),
			(unsigned int)(pictures_task(m)->mm->top >> 32 & 0xff)),
		0);
	ck_assert(pictures_area(m, TABLE, COLOUR_VERMILLION) > before);
	pictures_check(m, "damaged tables");
	machine_free(m);
}
END_TEST

START_TEST(more_areas_and_tables_than_can_be_drawn_are_counted)
{
	struct machine *m = views_boot(NUMA_MACHINE);

	ck_assert_int_eq(views_do(m, "task/fork name=t"), 0);
	for (int i = 0; i < 80; i++) {
		ck_assert_int_eq(views_do(m, "vm/mmap t 4K name=a%d addr=%#x",
					  i, 0x10000000 + i * 0x800000),
				 0);
		ck_assert_int_eq(views_do(m, "vm/touch t a%d write", i), 0);
	}
	ck_assert(pictures_show(m, SPACE, "more areas, not drawn"));
	ck_assert(pictures_show(m, TABLE, "more tables, not drawn"));
	pictures_check(m, "many areas");
	machine_free(m);
}
END_TEST

Suite *
suite_picture_task(void)
{
	Suite *s = suite_create("picture_task");
	TCase *t = tcase_create("picture_task");

	tcase_add_test(t, a_touched_page_shows_in_both_pictures_of_its_task);
	tcase_add_test(t, damaged_entries_show_in_the_picture_of_the_table);
	tcase_add_test(t, more_areas_and_tables_than_can_be_drawn_are_counted);
	suite_add_tcase(s, t);
	return s;
}
