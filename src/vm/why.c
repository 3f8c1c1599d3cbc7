// SPDX-License-Identifier: MIT
/*
 * why.c - for what the last call was refused
 *
 * How it works: an errno has many causes; who finds one leaves its number, and
 * whoever has asked may tell it.  A cause is only told with the errno that it
 * came with: one that a caller put up with is not that of the next failure.
 */
#include "vm_impl.h"

static const char *const sentences[] = {
	[WHY_NONE] = NULL,
#define WHY(id, sentence) [WHY_##id] = sentence,
#include "why.def"
#undef WHY
};

const char *
vm_why(const struct vm *vm, int err)
{
	return vm->why_err == err ? sentences[vm->why] : NULL;
}

void
vm_why_none(struct vm *vm)
{
	vm->why = WHY_NONE;
}
