// SPDX-License-Identifier: MIT
/*
 * slab.h - objects on pages: caches, and the three allocators behind them
 *
 * A kmem_cache hands out objects of one size from slabs, blocks of pages that
 * it takes from the page allocator.  Three ways to do that are modelled: SLUB
 * of Linux 6.1, the classic SLAB of 2.4 and 2.6, and SLOB.  A machine chooses
 * one; a cache may be made with another, so that they can be compared.
 *
 * What the kernel keeps in memory is kept in modelled RAM in its own format:
 * free pointers, poison, red zones, the records of who allocated and freed.
 * What is read back from there is untrusted.  What the kernel keeps in struct
 * page and in its own descriptors is here, on the host.
 *
 * Objects are named by their address in the direct map.  Descriptors of caches
 * that are there from boot are part of the modelled kernel's image: they take
 * no page.
 *
 * Follows mm/slab_common.c, mm/slub.c, mm/slab.h of 6.1.192.
 */
#ifndef KMEMFS_SLAB_SLAB_H
#define KMEMFS_SLAB_SLAB_H

#include "kmemfs/base/number_stream.h"
#include "kmemfs/base/out.h"
#include "kmemfs/base/refusal.h"
#include "kmemfs/base/symbols.h"
#include "kmemfs/hw/ram.h"
#include "kmemfs/phys/pages.h"

enum slab_flag_bits {
#define SLAB_FLAG(name, value) name = value,
#include "kmemfs/slab/slab_flags.def"
#undef SLAB_FLAG
};

typedef uint32_t slab_flags_t;

/* Flags that mean debugging: slow paths, no cpu slabs kept for reuse. */
#define SLAB_DEBUG_FLAGS                                                       \
	(SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE |          \
	 SLAB_CONSISTENCY_CHECKS)
/* Debugging that makes objects larger. */
#define SLAB_DEBUG_METADATA (SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

struct slabinfo;

/*
 * Read names of flags with | , or + between them; also 0x numbers, and "none"
 * or "0" for no flags.  On failure returns false and stores in @bad_at the
 * offset of the word that is not known.
 */
bool slab_flags_parse(const char *text, slab_flags_t *flags, size_t *bad_at);
/* Print them with | between, in order of their values; "none" when 0. */
void slab_flags_print(struct out *out, slab_flags_t flags);

struct slab_ops;

enum slab_allocator {
	ALLOCATOR_SLUB,
	ALLOCATOR_SLAB, /* the classic one */
	ALLOCATOR_SLOB,
	NR_SLAB_ALLOCATORS
};

extern const char *const slab_allocator_names[NR_SLAB_ALLOCATORS];
/* What @id is made of; NULL: this program has no such allocator. */
const struct slab_ops *slab_allocator_ops(enum slab_allocator id);

/* Versions as one number that can be compared. */
#define SLAB_KERNEL(major, minor) ((major)*100U + (minor))

/* What a kernel was built and started with, as far as slabs go. */
struct slab_config {
	enum slab_allocator allocator;
	bool hardened;	/* CONFIG_SLAB_FREELIST_HARDENED: free pointers are
			   stored xored with a secret and their address */
	bool random;	/* CONFIG_SLAB_FREELIST_RANDOM: new slabs hand out
			   their objects in a shuffled order */
	bool memcg;	/* kmalloc-cg-* caches exist */
	bool orig_size; /* later kernels: kmalloc's own red zone begins where
			   the request ended (slub_debug with Z and U) */
	unsigned int kernel; /* whose rules of geometry: SLAB_KERNEL(6, 1); 0
				is that too */
	uint64_t seed;	     /* of secrets and shuffles: the machine's */
	const char *cmdline; /* slub_debug= slub_min_order= slub_max_order=
				slub_min_objects= slab_nomerge slab_merge ... */
};

/* What an object's constructor writes into it, by name; see ctor.c. */
struct slab_ctor;
/* The constructor called @name, NULL. */
const struct slab_ctor *slab_ctor_find(const char *name);
const char *slab_ctor_name(const struct slab_ctor *ctor);
/* Write what @ctor writes into an object of @size bytes at @to. */
void slab_ctor_fill(const struct slab_ctor *ctor, uint8_t *to, size_t size);
/* The @n-th constructor, NULL at the end: for help and tests. */
const struct slab_ctor *slab_ctor_nth(unsigned int n);

/* Numbers of the kmalloc caches: powers of two from 8, and 96, 192. */
enum kmalloc_type {
	KMALLOC_NORMAL,
	KMALLOC_CGROUP,
	KMALLOC_RECLAIM,
	KMALLOC_DMA,
	NR_KMALLOC_TYPES
};
#define KMALLOC_SHIFT_HIGH 13 /* SLUB: above 8 KiB pages directly */
#define NR_KMALLOC_SIZES                                                       \
	27 /* kmalloc_index(): [1] 96, [2] 192; the classic                    \
	      SLAB goes up to 32 MiB */

#define KMALLOC_SMALL 1024 /* bytes: up to here the size is looked up */

struct kmem_cache;
struct slab_common;

/*
 * One slab: what the kernel keeps in struct slab (struct page).  Slabs are
 * numbered; the head frame's owner is frame_owner(OWNER_SLAB, number).
 */
struct slab {
	struct kmem_cache *cache; /* NULL: this number is not in use */
	va_t freelist; /* SLUB: first object of the slab's own list, 0;
			  classic: address of its descriptor; SLOB: first free
			  block, 0 */
	pfn_t pfn;     /* first frame */
	uint32_t next; /* of the list it is on: number + 1, 0 ends */
	uint32_t prev;
	uint32_t all_next; /* of all slabs of its cache, newest first */
	uint32_t all_prev;
	uint16_t inuse;	  /* objects not on the slab's own list; SLOB: units */
	uint16_t objects; /* it holds */
	uint8_t order;
	uint8_t where;	 /* enum slab_where: the list it is on */
	uint16_t nid;	 /* node of its pages */
	uint32_t cpu;	 /* while frozen: whose cpu slab or partial list */
	uint32_t colour; /* classic: bytes before the first object; SLOB: the
			    list it is on, 0 to 2 */
	uint32_t number; /* its own, see slab_get() */
	bool linked;	 /* next and prev are those of a list */
};

_Static_assert(sizeof(struct slab) == 64, "one cache line a slab");

enum slab_where {
	SLAB_FULL,	   /* no free object, on no list (SLUB: on the node's
			      list of full slabs when debugging) */
	SLAB_NODE_PARTIAL, /* on the node's partial list */
	SLAB_CPU,	   /* SLUB: the slab a CPU allocates from; frozen */
	SLAB_CPU_PARTIAL,  /* SLUB: on a CPU's partial list; frozen */
	SLAB_FREE,	   /* classic: on the node's list of free slabs */
	SLAB_RCU,	   /* empty, waits for the end of a grace period */
	SLAB_ISOLATED,	   /* SLUB: a check found it broken; all its objects
			      count as used and it is on no list */
	NR_SLAB_WHERE
};

/* A list of slabs by number + 1, first to last. */
struct slab_list {
	uint32_t head;
	uint32_t tail;
	uint32_t nr;
};

/* SLUB: what a CPU keeps of a cache (struct kmem_cache_cpu). */
struct kmem_cache_cpu {
	va_t freelist;		  /* next object to give, 0 */
	uint32_t slab;		  /* the one it comes from: number + 1, 0 */
	struct slab_list partial; /* newest first, as the kernel's chain */
	uint32_t partial_slabs;	  /* what the kernel counts as their number */
};

/* What a node keeps of a cache (struct kmem_cache_node). */
struct kmem_cache_node {
	struct slab_list partial;
	struct slab_list full; /* SLUB with SLAB_STORE_USER; classic */
	struct slab_list free; /* classic */
	uint64_t nr_slabs;
	uint64_t total_objects;
};

/* A cache.  Fields are the kernel's; sizes in bytes. */
struct kmem_cache {
	struct slab_common *common;
	const struct slab_ops *ops; /* the allocator it was made with */
	uint32_t id;	    /* serial, from 1 in order of creation, never used
			       twice */
	char *name;	    /* of the oldest alias, owned */
	GPtrArray *aliases; /* of char *: further names merged into it */
	int refcount;	    /* names that it goes by; -1: boot made it so that
			       nothing is ever merged with it */
	slab_flags_t flags;
	uint32_t object_size; /* largest asked for among its names */
	uint32_t size;	      /* of an object with all that belongs to it */
	uint32_t align;
	uint32_t inuse;	 /* offset of metadata */
	uint32_t offset; /* of the free pointer in an object */
	uint32_t red_left_pad;
	uint32_t useroffset;
	uint32_t usersize;
	bool use_freeptr_offset; /* see struct kmem_cache_args */
	uint32_t freeptr_offset;
	uint8_t order;	   /* of new slabs */
	uint8_t min_order; /* when order cannot be had */
	uint16_t objects;  /* in a slab of @order */
	uint16_t min_objects;
	uint32_t min_partial; /* empty slabs kept on a node */
	uint32_t cpu_partial; /* objects */
	uint32_t cpu_partial_slabs;
	uint32_t remote_node_defrag_ratio; /* percent */
	gfp_t allocflags;
	const struct slab_ctor *ctor; /* NULL: none */
	uint64_t random;	      /* hardening: the secret */
	uint16_t *random_seq;	      /* shuffled indices, NULL */
	int8_t kmalloc_type; /* enum kmalloc_type, -1: not a kmalloc cache */
	bool boot;	     /* there from boot: its descriptor takes no page */
	bool dead;	     /* destroyed while objects lived: stays listed */
	struct kmem_cache_cpu *cpu;   /* [nr_cpus], SLUB */
	struct kmem_cache_node *node; /* [nr_nodes] */
	uint32_t all;		      /* newest of its slabs: number + 1, 0 */
	uint64_t nr_ctor;	      /* constructor runs */
	va_t descriptor; /* object of cache "kmem_cache" for one made later */
	va_t *node_descriptor; /* [nr_nodes] of cache "kmem_cache_node" */
	void *impl;	       /* classic and slob: the allocator's own */
};

/* Who asks, and how. */
struct slab_request {
	gfp_t gfp;
	int nid; /* NODE_LOCAL: the CPU's */
	unsigned int cpu;
	enum alloc_context context;
	va_t caller; /* call site, an address of symbols.h */
	/* What it called, as stacks in reports show it; NULL: kmem_cache_alloc
	 * or kmem_cache_free. */
	const char *function;
	int32_t pid;
	uint32_t bytes;	 /* that were asked for: what the trace shows as
			    bytes_req; 0: the cache's object size */
	struct out *why; /* NULL: nobody asks */
};

struct kmem_cache_args {
	const char *name;
	uint64_t size;	/* bytes of an object */
	uint64_t align; /* 0: the word's */
	slab_flags_t flags;
	uint64_t useroffset, usersize;
	const struct slab_ctor *ctor;
	/* Later kernels: in spite of SLAB_TYPESAFE_BY_RCU the free pointer is
	 * kept in the object, at this offset; poison moves it out. */
	bool use_freeptr_offset;
	uint64_t freeptr_offset;
	enum slab_allocator allocator;
	bool apart; /* as one of the boot: merged with nothing, now or later,
		       and its descriptors take no memory */
	const struct slab_request *who; /* of the descriptors' memory */
};

/* What an allocator does: slub.c, classic.c, slob.c.  None may be NULL. */
struct slab_ops {
	enum slab_allocator id;
	/* Fill in all sizes from object_size, align, flags, ctor.  -E2BIG:
	 * no order is large enough. */
	int (*open)(struct kmem_cache *s);
	/* Give all pages back; -EBUSY with objects in use (and what the kernel
	 * says about it is said). */
	int (*shutdown)(struct kmem_cache *s);
	/* Free host memory of @s; its pages are gone or forgotten. */
	void (*release)(struct kmem_cache *s);
	int (*alloc)(struct kmem_cache *s, const struct slab_request *r,
		     va_t *object);
	int (*free)(struct kmem_cache *s, struct slab *slab, va_t object,
		    const struct slab_request *who);
	/* kmem_cache_shrink: give back empty slabs. */
	void (*shrink)(struct kmem_cache *s);
	/* Check all objects of all slabs, print reports; findings. */
	unsigned int (*validate)(struct kmem_cache *s);
	/* State of object @index of @slab, enum object_state. */
	void (*states)(const struct slab *slab, uint8_t *state);
	/* Address of the first object, without left red zone. */
	va_t (*first)(const struct slab *slab);
	/* One finding for each law that does not hold for @s. */
	unsigned int (*verify)(struct kmem_cache *s, finding_fn found,
			       void *user);
	/* Hash what is not in the common fields. */
	void (*digest)(const struct kmem_cache *s,
		       const struct number_stream *to);
	/* kmem_cache_free_bulk.  NULL: one by one, the last first. */
	int (*free_bulk)(struct kmem_cache *s, const struct slab_request *who,
			 unsigned int nr, const va_t *objects);
	/* Fill in what slabinfo shows.  NULL: as SLUB counts. */
	void (*info)(const struct kmem_cache *s, struct slabinfo *info);
	/* Give back all that CPU @cpu keeps.  NULL: it keeps nothing. */
	void (*cpu_dead)(struct kmem_cache *s, unsigned int cpu);
	/* The pages of @slab go back now: so must what else belongs to it.
	 * NULL: nothing does. */
	void (*slab_gone)(struct kmem_cache *s, struct slab *slab,
			  unsigned int cpu);
	/* The list of free objects of @slab, first to last, at most
	 * slab->objects of them: slab_free_list().  NULL: SLUB's. */
	unsigned int (*free_list)(const struct slab *slab, uint16_t *index,
				  bool *broken);
};

enum object_state {
	OBJECT_USED,
	OBJECT_FREE,	 /* on the slab's own free list */
	OBJECT_CPU_FREE, /* on the free list of the CPU that has the slab; or
			    in a classic array cache */
	OBJECT_LOST,	 /* on no list that can be followed, and not given
			    out as far as the counters know */
	NR_OBJECT_STATES
};

extern const struct slab_ops slub_ops, classic_ops, slob_ops;

/* Modelled time from call_rcu to the callback: three ticks of 250 Hz, what a
 * machine that is not idle takes. */
#define SLAB_RCU_GRACE_NS 12000000ULL

/* An empty slab whose pages wait for the end of an RCU grace period, or an
 * object of SLOB that does. */
struct rcu_slab {
	uint64_t until_ns;
	uint32_t slab;	/* number */
	uint32_t bytes; /* SLOB: of the object */
	uint32_t cpu;	/* SLOB: that freed it */
	va_t object;	/* SLOB; 0: the slab is meant */
};

struct classic_timers;
struct slob;

struct slab_common {
	struct slab_config config;
	struct phys *phys;
	struct ram *ram;
	struct symbols *symbols;
	uint64_t random;   /* generator of secrets and shuffles */
	unsigned int word; /* 8, or 4 on i386 */
	/* Of phys and its arch, once more: asked for all the time. */
	unsigned int page_shift;
	va_t page_offset;
	unsigned int nr_cpu_ids;

	GPtrArray *caches; /* of struct kmem_cache *, oldest first; aliases
			      are not in it */
	GHashTable *names; /* every name and alias -> struct kmem_cache */
	uint32_t last_id;

	struct kmem_cache *kmem_cache;	    /* the cache of descriptors */
	struct kmem_cache *kmem_cache_node; /* ditto, of nodes */
	struct kmem_cache *kmalloc[NR_KMALLOC_TYPES][NR_KMALLOC_SIZES];
	/* Index of the size that (n * 8, n * 8 + 8] bytes take (size_index);
	 * 0: the rules have to be asked. */
	uint8_t kmalloc_small[KMALLOC_SMALL / 8];

	struct slab *slabs;   /* by number, in lines of their own; slab_get() */
	uint32_t nr_slabs;    /* numbers given so far */
	uint32_t *slab_of;    /* [nr_pfns] of each page: number + 1, 0 */
	pfn_t nr_pfns;	      /* 0: there was no slab yet */
	GArray *free_numbers; /* of uint32_t: used again, last first */
	GQueue rcu;	      /* of struct rcu_slab *, oldest first */
	struct classic_timers *classic; /* NULL: no classic cache was made */
	struct slob *slob;		/* pages of SLOB; NULL: not used yet */

	slab_flags_t slub_debug; /* for all caches */
	char *slub_debug_string; /* for some: blocks as slub_debug= takes them,
				    NULL */
	unsigned int slub_min_order, slub_max_order, slub_min_objects;
	bool nomerge;
	bool no_higher_order_debug; /* slub_debug=O: no debugging that would
				       need a larger slab */
	bool warned_kfree;	    /* WARN_ON_ONCE of free_large_kmalloc */
	struct fault_attr failslab; /* requests made to fail */
	unsigned int errors; /* reports printed: slub_kunit counts them */
	unsigned int oopses; /* of the modelled kernel in here: "[#1]" */
	uint32_t tainted;    /* SLAB_TAINT_*: what reports say of the kernel */
	bool lock_debug_off; /* said with the first of some taints */
	const char *doing;   /* function that checks, for the call trace of */
	va_t caller;	     /* a report; and who called it, 0 */
	uint64_t oom_since_ns; /* rate limit of "Unable to allocate memory": */
	unsigned int oom_told; /* told since then */
};

/* Bits of the kernel's taint mask that slabs give cause for. */
#define SLAB_TAINT_BAD_PAGE (1U << 5) /* B */
#define SLAB_TAINT_DIE (1U << 7)      /* D */
#define SLAB_TAINT_WARN (1U << 9)     /* W */

/* --- slab_common.c: a machine's caches ----------------------------------- */

/*
 * Boot: the caches that a kernel has before anything else runs
 * (kmem_cache_init, create_kmalloc_caches).  Everything is borrowed but
 * @config, which is copied; cmdline must live as long.  Never fails; settings
 * of the command line that make no sense are told in the modelled log and
 * ignored, as the kernel does.
 */
struct slab_common *slab_boot(const struct slab_config *config,
			      struct phys *phys, struct ram *ram,
			      struct symbols *symbols);
void slab_common_free(struct slab_common *sc);

/*
 * Make a cache, or another name of one that it can be merged with
 * (kmem_cache_create_usercopy).  0; -EINVAL, -EEXIST (the name is taken),
 * -ENOMEM (for its descriptors), -E2BIG.  @why gets a sentence.
 */
int kmem_cache_create(struct slab_common *sc,
		      const struct kmem_cache_args *args,
		      struct kmem_cache **made, struct refusal *why);
/*
 * Take a name away; the last one destroys the cache: 0 or -EBUSY with objects
 * in use (kmem_cache_destroy; the modelled log gets what the kernel says), or
 * when it is a cache of the boot.  One that was busy can be tried again.
 */
int kmem_cache_destroy(struct kmem_cache *s, const char *name,
		       const struct slab_request *who);
/* By any of its names; NULL. */
struct kmem_cache *kmem_cache_find(const struct slab_common *sc,
				   const char *name);
/* By id; the oldest with an id above @after; NULL. */
struct kmem_cache *kmem_cache_get(const struct slab_common *sc, uint32_t id);
struct kmem_cache *kmem_cache_next(const struct slab_common *sc,
				   uint32_t after);
/* The name of its directory in sysfs: its own, or, in @buf, ":" and letters and
 * size for one that can be merged (create_unique_id). */
const char *kmem_cache_dir(const struct kmem_cache *s, char buf[32]);
bool kmem_cache_unmergeable(const struct kmem_cache *s);
/* What SLUB would make of a cache whose objects take @size bytes, no flags:
 * its sizes and orders, all else of @like is zero.  False: no slab can hold
 * one.  Changes nothing. */
bool slab_geometry(struct slab_common *sc, uint32_t size,
		   struct kmem_cache *like);

/* --- allocating ---------------------------------------------------------- */

/*
 * One object.  0 and its address; -ENOMEM; -EFAULT when the modelled kernel
 * met a pointer in RAM that leads nowhere (its oops is in the modelled log).
 * __GFP_ZERO zeroes it.  Emits kmem_cache_alloc.
 */
int kmem_cache_alloc(struct kmem_cache *s, const struct slab_request *r,
		     va_t *object);
/* Give an object back to @s.  What is wrong with it is allowed to be: the
 * detector that would notice reports it.  0 or -EFAULT (the modelled kernel
 * crashed on it).  @object 0 is allowed and ignored.  Emits kmem_cache_free. */
int kmem_cache_free(struct kmem_cache *s, va_t object,
		    const struct slab_request *who);
/* @nr objects or none: 0 or -errno. */
int kmem_cache_alloc_bulk(struct kmem_cache *s, const struct slab_request *r,
			  unsigned int nr, va_t *objects);
int kmem_cache_free_bulk(struct kmem_cache *s, const struct slab_request *who,
			 unsigned int nr, const va_t *objects);
void kmem_cache_shrink(struct kmem_cache *s);
/* A write to cpu_partial: @objects kept on each CPU's list, all CPUs' slabs
 * flushed (cpu_partial_store; slab_look.c).  -EINVAL: the cache has no such
 * lists. */
int kmem_cache_set_cpu_partial(struct kmem_cache *s, uint32_t objects);
/* Modelled time has moved: end grace periods, run the classic one's timers.
 * True: that changed something. */
bool slab_tick(struct slab_common *sc);
/* The CPU goes offline: its slabs are flushed (slub_cpu_dead). */
void slab_cpu_dead(struct slab_common *sc, unsigned int cpu);

/* --- looking ------------------------------------------------------------- */

/* The slab whose pages hold @object, NULL: no slab's page. */
struct slab *slab_of(const struct slab_common *sc, va_t object);
/* The direct map has a byte for each of @len at @at: they are RAM that is
 * online.  @pa is where. */
bool slab_mapped(const struct slab_common *sc, va_t at, size_t len, pa_t *pa);
struct slab *slab_get(const struct slab_common *sc, uint32_t number);
uint32_t slab_number(const struct slab_common *sc, const struct slab *slab);
/* Index of the object that covers @address; UINT32_MAX: none does. */
uint32_t slab_object_index(const struct slab *slab, va_t address);
va_t slab_object(const struct slab *slab, uint32_t index);
/* Of all slabs of @s, newest first. NULL starts; NULL at the end. */
struct slab *slab_next(const struct kmem_cache *s, const struct slab *after);
/* State of each of slab->objects objects. */
void slab_states(const struct slab *slab, uint8_t *state);

/*
 * The free list that begins with object @first, in its order: indices of
 * @slab's objects into @index, at most slab->objects of them.  Returns how
 * many; *@broken (may be NULL): it leads out of the slab or does not end.
 * SLUB's only (slab_look.c).
 */
unsigned int slab_free_list(const struct slab *slab, va_t first,
			    uint16_t *index, bool *broken);
/* The first slab of @list, NULL; the one behind @slab on its list, NULL. */
struct slab *slab_list_begin(const struct slab_common *sc,
			     const struct slab_list *list);
struct slab *slab_list_after(const struct slab_common *sc,
			     const struct slab *slab);

/* Whether who allocated and freed its objects is kept with them, by SLUB; and
 * print whose those in use are, as debugfs does: a paragraph for each caller,
 * the one with the most objects first (slub_traces.c). */
bool slab_has_traces(const struct kmem_cache *s);
void slab_print_traces(const struct kmem_cache *s, bool of_frees,
		       struct out *out);

/* The classic SLAB's array of free objects (struct array_cache): addresses of
 * their buffers, before the red zone, the newest last.  False: @s is of another
 * allocator (classic.c). */
struct slab_array {
	uint32_t avail, limit, batchcount;
	bool touched;	   /* since a timer looked at it last */
	const va_t *entry; /* [avail] */
};
bool slab_array_of_cpu(const struct kmem_cache *s, unsigned int cpu,
		       struct slab_array *array);
bool slab_array_of_node(const struct kmem_cache *s, unsigned int nid,
			struct slab_array *array);
/* Where its slabs begin their objects, and what describes them. */
struct slab_colours {
	uint32_t colours, offset, next; /* how many, bytes apart, next one */
	bool off_slab;	     /* descriptors are objects of a kmalloc cache */
	uint32_t descriptor; /* bytes of one */
};
bool slab_colouring(const struct kmem_cache *s, struct slab_colours *colours);

/* What SLOB's pages belong to, whose "objects" are units; for slab_next().
 * NULL: it has none yet (slob_page.c). */
const struct kmem_cache *slob_pool(const struct slab_common *sc);
/*
 * Whether kmem_cache_free of @s (NULL: kfree) knows how large @object is, if it
 * lies in those pages: they do not say.  If not, both warn and leave it alone.
 */
bool slab_knows_size(const struct slab_common *sc, const struct kmem_cache *s,
		     va_t object);

/* What slabinfo shows of a cache (get_slabinfo). */
struct slabinfo {
	uint64_t active_objs, num_objs, active_slabs, num_slabs;
	uint32_t objects_per_slab, order;
	uint32_t limit, batchcount, shared; /* classic; 0 */
	uint64_t shared_avail;		    /* classic; 0 */
};
void slab_info(const struct kmem_cache *s, struct slabinfo *info);
/* Objects in use; all objects; slabs; of node @nid or all (-1), as the files
 * of /sys/kernel/slab count them. */
enum slab_count {
	SLAB_COUNT_OBJECTS, /* in use or on cpu lists (SO_OBJECTS) */
	SLAB_COUNT_TOTAL_OBJECTS,
	SLAB_COUNT_OBJECTS_PARTIAL, /* in use on node partial slabs */
	SLAB_COUNT_SLABS,
	SLAB_COUNT_PARTIAL,   /* slabs on the node's partial list */
	SLAB_COUNT_CPU_SLABS, /* cpu slabs and cpu partial ones */
	NR_SLAB_COUNTS
};
uint64_t slab_count(const struct kmem_cache *s, enum slab_count what, int nid);

/* --- laws ---------------------------------------------------------------- */

extern const struct law slab_laws[];
/* As phys_verify(). */
unsigned int slab_verify(const struct slab_common *sc, finding_fn found,
			 void *user);
/* Everything that decides what later calls do, as a stream of numbers. */
void slab_digest(const struct slab_common *sc, const struct number_stream *to);

#endif
