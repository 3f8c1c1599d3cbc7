// SPDX-License-Identifier: MIT
/*
 * resync.c - making the model agree with what a recording has proved
 *
 * How it works: frames are taken from wherever the lists have them, by the
 * steps of mirror.c, without an event of their own; what a start state says of
 * a range replaces what the model had there, so that its lists come to stand
 * in the order in which the ranges were given.
 *
 * Always true: the laws of verify.c, after each call.
 */
#include "kmemfs/phys/foresight.h"
#include "kmemfs/phys/frame_walk.h"

#include "alloc_impl.h"
#include "boot_impl.h"

/* Without the model's own counting of recorded steps. */
static void
put_back(struct phys *phys, pfn_t pfn, unsigned int order)
{
	struct zone *zone = phys->zones[phys->frames[pfn].zone];

	buddy_free(zone, pfn, order, block_type(phys, pfn), false);
}

/* Everything of the range that is on a list or allocated goes to the buddy. */
static void
range_release(struct phys *phys, struct zone *zone, pfn_t at, pfn_t end)
{
	while (at < end) {
		enum migratetype type;
		unsigned int order, index;
		struct per_cpu_pages *pcp;
		pfn_t head;

		switch (frame_block(phys, at, &head, &order, &type)) {
		case FRAME_PCP:
			pcp = pcp_holding(zone, head, &index);
			pcp_del(zone, pcp, index, head);
			put_back(phys, head, order);
			break;
		case FRAME_ALLOCATED:
			put_back(phys, head, order);
			break;
		case FRAME_FREE:
			break;
		default:
			head = at;
			order = 0;
		}
		at = head + (1ULL << order);
	}
}

bool
resync_take(struct phys *phys, pfn_t pfn, unsigned int order,
	    enum migratetype type, unsigned int cpu)
{
	bool traced = phys->trace->on;
	enum mirror_result result;

	phys->trace->on = false;
	result = mirror_take(phys, pfn, order, 0, type, cpu);
	phys->trace->on = traced;
	return result <= MIRROR_ELSEWHERE;
}

enum mirror_result
resync_free(struct phys *phys, pfn_t pfn, unsigned int order, unsigned int cpu)
{
	enum mirror_result result = mirror_free(phys, pfn, order, cpu);
	const struct frame *f = &phys->frames[pfn];

	if (result != MIRROR_IMPOSSIBLE && f->state == FRAME_PCP)
		range_release(phys, phys->zones[f->zone], pfn,
			      pfn + (1ULL << order));
	return result;
}

void
resync_excess(struct phys *phys, pfn_t pfn)
{
	struct zone *zone = phys->zones[phys->frames[pfn].zone];
	struct per_cpu_pages *pcp;
	unsigned int index;

	if (phys->frames[pfn].state != FRAME_PCP)
		return;
	pcp = pcp_holding(zone, pfn, &index);
	pcp_del(zone, pcp, index, pfn);
	buddy_free(zone, pfn, 0, block_type(phys, pfn), true);
}

void
resync_move(struct phys *phys, pfn_t pfn, enum migratetype type,
	    unsigned int cpu, bool to_tail)
{
	const struct frame *f = &phys->frames[pfn];
	unsigned int index, order = f->order;
	struct per_cpu_pages *pcp;
	struct zone *zone;

	if (f->state != FRAME_PCP)
		return;
	zone = phys->zones[f->zone];
	pcp = pcp_holding(zone, pfn, &index);
	pcp_del(zone, pcp, index, pfn);
	pcp_add(zone, &zone->pcp[cpu], pcp_index(pcp_list_type(type), order),
		pfn, type, to_tail);
}

void
resync_rotate(struct zone *zone, pfn_t last)
{
	struct frame *f = &zone->phys->frames[last];
	unsigned int index;
	struct block_list *list;

	list = &pcp_holding(zone, last, &index)->list[index];
	if (!f->next)
		return;
	link_frame(zone, list->tail)->next = list->head;
	link_frame(zone, list->head)->prev = list->tail;
	link_frame(zone, f->next)->prev = 0;
	list->head = f->next;
	list->tail = link_of(zone, last);
	f->next = 0;
}

void
resync_to_head(struct zone *zone, pfn_t pfn)
{
	uint32_t before = zone->phys->frames[pfn].prev;

	if (before)
		resync_rotate(zone, link_pfn(zone, before));
}

void
resync_untake(struct phys *phys, pfn_t pfn, unsigned int order,
	      enum migratetype type, unsigned int cpu, bool to_tail)
{
	struct frame *f = &phys->frames[pfn];
	struct zone *zone = phys->zones[f->zone];

	if (f->state != FRAME_ALLOCATED || f->order != order || f->owner)
		return;
	f->state = FRAME_NONE;
	pcp_add(zone, &zone->pcp[cpu], pcp_index(pcp_list_type(type), order),
		pfn, type, to_tail);
}

void
resync_type(struct zone *zone, pfn_t pfn, unsigned int order,
	    enum migratetype type, bool pageblock)
{
	struct phys *phys = zone->phys;

	buddy_move(zone, pfn, order, type);
	/* A zone's part of another's pageblock has a type of its own. */
	if (pageblock && type_is_mergeable(block_type(phys, pfn)) &&
	    zone_spans(zone, round_down_to(pfn, pageblock_pages(phys))))
		pageblock_set_type(phys, pfn, type);
}

/* --- the start --------------------------------------------------------------
 */

bool
phys_range_is_owned(const struct phys *phys, pfn_t first, pfn_t end)
{
	enum migratetype type;
	unsigned int order;
	pfn_t head;

	if (frame_block(phys, first, &head, &order, &type) == FRAME_ALLOCATED &&
	    phys->frames[head].owner)
		return true;
	for (pfn_t at = frame_next_allocated(phys, first); at < end;
	     at = frame_next_allocated(phys, at + 1))
		if (phys->frames[at].owner)
			return true;
	return false;
}

/* Take [@start, @end) out of the list of managed spans. */
static void
unmanage(struct phys *phys, pfn_t start, pfn_t end)
{
	GArray *spans = phys->managed;

	for (guint i = phys_span_above(spans, start); i < spans->len;) {
		struct pfn_span *s = &g_array_index(spans, struct pfn_span, i);
		struct pfn_span rest = {end, s->end, s->zone};

		if (s->start >= end)
			break;
		s->end = MAX_OF(s->start, start);
		if (s->start < s->end)
			i++;
		else
			g_array_remove_index(spans, i);
		if (rest.start < rest.end)
			g_array_insert_val(spans, i, rest);
	}
}

static void
range_take_out(struct phys *phys, struct zone *zone, pfn_t at, pfn_t end)
{
	while (at < end) {
		pfn_t head, stop = at;
		unsigned int order;

		while (stop < end && buddy_covering(zone, stop, &head, &order))
			stop = head + (1ULL << order);
		stop = MIN_OF(stop, end);
		if (stop > at) {
			bool taken = buddy_take_range(zone, at, stop);

			KM_ASSERT(taken);
			unmanage(phys, at, stop);
		}
		at = MAX_OF(stop, at + 1);
	}
}

static void
range_start(struct phys *phys, struct zone *zone, pfn_t first, pfn_t end,
	    enum start_state state, enum migratetype type)
{
	range_release(phys, zone, first, end);
	range_take_out(phys, zone, first, end);
	if (state == START_ABSENT)
		return;
	phys_manage(phys, zone, first, end, false);
	for (pfn_t at = first; state == START_USED && at < end; at++)
		resync_take(phys, at, 0, type, 0);
}

bool
resync_start(struct phys *phys, pfn_t first, pfn_t end, enum start_state state,
	     enum migratetype type)
{
	if (phys_range_is_owned(phys, first, end))
		return false;
	end = MIN_OF(end, phys->max_pfn);
	for (guint i = 0; i < phys->spans->len; i++) {
		const struct pfn_span *s =
			&g_array_index(phys->spans, struct pfn_span, i);
		pfn_t from = MAX_OF(first, s->start);
		pfn_t to = MIN_OF(end, s->end);

		if (from < to)
			range_start(phys, phys->zones[s->zone], from, to, state,
				    type);
	}
	return true;
}

void
resync_pageblocks(struct phys *phys, pfn_t first, pfn_t end,
		  enum migratetype type)
{
	uint64_t nr = pageblock_pages(phys);

	end = MIN_OF(end, phys->max_pfn);
	for (pfn_t at = round_up_to(first, nr); at < end; at += nr)
		if (type_is_mergeable(block_type(phys, at)))
			pageblock_set_type(phys, at, type);
}

enum mirror_result
resync_late(struct phys *phys, pfn_t pfn, unsigned int order)
{
	pfn_t end = pfn + (1ULL << order);
	struct zone *zone;

	if (end > phys->max_pfn)
		return MIRROR_IMPOSSIBLE;
	zone = phys_zone_of(phys, pfn);
	if (!zone || phys_zone_of(phys, end - 1) != zone)
		return MIRROR_IMPOSSIBLE;
	for (pfn_t at = pfn; at < end; at++)
		if (!phys_present(phys, at) || extents_cover(zone, at, at + 1))
			return MIRROR_IMPOSSIBLE;
	if (pfn % pageblock_pages(phys) == 0)
		pageblock_set_type(phys, pfn, MIGRATE_MOVABLE);
	phys_manage(phys, zone, pfn, end, false);
	TRACE(phys->trace, MM_PAGE_FREE, pfn, order);
	return MIRROR_OK;
}
