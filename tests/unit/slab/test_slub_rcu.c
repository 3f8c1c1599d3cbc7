// SPDX-License-Identifier: MIT
/* test_slub_rcu.c - SLAB_TYPESAFE_BY_RCU: pages stay for a grace period */
#include "slabbed.h"

Suite *suite_slub_rcu(void);

static const struct slabbed_kind plain = {0};

/* A cache with one slab whose objects are all free again. */
static struct kmem_cache *
emptied(struct slabbed *t, va_t *object)
{
	struct kmem_cache *s =
		slabbed_cache(t, "rcu", 512, SLAB_TYPESAFE_BY_RCU);

	*object = take(t, s, 0);
	give(t, s, 0, *object);
	return s;
}

START_TEST(the_free_pointer_lies_behind_the_object)
{
	struct slabbed *t = slabbed_new(&plain);
	va_t a;
	struct kmem_cache *s = emptied(t, &a);

	ck_assert_uint_eq(s->offset, 512);
	set_word(t, a, 0x1234);
	/* Given out again, the object is as readers may still see it. */
	ck_assert_uint_eq(take(t, s, 0), a);
	ck_assert_uint_eq(word_at(t, a), 0x1234);
	slabbed_free(t);
}
END_TEST

START_TEST(an_empty_slab_s_pages_stay_until_the_grace_period_ends)
{
	struct slabbed *t = slabbed_new(&plain);
	uint64_t before;
	va_t a;
	struct kmem_cache *s = emptied(t, &a);
	const struct slab *slab = slab_of(t->sc, a);

	before = free_pages(t);
	kmem_cache_shrink(s);
	ck_assert_int_eq(slab->where, SLAB_RCU);
	ck_assert_ptr_eq(slab_of(t->sc, a), slab);
	ck_assert_uint_eq(s->node[0].nr_slabs, 0);
	ck_assert_uint_eq(free_pages(t), before);
	t->b->now += SLAB_RCU_GRACE_NS - 1;
	slab_tick(t->sc);
	ck_assert_uint_eq(free_pages(t), before);
	ck_assert_uint_eq(findings(t, NULL), 0);
	t->b->now++;
	slab_tick(t->sc);
	ck_assert_uint_eq(free_pages(t), before + (1ULL << s->order));
	ck_assert_ptr_null(slab_of(t->sc, a));
	ck_assert_uint_eq(findings(t, NULL), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(grace_periods_end_in_the_order_in_which_they_began)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s =
		slabbed_cache(t, "rcu", 4096, SLAB_TYPESAFE_BY_RCU);
	va_t o[3];

	for (unsigned int i = 0; i < 3; i++) {
		o[i] = take(t, s, 0);
		give(t, s, 0, o[i]);
		kmem_cache_shrink(s);
		t->b->now += 1000;
	}
	for (unsigned int i = 0; i < 3; i++) {
		t->b->now = SLAB_RCU_GRACE_NS + 1000 * i;
		slab_tick(t->sc);
		for (unsigned int k = 0; k < 3; k++)
			ck_assert_int_eq(slab_of(t->sc, o[k]) != NULL, k > i);
	}
	slabbed_free(t);
}
END_TEST

START_TEST(freeing_into_a_slab_that_waits_changes_no_list)
{
	struct slabbed *t = slabbed_new(&plain);
	va_t a;
	struct kmem_cache *s = emptied(t, &a);
	const struct slab *slab = slab_of(t->sc, a);

	kmem_cache_shrink(s);
	give(t, s, 0, a);
	ck_assert_int_eq(slab->where, SLAB_RCU);
	ck_assert_uint_eq(s->cpu[0].partial.nr, 0);
	t->b->now += SLAB_RCU_GRACE_NS;
	slab_tick(t->sc);
	ck_assert_ptr_null(slab_of(t->sc, a));
	slabbed_free(t);
}
END_TEST

START_TEST(destroying_the_cache_ends_its_grace_periods)
{
	struct slabbed *t = slabbed_new(&plain);
	uint64_t before;
	va_t a;
	struct kmem_cache *s = slabbed_cache(t, "warm", 512, 0);

	ck_assert_int_eq(kmem_cache_destroy(s, "warm", &t->who), 0);
	before = free_pages(t);
	s = emptied(t, &a);
	ck_assert_int_eq(kmem_cache_destroy(s, "rcu", &t->who), 0);
	ck_assert_uint_eq(free_pages(t), before);
	t->b->now += SLAB_RCU_GRACE_NS;
	slab_tick(t->sc);
	ck_assert_uint_eq(free_pages(t), before);
	slabbed_free(t);
}
END_TEST

Suite *
suite_slub_rcu(void)
{
	Suite *s = suite_create("slub_rcu");
	TCase *c = tcase_create("slub_rcu");

#define T(name) tcase_add_test(c, name)
	T(the_free_pointer_lies_behind_the_object);
	T(an_empty_slab_s_pages_stay_until_the_grace_period_ends);
	T(grace_periods_end_in_the_order_in_which_they_began);
	T(freeing_into_a_slab_that_waits_changes_no_list);
	T(destroying_the_cache_ends_its_grace_periods);
#undef T
	suite_add_tcase(s, c);
	return s;
}
