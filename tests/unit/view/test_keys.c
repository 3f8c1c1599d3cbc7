// SPDX-License-Identifier: MIT
/* test_keys.c - the variable parts of paths: what is listed, what is found */
#include "unit/view/views.h"

#include "kmemfs/phys/frame_walk.h"
#include "kmemfs/view/keys.h"

Suite *suite_keys(void);

static struct machine *m;

static bool
found(const struct key_kind *kind, const char *name, uint64_t left,
      uint64_t *value)
{
	struct view v = {.m = m, .key = {left}};

	return kind->parse(&v, name, value);
}

/* All names that a directory of @kind lists, blanks between them. */
static char *
listed(const struct key_kind *kind, uint64_t left)
{
	struct view v = {.m = m, .key = {left}};
	struct out out = OUT_INIT;
	uint64_t value = 0;
	bool first = true;
	char *text;

	for (; kind->next(&v, first, value, &value); first = false) {
		ck_assert(kind->exists(&v, value));
		if (!first)
			out_char(&out, ' ');
		kind->print(&v, value, &out);
	}
	text = g_strdup(out_text(&out));
	out_fini(&out);
	return text;
}

static void
assert_listed(const struct key_kind *kind, uint64_t left, const char *want)
{
	char *text = listed(kind, left);

	ck_assert_str_eq(text, want);
	g_free(text);
}

START_TEST(each_kernel_lists_the_zones_it_has)
{
	m = views_boot(NUMA_MACHINE);
	assert_listed(&key_zone, 1, "DMA DMA32 Normal Movable Device");
	machine_free(m);
	m = views_boot(HIGHMEM_MACHINE);
	assert_listed(&key_zone, 0, "DMA Normal HighMem Movable");
	machine_free(m);
	m = views_boot("[machine]\narch = x86-64\nmemory = 1G\ncpus = 1\n"
		       "cmdline = cma=64M\n");
	assert_listed(&key_zone, 0, "DMA DMA32 Normal Movable");
	assert_listed(&key_type, 0,
		      "Unmovable Movable Reclaimable HighAtomic CMA Isolate");
	machine_free(m);
}
END_TEST

START_TEST(small_kinds_list_all_of_theirs)
{
	m = views_boot(NUMA_MACHINE);
	assert_listed(&key_node, 0, "0 1");
	assert_listed(&key_cpu, 0, "0 1 2 3");
	assert_listed(&key_order, 0, "0 1 2 3 4 5 6 7 8 9 10");
	assert_listed(&key_type, 0,
		      "Unmovable Movable Reclaimable HighAtomic Isolate");
	assert_listed(&key_sysnode, 0, "node0 node1");
	assert_listed(&key_syscpu, 0, "cpu0 cpu1 cpu2 cpu3");
	assert_listed(&key_system, 0, "kmem exceptions tlb mmap");
	machine_free(m);
}
END_TEST

START_TEST(names_below_an_object_are_its_own)
{
	char *zero, *one;

	m = views_boot(NUMA_MACHINE);
	zero = listed(&key_nodecpu, 0);
	one = listed(&key_nodecpu, 1);
	for (unsigned int cpu = 0; cpu < 4; cpu++) {
		bool on_one = m->phys->cpu_node[cpu] == 1;
		char name[16];

		snprintf(name, sizeof(name), "cpu%u", cpu);
		ck_assert(!strstr(zero, name) == on_one);
		ck_assert(!strstr(one, name) == !on_one);
	}
	g_free(zero);
	g_free(one);
	assert_listed(&key_cpunode, 3,
		      m->phys->cpu_node[3] ? "node1" : "node0");
	assert_listed(&key_memblknode, 1, "node0");
	assert_listed(&key_memblknode, 39, "node1");
	machine_free(m);
}
END_TEST

START_TEST(a_name_is_read_in_one_spelling_only)
{
	static const char *const bad[] = {
		"", "00", "01", "+1", "-1", "0x1", "1 ", " 1", "1a", "9999999",
	};
	uint64_t value;

	m = views_boot(NUMA_MACHINE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert(!found(&key_node, bad[i], 0, &value));
		ck_assert(!found(&key_cpu, bad[i], 0, &value));
		ck_assert(!found(&key_pfn, bad[i], 0, &value));
		ck_assert(!found(&key_order, bad[i], 0, &value));
		ck_assert(!found(&key_memblk, bad[i], 0, &value));
	}
	ck_assert(!found(&key_sysnode, "1", 0, &value));
	ck_assert(!found(&key_sysnode, "node01", 0, &value));
	ck_assert(!found(&key_zone, "dma", 0, &value));
	ck_assert(!found(&key_zone, "HighMem", 0, &value));
	ck_assert(!found(&key_type, "CMA", 0, &value));
	ck_assert(found(&key_zone, "DMA32", 0, &value));
	ck_assert_uint_eq(value, ZONE_DMA32);
	ck_assert(found(&key_order, "10", 0, &value));
	ck_assert(!found(&key_order, "11", 0, &value));
	machine_free(m);
}
END_TEST

START_TEST(pages_lists_heads_of_allocations_and_finds_any_frame)
{
	char want[64], *end = want;
	uint64_t pfns[3], value, max;

	m = views_boot(NUMA_MACHINE);
	max = m->phys->max_pfn;
	assert_listed(&key_pfn, 0, "");
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(
			views_do(m, "page/alloc_pages GFP_KERNEL %d name=x%d",
				 i * 2, i),
			0);
		pfns[i] = allocation_find(m, i == 0   ? "x0"
					     : i == 1 ? "x1"
						      : "x2")
				  ->pfn;
	}
	for (uint64_t least = 0, n = 0; n < 3; n++) {
		uint64_t next = UINT64_MAX;

		for (int i = 0; i < 3; i++)
			if (pfns[i] >= least && pfns[i] < next)
				next = pfns[i];
		end += sprintf(end, "%s%llu", n ? " " : "",
			       (unsigned long long)next);
		least = next + 1;
	}
	assert_listed(&key_pfn, 0, want);
	ck_assert(found(&key_pfn, "0", 0, &value));
	ck_assert(found(&key_pfn, "800000", 0, &value)); /* PCI hole */
	snprintf(want, sizeof(want), "%llu", (unsigned long long)max);
	ck_assert(!found(&key_pfn, want, 0, &value));
	machine_free(m);
}
END_TEST

START_TEST(listed_pages_are_those_a_full_scan_finds)
{
	pfn_t next;

	m = views_boot(HIGHMEM_MACHINE);
	views_use(m, 11, 800);
	next = frame_next_allocated(m->phys, 0);
	for (pfn_t pfn = 0; pfn < m->phys->max_pfn; pfn++) {
		bool head = m->phys->frames[pfn].state == FRAME_ALLOCATED;

		ck_assert_msg(head == (pfn == next), "pfn %llu",
			      (unsigned long long)pfn);
		if (head)
			next = frame_next_allocated(m->phys, pfn + 1);
	}
	ck_assert_uint_eq(next, PFN_NONE);
	machine_free(m);
}
END_TEST

START_TEST(a_huge_machine_is_listed_without_a_scan)
{
	m = views_boot("[machine]\narch = x86-64\nmemory = 16T\ncpus = 4\n"
		       "nodes = 2\n");
	ck_assert_int_eq(
		views_do(m, "page/alloc_pages GFP_KERNEL 3 name=far node=1"),
		0);
	ck_assert_int_eq(
		views_do(m, "page/alloc_pages GFP_KERNEL 3 name=near node=0"),
		0);
	for (int i = 0; i < 1000; i++) {
		char *text = listed(&key_pfn, 0);

		ck_assert_ptr_nonnull(strchr(text, ' '));
		g_free(text);
	}
	machine_free(m);
}
END_TEST

START_TEST(allocations_are_listed_by_age_and_found_by_name)
{
	uint64_t value;

	m = views_boot(NUMA_MACHINE);
	ck_assert_int_eq(views_do(m, "page/alloc_page name=zebra"), 0);
	ck_assert_int_eq(views_do(m, "page/alloc_page name=ant"), 0);
	assert_listed(&key_alloc, 0, "zebra ant");
	ck_assert_int_eq(views_do(m, "page/__free_page zebra"), 0);
	assert_listed(&key_alloc, 0, "ant");
	ck_assert(!found(&key_alloc, "zebra", 0, &value));
	ck_assert(found(&key_alloc, "ant", 0, &value));
	machine_free(m);
}
END_TEST

START_TEST(every_kind_that_is_declared_is_known)
{
	static const char *const names[] = {
		"alloc",  "cpu",   "cpunode",	 "cpuzone",    "event",
		"memblk", "node",  "memblknode", "nodememblk", "nodecpu",
		"order",  "pfn",   "syscpu",	 "sysnode",    "system",
		"type",	  "zone",  "task",	 "taskname",   "va",
		"vma",	  "ptdir", "ptleaf",	 "kptdir",     "kptleaf",
		"ptsvg",  "ptpng", "assvg",	 "aspng",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct key_kind *kind = key_kind_find(names[i]);

		ck_assert_ptr_nonnull(kind);
		ck_assert_str_eq(kind->name, names[i]);
	}
	ck_assert_ptr_null(key_kind_find("nothing"));
}
END_TEST

Suite *
suite_keys(void)
{
	Suite *s = suite_create("keys");
	TCase *t = tcase_create("keys");

	tcase_add_test(t, each_kernel_lists_the_zones_it_has);
	tcase_add_test(t, small_kinds_list_all_of_theirs);
	tcase_add_test(t, names_below_an_object_are_its_own);
	tcase_add_test(t, a_name_is_read_in_one_spelling_only);
	tcase_add_test(t, pages_lists_heads_of_allocations_and_finds_any_frame);
	tcase_add_test(t, listed_pages_are_those_a_full_scan_finds);
	tcase_add_test(t, a_huge_machine_is_listed_without_a_scan);
	tcase_add_test(t, allocations_are_listed_by_age_and_found_by_name);
	tcase_add_test(t, every_kind_that_is_declared_is_known);
	suite_add_tcase(s, t);
	return s;
}
