// SPDX-License-Identifier: MIT
/* test_ram_words.c - words that a kernel keeps of its own in RAM */
#include "kmemfs/base/types.h"
#include "kmemfs/hw/ram.h"

#include <check.h>
#include <errno.h>

Suite *suite_ram_words(void);

static const struct {
	const char *why;
	pa_t at;
	unsigned int bytes;
} places[] = {
	{"aligned",		      0x1000, 8},
	{"not aligned",			0x1003, 8},
	{"a short one",			0x1ffc, 4},
	{"across two pages",	     0x1ffd, 8},
	{"a short one across two pages", 0x2ffe, 4},
};

START_TEST(a_word_comes_back_as_it_was_stored_and_touches_no_other_byte)
{
	struct ram *ram = ram_new(MIB(16), UINT64_MAX);
	uint64_t want = places[_i].bytes == 8 ? 0x1122334455667788 : 0x55667788;
	uint8_t byte[10];

	ram_store(ram, places[_i].at, places[_i].bytes, 0x1122334455667788);
	ck_assert_msg(ram_load(ram, places[_i].at, places[_i].bytes) == want,
		      "%s", places[_i].why);
	ram_read(ram, places[_i].at - 1, byte, places[_i].bytes + 2);
	ck_assert_uint_eq(byte[0], 0);
	ck_assert_uint_eq(byte[1], 0x88);
	ck_assert_uint_eq(byte[places[_i].bytes + 1], 0);
	ram_free(ram);
}
END_TEST

START_TEST(a_stored_zero_keeps_its_page)
{
	struct ram *ram = ram_new(MIB(16), UINT64_MAX);
	uint64_t held;

	ram_store(ram, 0x5000, 8, 0);
	held = ram_held(ram);
	ck_assert_uint_ge(held, 4096);
	ck_assert_int_eq(ram_write(ram, 0x5000, "x", 1), 0);
	ck_assert_uint_eq(ram_held(ram), held);
	ram_free(ram);
}
END_TEST

START_TEST(a_store_may_pass_the_limit_and_writes_are_refused_then)
{
	struct ram *ram = ram_new(MIB(16), KIB(4));

	ram_store(ram, 0x1000, 8, 1);
	ram_store(ram, 0x2000, 8, 2);
	ck_assert_uint_eq(ram_load(ram, 0x2000, 8), 2);
	ck_assert_int_eq(ram_may_write(ram, 0x3000, 1), -ENOSPC);
	ck_assert_int_eq(ram_write(ram, 0x2000, "x", 1), 0);
	ram_free(ram);
}
END_TEST

START_TEST(stores_far_beyond_the_limit_keep_what_was_there)
{
	/* More pages than there were addresses for at first. */
	struct ram *ram = ram_new(MIB(64), KIB(4));
	pa_t at;

	for (at = 0; at < MIB(64); at += 4096)
		ram_store(ram, at + 8, 8, at + 1);
	for (at = 0; at < MIB(64); at += 4096)
		ck_assert_uint_eq(ram_load(ram, at + 8, 8), at + 1);
	ck_assert_uint_ge(ram_held(ram), MIB(64));
	ram_zero(ram, 0, MIB(64));
	ck_assert_uint_eq(ram_held(ram), 0);
	ram_free(ram);
}
END_TEST

START_TEST(behind_the_end_nothing_is_stored_and_zeros_are_loaded)
{
	struct ram *ram = ram_new(MIB(1), UINT64_MAX);

	ram_store(ram, MIB(1), 8, 1);
	ram_store(ram, MIB(1) - 4, 8, UINT64_MAX);
	ck_assert_uint_eq(ram_load(ram, MIB(1), 8), 0);
	ck_assert_uint_eq(ram_load(ram, MIB(1) - 4, 8), UINT32_MAX);
	ram_prefetch(ram, MIB(2));
	ram_free(ram);
}
END_TEST

START_TEST(a_page_given_back_comes_again_as_zeros)
{
	struct ram *ram = ram_new(MIB(16), UINT64_MAX);
	uint64_t before;

	for (pa_t at = 0; at < MIB(8); at += 4096)
		ram_store(ram, at, 8, UINT64_MAX);
	before = ram_held(ram);
	ram_zero(ram, 0, MIB(4));
	ck_assert_uint_eq(before - ram_held(ram), MIB(4));
	for (pa_t at = 0; at < MIB(4); at += 4096) {
		ram_store(ram, at + 16, 8, 1);
		ck_assert_uint_eq(ram_load(ram, at, 8), 0);
		ck_assert_uint_eq(ram_load(ram, at + 16, 8), 1);
	}
	ck_assert_uint_eq(ram_held(ram), before);
	ck_assert_uint_eq(ram_load(ram, MIB(4), 8), UINT64_MAX);
	ram_free(ram);
}
END_TEST

Suite *
suite_ram_words(void)
{
	Suite *s = suite_create("ram_words");
	TCase *c = tcase_create("ram_words");

	tcase_add_loop_test(
		c, a_word_comes_back_as_it_was_stored_and_touches_no_other_byte,
		0, ARRAY_SIZE(places));
	tcase_add_test(c, a_stored_zero_keeps_its_page);
	tcase_add_test(c,
		       a_store_may_pass_the_limit_and_writes_are_refused_then);
	tcase_add_test(c, stores_far_beyond_the_limit_keep_what_was_there);
	tcase_add_test(c,
		       behind_the_end_nothing_is_stored_and_zeros_are_loaded);
	tcase_add_test(c, a_page_given_back_comes_again_as_zeros);
	suite_add_tcase(s, c);
	return s;
}
