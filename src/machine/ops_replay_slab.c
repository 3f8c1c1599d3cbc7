// SPDX-License-Identifier: MIT
/*
 * ops_replay_slab.c - the steps of a replay that are of objects
 *
 * How it works: under policy model a recorded object is allocated as any other,
 * and a map remembers where ours lies until the recording frees it.  Under
 * policy mirror nothing is done: slabs lie where the recorded pages lie.
 *
 * Always true: an object of the map is allocated, unless somebody else freed
 * it; it has no name and no owner; while there is one the policy stays.
 */
#include "kmemfs/ops.h"

#include "kmemfs/slab/kmalloc.h"

#include "ops_slab_impl.h"
#include "replay_slab_impl.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#define STEP(o, a, kind)                                                       \
	{                                                                      \
		.op = (o), .m = (o)->m, .replay = replay_of((o)->m),           \
		.cpu = (unsigned int)(a)->cpu, .event = (kind), .at = (a)->at, \
	}

static int
check(const struct step *s)
{
	if (s->at > REPLAY_AT_MAX)
		return op_refuse(s->op, -1, EINVAL,
				 "more than 36 years after the first stamp");
	if (!s->m->phys->cpu_online[s->cpu])
		return op_refuse(s->op, -1, EINVAL, "CPU %u is offline",
				 s->cpu);
	return 0;
}

/* The address of the caller's function; what lines are made of knows it. */
static va_t
caller_address(struct step *s, const char *caller)
{
	struct replay_slab *slab = s->replay->slab;
	struct site *site;

	if (!slab->hand)
		return symbols_address(s->m->symbols, caller);
	site = site_get(slab->sites, slab->hand);
	if (!site->address)
		site->address = symbols_address(s->m->symbols, caller);
	return site->address;
}

static void
note(struct step *s, enum replay_mismatch mismatch, uint64_t ptr)
{
	s->pfn = ptr;
	step_note(s, mismatch);
}

/* --- frees ---------------------------------------------------------------- */

/* Whether a large kmalloc's block begins at @pa. */
static bool
is_large(const struct machine *m, pa_t pa)
{
	pfn_t pfn = pa >> m->phys->page_shift, head;
	enum migratetype type;
	unsigned int order;

	return pfn < m->phys->max_pfn &&
	       frame_block(m->phys, pfn, &head, &order, &type) ==
		       FRAME_ALLOCATED &&
	       head == pfn && order && !m->phys->frames[head].owner &&
	       m->phys->frames[head].flags & FRAME_COMPOUND;
}

/* SLOB's pages do not tell which cache an object is of, so the replay does.
 * NULL: of none, it is kmalloc's. */
static struct kmem_cache *
pooled_take(struct step *s, pa_t pa)
{
	GHashTable *pooled = s->replay->slab->pooled;
	uint32_t id = GPOINTER_TO_UINT(g_hash_table_lookup(pooled, &pa));

	g_hash_table_remove(pooled, &pa);
	return id ? kmem_cache_get(s->m->slab, id) : NULL;
}

static void
pooled_add(struct step *s, pa_t pa, const struct kmem_cache *cache)
{
	GHashTable *pooled = s->replay->slab->pooled;

	if (cache)
		g_hash_table_replace(pooled, g_memdup2(&pa, sizeof(pa)),
				     GUINT_TO_POINTER(cache->id));
	else
		g_hash_table_remove(pooled, &pa);
}

/* Give back what stands for a recorded object.  False: somebody has freed it
 * already, its slab is no more.  @by_kfree: as kfree does; SLOB needs to be
 * given an object back as it was asked for. */
static bool
release(struct step *s, const struct replay_object *object,
	const struct slab_request *who, bool by_kfree)
{
	struct machine *m = s->m;
	va_t address = m->phys->arch->page_offset + object->pa;
	struct slab *slab = slab_of(m->slab, address);
	struct kmem_cache *cache = slab ? slab->cache : NULL;
	struct cache_usage *usage;

	if (!slab && !is_large(m, object->pa))
		return false;
	if (cache && cache == slob_pool(m->slab)) {
		struct kmem_cache *of = pooled_take(s, object->pa);

		by_kfree = !of;
		cache = of ? of : cache;
	}
	usage = replay_slab_usage(s->replay->slab, cache ? cache->id : 0);
	usage->live -= usage->live != 0;
	usage->freed++;
	if (!cache || by_kfree)
		kfree(m->slab, address, who);
	else
		kmem_cache_free(cache, address, who);
	return true;
}

static int
free_object(struct step *s, uint64_t ptr, uint64_t pid, uint64_t context,
	    const char *caller, bool by_kfree)
{
	struct replay_slab_counts *counts = &s->replay->counts.slab;
	struct replay_object object;
	const struct slab_request who = {
		.gfp = GFP_KERNEL,
		.nid = NODE_LOCAL,
		.cpu = s->cpu,
		.context = (enum alloc_context)context,
		.caller = caller_address(s, caller),
		.pid = (int32_t)pid,
	};

	if (ptr <= ZERO_SIZE_PTR) {
		counts->null_frees++;
		return 0;
	}
	if (!object_map_take(s->replay->slab->objects, ptr, &object) ||
	    !release(s, &object, &who, by_kfree)) {
		counts->unknown++;
		note(s, MISMATCH_OBJECT_UNKNOWN, ptr);
		return 0;
	}
	counts->freed++;
	op_answer(
		s->op, "address=%#llx recorded=%#llx",
		(unsigned long long)(s->m->phys->arch->page_offset + object.pa),
		(unsigned long long)ptr);
	return 0;
}

int
op_replay_kfree(struct op *op, struct args_replay_kfree *a)
{
	struct step s = STEP(op, a, FTRACE_KFREE);
	int err = check(&s);

	if (err)
		return err;
	replay_slab_of(op->m);
	step_stamp(&s);
	if (s.replay->policy == REPLAY_MIRROR)
		return 0;
	return free_object(&s, a->ptr, a->pid, a->context, a->caller, true);
}

int
op_replay_kmem_cache_free(struct op *op, struct args_replay_kmem_cache_free *a)
{
	struct step s = STEP(op, a, FTRACE_CACHE_FREE);
	int err = check(&s);

	if (err)
		return err;
	replay_slab_of(op->m);
	step_stamp(&s);
	if (s.replay->policy == REPLAY_MIRROR)
		return 0;
	return free_object(&s, a->ptr, a->pid, a->context, a->caller, false);
}

/* --- allocations -----------------------------------------------------------
 */

/* The recorded object was freed without being seen, in bulk or by RCU. */
static void
evict(struct step *s, uint64_t ptr, const struct slab_request *who)
{
	struct replay_object object;

	if (!object_map_take(s->replay->slab->objects, ptr, &object))
		return;
	s->replay->counts.slab.again++;
	note(s, MISMATCH_OBJECT_AGAIN, ptr);
	release(s, &object, who, false);
}

/* @s got an object of @cache, NULL: by kmalloc, at @address for the recorded
 * one, or @err. */
static int
got(struct step *s, uint64_t ptr, const struct kmem_cache *cache, va_t address,
    int err)
{
	struct machine *m = s->m;
	struct replay_slab *slab = s->replay->slab;
	pa_t pa = address - m->phys->arch->page_offset;
	const struct kmem_cache *owner;
	const struct slab *of;
	struct cache_usage *usage;

	if (err) {
		s->replay->counts.slab.failed++;
		note(s, MISMATCH_OBJECT_FAILED, ptr);
		return op_fail(s->op, -err, "there is no memory for an object");
	}
	/* ZERO_SIZE_PTR, or what a broken free list gave. */
	if (address < m->phys->arch->page_offset || pa >= REPLAY_PA_MAX)
		return 0;
	of = slab_of(m->slab, address);
	owner = of ? of->cache : NULL;
	if (owner && owner == slob_pool(m->slab)) {
		pooled_add(s, pa, cache);
		owner = cache ? cache : owner;
	}
	usage = replay_slab_usage(slab, owner ? owner->id : 0);
	usage->allocated++;
	usage->live++;
	s->replay->counts.slab.allocated++;
	object_map_add(slab->objects, ptr, pa, slab->hand);
	op_answer(s->op, "address=%#llx recorded=%#llx",
		  (unsigned long long)address, (unsigned long long)ptr);
	return 0;
}

#define REQUEST(s, a)                                                          \
	{                                                                      \
		.gfp = (gfp_t)(a)->gfp, .nid = (int)(a)->node,                 \
		.cpu = (s)->cpu, .context = (enum alloc_context)(a)->context,  \
		.caller = caller_address((s), (a)->caller),                    \
		.pid = (int32_t)(a)->pid                                       \
	}

/* Whether nothing is to be done: the policy, or it had failed. */
static bool
passed_over(struct step *s, uint64_t ptr)
{
	if (s->replay->policy == REPLAY_MIRROR)
		return true;
	if (ptr)
		return false;
	s->replay->counts.slab.had_failed++;
	return true;
}

int
op_replay_kmalloc(struct op *op, struct args_replay_kmalloc *a)
{
	struct step s = STEP(op, a, FTRACE_KMALLOC);
	uint64_t most = page_size(op->m->phys) << (MAX_ORDER - 1);
	va_t address = 0;
	int err = check(&s);

	if (!err && a->size > most)
		err = op_refuse(op, ARG_REPLAY_KMALLOC_SIZE, EINVAL,
				"%llu bytes: at most %llu can be asked for",
				(unsigned long long)a->size,
				(unsigned long long)most);
	if (err)
		return err;
	replay_slab_of(op->m);
	step_stamp(&s);
	if (!passed_over(&s, a->ptr)) {
		const struct slab_request r = REQUEST(&s, a);

		evict(&s, a->ptr, &r);
		err = kmalloc(op->m->slab, a->size, &r, &address);
		return got(&s, a->ptr, NULL, address, err);
	}
	return 0;
}

int
op_replay_kmem_cache_alloc(struct op *op,
			   struct args_replay_kmem_cache_alloc *a)
{
	struct step s = STEP(op, a, FTRACE_CACHE_ALLOC);
	struct kmem_cache *cache;
	va_t address = 0;
	int err = check(&s);

	if (!err)
		err = resolve_cache(op, ARG_REPLAY_KMEM_CACHE_ALLOC_CACHE,
				    a->cache, &cache);
	if (err)
		return err;
	replay_slab_of(op->m);
	step_stamp(&s);
	if (!passed_over(&s, a->ptr)) {
		const struct slab_request r = REQUEST(&s, a);

		evict(&s, a->ptr, &r);
		err = kmem_cache_alloc(cache, &r, &address);
		return got(&s, a->ptr, cache, address, err);
	}
	return 0;
}

uint64_t
replay_slab_release(struct step *s)
{
	const struct slab_request who = {
		.gfp = GFP_KERNEL,
		.nid = NODE_LOCAL,
		.cpu = s->cpu,
		.pid = 1,
	};
	struct replay_slab *slab = s->replay->slab;
	struct replay_object *list, gone;
	uint64_t nr;

	if (!slab)
		return 0;
	/* Those that were passed over are nobody's any more either. */
	replay_map_free(slab->pages);
	slab->pages = replay_map_new();
	shadow_release(slab->shadow);
	list = object_map_list(slab->objects, &nr);
	for (uint64_t i = 0; i < nr; i++) {
		object_map_take(slab->objects, list[i].ptr, &gone);
		release(s, &gone, &who, false);
	}
	g_free(list);
	return nr;
}

/* --- what is known before --------------------------------------------------
 */

/* How objects of @object_size come to take @size bytes: *@align, and whether
 * the free pointer lies behind the object, as with a constructor. */
static bool
find_align(const struct slab_common *sc, uint64_t object_size, uint64_t size,
	   bool *behind, uint64_t *align)
{
	const uint64_t most = page_size(sc->phys);
	uint64_t words = round_up_to(object_size, sc->word);

	for (int b = *behind; b < 2; b++)
		for (uint64_t a = sc->word; a <= most; a <<= 1)
			if (round_up_to(words + (b ? sc->word : 0), a) ==
			    size) {
				*align = a;
				*behind = b;
				return true;
			}
	return false;
}

/* Fill in what makes objects of @a's sizes. */
static void
shape(struct op *op, const struct args_replay_cache *a,
      struct kmem_cache_args *args)
{
	bool behind = args->ctor || args->flags & SLAB_TYPESAFE_BY_RCU;
	bool had = behind;

	if (!a->size)
		return;
	if (find_align(op->m->slab, a->object_size, a->size, &behind,
		       &args->align)) {
		if (behind && !had)
			args->ctor = slab_ctor_find("zero");
		args->align = MAX_OF(args->align, a->align);
		return;
	}
	/* A kernel that debugs: with all that belongs to it. */
	args->size = a->size;
}

static int
check_cache(struct op *op, const struct args_replay_cache *a)
{
	if (kmem_cache_find(op->m->slab, a->name))
		return op_refuse(op, ARG_REPLAY_CACHE_NAME, EEXIST,
				 "there is a cache called %s already", a->name);
	if (a->size && a->size < a->object_size)
		return op_refuse(op, ARG_REPLAY_CACHE_SIZE, EINVAL,
				 "an object of %llu bytes takes no fewer",
				 (unsigned long long)a->object_size);
	return 0;
}

int
op_replay_cache(struct op *op, struct args_replay_cache *a)
{
	struct kmem_cache_args args = {
		.name = a->name,
		.size = a->object_size,
		.align = a->align,
		.flags = (slab_flags_t)a->flags & ~(slab_flags_t)SLAB_PANIC,
		.ctor = a->ctor ? slab_ctor_find(a->ctor) : NULL,
		.allocator = op->m->slab->config.allocator,
		.apart = true,
	};
	struct refusal why = {0};
	struct kmem_cache *s;
	int err = check_cache(op, a);

	if (err)
		return err;
	shape(op, a, &args);
	err = kmem_cache_create(op->m->slab, &args, &s, &why);
	if (err)
		return op_refuse(op, ARG_REPLAY_CACHE_OBJECT_SIZE,
				 err == -E2BIG ? EINVAL : -err, "%s",
				 why.sentence);
	cache_named(op->m, s, a->name);
	op_answer(op, "%s size=%u order=%u objects=%u", a->name, s->size,
		  s->order, s->objects);
	return 0;
}

int
op_replay_site(struct op *op, struct args_replay_site *a)
{
	if (!sites_give(replay_slab_of(op->m)->sites, a->site, a->cache, a->req,
			a->alloc))
		return op_refuse(op, -1, ENFILE,
				 "%d sites have been told already",
				 REPLAY_SITES_MAX);
	return 0;
}
