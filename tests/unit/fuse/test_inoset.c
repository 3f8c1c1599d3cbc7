// SPDX-License-Identifier: MIT
/*
 * test_inoset.c - the set of inodes that the kernel keeps
 *
 * The server is not in the library; this part of it needs no FUSE.
 */
#include "../../../src/fuse/inoset.c"

#include "unit/suites.h"

#include <check.h>

Suite *suite_inoset(void);

START_TEST(a_set_says_what_was_new_and_what_was_there)
{
	struct inoset set = {0};

	ck_assert(!inoset_has(&set, 7));
	ck_assert(!inoset_remove(&set, 7));
	ck_assert(inoset_add(&set, 7));
	ck_assert(!inoset_add(&set, 7));
	ck_assert(inoset_has(&set, 7));
	ck_assert_uint_eq(set.count, 1);
	ck_assert(inoset_remove(&set, 7));
	ck_assert(!inoset_has(&set, 7));
	ck_assert_uint_eq(set.count, 0);
	inoset_fini(&set);
}
END_TEST

/* Removing must not hide what was pushed on by it: a few numbers, many times,
 * against a table of yes and no. */
START_TEST(random_adds_and_removes_agree_with_a_table)
{
	struct inoset set = {0};
	bool there[200] = {false};
	uint64_t random = 1;
	size_t count = 0;

	for (unsigned int i = 0; i < 200000; i++) {
		size_t nr;
		uint64_t ino;

		random = random * 6364136223846793005ULL + 1442695040888963407;
		nr = random >> 33 & 127;
		/* High bits as packed inode numbers have them. */
		ino = (uint64_t)nr << 48 | (nr + 1);
		if (random >> 63) {
			ck_assert(inoset_add(&set, ino) == !there[nr]);
			count += !there[nr];
			there[nr] = true;
		} else {
			ck_assert(inoset_remove(&set, ino) == there[nr]);
			count -= there[nr];
			there[nr] = false;
		}
		ck_assert_uint_eq(set.count, count);
		nr = random >> 50 & 127;
		ck_assert(inoset_has(&set, (uint64_t)nr << 48 | (nr + 1)) ==
			  there[nr]);
	}
	inoset_fini(&set);
}
END_TEST

Suite *
suite_inoset(void)
{
	Suite *suite = suite_create("inoset");
	TCase *tc = tcase_create("inoset");

	tcase_add_test(tc, a_set_says_what_was_new_and_what_was_there);
	tcase_add_test(tc, random_adds_and_removes_agree_with_a_table);
	suite_add_tcase(suite, tc);
	return suite;
}
