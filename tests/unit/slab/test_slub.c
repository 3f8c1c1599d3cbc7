// SPDX-License-Identifier: MIT
/* test_slub.c - SLUB's paths: where objects come from and go to */
#include "slabbed.h"

#include <errno.h>

Suite *suite_slub(void);

static const struct slabbed_kind plain = {0};
/* Two CPUs on each of two nodes. */
static const struct slabbed_kind numa = {
	.memory = "128M", .nodes = 2, .cpus = 4};

static const struct slab *
slab_of_cpu(const struct kmem_cache *s, unsigned int cpu)
{
	ck_assert_uint_ne(s->cpu[cpu].slab, 0);
	return slab_get(s->common, s->cpu[cpu].slab - 1);
}

/* --- allocating ------------------------------------------------------------
 */

START_TEST(a_new_slab_gives_its_objects_in_the_order_of_their_addresses)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 256, 0);
	va_t first = take(t, s, 0);
	const struct slab *slab = slab_of(t->sc, first);

	ck_assert_ptr_nonnull(slab);
	ck_assert_ptr_eq(slab, slab_of_cpu(s, 0));
	ck_assert_uint_eq(slab_object(slab, 0), first);
	for (unsigned int i = 1; i < s->objects; i++)
		ck_assert_uint_eq(take(t, s, 0), first + i * s->size);
	ck_assert_uint_eq(slab->inuse, slab->objects);
	ck_assert_uint_eq(s->cpu[0].freelist, 0);
	ck_assert_int_eq(s->node[0].nr_slabs, 1);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_slab_s_pages_count_as_slab_memory_of_their_node)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "plain", 700, 0);
	struct kmem_cache *rcl =
		slabbed_cache(t, "rcl", 700, SLAB_RECLAIM_ACCOUNT);
	const int64_t *stat = t->b->phys->nodes[0]->stat;
	int64_t before = stat[NS_nr_slab_unreclaimable];

	ck_assert_int_eq(stat[NS_nr_slab_reclaimable], 0);
	take(t, s, 0);
	take(t, rcl, 0);
	ck_assert_int_eq(stat[NS_nr_slab_unreclaimable] - before,
			 1 << s->order);
	ck_assert_int_eq(stat[NS_nr_slab_reclaimable], 1 << rcl->order);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(what_is_freed_last_is_given_first)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 64, 0);
	va_t a = take(t, s, 0), b = take(t, s, 0);

	give(t, s, 0, a);
	give(t, s, 0, b);
	ck_assert_uint_eq(word_at(t, b + s->offset), a);
	ck_assert_uint_eq(take(t, s, 0), b);
	ck_assert_uint_eq(take(t, s, 0), a);
	slabbed_free(t);
}
END_TEST

START_TEST(another_cpu_frees_into_the_slab_s_own_list)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 512, 0);
	va_t o[OBJECTS_MOST];
	unsigned int nr = fill(t, s, 0, 1, o);
	const struct slab *slab = slab_of_cpu(s, 0);

	give(t, s, 1, o[3]);
	give(t, s, 1, o[5]);
	ck_assert_uint_eq(slab->freelist, o[5]);
	ck_assert_uint_eq(slab->inuse, nr - 2);
	ck_assert_int_eq(slab->where, SLAB_CPU);
	ck_assert_uint_eq(s->cpu[0].freelist, 0);
	/* CPU 0 takes the list over as a whole. */
	ck_assert_uint_eq(take(t, s, 0), o[5]);
	ck_assert_uint_eq(slab->freelist, 0);
	ck_assert_uint_eq(slab->inuse, nr);
	ck_assert_uint_eq(s->cpu[0].freelist, o[3]);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_full_slab_that_gets_an_object_waits_on_the_freeing_cpu)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 512, 0);
	va_t o[OBJECTS_MOST];
	const struct slab *slab;

	fill(t, s, 0, 2, o);
	slab = slab_of(t->sc, o[0]);
	ck_assert_int_eq(slab->where, SLAB_FULL);
	give(t, s, 1, o[0]);
	ck_assert_int_eq(slab->where, SLAB_CPU_PARTIAL);
	ck_assert_uint_eq(s->cpu[1].partial.head, slab->number + 1);
	ck_assert_uint_eq(s->cpu[1].partial_slabs, 1);
	ck_assert_uint_eq(s->node[0].partial.nr, 0);
	/* It is what CPU 1 takes next, without a new slab. */
	ck_assert_uint_eq(take(t, s, 1), o[0]);
	ck_assert_int_eq(s->node[0].nr_slabs, 2);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_cpu_s_partial_list_goes_to_the_nodes_when_it_is_full)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 512, 0);
	unsigned int most = s->cpu_partial_slabs;
	va_t o[OBJECTS_MOST];

	fill(t, s, 0, most + 2, o);
	for (unsigned int i = 0; i < most; i++)
		give(t, s, 1, o[i * s->objects]);
	ck_assert_uint_eq(s->cpu[1].partial_slabs, most);
	ck_assert_uint_eq(s->node[0].partial.nr, 0);
	give(t, s, 1, o[most * s->objects]);
	ck_assert_uint_eq(s->cpu[1].partial_slabs, 1);
	ck_assert_uint_eq(s->node[0].partial.nr, most);
	/* The newest went first, each to the tail. */
	ck_assert_uint_eq(s->node[0].partial.head,
			  slab_of(t->sc, o[(most - 1) * s->objects])->number +
				  1);
	ck_assert_uint_eq(s->node[0].partial.tail,
			  slab_of(t->sc, o[0])->number + 1);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_cpu_takes_one_partial_slab_of_the_node_and_half_its_list_more)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 512, 0);
	unsigned int most = s->cpu_partial_slabs;
	va_t o[OBJECTS_MOST];
	uint32_t head;

	fill(t, s, 0, most + 2, o);
	for (unsigned int i = 0; i <= most; i++)
		give(t, s, 1, o[i * s->objects]);
	slab_cpu_dead(t->sc, 1);
	ck_assert_uint_eq(s->node[0].partial.nr, most + 1);
	head = s->node[0].partial.head;
	take(t, s, 1);
	ck_assert_uint_eq(s->cpu[1].slab, head);
	ck_assert_uint_eq(s->cpu[1].partial_slabs, most / 2 + 1);
	ck_assert_uint_eq(s->node[0].partial.nr, most + 1 - 1 - most / 2 - 1);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(an_empty_slab_goes_back_when_its_node_has_enough_partial_ones)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 1024, 0);
	unsigned int slabs = s->min_partial + 2, each = s->objects;
	va_t o[OBJECTS_MOST];
	uint64_t before;

	fill(t, s, 0, slabs + 1, o);
	for (unsigned int i = 0; i < slabs; i++)
		give(t, s, 1, o[i * each]);
	slab_cpu_dead(t->sc, 1);
	ck_assert_uint_eq(s->node[0].partial.nr, slabs);
	before = free_pages(t);
	/* Two more than min_partial: two go, the others stay, empty. */
	for (unsigned int i = 0; i < slabs; i++)
		for (unsigned int k = 1; k < each; k++)
			give(t, s, 1, o[i * each + k]);
	ck_assert_uint_eq(s->node[0].partial.nr, s->min_partial - 1);
	ck_assert_uint_eq(free_pages(t) - before,
			  (uint64_t)(slabs - s->min_partial + 1) << s->order);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_wrong_node_s_slab_is_put_back_and_one_of_the_right_node_taken)
{
	struct slabbed *t = slabbed_new(&numa);
	struct kmem_cache *s = slabbed_cache(t, "test", 512, 0);
	struct slab_request r = on_node(t, 1);
	const struct slab *slab;
	va_t a = take(t, s, 0), b;

	slab = slab_of(t->sc, a);
	ck_assert_int_eq(slab->nid, 0);
	ck_assert_int_eq(kmem_cache_alloc(s, &r, &b), 0);
	ck_assert_int_eq(slab_of(t->sc, b)->nid, 1);
	ck_assert_int_eq(slab->where, SLAB_NODE_PARTIAL);
	ck_assert_uint_eq(slab->inuse, 1);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(partial_slabs_of_other_nodes_are_used_if_the_ratio_allows)
{
	for (unsigned int ratio = 0; ratio <= 100; ratio += 100) {
		struct slabbed *t = slabbed_new(&numa);
		struct kmem_cache *s = slabbed_cache(t, "test", 512, 0);
		unsigned int slabs = s->min_partial + 1, far = 0;
		struct slab_request r = on_node(t, 1);
		va_t o[OBJECTS_MOST];

		s->remote_node_defrag_ratio = ratio;
		/* More than min_partial partial slabs on node 1. */
		for (unsigned int i = 0; i < slabs * s->objects; i++)
			ck_assert_int_eq(kmem_cache_alloc(s, &r, &o[i]), 0);
		slab_cpu_dead(t->sc, 0);
		for (unsigned int i = 0; i < slabs; i++)
			give(t, s, 1, o[i * s->objects]);
		slab_cpu_dead(t->sc, 1);
		ck_assert_uint_eq(s->node[1].partial.nr, slabs);
		far = slab_of(t->sc, take(t, s, 0))->nid;
		/* 1000 of 1024 draws allow it; the seed's first does. */
		ck_assert_uint_eq(far, ratio ? 1 : 0);
		assert_slabs_lawful(t);
		slabbed_free(t);
	}
}
END_TEST

START_TEST(without_large_blocks_a_slab_is_as_small_as_can_be)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 1000, 0);
	struct page_request r = {.gfp = GFP_KERNEL | __GFP_NOWARN |
					__GFP_MEMALLOC,
				 .nid = NODE_LOCAL};
	const struct slab *slab;
	const struct phys *phys = t->b->phys;
	pfn_t pfn;

	ck_assert_uint_gt(s->order, s->min_order);
	/* All single pages go, reserves too; every second comes back. */
	while (!pages_alloc(t->b->phys, &r, &pfn))
		;
	for (pfn = 1; pfn < phys->max_pfn; pfn += 2) {
		const struct frame *f = &phys->frames[pfn];

		if (f->state == FRAME_ALLOCATED && !f->order && !f->owner)
			pages_put(t->b->phys, pfn, 0, 0);
	}
	slab = slab_of(t->sc, take(t, s, 0));
	ck_assert_uint_eq(slab->order, s->min_order);
	ck_assert_uint_eq(slab->objects, (4096U << s->min_order) / s->size);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(out_of_memory_is_told_in_the_kernel_s_words)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "greedy", 4096, 0);
	struct slab_request r = t->who;
	va_t object;
	int err;

	while (!(err = kmem_cache_alloc(s, &r, &object)))
		;
	ck_assert_int_eq(err, -ENOMEM);
	ck_assert_ptr_nonnull(strstr(t->b->log->str,
				     ": page allocation failure: order:0, "
				     "mode:0x40cc0(GFP_KERNEL|__GFP_COMP), "
				     "nodemask=(null)\n"
				     "SLUB: Unable to allocate memory on node "
				     "-1, gfp=0xcc0(GFP_KERNEL)\n"
				     "  cache: greedy, object size: 4096, "
				     "buffer size: 4096, default order: 3, "
				     "min order: 0\n"
				     "  node 0: slabs: "));
	g_string_truncate(t->b->log, 0);
	r.gfp |= __GFP_NOWARN;
	ck_assert_int_eq(kmem_cache_alloc(s, &r, &object), -ENOMEM);
	ck_assert_uint_eq(t->b->log->len, 0);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_slab_that_the_host_has_no_room_for_is_refused_and_leaves_nothing)
{
	const struct slabbed_kind small = {.ram_limit = 96 << 10};
	struct slabbed *t = slabbed_new(&small);
	struct kmem_cache *s = slabbed_cache(t, "test", 2048, 0);
	struct slab_request r = t->who;
	uint64_t before;
	va_t object;
	int err;

	while (!(err = kmem_cache_alloc(s, &r, &object)))
		;
	ck_assert_int_eq(err, -ENOSPC);
	before = free_pages(t);
	ck_assert_int_eq(kmem_cache_alloc(s, &r, &object), -ENOSPC);
	ck_assert_uint_eq(free_pages(t), before);
	ck_assert_uint_le(ram_held(t->ram), small.ram_limit);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(zeroed_objects_are_zero_and_their_neighbours_are_not_touched)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 64, 0);
	struct slab_request r = t->who;
	va_t a = take(t, s, 0), b = take(t, s, 0), again;

	r.gfp |= __GFP_ZERO;
	for (unsigned int i = 0; i < 64; i += 8) {
		set_word(t, a + i, 0x1111111111111111);
		set_word(t, b + i, 0x2222222222222222);
	}
	give(t, s, 0, a);
	ck_assert_int_eq(kmem_cache_alloc(s, &r, &again), 0);
	ck_assert_uint_eq(again, a);
	for (unsigned int i = 0; i < 64; i += 8) {
		ck_assert_uint_eq(word_at(t, a + i), 0);
		ck_assert_uint_eq(word_at(t, b + i), 0x2222222222222222);
	}
	slabbed_free(t);
}
END_TEST

START_TEST(a_constructor_runs_for_each_object_of_a_new_slab_and_never_again)
{
	struct slabbed *t = slabbed_new(&plain);
	const struct kmem_cache_args args = {
		.name = "made",
		.size = 128,
		.ctor = slab_ctor_nth(0),
		.who = &t->who,
	};
	struct kmem_cache *s = NULL;
	uint8_t want[128] = {0}, have[128];
	va_t a;

	ck_assert_int_eq(kmem_cache_create(t->sc, &args, &s, NULL), 0);
	a = take(t, s, 0);
	ck_assert_uint_eq(s->nr_ctor, s->objects);
	slab_ctor_fill(args.ctor, want, sizeof(want));
	ram_read(t->ram, a - t->b->phys->arch->page_offset, have, sizeof(have));
	ck_assert_mem_eq(have, want, sizeof(want));
	set_word(t, a, 42);
	give(t, s, 0, a);
	ck_assert_uint_eq(take(t, s, 0), a);
	/* It lies beyond the free pointer's reach and is as it was left. */
	ck_assert_uint_eq(word_at(t, a), 42);
	ck_assert_uint_eq(s->nr_ctor, s->objects);
	slabbed_free(t);
}
END_TEST

START_TEST(a_story_tells_the_way_of_a_request)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "told", 100, 0);
	struct slab_request r = t->who;
	struct out why = OUT_INIT;
	va_t object;

	r.why = &why;
	ck_assert_int_eq(kmem_cache_alloc(s, &r, &object), 0);
	ck_assert_ptr_nonnull(strstr(out_text(&why), "CPU 0 has no slab"));
	ck_assert_ptr_nonnull(strstr(out_text(&why), "new slab: object 0 of"));
	out_reset(&why);
	ck_assert_int_eq(kmem_cache_alloc(s, &r, &object), 0);
	ck_assert_ptr_nonnull(
		strstr(out_text(&why), "CPU's free list: object 1 of"));
	out_fini(&why);
	slabbed_free(t);
}
END_TEST

/* --- shrinking, the end ----------------------------------------------------
 */

START_TEST(shrinking_gives_back_empty_slabs_and_puts_full_ones_first)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 1024, 0);
	unsigned int each = s->objects;
	va_t o[OBJECTS_MOST];
	const struct slab *slab;

	fill(t, s, 0, 4, o);
	/* 3, 1, all and 2 objects of four slabs are free. */
	for (unsigned int i = 0; i < 3; i++)
		give(t, s, 1, o[i]);
	give(t, s, 1, o[each]);
	for (unsigned int i = 0; i < each; i++)
		give(t, s, 1, o[2 * each + i]);
	give(t, s, 1, o[3 * each]);
	give(t, s, 1, o[3 * each + 1]);
	kmem_cache_shrink(s);
	ck_assert_uint_eq(s->node[0].nr_slabs, 3);
	ck_assert_uint_eq(s->node[0].partial.nr, 3);
	ck_assert_ptr_null(slab_of(t->sc, o[2 * each]));
	slab = slab_get(t->sc, s->node[0].partial.head - 1);
	ck_assert_ptr_eq(slab, slab_of(t->sc, o[each]));
	slab = slab_get(t->sc, slab->next - 1);
	ck_assert_ptr_eq(slab, slab_of(t->sc, o[3 * each]));
	ck_assert_uint_eq(s->node[0].partial.tail,
			  slab_of(t->sc, o[0])->number + 1);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(an_empty_cache_gives_all_pages_back_when_it_is_shrunk)
{
	struct slabbed *t = slabbed_new(&numa);
	struct kmem_cache *s = slabbed_cache(t, "test", 192, 0);
	uint64_t before = free_pages(t);
	va_t o[OBJECTS_MOST];

	for (unsigned int i = 0; i < OBJECTS_MOST; i++)
		o[i] = take(t, s, i % 4);
	ck_assert_uint_lt(free_pages(t), before);
	for (unsigned int i = 0; i < OBJECTS_MOST; i++)
		give(t, s, i / 7 % 4, o[i]);
	kmem_cache_shrink(s);
	ck_assert_uint_eq(free_pages(t), before);
	ck_assert_uint_eq(slab_count(s, SLAB_COUNT_SLABS, -1), 0);
	ck_assert_ptr_null(slab_next(s, NULL));
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_cache_with_live_objects_cannot_be_destroyed)
{
	struct slabbed *t = slabbed_new(&plain);
	uint64_t before;
	struct kmem_cache *s = slabbed_cache(t, "warm", 512, 0);
	struct kmem_cache *busy;
	va_t a;

	/* The descriptors' own slabs stay. */
	ck_assert_int_eq(kmem_cache_destroy(s, "warm", &t->who), 0);
	before = free_pages(t);
	busy = slabbed_cache(t, "busy", 512, 0);
	a = take(t, busy, 0);
	ck_assert_int_eq(kmem_cache_destroy(busy, "busy", &t->who), -EBUSY);
	ck_assert_ptr_nonnull(
		strstr(t->b->log->str,
		       "Objects remaining in busy on __kmem_cache_shutdown()"));
	ck_assert_ptr_eq(slab_of(t->sc, a)->cache, busy);
	give(t, busy, 0, a);
	ck_assert_int_eq(kmem_cache_destroy(busy, "busy", &t->who), 0);
	ck_assert_uint_eq(free_pages(t), before);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

START_TEST(a_cpu_that_goes_leaves_nothing_behind)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 512, 0);
	va_t o[OBJECTS_MOST];

	fill(t, s, 0, 2, o);
	give(t, s, 1, o[0]);
	take(t, s, 0);
	slab_cpu_dead(t->sc, 0);
	slab_cpu_dead(t->sc, 1);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		ck_assert_uint_eq(s->cpu[cpu].slab, 0);
		ck_assert_uint_eq(s->cpu[cpu].freelist, 0);
		ck_assert_uint_eq(s->cpu[cpu].partial.nr, 0);
	}
	ck_assert_uint_eq(s->node[0].partial.nr, 2);
	assert_slabs_lawful(t);
	slabbed_free(t);
}
END_TEST

/* --- counting --------------------------------------------------------------
 */

START_TEST(slabinfo_counts_what_cpus_keep_as_in_use)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 512, 0);
	struct slabinfo info;

	take(t, s, 0);
	slab_info(s, &info);
	ck_assert_uint_eq(info.active_objs, s->objects);
	ck_assert_uint_eq(info.num_objs, s->objects);
	ck_assert_uint_eq(info.num_slabs, 1);
	ck_assert_uint_eq(slab_count(s, SLAB_COUNT_CPU_SLABS, -1), 1);
	slab_cpu_dead(t->sc, 0);
	slab_info(s, &info);
	ck_assert_uint_eq(info.active_objs, 1);
	ck_assert_uint_eq(slab_count(s, SLAB_COUNT_OBJECTS_PARTIAL, 0), 1);
	ck_assert_uint_eq(slab_count(s, SLAB_COUNT_PARTIAL, -1), 1);
	ck_assert_uint_eq(slab_count(s, SLAB_COUNT_CPU_SLABS, -1), 0);
	slabbed_free(t);
}
END_TEST

START_TEST(states_say_which_list_an_object_is_on)
{
	struct slabbed *t = slabbed_new(&plain);
	struct kmem_cache *s = slabbed_cache(t, "test", 512, 0);
	va_t a = take(t, s, 0), b = take(t, s, 0);
	uint8_t state[OBJECTS_MOST];

	give(t, s, 1, b);
	slab_states(slab_of(t->sc, a), state);
	ck_assert_uint_eq(state[0], OBJECT_USED);
	ck_assert_uint_eq(state[1], OBJECT_FREE);
	for (unsigned int i = 2; i < s->objects; i++)
		ck_assert_uint_eq(state[i], OBJECT_CPU_FREE);
	slab_cpu_dead(t->sc, 0);
	/* The rest of the list is cut off behind object 2. */
	set_word(t, slab_object(slab_of(t->sc, a), 2) + s->offset, 1);
	slab_states(slab_of(t->sc, a), state);
	ck_assert_uint_eq(state[2], OBJECT_FREE);
	ck_assert_uint_eq(state[s->objects - 1], OBJECT_LOST);
	slabbed_free(t);
}
END_TEST

Suite *
suite_slub(void)
{
	Suite *s = suite_create("slub");
	TCase *c = tcase_create("slub");

#define T(name) tcase_add_test(c, name)
	T(a_new_slab_gives_its_objects_in_the_order_of_their_addresses);
	T(a_slab_s_pages_count_as_slab_memory_of_their_node);
	T(what_is_freed_last_is_given_first);
	T(another_cpu_frees_into_the_slab_s_own_list);
	T(a_full_slab_that_gets_an_object_waits_on_the_freeing_cpu);
	T(a_cpu_s_partial_list_goes_to_the_nodes_when_it_is_full);
	T(a_cpu_takes_one_partial_slab_of_the_node_and_half_its_list_more);
	T(an_empty_slab_goes_back_when_its_node_has_enough_partial_ones);
	T(a_wrong_node_s_slab_is_put_back_and_one_of_the_right_node_taken);
	T(partial_slabs_of_other_nodes_are_used_if_the_ratio_allows);
	T(without_large_blocks_a_slab_is_as_small_as_can_be);
	T(out_of_memory_is_told_in_the_kernel_s_words);
	T(a_slab_that_the_host_has_no_room_for_is_refused_and_leaves_nothing);
	T(zeroed_objects_are_zero_and_their_neighbours_are_not_touched);
	T(a_constructor_runs_for_each_object_of_a_new_slab_and_never_again);
	T(a_story_tells_the_way_of_a_request);
	T(shrinking_gives_back_empty_slabs_and_puts_full_ones_first);
	T(an_empty_cache_gives_all_pages_back_when_it_is_shrunk);
	T(a_cache_with_live_objects_cannot_be_destroyed);
	T(a_cpu_that_goes_leaves_nothing_behind);
	T(slabinfo_counts_what_cpus_keep_as_in_use);
	T(states_say_which_list_an_object_is_on);
#undef T
	suite_add_tcase(s, c);
	return s;
}
