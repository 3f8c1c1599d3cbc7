// SPDX-License-Identifier: MIT
/* test_replay.c - recordings done again, time, runs, what never fits */
#include "kmemfs/machine/op.h"
#include "kmemfs/machine/replay.h"

#include "unit/machine/replay_feed.h"

#include <check.h>
#include <errno.h>
#include <string.h>

Suite *suite_replay(void);

/* --- model -------------------------------------------------------------------
 */

START_TEST(what_is_allocated_and_freed_leaves_nothing)
{
	uint64_t before = feed_unused_pages();

	feed_begin("model");
	for (unsigned int order = 0; order < MAX_ORDER; order++)
		feed_alloc(PFN + (1 << order), order);
	ck_assert_uint_eq(replay_live_blocks(feed_m->replay), MAX_ORDER);
	ck_assert_uint_eq(replay_live_pages(feed_m->replay), 2047);
	ck_assert_uint_eq(before - feed_unused_pages(), 2047);
	for (unsigned int order = 0; order < MAX_ORDER; order++)
		feed_free(PFN + (1 << order), order);
	feed_end();
	ck_assert_uint_eq(replay_live_blocks(feed_m->replay), 0);
	ck_assert_uint_eq(feed_unused_pages(), before);
	ck_assert_uint_eq(feed_counts()->allocated, MAX_ORDER);
	ck_assert_uint_eq(feed_counts()->freed, MAX_ORDER);
	for (unsigned int i = 0; i < NR_MISMATCHES; i++)
		ck_assert_uint_eq(feed_counts()->mismatch[i], 0);
}
END_TEST

START_TEST(a_recorded_frame_need_not_exist_here)
{
	feed_begin("model");
	feed_alloc(1ULL << 40, 3);
	ck_assert_uint_eq(feed_counts()->allocated, 1);
	feed_free(1ULL << 40, 3);
	ck_assert_uint_eq(feed_counts()->freed, 1);
	feed_end();
}
END_TEST

START_TEST(an_unknown_free_is_counted_and_passed)
{
	uint64_t before = feed_unused_pages();

	feed_begin("model");
	feed_free(PFN, 0);
	feed_free(PFN, 10);
	feed_end();
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_UNKNOWN], 2);
	ck_assert_uint_eq(feed_counts()->freed, 0);
	ck_assert_uint_eq(feed_unused_pages(), before);
}
END_TEST

START_TEST(an_allocation_that_failed_in_the_recording_is_not_made)
{
	feed_begin("model");
	feed_alloc(0, 3);
	feed_end();
	ck_assert_uint_eq(feed_counts()->had_failed, 1);
	ck_assert_uint_eq(feed_counts()->allocated, 0);
}
END_TEST

START_TEST(what_does_not_fit_fails_and_the_replay_goes_on)
{
	feed_begin("model");
	for (pfn_t pfn = 0; pfn < 100; pfn++)
		feed_alloc((pfn + 1) << 10, 10);
	ck_assert_uint_gt(feed_counts()->mismatch[MISMATCH_FAILED], 80);
	ck_assert_uint_eq(feed_counts()->allocated +
				  feed_counts()->mismatch[MISMATCH_FAILED],
			  100);
	ck_assert_uint_eq(replay_live_blocks(feed_m->replay),
			  feed_counts()->allocated);
	feed_end();
}
END_TEST

START_TEST(a_block_whose_free_was_lost_is_freed_when_it_comes_again)
{
	uint64_t before = feed_unused_pages();

	feed_begin("model");
	feed_alloc(PFN, 3);
	feed_alloc(PFN + 2, 1);
	feed_end();
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_REALLOCATED], 1);
	ck_assert_uint_eq(before - feed_unused_pages(), 2);
}
END_TEST

START_TEST(a_large_block_takes_the_place_of_small_ones)
{
	feed_begin("model");
	for (pfn_t pfn = PFN; pfn < PFN + 8; pfn++)
		feed_alloc(pfn, 0);
	feed_alloc(PFN, 3);
	feed_end();
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_REALLOCATED], 8);
	ck_assert_uint_eq(replay_live_blocks(feed_m->replay), 1);
	ck_assert_uint_eq(replay_live_pages(feed_m->replay), 8);
}
END_TEST

static const struct {
	const char *why;
	const char *policy;
	const char *gfp;
} cuts[] = {
	{"split_page, model",	      "model",  "GFP_KERNEL"	   },
	{"a huge page is split, model",	"model",	 "GFP_KERNEL|__GFP_COMP"},
	{"split_page, mirror",	       "mirror", "GFP_KERNEL"	     },
	{"a huge page is split, mirror", "mirror", "GFP_KERNEL|__GFP_COMP"},
};

START_TEST(a_block_can_be_freed_page_by_page)
{
	uint64_t before = feed_unused_pages();

	feed_begin(cuts[_i].policy);
	feed_line(0,
		  "mm_page_alloc: pfn=%#x order=4 migratetype=0 gfp_flags=%s",
		  PFN, cuts[_i].gfp);
	for (pfn_t pfn = PFN; pfn < PFN + 16; pfn++) {
		feed_free(pfn, 0);
		ck_assert_msg(feed_unused_pages() == before - 15 + (pfn - PFN),
			      "%s, page %d", cuts[_i].why, (int)(pfn - PFN));
	}
	feed_end();
	ck_assert_uint_eq(feed_counts()->freed, 16);
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_PARTIAL], 1);
	ck_assert_uint_eq(replay_live_blocks(feed_m->replay), 0);
}
END_TEST

START_TEST(single_pages_can_be_freed_as_one_block)
{
	feed_begin("model");
	for (pfn_t pfn = PFN; pfn < PFN + 3; pfn++)
		feed_alloc(pfn, 0);
	feed_free(PFN, 2);
	feed_end();
	ck_assert_uint_eq(feed_counts()->freed, 3);
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_PARTIAL], 1);
}
END_TEST

START_TEST(other_events_are_only_counted)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];

	feed_begin("model");
	machine_digest(feed_m, before);
	feed_line(0,
		  "mm_page_alloc_zone_locked: pfn=0x3000 order=0 migratetype=1 "
		  "percpu_refill=1");
	feed_line(0, "mm_page_pcpu_drain: pfn=0x3000 order=0 migratetype=1");
	feed_line(0, "mm_page_alloc_extfrag: pfn=0x3000 alloc_order=0 "
		     "fallback_order=9 pageblock_order=9 alloc_migratetype=0 "
		     "fallback_migratetype=1 fragmenting=0 change_ownership=1");
	feed_line(0, "mm_page_free_batched: page=0 pfn=0x3000 order=0");
	feed_line(0, "kmalloc: call_site=f ptr=0 bytes_req=1 bytes_alloc=8 "
		     "gfp_flags=GFP_KERNEL");
	feed_line(0, "kfree: call_site=f ptr=0");
	feed_line(0, "rss_stat: mm_id=1 curr=1 type=MM_FILEPAGES size=0B");
	machine_digest(feed_m, after);
	ck_assert_str_eq(before, after);
	ck_assert_uint_eq(feed_counts()->event[FTRACE_ZONE_LOCKED], 1);
	ck_assert_uint_eq(feed_counts()->event[FTRACE_DRAIN], 1);
	ck_assert_uint_eq(feed_counts()->event[FTRACE_EXTFRAG], 1);
	ck_assert_uint_eq(feed_counts()->event[FTRACE_FREE_BATCHED], 1);
	ck_assert_uint_eq(feed_counts()->event[FTRACE_KMALLOC], 1);
	ck_assert_uint_eq(feed_counts()->event[FTRACE_KFREE], 1);
	ck_assert_uint_eq(feed_counts()->event[FTRACE_OTHER], 1);
	ck_assert_uint_eq(feed_counts()->lines, 7);
	feed_end();
}
END_TEST

START_TEST(lines_that_are_no_events_are_counted_by_kind)
{
	static const char *const lines[] = {"# tracer: nop", "",
					    "CPU:1 [LOST 12 EVENTS]",
					    "no such line", "\xff\xfe"};

	feed_begin("model");
	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++)
		replay_line(feed_m, lines[i], strlen(lines[i]), NULL);
	feed_end();
	ck_assert_uint_eq(feed_counts()->lines, 5);
	ck_assert_uint_eq(feed_counts()->headers, 2);
	ck_assert_uint_eq(feed_counts()->lost, 12);
	ck_assert_uint_eq(feed_counts()->unparsed, 2);
}
END_TEST

/* --- time, CPUs, tasks --------------------------------------------------- */

START_TEST(the_first_stamp_is_now_and_later_ones_move_time)
{
	uint64_t now;

	feed_op("clock/advance 5s");
	feed_begin("model");
	now = feed_m->now_ns;
	feed_stamp = 1000.5;
	feed_alloc(PFN, 0);
	ck_assert_uint_lt(feed_m->now_ns - now, 1000);
	feed_stamp = 1002.5;
	feed_alloc(PFN + 1, 0);
	ck_assert_uint_ge(feed_m->now_ns - now, 2000000000);
	ck_assert_uint_lt(feed_m->now_ns - now, 2000001000);
	/* Stamps of several CPUs may go back; time does not. */
	feed_stamp = 1001.5;
	now = feed_m->now_ns;
	feed_alloc(PFN + 2, 0);
	ck_assert_uint_eq(feed_m->now_ns, now + 1);
	/* The last line may be one that makes no op. */
	feed_stamp = 1010.5;
	feed_line(0, "kfree: call_site=f ptr=0");
	feed_end();
	ck_assert_uint_ge(feed_m->now_ns - now, 7999000000);
	ck_assert_uint_lt(feed_m->now_ns - now, 8001000000);
}
END_TEST

START_TEST(cpus_that_are_not_here_are_folded)
{
	feed_begin("mirror");
	feed_line(7,
		  "mm_page_alloc_zone_locked: pfn=%#x order=0 migratetype=1 "
		  "percpu_refill=1",
		  PFN);
	feed_line(1,
		  "mm_page_alloc_zone_locked: pfn=%#x order=0 migratetype=1 "
		  "percpu_refill=1",
		  PFN + 1);
	feed_end();
	ck_assert_uint_eq(feed_counts()->folded_cpus, 1);
	ck_assert_uint_eq(phys_zone_of(feed_m->phys, PFN)->pcp[1].count, 2);
}
END_TEST

START_TEST(what_is_traced_tells_the_recorded_task)
{
	const struct trace_record *record;

	feed_op("trace/enable kmem:mm_page_alloc 1");
	feed_begin("model");
	feed_alloc(PFN, 0);
	feed_end();
	ck_assert_uint_eq(feed_m->trace.written, 1);
	record = trace_get(&feed_m->trace, 0);
	ck_assert_str_eq(record->now.comm, "cat");
	ck_assert_int_eq(record->now.pid, 5);
}
END_TEST

START_TEST(what_the_model_did_by_itself_is_counted_for_comparison)
{
	feed_begin("model");
	for (pfn_t pfn = PFN; pfn < PFN + 512; pfn++)
		feed_alloc(pfn, 0);
	feed_end();
	ck_assert_uint_ge(feed_m->trace.count[TRACE_MM_PAGE_ALLOC_ZONE_LOCKED],
			  500);
	/* Nothing was recorded in the ring for that. */
	ck_assert_uint_eq(feed_m->trace.written, 0);
}
END_TEST

/* --- runs ---------------------------------------------------------------- */

START_TEST(a_line_without_a_beginning_is_refused)
{
	struct refusal r;

	ck_assert_int_eq(replay_line(feed_m, "# x", 3, &r), -EINVAL);
	feed_begin("model");
	feed_end();
	ck_assert_int_eq(replay_line(feed_m, "# x", 3, &r), -EINVAL);
}
END_TEST

START_TEST(counts_begin_at_zero_and_blocks_stay_known)
{
	feed_begin("model");
	feed_alloc(PFN, 0);
	feed_end();
	feed_begin("model");
	ck_assert_uint_eq(feed_counts()->allocated, 0);
	ck_assert_uint_eq(feed_counts()->lines, 0);
	feed_free(PFN, 0);
	feed_end();
	ck_assert_uint_eq(feed_counts()->freed, 1);
	ck_assert_uint_eq(feed_counts()->mismatch[MISMATCH_UNKNOWN], 0);
}
END_TEST

START_TEST(the_policy_stays_while_something_depends_on_it)
{
	struct refusal r;

	feed_begin("model");
	ck_assert_int_eq(machine_do(feed_m, "replay/policy mirror", NULL, &r),
			 -EBUSY);
	feed_alloc(PFN, 0);
	feed_end();
	ck_assert_int_eq(machine_do(feed_m, "replay/policy mirror", NULL, &r),
			 -EBUSY);
	feed_op("replay/policy model");
	feed_op("replay/release");
	feed_op("replay/policy mirror");
	ck_assert_int_eq(feed_m->replay->policy, REPLAY_MIRROR);
}
END_TEST

START_TEST(release_frees_all_that_is_left)
{
	uint64_t before = feed_unused_pages();
	struct out answer = OUT_INIT;

	feed_begin("model");
	for (pfn_t pfn = PFN; pfn < PFN + 100; pfn += 2)
		feed_alloc(pfn, 1);
	feed_end();
	ck_assert_uint_eq(before - feed_unused_pages(), 100);
	ck_assert_int_eq(
		machine_do(feed_m, "replay/release cpu=1", &answer, NULL), 0);
	ck_assert_str_eq(out_text(&answer), "blocks=50 pages=100 objects=0");
	out_fini(&answer);
	ck_assert_uint_eq(feed_unused_pages(), before);
	ck_assert_uint_eq(replay_live_pages(feed_m->replay), 0);
}
END_TEST

START_TEST(a_panicked_machine_replays_nothing)
{
	struct refusal r;
	const char *line = "             cat-5       [000] ..... 1.5: "
			   "mm_page_free: pfn=0x1 order=0";

	feed_begin("model");
	feed_m->state = MACHINE_PANIC;
	ck_assert_int_eq(replay_line(feed_m, line, strlen(line), &r), -EIO);
	feed_m->state = MACHINE_RUNNING;
	feed_end();
}
END_TEST

START_TEST(the_last_thousand_mismatches_are_kept)
{
	feed_begin("model");
	for (pfn_t pfn = 1; pfn <= REPLAY_NOTES + 5; pfn++)
		feed_free(pfn, 0);
	feed_end();
	ck_assert_uint_eq(feed_m->replay->nr_notes, REPLAY_NOTES + 5);
	ck_assert_uint_eq(feed_m->replay->notes[5].pfn, 6);
	ck_assert_uint_eq(feed_m->replay->notes[4].pfn, REPLAY_NOTES + 5);
	ck_assert_int_eq(feed_m->replay->notes[4].mismatch, MISMATCH_UNKNOWN);
}
END_TEST

START_TEST(asking_for_the_replay_changes_nothing)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];

	machine_digest(feed_m, before);
	replay_of(feed_m);
	machine_digest(feed_m, after);
	ck_assert_str_eq(before, after);
}
END_TEST

Suite *
suite_replay(void)
{
	Suite *suite = suite_create("replay");
	TCase *tc = tcase_create("replay");

	tcase_add_checked_fixture(tc, feed_setup, feed_teardown);
	tcase_add_test(tc, what_is_allocated_and_freed_leaves_nothing);
	tcase_add_test(tc, a_recorded_frame_need_not_exist_here);
	tcase_add_test(tc, an_unknown_free_is_counted_and_passed);
	tcase_add_test(tc,
		       an_allocation_that_failed_in_the_recording_is_not_made);
	tcase_add_test(tc, what_does_not_fit_fails_and_the_replay_goes_on);
	tcase_add_test(
		tc, a_block_whose_free_was_lost_is_freed_when_it_comes_again);
	tcase_add_test(tc, a_large_block_takes_the_place_of_small_ones);
	tcase_add_loop_test(tc, a_block_can_be_freed_page_by_page, 0,
			    ARRAY_SIZE(cuts));
	tcase_add_test(tc, single_pages_can_be_freed_as_one_block);
	tcase_add_test(tc, other_events_are_only_counted);
	tcase_add_test(tc, lines_that_are_no_events_are_counted_by_kind);
	tcase_add_test(tc, the_first_stamp_is_now_and_later_ones_move_time);
	tcase_add_test(tc, cpus_that_are_not_here_are_folded);
	tcase_add_test(tc, what_is_traced_tells_the_recorded_task);
	tcase_add_test(tc,
		       what_the_model_did_by_itself_is_counted_for_comparison);
	tcase_add_test(tc, a_line_without_a_beginning_is_refused);
	tcase_add_test(tc, counts_begin_at_zero_and_blocks_stay_known);
	tcase_add_test(tc, the_policy_stays_while_something_depends_on_it);
	tcase_add_test(tc, release_frees_all_that_is_left);
	tcase_add_test(tc, a_panicked_machine_replays_nothing);
	tcase_add_test(tc, the_last_thousand_mismatches_are_kept);
	tcase_add_test(tc, asking_for_the_replay_changes_nothing);
	suite_add_tcase(suite, tc);
	return suite;
}
