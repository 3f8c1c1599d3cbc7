// SPDX-License-Identifier: MIT
/* test_slob.c - SLOB: blocks of bytes out of shared pages */
#include "slabbed.h"

#include "kmemfs/slab/kmalloc.h"

#include <errno.h>

Suite *suite_slob(void);

static const struct slabbed_kind plain = {
	.cpus = 1, .config = {.allocator = ALLOCATOR_SLOB}};

static va_t
get(struct slabbed *t, uint64_t bytes)
{
	va_t object = 0;

	ck_assert_int_eq(kmalloc(t->sc, bytes, &t->who, &object), 0);
	return object;
}

static void
put(struct slabbed *t, va_t object)
{
	ck_assert_int_eq(kfree(t->sc, object, &t->who), 0);
}

static uint32_t
number_at(const struct slabbed *t, va_t at, unsigned int bytes)
{
	uint64_t v = ram_load(t->ram, at - t->b->phys->arch->page_offset, 4);

	return bytes == 2 ? v & 0xffff : (uint32_t)v;
}

static uint64_t
page_of(va_t at)
{
	return at & ~4095ULL;
}

/* --- kmalloc ---------------------------------------------------------------
 */

START_TEST(a_header_of_eight_bytes_holds_the_size)
{
	struct slabbed *t = slabbed_new(&plain);
	va_t a = get(t, 100), b = get(t, 100);

	ck_assert_uint_eq(number_at(t, a - 8, 4), 100);
	ck_assert_uint_eq(b - a, 112); /* to the next multiple of 8 */
	ck_assert_uint_eq(ksize(t->sc, a), 100);
	ck_assert_uint_eq(ksize(t->sc, get(t, 101)), 102);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_free_block_tells_its_units_and_the_next_one)
{
	struct slabbed *t = slabbed_new(&plain);
	va_t a = get(t, 96), b = get(t, 96), c = get(t, 96);
	va_t page = page_of(a);

	put(t, b);
	ck_assert_uint_eq(number_at(t, b - 8, 2), 104 / 2);
	ck_assert_uint_eq(number_at(t, b - 8 + 2, 2), (c + 96 - page) / 2);
	/* The last one leads to the page's end. */
	ck_assert_uint_eq(number_at(t, c + 96 + 2, 2), 2048);
	ck_assert_uint_eq(slab_of(t->sc, a)->freelist, b - 8);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_single_free_unit_tells_the_next_one_alone)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "two", 2, 0);
	va_t a = take(t, s, 0), b = take(t, s, 0);

	ck_assert_uint_eq(b - a, 8);
	put(t, get(t, 50));
	give(t, s, 0, a);
	assert_slabs_lawful(t);
	give(t, s, 0, b);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(neighbours_merge_from_both_sides)
{
	struct slabbed *t = slabbed_new(&plain);
	va_t o[5];
	const struct slab *page;
	uint16_t index[2048];

	for (unsigned int i = 0; i < 5; i++)
		o[i] = get(t, 56);
	page = slab_of(t->sc, o[0]);
	put(t, o[1]);
	put(t, o[3]);
	ck_assert_uint_eq(slab_free_list(page, page->freelist, index, NULL), 3);
	put(t, o[2]);
	ck_assert_uint_eq(slab_free_list(page, page->freelist, index, NULL), 2);
	ck_assert_uint_eq(index[0], (o[1] - 8 - page_of(o[0])) / 2);
	ck_assert_uint_eq(number_at(t, o[1] - 8, 2), 3 * 64 / 2);
	/* First fit: the hole before the rest. */
	ck_assert_uint_eq(get(t, 184), o[1]);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_page_that_is_all_free_goes_back)
{
	struct slabbed *t = slabbed_new(&plain);
	uint64_t before = free_pages(t);
	va_t a = get(t, 100), b = get(t, 200);

	ck_assert_uint_eq(free_pages(t), before - 1);
	put(t, a);
	put(t, b);
	ck_assert_uint_eq(free_pages(t), before);
	ck_assert_int_eq(t->b->phys->nodes[0]->stat[NS_nr_slab_unreclaimable],
			 0);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(small_medium_and_large_blocks_have_pages_of_their_own)
{
	struct slabbed *t = slabbed_new(&plain);
	va_t small = get(t, 247), medium = get(t, 248), large = get(t, 1016);

	ck_assert_uint_ne(page_of(small), page_of(medium));
	ck_assert_uint_ne(page_of(medium), page_of(large));
	ck_assert_uint_eq(page_of(get(t, 1)), page_of(small));
	ck_assert_uint_eq(page_of(get(t, 1015)), page_of(medium));
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(the_search_goes_on_where_it_ended)
{
	struct slabbed *t = slabbed_new(&plain);
	va_t a = get(t, 2800), b = get(t, 2800), c = get(t, 2800);

	/* The newest page comes first; c's has no room for 1300, b's has. */
	ck_assert_uint_ne(page_of(a), page_of(b));
	ck_assert_uint_eq(page_of(get(t, 1200)), page_of(c));
	ck_assert_uint_eq(page_of(get(t, 1200)), page_of(b));
	/* b's page is the first now, and full; a's is asked next. */
	ck_assert_uint_eq(page_of(get(t, 1200)), page_of(a));
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(powers_of_two_are_aligned_to_themselves)
{
	struct slabbed *t = slabbed_new(&plain);

	get(t, 30);
	for (uint64_t bytes = 8; bytes <= 2048; bytes *= 2)
		ck_assert_uint_eq(get(t, bytes) % bytes, 0);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(from_a_page_upwards_whole_pages_are_taken)
{
	struct slabbed *t = slabbed_new(&plain);
	uint64_t before = free_pages(t);
	gsize said = t->b->log->len;
	va_t a = get(t, 4088), b = get(t, 9000);

	ck_assert_ptr_null(slab_of(t->sc, a));
	ck_assert_uint_eq(ksize(t->sc, a), 4096);
	ck_assert_uint_eq(ksize(t->sc, b), 16384);
	/* It does not ask where in the pages, nor whose they are. */
	ck_assert_uint_eq(ksize_warn(t->sc, b + 5000, &t->who), 16384);
	ck_assert_uint_eq(ksize_warn(t->sc,
				     t->b->phys->arch->page_offset + MIB(16),
				     &t->who),
			  4096);
	ck_assert_uint_eq(free_pages(t), before - 5);
	put(t, a);
	put(t, b);
	ck_assert_uint_eq(free_pages(t), before);
	ck_assert_uint_eq(t->b->log->len, said);
	slabbed_free(t);
}
END_TEST

/* --- caches ----------------------------------------------------------------
 */

START_TEST(caches_share_pages_and_objects_have_no_header)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "a", 40, 0);
	struct kmem_cache *u = slabbed_cache(t, "b", 72, 0);
	va_t a = take(t, s, 0), b = take(t, u, 0), c = take(t, s, 0);

	ck_assert_uint_eq(b - a, 40);
	ck_assert_uint_eq(c - b, 72);
	give(t, s, 0, a);
	give(t, u, 0, b);
	give(t, s, 0, c);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(objects_larger_than_a_page_are_slabs_of_their_cache)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "big", 5000, 0);
	uint64_t before = free_pages(t);
	va_t a = take(t, s, 0);

	ck_assert_ptr_eq(slab_of(t->sc, a)->cache, s);
	ck_assert_uint_eq(free_pages(t), before - 2);
	give(t, s, 0, a);
	ck_assert_uint_eq(free_pages(t), before);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(with_rcu_the_object_waits_for_the_grace_period)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s =
		slabbed_cache(t, "rcu", 100, SLAB_TYPESAFE_BY_RCU);
	va_t a = take(t, s, 0);
	const struct slab *page = slab_of(t->sc, a);
	uint16_t inuse = page->inuse;

	ck_assert_uint_eq(s->size, 124);
	give(t, s, 0, a);
	ck_assert_uint_eq(page->inuse, inuse);
	ck_assert_uint_eq(number_at(t, a + 100 + 16, 4), 124);
	t->b->now += SLAB_RCU_GRACE_NS;
	slab_tick(t->sc);
	ck_assert_uint_eq(page->inuse, inuse - 62);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_cache_with_live_objects_is_destroyed_without_a_word)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "a", 40, 0);
	gsize said = t->b->log->len;

	take(t, s, 0);
	ck_assert_int_eq(kmem_cache_destroy(s, "a", &t->who), 0);
	ck_assert_uint_eq(t->b->log->len, said);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(an_overwritten_header_frees_what_it_says)
{
	struct slabbed *t = slabbed_new(&plain);
	va_t a = get(t, 48), b = get(t, 48);

	ram_store(t->ram, a - 8 - t->b->phys->arch->page_offset, 4, 200);
	put(t, a);
	/* The neighbour's bytes are given out although it is in use. */
	ck_assert_uint_lt(get(t, 150), b);
	slabbed_free(t);
}
END_TEST

START_TEST(a_link_that_leads_nowhere_is_an_oops_or_a_lockup)
{
	struct slabbed *t = slabbed_new(&plain);
	va_t a = get(t, 96), b = get(t, 96), object;
	pa_t at;

	get(t, 96);
	put(t, b);
	at = b - 8 - t->b->phys->arch->page_offset;
	/* Of one unit, and followed by itself. */
	ram_store(t->ram, at, 4, (uint16_t) - (int)((b - 8 - page_of(b)) / 2));
	ck_assert_int_eq(kmalloc(t->sc, 180, &t->who, &object), -EFAULT);
	ck_assert_ptr_nonnull(strstr(t->b->log->str, "soft lockup"));
	ck_assert_uint_gt(findings(t, NULL), 0);
	(void)a;
	slabbed_free(t);
}
END_TEST

Suite *
suite_slob(void)
{
	Suite *suite = suite_create("slob");
	TCase *tc = tcase_create("slob");

	tcase_add_test(tc, a_header_of_eight_bytes_holds_the_size);
	tcase_add_test(tc, a_free_block_tells_its_units_and_the_next_one);
	tcase_add_test(tc, a_single_free_unit_tells_the_next_one_alone);
	tcase_add_test(tc, neighbours_merge_from_both_sides);
	tcase_add_test(tc, a_page_that_is_all_free_goes_back);
	tcase_add_test(tc,
		       small_medium_and_large_blocks_have_pages_of_their_own);
	tcase_add_test(tc, the_search_goes_on_where_it_ended);
	tcase_add_test(tc, powers_of_two_are_aligned_to_themselves);
	tcase_add_test(tc, from_a_page_upwards_whole_pages_are_taken);
	tcase_add_test(tc, caches_share_pages_and_objects_have_no_header);
	tcase_add_test(tc, objects_larger_than_a_page_are_slabs_of_their_cache);
	tcase_add_test(tc, with_rcu_the_object_waits_for_the_grace_period);
	tcase_add_test(tc,
		       a_cache_with_live_objects_is_destroyed_without_a_word);
	tcase_add_test(tc, an_overwritten_header_frees_what_it_says);
	tcase_add_test(tc, a_link_that_leads_nowhere_is_an_oops_or_a_lockup);
	suite_add_tcase(suite, tc);
	return suite;
}
