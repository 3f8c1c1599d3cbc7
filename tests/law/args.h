// SPDX-License-Identifier: MIT
/*
 * args.h - the arguments of the law tests
 */
#ifndef TESTS_LAW_ARGS_H
#define TESTS_LAW_ARGS_H

#include "kmemfs/base/types.h"

struct law_args {
	uint64_t seed;	     /* 1 */
	unsigned int ops;    /* steps of the longest run: 3000 */
	const char *machine; /* the only one; NULL: all */
	bool seeded;	     /* --seed was given */
	bool trace;	     /* show each step */
};

/* Read them, and print the seed and the number of steps.  With arguments that
 * nobody knows it prints those there are; false. */
bool law_args_read(struct law_args *args, int argc, char **argv);
/* Whether machine @name is to be run. */
bool law_args_want(const struct law_args *args, const char *name);

#endif
