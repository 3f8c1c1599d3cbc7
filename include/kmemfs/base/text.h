// SPDX-License-Identifier: MIT
/*
 * text.h - sizes, numbers, ranges and names as people write them
 *
 * All parsers take a NUL-terminated word and want all of it: trailing
 * characters are an error.  They return false and leave the result alone when
 * the word is not of their kind or does not fit.
 */
#ifndef KMEMFS_BASE_TEXT_H
#define KMEMFS_BASE_TEXT_H

#include "kmemfs/base/types.h"

/* 123 or 0x7b. */
bool text_u64(const char *word, uint64_t *value);
/* As text_u64, with an optional minus. */
bool text_i64(const char *word, int64_t *value);
/* A number with an optional K, M, G, T, P (powers of 1024; also KiB, kB). */
bool text_size(const char *word, uint64_t *bytes);
/* A time: a number with ns, us, ms, s, min, h; fractions
 * allowed (1.5s); 0 needs no unit. */
bool text_time(const char *word, uint64_t *ns);
/* 1/0, yes/no, true/false, on/off, y/n. */
bool text_bool(const char *word, bool *value);
/* [A-Za-z_][A-Za-z0-9_.-]*, at most 63 bytes. */
bool text_is_name(const char *word);

#endif
