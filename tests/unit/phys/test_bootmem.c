// SPDX-License-Identifier: MIT
/* test_bootmem.c - memory that is asked for while booting; failures on order */
#include "unit/phys/booted.h"

Suite *suite_bootmem(void);

#define MACHINE "[machine]\narch = x86-64\nmemory = 256M\n"

static pa_t
start_of(const struct booted *b, guint i)
{
	return g_array_index(b->phys->bootmem, struct boot_grant, i)
		.range.start;
}

START_TEST(each_call_looks_where_the_kernel_does)
{
	static const struct {
		const char *request;
		pa_t at;
	} calls[] = {
		{"alloc_bootmem 100",	      0x2c00000},
		{"alloc_bootmem_low 100",	  0x100000 },
		{"alloc_bootmem_pages 64M",	    0x2c00000},
		{"alloc_bootmem_low_pages 128K", 0x100000 },
		{"memblock_alloc 4096",		0xffdf000},
	};
	char *text = g_strdup_printf(MACHINE "[bootmem]\nb = %s\n",
				     calls[_i].request);
	struct booted *b = boot_text(text);

	ck_assert_uint_eq(start_of(b, 0), calls[_i].at);
	booted_free(b);
	g_free(text);
}
END_TEST

START_TEST(small_requests_share_a_page)
{
	struct booted *b = boot_text(MACHINE "[bootmem]\n"
					     "a = alloc_bootmem 100\n"
					     "b = alloc_bootmem 100\n"
					     "c = alloc_bootmem_pages 1\n");

	ck_assert_uint_eq(start_of(b, 1), start_of(b, 0) + 128);
	ck_assert_uint_eq(start_of(b, 2), start_of(b, 0) + 4096);
	booted_free(b);
}
END_TEST

/* INV-5.5 */
START_TEST(what_the_boot_gave_is_not_handed_over_until_it_is_given_back)
{
	struct booted *with =
		boot_text(MACHINE "[bootmem]\nb = alloc_bootmem_pages 64M\n");
	struct booted *without = boot_text(MACHINE);
	uint64_t managed = booted_zone(with, 0, "DMA32")->managed_pages;

	ck_assert_uint_eq(with->phys->handover_pages + MIB(64) / 4096,
			  without->phys->handover_pages);
	ck_assert(phys_reserved(with->phys, start_of(with, 0) >> 12));
	ck_assert_uint_eq(phys_free_bootmem(with->phys, 0), MIB(64) / 4096);
	ck_assert_uint_eq(booted_zone(with, 0, "DMA32")->managed_pages,
			  managed + MIB(64) / 4096);
	ck_assert_uint_eq(phys_verify(with->phys, NULL, NULL), 0);
	booted_free(with);
	booted_free(without);
}
END_TEST

START_TEST(a_machine_without_room_does_not_start)
{
	char *why = boot_reason(MACHINE "[bootmem]\nb = alloc_bootmem 300M\n");

	ck_assert_ptr_nonnull(strstr(why, "Out of memory"));
	g_free(why);
}
END_TEST

/* --- failures on order ---------------------------------------------------- */

static int
ask(struct booted *b, gfp_t gfp, unsigned int order)
{
	const struct page_request r = {
		.gfp = gfp, .order = order, .nid = NODE_LOCAL};
	pfn_t pfn;

	return pages_alloc(b->phys, &r, &pfn);
}

START_TEST(times_interval_and_filters_decide_which_requests_fail)
{
	struct booted *b = boot_text(MACHINE);
	struct fault_attr *f = &b->phys->fail_page_alloc;

	f->probability = 100;
	f->times = 3;
	ck_assert_int_eq(ask(b, GFP_ATOMIC, 0), 0); /* min-order is 1 */
	ck_assert_int_eq(ask(b, GFP_KERNEL, 1), 0); /* it may wait */
	ck_assert_int_eq(ask(b, GFP_ATOMIC | __GFP_NOFAIL, 1), 0);
	ck_assert_int_eq(ask(b, GFP_ATOMIC, 1), -12);
	ck_assert_ptr_nonnull(strstr(b->log->str, "name fail_page_alloc, "
						  "interval 1, probability "
						  "100, space 0, times 3"));
	f->interval = 2;
	ck_assert_int_eq(ask(b, GFP_ATOMIC, 1), 0);
	ck_assert_int_eq(ask(b, GFP_ATOMIC, 1), -12);
	f->interval = 1;
	f->space = 5;
	ck_assert_int_eq(ask(b, GFP_ATOMIC, 2), 0);
	ck_assert_int_eq(ask(b, GFP_ATOMIC, 2), -12);
	ck_assert_int_eq(f->times, 0);
	ck_assert_int_eq(ask(b, GFP_ATOMIC, 2), 0);
	booted_free(b);
}
END_TEST

START_TEST(a_probability_is_about_what_happens_and_the_same_each_time)
{
	int failed[2] = {0, 0};

	for (int round = 0; round < 2; round++) {
		struct booted *b = boot_text(MACHINE);

		b->phys->fail_page_alloc.probability = 30;
		b->phys->fail_page_alloc.times = -1;
		b->phys->fail_page_alloc.verbose = 0;
		for (int i = 0; i < 1000; i++)
			failed[round] += ask(b, GFP_ATOMIC, 1) != 0;
		booted_free(b);
	}
	ck_assert_int_eq(failed[0], failed[1]);
	ck_assert_int_gt(failed[0], 250);
	ck_assert_int_lt(failed[0], 350);
}
END_TEST

Suite *
suite_bootmem(void)
{
	Suite *s = suite_create("bootmem");
	TCase *c = tcase_create("bootmem");

	tcase_add_loop_test(c, each_call_looks_where_the_kernel_does, 0, 5);
	tcase_add_test(c, small_requests_share_a_page);
	tcase_add_test(
		c,
		what_the_boot_gave_is_not_handed_over_until_it_is_given_back);
	tcase_add_test(c, a_machine_without_room_does_not_start);
	tcase_add_test(c,
		       times_interval_and_filters_decide_which_requests_fail);
	tcase_add_test(
		c, a_probability_is_about_what_happens_and_the_same_each_time);
	suite_add_tcase(s, c);
	return s;
}
