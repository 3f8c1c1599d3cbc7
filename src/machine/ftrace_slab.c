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
 * How it works: keys are told apart by their first bytes; there are few, and
 * no two begin alike.  Words that are no pair, as a module's name behind the
 * call site ("[ext4]"), are passed over.
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

static int
hex_digit(char c)
{
	if (ftrace_is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* "000000000bf92a3f", "0xffff888...", "0", "(null)", "(____ptrval____)". */
static bool
read_pointer(const char *at, size_t len, uint64_t *ptr)
{
	uint64_t v = 0;

	if (len > 2 && at[0] == '0' && at[1] == 'x') {
		at += 2;
		len -= 2;
	}
	if (len == strlen("(null)") && !memcmp(at, "(null)", len)) {
		*ptr = 0;
		return true;
	}
	if (len > 2 && at[0] == '(' && at[1] == '_') {
		*ptr = FTRACE_PTR_HIDDEN;
		return true;
	}
	if (!len || len > 16)
		return false;
	for (size_t i = 0; i < len; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return false;
		v = v << 4 | (uint64_t)digit;
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

static bool
key_is(const char *key, size_t len, const char *name, size_t name_len)
{
	return len == name_len && !memcmp(key, name, len);
}

#define KEY(text) key_is(key, key_len, text, sizeof(text) - 1)

/* One pair; returns the bit of what it gave, 0: nothing, -1: it is broken. */
static int
slab_pair(struct ftrace *f, struct ftrace_event *e, const char *key,
	  size_t key_len, const char *value, size_t len)
{
	if (KEY("call_site")) {
		e->site = value;
		e->site_len = (uint32_t)len;
		return len ? HAS_SITE : -1;
	}
	if (KEY("ptr"))
		return read_pointer(value, len, &e->ptr) ? HAS_PTR : -1;
	if (KEY("name")) {
		e->cache = value;
		e->cache_len = (uint32_t)len;
		return 0;
	}
	if (KEY("bytes_req"))
		return read_bytes(value, len, &e->bytes_req) ? HAS_REQ : -1;
	if (KEY("bytes_alloc"))
		return read_bytes(value, len, &e->bytes_alloc) ? HAS_ALLOC : -1;
	if (KEY("gfp_flags")) {
		e->gfp = ftrace_gfp(f, value, len, &e->unknown_gfp);
		return HAS_GFP;
	}
	if (KEY("node"))
		e->node = read_node(value, len);
	return 0;
}

bool
ftrace_slab(struct ftrace *f, struct ftrace_text t, struct ftrace_event *e)
{
	bool frees = e->kind == FTRACE_KFREE || e->kind == FTRACE_CACHE_FREE;
	int seen = 0, needs = frees ? FREE_NEEDS : ALLOC_NEEDS;

	e->node = NODE_LOCAL;
	for (;;) {
		const char *from, *equals = NULL;
		int bit;

		ftrace_blanks(&t);
		if (t.at == t.end)
			break;
		from = t.at;
		for (; t.at < t.end && *t.at != ' ' && *t.at != '\t'; t.at++)
			if (*t.at == '=' && !equals)
				equals = t.at;
		if (!equals)
			continue;
		bit = slab_pair(f, e, from, (size_t)(equals - from),
				equals + 1, (size_t)(t.at - equals - 1));
		if (bit < 0)
			return false;
		seen |= bit;
	}
	return (seen & needs) == needs;
}
