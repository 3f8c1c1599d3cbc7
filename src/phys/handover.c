// SPDX-License-Identifier: MIT
/*
 * handover.c - free memory goes to the page allocator
 *
 * What it models: memblock_free_all of mm/memblock.c, set_highmem_pages_init
 *                 (i386), deferred_init_memmap of mm/page_alloc.c, and
 *                 free_reserved_area for what is given back later.
 * How it works:   every free range, its bounds drawn in to whole pages, goes
 *                 to its zone by ascending address.  High memory is given page
 *                 by page, which leaves its highest block at the head of the
 *                 list: here its blocks are given from the top down.
 *                 On x86-64 only the first part of a node's last zone is
 *                 initialised at this point.  The rest has pageblocks of type
 *                 Unmovable to begin with, and only those whose first page is
 *                 free become Movable.
 * Always true:    managed lists what the buddy has been given and not had
 *                 taken away, in spans of one zone.
 */
#include "boot_impl.h"

#define SECTION_SHIFT 27 /* x86-64: memmap in pieces of 128 MiB */
#define MAX_BLOCK (1ULL << (MAX_ORDER - 1))

/* Keep managed sorted; join what touches.  A host's start state has many
 * thousand spans. */
static void
managed_add(struct phys *phys, const struct zone *zone, pfn_t start, pfn_t end)
{
	struct pfn_span span = {start, end, zone->id};
	GArray *managed = phys->managed;
	guint at = phys_span_above(managed, start);
	struct pfn_span *spans = (struct pfn_span *)(void *)managed->data;
	bool below = at && spans[at - 1].end == start &&
		     spans[at - 1].zone == span.zone;
	bool above = at < managed->len && spans[at].start == end &&
		     spans[at].zone == span.zone;

	if (below && above) {
		spans[at - 1].end = spans[at].end;
		g_array_remove_index(managed, at);
	} else if (below) {
		spans[at - 1].end = end;
	} else if (above) {
		spans[at].start = start;
	} else {
		g_array_insert_val(managed, at, span);
	}
}

void
phys_manage(struct phys *phys, struct zone *zone, pfn_t start, pfn_t end,
	    bool downwards)
{
	managed_add(phys, zone, start, end);
	if (!downwards) {
		buddy_hand_over(zone, start, end);
		return;
	}
	while (start < end) {
		pfn_t from = round_down_to(end - 1, MAX_BLOCK);

		from = MAX_OF(from, start);
		buddy_hand_over(zone, from, end);
		end = from;
	}
}

/*
 * The first pfn of @zone that is initialised late: a section's start, after a
 * section's worth of its pages.  Only a node's last zone has one.  Source:
 * defer_init.
 */
static pfn_t
zone_first_deferred(const struct zone *zone)
{
	const struct phys *phys = zone->phys;
	const struct node *node = zone->node;
	uint64_t section = 1ULL << (SECTION_SHIFT - phys->page_shift);
	uint64_t seen = 0;

	if (!phys->config->deferred_init ||
	    zone_end_pfn(zone) < node->start_pfn + node->spanned_pages)
		return PFN_NONE;
	for (guint i = 0; i < phys->spans->len; i++) {
		const struct pfn_span *s =
			&g_array_index(phys->spans, struct pfn_span, i);
		uint64_t lack = section > seen ? section - seen : 0;
		pfn_t at;

		if (s->zone != zone->id)
			continue;
		at = round_up_to(s->start + lack, section);
		if (at < s->end)
			return at;
		seen += s->end - s->start;
	}
	return PFN_NONE;
}

/* Pageblocks of [@start, @end), deferred memory that is not free, stay
 * Unmovable. */
static void
leave_unmovable(struct phys *phys, pfn_t start, pfn_t end)
{
	uint64_t block = 1ULL << phys->pageblock_order;

	for (pfn_t at = round_up_to(start, block); at < end; at += block)
		pageblock_set_type(phys, at, MIGRATE_UNMOVABLE);
}

/* What the hand-over of one span has to know. */
struct handover {
	struct boot *boot;
	struct zone *zone;
	pfn_t deferred; /* first pfn initialised late, or PFN_NONE */
	pfn_t at;	/* up to here the span is dealt with */
};

/* The piece [@start, @end) of the span is free. */
static void
handover_free(struct handover *h, pfn_t start, pfn_t end)
{
	struct phys *phys = h->boot->phys;

	if (h->deferred != PFN_NONE)
		leave_unmovable(phys, MAX_OF(h->at, h->deferred), start);
	phys_manage(phys, h->zone, start, end, zone_is_highmem(h->zone));
	phys->handover_pages += end - start;
	h->at = end;
}

static void
handover_span(struct handover *h, const struct pfn_span *span)
{
	struct phys *phys = h->boot->phys;
	unsigned int shift = phys->page_shift;
	pa_t from = span->start << shift;
	pa_t end = span->end << shift;
	struct range free;
	int nid;

	h->at = span->start;
	if (h->deferred != PFN_NONE && span->start >= h->deferred)
		h->at = round_down_to(span->start,
				      1ULL << phys->pageblock_order);
	while (memblock_next_free(&h->boot->mem, from, &free, &nid) &&
	       free.start < end) {
		pfn_t start_pfn =
			round_up_to(free.start, 1ULL << shift) >> shift;
		pfn_t end_pfn = MIN_OF(free.end, end) >> shift;

		from = free.end;
		if (start_pfn < end_pfn)
			handover_free(h, start_pfn, end_pfn);
	}
	if (h->deferred != PFN_NONE)
		leave_unmovable(phys, MAX_OF(h->at, h->deferred), span->end);
}

static void
handover_spans(struct boot *boot, bool highmem)
{
	struct phys *phys = boot->phys;
	struct handover h = {.boot = boot};

	for (guint i = 0; i < phys->spans->len; i++) {
		const struct pfn_span *s =
			&g_array_index(phys->spans, struct pfn_span, i);

		if (zone_is_highmem(phys->zones[s->zone]) != highmem)
			continue;
		if (h.zone != phys->zones[s->zone]) {
			h.zone = phys->zones[s->zone];
			h.deferred = zone_first_deferred(h.zone);
		}
		handover_span(&h, s);
	}
}

void
boot_hand_over(struct boot *boot)
{
	handover_spans(boot, true);
	handover_spans(boot, false);
}

/* Give the reserved pages of [@start, @end) back; returns how many. */
static uint64_t
free_reserved(struct phys *phys, pfn_t start, pfn_t end)
{
	uint64_t pages = 0;

	while (start < end) {
		pfn_t stop = start;
		struct zone *zone = NULL;

		if (phys_reserved(phys, start))
			zone = phys_zone_of(phys, start);
		while (zone && stop < end && phys_reserved(phys, stop) &&
		       phys_zone_of(phys, stop) == zone)
			stop++;
		if (zone)
			phys_manage(phys, zone, start, stop, false);
		pages += stop - start;
		start = zone ? stop : start + 1;
	}
	return pages;
}

uint64_t
boot_free_ranges(struct phys *phys, const GArray *ranges)
{
	uint64_t pages = 0;

	for (guint i = 0; ranges && i < ranges->len; i++) {
		const struct range *r = &g_array_index(ranges, struct range, i);

		/* free_reserved_area: start up, end down, to whole pages. */
		pages += free_reserved(
			phys,
			round_up_to(r->start, page_size(phys)) >>
				phys->page_shift,
			MIN_OF(r->end >> phys->page_shift, phys->max_pfn));
	}
	return pages;
}
