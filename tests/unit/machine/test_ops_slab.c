// SPDX-License-Identifier: MIT
/*
 * test_ops_slab.c - ops on objects
 *
 * After each test all laws hold, and the journal leads to the same machine.
 */
#include "kmemfs/machine/op.h"

#include "unit/machine/replay_feed.h"

#include <check.h>
#include <errno.h>
#include <string.h>

Suite *suite_ops_slab(void);

static int
run(const char *line)
{
	return machine_do(feed_m, line, NULL, NULL);
}

static int run_with(const char *format, va_t address)
	__attribute__((format(printf, 1, 0)));

static int
run_with(const char *format, va_t address)
{
	char line[128];

	g_snprintf(line, sizeof(line), format, (unsigned long long)address);
	return run(line);
}

static struct allocation *
named(const char *name)
{
	struct allocation *a = allocation_find(feed_m, name);

	ck_assert_msg(a != NULL, "there is no %s", name);
	return a;
}

START_TEST(an_object_lies_in_its_cache_and_names_what_frees_it)
{
	struct out free = OUT_INIT;
	struct allocation *a;

	feed_op("slab/kmem_cache_create mine 100");
	feed_op("slab/kmem_cache_alloc mine name=obj");
	a = named("obj");
	ck_assert_int_eq(a->kind, ALLOCATION_OBJECT);
	ck_assert_uint_eq(a->size, 100);
	ck_assert_uint_eq(a->cache, kmem_cache_find(feed_m->slab, "mine")->id);
	ck_assert_ptr_eq(allocation_at(feed_m, a->address), a);
	allocation_free_words(feed_m, a, &free);
	ck_assert_str_eq(out_text(&free), "slab/kmem_cache_free mine");
	out_fini(&free);
}
END_TEST

START_TEST(a_refused_cache_leaves_nothing_behind)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];

	machine_digest(feed_m, before);
	ck_assert_int_eq(run("slab/kmem_cache_create x 8M caller=new_one"),
			 -EINVAL);
	ck_assert_int_eq(
		run("slab/kmem_cache_create kmalloc-8 8 caller=new_two"),
		-EEXIST);
	machine_digest(feed_m, after);
	ck_assert_str_eq(before, after);
	ck_assert_uint_eq(symbols_count(feed_m->symbols), 0);
}
END_TEST

START_TEST(an_address_of_an_object_of_ours_is_ours_no_more_when_freed)
{
	feed_op("slab/kmalloc 100 name=msg");
	ck_assert_int_eq(run_with("slab/kfree %#llx", named("msg")->address),
			 0);
	ck_assert_ptr_null(allocation_find(feed_m, "msg"));
}
END_TEST

/* A crime: the kernel takes them off its count of slab memory. */
START_TEST(kfree_of_a_compound_block_s_address_frees_the_allocation)
{
	feed_op("page/alloc_pages GFP_KERNEL|__GFP_COMP 2 name=pages");
	ck_assert_int_eq(run("slab/kfree pages"), -EINVAL);
	ck_assert_int_eq(
		run_with("slab/kfree %#llx",
			 feed_m->phys->arch->page_offset +
				 allocation_start(feed_m, named("pages"))),
		0);
	ck_assert_ptr_null(allocation_find(feed_m, "pages"));
	ck_assert_int_eq(feed_m->phys->nodes[0]->stat[NS_nr_slab_unreclaimable],
			 -4);
}
END_TEST

START_TEST(kfree_of_pages_that_it_would_free_a_part_of_is_refused)
{
	feed_op("page/alloc_pages GFP_KERNEL 2 name=pages");
	ck_assert_int_eq(
		run_with("slab/kfree %#llx",
			 feed_m->phys->arch->page_offset +
				 allocation_start(feed_m, named("pages"))),
		-EINVAL);
	named("pages");
}
END_TEST

START_TEST(krealloc_moves_what_has_a_made_up_name_too)
{
	uint32_t id;

	feed_op("slab/kmalloc 10");
	id = named("a1")->id;
	feed_op("slab/krealloc a1 16");
	ck_assert_uint_eq(named("a1")->id, id);
	ck_assert_uint_eq(named("a1")->size, 16);
	feed_op("slab/krealloc a1 20000");
	ck_assert_uint_ne(named("a1")->id, id);
	ck_assert_uint_eq(named("a1")->cache, 0);
	/* what there is room for stays where it is */
	id = named("a1")->id;
	feed_op("slab/krealloc a1 8");
	ck_assert_uint_eq(named("a1")->id, id);
	ck_assert_uint_eq(named("a1")->size, 8);
	feed_op("slab/krealloc a1 0");
	ck_assert_ptr_null(allocation_find(feed_m, "a1"));
}
END_TEST

START_TEST(krealloc_of_an_address_within_a_block_frees_the_allocation)
{
	char line[64];

	feed_op("slab/kmalloc 64K name=big");
	g_snprintf(line, sizeof(line), "slab/krealloc %#llx 100 name=small",
		   (unsigned long long)named("big")->address + 4096);
	feed_op(line);
	ck_assert_ptr_null(allocation_find(feed_m, "big"));
	named("small");
	feed_op("slab/kmalloc 64K name=big");
	ck_assert_int_eq(
		run_with("slab/krealloc %#llx 0", named("big")->address + 4096),
		0);
	ck_assert_ptr_null(allocation_find(feed_m, "big"));
}
END_TEST

START_TEST(what_has_pages_of_its_own_is_no_object_of_a_cache)
{
	va_t big;

	feed_op("slab/kmalloc 64 name=small");
	feed_op("slab/kmalloc 64K name=big");
	big = named("big")->address;
	ck_assert_int_eq(run("slab/kmem_cache_free kmalloc-64 big"), -EINVAL);
	ck_assert_int_eq(run("slab/kmem_cache_free_bulk kmalloc-64 small big"),
			 -EINVAL);
	named("small");
	/* By address the kernel is let run into it: a NULL slab, whose fields
	 * it looks for, and then nothing was freed. */
	ck_assert_int_eq(run_with("slab/kmem_cache_free kmalloc-64 %#llx", big),
			 -EFAULT);
	named("big");
}
END_TEST

/* A CPU without a slab takes the NULL for its own. */
START_TEST(pages_on_a_cpu_s_free_list_are_still_allocated)
{
	feed_op("slab/kmalloc 64K name=big");
	ck_assert_int_eq(run_with("slab/kmem_cache_free kmalloc-64 %#llx",
				  named("big")->address),
			 0);
	named("big");
	ck_assert_ptr_eq(
		allocation_at(feed_m,
			      feed_m->slab->kmalloc[0][6]->cpu->freelist),
		named("big"));
}
END_TEST

START_TEST(an_address_is_one_in_decimal_too)
{
	feed_op("slab/kmem_cache_alloc kmalloc-64 name=obj");
	ck_assert_int_eq(run("slab/kfree obj"), -EINVAL);
	ck_assert_int_eq(run_with("slab/kfree %llu", named("obj")->address), 0);
	ck_assert_ptr_null(allocation_find(feed_m, "obj"));
}
END_TEST

START_TEST(no_bytes_are_nothing_to_list)
{
	struct out answer = OUT_INIT;

	ck_assert_int_eq(
		machine_do(feed_m, "slab/kmalloc 0 name=none", &answer, NULL),
		0);
	ck_assert_str_eq(out_text(&answer), "ZERO_SIZE_PTR address=0x10");
	ck_assert_ptr_null(allocation_find(feed_m, "none"));
	feed_op("slab/kfree 0x10");
	feed_op("slab/kfree 0x0");
	out_fini(&answer);
}
END_TEST

START_TEST(many_objects_come_and_go_at_one_go)
{
	char line[64];

	feed_op("slab/kmem_cache_create mine 100");
	feed_op("slab/kmem_cache_alloc_bulk mine 100 name=m");
	ck_assert_uint_eq(allocation_count(feed_m), 100);
	feed_op("slab/kmem_cache_free_bulk mine m.0 m.99 m.7");
	ck_assert_uint_eq(allocation_count(feed_m), 97);
	ck_assert_int_eq(run("slab/kmem_cache_free_bulk mine m.1 m.0"),
			 -ENOENT);
	ck_assert_uint_eq(allocation_count(feed_m), 97);
	ck_assert_int_eq(run("slab/kmem_cache_alloc_bulk mine 3 name=m"),
			 -EEXIST);
	for (unsigned int i = 1; i < 99; i++) {
		g_snprintf(line, sizeof(line), "slab/kmem_cache_free mine m.%u",
			   i);
		if (i != 7)
			feed_op(line);
	}
	feed_op("slab/kmem_cache_destroy mine");
}
END_TEST

START_TEST(a_name_that_is_given_again_has_another_number)
{
	uint32_t id;

	feed_op("slab/kmem_cache_create mine 100");
	feed_op("slab/kmem_cache_create also 100");
	id = cache_id(feed_m, "also");
	ck_assert_ptr_eq(kmem_cache_find(feed_m->slab, "also"),
			 kmem_cache_find(feed_m->slab, "mine"));
	ck_assert_ptr_eq(cache_find(feed_m, ":0000104"),
			 kmem_cache_find(feed_m->slab, "mine"));
	feed_op("slab/kmem_cache_destroy also");
	ck_assert_uint_eq(cache_id(feed_m, "also"), 0);
	feed_op("slab/kmem_cache_create also 100");
	ck_assert_uint_gt(cache_id(feed_m, "also"), id);
}
END_TEST

START_TEST(cpu_partial_is_counted_in_slabs_in_32_bits)
{
	const struct kmem_cache *s = feed_m->slab->kmalloc[0][6];

	feed_op("slab/attribute kmalloc-64 cpu_partial 100");
	ck_assert_uint_eq(s->cpu_partial_slabs, 4); /* 200 / 64, rounded up */
	feed_op("slab/attribute kmalloc-64 cpu_partial 4294967295");
	ck_assert_uint_eq(s->cpu_partial, UINT32_MAX);
	ck_assert_uint_eq(s->cpu_partial_slabs, 0);
}
END_TEST

START_TEST(grace_periods_end_when_time_goes_by)
{
	feed_op("slab/kmem_cache_create r 1000 flags=SLAB_TYPESAFE_BY_RCU");
	feed_op("slab/kmem_cache_alloc r name=x");
	feed_op("slab/kmem_cache_free r x");
	feed_op("slab/kmem_cache_shrink r");
	ck_assert_uint_ne(feed_m->slab->rcu.length, 0);
	feed_op("clock/advance 1s");
	ck_assert_uint_eq(feed_m->slab->rcu.length, 0);
	ck_assert_uint_eq(feed_m->changed_ns, feed_m->now_ns);
}
END_TEST

static void
setup_32_bits(void)
{
	feed_setup_config("[machine]\n"
			  "arch = i386\n"
			  "memory = 64M\n");
}

static void
setup_slob(void)
{
	feed_setup_config("[machine]\n"
			  "arch = x86-64\n"
			  "memory = 64M\n"
			  "[slab]\n"
			  "allocator = slob\n");
}

/* It cannot tell whether objects are left; their pages stay. */
START_TEST(slob_leaves_large_objects_of_a_cache_that_is_gone_to_kfree)
{
	const struct allocation *a;

	feed_op("slab/kmem_cache_create big 5000");
	feed_op("slab/kmem_cache_alloc big name=left");
	feed_op("slab/kmem_cache_destroy big");
	a = allocation_find(feed_m, "left");
	ck_assert_ptr_nonnull(a);
	ck_assert(allocation_owns_pages(feed_m, a));
	feed_verify();
	feed_op("slab/kfree left");
	ck_assert_ptr_null(allocation_find(feed_m, "left"));
	feed_verify();
}
END_TEST

static void
setup_little_room(void)
{
	feed_setup_config("[machine]\n"
			  "arch = x86-64\n"
			  "memory = 64M\n"
			  "ram-limit = 8K\n");
}

START_TEST(a_host_without_room_is_no_reason_to_panic)
{
	ck_assert_int_eq(run("slab/kmem_cache_create x 100 flags=SLAB_PANIC"),
			 -ENOSPC);
	ck_assert_int_eq(run("slab/kmalloc 0"), 0); /* it lives */
}
END_TEST

START_TEST(a_machine_of_32_bits_has_sizes_and_addresses_of_32_bits)
{
	static const char *const lines[] = {
		"slab/kfree 0x100000000", "slab/ksize 4294967296",
		"slab/krealloc 0x1c0000010 10",
		"slab/kmem_cache_free kmalloc-64 0x1c0000000",
		"slab/kmem_cache_free_bulk kmalloc-64 0x1c0000000"};
	char before[DIGEST_TEXT], after[DIGEST_TEXT];

	ck_assert_int_eq(run("slab/kcalloc 65536 65536"), -ENOMEM);
	ck_assert_int_eq(run("slab/kcalloc 65536 65535"), -EINVAL);
	machine_digest(feed_m, before);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		ck_assert_int_eq(run(lines[i]), -EINVAL);
	machine_digest(feed_m, after);
	ck_assert_str_eq(before, after);
}
END_TEST

START_TEST(what_shares_slobs_pages_goes_back_to_a_cache_of_slobs_alone)
{
	static const struct {
		const char *head, *tail;
	} lines[] = {
		{"slab/kmem_cache_free kmalloc-64",	    ""     },
		{"slab/kmem_cache_free_bulk kmalloc-64", ""	   },
		{"slab/kmem_cache_free_bulk classic",    ""	},
		{"slab/kfree",			       ""	 },
		{"slab/krealloc",			  "2000" },
		{"mempool/mempool_free",		 "slabs"},
		{"mempool/mempool_free",		 "sizes"},
	};
	char before[DIGEST_TEXT], after[DIGEST_TEXT];
	va_t small, large;

	feed_op("slab/kmem_cache_create tiny 100 allocator=slob");
	feed_op("slab/kmem_cache_create huge 5000 allocator=slob");
	feed_op("slab/kmem_cache_create classic 100 allocator=slab");
	feed_op("mempool/mempool_create_slab_pool 1 kmalloc-64 name=slabs");
	feed_op("mempool/mempool_create_kmalloc_pool 1 100 name=sizes");
	feed_op("slab/kmem_cache_alloc tiny name=small");
	feed_op("slab/kmem_cache_alloc tiny name=next");
	feed_op("slab/kmem_cache_alloc huge name=large");
	small = named("small")->address;
	large = named("large")->address;
	machine_digest(feed_m, before);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char line[128];

		g_snprintf(line, sizeof(line), "%s %llu %s", lines[i].head,
			   (unsigned long long)small, lines[i].tail);
		ck_assert_msg(run(line) == -EINVAL, "%s", line);
	}
	machine_digest(feed_m, after);
	ck_assert_str_eq(before, after);
	feed_verify();
	/* One that fills its pages has a cache that they name. */
	ck_assert_int_eq(
		run_with("slab/kmem_cache_free kmalloc-64 %llu", large), 0);
	feed_op("slab/kmem_cache_free tiny small");
	feed_verify();
}
END_TEST

START_TEST(ksize_by_address_answers_for_pages_too)
{
	struct out answer = OUT_INIT;
	char line[64];
	va_t at;

	feed_op("page/alloc_pages GFP_KERNEL|__GFP_COMP 2 name=pages");
	at = feed_m->phys->arch->page_offset + (named("pages")->pfn << 12);
	g_snprintf(line, sizeof(line), "slab/ksize %llu",
		   (unsigned long long)at);
	ck_assert_int_eq(machine_do(feed_m, line, &answer, NULL), 0);
	ck_assert_str_eq(out_text(&answer), "16384");
	ck_assert_ptr_null(strstr(out_text(&feed_m->dmesg), "__ksize"));
	ck_assert_int_eq(run_with("slab/ksize %llu", at + 4096), 0);
	ck_assert_ptr_nonnull(strstr(out_text(&feed_m->dmesg),
				     "at mm/slab_common.c:1016 __ksize+"));
	ck_assert_int_eq(run("slab/ksize 0x20"), -EFAULT);
	ck_assert_int_eq(run("slab/ksize pages"), -EINVAL);
	out_fini(&answer);
}
END_TEST

/* Laws are broken when laws were broken. */
static void
forget_machine(void)
{
	machine_free(feed_m);
}

START_TEST(an_attribute_takes_what_kstrtouint_takes)
{
	static const char *const bad[] = {"0x10", "1K", "5 6", "-1", "+", ""};
	struct kmem_cache *s = kmem_cache_find(feed_m->slab, "kmalloc-64");
	char line[64];

	feed_op("slab/attribute kmalloc-64 min_partial +7");
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_snprintf(line, sizeof(line),
			   "slab/attribute kmalloc-64 min_partial %s", bad[i]);
		ck_assert_int_eq(run(line), -EINVAL);
	}
	ck_assert_uint_eq(s->min_partial, 7);
	feed_op("slab/attribute kmalloc-64 min_partial 010");
	ck_assert_uint_eq(s->min_partial, 10);
}
END_TEST

START_TEST(a_request_for_pages_that_fails_is_told_of_with_its_task)
{
	static const char message[] =
		" greedy: page allocation failure: order:10, "
		"mode:0x1(GFP_DMA), nodemask=(null)\n";
	int err;

	feed_op("task/fork name=greedy");
	feed_op("fault/attribute fail_page_alloc times -1");
	feed_op("fault/attribute fail_page_alloc probability 100");
	ck_assert_int_eq(run("page/alloc_pages GFP_DMA 10 task=greedy"),
			 -ENOMEM);
	ck_assert_ptr_null(strstr(out_text(&feed_m->dmesg), "failure: order"));
	feed_op("fault/attribute fail_page_alloc probability 0");
	while (!(err = run("page/alloc_pages GFP_DMA 10 task=greedy")))
		;
	ck_assert_int_eq(err, -ENOMEM);
	ck_assert_ptr_nonnull(strstr(out_text(&feed_m->dmesg), message));
}
END_TEST

Suite *
suite_ops_slab(void)
{
	Suite *suite = suite_create("ops_slab");
	TCase *tc = tcase_create("ops_slab");

	tcase_add_checked_fixture(tc, feed_setup, feed_teardown);
	tcase_add_test(tc,
		       a_request_for_pages_that_fails_is_told_of_with_its_task);
	tcase_add_test(
		tc,
		what_shares_slobs_pages_goes_back_to_a_cache_of_slobs_alone);
	tcase_add_test(tc, ksize_by_address_answers_for_pages_too);
	tcase_add_test(tc, an_attribute_takes_what_kstrtouint_takes);
	tcase_add_test(tc, an_object_lies_in_its_cache_and_names_what_frees_it);
	tcase_add_test(tc, a_refused_cache_leaves_nothing_behind);
	tcase_add_test(
		tc, an_address_of_an_object_of_ours_is_ours_no_more_when_freed);
	tcase_add_test(tc,
		       kfree_of_pages_that_it_would_free_a_part_of_is_refused);
	tcase_add_test(tc, krealloc_moves_what_has_a_made_up_name_too);
	tcase_add_test(
		tc, krealloc_of_an_address_within_a_block_frees_the_allocation);
	tcase_add_test(tc, what_has_pages_of_its_own_is_no_object_of_a_cache);
	tcase_add_test(tc, an_address_is_one_in_decimal_too);
	tcase_add_test(tc, no_bytes_are_nothing_to_list);
	tcase_add_test(tc, many_objects_come_and_go_at_one_go);
	tcase_add_test(tc, a_name_that_is_given_again_has_another_number);
	tcase_add_test(tc, cpu_partial_is_counted_in_slabs_in_32_bits);
	tcase_add_test(tc, grace_periods_end_when_time_goes_by);
	suite_add_tcase(suite, tc);
	tc = tcase_create("ops_slab 32 bits");
	tcase_add_checked_fixture(tc, setup_32_bits, feed_teardown);
	tcase_add_test(tc,
		       a_machine_of_32_bits_has_sizes_and_addresses_of_32_bits);
	suite_add_tcase(suite, tc);
	tc = tcase_create("ops_slab slob");
	tcase_add_checked_fixture(tc, setup_slob, feed_teardown);
	tcase_add_test(
		tc, slob_leaves_large_objects_of_a_cache_that_is_gone_to_kfree);
	suite_add_tcase(suite, tc);
	tc = tcase_create("ops_slab little room");
	tcase_add_checked_fixture(tc, setup_little_room, feed_teardown);
	tcase_add_test(tc, a_host_without_room_is_no_reason_to_panic);
	suite_add_tcase(suite, tc);
	tc = tcase_create("ops_slab crimes");
	tcase_add_checked_fixture(tc, feed_setup, forget_machine);
	tcase_add_test(
		tc, kfree_of_a_compound_block_s_address_frees_the_allocation);
	tcase_add_test(tc, pages_on_a_cpu_s_free_list_are_still_allocated);
	suite_add_tcase(suite, tc);
	return suite;
}
