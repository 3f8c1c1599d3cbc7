// SPDX-License-Identifier: MIT
/*
 * slabs.c - the table of slabs, and the way from an address to its object
 *
 * What it models: struct slab as an overlay of struct page, virt_to_slab,
 *                 obj_to_index (mm/slab.h of 6.1.192).
 * How it works:   a slab has a number; the head frame of its pages carries it
 *                 as owner.  It is its place in a table of slabs, that never
 *                 move.  A number that came free is used again, the last one
 *                 first.
 *
 *     address -> pfn -> slab_of[]: number -> slabs[]
 *
 *                 The first table has all pages of a slab, tails too, and is
 *                 dense: what is looked up at random stays in the host's
 *                 caches, where frames, four times as large, would not.  In the
 *                 second a slab is one line of these caches.  Both are
 *                 addresses, asked of the host as a whole and filled by it as
 *                 they are touched.
 * Always true:    a number in use has its head frame's owner, and the other
 *                 way round; all slabs of a cache are linked from s->all.
 * Differs from the kernel: the list of all slabs of a cache has no
 *                 counterpart there; only the views walk it.
 */
#include "slub_impl.h"

#include "kmemfs/base/check.h"
#include "kmemfs/base/random.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

/* --- numbers ---------------------------------------------------------------
 */

struct slab *
slab_get(const struct slab_common *sc, uint32_t number)
{
	struct slab *slab;

	if (number >= sc->nr_slabs)
		return NULL;
	slab = slab_at(sc, number);
	return slab->cache ? slab : NULL;
}

uint32_t
slab_number(const struct slab_common *sc, const struct slab *slab)
{
	KM_DEBUG(slab_at(sc, slab->number) == slab);
	(void)sc;
	return slab->number;
}

/* Addresses only: what is not touched costs nothing. */
static void *
reserve(uint64_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		g_error("no addresses for the tables of slabs");
	return at;
}

/* More slabs than pages there cannot be. */
static uint64_t
slabs_bytes(const struct slab_common *sc)
{
	uint64_t most = MIN_OF(sc->nr_pfns, OWNER_NUMBER_MAX + 1ULL);

	return most * sizeof(*sc->slabs);
}

static void
tables_reserve(struct slab_common *sc)
{
	sc->nr_pfns = sc->phys->frames_len;
	sc->slab_of = reserve(sc->nr_pfns * sizeof(*sc->slab_of));
	sc->slabs = reserve(slabs_bytes(sc));
}

/* A number that no slab has; false: all are taken. */
static bool
number_take(struct slab_common *sc, uint32_t *number)
{
	GArray *free = sc->free_numbers;

	if (free && free->len) {
		*number = g_array_index(free, uint32_t, free->len - 1);
		g_array_set_size(free, free->len - 1);
		return true;
	}
	if (sc->nr_slabs > OWNER_NUMBER_MAX)
		return false;
	if (unlikely(!sc->nr_pfns))
		tables_reserve(sc);
	*number = sc->nr_slabs++;
	slab_at(sc, *number)->number = *number;
	return true;
}

/* --- pages -----------------------------------------------------------------
 */

static void
pages_enter(struct slab_common *sc, const struct slab *slab)
{
	for (pfn_t i = 0; i < 1ULL << slab->order; i++)
		sc->slab_of[slab->pfn + i] = slab->number + 1;
}

/* Those that are not another's since. */
static void
pages_leave(struct slab_common *sc, const struct slab *slab)
{
	for (pfn_t i = 0; i < 1ULL << slab->order; i++)
		if (sc->slab_of[slab->pfn + i] == slab->number + 1)
			sc->slab_of[slab->pfn + i] = 0;
}

struct slab *
slabs_add(struct kmem_cache *s, pfn_t pfn, unsigned int order)
{
	struct slab_common *sc = s->common;
	struct frame *head = &sc->phys->frames[pfn];
	struct slab *slab;
	uint32_t number;

	if (!number_take(sc, &number))
		return NULL;
	slab = slab_at(sc, number);
	*slab = (struct slab){
		.cache = s,
		.pfn = pfn,
		.order = (uint8_t)order,
		.where = SLAB_FULL,
		.nid = (uint16_t)sc->phys->zones[head->zone]->node->id,
		.all_next = s->all,
		.number = number,
	};
	if (s->all)
		slab_at(sc, s->all - 1)->all_prev = number + 1;
	s->all = number + 1;
	head->owner = frame_owner(OWNER_SLAB, number);
	pages_enter(sc, slab);
	return slab;
}

void
slabs_remove(struct slab_common *sc, struct slab *slab)
{
	if (slab->all_next)
		slab_at(sc, slab->all_next - 1)->all_prev = slab->all_prev;
	if (slab->all_prev)
		slab_at(sc, slab->all_prev - 1)->all_next = slab->all_next;
	else
		slab->cache->all = slab->all_next;
	sc->phys->frames[slab->pfn].owner = 0;
	pages_leave(sc, slab);
	slab->cache = NULL;
	if (!sc->free_numbers)
		sc->free_numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_array_append_val(sc->free_numbers, slab->number);
}

void
slabs_fini(struct slab_common *sc)
{
	if (sc->nr_pfns) {
		munmap(sc->slabs, slabs_bytes(sc));
		munmap(sc->slab_of, sc->nr_pfns * sizeof(*sc->slab_of));
	}
	sc->slabs = NULL;
	sc->nr_slabs = 0;
	sc->nr_pfns = 0;
	if (sc->free_numbers)
		g_array_free(sc->free_numbers, TRUE);
	sc->free_numbers = NULL;
	g_queue_foreach(&sc->rcu, (GFunc)(void (*)(void))g_free, NULL);
	g_queue_clear(&sc->rcu);
}

struct slab *
slab_next(const struct kmem_cache *s, const struct slab *after)
{
	uint32_t next = after ? after->all_next : s->all;

	return next ? slab_at(s->common, next - 1) : NULL;
}

/* --- addresses -------------------------------------------------------------
 */

struct slab *
slab_of(const struct slab_common *sc, va_t object)
{
	pfn_t pfn = slab_pa(sc, object) >> sc->page_shift;
	uint32_t number;

	if (object < sc->page_offset || pfn >= sc->nr_pfns)
		return NULL;
	/* Who asks wants the object next, and the ways to both are long. */
	ram_prefetch(sc->ram, slab_pa(sc, object));
	number = sc->slab_of[pfn];
	return number ? slab_at(sc, number - 1) : NULL;
}

uint32_t
slab_object_index(const struct slab *slab, va_t address)
{
	const struct kmem_cache *s = slab->cache;
	va_t start = s->ops->first(slab) - s->red_left_pad;
	uint64_t index;

	if (address < start)
		return UINT32_MAX;
	index = (address - start) / s->size;
	return index < slab->objects ? (uint32_t)index : UINT32_MAX;
}

va_t
slab_object(const struct slab *slab, uint32_t index)
{
	const struct kmem_cache *s = slab->cache;

	return s->ops->first(slab) + (uint64_t)index * s->size;
}

void
slab_states(const struct slab *slab, uint8_t *state)
{
	slab->cache->ops->states(slab, state);
}

bool
slab_mapped(const struct slab_common *sc, va_t at, size_t len, pa_t *pa)
{
	const struct phys *phys = sc->phys;
	pfn_t last;

	*pa = slab_pa(sc, at);
	if (at < phys->arch->page_offset || *pa + len < *pa)
		return false;
	last = (*pa + len - 1) >> phys->page_shift;
	return last < phys->max_low_pfn &&
	       phys_present(phys, *pa >> phys->page_shift) &&
	       phys_present(phys, last);
}

/* --- odds ------------------------------------------------------------------
 */

uint64_t
slab_random(struct slab_common *sc)
{
	return random_next(&sc->random);
}

void
slab_printk(const struct slab_common *sc, const char *format, ...)
{
	char line[512];
	va_list ap;

	if (!sc->phys->printk)
		return;
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	sc->phys->printk(sc->phys->printk_user, line);
}
