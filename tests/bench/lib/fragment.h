// SPDX-License-Identifier: MIT
/*
 * fragment.h - a machine whose free lists are long
 */
#ifndef KMEMFS_BENCH_FRAGMENT_H
#define KMEMFS_BENCH_FRAGMENT_H

#include "kmemfs/machine/machine.h"

/* A machine for a list of 100 MB, and how many pages to take of it. */
#define FRAGMENT_MACHINE "[machine]\narch = x86-64\nmemory = 160G\ncpus = 4\n"
#define FRAGMENT_PAGES 22600000U

/*
 * Take @nr pages for GFP_KERNEL, give every second one back: half as many
 * blocks of order 0 are free then.
 */
void fragment(struct machine *m, unsigned int nr);

#endif
