// SPDX-License-Identifier: MIT
/* test_slub_bulk.c - many objects at once */
#include "slabbed.h"

#include <errno.h>

Suite *suite_slub_bulk(void);

static const struct slabbed_kind plain = {0};

#define MANY 300

START_TEST(many_objects_are_distinct_and_those_that_single_calls_would_give)
{
	struct slabbed *t = slabbed_new(&plain), *u = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 200, 0);
	struct kmem_cache *v = slabbed_cache(u, "test", 200, 0);
	va_t o[MANY];

	ck_assert_int_eq(kmem_cache_alloc_bulk(s, &t->who, MANY, o), 0);
	for (unsigned int i = 0; i < MANY; i++)
		ck_assert_uint_eq(o[i], take(u, v, 0));
	ck_assert_uint_eq(findings(t, NULL), 0);
	slabbed_free(t);
	slabbed_free(u);
}
END_TEST

START_TEST(all_or_none)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 8192, 0);
	unsigned int nr = 20000;
	va_t *o = g_new(va_t, nr);
	uint64_t before = free_pages(t);

	ck_assert_int_eq(kmem_cache_alloc_bulk(s, &t->who, nr, o), -ENOMEM);
	kmem_cache_shrink(s);
	ck_assert_uint_eq(free_pages(t), before);
	ck_assert_uint_eq(findings(t, NULL), 0);
	g_free(o);
	slabbed_free(t);
}
END_TEST

START_TEST(objects_of_one_slab_are_freed_as_one_chain)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 1024, 0);
	struct slab_request other = on_cpu(t, 1);
	unsigned int each = s->objects;
	va_t o[MANY], mixed[4];
	const struct slab *a, *b;

	ck_assert_int_eq(kmem_cache_alloc_bulk(s, &t->who, 2 * each + 1, o), 0);
	a = slab_of(t->sc, o[0]);
	b = slab_of(t->sc, o[each]);
	mixed[0] = o[0];
	mixed[1] = o[each];
	mixed[2] = o[1];
	mixed[3] = o[each + 1];
	ck_assert_int_eq(kmem_cache_free_bulk(s, &other, 4, mixed), 0);
	/* The last of the array is the first of its chain. */
	ck_assert_uint_eq(b->freelist, o[each + 1]);
	ck_assert_uint_eq(word_at(t, o[each + 1] + s->offset), o[each]);
	ck_assert_uint_eq(word_at(t, o[each] + s->offset), 0);
	ck_assert_uint_eq(a->freelist, o[1]);
	ck_assert_uint_eq(word_at(t, o[1] + s->offset), o[0]);
	ck_assert_uint_eq(b->inuse, each - 2);
	/* b was frozen by its chain before a by its own. */
	ck_assert_uint_eq(s->cpu[1].partial.head, a->number + 1);
	ck_assert_uint_eq(s->cpu[1].partial.tail, b->number + 1);
	ck_assert_uint_eq(findings(t, NULL), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(the_look_ahead_ends_after_two_objects_of_other_slabs)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 512, 0);
	struct slab_request other = on_cpu(t, 1);
	unsigned int each = s->objects;
	va_t o[MANY], p[5];
	const struct slab *a;

	ck_assert_int_eq(kmem_cache_alloc_bulk(s, &t->who, 4 * each + 1, o), 0);
	a = slab_of(t->sc, o[0]);
	p[4] = o[0];
	p[3] = o[each];
	p[2] = o[2 * each];
	p[1] = o[3 * each];
	p[0] = o[1]; /* too far away to be of the first chain */
	ck_assert_int_eq(kmem_cache_free_bulk(s, &other, 5, p), 0);
	ck_assert_uint_eq(a->freelist, o[1]);
	ck_assert_uint_eq(word_at(t, o[1] + s->offset), o[0]);
	ck_assert_uint_eq(a->inuse, each - 2);
	/* a froze first, its second chain found it so. */
	ck_assert_uint_eq(s->cpu[1].partial.tail, a->number + 1);
	ck_assert_uint_eq(findings(t, NULL), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(into_the_cpu_s_own_slab_a_chain_goes_first)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 256, 0);
	va_t o[4];

	ck_assert_int_eq(kmem_cache_alloc_bulk(s, &t->who, 4, o), 0);
	ck_assert_int_eq(kmem_cache_free_bulk(s, &t->who, 4, o), 0);
	for (unsigned int i = 4; i--;)
		ck_assert_uint_eq(take(t, s, 0), o[i]);
	ck_assert_uint_eq(findings(t, NULL), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(an_object_named_twice_counts_twice)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 1024, 0);
	struct slab_request other = on_cpu(t, 1);
	va_t o[MANY], p[2];
	const struct slab *a;

	ck_assert_int_eq(kmem_cache_alloc_bulk(s, &t->who, s->objects + 1U, o),
			 0);
	a = slab_of(t->sc, o[0]);
	p[0] = p[1] = o[0];
	ck_assert_int_eq(kmem_cache_free_bulk(s, &other, 2, p), 0);
	ck_assert_uint_eq(a->inuse, a->objects - 2);
	ck_assert_uint_eq(a->freelist, o[0]);
	ck_assert_uint_gt(findings(t, NULL), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(a_chain_that_bites_its_tail_crashes_the_kernel_but_not_us)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 1024, 0);
	va_t o[3], p[4];

	ck_assert_int_eq(kmem_cache_alloc_bulk(s, &t->who, 3, o), 0);
	p[3] = o[0];
	p[2] = p[0] = o[1];
	p[1] = o[2];
	ck_assert_int_eq(kmem_cache_free_bulk(s, &t->who, 4, p), -EFAULT);
	ck_assert_ptr_nonnull(
		strstr(t->b->log->str, "NULL pointer dereference"));
	slabbed_free(t);
}
END_TEST

Suite *
suite_slub_bulk(void)
{
	Suite *s = suite_create("slub_bulk");
	TCase *c = tcase_create("slub_bulk");

#define T(name) tcase_add_test(c, name)
	T(many_objects_are_distinct_and_those_that_single_calls_would_give);
	T(all_or_none);
	T(objects_of_one_slab_are_freed_as_one_chain);
	T(the_look_ahead_ends_after_two_objects_of_other_slabs);
	T(into_the_cpu_s_own_slab_a_chain_goes_first);
	T(an_object_named_twice_counts_twice);
	T(a_chain_that_bites_its_tail_crashes_the_kernel_but_not_us);
#undef T
	suite_add_tcase(s, c);
	return s;
}
