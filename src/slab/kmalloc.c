// SPDX-License-Identifier: MIT
/*
 * kmalloc.c - memory by size
 *
 * What it models: kmalloc_slab, kmalloc_type, __do_kmalloc_node, kfree,
 *                 free_large_kmalloc, __ksize, slab_ksize, krealloc,
 *                 kmalloc_size_roundup (mm/slab_common.c, mm/slab.h) of
 *                 6.1.192.
 * How it works:   a request goes to the cache of the next size, of the kind
 *                 that its flags name, DMA before reclaimable before accounted.
 *                 Beyond two pages it takes pages, as a compound block, which
 *                 kfree() knows by nobody's slab being there.
 * Differs from the kernel: of a block that is not compound, and of one that is
 *                 not allocated at all, kfree() frees nothing, where a kernel
 *                 would take a page off or spoil its counter of users.
 */
#include "kmemfs/slab/kmalloc.h"

#include "classic_impl.h"
#include "common_impl.h"
#include "slob_impl.h"

#include <errno.h>
#include <stdio.h>

#define INDEX_96 1
#define INDEX_192 2
#define SLAB_BUG_GFP (__GFP_DMA32 | __GFP_HIGHMEM)
#define COPY_PIECE 4096
/* Without these it is KMALLOC_NORMAL. */
#define KMALLOC_TYPE_GFP (__GFP_DMA | __GFP_RECLAIMABLE | __GFP_ACCOUNT)

/* --- which cache --------------------------------------------------------- */

static enum kmalloc_type
kmalloc_type_of(const struct slab_common *sc, gfp_t gfp)
{
	if (gfp & __GFP_DMA && arch_has_zone(sc->phys->arch, ZONE_DMA))
		return KMALLOC_DMA;
	if (gfp & __GFP_RECLAIMABLE)
		return KMALLOC_RECLAIM;
	if (gfp & __GFP_ACCOUNT && sc->config.memcg)
		return KMALLOC_CGROUP;
	return KMALLOC_NORMAL;
}

static unsigned int
kmalloc_index(const struct slab_common *sc, uint64_t bytes)
{
	bool classic = sc->config.allocator == ALLOCATOR_SLAB;
	unsigned int index = classic ? CLASSIC_KMALLOC_LOW : KMALLOC_SHIFT_LOW;

	if (bytes > 64 && bytes <= 96 && !classic)
		return INDEX_96;
	if (bytes > 128 && bytes <= 192)
		return INDEX_192;
	while (1ULL << index < bytes)
		index++;
	return index;
}

void
kmalloc_boot_sizes(struct slab_common *sc)
{
	for (uint64_t bytes = 8; bytes <= KMALLOC_SMALL; bytes += 8)
		sc->kmalloc_small[bytes / 8 - 1] =
			(uint8_t)kmalloc_index(sc, bytes);
}

/* The cache of a small request, found fast; NULL: see kmalloc_cache(). */
static inline struct kmem_cache *
kmalloc_small_cache(const struct slab_common *sc, uint64_t bytes, gfp_t gfp)
{
	enum kmalloc_type type = KMALLOC_NORMAL;
	unsigned int index;

	if (unlikely(bytes - 1 >= KMALLOC_SMALL))
		return NULL;
	index = sc->kmalloc_small[(bytes - 1) / 8];
	if (unlikely(!index))
		return NULL;
	if (unlikely(gfp & KMALLOC_TYPE_GFP))
		type = kmalloc_type_of(sc, gfp);
	return sc->kmalloc[type][index];
}

static bool
is_large(const struct slab_common *sc, uint64_t bytes)
{
	if (slob_machine(sc))
		return !slob_kmalloc_small(sc, bytes);
	return bytes > 1ULL << kmalloc_shift_high(sc);
}

uint64_t
kmalloc_largest(const struct slab_common *sc)
{
	if (sc->config.allocator == ALLOCATOR_SLAB)
		return CLASSIC_KMALLOC_MOST;
	return kmalloc_max_size(sc);
}

bool
kmalloc_takes_pages(const struct slab_common *sc, uint64_t bytes)
{
	return bytes && bytes <= kmalloc_largest(sc) && is_large(sc, bytes);
}

struct kmem_cache *
kmalloc_cache(const struct slab_common *sc, uint64_t bytes, gfp_t gfp)
{
	if (!bytes || slob_machine(sc) || is_large(sc, bytes))
		return NULL;
	return sc->kmalloc[kmalloc_type_of(sc, gfp)][kmalloc_index(sc, bytes)];
}

uint64_t
kmalloc_size(const struct slab_common *sc, uint64_t bytes, gfp_t gfp)
{
	if (!bytes)
		return 0;
	if (is_large(sc, bytes)) {
		if (bytes > kmalloc_largest(sc))
			return bytes;
		return page_size(sc->phys) << slab_get_order(sc, bytes);
	}
	if (slob_machine(sc))
		return slob_kmalloc_size(sc, bytes);
	return kmalloc_cache(sc, bytes, gfp)->object_size;
}

/* --- large ones ---------------------------------------------------------- */

static void
count_large(struct slab_common *sc, pfn_t pfn, int64_t pages)
{
	struct zone *zone = phys_zone_of(sc->phys, pfn);

	zone->node->stat[NS_nr_slab_unreclaimable] += pages;
}

/* kmalloc_fix_flags: memory without an address is of no use. */
static gfp_t
fix_flags(const struct slab_common *sc, gfp_t gfp)
{
	gfp_t invalid = gfp & SLAB_BUG_GFP;
	struct out out = OUT_INIT;

	gfp &= ~(gfp_t)SLAB_BUG_GFP;
	out_printf(&out, "Unexpected gfp: 0x%x (", invalid);
	gfp_print(&out, invalid);
	out_printf(&out, "). Fixing up to gfp: 0x%x (", gfp);
	gfp_print(&out, gfp);
	out_str(&out, "). Fix your code!");
	slab_printk(sc, "%s", out_text(&out));
	out_fini(&out);
	return gfp;
}

static int
large_alloc(struct slab_common *sc, unsigned int order,
	    const struct slab_request *r, va_t *object)
{
	struct phys *phys = sc->phys;
	gfp_t gfp = r->gfp & SLAB_BUG_GFP ? fix_flags(sc, r->gfp) : r->gfp;
	const struct page_request request = {
		.why = r->why,
		.gfp = gfp | (order ? __GFP_COMP : 0U),
		.order = order,
		.nid = r->nid,
		.cpu = r->cpu,
		.context = r->context,
	};
	pfn_t pfn;
	int err;

	if (r->why)
		out_printf(r->why,
			   "kmalloc: larger than the largest cache, so a block "
			   "of order %u\n",
			   order);
	err = pages_alloc_warn(phys, &request, &pfn);
	if (err)
		return err;
	count_large(sc, pfn, (int64_t)1 << order);
	if (gfp & __GFP_ZERO)
		ram_zero(sc->ram, pfn << phys->page_shift,
			 page_size(phys) << order);
	*object = phys->arch->page_offset + (pfn << phys->page_shift);
	return 0;
}

/* free_large_kmalloc of something that is no large kmalloc's block. */
static void
warn_not_large(struct slab_common *sc, va_t object,
	       const struct slab_request *who)
{
	if (sc->warned_kfree)
		return;
	sc->warned_kfree = true;
	slab_warn(sc, who, "mm/slab_common.c:904", "free_large_kmalloc", NULL);
	slab_printk(sc, "object pointer: 0x%016llx",
		    (unsigned long long)object);
}

/* @pa is no slab's; it may be anything else. */
static void
large_free(struct slab_common *sc, va_t object, pa_t pa,
	   const struct slab_request *who)
{
	struct phys *phys = sc->phys;
	enum migratetype type;
	unsigned int order;
	pfn_t head;

	if (frame_block(phys, pa >> phys->page_shift, &head, &order, &type) !=
	    FRAME_ALLOCATED) {
		warn_not_large(sc, object, who);
		return;
	}
	/* SLOB gives single pages out, and asks no questions. */
	if (order ? !(phys->frames[head].flags & FRAME_COMPOUND)
		  : !slob_machine(sc)) {
		warn_not_large(sc, object, who);
		if (order)
			return;
	}
	/* As much as it is taken for, whatever it was. */
	count_large(sc, head, -((int64_t)1 << order));
	pages_put(phys, head, order, who->cpu);
}

/* --- kmalloc, kfree ------------------------------------------------------ */

static void
emit_kmalloc(const struct slab_common *sc, const struct slab_request *r,
	     va_t object, uint64_t bytes, uint64_t taken)
{
	bool accounted = sc->config.memcg && r->gfp & __GFP_ACCOUNT;

	TRACE(sc->phys->trace, KMALLOC, r->caller, object, bytes, taken, r->gfp,
	      (uint64_t)(int64_t)r->nid, accounted);
}

static __attribute__((noinline)) int
kmalloc_by_rules(struct slab_common *sc, uint64_t bytes,
		 const struct slab_request *r, va_t *object)
{
	struct slab_request own = *r;
	struct kmem_cache *s;
	uint64_t taken;
	int err;

	if (!bytes) {
		*object = ZERO_SIZE_PTR;
		return 0;
	}
	if (bytes > kmalloc_largest(sc))
		return -EINVAL;
	*object = 0;
	own.bytes = (uint32_t)bytes;
	own.function = "__kmalloc";
	if (is_large(sc, bytes)) {
		unsigned int order = slab_get_order(sc, bytes);

		taken = page_size(sc->phys) << order;
		err = large_alloc(sc, order, &own, object);
	} else if (slob_machine(sc)) {
		taken = bytes + SLAB_ALIGN_LEAST;
		err = slob_kmalloc(sc, bytes, &own, object);
	} else {
		s = kmalloc_cache(sc, bytes, r->gfp);
		taken = s->size;
		err = slab_alloc_quiet(s, &own, object);
	}
	emit_kmalloc(sc, r, err ? 0 : *object, bytes, taken);
	return err;
}

int
kmalloc(struct slab_common *sc, uint64_t bytes, const struct slab_request *r,
	va_t *object)
{
	struct kmem_cache *s = kmalloc_small_cache(sc, bytes, r->gfp);
	int err;

	/* Nobody else looks at r->bytes, so it need not be there. */
	if (unlikely(!s || slub_debugged(s) || s->ops != &slub_ops || r->why))
		return kmalloc_by_rules(sc, bytes, r, object);
	*object = 0;
	err = slab_alloc_quiet(s, r, object);
	if (unlikely(trace_is_on(sc->phys->trace, TRACE_KMALLOC)))
		emit_kmalloc(sc, r, err ? 0 : *object, bytes, s->size);
	return err;
}

/* Of a cache that reports: its stacks say that it was kfree. */
static __attribute__((noinline)) int
free_debugged(struct slab *slab, va_t object, const struct slab_request *who)
{
	struct slab_request own = *who;

	own.function = "kfree";
	return slab_free_quiet(slab->cache, slab, object, &own);
}

int
kfree(struct slab_common *sc, va_t object, const struct slab_request *who)
{
	struct slab *slab;
	pa_t pa;

	TRACE(sc->phys->trace, KFREE, who->caller, object);
	if (object <= ZERO_SIZE_PTR)
		return 0;
	slab = slab_of(sc, object);
	if (unlikely(slab && slub_debugged(slab->cache)))
		return free_debugged(slab, object, who);
	if (likely(slab))
		return slab_free_quiet(slab->cache, slab, object, who);
	if (!slab_mapped(sc, object, 1, &pa))
		return slub_oops(sc, object, false, "kfree");
	large_free(sc, object, pa, who);
	return 0;
}

/* --- ksize, krealloc ----------------------------------------------------- */

/* slab_ksize: what of an object nothing else is kept in. */
static uint64_t
cache_ksize(const struct kmem_cache *s)
{
	if (s->flags & (SLAB_RED_ZONE | SLAB_POISON) ||
	    s->ops->id == ALLOCATOR_SLAB)
		return s->object_size;
	if (s->flags & (SLAB_TYPESAFE_BY_RCU | SLAB_STORE_USER))
		return s->inuse;
	return s->size;
}

/*
 * __ksize of a page that is no slab's, at @pa.  Frames that belong together are
 * one folio only if they were asked for as one.  *@place is the line that
 * warns, as none of kmalloc's own can be there; SLOB does not ask.
 */
static uint64_t
folio_ksize(const struct slab_common *sc, pa_t pa, const char **place)
{
	const struct phys *phys = sc->phys;
	pfn_t pfn = pa >> phys->page_shift, head;
	enum migratetype type;
	unsigned int order;

	if (frame_block(phys, pfn, &head, &order, &type) != FRAME_ALLOCATED ||
	    !(phys->frames[head].flags & FRAME_COMPOUND)) {
		head = pfn;
		order = 0;
	}
	if (slob_machine(sc))
		return page_size(phys) << order;
	if (!is_large(sc, page_size(phys) << order))
		*place = "mm/slab_common.c:1014";
	else if (pa != head << phys->page_shift)
		*place = "mm/slab_common.c:1016";
	return *place ? 0 : page_size(phys) << order;
}

/* ksize; *@place is where it warns, NULL: nowhere. */
static uint64_t
look_ksize(const struct slab_common *sc, va_t object, const char **place)
{
	const struct slab *slab;
	pa_t pa;

	*place = NULL;
	if (object <= ZERO_SIZE_PTR || !slab_mapped(sc, object, 1, &pa))
		return 0;
	slab = slab_of(sc, object);
	if (slab && slab->cache->ops->id == ALLOCATOR_SLOB)
		return slob_ksize(sc, object);
	return slab ? cache_ksize(slab->cache) : folio_ksize(sc, pa, place);
}

uint64_t
ksize(const struct slab_common *sc, va_t object)
{
	const char *place;

	return look_ksize(sc, object, &place);
}

uint64_t
ksize_warn(struct slab_common *sc, va_t object, const struct slab_request *who)
{
	const char *place;
	uint64_t bytes = look_ksize(sc, object, &place);

	if (place)
		slab_warn(sc, who, place, "__ksize", NULL);
	return bytes;
}

uint64_t
slab_footprint(const struct slab_common *sc, const struct kmem_cache *s,
	       va_t object, uint64_t bytes)
{
	const struct slab *slab = slab_of(sc, object);

	if (!slab)
		return ksize(sc, object);
	if (slab->cache->ops->id != ALLOCATOR_SLOB)
		return slab->cache->size;
	if (s && slab->cache == s)
		return slab_bytes(slab);
	return (uint64_t)slob_unit(sc) *
	       slob_units(sc, s ? s->size : bytes + SLAB_ALIGN_LEAST);
}

static int
copy_bytes(struct slab_common *sc, va_t from, va_t to, uint64_t bytes)
{
	uint8_t piece[COPY_PIECE];
	pa_t source = slab_pa(sc, from), target = slab_pa(sc, to);

	for (uint64_t at = 0; at < bytes; at += sizeof(piece)) {
		size_t len = MIN_OF(bytes - at, sizeof(piece));
		int err;

		ram_read(sc->ram, source + at, piece, len);
		err = ram_write(sc->ram, target + at, piece, len);
		if (err)
			return err;
	}
	return 0;
}

int
krealloc(struct slab_common *sc, uint64_t bytes, const struct slab_request *r,
	 va_t *object)
{
	va_t old = *object, made;
	const struct slab *slab;
	uint64_t room;
	pa_t pa;
	int err;

	if (!bytes) {
		err = kfree(sc, old, r);
		if (!err)
			*object = ZERO_SIZE_PTR;
		return err;
	}
	if (old > ZERO_SIZE_PTR && !slab_mapped(sc, old, 1, &pa))
		return slub_oops(sc, old, false, "krealloc");
	room = ksize_warn(sc, old, r);
	slab = slab_of(sc, old);
	if (slab && slab->cache->ops->id == ALLOCATOR_SLUB)
		slub_use_whole(slab->cache, old);
	if (room >= bytes)
		return 0;
	err = kmalloc(sc, bytes, r, &made);
	if (err)
		return err;
	err = copy_bytes(sc, old, made, room);
	if (err) {
		kfree(sc, made, r);
		return err;
	}
	*object = made;
	return kfree(sc, old, r);
}
