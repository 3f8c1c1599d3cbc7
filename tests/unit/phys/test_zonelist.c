// SPDX-License-Identifier: MIT
/* test_zonelist.c - node order, zone order, who penalises whom */
#include "booted.h"

#include "kmemfs/phys/sysctl.h"

Suite *suite_zonelist(void);

/* Four nodes of 1 GiB; distances and CPUs by the test. */
static struct booted *
four_nodes(const char *const distances[4], const char *const cpus[4])
{
	GString *text = g_string_new("[machine]\narch = x86-64\ncpus = 4\n"
				     "[firmware]\nmap = 0x0-0xffffffff usable\n"
				     "[boot]\nreserved = 0x0-0xfffff\n");
	struct booted *b;

	for (unsigned int n = 0; n < 4; n++)
		g_string_append_printf(text,
				       "[node %u]\n"
				       "memory = 0x%x0000000-0x%xfffffff\n"
				       "distances = %s\ncpus = %s\n",
				       n, n * 4, n * 4 + 3, distances[n],
				       cpus[n]);
	b = boot_text(text->str);
	g_string_free(text, TRUE);
	return b;
}

static void
assert_order(const struct booted *b, const unsigned int want[4][4])
{
	for (unsigned int n = 0; n < 4; n++) {
		for (unsigned int i = 0; i < 4; i++)
			ck_assert_msg(
				b->phys->nodes[n]->fallback[i] == want[n][i],
				"node %u, place %u: %u, not %u", n, i,
				b->phys->nodes[n]->fallback[i], want[n][i]);
	}
}

static const char *const ring[4] = {
	"10; 16; 32; 16",
	"16; 10; 16; 32",
	"32; 16; 10; 16",
	"16; 32; 16; 10",
};
static const char *const equal[4] = {
	"10; 20; 20; 20",
	"20; 10; 20; 20",
	"20; 20; 10; 20",
	"20; 20; 20; 10",
};
static const char *const one_each[4] = {"0", "1", "2", "3"};
static const char *const last_without[4] = {"0", "1", "2-3", ""};

/* A real kernel on four nodes in a ring. */
START_TEST(near_nodes_come_first_and_turn_from_list_to_list)
{
	static const unsigned int want[4][4] = {
		{0, 1, 3, 2},
		      {1, 2, 0, 3},
		    {2, 3, 1, 0},
		  {3, 0, 2, 1}
	      };
	struct booted *b = four_nodes(ring, one_each);

	assert_order(b, want);
	booted_free(b);
}
END_TEST

/* All others are equally far: higher numbers before lower ones. */
START_TEST(nodes_above_are_preferred_to_nodes_below)
{
	static const unsigned int want[4][4] = {
		{0, 1, 2, 3},
		      {1, 2, 3, 0},
		    {2, 3, 0, 1},
		  {3, 0, 1, 2}
	      };
	struct booted *b = four_nodes(equal, one_each);

	assert_order(b, want);
	booted_free(b);
}
END_TEST

START_TEST(a_node_without_cpus_is_preferred_but_not_at_boot)
{
	struct booted *b = four_nodes(equal, last_without);

	ck_assert_uint_eq(b->phys->nodes[0]->fallback[1], 1);
	phys_build_zonelists(b->phys, true);
	ck_assert_uint_eq(b->phys->nodes[0]->fallback[1], 3);
	ck_assert_uint_eq(b->phys->nodes[1]->fallback[1], 3);
	booted_free(b);
}
END_TEST

static void
assert_list(const struct booted *b, unsigned int nid, int list,
	    const char *want)
{
	char *text = booted_list(b, nid, list);

	ck_assert_str_eq(text, want);
	g_free(text);
}

START_TEST(lists_go_by_node_or_by_zone)
{
	struct booted *b = boot_short("x86-64", "8G", 2, "");

	assert_list(b, 0, ZONELIST_FALLBACK, "0:Normal 0:DMA32 0:DMA 1:Normal");
	assert_list(b, 1, ZONELIST_FALLBACK, "1:Normal 0:Normal 0:DMA32 0:DMA");
	assert_list(b, 1, ZONELIST_NOFALLBACK, "1:Normal");
	ck_assert_int_eq(
		sysctl_write(b->phys, "numa_zonelist_order", "zone\n", NULL),
		0);
	assert_list(b, 0, ZONELIST_FALLBACK, "0:Normal 1:Normal 0:DMA32 0:DMA");
	ck_assert_int_eq(
		sysctl_write(b->phys, "numa_zonelist_order", "default", NULL),
		0);
	assert_list(b, 0, ZONELIST_FALLBACK, "0:Normal 0:DMA32 0:DMA 1:Normal");
	booted_free(b);
}
END_TEST

START_TEST(the_argument_sets_zone_order_from_boot)
{
	struct booted *b =
		boot_short("x86-64", "8G", 2, "numa_zonelist_order=zone");

	assert_list(b, 1, ZONELIST_FALLBACK, "1:Normal 0:Normal 0:DMA32 0:DMA");
	assert_list(b, 0, ZONELIST_FALLBACK, "0:Normal 1:Normal 0:DMA32 0:DMA");
	booted_free(b);
}
END_TEST

START_TEST(a_node_without_memory_lists_others)
{
	struct booted *b =
		boot_text("[machine]\narch = x86-64\ncpus = 2\n"
			  "[firmware]\nmap = 0x0-0x3fffffff usable\n"
			  "[boot]\nreserved = 0x0-0xfffff\n"
			  "[node 0]\nmemory = 0x0-0x3fffffff\ncpus = 0\n"
			  "[node 1]\ncpus = 1\n");

	assert_list(b, 1, ZONELIST_FALLBACK, "0:DMA32 0:DMA");
	assert_list(b, 1, ZONELIST_NOFALLBACK, "");
	/* Node 1 stands in its own order, and in nobody else's. */
	ck_assert_uint_eq(b->phys->nodes[1]->nr_fallback, 2);
	ck_assert_uint_eq(b->phys->nodes[0]->nr_fallback, 1);
	booted_free(b);
}
END_TEST

Suite *
suite_zonelist(void)
{
	Suite *s = suite_create("zonelist");
	TCase *t = tcase_create("zonelist");

	tcase_add_test(t, near_nodes_come_first_and_turn_from_list_to_list);
	tcase_add_test(t, nodes_above_are_preferred_to_nodes_below);
	tcase_add_test(t, a_node_without_cpus_is_preferred_but_not_at_boot);
	tcase_add_test(t, lists_go_by_node_or_by_zone);
	tcase_add_test(t, the_argument_sets_zone_order_from_boot);
	tcase_add_test(t, a_node_without_memory_lists_others);
	suite_add_tcase(s, t);
	return s;
}
