// SPDX-License-Identifier: MIT
/*
 * replay_shadow_lists.c - the lists of recorded slabs
 *
 * What it models: mm/slub.c of 6.1 as far as lists go: the CPU's slab and its
 *                 list, the slab's own, the CPU's partial slabs
 * (put_cpu_partial,
 *                 __unfreeze_partials), the node's (get_partial_node), and the
 *                 order of a new slab, which is the same for all slabs of a
 *                 cache, from a start that is not (shuffle_freelist).
 * Always true:    a slab is on one list at most; the object of a chain's top
 *                 is the next to be given out.
 * Differs from the kernel: one list for all nodes.
 */
#include "replay_shadow_impl.h"

#include <glib.h>
#include <string.h>

/* --- chains ----------------------------------------------------------------
 */

void
chain_push(struct chain *chain, uint16_t index)
{
	if (chain->nr == chain->room) {
		chain->room = MAX_OF(chain->room * 2, 8);
		chain->index = g_renew(uint16_t, chain->index, chain->room);
	}
	chain->index[chain->nr++] = index;
}

void
chain_move(struct chain *to, struct chain *from)
{
	struct chain empty = *to;

	*to = *from;
	*from = empty;
	from->nr = 0;
}

uint16_t
chain_top(const struct chain *chain)
{
	return chain->index[chain->nr - 1];
}

void
shadow_slab_free(void *slab)
{
	struct shadow_slab *s = slab;

	g_free(s->list.index);
	g_free(s);
}

/* --- where slabs are -------------------------------------------------------
 */

static void
node_add(struct shadow_cache *s, struct shadow_slab *slab)
{
	slab->where = AT_NODE;
	slab->next = NULL;
	slab->before = s->last;
	if (s->last)
		s->last->next = slab;
	else
		s->first = slab;
	s->last = slab;
	s->nr_partial++;
}

static void
node_remove(struct shadow_cache *s, struct shadow_slab *slab)
{
	if (slab->before)
		slab->before->next = slab->next;
	else
		s->first = slab->next;
	if (slab->next)
		slab->next->before = slab->before;
	else
		s->last = slab->before;
	slab->next = slab->before = NULL;
	slab->where = AT_NO_LIST;
	s->nr_partial--;
}

static void
partial_remove(struct shadow_cpu *c, struct shadow_slab *slab)
{
	struct shadow_slab **at = &c->partial;

	while (*at != slab)
		at = &(*at)->next;
	*at = slab->next;
	slab->next = NULL;
	slab->where = AT_NO_LIST;
	c->nr_partial--;
}

void
shadow_unlist(struct shadow_cache *s, struct shadow_slab *slab)
{
	struct shadow_cpu *c = &s->cpu[slab->cpu];

	switch (slab->where) {
	case AT_CPU:
		c->slab = NULL;
		c->list.nr = 0;
		slab->where = AT_NO_LIST;
		break;
	case AT_CPU_PARTIAL:
		partial_remove(c, slab);
		break;
	case AT_NODE:
		node_remove(s, slab);
		break;
	}
}

static bool
is_empty(const struct shadow_slab *slab)
{
	return slab->made && slab->list.nr >= slab->objects;
}

/* __unfreeze_partials: empty ones beyond min_partial go back by themselves:
 * their mm_page_free follows. */
static void
unfreeze(struct shadow_cache *s, struct shadow_cpu *c)
{
	while (c->partial) {
		struct shadow_slab *slab = c->partial;

		partial_remove(c, slab);
		if (!is_empty(slab) || s->nr_partial < s->min_partial)
			node_add(s, slab);
	}
}

static void
partial_add(struct shadow_cache *s, unsigned int cpu, struct shadow_slab *slab,
	    bool drain)
{
	struct shadow_cpu *c = &s->cpu[cpu];

	if (drain && c->partial && c->nr_partial >= s->cpu_partial_slabs)
		unfreeze(s, c);
	slab->where = AT_CPU_PARTIAL;
	slab->cpu = cpu;
	slab->next = c->partial;
	c->partial = slab;
	c->nr_partial++;
}

/* With the first slab of a node's list come more. */
static void
more_from_node(struct shadow_cache *s, unsigned int cpu)
{
	unsigned int nr = 0;

	while (s->first && s->cpu_partial_slabs &&
	       nr <= s->cpu_partial_slabs / 2) {
		struct shadow_slab *slab = s->first;

		node_remove(s, slab);
		partial_add(s, cpu, slab, false);
		nr++;
	}
}

/* --- giving out and taking back --------------------------------------------
 */

void
shadow_switch(struct slab_shadow *shadow, struct shadow_cache *s,
	      unsigned int cpu, struct shadow_slab *slab)
{
	struct shadow_cpu *c = &s->cpu[cpu];
	struct shadow_slab *old = c->slab;
	bool from_node = slab->where == AT_NODE;

	(void)shadow;
	if (old && old != slab) {
		old->where = AT_NO_LIST;
		/* It was flushed while it had objects. */
		if (c->list.nr) {
			chain_move(&old->list, &c->list);
			node_add(s, old);
		}
		c->slab = NULL;
	}
	/* Slabs that were put there later were used up silently. */
	while (slab->where == AT_CPU_PARTIAL && slab->cpu == cpu &&
	       c->partial != slab) {
		c->partial->list.nr = 0;
		partial_remove(c, c->partial);
	}
	if (slab != c->slab)
		shadow_unlist(s, slab);
	slab->where = AT_CPU;
	slab->cpu = cpu;
	c->slab = slab;
	if (!c->list.nr)
		chain_move(&c->list, &slab->list);
	if (from_node)
		more_from_node(s, cpu);
}

/* In a new slab @index came behind the one that came last. */
static void
learn_order(struct slab_shadow *shadow, struct shadow_cache *s,
	    struct shadow_slab *slab, uint16_t index)
{
	if (slab->fresh && slab->fresh <= s->objects)
		s->follows[slab->fresh - 1] = index + 1;
	else if (index)
		shadow->first_other++;
	else
		shadow->first_zero++;
	slab->fresh = index + 1;
}

void
shadow_take(struct slab_shadow *shadow, struct shadow_cache *s,
	    unsigned int cpu, uint16_t index)
{
	struct shadow_cpu *c = &s->cpu[cpu];
	unsigned int at = c->list.nr, unknown = 0;

	while (at && c->list.index[at - 1] != index) {
		if (c->list.index[at - 1] == INDEX_UNKNOWN && !unknown)
			unknown = at;
		at--;
	}
	if (!at && !unknown)
		return;
	if (!at) {
		at = unknown;
		learn_order(shadow, s, c->slab, index);
	}
	c->list.nr = at - 1;
}

bool
shadow_give(struct shadow_cache *s, struct shadow_slab *slab, unsigned int cpu,
	    uint16_t index)
{
	struct shadow_cpu *c = &s->cpu[cpu];
	bool had = slab->list.nr != 0;

	if (c->slab == slab) {
		chain_push(&c->list, index);
		return false;
	}
	chain_push(&slab->list, index);
	if (slab->where == AT_NO_LIST && !had) {
		if (s->cpu_partial_slabs)
			partial_add(s, cpu, slab, true);
		else
			node_add(s, slab);
		return false;
	}
	if (slab->where == AT_NODE && is_empty(slab) &&
	    s->nr_partial >= s->min_partial) {
		node_remove(s, slab);
		return true;
	}
	return false;
}
