// SPDX-License-Identifier: MIT
/*
 * zonelist.c - in which order zones are tried
 *
 * What it models: build_all_zonelists, build_zonelists and find_next_best_node
 *                 of mm/page_alloc.c; numa_zonelist_order=zone as kernels up to
 *                 4.13 had it.
 * How it works:   each node's list starts with the node itself; then always the
 *                 node with the least cost follows: its distance, one more if
 *                 its number is below the local one's, one more if it has CPUs
 *                 (not at boot: no CPU is known to a node yet), and its load
 *                 as a tie-break.  A node that opens a new distance gets one
 *                 unit of load, so that the lists of other nodes turn to
 *                 its peers.  By node: all zones of each node, highest first.
 *                 By zone: the highest zone of all nodes first.
 * Always true:    lists hold populated zones only, each once.
 * Differs from the kernel: 6.1 ignores an order other than node; here zone is
 *                 done, to show what it did.
 */
#include "boot_impl.h"

#define MAX_NUMNODES 1024
#define PENALTY_FOR_NODE_WITH_CPUS 1

/* What a full rebuild keeps from node to node. */
struct zonelist_build {
	struct phys *phys;
	unsigned int *load; /* [nr_nodes] */
	bool *used;	    /* [nr_nodes]: is in the list being made */
	bool see_cpus;
};

static uint64_t
zonelist_cost(const struct zonelist_build *b, const struct node *local,
	      unsigned int n)
{
	uint64_t cost = local->distance[n];

	cost += n < local->id;
	if (b->see_cpus && b->phys->nodes[n]->nr_cpus)
		cost += PENALTY_FOR_NODE_WITH_CPUS;
	return cost * MAX_NUMNODES + b->load[n];
}

/* The next node for @local's list; -1 when all with memory are in it. */
static int
zonelist_best_node(const struct zonelist_build *b, const struct node *local)
{
	uint64_t least = UINT64_MAX;
	int best = -1;

	if (!b->used[local->id])
		return (int)local->id;
	for (unsigned int n = 0; n < b->phys->nr_nodes; n++) {
		uint64_t cost;

		if (b->used[n] || !b->phys->nodes[n]->present_pages)
			continue;
		cost = zonelist_cost(b, local, n);
		if (cost < least) {
			least = cost;
			best = (int)n;
		}
	}
	return best;
}

static unsigned int
zonelist_order_nodes(struct zonelist_build *b, struct node *local)
{
	unsigned int nr = 0, prev = local->id;
	int n;

	for (unsigned int i = 0; i < b->phys->nr_nodes; i++)
		b->used[i] = false;
	while ((n = zonelist_best_node(b, local)) >= 0) {
		b->used[n] = true;
		if (local->distance[n] != local->distance[prev])
			b->load[n]++;
		local->fallback[nr++] = (unsigned int)n;
		prev = (unsigned int)n;
	}
	return nr;
}

static void
zonelist_append(struct zonelist *list, struct zone *zone)
{
	if (zone_populated(zone))
		list->zones[list->nr++] = zone;
}

static void
zonelist_fill(const struct phys *phys, struct zonelist *list,
	      const unsigned int *nodes, unsigned int nr)
{
	g_free(list->zones);
	list->zones = g_new0(struct zone *, (gsize)nr * MAX_NR_ZONES + 1);
	list->nr = 0;
	if (!phys->sysctl.zonelist_by_zone) {
		for (unsigned int i = 0; i < nr; i++) {
			for (unsigned int type = MAX_NR_ZONES; type-- > 0;)
				zonelist_append(
					list,
					&phys->nodes[nodes[i]]->zones[type]);
		}
		return;
	}
	for (unsigned int type = MAX_NR_ZONES; type-- > 0;) {
		for (unsigned int i = 0; i < nr; i++)
			zonelist_append(list,
					&phys->nodes[nodes[i]]->zones[type]);
	}
}

static void
zonelist_announce(const struct node *node)
{
	GString *line;

	if (!node->phys->numa)
		return;
	line = g_string_new(NULL);
	g_string_printf(line, "Fallback order for Node %u: ", node->id);
	for (unsigned int i = 0; i < node->nr_fallback; i++)
		g_string_append_printf(line, "%u ", node->fallback[i]);
	phys_printk(node->phys, "%s", line->str);
	g_string_free(line, TRUE);
}

void
phys_build_zonelists(struct phys *phys, bool see_cpus)
{
	struct zonelist_build b = {
		.phys = phys,
		.load = g_new0(unsigned int, phys->nr_nodes),
		.used = g_new0(bool, phys->nr_nodes),
		.see_cpus = see_cpus,
	};

	for (unsigned int n = 0; n < phys->nr_nodes; n++) {
		struct node *node = phys->nodes[n];

		node->nr_fallback = zonelist_order_nodes(&b, node);
		zonelist_fill(phys, &node->zonelist[ZONELIST_FALLBACK],
			      node->fallback, node->nr_fallback);
		zonelist_fill(phys, &node->zonelist[ZONELIST_NOFALLBACK],
			      &node->id, 1);
		zonelist_announce(node);
	}
	g_free(b.load);
	g_free(b.used);
}

/* Pages below which there is nothing to be won by grouping: one pageblock for
 * each migrate type that the kernel has (MIGRATE_CMA with CMA only). */
static uint64_t
mobility_least(const struct phys *phys)
{
	unsigned int types = MIGRATE_TYPES - !phys->config->cma_kernel;

	return (1ULL << phys->pageblock_order) * types;
}

void
phys_build_all_zonelists(struct phys *phys, bool see_cpus)
{
	static const char *const on_off[] = {"on", "off"};

	phys_build_zonelists(phys, see_cpus);
	phys->mobility_off = phys->vm_total_pages < mobility_least(phys);
	phys_printk(phys,
		    "Built %u zonelists, mobility grouping %s.  Total pages: "
		    "%llu",
		    phys->nr_nodes, on_off[phys->mobility_off],
		    (unsigned long long)phys->vm_total_pages);
}
