// SPDX-License-Identifier: MIT
/* test_ops_bytes.c - writing bytes and letting time pass */
#include "kmemfs/machine/op.h"

#include <check.h>
#include <errno.h>
#include <string.h>

Suite *suite_ops_bytes(void);

static struct machine *m;

static void
setup(void)
{
	char *error = NULL;
	struct machine_config *config = config_read("[machine]\n"
						    "arch = x86-64\n"
						    "cpus = 1\n"
						    "memory = 64M\n"
						    "ram-limit = 64K\n",
						    "test", &error);

	ck_assert_msg(config != NULL, "%s", error);
	m = machine_boot(config, NULL, &error);
	ck_assert_msg(m != NULL, "%s", error);
}

static void
teardown(void)
{
	machine_free(m);
}

static int
run(const char *line)
{
	return machine_do(m, line, NULL, NULL);
}

START_TEST(bytes_of_an_allocation_are_bytes_of_ram)
{
	char got[4] = "";
	pfn_t pfn;

	ck_assert_int_eq(run("page/alloc_pages GFP_KERNEL 1 name=buf"), 0);
	pfn = allocation_find(m, "buf")->pfn;
	ck_assert_int_eq(run("bytes/write allocations/buf 4094 hex:616263"), 0);
	ram_read(m->ram, (pfn << 12) + 4094, got, 3);
	ck_assert_str_eq(got, "abc");
}
END_TEST

START_TEST(bytes_of_a_page_are_bytes_of_ram)
{
	char got[4] = "";

	ck_assert_int_eq(run("bytes/write pages/4096 1 base64:YWJj"), 0);
	ram_read(m->ram, (4096 << 12) + 1, got, 3);
	ck_assert_str_eq(got, "abc");
}
END_TEST

static const struct {
	const char *why, *line;
	int err;
} refused[] = {
	{"a write that passes the page's end",
	 "bytes/write pages/4096 4095 hex:0102",						 EFBIG },
	{"a write that begins behind it",	  "bytes/write pages/4096 5000 hex:01",
	 EFBIG											},
	{"a write behind the end of ram",	  "bytes/write ram 0x4000000 hex:01",
	 EFBIG											},
	{"an offset near 2^64",		"bytes/write ram 18446744073709551615 hex:0102",
	 EFBIG											},
	{"a hole",			     "bytes/write ram 0xa0000 hex:01",		     EFAULT},
	{"into a hole, across its border",	   "bytes/write ram 0x9efff hex:0102",
	 EFAULT										       },
	{"a page in a hole",		     "bytes/write pages/160 0 hex:01",		       EFAULT},
	{"no bytes",			   "bytes/write ram 0x1000000 hex:",		       EINVAL},
	{"no such allocation",		       "bytes/write allocations/nosuch 0 hex:01",
	 ENOENT										       },
	{"no such page",			 "bytes/write pages/x 0 hex:01",			 ENOENT},
	{"another file",			 "bytes/write ramdisk 0 hex:01",			 EINVAL},
	{"time that stands still",		   "clock/advance 0ns",				EINVAL},
	{"time beyond its end",		"clock/advance 9223372036854775807ns",	       EINVAL},
};

START_TEST(what_makes_no_sense_is_refused_and_changes_nothing)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];
	struct refusal r;

	ck_assert_int_eq(run("clock/advance 1ns"), 0);
	machine_digest(m, before);
	ck_assert_int_eq(machine_do(m, refused[_i].line, NULL, &r),
			 -refused[_i].err);
	ck_assert(!r.ran);
	ck_assert_uint_gt(strlen(r.sentence), 5);
	machine_digest(m, after);
	ck_assert_str_eq(before, after);
}
END_TEST

START_TEST(the_limit_of_bytes_held_is_enospc)
{
	char line[64];
	int err = 0, n;

	for (n = 0; !err && n < 100; n++) {
		g_snprintf(line, sizeof(line), "bytes/write pages/%d 0 hex:01",
			   5000 + n);
		err = run(line);
	}
	/* 64 KiB: less than a table's size and eight pieces of 4 KiB. */
	ck_assert_int_eq(err, -ENOSPC);
	ck_assert_int_ge(n, 7);
	ck_assert_int_eq(run("bytes/write pages/5000 9 hex:02"), 0);
	/* Zeros take no room. */
	ck_assert_int_eq(run("bytes/write pages/6000 9 hex:000000"), 0);
}
END_TEST

START_TEST(time_moves_by_what_is_asked_and_by_1ns_with_each_op)
{
	uint64_t start = m->now_ns;

	ck_assert_int_eq(run("clock/advance 1.5ms"), 0);
	ck_assert_uint_eq(m->now_ns, start + 1500000);
	ck_assert_int_eq(run("page/drain_all_pages"), 0);
	ck_assert_uint_eq(m->now_ns, start + 1500001);
}
END_TEST

Suite *
suite_ops_bytes(void)
{
	Suite *suite = suite_create("ops_bytes");
	TCase *tc = tcase_create("ops_bytes");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, bytes_of_an_allocation_are_bytes_of_ram);
	tcase_add_test(tc, bytes_of_a_page_are_bytes_of_ram);
	tcase_add_loop_test(tc,
			    what_makes_no_sense_is_refused_and_changes_nothing,
			    0, ARRAY_SIZE(refused));
	tcase_add_test(tc, the_limit_of_bytes_held_is_enospc);
	tcase_add_test(tc, time_moves_by_what_is_asked_and_by_1ns_with_each_op);
	suite_add_tcase(suite, tc);
	return suite;
}
