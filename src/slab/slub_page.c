// SPDX-License-Identifier: MIT
/*
 * slub_page.c - slabs come from the page allocator and go back to it
 *
 * What it models: allocate_slab, shuffle_freelist, discard_slab, free_slab,
 *                 rcu_free_slab of mm/slub.c of 6.1.192.
 * How it works:   a block of the cache's order is asked for without retrying
 *                 and without a warning; if that fails, one of the smallest
 *                 order that holds an object, with the caller's flags.  Each
 *                 object is set up (debugging marks, constructor) and points to
 *                 the next.  With SLAB_TYPESAFE_BY_RCU pages go back when
 *                 SLAB_RCU_GRACE_NS of modelled time have passed.
 * Where it lies:  free pointers and what constructors write, in modelled RAM.
 *                 All of a slab's bytes must fit into the host's budget for it
 *                 (-ENOSPC), so that what is kept there later always can be.
 * Differs from the kernel: pages taken below the watermarks are not marked, so
 *                 others than those who may use them may get their objects.
 */
#include "classic_impl.h"
#include "common_impl.h"
#include "slob_impl.h"
#include "slub_impl.h"

#include <errno.h>
#include <inttypes.h>

#define GFP_RECLAIM_MASK                                                       \
	(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM | __GFP_HIGH | __GFP_IO | \
	 __GFP_FS | __GFP_NOWARN | __GFP_RETRY_MAYFAIL | __GFP_NOFAIL |        \
	 __GFP_NORETRY | __GFP_MEMALLOC | __GFP_NOMEMALLOC | __GFP_ATOMIC)
#define GFP_CONSTRAINT_MASK (__GFP_HARDWALL | __GFP_THISNODE)
#define GFP_SLAB_BUG_MASK (__GFP_DMA32 | __GFP_HIGHMEM)

/* --- counting --------------------------------------------------------------
 */

void
slub_inc_slabs(struct kmem_cache *s, const struct slab *slab)
{
	s->node[slab->nid].nr_slabs++;
	s->node[slab->nid].total_objects += slab->objects;
}

void
slub_dec_slabs(struct kmem_cache *s, const struct slab *slab)
{
	s->node[slab->nid].nr_slabs--;
	s->node[slab->nid].total_objects -= slab->objects;
}

bool
slub_node_has_memory(const struct slab_common *sc, int nid)
{
	if (nid < 0 || (unsigned int)nid >= sc->phys->nr_nodes)
		return false;
	for (unsigned int t = 0; t <= ZONE_NORMAL; t++)
		if (zone_populated(&sc->phys->nodes[nid]->zones[t]))
			return true;
	return false;
}

int
slub_memory_node(const struct slab_common *sc, unsigned int cpu)
{
	const struct phys *phys = sc->phys;
	int nid = phys->cpu_node[cpu];
	const struct zonelist *list;

	if (nid < 0)
		nid = 0;
	list = &phys->nodes[nid]->zonelist[ZONELIST_FALLBACK];
	for (unsigned int i = 0; i < list->nr; i++)
		if (list->zones[i]->type <= ZONE_NORMAL)
			return (int)list->zones[i]->node->id;
	return nid;
}

/* --- setting up ------------------------------------------------------------
 */

static int
setup_object(struct kmem_cache *s, struct slab *slab, va_t object)
{
	if (slub_debugged(s))
		slub_setup_object_debug(s, slab, object);
	return likely(!s->ctor) ? 0 : slab_construct(s, object);
}

/* The order in which a new slab's objects are given out: the place of the
 * next one after *@at in the cache's shuffle. */
static uint32_t
next_shuffled(const struct kmem_cache *s, const struct slab *slab, uint32_t *at)
{
	uint32_t index;

	do {
		index = s->random_seq[*at];
		if (++*at >= s->objects)
			*at = 0;
	} while (index >= slab->objects);
	return index;
}

/* Write the free list of a new slab, object by object. */
static int
setup_freelist(struct kmem_cache *s, struct slab *slab)
{
	va_t first = slab_address(slab) + s->red_left_pad, before = 0;
	bool shuffle = s->random_seq && slab->objects >= 2;
	uint32_t at = 0;
	int err = 0;

	if (shuffle)
		at = (uint32_t)(slab_random(s->common) % s->objects);
	for (uint32_t i = 0; i < slab->objects && !err; i++) {
		uint32_t index = shuffle ? next_shuffled(s, slab, &at) : i;
		va_t object = first + (uint64_t)index * s->size;

		err = setup_object(s, slab, object);
		if (before)
			slub_store(s, before, object);
		else
			slab->freelist = object;
		before = object;
	}
	if (before)
		slub_store(s, before, 0);
	return err;
}

/* --- allocating ------------------------------------------------------------
 */

static gfp_t
slab_gfp(struct kmem_cache *s, const struct slab_request *r)
{
	gfp_t bad = r->gfp & GFP_SLAB_BUG_MASK, gfp = r->gfp & ~bad;

	if (unlikely(bad)) {
		struct out text = OUT_INIT;

		out_printf(&text, "Unexpected gfp: %#x (", bad);
		gfp_print(&text, bad);
		out_printf(&text, "). Fixing up to gfp: %#x (", gfp);
		gfp_print(&text, gfp);
		out_str(&text, "). Fix your code!");
		slab_printk(s->common, "%s", out_text(&text));
		out_fini(&text);
	}
	return (gfp & (GFP_RECLAIM_MASK | GFP_CONSTRAINT_MASK)) | s->allocflags;
}

/* Pages for a slab: the cache's order, else the smallest. */
static int
take_pages(struct kmem_cache *s, const struct slab_request *r, int nid,
	   pfn_t *pfn, unsigned int *order)
{
	gfp_t gfp = slab_gfp(s, r);
	struct page_request request = {
		.why = r->why,
		.gfp = (gfp | __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_NOFAIL,
		.order = s->order,
		.nid = nid,
		.cpu = r->cpu,
		.context = r->context,
	};

	if ((request.gfp & __GFP_DIRECT_RECLAIM) && s->order > s->min_order)
		request.gfp = (request.gfp | __GFP_NOMEMALLOC) &
			      ~(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM);
	*order = s->order;
	if (!pages_alloc(s->common->phys, &request, pfn))
		return 0;
	SLUB_WHY(r,
		 "no block of order %u: the smallest order, %u, is tried with "
		 "the caller's flags\n",
		 s->order, s->min_order);
	*order = request.order = s->min_order;
	request.gfp = gfp;
	return pages_alloc_warn(s->common->phys, &request, pfn) ? -ENOMEM : 0;
}

static void
tell_new(const struct kmem_cache *s, const struct slab *slab,
	 const struct slab_request *r)
{
	uint64_t bytes = slab_bytes(slab);
	uint64_t used = (uint64_t)slab->objects * s->size;

	SLUB_WHY(r,
		 "new slab %u: a block of order %u of node %u, frames %" PRIu64
		 "..%" PRIu64 "; %u objects of %u bytes, %" PRIu64
		 " bytes left over at its end%s\n",
		 slab->number, slab->order, slab->nid, slab->pfn,
		 slab->pfn + ((pfn_t)1 << slab->order) - 1, slab->objects,
		 s->size, bytes - used, s->random_seq ? "; shuffled" : "");
}

int
slub_new_slab(struct kmem_cache *s, const struct slab_request *r, int nid,
	      struct slab **made)
{
	struct slab_common *sc = s->common;
	struct phys *phys = sc->phys;
	unsigned int order;
	struct slab *slab;
	uint64_t objects;
	pfn_t pfn;
	int err = take_pages(s, r, nid, &pfn, &order);

	if (err)
		return err;
	err = ram_may_write(sc->ram, pfn << phys->page_shift,
			    page_size(phys) << order);
	slab = err ? NULL : slabs_add(s, pfn, order);
	if (!slab) {
		pages_put(phys, pfn, order, r->cpu);
		return -ENOSPC;
	}
	objects = slab_bytes(slab) / s->size;
	slab->objects = (uint16_t)MIN_OF(objects, MAX_OBJS_PER_PAGE);
	slab_account_pages(s, slab, 1);
	if (slub_debugged(s))
		slub_setup_slab_debug(s, slab);
	err = setup_freelist(s, slab);
	if (err) {
		slab_account_pages(s, slab, -1);
		slabs_remove(sc, slab);
		pages_put(phys, pfn, order, r->cpu);
		return err;
	}
	tell_new(s, slab, r);
	*made = slab;
	return 0;
}

/* --- freeing ---------------------------------------------------------------
 */

/* __free_slab: the pages go back. */
static void
give_back(struct kmem_cache *s, struct slab *slab, unsigned int cpu)
{
	struct slab_common *sc = s->common;
	unsigned int order = slab->order;
	pfn_t pfn = slab->pfn;

	if (unlikely(s->ops->slab_gone))
		s->ops->slab_gone(s, slab, cpu);
	else if (unlikely(s->flags & SLAB_CONSISTENCY_CHECKS))
		slub_free_slab_checks(s, slab);
	if (unlikely(slab->linked))
		slub_forget(sc, slab);
	slab_account_pages(s, slab, -1);
	slabs_remove(sc, slab);
	pages_put(sc->phys, pfn, order, cpu);
}

void
slab_give_back(struct kmem_cache *s, struct slab *slab, unsigned int cpu,
	       uint64_t now_ns)
{
	struct rcu_slab *wait;

	if (likely(!(s->flags & SLAB_TYPESAFE_BY_RCU))) {
		give_back(s, slab, cpu);
		return;
	}
	if (unlikely(slab->linked))
		slub_forget(s->common, slab);
	wait = g_new0(struct rcu_slab, 1);
	wait->until_ns = now_ns + SLAB_RCU_GRACE_NS;
	wait->slab = slab->number;
	slab->where = SLAB_RCU;
	slab->cpu = cpu;
	g_queue_push_tail(&s->common->rcu, wait);
}

void
slub_free_slab(struct kmem_cache *s, struct slab *slab, unsigned int cpu)
{
	slab_give_back(s, slab, cpu, *s->common->phys->now_ns);
}

void
slub_discard(struct kmem_cache *s, struct slab *slab, unsigned int cpu)
{
	slub_dec_slabs(s, slab);
	slub_free_slab(s, slab, cpu);
}

void
slab_rcu_until(struct slab_common *sc, uint64_t now_ns)
{
	struct rcu_slab *wait;

	while ((wait = g_queue_peek_head(&sc->rcu)) &&
	       wait->until_ns <= now_ns) {
		struct rcu_slab done = *wait;
		struct slab *slab = slab_at(sc, done.slab);

		g_free(g_queue_pop_head(&sc->rcu));
		/* The callback runs where call_rcu() was called. */
		if (unlikely(done.object))
			slob_rcu_free(sc, &done);
		else
			give_back(slab->cache, slab, slab->cpu);
	}
}

bool
slab_tick(struct slab_common *sc)
{
	bool did = unlikely(sc->classic) && classic_tick(sc);
	guint waiting = sc->rcu.length;

	slab_rcu_until(sc, *sc->phys->now_ns);
	return did || sc->rcu.length != waiting;
}

void
slub_rcu_barrier(struct kmem_cache *s)
{
	struct slab_common *sc = s->common;
	GList *at = sc->rcu.head;

	while (at) {
		GList *next = at->next;
		struct rcu_slab *wait = at->data;
		struct slab *slab = slab_at(sc, wait->slab);

		if (!wait->object && slab->cache == s) {
			g_queue_delete_link(&sc->rcu, at);
			g_free(wait);
			give_back(s, slab, slab->cpu);
		}
		at = next;
	}
}
