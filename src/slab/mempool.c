// SPDX-License-Identifier: MIT
/*
 * mempool.c - pools that keep some elements back
 *
 * What it models: mempool_init, mempool_exit, mempool_alloc, mempool_free,
 *                 mempool_resize and the three pairs of functions that come
 *                 with them, mm/mempool.c of 6.1.192.
 * How it works:   the reserve is a stack.  A request goes to the allocator
 *                 first, told not to reclaim and not to touch the emergency
 *                 reserves; then to the stack; then to the allocator with all
 *                 that the caller allows; then it sleeps, or fails.
 *
 *                     allocator, no reclaim -> reserve -> allocator -> sleep
 *
 *                 Nobody sleeps in here: the caller is told (-EAGAIN), and puts
 *                 itself on the pool's list of sleepers.
 * Always true:    0 <= curr_nr <= min_nr.
 * Where it lies:  mempool_t and the array of pointers in modelled RAM, objects
 *                 of kmalloc; the counters are on the host too, and those in
 *                 RAM are never read back.  The pointers are.
 * Differs from the kernel: functions and pool_data stand as 0 in mempool_t.
 */
#include "mempool_impl.h"

#include "kmemfs/slab/kmalloc.h"
#include "slub_impl.h"

#include <errno.h>

const char *const mempool_kind_names[NR_MEMPOOL_KINDS] = {"slab", "kmalloc",
							  "page"};
const char *const mempool_alloc_fns[NR_MEMPOOL_KINDS] = {
	"mempool_alloc_slab", "mempool_kmalloc", "mempool_alloc_pages"};
const char *const mempool_free_fns[NR_MEMPOOL_KINDS] = {
	"mempool_free_slab", "mempool_kfree", "mempool_free_pages"};

/* mempool_t: lock, min_nr, curr_nr, elements, pool_data, alloc, free, wait. */
#define POOL_BYTES(word) ((word) == 8 ? 72U : 40U)
#define POOL_MIN_NR 4
#define POOL_CURR_NR 8
#define POOL_ELEMENTS(word) ((word) == 8 ? 16U : 12U)

/* --- a machine's pools -----------------------------------------------------
 */

struct mempools *
mempools_new(struct slab_common *sc)
{
	struct mempools *t = g_new0(struct mempools, 1);

	t->sc = sc;
	t->pools = g_ptr_array_new();
	return t;
}

static void
waiter_free(gpointer waiter)
{
	struct mempool_waiter *w = waiter;

	g_free(w->name);
	g_free(w);
}

static void
pool_free(struct mempool *pool)
{
	pool->all->waiting -= pool->waiters.length;
	g_queue_clear_full(&pool->waiters, waiter_free);
	g_free(pool->name);
	g_free(pool);
}

void
mempools_free(struct mempools *t)
{
	if (!t)
		return;
	for (guint i = 0; i < t->pools->len; i++)
		pool_free(t->pools->pdata[i]);
	g_ptr_array_free(t->pools, TRUE);
	g_free(t);
}

struct mempool *
mempool_find(const struct mempools *t, const char *name)
{
	for (guint i = 0; i < t->pools->len; i++) {
		struct mempool *pool = t->pools->pdata[i];

		if (!strcmp(pool->name, name))
			return pool;
	}
	return NULL;
}

struct mempool *
mempool_next(const struct mempools *t, uint32_t after)
{
	for (guint i = 0; i < t->pools->len; i++) {
		struct mempool *pool = t->pools->pdata[i];

		if (pool->id > after)
			return pool;
	}
	return NULL;
}

struct mempool *
mempool_get(const struct mempools *t, uint32_t id)
{
	struct mempool *pool = id ? mempool_next(t, id - 1) : NULL;

	return pool && pool->id == id ? pool : NULL;
}

struct kmem_cache *
mempool_cache(const struct mempool *pool)
{
	return pool->kind == MEMPOOL_SLAB
		       ? kmem_cache_get(pool->all->sc, pool->cache)
		       : NULL;
}

/* --- pages -----------------------------------------------------------------
 */

uint64_t
mempool_page(const struct phys *phys, pfn_t pfn)
{
	return phys->arch->vmemmap + pfn * phys->arch->struct_page_size;
}

pfn_t
mempool_pfn(const struct phys *phys, uint64_t page)
{
	uint64_t at = page - phys->arch->vmemmap;

	if (page < phys->arch->vmemmap || at % phys->arch->struct_page_size ||
	    at / phys->arch->struct_page_size >= phys->max_pfn)
		return PFN_NONE;
	return at / phys->arch->struct_page_size;
}

/* --- the allocator behind it ------------------------------------------------
 */

static int
pages_take(const struct mempool *pool, const struct slab_request *r,
	   uint64_t *element)
{
	struct phys *phys = pool->all->sc->phys;
	const struct page_request request = {
		.why = r->why,
		.gfp = r->gfp,
		.order = pool->order,
		.nid = r->nid,
		.cpu = r->cpu,
		.context = r->context,
	};
	pfn_t pfn;
	int err = pages_alloc_warn(phys, &request, &pfn);

	if (!err)
		*element = mempool_page(phys, pfn);
	return err;
}

/* pool->alloc(gfp, pool->pool_data) */
static int
element_alloc(const struct mempool *pool, const struct slab_request *r,
	      gfp_t gfp, uint64_t *element)
{
	struct slab_common *sc = pool->all->sc;
	struct slab_request own = *r;
	struct kmem_cache *s;

	own.gfp = gfp;
	switch (pool->kind) {
	case MEMPOOL_SLAB:
		s = mempool_cache(pool);
		return s ? kmem_cache_alloc(s, &own, element) : -EFAULT;
	case MEMPOOL_KMALLOC:
		return kmalloc(sc, pool->size, &own, element);
	default:
		return pages_take(pool, &own, element);
	}
}

/* pool->free(element, pool->pool_data) */
static int
element_free(const struct mempool *pool, uint64_t element,
	     const struct slab_request *who)
{
	struct slab_common *sc = pool->all->sc;
	struct kmem_cache *s;
	pfn_t pfn;

	switch (pool->kind) {
	case MEMPOOL_SLAB:
		s = mempool_cache(pool);
		return s ? kmem_cache_free(s, element, who) : -EFAULT;
	case MEMPOOL_KMALLOC:
		return kfree(sc, element, who);
	default:
		pfn = mempool_pfn(sc->phys, element);
		if (pfn == PFN_NONE)
			return slub_oops(sc, element, false, "__free_pages");
		pages_put(sc->phys, pfn, pool->order, who->cpu);
		return 0;
	}
}

/* --- the reserve -----------------------------------------------------------
 */

/* Frames of an element of its own are the pool's while it lies in the reserve,
 * nobody's when not. */
static void
element_own(const struct mempool *pool, uint64_t element, bool own)
{
	const struct slab_common *sc = pool->all->sc;
	const struct phys *phys = sc->phys;
	pfn_t pfn = pool->kind == MEMPOOL_PAGES
			    ? mempool_pfn(phys, element)
			    : slab_pa(sc, element) >> phys->page_shift;
	uint32_t self = frame_owner(OWNER_MEMPOOL, pool->id & OWNER_NUMBER_MAX);
	pa_t pa;

	if (pool->kind != MEMPOOL_PAGES &&
	    (element <= ZERO_SIZE_PTR || slab_of(sc, element)))
		return;
	if (pfn >= phys->max_pfn || phys->frames[pfn].state != FRAME_ALLOCATED)
		return;
	if (own || mempool_element_place(pool, element, &pa))
		phys->frames[pfn].owner = own ? self : 0;
}

static pa_t
slot(const struct mempool *pool, uint32_t i)
{
	const struct slab_common *sc = pool->all->sc;

	return slab_pa(sc, pool->elements) + (uint64_t)i * sc->word;
}

uint64_t
mempool_element(const struct mempool *pool, uint32_t i)
{
	const struct slab_common *sc = pool->all->sc;

	return ram_load(sc->ram, slot(pool, i), sc->word);
}

/* The numbers of mempool_t. */
static void
pool_store(const struct mempool *pool)
{
	const struct slab_common *sc = pool->all->sc;
	pa_t at = slab_pa(sc, pool->descriptor);

	ram_store(sc->ram, at + POOL_MIN_NR, 4, pool->min_nr);
	ram_store(sc->ram, at + POOL_CURR_NR, 4, pool->curr_nr);
	ram_store(sc->ram, at + POOL_ELEMENTS(sc->word), sc->word,
		  pool->elements);
}

static int
reserve_add(struct mempool *pool, uint64_t element)
{
	const struct slab_common *sc = pool->all->sc;
	int err = mempool_poison(pool, element);

	if (err)
		return err;
	element_own(pool, element, true);
	ram_store(sc->ram, slot(pool, pool->curr_nr++), sc->word, element);
	pool_store(pool);
	return 0;
}

/* The newest of the reserve.  A pointer that leads nowhere makes the kernel
 * crash when it is followed: -EFAULT. */
static int
reserve_take(struct mempool *pool, uint64_t *element)
{
	struct slab_common *sc = pool->all->sc;
	pa_t pa;

	*element = mempool_element(pool, --pool->curr_nr);
	pool_store(pool);
	if (pool->size && !mempool_element_place(pool, *element, &pa))
		return slub_oops(sc, *element, false, "mempool_alloc");
	mempool_check(pool, *element);
	element_own(pool, *element, false);
	return 0;
}

/* What lies in RAM may be anything: only a block that is nobody's is taken. */
static void
reserve_adopt(const struct mempool *pool)
{
	const struct slab_common *sc = pool->all->sc;
	const struct phys *phys = sc->phys;

	for (uint32_t i = 0; i < pool->curr_nr; i++) {
		uint64_t element = mempool_element(pool, i);
		pa_t pa;

		if (slab_mapped(sc, element, 1, &pa) &&
		    !(pa & (page_size(phys) - 1)) &&
		    !phys->frames[pa >> phys->page_shift].owner)
			element_own(pool, element, true);
	}
}

void
mempools_cache_gone(struct mempools *t, uint32_t cache)
{
	for (guint i = 0; i < t->pools->len; i++) {
		const struct mempool *pool = t->pools->pdata[i];

		if (pool->kind == MEMPOOL_SLAB && pool->cache == cache)
			reserve_adopt(pool);
	}
}

static int
array_alloc(const struct mempool *pool, uint32_t nr,
	    const struct slab_request *who, va_t *array)
{
	struct slab_common *sc = pool->all->sc;
	uint64_t bytes = (uint64_t)nr * sc->word;
	int err = kmalloc(sc, bytes, who, array);

	if (err == -EINVAL)
		return -ENOMEM;
	if (!err && bytes &&
	    ram_may_write(sc->ram, slab_pa(sc, *array), bytes)) {
		kfree(sc, *array, who);
		*array = 0;
		return -ENOSPC;
	}
	if (!err && bytes)
		ram_zero(sc->ram, slab_pa(sc, *array), bytes);
	return err;
}

/* mempool_exit, and the pool itself. */
static int
pool_give_up(struct mempool *pool, const struct slab_request *who)
{
	struct slab_common *sc = pool->all->sc;
	uint64_t element;
	int err = 0, bad;

	while (pool->curr_nr) {
		bad = reserve_take(pool, &element);
		if (!bad)
			bad = element_free(pool, element, who);
		err = err ? err : bad;
	}
	if (pool->elements)
		kfree(sc, pool->elements, who);
	kfree(sc, pool->descriptor, who);
	pool_free(pool);
	return err;
}

static int
pool_fill(struct mempool *pool, const struct slab_request *who)
{
	uint64_t element;
	int err = 0;

	while (!err && pool->curr_nr < pool->min_nr) {
		err = element_alloc(pool, who, GFP_KERNEL, &element);
		if (err)
			break;
		err = reserve_add(pool, element);
		if (err)
			element_free(pool, element, who);
	}
	return err;
}

int
mempool_create(struct mempools *t, const struct mempool_args *args,
	       const struct slab_request *who, struct mempool **made)
{
	struct slab_common *sc = t->sc;
	struct mempool *pool = g_new0(struct mempool, 1);
	struct slab_request zeroed = *who;
	int err;

	pool->all = t;
	pool->name = g_strdup(args->name);
	pool->kind = args->kind;
	pool->order = args->order;
	pool->min_nr = args->min_nr;
	pool->size = args->size;
	g_queue_init(&pool->waiters);
	if (args->kind == MEMPOOL_SLAB) {
		pool->cache = args->cache->id;
		pool->size = args->cache->object_size;
	} else if (args->kind == MEMPOOL_PAGES) {
		pool->size = page_size(sc->phys) << args->order;
	}
	zeroed.gfp |= __GFP_ZERO;
	err = kmalloc(sc, POOL_BYTES(sc->word), &zeroed, &pool->descriptor);
	if (err) {
		pool_free(pool);
		return err;
	}
	pool->id = t->last_id + 1;
	err = array_alloc(pool, pool->min_nr, who, &pool->elements);
	if (!err)
		err = pool_fill(pool, who);
	if (err) {
		pool_give_up(pool, who);
		return err;
	}
	pool_store(pool);
	t->last_id = pool->id;
	g_ptr_array_add(t->pools, pool);
	*made = pool;
	return 0;
}

int
mempool_destroy(struct mempool *pool, const struct slab_request *who)
{
	g_ptr_array_remove(pool->all->pools, pool);
	return pool_give_up(pool, who);
}

/* --- giving and taking ------------------------------------------------------
 */

static void
tell(const struct slab_request *r, const char *what)
{
	if (r->why)
		out_printf(r->why, "mempool_alloc: %s\n", what);
}

int
mempool_alloc(struct mempool *pool, const struct slab_request *r,
	      uint64_t *element)
{
	gfp_t full = r->gfp | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
	gfp_t gfp = full & ~(gfp_t)(__GFP_DIRECT_RECLAIM | __GFP_IO);
	int err;

	for (;;) {
		tell(r, gfp == full ? "the allocator, as the caller allows"
				    : "the allocator, without reclaim");
		err = element_alloc(pool, r, gfp, element);
		if (err != -ENOMEM) {
			pool->nr_alloc += !err;
			return err;
		}
		if (pool->curr_nr) {
			tell(r, "the reserve");
			err = reserve_take(pool, element);
			pool->nr_reserve += !err;
			return err;
		}
		tell(r, "the reserve is empty");
		if (gfp == full)
			break;
		gfp = full;
	}
	if (full & __GFP_DIRECT_RECLAIM) {
		tell(r, "sleeps until an element is freed");
		return -EAGAIN;
	}
	tell(r, "it may not sleep: NULL");
	pool->nr_failed++;
	return -ENOMEM;
}

void
mempool_sleep(struct mempool *pool, const struct slab_request *r,
	      const char *name, uint64_t now_ns)
{
	struct mempool_waiter *w = g_new0(struct mempool_waiter, 1);

	w->who = *r;
	w->who.why = NULL;
	w->name = g_strdup(name);
	w->since_ns = now_ns;
	w->until_ns = now_ns + MEMPOOL_TIMEOUT_NS;
	g_queue_push_tail(&pool->waiters, w);
	pool->nr_slept++;
	pool->all->waiting++;
}

void
mempool_wake(struct mempool *pool, struct mempool_waiter *w)
{
	g_queue_remove(&pool->waiters, w);
	pool->all->waiting--;
	waiter_free(w);
}

int
mempool_free(struct mempool *pool, uint64_t element,
	     const struct slab_request *who, bool *refilled)
{
	int err;

	*refilled = false;
	if (!element)
		return 0;
	if (pool->curr_nr < pool->min_nr) {
		err = reserve_add(pool, element);
		*refilled = !err;
		pool->nr_refilled += !err;
		return err;
	}
	err = element_free(pool, element, who);
	pool->nr_freed += !err;
	return err;
}

static int
pool_shrink(struct mempool *pool, uint32_t min_nr,
	    const struct slab_request *who)
{
	uint64_t element;
	int err = 0;

	while (!err && pool->curr_nr > min_nr) {
		err = reserve_take(pool, &element);
		if (!err)
			err = element_free(pool, element, who);
	}
	if (pool->curr_nr <= min_nr)
		pool->min_nr = min_nr;
	pool_store(pool);
	return err;
}

int
mempool_resize(struct mempool *pool, uint32_t min_nr,
	       const struct slab_request *who)
{
	struct slab_common *sc = pool->all->sc;
	va_t array;
	int err;

	if (min_nr <= pool->min_nr)
		return pool_shrink(pool, min_nr, who);
	err = array_alloc(pool, min_nr, who, &array);
	if (err)
		return err;
	for (uint32_t i = 0; i < pool->curr_nr; i++)
		ram_store(sc->ram, slab_pa(sc, array) + (uint64_t)i * sc->word,
			  sc->word, mempool_element(pool, i));
	err = kfree(sc, pool->elements, who);
	pool->elements = array;
	pool->min_nr = min_nr;
	pool_store(pool);
	if (!err)
		err = pool_fill(pool, who);
	return err == -ENOMEM ? 0 : err;
}
