// SPDX-License-Identifier: MIT
/* sums.c - counters added up, and the ways of Linux's files to print them */
#include "kmemfs/view/sums.h"

static uint64_t
not_negative(int64_t v)
{
	return v > 0 ? (uint64_t)v : 0;
}

/* Walk the zones of @node, or of all nodes: the zone after *@i. */
static const struct zone *
next_zone(const struct phys *phys, const struct node *node, unsigned int *i)
{
	if (node)
		return *i < MAX_NR_ZONES ? &node->zones[(*i)++] : NULL;
	return *i < phys->nr_zones ? phys->zones[(*i)++] : NULL;
}

uint64_t
sum_zones(const struct phys *phys, const struct node *node, enum zone_stat stat)
{
	const struct zone *zone;
	unsigned int i = 0;
	int64_t sum = 0;

	while ((zone = next_zone(phys, node, &i)))
		sum += zone->stat[stat];
	return not_negative(sum);
}

uint64_t
sum_nodes(const struct phys *phys, const struct node *node, enum node_stat stat)
{
	int64_t sum = 0;

	if (node)
		return not_negative(node->stat[stat]);
	for (unsigned int n = 0; n < phys->nr_nodes; n++)
		sum += phys->nodes[n]->stat[stat];
	return not_negative(sum);
}

uint64_t
sum_numa(const struct phys *phys, const struct node *node, unsigned int numa)
{
	const struct zone *zone;
	unsigned int i = 0;
	uint64_t sum = 0;

	while ((zone = next_zone(phys, node, &i)))
		sum += zone->numa[numa];
	return sum;
}

uint64_t
sum_managed(const struct phys *phys, const struct node *node)
{
	const struct zone *zone;
	unsigned int i = 0;
	uint64_t sum = 0;

	while ((zone = next_zone(phys, node, &i)))
		sum += zone->managed_pages;
	return sum;
}

bool
zone_is_high(const struct zone *zone)
{
	return zone->type == ZONE_HIGHMEM ||
	       (zone->type == ZONE_MOVABLE &&
		zone->phys->movable_zone == ZONE_HIGHMEM);
}

uint64_t
sum_high_managed(const struct phys *phys, const struct node *node)
{
	const struct zone *zone;
	unsigned int i = 0;
	uint64_t sum = 0;

	while ((zone = next_zone(phys, node, &i)))
		if (zone_is_high(zone))
			sum += zone->managed_pages;
	return sum;
}

uint64_t
sum_high_free(const struct phys *phys, const struct node *node)
{
	const struct zone *zone;
	unsigned int i = 0;
	int64_t sum = 0;

	while ((zone = next_zone(phys, node, &i)))
		if (zone_is_high(zone))
			sum += zone->stat[ZS_nr_free_pages];
	return not_negative(sum);
}

uint64_t
sum_pcp(const struct zone *zone)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; zone->pcp && cpu < zone->phys->nr_cpus;
	     cpu++)
		sum += zone->pcp[cpu].count;
	return sum;
}

uint64_t
pages_kb(const struct phys *phys, uint64_t pages)
{
	return pages << (phys->page_shift - 10);
}

void
put_counter(struct out *out, const char *name, uint64_t value)
{
	out_str(out, name);
	out_char(out, ' ');
	put_value(out, value);
}

void
put_value(struct out *out, uint64_t value)
{
	out_u64_line(out, value);
}

void
put_text(struct out *out, const char *key, const char *value)
{
	out_str(out, key);
	out_char(out, ' ');
	out_str(out, value);
	out_char(out, '\n');
}

void
put_hex(struct out *out, const char *key, uint64_t value)
{
	out_str(out, key);
	out_char(out, ' ');
	out_hex(out, value);
	out_char(out, '\n');
}

void
put_id_list(struct out *out, const struct phys *phys, unsigned int nr, id_fn in,
	    unsigned int with)
{
	const char *comma = "";
	unsigned int end;

	for (unsigned int id = 0; id < nr; id = end + 1) {
		end = id;
		if (!in(phys, id, with))
			continue;
		while (end + 1 < nr && in(phys, end + 1, with))
			end++;
		out_str(out, comma);
		out_u64(out, id);
		if (end > id) {
			out_char(out, '-');
			out_u64(out, end);
		}
		comma = ",";
	}
	out_char(out, '\n');
}

void
put_id_mask(struct out *out, const struct phys *phys, unsigned int nr, id_fn in,
	    unsigned int with)
{
	for (unsigned int group = (nr + 31) / 32; group-- > 0;) {
		unsigned int bits = MIN_OF(32, nr - group * 32);
		uint32_t mask = 0;

		for (unsigned int b = 0; b < bits; b++)
			if (in(phys, group * 32 + b, with))
				mask |= 1u << b;
		out_hex_pad(out, mask, (bits + 3) / 4);
		out_char(out, group ? ',' : '\n');
	}
}

bool
cpu_is_online(const struct phys *phys, unsigned int cpu, unsigned int with)
{
	(void)with;
	return phys->cpu_online[cpu];
}

bool
cpu_is_on_node(const struct phys *phys, unsigned int cpu, unsigned int with)
{
	return phys->cpu_online[cpu] && phys->cpu_node[cpu] == (int32_t)with;
}
