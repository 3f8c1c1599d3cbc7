// SPDX-License-Identifier: MIT
/*
 * vmstat.c - /proc/vmstat and its shares of nodes and zones
 *
 * What it models: mm/vmstat.c:vmstat_text and its readers, numastat and vmstat
 * of drivers/base/node.c, and the two thresholds of mm/page-writeback.c.
 */
#include "kmemfs/show.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"

#define DIRTY_RATIO 20
#define DIRTY_BACKGROUND_RATIO 10
#define RATIO_ONE 4096 /* ratios are kept as this much for 1 */

/* Pages of high zones that could be dirty: highmem_dirtyable_memory(). */
static uint64_t
high_dirtyable(const struct phys *phys, uint64_t most)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < phys->nr_zones; i++) {
		const struct zone *zone = phys->zones[i];
		uint64_t free = (uint64_t)zone->stat[ZS_nr_free_pages];

		if (!zone_is_high(zone) || !zone_populated(zone))
			continue;
		free -= MIN_OF(free, wmark_pages(zone, WMARK_HIGH));
		sum += free + (uint64_t)(zone->stat[ZS_nr_zone_inactive_file] +
					 zone->stat[ZS_nr_zone_active_file]);
	}
	return MIN_OF(sum, most);
}

/* Pages that could be dirty: global_dirtyable_memory(). */
static uint64_t
dirtyable(const struct phys *phys)
{
	uint64_t pages = sum_zones(phys, NULL, ZS_nr_free_pages);

	pages -= MIN_OF(pages, phys->total_reserve_pages);
	pages += sum_nodes(phys, NULL, NS_nr_inactive_file);
	pages += sum_nodes(phys, NULL, NS_nr_active_file);
	return pages - high_dirtyable(phys, pages) + 1;
}

static uint64_t
dirty_limit(const struct phys *phys, unsigned int ratio)
{
	return dirtyable(phys) * (ratio * RATIO_ONE / 100) / RATIO_ONE;
}

static void
put_zone_stats(const struct phys *phys, const struct node *node,
	       struct out *out)
{
	for (int s = 0; s < NR_ZONE_STATS; s++)
		if (kernel_has_zone_stat(phys, s))
			put_counter(out, zone_stat_names[s],
				    sum_zones(phys, node, s));
	if (!kernel_has(phys, KERNEL_NUMA))
		return;
	for (unsigned int s = 0; s < NR_NUMA_STATS; s++)
		put_counter(out, numa_stat_names[s], sum_numa(phys, node, s));
}

static void
put_node_stats(const struct phys *phys, const struct node *node,
	       struct out *out)
{
	for (int s = 0; s < NR_NODE_STATS; s++)
		if (kernel_has_node_stat(phys, s))
			put_counter(out, node_stat_names[s],
				    sum_nodes(phys, node, s) >>
					    kernel_huge_shift(phys, s));
}

void
show_vmstat(const struct view *v, struct out *out)
{
	const struct phys *phys = v->m->phys;

	put_zone_stats(phys, NULL, out);
	put_node_stats(phys, NULL, out);
	put_counter(out, "nr_dirty_threshold", dirty_limit(phys, DIRTY_RATIO));
	put_counter(out, "nr_dirty_background_threshold",
		    dirty_limit(phys, DIRTY_BACKGROUND_RATIO));
	for (int e = 0; e < NR_VM_EVENTS; e++)
		if (kernel_has_event(phys, e))
			put_counter(out, vm_event_names[e], phys->event[e]);
	put_counter(out, "nr_unstable", 0);
}

void
show_node_vmstat(const struct view *v, struct out *out)
{
	put_zone_stats(v->m->phys, view_node(v), out);
	put_node_stats(v->m->phys, view_node(v), out);
}

void
show_zone_vmstat(const struct view *v, struct out *out)
{
	const struct phys *phys = v->m->phys;
	const struct zone *zone = view_zone(v);

	for (int s = 0; s < NR_ZONE_STATS; s++)
		if (kernel_has_zone_stat(phys, s)) {
			out_str(out, zone_stat_names[s]);
			out_char(out, ' ');
			out_i64(out, zone->stat[s]);
			out_char(out, '\n');
		}
	if (!kernel_has(phys, KERNEL_NUMA))
		return;
	for (unsigned int s = 0; s < NR_NUMA_STATS; s++)
		put_counter(out, numa_stat_names[s], zone->numa[s]);
}

void
show_node_numastat(const struct view *v, struct out *out)
{
	/* The same counters under the names they had before /proc/vmstat. */
	static const char *const names[NR_NUMA_STATS] = {
		"numa_hit",	  "numa_miss",	"numa_foreign",
		"interleave_hit", "local_node", "other_node",
	};

	for (unsigned int s = 0; s < NR_NUMA_STATS; s++)
		put_counter(out, names[s],
			    sum_numa(v->m->phys, view_node(v), s));
}
