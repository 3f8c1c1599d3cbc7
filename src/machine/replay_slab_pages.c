// SPDX-License-Identifier: MIT
/*
 * replay_slab_pages.c - pages that the recorded kernel took for its slabs
 *
 * What it models: allocate_slab() asks for pages with __GFP_NOWARN and
 *                 __GFP_NORETRY, which are neither high nor movable; kmalloc of
 *                 more than two pages asks for a compound block.  The event of
 *                 the object that the pages were taken for follows, on the same
 *                 CPU and of the same task.
 * How it works:   such an allocation waits.  If an object comes that lies in
 *                 it, or, where pointers are hashed, that would, the block is a
 *                 slab's: our slab takes its own pages, and the recorded block,
 *                 and its free, are passed over.  Anything else, or too many
 *                 objects elsewhere, shows that it was none: it is allocated as
 *                 any other, late.
 * Always true:    no page waits when the replay ends.
 */
#include "replay_slab_impl.h"

#include <glib.h>
#include <string.h>

#define WAITING_MOST 16 /* a sheaf may be filled from several slabs */
#define OBJECTS_MOST 4	/* elsewhere: vectors of accounting, descriptors */
#define KMALLOC_LARGE_ORDER 2
#define DIRECT_MAP_UNIT (1ULL << 30)
#define VOTES 3

struct waiting {
	struct ftrace_event e;
	uint64_t at;
	char comm[24];
};

struct slab_waiting {
	struct waiting block[WAITING_MOST];
	unsigned int nr, objects;
};

struct slab_waiting *
slab_waiting_new(unsigned int nr_cpus)
{
	return g_new0(struct slab_waiting, nr_cpus);
}

/* Of an object that has its own pages, or of a slab's.  What later kernels
 * print as GFP_NOWAIT implies __GFP_NOWARN. */
static bool
may_be_slab(const struct ftrace_event *e)
{
	const gfp_t quiet = __GFP_NOWARN | __GFP_NOMEMALLOC;

	if (!e->pfn || e->order >= MAX_ORDER ||
	    e->gfp & (__GFP_HIGHMEM | __GFP_MOVABLE))
		return false;
	return (e->gfp & __GFP_NORETRY && e->gfp & quiet) ||
	       (e->gfp & __GFP_COMP && e->order >= KMALLOC_LARGE_ORDER);
}

/* Hashes have 32 bits. */
bool
replay_ptr_is_raw(const struct machine *m, uint64_t ptr)
{
	const va_t start = m->phys->arch->page_offset;

	return start >> 32 ? ptr >> 48 == 0xffff
			   : ptr >= start && ptr <= UINT32_MAX;
}

pfn_t
replay_ptr_pfn(const struct machine *m, uint64_t ptr)
{
	const struct replay_slab *slab = m->replay->slab;

	return (ptr - slab->direct_map) >> m->phys->page_shift;
}

/* Whether the recorded object lies in the block. */
static bool
lies_in(const struct machine *m, const struct ftrace_event *page, uint64_t ptr)
{
	pfn_t pfn = replay_ptr_pfn(m, ptr);

	return pfn >= page->pfn && pfn - page->pfn < 1ULL << page->order;
}

static bool
was_for(const struct machine *m, const struct ftrace_event *page,
	const struct ftrace_event *object, bool raw)
{
	uint64_t bytes = page_size(m->phys) << page->order;
	bool large = object->bytes_alloc > page_size(m->phys)
						   << (KMALLOC_LARGE_ORDER - 1);

	if (object->pid != page->pid || !object->ptr)
		return false;
	if (raw)
		return lies_in(m, page, object->ptr);
	if (large && (object->kind == FTRACE_KMALLOC ||
		      object->kind == FTRACE_KMALLOC_NODE))
		return object->bytes_alloc == bytes;
	return object->bytes_alloc <= bytes && (page->gfp & __GFP_NORETRY) != 0;
}

/* Block @i of @w waits no more. */
static struct waiting
take(struct replay_slab *slab, struct slab_waiting *w, unsigned int i)
{
	struct waiting block = w->block[i];

	w->nr--;
	slab->nr_waiting--;
	memmove(&w->block[i], &w->block[i + 1],
		(w->nr - i) * sizeof(w->block[0]));
	return block;
}

/* They were no slabs'. */
static void
allocate(struct machine *m, struct slab_waiting *w)
{
	while (w->nr) {
		struct waiting block = take(m->replay->slab, w, 0);

		block.e.comm = block.comm;
		replay_step(m, &block.e, block.at, NULL);
	}
	w->objects = 0;
}

/* A slab's page comes back by itself: what is there is of a recording whose
 * free was lost. */
static void
forget_page(struct replay_slab *slab, pfn_t pfn)
{
	struct replay_block block;

	if (replay_map_blocks(slab->pages) &&
	    replay_map_cover(slab->pages, pfn, &block))
		replay_map_remove(slab->pages, block.recorded);
}

static void
wait_for(struct machine *m, struct slab_waiting *w,
	 const struct ftrace_event *e, uint64_t at)
{
	struct waiting *block;

	if (w->nr == WAITING_MOST ||
	    (w->nr && w->block[w->nr - 1].e.pid != e->pid))
		allocate(m, w);
	block = &w->block[w->nr++];
	block->e = *e;
	block->at = at;
	block->e.comm_len = MIN_OF(e->comm_len, sizeof(block->comm));
	memcpy(block->comm, e->comm, block->e.comm_len);
	m->replay->slab->nr_waiting++;
	w->objects = 0;
}

/*
 * A kernel may have put its direct map anywhere, at a multiple of 1 GiB: when
 * the objects that follow blocks lie at the same distance from them time and
 * again, that is where.
 */
static void
learn_direct_map(struct machine *m, const struct slab_waiting *w,
		 const struct ftrace_event *e)
{
	struct replay_slab *slab = m->replay->slab;
	const struct ftrace_event *page;
	uint64_t bytes, start;

	if (!w->nr || !(m->phys->arch->page_offset >> 32))
		return;
	page = &w->block[w->nr - 1].e;
	bytes = page_size(m->phys) << page->order;
	start = (e->ptr & ~(bytes - 1)) - (page->pfn << m->phys->page_shift);
	if (page->pid != e->pid || start & (DIRECT_MAP_UNIT - 1) ||
	    start == slab->direct_map) {
		slab->votes = 0;
		return;
	}
	slab->votes = start == slab->candidate ? slab->votes + 1 : 1;
	slab->candidate = start;
	if (slab->votes == VOTES)
		slab->direct_map = start;
}

/* The blocks that were taken for object @e are slabs'. */
static void
recognise(struct machine *m, struct slab_waiting *w,
	  const struct ftrace_event *e)
{
	struct replay_slab *slab = m->replay->slab;
	bool raw = replay_ptr_is_raw(m, e->ptr), found = false;

	if (raw)
		learn_direct_map(m, w, e);
	for (unsigned int i = 0; i < w->nr;) {
		struct replay_block block = {.recorded = w->block[i].e.pfn,
					     .pfn = w->block[i].e.pfn,
					     .order = w->block[i].e.order};

		if (!was_for(m, &w->block[i].e, e, raw)) {
			i++;
			continue;
		}
		take(slab, w, i);
		/* A recording may name it twice. */
		forget_page(slab, block.pfn);
		if (replay_is_block(block.pfn, block.order))
			replay_map_add(slab->pages, &block);
		m->replay->counts.slab.pages_taken++;
		found = true;
	}
	if (!found && ++w->objects >= OBJECTS_MOST)
		allocate(m, w);
}

static bool
page_freed(struct machine *m, const struct ftrace_event *e)
{
	struct replay_slab *slab = m->replay->slab;
	struct replay_block block;

	if (!replay_map_find(slab->pages, e->pfn, &block) ||
	    block.order != e->order)
		return false;
	replay_map_remove(slab->pages, e->pfn);
	m->replay->counts.slab.pages_freed++;
	return true;
}

/* Whether @e interrupts the task whose blocks wait. */
static bool
interrupts(const struct slab_waiting *w, const struct ftrace_event *e)
{
	const uint8_t levels = FTRACE_HARDIRQ | FTRACE_SOFTIRQ;

	return w->nr && (e->flags & levels) && !(w->block[0].e.flags & levels);
}

static void
allocate_all(struct machine *m)
{
	struct replay_slab *slab = m->replay->slab;

	for (unsigned int i = 0; slab->nr_waiting && i < m->phys->nr_cpus; i++)
		allocate(m, &slab->waiting[i]);
}

bool
slab_page_event(struct machine *m, const struct ftrace_event *e, uint64_t at)
{
	struct replay_slab *slab = m->replay->slab;
	struct slab_waiting *w = &slab->waiting[e->cpu % m->phys->nr_cpus];

	switch (e->kind) {
	case FTRACE_ALLOC:
		forget_page(slab, e->pfn);
		if (may_be_slab(e)) {
			wait_for(m, w, e, at);
			return true;
		}
		if (!interrupts(w, e))
			allocate(m, w);
		return false;
	case FTRACE_FREE:
		/* It may be one that waits, on whatever CPU. */
		if (slab->nr_waiting)
			allocate_all(m);
		return page_freed(m, e);
	case FTRACE_KMALLOC:
	case FTRACE_KMALLOC_NODE:
	case FTRACE_CACHE_ALLOC:
	case FTRACE_CACHE_ALLOC_NODE:
		if (w->nr && !interrupts(w, e))
			recognise(m, w, e);
		return false;
	case FTRACE_KFREE:
	case FTRACE_CACHE_FREE:
		if (w->nr && !interrupts(w, e))
			allocate(m, w);
		return false;
	default:
		return false;
	}
}

void
slab_pages_flush(struct machine *m)
{
	allocate_all(m);
}
