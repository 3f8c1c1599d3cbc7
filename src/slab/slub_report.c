// SPDX-License-Identifier: MIT
/*
 * slub_report.c - what a kernel says when it finds an object damaged
 *
 * What it models: slab_bug, slab_fix, slab_err, object_err, print_trailer,
 *                 print_slab_info, print_section, trace of mm/slub.c of
 *                 6.1.192; print_hex_dump, dump_stack, print_tainted, and %pGp
 *                 of struct page's flags, as far as they show here.
 * How it works:   a report is a banner, who allocated and freed the object, its
 *                 slab, its bytes with the marks around them, and the stack;
 *                 then what is done about it ("FIX").  Each banner and each FIX
 *                 counts in errors, as slub_kunit counts them.  Addresses are
 *                 not hashed: slub_debug sets no_hash_pointers.
 * Differs from the kernel: the stack is the function that looked and its
 *                 caller; nothing is said of the hardware.
 */
#include "slub_debug_impl.h"

#include "kmemfs/base/version.h"

#include <stdarg.h>
#include <stdio.h>

#define DUMP_ROW 16
/* Three columns a byte and two more before the characters. */
#define DUMP_TEXT_AT (3 * DUMP_ROW + 1)
/* Bits of a 64-bit page's flags as Debian's kernel lays them out. */
#define PG_NODE_SHIFT 54
#define PG_ZONE_SHIFT 51
#define PG_LASTCPUPID_SHIFT 30
#define PG_LASTCPUPID_MASK 0x1fffffULL
#define PG_ZONE_SHIFT_32 30
#define PG_SLAB (1ULL << 9)
#define PG_HEAD (1ULL << 16)

static const char taint_letters[] = "GFSRMBUDAWCIOELKXTN";

/* --- taint --------------------------------------------------------------- */

/* print_tainted */
static const char *
tainted(const struct slab_common *sc, char text[48])
{
	char letters[sizeof(taint_letters)];

	if (!sc->tainted)
		return "Not tainted";
	for (unsigned int i = 0; i < sizeof(letters) - 1; i++)
		letters[i] =
			!i || sc->tainted >> i & 1 ? taint_letters[i] : ' ';
	letters[sizeof(letters) - 1] = 0;
	snprintf(text, 48, "Tainted: %s", letters);
	return text;
}

void
slub_taint_bad(struct slab_common *sc)
{
	if (!sc->lock_debug_off)
		slab_printk(sc, "Disabling lock debugging due to kernel taint");
	sc->lock_debug_off = true;
	sc->tainted |= SLAB_TAINT_BAD_PAGE;
}

/* --- stacks -------------------------------------------------------------- */

void
slub_enter(struct slab_common *sc, const char *where, va_t caller)
{
	sc->doing = where;
	sc->caller = caller;
}

static void
print_frame(const struct slab_common *sc, va_t address)
{
	struct out text = OUT_INIT;

	out_char(&text, ' ');
	symbols_print(sc->symbols, address, &text);
	slab_printk(sc, "%s", out_text(&text));
	out_fini(&text);
}

void
slub_dump_stack(struct slab_common *sc)
{
	const struct trace_now *now = &sc->phys->trace->now;
	bool irq = now->context & (TRACE_HARDIRQ | TRACE_SOFTIRQ);
	const char *stack = irq ? "IRQ" : "TASK";
	char text[48];

	slab_printk(sc, "CPU: %u PID: %d Comm: %.16s %s " KERNEL_RELEASE " #1",
		    now->cpu, now->pid, now->comm, tainted(sc, text));
	slab_printk(sc, "Call Trace:");
	slab_printk(sc, " <%s>", stack);
	if (sc->doing)
		print_frame(sc, symbols_address(sc->symbols, sc->doing));
	if (sc->caller)
		print_frame(sc, sc->caller);
	slab_printk(sc, " </%s>", stack);
}

/* --- bytes --------------------------------------------------------------- */

/* hex_dump_to_buffer: one row. */
static void
print_row(const struct slab_common *sc, const char *name, va_t at,
	  const uint8_t *bytes, size_t len)
{
	struct out row = OUT_INIT;
	size_t start;

	out_str(&row, name);
	out_hex_pad(&row, at, 2 * sc->word);
	out_str(&row, ": ");
	start = row.len;
	for (size_t i = 0; i < len; i++) {
		out_hex_pad(&row, bytes[i], 2);
		out_char(&row, ' ');
	}
	while (row.len < start + DUMP_TEXT_AT)
		out_char(&row, ' ');
	for (size_t i = 0; i < len; i++)
		out_char(&row, bytes[i] >= 0x20 && bytes[i] < 0x7f
				       ? (char)bytes[i]
				       : '.');
	slab_printk(sc, "%s", out_text(&row));
	out_fini(&row);
}

void
slub_print_section(const struct slab_common *sc, const char *name, va_t at,
		   uint64_t len)
{
	uint8_t row[DUMP_ROW];

	for (uint64_t done = 0; done < len; done += DUMP_ROW) {
		size_t part = MIN_OF(len - done, DUMP_ROW);

		slub_copy(sc, at + done, row, part);
		print_row(sc, name, at + done, row, part);
	}
}

/* --- slab and object ----------------------------------------------------- */

/* The number that the kernel of this architecture has for the zone. */
static unsigned int
zone_number(const struct arch *arch, enum zone_type type)
{
	unsigned int number = 0;

	for (unsigned int t = 0; t < type; t++)
		number += arch_has_zone(arch, t);
	return number;
}

/* page->flags of the slab's first page, as %pGp prints them. */
static void
print_flags(const struct phys *phys, const struct slab *slab, struct out *out)
{
	const struct zone *z = phys->zones[phys->frames[slab->pfn].zone];
	unsigned int zone = zone_number(phys->arch, z->type);
	uint64_t flags = PG_SLAB | (slab->order ? PG_HEAD : 0);

	if (phys->arch->numa)
		flags |= (uint64_t)slab->nid << PG_NODE_SHIFT |
			 (uint64_t)zone << PG_ZONE_SHIFT |
			 PG_LASTCPUPID_MASK << PG_LASTCPUPID_SHIFT;
	else
		flags |= (uint64_t)zone << PG_ZONE_SHIFT_32;
	out_printf(out, "%#" PRIx64 "(slab%s|", flags,
		   slab->order ? "|head" : "");
	if (phys->arch->numa)
		out_printf(out, "node=%u|", slab->nid);
	out_printf(out, "zone=%u", zone);
	if (phys->arch->numa)
		out_printf(out, "|lastcpupid=%#x",
			   (unsigned int)PG_LASTCPUPID_MASK);
	out_char(out, ')');
}

void
slub_print_slab(const struct kmem_cache *s, const struct slab *slab)
{
	const struct slab_common *sc = s->common;
	const struct arch *arch = sc->phys->arch;
	struct out flags = OUT_INIT;

	print_flags(sc->phys, slab, &flags);
	slab_printk(
		sc, "Slab " PTR " objects=%u used=%u fp=" PTR " flags=%s",
		PTR_OF(sc, arch->vmemmap + slab->pfn * arch->struct_page_size),
		slab->objects, slab->inuse, PTR_OF(sc, slab->freelist),
		out_text(&flags));
	out_fini(&flags);
}

void
slub_print_trailer(struct kmem_cache *s, const struct slab *slab, va_t object)
{
	struct slab_common *sc = s->common;
	va_t start = slab_address(slab), next = 0;
	uint32_t end = slub_metadata_end(s);

	slub_print_tracking(s, object);
	slub_print_slab(s, slab);
	slub_peek_pointer(s, object, &next);
	slab_printk(sc, "Object " PTR " @offset=%" PRId64 " fp=" PTR,
		    PTR_OF(sc, object), (int64_t)(object - start),
		    PTR_OF(sc, next));
	slab_printk(sc, "%s", "");
	if (s->flags & SLAB_RED_ZONE)
		slub_print_section(sc, "Redzone  ", object - s->red_left_pad,
				   s->red_left_pad);
	else if (object > start + DUMP_ROW)
		slub_print_section(sc, "Bytes b4 ", object - DUMP_ROW,
				   DUMP_ROW);
	slub_print_section(sc, "Object   ", object,
			   MIN_OF(s->object_size, page_size(sc->phys)));
	if (s->flags & SLAB_RED_ZONE)
		slub_print_section(sc, "Redzone  ", object + s->object_size,
				   s->inuse - s->object_size);
	slub_print_section(sc, "Padding  ", object + end,
			   slub_from_object(s) - end);
	slub_dump_stack(sc);
}

/* --- reports ------------------------------------------------------------- */

static void
banner(const struct kmem_cache *s, const char *text)
{
	const struct slab_common *sc = s->common;
	char taint[48], line[79];
	size_t len = strlen(text);
	bool more = len && text[len - 1] == '\n';

	memset(line, '=', 77);
	line[77] = 0;
	slab_printk(sc, "%s", line);
	slab_printk(sc, "BUG %s (%s): %.*s", s->name, tainted(sc, taint),
		    (int)(len - more), text);
	/* A text that ends its line itself leaves an empty one. */
	if (more)
		slab_printk(sc, "%s", "");
	memset(line, '-', 77);
	slab_printk(sc, "%s", line);
	slab_printk(sc, "%s", "");
}

void
slub_bug(struct kmem_cache *s, const char *format, ...)
{
	char text[100];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	banner(s, text);
}

void
slub_fix(struct kmem_cache *s, const char *format, ...)
{
	char text[160];
	va_list ap;

	s->common->errors++;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	slab_printk(s->common, "FIX %s: %s", s->name, text);
}

void
slub_object_err(struct kmem_cache *s, struct slab *slab, va_t object,
		const char *reason)
{
	struct slab_common *sc = s->common;

	sc->errors++;
	banner(s, reason);
	if (object && slub_valid_pointer(s, slab, object)) {
		slub_print_trailer(s, slab, object);
	} else {
		slub_print_slab(s, slab);
		slab_printk(sc, "Invalid pointer " PTR, PTR_OF(sc, object));
	}
	slub_taint_bad(sc);
}

void
slub_slab_err(struct kmem_cache *s, struct slab *slab, const char *format, ...)
{
	struct slab_common *sc = s->common;
	char text[100]; /* the kernel's own buffer, where long names end */
	va_list ap;

	sc->errors++;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	banner(s, text);
	slub_print_slab(s, slab);
	slub_dump_stack(sc);
	slub_taint_bad(sc);
}

void
slub_trace(struct kmem_cache *s, const struct slab *slab, va_t object,
	   bool alloc)
{
	struct slab_common *sc = s->common;

	if (!(s->flags & SLAB_TRACE))
		return;
	slab_printk(sc, "TRACE %s %s " PTR " inuse=%d fp=" PTR, s->name,
		    alloc ? "alloc" : "free", PTR_OF(sc, object), slab->inuse,
		    PTR_OF(sc, slab->freelist));
	if (!alloc)
		slub_print_section(sc, "Object ", object, s->object_size);
	slub_dump_stack(sc);
}
