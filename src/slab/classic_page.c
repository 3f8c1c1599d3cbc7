// SPDX-License-Identifier: MIT
/*
 * classic_page.c - slabs of the classic SLAB come and go
 *
 * What it models: cache_grow, kmem_getpages, alloc_slabmgmt, cache_init_objs,
 *                 slab_destroy, kmem_freepages, kmem_rcu_free of mm/slab.c,
 *                 2.6.11 to 2.6.18.
 * How it works:   a new slab begins its objects at the cache's next colour and
 *                 goes, all its objects constructed, onto its node's list of
 *                 free slabs.
 * Where it lies:  descriptor and index array in modelled RAM; the pages must
 *                 fit into the host's budget (-ENOSPC).
 * Differs from the kernel: struct kmem_list3 has no colour of its own, as in
 *                 2.6.11; pages never are cleared below watermarks.
 */
#include "classic_impl.h"
#include "common_impl.h"

#include "kmemfs/slab/kmalloc.h"

#include <errno.h>
#include <inttypes.h>

/* What a caller's flags may say about a slab's pages. */
#define GFP_OF_SLABS                                                           \
	(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM | __GFP_HIGH | __GFP_IO | \
	 __GFP_FS | __GFP_NOWARN | __GFP_RETRY_MAYFAIL | __GFP_NOFAIL |        \
	 __GFP_NORETRY | __GFP_MEMALLOC | __GFP_NOMEMALLOC | __GFP_ATOMIC |    \
	 __GFP_HARDWALL | __GFP_THISNODE)

/* --- descriptors elsewhere -------------------------------------------------
 */

static int
descriptor_alloc(struct kmem_cache *s, const struct slab_request *r, va_t *at)
{
	struct slab_common *sc = s->common;
	uint32_t bytes = classic_of(s)->slab_size;
	struct kmem_cache *of = kmalloc_cache(sc, bytes, 0);
	struct slab_request own = *r;

	own.gfp = r->gfp & GFP_OF_SLABS & ~__GFP_THISNODE;
	own.nid = NODE_LOCAL;
	own.bytes = bytes;
	return of ? slab_alloc_quiet(of, &own, at)
		  : kmalloc(sc, bytes, &own, at);
}

static void
descriptor_free(struct slab_common *sc, va_t at, unsigned int cpu)
{
	struct slab *of = slab_of(sc, at);
	const struct slab_request who = {.nid = NODE_LOCAL, .cpu = cpu};

	if (of)
		slab_free_quiet(of->cache, of, at, &who);
}

/* --- growing ---------------------------------------------------------------
 */

static int
get_pages(struct kmem_cache *s, const struct slab_request *r, int nid,
	  bool exact, pfn_t *pfn)
{
	struct slab_common *sc = s->common;
	gfp_t gfp = (r->gfp & GFP_OF_SLABS) | s->allocflags;
	struct page_request request = {
		.why = r->why,
		.gfp = gfp,
		.order = s->order,
		.nid = nid,
		.cpu = r->cpu,
		.context = r->context,
	};
	int err;

	if (exact)
		request.gfp = (gfp | __GFP_THISNODE | __GFP_NOWARN) &
			      ~(gfp_t)__GFP_NOFAIL;
	if (pages_alloc_warn(sc->phys, &request, pfn))
		return -ENOMEM;
	err = ram_may_write(sc->ram, *pfn << sc->phys->page_shift,
			    page_size(sc->phys) << s->order);
	if (!err)
		return 0;
	pages_put(sc->phys, *pfn, s->order, r->cpu);
	return -ENOSPC;
}

/* alloc_slabmgmt: where the descriptor is, and bytes before the objects. */
static void
place_descriptor(struct kmem_cache *s, struct slab *slab, va_t elsewhere)
{
	struct classic *c = classic_of(s);
	uint32_t offset = c->colour_next * c->colour_off;

	if (++c->colour_next >= c->colour)
		c->colour_next = 0;
	if (c->off_slab) {
		slab->freelist = elsewhere;
		slab->colour = offset;
	} else {
		slab->freelist = slab_address(slab) + offset;
		slab->colour = offset + c->slab_size;
	}
}

/* cache_init_objs: that the bytes may be written was asked before. */
static void
init_objects(struct kmem_cache *s, struct slab *slab)
{
	va_t s_mem = slab_address(slab) + slab->colour;

	for (uint32_t i = 0; i < slab->objects; i++) {
		va_t buffer = s_mem + (uint64_t)i * s->size;

		if (classic_debugged(s))
			classic_debug_new(s, buffer);
		if (s->ctor && !(s->flags & SLAB_POISON))
			slab_construct(s, buffer + s->red_left_pad);
		if (s->ctor && classic_debugged(s))
			classic_debug_constructed(s, buffer);
	}
	classic_desc_init(slab, s_mem);
}

static void
tell_new(const struct kmem_cache *s, const struct slab *slab,
	 const struct slab_request *r)
{
	SLUB_WHY(r,
		 "cache_grow: slab %u, a block of order %u of node %u, frames "
		 "%" PRIu64 "..%" PRIu64 "; %u objects of %u bytes from offset "
		 "%u on, descriptor %s\n",
		 slab->number, slab->order, slab->nid, slab->pfn,
		 slab->pfn + ((pfn_t)1 << slab->order) - 1, slab->objects,
		 s->size, slab->colour,
		 classic_of(s)->off_slab ? "elsewhere" : "before them");
}

/* The block at @pfn becomes a slab. */
static struct slab *
make_slab(struct kmem_cache *s, pfn_t pfn, va_t descriptor)
{
	struct slab *slab = slabs_add(s, pfn, s->order);

	if (!slab)
		return NULL;
	slab->objects = s->objects;
	place_descriptor(s, slab, descriptor);
	slab_account_pages(s, slab, 1);
	return slab;
}

int
classic_grow(struct kmem_cache *s, const struct slab_request *r, int nid,
	     bool exact, struct slab **made)
{
	struct slab_common *sc = s->common;
	va_t descriptor = 0;
	struct slab *slab;
	pfn_t pfn;
	int err = get_pages(s, r, nid, exact, &pfn);

	if (err)
		return err;
	if (classic_of(s)->off_slab)
		err = descriptor_alloc(s, r, &descriptor);
	slab = err ? NULL : make_slab(s, pfn, descriptor);
	if (!slab) {
		if (descriptor)
			descriptor_free(sc, descriptor, r->cpu);
		pages_put(sc->phys, pfn, s->order, r->cpu);
		return err ? err : -ENOSPC;
	}
	init_objects(s, slab);
	classic_link(slab, SLAB_FREE, true);
	slub_inc_slabs(s, slab);
	classic_of(s)->node[slab->nid].free_objects += slab->objects;
	tell_new(s, slab, r);
	*made = slab;
	return 0;
}

/* --- destroying ------------------------------------------------------------
 */

void
classic_slab_gone(struct kmem_cache *s, struct slab *slab, unsigned int cpu)
{
	if (classic_of(s)->off_slab)
		descriptor_free(s->common, slab->freelist, cpu);
}

void
classic_destroy(struct kmem_cache *s, struct slab *slab, unsigned int cpu)
{
	if (classic_debugged(s))
		classic_debug_destroy(s, slab);
	slub_dec_slabs(s, slab);
	slab_give_back(s, slab, cpu, classic_now(s->common));
}
