// SPDX-License-Identifier: MIT
/* check.c - how a broken invariant of our own ends the program */
#include "kmemfs/base/check.h"

#include <stdio.h>
#include <stdlib.h>

void
km_panic(const char *file, int line, const char *what)
{
	fprintf(stderr, "kmemfs: %s:%d: broken invariant: %s\n", file, line,
		what);
	abort();
}
