// SPDX-License-Identifier: MIT
/* test_percpu.c - memory of which every CPU has its own copy */
#include "kmemfs/slab/percpu.h"

#include "slabbed.h"

#include <check.h>
#include <errno.h>

Suite *suite_percpu(void);

static struct slabbed *t;
static struct percpu *pc;

static void
start(const struct slabbed_kind *kind)
{
	static const struct percpu_config none = {NULL};

	t = slabbed_new(kind);
	pc = percpu_boot(&none, t->b->phys, t->ram);
}

static void
setup(void)
{
	static const struct slabbed_kind four = {.memory = "256M", .cpus = 4};

	start(&four);
}

static void
teardown(void)
{
	GString *laws = g_string_new("");

	percpu_verify(pc, NULL, NULL);
	ck_assert_uint_eq(percpu_verify(pc, NULL, NULL), 0);
	ck_assert_msg(!findings(t, laws), "%s", laws->str);
	g_string_free(laws, TRUE);
	percpu_free(pc);
	slabbed_free(t);
}

static int
ask(const char *name, uint64_t size, uint64_t align, gfp_t gfp,
    struct percpu_variable **v)
{
	const struct percpu_request r = {
		.name = name,
		.size = size,
		.align = align,
		.kind = PERCPU_DYNAMIC,
		.gfp = gfp,
	};

	return percpu_alloc(pc, &r, v);
}

static struct percpu_variable *
get(const char *name, uint64_t size, uint64_t align)
{
	struct percpu_variable *v = NULL;

	ck_assert_int_eq(ask(name, size, align, GFP_KERNEL, &v), 0);
	return v;
}

/* "percpu: Embedded 62 pages/cpu s217088 r8192 d28672 u2097152": one CPU. */
START_TEST(the_first_chunk_is_laid_out_as_a_recorded_kernel_says)
{
	static const struct {
		const char *arch;
		unsigned int cpus;
		uint64_t fixed, reserved, dynamic, unit;
	} seen[] = {
		{"x86-64", 1, 217088, 8192, 28672, 2097152},
		{"i386",	 2, 103316, 0,    31852, 135168 },
	};
	struct slabbed_kind kind = {
		.arch = seen[_i].arch, .memory = "256M", .cpus = seen[_i].cpus};

	percpu_free(pc);
	slabbed_free(t);
	start(&kind);
	ck_assert_uint_eq(pc->static_size, seen[_i].fixed);
	ck_assert_uint_eq(pc->reserved_size, seen[_i].reserved);
	ck_assert_uint_eq(pc->dyn_size, seen[_i].dynamic);
	ck_assert_uint_eq(pc->unit_size, seen[_i].unit);
}
END_TEST

START_TEST(a_variable_has_bytes_of_its_own_on_every_cpu)
{
	struct percpu_variable *a = get("a", 8, 8), *b = get("b", 8, 8);
	uint64_t seen;

	for (unsigned int cpu = 0; cpu < 4; cpu++) {
		uint64_t value = 100 + cpu;

		ck_assert_int_eq(percpu_write(pc, a, cpu, 0, &value, 8), 0);
	}
	for (unsigned int cpu = 0; cpu < 4; cpu++) {
		ck_assert_uint_eq(percpu_value(pc, a, cpu), 100 + cpu);
		ck_assert_uint_eq(percpu_value(pc, b, cpu), 0);
		ram_read(t->ram,
			 (percpu_frame(pc, a, cpu, 0) << 12) +
				 (percpu_address(pc, a, cpu) & 4095),
			 &seen, 8);
		ck_assert_uint_eq(seen, 100 + cpu);
		ck_assert_uint_eq(
			percpu_address(pc, a, cpu) - percpu_address(pc, a, 0),
			percpu_offset(pc, cpu) - percpu_offset(pc, 0));
	}
	ck_assert_int_eq(percpu_write(pc, a, 0, 1, &seen, 8), -EFBIG);
}
END_TEST

START_TEST(what_is_given_is_zeroed_and_lies_at_its_alignment)
{
	struct percpu_variable *a = get("a", 12, 4), *b;
	uint64_t ones = UINT64_MAX;

	ck_assert_int_eq(percpu_write(pc, a, 2, 4, &ones, 8), 0);
	percpu_release(pc, a, 0);
	get("odd", 4, 4);
	b = get("b", 256, 256);
	ck_assert_uint_eq(percpu_address(pc, b, 1) % 256, 0);
	a = get("a", 12, 4);
	ck_assert_uint_eq(percpu_value(pc, a, 2), 0);
}
END_TEST

START_TEST(sizes_and_alignments_that_no_chunk_gives_are_refused)
{
	static const struct {
		uint64_t size, align;
	} bad[] = {
		{0,	    8   },
		{32769, 8	 },
		{8,	    12  },
		{8,	    8192},
	};
	struct percpu_variable *v;

	ck_assert_int_eq(ask("x", bad[_i].size, bad[_i].align, GFP_KERNEL, &v),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(t->b->log->str, "for percpu allocation"));
	ck_assert_uint_eq(pc->stats.nr_alloc, 0);
}
END_TEST

START_TEST(a_full_chunk_is_followed_by_one_from_the_top_down)
{
	struct percpu_variable *v[3];
	uint64_t size = pc->nr_units * pc->unit_size;

	ck_assert_uint_eq(percpu_frames(pc), 0);
	for (int i = 0; i < 3; i++)
		v[i] = get("large", KIB(20), 4096);
	ck_assert(v[0]->chunk->first);
	ck_assert(!v[1]->chunk->first);
	ck_assert_ptr_eq(v[1]->chunk, v[2]->chunk);
	ck_assert_uint_eq(v[1]->area->base + size, 0xffffe8fffffff000);
	ck_assert_uint_eq(pc->stats.nr_chunks, 2);
	ck_assert_uint_ge(percpu_frames(pc), 15 * 4);
	for (int i = 0; i < 3; i++)
		percpu_release(pc, v[i], 0);
	/* One empty chunk is kept. */
	ck_assert_uint_eq(pc->stats.nr_chunks, 2);
}
END_TEST

START_TEST(of_two_empty_chunks_one_is_given_back_with_its_pages)
{
	struct percpu_variable *v[130];
	unsigned int nr = 0;
	uint64_t held;

	while (pc->stats.nr_chunks < 3 && nr < ARRAY_SIZE(v))
		v[nr++] = get("large", KIB(32), 4096);
	ck_assert_uint_eq(pc->stats.nr_chunks, 3);
	held = percpu_frames(pc);
	while (nr)
		percpu_release(pc, v[--nr], 0);
	ck_assert_uint_eq(pc->stats.nr_chunks, 2);
	ck_assert_uint_lt(percpu_frames(pc), held);
	ck_assert_uint_eq(pc->stats.nr_cur_alloc, 0);
}
END_TEST

START_TEST(who_may_not_wait_gets_populated_pages_only)
{
	struct percpu_variable *v;

	get("fill", 28000, 4);
	ck_assert_int_eq(ask("x", KIB(32), 4096, GFP_ATOMIC, &v), -ENOMEM);
	/* The worker has populated pages since. */
	ck_assert_int_eq(ask("y", KIB(8), 4096, GFP_ATOMIC, &v), 0);
	ck_assert(!v->chunk->first);
}
END_TEST

START_TEST(without_pages_an_allocation_fails_and_says_so)
{
	struct percpu_variable *v;

	get("fill", 28000, 4);
	t->b->phys->fail_page_alloc.probability = 100;
	t->b->phys->fail_page_alloc.times = -1;
	t->b->phys->fail_page_alloc.min_order = 0;
	t->b->phys->fail_page_alloc.ignore_gfp_wait = false;
	t->b->phys->fail_page_alloc.ignore_gfp_highmem = false;
	ck_assert_int_eq(ask("x", KIB(32), 4096, GFP_KERNEL, &v), -ENOMEM);
	ck_assert_ptr_nonnull(
		strstr(t->b->log->str,
		       "percpu: allocation failed, size=32768 align=4096 "
		       "atomic=0, failed to populate"));
	ck_assert_uint_eq(pc->stats.nr_cur_alloc, 1);
}
END_TEST

START_TEST(modules_get_what_is_reserved_for_them)
{
	const struct percpu_request r = {.name = "mod",
					 .size = 8000,
					 .align = 8,
					 .kind = PERCPU_RESERVED,
					 .gfp = GFP_KERNEL};
	struct percpu_variable *v;

	ck_assert_int_eq(percpu_alloc(pc, &r, &v), 0);
	ck_assert(v->chunk->reserved);
	ck_assert_uint_eq(percpu_pointer(pc, v), 217088);
	ck_assert_int_eq(percpu_alloc(pc, &r, &v), -ENOMEM);
	ck_assert_ptr_nonnull(
		strstr(t->b->log->str, "alloc from reserved chunk failed"));
}
END_TEST

START_TEST(bytes_survive_random_neighbours)
{
	struct percpu_variable *v[64] = {NULL};
	uint64_t state = 7, value;

	for (int step = 0; step < 2000; step++) {
		unsigned int i, cpu;

		state = state * 6364136223846793005 + 1442695040888963407;
		i = (unsigned int)(state >> 40) % ARRAY_SIZE(v);
		cpu = (unsigned int)(state >> 20) % 4;
		if (!v[i]) {
			v[i] = get("v", 8 + (state >> 50) % 3000, 8);
			for (unsigned int c = 0; c < 4; c++) {
				value = v[i]->id * 16 + c;
				percpu_write(pc, v[i], c, 0, &value, 8);
			}
			continue;
		}
		ck_assert_uint_eq(percpu_value(pc, v[i], cpu),
				  v[i]->id * 16 + cpu);
		percpu_release(pc, v[i], cpu);
		v[i] = NULL;
		if (step % 100 == 0)
			ck_assert_uint_eq(percpu_verify(pc, NULL, NULL), 0);
	}
}
END_TEST

Suite *
suite_percpu(void)
{
	Suite *s = suite_create("percpu");
	TCase *c = tcase_create("percpu");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(
		c, the_first_chunk_is_laid_out_as_a_recorded_kernel_says, 0, 2);
	tcase_add_test(c, a_variable_has_bytes_of_its_own_on_every_cpu);
	tcase_add_test(c, what_is_given_is_zeroed_and_lies_at_its_alignment);
	tcase_add_loop_test(
		c, sizes_and_alignments_that_no_chunk_gives_are_refused, 0, 4);
	tcase_add_test(c, a_full_chunk_is_followed_by_one_from_the_top_down);
	tcase_add_test(c, of_two_empty_chunks_one_is_given_back_with_its_pages);
	tcase_add_test(c, who_may_not_wait_gets_populated_pages_only);
	tcase_add_test(c, without_pages_an_allocation_fails_and_says_so);
	tcase_add_test(c, modules_get_what_is_reserved_for_them);
	tcase_add_test(c, bytes_survive_random_neighbours);
	suite_add_tcase(s, c);
	return s;
}
