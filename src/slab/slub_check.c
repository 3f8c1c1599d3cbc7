// SPDX-License-Identifier: MIT
/*
 * slub_check.c - what a slab and its objects should look like
 *
 * What it models: check_bytes_and_report, check_pad_bytes, slab_pad_check,
 *                 check_object, check_slab, on_freelist, restore_bytes of
 *                 mm/slub.c of 6.1.192.
 * How it works:   each mark is compared with what it should be; the first that
 *                 is not is reported, put right, and ends the object's check,
 *                 but padding, which is put right and passed over.  A free
 *                 pointer that leads out of its slab is set to 0: the rest of
 *                 the list is lost, which the counters then show.
 * Differs from the kernel: every slab is one ("Not a valid slab page" is never
 *                 said): what is none has crashed before it comes here.
 */
#include "slub_debug_impl.h"

/* --- bytes --------------------------------------------------------------- */

static void
restore_bytes(struct kmem_cache *s, const char *what, uint8_t value,
	      const struct slub_fault *f)
{
	const struct slab_common *sc = s->common;

	slub_fix(s, "Restoring %s " PTR "-" PTR "=0x%x", what,
		 PTR_OF(sc, f->first), PTR_OF(sc, f->end - 1), value);
	slub_fill(sc, f->first, value, f->end - f->first);
}

/* check_bytes_and_report: @object's @len bytes at @offset are @value. */
static bool
check_bytes(struct kmem_cache *s, const struct slab *slab, va_t object,
	    const char *what, int64_t offset, uint8_t value, uint32_t len)
{
	struct slab_common *sc = s->common;
	struct slub_fault f;

	if (slub_all(sc, object + (uint64_t)offset, value, len, &f))
		return true;
	sc->errors++;
	slub_bug(s, "%s overwritten", what);
	slab_printk(sc,
		    PTR "-" PTR " @offset=%" PRId64
			". First byte 0x%x instead of 0x%x",
		    PTR_OF(sc, f.first), PTR_OF(sc, f.end - 1),
		    (int64_t)(f.first - slab_address(slab)), f.got, value);
	slub_print_trailer(s, slab, object);
	slub_taint_bad(sc);
	restore_bytes(s, what, value, &f);
	return false;
}

/* --- objects ------------------------------------------------------------- */

static bool
check_red_zones(struct kmem_cache *s, const struct slab *slab, va_t object,
		uint8_t red)
{
	uint32_t asked = s->object_size;

	if (!check_bytes(s, slab, object, "Left Redzone",
			 -(int64_t)s->red_left_pad, red, s->red_left_pad) ||
	    !check_bytes(s, slab, object, "Right Redzone", s->object_size, red,
			 s->inuse - s->object_size))
		return false;
	if (red == SLUB_RED_ACTIVE)
		asked = slub_asked_size(s, object);
	return check_bytes(s, slab, object, "kmalloc Redzone", asked, red,
			   s->object_size - asked);
}

static bool
check_poison(struct kmem_cache *s, const struct slab *slab, va_t object)
{
	uint32_t last = s->object_size - 1;

	return check_bytes(s, slab, object, "Poison", 0, POISON_FREE, last) &&
	       check_bytes(s, slab, object, "End Poison", last, POISON_END, 1);
}

bool
slub_check_object(struct kmem_cache *s, struct slab *slab, va_t object,
		  uint8_t red)
{
	uint32_t end = slub_metadata_end(s);
	va_t next;

	if (s->flags & SLAB_RED_ZONE) {
		if (!check_red_zones(s, slab, object, red))
			return false;
	} else if (s->flags & SLAB_POISON) {
		check_bytes(s, slab, object, "Alignment padding",
			    s->object_size, POISON_INUSE,
			    s->inuse - s->object_size);
	}
	if (s->flags & SLAB_POISON) {
		if (red != SLUB_RED_ACTIVE && slub_poisons_objects(s) &&
		    !check_poison(s, slab, object))
			return false;
		check_bytes(s, slab, object, "Object padding", end,
			    POISON_INUSE, slub_from_object(s) - end);
	}
	/* While it is in use, its user's bytes are where the pointer was. */
	if (!slub_pointer_outside(s) && red == SLUB_RED_ACTIVE)
		return true;
	if (slub_peek_pointer(s, object, &next) &&
	    slub_valid_pointer(s, slab, next))
		return true;
	slub_object_err(s, slab, object, "Freepointer corrupt");
	slub_store(s, object, 0);
	return false;
}

/* --- slabs --------------------------------------------------------------- */

static unsigned int
most_objects(const struct kmem_cache *s, const struct slab *slab)
{
	return (unsigned int)(slab_bytes(slab) / s->size);
}

void
slub_slab_pad_check(struct kmem_cache *s, struct slab *slab)
{
	const struct slab_common *sc = s->common;
	va_t start = slab_address(slab);
	uint64_t rest = slab_bytes(slab) % s->size;
	va_t pad = start + slab_bytes(slab) - rest;
	struct slub_fault f;

	if (!(s->flags & SLAB_POISON) ||
	    slub_all(sc, pad, POISON_INUSE, rest, &f))
		return;
	slub_slab_err(s, slab,
		      "Padding overwritten. " PTR "-" PTR " @offset=%" PRIu64,
		      PTR_OF(sc, f.first), PTR_OF(sc, f.end - 1),
		      f.first - start);
	slub_print_section(sc, "Padding ", pad, rest);
	restore_bytes(s, "slab padding", POISON_INUSE, &f);
}

bool
slub_check_slab(struct kmem_cache *s, struct slab *slab)
{
	unsigned int most = most_objects(s, slab);

	if (slab->objects > most) {
		slub_slab_err(s, slab, "objects %u > max %u", slab->objects,
			      most);
		return false;
	}
	if (slab->inuse > slab->objects) {
		slub_slab_err(s, slab, "inuse %u > max %u", slab->inuse,
			      slab->objects);
		return false;
	}
	if (slab_frozen(slab)) {
		slub_slab_err(s, slab,
			      "Slab disabled since SLUB metadata consistency "
			      "check failed");
		return false;
	}
	slub_slab_pad_check(s, slab);
	return true;
}

/* --- free lists ---------------------------------------------------------- */

/* The counters of @slab, whose list has @nr objects, are put right. */
static void
check_counts(struct kmem_cache *s, struct slab *slab, int nr)
{
	int most = (int)MIN_OF(most_objects(s, slab), MAX_OBJS_PER_PAGE);
	int used;

	if (slab->objects != most) {
		slub_slab_err(s, slab,
			      "Wrong number of objects. Found %d but should be "
			      "%d",
			      slab->objects, most);
		/* With another cache's size more would seem to fit than do. */
		if (slab->cache == s)
			slab->objects = (uint16_t)most;
		slub_fix(s, "Number of objects adjusted");
	}
	used = slab->objects - nr;
	if (slab->inuse != used) {
		slub_slab_err(s, slab,
			      "Wrong object count. Counter is %d but counted "
			      "were %d",
			      slab->inuse, used);
		slab->inuse = (uint16_t)used;
		slub_fix(s, "Object count adjusted");
	}
}

bool
slub_on_freelist(struct kmem_cache *s, struct slab *slab, va_t search)
{
	va_t at = slab->freelist, object = 0;
	int nr = 0;

	while (at && nr <= slab->objects) {
		if (at == search)
			return true;
		if (!slub_valid_pointer(s, slab, at)) {
			if (!object) {
				slub_slab_err(s, slab, "Freepointer corrupt");
				slab->freelist = 0;
				slab->inuse = slab->objects;
				slub_fix(s, "Freelist cleared");
				return false;
			}
			slub_object_err(s, slab, object, "Freechain corrupt");
			slub_store(s, object, 0);
			break;
		}
		object = at;
		if (!slub_peek_pointer(s, object, &at))
			break;
		nr++;
	}
	check_counts(s, slab, nr);
	return !search;
}
