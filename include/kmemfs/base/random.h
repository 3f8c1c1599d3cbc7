// SPDX-License-Identifier: MIT
/*
 * random.h - the model's generator of random numbers (splitmix64)
 *
 * Whoever draws keeps a state of its own, so that what one part draws changes
 * nothing for another.
 */
#ifndef KMEMFS_BASE_RANDOM_H
#define KMEMFS_BASE_RANDOM_H

#include "kmemfs/base/types.h"

static inline uint64_t
random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

#endif
