// SPDX-License-Identifier: MIT
/* debugged.c - a debugged cache, its bytes and what is said of it */
#include "debugged.h"

#include <inttypes.h>

const struct slabbed_kind plain_kind = {0};
const struct slabbed_kind narrow_kind = {.arch = "i386"};

struct debugged
debugged_new(const struct slabbed_kind *kind, uint64_t size, slab_flags_t flags)
{
	struct debugged d = {.t = slabbed_new(kind)};

	d.s = slabbed_cache(d.t, "test", size, flags);
	d.p = take(d.t, d.s, 0);
	d.other = take(d.t, d.s, 0);
	d.slab = slab_of(d.t->sc, d.p);
	g_string_truncate(d.t->b->log, 0);
	d.t->sc->errors = 0;
	return d;
}

pa_t
pa_of(const struct debugged *d, va_t at)
{
	return at - d->t->b->phys->arch->page_offset;
}

void
poke(struct debugged *d, va_t at, uint8_t value)
{
	ck_assert_int_eq(ram_write(d->t->ram, pa_of(d, at), &value, 1), 0);
}

uint8_t
peek(const struct debugged *d, va_t at)
{
	uint8_t value;

	ram_read(d->t->ram, pa_of(d, at), &value, 1);
	return value;
}

void
assert_bytes(const struct debugged *d, va_t at, uint8_t value, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		ck_assert_msg(peek(d, at + i) == value,
			      "byte %" PRIu64 " of %" PRIu64 ": %#x, not %#x",
			      i, len, peek(d, at + i), value);
}

/* The log has a line with the text that @format makes. */
void __attribute__((format(printf, 2, 3)))
assert_said(const struct debugged *d, const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	text = g_strdup_vprintf(format, ap);
	va_end(ap);
	ck_assert_msg(strstr(d->t->b->log->str, text) != NULL,
		      "not said: %s\n%s", text, d->t->b->log->str);
	g_free(text);
}

void
assert_not_said(const struct debugged *d, const char *text)
{
	ck_assert_msg(!strstr(d->t->b->log->str, text), "said: %s\n%s", text,
		      d->t->b->log->str);
}

/* The log is exactly these lines, from its @from-th on. */
void
assert_lines(const struct debugged *d, unsigned int from, const char *lines)
{
	const char *at = d->t->b->log->str;

	while (from--)
		at = strchr(at, '\n') + 1;
	ck_assert_msg(!strncmp(at, lines, strlen(lines)), "%s\n---\n%s", at,
		      lines);
}

unsigned int
validate(struct debugged *d)
{
	return d->s->ops->validate(d->s);
}

void
forget(struct debugged *d)
{
	g_string_truncate(d->t->b->log, 0);
	d->t->sc->errors = 0;
}

void
debugged_free(struct debugged *d)
{
	slabbed_free(d->t);
}
