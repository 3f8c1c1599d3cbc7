// SPDX-License-Identifier: MIT
/* test_classic.c - the classic SLAB: geometry, arrays, lists, timers */
#include "slabbed.h"

#include "kmemfs/slab/kmalloc.h"

#include <errno.h>

Suite *suite_classic(void);

#define SECOND 1000000000ULL

static const struct slabbed_kind plain = {
	.config = {.allocator = ALLOCATOR_SLAB}};
static const struct slabbed_kind i386 = {
	.arch = "i386", .config = {.allocator = ALLOCATOR_SLAB}};
static const struct slabbed_kind one_cpu = {
	.cpus = 1, .config = {.allocator = ALLOCATOR_SLAB}};
static const struct slabbed_kind numa = {
	.memory = "128M",
	.nodes = 2,
	.cpus = 4,
	.config = {.allocator = ALLOCATOR_SLAB}};

static struct kmem_cache *
named(struct slabbed *t, const char *name)
{
	struct kmem_cache *s = kmem_cache_find(t->sc, name);

	ck_assert_msg(s != NULL, "%s", name);
	return s;
}

static struct slab_array
array(const struct kmem_cache *s, unsigned int cpu)
{
	struct slab_array a;

	ck_assert(slab_array_of_cpu(s, cpu, &a));
	return a;
}

static struct slab_array
shared(const struct kmem_cache *s, unsigned int nid)
{
	struct slab_array a;

	ck_assert(slab_array_of_node(s, nid, &a));
	return a;
}

static struct slab_colours
colours(const struct kmem_cache *s)
{
	struct slab_colours c;

	ck_assert(slab_colouring(s, &c));
	return c;
}

static uint32_t
number_at(const struct slabbed *t, va_t at)
{
	return (uint32_t)ram_load(t->ram, at - t->b->phys->arch->page_offset,
				  4);
}

/* Take @nr objects on @cpu. */
static void
take_many(struct slabbed *t, struct kmem_cache *s, unsigned int cpu,
	  unsigned int nr, va_t *o)
{
	for (unsigned int i = 0; i < nr; i++)
		o[i] = take(t, s, cpu);
}

static void
pass(struct slabbed *t, uint64_t ns)
{
	t->b->now += ns;
	slab_tick(t->sc);
}

/* --- geometry --------------------------------------------------------------
 */

/* Of /proc/slabinfo of 2.6 kernels whose indices have four bytes. */
static const struct {
	const struct slabbed_kind *kind;
	const char *name;
	unsigned int objects, order;
	bool off_slab;
} known[] = {
	{&plain, "size-32",	    112, 0, false},
	     {&plain, "size-64",	 59,  0, false},
	{&plain, "size-128",    30,	 0, false},
	     {&plain, "size-192",	  20,  0, false},
	{&plain, "size-256",    15,	 0, false},
	     {&plain, "size-512",	  8,   0, true },
	{&plain, "size-1024",   4,	 0, true },
	     {&plain, "size-2048",   2,   0, true },
	{&plain, "size-4096",   1,	 0, true },
	     {&plain, "size-8192",   1,   1, true },
	{&plain, "size-131072", 1,   5, true },
	     {&i386,  "size-32",	113, 0, false},
	{&i386,	"size-64",	   59,  0, false},
	     {&i386,  "size-128",	 30,  0, false},
	{&i386,	"size-256",    15,	0, false},
};

START_TEST(caches_of_the_boot_have_the_geometry_that_slabinfo_showed)
{
	struct slabbed *t = slabbed_new(known[_i].kind);
	const struct kmem_cache *s = named(t, known[_i].name);

	ck_assert_uint_eq(s->objects, known[_i].objects);
	ck_assert_uint_eq(s->order, known[_i].order);
	ck_assert_int_eq(colours(s).off_slab, known[_i].off_slab);
	slabbed_free(t);
}
END_TEST

START_TEST(kmalloc_takes_the_next_size_up_to_131072_bytes)
{
	static const struct {
		uint64_t bytes;
		const char *name;
	} sizes[] = {
		{1,	    "size-32"    },
		 {33,     "size-64"    },
		    {65,	 "size-128"   },
		{96,     "size-128"   },
		 {129,    "size-192"	 },
		    {193,	  "size-256"   },
		{131072, "size-131072"},
	};
	struct slabbed *t = slabbed_new(&plain);
	va_t object;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		ck_assert_int_eq(
			kmalloc(t->sc, sizes[i].bytes, &t->who, &object), 0);
		ck_assert_str_eq(slab_of(t->sc, object)->cache->name,
				 sizes[i].name);
		ck_assert_int_eq(kfree(t->sc, object, &t->who), 0);
	}
	ck_assert_int_eq(kmalloc(t->sc, 131073, &t->who, &object), -EINVAL);
	ck_assert_str_eq(kmalloc_cache(t->sc, 40, GFP_KERNEL | __GFP_DMA)->name,
			 "size-64(DMA)");
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(limits_follow_the_size_of_objects)
{
	static const struct {
		const char *name;
		uint32_t limit, batch, shared;
	} of[] = {
		{"size-256",    120, 60, 8},
		  {"size-512",    54,  27, 8},
		{"size-2048",   24,  12, 8},
		  {"size-8192",	8,   4,  0},
		{"size-131072", 8,   4,  0},
	};
	struct slabbed *t = slabbed_new(&plain);

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		struct slabinfo info;

		slab_info(named(t, of[i].name), &info);
		ck_assert_uint_eq(info.limit, of[i].limit);
		ck_assert_uint_eq(info.batchcount, of[i].batch);
		ck_assert_uint_eq(info.shared, of[i].shared);
	}
	slabbed_free(t);
}
END_TEST

/* --- descriptors and lists -------------------------------------------------
 */

START_TEST(the_descriptor_lies_in_ram_before_the_objects)
{
	struct slabbed *t = slabbed_new(&one_cpu);
	struct kmem_cache *s = slabbed_cache(t, "test", 100, 0);
	va_t a = take(t, s, 0);
	const struct slab *slab = slab_of(t->sc, a);
	va_t d = slab->freelist;

	/* 120 of limit, half of it is the batch, 16 at first. */
	ck_assert_uint_eq(array(s, 0).avail, 15);
	ck_assert_uint_eq(word_at(t, d + 16), slab->colour);
	ck_assert_uint_eq(word_at(t, d + 24), slab_object(slab, 0));
	ck_assert_uint_eq(number_at(t, d + 32), 16); /* inuse */
	ck_assert_uint_eq(number_at(t, d + 36), 16); /* free */
	ck_assert_uint_eq(number_at(t, d + 48), 1);
	ck_assert_uint_eq(number_at(t, d + 48 + 4UL * (s->objects - 1U)),
			  UINT32_MAX);
	/* The array gives the last one of the batch first. */
	ck_assert_uint_eq(a, slab_object(slab, 15));
	ck_assert_uint_eq(take(t, s, 0), slab_object(slab, 14));
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_large_object_s_descriptor_is_an_object_of_a_kmalloc_cache)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 1024, 0);
	const struct slab *slab = slab_of(t->sc, take(t, s, 0));
	const struct slab *of = slab_of(t->sc, slab->freelist);

	ck_assert_ptr_nonnull(of);
	ck_assert_str_eq(of->cache->name, "size-64");
	ck_assert_uint_eq(colours(s).descriptor, 48 + 4 * 4);
	ck_assert_uint_eq(slab_object(slab, 0) % page_size(t->b->phys), 0);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(slabs_begin_their_objects_at_one_colour_after_the_other)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 190, 0);
	struct slab_colours c = colours(s);
	unsigned int nr = 3 * s->objects + 1U;
	va_t *o = g_new(va_t, nr);
	const struct slab *slab = NULL;
	uint32_t colour = 0, seen = 0;

	ck_assert_uint_gt(c.colours, 1);
	take_many(t, s, 0, nr, o);
	/* Newest first. */
	while ((slab = slab_next(s, slab))) {
		uint32_t begin = (slab->colour - c.descriptor) / c.offset;

		if (seen++)
			ck_assert_uint_eq((begin + 1) % c.colours, colour);
		colour = begin;
	}
	ck_assert_uint_ge(seen, 4);
	ck_assert_uint_eq(colour, 0);
	assert_slabs_lawful(t);
	g_free(o);
	slabbed_free(t);
}
END_TEST

START_TEST(slabs_go_from_free_to_partial_to_full_and_back)
{
	struct slabbed *t = slabbed_new(&one_cpu);
	struct kmem_cache *s = slabbed_cache(t, "test", 512, 0);
	struct kmem_cache_node *n = &s->node[0];
	va_t o[300];

	/* One new slab of 8 at a time is taken whole. */
	take_many(t, s, 0, 17, o);
	ck_assert_uint_eq(n->full.nr, 3);
	ck_assert_uint_eq(n->partial.nr, 0);
	take_many(t, s, 0, 183, o + 17);
	ck_assert_uint_eq(n->full.nr, 25);
	/* The 55th flushes 27: three slabs and three objects. */
	for (unsigned int i = 0; i < 55; i++)
		give(t, s, 0, o[i]);
	ck_assert_uint_eq(n->free.nr, 3);
	ck_assert_uint_eq(n->partial.nr, 1);
	ck_assert_uint_eq(n->full.nr, 21);
	assert_slabs_lawful(t);
	for (unsigned int i = 55; i < 200; i++)
		give(t, s, 0, o[i]);
	kmem_cache_shrink(s);
	ck_assert_uint_eq(n->full.nr + n->partial.nr + n->free.nr, 0);
	ck_assert_uint_eq(n->nr_slabs, 0);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(lists_in_ram_are_circles_through_their_heads)
{
	struct slabbed *t = slabbed_new(&one_cpu);
	struct kmem_cache *s = slabbed_cache(t, "test", 512, 0);
	va_t o[40], head, at;
	unsigned int nr = 0;

	take_many(t, s, 0, 40, o);
	head = s->node_descriptor[0] + 16; /* slabs_full */
	for (at = word_at(t, head); at != head; at = word_at(t, at)) {
		ck_assert_uint_eq(word_at(t, word_at(t, at) + 8), at);
		nr++;
		ck_assert_uint_lt(nr, 100);
	}
	ck_assert_uint_eq(nr, s->node[0].full.nr);
	slabbed_free(t);
}
END_TEST

/* --- arrays ----------------------------------------------------------------
 */

START_TEST(what_is_freed_last_is_given_first)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 64, 0);
	va_t a = take(t, s, 0), b = take(t, s, 0);

	give(t, s, 0, a);
	give(t, s, 0, b);
	ck_assert_uint_eq(take(t, s, 0), b);
	ck_assert_uint_eq(take(t, s, 0), a);
	slabbed_free(t);
}
END_TEST

START_TEST(a_full_array_gives_its_oldest_batch_to_the_shared_one)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 64, 0);
	va_t o[400];

	take_many(t, s, 0, 300, o);
	for (unsigned int i = 0; i < 121; i++)
		give(t, s, 1, o[i]);
	ck_assert_uint_eq(array(s, 1).avail, 61);
	ck_assert_uint_eq(shared(s, 0).avail, 60);
	ck_assert_uint_eq(shared(s, 0).limit, 480);
	ck_assert_uint_eq(shared(s, 0).entry[0], o[0]);
	ck_assert_uint_eq(array(s, 1).entry[0], o[60]);
	/* Another CPU of the node takes them from there. */
	while (array(s, 0).avail)
		take(t, s, 0);
	ck_assert_uint_eq(take(t, s, 0), o[59]);
	ck_assert_uint_eq(shared(s, 0).avail, 0);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(without_a_shared_array_it_goes_to_its_slabs)
{
	struct slabbed *t = slabbed_new(&one_cpu);
	struct kmem_cache *s = slabbed_cache(t, "test", 64, 0);
	struct slabinfo info;
	va_t o[200];

	take_many(t, s, 0, 200, o);
	for (unsigned int i = 0; i < 121; i++)
		give(t, s, 0, o[i]);
	slab_info(s, &info);
	/* In use as the kernel counts: those in the array too. */
	ck_assert_uint_eq(info.active_objs, 200 - 121 + array(s, 0).avail);
	ck_assert_uint_eq(info.shared, 0);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(beyond_its_free_limit_a_node_gives_slabs_back)
{
	struct slabbed *t = slabbed_new(&one_cpu);
	struct kmem_cache *s = slabbed_cache(t, "test", 1024, 0);
	uint64_t before = free_pages(t);
	struct slabinfo info;
	va_t o[400];

	/* limit 54, batch 27, free_limit 2 * 27 + 4. */
	take_many(t, s, 0, 400, o);
	for (unsigned int i = 0; i < 400; i++)
		give(t, s, 0, o[i]);
	slab_info(s, &info);
	ck_assert_uint_le((info.num_slabs - info.active_slabs) * 4, 58);
	ck_assert_uint_gt((info.num_slabs - info.active_slabs) * 4, 58 - 8);
	ck_assert_uint_lt(before - free_pages(t), 40);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(an_object_of_another_node_comes_straight_from_its_slabs)
{
	struct slabbed *t = slabbed_new(&numa);
	struct kmem_cache *s = slabbed_cache(t, "test", 200, 0);
	struct slab_request r = on_node(t, 1);
	va_t object;

	ck_assert_int_eq(kmem_cache_alloc(s, &r, &object), 0);
	ck_assert_uint_eq(slab_of(t->sc, object)->nid, 1);
	ck_assert_uint_eq(array(s, 0).avail, 0);
	ck_assert_uint_eq(classic_ops.id, ALLOCATOR_SLAB);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_node_without_memory_left_is_helped_by_another)
{
	struct slabbed *t = slabbed_new(&numa);
	struct kmem_cache *s = slabbed_cache(t, "test", 4096, 0);
	struct slab_request r = t->who;
	unsigned int of[2] = {0, 0};
	va_t object;

	while (!kmem_cache_alloc(s, &r, &object))
		of[slab_of(t->sc, object)->nid]++;
	ck_assert_uint_gt(of[0], 1000);
	ck_assert_uint_gt(of[1], 1000);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

/* --- constructors ----------------------------------------------------------
 */

START_TEST(a_constructor_runs_once_for_each_object_of_each_slab)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache_args args = {.name = "test",
				       .size = 128,
				       .ctor = slab_ctor_find("count"),
				       .allocator = ALLOCATOR_SLAB,
				       .who = &t->who};
	struct refusal why = {0};
	struct kmem_cache *s;
	va_t a;

	ck_assert_int_eq(kmem_cache_create(t->sc, &args, &s, &why), 0);
	a = take(t, s, 0);
	ck_assert_uint_eq(word_at(t, a), 0x0706050403020100);
	for (unsigned int i = 0; i < 50; i++) {
		give(t, s, 0, a);
		a = take(t, s, 0);
	}
	ck_assert_uint_eq(s->nr_ctor, s->node[0].nr_slabs * s->objects);
	slabbed_free(t);
}
END_TEST

/* --- time ------------------------------------------------------------------
 */

START_TEST(what_is_not_used_goes_back_with_time)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 256, 0);
	va_t o[100];

	take_many(t, s, 0, 100, o);
	for (unsigned int i = 0; i < 100; i++)
		give(t, s, 0, o[i]);
	ck_assert(array(s, 0).touched);
	pass(t, SECOND);
	ck_assert(!array(s, 0).touched);
	ck_assert_uint_ge(array(s, 0).avail, 100);
	pass(t, 2 * SECOND);
	ck_assert_uint_lt(array(s, 0).avail, 100);
	pass(t, 120 * SECOND);
	ck_assert_uint_eq(array(s, 0).avail, 0);
	ck_assert_uint_eq(s->node[0].nr_slabs, 0);
	assert_slabs_lawful(t);
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
digest(const struct slabbed *t)
{
	uint64_t sum = 0;

	slab_digest(t->sc, &(struct number_stream){add_number, &sum});
	return sum;
}

/* Objects of several caches, some freed; then time. */
static uint64_t
after_time(uint64_t step, unsigned int steps)
{
	struct slabbed *t = slabbed_new(&numa);
	struct kmem_cache *s = slabbed_cache(t, "test", 700, 0);
	struct kmem_cache *rcu =
		slabbed_cache(t, "rcu", 600, SLAB_TYPESAFE_BY_RCU);
	uint64_t sum;
	va_t o[200];

	for (unsigned int i = 0; i < 200; i++)
		o[i] = take(t, i % 3 ? s : rcu, i % 4);
	for (unsigned int i = 0; i < 190; i++)
		give(t, i % 3 ? s : rcu, (i + 1) % 4, o[i]);
	for (unsigned int i = 0; i < steps; i++)
		pass(t, step);
	sum = digest(t);
	assert_slabs_lawful(t);
	slabbed_free(t);
	return sum;
}

START_TEST(one_step_of_time_does_what_many_small_ones_do)
{
	static const struct {
		uint64_t step;
		unsigned int steps;
	} ways[] = {
		{7 * SECOND / 10, 900  },
		{63 * SECOND,     10	},
		{SECOND / 20,     12600},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		ck_assert_uint_eq(after_time(ways[i].step, ways[i].steps),
				  after_time(630 * SECOND, 1));
}
END_TEST

START_TEST(a_century_passes_at_once)
{
	struct slabbed *t = slabbed_new(&numa);
	struct kmem_cache *s = slabbed_cache(t, "test", 700, 0);

	take(t, s, 0);
	pass(t, 3155760000ULL * SECOND);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

/* --- the end ---------------------------------------------------------------
 */

START_TEST(a_busy_cache_is_put_back_and_says_so)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 700, 0);
	va_t a = take(t, s, 0);

	ck_assert_int_eq(kmem_cache_destroy(s, "test", &t->who), -EBUSY);
	ck_assert_ptr_nonnull(strstr(t->b->log->str,
				     "slab error in kmem_cache_destroy(): "
				     "cache `test': Can't free all objects"));
	ck_assert(!s->dead);
	give(t, s, 0, a);
	ck_assert_int_eq(kmem_cache_destroy(s, "test", &t->who), 0);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_second_cache_of_a_name_is_refused_in_the_kernel_s_words)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache_args args = {.name = "size-32",
				       .size = 128,
				       .allocator = ALLOCATOR_SLAB,
				       .who = &t->who};
	struct refusal why = {0};
	struct kmem_cache *s;

	ck_assert_int_eq(kmem_cache_create(t->sc, &args, &s, &why), -EEXIST);
	ck_assert_ptr_nonnull(strstr(
		t->b->log->str, "kmem_cache_create: duplicate cache size-32"));
	slabbed_free(t);
}
END_TEST

START_TEST(pages_of_a_cache_with_rcu_wait_for_the_grace_period)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s =
		slabbed_cache(t, "test", 1024, SLAB_TYPESAFE_BY_RCU);
	va_t a = take(t, s, 0);
	const struct slab *slab = slab_of(t->sc, a);

	give(t, s, 0, a);
	kmem_cache_shrink(s);
	ck_assert_int_eq(slab->where, SLAB_RCU);
	pass(t, SLAB_RCU_GRACE_NS);
	ck_assert_ptr_null(slab->cache);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

Suite *
suite_classic(void)
{
	Suite *suite = suite_create("classic");
	TCase *tc = tcase_create("classic");

	tcase_add_loop_test(
		tc, caches_of_the_boot_have_the_geometry_that_slabinfo_showed,
		0, ARRAY_SIZE(known));
	tcase_add_test(tc, kmalloc_takes_the_next_size_up_to_131072_bytes);
	tcase_add_test(tc, limits_follow_the_size_of_objects);
	tcase_add_test(tc, the_descriptor_lies_in_ram_before_the_objects);
	tcase_add_test(
		tc,
		a_large_object_s_descriptor_is_an_object_of_a_kmalloc_cache);
	tcase_add_test(tc,
		       slabs_begin_their_objects_at_one_colour_after_the_other);
	tcase_add_test(tc, slabs_go_from_free_to_partial_to_full_and_back);
	tcase_add_test(tc, lists_in_ram_are_circles_through_their_heads);
	tcase_add_test(tc, what_is_freed_last_is_given_first);
	tcase_add_test(tc,
		       a_full_array_gives_its_oldest_batch_to_the_shared_one);
	tcase_add_test(tc, without_a_shared_array_it_goes_to_its_slabs);
	tcase_add_test(tc, beyond_its_free_limit_a_node_gives_slabs_back);
	tcase_add_test(tc,
		       an_object_of_another_node_comes_straight_from_its_slabs);
	tcase_add_test(tc, a_node_without_memory_left_is_helped_by_another);
	tcase_add_test(tc,
		       a_constructor_runs_once_for_each_object_of_each_slab);
	tcase_add_test(tc, what_is_not_used_goes_back_with_time);
	tcase_add_test(tc, one_step_of_time_does_what_many_small_ones_do);
	tcase_add_test(tc, a_century_passes_at_once);
	tcase_add_test(tc, a_busy_cache_is_put_back_and_says_so);
	tcase_add_test(
		tc, a_second_cache_of_a_name_is_refused_in_the_kernel_s_words);
	tcase_add_test(tc, pages_of_a_cache_with_rcu_wait_for_the_grace_period);
	suite_add_tcase(suite, tc);
	return suite;
}
