// SPDX-License-Identifier: MIT
/*
 * mempool_impl.h - elements of a reserve: poisoned, checked, owned
 */
#ifndef KMEMFS_SLAB_MEMPOOL_IMPL_H
#define KMEMFS_SLAB_MEMPOOL_IMPL_H

#include "kmemfs/slab/mempool.h"

/* Where the element's bytes lie, if it is what the pool's reserve may hold:
 * memory that is there, of pages a block that is the pool's. */
bool mempool_element_place(const struct mempool *pool, uint64_t element,
			   pa_t *pa);
/* Fill it as a free one, if this kernel does that: 0 or -ENOSPC. */
int mempool_poison(const struct mempool *pool, uint64_t element);
/* It leaves the reserve: complain if it is not as it was filled. */
void mempool_check(const struct mempool *pool, uint64_t element);

#endif
