// SPDX-License-Identifier: MIT
/*
 * compare_impl.h - end states of machines, side by side
 */
#ifndef KMEMFS_CLI_COMPARE_IMPL_H
#define KMEMFS_CLI_COMPARE_IMPL_H

#include "kmem_impl.h"

#include "kmemfs/machine/machine.h"

/* Sides that a table has room for. */
#define COMPARE_MOST 8

/* A zone as it stood at the end, and what it went through on the way. */
struct zone_state {
	unsigned int node;
	enum zone_type type;
	uint64_t managed, free, pcp;
	uint64_t min, low, high, boost;
	uint64_t blocks[MAX_ORDER]; /* free ones */
	unsigned int unusable[MAX_ORDER];
	int fragmentation[MAX_ORDER];
	uint64_t pageblocks[MIGRATE_TYPES];
	uint64_t lowest;    /* free pages, ever */
	uint64_t below_low; /* times that free pages fell below the mark */
	uint64_t below_min;
};

/* What was watched while the work was done. */
struct work {
	uint64_t allocated; /* blocks */
	uint64_t failed[MAX_ORDER];
	uint64_t stalls; /* times that direct reclaim was called for */
	/* Blocks that type [x] took from lists of type [y]; of these, smaller
	 * than a pageblock; pageblocks that became x's. */
	uint64_t fallbacks[MIGRATE_TYPES][MIGRATE_TYPES];
	uint64_t fragmenting;
	uint64_t retagged[MIGRATE_TYPES][MIGRATE_TYPES];
};

struct side {
	char *title; /* as it was given */
	unsigned int page_kib;
	struct zone_state *zones;
	unsigned int nr_zones; /* managed ones */
	struct work work;
};

/* --- compare_state.c ---------------------------------------------------- */

struct watch;
/* Watch what @m does from now on. */
struct watch *watch_new(struct machine *m);
/* Stop, and fill in @side with the end state. */
void watch_end(struct watch *watch, struct side *side);
void side_fini(struct side *side);
/* The zone of @side, NULL when it manages nothing there. */
const struct zone_state *side_zone(const struct side *side, unsigned int node,
				   enum zone_type type);

/* --- compare_print.c, compare_plot.c ------------------------------------ */

/* At most COMPARE_MOST sides. */
void compare_print(const struct side *sides, unsigned int nr, struct out *out);
/* An SVG picture: free memory by the order of its blocks. */
void compare_plot(const struct side *sides, unsigned int nr, struct out *out);

#endif
