// SPDX-License-Identifier: MIT
/* test_blocks.c - memory blocks and sysctls: what a write does, what is seen */
#include "unit/view/views.h"

#include "kmemfs/phys/memory_block.h"

Suite *suite_blocks(void);

static struct machine *m;

static void
boot(void)
{
	m = views_boot(NUMA_MACHINE);
}

static void
end(void)
{
	machine_free(m);
}

static void
assert_shows(show_fn show, uint64_t key, const char *want)
{
	char *text = views_text(m, show, key, 0);

	ck_assert_str_eq(text, want);
	g_free(text);
}

static struct zone *
zone(unsigned int nid, enum zone_type type)
{
	return &m->phys->nodes[nid]->zones[type];
}

/* 6 GiB: 0-3 GiB, a hole, 4-7 GiB in blocks of 128 MiB. */
START_TEST(blocks_are_there_where_memory_is)
{
	uint64_t block;

	ck_assert_uint_eq(memory_block_bytes(m->phys), MIB(128));
	ck_assert(memory_block_exists(m->phys, 0));
	ck_assert(memory_block_exists(m->phys, 23));
	ck_assert(!memory_block_exists(m->phys, 24));
	ck_assert(memory_block_next(m->phys, 24, &block));
	ck_assert_uint_eq(block, 32);
	ck_assert(memory_block_exists(m->phys, 55));
	ck_assert(!memory_block_next(m->phys, 56, &block));
	assert_shows(show_memory_block_size, 0, "8000000\n");
	assert_shows(show_memory_phys_index, 0x2a, "0000002a\n");
}
END_TEST

START_TEST(blocks_grow_with_memory)
{
	static const struct {
		const char *memory;
		const char *block;
	} sizes[] = {
		{"62G",	"8000000\n" }, /* ends at 63 GiB */
		{"63G",	"80000000\n"}, /* at 64 GiB: 2 GiB */
		{"64G",	"40000000\n"}, /* at 65 GiB: 1 GiB */
		{"127G", "80000000\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char text[128];

		machine_free(m);
		snprintf(text, sizeof(text),
			 "[machine]\narch = x86-64\nmemory = %s\ncpus = 1\n",
			 sizes[i].memory);
		m = views_boot(text);
		assert_shows(show_memory_block_size, 0, sizes[i].block);
	}
}
END_TEST

START_TEST(kernels_without_sections_have_no_blocks)
{
	struct view v;

	machine_free(m);
	m = views_boot(HIGHMEM_MACHINE);
	v = (struct view){.m = m};
	ck_assert(!when_memory_blocks(&v));
	ck_assert(!memory_block_exists(m->phys, 0));
	ck_assert_int_eq(views_do(m, "memory/state memory1 offline"), -ENODEV);
}
END_TEST

/* As in the steps that a real kernel was taken through. */
START_TEST(a_block_goes_offline_and_joins_the_zone_it_is_told)
{
	uint64_t pages = memory_block_pages(m->phys);
	uint64_t managed = zone(1, ZONE_NORMAL)->managed_pages;

	assert_shows(show_memory_valid_zones, 0, "none\n");
	assert_shows(show_memory_valid_zones, 23, "DMA32\n");
	assert_shows(show_memory_valid_zones, 50, "Normal\n");
	ck_assert_int_eq(views_do(m, "memory/state memory50 offline"), 0);
	assert_shows(show_memory_state, 50, "offline\n");
	assert_shows(show_memory_online, 50, "0\n");
	assert_shows(show_memory_valid_zones, 50, "Normal Movable\n");
	ck_assert_uint_eq(zone(1, ZONE_NORMAL)->managed_pages, managed - pages);
	ck_assert_int_eq(views_do(m, "memory/state memory50 online_movable"),
			 0);
	assert_shows(show_memory_valid_zones, 50, "Movable\n");
	ck_assert_uint_eq(zone(1, ZONE_MOVABLE)->managed_pages, pages);
	ck_assert_int_eq(views_do(m, "memory/state memory50 0"), 0);
	ck_assert_int_eq(views_do(m, "memory/state memory50 0"), 0);
	ck_assert_int_eq(views_do(m, "memory/state memory50 1"), 0);
	assert_shows(show_memory_valid_zones, 50, "Normal\n");
	ck_assert_uint_eq(zone(1, ZONE_NORMAL)->managed_pages, managed);
}
END_TEST

START_TEST(what_cannot_go_offline_stays)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];

	machine_digest(m, before);
	ck_assert_int_eq(views_do(m, "memory/state memory0 offline"), -EINVAL);
	ck_assert_int_eq(views_do(m, "memory/state memory24 offline"), -ENODEV);
	ck_assert_int_eq(views_do(m, "memory/state memory50 online"), -EINVAL);
	ck_assert_int_eq(views_do(m, "memory/state memory50 up"), -EINVAL);
	ck_assert_int_eq(views_do(m, "memory/state node1 offline"), -ENODEV);
	machine_digest(m, after);
	ck_assert_str_eq(before, after);
}
END_TEST

START_TEST(a_block_in_use_is_busy)
{
	const struct allocation *a;
	uint64_t block;

	ck_assert_int_eq(
		views_do(m, "page/alloc_pages GFP_KERNEL 4 name=x node=1"), 0);
	a = allocation_find(m, "x");
	block = a->pfn / memory_block_pages(m->phys);
	ck_assert_int_eq(views_do(m, "memory/state memory%llu offline",
				  (unsigned long long)block),
			 -EBUSY);
	assert_shows(show_memory_state, block, "online\n");
}
END_TEST

START_TEST(a_sysctl_shows_what_was_written)
{
	struct view v = {.m = m, .name = "min_free_kbytes"};
	struct out out = OUT_INIT;
	uint64_t low = wmark_pages(zone(0, ZONE_DMA32), WMARK_LOW);

	ck_assert_int_eq(views_do(m, "vm/sysctl min_free_kbytes 131072"), 0);
	show_sysctl(&v, &out);
	ck_assert_str_eq(out_text(&out), "131072\n");
	ck_assert_uint_gt(wmark_pages(zone(0, ZONE_DMA32), WMARK_LOW), low);
	ck_assert_int_eq(views_do(m, "vm/sysctl min_free_kbytes many"),
			 -EINVAL);
	ck_assert_int_eq(views_do(m, "vm/sysctl no_such 1"), -ENOENT);
	out_reset(&out);
	show_sysctl(&v, &out);
	ck_assert_str_eq(out_text(&out), "131072\n");
	out_fini(&out);
}
END_TEST

START_TEST(every_declared_sysctl_has_a_value)
{
	static const char *const names[] = {
		"extfrag_threshold",	  "lowmem_reserve_ratio",
		"min_free_kbytes",	  "numa_zonelist_order",
		"watermark_boost_factor", "percpu_pagelist_high_fraction",
		"watermark_scale_factor", "zone_reclaim_mode",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct view v = {.m = m, .name = names[i]};
		struct out out = OUT_INIT;

		show_sysctl(&v, &out);
		ck_assert_msg(out.len > 1, "%s", names[i]);
		out_fini(&out);
	}
}
END_TEST

Suite *
suite_blocks(void)
{
	Suite *s = suite_create("blocks");
	TCase *t = tcase_create("blocks");

	tcase_add_checked_fixture(t, boot, end);
	tcase_add_test(t, blocks_are_there_where_memory_is);
	tcase_add_test(t, blocks_grow_with_memory);
	tcase_add_test(t, kernels_without_sections_have_no_blocks);
	tcase_add_test(t, a_block_goes_offline_and_joins_the_zone_it_is_told);
	tcase_add_test(t, what_cannot_go_offline_stays);
	tcase_add_test(t, a_block_in_use_is_busy);
	tcase_add_test(t, a_sysctl_shows_what_was_written);
	tcase_add_test(t, every_declared_sysctl_has_a_value);
	suite_add_tcase(s, t);
	return s;
}
