// SPDX-License-Identifier: MIT
/* test_abi.c - Linux's files agree with each other, whatever was done */
#include "unit/view/views.h"

#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"

Suite *suite_abi(void);

static struct machine *m;
static char *buddyinfo, *zoneinfo, *vmstat, *meminfo, *pagetypeinfo;

static const char *const machines[] = {
	NUMA_MACHINE,
	HIGHMEM_MACHINE,
	"[machine]\narch = i386-pae\nmemory = 4G\ncpus = 1\n",
	"[machine]\narch = x86-64\nmemory = 1G\ncpus = 2\ncmdline = cma=64M\n",
	"[machine]\narch = x86-64\nmemory = 64M\ncpus = 1\n",
};

/* Half of the cases look at a machine just booted, half at one in use. */
static void
read_all(int i)
{
	m = views_boot(machines[i / 2]);
	if (i % 2)
		views_use(m, 7, 600);
	buddyinfo = views_text(m, show_buddyinfo, 0, 0);
	zoneinfo = views_text(m, show_zoneinfo, 0, 0);
	vmstat = views_text(m, show_vmstat, 0, 0);
	meminfo = views_text(m, show_meminfo, 0, 0);
	pagetypeinfo = views_text(m, show_pagetypeinfo, 0, 0);
}

static void
forget_all(void)
{
	g_free(buddyinfo);
	g_free(zoneinfo);
	g_free(vmstat);
	g_free(meminfo);
	g_free(pagetypeinfo);
	machine_free(m);
}

/* Pages in a row of counts by order. */
static uint64_t
row_pages(const char *row)
{
	uint64_t pages = 0;

	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		char *end;

		pages += strtoull(row, &end, 10) << order;
		row = end;
	}
	return pages;
}

START_TEST(buddyinfo_has_as_many_pages_as_each_zone_of_zoneinfo)
{
	char node_zone[64];
	char **rows;

	read_all(_i);
	rows = g_strsplit(buddyinfo, "\n", -1);
	ck_assert_ptr_nonnull(rows[0]);
	for (char **row = rows; **row; row++) {
		const char *zone;

		/* "Node 0, zone    DMA32" is 21 wide below node 10 */
		snprintf(node_zone, sizeof(node_zone), "%.21s\n", *row);
		zone = strstr(zoneinfo, node_zone);
		ck_assert_msg(zone, "no zone '%s'", node_zone);
		ck_assert_uint_eq(row_pages(*row + 21),
				  views_number(zone, "pages free"));
		ck_assert_uint_eq(row_pages(*row + 21),
				  views_number(zone, "nr_free_pages"));
	}
	g_strfreev(rows);
	forget_all();
}
END_TEST

START_TEST(free_memory_is_the_same_number_everywhere)
{
	uint64_t free;

	read_all(_i);
	free = views_sum(zoneinfo, "pages free");
	ck_assert_uint_gt(free, 0);
	ck_assert_uint_eq(views_number(vmstat, "nr_free_pages"), free);
	ck_assert_uint_eq(views_number(meminfo, "MemFree:"), free * 4);
	ck_assert_uint_eq(views_number(meminfo, "MemTotal:"),
			  views_sum(zoneinfo, "managed") * 4);
	ck_assert_uint_le(views_number(meminfo, "MemAvailable:"),
			  views_number(meminfo, "MemFree:"));
	forget_all();
}
END_TEST

START_TEST(kpageflags_marks_as_many_free_pages_as_are_counted)
{
	enum { WORDS = 8192 };
	static uint64_t words[WORDS];
	struct view v;
	uint64_t free = 0, at = 0;
	ssize_t got;

	read_all(_i);
	v = (struct view){.m = m};
	while ((got = read_kpageflags(&v, words, sizeof(words), at)) > 0) {
		for (ssize_t w = 0; w < got / 8; w++)
			free += words[w] >> 10 & 1;
		at += (uint64_t)got;
	}
	ck_assert_int_eq(got, 0);
	ck_assert_uint_eq(at, size_kpageflags(&v));
	ck_assert_uint_eq(free, views_number(vmstat, "nr_free_pages"));
	forget_all();
}
END_TEST

/* The rows of pagetypeinfo for one zone, added up by order. */
START_TEST(pagetypeinfo_adds_up_to_buddyinfo)
{
	uint64_t sum = 0, blocks = 0;
	char **rows;

	read_all(_i);
	rows = g_strsplit(pagetypeinfo, "\n", -1);
	for (char **row = rows; *row; row++) {
		const char *type = strstr(*row, ", type ");

		if (type)
			sum += row_pages(type + strlen(", type ") + 12);
	}
	g_strfreev(rows);
	ck_assert_uint_eq(sum, views_number(vmstat, "nr_free_pages"));
	for (unsigned int i = 0; i < m->phys->nr_zones; i++) {
		struct zone *zone = m->phys->zones[i];
		char *text = views_text(m, show_zone_pageblocks, zone->node->id,
					zone->type);

		if (zone->present_pages)
			blocks += views_sum(text, " ");
		g_free(text);
	}
	ck_assert_uint_ge(blocks << m->phys->pageblock_order,
			  views_sum(zoneinfo, "present"));
	forget_all();
}
END_TEST

START_TEST(nodes_add_up_to_the_whole)
{
	static const struct {
		const char *global;
		const char *of_node;
	} keys[] = {
		{"MemTotal:",     "MemTotal:"	 },
		{"MemFree:",	     "MemFree:"     },
		{"Active:",	    "Active:"	     },
		{"Slab:",	  "Slab:"	 },
		{"KReclaimable:", "KReclaimable:"},
		{"AnonPages:",    "AnonPages:"   },
	};

	read_all(_i);
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		uint64_t sum = 0;

		for (unsigned int n = 0; n < m->phys->nr_nodes; n++) {
			char *text = views_text(m, show_node_meminfo, n, 0);

			sum += views_number(text, keys[k].of_node);
			g_free(text);
		}
		ck_assert_uint_eq(views_number(meminfo, keys[k].global), sum);
	}
	forget_all();
}
END_TEST

START_TEST(numastat_is_consistent_and_adds_up_to_vmstat)
{
	uint64_t hit = 0, local = 0;

	read_all(_i);
	if (!kernel_has(m->phys, KERNEL_NUMA)) {
		ck_assert_ptr_null(strstr(vmstat, "numa_"));
		forget_all();
		return;
	}
	for (unsigned int n = 0; n < m->phys->nr_nodes; n++) {
		char *text = views_text(m, show_node_numastat, n, 0);

		ck_assert_uint_eq(views_number(text, "numa_hit "),
				  views_number(text, "local_node ") +
					  views_number(text, "other_node ") -
					  views_number(text, "numa_miss "));
		hit += views_number(text, "numa_hit ");
		local += views_number(text, "local_node ");
		g_free(text);
	}
	ck_assert_uint_eq(views_number(vmstat, "numa_hit "), hit);
	ck_assert_uint_eq(views_number(vmstat, "numa_local "), local);
	forget_all();
}
END_TEST

START_TEST(files_read_whole_by_tools_stay_below_8191_bytes)
{
	read_all(_i);
	ck_assert_uint_lt(strlen(meminfo), 8191);
	ck_assert_uint_lt(strlen(vmstat), 8191);
	forget_all();
}
END_TEST

START_TEST(high_and_low_memory_make_all_of_it)
{
	read_all(3);
	ck_assert_uint_eq(views_number(meminfo, "HighTotal:") +
				  views_number(meminfo, "LowTotal:"),
			  views_number(meminfo, "MemTotal:"));
	ck_assert_uint_eq(views_number(meminfo, "HighFree:") +
				  views_number(meminfo, "LowFree:"),
			  views_number(meminfo, "MemFree:"));
	ck_assert_uint_gt(views_number(meminfo, "HighTotal:"), 0);
	forget_all();
}
END_TEST

/*
 * A real i386 kernel with 2 GiB printed VmallocTotal 122880 kB for lowmem that
 * ends at 0x36bfe000, and a limit of dirty pages that follows from its free
 * pages, watermarks and reserves alone.
 */
START_TEST(vmalloc_and_dirty_limits_follow_from_lowmem)
{
	uint64_t limit, dirtyable = 1, reserve = 0;

	read_all(2);
	ck_assert_uint_eq(views_number(meminfo, "VmallocTotal:"), 122880);
	for (unsigned int i = 0; i < m->phys->nr_zones; i++) {
		const struct zone *zone = m->phys->zones[i];

		if (zone->type != ZONE_HIGHMEM)
			dirtyable += (uint64_t)zone->stat[ZS_nr_free_pages];
		else
			reserve -= wmark_pages(zone, WMARK_HIGH);
	}
	reserve += m->phys->total_reserve_pages;
	limit = (dirtyable - reserve) * 819 / 4096;
	ck_assert_uint_eq(views_number(vmstat, "nr_dirty_threshold"), limit);
	forget_all();
}
END_TEST

START_TEST(idle_time_grows_with_modelled_time_on_every_cpu)
{
	char *before, *after;

	m = views_boot(NUMA_MACHINE);
	ck_assert_int_eq(views_do(m, "clock/advance 2s"), 0);
	before = views_text(m, show_proc_stat, 0, 0);
	ck_assert_int_eq(views_do(m, "clock/advance 1s"), 0);
	after = views_text(m, show_proc_stat, 0, 0);
	ck_assert_uint_eq(views_number(after, "cpu  0 0 0 ") -
				  views_number(before, "cpu  0 0 0 "),
			  400);
	ck_assert_uint_eq(views_number(after, "cpu3 0 0 0 ") -
				  views_number(before, "cpu3 0 0 0 "),
			  100);
	g_free(before);
	g_free(after);
	before = views_text(m, show_uptime, 0, 0);
	ck_assert_str_eq(before, "3.00 12.00\n");
	g_free(before);
	machine_free(m);
}
END_TEST

START_TEST(init_has_all_52_fields_of_stat)
{
	unsigned int fields = 1;
	char *text;

	m = views_boot(HIGHMEM_MACHINE);
	text = views_text(m, show_pid_stat, 1, 0);
	for (const char *at = text; *at; at++)
		fields += *at == ' ';
	ck_assert_uint_eq(fields, 52);
	ck_assert(g_str_has_prefix(text, "1 (init) S 0 1 1 0 -1 "));
	g_free(text);
	machine_free(m);
}
END_TEST

START_TEST(cpuinfo_says_what_the_processor_of_the_machine_can_do)
{
	static const char plain[] = "[machine]\narch = x86-64\nmemory = 64M\n";
	char *text;

	m = views_boot(plain);
	text = views_text(m, show_cpuinfo, 0, 0);
	ck_assert_ptr_nonnull(strstr(text, " syscall nx pdpe1gb lm hyper"));
	ck_assert_ptr_nonnull(strstr(text, "bugs\t\t: cpu_meltdown\n"));
	ck_assert_ptr_nonnull(
		strstr(text, ": 46 bits physical, 48 bits virtual\n"));
	g_free(text);
	machine_free(m);
	m = views_boot("[machine]\narch = x86-64\nmemory = 64M\n[mmu]\n"
		       "mode = 5-level\nphys_bits = 39\nnx = no\n"
		       "gb_pages = no\npcid = yes\nkpti = yes\nsmep = yes\n"
		       "smap = yes\nmeltdown = no\n");
	text = views_text(m, show_cpuinfo, 0, 0);
	ck_assert_ptr_nonnull(strstr(text, " syscall lm pcid hypervisor pti "
					   "smep smap la57\n"));
	ck_assert_ptr_nonnull(strstr(text, "bugs\t\t:\n"));
	ck_assert_ptr_nonnull(
		strstr(text, ": 39 bits physical, 57 bits virtual\n"));
	g_free(text);
	machine_free(m);
	m = views_boot("[machine]\narch = i386-pae\nmemory = 64M\n");
	text = views_text(m, show_cpuinfo, 0, 0);
	ck_assert_ptr_nonnull(strstr(text, " ht nx hypervisor\n"));
	ck_assert_ptr_nonnull(
		strstr(text, ": 36 bits physical, 32 bits virtual\n"));
	g_free(text);
	machine_free(m);
}
END_TEST

Suite *
suite_abi(void)
{
	const int cases = 2 * (int)ARRAY_SIZE(machines);
	Suite *s = suite_create("abi");
	TCase *t = tcase_create("abi");

	tcase_add_loop_test(
		t, buddyinfo_has_as_many_pages_as_each_zone_of_zoneinfo, 0,
		cases);
	tcase_add_loop_test(t, free_memory_is_the_same_number_everywhere, 0,
			    cases);
	tcase_add_loop_test(t,
			    kpageflags_marks_as_many_free_pages_as_are_counted,
			    0, cases);
	tcase_add_loop_test(t, pagetypeinfo_adds_up_to_buddyinfo, 0, cases);
	tcase_add_loop_test(t, nodes_add_up_to_the_whole, 0, cases);
	tcase_add_loop_test(t, numastat_is_consistent_and_adds_up_to_vmstat, 0,
			    cases);
	tcase_add_loop_test(t, files_read_whole_by_tools_stay_below_8191_bytes,
			    0, cases);
	tcase_add_test(t, high_and_low_memory_make_all_of_it);
	tcase_add_test(t, vmalloc_and_dirty_limits_follow_from_lowmem);
	tcase_add_test(t, idle_time_grows_with_modelled_time_on_every_cpu);
	tcase_add_test(t, init_has_all_52_fields_of_stat);
	tcase_add_test(t,
		       cpuinfo_says_what_the_processor_of_the_machine_can_do);
	suite_add_tcase(s, t);
	return s;
}
