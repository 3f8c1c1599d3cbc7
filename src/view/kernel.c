// SPDX-License-Identifier: MIT
/*
 * kernel.c - what the modelled kernel was built with, as its files show it
 *
 * What it models: the CONFIG_ options of Linux 6.1 that decide which zones and
 * counters exist (include/linux/mmzone.h, vm_event_item.h, mm/vmstat.c).
 * How it works: counters that some kernel lacks stand in a table with the
 * feature they need, matched by the start of their names; zones' counters are
 * known by the zone's name at their end.
 * Differs from the kernel: only the combinations of options that were seen on
 * real kernels can be had; the generic architecture has those of x86-64.
 */
#include "kmemfs/view/kernel.h"

#include <pthread.h>

#define ZONE_STAT(name)
#define NUMA_STAT(name)
#define NODE_STAT(name)
#define VM_EVENT(name, where)

#undef ZONE_STAT
#define ZONE_STAT(name) #name,
const char *const zone_stat_names[NR_ZONE_STATS] = {
#include "kmemfs/phys/vmstat.def"
};
#undef ZONE_STAT
#define ZONE_STAT(name)

#undef NUMA_STAT
#define NUMA_STAT(name) #name,
const char *const numa_stat_names[NR_NUMA_STATS] = {
#include "kmemfs/phys/vmstat.def"
};
#undef NUMA_STAT
#define NUMA_STAT(name)

#undef NODE_STAT
#define NODE_STAT(name) #name,
const char *const node_stat_names[NR_NODE_STATS] = {
#include "kmemfs/phys/vmstat.def"
};
#undef NODE_STAT
#define NODE_STAT(name)

#undef VM_EVENT
#define VM_EVENT(name, where) #name,
const char *const vm_event_names[NR_VM_EVENTS] = {
#include "kmemfs/phys/vmstat.def"
};
#undef VM_EVENT

/* Counters that not every kernel has, by the start of their names. */
static const struct {
	const char *start;
	enum kernel_feature need;
} optional[] = {
	{"nr_zspages",	       KERNEL_ZSWAP	   },
	{"nr_swapcached",	  KERNEL_SWAP     },
	{"pgpromote_",	       KERNEL_BALANCING},
	{"zone_reclaim_failed", KERNEL_NUMA	   },
	{"numa_",		  KERNEL_BALANCING},
	{"cma_",		 KERNEL_CMA	   },
	{"balloon_",	     KERNEL_BALLOON  },
	{"swap_ra",		    KERNEL_SWAP     },
	{"ksm_",		 KERNEL_KSM	   },
	{"cow_ksm",		    KERNEL_KSM      },
	{"zswp",		 KERNEL_ZSWAP    },
};

/* Counters that exist once for each zone: these and the zone's name. */
static const char *const per_zone[] = {"pgalloc_", "allocstall_", "pgskip_"};

static const char *const zone_words[MAX_NR_ZONES] = {
#define ZONE(id, name, vmstat) vmstat,
#include "kmemfs/phys/zone.def"
#undef ZONE
};

static bool
is_wide(const struct phys *phys)
{
	return phys->arch != &archs[ARCH_I386] &&
	       phys->arch != &archs[ARCH_I386_PAE];
}

bool
kernel_has(const struct phys *phys, enum kernel_feature feature)
{
	bool small = phys->config->cma_kernel;

	switch (feature) {
	case KERNEL_NUMA:
		return phys->arch->numa;
	case KERNEL_HIGHMEM:
		return arch_has_zone(phys->arch, ZONE_HIGHMEM);
	case KERNEL_CMA:
		return small;
	case KERNEL_BALANCING:
		return phys->arch->numa && !small;
	case KERNEL_SWAP:
	case KERNEL_ZSWAP:
	case KERNEL_KSM:
	case KERNEL_BALLOON:
	case KERNEL_POISON:
		return !small;
	}
	return false;
}

bool
kernel_has_zone(const struct phys *phys, enum zone_type type)
{
	return phys_config_has_zone(phys->config, type);
}

bool
kernel_has_type(const struct phys *phys, enum migratetype type)
{
	return type < MIGRATE_TYPES &&
	       (type != MIGRATE_CMA || kernel_has(phys, KERNEL_CMA));
}

/* Whether @name is one of a zone's counters, of which zone. */
static bool
zone_of_counter(const char *name, enum zone_type *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(per_zone); i++) {
		size_t len = strlen(per_zone[i]);

		if (strncmp(name, per_zone[i], len))
			continue;
		for (int t = 0; t < MAX_NR_ZONES; t++)
			if (!strcmp(name + len, zone_words[t])) {
				*type = (enum zone_type)t;
				return true;
			}
	}
	return false;
}

/* --- what a counter needs ------------------------------------------------
 * Names say it; they are looked at once. */

enum counter_need {
	NEED_NOTHING,
	NEED_WIDE,				 /* 64 bits */
	NEED_ZONE,				 /* and its type */
	NEED_FEATURE = NEED_ZONE + MAX_NR_ZONES, /* and its number */
};

static uint8_t zone_stat_needs[NR_ZONE_STATS];
static uint8_t node_stat_needs[NR_NODE_STATS];
static uint8_t vm_event_needs[NR_VM_EVENTS];
static pthread_once_t needs_once = PTHREAD_ONCE_INIT;

static uint8_t
need_of(const char *name)
{
	enum zone_type type;

	if (zone_of_counter(name, &type))
		return (uint8_t)(NEED_ZONE + type);
	if (!strcmp(name, "thp_split_pud")) /* 1 GiB pages */
		return NEED_WIDE;
	for (size_t i = 0; i < ARRAY_SIZE(optional); i++)
		if (!strncmp(name, optional[i].start,
			     strlen(optional[i].start)))
			return (uint8_t)(NEED_FEATURE + optional[i].need);
	return NEED_NOTHING;
}

static void
fill_needs(void)
{
	for (int i = 0; i < NR_ZONE_STATS; i++)
		zone_stat_needs[i] = need_of(zone_stat_names[i]);
	for (int i = 0; i < NR_NODE_STATS; i++)
		node_stat_needs[i] = need_of(node_stat_names[i]);
	for (int i = 0; i < NR_VM_EVENTS; i++)
		vm_event_needs[i] = need_of(vm_event_names[i]);
}

static bool
has_counter(const struct phys *phys, const uint8_t *need)
{
	pthread_once(&needs_once, fill_needs);
	if (*need == NEED_NOTHING)
		return true;
	if (*need == NEED_WIDE)
		return is_wide(phys);
	if (*need < NEED_FEATURE)
		return kernel_has_zone(phys,
				       (enum zone_type)(*need - NEED_ZONE));
	return kernel_has(phys, (enum kernel_feature)(*need - NEED_FEATURE));
}

bool
kernel_has_zone_stat(const struct phys *phys, enum zone_stat stat)
{
	return has_counter(phys, &zone_stat_needs[stat]);
}

bool
kernel_has_node_stat(const struct phys *phys, enum node_stat stat)
{
	return has_counter(phys, &node_stat_needs[stat]);
}

bool
kernel_has_event(const struct phys *phys, enum vm_event event)
{
	return has_counter(phys, &vm_event_needs[event]);
}

unsigned int
kernel_huge_order(const struct phys *phys)
{
	if (phys->arch == &archs[ARCH_I386])
		return 10;
	return phys->page_shift > 12 ? phys->page_shift - 3 : 9;
}

unsigned int
kernel_huge_shift(const struct phys *phys, int stat)
{
	return stat >= NS_nr_shmem_hugepages &&
			       stat <= NS_nr_anon_transparent_hugepages
		       ? kernel_huge_order(phys)
		       : 0;
}
