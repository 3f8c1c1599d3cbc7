// SPDX-License-Identifier: MIT
/* test_trace_files.c - the files of trace/ and replay/ on a machine in use */
#include "unit/view/views.h"

#include "kmemfs/machine/replay.h"
#include "kmemfs/view/trace_text.h"

Suite *suite_trace_files(void);

static struct machine *m;

static void
setup(void)
{
	m = views_boot(NUMA_MACHINE);
}

static void
teardown(void)
{
	machine_free(m);
}

static void
shows(show_fn show, uint64_t event, const char *want)
{
	char *text = views_text(m, show, 0, event);

	ck_assert_str_eq(text, want);
	g_free(text);
}

static unsigned int
records(void)
{
	char *text = views_text(m, show_trace_text, 0, 0);
	unsigned int nr = 0;

	for (char *at = text; (at = strstr(at, ": mm_page_")); at++)
		nr++;
	g_free(text);
	return nr;
}

/* --- trace/ ------------------------------------------------------------------
 */

START_TEST(all_events_are_off_at_first)
{
	shows(show_trace_enable_all, 0, "0\n");
	shows(show_trace_enable_system, 0, "0\n");
	for (unsigned int i = 0; i < NR_TRACE_EVENTS; i++)
		shows(show_trace_enable_event, i, "0\n");
	shows(show_trace_tracing_on, 0, "1\n");
	views_do(m, "page/alloc_pages");
	ck_assert_uint_eq(records(), 0);
}
END_TEST

START_TEST(a_switch_shows_one_some_or_all)
{
	ck_assert_int_eq(views_do(m, "trace/enable kmem:mm_page_free 1"), 0);
	shows(show_trace_enable_event, TRACE_MM_PAGE_FREE, "1\n");
	shows(show_trace_enable_event, TRACE_MM_PAGE_ALLOC, "0\n");
	shows(show_trace_enable_system, 0, "X\n");
	shows(show_trace_enable_all, 0, "X\n");
	ck_assert_int_eq(views_do(m, "trace/enable kmem 1"), 0);
	shows(show_trace_enable_system, 0, "1\n");
	ck_assert_int_eq(views_do(m, "trace/enable all 0"), 0);
	shows(show_trace_enable_all, 0, "0\n");
	ck_assert_int_eq(views_do(m, "trace/enable mm_page_alloc"), 0);
	shows(show_trace_enable_event, TRACE_MM_PAGE_ALLOC, "1\n");
}
END_TEST

static const char *const no_events[] = {
	"kmem:", "kmem:mm_page", "kme:mm_page_free", "mm_page_free:kmem",
	":",	 "ALL"};

START_TEST(what_is_no_event_is_refused)
{
	ck_assert_int_eq(views_do(m, "trace/enable %s 1", no_events[_i]),
			 -ENOENT);
	shows(show_trace_enable_all, 0, "0\n");
}
END_TEST

START_TEST(tracing_changes_neither_journal_nor_digest)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];
	uint64_t position = m->position;

	machine_digest(m, before);
	views_do(m, "trace/enable all 1");
	views_do(m, "trace/tracing_on 0");
	views_do(m, "trace/buffer_size_kb 64");
	views_do(m, "trace/clear");
	machine_digest(m, after);
	ck_assert_str_eq(before, after);
	ck_assert_uint_eq(m->position, position);
	ck_assert_uint_gt(m->generation, 0);
}
END_TEST

START_TEST(the_trace_file_shows_what_happened_until_it_is_cleared)
{
	char *text;

	views_do(m, "trace/enable kmem:mm_page_alloc 1");
	for (int i = 0; i < 3; i++)
		views_do(m, "page/alloc_pages GFP_KERNEL 1 cpu=2");
	ck_assert_uint_eq(records(), 3);
	text = views_text(m, show_trace_text, 0, 0);
	ck_assert_ptr_nonnull(strstr(
		text, "entries-in-buffer/entries-written: 3/3   #P:4\n"));
	ck_assert_ptr_nonnull(strstr(text, "[002]"));
	ck_assert_ptr_nonnull(
		strstr(text, " order=1 migratetype=0 gfp_flags=GFP_KERNEL\n"));
	g_free(text);
	views_do(m, "trace/tracing_on 0");
	views_do(m, "page/alloc_pages");
	ck_assert_uint_eq(records(), 3);
	views_do(m, "trace/clear");
	ck_assert_uint_eq(records(), 0);
}
END_TEST

START_TEST(a_small_buffer_keeps_the_newest_and_tells)
{
	char *text;

	views_do(m, "trace/enable kmem:mm_page_alloc 1");
	views_do(m, "trace/buffer_size_kb 1");
	for (int i = 0; i < 20; i++)
		views_do(m, "page/alloc_pages");
	ck_assert_uint_eq(records(), 16);
	text = views_text(m, show_trace_text, 0, 0);
	ck_assert_ptr_nonnull(strstr(text, "entries-written: 16/20 "));
	g_free(text);
}
END_TEST

START_TEST(reading_the_pipe_is_seen_in_the_trace_file)
{
	struct out out = OUT_INIT;
	uint64_t generation;

	views_do(m, "trace/enable kmem:mm_page_alloc 1");
	views_do(m, "page/alloc_pages");
	views_do(m, "page/alloc_pages");
	generation = m->generation;
	trace_pipe_take(m, &out, 1);
	ck_assert_uint_eq(records(), 1);
	ck_assert_uint_gt(m->generation, generation);
	out_fini(&out);
}
END_TEST

START_TEST(our_trace_can_be_replayed)
{
	char *text;

	views_do(m, "trace/enable all 1");
	views_do(m, "page/alloc_pages GFP_KERNEL 2 name=x");
	views_do(m, "page/alloc_pages GFP_HIGHUSER_MOVABLE|__GFP_ZERO");
	views_do(m, "page/__free_pages x");
	text = views_text(m, show_trace_text, 0, 0);
	replay_begin(m, NULL);
	for (char *at = text, *end; (end = strchr(at, '\n')); at = end + 1)
		replay_line(m, at, (size_t)(end - at), NULL);
	replay_end(m, NULL);
	g_free(text);
	ck_assert_uint_eq(m->replay->counts.unparsed, 0);
	ck_assert_uint_eq(m->replay->counts.unknown_gfp, 0);
	ck_assert_uint_eq(m->replay->counts.allocated, 2);
	ck_assert_uint_eq(m->replay->counts.freed, 1);
}
END_TEST

/* --- replay/ -----------------------------------------------------------------
 */

static void
line(const char *event)
{
	char text[256];
	int len =
		snprintf(text, sizeof(text),
			 "             cat-5       [001] ..... 1.5: %s", event);

	replay_line(m, text, (size_t)len, NULL);
}

START_TEST(progress_is_live_while_it_runs)
{
	char *text;

	replay_begin(m, NULL);
	line("mm_page_alloc: pfn=0x76 order=1 migratetype=0 "
	     "gfp_flags=GFP_KERNEL|__GFP_TELEPATHY");
	line("kfree: call_site=f ptr=0");
	text = views_text(m, show_replay_progress, 0, 0);
	ck_assert_ptr_nonnull(strstr(text, "policy model\nrunning yes\n"));
	ck_assert_uint_eq(views_number(text, "\nlines "), 2);
	ck_assert_uint_eq(views_number(text, "\nmm_page_alloc "), 1);
	ck_assert_uint_eq(views_number(text, "\nkfree "), 1);
	ck_assert_uint_eq(views_number(text, "\nunknown_gfp_words "), 1);
	ck_assert_uint_eq(views_number(text, "\nallocated "), 1);
	ck_assert_uint_eq(views_number(text, "\nlive_pages "), 2);
	g_free(text);
	replay_end(m, NULL);
	text = views_text(m, show_replay_progress, 0, 0);
	ck_assert_ptr_nonnull(strstr(text, "running no\n"));
	ck_assert_uint_eq(views_number(text, "\nlines "), 2);
	g_free(text);
}
END_TEST

START_TEST(a_line_without_an_op_is_a_change_too)
{
	uint64_t generation;

	replay_begin(m, NULL);
	generation = m->generation;
	line("kfree: call_site=f ptr=0");
	ck_assert_uint_gt(m->generation, generation);
	replay_end(m, NULL);
}
END_TEST

START_TEST(the_policy_file_shows_who_chooses)
{
	shows(show_replay_policy, 0, "model\n");
	views_do(m, "replay/policy mirror");
	shows(show_replay_policy, 0, "mirror\n");
}
END_TEST

START_TEST(mismatches_are_listed_oldest_first)
{
	char event[64];

	shows(show_replay_mismatches, 0,
	      "at_ns cpu event pfn order mismatch expected lists meaning\n");
	replay_begin(m, NULL);
	line("mm_page_free: pfn=119 order=3");
	line("mm_page_free: pfn=120 order=3");
	shows(show_replay_mismatches, 0,
	      "at_ns cpu event pfn order mismatch expected lists meaning\n"
	      "0 1 mm_page_free 119 3 impossible - - no such memory, or no "
	      "such "
	      "block; nothing done\n"
	      "0 1 mm_page_free 120 3 unknown_free - - nothing known to be "
	      "allocated there\n");
	for (int i = 0; i < REPLAY_NOTES - 1; i++) {
		snprintf(event, sizeof(event), "mm_page_free: pfn=%d order=0",
			 i);
		line(event);
	}
	replay_end(m, NULL);
	ck_assert_uint_eq(m->replay->nr_notes, REPLAY_NOTES + 1);
	{
		char *text = views_text(m, show_replay_mismatches, 0, 0);

		ck_assert_ptr_null(strstr(text, " 119 3 "));
		ck_assert_ptr_nonnull(strstr(text, "meaning\n0 1 mm_page_free "
						   "120 3 "));
		ck_assert_ptr_nonnull(strstr(text, "mm_page_free 998 0 "));
		g_free(text);
	}
}
END_TEST

Suite *
suite_trace_files(void)
{
	Suite *suite = suite_create("trace_files");
	TCase *trace = tcase_create("trace"), *replay = tcase_create("replay");

	tcase_add_checked_fixture(trace, setup, teardown);
	tcase_add_test(trace, all_events_are_off_at_first);
	tcase_add_test(trace, a_switch_shows_one_some_or_all);
	tcase_add_loop_test(trace, what_is_no_event_is_refused, 0,
			    ARRAY_SIZE(no_events));
	tcase_add_test(trace, tracing_changes_neither_journal_nor_digest);
	tcase_add_test(trace,
		       the_trace_file_shows_what_happened_until_it_is_cleared);
	tcase_add_test(trace, a_small_buffer_keeps_the_newest_and_tells);
	tcase_add_test(trace, reading_the_pipe_is_seen_in_the_trace_file);
	tcase_add_test(trace, our_trace_can_be_replayed);
	suite_add_tcase(suite, trace);
	tcase_add_checked_fixture(replay, setup, teardown);
	tcase_add_test(replay, progress_is_live_while_it_runs);
	tcase_add_test(replay, a_line_without_an_op_is_a_change_too);
	tcase_add_test(replay, the_policy_file_shows_who_chooses);
	tcase_add_test(replay, mismatches_are_listed_oldest_first);
	suite_add_tcase(suite, replay);
	return suite;
}
