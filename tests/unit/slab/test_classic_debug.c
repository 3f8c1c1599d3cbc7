// SPDX-License-Identifier: MIT
/* test_classic_debug.c - crimes against the classic SLAB, and its reports */
#include "slabbed.h"

#include <errno.h>
#include <stdio.h>

Suite *suite_classic_debug(void);

static const struct slabbed_kind plain = {
	.config = {.allocator = ALLOCATOR_SLAB}};
static const struct slabbed_kind i386 = {
	.arch = "i386", .config = {.allocator = ALLOCATOR_SLAB}};

#define MARKS (SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

static bool
says(const struct slabbed *t, const char *words)
{
	return strstr(t->b->log->str, words) != NULL;
}

static uint8_t
byte_at(const struct slabbed *t, va_t at)
{
	uint8_t byte;

	ram_read(t->ram, at - t->b->phys->arch->page_offset, &byte, 1);
	return byte;
}

static void
set_byte(struct slabbed *t, va_t at, uint8_t byte)
{
	ck_assert_int_eq(
		ram_write(t->ram, at - t->b->phys->arch->page_offset, &byte, 1),
		0);
}

/* --- marks -----------------------------------------------------------------
 */

static const struct {
	const struct slabbed_kind *kind;
	unsigned int word;
	uint64_t active, inactive;
} reds[] = {
	{&plain, 8, 0xD84156C5635688C0, 0x09F911029D74E35B},
	{&i386,	4, 0x170FC2A5,	       0x5A2CF071	 },
};

START_TEST(an_object_lies_between_red_zones_and_its_last_user_follows)
{
	struct slabbed *t = slabbed_new(reds[_i].kind);
	struct kmem_cache *s = slabbed_cache(t, "test", 104, MARKS);
	unsigned int w = reds[_i].word;
	va_t a = take(t, s, 0);

	ck_assert_uint_eq(s->size, 104 + 3 * w);
	ck_assert_uint_eq(word_at(t, a - w), reds[_i].active);
	ck_assert_uint_eq(word_at(t, a + 104), reds[_i].active);
	ck_assert_uint_eq(word_at(t, a + 104 + w),
			  w == 8 ? t->who.caller : (uint32_t)t->who.caller);
	ck_assert_uint_eq(byte_at(t, a), 0x5a);
	ck_assert_uint_eq(byte_at(t, a + 103), 0xa5);
	give(t, s, 0, a);
	ck_assert_uint_eq(word_at(t, a - w), reds[_i].inactive);
	ck_assert_uint_eq(byte_at(t, a + 102), 0x6b);
	ck_assert_uint_eq(byte_at(t, a + 103), 0xa5);
	ck_assert_uint_eq(t->sc->errors, 0);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_write_past_the_object_is_told_when_it_is_freed)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 104, MARKS);
	va_t a = take(t, s, 0);

	set_byte(t, a + 104, 'x');
	ck_assert_uint_eq(t->sc->errors, 0);
	give(t, s, 0, a);
	ck_assert_uint_eq(t->sc->errors, 1);
	ck_assert(says(t, "slab error in cache_free_debugcheck(): cache "
			  "`test': double free, or memory outside object was "
			  "overwritten"));
	ck_assert(says(t, "redzone 1: 0xd84156c5635688c0, redzone 2: "
			  "0xd84156c563568878."));
	slabbed_free(t);
}
END_TEST

START_TEST(a_write_within_the_object_never_is)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 104, MARKS);
	va_t a = take(t, s, 0);

	for (unsigned int i = 0; i < 104; i++)
		set_byte(t, a + i, (uint8_t)i);
	give(t, s, 0, a);
	ck_assert_uint_eq(take(t, s, 0), a);
	ck_assert_uint_eq(t->sc->errors, 0);
	slabbed_free(t);
}
END_TEST

START_TEST(use_after_free_is_told_when_the_object_is_given_out_again)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 104, MARKS);
	va_t a = take(t, s, 0);
	char words[80];

	give(t, s, 0, a);
	set_byte(t, a + 37, 0x99);
	ck_assert_uint_eq(t->sc->errors, 0);
	ck_assert_uint_eq(take(t, s, 0), a);
	ck_assert_uint_eq(t->sc->errors, 1);
	snprintf(words, sizeof(words),
		 "Slab corruption: start=%016llx, len=104",
		 (unsigned long long)a);
	ck_assert(says(t, words));
	ck_assert(says(t, "020: 6b 6b 6b 6b 6b 99 6b 6b 6b 6b 6b 6b 6b 6b 6b "
			  "6b\n"));
	ck_assert(says(t, "Prev obj: start="));
	ck_assert(says(t, "Next obj: start="));
	ck_assert(says(t, "Redzone: 0x9f911029d74e35b/0x9f911029d74e35b."));
	ck_assert(says(t, "Last user: [<"));
	ck_assert(says(t, "](test"));
	slabbed_free(t);
}
END_TEST

START_TEST(a_changed_free_byte_is_found_wherever_it_is)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 40, SLAB_POISON);
	va_t a = take(t, s, 0);

	for (unsigned int i = 0; i < 40; i++) {
		char line[8];

		give(t, s, 0, a);
		g_string_truncate(t->b->log, 0);
		set_byte(t, a + i, (uint8_t)~byte_at(t, a + i));
		ck_assert_uint_eq(take(t, s, 0), a);
		ck_assert_uint_eq(t->sc->errors, i + 1);
		snprintf(line, sizeof(line), "%03x:", i / 16 * 16);
		ck_assert(says(t, line));
	}
	slabbed_free(t);
}
END_TEST

/* --- double free -----------------------------------------------------------
 */

START_TEST(red_zones_tell_of_a_double_free_at_once)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 104, SLAB_RED_ZONE);
	va_t a = take(t, s, 0);

	give(t, s, 0, a);
	give(t, s, 0, a);
	ck_assert(says(t, "double free, or memory outside object was "
			  "overwritten"));
	/* It is in the array twice, and so it is given out twice. */
	ck_assert_uint_eq(take(t, s, 0), a);
	ck_assert_uint_eq(take(t, s, 0), a);
	slabbed_free(t);
}
END_TEST

START_TEST(a_slab_tells_of_one_when_the_array_comes_back_to_it)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s =
		slabbed_cache(t, "test", 104, SLAB_CONSISTENCY_CHECKS);
	va_t a = take(t, s, 0);
	char words[96];

	give(t, s, 0, a);
	give(t, s, 0, a);
	ck_assert_uint_eq(t->sc->oopses, 0);
	kmem_cache_shrink(s);
	snprintf(words, sizeof(words),
		 "slab: double free detected in cache 'test', objp %016llx.",
		 (unsigned long long)a);
	ck_assert(says(t, words));
	ck_assert(says(t, "kernel BUG at mm/slab.c:"));
	ck_assert_uint_eq(t->sc->oopses, 1);
	slabbed_free(t);
}
END_TEST

START_TEST(without_debugging_one_object_gets_two_owners)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 104, 0);
	va_t a = take(t, s, 0);

	give(t, s, 0, a);
	give(t, s, 0, a);
	ck_assert_uint_eq(take(t, s, 0), a);
	ck_assert_uint_eq(take(t, s, 0), a);
	ck_assert_uint_eq(t->sc->errors, 0);
	ck_assert_uint_eq(t->sc->oopses, 0);
	slabbed_free(t);
}
END_TEST

/* --- other crimes ----------------------------------------------------------
 */

START_TEST(an_object_of_another_cache_is_a_bug_and_stays)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 104, 0);
	struct kmem_cache *other = slabbed_cache(t, "other", 104, 0);
	va_t a = take(t, s, 0);

	ck_assert_int_eq(kmem_cache_free(other, a, &t->who), -EFAULT);
	ck_assert(says(t, "kernel BUG at mm/slab.c:"));
	assert_slabs_lawful(t);
	give(t, s, 0, a);
	slabbed_free(t);
}
END_TEST

START_TEST(an_address_of_no_slab_is_a_bug)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 104, MARKS);

	ck_assert_int_eq(kmem_cache_free(s,
					 t->b->phys->arch->page_offset + 4096,
					 &t->who),
			 -EFAULT);
	ck_assert(says(t, "kfree_debugcheck: bad ptr"));
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(the_middle_of_a_debugged_object_is_a_bug)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 104, SLAB_POISON);
	va_t a = take(t, s, 0);

	ck_assert_int_eq(kmem_cache_free(s, a + 16, &t->who), -EFAULT);
	give(t, s, 0, a);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_broken_list_is_shown_and_ends_in_a_bug)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s =
		slabbed_cache(t, "test", 104, SLAB_CONSISTENCY_CHECKS);
	va_t a = take(t, s, 0), o[64];
	const struct slab *slab = slab_of(t->sc, a);
	unsigned int i = 0;
	int err = 0;

	/* inuse */
	ram_store(t->ram, slab->freelist - t->b->phys->arch->page_offset + 32,
		  4, 3);
	for (; i < 64 && !err; i++)
		err = kmem_cache_alloc(s, &t->who, &o[i]);
	ck_assert_int_eq(err, -EFAULT);
	ck_assert(says(t, "slab: Internal list corruption detected in cache "
			  "'test'("));
	ck_assert(says(t, "000: "));
	slabbed_free(t);
}
END_TEST

START_TEST(an_index_that_leads_nowhere_is_an_oops)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 104, 0);
	va_t a = take(t, s, 0), object;
	const struct slab *slab = slab_of(t->sc, a);
	int err = 0;

	/* free */
	ram_store(t->ram, slab->freelist - t->b->phys->arch->page_offset + 36,
		  4, 0xfffff000);
	for (unsigned int i = 0; i < 64 && !err; i++)
		err = kmem_cache_alloc(s, &t->who, &object);
	ck_assert_int_eq(err, -EFAULT);
	ck_assert(says(t, "BUG: unable to handle page fault for address"));
	ck_assert_uint_gt(findings(t, NULL), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(a_circle_of_indices_is_found_by_its_law_and_ends)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 104, 0);
	va_t a = take(t, s, 0);
	const struct slab *slab = slab_of(t->sc, a);
	pa_t d = slab->freelist - t->b->phys->arch->page_offset;
	uint8_t state[256];

	/* The first free one follows itself. */
	ram_store(t->ram, d + 48 + 4 * ram_load(t->ram, d + 36, 4), 4,
		  ram_load(t->ram, d + 36, 4));
	slab_states(slab, state);
	ck_assert_uint_gt(findings(t, NULL), 0);
	for (unsigned int i = 0; i < 200; i++)
		kmem_cache_alloc(s, &t->who, &a);
	slabbed_free(t);
}
END_TEST

START_TEST(validate_walks_all_objects)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 104, MARKS);
	va_t a = take(t, s, 0), b = take(t, s, 0), c = take(t, s, 0);

	give(t, s, 0, b);
	ck_assert_uint_eq(s->ops->validate(s), 0);
	set_byte(t, a + 104, 1);
	set_byte(t, b, 1);
	ck_assert_uint_eq(s->ops->validate(s), 2);
	give(t, s, 0, c);
	slabbed_free(t);
}
END_TEST

START_TEST(a_poisoned_cache_constructs_its_objects_each_time)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache_args args = {.name = "test",
				       .size = 64,
				       .flags = SLAB_POISON,
				       .ctor = slab_ctor_find("ones"),
				       .allocator = ALLOCATOR_SLAB,
				       .who = &t->who};
	struct refusal why = {0};
	struct kmem_cache *s;
	va_t a;

	ck_assert_int_eq(kmem_cache_create(t->sc, &args, &s, &why), 0);
	a = take(t, s, 0);
	ck_assert_uint_eq(word_at(t, a), UINT64_MAX);
	give(t, s, 0, a);
	ck_assert_uint_eq(byte_at(t, a), 0x6b);
	ck_assert_uint_eq(word_at(t, take(t, s, 0)), UINT64_MAX);
	ck_assert_uint_eq(t->sc->errors, 0);
	slabbed_free(t);
}
END_TEST

Suite *
suite_classic_debug(void)
{
	Suite *suite = suite_create("classic_debug");
	TCase *tc = tcase_create("classic_debug");

	tcase_add_loop_test(
		tc, an_object_lies_between_red_zones_and_its_last_user_follows,
		0, ARRAY_SIZE(reds));
	tcase_add_test(tc, a_write_past_the_object_is_told_when_it_is_freed);
	tcase_add_test(tc, a_write_within_the_object_never_is);
	tcase_add_test(
		tc, use_after_free_is_told_when_the_object_is_given_out_again);
	tcase_add_test(tc, a_changed_free_byte_is_found_wherever_it_is);
	tcase_add_test(tc, red_zones_tell_of_a_double_free_at_once);
	tcase_add_test(tc, a_slab_tells_of_one_when_the_array_comes_back_to_it);
	tcase_add_test(tc, without_debugging_one_object_gets_two_owners);
	tcase_add_test(tc, an_object_of_another_cache_is_a_bug_and_stays);
	tcase_add_test(tc, an_address_of_no_slab_is_a_bug);
	tcase_add_test(tc, the_middle_of_a_debugged_object_is_a_bug);
	tcase_add_test(tc, a_broken_list_is_shown_and_ends_in_a_bug);
	tcase_add_test(tc, an_index_that_leads_nowhere_is_an_oops);
	tcase_add_test(tc, a_circle_of_indices_is_found_by_its_law_and_ends);
	tcase_add_test(tc, validate_walks_all_objects);
	tcase_add_test(tc, a_poisoned_cache_constructs_its_objects_each_time);
	suite_add_tcase(suite, tc);
	return suite;
}
