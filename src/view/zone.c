// SPDX-License-Identifier: MIT
/*
 * zone.c - /nodes/N/zones/Z: a zone's numbers and lists, one a file
 */
#include "kmemfs/phys/list_walk.h"
#include "kmemfs/show.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/view/pageblocks.h"
#include "kmemfs/view/sums.h"

void
show_zone_start_pfn(const struct view *v, struct out *out)
{
	put_value(out, view_zone(v)->start_pfn);
}

void
show_zone_spanned(const struct view *v, struct out *out)
{
	put_value(out, view_zone(v)->spanned_pages);
}

void
show_zone_present(const struct view *v, struct out *out)
{
	put_value(out, view_zone(v)->present_pages);
}

void
show_zone_managed(const struct view *v, struct out *out)
{
	put_value(out, view_zone(v)->managed_pages);
}

void
show_zone_free(const struct view *v, struct out *out)
{
	put_value(out, (uint64_t)view_zone(v)->stat[ZS_nr_free_pages]);
}

/* --- limits -------------------------------------------------------------- */

void
show_zone_wmark_min(const struct view *v, struct out *out)
{
	put_value(out, wmark_pages(view_zone(v), WMARK_MIN));
}

void
show_zone_wmark_low(const struct view *v, struct out *out)
{
	put_value(out, wmark_pages(view_zone(v), WMARK_LOW));
}

void
show_zone_wmark_high(const struct view *v, struct out *out)
{
	put_value(out, wmark_pages(view_zone(v), WMARK_HIGH));
}

void
show_zone_wmark_promo(const struct view *v, struct out *out)
{
	put_value(out, wmark_pages(view_zone(v), WMARK_PROMO));
}

void
show_zone_wmark_boost(const struct view *v, struct out *out)
{
	put_value(out, view_zone(v)->watermark_boost);
}

void
show_zone_lowmem_reserve(const struct view *v, struct out *out)
{
	for (int t = 0; t < MAX_NR_ZONES; t++)
		if (kernel_has_zone(v->m->phys, t))
			put_counter(out, zone_type_name(t),
				    view_zone(v)->lowmem_reserve[t]);
}

/* --- per-cpu lists --- */

/* Zones without pages share the boot-time lists, which are empty. */
static const struct per_cpu_pages *
view_pcp(const struct view *v)
{
	static const struct per_cpu_pages none = {.batch = 1};
	const struct zone *zone = view_zone(v);

	return zone->pcp ? &zone->pcp[v->key[2]] : &none;
}

void
show_pcp_count(const struct view *v, struct out *out)
{
	put_value(out, view_pcp(v)->count);
}

void
show_pcp_high(const struct view *v, struct out *out)
{
	put_value(out, view_pcp(v)->high);
}

void
show_pcp_batch(const struct view *v, struct out *out)
{
	put_value(out, view_pcp(v)->batch);
}

/* Which blocks list @index holds; false: the kernel has no such list. */
static bool
pcp_list_of(const struct phys *phys, unsigned int index, unsigned int *order,
	    const char **type)
{
	const unsigned int low = PCP_ORDERS * MIGRATE_PCPTYPES;

	*order = index / MIGRATE_PCPTYPES;
	*type = migratetype_name(index % MIGRATE_PCPTYPES);
	if (index < low)
		return true;
	*order = phys->pageblock_order;
	*type = index == low ? "other" : migratetype_name(MIGRATE_MOVABLE);
	return phys->arch->thp;
}

void
show_pcp_lists(const struct view *v, struct out *out)
{
	const struct per_cpu_pages *pcp = view_pcp(v);
	unsigned int order;
	const char *type;

	out_str(out, "order type blocks pfns\n");
	for (unsigned int i = 0; i < NR_PCP_LISTS; i++) {
		struct list_cursor cursor = {0};
		const char *before = " ";
		pfn_t pfn;

		if (!pcp_list_of(v->m->phys, i, &order, &type))
			continue;
		out_u64(out, order);
		out_char(out, ' ');
		out_str(out, type);
		out_char(out, ' ');
		out_u64(out, pcp->length[i]);
		if (!pcp->length[i])
			out_str(out, " -");
		while (pcp->length[i] &&
		       (pfn = pcp_list_next(view_zone(v),
					    (unsigned int)v->key[2], i,
					    &cursor)) != PFN_NONE) {
			out_str(out, before);
			out_u64(out, pfn);
			before = ",";
		}
		out_char(out, '\n');
	}
}

/* --- fragmentation --- */

void
show_zone_pageblocks(const struct view *v, struct out *out)
{
	uint64_t count[MIGRATE_TYPES];

	pageblocks_count(view_zone(v), count);
	for (int type = 0; type < MIGRATE_TYPES; type++)
		if (kernel_has_type(v->m->phys, type))
			put_counter(out, migratetype_name(type), count[type]);
}

static void
put_thousandths(struct out *out, unsigned int order, int v)
{
	out_printf(out, "%u %s%d.%03d\n", order, v < 0 ? "-" : "",
		   v < 0 ? -v / 1000 : v / 1000, v < 0 ? -v % 1000 : v % 1000);
}

void
show_zone_frag_index(const struct view *v, struct out *out)
{
	out_str(out, "order index\n");
	for (unsigned int order = 0; order < MAX_ORDER; order++)
		put_thousandths(out, order,
				zone_fragmentation_index(view_zone(v), order));
}

void
show_zone_frag_unusable(const struct view *v, struct out *out)
{
	out_str(out, "order unusable\n");
	for (unsigned int order = 0; order < MAX_ORDER; order++)
		put_thousandths(out, order,
				(int)zone_unusable_index(view_zone(v), order));
}

/* --- free lists ---------------------------------------------------------- */

void
show_order_nr_free(const struct view *v, struct out *out)
{
	put_value(out, view_zone(v)->free_area[v->key[2]].nr_free_all);
}

void
show_order_list(const struct view *v, struct out *out)
{
	const struct zone *zone = view_zone(v);
	unsigned int order = (unsigned int)v->key[2];
	struct list_cursor cursor = {0};
	uint64_t nr;
	pfn_t pfn;

	while ((pfn = buddy_list_stride(zone, order,
					(enum migratetype)v->key[3], &cursor,
					&nr)) != PFN_NONE)
		for (; nr; nr--, pfn += 1UL << order)
			out_u64_line(out, pfn);
}
