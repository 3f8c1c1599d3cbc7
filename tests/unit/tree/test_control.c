// SPDX-License-Identifier: MIT
/* test_control.c - control files: lines, answers, refusals, streams */
#include "unit/suites.h"

#include "kmemfs/machine/op.h"
#include "kmemfs/tree/tree.h"

#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

Suite *suite_control(void);

static struct tree *t;

static void
boot_in(const char *dir)
{
	char *error = NULL;
	struct machine_config *config = config_load("uma-small", &error);
	struct machine *m = config ? machine_boot(config, dir, &error) : NULL;

	ck_assert_msg(m, "%s", error);
	t = tree_new(m, false);
}

static void
boot(void)
{
	boot_in(NULL);
}

static void
end(void)
{
	tree_free(t);
}

static struct tree_file *
open_file(const char *path, int flags)
{
	struct tree_attr attr;
	struct tree_file *f;

	ck_assert_int_eq(tree_path(t, path, &attr), 0);
	ck_assert_int_eq(tree_open(t, attr.ino, flags, &f), 0);
	return f;
}

static ssize_t
put(const char *path, const char *text, size_t len)
{
	struct tree_file *f = open_file(path, O_WRONLY);
	ssize_t done = tree_write(f, text, len, 0);

	tree_close(f);
	return done;
}

static ssize_t
put_text(const char *path, const char *text)
{
	return put(path, text, strlen(text));
}

static char *
get(const char *path)
{
	struct tree_file *f = open_file(path, O_RDONLY);
	char *text = g_malloc0(65536);
	ssize_t got = tree_read(f, text, 65535, 0);

	ck_assert_int_ge(got, 0);
	tree_close(f);
	return text;
}

static bool
exists(const char *path)
{
	struct tree_attr attr;

	return tree_path(t, path, &attr) == 0;
}

static void
digest(char text[DIGEST_TEXT])
{
	machine_digest(tree_lock(t), text);
	tree_unlock(t);
}

START_TEST(answers_begin_where_the_last_write_ended)
{
	struct tree_file *f = open_file("control/page/alloc_pages", O_RDWR);
	char answer[256] = {0};
	ssize_t first;

	ck_assert_int_eq(tree_write(f, "GFP_KERNEL 0 name=x\n", 20, 0), 20);
	ck_assert_int_eq(tree_read(f, answer, 255, 0), 0);
	first = tree_read(f, answer, 255, 20);
	ck_assert(g_str_has_prefix(answer, "x pfn="));
	ck_assert_int_eq(tree_read(f, answer, 255, 20 + (uint64_t)first), 0);
	/* The shell's position is behind what it read. */
	ck_assert_int_eq(tree_write(f, "GFP_KERNEL 0 name=y\n", 20,
				    20 + (uint64_t)first),
			 20);
	memset(answer, 0, sizeof(answer));
	ck_assert_int_gt(tree_read(f, answer, 255, 40 + (uint64_t)first), 0);
	ck_assert(g_str_has_prefix(answer, "y pfn="));
	tree_close(f);
}
END_TEST

START_TEST(answers_not_read_wait_behind_the_next_write)
{
	struct tree_file *f = open_file("control/page/alloc_pages", O_RDWR);
	char answers[512] = {0};

	tree_write(f, "name=x\n", 7, 0);
	tree_write(f, "name=y\n", 7, 7);
	ck_assert_int_gt(tree_read(f, answers, 511, 14), 0);
	ck_assert(g_str_has_prefix(answers, "x pfn="));
	ck_assert(strstr(answers, "\ny pfn="));
	tree_close(f);
}
END_TEST

START_TEST(an_answer_names_errno_column_and_sentence)
{
	struct tree_file *f = open_file("control/page/alloc_pages", O_RDWR);
	char answer[256] = {0};

	ck_assert_int_eq(tree_write(f, "GFP_KERNEL|__GFP_COLD\n", 22, 0),
			 -EINVAL);
	/* A failed write does not move the shell's position. */
	tree_read(f, answer, 255, 0);
	ck_assert_str_eq(answer,
			 "error EINVAL 11 __GFP_COLD: unknown gfp flag\n");
	tree_close(f);
}
END_TEST

START_TEST(no_line_runs_when_one_cannot_be_parsed)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];

	digest(before);
	ck_assert_int_eq(put_text("control/page/alloc_pages",
				  "name=x\nname=y colour=red\n"),
			 -EINVAL);
	digest(after);
	ck_assert_str_eq(before, after);
	ck_assert(!exists("allocations/x"));
}
END_TEST

START_TEST(lines_before_a_failing_one_stay_done)
{
	ck_assert_int_eq(put_text("control/page/alloc_pages",
				  "name=x\nname=x\nname=y\n"),
			 -EEXIST);
	ck_assert(exists("allocations/x"));
	ck_assert(!exists("allocations/y"));
}
END_TEST

START_TEST(remarks_and_empty_lines_do_nothing)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];

	digest(before);
	ck_assert_int_eq(put_text("control/page/alloc_page", "\n# no\n  \n"),
			 9);
	digest(after);
	ck_assert_str_eq(before, after);
}
END_TEST

START_TEST(the_last_newline_may_lack)
{
	ck_assert_int_eq(put_text("control/page/alloc_page", "name=x"), 6);
	ck_assert(exists("allocations/x"));
}
END_TEST

START_TEST(nul_bytes_and_endless_lines_are_refused)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];
	char *line = g_malloc(1 << 20);
	char *log;

	digest(before);
	ck_assert_int_eq(put("control/page/alloc_page", "name=x\0y", 8),
			 -EINVAL);
	memset(line, 'x', 1 << 20);
	ck_assert_int_eq(put("control/page/alloc_page", line, 1 << 20), -E2BIG);
	digest(after);
	ck_assert_str_eq(before, after);
	log = get("error_log");
	ck_assert(strstr(log, "a NUL byte cannot stand in a line"));
	ck_assert(strstr(log, "longer than 64 KiB"));
	g_free(log);
	g_free(line);
}
END_TEST

START_TEST(error_log_puts_the_caret_under_the_word)
{
	char *log;

	put_text("control/page/alloc_pages", "GFP_KERNEL 11");
	log = get("error_log");
	ck_assert(strstr(log, "page/alloc_pages: error: order 11 is beyond "
			      "10, the largest\n"
			      "  Command: GFP_KERNEL 11\n"
			      "                      ^\n"));
	g_free(log);
}
END_TEST

START_TEST(read_only_files_refuse_writers)
{
	struct tree_attr attr;
	struct tree_file *f;

	ck_assert_int_eq(tree_path(t, "proc/meminfo", &attr), 0);
	ck_assert_int_eq(tree_open(t, attr.ino, O_WRONLY, &f), -EACCES);
	ck_assert_int_eq(tree_open(t, attr.ino, O_RDWR | O_TRUNC, &f), -EACCES);
}
END_TEST

START_TEST(an_open_file_keeps_its_moment_until_it_is_read_anew)
{
	struct tree_file *f = open_file("proc/buddyinfo", O_RDONLY);
	char first[512] = {0}, rest[512] = {0}, again[512] = {0};

	ck_assert_int_eq(tree_read(f, first, 100, 0), 100);
	put_text("control/page/alloc_pages", "GFP_KERNEL 10");
	ck_assert_int_gt(tree_read(f, rest, 511, 100), 0);
	tree_read(f, again, 511, 0);
	ck_assert_str_ne(again + 100, rest);
	tree_close(f);
}
END_TEST

START_TEST(a_file_whose_object_is_gone_says_so)
{
	struct tree_file *f;
	char byte;

	put_text("control/page/alloc_page", "name=x");
	f = open_file("allocations/x/pfn", O_RDONLY);
	put_text("control/page/__free_page", "x");
	ck_assert_int_eq(tree_read(f, &byte, 1, 0), -ENODEV);
	tree_close(f);
}
END_TEST

START_TEST(a_batch_joins_lines_that_writes_cut)
{
	struct tree_file *f = open_file("control/batch", O_WRONLY);

	ck_assert_int_eq(tree_write(f, "page/alloc_pa", 13, 0), 13);
	ck_assert_int_eq(tree_write(f, "ge name=x\npage/alloc_page ", 26, 13),
			 26);
	ck_assert(exists("allocations/x"));
	ck_assert_int_eq(tree_write(f, "name=y", 6, 39), 6);
	ck_assert(!exists("allocations/y"));
	tree_close(f);
	ck_assert(exists("allocations/y"));
}
END_TEST

START_TEST(a_batch_of_remarks_does_nothing)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];

	digest(before);
	ck_assert_int_eq(put_text("control/batch", "# nothing\n\n"), 11);
	digest(after);
	ck_assert_str_eq(before, after);
}
END_TEST

START_TEST(mkdir_and_rmdir_are_ops_only_where_declared)
{
	struct tree_attr root, dir;

	put_text("control/page/alloc_page", "name=x");
	ck_assert_int_eq(tree_path(t, "/", &root), 0);
	ck_assert_int_eq(tree_mkdir(t, root.ino, "new", &dir), -EPERM);
	ck_assert_int_eq(tree_path(t, "allocations", &dir), 0);
	ck_assert_int_eq(tree_rmdir(t, dir.ino, "x"), 0);
	ck_assert(!exists("allocations/x"));
	ck_assert_int_eq(tree_rmdir(t, dir.ino, "x"), -ENOENT);
	ck_assert_int_eq(tree_rmdir(t, root.ino, "proc"), -EPERM);
}
END_TEST

START_TEST(a_whole_record_can_be_written_and_read_by_every_way)
{
	char *pfn, *path, *bytes;

	put_text("control/page/alloc_page", "name=x");
	ck_assert_int_eq(put_text("allocations/x/data", "hello\n"), 6);
	pfn = get("allocations/x/pfn");
	path = g_strdup_printf("pages/%s/data", g_strchomp(pfn));
	bytes = get(path);
	ck_assert(!strncmp(bytes, "hello\n", 6));
	g_free(bytes);
	g_free(path);
	g_free(pfn);
}
END_TEST

START_TEST(with_append_answers_are_given_once)
{
	struct tree_file *f =
		open_file("control/page/alloc_pages", O_RDWR | O_APPEND);
	char answers[512] = {0};

	tree_write(f, "name=x\n", 7, 500);
	ck_assert_int_gt(tree_read(f, answers, 511, 507), 0);
	tree_write(f, "name=y\n", 7, 500);
	memset(answers, 0, sizeof(answers));
	ck_assert_int_gt(tree_read(f, answers, 511, 507), 0);
	ck_assert(g_str_has_prefix(answers, "y pfn="));
	tree_close(f);
}
END_TEST

START_TEST(a_line_that_the_kernel_cut_is_put_together)
{
	struct tree_file *f = open_file("control/clock/advance", O_WRONLY);
	GString *lines = g_string_new(NULL);
	size_t cut = (1 << 20) - 1;

	while (lines->len < cut + 100)
		g_string_append(lines, "# a remark of no effect at all\n");
	g_string_overwrite(lines, (1 << 20) - 20, "\n1s ");
	memset(lines->str + (1 << 20) - 16, ' ', 30);
	lines->str[(1 << 20) + 14] = '\n';
	lines->str[(1 << 20) + 15] = '#';
	ck_assert_int_eq(tree_write(f, lines->str, cut, 0), (ssize_t)cut);
	ck_assert_int_eq(tree_write(f, lines->str + cut, lines->len - cut, cut),
			 (ssize_t)(lines->len - cut));
	tree_close(f);
	ck_assert_uint_eq(tree_lock(t)->now_ns, 1000000000);
	tree_unlock(t);
	g_string_free(lines, TRUE);
}
END_TEST

START_TEST(rmdir_frees_what_any_function_made)
{
	struct tree_attr dir;

	put_text("control/page/alloc_pages_exact", "20K name=x");
	ck_assert_int_eq(tree_path(t, "allocations", &dir), 0);
	ck_assert_int_eq(tree_rmdir(t, dir.ino, "x"), 0);
	ck_assert(!exists("allocations/x"));
}
END_TEST

START_TEST(removing_one_file_is_refused_with_a_sentence)
{
	struct tree_attr dir;
	char *log;

	put_text("control/page/alloc_page", "name=x");
	ck_assert_int_eq(tree_path(t, "allocations/x", &dir), 0);
	ck_assert_int_eq(tree_unlink(t, dir.ino, "data"), -EPERM);
	log = get("error_log");
	ck_assert(strstr(log, "rmdir of their directory frees it"));
	g_free(log);
}
END_TEST

START_TEST(a_bad_value_is_in_the_error_log)
{
	char *log;

	ck_assert_int_eq(put("proc/sys/vm/min_free_kbytes", "12\0", 3),
			 -EINVAL);
	ck_assert_int_eq(put_text("proc/sys/vm/min_free_kbytes", "1\n2\n"),
			 -EINVAL);
	log = get("error_log");
	ck_assert(strstr(log, "a NUL byte cannot stand in a value"));
	ck_assert(strstr(log, "a value is one line"));
	g_free(log);
}
END_TEST

START_TEST(a_second_writer_of_a_recording_is_told_why_it_must_wait)
{
	struct tree_file *f = open_file("replay/ftrace", O_WRONLY), *second;
	struct tree_attr attr;
	char *log;

	ck_assert_int_eq(tree_path(t, "replay/ftrace", &attr), 0);
	ck_assert_int_eq(tree_open(t, attr.ino, O_WRONLY, &second), -EBUSY);
	log = get("error_log");
	ck_assert_ptr_nonnull(
		strstr(log, "replay/ftrace: error: another writer"));
	g_free(log);
	tree_close(f);
	tree_close(open_file("replay/ftrace", O_WRONLY));
}
END_TEST

START_TEST(paths_follow_links_and_dots)
{
	char *text = get("proc/self/comm");

	ck_assert_str_eq(text, "init\n");
	g_free(text);
	ck_assert(exists("allocations/../README"));
	ck_assert(!exists("README/"));
	ck_assert(!exists("README/x"));
}
END_TEST

START_TEST(a_sentence_holds_no_control_characters)
{
	char *log;

	put_text("control/page/alloc_pages", "GFP_\033[31mX");
	log = get("error_log");
	ck_assert(!strchr(log, '\033'));
	g_free(log);
}
END_TEST

START_TEST(the_journal_of_any_gfp_can_be_run_again)
{
	struct tree_file *f;
	char *journal;

	put_text("control/page/alloc_page", "gfp=0x0 name=x");
	journal = get("history/journal");
	put_text("control/page/__free_page", "x");
	f = open_file("control/batch", O_WRONLY);
	ck_assert_int_gt(tree_write(f, journal, strlen(journal), 0), 0);
	tree_close(f);
	ck_assert(exists("allocations/x"));
	g_free(journal);
}
END_TEST

/* Let no file of this process grow beyond @bytes; returns what held before.
 * Nothing is asserted while it is so: that writes to a file, too. */
static rlim_t
limit_files(rlim_t bytes)
{
	struct rlimit limit;
	rlim_t before;

	getrlimit(RLIMIT_FSIZE, &limit);
	before = limit.rlim_cur;
	limit.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &limit);
	return before;
}

START_TEST(a_journal_that_cannot_be_stored_is_told_of_once_and_loses_nothing)
{
	char *dir = g_dir_make_tmp("kmemfs-test-XXXXXX", NULL), *log;
	char left[DIGEST_TEXT], found[DIGEST_TEXT];
	struct tree_file *f;
	ssize_t done[3];
	rlim_t before;

	end();
	boot_in(dir);
	f = open_file("control/page/alloc_pages", O_RDWR);
	signal(SIGXFSZ, SIG_IGN);
	before = limit_files(1);
	done[0] = tree_write(f, "name=a\n", 7, 0);
	done[1] = tree_write(f, "name=b\n", 7, 0);
	limit_files(before);
	signal(SIGXFSZ, SIG_DFL);
	done[2] = tree_write(f, "name=c\n", 7, 0);
	tree_close(f);
	ck_assert_int_eq(done[0], -EFBIG);
	ck_assert_int_eq(done[1], -EFBIG);
	ck_assert_int_eq(done[2], 7);
	log = get("error_log");
	ck_assert_ptr_nonnull(strstr(log, "the journal cannot be stored"));
	ck_assert(strstr(log, "cannot be stored") ==
		  g_strrstr(log, "cannot be stored"));
	g_free(log);
	digest(left);
	end();
	boot_in(dir);
	digest(found);
	ck_assert_str_eq(left, found);
	ck_assert(exists("allocations/a") && exists("allocations/b"));
	ck_assert_int_eq(remove_state(dir), 3);
}
END_TEST

Suite *
suite_control(void)
{
	Suite *suite = suite_create("control");
	TCase *tests = tcase_create("control");

	tcase_add_checked_fixture(tests, boot, end);
	tcase_add_test(tests, answers_begin_where_the_last_write_ended);
	tcase_add_test(tests, answers_not_read_wait_behind_the_next_write);
	tcase_add_test(tests, an_answer_names_errno_column_and_sentence);
	tcase_add_test(tests, no_line_runs_when_one_cannot_be_parsed);
	tcase_add_test(tests, lines_before_a_failing_one_stay_done);
	tcase_add_test(tests, remarks_and_empty_lines_do_nothing);
	tcase_add_test(tests, the_last_newline_may_lack);
	tcase_add_test(tests, nul_bytes_and_endless_lines_are_refused);
	tcase_add_test(tests, error_log_puts_the_caret_under_the_word);
	tcase_add_test(tests, read_only_files_refuse_writers);
	tcase_add_test(tests,
		       an_open_file_keeps_its_moment_until_it_is_read_anew);
	tcase_add_test(tests, a_file_whose_object_is_gone_says_so);
	tcase_add_test(tests, a_batch_joins_lines_that_writes_cut);
	tcase_add_test(tests, a_batch_of_remarks_does_nothing);
	tcase_add_test(tests, mkdir_and_rmdir_are_ops_only_where_declared);
	tcase_add_test(tests,
		       a_whole_record_can_be_written_and_read_by_every_way);
	tcase_add_test(tests, with_append_answers_are_given_once);
	tcase_add_test(tests, a_line_that_the_kernel_cut_is_put_together);
	tcase_add_test(tests, rmdir_frees_what_any_function_made);
	tcase_add_test(tests, removing_one_file_is_refused_with_a_sentence);
	tcase_add_test(tests, a_bad_value_is_in_the_error_log);
	tcase_add_test(tests,
		       a_second_writer_of_a_recording_is_told_why_it_must_wait);
	tcase_add_test(tests, paths_follow_links_and_dots);
	tcase_add_test(tests, a_sentence_holds_no_control_characters);
	tcase_add_test(tests, the_journal_of_any_gfp_can_be_run_again);
	tcase_add_test(
		tests,
		a_journal_that_cannot_be_stored_is_told_of_once_and_loses_nothing);
	suite_add_tcase(suite, tests);
	return suite;
}
