// SPDX-License-Identifier: MIT
/*
 * cache.h - data caches of all CPUs, and what an access costs
 *
 * Each CPU has two levels of its own, each node a third; a line is held by
 * many CPUs to read and by one to write.  No bytes are kept: RAM is always
 * up to date; what is modelled is where a line is, and so how long it takes.
 */
#ifndef KMEMFS_HW_CACHE_H
#define KMEMFS_HW_CACHE_H

#include "kmemfs/base/number_stream.h"
#include "kmemfs/base/types.h"

#define CACHE_LINE 64

enum cache_level {
	CACHE_L1,
	CACHE_L2,
	CACHE_L3,
	NR_CACHE_LEVELS,
	CACHE_OTHER = NR_CACHE_LEVELS, /* another CPU's cache had it dirty */
	CACHE_MEMORY,
	NR_CACHE_SOURCES
};

struct cache_geometry {
	uint32_t sets; /* a power of two; 0: the level does not exist */
	uint32_t ways;
	uint32_t cycles; /* that a hit takes */
};

struct cache_config {
	struct cache_geometry level[NR_CACHE_LEVELS];
	uint32_t memory_cycles;	   /* from the CPU's own node; others take
				      distance / 10 times as many */
	uint32_t other_cycles;	   /* from another CPU's cache, same node */
	uint32_t unaligned_cycles; /* more when an access touches two lines */
};

extern const struct cache_config cache_default_config;

struct cache_stats {
	uint64_t hits[NR_CACHE_SOURCES]; /* by where the line came from */
	uint64_t invalidated; /* lines that other CPUs' writes took away */
	uint64_t remote;      /* came from another node's memory */
	uint64_t cycles;
};

struct caches;

struct caches *caches_new(const struct cache_config *config,
			  unsigned int nr_cpus, const int32_t *cpu_node,
			  unsigned int nr_nodes);
void caches_free(struct caches *c);

/*
 * CPU @cpu reads or writes @len bytes at @at (at most a line's length), which
 * are memory of a node at @distance (10: its own).  Returns the cycles;
 * stores where the first line came from.
 */
uint32_t caches_access(struct caches *c, unsigned int cpu, pa_t at,
		       unsigned int len, bool write, unsigned int distance,
		       enum cache_level *from);
/* The same if it lies in one line that L1 can serve alone, whatever the
 * distance; else false, and nothing has happened. */
bool caches_hit(struct caches *c, unsigned int cpu, pa_t at, unsigned int len,
		bool write, uint32_t *cycles);
/* What caches_access would take, changing nothing. */
uint32_t caches_latency(const struct caches *c, unsigned int cpu, pa_t at,
			unsigned int distance, enum cache_level *from);
/* CLFLUSH: the line leaves all caches. */
void caches_flush_line(struct caches *c, pa_t at);
/* WBINVD: everything leaves the caches of @cpu. */
void caches_flush_cpu(struct caches *c, unsigned int cpu);
const struct cache_stats *caches_stats(const struct caches *c,
				       unsigned int cpu);

struct cache_geometry caches_geometry(const struct caches *c,
				      enum cache_level level);
/* What a line from the node's own memory takes. */
uint32_t caches_memory_cycles(const struct caches *c);
/* What later accesses depend on, as numbers. */
void caches_digest(const struct caches *c, const struct number_stream *to);

/* Walk a CPU's lines of a level: the @n-th way, sets first; false beyond the
 * end; @line UINT64_MAX: empty. */
bool caches_line(const struct caches *c, unsigned int cpu,
		 enum cache_level level, unsigned int n, pa_t *line,
		 bool *dirty);

#endif
