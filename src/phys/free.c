// SPDX-License-Identifier: MIT
/*
 * free.c - giving pages back
 *
 * What it models: __free_pages, free_unref_page, free_unref_page_list,
 * __free_pages_ok, split_page.
 *
 * Differs from the kernel: the parts of a block that is not compound stay with
 * it until its last reference is gone (the kernel frees all but its first page
 * when the owner's reference goes first).
 */
#include "alloc_impl.h"

/* Give back a block on no list; its pageblock's type decides where to. */
static inline void
free_block(struct phys *phys, struct zone *zone, pfn_t pfn, unsigned int order,
	   unsigned int cpu)
{
	enum migratetype type = block_type(phys, pfn);

	TRACE(phys->trace, MM_PAGE_FREE, pfn, order);
	if (pcp_order(phys, order)) {
		if (likely(type != MIGRATE_ISOLATE))
			pcp_free(zone, cpu, pfn, order, type);
		else
			buddy_free(zone, pfn, order, type, false);
		return;
	}
	buddy_free(zone, pfn, order, type, false);
	phys->event[VE_pgfree] += 1ULL << order;
}

void
pages_get(struct phys *phys, pfn_t pfn)
{
	struct frame *f = &phys->frames[pfn];

	KM_ASSERT(f->state == FRAME_ALLOCATED && f->refs > 0);
	f->refs++;
	frame_note(phys, pfn);
}

/* Drop one reference of several; whether that was the last. */
static __attribute__((noinline)) bool
put_shared(struct phys *phys, pfn_t pfn, unsigned int order)
{
	struct frame *f = &phys->frames[pfn];

	KM_ASSERT(f->state == FRAME_ALLOCATED && f->order == order &&
		  f->refs > 0);
	if (!--f->refs)
		return true;
	frame_note(phys, pfn);
	return false;
}

void
pages_put(struct phys *phys, pfn_t pfn, unsigned int order, unsigned int cpu)
{
	__builtin_prefetch(&phys->frames[pfn], 1);
	prefetch_buddies(phys, pfn, order);
	if (unlikely(phys->heads[pfn] != head_byte(FRAME_ALLOCATED, order)) &&
	    !put_shared(phys, pfn, order))
		return;
	free_block(phys, frame_zone(phys, pfn), pfn, order, cpu);
}

void
pages_put_list(struct phys *phys, const pfn_t *pfns, unsigned int nr,
	       unsigned int cpu)
{
	/* All are announced before the first one reaches a list. */
	for (unsigned int i = 0; i < nr; i++) {
		struct frame *f = &phys->frames[pfns[i]];

		KM_ASSERT(f->state == FRAME_ALLOCATED && !f->order &&
			  f->refs > 0);
		if (--f->refs) {
			frame_note(phys, pfns[i]);
			continue;
		}
		TRACE(phys->trace, MM_PAGE_FREE, pfns[i], 0);
		f->state = FRAME_NONE;
		frame_note(phys, pfns[i]);
		f->type = block_type(phys, pfns[i]) & 15;
		if (unlikely(f->type == MIGRATE_ISOLATE))
			buddy_free(phys->zones[f->zone], pfns[i], 0, f->type,
				   false);
	}
	for (unsigned int i = 0; i < nr; i++) {
		const struct frame *f = &phys->frames[pfns[i]];

		if (f->state != FRAME_NONE || f->type == MIGRATE_ISOLATE)
			continue;
		TRACE(phys->trace, MM_PAGE_FREE_BATCHED, pfns[i]);
		pcp_free(phys->zones[f->zone], cpu, pfns[i], 0, f->type);
	}
}

void
pages_split(struct phys *phys, pfn_t pfn, unsigned int order)
{
	struct frame head = phys->frames[pfn];

	KM_ASSERT(head.state == FRAME_ALLOCATED && head.order == order &&
		  !(head.flags & FRAME_COMPOUND));
	head.order = 0;
	phys->frames[pfn].order = 0;
	head.refs = 1;
	head.mapcount = 0;
	frame_note(phys, pfn);
	for (uint64_t i = 1; i < 1ULL << order; i++) {
		phys->frames[pfn + i] = head;
		frame_note(phys, pfn + i);
	}
}

void
pages_uncompound(struct phys *phys, pfn_t pfn)
{
	struct frame *f = &phys->frames[pfn];

	KM_ASSERT(f->state == FRAME_ALLOCATED);
	f->flags &= 15 & ~FRAME_COMPOUND;
}
