// SPDX-License-Identifier: MIT
/*
 * law.c - how a walk that checks laws tells what it finds
 *
 * Always true: of one law no more findings are told than the walk wants, so
 * that a broken list does not bury all else.
 */
#include "kmemfs/phys/law.h"

#include "kmemfs/base/check.h"

#include <stdio.h>

void
audit_vtell(struct audit *a, unsigned int law, const char *about,
	    const char *format, va_list ap)
{
	char text[256];
	int len;

	KM_ASSERT(law < AUDIT_LAWS_MOST);
	if (++a->of_law[law] > a->most && a->most)
		return;
	len = snprintf(text, sizeof(text), "%.120s", about);
	vsnprintf(text + len, sizeof(text) - (size_t)len, format, ap);
	a->nr++;
	if (a->found)
		a->found(a->user, a->laws[law].name, text);
}

void
audit_tell(struct audit *a, unsigned int law, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	audit_vtell(a, law, "", format, ap);
	va_end(ap);
}
