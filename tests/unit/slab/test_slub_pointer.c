// SPDX-License-Identifier: MIT
/* test_slub_pointer.c - free pointers in RAM, and what misuse does to them */
#include "slabbed.h"

#include <errno.h>

Suite *suite_slub_pointer(void);

static const struct slabbed_kind plain = {0};

START_TEST(free_pointers_have_the_word_size_of_the_machine)
{
	const struct slabbed_kind i386 = {.arch = "i386"};
	struct slabbed *t = slabbed_new(&i386);
	struct kmem_cache *s = slabbed_cache(t, "test", 32, 0);
	va_t a = take(t, s, 0);

	ck_assert_uint_eq(t->sc->word, 4);
	ck_assert_uint_eq(s->offset, 16);
	ck_assert_uint_eq(word_at(t, a + s->size + 16), a + 2 * s->size);
	ck_assert_uint_ge(a, 0xc0000000);
	ck_assert_uint_eq(take(t, s, 0), a + s->size);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(hardened_pointers_are_the_address_the_secret_and_the_place_xored)
{
	const struct slabbed_kind hard = {.config = {.hardened = true}};
	struct slabbed *t = slabbed_new(&hard);
	struct kmem_cache *s = slabbed_cache(t, "test", 64, 0);
	va_t a = take(t, s, 0), b = a + s->size, at = b + s->offset;
	struct slab_request r = t->who;

	ck_assert_uint_ne(s->random, 0);
	ck_assert_uint_eq(word_at(t, at),
			  (b + s->size) ^ s->random ^ __builtin_bswap64(at));
	ck_assert_uint_eq(take(t, s, 0), b);
	ck_assert_uint_eq(take(t, s, 0), b + s->size);
	/* Freed twice in a row: BUG_ON. */
	give(t, s, 0, b);
	ck_assert_int_eq(kmem_cache_free(s, b, &r), -EFAULT);
	ck_assert_ptr_nonnull(
		strstr(t->b->log->str, "kernel BUG at mm/slub.c:"));
	slabbed_free(t);
}
END_TEST

START_TEST(a_shuffled_slab_gives_each_object_once)
{
	const struct slabbed_kind shuffled = {.config = {.random = true}};
	struct slabbed *t = slabbed_new(&shuffled);
	struct kmem_cache *s = slabbed_cache(t, "test", 128, 0);
	va_t o[OBJECTS_MOST];
	unsigned int nr = fill(t, s, 0, 1, o), behind = 0;
	bool seen[OBJECTS_MOST] = {false};
	const struct slab *slab = slab_of(t->sc, o[0]);

	for (unsigned int i = 0; i < nr; i++) {
		uint32_t index = slab_object_index(slab, o[i]);

		ck_assert_uint_lt(index, nr);
		ck_assert(!seen[index]);
		seen[index] = true;
		behind += i && o[i] < o[i - 1];
	}
	ck_assert_uint_gt(behind, 0);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(an_overwritten_free_pointer_gives_out_what_it_points_to)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 64, 0);
	va_t a = take(t, s, 0), forged = a + 4096 * 64;

	set_word(t, forged + s->offset, 0);
	give(t, s, 0, a);
	set_word(t, a + s->offset, forged);
	ck_assert_uint_eq(take(t, s, 0), a);
	ck_assert_uint_eq(take(t, s, 0), forged);
	slabbed_free(t);
}
END_TEST

static const struct {
	uint64_t forged;
	const char *says;
} nowhere[] = {
	{0x4141414141414141,
	 "general protection fault, probably for non-canonical address "
	 "0x4141414141414161"					      },
	{0x10,	       "BUG: kernel NULL pointer dereference, address: "
	       "0000000000000030"				 },
	{0xffffffffff000000, "BUG: unable to handle page fault for address: "
			     "ffffffffff000020"},
 /* Of the direct map, behind the end of RAM. */
	{0xffff888800000000, "BUG: unable to handle page fault for address: "
			     "ffff888800000020"},
};

START_TEST(a_free_pointer_to_nowhere_crashes_the_kernel_but_not_us)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 64, 0);
	struct slab_request r = t->who;
	va_t a = take(t, s, 0), b;

	ck_assert_uint_eq(s->offset, 32);
	give(t, s, 0, a);
	set_word(t, a + s->offset, nowhere[_i].forged);
	ck_assert_uint_eq(take(t, s, 0), a);
	/* Taking its address is harmless; looking behind it is not. */
	ck_assert_int_eq(kmem_cache_alloc(s, &r, &b), -EFAULT);
	ck_assert_msg(strstr(t->b->log->str, nowhere[_i].says) != NULL, "%s",
		      t->b->log->str);
	ck_assert_int_eq(kmem_cache_alloc(s, &r, &b), -EFAULT);
	ck_assert_ptr_nonnull(strstr(t->b->log->str, "[#2]"));
	slabbed_free(t);
}
END_TEST

START_TEST(an_object_freed_twice_is_given_out_twice)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 64, 0);
	va_t a = take(t, s, 0), b = take(t, s, 0);

	give(t, s, 0, a);
	give(t, s, 0, b);
	give(t, s, 0, a);
	ck_assert_uint_eq(take(t, s, 0), a);
	ck_assert_uint_eq(take(t, s, 0), b);
	ck_assert_uint_eq(take(t, s, 0), a);
	slabbed_free(t);
}
END_TEST

START_TEST(counting_frees_twice_can_give_a_page_back_that_is_in_use)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 2048, 0);
	unsigned int each = s->objects, slabs = s->min_partial + 2;
	struct slab_request r = t->who;
	va_t o[OBJECTS_MOST];

	fill(t, s, 0, slabs + 1, o);
	for (unsigned int i = 0; i < slabs; i++)
		give(t, s, 1, o[i * each]);
	slab_cpu_dead(t->sc, 1);
	/* One object of slab 0 is freed as often as there are others. */
	for (unsigned int i = 1; i < each; i++)
		give(t, s, 1, o[1]);
	ck_assert_ptr_null(slab_of(t->sc, o[2]));
	/* Its owner's own free then finds no slab. */
	ck_assert_int_eq(kmem_cache_free(s, o[2], &r), -EFAULT);
	ck_assert_ptr_nonnull(strstr(t->b->log->str,
				     "NULL pointer dereference, address: "
				     "0000000000000020"));
	slabbed_free(t);
}
END_TEST

START_TEST(a_free_list_in_a_circle_ends_with_the_watchdog)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 64, 0);
	va_t a = take(t, s, 0), b = take(t, s, 0);

	give(t, s, 0, a);
	give(t, s, 0, b);
	give(t, s, 0, a);
	kmem_cache_shrink(s);
	ck_assert_ptr_nonnull(strstr(t->b->log->str, "BUG: soft lockup"));
	ck_assert_uint_eq(s->cpu[0].slab, 0);
	ck_assert_uint_gt(findings(t, NULL), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(an_object_of_another_cache_goes_wrong_but_does_no_harm_to_us)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *a = slabbed_cache(t, "a", 512, 0);
	struct kmem_cache *b = slabbed_cache(t, "b", 64, 0);
	va_t o[OBJECTS_MOST], other = take(t, b, 0);
	unsigned int nr = fill(t, a, 0, 3, o);

	/* The slab of a comes to lie on b's lists. */
	for (unsigned int i = 0; i < nr; i++)
		give(t, b, 1, o[i]);
	ck_assert_uint_gt(findings(t, NULL), 0);
	kmem_cache_shrink(b);
	kmem_cache_shrink(a);
	give(t, b, 0, other);
	take(t, b, 1);
	take(t, a, 1);
	slabbed_free(t);
}
END_TEST

START_TEST(a_hardened_kernel_frees_to_the_cache_of_the_page)
{
	const struct slabbed_kind hard = {.config = {.hardened = true}};
	struct slabbed *t = slabbed_new(&hard);
	struct kmem_cache *a = slabbed_cache(t, "a", 512, 0);
	struct kmem_cache *b = slabbed_cache(t, "b", 64, 0);
	va_t object = take(t, a, 0);

	give(t, b, 0, object);
	ck_assert_ptr_nonnull(strstr(t->b->log->str,
				     "cache_from_obj: Wrong slab cache. b but "
				     "object is from a"));
	ck_assert_uint_eq(take(t, a, 0), object);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

Suite *
suite_slub_pointer(void)
{
	Suite *s = suite_create("slub_pointer");
	TCase *c = tcase_create("slub_pointer");

#define T(name) tcase_add_test(c, name)
	T(free_pointers_have_the_word_size_of_the_machine);
	T(hardened_pointers_are_the_address_the_secret_and_the_place_xored);
	T(a_shuffled_slab_gives_each_object_once);
	T(an_overwritten_free_pointer_gives_out_what_it_points_to);
	T(an_object_freed_twice_is_given_out_twice);
	T(counting_frees_twice_can_give_a_page_back_that_is_in_use);
	T(a_free_list_in_a_circle_ends_with_the_watchdog);
	T(an_object_of_another_cache_goes_wrong_but_does_no_harm_to_us);
	T(a_hardened_kernel_frees_to_the_cache_of_the_page);
	tcase_add_loop_test(
		c, a_free_pointer_to_nowhere_crashes_the_kernel_but_not_us, 0,
		ARRAY_SIZE(nowhere));
#undef T
	suite_add_tcase(s, c);
	return s;
}
