// SPDX-License-Identifier: MIT
/*
 * types.h - the words that every layer uses for addresses and sizes
 *
 * A physical address is a pa_t, a frame's number a pfn_t; pfn = pa >> page
 * shift of the modelled machine, which need not be the host's.
 */
#ifndef KMEMFS_BASE_TYPES_H
#define KMEMFS_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t pa_t;	/* physical address, bytes */
typedef uint64_t pfn_t; /* page frame number */
typedef uint64_t va_t;	/* virtual address, bytes */
typedef uint32_t gfp_t; /* request flags, see phys/gfp.h */

#define PFN_NONE UINT64_MAX

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

/* Round @v down, up to a multiple of @to, a power of two. */
static inline uint64_t
round_down_to(uint64_t v, uint64_t to)
{
	return v & ~(to - 1);
}

static inline uint64_t
round_up_to(uint64_t v, uint64_t to)
{
	return (v + to - 1) & ~(to - 1);
}

#endif
