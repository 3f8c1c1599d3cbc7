// SPDX-License-Identifier: MIT
/* test_replay_mirror.c - the recorded frames themselves, and random recordings
 */
#include "kmemfs/machine/op.h"
#include "kmemfs/machine/replay.h"

#include "unit/machine/replay_feed.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>

Suite *suite_replay_mirror(void);

/* --- mirror -------------------------------------------------------------- */

START_TEST(mirror_takes_the_very_frames)
{
	feed_begin("mirror");
	feed_alloc(PFN + 8, 3);
	ck_assert(feed_is_allocated(PFN + 8, 3));
	feed_alloc(PFN + 1, 0);
	ck_assert(feed_is_allocated(PFN + 1, 0));
	feed_free(PFN + 8, 3);
	ck_assert(!feed_is_allocated(PFN + 8, 3));
	feed_free(PFN + 1, 0);
	feed_end();
	ck_assert_uint_eq(feed_counts()->allocated, 2);
	ck_assert_uint_eq(feed_counts()->freed, 2);
	ck_assert_uint_eq(replay_live_blocks(feed_m->replay), 0);
}
END_TEST

START_TEST(a_recorded_refill_and_drain_move_just_that_block)
{
	feed_begin("mirror");
	feed_line(1,
		  "mm_page_alloc_zone_locked: pfn=%#x order=0 migratetype=1 "
		  "percpu_refill=1",
		  PFN);
	ck_assert_uint_eq(feed_m->phys->frames[PFN].state, FRAME_PCP);
	feed_line(1, "mm_page_pcpu_drain: pfn=%#x order=0 migratetype=1", PFN);
	ck_assert_uint_ne(feed_m->phys->frames[PFN].state, FRAME_PCP);
	feed_end();
	for (unsigned int i = 0; i < NR_MISMATCHES; i++)
		ck_assert_uint_eq(feed_counts()->mismatch[i], 0);
}
END_TEST

START_TEST(a_block_of_a_type_that_taking_it_cannot_tell_changes_no_list)
{
	char line[64];

	snprintf(line, sizeof(line), "replay/start %u %u free", PFN, PFN + 807);
	feed_op(line);
	feed_begin("mirror");
	feed_line(1,
		  "mm_page_alloc_zone_locked: pfn=%#x order=0 migratetype=%d "
		  "percpu_refill=1",
		  PFN + 6, _i);
	feed_line(1,
		  "mm_page_alloc: pfn=%#x order=0 migratetype=%d "
		  "gfp_flags=GFP_KERNEL",
		  PFN + 6, _i);
	feed_end();
	ck_assert(feed_is_allocated(PFN + 6, 0));
	ck_assert_int_eq(phys_zone_of(feed_m->phys, PFN)->stat[ZS_nr_free_cma],
			 0);
	feed_verify();
}
END_TEST

START_TEST(a_recorded_theft_changes_the_pageblocks_type)
{
	feed_begin("mirror");
	feed_line(0,
		  "mm_page_alloc_extfrag: pfn=%#x alloc_order=0 "
		  "fallback_order=10 pageblock_order=9 alloc_migratetype=2 "
		  "fallback_migratetype=1 fragmenting=0 change_ownership=1",
		  PFN);
	feed_line(0,
		  "mm_page_alloc_extfrag: pfn=%#x alloc_order=0 "
		  "fallback_order=5 pageblock_order=9 alloc_migratetype=2 "
		  "fallback_migratetype=1 fragmenting=1 change_ownership=0",
		  PFN - 0x200);
	feed_end();
	ck_assert_int_eq(pageblock_type(feed_m->phys, PFN),
			 MIGRATE_RECLAIMABLE);
	ck_assert_int_eq(pageblock_type(feed_m->phys, PFN + 0x200),
			 MIGRATE_RECLAIMABLE);
	ck_assert_int_eq(pageblock_type(feed_m->phys, PFN + 0x400),
			 MIGRATE_MOVABLE);
	ck_assert_int_eq(pageblock_type(feed_m->phys, PFN - 0x200),
			 MIGRATE_MOVABLE);
}
END_TEST

START_TEST(a_frame_that_is_taken_is_a_resynchronisation)
{
	feed_begin("mirror");
	feed_alloc(PFN, 2);
	feed_alloc(PFN + 1, 0);
	feed_end();
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_NOT_FREE], 1);
	ck_assert(feed_is_allocated(PFN + 1, 0));
	ck_assert_uint_eq(replay_live_pages(feed_m->replay), 1);
}
END_TEST

START_TEST(frames_beyond_memory_are_impossible)
{
	feed_begin("mirror");
	feed_alloc(1ULL << 30, 0);
	feed_alloc(feed_m->phys->max_pfn - 4, 4);
	feed_free(1ULL << 30, 0);
	feed_line(0,
		  "mm_page_pcpu_drain: pfn=0x10000000 order=0 migratetype=1");
	feed_line(0, "mm_page_alloc_extfrag: pfn=0x10000000 alloc_order=0 "
		     "fallback_order=10 pageblock_order=9 alloc_migratetype=2 "
		     "fallback_migratetype=1 fragmenting=0 change_ownership=1");
	feed_end();
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_IMPOSSIBLE], 5);
	ck_assert_uint_eq(feed_counts()->allocated, 0);
}
END_TEST

START_TEST(a_users_allocation_is_never_taken_away)
{
	struct allocation *a;
	pfn_t pfn;

	feed_op("page/alloc_pages GFP_KERNEL 2 name=mine");
	a = allocation_find(feed_m, "mine");
	pfn = a->pfn;
	feed_begin("mirror");
	feed_alloc(pfn, 2);
	feed_alloc(pfn + 3, 0);
	feed_alloc(round_down_to(pfn, 1024), 10);
	feed_free(pfn, 2);
	feed_free(pfn + 1, 0);
	feed_line(0,
		  "mm_page_alloc_zone_locked: pfn=%#llx order=0 migratetype=0 "
		  "percpu_refill=1",
		  (unsigned long long)pfn);
	feed_line(0, "mm_page_pcpu_drain: pfn=%#llx order=0 migratetype=0",
		  (unsigned long long)pfn);
	feed_end();
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_OWNED], 7);
	ck_assert(feed_is_allocated(pfn, 2));
	ck_assert_uint_eq(feed_m->phys->frames[pfn].owner, a->id);
}
END_TEST

/* --- random recordings --------------------------------------------------- */

static uint64_t seed;

static unsigned int
below(unsigned int n)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	return (unsigned int)((z ^ z >> 31) % n);
}

static void
feed_random(void)
{
	static const char *const gfp[] = {
		"GFP_KERNEL", "GFP_ATOMIC", "GFP_HIGHUSER_MOVABLE|__GFP_COMP",
		"GFP_NOFS|__GFP_RECLAIMABLE|__GFP_ZERO", "GFP_DMA"};
	unsigned int order = below(4) ? 0 : below(MAX_ORDER);
	unsigned int pfn = below(3) ? PFN + below(256) : below(0x4100);
	unsigned int cpu = below(3), type = below(3);

	if (below(8))
		pfn = pfn >> order << order;
	feed_stamp += below(1000) * 1e-6;
	switch (below(8)) {
	case 6:
		feed_line(cpu, "mm_page_free_batched: pfn=%#x order=0", pfn);
		break;
	case 7:
		feed_line(cpu,
			  "kmalloc: call_site=__vmalloc_node_range+0x1/0x2 "
			  "ptr=1 bytes_req=%u bytes_alloc=64 "
			  "gfp_flags=GFP_KERNEL node=%d accounted=false",
			  below(900), (int)below(3) - 1);
		break;
	case 0:
	case 1:
		feed_line(cpu,
			  "mm_page_alloc: pfn=%#x order=%u migratetype=%u "
			  "gfp_flags=%s",
			  pfn, order, type, gfp[below(ARRAY_SIZE(gfp))]);
		break;
	case 2:
	case 3:
		feed_line(cpu, "mm_page_free: pfn=%#x order=%u", pfn, order);
		break;
	case 4:
		feed_line(cpu,
			  "mm_page_alloc_zone_locked: pfn=%#x order=%u "
			  "migratetype=%u percpu_refill=%u",
			  pfn, order, type, below(2));
		break;
	default:
		if (below(8))
			feed_line(cpu,
				  "mm_page_pcpu_drain: pfn=%#x order=%u "
				  "migratetype=%u",
				  pfn, order, type);
		else
			feed_line(cpu,
				  "mm_page_alloc_extfrag: pfn=%#x "
				  "alloc_order=0 fallback_order=%u "
				  "pageblock_order=9 alloc_migratetype=%u "
				  "fallback_migratetype=%u fragmenting=1 "
				  "change_ownership=%u",
				  pfn, order, type, below(3), below(2));
		break;
	}
}

/* What frames were, at random but for the one that is ours. */
static void
random_start(void)
{
	static const char *const states[] = {"free", "used", "late", "absent",
					     "same type=0"};
	static const char *const phases[] = {"boot", "early", "final"};
	struct refusal r;
	char phase[32];

	for (unsigned int i = 0; i < 12; i++) {
		unsigned int first =
			below(3) ? PFN + below(256) : below(0x4100);
		char line[80];

		snprintf(line, sizeof(line), "replay/start %u %u %s", first,
			 first + below(below(2) ? 16 : 0x1000),
			 states[below(ARRAY_SIZE(states))]);
		if (machine_do(feed_m, line, NULL, &r))
			ck_assert_int_eq(r.err, EBUSY);
	}
	snprintf(phase, sizeof(phase), "replay/pcp %s", phases[below(3)]);
	feed_op(phase);
	feed_verify();
}

START_TEST(no_recording_breaks_a_law)
{
	seed = (uint64_t)_i + 1;
	feed_stamp = 0;
	feed_op("page/alloc_pages GFP_KERNEL 3 name=mine");
	if (_i % 4 == 3)
		random_start();
	feed_begin(_i & 1 ? "mirror" : "model");
	for (unsigned int i = 0; i < 400; i++) {
		feed_random();
		if (i % 20 == 0)
			feed_verify();
	}
	feed_end();
	feed_verify();
	feed_op("page/__free_pages mine");
	feed_op("replay/release");
	ck_assert_uint_eq(replay_live_blocks(feed_m->replay), 0);
}
END_TEST

Suite *
suite_replay_mirror(void)
{
	Suite *suite = suite_create("replay_mirror");
	TCase *tc = tcase_create("replay_mirror");

	tcase_add_checked_fixture(tc, feed_setup, feed_teardown);
	tcase_add_test(tc, mirror_takes_the_very_frames);
	tcase_add_test(tc, a_recorded_refill_and_drain_move_just_that_block);
	tcase_add_loop_test(
		tc,
		a_block_of_a_type_that_taking_it_cannot_tell_changes_no_list,
		MIGRATE_HIGHATOMIC, MIGRATE_TYPES);
	tcase_add_test(tc, a_recorded_theft_changes_the_pageblocks_type);
	tcase_add_test(tc, a_frame_that_is_taken_is_a_resynchronisation);
	tcase_add_test(tc, frames_beyond_memory_are_impossible);
	tcase_add_test(tc, a_users_allocation_is_never_taken_away);
	tcase_add_loop_test(tc, no_recording_breaks_a_law, 0, 64);
	suite_add_tcase(suite, tc);
	return suite;
}
