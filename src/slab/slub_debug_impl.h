// SPDX-License-Identifier: MIT
/*
 * slub_debug_impl.h - what the files of SLUB's debugging call of each other
 *
 * Bytes are read and written where the direct map has RAM and nowhere else:
 * with a wrong cache or pointer they may be anybody's, as in a kernel.
 */
#ifndef KMEMFS_SLAB_SLUB_DEBUG_IMPL_H
#define KMEMFS_SLAB_SLUB_DEBUG_IMPL_H

#include "slub_impl.h"

#include <inttypes.h>

/* printf's conversion and arguments for an address, as the kernel's 0x%p. */
#define PTR "0x%0*" PRIx64
#define PTR_OF(sc, v) (int)(2 * (sc)->word), (uint64_t)(v)

/* --- slub_bytes.c: marks in modelled RAM --------------------------------- */

/* Fill @len bytes at @at with @value. */
void slub_fill(const struct slab_common *sc, va_t at, uint8_t value,
	       uint64_t len);
/* Copy out; bytes where there is no RAM are 0. */
void slub_copy(const struct slab_common *sc, va_t at, uint8_t *to, size_t len);
uint64_t slub_word(const struct slab_common *sc, va_t at, unsigned int bytes);
void slub_set_word(const struct slab_common *sc, va_t at, unsigned int bytes,
		   uint64_t value);

/* Bytes @first..@end - 1 are not all what they should be; the first and the
 * last of them are not. */
struct slub_fault {
	va_t first;
	va_t end;
	uint8_t got; /* the first byte */
};

/* Whether all @len bytes at @at are @value; else *@fault is filled in. */
bool slub_all(const struct slab_common *sc, va_t at, uint8_t value,
	      uint64_t len, struct slub_fault *fault);

/* --- slub_track.c: what is kept behind an object ------------------------- */

/* One record of who had an object, read from RAM. */
struct slub_track {
	va_t addr;
	uint32_t handle; /* of the stack, in the stack depot */
	uint32_t cpu;
	int32_t pid;
	uint64_t when; /* jiffies */
};

static inline bool
slub_pointer_outside(const struct kmem_cache *s)
{
	return s->offset >= s->inuse;
}

/* get_info_end: where the records begin. */
static inline uint32_t
slub_info_end(const struct kmem_cache *s)
{
	return s->inuse + (slub_pointer_outside(s) ? s->common->word : 0);
}

/* slub_debug_orig_size: the size asked for is kept with each object. */
static inline bool
slub_keeps_size(const struct kmem_cache *s)
{
	return (s->flags & (SLAB_STORE_USER | SLAB_KMALLOC)) ==
	       (SLAB_STORE_USER | SLAB_KMALLOC);
}

/* __OBJECT_POISON: objects themselves are filled, not only gaps. */
static inline bool
slub_poisons_objects(const struct kmem_cache *s)
{
	return s->flags & SLAB_POISON && !(s->flags & SLAB_TYPESAFE_BY_RCU) &&
	       !s->ctor;
}

/* size_from_object: bytes from an object's address to the next one's red
 * zone. */
static inline uint32_t
slub_from_object(const struct kmem_cache *s)
{
	return s->flags & SLAB_RED_ZONE ? s->size - s->red_left_pad : s->size;
}

/* Where what belongs to an object ends and its padding begins. */
uint32_t slub_metadata_end(const struct kmem_cache *s);
void slub_init_tracking(struct kmem_cache *s, va_t object);
void slub_get_track(const struct kmem_cache *s, va_t object,
		    enum track_item what, struct slub_track *track);
void slub_set_size(struct kmem_cache *s, va_t object, uint32_t bytes);
/* The size that is kept with an object, whatever it is now; object_size when
 * none is. */
uint32_t slub_kept_size(const struct kmem_cache *s, va_t object);
/* Bytes of an object in use that its user asked for: object_size unless a
 * later kernel is modelled and keeps it. */
uint32_t slub_asked_size(const struct kmem_cache *s, va_t object);
/* Where @address belongs to a stack that was recorded, its number; 0. */
uint32_t slub_stack_handle(const struct slab_common *sc, va_t address);
/* Ticks of modelled time at 250 Hz, as the kernel's word has them. */
uint64_t slub_jiffies(const struct slab_common *sc);

/* --- slub_check.c -------------------------------------------------------- */

/* on_freelist: @search 0: is the list as it should be. */
bool slub_on_freelist(struct kmem_cache *s, struct slab *slab, va_t search);

/* --- slub_report.c ------------------------------------------------------- */

/* A line that begins a report, and what goes with one that has begun. */
void slub_bug(struct kmem_cache *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void slub_print_slab(const struct kmem_cache *s, const struct slab *slab);
void slub_print_trailer(struct kmem_cache *s, const struct slab *slab,
			va_t object);
/* print_hex_dump of modelled RAM. */
void slub_print_section(const struct slab_common *sc, const char *name, va_t at,
			uint64_t len);
void slub_dump_stack(struct slab_common *sc);
/* add_taint(TAINT_BAD_PAGE). */
void slub_taint_bad(struct slab_common *sc);
/* trace(): a line for each use of an object, with SLAB_TRACE. */
void slub_trace(struct kmem_cache *s, const struct slab *slab, va_t object,
		bool alloc);

#endif
