// SPDX-License-Identifier: MIT
/* test_replay_map.c - which of our blocks stands for which recorded one */
#include "../../../src/machine/replay_impl.h"

#include <check.h>
#include <glib.h>

Suite *suite_replay_map(void);

static uint64_t seed;

static unsigned int
below(unsigned int n)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	return (unsigned int)((z ^ z >> 31) % n);
}

START_TEST(the_map_agrees_with_a_simple_one)
{
	struct replay_map *map = replay_map_new();
	struct replay_block b, simple[512] = {0}; /* order 15: none */
	uint64_t blocks = 0;

	seed = (uint64_t)_i;
	for (unsigned int i = 0; i < 512; i++)
		simple[i].order = 15;
	for (unsigned int round = 0; round < 20000; round++) {
		/* Frames that lie close, and far apart. */
		unsigned int i = below(512);
		pfn_t pfn = _i ? (pfn_t)i << 20 : i;
		bool here = simple[i].order != 15;

		ck_assert_int_eq(replay_map_find(map, pfn, &b), here);
		if (!here && below(512) < (round / 5000 % 2 ? 100 : 400)) {
			simple[i] =
				(struct replay_block){pfn, round, below(11)};
			replay_map_add(map, &simple[i]);
			blocks++;
		} else if (here && below(512) < 200) {
			ck_assert_uint_eq(b.pfn, simple[i].pfn);
			ck_assert_uint_eq(b.order, simple[i].order);
			replay_map_remove(map, pfn);
			simple[i].order = 15;
			blocks--;
		}
		ck_assert_uint_eq(replay_map_blocks(map), blocks);
	}
	replay_map_free(map);
}
END_TEST

START_TEST(a_block_is_found_by_any_of_its_frames)
{
	struct replay_map *map = replay_map_new();
	struct replay_block b;

	replay_map_add(map, &(struct replay_block){0x400, 7, 4});
	replay_map_add(map, &(struct replay_block){0x410, 8, 0});
	for (pfn_t pfn = 0x3f0; pfn < 0x420; pfn++) {
		bool want = pfn >= 0x400 && pfn <= 0x410;

		ck_assert_int_eq(replay_map_cover(map, pfn, &b), want);
		if (want)
			ck_assert_uint_eq(b.pfn, pfn < 0x410 ? 7 : 8);
	}
	replay_map_free(map);
}
END_TEST

START_TEST(the_maps_fingerprint_does_not_depend_on_history)
{
	struct replay_map *one = replay_map_new(), *other = replay_map_new();
	uint64_t nr;
	struct replay_block *list;

	for (pfn_t pfn = 0; pfn < 1000; pfn++)
		replay_map_add(one, &(struct replay_block){pfn, pfn + 5, 0});
	for (pfn_t pfn = 10; pfn < 1000; pfn++)
		replay_map_remove(one, pfn);
	for (pfn_t pfn = 10; pfn-- > 0;)
		replay_map_add(other, &(struct replay_block){pfn, pfn + 5, 0});
	ck_assert_uint_eq(replay_map_fingerprint(one),
			  replay_map_fingerprint(other));
	replay_map_remove(other, 3);
	ck_assert_uint_ne(replay_map_fingerprint(one),
			  replay_map_fingerprint(other));
	list = replay_map_list(one, &nr);
	ck_assert_uint_eq(nr, 10);
	for (pfn_t pfn = 0; pfn < 10; pfn++)
		ck_assert_uint_eq(list[pfn].recorded, pfn);
	g_free(list);
	replay_map_free(one);
	replay_map_free(other);
}
END_TEST

Suite *
suite_replay_map(void)
{
	Suite *suite = suite_create("replay_map");
	TCase *tc = tcase_create("replay_map");

	tcase_add_loop_test(tc, the_map_agrees_with_a_simple_one, 0, 2);
	tcase_add_test(tc, a_block_is_found_by_any_of_its_frames);
	tcase_add_test(tc, the_maps_fingerprint_does_not_depend_on_history);
	suite_add_tcase(suite, tc);
	return suite;
}
