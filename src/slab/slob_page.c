// SPDX-License-Identifier: MIT
/*
 * slob_page.c - SLOB: blocks of bytes out of shared pages
 *
 * What it models: slob_alloc, slob_page_alloc, slob_free of mm/slob.c of
 *                 6.1.192.
 * How it works:   three lists of pages that have free units, one for small
 *                 blocks, one for medium, one for large ones.  The first page
 *                 with units enough is tried, in it the first block that fits;
 *                 the search for the next one begins at that page.  A block
 *                 that comes back joins its free neighbours; a page that is all
 *                 free goes back at once.
 * Where it lies:  free blocks in modelled RAM (slob_block.c); of a page its
 *                 list, its first free block and its number of free units, as
 *                 in struct slab: objects - inuse.
 * Always true:    a page is on a list when it has a free unit.
 * Differs from the kernel: a page that leads astray is walked twice as many
 *                 steps as it has units; then the modelled watchdog speaks.
 */
#include "slob_impl.h"

#include "kmemfs/base/check.h"

#include <errno.h>
#include <inttypes.h>

#define GFP_NOT_PASSED (__GFP_ZERO | __GFP_HIGHMEM | __GFP_MOVABLE)

/* --- the pool --------------------------------------------------------------
 */

struct slob *
slob_of(struct slab_common *sc)
{
	struct slob *slob = sc->slob;

	if (slob)
		return slob;
	slob = sc->slob = g_new0(struct slob, 1);
	slob->pool = (struct kmem_cache){
		.common = sc,
		.ops = &slob_ops,
		.name = g_strdup("slob"),
		.refcount = -1,
		.object_size = slob_unit(sc),
		.size = slob_unit(sc),
		.align = slob_unit(sc),
		.inuse = slob_unit(sc),
		.objects = (uint16_t)slob_page_units(sc),
		.kmalloc_type = -1,
		.boot = true,
	};
	return slob;
}

const struct kmem_cache *
slob_pool(const struct slab_common *sc)
{
	return sc->slob ? &sc->slob->pool : NULL;
}

void
slob_fini(struct slab_common *sc)
{
	if (!sc->slob)
		return;
	while (sc->slob->pool.all)
		slabs_remove(sc, slab_next(&sc->slob->pool, NULL));
	g_free(sc->slob->pool.name);
	g_free(sc->slob);
	sc->slob = NULL;
}

/* --- lists -----------------------------------------------------------------
 */

static unsigned int
list_for(uint64_t bytes)
{
	return bytes < SLOB_BREAK1 ? 0 : bytes < SLOB_BREAK2 ? 1 : 2;
}

/* set_slob_page_free, clear_slob_page_free */
static void
enlist(struct slab_common *sc, struct slab *page, unsigned int list)
{
	page->colour = list;
	page->where = SLAB_NODE_PARTIAL;
	slab_list_add(sc, &sc->slob->list[list], page, false);
}

static void
delist(struct slab_common *sc, struct slab *page)
{
	if (page->linked)
		slab_list_del(sc, &sc->slob->list[page->colour], page);
	page->where = SLAB_FULL;
}

/* list_rotate_to_front: the search begins at @page from now on. */
static void
rotate(struct slab_common *sc, struct slab_list *list, struct slab *page)
{
	struct slab *head, *tail;

	if (!page->prev)
		return;
	head = slab_at(sc, list->head - 1);
	tail = slab_at(sc, list->tail - 1);
	tail->next = list->head;
	head->prev = list->tail;
	list->tail = page->prev;
	list->head = page->number + 1;
	slab_at(sc, page->prev - 1)->next = 0;
	page->prev = 0;
}

static int64_t
free_units(const struct slab *page)
{
	return page->objects - page->inuse;
}

static void
set_free_units(struct slab *page, int64_t units)
{
	int64_t inuse = page->objects - units;

	/* Only nonsense in RAM takes it beyond its page. */
	inuse = MAX_OF(inuse, (int64_t)0);
	page->inuse = (uint16_t)MIN_OF(inuse, (int64_t)page->objects);
}

/* --- allocating ------------------------------------------------------------
 */

static int
oops(struct slab_common *sc, va_t at, const char *where)
{
	return slub_oops(sc, at, false, where);
}

static int
stuck(struct slab_common *sc, const char *where)
{
	slub_lockup(sc, where);
	return -EFAULT;
}

struct want {
	int64_t units;
	uint64_t align, offset;
};

/* Units from @at to where a block for @w can begin. */
static int64_t
head_units(const struct slab_common *sc, const struct want *w, va_t at)
{
	va_t from = at + w->offset;

	if (!w->align)
		return 0;
	return (int64_t)((round_up_to(from, w->align) - from) / slob_unit(sc));
}

/* Block @b behind @prev (0: none) becomes @delta units and the rest of it. */
static bool
split_head(struct slab_common *sc, const struct slob_block *b, int64_t delta,
	   struct slob_block *rest)
{
	va_t at = b->at + (uint64_t)delta * slob_unit(sc);

	return slob_write(sc, at, b->units - delta, b->next) &&
	       slob_write(sc, b->at, delta, at) && slob_read(sc, at, rest);
}

/* What comes before a block that goes, or shrinks at its front, now points to
 * @next. */
static bool
point_to(struct slab_common *sc, struct slab *page,
	 const struct slob_block *prev, va_t next)
{
	if (prev->at)
		return slob_write(sc, prev->at, prev->units, next);
	page->freelist = next;
	return true;
}

/* Take w->units from the front of @cur. */
static bool
cut(struct slab_common *sc, struct slab *page, const struct want *w,
    struct slob_block prev, struct slob_block cur, va_t *block)
{
	int64_t delta = head_units(sc, w, cur.at);
	va_t rest;

	if (delta) {
		struct slob_block aligned;

		if (!split_head(sc, &cur, delta, &aligned))
			return false;
		prev = (struct slob_block){cur.at, delta, aligned.at};
		cur = aligned;
	}
	*block = cur.at;
	if (cur.units == w->units)
		return point_to(sc, page, &prev, cur.next);
	rest = cur.at + (uint64_t)w->units * slob_unit(sc);
	return point_to(sc, page, &prev, rest) &&
	       slob_write(sc, rest, cur.units - w->units, cur.next);
}

/* slob_page_alloc: *@block 0: nothing fits. */
static int
page_take(struct slab_common *sc, struct slab *page, const struct want *w,
	  va_t *block)
{
	struct slob_block prev = {0}, cur;
	unsigned int steps = 2U * page->objects;
	va_t at = page->freelist;

	*block = 0;
	for (; steps; steps--, prev = cur, at = cur.next) {
		if (!slob_read(sc, at, &cur))
			return oops(sc, at, "slob_page_alloc");
		if (cur.units >= w->units + head_units(sc, w, at)) {
			if (!cut(sc, page, w, prev, cur, block))
				return oops(sc, at, "slob_page_alloc");
			set_free_units(page, free_units(page) - w->units);
			if (!free_units(page))
				delist(sc, page);
			return 0;
		}
		if (slob_last(sc, &cur))
			return 0;
	}
	return stuck(sc, "slob_page_alloc");
}

/* slob_new_pages of a shared page: all of it one block. */
static int
new_page(struct slab_common *sc, unsigned int list,
	 const struct slab_request *r, struct slab **made)
{
	struct phys *phys = sc->phys;
	const struct page_request request = {
		.why = r->why,
		.gfp = r->gfp & ~(gfp_t)GFP_NOT_PASSED,
		.nid = r->nid,
		.cpu = r->cpu,
		.context = r->context,
	};
	struct slab *page;
	pfn_t pfn;

	if (pages_alloc_warn(phys, &request, &pfn))
		return -ENOMEM;
	page = ram_may_write(sc->ram, pfn << phys->page_shift, page_size(phys))
		       ? NULL
		       : slabs_add(&slob_of(sc)->pool, pfn, 0);
	if (!page) {
		pages_put(phys, pfn, 0, r->cpu);
		return -ENOSPC;
	}
	phys->nodes[page->nid]->stat[NS_nr_slab_unreclaimable]++;
	page->objects = (uint16_t)slob_page_units(sc);
	page->freelist = slab_address(page);
	slob_write(sc, page->freelist, page->objects,
		   page->freelist + page_size(phys));
	enlist(sc, page, list);
	SLUB_WHY(r,
		 "no page of that list has room: a new one, frame %" PRIu64
		 " of node %u\n",
		 pfn, page->nid);
	*made = page;
	return 0;
}

/* The pages of @list in turn. */
static int
take_listed(struct slab_common *sc, struct slab_list *list,
	    const struct want *w, const struct slab_request *r, va_t *block)
{
	struct slab *page = slab_list_first(sc, list), *next;

	*block = 0;
	for (; page; page = next) {
		int err;

		next = slab_list_next(sc, page);
		if (r->nid != NODE_LOCAL && page->nid != r->nid)
			continue;
		if (free_units(page) < w->units)
			continue;
		err = page_take(sc, page, w, block);
		if (err)
			return err;
		if (!*block)
			continue;
		if (page->linked)
			rotate(sc, list, page);
		SLUB_WHY(r,
			 "frame %" PRIu64 ", the first of its list with room: "
			 "offset %" PRIu64 ", %" PRId64 " units are left\n",
			 page->pfn, *block - slab_address(page),
			 free_units(page));
		return 0;
	}
	return 0;
}

int
slob_take(struct slab_common *sc, uint64_t bytes, uint64_t align,
	  uint64_t offset, const struct slab_request *r, va_t *block)
{
	const struct want w = {slob_units(sc, bytes), align, offset};
	unsigned int list = list_for(bytes);
	struct slab *page;
	int err = take_listed(sc, &slob_of(sc)->list[list], &w, r, block);

	if (err || *block)
		return err;
	err = new_page(sc, list, r, &page);
	if (!err)
		err = page_take(sc, page, &w, block);
	if (err || *block)
		return err;
	/* An alignment that not even an empty page can give. */
	slab_printk(sc, "------------[ cut here ]------------");
	slab_printk(sc, "kernel BUG at mm/slob.c:369!");
	return slub_died(sc, "slob_alloc");
}

/* --- freeing ---------------------------------------------------------------
 */

static void
give_page(struct slab_common *sc, struct slab *page, unsigned int cpu)
{
	pfn_t pfn = page->pfn;

	delist(sc, page);
	sc->phys->nodes[page->nid]->stat[NS_nr_slab_unreclaimable]--;
	slabs_remove(sc, page);
	pages_put(sc->phys, pfn, 0, cpu);
}

/* The block is the first of its page's free list. */
static bool
put_first(struct slab_common *sc, struct slab *page, va_t block, int64_t units)
{
	va_t next = page->freelist;
	struct slob_block b;

	if (block + (uint64_t)units * slob_unit(sc) == next) {
		if (!slob_read(sc, next, &b))
			return false;
		units += b.units;
		next = b.next;
	}
	page->freelist = block;
	return slob_write(sc, block, units, next);
}

/* The block comes between @prev and what follows that. */
static bool
put_between(struct slab_common *sc, const struct slob_block *prev, va_t block,
	    int64_t units)
{
	uint32_t unit = slob_unit(sc);
	va_t next = prev->next;
	struct slob_block b;

	if (!slob_last(sc, prev) && block + (uint64_t)units * unit == next) {
		if (!slob_read(sc, next, &b))
			return false;
		units += b.units;
		next = b.next;
	}
	if (prev->at + (uint64_t)prev->units * unit == block)
		return slob_write(sc, prev->at, prev->units + units, next);
	return slob_write(sc, block, units, next) &&
	       slob_write(sc, prev->at, prev->units, block);
}

/* Into the free list, in order of addresses. */
static int
put_listed(struct slab_common *sc, struct slab *page, va_t block, int64_t units)
{
	unsigned int steps = 2U * page->objects;
	struct slob_block prev;

	if (block < page->freelist)
		return put_first(sc, page, block, units)
			       ? 0
			       : oops(sc, page->freelist, "slob_free");
	if (!slob_read(sc, page->freelist, &prev))
		return oops(sc, page->freelist, "slob_free");
	while (block > prev.next) {
		va_t next = prev.next;

		if (!slob_read(sc, next, &prev))
			return oops(sc, next, "slob_free");
		if (!steps--)
			return stuck(sc, "slob_free");
	}
	return put_between(sc, &prev, block, units)
		       ? 0
		       : oops(sc, block, "slob_free");
}

int
slob_put(struct slab_common *sc, struct slab *page, va_t block, uint64_t bytes,
	 unsigned int cpu)
{
	uint64_t size = page_size(sc->phys);
	int64_t units = slob_units(sc, bytes);

	if (free_units(page) + units == page->objects) {
		give_page(sc, page, cpu);
		return 0;
	}
	if (page->linked) {
		set_free_units(page, free_units(page) + units);
		return put_listed(sc, page, block, units);
	}
	set_free_units(page, units);
	page->freelist = block;
	if (!slob_write(sc, block, units,
			(block + (uint64_t)page->objects * slob_unit(sc)) &
				~(size - 1)))
		return oops(sc, block, "slob_free");
	enlist(sc, page, list_for(bytes));
	return 0;
}
