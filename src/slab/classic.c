// SPDX-License-Identifier: MIT
/*
 * classic.c - the classic SLAB: what a cache consists of, and what it can do
 *
 * What it models: mm/slab.c of Linux 2.6.11, with the lists of each node that
 *                 came in 2.6.14: struct kmem_cache, struct kmem_list3,
 *                 kmem_cache_init.
 * How it works:   objects lie in slabs behind a descriptor, whose array of
 *                 indices is the list of free ones; slabs are on one of three
 *                 lists of their node, full, partial or free; each CPU has an
 *                 array of objects to give out.
 *
 *     classic_size.c    how large objects and slabs are
 *     classic_desc.c    struct slab and its array, in modelled RAM
 *     classic_page.c    a slab comes and goes
 *     classic_alloc.c   objects are given out and come back
 *     classic_reap.c    what is not used is given back
 *     classic_debug.c   marks around and in objects
 *     classic_verify.c  what can be seen of it, and laws
 *
 * Always true: a slab without objects in use is on the free list, one without
 *     free objects on the full list, others on the partial list.
 */
#include "classic_impl.h"
#include "common_impl.h"

/* --- making ----------------------------------------------------------------
 */

/* REAPTIMEOUT_LIST3 and something else for each cache. */
static uint64_t
first_reap(const struct kmem_cache *s)
{
	const uint64_t list3 = 4000000000ULL;

	return classic_now(s->common) + list3 + s->id * 68000000ULL % list3;
}

static void
open_node(struct kmem_cache *s, struct classic_node *n, unsigned int cpus)
{
	const struct classic *c = classic_of(s);

	n->shared.limit = c->shared * c->batchcount;
	n->shared.batchcount = 0;
	n->free_limit = (1 + cpus) * c->batchcount + s->objects;
	n->next_reap_ns = first_reap(s);
}

static unsigned int
cpus_of_node(const struct phys *phys, unsigned int nid)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < phys->nr_cpus; i++)
		nr += phys->cpu_node[i] == (int)nid;
	return phys->nr_nodes == 1 ? phys->nr_cpus : nr;
}

static int
classic_open(struct kmem_cache *s)
{
	const struct phys *phys = s->common->phys;
	struct classic *c = g_new0(struct classic, 1);
	int err;

	s->impl = c;
	err = classic_calculate_sizes(s);
	if (err) {
		g_free(c);
		return err;
	}
	c->cpu = g_new0(struct array_cache, phys->nr_cpus);
	c->node = g_new0(struct classic_node, phys->nr_nodes);
	s->node = g_new0(struct kmem_cache_node, phys->nr_nodes);
	for (unsigned int i = 0; i < phys->nr_cpus; i++) {
		c->cpu[i].limit = c->limit;
		c->cpu[i].batchcount = c->batchcount;
	}
	for (unsigned int i = 0; i < phys->nr_nodes; i++)
		open_node(s, &c->node[i], cpus_of_node(phys, i));
	classic_timers_start(s->common);
	return 0;
}

static void
empty_list(struct slab_common *sc, struct slab_list *list)
{
	struct slab *slab;

	while ((slab = slab_list_first(sc, list)))
		slab_list_del(sc, list, slab);
}

static void
classic_release(struct kmem_cache *s)
{
	struct slab_common *sc = s->common;
	struct classic *c = classic_of(s);

	if (!c)
		return;
	for (unsigned int i = 0; i < sc->phys->nr_nodes; i++) {
		empty_list(sc, &s->node[i].full);
		empty_list(sc, &s->node[i].partial);
		empty_list(sc, &s->node[i].free);
		g_free(c->node[i].shared.entry);
	}
	/* Left only when the machine ends. */
	while (s->all)
		slabs_remove(sc, slab_next(s, NULL));
	for (unsigned int i = 0; i < sc->phys->nr_cpus; i++)
		g_free(c->cpu[i].entry);
	g_free(c->cpu);
	g_free(c->node);
	g_free(c);
	g_free(s->node);
	s->node = NULL;
	s->impl = NULL;
}

static va_t
classic_first(const struct slab *slab)
{
	return slab_address(slab) + slab->colour + slab->cache->red_left_pad;
}

/* The order in which objects of @slab would be given out. */
static unsigned int
classic_free_list(const struct slab *slab, uint16_t *index, bool *broken)
{
	uint8_t *seen = g_malloc0(slab->objects);
	uint32_t at = classic_free_index(slab);
	unsigned int nr = 0;

	while (at < slab->objects && !seen[at]) {
		seen[at] = 1;
		index[nr++] = (uint16_t)at;
		if (!classic_bufctl(slab, at, &at))
			break;
	}
	g_free(seen);
	*broken = at != BUFCTL_END;
	return nr;
}

const struct slab_ops classic_ops = {
	.id = ALLOCATOR_SLAB,
	.open = classic_open,
	.shutdown = classic_shutdown,
	.release = classic_release,
	.alloc = classic_alloc,
	.free = classic_free,
	.shrink = classic_shrink,
	.validate = classic_validate,
	.states = classic_states,
	.first = classic_first,
	.verify = classic_verify,
	.digest = classic_digest,
	.info = classic_info,
	.cpu_dead = classic_cpu_dead,
	.slab_gone = classic_slab_gone,
	.free_list = classic_free_list,
};

/* --- looking ---------------------------------------------------------------
 */

static void
look(const struct array_cache *ac, struct slab_array *to)
{
	*to = (struct slab_array){
		.avail = ac->avail,
		.limit = ac->limit,
		.batchcount = ac->batchcount,
		.touched = ac->touched,
		.entry = ac->entry,
	};
}

bool
slab_array_of_cpu(const struct kmem_cache *s, unsigned int cpu,
		  struct slab_array *array)
{
	if (s->ops != &classic_ops)
		return false;
	look(&classic_of(s)->cpu[cpu], array);
	return true;
}

bool
slab_array_of_node(const struct kmem_cache *s, unsigned int nid,
		   struct slab_array *array)
{
	if (s->ops != &classic_ops)
		return false;
	look(&classic_of(s)->node[nid].shared, array);
	return true;
}

bool
slab_colouring(const struct kmem_cache *s, struct slab_colours *colours)
{
	const struct classic *c = s->impl;

	if (s->ops != &classic_ops)
		return false;
	*colours = (struct slab_colours){
		.colours = c->colour,
		.offset = c->colour_off,
		.next = c->colour_next,
		.off_slab = c->off_slab,
		.descriptor = c->slab_size,
	};
	return true;
}
