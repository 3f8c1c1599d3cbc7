// SPDX-License-Identifier: MIT
/*
 * classic_alloc.c - objects of the classic SLAB are given out and come back
 *
 * What it models: ____cache_alloc, cache_alloc_refill, ____cache_alloc_node,
 *                 fallback_alloc, __cache_free, cache_flusharray, free_block of
 *                 mm/slab.c, 2.6.11 to 2.6.18 (with noaliencache on NUMA).
 * How it works:   a CPU takes from its array and gives to it, the last object
 *                 first: it is the one still in its cache.
 *
 *     CPU's array <- batchcount - shared array of the node
 *                 <- batchcount - partial slabs, then free ones, first to last
 *                                 else a new slab: cache_grow
 *
 *                 An array that is full gives its oldest batchcount away: to
 *                 the shared array if that has room, else to their slabs, which
 *                 go to the tail of the partial list, or become free; beyond
 *                 free_limit free objects the slab goes back.
 * Always true:    a slab has objects in use or in arrays, or is on the list of
 *                 free ones.
 * Differs from the kernel: there are no arrays for objects of other nodes: they
 *                 are kept with the others, as with noaliencache.
 */
#include "classic_impl.h"

#include <errno.h>
#include <inttypes.h>

#define BATCHREFILL_LIMIT 16
#define BUG_NOT_SLAB 604   /* virt_to_slab of a page that is none */
#define BUG_NOT_CACHE 3358 /* kmem_cache_free of another cache's */
#define BUG_DOUBLE 2799	   /* free_block, in a debugging kernel */

/* --- arrays ----------------------------------------------------------------
 */

void
classic_array_use(struct array_cache *ac)
{
	if (!ac->entry)
		ac->entry = g_new0(va_t, ac->limit);
}

void
classic_array_shift(struct array_cache *ac, uint32_t nr)
{
	ac->avail -= nr;
	memmove(ac->entry, ac->entry + nr, ac->avail * sizeof(*ac->entry));
}

/* transfer_objects of a refill: the newest of the shared array. */
static uint32_t
refill_shared(struct array_cache *ac, struct array_cache *shared, uint32_t most)
{
	uint32_t nr = MIN_OF(most, shared->avail);

	if (!nr)
		return 0;
	shared->avail -= nr;
	memcpy(ac->entry, shared->entry + shared->avail,
	       nr * sizeof(*ac->entry));
	ac->avail = nr;
	shared->touched = true;
	return nr;
}

/* --- refilling -------------------------------------------------------------
 */

/* The slab to take from next: partial ones before free ones.  NULL: none. */
static struct slab *
next_source(struct kmem_cache *s, int nid)
{
	const struct slab_common *sc = s->common;
	struct kmem_cache_node *n = &s->node[nid];
	struct slab *slab = slab_list_first(sc, &n->partial);

	if (slab)
		return slab;
	classic_of(s)->node[nid].free_touched = true;
	return slab_list_first(sc, &n->free);
}

/* Onto the list that its free index tells. */
static void
relist(struct slab *slab)
{
	bool full = classic_free_index(slab) == BUFCTL_END;

	classic_unlink(slab);
	classic_link(slab, full ? SLAB_FULL : SLAB_NODE_PARTIAL, false);
}

/* Take up to *@want objects of @slab.  -EFAULT: the kernel is stuck. */
static int
refill_slab(struct kmem_cache *s, struct slab *slab, struct array_cache *ac,
	    uint32_t *want)
{
	uint32_t before = ac->avail;
	int err = classic_debug_list(slab, "cache_alloc_refill");

	while (!err && classic_inuse(slab) < s->objects && *want) {
		--*want;
		err = classic_take(slab, &ac->entry[ac->avail]);
		ac->avail += !err;
	}
	if (!err)
		err = classic_debug_list(slab, "cache_alloc_refill");
	relist(slab);
	if (err || ac->avail > before || slab->where == SLAB_FULL)
		return err;
	/* It has nothing to give and stays the first to be asked. */
	slub_lockup(s->common, "cache_alloc_refill");
	return -EFAULT;
}

/* Out of the node's slabs into an empty array; nothing there is no error. */
static int
refill_slabs(struct kmem_cache *s, struct array_cache *ac, int nid,
	     uint32_t want)
{
	struct slab *slab;
	int err = 0;

	while (want && !err && (slab = next_source(s, nid)))
		err = refill_slab(s, slab, ac, &want);
	classic_of(s)->node[nid].free_objects -= ac->avail;
	return err;
}

/* cache_alloc_refill: at least one object into @ac, which is empty. */
static int
refill(struct kmem_cache *s, const struct slab_request *r,
       struct array_cache *ac, int nid)
{
	struct classic *c = classic_of(s);
	uint32_t want = ac->batchcount;
	struct slab *made;
	int err;

	classic_array_use(ac);
	if (!ac->touched)
		want = MIN_OF(want, (uint32_t)BATCHREFILL_LIMIT);
	if (refill_shared(ac, &c->node[nid].shared, want)) {
		SLUB_WHY(r,
			 "CPU %u's array is empty: %u objects come from the "
			 "shared array of node %d\n",
			 r->cpu, ac->avail, nid);
		return 0;
	}
	for (;;) {
		err = refill_slabs(s, ac, nid, want);
		if (ac->avail || err)
			break;
		SLUB_WHY(r, "no slab of node %d has a free object\n", nid);
		err = classic_grow(s, r, nid, s->common->phys->nr_nodes > 1,
				   &made);
		if (err)
			return err;
	}
	SLUB_WHY(r,
		 "CPU %u's array is empty: %u objects come from slabs of node "
		 "%d\n",
		 r->cpu, ac->avail, nid);
	return ac->avail ? 0 : err;
}

/* ____cache_alloc */
static int
array_alloc(struct kmem_cache *s, const struct slab_request *r, int nid,
	    va_t *buffer)
{
	struct array_cache *ac = &classic_of(s)->cpu[r->cpu];
	int err;

	if (!ac->avail) {
		err = refill(s, r, ac, nid);
		if (err)
			return err;
	}
	ac->touched = true;
	*buffer = ac->entry[--ac->avail];
	SLUB_WHY(r, "the last of CPU %u's array, %u are left in it\n", r->cpu,
		 ac->avail);
	return 0;
}

/* --- other nodes -----------------------------------------------------------
 */

/* ____cache_alloc_node, without growing: one object out of a node's slabs. */
static int
node_take(struct kmem_cache *s, int nid, va_t *buffer)
{
	struct slab *slab = next_source(s, nid);
	int err;

	if (!slab)
		return -ENOMEM;
	err = classic_debug_list(slab, "____cache_alloc_node");
	if (!err)
		err = classic_take(slab, buffer);
	if (!err)
		classic_of(s)->node[nid].free_objects--;
	relist(slab);
	return err;
}

static int
node_alloc(struct kmem_cache *s, const struct slab_request *r, int nid,
	   va_t *buffer)
{
	struct slab *made;
	int err = node_take(s, nid, buffer);

	if (err == -ENOMEM) {
		err = classic_grow(s, r, nid, true, &made);
		if (!err)
			err = node_take(s, nid, buffer);
	}
	if (!err)
		SLUB_WHY(r, "straight out of a slab of node %d\n", nid);
	return err;
}

/* fallback_alloc: a free object anywhere, else pages from anywhere. */
static int
fallback(struct kmem_cache *s, const struct slab_request *r, va_t *buffer)
{
	const struct phys *phys = s->common->phys;
	int here = slub_memory_node(s->common, r->cpu);
	const struct zonelist *list =
		&phys->nodes[here]->zonelist[ZONELIST_FALLBACK];
	struct slab *made;
	int err;

	for (unsigned int i = 0; i < list->nr; i++) {
		int nid = (int)list->zones[i]->node->id;

		if (classic_of(s)->node[nid].free_objects <= 0)
			continue;
		err = node_take(s, nid, buffer);
		if (err != -ENOMEM)
			return err;
	}
	err = classic_grow(s, r, here, false, &made);
	return err ? err : node_take(s, made->nid, buffer);
}

int
classic_alloc(struct kmem_cache *s, const struct slab_request *r, va_t *object)
{
	struct slab_common *sc = s->common;
	int here = slub_memory_node(sc, r->cpu), err;
	int nid = r->nid == NODE_LOCAL ? here : r->nid;
	va_t buffer;

	if (!slub_node_has_memory(sc, nid))
		nid = here;
	err = nid == here ? array_alloc(s, r, nid, &buffer)
			  : node_alloc(s, r, nid, &buffer);
	if (err == -ENOMEM && sc->phys->nr_nodes > 1 &&
	    !(r->gfp & __GFP_THISNODE))
		err = fallback(s, r, &buffer);
	if (err)
		return err;
	*object = buffer + s->red_left_pad;
	if (classic_debugged(s))
		err = classic_debug_alloc(s, buffer, r);
	return err;
}

/* --- freeing ---------------------------------------------------------------
 */

/* What a free object makes of its slab's place. */
static void
settle(struct kmem_cache *s, struct slab *slab, unsigned int cpu)
{
	struct classic_node *n = &classic_of(s)->node[slab->nid];

	if (classic_inuse(slab)) {
		classic_link(slab, SLAB_NODE_PARTIAL, true);
	} else if (n->free_objects > n->free_limit) {
		n->free_objects -= slab->objects;
		classic_destroy(s, slab, cpu);
	} else {
		classic_link(slab, SLAB_FREE, false);
	}
}

static int
free_one(struct kmem_cache *s, va_t buffer, unsigned int cpu)
{
	struct slab_common *sc = s->common;
	struct slab *slab = slab_of(sc, buffer);
	int err;

	if (!slab || slab->where == SLAB_RCU)
		return classic_bug(sc, BUG_NOT_SLAB, "free_block");
	if (slab->cache != s)
		return classic_bug(sc, BUG_NOT_CACHE, "free_block");
	err = classic_debug_list(slab, "free_block");
	if (err)
		return err;
	if (classic_debugged(s) && classic_debug_double(slab, buffer)) {
		slab_printk(sc,
			    "slab: double free detected in cache '%s', objp "
			    "%0*" PRIx64 ".",
			    s->name, 2 * (int)sc->word, buffer);
		return classic_bug(sc, BUG_DOUBLE, "free_block");
	}
	classic_unlink(slab);
	err = classic_put(slab, buffer);
	if (err) {
		relist(slab);
		return err;
	}
	classic_of(s)->node[slab->nid].free_objects++;
	settle(s, slab, cpu);
	return 0;
}

int
classic_free_block(struct kmem_cache *s, const va_t *buffer, unsigned int nr,
		   unsigned int cpu)
{
	int err = 0;

	for (unsigned int i = 0; i < nr; i++) {
		int one = free_one(s, buffer[i], cpu);

		if (one)
			err = one;
	}
	return err;
}

/* cache_flusharray: the oldest go to the shared array, else to their slabs. */
static int
flush_array(struct kmem_cache *s, struct array_cache *ac, int nid,
	    unsigned int cpu)
{
	struct array_cache *shared = &classic_of(s)->node[nid].shared;
	uint32_t nr = ac->batchcount, room = shared->limit - shared->avail;
	int err = 0;

	if (room) {
		nr = MIN_OF(nr, room);
		classic_array_use(shared);
		memcpy(shared->entry + shared->avail, ac->entry,
		       nr * sizeof(*ac->entry));
		shared->avail += nr;
	} else {
		err = classic_free_block(s, ac->entry, nr, cpu);
	}
	classic_array_shift(ac, nr);
	return err;
}

int
classic_free(struct kmem_cache *s, struct slab *slab, va_t object,
	     const struct slab_request *who)
{
	struct slab_common *sc = s->common;
	struct array_cache *ac = &classic_of(s)->cpu[who->cpu];
	va_t buffer = object - s->red_left_pad;
	int err = 0;

	if (classic_debugged(s))
		err = classic_debug_free(s, slab, buffer, who);
	if (!err && (!slab || slab->where == SLAB_RCU))
		err = classic_bug(sc, BUG_NOT_SLAB, "kmem_cache_free");
	if (!err && slab->cache != s)
		err = classic_bug(sc, BUG_NOT_CACHE, "kmem_cache_free");
	if (err)
		return err;
	classic_array_use(ac);
	if (ac->avail == ac->limit)
		err = flush_array(s, ac, slub_memory_node(sc, who->cpu),
				  who->cpu);
	/* A kernel that died on it never came to put this one there. */
	if (!err)
		ac->entry[ac->avail++] = buffer;
	return err;
}
