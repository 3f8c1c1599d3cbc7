// SPDX-License-Identifier: MIT
/* test_kernel_kmap.c - kmap's slots, temporary mappings, devices, fixed slots
 */
#include "kerneled.h"

Suite *suite_kernel_kmap(void);

#define P VM_PAGE

static const struct kerneled_kind highs[] = {
	{.arch = "i386",	 .memory = "2G"},
	{.arch = "i386-pae", .memory = "2G"},
};

static va_t
kmap_of(struct kerneled *m, pfn_t pfn)
{
	va_t at = 0;

	ck_assert_int_eq(kernel_kmap(m->vm, 0, m->init, pfn, &at), 0);
	return at;
}

static pfn_t
kunmap_of(struct kerneled *m, pfn_t pfn)
{
	pfn_t woken;

	ck_assert_int_eq(kernel_kunmap(m->vm, 0, pfn, &woken), 0);
	return woken;
}

START_TEST(a_low_page_takes_no_slot)
{
	struct kerneled *m = kerneled_new(&highs[_i]);
	pfn_t pfn = page_of(m, GFP_KERNEL);

	ck_assert_uint_eq(kmap_of(m, pfn), 0xc0000000 + pfn * P);
	ck_assert_uint_eq(kunmap_of(m, pfn), PFN_NONE);
	ck_assert_uint_eq(m->k->last_pkmap, 0);
	kerneled_free(m);
}
END_TEST

START_TEST(the_first_slot_given_is_1_and_a_page_has_one_address)
{
	struct kerneled *m = kerneled_new(&highs[_i]);
	pfn_t pfn = page_of(m, GFP_HIGHUSER);
	va_t at;
	uint8_t byte = 0;

	ck_assert_uint_ge(pfn, m->b->phys->max_low_pfn);
	ck_assert_uint_eq(kernel_page_address(m->vm, pfn), 0);
	at = kmap_of(m, pfn);
	ck_assert_uint_eq(at, m->vm->layout.pkmap_base + P);
	ck_assert_uint_eq(kmap_of(m, pfn), at);
	ck_assert_uint_eq(m->k->pkmap_count[1], 3);
	ck_assert_int_eq(kernel_poke(m, 0, at + 5, 0x66), 0);
	ram_read(m->ram, pfn * P + 5, &byte, 1);
	ck_assert_uint_eq(byte, 0x66);
	kunmap_of(m, pfn);
	kunmap_of(m, pfn);
	/* Nobody uses it; it is still there until the flush. */
	ck_assert_uint_eq(kernel_page_address(m->vm, pfn), at);
	ck_assert_uint_eq(m->k->pkmap_count[1], 1);
	kerneled_free(m);
}
END_TEST

START_TEST(a_wrap_flushes_once_what_nobody_uses)
{
	struct kerneled *m = kerneled_new(&highs[_i]);
	unsigned int nr = m->vm->layout.pkmap_slots;
	pfn_t keep = page_of(m, GFP_HIGHUSER);
	va_t kept = kmap_of(m, keep);
	pfn_t last = 0;

	for (unsigned int i = 0; i < nr - 2; i++) {
		last = page_of(m, GFP_HIGHUSER);
		kmap_of(m, last);
		kunmap_of(m, last);
	}
	ck_assert_uint_eq(m->k->pkmap_flushes, 0);
	ck_assert_uint_ne(kernel_page_address(m->vm, last), 0);
	ck_assert_uint_eq(kmap_of(m, page_of(m, GFP_HIGHUSER)),
			  m->vm->layout.pkmap_base);
	ck_assert_uint_eq(m->k->pkmap_flushes, 1);
	ck_assert_uint_eq(kernel_page_address(m->vm, last), 0);
	ck_assert_uint_eq(kernel_page_address(m->vm, keep), kept);
	kerneled_free(m);
}
END_TEST

START_TEST(with_no_slot_left_kmap_sleeps_until_one_is_given_back)
{
	struct kerneled *m = kerneled_new(&highs[_i]);
	unsigned int nr = m->vm->layout.pkmap_slots;
	pfn_t first = page_of(m, GFP_HIGHUSER), more, again;
	va_t at, freed = kmap_of(m, first);

	for (unsigned int i = 1; i < nr; i++)
		kmap_of(m, page_of(m, GFP_HIGHUSER));
	more = page_of(m, GFP_HIGHUSER);
	again = page_of(m, GFP_HIGHUSER);
	ck_assert_int_eq(kernel_kmap(m->vm, 0, m->init, more, &at), -EAGAIN);
	ck_assert_int_eq(kernel_kmap(m->vm, 0, m->init, again, &at), -EAGAIN);
	ck_assert_uint_eq(m->k->waiters.length, 2);
	kerneled_lawful(m);
	ck_assert_uint_eq(kunmap_of(m, first), more);
	ck_assert_uint_eq(kernel_page_address(m->vm, more), freed);
	ck_assert_uint_eq(m->k->waiters.length, 1);
	ck_assert_uint_eq(kunmap_of(m, more), again);
	kerneled_free(m);
}
END_TEST

START_TEST(kunmap_of_what_nobody_mapped_is_a_bug)
{
	struct kerneled *m = kerneled_new(&highs[_i]);
	pfn_t pfn = page_of(m, GFP_HIGHUSER), woken;

	ck_assert_int_eq(kernel_kunmap(m->vm, 0, pfn, &woken), -EINVAL);
	kmap_of(m, pfn);
	kunmap_of(m, pfn);
	ck_assert_int_eq(kernel_kunmap(m->vm, 0, pfn, &woken), -EINVAL);
	ck_assert(told(m, "kernel BUG at mm/highmem.c"));
	kerneled_free(m);
}
END_TEST

/* --- temporary ------------------------------------------------------------ */

START_TEST(local_mappings_nest_and_fault_when_given_back)
{
	struct kerneled *m = kerneled_new(&highs[_i]);
	pfn_t pfn = page_of(m, GFP_HIGHUSER);
	va_t at[2];
	uint8_t byte = 0;

	ck_assert_int_eq(vm_switch_to(m->vm, 0, m->init), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(kernel_kmap_local(m->vm, 0, -1, pfn, &at[i]),
				 0);
	ck_assert_uint_eq(at[1], at[0] - P);
	ck_assert_int_eq(kernel_poke(m, 0, at[1], 0x12), 0);
	ck_assert_int_eq(kernel_kunmap_local(m->vm, 0, -1, at[0]), -EINVAL);
	ck_assert(told(m, "kunmap_local_indexed"));
	ck_assert_int_eq(kernel_kunmap_local(m->vm, 0, -1, at[1]), 0);
	ck_assert_int_eq(kernel_peek(m, 0, at[1], &byte), -EFAULT);
	ck_assert_int_eq(kernel_kunmap_local(m->vm, 0, -1, at[0]), 0);
	ck_assert_uint_eq(kernel_page_address(m->vm, pfn), 0);
	kerneled_free(m);
}
END_TEST

START_TEST(no_more_than_15_may_be_nested)
{
	struct kerneled *m = kerneled_new(&highs[_i]);
	pfn_t pfn = page_of(m, GFP_HIGHUSER);
	va_t at;

	for (int i = 0; i < KM_MAX_IDX - 1; i++)
		ck_assert_int_eq(kernel_kmap_local(m->vm, 1, -1, pfn, &at), 0);
	ck_assert_int_eq(kernel_kmap_local(m->vm, 1, -1, pfn, &at), -ENOSPC);
	ck_assert_int_eq(kernel_kmap_local(m->vm, 0, -1, pfn, &at), 0);
	kerneled_free(m);
}
END_TEST

START_TEST(local_mappings_go_with_their_task)
{
	struct kerneled *m = kerneled_new(&highs[_i]);
	struct task *t = NULL;
	pfn_t pfn = page_of(m, GFP_HIGHUSER);
	va_t at;
	uint8_t byte = 0;

	ck_assert_int_eq(task_fork(m->init, 0, 0, "t", &t), 0);
	ck_assert_int_eq(vm_switch_to(m->vm, 0, t), 0);
	ck_assert_int_eq(kernel_kmap_local(m->vm, 0, -1, pfn, &at), 0);
	ck_assert_int_eq(kernel_poke(m, 0, at, 0x3d), 0);
	/* It may not move to another CPU with them. */
	ck_assert_int_eq(vm_switch_to(m->vm, 1, t), -EBUSY);
	ck_assert_int_eq(vm_switch_to(m->vm, 0, m->init), 0);
	ck_assert_int_eq(kernel_peek(m, 0, at, &byte), -EFAULT);
	kerneled_lawful(m);
	ck_assert_int_eq(vm_switch_to(m->vm, 0, t), 0);
	ck_assert_int_eq(kernel_peek(m, 0, at, &byte), 0);
	ck_assert_uint_eq(byte, 0x3d);
	ck_assert_int_eq(task_exit(t, true), 0);
	kerneled_lawful(m);
	ck_assert_int_eq(kernel_peek(m, 0, at, &byte), -EFAULT);
	kerneled_free(m);
}
END_TEST

START_TEST(those_of_the_idle_task_come_back_when_a_task_ends)
{
	struct kerneled *m = kerneled_new(&highs[_i]);
	struct task *t = NULL;
	pfn_t pfn = page_of(m, GFP_HIGHUSER);
	va_t at;

	ck_assert_int_eq(vm_switch_to(m->vm, 0, NULL), 0);
	ck_assert_int_eq(kernel_kmap_local(m->vm, 0, -1, pfn, &at), 0);
	ck_assert_int_eq(task_fork(m->init, 0, 0, "t", &t), 0);
	ck_assert_int_eq(vm_switch_to(m->vm, 0, t), 0);
	ck_assert_uint_eq(kernel_lookup(m->vm, at), UINT64_MAX);
	ck_assert_int_eq(task_exit(t, true), 0);
	kerneled_lawful(m);
	ck_assert_uint_eq(kernel_lookup(m->vm, at), pfn * P);
	kerneled_free(m);
}
END_TEST

START_TEST(with_types_a_slot_has_one_user)
{
	struct kerneled_kind kind = highs[_i];
	struct kerneled *m;
	pfn_t pfn;
	va_t a, b;

	kind.kernel.kmap_types = true;
	m = kerneled_new(&kind);
	pfn = page_of(m, GFP_HIGHUSER);
	ck_assert_int_eq(kernel_kmap_local(m->vm, 0, 3, pfn, &a), 0);
	ck_assert_int_eq(kernel_kmap_local(m->vm, 0, 3, pfn, &b), -EBUSY);
	ck_assert(told(m, "KM_USER0 of CPU 0 is in use"));
	ck_assert_int_eq(kernel_kmap_local(m->vm, 0, 4, pfn, &b), 0);
	ck_assert_uint_eq(b, a - P);
	ck_assert_int_eq(kernel_kunmap_local(m->vm, 0, 4, a), -EINVAL);
	ck_assert_int_eq(kernel_kunmap_local(m->vm, 0, 3, a), 0);
	/* Another CPU has slots of its own. */
	ck_assert_int_eq(kernel_kmap_local(m->vm, 1, 3, pfn, &b), 0);
	ck_assert_uint_eq(b, a - KM_TYPE_NR * P);
	kerneled_free(m);
}
END_TEST

START_TEST(on_64_bit_all_these_are_page_address)
{
	struct kerneled *m = kerneled_usual();
	pfn_t pfn = page_of(m, GFP_HIGHUSER);
	va_t at;

	ck_assert_uint_eq(kmap_of(m, pfn), 0xffff888000000000 + pfn * P);
	ck_assert_int_eq(kernel_kmap_local(m->vm, 0, -1, pfn, &at), 0);
	ck_assert_uint_eq(at, 0xffff888000000000 + pfn * P);
	ck_assert_int_eq(kernel_kunmap_local(m->vm, 0, -1, at), 0);
	kerneled_free(m);
}
END_TEST

/* --- fixed slots ---------------------------------------------------------- */

START_TEST(fixed_slots_are_counted_down_from_the_top)
{
	static const struct {
		const char *arch, *name;
		va_t at;
	} rows[] = {
		{"x86-64", "VSYSCALL_PAGE", 0xffffffffff600000},
		{"x86-64", "FIX_APIC_BASE", 0xffffffffff5fd000},
		{"i386",	 "FIX_APIC_BASE", 0xffffc000	    },
		{"i386",	 "FIX_KMAP",	     0xfffbb000	       },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kerneled *m = kerneled_new(
			&(struct kerneled_kind){.arch = rows[i].arch});
		struct kernel_fixed run = {0};
		unsigned int n = 0;

		while (kernel_fixed_nth(m->vm, n++, &run) &&
		       strcmp(run.name, rows[i].name) != 0)
			;
		ck_assert_str_eq(run.name, rows[i].name);
		ck_assert_uint_eq(kernel_fix_to_virt(m->vm, run.first),
				  rows[i].at);
		kerneled_free(m);
	}
}
END_TEST

/* --- devices -------------------------------------------------------------- */

static int
remap(struct kerneled *m, pa_t pa, uint64_t size, enum cache_mode mode,
      va_t *at)
{
	const struct kernel_request q = asking(m);

	return kernel_ioremap(m->vm, &q, pa, size, mode, at);
}

START_TEST(memory_in_use_is_refused_and_kept_back_memory_is_not)
{
	struct kerneled *m =
		kerneled_new(&(struct kerneled_kind){.memory = "256M"});
	va_t at = 0, again = 0;

	ck_assert_int_eq(remap(m, 0xff00000, MIB(1), CACHE_UC_MINUS, &at),
			 -EBUSY);
	ck_assert(told(m, "ioremap on RAM at 0x000000000ff00000 - "
			  "0x000000000fffffff"));
	kerneled_free(m);
	m = kerneled_new(&(struct kerneled_kind){.memory = "256M",
						 .cmdline = "mem=255M"});
	ck_assert_int_eq(remap(m, 0xff00000, MIB(1), CACHE_UC_MINUS, &at), 0);
	/* Aligned to its size; two drivers have two addresses. */
	ck_assert_uint_eq(at % MIB(1), 0);
	ck_assert_int_eq(remap(m, 0xff00000, MIB(1), CACHE_UC_MINUS, &again),
			 0);
	ck_assert_uint_ne(at, again);
	ck_assert_uint_eq(kernel_lookup(m->vm, at), 0xff00000);
	ck_assert_uint_eq(kernel_lookup(m->vm, again + 9), 0xff00009);
	kerneled_free(m);
}
END_TEST

START_TEST(caching_bits_are_those_of_the_type)
{
	static const struct {
		enum cache_mode mode;
		uint64_t entry;
	} rows[] = {
		{CACHE_WB,	   0x80000000fed00163},
		{CACHE_WC,	   0x80000000fed0016b},
		{CACHE_UC_MINUS, 0x80000000fed00173},
		{CACHE_UC,	   0x80000000fed0017b},
		{CACHE_WT,	   0x80000000fed001fb},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kerneled *m = kerneled_usual();
		va_t at = 0;

		ck_assert_int_eq(remap(m, 0xfed00004, 8, rows[i].mode, &at), 0);
		ck_assert_uint_eq(at & (P - 1), 4);
		ck_assert_uint_eq(
			vm_entry_get(m->vm, vm_entry_at(m->vm, m->vm->init_mm,
							at, 0)) &
				0x8000fffffffff1ff,
			rows[i].entry);
		kerneled_free(m);
	}
}
END_TEST

START_TEST(types_of_one_address_must_agree)
{
	struct kerneled *m = kerneled_usual();
	va_t a, b;

	ck_assert_int_eq(remap(m, 0xfed00000, P, CACHE_WB, &a), 0);
	ck_assert_int_eq(remap(m, 0xfed00000, P, CACHE_UC_MINUS, &b), -EBUSY);
	ck_assert(told(m, "ioremap error for 0xfed00000-0xfed01000, requested "
			  "0x2, got 0x0"));
	ck_assert_int_eq(kernel_iounmap(m->vm, a, 0), 0);
	ck_assert_int_eq(remap(m, 0xfed00000, P, CACHE_UC_MINUS, &b), 0);
	/* What comes second gets the type of the first. */
	ck_assert_int_eq(remap(m, 0xfed00000, P, CACHE_WB, &a), 0);
	ck_assert_int_eq(kernel_area_at(m->k, a)->mode, CACHE_UC_MINUS);
	kerneled_free(m);
}
END_TEST

START_TEST(addresses_that_no_device_has_are_refused)
{
	struct kerneled *m = kerneled_usual();
	uint64_t digest;
	va_t at;

	ck_assert_int_eq(remap(m, 0xfed00000, P, CACHE_UC, &at), 0);
	digest = kerneled_digest(m);
	ck_assert_int_eq(remap(m, 0xfed00000, 0, CACHE_UC, &at), -EINVAL);
	ck_assert_int_eq(remap(m, UINT64_MAX - 5, 10, CACHE_UC, &at), -EINVAL);
	ck_assert_int_eq(remap(m, 1ULL << 46, P, CACHE_UC, &at), -EINVAL);
	ck_assert(told(m, "ioremap: invalid physical address 400000000000"));
	ck_assert_int_eq(kernel_iounmap(m->vm, 0xffffc90000900000, 0), -EINVAL);
	ck_assert(told(m, "iounmap: bad address ffffc90000900000"));
	ck_assert_int_eq(kernel_iounmap(m->vm, 0xffff888000000000, 0), 0);
	ck_assert_uint_eq(kerneled_digest(m), digest);
	kerneled_free(m);
}
END_TEST

Suite *
suite_kernel_kmap(void)
{
	Suite *s = suite_create("kernel_kmap");
	TCase *tc = tcase_create("kernel_kmap");

	tcase_add_loop_test(tc, a_low_page_takes_no_slot, 0, 2);
	tcase_add_loop_test(
		tc, the_first_slot_given_is_1_and_a_page_has_one_address, 0, 2);
	tcase_add_loop_test(tc, a_wrap_flushes_once_what_nobody_uses, 0, 2);
	tcase_add_loop_test(
		tc, with_no_slot_left_kmap_sleeps_until_one_is_given_back, 0,
		2);
	tcase_add_loop_test(tc, kunmap_of_what_nobody_mapped_is_a_bug, 0, 2);
	tcase_add_loop_test(tc, local_mappings_nest_and_fault_when_given_back,
			    0, 2);
	tcase_add_loop_test(tc, no_more_than_15_may_be_nested, 0, 2);
	tcase_add_loop_test(tc, local_mappings_go_with_their_task, 0, 2);
	tcase_add_loop_test(
		tc, those_of_the_idle_task_come_back_when_a_task_ends, 0, 2);
	tcase_add_loop_test(tc, with_types_a_slot_has_one_user, 0, 2);
	tcase_add_test(tc, on_64_bit_all_these_are_page_address);
	tcase_add_test(tc, fixed_slots_are_counted_down_from_the_top);
	tcase_add_test(tc,
		       memory_in_use_is_refused_and_kept_back_memory_is_not);
	tcase_add_test(tc, caching_bits_are_those_of_the_type);
	tcase_add_test(tc, types_of_one_address_must_agree);
	tcase_add_test(tc, addresses_that_no_device_has_are_refused);
	suite_add_tcase(s, tc);
	return s;
}
