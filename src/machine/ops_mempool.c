// SPDX-License-Identifier: MIT
/*
 * ops_mempool.c - pools with a reserve: made, used, resized, destroyed
 *
 * What it models: the callers' side of mm/mempool.c of 6.1.192.
 *
 * How it works: a request that would have to sleep fails with EAGAIN, and its
 * task sleeps: the pool lists it.  When an element is given back into the
 * reserve, or after 5 s of modelled time, it tries again, as the kernel's does
 * (for an hour, then it waits for an element only); what it gets is entered
 * under the name that it asked for, or a made-up one if that has been taken
 * since.
 */
#include "kmemfs/ops.h"

#include "kmemfs/base/text.h"
#include "caller_impl.h"
#include "ops_slab_impl.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* Who has slept for this long is only woken by an element any more: modelled
 * time may be advanced by centuries. */
#define TRIES_NS 3600000000000ULL

static int
resolve_pool(struct op *op, int param, const char *name, struct mempool **found)
{
	*found = mempool_find(op->m->mempools, name);
	if (!*found)
		return op_refuse(op, param, ENOENT,
				 "there is no mempool called %s", name);
	return 0;
}

/* A pool whose cache is gone would follow a pointer to freed memory. */
static int
check_cache(struct op *op, const struct mempool *pool)
{
	if (pool->kind == MEMPOOL_SLAB && !mempool_cache(pool))
		return op_refuse(op, -1, EFAULT,
				 "mempool %s: its cache has been destroyed "
				 "under it: all that is left is to destroy it",
				 pool->name);
	return 0;
}

/* --- making ----------------------------------------------------------------
 */

/* What the ops that make one have in common. */
struct making {
	struct op *op;
	struct mempool_args args;
	uint64_t min_nr;
	const char **name;
	int name_param;
	uint64_t cpu;
	const char *caller;
};

#define MAKING(o, a, ID)                                                       \
	{                                                                      \
		.op = (o), .min_nr = (a)->min_nr, .name = &(a)->name,          \
		.name_param = ARG_MEMPOOL_##ID##_NAME, .cpu = (a)->cpu,        \
		.caller = (a)->caller                                          \
	}

static int
check_making(const struct making *k)
{
	struct op *op = k->op;

	if (k->min_nr > MEMPOOL_MIN_NR_MAX)
		return op_refuse(op, 0, EINVAL, "a reserve of %d at most",
				 MEMPOOL_MIN_NR_MAX);
	if (*k->name && mempool_find(op->m->mempools, *k->name))
		return op_refuse(op, k->name_param, EEXIST,
				 "there is a mempool called %s already",
				 *k->name);
	if (k->args.kind == MEMPOOL_SLAB && k->args.cache->ctor)
		return op_refuse(op, -1, EINVAL,
				 "%s has a constructor, whose work a pool "
				 "would spoil: mempool_alloc_slab does not "
				 "take it (VM_BUG_ON)",
				 k->args.cache->name);
	return 0;
}

/* pool<id>, or the first after it that is free. */
static const char *
make_up_name(struct op *op)
{
	const struct mempools *t = op->m->mempools;
	uint32_t id = t->last_id;

	do
		g_snprintf(op->made_up, sizeof(op->made_up), "pool%u", ++id);
	while (mempool_find(t, op->made_up));
	return op->made_up;
}

static int
make(struct making *k)
{
	struct op *op = k->op;
	struct machine *m = op->m;
	struct calling c = {.op = op,
			    .gfp = GFP_KERNEL,
			    .cpu = k->cpu,
			    .node = NODE_LOCAL,
			    .caller = k->caller};
	struct out why = OUT_INIT;
	struct slab_request who;
	struct mempool *pool;
	int err = check_making(k);

	if (!err)
		err = check_calling(&c, 0);
	if (err)
		return err;
	if (!*k->name)
		*k->name = make_up_name(op);
	k->args.name = *k->name;
	k->args.min_nr = (uint32_t)k->min_nr;
	begin_calling(&c, &who);
	who.why = op->want_why ? &why : NULL;
	err = mempool_create(m->mempools, &k->args, &who, &pool);
	if (err) {
		object_failed(op, "mempool_create", err, &why);
	} else {
		machine_tell_entry(m, ENTRY_MEMPOOL, NULL, pool->name);
		op_answer(op, "%s kind=%s min_nr=%u curr_nr=%u size=%llu",
			  pool->name, mempool_kind_names[pool->kind],
			  pool->min_nr, pool->curr_nr,
			  (unsigned long long)pool->size);
	}
	out_fini(&why);
	return err;
}

int
op_mempool_mempool_create_slab_pool(
	struct op *op, struct args_mempool_mempool_create_slab_pool *a)
{
	struct making k = MAKING(op, a, MEMPOOL_CREATE_SLAB_POOL);
	int err = resolve_cache(op, ARG_MEMPOOL_MEMPOOL_CREATE_SLAB_POOL_CACHE,
				a->cache, &k.args.cache);

	k.args.kind = MEMPOOL_SLAB;
	return err ? err : make(&k);
}

static int
make_kmalloc(struct making *k, int param, uint64_t size)
{
	uint64_t most = page_size(k->op->m->phys) << (MAX_ORDER - 1);

	if (!size || size > most)
		return op_refuse(k->op, param, EINVAL,
				 "elements of 1 to %llu bytes",
				 (unsigned long long)most);
	k->args.kind = MEMPOOL_KMALLOC;
	k->args.size = size;
	return make(k);
}

int
op_mempool_mempool_create_kmalloc_pool(
	struct op *op, struct args_mempool_mempool_create_kmalloc_pool *a)
{
	struct making k = MAKING(op, a, MEMPOOL_CREATE_KMALLOC_POOL);

	return make_kmalloc(&k, ARG_MEMPOOL_MEMPOOL_CREATE_KMALLOC_POOL_SIZE,
			    a->size);
}

int
op_mempool_mempool_create_page_pool(
	struct op *op, struct args_mempool_mempool_create_page_pool *a)
{
	struct making k = MAKING(op, a, MEMPOOL_CREATE_PAGE_POOL);

	k.args.kind = MEMPOOL_PAGES;
	k.args.order = (unsigned int)a->order;
	return make(&k);
}

/* mempool_create(min_nr, alloc_fn, free_fn, pool_data) */
int
op_mempool_mempool_create(struct op *op, struct args_mempool_mempool_create *a)
{
	struct making k = MAKING(op, a, MEMPOOL_CREATE);
	const int data = ARG_MEMPOOL_MEMPOOL_CREATE_POOL_DATA;
	uint64_t number = 0;
	int kind = 0, err;

	while (kind < NR_MEMPOOL_KINDS &&
	       strcmp(mempool_alloc_fns[kind], a->alloc_fn))
		kind++;
	if (kind == NR_MEMPOOL_KINDS)
		return op_refuse(op, ARG_MEMPOOL_MEMPOOL_CREATE_ALLOC_FN,
				 EINVAL,
				 "%s: mempool_alloc_slab, mempool_kmalloc or "
				 "mempool_alloc_pages",
				 a->alloc_fn);
	if (strcmp(mempool_free_fns[kind], a->free_fn))
		return op_refuse(op, ARG_MEMPOOL_MEMPOOL_CREATE_FREE_FN, EINVAL,
				 "what %s gives is freed by %s", a->alloc_fn,
				 mempool_free_fns[kind]);
	k.args.kind = (enum mempool_kind)kind;
	if (kind == MEMPOOL_SLAB) {
		err = resolve_cache(op, data, a->pool_data, &k.args.cache);
		return err ? err : make(&k);
	}
	if (!text_size(a->pool_data, &number))
		return op_refuse(op, data, EINVAL, "%s: not a number",
				 a->pool_data);
	if (kind == MEMPOOL_KMALLOC)
		return make_kmalloc(&k, data, number);
	if (number >= MAX_ORDER)
		return op_refuse(op, data, EINVAL, "an order, 0 to %d",
				 MAX_ORDER - 1);
	k.args.order = (unsigned int)number;
	return make(&k);
}

/* --- taking ----------------------------------------------------------------
 */

/* Blocks of pages that a pool gave belong to an allocation as others do. */
static void
place_pages(struct machine *m, const struct mempool *pool, struct allocation *a,
	    uint64_t element)
{
	a->kind = ALLOCATION_PAGES;
	a->order = (uint8_t)pool->order;
	a->nr_pages = 1ULL << pool->order;
	a->pfn = mempool_pfn(m->phys, element);
	m->phys->frames[a->pfn].owner = a->id;
}

static void
place_object(struct machine *m, const struct mempool *pool,
	     struct allocation *a, va_t address)
{
	const struct slab *slab = slab_of(m->slab, address);
	unsigned int shift = m->phys->page_shift;
	pa_t start = address - m->phys->arch->page_offset;
	struct frame *head = &m->phys->frames[start >> shift];

	a->kind = ALLOCATION_OBJECT;
	a->pfn = start >> shift;
	a->nr_pages = ((start + pool->size - 1) >> shift) - a->pfn + 1;
	a->address = address;
	a->size = pool->size;
	if (slab) {
		a->cache = slab->cache->id;
	} else if (head->state == FRAME_ALLOCATED && !head->owner) {
		a->order = head->order;
		a->nr_pages = 1ULL << head->order;
		head->owner = a->id;
	}
	allocation_place(m, a);
}

/* What @who got of @pool is an allocation called @name. */
static struct allocation *
enter(struct machine *m, const struct mempool *pool,
      const struct slab_request *who, const char *name, uint64_t element)
{
	struct allocation *a = allocation_add(m, name);

	a->context = (uint8_t)who->context;
	a->cpu = (uint16_t)who->cpu;
	a->pool = pool->id;
	a->gfp = who->gfp;
	a->born_ns = m->now_ns;
	a->op = "mempool/mempool_alloc";
	a->free = MEMPOOL_FREE;
	if (pool->kind == MEMPOOL_PAGES)
		place_pages(m, pool, a, element);
	else
		place_object(m, pool, a, element);
	return a;
}

static void
answer_element(struct op *op, const struct mempool *pool,
	       const struct allocation *a, bool reserve)
{
	char name[16];

	if (!op->answer)
		return;
	if (pool->kind == MEMPOOL_PAGES)
		op_answer(op, "%s pfn=%llu order=%u node=%u",
			  allocation_name(a, name), (unsigned long long)a->pfn,
			  a->order,
			  phys_zone_of(op->m->phys, a->pfn)->node->id);
	else
		answer_object(op, a);
	op_answer(op, " from=%s", reserve ? "reserve" : "allocator");
}

static int
no_element(struct op *op, struct mempool *pool, int err, const struct out *why)
{
	object_failed(op, pool->name, err, why);
	if (err == -ENOMEM)
		return op_fail(op, ENOMEM,
			       "mempool %s: the allocator has nothing, the "
			       "reserve is empty, and the caller may not "
			       "sleep: NULL",
			       pool->name);
	if (err == -EAGAIN)
		return op_fail(op, EAGAIN,
			       "mempool %s: the reserve is empty, so the "
			       "caller sleeps until an element is freed, or "
			       "5 s to try again: see its waiters",
			       pool->name);
	return err;
}

int
op_mempool_mempool_alloc(struct op *op, struct args_mempool_mempool_alloc *a)
{
	struct calling c = CALLING(op, a);
	struct machine *m = op->m;
	struct out why = OUT_INIT;
	struct allocation *made;
	struct slab_request who;
	struct mempool *pool;
	uint64_t element, before;
	int err = resolve_pool(op, ARG_MEMPOOL_MEMPOOL_ALLOC_POOL, a->pool,
			       &pool);

	if (!err)
		err = check_cache(op, pool);
	if (!err)
		err = op_check_new_name(op, ARG_MEMPOOL_MEMPOOL_ALLOC_NAME,
					a->name);
	if (!err && a->gfp & __GFP_ZERO)
		err = op_refuse(op, ARG_MEMPOOL_MEMPOOL_ALLOC_GFP, EINVAL,
				"mempool_alloc does not zero: elements of the "
				"reserve would not be");
	if (!err)
		err = check_calling(&c, 1);
	if (err)
		return err;
	begin_calling(&c, &who);
	who.why = op->want_why ? &why : NULL;
	caller_report_sleep(m, a->gfp, a->context);
	before = pool->nr_reserve;
	err = mempool_alloc(pool, &who, &element);
	if (err == -EAGAIN) {
		if (a->context != CONTEXT_PROCESS)
			machine_printk(m, "BUG: scheduling while atomic: "
					  "init/1/0x00000002");
		mempool_sleep(pool, &who, a->name, m->now_ns);
	}
	if (err) {
		no_element(op, pool, err, &why);
	} else {
		made = enter(m, pool, &who, a->name, element);
		if (!a->name)
			a->name = allocation_name(made, op->made_up);
		if (op->want_why)
			made->why = g_strdup(out_text(&why));
		answer_element(op, pool, made, pool->nr_reserve != before);
	}
	out_fini(&why);
	return err;
}

/* --- those who sleep -------------------------------------------------------
 */

/* @w tries again at time @at; it is gone when it has got something. */
static void
try_again(struct machine *m, struct mempool *pool, struct mempool_waiter *w,
	  uint64_t at)
{
	const char *name = w->name;
	uint64_t element;
	int err;

	if (pool->kind == MEMPOOL_SLAB && !mempool_cache(pool)) {
		w->until_ns = UINT64_MAX;
		return;
	}
	caller_stamp(m, w->who.cpu, w->who.context);
	err = mempool_alloc(pool, &w->who, &element);
	if (err == -EAGAIN) {
		w->tries++;
		w->until_ns = at - w->since_ns < TRIES_NS
				      ? at + MEMPOOL_TIMEOUT_NS
				      : UINT64_MAX;
		return;
	}
	if (name && allocation_find(m, name))
		name = NULL;
	if (!err && allocation_last_id(m) < ALLOCATION_ID_MAX)
		enter(m, pool, &w->who, name, element)->born_ns = at;
	mempool_wake(pool, w);
}

/* An element came into the reserve: all that sleep try, the oldest first. */
static void
wake(struct machine *m, struct mempool *pool)
{
	GList *link = pool->waiters.head;

	while (link) {
		struct mempool_waiter *w = link->data;

		link = link->next;
		try_again(m, pool, w, m->now_ns);
	}
}

/* Whose time is up first; NULL: nobody's. */
static struct mempool_waiter *
first_up(const struct machine *m, struct mempool **of)
{
	struct mempool_waiter *first = NULL;

	for (guint i = 0; i < m->mempools->pools->len; i++) {
		struct mempool *pool = m->mempools->pools->pdata[i];

		for (GList *l = pool->waiters.head; l; l = l->next) {
			struct mempool_waiter *w = l->data;

			if (w->until_ns > m->now_ns ||
			    (first && first->until_ns <= w->until_ns))
				continue;
			first = w;
			*of = pool;
		}
	}
	return first;
}

/* In the order of their times, so that time that passes in one step does what
 * it does in many. */
void
mempool_tick(struct machine *m)
{
	struct mempool_waiter *w;
	struct mempool *pool;

	while ((w = first_up(m, &pool)))
		try_again(m, pool, w, w->until_ns);
}

/* --- giving back -----------------------------------------------------------
 */

/* The element that the word names, as the pool's functions know it, and the
 * allocation that it is, if any. */
static int
resolve_element(struct op *op, const struct mempool *pool, const char *word,
		struct allocation **found, uint64_t *element)
{
	const int param = ARG_MEMPOOL_MEMPOOL_FREE_ELEMENT;
	struct machine *m = op->m;
	struct allocation *a;

	if (pool->kind != MEMPOOL_PAGES)
		return resolve_object(op, param, word, found, element);
	a = allocation_find(m, word);
	if (!a)
		return op_refuse(op, param, ENOENT,
				 "there is no allocation called %s", word);
	if (a->kind != ALLOCATION_PAGES || a->exact || a->order != pool->order)
		return op_refuse(op, param, EINVAL,
				 "%s is no block of pages of order %u", word,
				 pool->order);
	*found = a;
	*element = mempool_page(m->phys, a->pfn);
	return 0;
}

/* An address of nothing of ours is at least one of a slab: others are whole
 * pages that belong to somebody. */
static int
check_element(struct op *op, const struct mempool *pool,
	      const struct allocation *found, uint64_t element)
{
	const int param = ARG_MEMPOOL_MEMPOOL_FREE_ELEMENT;
	const struct kmem_cache *cache =
		pool->kind == MEMPOOL_SLAB ? mempool_cache(pool) : NULL;

	if (!element || pool->kind == MEMPOOL_PAGES)
		return 0;
	if (found || slab_of(op->m->slab, element))
		return check_knows_size(op, param, cache, element);
	return op_refuse(op, param, EFAULT, "%#llx lies in no slab",
			 (unsigned long long)element);
}

int
op_mempool_mempool_free(struct op *op, struct args_mempool_mempool_free *a)
{
	struct calling c = CALLING_FREE(op, a);
	struct allocation *found = NULL;
	struct out why = OUT_INIT;
	struct slab_request who;
	struct mempool *pool;
	uint64_t element;
	bool refilled;
	int err =
		resolve_pool(op, ARG_MEMPOOL_MEMPOOL_FREE_POOL, a->pool, &pool);

	if (!err)
		err = check_cache(op, pool);
	if (!err)
		err = resolve_element(op, pool, a->element, &found, &element);
	if (!err)
		err = check_element(op, pool, found, element);
	if (!err)
		err = check_calling(&c, 0);
	if (err)
		return err;
	begin_calling(&c, &who);
	err = mempool_free(pool, element, &who, &refilled);
	if (err)
		return object_failed(op, pool->name, err, &why);
	if (found)
		allocation_remove(op->m, found);
	op_answer(op, "to=%s curr_nr=%u", refilled ? "reserve" : "allocator",
		  pool->curr_nr);
	if (refilled)
		wake(op->m, pool);
	return 0;
}

/* --- resizing, destroying --------------------------------------------------
 */

int
op_mempool_mempool_resize(struct op *op, struct args_mempool_mempool_resize *a)
{
	struct calling c = {.op = op,
			    .gfp = GFP_KERNEL,
			    .cpu = a->cpu,
			    .node = NODE_LOCAL,
			    .caller = a->caller};
	struct out why = OUT_INIT;
	struct slab_request who;
	struct mempool *pool;
	int err = resolve_pool(op, ARG_MEMPOOL_MEMPOOL_RESIZE_POOL, a->pool,
			       &pool);

	if (!err)
		err = check_cache(op, pool);
	if (!err && (!a->min_nr || a->min_nr > MEMPOOL_MIN_NR_MAX))
		err = op_refuse(op, ARG_MEMPOOL_MEMPOOL_RESIZE_MIN_NR, EINVAL,
				"from 1 (BUG_ON) to %d", MEMPOOL_MIN_NR_MAX);
	if (!err)
		err = check_calling(&c, 0);
	if (err)
		return err;
	begin_calling(&c, &who);
	err = mempool_resize(pool, (uint32_t)a->min_nr, &who);
	if (err)
		return object_failed(op, "mempool_resize", err, &why);
	op_answer(op, "min_nr=%u curr_nr=%u", pool->min_nr, pool->curr_nr);
	return 0;
}

/* What is out of the pool is freed as what it is from now on. */
static uint64_t
orphan(struct machine *m, const struct mempool *pool)
{
	uint64_t out = 0;

	for (struct allocation *a = allocation_next(m, 0); a;
	     a = allocation_next(m, a->id)) {
		if (a->pool != pool->id || !a->free ||
		    strcmp(a->free, MEMPOOL_FREE))
			continue;
		out++;
		a->pool = pool->kind == MEMPOOL_SLAB ? pool->cache : 0;
		a->free = pool->kind == MEMPOOL_SLAB ? "slab/kmem_cache_free"
			  : pool->kind == MEMPOOL_KMALLOC ? "slab/kfree"
							  : NULL;
	}
	return out;
}

int
op_mempool_mempool_destroy(struct op *op,
			   struct args_mempool_mempool_destroy *a)
{
	struct calling c = CALLING_FREE(op, a);
	struct machine *m = op->m;
	struct out why = OUT_INIT;
	struct slab_request who;
	struct mempool *pool;
	uint64_t out;
	int err = resolve_pool(op, ARG_MEMPOOL_MEMPOOL_DESTROY_POOL, a->pool,
			       &pool);

	if (!err)
		err = check_calling(&c, 0);
	if (err)
		return err;
	begin_calling(&c, &who);
	out = orphan(m, pool);
	machine_tell_entry(m, ENTRY_MEMPOOL, NULL, pool->name);
	err = mempool_destroy(pool, &who);
	if (err)
		return object_failed(op, "mempool_destroy", err, &why);
	op_answer(op, "out=%llu", (unsigned long long)out);
	return 0;
}
