// SPDX-License-Identifier: MIT
/* test_buddy.c - splitting, merging, lists of blocks, untouched runs */
#include "fixture.h"

#include <stdio.h>

#define NORMAL(f) fixture_zone(f, 0, ZONE_NORMAL)
#define LIST(f, order, type) free_list(NORMAL(f), order, MIGRATE_##type)

START_TEST(handed_over_blocks_stand_in_the_list_by_ascending_address)
{
	struct fixture *f = fixture_simple(4);

	ck_assert_str_eq(LIST(f, 10, MOVABLE), "1024 2048 3072 4096");
	ck_assert_uint_eq(NORMAL(f)->managed_pages, 4096);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_pages], 4096);
	ck_assert_uint_eq(NORMAL(f)->free_area[10].nr_free_all, 4);
	ck_assert_uint_eq(f->phys.event[VE_pgfree], 4096);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_range_is_cut_by_the_zero_bits_of_its_pfns)
{
	const struct fixture_zone z = {0, ZONE_NORMAL, 1, 4096};
	struct fixture *f = fixture_new(ARCH_X86_64, 1, &z, 1);

	/* 3 4-7 8-15 16-31 ... 512-1023 1024-2047 2048-2303 2304-2307 */
	buddy_hand_over(NORMAL(f), 3, 2308);
	ck_assert_str_eq(LIST(f, 0, MOVABLE), "3");
	ck_assert_str_eq(LIST(f, 1, MOVABLE), "");
	ck_assert_str_eq(LIST(f, 2, MOVABLE), "4 2304");
	ck_assert_str_eq(LIST(f, 3, MOVABLE), "8");
	ck_assert_str_eq(LIST(f, 8, MOVABLE), "256 2048");
	ck_assert_str_eq(LIST(f, 9, MOVABLE), "512");
	ck_assert_str_eq(LIST(f, 10, MOVABLE), "1024");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(neighbouring_ranges_merge_across_hand_overs)
{
	const struct fixture_zone z = {0, ZONE_NORMAL, 0, 2048};
	struct fixture *f = fixture_new(ARCH_X86_64, 1, &z, 1);

	buddy_hand_over(NORMAL(f), 1, 100);
	buddy_hand_over(NORMAL(f), 101, 1024);
	buddy_hand_over(NORMAL(f), 0, 1);
	assert_lawful(f);
	buddy_hand_over(NORMAL(f), 100, 101);
	ck_assert_str_eq(LIST(f, 10, MOVABLE), "0");
	ck_assert_uint_eq(NORMAL(f)->managed_pages, 1024);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_split_keeps_the_lowest_part_and_lists_the_rest)
{
	struct fixture *f = fixture_simple(2);

	/*   1024                1032    1040      1056 ...
	 *   [taken, order 3 ][  free ][ free    ][ free ...           ] */
	ck_assert_uint_eq(fixture_alloc(f, GFP_HIGHUSER_MOVABLE, 4), 1024);
	for (unsigned int k = 4; k < 10; k++) {
		char want[16];

		snprintf(want, sizeof(want), "%u", 1024 + (1U << k));
		ck_assert_str_eq(LIST(f, k, MOVABLE), want);
	}
	ck_assert_str_eq(LIST(f, 10, MOVABLE), "2048");
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_pages], 2048 - 16);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_freed_block_merges_with_its_buddy_up_to_the_largest)
{
	struct fixture *f = fixture_simple(2);
	pfn_t pfn = fixture_alloc(f, GFP_HIGHUSER_MOVABLE, 5);

	ck_assert_uint_eq(pfn, 1024);
	pages_put(&f->phys, pfn, 5, 0);
	for (unsigned int k = 0; k < 10; k++)
		ck_assert_str_eq(LIST(f, k, MOVABLE), "");
	ck_assert_str_eq(LIST(f, 10, MOVABLE), "1024 2048");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_block_whose_pair_may_soon_merge_goes_to_the_tail)
{
	struct fixture *f = fixture_simple(1);
	pfn_t block[4];

	/* Blocks of order 6, quarters of 1024..1279:
	 *   [0][1][2][3] [ 1280.. free ]
	 * 2 and 3 are freed and make an order 7; 0 then is half of a pair
	 * whose buddy, that order 7, is free: tail.  */
	for (int i = 0; i < 4; i++)
		block[i] = fixture_alloc(f, GFP_HIGHUSER_MOVABLE, 6);
	ck_assert_uint_eq(block[3], 1024 + 192);
	pages_put(&f->phys, block[2], 6, 0);
	pages_put(&f->phys, block[3], 6, 0);
	ck_assert_str_eq(LIST(f, 7, MOVABLE), "1152");
	buddy_hand_over(NORMAL(f), 1024, 1024); /* nothing */
	ck_assert_uint_eq(fixture_alloc(f, GFP_HIGHUSER_MOVABLE, 7), 1152);
	/* Without a free pair: to the head, before what is there. */
	pages_put(&f->phys, block[0], 6, 0);
	ck_assert_str_eq(LIST(f, 6, MOVABLE), "1024");
	fixture_free(f);

	f = fixture_simple(2);
	for (int i = 0; i < 4; i++)
		block[i] = fixture_alloc(f, GFP_HIGHUSER_MOVABLE, 6);
	/* Order 6 at 1024+256 comes from the next order 8. */
	ck_assert_uint_eq(fixture_alloc(f, GFP_HIGHUSER_MOVABLE, 6), 1280);
	ck_assert_str_eq(LIST(f, 6, MOVABLE), "1344");
	pages_put(&f->phys, block[2], 6, 0);
	ck_assert_str_eq(LIST(f, 6, MOVABLE), "1152 1344");
	pages_put(&f->phys, block[3], 6, 0);
	ck_assert_str_eq(LIST(f, 6, MOVABLE), "1344");
	pages_put(&f->phys, block[0], 6, 0); /* 1152 of order 7 is free */
	ck_assert_str_eq(LIST(f, 6, MOVABLE), "1344 1024");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(blocks_of_two_zones_never_merge)
{
	const struct fixture_zone z[] = {
		{0, ZONE_DMA32,	512,  1024},
		{0, ZONE_NORMAL, 1024, 2048},
	};
	struct fixture *f = fixture_new(ARCH_X86_64, 1, z, 2);

	/* 1024 ^ 512 lies in the other zone. */
	buddy_hand_over(NORMAL(f), 1024, 1536);
	buddy_hand_over(fixture_zone(f, 0, ZONE_DMA32), 512, 1024);
	buddy_hand_over(NORMAL(f), 1536, 2048);
	ck_assert_str_eq(
		free_list(fixture_zone(f, 0, ZONE_DMA32), 9, MIGRATE_MOVABLE),
		"512");
	ck_assert_str_eq(LIST(f, 10, MOVABLE), "1024");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(pageblocks_that_do_not_mix_stay_apart)
{
	const struct fixture_zone z = {0, ZONE_NORMAL, 1024, 4096};
	struct fixture *f = fixture_new(ARCH_X86_64, 1, &z, 1);

	pageblock_set_type(&f->phys, 1024, MIGRATE_CMA);
	buddy_hand_over(NORMAL(f), 1024, 1536);
	buddy_hand_over(NORMAL(f), 1536, 2048);
	ck_assert_str_eq(LIST(f, 9, CMA), "1024");
	ck_assert_str_eq(LIST(f, 9, MOVABLE), "1536");
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_cma], 512);
	/* Types that mix do merge: Unmovable with Movable. */
	pageblock_set_type(&f->phys, 2048, MIGRATE_UNMOVABLE);
	buddy_hand_over(NORMAL(f), 2048, 2560);
	buddy_hand_over(NORMAL(f), 2560, 3072);
	ck_assert_str_eq(LIST(f, 10, MOVABLE), "2048");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(untouched_memory_is_one_element_and_touches_no_frame)
{
	struct fixture *f = fixture_simple(64);
	const struct frame *frames = f->phys.frames;

	ck_assert_int_eq(frames[1024].flags, FRAME_RUN);
	for (unsigned int i = 1; i < 64; i++)
		ck_assert_int_eq(frames[1024 + i * 1024].state, FRAME_NONE);
	ck_assert_uint_eq(NORMAL(f)->free_area[10].nr_free[MIGRATE_MOVABLE],
			  64);
	fixture_free(f);
}
END_TEST

/* What frame_block() says of @pfn, as text. */
static const char *
block_text(struct fixture *f, pfn_t pfn)
{
	static char line[64];
	enum migratetype type = 0;
	unsigned int order = 0;
	enum frame_state state;
	pfn_t head = 0;

	state = frame_block(&f->phys, pfn, &head, &order, &type);
	snprintf(line, sizeof(line), "%d %u %u %u", state, (unsigned int)head,
		 order, type);
	return line;
}

START_TEST(any_frame_finds_its_block)
{
	struct fixture *f = fixture_simple(8);
	pfn_t pfn = fixture_alloc(f, GFP_KERNEL, 4);

	ck_assert_uint_eq(pfn, 1024);
	ck_assert_str_eq(block_text(f, 1024), "3 1024 4 0");
	ck_assert_str_eq(block_text(f, 1039), "3 1024 4 0");
	ck_assert_str_eq(block_text(f, 1040), "1 1040 4 0");
	ck_assert_str_eq(block_text(f, 1600), "1 1536 9 0");
	ck_assert_str_eq(block_text(f, 5000), "1 4096 10 1");
	ck_assert_str_eq(block_text(f, 12), "0 0 0 0");
	ck_assert_str_eq(block_text(f, 1ULL << 40), "0 0 0 0");
	fixture_free(f);
}
END_TEST

START_TEST(a_range_taken_away_splits_what_it_was_part_of)
{
	struct fixture *f = fixture_simple(8);

	/* The middle of the run, whole blocks. */
	ck_assert(buddy_take_range(NORMAL(f), 3072, 5120));
	ck_assert_str_eq(LIST(f, 10, MOVABLE), "1024 2048 5120 6144 7168 8192");
	ck_assert_uint_eq(NORMAL(f)->managed_pages, 6144);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_pages], 6144);
	assert_lawful(f);
	/* Parts of blocks. */
	ck_assert(buddy_take_range(NORMAL(f), 6000, 6200));
	ck_assert_uint_eq(NORMAL(f)->managed_pages, 6144 - 200);
	assert_lawful(f);
	/* Not there any more. */
	ck_assert(!buddy_take_range(NORMAL(f), 6199, 6201));
	ck_assert(!buddy_take_range(NORMAL(f), 5120, 6144));
	assert_lawful(f);
	/* And back. */
	buddy_hand_over(NORMAL(f), 6000, 6200);
	buddy_hand_over(NORMAL(f), 3072, 5120);
	ck_assert_str_eq(LIST(f, 10, MOVABLE),
			 "1024 2048 7168 8192 5120 6144 3072 4096");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_range_with_an_allocated_frame_is_not_taken)
{
	struct fixture *f = fixture_simple(2);
	pfn_t pfn = fixture_alloc(f, GFP_KERNEL, 0);

	ck_assert_uint_eq(pfn, 1024);
	ck_assert(!buddy_take_range(NORMAL(f), 1024, 2048));
	ck_assert(!buddy_take_range(NORMAL(f), 1024, 1025));
	ck_assert(buddy_take_range(NORMAL(f), 1025, 2048));
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(links_survive_when_the_zone_grows_downwards)
{
	const struct fixture_zone z = {0, ZONE_NORMAL, 1024, 8192};
	struct fixture *f = fixture_new(ARCH_X86_64, 1, &z, 1);
	struct zone *zone = NORMAL(f);

	zone->start_pfn = 4096;
	zone->spanned_pages = 4096;
	zone->present_pages = 4096;
	fixture_set_pcp(f, 4, 64);
	buddy_hand_over(zone, 4096, 8192);
	pages_put(&f->phys, fixture_alloc(f, GFP_KERNEL, 0), 0, 0);
	ck_assert_str_eq(pcp_list(zone, 0, 0, MIGRATE_UNMOVABLE),
			 "4096 4097 4098 4099");
	zone->start_pfn = 2048;
	zone->spanned_pages = 6144;
	zone->present_pages = 6144;
	buddy_hand_over(zone, 2048, 3072);
	ck_assert_str_eq(pcp_list(zone, 0, 0, MIGRATE_UNMOVABLE),
			 "4096 4097 4098 4099");
	ck_assert_str_eq(LIST(f, 10, MOVABLE), "5120 6144 7168 2048");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(sixty_four_tib_are_handed_over_in_one_step)
{
	const pfn_t share = 1ULL << 31; /* 8 TiB a node */
	struct fixture_zone z[4];
	struct fixture *f;

	for (unsigned int n = 0; n < 4; n++)
		z[n] = (struct fixture_zone){n, ZONE_NORMAL, n * share * 2,
					     n * share * 2 + share};
	f = fixture_new(ARCH_X86_64, 1, z, 4);
	for (unsigned int n = 0; n < 4; n++) {
		struct zone *zone = fixture_zone(f, n, ZONE_NORMAL);

		buddy_hand_over(zone, zone->start_pfn, zone_end_pfn(zone));
		ck_assert_uint_eq(zone->free_area[10].nr_free_all,
				  share / 1024);
	}
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 10), 0);
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 0), 1024);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

/*
 * The same random steps on two memories, one handed over as a run, the other
 * block by block in an order that forbids runs: each list must look alike.
 */
START_TEST(lazy_and_made_lists_are_the_same_at_each_step)
{
	enum { BLOCKS = 24, STEPS = 600 };
	const struct fixture_zone z = {0, ZONE_NORMAL, 1024,
				       1024 + BLOCKS * 1024};
	struct fixture *lazy = fixture_simple(BLOCKS);
	struct fixture *made = fixture_new(ARCH_X86_64, 1, &z, 1);
	struct {
		pfn_t pfn;
		unsigned int order;
	} held[STEPS];
	unsigned int nr = 0, seed = 7;

	/* Halves handed over apart make described blocks, as merging does. */
	for (pfn_t at = 1024; at < z.end; at += 1024) {
		buddy_hand_over(NORMAL(made), at, at + 512);
		buddy_hand_over(NORMAL(made), at + 512, at + 1024);
	}
	ck_assert_int_eq(made->phys.frames[1024].flags, 0);
	for (unsigned int step = 0; step < STEPS; step++) {
		gfp_t gfp = step % 3 ? GFP_KERNEL : GFP_HIGHUSER_MOVABLE;
		unsigned int order;
		char *want;

		seed = seed * 1103515245 + 12345;
		order = seed >> 16 & 1 ? 10 : (seed >> 20) % 11;
		if ((seed >> 8) % 3 && nr) {
			unsigned int i = (seed >> 12) % nr;

			pages_put(&lazy->phys, held[i].pfn, held[i].order, 0);
			pages_put(&made->phys, held[i].pfn, held[i].order, 0);
			held[i] = held[--nr];
		} else {
			pfn_t pfn = fixture_alloc(lazy, gfp, order);

			ck_assert_uint_eq(fixture_alloc(made, gfp, order), pfn);
			held[nr].pfn = pfn;
			held[nr].order = order;
			nr += pfn != PFN_NONE;
		}
		for (unsigned int k = 9; k <= 10; k++)
			for (int t = 0; t < MIGRATE_PCPTYPES; t++) {
				want = g_strdup(free_list(NORMAL(made), k, t));
				ck_assert_str_eq(free_list(NORMAL(lazy), k, t),
						 want);
				g_free(want);
			}
	}
	assert_lawful(lazy);
	assert_lawful(made);
	fixture_free(lazy);
	fixture_free(made);
}
END_TEST

START_TEST(untouched_pageblocks_are_movable_and_set_ones_are_found)
{
	struct fixture *f = fixture_simple(64);
	struct phys *phys = &f->phys;

	ck_assert_int_eq(pageblock_type(phys, 1024), MIGRATE_MOVABLE);
	ck_assert_uint_eq(pageblock_next_set(phys, 0, phys->max_pfn), PFN_NONE);
	pageblock_set_type(phys, 9 * 512, MIGRATE_RECLAIMABLE);
	pageblock_set_type(phys, 77 * 512 + 3, MIGRATE_ISOLATE);
	ck_assert_int_eq(pageblock_type(phys, 9 * 512 + 511),
			 MIGRATE_RECLAIMABLE);
	ck_assert_uint_eq(pageblock_next_set(phys, 0, phys->max_pfn), 9 * 512);
	ck_assert_uint_eq(pageblock_next_set(phys, 9 * 512 + 5, 99999),
			  9 * 512 + 5);
	ck_assert_uint_eq(pageblock_next_set(phys, 10 * 512, phys->max_pfn),
			  77 * 512);
	ck_assert_uint_eq(pageblock_next_set(phys, 10 * 512, 77 * 512),
			  PFN_NONE);
	fixture_free(f);
}
END_TEST

Suite *suite_buddy(void);

Suite *
suite_buddy(void)
{
	Suite *s = suite_create("buddy");
	TCase *t = tcase_create("buddy");

	tcase_add_test(
		t, handed_over_blocks_stand_in_the_list_by_ascending_address);
	tcase_add_test(t, a_range_is_cut_by_the_zero_bits_of_its_pfns);
	tcase_add_test(t, neighbouring_ranges_merge_across_hand_overs);
	tcase_add_test(t, a_split_keeps_the_lowest_part_and_lists_the_rest);
	tcase_add_test(t,
		       a_freed_block_merges_with_its_buddy_up_to_the_largest);
	tcase_add_test(t, a_block_whose_pair_may_soon_merge_goes_to_the_tail);
	tcase_add_test(t, blocks_of_two_zones_never_merge);
	tcase_add_test(t, pageblocks_that_do_not_mix_stay_apart);
	tcase_add_test(t, untouched_memory_is_one_element_and_touches_no_frame);
	tcase_add_test(t, any_frame_finds_its_block);
	tcase_add_test(t, a_range_taken_away_splits_what_it_was_part_of);
	tcase_add_test(t, a_range_with_an_allocated_frame_is_not_taken);
	tcase_add_test(t, links_survive_when_the_zone_grows_downwards);
	tcase_add_test(t, sixty_four_tib_are_handed_over_in_one_step);
	tcase_add_test(t, lazy_and_made_lists_are_the_same_at_each_step);
	tcase_add_test(t,
		       untouched_pageblocks_are_movable_and_set_ones_are_found);
	suite_add_tcase(s, t);
	return s;
}
