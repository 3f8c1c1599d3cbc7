// SPDX-License-Identifier: MIT
/*
 * out.c - a growing text buffer with fast, fixed ways to print numbers
 *
 * How it works: numbers are made from the last digit in a small buffer on the
 * stack, two decimal digits a step, then copied once.
 */
#include "kmemfs/base/out.h"

#include <glib.h>
#include <stdio.h>

#define DIGITS_MAX 24

static const char pairs[] = "00010203040506070809"
			    "10111213141516171819"
			    "20212223242526272829"
			    "30313233343536373839"
			    "40414243444546474849"
			    "50515253545556575859"
			    "60616263646566676869"
			    "70717273747576777879"
			    "80818283848586878889"
			    "90919293949596979899";

void
out_grow(struct out *out, size_t more)
{
	size_t want = out->capacity ? out->capacity * 2 : 256;

	if (want < out->len + more)
		want = out->len + more;
	out->text = g_realloc(out->text, want);
	out->capacity = want;
}

void
out_fini(struct out *out)
{
	g_free(out->text);
	*out = OUT_INIT;
}

void
out_reset(struct out *out)
{
	out->len = 0;
}

const char *
out_text(struct out *out)
{
	out_reserve(out, 1);
	out->text[out->len] = '\0';
	return out->text;
}

void
out_vprintf(struct out *out, const char *format, va_list ap)
{
	va_list again;
	size_t room;
	int need;

	out_reserve(out, 128);
	room = out->capacity - out->len;
	va_copy(again, ap);
	need = vsnprintf(out->text + out->len, room, format, ap);
	if (need >= 0 && (size_t)need >= room) {
		out_reserve(out, (size_t)need + 1);
		need = vsnprintf(out->text + out->len, (size_t)need + 1, format,
				 again);
	}
	va_end(again);
	if (need > 0)
		out->len += (size_t)need;
}

void
out_printf(struct out *out, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	out_vprintf(out, format, ap);
	va_end(ap);
}

/* Write @v at the end of @buf; returns the first digit. */
static char *
decimal(char buf[DIGITS_MAX], uint64_t v)
{
	char *at = buf + DIGITS_MAX;

	while (v >= 100) {
		at -= 2;
		memcpy(at, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (v >= 10) {
		at -= 2;
		memcpy(at, pairs + v * 2, 2);
	} else {
		*--at = (char)('0' + v);
	}
	return at;
}

static void
pad(struct out *out, size_t have, unsigned int width)
{
	if (have >= width)
		return;
	out_reserve(out, width - have);
	memset(out->text + out->len, ' ', width - have);
	out->len += width - have;
}

void
out_str_pad(struct out *out, const char *text, unsigned int width)
{
	pad(out, strlen(text), width);
	out_str(out, text);
}

void
out_u64(struct out *out, uint64_t v)
{
	char buf[DIGITS_MAX];
	char *at = decimal(buf, v);

	out_mem(out, at, (size_t)(buf + DIGITS_MAX - at));
}

void
out_u64_pad(struct out *out, uint64_t v, unsigned int width)
{
	char buf[DIGITS_MAX];
	char *at = decimal(buf, v);
	size_t len = (size_t)(buf + DIGITS_MAX - at);

	pad(out, len, width);
	out_mem(out, at, len);
}

void
out_i64(struct out *out, int64_t v)
{
	if (v < 0)
		out_char(out, '-');
	out_u64(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void
out_hex_pad(struct out *out, uint64_t v, unsigned int width)
{
	char buf[DIGITS_MAX];
	char *at = buf + DIGITS_MAX;

	do {
		*--at = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	while (at > buf && (size_t)(buf + DIGITS_MAX - at) < width)
		*--at = '0';
	out_mem(out, at, (size_t)(buf + DIGITS_MAX - at));
}

void
out_hex(struct out *out, uint64_t v)
{
	out_mem(out, "0x", 2);
	out_hex_pad(out, v, 1);
}
