// SPDX-License-Identifier: MIT
/*
 * out.c - a growing text buffer with fast, fixed ways to print numbers
 *
 * How it works: how many digits a number has is known before they are made, so
 * that they are written where they belong, from the last one on, two decimal
 * digits a step.
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
	if (out->text)
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

/* How many decimal digits @v has: a number of so many bits has at least
 * bits * log10(2) of them, and perhaps one more. */
static unsigned int
decimal_digits(uint64_t v)
{
	static const uint64_t powers[] = {
		1U,
		10U,
		100U,
		1000U,
		10000U,
		100000U,
		1000000U,
		10000000U,
		100000000U,
		1000000000U,
		10000000000ULL,
		100000000000ULL,
		1000000000000ULL,
		10000000000000ULL,
		100000000000000ULL,
		1000000000000000ULL,
		10000000000000000ULL,
		100000000000000000ULL,
		1000000000000000000ULL,
		10000000000000000000ULL,
	};
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(v | 1);
	unsigned int least = bits * 1233 >> 12;

	return least + ((v | 1) >= powers[least]);
}

/* Write the digits of @v, which end before @end. */
static void
decimal(char *end, uint64_t v)
{
	while (v >= 100) {
		end -= 2;
		memcpy(end, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (v >= 10)
		memcpy(end - 2, pairs + v * 2, 2);
	else
		end[-1] = (char)('0' + v);
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
	unsigned int digits = decimal_digits(v);

	out_reserve(out, digits);
	out->len += digits;
	decimal(out->text + out->len, v);
}

void
out_u64_line(struct out *out, uint64_t v)
{
	out_reserve(out, DIGITS_MAX);
	out_u64(out, v);
	out->text[out->len++] = '\n';
}

void
out_u64_pad(struct out *out, uint64_t v, unsigned int width)
{
	pad(out, decimal_digits(v), width);
	out_u64(out, v);
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
