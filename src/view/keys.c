// SPDX-License-Identifier: MIT
/*
 * keys.c - the variable parts of paths: nodes, zones, orders, types, CPUs
 *
 * How it works: most kinds are small ranges of numbers some of which exist;
 * they share key_scan for listing and print a number, or a name from a table.
 */
#include "kmemfs/view/keys.h"

#include "kmemfs/base/text.h"
#include "kmemfs/view/kernel.h"

static const struct {
	const char *name;
	const struct key_kind *kind;
} kinds[] = {
	{"alloc",	  &key_alloc	    },
	     {"aspng",      &key_aspng	 },
	{"assvg",	  &key_assvg	    },
	     {"bootreq",	 &key_bootreq   },
	{"cache",	  &key_cache	    },
	     {"cpu",	     &key_cpu	     },
	{"cpunode",    &key_cpunode	},
	     {"cpuzone",	 &key_cpuzone   },
	{"event",	  &key_event	    },
	     {"file",	      &key_file      },
	{"kptdir",	   &key_kptdir    },
	     {"kptleaf",	 &key_kptleaf   },
	{"memblk",	   &key_memblk    },
	     {"memblknode", &key_memblknode},
	{"mempool",    &key_mempool	},
	     {"node",	      &key_node      },
	{"nodecpu",    &key_nodecpu	},
	     {"nodememblk", &key_nodememblk},
	{"order",	  &key_order	    },
	     {"pcpuvar",	 &key_pcpuvar   },
	{"pfn",	&key_pfn	},
	     {"ptdir",      &key_ptdir	 },
	{"ptleaf",	   &key_ptleaf    },
	     {"ptpng",      &key_ptpng	 },
	{"ptsvg",	  &key_ptsvg	    },
	     {"slabdir",	 &key_slabdir   },
	{"slablink",   &key_slablink  },
	     {"syscpu",	&key_syscpu	   },
	{"sysnode",    &key_sysnode	},
	     {"system",	&key_system	   },
	{"task",	 &key_task	  },
	     {"taskname",	  &key_taskname  },
	{"type",	 &key_type	  },
	     {"va",	    &key_va	   },
	{"vma",	&key_vma	},
	     {"zone",	      &key_zone      },
};

const struct key_kind *
key_kind_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].kind;
	return NULL;
}

bool
key_decimal(const char *name, uint64_t *value)
{
	if (name[0] < '0' || name[0] > '9' || (name[0] == '0' && name[1]))
		return false;
	return text_u64(name, value);
}

bool
key_prefixed(const char *name, const char *prefix, uint64_t *value)
{
	size_t len = strlen(prefix);

	return !strncmp(name, prefix, len) && key_decimal(name + len, value);
}

void
key_print_decimal(const struct view *v, uint64_t value, struct out *out)
{
	(void)v;
	out_u64(out, value);
}

bool
key_scan(const struct view *v, bool first, uint64_t after, uint64_t end,
	 bool (*exists)(const struct view *v, uint64_t value), uint64_t *value)
{
	for (uint64_t at = first ? 0 : after + 1; at < end; at++)
		if (exists(v, at)) {
			*value = at;
			return true;
		}
	return false;
}

struct node *
view_node(const struct view *v)
{
	return v->m->phys->nodes[v->key[0]];
}

struct zone *
view_zone(const struct view *v)
{
	return &view_node(v)->zones[v->key[1]];
}

struct kmem_cache *
view_cache(const struct view *v)
{
	const char *name;

	return cache_by_id(v->m, (uint32_t)v->key[0], &name);
}

/* --- node ------------------------------------------------------------------
 */

static bool
node_exists(const struct view *v, uint64_t nid)
{
	return nid < v->m->phys->nr_nodes;
}

static bool
node_parse(const struct view *v, const char *name, uint64_t *nid)
{
	return key_decimal(name, nid) && node_exists(v, *nid);
}

static bool
node_next(const struct view *v, bool first, uint64_t after, uint64_t *nid)
{
	return key_scan(v, first, after, v->m->phys->nr_nodes, node_exists,
			nid);
}

const struct key_kind key_node = {
	"node", 10, node_parse, node_next, key_print_decimal, node_exists,
};

/* --- zone ------------------------------------------------------------------
 */

static bool
zone_exists(const struct view *v, uint64_t type)
{
	return type < MAX_NR_ZONES && kernel_has_zone(v->m->phys, type);
}

static bool
zone_parse(const struct view *v, const char *name, uint64_t *type)
{
	for (*type = 0; *type < MAX_NR_ZONES; ++*type)
		if (!strcmp(name, zone_type_name(*type)))
			return zone_exists(v, *type);
	return false;
}

static bool
zone_next(const struct view *v, bool first, uint64_t after, uint64_t *type)
{
	return key_scan(v, first, after, MAX_NR_ZONES, zone_exists, type);
}

static void
zone_print(const struct view *v, uint64_t type, struct out *out)
{
	(void)v;
	out_str(out, zone_type_name(type));
}

const struct key_kind key_zone = {
	"zone", 3, zone_parse, zone_next, zone_print, zone_exists,
};

/* --- order -----------------------------------------------------------------
 */

static bool
order_exists(const struct view *v, uint64_t order)
{
	(void)v;
	return order < MAX_ORDER;
}

static bool
order_parse(const struct view *v, const char *name, uint64_t *order)
{
	return key_decimal(name, order) && order_exists(v, *order);
}

static bool
order_next(const struct view *v, bool first, uint64_t after, uint64_t *order)
{
	return key_scan(v, first, after, MAX_ORDER, order_exists, order);
}

const struct key_kind key_order = {
	"order", 4, order_parse, order_next, key_print_decimal, order_exists,
};

/* --- type ------------------------------------------------------------------
 */

static bool
type_exists(const struct view *v, uint64_t type)
{
	return type < MIGRATE_TYPES && kernel_has_type(v->m->phys, type);
}

static bool
type_parse(const struct view *v, const char *name, uint64_t *type)
{
	for (*type = 0; *type < MIGRATE_TYPES; ++*type)
		if (!strcmp(name, migratetype_name(*type)))
			return type_exists(v, *type);
	return false;
}

static bool
type_next(const struct view *v, bool first, uint64_t after, uint64_t *type)
{
	return key_scan(v, first, after, MIGRATE_TYPES, type_exists, type);
}

static void
type_print(const struct view *v, uint64_t type, struct out *out)
{
	(void)v;
	out_str(out, migratetype_name(type));
}

const struct key_kind key_type = {
	"type", 3, type_parse, type_next, type_print, type_exists,
};

/* --- cpu -------------------------------------------------------------------
 */

static bool
cpu_exists(const struct view *v, uint64_t cpu)
{
	return cpu < v->m->phys->nr_cpus;
}

static bool
cpu_parse(const struct view *v, const char *name, uint64_t *cpu)
{
	return key_decimal(name, cpu) && cpu_exists(v, *cpu);
}

static bool
cpu_next(const struct view *v, bool first, uint64_t after, uint64_t *cpu)
{
	return key_scan(v, first, after, v->m->phys->nr_cpus, cpu_exists, cpu);
}

const struct key_kind key_cpu = {
	"cpu", 12, cpu_parse, cpu_next, key_print_decimal, cpu_exists,
};
