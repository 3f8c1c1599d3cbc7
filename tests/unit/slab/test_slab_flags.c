// SPDX-License-Identifier: MIT
/* test_slab_flags.c - flags of a cache as text */
#include "kmemfs/slab/slab.h"

#include <check.h>

Suite *suite_slab_flags(void);

static const struct {
	const char *text;
	slab_flags_t flags;
} good[] = {
	{"SLAB_PANIC",		       SLAB_PANIC			 },
	{"SLAB_HWCACHE_ALIGN|SLAB_PANIC", SLAB_HWCACHE_ALIGN | SLAB_PANIC},
	{"SLAB_HWCACHE_ALIGN,SLAB_PANIC", SLAB_HWCACHE_ALIGN | SLAB_PANIC},
	{"SLAB_POISON+SLAB_RED_ZONE",     SLAB_POISON | SLAB_RED_ZONE	 },
	{"none",			  0			      },
	{"0",			     0			      },
	{"0x2000",			0x2000			 },
	{"0x2000|SLAB_PANIC",	      0x2000 | SLAB_PANIC		 },
};

START_TEST(names_and_numbers_are_read_with_three_separators)
{
	slab_flags_t flags = 1;
	size_t bad;

	ck_assert(slab_flags_parse(good[_i].text, &flags, &bad));
	ck_assert_uint_eq(flags, good[_i].flags);
}
END_TEST

static const struct {
	const char *text;
	size_t at;
} wrong[] = {
	{"",			0 },
	{"SLAB_PANICS",		0 },
	{"SLAB_PANIC|",		11},
	{"SLAB_PANIC|nonsense",	11},
	{"SLAB_PANIC,,SLAB_POISON", 11},
	{"100",		     0 },
	{"0x100000000",		0 },
	{"0x",		      0 },
	{"slab_panic",	       0 },
};

START_TEST(what_is_no_flag_is_pointed_at)
{
	slab_flags_t flags = 7;
	size_t bad = 99;

	ck_assert(!slab_flags_parse(wrong[_i].text, &flags, &bad));
	ck_assert_uint_eq(bad, wrong[_i].at);
	ck_assert_uint_eq(flags, 7);
}
END_TEST

START_TEST(what_is_printed_reads_back)
{
	struct out out = OUT_INIT;
	uint64_t seed = 3;

	for (int i = 0; i < 3000; i++) {
		slab_flags_t flags, back = 1;
		size_t bad;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		flags = (slab_flags_t)(seed >> 32) & (slab_flags_t)(seed >> 16);
		out_reset(&out);
		slab_flags_print(&out, flags);
		ck_assert(slab_flags_parse(out_text(&out), &back, &bad));
		ck_assert_uint_eq(back, flags);
	}
	out_reset(&out);
	slab_flags_print(&out, 0);
	ck_assert_str_eq(out_text(&out), "none");
	out_fini(&out);
}
END_TEST

Suite *
suite_slab_flags(void)
{
	Suite *s = suite_create("slab_flags");
	TCase *t = tcase_create("slab_flags");

	tcase_add_loop_test(t, names_and_numbers_are_read_with_three_separators,
			    0, ARRAY_SIZE(good));
	tcase_add_loop_test(t, what_is_no_flag_is_pointed_at, 0,
			    ARRAY_SIZE(wrong));
	tcase_add_test(t, what_is_printed_reads_back);
	suite_add_tcase(s, t);
	return s;
}
