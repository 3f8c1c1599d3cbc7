// SPDX-License-Identifier: MIT
/*
 * slub.c - SLUB: what a cache consists of, and what it can do
 *
 * What it models: struct kmem_cache of mm/slub.c of 6.1.192: kmem_cache_open,
 *                 __kmem_cache_release, get_slabinfo, and which function does
 *                 what.
 * How it works:   the allocator's files, by what happens to an object:
 *
 *     slub_size.c     how large it and its slab are
 *     slub_page.c     a slab comes and goes
 *     slub_alloc.c    it is given out
 *     slub_free.c     it comes back
 *     slub_list.c     its slab moves between CPU and node
 *     slub_shrink.c   its cache gives back what is empty, and ends
 *     slub_pointer.c  the word in it that leads to the next free one
 *     slub_states.c   what can be seen of it from outside
 *     slub_debug*.c   it is checked, if the cache's flags say so
 *
 * Always true: a slab is in one place: a CPU's slab, a CPU's partial list, a
 *     node's partial list, full, or waiting for a grace period; see slab_laws.
 */
#include "slub_impl.h"

#include <errno.h>

/* --- making ----------------------------------------------------------------
 */

/* cache_random_seq_create: a shuffle of the places in a slab. */
static void
make_shuffle(struct kmem_cache *s)
{
	struct slab_common *sc = s->common;

	if (!sc->config.random || s->objects < 2)
		return;
	s->random_seq = g_new(uint16_t, s->objects);
	for (uint16_t i = 0; i < s->objects; i++)
		s->random_seq[i] = i;
	for (uint16_t i = (uint16_t)(s->objects - 1); i; i--) {
		uint16_t with = (uint16_t)(slab_random(sc) % (i + 1U));
		uint16_t was = s->random_seq[i];

		s->random_seq[i] = s->random_seq[with];
		s->random_seq[with] = was;
	}
}

int
slub_open(struct kmem_cache *s)
{
	struct slab_common *sc = s->common;
	int err;

	if (sc->config.hardened) {
		s->random = slab_random(sc);
		if (sc->word == 4)
			s->random = (uint32_t)s->random;
	}
	err = slub_calculate_sizes(s);
	if (err)
		return err;
	make_shuffle(s);
	s->cpu = g_new0(struct kmem_cache_cpu, sc->phys->nr_cpus);
	s->node = g_new0(struct kmem_cache_node, sc->phys->nr_nodes);
	return 0;
}

/*
 * Slabs that are left have no place to go: the kernel keeps their pages and
 * their pointers to a cache that is no more.  Here they stop being slabs.
 */
static void
forget_slabs(struct kmem_cache *s)
{
	struct slab_common *sc = s->common;
	struct slab *slab;

	while ((slab = slab_next(s, NULL))) {
		if (slab->linked || slab->where == SLAB_CPU)
			slub_forget(sc, slab);
		slabs_remove(sc, slab);
	}
}

/* Nor may slabs of others be left on lists that go. */
static void
empty_list(struct slab_common *sc, struct slab_list *list)
{
	struct slab *slab;

	while ((slab = slab_list_first(sc, list))) {
		slab_list_del(sc, list, slab);
		slab->where = SLAB_ISOLATED;
	}
}

static void
slub_release(struct kmem_cache *s)
{
	struct slab_common *sc = s->common;

	slub_rcu_barrier(s);
	for (unsigned int i = 0; s->node && i < sc->phys->nr_nodes; i++) {
		empty_list(sc, &s->node[i].partial);
		empty_list(sc, &s->node[i].full);
	}
	for (unsigned int i = 0; s->cpu && i < sc->phys->nr_cpus; i++) {
		empty_list(sc, &s->cpu[i].partial);
		if (s->cpu[i].slab)
			slab_at(sc, s->cpu[i].slab - 1)->where = SLAB_ISOLATED;
	}
	forget_slabs(s);
	g_free(s->cpu);
	g_free(s->node);
	g_free(s->random_seq);
	s->cpu = NULL;
	s->node = NULL;
	s->random_seq = NULL;
}

static va_t
slub_first(const struct slab *slab)
{
	return slab_address(slab) + slab->cache->red_left_pad;
}

static void
slub_cpu_dead(struct kmem_cache *s, unsigned int cpu)
{
	slub_flush_by(s, cpu, slab_this_cpu(s->common));
}

const struct slab_ops slub_ops = {
	.id = ALLOCATOR_SLUB,
	.open = slub_open,
	.shutdown = slub_shutdown,
	.release = slub_release,
	.alloc = slub_alloc,
	.free = slub_free,
	.shrink = slub_shrink,
	.validate = slub_validate,
	.states = slub_states,
	.first = slub_first,
	.verify = slub_verify,
	.digest = slub_digest,
	.free_bulk = slub_free_bulk,
	.cpu_dead = slub_cpu_dead,
};
