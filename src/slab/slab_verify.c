// SPDX-License-Identifier: MIT
/*
 * slab_verify.c - the laws of slabs, checked by walking everything
 *
 * How it works: each cache's allocator checks its own lists and counters; then
 * all slabs are looked at from the other side, from frames and totals.  All
 * walks are bounded: what lies in modelled RAM may be anything.
 */
#include "slab_verify_impl.h"
#include "slob_impl.h"
#include "slub_impl.h"

#include "kmemfs/phys/frame_walk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define LAW(id, name, sentence) {name, sentence},
const struct law slab_laws[] = {
#include "slab_laws.def"
	{NULL, NULL}
};
#undef LAW

void
slab_finding(struct slab_audit *a, enum slab_law law, const struct slab *slab,
	     const char *format, ...)
{
	char about[120] = "";
	int len = 0;
	va_list ap;

	if (a->cache)
		len = snprintf(about, sizeof(about),
			       "cache %.60s: ", a->cache->name);
	if (slab)
		snprintf(about + len, sizeof(about) - (size_t)len,
			 "slab %u: ", slab->number);
	va_start(ap, format);
	audit_vtell(&a->audit, law, about, format, ap);
	va_end(ap);
}

/* --- pages -----------------------------------------------------------------
 */

/* Its pages are entered as its own. */
static void
audit_table(struct slab_audit *a, const struct slab_common *sc,
	    const struct slab *slab)
{
	for (pfn_t i = 0; i < 1ULL << slab->order; i++)
		if (sc->slab_of[slab->pfn + i] != slab->number + 1)
			slab_finding(a, SLAB_LAW_PAGES, slab,
				     "page %" PRIu64 " does not lead to it",
				     slab->pfn + i);
}

/* @pfn is allocated, but not for a slab. */
static void
audit_no_slabs(struct slab_audit *a, const struct slab_common *sc, pfn_t pfn)
{
	if (pfn < sc->nr_pfns && sc->slab_of[pfn])
		slab_finding(a, SLAB_LAW_PAGES, NULL,
			     "page %" PRIu64
			     " leads to slab %u, but is not its page",
			     pfn, sc->slab_of[pfn] - 1);
}

static void
audit_pages(struct slab_audit *a, const struct slab_common *sc,
	    uint64_t pages[2])
{
	uint64_t slabs = 0, heads = 0;

	for (uint32_t i = 0; i < sc->nr_slabs; i++) {
		const struct slab *slab = slab_get(sc, i);
		const struct frame *f;
		uint32_t number;

		if (!slab)
			continue;
		slabs++;
		pages[!!(slab->cache->flags & SLAB_RECLAIM_ACCOUNT)] +=
			1ULL << slab->order;
		f = &sc->phys->frames[slab->pfn];
		if (f->state != FRAME_ALLOCATED || f->order != slab->order ||
		    !frame_owned_by(f->owner, OWNER_SLAB, &number) ||
		    number != i)
			slab_finding(a, SLAB_LAW_PAGES, slab,
				     "frame %" PRIu64 " is not its head",
				     slab->pfn);
		audit_table(a, sc, slab);
	}
	for (pfn_t pfn = frame_next_allocated(sc->phys, 0); pfn != PFN_NONE;
	     pfn = frame_next_allocated(sc->phys, pfn + 1)) {
		uint32_t number;

		if (!frame_owned_by(sc->phys->frames[pfn].owner, OWNER_SLAB,
				    &number)) {
			audit_no_slabs(a, sc, pfn);
			continue;
		}
		heads++;
		if (!slab_get(sc, number) || slab_at(sc, number)->pfn != pfn)
			slab_finding(a, SLAB_LAW_PAGES, NULL,
				     "frame %" PRIu64
				     " names slab %u, which is "
				     "elsewhere or not there",
				     pfn, number);
	}
	if (slabs != heads)
		slab_finding(a, SLAB_LAW_PAGES, NULL,
			     "%" PRIu64 " slabs but %" PRIu64 " frames", slabs,
			     heads);
}

/* Large kmalloc requests count as unreclaimable too: that may be more. */
static void
audit_vmstat(struct slab_audit *a, const struct slab_common *sc,
	     const uint64_t pages[2])
{
	int64_t stat[2] = {0, 0};

	for (unsigned int i = 0; i < sc->phys->nr_nodes; i++) {
		const struct node *node = sc->phys->nodes[i];

		stat[0] += node->stat[NS_nr_slab_unreclaimable];
		stat[1] += node->stat[NS_nr_slab_reclaimable];
	}
	if (stat[1] != (int64_t)pages[1])
		slab_finding(a, SLAB_LAW_VMSTAT, NULL,
			     "%" PRId64 " reclaimable pages counted, %" PRIu64
			     " found",
			     stat[1], pages[1]);
	if (stat[0] < (int64_t)pages[0])
		slab_finding(a, SLAB_LAW_VMSTAT, NULL,
			     "%" PRId64 " unreclaimable pages counted, %" PRIu64
			     " found",
			     stat[0], pages[0]);
}

/* --- names -----------------------------------------------------------------
 */

static void
audit_names(struct slab_audit *a, const struct slab_common *sc,
	    const struct kmem_cache *s)
{
	guint aliases = s->aliases ? s->aliases->len : 0;

	/* Those that are there from boot count as -1: never to be merged. */
	if (s->dead || s->refcount < 0)
		return;
	if (s->refcount != (int)aliases + 1)
		slab_finding(a, SLAB_LAW_NAMES, NULL,
			     "%d names counted, %u are there", s->refcount,
			     aliases + 1);
	if (g_hash_table_lookup(sc->names, s->name) != s)
		slab_finding(a, SLAB_LAW_NAMES, NULL,
			     "its name leads to another");
	for (guint i = 0; i < aliases; i++)
		if (g_hash_table_lookup(sc->names,
					g_ptr_array_index(s->aliases, i)) != s)
			slab_finding(
				a, SLAB_LAW_NAMES, NULL,
				"its name %s leads to another",
				(const char *)g_ptr_array_index(s->aliases, i));
}

unsigned int
slab_verify(const struct slab_common *sc, finding_fn found, void *user)
{
	struct slab_audit a = SLAB_AUDIT(found, user, NULL);
	uint64_t pages[2] = {0, 0};
	unsigned int nr = 0;

	for (guint i = 0; i < sc->caches->len; i++) {
		struct kmem_cache *s = g_ptr_array_index(sc->caches, i);

		nr += s->ops->verify(s, found, user);
		a.cache = s;
		audit_names(&a, sc, s);
	}
	if (sc->slob)
		nr += slob_verify_pool(sc->slob->pool.common, found, user);
	a.cache = NULL;
	audit_pages(&a, sc, pages);
	audit_vmstat(&a, sc, pages);
	return nr + a.audit.nr;
}
