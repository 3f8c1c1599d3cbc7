// SPDX-License-Identifier: MIT
/*
 * objects.c - where an allocation lies and what frees it, whatever its kind
 */
#include "kmemfs/machine/machine.h"

#define FREES_OF_CACHE "slab/kmem_cache_free"

void
allocation_free_words(const struct machine *m, const struct allocation *a,
		      struct out *out)
{
	const struct kmem_cache *s;

	if (!a->free) {
		out_str(out,
			a->exact ? "page/free_pages_exact" : "page/free_pages");
		return;
	}
	out_str(out, a->free);
	if (!strcmp(a->free, MEMPOOL_FREE)) {
		const struct mempool *pool = mempool_get(m->mempools, a->pool);

		out_printf(out, " pool=%s", pool ? pool->name : "-");
	}
	if (a->kind == ALLOCATION_AREA && a->pool) {
		const struct task *t = area_task(m, a);

		out_printf(out, " %d", t ? t->pid : 0);
	}
	if (strcmp(a->free, FREES_OF_CACHE))
		return;
	s = kmem_cache_get(m->slab, a->pool);
	out_char(out, ' ');
	out_str(out, s ? s->name : "-");
}

pa_t
allocation_start(const struct machine *m, const struct allocation *a)
{
	if (a->kind == ALLOCATION_PAGES)
		return a->pfn << m->phys->page_shift;
	return a->address - m->phys->arch->page_offset;
}

uint64_t
allocation_reach(const struct machine *m, const struct allocation *a)
{
	pa_t start = allocation_start(m, a);
	const struct slab *slab = NULL;
	pfn_t end = a->pfn + a->nr_pages;

	if (a->kind == ALLOCATION_OBJECT)
		slab = slab_of(m->slab, a->address);
	if (slab)
		end = slab->pfn + (1ULL << slab->order);
	return (end << m->phys->page_shift) - start;
}

bool
allocation_owns_pages(const struct machine *m, const struct allocation *a)
{
	const struct frame *f = &m->phys->frames[a->pfn];

	return f->state == FRAME_ALLOCATED && f->owner == a->id;
}

uint64_t
allocation_bytes(const struct machine *m, const struct allocation *a)
{
	if (a->kind != ALLOCATION_PAGES)
		return a->size;
	return a->nr_pages << m->phys->page_shift;
}
