// SPDX-License-Identifier: MIT
/*
 * movable.c - where zone Movable starts on each node
 *
 * What it models: find_zone_movable_pfns_for_nodes of mm/page_alloc.c, with
 *                 kernelcore= and movablecore= as sizes or percentages.
 * How it works:   movablecore= is turned into the kernelcore= that leaves so
 *                 much.  Each node in turn gives an equal share of kernelcore,
 *                 from its lowest memory upwards; what small nodes could not
 *                 give is shared out again among fewer nodes, until it is
 *                 less than one page a node.  Memory below the zone that
 *                 Movable is carved from counts as given already.
 *                 movable_node switches both arguments off.
 * Always true:    a movable start is a multiple of the largest block and below
 *                 the node's end, or 0 for none.
 */
#include "boot_impl.h"

#define MAX_ORDER_NR_PAGES (1ULL << (MAX_ORDER - 1))

/* One round over one node. */
struct movable_spread {
	const struct boot *boot;
	uint64_t required; /* pages of kernelcore that are still to be given */
	uint64_t share;	   /* pages a node is to give in this round */
	pfn_t lowest;	   /* Movable cannot start below */
};

static uint64_t
movable_memory_pages(const struct boot *boot)
{
	uint64_t pages = 0;

	for (unsigned int i = 0; i < rangeset_size(&boot->mem.memory); i++) {
		const struct rangeset_item *m =
			rangeset_at(&boot->mem.memory, i);

		pages += (m->end - m->start) >> boot->phys->page_shift;
	}
	return pages;
}

static unsigned int
movable_nodes_with_memory(const struct boot *boot)
{
	unsigned int nodes = 0;
	bool seen[MAX_NODES] = {false};

	for (unsigned int i = 0; i < rangeset_size(&boot->mem.memory); i++) {
		int nid = rangeset_at(&boot->mem.memory, i)->tag;

		nodes += !seen[nid];
		seen[nid] = true;
	}
	return nodes;
}

/* The highest zone with a range: Movable's pages come out of it. */
static enum zone_type
movable_find_zone(const struct phys *phys)
{
	unsigned int type = MAX_NR_ZONES - 1;

	while (type > 0 &&
	       (type == ZONE_MOVABLE ||
		phys->zone_highest[type] <= phys->zone_lowest[type]))
		type--;
	return (enum zone_type)type;
}

static void
spread_take(uint64_t *from, uint64_t pages)
{
	*from -= MIN_OF(*from, pages);
}

/*
 * Take from *@left, what node @nid has still to give, what [@start, @end), one
 * of its memory ranges, can give.  Returns true when the node has given all:
 * not before memory of the zone that Movable is made of has been reached.
 */
static bool
spread_range(struct movable_spread *spread, unsigned int nid, pfn_t start,
	     pfn_t end, uint64_t *left)
{
	pfn_t *movable = &spread->boot->phys->movable_start[nid];
	uint64_t pages;

	start = MAX_OF(start, *movable);
	if (start >= end)
		return false;
	if (start < spread->lowest) {
		pages = MIN_OF(end, spread->lowest) - start;
		spread_take(left, pages);
		spread_take(&spread->required, pages);
		if (end <= spread->lowest) {
			/* Not to be counted again in the next round. */
			*movable = end;
			return false;
		}
		start = spread->lowest;
	}
	pages = MIN_OF(end - start, *left);
	*movable = start + pages;
	spread_take(&spread->required, pages);
	*left -= pages;
	return *left == 0;
}

static void
spread_node(struct movable_spread *spread, unsigned int nid)
{
	const struct rangeset *memory = &spread->boot->mem.memory;
	unsigned int shift = spread->boot->phys->page_shift;
	uint64_t left = spread->share;

	for (unsigned int i = 0; i < rangeset_size(memory); i++) {
		const struct rangeset_item *m = rangeset_at(memory, i);

		if (m->tag == (int)nid &&
		    spread_range(spread, nid, m->start >> shift,
				 m->end >> shift, &left))
			return;
	}
}

static bool
movable_has_memory(const struct boot *boot, unsigned int nid)
{
	for (unsigned int i = 0; i < rangeset_size(&boot->mem.memory); i++) {
		if (rangeset_at(&boot->mem.memory, i)->tag == (int)nid)
			return true;
	}
	return false;
}

static void
movable_spread(struct boot *boot, uint64_t kernelcore)
{
	struct phys *phys = boot->phys;
	unsigned int usable = movable_nodes_with_memory(boot);
	struct movable_spread spread = {
		.boot = boot,
		.required = kernelcore,
		.lowest = phys->zone_lowest[phys->movable_zone],
	};

	do {
		spread.share = spread.required / usable;
		for (unsigned int nid = 0; nid < phys->nr_nodes; nid++) {
			if (!movable_has_memory(boot, nid))
				continue;
			if (spread.required < spread.share)
				spread.share = spread.required / usable;
			spread_node(&spread, nid);
		}
		usable--;
	} while (usable && spread.required > usable);
}

static pfn_t
movable_node_end(const struct boot *boot, unsigned int nid)
{
	pfn_t end = 0;

	for (unsigned int i = 0; i < rangeset_size(&boot->mem.memory); i++) {
		const struct rangeset_item *m =
			rangeset_at(&boot->mem.memory, i);

		if (m->tag == (int)nid)
			end = m->end >> boot->phys->page_shift;
	}
	return end;
}

static uint64_t
movable_core_pages(const struct phys *phys, const struct core_size *core,
		   uint64_t total)
{
	if (core->percent)
		return total * 100 * core->percent / 10000;
	return core->bytes >> phys->page_shift;
}

void
boot_find_movable(struct boot *boot)
{
	struct phys *phys = boot->phys;
	uint64_t total = movable_memory_pages(boot);
	uint64_t kernelcore =
		movable_core_pages(phys, &phys->cmdline->kernelcore, total);
	uint64_t movablecore =
		movable_core_pages(phys, &phys->cmdline->movablecore, total);

	phys->movable_start = g_new0(pfn_t, phys->nr_nodes);
	phys->movable_zone = movable_find_zone(phys);
	if (phys->cmdline->movable_node)
		return;
	if (movablecore) {
		movablecore = MIN_OF(
			total, round_up_to(movablecore, MAX_ORDER_NR_PAGES));
		kernelcore = MAX_OF(kernelcore, total - movablecore);
	}
	if (!kernelcore || kernelcore >= total)
		return;
	movable_spread(boot, kernelcore);
	for (unsigned int nid = 0; nid < phys->nr_nodes; nid++) {
		pfn_t *movable = &phys->movable_start[nid];

		*movable = round_up_to(*movable, MAX_ORDER_NR_PAGES);
		if (*movable >= movable_node_end(boot, nid))
			*movable = 0;
	}
}
