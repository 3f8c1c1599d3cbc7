// SPDX-License-Identifier: MIT
/*
 * sums.h - counters added up, and the ways of Linux's files to print them
 */
#ifndef KMEMFS_VIEW_SUMS_H
#define KMEMFS_VIEW_SUMS_H

#include "kmemfs/base/out.h"
#include "kmemfs/phys/phys.h"

/*
 * What is summed: a node, or with NULL all of them.  Negative sums (which the
 * kernel's counters show for a moment) count as 0.
 */
uint64_t sum_zones(const struct phys *phys, const struct node *node,
		   enum zone_stat stat);
uint64_t sum_nodes(const struct phys *phys, const struct node *node,
		   enum node_stat stat);
uint64_t sum_numa(const struct phys *phys, const struct node *node,
		  unsigned int numa);
uint64_t sum_managed(const struct phys *phys, const struct node *node);
/* Ditto for zones without a permanent mapping only. */
uint64_t sum_high_managed(const struct phys *phys, const struct node *node);
uint64_t sum_high_free(const struct phys *phys, const struct node *node);
/* Whether the zone's pages have no permanent mapping: HighMem, and Movable
 * when it was made of HighMem. */
bool zone_is_high(const struct zone *zone);
/* Pages on the zone's per-cpu lists. */
uint64_t sum_pcp(const struct zone *zone);
/* Pages to KiB. */
uint64_t pages_kb(const struct phys *phys, uint64_t pages);

/* "name value\n" */
void put_counter(struct out *out, const char *name, uint64_t value);
/* "value\n" */
void put_value(struct out *out, uint64_t value);
/* "key value\n" with a text for value. */
void put_text(struct out *out, const char *key, const char *value);
/* "key 0xvalue\n" */
void put_hex(struct out *out, const char *key, uint64_t value);

/*
 * Ids below @nr for which @in says yes: as ranges ("0-1,5") or as a mask in
 * groups of 32 bits ("f", "3,ffffffff"), with newline, as sysfs prints them.
 */
typedef bool (*id_fn)(const struct phys *phys, unsigned int id,
		      unsigned int with);
void put_id_list(struct out *out, const struct phys *phys, unsigned int nr,
		 id_fn in, unsigned int with);
void put_id_mask(struct out *out, const struct phys *phys, unsigned int nr,
		 id_fn in, unsigned int with);
/* id_fn: the CPU is online; it is online and on node @with. */
bool cpu_is_online(const struct phys *phys, unsigned int cpu,
		   unsigned int with);
bool cpu_is_on_node(const struct phys *phys, unsigned int cpu,
		    unsigned int with);

#endif
