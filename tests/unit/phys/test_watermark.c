// SPDX-License-Identifier: MIT
/* test_watermark.c - limits of zones, per-cpu sizes, reserves, available */
#include "booted.h"

#include "kmemfs/phys/sysctl.h"

Suite *suite_watermark(void);

/* What zoneinfo of real kernels said under some sysctl, for two zones of so
 * many managed pages (x86-64, 2 CPUs, 1 GiB; i386, 2 CPUs, 2 GiB). */
struct recorded {
	const char *zone;
	uint64_t min, low, high;
	uint32_t pcp_high, pcp_batch;
};

/* clang-format off */
struct setting {
	const char *sysctl;
	const char *value;
	struct recorded row[3];
};

static const struct setting x86_64[] = {
	{"min_free_kbytes", "3936",
	 {{"DMA",   15,   18,   21,   9,    1 },
	  {"DMA32", 968,  1210, 1452, 605,  63}}},
	{"min_free_kbytes", "128",
	 {{"DMA",   0,    3,    6,    4,    1 },
	  {"DMA32", 31,   273,  515,  252,  63}}},
	{"min_free_kbytes", "8192",
	 {{"DMA",   31,   38,   45,   19,   1 },
	  {"DMA32", 2016, 2520, 3024, 1260, 63}}},
	{"watermark_scale_factor", "150",
	 {{"DMA",   15,   72,   129,  36,   1 },
	  {"DMA32", 968,  4598, 8228, 2299, 63}}},
	{"percpu_pagelist_high_fraction", "64",
	 {{"DMA",   15,   18,   21,   30,   1 },
	  {"DMA32", 968,  1210, 1452, 1890, 63}}},
};

static const struct setting i386[] = {
	{"min_free_kbytes", "3693",
	 {{"DMA",     16,  20,   24,   10,   1 },
	  {"Normal",  906, 1132, 1358, 566,  63},
	  {"HighMem", 128, 449,  770,  252,  63}}},
	{"min_free_kbytes", "128",
	 {{"DMA",     0,   3,    6,    4,    1 },
	  {"Normal",  31,  242,  453,  252,  63},
	  {"HighMem", 128, 428,  728,  252,  63}}},
	{"watermark_scale_factor", "150",
	 {{"DMA",     16,  73,   130,  36,   1 },
	  {"Normal",  906, 4073, 7240, 2036, 63},
	  {"HighMem", 128, 4628, 9128, 2314, 63}}},
	{"percpu_pagelist_high_fraction", "64",
	 {{"DMA",     16,  20,   24,   30,   1 },
	  {"Normal",  906, 1132, 1358, 1649, 63},
	  {"HighMem", 128, 449,  770,  2343, 63}}},
};
/* clang-format on */

static void
assert_rows(const struct booted *b, const struct recorded *row, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct zone *zone = booted_zone(b, 0, row[i].zone);

		ck_assert_uint_eq(wmark_pages(zone, WMARK_MIN), row[i].min);
		ck_assert_uint_eq(wmark_pages(zone, WMARK_LOW), row[i].low);
		ck_assert_uint_eq(wmark_pages(zone, WMARK_HIGH), row[i].high);
		ck_assert_uint_eq(zone->pcp[1].high, row[i].pcp_high);
		ck_assert_uint_eq(zone->pcp[1].batch, row[i].pcp_batch);
	}
}

/* A machine whose zones have just the recorded managed pages. */
static struct booted *
as_recorded(const char *arch, const char *memory, const char *mfk,
	    const char *const names[], const uint64_t managed[], size_t nr)
{
	char *text =
		g_strdup_printf("[machine]\narch = %s\nmemory = %s\ncpus = 2\n"
				"cmdline = transparent_hugepage=never\n",
				arch, memory);
	struct booted *b = boot_text(text);

	g_free(text);
	for (size_t i = 0; i < nr; i++)
		booted_zone(b, 0, names[i])->managed_pages = managed[i];
	ck_assert_int_eq(sysctl_write(b->phys, "min_free_kbytes", mfk, NULL),
			 0);
	return b;
}

START_TEST(limits_are_those_of_a_real_64_bit_kernel)
{
	static const char *const names[] = {"DMA", "DMA32"};
	static const uint64_t managed[] = {3840, 242034};
	struct booted *b =
		as_recorded("x86-64", "1G", "3936", names, managed, 2);

	ck_assert_int_eq(sysctl_write(b->phys, x86_64[_i].sysctl,
				      x86_64[_i].value, NULL),
			 0);
	assert_rows(b, x86_64[_i].row, 2);
	booted_free(b);
}
END_TEST

START_TEST(limits_are_those_of_a_real_32_bit_kernel)
{
	static const char *const names[] = {"DMA", "Normal", "HighMem"};
	static const uint64_t managed[] = {3840, 211184, 300002};
	struct booted *b = as_recorded("i386", "2G", "3693", names, managed, 3);

	ck_assert_int_eq(
		sysctl_write(b->phys, i386[_i].sysctl, i386[_i].value, NULL),
		0);
	assert_rows(b, i386[_i].row, 3);
	booted_free(b);
}
END_TEST

START_TEST(every_watermark_is_at_least_the_one_below)
{
	static const char *const memories[] = {"64M", "1G", "3G", "8G", "1T"};

	for (size_t i = 0; i < ARRAY_SIZE(memories); i++) {
		struct booted *b = boot_short("x86-64", memories[i], 1, "");

		for (unsigned int id = 0; id < b->phys->nr_zones; id++) {
			const struct zone *z = b->phys->zones[id];

			for (unsigned int w = WMARK_LOW; w < NR_WMARK; w++)
				ck_assert_uint_ge(z->watermark[w],
						  z->watermark[w - 1]);
			/* In steps of one size. */
			ck_assert_uint_eq(z->watermark[WMARK_HIGH] -
						  z->watermark[WMARK_LOW],
					  z->watermark[WMARK_LOW] -
						  z->watermark[WMARK_MIN]);
		}
		booted_free(b);
	}
}
END_TEST

/* clang-format off */
static const struct {
	const char *memory;
	const char *cmdline;
	uint64_t kbytes;
} huge[] = {
	/* Below 512 MiB huge pages stay off: sqrt(16 * 4 * 57056 pages). */
	{"256M", "",                             1910 },
	/* 11 blocks of 512 pages for each of 3 zones, or 2. */
	{"4G",   "",                             67584},
	{"3G",   "",                             45056},
	{"3G",   "transparent_hugepage=madvise", 45056},
	/* sqrt(64 * 766688) is 7004; its high marks are 14 and 3266 pages, and
	 * sqrt(64 * (766688 - 3280)) is what remains. */
	{"3G",   "transparent_hugepage=never",   6989 },
};
/* clang-format on */

START_TEST(huge_pages_raise_the_minimum_where_there_is_memory)
{
	struct booted *b =
		boot_short("x86-64", huge[_i].memory, 1, huge[_i].cmdline);

	ck_assert_uint_eq(b->phys->sysctl.min_free_kbytes, huge[_i].kbytes);
	booted_free(b);
}
END_TEST

/* The second run starts from what the first one's high marks leave. */
START_TEST(with_huge_pages_off_the_minimum_is_computed_twice)
{
	struct booted *b =
		boot_short("x86-64", "1G", 1, "transparent_hugepage=never");
	uint64_t pages = 0, first = 0;

	for (unsigned int id = 0; id < b->phys->nr_zones; id++)
		pages += b->phys->zones[id]->managed_pages;
	while ((first + 1) * (first + 1) <= pages * 4 * 16)
		first++;
	ck_assert_uint_lt(b->phys->sysctl.min_free_kbytes, first);
	ck_assert_uint_gt(b->phys->sysctl.min_free_kbytes, first - 20);
	booted_free(b);
}
END_TEST

START_TEST(reserves_for_lower_zones_follow_their_ratios)
{
	struct booted *b = boot_short("x86-64", "8G", 1, "");
	struct zone *dma = booted_zone(b, 0, "DMA");
	const struct zone *dma32 = booted_zone(b, 0, "DMA32");
	const struct zone *normal = booted_zone(b, 0, "Normal");

	ck_assert_uint_eq(dma->lowmem_reserve[ZONE_DMA], 0);
	ck_assert_uint_eq(dma->lowmem_reserve[ZONE_DMA32],
			  dma32->managed_pages / 256);
	ck_assert_uint_eq(dma->lowmem_reserve[ZONE_NORMAL],
			  (dma32->managed_pages + normal->managed_pages) / 256);
	ck_assert_uint_eq(dma->lowmem_reserve[ZONE_MOVABLE],
			  dma->lowmem_reserve[ZONE_NORMAL]);
	ck_assert_int_eq(
		sysctl_write(b->phys, "lowmem_reserve_ratio", "100 0", NULL),
		0);
	ck_assert_uint_eq(dma->lowmem_reserve[ZONE_DMA32],
			  dma32->managed_pages / 100);
	ck_assert_uint_eq(dma32->lowmem_reserve[ZONE_NORMAL], 0);
	booted_free(b);
}
END_TEST

START_TEST(what_is_kept_back_is_the_larger_reserve_and_the_high_mark)
{
	struct booted *b = boot_short("x86-64", "8G", 1, "");
	uint64_t sum = 0;

	for (unsigned int id = 0; id < b->phys->nr_zones; id++) {
		const struct zone *z = b->phys->zones[id];
		uint64_t kept = z->lowmem_reserve[ZONE_MOVABLE] +
				z->watermark[WMARK_HIGH];

		sum += MIN_OF(kept, z->managed_pages);
	}
	ck_assert_uint_eq(b->phys->total_reserve_pages, sum);
	booted_free(b);
}
END_TEST

START_TEST(available_counts_half_the_caches_at_most_as_lost)
{
	struct booted *b = boot_short("x86-64", "1G", 1, "");
	struct node *node = b->phys->nodes[0];
	uint64_t low = 0, before = phys_available(b->phys), free = 0;

	for (unsigned int id = 0; id < b->phys->nr_zones; id++) {
		low += b->phys->zones[id]->watermark[WMARK_LOW];
		free += (uint64_t)b->phys->zones[id]->stat[ZS_nr_free_pages];
	}
	ck_assert_uint_eq(before, free - b->phys->total_reserve_pages);
	node->stat[NS_nr_inactive_file] = 100;
	ck_assert_uint_eq(phys_available(b->phys), before + 50);
	node->stat[NS_nr_inactive_file] = (int64_t)low * 10;
	ck_assert_uint_eq(phys_available(b->phys), before + low * 9);
	node->stat[NS_nr_slab_reclaimable] = 31;
	ck_assert_uint_eq(phys_available(b->phys), before + low * 9 + 16);
	booted_free(b);
}
END_TEST

START_TEST(available_is_never_negative)
{
	struct booted *b = boot_short("x86-64", "1G", 1, "");

	booted_zone(b, 0, "DMA32")->stat[ZS_nr_free_pages] = 0;
	booted_zone(b, 0, "DMA")->stat[ZS_nr_free_pages] = 0;
	ck_assert_uint_eq(phys_available(b->phys), 0);
	booted_free(b);
}
END_TEST

START_TEST(without_an_mmu_nothing_is_kept_on_per_cpu_lists)
{
	struct booted *b = boot_text(
		"[machine]\narch = generic\nmmu = no\nmemory = 16M\n");
	const struct zone *zone = booted_zone(b, 0, "Normal");

	ck_assert_uint_eq(zone->pcp_high, 0);
	ck_assert_uint_eq(zone->pcp_batch, 1);
	booted_free(b);
}
END_TEST

/* Rows of a real kernel of 4 CPUs that lost two, one after the other. */
START_TEST(a_cpu_that_leaves_leaves_its_share_to_the_others)
{
	struct booted *b =
		boot_text("[machine]\narch = x86-64\nmemory = 4G\ncpus = 4\n"
			  "cmdline = transparent_hugepage=never\n");
	struct zone *zone = booted_zone(b, 0, "DMA32");
	uint64_t low;

	zone->managed_pages = 754602;
	phys_setup_wmarks(b->phys);
	low = zone->watermark[WMARK_LOW];
	ck_assert_uint_eq(zone->pcp_high, low / 4);
	ck_assert_uint_eq(zone->stat_threshold, 2 * 3 * 6);
	phys_set_cpu_online(b->phys, 3, false);
	ck_assert_uint_eq(zone->pcp_high, low / 3);
	ck_assert_uint_eq(zone->stat_threshold, 2 * 2 * 6);
	phys_set_cpu_online(b->phys, 1, false);
	ck_assert_uint_eq(zone->pcp_high, low / 2);
	phys_set_cpu_online(b->phys, 3, true);
	ck_assert_uint_eq(zone->pcp_high, low / 3);
	ck_assert_uint_eq(b->phys->nodes[0]->nr_cpus, 3);
	booted_free(b);
}
END_TEST

START_TEST(the_last_cpu_stays)
{
	struct booted *b = boot_short("x86-64", "1G", 1, "");

	phys_set_cpu_online(b->phys, 0, false);
	ck_assert(b->phys->cpu_online[0]);
	ck_assert_uint_eq(b->phys->nodes[0]->nr_cpus, 1);
	booted_free(b);
}
END_TEST

START_TEST(a_cpu_that_leaves_gives_its_pages_back)
{
	struct booted *b = boot_short("x86-64", "8G", 2, "");
	struct zone *zone = booted_zone(b, 1, "Normal");
	struct page_request request = {.gfp = GFP_KERNEL, .nid = 1, .cpu = 1};
	int64_t free = zone->stat[ZS_nr_free_pages];
	pfn_t pfn;

	ck_assert_int_eq(pages_alloc(b->phys, &request, &pfn), 0);
	pages_put(b->phys, pfn, 0, 1);
	ck_assert_uint_gt(zone->pcp[1].count, 0);
	phys_set_cpu_online(b->phys, 1, false);
	ck_assert_uint_eq(zone->pcp[1].count, 0);
	ck_assert_int_eq(zone->stat[ZS_nr_free_pages], free);
	/* Its node has no CPU now: all online ones share its lists. */
	ck_assert_uint_eq(zone->pcp_high, zone->watermark[WMARK_LOW] / 1);
	booted_free(b);
}
END_TEST

Suite *
suite_watermark(void)
{
	Suite *s = suite_create("watermark");
	TCase *t = tcase_create("watermark");

	tcase_add_loop_test(t, limits_are_those_of_a_real_64_bit_kernel, 0,
			    ARRAY_SIZE(x86_64));
	tcase_add_loop_test(t, limits_are_those_of_a_real_32_bit_kernel, 0,
			    ARRAY_SIZE(i386));
	tcase_add_test(t, every_watermark_is_at_least_the_one_below);
	tcase_add_loop_test(t,
			    huge_pages_raise_the_minimum_where_there_is_memory,
			    0, ARRAY_SIZE(huge));
	tcase_add_test(t, with_huge_pages_off_the_minimum_is_computed_twice);
	tcase_add_test(t, reserves_for_lower_zones_follow_their_ratios);
	tcase_add_test(
		t, what_is_kept_back_is_the_larger_reserve_and_the_high_mark);
	tcase_add_test(t, available_counts_half_the_caches_at_most_as_lost);
	tcase_add_test(t, available_is_never_negative);
	tcase_add_test(t, without_an_mmu_nothing_is_kept_on_per_cpu_lists);
	tcase_add_test(t, a_cpu_that_leaves_leaves_its_share_to_the_others);
	tcase_add_test(t, the_last_cpu_stays);
	tcase_add_test(t, a_cpu_that_leaves_gives_its_pages_back);
	suite_add_tcase(s, t);
	return s;
}
