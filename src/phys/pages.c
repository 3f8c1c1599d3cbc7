// SPDX-License-Identifier: MIT
/*
 * pages.c - asking for pages: the walk over the zones and the slow path
 *
 * What it models: __alloc_pages, get_page_from_freelist,
 * __alloc_pages_slowpath, __alloc_pages_bulk.
 *
 * How it works: a request starts at the first zone of the node's list that is
 * not above the zone it asks for, and takes the first that would stay above
 * its low watermark.  When none would, it tries again with what its rights
 * allow:
 *
 *     low -> min, less reserves -> all reserves (PF_MEMALLOC)
 *         -> HighAtomic pageblocks given back, again -> -ENOMEM
 *
 * No memory of the host is asked for on the way.
 *
 * Differs from the kernel: there is nothing to reclaim, compact or kill, so a
 * request that would have to wait for that fails; also one with __GFP_NOFAIL,
 * after a try with part of the reserves.  Dirty limits of __GFP_WRITE and
 * node_reclaim() of zone_reclaim_mode play no part, for the same reason.
 */
#include "alloc_impl.h"
#include "why_impl.h"

#include <errno.h>

static inline enum migratetype
allocation_type(const struct phys *phys, gfp_t gfp)
{
	return unlikely(phys->mobility_off) ? MIGRATE_UNMOVABLE
					    : request_type(gfp);
}

/* Find the first zone of the list that is not above the request's. */
static inline void
search_prefer(struct search *s)
{
	s->preferred = NULL;
	for (s->first = 0; s->first < s->zonelist->nr; s->first++)
		if (s->zonelist->zones[s->first]->type <= s->highest) {
			s->preferred = s->zonelist->zones[s->first];
			break;
		}
}

/* The request as a search; false when its zone bits mean nothing. */
static inline bool
search_init(struct search *s, struct phys *phys,
	    const struct page_request *request)
{
	const struct node *node;
	bool here;
	int nid;

	s->phys = phys;
	s->gfp = request->gfp;
	s->order = request->order;
	s->cpu = request->cpu;
	s->why = request->why;
	s->highest = request_zone(phys->arch, s->gfp);
	if (unlikely(s->highest == MAX_NR_ZONES))
		return false;
	s->cpu_nid = (unsigned int)phys->cpu_node[s->cpu];
	s->type = allocation_type(phys, s->gfp);
	nid = request->nid == NODE_LOCAL ? (int)s->cpu_nid : request->nid;
	node = phys->nodes[nid];
	here = (s->gfp & __GFP_THISNODE) && phys->arch->numa;
	s->zonelist =
		&node->zonelist[here ? ZONELIST_NOFALLBACK : ZONELIST_FALLBACK];
	search_prefer(s);
	return true;
}

/* zone_watermark_fast() */
static inline bool
zone_may_serve(const struct zone *zone, const struct search *s, uint64_t mark,
	       unsigned int flags)
{
	if (likely(!s->order)) {
		int64_t free = zone->stat[ZS_nr_free_pages];

		free -= MIN_OF(free, zone_unusable(zone, 0, flags));
		if (likely((uint64_t)free >
			   mark + zone->lowmem_reserve[s->highest]))
			return true;
	}
	return zone_watermark_slow(zone, s, mark, flags);
}

/* Before the search leaves the node, it may rather mix types on it. */
static inline bool
leaves_node(const struct search *s, const struct zone *zone)
{
	return zone != s->preferred && s->phys->nr_nodes > 1 &&
	       zone->node != s->preferred->node;
}

/* Ask one zone; PFN_NONE when it may not serve or has no block. */
static inline pfn_t
search_zone(const struct search *s, struct zone *zone, unsigned int flags)
{
	uint64_t mark = wmark_pages(zone, flags & ALLOC_WMARK_MASK);
	bool ok = zone_may_serve(zone, s, mark, flags);
	pfn_t pfn;

	if (unlikely(s->why))
		why_zone(s->why, s, zone, flags, ok);
	if (unlikely(!ok) && !(flags & ALLOC_NO_WATERMARKS))
		return PFN_NONE;
	pfn = rmqueue(s, zone, flags);
	if (unlikely(pfn == PFN_NONE)) {
		if (unlikely(s->why))
			why_line(s->why, "it has no block for this request");
		return pfn;
	}
	prep_new_page(s->phys, pfn, s->order, s->gfp, s->type);
	if (unlikely(flags & ALLOC_HIGHATOMIC))
		highatomic_reserve(zone, pfn, s->why);
	return pfn;
}

/* get_page_from_freelist(): the zones from the preferred one on; those of its
 * node first without mixing pageblock types, if the flags say so. */
static inline pfn_t
search_zones(const struct search *s, unsigned int flags)
{
	for (;;) {
		bool avoid = flags & ALLOC_NOFRAGMENT;

		for (unsigned int i = s->first; i < s->zonelist->nr; i++) {
			struct zone *zone = s->zonelist->zones[i];
			pfn_t pfn;

			if (unlikely(zone->type > s->highest))
				continue;
			if (avoid && unlikely(leaves_node(s, zone)))
				break;
			pfn = search_zone(s, zone, flags);
			if (likely(pfn != PFN_NONE))
				return pfn;
		}
		if (!avoid)
			return PFN_NONE;
		flags &= ~(unsigned int)ALLOC_NOFRAGMENT;
		if (unlikely(s->why))
			why_line(s->why, "again: other pageblock types may be "
					 "mixed now");
	}
}

/* gfp_compaction_allowed() */
static bool
may_compact(const struct search *s)
{
	return s->gfp & __GFP_IO;
}

/* Try with what reclaim would be called for, while HighAtomic pageblocks can
 * be given back instead. */
static pfn_t
search_under_pressure(const struct search *s, unsigned int flags)
{
	uint64_t *stalls = &s->phys->event[VE_allocstall_dma + s->highest];
	bool costly = s->order > PAGE_ALLOC_COSTLY_ORDER;
	bool insists = (s->gfp & __GFP_RETRY_MAYFAIL) && may_compact(s);
	pfn_t pfn = PFN_NONE;

	do {
		(*stalls)++;
		if (unlikely(s->why))
			why_line(s->why, "direct reclaim is called for: there "
					 "is nothing to reclaim");
		if ((s->gfp & __GFP_NORETRY) || (costly && !insists) ||
		    !highatomic_unreserve(s, true))
			break;
		pfn = search_zones(s, flags);
	} while (pfn == PFN_NONE);
	return pfn;
}

static pfn_t
search_slow(struct search *s, const struct page_request *request)
{
	const gfp_t misuse = __GFP_ATOMIC | __GFP_DIRECT_RECLAIM;
	unsigned int flags, reserve = alloc_flags_reserve(request);
	bool may_reclaim = s->gfp & __GFP_DIRECT_RECLAIM;
	pfn_t pfn;

	if ((s->gfp & misuse) == misuse)
		s->gfp &= ~(gfp_t)__GFP_ATOMIC;
	flags = alloc_flags_slow(s);
	if (unlikely(s->why))
		why_try(s->why, s, "slow path", flags);
	pfn = search_zones(s, flags);
	if (pfn != PFN_NONE)
		return pfn;
	if (may_reclaim && may_compact(s) && !reserve &&
	    s->order > PAGE_ALLOC_COSTLY_ORDER && (s->gfp & __GFP_NORETRY)) {
		if (unlikely(s->why))
			why_line(s->why, "only compaction is wanted: there is "
					 "none");
		goto nopage;
	}
	if (reserve)
		flags = alloc_flags_cma(s, reserve) | (flags & ALLOC_KSWAPD);
	if (unlikely(s->why))
		why_try(s->why, s, reserve ? "with reserves" : "once more",
			flags);
	pfn = search_zones(s, flags);
	if (pfn != PFN_NONE)
		return pfn;
	if (may_reclaim && !request->pf_memalloc) {
		pfn = search_under_pressure(s, flags);
		if (pfn != PFN_NONE)
			return pfn;
	}
nopage:
	if (!(s->gfp & __GFP_NOFAIL) || !may_reclaim)
		return PFN_NONE;
	if (unlikely(s->why))
		why_try(s->why, s, "__GFP_NOFAIL", ALLOC_MIN_RESERVE);
	return search_zones(s, ALLOC_MIN_RESERVE);
}

/* A search that goes on where the first walk found nothing. */
static __attribute__((noinline)) pfn_t
search_on(struct search *s, const struct page_request *request)
{
	pfn_t pfn = PFN_NONE;

	if (s->preferred)
		pfn = search_slow(s, request);
	if (unlikely(s->why))
		why_end(s->why, s, pfn);
	s->gfp = request->gfp;
	return pfn;
}

/* The zone that a request prefers, and its type: search_init() again, for
 * those alone who need no more. */
static inline struct zone *
preferred_zone(const struct phys *phys, const struct page_request *request,
	       enum zone_type highest, int nid)
{
	bool here = (request->gfp & __GFP_THISNODE) && phys->arch->numa;
	const struct zonelist *list =
		&phys->nodes[nid]->zonelist[here ? ZONELIST_NOFALLBACK
						 : ZONELIST_FALLBACK];

	for (unsigned int i = 0; i < list->nr; i++)
		if (likely(list->zones[i]->type <= highest))
			return list->zones[i];
	return NULL;
}

/* Whether the zone must not serve, lest it falls to its low watermark. */
static inline bool
zone_is_low(const struct zone *zone, enum zone_type highest, unsigned int order)
{
	int64_t least = (int64_t)(wmark_pages(zone, WMARK_LOW) +
				  zone->lowmem_reserve[highest] +
				  zone->nr_reserved_highatomic) +
			zone->stat[ZS_nr_free_cma] + (1LL << order) - 1;

	return zone->stat[ZS_nr_free_pages] <= least;
}

/*
 * The short way: what the search would find at its first step, when that is on
 * the CPU's list, or free and of the request's type.  PFN_NONE, and nothing
 * done, when that is not certain.
 */
static inline pfn_t
alloc_at_hand(struct phys *phys, const struct page_request *request,
	      enum zone_type highest, enum migratetype type)
{
	int cpu_nid = phys->cpu_node[request->cpu];
	int nid = request->nid == NODE_LOCAL ? cpu_nid : request->nid;
	struct zone *zone = preferred_zone(phys, request, highest, nid);
	unsigned int order = request->order;
	pfn_t pfn;

	if (unlikely(!zone || zone->boosted) ||
	    (type == MIGRATE_MOVABLE && phys->config->cma_kernel) ||
	    zone_is_low(zone, highest, order))
		return PFN_NONE;
	if (pcp_order(phys, order)) {
		struct per_cpu_pages *pcp = &zone->pcp[request->cpu];
		unsigned int index = pcp_index(type, order);

		if (unlikely(!pcp->list[index].head) ||
		    (order && !zone_has_suitable(zone, order, 0)))
			return PFN_NONE;
		pcp->free_factor >>= 1;
		pfn = pcp_pop(zone, pcp, index, order);
	} else {
		pfn = buddy_rmqueue(zone, order, type, NULL);
		if (unlikely(pfn == PFN_NONE))
			return pfn;
		zone->stat[ZS_nr_free_pages] -= 1LL << order;
	}
	phys->event[VE_pgalloc_dma + zone->type] += 1ULL << order;
	if (phys->arch->numa) {
		bool hit = (int)zone->node->id == cpu_nid;

		zone->numa[NUMA_numa_hit - NUMA_BASE]++;
		zone->numa[(hit ? NUMA_numa_local : NUMA_numa_other) -
			   NUMA_BASE]++;
	}
	prep_new_page(phys, pfn, order, request->gfp, type);
	return pfn;
}

/* All that a request may lead to. */
static __attribute__((noinline)) pfn_t
alloc_search(struct search *s, const struct page_request *request)
{
	unsigned int flags = alloc_flags_fast(s);
	pfn_t pfn = PFN_NONE;

	if (unlikely(s->why))
		why_begin(s->why, s, request, flags);
	if (likely(s->preferred))
		pfn = search_zones(s, flags);
	if (unlikely(pfn == PFN_NONE))
		return search_on(s, request);
	if (unlikely(s->why))
		why_end(s->why, s, pfn);
	return pfn;
}

/* The zones of these nodes alone may serve: the nodemask of a memory policy. */
static __attribute__((noinline)) pfn_t
alloc_on_nodes(struct phys *phys, const struct page_request *request)
{
	struct zone *zones[64 * MAX_NR_ZONES];
	struct zonelist list = {.zones = zones};
	struct search s;

	search_init(&s, phys, request);
	for (unsigned int i = 0; i < s.zonelist->nr; i++) {
		unsigned int nid = s.zonelist->zones[i]->node->id;

		if (nid < 64 && (request->nodes >> nid & 1))
			zones[list.nr++] = s.zonelist->zones[i];
	}
	s.zonelist = &list;
	search_prefer(&s);
	return alloc_search(&s, request);
}

/* should_fail_alloc_page() */
static __attribute__((noinline)) bool
made_to_fail(struct phys *phys, const struct page_request *request)
{
	struct fault_attr *attr = &phys->fail_page_alloc;

	if (request->order < attr->min_order ||
	    (attr->ignore_gfp_highmem && request->gfp & __GFP_HIGHMEM) ||
	    !fault_should_fail(attr, request->gfp, 1LL << request->order,
			       phys->printk, phys->printk_user))
		return false;
	if (request->why)
		why_line(request->why, "fail_page_alloc makes it fail");
	return true;
}

/* warn_alloc: its first line. */
static __attribute__((noinline)) void
warn_alloc(const struct phys *phys, const struct page_request *request)
{
	struct out line = OUT_INIT;

	if (!phys->printk || request->gfp & __GFP_NOWARN)
		return;
	out_printf(&line, "%.16s: page allocation failure: order:%u, mode:%#x(",
		   phys->trace->now.comm, request->order, request->gfp);
	gfp_print(&line, request->gfp);
	out_str(&line, "), nodemask=(null)");
	phys->printk(phys->printk_user, out_text(&line));
	out_fini(&line);
}

static inline __attribute__((always_inline)) int
alloc_frames(struct phys *phys, const struct page_request *request, pfn_t *pfn,
	     bool warn)
{
	enum zone_type highest = request_zone(phys->arch, request->gfp);
	enum migratetype type = allocation_type(phys, request->gfp);
	pfn_t got = PFN_NONE;

	if (unlikely(request->order >= MAX_ORDER || highest == MAX_NR_ZONES))
		return -EINVAL;
	if (unlikely(phys->fail_page_alloc.probability) &&
	    made_to_fail(phys, request))
		return -ENOMEM;
	if (unlikely(request->nodes))
		got = alloc_on_nodes(phys, request);
	else if (likely(!request->why))
		got = alloc_at_hand(phys, request, highest, type);
	if (unlikely(got == PFN_NONE && !request->nodes)) {
		struct search s;

		search_init(&s, phys, request);
		got = alloc_search(&s, request);
	}
	TRACE(phys->trace, MM_PAGE_ALLOC, got == PFN_NONE ? 0 : got,
	      request->order, type, request->gfp);
	if (unlikely(got == PFN_NONE)) {
		if (warn)
			warn_alloc(phys, request);
		return -ENOMEM;
	}
	*pfn = got;
	return 0;
}

int
pages_alloc(struct phys *phys, const struct page_request *request, pfn_t *pfn)
{
	return alloc_frames(phys, request, pfn, false);
}

int
pages_alloc_warn(struct phys *phys, const struct page_request *request,
		 pfn_t *pfn)
{
	return alloc_frames(phys, request, pfn, true);
}

/* The zone of the preferred node that can give @nr pages and stay above its
 * low watermark; NULL when none can. */
static struct zone *
bulk_zone(const struct search *s, unsigned int flags, unsigned int nr)
{
	struct search at = *s;

	/* The reserve against this zone's requests is asked for here, not
	 * that against the zone of the request. */
	at.highest = s->preferred->type;
	for (unsigned int i = s->first; i < s->zonelist->nr; i++) {
		struct zone *zone = s->zonelist->zones[i];

		if (zone->type > s->highest)
			continue;
		if (leaves_node(s, zone))
			return NULL;
		if (zone_may_serve(zone, &at, wmark_pages(zone, WMARK_LOW) + nr,
				   flags))
			return zone;
	}
	return NULL;
}

int
pages_alloc_bulk(struct phys *phys, const struct page_request *request,
		 unsigned int nr, pfn_t *pfns)
{
	struct zone *zone = NULL;
	struct search s;
	unsigned int got = 0, flags;
	int err;

	if (request->order || !search_init(&s, phys, request))
		return -EINVAL;
	if (!nr)
		return 0;
	if (unlikely(phys->fail_page_alloc.probability) &&
	    made_to_fail(phys, request))
		return -ENOMEM;
	flags = alloc_flags_cma(&s, WMARK_LOW);
	if (nr > 1 && s.preferred)
		zone = bulk_zone(&s, flags, nr);
	while (zone && got < nr) {
		pfns[got] = rmqueue_pcplist(&s, zone, &zone->pcp[s.cpu], flags);
		if (pfns[got] == PFN_NONE)
			break;
		prep_new_page(phys, pfns[got++], 0, s.gfp, s.type);
	}
	if (got) {
		rmqueue_count(&s, zone, got);
		return (int)got;
	}
	err = pages_alloc(phys, request, pfns);
	return err ? err : 1;
}
