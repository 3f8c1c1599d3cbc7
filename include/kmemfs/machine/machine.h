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
#include "kmemfs/entries.h"
#include "kmemfs/hw/ram.h"
#include "kmemfs/machine/config.h"
#include "kmemfs/phys/pages.h"
#include "kmemfs/slab/mempool.h"
#include "kmemfs/slab/percpu.h"
#include "kmemfs/slab/slab.h"
#include "kmemfs/vm/fault.h"

struct journal;
struct replay;
struct allocation_table; /* the live allocations, see allocations.c */
struct runners;
struct area_table; /* allocations that are mappings, see areas.c */
struct slab_lab;   /* lab_slabs.h */
struct cost_lab;   /* lab_mmu.h */
struct meltdown_lab;
struct cache_table; /* the names of slab caches, see caches.c */

/* What an allocation consists of. */
enum allocation_kind {
	ALLOCATION_PAGES,  /* whole frames, whose owner is its id */
	ALLOCATION_OBJECT, /* bytes at an address: an object of a cache or an
			      element; the frames belong to the allocator, but
			      those of a large kmalloc, whose owner is its id */
	ALLOCATION_AREA,   /* addresses of an address space, with or without
			      memory behind them */
};

#define ALLOCATION_ID_MAX ((uint32_t)INT32_MAX)

/* A live allocation made by an op. */
struct allocation {
	uint32_t id; /* serial number, from 1, never used twice */
	bool named;  /* the user gave the name; else it is a<id> */
	bool exact;  /* alloc_pages_exact: single pages, nr_pages */
	uint8_t order;
	uint8_t context;
	uint8_t kind;	   /* enum allocation_kind */
	uint16_t cpu;	   /* that allocated */
	char *name;	   /* owned when named, else NULL */
	pfn_t pfn;	   /* of its first byte */
	uint64_t nr_pages; /* objects: frames that its bytes touch */
	va_t address;	   /* objects, areas: of its first byte */
	uint64_t size;	   /* objects, areas: bytes that were asked for */
	uint32_t pool;	/* objects: id of the cache or pool it goes back to, 0:
			   whatever its address says; areas: id of the address
			   space, 0: the kernel's */
	uint32_t cache; /* objects: id of the cache that it lies in, 0: it has
			   pages of its own */
	gfp_t gfp;
	uint64_t born_ns;
	const char *op;	  /* name of the op that made it, static */
	const char *free; /* name of the op that frees it, static; NULL: those
			     of pages */
	char *why;	  /* the story, NULL when not recorded */
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
	uint64_t entries_ns[NR_ENTRY_KINDS]; /* when one last came or went */
	uint64_t position;		     /* ops in the journal */
	uint64_t random;		     /* the generator's state */

	struct ram *ram;
	struct phys *phys;
	struct slab_common *slab;
	struct mempools *mempools;
	struct percpu *percpu;
	struct runners *runners; /* code that runs on CPUs, see runners.c */
	struct vm *vm;
	struct area_table *areas;
	struct symbols *symbols; /* functions that callers are named after */
	struct trace trace;

	struct allocation_table *allocations;
	struct cache_table *caches;
	struct slab_lab *slab_lab; /* of the last control/labs/compare_slabs,
				      NULL; not in the digest: it follows from
				      the op and the machine file alone */
	struct cost_lab *cost_lab; /* of control/labs/costs, ditto */
	struct meltdown_lab *meltdown_lab; /* of control/labs/meltdown; what
					      came of an op, nothing that later
					      ones depend on */

	struct journal *journal;
	struct replay *replay;

	/* Where machine_tell_entry passes on what it is told; may be NULL. */
	void (*entry_changed)(void *user, enum entry_kind kind,
			      const uint64_t *above, const char *name);
	void *entry_changed_user;

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

/*
 * The modelled kernel panics: its log says so, with @format's line, and from
 * then on ops but those on history get EIO.  Only within an op that ran.
 */
void machine_panic(struct machine *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A line in the modelled kernel's log, time-stamped; no newline in @line.
 * Of a log beyond MACHINE_LOG_MAX bytes the older half is forgotten. */
void machine_printk(struct machine *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/*
 * An entry of directories that ops fill (a key with "entries: told" in
 * fs-layout/) has come or goes now: whoever caches names must know.  @name is
 * what the key's print gives, so it is told after the object was made, before
 * it is removed.  @above: the values of the keys left of it in the path, in
 * their order; NULL when there are none.  Only within an op.
 */
void machine_tell_entry(struct machine *m, enum entry_kind kind,
			const uint64_t *above, const char *name);
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
 * the same table.  Returns NULL when all ids up to ALLOCATION_ID_MAX have been
 * used up.
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
/* Tell that @a, an object, lies at @a->address; removing it undoes this. */
void allocation_place(struct machine *m, const struct allocation *a);
/* The object placed last at @address of those that still live there, NULL:
 * none was made by an op. */
struct allocation *allocation_at(struct machine *m, va_t address);
/* The live allocation with the smallest id above @after, NULL at the end. */
struct allocation *allocation_next(struct machine *m, uint32_t after);

/* --- caches.c: the names of slab caches --------------------------------------
 *
 * A cache goes by one or more names.  Each has a serial number, by which paths
 * know it; what it stands for is slab.h's business.
 */

#define CACHE_NAME_MAX 63

/* Visible characters without a slash, not . or .., up to CACHE_NAME_MAX. */
bool cache_name_is_valid(const char *name);
/* Number the names that there are after boot.  Needs m->slab. */
struct cache_table *cache_table_new(const struct slab_common *sc);
void cache_table_free(struct cache_table *t);
/* Cache @s goes by @name from now on; the directories are told.  Only within
 * an op, by whoever called kmem_cache_create(). */
void cache_named(struct machine *m, const struct kmem_cache *s,
		 const char *name);
/* It does no more, @gone: and was destroyed with it; @dir is what its directory
 * in sysfs was called. */
void cache_unnamed(struct machine *m, const char *name, const char *dir,
		   bool gone);
/* The cache that number @id is a name of, and the name; NULL: none. */
struct kmem_cache *cache_by_id(const struct machine *m, uint32_t id,
			       const char **name);
/* The number of @name, 0: no cache is called so. */
uint32_t cache_id(const struct machine *m, const char *name);
/* The smallest number above @after that stands for a name, 0: none. */
uint32_t cache_id_next(const struct machine *m, uint32_t after);
/* By any of its names, or that of its directory in sysfs (":0000064"). */
struct kmem_cache *cache_find(const struct machine *m, const char *name);

/* --- objects.c --------------------------------------------------------------
 */

/* The words of the op that frees @a, without @a's name, for $free of layouts:
 * "page/free_pages", "slab/kmem_cache_free task". */
void allocation_free_words(const struct machine *m, const struct allocation *a,
			   struct out *out);
/* Physical address of its first byte; bytes from there to the end of what
 * writes may reach: its pages, or those of the slab that it lies in. */
pa_t allocation_start(const struct machine *m, const struct allocation *a);
uint64_t allocation_reach(const struct machine *m, const struct allocation *a);
/* It has a block of pages of its own, still allocated and marked as its; false
 * for what lies in a slab, and when the kernel was made to free the block. */
bool allocation_owns_pages(const struct machine *m, const struct allocation *a);
/* Bytes that it was asked for. */
uint64_t allocation_bytes(const struct machine *m, const struct allocation *a);

/* --- ops_task.c --------------------------------------------------------------
 */

/* Tasks have ended: those that nobody waits for go. */
void tasks_settle(struct machine *m);

/* --- areas.c: allocations that are mappings ----------------------------------
 *
 * They live until nothing is mapped any more at their addresses: unmapped by
 * whatever op, or gone with the address space.  What is unmapped in part is
 * shorter from then on.
 */

struct area_table *area_table_new(struct machine *m);
void area_table_free(struct area_table *t);
/* @a, with kind, pool, address and size filled in, lies there from now on. */
void area_place(struct machine *m, struct allocation *a);
/* It lies nowhere; whoever does this places or removes it. */
void area_lift(struct machine *m, const struct allocation *a);
/* It lies elsewhere, or ends elsewhere. */
void area_move(struct machine *m, struct allocation *a, va_t address,
	       uint64_t size);
/* How many bytes lie between the first of @a, which lies nowhere now, and the
 * next area of its address space. */
uint64_t area_room(const struct machine *m, const struct allocation *a);
/* The area of address space @mm that begins at @address, NULL. */
struct allocation *area_at(const struct machine *m, uint32_t mm, va_t address);
/* A task that it is mapped to, NULL: it is the kernel's. */
struct task *area_task(const struct machine *m, const struct allocation *a);

/* --- ops_mempool.c: elements of pools ---------------------------------------
 */

/* The op that frees them. */
#define MEMPOOL_FREE "mempool/mempool_free"
/* Modelled time has moved: who has slept for long enough tries again. */
void mempool_tick(struct machine *m);

/* --- runners.c: code that runs on CPUs --------------------------------------
 *
 * What touches per-CPU data runs on a CPU, may be moved to another, and may
 * forbid that: a task, as far as that goes.
 */

#define RUNNER_COMM 16

struct runner {
	char comm[RUNNER_COMM]; /* its name */
	int32_t pid;
	uint32_t cpu;	   /* it runs there */
	uint32_t preempt;  /* times that preemption is forbidden */
	uint32_t variable; /* id of the variable it has a pointer to, 0 */
	uint32_t unit;	   /* ... to the copy of this CPU */
	uint64_t reg;	   /* its register */
	bool loaded;	   /* reg was loaded */
};

struct runners *runners_new(void);
void runners_free(struct runners *t);
/* The runner called @name, NULL; the @n-th, NULL at the end. */
struct runner *runner_find(const struct machine *m, const char *name);
struct runner *runner_nth(const struct machine *m, uint32_t n);
/* A new one on CPU @cpu. */
struct runner *runner_add(struct machine *m, const char *name, uint32_t cpu);
#define RUNNERS_MAX 256
/* Who forbids preemption on @cpu, NULL: nobody. */
struct runner *runner_holding(const struct machine *m, uint32_t cpu);

/* --- digest.c, verify.c ------------------------------------------------------
 */

#define DIGEST_TEXT 65
/* SHA-256 of the canonical state, as hex. */
void machine_digest(struct machine *m, char text[DIGEST_TEXT]);
/* Run every law; prints one row each; returns the number of findings. */
unsigned int machine_verify(struct machine *m, struct out *out);

#endif
