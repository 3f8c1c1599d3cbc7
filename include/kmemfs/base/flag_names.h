// SPDX-License-Identifier: MIT
/*
 * flag_names.h - sets of bits as text: "GFP_KERNEL|__GFP_ZERO"
 *
 * A table says what each name stands for: a bit, or several.
 */
#ifndef KMEMFS_BASE_FLAG_NAMES_H
#define KMEMFS_BASE_FLAG_NAMES_H

#include "kmemfs/base/out.h"
#include "kmemfs/base/types.h"

struct flag_name {
	const char *name;
	uint32_t value;
};

/*
 * Read names with | , or + between them; also 0x numbers of at most 32 bits,
 * and "none" or "0" for no flags.  Decimal numbers would be typing errors
 * only.  On failure returns false and stores in @bad_at the offset of the word
 * that is not known.
 */
bool flag_names_parse(const struct flag_name *known, size_t nr,
		      const char *text, uint32_t *flags, size_t *bad_at);
/* Print them with | between, each name that all bits are there of, in the order
 * of the table; what is left as a number; "none" for no flags. */
void flag_names_print(const struct flag_name *known, size_t nr, struct out *out,
		      uint32_t flags);

#endif
