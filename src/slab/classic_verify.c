// SPDX-License-Identifier: MIT
/*
 * classic_verify.c - what can be seen of the classic SLAB, and its laws
 *
 * What it models: s_show of mm/slab.c, 2.6.11.
 * How it works:   as the kernel counts, an object in an array is in use; as the
 *                 states are shown it is free, and some CPU's.  Free lists and
 *                 counters lie in modelled RAM and are held against each other
 *                 and against the lists that slabs are on.
 */
#include "classic_impl.h"
#include "common_impl.h"
#include "slab_verify_impl.h"

#include <inttypes.h>

/* --- states ----------------------------------------------------------------
 */

/* Mark the entries of @ac that lie in @slab; returns how many are no buffer's
 * beginning, or marked already. */
static unsigned int
mark_array(const struct slab *slab, const struct array_cache *ac,
	   uint8_t *state)
{
	va_t first = slab_address(slab) + slab->colour;
	unsigned int bad = 0;

	for (uint32_t i = 0; i < ac->avail; i++) {
		uint64_t at = ac->entry[i] - slab_address(slab);
		uint64_t index = (ac->entry[i] - first) / slab->cache->size;

		if (at >= slab_bytes(slab))
			continue;
		if (index >= slab->objects || state[index] != OBJECT_USED ||
		    ac->entry[i] != first + index * slab->cache->size)
			bad++;
		else
			state[index] = OBJECT_CPU_FREE;
	}
	return bad;
}

static unsigned int
mark_arrays(const struct slab *slab, uint8_t *state)
{
	const struct kmem_cache *s = slab->cache;
	const struct classic *c = classic_of(s);
	const struct phys *phys = s->common->phys;
	unsigned int bad = 0;

	for (unsigned int i = 0; i < phys->nr_cpus; i++)
		bad += mark_array(slab, &c->cpu[i], state);
	for (unsigned int i = 0; i < phys->nr_nodes; i++)
		bad += mark_array(slab, &c->node[i].shared, state);
	return bad;
}

void
classic_states(const struct slab *slab, uint8_t *state)
{
	int lost;

	memset(state, OBJECT_USED, slab->objects);
	lost = slab->objects - slab->inuse -
	       (int)classic_walk(slab, state, OBJECT_FREE, NULL);
	mark_arrays(slab, state);
	slab_mark_lost(slab, state, lost);
}

/* --- slabinfo --------------------------------------------------------------
 */

void
classic_info(const struct kmem_cache *s, struct slabinfo *info)
{
	const struct classic *c = classic_of(s);
	const struct slab_common *sc = s->common;

	*info = (struct slabinfo){
		.objects_per_slab = s->objects,
		.order = s->order,
		.limit = c->limit,
		.batchcount = c->batchcount,
		.shared = c->shared,
	};
	for (unsigned int i = 0; i < sc->phys->nr_nodes; i++) {
		const struct kmem_cache_node *n = &s->node[i];
		const struct slab *slab = slab_list_first(sc, &n->partial);

		for (; slab; slab = slab_list_next(sc, slab))
			info->active_objs += slab->inuse;
		info->active_objs += (uint64_t)n->full.nr * s->objects;
		info->active_slabs += n->full.nr + n->partial.nr;
		info->num_slabs += n->free.nr;
		info->shared_avail += c->node[i].shared.avail;
	}
	info->num_slabs += info->active_slabs;
	info->num_objs = info->num_slabs * s->objects;
}

/* --- laws ------------------------------------------------------------------
 */

static const char *const where_names[NR_SLAB_WHERE] = {
	[SLAB_FULL] = "full",
	[SLAB_NODE_PARTIAL] = "partial",
	[SLAB_FREE] = "free",
};

/* What is found by walking, against what a node counts. */
struct sums {
	uint64_t slabs, free;
};

static void
audit_counts(struct slab_audit *a, const struct slab *slab)
{
	uint8_t *state = g_malloc0(slab->objects);
	uint32_t inuse = classic_inuse(slab);
	unsigned int found, bad;
	bool broken;

	memset(state, OBJECT_USED, slab->objects);
	found = classic_walk(slab, state, OBJECT_FREE, &broken);
	bad = mark_arrays(slab, state);
	if (broken)
		slab_finding(a, SLAB_LAW_FREELIST, slab,
			     "its free list leads astray after %u objects",
			     found);
	else if ((uint64_t)inuse + found != slab->objects)
		slab_finding(a, SLAB_LAW_OBJECTS, slab,
			     "%u of %u objects are in use by its counter, %u "
			     "are on its list",
			     inuse, slab->objects, found);
	if (bad)
		slab_finding(a, SLAB_LAW_FREELIST, slab,
			     "%u entries of arrays are free already, or no "
			     "object of it",
			     bad);
	if (classic_s_mem(slab) != slab_address(slab) + slab->colour)
		slab_finding(a, SLAB_LAW_OBJECTS, slab,
			     "its descriptor says that its objects begin at "
			     "%016" PRIx64,
			     classic_s_mem(slab));
	g_free(state);
}

/* inuse = 0: free; inuse = num: full. */
static void
audit_place(struct slab_audit *a, const struct slab *slab)
{
	const struct classic *c = classic_of(slab->cache);
	uint32_t inuse = classic_inuse(slab);
	uint32_t begin = slab->colour - (c->off_slab ? 0 : c->slab_size);
	enum slab_where want = inuse == 0		? SLAB_FREE
			       : inuse == slab->objects ? SLAB_FULL
							: SLAB_NODE_PARTIAL;

	if (slab->where != want || !slab->linked)
		slab_finding(a, SLAB_LAW_LISTS, slab,
			     "has %u of %u objects in use and is %s", inuse,
			     slab->objects,
			     where_names[slab->where] ? where_names[slab->where]
						      : "elsewhere");
	if (begin % c->colour_off ||
	    begin / c->colour_off >= MAX_OF(c->colour, 1U))
		slab_finding(a, SLAB_LAW_OBJECTS, slab,
			     "begins at offset %u, which is none of %u colours "
			     "of %u bytes",
			     begin, c->colour, c->colour_off);
}

/* Slabs of a list, linked alike in both directions. */
static uint64_t
audit_list(struct slab_audit *a, const struct slab_list *list,
	   enum slab_where where, unsigned int nid)
{
	const struct slab_common *sc = a->cache->common;
	uint32_t prev = 0, nr = 0;

	for (const struct slab *slab = slab_list_first(sc, list);
	     slab && nr <= sc->nr_slabs; slab = slab_list_next(sc, slab)) {
		nr++;
		if (slab->prev != prev || slab->where != where ||
		    slab->nid != nid || slab->cache != a->cache)
			slab_finding(a, SLAB_LAW_LISTS, slab,
				     "does not belong on the list of %s slabs "
				     "of node %u",
				     where_names[where], nid);
		prev = slab->number + 1;
	}
	if (list->nr != nr || list->tail != prev)
		slab_finding(a, SLAB_LAW_COUNTS, NULL,
			     "a list of %u slabs is counted as %u", nr,
			     list->nr);
	return nr;
}

static void
audit_node(struct slab_audit *a, unsigned int nid, const struct sums *sum)
{
	const struct kmem_cache *s = a->cache;
	const struct kmem_cache_node *n = &s->node[nid];
	uint64_t listed = audit_list(a, &n->full, SLAB_FULL, nid) +
			  audit_list(a, &n->partial, SLAB_NODE_PARTIAL, nid) +
			  audit_list(a, &n->free, SLAB_FREE, nid);

	if (listed != sum->slabs || n->nr_slabs != sum->slabs ||
	    n->total_objects != sum->slabs * s->objects)
		slab_finding(a, SLAB_LAW_COUNTS, NULL,
			     "node %u has %" PRIu64 " slabs, %" PRIu64
			     " on lists, and counts %" PRIu64 " with %" PRIu64
			     " objects",
			     nid, sum->slabs, listed, n->nr_slabs,
			     n->total_objects);
	if (classic_of(s)->node[nid].free_objects != (int64_t)sum->free)
		slab_finding(a, SLAB_LAW_COUNTS, NULL,
			     "node %u counts %" PRId64 " free objects, %" PRIu64
			     " are free",
			     nid, classic_of(s)->node[nid].free_objects,
			     sum->free);
}

/* Entries that are in no slab of the cache. */
static void
audit_array(struct slab_audit *a, const struct array_cache *ac)
{
	const struct kmem_cache *s = a->cache;

	if (ac->avail > ac->limit)
		slab_finding(a, SLAB_LAW_COUNTS, NULL,
			     "an array of %u has %u objects", ac->limit,
			     ac->avail);
	for (uint32_t i = 0; i < ac->avail; i++) {
		const struct slab *slab = slab_of(s->common, ac->entry[i]);

		if (!slab || slab->cache != s || slab->where == SLAB_RCU)
			slab_finding(a, SLAB_LAW_FREELIST, slab,
				     "%016" PRIx64
				     " is in an array and no object of it",
				     ac->entry[i]);
	}
}

unsigned int
classic_verify(struct kmem_cache *s, finding_fn found, void *user)
{
	const struct phys *phys = s->common->phys;
	struct slab_audit a = SLAB_AUDIT(found, user, s);
	struct sums *sum = g_new0(struct sums, phys->nr_nodes);
	const struct classic *c = classic_of(s);

	for (const struct slab *slab = slab_next(s, NULL); slab;
	     slab = slab_next(s, slab)) {
		if (slab->where == SLAB_RCU)
			continue;
		audit_counts(&a, slab);
		audit_place(&a, slab);
		sum[slab->nid].slabs++;
		sum[slab->nid].free += slab->objects - slab->inuse;
	}
	for (unsigned int i = 0; i < phys->nr_nodes; i++) {
		audit_node(&a, i, &sum[i]);
		audit_array(&a, &c->node[i].shared);
	}
	for (unsigned int i = 0; i < phys->nr_cpus; i++)
		audit_array(&a, &c->cpu[i]);
	g_free(sum);
	return a.audit.nr;
}

/* --- digest ----------------------------------------------------------------
 */

static void
put_array(const struct array_cache *ac, const struct number_stream *to)
{
	stream_put(to, (uint64_t)ac->avail << 1 | ac->touched);
	for (uint32_t i = 0; i < ac->avail; i++)
		stream_put(to, ac->entry[i]);
}

void
classic_digest(const struct kmem_cache *s, const struct number_stream *to)
{
	const struct phys *phys = s->common->phys;
	const struct classic *c = classic_of(s);

	stream_put(to, (uint64_t)c->limit << 32 | c->batchcount);
	stream_put(to, (uint64_t)c->shared << 32 | c->colour_next);
	for (unsigned int i = 0; i < phys->nr_cpus; i++)
		put_array(&c->cpu[i], to);
	for (unsigned int i = 0; i < phys->nr_nodes; i++) {
		const struct kmem_cache_node *n = &s->node[i];

		put_array(&c->node[i].shared, to);
		stream_put(to, (uint64_t)c->node[i].free_objects);
		stream_put(to, c->node[i].free_touched);
		stream_put(to, c->node[i].next_reap_ns);
		stream_put(to, (uint64_t)n->partial.head << 32 | n->full.head);
		stream_put(to, (uint64_t)n->free.head << 32 | n->free.tail);
	}
}
