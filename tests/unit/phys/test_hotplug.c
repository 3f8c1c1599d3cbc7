// SPDX-License-Identifier: MIT
/* test_hotplug.c - memory blocks that leave and come back */
#include "booted.h"

#include <errno.h>

Suite *suite_hotplug(void);

#define BLOCK_PAGES 32768 /* 128 MiB */
#define BLOCK(n) ((pfn_t)(n)*BLOCK_PAGES)

static struct booted *b;

/* 1 GiB, and a memory device of 1 GiB at 4 GiB: blocks 32 to 39. */
static void
boot_with(const char *cmdline)
{
	char *text = g_strdup_printf(
		"[machine]\narch = x86-64\nmemory = 1G\ncpus = 2\n"
		"cmdline = transparent_hugepage=never %s\n"
		"[boot]\nhotplugged = 0x100000000-0x13fffffff\n",
		cmdline);

	if (b)
		booted_free(b);
	b = boot_text(text);
	g_free(text);
}

static void
teardown(void)
{
	booted_free(b);
	b = NULL;
}

static void
offline(unsigned int block)
{
	ck_assert_int_eq(hotplug_offline(b->phys, BLOCK(block), BLOCK_PAGES),
			 0);
}

static void
online(unsigned int block, enum online_type how)
{
	ck_assert_int_eq(
		hotplug_online(b->phys, BLOCK(block), BLOCK_PAGES, how), 0);
}

static void
assert_zone(const char *name, unsigned int start, unsigned int spanned,
	    unsigned int present)
{
	const struct zone *zone = booted_zone(b, 0, name);

	ck_assert_uint_eq(zone->start_pfn, BLOCK(start));
	ck_assert_uint_eq(zone->spanned_pages, BLOCK(spanned));
	ck_assert_uint_eq(zone->present_pages, BLOCK(present));
	ck_assert_uint_eq(zone->managed_pages, BLOCK(present));
	ck_assert_int_eq(zone->stat[ZS_nr_free_pages], (int64_t)BLOCK(present));
}

START_TEST(a_device_that_nobody_puts_online_is_no_memory)
{
	boot_with("");
	assert_zone("Normal", 0, 0, 0);
	ck_assert(!phys_present(b->phys, BLOCK(32)));
	ck_assert_ptr_null(phys_zone_of(b->phys, BLOCK(32)));
}
END_TEST

START_TEST(the_default_state_puts_it_into_its_zone)
{
	boot_with("memhp_default_state=online");
	assert_zone("Normal", 32, 8, 8);
	boot_with("memhp_default_state=online_movable");
	assert_zone("Movable", 32, 8, 8);
	boot_with("memhp_default_state=online movable_node");
	assert_zone("Movable", 32, 8, 8);
}
END_TEST

/* The steps that a real kernel was taken through. */
START_TEST(spans_shrink_at_the_ends_and_grow_by_what_comes_back)
{
	boot_with("memhp_default_state=online");
	offline(39);
	assert_zone("Normal", 32, 7, 7);
	offline(38);
	assert_zone("Normal", 32, 6, 6);
	offline(36);
	/* A hole: the span stays. */
	assert_zone("Normal", 32, 6, 5);
	ck_assert(!phys_present(b->phys, BLOCK(36)));
	online(36, ONLINE_KERNEL);
	assert_zone("Normal", 32, 6, 6);
	online(39, ONLINE_MOVABLE);
	assert_zone("Movable", 39, 1, 1);
	ck_assert_ptr_eq(phys_zone_of(b->phys, BLOCK(39)),
			 booted_zone(b, 0, "Movable"));
	online(38, ONLINE_AUTO);
	assert_zone("Normal", 32, 7, 7);
	ck_assert_uint_eq(b->phys->nodes[0]->spanned_pages, BLOCK(40) - 1);
}
END_TEST

START_TEST(the_first_block_may_leave_and_come_back_too)
{
	boot_with("memhp_default_state=online");
	offline(32);
	assert_zone("Normal", 33, 7, 7);
	online(32, ONLINE_AUTO);
	/* Neither zone spanned it: kernel memory it is. */
	assert_zone("Normal", 32, 8, 8);
}
END_TEST

START_TEST(a_zone_that_becomes_empty_leaves_the_zonelists)
{
	char *list;

	boot_with("memhp_default_state=online_movable");
	list = booted_list(b, 0, ZONELIST_FALLBACK);
	ck_assert_str_eq(list, "0:Movable 0:DMA32 0:DMA");
	g_free(list);
	for (unsigned int block = 32; block < 40; block++)
		offline(block);
	assert_zone("Movable", 0, 0, 0);
	list = booted_list(b, 0, ZONELIST_FALLBACK);
	ck_assert_str_eq(list, "0:DMA32 0:DMA");
	g_free(list);
	ck_assert_uint_eq(b->phys->nodes[0]->present_pages,
			  booted_zone(b, 0, "DMA")->present_pages +
				  booted_zone(b, 0, "DMA32")->present_pages);
}
END_TEST

START_TEST(limits_are_computed_anew_both_ways)
{
	uint64_t kbytes, reserve;

	boot_with("memhp_default_state=online");
	/* Each computation counts what is above the last one's high marks. */
	phys_init_wmark_min(b->phys);
	kbytes = b->phys->sysctl.min_free_kbytes;
	reserve = booted_zone(b, 0, "DMA")->lowmem_reserve[ZONE_NORMAL];
	offline(35);
	ck_assert_uint_lt(b->phys->sysctl.min_free_kbytes, kbytes);
	ck_assert_uint_eq(booted_zone(b, 0, "DMA")->lowmem_reserve[ZONE_NORMAL],
			  reserve - BLOCK_PAGES / 256);
	online(35, ONLINE_AUTO);
	phys_init_wmark_min(b->phys);
	ck_assert_uint_eq(b->phys->sysctl.min_free_kbytes, kbytes);
	ck_assert_uint_eq(booted_zone(b, 0, "DMA")->lowmem_reserve[ZONE_NORMAL],
			  reserve);
}
END_TEST

START_TEST(a_block_with_a_page_in_use_stays)
{
	struct page_request request = {.gfp = GFP_KERNEL};
	uint64_t managed;
	pfn_t pfn;
	int busy = 0;

	boot_with("memhp_default_state=online");
	ck_assert_int_eq(pages_alloc(b->phys, &request, &pfn), 0);
	managed = booted_zone(b, 0, "Normal")->managed_pages;
	for (unsigned int block = 32; block < 40; block++) {
		int err = 0;

		if (pfn / BLOCK_PAGES != block)
			continue;
		err = hotplug_offline(b->phys, BLOCK(block), BLOCK_PAGES);
		busy += err == -EBUSY;
	}
	ck_assert_int_eq(busy, 1);
	ck_assert_uint_eq(booted_zone(b, 0, "Normal")->managed_pages, managed);
	pages_put(b->phys, pfn, 0, 0);
	/* It lies on a per-cpu list now, which is drained first. */
	offline((unsigned int)(pfn / BLOCK_PAGES));
}
END_TEST

START_TEST(what_is_not_there_or_not_whole_is_refused)
{
	boot_with("memhp_default_state=online");
	/* Holes, two zones, already offline, already online, nowhere. */
	ck_assert_int_eq(hotplug_offline(b->phys, 0, BLOCK_PAGES), -EINVAL);
	ck_assert_int_eq(hotplug_offline(b->phys, BLOCK(50), BLOCK_PAGES),
			 -EINVAL);
	ck_assert_int_eq(
		hotplug_online(b->phys, BLOCK(33), BLOCK_PAGES, ONLINE_AUTO),
		-EINVAL);
	offline(33);
	ck_assert_int_eq(hotplug_offline(b->phys, BLOCK(33), BLOCK_PAGES),
			 -EINVAL);
	ck_assert_int_eq(
		hotplug_online(b->phys, BLOCK(50), BLOCK_PAGES, ONLINE_AUTO),
		-EINVAL);
	/* Reserved pages cannot leave. */
	ck_assert_int_eq(hotplug_offline(b->phys, BLOCK(1), BLOCK_PAGES), 0);
	ck_assert_int_eq(hotplug_offline(b->phys, 0x1000, BLOCK_PAGES),
			 -EINVAL);
}
END_TEST

Suite *
suite_hotplug(void)
{
	Suite *s = suite_create("hotplug");
	TCase *t = tcase_create("hotplug");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, a_device_that_nobody_puts_online_is_no_memory);
	tcase_add_test(t, the_default_state_puts_it_into_its_zone);
	tcase_add_test(t, spans_shrink_at_the_ends_and_grow_by_what_comes_back);
	tcase_add_test(t, the_first_block_may_leave_and_come_back_too);
	tcase_add_test(t, a_zone_that_becomes_empty_leaves_the_zonelists);
	tcase_add_test(t, limits_are_computed_anew_both_ways);
	tcase_add_test(t, a_block_with_a_page_in_use_stays);
	tcase_add_test(t, what_is_not_there_or_not_whole_is_refused);
	suite_add_tcase(s, t);
	return s;
}
