// SPDX-License-Identifier: MIT
/*
 * slab_digest.c - the state of all caches as a stream of numbers
 *
 * How it works: what later calls depend on, field by field, in an order that
 * follows from the calls that made it.  Free pointers lie in modelled RAM,
 * which has a digest of its own.
 */
#include "classic_impl.h"
#include "slob_impl.h"
#include "slub_impl.h"

static void
put_list(const struct number_stream *to, const struct slab_list *list)
{
	stream_put(to, (uint64_t)list->head << 32 | list->tail);
	stream_put(to, list->nr);
}

static void
put_slab(const struct number_stream *to, const struct slab *slab)
{
	stream_put(to, slab->cache->id);
	stream_put(to, slab->freelist);
	stream_put(to, slab->pfn);
	stream_put(to, (uint64_t)slab->next << 32 | slab->prev);
	stream_put(to, (uint64_t)slab->all_next << 32 | slab->all_prev);
	stream_put(to, (uint64_t)slab->inuse << 48 |
			       (uint64_t)slab->objects << 32 |
			       (uint64_t)slab->order << 24 |
			       (uint64_t)slab->where << 16 | slab->nid);
	stream_put(to, (uint64_t)slab->cpu << 32 | slab->colour);
	stream_put(to, slab->linked);
}

/* Sizes follow from what was asked for; these can be changed later too. */
static void
put_cache(const struct number_stream *to, const struct kmem_cache *s)
{
	stream_put(to, s->id);
	stream_put_text(to, s->name);
	stream_put(to, s->ops->id);
	stream_put(to, (uint64_t)s->flags << 32 | (uint32_t)s->refcount);
	stream_put(to, (uint64_t)s->object_size << 32 | s->size);
	stream_put(to, (uint64_t)s->align << 32 | s->inuse);
	stream_put(to, (uint64_t)s->offset << 32 | s->red_left_pad);
	stream_put(to, (uint64_t)s->useroffset << 32 | s->usersize);
	stream_put(to, (uint64_t)s->order << 8 | s->min_order);
	stream_put(to, (uint64_t)s->objects << 32 | s->min_partial);
	stream_put(to, (uint64_t)s->cpu_partial << 32 | s->cpu_partial_slabs);
	stream_put(to,
		   (uint64_t)s->remote_node_defrag_ratio << 32 | s->allocflags);
	stream_put_text(to, s->ctor ? slab_ctor_name(s->ctor) : NULL);
	stream_put(to, s->random);
	stream_put(to, (uint64_t)s->boot << 1 | s->dead);
	stream_put(to, s->all);
	stream_put(to, s->nr_ctor);
	stream_put(to, s->descriptor);
	for (guint i = 0; s->aliases && i < s->aliases->len; i++)
		stream_put_text(to, g_ptr_array_index(s->aliases, i));
	for (unsigned int i = 0;
	     s->node_descriptor && i < s->common->phys->nr_nodes; i++)
		stream_put(to, s->node_descriptor[i]);
	s->ops->digest(s, to);
}

void
slub_digest(const struct kmem_cache *s, const struct number_stream *to)
{
	const struct phys *phys = s->common->phys;

	for (uint32_t i = 0; s->random_seq && i < s->objects; i++)
		stream_put(to, s->random_seq[i]);
	for (unsigned int i = 0; i < phys->nr_nodes; i++) {
		put_list(to, &s->node[i].partial);
		put_list(to, &s->node[i].full);
		stream_put(to, s->node[i].nr_slabs);
		stream_put(to, s->node[i].total_objects);
	}
	for (unsigned int i = 0; i < phys->nr_cpus; i++) {
		const struct kmem_cache_cpu *c = &s->cpu[i];

		stream_put(to, c->freelist);
		stream_put(to, (uint64_t)c->slab << 32 | c->partial_slabs);
		put_list(to, &c->partial);
	}
}

void
slab_digest(const struct slab_common *sc, const struct number_stream *to)
{
	stream_put(to, sc->random);
	stream_put(to, sc->last_id);
	stream_put(to, sc->nr_slabs);
	stream_put(to, sc->errors);
	stream_put(to, sc->oopses);
	stream_put(to, sc->oom_since_ns);
	stream_put(to, sc->oom_told);
	for (guint i = 0; i < sc->caches->len; i++)
		put_cache(to, g_ptr_array_index(sc->caches, i));
	for (uint32_t i = 0; i < sc->nr_slabs; i++)
		if (slab_get(sc, i))
			put_slab(to, slab_at(sc, i));
	for (guint i = 0; sc->free_numbers && i < sc->free_numbers->len; i++)
		stream_put(to, g_array_index(sc->free_numbers, uint32_t, i));
	for (const GList *at = sc->rcu.head; at; at = at->next) {
		const struct rcu_slab *wait = at->data;

		stream_put(to, wait->until_ns);
		stream_put(to, wait->slab);
		stream_put(to, wait->object);
		stream_put(to, (uint64_t)wait->bytes << 32 | wait->cpu);
	}
	slob_digest_pool(sc, to);
	for (unsigned int i = 0; sc->classic && i < sc->phys->nr_cpus; i++)
		stream_put(to, sc->classic->reap_ns[i]);
}
