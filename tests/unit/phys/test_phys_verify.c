// SPDX-License-Identifier: MIT
/* test_phys_verify.c - each law finds its own crime, and no law cries wolf */
#include "fixture.h"

#include <stdio.h>

#define NORMAL(f) fixture_zone(f, 0, ZONE_NORMAL)

/* A memory with a bit of everything: at 1024.. an allocation of order 2, a
 * per-cpu list of Unmovable pages, free blocks of all orders, a run. */
static struct fixture *
fixture_used(void)
{
	struct fixture *f = fixture_simple(8);

	fixture_set_pcp(f, 4, 64);
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 4), 1024);
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 0), 1040);
	assert_lawful(f);
	return f;
}

struct found {
	const char *law;
	unsigned int of_law; /* findings of the law asked for */
	unsigned int all;
};

static void
count(void *user, const char *law, const char *finding)
{
	struct found *found = user;

	ck_assert_ptr_nonnull(finding);
	found->of_law += !strcmp(law, found->law);
	found->all++;
}

static void
lose_a_frame(struct fixture *f)
{
	f->phys.frames[1040].state = FRAME_NONE;
}

static void
describe_a_tail(struct fixture *f)
{
	f->phys.frames[1030].state = FRAME_ALLOCATED;
	f->phys.frames[1030].refs = 1;
}

static void
claim_for_another_zone(struct fixture *f)
{
	f->phys.frames[1024].zone = ZONE_DMA;
}

static void
refer_to_a_free_block(struct fixture *f)
{
	f->phys.frames[1536].refs = 1;
}

static void
drop_the_last_reference(struct fixture *f)
{
	f->phys.frames[1024].refs = 0;
}

static void
misalign(struct fixture *f)
{
	/* A block of order 4 that starts at a multiple of 8. */
	f->phys.frames[1024].order = 3;
	f->phys.frames[1032] = f->phys.frames[1024];
	f->phys.frames[1032].order = 4;
	f->phys.frames[1040].state = FRAME_NONE;
}

static void
leave_buddies(struct fixture *f)
{
	pfn_t head = 1536;
	struct zone *zone = NORMAL(f);
	struct frame *frames = f->phys.frames;
	struct free_area *nine = &zone->free_area[9];
	struct free_area *eight = &zone->free_area[8];
	uint32_t link = nine->list[MIGRATE_UNMOVABLE].head;
	uint32_t other = link + 256;
	uint32_t old = eight->list[MIGRATE_UNMOVABLE].head;

	/* The only block of order 9 becomes two of order 8, unmerged. */
	nine->list[MIGRATE_UNMOVABLE] = (struct block_list){0, 0};
	nine->nr_free[MIGRATE_UNMOVABLE]--;
	nine->nr_free_all--;
	frames[head].order = 8;
	frames[head + 256] = frames[head];
	frames[head].prev = 0;
	frames[head].next = other;
	frames[head + 256].prev = link;
	frames[head + 256].next = old;
	frames[head - 256].prev = other;
	eight->list[MIGRATE_UNMOVABLE].head = link;
	eight->nr_free[MIGRATE_UNMOVABLE] += 2;
	eight->nr_free_all += 2;
}

static void
break_a_back_link(struct fixture *f)
{
	f->phys.frames[3072].prev = 0; /* after 2048 in no list: a run */
	f->phys.frames[1536].prev = 77;
}

static void
forget_the_tail(struct fixture *f)
{
	NORMAL(f)->free_area[9].list[MIGRATE_UNMOVABLE].tail = 0;
}

static void
file_under_another_type(struct fixture *f)
{
	f->phys.frames[1536].type = MIGRATE_MOVABLE;
}

static void
miscount_blocks(struct fixture *f)
{
	NORMAL(f)->free_area[9].nr_free[MIGRATE_UNMOVABLE]++;
}

static void
miscount_all_blocks(struct fixture *f)
{
	NORMAL(f)->free_area[9].nr_free_all--;
}

static void
miscount_free_pages(struct fixture *f)
{
	NORMAL(f)->stat[ZS_nr_free_pages]++;
}

static void
miscount_cma(struct fixture *f)
{
	NORMAL(f)->stat[ZS_nr_free_cma]++;
}

static void
touch_inside_a_run(struct fixture *f)
{
	f->phys.frames[4096].state = FRAME_ALLOCATED;
}

static void
unflag_a_run(struct fixture *f)
{
	f->phys.frames[2048].flags = 0;
}

static void
miscount_the_list(struct fixture *f)
{
	NORMAL(f)->pcp[0].count++;
}

static void
mislay_a_per_cpu_page(struct fixture *f)
{
	NORMAL(f)->pcp[0].length[0]--;
}

static void
manage_too_much(struct fixture *f)
{
	NORMAL(f)->managed_pages++;
}

static void
tag_without_reserve(struct fixture *f)
{
	pageblock_set_type(&f->phys, 1024, MIGRATE_HIGHATOMIC);
}

static void
fall_below_zero(struct fixture *f)
{
	NORMAL(f)->stat[ZS_nr_mlock] = -1;
}

static const struct {
	const char *law;
	void (*crime)(struct fixture *f);
} crimes[] = {
	{"frames.one_place",   lose_a_frame		 },
	{"frames.heads",	 describe_a_tail	},
	{"frames.heads",	 claim_for_another_zone },
	{"frames.heads",	 refer_to_a_free_block  },
	{"frames.heads",	 drop_the_last_reference},
	{"buddy.aligned",	  misalign		  },
	{"buddy.merged",	 leave_buddies	      },
	{"buddy.links",	break_a_back_link	 },
	{"buddy.links",	forget_the_tail	       },
	{"buddy.links",	file_under_another_type},
	{"buddy.nr_free",	  miscount_blocks	 },
	{"buddy.nr_free",	  miscount_all_blocks    },
	{"zone.nr_free_pages", miscount_free_pages	  },
	{"zone.nr_free_cma",   miscount_cma		 },
	{"buddy.runs",	       touch_inside_a_run	 },
	{"buddy.runs",	       unflag_a_run	   },
	{"pcp.counts",	       miscount_the_list	},
	{"pcp.counts",	       mislay_a_per_cpu_page  },
	{"zone.managed",	 manage_too_much	},
	{"zone.highatomic",    tag_without_reserve    },
	{"zone.counters",	  fall_below_zero	 },
};

START_TEST(a_broken_law_is_found_by_name)
{
	struct fixture *f = fixture_used();
	struct found found = {.law = crimes[_i].law};

	crimes[_i].crime(f);
	ck_assert_uint_eq(phys_verify(&f->phys, count, &found), found.all);
	ck_assert_msg(found.of_law, "%s was not reported", crimes[_i].law);
	/* Nobody listens: the number is the same. */
	ck_assert_uint_eq(phys_verify(&f->phys, NULL, NULL), found.all);
	fixture_free(f);
}
END_TEST

START_TEST(each_law_has_a_crime)
{
	for (const struct law *law = phys_laws; law->name; law++) {
		bool tried = false;

		ck_assert_ptr_nonnull(law->sentence);
		for (size_t i = 0; i < ARRAY_SIZE(crimes); i++)
			tried |= !strcmp(crimes[i].law, law->name);
		ck_assert_msg(tried, "%s", law->name);
	}
}
END_TEST

START_TEST(findings_of_one_law_are_limited)
{
	struct fixture *f = fixture_used();
	struct found found = {.law = "frames.heads"};

	for (int i = 1; i < 16; i++)
		f->phys.frames[1024 + i].state = FRAME_ALLOCATED;
	phys_verify(&f->phys, count, &found);
	ck_assert_uint_eq(found.of_law, 8);
	fixture_free(f);
}
END_TEST

START_TEST(a_wild_link_ends_the_walk_not_the_program)
{
	struct fixture *f = fixture_used();
	struct found found = {.law = "buddy.links"};

	f->phys.frames[1536].next = 0x7fffffff;
	ck_assert_uint_gt(phys_verify(&f->phys, count, &found), 0);
	ck_assert_uint_gt(found.of_law, 0);
	/* Nor does a loop. */
	f->phys.frames[1536].next =
		NORMAL(f)->free_area[9].list[MIGRATE_UNMOVABLE].head;
	ck_assert_uint_gt(phys_verify(&f->phys, count, &found), 0);
	fixture_free(f);
}
END_TEST

START_TEST(a_pageblock_that_changed_sides_may_have_an_equal_buddy)
{
	struct fixture *f = fixture_simple(1);
	pfn_t pfn;

	/* Reserve 1024..1535, free all of it, then give it back: the kernel
	 * does not merge it with the free 1536..2047, and that is no crime. */
	NORMAL(f)->watermark[WMARK_LOW] = 100000;
	pfn = fixture_alloc(f, GFP_ATOMIC, 3);
	pages_put(&f->phys, pfn, 3, 0);
	ck_assert_str_eq(free_list(NORMAL(f), 9, MIGRATE_HIGHATOMIC), "1024");
	ck_assert_str_eq(free_list(NORMAL(f), 9, MIGRATE_UNMOVABLE), "1536");
	ck_assert_uint_eq(fixture_alloc(f, GFP_KERNEL, 10), PFN_NONE);
	NORMAL(f)->watermark[WMARK_LOW] = 0;
	while (fixture_alloc(f, GFP_KERNEL, 9) != PFN_NONE)
		;
	assert_lawful(f);
	fixture_free(f);
}
END_TEST

Suite *suite_phys_verify(void);

Suite *
suite_phys_verify(void)
{
	Suite *s = suite_create("phys_verify");
	TCase *t = tcase_create("verify");

	tcase_add_loop_test(t, a_broken_law_is_found_by_name, 0,
			    ARRAY_SIZE(crimes));
	tcase_add_test(t, each_law_has_a_crime);
	tcase_add_test(t, findings_of_one_law_are_limited);
	tcase_add_test(t, a_wild_link_ends_the_walk_not_the_program);
	tcase_add_test(t,
		       a_pageblock_that_changed_sides_may_have_an_equal_buddy);
	suite_add_tcase(s, t);
	return s;
}
