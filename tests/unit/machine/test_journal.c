// SPDX-License-Identifier: MIT
/* test_journal.c - records, text, state directories, and what a kill leaves */
#include "kmemfs/machine/journal.h"

#include "kmemfs/ops.h"

#include "common.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *suite_journal(void);

#define HASH "0123456789abcdef"

static struct machine machine; /* a journal needs its position only */

static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	return z ^ z >> 29;
}

static struct journal *
open_or_fail(const char *dir)
{
	char *error = NULL;
	struct journal *j = journal_open(dir, HASH, &error);

	ck_assert_msg(j != NULL, "%s", error);
	return j;
}

static char *
new_directory(void)
{
	char *dir = g_dir_make_tmp("kmemfs-test-XXXXXX", NULL);

	ck_assert_ptr_nonnull(dir);
	return dir;
}

static void
append_clock(struct journal *j, uint64_t ns)
{
	struct op op;
	struct args_clock_advance *a = (void *)&op.args;

	op_begin(&op, &machine, op_find("clock/advance"));
	a->by = ns;
	op.result = 0;
	journal_append(j, &op);
}

static void
append_alloc(struct journal *j, const char *name, uint64_t order, int result)
{
	struct op op;
	struct args_page_alloc_pages *a = (void *)&op.args;

	op_begin(&op, &machine, op_find("page/alloc_pages"));
	a->order = order;
	a->name = name;
	op.result = result;
	journal_append(j, &op);
}

static void
append_sysctl(struct journal *j, const char *value)
{
	struct op op;
	struct args_vm_sysctl *a = (void *)&op.args;

	op_begin(&op, &machine, op_find("vm/sysctl"));
	a->name = "min_free_kbytes";
	a->value = value;
	op.result = 0;
	journal_append(j, &op);
}

/* The whole text, pieces of @want. */
static char *
text_of(struct journal *j, size_t want)
{
	struct out text = OUT_INIT;
	uint64_t cursor = 0;
	char *copy;

	while (journal_text(j, &cursor, want, &text))
		;
	copy = g_strdup(out_text(&text));
	out_fini(&text);
	return copy;
}

static char **
lines_of(struct journal *j)
{
	char *text = text_of(j, 1 << 20);
	char **lines = g_strsplit(text, "\n", -1);

	g_free(text);
	return lines;
}

START_TEST(the_first_line_names_format_and_machine)
{
	struct journal *j = open_or_fail(NULL);
	char *text = text_of(j, 100);

	ck_assert_str_eq(text, "kmemfs-journal 1 machine=" HASH "\n");
	ck_assert_uint_eq(journal_count(j), 0);
	g_free(text);
	journal_close(j);
}
END_TEST

START_TEST(an_op_that_failed_ends_in_its_errno)
{
	struct journal *j = open_or_fail(NULL);
	char **lines;

	append_alloc(j, "buf", 3, 0);
	append_alloc(j, NULL, 10, -ENOMEM);
	lines = lines_of(j);
	ck_assert(g_str_has_prefix(lines[1], "page/alloc_pages "));
	ck_assert_ptr_nonnull(strstr(lines[1], " name=buf"));
	ck_assert_ptr_null(strstr(lines[1], "->"));
	ck_assert(g_str_has_suffix(lines[2], " -> ENOMEM"));
	ck_assert_ptr_null(strstr(lines[2], "name="));
	ck_assert_uint_eq(machine.position, 2);
	g_strfreev(lines);
	journal_close(j);
}
END_TEST

START_TEST(text_that_looks_like_an_outcome_is_told_from_one)
{
	struct journal *j = open_or_fail(NULL);
	char **lines;

	append_sysctl(j, "5 -> ENOMEM");
	append_sysctl(j, "5 -> OK");
	append_sysctl(j, "5 -> five");
	lines = lines_of(j);
	ck_assert(g_str_has_suffix(lines[1], "5 -> ENOMEM -> OK"));
	ck_assert(g_str_has_suffix(lines[2], "5 -> OK -> OK"));
	ck_assert(g_str_has_suffix(lines[3], "5 -> five"));
	g_strfreev(lines);
	journal_close(j);
}
END_TEST

START_TEST(a_run_of_the_clock_is_one_line)
{
	struct journal *j = open_or_fail(NULL);
	char **lines;

	append_clock(j, 1000);
	append_clock(j, 2000);
	append_alloc(j, "buf", 0, 0);
	append_clock(j, 5);
	lines = lines_of(j);
	ck_assert_uint_eq(journal_count(j), 3);
	ck_assert_str_eq(lines[1], "clock/advance 3000ns");
	ck_assert_str_eq(lines[3], "clock/advance 5ns");
	ck_assert_str_eq(lines[4], "");
	g_strfreev(lines);
	journal_close(j);
}
END_TEST

START_TEST(a_run_that_would_overflow_is_two_lines)
{
	struct journal *j = open_or_fail(NULL);

	append_clock(j, UINT64_MAX - 1);
	append_clock(j, 1);
	ck_assert_uint_eq(journal_count(j), 1);
	append_clock(j, 1);
	append_clock(j, 1);
	ck_assert_uint_eq(journal_count(j), 2);
	journal_close(j);
}
END_TEST

START_TEST(a_run_grows_on_disk_wherever_in_a_page_it_lies)
{
	char *dir = new_directory();
	struct journal *j = open_or_fail(dir);
	uint64_t count;
	char *before, *after;

	/* 20 bytes and less a line: every place in a page is met. */
	for (int i = 0; i < 2000; i++) {
		append_alloc(j, i % 3 ? "a" : "bcd", 0, 0);
		for (int k = 0; k < 3; k++) {
			append_clock(j, 1000000);
			ck_assert_int_eq(journal_sync(j), 0);
		}
	}
	count = journal_count(j);
	ck_assert_uint_eq(count, 4000);
	before = text_of(j, 1000);
	ck_assert_ptr_nonnull(strstr(before, "\nclock/advance 3000000ns\n"));
	ck_assert_ptr_null(strstr(before, "\nclock/advance 1000000ns\n"));
	journal_close(j);
	j = open_or_fail(dir);
	ck_assert_uint_eq(journal_count(j), count);
	after = text_of(j, 1 << 20);
	ck_assert(!strcmp(before, after));
	g_free(before);
	g_free(after);
	journal_close(j);
	ck_assert_int_ge(remove_state(dir), 0);
}
END_TEST

/* Arguments of every kind at random, strings of printable text. */
static void
random_args(struct op *op, uint64_t *seed, char *texts)
{
	for (unsigned int i = 0; i < op->desc->nr_params; i++) {
		const struct param *p = &op->desc->params[i];
		uint8_t *at = op->args.bytes + p->offset;
		uint64_t v = next_random(seed) >> next_random(seed) % 64;
		struct op_bytes bytes;
		const char *text;

		switch (p->type) {
		case PARAM_PAGE:
		case PARAM_TASK:
		case PARAM_ADDRESS:
		case PARAM_NAME:
		case PARAM_NEWNAME:
		case PARAM_WORD:
		case PARAM_TEXT:
		case PARAM_CACHE:
		case PARAM_CTOR:
		case PARAM_ALLOCATOR:
		case PARAM_SYMBOL:
			g_snprintf(texts, 24, "w%llx", (unsigned long long)v);
			text = texts;
			texts += 24;
			memcpy(at, &text, sizeof(text));
			break;
		case PARAM_BYTES:
			g_snprintf(texts, 24, "%llx", (unsigned long long)v);
			bytes.data = (uint8_t *)texts;
			bytes.len = strlen(texts);
			texts += 24;
			memcpy(at, &bytes, sizeof(bytes));
			break;
		case PARAM_GFP:
		case PARAM_SLABFLAGS:
			v &= UINT32_MAX;
			memcpy(at, &v, sizeof(v));
			break;
		case PARAM_BOOL:
		case PARAM_ORDER:
		case PARAM_CPU:
		case PARAM_CONTEXT:
		case PARAM_POLICY:
		case PARAM_MIGRATETYPE:
			v %= 2;
			/* fall through */
		default:
			memcpy(at, &v, sizeof(v));
		}
	}
}

START_TEST(every_op_reads_back_as_it_was_written)
{
	struct journal *j = open_or_fail(NULL);
	struct out want = OUT_INIT;
	uint64_t seed = (uint64_t)_i;
	char texts[24 * OP_PARAMS_MAX], *got;

	out_str(&want, "kmemfs-journal 1 machine=" HASH "\n");
	for (int i = 0; i < 20000; i++) {
		const struct op_desc *desc =
			&op_table[next_random(&seed) % op_table_size];
		struct op op;

		if (desc->flags & OP_CLOCK)
			continue;
		op_begin(&op, &machine, desc);
		random_args(&op, &seed, texts);
		op.result = i % 7 ? 0 : -EBUSY;
		journal_append(j, &op);
		op_print(desc, &op.args, &want);
		out_str(&want, i % 7 ? "\n" : " -> EBUSY\n");
	}
	got = text_of(j, 5000);
	ck_assert(!strcmp(got, out_text(&want)));
	g_free(got);
	out_fini(&want);
	journal_close(j);
}
END_TEST

START_TEST(reading_at_any_offset_gives_that_part_of_the_text)
{
	struct journal *j = open_or_fail(NULL);
	uint64_t seed = 1;
	char *whole;
	size_t len;

	for (int i = 0; i < 5000; i++) {
		append_alloc(j, i % 2 ? "x" : "longer_name", 1, 0);
		append_clock(j, 1 + next_random(&seed) % 1000000);
	}
	whole = text_of(j, 4096);
	len = strlen(whole);
	for (int i = 0; i < 2000; i++) {
		uint64_t at = next_random(&seed) % (len + 100);
		char got[3000];
		size_t want = next_random(&seed) % sizeof(got);
		size_t n = journal_read(j, got, want, at);

		ck_assert_uint_eq(n, at < len ? MIN_OF(want, len - at) : 0);
		ck_assert(!memcmp(got, whole + MIN_OF(at, len), n));
	}
	g_free(whole);
	journal_close(j);
}
END_TEST

START_TEST(a_reader_who_follows_sees_a_growing_run_at_its_end)
{
	struct journal *j = open_or_fail(NULL);
	char buf[4096] = "", again[4096] = "";
	size_t n;

	append_clock(j, 999);
	n = journal_read(j, buf, sizeof(buf) - 1, 0);
	append_clock(j, 1);
	append_alloc(j, "buf", 0, 0);
	n = journal_read(j, again, sizeof(again) - 1, 0);
	ck_assert_ptr_nonnull(strstr(again, "clock/advance 1000ns\npage/"));
	memset(buf, 0, sizeof(buf));
	ck_assert_uint_eq(journal_read(j, buf, sizeof(buf) - 1, n - 4), 4);
	ck_assert_str_eq(buf, again + n - 4);
	journal_close(j);
}
END_TEST

START_TEST(the_length_of_the_text_is_known_before_it_is_read)
{
	struct journal *j = open_or_fail(NULL);
	uint64_t seed = 7;

	for (int i = 0; i < 300; i++) {
		char *whole;
		size_t len;

		/* Runs grow at the end, after they were measured. */
		if (next_random(&seed) % 2)
			append_clock(j, next_random(&seed) % 5000 + 1);
		else
			append_alloc(j, "buf", next_random(&seed) % 11, 0);
		if (next_random(&seed) % 4 == 0)
			continue;
		len = (size_t)journal_text_length(j);
		whole = g_malloc(len + 100);
		ck_assert_uint_gt(len, 0);
		ck_assert_uint_eq(journal_read(j, whole, len + 100, 0), len);
		g_free(whole);
	}
	journal_close(j);
}
END_TEST

START_TEST(a_long_text_is_measured_in_parts_or_as_it_is_read)
{
	struct journal *j = open_or_fail(NULL);
	static char piece[1 << 20];
	uint64_t len = 0;
	size_t got;

	for (int i = 0; i < 2 * JOURNAL_MEASURE + 10; i++)
		append_alloc(j, "buf", 0, 0);
	ck_assert_uint_eq(journal_text_length(j), 0);
	ck_assert_uint_eq(journal_text_length(j), 0);
	len = journal_text_length(j);
	ck_assert_uint_gt(len, 0);
	for (int i = 0; i < 2 * JOURNAL_MEASURE; i++)
		append_alloc(j, "more", 0, 0);
	for (len = 0; (got = journal_read(j, piece, sizeof(piece), len));)
		len += got;
	ck_assert_uint_eq(journal_text_length(j), len);
	journal_close(j);
}
END_TEST

START_TEST(a_state_in_use_is_refused_with_the_pid)
{
	char *dir = new_directory(), pid[16], *error = NULL;
	struct journal *j = open_or_fail(dir);

	ck_assert_ptr_null(journal_open(dir, HASH, &error));
	g_snprintf(pid, sizeof(pid), "pid %d ", getpid());
	ck_assert_ptr_nonnull(strstr(error, pid));
	ck_assert_ptr_nonnull(strstr(error, "EBUSY"));
	g_free(error);
	journal_close(j);
	journal_close(open_or_fail(dir));
	ck_assert_int_ge(remove_state(dir), 0);
}
END_TEST

START_TEST(a_state_of_another_machine_is_refused)
{
	char *dir = new_directory(), *error = NULL;

	journal_close(open_or_fail(dir));
	ck_assert_ptr_null(journal_open(dir, "fedcba9876543210", &error));
	ck_assert_ptr_nonnull(strstr(error, "another machine"));
	g_free(error);
	ck_assert_int_ge(remove_state(dir), 0);
}
END_TEST

START_TEST(a_file_that_is_no_journal_is_refused)
{
	char *dir = new_directory(), *error = NULL;
	char *path = g_build_filename(dir, "journal", NULL);

	ck_assert(g_file_set_contents(path, "something else\n", -1, NULL));
	ck_assert_ptr_null(journal_open(dir, HASH, &error));
	ck_assert_ptr_nonnull(strstr(error, "not a journal"));
	g_free(error);
	g_free(path);
	ck_assert_int_ge(remove_state(dir), 0);
}
END_TEST

START_TEST(a_record_cut_anywhere_is_the_end_of_the_file)
{
	char *dir = new_directory();
	char *path = g_build_filename(dir, "journal", NULL);
	struct journal *j = open_or_fail(dir);
	uint64_t count = 0;
	char *bytes;
	gsize len;

	for (int i = 0; i < 5; i++) {
		append_alloc(j, "name", (uint64_t)i, i == 2 ? -ENOMEM : 0);
		if (i % 2)
			append_clock(j, 77);
		ck_assert_int_eq(journal_sync(j), 0);
	}
	journal_close(j);
	ck_assert(g_file_get_contents(path, &bytes, &len, NULL));
	for (gsize cut = 0; cut <= len; cut++) {
		uint64_t now;

		ck_assert(g_file_set_contents(path, bytes, (gssize)cut, NULL));
		j = open_or_fail(dir);
		now = journal_count(j);
		ck_assert_uint_ge(now, count);
		ck_assert_uint_le(now, count + 1);
		count = now;
		/* And it can go on from there. */
		append_alloc(j, "more", 1, 0);
		ck_assert_uint_eq(journal_count(j), now + 1);
		journal_close(j);
		j = open_or_fail(dir);
		ck_assert_uint_eq(journal_count(j), now + 1);
		journal_close(j);
	}
	ck_assert_uint_eq(count, 7);
	g_free(bytes);
	g_free(path);
	ck_assert_int_ge(remove_state(dir), 0);
}
END_TEST

START_TEST(damage_is_refused_or_read_as_ops_but_ends_nothing)
{
	char *dir = new_directory();
	char *path = g_build_filename(dir, "journal", NULL);
	struct journal *j = open_or_fail(dir);
	uint64_t seed = 42;
	unsigned int refused = 0;
	char *bytes;
	gsize len;

	for (int i = 0; i < 20; i++) {
		append_alloc(j, "name", (uint64_t)i, 0);
		append_sysctl(j, "12345");
		append_clock(j, 77);
	}
	journal_close(j);
	ck_assert(g_file_get_contents(path, &bytes, &len, NULL));
	for (int i = 0; i < 500; i++) {
		char *copy = g_memdup2(bytes, len), *error = NULL, *text;
		size_t head = strlen("kmemfs-journal 1 machine=" HASH "\n");

		for (int k = 0; k < 3; k++)
			copy[head + next_random(&seed) % (len - head)] ^=
				(char)(1 << next_random(&seed) % 8);
		ck_assert(g_file_set_contents(path, copy, (gssize)len, NULL));
		j = journal_open(dir, HASH, &error);
		if (j) {
			text = text_of(j, 1 << 20);
			g_free(text);
			journal_close(j);
		} else {
			ck_assert_ptr_nonnull(strstr(error, "byte"));
			refused++;
		}
		g_free(error);
		g_free(copy);
	}
	ck_assert_uint_gt(refused, 50);
	g_free(bytes);
	g_free(path);
	ck_assert_int_ge(remove_state(dir), 0);
}
END_TEST

/* Append and acknowledge until killed. */
static void
run_until_killed(const char *dir, int ready)
{
	char *error = NULL;
	struct journal *j = journal_open(dir, HASH, &error);
	uint64_t n = 0;

	while (j) {
		append_alloc(j, "name", n % 11, 0);
		append_clock(j, 3);
		append_clock(j, 4);
		if (journal_sync(j))
			break;
		n++;
		if (write(ready, &n, sizeof(n)) != sizeof(n))
			break;
	}
	_exit(1);
}

START_TEST(what_was_acknowledged_survives_a_kill)
{
	char *dir = new_directory(), *text;
	uint64_t acknowledged = 0, n;
	int ready[2], status;
	struct journal *j;
	pid_t child;

	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	if (!child)
		run_until_killed(dir, ready[1]);
	close(ready[1]);
	while (acknowledged < 2000 + (uint64_t)_i * 37 &&
	       read(ready[0], &n, sizeof(n)) == sizeof(n))
		acknowledged = n;
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	while (read(ready[0], &n, sizeof(n)) == sizeof(n))
		acknowledged = n;
	close(ready[0]);
	ck_assert(WIFSIGNALED(status));
	j = open_or_fail(dir);
	ck_assert_uint_ge(journal_count(j), 2 * acknowledged);
	ck_assert_uint_le(journal_count(j), 2 * acknowledged + 2);
	text = text_of(j, 1 << 20);
	ck_assert_ptr_nonnull(strstr(text, "\nclock/advance 7ns\n"));
	g_free(text);
	journal_close(j);
	ck_assert_int_ge(remove_state(dir), 0);
}
END_TEST

Suite *
suite_journal(void)
{
	Suite *suite = suite_create("journal");
	TCase *tc = tcase_create("journal");

	tcase_add_test(tc, the_first_line_names_format_and_machine);
	tcase_add_test(tc, an_op_that_failed_ends_in_its_errno);
	tcase_add_test(tc, text_that_looks_like_an_outcome_is_told_from_one);
	tcase_add_test(tc, a_run_of_the_clock_is_one_line);
	tcase_add_test(tc, a_run_that_would_overflow_is_two_lines);
	tcase_add_test(tc, a_run_grows_on_disk_wherever_in_a_page_it_lies);
	tcase_add_loop_test(tc, every_op_reads_back_as_it_was_written, 1, 4);
	tcase_add_test(tc, reading_at_any_offset_gives_that_part_of_the_text);
	tcase_add_test(tc, a_reader_who_follows_sees_a_growing_run_at_its_end);
	tcase_add_test(tc, a_state_in_use_is_refused_with_the_pid);
	tcase_add_test(tc, the_length_of_the_text_is_known_before_it_is_read);
	tcase_add_test(tc, a_long_text_is_measured_in_parts_or_as_it_is_read);
	tcase_add_test(tc, a_state_of_another_machine_is_refused);
	tcase_add_test(tc, a_file_that_is_no_journal_is_refused);
	tcase_add_test(tc, a_record_cut_anywhere_is_the_end_of_the_file);
	tcase_add_test(tc, damage_is_refused_or_read_as_ops_but_ends_nothing);
	tcase_add_loop_test(tc, what_was_acknowledged_survives_a_kill, 0, 3);
	suite_add_tcase(suite, tc);
	return suite;
}
