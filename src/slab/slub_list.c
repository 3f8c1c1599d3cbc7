// SPDX-License-Identifier: MIT
/*
 * slub_list.c - partial and full lists of nodes, partial lists of CPUs
 *
 * What it models: add_partial, remove_partial, add_full, remove_full,
 *                 deactivate_slab, put_cpu_partial, __unfreeze_partials,
 *                 flush_slab of mm/slub.c of 6.1.192.
 * How it works:   a CPU that stops using a slab puts what is left of its free
 *                 list before the slab's own and gives the slab to its node:
 *                 at the head when the CPU was its only user, at the tail when
 *                 others freed into it.  Slabs that become partial by a free
 *                 wait on the CPU's own list, and go to their nodes all
 *                 together when there are more than cpu_partial_slabs.
 * Always true:    a slab is on one list at most; a list's links lead through
 *                 slabs that exist.
 * Differs from the kernel: an object freed to a cache that is not its own can
 *                 put a slab on a list of that cache, as there; a slab that
 *                 the kernel would then link twice, and so corrupt its lists,
 *                 moves here.  Counters go wrong as there.
 */
#include "slub_impl.h"

#include <errno.h>

/* Objects of a CPU's free list that are followed: more are a circle. */
#define FREELIST_MOST (2 * MAX_OBJS_PER_PAGE)

/* --- links -----------------------------------------------------------------
 */

/* Of all lists the one that ends with link @link. */
static struct slab_list *
find_list(struct slab_common *sc, uint32_t link)
{
	for (guint i = 0; i < sc->caches->len; i++) {
		struct kmem_cache *s = g_ptr_array_index(sc->caches, i);

		for (unsigned int n = 0; s->node && n < sc->phys->nr_nodes;
		     n++) {
			struct slab_list *list[] = {&s->node[n].partial,
						    &s->node[n].full,
						    &s->node[n].free};

			for (size_t k = 0; k < ARRAY_SIZE(list); k++)
				if (list[k]->head == link ||
				    list[k]->tail == link)
					return list[k];
		}
		for (unsigned int c = 0; s->cpu && c < sc->phys->nr_cpus; c++)
			if (s->cpu[c].partial.head == link ||
			    s->cpu[c].partial.tail == link)
				return &s->cpu[c].partial;
	}
	return NULL;
}

/* Take it off whatever list it is on; counters are the caller's. */
static __attribute__((noinline)) void
unlink_slab(struct slab_common *sc, struct slab_list *list, struct slab *slab)
{
	uint32_t link = slab->number + 1;

	if (unlikely((!slab->prev && (!list || list->head != link)) ||
		     (!slab->next && (!list || list->tail != link))))
		list = find_list(sc, link);
	if (slab->prev)
		slab_at(sc, slab->prev - 1)->next = slab->next;
	else if (list)
		list->head = slab->next;
	if (slab->next)
		slab_at(sc, slab->next - 1)->prev = slab->prev;
	else if (list)
		list->tail = slab->prev;
	slab->next = slab->prev = 0;
	slab->linked = false;
}

void
slab_list_add(struct slab_common *sc, struct slab_list *list, struct slab *slab,
	      bool tail)
{
	uint32_t link = slab->number + 1;

	if (unlikely(slab->linked))
		unlink_slab(sc, NULL, slab);
	slab->next = tail ? 0 : list->head;
	slab->prev = tail ? list->tail : 0;
	if (slab->next)
		slab_at(sc, slab->next - 1)->prev = link;
	else
		list->tail = link;
	if (slab->prev)
		slab_at(sc, slab->prev - 1)->next = link;
	else
		list->head = link;
	slab->linked = true;
	list->nr++;
}

void
slab_list_del(struct slab_common *sc, struct slab_list *list, struct slab *slab)
{
	if (slab->linked)
		unlink_slab(sc, list, slab);
	list->nr--;
}

void
slub_forget(struct slab_common *sc, struct slab *slab)
{
	if (slab->linked)
		unlink_slab(sc, NULL, slab);
	for (guint i = 0; i < sc->caches->len; i++) {
		struct kmem_cache *s = g_ptr_array_index(sc->caches, i);

		for (unsigned int c = 0; s->cpu && c < sc->phys->nr_cpus; c++) {
			if (s->cpu[c].slab != slab->number + 1)
				continue;
			s->cpu[c].slab = 0;
			s->cpu[c].freelist = 0;
		}
	}
}

/* --- lists of a node -------------------------------------------------------
 */

void
slub_add_partial(struct kmem_cache *s, struct slab *slab, bool tail)
{
	slab_list_add(s->common, &s->node[slab->nid].partial, slab, tail);
	slab->where = SLAB_NODE_PARTIAL;
}

void
slub_remove_partial(struct kmem_cache *s, struct slab *slab)
{
	slab_list_del(s->common, &s->node[slab->nid].partial, slab);
}

void
slub_add_full(struct kmem_cache *s, struct slab *slab)
{
	slab->where = SLAB_FULL;
	if (s->flags & SLAB_STORE_USER)
		slab_list_add(s->common, &s->node[slab->nid].full, slab, false);
}

void
slub_remove_full(struct kmem_cache *s, struct slab *slab)
{
	if (s->flags & SLAB_STORE_USER)
		slab_list_del(s->common, &s->node[slab->nid].full, slab);
}

/* --- a CPU lets go of its slab ---------------------------------------------
 */

/* Count the CPU's free list from @first on and find its last object. */
static int
count_freelist(struct kmem_cache *s, struct slab *slab, va_t first,
	       unsigned int *nr, va_t *tail)
{
	va_t at = first, next;

	*nr = 0;
	*tail = 0;
	while (at) {
		int err = slub_read_pointer(s, at, "deactivate_slab", &next);

		if (err)
			return err;
		if (slub_debugged(s) &&
		    slub_freelist_corrupted(s, slab, &at, next))
			break;
		*tail = at;
		if (++*nr > FREELIST_MOST) {
			slub_lockup(s->common, "deactivate_slab");
			break;
		}
		at = next;
	}
	return 0;
}

int
slub_deactivate(struct kmem_cache *s, struct slab *slab, va_t freelist,
		unsigned int by)
{
	const struct kmem_cache_node *n = &s->node[slab->nid];
	bool to_tail = slab->freelist != 0;
	unsigned int nr;
	va_t tail;
	int err = count_freelist(s, slab, freelist, &nr, &tail);

	if (!err && tail) {
		err = slub_write_pointer(s, tail, "deactivate_slab",
					 slab->freelist);
		if (!err) {
			slab->inuse = (uint16_t)(slab->inuse - nr);
			slab->freelist = freelist;
		}
	}
	if (err) {
		/* Crashed on the way: no CPU has it, and no list. */
		slab->where = SLAB_ISOLATED;
		return err;
	}
	slab->where = SLAB_FULL;
	if (!slab->inuse && n->partial.nr >= s->min_partial)
		slub_discard(s, slab, by);
	else if (slab->freelist)
		slub_add_partial(s, slab, to_tail);
	else
		slub_add_full(s, slab);
	return 0;
}

/* --- slabs that wait on a CPU ----------------------------------------------
 */

void
slub_unfreeze_partials(struct kmem_cache *s, unsigned int cpu, unsigned int by)
{
	struct slab_common *sc = s->common;
	struct kmem_cache_cpu *c = &s->cpu[cpu];
	struct slab *slab, *discard = NULL;

	while ((slab = slab_list_pop(sc, &c->partial))) {
		struct kmem_cache_node *n = &s->node[slab->nid];

		slab->where = SLAB_FULL;
		if (unlikely(!slab->inuse && n->partial.nr >= s->min_partial)) {
			slab->next = discard ? discard->number + 1 : 0;
			discard = slab;
		} else {
			slub_add_partial(s, slab, true);
		}
	}
	c->partial.nr = 0;
	c->partial_slabs = 0;
	while (discard) {
		slab = discard;
		discard = slab_list_next(sc, slab);
		slab->next = 0;
		slub_discard(s, slab, by);
	}
}

static inline void
push_cpu_partial(struct kmem_cache *s, struct kmem_cache_cpu *c,
		 struct slab *slab, unsigned int cpu)
{
	slab_list_push(s->common, &c->partial, slab);
	slab->where = SLAB_CPU_PARTIAL;
	slab->cpu = cpu;
	c->partial_slabs++;
}

static __attribute__((noinline)) void
drain_and_push(struct kmem_cache *s, struct slab *slab, unsigned int cpu)
{
	slub_unfreeze_partials(s, cpu, cpu);
	push_cpu_partial(s, &s->cpu[cpu], slab, cpu);
}

void
slub_put_cpu_partial(struct kmem_cache *s, struct slab *slab, unsigned int cpu,
		     bool drain)
{
	struct kmem_cache_cpu *c = &s->cpu[cpu];

	if (drain & (c->partial.head != 0) &
	    (c->partial_slabs >= s->cpu_partial_slabs))
		drain_and_push(s, slab, cpu);
	else
		push_cpu_partial(s, c, slab, cpu);
}

void
slub_flush_by(struct kmem_cache *s, unsigned int cpu, unsigned int by)
{
	struct kmem_cache_cpu *c = &s->cpu[cpu];
	uint32_t slab = c->slab;
	va_t freelist = c->freelist;

	c->slab = 0;
	c->freelist = 0;
	if (slab)
		slub_deactivate(s, slab_at(s->common, slab - 1), freelist, by);
	slub_unfreeze_partials(s, cpu, by);
}

void
slub_flush_cpu(struct kmem_cache *s, unsigned int cpu)
{
	slub_flush_by(s, cpu, cpu);
}

void
slub_flush_all(struct kmem_cache *s)
{
	const struct phys *phys = s->common->phys;

	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++)
		if (phys->cpu_online[cpu])
			slub_flush_cpu(s, cpu);
}
