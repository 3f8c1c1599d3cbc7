// SPDX-License-Identifier: MIT
/* test_movable.c - where zone Movable starts */
#include "booted.h"

Suite *suite_movable(void);

/* clang-format off */
static const struct {
	const char *why;
	const char *memory;
	unsigned int nodes;
	const char *cmdline;
	pfn_t start[4]; /* of each node, 0 for none */
} rows[] = {
	{"as a real kernel had it",
	 "1G", 1, "movablecore=300M", {0x2d400}},
	{"a third of 1 GiB less its holes, rounded up to a largest block",
	 "1G", 1, "kernelcore=33%", {0x15400}},
	{"both: the larger kernelcore counts",
	 "1G", 1, "movablecore=900M kernelcore=512M", {0x20400}},
	{"all of it",
	 "1G", 1, "kernelcore=2G", {0}},
	{"100% leaves nothing to move",
	 "1G", 1, "kernelcore=100%", {0}},
	{"none asked for",
	 "1G", 1, "", {0}},
	{"it comes out of Normal: all below 4 GiB is the kernel's",
	 "8G", 1, "movablecore=7G", {0x100000}},
	{"half of Normal",
	 "8G", 1, "kernelcore=6G", {0x1c0400}},
	/*
	 * Node 0 counts all its 2 GiB, four times its share; nothing is left
	 * to be asked of node 1, all of whose Normal can move.
	 */
	{"memory below the movable zone counts as given",
	 "4G", 2, "kernelcore=1G", {0, 0x100000}},
	/*
	 * 2.5 GiB each.  Node 0 counts its 3 GiB below 4 GiB; what is then
	 * left, 2 GiB and a bit, is halved for node 1, and the other half is
	 * asked for in a second round: node 0 gives all its Normal, node 1 the
	 * last pages.
	 */
	{"what is left over is spread again",
	 "8G", 2, "kernelcore=5G", {0, 0x180400}},
	{"movable_node switches both off",
	 "8G", 2, "kernelcore=5G movable_node", {0, 0}},
};
/* clang-format on */

START_TEST(movable_starts_where_kernelcore_is_met)
{
	struct booted *b = boot_short("x86-64", rows[_i].memory, rows[_i].nodes,
				      rows[_i].cmdline);

	for (unsigned int n = 0; n < rows[_i].nodes; n++) {
		const struct zone *movable = booted_zone(b, n, "Movable");

		ck_assert_msg(b->phys->movable_start[n] == rows[_i].start[n],
			      "%s: node %u starts at 0x%llx", rows[_i].why, n,
			      (unsigned long long)b->phys->movable_start[n]);
		ck_assert_uint_eq(movable->start_pfn, rows[_i].start[n]);
	}
	booted_free(b);
}
END_TEST

START_TEST(a_movable_zone_of_high_memory_is_high_memory)
{
	struct booted *b = boot_short("i386", "2G", 1, "movablecore=512M");
	const struct zone *movable = booted_zone(b, 0, "Movable");

	ck_assert_int_eq(b->phys->movable_zone, ZONE_HIGHMEM);
	ck_assert_uint_gt(movable->present_pages, 0);
	ck_assert(zone_is_highmem(movable));
	/* So its min is a small constant, and its pages are not low memory. */
	ck_assert_uint_eq(movable->watermark[WMARK_MIN], 127);
	booted_free(b);
}
END_TEST

START_TEST(the_zone_below_ends_where_movable_starts)
{
	struct booted *b = boot_short("x86-64", "8G", 1, "kernelcore=6G");
	const struct zone *normal = booted_zone(b, 0, "Normal");
	const struct zone *movable = booted_zone(b, 0, "Movable");

	ck_assert_uint_eq(zone_end_pfn(normal), movable->start_pfn);
	ck_assert_uint_eq(zone_end_pfn(movable), 0x240000);
	ck_assert_ptr_eq(phys_zone_of(b->phys, 0x1c0400), movable);
	ck_assert_ptr_eq(phys_zone_of(b->phys, 0x1c03ff), normal);
	booted_free(b);
}
END_TEST

Suite *
suite_movable(void)
{
	Suite *s = suite_create("movable");
	TCase *t = tcase_create("movable");

	tcase_add_loop_test(t, movable_starts_where_kernelcore_is_met, 0,
			    ARRAY_SIZE(rows));
	tcase_add_test(t, a_movable_zone_of_high_memory_is_high_memory);
	tcase_add_test(t, the_zone_below_ends_where_movable_starts);
	suite_add_tcase(s, t);
	return s;
}
