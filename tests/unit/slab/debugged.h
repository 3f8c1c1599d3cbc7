// SPDX-License-Identifier: MIT
/*
 * debugged.h - a debugged cache, its bytes and what is said of it
 */
#ifndef TESTS_UNIT_SLAB_DEBUGGED_H
#define TESTS_UNIT_SLAB_DEBUGGED_H

#include "slabbed.h"

#define FULL_DEBUG                                                             \
	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON |               \
	 SLAB_STORE_USER)

extern const struct slabbed_kind plain_kind, narrow_kind; /* 64, 32 bits */

/* A machine, a debugged cache, and two of its objects: while the first is
 * freed, the second is in use. */
struct debugged {
	struct slabbed *t;
	struct kmem_cache *s;
	struct slab *slab;
	va_t p, other;
};

/* Cache "test" of objects of @size bytes; nothing is in the log. */
struct debugged debugged_new(const struct slabbed_kind *kind, uint64_t size,
			     slab_flags_t flags);
void debugged_free(struct debugged *d);
pa_t pa_of(const struct debugged *d, va_t at);
void poke(struct debugged *d, va_t at, uint8_t value);
uint8_t peek(const struct debugged *d, va_t at);
/* All @len bytes at @at are @value. */
void assert_bytes(const struct debugged *d, va_t at, uint8_t value,
		  uint64_t len);
/* The log has the text that @format makes; has it not. */
void assert_said(const struct debugged *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void assert_not_said(const struct debugged *d, const char *text);
/* The log has @lines, from its @from-th on. */
void assert_lines(const struct debugged *d, unsigned int from,
		  const char *lines);
/* What slab_ops.validate() returns. */
unsigned int validate(struct debugged *d);
/* Empty the log; count errors from 0. */
void forget(struct debugged *d);

#endif
