// SPDX-License-Identifier: MIT
/* replay_shadow_impl.h - lists of recorded slabs, as far as they are known */
#ifndef KMEMFS_MACHINE_REPLAY_SHADOW_IMPL_H
#define KMEMFS_MACHINE_REPLAY_SHADOW_IMPL_H

#include "replay_slab_impl.h"

/* An object of a new slab whose place in the slab's order is not known. */
#define INDEX_UNKNOWN 0xffff

/* A free list: indices of objects, the next one last. */
struct chain {
	uint16_t *index;
	unsigned int nr, room;
};

enum shadow_where { AT_NO_LIST, AT_CPU, AT_CPU_PARTIAL, AT_NODE };

struct shadow_slab {
	uint64_t base; /* recorded address */
	uint32_t cache;
	uint32_t cpu; /* AT_CPU, AT_CPU_PARTIAL: whose */
	uint16_t objects;
	uint8_t order;
	uint8_t where;	/* enum shadow_where */
	bool made;	/* during the recording: every object is known of */
	uint16_t fresh; /* object that the order of a new slab gave last, plus
			   one */
	struct chain list;	    /* its own, not the CPU's */
	struct shadow_slab *next;   /* of the list it is on */
	struct shadow_slab *before; /* AT_NODE */
};

struct shadow_cpu {
	struct shadow_slab *slab;
	struct chain list;
	struct shadow_slab *partial; /* put there last */
	unsigned int nr_partial;
};

struct shadow_cache {
	uint32_t root; /* the number of the one it turned out to be; its own */
	const char *name; /* NULL: no event has told */
	uint32_t req, size;
	uint8_t order;
	uint16_t objects;
	uint32_t min_partial, cpu_partial_slabs;
	struct shadow_cpu *cpu;
	struct shadow_slab *first, *last; /* the node's partial slabs */
	unsigned int nr_partial;
	uint16_t *follows; /* [objects]: in a new slab, plus one; 0: unknown */
	uint64_t allocated, freed, live;
	uint64_t steps, right, slab_right;
};

/* A block that was allocated and holds no slab yet. */
struct shadow_block {
	pfn_t pfn;
	unsigned int order;
};

#define BLOCKS_KEPT 4

struct slab_shadow {
	GPtrArray *caches; /* of struct shadow_cache *, number - 1 */
	GHashTable *pages; /* recorded page number -> struct shadow_slab * */
	unsigned int nr_cpus, page_shift;
	struct shadow_block (*blocks)[BLOCKS_KEPT]; /* [cpu], newest first */
	struct object_map *live; /* all objects, also by hashed pointers */
	uint64_t first_zero, first_other; /* new slabs by their first object */
};

/* --- replay_shadow_lists.c -------------------------------------------------
 */

void chain_push(struct chain *chain, uint16_t index);
/* All of @from goes to @to, which was empty. */
void chain_move(struct chain *to, struct chain *from);
/* The one at the top; INDEX_UNKNOWN too. */
uint16_t chain_top(const struct chain *chain);

void shadow_slab_free(void *slab);
/* @slab is on no list from now on. */
void shadow_unlist(struct shadow_cache *s, struct shadow_slab *slab);
/* CPU @cpu allocates from @slab from now on: what it had before is full. */
void shadow_switch(struct slab_shadow *shadow, struct shadow_cache *s,
		   unsigned int cpu, struct shadow_slab *slab);
/* Object @index is given out by the CPU's list: what lay above it, too,
 * without an event. */
void shadow_take(struct slab_shadow *shadow, struct shadow_cache *s,
		 unsigned int cpu, uint16_t index);
/* It is freed by CPU @cpu.  Returns true when the slab's pages go back. */
bool shadow_give(struct shadow_cache *s, struct shadow_slab *slab,
		 unsigned int cpu, uint16_t index);

#endif
