// SPDX-License-Identifier: MIT
/*
 * classic_debug.c - marks around and in objects of the classic SLAB
 *
 * What it models: slab_error, poison_obj, check_poison_obj, print_objinfo,
 *                 cache_alloc_debugcheck_after, cache_free_debugcheck,
 *                 check_slabp of mm/slab.c with CONFIG_DEBUG_SLAB, 2.6.11; red
 *                 zones of 64 bits are those of later kernels.
 * How it works:   red zones are a word before and one after the object, with
 *                 one value while it is in use and another while it is free.
 *                 Poison fills what is free with 6b and what is given out with
 *                 5a, a5 at the end.  The last word is the address of who used
 *                 the object last.  What is wrong is told when the object is
 *                 given out or comes back, and its marks are renewed.
 * Where it lies:  all of it in modelled RAM, so it may be anything.
 * Differs from the kernel: CONFIG_DEBUG_SLAB is a cache's flags; a double free
 *                 is found in caches that have any of them.
 */
#include "classic_impl.h"
#include "common_impl.h"

#include <errno.h>
#include <inttypes.h>

#define LINE 16 /* bytes of a hex line */
#define LINES_MOST 6
#define BUG_LIST 2330	/* check_slabp */
#define BUG_MIDDLE 2210 /* cache_free_debugcheck: not at an object's start */

/* --- words -----------------------------------------------------------------
 */

struct marks {
	uint64_t inactive, active;
};

static struct marks
red_values(const struct slab_common *sc)
{
	if (sc->word == 4)
		return (struct marks){0x5A2CF071, 0x170FC2A5};
	return (struct marks){0x09F911029D74E35B, 0xD84156C5635688C0};
}

static uint64_t
word(const struct slab_common *sc, va_t at)
{
	return ram_load(sc->ram, slab_pa(sc, at), sc->word);
}

static void
set_word(struct slab_common *sc, va_t at, uint64_t value)
{
	ram_store(sc->ram, slab_pa(sc, at), sc->word, value);
}

/* dbg_redzone1, dbg_redzone2, dbg_userword */
static va_t
red_before(const struct kmem_cache *s, va_t buffer)
{
	return buffer + s->red_left_pad - s->common->word;
}

static va_t
red_after(const struct kmem_cache *s, va_t buffer)
{
	unsigned int words = s->flags & SLAB_STORE_USER ? 2 : 1;

	return buffer + s->size - words * s->common->word;
}

static va_t
user_word(const struct kmem_cache *s, va_t buffer)
{
	return buffer + s->size - s->common->word;
}

/* All of the buffer is memory that may be written. */
static bool
there(const struct kmem_cache *s, va_t buffer)
{
	const struct slab_common *sc = s->common;
	pa_t pa;

	return slab_mapped(sc, buffer, s->size, &pa) &&
	       !ram_may_write(sc->ram, pa, s->size);
}

/* As wide as the machine prints pointers. */
static int
digits(const struct kmem_cache *s)
{
	return 2 * (int)s->common->word;
}

/* --- saying ----------------------------------------------------------------
 */

int
classic_bug(struct slab_common *sc, unsigned int line, const char *where)
{
	slab_printk(sc, "------------[ cut here ]------------");
	slab_printk(sc, "kernel BUG at mm/slab.c:%u!", line);
	return slub_died(sc, where);
}

void
classic_error(struct kmem_cache *s, const char *where, const char *message)
{
	slab_printk(s->common, "slab error in %s(): cache `%s': %s", where,
		    s->name, message);
	s->common->errors++;
}

/* dump_line */
static void
dump_line(const struct slab_common *sc, va_t from, uint32_t offset, uint32_t nr)
{
	struct out line = OUT_INIT;
	uint8_t byte[LINE];

	ram_read(sc->ram, slab_pa(sc, from + offset), byte, nr);
	out_printf(&line, "%03x:", offset);
	for (uint32_t i = 0; i < nr; i++)
		out_printf(&line, " %02x", byte[i]);
	slab_printk(sc, "%s", out_text(&line));
	out_fini(&line);
}

/* print_objinfo */
static void
print_info(struct kmem_cache *s, va_t buffer, unsigned int lines)
{
	struct slab_common *sc = s->common;

	if (s->flags & SLAB_RED_ZONE)
		slab_printk(sc, "Redzone: 0x%" PRIx64 "/0x%" PRIx64 ".",
			    word(sc, red_before(s, buffer)),
			    word(sc, red_after(s, buffer)));
	if (s->flags & SLAB_STORE_USER) {
		va_t user = word(sc, user_word(s, buffer));
		struct out text = OUT_INIT;

		symbols_print(sc->symbols, user, &text);
		slab_printk(sc, "Last user: [<%0*" PRIx64 ">](%s)", digits(s),
			    user, out_text(&text));
		out_fini(&text);
	}
	for (uint32_t at = 0; at < s->inuse && lines; at += LINE, lines--)
		dump_line(sc, buffer + s->red_left_pad, at,
			  MIN_OF(s->inuse - at, (uint32_t)LINE));
}

static void
print_neighbour(struct kmem_cache *s, const char *which, va_t buffer)
{
	slab_printk(s->common, "%s obj: start=%0*" PRIx64 ", len=%u", which,
		    digits(s), buffer + s->red_left_pad, s->inuse);
	print_info(s, buffer, 2);
}

static void
print_neighbours(struct kmem_cache *s, va_t buffer)
{
	const struct slab *slab = slab_of(s->common, buffer);
	uint32_t index;

	if (!slab || slab->cache != s)
		return;
	index = slab_object_index(slab, buffer);
	if (index == UINT32_MAX)
		return;
	if (index)
		print_neighbour(s, "Prev", buffer - s->size);
	if (index + 1 < slab->objects)
		print_neighbour(s, "Next", buffer + s->size);
}

/* --- poison ----------------------------------------------------------------
 */

static void
poison(struct kmem_cache *s, va_t buffer, uint8_t value)
{
	uint8_t *byte = g_malloc(s->inuse);

	memset(byte, value, s->inuse);
	byte[s->inuse - 1] = POISON_END;
	ram_write(s->common->ram, slab_pa(s->common, buffer + s->red_left_pad),
		  byte, s->inuse);
	g_free(byte);
}

/* The first byte from @from on that is not the poison of a free object. */
static uint32_t
next_spoilt(const uint8_t *byte, uint32_t from, uint32_t size)
{
	while (from < size &&
	       byte[from] == (from + 1 == size ? POISON_END : POISON_FREE))
		from++;
	return from;
}

/* check_poison_obj: up to six lines, each with a spoilt byte.  True: none. */
static bool
check_poison(struct kmem_cache *s, va_t buffer)
{
	struct slab_common *sc = s->common;
	va_t start = buffer + s->red_left_pad;
	uint8_t *byte = g_malloc(s->inuse);
	unsigned int lines = 0;
	uint32_t at;

	ram_read(sc->ram, slab_pa(sc, start), byte, s->inuse);
	at = next_spoilt(byte, 0, s->inuse);
	while (at < s->inuse && lines < LINES_MOST) {
		at = at / LINE * LINE;
		if (!lines++) {
			sc->errors++;
			slab_printk(sc,
				    "Slab corruption: start=%0*" PRIx64
				    ", len=%u",
				    digits(s), start, s->inuse);
			print_info(s, buffer, 0);
		}
		dump_line(sc, start, at, MIN_OF(s->inuse - at, (uint32_t)LINE));
		at = next_spoilt(byte, at + LINE, s->inuse);
	}
	g_free(byte);
	if (lines)
		print_neighbours(s, buffer);
	return !lines;
}

/* --- red zones -------------------------------------------------------------
 */

static void
set_red(struct kmem_cache *s, va_t buffer, uint64_t value)
{
	set_word(s->common, red_before(s, buffer), value);
	set_word(s->common, red_after(s, buffer), value);
}

/* Both are to be @want; told for @where if not. */
static bool
check_red(struct kmem_cache *s, va_t buffer, uint64_t want, const char *where)
{
	struct slab_common *sc = s->common;
	uint64_t one = word(sc, red_before(s, buffer));
	uint64_t two = word(sc, red_after(s, buffer));

	if (one == want && two == want)
		return true;
	classic_error(s, where,
		      "double free, or memory outside object was overwritten");
	slab_printk(sc,
		    "%0*" PRIx64 ": redzone 1: 0x%" PRIx64
		    ", redzone 2: 0x%" PRIx64 ".",
		    digits(s), buffer, one, two);
	return false;
}

/* Red zones of a free object, one by one. */
static bool
check_red_free(struct kmem_cache *s, va_t buffer, const char *where,
	       const char *start, const char *end)
{
	uint64_t want = red_values(s->common).inactive;
	bool good = true;

	if (word(s->common, red_before(s, buffer)) != want) {
		classic_error(s, where, start);
		good = false;
	}
	if (word(s->common, red_after(s, buffer)) != want) {
		classic_error(s, where, end);
		good = false;
	}
	return good;
}

/* --- a new slab ------------------------------------------------------------
 */

void
classic_debug_new(struct kmem_cache *s, va_t buffer)
{
	if (s->flags & SLAB_POISON)
		poison(s, buffer, POISON_FREE);
	if (s->flags & SLAB_STORE_USER)
		set_word(s->common, user_word(s, buffer), 0);
	if (s->flags & SLAB_RED_ZONE)
		set_red(s, buffer, red_values(s->common).inactive);
}

void
classic_debug_constructed(struct kmem_cache *s, va_t buffer)
{
	if (s->flags & SLAB_RED_ZONE)
		check_red_free(s, buffer, "cache_init_objs",
			       "constructor overwrote the start of an object",
			       "constructor overwrote the end of an object");
}

/* --- objects ---------------------------------------------------------------
 */

int
classic_debug_alloc(struct kmem_cache *s, va_t buffer,
		    const struct slab_request *r)
{
	struct slab_common *sc = s->common;
	struct marks red = red_values(sc);

	if (!there(s, buffer))
		return slub_oops(sc, buffer, true,
				 "cache_alloc_debugcheck_after");
	if (s->flags & SLAB_POISON) {
		check_poison(s, buffer);
		poison(s, buffer, POISON_INUSE);
	}
	if (s->flags & SLAB_STORE_USER)
		set_word(sc, user_word(s, buffer), r->caller);
	if (s->flags & SLAB_RED_ZONE) {
		check_red(s, buffer, red.inactive,
			  "cache_alloc_debugcheck_after");
		set_red(s, buffer, red.active);
	}
	if (s->ctor && s->flags & SLAB_POISON)
		return slab_construct(s, buffer + s->red_left_pad);
	return 0;
}

/* Whose it is, if not of @s. */
static void
tell_mismatch(struct kmem_cache *s, const struct slab *slab, va_t buffer)
{
	struct slab_common *sc = s->common;

	if (!slab) {
		slab_printk(sc, "kfree_debugcheck: bad ptr %" PRIx64 "h.",
			    buffer);
		return;
	}
	if (slab->cache != s) {
		slab_printk(sc,
			    "mismatch in kmem_cache_free: expected cache %s, "
			    "got %s",
			    s->name, slab->cache->name);
	}
}

int
classic_debug_free(struct kmem_cache *s, struct slab *slab, va_t buffer,
		   const struct slab_request *who)
{
	struct slab_common *sc = s->common;
	struct marks red = red_values(sc);
	va_t s_mem;

	tell_mismatch(s, slab, buffer);
	if (!slab || slab->cache != s || slab->where == SLAB_RCU)
		return 0; /* its caller's BUG */
	if (!there(s, buffer))
		return slub_oops(sc, buffer, true, "cache_free_debugcheck");
	s_mem = classic_s_mem(slab);
	if (s->flags & SLAB_RED_ZONE) {
		check_red(s, buffer, red.active, "cache_free_debugcheck");
		set_red(s, buffer, red.inactive);
	}
	if (s->flags & SLAB_STORE_USER)
		set_word(sc, user_word(s, buffer), who->caller);
	if ((buffer - s_mem) % s->size ||
	    (buffer - s_mem) / s->size >= slab->objects)
		return classic_bug(sc, BUG_MIDDLE, "cache_free_debugcheck");
	if (s->flags & SLAB_POISON)
		poison(s, buffer, POISON_FREE);
	return 0;
}

void
classic_debug_destroy(struct kmem_cache *s, struct slab *slab)
{
	va_t first = slab_address(slab) + slab->colour;

	for (uint32_t i = 0; i < slab->objects; i++) {
		va_t buffer = first + (uint64_t)i * s->size;

		if (s->flags & SLAB_POISON)
			check_poison(s, buffer);
		if (s->flags & SLAB_RED_ZONE)
			check_red_free(s, buffer, "slab_destroy_objs",
				       "start of a freed object was "
				       "overwritten",
				       "end of a freed object was "
				       "overwritten");
	}
}

/* --- lists -----------------------------------------------------------------
 */

int
classic_debug_list(struct slab *slab, const char *where)
{
	struct kmem_cache *s = slab->cache;
	struct slab_common *sc = s->common;
	uint32_t bytes = classic_of(s)->slab_size;
	unsigned int free;
	uint8_t *map;
	bool broken;

	if (!(s->flags & SLAB_CONSISTENCY_CHECKS))
		return 0;
	map = g_malloc0(slab->objects);
	free = classic_walk(slab, map, 1, &broken);
	g_free(map);
	if (!broken && free == slab->objects - classic_inuse(slab))
		return 0;
	sc->errors++;
	slab_printk(sc,
		    "slab: Internal list corruption detected in cache "
		    "'%s'(%u), slabp %0*" PRIx64 "(%u). Hexdump:",
		    s->name, slab->objects, digits(s), slab->freelist,
		    classic_inuse(slab));
	for (uint32_t at = 0; at < bytes; at += LINE)
		dump_line(sc, slab->freelist, at,
			  MIN_OF(bytes - at, (uint32_t)LINE));
	return classic_bug(sc, BUG_LIST, where);
}

/* --- validate --------------------------------------------------------------
 */

static unsigned int
validate_slab(struct kmem_cache *s, struct slab *slab)
{
	struct marks red = red_values(s->common);
	uint8_t *state = g_malloc(slab->objects);
	unsigned int found = 0;

	classic_states(slab, state);
	for (uint32_t i = 0; i < slab->objects; i++) {
		va_t buffer = slab_address(slab) + slab->colour +
			      (uint64_t)i * s->size;
		bool used = state[i] == OBJECT_USED;

		if (s->flags & SLAB_POISON && !used)
			found += !check_poison(s, buffer);
		if (s->flags & SLAB_RED_ZONE)
			found += !check_red(s, buffer,
					    used ? red.active : red.inactive,
					    "validate_slab_cache");
	}
	g_free(state);
	return found;
}

unsigned int
classic_validate(struct kmem_cache *s)
{
	unsigned int found = 0;

	for (struct slab *slab = slab_next(s, NULL); slab;
	     slab = slab_next(s, slab))
		if (slab->where != SLAB_RCU)
			found += validate_slab(s, slab);
	return found;
}
