// SPDX-License-Identifier: MIT
/*
 * pcp_size.c - what depends on how many CPUs are online
 *
 * What it models: zone_batchsize, zone_highsize, page_alloc_cpu_online and
 *                 page_alloc_cpu_dead of mm/page_alloc.c;
 *                 calculate_normal_threshold of mm/vmstat.c.
 * How it works:   the lists of a zone's CPUs may together hold as many pages
 *                 as the low watermark, so that full lists do not wake kswapd.
 *                 Without an MMU nothing is kept.
 */
#include "boot_impl.h"

#include "kmemfs/phys/pages.h"

#define THRESHOLD_MOST 125

static unsigned int
cpus_online(const struct phys *phys)
{
	unsigned int online = 0;

	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++)
		online += phys->cpu_online[cpu];
	return online;
}

/* Position of the highest bit, from 1; 0 for 0. */
static unsigned int
last_bit(uint64_t v)
{
	return v ? 64 - (unsigned int)__builtin_clzll(v) : 0;
}

uint32_t
zone_batchsize(const struct zone *zone)
{
	uint64_t mib = MIB(1) >> zone->phys->page_shift;
	uint64_t batch = MIN_OF(zone->managed_pages >> 10, mib) / 4;

	if (zone->phys->config->nommu)
		return 1;
	batch = MAX_OF(batch, 1);
	batch = (1ULL << (last_bit(batch + batch / 2) - 1)) - 1;
	return (uint32_t)MAX_OF(batch, 1);
}

static uint32_t
zone_highsize(const struct zone *zone, uint32_t batch, unsigned int cpu_online)
{
	const struct phys *phys = zone->phys;
	uint64_t fraction = phys->sysctl.percpu_pagelist_high_fraction;
	uint64_t pages = wmark_pages(zone, WMARK_LOW);
	unsigned int cpus = zone->node->nr_cpus + cpu_online;

	if (phys->config->nommu)
		return 0;
	if (fraction)
		pages = zone->managed_pages / fraction;
	if (!cpus)
		cpus = cpus_online(phys);
	pages /= cpus;
	return (uint32_t)MAX_OF(pages, (uint64_t)batch * 4);
}

void
phys_setup_pcp(struct phys *phys, unsigned int cpu_online)
{
	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		struct zone *zone = phys->zones[id];

		if (!zone->pcp || !zone_populated(zone))
			continue;
		zone->pcp_batch = zone_batchsize(zone);
		zone->pcp_high =
			zone_highsize(zone, zone->pcp_batch, cpu_online);
		for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++) {
			zone->pcp[cpu].batch = zone->pcp_batch;
			zone->pcp[cpu].high = zone->pcp_high;
		}
	}
}

void
phys_setup_thresholds(struct phys *phys)
{
	unsigned int cpus = last_bit(cpus_online(phys));

	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		struct zone *zone = phys->zones[id];
		uint64_t blocks = zone->managed_pages >>
				  (27 - phys->page_shift); /* 128 MiB */

		if (!zone_populated(zone))
			continue;
		zone->stat_threshold = MIN_OF(
			THRESHOLD_MOST, 2 * cpus * (1 + last_bit(blocks)));
	}
}

void
phys_set_cpu_online(struct phys *phys, unsigned int cpu, bool online)
{
	struct node *node = phys->nodes[phys->cpu_node[cpu]];

	if (phys->cpu_online[cpu] == online ||
	    (!online && cpus_online(phys) == 1))
		return;
	if (online) {
		/* The kernel prepares the lists before the node knows of the
		 * CPU, and adds one to every node's count for it. */
		phys_setup_pcp(phys, 1);
		phys->cpu_online[cpu] = true;
		node->nr_cpus++;
	} else {
		pages_drain(phys, NULL, (int)cpu);
		phys->cpu_online[cpu] = false;
		node->nr_cpus--;
		phys_setup_pcp(phys, 0);
	}
	phys_setup_thresholds(phys);
}
