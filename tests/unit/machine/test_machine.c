// SPDX-License-Identifier: MIT
/* test_machine.c - boot, the log, rings, and a state directory come back to */
#include "kmemfs/machine/journal.h"
#include "kmemfs/machine/op.h"
#include "kmemfs/phys/sysctl.h"

#include "common.h"

#include <check.h>
#include <errno.h>
#include <string.h>

Suite *suite_machine(void);

#define SMALL "[machine]\narch = x86-64\ncpus = 1\nmemory = 64M\n"

static struct machine_config *
config_of(const char *text)
{
	char *error = NULL;
	struct machine_config *config = config_read(text, "test.ini", &error);

	ck_assert_msg(config != NULL, "%s", error);
	return config;
}

static struct machine *
boot(const char *text, const char *dir)
{
	char *error = NULL;
	struct machine *m = machine_boot(config_of(text), dir, &error);

	ck_assert_msg(m != NULL, "%s", error);
	return m;
}

static void
run(struct machine *m, const char *line)
{
	struct refusal r;

	ck_assert_msg(machine_do(m, line, NULL, &r) == 0, "%s: %s", line,
		      r.sentence);
}

START_TEST(the_log_tells_of_the_firmware_map_and_the_zones)
{
	static const char *const lines[] = {
		"\n[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x00000000"
		"03fdffff] usable\n",
		"\n[    0.000000]   DMA      [mem 0x0000000000001000-0x00000000"
		"00ffffff]\n",
		"\n[    0.000000]   node   0: [mem 0x0000000000001000-0x0000000"
		"00009efff]\n",
		"] Built 1 zonelists, mobility grouping on.  Total pages: ",
		"] Memory: ",
	};
	struct machine *m = boot(SMALL, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		ck_assert_msg(strstr(out_text(&m->dmesg), lines[i]) != NULL,
			      "%s", lines[i]);
	machine_free(m);
}
END_TEST

START_TEST(events_named_at_boot_are_recorded_from_the_start)
{
	struct machine *m =
		boot(SMALL "cmdline = trace_event=kmem:*,tlb,page_fault_user,"
			   "none,,mmap:none\n",
		     NULL);

	ck_assert_uint_eq(m->trace.enabled,
			  trace_events("kmem") | trace_events("tlb") |
				  1U << TRACE_PAGE_FAULT_USER);
	ck_assert_uint_gt(m->trace.written, 0);
	ck_assert_ptr_nonnull(strstr(out_text(&m->dmesg),
				     "Failed to enable trace event: none\n"));
	ck_assert_ptr_nonnull(
		strstr(out_text(&m->dmesg),
		       "Failed to enable trace event: mmap:none\n"));
	machine_free(m);
}
END_TEST

static const struct {
	const char *cmdline, *events; /* NULL: none */
} traced[] = {
	{"trace_event=\"tlb\"",		"tlb"},
	{"\"trace_event=tlb\"",		"tlb"},
	{"trace-event=tlb",		    "tlb"},
	{"init=\"/sh trace_event=tlb\"",	 NULL },
	{"quiet -- trace_event=tlb",	     NULL },
	{"trace_event=kmem trace_event=tlb", "tlb"},
	{"quiet\ttrace_event=tlb",	   "tlb"},
};

START_TEST(events_are_asked_for_as_any_argument_of_the_kernel)
{
	char *text =
		g_strdup_printf(SMALL "cmdline = %s\n", traced[_i].cmdline);
	struct machine *m = boot(text, NULL);

	ck_assert_msg(m->trace.enabled ==
			      (traced[_i].events
				       ? trace_events(traced[_i].events)
				       : 0),
		      "%s: 0x%x", traced[_i].cmdline, m->trace.enabled);
	machine_free(m);
	g_free(text);
}
END_TEST

START_TEST(the_log_has_the_firmware_map_as_given_and_as_arguments_make_it)
{
	struct machine *m = boot(SMALL "cmdline = mem=48M\n", NULL);
	const char *log = out_text(&m->dmesg);

	ck_assert_ptr_nonnull(strstr(log,
				     "] BIOS-e820: [mem 0x0000000000000000-"
				     "0x000000000009fbff] usable\n"));
	ck_assert_ptr_nonnull(strstr(log,
				     "] BIOS-e820: [mem 0x0000000000100000-"
				     "0x0000000003fdffff] usable\n"));
	ck_assert_ptr_nonnull(
		strstr(log, "] user-defined physical RAM map:\n"));
	ck_assert_ptr_nonnull(strstr(log, "] user: [mem 0x0000000000100000-"
					  "0x0000000002ffffff] usable\n"));
	machine_free(m);
}
END_TEST

START_TEST(the_log_names_no_zone_that_the_kernel_was_built_without)
{
	struct machine *m = boot(SMALL, NULL);

	ck_assert_ptr_nonnull(
		strstr(out_text(&m->dmesg), "]   Device   empty\n"));
	machine_free(m);
	m = boot(SMALL "cma = yes\n", NULL);
	ck_assert_ptr_null(strstr(out_text(&m->dmesg), "Device"));
	machine_free(m);
}
END_TEST

START_TEST(log_lines_have_the_kernels_time_stamp)
{
	struct machine *m = boot(SMALL, NULL);

	run(m, "clock/advance 1234567890us");
	out_reset(&m->dmesg);
	machine_printk(m, "%s %d", "line", 1);
	ck_assert_str_eq(out_text(&m->dmesg), "[ 1234.567890] line 1\n");
	machine_free(m);
}
END_TEST

START_TEST(a_long_log_forgets_its_oldest_lines_whole)
{
	struct machine *m = boot(SMALL, NULL);

	for (int i = 0; i < 100000; i++)
		machine_printk(m, "number %d", i);
	ck_assert_uint_le(m->dmesg.len, MACHINE_LOG_MAX + 100);
	ck_assert_uint_ge(m->dmesg.len, MACHINE_LOG_MAX / 3);
	ck_assert(g_str_has_prefix(out_text(&m->dmesg), "[    0.000000] num"));
	ck_assert(g_str_has_suffix(out_text(&m->dmesg), "number 99999\n"));
	machine_free(m);
}
END_TEST

START_TEST(a_ring_drops_its_oldest)
{
	struct line_ring ring = {.lines = G_QUEUE_INIT, .most = 2};

	line_ring_add(&ring, "one");
	line_ring_add(&ring, "two");
	line_ring_add(&ring, "three");
	ck_assert_str_eq(g_queue_peek_head(&ring.lines), "two");
	ck_assert_str_eq(g_queue_peek_tail(&ring.lines), "three");
	ck_assert_uint_eq(ring.dropped, 1);
	g_queue_clear_full(&ring.lines, g_free);
}
END_TEST

START_TEST(random_numbers_follow_from_the_seed)
{
	/* splitmix64 of seed 0, as published with the algorithm. */
	struct machine m = {.random = 0};

	ck_assert_uint_eq(machine_random(&m), 0xe220a8397b1dcdaf);
	ck_assert_uint_eq(machine_random(&m), 0x6e789e6aa1b965f4);
	ck_assert_uint_eq(machine_random(&m), 0x06c45d188009454f);
}
END_TEST

START_TEST(settings_of_the_machine_file_are_made_at_boot)
{
	struct machine *m =
		boot(SMALL "\n[vm]\nwatermark_scale_factor = 200\n", NULL);
	struct out value = OUT_INIT;

	ck_assert(sysctl_show(m->phys, "watermark_scale_factor", &value));
	ck_assert_str_eq(out_text(&value), "200\n");
	out_fini(&value);
	machine_free(m);
}
END_TEST

START_TEST(ram_is_where_memory_is_and_nowhere_else)
{
	struct machine *m = boot(SMALL, NULL);

	ck_assert(machine_is_ram(m, 0x100000, MIB(63) - 0x20000));
	ck_assert(!machine_is_ram(m, 0xa0000, 1));
	ck_assert(!machine_is_ram(m, 0x9e000, 0x2000));
	ck_assert(!machine_is_ram(m, UINT64_MAX - 1, 2));
	ck_assert(!machine_is_ram(m, MIB(64) - 0x20000 - 1, 2));
	machine_free(m);
}
END_TEST

START_TEST(a_state_directory_brings_everything_back)
{
	char *dir = g_dir_make_tmp("kmemfs-test-XXXXXX", NULL);
	char left[DIGEST_TEXT], found[DIGEST_TEXT];
	struct machine *m = boot(SMALL, dir);
	const struct allocation *a;
	uint64_t position;
	char byte;
	int err;

	run(m, "page/alloc_pages GFP_KERNEL 3 name=buf");
	run(m, "page/alloc_page GFP_ATOMIC");
	run(m, "bytes/write allocations/buf 5 hex:41");
	run(m, "clock/advance 3ms");
	/* One that ran and failed is in it, too. */
	while (!(
		err = machine_do(m, "page/alloc_pages GFP_DMA 10", NULL, NULL)))
		;
	ck_assert_int_eq(err, -ENOMEM);
	run(m, "vm/sysctl watermark_scale_factor 50");
	machine_digest(m, left);
	position = m->position;
	machine_free(m);

	m = boot(SMALL, dir);
	machine_digest(m, found);
	ck_assert_str_eq(left, found);
	ck_assert_uint_eq(m->position, position);
	a = allocation_find(m, "buf");
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(a->why);
	ram_read(m->ram, (a->pfn << 12) + 5, &byte, 1);
	ck_assert_int_eq(byte, 'A');
	run(m, "page/__free_pages buf");
	machine_free(m);

	m = boot(SMALL, dir);
	ck_assert_ptr_null(allocation_find(m, "buf"));
	ck_assert_uint_eq(m->position, position + 1);
	machine_free(m);
	ck_assert_int_eq(remove_state(dir), 3);
}
END_TEST

START_TEST(the_state_keeps_the_machine_file)
{
	char *dir = g_dir_make_tmp("kmemfs-test-XXXXXX", NULL);
	char *path = g_build_filename(dir, "machine.ini", NULL), *kept;
	char *error = NULL;
	struct machine *m = boot(SMALL, dir);
	struct out config = OUT_INIT;

	config_print(m->config, &config);
	ck_assert(g_file_get_contents(path, &kept, NULL, NULL));
	ck_assert_str_eq(kept, out_text(&config));
	machine_free(m);
	/* It boots the same machine; another file is refused. */
	machine_free(boot(kept, dir));
	ck_assert_ptr_null(machine_boot(
		config_of("[machine]\narch = x86-64\nmemory = 128M\n"), dir,
		&error));
	ck_assert_ptr_nonnull(strstr(error, "another machine"));
	g_free(error);
	g_free(kept);
	g_free(path);
	out_fini(&config);
	ck_assert_int_eq(remove_state(dir), 3);
}
END_TEST

START_TEST(a_damaged_state_is_refused_or_boots_but_ends_nothing)
{
	char *dir = g_dir_make_tmp("kmemfs-test-XXXXXX", NULL), *bytes;
	char *path = g_build_filename(dir, "journal", NULL);
	struct machine *m = boot(SMALL, dir);
	unsigned int refused = 0, booted = 0;
	uint64_t seed = 1;
	size_t head;
	gsize len;

	for (int i = 0; i < 10; i++) {
		run(m, "page/alloc_pages GFP_KERNEL 2 cpu=0 node=0 name=buf");
		run(m, "bytes/write allocations/buf 5 hex:41424344");
		run(m, "vm/sysctl watermark_scale_factor 50");
		run(m, "page/__free_pages buf order=2");
		run(m, "clock/advance 1s");
	}
	machine_free(m);
	ck_assert(g_file_get_contents(path, &bytes, &len, NULL));
	head = (size_t)(strchr(bytes, '\n') - bytes) + 1;
	for (int i = 0; i < 400; i++) {
		char *copy = g_memdup2(bytes, len), *error = NULL;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		copy[head + (seed >> 33) % (len - head)] ^=
			(char)(1 << (seed >> 30) % 8);
		ck_assert(g_file_set_contents(path, copy, (gssize)len, NULL));
		m = machine_boot(config_of(SMALL), dir, &error);
		ck_assert(m || strlen(error) > 5);
		refused += !m;
		booted += m != NULL;
		machine_free(m);
		g_free(error);
		g_free(copy);
	}
	ck_assert_uint_gt(refused, 100);
	ck_assert_uint_gt(booted, 10);
	g_free(bytes);
	g_free(path);
	ck_assert_int_eq(remove_state(dir), 3);
}
END_TEST

/* Text of the journal of @m. */
static void
journal_of(struct machine *m, struct out *text)
{
	uint64_t cursor = 0;

	while (journal_text(m->journal, &cursor, 1 << 16, text))
		;
}

START_TEST(a_journal_replays_on_a_fresh_machine)
{
	struct machine *m = boot(SMALL, NULL), *again = boot(SMALL, NULL);
	char left[DIGEST_TEXT], found[DIGEST_TEXT], *error = NULL;
	struct out text = OUT_INIT;

	run(m, "page/alloc_pages GFP_KERNEL 3");
	run(m, "bytes/write ram 0x1000000 hex:00ff00");
	run(m, "page/__free_pages a1");
	journal_of(m, &text);
	ck_assert_int_eq(
		journal_replay(again, out_text(&text), text.len, &error), 0);
	machine_digest(m, left);
	machine_digest(again, found);
	ck_assert_str_eq(left, found);
	out_fini(&text);
	machine_free(m);
	machine_free(again);
}
END_TEST

/* Journals that must not replay, after the right first line. */
static const struct {
	const char *why, *text, *says;
} wrong[] = {
	{"an unknown op",		  "no/such 1\n",				 "line 2"},
	{"a success that was a failure",
	 "page/alloc_page gfp=GFP_KERNEL -> ENOMEM\n",			       "ENOMEM"},
	{"a failure that was a success", "page/__free_pages nosuch\n",
	 "line 2"									    },
	{"a fault in the second op",     "clock/advance 5ns\nclock/advance soon\n",
	 "line 3"									    },
	{"a NUL in a line",		    "clock/advance 5ns\0\nclock/advance 5ns\n", "NUL"   },
};

START_TEST(a_journal_that_differs_stops_and_says_where)
{
	struct machine *m = boot(SMALL, NULL);
	struct out text = OUT_INIT;
	char *error = NULL;

	journal_of(m, &text);
	out_mem(&text, wrong[_i].text,
		_i == ARRAY_SIZE(wrong) - 1 ? 37 : strlen(wrong[_i].text));
	ck_assert_int_ne(journal_replay(m, out_text(&text), text.len, &error),
			 0);
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, wrong[_i].says) != NULL, "%s: %s",
		      wrong[_i].why, error);
	g_free(error);
	out_fini(&text);
	machine_free(m);
}
END_TEST

START_TEST(text_that_is_no_journal_of_this_machine_is_refused)
{
	static const char *const texts[] = {
		"", "clock/advance 1s\n",
		"kmemfs-journal 1 machine=0123\nclock/advance 1s\n",
		"kmemfs-journal 2 machine=\n"};
	struct machine *m = boot(SMALL, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *error = NULL;

		ck_assert_int_eq(
			journal_replay(m, texts[i], strlen(texts[i]), &error),
			-EINVAL);
		ck_assert_ptr_nonnull(error);
		g_free(error);
	}
	ck_assert_uint_eq(m->position, 0);
	machine_free(m);
}
END_TEST

Suite *
suite_machine(void)
{
	Suite *suite = suite_create("machine");
	TCase *tc = tcase_create("machine");

	tcase_add_test(tc, the_log_tells_of_the_firmware_map_and_the_zones);
	tcase_add_loop_test(tc,
			    events_are_asked_for_as_any_argument_of_the_kernel,
			    0, ARRAY_SIZE(traced));
	tcase_add_test(tc, events_named_at_boot_are_recorded_from_the_start);
	tcase_add_test(
		tc,
		the_log_has_the_firmware_map_as_given_and_as_arguments_make_it);
	tcase_add_test(tc,
		       the_log_names_no_zone_that_the_kernel_was_built_without);
	tcase_add_test(tc, log_lines_have_the_kernels_time_stamp);
	tcase_add_test(tc, a_long_log_forgets_its_oldest_lines_whole);
	tcase_add_test(tc, a_ring_drops_its_oldest);
	tcase_add_test(tc, random_numbers_follow_from_the_seed);
	tcase_add_test(tc, settings_of_the_machine_file_are_made_at_boot);
	tcase_add_test(tc, ram_is_where_memory_is_and_nowhere_else);
	tcase_add_test(tc, a_state_directory_brings_everything_back);
	tcase_add_test(tc, the_state_keeps_the_machine_file);
	tcase_add_test(tc,
		       a_damaged_state_is_refused_or_boots_but_ends_nothing);
	tcase_add_test(tc, a_journal_replays_on_a_fresh_machine);
	tcase_add_loop_test(tc, a_journal_that_differs_stops_and_says_where, 0,
			    ARRAY_SIZE(wrong));
	tcase_add_test(tc, text_that_is_no_journal_of_this_machine_is_refused);
	suite_add_tcase(suite, tc);
	return suite;
}
