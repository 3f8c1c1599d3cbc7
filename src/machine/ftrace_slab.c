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

/* The eight hex digits at @at; false: not all of them are.  All are made
 * numbers at once, and compared with what such numbers look like. */
static inline bool
hex8(const char *at, uint64_t *value)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t text, v, letters;

	memcpy(&text, at, sizeof(text));
	text = GUINT64_FROM_BE(text);
	/* 'a' to 'f' have bit 6. */
	v = (text & 0x0f * ones) + 9 * (text >> 6 & ones);
	letters = (v + 6 * ones) >> 4 & ones;
	if (v & 0xf0 * ones ||
	    text != v + '0' * ones + ('a' - '0' - 10) * letters)
		return false;
	v = (v | v >> 4) & 0x00ff00ff00ff00ff;
	v = (v | v >> 8) & 0x0000ffff0000ffff;
	*value = (v | v >> 16) & 0xffffffff;
	return true;
}

static bool
word_ends(const char *at, const char *end)
{
	return at == end || *at == ' ' || *at == '\t';
}

/* Sixteen hex digits, as nearly all pointers have. */
static inline bool
read_hex16(struct ftrace_text *t, uint64_t *value)
{
	uint64_t high, low;

	if (t->end - t->at < 16 || !hex8(t->at, &high) ||
	    !hex8(t->at + 8, &low) || !word_ends(t->at + 16, t->end))
		return false;
	t->at += 16;
	*value = high << 32 | low;
	return true;
}

/*
 * These read the word at @t, and leave @t behind it; false when it is not what
 * it should be.
 *
 * "000000000bf92a3f", "0xffff888...", "0", "(null)", "(____ptrval____)".
 */
static bool
read_pointer(struct ftrace_text *t, uint64_t *ptr)
{
	const char *from = t->at;

	if (read_hex16(t, ptr))
		return true;
	if (t->end - from > 2 && from[0] == '0' && from[1] == 'x')
		from = t->at += 2;
	if (t->end - from > 2 && from[0] == '(') {
		*ptr = from[1] == '_' ? FTRACE_PTR_HIDDEN : 0;
		t->at = ftrace_word_end(from, t->end);
		return t->at - from > 2;
	}
	return ftrace_hex(t, ptr) && word_ends(t->at, t->end);
}

static bool
read_bytes(struct ftrace_text *t, uint64_t *bytes)
{
	return ftrace_decimal(t, bytes) && word_ends(t->at, t->end) &&
	       *bytes <= BYTES_MOST;
}

/* What is no number, as NUMA_NO_NODE of some, asks for none. */
static int32_t
read_node(struct ftrace_text *t)
{
	bool good;
	uint64_t node;

	good = ftrace_decimal(t, &node) && word_ends(t->at, t->end);
	while (!word_ends(t->at, t->end))
		t->at++;
	return good && node <= INT16_MAX ? (int32_t)node : NODE_LOCAL;
}

/* Whether @t begins with @key, an equals sign at its end, which is left. */
static inline bool
skip(struct ftrace_text *t, const char *key, size_t len)
{
	if ((size_t)(t->end - t->at) < len || memcmp(t->at, key, len))
		return false;
	t->at += len;
	return true;
}

/* The word at @t as it stands. */
static void
read_text(struct ftrace_text *t, const char **text, uint32_t *len)
{
	*text = t->at;
	t->at = ftrace_word_end(t->at, t->end);
	*len = (uint32_t)(t->at - *text);
}

/* Step over the key, if it is this. */
#define KEY(text) skip(t, text, sizeof(text) - 1)

/*
 * The pair at @t, which is left behind it.  Returns the bit of what it gave, 0:
 * nothing, -1: it is broken.
 */
static int
slab_pair(struct ftrace *f, struct ftrace_event *e, struct ftrace_text *t)
{
	const char *text;
	uint32_t len;

	switch (*t->at) {
	case 'c':
		if (!KEY("call_site="))
			break;
		read_text(t, &e->site, &e->site_len);
		return e->site_len ? HAS_SITE : -1;
	case 'p':
		if (!KEY("ptr="))
			break;
		return read_pointer(t, &e->ptr) ? HAS_PTR : -1;
	case 'b':
		if (KEY("bytes_req="))
			return read_bytes(t, &e->bytes_req) ? HAS_REQ : -1;
		if (KEY("bytes_alloc="))
			return read_bytes(t, &e->bytes_alloc) ? HAS_ALLOC : -1;
		break;
	case 'g':
		if (!KEY("gfp_flags="))
			break;
		read_text(t, &text, &len);
		e->gfp = ftrace_gfp(f, text, len, &e->unknown_gfp);
		return HAS_GFP;
	case 'n':
		if (KEY("name="))
			read_text(t, &e->cache, &e->cache_len);
		else if (KEY("node="))
			e->node = read_node(t);
		break;
	}
	t->at = ftrace_word_end(t->at, t->end);
	return 0;
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
		bit = slab_pair(f, e, &t);
		if (bit < 0)
			return false;
		seen |= bit;
	}
	return (seen & needs) == needs;
}
