// SPDX-License-Identifier: MIT
/*
 * slub_validate.c - all objects of a cache, checked
 *
 * What it models: validate_slab_cache, validate_slab_node, validate_slab of
 *                 mm/slub.c of 6.1.192, which a write of 1 to a cache's file
 *                 validate, and slub_kunit, call.
 * How it works:   CPUs let go of their slabs; then each partial slab, and each
 *                 full one if the cache keeps a list of those, is checked: its
 *                 counters, its free list, and each object as one that is free
 *                 or in use, whichever the list says.
 */
#include "slub_debug_impl.h"

static void
check_objects(struct kmem_cache *s, struct slab *slab)
{
	uint8_t *free = g_malloc0(slab->objects + 1UL);
	bool broken;

	slub_walk(slab, slab->freelist, free, 1, &broken);
	if (broken)
		/* A circle: __fill_map follows it for ever. */
		slub_lockup(s->common, "validate_slab");
	for (uint32_t i = 0; i < slab->objects; i++)
		if (!slub_check_object(s, slab, slab_object(slab, i),
				       free[i] ? SLUB_RED_INACTIVE
					       : SLUB_RED_ACTIVE))
			break;
	g_free(free);
}

static void
validate_slab(struct kmem_cache *s, struct slab *slab)
{
	if (slub_check_slab(s, slab) && slub_on_freelist(s, slab, 0))
		check_objects(s, slab);
}

static uint32_t
validate_list(struct kmem_cache *s, const struct slab_list *list)
{
	const struct slab_common *sc = s->common;
	uint32_t count = 0;

	for (struct slab *slab = slab_list_first(sc, list); slab;
	     slab = slab_list_next(sc, slab)) {
		validate_slab(s, slab);
		count++;
	}
	return count;
}

static void
validate_node(struct kmem_cache *s, const struct kmem_cache_node *n)
{
	struct slab_common *sc = s->common;
	uint32_t count = validate_list(s, &n->partial);

	if (count != n->partial.nr) {
		slab_printk(sc,
			    "SLUB %s: %u partial slabs counted but counter=%u",
			    s->name, count, n->partial.nr);
		sc->errors++;
	}
	if (!(s->flags & SLAB_STORE_USER))
		return;
	count += validate_list(s, &n->full);
	if (count != n->nr_slabs) {
		slab_printk(sc,
			    "SLUB: %s %u slabs counted but counter=%" PRId64,
			    s->name, count, (int64_t)n->nr_slabs);
		sc->errors++;
	}
}

unsigned int
slub_validate(struct kmem_cache *s)
{
	struct slab_common *sc = s->common;
	unsigned int before = sc->errors;

	slub_enter(sc, "validate_slab_cache", 0);
	slub_flush_all(s);
	for (unsigned int i = 0; i < sc->phys->nr_nodes; i++)
		validate_node(s, &s->node[i]);
	return sc->errors - before;
}
