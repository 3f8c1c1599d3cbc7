// SPDX-License-Identifier: MIT
/*
 * kernel_args.h - the kernel's command line, cut into its arguments
 *
 * The kernel cuts it in two ways, and which one an argument is found by makes
 * a difference to quotes and to what stands behind "--".  Everything that is
 * read with early_param(), __setup() or module_param() comes by parse_args();
 * what the x86 boot code must know before that is looked for in the bare text.
 */
#ifndef KMEMFS_BASE_KERNEL_ARGS_H
#define KMEMFS_BASE_KERNEL_ARGS_H

#include "kmemfs/base/types.h"

/*
 * The next argument as parse_args() and next_arg() cut it, at or behind *@at,
 * which is moved on; *@start is where it begins.
 *
 * Blanks inside double quotes belong to it.  The quotes around the whole or
 * around the value are taken away, others stay.  Returns "key" or "key=value",
 * to be freed with g_free(); NULL at the end of the text or at "--", behind
 * which stand the arguments of init.
 */
char *kernel_args_next(const char **at, const char **start);

/*
 * What stands in @arg behind @key, with which it begins, - and _ being the
 * same; NULL: it begins otherwise.
 */
const char *kernel_args_behind(const char *arg, const char *key);

/*
 * What stands behind the last "@key=" of @text, up to a blank, as
 * cmdline_find_option() of arch/x86/lib finds it: quotes and "--" mean
 * nothing.  To be freed with g_free(); NULL: it is nowhere.
 */
char *kernel_args_find(const char *text, const char *key);

/* Whether a word of @text is @option, as cmdline_find_option_bool() finds. */
bool kernel_args_has(const char *text, const char *option);

#endif
