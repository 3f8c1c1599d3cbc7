// SPDX-License-Identifier: MIT
/*
 * mempool.h - pools that keep some elements back for when memory is short
 *
 * A pool hands out what its allocator gives (objects of a cache, kmalloc's
 * memory, blocks of pages).  When that fails it gives from a reserve of min_nr
 * elements that were allocated when the pool was made, and what is freed goes
 * back there first.  Who may sleep waits for that and never fails.
 *
 * The descriptor and the array of the reserve are objects of kmalloc in
 * modelled RAM, with the pointers that a kernel would have there: addresses of
 * elements, of pages those of their struct page.  What is read back from there
 * is untrusted.
 *
 * Follows mm/mempool.c of 6.1.192.
 */
#ifndef KMEMFS_SLAB_MEMPOOL_H
#define KMEMFS_SLAB_MEMPOOL_H

#include "kmemfs/slab/slab.h"

enum mempool_kind {
	MEMPOOL_SLAB,	 /* mempool_alloc_slab, mempool_free_slab */
	MEMPOOL_KMALLOC, /* mempool_kmalloc, mempool_kfree */
	MEMPOOL_PAGES,	 /* mempool_alloc_pages, mempool_free_pages */
	NR_MEMPOOL_KINDS
};

/* "slab", "kmalloc", "page"; and the functions that the kernel calls. */
extern const char *const mempool_kind_names[NR_MEMPOOL_KINDS];
extern const char *const mempool_alloc_fns[NR_MEMPOOL_KINDS];
extern const char *const mempool_free_fns[NR_MEMPOOL_KINDS];

/* io_schedule_timeout(5 * HZ): a sleeper tries again after this anyway. */
#define MEMPOOL_TIMEOUT_NS 5000000000ULL
#define MEMPOOL_MIN_NR_MAX 524288 /* of an array that kmalloc can give */

/* Who sleeps until an element is given back. */
struct mempool_waiter {
	struct slab_request who;
	char *name; /* by which what it gets is to be known, NULL */
	uint64_t since_ns;
	uint64_t until_ns; /* it tries again */
	uint64_t tries;	   /* that found nothing since it sleeps */
};

struct mempools;

struct mempool {
	struct mempools *all;
	uint32_t id; /* serial, from 1, never used twice */
	char *name;
	enum mempool_kind kind;
	uint32_t cache;	    /* SLAB: its id */
	uint64_t size;	    /* bytes of an element */
	unsigned int order; /* PAGES */
	uint32_t min_nr;
	uint32_t curr_nr;
	va_t descriptor;
	va_t elements;	     /* the array's first word */
	GQueue waiters;	     /* of struct mempool_waiter *, oldest first */
	uint64_t nr_alloc;   /* given by the allocator */
	uint64_t nr_reserve; /* given from the reserve */
	uint64_t nr_failed;  /* NULL was the answer */
	uint64_t nr_slept;
	uint64_t nr_refilled; /* freed into the reserve */
	uint64_t nr_freed;    /* freed to the allocator */
};

/* A machine's pools. */
struct mempools {
	struct slab_common *sc;
	GPtrArray *pools; /* of struct mempool *, oldest first */
	uint32_t last_id;
	uint64_t waiting; /* sleepers in all */
};

struct mempools *mempools_new(struct slab_common *sc);
void mempools_free(struct mempools *t);
/* The cache of number @cache is gone although objects of it are in use, as SLOB
 * lets it: those that had pages of their own are nobody's pages now.  Pools
 * that keep some in reserve get them. */
void mempools_cache_gone(struct mempools *t, uint32_t cache);
struct mempool *mempool_find(const struct mempools *t, const char *name);
struct mempool *mempool_get(const struct mempools *t, uint32_t id);
/* The oldest with an id above @after, NULL. */
struct mempool *mempool_next(const struct mempools *t, uint32_t after);
/* The cache of a pool of objects; NULL: it was destroyed, or no such pool. */
struct kmem_cache *mempool_cache(const struct mempool *pool);

struct mempool_args {
	const char *name;
	enum mempool_kind kind;
	uint32_t min_nr;
	struct kmem_cache *cache; /* SLAB */
	uint64_t size;		  /* KMALLOC */
	unsigned int order;	  /* PAGES */
};

/*
 * Make a pool with a full reserve (mempool_create).  0; -ENOMEM, and nothing
 * is kept; -EFAULT as kmem_cache_alloc(); -ENOSPC: elements are poisoned, and
 * the host may not hold their bytes.
 */
int mempool_create(struct mempools *t, const struct mempool_args *args,
		   const struct slab_request *who, struct mempool **made);
/* Free the reserve and the pool; who sleeps for it sleeps no more.  What is out
 * stays out.  0, or -EFAULT when the kernel crashed on the way. */
int mempool_destroy(struct mempool *pool, const struct slab_request *who);
/*
 * One element, without sleeping.  0: *@element is it, of pages the address of
 * their struct page.  -ENOMEM: NULL; -EAGAIN: a kernel sleeps now, see
 * mempool_sleep(); -EFAULT: it crashed.
 */
int mempool_alloc(struct mempool *pool, const struct slab_request *r,
		  uint64_t *element);
/* Who got -EAGAIN sleeps until woken, or MEMPOOL_TIMEOUT_NS from @now_ns. */
void mempool_sleep(struct mempool *pool, const struct slab_request *r,
		   const char *name, uint64_t now_ns);
/* Take @w off the pool's sleepers and free it. */
void mempool_wake(struct mempool *pool, struct mempool_waiter *w);
/*
 * Give an element back: into the reserve as long as that is not full
 * (*@refilled: who sleeps may try again), else to the allocator.  0; -EFAULT;
 * -ENOSPC: it would be poisoned, and the host may not hold its bytes; nothing
 * was done.  0 is ignored.
 */
int mempool_free(struct mempool *pool, uint64_t element,
		 const struct slab_request *who, bool *refilled);
/*
 * Another size of the reserve, at least 1.  0 also when the reserve could not
 * be filled; -ENOMEM: no memory for the larger array; -EFAULT; -ENOSPC.
 */
int mempool_resize(struct mempool *pool, uint32_t min_nr,
		   const struct slab_request *who);

/* The @i-th pointer of the reserve, i < curr_nr. */
uint64_t mempool_element(const struct mempool *pool, uint32_t i);
/* Address of a struct page; the frame behind one, PFN_NONE: none. */
uint64_t mempool_page(const struct phys *phys, pfn_t pfn);
pfn_t mempool_pfn(const struct phys *phys, uint64_t page);

extern const struct law mempool_laws[];
unsigned int mempool_verify(const struct mempools *t, finding_fn found,
			    void *user);
void mempool_digest(const struct mempools *t, const struct number_stream *to);

#endif
