// SPDX-License-Identifier: MIT
/* test_text.c - sizes, times, names as people write them */
#include "unit/suites.h"

#include "kmemfs/base/out.h"
#include "kmemfs/base/text.h"

#include <stdio.h>

Suite *suite_text(void);

static const struct {
	const char *word;
	bool good;
	uint64_t want;
} sizes[] =
	{
		{"4096",		 true,  4096	   },
		{"4K",		       true,  4096	 },
		{"2M",		       true,  2 << 20   },
		{"0x1000",		   true,	 4096	     },
		{"1GiB",		 true,  1 << 30   },
		{"16E",			false, 0		},
		{"",		     false, 0	     },
		{"K",		      false, 0	      },
		{"-1",		       false, 0	       },
		{"1 K",			false, 0		},
		{"18446744073709551615", true,  UINT64_MAX},
		{"18446744073709551616", false, 0	 },
		{"18014398509481984K",   false, 0	       },
},
  times[] = {
	  {"1s", true, 1000000000},
	  {"1.5s", true, 1500000000},
	  {"100ms", true, 100000000},
	  {"2min", true, 120000000000},
	  {"7ns", true, 7},
	  {"0.5", false, 0},
	  {"1.s", false, 0},
	  {"s", false, 0},
	  {"999999999999h", false, 0},
};

START_TEST(sizes_are_read_whole_or_not_at_all)
{
	uint64_t got = 77;
	bool good = text_size(sizes[_i].word, &got);

	ck_assert_msg(good == sizes[_i].good, "%s", sizes[_i].word);
	ck_assert_uint_eq(got, good ? sizes[_i].want : 77);
}
END_TEST

START_TEST(times_are_read_whole_or_not_at_all)
{
	uint64_t got = 77;
	bool good = text_time(times[_i].word, &got);

	ck_assert_msg(good == times[_i].good, "%s", times[_i].word);
	ck_assert_uint_eq(got, good ? times[_i].want : 77);
}
END_TEST

START_TEST(a_name_is_a_word_that_no_number_can_be)
{
	static const char *const good[] = {"a", "_x", "buf.3", "a-b_C9"};
	static const char *const bad[] = {"",	 "9a",	     "-a", "a b",
					  "a/b", "\xc3\xa4", ".x"};
	char longest[65];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert(text_is_name(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(!text_is_name(bad[i]), "%s", bad[i]);
	memset(longest, 'a', 64);
	longest[64] = '\0';
	ck_assert(!text_is_name(longest));
	longest[63] = '\0';
	ck_assert(text_is_name(longest));
}
END_TEST

START_TEST(fast_numbers_are_printf_s_numbers)
{
	static const uint64_t values[] = {0,   9,     10,	  99,
					  100, 12345, UINT32_MAX, UINT64_MAX};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct out fast = OUT_INIT, slow = OUT_INIT;
		unsigned long long v = values[i];

		out_u64(&fast, v);
		out_u64_pad(&fast, v, 7);
		out_hex(&fast, v);
		out_hex_pad(&fast, v, 8);
		out_i64(&fast, -5);
		out_str_pad(&fast, "zone", 8);
		out_printf(&slow, "%llu%7llu%#llx%08llx-5%8s", v, v, v, v,
			   "zone");
		if (!v) {
			out_reset(&slow);
			out_str(&slow, "0      00x000000000-5    zone");
		}
		ck_assert_str_eq(out_text(&fast), out_text(&slow));
		out_fini(&fast);
		out_fini(&slow);
	}
}
END_TEST

START_TEST(every_number_of_digits_is_printed_whole)
{
	uint64_t power = 1;

	for (int digits = 1; digits <= 20; digits++, power *= 10) {
		for (uint64_t v = power - 1; v <= power + 1; v++) {
			struct out fast = OUT_INIT;
			char slow[64];

			out_u64_line(&fast, v);
			out_u64_pad(&fast, v, 22);
			snprintf(slow, sizeof(slow), "%llu\n%22llu",
				 (unsigned long long)v, (unsigned long long)v);
			ck_assert_str_eq(out_text(&fast), slow);
			out_fini(&fast);
		}
	}
}
END_TEST

Suite *
suite_text(void)
{
	Suite *suite = suite_create("text");
	TCase *tests = tcase_create("text");

	tcase_add_loop_test(tests, sizes_are_read_whole_or_not_at_all, 0,
			    ARRAY_SIZE(sizes));
	tcase_add_loop_test(tests, times_are_read_whole_or_not_at_all, 0,
			    ARRAY_SIZE(times));
	tcase_add_test(tests, a_name_is_a_word_that_no_number_can_be);
	tcase_add_test(tests, fast_numbers_are_printf_s_numbers);
	tcase_add_test(tests, every_number_of_digits_is_printed_whole);
	suite_add_tcase(suite, tests);
	return suite;
}
