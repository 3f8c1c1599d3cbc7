// SPDX-License-Identifier: MIT
/*
 * classic_impl.h - what the files of the classic SLAB call of each other
 *
 * An object's buffer begins with a red zone when the cache has one; arrays and
 * free lists name buffers, users are given buffer + s->red_left_pad.  Buffers
 * in arrays may be any number: a wild pointer that was freed lies there until
 * the array is emptied.
 */
#ifndef KMEMFS_SLAB_CLASSIC_IMPL_H
#define KMEMFS_SLAB_CLASSIC_IMPL_H

#include "slub_impl.h"

#define BUFCTL_END UINT32_MAX
#define BUFCTL_FREE (UINT32_MAX - 1) /* of a debugged object in use */

/* Free objects that a CPU, or all CPUs of a node, keep at hand: the last one
 * in is the first one out. */
struct array_cache {
	uint32_t avail;
	uint32_t limit;
	uint32_t batchcount; /* moved at one go */
	bool touched;	     /* taken from since it was last looked at */
	va_t *entry;	     /* [limit]; NULL until used */
};

/* What struct kmem_list3 has beside the lists of slabs. */
struct classic_node {
	struct array_cache shared; /* limit 0: there is none */
	int64_t free_objects;	   /* in slabs, not in arrays */
	uint32_t free_limit; /* more free objects than this: pages go back */
	bool free_touched;
	uint64_t next_reap_ns;
};

/* kmem_cache.impl */
struct classic {
	struct array_cache *cpu;   /* [nr_cpus] */
	struct classic_node *node; /* [nr_nodes] */
	uint32_t limit, batchcount, shared;
	uint32_t colour; /* different starts of slabs' objects */
	uint32_t colour_off;
	uint32_t colour_next;
	uint32_t slab_size; /* bytes of a slab's descriptor with its array */
	bool off_slab;	    /* which lies elsewhere */
};

/* slab_common.classic: timers of the CPUs. */
struct classic_timers {
	uint64_t *reap_ns; /* [nr_cpus] when each looks at its arrays next */
	uint64_t now_ns;   /* of the timer that runs; 0: none does */
};

static inline struct classic *
classic_of(const struct kmem_cache *s)
{
	return s->impl;
}

/* Kernels have one bit for "debugging": all of SLUB's flags mean it. */
static inline bool
classic_debugged(const struct kmem_cache *s)
{
	return slub_debugged(s);
}

/* --- classic_size.c ------------------------------------------------------- */

/* Sizes, order, number, colours, place of the descriptor: kmem_cache_create of
 * 2.6.  0, -E2BIG. */
int classic_calculate_sizes(struct kmem_cache *s);
/* sizeof(struct slab). */
uint32_t classic_descriptor_size(const struct slab_common *sc);

/* --- classic_desc.c: struct slab and its array in modelled RAM -------------
 */

/* Words of the descriptor as they lie there, whatever that is. */
va_t classic_s_mem(const struct slab *slab);
uint32_t classic_inuse(const struct slab *slab);
uint32_t classic_free_index(const struct slab *slab);
/* False: index @index leads out of memory. */
bool classic_bufctl(const struct slab *slab, uint32_t index, uint32_t *next);
/* Write all of a new one: no object in use, the list from 0 to the last. */
void classic_desc_init(struct slab *slab, va_t s_mem);
/* slab_get_obj: the first free buffer.  -EFAULT and an oops when its entry
 * leads out of memory. */
int classic_take(struct slab *slab, va_t *buffer);
/* slab_put_obj; -EFAULT ditto. */
int classic_put(struct slab *slab, va_t buffer);
/* Off all lists; onto a list of its node: the words of it and of its
 * neighbours too. */
void classic_unlink(struct slab *slab);
void classic_link(struct slab *slab, enum slab_where where, bool tail);
/*
 * Follow the free list: marks map[i] with @value for each free object, stops
 * where it ends or leads astray (*@broken).  Returns how many.
 */
unsigned int classic_walk(const struct slab *slab, uint8_t *map, uint8_t value,
			  bool *broken);

/* --- classic_page.c: slabs come and go -------------------------------------
 */

/* cache_grow: a new slab on its node's free list.  0, -ENOMEM, -ENOSPC.
 * @exact: of node @nid or none. */
int classic_grow(struct kmem_cache *s, const struct slab_request *r, int nid,
		 bool exact, struct slab **made);
/* slab_destroy: @slab is on no list. */
void classic_destroy(struct kmem_cache *s, struct slab *slab, unsigned int cpu);
/* slab_ops.slab_gone: what else belongs to a slab whose pages go. */
void classic_slab_gone(struct kmem_cache *s, struct slab *slab,
		       unsigned int cpu);

/* --- classic_alloc.c ------------------------------------------------------ */

int classic_alloc(struct kmem_cache *s, const struct slab_request *r,
		  va_t *object);
int classic_free(struct kmem_cache *s, struct slab *slab, va_t object,
		 const struct slab_request *who);
/* free_block: buffers go back to their slabs.  -EFAULT when the kernel met
 * nonsense; the others are freed. */
int classic_free_block(struct kmem_cache *s, const va_t *buffer,
		       unsigned int nr, unsigned int cpu);
/* The first @nr entries of @ac are gone. */
void classic_array_shift(struct array_cache *ac, uint32_t nr);
/* Room for its entries. */
void classic_array_use(struct array_cache *ac);

/* --- classic_reap.c: giving back ------------------------------------------ */

/* Modelled time: that of the timer that runs, else the machine's. */
uint64_t classic_now(const struct slab_common *sc);
/* Timers up to the machine's time; for slab_tick().  True: they did something.
 */
bool classic_tick(struct slab_common *sc);
void classic_timers_free(struct slab_common *sc);
/* There is a cache: its timers run. */
void classic_timers_start(struct slab_common *sc);
void classic_shrink(struct kmem_cache *s);
int classic_shutdown(struct kmem_cache *s);
void classic_cpu_dead(struct kmem_cache *s, unsigned int cpu);

/* --- classic_debug.c ------------------------------------------------------ */

/* "kernel BUG at mm/slab.c:@line!" met in @where.  Returns -EFAULT. */
int classic_bug(struct slab_common *sc, unsigned int line, const char *where);
/* slab_error */
void classic_error(struct kmem_cache *s, const char *where,
		   const char *message);
/* Marks of a new slab's buffers. */
void classic_debug_new(struct kmem_cache *s, va_t buffer);
/* What a constructor spoilt of them. */
void classic_debug_constructed(struct kmem_cache *s, va_t buffer);
/* cache_alloc_debugcheck_after, cache_free_debugcheck, slab_destroy. */
int classic_debug_alloc(struct kmem_cache *s, va_t buffer,
			const struct slab_request *r);
int classic_debug_free(struct kmem_cache *s, struct slab *slab, va_t buffer,
		       const struct slab_request *who);
void classic_debug_destroy(struct kmem_cache *s, struct slab *slab);
/* check_slabp: -EFAULT when the list is broken. */
int classic_debug_list(struct slab *slab, const char *where);
/* Whether the buffer is free already, as its entry says. */
bool classic_debug_double(const struct slab *slab, va_t buffer);
unsigned int classic_validate(struct kmem_cache *s);

/* --- classic_verify.c ----------------------------------------------------- */

void classic_states(const struct slab *slab, uint8_t *state);
unsigned int classic_verify(struct kmem_cache *s, finding_fn found, void *user);
void classic_digest(const struct kmem_cache *s, const struct number_stream *to);
void classic_info(const struct kmem_cache *s, struct slabinfo *info);

/* --- classic_boot.c ------------------------------------------------------- */

/* Largest request of kmalloc: caches end there. */
#define CLASSIC_KMALLOC_MOST (1U << 17)
#define CLASSIC_KMALLOC_LOW 5 /* log2 of the smallest */

#endif
