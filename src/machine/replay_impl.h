// SPDX-License-Identifier: MIT
/* replay_impl.h - what the feeding of lines and the ops of a replay share */
#ifndef KMEMFS_MACHINE_REPLAY_IMPL_H
#define KMEMFS_MACHINE_REPLAY_IMPL_H

#include "kmemfs/machine/op.h"
#include "kmemfs/machine/replay.h"

/* Recorded stamps may lie this far behind the first: 36 years. */
#define REPLAY_AT_MAX (1ULL << 60)

/* A recorded block that is live, and what stands for it here. */
struct replay_block {
	pfn_t recorded;
	pfn_t pfn;
	unsigned int order;
};

/* Recorded frames are numbered below this. */
#define REPLAY_PFN_MAX (1ULL << 52)

/* Whether a block can begin at @pfn: blocks are aligned to their size. */
static inline bool
replay_is_block(pfn_t pfn, unsigned int order)
{
	return pfn < REPLAY_PFN_MAX && !(pfn & ((1ULL << order) - 1));
}

struct replay_map *replay_map_new(void);
void replay_map_free(struct replay_map *map);
/* Add a block; none that begins at the same recorded frame may be there. */
void replay_map_add(struct replay_map *map, const struct replay_block *block);
/* The block that begins at recorded frame @recorded; false when none does. */
bool replay_map_find(const struct replay_map *map, pfn_t recorded,
		     struct replay_block *block);
/* The block that covers recorded frame @recorded. */
bool replay_map_cover(const struct replay_map *map, pfn_t recorded,
		      struct replay_block *block);
/* Forget the block that begins at @recorded; it must be there. */
void replay_map_remove(struct replay_map *map, pfn_t recorded);
/* All blocks by recorded frame, *@nr of them, to be freed with g_free. */
struct replay_block *replay_map_list(const struct replay_map *map,
				     uint64_t *nr);
uint64_t replay_map_blocks(const struct replay_map *map);
uint64_t replay_map_pages(const struct replay_map *map);
/* A sum over all blocks that does not depend on their order. */
uint64_t replay_map_fingerprint(const struct replay_map *map);

/* Count @mismatch and list it with @where. */
void replay_note(struct replay *replay, enum replay_mismatch mismatch,
		 const struct replay_note *where);

/* One step on its way. */
struct step {
	struct op *op;
	struct machine *m;
	struct replay *replay;
	pfn_t pfn; /* recorded */
	unsigned int order;
	unsigned int cpu;
	enum ftrace_kind event;
	uint64_t at;
	bool noted; /* one line in replay/mismatches a step */
};

static inline uint64_t
block_pages(unsigned int order)
{
	return 1ULL << order;
}

/* Count a disagreement; the first of a step is also listed. */
void step_note(struct step *s, enum replay_mismatch mismatch);
/* Checks that all steps share (op_refuse); the pfn is their first parameter. */
int step_check(const struct step *s);
/* Modelled time moves to the stamp; what is traced tells the recorded task. */
void step_stamp(struct step *s);
/*
 * Make room in the map for the step's block: whatever overlaps it was freed
 * without being seen.  Under model it is freed now; under mirror mirror_*()
 * does it, which finds the frames allocated.
 */
void blocks_evict(struct step *s);
/* Free what is known of the step's frames; returns how many blocks. */
unsigned int blocks_free(struct step *s);
/* Free our block; the map forgets it. */
void block_release(struct step *s, const struct replay_block *block);

/* --- replay_queue.c: frees that may be part of a list's --------------------
 */

/* Do the recorded step now: the line as @e, stamped @at. */
int replay_step(struct machine *m, const struct ftrace_event *e, uint64_t at,
		struct refusal *r);
/*
 * Put a line where it belongs: frees that were only announced wait for their
 * mm_page_free_batched.  Does what waits and has to come before @e.  Returns
 * true when @e is not to be done now, or was done.
 */
bool queue_event(struct machine *m, const struct ftrace_event *e, uint64_t at);
/* Do all that waits. */
/* Whether a free interrupts a list's that has the CPU's list of its zone. */
bool queue_interrupted(struct machine *m, const struct ftrace_event *e,
		       unsigned int cpu);
void queue_flush(struct machine *m);
void queue_free(struct replay_queue *queue, unsigned int nr_cpus);
/* A line that is no event of pages, but tells of some: vmalloc, kswapd. */
void replay_hint(struct machine *m, const struct ftrace_event *e,
		 const char *line, size_t len, uint64_t at);
/* The CPU here that does the work of a recorded one. */
unsigned int replay_fold_cpu(struct machine *m, uint32_t recorded);

#endif
