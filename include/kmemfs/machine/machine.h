// SPDX-License-Identifier: MIT
/*
 * machine.h - the whole: one modelled machine and all that is kept about it
 *
 * Single-threaded and deterministic: the same machine file and the same ops
 * give the same state.  Whoever shares a machine between threads (src/tree)
 * holds the one lock around every call.
 */
#ifndef KMEMFS_MACHINE_MACHINE_H
#define KMEMFS_MACHINE_MACHINE_H

#include "kmemfs/base/out.h"
#include "kmemfs/base/refusal.h"
#include "kmemfs/base/trace.h"
#include "kmemfs/hw/ram.h"
#include "kmemfs/machine/config.h"
#include "kmemfs/phys/pages.h"

struct journal;
struct replay;
struct allocation_table; /* the live allocations, see allocations.c */

/* A live allocation made by an op. */
struct allocation {
	uint32_t id; /* serial number, from 1, never used twice */
	bool named;  /* the user gave the name; else it is a<id> */
	bool exact;  /* alloc_pages_exact: single pages, nr_pages */
	uint8_t order;
	uint8_t context;
	uint16_t cpu; /* that allocated */
	char *name;   /* owned when named, else NULL */
	pfn_t pfn;
	uint64_t nr_pages;
	gfp_t gfp;
	uint64_t born_ns;
	const char *op; /* name of the op that made it, static */
	char *why;	/* the story, NULL when not recorded */
};

/* The last lines of something, oldest dropped first. */
struct line_ring {
	GQueue lines; /* of char *, oldest first */
	unsigned int most;
	uint64_t dropped;
};

#define MACHINE_LOG_MAX (1U << 20)

enum machine_state { MACHINE_RUNNING, MACHINE_PANIC };

struct machine {
	struct machine_config *config;
	enum machine_state state;
	uint64_t now_ns;     /* modelled time since boot */
	uint64_t generation; /* +1 with all that a file may show: texts made
				before are stale */
	uint64_t changed_ns; /* time of the last op that was not the clock */
	uint64_t named_ns;   /* when an allocation's name last came or went */
	uint64_t position;   /* ops in the journal */
	uint64_t random;     /* the generator's state */

	struct ram *ram;
	struct phys *phys;
	struct trace trace;

	struct allocation_table *allocations;

	struct journal *journal;
	struct replay *replay;

	/* Told of each allocation's name that comes or goes; may be NULL. */
	void (*name_changed)(void *user, const char *name);
	void *name_changed_user;

	char *story;		    /* of the request that failed last: more
				       lines for its entry in error_log */
	struct out dmesg;	    /* what the modelled kernel printed */
	struct line_ring error_log; /* whole entries, several lines each */
	struct line_ring answers;   /* the last hundred */
};

/*
 * Boot a machine; takes over @config.  @state_dir NULL: journal in an
 * unlinked temporary file; else there, and what it holds is replayed first.
 * Returns NULL and a message in @error.
 */
struct machine *machine_boot(struct machine_config *config,
			     const char *state_dir, char **error);
void machine_free(struct machine *m);

/* SHA-256 of the machine file, as hex: names the machine in a journal. */
void machine_hash(const struct machine *m, char text[65]);
/* Whether all bytes @at..+@len are RAM, online or not. */
bool machine_is_ram(const struct machine *m, pa_t at, uint64_t len);

/* A line in the modelled kernel's log, time-stamped; no newline in @line.
 * Of a log beyond MACHINE_LOG_MAX bytes the older half is forgotten. */
void machine_printk(struct machine *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Next number of the machine's own generator (splitmix64). */
uint64_t machine_random(struct machine *m);

/* Append a line, dropping the oldest beyond the ring's bound. */
void line_ring_add(struct line_ring *ring, const char *line);

/* --- allocations.c ---------------------------------------------------------
 */

/*
 * Enter a new live allocation.  @name NULL: one is made up, a<id>, that nobody
 * has; else it must be free (allocation_find() gives NULL) and is copied.
 * Sets id, named and name; the caller fills in the rest, all zero now, and
 * makes the frames' owner field the id.  What it does depends on the name that
 * comes out alone, so that a journal with the made-up names filled in makes
 * the same table.  Returns NULL when all 2^32 - 1 ids have been used up.
 */
struct allocation *allocation_add(struct machine *m, const char *name);
/* Take @a out of the table and free it, its name and its why. */
void allocation_remove(struct machine *m, struct allocation *a);
/* Live allocations; the last id given. */
uint64_t allocation_count(const struct machine *m);
uint32_t allocation_last_id(const struct machine *m);
/* Host structures of the table, made by machine_boot, gone with the machine. */
struct allocation_table *allocation_table_new(void);
void allocation_table_free(struct allocation_table *t);

/* The allocation called @name, NULL when there is none. */
struct allocation *allocation_find(struct machine *m, const char *name);
struct allocation *allocation_get(struct machine *m, uint32_t id);
/* Its name; @buf holds made-up ones, 16 bytes. */
const char *allocation_name(const struct allocation *a, char buf[16]);
/* The live allocation with the smallest id above @after, NULL at the end. */
struct allocation *allocation_next(struct machine *m, uint32_t after);

/* --- digest.c, verify.c ------------------------------------------------------
 */

#define DIGEST_TEXT 65
/* SHA-256 of the canonical state, as hex. */
void machine_digest(struct machine *m, char text[DIGEST_TEXT]);
/* Run every law; prints one row each; returns the number of findings. */
unsigned int machine_verify(struct machine *m, struct out *out);

#endif
