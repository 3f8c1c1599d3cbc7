// SPDX-License-Identifier: MIT
/* test_picture.c - pictures can be read: texts apart, all inside, all shown */
#include "unit/view/pictures.h"

#include "kmemfs/phys/memory_block.h"

#include <inttypes.h>

Suite *suite_picture(void);

START_TEST(texts_of_a_fresh_machine_are_apart_and_inside)
{
	struct machine *m = views_boot(picture_machines[_i]);

	pictures_check(m, picture_machines[_i]);
	machine_free(m);
}
END_TEST

/* Objects of many sizes on several CPUs, some of them given back. */
static void
use_slabs(struct machine *m)
{
	unsigned int nr_cpus = m->phys->nr_cpus;

	views_do(m, "slab/kmem_cache_create "
		    "a_cache_whose_name_is_too_long_for_its_column 616");
	views_do(m, "slab/kmem_cache_create padded 100 64");
	for (unsigned int i = 0; i < 400; i++) {
		views_do(m, "slab/kmalloc %u name=k%u cpu=%u", 8U << i % 11, i,
			 i % nr_cpus);
		views_do(m, "slab/kmem_cache_alloc "
			    "a_cache_whose_name_is_too_long_for_its_column");
		views_do(m, "slab/kmem_cache_alloc padded");
		if (i % 3 == 1)
			views_do(m, "slab/kfree k%u", i - 1);
	}
}

START_TEST(texts_of_a_machine_in_use_are_apart_and_inside)
{
	struct machine *m = views_boot(picture_machines[_i]);

	pictures_use_task(m);
	use_slabs(m);
	views_use(m, (unsigned int)_i, 3000);
	pictures_check(m, picture_machines[_i]);
	machine_free(m);
}
END_TEST

START_TEST(texts_stay_apart_with_limits_far_from_one_another_or_equal)
{
	struct machine *m = views_boot(NUMA_MACHINE);

	ck_assert_int_eq(views_do(m, "vm/sysctl watermark_scale_factor 3000"),
			 0);
	pictures_check(m, "limits far apart");
	ck_assert_int_eq(views_do(m, "vm/sysctl watermark_scale_factor 1"), 0);
	ck_assert_int_eq(views_do(m, "vm/sysctl min_free_kbytes 1"), 0);
	pictures_check(m, "limits all but equal");
	machine_free(m);
}
END_TEST

/* --- as files ----------------------------------------------------------------
 */

static char *
svg_of(const struct machine *m, int i, size_t *len)
{
	struct picture *p = picture_table[i].draw(m, NULL);
	struct out out = OUT_INIT;
	char *text;

	picture_svg(p, &out);
	*len = out.len;
	text = g_strdup(out_text(&out));
	out_fini(&out);
	picture_free(p);
	return text;
}

START_TEST(the_same_state_gives_the_same_svg)
{
	struct machine *m = views_boot(NUMA_MACHINE);
	struct machine *n = views_boot(NUMA_MACHINE);
	size_t len, again;
	char *a, *b;

	pictures_use_task(m);
	pictures_use_task(n);
	use_slabs(m);
	use_slabs(n);
	views_use(m, 5, 500);
	views_use(n, 5, 500);
	a = svg_of(m, _i, &len);
	b = svg_of(m, _i, &again);
	ck_assert_str_eq(a, b);
	g_free(b);
	b = svg_of(n, _i, &again);
	ck_assert_str_eq(a, b);
	ck_assert_uint_eq(len, again);
	ck_assert_uint_eq(len, strlen(a));
	g_free(a);
	g_free(b);
	machine_free(m);
	machine_free(n);
}
END_TEST

START_TEST(the_same_picture_gives_the_same_png)
{
	struct machine *m = views_boot(NUMA_MACHINE);
	struct picture *p = picture_table[_i].draw(m, NULL);
	struct out a = OUT_INIT, b = OUT_INIT;

	picture_png(p, &a);
	picture_png(p, &b);
	ck_assert_uint_eq(a.len, b.len);
	ck_assert_int_eq(memcmp(a.text, b.text, a.len), 0);
	out_fini(&a);
	out_fini(&b);
	picture_free(p);
	machine_free(m);
}
END_TEST

static uint32_t
big_endian(const char *at)
{
	const unsigned char *b = (const unsigned char *)at;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

START_TEST(a_png_is_one_and_as_large_as_the_picture)
{
	struct machine *m = views_boot(picture_machines[_i]);
	struct out out = OUT_INIT;

	for (int i = 0; i < NR_PICTURES; i++) {
		struct picture *p = picture_table[i].draw(m, NULL);

		out_reset(&out);
		picture_png(p, &out);
		ck_assert_uint_gt(out.len, 57);
		ck_assert_int_eq(
			memcmp(out.text, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16),
			0);
		ck_assert_uint_eq(big_endian(out.text + 16), PICTURE_WIDTH);
		ck_assert_uint_eq(big_endian(out.text + 20),
				  (uint32_t)picture_height(p));
		ck_assert_int_eq(memcmp(out.text + out.len - 8, "IEND", 4), 0);
		picture_free(p);
	}
	out_fini(&out);
	machine_free(m);
}
END_TEST

START_TEST(an_svg_is_as_large_as_the_picture_and_closed)
{
	struct machine *m = views_boot(picture_machines[_i]);

	for (int i = 0; i < NR_PICTURES; i++) {
		struct picture *p = picture_table[i].draw(m, NULL);
		size_t len;
		char *text = svg_of(m, i, &len);
		char *size = g_strdup_printf("viewBox=\"0 0 %d %.0f\"",
					     PICTURE_WIDTH, picture_height(p));

		ck_assert_msg(strstr(text, size), "no %s", size);
		ck_assert(g_str_has_suffix(text, "</svg>\n"));
		g_free(size);
		g_free(text);
		picture_free(p);
	}
	machine_free(m);
}
END_TEST

/* --- what they show
 * ------------------------------------------------------------ */

START_TEST(an_allocation_shows_in_the_map)
{
	struct machine *m = views_boot(NUMA_MACHINE);
	double free = pictures_area(m, picture_frames, COLOUR_SKY);
	double used = pictures_area(m, picture_frames, COLOUR_VERMILLION);

	ck_assert_int_eq(views_do(m, "page/alloc_pages GFP_KERNEL 0 name=one"),
			 0);
	ck_assert(pictures_area(m, picture_frames, COLOUR_VERMILLION) > used);
	ck_assert(pictures_area(m, picture_frames, COLOUR_SKY) < free);
	machine_free(m);
}
END_TEST

START_TEST(each_movability_has_its_colour_in_the_map)
{
	static const struct {
		const char *gfp;
		enum picture_colour colour;
	} rows[] = {
		{"GFP_KERNEL",		       COLOUR_VERMILLION},
		{"GFP_HIGHUSER_MOVABLE",	 COLOUR_GREEN     },
		{"GFP_KERNEL|__GFP_RECLAIMABLE", COLOUR_ORANGE    },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct machine *m = views_boot(NUMA_MACHINE);
		double before =
			pictures_area(m, picture_frames, rows[i].colour);

		ck_assert_int_eq(views_do(m, "page/alloc_pages %s 10 name=one",
					  rows[i].gfp),
				 0);
		ck_assert_msg(pictures_area(m, picture_frames, rows[i].colour) >
				      before,
			      "%s", rows[i].gfp);
		machine_free(m);
	}
}
END_TEST

START_TEST(per_cpu_pages_show_in_both)
{
	struct machine *m = views_boot(NUMA_MACHINE);
	double map = pictures_area(m, picture_frames, COLOUR_YELLOW);
	double bars = pictures_area(m, picture_buddy, COLOUR_YELLOW);

	ck_assert_int_eq(views_do(m, "page/alloc_pages GFP_KERNEL 0 name=one"),
			 0);
	ck_assert(pictures_area(m, picture_frames, COLOUR_YELLOW) > map);
	ck_assert(pictures_area(m, picture_buddy, COLOUR_YELLOW) > bars);
	ck_assert_int_eq(views_do(m, "page/drain_all_pages"), 0);
	ck_assert(pictures_area(m, picture_frames, COLOUR_YELLOW) == map);
	ck_assert(pictures_area(m, picture_buddy, COLOUR_YELLOW) == bars);
	machine_free(m);
}
END_TEST

START_TEST(memory_offline_is_grey_in_its_zone_and_beyond)
{
	struct machine *m = views_boot(NUMA_MACHINE);
	double before = pictures_area(m, picture_frames, COLOUR_LIGHT), middle;

	/* In the middle of node 1's Normal; then its first block, which the
	 * zone does not span any more. */
	ck_assert_int_eq(views_do(m, "memory/state memory50 offline"), 0);
	middle = pictures_area(m, picture_frames, COLOUR_LIGHT);
	ck_assert(middle > before);
	ck_assert(!pictures_show(m, picture_frames, "node 1, offline"));
	ck_assert_int_eq(
		views_do(m, "memory/state memory%" PRIu64 " offline",
			 m->phys->nodes[1]->zones[ZONE_NORMAL].start_pfn /
				 memory_block_pages(m->phys)),
		0);
	ck_assert(pictures_show(m, picture_frames, "node 1, offline"));
	ck_assert(pictures_area(m, picture_frames, COLOUR_LIGHT) > middle);
	pictures_check(m, "blocks offline");
	machine_free(m);
}
END_TEST

START_TEST(a_free_block_counts_in_the_bar_of_its_order)
{
	struct machine *m = views_boot(NUMA_MACHINE);

	ck_assert_int_eq(views_do(m, "page/alloc_pages GFP_KERNEL 4 name=one"),
			 0);
	ck_assert(pictures_area(m, picture_buddy, COLOUR_VERMILLION) >
		  12 * 12 * 2); /* more than the legends' swatches */
	machine_free(m);
}
END_TEST

START_TEST(objects_show_in_the_map_and_in_the_bar_of_their_cache)
{
	struct machine *m = views_boot(NUMA_MACHINE);
	double map = pictures_area(m, picture_frames, COLOUR_PURPLE);
	double used;

	ck_assert(!pictures_show(m, picture_slab, "mine"));
	ck_assert_int_eq(views_do(m, "slab/kmem_cache_create mine 4000"), 0);
	ck_assert(!pictures_show(m, picture_slab, "mine"));
	ck_assert_int_eq(views_do(m, "slab/kmem_cache_alloc mine name=one"), 0);
	ck_assert(pictures_show(m, picture_slab, "mine"));
	ck_assert(pictures_area(m, picture_frames, COLOUR_PURPLE) > map);
	used = pictures_area(m, picture_slab, COLOUR_GREEN);
	ck_assert_int_eq(views_do(m, "slab/kmem_cache_alloc mine name=two"), 0);
	ck_assert(pictures_area(m, picture_slab, COLOUR_GREEN) > used);
	ck_assert_int_eq(views_do(m, "slab/kmem_cache_free mine two"), 0);
	ck_assert(pictures_area(m, picture_slab, COLOUR_GREEN) == used);
	machine_free(m);
}
END_TEST

START_TEST(more_caches_than_can_be_drawn_are_counted)
{
	struct machine *m = views_boot(NUMA_MACHINE);

	for (int i = 0; i < 60; i++) {
		ck_assert_int_eq(views_do(m, "slab/kmem_cache_create own%d %d",
					  i, 6000 + 64 * i),
				 0);
		ck_assert_int_eq(views_do(m, "slab/kmem_cache_alloc own%d", i),
				 0);
	}
	ck_assert(pictures_show(m, picture_slab, "more caches with "));
	pictures_check(m, "many caches");
	machine_free(m);
}
END_TEST

START_TEST(a_cell_shared_by_kinds_shows_each_of_them)
{
	/* 64 TiB: a cell is gigabytes, and one frame of it is in use. */
	struct machine *m = views_boot(picture_machines[6]);
	double before = pictures_area(m, picture_frames, COLOUR_GREEN);

	ck_assert_int_eq(
		views_do(m, "page/alloc_pages GFP_HIGHUSER_MOVABLE 0 name=one"),
		0);
	ck_assert(pictures_area(m, picture_frames, COLOUR_GREEN) > before);
	machine_free(m);
}
END_TEST

START_TEST(more_zones_than_can_be_drawn_are_counted)
{
	struct machine *m = views_boot(picture_machines[7]);

	ck_assert(pictures_show(m, picture_buddy, "more zones, not drawn"));
	ck_assert(pictures_show(m, picture_frames, "more zones, not drawn"));
	machine_free(m);
}
END_TEST

/* --- parts
 * ------------------------------------------------------------------------ */

START_TEST(sizes_and_counts_are_short_and_round_well)
{
	static const struct {
		uint64_t v;
		const char *bytes, *count;
	} rows[] = {
		{0,	    "0 B",	   "0"    },
		{1023,	       "1023 B",	 "1023" },
		{1024,	       "1 KiB",	"1024" },
		{1536,	       "1.50 KiB", "1536" },
		{10239,	"10.0 KiB", "10.2k"},
		{1048575,	  "1.00 MiB", "1.0M" },
		{3221225472,   "3 GiB",    "3.2G" },
		{999999,	 "977 KiB",  "1.0M" },
		{123456789012, "115 GiB",  "123G" },
	};
	char text[PICTURE_SIZE_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert_str_eq(picture_bytes(text, rows[i].v), rows[i].bytes);
		ck_assert_str_eq(picture_count(text, rows[i].v), rows[i].count);
	}
}
END_TEST

START_TEST(scales_are_the_next_round_number)
{
	static const uint64_t rows[][2] = {
		{0,    1   },
		  {1,    1   },
		{2,    2   },
		      {3,	  3   },
		{4,    4   },
		  {5,    6   },
		{7,    8   },
		      {9,	  12  },
		{13,   16  },
		  {1000, 1024},
		{1025, 1536},
		      {1537, 2048},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_uint_eq(picture_scale(rows[i][0]), rows[i][1]);
}
END_TEST

START_TEST(labels_are_moved_apart_within_their_limits)
{
	double places[] = {10, 12, 13, 60, 99, 100};

	picture_spread(places, 6, 10, 5, 100);
	for (int i = 1; i < 6; i++)
		ck_assert(places[i] - places[i - 1] >= 10);
	ck_assert(places[0] >= 5 && places[5] <= 100);
	ck_assert(places[0] == 10 && places[3] == 60);
}
END_TEST

START_TEST(shares_fill_the_whole_and_leave_out_nothing)
{
	static const struct {
		uint64_t count[4];
		unsigned int share[4];
	} rows[] = {
		{{1, 1, 1, 1},	       {3, 3, 3, 3} },
		{{0, 0, 5, 0},	       {0, 0, 12, 0}},
		{{1000000, 1, 1, 1},     {6, 2, 2, 2} },
		{{1, 500000, 500000, 0}, {2, 5, 5, 0} },
		{{0, 0, 0, 0},	       {0, 0, 0, 0} },
	};
	unsigned int share[4];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		picture_shares(rows[i].count, 4, 12, 2, share);
		for (int j = 0; j < 4; j++)
			ck_assert_uint_eq(share[j], rows[i].share[j]);
	}
	picture_shares((uint64_t[]){1, 1, 1, 1}, 4, 3, 2, share);
	ck_assert_uint_eq(share[0] + share[1] + share[2] + share[3], 3);
}
END_TEST

/* --- the page that shows them -------------------------------------------- */

START_TEST(the_page_leads_to_the_pictures_of_tasks)
{
	struct machine *m = views_boot(NUMA_MACHINE);
	char *page;

	ck_assert_int_eq(machine_do(m, "task/fork name=sh", NULL, NULL), 0);
	page = views_text(m, show_views_index, 0, 0);
	ck_assert(strstr(page, "task 2 sh: <a href=\"address-space-2.svg\">"));
	ck_assert(strstr(page, "<a href=\"pagetable-2.svg\">"));
	ck_assert(strstr(page, "</html>"));
	g_free(page);
	machine_free(m);
}
END_TEST

START_TEST(the_page_shows_every_picture_by_a_relative_name)
{
	struct machine *m = views_boot(NUMA_MACHINE);
	char *page = views_text(m, show_views_index, 0, 0);

	for (int i = 0; i < NR_PICTURES; i++) {
		char *img = g_strdup_printf("src=\"%s.svg\"",
					    picture_table[i].name);

		if (picture_table[i].of_task) {
			g_free(img);
			continue;
		}
		ck_assert_msg(strstr(page, img), "no %s", img);
		g_free(img);
	}
	ck_assert(strstr(page, "http-equiv=\"refresh\""));
	ck_assert(!strstr(page, "://"));
	g_free(page);
	machine_free(m);
}
END_TEST

Suite *
suite_picture(void)
{
	Suite *s = suite_create("picture");
	TCase *t = tcase_create("picture");
	int nr_machines = NR_PICTURE_MACHINES;

	tcase_add_loop_test(t, texts_of_a_fresh_machine_are_apart_and_inside, 0,
			    nr_machines);
	tcase_add_loop_test(t, texts_of_a_machine_in_use_are_apart_and_inside,
			    0, nr_machines);
	tcase_add_test(
		t, texts_stay_apart_with_limits_far_from_one_another_or_equal);
	tcase_add_loop_test(t, the_same_state_gives_the_same_svg, 0,
			    NR_PICTURES);
	tcase_add_loop_test(t, the_same_picture_gives_the_same_png, 0,
			    NR_PICTURES);
	tcase_add_loop_test(t, a_png_is_one_and_as_large_as_the_picture, 0,
			    nr_machines);
	tcase_add_loop_test(t, an_svg_is_as_large_as_the_picture_and_closed, 0,
			    nr_machines);
	tcase_add_test(t, an_allocation_shows_in_the_map);
	tcase_add_test(t, each_movability_has_its_colour_in_the_map);
	tcase_add_test(t, per_cpu_pages_show_in_both);
	tcase_add_test(t, memory_offline_is_grey_in_its_zone_and_beyond);
	tcase_add_test(t, a_free_block_counts_in_the_bar_of_its_order);
	tcase_add_test(t,
		       objects_show_in_the_map_and_in_the_bar_of_their_cache);
	tcase_add_test(t, more_caches_than_can_be_drawn_are_counted);
	tcase_add_test(t, a_cell_shared_by_kinds_shows_each_of_them);
	tcase_add_test(t, more_zones_than_can_be_drawn_are_counted);
	tcase_add_test(t, sizes_and_counts_are_short_and_round_well);
	tcase_add_test(t, scales_are_the_next_round_number);
	tcase_add_test(t, labels_are_moved_apart_within_their_limits);
	tcase_add_test(t, shares_fill_the_whole_and_leave_out_nothing);
	tcase_add_test(t, the_page_shows_every_picture_by_a_relative_name);
	tcase_add_test(t, the_page_leads_to_the_pictures_of_tasks);
	suite_add_tcase(s, t);
	return s;
}
