// SPDX-License-Identifier: MIT
/* test_allocations.c - ids, names, and made-up names that never collide */
#include "kmemfs/machine/machine.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_allocations(void);

static struct machine m;

static void
setup(void)
{
	m.allocations = allocation_table_new();
}

static void
teardown(void)
{
	allocation_table_free(m.allocations);
}

static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	return z ^ z >> 29;
}

static void
assert_name(const struct allocation *a, const char *want)
{
	char buf[16];

	ck_assert_str_eq(allocation_name(a, buf), want);
	ck_assert_ptr_eq(allocation_find(&m, want), a);
}

START_TEST(names_are_made_up_from_ids)
{
	struct allocation *a = allocation_add(&m, NULL);
	struct allocation *b = allocation_add(&m, NULL);

	ck_assert_uint_eq(a->id, 1);
	ck_assert_uint_eq(b->id, 2);
	assert_name(a, "a1");
	assert_name(b, "a2");
	ck_assert_uint_eq(allocation_count(&m), 2);
}
END_TEST

START_TEST(an_id_is_never_used_twice)
{
	allocation_remove(&m, allocation_add(&m, NULL));
	ck_assert_uint_eq(allocation_add(&m, NULL)->id, 2);
	ck_assert_ptr_null(allocation_find(&m, "a1"));
	ck_assert_ptr_null(allocation_get(&m, 1));
}
END_TEST

START_TEST(made_up_names_pass_over_what_users_took)
{
	struct allocation *user = allocation_add(&m, "a2");

	ck_assert_uint_eq(user->id, 1);
	assert_name(user, "a2");
	assert_name(allocation_add(&m, NULL), "a3");
	/* Freed: the name may come again, from a user. */
	allocation_remove(&m, user);
	ck_assert_ptr_null(allocation_find(&m, "a2"));
	user = allocation_add(&m, "a2");
	ck_assert_uint_eq(user->id, 4);
	assert_name(user, "a2");
}
END_TEST

START_TEST(names_that_only_look_made_up_are_users_names)
{
	static const char *const names[] = {"a0",  "a01", "a",
					    "a1x", "b1",  "a4294967296"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct allocation *a = allocation_add(&m, names[i]);

		ck_assert_uint_eq(a->id, i + 1);
		assert_name(a, names[i]);
	}
	assert_name(allocation_add(&m, NULL), "a7");
}
END_TEST

/* Name the same things again by the names that came out: what a replayed
 * journal does. */
START_TEST(replaying_the_names_gives_the_same_ids)
{
	struct machine again = {.allocations = allocation_table_new()};
	uint64_t seed = (uint64_t)_i;

	for (int i = 0; i < 3000; i++) {
		char user[16], buf[16], buf2[16];
		struct allocation *a, *b;

		g_snprintf(user, sizeof(user), "a%llu",
			   (unsigned long long)(next_random(&seed) %
						(unsigned int)(i + 20)));
		if (next_random(&seed) % 3 && allocation_find(&m, user)) {
			allocation_remove(&m, allocation_find(&m, user));
			allocation_remove(&again,
					  allocation_find(&again, user));
			continue;
		}
		a = allocation_add(&m, allocation_find(&m, user) ||
						       next_random(&seed) % 2
					       ? NULL
					       : user);
		b = allocation_add(&again, allocation_name(a, buf));
		ck_assert_uint_eq(a->id, b->id);
		ck_assert_str_eq(allocation_name(a, buf),
				 allocation_name(b, buf2));
	}
	ck_assert_uint_eq(allocation_last_id(&m), allocation_last_id(&again));
	allocation_table_free(again.allocations);
}
END_TEST

START_TEST(listing_gives_all_in_the_order_of_ids)
{
	enum { NR = 5000 };
	bool live[NR + 1] = {false};
	uint64_t seed = 7;
	uint32_t id = 0;

	for (int i = 1; i <= NR; i++) {
		allocation_add(&m, NULL);
		live[i] = true;
	}
	for (int i = 1; i <= NR; i++)
		/* Whole stretches go, others thin out. */
		if (i / 1100 % 2 || next_random(&seed) % 10) {
			allocation_remove(&m, allocation_get(&m, (uint32_t)i));
			live[i] = false;
		}
	for (uint32_t want = 1; want <= NR; want++) {
		const struct allocation *a;

		if (!live[want])
			continue;
		a = allocation_next(&m, id);
		ck_assert_ptr_nonnull(a);
		ck_assert_uint_eq(a->id, want);
		id = want;
	}
	ck_assert_ptr_null(allocation_next(&m, id));
	ck_assert_ptr_null(allocation_next(&m, UINT32_MAX));
}
END_TEST

START_TEST(names_and_ids_find_the_right_one_among_many)
{
	uint64_t seed = 3, count = 0;

	for (int i = 0; i < 20000; i++) {
		char name[24];
		struct allocation *a;

		g_snprintf(name, sizeof(name), "user_%llu",
			   (unsigned long long)(next_random(&seed) % 1000));
		a = allocation_find(&m, name);
		if (a) {
			allocation_remove(&m, a);
			count--;
		} else {
			a = allocation_add(&m, name);
			ck_assert_ptr_eq(allocation_get(&m, a->id), a);
			assert_name(a, name);
			count++;
		}
		ck_assert_uint_eq(allocation_count(&m), count);
	}
}
END_TEST

Suite *
suite_allocations(void)
{
	Suite *suite = suite_create("allocations");
	TCase *tc = tcase_create("allocations");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, names_are_made_up_from_ids);
	tcase_add_test(tc, an_id_is_never_used_twice);
	tcase_add_test(tc, made_up_names_pass_over_what_users_took);
	tcase_add_test(tc, names_that_only_look_made_up_are_users_names);
	tcase_add_loop_test(tc, replaying_the_names_gives_the_same_ids, 1, 8);
	tcase_add_test(tc, listing_gives_all_in_the_order_of_ids);
	tcase_add_test(tc, names_and_ids_find_the_right_one_among_many);
	suite_add_tcase(suite, tc);
	return suite;
}
