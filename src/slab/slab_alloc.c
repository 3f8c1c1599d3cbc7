// SPDX-License-Identifier: MIT
/*
 * slab_alloc.c - what all allocators do around giving out and taking back
 *
 * What it models: kmem_cache_alloc, kmem_cache_free, cache_from_obj,
 *                 slab_post_alloc_hook, kmem_cache_alloc_bulk,
 *                 kmem_cache_free_bulk, kmem_cache_shrink of 6.1.192.
 * How it works:   the cache's allocator does the work; here objects are zeroed
 *                 if that was asked for, events are emitted, and, with checks
 *                 or a hardened kernel, an object is given to the cache that
 *                 its page belongs to and not to the one that was named.
 */
#include "common_impl.h"
#include "slub_impl.h"

#include <errno.h>

/* --- slabs and objects of any allocator ------------------------------------
 */

void
slab_account_pages(const struct kmem_cache *s, const struct slab *slab,
		   int sign)
{
	enum node_stat stat = s->flags & SLAB_RECLAIM_ACCOUNT
				      ? NS_nr_slab_reclaimable
				      : NS_nr_slab_unreclaimable;

	s->common->phys->nodes[slab->nid]->stat[stat] +=
		sign * (int64_t)(1ULL << slab->order);
}

int
slab_construct(struct kmem_cache *s, va_t object)
{
	struct ram *ram = s->common->ram;
	pa_t at = slab_pa(s->common, object);
	uint8_t *bytes;
	int err;

	if (!s->ctor)
		return 0;
	s->nr_ctor++;
	bytes = g_malloc(s->object_size);
	ram_read(ram, at, bytes, s->object_size);
	slab_ctor_fill(s->ctor, bytes, s->object_size);
	err = ram_write(ram, at, bytes, s->object_size);
	g_free(bytes);
	return err;
}

void
slab_mark_lost(const struct slab *slab, uint8_t *state, int lost)
{
	for (uint32_t i = slab->objects; i-- && lost > 0;) {
		if (state[i] != OBJECT_USED)
			continue;
		state[i] = OBJECT_LOST;
		lost--;
	}
}

/* --- warnings --------------------------------------------------------------
 */

void
slab_warn(struct slab_common *sc, const struct slab_request *who,
	  const char *place, const char *where, const char *message)
{
	struct out text = OUT_INIT;

	slab_printk(sc, "------------[ cut here ]------------");
	if (message)
		slab_printk(sc, "%s", message);
	out_printf(&text, "WARNING: CPU: %u PID: %d at %s ",
		   who ? who->cpu : slab_this_cpu(sc), who ? who->pid : 0,
		   place);
	symbols_print(sc->symbols, symbols_address(sc->symbols, where), &text);
	slab_printk(sc, "%s", out_text(&text));
	if (who && who->caller) {
		out_reset(&text);
		slab_printk(sc, "Call Trace:");
		out_str(&text, " ");
		symbols_print(sc->symbols, who->caller, &text);
		slab_printk(sc, "%s", out_text(&text));
	}
	slab_printk(sc, "---[ end trace 0000000000000000 ]---");
	sc->tainted |= SLAB_TAINT_WARN;
	out_fini(&text);
}

/* --- one object ------------------------------------------------------------
 */

/* How much of an object of @s is zeroed for @r: in later kernels not what is
 * kmalloc's own red zone. */
static uint32_t
zero_size(const struct kmem_cache *s, const struct slab_request *r)
{
	if (s->common->config.orig_size && s->flags & SLAB_KMALLOC &&
	    s->flags & (SLAB_STORE_USER | SLAB_RED_ZONE) && r->bytes)
		return MIN_OF(r->bytes, s->object_size);
	return s->object_size;
}

static int
zero_object(struct kmem_cache *s, const struct slab_request *r, va_t object)
{
	struct slab_common *sc = s->common;
	pa_t pa;

	if (!slab_mapped(sc, object, s->object_size, &pa))
		return slub_oops(sc, object, true, "kmem_cache_alloc");
	ram_zero(sc->ram, pa, zero_size(s, r));
	return 0;
}

/* should_failslab(): of all caches but that of descriptors. */
static __attribute__((noinline)) bool
made_to_fail(struct kmem_cache *s, const struct slab_request *r)
{
	struct slab_common *sc = s->common;

	if (s == sc->kmem_cache ||
	    (sc->failslab.cache_filter && !(s->flags & SLAB_FAILSLAB)) ||
	    !fault_should_fail(&sc->failslab, r->gfp, s->object_size,
			       sc->phys->printk, sc->phys->printk_user))
		return false;
	if (r->why)
		out_printf(r->why, "%s: failslab makes it fail\n", s->name);
	return true;
}

/* What else there is to do about a request. */
static __attribute__((noinline)) int
alloc_seldom(struct kmem_cache *s, const struct slab_request *r, va_t *object)
{
	int err;

	if (s->common->failslab.probability && made_to_fail(s, r))
		return -ENOMEM;
	err = s->ops->alloc(s, r, object);
	if (r->gfp & __GFP_ZERO && !err)
		err = zero_object(s, r, *object);
	return err;
}

int
slab_alloc_quiet(struct kmem_cache *s, const struct slab_request *r,
		 va_t *object)
{
	if (unlikely(s->common->failslab.probability || r->gfp & __GFP_ZERO))
		return alloc_seldom(s, r, object);
	return s->ops->alloc(s, r, object);
}

int
slab_free_quiet(struct kmem_cache *s, struct slab *slab, va_t object,
		const struct slab_request *who)
{
	return s->ops->free(s, slab, object, who);
}

int
kmem_cache_alloc(struct kmem_cache *s, const struct slab_request *r,
		 va_t *object)
{
	int err = slab_alloc_quiet(s, r, object);

	/* A kernel that has crashed traces nothing. */
	if (err != -EFAULT)
		TRACE(s->common->phys->trace, KMEM_CACHE_ALLOC, r->caller,
		      err ? 0 : *object, s->object_size, s->size, r->gfp,
		      (uint64_t)(int64_t)r->nid,
		      s->common->config.memcg && ((r->gfp & __GFP_ACCOUNT) ||
						  (s->flags & SLAB_ACCOUNT)));
	return err;
}

/* @object is of @slab, which is not of @s: of which it is. */
static struct kmem_cache *
wrong_cache(const struct kmem_cache *s, const struct slab *slab, va_t object,
	    const struct slab_request *who)
{
	struct out text = OUT_INIT;

	out_printf(&text,
		   "cache_from_obj: Wrong slab cache. %s but object is from %s",
		   s->name, slab->cache->name);
	slab_warn(s->common, who, "mm/slab.h:665", "cache_from_obj",
		  out_text(&text));
	out_fini(&text);
	if (slab->cache->ops->id == ALLOCATOR_SLUB)
		slub_print_tracking(slab->cache, object);
	return slab->cache;
}

struct kmem_cache *
slab_cache_from(struct kmem_cache *s, const struct slab *slab, va_t object,
		const struct slab_request *who)
{
	struct slab_common *sc = s->common;

	/* A kernel has one allocator, and one does not know what another keeps
	 * in its slabs: such objects go where they came from, if that is one
	 * cache. */
	if (unlikely(slab && slab->cache->ops != s->ops)) {
		struct kmem_cache *from = wrong_cache(s, slab, object, who);

		return slab_knows_size(sc, s, object) ? from : NULL;
	}
	if (likely(!sc->config.hardened &&
		   !(s->flags & SLAB_CONSISTENCY_CHECKS)) ||
	    s->ops != &slub_ops)
		return s;
	if (!slab) {
		slab_warn(sc, who, "mm/slab.h:630", "cache_from_obj",
			  "virt_to_cache: Object is not a Slab page!");
		return NULL;
	}
	if (slab->cache == s)
		return s;
	return wrong_cache(s, slab, object, who);
}

int
kmem_cache_free(struct kmem_cache *s, va_t object,
		const struct slab_request *who)
{
	struct slab *slab;

	if (!object)
		return 0;
	slab = slab_of(s->common, object);
	s = slab_cache_from(s, slab, object, who);
	if (!s)
		return 0;
	TRACE(s->common->phys->trace, KMEM_CACHE_FREE, who->caller, object,
	      TRACE_TEXT(s->name));
	return s->ops->free(s, slab, object, who);
}

/* --- many at once ----------------------------------------------------------
 */

int
kmem_cache_alloc_bulk(struct kmem_cache *s, const struct slab_request *r,
		      unsigned int nr, va_t *objects)
{
	struct slab_request any = *r;
	unsigned int have = 0;
	int err = 0;

	any.nid = NODE_LOCAL;
	any.function = "kmem_cache_alloc_bulk";
	if (unlikely(s->common->failslab.probability) && made_to_fail(s, r))
		return -ENOMEM;
	for (; have < nr && !err; have += !err)
		err = s->ops->alloc(s, &any, &objects[have]);
	if (err) {
		if (err != -EFAULT)
			kmem_cache_free_bulk(s, r, have, objects);
		return err;
	}
	for (unsigned int i = 0; i < nr && (r->gfp & __GFP_ZERO) && !err; i++)
		err = zero_object(s, r, objects[i]);
	return err;
}

/* Whether another allocator's objects are among them. */
static bool
any_foreign(const struct kmem_cache *s, unsigned int nr, const va_t *objects)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct slab *slab = slab_of(s->common, objects[i]);

		if (slab && slab->cache->ops != s->ops)
			return true;
	}
	return false;
}

int
kmem_cache_free_bulk(struct kmem_cache *s, const struct slab_request *who,
		     unsigned int nr, const va_t *objects)
{
	int err = 0;

	if (!nr)
		return 0;
	if (unlikely((s->common->classic || s->common->slob) &&
		     any_foreign(s, nr, objects))) {
		while (nr-- && !err)
			err = kmem_cache_free(s, objects[nr], who);
		return err;
	}
	if (s->ops->free_bulk)
		return s->ops->free_bulk(s, who, nr, objects);
	while (nr-- && !err)
		err = s->ops->free(s, slab_of(s->common, objects[nr]),
				   objects[nr], who);
	return err;
}

/* --- caches ----------------------------------------------------------------
 */

void
kmem_cache_shrink(struct kmem_cache *s)
{
	s->ops->shrink(s);
}

void
slab_cpu_dead(struct slab_common *sc, unsigned int cpu)
{
	for (guint i = 0; i < sc->caches->len; i++) {
		struct kmem_cache *s = g_ptr_array_index(sc->caches, i);

		if (s->ops->cpu_dead)
			s->ops->cpu_dead(s, cpu);
	}
}
