// SPDX-License-Identifier: MIT
/*
 * ftrace_gfp.c - gfp_flags as traces spell them
 *
 * How it works: a recording holds the same few dozen expressions over and
 * over, so whole texts are remembered in a small direct-mapped cache; only a
 * text that is not there is taken apart and its words looked up.
 */
#include "ftrace_impl.h"

#include <string.h>

static const struct {
	const char *word;
	gfp_t value;
} words[] = {
#define GFP_BIT(name, value) {#name, value},
#define GFP_SUM(name, value) {#name, value},
#include "kmemfs/phys/gfp.def"
#undef GFP_BIT
#undef GFP_SUM
#define GFP_OLD(word, value) {word, value},
#include "ftrace_gfp.def"
#undef GFP_OLD
};

static bool
gfp_word_is(const char *word, const char *text, size_t len)
{
	return strlen(word) == len && !memcmp(word, text, len);
}

/*
 * Kernels before 4.6 left the underscores out (GFP_ZERO for __GFP_ZERO); some
 * after 6.10 print three.
 */
static bool
gfp_word_find(const char *text, size_t len, gfp_t *gfp)
{
	size_t i;

	if (len > 3 && !memcmp(text, "___", 3)) {
		text++;
		len--;
	}
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (gfp_word_is(words[i].word, text, len))
			break;
	if (i == ARRAY_SIZE(words))
		for (i = 0; i < ARRAY_SIZE(words); i++)
			if (!memcmp(words[i].word, "__", 2) &&
			    gfp_word_is(words[i].word + 2, text, len))
				break;
	if (i == ARRAY_SIZE(words))
		return false;
	*gfp |= words[i].value;
	return true;
}

/* Returns the number of words that nobody knows. */
static uint32_t
gfp_read(const char *text, size_t len, gfp_t *gfp)
{
	const char *end = text + len;
	uint32_t unknown = 0;

	*gfp = 0;
	while (text < end) {
		const char *bar = memchr(text, '|', (size_t)(end - text));

		bar = bar ? bar : end;
		if (!gfp_word_is("0", text, (size_t)(bar - text)) &&
		    !gfp_word_is("0x0", text, (size_t)(bar - text)) &&
		    !gfp_word_find(text, (size_t)(bar - text), gfp))
			unknown++;
		text = bar + 1;
	}
	return unknown;
}

static unsigned int
gfp_hash(const char *text, size_t len)
{
	uint64_t first = 0, last = 0;
	size_t part = MIN_OF(len, sizeof(first));

	memcpy(&first, text, part);
	memcpy(&last, text + len - part, part);
	first = (first ^ last << 1 ^ len << 56) * 0x9e3779b97f4a7c15ULL;
	return (unsigned int)(first >> 32) % FTRACE_GFP_CACHED;
}

gfp_t
ftrace_gfp(struct ftrace *f, const char *text, size_t len, uint32_t *unknown)
{
	typeof(&f->gfp[0]) slot = &f->gfp[gfp_hash(text, len)];
	gfp_t gfp;

	if (slot->len == len && len && !memcmp(slot->text, text, len)) {
		*unknown = slot->unknown;
		return slot->gfp;
	}
	*unknown = gfp_read(text, len, &gfp);
	if (len && len <= FTRACE_GFP_TEXT) {
		memcpy(slot->text, text, len);
		slot->len = (uint32_t)len;
		slot->gfp = gfp;
		slot->unknown = *unknown;
	}
	return gfp;
}
