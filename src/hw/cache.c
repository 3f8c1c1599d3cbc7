// SPDX-License-Identifier: MIT
/*
 * cache.c - data caches of all CPUs, and what an access costs
 *
 * How it works: a cache is sets of ways, each a line's number and how it is
 * held; the least recently used way is replaced.  A CPU's second level holds
 * all that its first does.  Who else holds a line is found by looking into the
 * caches of all CPUs that have ever made an access: there are few in any
 * experiment, and no directory has to be kept right.
 *
 *     read      a line that another CPU has written comes from there; both
 *               hold it to read then
 *     write     all other CPUs lose the line; this one holds it to write
 *
 * Always true: a line held to write is in one CPU's caches only.
 */
#include "kmemfs/hw/cache.h"

#include <glib.h>

#define LINE_SHIFT 6
#define NO_LINE UINT64_MAX

const struct cache_config cache_default_config = {
	.level = {{64, 8, 4}, {1024, 16, 14}, {2048, 16, 44}},
	.memory_cycles = 220,
	.other_cycles = 80,
	.unaligned_cycles = 6,
};

struct way {
	uint64_t line; /* address / 64 */
	uint64_t used : 63;
	uint64_t dirty : 1; /* held to write */
};

struct cache {
	struct way *ways; /* [sets * ways], NULL until used */
	uint64_t uses;
};

struct cpu_caches {
	struct cache own[2]; /* L1, L2 */
	struct cache_stats stats;
	bool active;
};

struct caches {
	struct cache_config config;
	unsigned int nr_cpus, nr_nodes;
	int32_t *cpu_node;
	struct cpu_caches *cpu;
	struct cache *node; /* L3, [nr_nodes] */
};

struct caches *
caches_new(const struct cache_config *config, unsigned int nr_cpus,
	   const int32_t *cpu_node, unsigned int nr_nodes)
{
	struct caches *c = g_new0(struct caches, 1);

	c->config = *config;
	c->nr_cpus = nr_cpus;
	c->nr_nodes = nr_nodes;
	c->cpu_node = g_memdup2(cpu_node, nr_cpus * sizeof(*cpu_node));
	for (unsigned int i = 0; i < nr_cpus; i++)
		c->cpu_node[i] = MAX_OF(c->cpu_node[i], 0);
	c->cpu = g_new0(struct cpu_caches, nr_cpus);
	c->node = g_new0(struct cache, nr_nodes);
	return c;
}

void
caches_free(struct caches *c)
{
	if (!c)
		return;
	for (unsigned int i = 0; i < c->nr_cpus; i++)
		for (unsigned int l = 0; l < 2; l++)
			g_free(c->cpu[i].own[l].ways);
	for (unsigned int n = 0; n < c->nr_nodes; n++)
		g_free(c->node[n].ways);
	g_free(c->node);
	g_free(c->cpu);
	g_free(c->cpu_node);
	g_free(c);
}

/* --- one cache ----------------------------------------------------------- */

static struct way *
cache_set(const struct cache *cache, const struct cache_geometry *g,
	  uint64_t line)
{
	return cache->ways + (line & (g->sets - 1)) * g->ways;
}

static struct way *
cache_find(const struct cache *cache, const struct cache_geometry *g,
	   uint64_t line)
{
	struct way *w;

	if (!cache->ways)
		return NULL;
	w = cache_set(cache, g, line);
	for (uint32_t i = 0; i < g->ways; i++, w++)
		if (w->line == line)
			return w;
	return NULL;
}

/* Put @line in; returns the line that had to go, NO_LINE. */
static uint64_t
cache_enter(struct cache *cache, const struct cache_geometry *g, uint64_t line,
	    bool dirty)
{
	struct way *w, *take;
	uint64_t gone;

	if (!g->sets)
		return NO_LINE;
	if (!cache->ways) {
		cache->ways = g_new0(struct way, (size_t)g->sets * g->ways);
		for (uint32_t i = 0; i < g->sets * g->ways; i++)
			cache->ways[i].line = NO_LINE;
	}
	take = cache_find(cache, g, line);
	if (!take) {
		take = w = cache_set(cache, g, line);
		for (uint32_t i = 0; i < g->ways; i++, w++) {
			if (w->line == NO_LINE) {
				take = w;
				break;
			}
			if (w->used < take->used)
				take = w;
		}
	}
	gone = take->line == line ? NO_LINE : take->line;
	take->line = line;
	take->dirty = dirty;
	take->used = ++cache->uses;
	return gone;
}

static bool
cache_drop(struct cache *cache, const struct cache_geometry *g, uint64_t line)
{
	struct way *w = cache_find(cache, g, line);

	if (!w)
		return false;
	*w = (struct way){.line = NO_LINE};
	return true;
}

/* --- the caches of a CPU ------------------------------------------------- */

static struct way *
own_find(const struct caches *c, unsigned int cpu, uint64_t line,
	 enum cache_level *level)
{
	for (unsigned int l = 0; l < 2; l++) {
		struct way *w = cache_find(&c->cpu[cpu].own[l],
					   &c->config.level[l], line);

		if (w) {
			*level = l;
			return w;
		}
	}
	return NULL;
}

static bool
own_drop(struct caches *c, unsigned int cpu, uint64_t line)
{
	bool had = false;

	for (unsigned int l = 0; l < 2; l++)
		had |= cache_drop(&c->cpu[cpu].own[l], &c->config.level[l],
				  line);
	return had;
}

static void
own_enter(struct caches *c, unsigned int cpu, uint64_t line, bool dirty)
{
	struct cpu_caches *own = &c->cpu[cpu];
	uint64_t gone = cache_enter(&own->own[CACHE_L2],
				    &c->config.level[CACHE_L2], line, dirty);

	if (gone != NO_LINE)
		cache_drop(&own->own[CACHE_L1], &c->config.level[CACHE_L1],
			   gone);
	cache_enter(&own->own[CACHE_L1], &c->config.level[CACHE_L1], line,
		    dirty);
	own->active = true;
}

/* Another CPU that holds @line to write, or -1. */
static int
dirty_elsewhere(const struct caches *c, unsigned int cpu, uint64_t line)
{
	enum cache_level level;

	for (unsigned int i = 0; i < c->nr_cpus; i++) {
		const struct way *w;

		if (i == cpu || !c->cpu[i].active)
			continue;
		w = own_find(c, i, line, &level);
		if (w && w->dirty)
			return (int)i;
	}
	return -1;
}

static void
share(struct caches *c, unsigned int cpu, uint64_t line)
{
	for (unsigned int l = 0; l < 2; l++) {
		struct way *w = cache_find(&c->cpu[cpu].own[l],
					   &c->config.level[l], line);

		if (w)
			w->dirty = false;
	}
}

static void
take_from_others(struct caches *c, unsigned int cpu, uint64_t line)
{
	for (unsigned int i = 0; i < c->nr_cpus; i++)
		if (i != cpu && c->cpu[i].active && own_drop(c, i, line))
			c->cpu[i].stats.invalidated++;
}

/* --- accesses ------------------------------------------------------------ */

static uint32_t
scaled(uint32_t cycles, unsigned int distance)
{
	return (uint32_t)((uint64_t)cycles * MAX_OF(distance, 10U) / 10);
}

static uint32_t
latency(const struct caches *c, unsigned int cpu, uint64_t line,
	unsigned int distance, enum cache_level *from, int *other)
{
	int32_t node = c->cpu_node[cpu];

	*other = -1;
	if (own_find(c, cpu, line, from))
		return c->config.level[*from].cycles;
	*other = dirty_elsewhere(c, cpu, line);
	if (*other >= 0) {
		*from = CACHE_OTHER;
		/* Between nodes it travels as far as memory does. */
		return c->cpu_node[*other] == node
			       ? c->config.other_cycles
			       : scaled(c->config.other_cycles,
					MAX_OF(distance, 20U));
	}
	if (cache_find(&c->node[node], &c->config.level[CACHE_L3], line)) {
		*from = CACHE_L3;
		return c->config.level[CACHE_L3].cycles;
	}
	*from = CACHE_MEMORY;
	return scaled(c->config.memory_cycles, distance);
}

uint32_t
caches_latency(const struct caches *c, unsigned int cpu, pa_t at,
	       unsigned int distance, enum cache_level *from)
{
	int other;

	return latency(c, cpu, at >> LINE_SHIFT, distance, from, &other);
}

/* What L1 can do alone no other level hears of. */
static inline bool
hit_l1(struct caches *c, unsigned int cpu, uint64_t line, bool write)
{
	struct cpu_caches *own = &c->cpu[cpu];
	struct cache *l1 = &own->own[CACHE_L1];
	struct way *w = cache_find(l1, &c->config.level[CACHE_L1], line);

	if (!w || (write && !w->dirty))
		return false;
	w->used = ++l1->uses;
	own->stats.hits[CACHE_L1]++;
	return true;
}

bool
caches_hit(struct caches *c, unsigned int cpu, pa_t at, unsigned int len,
	   bool write, uint32_t *cycles)
{
	if ((at & (CACHE_LINE - 1)) + len > CACHE_LINE ||
	    !hit_l1(c, cpu, at >> LINE_SHIFT, write))
		return false;
	*cycles = c->config.level[CACHE_L1].cycles;
	c->cpu[cpu].stats.cycles += *cycles;
	return true;
}

static uint32_t
access_line(struct caches *c, unsigned int cpu, uint64_t line, bool write,
	    unsigned int distance, enum cache_level *from)
{
	struct cpu_caches *own = &c->cpu[cpu];
	struct cache *l3 = &c->node[c->cpu_node[cpu]];
	const struct way *w;
	enum cache_level level;
	uint32_t cycles;
	bool dirty;
	int other;

	if (hit_l1(c, cpu, line, write)) {
		*from = CACHE_L1;
		return c->config.level[CACHE_L1].cycles;
	}
	w = own_find(c, cpu, line, &level);
	dirty = w && w->dirty;
	cycles = latency(c, cpu, line, distance, from, &other);

	if (write && !dirty) {
		take_from_others(c, cpu, line);
		for (unsigned int n = 0; n < c->nr_nodes; n++)
			if (&c->node[n] != l3)
				cache_drop(&c->node[n],
					   &c->config.level[CACHE_L3], line);
		dirty = true;
	} else if (other >= 0) {
		share(c, (unsigned int)other, line);
	}
	own_enter(c, cpu, line, dirty);
	if (*from != CACHE_L1 && *from != CACHE_L2)
		cache_enter(l3, &c->config.level[CACHE_L3], line, false);
	own->stats.hits[*from]++;
	own->stats.remote += *from == CACHE_MEMORY && distance > 10;
	return cycles;
}

uint32_t
caches_access(struct caches *c, unsigned int cpu, pa_t at, unsigned int len,
	      bool write, unsigned int distance, enum cache_level *from)
{
	uint64_t first = at >> LINE_SHIFT;
	uint64_t last = (at + (len ? len - 1 : 0)) >> LINE_SHIFT;
	uint32_t cycles = access_line(c, cpu, first, write, distance, from);
	enum cache_level second;

	if (last != first)
		cycles += access_line(c, cpu, last, write, distance, &second) +
			  c->config.unaligned_cycles;
	c->cpu[cpu].stats.cycles += cycles;
	return cycles;
}

void
caches_flush_line(struct caches *c, pa_t at)
{
	uint64_t line = at >> LINE_SHIFT;

	for (unsigned int cpu = 0; cpu < c->nr_cpus; cpu++)
		own_drop(c, cpu, line);
	for (unsigned int n = 0; n < c->nr_nodes; n++)
		cache_drop(&c->node[n], &c->config.level[CACHE_L3], line);
}

void
caches_flush_cpu(struct caches *c, unsigned int cpu)
{
	for (unsigned int l = 0; l < 2; l++)
		g_clear_pointer(&c->cpu[cpu].own[l].ways, g_free);
}

const struct cache_stats *
caches_stats(const struct caches *c, unsigned int cpu)
{
	return &c->cpu[cpu].stats;
}

bool
caches_line(const struct caches *c, unsigned int cpu, enum cache_level level,
	    unsigned int n, pa_t *line, bool *dirty)
{
	const struct cache_geometry *g = &c->config.level[level];
	const struct cache *cache = level == CACHE_L3
					    ? &c->node[c->cpu_node[cpu]]
					    : &c->cpu[cpu].own[level];

	if (n >= g->sets * g->ways || !cache->ways)
		return false;
	*line = cache->ways[n].line;
	if (*line != NO_LINE)
		*line <<= LINE_SHIFT;
	*dirty = cache->ways[n].dirty;
	return true;
}

struct cache_geometry
caches_geometry(const struct caches *c, enum cache_level level)
{
	return c->config.level[level];
}

uint32_t
caches_memory_cycles(const struct caches *c)
{
	return c->config.memory_cycles;
}

static void
put_cache(const struct number_stream *to, const struct cache *cache,
	  const struct cache_geometry *g)
{
	for (uint32_t i = 0; cache->ways && i < g->sets * g->ways; i++) {
		const struct way *w = &cache->ways[i];

		if (w->line == NO_LINE)
			continue;
		stream_put(to, i);
		stream_put(to, w->line << 1 | w->dirty);
		stream_put(to, w->used);
	}
}

void
caches_digest(const struct caches *c, const struct number_stream *to)
{
	for (unsigned int i = 0; i < c->nr_cpus; i++)
		for (unsigned int l = 0; l < 2; l++)
			put_cache(to, &c->cpu[i].own[l], &c->config.level[l]);
	for (unsigned int n = 0; n < c->nr_nodes; n++)
		put_cache(to, &c->node[n], &c->config.level[CACHE_L3]);
}
