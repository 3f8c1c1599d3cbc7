// SPDX-License-Identifier: MIT
/* test_trace_text.c - trace text and format files, against real kernels' */
#include "kmemfs/view/trace_text.h"

#include "kmemfs/machine/ftrace.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

Suite *suite_trace_text(void);

static struct out out;
static const struct trace_printer printers[] = {
	[ARCH_X86_64] = {&archs[ARCH_X86_64], NULL},
	[ARCH_I386] = {&archs[ARCH_I386],	  NULL},
};

static void
setup(void)
{
	out = OUT_INIT;
}

static void
teardown(void)
{
	out_fini(&out);
}

/* --- whole lines, read and printed again -------------------------------------
 */

/* What the kernel's line says, as a record of ours. */
static bool
record_of(const struct ftrace_event *e, struct trace_record *r)
{
	*r = (struct trace_record){
		.now = {.ns = e->ts_ns,
			.cpu = (uint16_t)e->cpu,
			.preempt = e->preempt,
			.pid = e->pid},
		.arg = {e->pfn,		e->order,		  e->migratetype},
	};
	memcpy(r->now.comm, e->comm, e->comm_len);
	if (e->flags & FTRACE_IRQS_OFF)
		r->now.context |= TRACE_IRQS_OFF;
	if (e->flags & FTRACE_HARDIRQ)
		r->now.context |= TRACE_HARDIRQ;
	if (e->flags & FTRACE_SOFTIRQ)
		r->now.context |= TRACE_SOFTIRQ;
	switch (e->kind) {
	case FTRACE_ALLOC:
		r->event = TRACE_MM_PAGE_ALLOC;
		r->arg[3] = e->gfp;
		return true;
	case FTRACE_FREE:
		r->event = TRACE_MM_PAGE_FREE;
		return true;
	case FTRACE_FREE_BATCHED:
		r->event = TRACE_MM_PAGE_FREE_BATCHED;
		return true;
	case FTRACE_ZONE_LOCKED:
		r->event = TRACE_MM_PAGE_ALLOC_ZONE_LOCKED;
		r->arg[3] = e->percpu_refill;
		return true;
	case FTRACE_DRAIN:
		r->event = TRACE_MM_PAGE_PCPU_DRAIN;
		return true;
	default:
		return false;
	}
}

/* Pointers that the kernel hashed are not comparable: put ours in. */
static void
unhash(char *line, const char *ours)
{
	char *theirs = strstr(line, "page=0000");
	const char *page = strstr(ours, "page=");

	ck_assert_ptr_nonnull(page);
	if (theirs)
		memcpy(theirs, page, strlen("page=") + 16);
}

/*
 * Returns how many lines of @path were compared.  @gfp_order: its kernel
 * prints gfp flags in the order of 6.1; others are compared up to there.
 */
static unsigned int
same_lines(const char *path, bool gfp_order)
{
	static struct ftrace reader;
	FILE *file = fopen(path, "r");
	unsigned int nr = 0;
	char line[1024];

	ck_assert_msg(file != NULL, "%s", path);
	ftrace_init(&reader);
	while (fgets(line, sizeof(line), file)) {
		struct ftrace_event e;
		struct trace_record record;

		if (ftrace_parse(&reader, line, strlen(line), &e) >=
			    FTRACE_OTHER ||
		    !(e.flags & FTRACE_HAS_FLAGS) || !record_of(&e, &record))
			continue;
		out_reset(&out);
		trace_text_record(&out, &printers[ARCH_X86_64], &record);
		unhash(line, out_text(&out));
		if (!gfp_order && strstr(line, "gfp_flags="))
			out.len = (size_t)(strstr(line, "gfp_flags=") - line);
		else
			ck_assert_uint_eq(out.len, strlen(line));
		ck_assert_mem_eq(out.text, line, out.len);
		nr++;
	}
	fclose(file);
	return nr;
}

START_TEST(lines_of_6_1_come_out_byte_for_byte)
{
	ck_assert_uint_eq(same_lines("tests/data/traces/boot-x64-512m-1cpu/"
				     "raw-head.txt",
				     true),
			  3);
}
END_TEST

START_TEST(lines_of_6_18_come_out_byte_for_byte)
{
	ck_assert_uint_eq(
		same_lines("tests/data/samples/trace.text.txt", false), 8);
}
END_TEST

START_TEST(the_header_is_the_kernels)
{
	FILE *file =
		fopen("tests/data/traces/boot-x64-512m-1cpu/raw-head.txt", "r");
	char head[4096];
	size_t len;

	ck_assert_ptr_nonnull(file);
	len = fread(head, 1, sizeof(head), file);
	fclose(file);
	trace_text_header(&out, 108362, 108362, 1);
	ck_assert_uint_gt(len, out.len);
	ck_assert_int_eq(memcmp(out.text, head, out.len), 0);
	ck_assert_int_ne(head[out.len], '#');
}
END_TEST

/* --- columns ------------------------------------------------------------- */

static const struct {
	const char *why;
	struct trace_now now;
	const char *want;
} columns[] = {
	{"the idle task, however it is called",
	 {.comm = "swapper/0"},
	 "          <idle>-0       [000] .....     0.000000: "   },
	{"a task without a name",
	 {.pid = 7},
	 "           <...>-7       [000] .....     0.000000: "   },
	{"all of the flags",
	 {.pid = 1,
	  .comm = "init",
	  .context = TRACE_IRQS_OFF | TRACE_HARDIRQ | TRACE_SOFTIRQ,
	  .preempt = 0x1a},
	 "            init-1       [000] d.Ha1     0.000000: "   },
	{"columns that overflow",
	 {.pid = 123456789, .comm = "abcdefghijklmno", .cpu = 4095},
	 " abcdefghijklmno-123456789 [4095] .....     0.000000: "},
	{"microseconds are rounded, to the next second if need be",
	 {.pid = 1, .comm = "init", .ns = 999999999},
	 "            init-1       [000] .....     1.000000: "   },
	{"just below half a microsecond",
	 {.pid = 1, .comm = "init", .ns = 1499},
	 "            init-1       [000] .....     0.000001: "   },
	{"a long time",
	 {.pid = 1, .comm = "init", .ns = 1234567000089000, .cpu = 12},
	 "            init-1       [012] ..... 1234567.000089: " },
};

START_TEST(the_columns_are_the_kernels)
{
	struct trace_record record = {
		.now = columns[_i].now,
		.event = TRACE_MM_PAGE_FREE,
		.arg = {1, 2}
	     };
	char want[256];

	snprintf(want, sizeof(want),
		 "%smm_page_free: page=ffffea0000000040 pfn=0x1 order=2\n",
		 columns[_i].want);
	trace_text_record(&out, &printers[ARCH_X86_64], &record);
	ck_assert_msg(!strcmp(out_text(&out), want), "%s:\n%s%s",
		      columns[_i].why, want, out_text(&out));
}
END_TEST

START_TEST(an_allocation_that_failed_has_no_page)
{
	struct trace_record record = {
		.event = TRACE_MM_PAGE_ALLOC, .arg = {0, 3, 0, 0}
	 };

	trace_text_record(&out, &printers[ARCH_X86_64], &record);
	ck_assert_ptr_nonnull(strstr(
		out_text(&out), "mm_page_alloc: page=0000000000000000 pfn=0x0 "
				"order=3 migratetype=0 gfp_flags=none\n"));
	record.arg[0] = PFN_NONE;
	out_reset(&out);
	trace_text_record(&out, &printers[ARCH_I386], &record);
	ck_assert_ptr_nonnull(
		strstr(out_text(&out), "page=00000000 pfn=0x0 order=3"));
}
END_TEST

START_TEST(i386_has_pointers_of_eight_digits)
{
	const struct arch *arch = &archs[ARCH_I386];
	struct trace_record record = {.event = TRACE_MM_PAGE_FREE_BATCHED,
				      .arg = {0x10}};
	char want[64];

	snprintf(want, sizeof(want), "page=%08x pfn=0x10 order=0\n",
		 (unsigned int)(arch->vmemmap + 0x10 * arch->struct_page_size));
	trace_text_record(&out, &printers[ARCH_I386], &record);
	ck_assert_ptr_nonnull(strstr(out_text(&out), want));
}
END_TEST

START_TEST(a_fallback_prints_all_its_arguments)
{
	struct trace_record record = {
		.event = TRACE_MM_PAGE_ALLOC_EXTFRAG,
		.arg = {0x9000, 1, 10, 9, 2, 1, 0, 1}
	     };

	trace_text_record(&out, &printers[ARCH_X86_64], &record);
	ck_assert_ptr_nonnull(strstr(
		out_text(&out),
		"mm_page_alloc_extfrag: page=ffffea0000240000 pfn=0x9000 "
		"alloc_order=1 fallback_order=10 pageblock_order=9 "
		"alloc_migratetype=2 fallback_migratetype=1 fragmenting=0 "
		"change_ownership=1\n"));
}
END_TEST

/* --- formats ------------------------------------------------------------- */

static void
format_of(unsigned int arch, enum trace_event event)
{
	const struct phys phys = {
		.arch = &archs[arch],
		.pageblock_order = archs[arch].pageblock_order,
	};

	trace_text_format(&out, &phys, event);
}

START_TEST(the_format_of_mm_page_free_is_the_kernels)
{
	char want[2048];

	/* As read from 6.18, but for the number, which each kernel deals. */
	snprintf(want, sizeof(want),
		 "name: mm_page_free\n"
		 "ID: %u\n"
		 "format:\n"
		 "\tfield:unsigned short common_type;\toffset:0;\tsize:2;"
		 "\tsigned:0;\n"
		 "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;"
		 "\tsigned:0;\n"
		 "\tfield:unsigned char common_preempt_count;\toffset:3;"
		 "\tsize:1;\tsigned:0;\n"
		 "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
		 "\n"
		 "\tfield:unsigned long pfn;\toffset:8;\tsize:8;\tsigned:0;\n"
		 "\tfield:unsigned int order;\toffset:16;\tsize:4;"
		 "\tsigned:0;\n"
		 "\n"
		 "print fmt: \"page=%%p pfn=0x%%lx order=%%d\", (((struct page "
		 "*)vmemmap_base) + (REC->pfn)), REC->pfn, REC->order\n",
		 trace_text_id(TRACE_MM_PAGE_FREE));
	format_of(ARCH_X86_64, TRACE_MM_PAGE_FREE);
	ck_assert_str_eq(out_text(&out), want);
}
END_TEST

START_TEST(fields_are_aligned_to_their_size)
{
	format_of(ARCH_X86_64, TRACE_MM_PAGE_ALLOC);
	ck_assert_ptr_nonnull(strstr(
		out_text(&out), "unsigned long gfp_flags;\toffset:24;\tsize:8;"
				"\tsigned:0;\n\tfield:int migratetype;"
				"\toffset:32;\tsize:4;\tsigned:1;\n"));
	out_reset(&out);
	format_of(ARCH_I386, TRACE_MM_PAGE_ALLOC);
	ck_assert_ptr_nonnull(strstr(
		out_text(&out), "unsigned long gfp_flags;\toffset:16;\tsize:4;"
				"\tsigned:0;\n\tfield:int migratetype;"
				"\toffset:20;\tsize:4;\tsigned:1;\n"));
}
END_TEST

START_TEST(every_format_has_as_many_arguments_as_conversions)
{
	for (unsigned int event = 0; event < NR_TRACE_EVENTS; event++) {
		unsigned int conversions = 0, depth = 0, arguments = 0;
		const char *at, *quote;

		out_reset(&out);
		format_of(ARCH_X86_64, event);
		at = strstr(out_text(&out), "print fmt: \"");
		ck_assert_ptr_nonnull(at);
		at += strlen("print fmt: \"");
		quote = strchr(at, '"');
		for (; at < quote; at++)
			conversions += *at == '%';
		for (; *at; at++) {
			depth += *at == '(' || *at == '{';
			depth -= *at == ')' || *at == '}';
			arguments += *at == ',' && !depth;
		}
		ck_assert_uint_eq(depth, 0);
		ck_assert_uint_eq(arguments, conversions);
	}
}
END_TEST

/* --- the pipe ------------------------------------------------------------ */

static struct machine machine;
static struct phys phys;

static void
pipe_setup(void)
{
	setup();
	phys.arch = &archs[ARCH_X86_64];
	machine.phys = &phys;
	trace_init(&machine.trace, 16);
	machine.trace.enabled = 1U << TRACE_MM_PAGE_FREE;
}

static void
pipe_teardown(void)
{
	trace_fini(&machine.trace);
	teardown();
}

static void
pipe_emit(uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		TRACE(&machine.trace, MM_PAGE_FREE, from, 0);
}

static unsigned int
lines(const char *text)
{
	unsigned int nr = 0;

	for (; *text; text++)
		nr += *text == '\n';
	return nr;
}

START_TEST(the_pipe_gives_each_record_once)
{
	pipe_emit(1, 6);
	ck_assert_uint_gt(trace_pipe_take(&machine, &out, 1), 0);
	ck_assert_uint_eq(lines(out_text(&out)), 1);
	ck_assert_ptr_nonnull(strstr(out_text(&out), "pfn=0x1 "));
	out_reset(&out);
	trace_pipe_take(&machine, &out, 1 << 20);
	ck_assert_uint_eq(lines(out_text(&out)), 4);
	ck_assert_ptr_null(strstr(out_text(&out), "pfn=0x1 "));
	ck_assert_uint_eq(trace_pipe_take(&machine, &out, 1 << 20), 0);
}
END_TEST

START_TEST(the_pipe_tells_once_what_was_lost)
{
	pipe_emit(1, 20);
	trace_pipe_take(&machine, &out, 1);
	ck_assert_int_eq(strncmp(out_text(&out), "CPU:0 [LOST 3 EVENTS]\n", 22),
			 0);
	ck_assert_ptr_nonnull(strstr(out_text(&out), "pfn=0x4 "));
	out_reset(&out);
	trace_pipe_take(&machine, &out, 1 << 20);
	ck_assert_ptr_null(strstr(out_text(&out), "LOST"));
	pipe_emit(20, 40);
	out_reset(&out);
	trace_pipe_take(&machine, &out, 1 << 20);
	ck_assert_int_eq(strncmp(out_text(&out), "CPU:0 [LOST 4 EVENTS]\n", 22),
			 0);
}
END_TEST

Suite *
suite_trace_text(void)
{
	Suite *suite = suite_create("trace_text");
	TCase *tc = tcase_create("text"), *pipe = tcase_create("pipe");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, lines_of_6_1_come_out_byte_for_byte);
	tcase_add_test(tc, lines_of_6_18_come_out_byte_for_byte);
	tcase_add_test(tc, the_header_is_the_kernels);
	tcase_add_loop_test(tc, the_columns_are_the_kernels, 0,
			    ARRAY_SIZE(columns));
	tcase_add_test(tc, an_allocation_that_failed_has_no_page);
	tcase_add_test(tc, i386_has_pointers_of_eight_digits);
	tcase_add_test(tc, a_fallback_prints_all_its_arguments);
	tcase_add_test(tc, the_format_of_mm_page_free_is_the_kernels);
	tcase_add_test(tc, fields_are_aligned_to_their_size);
	tcase_add_test(tc, every_format_has_as_many_arguments_as_conversions);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(pipe, pipe_setup, pipe_teardown);
	tcase_add_test(pipe, the_pipe_gives_each_record_once);
	tcase_add_test(pipe, the_pipe_tells_once_what_was_lost);
	suite_add_tcase(suite, pipe);
	return suite;
}
