// SPDX-License-Identifier: MIT
/*
 * kernel.h - what the modelled kernel was built with, as its files show it
 *
 * Linux 6.1 kernels differ in the zones, counters and lines they print.  Four
 * are modelled: the x86-64, i386 and i386-PAE kernels of a distribution, and a
 * small x86-64 kernel with CMA, which every machine with cma_kernel runs.
 */
#ifndef KMEMFS_VIEW_KERNEL_H
#define KMEMFS_VIEW_KERNEL_H

#include "kmemfs/base/version.h"
#include "kmemfs/phys/phys.h"

enum kernel_feature {
	KERNEL_NUMA,	  /* nodes, numa_* counters */
	KERNEL_HIGHMEM,	  /* HighTotal and its like */
	KERNEL_SWAP,	  /* counters of the swap cache */
	KERNEL_ZSWAP,	  /* Zswap lines; compressed pages */
	KERNEL_KSM,	  /* merging of equal pages */
	KERNEL_BALANCING, /* NUMA balancing */
	KERNEL_BALLOON,	  /* memory balloon */
	KERNEL_POISON,	  /* HardwareCorrupted */
	KERNEL_CMA,	  /* CMA's type, lines and counters */
};

bool kernel_has(const struct phys *phys, enum kernel_feature feature);
/* Whether the kernel has the zone; Device needs more than the arch. */
bool kernel_has_zone(const struct phys *phys, enum zone_type type);
/* Whether it has the migrate type. */
bool kernel_has_type(const struct phys *phys, enum migratetype type);
/* Whether /proc/vmstat of this kernel has the counter. */
bool kernel_has_zone_stat(const struct phys *phys, enum zone_stat stat);
bool kernel_has_node_stat(const struct phys *phys, enum node_stat stat);
bool kernel_has_event(const struct phys *phys, enum vm_event event);
/* The counters' names in /proc/vmstat. */
extern const char *const zone_stat_names[NR_ZONE_STATS];
extern const char *const numa_stat_names[NR_NUMA_STATS];
extern const char *const node_stat_names[NR_NODE_STATS];
extern const char *const vm_event_names[NR_VM_EVENTS];
/* log2 of a huge page's pages: a PMD's worth. */
unsigned int kernel_huge_order(const struct phys *phys);
/* How far a node's counter, in frames, is shifted where it is printed: huge
 * pages are told as such (vmstat_item_print_in_thp). */
unsigned int kernel_huge_shift(const struct phys *phys, int stat);

#endif
