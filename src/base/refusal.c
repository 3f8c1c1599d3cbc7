// SPDX-License-Identifier: MIT
/* refusal.c - why a line was not done */
#include "kmemfs/base/refusal.h"

#include <stdarg.h>
#include <stdio.h>

int
refuse(struct refusal *r, int err, size_t column, const char *format, ...)
{
	va_list ap;

	if (!r)
		return -err;
	r->err = err;
	r->ran = false;
	r->column = column;
	va_start(ap, format);
	vsnprintf(r->sentence, sizeof(r->sentence), format, ap);
	va_end(ap);
	refusal_tidy(r->sentence);
	return -err;
}

void
refusal_tidy(char *sentence)
{
	for (; *sentence; sentence++)
		if (*sentence < ' ' || *sentence > '~')
			*sentence = '?';
}
