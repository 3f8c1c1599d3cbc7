// SPDX-License-Identifier: MIT
/*
 * refusal.h - why a line was not done: an errno, a sentence, a place
 *
 * Filled in by whoever finds the fault and carried up unchanged: to the errno
 * of the write, to error_log, to the answer.
 */
#ifndef KMEMFS_BASE_REFUSAL_H
#define KMEMFS_BASE_REFUSAL_H

#include "kmemfs/base/types.h"

#define REFUSAL_SENTENCE_MAX 512

struct refusal {
	int err;       /* positive errno, 0 = nothing is wrong */
	bool ran;      /* the op ran and failed; false: it was refused */
	size_t column; /* byte of the line where the word at fault starts */
	char sentence[REFUSAL_SENTENCE_MAX];
};

/*
 * Fill in @r (which may be NULL).  Returns -@err, so that a check can end in
 * "return refuse(...)".
 */
int refuse(struct refusal *r, int err, size_t column, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Make a sentence safe to print: what is not printable ASCII becomes '?'. */
void refusal_tidy(char *sentence);

#endif
