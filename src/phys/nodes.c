// SPDX-License-Identifier: MIT
/*
 * nodes.c - whose memory it is: nodes, their CPUs and distances
 *
 * What it models: arch/x86/mm/numa.c: numa_register_memblks, and
 * dummy_numa_init for numa=off: one node that has everything. Differs from the
 * kernel: memory that no node claims is refused, where the kernel gives up on
 * the firmware's tables and uses one node.
 */
#include "boot_impl.h"

#define DISTANCE_LOCAL 10
#define DISTANCE_REMOTE 20
/* Tag of memory that no node has claimed yet. */
#define NID_NOBODY (-2)

static bool
nodes_claim(struct boot *boot, const struct phys_config *config)
{
	struct rangeset *memory = &boot->mem.memory;

	memblock_set_node(&boot->mem, 0, UINT64_MAX, NID_NOBODY);
	for (unsigned int n = 0; n < config->nr_nodes; n++) {
		const GArray *ranges = config->nodes[n].memory;

		for (guint i = 0; ranges && i < ranges->len; i++) {
			const struct range *r =
				&g_array_index(ranges, struct range, i);

			memblock_set_node(&boot->mem, r->start, r->end, (int)n);
		}
	}
	for (unsigned int i = 0; i < rangeset_size(memory); i++) {
		const struct rangeset_item *m = rangeset_at(memory, i);

		if (m->tag == NID_NOBODY)
			return boot_fail(boot,
					 "memory 0x%llx-0x%llx belongs to no "
					 "node",
					 (unsigned long long)m->start,
					 (unsigned long long)m->end - 1);
	}
	return true;
}

static uint32_t
nodes_distance(const struct phys *phys, unsigned int from, unsigned int to)
{
	const GArray *distances = phys->config->nodes
					  ? phys->config->nodes[from].distances
					  : NULL;

	if (!phys->cmdline->numa_off && distances && to < distances->len)
		return g_array_index(distances, uint32_t, to);
	return from == to ? DISTANCE_LOCAL : DISTANCE_REMOTE;
}

static void
nodes_make(struct phys *phys, unsigned int id)
{
	struct node *node = g_new0(struct node, 1);

	node->phys = phys;
	node->id = id;
	node->distance = g_new(uint32_t, phys->nr_nodes);
	node->fallback = g_new0(unsigned int, phys->nr_nodes);
	for (unsigned int to = 0; to < phys->nr_nodes; to++)
		node->distance[to] = nodes_distance(phys, id, to);
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
		struct zone *zone = &node->zones[type];

		zone->phys = phys;
		zone->node = node;
		zone->type = (enum zone_type)type;
		zone->id = (uint16_t)(id * MAX_NR_ZONES + type);
		phys->zones[zone->id] = zone;
	}
	phys->nodes[id] = node;
}

bool
boot_nodes(struct boot *boot)
{
	struct phys *phys = boot->phys;
	const struct phys_config *config = phys->config;

	phys->nr_nodes = phys->cmdline->numa_off ? 1 : config->nr_nodes;
	if (!phys->nr_nodes || phys->nr_nodes > MAX_NODES)
		return boot_fail(boot, "there may be 1 to %u nodes", MAX_NODES);
	if (!config->nr_cpus || config->nr_cpus > MAX_CPUS)
		return boot_fail(boot, "there may be 1 to %u cpus", MAX_CPUS);
	if (phys->nr_nodes > 1 && !phys->arch->numa)
		return boot_fail(boot, "%s kernels know one node only",
				 phys->arch->name);
	if (phys->nr_nodes > 1 && !nodes_claim(boot, config))
		return false;
	phys->nr_zones = phys->nr_nodes * MAX_NR_ZONES;
	phys->nodes = g_new0(struct node *, phys->nr_nodes);
	phys->zones = g_new0(struct zone *, phys->nr_zones);
	for (unsigned int id = 0; id < phys->nr_nodes; id++)
		nodes_make(phys, id);

	phys->nr_cpus = config->nr_cpus;
	phys->cpu_node = g_new0(int32_t, phys->nr_cpus);
	phys->cpu_online = g_new0(bool, phys->nr_cpus);
	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++) {
		if (phys->nr_nodes > 1 && config->cpu_node)
			phys->cpu_node[cpu] = config->cpu_node[cpu];
		phys->cpu_online[cpu] = true;
		phys->nodes[phys->cpu_node[cpu]]->nr_cpus++;
	}
	return true;
}
