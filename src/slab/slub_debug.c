// SPDX-License-Identifier: MIT
/*
 * slub_debug.c - debugging: marks that are set, and when they are looked at
 *
 * What it models: setup_slab_debug, setup_object_debug, init_object,
 *                 alloc_debug_processing, free_debug_processing,
 *                 freelist_corrupted and the checks of __free_slab of mm/slub.c
 *                 of 6.1.192; with config.orig_size, kmalloc's own red zone of
 *                 6.2 and later.
 * How it works:   an object is never guarded, only marked: bytes that nobody
 *                 should write, around it and in it while it is free, are set,
 *                 and looked at when it is given out, freed, validated, or when
 *                 its slab goes.  What was done to it in between has happened.
 *
 *                 left red zone | object          | red zone | ... | padding
 *      free       bb bb bb bb     6b 6b .. 6b a5    bb bb            5a 5a
 *      in use     cc cc cc cc     (its user's)      cc cc            5a 5a
 *
 * Where it lies:  all marks in modelled RAM.
 */
#include "slub_debug_impl.h"

/* --- marks --------------------------------------------------------------- */

void
slub_init_object(struct kmem_cache *s, va_t object, uint8_t red)
{
	const struct slab_common *sc = s->common;
	uint32_t bytes = s->object_size;

	if (s->flags & SLAB_RED_ZONE) {
		slub_fill(sc, object - s->red_left_pad, red, s->red_left_pad);
		/* In later kernels the zone begins where the request ends. */
		if (red == SLUB_RED_ACTIVE)
			bytes = slub_asked_size(s, object);
	}
	if (slub_poisons_objects(s) && bytes) {
		slub_fill(sc, object, POISON_FREE, bytes - 1);
		slub_fill(sc, object + bytes - 1, POISON_END, 1);
	}
	if (s->flags & SLAB_RED_ZONE)
		slub_fill(sc, object + bytes, red, s->inuse - bytes);
}

void
slub_setup_slab_debug(struct kmem_cache *s, struct slab *slab)
{
	if (s->flags & SLAB_POISON)
		slub_fill(s->common, slab_address(slab), POISON_INUSE,
			  slab_bytes(slab));
}

void
slub_setup_object_debug(struct kmem_cache *s, struct slab *slab, va_t object)
{
	(void)slab;
	if (!(s->flags & (SLAB_STORE_USER | SLAB_RED_ZONE)) &&
	    !slub_poisons_objects(s))
		return;
	slub_init_object(s, object, SLUB_RED_INACTIVE);
	slub_init_tracking(s, object);
}

/* --- an object is given out ---------------------------------------------- */

static bool
alloc_checks(struct kmem_cache *s, struct slab *slab, va_t object)
{
	if (!slub_check_slab(s, slab))
		return false;
	if (!slub_valid_pointer(s, slab, object)) {
		slub_object_err(s, slab, object,
				"Freelist Pointer check fails");
		return false;
	}
	return slub_check_object(s, slab, object, SLUB_RED_INACTIVE);
}

bool
slub_alloc_debug_processing(struct kmem_cache *s, struct slab *slab,
			    va_t object, uint32_t bytes)
{
	if (s->flags & SLAB_CONSISTENCY_CHECKS &&
	    !alloc_checks(s, slab, object)) {
		slub_fix(s, "Marking all objects used");
		slab->inuse = slab->objects;
		slab->freelist = 0;
		return false;
	}
	slub_trace(s, slab, object, true);
	slub_set_size(s, object, bytes);
	slub_init_object(s, object, SLUB_RED_ACTIVE);
	return true;
}

/* --- objects come back --------------------------------------------------- */

static bool
free_checks(struct kmem_cache *s, struct slab *slab, va_t object)
{
	if (!slub_valid_pointer(s, slab, object)) {
		slub_slab_err(s, slab, "Invalid object pointer " PTR,
			      PTR_OF(s->common, object));
		return false;
	}
	if (slub_on_freelist(s, slab, object)) {
		slub_object_err(s, slab, object, "Object already free");
		return false;
	}
	if (!slub_check_object(s, slab, object, SLUB_RED_ACTIVE))
		return false;
	if (slab->cache != s) {
		slub_object_err(s, slab, object, "page slab pointer corrupt.");
		return false;
	}
	return true;
}

/* Each object of the chain; false: *@object is the one that is wrong, or of
 * what was counted none is left. */
static bool
process_chain(struct kmem_cache *s, struct slab *slab, va_t *object, va_t tail,
	      unsigned int *count, const struct slab_request *who)
{
	unsigned int done = 0;

	for (;;) {
		if (++done > *count)
			break;
		if (s->flags & SLAB_CONSISTENCY_CHECKS &&
		    !free_checks(s, slab, *object))
			return false;
		slub_set_track(s, *object, TRACK_FREE, who);
		slub_trace(s, slab, *object, false);
		slub_init_object(s, *object, SLUB_RED_INACTIVE);
		if (*object == tail)
			break;
		if (slub_read_pointer(s, *object, "free_to_partial_list",
				      object))
			return false;
	}
	if (done != *count) {
		slub_slab_err(s, slab,
			      "Bulk free expected %u objects but found %u\n",
			      *count, done);
		if (done > *count)
			return false;
		*count = done;
	}
	return true;
}

bool
slub_free_debug_processing(struct kmem_cache *s, struct slab *slab, va_t head,
			   va_t tail, unsigned int *count,
			   const struct slab_request *who)
{
	va_t object = head;
	bool good = true;

	slub_enter(s->common, who->function ? who->function : "kmem_cache_free",
		   who->caller);
	if (s->flags & SLAB_CONSISTENCY_CHECKS)
		good = slub_check_slab(s, slab);
	if (good && slab->inuse < *count) {
		slub_slab_err(s, slab,
			      "Slab has %u allocated objects but %u are to be "
			      "freed\n",
			      slab->inuse, *count);
		good = false;
	}
	if (good)
		good = process_chain(s, slab, &object, tail, count, who);
	if (!good)
		slub_fix(s, "Object at " PTR " not freed",
			 PTR_OF(s->common, object));
	return good;
}

/* --- lists and slabs ----------------------------------------------------- */

bool
slub_freelist_corrupted(struct kmem_cache *s, struct slab *slab, va_t *freelist,
			va_t next)
{
	if (!(s->flags & SLAB_CONSISTENCY_CHECKS) ||
	    slub_valid_pointer(s, slab, next))
		return false;
	slub_object_err(s, slab, *freelist, "Freechain corrupt");
	*freelist = 0;
	slub_fix(s, "Isolate corrupted freechain");
	return true;
}

void
slub_free_slab_checks(struct kmem_cache *s, struct slab *slab)
{
	if (slab->where == SLAB_RCU)
		slub_enter(s->common, "rcu_free_slab", 0);
	slub_slab_pad_check(s, slab);
	for (uint32_t i = 0; i < slab->objects; i++)
		slub_check_object(s, slab, slab_object(slab, i),
				  SLUB_RED_INACTIVE);
}
