// SPDX-License-Identifier: MIT
/*
 * mempool_check.c - elements of a reserve: poisoned, checked; laws of pools
 *
 * What it models: poison_element, check_element, poison_error of mm/mempool.c
 *                 of 6.1.192, which a kernel built with CONFIG_SLUB_DEBUG_ON
 *                 has.
 * How it works:   an element of the reserve is full of 0x6b with a last byte
 *                 0xa5, and of 0x5a when it leaves.
 * Differs from the kernel: whether this is done is decided by slub_debug= with
 *                 P for all caches, not when the kernel is built.
 */
#include "mempool_impl.h"

#include "kmemfs/phys/frame_walk.h"
#include "kmemfs/slab/kmalloc.h"
#include "slub_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define PIECE 4096

static bool
poisons(const struct mempool *pool)
{
	return pool->all->sc->slub_debug & SLAB_POISON;
}

/* The allocated block at @pfn is the pool's. */
static bool
block_of_pool(const struct mempool *pool, pfn_t pfn)
{
	const struct frame *f = &pool->all->sc->phys->frames[pfn];
	uint32_t number;

	return f->state == FRAME_ALLOCATED &&
	       frame_owned_by(f->owner, OWNER_MEMPOOL, &number) &&
	       number == (pool->id & OWNER_NUMBER_MAX);
}

bool
mempool_element_place(const struct mempool *pool, uint64_t element, pa_t *pa)
{
	const struct slab_common *sc = pool->all->sc;
	const struct phys *phys = sc->phys;
	pfn_t pfn;

	if (pool->kind != MEMPOOL_PAGES)
		return slab_mapped(sc, element, 1, pa) &&
		       (slab_of(sc, element) ||
			block_of_pool(pool, *pa >> phys->page_shift));
	pfn = mempool_pfn(phys, element);
	*pa = pfn << phys->page_shift;
	return pfn != PFN_NONE && block_of_pool(pool, pfn) &&
	       phys->frames[pfn].order == pool->order;
}

/* Where it lies and how much of it is filled; false: none of it. */
static bool
poisoned_bytes(const struct mempool *pool, uint64_t element, pa_t *pa,
	       uint64_t *bytes)
{
	const struct slab_common *sc = pool->all->sc;

	if (pool->kind == MEMPOOL_PAGES) {
		pfn_t pfn = mempool_pfn(sc->phys, element);

		*pa = pfn << sc->phys->page_shift;
		*bytes = pool->size;
		return pfn != PFN_NONE;
	}
	if (element <= ZERO_SIZE_PTR || !slab_mapped(sc, element, 1, pa))
		return false;
	*bytes = sc->config.orig_size ? pool->size : ksize(sc, element);
	return *bytes;
}

static int
fill(const struct slab_common *sc, pa_t at, uint64_t bytes, uint8_t with,
     uint8_t last)
{
	uint8_t piece[PIECE];

	if (ram_may_write(sc->ram, at, bytes))
		return -ENOSPC;
	memset(piece, with, sizeof(piece));
	for (uint64_t done = 0; done < bytes; done += sizeof(piece))
		ram_write(sc->ram, at + done, piece,
			  MIN_OF(sizeof(piece), bytes - done));
	return ram_write(sc->ram, at + bytes - 1, &last, 1);
}

int
mempool_poison(const struct mempool *pool, uint64_t element)
{
	uint64_t bytes;
	pa_t pa;

	if (!poisons(pool) || !poisoned_bytes(pool, element, &pa, &bytes))
		return 0;
	return fill(pool->all->sc, pa, bytes, POISON_FREE, POISON_END);
}

/* What is wrong at @byte, as the kernel prints it. */
static void
complain(const struct mempool *pool, uint64_t element, pa_t pa, uint64_t bytes,
	 uint64_t byte)
{
	const struct slab_common *sc = pool->all->sc;
	uint64_t start = byte > sc->word ? byte - sc->word : 0;
	uint64_t end = MIN_OF(byte + sc->word, bytes);
	struct out text = OUT_INIT;

	slab_printk(sc, "BUG: mempool element poison mismatch");
	slab_printk(sc, "Mempool %016llx size %llu",
		    (unsigned long long)pool->descriptor,
		    (unsigned long long)bytes);
	out_printf(&text, " nr=%u @ %016llx: %s0x", pool->curr_nr,
		   (unsigned long long)element, start ? "... " : "");
	for (uint64_t i = start; i < end; i++)
		out_printf(&text, "%x ",
			   (unsigned int)ram_load(sc->ram, pa + i, 4) & 0xff);
	out_str(&text, end < bytes ? "..." : "");
	slab_printk(sc, "%s", out_text(&text));
	out_fini(&text);
}

void
mempool_check(const struct mempool *pool, uint64_t element)
{
	const struct slab_common *sc = pool->all->sc;
	uint8_t piece[PIECE];
	uint64_t bytes;
	pa_t pa;

	if (!poisons(pool) || !poisoned_bytes(pool, element, &pa, &bytes))
		return;
	for (uint64_t at = 0; at < bytes; at++) {
		uint8_t want = at + 1 < bytes ? POISON_FREE : POISON_END;

		if (at % PIECE == 0)
			ram_read(sc->ram, pa + at, piece,
				 MIN_OF(sizeof(piece), bytes - at));
		if (piece[at % PIECE] == want)
			continue;
		complain(pool, element, pa, bytes, at);
		return;
	}
	fill(sc, pa, bytes, POISON_INUSE, POISON_INUSE);
}

/* --- laws -------------------------------------------------------------------
 */

enum { LAW_COUNT, LAW_ELEMENTS, LAW_FRAMES };

const struct law mempool_laws[] = {
	{"mempool.count",	  "0 <= curr_nr <= min_nr, and mempool_t in RAM says "
			  "the same"				      },
	{"mempool.elements", "what lies in a reserve is allocated, lies there "
			     "once, and is no live allocation of an op"},
	{"mempool.frames",   "each frame that names a pool lies in its reserve"		     },
	{NULL,	       NULL								  },
};

/* Whether the object at @address is in use as far as its slab knows. */
static bool
object_in_use(const struct slab_common *sc, va_t address)
{
	const struct slab *slab = slab_of(sc, address);
	uint32_t index = slab ? slab_object_index(slab, address) : 0;
	uint8_t *state;
	bool used;

	if (!slab || index == UINT32_MAX || slab_object(slab, index) != address)
		return false;
	state = g_malloc(slab->objects);
	slab_states(slab, state);
	used = state[index] == OBJECT_USED;
	g_free(state);
	return used;
}

static void
audit_element(struct audit *a, const struct mempool *pool, uint64_t element)
{
	const struct slab_common *sc = pool->all->sc;
	pa_t pa = 0;
	bool good = mempool_element_place(pool, element, &pa);
	uint32_t number;

	if (pool->kind != MEMPOOL_PAGES && good) {
		const struct frame *f =
			&sc->phys->frames[pa >> sc->phys->page_shift];

		good = object_in_use(sc, element) ||
		       (f->state == FRAME_ALLOCATED &&
			frame_owned_by(f->owner, OWNER_MEMPOOL, &number));
	}
	if (pool->size && !good)
		audit_tell(a, LAW_ELEMENTS, "%s: %#llx is not allocated",
			   pool->name, (unsigned long long)element);
}

static void
audit_pool(struct audit *a, const struct mempool *pool, GHashTable *seen)
{
	const struct slab_common *sc = pool->all->sc;
	pa_t at = slab_pa(sc, pool->descriptor);

	if (pool->curr_nr > pool->min_nr ||
	    ram_load(sc->ram, at + 4, 4) != pool->min_nr ||
	    ram_load(sc->ram, at + 8, 4) != pool->curr_nr)
		audit_tell(a, LAW_COUNT, "%s: curr_nr %u, min_nr %u",
			   pool->name, pool->curr_nr, pool->min_nr);
	for (uint32_t i = 0; i < pool->curr_nr; i++) {
		uint64_t element = mempool_element(pool, i);

		audit_element(a, pool, element);
		if (pool->size &&
		    !g_hash_table_add(seen, GSIZE_TO_POINTER(element)))
			audit_tell(a, LAW_ELEMENTS,
				   "%s: %#llx lies there twice", pool->name,
				   (unsigned long long)element);
	}
}

/* Blocks of the pool that are not among its elements. */
static void
audit_frames(struct audit *a, const struct mempools *t, GHashTable *seen)
{
	const struct slab_common *sc = t->sc;
	const struct phys *phys = sc->phys;

	for (pfn_t pfn = frame_next_allocated(phys, 0); pfn != PFN_NONE;
	     pfn = frame_next_allocated(phys, pfn + 1)) {
		uint64_t page = mempool_page(phys, pfn);
		va_t at = phys->arch->page_offset + (pfn << phys->page_shift);
		uint32_t number;

		if (frame_owned_by(phys->frames[pfn].owner, OWNER_MEMPOOL,
				   &number) &&
		    !g_hash_table_contains(seen, GSIZE_TO_POINTER(page)) &&
		    !g_hash_table_contains(seen, GSIZE_TO_POINTER(at)))
			audit_tell(a, LAW_FRAMES, "pfn %llu names pool %u",
				   (unsigned long long)pfn, number);
	}
}

unsigned int
mempool_verify(const struct mempools *t, finding_fn found, void *user)
{
	struct audit a = {.laws = mempool_laws, .found = found, .user = user};
	GHashTable *seen = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < t->pools->len; i++)
		audit_pool(&a, t->pools->pdata[i], seen);
	if (t->last_id)
		audit_frames(&a, t, seen);
	g_hash_table_destroy(seen);
	return a.nr;
}

void
mempool_digest(const struct mempools *t, const struct number_stream *to)
{
	stream_put(to, t->last_id);
	stream_put(to, t->pools->len);
	for (guint i = 0; i < t->pools->len; i++) {
		const struct mempool *pool = t->pools->pdata[i];
		const uint64_t values[] = {
			pool->kind,	      pool->cache,
			pool->size,	      pool->order,
			pool->min_nr,	      pool->curr_nr,
			pool->descriptor,     pool->elements,
			pool->nr_alloc,	      pool->nr_reserve,
			pool->nr_failed,      pool->nr_slept,
			pool->nr_refilled,    pool->nr_freed,
			pool->waiters.length,
		};

		stream_put(to, pool->id);
		stream_put_text(to, pool->name);
		for (size_t n = 0; n < ARRAY_SIZE(values); n++)
			stream_put(to, values[n]);
		for (GList *l = pool->waiters.head; l; l = l->next) {
			const struct mempool_waiter *w = l->data;

			stream_put_text(to, w->name);
			stream_put(to, w->who.gfp);
			stream_put(to, (uint64_t)w->who.cpu << 32 |
					       (uint32_t)w->who.nid);
			stream_put(to, (uint64_t)w->who.context << 32 |
					       (uint32_t)w->who.pid);
			stream_put(to, w->who.caller);
			stream_put(to, w->since_ns);
			stream_put(to, w->until_ns);
			stream_put(to, w->tries);
		}
	}
}
