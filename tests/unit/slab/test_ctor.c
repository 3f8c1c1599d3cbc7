// SPDX-License-Identifier: MIT
/* test_ctor.c - what constructors write */
#include "slabbed.h"

Suite *suite_ctor(void);

START_TEST(every_constructor_is_found_by_its_name)
{
	unsigned int n = 0;

	for (const struct slab_ctor *c; (c = slab_ctor_nth(n)); n++)
		ck_assert_ptr_eq(slab_ctor_find(slab_ctor_name(c)), c);
	ck_assert_uint_ge(n, 4);
	ck_assert_ptr_null(slab_ctor_find("nonsense"));
}
END_TEST

START_TEST(a_pattern_is_repeated_to_the_objects_end_and_not_beyond)
{
	const struct slab_ctor *ctor = slab_ctor_find("stripes");
	uint8_t bytes[8] = {0};

	slab_ctor_fill(ctor, bytes, 5);
	ck_assert_mem_eq(bytes, "\x55\xaa\x55\xaa\x55\0\0\0", 8);
	slab_ctor_fill(slab_ctor_find("zero"), bytes, 4);
	ck_assert_mem_eq(bytes, "\0\0\0\0\x55\0\0\0", 8);
	slab_ctor_fill(slab_ctor_find("count"), bytes, 8);
	ck_assert_mem_eq(bytes, "\0\1\2\3\4\5\6\7", 8);
}
END_TEST

START_TEST(an_object_comes_constructed_and_its_bytes_outlive_a_free)
{
	struct slabbed *t = slabbed_new(&(struct slabbed_kind){0});
	const struct kmem_cache_args args = {
		.name = "constructed",
		.size = 40,
		.ctor = slab_ctor_find("count"),
		.who = &t->who,
	};
	struct kmem_cache *s;
	va_t object;

	ck_assert_int_eq(kmem_cache_create(t->sc, &args, &s, NULL), 0);
	object = take(t, s, 0);
	ck_assert_uint_eq(word_at(t, object), 0x0706050403020100);
	ck_assert_uint_eq(word_at(t, object + 32), 0x2726252423222120);
	/* The free pointer lies outside. */
	set_word(t, object + 16, 0x1122334455667788);
	give(t, s, 0, object);
	ck_assert_uint_eq(take(t, s, 0), object);
	ck_assert_uint_eq(word_at(t, object + 16), 0x1122334455667788);
	slabbed_free(t);
}
END_TEST

Suite *
suite_ctor(void)
{
	Suite *s = suite_create("ctor");
	TCase *t = tcase_create("ctor");

	tcase_add_test(t, every_constructor_is_found_by_its_name);
	tcase_add_test(t,
		       a_pattern_is_repeated_to_the_objects_end_and_not_beyond);
	tcase_add_test(
		t, an_object_comes_constructed_and_its_bytes_outlive_a_free);
	suite_add_tcase(s, t);
	return s;
}
