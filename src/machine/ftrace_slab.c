// SPDX-License-Identifier: MIT
/*
 * ftrace_slab.c - the key=value words of the slab events
 *
 * What it models: the formats of include/trace/events/kmem.h, 4.18 to 6.18:
 *
 *     kmalloc: call_site=f+0x1a/0x60 ptr=000000000bf92a3f bytes_req=192
 *         bytes_alloc=192 gfp_flags=GFP_KERNEL node=-1 accounted=true
 *     kmem_cache_alloc: the same, with name=CACHE before bytes_req since 6.6
 *     kfree: call_site=f+0x1a/0x60 ptr=000000000bf92a3f
 *     kmem_cache_free: the same, with name=CACHE since 5.12
 *
 * Call sites and pointers were numbers (0xffffffff81234567) in older ones.
 *
 * How it works: keys are told apart by their first byte, then by the rest.
 * Words that are no pair, as a module's name behind the call site ("[ext4]"),
 * are passed over.
 */
#include "ftrace_impl.h"

#include "kmemfs/phys/phys.h"

#include <string.h>

enum {
	HAS_SITE = 1 << 0,
	HAS_PTR = 1 << 1,
	HAS_REQ = 1 << 2,
	HAS_ALLOC = 1 << 3,
	HAS_GFP = 1 << 4,
};

#define FREE_NEEDS (HAS_SITE | HAS_PTR)
#define ALLOC_NEEDS (FREE_NEEDS | HAS_REQ | HAS_ALLOC | HAS_GFP)

#define BYTES_MOST (1ULL << 40)

/* A digit's value plus one. */
static const uint8_t hex_value[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* "000000000bf92a3f", "0xffff888...", "0", "(null)", "(____ptrval____)". */
static bool
read_pointer(const char *at, size_t len, uint64_t *ptr)
{
	uint64_t v = 0;

	if (len > 2 && at[0] == '0' && at[1] == 'x') {
		at += 2;
		len -= 2;
	}
	if (len > 2 && at[0] == '(') {
		*ptr = at[1] == '_' ? FTRACE_PTR_HIDDEN : 0;
		return true;
	}
	if (!len || len > 16)
		return false;
	for (size_t i = 0; i < len; i++) {
		uint8_t digit = hex_value[(uint8_t)at[i]];

		if (!digit)
			return false;
		v = v << 4 | (digit - 1U);
	}
	*ptr = v;
	return true;
}

static bool
read_bytes(const char *at, size_t len, uint64_t *bytes)
{
	struct ftrace_text t = {at, at + len};

	return ftrace_decimal(&t, bytes) && t.at == t.end &&
	       *bytes <= BYTES_MOST;
}

/* What is no number, as NUMA_NO_NODE of some, asks for none. */
static int32_t
read_node(const char *at, size_t len)
{
	struct ftrace_text t = {at, at + len};
	uint64_t node;

	if (!ftrace_decimal(&t, &node) || t.at != t.end || node > INT16_MAX)
		return NODE_LOCAL;
	return (int32_t)node;
}

/* The key of a pair, with its equals sign, at the start of [at, end). */
static inline bool
starts(const char *at, const char *end, const char *key, size_t len)
{
	return (size_t)(end - at) >= len && !memcmp(at, key, len);
}

#define KEY(text) starts(at, end, text, sizeof(text) - 1)
#define VALUE(text) (at + sizeof(text) - 1)

/* The end of the word at @at: kernels put blanks between them, no tabs. */
static const char *
word_end(const char *at, const char *end)
{
	const char *blank = memchr(at, ' ', (size_t)(end - at));

	return blank ? blank : end;
}

/*
 * One pair at @at; *@next is behind it.  Returns the bit of what it gave, 0:
 * nothing, -1: it is broken.
 */
static int
slab_pair(struct ftrace *f, struct ftrace_event *e, const char *at,
	  const char *end, const char **next)
{
	const char *value, *stop = word_end(at, end);

	*next = stop;
	switch (*at) {
	case 'c':
		if (!KEY("call_site="))
			return 0;
		e->site = VALUE("call_site=");
		e->site_len = (uint32_t)(stop - e->site);
		return e->site_len ? HAS_SITE : -1;
	case 'p':
		if (!KEY("ptr="))
			return 0;
		value = VALUE("ptr=");
		return read_pointer(value, (size_t)(stop - value), &e->ptr)
			       ? HAS_PTR
			       : -1;
	case 'b':
		if (KEY("bytes_req=")) {
			value = VALUE("bytes_req=");
			return read_bytes(value, (size_t)(stop - value),
					  &e->bytes_req)
				       ? HAS_REQ
				       : -1;
		}
		if (!KEY("bytes_alloc="))
			return 0;
		value = VALUE("bytes_alloc=");
		return read_bytes(value, (size_t)(stop - value),
				  &e->bytes_alloc)
			       ? HAS_ALLOC
			       : -1;
	case 'g':
		if (!KEY("gfp_flags="))
			return 0;
		value = VALUE("gfp_flags=");
		e->gfp = ftrace_gfp(f, value, (size_t)(stop - value),
				    &e->unknown_gfp);
		return HAS_GFP;
	case 'n':
		if (KEY("name=")) {
			e->cache = VALUE("name=");
			e->cache_len = (uint32_t)(stop - e->cache);
		} else if (KEY("node=")) {
			value = VALUE("node=");
			e->node = read_node(value, (size_t)(stop - value));
		}
		return 0;
	default:
		return 0;
	}
}

bool
ftrace_slab(struct ftrace *f, struct ftrace_text t, struct ftrace_event *e)
{
	bool frees = e->kind == FTRACE_KFREE || e->kind == FTRACE_CACHE_FREE;
	int seen = 0, needs = frees ? FREE_NEEDS : ALLOC_NEEDS;

	e->node = NODE_LOCAL;
	for (;;) {
		int bit;

		ftrace_blanks(&t);
		if (t.at == t.end)
			break;
		bit = slab_pair(f, e, t.at, t.end, &t.at);
		if (bit < 0)
			return false;
		seen |= bit;
	}
	return (seen & needs) == needs;
}
