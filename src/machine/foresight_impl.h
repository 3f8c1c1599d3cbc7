// SPDX-License-Identifier: MIT
/*
 * foresight_impl.h - a mirrored recording, foretold step by step
 *
 * Before a recorded step is done the model is asked what it would do; then the
 * recorded step is done, so that one mistake does not make all that follow
 * wrong.  Once a start state was given (op replay/start), what the recording
 * proves about what it does not show is put right as well.
 */
#ifndef KMEMFS_MACHINE_FORESIGHT_IMPL_H
#define KMEMFS_MACHINE_FORESIGHT_IMPL_H

#include "kmemfs/phys/foresight.h"
#include "replay_impl.h"

/* A refill of a per-cpu list: blocks that left the buddy in a row. */
struct burst {
	struct zone *zone; /* NULL: none is going on */
	unsigned int order;
	enum migratetype type;
	uint32_t nr;	 /* blocks so far */
	bool silent;	 /* some of it went to a bulk allocation */
	uint64_t before; /* blocks that were on the list when it began */
};

struct foresight_cpu {
	struct drain_step drain;
	bool drained; /* a block of that drain has come */
	enum alloc_context drain_context;
	uint32_t factor;    /* free_factor before that drain */
	struct zone *freed; /* the last step pushed a block there */
	pfn_t freed_pfn;
	unsigned int freed_order;
	pfn_t exact; /* the block allocated last, while nothing */
	unsigned int
		exact_order; /* but parts of it were freed; order 0: none */
	struct burst burst;
	pfn_t lone;	   /* the last block from the buddy, when the list
			      has others: of an interrupt, maybe */
	struct zone *held; /* its list was in use by who had been preempted
			      in a refill: proved by such a block */
	unsigned int held_list;
	uint64_t silent; /* pages still to be taken by no event */
	struct zone *silent_zone;
	GArray *silently; /* of pfn_t, those taken last */
	pfn_t assumed;	  /* the assumed page taken last, 0: none yet, */
	int way;	  /* and on which side of the one before it lay */
};

struct foresight {
	bool started; /* a start state was given */
	enum pcp_phase phase;
	struct foresight_cpu *cpu; /* [nr_cpus] */
	int64_t *hidden;  /* [zone * nr_cpus + cpu]: pages of that list that the
			     model does not know of */
	GArray *late;	  /* of struct pfn_span: initialised late */
	uint8_t *assumed; /* bits by pfn: a capture found it on a per-cpu list
			     and no step has named it; NULL: no capture */
	uint64_t nr_assumed;
	uint64_t assumed_sum; /* of their squares, for the fingerprint */
	uint64_t (*mixed)[MIGRATE_PCPTYPES]; /* [zone * nr_cpus + cpu]: of so
			    many blocks from its head on some may be known,
			    behind them all are assumed */
	uint8_t *proved; /* [zone * nr_cpus + cpu]: bits by type: the list was
			    empty once */
	uint8_t *was_freed; /* bits by pfn: the last step of this block that
			       could put it on a per-cpu list was a free */
	uint8_t *shown;	    /* [pageblock]: a step has told its type */
	uint64_t marks;	    /* sums over these and lost, for the fingerprint */
	GHashTable *tries;  /* first pfn -> lists that a block was put on */
	GHashTable *lost;   /* first pfn -> order + 1 of a free block that was
			       found to be in use */
	uint64_t (*tally)[NR_FORESEEN][MAX_ORDER][2]; /* [zone]: steps, right */
};

/* The foresight of a replay, made at first use. */
struct foresight *foresight_of(struct machine *m);
void foresight_free(struct foresight *f, unsigned int nr_cpus);
/* Counts start at zero; what is known of the start stays. */
void foresight_begin(struct machine *m);
/* What was expected and did not come; all pcp numbers are final. */
void foresight_end(struct machine *m);
uint64_t foresight_fingerprint(const struct foresight *f,
			       const struct machine *m);

/* To be called before a mirrored step is done... */
void foresee_step(struct step *s, enum alloc_context context);
void foresee_locked(struct step *s, enum migratetype type, bool refill);
void foresee_alloc(struct step *s, enum migratetype type);
void foresee_drain_step(struct step *s, enum migratetype type);
void foresee_extfrag(struct step *s, unsigned int asked, enum migratetype from,
		     enum migratetype to, bool ownership);
/* ... and after it. */
void foreseen_locked(struct step *s);
void foreseen_alloc(struct step *s, gfp_t gfp);
void foreseen_free(struct step *s, enum alloc_context context);
/* Whether a free finds its CPU's list in use, and goes to the buddy. */
bool foresee_list_busy(struct step *s, enum alloc_context context);

/* Whether the step's block is initialised late. */
bool foresee_is_late(const struct step *s);

/* Whether a free gives back what alloc_pages_exact had too much. */
bool foresee_is_excess(const struct step *s);

/* foresight_heal.c: what a step proves about what was not shown. */
void heal_locked(struct step *s, struct zone *zone, enum migratetype type);
void heal_alloc(struct step *s, struct zone *zone, enum migratetype type);
void heal_extfrag(struct step *s, struct zone *zone, unsigned int asked,
		  enum migratetype type);
/* A drained block carries the type of its pageblock when it was freed. */
void heal_drain(struct step *s, struct zone *zone, enum migratetype type);
/* From now on the type of @pfn's pageblock is not guessed. */
void foresight_show(struct step *s, pfn_t pfn);
/* A refill proves that the list was empty before. */
void heal_refill(struct step *s, struct burst *burst);
/* Pages that a bulk allocation takes without an event. */
void heal_silent(struct step *s);
/* Note that @pages of @zone are about to be taken so. */
void heal_expect_silent(struct step *s, struct zone *zone, uint64_t pages);

/* foresight_assumed.c: per-cpu lists of a machine that was captured. */

/* A replay begins: a machine with [free] is its own start state. */
void assumed_begin(struct machine *m);
void assumed_free(struct foresight *f);
/* The step names its frames: what was assumed of them is over. */
void assumed_shown(struct step *s);
/* Before a page is taken from the CPU's list: what it tells of others. */
void assumed_alloc(struct step *s, struct zone *zone, enum migratetype type);
/* The list was empty: nothing that was assumed to be there was. */
void assumed_refill(struct step *s, struct burst *burst);
/* How many pages more a list may have that has more than its high: a host's
 * may be tuned by its kernel.  0 where nothing was captured. */
int64_t assumed_slack(const struct foresight *f,
		      const struct per_cpu_pages *pcp);
/* The step's block is on the CPU's list of single pages: if all before it is
 * assumed, that goes to the tail, and true is returned. */
bool assumed_pass(struct step *s, struct zone *zone, enum migratetype type);
/* Those of the first @most blocks of the CPU's list that are assumed, as far as
 * they are in a row and stand before the step's own, go to the tail, in their
 * order.  Returns how many. */
uint64_t assumed_demote(struct step *s, struct zone *zone, unsigned int order,
			enum migratetype type, uint64_t most);
/* If the block at @tail, of @cpu's list of @type, is assumed, the step's goes
 * behind it, which is drained first; whether it did. */
bool assumed_before(struct step *s, pfn_t tail, enum migratetype type,
		    unsigned int cpu);
/* @nr blocks come to the head of the list of @type; known ones, or among such
 * that are. */
void assumed_above(struct step *s, const struct zone *zone,
		   enum migratetype type, uint64_t nr);
/* A block that is known comes to the tail. */
void assumed_below(struct step *s, const struct zone *zone,
		   enum migratetype type);

#endif
