// SPDX-License-Identifier: MIT
/*
 * op_impl.h - values of parameters: read, printed; shared by op*.c only
 */
#ifndef KMEMFS_MACHINE_OP_IMPL_H
#define KMEMFS_MACHINE_OP_IMPL_H

#include "kmemfs/machine/op.h"

/*
 * Read @word (NUL-terminated, may be changed in place) as a value of @param
 * and store it in @args.  @bad_at gets the offset of the fault in the word.
 * Returns 0 or -errno with the sentence in @r (its column is the caller's).
 */
int param_read(struct machine *m, const struct param *param, char *word,
	       void *args, size_t *bad_at, struct refusal *r);
/* Print the value of @param in @args as param_read reads it. */
void param_print(const struct param *param, const void *args, struct out *out);
/* Whether the value is the word itself. */
bool param_is_word(const struct param *param);
/* Whether an optional parameter has a value. */
bool param_present(const struct param *param, const void *args);
/* The type's name in layouts and what help says about it. */
const char *param_type_name(enum param_type type);
const char *param_type_help(enum param_type type);

#endif
