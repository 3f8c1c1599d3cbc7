// SPDX-License-Identifier: MIT
/* test_slabs.c - the table of slabs, and from an address to its object */
#include "slabbed.h"

Suite *suite_slabs(void);

static const struct slabbed_kind plain = {0};

START_TEST(every_byte_of_a_slab_leads_to_it_and_no_other_byte_does)
{
	static const uint64_t sizes[] = {8, 100, 700, 2048, 5000, 8192};
	struct slabbed *t = slabbed_new(&plain);

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct kmem_cache *s = slabbed_cache(
			t, g_intern_string((char[]){'c', (char)('0' + i), 0}),
			sizes[i], 0);
		const struct slab *slab = slab_of(t->sc, take(t, s, 0));
		va_t base = slab_object(slab, 0), end;

		end = base + (4096ULL << slab->order);
		ck_assert_ptr_nonnull(slab);
		for (va_t at = base; at < end; at += 61)
			ck_assert_ptr_eq(slab_of(t->sc, at), slab);
		ck_assert_ptr_eq(slab_of(t->sc, end - 1), slab);
		ck_assert_ptr_ne(slab_of(t->sc, end), slab);
		ck_assert_ptr_ne(slab_of(t->sc, base - 1), slab);
	}
	slabbed_free(t);
}
END_TEST

START_TEST(addresses_outside_of_memory_are_no_slab_s)
{
	struct slabbed *t = slabbed_new(&plain);
	va_t base = t->b->phys->arch->page_offset;

	take(t, slabbed_cache(t, "test", 64, 0), 0);
	ck_assert_ptr_null(slab_of(t->sc, 0));
	ck_assert_ptr_null(slab_of(t->sc, 1));
	ck_assert_ptr_null(slab_of(t->sc, base - 1));
	ck_assert_ptr_null(slab_of(t->sc, base));
	ck_assert_ptr_null(slab_of(t->sc, base + MIB(64)));
	ck_assert_ptr_null(slab_of(t->sc, UINT64_MAX));
	slabbed_free(t);
}
END_TEST

START_TEST(an_object_s_index_and_its_address_lead_to_each_other)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 600, 0);
	const struct slab *slab = slab_of(t->sc, take(t, s, 0));
	va_t base = slab_object(slab, 0);

	ck_assert_uint_gt(slab->objects, 2);
	for (uint32_t i = 0; i < slab->objects; i++) {
		va_t object = slab_object(slab, i);

		ck_assert_uint_eq(object, base + i * s->size);
		ck_assert_uint_eq(slab_object_index(slab, object), i);
		ck_assert_uint_eq(slab_object_index(slab, object + s->size - 1),
				  i);
	}
	ck_assert_uint_eq(slab_object_index(slab, base - 1), UINT32_MAX);
	/* What is left over at the end belongs to no object. */
	ck_assert_uint_eq(
		slab_object_index(slab,
				  base + (uint64_t)slab->objects * s->size),
		UINT32_MAX);
	slabbed_free(t);
}
END_TEST

START_TEST(slabs_are_numbered_and_a_number_is_used_again)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 4096, 0);
	va_t a = take(t, s, 0), b;
	uint32_t number = slab_number(t->sc, slab_of(t->sc, a)), owner;
	const struct slab *slab = slab_get(t->sc, number);
	const struct frame *head = &t->b->phys->frames[slab->pfn];

	ck_assert_ptr_eq(slab, slab_of(t->sc, a));
	ck_assert(frame_owned_by(head->owner, OWNER_SLAB, &owner));
	ck_assert_uint_eq(owner, number);
	give(t, s, 0, a);
	kmem_cache_shrink(s);
	ck_assert_ptr_null(slab_get(t->sc, number));
	ck_assert(!frame_owned_by(head->owner, OWNER_SLAB, &owner));
	ck_assert_ptr_null(slab_get(t->sc, t->sc->nr_slabs));
	b = take(t, s, 0);
	ck_assert_uint_eq(slab_number(t->sc, slab_of(t->sc, b)), number);
	slabbed_free(t);
}
END_TEST

START_TEST(all_slabs_of_a_cache_are_walked_newest_first)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 2048, 0);
	struct kmem_cache *other = slabbed_cache(t, "other", 2048, 0);
	const struct slab *slab = NULL;
	unsigned int made = 4000 / s->objects, seen = 0;
	uint32_t before = UINT32_MAX;

	for (unsigned int i = 0; i < made * s->objects; i++) {
		take(t, s, 0);
		if (i % 100 == 0)
			take(t, other, 0);
	}
	while ((slab = slab_next(s, slab))) {
		ck_assert_ptr_eq(slab->cache, s);
		ck_assert_uint_lt(slab_number(t->sc, slab), before);
		before = slab_number(t->sc, slab);
		seen++;
	}
	ck_assert_uint_eq(seen, made);
	slabbed_free(t);
}
END_TEST

static void
add_number(void *sum, uint64_t v)
{
	uint64_t *hash = sum;

	*hash = (*hash ^ v) * 0x9e3779b97f4a7c15;
	*hash ^= *hash >> 29;
}

static uint64_t
digest_of(const struct slabbed *t)
{
	uint64_t hash = 1;

	slab_digest(t->sc, &(struct number_stream){add_number, &hash});
	return hash;
}

START_TEST(the_digest_is_the_same_for_the_same_calls_and_moves_with_each)
{
	struct slabbed *t[2] = {slabbed_new(&plain), slabbed_new(&plain)};
	uint64_t last = 0;
	va_t o[2][40];

	for (unsigned int k = 0; k < 2; k++)
		slabbed_cache(t[k], "test", 320, 0);
	ck_assert_uint_eq(digest_of(t[0]), digest_of(t[1]));
	for (unsigned int i = 0; i < 80; i++) {
		for (unsigned int k = 0; k < 2; k++) {
			struct kmem_cache *s =
				kmem_cache_find(t[k]->sc, "test");

			if (i < 40)
				o[k][i] = take(t[k], s, i % 2);
			else
				give(t[k], s, 1, o[k][i - 40]);
		}
		ck_assert_uint_eq(digest_of(t[0]), digest_of(t[1]));
		ck_assert_uint_ne(digest_of(t[0]), last);
		last = digest_of(t[0]);
	}
	slabbed_free(t[0]);
	slabbed_free(t[1]);
}
END_TEST

Suite *
suite_slabs(void)
{
	Suite *s = suite_create("slabs");
	TCase *c = tcase_create("slabs");

#define T(name) tcase_add_test(c, name)
	T(every_byte_of_a_slab_leads_to_it_and_no_other_byte_does);
	T(addresses_outside_of_memory_are_no_slab_s);
	T(an_object_s_index_and_its_address_lead_to_each_other);
	T(slabs_are_numbered_and_a_number_is_used_again);
	T(all_slabs_of_a_cache_are_walked_newest_first);
	T(the_digest_is_the_same_for_the_same_calls_and_moves_with_each);
#undef T
	suite_add_tcase(s, c);
	return s;
}
