// SPDX-License-Identifier: MIT
/*
 * buddyinfo.c - free blocks of all zones: /proc/buddyinfo, /proc/pagetypeinfo
 * and the two files of debugfs' extfrag
 *
 * What it models: mm/vmstat.c:frag_show_print, pagetypeinfo_show,
 * unusable_show_print, extfrag_show_print.
 */
#include "kmemfs/show.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/view/pageblocks.h"

#define LISTED_AT_MOST 100000 /* the kernel stops counting a list there */

/* "Node %d, zone %8s " */
static void
put_zone(struct out *out, const struct zone *zone)
{
	out_str(out, "Node ");
	out_u64(out, zone->node->id);
	out_str(out, ", zone ");
	out_str_pad(out, zone_type_name(zone->type), 8);
	out_char(out, ' ');
}

/* The next populated zone of all (@node NULL) or one node from *@i on. */
static const struct zone *
next_populated(const struct phys *phys, const struct node *node,
	       unsigned int *i)
{
	unsigned int end = node ? MAX_NR_ZONES : phys->nr_zones;

	while (*i < end) {
		const struct zone *zone =
			node ? &node->zones[*i] : phys->zones[*i];

		++*i;
		if (zone_populated(zone))
			return zone;
	}
	return NULL;
}

void
show_buddyinfo(const struct view *v, struct out *out)
{
	const struct zone *zone;
	unsigned int i = 0;

	while ((zone = next_populated(v->m->phys, NULL, &i))) {
		put_zone(out, zone);
		for (int order = 0; order < MAX_ORDER; order++) {
			out_u64_pad(out, zone->free_area[order].nr_free_all, 6);
			out_char(out, ' ');
		}
		out_char(out, '\n');
	}
}

/* --- pagetypeinfo ------------------------------------------------------------
 */

static void
put_free_types(const struct zone *zone, struct out *out)
{
	for (int type = 0; type < MIGRATE_TYPES; type++) {
		if (!kernel_has_type(zone->phys, type))
			continue;
		out_str(out, "Node ");
		out_u64_pad(out, zone->node->id, 4);
		out_str(out, ", zone ");
		out_str_pad(out, zone_type_name(zone->type), 8);
		out_str(out, ", type ");
		out_str_pad(out, migratetype_name(type), 12);
		out_char(out, ' ');
		for (int order = 0; order < MAX_ORDER; order++) {
			uint64_t nr = zone->free_area[order].nr_free[type];

			if (nr >= LISTED_AT_MOST)
				out_char(out, '>');
			out_u64_pad(out, MIN_OF(nr, LISTED_AT_MOST), 6);
			out_char(out, ' ');
		}
		out_char(out, '\n');
	}
}

static void
put_block_types(const struct zone *zone, struct out *out)
{
	uint64_t count[MIGRATE_TYPES];

	pageblocks_count(zone, count);
	put_zone(out, zone);
	for (int type = 0; type < MIGRATE_TYPES; type++) {
		if (!kernel_has_type(zone->phys, type))
			continue;
		out_u64_pad(out, count[type], 12);
		out_char(out, ' ');
	}
	out_char(out, '\n');
}

static void
put_node_types(const struct node *node, struct out *out)
{
	unsigned int order = node->phys->pageblock_order;
	const struct zone *zone;
	unsigned int i;

	out_str(out, "Page block order: ");
	out_u64(out, order);
	out_str(out, "\nPages per block:  ");
	out_u64(out, 1ULL << order);
	out_str(out, "\n\nFree pages count per migrate type at order  ");
	for (i = 0; i < MAX_ORDER; i++) {
		out_u64_pad(out, i, 6);
		out_char(out, ' ');
	}
	out_char(out, '\n');
	for (i = 0; (zone = next_populated(node->phys, node, &i));)
		put_free_types(zone, out);
	out_str(out, "\nNumber of blocks type  ");
	for (i = 0; i < MIGRATE_TYPES; i++)
		if (kernel_has_type(node->phys, i)) {
			out_str_pad(out, migratetype_name(i), 12);
			out_char(out, ' ');
		}
	out_char(out, '\n');
	for (i = 0; (zone = next_populated(node->phys, node, &i));)
		put_block_types(zone, out);
}

void
show_pagetypeinfo(const struct view *v, struct out *out)
{
	const struct phys *phys = v->m->phys;

	for (unsigned int n = 0; n < phys->nr_nodes; n++)
		if (phys->nodes[n]->present_pages)
			put_node_types(phys->nodes[n], out);
}

/* --- extfrag --- */

/* Thousandths as "d.ddd ". */
static void
put_thousandths(struct out *out, unsigned int v)
{
	out_u64(out, v / 1000);
	out_char(out, '.');
	out_char(out, (char)('0' + v / 100 % 10));
	out_char(out, (char)('0' + v / 10 % 10));
	out_char(out, (char)('0' + v % 10));
	out_char(out, ' ');
}

void
show_extfrag_unusable(const struct view *v, struct out *out)
{
	const struct zone *zone;
	unsigned int i = 0;

	while ((zone = next_populated(v->m->phys, NULL, &i))) {
		put_zone(out, zone);
		for (unsigned int order = 0; order < MAX_ORDER; order++)
			put_thousandths(out, zone_unusable_index(zone, order));
		out_char(out, '\n');
	}
}

void
show_extfrag_index(const struct view *v, struct out *out)
{
	const struct zone *zone;
	unsigned int i = 0;

	while ((zone = next_populated(v->m->phys, NULL, &i))) {
		put_zone(out, zone);
		for (unsigned int order = 0; order < MAX_ORDER; order++) {
			int index = zone_fragmentation_index(zone, order);

			/* "%2d.%03d ": only -1.000 fills the first column */
			out_char(out, index < 0 ? '-' : ' ');
			put_thousandths(out, (unsigned int)(index < 0 ? -index
								      : index));
		}
		out_char(out, '\n');
	}
}
