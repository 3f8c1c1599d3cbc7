// SPDX-License-Identifier: MIT
/* test_tasks.c - what tasks/PID tells: areas, bytes, look-ups of addresses */
#include "unit/view/views.h"

#include "kmemfs/vm/walk.h"

#include <inttypes.h>

Suite *suite_tasks(void);

#define SMALL_MACHINE "[machine]\narch = x86-64\nmemory = 64M\ncpus = 2\n"

static struct machine *m;
static struct task *sh;

static void
boot(const char *text)
{
	m = views_boot(text);
	ck_assert_int_eq(views_do(m, "task/fork name=sh"), 0);
	ck_assert_int_eq(views_do(m, "task/run sh cpu=0"), 0);
	sh = task_named(m->vm, "sh");
}

static va_t
map(const char *words)
{
	ck_assert_int_eq(views_do(m, "vm/mmap sh %s name=heap", words), 0);
	return allocation_find(m, "heap")->address;
}

static char *
translate(const struct task *t, va_t va)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];
	char *text;

	machine_digest(m, before);
	text = views_text(m, show_task_translate, (uint64_t)t->pid, va);
	machine_digest(m, after);
	ck_assert_str_eq(before, after);
	return text;
}

/* The line of @text that begins with @start. */
static void
assert_line(char *text, const char *start, const char *holds)
{
	char *at = text, *end;

	while (at && !g_str_has_prefix(at, start)) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	ck_assert_msg(at, "no %s in %s", start, text);
	end = strchr(at, '\n');
	ck_assert_ptr_nonnull(end);
	*end = '\0';
	ck_assert_msg(strstr(at, holds), "no \"%s\" in \"%s\"", holds, at);
	*end = '\n';
}

static void
assert_look(va_t va, const char *start, const char *holds)
{
	char *text = translate(sh, va);

	assert_line(text, start, holds);
	g_free(text);
}

/* --- look-ups ---------------------------------------------------------------
 */

START_TEST(what_was_never_touched_is_a_fault_that_brings_zeros)
{
	va_t va;

	boot(SMALL_MACHINE);
	va = map("10M");
	assert_look(va, "read: ", "fault 0x4 (not present, read, user mode)");
	assert_look(va, "read: ", ": the zero page");
	assert_look(va, "write: ", ": a page of zeros of its own");
	assert_look(va, "execute: ", "SIGSEGV, SEGV_ACCERR");
	assert_look(va, "TLB of CPU 0, data: ", "miss");
	machine_free(m);
}
END_TEST

START_TEST(huge_pages_come_where_the_policy_and_the_area_let_them)
{
	va_t huge;

	/* Machines below 512 MiB have none unless they are told to. */
	boot(NUMA_MACHINE);
	huge = round_up_to(map("10M"), 2 << 20);
	ck_assert_int_eq(views_do(m, "vm/madvise sh heap MADV_HUGEPAGE"), 0);
	assert_look(huge, "write: ", ": a huge page of zeros of its own");
	assert_look(huge, "read: ", ": the huge zero page");
	ck_assert_int_eq(views_do(m, "vm/touch sh %#" PRIx64 " write", huge),
			 0);
	assert_look(huge + 0x1ff123, "PDE[", ", 2 MiB");
	ck_assert_int_eq(views_do(m, "vm/madvise sh heap MADV_NOHUGEPAGE"), 0);
	assert_look(huge + (2 << 20), "write: ", ": a page of zeros");
	machine_free(m);
}
END_TEST

START_TEST(each_level_is_named_and_the_last_one_leads_to_the_byte)
{
	struct mmu_result r;
	struct mmu_request q = {.user = true};
	char *text, *want;

	boot(SMALL_MACHINE);
	q.va = map("10M") + 0x123;
	ck_assert_int_eq(views_do(m, "vm/write sh heap hello"), 0);
	vm_translate(m->vm, sh, &q, &r);
	text = translate(sh, q.va);
	want = g_strdup_printf("0x%" PRIx64, r.pa);
	assert_line(text, "physical ", want);
	assert_line(text, "read: ", want);
	assert_line(text, "write: ", want);
	g_free(want);
	assert_line(text, "PML4E[0ff]", "P RW US A D, table at 0x");
	assert_line(text, "PDPTE[", ", table at 0x");
	assert_line(text, "PDE[", ", table at 0x");
	assert_line(text, "PTE[", "P RW US A D soft_dirty NX, page at 0x");
	assert_line(text, "PTE[", ", 4 KiB");
	assert_line(text, "TLB of CPU 0, data: ", "hit in ");
	assert_line(text, "TLB of CPU 0, data: ", "user rw- dirty");
	assert_line(text, "TLB of CPU 0, code: ", "hit in ");
	g_free(text);
	machine_free(m);
}
END_TEST

START_TEST(what_is_said_of_a_signal_is_what_happens)
{
	struct vm_leaf leaf;
	va_t va;

	boot(SMALL_MACHINE);
	/* A page comes before it is forbidden to run it; here none does. */
	ck_assert_int_eq(views_do(m, "file/create lib 4K"), 0);
	va = map("8K file=lib");
	assert_look(va, "execute: ", "SIGSEGV, SEGV_ACCERR: the area forbids");
	assert_look(va + 4096, "execute: ", "SIGBUS");
	ck_assert_int_eq(views_do(m, "task/sigaction sh"), 0);
	ck_assert_int_eq(views_do(m, "vm/touch sh heap exec 8K"), -EFAULT);
	ck_assert_int_eq(sh->sig, VM_SIGSEGV);
	/* The tables say less than the area: the kernel sends a signal. */
	ck_assert_int_eq(views_do(m, "vm/write sh heap hello"), 0);
	ck_assert(vm_leaf(m->vm, sh->mm, va, &leaf));
	ram_store(m->ram, leaf.at, 8, leaf.entry & ~4ULL);
	vm_bytes_changed(m->vm, leaf.at, 8);
	ck_assert_int_eq(views_do(m, "mmu/flush"), 0);
	assert_look(va, "read: ", "SIGSEGV, SEGV_ACCERR: the tables forbid");
	ck_assert_int_eq(views_do(m, "vm/touch sh heap"), -EFAULT);
	ck_assert_int_eq(sh->sig, VM_SIGSEGV);
	machine_free(m);
}
END_TEST

START_TEST(separate_user_tables_are_those_that_are_shown)
{
	va_t va;
	char *text, *want;

	boot(SMALL_MACHINE "[mmu]\nkpti = yes\n");
	va = map("4K prot=PROT_READ|PROT_EXEC");
	ck_assert_int_eq(views_do(m, "vm/touch sh heap"), 0);
	text = translate(sh, va);
	want = g_strdup_printf("0x%" PRIx64, (pa_t)(sh->mm->top + VM_PAGE));
	assert_line(text, "CR3 ", want);
	assert_line(text, "execute: ", "0x");
	ck_assert_ptr_null(strstr(text, "execute: fault"));
	g_free(want);
	g_free(text);
	machine_free(m);
}
END_TEST

START_TEST(after_fork_a_write_would_copy_the_page)
{
	va_t va;

	boot(SMALL_MACHINE);
	va = map("1M");
	ck_assert_int_eq(views_do(m, "vm/write sh heap hello"), 0);
	ck_assert_int_eq(views_do(m, "task/fork sh name=child"), 0);
	assert_look(va, "write: ", "fault 0x7 (protection, write, user mode)");
	assert_look(va, "write: ", "copy on write");
	ck_assert_int_eq(views_do(m, "vm/write sh 0x%" PRIx64 " jello", va), 0);
	assert_look(va, "write: ", "0x");
	machine_free(m);
}
END_TEST

START_TEST(the_area_decides_what_the_task_is_sent)
{
	va_t va;

	boot(SMALL_MACHINE);
	va = map("64K prot=PROT_READ");
	assert_look(va, "write: ", "SIGSEGV, SEGV_ACCERR");
	assert_look(va, "read: ", "the zero page");
	ck_assert_int_eq(views_do(m, "vm/mprotect sh heap PROT_NONE"), 0);
	assert_look(va, "read: ", "SIGSEGV, SEGV_ACCERR");
	assert_look(0x1000, "read: ", "SIGSEGV, SEGV_MAPERR");
	assert_look(0x900000000000, "read: ", "#GP, the address is not");
	assert_look(0xffff888000000000, "read: ", "SIGSEGV, SEGV_MAPERR");
	assert_look(0xffff888000000000, "read by the kernel: ", "0x");
	machine_free(m);
}
END_TEST

START_TEST(pages_of_files_come_from_memory_or_the_device)
{
	va_t va;

	boot(SMALL_MACHINE);
	ck_assert_int_eq(views_do(m, "file/create lib 20K"), 0);
	va = map("64K file=lib");
	assert_look(va, "read: ", "read from its device");
	assert_look(va, "write: ", "a copy of the page of the file");
	assert_look(va + 0x5000, "read: ", "SIGBUS, BUS_ADRERR");
	/* To run it a page must come first, which is then no code. */
	assert_look(va + 0x5000, "execute: ", "SIGBUS, BUS_ADRERR");
	assert_look(va, "execute: ", "SIGSEGV, SEGV_ACCERR: the area");
	ck_assert_int_eq(views_do(m, "vm/touch sh heap"), 0);
	assert_look(va, "read: ", "0x");
	ck_assert_int_eq(views_do(m, "vm/madvise sh heap MADV_DONTNEED"), 0);
	assert_look(va, "read: ", "which is in memory");
	machine_free(m);
}
END_TEST

START_TEST(a_tlb_entry_that_outlives_its_table_entry_is_stale)
{
	struct mmu_result r;
	struct mmu_request q = {.user = true};

	boot(SMALL_MACHINE);
	q.va = map("64K");
	ck_assert_int_eq(views_do(m, "vm/write sh heap hello"), 0);
	assert_look(q.va, "TLB of CPU 0, data: ", "dirty");
	vm_translate(m->vm, sh, &q, &r);
	ck_assert_int_eq(
		views_do(m, "bytes/write ram %" PRIu64 " hex:0000000000000000",
			 r.step[r.nr_steps - 1].at),
		0);
	assert_look(q.va, "TLB of CPU 0, data: ", "stale");
	assert_look(q.va, "PTE[", "not present");
	machine_free(m);
}
END_TEST

START_TEST(a_cpu_with_other_tables_has_nothing_of_the_task)
{
	va_t va;

	boot(SMALL_MACHINE);
	va = map("64K");
	ck_assert_int_eq(views_do(m, "vm/write sh heap hello"), 0);
	ck_assert_int_eq(views_do(m, "task/fork name=other cpu=0"), 0);
	ck_assert_int_eq(views_do(m, "task/run other cpu=0"), 0);
	assert_look(va, "TLB of CPU 0, data: ", "miss, the CPU has other");
	machine_free(m);
}
END_TEST

START_TEST(a_task_without_tables_says_so)
{
	char *text;

	m = views_boot(SMALL_MACHINE);
	text = translate(task_find(m->vm, 1), 0x1000);
	ck_assert(strstr(text, "no tables"));
	g_free(text);
	machine_free(m);
}
END_TEST

/* --- areas
 * -------------------------------------------------------------------- */

static char *
vma_text(va_t start)
{
	return views_text(m, show_task_vma, (uint64_t)sh->pid,
			  start >> VM_PAGE_SHIFT);
}

START_TEST(an_area_counts_what_of_it_is_in_memory)
{
	char *text;
	va_t va;

	boot(SMALL_MACHINE);
	va = map("10M");
	ck_assert_int_eq(views_do(m, "vm/touch sh heap read 20K"), 0);
	ck_assert_int_eq(views_do(m, "vm/touch sh heap write 12K"), 0);
	text = vma_text(va);
	ck_assert_uint_eq(views_number(text, "\npages "), 2560);
	ck_assert_uint_eq(views_number(text, "present_pages "), 5);
	ck_assert_uint_eq(views_number(text, "zero_pages "), 2);
	ck_assert_uint_eq(views_number(text, "rss_pages "), 3);
	ck_assert_uint_eq(views_number(text, "writable_pages "), 3);
	ck_assert_uint_eq(views_number(text, "dirty_pages "), 3);
	ck_assert(strstr(text, "object anonymous\n"));
	ck_assert(strstr(text, " read write mayread"));
	g_free(text);
	machine_free(m);
}
END_TEST

START_TEST(the_areas_of_a_task_sum_up_to_what_is_resident)
{
	uint64_t rss = 0;

	boot(SMALL_MACHINE);
	map("10M");
	ck_assert_int_eq(views_do(m, "task/exec sh prog text=200K heap=64K"),
			 0);
	ck_assert_int_eq(views_do(m, "vm/mmap sh 1M name=more"), 0);
	ck_assert_int_eq(views_do(m, "vm/touch sh more write 100K"), 0);
	for (guint i = 0; i < sh->mm->areas->len; i++) {
		const struct vma *v = sh->mm->areas->pdata[i];
		char *text = vma_text(v->start);

		rss += views_number(text, "rss_pages ");
		g_free(text);
	}
	ck_assert_uint_eq(rss, mm_rss(sh->mm));
	ck_assert_uint_ge(rss, 25);
	machine_free(m);
}
END_TEST

/* --- bytes
 * -------------------------------------------------------------------- */

static ssize_t
read_mem(va_t at, char *to, size_t len)
{
	struct view v = {.m = m, .key = {(uint64_t)sh->pid}, .name = ""};

	return read_task_mem(&v, to, len, at);
}

START_TEST(mem_has_what_was_written_and_zeros_where_nothing_is)
{
	char bytes[16384];
	uint64_t before;
	va_t va;

	boot(SMALL_MACHINE);
	va = map("10M");
	ck_assert_int_eq(views_do(m, "vm/write sh heap hello"), 0);
	before = (uint64_t)mm_rss(sh->mm);
	ck_assert_int_eq(read_mem(va, bytes, sizeof(bytes)), sizeof(bytes));
	ck_assert_str_eq(bytes, "hello");
	for (size_t i = 5; i < sizeof(bytes); i++)
		ck_assert_int_eq(bytes[i], 0);
	ck_assert_uint_eq(mm_rss(sh->mm), before);
	machine_free(m);
}
END_TEST

START_TEST(mem_ends_where_no_area_is)
{
	char bytes[8192];
	va_t end;

	boot(SMALL_MACHINE);
	map("10M");
	ck_assert_int_eq(read_mem(0, bytes, sizeof(bytes)), 0);
	ck_assert_int_eq(read_mem(UINT64_MAX - 10, bytes, sizeof(bytes)), 0);
	end = ((const struct vma *)sh->mm->areas->pdata[0])->end;
	while (vma_at(sh->mm, end))
		end = vma_at(sh->mm, end)->end;
	ck_assert_int_eq(read_mem(end - 100, bytes, sizeof(bytes)), 100);
	machine_free(m);
}
END_TEST

/* --- records
 * ------------------------------------------------------------------ */

START_TEST(info_names_the_task_and_where_it_runs)
{
	char *text;

	boot(SMALL_MACHINE);
	text = views_text(m, show_task_info, (uint64_t)sh->pid, 0);
	assert_line(text, "name ", "sh");
	assert_line(text, "ppid ", "1");
	assert_line(text, "state ", "running");
	assert_line(text, "runs_on ", "0 ");
	ck_assert_uint_eq(views_number(text, "resident_pages "),
			  mm_rss(sh->mm));
	g_free(text);
	text = views_text(m, show_task_info, 1, 0);
	assert_line(text, "runs_on ", "-");
	g_free(text);
	machine_free(m);
}
END_TEST

START_TEST(limits_are_as_they_were_set)
{
	char *text;

	boot(SMALL_MACHINE);
	ck_assert_int_eq(views_do(m, "task/setrlimit sh RLIMIT_AS 64M"), 0);
	text = views_text(m, show_task_rlimits, (uint64_t)sh->pid, 0);
	ck_assert_uint_eq(views_number(text, "RLIMIT_AS "), 64 << 20);
	assert_line(text, "RLIMIT_DATA ", "infinity");
	g_free(text);
	machine_free(m);
}
END_TEST

Suite *
suite_tasks(void)
{
	Suite *s = suite_create("tasks");
	TCase *t = tcase_create("tasks");

	tcase_add_test(t, what_was_never_touched_is_a_fault_that_brings_zeros);
	tcase_add_test(t,
		       huge_pages_come_where_the_policy_and_the_area_let_them);
	tcase_add_test(t,
		       each_level_is_named_and_the_last_one_leads_to_the_byte);
	tcase_add_test(t, what_is_said_of_a_signal_is_what_happens);
	tcase_add_test(t, separate_user_tables_are_those_that_are_shown);
	tcase_add_test(t, after_fork_a_write_would_copy_the_page);
	tcase_add_test(t, the_area_decides_what_the_task_is_sent);
	tcase_add_test(t, pages_of_files_come_from_memory_or_the_device);
	tcase_add_test(t, a_tlb_entry_that_outlives_its_table_entry_is_stale);
	tcase_add_test(t, a_cpu_with_other_tables_has_nothing_of_the_task);
	tcase_add_test(t, a_task_without_tables_says_so);
	tcase_add_test(t, an_area_counts_what_of_it_is_in_memory);
	tcase_add_test(t, the_areas_of_a_task_sum_up_to_what_is_resident);
	tcase_add_test(t, mem_has_what_was_written_and_zeros_where_nothing_is);
	tcase_add_test(t, mem_ends_where_no_area_is);
	tcase_add_test(t, info_names_the_task_and_where_it_runs);
	tcase_add_test(t, limits_are_as_they_were_set);
	suite_add_tcase(s, t);
	return s;
}
