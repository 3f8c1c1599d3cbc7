// SPDX-License-Identifier: MIT
/* test_mempool.c - pools that keep some elements back */
#include "kmemfs/slab/mempool.h"

#include "slabbed.h"

#include <check.h>
#include <errno.h>

Suite *suite_mempool(void);

static struct slabbed *t;
static struct mempools *all;

static void
start(const char *cmdline)
{
	struct slabbed_kind kind = {.memory = "256M",
				    .config = {.cmdline = cmdline}};

	t = slabbed_new(&kind);
	all = mempools_new(t->sc);
}

static void
setup(void)
{
	start("");
}

static void
teardown(void)
{
	GString *laws = g_string_new("");

	ck_assert_uint_eq(mempool_verify(all, NULL, NULL), 0);
	ck_assert_msg(!findings(t, laws), "%s", laws->str);
	g_string_free(laws, TRUE);
	mempools_free(all);
	slabbed_free(t);
}

static struct mempool *
pool_of(enum mempool_kind kind, uint32_t min_nr)
{
	struct mempool_args args = {.name = "pool",
				    .kind = kind,
				    .min_nr = min_nr,
				    .size = 100,
				    .order = 1};
	struct mempool *pool = NULL;

	if (kind == MEMPOOL_SLAB)
		args.cache = slabbed_cache(t, "elements", 100, 0);
	ck_assert_int_eq(mempool_create(all, &args, &t->who, &pool), 0);
	return pool;
}

/* All requests fail from here on. */
static void
fail_all(void)
{
	struct fault_attr *attrs[] = {&t->sc->failslab,
				      &t->b->phys->fail_page_alloc};

	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		attrs[i]->probability = 100;
		attrs[i]->times = -1;
		attrs[i]->min_order = 0;
		attrs[i]->ignore_gfp_wait = false;
	}
}

static int
ask(struct mempool *pool, gfp_t gfp, uint64_t *element)
{
	struct slab_request r = t->who;

	r.gfp = gfp;
	return mempool_alloc(pool, &r, element);
}

/* INV-5.3, for each kind of element. */
START_TEST(a_failing_allocator_leaves_exactly_min_nr_elements)
{
	struct mempool *pool = pool_of((enum mempool_kind)_i, 4);
	uint64_t element[5];
	bool refilled;

	fail_all();
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(ask(pool, GFP_KERNEL, &element[i]), 0);
	ck_assert_int_eq(ask(pool, GFP_ATOMIC, &element[4]), -ENOMEM);
	ck_assert_int_eq(ask(pool, GFP_KERNEL, &element[4]), -EAGAIN);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(
			mempool_free(pool, element[i], &t->who, &refilled), 0);
		ck_assert(refilled);
	}
	ck_assert_uint_eq(pool->curr_nr, 4);
	ck_assert_int_eq(mempool_destroy(pool, &t->who), 0);
}
END_TEST

START_TEST(the_reserve_is_touched_only_when_the_allocator_fails)
{
	struct mempool *pool = pool_of((enum mempool_kind)_i, 2);
	uint64_t element[3];
	bool refilled;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(ask(pool, GFP_KERNEL, &element[i]), 0);
	ck_assert_uint_eq(pool->curr_nr, 2);
	ck_assert_uint_eq(pool->nr_reserve, 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(
			mempool_free(pool, element[i], &t->who, &refilled), 0);
		ck_assert(!refilled);
	}
}
END_TEST

START_TEST(the_reserve_lies_in_ram_as_pointers)
{
	struct mempool *pool = pool_of(MEMPOOL_KMALLOC, 3);

	for (uint32_t i = 0; i < 3; i++) {
		uint64_t element = mempool_element(pool, i);

		ck_assert_uint_eq(word_at(t, pool->elements + i * 8), element);
		ck_assert_ptr_nonnull(slab_of(t->sc, element));
	}
	ck_assert_uint_eq(word_at(t, pool->descriptor + 16), pool->elements);
}
END_TEST

START_TEST(a_damaged_pointer_makes_the_kernel_crash_not_us)
{
	struct mempool *pool = pool_of((enum mempool_kind)_i, 1);
	uint64_t element;

	set_word(t, pool->elements, 0x1234);
	fail_all();
	ck_assert_int_eq(ask(pool, GFP_KERNEL, &element), -EFAULT);
	ck_assert_uint_eq(pool->curr_nr, 0);
	ck_assert_ptr_nonnull(strstr(t->b->log->str, "BUG: "));
	/* The element that it pointed to is lost; its frames say so. */
	mempool_destroy(pool, &t->who);
	if (_i == MEMPOOL_PAGES)
		for (pfn_t pfn = 0; pfn < t->b->phys->max_pfn; pfn++) {
			uint32_t number;

			if (frame_owned_by(t->b->phys->frames[pfn].owner,
					   OWNER_MEMPOOL, &number))
				t->b->phys->frames[pfn].owner = 0;
		}
}
END_TEST

START_TEST(a_pool_grows_and_shrinks)
{
	struct mempool *pool = pool_of((enum mempool_kind)_i, 2);

	ck_assert_int_eq(mempool_resize(pool, 40, &t->who), 0);
	ck_assert_uint_eq(pool->curr_nr, 40);
	ck_assert_uint_eq(mempool_verify(all, NULL, NULL), 0);
	ck_assert_int_eq(mempool_resize(pool, 1, &t->who), 0);
	ck_assert_uint_eq(pool->curr_nr, 1);
	ck_assert_uint_eq(pool->min_nr, 1);
}
END_TEST

START_TEST(a_reserve_that_cannot_be_filled_is_filled_by_what_is_freed)
{
	struct mempool *pool = pool_of(MEMPOOL_PAGES, 2);
	uint64_t element;
	bool refilled;

	ck_assert_int_eq(ask(pool, GFP_KERNEL, &element), 0);
	t->b->phys->fail_page_alloc.probability = 100;
	t->b->phys->fail_page_alloc.times = -1;
	t->b->phys->fail_page_alloc.ignore_gfp_wait = false;
	ck_assert_int_eq(mempool_resize(pool, 3, &t->who), 0);
	ck_assert_uint_eq(pool->min_nr, 3);
	ck_assert_uint_eq(pool->curr_nr, 2);
	ck_assert_int_eq(mempool_free(pool, element, &t->who, &refilled), 0);
	ck_assert(refilled);
	ck_assert_uint_eq(pool->curr_nr, 3);
}
END_TEST

START_TEST(a_pool_that_cannot_be_filled_leaves_nothing)
{
	struct mempool_args args = {.name = "pool",
				    .kind = MEMPOOL_PAGES,
				    .min_nr = 100,
				    .order = 10};
	struct mempool *pool;
	struct phys *phys = t->b->phys;
	uint64_t free = phys->event[VE_pgfree];

	ck_assert_int_eq(mempool_create(all, &args, &t->who, &pool), -ENOMEM);
	ck_assert_ptr_null(mempool_find(all, "pool"));
	ck_assert_uint_gt(phys->event[VE_pgfree], free);
}
END_TEST

START_TEST(the_elements_of_a_reserve_are_poisoned_when_slub_debug_says_so)
{
	struct mempool *pool;
	uint64_t element;
	uint8_t byte = 0x42;

	mempools_free(all);
	slabbed_free(t);
	start("slub_debug=P");
	pool = pool_of(MEMPOOL_PAGES, 2);
	fail_all();
	ck_assert_int_eq(ask(pool, GFP_KERNEL, &element), 0);
	ck_assert_ptr_null(strstr(t->b->log->str, "mempool element"));
	element = mempool_element(pool, 0);
	ram_write(t->ram, (mempool_pfn(t->b->phys, element) << 12) + 100, &byte,
		  1);
	ck_assert_int_eq(ask(pool, GFP_KERNEL, &element), 0);
	ck_assert_ptr_nonnull(
		strstr(t->b->log->str, "BUG: mempool element poison mismatch"));
	ck_assert_ptr_nonnull(strstr(
		t->b->log->str, ": ... 0x6b 6b 6b 6b 6b 6b 6b 6b 42 6b 6b"));
}
END_TEST

Suite *
suite_mempool(void)
{
	Suite *s = suite_create("mempool");
	TCase *c = tcase_create("mempool");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c,
			    a_failing_allocator_leaves_exactly_min_nr_elements,
			    0, NR_MEMPOOL_KINDS);
	tcase_add_loop_test(
		c, the_reserve_is_touched_only_when_the_allocator_fails, 0,
		NR_MEMPOOL_KINDS);
	tcase_add_test(c, the_reserve_lies_in_ram_as_pointers);
	tcase_add_loop_test(c, a_damaged_pointer_makes_the_kernel_crash_not_us,
			    0, NR_MEMPOOL_KINDS);
	tcase_add_loop_test(c, a_pool_grows_and_shrinks, 0, NR_MEMPOOL_KINDS);
	tcase_add_test(
		c, a_reserve_that_cannot_be_filled_is_filled_by_what_is_freed);
	tcase_add_test(c, a_pool_that_cannot_be_filled_leaves_nothing);
	tcase_add_test(
		c,
		the_elements_of_a_reserve_are_poisoned_when_slub_debug_says_so);
	suite_add_tcase(s, c);
	return s;
}
