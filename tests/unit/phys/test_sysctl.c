// SPDX-License-Identifier: MIT
/* test_sysctl.c - what may be written to /proc/sys/vm, and what it does */
#include "booted.h"

#include "kmemfs/phys/sysctl.h"

#include <errno.h>

Suite *suite_sysctl(void);

static struct booted *b;

static void
setup(void)
{
	b = boot_short("x86-64", "1G", 1, "");
}

static void
teardown(void)
{
	booted_free(b);
}

static void
assert_shows(const char *name, const char *want)
{
	struct out out = OUT_INIT;

	ck_assert(sysctl_show(b->phys, name, &out));
	ck_assert_str_eq(out_text(&out), want);
	out_fini(&out);
}

static const struct {
	const char *name;
	const char *value;
	const char *shown;
} good[] = {
	{"min_free_kbytes",		    "1000",	    "1000\n"	    },
	{"min_free_kbytes",		    " 0x400\n",	"1024\n"		},
	{"min_free_kbytes",		    "0",	 "0\n"		      },
	{"watermark_scale_factor",	   "1",		"1\n"		     },
	{"watermark_scale_factor",	   "3000",	   "3000\n"		   },
	{"watermark_boost_factor",	   "0",		"0\n"		     },
	{"extfrag_threshold",	      "1000",      "1000\n"	      },
	{"percpu_pagelist_high_fraction", "8",	       "8\n"		    },
	{"percpu_pagelist_high_fraction", "0",	       "0\n"		    },
	{"zone_reclaim_mode",	      "7",	   "7\n"		},
	{"lowmem_reserve_ratio",		 "1 2 3 4 5", "1\t2\t3\t4\t5\n"   },
	{"lowmem_reserve_ratio",		 "9",	      "9\t256\t32\t0\t0\n"},
	{"lowmem_reserve_ratio",		 "-5 -1",	  "0\t0\t32\t0\t0\n"  },
	{"numa_zonelist_order",		"Default",   "Node\n"		   },
	{"numa_zonelist_order",		"z",	     "Zone\n"	     },
};

START_TEST(what_the_kernel_takes_is_taken)
{
	ck_assert_int_eq(
		sysctl_write(b->phys, good[_i].name, good[_i].value, NULL), 0);
	assert_shows(good[_i].name, good[_i].shown);
}
END_TEST

static const struct {
	const char *name;
	const char *value;
	int err;
} bad[] = {
	{"min_free_kbytes",		    "",			EINVAL},
	{"min_free_kbytes",		    " \n",		   EINVAL},
	{"min_free_kbytes",		    "-1",			  EINVAL},
	{"min_free_kbytes",		    "12K",		   EINVAL},
	{"min_free_kbytes",		    "1 2",		   EINVAL},
	{"min_free_kbytes",		    "2147483648",		  EINVAL},
	{"min_free_kbytes",		    "99999999999999999999", EINVAL},
	{"watermark_scale_factor",	   "0",			EINVAL},
	{"watermark_scale_factor",	   "3001",		   EINVAL},
	{"extfrag_threshold",	      "1001",		      EINVAL},
	{"percpu_pagelist_high_fraction", "7",		       EINVAL},
	{"lowmem_reserve_ratio",		 "1 2 3 4 5 6",		EINVAL},
	{"lowmem_reserve_ratio",		 "1 x",			EINVAL},
	{"numa_zonelist_order",		"fast",			EINVAL},
	{"numa_zonelist_order",		"",			    EINVAL},
	{"no_such_knob",			 "1",		      ENOENT},
};

START_TEST(what_it_refuses_changes_nothing)
{
	static const char *const all[] = {
		"min_free_kbytes",	  "watermark_scale_factor",
		"watermark_boost_factor", "percpu_pagelist_high_fraction",
		"extfrag_threshold",	  "lowmem_reserve_ratio",
		"zone_reclaim_mode",	  "numa_zonelist_order",
	};
	struct out before = OUT_INIT, after = OUT_INIT;
	struct refusal r = {0};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		ck_assert(sysctl_show(b->phys, all[i], &before));
	ck_assert_int_eq(sysctl_write(b->phys, bad[_i].name, bad[_i].value, &r),
			 -bad[_i].err);
	ck_assert_int_eq(r.err, bad[_i].err);
	ck_assert_uint_gt(strlen(r.sentence), 10);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		ck_assert(sysctl_show(b->phys, all[i], &after));
	ck_assert_str_eq(out_text(&before), out_text(&after));
	out_fini(&before);
	out_fini(&after);
}
END_TEST

START_TEST(checking_says_what_writing_would)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert_int_eq(sysctl_check(&b->config->phys, good[i].name,
					      good[i].value, NULL),
				 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_int_eq(sysctl_check(&b->config->phys, bad[i].name,
					      bad[i].value, NULL),
				 -bad[i].err);
}
END_TEST

START_TEST(a_kernel_has_only_its_own_knobs)
{
	struct booted *uma = boot_short("i386", "1G", 1, "");
	struct out out = OUT_INIT;

	ck_assert(!sysctl_show(uma->phys, "numa_zonelist_order", &out));
	ck_assert_int_eq(
		sysctl_write(uma->phys, "zone_reclaim_mode", "1", NULL),
		-ENOENT);
	ck_assert(sysctl_show(uma->phys, "lowmem_reserve_ratio", &out));
	ck_assert_str_eq(out_text(&out), "256\t32\t0\t0\n");
	out_fini(&out);
	booted_free(uma);
}
END_TEST

START_TEST(a_minimum_set_by_hand_is_not_lowered_by_the_kernel)
{
	ck_assert_int_eq(
		sysctl_write(b->phys, "min_free_kbytes", "100000", NULL), 0);
	phys_init_wmark_min(b->phys);
	assert_shows("min_free_kbytes", "100000\n");
	ck_assert_int_eq(sysctl_write(b->phys, "min_free_kbytes", "10", NULL),
			 0);
	phys_init_wmark_min(b->phys);
	/* Five percent of memory, for huge pages, are more. */
	ck_assert_uint_gt(b->phys->sysctl.min_free_kbytes, 10000);
}
END_TEST

START_TEST(writing_a_minimum_takes_the_boost_away)
{
	struct zone *zone = booted_zone(b, 0, "DMA32");

	zone->watermark_boost = 512;
	ck_assert_int_eq(
		sysctl_write(b->phys, "watermark_boost_factor", "100", NULL),
		0);
	ck_assert_uint_eq(zone->watermark_boost, 512);
	ck_assert_int_eq(
		sysctl_write(b->phys, "watermark_scale_factor", "20", NULL), 0);
	ck_assert_uint_eq(zone->watermark_boost, 0);
}
END_TEST

Suite *
suite_sysctl(void)
{
	Suite *s = suite_create("sysctl");
	TCase *t = tcase_create("sysctl");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, what_the_kernel_takes_is_taken, 0,
			    ARRAY_SIZE(good));
	tcase_add_loop_test(t, what_it_refuses_changes_nothing, 0,
			    ARRAY_SIZE(bad));
	tcase_add_test(t, checking_says_what_writing_would);
	tcase_add_test(t, a_kernel_has_only_its_own_knobs);
	tcase_add_test(t, a_minimum_set_by_hand_is_not_lowered_by_the_kernel);
	tcase_add_test(t, writing_a_minimum_takes_the_boost_away);
	suite_add_tcase(s, t);
	return s;
}
