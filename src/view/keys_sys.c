// SPDX-License-Identifier: MIT
/*
 * keys_sys.c - the variable parts of paths: sysfs names and trace events
 *
 * How it works: sysfs calls its objects nodeN, cpuN, memoryN.  A kind that
 * stands below another object (the CPUs of a node) asks that one, in key[0].
 */
#include "kmemfs/view/keys.h"

#include "kmemfs/phys/memory_block.h"

/* --- nodeN, cpuN -----------------------------------------------------------
 */

static bool
sysnode_exists(const struct view *v, uint64_t nid)
{
	return nid < v->m->phys->nr_nodes;
}

static bool
sysnode_parse(const struct view *v, const char *name, uint64_t *nid)
{
	return key_prefixed(name, "node", nid) && sysnode_exists(v, *nid);
}

static bool
sysnode_next(const struct view *v, bool first, uint64_t after, uint64_t *nid)
{
	return key_scan(v, first, after, v->m->phys->nr_nodes, sysnode_exists,
			nid);
}

static void
sysnode_print(const struct view *v, uint64_t nid, struct out *out)
{
	(void)v;
	out_str(out, "node");
	out_u64(out, nid);
}

const struct key_kind key_sysnode = {
	"sysnode",	10, sysnode_parse, sysnode_next, sysnode_print,
	sysnode_exists,
};

static bool
syscpu_exists(const struct view *v, uint64_t cpu)
{
	return cpu < v->m->phys->nr_cpus;
}

static bool
syscpu_parse(const struct view *v, const char *name, uint64_t *cpu)
{
	return key_prefixed(name, "cpu", cpu) && syscpu_exists(v, *cpu);
}

static bool
syscpu_next(const struct view *v, bool first, uint64_t after, uint64_t *cpu)
{
	return key_scan(v, first, after, v->m->phys->nr_cpus, syscpu_exists,
			cpu);
}

static void
syscpu_print(const struct view *v, uint64_t cpu, struct out *out)
{
	(void)v;
	out_str(out, "cpu");
	out_u64(out, cpu);
}

const struct key_kind key_syscpu = {
	"syscpu", 12, syscpu_parse, syscpu_next, syscpu_print, syscpu_exists,
};

/* --- the CPUs of a node, the node of a CPU -----------------------------------
 */

static bool
nodecpu_exists(const struct view *v, uint64_t cpu)
{
	const struct phys *phys = v->m->phys;

	return cpu < phys->nr_cpus && phys->cpu_online[cpu] &&
	       (uint64_t)phys->cpu_node[cpu] == v->key[0];
}

static bool
nodecpu_parse(const struct view *v, const char *name, uint64_t *cpu)
{
	return key_prefixed(name, "cpu", cpu) && nodecpu_exists(v, *cpu);
}

static bool
nodecpu_next(const struct view *v, bool first, uint64_t after, uint64_t *cpu)
{
	return key_scan(v, first, after, v->m->phys->nr_cpus, nodecpu_exists,
			cpu);
}

const struct key_kind key_nodecpu = {
	"nodecpu",    12,	    nodecpu_parse,
	nodecpu_next, syscpu_print, nodecpu_exists,
};

static bool
cpunode_exists(const struct view *v, uint64_t nid)
{
	return v->m->phys->cpu_node[v->key[0]] == (int32_t)nid;
}

static bool
cpunode_parse(const struct view *v, const char *name, uint64_t *nid)
{
	return key_prefixed(name, "node", nid) && cpunode_exists(v, *nid);
}

static bool
cpunode_next(const struct view *v, bool first, uint64_t after, uint64_t *nid)
{
	return key_scan(v, first, after, v->m->phys->nr_nodes, cpunode_exists,
			nid);
}

const struct key_kind key_cpunode = {
	"cpunode",	10, cpunode_parse, cpunode_next, sysnode_print,
	cpunode_exists,
};

/* --- node0-Normal: populated zones below a CPU -------------------------------
 */

/* The value is the zone's id: node * MAX_NR_ZONES + type, below 2^13. */
static bool
cpuzone_exists(const struct view *v, uint64_t id)
{
	return id < v->m->phys->nr_zones &&
	       zone_populated(v->m->phys->zones[id]);
}

static void
cpuzone_print(const struct view *v, uint64_t id, struct out *out)
{
	const struct zone *zone = v->m->phys->zones[id];

	sysnode_print(v, zone->node->id, out);
	out_char(out, '-');
	out_str(out, zone_type_name(zone->type));
}

static bool
cpuzone_next(const struct view *v, bool first, uint64_t after, uint64_t *id)
{
	return key_scan(v, first, after, v->m->phys->nr_zones, cpuzone_exists,
			id);
}

static bool
cpuzone_parse(const struct view *v, const char *name, uint64_t *id)
{
	struct out text = OUT_INIT;
	bool first = true, found = false;

	*id = 0;
	for (; !found && cpuzone_next(v, first, *id, id); first = false) {
		out_reset(&text);
		cpuzone_print(v, *id, &text);
		found = !strcmp(out_text(&text), name);
	}
	out_fini(&text);
	return found;
}

const struct key_kind key_cpuzone = {
	"cpuzone",	13, cpuzone_parse, cpuzone_next, cpuzone_print,
	cpuzone_exists,
};

/* --- memoryN ----------------------------------------------------------------
 */

static bool
memblk_exists(const struct view *v, uint64_t block)
{
	return memory_block_exists(v->m->phys, block);
}

static bool
memblk_parse(const struct view *v, const char *name, uint64_t *block)
{
	return key_prefixed(name, "memory", block) && memblk_exists(v, *block);
}

static bool
memblk_next(const struct view *v, bool first, uint64_t after, uint64_t *block)
{
	return memory_block_next(v->m->phys, first ? 0 : after + 1, block);
}

static void
memblk_print(const struct view *v, uint64_t block, struct out *out)
{
	(void)v;
	out_str(out, "memory");
	out_u64(out, block);
}

const struct key_kind key_memblk = {
	"memblk", 24, memblk_parse, memblk_next, memblk_print, memblk_exists,
};

static bool
nodememblk_exists(const struct view *v, uint64_t block)
{
	return memblk_exists(v, block) &&
	       (uint64_t)memory_block_node(v->m->phys, block) == v->key[0];
}

static bool
nodememblk_parse(const struct view *v, const char *name, uint64_t *block)
{
	return key_prefixed(name, "memory", block) &&
	       nodememblk_exists(v, *block);
}

static bool
nodememblk_next(const struct view *v, bool first, uint64_t after,
		uint64_t *block)
{
	while (memblk_next(v, first, after, block)) {
		if (nodememblk_exists(v, *block))
			return true;
		first = false;
		after = *block;
	}
	return false;
}

const struct key_kind key_nodememblk = {
	"nodememblk",	 24,	       nodememblk_parse,
	nodememblk_next, memblk_print, nodememblk_exists,
};

static bool
memblknode_exists(const struct view *v, uint64_t nid)
{
	return (uint64_t)memory_block_node(v->m->phys, v->key[0]) == nid;
}

static bool
memblknode_parse(const struct view *v, const char *name, uint64_t *nid)
{
	return key_prefixed(name, "node", nid) && memblknode_exists(v, *nid);
}

static bool
memblknode_next(const struct view *v, bool first, uint64_t after, uint64_t *nid)
{
	*nid = (uint64_t)memory_block_node(v->m->phys, v->key[0]);
	return first || *nid > after;
}

const struct key_kind key_memblknode = {
	"memblknode",	   10, memblknode_parse, memblknode_next, sysnode_print,
	memblknode_exists,
};

/* --- trace events ------------------------------------------------------------
 */

/* A system's value is that of its first event. */
static bool
system_exists(const struct view *v, uint64_t first)
{
	(void)v;
	if (first >= NR_TRACE_EVENTS)
		return false;
	for (uint64_t e = 0; e < first; e++)
		if (!strcmp(trace_system(e), trace_system(first)))
			return false;
	return true;
}

static bool
system_parse(const struct view *v, const char *name, uint64_t *value)
{
	for (*value = 0; *value < NR_TRACE_EVENTS; ++*value)
		if (!strcmp(trace_system(*value), name))
			return system_exists(v, *value);
	return false;
}

static bool
system_next(const struct view *v, bool first, uint64_t after, uint64_t *value)
{
	return key_scan(v, first, after, NR_TRACE_EVENTS, system_exists, value);
}

static void
system_print(const struct view *v, uint64_t value, struct out *out)
{
	(void)v;
	out_str(out, trace_system(value));
}

const struct key_kind key_system = {
	"system", 6, system_parse, system_next, system_print, system_exists,
};

static bool
event_exists(const struct view *v, uint64_t event)
{
	return event < NR_TRACE_EVENTS &&
	       !strcmp(trace_system(event), trace_system(v->key[0]));
}

static bool
event_parse(const struct view *v, const char *name, uint64_t *event)
{
	*event = trace_find(trace_system(v->key[0]), name);
	return *event < NR_TRACE_EVENTS;
}

static bool
event_next(const struct view *v, bool first, uint64_t after, uint64_t *event)
{
	return key_scan(v, first, after, NR_TRACE_EVENTS, event_exists, event);
}

static void
event_print(const struct view *v, uint64_t event, struct out *out)
{
	(void)v;
	out_str(out, trace_name(event));
}

const struct key_kind key_event = {
	"event", 6, event_parse, event_next, event_print, event_exists,
};
