// SPDX-License-Identifier: MIT
/*
 * slub_shrink.c - giving back what nobody uses, and the end of a cache
 *
 * What it models: flush_all, __kmem_cache_do_shrink, __kmem_cache_shutdown,
 *                 free_partial, list_slab_objects of mm/slub.c of 6.1.192.
 * How it works:   all CPUs let go of their slabs.  To shrink, empty slabs are
 *                 given back and the others sorted: those with the fewest free
 *                 objects come first, so that they fill up; those with more
 *                 than 32 free stay behind them as they were.
 */
#include "slub_impl.h"

#include <errno.h>

#define SHRINK_PROMOTE_MAX 32

/* --- shrinking -------------------------------------------------------------
 */

/* Put @slab after those with fewer free objects than it, that is, at the head
 * of those with as many: list_move to a bucket, then list_splice. */
static void
promote(struct slab_common *sc, struct slab_list *bucket, struct slab *slab)
{
	slab_list_add(sc, &bucket[slab->objects - slab->inuse - 1], slab,
		      false);
}

static void
splice_buckets(struct slab_common *sc, struct slab_list *partial,
	       struct slab_list *bucket)
{
	for (int i = SHRINK_PROMOTE_MAX - 1; i >= 0; i--) {
		struct slab *slab;

		/* The bucket's last goes first before what is there. */
		while (bucket[i].tail) {
			slab = slab_at(sc, bucket[i].tail - 1);
			slab_list_del(sc, &bucket[i], slab);
			slab_list_add(sc, partial, slab, false);
		}
	}
}

static void
shrink_node(struct kmem_cache *s, struct kmem_cache_node *n)
{
	struct slab_common *sc = s->common;
	struct slab_list bucket[SHRINK_PROMOTE_MAX] = {{0}}, discard = {0};
	struct slab *slab = slab_list_first(sc, &n->partial), *next;

	for (; slab; slab = next) {
		int free = slab->objects - slab->inuse;

		next = slab_list_next(sc, slab);
		if (free == slab->objects) {
			slab_list_del(sc, &n->partial, slab);
			slab_list_add(sc, &discard, slab, false);
			slub_dec_slabs(s, slab);
		} else if (free > 0 && free <= SHRINK_PROMOTE_MAX) {
			slab_list_del(sc, &n->partial, slab);
			promote(sc, bucket, slab);
		}
	}
	splice_buckets(sc, &n->partial, bucket);
	while ((slab = slab_list_first(sc, &discard))) {
		slab_list_del(sc, &discard, slab);
		slub_free_slab(s, slab, slab_this_cpu(sc));
	}
}

void
slub_shrink(struct kmem_cache *s)
{
	slub_enter(s->common, "kmem_cache_shrink", 0);
	slub_flush_all(s);
	for (unsigned int i = 0; i < s->common->phys->nr_nodes; i++)
		shrink_node(s, &s->node[i]);
}

/* --- the end ---------------------------------------------------------------
 */

/* list_slab_objects */
static void
tell_left(struct kmem_cache *s, struct slab *slab)
{
	uint8_t *used = g_malloc0(slab->objects);

	slub_slab_err(s, slab,
		      "Objects remaining in %s on "
		      "__kmem_cache_shutdown()",
		      s->name);
	slub_walk(slab, slab->freelist, used, 1, NULL);
	for (uint32_t i = 0; i < slab->objects; i++) {
		va_t object = slab_object(slab, i);

		if (used[i])
			continue;
		slab_printk(s->common, "Object 0x%0*llx @offset=%llu",
			    (int)(2 * s->common->word),
			    (unsigned long long)object,
			    (unsigned long long)(object - slab_address(slab)));
		slub_print_tracking(s, object);
	}
	g_free(used);
}

/* free_partial */
static void
free_partial(struct kmem_cache *s, struct kmem_cache_node *n)
{
	struct slab_common *sc = s->common;
	struct slab *slab = slab_list_first(sc, &n->partial), *next;
	struct slab_list discard = {0};

	for (; slab; slab = next) {
		next = slab_list_next(sc, slab);
		if (slab->inuse) {
			tell_left(s, slab);
			continue;
		}
		slab_list_del(sc, &n->partial, slab);
		slab_list_add(sc, &discard, slab, false);
	}
	while ((slab = slab_list_first(sc, &discard))) {
		slab_list_del(sc, &discard, slab);
		slub_discard(s, slab, slab_this_cpu(sc));
	}
}

int
slub_shutdown(struct kmem_cache *s)
{
	slub_enter(s->common, "kmem_cache_destroy", 0);
	slub_flush_all(s);
	for (unsigned int i = 0; i < s->common->phys->nr_nodes; i++) {
		struct kmem_cache_node *n = &s->node[i];

		free_partial(s, n);
		if (n->partial.nr || n->nr_slabs)
			return -EBUSY;
	}
	return 0;
}
