// SPDX-License-Identifier: MIT
/*
 * classic_reap.c - the classic SLAB gives back: timers, shrinking, the end
 *
 * What it models: cache_reap, drain_array, drain_cpu_caches, __cache_shrink,
 *                 kmem_cache_destroy, cpuup_callback of mm/slab.c, 2.6.11.
 * How it works:   every 2 s each CPU looks at its array of each cache.  One
 *                 that was taken from since is left alone; else a fifth of its
 *                 limit goes back to the slabs.  Every 4 s it looks at its
 *                 node's shared array in the same way, and then some free slabs
 *                 go back to the page allocator, unless free ones were used
 *                 since.  CPUs begin 12 ms after each other.
 * Always true:    one step of time does what many small ones do: each timer
 *                 runs at its own moment, in order, with grace periods between.
 *                 When a round of all CPUs found nothing to do, the rounds up
 *                 to now are skipped.
 * Differs from the kernel: timers never run late.
 */
#include "classic_impl.h"

#include <errno.h>

#define SECOND 1000000000ULL
#define JIFFY (SECOND / 250)
#define REAP_ARRAYS (2 * SECOND)
#define REAP_LISTS (4 * SECOND)
#define STAGGER (3 * JIFFY)

uint64_t
classic_now(const struct slab_common *sc)
{
	return sc->classic && sc->classic->now_ns ? sc->classic->now_ns
						  : *sc->phys->now_ns;
}

/* --- arrays ----------------------------------------------------------------
 */

/* drain_array: true when anything was done. */
static bool
drain(struct kmem_cache *s, struct array_cache *ac, unsigned int cpu,
      bool force)
{
	uint32_t nr;

	if (ac->touched && !force) {
		ac->touched = false;
		return true;
	}
	if (!ac->avail)
		return false;
	nr = force ? ac->avail : (ac->limit + 4) / 5;
	if (nr > ac->avail)
		nr = (ac->avail + 1) / 2;
	classic_free_block(s, ac->entry, nr, cpu);
	classic_array_shift(ac, nr);
	return true;
}

/* Up to @most slabs off the free list of node @nid; the first or the last of
 * them first. */
static bool
free_slabs(struct kmem_cache *s, unsigned int nid, uint64_t most, bool tail,
	   unsigned int cpu)
{
	struct slab_common *sc = s->common;
	struct slab_list *list = &s->node[nid].free;
	uint64_t nr = 0;

	for (; nr < most && list->head; nr++) {
		struct slab *slab =
			slab_at(sc, (tail ? list->tail : list->head) - 1);

		classic_unlink(slab);
		classic_of(s)->node[nid].free_objects -= slab->objects;
		classic_destroy(s, slab, cpu);
	}
	return nr != 0;
}

/* --- timers ----------------------------------------------------------------
 */

void
classic_timers_start(struct slab_common *sc)
{
	struct classic_timers *t = sc->classic;
	uint64_t now = *sc->phys->now_ns;

	if (t)
		return;
	t = sc->classic = g_new0(struct classic_timers, 1);
	t->reap_ns = g_new(uint64_t, sc->phys->nr_cpus);
	for (unsigned int i = 0; i < sc->phys->nr_cpus; i++)
		t->reap_ns[i] = now + SECOND + i * STAGGER;
}

void
classic_timers_free(struct slab_common *sc)
{
	if (sc->classic)
		g_free(sc->classic->reap_ns);
	g_free(sc->classic);
	sc->classic = NULL;
}

/* What CPU @cpu does about @s at @now; true when it was anything. */
static bool
reap_cache(struct kmem_cache *s, unsigned int cpu, uint64_t now)
{
	struct classic *c = classic_of(s);
	unsigned int nid = (unsigned int)slub_memory_node(s->common, cpu);
	struct classic_node *n = &c->node[nid];
	bool did = drain(s, &c->cpu[cpu], cpu, false);

	if (n->next_reap_ns > now)
		return did;
	n->next_reap_ns = now + REAP_LISTS;
	did |= drain(s, &n->shared, cpu, false);
	if (n->free_touched) {
		n->free_touched = false;
		return true;
	}
	return free_slabs(s, nid,
			  (n->free_limit + 5ULL * s->objects - 1) /
				  (5ULL * s->objects),
			  false, cpu) ||
	       did;
}

/* cache_reap on @cpu: all caches. */
static bool
reap(struct slab_common *sc, unsigned int cpu, uint64_t now)
{
	bool did = false;

	for (guint i = 0; i < sc->caches->len; i++) {
		struct kmem_cache *s = g_ptr_array_index(sc->caches, i);

		if (s->ops == &classic_ops)
			did |= reap_cache(s, cpu, now);
	}
	return did;
}

/* The CPU whose timer is the next to run. */
static unsigned int
next_cpu(const struct slab_common *sc)
{
	const uint64_t *at = sc->classic->reap_ns;
	unsigned int first = 0;

	for (unsigned int i = 1; i < sc->phys->nr_cpus; i++)
		if (at[i] < at[first])
			first = i;
	return first;
}

/*
 * Nothing changes any more until somebody uses a cache, and all timers repeat
 * themselves every REAP_LISTS: move them on together, as far as it goes.  Lists
 * that no CPU looks after have had no new time for long.
 */
static void
skip_idle(struct slab_common *sc, uint64_t now)
{
	struct classic_timers *t = sc->classic;
	uint64_t next = t->reap_ns[next_cpu(sc)];
	uint64_t by = now > next ? (now - next) / REAP_LISTS * REAP_LISTS : 0;

	for (unsigned int i = 0; i < sc->phys->nr_cpus; i++)
		t->reap_ns[i] += by;
	for (guint i = 0; i < sc->caches->len; i++) {
		struct kmem_cache *s = g_ptr_array_index(sc->caches, i);

		if (s->ops != &classic_ops)
			continue;
		for (unsigned int n = 0; n < sc->phys->nr_nodes; n++) {
			struct classic_node *node = &classic_of(s)->node[n];

			if (node->next_reap_ns + REAP_ARRAYS > next)
				node->next_reap_ns += by;
		}
	}
}

bool
classic_tick(struct slab_common *sc)
{
	struct classic_timers *t = sc->classic;
	uint64_t now = *sc->phys->now_ns, quiet_since = UINT64_MAX;
	bool did = false;

	for (;;) {
		unsigned int cpu = next_cpu(sc);
		uint64_t at = t->reap_ns[cpu];

		if (at > now)
			return did;
		did |= sc->rcu.length != 0;
		slab_rcu_until(sc, at);
		t->now_ns = at;
		t->reap_ns[cpu] += REAP_ARRAYS;
		if (sc->phys->cpu_online[cpu] && reap(sc, cpu, at)) {
			quiet_since = UINT64_MAX;
			did = true;
		} else if (quiet_since == UINT64_MAX) {
			quiet_since = at;
		}
		t->now_ns = 0;
		if (quiet_since != UINT64_MAX &&
		    at - quiet_since >= 4 * REAP_LISTS) {
			skip_idle(sc, now);
			quiet_since = UINT64_MAX;
		}
	}
}

/* --- shrinking, the end ----------------------------------------------------
 */

/* drain_cpu_caches */
static void
drain_all(struct kmem_cache *s)
{
	struct classic *c = classic_of(s);
	const struct phys *phys = s->common->phys;

	for (unsigned int i = 0; i < phys->nr_cpus; i++)
		drain(s, &c->cpu[i], i, true);
	for (unsigned int i = 0; i < phys->nr_nodes; i++)
		drain(s, &c->node[i].shared, slab_this_cpu(s->common), true);
}

void
classic_shrink(struct kmem_cache *s)
{
	drain_all(s);
	for (unsigned int i = 0; i < s->common->phys->nr_nodes; i++)
		free_slabs(s, i, UINT64_MAX, true, slab_this_cpu(s->common));
}

int
classic_shutdown(struct kmem_cache *s)
{
	classic_shrink(s);
	for (unsigned int i = 0; i < s->common->phys->nr_nodes; i++)
		if (s->node[i].full.nr || s->node[i].partial.nr) {
			classic_error(s, "kmem_cache_destroy",
				      "Can't free all objects");
			return -EBUSY;
		}
	slub_rcu_barrier(s);
	return 0;
}

void
classic_cpu_dead(struct kmem_cache *s, unsigned int cpu)
{
	drain(s, &classic_of(s)->cpu[cpu], slab_this_cpu(s->common), true);
	classic_of(s)->cpu[cpu].touched = false;
}
