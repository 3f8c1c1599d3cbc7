// SPDX-License-Identifier: MIT
/*
 * why.c - telling how a request was served, line by line
 *
 * How it works: the search calls these functions at each step with what it
 * just decided; numbers are computed again from the same state, so that the
 * paths that nobody asks about carry nothing of it.  Lines of one try are
 * indented by two, what happens in a zone by four.
 */
#include "why_impl.h"

/* Blocks of a refill that are told one by one. */
#define REFILL_TOLD 3

static const struct {
	unsigned int bit;
	const char *name;
} flag_names[] = {
	{ALLOC_NO_WATERMARKS, "NO_WATERMARKS"},
	{ALLOC_OOM,	    "OOM"		 },
	{ALLOC_NON_BLOCK,	  "NON_BLOCK"    },
	{ALLOC_MIN_RESERVE,   "MIN_RESERVE"	 },
	{ALLOC_CPUSET,	       "CPUSET"       },
	{ALLOC_CMA,	    "CMA"		 },
	{ALLOC_NOFRAGMENT,	   "NOFRAGMENT"   },
	{ALLOC_HIGHATOMIC,	   "HIGHATOMIC"   },
	{ALLOC_KSWAPD,	       "KSWAPD"       },
};

static const char *const mark_names[NR_WMARK] = {"min", "low", "high", "promo"};

static const char *const context_names[NR_CONTEXTS] = {
	"process", "atomic", "softirq", "interrupt", "spinlock"};

void
why_line(struct out *why, const char *format, ...)
{
	va_list ap;

	out_str(why, "    ");
	va_start(ap, format);
	out_vprintf(why, format, ap);
	va_end(ap);
	out_char(why, '\n');
}

static void
print_zone(struct out *why, const struct zone *zone)
{
	out_printf(why, "node %u %s", zone->node->id,
		   zone_type_name(zone->type));
}

static void
print_flags(struct out *why, unsigned int flags)
{
	out_printf(why, "WMARK_%s",
		   (flags & ALLOC_WMARK_MASK) == WMARK_MIN   ? "MIN"
		   : (flags & ALLOC_WMARK_MASK) == WMARK_LOW ? "LOW"
							     : "HIGH");
	for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (flags & flag_names[i].bit)
			out_printf(why, "|%s", flag_names[i].name);
}

void
why_try(struct out *why, const struct search *s, const char *which,
	unsigned int flags)
{
	out_printf(why, "  %s: alloc flags ", which);
	print_flags(why, flags);
	out_printf(why, ", from ");
	print_zone(why, s->preferred);
	out_char(why, '\n');
}

void
why_begin(struct out *why, const struct search *s,
	  const struct page_request *request, unsigned int flags)
{
	unsigned int last = UINT32_MAX;

	out_printf(why, "request: 2^%u = %" PRIu64 " pages, ", s->order,
		   (uint64_t)1 << s->order);
	gfp_print(why, s->gfp);
	out_printf(why,
		   " (0x%x), cpu %u of node %u, %s context%s\n"
		   "  pageblock type %s%s; highest zone %s\n  zones:",
		   s->gfp, s->cpu, s->cpu_nid, context_names[request->context],
		   request->pf_memalloc ? ", PF_MEMALLOC" : "",
		   migratetype_name(s->type),
		   s->phys->mobility_off ? " (grouping is off)" : "",
		   zone_type_name(s->highest));
	for (unsigned int i = s->first; i < s->zonelist->nr; i++) {
		const struct zone *zone = s->zonelist->zones[i];

		if (zone->type > s->highest)
			continue;
		if (zone->node->id != last)
			out_printf(why, " node %u", zone->node->id);
		last = zone->node->id;
		out_printf(why, " %s", zone_type_name(zone->type));
	}
	out_str(why, s->preferred ? "\n" : " none\n");
	if ((s->gfp & __GFP_DIRECT_RECLAIM) &&
	    request->context != CONTEXT_PROCESS)
		out_printf(why, "  it may sleep, which this context must "
				"not: a bug of the caller\n");
	if (s->preferred)
		why_try(why, s, "fast path", flags);
}

void
why_end(struct out *why, const struct search *s, pfn_t pfn)
{
	if (pfn != PFN_NONE) {
		const struct frame *f = &s->phys->frames[pfn];

		out_printf(why, "taken: pfn %" PRIu64, pfn);
		if (s->order)
			out_printf(why, " to %" PRIu64,
				   pfn + ((uint64_t)1 << s->order) - 1);
		out_str(why, ", ");
		print_zone(why, s->phys->zones[f->zone]);
		out_printf(why, ", pageblock %s\n",
			   migratetype_name(pageblock_type(s->phys, pfn)));
		return;
	}
	out_str(why, "failed: -ENOMEM, ");
	if (!s->preferred)
		out_str(why, "no zone of the list is low enough");
	else if (s->gfp & __GFP_NOFAIL)
		out_str(why, "although __GFP_NOFAIL: the kernel would try "
			     "for ever");
	else if (s->gfp & __GFP_DIRECT_RECLAIM)
		out_str(why, "without reclaim and compaction nothing more can "
			     "be done");
	else
		out_str(why, "the caller does not want to wait for reclaim");
	out_char(why, '\n');
}

/* The mark: which, and what rights take off it. */
static void
print_mark(struct out *why, const struct zone *zone, unsigned int flags,
	   uint64_t boost, int64_t mark)
{
	unsigned int which = flags & ALLOC_WMARK_MASK;

	out_printf(why, "%" PRId64 " (%s %" PRIu64, mark, mark_names[which],
		   zone->watermark[which]);
	if (boost)
		out_printf(why, " + boost %" PRIu64, boost);
	if ((uint64_t)mark != zone->watermark[which] + boost)
		out_str(why, ", lowered by the request's rights");
	out_char(why, ')');
}

/* One comparison; returns whether it holds. */
static bool
print_check(struct out *why, const struct search *s, const struct zone *zone,
	    unsigned int flags, uint64_t boost)
{
	uint64_t reserve = zone->lowmem_reserve[s->highest];
	uint64_t raw = zone->watermark[flags & ALLOC_WMARK_MASK] + boost;
	int64_t mark = zone_reserve_mark((int64_t)raw, flags);
	int64_t free = zone->stat[ZS_nr_free_pages];
	int64_t left = free - zone_unusable(zone, s->order, flags);
	bool enough = left > mark + (int64_t)reserve;

	out_printf(why, "free %" PRId64, free);
	if (s->order)
		out_printf(why, " - %d (2^%u - 1)", (1 << s->order) - 1,
			   s->order);
	if (!(flags & ALLOC_RESERVES) && zone->nr_reserved_highatomic)
		out_printf(why, " - %" PRIu64 " (HighAtomic reserve)",
			   zone->nr_reserved_highatomic);
	if (!(flags & ALLOC_CMA) && zone->stat[ZS_nr_free_cma])
		out_printf(why, " - %" PRId64 " (free CMA)",
			   zone->stat[ZS_nr_free_cma]);
	if (left != free)
		out_printf(why, " = %" PRId64, left);
	out_str(why, enough ? " > " : " <= ");
	print_mark(why, zone, flags, boost, mark);
	if (reserve)
		out_printf(why,
			   " + %" PRIu64 " (reserve against %s requests)"
			   " = %" PRId64,
			   reserve, zone_type_name(s->highest),
			   mark + (int64_t)reserve);
	return enough;
}

void
why_zone(struct out *why, const struct search *s, const struct zone *zone,
	 unsigned int flags, bool ok)
{
	enum migratetype type;
	unsigned int order;
	bool enough;

	out_str(why, "    ");
	print_zone(why, zone);
	out_str(why, ": ");
	enough = print_check(why, s, zone, flags, zone->watermark_boost);
	if (!enough && ok) {
		out_str(why, ": too few; an atomic request ignores the "
			     "boost: ");
		print_check(why, s, zone, flags, 0);
	} else if (enough && s->order) {
		order = zone_suitable_order(zone, s->order, flags, &type);
		if (order == MAX_ORDER)
			out_printf(why,
				   ", but no free block of order %u or "
				   "more",
				   s->order);
		else
			out_printf(why,
				   ", and a free block of order %u is "
				   "%s",
				   order, migratetype_name(type));
	}
	out_str(why, ok ? ": ok\n"
		     : flags & ALLOC_NO_WATERMARKS
			     ? ": fails, which does not matter here\n"
			     : ": fails\n");
}

void
why_pcp(struct out *why, const struct search *s,
	const struct per_cpu_pages *pcp, unsigned int index)
{
	why_line(why, "cpu %u's list of order %u %s: %" PRIu32 " blocks%s",
		 s->cpu, s->order, migratetype_name(s->type),
		 pcp->length[index],
		 pcp->length[index] ? ", its head is taken"
				    : ", to be refilled");
}

void
why_shorten(struct out *why, size_t told, uint32_t i)
{
	const char *end = memchr(why->text + told, '\n', why->len - told);

	if (i >= REFILL_TOLD && end == why->text + why->len - 1)
		why->len = told;
}

void
why_refill(struct out *why, const struct search *s,
	   const struct per_cpu_pages *pcp, uint32_t wanted, uint32_t got)
{
	why_line(why,
		 "refilled with %" PRIu32 " of %" PRIu32
		 " blocks (batch %" PRIu32 " >> order %u, at least 2)",
		 got, wanted, pcp->batch, s->order);
}

void
why_taken(struct out *why, pfn_t pfn, unsigned int order, unsigned int at,
	  enum migratetype type)
{
	out_printf(why, "    free list of order %u %s: pfn %" PRIu64 " taken",
		   at, migratetype_name(type), pfn);
	for (unsigned int k = at; k-- > order;)
		out_printf(why, "%s %" PRIu64 " (order %u)",
			   k + 1 == at ? ", split; back go" : ",",
			   pfn + ((uint64_t)1 << k), k);
	out_char(why, '\n');
}

void
why_steal(struct out *why, const struct phys *phys, pfn_t pfn,
	  unsigned int order, enum migratetype from, enum migratetype type)
{
	why_line(why,
		 "no %s block: a %s block of order %u at pfn %" PRIu64
		 " is stolen (pageblock %" PRIu64 ", %s)",
		 migratetype_name(type), migratetype_name(from), order, pfn,
		 pfn >> phys->pageblock_order,
		 migratetype_name(pageblock_type(phys, pfn)));
}

void
why_stolen(struct out *why, const struct phys *phys, pfn_t pfn,
	   enum migratetype type, uint64_t moved, uint64_t movable,
	   uint64_t alike, bool retag)
{
	uint64_t nr = pageblock_pages(phys);

	why_line(why,
		 "its pageblock: %" PRIu64 " free pages move, %" PRIu64
		 " allocated ones are movable, %" PRIu64 " are of a like "
		 "kind",
		 moved, movable, alike);
	why_line(why,
		 "%" PRIu64 " + %" PRIu64 " %s %" PRIu64 " (half of %" PRIu64
		 "): the pageblock %s %s",
		 moved, alike, moved + alike >= nr / 2 ? ">=" : "<", nr / 2, nr,
		 retag ? "becomes" : "stays",
		 migratetype_name(retag ? type : pageblock_type(phys, pfn)));
}

void
why_no_fallback(struct out *why, unsigned int order, enum migratetype type,
		unsigned int flags)
{
	if (flags & ALLOC_NOFRAGMENT)
		why_line(why,
			 "no %s block of order %u, and no whole "
			 "pageblock of another type",
			 migratetype_name(type), order);
	else
		why_line(why, "no block of order %u of any type", order);
}
