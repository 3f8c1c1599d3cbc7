// SPDX-License-Identifier: MIT
/*
 * symbols.h - functions of the modelled kernel: names for code addresses
 *
 * A caller that a user names gets an address in the kernel's text when it is
 * first used, the next of a row; reports print it as the kernel's %pS does.
 */
#ifndef KMEMFS_BASE_SYMBOLS_H
#define KMEMFS_BASE_SYMBOLS_H

#include "kmemfs/base/out.h"
#include "kmemfs/base/types.h"

struct symbols;

/* @text: address of the first; @size: bytes that each function takes. */
struct symbols *symbols_new(va_t text, uint32_t size);
void symbols_free(struct symbols *s);
/* The address of function @name, entered now if it is new. */
va_t symbols_address(struct symbols *s, const char *name);
/* Print as %pS: "name+0x0/0x40"; an address of no function as 0x number. */
void symbols_print(const struct symbols *s, va_t address, struct out *out);
/* The function that covers @address, NULL. */
const char *symbols_name(const struct symbols *s, va_t address);
/* Functions entered so far; the @n-th, in order of their addresses. */
uint32_t symbols_count(const struct symbols *s);
const char *symbols_nth(const struct symbols *s, uint32_t n, va_t *address);
/* Forget all but the first @count, as if they had not been entered: for ops
 * that are refused after all. */
void symbols_forget(struct symbols *s, uint32_t count);

#endif
