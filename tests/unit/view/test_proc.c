// SPDX-License-Identifier: MIT
/* test_proc.c - /proc/PID, line by line */
#include "unit/view/tasks.h"

#include "kmemfs/view/keys.h"
#include "kmemfs/vm/mempolicy.h"

Suite *suite_proc(void);

#define SMALL_MACHINE "[machine]\narch = x86-64\nmemory = 256M\ncpus = 2\n"
#define SOFT_DIRTY (1ULL << 55)
#define EXCLUSIVE (1ULL << 56)
#define OF_FILE (1ULL << 61)
#define PRESENT (1ULL << 63)
#define PFN_MASK ((1ULL << 55) - 1)

static struct program p;
static struct task *t;

static void
boot(const char *text)
{
	program_begin(&p, views_boot(text), 1);
	t = tasks_fork(p.task[0], 0);
}

static void
boot_small(void)
{
	boot(SMALL_MACHINE);
}

static void
end(void)
{
	machine_free(p.m);
}

static char *
text_of(show_fn show, const struct task *of)
{
	return views_text(p.m, show, (uint64_t)of->pid, (uint64_t)of->pid);
}

static void
check_text(show_fn show, const struct task *of, const char *want)
{
	char *text = text_of(show, of);

	ck_assert_str_eq(text, want);
	g_free(text);
}

/* The block of smaps whose area begins at @at. */
static char *
smaps_of(const struct task *of, va_t at)
{
	char *text = text_of(show_pid_smaps, of), head[32], *area;

	snprintf(head, sizeof(head), "%08llx-", (unsigned long long)at);
	area = strstr(text, head);
	ck_assert_msg(area, "no %s in:\n%s", head, text);
	area = g_strndup(area, (size_t)(strstr(area, "VmFlags") - area) + 60);
	*strchr(strstr(area, "VmFlags"), '\n') = '\0';
	g_free(text);
	return area;
}

static uint64_t
entry_at(const struct task *of, va_t va)
{
	struct view v = {.m = p.m, .key = {(uint64_t)of->pid}};
	uint64_t entry = 0;

	ck_assert_int_eq(
		read_pid_pagemap(&v, &entry, 8, (va >> VM_PAGE_SHIFT) * 8), 8);
	return entry;
}

/* --- before anybody runs ---------------------------------------------------
 */

START_TEST(the_first_task_has_no_memory_before_it_is_used)
{
	struct machine *m = views_boot(SMALL_MACHINE);
	struct view v = {.m = m, .key = {1}};
	static const show_fn empty[] = {
		show_pid_maps,	       show_pid_smaps,	 show_pid_numa_maps,
		show_pid_smaps_rollup, show_pid_cmdline,
	};
	uint64_t word;
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		text = views_text(m, empty[i], 1, 0);
		ck_assert_str_eq(text, "");
		g_free(text);
	}
	text = views_text(m, show_pid_statm, 1, 0);
	ck_assert_str_eq(text, "0 0 0 0 0 0 0\n");
	g_free(text);
	text = views_text(m, show_pid_status, 1, 0);
	ck_assert_ptr_nonnull(strstr(text, "Name:\tinit\n"));
	ck_assert_ptr_nonnull(strstr(text, "State:\tS (sleeping)\n"));
	ck_assert_ptr_null(strstr(text, "VmRSS"));
	g_free(text);
	ck_assert_uint_eq(size_pid_pagemap(&v), 0);
	ck_assert_int_eq(read_pid_pagemap(&v, &word, 8, 0), 0);
	ck_assert_uint_eq(size_pid_mem(&v), 0);
	machine_free(m);
}
END_TEST

/* --- stat, status -----------------------------------------------------------
 */

/* The fields after the name, by their numbers; [0] is not used. */
static char **
stat_fields(show_fn show, const struct task *of)
{
	char *text = text_of(show, of), *after = strrchr(text, ')');
	char **fields;

	ck_assert_ptr_nonnull(after);
	ck_assert(g_str_has_suffix(text, "\n"));
	text[strlen(text) - 1] = '\0';
	fields = g_strsplit(after + 2, " ", -1);
	g_free(text);
	return fields;
}

#define FIELD(fields, number) ((fields)[(number)-3])

START_TEST(stat_has_52_fields_and_tells_sizes_and_faults)
{
	char **f, want[32];

	task_set_comm(t, "a) (b");
	f = stat_fields(show_pid_stat, t);
	ck_assert_uint_eq(g_strv_length(f), 50); /* and two before */
	ck_assert_str_eq(FIELD(f, 3), "R");
	ck_assert_str_eq(FIELD(f, 4), "1");
	snprintf(want, sizeof(want), "%llu",
		 (unsigned long long)t->mm->total_vm * 4096);
	ck_assert_str_eq(FIELD(f, 23), want);
	snprintf(want, sizeof(want), "%llu", (unsigned long long)mm_rss(t->mm));
	ck_assert_str_eq(FIELD(f, 24), want);
	ck_assert_str_eq(FIELD(f, 25), "18446744073709551615");
	ck_assert_str_eq(FIELD(f, 26), "4194304"); /* 0x400000 */
	ck_assert_str_eq(FIELD(f, 8), "-1");
	ck_assert_str_eq(FIELD(f, 38), "17");
	ck_assert_str_eq(FIELD(f, 20), "1");
	g_strfreev(f);
	tasks_fill(p.vm, t, tasks_map(p.vm, t, 5, VM_MAP_PRIVATE, NULL), 5);
	f = stat_fields(show_pid_stat, t);
	ck_assert_uint_eq(strtoull(FIELD(f, 10), NULL, 10), t->min_flt);
	ck_assert_uint_ge(t->min_flt, 5);
	g_strfreev(f);
}
END_TEST

START_TEST(a_process_has_the_faults_of_its_threads_and_they_have_their_own)
{
	struct task *thread = tasks_fork(t, TASK_SHARES_VM | TASK_THREAD);
	va_t at = tasks_map(p.vm, t, 8, VM_MAP_PRIVATE, NULL);
	uint64_t before = t->min_flt;
	char **f, *text;

	tasks_fill(p.vm, thread, at, 8);
	ck_assert_uint_eq(t->min_flt, before);
	f = stat_fields(show_pid_stat, t);
	ck_assert_uint_eq(strtoull(FIELD(f, 10), NULL, 10), before + 8);
	ck_assert_str_eq(FIELD(f, 20), "2");
	g_strfreev(f);
	f = stat_fields(show_tid_stat, thread);
	ck_assert_str_eq(FIELD(f, 10), "8");
	ck_assert_str_eq(FIELD(f, 38), "-1");
	g_strfreev(f);
	text = text_of(show_pid_status, thread);
	ck_assert_uint_eq(views_number(text, "Tgid:\t"), (uint64_t)t->pid);
	ck_assert_uint_eq(views_number(text, "Threads:\t"), 2);
	g_free(text);
}
END_TEST

START_TEST(a_zombie_has_no_memory_and_says_what_ended_it)
{
	char **f, *text;

	task_signal(t, VM_SIGKILL, 0, 0);
	ck_assert_int_eq(t->state, TASK_ZOMBIE);
	f = stat_fields(show_pid_stat, t);
	ck_assert_str_eq(FIELD(f, 3), "Z");
	ck_assert_str_eq(FIELD(f, 23), "0");
	ck_assert_str_eq(FIELD(f, 52), "9");
	g_strfreev(f);
	text = text_of(show_pid_status, t);
	ck_assert_ptr_nonnull(strstr(text, "State:\tZ (zombie)\n"));
	ck_assert_ptr_null(strstr(text, "VmRSS"));
	g_free(text);
	check_text(show_pid_maps, t, "");
	check_text(show_pid_statm, t, "0 0 0 0 0 0 0\n");
}
END_TEST

START_TEST(a_kernel_thread_has_no_memory_either)
{
	struct task *k = NULL;
	char **f;

	ck_assert_int_eq(task_kthread(p.vm, 0, "kswapd0", NULL, &k), 0);
	check_text(show_pid_comm, k, "kswapd0\n");
	check_text(show_pid_cmdline, k, "");
	check_text(show_pid_oom_score, k, "0\n");
	f = stat_fields(show_pid_stat, k);
	ck_assert_str_eq(FIELD(f, 9), "2097152"); /* PF_KTHREAD */
	g_strfreev(f);
}
END_TEST

START_TEST(status_tells_the_most_it_had)
{
	va_t at = tasks_map(p.vm, t, 64, VM_MAP_PRIVATE, NULL);
	uint64_t rss;
	char *text;

	tasks_fill(p.vm, t, at, 64);
	rss = mm_rss(t->mm) * 4;
	ck_assert_int_eq(vm_munmap(p.vm, t, at, 64 * VM_PAGE), 0);
	text = text_of(show_pid_status, t);
	ck_assert_uint_eq(views_number(text, "VmHWM:\t"), rss);
	ck_assert_uint_eq(views_number(text, "VmRSS:\t"), rss - 256);
	ck_assert_uint_ge(views_number(text, "VmPeak:\t"),
			  views_number(text, "VmSize:\t") + 256);
	g_free(text);
	ck_assert_int_eq(vm_clear_refs(p.vm, t, CLEAR_REFS_HIWATER_RSS, 0), 0);
	text = text_of(show_pid_status, t);
	ck_assert_uint_eq(views_number(text, "VmHWM:\t"), rss - 256);
	g_free(text);
}
END_TEST

START_TEST(rights_that_were_taken_away_are_missing_from_the_sets)
{
	char *text = text_of(show_pid_status, t);

	ck_assert_ptr_nonnull(strstr(text, "SigCgt:\t0000000000000440\n"));
	g_free(text);
	t->caps = CAP_IPC_LOCK_BIT | CAP_SYS_RAWIO_BIT | CAP_SYS_RESOURCE_BIT |
		  CAP_SYS_ADMIN_BIT | CAP_SYS_NICE_BIT;
	text = text_of(show_pid_status, t);
	ck_assert_ptr_nonnull(strstr(text, "CapEff:\t000001ffffffffff\n"));
	g_free(text);
	t->caps &= ~(uint64_t)CAP_IPC_LOCK_BIT;
	text = text_of(show_pid_status, t);
	ck_assert_ptr_nonnull(strstr(text, "CapEff:\t000001ffffffbfff\n"));
	g_free(text);
}
END_TEST

/* --- maps -------------------------------------------------------------------
 */

START_TEST(maps_has_names_in_column_74)
{
	va_t at = tasks_map(p.vm, t, 3, VM_MAP_SHARED, p.file);
	char *text, *line, want[128];

	(void)tasks_map(p.vm, t, 1, VM_MAP_SHARED, NULL);
	text = text_of(show_pid_maps, t);
	snprintf(want, sizeof(want), "%llx-%llx rw-s 00000000 08:01 %u ",
		 (unsigned long long)at, (unsigned long long)(at + 3 * VM_PAGE),
		 p.file->id);
	line = strstr(text, want);
	ck_assert_msg(line, "no %s in\n%s", want, text);
	ck_assert_int_eq(strncmp(line + 73, "/lib\n", 5), 0);
	ck_assert_ptr_nonnull(strstr(text, " /dev/zero (deleted)\n"));
	ck_assert_ptr_nonnull(strstr(text, " [stack]\n"));
	line = strstr(text, " r-xp ");
	ck_assert_int_eq(strncmp(line - 17, "00400000-00401000", 17), 0);
	g_free(text);
}
END_TEST

START_TEST(maps_of_a_small_machine_has_them_in_column_50)
{
	char *text, *at;

	machine_free(p.m);
	boot(HIGHMEM_MACHINE);
	text = text_of(show_pid_maps, t);
	at = strstr(text, "[stack]");
	ck_assert_ptr_nonnull(at);
	while (at > text && at[-1] != '\n')
		at--;
	ck_assert_int_eq(strncmp(at + 49, "[stack]\n", 8), 0);
	g_free(text);
}
END_TEST

START_TEST(smaps_tells_shares_between_a_parent_and_its_child)
{
	va_t at = tasks_map(p.vm, t, 6, VM_MAP_PRIVATE, NULL);
	struct task *child;
	char *area;

	tasks_fill(p.vm, t, at, 4);
	child = tasks_fork(t, 0);
	ck_assert_int_eq(tasks_touch(p.vm, child, at, true), 0);
	area = smaps_of(child, at);
	ck_assert_uint_eq(views_number(area, "\nSize:"), 24);
	ck_assert_uint_eq(views_number(area, "\nRss:"), 16);
	ck_assert_uint_eq(views_number(area, "\nPss:"), 4 + 3 * 2);
	ck_assert_uint_eq(views_number(area, "Shared_Dirty:"), 12);
	ck_assert_uint_eq(views_number(area, "Private_Dirty:"), 4);
	ck_assert_uint_eq(views_number(area, "Anonymous:"), 16);
	ck_assert_uint_eq(views_number(area, "KernelPageSize:"), 4);
	ck_assert_ptr_nonnull(strstr(area, "THPeligible:    0\n"));
	ck_assert_ptr_nonnull(strstr(area, "VmFlags: rd wr mr mw me ac sd "));
	g_free(area);
}
END_TEST

START_TEST(locked_pages_count_by_their_share)
{
	va_t at = tasks_map(p.vm, t, 4, VM_MAP_PRIVATE, NULL);
	char *area;

	ck_assert_int_eq(vm_mlock(p.vm, t, at, 2 * VM_PAGE, false), 0);
	area = smaps_of(t, at);
	ck_assert_uint_eq(views_number(area, "Locked:"), 8);
	ck_assert_ptr_nonnull(strstr(area, " lo "));
	g_free(area);
	area = text_of(show_pid_status, t);
	ck_assert_uint_eq(views_number(area, "VmLck:\t"), 8);
	g_free(area);
}
END_TEST

START_TEST(the_rollup_spans_all_areas)
{
	char *rollup = text_of(show_pid_smaps_rollup, t);
	const struct vma *first = g_ptr_array_index(t->mm->areas, 0);
	const struct vma *last =
		g_ptr_array_index(t->mm->areas, t->mm->areas->len - 1);
	char want[80];

	snprintf(want, sizeof(want), "%08llx-%llx ---p 00000000 00:00 0 ",
		 (unsigned long long)first->start,
		 (unsigned long long)last->end);
	ck_assert_msg(g_str_has_prefix(rollup, want), "%s", rollup);
	ck_assert_int_eq(strncmp(rollup + 73, "[rollup]\nRss: ", 14), 0);
	ck_assert_ptr_nonnull(strstr(rollup, "Pss_Shmem:"));
	g_free(rollup);
}
END_TEST

START_TEST(numa_maps_tells_policies_and_nodes)
{
	char *text, *line, want[40];
	va_t at;

	machine_free(p.m);
	boot(NUMA_MACHINE);
	at = tasks_map(p.vm, t, 4, VM_MAP_PRIVATE, NULL);
	ck_assert_int_eq(vm_mbind(p.vm, t, at, 4 * VM_PAGE, MPOL_BIND, 2, 0),
			 0);
	tasks_fill(p.vm, t, at, 3);
	text = text_of(show_pid_numa_maps, t);
	snprintf(want, sizeof(want), "%08llx ", (unsigned long long)at);
	line = strstr(text, want);
	ck_assert_msg(line, "no %s in\n%s", want, text);
	line = strchr(line, ' ');
	*strchr(line, '\n') = '\0';
	ck_assert_str_eq(line, " bind:1 anon=3 dirty=3 active=0 N1=3 "
			       "kernelpagesize_kB=4");
	g_free(text);
	text = text_of(show_pid_numa_maps, t);
	ck_assert_ptr_nonnull(strstr(text, " default stack"));
	g_free(text);
}
END_TEST

/* --- pagemap, mem ------------------------------------------------------------
 */

START_TEST(pagemap_tells_frames_and_whose_they_are)
{
	va_t at = tasks_map(p.vm, t, 4, VM_MAP_PRIVATE, NULL);
	va_t of = tasks_map(p.vm, t, 4, VM_MAP_SHARED, p.file);
	struct vm_leaf leaf;
	uint64_t e;

	tasks_fill(p.vm, t, at, 1);
	ck_assert_int_eq(tasks_touch(p.vm, t, at + VM_PAGE, false), 0);
	tasks_fill(p.vm, t, of, 1);
	ck_assert(vm_leaf(p.vm, t->mm, at, &leaf));
	e = entry_at(t, at);
	ck_assert_uint_eq(e, leaf.pfn | PRESENT | EXCLUSIVE | SOFT_DIRTY);
	/* Only read: the zero page, which is nobody's. */
	e = entry_at(t, at + VM_PAGE);
	ck_assert_uint_eq(e & PFN_MASK, p.vm->zero_page);
	ck_assert_uint_eq(e & (PRESENT | EXCLUSIVE | OF_FILE), PRESENT);
	/* A new area counts as written, even where nothing is. */
	ck_assert_uint_eq(entry_at(t, at + 2 * VM_PAGE), SOFT_DIRTY);
	e = entry_at(t, of);
	ck_assert_uint_eq(e & ~PFN_MASK & ~SOFT_DIRTY,
			  PRESENT | EXCLUSIVE | OF_FILE);
	(void)tasks_fork(t, 0);
	ck_assert_uint_eq(entry_at(t, at) & EXCLUSIVE, 0);
}
END_TEST

START_TEST(pagemap_takes_whole_words_and_ends_with_the_address_space)
{
	struct view v = {.m = p.m, .key = {(uint64_t)t->pid}};
	uint64_t words[4], size = size_pid_pagemap(&v);

	ck_assert_uint_eq(size, (0x7ffffffff000ULL >> 12) * 8);
	ck_assert_int_eq(read_pid_pagemap(&v, words, 8, 4), -EINVAL);
	ck_assert_int_eq(read_pid_pagemap(&v, words, 12, 0), -EINVAL);
	ck_assert_int_eq(read_pid_pagemap(&v, words, 32, size - 8), 8);
	ck_assert_int_eq(read_pid_pagemap(&v, words, 8, size), 0);
	ck_assert_int_eq(read_pid_pagemap(&v, words, 8, UINT64_MAX - 7), 0);
}
END_TEST

START_TEST(pagemap_is_the_same_however_it_is_read)
{
	enum { PAGES = 40 };
	struct view v = {.m = p.m, .key = {(uint64_t)t->pid}};
	va_t at = tasks_map(p.vm, t, PAGES, VM_MAP_PRIVATE, NULL) - 2 * VM_PAGE;
	uint64_t all[PAGES + 4];

	for (va_t i = 2; i < PAGES; i += 3)
		tasks_fill(p.vm, t, at + i * VM_PAGE, 1);
	ck_assert_int_eq(read_pid_pagemap(&v, all, sizeof(all),
					  (at >> VM_PAGE_SHIFT) * 8),
			 (ssize_t)sizeof(all));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		ck_assert_uint_eq(all[i], entry_at(t, at + i * VM_PAGE));
}
END_TEST

START_TEST(data_of_pagemap_and_mem_begins_where_areas_do)
{
	struct view v = {.m = p.m, .key = {(uint64_t)t->pid}};
	const struct vma *last =
		g_ptr_array_index(t->mm->areas, t->mm->areas->len - 1);
	uint64_t data;

	ck_assert(next_pid_mem(&v, 0, &data));
	ck_assert_uint_eq(data, 0x400000);
	ck_assert(next_pid_mem(&v, 0x400123, &data));
	ck_assert_uint_eq(data, 0x400123);
	ck_assert(!next_pid_mem(&v, last->end, &data));
	ck_assert(next_pid_pagemap(&v, 0, &data));
	ck_assert_uint_eq(data, 0x400 * 8);
}
END_TEST

START_TEST(mem_is_the_bytes_of_the_task)
{
	struct view v = {.m = p.m, .key = {(uint64_t)t->pid}};
	va_t at = tasks_map(p.vm, t, 2, VM_MAP_PRIVATE, NULL);
	char bytes[8] = "";

	ck_assert_uint_eq(vm_copy_to_user(p.vm, t, at + 4090, "0123456789", 10),
			  10);
	ck_assert_int_eq(read_pid_mem(&v, bytes, 7, at + 4092), 7);
	ck_assert_str_eq(bytes, "2345678");
	ck_assert_int_eq(read_pid_mem(&v, bytes, 7, 0x1000), -EIO);
	/* A read stops where nothing is mapped. */
	ck_assert_int_eq(read_pid_mem(&v, bytes, 8, 0x400ffc + 0x1000), 4);
}
END_TEST

/* --- what is written
 * ---------------------------------------------------------- */

START_TEST(clear_refs_4_shows_what_is_written_from_then_on)
{
	static const uint64_t kinds[] = {VM_MAP_PRIVATE, VM_MAP_SHARED};
	va_t at = tasks_map(p.vm, t, 4, kinds[_i], NULL);

	tasks_fill(p.vm, t, at, 4);
	ck_assert_int_eq(vm_clear_refs(p.vm, t, CLEAR_REFS_SOFT_DIRTY, 0), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(
			entry_at(t, at + (va_t)i * VM_PAGE) & SOFT_DIRTY, 0);
	ck_assert_int_eq(tasks_touch(p.vm, t, at, false), 0);
	ck_assert_int_eq(tasks_touch(p.vm, t, at + VM_PAGE, true), 0);
	ck_assert_uint_eq(entry_at(t, at) & SOFT_DIRTY, 0);
	ck_assert_uint_eq(entry_at(t, at + VM_PAGE) & SOFT_DIRTY, SOFT_DIRTY);
	/* Taking rights away and giving them back does not hide a write. */
	ck_assert_int_eq(vm_mprotect(p.vm, t, at, 4 * VM_PAGE, VM_PROT_READ),
			 0);
	ck_assert_int_eq(vm_mprotect(p.vm, t, at, 4 * VM_PAGE,
				     VM_PROT_READ | VM_PROT_WRITE),
			 0);
	ck_assert_int_eq(tasks_touch(p.vm, t, at + 2 * VM_PAGE, true), 0);
	ck_assert_uint_eq(entry_at(t, at + 2 * VM_PAGE) & SOFT_DIRTY,
			  SOFT_DIRTY);
	ck_assert_uint_eq(entry_at(t, at) & SOFT_DIRTY, 0);
}
END_TEST

START_TEST(clear_refs_1_forgets_who_was_referenced)
{
	va_t at = tasks_map(p.vm, t, 4, VM_MAP_PRIVATE, NULL);
	char *area;

	tasks_fill(p.vm, t, at, 4);
	area = smaps_of(t, at);
	ck_assert_uint_eq(views_number(area, "Referenced:"), 16);
	g_free(area);
	ck_assert_int_eq(vm_clear_refs(p.vm, t, CLEAR_REFS_MAPPED, 0), 0);
	area = smaps_of(t, at);
	ck_assert_uint_eq(views_number(area, "Referenced:"), 16);
	g_free(area);
	ck_assert_int_eq(vm_clear_refs(p.vm, t, CLEAR_REFS_ANON, 0), 0);
	area = smaps_of(t, at);
	ck_assert_uint_eq(views_number(area, "Referenced:"), 0);
	g_free(area);
	ck_assert_int_eq(vm_clear_refs(p.vm, t, 0, 0), -EINVAL);
	ck_assert_int_eq(vm_clear_refs(p.vm, t, NR_CLEAR_REFS, 0), -EINVAL);
}
END_TEST

START_TEST(the_largest_task_has_the_highest_oom_score)
{
	struct task *big = tasks_fork(p.task[0], 0);
	char *small_score, *big_score;

	tasks_fill(p.vm, big, tasks_map(p.vm, big, 4096, VM_MAP_PRIVATE, NULL),
		   4096);
	small_score = text_of(show_pid_oom_score, t);
	big_score = text_of(show_pid_oom_score, big);
	/* 1000 are nothing used and nothing adjusted, scaled by 2/3. */
	ck_assert_str_eq(small_score, "666\n");
	ck_assert_int_gt(atoi(big_score), 666);
	g_free(small_score);
	g_free(big_score);
	check_text(show_pid_oom_score, p.task[0], "0\n");
	ck_assert_int_eq(task_set_oom_score_adj(big, -1000), 0);
	check_text(show_pid_oom_score, big, "0\n");
	check_text(show_pid_oom_score_adj, big, "-1000\n");
}
END_TEST

START_TEST(oom_score_adj_is_that_of_all_who_share_the_memory)
{
	struct task *thread = tasks_fork(t, TASK_SHARES_VM | TASK_THREAD);
	struct task *vfork = tasks_fork(t, TASK_SHARES_VM);
	struct task *child = tasks_fork(t, 0);

	ck_assert_int_eq(task_set_oom_score_adj(thread, 300), 0);
	ck_assert_int_eq(t->oom_score_adj, 300);
	ck_assert_int_eq(vfork->oom_score_adj, 300);
	ck_assert_int_eq(child->oom_score_adj, 0);
	ck_assert_int_eq(task_set_oom_score_adj(t, 1001), -EINVAL);
	ck_assert_int_eq(task_set_oom_score_adj(t, -1001), -EINVAL);
	ck_assert_int_eq(t->oom_score_adj, 300);
}
END_TEST

START_TEST(a_name_is_cut_to_15_characters)
{
	ck_assert_int_eq(views_do(p.m,
				  "task/comm %d a name of twenty characters",
				  t->pid),
			 0);
	check_text(show_pid_comm, t, "a name of twent\n");
	ck_assert_int_ne(views_do(p.m, "task/comm %d bell\a", t->pid), 0);
	check_text(show_pid_comm, t, "a name of twent\n");
}
END_TEST

START_TEST(a_write_to_mem_goes_where_the_task_may_write)
{
	va_t at = tasks_map(p.vm, t, 1, VM_MAP_PRIVATE, NULL);
	struct view v = {.m = p.m, .key = {(uint64_t)t->pid}};
	char bytes[6] = "";

	ck_assert_int_eq(views_do(p.m, "task/mem_write %d 0x%llx hello", t->pid,
				  (unsigned long long)at),
			 0);
	ck_assert_int_eq(read_pid_mem(&v, bytes, 5, at), 5);
	ck_assert_str_eq(bytes, "hello");
	ck_assert_int_eq(
		views_do(p.m, "task/mem_write %d 0x1000 hello", t->pid), -EIO);
}
END_TEST

/* --- who is there ------------------------------------------------------------
 */

START_TEST(every_thread_is_found_and_the_first_of_a_group_is_listed)
{
	struct task *thread = tasks_fork(t, TASK_SHARES_VM | TASK_THREAD);
	struct view v = {.m = p.m};
	uint64_t value = 0;
	char name[16];

	ck_assert(key_proc.next(&v, true, 0, &value));
	ck_assert_uint_eq(value, 1);
	ck_assert(key_proc.next(&v, false, value, &value));
	ck_assert_uint_eq(value, (uint64_t)t->pid);
	ck_assert(!key_proc.next(&v, false, value, &value));
	snprintf(name, sizeof(name), "%d", thread->pid);
	ck_assert(key_proc.parse(&v, name, &value));
	ck_assert(!key_proc.parse(&v, "0", &value));
	ck_assert(!key_proc.parse(&v, "4194305", &value));
	v.key[0] = (uint64_t)t->pid;
	ck_assert(key_thread.next(&v, true, 0, &value));
	ck_assert(key_thread.next(&v, false, value, &value));
	ck_assert_uint_eq(value, (uint64_t)thread->pid);
	ck_assert(!key_thread.next(&v, false, value, &value));
	ck_assert(!key_thread.parse(&v, "1", &value));
}
END_TEST

START_TEST(stat_and_loadavg_count_tasks_and_switches)
{
	char *text = views_text(p.m, show_proc_stat, 0, 0);
	uint64_t processes = views_number(text, "processes ");
	uint64_t switches = views_number(text, "ctxt ");
	struct task *child;

	ck_assert_uint_eq(views_number(text, "procs_running "), 2);
	g_free(text);
	text = views_text(p.m, show_loadavg, 0, 0);
	ck_assert_str_eq(text, "0.00 0.00 0.00 2/2 2\n");
	g_free(text);
	child = tasks_fork(t, 0);
	ck_assert_int_eq(vm_switch_to(p.vm, 0, child), 0);
	ck_assert_int_eq(task_exit(child, true), 0);
	text = views_text(p.m, show_proc_stat, 0, 0);
	ck_assert_uint_eq(views_number(text, "processes "), processes + 1);
	ck_assert_uint_eq(views_number(text, "ctxt "), switches + 1);
	ck_assert_uint_eq(views_number(text, "procs_running "), 2);
	g_free(text);
}
END_TEST

Suite *
suite_proc(void)
{
	Suite *s = suite_create("proc");
	TCase *c = tcase_create("proc");

	tcase_add_test(c, the_first_task_has_no_memory_before_it_is_used);
	suite_add_tcase(s, c);
	c = tcase_create("tasks");
	tcase_add_checked_fixture(c, boot_small, end);
	tcase_add_test(c, stat_has_52_fields_and_tells_sizes_and_faults);
	tcase_add_test(
		c,
		a_process_has_the_faults_of_its_threads_and_they_have_their_own);
	tcase_add_test(c, a_zombie_has_no_memory_and_says_what_ended_it);
	tcase_add_test(c, a_kernel_thread_has_no_memory_either);
	tcase_add_test(c, status_tells_the_most_it_had);
	tcase_add_test(c,
		       rights_that_were_taken_away_are_missing_from_the_sets);
	tcase_add_test(c, maps_has_names_in_column_74);
	tcase_add_test(c, maps_of_a_small_machine_has_them_in_column_50);
	tcase_add_test(c, smaps_tells_shares_between_a_parent_and_its_child);
	tcase_add_test(c, locked_pages_count_by_their_share);
	tcase_add_test(c, the_rollup_spans_all_areas);
	tcase_add_test(c, numa_maps_tells_policies_and_nodes);
	tcase_add_test(c, pagemap_tells_frames_and_whose_they_are);
	tcase_add_test(
		c, pagemap_takes_whole_words_and_ends_with_the_address_space);
	tcase_add_test(c, pagemap_is_the_same_however_it_is_read);
	tcase_add_test(c, data_of_pagemap_and_mem_begins_where_areas_do);
	tcase_add_test(c, mem_is_the_bytes_of_the_task);
	tcase_add_loop_test(c, clear_refs_4_shows_what_is_written_from_then_on,
			    0, 2);
	tcase_add_test(c, clear_refs_1_forgets_who_was_referenced);
	tcase_add_test(c, the_largest_task_has_the_highest_oom_score);
	tcase_add_test(c, oom_score_adj_is_that_of_all_who_share_the_memory);
	tcase_add_test(c, a_name_is_cut_to_15_characters);
	tcase_add_test(c, a_write_to_mem_goes_where_the_task_may_write);
	tcase_add_test(
		c, every_thread_is_found_and_the_first_of_a_group_is_listed);
	tcase_add_test(c, stat_and_loadavg_count_tasks_and_switches);
	suite_add_tcase(s, c);
	return s;
}
