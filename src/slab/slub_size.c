// SPDX-License-Identifier: MIT
/*
 * slub_size.c - how objects are laid out, and how many fit into a slab
 *
 * What it models: calculate_sizes, calculate_order, set_cpu_partial and the
 *                 min_partial of kmem_cache_open (mm/slub.c), and
 *                 calculate_alignment (mm/slab_common.c), of 6.1.192.
 * How it works:
 *
 *   | left red zone | object | red | free pointer | 2 tracks | size | pad |
 *   '- red_left_pad '- 0     |     '- offset, when outside      |
 *                            '- object_size       '- inuse      '- size
 *
 *                 A free object needs none of its bytes, so its free pointer
 *                 stands in its middle, unless somebody may still look there.
 *                 The order is the least that wastes little and holds enough.
 *                 Later kernels' rules are chosen by config.kernel and
 *                 config.orig_size; each is named where it is used.
 */
#include "common_impl.h"
#include "slub_impl.h"

#include <errno.h>

#define MIN_PARTIAL 5
#define MAX_PARTIAL 10
#define DEFRAG_RATIO 100 /* percent: remote_node_defrag_ratio 1000 / 10 */

/* From 6.7 on the order is not sought again for fewer and fewer objects. */
#define KERNEL_ONE_MIN_ORDER SLAB_KERNEL(6, 7)
/* From 6.11 on the size asked for moves the free pointer with red zones only.
 */
#define KERNEL_ORIG_SIZE_RED_ONLY SLAB_KERNEL(6, 11)

static unsigned int
fls_of(unsigned int v)
{
	return v ? 32 - (unsigned int)__builtin_clz(v) : 0;
}

uint32_t
slab_alignment(const struct slab_common *sc, slab_flags_t flags, uint64_t align,
	       uint64_t size)
{
	if (flags & SLAB_HWCACHE_ALIGN) {
		uint64_t line = CACHE_LINE;

		/* Several small objects share a line, none crosses one. */
		while (size <= line / 2)
			line /= 2;
		align = MAX_OF(align, line);
	}
	align = MAX_OF(align, SLAB_ALIGN_LEAST);
	return (uint32_t)round_up_to(align, sc->word);
}

/* --- order --------------------------------------------------------------- */

static uint64_t
order_objects(const struct slab_common *sc, unsigned int order, uint32_t size)
{
	return (page_size(sc->phys) << order) / size;
}

/* The least order from @order on that leaves at most 1/@fraction unused;
 * @most + 1 when there is none. */
static unsigned int
order_by_waste(const struct slab_common *sc, uint32_t size, unsigned int order,
	       unsigned int most, unsigned int fraction)
{
	for (; order <= most; order++) {
		uint64_t bytes = page_size(sc->phys) << order;

		if (bytes % size <= bytes / fraction)
			break;
	}
	return order;
}

/* A slab's objects are counted in 15 bits: the largest order that is not too
 * large when order @least would be; @least when it is fine. */
static unsigned int
order_countable(const struct slab_common *sc, uint32_t size, unsigned int least,
		bool *too_many)
{
	*too_many = order_objects(sc, least, size) > MAX_OBJS_PER_PAGE;
	if (!*too_many)
		return least;
	return slab_get_order(sc, (uint64_t)size * MAX_OBJS_PER_PAGE) - 1;
}

/* calc_slab_order of 6.1: room for @objects, at most 1/@fraction unused. */
static unsigned int
order_seek(const struct slab_common *sc, uint32_t size, uint64_t objects,
	   unsigned int most, unsigned int fraction)
{
	bool too_many;
	unsigned int order =
		order_countable(sc, size, sc->slub_min_order, &too_many);

	if (too_many)
		return order;
	order = MAX_OF(order, slab_get_order(sc, objects * size));
	return order_by_waste(sc, size, order, most, fraction);
}

static uint64_t
wanted_objects(const struct slab_common *sc, uint32_t size)
{
	uint64_t wanted = sc->slub_min_objects;

	/* More CPUs: more of them want a slab of their own from the lists. */
	if (!wanted)
		wanted = 4 * (fls_of(sc->nr_cpu_ids) + 1);
	return MIN_OF(wanted, order_objects(sc, sc->slub_max_order, size));
}

/* MAX_ORDER when not even the largest block holds an object. */
static unsigned int
calculate_order(const struct slab_common *sc, uint32_t size)
{
	unsigned int most = sc->slub_max_order;
	unsigned int order;

	for (uint64_t n = wanted_objects(sc, size); n > 1; n--) {
		for (unsigned int fraction = 16; fraction >= 4; fraction /= 2) {
			order = order_seek(sc, size, n, most, fraction);
			if (order <= most)
				return order;
		}
	}
	order = order_seek(sc, size, 1, most, 1);
	if (order <= most)
		return order;
	return order_seek(sc, size, 1, MAX_ORDER, 1);
}

/* The same of 6.7 and later. */
static unsigned int
calculate_order_later(const struct slab_common *sc, uint32_t size)
{
	unsigned int most = sc->slub_max_order;
	uint64_t wanted = MAX_OF(wanted_objects(sc, size), 1);
	unsigned int least = slab_get_order(sc, wanted * size);
	bool too_many;

	least = order_countable(sc, size, MAX_OF(least, sc->slub_min_order),
				&too_many);
	if (too_many)
		return least;
	for (unsigned int fraction = 16; fraction > 1; fraction /= 2) {
		unsigned int order =
			order_by_waste(sc, size, least, most, fraction);

		if (order <= most)
			return order;
	}
	return slab_get_order(sc, size);
}

/* --- layout -------------------------------------------------------------- */

/* Bytes of struct track: address, stack's handle, cpu, pid, time. */
static uint32_t
track_size(const struct slab_common *sc)
{
	return (uint32_t)round_up_to(2 * sc->word + 3 * 4, sc->word);
}

static bool
pointer_outside(const struct kmem_cache *s)
{
	const struct slab_common *sc = s->common;
	/* Between what was asked for and object_size there is red zone. */
	bool orig_size = sc->config.orig_size && s->flags & SLAB_STORE_USER &&
			 s->flags & SLAB_KMALLOC;

	if (s->ctor ||
	    (s->flags & SLAB_TYPESAFE_BY_RCU && !s->use_freeptr_offset))
		return true;
	if (orig_size && !slab_kernel_from(sc, KERNEL_ORIG_SIZE_RED_ONLY))
		return true;
	return s->flags & SLAB_POISON ||
	       (s->flags & SLAB_RED_ZONE &&
		(s->object_size < sc->word || orig_size));
}

/* Place everything that belongs to an object: inuse, offset, red_left_pad,
 * size. */
static void
lay_out(struct kmem_cache *s)
{
	const struct slab_common *sc = s->common;
	uint64_t size = round_up_to(s->object_size, sc->word);

	s->red_left_pad = 0;
	/* Without padding a red zone needs a word of its own. */
	if (s->flags & SLAB_RED_ZONE && size == s->object_size)
		size += sc->word;
	s->inuse = (uint32_t)size;
	if (pointer_outside(s)) {
		s->offset = (uint32_t)size;
		size += sc->word;
	} else if (s->use_freeptr_offset && s->flags & SLAB_TYPESAFE_BY_RCU) {
		s->offset = s->freeptr_offset;
	} else {
		s->offset =
			(uint32_t)round_down_to(s->object_size / 2, sc->word);
	}
	if (s->flags & SLAB_STORE_USER) {
		size += 2 * track_size(sc);
		if (s->flags & SLAB_KMALLOC)
			size += 4; /* unsigned int: the size asked for */
	}
	if (s->flags & SLAB_RED_ZONE) {
		s->red_left_pad = (uint32_t)round_up_to(sc->word, s->align);
		size += sc->word + s->red_left_pad;
	}
	s->size = (uint32_t)round_up_to(size, s->align);
}

static gfp_t
slab_allocflags(const struct kmem_cache *s)
{
	gfp_t gfp = s->order ? __GFP_COMP : 0;

	if (s->flags & SLAB_CACHE_DMA)
		gfp |= __GFP_DMA;
	if (s->flags & SLAB_CACHE_DMA32)
		gfp |= __GFP_DMA32;
	if (s->flags & SLAB_RECLAIM_ACCOUNT)
		gfp |= __GFP_RECLAIMABLE;
	return gfp;
}

/* Sizes and orders for the flags as they are. */
static int
calculate(struct kmem_cache *s)
{
	const struct slab_common *sc = s->common;
	unsigned int order;

	lay_out(s);
	if (s->size > kmalloc_max_size(sc))
		return -E2BIG;
	order = slab_kernel_from(sc, KERNEL_ONE_MIN_ORDER)
			? calculate_order_later(sc, s->size)
			: calculate_order(sc, s->size);
	if (order >= MAX_ORDER || !order_objects(sc, order, s->size))
		return -E2BIG;
	s->order = (uint8_t)order;
	s->objects = (uint16_t)order_objects(sc, order, s->size);
	s->min_order = (uint8_t)slab_get_order(sc, s->size);
	s->min_objects = (uint16_t)order_objects(sc, s->min_order, s->size);
	s->allocflags = slab_allocflags(s);
	return 0;
}

static void
calculate_cpu_partial(struct kmem_cache *s)
{
	if (s->flags & SLAB_DEBUG_FLAGS)
		s->cpu_partial = 0;
	else if (s->size >= page_size(s->common->phys))
		s->cpu_partial = 6;
	else if (s->size >= 1024)
		s->cpu_partial = 24;
	else if (s->size >= 256)
		s->cpu_partial = 52;
	else
		s->cpu_partial = 120;
	/* Slabs on a CPU's list are taken to be half full. */
	s->cpu_partial_slabs =
		(2 * s->cpu_partial + s->objects - 1) / s->objects;
}

int
slub_calculate_sizes(struct kmem_cache *s)
{
	const struct slab_common *sc = s->common;
	unsigned int log;
	int err = calculate(s);

	if (err)
		return err;
	if (sc->no_higher_order_debug &&
	    slab_get_order(sc, s->size) > slab_get_order(sc, s->object_size)) {
		s->flags &= ~(slab_flags_t)SLAB_DEBUG_METADATA;
		err = calculate(s);
		if (err)
			return err;
	}
	log = fls_of(s->size) - 1;
	s->min_partial = MAX_OF(MIN_OF(log / 2, MAX_PARTIAL), MIN_PARTIAL);
	calculate_cpu_partial(s);
	s->remote_node_defrag_ratio = DEFRAG_RATIO;
	return 0;
}

bool
slab_geometry(struct slab_common *sc, uint32_t size, struct kmem_cache *like)
{
	*like = (struct kmem_cache){
		.common = sc, .object_size = size, .align = sc->word};
	return size && !slub_calculate_sizes(like);
}
