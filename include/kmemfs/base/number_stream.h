// SPDX-License-Identifier: MIT
/*
 * number_stream.h - state as a stream of numbers, for whoever hashes it
 *
 * A layer tells what its later behaviour depends on, number by number; what
 * becomes of them is the business of the caller (machine/digest.c).
 */
#ifndef KMEMFS_BASE_NUMBER_STREAM_H
#define KMEMFS_BASE_NUMBER_STREAM_H

#include "kmemfs/base/types.h"

struct number_stream {
	void (*put)(void *user, uint64_t v);
	void *user;
};

static inline void
stream_put(const struct number_stream *to, uint64_t v)
{
	to->put(to->user, v);
}

/* One number that stands for the bytes (FNV-1a). */
static inline void
stream_put_hash(const struct number_stream *to, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ b[i]) * 0x100000001b3;
	stream_put(to, hash);
}

/* The same of a text; NULL is an empty one. */
static inline void
stream_put_text(const struct number_stream *to, const char *text)
{
	stream_put_hash(to, text, text ? __builtin_strlen(text) : 0);
}

#endif
