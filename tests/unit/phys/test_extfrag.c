// SPDX-License-Identifier: MIT
/* test_extfrag.c - indices of fragmentation, from counts of free blocks */
#include "booted.h"

Suite *suite_extfrag(void);

/* clang-format off */
static const struct {
	const char *why;
	uint64_t free[MAX_ORDER];
	unsigned int order;
	int fragmentation;
	unsigned int unusable;
	unsigned int score;
} rows[] = {
	{"nothing is free",            {0},        3, 0,     1000, 0  },
	{"a block of just this order", {[3] = 1},  3, -1000, 0,    0  },
	{"a larger one",               {[10] = 2}, 3, -1000, 0,    0  },
	/* 100 pages in 100 blocks: 1000 - (1000 + 100000 / 8) / 100 */
	{"single pages only",          {100},      3, 865,   1000, 100},
	/* 4 pages in 2 blocks where 8 are wanted: memory itself lacks.
	 * 1000 - (1000 + 4000 / 8) / 2 */
	{"too few pages",              {[1] = 2},  3, 250,   1000, 100},
	/* Of 24 pages 8 lie in blocks below order 3: 8000 / 24. */
	{"a third in small blocks",    {[0] = 8, [3] = 2}, 3, -1000, 333, 33},
	{"order 0 always fits",        {1},        0, -1000, 0,    0  },
};
/* clang-format on */

START_TEST(indices_follow_from_the_counts)
{
	ck_assert_msg(fragmentation_index(rows[_i].free, rows[_i].order) ==
			      rows[_i].fragmentation,
		      "%s: %d", rows[_i].why,
		      fragmentation_index(rows[_i].free, rows[_i].order));
	ck_assert_msg(unusable_index(rows[_i].free, rows[_i].order) ==
			      rows[_i].unusable,
		      "%s: %u", rows[_i].why,
		      unusable_index(rows[_i].free, rows[_i].order));
	ck_assert_uint_eq(extfrag_for_order(rows[_i].free, rows[_i].order),
			  rows[_i].score);
}
END_TEST

START_TEST(a_zones_index_is_that_of_its_free_lists)
{
	struct booted *b = boot_short("x86-64", "1G", 1, "");
	const struct zone *zone = booted_zone(b, 0, "DMA32");
	uint64_t counts[MAX_ORDER];

	for (unsigned int o = 0; o < MAX_ORDER; o++)
		counts[o] = zone->free_area[o].nr_free_all;
	for (unsigned int o = 0; o < MAX_ORDER; o++) {
		ck_assert_uint_eq(zone_unusable_index(zone, o),
				  unusable_index(counts, o));
		ck_assert_int_eq(zone_fragmentation_index(zone, o), -1000);
	}
	booted_free(b);
}
END_TEST

Suite *
suite_extfrag(void)
{
	Suite *s = suite_create("extfrag");
	TCase *t = tcase_create("extfrag");

	tcase_add_loop_test(t, indices_follow_from_the_counts, 0,
			    ARRAY_SIZE(rows));
	tcase_add_test(t, a_zones_index_is_that_of_its_free_lists);
	suite_add_tcase(s, t);
	return s;
}
