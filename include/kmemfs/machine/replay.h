// SPDX-License-Identifier: MIT
/*
 * replay.h - a recording of a real kernel, done again in the model
 *
 * Lines of a recording (ftrace.h) become ops, so that the journal holds what
 * was done and not the recording:  replay_begin(), replay_line() for each line,
 * replay_end().  Lines that change nothing (what is not known; slab events
 * under mirror) are counted and make no op.
 *
 * Policy model: the allocator chooses; maps remember which block stands for
 * which recorded one, and which object.  Pages that the recorded kernel took
 * for its slabs are passed over: our slabs take theirs.  Policy mirror: the
 * recorded frames themselves are taken, from wherever they are; of objects it
 * is only foretold where they will lie.
 */
#ifndef KMEMFS_MACHINE_REPLAY_H
#define KMEMFS_MACHINE_REPLAY_H

#include "kmemfs/base/refusal.h"
#include "kmemfs/machine/ftrace.h"
#include "kmemfs/machine/machine.h"

enum replay_policy { REPLAY_MODEL, REPLAY_MIRROR, NR_REPLAY_POLICIES };

/*
 * Where model and recording did not agree.
 * R(id, word in files, what it means and what was done)
 */
#define REPLAY_MISMATCHES(R)                                                   \
	R(ELSEWHERE, "elsewhere", "it was free, but in another place")         \
	R(NOT_FREE, "not_free", "it was allocated; freed first")               \
	R(NOT_MANAGED, "not_managed", "it was reserved; given to its zone")    \
	R(IMPOSSIBLE, "impossible",                                            \
	  "no such memory, or no such block; nothing done")                    \
	R(OWNED, "owned", "an allocation of ours has it; nothing done")        \
	R(REALLOCATED, "reallocated", "its free was not seen; freed first")    \
	R(PARTIAL, "partial", "a part, or parts, of what was allocated")       \
	R(UNKNOWN, "unknown_free", "nothing known to be allocated there")      \
	R(FAILED, "failed", "no memory here, where the recording found some")  \
	R(FORESEEN, "foreseen", "the model would have done otherwise")         \
	R(OBJECT, "object", "another object was foretold, or none")            \
	R(OBJECT_UNKNOWN, "object_unknown", "no such object is known")         \
	R(OBJECT_AGAIN, "object_again", "its free was not seen; freed first")  \
	R(OBJECT_FAILED, "object_failed",                                      \
	  "no memory here, where the recording found some")

enum replay_mismatch {
#define REPLAY_ENUM(id, word, means) MISMATCH_##id,
	REPLAY_MISMATCHES(REPLAY_ENUM)
#undef REPLAY_ENUM
		NR_MISMATCHES
};

/*
 * What a mirrored replay foretells, step by step.
 * F(id, word in files, the event, what counts as right)
 */
#define REPLAY_FORESEEN(F)                                                     \
	F(BUDDY, "buddy", "mm_page_alloc_zone_locked", "the block taken")      \
	F(PCP, "pcp", "mm_page_alloc of orders with per-cpu lists",            \
	  "the block at the list's head")                                      \
	F(DRAIN, "drain", "mm_page_pcpu_drain",                                \
	  "when, which block, and when it ends")                               \
	F(FALLBACK, "fallback", "mm_page_alloc_extfrag",                       \
	  "block, order, type it had, and who owns its pageblock afterwards")

enum replay_foreseen {
#define REPLAY_ENUM(id, word, event, right) FORESEEN_##id,
	REPLAY_FORESEEN(REPLAY_ENUM)
#undef REPLAY_ENUM
		NR_FORESEEN
};

/* The part of slab events. */
struct replay_slab_counts {
	uint64_t events;
	uint64_t hidden; /* whose pointer the kernel would not print */
	/* Kept by the ops. */
	uint64_t allocated;  /* objects */
	uint64_t freed;	     /* objects, of those that were known */
	uint64_t had_failed; /* allocations that failed in the recording */
	uint64_t null_frees; /* of NULL and ZERO_SIZE_PTR */
	uint64_t unknown;    /* frees of what was not known to be allocated */
	uint64_t again;	     /* allocated twice: its free was not recorded */
	uint64_t failed;     /* no memory here */
	uint64_t impossible; /* what cannot be here; nothing done */
	/* Kept by whoever makes ops of lines. */
	uint64_t made;	  /* caches */
	uint64_t by_size; /* sites whose cache was chosen by its sizes */
	uint64_t learnt;  /* sites whose cache a free told */
	uint64_t moved;	  /* of them, those that had been given another one */
	uint64_t pages_taken; /* allocations of slabs' pages, passed over */
	uint64_t pages_freed; /* and frees */
	/* Mirror: allocations with addresses that are none of a hash. */
	uint64_t steps;
	uint64_t object_right; /* this very object was foretold */
	uint64_t slab_right;   /* its slab was */
	uint64_t no_cache;     /* first of its site: which cache is not known */
	uint64_t before;       /* its slab is older than the recording */
	uint64_t shuffled;  /* its place in a new slab's order was not known */
	uint64_t otherwise; /* another one was foretold */
};

/* Counts of one replay. */
struct replay_counts {
	uint64_t lines;
	uint64_t headers;     /* empty lines and remarks among them */
	uint64_t unparsed;    /* lines that are nothing known */
	uint64_t lost;	      /* events that the recorder lost */
	uint64_t folded_cpus; /* events on CPUs that this machine has not */
	uint64_t unknown_gfp; /* words in gfp_flags that nobody knows */
	uint64_t event[NR_FTRACE_EVENTS]; /* lines by event */
	/* From here on kept by the ops. */
	uint64_t allocated;  /* blocks */
	uint64_t freed;	     /* blocks, of those that were known */
	uint64_t had_failed; /* allocations that failed in the recording */
	uint64_t same_frame; /* model: just the recorded frame was chosen */
	uint64_t mismatch[NR_MISMATCHES];
	struct {
		uint64_t steps, right;
	} foreseen[NR_FORESEEN]; /* mirror */
	/* Mirror with a start state: what no event showed. */
	uint64_t silent;    /* pages of bulk allocations */
	uint64_t missing;   /* pages found to be taken by nobody knows whom */
	uint64_t types;	    /* blocks found on a list of another type */
	uint64_t reordered; /* blocks found not to be the first of their list */
	uint64_t late;	    /* pages given to their zone late */
	struct replay_slab_counts slab;
};

#define REPLAY_NOTES 1000
#define REPLAY_NOTE_LISTS 128

/* One line of replay/mismatches. */
struct replay_note {
	uint64_t at_ns; /* since the recording's first stamp */
	pfn_t pfn;	/* recorded; of slab events the pointer */
	uint16_t cpu;
	uint8_t event; /* enum ftrace_kind */
	uint8_t order;
	uint8_t mismatch; /* enum replay_mismatch */
	uint8_t foreseen; /* FORESEEN: enum replay_foreseen */
	pfn_t expected;	  /* FORESEEN: PFN_NONE: nothing of the kind; OBJECT:
			     the object's or the slab's address, 0 */
	char lists[REPLAY_NOTE_LISTS]; /* FORESEEN: the lists concerned;
					  OBJECT: why */
};

struct replay_map;
struct foresight;
struct replay_queue;
struct replay_slab;

struct replay {
	enum replay_policy policy;
	bool running;
	bool based;	   /* base_ns is set */
	bool stamped;	   /* first_ts is set */
	uint64_t base_ns;  /* modelled time of the first stamp */
	uint64_t first_ts; /* recorded time of the first stamp */
	uint64_t last_at;  /* latest stamp, since the first */
	struct replay_counts counts;
	struct replay_map *map; /* recorded block -> ours, live ones */
	struct replay_note notes[REPLAY_NOTES]; /* a ring */
	uint64_t nr_notes; /* ever taken; number n is notes[n % size] */
	struct ftrace reader;
	struct foresight *foresight; /* mirror; NULL until needed */
	struct replay_queue *queue;  /* mirror with a start state: frees that
					may be part of a list's */
	struct replay_slab *slab;    /* NULL until needed */
	const struct ftrace_event *current; /* line in hand, for the trace */
	const struct op_desc *op[FTRACE_KMALLOC]; /* of the mm_page events */
};

/* The machine's replay, made at first use. */
struct replay *replay_of(struct machine *m);
/* For machine_free(); @replay may be NULL. */
void replay_free(struct replay *replay, unsigned int nr_cpus);

/*
 * Begin a replay; one that was left open is ended.  The policy is what op
 * replay/policy set.  Returns 0, or -EIO with @r after a panic.
 */
int replay_begin(struct machine *m, struct refusal *r);
/*
 * Do one line, @len bytes, its line end not counted.  What does not fit the
 * machine is counted and passed over.  Returns 0; -EINVAL with @r when no
 * replay has begun, -EIO after a panic.
 */
int replay_line(struct machine *m, const char *line, size_t len,
		struct refusal *r);
/* End it: modelled time moves to the last stamp. */
int replay_end(struct machine *m, struct refusal *r);

/* Live recorded blocks, and their frames. */
uint64_t replay_live_blocks(const struct replay *replay);
uint64_t replay_live_pages(const struct replay *replay);
/* Recorded objects that live, as far as is known; objects of ours that stand
 * for recorded ones. */
uint64_t replay_live_objects(const struct replay *replay);
uint64_t replay_standing_objects(const struct replay *replay);
/* Pages that the recorded kernel's slabs have now, of those passed over. */
uint64_t replay_slab_pages(const struct replay *replay);
/* The tables of replay/caches and replay/sites. */
void replay_print_caches(struct machine *m, struct out *out);
void replay_print_sites(struct machine *m, struct out *out);
/* What of a replay decides later ops, as one number: equal states give equal
 * numbers.  For the digest. */
uint64_t replay_fingerprint(const struct machine *m);
/* Whether a start state was given for the replay that runs or comes next. */
bool replay_started(const struct replay *replay);
/* Steps of @kind in zone number @zone and of @order, and how many of them were
 * foretold. */
void replay_foreseen(const struct replay *replay, unsigned int zone,
		     enum replay_foreseen kind, unsigned int order,
		     uint64_t *steps, uint64_t *right);
/* "buddy". */
const char *replay_foreseen_name(enum replay_foreseen kind);
/* "elsewhere", and what that means. */
const char *replay_mismatch_name(enum replay_mismatch mismatch);
const char *replay_mismatch_meaning(enum replay_mismatch mismatch);

#endif
