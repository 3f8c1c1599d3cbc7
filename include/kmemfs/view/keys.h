// SPDX-License-Identifier: MIT
/*
 * keys.h - the variable parts of paths
 *
 * The kinds are declared in fs-layout/ ("key:" stanzas), their objects key_NAME
 * in the generated kmemfs/show.h.  All follow the contract of struct key_kind
 * in view.h.  Here is what their functions share.
 */
#ifndef KMEMFS_VIEW_KEYS_H
#define KMEMFS_VIEW_KEYS_H

#include "kmemfs/show.h"

/* Read a canonical decimal number (no sign, no leading zeros). */
bool key_decimal(const char *name, uint64_t *value);
/* Read @prefix followed by a canonical decimal number. */
bool key_prefixed(const char *name, const char *prefix, uint64_t *value);
/* Print @value in decimal: the print function of numeric kinds. */
void key_print_decimal(const struct view *v, uint64_t value, struct out *out);
/*
 * The next value of a kind whose values are those below @end for which
 * @exists says yes; for the next function of dense kinds.
 */
bool key_scan(const struct view *v, bool first, uint64_t after, uint64_t end,
	      bool (*exists)(const struct view *v, uint64_t value),
	      uint64_t *value);

#endif
