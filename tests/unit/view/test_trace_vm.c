// SPDX-License-Identifier: MIT
/* test_trace_vm.c - faults, flushes and searches for addresses, as traced */
#include "unit/view/tasks.h"

#include "kmemfs/view/trace_text.h"

Suite *suite_trace_vm(void);

static struct program p;
static struct task *t;

static void
boot(void)
{
	program_begin(&p,
		      views_boot("[machine]\narch = x86-64\nmemory = 256M\n"
				 "cpus = 2\n"),
		      1);
	t = tasks_fork(p.task[0], 0);
	ck_assert_int_eq(vm_switch_to(p.vm, 0, t), 0);
}

static void
end(void)
{
	machine_free(p.m);
}

static void
record(const char *event)
{
	ck_assert_int_eq(views_do(p.m, "trace/enable %s 1", event), 0);
	trace_clear(&p.m->trace);
}

/* What was recorded, without the columns before each event's name. */
static char *
recorded(void)
{
	char *text = views_text(p.m, show_trace_text, 0, 0);
	char **lines = g_strsplit(text, "\n", -1);
	GString *rest = g_string_new(NULL);

	for (char **line = lines; *line; line++) {
		const char *at = strstr(*line, ": ");

		if (**line && **line != '#')
			g_string_append_printf(rest, "%s\n", at + 2);
	}
	g_strfreev(lines);
	g_free(text);
	return g_string_free(rest, FALSE);
}

static void
check_recorded(const char *format, ...)
{
	char *text = recorded(), *want;
	va_list ap;

	va_start(ap, format);
	want = g_strdup_vprintf(format, ap);
	va_end(ap);
	ck_assert_str_eq(text, want);
	g_free(want);
	g_free(text);
}

START_TEST(a_user_fault_tells_address_code_and_error)
{
	va_t at = tasks_map(p.vm, t, 2, VM_MAP_PRIVATE, NULL);

	record("exceptions:page_fault_user");
	ck_assert_int_eq(tasks_touch(p.vm, t, at + 8, false), 0);
	ck_assert_int_eq(tasks_touch(p.vm, t, at + 16, true), 0);
	check_recorded("page_fault_user: address=0x%llx ip=0x400000 "
		       "error_code=0x4\n"
		       "page_fault_user: address=0x%llx ip=0x400000 "
		       "error_code=0x7\n",
		       (unsigned long long)at + 8, (unsigned long long)at + 16);
}
END_TEST

START_TEST(a_fault_of_the_kernel_is_another_event)
{
	const struct vm_access a = {p.vm->layout.vmalloc_end - VM_PAGE,
				    1,
				    MMU_READ,
				    false,
				    true,
				    NULL};
	struct vm_access_result r;

	record("exceptions");
	ck_assert_int_eq(vm_access(p.vm, 0, &a, &r), -EFAULT);
	check_recorded(
		"page_fault_kernel: address=0x%llx "
		"ip=0xffffffff80000000 error_code=0x0\n",
		(unsigned long long)(p.vm->layout.vmalloc_end - VM_PAGE));
}
END_TEST

START_TEST(flushes_tell_who_and_how_much)
{
	struct task *other = tasks_fork(t, TASK_SHARES_VM);
	va_t at = tasks_map(p.vm, t, 64, VM_MAP_PRIVATE, NULL);
	char *text;

	tasks_fill(p.vm, t, at, 64);
	ck_assert_int_eq(vm_switch_to(p.vm, 1, other), 0);
	record("tlb:tlb_flush");
	ck_assert_int_eq(vm_mprotect(p.vm, t, at, 2 * VM_PAGE, VM_PROT_READ),
			 0);
	check_recorded("tlb_flush: pages:2 reason:local mm shootdown (3)\n"
		       "tlb_flush: pages:2 reason:remote shootdown (1)\n"
		       "tlb_flush: pages:2 reason:remote ipi send (4)\n");
	text = views_text(p.m, show_trace_text, 0, 0);
	ck_assert_ptr_nonnull(strstr(text, "[001]"));
	g_free(text);
	trace_clear(&p.m->trace);
	/* Beyond the ceiling all goes at once. */
	ck_assert_int_eq(vm_mprotect(p.vm, t, at, 64 * VM_PAGE, VM_PROT_READ),
			 0);
	text = recorded();
	ck_assert_ptr_nonnull(
		strstr(text, "pages:-1 reason:local mm shootdown (3)\n"));
	g_free(text);
	trace_clear(&p.m->trace);
	ck_assert_int_eq(vm_switch_to(p.vm, 1, p.task[0]), 0);
	check_recorded("tlb_flush: pages:-1 reason:flush on task switch (0)\n");
}
END_TEST

START_TEST(a_search_for_addresses_tells_its_limits)
{
	const struct mm *mm = t->mm;
	uint64_t total = mm->total_vm;
	va_t at;

	record("mmap");
	at = tasks_map(p.vm, t, 3, VM_MAP_PRIVATE, NULL);
	check_recorded("vm_unmapped_area: addr=0x%llx err=0 total_vm=0x%llx "
		       "flags=0x1 len=0x3000 lo=0x1000 hi=0x%llx mask=0x0 "
		       "ofs=0x0\n",
		       (unsigned long long)at, (unsigned long long)total,
		       (unsigned long long)mm->mmap_base);
}
END_TEST

START_TEST(a_search_that_finds_nothing_tells_why)
{
	const struct vm_mmap_args a = {
		.len = p.vm->layout.task_size - MIB(1),
		.prot = VM_PROT_NONE,
		.flags = VM_MAP_PRIVATE | VM_MAP_ANONYMOUS | VM_MAP_NORESERVE,
	};
	char *text;
	va_t at;

	record("mmap");
	ck_assert_int_eq(vm_mmap(p.vm, t, &a, &at), -ENOMEM);
	text = recorded();
	ck_assert_ptr_nonnull(strstr(text, "addr=0x0 err=-12 total_vm="));
	g_free(text);
}
END_TEST

START_TEST(tracing_changes_nothing)
{
	static struct program q[2];
	char digest[2][DIGEST_TEXT];

	for (int i = 0; i < 2; i++) {
		struct machine *m = views_boot("[machine]\narch = x86-64\n"
					       "memory = 256M\ncpus = 2\n");

		/* Switching it on takes no time, but the op does. */
		ck_assert_int_eq(views_do(m, "trace/enable all %d", i), 0);
		program_begin(&q[i], m, 5);
		program_run(&q[i], 100);
		machine_digest(m, digest[i]);
	}
	ck_assert_str_eq(digest[0], digest[1]);
	ck_assert_uint_eq(q[0].m->trace.written, 0);
	ck_assert_uint_gt(q[1].m->trace.written, 100);
	machine_free(q[0].m);
	machine_free(q[1].m);
}
END_TEST

START_TEST(formats_have_the_fields_that_are_printed)
{
	static const struct {
		enum trace_event event;
		const char *field, *print;
	} rows[] = {
		{TRACE_PAGE_FAULT_USER,
		 "\tfield:unsigned long error_code;\toffset:24;\tsize:8;\t"
		 "signed:0;\n",					  "\nprint fmt: \"address=%ps ip=%ps error_code=0x%lx\", "
		 "(void *)REC->address, (void *)REC->ip, REC->error_code\n"			   },
		{TRACE_TLB_FLUSH,
		 "\tfield:int reason;\toffset:8;\tsize:4;\tsigned:1;\n", "__print_symbolic(REC->reason, { 0, \"flush on task switch\" "
		 "}, { 1, \"remote shootdown\" }"	 },
		{TRACE_VM_UNMAPPED_AREA,
		 "\tfield:unsigned long align_offset;\toffset:64;\tsize:8;\t"
		 "signed:0;\n",					  "REC->high_limit, REC->align_mask, REC->align_offset\n"},
	};
	struct out out = OUT_INIT;

	trace_text_format(&out, p.m->phys, rows[_i].event);
	ck_assert_msg(strstr(out_text(&out), rows[_i].field), "%s",
		      out_text(&out));
	ck_assert_msg(strstr(out_text(&out), rows[_i].print), "%s",
		      out_text(&out));
	out_fini(&out);
}
END_TEST

Suite *
suite_trace_vm(void)
{
	Suite *s = suite_create("trace_vm");
	TCase *c = tcase_create("trace_vm");

	tcase_add_checked_fixture(c, boot, end);
	tcase_add_test(c, a_user_fault_tells_address_code_and_error);
	tcase_add_test(c, a_fault_of_the_kernel_is_another_event);
	tcase_add_test(c, flushes_tell_who_and_how_much);
	tcase_add_test(c, a_search_for_addresses_tells_its_limits);
	tcase_add_test(c, a_search_that_finds_nothing_tells_why);
	tcase_add_test(c, tracing_changes_nothing);
	tcase_add_loop_test(c, formats_have_the_fields_that_are_printed, 0, 3);
	suite_add_tcase(s, c);
	return s;
}
