// SPDX-License-Identifier: MIT
/*
 * zoneinfo.c - /proc/zoneinfo
 *
 * What it models: mm/vmstat.c:zoneinfo_show_print.
 */
#include "kmemfs/show.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"

/* "\n      %-12s %lu" */
static void
put_stat(struct out *out, const char *name, uint64_t value)
{
	static const char before[] = "\n      ";
	size_t len = strlen(name), width = MAX_OF(len, (size_t)12);
	char *to;

	out_reserve(out, sizeof(before) + width);
	to = out->text + out->len;
	memcpy(to, before, sizeof(before) - 1);
	to += sizeof(before) - 1;
	memset(to, ' ', 13);
	memcpy(to, name, len);
	to[width] = ' ';
	out->len += sizeof(before) + width;
	out_u64(out, value);
}

static void
put_labelled(struct out *out, const char *label, uint64_t value)
{
	out_str(out, label);
	out_u64(out, value);
}

static bool
is_first_populated(const struct zone *zone)
{
	for (int t = 0; t < MAX_NR_ZONES; t++)
		if (zone_populated(&zone->node->zones[t]))
			return zone == &zone->node->zones[t];
	return false;
}

static void
put_node_stats(const struct zone *zone, struct out *out)
{
	out_str(out, "\n  per-node stats");
	for (int s = 0; s < NR_NODE_STATS; s++)
		if (kernel_has_node_stat(zone->phys, s))
			put_stat(out, node_stat_names[s],
				 sum_nodes(zone->phys, zone->node, s) >>
					 kernel_huge_shift(zone->phys, s));
}

static void
put_sizes(const struct zone *zone, struct out *out)
{
	const char *before = "\n        protection: (";

	put_labelled(out, "\n  pages free     ",
		     (uint64_t)zone->stat[ZS_nr_free_pages]);
	put_labelled(out, "\n        boost    ", zone->watermark_boost);
	put_labelled(out, "\n        min      ", wmark_pages(zone, WMARK_MIN));
	put_labelled(out, "\n        low      ", wmark_pages(zone, WMARK_LOW));
	put_labelled(out, "\n        high     ", wmark_pages(zone, WMARK_HIGH));
	put_labelled(out, "\n        spanned  ", zone->spanned_pages);
	put_labelled(out, "\n        present  ", zone->present_pages);
	put_labelled(out, "\n        managed  ", zone->managed_pages);
	put_labelled(out, "\n        cma      ", zone->cma_pages);
	for (int t = 0; t < MAX_NR_ZONES; t++) {
		if (!kernel_has_zone(zone->phys, t))
			continue;
		put_labelled(out, before, zone->lowmem_reserve[t]);
		before = ", ";
	}
	out_char(out, ')');
}

static void
put_counters(const struct zone *zone, struct out *out)
{
	for (int s = 0; s < NR_ZONE_STATS; s++)
		if (kernel_has_zone_stat(zone->phys, s))
			put_stat(out, zone_stat_names[s],
				 (uint64_t)zone->stat[s]);
	if (!kernel_has(zone->phys, KERNEL_NUMA))
		return;
	for (unsigned int s = 0; s < NR_NUMA_STATS; s++)
		put_stat(out, numa_stat_names[s], zone->numa[s]);
}

static void
put_pagesets(const struct zone *zone, struct out *out)
{
	out_str(out, "\n  pagesets");
	for (unsigned int cpu = 0; cpu < zone->phys->nr_cpus; cpu++) {
		const struct per_cpu_pages *pcp = &zone->pcp[cpu];

		if (!zone->phys->cpu_online[cpu])
			continue;
		put_labelled(out, "\n    cpu: ", cpu);
		put_labelled(out, "\n              count: ", pcp->count);
		put_labelled(out, "\n              high:  ", pcp->high);
		put_labelled(out, "\n              batch: ", pcp->batch);
		put_labelled(out,
			     "\n  vm stats threshold: ", zone->stat_threshold);
	}
}

static void
put_zone(const struct zone *zone, struct out *out)
{
	out_str(out, "Node ");
	out_u64(out, zone->node->id);
	out_str(out, ", zone ");
	out_str_pad(out, zone_type_name(zone->type), 8);
	if (is_first_populated(zone))
		put_node_stats(zone, out);
	put_sizes(zone, out);
	if (zone_populated(zone)) {
		put_counters(zone, out);
		put_pagesets(zone, out);
		out_str(out, "\n  node_unreclaimable:  0");
		put_labelled(out, "\n  start_pfn:           ", zone->start_pfn);
	}
	out_char(out, '\n');
}

void
show_zoneinfo(const struct view *v, struct out *out)
{
	const struct phys *phys = v->m->phys;

	for (unsigned int i = 0; i < phys->nr_zones; i++)
		if (kernel_has_zone(phys, phys->zones[i]->type))
			put_zone(phys->zones[i], out);
}
