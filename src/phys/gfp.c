// SPDX-License-Identifier: MIT
/*
 * gfp.c - request flags: names, reading, printing
 *
 * What it models: show_gfp_flags() of include/trace/events/mmflags.h, which
 * takes names off a value in a fixed order and prints what is left as a
 * number.
 */
#include "alloc_impl.h"

#include "kmemfs/base/flag_names.h"

#define GFP_BIT(name, value) {#name, value},
#define GFP_SUM(name, value) {#name, value},
static const struct flag_name known[] = {
#include "kmemfs/phys/gfp.def"
};
#undef GFP_BIT
#undef GFP_SUM

#define GFP_SHOW(name) {#name, name},
static const struct flag_name shown[] = {
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

bool
gfp_parse(const char *text, gfp_t *gfp, size_t *bad_at)
{
	return flag_names_parse(known, ARRAY_SIZE(known), text, gfp, bad_at);
}

void
gfp_print(struct out *out, gfp_t gfp)
{
	flag_names_print(shown, ARRAY_SIZE(shown), out, gfp);
}
