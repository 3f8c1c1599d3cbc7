// SPDX-License-Identifier: MIT
/* test_slub_debug.c - marks around objects, and what is said when they changed
 */
#include "debugged.h"

#include "kmemfs/slab/kmalloc.h"

#include <errno.h>
#include <inttypes.h>

Suite *suite_slub_debug(void);

/* --- marks --------------------------------------------------------------- */

START_TEST(an_object_in_use_lies_between_red_zones)
{
	struct debugged d = debugged_new(&plain_kind, 20, SLAB_RED_ZONE);

	/* 20 bytes, padded to 24: the padding is the red zone. */
	ck_assert_uint_eq(d.s->inuse, 24);
	assert_bytes(&d, d.p - d.s->red_left_pad, 0xcc, d.s->red_left_pad);
	assert_bytes(&d, d.p + 20, 0xcc, 4);
	give(d.t, d.s, 0, d.p);
	assert_bytes(&d, d.p - d.s->red_left_pad, 0xbb, d.s->red_left_pad);
	assert_bytes(&d, d.p + 20, 0xbb, 4);
	debugged_free(&d);
}
END_TEST

START_TEST(a_free_object_is_poison_and_so_is_a_fresh_one)
{
	struct debugged d = debugged_new(&plain_kind, 100, SLAB_POISON);

	assert_bytes(&d, d.p, 0x6b, 99);
	assert_bytes(&d, d.p + 99, 0xa5, 1);
	assert_bytes(&d, d.p + 100, 0x5a, 4);
	poke(&d, d.p + 5, 1);
	poke(&d, d.p + 99, 1);
	give(d.t, d.s, 0, d.p);
	assert_bytes(&d, d.p, 0x6b, 99);
	assert_bytes(&d, d.p + 99, 0xa5, 1);
	debugged_free(&d);
}
END_TEST

START_TEST(what_is_left_of_a_slab_is_padding)
{
	struct debugged d = debugged_new(&plain_kind, 300, SLAB_POISON);
	va_t start = slab_object(d.slab, 0) - d.s->red_left_pad;
	uint64_t used = (uint64_t)d.slab->objects * d.s->size;
	uint64_t bytes = page_size(d.t->b->phys) << d.slab->order;

	ck_assert_uint_gt(bytes, used);
	assert_bytes(&d, start + used, 0x5a, bytes - used);
	debugged_free(&d);
}
END_TEST

START_TEST(objects_with_a_constructor_are_not_poisoned)
{
	struct debugged d = {.t = slabbed_new(&plain_kind)};
	const struct kmem_cache_args args = {.name = "made",
					     .size = 64,
					     .flags = SLAB_POISON,
					     .ctor = slab_ctor_find("zero"),
					     .who = &d.t->who};
	struct refusal why = {0};

	ck_assert_int_eq(kmem_cache_create(d.t->sc, &args, &d.s, &why), 0);
	d.p = take(d.t, d.s, 0);
	assert_bytes(&d, d.p, 0, 64);
	poke(&d, d.p, 7);
	give(d.t, d.s, 0, d.p);
	ck_assert_uint_eq(peek(&d, d.p), 7);
	poke(&d, d.p, 8);
	ck_assert_uint_eq(validate(&d), 0);
	debugged_free(&d);
}
END_TEST

/* Who had an object, at the offsets of struct track. */
static void
check_tracks(const struct slabbed_kind *kind)
{
	struct debugged d = debugged_new(kind, 64, SLAB_STORE_USER);
	unsigned int word = d.t->sc->word, size = word == 8 ? 32 : 20;
	struct slab_request r = on_cpu(d.t, 1);
	uint32_t record[4];
	va_t at;

	r.pid = 77;
	r.caller = symbols_address(d.t->symbols, "freer");
	d.t->b->now = 8000000; /* two ticks */
	ck_assert_int_eq(kmem_cache_free(d.s, d.p, &r), 0);
	/* Flags that mark nothing leave the free pointer in the object. */
	ck_assert_uint_lt(d.s->offset, d.s->inuse);
	at = d.p + d.s->inuse + size;
	ck_assert_uint_eq(word_at(d.t, at),
			  word == 8 ? r.caller : (uint32_t)r.caller);
	ram_read(d.t->ram, pa_of(&d, at + word), record, sizeof(record));
	ck_assert_uint_ne(record[0], 0);
	ck_assert_uint_eq(record[1], 1);
	ck_assert_uint_eq(record[2], 77);
	/* INITIAL_JIFFIES: five minutes before 2^32. */
	ck_assert_uint_eq(word_at(d.t, at + size - word),
			  (uint32_t)(-300 * 250) + 2);
	debugged_free(&d);
}

START_TEST(tracks_lie_at_the_kernel_s_offsets)
{
	check_tracks(&plain_kind);
	check_tracks(&narrow_kind);
}
END_TEST

START_TEST(kmalloc_keeps_the_size_that_was_asked_for)
{
	const struct slabbed_kind kind = {
		.config = {.cmdline = "slub_debug=U,kmalloc-128"}};
	struct debugged d = {.t = slabbed_new(&kind)};
	uint32_t bytes;

	ck_assert_int_eq(kmalloc(d.t->sc, 100, &d.t->who, &d.p), 0);
	d.s = slab_of(d.t->sc, d.p)->cache;
	ck_assert_str_eq(d.s->name, "kmalloc-128");
	ram_read(d.t->ram, pa_of(&d, d.p + d.s->inuse + 2 * 32), &bytes, 4);
	ck_assert_uint_eq(bytes, 100);
	debugged_free(&d);
}
END_TEST

START_TEST(krealloc_in_place_may_use_the_whole_object)
{
	const struct slabbed_kind kind = {
		.config = {.cmdline = "slub_debug=FZU",
			   .orig_size = true,
			   .kernel = SLAB_KERNEL(6, 2)}
	       };
	struct debugged d = {.t = slabbed_new(&kind)};
	va_t was;

	ck_assert_int_eq(kmalloc(d.t->sc, 100, &d.t->who, &d.p), 0);
	d.s = slab_of(d.t->sc, d.p)->cache;
	was = d.p;
	poke(&d, d.p + 110, 1);
	ck_assert_uint_eq(validate(&d), 2);
	assert_said(&d, "BUG kmalloc-128 (Not tainted): kmalloc Redzone "
			"overwritten");
	ck_assert_int_eq(krealloc(d.t->sc, 120, &d.t->who, &d.p), 0);
	ck_assert_uint_eq(d.p, was);
	poke(&d, d.p + 110, 1);
	ck_assert_uint_eq(validate(&d), 0);
	debugged_free(&d);
}
END_TEST

/* --- damage -------------------------------------------------------------- */

/* One byte at an offset from an object, in use or free; what is said. */
static const struct {
	bool free;
	int at; /* from the object's address */
	const char *what;
	unsigned int want;
} damages[] = {
	{false, -1,	    "Left Redzone",   0xcc},
	{false, 64,	    "Right Redzone",  0xcc},
	{true,  -8,	   "Left Redzone",   0xbb},
	{true,  71,	   "Right Redzone",  0xbb},
	{true,  0,		  "Poison",	    0x6b},
	{true,  62,	   "Poison",	     0x6b},
	{true,  63,	   "End Poison",	 0xa5},
	{false, 72 + 8 + 64, "Object padding", 0x5a},
	{true,  72 + 8 + 64, "Object padding", 0x5a},
};

START_TEST(each_damaged_byte_is_named_and_restored)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);
	va_t at = d.p + (uint64_t)damages[_i].at;
	unsigned int want = damages[_i].want;

	if (damages[_i].free)
		give(d.t, d.s, 0, d.p);
	ck_assert_uint_eq(peek(&d, at), want);
	ck_assert_uint_eq(validate(&d), 0);
	poke(&d, at, 0x11);
	ck_assert_uint_eq(validate(&d), 2);
	assert_said(&d, "BUG test (Not tainted): %s overwritten\n",
		    damages[_i].what);
	assert_said(&d,
		    "0x%016" PRIx64 "-0x%016" PRIx64 " @offset=%" PRIu64
		    ". First byte 0x11 instead of 0x%x\n",
		    at, at, at + d.s->red_left_pad - slab_object(d.slab, 0),
		    want);
	assert_said(&d, "FIX test: Restoring %s 0x%016" PRIx64,
		    damages[_i].what, at);
	ck_assert_uint_eq(peek(&d, at), want);
	ck_assert_uint_eq(validate(&d), 0);
	debugged_free(&d);
}
END_TEST

START_TEST(a_red_zone_is_looked_at_when_the_object_is_freed)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);

	poke(&d, d.p + 63, 0x11);
	poke(&d, d.p + 64, 0x12);
	ck_assert_uint_eq(d.t->sc->errors, 0);
	give(d.t, d.s, 0, d.p);
	assert_said(&d, "Right Redzone overwritten");
	assert_said(&d, "FIX test: Object at 0x%016" PRIx64 " not freed", d.p);
	ck_assert_uint_eq(d.slab->inuse, 2);
	forget(&d);
	give(d.t, d.s, 0, d.p);
	ck_assert_uint_eq(d.t->sc->errors, 0);
	ck_assert_uint_eq(d.slab->inuse, 1);
	debugged_free(&d);
}
END_TEST

START_TEST(without_checks_nothing_is_looked_at_but_by_validate)
{
	struct debugged d =
		debugged_new(&plain_kind, 64, SLAB_RED_ZONE | SLAB_POISON);

	poke(&d, d.p + 64, 0x12);
	give(d.t, d.s, 0, d.p);
	ck_assert_uint_eq(d.t->sc->errors, 0);
	/* Freeing marked it anew. */
	ck_assert_uint_eq(validate(&d), 0);
	poke(&d, d.p + 64, 0x12);
	ck_assert_uint_eq(validate(&d), 2);
	debugged_free(&d);
}
END_TEST

START_TEST(a_write_after_free_isolates_the_slab_at_the_next_allocation)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);
	va_t next;

	give(d.t, d.s, 0, d.p);
	poke(&d, d.p + 8, 'X');
	next = take(d.t, d.s, 0);
	assert_said(&d, "BUG test (Not tainted): Poison overwritten");
	assert_said(&d, "FIX test: Marking all objects used");
	ck_assert_ptr_ne(slab_of(d.t->sc, next), d.slab);
	ck_assert_int_eq(d.slab->where, SLAB_ISOLATED);
	ck_assert_uint_eq(d.slab->inuse, d.slab->objects);
	forget(&d);
	give(d.t, d.s, 0, d.other);
	assert_said(&d, "Slab disabled since SLUB metadata consistency check "
			"failed");
	assert_said(&d, "Object at 0x%016" PRIx64 " not freed", d.other);
	forget(&d);
	/* It is on no list, but counts. */
	ck_assert_uint_eq(validate(&d), 1);
	assert_said(&d, "SLUB: test 1 slabs counted but counter=2");
	debugged_free(&d);
}
END_TEST

START_TEST(a_double_free_is_named_and_not_done)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);

	give(d.t, d.s, 0, d.p);
	give(d.t, d.s, 0, d.p);
	assert_said(&d, "BUG test (Not tainted): Object already free\n");
	assert_said(&d, "Allocated in test+0x0/0x40 age=0 cpu=0 pid=0\n");
	assert_said(&d, "Freed in test+0x0/0x40 age=0 cpu=0 pid=0\n");
	assert_said(&d, "FIX test: Object at 0x%016" PRIx64 " not freed\n",
		    d.p);
	ck_assert_uint_eq(d.t->sc->errors, 2);
	ck_assert_uint_eq(d.slab->inuse, 1);
	ck_assert_uint_eq(validate(&d), 0);
	debugged_free(&d);
}
END_TEST

START_TEST(freeing_more_than_is_in_use_is_noticed_first)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);

	give(d.t, d.s, 0, d.other);
	give(d.t, d.s, 0, d.p);
	give(d.t, d.s, 0, d.p);
	assert_said(&d, "Slab has 0 allocated objects but 1 are to be "
			"freed\n");
	ck_assert_uint_eq(d.slab->inuse, 0);
	debugged_free(&d);
}
END_TEST

START_TEST(an_interior_pointer_is_not_freed)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);

	give(d.t, d.s, 0, d.p + 8);
	assert_said(&d, "Invalid object pointer 0x%016" PRIx64 "\n", d.p + 8);
	assert_said(&d, "FIX test: Object at 0x%016" PRIx64 " not freed\n",
		    d.p + 8);
	ck_assert_uint_eq(d.slab->inuse, 2);
	ck_assert_uint_eq(validate(&d), 0);
	debugged_free(&d);
}
END_TEST

START_TEST(an_object_of_another_cache_goes_back_to_its_own)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);
	struct kmem_cache *wrong = slabbed_cache(
		d.t, "wrong_with_a_name_of_more_than_forty_letters", 64,
		FULL_DEBUG);

	give(d.t, wrong, 0, d.p);
	assert_said(
		&d,
		"cache_from_obj: Wrong slab cache. "
		"wrong_with_a_name_of_more_than_forty_letters but object is "
		"from test");
	assert_said(&d, "Allocated in test+0x0/0x40");
	ck_assert_uint_eq(d.slab->inuse, 1);
	forget(&d);
	poke(&d, d.p, 1);
	validate(&d);
	/* A warning taints as well. */
	assert_said(&d, "BUG test (Tainted: G        W         ): ");
	debugged_free(&d);
}
END_TEST

/* --- free pointers ------------------------------------------------------- */

START_TEST(a_free_pointer_that_leads_away_ends_the_list)
{
	struct debugged d = debugged_new(&plain_kind, 64,
					 SLAB_CONSISTENCY_CHECKS | SLAB_POISON);

	give(d.t, d.s, 0, d.p);
	set_word(d.t, d.p + d.s->offset, 0xdeadbeef);
	ck_assert_uint_eq(validate(&d), 3);
	assert_said(&d, "Freechain corrupt");
	assert_said(&d, "Wrong object count. Counter is 1 but counted were %d",
		    d.slab->objects - 1);
	assert_said(&d, "FIX test: Object count adjusted");
	ck_assert_uint_eq(word_at(d.t, d.p + d.s->offset), 0);
	ck_assert_uint_eq(d.slab->inuse, d.slab->objects - 1);
	debugged_free(&d);
}
END_TEST

START_TEST(objects_lost_with_a_list_are_taken_to_be_in_use)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);

	give(d.t, d.s, 0, d.p);
	set_word(d.t, d.p + d.s->offset, 0xdeadbeef);
	/* The first of them has the red zone of one that is free. */
	ck_assert_uint_eq(validate(&d), 5);
	assert_said(&d, "Freechain corrupt");
	assert_said(&d, "Left Redzone overwritten");
	assert_said(&d, "First byte 0xbb instead of 0xcc");
	debugged_free(&d);
}
END_TEST

START_TEST(a_list_that_begins_elsewhere_is_cleared)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);

	d.slab->freelist = d.p + 3;
	ck_assert_uint_eq(validate(&d), 2);
	assert_said(&d, "BUG test (Not tainted): Freepointer corrupt");
	assert_said(&d, "FIX test: Freelist cleared");
	ck_assert_uint_eq(d.slab->freelist, 0);
	ck_assert_uint_eq(d.slab->inuse, d.slab->objects);
	debugged_free(&d);
}
END_TEST

START_TEST(the_free_pointer_of_an_object_to_be_given_out_is_checked)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);

	give(d.t, d.s, 0, d.p);
	set_word(d.t, d.p + d.s->offset, d.p + 1);
	take(d.t, d.s, 0);
	assert_said(&d, "BUG test (Not tainted): Freepointer corrupt");
	assert_said(&d, "FIX test: Marking all objects used");
	debugged_free(&d);
}
END_TEST

START_TEST(a_list_in_a_circle_ends_with_a_soft_lockup)
{
	struct debugged d = debugged_new(&plain_kind, 64, FULL_DEBUG);

	give(d.t, d.s, 0, d.p);
	set_word(d.t, d.p + d.s->offset, d.p);
	/* One more than there are was followed; the counter wraps. */
	ck_assert_uint_ge(validate(&d), 2);
	assert_said(&d, "Wrong object count. Counter is 1 but counted were -1");
	assert_said(&d, "watchdog: BUG: soft lockup");
	forget(&d);
	validate(&d);
	assert_said(&d, "inuse 65535 > max %u", d.slab->objects);
	debugged_free(&d);
}
END_TEST

/* --- all tests -------------------------------------------------------- */

static void
add_marks(Suite *suite)
{
	TCase *tc = tcase_create("marks");

	tcase_add_test(tc, an_object_in_use_lies_between_red_zones);
	tcase_add_test(tc, a_free_object_is_poison_and_so_is_a_fresh_one);
	tcase_add_test(tc, what_is_left_of_a_slab_is_padding);
	tcase_add_test(tc, objects_with_a_constructor_are_not_poisoned);
	tcase_add_test(tc, tracks_lie_at_the_kernel_s_offsets);
	tcase_add_test(tc, kmalloc_keeps_the_size_that_was_asked_for);
	tcase_add_test(tc, krealloc_in_place_may_use_the_whole_object);
	suite_add_tcase(suite, tc);
}

static void
add_damage(Suite *suite)
{
	TCase *tc = tcase_create("damage");

	tcase_add_loop_test(tc, each_damaged_byte_is_named_and_restored, 0,
			    ARRAY_SIZE(damages));
	tcase_add_test(tc, a_red_zone_is_looked_at_when_the_object_is_freed);
	tcase_add_test(tc, without_checks_nothing_is_looked_at_but_by_validate);
	tcase_add_test(
		tc,
		a_write_after_free_isolates_the_slab_at_the_next_allocation);
	tcase_add_test(tc, a_double_free_is_named_and_not_done);
	tcase_add_test(tc, freeing_more_than_is_in_use_is_noticed_first);
	tcase_add_test(tc, an_interior_pointer_is_not_freed);
	tcase_add_test(tc, an_object_of_another_cache_goes_back_to_its_own);
	tcase_add_test(tc, a_free_pointer_that_leads_away_ends_the_list);
	tcase_add_test(tc, objects_lost_with_a_list_are_taken_to_be_in_use);
	tcase_add_test(tc, a_list_that_begins_elsewhere_is_cleared);
	tcase_add_test(
		tc, the_free_pointer_of_an_object_to_be_given_out_is_checked);
	tcase_add_test(tc, a_list_in_a_circle_ends_with_a_soft_lockup);
	suite_add_tcase(suite, tc);
}

Suite *
suite_slub_debug(void)
{
	Suite *suite = suite_create("slub_debug");

	add_marks(suite);
	add_damage(suite);
	return suite;
}
