// SPDX-License-Identifier: MIT
/*
 * out.h - a growing text buffer with fast, fixed ways to print numbers
 *
 * Views render into it.  Large listings live from out_u64_pad and friends,
 * which cost a few nanoseconds; out_printf is for the rest.
 */
#ifndef KMEMFS_BASE_OUT_H
#define KMEMFS_BASE_OUT_H

#include "kmemfs/base/types.h"

#include <stdarg.h>
#include <string.h>

struct out {
	char *text;	 /* not NUL-terminated until out_text() */
	size_t len;	 /* bytes used */
	size_t capacity; /* bytes there */
};

#define OUT_INIT ((struct out){0})

/* Make room for @more bytes; the host's memory never runs out (GLib aborts). */
void out_grow(struct out *out, size_t more);
/* Free the buffer; @out is empty and usable again. */
void out_fini(struct out *out);
/* Forget the text, keep the buffer. */
void out_reset(struct out *out);
/* The text, NUL-terminated, owned by @out until the next change. */
const char *out_text(struct out *out);

void out_printf(struct out *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void out_vprintf(struct out *out, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

static inline void
out_reserve(struct out *out, size_t more)
{
	if (out->capacity - out->len < more)
		out_grow(out, more);
}

static inline void
out_char(struct out *out, char c)
{
	out_reserve(out, 1);
	out->text[out->len++] = c;
}

static inline void
out_mem(struct out *out, const void *bytes, size_t len)
{
	if (!len)
		return;
	out_reserve(out, len);
	memcpy(out->text + out->len, bytes, len);
	out->len += len;
}

static inline void
out_str(struct out *out, const char *text)
{
	out_mem(out, text, strlen(text));
}

/* @text right-aligned in @width columns, as %*s. */
void out_str_pad(struct out *out, const char *text, unsigned int width);
/* Decimal; with _pad right-aligned in @width columns, as %*lu. */
void out_u64(struct out *out, uint64_t v);
void out_u64_pad(struct out *out, uint64_t v, unsigned int width);
/* Decimal and a newline: a line of a long list. */
void out_u64_line(struct out *out, uint64_t v);
void out_i64(struct out *out, int64_t v);
/* 0x and lower-case digits without leading zeros. */
void out_hex(struct out *out, uint64_t v);
/* Lower-case digits, at least @width of them, zero-filled, no prefix. */
void out_hex_pad(struct out *out, uint64_t v, unsigned int width);

#endif
