// SPDX-License-Identifier: MIT
/*
 * config_node.c - nodes of a machine file: memory, CPUs, distances
 *
 * How it works:   [node 0] to [node N-1] are read when there are any; else
 *                 nodes = N cuts memory in equal shares, whose bounds are
 *                 multiples of 8 MiB as QEMU makes them, and deals out CPUs in
 *                 equal runs.
 */
#include "config_impl.h"

#include "kmemfs/base/text.h"
#include "kmemfs/phys/rangeset.h"

#include <string.h>

#define SHARE_ALIGN MIB(8)
#define DISTANCE_LOCAL 10
#define DISTANCE_REMOTE 20
#define CPU_NOBODY (-1)

static bool
take_cpu(struct config_reader *r, const struct config_entry *e, uint64_t cpu,
	 unsigned int node)
{
	struct phys_config *phys = &r->config->phys;

	if (cpu >= phys->nr_cpus)
		return config_fail(r, e->line, e->key,
				   "there is no cpu %llu: cpus of [machine] is "
				   "%u",
				   (unsigned long long)cpu, phys->nr_cpus);
	if (phys->cpu_node[cpu] != CPU_NOBODY)
		return config_fail(r, e->line, e->key,
				   "cpu %llu belongs to node %d already",
				   (unsigned long long)cpu,
				   phys->cpu_node[cpu]);
	phys->cpu_node[cpu] = (int32_t)node;
	return true;
}

/* Nodes' memory may not overlap. */
static bool
claim_memory(struct config_reader *r, const struct config_entry *e,
	     const GArray *ranges, struct rangeset *claimed, unsigned int node)
{
	for (guint i = 0; i < ranges->len; i++) {
		const struct range *range =
			&g_array_index(ranges, struct range, i);

		if (rangeset_overlaps(claimed, range->start, range->end))
			return config_fail(r, e->line, e->key,
					   "0x%llx-0x%llx is claimed twice",
					   (unsigned long long)range->start,
					   (unsigned long long)range->end - 1);
		rangeset_add(claimed, range->start, range->end, (int)node);
	}
	return true;
}

static bool
check_distances(struct config_reader *r, const struct config_entry *e,
		const GArray *distances, unsigned int node)
{
	unsigned int nr_nodes = r->config->phys.nr_nodes;

	if (distances->len != nr_nodes)
		return config_fail(r, e->line, e->key,
				   "there are %u distances for %u nodes",
				   distances->len, nr_nodes);
	for (unsigned int to = 0; to < nr_nodes; to++) {
		uint32_t d = g_array_index(distances, uint32_t, to);

		if ((d == DISTANCE_LOCAL) != (to == node))
			return config_fail(r, e->line, e->key,
					   "a node is 10 away from itself and "
					   "more from others: node %u says %u "
					   "to node %u",
					   node, d, to);
	}
	return true;
}

static void
default_distances(GArray *distances, unsigned int node, unsigned int nr_nodes)
{
	for (unsigned int to = 0; to < nr_nodes; to++) {
		uint32_t d = to == node ? DISTANCE_LOCAL : DISTANCE_REMOTE;

		g_array_append_val(distances, d);
	}
}

static struct config_entry *
node_entry(const struct config_reader *r, unsigned int node, const char *key)
{
	char group[32];
	struct config_entry *e;

	g_snprintf(group, sizeof(group), "node %u", node);
	e = config_entry_find(r, group, key);
	if (e)
		e->counted = true;
	return e;
}

static bool
read_node(struct config_reader *r, unsigned int n, struct rangeset *claimed)
{
	struct node_config *node = &r->config->phys.nodes[n];
	const struct config_entry *memory = node_entry(r, n, "memory");
	const struct config_entry *cpus = node_entry(r, n, "cpus");
	const struct config_entry *distances = node_entry(r, n, "distances");

	if (memory && (!config_ranges(r, memory, node->memory) ||
		       !claim_memory(r, memory, node->memory, claimed, n)))
		return false;
	if (cpus && !config_cpus(r, cpus, take_cpu, n))
		return false;
	if (!distances) {
		default_distances(node->distances, n, r->config->phys.nr_nodes);
		return true;
	}
	return config_distances(r, distances, node->distances) &&
	       check_distances(r, distances, node->distances, n);
}

/* When no node names a CPU they are dealt out in equal runs; when some do, all
 * have to be named. */
static bool
deal_out_cpus(struct config_reader *r)
{
	struct phys_config *phys = &r->config->phys;
	unsigned int left = 0, last = 0;

	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++) {
		if (phys->cpu_node[cpu] != CPU_NOBODY)
			continue;
		last = cpu;
		left++;
	}
	if (left && left < phys->nr_cpus)
		return config_fail(r, 0, "cpus", "no node has cpu %u", last);
	for (unsigned int cpu = 0; left && cpu < phys->nr_cpus; cpu++)
		phys->cpu_node[cpu] = (int32_t)((uint64_t)cpu * phys->nr_nodes /
						phys->nr_cpus);
	return true;
}

/* Where byte @offset of QEMU's RAM lies, given the firmware's usable ranges:
 * they and the reserved one at the end of low memory are filled in order. */
static pa_t
share_address(const struct config_reader *r, uint64_t offset)
{
	const GArray *map = r->config->phys.firmware;
	pa_t low_end = 0;

	for (guint i = 0; i < map->len; i++) {
		const struct firmware_range *f =
			&g_array_index(map, struct firmware_range, i);

		/* Low memory ends where its last range, the tables, does. */
		if (f->range.start < GIB(4) && f->range.end <= 0xe0000000)
			low_end = MAX_OF(low_end, f->range.end);
	}
	return offset < low_end || r->memory <= low_end
		       ? offset
		       : GIB(4) + (offset - low_end);
}

static void
share_range(GArray *memory, pa_t start, pa_t end)
{
	struct range range = {start, end};

	if (start < end)
		g_array_append_val(memory, range);
}

/* Node @n's share of memory: one range, or two around the hole. */
static void
share_memory(struct config_reader *r, unsigned int n)
{
	struct phys_config *phys = &r->config->phys;
	uint64_t share = round_down_to(r->memory / phys->nr_nodes, SHARE_ALIGN);
	uint64_t from = n * share;
	uint64_t to = n + 1 == phys->nr_nodes ? r->memory : from + share;
	pa_t start = share_address(r, from);
	pa_t end = share_address(r, to - 1) + 1;
	GArray *memory = phys->nodes[n].memory;
	pa_t split = start + (to - from);

	if (end == split) {
		share_range(memory, start, end);
		return;
	}
	/* It goes around the hole: end - split is the hole's size. */
	split = GIB(4) - (end - split);
	share_range(memory, start, split);
	share_range(memory, GIB(4), end);
}

pa_t
config_memory_end(const struct phys_config *phys)
{
	pa_t end = 0;

	for (guint i = 0; i < phys->firmware->len; i++) {
		const struct firmware_range *f = &g_array_index(
			phys->firmware, struct firmware_range, i);

		if (f->type == E820_USABLE)
			end = MAX_OF(end, f->range.end);
	}
	for (guint i = 0; i < phys->hotplugged->len; i++)
		end = MAX_OF(
			end,
			g_array_index(phys->hotplugged, struct range, i).end);
	return end;
}

static bool
make_nodes(struct config_reader *r)
{
	struct phys_config *phys = &r->config->phys;

	for (unsigned int n = 0; n < phys->nr_nodes; n++) {
		default_distances(phys->nodes[n].distances, n, phys->nr_nodes);
		if (r->memory && phys->nr_nodes > 1)
			share_memory(r, n);
	}
	/* All that the firmware has, and what is plugged in. */
	if (phys->nr_nodes == 1)
		share_range(phys->nodes[0].memory, 0, config_memory_end(phys));
	return true;
}

/* How many [node N] groups there are; complains of gaps. */
static bool
count_groups(struct config_reader *r, unsigned int *nr)
{
	*nr = 0;
	while (*nr < MAX_NODES && node_entry(r, *nr, NULL))
		++*nr;
	for (guint i = 0; i < r->entries->len; i++) {
		const struct config_entry *e = g_ptr_array_index(r->entries, i);
		uint64_t n;

		if (e->key || strncmp(e->group, "node ", 5))
			continue;
		if (!text_u64(e->group + 5, &n) || n >= MAX_NODES)
			return config_fail(r, e->line, e->group,
					   "nodes are [node 0] to [node %u]",
					   MAX_NODES - 1);
		if (!e->counted)
			return config_fail(r, e->line, e->group,
					   "there is no [node %u]", *nr);
	}
	return true;
}

bool
config_nodes(struct config_reader *r)
{
	struct phys_config *phys = &r->config->phys;
	const struct config_entry *e = config_entry_find(r, "machine", "nodes");
	struct rangeset claimed;
	unsigned int groups;
	bool good = true;

	if (!count_groups(r, &groups))
		return false;
	if (groups && r->nodes)
		return config_fail(r, e->line, e->key,
				   "the [node N] groups say it already");
	if (r->nodes > 1 && !r->memory)
		return config_fail(r, e->line, e->key,
				   "without memory = SIZE, say [node N] what "
				   "each has");
	phys->nr_nodes = groups ? groups : (unsigned int)MAX_OF(r->nodes, 1);
	if (phys->nr_nodes > 1 && !archs[phys->arch].numa)
		return config_fail(r, e ? e->line : 0, "nodes",
				   "%s kernels know one node only",
				   archs[phys->arch].name);
	if (r->memory && r->memory / phys->nr_nodes < SHARE_ALIGN &&
	    phys->nr_nodes > 1)
		return config_fail(r, e ? e->line : 0, "nodes",
				   "memory is too small for %u nodes",
				   phys->nr_nodes);
	phys->nodes = g_new0(struct node_config, phys->nr_nodes);
	phys->cpu_node = g_new(int32_t, phys->nr_cpus);
	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++)
		phys->cpu_node[cpu] = CPU_NOBODY;
	for (unsigned int n = 0; n < phys->nr_nodes; n++) {
		phys->nodes[n].memory =
			g_array_new(FALSE, FALSE, sizeof(struct range));
		phys->nodes[n].distances =
			g_array_new(FALSE, FALSE, sizeof(uint32_t));
	}
	rangeset_init(&claimed);
	for (unsigned int n = 0; good && n < groups; n++)
		good = read_node(r, n, &claimed);
	rangeset_fini(&claimed);
	if (good && !groups)
		good = make_nodes(r);
	return good && deal_out_cpus(r);
}
