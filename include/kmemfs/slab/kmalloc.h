// SPDX-License-Identifier: MIT
/*
 * kmalloc.h - memory by size, from caches of set sizes or whole pages
 *
 * Follows include/linux/slab.h (kmalloc_index, kmalloc_type), mm/slab_common.c
 * (kmalloc_large, free_large_kmalloc, krealloc, ksize) of 6.1.192.
 */
#ifndef KMEMFS_SLAB_KMALLOC_H
#define KMEMFS_SLAB_KMALLOC_H

#include "kmemfs/slab/slab.h"

#define ZERO_SIZE_PTR ((va_t)16)

/* The most that can be asked for at one go. */
uint64_t kmalloc_largest(const struct slab_common *sc);
/* @bytes come as pages of their own, not out of anything's slabs. */
bool kmalloc_takes_pages(const struct slab_common *sc, uint64_t bytes);
/* The cache that @bytes come from with @gfp; NULL: pages directly, or SLOB,
 * which has no caches for it. */
struct kmem_cache *kmalloc_cache(const struct slab_common *sc, uint64_t bytes,
				 gfp_t gfp);
/*
 * @bytes of memory; 0 bytes give ZERO_SIZE_PTR.  0, -ENOMEM, -EFAULT as
 * kmem_cache_alloc; -EINVAL: beyond the largest block of pages.  Emits kmalloc.
 */
int kmalloc(struct slab_common *sc, uint64_t bytes,
	    const struct slab_request *r, va_t *object);
/*
 * Give it back: of a cache, of pages, NULL or ZERO_SIZE_PTR.  What a kernel
 * would notice late or never is done as there.  Emits kfree.
 */
int kfree(struct slab_common *sc, va_t object, const struct slab_request *who);
/* Bytes that may be used at @object; 0 for NULL and ZERO_SIZE_PTR, and where
 * kmalloc never was. */
uint64_t ksize(const struct slab_common *sc, va_t object);
/* As the kernel asks it: warns in the log where kmalloc never was. */
uint64_t ksize_warn(struct slab_common *sc, va_t object,
		    const struct slab_request *who);
/*
 * Make it @bytes large: in place when there is room, else elsewhere, the bytes
 * copied and the old freed.  *@object is both.
 */
int krealloc(struct slab_common *sc, uint64_t bytes,
	     const struct slab_request *r, va_t *object);
/*
 * Bytes that @object takes of a page with all that is its own: what the cache
 * adds to it, a header of SLOB's.  It was asked for with @bytes of @s, or of
 * kmalloc (NULL).
 */
uint64_t slab_footprint(const struct slab_common *sc,
			const struct kmem_cache *s, va_t object,
			uint64_t bytes);
/* Bytes that a request of @bytes would really take (kmalloc_size_roundup). */
uint64_t kmalloc_size(const struct slab_common *sc, uint64_t bytes, gfp_t gfp);

#endif
