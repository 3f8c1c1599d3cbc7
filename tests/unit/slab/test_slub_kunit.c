// SPDX-License-Identifier: MIT
/*
 * test_slub_kunit.c - the scenarios of the kernel's own test of SLUB's
 * debugging, lib/slub_kunit.c of 6.1 and later, and the counts they expect
 */
#include "slabbed.h"

Suite *suite_slub_kunit(void);

/* One scenario: a cache of objects of 64 bytes, and one of them. */
struct scenario {
	struct slabbed *t;
	struct kmem_cache *s;
	va_t p;
};

static struct scenario
begin(const char *name, slab_flags_t flags)
{
	static const struct slabbed_kind plain = {0};
	struct scenario k = {.t = slabbed_new(&plain)};

	k.s = slabbed_cache(k.t, name, 64, flags | SLAB_NO_USER_FLAGS);
	k.p = take(k.t, k.s, 0);
	return k;
}

/* Destroying must succeed, and leave no law broken. */
static void
end(struct scenario *k, const char *name)
{
	ck_assert_int_eq(kmem_cache_destroy(k->s, name, &k->t->who), 0);
	ck_assert_uint_eq(findings(k->t, NULL), 0);
	slabbed_free(k->t);
}

static void
poke(const struct slabbed *t, va_t at, uint8_t value)
{
	ck_assert_int_eq(ram_write(t->ram, at - t->b->phys->arch->page_offset,
				   &value, 1),
			 0);
}

static uint8_t
peek(const struct slabbed *t, va_t at)
{
	uint8_t value;

	ram_read(t->ram, at - t->b->phys->arch->page_offset, &value, 1);
	return value;
}

/* What slub_kunit counts: reports and fixes, since the last time. */
static unsigned int
errors_of_validate(const struct scenario *k)
{
	k->t->sc->errors = 0;
	ck_assert_uint_eq(k->s->ops->validate(k->s), k->t->sc->errors);
	return k->t->sc->errors;
}

START_TEST(clobber_zone_gives_two_errors)
{
	struct scenario k = begin("TestSlub_RZ_alloc", SLAB_RED_ZONE);

	poke(k.t, k.p + 64, 0x12);
	ck_assert_uint_eq(errors_of_validate(&k), 2);
	ck_assert_uint_eq(peek(k.t, k.p + 64), 0xcc);
	ck_assert_uint_eq(errors_of_validate(&k), 0);
	give(k.t, k.s, 0, k.p);
	end(&k, "TestSlub_RZ_alloc");
}
END_TEST

START_TEST(next_pointer_gives_three_errors_then_two_then_none)
{
	struct scenario k = begin("TestSlub_next_ptr_free", SLAB_POISON);
	uint64_t was;

	give(k.t, k.s, 0, k.p);
	was = word_at(k.t, k.p + k.s->offset);
	poke(k.t, k.p + k.s->offset, (uint8_t)~peek(k.t, k.p + k.s->offset));
	ck_assert_uint_eq(errors_of_validate(&k), 3);
	set_word(k.t, k.p + k.s->offset, was);
	ck_assert_uint_eq(errors_of_validate(&k), 2);
	ck_assert_uint_eq(errors_of_validate(&k), 0);
	end(&k, "TestSlub_next_ptr_free");
}
END_TEST

START_TEST(first_word_gives_two_errors)
{
	struct scenario k = begin("TestSlub_1th_word_free", SLAB_POISON);

	give(k.t, k.s, 0, k.p);
	poke(k.t, k.p, 0x78);
	ck_assert_uint_eq(errors_of_validate(&k), 2);
	ck_assert_uint_eq(peek(k.t, k.p), 0x6b);
	end(&k, "TestSlub_1th_word_free");
}
END_TEST

START_TEST(clobber_50th_byte_gives_two_errors)
{
	struct scenario k = begin("TestSlub_50th_word_free", SLAB_POISON);

	give(k.t, k.s, 0, k.p);
	poke(k.t, k.p + 50, 0x9a);
	ck_assert_uint_eq(errors_of_validate(&k), 2);
	ck_assert_uint_eq(peek(k.t, k.p + 50), 0x6b);
	end(&k, "TestSlub_50th_word_free");
}
END_TEST

START_TEST(clobber_redzone_free_gives_two_errors)
{
	struct scenario k = begin("TestSlub_RZ_free", SLAB_RED_ZONE);

	give(k.t, k.s, 0, k.p);
	poke(k.t, k.p + 64, 0xab);
	ck_assert_uint_eq(errors_of_validate(&k), 2);
	ck_assert_uint_eq(peek(k.t, k.p + 64), 0xbb);
	end(&k, "TestSlub_RZ_free");
}
END_TEST

/* 18 of 32 bytes, and a write behind them.  6.1 has no such test, and lets
 * nobody make a cache of kmalloc's kind. */
static unsigned int
kmalloc_redzone_access(bool orig_size, unsigned int version)
{
	const struct slabbed_kind kind = {
		.config = {.orig_size = orig_size, .kernel = version}
	     };
	struct scenario k = {.t = slabbed_new(&kind)};
	struct slab_request r = k.t->who;
	unsigned int errors;

	k.s = slabbed_cache(k.t, "TestSlub_RZ_kmalloc", 32,
			    (orig_size ? SLAB_KMALLOC : 0) | SLAB_STORE_USER |
				    SLAB_RED_ZONE | SLAB_NO_USER_FLAGS);
	r.bytes = 18;
	r.gfp |= __GFP_ZERO;
	ck_assert_int_eq(kmem_cache_alloc(k.s, &r, &k.p), 0);
	ck_assert_uint_eq(errors_of_validate(&k), 0);
	poke(k.t, k.p + 17, 0xab);
	ck_assert_uint_eq(errors_of_validate(&k), 0);
	poke(k.t, k.p + 18, 0xab);
	poke(k.t, k.p + 19, 0xab);
	errors = errors_of_validate(&k);
	give(k.t, k.s, 0, k.p);
	end(&k, "TestSlub_RZ_kmalloc");
	return errors;
}

START_TEST(kmalloc_redzone_access_gives_two_errors_in_later_kernels_only)
{
	ck_assert_uint_eq(kmalloc_redzone_access(false, SLAB_KERNEL(6, 1)), 0);
	ck_assert_uint_eq(kmalloc_redzone_access(true, SLAB_KERNEL(6, 2)), 2);
	ck_assert_uint_eq(kmalloc_redzone_access(true, SLAB_KERNEL(6, 12)), 2);
}
END_TEST

Suite *
suite_slub_kunit(void)
{
	Suite *suite = suite_create("slub_kunit");
	TCase *tc = tcase_create("scenarios");

	tcase_add_test(tc, clobber_zone_gives_two_errors);
	tcase_add_test(tc, next_pointer_gives_three_errors_then_two_then_none);
	tcase_add_test(tc, first_word_gives_two_errors);
	tcase_add_test(tc, clobber_50th_byte_gives_two_errors);
	tcase_add_test(tc, clobber_redzone_free_gives_two_errors);
	tcase_add_test(
		tc,
		kmalloc_redzone_access_gives_two_errors_in_later_kernels_only);
	suite_add_tcase(suite, tc);
	return suite;
}
