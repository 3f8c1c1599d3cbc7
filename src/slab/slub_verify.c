// SPDX-License-Identifier: MIT
/*
 * slub_verify.c - the laws of a cache of SLUB
 *
 * How it works: every list is walked and marks what it finds; then every slab
 * of the cache is looked at: has it the mark of the place it says it is in,
 * and do its free lists agree with its counter.
 */
#include "slab_verify_impl.h"
#include "slub_impl.h"

#include <inttypes.h>

static const char *const where_names[NR_SLAB_WHERE] = {
	[SLAB_FULL] = "full",	      [SLAB_NODE_PARTIAL] = "partial",
	[SLAB_CPU] = "a CPU's",	      [SLAB_CPU_PARTIAL] = "partial of a CPU",
	[SLAB_FREE] = "free",	      [SLAB_RCU] = "waiting for a grace period",
	[SLAB_ISOLATED] = "isolated",
};

/* Numbers of slabs found on lists of each kind. */
struct tally {
	struct slab_audit audit;
	struct kmem_cache *s;
	GHashTable *seen; /* number + 1 -> enum slab_where + 1 */
};

/* Slab @slab was found in a place of kind @where. */
static void
tally_slab(struct tally *t, const struct slab *slab, enum slab_where where)
{
	gpointer key = GUINT_TO_POINTER(slab->number + 1);

	if (slab->cache != t->s)
		slab_finding(&t->audit, SLAB_LAW_LISTS, slab,
			     "is listed, but of another cache");
	if (slab->where != where)
		slab_finding(&t->audit, SLAB_LAW_LISTS, slab,
			     "says it is %s and is found %s",
			     where_names[slab->where], where_names[where]);
	if (!g_hash_table_insert(t->seen, key, GUINT_TO_POINTER(where + 1U)))
		slab_finding(&t->audit, SLAB_LAW_LISTS, slab,
			     "is in two places");
}

static void
audit_list(struct tally *t, const struct slab_list *list, enum slab_where where,
	   int nid)
{
	const struct slab_common *sc = t->s->common;
	uint32_t prev = 0, nr = 0;

	for (const struct slab *slab = slab_list_first(sc, list);
	     slab && nr <= sc->nr_slabs; slab = slab_list_next(sc, slab)) {
		nr++;
		if (slab->prev != prev || !slab->linked)
			slab_finding(&t->audit, SLAB_LAW_LISTS, slab,
				     "does not link back");
		if (nid >= 0 && slab->nid != nid)
			slab_finding(&t->audit, SLAB_LAW_LISTS, slab,
				     "of node %u is on a list of node %d",
				     slab->nid, nid);
		tally_slab(t, slab, where);
		prev = slab->number + 1;
	}
	if (list->tail != prev)
		slab_finding(&t->audit, SLAB_LAW_LISTS, NULL,
			     "a list does not end where it says");
	if (list->nr != nr)
		slab_finding(&t->audit, SLAB_LAW_COUNTS, NULL,
			     "a list of %u slabs is counted as %u", nr,
			     list->nr);
}

static void
audit_lists(struct tally *t)
{
	const struct kmem_cache *s = t->s;
	const struct slab_common *sc = s->common;

	for (unsigned int i = 0; i < sc->phys->nr_nodes; i++) {
		audit_list(t, &s->node[i].partial, SLAB_NODE_PARTIAL, (int)i);
		audit_list(t, &s->node[i].full, SLAB_FULL, (int)i);
	}
	for (unsigned int i = 0; i < sc->phys->nr_cpus; i++) {
		const struct kmem_cache_cpu *c = &s->cpu[i];

		audit_list(t, &c->partial, SLAB_CPU_PARTIAL, -1);
		if (c->partial_slabs != c->partial.nr)
			slab_finding(&t->audit, SLAB_LAW_COUNTS, NULL,
				     "CPU %u counts %u partial slabs and has "
				     "%u",
				     i, c->partial_slabs, c->partial.nr);
		if (!c->slab && c->freelist)
			slab_finding(&t->audit, SLAB_LAW_LISTS, NULL,
				     "CPU %u has a free list and no slab", i);
		if (c->slab)
			tally_slab(t, slab_at(sc, c->slab - 1), SLAB_CPU);
	}
}

/* --- slabs -----------------------------------------------------------------
 */

static void
audit_freelists(struct tally *t, const struct slab *slab)
{
	const struct kmem_cache *s = slab->cache;
	uint8_t *map = g_malloc0(slab->objects + 1UL);
	bool broken, cpu_broken = false;
	unsigned int found, both;

	found = slub_walk(slab, slab->freelist, map, 1, &broken);
	if (broken)
		slab_finding(&t->audit, SLAB_LAW_FREELIST, slab,
			     "its free list leads astray after %u objects",
			     found);
	else if (slab->objects - slab->inuse != (int)found)
		slab_finding(&t->audit, SLAB_LAW_OBJECTS, slab,
			     "%d of %u objects are free by its counter, %u by "
			     "its list",
			     slab->objects - slab->inuse, slab->objects, found);
	for (unsigned int i = 0;
	     slab->where == SLAB_CPU && i < s->common->phys->nr_cpus; i++) {
		if (s->cpu[i].slab != slab->number + 1)
			continue;
		/* With the same mark: what is on both lists is met twice. */
		both = slub_walk(slab, s->cpu[i].freelist, map, 1, &cpu_broken);
		if (cpu_broken)
			slab_finding(&t->audit, SLAB_LAW_FREELIST, slab,
				     "CPU %u's free list leads astray after %u "
				     "objects",
				     i, both);
	}
	g_free(map);
}

static void
audit_slab(struct tally *t, const struct slab *slab)
{
	const struct kmem_cache *s = t->s;
	uint32_t listed = GPOINTER_TO_UINT(g_hash_table_lookup(
		t->seen, GUINT_TO_POINTER(slab->number + 1)));
	bool must = slab->where == SLAB_NODE_PARTIAL ||
		    slab->where == SLAB_CPU ||
		    slab->where == SLAB_CPU_PARTIAL ||
		    (slab->where == SLAB_FULL && (s->flags & SLAB_STORE_USER));
	uint64_t most = slab_bytes(slab) / s->size;

	if (must && !listed)
		slab_finding(&t->audit, SLAB_LAW_LISTS, slab,
			     "says it is %s and is not there",
			     where_names[slab->where]);
	if (slab->where == SLAB_ISOLATED)
		slab_finding(&t->audit, SLAB_LAW_LISTS, slab,
			     "was found broken and is kept apart");
	if (slab->objects != MIN_OF(most, MAX_OBJS_PER_PAGE))
		slab_finding(&t->audit, SLAB_LAW_OBJECTS, slab,
			     "of %" PRIu64 " bytes has %u objects of %u",
			     slab_bytes(slab), slab->objects, s->size);
	if (slab->where != SLAB_ISOLATED)
		audit_freelists(t, slab);
}

/* All slabs of the cache, against the counters of its nodes. */
static void
audit_slabs(struct tally *t)
{
	const struct kmem_cache *s = t->s;
	unsigned int nodes = s->common->phys->nr_nodes;
	uint64_t *slabs = g_new0(uint64_t, nodes);
	uint64_t *objects = g_new0(uint64_t, nodes);
	const struct slab *slab = NULL;

	while ((slab = slab_next(s, slab))) {
		audit_slab(t, slab);
		if (slab->where == SLAB_RCU)
			continue; /* left the counters with its last object */
		slabs[slab->nid]++;
		objects[slab->nid] += slab->objects;
	}
	for (unsigned int i = 0; i < nodes; i++) {
		const struct kmem_cache_node *n = &s->node[i];

		if (n->nr_slabs != slabs[i] || n->total_objects != objects[i])
			slab_finding(&t->audit, SLAB_LAW_COUNTS, NULL,
				     "node %u counts %" PRId64
				     " slabs, %" PRId64 " objects; %" PRIu64
				     ", %" PRIu64 " are there",
				     i, (int64_t)n->nr_slabs,
				     (int64_t)n->total_objects, slabs[i],
				     objects[i]);
	}
	g_free(slabs);
	g_free(objects);
}

unsigned int
slub_verify(struct kmem_cache *s, finding_fn found, void *user)
{
	struct tally t = {.audit = SLAB_AUDIT(found, user, s), .s = s};

	t.seen = g_hash_table_new(NULL, NULL);
	audit_lists(&t);
	audit_slabs(&t);
	g_hash_table_destroy(t.seen);
	return t.audit.audit.nr;
}
