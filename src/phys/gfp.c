// SPDX-License-Identifier: MIT
/*
 * gfp.c - request flags: names, reading, printing
 *
 * What it models: show_gfp_flags() of include/trace/events/mmflags.h, which
 * takes names off a value in a fixed order and prints what is left as a
 * number.
 */
#include "alloc_impl.h"

#include <string.h>

struct gfp_name {
	const char *name;
	gfp_t value;
};

#define GFP_BIT(name, value) {#name, value},
#define GFP_SUM(name, value) {#name, value},
static const struct gfp_name known[] = {
#include "kmemfs/phys/gfp.def"
};
#undef GFP_BIT
#undef GFP_SUM

#define GFP_SHOW(name) {#name, name},
static const struct gfp_name shown[] = {
#include "gfp_show.def"
};
#undef GFP_SHOW

const char *
migratetype_name(enum migratetype type)
{
	static const char *const names[MIGRATE_TYPES] = {
		"Unmovable",  "Movable", "Reclaimable",
		"HighAtomic", "CMA",	 "Isolate"};

	return type < MIGRATE_TYPES ? names[type] : "none";
}

enum migratetype
gfp_migratetype(gfp_t gfp)
{
	return request_type(gfp);
}

/* 0x1f: at most 32 bits. */
static bool
hex_word(const char *word, size_t len, gfp_t *value)
{
	uint64_t v = 0;

	if (len < 3 || len > 10 || word[0] != '0' || (word[1] | 32) != 'x')
		return false;
	for (size_t i = 2; i < len; i++) {
		const char *digits = "0123456789abcdef";
		char c = word[i] >= 'A' && word[i] <= 'F' ? word[i] + 32
							  : word[i];
		const char *at = strchr(digits, c);

		if (!at || !c)
			return false;
		v = v << 4 | (uint64_t)(at - digits);
	}
	*value = (gfp_t)v;
	return true;
}

static bool
gfp_word(const char *word, size_t len, gfp_t *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i].name) == len &&
		    !memcmp(known[i].name, word, len)) {
			*value = known[i].value;
			return true;
		}
	if (len == 4 && !memcmp(word, "none", 4)) {
		*value = 0;
		return true;
	}
	return hex_word(word, len, value);
}

bool
gfp_parse(const char *text, gfp_t *gfp, size_t *bad_at)
{
	gfp_t sum = 0;
	const char *at = text;

	for (;;) {
		size_t len = strcspn(at, "|,+");
		gfp_t value = 0;

		/* What gfp_print() makes of no flags at all. */
		if (!(len == 1 && *at == '0') && !gfp_word(at, len, &value)) {
			*bad_at = (size_t)(at - text);
			return false;
		}
		sum |= value;
		if (!at[len])
			break;
		at += len + 1;
	}
	*gfp = sum;
	return true;
}

void
gfp_print(struct out *out, gfp_t gfp)
{
	const char *between = "";

	if (!gfp) {
		out_str(out, "none");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		if ((gfp & shown[i].value) != shown[i].value)
			continue;
		out_str(out, between);
		out_str(out, shown[i].name);
		between = "|";
		gfp &= ~shown[i].value;
	}
	if (gfp) {
		out_str(out, between);
		out_hex(out, gfp);
	}
}
