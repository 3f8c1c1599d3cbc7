// SPDX-License-Identifier: MIT
/* test_inuse.c - machines that start with memory in use */
#include "booted.h"

#include <stdlib.h>

Suite *suite_inuse(void);

/* 64 MiB: frames 256-4095 and 11264-16095 are managed. */
#define SMALL "[machine]\narch = x86-64\nmemory = 64M\n"
#define RANDOM_ROUNDS 40

static void
say_finding(void *user, const char *law, const char *text)
{
	(void)user;
	ck_abort_msg("%s: %s", law, text);
}

static void
assert_laws(const struct booted *b)
{
	ck_assert_uint_eq(phys_verify(b->phys, say_finding, NULL), 0);
}

/* The blocks of a list, head first, as "pfn pfn". */
static char *
list_text(const struct zone *zone, unsigned int order, enum migratetype type)
{
	struct list_cursor cursor = {0};
	GString *text = g_string_new(NULL);
	pfn_t pfn;

	while ((pfn = buddy_list_next(zone, order, type, &cursor)) != PFN_NONE)
		g_string_append_printf(text, "%s%llu", text->len ? " " : "",
				       (unsigned long long)pfn);
	return g_string_free(text, FALSE);
}

static void
assert_list(const struct zone *zone, unsigned int order, enum migratetype type,
	    const char *want)
{
	char *text = list_text(zone, order, type);

	ck_assert_str_eq(text, want);
	g_free(text);
}

START_TEST(what_is_not_said_to_be_free_is_allocated_by_nobody)
{
	struct booted *b = boot_text(SMALL "[free]\nmovable = 512-1023\n");
	const struct zone *dma = booted_zone(b, 0, "DMA");
	const struct zone *dma32 = booted_zone(b, 0, "DMA32");
	enum migratetype type;
	unsigned int order;
	pfn_t head;

	ck_assert_int_eq(dma->stat[ZS_nr_free_pages], 512);
	ck_assert_int_eq(dma32->stat[ZS_nr_free_pages], 0);
	assert_list(dma, 9, MIGRATE_MOVABLE, "512");
	ck_assert_int_eq(frame_block(b->phys, 1100, &head, &order, &type),
			 FRAME_ALLOCATED);
	ck_assert_uint_eq(head, 1024);
	ck_assert_uint_eq(order, 10);
	ck_assert_uint_eq(b->phys->frames[1024].owner, 0);
	ck_assert_int_eq(b->phys->frames[1024].refs, 1);
	assert_laws(b);
	booted_free(b);
}
END_TEST

START_TEST(memory_in_use_changes_no_limit_and_no_event)
{
	struct booted *all = boot_text(SMALL);
	struct booted *none = boot_text(SMALL "[free]\n");

	for (unsigned int id = 0; id < all->phys->nr_zones; id++) {
		const struct zone *a = all->phys->zones[id];
		const struct zone *n = none->phys->zones[id];

		ck_assert_uint_eq(a->managed_pages, n->managed_pages);
		ck_assert_uint_eq(a->present_pages, n->present_pages);
		ck_assert_mem_eq(a->watermark, n->watermark,
				 sizeof(a->watermark));
		ck_assert_mem_eq(a->lowmem_reserve, n->lowmem_reserve,
				 sizeof(a->lowmem_reserve));
		ck_assert_int_eq(n->stat[ZS_nr_free_pages], 0);
	}
	ck_assert_mem_eq(all->phys->event, none->phys->event,
			 sizeof(all->phys->event));
	assert_laws(none);
	booted_free(all);
	booted_free(none);
}
END_TEST

START_TEST(free_ranges_are_cut_like_memory_and_listed_in_their_order)
{
	struct booted *b = boot_text(
		SMALL "[free]\nunmovable = 301-302; 12000-12003; 260-263\n"
		      "movable = 264; 2048-2060\n");
	const struct zone *dma = booted_zone(b, 0, "DMA");

	assert_list(dma, 0, MIGRATE_UNMOVABLE, "301 302");
	assert_list(dma, 2, MIGRATE_UNMOVABLE, "260");
	assert_list(booted_zone(b, 0, "DMA32"), 2, MIGRATE_UNMOVABLE, "12000");
	assert_list(dma, 0, MIGRATE_MOVABLE, "264 2060");
	assert_list(dma, 3, MIGRATE_MOVABLE, "2048");
	assert_list(dma, 2, MIGRATE_MOVABLE, "2056");
	assert_laws(b);
	booted_free(b);
}
END_TEST

START_TEST(buddies_that_are_both_said_to_be_free_are_one_block)
{
	struct booted *b = boot_text(
		SMALL "[free]\nunmovable = 512-513\nmovable = 514-515\n");
	const struct zone *dma = booted_zone(b, 0, "DMA");

	ck_assert_uint_eq(dma->free_area[1].nr_free_all, 0);
	ck_assert_uint_eq(dma->free_area[2].nr_free_all, 1);
	assert_laws(b);
	booted_free(b);
}
END_TEST

START_TEST(pageblocks_get_their_types_and_all_others_are_movable)
{
	struct booted *b = boot_text(
		SMALL "[free]\nhighatomic = 2048-2050\nmovable = 1024-1030\n"
		      "[pageblocks]\nunmovable = 512-1023\n"
		      "reclaimable = 1024\nhighatomic = 2048-2559\n");
	const struct phys *phys = b->phys;
	const struct zone *dma = booted_zone(b, 0, "DMA");

	ck_assert_int_eq(pageblock_type(phys, 0), MIGRATE_MOVABLE);
	ck_assert_int_eq(pageblock_type(phys, 700), MIGRATE_UNMOVABLE);
	ck_assert_int_eq(pageblock_type(phys, 1535), MIGRATE_RECLAIMABLE);
	ck_assert_int_eq(pageblock_type(phys, 2048), MIGRATE_HIGHATOMIC);
	ck_assert_int_eq(pageblock_type(phys, 2560), MIGRATE_MOVABLE);
	ck_assert_uint_eq(dma->nr_reserved_highatomic, 512);
	assert_list(dma, 1, MIGRATE_HIGHATOMIC, "2048");
	assert_list(dma, 2, MIGRATE_MOVABLE, "1024");
	assert_laws(b);
	booted_free(b);
}
END_TEST

START_TEST(without_free_the_lists_follow_the_types_of_pageblocks)
{
	struct booted *b = boot_text(SMALL "[pageblocks]\nunmovable = "
					   "12288-13311\n");
	const struct zone *dma32 = booted_zone(b, 0, "DMA32");

	assert_list(dma32, 10, MIGRATE_UNMOVABLE, "12288");
	ck_assert_int_eq(dma32->stat[ZS_nr_free_pages],
			 (int64_t)dma32->managed_pages);
	assert_laws(b);
	booted_free(b);
}
END_TEST

/* Frames and frames in use in random runs, of random types. */
static char *
random_free(unsigned int seed)
{
	static const char *const keys[] = {"unmovable", "movable",
					   "reclaimable"};
	GString *lists[3], *text = g_string_new(SMALL "[free]\n");
	pfn_t at = 256;

	srandom(seed);
	for (int t = 0; t < 3; t++)
		lists[t] = g_string_new(NULL);
	while (at < 4000) {
		pfn_t first = at + (pfn_t)(random() % 40);
		pfn_t last = first + (pfn_t)(random() % (1 << random() % 9));
		GString *list = lists[random() % 3];

		if (last >= 4096)
			break;
		g_string_append_printf(
			list, "%s%llu-%llu", list->len ? "; " : "",
			(unsigned long long)first, (unsigned long long)last);
		at = last + 1;
	}
	for (int t = 0; t < 3; t++) {
		g_string_append_printf(text, "%s = %s\n", keys[t],
				       lists[t]->str);
		g_string_free(lists[t], TRUE);
	}
	return g_string_free(text, FALSE);
}

START_TEST(per_cpu_lists_have_their_pages_in_the_order_given)
{
	struct booted *b = boot_text(SMALL "cpus = 2\n[free]\n"
					   "movable = 512-1023\n"
					   "[pageblocks]\nunmovable = 1536\n"
					   "[pcp]\n"
					   "0 = 1030; 1028-1029\n"
					   "1 = 1540; 1024\n");
	const struct zone *dma = booted_zone(b, 0, "DMA");
	static const pfn_t want[] = {1030, 1028, 1029, PFN_NONE};
	struct list_cursor cursor = {0}, other = {0};

	ck_assert_int_eq(dma->stat[ZS_nr_free_pages], 512);
	ck_assert_uint_eq(dma->pcp[0].count, 3);
	ck_assert_uint_eq(dma->pcp[1].count, 2);
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_uint_eq(
			pcp_list_next(dma, 0, MIGRATE_MOVABLE, &cursor),
			want[i]);
	/* On the list of its pageblock's type. */
	ck_assert_uint_eq(pcp_list_next(dma, 1, MIGRATE_UNMOVABLE, &other),
			  1540);
	assert_laws(b);
	booted_free(b);
}
END_TEST

START_TEST(any_set_of_free_frames_obeys_the_laws)
{
	char *text = random_free((unsigned int)_i);
	struct booted *b = boot_text(text);
	uint64_t said = 0;

	for (guint i = 0; i < b->config->phys.free_frames->len; i++) {
		const struct typed_frames *r = &g_array_index(
			b->config->phys.free_frames, struct typed_frames, i);

		said += r->end - r->start;
	}
	ck_assert_uint_eq(
		(uint64_t)booted_zone(b, 0, "DMA")->stat[ZS_nr_free_pages],
		said);
	assert_laws(b);
	booted_free(b);
	g_free(text);
}
END_TEST

START_TEST(a_page_in_use_can_be_asked_for_when_its_neighbours_are_gone)
{
	struct booted *b = boot_text(SMALL "[free]\nmovable = 512-1023\n");
	struct page_request request = {.gfp = GFP_KERNEL | __GFP_MEMALLOC,
				       .nid = NODE_LOCAL};
	pfn_t pfn;
	unsigned int got = 0;

	while (got < 1000 && !pages_alloc(b->phys, &request, &pfn)) {
		ck_assert_uint_ge(pfn, 512);
		ck_assert_uint_lt(pfn, 1024);
		got++;
	}
	ck_assert_uint_eq(got, 512);
	assert_laws(b);
	booted_free(b);
}
END_TEST

static const struct {
	const char *text;
	const char *why;
} refused[] = {
	{SMALL "[free]\nmovable = 250-260\n",
	 "[free]: frame 250 is not memory that the page allocator has"     },
	{SMALL "[free]\nmovable = 4000-4100\n",
	 "[free]: frame 4096 is not memory that the page allocator has"    },
	{SMALL "[free]\nmovable = 99999999\n",
	 "[free]: frame 99999999 is not memory that the page allocator has"},
	{SMALL "[free]\ncma = 512\n",
	 "[free]: frame 512 is not in the cma= area"			    },
	{SMALL "[free]\n[pcp]\n0 = 4095-4096\n",
	 "[pcp]: frame 4096 is not memory that the page allocator has"     },
	{SMALL "[pageblocks]\nunmovable = 99999999\n",
	 "[pageblocks]: frame 99999744 is not in any zone"		  },
};

START_TEST(frames_that_cannot_be_free_make_no_machine)
{
	char *why = boot_reason(refused[_i].text);

	ck_assert_str_eq(why, refused[_i].why);
	g_free(why);
}
END_TEST

START_TEST(cma_pageblocks_have_cma_lists)
{
	struct booted *b = boot_text("[machine]\narch = x86-64\nmemory = 1G\n"
				     "cmdline = cma=64M\n[free]\n"
				     "cma = 245248-245263\n[pageblocks]\n");
	const struct zone *dma32 = booted_zone(b, 0, "DMA32");
	char *why;

	ck_assert_int_eq(dma32->stat[ZS_nr_free_cma], 16);
	assert_list(dma32, 4, MIGRATE_CMA, "245248");
	assert_laws(b);
	booted_free(b);
	why = boot_reason("[machine]\narch = x86-64\nmemory = 1G\n"
			  "cmdline = cma=64M\n[free]\nmovable = 245248\n");
	ck_assert_str_eq(why, "[free]: frame 245248 is in the cma= area");
	g_free(why);
}
END_TEST

Suite *
suite_inuse(void)
{
	Suite *s = suite_create("inuse");
	TCase *t = tcase_create("inuse");

	tcase_add_test(t, what_is_not_said_to_be_free_is_allocated_by_nobody);
	tcase_add_test(t, memory_in_use_changes_no_limit_and_no_event);
	tcase_add_test(
		t, free_ranges_are_cut_like_memory_and_listed_in_their_order);
	tcase_add_test(t, buddies_that_are_both_said_to_be_free_are_one_block);
	tcase_add_test(t,
		       pageblocks_get_their_types_and_all_others_are_movable);
	tcase_add_test(t,
		       without_free_the_lists_follow_the_types_of_pageblocks);
	tcase_add_test(t, per_cpu_lists_have_their_pages_in_the_order_given);
	tcase_add_loop_test(t, any_set_of_free_frames_obeys_the_laws, 0,
			    RANDOM_ROUNDS);
	tcase_add_test(
		t, a_page_in_use_can_be_asked_for_when_its_neighbours_are_gone);
	tcase_add_loop_test(t, frames_that_cannot_be_free_make_no_machine, 0,
			    ARRAY_SIZE(refused));
	tcase_add_test(t, cma_pageblocks_have_cma_lists);
	suite_add_tcase(s, t);
	return s;
}
