// SPDX-License-Identifier: MIT
/*
 * slub_states.c - what can be seen of slabs: states, counts, slabinfo
 *
 * What it models: get_slabinfo, show_slab_objects, count_partial of mm/slub.c
 *                 of 6.1.192.
 * How it works:   counts are the kernel's: what is on a CPU's list counts as
 *                 in use.  States are found by following the free lists, which
 *                 lie in modelled RAM and may lead anywhere.
 */
#include "slub_impl.h"
#include "common_impl.h"

/* --- states ----------------------------------------------------------------
 */

void
slub_states(const struct slab *slab, uint8_t *state)
{
	const struct kmem_cache *s = slab->cache;
	unsigned int found;

	memset(state, OBJECT_USED, slab->objects);
	if (slab->where == SLAB_ISOLATED)
		return;
	found = slub_walk(slab, slab->freelist, state, OBJECT_FREE, NULL);
	for (unsigned int i = 0; i < s->common->phys->nr_cpus; i++)
		if (s->cpu[i].slab == slab->number + 1)
			slub_walk(slab, s->cpu[i].freelist, state,
				  OBJECT_CPU_FREE, NULL);
	slab_mark_lost(slab, state, slab->objects - slab->inuse - (int)found);
}

/* --- counts ----------------------------------------------------------------
 */

enum partial_count { COUNT_FREE, COUNT_INUSE };

static int64_t
count_partial(const struct kmem_cache *s, const struct kmem_cache_node *n,
	      enum partial_count what)
{
	const struct slab_common *sc = s->common;
	int64_t sum = 0;

	for (const struct slab *slab = slab_list_first(sc, &n->partial); slab;
	     slab = slab_list_next(sc, slab))
		sum += what == COUNT_FREE ? slab->objects - slab->inuse
					  : slab->inuse;
	return sum;
}

static uint64_t
count_cpu_slabs(const struct kmem_cache *s, int nid)
{
	const struct slab_common *sc = s->common;
	uint64_t sum = 0;

	for (unsigned int i = 0; s->cpu && i < sc->phys->nr_cpus; i++) {
		const struct kmem_cache_cpu *c = &s->cpu[i];
		const struct slab *slab;

		/* The kernel does not look for more where there is none. */
		if (!c->slab)
			continue;
		slab = slab_at(sc, c->slab - 1);
		sum += nid < 0 || slab->nid == nid;
		/* All of the list count for the node of its first. */
		slab = slab_list_first(sc, &c->partial);
		if (slab && (nid < 0 || slab->nid == nid))
			sum += c->partial_slabs;
	}
	return sum;
}

static uint64_t
count_node(const struct kmem_cache *s, const struct kmem_cache_node *n,
	   enum slab_count what)
{
	switch (what) {
	case SLAB_COUNT_OBJECTS:
		/* The classic SLAB keeps slabs without objects in use. */
		return n->total_objects -
		       (uint64_t)count_partial(s, n, COUNT_FREE) -
		       (uint64_t)n->free.nr * s->objects;
	case SLAB_COUNT_TOTAL_OBJECTS:
		return n->total_objects;
	case SLAB_COUNT_OBJECTS_PARTIAL:
		return (uint64_t)count_partial(s, n, COUNT_INUSE);
	case SLAB_COUNT_SLABS:
		return n->nr_slabs;
	case SLAB_COUNT_PARTIAL:
		return n->partial.nr;
	default:
		return 0;
	}
}

uint64_t
slab_count(const struct kmem_cache *s, enum slab_count what, int nid)
{
	uint64_t sum = 0;

	if (what == SLAB_COUNT_CPU_SLABS)
		return count_cpu_slabs(s, nid);
	for (unsigned int i = 0; s->node && i < s->common->phys->nr_nodes; i++)
		if (nid < 0 || (unsigned int)nid == i)
			sum += count_node(s, &s->node[i], what);
	return sum;
}

void
slab_info(const struct kmem_cache *s, struct slabinfo *info)
{
	if (s->ops->info) {
		s->ops->info(s, info);
		return;
	}
	*info = (struct slabinfo){
		.active_objs = slab_count(s, SLAB_COUNT_OBJECTS, -1),
		.num_objs = slab_count(s, SLAB_COUNT_TOTAL_OBJECTS, -1),
		.active_slabs = slab_count(s, SLAB_COUNT_SLABS, -1),
		.num_slabs = slab_count(s, SLAB_COUNT_SLABS, -1),
		.objects_per_slab = s->objects,
		.order = s->order,
	};
}
