// SPDX-License-Identifier: MIT
/*
 * classic_size.c - how large objects and slabs of the classic SLAB are
 *
 * What it models: kmem_cache_create, cache_estimate, enable_cpucache of
 *                 mm/slab.c, 2.6.11 to 2.6.18.
 * How it works:   the order grows until an eighth of the slab or less is left
 *                 over, but hardly beyond 1.  What is left over is used: slabs
 *                 begin their objects at different cache lines.
 *
 *     on-slab     | colour | struct slab, index array | objects ... | rest |
 *     off-slab    | colour | objects ...                            | rest |
 *
 *     an object   | red zone | bytes asked for | red zone | last user |
 * Differs from the kernel: alignment is that of 6.1, 8 bytes at least.
 */
#include "classic_impl.h"
#include "common_impl.h"

#include <errno.h>

#define MAX_GFP_ORDER 5
#define BREAK_GFP_ORDER_LO 0
#define BREAK_GFP_ORDER_HI 1
#define BREAK_AT MIB(32) /* of RAM: from there on the higher */
#define OFF_SLAB_PART 8	 /* of a page: objects from here on */
#define SLAB_LIMIT 65535 /* struct slab of ours counts with 16 bits */
#define DEBUG_LIMIT 32
#define SHARED_FACTOR 8

uint32_t
classic_descriptor_size(const struct slab_common *sc)
{
	/* list, colouroff, s_mem; inuse, free, nodeid with padding. */
	return sc->word == 8 ? 48 : 28;
}

/* --- objects ---------------------------------------------------------------
 */

/*
 * Debugging words make objects larger and have their own alignment: cache
 * lines give way to it, a caller's alignment does not.
 */
static void
add_debug(struct kmem_cache *s)
{
	const struct slab_common *sc = s->common;
	const slab_flags_t words = SLAB_RED_ZONE | SLAB_STORE_USER;
	uint32_t line = slab_alignment(sc, s->flags & SLAB_HWCACHE_ALIGN, 0,
				       s->object_size);

	if (s->align > MAX_OF(line, (uint32_t)SLAB_ALIGN_LEAST))
		s->flags &= ~(slab_flags_t)words;
	if (!(s->flags & words))
		return;
	s->align = sc->word;
	if (s->flags & SLAB_RED_ZONE) {
		s->red_left_pad = sc->word;
		s->size += 2 * sc->word;
	}
	if (s->flags & SLAB_STORE_USER)
		s->size += sc->word;
}

/* --- slabs -----------------------------------------------------------------
 */

struct estimate {
	uint32_t num;
	uint64_t left_over;
};

static uint64_t
managed(const struct kmem_cache *s, bool off_slab, uint64_t num)
{
	uint64_t bytes =
		classic_descriptor_size(s->common) + num * sizeof(uint32_t);

	return off_slab ? 0 : round_up_to(bytes, s->align);
}

/* cache_estimate */
static struct estimate
estimate(const struct kmem_cache *s, unsigned int order, bool off_slab)
{
	uint64_t bytes = page_size(s->common->phys) << order;
	uint64_t num = bytes / s->size;

	while (num && num * s->size + managed(s, off_slab, num) > bytes)
		num--;
	num = MIN_OF(num, (uint64_t)SLAB_LIMIT);
	return (struct estimate){(uint32_t)num,
				 bytes - num * s->size -
					 managed(s, off_slab, num)};
}

static unsigned int
break_order(const struct slab_common *sc)
{
	uint64_t pages = 0;

	for (unsigned int i = 0; i < sc->phys->nr_zones; i++)
		pages += sc->phys->zones[i]->present_pages;
	return pages << sc->phys->page_shift > BREAK_AT ? BREAK_GFP_ORDER_HI
							: BREAK_GFP_ORDER_LO;
}

static struct estimate
choose_order(struct kmem_cache *s, bool off_slab)
{
	uint64_t page = page_size(s->common->phys);
	struct estimate e = estimate(s, 0, off_slab);

	s->order = 0;
	if (s->flags & SLAB_RECLAIM_ACCOUNT && s->size <= page)
		return e;
	while (s->order < MAX_GFP_ORDER) {
		if (e.num && (s->order >= break_order(s->common) ||
			      e.left_over * 8 <= page << s->order))
			break;
		e = estimate(s, ++s->order, off_slab);
	}
	return e;
}

/* Where the descriptor lies, and what is left to begin at. */
static void
set_colours(struct kmem_cache *s, struct estimate e, bool off_slab)
{
	struct classic *c = classic_of(s);
	uint64_t bare =
		classic_descriptor_size(s->common) + e.num * sizeof(uint32_t);
	uint64_t aligned = round_up_to(bare, s->align);

	/* There is room for it after all. */
	if (off_slab && e.left_over >= aligned) {
		off_slab = false;
		e.left_over -= aligned;
	}
	c->off_slab = off_slab;
	c->slab_size = (uint32_t)(off_slab ? bare : aligned);
	c->colour_off = MAX_OF((uint32_t)CACHE_LINE, s->align);
	c->colour = (uint32_t)(e.left_over / c->colour_off);
}

/* enable_cpucache: how many free objects arrays hold. */
static void
set_limits(struct kmem_cache *s)
{
	static const struct {
		uint32_t above, limit;
	} limits[] = {
		{131072, 1  },
		     {4096,   8  },
		{1024,   24 },
		    {256,	  54 },
		       {0,	   120},
	};
	const struct phys *phys = s->common->phys;
	struct classic *c = classic_of(s);
	size_t i = 0;

	while (s->size <= limits[i].above)
		i++;
	c->limit = limits[i].limit;
	if (classic_debugged(s))
		c->limit = MIN_OF(c->limit, (uint32_t)DEBUG_LIMIT);
	c->batchcount = (c->limit + 1) / 2;
	c->shared = phys->nr_cpus > 1 && s->size <= page_size(phys)
			    ? SHARED_FACTOR
			    : 0;
}

int
classic_calculate_sizes(struct kmem_cache *s)
{
	const struct slab_common *sc = s->common;
	bool off_slab;
	struct estimate e;

	s->inuse = (uint32_t)round_up_to(s->object_size, sc->word);
	s->size = s->inuse;
	if (s->flags & SLAB_TYPESAFE_BY_RCU)
		s->flags &= ~(slab_flags_t)SLAB_POISON;
	add_debug(s);
	off_slab = s->size >= page_size(sc->phys) / OFF_SLAB_PART;
	s->size = (uint32_t)round_up_to(s->size, s->align);
	e = choose_order(s, off_slab);
	if (!e.num)
		return -E2BIG;
	s->objects = s->min_objects = (uint16_t)e.num;
	s->min_order = s->order;
	set_colours(s, e, off_slab);
	set_limits(s);
	s->allocflags = s->order ? __GFP_COMP : 0;
	if (s->flags & SLAB_CACHE_DMA)
		s->allocflags |= __GFP_DMA;
	if (s->flags & SLAB_CACHE_DMA32)
		s->allocflags |= __GFP_DMA32;
	if (s->flags & SLAB_RECLAIM_ACCOUNT)
		s->allocflags |= __GFP_RECLAIMABLE;
	return 0;
}
