// SPDX-License-Identifier: MIT
/* ftrace_impl.h - what the parts of the trace reader share */
#ifndef KMEMFS_MACHINE_FTRACE_IMPL_H
#define KMEMFS_MACHINE_FTRACE_IMPL_H

#include "kmemfs/machine/ftrace.h"

#include <glib.h>
#include <string.h>

/* Places in a line: [at, end). */
struct ftrace_text {
	const char *at;
	const char *end;
};

/*
 * Read the columns before the event's name: task, pid, CPU, flags, time.
 * On success leaves @t at the name and returns true.
 */
bool ftrace_columns(struct ftrace *f, struct ftrace_text *t,
		    struct ftrace_event *e);
/* The same for a line that has the columns of the one before, up to the point
 * of its stamp; false: it has not, and @t is as it was. */
bool ftrace_columns_again(const struct ftrace *f, struct ftrace_text *t,
			  struct ftrace_event *e);
/* Read the key=value words after the name of a mm_page event; false when one
 * that must be there is missing or is no number. */
bool ftrace_fields(struct ftrace *f, struct ftrace_text t,
		   struct ftrace_event *e);
/* The same for the slab events (ftrace_slab.c). */
bool ftrace_slab(struct ftrace *f, struct ftrace_text t,
		 struct ftrace_event *e);
/* The value of a gfp_flags text; counts words that nobody knows. */
gfp_t ftrace_gfp(struct ftrace *f, const char *text, size_t len,
		 uint32_t *unknown);

static inline bool
ftrace_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline void
ftrace_blanks(struct ftrace_text *t)
{
	const char *at = t->at, *end = t->end;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	t->at = at;
}

/* The blank that ends the word at @at, or @end.  Words are a few bytes long, so
 * that to call memchr() would cost more than to look: eight bytes at once, for
 * one below '!'. */
static inline const char *
ftrace_word_end(const char *at, const char *end)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t v;

	while (end - at >= (ptrdiff_t)sizeof(v)) {
		memcpy(&v, at, sizeof(v));
		v = GUINT64_FROM_LE(v);
		v = (v - '!' * ones) & ~v & 0x80 * ones;
		if (!v) {
			at += sizeof(v);
			continue;
		}
		at += (unsigned int)__builtin_ctzll(v) / 8;
		if (*at == ' ' || *at == '\t')
			return at;
		at++;
	}
	while (at < end && *at != ' ' && *at != '\t')
		at++;
	return at;
}

/* A name that lines are compared with, zeros behind it. */
#define FTRACE_KEY 32

/* Whether the @len bytes at @at are those of @key; @room, not less, may be
 * read.  Short ones are compared in a register. */
static inline bool
ftrace_same(const char *at, size_t room, const char key[FTRACE_KEY], size_t len)
{
	uint64_t a, b;

	if (len > 8 || room < 8)
		return !memcmp(at, key, len);
	memcpy(&a, at, 8);
	memcpy(&b, key, 8);
	return !(GUINT64_FROM_LE(a ^ b) << (64 - 8 * len));
}

/* Read decimal digits; false when there is none or the number is too large. */
static inline bool
ftrace_decimal(struct ftrace_text *t, uint64_t *value)
{
	const char *from = t->at, *at = from, *end = t->end;
	uint64_t v = 0;

	/* 19 digits always fit in 64 bits. */
	if (end - from > 20)
		end = from + 20;
	while (at < end && ftrace_is_digit(*at))
		v = v * 10 + (uint64_t)(*at++ - '0');
	t->at = at;
	*value = v;
	return at > from && at - from < 20;
}

/* A hex digit's value plus one; 0: it is none (ftrace_fields.c). */
extern const uint8_t ftrace_hex_value[256];

/* Read hex digits without 0x; false when there is none or more than 16. */
static inline bool
ftrace_hex(struct ftrace_text *t, uint64_t *value)
{
	const char *from = t->at, *at = from, *end = t->end;
	uint64_t v = 0;

	for (; at < end; at++) {
		unsigned int digit = ftrace_hex_value[(uint8_t)*at];

		if (!digit)
			break;
		v = v << 4 | (digit - 1);
	}
	t->at = at;
	*value = v;
	return at > from && at - from <= 16;
}

#endif
