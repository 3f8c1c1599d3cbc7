// SPDX-License-Identifier: MIT
/*
 * slob_impl.h - what the files of SLOB, and kmalloc, call of each other
 */
#ifndef KMEMFS_SLAB_SLOB_IMPL_H
#define KMEMFS_SLAB_SLOB_IMPL_H

#include "slub_impl.h"

/* Lists of pages with free units, by the size of what they are for. */
#define SLOB_BREAK1 256
#define SLOB_BREAK2 1024
#define NR_SLOB_LISTS 3

/* slab_common.slob */
struct slob {
	/* All pages belong to it: a "cache" whose objects are units.  It is in
	 * no table. */
	struct kmem_cache pool;
	struct slab_list list[NR_SLOB_LISTS];
};

/* kmem_cache.impl: SLOB itself counts nothing. */
struct slob_cache {
	int64_t live; /* objects given out and not back */
};

/* Machines of @sc use SLOB for kmalloc too. */
static inline bool
slob_machine(const struct slab_common *sc)
{
	return sc->config.allocator == ALLOCATOR_SLOB;
}

/* Of a block: two of these at least as long as it is free. */
static inline uint32_t
slob_unit(const struct slab_common *sc)
{
	return page_size(sc->phys) <= 32767 * 2 ? 2 : 4;
}

static inline uint32_t
slob_units(const struct slab_common *sc, uint64_t bytes)
{
	return (uint32_t)((bytes + slob_unit(sc) - 1) / slob_unit(sc));
}

static inline uint32_t
slob_page_units(const struct slab_common *sc)
{
	return (uint32_t)(page_size(sc->phys) / slob_unit(sc));
}

/* --- slob_block.c: free blocks in modelled RAM -----------------------------
 */

/* A free block as it lies there: units it has, and the next one's address. */
struct slob_block {
	va_t at;
	int64_t units;
	va_t next;
};

/* slob_units(), slob_next().  False: not mapped. */
bool slob_read(const struct slab_common *sc, va_t at, struct slob_block *b);
/* set_slob().  False: not mapped. */
bool slob_write(struct slab_common *sc, va_t at, int64_t units, va_t next);
/* Nothing follows it in its page. */
bool slob_last(const struct slab_common *sc, const struct slob_block *b);
/* Mark units of @page: state[i] for each free one, at most @most blocks or up
 * to the first that leads astray.  Returns units found free. */
unsigned int slob_walk(const struct slab *page, uint8_t *state, bool *broken);

/* --- slob_page.c: blocks of bytes out of pages -----------------------------
 */

/* The pool, made when it is first needed. */
struct slob *slob_of(struct slab_common *sc);
void slob_fini(struct slab_common *sc);
/*
 * slob_alloc: @bytes at an address that, @offset bytes further, is a multiple
 * of @align.  0; -ENOMEM, -ENOSPC; -EFAULT when a free list led astray.
 */
int slob_take(struct slab_common *sc, uint64_t bytes, uint64_t align,
	      uint64_t offset, const struct slab_request *r, va_t *block);
/* slob_free: @bytes at @block of @page; -EFAULT ditto. */
int slob_put(struct slab_common *sc, struct slab *page, va_t block,
	     uint64_t bytes, unsigned int cpu);

/* --- slob.c ----------------------------------------------------------------
 */

/* kmalloc, kfree, ksize of blocks smaller than a page. */
bool slob_kmalloc_small(const struct slab_common *sc, uint64_t bytes);
int slob_kmalloc(struct slab_common *sc, uint64_t bytes,
		 const struct slab_request *r, va_t *object);
uint64_t slob_ksize(const struct slab_common *sc, va_t object);
uint64_t slob_kmalloc_size(const struct slab_common *sc, uint64_t bytes);
/* A grace period is over: the object that waited for it is freed. */
void slob_rcu_free(struct slab_common *sc, const struct rcu_slab *wait);

/* --- slob_verify.c ---------------------------------------------------------
 */

void slob_states(const struct slab *slab, uint8_t *state);
unsigned int slob_free_list(const struct slab *slab, uint16_t *index,
			    bool *broken);
/* Laws of the pages that all caches share; digest of their lists. */
unsigned int slob_verify_pool(struct slab_common *sc, finding_fn found,
			      void *user);
void slob_digest_pool(const struct slab_common *sc,
		      const struct number_stream *to);

#endif
