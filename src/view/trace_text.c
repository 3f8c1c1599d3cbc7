// SPDX-License-Identifier: MIT
/*
 * trace_text.c - records of the trace ring in the kernel's text
 *
 * What it models: trace_print_context, trace_print_lat_fmt and the print fmt
 * of each event (kernel/trace/trace_output.c, include/trace/events/kmem.h of
 * 6.1.192), with no_hash_pointers: page= is the address of the struct page.
 *
 *                 TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
 *     "          <idle>-0       [000] d..1.     0.000000: mm_page_free: ..."
 *
 * How it works: each event has a template whose % letters say how the next
 * argument is printed:
 *
 *     %P  address of the struct page of the first argument; takes none
 *     %x  a pfn, 0x and hex         %d  decimal         %g  gfp flags
 *     %S  a function and the offset in it   %p  an address, all its digits
 *     %i  a signed number    %b  true or false    %s  a text (TRACE_TEXT)
 *     %l  a signed long number      %h  0x and hex
 *     %f  a function without an offset, else as %h
 *     %R  the words of the next argument, a reason; takes none
 *     %A  the first argument, 0 when it is -errno; takes none
 *     %E  an argument that is -errno, else 0
 */
#include "kmemfs/view/trace_text.h"

#include "kmemfs/base/check.h"

#include <string.h>

#define COMM_COLUMNS 16
#define PID_COLUMNS 7
#define NS_PER_US 1000
#define US_PER_S 1000000

static const char *const templates[NR_TRACE_EVENTS] = {
	[TRACE_MM_PAGE_ALLOC] =
		"page=%P pfn=%x order=%d migratetype=%d gfp_flags=%g",
	[TRACE_MM_PAGE_FREE] = "page=%P pfn=%x order=%d",
	[TRACE_MM_PAGE_FREE_BATCHED] = "page=%P pfn=%x order=0",
	[TRACE_MM_PAGE_ALLOC_ZONE_LOCKED] =
		"page=%P pfn=%x order=%d migratetype=%d percpu_refill=%d",
	[TRACE_MM_PAGE_PCPU_DRAIN] = "page=%P pfn=%x order=%d migratetype=%d",
	[TRACE_MM_PAGE_ALLOC_EXTFRAG] =
		"page=%P pfn=%x alloc_order=%d fallback_order=%d "
		"pageblock_order=%d alloc_migratetype=%d "
		"fallback_migratetype=%d fragmenting=%d change_ownership=%d",
	[TRACE_KMALLOC] =
		"call_site=%S ptr=%p bytes_req=%d bytes_alloc=%d gfp_flags=%g "
		"node=%i accounted=%b",
	[TRACE_KFREE] = "call_site=%S ptr=%p",
	[TRACE_KMEM_CACHE_ALLOC] =
		"call_site=%S ptr=%p bytes_req=%d bytes_alloc=%d gfp_flags=%g "
		"node=%i accounted=%b",
	[TRACE_KMEM_CACHE_FREE] = "call_site=%S ptr=%p name=%s",
	[TRACE_PAGE_FAULT_USER] = "address=%f ip=%f error_code=%h",
	[TRACE_PAGE_FAULT_KERNEL] = "address=%f ip=%f error_code=%h",
	[TRACE_TLB_FLUSH] = "pages:%l reason:%R (%i)",
	[TRACE_VM_UNMAPPED_AREA] =
		"addr=%A err=%E total_vm=%h flags=%h len=%h lo=%h hi=%h "
		"mask=%h ofs=%h\n",
};

void
trace_text_header(struct out *out, uint64_t in_buffer, uint64_t written,
		  unsigned int nr_cpus)
{
	static const char legend[] =
		"#                                _-----=> "
		"irqs-off/BH-disabled\n"
		"#                               / _----=> need-resched\n"
		"#                              | / _---=> hardirq/softirq\n"
		"#                              || / _--=> preempt-depth\n"
		"#                              ||| / _-=> migrate-disable\n"
		"#                              |||| /     delay\n"
		"#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
		"#              | |         |   |||||     |         |\n";

	out_printf(out,
		   "# tracer: nop\n#\n"
		   "# entries-in-buffer/entries-written: %llu/%llu   #P:%u\n"
		   "#\n%s",
		   (unsigned long long)in_buffer, (unsigned long long)written,
		   nr_cpus, legend);
}

/* A depth of the flags column: a dot when zero, else one hex digit. */
static void
trace_text_depth(struct out *out, unsigned int depth)
{
	out_char(out, depth ? "0123456789abcdef"[depth & 15] : '.');
}

static void
trace_text_flags(struct out *out, const struct trace_now *now)
{
	static const char interrupts[] = {'.', 'h', 's', 'H'};
	unsigned int in = (now->context & TRACE_HARDIRQ ? 1 : 0) |
			  (now->context & TRACE_SOFTIRQ ? 2 : 0);

	out_char(out, now->context & TRACE_IRQS_OFF ? 'd' : '.');
	out_char(out, '.');
	out_char(out, interrupts[in]);
	trace_text_depth(out, now->preempt & 15);
	trace_text_depth(out, now->preempt >> 4);
}

/* "%16s-%-7d " */
static void
trace_text_task(struct out *out, const struct trace_now *now)
{
	size_t end = out->len + COMM_COLUMNS + 1 + PID_COLUMNS;

	if (!now->pid)
		out_str_pad(out, "<idle>", COMM_COLUMNS);
	else
		out_str_pad(out, now->comm[0] ? now->comm : "<...>",
			    COMM_COLUMNS);
	out_char(out, '-');
	out_i64(out, now->pid);
	while (out->len < end)
		out_char(out, ' ');
	out_char(out, ' ');
}

static void
trace_text_columns(struct out *out, const struct trace_now *now)
{
	uint64_t us = (now->ns + NS_PER_US / 2) / NS_PER_US;
	uint64_t fraction = us % US_PER_S, unit;

	trace_text_task(out, now);
	out_char(out, '[');
	for (unit = 100; unit > 1 && now->cpu < unit; unit /= 10)
		out_char(out, '0');
	out_u64(out, now->cpu);
	out_str(out, "] ");
	trace_text_flags(out, now);
	out_char(out, ' ');
	out_u64_pad(out, us / US_PER_S, 5);
	out_char(out, '.');
	for (unit = US_PER_S / 10; unit > 1 && fraction < unit; unit /= 10)
		out_char(out, '0');
	out_u64(out, fraction);
	out_str(out, ": ");
}

static bool
trace_text_is_page(uint64_t pfn)
{
	return pfn && pfn != PFN_NONE;
}

/* How many digits an address has that is printed with all of them. */
static unsigned int
address_digits(const struct arch *arch)
{
	return arch->vmemmap > UINT32_MAX ? 16 : 8;
}

static void
trace_text_page(struct out *out, const struct arch *arch, uint64_t pfn)
{
	uint64_t address = 0;

	if (trace_text_is_page(pfn))
		address = arch->vmemmap + pfn * arch->struct_page_size;
	out_hex_pad(out, address, address_digits(arch));
}

/* IS_ERR_VALUE() */
static bool
trace_text_is_error(uint64_t arg)
{
	return arg >= (uint64_t)-4095;
}

static void
trace_text_function(struct out *out, const struct symbols *symbols,
		    uint64_t address)
{
	const char *name = symbols_name(symbols, address);

	if (name)
		out_str(out, name);
	else
		out_hex(out, address);
}

/* What takes no argument; false: @letter is no such thing. */
static bool
trace_text_extra(struct out *out, const struct trace_printer *with, char letter,
		 const struct trace_record *record, uint64_t next)
{
	static const char *const reasons[] = {
#define WORDS(id, text) text,
		TRACE_TLB_REASONS(WORDS)
#undef WORDS
	};

	if (letter == 'P')
		trace_text_page(out, with->arch, record->arg[0]);
	else if (letter == 'A')
		out_hex(out, trace_text_is_error(record->arg[0])
				     ? 0
				     : record->arg[0]);
	else if (letter == 'R')
		out_str(out, next < ARRAY_SIZE(reasons) ? reasons[next] : "");
	else
		return false;
	return true;
}

/* How one argument is printed; @letter is the template's. */
static void
trace_text_arg(struct out *out, const struct trace_printer *with, char letter,
	       uint64_t arg)
{
	switch (letter) {
	case 'x':
		out_hex(out, trace_text_is_page(arg) ? arg : 0);
		break;
	case 'g':
		gfp_print(out, (gfp_t)arg);
		break;
	case 'S':
		symbols_print(with->symbols, arg, out);
		break;
	case 'p':
		out_hex_pad(out, arg, address_digits(with->arch));
		break;
	case 'i':
		out_i64(out, (int32_t)arg);
		break;
	case 'b':
		out_str(out, arg ? "true" : "false");
		break;
	case 'l':
		out_i64(out, (int64_t)arg);
		break;
	case 'h':
		out_hex(out, arg);
		break;
	case 'f':
		trace_text_function(out, with->symbols, arg);
		break;
	case 'E':
		out_i64(out, trace_text_is_error(arg) ? (int64_t)arg : 0);
		break;
	case 's':
		out_str(out, (const char *)(uintptr_t)arg);
		break;
	default:
		out_u64(out, arg);
	}
}

void
trace_text_record(struct out *out, const struct trace_printer *with,
		  const struct trace_record *record)
{
	const char *at = templates[record->event];
	const uint64_t *arg = record->arg;

	KM_ASSERT(record->event < NR_TRACE_EVENTS);
	trace_text_columns(out, &record->now);
	out_str(out, trace_name(record->event));
	out_str(out, ": ");
	for (;;) {
		const char *percent = strchrnul(at, '%');

		out_mem(out, at, (size_t)(percent - at));
		if (!*percent)
			break;
		at = percent + 2;
		if (!trace_text_extra(out, with, percent[1], record, *arg))
			trace_text_arg(out, with, percent[1], *arg++);
	}
	out_char(out, '\n');
}

size_t
trace_pipe_take(struct machine *m, struct out *out, size_t want)
{
	struct trace_printer with = {m->phys->arch, m->symbols};
	struct trace *t = &m->trace;
	size_t before = out->len;

	while (trace_oldest(t) < t->written && out->len - before < want) {
		const struct trace_record *record =
			trace_get(t, trace_oldest(t));

		if (t->lost > t->lost_told)
			out_printf(
				out, "CPU:%u [LOST %llu EVENTS]\n",
				record->now.cpu,
				(unsigned long long)(t->lost - t->lost_told));
		t->lost_told = t->lost;
		trace_text_record(out, &with, record);
		trace_consume(t);
		/* What trace shows has changed. */
		m->generation++;
	}
	return out->len - before;
}
