// SPDX-License-Identifier: MIT
/*
 * slub_track.c - who had an object: records kept behind it
 *
 * What it models: struct track, set_track_update, init_tracking, print_track,
 *                 set_orig_size of mm/slub.c, and as much of the stack depot
 *                 as there are stacks: one function each.
 * Where it lies:  in modelled RAM, behind the object and its free pointer:
 *
 *     64 bits      0 address   8 handle  12 cpu  16 pid       24 jiffies
 *     32 bits      0 address   4 handle   8 cpu  12 pid       16 jiffies
 *
 *                 twice, for who allocated and who freed it, and for kmalloc's
 *                 objects 4 bytes with the size that was asked for.
 * How it works:   a handle is the caller's distance from the first function, so
 *                 that the bytes alone lead back to the stack.
 */
#include "slub_debug_impl.h"

#define HZ 250
/* The kernel starts five minutes before its counter's low word wraps. */
#define INITIAL_JIFFIES ((uint32_t)(-300 * HZ))

struct layout {
	uint8_t handle, cpu, pid, when, size;
};

static struct layout
track_layout(const struct slab_common *sc)
{
	static const struct layout wide = {8, 12, 16, 24, 32};
	static const struct layout narrow = {4, 8, 12, 16, 20};

	return sc->word == 8 ? wide : narrow;
}

uint64_t
slub_jiffies(const struct slab_common *sc)
{
	uint64_t now = INITIAL_JIFFIES + *sc->phys->now_ns / (1000000000 / HZ);

	return sc->word == 8 ? now : (uint32_t)now;
}

static va_t
track_at(const struct kmem_cache *s, va_t object, enum track_item what)
{
	return object + slub_info_end(s) +
	       (unsigned int)what * track_layout(s->common).size;
}

uint32_t
slub_metadata_end(const struct kmem_cache *s)
{
	uint32_t end = slub_info_end(s);

	if (s->flags & SLAB_STORE_USER)
		end += 2U * track_layout(s->common).size;
	if (slub_keeps_size(s))
		end += 4;
	return end;
}

/* --- stacks -------------------------------------------------------------- */

uint32_t
slub_stack_handle(const struct slab_common *sc, va_t address)
{
	va_t first;

	if (!symbols_nth(sc->symbols, 0, &first) ||
	    !symbols_name(sc->symbols, address))
		return 0;
	return (uint32_t)(address - first) + 1;
}

/* stack_depot_print */
static void
print_stack(struct slab_common *sc, uint32_t handle)
{
	struct out text = OUT_INIT;
	va_t first = 0, address;

	symbols_nth(sc->symbols, 0, &first);
	address = first + handle - 1;
	if (slub_stack_handle(sc, address) == handle) {
		out_char(&text, ' ');
		symbols_print(sc->symbols, address, &text);
		slab_printk(sc, "%s", out_text(&text));
	} else {
		out_printf(&text,
			   "slab index %u out of bounds (0) for stack id %08x",
			   handle & 0x1fffff, handle);
		slab_warn(sc, NULL, "lib/stackdepot.c:377", "stack_depot_fetch",
			  out_text(&text));
	}
	out_fini(&text);
}

/* --- records ------------------------------------------------------------- */

void
slub_init_tracking(struct kmem_cache *s, va_t object)
{
	if (s->flags & SLAB_STORE_USER)
		slub_fill(s->common, track_at(s, object, TRACK_ALLOC), 0,
			  2U * track_layout(s->common).size);
}

void
slub_set_track(struct kmem_cache *s, va_t object, enum track_item what,
	       const struct slab_request *who)
{
	const struct slab_common *sc = s->common;
	struct layout l = track_layout(sc);
	va_t at = track_at(s, object, what);

	if (!(s->flags & SLAB_STORE_USER))
		return;
	slub_set_word(sc, at, sc->word, who->caller);
	slub_set_word(sc, at + l.handle, 4, slub_stack_handle(sc, who->caller));
	slub_set_word(sc, at + l.cpu, 4, who->cpu);
	slub_set_word(sc, at + l.pid, 4, (uint32_t)who->pid);
	slub_set_word(sc, at + l.when, sc->word, slub_jiffies(sc));
}

void
slub_get_track(const struct kmem_cache *s, va_t object, enum track_item what,
	       struct slub_track *track)
{
	const struct slab_common *sc = s->common;
	struct layout l = track_layout(sc);
	va_t at = track_at(s, object, what);

	*track = (struct slub_track){
		.addr = slub_word(sc, at, sc->word),
		.handle = (uint32_t)slub_word(sc, at + l.handle, 4),
		.cpu = (uint32_t)slub_word(sc, at + l.cpu, 4),
		.pid = (int32_t)slub_word(sc, at + l.pid, 4),
		.when = slub_word(sc, at + l.when, sc->word),
	};
}

static void
print_track(const struct kmem_cache *s, va_t object, enum track_item what)
{
	struct slab_common *sc = s->common;
	struct out text = OUT_INIT;
	struct slub_track t;
	uint64_t age;

	slub_get_track(s, object, what, &t);
	if (!t.addr)
		return;
	age = slub_jiffies(sc) - t.when;
	if (sc->word == 4)
		age = (uint32_t)age;
	symbols_print(sc->symbols, t.addr, &text);
	slab_printk(sc, "%s in %s age=%" PRIu64 " cpu=%u pid=%d",
		    what == TRACK_ALLOC ? "Allocated" : "Freed",
		    out_text(&text), age, t.cpu, t.pid);
	out_fini(&text);
	if (t.handle)
		print_stack(sc, t.handle);
	else
		slab_printk(sc, "object allocation/free stack trace missing");
}

void
slub_print_tracking(struct kmem_cache *s, va_t object)
{
	if (!(s->flags & SLAB_STORE_USER))
		return;
	print_track(s, object, TRACK_ALLOC);
	print_track(s, object, TRACK_FREE);
}

/* --- the size asked for -------------------------------------------------- */

void
slub_set_size(struct kmem_cache *s, va_t object, uint32_t bytes)
{
	if (slub_keeps_size(s))
		slub_set_word(s->common, object + slub_metadata_end(s) - 4, 4,
			      bytes);
}

void
slub_use_whole(struct kmem_cache *s, va_t object)
{
	if (s->common->config.orig_size)
		slub_set_size(s, object, s->object_size);
}

uint32_t
slub_kept_size(const struct kmem_cache *s, va_t object)
{
	if (!slub_keeps_size(s))
		return s->object_size;
	return (uint32_t)slub_word(s->common, object + slub_metadata_end(s) - 4,
				   4);
}

uint32_t
slub_asked_size(const struct kmem_cache *s, va_t object)
{
	if (!s->common->config.orig_size)
		return s->object_size;
	return MIN_OF(slub_kept_size(s, object), s->object_size);
}
