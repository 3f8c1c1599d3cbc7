// SPDX-License-Identifier: MIT
/*
 * common_impl.h - what the files that make caches call of each other
 */
#ifndef KMEMFS_SLAB_COMMON_IMPL_H
#define KMEMFS_SLAB_COMMON_IMPL_H

#include "kmemfs/slab/slab.h"

#define KMALLOC_SHIFT_LOW 3 /* SLUB: objects of 8 bytes at least */
/* ARCH_KMALLOC_MINALIGN and ARCH_SLAB_MINALIGN: a long long's, everywhere. */
#define SLAB_ALIGN_LEAST 8
#define CACHE_LINE 64 /* bytes; of all that is modelled */

/* Index of the largest kmalloc cache: above it pages are taken directly, but
 * not by the classic SLAB. */
static inline unsigned int
kmalloc_shift_high(const struct slab_common *sc)
{
	if (sc->config.allocator == ALLOCATOR_SLAB)
		return 17;
	return sc->phys->page_shift + 1;
}

/* Bytes of the largest block that the page allocator gives. */
static inline uint64_t
kmalloc_max_size(const struct slab_common *sc)
{
	return page_size(sc->phys) << (MAX_ORDER - 1);
}

/* The least order whose block holds @bytes (get_order); @bytes > 0. */
static inline unsigned int
slab_get_order(const struct slab_common *sc, uint64_t bytes)
{
	unsigned int order = 0;

	while (page_size(sc->phys) << order < bytes)
		order++;
	return order;
}

static inline bool
slab_kernel_from(const struct slab_common *sc, unsigned int version)
{
	return sc->config.kernel >= version;
}

/* Whether anything may be merged with @s (slab_unmergeable, negated). */
#define SLAB_NEVER_MERGE                                                       \
	(SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE |          \
	 SLAB_TYPESAFE_BY_RCU | SLAB_NOLEAKTRACE | SLAB_FAILSLAB)

/* --- slab_cmdline.c ------------------------------------------------------- */

/* Read sc->config.cmdline into @sc; complaints go to the modelled log. */
void slab_cmdline_read(struct slab_common *sc);
/* @flags and what slub_debug= adds to a cache @name: kmem_cache_flags. */
slab_flags_t slab_debug_flags(const struct slab_common *sc, slab_flags_t flags,
			      const char *name);

/* --- slub_size.c ---------------------------------------------------------- */

/* calculate_alignment: of objects of @size bytes that asked for @align. */
uint32_t slab_alignment(const struct slab_common *sc, slab_flags_t flags,
			uint64_t align, uint64_t size);

/* --- slab_common.c -------------------------------------------------------- */

/*
 * A cache with all that its allocator fills in, entered in @sc under
 * args->name; refcount 1, no descriptor.  @flags and @align are final.  NULL
 * and *err when the allocator can make no such objects.
 */
struct kmem_cache *slab_cache_new(struct slab_common *sc,
				  const struct kmem_cache_args *args,
				  slab_flags_t flags, uint32_t align, int *err);

/* --- slab_alloc.c ---------------------------------------------------------
 */

/* The pages of @slab count as slab pages of @s (@sign 1) or no more (-1). */
void slab_account_pages(const struct kmem_cache *s, const struct slab *slab,
			int sign);
/* Run the constructor of @s, if it has one, over a new object: 0, or -errno of
 * the host's limit. */
int slab_construct(struct kmem_cache *s, va_t object);
/* @lost of the objects that look used are on no list: which they are nobody can
 * know; objects are given out from the front, so the last ones are shown. */
void slab_mark_lost(const struct slab *slab, uint8_t *state, int lost);

/* --- kmalloc.c ------------------------------------------------------------ */

/* Fill in sc->kmalloc_small; not with SLOB. */
void kmalloc_boot_sizes(struct slab_common *sc);

/* --- slab_boot.c ---------------------------------------------------------- */

/* Which allocators this program has. */
extern const struct slab_ops *const slab_allocators[NR_SLAB_ALLOCATORS];

#endif
