// SPDX-License-Identifier: MIT
/* test_gfp.c - request flags as text */
#include "fixture.h"

static const struct {
	gfp_t gfp;
	const char *text; /* as the kernel's trace prints it */
} shown[] = {
	{0,		  "none"				      },
	{GFP_KERNEL,	     "GFP_KERNEL"				 },
	{0xdc0,		"GFP_KERNEL|__GFP_ZERO"		       },
	{0x140dca,	   "GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO"},
	{0x100cca,	   "GFP_HIGHUSER_MOVABLE"			 },
	{0x1c20ca,	   "GFP_TRANSHUGE_LIGHT"			},
	{0x1c24ca,	   "GFP_TRANSHUGE"				  },
	{0x400cc0,	   "GFP_KERNEL_ACCOUNT"			       },
	{0x500cc0,	   "GFP_USER|__GFP_ACCOUNT"			   },
	{GFP_ATOMIC,	     "GFP_ATOMIC"				 },
	{GFP_NOWAIT,	     "GFP_NOWAIT"				 },
	{__GFP_HIGH,	     "__GFP_HIGH"				 },
	{GFP_NOIO,	   "GFP_NOIO"				  },
	{0xcc1,		"GFP_KERNEL|GFP_DMA"			    },
	{0x400,		"__GFP_DIRECT_RECLAIM"		      },
	{0xa20 | 0x2000,	 "GFP_ATOMIC|__GFP_NOWARN"			  },
	{0x6,		"__GFP_HIGHMEM|GFP_DMA32"		       },
	{0x80000000 | 0x100, "__GFP_ZERO|0x80000000"			    },
};

START_TEST(flags_print_as_the_kernels_trace_prints_them)
{
	struct out out = OUT_INIT;

	gfp_print(&out, shown[_i].gfp);
	ck_assert_str_eq(out_text(&out), shown[_i].text);
	out_fini(&out);
}
END_TEST

START_TEST(what_is_printed_reads_back)
{
	struct out out = OUT_INIT;
	uint64_t seed = 1;

	for (int i = 0; i < 5000; i++) {
		gfp_t gfp, back = 1;
		size_t bad;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		gfp = (gfp_t)(seed >> 32) & 0xffffff;
		out_reset(&out);
		gfp_print(&out, gfp);
		ck_assert(gfp_parse(out_text(&out), &back, &bad));
		ck_assert_uint_eq(back, gfp);
	}
	out_fini(&out);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	gfp_t gfp;
	size_t bad_at;
} words[] = {
	{"GFP_KERNEL",	       true,  0xcc0,	    0 },
	{"GFP_KERNEL|__GFP_ZERO",  true,	0xdc0,      0 },
	{"GFP_KERNEL,__GFP_ZERO",  true,	0xdc0,      0 },
	{"GFP_KERNEL+__GFP_ZERO",  true,	0xdc0,      0 },
	{"0xcc0",		  true,	0xcc0,      0 },
	{"0xCC0|__GFP_ZERO",	     true,  0xdc0,	  0 },
	{"0xffffffff",	       true,  0xffffffff, 0 },
	{"none",		   true,  0,	  0 },
	{"__GFP_RECLAIM",	  true,	0xc00,      0 },
	{"",		       false, 0,	       0 },
	{"GFP_KERNAL",	       false, 0,		 0 },
	{"GFP_KERNEL|__GFP_ZER",	 false, 0,	   11},
	{"GFP_KERNEL|",		false, 0,	  11},
	{"GFP_KERNEL||__GFP_ZERO", false, 0,	     11},
	{"GFP_KERNEL |__GFP_ZERO", false, 0,	     0 },
	{"GFP_KERNEL|0x",	  false, 0,	    11},
	{"0x123456789",		false, 0,	  0 },
	{"3264",		   false, 0,	   0 },
};

START_TEST(expressions_take_three_separators_and_tell_the_bad_word)
{
	gfp_t gfp = 77;
	size_t bad = 99;

	ck_assert_int_eq(gfp_parse(words[_i].text, &gfp, &bad), words[_i].ok);
	if (words[_i].ok) {
		ck_assert_uint_eq(gfp, words[_i].gfp);
	} else {
		ck_assert_uint_eq(bad, words[_i].bad_at);
		ck_assert_uint_eq(gfp, 77);
	}
}
END_TEST

START_TEST(two_bits_choose_the_type)
{
	ck_assert_int_eq(gfp_migratetype(GFP_KERNEL), MIGRATE_UNMOVABLE);
	ck_assert_int_eq(gfp_migratetype(GFP_HIGHUSER_MOVABLE),
			 MIGRATE_MOVABLE);
	ck_assert_int_eq(gfp_migratetype(GFP_KERNEL | __GFP_RECLAIMABLE),
			 MIGRATE_RECLAIMABLE);
	ck_assert_int_eq(gfp_migratetype(__GFP_MOVABLE | __GFP_RECLAIMABLE),
			 MIGRATE_UNMOVABLE);
}
END_TEST

START_TEST(types_have_the_names_of_pagetypeinfo)
{
	ck_assert_str_eq(migratetype_name(MIGRATE_UNMOVABLE), "Unmovable");
	ck_assert_str_eq(migratetype_name(MIGRATE_MOVABLE), "Movable");
	ck_assert_str_eq(migratetype_name(MIGRATE_RECLAIMABLE), "Reclaimable");
	ck_assert_str_eq(migratetype_name(MIGRATE_HIGHATOMIC), "HighAtomic");
	ck_assert_str_eq(migratetype_name(MIGRATE_CMA), "CMA");
	ck_assert_str_eq(migratetype_name(MIGRATE_ISOLATE), "Isolate");
}
END_TEST

Suite *suite_gfp(void);

Suite *
suite_gfp(void)
{
	Suite *s = suite_create("gfp");
	TCase *t = tcase_create("gfp");

	tcase_add_loop_test(t, flags_print_as_the_kernels_trace_prints_them, 0,
			    ARRAY_SIZE(shown));
	tcase_add_test(t, what_is_printed_reads_back);
	tcase_add_loop_test(
		t, expressions_take_three_separators_and_tell_the_bad_word, 0,
		ARRAY_SIZE(words));
	tcase_add_test(t, two_bits_choose_the_type);
	tcase_add_test(t, types_have_the_names_of_pagetypeinfo);
	suite_add_tcase(s, t);
	return s;
}
