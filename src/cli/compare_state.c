// SPDX-License-Identifier: MIT
/*
 * compare_state.c - what became of a machine, and what happened on the way
 *
 * How it works: the model's events are counted as they happen.  Each time the
 * buddy gives a block, free pages of its zone are compared with the marks; the
 * block itself is still counted as free then.
 */
#include "compare_impl.h"

#include "kmemfs/view/pageblocks.h"
#include "kmemfs/view/sums.h"

#include <glib.h>
#include <string.h>

#define WATCHED                                                                \
	(1U << TRACE_MM_PAGE_ALLOC | 1U << TRACE_MM_PAGE_ALLOC_ZONE_LOCKED |   \
	 1U << TRACE_MM_PAGE_ALLOC_EXTFRAG)

struct zone_watch {
	uint64_t lowest, below_low, below_min;
	bool is_below_low, is_below_min;
};

struct watch {
	struct machine *m;
	struct zone_watch *zones; /* by zone id */
	struct work work;
	uint64_t stalls; /* before */
};

static uint64_t
free_pages(const struct zone *zone)
{
	return (uint64_t)MAX_OF(zone->stat[ZS_nr_free_pages], 0);
}

static void
watch_zone(struct zone_watch *w, const struct zone *zone)
{
	uint64_t pages = free_pages(zone);
	bool low = pages < wmark_pages(zone, WMARK_LOW);
	bool min = pages < wmark_pages(zone, WMARK_MIN);

	w->lowest = MIN_OF(w->lowest, pages);
	w->below_low += low && !w->is_below_low;
	w->below_min += min && !w->is_below_min;
	w->is_below_low = low;
	w->is_below_min = min;
}

/* Arguments as in trace.def. */
static void
watch_fallback(struct watch *watch, const uint64_t *arg)
{
	uint64_t order = arg[2], pageblock = arg[3];
	unsigned int to = (unsigned int)arg[4] % MIGRATE_TYPES;
	unsigned int from = (unsigned int)arg[5] % MIGRATE_TYPES;
	bool ownership = arg[7];

	watch->work.fallbacks[to][from]++;
	watch->work.fragmenting += arg[6] != 0;
	if (ownership)
		watch->work.retagged[to][from] +=
			order > pageblock ? 1ULL << (order - pageblock) : 1;
}

static void
watch_event(void *user, enum trace_event event, const uint64_t *arg)
{
	struct watch *watch = user;
	const struct phys *phys = watch->m->phys;

	switch (event) {
	case TRACE_MM_PAGE_ALLOC:
		if (arg[0])
			watch->work.allocated++;
		else if (arg[1] < MAX_ORDER)
			watch->work.failed[arg[1]]++;
		break;
	case TRACE_MM_PAGE_ALLOC_ZONE_LOCKED: {
		const struct zone *zone =
			phys->zones[phys->frames[arg[0]].zone];

		watch_zone(&watch->zones[zone->id], zone);
		break;
	}
	case TRACE_MM_PAGE_ALLOC_EXTFRAG:
		watch_fallback(watch, arg);
		break;
	default:
		break;
	}
}

static uint64_t
count_stalls(const struct phys *phys)
{
	uint64_t sum = 0;

	for (int type = 0; type < MAX_NR_ZONES; type++)
		sum += phys->event[VE_allocstall_dma + type];
	return sum;
}

struct watch *
watch_new(struct machine *m)
{
	const struct phys *phys = m->phys;
	struct watch *watch = g_new0(struct watch, 1);

	watch->m = m;
	watch->zones = g_new0(struct zone_watch, phys->nr_zones);
	watch->stalls = count_stalls(phys);
	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		watch->zones[id].lowest = UINT64_MAX;
		watch_zone(&watch->zones[id], phys->zones[id]);
	}
	m->trace.counted |= WATCHED;
	m->trace.watch = watch_event;
	m->trace.watch_user = watch;
	return watch;
}

static void
zone_state_fill(struct zone_state *state, const struct zone *zone,
		const struct zone_watch *watched)
{
	state->node = zone->node->id;
	state->type = zone->type;
	state->managed = zone->managed_pages;
	state->free = free_pages(zone);
	state->pcp = sum_pcp(zone);
	state->min = zone->watermark[WMARK_MIN];
	state->low = zone->watermark[WMARK_LOW];
	state->high = zone->watermark[WMARK_HIGH];
	state->boost = zone->watermark_boost;
	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		state->blocks[order] = zone->free_area[order].nr_free_all;
		state->unusable[order] = zone_unusable_index(zone, order);
		state->fragmentation[order] =
			zone_fragmentation_index(zone, order);
	}
	pageblocks_count(zone, state->pageblocks);
	state->lowest = watched->lowest;
	state->below_low = watched->below_low;
	state->below_min = watched->below_min;
}

void
watch_end(struct watch *watch, struct side *side)
{
	struct trace *trace = &watch->m->trace;
	const struct phys *phys = watch->m->phys;

	trace->counted &= ~WATCHED;
	trace->watch = NULL;
	watch->work.stalls = count_stalls(phys) - watch->stalls;
	side->work = watch->work;
	side->page_kib = (unsigned int)(page_size(phys) >> 10);
	side->zones = g_new0(struct zone_state, phys->nr_zones);
	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		const struct zone *zone = phys->zones[id];

		if (!zone_managed(zone))
			continue;
		watch_zone(&watch->zones[id], zone);
		zone_state_fill(&side->zones[side->nr_zones++], zone,
				&watch->zones[id]);
	}
	g_free(watch->zones);
	g_free(watch);
}

void
side_fini(struct side *side)
{
	g_free(side->title);
	g_free(side->zones);
}

const struct zone_state *
side_zone(const struct side *side, unsigned int node, enum zone_type type)
{
	for (unsigned int i = 0; i < side->nr_zones; i++) {
		if (side->zones[i].node == node && side->zones[i].type == type)
			return &side->zones[i];
	}
	return NULL;
}
