// SPDX-License-Identifier: MIT
/* test_mirror.c - recorded steps: what they find, what they change */
#include "fixture.h"

#include "kmemfs/phys/foresight.h"

#include <stdio.h>

#define NORMAL(f) fixture_zone(f, 0, ZONE_NORMAL)
#define PCP(f, order, type) pcp_list(NORMAL(f), 0, order, MIGRATE_##type)
#define LIST(f, order, type) free_list(NORMAL(f), order, MIGRATE_##type)
#define TAKE(f, pfn, order)                                                    \
	mirror_take(&(f)->phys, pfn, order, GFP_KERNEL, MIGRATE_UNMOVABLE, 0)
#define LOCKED(f, pfn, order, refill)                                          \
	mirror_zone_locked(&(f)->phys, pfn, order, MIGRATE_UNMOVABLE, refill, 0)
#define DRAIN(f, pfn, order)                                                   \
	mirror_drain(&(f)->phys, pfn, order, MIGRATE_UNMOVABLE, 0)
#define STATE(f, pfn) ((f)->phys.frames[pfn].state)

static struct fixture *
fixture_mirror(void)
{
	struct fixture *f = fixture_simple(4);

	fixture_set_pcp(f, 4, 64);
	return f;
}

START_TEST(a_refill_an_allocation_a_free_and_a_drain_are_as_recorded)
{
	struct fixture *f = fixture_mirror();

	f->trace.enabled = ~0U;
	ck_assert_int_eq(LOCKED(f, 1024, 0, true), MIRROR_OK);
	ck_assert_int_eq(LOCKED(f, 1025, 0, true), MIRROR_OK);
	ck_assert_str_eq(PCP(f, 0, UNMOVABLE), "1024 1025");
	assert_lawful(f);
	ck_assert_int_eq(TAKE(f, 1024, 0), MIRROR_OK);
	ck_assert_int_eq(STATE(f, 1024), FRAME_ALLOCATED);
	ck_assert_int_eq(f->phys.frames[1024].refs, 1);
	assert_lawful(f);
	ck_assert_int_eq(mirror_free(&f->phys, 1024, 0, 0), MIRROR_OK);
	/* The pageblock is Movable here: nobody recorded the steal. */
	ck_assert_str_eq(PCP(f, 0, MOVABLE), "1024");
	ck_assert_int_eq(DRAIN(f, 1024, 0), MIRROR_OK);
	ck_assert_int_eq(DRAIN(f, 1025, 0), MIRROR_OK);
	ck_assert_str_eq(PCP(f, 0, UNMOVABLE), "");
	assert_lawful(f);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_pages], 4096);
	ck_assert_str_eq(events(f), "mm_page_alloc_zone_locked 1024 0 0 1; "
				    "mm_page_alloc_zone_locked 1025 0 0 1; "
				    "mm_page_alloc 1024 0 0 3264; "
				    "mm_page_free 1024 0; "
				    "mm_page_pcpu_drain 1024 0 0; "
				    "mm_page_pcpu_drain 1025 0 0");
	fixture_free(f);
}
END_TEST

START_TEST(the_head_of_a_list_goes_behind_its_tail_in_order)
{
	struct fixture *f = fixture_mirror();
	struct zone *zone = NORMAL(f);

	for (pfn_t pfn = 1024; pfn < 1028; pfn++)
		ck_assert_int_eq(LOCKED(f, pfn, 0, true), MIRROR_OK);
	ck_assert_str_eq(PCP(f, 0, UNMOVABLE), "1024 1025 1026 1027");
	resync_rotate(zone, 1025);
	ck_assert_str_eq(PCP(f, 0, UNMOVABLE), "1026 1027 1024 1025");
	assert_lawful(f);
	resync_rotate(zone, 1026);
	ck_assert_str_eq(PCP(f, 0, UNMOVABLE), "1027 1024 1025 1026");
	resync_rotate(zone, 1026);
	ck_assert_str_eq(PCP(f, 0, UNMOVABLE), "1027 1024 1025 1026");
	assert_lawful(f);
	ck_assert_int_eq(TAKE(f, 1026, 0), MIRROR_OK);
	ck_assert_int_eq(DRAIN(f, 1025, 0), MIRROR_OK);
	ck_assert_str_eq(PCP(f, 0, UNMOVABLE), "1027 1024");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_block_beyond_the_per_cpu_orders_passes_from_the_buddy)
{
	struct fixture *f = fixture_mirror();

	ck_assert_int_eq(LOCKED(f, 2048, 5, false), MIRROR_OK);
	ck_assert_int_eq(STATE(f, 2048), FRAME_ALLOCATED);
	assert_lawful(f);
	ck_assert_int_eq(TAKE(f, 2048, 5), MIRROR_OK);
	ck_assert_int_eq(f->phys.frames[2048].flags & FRAME_TAKEN, 0);
	/* A second time it is in use. */
	ck_assert_int_eq(TAKE(f, 2048, 5), MIRROR_NOT_FREE);
	assert_lawful(f);
	ck_assert_int_eq(mirror_free(&f->phys, 2048, 5, 0), MIRROR_OK);
	/* Merged; the run was split where it was taken from. */
	ck_assert_str_eq(LIST(f, 10, MOVABLE), "2048 1024 3072 4096");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_page_in_the_middle_of_a_free_block_is_cut_out)
{
	struct fixture *f = fixture_mirror();

	pageblock_set_type(&f->phys, 3072 + 512, MIGRATE_RECLAIMABLE);
	ck_assert_int_eq(TAKE(f, 3072 + 5, 0), MIRROR_ELSEWHERE);
	/* What is left, by the types of its pageblocks. */
	ck_assert_str_eq(LIST(f, 10, MOVABLE), "1024 2048 4096");
	ck_assert_str_eq(LIST(f, 9, RECLAIMABLE), "3584");
	ck_assert_str_eq(LIST(f, 3, MOVABLE), "3080");
	ck_assert_str_eq(LIST(f, 2, MOVABLE), "3072");
	ck_assert_str_eq(LIST(f, 1, MOVABLE), "3078");
	ck_assert_str_eq(LIST(f, 0, MOVABLE), "3076");
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_pages], 4095);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(parts_of_a_recorded_block_are_gathered_from_everywhere)
{
	struct fixture *f = fixture_mirror();

	/*   1024     1025   1026     1027    1028..
	 *   alloc'd   pcp   pcp     pcp      free  */
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 0), 1024);
	ck_assert_str_eq(PCP(f, 0, UNMOVABLE), "1025 1026 1027");
	ck_assert_int_eq(TAKE(f, 1024, 3), MIRROR_NOT_FREE);
	ck_assert_str_eq(PCP(f, 0, UNMOVABLE), "");
	ck_assert_int_eq(f->phys.frames[1024].order, 3);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_pages], 4096 - 8);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_page_on_another_cpus_list_is_found)
{
	const struct fixture_zone z = {0, ZONE_NORMAL, 1024, 3072};
	struct fixture *f = fixture_new(ARCH_X86_64, 2, &z, 1);

	buddy_hand_over(NORMAL(f), 1024, 3072);
	ck_assert_int_eq(LOCKED(f, 1030, 0, true), MIRROR_OK);
	ck_assert_int_eq(mirror_take(&f->phys, 1030, 0, GFP_KERNEL,
				     MIGRATE_UNMOVABLE, 1),
			 MIRROR_ELSEWHERE);
	ck_assert_uint_eq(NORMAL(f)->pcp[0].count, 0);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_reserved_frame_is_given_to_the_zone)
{
	const struct fixture_zone z = {0, ZONE_NORMAL, 1024, 3072};
	struct fixture *f = fixture_new(ARCH_X86_64, 1, &z, 1);

	buddy_hand_over(NORMAL(f), 1024, 2048);
	ck_assert_int_eq(TAKE(f, 2050, 1), MIRROR_NOT_MANAGED);
	ck_assert_uint_eq(NORMAL(f)->managed_pages, 1026);
	assert_lawful(f);
	ck_assert_int_eq(mirror_free(&f->phys, 2100, 0, 0), MIRROR_NOT_MANAGED);
	ck_assert_str_eq(PCP(f, 0, MOVABLE), "2100");
	ck_assert_int_eq(DRAIN(f, 2101, 0), MIRROR_NOT_MANAGED);
	ck_assert_uint_eq(NORMAL(f)->managed_pages, 1028);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_pages], 1025);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(what_no_memory_has_is_impossible_and_changes_nothing)
{
	const struct fixture_zone z[] = {
		{0, ZONE_DMA32,	1024, 3072},
		{0, ZONE_NORMAL, 5120, 7168},
	};
	struct fixture *f = fixture_new(ARCH_X86_64, 1, z, 2);

	buddy_hand_over(NORMAL(f), 5120, 7168);
	ck_assert_int_eq(TAKE(f, 7168, 0), MIRROR_IMPOSSIBLE);
	ck_assert_int_eq(TAKE(f, 4000, 0), MIRROR_IMPOSSIBLE);
	ck_assert_int_eq(TAKE(f, 5121, 1), MIRROR_IMPOSSIBLE);
	ck_assert_int_eq(TAKE(f, 5120, 11), MIRROR_IMPOSSIBLE);
	ck_assert_int_eq(TAKE(f, 1ULL << 60, 0), MIRROR_IMPOSSIBLE);
	ck_assert_int_eq(LOCKED(f, 4000, 0, true), MIRROR_IMPOSSIBLE);
	ck_assert_int_eq(mirror_free(&f->phys, 4000, 0, 0), MIRROR_IMPOSSIBLE);
	ck_assert_int_eq(DRAIN(f, 4000, 0), MIRROR_IMPOSSIBLE);
	ck_assert_int_eq(mirror_take(&f->phys, 5120, 0, 0, MIGRATE_TYPES, 0),
			 MIRROR_IMPOSSIBLE);
	ck_assert_str_eq(LIST(f, 10, MOVABLE), "5120 6144");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_free_of_a_part_cuts_the_allocation)
{
	struct fixture *f = fixture_mirror();
	pfn_t pfn = fixture_alloc(f, GFP_KERNEL, 4);

	f->phys.frames[pfn].owner = 5;
	ck_assert_int_eq(mirror_free(&f->phys, pfn + 6, 1, 0), MIRROR_OK);
	ck_assert_str_eq(PCP(f, 1, UNMOVABLE), "1030");
	/* 1024..1027, 1028..1029 and 1032..1039 stay, each a block. */
	ck_assert_int_eq(f->phys.frames[pfn].order, 2);
	ck_assert_int_eq(f->phys.frames[pfn + 4].order, 1);
	ck_assert_int_eq(f->phys.frames[pfn + 8].order, 3);
	ck_assert_uint_eq(f->phys.frames[pfn + 8].owner, 5);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_free_of_what_is_free_moves_it_where_it_belongs)
{
	struct fixture *f = fixture_mirror();

	ck_assert_int_eq(mirror_free(&f->phys, 2048, 0, 0), MIRROR_ELSEWHERE);
	ck_assert_str_eq(PCP(f, 0, MOVABLE), "2048");
	ck_assert_int_eq(mirror_free(&f->phys, 2049, 0, 0), MIRROR_ELSEWHERE);
	ck_assert_str_eq(PCP(f, 0, MOVABLE), "2049 2048");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(the_models_own_drains_do_not_run)
{
	struct fixture *f = fixture_mirror();

	fixture_set_pcp(f, 1, 0);
	ck_assert_int_eq(LOCKED(f, 1024, 0, true), MIRROR_OK);
	ck_assert_int_eq(TAKE(f, 1024, 0), MIRROR_OK);
	ck_assert_int_eq(mirror_free(&f->phys, 1024, 0, 0), MIRROR_OK);
	ck_assert_uint_eq(NORMAL(f)->pcp[0].count, 1);
	fixture_free(f);
}
END_TEST

START_TEST(a_drain_of_what_the_buddy_has_does_nothing)
{
	struct fixture *f = fixture_mirror();

	ck_assert_int_eq(DRAIN(f, 1024, 2), MIRROR_ELSEWHERE);
	ck_assert_str_eq(LIST(f, 10, MOVABLE), "1024 2048 3072 4096");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_recorded_type_does_not_overrule_a_cma_pageblock)
{
	struct fixture *f = fixture_mirror();

	buddy_take_range(NORMAL(f), 1024, 2048);
	pageblock_set_type(&f->phys, 1024, MIGRATE_CMA);
	pageblock_set_type(&f->phys, 1536, MIGRATE_CMA);
	buddy_hand_over(NORMAL(f), 1024, 2048);
	ck_assert_int_eq(TAKE(f, 1024, 0), MIRROR_ELSEWHERE);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_cma], 1023);
	mirror_free(&f->phys, 1024, 0, 0);
	ck_assert_int_eq(DRAIN(f, 1024, 0), MIRROR_OK);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_cma], 1024);
	/* Nor does a special one where the model has an ordinary pageblock. */
	mirror_free(&f->phys, 2048, 0, 0);
	ck_assert_int_eq(mirror_drain(&f->phys, 2048, 0, MIGRATE_HIGHATOMIC, 0),
			 MIRROR_OK);
	ck_assert_str_eq(LIST(f, 0, HIGHATOMIC), "");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_recorded_steal_moves_the_block_and_its_pageblock)
{
	struct fixture *f = fixture_mirror();

	/* Whole pageblocks. */
	ck_assert_int_eq(mirror_extfrag(&f->phys, 2048, 0, 10,
					MIGRATE_UNMOVABLE, MIGRATE_MOVABLE,
					true),
			 MIRROR_OK);
	ck_assert_str_eq(LIST(f, 10, UNMOVABLE), "2048");
	ck_assert_int_eq(pageblock_type(&f->phys, 2560), MIGRATE_UNMOVABLE);
	/* A part: all free blocks of the pageblock move along. */
	ck_assert_int_eq(TAKE(f, 1024, 0), MIRROR_ELSEWHERE);
	ck_assert_int_eq(mirror_extfrag(&f->phys, 1280, 0, 8,
					MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE,
					false),
			 MIRROR_OK);
	ck_assert_str_eq(LIST(f, 4, RECLAIMABLE), "1040");
	ck_assert_str_eq(LIST(f, 9, MOVABLE), "1536");
	ck_assert_int_eq(pageblock_type(&f->phys, 1280), MIGRATE_MOVABLE);
	/* What is not free stays. */
	ck_assert_int_eq(mirror_extfrag(&f->phys, 1024, 0, 0, MIGRATE_UNMOVABLE,
					MIGRATE_MOVABLE, false),
			 MIRROR_NOT_FREE);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(the_rest_of_a_split_stays_on_the_lists_it_was_on)
{
	struct fixture *f = fixture_mirror();

	/* Stolen, and its pageblock was not. */
	mirror_extfrag(&f->phys, 2048, 0, 10, MIGRATE_UNMOVABLE,
		       MIGRATE_MOVABLE, false);
	ck_assert_int_eq(LOCKED(f, 2048, 0, true), MIRROR_OK);
	ck_assert_str_eq(LIST(f, 9, UNMOVABLE), "2560");
	ck_assert_str_eq(LIST(f, 0, UNMOVABLE), "2049");
	ck_assert_int_eq(pageblock_type(&f->phys, 2048), MIGRATE_MOVABLE);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

Suite *suite_mirror(void);

Suite *
suite_mirror(void)
{
	Suite *s = suite_create("mirror");
	TCase *t = tcase_create("mirror");

	tcase_add_test(
		t, a_refill_an_allocation_a_free_and_a_drain_are_as_recorded);
	tcase_add_test(t,
		       a_block_beyond_the_per_cpu_orders_passes_from_the_buddy);
	tcase_add_test(t, a_page_in_the_middle_of_a_free_block_is_cut_out);
	tcase_add_test(t,
		       parts_of_a_recorded_block_are_gathered_from_everywhere);
	tcase_add_test(t, the_head_of_a_list_goes_behind_its_tail_in_order);
	tcase_add_test(t, a_page_on_another_cpus_list_is_found);
	tcase_add_test(t, the_rest_of_a_split_stays_on_the_lists_it_was_on);
	tcase_add_test(t, a_reserved_frame_is_given_to_the_zone);
	tcase_add_test(t, what_no_memory_has_is_impossible_and_changes_nothing);
	tcase_add_test(t, a_free_of_a_part_cuts_the_allocation);
	tcase_add_test(t, a_free_of_what_is_free_moves_it_where_it_belongs);
	tcase_add_test(t, the_models_own_drains_do_not_run);
	tcase_add_test(t, a_drain_of_what_the_buddy_has_does_nothing);
	tcase_add_test(t, a_recorded_type_does_not_overrule_a_cma_pageblock);
	tcase_add_test(t, a_recorded_steal_moves_the_block_and_its_pageblock);
	suite_add_tcase(s, t);
	return s;
}
