// SPDX-License-Identifier: MIT
/* test_foresight.c - what a mirrored replay foretells, and what it puts right
 */
#include "kmemfs/machine/op.h"
#include "kmemfs/phys/foresight.h"

#include "unit/machine/replay_feed.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

Suite *suite_foresight(void);

/* Three blocks of the largest order are free, nothing else; the zone's lists
 * are short. */
static void
start(const char *phase)
{
	char line[64];

	feed_op("replay/start 0 0xffffffff absent");
	feed_op("replay/start 0x3000 0x3bff free");
	snprintf(line, sizeof(line), "replay/pcp %s", phase);
	feed_op(line);
	feed_begin("mirror");
}

static void
locked(unsigned int pfn, unsigned int order, unsigned int type)
{
	feed_line(0,
		  "mm_page_alloc_zone_locked: pfn=%#x order=%u migratetype=%u "
		  "percpu_refill=%u",
		  pfn, order, type, order < 4);
}

static void
drain(unsigned int pfn)
{
	feed_line(0, "mm_page_pcpu_drain: pfn=%#x order=0 migratetype=1", pfn);
}

static void
expect(enum replay_foreseen kind, uint64_t steps, uint64_t right)
{
	ck_assert_uint_eq(feed_counts()->foreseen[kind].steps, steps);
	ck_assert_uint_eq(feed_counts()->foreseen[kind].right, right);
}

START_TEST(a_start_state_replaces_the_lists)
{
	const struct zone *zone = phys_zone_of(feed_m->phys, PFN);

	feed_op("replay/start 0 0xffffffff absent");
	ck_assert_uint_eq(zone->managed_pages, 0);
	ck_assert_int_eq(zone->stat[ZS_nr_free_pages], 0);
	feed_op("replay/start 0x3400 0x37ff free");
	feed_op("replay/start 0x3000 0x33ff free");
	feed_op("replay/start 0x3800 0x3801 used");
	ck_assert_uint_eq(zone->managed_pages, 2050);
	ck_assert_int_eq(zone->stat[ZS_nr_free_pages], 2048);
	/* In the order in which they were given. */
	ck_assert_uint_eq(foresee_buddy(zone, 10, MIGRATE_MOVABLE, NULL),
			  0x3400);
	ck_assert(feed_is_allocated(0x3801, 0));
	feed_op("replay/start 0x3400 0x37ff free");
	ck_assert_uint_eq(foresee_buddy(zone, 10, MIGRATE_MOVABLE, NULL),
			  0x3000);
}
END_TEST

/* What is managed: sorted spans that do not touch. */
static uint64_t
managed_pages(void)
{
	const GArray *spans = feed_m->phys->managed;
	uint64_t pages = 0;

	for (guint i = 0; i < spans->len; i++) {
		const struct pfn_span *s =
			&g_array_index(spans, struct pfn_span, i);

		ck_assert_uint_lt(s->start, s->end);
		if (i)
			ck_assert_uint_gt(s->start, s[-1].end);
		pages += s->end - s->start;
	}
	return pages;
}

START_TEST(a_start_state_of_many_pieces_is_sorted_and_joined)
{
	const GArray *spans = feed_m->phys->managed;
	char line[64];

	feed_op("replay/start 0 0xffffffff absent");
	ck_assert_uint_eq(managed_pages(), 0);
	for (unsigned int i = 0; i < 200; i += 2) {
		snprintf(line, sizeof(line), "replay/start %u %u used", PFN + i,
			 PFN + i);
		feed_op(line);
	}
	ck_assert_uint_eq(spans->len, 100);
	ck_assert_uint_eq(managed_pages(), 100);
	/* Each closes a gap, but the last page, which comes first. */
	for (unsigned int i = 199; i < 200; i -= 2) {
		snprintf(line, sizeof(line), "replay/start %u %u free", PFN + i,
			 PFN + i);
		feed_op(line);
		ck_assert_uint_eq(managed_pages(), 100 + (201 - i) / 2);
	}
	ck_assert_uint_eq(spans->len, 1);
	snprintf(line, sizeof(line), "replay/start %u %u absent", PFN + 50,
		 PFN + 59);
	feed_op(line);
	snprintf(line, sizeof(line), "replay/start %u %u absent", PFN + 80,
		 PFN + 89);
	feed_op(line);
	ck_assert_uint_eq(spans->len, 3);
	snprintf(line, sizeof(line), "replay/start %u %u absent", PFN + 45,
		 PFN + 94);
	feed_op(line);
	ck_assert_uint_eq(spans->len, 2);
	ck_assert_uint_eq(managed_pages(), 150);
	ck_assert_uint_eq(phys_zone_of(feed_m->phys, PFN)->managed_pages, 150);
}
END_TEST

START_TEST(a_start_state_takes_no_allocation_away)
{
	struct refusal r;
	char line[80];

	feed_op("page/alloc_pages GFP_KERNEL 2 name=mine");
	snprintf(line, sizeof(line), "replay/start %llu %llu free",
		 (unsigned long long)allocation_find(feed_m, "mine")->pfn + 1,
		 (unsigned long long)allocation_find(feed_m, "mine")->pfn + 2);
	ck_assert_int_eq(machine_do(feed_m, line, NULL, &r), -EBUSY);
	ck_assert(!replay_started(replay_of(feed_m)));
}
END_TEST

START_TEST(the_block_taken_is_foreseen)
{
	start("final");
	locked(PFN, 4, 1);
	locked(PFN + 16, 4, 1);
	locked(PFN + 48, 4, 1); /* 32 stands first in its list */
	feed_end();
	expect(FORESEEN_BUDDY, 3, 2);
}
END_TEST

START_TEST(a_wrong_one_is_listed_with_what_was_expected)
{
	const struct replay_note *note;

	start("final");
	locked(PFN + 0x400, 10, 1);
	note = &feed_m->replay->notes[0];
	ck_assert_uint_eq(feed_m->replay->nr_notes, 1);
	ck_assert_int_eq(note->mismatch, MISMATCH_FORESEEN);
	ck_assert_int_eq(note->foreseen, FORESEEN_BUDDY);
	ck_assert_uint_eq(note->expected, PFN);
	ck_assert_str_eq(note->lists, "free/Movable/10:3:12288,13312,14336;"
				      "it:free/13312/10/Movable");
	feed_end();
}
END_TEST

START_TEST(what_was_passed_over_is_put_on_another_list)
{
	const struct zone *zone = phys_zone_of(feed_m->phys, PFN);

	feed_op("replay/start 0 0xffffffff absent");
	feed_op("replay/start 0x3000 0x300f free");
	feed_op("replay/start 0x3400 0x37ff free");
	feed_begin("mirror");
	/* A block of order 10 was split though one of order 4 was there. */
	locked(0x3400, 4, 1);
	expect(FORESEEN_BUDDY, 1, 0);
	ck_assert_uint_eq(foresee_buddy(zone, 4, MIGRATE_RECLAIMABLE, NULL),
			  0x3000);
	locked(0x3410, 4, 1);
	expect(FORESEEN_BUDDY, 2, 1);
	feed_end();
}
END_TEST

START_TEST(what_lies_below_was_in_use_before_smaller_blocks_are_doubted)
{
	feed_op("replay/start 0 0xffffffff absent");
	feed_op("replay/start 0x3000 0x3000 free");
	feed_op("replay/start 0x3002 0x3002 free");
	feed_op("replay/start 0x3400 0x37ff free");
	feed_begin("mirror");
	/* 0x3400 was taken by nobody's event: 0x3401 was a single page. */
	locked(0x3401, 0, 1);
	locked(0x3000, 0, 1);
	locked(0x3002, 0, 1);
	locked(0x3402, 1, 1);
	expect(FORESEEN_BUDDY, 4, 3);
	feed_end();
}
END_TEST

/* Two single pages of a pageblock that a drain tells to be Movable, and a block
 * of the largest order. */
static void
two_told(void)
{
	feed_op("replay/start 0 0xffffffff absent");
	feed_op("replay/start 0x3000 0x300f used");
	feed_op("replay/start 0x3400 0x37ff free");
	feed_begin("mirror");
	for (unsigned int pfn = 0x3001; pfn <= 0x3003; pfn += 2) {
		feed_free(pfn, 0);
		drain(pfn);
	}
}

START_TEST(one_block_is_smaller_rather_than_many_are_gone)
{
	two_told();
	locked(0x3400, 0, 1);
	locked(0x3003, 0, 1);
	locked(0x3001, 0, 1);
	locked(0x3402, 1, 1);
	expect(FORESEEN_BUDDY, 4, 3);
	ck_assert(feed_is_allocated(0x3401, 0));
	feed_end();
}
END_TEST

START_TEST(a_block_that_was_lost_and_is_taken_was_free_all_the_time)
{
	const struct zone *zone = phys_zone_of(feed_m->phys, PFN);

	two_told();
	locked(0x3400, 1, 1); /* no smaller one would do */
	locked(0x3402, 0, 1);
	ck_assert(feed_is_allocated(0x3403, 0));
	locked(0x3403, 0, 1);
	ck_assert_uint_eq(feed_counts()->missing, 0);
	/* So those two were passed over, and are in use. */
	locked(0x3404, 0, 1);
	ck_assert(feed_is_allocated(0x3001, 0));
	ck_assert(feed_is_allocated(0x3003, 0));
	ck_assert_uint_eq(feed_counts()->missing, 2);
	ck_assert_uint_eq(foresee_buddy(zone, 0, MIGRATE_MOVABLE, NULL),
			  0x3405);
	locked(0x3405, 0, 1);
	expect(FORESEEN_BUDDY, 5, 2);
	feed_end();
}
END_TEST

START_TEST(the_head_of_a_per_cpu_list_is_foreseen)
{
	start("final");
	locked(PFN, 0, 0);
	locked(PFN + 1, 0, 0);
	locked(PFN + 2, 0, 0);
	feed_alloc(PFN, 0);
	expect(FORESEEN_PCP, 1, 1);
	/* The list is a stack: the one before left silently. */
	feed_alloc(PFN + 2, 0);
	expect(FORESEEN_PCP, 2, 1);
	ck_assert_uint_eq(feed_counts()->missing, 1);
	feed_end();
}
END_TEST

/* The boot pageset keeps nothing: each free is drained. */
START_TEST(a_drain_is_foreseen_with_its_page_and_its_end)
{
	start("boot");
	locked(PFN, 0, 1);
	feed_alloc(PFN, 0);
	feed_line(0, "kfree: call_site=x ptr=0");
	feed_free(PFN, 0);
	drain(PFN);
	expect(FORESEEN_DRAIN, 1, 1);
	feed_end();
	expect(FORESEEN_DRAIN, 1, 1);
}
END_TEST

START_TEST(a_drain_that_does_not_come_is_wrong)
{
	start("boot");
	locked(PFN, 0, 1);
	feed_alloc(PFN, 0);
	feed_free(PFN, 0);
	feed_alloc(PFN, 0);
	feed_end();
	expect(FORESEEN_DRAIN, 1, 0);
}
END_TEST

START_TEST(a_refill_tells_how_far_the_kernel_has_booted)
{
	const struct zone *zone = phys_zone_of(feed_m->phys, PFN);

	start("boot");
	ck_assert_uint_eq(zone->pcp[0].high, 0);
	locked(PFN, 0, 1);
	locked(PFN + 1, 0, 1);
	locked(PFN + 2, 0, 1);
	feed_alloc(PFN, 0);
	ck_assert_uint_gt(zone->pcp[0].high, 0);
	feed_end();
	ck_assert_uint_eq(zone->pcp[0].high, zone->pcp_high);
	ck_assert_uint_eq(zone->pcp[1].batch, zone->pcp_batch);
}
END_TEST

START_TEST(pages_of_a_list_are_put_away_when_their_turn_comes)
{
	const struct frame *frames = feed_m->phys->frames;

	start("final");
	for (unsigned int i = 0; i < 3; i++)
		feed_alloc(PFN + i, 0);
	for (unsigned int i = 0; i < 3; i++)
		feed_free(PFN + i, 0);
	feed_line(0, "mm_page_free_batched: pfn=%#x order=0", PFN + 1);
	/* The first was freed alone; the third waits. */
	ck_assert_uint_eq(frames[PFN].state, FRAME_PCP);
	ck_assert_uint_eq(frames[PFN + 1].state, FRAME_PCP);
	ck_assert_uint_eq(frames[PFN + 2].state, FRAME_ALLOCATED);
	feed_end();
	ck_assert_uint_eq(frames[PFN + 2].state, FRAME_PCP);
}
END_TEST

START_TEST(a_free_that_interrupts_a_user_of_the_list_passes_it_by)
{
	const struct frame *frames = feed_m->phys->frames;
	char line[64];

	start("final");
	feed_alloc(PFN, 0);
	feed_alloc(PFN + 1, 0);
	snprintf(line, sizeof(line), "replay/free %d past=yes", PFN);
	feed_op(line);
	snprintf(line, sizeof(line), "replay/free %d", PFN + 1);
	feed_op(line);
	ck_assert_uint_eq(frames[PFN].state, FRAME_FREE);
	ck_assert_uint_eq(frames[PFN + 1].state, FRAME_PCP);
	feed_end();
}
END_TEST

START_TEST(what_is_taken_while_the_list_is_in_use_goes_past_it)
{
	const struct frame *frames = feed_m->phys->frames;

	start("final");
	for (unsigned int i = 0; i < 3; i++)
		locked(PFN + i, 0, 0);
	/* Who refills it was preempted before the third. */
	feed_alloc(PFN + 2, 0);
	expect(FORESEEN_PCP, 1, 0);
	feed_free(PFN + 2, 0);
	/* From now on that is known; the free went past it as well. */
	feed_line(0, "mm_page_pcpu_drain: pfn=0 order=0 migratetype=0");
	ck_assert_uint_eq(frames[PFN + 2].state, FRAME_FREE);
	locked(PFN + 2, 0, 0);
	feed_alloc(PFN + 2, 0);
	expect(FORESEEN_PCP, 2, 1);
	/* It goes on: the list was not empty, but has what it had. */
	locked(PFN + 3, 0, 0);
	locked(PFN + 4, 0, 0);
	feed_alloc(PFN, 0);
	feed_alloc(PFN + 1, 0);
	expect(FORESEEN_PCP, 4, 3);
	ck_assert_uint_eq(feed_counts()->missing, 0);
	feed_free(PFN, 0);
	feed_alloc(PFN, 0);
	expect(FORESEEN_PCP, 5, 4);
	feed_end();
}
END_TEST

START_TEST(a_free_that_waits_is_done_when_another_cpu_has_its_page)
{
	start("final");
	feed_alloc(PFN, 0);
	feed_free(PFN, 0);
	feed_line(1, "mm_page_pcpu_drain: pfn=%#x order=0 migratetype=1", PFN);
	ck_assert_uint_eq(feed_m->phys->frames[PFN].state, FRAME_FREE);
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_NOT_FREE], 0);
	feed_end();
}
END_TEST

START_TEST(an_unpacked_initramfs_tells_that_numbers_are_final)
{
	const struct zone *zone = phys_zone_of(feed_m->phys, PFN);

	start("boot");
	ck_assert_uint_eq(zone->pcp[0].high, 0);
	feed_line(0, "kmalloc: call_site=unpack_to_rootfs+0x1/0x2 ptr=1 "
		     "bytes_req=32 bytes_alloc=32 gfp_flags=GFP_KERNEL "
		     "node=-1 accounted=false");
	ck_assert_uint_eq(zone->pcp[0].high, zone->pcp_high);
	feed_end();
}
END_TEST

START_TEST(a_vmalloc_areas_pages_leave_the_list_silently)
{
	start("final");
	for (unsigned int i = 0; i < 6; i++)
		locked(PFN + i, 0, 0);
	feed_line(0, "kmalloc: call_site=__vmalloc_node_range+0x1/0x2 ptr=1 "
		     "bytes_req=32 bytes_alloc=32 gfp_flags=GFP_KERNEL "
		     "node=-1 accounted=false");
	ck_assert_uint_eq(feed_counts()->silent, 4);
	feed_alloc(PFN + 4, 0);
	expect(FORESEEN_PCP, 1, 1);
	/* That one was not part of it after all. */
	feed_alloc(PFN + 2, 0);
	ck_assert_uint_eq(feed_counts()->silent, 2);
	feed_end();
}
END_TEST

START_TEST(memory_that_is_initialised_late_is_given_by_a_free)
{
	const struct zone *zone = phys_zone_of(feed_m->phys, PFN);

	feed_op("replay/start 0 0xffffffff absent");
	feed_op("replay/start 0x3000 0x3fff same type=0");
	feed_op("replay/start 0x3000 0x33ff late");
	feed_begin("mirror");
	feed_free(0x3000, 9);
	ck_assert_uint_eq(zone->managed_pages, 512);
	ck_assert_int_eq(pageblock_type(feed_m->phys, 0x3000), MIGRATE_MOVABLE);
	ck_assert_int_eq(pageblock_type(feed_m->phys, 0x3200),
			 MIGRATE_UNMOVABLE);
	ck_assert_uint_eq(feed_counts()->late, 512);
	feed_end();
}
END_TEST

START_TEST(a_fallback_is_foreseen)
{
	start("final");
	feed_line(0,
		  "mm_page_alloc_extfrag: pfn=%#x alloc_order=0 "
		  "fallback_order=10 pageblock_order=9 alloc_migratetype=2 "
		  "fallback_migratetype=1 fragmenting=0 change_ownership=1",
		  PFN);
	expect(FORESEEN_FALLBACK, 1, 1);
	feed_end();
}
END_TEST

START_TEST(counts_by_zone_and_order_add_up)
{
	uint64_t steps = 0, right = 0, s, r;

	start("final");
	locked(PFN, 4, 1);
	locked(PFN + 16, 5, 1);
	locked(PFN + 32, 5, 1);
	for (unsigned int zone = 0; zone < feed_m->phys->nr_zones; zone++)
		for (unsigned int order = 0; order < MAX_ORDER; order++) {
			replay_foreseen(feed_m->replay, zone, FORESEEN_BUDDY,
					order, &s, &r);
			steps += s;
			right += r;
		}
	expect(FORESEEN_BUDDY, steps, right);
	ck_assert_uint_ge(steps, 2);
	feed_end();
}
END_TEST

Suite *
suite_foresight(void)
{
	Suite *suite = suite_create("foresight");
	TCase *tc = tcase_create("foresight");

	tcase_add_checked_fixture(tc, feed_setup, feed_teardown);
	tcase_add_test(tc, a_start_state_replaces_the_lists);
	tcase_add_test(tc, a_start_state_of_many_pieces_is_sorted_and_joined);
	tcase_add_test(tc, a_start_state_takes_no_allocation_away);
	tcase_add_test(tc, the_block_taken_is_foreseen);
	tcase_add_test(tc, a_wrong_one_is_listed_with_what_was_expected);
	tcase_add_test(tc, what_was_passed_over_is_put_on_another_list);
	tcase_add_test(
		tc,
		what_lies_below_was_in_use_before_smaller_blocks_are_doubted);
	tcase_add_test(tc, one_block_is_smaller_rather_than_many_are_gone);
	tcase_add_test(
		tc, a_block_that_was_lost_and_is_taken_was_free_all_the_time);
	tcase_add_test(tc, the_head_of_a_per_cpu_list_is_foreseen);
	tcase_add_test(tc, a_drain_is_foreseen_with_its_page_and_its_end);
	tcase_add_test(tc, a_drain_that_does_not_come_is_wrong);
	tcase_add_test(tc, a_refill_tells_how_far_the_kernel_has_booted);
	tcase_add_test(tc, pages_of_a_list_are_put_away_when_their_turn_comes);
	tcase_add_test(tc,
		       a_free_that_interrupts_a_user_of_the_list_passes_it_by);
	tcase_add_test(tc, what_is_taken_while_the_list_is_in_use_goes_past_it);
	tcase_add_test(tc,
		       a_free_that_waits_is_done_when_another_cpu_has_its_page);
	tcase_add_test(tc, an_unpacked_initramfs_tells_that_numbers_are_final);
	tcase_add_test(tc, a_vmalloc_areas_pages_leave_the_list_silently);
	tcase_add_test(tc, memory_that_is_initialised_late_is_given_by_a_free);
	tcase_add_test(tc, a_fallback_is_foreseen);
	tcase_add_test(tc, counts_by_zone_and_order_add_up);
	suite_add_tcase(suite, tc);
	return suite;
}
