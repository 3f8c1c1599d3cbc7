// SPDX-License-Identifier: MIT
/*
 * slob_verify.c - what can be seen of SLOB's pages, and their laws
 *
 * How it works: pages belong to no cache, so they are looked at once for all;
 * a unit is what an object is elsewhere.
 */
#include "slab_verify_impl.h"
#include "slob_impl.h"

#include <inttypes.h>

void
slob_states(const struct slab *slab, uint8_t *state)
{
	bool broken;

	memset(state, OBJECT_USED, slab->objects);
	if (slab->where == SLAB_NODE_PARTIAL)
		slob_walk(slab, state, &broken);
}

unsigned int
slob_free_list(const struct slab *slab, uint16_t *index, bool *broken)
{
	uint8_t *state = g_malloc(slab->objects);
	unsigned int nr = 0;

	memset(state, OBJECT_USED, slab->objects);
	*broken = false;
	if (slab->where == SLAB_NODE_PARTIAL)
		slob_walk(slab, state, broken);
	/* Beginnings of blocks: neighbours would have merged. */
	for (uint32_t i = 0; i < slab->objects; i++)
		if (state[i] == OBJECT_FREE &&
		    (!i || state[i - 1] != OBJECT_FREE))
			index[nr++] = (uint16_t)i;
	g_free(state);
	return nr;
}

static void
audit_page(struct slab_audit *a, const struct slab *page)
{
	uint8_t *state = g_malloc0(page->objects);
	unsigned int free = 0;
	bool broken = false;

	if (page->linked)
		free = slob_walk(page, state, &broken);
	if (broken)
		slab_finding(a, SLAB_LAW_FREELIST, page,
			     "its free list leads astray after %u units", free);
	else if (free != (unsigned int)page->objects - page->inuse)
		slab_finding(a, SLAB_LAW_OBJECTS, page,
			     "%d of %u units are free by its counter, %u by "
			     "its list",
			     page->objects - page->inuse, page->objects, free);
	if (page->linked != (page->inuse < page->objects) ||
	    page->linked != (page->where == SLAB_NODE_PARTIAL))
		slab_finding(a, SLAB_LAW_LISTS, page,
			     "has %d free units and is on %s",
			     page->objects - page->inuse,
			     page->linked ? "a list" : "no list");
	g_free(state);
}

unsigned int
slob_verify_pool(struct slab_common *sc, finding_fn found, void *user)
{
	struct slab_audit a = SLAB_AUDIT(found, user, NULL);
	uint64_t partial = 0, listed = 0;

	if (!sc->slob)
		return 0;
	a.cache = &sc->slob->pool;
	for (const struct slab *page = slab_next(a.cache, NULL); page;
	     page = slab_next(a.cache, page)) {
		audit_page(&a, page);
		partial += page->linked;
	}
	for (unsigned int i = 0; i < NR_SLOB_LISTS; i++) {
		const struct slab_list *list = &sc->slob->list[i];
		const struct slab *page = slab_list_first(sc, list);
		uint32_t nr = 0;

		for (; page && nr <= sc->nr_slabs;
		     page = slab_list_next(sc, page)) {
			nr++;
			if (page->colour != i || page->cache != a.cache)
				slab_finding(&a, SLAB_LAW_LISTS, page,
					     "is on list %u and not of it", i);
		}
		if (nr != list->nr)
			slab_finding(&a, SLAB_LAW_COUNTS, NULL,
				     "list %u of %u pages is counted as %u", i,
				     nr, list->nr);
		listed += nr;
	}
	if (listed != partial)
		slab_finding(&a, SLAB_LAW_COUNTS, NULL,
			     "%" PRIu64 " pages are on lists, %" PRIu64
			     " say so",
			     listed, partial);
	return a.audit.nr;
}

void
slob_digest_pool(const struct slab_common *sc, const struct number_stream *to)
{
	for (unsigned int i = 0; sc->slob && i < NR_SLOB_LISTS; i++) {
		const struct slab_list *list = &sc->slob->list[i];

		stream_put(to, (uint64_t)list->head << 32 | list->tail);
		stream_put(to, list->nr);
	}
}
