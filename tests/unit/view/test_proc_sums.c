// SPDX-License-Identifier: MIT
/*
 * test_proc_sums.c - what the files of all tasks and frames say adds up,
 * whatever programs did
 */
#include "unit/view/tasks.h"

#include "kmemfs/vm/thp.h"

Suite *suite_proc_sums(void);

#define PRESENT (1ULL << 63)
#define PFN_MASK ((1ULL << 55) - 1)

enum { PROGRAMS = 24, STEPS = 220 };

static const char *const machines[] = {
	NUMA_MACHINE,
	HIGHMEM_MACHINE,
	"[machine]\narch = i386-pae\nmemory = 4G\ncpus = 2\n",
	"[machine]\narch = x86-64\nmemory = 256M\ncpus = 1\n",
};

static struct program p;

/* Each machine without huge pages, then with them. */
static void
run_program(int i)
{
	bool huge = i / (int)ARRAY_SIZE(machines) % 2;
	struct machine *m = views_boot(machines[i % ARRAY_SIZE(machines)]);

	program_begin(&p, m, 77 + (unsigned int)i);
	p.huge = huge;
	if (huge && m->vm->thp)
		ck_assert_int_eq(thp_set_enabled(m->vm, THP_ALWAYS), 0);
	program_run(&p, STEPS);
}

static char *
text_of(show_fn show, const struct task *t)
{
	return views_text(p.m, show, (uint64_t)t->pid, (uint64_t)t->pid);
}

static uint64_t
number_of(show_fn show, const struct task *t, const char *label)
{
	char *text = text_of(show, t);
	uint64_t number = views_number(text, label);

	g_free(text);
	return number;
}

static uint64_t
sum_of(show_fn show, const struct task *t, const char *label)
{
	char *text = text_of(show, t);
	uint64_t sum = views_sum(text, label);

	g_free(text);
	return sum;
}

/* Call @fn for each present page of @t's areas, as pagemap has them. */
static void
each_page(const struct task *t, void (*fn)(void *user, uint64_t entry),
	  void *user)
{
	struct view v = {.m = p.m, .key = {(uint64_t)t->pid}};

	for (guint i = 0; i < t->mm->areas->len; i++) {
		const struct vma *a = g_ptr_array_index(t->mm->areas, i);
		uint64_t nr = vma_pages(a);
		uint64_t *words = g_new(uint64_t, nr);

		ck_assert_int_eq(
			read_pid_pagemap(&v, words, nr * 8,
					 (a->start >> VM_PAGE_SHIFT) * 8),
			(ssize_t)(nr * 8));
		for (uint64_t n = 0; n < nr; n++)
			if (words[n] & PRESENT)
				fn(user, words[n]);
		g_free(words);
	}
}

static uint64_t
word_of(ssize_t (*read)(const struct view *v, void *to, size_t len,
			uint64_t at),
	pfn_t pfn)
{
	struct view v = {.m = p.m};
	uint64_t word = 0;

	ck_assert_int_eq(read(&v, &word, 8, pfn * 8), 8);
	return word;
}

static void
count_resident(void *user, uint64_t entry)
{
	/* The zero page is nobody's. */
	*(uint64_t *)user += (entry & PFN_MASK) != p.vm->zero_page;
}

static void
check_rss(const struct task *t)
{
	uint64_t rss = mm_rss(t->mm), shared, mapped = 0;
	char *statm = text_of(show_pid_statm, t), *rest;
	char *numa = text_of(show_pid_numa_maps, t);

	ck_assert_uint_eq(strtoull(statm, &rest, 10), t->mm->total_vm);
	ck_assert_uint_eq(strtoull(rest, &rest, 10), rss);
	shared = strtoull(rest, &rest, 10);
	ck_assert_uint_eq(number_of(show_pid_status, t, "VmRSS:"), rss * 4);
	ck_assert_uint_eq(number_of(show_pid_status, t, "RssAnon:") +
				  shared * 4,
			  rss * 4);
	ck_assert_uint_eq(number_of(show_pid_status, t, "VmSize:"),
			  t->mm->total_vm * 4);
	ck_assert_uint_eq(sum_of(show_pid_smaps, t, "\nRss:"), rss * 4);
	ck_assert_uint_eq(sum_of(show_pid_smaps, t, "\nSize:"),
			  t->mm->total_vm * 4);
	ck_assert_uint_eq(number_of(show_pid_smaps_rollup, t, "\nRss:"),
			  rss * 4);
	ck_assert_uint_eq(tasks_numa_pages(numa), rss);
	each_page(t, count_resident, &mapped);
	ck_assert_uint_eq(mapped, rss);
	g_free(statm);
	g_free(numa);
}

START_TEST(resident_pages_are_the_same_number_everywhere)
{
	uint64_t all = 0;

	run_program(_i);
	for (unsigned int i = 0; i < p.nr; i++) {
		check_rss(p.task[i]);
		all += mm_rss(p.task[i]->mm);
	}
	ck_assert_uint_gt(all, 0);
	machine_free(p.m);
}
END_TEST

START_TEST(resident_bytes_are_clean_or_dirty_private_or_shared)
{
	run_program(_i);
	for (unsigned int i = 0; i < p.nr; i++) {
		char *text = text_of(show_pid_smaps_rollup, p.task[i]);

		ck_assert_uint_eq(views_number(text, "\nRss:"),
				  views_number(text, "Shared_Clean:") +
					  views_number(text, "Shared_Dirty:") +
					  views_number(text, "Private_Clean:") +
					  views_number(text, "Private_Dirty:"));
		ck_assert_uint_le(views_number(text, "\nPss:"),
				  views_number(text, "\nRss:"));
		ck_assert_uint_eq(
			views_number(text, "\nAnonymous:"),
			number_of(show_pid_status, p.task[i], "RssAnon:"));
		g_free(text);
	}
	machine_free(p.m);
}
END_TEST

/* Threads have one address space between them: it counts once. */
static bool
is_first_of_mm(unsigned int i)
{
	for (unsigned int j = 0; j < i; j++)
		if (p.task[j]->mm == p.task[i]->mm)
			return false;
	return true;
}

START_TEST(the_shares_of_all_tasks_add_up_to_the_pages_that_are_mapped)
{
	uint64_t pss = 0, mapped;
	unsigned int spaces = 0;
	char *meminfo;

	run_program(_i);
	meminfo = views_text(p.m, show_meminfo, 0, 0);
	mapped = views_number(meminfo, "AnonPages:") +
		 views_number(meminfo, "Mapped:");
	for (unsigned int i = 0; i < p.nr; i++)
		if (is_first_of_mm(i)) {
			spaces++;
			pss += number_of(show_pid_smaps_rollup, p.task[i],
					 "\nPss:");
		}
	/* Each sum is cut down to whole KiB. */
	ck_assert_uint_le(pss, mapped);
	ck_assert_uint_ge(pss + spaces, mapped);
	ck_assert_uint_gt(mapped, 0);
	g_free(meminfo);
	machine_free(p.m);
}
END_TEST

static void
count_pfn(void *user, uint64_t entry)
{
	gpointer key = GSIZE_TO_POINTER(entry & PFN_MASK);
	gsize before = GPOINTER_TO_SIZE(g_hash_table_lookup(user, key));

	if ((entry & PFN_MASK) != p.vm->zero_page)
		g_hash_table_insert(user, key, GSIZE_TO_POINTER(before + 1));
}

START_TEST(kpagecount_is_the_number_of_entries_in_all_tables)
{
	GHashTable *entries = g_hash_table_new(NULL, NULL);
	uint64_t frames = 0, counted = 0;

	run_program(_i);
	/* Something is shared for sure. */
	if (p.nr < TASKS_MOST) {
		p.task[p.nr] = tasks_fork(p.task[p.nr - 1], 0);
		p.nr++;
	}
	for (unsigned int i = 0; i < p.nr; i++)
		if (is_first_of_mm(i))
			each_page(p.task[i], count_pfn, entries);
	for (pfn_t pfn = 0; pfn < p.m->phys->max_pfn; pfn++) {
		gsize want = GPOINTER_TO_SIZE(
			g_hash_table_lookup(entries, GSIZE_TO_POINTER(pfn)));
		struct view v = {.m = p.m};
		static uint64_t words[4096];

		if (pfn % 4096 == 0)
			ck_assert_int_gt(read_kpagecount(&v, words,
							 sizeof(words),
							 pfn * 8),
					 0);
		ck_assert_uint_eq(words[pfn % 4096], want);
		frames += want > 0;
		counted += want;
	}
	ck_assert_uint_gt(frames, 0);
	ck_assert_uint_gt(counted, frames); /* some are shared */
	g_hash_table_destroy(entries);
	machine_free(p.m);
}
END_TEST

/* A frame's mappings file names each of its entries, and they are there. */
static void
check_mappings(pfn_t pfn)
{
	char *text = views_text(p.m, show_page_mappings, pfn, 0);
	char *info = views_text(p.m, show_page_info, pfn, 0);
	char **rows = g_strsplit(text, "\n", -1);
	uint64_t nr = 0;

	ck_assert_str_eq(rows[0], "task address entry_at entry rights name");
	for (char **row = rows + 1; **row; row++, nr++) {
		char **word = g_strsplit(*row, " ", 4);
		const struct task *t = task_find(p.vm, atoi(word[0]));
		struct view v = {.m = p.m, .key = {(uint64_t)t->pid}};
		uint64_t va = strtoull(word[1], NULL, 0), entry = 0;

		ck_assert_int_eq(read_pid_pagemap(&v, &entry, 8,
						  (va >> VM_PAGE_SHIFT) * 8),
				 8);
		ck_assert_uint_eq(entry & PFN_MASK, pfn);
		g_strfreev(word);
	}
	ck_assert_uint_eq(nr, word_of(read_kpagecount, pfn));
	ck_assert_uint_eq(nr, views_number(info, "mapcount "));
	g_strfreev(rows);
	g_free(info);
	g_free(text);
}

static void
check_frame(void *user, uint64_t entry)
{
	(void)user;
	if ((entry & PFN_MASK) != p.vm->zero_page)
		check_mappings(entry & PFN_MASK);
}

START_TEST(the_way_back_from_a_frame_finds_every_entry)
{
	run_program(_i);
	for (unsigned int i = 0; i < p.nr; i++)
		each_page(p.task[i], check_frame, NULL);
	machine_free(p.m);
}
END_TEST

/* Frames with each flag of kpageflags; MMAP apart for those with ANON. */
struct flag_counts {
	uint64_t anon_mapped, other_mapped, tables, mlocked, lru, active;
};

static struct flag_counts
count_flags(void)
{
	enum { WORDS = 8192 };
	static uint64_t words[WORDS];
	struct view v = {.m = p.m};
	struct flag_counts c = {0};
	uint64_t at = 0;
	ssize_t got;

	while ((got = read_kpageflags(&v, words, sizeof(words), at)) > 0) {
		for (ssize_t i = 0; i < got / 8; i++) {
			uint64_t w = words[i];
			bool anon = w >> 12 & 1, mapped = w >> 11 & 1;

			c.anon_mapped += mapped && anon;
			c.other_mapped += mapped && !anon;
			c.tables += w >> 26 & 1;
			c.mlocked += w >> 33 & 1;
			c.lru += w >> 5 & 1;
			c.active += w >> 6 & 1;
		}
		at += (uint64_t)got;
	}
	return c;
}

/* Of a huge page only the first frame has the flags of all: small ones. */
START_TEST(meminfo_counts_what_kpageflags_marks)
{
	struct flag_counts c;
	char *meminfo, *vmstat;
	uint64_t lru;

	run_program(_i % (int)ARRAY_SIZE(machines));
	c = count_flags();
	meminfo = views_text(p.m, show_meminfo, 0, 0);
	vmstat = views_text(p.m, show_vmstat, 0, 0);
	ck_assert_uint_eq(views_number(meminfo, "AnonPages:"),
			  c.anon_mapped * 4);
	ck_assert_uint_eq(views_number(meminfo, "Mapped:"), c.other_mapped * 4);
	ck_assert_uint_eq(views_number(meminfo, "Mlocked:"), c.mlocked * 4);
	lru = views_number(meminfo, "Active:") +
	      views_number(meminfo, "Inactive:") +
	      views_number(meminfo, "Unevictable:");
	ck_assert_uint_eq(lru, c.lru * 4);
	ck_assert_uint_eq(views_number(meminfo, "\nActive:"), c.active * 4);
	ck_assert_uint_eq(views_number(vmstat, "nr_page_table_pages "),
			  views_number(meminfo, "PageTables:") / 4);
	ck_assert_uint_eq(views_number(meminfo, "PageTables:"), c.tables * 4);
	g_free(meminfo);
	g_free(vmstat);
	machine_free(p.m);
}
END_TEST

START_TEST(what_is_promised_is_what_the_tasks_asked_for)
{
	uint64_t promised = 0, stacks = 0;
	char *meminfo;

	run_program(_i);
	meminfo = views_text(p.m, show_meminfo, 0, 0);
	for (unsigned int i = 0; i < p.nr; i++) {
		GPtrArray *areas = p.task[i]->mm->areas;

		stacks += p.vm->layout.stack_bytes >> 10;
		for (guint n = 0; is_first_of_mm(i) && n < areas->len; n++) {
			const struct vma *v = g_ptr_array_index(areas, n);

			if (v->flags & VM_ACCOUNT)
				promised += vma_pages(v) * 4;
		}
	}
	/* Shared anonymous memory is promised once, by what it is part of. */
	ck_assert_uint_ge(views_number(meminfo, "Committed_AS:"), promised);
	ck_assert_uint_eq(views_number(meminfo, "Committed_AS:"),
			  p.vm->committed * 4);
	ck_assert_uint_eq(views_number(meminfo, "CommitLimit:"),
			  views_number(meminfo, "MemTotal:") / 8 * 4);
	ck_assert_uint_eq(views_number(meminfo, "KernelStack:"), stacks);
	g_free(meminfo);
	machine_free(p.m);
}
END_TEST

/* One area of 4 MiB that a huge page can lie in. */
START_TEST(a_huge_page_counts_512_pages_and_one_entry_each)
{
	struct machine *m = views_boot(machines[3]);
	struct task *t;
	uint64_t rss;
	char *rollup;
	va_t at;

	program_begin(&p, m, 1);
	ck_assert_int_eq(thp_set_enabled(m->vm, THP_ALWAYS), 0);
	t = tasks_fork(p.task[0], 0);
	at = tasks_map(m->vm, t, 1024, VM_MAP_PRIVATE, NULL);
	at = round_up_to(at, MIB(2));
	ck_assert_int_eq(tasks_touch(m->vm, t, at, true), 0);
	check_rss(t);
	rss = mm_rss(t->mm);
	ck_assert_uint_ge(rss, 512);
	rollup = text_of(show_pid_smaps_rollup, t);
	ck_assert_uint_eq(views_number(rollup, "AnonHugePages:"), 2048);
	g_free(rollup);
	/* A child maps it too, then each has a half of it. */
	p.task[1] = tasks_fork(t, 0);
	ck_assert_uint_eq(
		sum_of(show_pid_smaps_rollup, t, "\nPss_Anon:"),
		sum_of(show_pid_smaps_rollup, p.task[1], "\nPss_Anon:"));
	check_rss(p.task[1]);
	/* Any frame of it leads back to both. */
	each_page(t, check_frame, NULL);
	machine_free(m);
}
END_TEST

Suite *
suite_proc_sums(void)
{
	Suite *s = suite_create("proc_sums");
	TCase *t = tcase_create("proc_sums");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, resident_pages_are_the_same_number_everywhere, 0,
			    PROGRAMS);
	tcase_add_loop_test(
		t, resident_bytes_are_clean_or_dirty_private_or_shared, 0, 8);
	tcase_add_loop_test(
		t, the_shares_of_all_tasks_add_up_to_the_pages_that_are_mapped,
		0, PROGRAMS);
	tcase_add_loop_test(
		t, kpagecount_is_the_number_of_entries_in_all_tables, 0, 8);
	tcase_add_loop_test(t, the_way_back_from_a_frame_finds_every_entry, 0,
			    8);
	tcase_add_loop_test(t, meminfo_counts_what_kpageflags_marks, 0, 8);
	tcase_add_loop_test(t, what_is_promised_is_what_the_tasks_asked_for, 0,
			    8);
	tcase_add_test(t, a_huge_page_counts_512_pages_and_one_entry_each);
	suite_add_tcase(s, t);
	return s;
}
