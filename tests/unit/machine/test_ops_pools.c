// SPDX-License-Identifier: MIT
/*
 * test_ops_pools.c - ops on mempools, per-CPU memory, boot memory
 *
 * After each test all laws hold, and the journal leads to the same machine.
 */
#include "kmemfs/machine/op.h"

#include "unit/machine/replay_feed.h"

#include <check.h>
#include <errno.h>
#include <string.h>

Suite *suite_ops_pools(void);

static int
run(const char *line)
{
	return machine_do(feed_m, line, NULL, NULL);
}

static void
fail_objects(void)
{
	feed_op("fault/attribute failslab ignore-gfp-wait N");
	feed_op("fault/attribute failslab verbose 0");
	feed_op("fault/attribute failslab times -1");
	feed_op("fault/attribute failslab probability 100");
}

START_TEST(an_element_names_the_pool_that_it_goes_back_to)
{
	struct out free = OUT_INIT;

	feed_op("mempool/mempool_create_page_pool 2 1 name=pages");
	feed_op("mempool/mempool_create_kmalloc_pool 2 20K name=large");
	feed_op("mempool/mempool_alloc pages name=p");
	feed_op("mempool/mempool_alloc large name=l");
	allocation_free_words(feed_m, allocation_find(feed_m, "p"), &free);
	ck_assert_str_eq(out_text(&free), "mempool/mempool_free pool=pages");
	out_fini(&free);
	ck_assert_int_eq(run("mempool/mempool_free l pages"), -EINVAL);
	ck_assert_int_eq(run("slab/kfree l"), -EINVAL);
	feed_op("mempool/mempool_free pool=pages p");
	ck_assert_ptr_null(allocation_find(feed_m, "p"));
}
END_TEST

START_TEST(who_sleeps_gets_the_element_that_is_given_back)
{
	struct mempool *pool;

	feed_op("mempool/mempool_create_kmalloc_pool 1 100 name=pool");
	pool = mempool_find(feed_m->mempools, "pool");
	fail_objects();
	feed_op("mempool/mempool_alloc pool name=one");
	ck_assert_int_eq(run("mempool/mempool_alloc pool name=two"), -EAGAIN);
	ck_assert_int_eq(run("mempool/mempool_alloc pool name=three"), -EAGAIN);
	ck_assert_uint_eq(pool->waiters.length, 2);
	ck_assert_int_eq(run("mempool/mempool_alloc pool GFP_ATOMIC"), -ENOMEM);
	feed_op("mempool/mempool_free one pool");
	ck_assert_ptr_nonnull(allocation_find(feed_m, "two"));
	ck_assert_ptr_null(allocation_find(feed_m, "three"));
	ck_assert_uint_eq(pool->waiters.length, 1);
}
END_TEST

START_TEST(who_sleeps_tries_again_after_five_seconds_however_time_passes)
{
	feed_op("mempool/mempool_create_kmalloc_pool 1 100 name=pool");
	fail_objects();
	feed_op("mempool/mempool_alloc pool name=one");
	ck_assert_int_eq(run("mempool/mempool_alloc pool name=two"), -EAGAIN);
	/* The journal takes these three together. */
	feed_op("clock/advance 6s");
	feed_op("clock/advance 7s");
	feed_op("clock/advance 30h");
	ck_assert_ptr_null(allocation_find(feed_m, "two"));
	feed_op("fault/attribute failslab probability 0");
	feed_op("mempool/mempool_free one pool");
	ck_assert_ptr_nonnull(allocation_find(feed_m, "two"));
}
END_TEST

START_TEST(a_sleeper_whose_name_was_taken_gets_another)
{
	feed_op("mempool/mempool_create_kmalloc_pool 1 100 name=pool");
	fail_objects();
	feed_op("mempool/mempool_alloc pool name=one");
	ck_assert_int_eq(run("mempool/mempool_alloc pool name=two"), -EAGAIN);
	feed_op("page/alloc_page name=two");
	feed_op("fault/attribute failslab probability 0");
	feed_op("clock/advance 5s");
	ck_assert_uint_eq(allocation_count(feed_m), 3);
	ck_assert_uint_eq(feed_m->mempools->waiting, 0);
}
END_TEST

START_TEST(destroying_a_pool_leaves_what_is_out_to_its_users)
{
	struct mempool *pool;

	feed_op("slab/kmem_cache_create req 120");
	feed_op("mempool/mempool_create_slab_pool 2 req name=pool");
	pool = mempool_find(feed_m->mempools, "pool");
	ck_assert_int_eq(run("slab/kmem_cache_destroy req"), -EBUSY);
	feed_op("mempool/mempool_alloc pool name=left");
	ck_assert_uint_eq(pool->curr_nr, 2);
	feed_op("mempool/mempool_destroy pool");
	ck_assert_str_eq(allocation_find(feed_m, "left")->free,
			 "slab/kmem_cache_free");
	feed_op("slab/kmem_cache_free req left");
	feed_op("slab/kmem_cache_destroy req");
}
END_TEST

START_TEST(a_pool_whose_cache_is_gone_refuses_but_can_be_destroyed)
{
	feed_op("slab/kmem_cache_create req 120 usersize=1");
	feed_op("mempool/mempool_create_slab_pool 0 req name=pool");
	feed_op("slab/kmem_cache_destroy req");
	ck_assert_int_eq(run("mempool/mempool_alloc pool"), -EFAULT);
	ck_assert_int_eq(run("mempool/mempool_resize pool 4"), -EFAULT);
	feed_op("mempool/mempool_destroy pool");
}
END_TEST

/* --- per-CPU data --------------------------------------------------------- */

static uint64_t
sum(const char *name)
{
	const struct percpu *pc = feed_m->percpu;
	const struct percpu_variable *v = percpu_find(pc, name);
	uint64_t total = 0;

	for (unsigned int cpu = 0; cpu < pc->nr_cpus; cpu++)
		total += percpu_value(pc, v, cpu);
	return total;
}

START_TEST(an_update_that_is_moved_in_between_is_lost)
{
	feed_op("percpu/alloc_percpu 8 name=counter");
	feed_op("percpu/this_cpu_ptr counter A");
	feed_op("percpu/load A");
	feed_op("percpu/migrate A 1");
	feed_op("percpu/this_cpu_ptr counter B");
	feed_op("percpu/load B");
	feed_op("percpu/add 1 B");
	feed_op("percpu/store B");
	feed_op("percpu/add 1 A");
	feed_op("percpu/store A");
	ck_assert_uint_eq(sum("counter"), 1);
	ck_assert_ptr_nonnull(
		strstr(out_text(&feed_m->dmesg),
		       "BUG: using smp_processor_id() in preemptible "
		       "[00000000] code: A/100"));
}
END_TEST

START_TEST(between_get_and_put_nothing_is_lost)
{
	feed_op("percpu/alloc_percpu 8 name=counter");
	feed_op("percpu/get_cpu_ptr counter A");
	feed_op("percpu/load A");
	ck_assert_int_eq(run("percpu/migrate A 1"), -EBUSY);
	ck_assert_int_eq(run("percpu/get_cpu_ptr counter B"), -EBUSY);
	feed_op("percpu/add 1 A");
	feed_op("percpu/store A");
	feed_op("percpu/put_cpu_ptr counter A");
	feed_op("percpu/get_cpu_ptr counter B");
	feed_op("percpu/load B");
	feed_op("percpu/add 1 B");
	feed_op("percpu/store B");
	feed_op("percpu/put_cpu_ptr counter B");
	feed_op("percpu/migrate A 1");
	feed_op("percpu/this_cpu_add counter 1 A");
	ck_assert_uint_eq(sum("counter"), 3);
	ck_assert_ptr_null(strstr(out_text(&feed_m->dmesg), "BUG"));
}
END_TEST

START_TEST(sleeping_between_get_and_put_is_reported)
{
	feed_op("percpu/get_cpu init");
	feed_op("percpu/schedule init");
	ck_assert_ptr_nonnull(strstr(out_text(&feed_m->dmesg),
				     "BUG: scheduling while atomic: "
				     "init/1/0x00000002"));
	ck_assert_int_eq(run("percpu/put_cpu init"), -EINVAL);
}
END_TEST

START_TEST(a_pointer_to_what_was_freed_is_no_pointer)
{
	feed_op("percpu/alloc_percpu 8 name=counter");
	feed_op("percpu/this_cpu_ptr counter");
	feed_op("percpu/load");
	feed_op("percpu/free_percpu counter");
	feed_op("percpu/alloc_percpu 8 name=counter");
	ck_assert_int_eq(run("percpu/store"), -EFAULT);
}
END_TEST

/* --- the boot's memory -----------------------------------------------------
 */

static void
setup_boot(void)
{
	feed_setup_config("[machine]\narch = x86-64\nmemory = 128M\ncpus = 2\n"
			  "[bootmem]\nbuffer = alloc_bootmem_pages 32M\n"
			  "[percpu]\nhits = 8\nlarge = 5000 64\n");
}

START_TEST(what_the_machine_file_asks_for_is_there_from_boot)
{
	ck_assert_int_eq(run("bytes/write bootmem/buffer 0 hello"), 0);
	ck_assert_int_eq(run("bytes/write bootmem/other 0 hello"), -ENOENT);
	ck_assert_int_eq(run("bootmem/alloc_bootmem 32M"), -ENOMEM);
	feed_op("bootmem/alloc_bootmem 32K name=late");
	feed_op("slab/kfree late");
	feed_op("bootmem/free_bootmem buffer");
	ck_assert_int_eq(run("bootmem/free_bootmem buffer"), -ENOENT);
	ck_assert_int_eq(run("bytes/write bootmem/buffer 0 hello"), -ENOENT);
	feed_op("page/alloc_pages GFP_KERNEL 10");
}
END_TEST

START_TEST(static_variables_take_a_frame_when_they_are_written)
{
	struct percpu *pc = feed_m->percpu;

	ck_assert_uint_eq(percpu_frames(pc), 0);
	feed_op("percpu/write hits 1 0 hex:0700");
	ck_assert_uint_eq(percpu_frames(pc), 1);
	ck_assert_uint_eq(sum("hits"), 7);
	ck_assert_int_eq(run("percpu/free_percpu hits"), -EINVAL);
	ck_assert_uint_eq(percpu_address(pc, percpu_find(pc, "large"), 1) % 64,
			  0);
}
END_TEST

START_TEST(a_reserve_keeps_its_pages_when_slob_lets_their_cache_go)
{
	uint64_t unused;

	feed_op("slab/kmem_cache_create wide 7463 allocator=slob");
	feed_op("mempool/mempool_create_slab_pool 3 wide name=pool");
	feed_op("mempool/mempool_alloc pool name=out");
	feed_op("slab/kmem_cache_destroy wide");
	feed_verify();
	unused = feed_unused_pages();
	/* The cache is gone: nobody can free them, as in the kernel. */
	ck_assert_int_eq(run("mempool/mempool_destroy pool"), -EFAULT);
	ck_assert_uint_le(feed_unused_pages(), unused + 2);
	feed_verify();
	feed_op("slab/kfree out");
	feed_verify();
}
END_TEST

Suite *
suite_ops_pools(void)
{
	Suite *s = suite_create("ops_pools");
	TCase *c = tcase_create("mempool"), *p = tcase_create("percpu"),
	      *b = tcase_create("boot");

	tcase_add_checked_fixture(c, feed_setup, feed_teardown);
	tcase_add_test(c, an_element_names_the_pool_that_it_goes_back_to);
	tcase_add_test(c,
		       a_reserve_keeps_its_pages_when_slob_lets_their_cache_go);
	tcase_add_test(c, who_sleeps_gets_the_element_that_is_given_back);
	tcase_add_test(
		c,
		who_sleeps_tries_again_after_five_seconds_however_time_passes);
	tcase_add_test(c, a_sleeper_whose_name_was_taken_gets_another);
	tcase_add_test(c, destroying_a_pool_leaves_what_is_out_to_its_users);
	tcase_add_test(c,
		       a_pool_whose_cache_is_gone_refuses_but_can_be_destroyed);
	suite_add_tcase(s, c);
	tcase_add_checked_fixture(p, feed_setup, feed_teardown);
	tcase_add_test(p, an_update_that_is_moved_in_between_is_lost);
	tcase_add_test(p, between_get_and_put_nothing_is_lost);
	tcase_add_test(p, sleeping_between_get_and_put_is_reported);
	tcase_add_test(p, a_pointer_to_what_was_freed_is_no_pointer);
	suite_add_tcase(s, p);
	tcase_add_checked_fixture(b, setup_boot, feed_teardown);
	tcase_add_test(b, what_the_machine_file_asks_for_is_there_from_boot);
	tcase_add_test(b, static_variables_take_a_frame_when_they_are_written);
	suite_add_tcase(s, b);
	return s;
}
