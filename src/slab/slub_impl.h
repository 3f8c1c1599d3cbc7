// SPDX-License-Identifier: MIT
/*
 * slub_impl.h - what the files of SLUB, and the table of slabs, call of each
 * other
 *
 * Addresses are va_t, of the direct map.  0 is NULL.  Whatever is read from
 * modelled RAM may be any number: slub_read_pointer() follows it as a kernel
 * would, which may mean an oops; nobody else follows it.
 *
 * A slab is frozen when slab->where is SLAB_CPU, SLAB_CPU_PARTIAL or
 * SLAB_ISOLATED.
 */
#ifndef KMEMFS_SLAB_SLUB_IMPL_H
#define KMEMFS_SLAB_SLUB_IMPL_H

#include "kmemfs/slab/slab.h"

#define likely(e) __builtin_expect(!!(e), 1)
#define unlikely(e) __builtin_expect(!!(e), 0)

#define MAX_OBJS_PER_PAGE 32767 /* slab.objects has 15 bits */

/* Bytes of red zones and poison (include/linux/poison.h). */
enum {
	SLUB_RED_INACTIVE = 0xbb,
	SLUB_RED_ACTIVE = 0xcc,
	POISON_INUSE = 0x5a,
	POISON_FREE = 0x6b,
	POISON_END = 0xa5
};

enum track_item { TRACK_ALLOC, TRACK_FREE };

static inline bool
slub_debugged(const struct kmem_cache *s)
{
	return unlikely(s->flags & SLAB_DEBUG_FLAGS);
}

static inline bool
slab_frozen(const struct slab *slab)
{
	return slab->where == SLAB_CPU || slab->where == SLAB_CPU_PARTIAL ||
	       slab->where == SLAB_ISOLATED;
}

/* Address of the slab's first byte; bytes of its pages. */
static inline va_t
slab_address(const struct slab *slab)
{
	const struct slab_common *sc = slab->cache->common;

	return sc->page_offset + (slab->pfn << sc->page_shift);
}

static inline uint64_t
slab_bytes(const struct slab *slab)
{
	return page_size(slab->cache->common->phys) << slab->order;
}

/* Physical address of an address of the direct map; nonsense for others. */
static inline pa_t
slab_pa(const struct slab_common *sc, va_t at)
{
	return at - sc->page_offset;
}

/* The CPU that the op in hand runs on, for work that names none. */
static inline unsigned int
slab_this_cpu(const struct slab_common *sc)
{
	return sc->phys->trace->now.cpu;
}

/* --- slabs.c: all slabs of a machine, by number --------------------------- */

/* slab_get() without checks: @number was given out. */
static inline struct slab *
slab_at(const struct slab_common *sc, uint32_t number)
{
	return &sc->slabs[number];
}

/*
 * A new slab of @s on the allocated block at @pfn: numbered, the head frame's
 * owner, first of its cache's slabs; where is SLAB_FULL, no objects.  NULL: no
 * number is left.
 */
struct slab *slabs_add(struct kmem_cache *s, pfn_t pfn, unsigned int order);
/* It is no slab any more; the block becomes nobody's.  The number is free. */
void slabs_remove(struct slab_common *sc, struct slab *slab);
/* Free what the table has on the host.  For slab_common_free(). */
void slabs_fini(struct slab_common *sc);
/* Next number of the generator of secrets and shuffles (splitmix64). */
uint64_t slab_random(struct slab_common *sc);
/* A line in the modelled kernel's log. */
void slab_printk(const struct slab_common *sc, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --- slub_size.c -----------------------------------------------------------
 */

/*
 * calculate_sizes, calculate_order, set_cpu_partial, min_partial: from
 * object_size, align, flags, ctor, useroffset, usersize fill in size, inuse,
 * offset, red_left_pad, order, min_order, objects, min_objects, allocflags,
 * min_partial, cpu_partial, cpu_partial_slabs, remote_node_defrag_ratio.
 * 0; -E2BIG.
 */
int slub_calculate_sizes(struct kmem_cache *s);

/* --- slab_alloc.c: what all allocators have in common ----------------------
 */

/* kmem_cache_alloc and kmem_cache_free without their events: for kmalloc. */
int slab_alloc_quiet(struct kmem_cache *s, const struct slab_request *r,
		     va_t *object);
int slab_free_quiet(struct kmem_cache *s, struct slab *slab, va_t object,
		    const struct slab_request *who);
/* cache_from_obj: the cache that @object of @slab goes to when @s was named;
 * NULL: to none, as the log says. */
struct kmem_cache *slab_cache_from(struct kmem_cache *s,
				   const struct slab *slab, va_t object,
				   const struct slab_request *who);
/* What WARN() prints in function @where at @place ("mm/slab.h:665") for what
 * @who did; @message NULL: no words of its own (WARN_ON). */
void slab_warn(struct slab_common *sc, const struct slab_request *who,
	       const char *place, const char *where, const char *message);

/* --- slub.c: what a cache consists of ------------------------------------- */

/* Sizes, the secret, the shuffle, cpu[] and node[]: kmem_cache_open. */
int slub_open(struct kmem_cache *s);

/* --- slub_pointer.c: free pointers in modelled RAM -------------------------
 */

/*
 * *@next = the free pointer of @object, decoded.  -EFAULT when the address is
 * not mapped: the oops, met in function @where, is in the modelled log.
 */
int slub_read_pointer(const struct kmem_cache *s, va_t object,
		      const char *where, va_t *next);
/* Ditto without an oops, for who only looks: false when not mapped. */
bool slub_peek_pointer(const struct kmem_cache *s, va_t object, va_t *next);
/* Write it.  -EFAULT as above; also, when hardened, on an object that is to
 * point to itself (BUG_ON). */
int slub_write_pointer(const struct kmem_cache *s, va_t object,
		       const char *where, va_t next);
/* What a kernel prints when it touches @address, which is not mapped, in
 * function @where.  Returns -EFAULT. */
int slub_oops(struct slab_common *sc, va_t address, bool write,
	      const char *where);
/* The end of what BUG() prints, met in function @where.  Returns -EFAULT. */
int slub_died(struct slab_common *sc, const char *where);
/* The kernel would go round a list for ever: what its watchdog says. */
void slub_lockup(const struct slab_common *sc, const char *where);
/* @object is 0 or the address of an object of @slab: check_valid_pointer. */
bool slub_valid_pointer(const struct kmem_cache *s, const struct slab *slab,
			va_t object);
/*
 * Follow the list from @object on: sets bit i of map[i] for each object's
 * index, stops at the end, at the first address that is no object of @slab or
 * one seen before.  Returns the objects found; *@broken (may be NULL): the
 * list did not end with 0.
 */
unsigned int slub_walk(const struct slab *slab, va_t object, uint8_t *map,
		       uint8_t value, bool *broken);

/* The free pointer of an object of @slab itself lies in its pages: no need to
 * ask whether they are there. */
static inline bool
slub_inside(const struct kmem_cache *s, const struct slab *slab, va_t object)
{
	const struct slab_common *sc = s->common;
	va_t base = sc->page_offset + (slab->pfn << sc->page_shift);

	return object + s->offset - base <=
	       (1ULL << (sc->page_shift + slab->order)) - sc->word;
}

/* The word at @at as a pointer, or a pointer as the word to be kept there:
 * freelist_ptr(). */
static inline va_t
slub_code_pointer(const struct kmem_cache *s, va_t pointer, va_t at)
{
	const struct slab_common *sc = s->common;

	if (likely(!sc->config.hardened))
		return pointer;
	if (sc->word == 4)
		return (uint32_t)(pointer ^ s->random ^
				  __builtin_bswap32((uint32_t)at));
	return pointer ^ s->random ^ __builtin_bswap64(at);
}

/* Read, write the free pointer of an @object that slub_inside() holds for. */
static inline va_t
slub_load(const struct kmem_cache *s, va_t object)
{
	const struct slab_common *sc = s->common;
	va_t at = object + s->offset;

	return slub_code_pointer(
		s, ram_load(sc->ram, slab_pa(sc, at), sc->word), at);
}

static inline void
slub_store(const struct kmem_cache *s, va_t object, va_t next)
{
	const struct slab_common *sc = s->common;
	va_t at = object + s->offset;

	ram_store(sc->ram, slab_pa(sc, at), sc->word,
		  slub_code_pointer(s, next, at));
}

/* Whoever gets @object of @s, NULL too, will read its free pointer: ask the
 * host for it now (prefetch_freepointer). */
static inline void
slub_prefetch(const struct kmem_cache *s, va_t object)
{
	const struct slab_common *sc = s->common;

	ram_prefetch(sc->ram, slab_pa(sc, object + s->offset));
}

/* --- slub_list.c: partial and full lists -----------------------------------
 */

void slab_list_add(struct slab_common *sc, struct slab_list *list,
		   struct slab *slab, bool tail);
void slab_list_del(struct slab_common *sc, struct slab_list *list,
		   struct slab *slab);
/* First of a list, next of one: NULL at the end. */
static inline struct slab *
slab_list_first(const struct slab_common *sc, const struct slab_list *list)
{
	return list->head ? slab_at(sc, list->head - 1) : NULL;
}

static inline struct slab *
slab_list_next(const struct slab_common *sc, const struct slab *slab)
{
	return slab->next ? slab_at(sc, slab->next - 1) : NULL;
}

/*
 * What leads back from behind the first of a list: the second's prev, the
 * list's tail when there is none.  Lists of a CPU have one slab or two, by
 * chance, so these are choices of an address, not jumps that are foretold
 * wrongly.
 */
static inline uint32_t *
slab_link_back(const struct slab_common *sc, struct slab_list *list,
	       uint32_t second)
{
	uint32_t *prev = &slab_at(sc, second - !!second)->prev;

	/* Computed in any case: else it would be a jump again. */
	__asm__("" : "+r"(prev));
	return second ? prev : &list->tail;
}

/* Take the first off: NULL when there is none. */
static inline struct slab *
slab_list_pop(struct slab_common *sc, struct slab_list *list)
{
	struct slab *slab = slab_list_first(sc, list);
	uint32_t last;

	if (!slab)
		return NULL;
	/* The last of this list, and not of it: links were spoilt. */
	last = -(uint32_t)!slab->next;
	if (unlikely(last & (list->tail ^ list->head))) {
		slab_list_del(sc, list, slab);
		return slab;
	}
	*slab_link_back(sc, list, slab->next) = 0;
	list->head = slab->next;
	list->nr--;
	slab->next = 0;
	slab->linked = false;
	return slab;
}

/* slab_list_add() at its head. */
static inline void
slab_list_push(struct slab_common *sc, struct slab_list *list,
	       struct slab *slab)
{
	uint32_t link = slab->number + 1;

	if (unlikely(slab->linked)) {
		slab_list_add(sc, list, slab, false);
		return;
	}
	*slab_link_back(sc, list, list->head) = link;
	slab->next = list->head;
	slab->prev = 0;
	slab->linked = true;
	list->head = link;
	list->nr++;
}

/* add_partial, remove_partial, add_full, remove_full of the slab's node. */
void slub_add_partial(struct kmem_cache *s, struct slab *slab, bool tail);
void slub_remove_partial(struct kmem_cache *s, struct slab *slab);
void slub_add_full(struct kmem_cache *s, struct slab *slab);
void slub_remove_full(struct kmem_cache *s, struct slab *slab);
/* deactivate_slab: -EFAULT when a free list led out of memory. */
int slub_deactivate(struct kmem_cache *s, struct slab *slab, va_t freelist,
		    unsigned int by);
/* put_cpu_partial; @drain as there. */
void slub_put_cpu_partial(struct kmem_cache *s, struct slab *slab,
			  unsigned int cpu, bool drain);
/* Take all of @cpu's partial slabs to their nodes; CPU @by does it. */
void slub_unfreeze_partials(struct kmem_cache *s, unsigned int cpu,
			    unsigned int by);
/* No list and no CPU has @slab any more, whatever their counters say: for one
 * that goes where the kernel would leave dangling pointers. */
void slub_forget(struct slab_common *sc, struct slab *slab);
/* __flush_cpu_slab: @cpu's slab and partial list go to their nodes; CPU @by
 * does it. */
void slub_flush_by(struct kmem_cache *s, unsigned int cpu, unsigned int by);
/* flush_cpu_slab: @cpu does it itself. */
void slub_flush_cpu(struct kmem_cache *s, unsigned int cpu);
/* flush_all: all that are online. */
void slub_flush_all(struct kmem_cache *s);

/* --- slub_page.c: slabs come and go --------------------------------------- */

/* allocate_slab: 0, -ENOMEM, -ENOSPC (the host's budget for RAM). */
int slub_new_slab(struct kmem_cache *s, const struct slab_request *r, int nid,
		  struct slab **made);
/* dec_slabs_node and free_slab. */
void slub_discard(struct kmem_cache *s, struct slab *slab, unsigned int cpu);
/* free_slab: at once, or after a grace period. */
void slub_free_slab(struct kmem_cache *s, struct slab *slab, unsigned int cpu);
void slub_inc_slabs(struct kmem_cache *s, const struct slab *slab);
void slub_dec_slabs(struct kmem_cache *s, const struct slab *slab);
/* The pages of @slab, that no list has any more, go back: at once, or when a
 * grace period that begins at @now_ns is over.  For all allocators. */
void slab_give_back(struct kmem_cache *s, struct slab *slab, unsigned int cpu,
		    uint64_t now_ns);
/* End the grace periods that are over at @now_ns, oldest first. */
void slab_rcu_until(struct slab_common *sc, uint64_t now_ns);
/* Grace periods of @s end now (rcu_barrier). */
void slub_rcu_barrier(struct kmem_cache *s);
/* Whether the node has memory that slabs can be of. */
bool slub_node_has_memory(const struct slab_common *sc, int nid);
/* numa_mem_id() of @cpu. */
int slub_memory_node(const struct slab_common *sc, unsigned int cpu);

/* --- slub_alloc.c, slub_free.c, slub_shrink.c ------------------------------
 */

int slub_alloc(struct kmem_cache *s, const struct slab_request *r,
	       va_t *object);
int slub_free(struct kmem_cache *s, struct slab *slab, va_t object,
	      const struct slab_request *who);
int slub_free_bulk(struct kmem_cache *s, const struct slab_request *who,
		   unsigned int nr, const va_t *objects);
void slub_shrink(struct kmem_cache *s);
int slub_shutdown(struct kmem_cache *s);
/* A sentence of the story of a request; nothing when nobody asks. */
#define SLUB_WHY(r, ...)                                                       \
	do {                                                                   \
		if (unlikely((r)->why))                                        \
			out_printf((r)->why, __VA_ARGS__);                     \
	} while (0)

/* --- slub_states.c, slab_verify.c ------------------------------------------
 */

void slub_states(const struct slab *slab, uint8_t *state);
unsigned int slub_verify(struct kmem_cache *s, finding_fn found, void *user);
void slub_digest(const struct kmem_cache *s, const struct number_stream *to);

/* --- slub_debug*.c: called for caches with SLAB_DEBUG_FLAGS only -----------
 */

/* What the modelled kernel is doing, for the call trace of reports to come:
 * it is in function @where, called from @caller (0: not told). */
void slub_enter(struct slab_common *sc, const char *where, va_t caller);

/* All bytes of a new slab, before any object is set up: POISON_INUSE with
 * SLAB_POISON. */
void slub_setup_slab_debug(struct kmem_cache *s, struct slab *slab);
/* An object of a new slab (setup_object_debug); before its constructor. */
void slub_setup_object_debug(struct kmem_cache *s, struct slab *slab,
			     va_t object);
/*
 * Checks and marks as the object leaves the free list (slab->freelist and inuse
 * have moved on already).  @bytes: what was asked for.  False: it must not be
 * given out; the slab is then marked (all used, no list, SLAB_ISOLATED), and
 * the caller takes it off the partial list before where is set, so this
 * function leaves where to its caller.
 */
bool slub_alloc_debug_processing(struct kmem_cache *s, struct slab *slab,
				 va_t object, uint32_t bytes);
/*
 * Checks and marks of *@count objects, chained from @head to @tail, before they
 * are put on the slab's list.  False: they are not freed.  *@count is what was
 * found.  @slab->cache may be another than @s.
 */
bool slub_free_debug_processing(struct kmem_cache *s, struct slab *slab,
				va_t head, va_t tail, unsigned int *count,
				const struct slab_request *who);
/* Record who allocated or freed it, with SLAB_STORE_USER. */
void slub_set_track(struct kmem_cache *s, va_t object, enum track_item what,
		    const struct slab_request *who);
/* __free_slab of a cache with consistency checks: padding, all objects. */
void slub_free_slab_checks(struct kmem_cache *s, struct slab *slab);
/* freelist_corrupted: @next does not belong to @slab; *@freelist, the object
 * that holds it, is set to 0 and true returned when checks are on. */
bool slub_freelist_corrupted(struct kmem_cache *s, struct slab *slab,
			     va_t *freelist, va_t next);
bool slub_check_slab(struct kmem_cache *s, struct slab *slab);
bool slub_check_object(struct kmem_cache *s, struct slab *slab, va_t object,
		       uint8_t red);
void slub_slab_pad_check(struct kmem_cache *s, struct slab *slab);
void slub_init_object(struct kmem_cache *s, va_t object, uint8_t red);
/* Reports: about an object, about a slab, what was done about it. */
void slub_object_err(struct kmem_cache *s, struct slab *slab, va_t object,
		     const char *reason);
void slub_slab_err(struct kmem_cache *s, struct slab *slab, const char *format,
		   ...) __attribute__((format(printf, 3, 4)));
void slub_fix(struct kmem_cache *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* "Allocated in ..., freed in ...", with SLAB_STORE_USER. */
void slub_print_tracking(struct kmem_cache *s, va_t object);
/* skip_orig_size_check: who asked how large @object is may use all of it. */
void slub_use_whole(struct kmem_cache *s, va_t object);
/* slab_ops.validate: of any cache of SLUB. */
unsigned int slub_validate(struct kmem_cache *s);

#endif
