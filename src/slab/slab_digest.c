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

struct stream {
	void (*put)(void *user, uint64_t v);
	void *user;
};

static void
put(const struct stream *to, uint64_t v)
{
	to->put(to->user, v);
}

static void
put_text(const struct stream *to, const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (const char *c = text ? text : ""; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
	put(to, hash);
}

static void
put_list(const struct stream *to, const struct slab_list *list)
{
	put(to, (uint64_t)list->head << 32 | list->tail);
	put(to, list->nr);
}

static void
put_slab(const struct stream *to, const struct slab *slab)
{
	put(to, slab->cache->id);
	put(to, slab->freelist);
	put(to, slab->pfn);
	put(to, (uint64_t)slab->next << 32 | slab->prev);
	put(to, (uint64_t)slab->all_next << 32 | slab->all_prev);
	put(to, (uint64_t)slab->inuse << 48 | (uint64_t)slab->objects << 32 |
			(uint64_t)slab->order << 24 |
			(uint64_t)slab->where << 16 | slab->nid);
	put(to, (uint64_t)slab->cpu << 32 | slab->colour);
	put(to, slab->linked);
}

/* Sizes follow from what was asked for; these can be changed later too. */
static void
put_cache(const struct stream *to, const struct kmem_cache *s)
{
	put(to, s->id);
	put_text(to, s->name);
	put(to, s->ops->id);
	put(to, (uint64_t)s->flags << 32 | (uint32_t)s->refcount);
	put(to, (uint64_t)s->object_size << 32 | s->size);
	put(to, (uint64_t)s->align << 32 | s->inuse);
	put(to, (uint64_t)s->offset << 32 | s->red_left_pad);
	put(to, (uint64_t)s->useroffset << 32 | s->usersize);
	put(to, (uint64_t)s->order << 8 | s->min_order);
	put(to, (uint64_t)s->objects << 32 | s->min_partial);
	put(to, (uint64_t)s->cpu_partial << 32 | s->cpu_partial_slabs);
	put(to, (uint64_t)s->remote_node_defrag_ratio << 32 | s->allocflags);
	put_text(to, s->ctor ? slab_ctor_name(s->ctor) : NULL);
	put(to, s->random);
	put(to, (uint64_t)s->boot << 1 | s->dead);
	put(to, s->all);
	put(to, s->nr_ctor);
	put(to, s->descriptor);
	for (guint i = 0; s->aliases && i < s->aliases->len; i++)
		put_text(to, g_ptr_array_index(s->aliases, i));
	for (unsigned int i = 0;
	     s->node_descriptor && i < s->common->phys->nr_nodes; i++)
		put(to, s->node_descriptor[i]);
	s->ops->digest(s, to->put, to->user);
}

void
slub_digest(const struct kmem_cache *s, void (*to)(void *user, uint64_t v),
	    void *user)
{
	const struct stream stream = {to, user};
	const struct phys *phys = s->common->phys;

	for (uint32_t i = 0; s->random_seq && i < s->objects; i++)
		put(&stream, s->random_seq[i]);
	for (unsigned int i = 0; i < phys->nr_nodes; i++) {
		put_list(&stream, &s->node[i].partial);
		put_list(&stream, &s->node[i].full);
		put(&stream, s->node[i].nr_slabs);
		put(&stream, s->node[i].total_objects);
	}
	for (unsigned int i = 0; i < phys->nr_cpus; i++) {
		const struct kmem_cache_cpu *c = &s->cpu[i];

		put(&stream, c->freelist);
		put(&stream, (uint64_t)c->slab << 32 | c->partial_slabs);
		put_list(&stream, &c->partial);
	}
}

void
slab_digest(const struct slab_common *sc, void (*to)(void *user, uint64_t v),
	    void *user)
{
	const struct stream stream = {to, user};

	put(&stream, sc->random);
	put(&stream, sc->last_id);
	put(&stream, sc->nr_slabs);
	put(&stream, sc->errors);
	put(&stream, sc->oopses);
	put(&stream, sc->oom_since_ns);
	put(&stream, sc->oom_told);
	for (guint i = 0; i < sc->caches->len; i++)
		put_cache(&stream, g_ptr_array_index(sc->caches, i));
	for (uint32_t i = 0; i < sc->nr_slabs; i++)
		if (slab_get(sc, i))
			put_slab(&stream, slab_at(sc, i));
	for (guint i = 0; sc->free_numbers && i < sc->free_numbers->len; i++)
		put(&stream, g_array_index(sc->free_numbers, uint32_t, i));
	for (const GList *at = sc->rcu.head; at; at = at->next) {
		const struct rcu_slab *wait = at->data;

		put(&stream, wait->until_ns);
		put(&stream, wait->slab);
		put(&stream, wait->object);
		put(&stream, (uint64_t)wait->bytes << 32 | wait->cpu);
	}
	slob_digest_pool(sc, to, user);
	for (unsigned int i = 0; sc->classic && i < sc->phys->nr_cpus; i++)
		put(&stream, sc->classic->reap_ns[i]);
}
