// SPDX-License-Identifier: MIT
/*
 * slub_free.c - where an object goes back to
 *
 * What it models: do_slab_free, __slab_free, free_to_partial_list,
 *                 build_detached_freelist, slab_free_freelist_hook of
 *                 mm/slub.c of 6.1.192.
 * How it works:   into the slab that the CPU allocates from: first of the CPU's
 *                 free list.  Into any other slab: first of the slab's own.
 *                 A slab that was full is frozen and waits on the CPU's partial
 *                 list; one that became empty goes back to the page allocator
 *                 if its node has min_partial slabs without it.
 *                 Nothing is checked: a second free of an object puts it on the
 *                 list twice and counts it twice, so that two callers get it,
 *                 or its page goes while it is in use.  Caches that are
 *                 debugged take the way of free_single(), which checks first.
 * Differs from the kernel: freeing into a slab that waits for a grace period
 *                 overwrites nothing but the free pointer.
 */
#include "slub_impl.h"

#include <errno.h>
#include <string.h>

/* Objects that are freed together: a chain in RAM. */
struct chain {
	struct slab *slab; /* NULL: their page is no slab's */
	va_t head;
	va_t tail;
	unsigned int count;
};

/* --- debugged caches -------------------------------------------------------
 */

/* free_to_partial_list */
static int
free_single(struct kmem_cache *s, const struct chain *chain,
	    const struct slab_request *who)
{
	struct slab *slab = chain->slab;
	struct kmem_cache_node *n = &s->node[slab->nid];
	unsigned int count = chain->count;
	va_t prior;
	bool empty;
	int err;

	if (!slub_free_debug_processing(s, slab, chain->head, chain->tail,
					&count, who))
		return 0;
	prior = slab->freelist;
	slab->inuse = (uint16_t)(slab->inuse - count);
	err = slub_write_pointer(s, chain->tail, "free_to_partial_list", prior);
	if (err)
		return err;
	slab->freelist = chain->head;
	if (slab->where == SLAB_RCU)
		return 0;
	empty = !slab->inuse && n->partial.nr >= s->min_partial;
	if (!prior) {
		slub_remove_full(s, slab);
		if (!empty)
			slub_add_partial(s, slab, true);
	} else if (empty) {
		slub_remove_partial(s, slab);
	}
	if (empty)
		slub_discard(s, slab, who->cpu);
	return 0;
}

/* --- into a slab's own list ------------------------------------------------
 */

/* The slab is on its node's list and is empty now. */
static __attribute__((noinline)) int
leave_node(struct kmem_cache *s, struct slab *slab, unsigned int cpu)
{
	const struct kmem_cache_node *n = &s->node[slab->nid];

	if (n->partial.nr < s->min_partial)
		return 0;
	slub_remove_partial(s, slab);
	slub_discard(s, slab, cpu);
	return 0;
}

/* __slab_free, when the chain's last word is written: the list begins with
 * @head now and not with @prior. */
static inline int
freed_to_slab(struct kmem_cache *s, struct slab *slab, va_t head, va_t prior,
	      unsigned int count, unsigned int cpu)
{
	slab->freelist = head;
	slab->inuse = (uint16_t)(slab->inuse - count);
	if ((slab->inuse && prior) || slab_frozen(slab) ||
	    slab->where == SLAB_RCU)
		return 0;
	if (prior)
		return leave_node(s, slab, cpu);
	/* It was full.  Debugged caches do not come here. */
	slub_put_cpu_partial(s, slab, cpu, true);
	return 0;
}

/* __slab_free */
static int
free_slow(struct kmem_cache *s, const struct chain *chain,
	  const struct slab_request *who)
{
	struct slab *slab = chain->slab;
	va_t prior;
	int err;

	if (unlikely(!slab))
		/* The kernel looks for the free list in struct slab. */
		return slub_oops(s->common,
				 slub_debugged(s) ? 0 : 4ULL * s->common->word,
				 false, "__slab_free");
	if (slub_debugged(s))
		return free_single(s, chain, who);
	prior = slab->freelist;
	err = slub_write_pointer(s, chain->tail, "__slab_free", prior);
	if (err)
		return err;
	return freed_to_slab(s, slab, chain->head, prior, chain->count,
			     who->cpu);
}

/* do_slab_free */
static int
free_chain(struct kmem_cache *s, const struct chain *chain,
	   const struct slab_request *who)
{
	struct kmem_cache_cpu *c = &s->cpu[who->cpu];
	uint32_t link = chain->slab ? chain->slab->number + 1 : 0;
	int err;

	if (link != c->slab)
		return free_slow(s, chain, who);
	err = slub_write_pointer(s, chain->tail, "do_slab_free", c->freelist);
	if (!err)
		c->freelist = chain->head;
	return err;
}

static __attribute__((noinline)) int
free_one(struct kmem_cache *s, struct slab *slab, va_t object,
	 const struct slab_request *who)
{
	const struct chain chain = {slab, object, object, 1};

	return free_chain(s, &chain, who);
}

int
slub_free(struct kmem_cache *s, struct slab *slab, va_t object,
	  const struct slab_request *who)
{
	struct kmem_cache_cpu *c = &s->cpu[who->cpu];
	bool here;
	va_t prior;

	/* free_chain() does it all; this is what it mostly comes to. */
	if (unlikely(!slab || !slub_inside(s, slab, object)))
		return free_one(s, slab, object, who);
	here = slab->number + 1 == c->slab;
	prior = here ? c->freelist : slab->freelist;
	if (unlikely(object == prior || slub_debugged(s)))
		return free_one(s, slab, object, who);
	slub_store(s, object, prior);
	if (!here)
		return freed_to_slab(s, slab, object, prior, 1, who->cpu);
	c->freelist = object;
	return 0;
}

/* --- many at once ----------------------------------------------------------
 */

/*
 * build_detached_freelist: of p[0..*size) chain the last object and those of
 * its slab, as far as a look ahead of three others goes; what is left is
 * p[0..*size).
 */
static int
detach(struct kmem_cache *s, va_t *p, unsigned int *size, struct chain *chain)
{
	unsigned int at = *size, same, lookahead = 3;
	va_t object = p[--at];
	int err = slub_write_pointer(s, object, "kmem_cache_free_bulk", 0);

	*chain = (struct chain){slab_of(s->common, object), object, object, 1};
	for (same = at; at && !err;) {
		object = p[--at];
		if (slab_of(s->common, object) == chain->slab) {
			err = slub_write_pointer(
				s, object, "kmem_cache_free_bulk", chain->head);
			chain->head = object;
			chain->count++;
			p[at] = p[--same];
			p[same] = object;
		} else if (!--lookahead) {
			break;
		}
	}
	*size = same;
	return err;
}

/* slab_free_freelist_hook: the chain is built anew, the other way round. */
static int
reverse(struct kmem_cache *s, struct chain *chain)
{
	va_t next = chain->head, last = chain->tail, object;
	unsigned int steps = 0;
	int err;

	chain->head = chain->tail = 0;
	do {
		object = next;
		err = slub_read_pointer(s, object, "kmem_cache_free_bulk",
					&next);
		if (!err)
			err = slub_write_pointer(
				s, object, "kmem_cache_free_bulk", chain->head);
		if (err)
			return err;
		chain->head = object;
		if (!chain->tail)
			chain->tail = object;
		if (steps++ > chain->count) {
			/* An object was named twice. */
			slub_lockup(s->common, "kmem_cache_free_bulk");
			return -EFAULT;
		}
	} while (object != last);
	return 0;
}

int
slub_free_bulk(struct kmem_cache *s, const struct slab_request *who,
	       unsigned int nr, const va_t *objects)
{
	va_t *p = g_memdup2(objects, nr * sizeof(*p));
	struct slab_request own = *who;
	struct chain chain;
	int err = 0;

	own.function = "kmem_cache_free_bulk";
	while (nr && !err) {
		va_t last = p[nr - 1];
		struct kmem_cache *of =
			slab_cache_from(s, slab_of(s->common, last), last, who);

		/* No slab's: the kernel looks for the offset in no cache. */
		if (unlikely(!of))
			err = slub_oops(s->common, 0, false,
					"kmem_cache_free_bulk");
		if (!err)
			err = detach(of, p, &nr, &chain);
		if (!err)
			err = reverse(of, &chain);
		if (!err)
			err = free_chain(of, &chain, &own);
	}
	g_free(p);
	return err;
}
