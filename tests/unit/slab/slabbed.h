// SPDX-License-Identifier: MIT
/*
 * slabbed.h - a booted machine with slabs, small enough to see through
 */
#ifndef TESTS_UNIT_SLAB_SLABBED_H
#define TESTS_UNIT_SLAB_SLABBED_H

#include "../phys/booted.h"

#include "kmemfs/slab/slab.h"

struct slabbed {
	struct booted *b;
	struct ram *ram;
	struct symbols *symbols;
	struct slab_common *sc;
	struct slab_request who; /* CPU 0, GFP_KERNEL, any node */
};

struct slabbed_kind {
	const char *arch;	  /* NULL: x86-64 */
	const char *memory;	  /* NULL: 64M */
	unsigned int nodes, cpus; /* 0: 1, 2 */
	uint64_t ram_limit;	  /* 0: none */
	struct slab_config config;
};

struct slabbed *slabbed_new(const struct slabbed_kind *kind);
void slabbed_free(struct slabbed *t);
/* A cache of objects of @size bytes that is merged with no other. */
struct kmem_cache *slabbed_cache(struct slabbed *t, const char *name,
				 uint64_t size, slab_flags_t flags);
/* The request with another CPU, node. */
struct slab_request on_cpu(const struct slabbed *t, unsigned int cpu);
struct slab_request on_node(const struct slabbed *t, int nid);
/* Must succeed: an object; freeing it, on a CPU. */
va_t take(struct slabbed *t, struct kmem_cache *s, unsigned int cpu);
void give(struct slabbed *t, struct kmem_cache *s, unsigned int cpu,
	  va_t object);
/* The word of the direct map at @at. */
uint64_t word_at(const struct slabbed *t, va_t at);
void set_word(struct slabbed *t, va_t at, uint64_t value);
/* Findings of slab_verify() and phys_verify(); the laws they name, a line
 * each, are added to @laws if it is not NULL. */
unsigned int findings(const struct slabbed *t, GString *laws);
/* Pages that the page allocator has free, per-cpu lists too. */
uint64_t free_pages(const struct slabbed *t);

#define OBJECTS_MOST 1024
/* Fill @nr slabs of @s from CPU @cpu; objects go to @o.  Returns how many. */
unsigned int fill(struct slabbed *t, struct kmem_cache *s, unsigned int cpu,
		  unsigned int nr, va_t *o);
/* No law of slabs or pages is broken. */
void assert_slabs_lawful(const struct slabbed *t);

#endif
