// SPDX-License-Identifier: MIT
/* test_told.c - what front ends are told of names, lists and lengths */
#include "unit/suites.h"

#include "kmemfs/tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>

Suite *suite_told(void);

static struct tree *t;
static GPtrArray *told; /* "INODE NAME" */

static void
tell(void *user, uint64_t parent, const char *name)
{
	(void)user;
	g_ptr_array_add(
		told,
		g_strdup_printf("%llu %s", (unsigned long long)parent, name));
}

static void
boot_text(const char *text)
{
	static const struct tree_hooks hooks = {.entry = tell};
	char *error = NULL;
	struct machine_config *config = config_read(text, "test", &error);
	struct machine *m = config ? machine_boot(config, NULL, &error) : NULL;

	ck_assert_msg(m, "%s", error);
	t = tree_new(m, false);
	tree_set_hooks(t, &hooks);
	told = g_ptr_array_new_with_free_func(g_free);
}

static void
boot(void)
{
	boot_text("[machine]\narch = x86-64\nmemory = 64M\n");
}

static void
end(void)
{
	tree_free(t);
	g_ptr_array_unref(told);
}

static struct tree_attr
attr_of(const char *path)
{
	struct tree_attr attr;

	ck_assert_msg(!tree_path(t, path, &attr), "%s", path);
	return attr;
}

static void
run(const char *line)
{
	struct out answer = OUT_INIT;

	ck_assert_msg(!tree_do(t, line, &answer, NULL), "%s",
		      out_text(&answer));
	out_fini(&answer);
}

static void
assert_told(guint at, const char *dir, const char *name)
{
	char *want = g_strdup_printf(
		"%llu %s", (unsigned long long)attr_of(dir).ino, name);

	ck_assert_uint_gt(told->len, at);
	ck_assert_str_eq(g_ptr_array_index(told, at), want);
	g_free(want);
}

START_TEST(names_that_ops_make_and_remove_are_told)
{
	run("page/alloc_page GFP_KERNEL name=buf");
	ck_assert_uint_eq(told->len, 1);
	assert_told(0, "allocations", "buf");
	run("page/alloc_page GFP_KERNEL");
	assert_told(1, "allocations", "a2");
	run("page/free_page buf");
	ck_assert_uint_eq(told->len, 3);
	assert_told(2, "allocations", "buf");
}
END_TEST

START_TEST(a_refused_op_tells_no_name)
{
	run("page/alloc_page GFP_KERNEL name=buf");
	ck_assert_int_eq(
		tree_do(t, "page/alloc_page GFP_KERNEL name=buf", NULL, NULL),
		-EEXIST);
	ck_assert_int_eq(tree_do(t, "page/free_page nobody", NULL, NULL),
			 -ENOENT);
	ck_assert_uint_eq(told->len, 1);
}
END_TEST

START_TEST(the_time_of_a_list_is_that_of_its_last_entry)
{
	uint64_t before = attr_of("allocations").mtime_ns, after;

	run("clock/advance 1s");
	run("page/drain_all_pages");
	ck_assert_uint_eq(attr_of("allocations").mtime_ns, before);
	run("page/alloc_page GFP_KERNEL name=buf");
	after = attr_of("allocations").mtime_ns;
	ck_assert_uint_gt(after, before);
	run("page/drain_all_pages");
	ck_assert_uint_eq(attr_of("allocations").mtime_ns, after);
	run("page/free_page buf");
	ck_assert_uint_gt(attr_of("allocations").mtime_ns, after);
}
END_TEST

/* Any op may change which pages are listed. */
START_TEST(the_time_of_a_list_that_nobody_tells_of_is_that_of_the_last_op)
{
	uint64_t before = attr_of("pages").mtime_ns;

	run("clock/advance 1s");
	ck_assert_uint_eq(attr_of("pages").mtime_ns, before);
	run("page/alloc_page GFP_KERNEL");
	ck_assert_uint_gt(attr_of("pages").mtime_ns, before);
	ck_assert_uint_eq(attr_of("nodes").mtime_ns, 0);
}
END_TEST

static enum tree_lasts
no_name_lasts(const char *dir)
{
	struct tree_attr attr;

	ck_assert_int_eq(tree_lookup(t, attr_of(dir).ino, "nothing", &attr),
			 -ENOENT);
	return attr.name_lasts;
}

START_TEST(names_last_as_long_as_the_layout_says)
{
	run("page/alloc_page GFP_KERNEL name=buf");
	ck_assert_int_eq(attr_of("nodes/0").name_lasts, TREE_FOREVER);
	ck_assert_int_eq(attr_of("allocations/buf").name_lasts, TREE_ENTRIES);
	ck_assert_int_eq(attr_of("allocations/buf/info").name_lasts,
			 TREE_FOREVER);
	ck_assert_int_eq(attr_of("pages/5").name_lasts, TREE_FOREVER);
	ck_assert_int_eq(no_name_lasts("nodes"), TREE_FOREVER);
	ck_assert_int_eq(no_name_lasts("allocations"), TREE_ENTRIES);
	ck_assert_int_eq(no_name_lasts("pages"), TREE_FOREVER);
	ck_assert_int_eq(no_name_lasts("cpus/0/pcp"), TREE_STATE);
}
END_TEST

START_TEST(attributes_last_as_long_as_the_layout_says)
{
	run("page/alloc_page GFP_KERNEL name=buf");
	ck_assert_int_eq(attr_of("nodes").attr_lasts, TREE_FOREVER);
	ck_assert_int_eq(attr_of("allocations").attr_lasts, TREE_ENTRIES);
	ck_assert_int_eq(attr_of("allocations/buf").attr_lasts, TREE_FOREVER);
	ck_assert_int_eq(attr_of("allocations/buf/pfn").attr_lasts,
			 TREE_FOREVER);
	ck_assert_int_eq(attr_of("allocations/buf/info").attr_lasts,
			 TREE_STATE);
	ck_assert_int_eq(attr_of("pages").attr_lasts, TREE_STATE);
	ck_assert_int_eq(attr_of("control/clock/advance").attr_lasts,
			 TREE_FOREVER);
}
END_TEST

static struct tree_file *
open_file(const char *path, int flags)
{
	struct tree_file *f;

	ck_assert_int_eq(tree_open(t, attr_of(path).ino, flags, &f), 0);
	return f;
}

static enum tree_caching
caching(const char *path)
{
	struct tree_file *f = open_file(path, O_RDONLY);
	enum tree_caching caching = tree_file_cache(f, true);

	tree_close(f);
	return caching;
}

START_TEST(only_small_files_of_fixed_size_are_for_a_page_cache)
{
	ck_assert_int_eq(caching("README"), TREE_KEEP);
	ck_assert_int_eq(caching("proc/buddyinfo"), TREE_CHECK);
	ck_assert_int_eq(caching("proc/meminfo"), TREE_CHECK);
	ck_assert_int_eq(caching("nodes/0/zones/Normal/free_pages"),
			 TREE_DIRECT);
	ck_assert_int_eq(caching("proc/zoneinfo"), TREE_DIRECT);
}
END_TEST

static ssize_t
length(uint64_t ino)
{
	char text[4096];
	struct tree_file *f;
	ssize_t len;

	ck_assert_int_eq(tree_open(t, ino, O_RDONLY, &f), 0);
	len = tree_read(f, text, sizeof(text), 0);
	tree_close(f);
	return len;
}

/* Free memory falls below nine digits of kB: the table gets narrower. */
START_TEST(a_page_cache_reads_the_length_it_was_told)
{
	struct tree_file *f;
	struct tree_attr attr;
	char text[4096];

	end();
	boot_text("[machine]\narch = x86-64\nmemory = 97G\n");
	f = open_file("proc/meminfo", O_RDONLY);
	ck_assert_int_eq(tree_file_cache(f, true), TREE_CHECK);
	attr = attr_of("proc/meminfo");
	for (unsigned int i = 0; length(attr.ino) == (ssize_t)attr.size; i++) {
		ck_assert_uint_lt(i, 1000);
		run("page/alloc_pages GFP_KERNEL 10");
	}
	ck_assert_int_eq(length(attr.ino), (ssize_t)attr.size - 1);
	ck_assert_int_eq(tree_read(f, text, sizeof(text), 0),
			 (ssize_t)attr.size);
	ck_assert_int_eq(text[attr.size - 1], '\n');
	ck_assert_uint_eq(attr_of("proc/meminfo").size, attr.size - 1);
	ck_assert_int_eq(tree_read(f, text, sizeof(text), 0),
			 (ssize_t)attr.size - 1);
	tree_close(f);
}
END_TEST

Suite *
suite_told(void)
{
	Suite *suite = suite_create("told");
	TCase *tests = tcase_create("told");

	tcase_add_checked_fixture(tests, boot, end);
	tcase_add_test(tests, names_that_ops_make_and_remove_are_told);
	tcase_add_test(tests, a_refused_op_tells_no_name);
	tcase_add_test(tests, the_time_of_a_list_is_that_of_its_last_entry);
	tcase_add_test(
		tests,
		the_time_of_a_list_that_nobody_tells_of_is_that_of_the_last_op);
	tcase_add_test(tests, names_last_as_long_as_the_layout_says);
	tcase_add_test(tests, attributes_last_as_long_as_the_layout_says);
	tcase_add_test(tests,
		       only_small_files_of_fixed_size_are_for_a_page_cache);
	tcase_add_test(tests, a_page_cache_reads_the_length_it_was_told);
	suite_add_tcase(suite, tests);
	return suite;
}
