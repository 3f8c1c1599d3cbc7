// SPDX-License-Identifier: MIT
/*
 * ctor.c - constructors: what an object holds before it is first given out
 *
 * What it models: the ctor argument of kmem_cache_create.  There is no code to
 *                 run in the modelled kernel, so a constructor is a pattern of
 *                 bytes with a name, repeated to the object's end.
 */
#include "kmemfs/slab/slab.h"

#include <string.h>

#define PATTERN_MOST 256

struct slab_ctor {
	const char *name;
	size_t period;	     /* bytes until it begins again, <= PATTERN_MOST */
	const uint8_t *byte; /* [period]; NULL: byte i is i */
};

static const uint8_t zero[] = {0x00};
static const uint8_t ones[] = {0xff};
static const uint8_t stripes[] = {0x55, 0xaa};
static const uint8_t text[] = "constructed ";

static const struct slab_ctor ctors[] = {
	{"zero",	 sizeof(zero),     zero   },
	       {"ones",	sizeof(ones),     ones	  },
	{"stripes", sizeof(stripes),  stripes},
	       {"text",	sizeof(text) - 1, text   },
	{"count",	  PATTERN_MOST,	NULL   },
};

const struct slab_ctor *
slab_ctor_nth(unsigned int n)
{
	return n < ARRAY_SIZE(ctors) ? &ctors[n] : NULL;
}

const struct slab_ctor *
slab_ctor_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ctors); i++)
		if (!strcmp(ctors[i].name, name))
			return &ctors[i];
	return NULL;
}

const char *
slab_ctor_name(const struct slab_ctor *ctor)
{
	return ctor->name;
}

void
slab_ctor_fill(const struct slab_ctor *ctor, uint8_t *to, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		size_t at = i % ctor->period;

		to[i] = ctor->byte ? ctor->byte[at] : (uint8_t)at;
	}
}
