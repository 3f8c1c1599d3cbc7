// SPDX-License-Identifier: MIT
/* test_boot.c - firmware, lowmem, hand-over, late frees, cma=, where a pfn is
 */
#include "booted.h"

#include "kmemfs/phys/firmware.h"

#include <time.h>

Suite *suite_boot(void);

/* What is usable of a map, as "0x1000-0x9fbff ...". */
static void
assert_usable(const struct booted *b, const char *want)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < b->phys->firmware->len; i++) {
		const struct firmware_range *f = &g_array_index(
			b->phys->firmware, struct firmware_range, i);

		if (f->type == E820_USABLE)
			g_string_append_printf(
				text, "%s0x%llx-0x%llx", text->len ? " " : "",
				(unsigned long long)f->range.start,
				(unsigned long long)f->range.end - 1);
	}
	ck_assert_str_eq(text->str, want);
	g_string_free(text, TRUE);
}

/* clang-format off */
static const struct {
	const char *cmdline;
	const char *usable;
} maps[] = {
	{"", "0x1000-0x9fbff 0x100000-0x1ffdffff"},
	{"mem=255M", "0x1000-0x9fbff 0x100000-0xfefffff"},
	{"memmap=64M$256M",
	 "0x1000-0x9fbff 0x100000-0xfffffff 0x14000000-0x1ffdffff"},
	{"memmap=1M#0x1fe00000",
	 "0x1000-0x9fbff 0x100000-0x1fdfffff 0x1ff00000-0x1ffdffff"},
	{"memmap=128M@1G",
	 "0x1000-0x9fbff 0x100000-0x1ffdffff 0x40000000-0x47ffffff"},
	{"memmap=exactmap memmap=636K@4K,255M@1M",
	 "0x1000-0x9ffff 0x100000-0xfffffff"},
	{"memmap=64M@512M mem=544M",
	 "0x1000-0x9fbff 0x100000-0x1ffdffff 0x20000000-0x21ffffff"},
};
/* clang-format on */

START_TEST(arguments_change_the_firmware_map_in_their_order)
{
	struct booted *b = boot_short("x86-64", "512M", 1, maps[_i].cmdline);

	assert_usable(b, maps[_i].usable);
	booted_free(b);
}
END_TEST

/* Ends that real kernels gave: 0x36bfe000, 0x36ffe000, 0x2e3fe000. */
/* clang-format off */
static const struct {
	const char *arch;
	const char *memory;
	const char *cmdline;
	pfn_t low;
	pfn_t high;
} lows[] = {
	{"i386",     "2G",   "",             0x36bfe, 0x7ffe0 },
	{"i386-pae", "4G",   "",             0x36ffe, 0x140000},
	{"i386",     "2G",   "vmalloc=256M", 0x2e3fe, 0x7ffe0 },
	{"i386",     "512M", "",             0x1ffe0, 0x1ffe0 },
	{"i386",     "512M", "highmem=128M", 0x17fe0, 0x1ffe0 },
	{"i386",     "512M", "highmem=480M", 0x1ffe0, 0x1ffe0 }, /* <64M low */
	{"i386",     "2G",   "highmem=256M", 0x36bfe, 0x46bfe },
	{"i386",     "6G",   "",             0x36bfe, 0xbffe0 }, /* no PAE */
};
/* clang-format on */

START_TEST(low_memory_ends_where_vmalloc_space_begins)
{
	struct booted *b =
		boot_short(lows[_i].arch, lows[_i].memory, 1, lows[_i].cmdline);
	const struct zone *high = booted_zone(b, 0, "HighMem");
	const struct zone *normal = booted_zone(b, 0, "Normal");

	ck_assert_uint_eq(b->phys->max_low_pfn, lows[_i].low);
	ck_assert_uint_eq(zone_end_pfn(normal), lows[_i].low);
	if (lows[_i].high == lows[_i].low)
		ck_assert_uint_eq(high->spanned_pages, 0);
	else
		ck_assert_uint_eq(zone_end_pfn(high), lows[_i].high);
	booted_free(b);
}
END_TEST

static const char *const freed = "[machine]\narch = x86-64\n"
				 "[firmware]\nmap = 0x0-0x3ffffff usable\n"
				 "[boot]\n"
				 "reserved = 0x0-0xfffff; 0x1000000-0x1ffffff; "
				 "0x3000800-0x3000fff\n"
				 "freed-early = 0x1000000-0x1008fff\n"
				 "freed-late = 0x1100000-0x11fffff\n";

START_TEST(managed_is_what_was_free_and_what_came_back)
{
	struct booted *b = boot_text(freed);
	const struct zone *dma = booted_zone(b, 0, "DMA");
	const struct zone *dma32 = booted_zone(b, 0, "DMA32");

	/* 16 MiB less the first; 32 MiB and the split page less 9 and 256. */
	ck_assert_uint_eq(dma->managed_pages, 4096 - 256);
	ck_assert_uint_eq(dma->present_pages, 4096 - 1 - 96);
	ck_assert_uint_eq(b->phys->handover_pages, 3840 + 8192 - 1);
	ck_assert_uint_eq(b->phys->late_pages, 9 + 256);
	ck_assert_uint_eq(dma32->managed_pages, 8192 - 1 + 9 + 256);
	ck_assert_int_eq(dma32->stat[ZS_nr_free_pages],
			 (int64_t)dma32->managed_pages);
	ck_assert(phys_reserved(b->phys, 0x3000));
	ck_assert(!phys_reserved(b->phys, 0x3001));
	ck_assert(!phys_reserved(b->phys, 0x1000));
	ck_assert(!phys_reserved(b->phys, 0x11ff));
	ck_assert(phys_reserved(b->phys, 0x1200));
	booted_free(b);
}
END_TEST

START_TEST(watermarks_know_early_frees_but_not_late_ones)
{
	struct booted *b = boot_text(freed);
	uint64_t low = 3840 + 8192 - 1 + 9;

	/* sqrt(16 * 4 * low pages), shared out by pages. */
	ck_assert_uint_eq(b->phys->sysctl.min_free_kbytes, 877);
	ck_assert_uint_eq(booted_zone(b, 0, "DMA")->watermark[WMARK_MIN],
			  877 / 4 * 3840 / low);
	booted_free(b);
}
END_TEST

/* 8 GiB: the memory map of 128 MiB lies at the top, in what is initialised
 * late; its 64 pageblocks were never made Movable. */
START_TEST(pageblocks_that_start_reserved_in_late_memory_stay_unmovable)
{
	struct booted *b = boot_short("x86-64", "8G", 1, "");
	pfn_t top = 0x240000;

	ck_assert_int_eq(pageblock_type(b->phys, top - 64 * 512),
			 MIGRATE_UNMOVABLE);
	ck_assert_int_eq(pageblock_type(b->phys, top - 65 * 512),
			 MIGRATE_MOVABLE);
	/* The kernel's image is initialised early. */
	ck_assert_int_eq(pageblock_type(b->phys, 0x1000), MIGRATE_MOVABLE);
	booted_free(b);
}
END_TEST

/* The free pages of @zone that list @type has, all orders. */
static uint64_t
free_of_type(const struct zone *zone, enum migratetype type)
{
	uint64_t pages = 0;

	for (unsigned int o = 0; o < MAX_ORDER; o++)
		pages += zone->free_area[o].nr_free[type] << o;
	return pages;
}

START_TEST(a_cma_area_lies_below_the_end_of_memory_and_is_lent_out)
{
	struct booted *b = boot_short("x86-64", "1G", 1, "cma=64M");
	const struct zone *zone = booted_zone(b, 0, "DMA32");

	/* Where a real kernel with the same map put it. */
	ck_assert_uint_eq(b->phys->cma.start, 0x3be00000);
	ck_assert_uint_eq(b->phys->cma.end, 0x3fe00000);
	ck_assert_uint_eq(zone->cma_pages, 16384);
	ck_assert_uint_eq(free_of_type(zone, MIGRATE_CMA), 16384);
	ck_assert_int_eq(zone->stat[ZS_nr_free_cma], 16384);
	ck_assert(!phys_reserved(b->phys, 0x3be00));
	booted_free(b);
}
END_TEST

/* clang-format off */
static const struct {
	const char *memory;
	const char *cmdline;
	pa_t start;
} cmas[] = {
	{"8G", "cma=64M",            GIB(4)                          },
	{"4G", "cma=1025M",          GIB(3) - MIB(1026) - MIB(2)     },
	{"1G", "cma=16M@512M",       MIB(512)                        },
	{"1G", "cma=16M@0-256M",     MIB(240)                        },
	{"1G", "cma=15M@0-256M",     MIB(240) /* whole pageblocks */ },
	{"1G", "cma=16M@0x20100000", 0 /* not at a pageblock */      },
};
/* clang-format on */

START_TEST(a_cma_area_goes_where_the_argument_and_memory_let_it)
{
	struct booted *b =
		boot_short("x86-64", cmas[_i].memory, 1, cmas[_i].cmdline);

	ck_assert_uint_eq(b->phys->cma.start, cmas[_i].start);
	booted_free(b);
}
END_TEST

START_TEST(a_pfn_belongs_to_the_zone_of_its_memory)
{
	static const struct {
		const char *why;
		pfn_t pfn;
		unsigned int nid;
		const char *zone;
		bool present;
	} rows[] = {
		{"first page of RAM", 0x1,	   0, "DMA",    true },
		{"BIOS hole",	      0xa0,	    0, "DMA",    false},
		{"last of DMA",	0xfff,    0, "DMA",	 true },
		{"first of DMA32",	   0x1000,   0, "DMA32",  true },
		{"PCI hole",	     0xc0000,  0, "DMA32",  false},
		{"4 GiB",		  0x100000, 0, "Normal", true },
		{"last of node 0",	   0x13ffff, 0, "Normal", true },
		{"first of node 1",   0x140000, 1, "Normal", true },
		{"last",		 0x23ffff, 1, "Normal", true },
	};
	struct booted *b = boot_short("x86-64", "8G", 2, "");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert_msg(phys_zone_of(b->phys, rows[i].pfn) ==
				      booted_zone(b, rows[i].nid, rows[i].zone),
			      "%s", rows[i].why);
		ck_assert_msg(phys_present(b->phys, rows[i].pfn) ==
				      rows[i].present,
			      "%s", rows[i].why);
	}
	ck_assert_ptr_null(phys_zone_of(b->phys, 0x240000));
	ck_assert_ptr_null(phys_zone_of(b->phys, 0));
	ck_assert(!phys_present(b->phys, 0x240000));
	booted_free(b);
}
END_TEST

START_TEST(nodes_may_lie_between_each_other)
{
	struct booted *b = boot_text(
		"[machine]\narch = x86-64\ncpus = 2\n"
		"[firmware]\nmap = 0x0-0x3fffffff usable\n[boot]\nreserved =\n"
		"[node 0]\nmemory = 0x0-0xfffffff; 0x20000000-0x2fffffff\n"
		"[node 1]\nmemory = 0x10000000-0x1fffffff; "
		"0x30000000-0x3fffffff\n");
	const struct zone *zero = booted_zone(b, 0, "DMA32");
	const struct zone *one = booted_zone(b, 1, "DMA32");

	ck_assert_uint_eq(zero->spanned_pages, 0x2f000);
	ck_assert_uint_eq(zero->present_pages, 0x1f000);
	ck_assert_uint_eq(one->start_pfn, 0x10000);
	ck_assert_uint_eq(one->spanned_pages, 0x30000);
	ck_assert_ptr_eq(phys_zone_of(b->phys, 0x18000), one);
	ck_assert_ptr_eq(phys_zone_of(b->phys, 0x28000), zero);
	ck_assert_ptr_eq(phys_zone_of(b->phys, 0x38000), one);
	booted_free(b);
}
END_TEST

START_TEST(small_memory_is_not_grouped_by_mobility)
{
	struct booted *b = boot_short("generic", "16M", 1, "");

	/* 5 types of 1024-page blocks are more than there is. */
	ck_assert(b->phys->mobility_off);
	ck_assert(strstr(b->log->str, "mobility grouping off"));
	booted_free(b);
	b = boot_short("x86-64", "64M", 1, "");
	ck_assert(!b->phys->mobility_off);
	booted_free(b);
}
END_TEST

START_TEST(a_machine_of_64_tib_boots_at_once)
{
	struct timespec before, after;
	struct booted *b;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	b = boot_short("x86-64", "64T", 16, "");
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	ck_assert_uint_gt(booted_zone(b, 9, "Normal")->managed_pages,
			  GIB(1) - MIB(64));
	/* Seconds of CPU would mean that something is done for each page. */
	ck_assert_int_lt(after.tv_sec - before.tv_sec, 2);
	booted_free(b);
}
END_TEST

/* clang-format off */
static const struct {
	const char *why;
	const char *text;
	const char *reason; /* part of it */
} impossible[] = {
	{"all of memory is reserved",
	 "[machine]\narch = generic\n[firmware]\nmap = 0x0-0xffffff usable\n"
	 "[boot]\nreserved = 0x0-0xffffff\n",
	 "all directly mapped memory is reserved"},
	{"no memory is usable",
	 "[machine]\narch = x86-64\n[firmware]\nmap = 0x0-0xffff reserved\n"
	 "[boot]\nreserved =\n",
	 "no usable memory"},
	{"a zone would span more frames than links can count",
	 "[machine]\narch = x86-64\nmemory = 32T\n",
	 "would span"},
	{"the kernel's image does not fit",
	 "[machine]\narch = x86-64\nmemory = 32M\n",
	 "the kernel's place"},
	{"a piece of memory is nobody's",
	 "[machine]\narch = x86-64\ncpus = 2\n"
	 "[firmware]\nmap = 0x0-0x3fffffff usable\n[boot]\nreserved =\n"
	 "[node 0]\nmemory = 0x0-0xfffffff\n"
	 "[node 1]\nmemory = 0x10000000-0x2fffffff\n",
	 "0x30000000-0x3fffffff belongs to no node"},
	{"vmalloc space leaves nothing",
	 "[machine]\narch = i386\nmemory = 1G\ncmdline = vmalloc=1000M\n"
	 "[boot]\nreserved = 0x0-0xfffff\n",
	 "leaves no room"},
};
/* clang-format on */

START_TEST(what_makes_no_machine_is_refused_with_a_reason)
{
	char *why = boot_reason(impossible[_i].text);

	ck_assert_msg(strstr(why, impossible[_i].reason) != NULL, "%s: %s",
		      impossible[_i].why, why);
	g_free(why);
}
END_TEST

START_TEST(numa_off_makes_one_node_of_all)
{
	struct booted *b = boot_short("x86-64", "8G", 2, "numa=off");

	ck_assert_uint_eq(b->phys->nr_nodes, 1);
	ck_assert_uint_eq(b->phys->nodes[0]->nr_cpus, 2);
	ck_assert_uint_eq(booted_zone(b, 0, "Normal")->present_pages,
			  GIB(5) >> 12);
	booted_free(b);
}
END_TEST

START_TEST(page_size_scales_all_that_is_counted_in_pages)
{
	struct booted *b =
		boot_text("[machine]\narch = generic\npage-size = 64K\n"
			  "memory = 1G\n");
	const struct zone *zone = booted_zone(b, 0, "Normal");

	ck_assert_uint_eq(zone->present_pages, 16384);
	/* 16 pages are 1 MiB: batch from min(16344 >> 10, 16) / 4 = 3. */
	ck_assert_uint_eq(zone->pcp_batch, 3);
	ck_assert_uint_eq(zone->watermark[WMARK_MIN],
			  b->phys->sysctl.min_free_kbytes / 64);
	booted_free(b);
}
END_TEST

Suite *
suite_boot(void)
{
	Suite *s = suite_create("boot");
	TCase *t = tcase_create("boot");

	tcase_add_loop_test(t, arguments_change_the_firmware_map_in_their_order,
			    0, ARRAY_SIZE(maps));
	tcase_add_loop_test(t, low_memory_ends_where_vmalloc_space_begins, 0,
			    ARRAY_SIZE(lows));
	tcase_add_test(t, managed_is_what_was_free_and_what_came_back);
	tcase_add_test(t, watermarks_know_early_frees_but_not_late_ones);
	tcase_add_test(
		t,
		pageblocks_that_start_reserved_in_late_memory_stay_unmovable);
	tcase_add_test(t,
		       a_cma_area_lies_below_the_end_of_memory_and_is_lent_out);
	tcase_add_loop_test(
		t, a_cma_area_goes_where_the_argument_and_memory_let_it, 0,
		ARRAY_SIZE(cmas));
	tcase_add_test(t, a_pfn_belongs_to_the_zone_of_its_memory);
	tcase_add_test(t, nodes_may_lie_between_each_other);
	tcase_add_test(t, small_memory_is_not_grouped_by_mobility);
	tcase_add_test(t, a_machine_of_64_tib_boots_at_once);
	tcase_add_loop_test(t, what_makes_no_machine_is_refused_with_a_reason,
			    0, ARRAY_SIZE(impossible));
	tcase_add_test(t, numa_off_makes_one_node_of_all);
	tcase_add_test(t, page_size_scales_all_that_is_counted_in_pages);
	suite_add_tcase(s, t);
	return s;
}
