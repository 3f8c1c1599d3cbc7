// SPDX-License-Identifier: MIT
/* test_objects.c - what /nodes, /pages, /allocations and /machine show */
#include "unit/view/views.h"

Suite *suite_objects(void);

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

static char *
text_of(show_fn show, uint64_t key0, uint64_t key1, uint64_t key2,
	uint64_t key3)
{
	struct view v = {
		.m = m, .key = {key0, key1, key2, key3},
			 .name = ""
	   };
	struct out out = OUT_INIT;
	char *text;

	show(&v, &out);
	text = g_strdup(out_text(&out));
	out_fini(&out);
	return text;
}

static const struct allocation *
alloc(const char *words, const char *name)
{
	ck_assert_int_eq(
		views_do(m, "page/alloc_pages %s name=%s", words, name), 0);
	return allocation_find(m, name);
}

static void
assert_has(const char *text, const char *line)
{
	ck_assert_msg(strstr(text, line), "no '%s' in:\n%s", line, text);
}

START_TEST(an_allocation_says_what_it_is)
{
	const struct allocation *a = alloc("GFP_KERNEL|__GFP_ZERO 2", "buf");
	char *info = text_of(show_allocation_info, a->id, 0, 0, 0), *text;
	char line[64];

	assert_has(info, "name buf\n");
	assert_has(info, "op page/alloc_pages\n");
	assert_has(info, "order 2\npages 4\nbytes 16384\n");
	assert_has(info, "gfp GFP_KERNEL|__GFP_ZERO\n");
	assert_has(info, "migratetype Unmovable\n");
	assert_has(info, "refcount 1\n");
	snprintf(line, sizeof(line), "address 0x%llx\n",
		 0xffff888000000000ULL + (a->pfn << 12));
	assert_has(info, line);
	text = text_of(show_allocation_page, a->id, 0, 0, 0);
	snprintf(line, sizeof(line), "../../pages/%llu",
		 (unsigned long long)a->pfn);
	ck_assert_str_eq(text, line);
	g_free(text);
	g_free(info);
}
END_TEST

START_TEST(high_memory_has_no_address)
{
	const struct allocation *a;
	char *text;

	machine_free(m);
	m = views_boot(HIGHMEM_MACHINE);
	a = alloc("GFP_HIGHUSER 0", "high");
	ck_assert_uint_ge(a->pfn, m->phys->max_low_pfn);
	text = text_of(show_allocation_address, a->id, 0, 0, 0);
	ck_assert_str_eq(text, "none\n");
	g_free(text);
	text = text_of(show_allocation_zone, a->id, 0, 0, 0);
	ck_assert_str_eq(text, "HighMem\n");
	g_free(text);
}
END_TEST

START_TEST(data_is_the_memory_behind_it)
{
	const struct allocation *a = alloc("GFP_KERNEL 1", "buf");
	struct view v = {.m = m, .key = {a->id}};
	char bytes[16];

	ck_assert_int_eq(
		ram_write(m->ram, (a->pfn << 12) + 4090, "across a border", 15),
		0);
	ck_assert_uint_eq(size_allocation_data(&v), 8192);
	ck_assert_int_eq(read_allocation_data(&v, bytes, 15, 4090), 15);
	ck_assert_mem_eq(bytes, "across a border", 15);
	ck_assert_int_eq(read_allocation_data(&v, bytes, 16, 8190), 2);
	ck_assert_int_eq(read_allocation_data(&v, bytes, 16, 8192), 0);
	v.key[0] = a->pfn + 1;
	ck_assert_uint_eq(size_page_data(&v), 4096);
	ck_assert_int_eq(read_page_data(&v, bytes, 9, 0), 9);
	ck_assert_mem_eq(bytes, " a border", 9);
}
END_TEST

START_TEST(a_page_tells_its_state)
{
	const struct allocation *a = alloc("GFP_KERNEL|__GFP_COMP 2", "buf");
	const struct {
		pfn_t pfn;
		const char *line;
	} pages[] = {
		{a->pfn,	 "state allocated\n"},
		  {a->pfn + 3, "owner buf\n"	    },
		{a->pfn + 3, "flags compound\n" },
		  {0x1000,	   "state reserved\n" },
		{0xc8000,	  "state absent\n"	  },
		  {0x80000,    "state free\n"	  },
		{0x80000,	  "zone DMA32\n"	},
	};

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		char *text = text_of(show_page_info, pages[i].pfn, 0, 0, 0);

		assert_has(text, pages[i].line);
		g_free(text);
	}
}
END_TEST

START_TEST(free_lists_have_the_blocks_that_are_counted)
{
	views_use(m, 5, 400);
	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		uint64_t lines = 0;
		char *text;

		for (unsigned int type = 0; type < MIGRATE_TYPES; type++) {
			text = text_of(show_order_list, 0, ZONE_DMA32, order,
				       type);
			for (const char *at = text; *at; at++)
				lines += *at == '\n';
			g_free(text);
		}
		text = text_of(show_order_nr_free, 0, ZONE_DMA32, order, 0);
		ck_assert_uint_eq(strtoull(text, NULL, 10), lines);
		g_free(text);
	}
}
END_TEST

START_TEST(per_cpu_lists_name_each_block)
{
	const struct per_cpu_pages *pcp =
		&m->phys->nodes[0]->zones[ZONE_DMA32].pcp[0];
	uint64_t listed = 0;
	char *text;

	alloc("GFP_KERNEL 0", "one");
	ck_assert_uint_gt(pcp->count, 0);
	text = text_of(show_pcp_lists, 0, ZONE_DMA32, 0, 0);
	assert_has(text, "order type blocks pfns\n0 Unmovable ");
	assert_has(text, "9 Movable 0 -\n");
	for (const char *at = text; *at; at++)
		listed += *at == ',';
	/* one list is filled: a comma between each two */
	ck_assert_uint_eq(listed + 1, pcp->count);
	g_free(text);
	text = text_of(show_pcp_count, 0, ZONE_DMA32, 0, 0);
	ck_assert_uint_eq(strtoull(text, NULL, 10), pcp->count);
	g_free(text);
	/* an empty zone */
	text = text_of(show_pcp_count, 0, ZONE_MOVABLE, 0, 0);
	ck_assert_str_eq(text, "0\n");
	g_free(text);
}
END_TEST

START_TEST(zonelists_start_with_the_node_itself)
{
	char *text = text_of(show_node_fallback, 1, 0, 0, 0);

	ck_assert_str_eq(text, "node zone\n1 Normal\n0 DMA32\n"
			       "0 DMA\n");
	g_free(text);
	text = text_of(show_node_nofallback, 1, 0, 0, 0);
	ck_assert_str_eq(text, "node zone\n1 Normal\n");
	g_free(text);
}
END_TEST

START_TEST(fragmentation_is_told_in_thousandths)
{
	char *text = text_of(show_zone_frag_index, 0, ZONE_DMA32, 0, 0);

	assert_has(text, "order index\n0 -1.000\n");
	assert_has(text, "\n10 -1.000\n");
	g_free(text);
	text = text_of(show_zone_frag_unusable, 0, ZONE_MOVABLE, 0, 0);
	assert_has(text, "\n0 1.000\n"); /* no memory: none is usable */
	g_free(text);
}
END_TEST

START_TEST(config_is_the_machine_and_reads_back_the_same)
{
	char *text = text_of(show_machine_config, 0, 0, 0, 0), *again;

	machine_free(m);
	m = views_boot(text);
	again = text_of(show_machine_config, 0, 0, 0, 0);
	ck_assert_str_eq(text, again);
	g_free(text);
	g_free(again);
}
END_TEST

START_TEST(the_readme_fits_a_screen)
{
	char *text = text_of(show_readme, 0, 0, 0, 0);
	char **lines = g_strsplit(text, "\n", -1);

	ck_assert_uint_le(g_strv_length(lines), 31);
	for (char **line = lines; *line; line++)
		ck_assert_uint_lt(strlen(*line), 80);
	g_strfreev(lines);
	g_free(text);
}
END_TEST

Suite *
suite_objects(void)
{
	Suite *s = suite_create("objects");
	TCase *t = tcase_create("objects");

	tcase_add_checked_fixture(t, boot, end);
	tcase_add_test(t, an_allocation_says_what_it_is);
	tcase_add_test(t, high_memory_has_no_address);
	tcase_add_test(t, data_is_the_memory_behind_it);
	tcase_add_test(t, a_page_tells_its_state);
	tcase_add_test(t, free_lists_have_the_blocks_that_are_counted);
	tcase_add_test(t, per_cpu_lists_name_each_block);
	tcase_add_test(t, zonelists_start_with_the_node_itself);
	tcase_add_test(t, fragmentation_is_told_in_thousandths);
	tcase_add_test(t, config_is_the_machine_and_reads_back_the_same);
	tcase_add_test(t, the_readme_fits_a_screen);
	suite_add_tcase(s, t);
	return s;
}
