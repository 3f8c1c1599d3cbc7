// SPDX-License-Identifier: MIT
/*
 * test_ops_mmu.c - ops on the processor by itself, and the labs about it
 *
 * After each test all laws hold, and the journal leads to the same machine.
 */
#include "kmemfs/machine/lab_mmu.h"
#include "kmemfs/machine/op.h"
#include "kmemfs/vm/cpu.h"

#include "unit/machine/replay_feed.h"

#include <check.h>
#include <errno.h>
#include <string.h>

Suite *suite_ops_mmu(void);

/* One page at 0x400000, for anyone to write. */
static void
make_tables(void)
{
	feed_op("bytes/write ram 0x3000000 hex:0710000300000000");
	feed_op("bytes/write ram 0x3001000 hex:0720000300000000");
	feed_op("bytes/write ram 0x3002010 hex:0730000300000000");
	feed_op("bytes/write ram 0x3003000 hex:0750000300000000");
	feed_op("mmu/load_cr3 0x3000000");
}

static void
answers(const char *line, const char *wanted)
{
	struct out answer = OUT_INIT;

	ck_assert_int_eq(machine_do(feed_m, line, &answer, NULL), 0);
	ck_assert_msg(g_str_has_prefix(out_text(&answer), wanted),
		      "%s: %s, wanted %s", line, out_text(&answer), wanted);
	out_fini(&answer);
}

START_TEST(a_walk_tells_each_step_and_changes_nothing)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];

	make_tables();
	machine_digest(feed_m, before);
	answers("mmu/walk 0x400010 write",
		"outcome=ok pa=0x3005010 page=4096 rights=rwx us=1 "
		"PML4E=0x3001007@0x3000000 PDPTE=0x3002007@0x3001000 "
		"PDE=0x3003007@0x3002010 PTE=0x3005007@0x3003000");
	answers("mmu/walk 0x401000 fetch user=no",
		"outcome=page-fault error_code=0x10 PML4E=");
	answers("mmu/walk 0x8000000000000000", "outcome=general-protection");
	machine_digest(feed_m, after);
	ck_assert_str_eq(before, after);
}
END_TEST

START_TEST(an_access_sets_bits_and_fills_the_tlb)
{
	make_tables();
	feed_op("bytes/write ram 0x3005010 hex:5a");
	answers("mmu/access 0x400010 write",
		"outcome=ok pa=0x3005010 tlb=miss cycles=");
	answers("mmu/access 0x400010", "outcome=ok pa=0x3005010 tlb=l1 "
				       "cycles=4 byte=0x5a");
	ck_assert_uint_eq(ram_load(feed_m->ram, 0x3003000, 8),
			  0x3005007 | PTE_A | PTE_D);
	ck_assert_uint_eq(ram_load(feed_m->ram, 0x3000000, 8),
			  0x3001007 | PTE_A);
	answers("mmu/access 0x401000", "outcome=page-fault error_code=0x4");
	ck_assert_uint_eq(feed_m->vm->cpu[0].cr2, 0x401000);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
	ck_assert_int_eq(machine_do(feed_m, "mmu/load_bounds 0 1", NULL, NULL),
			 -EINVAL);
	ck_assert_int_eq(machine_do(feed_m, "mmu/flush some", NULL, NULL),
			 -EINVAL);
	ck_assert_int_eq(machine_do(feed_m, "mmu/write_cr wx 1", NULL, NULL),
			 -EINVAL);
	ck_assert_int_eq(machine_do(feed_m, "mmu/access 0 jump", NULL, NULL),
			 -EINVAL);
	ck_assert_int_eq(
		machine_do(feed_m, "mmu/load_cr3 1 cpu=99", NULL, NULL),
		-EINVAL);
	ck_assert_int_eq(machine_do(feed_m, "cpu/mode user cpu=1", NULL, NULL),
			 -EINVAL);
	ck_assert_int_eq(machine_do(feed_m, "labs/meltdown nosuch", NULL, NULL),
			 -ENOENT);
}
END_TEST

START_TEST(a_privileged_instruction_runs_in_kernel_mode_only)
{
	answers("cpu/privileged hlt", "instruction=hlt mode=kernel");
	feed_op("task/fork name=sh");
	feed_op("task/run sh");
	ck_assert(feed_m->vm->cpu[0].user);
	ck_assert_int_eq(machine_do(feed_m, "cpu/privileged hlt", NULL, NULL),
			 -EPERM);
	ck_assert_ptr_null(task_named(feed_m->vm, "sh"));
	ck_assert_ptr_nonnull(strstr(out_text(&feed_m->dmesg),
				     "general protection fault ip:"));
	answers("cpu/privileged hlt", "instruction=hlt mode=kernel");
}
END_TEST

START_TEST(a_lab_recovers_each_byte_that_is_there)
{
	static const uint8_t bytes[] = {0x00, 0x4b, 0xff};

	feed_op("page/get_zeroed_page name=secret");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		char line[64];

		g_snprintf(line, sizeof(line),
			   "bytes/write allocations/secret 0 hex:%02x",
			   bytes[i]);
		feed_op(line);
		g_snprintf(line, sizeof(line),
			   "byte=0x%02x stored=0x%02x error_code=0x5", bytes[i],
			   bytes[i]);
		answers("labs/meltdown secret", line);
		ck_assert_int_eq(feed_m->meltdown_lab->byte, bytes[i]);
		ck_assert(feed_m->meltdown_lab->faulted);
		ck_assert_uint_eq(feed_m->meltdown_lab->error_code,
				  PF_PROT | PF_USER);
	}
	/* The attacker lives, and its probe is gone. */
	ck_assert_ptr_nonnull(feed_m->vm->cpu[0].current);
	ck_assert_uint_le(mm_rss(feed_m->vm->cpu[0].current->mm), 8);
}
END_TEST

START_TEST(small_pages_thrash_the_tlb_where_large_ones_do_not)
{
	const struct cost_row *large, *small, *near, *apart;

	feed_op("labs/costs");
	large = cost_lab_row(feed_m->cost_lab, "kmalloc");
	small = cost_lab_row(feed_m->cost_lab, "vmalloc");
	ck_assert_uint_eq(large->operations, small->operations);
	ck_assert_uint_eq(small->misses, small->operations);
	ck_assert_uint_lt(large->misses, 10);
	ck_assert_uint_gt(small->cycles, large->cycles);
	near = cost_lab_row(feed_m->cost_lab, "system_call_shared");
	apart = cost_lab_row(feed_m->cost_lab, "system_call_separate");
	ck_assert_uint_eq(near->misses, 0);
	ck_assert_uint_gt(apart->cycles, 2 * near->cycles);
}
END_TEST

Suite *
suite_ops_mmu(void)
{
	Suite *suite = suite_create("ops_mmu");
	TCase *tc = tcase_create("ops_mmu");

	tcase_add_checked_fixture(tc, feed_setup, feed_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_walk_tells_each_step_and_changes_nothing);
	tcase_add_test(tc, an_access_sets_bits_and_fills_the_tlb);
	tcase_add_test(tc, what_cannot_be_is_refused);
	tcase_add_test(tc, a_privileged_instruction_runs_in_kernel_mode_only);
	tcase_add_test(tc, a_lab_recovers_each_byte_that_is_there);
	tcase_add_test(tc, small_pages_thrash_the_tlb_where_large_ones_do_not);
	suite_add_tcase(suite, tc);
	return suite;
}
