// SPDX-License-Identifier: MIT
/* test_ram.c - sparse memory against a flat array, its edges, its limit */
#include "kmemfs/hw/ram.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_ram(void);

#define TIB(n) ((uint64_t)(n) << 40)
#define PIECE 4096

static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	return z ^ z >> 29;
}

START_TEST(memory_nobody_wrote_reads_as_zeros_and_costs_nothing)
{
	struct ram *ram = ram_new(TIB(64), GIB(1));
	uint8_t bytes[100];

	memset(bytes, 1, sizeof(bytes));
	ram_read(ram, TIB(63) + 5, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		ck_assert_uint_eq(bytes[i], 0);
	ck_assert_uint_eq(ram_held(ram), 0);
	ram_free(ram);
}
END_TEST

START_TEST(zeros_over_nothing_leave_nothing)
{
	struct ram *ram = ram_new(GIB(4), GIB(1));
	uint8_t zeros[3 * PIECE] = {0};
	pa_t page;

	ck_assert_int_eq(ram_write(ram, 100, zeros, sizeof(zeros)), 0);
	ck_assert_uint_eq(ram_held(ram), 0);
	ck_assert(!ram_next_data(ram, 0, &page));
	ram_free(ram);
}
END_TEST

START_TEST(zeros_over_bytes_hide_the_page_from_next_data)
{
	struct ram *ram = ram_new(GIB(4), GIB(1));
	uint8_t zeros[16] = {0};
	pa_t page;

	ck_assert_int_eq(ram_write(ram, 5000, "x", 1), 0);
	ck_assert(ram_next_data(ram, 0, &page));
	ck_assert_uint_eq(page, PIECE);
	ck_assert_int_eq(ram_write(ram, 4995, zeros, sizeof(zeros)), 0);
	ck_assert(!ram_next_data(ram, 0, &page));
	ram_free(ram);
}
END_TEST

/* Both sides of each border that a write may cross. */
static const struct {
	const char *why;
	pa_t at;
} borders[] = {
	{"the first byte",	   0	    },
	{"a piece's end",	  PIECE - 2  },
	{"a leaf's end, 16 MiB", MIB(16) - 2},
	{"a part's end, 64 GiB", GIB(64) - 2},
	{"the last bytes",	   TIB(64) - 4},
};

START_TEST(what_is_written_over_a_border_is_read_back_and_nothing_else)
{
	struct ram *ram = ram_new(TIB(64), GIB(1));
	uint8_t got[12], want[12] = {0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0};
	pa_t at = borders[_i].at;
	size_t skip = at < 4 ? 4 - (size_t)at : 0;

	ck_assert_int_eq(ram_write(ram, at, want + 4, 4), 0);
	ram_read(ram, at - 4 + skip, got + skip, sizeof(got) - skip);
	ck_assert_msg(!memcmp(got + skip, want + skip, sizeof(got) - skip),
		      "%s", borders[_i].why);
	ram_free(ram);
}
END_TEST

START_TEST(a_write_that_leaves_memory_is_refused_whole)
{
	struct ram *ram = ram_new(MIB(1), GIB(1));

	ck_assert_int_eq(ram_write(ram, MIB(1) - 2, "abcd", 4), -EFAULT);
	ck_assert_int_eq(ram_write(ram, MIB(1), "a", 1), -EFAULT);
	ck_assert_int_eq(ram_write(ram, UINT64_MAX, "ab", 2), -EFAULT);
	ck_assert_int_eq(ram_may_write(ram, MIB(1) - 2, 4), -EFAULT);
	ck_assert_uint_eq(ram_held(ram), 0);
	ck_assert_int_eq(ram_write(ram, MIB(1) - 4, "abcd", 4), 0);
	ram_free(ram);
}
END_TEST

START_TEST(a_write_beyond_the_limit_is_refused_whole)
{
	/* One level: pieces alone are counted. */
	struct ram *ram = ram_new(MIB(1), 2 * PIECE);
	uint8_t bytes[2 * PIECE];
	char got = 1;

	memset(bytes, 7, sizeof(bytes));
	ck_assert_int_eq(ram_write(ram, 0, bytes, PIECE), 0);
	ck_assert_int_eq(ram_may_write(ram, 2 * PIECE, 2 * PIECE), -ENOSPC);
	ck_assert_int_eq(ram_write(ram, 2 * PIECE, bytes, 2 * PIECE), -ENOSPC);
	ram_read(ram, 2 * PIECE, &got, 1);
	ck_assert_int_eq(got, 0);
	ck_assert_uint_eq(ram_held(ram), PIECE);
	/* What is there already may be written on, and one more may come. */
	ck_assert_int_eq(ram_write(ram, 0, bytes, 2 * PIECE), 0);
	ck_assert_uint_eq(ram_held(ram), 2 * PIECE);
	ck_assert_int_eq(ram_write(ram, 2 * PIECE, "x", 1), -ENOSPC);
	ram_zero(ram, 0, PIECE);
	ck_assert_int_eq(ram_write(ram, 2 * PIECE, "x", 1), 0);
	ram_free(ram);
}
END_TEST

START_TEST(bytes_spread_far_count_with_what_the_host_needs_to_find_them)
{
	struct ram *ram = ram_new(TIB(64), MIB(1));
	unsigned int written = 0;

	for (pa_t at = 0; at < TIB(64); at += GIB(64)) {
		if (ram_write(ram, at, "x", 1))
			break;
		written++;
	}
	/* Each needs a leaf of 4096 words, and a part of the table of leaves
	 * with as many counters, beside its 4 KiB. */
	ck_assert_uint_eq(written, MIB(1) / (PIECE + 4096 * 4 + 4096 * 2));
	ck_assert_uint_le(ram_held(ram), MIB(1));
	ram_free(ram);
}
END_TEST

START_TEST(zeroing_all_gives_all_back)
{
	struct ram *ram = ram_new(TIB(64), GIB(1));

	for (pa_t at = 3; at < TIB(64); at += TIB(1) + 12345)
		ck_assert_int_eq(ram_write(ram, at, "x", 1), 0);
	ram_zero(ram, 0, UINT64_MAX);
	ck_assert_uint_eq(ram_held(ram), 0);
	ram_free(ram);
}
END_TEST

START_TEST(what_was_given_back_far_apart_can_be_written_again)
{
	struct ram *ram = ram_new(TIB(64), GIB(1));
	uint64_t held = 0;

	for (int round = 0; round < 3; round++) {
		unsigned int found = 0;
		pa_t page;

		for (pa_t at = 3; at < TIB(64); at += TIB(1) + 12345)
			ck_assert_int_eq(ram_write(ram, at, "x", 1), 0);
		ck_assert(!round || ram_held(ram) == held);
		held = ram_held(ram);
		for (pa_t at = 0; ram_next_data(ram, at, &page);
		     at = page + PIECE)
			found++;
		ck_assert_uint_eq(found, 64);
		ram_zero(ram, 0, UINT64_MAX);
		ck_assert(!ram_next_data(ram, 0, &page));
	}
	ram_free(ram);
}
END_TEST

START_TEST(an_end_inside_a_piece_is_the_end)
{
	struct ram *ram = ram_new(PIECE + 100, GIB(1));
	pa_t page;

	ck_assert_int_eq(ram_write(ram, PIECE + 90, "0123456789", 10), 0);
	ck_assert_int_eq(ram_write(ram, PIECE + 91, "0123456789", 10), -EFAULT);
	ck_assert(ram_next_data(ram, PIECE + 99, &page));
	ck_assert_uint_eq(page, PIECE);
	ck_assert(!ram_next_data(ram, PIECE + 100, &page));
	ram_zero(ram, PIECE, 100);
	ck_assert_uint_eq(ram_held(ram), 0);
	ram_free(ram);
}
END_TEST

#define FLAT (40 * PIECE)

/* A window of a large memory, at a border of the tree, beside a flat array. */
static void
compare(const struct ram *ram, pa_t base, const uint8_t *flat)
{
	static uint8_t got[FLAT];
	pa_t page, at = base;

	ram_read(ram, base, got, FLAT);
	ck_assert(!memcmp(got, flat, FLAT));
	for (size_t p = 0; p < FLAT; p += PIECE) {
		bool zero = true;

		for (size_t i = 0; i < PIECE; i++)
			zero = zero && !flat[p + i];
		if (zero)
			continue;
		ck_assert(ram_next_data(ram, at, &page));
		ck_assert_uint_eq(page, base + p);
		at = page + PIECE;
	}
	ck_assert(!ram_next_data(ram, at, &page));
}

START_TEST(random_writes_and_zeroings_equal_a_flat_array)
{
	static uint8_t flat[FLAT], bytes[FLAT];
	pa_t base = GIB(64) - FLAT / 2;
	struct ram *ram = ram_new(TIB(1), GIB(1));
	uint64_t seed = (uint64_t)_i;

	memset(flat, 0, sizeof(flat));
	for (int op = 0; op < 400; op++) {
		size_t at = next_random(&seed) % FLAT;
		size_t len = next_random(&seed) % (op % 3 ? 100 : 3 * PIECE);
		unsigned int what = next_random(&seed) % 4;

		len = MIN_OF(len, FLAT - at);
		if (what == 0) {
			ram_zero(ram, base + at, len);
			memset(flat + at, 0, len);
			continue;
		}
		for (size_t i = 0; i < len; i++)
			bytes[i] = what == 1 ? 0 : (uint8_t)next_random(&seed);
		ck_assert_int_eq(ram_write(ram, base + at, bytes, len), 0);
		memcpy(flat + at, bytes, len);
		if (op % 20 == 0)
			compare(ram, base, flat);
	}
	compare(ram, base, flat);
	ram_zero(ram, base, FLAT);
	ck_assert_uint_eq(ram_held(ram), 0);
	ram_free(ram);
}
END_TEST

Suite *
suite_ram(void)
{
	Suite *suite = suite_create("ram");
	TCase *tc = tcase_create("ram");

	tcase_add_test(tc,
		       memory_nobody_wrote_reads_as_zeros_and_costs_nothing);
	tcase_add_test(tc, zeros_over_nothing_leave_nothing);
	tcase_add_test(tc, zeros_over_bytes_hide_the_page_from_next_data);
	tcase_add_loop_test(
		tc, what_is_written_over_a_border_is_read_back_and_nothing_else,
		0, ARRAY_SIZE(borders));
	tcase_add_test(tc, a_write_that_leaves_memory_is_refused_whole);
	tcase_add_test(tc, a_write_beyond_the_limit_is_refused_whole);
	tcase_add_test(
		tc,
		bytes_spread_far_count_with_what_the_host_needs_to_find_them);
	tcase_add_test(tc, zeroing_all_gives_all_back);
	tcase_add_test(tc, what_was_given_back_far_apart_can_be_written_again);
	tcase_add_test(tc, an_end_inside_a_piece_is_the_end);
	tcase_add_loop_test(tc, random_writes_and_zeroings_equal_a_flat_array,
			    1, 30);
	suite_add_tcase(suite, tc);
	return suite;
}
