// SPDX-License-Identifier: MIT
/* test_memblock.c - boot memory: free ranges, allocation, nodes */
#include "kmemfs/phys/memblock.h"

#include <check.h>

Suite *suite_memblock(void);

static struct bootmem boot;

/* Node 0: 0-64M and 128-192M; node 1: 192-256M.  4 KiB pages. */
static void
setup(void)
{
	memblock_init(&boot, 4096);
	memblock_add(&boot, 0, MIB(64), 0);
	memblock_add(&boot, MIB(128), MIB(192), 0);
	memblock_add(&boot, MIB(192), MIB(256), 1);
}

static void
teardown(void)
{
	memblock_fini(&boot);
}

static pa_t
alloc(uint64_t size, uint64_t align, int nid)
{
	struct memblock_where where = {.nid = nid};

	return memblock_alloc(&boot, size, align, &where);
}

START_TEST(memory_is_allocated_from_the_top_down)
{
	ck_assert_uint_eq(alloc(MIB(1), 4096, NODE_LOCAL), MIB(255));
	ck_assert_uint_eq(alloc(MIB(1), 4096, NODE_LOCAL), MIB(254));
}
END_TEST

START_TEST(a_node_gives_its_own_memory_while_it_has_any)
{
	ck_assert_uint_eq(alloc(MIB(64), 4096, 1), MIB(192));
	ck_assert_uint_eq(alloc(MIB(1), 4096, 1), MIB(191));
}
END_TEST

START_TEST(an_allocation_starts_at_a_multiple_of_its_alignment)
{
	memblock_reserve(&boot, MIB(255) + 123, MIB(256));
	ck_assert_uint_eq(alloc(200, 1 << 20, NODE_LOCAL), MIB(254));
	ck_assert_uint_eq(alloc(100, 64, NODE_LOCAL), MIB(255));
}
END_TEST

START_TEST(bottom_up_takes_the_lowest_place_but_never_page_0)
{
	struct memblock_where where = {.nid = NODE_LOCAL, .bottom_up = true};

	ck_assert_uint_eq(memblock_find(&boot, 4096, 4096, &where), 4096);
	where.min = MIB(60) + 1;
	ck_assert_uint_eq(memblock_find(&boot, MIB(2), MIB(1), &where),
			  MIB(61));
	ck_assert_uint_eq(memblock_find(&boot, MIB(4), MIB(1), &where),
			  MIB(128));
}
END_TEST

START_TEST(bounds_are_kept_and_failure_is_told)
{
	struct memblock_where where = {
		.min = MIB(130), .max = MIB(140), .nid = NODE_LOCAL};

	ck_assert_uint_eq(memblock_find(&boot, MIB(10), 4096, &where),
			  MIB(130));
	ck_assert_uint_eq(memblock_find(&boot, MIB(11), 4096, &where), PA_NONE);
	ck_assert_uint_eq(alloc(MIB(200), 4096, NODE_LOCAL), PA_NONE);
	ck_assert_uint_eq(rangeset_size(&boot.reserved), 0);
}
END_TEST

/*
 *   memory    0========64M      128M====192M====256M
 *   reserved     [8M-16M]   [60M-130M]     [190M-200M]
 *   free      0-8M 16-60M          130-190M        200-256M
 */
START_TEST(free_memory_is_what_is_not_reserved)
{
	static const struct {
		uint64_t start, end;
		int nid;
	} want[] = {
		{0,   8,   0},
		   {16,	60,  0},
		{130, 190, 0},
		       {200, 256, 1}
	    };
	struct range free;
	pa_t from = 0;
	int nid;

	memblock_reserve(&boot, MIB(8), MIB(16));
	memblock_reserve(&boot, MIB(60), MIB(130));
	memblock_reserve(&boot, MIB(190), MIB(200));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		ck_assert(memblock_next_free(&boot, from, &free, &nid));
		ck_assert_uint_eq(free.start, MIB(want[i].start));
		ck_assert_uint_eq(free.end, MIB(want[i].end));
		ck_assert_int_eq(nid, want[i].nid);
		from = free.end;
	}
	ck_assert(!memblock_next_free(&boot, from, &free, &nid));
}
END_TEST

START_TEST(what_is_freed_can_be_had_again)
{
	pa_t at = alloc(MIB(32), 4096, NODE_LOCAL);

	memblock_free(&boot, at, at + MIB(32));
	ck_assert_uint_eq(alloc(MIB(32), 4096, NODE_LOCAL), at);
}
END_TEST

START_TEST(ranges_are_trimmed_inwards_to_pages)
{
	memblock_remove(&boot, 0, UINT64_MAX);
	memblock_add(&boot, 0x1000, 0x9fc00, 0);
	memblock_add(&boot, 0x100001, 0x101fff, 0);
	memblock_trim(&boot, 4096);
	ck_assert_uint_eq(rangeset_size(&boot.memory), 1);
	ck_assert_uint_eq(rangeset_at(&boot.memory, 0)->start, 0x1000);
	ck_assert_uint_eq(rangeset_at(&boot.memory, 0)->end, 0x9f000);
}
END_TEST

Suite *
suite_memblock(void)
{
	Suite *s = suite_create("memblock");
	TCase *t = tcase_create("memblock");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, memory_is_allocated_from_the_top_down);
	tcase_add_test(t, a_node_gives_its_own_memory_while_it_has_any);
	tcase_add_test(t, an_allocation_starts_at_a_multiple_of_its_alignment);
	tcase_add_test(t, bottom_up_takes_the_lowest_place_but_never_page_0);
	tcase_add_test(t, bounds_are_kept_and_failure_is_told);
	tcase_add_test(t, free_memory_is_what_is_not_reserved);
	tcase_add_test(t, what_is_freed_can_be_had_again);
	tcase_add_test(t, ranges_are_trimmed_inwards_to_pages);
	suite_add_tcase(s, t);
	return s;
}
