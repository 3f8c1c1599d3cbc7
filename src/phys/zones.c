// SPDX-License-Identifier: MIT
/*
 * zones.c - how far each zone of each node reaches and what it holds
 *
 * What it models: zone_sizes_init of arch/x86/mm/init.c; free_area_init,
 *                 calculate_node_totalpages and free_area_init_core of
 *                 mm/page_alloc.c.
 * How it works:   each zone has a limit for the whole machine and starts where
 *                 the one below ends.  On a node it is that range, cut by what
 *                 the node's memory spans, and cut again at the node's movable
 *                 start.  What is memory in it is its spans.
 * Always true:    spanned >= present >= managed.
 */
#include "boot_impl.h"
#include "buddy_impl.h"

#define DMA_END_PFN (MIB(16) >> 12)
#define DMA32_END_PFN (GIB(4) >> 12)
/* Links of struct frame are 32-bit indices plus one. */
#define ZONE_SPAN_MOST (UINT32_MAX - 1ULL)

void
boot_zone_limits(struct phys *phys)
{
	pfn_t limit[MAX_NR_ZONES] = {0};
	pfn_t start = phys->zone_lowest[0];

	limit[ZONE_NORMAL] = phys->max_low_pfn;
	if (arch_has_zone(phys->arch, ZONE_DMA))
		limit[ZONE_DMA] = MIN_OF(DMA_END_PFN, phys->max_low_pfn);
	if (arch_has_zone(phys->arch, ZONE_DMA32))
		limit[ZONE_DMA32] = MIN_OF(DMA32_END_PFN, phys->max_low_pfn);
	if (arch_has_zone(phys->arch, ZONE_HIGHMEM))
		limit[ZONE_HIGHMEM] = phys->max_pfn;
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
		if (type == ZONE_MOVABLE)
			continue;
		phys->zone_lowest[type] = start;
		start = MAX_OF(limit[type], start);
		phys->zone_highest[type] = start;
	}
}

static pfn_t
clamp_pfn(pfn_t pfn, pfn_t low, pfn_t high)
{
	return MIN_OF(MAX_OF(pfn, low), high);
}

/* The range of @zone on its node before holes are looked at. */
static void
zone_range(const struct zone *zone, pfn_t *start, pfn_t *end)
{
	const struct phys *phys = zone->phys;
	const struct node *node = zone->node;
	pfn_t node_end = node->start_pfn + node->spanned_pages;
	pfn_t movable = phys->movable_start[node->id];

	*start = clamp_pfn(node->start_pfn, phys->zone_lowest[zone->type],
			   phys->zone_highest[zone->type]);
	*end = clamp_pfn(node_end, phys->zone_lowest[zone->type],
			 phys->zone_highest[zone->type]);
	if (!movable)
		return;
	if (zone->type == ZONE_MOVABLE) {
		*start = movable;
		*end = MIN_OF(node_end, phys->zone_highest[phys->movable_zone]);
	} else if (*start<movable && * end> movable) {
		*end = movable;
	} else if (*start >= movable) {
		*start = *end;
	}
}

/* Add the memory of @zone's node inside [@start, @end) to the spans; returns
 * how many pages it is. */
static uint64_t
zone_add_spans(const struct boot *boot, struct zone *zone, pfn_t start,
	       pfn_t end)
{
	struct phys *phys = boot->phys;
	uint64_t present = 0;

	for (unsigned int i = 0; i < rangeset_size(&boot->mem.memory); i++) {
		const struct rangeset_item *m =
			rangeset_at(&boot->mem.memory, i);
		struct pfn_span span = {
			.start = MAX_OF(m->start >> phys->page_shift, start),
			.end = MIN_OF(m->end >> phys->page_shift, end),
			.zone = zone->id,
		};

		if (m->tag != (int)zone->node->id || span.start >= span.end)
			continue;
		g_array_append_val(phys->spans, span);
		present += span.end - span.start;
	}
	return present;
}

static bool
zone_calculate(struct boot *boot, struct zone *zone)
{
	pfn_t start, end;

	zone_range(zone, &start, &end);
	if (end <= start)
		return true;
	if (end - start > ZONE_SPAN_MOST)
		return boot_fail(boot,
				 "zone %s of node %u would span %llu frames; "
				 "the most is %llu: use more nodes or larger "
				 "pages",
				 zone_type_name(zone->type), zone->node->id,
				 (unsigned long long)(end - start),
				 ZONE_SPAN_MOST);
	zone->start_pfn = start;
	zone->spanned_pages = end - start;
	zone->present_pages = zone_add_spans(boot, zone, start, end);
	zone->node->present_pages += zone->present_pages;
	if (zone->present_pages)
		zone_make_pcp(zone);
	return true;
}

static bool
node_calculate(struct boot *boot, struct node *node)
{
	const struct rangeset *memory = &boot->mem.memory;
	unsigned int shift = boot->phys->page_shift;
	pfn_t end = 0;

	node->start_pfn = 0;
	for (unsigned int i = 0; i < rangeset_size(memory); i++) {
		const struct rangeset_item *m = rangeset_at(memory, i);

		if (m->tag != (int)node->id)
			continue;
		if (!end)
			node->start_pfn = m->start >> shift;
		end = m->end >> shift;
	}
	if (!end)
		return true;
	node->spanned_pages = end - node->start_pfn;
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
		if (!zone_calculate(boot, &node->zones[type]))
			return false;
	}
	return true;
}

void
zone_make_pcp(struct zone *zone)
{
	if (!zone->pcp)
		zone->pcp = g_new0(struct per_cpu_pages, zone->phys->nr_cpus);
}

static gint
compare_spans(gconstpointer a, gconstpointer b)
{
	const struct pfn_span *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static bool
boot_arrays(struct boot *boot)
{
	struct phys *phys = boot->phys;
	const GArray *plugged = phys->config->hotplugged;

	phys->frames_len = phys->max_pfn;
	for (guint i = 0; plugged && i < plugged->len; i++)
		phys->frames_len =
			MAX_OF(phys->frames_len,
			       g_array_index(plugged, struct range, i).end >>
				       phys->page_shift);
	phys->pageblocks_len = (phys->frames_len >> phys->pageblock_order) + 1;
	phys->frames = backing_reserve(phys->frames_len * sizeof(struct frame));
	phys->heads = backing_reserve(phys->frames_len);
	phys->pageblocks = backing_reserve(phys->pageblocks_len);
	if (!phys->frames || !phys->heads || !phys->pageblocks)
		return boot_fail(boot,
				 "the host does not let this program reserve "
				 "address space for %llu frames",
				 (unsigned long long)phys->frames_len);
	return true;
}

bool
boot_zones(struct boot *boot)
{
	struct phys *phys = boot->phys;

	phys->spans = g_array_new(FALSE, FALSE, sizeof(struct pfn_span));
	phys->managed = g_array_new(FALSE, FALSE, sizeof(struct pfn_span));
	for (unsigned int n = 0; n < phys->nr_nodes; n++) {
		if (!node_calculate(boot, phys->nodes[n]))
			return false;
	}
	g_array_sort(phys->spans, compare_spans);
	if (!phys->spans->len)
		return boot_fail(boot, "there is no memory");
	if (!boot_arrays(boot))
		return false;
	phys_index_spans(phys);
	return true;
}

/* Pages that the struct pages of a zone take: calc_memmap_size. */
static uint64_t
memmap_pages(const struct zone *zone)
{
	const struct phys *phys = zone->phys;
	bool sparse = phys->arch == &archs[ARCH_X86_64];
	uint64_t pages = zone->spanned_pages;

	if (sparse && pages > zone->present_pages + (zone->present_pages >> 4))
		pages = zone->present_pages;
	return round_up_to(pages * phys->arch->struct_page_size,
			   page_size(phys)) >>
	       phys->page_shift;
}

uint64_t
boot_total_pages(const struct phys *phys, uint64_t dma_reserve)
{
	unsigned int first_zone = 0;
	uint64_t total = 0;

	while (!arch_has_zone(phys->arch, (enum zone_type)first_zone))
		first_zone++;
	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		const struct zone *zone = phys->zones[id];
		uint64_t free = zone->present_pages;

		if (!zone_is_highmem(zone) && free >= memmap_pages(zone))
			free -= memmap_pages(zone);
		if (zone->type == first_zone && free > dma_reserve)
			free -= dma_reserve;
		total += free;
	}
	return total;
}
