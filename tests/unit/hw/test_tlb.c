// SPDX-License-Identifier: MIT
/* test_tlb.c - sets and ways, two levels, what each flush takes out */
#include "kmemfs/hw/tlb.h"

#include <check.h>

Suite *suite_tlb(void);

static struct tlb *tlb;

static void
setup(void)
{
	tlb = tlb_new(tlb_default_geometry);
}

static void
teardown(void)
{
	tlb_free(tlb);
}

/* Enter a page as a walk would. */
static struct tlb_entry *
fill(va_t va, unsigned int shift, uint16_t pcid, bool global)
{
	struct mmu_result walk = {
		.outcome = MMU_OK,
		.pa = 0x40000000 + va % MIB(2),
		.page_shift = (uint8_t)shift,
		.global = global,
		.nr_steps = 1,
	};

	return tlb_fill(tlb, va, pcid, MMU_READ, &walk, false, 0);
}

static enum tlb_where
where(va_t va, uint16_t pcid)
{
	enum tlb_where w;

	tlb_peek(tlb, va, pcid, MMU_READ, &w);
	return w;
}

START_TEST(a_filled_page_hits_for_all_its_bytes_and_no_others)
{
	enum tlb_where w;

	fill(0x5000, 12, 1, false);
	ck_assert_int_eq(where(0x5000, 1), TLB_HIT_L1);
	ck_assert_int_eq(where(0x5fff, 1), TLB_HIT_L1);
	ck_assert_int_eq(where(0x6000, 1), TLB_MISS);
	ck_assert_int_eq(where(0x5000, 2), TLB_MISS);
	ck_assert_ptr_nonnull(tlb_lookup(tlb, 0x5123, 1, MMU_READ, &w));
	ck_assert_ptr_null(tlb_lookup(tlb, 0x6123, 1, MMU_READ, &w));
	ck_assert_uint_eq(tlb_stats(tlb)->l1_hits, 1);
	ck_assert_uint_eq(tlb_stats(tlb)->misses, 1);
}
END_TEST

/* 64 entries in 16 sets of 4. */
START_TEST(five_pages_of_one_set_leave_the_oldest_to_the_second_level)
{
	enum tlb_where w;

	for (unsigned int i = 0; i < 5; i++)
		fill((va_t)i * 16 << 12, 12, 0, false);
	ck_assert_int_eq(where(0, 0), TLB_HIT_L2);
	ck_assert_int_eq(where(16 << 12, 0), TLB_HIT_L1);
	/* The hit brings it back, and the oldest then goes. */
	ck_assert_ptr_nonnull(tlb_lookup(tlb, 0, 0, MMU_READ, &w));
	ck_assert_int_eq(w, TLB_HIT_L2);
	ck_assert_int_eq(where(0, 0), TLB_HIT_L1);
	ck_assert_int_eq(where(16 << 12, 0), TLB_HIT_L2);
}
END_TEST

/* 1536 entries in 128 sets of 12. */
START_TEST(thirteen_pages_of_one_set_lose_the_oldest)
{
	for (unsigned int i = 0; i < 13; i++)
		fill((va_t)i * 128 << 12, 12, 0, false);
	ck_assert_int_eq(where(0, 0), TLB_MISS);
	ck_assert_int_ne(where(128 << 12, 0), TLB_MISS);
}
END_TEST

START_TEST(invlpg_drops_the_page_and_global_ones_of_every_pcid)
{
	fill(0x5000, 12, 1, false);
	fill(0x5000, 12, 2, false);
	fill(0x9000, 12, 3, true);
	tlb_flush_page(tlb, 0x5abc, 1);
	ck_assert_int_eq(where(0x5000, 1), TLB_MISS);
	ck_assert_int_eq(where(0x5000, 2), TLB_HIT_L1);
	tlb_flush_page(tlb, 0x9000, 7);
	ck_assert_int_eq(where(0x9000, 3), TLB_MISS);
}
END_TEST

START_TEST(a_switch_without_pcid_leaves_the_global_entries_alone)
{
	fill(0x5000, 12, 0, false);
	fill(0x9000, 12, 0, true);
	tlb_flush_all(tlb, false);
	ck_assert_int_eq(where(0x5000, 0), TLB_MISS);
	ck_assert_int_eq(where(0x9000, 0), TLB_HIT_L1);
	tlb_flush_all(tlb, true);
	ck_assert_int_eq(where(0x9000, 0), TLB_MISS);
	for (int p = 0; p < NR_TLB_PARTS; p++)
		ck_assert_uint_eq(tlb_used(tlb, (enum tlb_part)p), 0);
}
END_TEST

START_TEST(with_pcid_only_its_own_entries_go)
{
	fill(0x5000, 12, 1, false);
	fill(0x6000, 12, 2, false);
	tlb_flush_pcid(tlb, 1);
	ck_assert_int_eq(where(0x5000, 1), TLB_MISS);
	ck_assert_int_eq(where(0x6000, 2), TLB_HIT_L1);
}
END_TEST

START_TEST(large_pages_have_buffers_of_their_own)
{
	fill(0x40200000, 21, 0, false);
	fill(0x80000000, 30, 0, false);
	ck_assert_uint_eq(tlb_used(tlb, TLB_L1D_2M), 1);
	ck_assert_uint_eq(tlb_used(tlb, TLB_L1D_1G), 1);
	ck_assert_uint_eq(tlb_used(tlb, TLB_L1D_4K), 0);
	ck_assert_int_eq(where(0x403fffff, 0), TLB_HIT_L1);
	ck_assert_int_eq(where(0xbfffffff, 0), TLB_HIT_L1);
	ck_assert_int_eq(where(0x40400000, 0), TLB_MISS);
}
END_TEST

START_TEST(data_entries_serve_fetches_from_the_second_level)
{
	enum tlb_where w;

	fill(0x5000, 12, 0, false);
	ck_assert_ptr_nonnull(tlb_lookup(tlb, 0x5000, 0, MMU_FETCH, &w));
	ck_assert_int_eq(w, TLB_HIT_L2);
	ck_assert_ptr_nonnull(tlb_lookup(tlb, 0x5000, 0, MMU_FETCH, &w));
	ck_assert_int_eq(w, TLB_HIT_L1);
}
END_TEST

START_TEST(a_machine_without_buffers_always_misses)
{
	static const struct tlb_geometry none[NR_TLB_PARTS];
	enum tlb_where w;

	tlb_free(tlb);
	tlb = tlb_new(none);
	ck_assert_ptr_null(fill(0x5000, 12, 0, false));
	ck_assert_ptr_null(tlb_lookup(tlb, 0x5000, 0, MMU_READ, &w));
	tlb_flush_all(tlb, true);
	tlb_flush_page(tlb, 0x5000, 0);
}
END_TEST

START_TEST(pages_of_a_textbook_use_the_buffers_of_small_pages)
{
	tlb_set_page_shift(tlb, 5);
	for (va_t va = 0; va < 5 * 16 * 32; va += 16 * 32)
		fill(va, 5, 0, false);
	/* Five pages of one set of four ways. */
	ck_assert_int_eq(where(0, 0), TLB_HIT_L2);
	ck_assert_int_eq(where(16 * 32 + 31, 0), TLB_HIT_L1);
	ck_assert_int_eq(where(32, 0), TLB_MISS);
	ck_assert_uint_eq(tlb_used(tlb, TLB_L1D_4K), 4);
	tlb_flush_page(tlb, 16 * 32, 0);
	ck_assert_int_eq(where(16 * 32, 0), TLB_MISS);
}
END_TEST

Suite *
suite_tlb(void)
{
	Suite *suite = suite_create("tlb");
	TCase *tc = tcase_create("tlb");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_filled_page_hits_for_all_its_bytes_and_no_others);
	tcase_add_test(
		tc, five_pages_of_one_set_leave_the_oldest_to_the_second_level);
	tcase_add_test(tc, thirteen_pages_of_one_set_lose_the_oldest);
	tcase_add_test(tc, invlpg_drops_the_page_and_global_ones_of_every_pcid);
	tcase_add_test(tc,
		       a_switch_without_pcid_leaves_the_global_entries_alone);
	tcase_add_test(tc, with_pcid_only_its_own_entries_go);
	tcase_add_test(tc, large_pages_have_buffers_of_their_own);
	tcase_add_test(tc, data_entries_serve_fetches_from_the_second_level);
	tcase_add_test(tc, a_machine_without_buffers_always_misses);
	tcase_add_test(tc, pages_of_a_textbook_use_the_buffers_of_small_pages);
	suite_add_tcase(suite, tc);
	return suite;
}
