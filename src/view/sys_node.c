// SPDX-License-Identifier: MIT
/*
 * sys_node.c - NUMA nodes: /sys/devices/system/node and /nodes/N
 *
 * What it models: drivers/base/node.c of Linux 6.1.  A node's lists of CPUs
 * hold those that are online, as there.
 */
#include "kmemfs/show.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"

static bool
is_any(const struct phys *phys, unsigned int nid, unsigned int with)
{
	(void)phys;
	(void)nid;
	(void)with;
	return true;
}

static bool
has_cpu(const struct phys *phys, unsigned int nid, unsigned int with)
{
	(void)with;
	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++)
		if (cpu_is_on_node(phys, cpu, nid))
			return true;
	return false;
}

static bool
has_memory(const struct phys *phys, unsigned int nid, unsigned int with)
{
	(void)with;
	return phys->nodes[nid]->present_pages;
}

static bool
has_normal_memory(const struct phys *phys, unsigned int nid, unsigned int with)
{
	(void)with;
	for (int t = 0; t <= ZONE_NORMAL; t++)
		if (zone_populated(&phys->nodes[nid]->zones[t]))
			return true;
	return false;
}

static void
put_nodes(const struct view *v, struct out *out, id_fn in)
{
	put_id_list(out, v->m->phys, v->m->phys->nr_nodes, in, 0);
}

void
show_sys_node_online(const struct view *v, struct out *out)
{
	put_nodes(v, out, is_any);
}

void
show_sys_node_possible(const struct view *v, struct out *out)
{
	put_nodes(v, out, is_any);
}

void
show_sys_node_has_cpu(const struct view *v, struct out *out)
{
	put_nodes(v, out, has_cpu);
}

void
show_sys_node_has_memory(const struct view *v, struct out *out)
{
	put_nodes(v, out, has_memory);
}

void
show_sys_node_has_normal_memory(const struct view *v, struct out *out)
{
	put_nodes(v, out, has_normal_memory);
}

void
show_sys_node_has_generic_initiator(const struct view *v, struct out *out)
{
	(void)v;
	out_char(out, '\n');
}

void
show_node_cpulist(const struct view *v, struct out *out)
{
	put_id_list(out, v->m->phys, v->m->phys->nr_cpus, cpu_is_on_node,
		    view_node(v)->id);
}

void
show_node_cpumap(const struct view *v, struct out *out)
{
	put_id_mask(out, v->m->phys, v->m->phys->nr_cpus, cpu_is_on_node,
		    view_node(v)->id);
}

void
show_node_distance(const struct view *v, struct out *out)
{
	const struct node *node = view_node(v);

	for (unsigned int n = 0; n < v->m->phys->nr_nodes; n++) {
		if (n)
			out_char(out, ' ');
		out_u64(out, node->distance[n]);
	}
	out_char(out, '\n');
}

void
show_node_cpu_link(const struct view *v, struct out *out)
{
	out_str(out, "../../cpu/cpu");
	out_u64(out, v->key[1]);
}

void
show_node_memory_link(const struct view *v, struct out *out)
{
	out_str(out, "../../memory/memory");
	out_u64(out, v->key[1]);
}

bool
when_numa(const struct view *v)
{
	return kernel_has(v->m->phys, KERNEL_NUMA);
}

/* --- zonelists --- */

static void
put_zonelist(const struct zonelist *list, struct out *out)
{
	out_str(out, "node zone\n");
	for (unsigned int i = 0; i < list->nr; i++) {
		out_u64(out, list->zones[i]->node->id);
		out_char(out, ' ');
		out_str(out, zone_type_name(list->zones[i]->type));
		out_char(out, '\n');
	}
}

void
show_node_fallback(const struct view *v, struct out *out)
{
	put_zonelist(&view_node(v)->zonelist[ZONELIST_FALLBACK], out);
}

void
show_node_nofallback(const struct view *v, struct out *out)
{
	put_zonelist(&view_node(v)->zonelist[ZONELIST_NOFALLBACK], out);
}
