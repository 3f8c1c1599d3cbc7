// SPDX-License-Identifier: MIT
/*
 * law.h - laws of the model, and how a walk that checks them tells findings
 */
#ifndef KMEMFS_PHYS_LAW_H
#define KMEMFS_PHYS_LAW_H

#include "kmemfs/base/types.h"

#include <stdarg.h>

/* Lists of them end with a NULL name: for `verify`. */
struct law {
	const char *name;
	const char *sentence;
};

/* One broken law: name of the law, what was found. */
typedef void (*finding_fn)(void *user, const char *law, const char *finding);

#define AUDIT_LAWS_MOST 24

/* A walk under way. */
struct audit {
	const struct law *laws; /* it checks */
	unsigned int most;	/* findings told of one law; 0: all */
	finding_fn found;	/* may be NULL: only counted */
	void *user;
	unsigned int nr; /* findings told */
	unsigned int of_law[AUDIT_LAWS_MOST];
};

/* Tell that @law, an index of the list, is broken; @about stands before the
 * text. */
void audit_vtell(struct audit *a, unsigned int law, const char *about,
		 const char *format, va_list ap)
	__attribute__((format(printf, 4, 0)));
void audit_tell(struct audit *a, unsigned int law, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
