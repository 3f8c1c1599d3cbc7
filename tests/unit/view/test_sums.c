// SPDX-License-Identifier: MIT
/* test_sums.c - lists and masks of ids as sysfs prints them */
#include "unit/view/views.h"

#include "kmemfs/view/sums.h"

Suite *suite_sums(void);

static uint64_t member[2]; /* the set, a bit an id */

static bool
is_member(const struct phys *phys, unsigned int id, unsigned int with)
{
	(void)phys;
	(void)with;
	return member[id / 64] >> id % 64 & 1;
}

static const struct {
	const char *why;
	uint64_t set[2];
	unsigned int nr;
	const char *list;
	const char *mask;
} rows[] = {
	{"nobody",	   {0, 0},	   4,  "\n",	    "0\n"			 },
	{"one of two",     {2, 0},	       2,  "1\n",	 "2\n"		      },
	{"a run",	  {0xf, 0},	    4,  "0-3\n",	"f\n"		     },
	{"two runs",	     {0x33, 0},	8,  "0-1,4-5\n", "33\n"		      },
	{"lone ids",	     {0x15, 0},	5,  "0,2,4\n",   "15\n"		    },
	{"digits for all", {1, 0},	   12, "0\n",	      "001\n"		     },
	{"a full group",	 {1, 0},		 32, "0\n",	    "00000001\n"		},
	{"two groups",     {3ULL << 31, 0}, 33, "31-32\n",   "1,80000000\n"	     },
	{"past 64",	    {0, 1},	    66, "64\n",	"1,00000000,00000000\n"},
};

START_TEST(ids_are_printed_as_ranges)
{
	struct out out = OUT_INIT;

	memcpy(member, rows[_i].set, sizeof(member));
	put_id_list(&out, NULL, rows[_i].nr, is_member, 0);
	ck_assert_msg(!strcmp(out_text(&out), rows[_i].list), "%s: %s",
		      rows[_i].why, out_text(&out));
	out_fini(&out);
}
END_TEST

START_TEST(ids_are_printed_as_masks)
{
	struct out out = OUT_INIT;

	memcpy(member, rows[_i].set, sizeof(member));
	put_id_mask(&out, NULL, rows[_i].nr, is_member, 0);
	ck_assert_msg(!strcmp(out_text(&out), rows[_i].mask), "%s: %s",
		      rows[_i].why, out_text(&out));
	out_fini(&out);
}
END_TEST

Suite *
suite_sums(void)
{
	Suite *s = suite_create("sums");
	TCase *t = tcase_create("sums");

	tcase_add_loop_test(t, ids_are_printed_as_ranges, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(t, ids_are_printed_as_masks, 0, ARRAY_SIZE(rows));
	suite_add_tcase(s, t);
	return s;
}
