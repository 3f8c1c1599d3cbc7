// SPDX-License-Identifier: MIT
/*
 * foresight.c - what the page allocator would do next
 *
 * What it models: the choices of __rmqueue_smallest, rmqueue_pcplist,
 * __rmqueue_fallback, free_unref_page_commit and free_pcppages_bulk, without
 * doing what they choose.
 */
#include "kmemfs/phys/foresight.h"

#include "alloc_impl.h"
#include "boot_impl.h"

bool
foresee_pcp_order(const struct phys *phys, unsigned int order)
{
	return pcp_order(phys, order);
}

pfn_t
foresee_buddy(const struct zone *zone, unsigned int order,
	      enum migratetype type, unsigned int *at)
{
	for (; order < MAX_ORDER; order++) {
		uint32_t link = zone->free_area[order].list[type].head;

		if (!link)
			continue;
		if (at)
			*at = order;
		return link_pfn(zone, link);
	}
	return PFN_NONE;
}

unsigned int
foresee_pcp_list(unsigned int order, enum migratetype type)
{
	return pcp_index(pcp_list_type(type), order);
}

static uint32_t
pcp_head(const struct zone *zone, unsigned int cpu, unsigned int order,
	 enum migratetype type)
{
	unsigned int index = foresee_pcp_list(order, type);

	return zone->pcp ? zone->pcp[cpu].list[index].head : 0;
}

pfn_t
foresee_pcp(const struct zone *zone, unsigned int cpu, unsigned int order,
	    enum migratetype type)
{
	uint32_t link = pcp_head(zone, cpu, order, type);

	return link ? link_pfn(zone, link) : PFN_NONE;
}

bool
foresee_on_pcp(const struct zone *zone, unsigned int cpu, unsigned int order,
	       enum migratetype type, pfn_t pfn)
{
	const struct frame *f = &zone->phys->frames[pfn];

	return f->state == FRAME_PCP && f->zone == zone->id &&
	       f->place == pcp_place(zone, &zone->pcp[cpu],
				     foresee_pcp_list(order, type));
}

uint64_t
foresee_pcp_depth(const struct zone *zone, pfn_t pfn)
{
	uint32_t at = zone->phys->frames[pfn].prev;
	uint64_t depth = 0;

	for (; at; at = link_frame(zone, at)->prev)
		depth++;
	return depth;
}

uint64_t
foresee_pcp_run(const struct zone *zone, unsigned int cpu, unsigned int order,
		enum migratetype type, const uint8_t *bits, pfn_t stop,
		uint64_t most, pfn_t *last)
{
	uint32_t at = pcp_head(zone, cpu, order, type);
	uint64_t nr = 0;

	for (; at && nr < most; at = link_frame(zone, at)->next, nr++) {
		pfn_t pfn = link_pfn(zone, at);

		if (pfn == stop || !(bits[pfn / 8] >> pfn % 8 & 1))
			break;
		*last = pfn;
	}
	return nr;
}

bool
foresee_pcp_all(const struct zone *zone, unsigned int cpu, unsigned int order,
		enum migratetype type, const uint8_t *bits, pfn_t stop,
		uint64_t most)
{
	pfn_t last = PFN_NONE;
	uint64_t nr = foresee_pcp_run(zone, cpu, order, type, bits, stop, most,
				      &last);
	uint32_t next = last == PFN_NONE ? pcp_head(zone, cpu, order, type)
					 : zone->phys->frames[last].next;

	return nr == most || next == link_of(zone, stop);
}

uint64_t
foresee_pcp_length(const struct zone *zone, unsigned int cpu,
		   unsigned int order, enum migratetype type)
{
	return zone->pcp[cpu].length[foresee_pcp_list(order, type)];
}

/* Pages of the pageblock that are free, and allocated ones that can move. */
static void
pageblock_count(const struct zone *zone, pfn_t pfn, uint64_t *is_free,
		uint64_t *movable)
{
	const struct phys *phys = zone->phys;
	uint64_t nr = pageblock_pages(phys);
	pfn_t start = round_down_to(pfn, nr), end = start + nr;

	*is_free = *movable = 0;
	if (!zone_spans(zone, end - 1) || end > phys->max_pfn)
		return;
	if (!zone_spans(zone, start))
		start = pfn;
	while (start < end) {
		const struct frame *f = &phys->frames[start];
		uint64_t pages = 1ULL << f->order;

		if (f->state == FRAME_NONE || f->zone != zone->id) {
			start++;
			continue;
		}
		if (f->state == FRAME_FREE)
			*is_free += pages;
		else if (f->state == FRAME_ALLOCATED &&
			 f->type == MIGRATE_MOVABLE)
			*movable += MIN_OF(pages, end - start);
		start += pages;
	}
}

/* steal_suitable_fallback(): whether the pageblock changes hands. */
static bool
foresee_ownership(const struct zone *zone, const struct fallback_step *step,
		  enum migratetype type)
{
	const struct phys *phys = zone->phys;
	enum migratetype old = block_type(phys, step->pfn);
	uint64_t is_free, movable, alike = 0;

	if (old == type || old == MIGRATE_HIGHATOMIC)
		return old == type;
	if (step->order >= phys->pageblock_order)
		return true;
	if (!can_steal(phys, step->order, type))
		return false;
	pageblock_count(zone, step->pfn, &is_free, &movable);
	if (!is_free)
		return false;
	if (type == MIGRATE_MOVABLE)
		alike = movable;
	else if (old == MIGRATE_MOVABLE)
		alike = pageblock_pages(phys) - is_free - movable;
	return is_free + alike >= pageblock_pages(phys) / 2 ||
	       phys->mobility_off;
}

bool
foresee_fallback(const struct zone *zone, unsigned int order,
		 enum migratetype type, struct fallback_step *step)
{
	if (!type_is_mergeable(type))
		return false;
	step->order = fallback_order(zone, order, type, 0, &step->from);
	if (step->order == MAX_ORDER)
		return false;
	step->pfn = link_pfn(
		zone, zone->free_area[step->order].list[step->from].head);
	step->ownership = foresee_ownership(zone, step, type);
	return true;
}

/* --- drains -----------------------------------------------------------------
 */

void
foresee_drain(struct zone *zone, unsigned int cpu, pfn_t pfn,
	      unsigned int order, int64_t hidden, bool sure,
	      struct drain_step *drain)
{
	struct per_cpu_pages *pcp = &zone->pcp[cpu];
	const struct frame *f = &zone->phys->frames[pfn];
	uint32_t due;

	*drain = (struct drain_step){0};
	if (f->state != FRAME_PCP || f->order != order)
		return;
	due = pcp_due(zone, pcp, order,
		      sure ? INT64_MAX : (int64_t)pcp->count + hidden);
	if (!due)
		return;
	drain->zone = zone;
	drain->cpu = cpu;
	drain->index = pcp_index(pcp_list_type(f->type), order);
	drain->left = MIN_OF(due, pcp->count);
}

void
foresee_drain_all(struct zone *zone, unsigned int cpu, pfn_t pfn,
		  struct drain_step *drain)
{
	const struct phys *phys = zone->phys;
	struct per_cpu_pages *pcp = NULL;
	unsigned int index;

	*drain = (struct drain_step){0};
	if (phys->frames[pfn].state == FRAME_PCP)
		pcp = pcp_holding(zone, pfn, &index);
	if (!pcp)
		return;
	drain->zone = zone;
	drain->cpu = (unsigned int)(pcp - zone->pcp);
	drain->left = pcp->count;
	if (drain->cpu == cpu && phys->cpu_node[cpu] != (int)zone->node->id)
		drain->left = MIN_OF(pcp->batch, pcp->count);
}

pfn_t
foresee_drained(struct drain_step *drain, unsigned int *order)
{
	const struct per_cpu_pages *pcp;

	if (!drain->zone || !drain->left)
		return PFN_NONE;
	pcp = &drain->zone->pcp[drain->cpu];
	for (unsigned int i = 0; i < NR_PCP_LISTS; i++) {
		uint32_t link = pcp->list[drain->index].tail;

		if (link) {
			*order = pcp_index_order(drain->zone->phys,
						 drain->index);
			return link_pfn(drain->zone, link);
		}
		drain->index = (drain->index + 1) % NR_PCP_LISTS;
	}
	return PFN_NONE;
}

bool
foresee_balanced(const struct node *node)
{
	enum zone_type highest = MAX_NR_ZONES;

	for (unsigned int i = 0; i < MAX_NR_ZONES; i++)
		if (node->zones[i].managed_pages)
			highest = (enum zone_type)i;
	for (unsigned int i = 0; i < MAX_NR_ZONES; i++) {
		const struct zone *zone = &node->zones[i];

		if (zone->managed_pages &&
		    zone_watermark_ok(zone, 0, wmark_pages(zone, WMARK_HIGH),
				      highest, 0))
			return true;
	}
	return highest == MAX_NR_ZONES;
}

uint32_t
foresee_pcp_batch(const struct zone *zone, enum pcp_phase phase)
{
	switch (phase) {
	case PCP_BOOT:
		return 1;
	case PCP_EARLY:
		return zone_batchsize(zone);
	default:
		return zone->pcp_batch;
	}
}

void
resync_pcp_phase(struct zone *zone, enum pcp_phase phase)
{
	uint32_t batch = foresee_pcp_batch(zone, phase), high = zone->pcp_high;

	if (phase != PCP_FINAL)
		high = phase == PCP_BOOT ? 0 : 4 * batch;
	for (unsigned int cpu = 0; zone->pcp && cpu < zone->phys->nr_cpus;
	     cpu++) {
		zone->pcp[cpu].batch = batch;
		zone->pcp[cpu].high = high;
	}
}
