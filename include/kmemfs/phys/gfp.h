// SPDX-License-Identifier: MIT
/*
 * gfp.h - what a request for pages says about itself
 *
 * Values and sums are those of Linux 6.1.192 (include/linux/gfp_types.h).
 * Text is read with | , or + between words, and printed with | as the
 * kernel's trace prints it (show_gfp_flags): the largest known sums first,
 * then single bits.
 */
#ifndef KMEMFS_PHYS_GFP_H
#define KMEMFS_PHYS_GFP_H

#include "kmemfs/base/out.h"
#include "kmemfs/base/types.h"

enum gfp_bits {
#define GFP_BIT(name, value) name = value,
#define GFP_SUM(name, value) name = value,
#include "kmemfs/phys/gfp.def"
#undef GFP_BIT
#undef GFP_SUM
};

/* The kernel's placement types; HighAtomic == MIGRATE_PCPTYPES. */
enum migratetype {
	MIGRATE_UNMOVABLE,
	MIGRATE_MOVABLE,
	MIGRATE_RECLAIMABLE,
	MIGRATE_HIGHATOMIC,
	MIGRATE_CMA,
	MIGRATE_ISOLATE,
	MIGRATE_TYPES,
	MIGRATE_PCPTYPES = 3,
};

/* "Unmovable", "Movable", ... as pagetypeinfo prints them. */
const char *migratetype_name(enum migratetype type);
/*
 * Read a gfp expression.  Also takes 0x numbers.  On failure returns false
 * and stores in @bad_at the offset of the word that is not known.
 */
bool gfp_parse(const char *text, gfp_t *gfp, size_t *bad_at);
/* Print @gfp as the kernel's trace does; "none" when 0. */
void gfp_print(struct out *out, gfp_t gfp);
/* (gfp & (MOVABLE|RECLAIMABLE)) >> 3; 0 when both are set. */
enum migratetype gfp_migratetype(gfp_t gfp);

#endif
