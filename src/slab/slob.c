// SPDX-License-Identifier: MIT
/*
 * slob.c - SLOB: the allocator of tiny machines
 *
 * What it models: mm/slob.c of 6.1.192: __do_kmalloc_node, kfree, __ksize,
 *                 slob_alloc_node, kmem_cache_free, kmem_rcu_free.
 * How it works:   there are no slabs of caches: a cache is a size, and all
 *                 bytes come out of the same pages (slob_page.c).  kmalloc
 * keeps the size in a header before the object; kmem_cache_free knows it from
 * the cache.  From a page upwards whole pages are taken.
 *
 *     kmalloc(100)   | 100 . . . | 100 bytes |     header: the least alignment
 *
 * Where it lies:  headers and free blocks in modelled RAM.  A header that was
 *                 overwritten frees as many bytes as it says.
 * Differs from the kernel: pages of objects as large as a page are slabs of one
 *                 object here, so that it is known whose they are; live objects
 *                 of a cache are counted.
 */
#include "slob_impl.h"

#include "common_impl.h"

#include <errno.h>

/* --- kmalloc ---------------------------------------------------------------
 */

bool
slob_kmalloc_small(const struct slab_common *sc, uint64_t bytes)
{
	return bytes < page_size(sc->phys) - SLAB_ALIGN_LEAST;
}

int
slob_kmalloc(struct slab_common *sc, uint64_t bytes,
	     const struct slab_request *r, va_t *object)
{
	uint64_t align = SLAB_ALIGN_LEAST;
	va_t block;
	int err;

	/* Objects of such sizes are aligned to them. */
	if (!(bytes & (bytes - 1)))
		align = MAX_OF(align, bytes);
	err = slob_take(sc, bytes + SLAB_ALIGN_LEAST, align, SLAB_ALIGN_LEAST,
			r, &block);
	if (err)
		return err;
	ram_store(sc->ram, slab_pa(sc, block), 4, bytes);
	*object = block + SLAB_ALIGN_LEAST;
	if (r->gfp & __GFP_ZERO)
		ram_zero(sc->ram, slab_pa(sc, *object), bytes);
	return 0;
}

/* The size in the header before @object, whatever it is. */
static uint32_t
header(const struct slab_common *sc, va_t object)
{
	return (uint32_t)ram_load(sc->ram,
				  slab_pa(sc, object - SLAB_ALIGN_LEAST), 4);
}

uint64_t
slob_ksize(const struct slab_common *sc, va_t object)
{
	const struct slab *slab = slab_of(sc, object);
	uint32_t unit = slob_unit(sc);

	if (slab->cache != &sc->slob->pool)
		return slab_bytes(slab);
	/* A size that leads out of the page is nobody's. */
	return MIN_OF((uint64_t)slob_units(sc, header(sc, object)) * unit,
		      page_size(sc->phys) - object % page_size(sc->phys));
}

uint64_t
slob_kmalloc_size(const struct slab_common *sc, uint64_t bytes)
{
	return (uint64_t)slob_units(sc, bytes) * slob_unit(sc);
}

bool
slab_knows_size(const struct slab_common *sc, const struct kmem_cache *s,
		va_t object)
{
	const struct slab *slab = slab_of(sc, object);

	if (!slab || slab->cache != slob_pool(sc))
		return true;
	return s ? s->ops == &slob_ops : slob_machine(sc);
}

/* kfree of a block with a header. */
static int
free_small(struct slab_common *sc, struct slab *page, va_t object,
	   const struct slab_request *who)
{
	return slob_put(sc, page, object - SLAB_ALIGN_LEAST,
			(uint64_t)header(sc, object) + SLAB_ALIGN_LEAST,
			who->cpu);
}

/* --- caches ----------------------------------------------------------------
 */

static int
slob_open(struct kmem_cache *s)
{
	const struct slab_common *sc = s->common;

	s->inuse = s->size = s->object_size;
	/* struct slob_rcu: a head of two words, and the size. */
	if (s->flags & SLAB_TYPESAFE_BY_RCU)
		s->size += sc->word == 8 ? 24 : 12;
	if (s->size > page_size(sc->phys) << (MAX_ORDER - 1))
		return -E2BIG;
	s->order = (uint8_t)slab_get_order(sc, s->size);
	s->min_order = s->order;
	s->objects = (uint16_t)MAX_OF(page_size(sc->phys) / s->size, 1ULL);
	s->min_objects = s->objects;
	s->impl = g_new0(struct slob_cache, 1);
	return 0;
}

static void
slob_release(struct kmem_cache *s)
{
	while (s->all)
		slabs_remove(s->common, slab_next(s, NULL));
	g_free(s->impl);
	s->impl = NULL;
}

/* slob_new_pages of an object that fills them. */
static int
large_alloc(struct kmem_cache *s, const struct slab_request *r, va_t *object)
{
	struct slab_common *sc = s->common;
	struct phys *phys = sc->phys;
	const struct page_request request = {
		.why = r->why,
		.gfp = (r->gfp & ~(gfp_t)(__GFP_HIGHMEM | __GFP_ZERO)) |
		       (s->order ? __GFP_COMP : 0),
		.order = s->order,
		.nid = r->nid,
		.cpu = r->cpu,
		.context = r->context,
	};
	struct slab *slab;
	pfn_t pfn;

	if (pages_alloc_warn(phys, &request, &pfn))
		return -ENOMEM;
	slab = ram_may_write(sc->ram, pfn << phys->page_shift,
			     page_size(phys) << s->order)
		       ? NULL
		       : slabs_add(s, pfn, s->order);
	if (!slab) {
		pages_put(phys, pfn, s->order, r->cpu);
		return -ENOSPC;
	}
	slab->objects = slab->inuse = 1;
	phys->nodes[slab->nid]->stat[NS_nr_slab_unreclaimable] += (int64_t)1
								  << s->order;
	*object = slab_address(slab);
	return 0;
}

static void
large_free(struct slab_common *sc, struct slab *slab, unsigned int cpu)
{
	unsigned int order = slab->order;
	pfn_t pfn = slab->pfn;

	sc->phys->nodes[slab->nid]->stat[NS_nr_slab_unreclaimable] -= (int64_t)1
								      << order;
	slabs_remove(sc, slab);
	pages_put(sc->phys, pfn, order, cpu);
}

static int
slob_alloc(struct kmem_cache *s, const struct slab_request *r, va_t *object)
{
	struct slab_common *sc = s->common;
	struct slob_cache *c = s->impl;
	pa_t pa;
	int err;

	err = s->size < page_size(sc->phys)
		      ? slob_take(sc, s->size, s->align, 0, r, object)
		      : large_alloc(s, r, object);
	if (err)
		return err;
	/* A list that led astray may lead anywhere. */
	if (!slab_mapped(sc, *object, s->size, &pa))
		return slub_oops(sc, *object, true, "kmem_cache_alloc");
	c->live++;
	/* The constructor runs each time. */
	return slab_construct(s, *object);
}

/* __kmem_cache_free of @bytes; @slab is where @object lies. */
static int
free_bytes(struct slab_common *sc, struct slab *slab, va_t object,
	   uint64_t bytes, unsigned int cpu)
{
	if (!slab) {
		slab_printk(sc, "------------[ cut here ]------------");
		slab_printk(sc, "kernel BUG at mm/slob.c:391!");
		return slub_died(sc, "slob_free");
	}
	if (slab->cache != &slob_of(sc)->pool) {
		large_free(sc, slab, cpu);
		return 0;
	}
	return slob_put(sc, slab, object, bytes, cpu);
}

static int
free_later(struct kmem_cache *s, va_t object, const struct slab_request *who)
{
	struct slab_common *sc = s->common;
	struct rcu_slab *wait = g_new0(struct rcu_slab, 1);
	unsigned int w = sc->word;

	/* slob_rcu at the object's end: its size, behind the head. */
	ram_store(sc->ram,
		  slab_pa(sc, object) + s->size - (w == 8 ? 24 : 12) + 2UL * w,
		  4, s->size);
	wait->until_ns = *sc->phys->now_ns + SLAB_RCU_GRACE_NS;
	wait->object = object;
	wait->bytes = s->size;
	wait->cpu = who->cpu;
	g_queue_push_tail(&sc->rcu, wait);
	return 0;
}

void
slob_rcu_free(struct slab_common *sc, const struct rcu_slab *wait)
{
	struct slab *slab = slab_of(sc, wait->object);

	if (!slab || slab->cache->ops != &slob_ops)
		return;
	free_bytes(sc, slab, wait->object, wait->bytes, wait->cpu);
}

static int
slob_free(struct kmem_cache *s, struct slab *slab, va_t object,
	  const struct slab_request *who)
{
	struct slab_common *sc = s->common;
	struct slob_cache *c = s->impl;
	pa_t pa;

	/* kfree: the page says no more than that it is SLOB's. */
	if (s == &slob_of(sc)->pool) {
		if (slob_machine(sc))
			return free_small(sc, slab, object, who);
		slab_printk(sc,
			    "kfree: 0x%llx is from slob, and kmalloc is not: "
			    "left alone",
			    (unsigned long long)object);
		return 0;
	}
	if (!slab_mapped(sc, object, s->size, &pa))
		return slub_oops(sc, object, true, "kmem_cache_free");
	c->live -= c->live > 0;
	if (s->flags & SLAB_TYPESAFE_BY_RCU)
		return free_later(s, object, who);
	return free_bytes(sc, slab, object, s->size, who->cpu);
}

/* All callbacks that wait run now, oldest first. */
static void
rcu_barrier(struct slab_common *sc)
{
	GList *at = sc->rcu.head;

	while (at) {
		GList *next = at->next;
		struct rcu_slab *wait = at->data;

		if (wait->object) {
			g_queue_delete_link(&sc->rcu, at);
			slob_rcu_free(sc, wait);
			g_free(wait);
		}
		at = next;
	}
}

static int
slob_shutdown(struct kmem_cache *s)
{
	/* There is no way to tell whether objects are left. */
	if (s->flags & SLAB_TYPESAFE_BY_RCU)
		rcu_barrier(s->common);
	return 0;
}

static void
slob_shrink(struct kmem_cache *s)
{
	(void)s;
}

static unsigned int
slob_validate(struct kmem_cache *s)
{
	return slob_verify_pool(s->common, NULL, NULL);
}

static va_t
slob_first(const struct slab *slab)
{
	return slab_address(slab);
}

static unsigned int
slob_verify(struct kmem_cache *s, finding_fn found, void *user)
{
	/* All there is to check is the pool's. */
	(void)s;
	(void)found;
	(void)user;
	return 0;
}

static void
slob_digest(const struct kmem_cache *s, const struct number_stream *to)
{
	const struct slob_cache *c = s->impl;

	stream_put(to, c ? (uint64_t)c->live : 0);
}

static void
slob_info(const struct kmem_cache *s, struct slabinfo *info)
{
	const struct slob_cache *c = s->impl;

	*info = (struct slabinfo){
		.active_objs = c ? (uint64_t)c->live : 0,
		.num_objs = c ? (uint64_t)c->live : 0,
		.objects_per_slab = s->objects,
		.order = s->order,
	};
}

const struct slab_ops slob_ops = {
	.id = ALLOCATOR_SLOB,
	.open = slob_open,
	.shutdown = slob_shutdown,
	.release = slob_release,
	.alloc = slob_alloc,
	.free = slob_free,
	.shrink = slob_shrink,
	.validate = slob_validate,
	.states = slob_states,
	.first = slob_first,
	.verify = slob_verify,
	.digest = slob_digest,
	.info = slob_info,
	.free_list = slob_free_list,
};
