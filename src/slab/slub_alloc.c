// SPDX-License-Identifier: MIT
/*
 * slub_alloc.c - where an object comes from
 *
 * What it models: slab_alloc_node, ___slab_alloc, get_freelist, get_partial,
 *                 get_any_partial, acquire_slab, alloc_single_from_partial,
 *                 alloc_single_from_new_slab of mm/slub.c of 6.1.192.
 * How it works:   the first of these that has one:
 *
 *     1  the CPU's free list
 *     2  what others freed into the CPU's slab: its own list
 *     3  the next slab of the CPU's partial list
 *     4  the node's partial list: the first slab becomes the CPU's, more of
 *        them fill half of its partial list
 *     5  other nodes, near ones first, if they have more than min_partial
 *        slabs and remote_node_defrag_ratio allows it this time
 *     6  a new slab
 *
 *                 Caches that are debugged keep no CPU slabs: each object is
 *                 taken from a node's partial slab or a new one, and checked.
 * Differs from the kernel: the low bits of a clock that decide about step 5
 *                 are a number of the model's generator.
 */
#include "slub_impl.h"

#include <errno.h>
#include <inttypes.h>

/* New slabs whose first object fails its checks, before giving up: the kernel
 * would go on until memory is out. */
#define BROKEN_SLABS_MOST 3

/* A request on its way. */
struct asked {
	struct kmem_cache *s;
	const struct slab_request *r;
	struct kmem_cache_cpu *c;
	int nid; /* NODE_LOCAL: any */
	va_t object;
};

/* The steps below give 1 when a->object is the answer, 0 to go on, or -errno.
 */

static int
found(struct asked *a, const struct slab *slab, va_t object, const char *how)
{
	a->object = object;
	SLUB_WHY(a->r, "%s: object %u of slab %u\n", how,
		 slab_object_index(slab, object), slab->number);
	return 1;
}

/* --- CPU slab and CPU partial list -----------------------------------------
 */

/* The CPU's slab is @slab and its free list begins at @freelist: take the
 * first of it (load_freelist). */
static int
load_freelist(struct asked *a, const struct slab *slab, va_t freelist,
	      const char *how)
{
	int err = 0;

	if (likely(slub_inside(a->s, slab, freelist))) {
		a->c->freelist = slub_load(a->s, freelist);
		slub_prefetch(a->s, a->c->freelist);
	} else {
		err = slub_read_pointer(a->s, freelist, "___slab_alloc",
					&a->c->freelist);
	}
	return err ? err : found(a, slab, freelist, how);
}

/* get_freelist: the slab's own list becomes the CPU's; 0: there was none, and
 * the slab is full and nobody's. */
static va_t
get_freelist(struct slab *slab)
{
	va_t freelist = slab->freelist;

	slab->inuse = slab->objects;
	slab->freelist = 0;
	if (!freelist)
		slab->where = SLAB_FULL;
	return freelist;
}

static int
from_cpu_slab(struct asked *a)
{
	struct kmem_cache_cpu *c = a->c;
	struct slab *slab = slab_at(a->s->common, c->slab - 1);
	va_t freelist = c->freelist;

	if (a->nid != NODE_LOCAL && slab->nid != a->nid) {
		SLUB_WHY(a->r, "slab %u of CPU %u is of node %u: put back\n",
			 slab->number, a->r->cpu, slab->nid);
		c->slab = 0;
		c->freelist = 0;
		return slub_deactivate(a->s, slab, freelist, a->r->cpu);
	}
	if (freelist)
		return load_freelist(a, slab, freelist, "CPU's free list");
	freelist = get_freelist(slab);
	if (freelist)
		return load_freelist(a, slab, freelist,
				     "CPU's slab, from its own free list");
	SLUB_WHY(a->r, "CPU %u's slab %u is full\n", a->r->cpu, slab->number);
	c->slab = 0;
	return 0;
}

/* The first of the CPU's partial list becomes its slab; NULL: there is none. */
static inline struct slab *
pop_cpu_partial(struct slab_common *sc, struct kmem_cache_cpu *c)
{
	struct slab *slab = slab_list_pop(sc, &c->partial);

	if (slab) {
		c->partial_slabs--;
		slab->where = SLAB_CPU;
		c->slab = slab->number + 1;
	}
	return slab;
}

static bool
next_cpu_partial(struct asked *a)
{
	const struct slab *slab = pop_cpu_partial(a->s->common, a->c);

	if (!slab)
		return false;
	SLUB_WHY(a->r, "slab %u of CPU %u's partial list becomes its slab\n",
		 slab->number, a->r->cpu);
	return true;
}

/* --- partial lists of nodes ------------------------------------------------
 */

/* A report from here on is about this request. */
static void
enter(const struct asked *a)
{
	const char *function = a->r->function;

	slub_enter(a->s->common, function ? function : "kmem_cache_alloc",
		   a->r->caller);
}

/* alloc_single_from_partial, and who asked for it. */
static int
take_single(struct asked *a, struct slab *slab)
{
	struct kmem_cache *s = a->s;
	va_t object = slab->freelist;
	uint32_t bytes = a->r->bytes ? a->r->bytes : s->object_size;
	int err = slub_read_pointer(s, object, "alloc_single_from_partial",
				    &slab->freelist);

	if (err)
		return err;
	slab->inuse++;
	enter(a);
	if (!slub_alloc_debug_processing(s, slab, object, bytes)) {
		slub_remove_partial(s, slab);
		slab->where = SLAB_ISOLATED;
		return 0;
	}
	if (slab->inuse == slab->objects) {
		slub_remove_partial(s, slab);
		slub_add_full(s, slab);
	}
	slub_set_track(s, object, TRACK_ALLOC, a->r);
	return found(a, slab, object, "debugged cache, node's partial slab");
}

static int
singles_of_node(struct asked *a, struct kmem_cache_node *n)
{
	const struct slab_common *sc = a->s->common;
	struct slab *slab = slab_list_first(sc, &n->partial), *next;
	int done = 0;

	for (; slab && !done; slab = next) {
		next = slab_list_next(sc, slab);
		done = take_single(a, slab);
	}
	return done;
}

/* get_partial_node.  @which for the story. */
static int
from_node(struct asked *a, unsigned int nid, const char *which)
{
	struct kmem_cache *s = a->s;
	struct slab_common *sc = s->common;
	struct kmem_cache_node *n = &s->node[nid];
	unsigned int taken = 0;
	struct slab *slab;
	va_t freelist;

	if (!n->partial.nr)
		return 0;
	if (slub_debugged(s))
		return singles_of_node(a, n);
	slab = slab_list_pop(sc, &n->partial);
	if (!slab)
		return 0;
	freelist = slab->freelist;
	slab->freelist = 0;
	slab->inuse = slab->objects;
	slab->where = SLAB_CPU;
	slab->cpu = a->r->cpu;
	a->c->slab = slab->number + 1;
	while (taken <= s->cpu_partial_slabs / 2 && n->partial.head) {
		struct slab *more = slab_list_pop(sc, &n->partial);

		slub_prefetch(s, more->freelist);
		slub_put_cpu_partial(s, more, a->r->cpu, false);
		taken++;
	}
	/* The slab that is next: what it has free was freed long ago. */
	if (n->partial.head)
		slub_prefetch(s, slab_at(sc, n->partial.head - 1)->freelist);
	SLUB_WHY(a->r,
		 "%s node %u: slab %u becomes CPU %u's, %u more go to its "
		 "partial list\n",
		 which, nid, slab->number, a->r->cpu, taken);
	return load_freelist(a, slab, freelist, "node's partial slab");
}

/* gfp_zone() of a request that may be for slabs. */
static enum zone_type
highest_zone(gfp_t gfp)
{
	return gfp & __GFP_DMA	   ? ZONE_DMA
	       : gfp & __GFP_DMA32 ? ZONE_DMA32
				   : ZONE_NORMAL;
}

/* get_any_partial */
static int
from_other_nodes(struct asked *a)
{
	struct kmem_cache *s = a->s;
	const struct phys *phys = s->common->phys;
	uint64_t ratio = 10ULL * s->remote_node_defrag_ratio;
	int home = slub_memory_node(s->common, a->r->cpu);
	const struct zonelist *list;

	if (!phys->numa || !ratio || slab_random(s->common) % 1024 > ratio)
		return 0;
	list = &phys->nodes[home]->zonelist[a->r->gfp & __GFP_THISNODE
						    ? ZONELIST_NOFALLBACK
						    : ZONELIST_FALLBACK];
	for (unsigned int i = 0; i < list->nr; i++) {
		const struct zone *zone = list->zones[i];
		int done;

		if (zone->type > highest_zone(a->r->gfp) ||
		    s->node[zone->node->id].partial.nr <= s->min_partial)
			continue;
		done = from_node(a, zone->node->id, "other");
		if (done)
			return done;
	}
	return 0;
}

static int
from_partial(struct asked *a)
{
	unsigned int nid = (unsigned int)a->nid;
	int done;

	if (a->nid == NODE_LOCAL)
		nid = (unsigned int)slub_memory_node(a->s->common, a->r->cpu);
	done = from_node(a, nid, a->nid == NODE_LOCAL ? "local" : "wanted");
	if (done || a->nid != NODE_LOCAL)
		return done;
	return from_other_nodes(a);
}

/* --- new slabs -------------------------------------------------------------
 */

/* slab_out_of_memory: ten times in five seconds at most. */
static bool
may_tell(struct slab_common *sc)
{
	uint64_t now = *sc->phys->now_ns;

	if (!sc->oom_told || now - sc->oom_since_ns >= 5000000000ULL) {
		sc->oom_since_ns = now;
		sc->oom_told = 0;
	}
	return ++sc->oom_told <= 10;
}

static void
tell_out_of_memory(const struct asked *a)
{
	const struct kmem_cache *s = a->s;
	const struct slab_common *sc = s->common;
	struct out gfp = OUT_INIT;

	if ((a->r->gfp & __GFP_NOWARN) || !may_tell(s->common))
		return;
	gfp_print(&gfp, a->r->gfp);
	slab_printk(sc,
		    "SLUB: Unable to allocate memory on node %d, gfp=%#x(%s)",
		    a->nid, a->r->gfp, out_text(&gfp));
	out_fini(&gfp);
	slab_printk(sc,
		    "  cache: %s, object size: %u, buffer size: %u, default "
		    "order: %u, min order: %u",
		    s->name, s->object_size, s->size, s->order, s->min_order);
	if (page_size(sc->phys) << s->min_order >= 2ULL * s->object_size &&
	    s->min_order)
		slab_printk(sc,
			    "  %s debugging increased min order, use "
			    "slub_debug=O to disable.",
			    s->name);
	for (unsigned int i = 0; i < sc->phys->nr_nodes; i++) {
		const struct kmem_cache_node *n = &s->node[i];
		int64_t free = 0;

		for (const struct slab *slab = slab_list_first(sc, &n->partial);
		     slab; slab = slab_list_next(sc, slab))
			free += slab->objects - slab->inuse;
		if (!slub_node_has_memory(sc, (int)i) && !n->nr_slabs)
			continue;
		slab_printk(sc,
			    "  node %u: slabs: %" PRId64 ", objs: %" PRId64
			    ", free: %" PRId64,
			    i, (int64_t)n->nr_slabs, (int64_t)n->total_objects,
			    free);
	}
}

/* alloc_single_from_new_slab */
static int
single_of_new(struct asked *a, struct slab *slab)
{
	struct kmem_cache *s = a->s;
	va_t object = slab->freelist;
	uint32_t bytes = a->r->bytes ? a->r->bytes : s->object_size;
	int err = slub_read_pointer(s, object, "alloc_single_from_new_slab",
				    &slab->freelist);

	if (err)
		return err;
	slab->inuse = 1;
	enter(a);
	if (!slub_alloc_debug_processing(s, slab, object, bytes)) {
		slab->where = SLAB_ISOLATED;
		return 0;
	}
	if (slab->inuse == slab->objects)
		slub_add_full(s, slab);
	else
		slub_add_partial(s, slab, false);
	slub_inc_slabs(s, slab);
	slub_set_track(s, object, TRACK_ALLOC, a->r);
	return found(a, slab, object, "debugged cache, new slab");
}

static int
from_new(struct asked *a)
{
	struct kmem_cache *s = a->s;
	struct slab *slab;
	va_t freelist;
	int err = slub_new_slab(s, a->r, a->nid, &slab);

	if (err == -ENOMEM)
		tell_out_of_memory(a);
	if (err)
		return err;
	if (slub_debugged(s))
		return single_of_new(a, slab);
	freelist = slab->freelist;
	slab->freelist = 0;
	slab->inuse = slab->objects;
	slab->where = SLAB_CPU;
	slab->cpu = a->r->cpu;
	slub_inc_slabs(s, slab);
	a->c->slab = slab->number + 1;
	return load_freelist(a, slab, freelist, "new slab");
}

/* --- the whole way ---------------------------------------------------------
 */

static int
alloc_slow(struct asked *a)
{
	unsigned int tries = 0;
	int done = 0;

	if (a->nid != NODE_LOCAL && !slub_node_has_memory(a->s->common, a->nid))
		a->nid = NODE_LOCAL;
	if (a->c->slab)
		done = from_cpu_slab(a);
	while (!done && next_cpu_partial(a))
		done = from_cpu_slab(a);
	while (!done && tries++ < BROKEN_SLABS_MOST) {
		done = from_partial(a);
		if (!done)
			done = from_new(a);
	}
	return done;
}

/* The first lines of the story: what is asked for. */
static void
tell_asked(const struct kmem_cache *s, const struct slab_request *r)
{
	out_printf(r->why,
		   "cache %s: objects of %u bytes, %u with what belongs to "
		   "them; CPU %u, ",
		   s->name, s->object_size, s->size, r->cpu);
	if (r->nid == NODE_LOCAL)
		out_str(r->why, "any node\n");
	else
		out_printf(r->why, "node %d\n", r->nid);
	if (r->bytes && r->bytes < s->size)
		out_printf(r->why,
			   "%u bytes are asked for: %u of each object are "
			   "wasted\n",
			   r->bytes, s->size - r->bytes);
	if (!slub_debugged(s) && !s->cpu[r->cpu].slab)
		out_printf(r->why, "CPU %u has no slab of it\n", r->cpu);
}

/*
 * What most requests find, when nobody asks why: the first free object of the
 * CPU's slab, or of the next on its partial list, which may become its slab on
 * the way.  0: the slow way goes on from here.
 */
static inline va_t
first_quick(struct kmem_cache *s, struct kmem_cache_cpu *c, int nid)
{
	struct slab *slab = slab_at(s->common, c->slab - 1);
	va_t first = c->freelist;

	if (likely(first))
		return likely((nid == NODE_LOCAL || nid == slab->nid) &&
			      slub_inside(s, slab, first))
			       ? first
			       : 0;
	if (unlikely(nid != NODE_LOCAL))
		return 0;
	while (!(first = slab->freelist)) {
		get_freelist(slab);
		c->slab = 0;
		slab = pop_cpu_partial(s->common, c);
		if (!slab)
			return 0;
	}
	if (unlikely(!slub_inside(s, slab, first)))
		return 0;
	return get_freelist(slab);
}

/* All other requests.  Apart, so that those above save no registers for it. */
static __attribute__((noinline)) int
alloc_asked(struct kmem_cache *s, const struct slab_request *r, va_t *object)
{
	struct asked a = {
		.s = s,
		.r = r,
		.c = &s->cpu[r->cpu],
		.nid = r->nid,
	};
	int done;

	if (unlikely(r->why))
		tell_asked(s, r);
	done = alloc_slow(&a);
	if (done <= 0)
		return done ? done : -ENOMEM;
	*object = a.object;
	return 0;
}

int
slub_alloc(struct kmem_cache *s, const struct slab_request *r, va_t *object)
{
	struct kmem_cache_cpu *c = &s->cpu[r->cpu];

	if (likely(c->slab && !r->why)) {
		va_t first = first_quick(s, c, r->nid);

		if (likely(first)) {
			c->freelist = slub_load(s, first);
			slub_prefetch(s, c->freelist);
			*object = first;
			return 0;
		}
	}
	return alloc_asked(s, r, object);
}
