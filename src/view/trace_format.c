// SPDX-License-Identifier: MIT
/*
 * trace_format.c - the format file of each event
 *
 * What it models: f_show of kernel/trace/trace_events.c: the fields of a
 * record, laid out as the compiler lays out the kernel's struct on this
 * architecture, and the print fmt of include/trace/events/kmem.h of 6.1.192.
 *
 * Differs from the kernel: numbers of events are dealt out by each kernel as
 * it is built; here they are ours.  The flags of gfp_flags are printed as plain
 * numbers and not as the expressions their macros expand to.
 */
#include "kmemfs/view/trace_text.h"

#include "kmemfs/base/check.h"

#define ID_FIRST 500
#define COMMON_SIZE 8
#define FIELDS_MAX 8

/* C types of fields. */
enum field_type { NO_FIELD, ULONG, UINT, INT, POINTER, SIZE, BOOL, TEXT };

static const struct {
	const char *name;
	unsigned int size; /* 0: as wide as the architecture's words */
	bool is_signed;
} types[] = {
	[ULONG] = {"unsigned long",	    0, false},
	[UINT] = {"unsigned int",	  4, false},
	[INT] = {"int",		4, true },
	[POINTER] = {"const void *",	     0, false},
	[SIZE] = {"size_t",	    0, false},
	[BOOL] = {"bool",		  1, false},
 /* Where in the record the text lies, and its length. */
	[TEXT] = {"__data_loc char[]", 4, true },
};

#define PAGE "%PAGE"
#define SITE_AND_OBJECT "(void *)REC->call_site, REC->ptr"
#define SIZES "REC->bytes_req, REC->bytes_alloc"
#define PAGE_OR_NULL "REC->pfn != -1UL ? " PAGE " : ((void *)0)"
#define IS_ERROR                                                               \
	"__builtin_expect(!!((unsigned long)(void *)(REC->addr) >= "           \
	"(unsigned long)-4095), 0)"
#define FAULT "(void *)REC->address, (void *)REC->ip, REC->error_code"
#define PFN_OR_0 "REC->pfn != -1UL ? REC->pfn : 0"

static const struct {
	struct {
		enum field_type type;
		const char *name;
	} field[FIELDS_MAX];
	const char *print;
	const char *args;
} formats[NR_TRACE_EVENTS] = {
#define FORMAT(id, print, args, ...)                                           \
	[TRACE_##id] = {{__VA_ARGS__}, print, args},
#include "trace_format.def"
#undef FORMAT
};

static const struct {
	uint32_t value;
	const char *name;
} gfp_names[] = {
/* Sums first, as matching masks are printed first. */
#define GFP_BIT(name, value)
#define GFP_SUM(name, value) {value, #name},
#include "kmemfs/phys/gfp.def"
#undef GFP_BIT
#undef GFP_SUM
#define GFP_BIT(name, value) {value, #name},
#define GFP_SUM(name, value)
#include "kmemfs/phys/gfp.def"
#undef GFP_BIT
#undef GFP_SUM
};

static void
format_gfp(struct out *out)
{
	size_t i;

	out_str(out, "(REC->gfp_flags) ? __print_flags(REC->gfp_flags, \"|\"");
	for (i = 0; i < ARRAY_SIZE(gfp_names); i++)
		out_printf(out, ", {%#x, \"%s\"}", gfp_names[i].value,
			   gfp_names[i].name);
	out_str(out, ") : \"none\"");
}

static void
format_reasons(struct out *out)
{
	static const char *const words[] = {
#define WORDS(id, text) text,
		TRACE_TLB_REASONS(WORDS)
#undef WORDS
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		out_printf(out, "%s{ %zu, \"%s\" }", i ? ", " : "", i,
			   words[i]);
}

/* Whether a long has 8 bytes. */
static bool
wide_words(const struct phys *phys)
{
	return phys->arch->vmemmap > UINT32_MAX;
}

/* @args with the places that begin with % filled in. */
static void
format_args(struct out *out, const struct phys *phys, const char *args)
{
	const char *at;

	for (; *args; args = at) {
		at = strchrnul(args, '%');
		out_mem(out, args, (size_t)(at - args));
		if (!strncmp(at, PAGE, strlen(PAGE))) {
			out_str(out, wide_words(phys)
					     ? "(((struct page *)vmemmap_base)"
					       " + (REC->pfn))"
					     : "(mem_map + ((REC->pfn) - "
					       "(0UL)))");
			at += strlen(PAGE);
		} else if (!strncmp(at, "%GFP", 4)) {
			format_gfp(out);
			at += 4;
		} else if (!strncmp(at, "%REASON", 7)) {
			format_reasons(out);
			at += 7;
		} else if (!strncmp(at, "%BLOCK", 6)) {
			out_u64(out, phys->pageblock_order);
			at += 6;
		}
	}
}

static void
format_field(struct out *out, const char *type, const char *name,
	     unsigned int offset, unsigned int size, bool is_signed)
{
	out_printf(out, "\tfield:%s %s;\toffset:%u;\tsize:%u;\tsigned:%d;\n",
		   type, name, offset, size, is_signed);
}

unsigned int
trace_text_id(enum trace_event event)
{
	return ID_FIRST + event;
}

void
trace_text_format(struct out *out, const struct phys *phys,
		  enum trace_event event)
{
	unsigned int word = wide_words(phys) ? 8 : 4;
	unsigned int i, offset = COMMON_SIZE;

	KM_ASSERT(event < NR_TRACE_EVENTS);
	out_printf(out, "name: %s\nID: %u\nformat:\n", trace_name(event),
		   trace_text_id(event));
	format_field(out, "unsigned short", "common_type", 0, 2, false);
	format_field(out, "unsigned char", "common_flags", 2, 1, false);
	format_field(out, "unsigned char", "common_preempt_count", 3, 1, false);
	format_field(out, "int", "common_pid", 4, 4, true);
	out_char(out, '\n');
	for (i = 0; i < FIELDS_MAX && formats[event].field[i].type; i++) {
		enum field_type type = formats[event].field[i].type;
		unsigned int size = types[type].size ? types[type].size : word;

		offset = (unsigned int)round_up_to(offset, size);
		format_field(out, types[type].name,
			     formats[event].field[i].name, offset, size,
			     types[type].is_signed);
		offset += size;
	}
	out_printf(out, "\nprint fmt: \"%s\", ", formats[event].print);
	format_args(out, phys, formats[event].args);
	out_char(out, '\n');
}
