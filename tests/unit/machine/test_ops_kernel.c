// SPDX-License-Identifier: MIT
/*
 * test_ops_kernel.c - ops on the kernel's mappings
 *
 * After each test all laws hold, and the journal leads to the same machine.
 */
#include "kmemfs/machine/op.h"

#include "unit/machine/replay_feed.h"

#include <check.h>
#include <errno.h>
#include <string.h>

Suite *suite_ops_kernel(void);

static int
run(const char *line)
{
	return machine_do(feed_m, line, NULL, NULL);
}

static va_t
address(const char *name)
{
	const struct allocation *a = allocation_find(feed_m, name);

	ck_assert_ptr_nonnull(a);
	return a->address;
}

static bool
said(const char *text)
{
	return strstr(out_text(&feed_m->dmesg), text);
}

/* The op's answer, to be freed. */
static char *
ask(const char *line)
{
	struct out answer = OUT_INIT;
	char *text;

	ck_assert_int_eq(machine_do(feed_m, line, &answer, NULL), 0);
	text = g_strdup(out_text(&answer));
	out_fini(&answer);
	return text;
}

START_TEST(what_is_vmalloced_is_an_allocation_until_it_is_freed)
{
	struct out free = OUT_INIT;

	feed_op("vm/vmalloc 5000 name=v");
	feed_op("bytes/write allocations/v 4094 hex:01020304");
	allocation_free_words(feed_m, allocation_find(feed_m, "v"), &free);
	ck_assert_str_eq(out_text(&free), "vm/vfree");
	out_fini(&free);
	ck_assert_int_eq(run("bytes/write allocations/v 4999 hex:0102"),
			 -EFBIG);
	ck_assert_int_eq(run("vm/vmalloc 4K name=v"), -EEXIST);
	feed_op("vm/vfree v");
	ck_assert_ptr_null(allocation_find(feed_m, "v"));
	ck_assert_int_eq(run("vm/vfree v"), -ENOENT);
}
END_TEST

START_TEST(freeing_by_address_ends_the_allocation_too)
{
	char line[64];

	feed_op("vm/vmalloc 4K name=v");
	g_snprintf(line, sizeof(line), "vm/vfree %#llx",
		   (unsigned long long)address("v"));
	feed_op(line);
	ck_assert_ptr_null(allocation_find(feed_m, "v"));
	feed_op("vm/ioremap 0xfed00004 16 name=d");
	ck_assert_uint_eq(address("d") & 0xfff, 4);
	g_snprintf(line, sizeof(line), "vm/iounmap %#llx",
		   (unsigned long long)(address("d") & ~0xfffULL));
	feed_op(line);
	ck_assert_ptr_null(allocation_find(feed_m, "d"));
}
END_TEST

START_TEST(one_set_of_bytes_shows_at_all_its_addresses)
{
	uint8_t bytes[4];

	feed_op("page/alloc_pages GFP_KERNEL 1 name=p");
	feed_op("vm/vmap p name=m");
	feed_op("vm/vm_map_ram p name=r");
	feed_op("bytes/write allocations/m 4097 hex:0a0b0c0d");
	ck_assert_uint_eq(
		kernel_read(feed_m->vm, address("r") + 4097, bytes, 4), 4);
	ck_assert_mem_eq(bytes, "\x0a\x0b\x0c\x0d", 4);
	ram_read(feed_m->ram, (allocation_find(feed_m, "p")->pfn << 12) + 4097,
		 bytes, 4);
	ck_assert_mem_eq(bytes, "\x0a\x0b\x0c\x0d", 4);
	feed_op("vm/vm_unmap_ram r");
	feed_op("vm/vunmap m");
	ck_assert_ptr_null(allocation_find(feed_m, "m"));
}
END_TEST

START_TEST(pages_are_named_by_ranges_and_lists)
{
	feed_op("page/alloc_pages GFP_KERNEL 0 name=p");
	feed_op("vm/vmap p,4096-4098,4096 name=m");
	ck_assert_uint_eq(allocation_find(feed_m, "m")->nr_pages, 5);
	ck_assert_int_eq(run("vm/vmap 4098-4096"), -EINVAL);
	ck_assert_int_eq(run("vm/vmap p,,p"), -ENOENT);
	ck_assert_int_eq(run("vm/vmap 0-99999999"), -EINVAL);
}
END_TEST

START_TEST(an_interrupt_that_vmallocs_is_the_end)
{
	ck_assert_int_eq(run("vm/vmalloc 4K context=irq"), -EFAULT);
	ck_assert(said("BUG: sleeping function called from invalid context"));
	ck_assert(said("kernel BUG at mm/vmalloc.c"));
	ck_assert_int_eq(feed_m->state, MACHINE_PANIC);
}
END_TEST

START_TEST(stacks_in_use_are_not_given_away)
{
	char line[64];

	feed_op("task/fork name=sh");
	g_snprintf(
		line, sizeof(line), "vm/vfree %#llx",
		(unsigned long long)task_named(feed_m->vm, "sh")->kernel_stack);
	ck_assert_int_eq(run(line), -EBUSY);
	feed_op("vm/use_stack sh 4000");
	feed_op("task/exit sh");
}
END_TEST

START_TEST(a_stack_that_runs_over_is_the_end)
{
	feed_op("task/fork name=sh");
	ck_assert_int_eq(run("vm/use_stack sh 16400"), -EFAULT);
	ck_assert(said("BUG: TASK stack guard page was hit at "));
	ck_assert(said("Kernel panic - not syncing: Fatal exception in "
		       "interrupt"));
	ck_assert_int_eq(feed_m->state, MACHINE_PANIC);
}
END_TEST

START_TEST(the_kernel_touches_its_memory_through_the_tlb)
{
	char *table, *block;

	feed_op("vm/vmalloc 256K name=v");
	table = ask("vm/kernel_touch v size=256K");
	block = ask("vm/kernel_touch 0xffff888002000000 size=256K");
	ck_assert(strstr(table, "walks=64"));
	ck_assert(strstr(block, "l1=63"));
	g_free(table);
	g_free(block);
	ck_assert_int_eq(run("vm/kernel_touch 0xffffc90010000000 write"),
			 -EFAULT);
	ck_assert(said("BUG: unable to handle page fault for address: "
		       "ffffc90010000000"));
}
END_TEST

START_TEST(addresses_of_all_kinds_are_told_apart)
{
	static const struct {
		const char *line, *kind;
	} rows[] = {
		{"vm/classify obj",		    "kernel-logical"},
		{"vm/classify v",		  "kernel-virtual"},
		{"vm/classify heap task=sh",	     "user-virtual"  },
		{"vm/classify 0x1000000 physical", "physical"	     },
		{"vm/classify 0x1000000 bus",      "bus"	   },
		{"vm/classify 0x800000000000",     "none"	     },
	};

	feed_op("slab/kmalloc 100 name=obj");
	feed_op("vm/vmalloc 4K name=v");
	feed_op("task/fork name=sh");
	feed_op("vm/mmap sh 64K name=heap");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *answer = ask(rows[i].line);
		char *kind = g_strdup_printf("kind=%s ", rows[i].kind);

		ck_assert_msg(g_str_has_prefix(answer, kind), "%s", answer);
		g_free(kind);
		g_free(answer);
	}
}
END_TEST

START_TEST(the_kernel_image_has_physical_addresses_and_modules_have_none)
{
	char *image = ask("page/__pa 0xffffffff81000000");
	char *direct = ask("page/__pa 0xffff888001000000");

	ck_assert_str_eq(image, "0x1000000");
	ck_assert_str_eq(direct, "0x1000000");
	ck_assert_int_eq(run("page/__pa 0xffffffffa0000000"), -EINVAL);
	ck_assert_int_eq(run("page/__pa 0xffffffff7fffffff"), -EINVAL);
	g_free(image);
	g_free(direct);
}
END_TEST

START_TEST(percpu_memory_and_vmalloc_never_meet)
{
	const struct percpu_variable *v;
	char line[64];

	feed_op("percpu/alloc_percpu 64 name=hits");
	feed_op("percpu/write hits 0 0 hex:7f");
	v = percpu_find(feed_m->percpu, "hits");
	feed_op("vm/vmalloc 4K name=v");
	ck_assert_uint_gt(address("v"), percpu_address(feed_m->percpu, v, 1));
	g_snprintf(line, sizeof(line), "vm/kernel_touch %#llx",
		   (unsigned long long)percpu_address(feed_m->percpu, v, 0));
	feed_op(line);
	feed_op("percpu/free_percpu hits");
}
END_TEST

/* --- memory that mem= keeps back ------------------------------------------ */

static void
setup_hidden(void)
{
	feed_setup_config("[machine]\narch = x86-64\nmemory = 256M\n"
			  "cmdline = mem=255M\n");
}

START_TEST(memory_kept_back_is_reached_by_ioremap_alone)
{
	uint8_t bytes[5] = {0};

	ck_assert_int_eq(run("vm/ioremap 0x8000000 4K"), -EBUSY);
	ck_assert(said("ioremap on RAM at 0x0000000008000000 - "
		       "0x0000000008000fff"));
	feed_op("vm/ioremap 0xff00000 1M name=a");
	feed_op("vm/ioremap 0xff00000 1M name=b");
	ck_assert_uint_ne(address("a"), address("b"));
	feed_op("bytes/write allocations/a 0x7fffd hello");
	ck_assert_uint_eq(
		kernel_read(feed_m->vm, address("b") + 0x7fffd, bytes, 5), 5);
	ck_assert_mem_eq(bytes, "hello", 5);
	ram_read(feed_m->ram, 0xff7fffd, bytes, 5);
	ck_assert_mem_eq(bytes, "hello", 5);
}
END_TEST

/* --- high memory ---------------------------------------------------------- */

static void
setup_high(void)
{
	feed_setup_config("[machine]\narch = i386-pae\nmemory = 1500M\n"
			  "cpus = 2\n");
}

START_TEST(a_high_page_has_an_address_while_it_is_mapped)
{
	char *answer;

	feed_op("page/alloc_pages GFP_HIGHUSER name=p");
	answer = ask("vm/kmap p");
	ck_assert_str_eq(answer, "address=0xff001000 slot=1 count=2");
	g_free(answer);
	feed_op("vm/kunmap p");
	ck_assert_int_eq(run("vm/kunmap p"), -EINVAL);
	feed_op("vm/kmap_local_page p cpu=1");
	ck_assert_int_eq(run("vm/kunmap_local 0xff001000 cpu=1"), -EINVAL);
	feed_op("vm/kmap_atomic p cpu=1");
}
END_TEST

Suite *
suite_ops_kernel(void)
{
	Suite *s = suite_create("ops_kernel");
	TCase *c = tcase_create("usual"), *h = tcase_create("hidden"),
	      *i = tcase_create("high");

	tcase_add_checked_fixture(c, feed_setup, feed_teardown);
	tcase_add_test(c, what_is_vmalloced_is_an_allocation_until_it_is_freed);
	tcase_add_test(c, freeing_by_address_ends_the_allocation_too);
	tcase_add_test(c, one_set_of_bytes_shows_at_all_its_addresses);
	tcase_add_test(c, pages_are_named_by_ranges_and_lists);
	tcase_add_test(c, an_interrupt_that_vmallocs_is_the_end);
	tcase_add_test(c, stacks_in_use_are_not_given_away);
	tcase_add_test(c, a_stack_that_runs_over_is_the_end);
	tcase_add_test(c, the_kernel_touches_its_memory_through_the_tlb);
	tcase_add_test(c, addresses_of_all_kinds_are_told_apart);
	tcase_add_test(
		c,
		the_kernel_image_has_physical_addresses_and_modules_have_none);
	tcase_add_test(c, percpu_memory_and_vmalloc_never_meet);
	suite_add_tcase(s, c);
	tcase_add_checked_fixture(h, setup_hidden, feed_teardown);
	tcase_add_test(h, memory_kept_back_is_reached_by_ioremap_alone);
	suite_add_tcase(s, h);
	tcase_add_checked_fixture(i, setup_high, feed_teardown);
	tcase_add_test(i, a_high_page_has_an_address_while_it_is_mapped);
	suite_add_tcase(s, i);
	return s;
}
