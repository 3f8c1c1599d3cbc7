// SPDX-License-Identifier: MIT
/* test_pages.c - which zone serves a request, reserves, counters, events */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>

#define ZONE_OF(f, type) fixture_zone(f, 0, ZONE_##type)
#define NORMAL(f) ZONE_OF(f, NORMAL)
#define NUMA(zone, name) ((zone)->numa[NUMA_numa_##name - NUMA_BASE])
#define NONE MAX_NR_ZONES

/* DMA, DMA32 and Normal of 2 blocks each on one node. */
static struct fixture *
fixture_pc(enum arch_id arch)
{
	const bool low = arch == ARCH_X86_64;
	const struct fixture_zone z[] = {
		{0, ZONE_DMA,			      1024, 3072},
		{0, low ? ZONE_DMA32 : ZONE_NORMAL,   3072, 5120},
		{0, low ? ZONE_NORMAL : ZONE_HIGHMEM, 5120, 7168},
	};
	struct fixture *f = fixture_new(arch, 2, z, 3);

	for (unsigned int i = 0; i < 3; i++)
		buddy_hand_over(fixture_zone(f, 0, z[i].type), z[i].start,
				z[i].end);
	return f;
}

/* Two nodes, each with DMA32 (only node 0) and Normal. */
static struct fixture *
fixture_numa(void)
{
	const struct fixture_zone z[] = {
		{0, ZONE_DMA32,	1024, 3072},
		{0, ZONE_NORMAL, 3072, 5120},
		{1, ZONE_NORMAL, 5120, 7168},
	};
	struct fixture *f = fixture_new(ARCH_X86_64, 2, z, 3);

	for (unsigned int i = 0; i < 3; i++)
		buddy_hand_over(fixture_zone(f, z[i].node, z[i].type),
				z[i].start, z[i].end);
	return f;
}

static void
set_marks(struct zone *zone, uint64_t min, uint64_t low, uint64_t high)
{
	zone->watermark[WMARK_MIN] = min;
	zone->watermark[WMARK_LOW] = low;
	zone->watermark[WMARK_HIGH] = high;
}

/* Leave exactly @pages free in @zone, by allocations straight from it. */
static void
leave_free(struct fixture *f, struct zone *zone, gfp_t gfp, int64_t pages)
{
	const struct page_request all = {.gfp = gfp | __GFP_MEMALLOC |
						__GFP_THISNODE,
					 .nid = (int)zone->node->id};
	struct page_request request = all;
	pfn_t pfn;

	while (zone->stat[ZS_nr_free_pages] > pages) {
		int64_t more = zone->stat[ZS_nr_free_pages] - pages;

		request.order = 0;
		while (request.order < 10 && 2LL << request.order <= more)
			request.order++;
		ck_assert_int_eq(pages_alloc(&f->phys, &request, &pfn), 0);
		ck_assert_ptr_eq(f->phys.zones[f->phys.frames[pfn].zone], zone);
	}
	ck_assert_int_eq(zone->stat[ZS_nr_free_pages], pages);
}

static const struct {
	gfp_t bits;
	unsigned int x86_64, i386;
} zones_of[] = {
	{0,   ZONE_NORMAL, ZONE_NORMAL },
	{0x1, ZONE_DMA,	ZONE_DMA	},
	{0x2, ZONE_NORMAL, ZONE_HIGHMEM},
	{0x3, NONE,	    NONE	},
	{0x4, ZONE_DMA32,  ZONE_NORMAL },
	{0x5, NONE,	    NONE	},
	{0x6, NONE,	    NONE	},
	{0x7, NONE,	    NONE	},
	{0x8, ZONE_NORMAL, ZONE_NORMAL },
	{0x9, ZONE_DMA,	ZONE_DMA	},
	{0xa, ZONE_NORMAL, ZONE_HIGHMEM}, /* Movable is empty here */
	{0xb, NONE,	    NONE	},
	{0xc, ZONE_DMA32,  ZONE_NORMAL },
	{0xd, NONE,	    NONE	},
	{0xe, NONE,	    NONE	},
	{0xf, NONE,	    NONE	},
};

START_TEST(zone_bits_choose_the_highest_zone)
{
	const enum arch_id arch[] = {ARCH_X86_64, ARCH_I386};
	const unsigned int want[] = {zones_of[_i].x86_64, zones_of[_i].i386};

	for (int i = 0; i < 2; i++) {
		struct fixture *f = fixture_pc(arch[i]);
		const struct page_request request = {.gfp = zones_of[_i].bits,
						     .nid = 0};
		pfn_t pfn = 0;
		int err = pages_alloc(&f->phys, &request, &pfn);

		ck_assert_int_eq(err, want[i] == NONE ? -EINVAL : 0);
		if (!err)
			ck_assert_uint_eq(f->phys.frames[pfn].zone, want[i]);
		fixture_free(f);
	}
}
END_TEST

START_TEST(a_refused_request_changes_nothing)
{
	struct fixture *f = fixture_simple(1);
	const struct page_request order = {.gfp = GFP_KERNEL, .order = 11};
	const struct page_request zone = {.gfp = __GFP_DMA | __GFP_DMA32};
	pfn_t pfn;

	f->trace.enabled = ~0U;
	ck_assert_int_eq(pages_alloc(&f->phys, &order, &pfn), -EINVAL);
	ck_assert_int_eq(pages_alloc(&f->phys, &zone, &pfn), -EINVAL);
	ck_assert_str_eq(events(f), "");
	ck_assert_str_eq(free_list(NORMAL(f), 10, MIGRATE_MOVABLE), "1024");
	fixture_free(f);
}
END_TEST

START_TEST(an_allocated_block_is_described_by_its_head)
{
	struct fixture *f = fixture_simple(2);
	const struct frame *frame;
	pfn_t pfn;

	pfn = fixture_alloc(f, GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_ZERO,
			    3);
	frame = &f->phys.frames[pfn];
	ck_assert_int_eq(frame->state, FRAME_ALLOCATED);
	ck_assert_int_eq(frame->refs, 1);
	ck_assert_int_eq(frame->order, 3);
	ck_assert_int_eq(frame->type, MIGRATE_MOVABLE);
	ck_assert_int_eq(frame->flags, FRAME_COMPOUND | FRAME_ZEROED);
	ck_assert_uint_eq(frame->owner, 0);
	ck_assert_uint_eq(f->phys.event[VE_pgalloc_normal], 8);
	/* Two references: the first put frees nothing. */
	pages_get(&f->phys, pfn);
	pages_put(&f->phys, pfn, 3, 0);
	ck_assert_int_eq(frame->state, FRAME_ALLOCATED);
	pages_put(&f->phys, pfn, 3, 0);
	ck_assert_int_ne(frame->state, FRAME_ALLOCATED);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_split_block_is_freed_page_by_page)
{
	struct fixture *f = fixture_simple(1);
	pfn_t pfn = fixture_alloc(f, GFP_KERNEL | __GFP_ZERO, 4);

	f->phys.frames[pfn].owner = 9;
	pages_split(&f->phys, pfn, 4);
	for (unsigned int i = 0; i < 16; i++) {
		const struct frame *frame = &f->phys.frames[pfn + i];

		ck_assert_int_eq(frame->state, FRAME_ALLOCATED);
		ck_assert_int_eq(frame->order, 0);
		ck_assert_int_eq(frame->refs, 1);
		ck_assert_uint_eq(frame->owner, 9);
		ck_assert_int_eq(frame->flags, FRAME_ZEROED);
	}
	assert_lawful(f);
	for (unsigned int i = 0; i < 16; i++)
		pages_put(&f->phys, pfn + i, 0, 0);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_pages], 1024);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_zone_at_its_low_mark_sends_requests_to_the_next)
{
	struct fixture *f = fixture_pc(ARCH_X86_64);

	/* It serves while free > low: once. */
	set_marks(NORMAL(f), 100, 2047, 2047);
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 0), 5120);
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 0), 3072);
	ck_assert_uint_eq(f->phys.event[VE_pgalloc_normal], 1);
	ck_assert_uint_eq(f->phys.event[VE_pgalloc_dma32], 1);
	fixture_free(f);
}
END_TEST

START_TEST(a_lower_zone_is_protected_from_higher_requests)
{
	struct fixture *f = fixture_pc(ARCH_X86_64);

	leave_free(f, NORMAL(f), GFP_KERNEL, 0);
	ZONE_OF(f, DMA32)->lowmem_reserve[ZONE_NORMAL] = 2048;
	ZONE_OF(f, DMA)->lowmem_reserve[ZONE_NORMAL] = 2047;
	/* Normal requests pass DMA32 by; its own do not. */
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 0), 1024);
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL | GFP_DMA32, 0), 3072);
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 0), PFN_NONE);
	fixture_free(f);
}
END_TEST

static const struct {
	const char *why;
	gfp_t gfp;
	bool pf_memalloc;
	enum alloc_context context;
	unsigned int order;
	int64_t least; /* free pages it still succeeds with; min is 800 */
} reserves[] = {
	{"ordinary: all of min",			 GFP_KERNEL,		     0, 0,		   0, 801},
	{"order 3: 7 pages more",			  GFP_KERNEL,		      0, 0,		    3, 808},
	{"no waiting, no right",			 GFP_NOWAIT,		     0, 0,		   0, 801},
	{"__GFP_HIGH: half of min",		    GFP_KERNEL | __GFP_HIGH,	     0, 0,		   0, 401},
	{"GFP_ATOMIC: 3/8 of min",		   GFP_ATOMIC,		       0, 0,		     0, 301},
	{"__GFP_HIGH, not to wait, no reserves",	 __GFP_HIGH | __GFP_NOMEMALLOC,
	 0,									    0,	       0, 401},
	{"__GFP_MEMALLOC: all",			GFP_KERNEL | __GFP_MEMALLOC,   0, 0,		   0, 1  },
	{"PF_MEMALLOC: all",			     GFP_KERNEL,			 1, 0,	       0, 1  },
	{"PF_MEMALLOC refused by __GFP_NOMEMALLOC",
	 GFP_KERNEL | __GFP_NOMEMALLOC,					     1, 0,		      0, 801},
	{"PF_MEMALLOC does not count in interrupts", GFP_NOWAIT,			 1, CONTEXT_IRQ,
	 0,												801},
	{"but in softirqs",			    GFP_NOWAIT,			1, CONTEXT_SOFTIRQ, 0, 1	},
	{"__GFP_NOFAIL: half of min at last",	      GFP_KERNEL | __GFP_NOFAIL,	 0, 0,
	 0,												401},
};

START_TEST(rights_tell_how_far_below_min_a_request_may_go)
{
	for (int64_t below = 0; below < 2; below++) {
		struct fixture *f = fixture_simple(2);
		const struct page_request request = {
			.gfp = reserves[_i].gfp,
			.order = reserves[_i].order,
			.pf_memalloc = reserves[_i].pf_memalloc,
			.context = reserves[_i].context};
		pfn_t pfn;
		int err;

		leave_free(f, NORMAL(f), GFP_KERNEL,
			   reserves[_i].least - below);
		set_marks(NORMAL(f), 800, 1000, 1200);
		err = pages_alloc(&f->phys, &request, &pfn);
		ck_assert_msg(err == (below ? -ENOMEM : 0), "%s, %d free: %d",
			      reserves[_i].why,
			      (int)(reserves[_i].least - below), err);
		assert_lawful(f);
		fixture_free(f);
	}
}
END_TEST

START_TEST(atomic_single_pages_ignore_the_boost)
{
	struct fixture *f = fixture_simple(2);

	leave_free(f, NORMAL(f), GFP_KERNEL, 700);
	set_marks(NORMAL(f), 800, 1000, 1200);
	NORMAL(f)->watermark_boost = 2000;
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL | __GFP_HIGH, 0),
			  PFN_NONE);
	ck_assert_uint_ne(fixture_alloc(f, GFP_ATOMIC, 0), PFN_NONE);
	fixture_free(f);
}
END_TEST

START_TEST(a_high_order_needs_a_block_not_only_pages)
{
	struct fixture *f = fixture_simple(2);
	pfn_t pfn[64];

	/* Every other page of 1024..1151 stays; all else is gone. */
	for (int i = 0; i < 64; i++) {
		pfn_t keep = fixture_alloc(f, GFP_KERNEL, 0);

		pfn[i] = fixture_alloc(f, GFP_KERNEL, 0);
		ck_assert_uint_eq(keep + 1, pfn[i]);
	}
	leave_free(f, NORMAL(f), GFP_KERNEL, 0);
	for (int i = 0; i < 64; i++)
		pages_put(&f->phys, pfn[i], 0, 0);
	ck_assert_int_eq(NORMAL(f)->stat[ZS_nr_free_pages], 64);
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 1), PFN_NONE);
	ck_assert_uint_eq(f->phys.event[VE_allocstall_normal], 1);
	ck_assert_uint_ne(fixture_alloc(f, GFP_KERNEL, 0), PFN_NONE);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_failed_request_is_traced_and_counted)
{
	struct fixture *f = fixture_simple(1);

	leave_free(f, NORMAL(f), GFP_KERNEL, 0);
	f->trace.enabled = 1 << TRACE_MM_PAGE_ALLOC;
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 2), PFN_NONE);
	ck_assert_uint_eq(fixture_alloc(f, GFP_NOWAIT, 0), PFN_NONE);
	ck_assert_str_eq(events(f), "mm_page_alloc 0 2 0 3264; "
				    "mm_page_alloc 0 0 0 2048");
	/* Only the first one may wait for reclaim. */
	ck_assert_uint_eq(f->phys.event[VE_allocstall_normal], 1);
	ck_assert_uint_eq(f->phys.event[VE_pgalloc_normal], 1024);
	fixture_free(f);
}
END_TEST

START_TEST(this_node_stays_on_the_node)
{
	struct fixture *f = fixture_numa();
	struct page_request request = {
		.gfp = GFP_KERNEL | __GFP_THISNODE, .nid = 1, .cpu = 0};
	pfn_t pfn;

	ck_assert_int_eq(pages_alloc(&f->phys, &request, &pfn), 0);
	ck_assert_uint_eq(pfn, 5120);
	leave_free(f, fixture_zone(f, 1, ZONE_NORMAL), GFP_KERNEL, 0);
	ck_assert_int_eq(pages_alloc(&f->phys, &request, &pfn), -ENOMEM);
	request.gfp = GFP_KERNEL;
	ck_assert_int_eq(pages_alloc(&f->phys, &request, &pfn), 0);
	ck_assert_uint_eq(pfn, 3072);
	fixture_free(f);
}
END_TEST

START_TEST(numa_counters_tell_what_was_wanted_and_what_was_got)
{
	struct fixture *f = fixture_numa();
	struct zone *here = NORMAL(f), *there = fixture_zone(f, 1, ZONE_NORMAL);
	struct page_request request = {.gfp = GFP_KERNEL, .nid = NODE_LOCAL};
	pfn_t pfn;

	/* CPU 0 is on node 0. */
	ck_assert_int_eq(pages_alloc(&f->phys, &request, &pfn), 0);
	ck_assert_uint_eq(NUMA(here, hit), 1);
	ck_assert_uint_eq(NUMA(here, local), 1);
	request.nid = 1; /* wanted there, got there, from afar */
	ck_assert_int_eq(pages_alloc(&f->phys, &request, &pfn), 0);
	ck_assert_uint_eq(NUMA(there, hit), 1);
	ck_assert_uint_eq(NUMA(there, other), 1);
	ck_assert_uint_eq(NUMA(there, local), 0);
	set_marks(there, 5000, 5000, 5000); /* wanted there, got here */
	ck_assert_int_eq(pages_alloc(&f->phys, &request, &pfn), 0);
	ck_assert_uint_eq(NUMA(here, miss), 1);
	ck_assert_uint_eq(NUMA(there, foreign), 1);
	ck_assert_uint_eq(NUMA(here, local), 2);
	ck_assert_uint_eq(NUMA(here, hit), 1);
	fixture_free(f);
}
END_TEST

START_TEST(an_i386_kernel_has_no_numa_counters)
{
	struct fixture *f = fixture_pc(ARCH_I386);

	fixture_alloc(f, GFP_KERNEL, 0);
	ck_assert_uint_eq(NUMA(NORMAL(f), hit), 0);
	ck_assert_uint_eq(NUMA(NORMAL(f), local), 0);
	fixture_free(f);
}
END_TEST

START_TEST(fragmentation_is_avoided_while_the_node_has_other_zones)
{
	struct fixture *f = fixture_numa();
	pfn_t pfn;

	/* All of Normal is Movable with no whole pageblock free: an Unmovable
	 * request may not mix there and goes to DMA32, whose pageblocks are
	 * whole. */
	pfn = fixture_alloc(f, GFP_HIGHUSER_MOVABLE, 8);
	ck_assert_uint_eq(pfn, 3072);
	leave_free(f, NORMAL(f), GFP_HIGHUSER_MOVABLE, 0);
	pages_put(&f->phys, pfn, 8, 0);
	f->trace.enabled = 1 << TRACE_MM_PAGE_ALLOC_EXTFRAG;
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 0), 1024);
	ck_assert_str_eq(events(f), "mm_page_alloc_extfrag 1024 0 10 9 0 1 0 "
				    "1");
	/* With DMA32 gone too, mixing on this node comes before the other
	 * node. */
	leave_free(f, ZONE_OF(f, DMA32), GFP_KERNEL | GFP_DMA32, 0);
	events(f);
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 0), 3072);
	ck_assert_str_eq(events(f), "mm_page_alloc_extfrag 3072 0 8 9 0 1 1 "
				    "1");
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(on_one_node_mixing_is_the_last_resort)
{
	struct fixture *f = fixture_simple(1);
	pfn_t pfn = fixture_alloc(f, GFP_HIGHUSER_MOVABLE, 8);

	leave_free(f, NORMAL(f), GFP_HIGHUSER_MOVABLE, 0);
	pages_put(&f->phys, pfn, 8, 0);
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 0), 1024);
	fixture_free(f);
}
END_TEST

START_TEST(events_come_in_the_kernels_order)
{
	struct fixture *f = fixture_simple(2);
	pfn_t pfn;

	f->trace.enabled = ~0U;
	fixture_set_pcp(f, 2, 16);
	pfn = fixture_alloc(f, GFP_KERNEL, 0);
	ck_assert_str_eq(events(f),
			 "mm_page_alloc_extfrag 1024 0 10 9 0 1 0 1; "
			 "mm_page_alloc_zone_locked 1024 0 0 1; "
			 "mm_page_alloc_zone_locked 1025 0 0 1; "
			 "mm_page_alloc 1024 0 0 3264");
	pages_put(&f->phys, pfn, 0, 0);
	ck_assert_str_eq(events(f), "mm_page_free 1024 0");
	pfn = fixture_alloc(f, GFP_KERNEL, 5);
	ck_assert_str_eq(events(f), "mm_page_alloc_zone_locked 1056 5 0 0; "
				    "mm_page_alloc 1056 5 0 3264");
	pages_drain(&f->phys, NULL, -1);
	ck_assert_str_eq(events(f), "mm_page_pcpu_drain 1025 0 0; "
				    "mm_page_pcpu_drain 1024 0 0");
	fixture_free(f);
}
END_TEST

START_TEST(a_list_of_pages_is_announced_first_and_freed_then)
{
	struct fixture *f = fixture_simple(1);
	pfn_t pfn[3];

	fixture_set_pcp(f, 1, 3);
	for (int i = 0; i < 3; i++)
		pfn[i] = fixture_alloc(f, GFP_KERNEL, 0);
	pages_get(&f->phys, pfn[1]); /* somebody else's too: it stays */
	f->trace.enabled = ~0U;
	pages_put_list(&f->phys, pfn, 3, 0);
	ck_assert_str_eq(events(f), "mm_page_free 1024 0; "
				    "mm_page_free 1026 0; "
				    "mm_page_free_batched 1024; "
				    "mm_page_free_batched 1026");
	ck_assert_str_eq(pcp_list(NORMAL(f), 0, 0, MIGRATE_UNMOVABLE),
			 "1026 1024");
	ck_assert_int_eq(f->phys.frames[pfn[1]].refs, 1);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(a_bulk_allocation_is_silent_and_refills_as_it_goes)
{
	struct fixture *f = fixture_simple(1);
	const struct page_request request = {.gfp = GFP_KERNEL};
	pfn_t pfn[10];

	fixture_set_pcp(f, 4, 64);
	NORMAL(f)->pcp[0].free_factor = 4;
	f->trace.enabled = 1 << TRACE_MM_PAGE_ALLOC;
	ck_assert_int_eq(pages_alloc_bulk(&f->phys, &request, 10, pfn), 10);
	ck_assert_str_eq(events(f), "");
	ck_assert_uint_eq(NORMAL(f)->pcp[0].count, 2);
	ck_assert_uint_eq(NORMAL(f)->pcp[0].free_factor, 4);
	ck_assert_uint_eq(NUMA(NORMAL(f), hit), 10);
	ck_assert_uint_eq(f->phys.event[VE_pgalloc_normal], 10);
	for (unsigned int i = 0; i < 10; i++)
		ck_assert_uint_eq(pfn[i], 1024 + i);
	/* One page is asked for in the ordinary way. */
	ck_assert_int_eq(pages_alloc_bulk(&f->phys, &request, 1, pfn), 1);
	ck_assert_str_eq(events(f), "mm_page_alloc 1034 0 0 3264");
	/* So it is where no zone can give all. */
	set_marks(NORMAL(f), 10, 1010, 1010);
	ck_assert_int_eq(pages_alloc_bulk(&f->phys, &request, 10, pfn), 1);
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

START_TEST(the_story_names_zones_numbers_lists_and_the_steal)
{
	struct fixture *f = fixture_pc(ARCH_X86_64);
	struct out why = OUT_INIT;
	const struct page_request request = {
		.gfp = GFP_KERNEL, .order = 1, .nid = 0, .why = &why};
	pfn_t pfn;

	fixture_set_pcp(f, 8, 64);
	set_marks(NORMAL(f), 2000, 3000, 4000);
	ZONE_OF(f, DMA32)->lowmem_reserve[ZONE_NORMAL] = 16;
	set_marks(ZONE_OF(f, DMA32), 20, 30, 40);
	ck_assert_int_eq(pages_alloc(&f->phys, &request, &pfn), 0);
	ck_assert_str_eq(
		out_text(&why),
		"request: 2^1 = 2 pages, GFP_KERNEL (0xcc0), cpu 0 of node 0, "
		"process context\n"
		"  pageblock type Unmovable; highest zone Normal\n"
		"  zones: node 0 Normal DMA32 DMA\n"
		"  fast path: alloc flags WMARK_LOW|NOFRAGMENT|KSWAPD, from "
		"node 0 Normal\n"
		"    node 0 Normal: free 2048 - 1 (2^1 - 1) = 2047 <= 3000 "
		"(low 3000): fails\n"
		"    node 0 DMA32: free 2048 - 1 (2^1 - 1) = 2047 > 30 (low "
		"30) + 16 (reserve against Normal requests) = 46, and a free "
		"block of order 10 is Movable: ok\n"
		"    cpu 0's list of order 1 Unmovable: 0 blocks, to be "
		"refilled\n"
		"    no Unmovable block: a Movable block of order 10 at pfn "
		"3072 is stolen (pageblock 6, Movable)\n"
		"    it fills whole pageblocks: they become Unmovable\n"
		"    free list of order 10 Unmovable: pfn 3072 taken, split; "
		"back go 3584 (order 9), 3328 (order 8), 3200 (order 7), 3136 "
		"(order 6), 3104 (order 5), 3088 (order 4), 3080 (order 3), "
		"3076 (order 2), 3074 (order 1)\n"
		"    free list of order 1 Unmovable: pfn 3074 taken\n"
		"    free list of order 2 Unmovable: pfn 3076 taken, split; "
		"back go 3078 (order 1)\n"
		"    refilled with 4 of 4 blocks (batch 8 >> order 1, at least "
		"2)\n"
		"taken: pfn 3072 to 3073, node 0 DMA32, pageblock "
		"Unmovable\n");
	out_fini(&why);
	fixture_free(f);
}
END_TEST

START_TEST(the_story_of_a_failure_tells_every_try)
{
	struct fixture *f = fixture_simple(1);
	struct out why = OUT_INIT;
	const struct page_request request = {
		.gfp = GFP_KERNEL | __GFP_NOFAIL, .nid = 0, .why = &why};
	pfn_t pfn;

	leave_free(f, NORMAL(f), GFP_KERNEL, 3);
	set_marks(NORMAL(f), 8, 10, 12);
	ck_assert_int_eq(pages_alloc(&f->phys, &request, &pfn), -ENOMEM);
	out_text(&why);
	ck_assert_ptr_nonnull(strstr(why.text, "fast path"));
	ck_assert_ptr_nonnull(strstr(why.text, "slow path"));
	ck_assert_ptr_nonnull(strstr(why.text, "nothing to reclaim"));
	ck_assert_ptr_nonnull(strstr(why.text,
				     "free 3 <= 4 (min 8, lowered by the "
				     "request's rights): fails"));
	ck_assert_ptr_nonnull(strstr(why.text, "__GFP_NOFAIL: the kernel would "
					       "try for ever"));
	out_fini(&why);
	fixture_free(f);
}
END_TEST

START_TEST(asking_why_changes_nothing_else)
{
	struct fixture *quiet = fixture_pc(ARCH_X86_64);
	struct fixture *told = fixture_pc(ARCH_X86_64);
	struct out why = OUT_INIT;
	unsigned int seed = 3;

	fixture_set_pcp(quiet, 6, 40);
	fixture_set_pcp(told, 6, 40);
	for (int i = 0; i < 3000; i++) {
		struct page_request request = {.nid = 0};
		pfn_t a = PFN_NONE, b = PFN_NONE;

		seed = seed * 1103515245 + 12345;
		request.gfp =
			seed & 0x10000 ? GFP_ATOMIC : GFP_HIGHUSER_MOVABLE;
		request.order = (seed >> 20) % 5;
		request.cpu = (seed >> 25) & 1;
		ck_assert_int_eq(pages_alloc(&quiet->phys, &request, &a) != 0,
				 a == PFN_NONE);
		request.why = &why;
		pages_alloc(&told->phys, &request, &b);
		ck_assert_uint_eq(a, b);
		if (a != PFN_NONE && seed & 0x40000) {
			pages_put(&quiet->phys, a, request.order, 0);
			pages_put(&told->phys, b, request.order, 0);
		}
	}
	ck_assert_mem_eq(quiet->phys.event, told->phys.event,
			 sizeof(told->phys.event));
	assert_lawful(told);
	out_fini(&why);
	fixture_free(quiet);
	fixture_free(told);
}
END_TEST

Suite *suite_pages(void);

Suite *
suite_pages(void)
{
	Suite *s = suite_create("pages");
	TCase *t = tcase_create("pages");

	tcase_add_loop_test(t, zone_bits_choose_the_highest_zone, 0,
			    ARRAY_SIZE(zones_of));
	tcase_add_test(t, a_refused_request_changes_nothing);
	tcase_add_test(t, an_allocated_block_is_described_by_its_head);
	tcase_add_test(t, a_split_block_is_freed_page_by_page);
	tcase_add_test(t, a_zone_at_its_low_mark_sends_requests_to_the_next);
	tcase_add_test(t, a_lower_zone_is_protected_from_higher_requests);
	tcase_add_loop_test(t, rights_tell_how_far_below_min_a_request_may_go,
			    0, ARRAY_SIZE(reserves));
	tcase_add_test(t, atomic_single_pages_ignore_the_boost);
	tcase_add_test(t, a_high_order_needs_a_block_not_only_pages);
	tcase_add_test(t, a_failed_request_is_traced_and_counted);
	tcase_add_test(t, this_node_stays_on_the_node);
	tcase_add_test(t, numa_counters_tell_what_was_wanted_and_what_was_got);
	tcase_add_test(t, an_i386_kernel_has_no_numa_counters);
	tcase_add_test(t,
		       fragmentation_is_avoided_while_the_node_has_other_zones);
	tcase_add_test(t, on_one_node_mixing_is_the_last_resort);
	tcase_add_test(t, events_come_in_the_kernels_order);
	tcase_add_test(t, a_list_of_pages_is_announced_first_and_freed_then);
	tcase_add_test(t, a_bulk_allocation_is_silent_and_refills_as_it_goes);
	tcase_add_test(t, the_story_names_zones_numbers_lists_and_the_steal);
	tcase_add_test(t, the_story_of_a_failure_tells_every_try);
	tcase_add_test(t, asking_why_changes_nothing_else);
	suite_add_tcase(s, t);
	return s;
}
