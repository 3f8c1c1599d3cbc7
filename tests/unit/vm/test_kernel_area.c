// SPDX-License-Identifier: MIT
/* test_kernel_area.c - vmalloc, vmap, vm_map_ram: addresses, guards, purges */
#include "kerneled.h"

Suite *suite_kernel_area(void);

#define P VM_PAGE

static const struct kerneled_kind kinds[] = {
	{.arch = "x86-64"},
	{.arch = "x86-64", .vm = {.mode = MMU_5LEVEL}},
	{.arch = "i386"	       },
	{.arch = "i386-pae"},
};

START_TEST(vmalloc_maps_single_pages_one_after_the_other)
{
	struct kerneled *m = kerneled_new(&kinds[_i]);
	struct kernel_area *a = area_of(m, 3 * P + 1);
	uint8_t byte = 0;

	ck_assert_uint_eq(a->nr_pages, 4);
	ck_assert_uint_eq(a->end - a->start, 5 * P);
	ck_assert_uint_ge(a->start, m->vm->layout.vmalloc_start);
	ck_assert_uint_le(a->end, m->vm->layout.vmalloc_end);
	for (uint64_t n = 0; n < 4; n++) {
		ck_assert_int_eq(kernel_poke(m, 0, a->start + n * P + 7,
					     (uint8_t)(0x40 + n)),
				 0);
		ram_read(m->ram, (a->pages[n] << VM_PAGE_SHIFT) + 7, &byte, 1);
		ck_assert_uint_eq(byte, 0x40 + n);
	}
	ck_assert_uint_eq(m->k->vmalloc_pages,
			  4 + (kernel_stack_is_area(m->vm)
				       ? m->vm->layout.stack_bytes / P
				       : 0));
	kerneled_free(m);
}
END_TEST

START_TEST(the_guard_page_faults_with_the_oops_text)
{
	struct kerneled *m = kerneled_new(&kinds[_i]);
	struct kernel_area *a = area_of(m, 2 * P);

	ck_assert_uint_eq(kernel_area_guard(a), a->start + 2 * P);
	ck_assert_int_eq(kernel_poke(m, 0, kernel_area_guard(a), 1), -EFAULT);
	ck_assert(told(m, "BUG: unable to handle page fault for address: "));
	ck_assert(told(m, "#PF: supervisor write access in kernel mode"));
	ck_assert(told(m, "error_code(0x0002) - not-present page"));
	kerneled_free(m);
}
END_TEST

START_TEST(areas_get_the_lowest_hole_that_fits)
{
	struct kerneled *m = kerneled_usual();
	va_t a = area_of(m, P)->start, b = area_of(m, 3 * P)->start;
	va_t c = area_of(m, P)->start;

	ck_assert_uint_eq(b, a + 2 * P);
	ck_assert_uint_eq(c, b + 4 * P);
	ck_assert_int_eq(kernel_vfree(m->vm, b, 0), 0);
	/* Its addresses wait for the flush. */
	ck_assert_uint_eq(area_of(m, P)->start, c + 2 * P);
	ck_assert_uint_eq(kernel_purge(m->vm, 0), 4);
	ck_assert_uint_eq(area_of(m, P)->start, b);
	ck_assert_uint_eq(area_of(m, P)->start, b + 2 * P);
	ck_assert_uint_eq(area_of(m, P)->start, c + 4 * P);
	kerneled_free(m);
}
END_TEST

START_TEST(vfree_gives_all_pages_back_and_a_purge_all_addresses)
{
	struct kerneled *m = kerneled_new(&kinds[_i]);
	struct kernel_area *a = area_of(m, 100 * P);
	uint64_t free, with_tables;
	va_t first = a->start;

	ck_assert_int_eq(kernel_vfree(m->vm, first, 0), 0);
	with_tables = kerneled_free_pages(m);
	a = area_of(m, 100 * P);
	free = kerneled_free_pages(m);
	ck_assert_uint_le(free, with_tables - 100);
	ck_assert_int_eq(kernel_vfree(m->vm, a->start, 0), 0);
	ck_assert_uint_ge(kerneled_free_pages(m), free + 100);
	kernel_purge(m->vm, 0);
	ck_assert_uint_eq(rangeset_size(&m->k->lazy), 0);
	ck_assert_uint_eq(area_of(m, P)->start, first);
	kerneled_free(m);
}
END_TEST

START_TEST(a_tlb_may_lead_to_freed_pages_until_the_purge)
{
	struct kerneled *m = kerneled_usual();
	struct kernel_area *a = area_of(m, P);
	va_t va = a->start;
	uint8_t byte = 0;
	uint64_t stale;

	ck_assert_int_eq(kernel_poke(m, 0, va, 0x77), 0);
	ck_assert_int_eq(kernel_vfree(m->vm, va, 0), 0);
	kerneled_lawful(m);
	stale = tlb_stats(m->vm->cpu[0].tlb)->stale_used;
	ck_assert_int_eq(kernel_peek(m, 0, va, &byte), 0);
	ck_assert_uint_eq(byte, 0x77);
	ck_assert_uint_eq(tlb_stats(m->vm->cpu[0].tlb)->stale_used, stale + 1);
	kernel_purge(m->vm, 1);
	ck_assert_int_eq(kernel_peek(m, 0, va, &byte), -EFAULT);
	kerneled_free(m);
}
END_TEST

START_TEST(more_than_the_most_lazy_pages_are_purged_at_once)
{
	struct kerneled *m =
		kerneled_new(&(struct kerneled_kind){.memory = "256M"});
	uint64_t most = kernel_lazy_max(m->vm), purges;

	/* 2 CPUs: 2 bits, 32 MiB each. */
	ck_assert_uint_eq(most, 2 * 8192);
	for (int i = 0; i < 2; i++) {
		struct kernel_area *a = area_of(m, MIB(32) - P);

		ck_assert_int_eq(kernel_vfree(m->vm, a->start, 0), 0);
	}
	/* Two of 8192 pages, and two lists of them of 17 pages. */
	ck_assert_uint_eq(m->k->purges, 1);
	purges = m->k->purges;
	ck_assert_uint_lt(m->k->lazy_pages, most);
	ck_assert_int_eq(kernel_vfree(m->vm, area_of(m, P)->start, 0), 0);
	ck_assert_uint_eq(m->k->purges, purges);
	kerneled_free(m);
}
END_TEST

START_TEST(a_long_list_of_pages_is_an_area_itself)
{
	struct kerneled *m = kerneled_usual();
	struct kernel_area *a = area_of(m, MIB(4));
	va_t start = a->start;

	ck_assert_ptr_nonnull(a->array);
	ck_assert_uint_eq(a->array->nr_pages, 2);
	ck_assert_uint_eq(a->array->start, a->end);
	ck_assert_ptr_null(area_of(m, MIB(2))->array);
	ck_assert_int_eq(kernel_vfree(m->vm, start, 0), 0);
	ck_assert_ptr_null(kernel_area_at(m->k, start));
	kerneled_free(m);
}
END_TEST

START_TEST(bad_frees_are_warned_of_and_change_nothing)
{
	struct kerneled *m = kerneled_usual();
	va_t a = area_of(m, P)->start;
	uint64_t digest = kerneled_digest(m);

	ck_assert_int_eq(kernel_vfree(m->vm, 0, 0), 0);
	ck_assert_int_eq(kernel_vfree(m->vm, a + 1, 0), -EINVAL);
	ck_assert(told(m, "Trying to vfree() bad address ("));
	ck_assert_int_eq(kernel_vfree(m->vm, a + P, 0), -EINVAL);
	ck_assert(told(m, "Trying to vfree() nonexistent vm area ("));
	ck_assert_uint_eq(kerneled_digest(m), digest);
	ck_assert_int_eq(kernel_vfree(m->vm, a, 0), 0);
	ck_assert_int_eq(kernel_vfree(m->vm, a, 0), -EINVAL);
	kerneled_free(m);
}
END_TEST

START_TEST(sizes_that_cannot_be_are_refused_with_the_kernels_words)
{
	struct kerneled *m = kerneled_usual();
	const struct kernel_request q = asking(m);
	struct kernel_area *a;

	ck_assert_int_eq(kernel_vmalloc(m->vm, &q, 0, &a), -EINVAL);
	ck_assert(told(m, "WARNING: CPU: 0"));
	ck_assert_int_eq(kernel_vmalloc(m->vm, &q, MIB(64), &a), -ENOMEM);
	ck_assert(told(m, "vmalloc error: size 67108864, exceeds total pages"));
	kerneled_free(m);
}
END_TEST

START_TEST(too_few_pages_leave_nothing_behind)
{
	struct kerneled *m = kerneled_usual();
	const struct kernel_request q = asking(m);
	struct kernel_area *a = area_of(m, MIB(20));
	uint64_t free, used = m->k->vmalloc_pages;

	ck_assert_int_eq(kernel_vmalloc(m->vm, &q, MIB(30), &a), -ENOMEM);
	ck_assert(told(m, "failed to allocate pages"));
	/* What tables it took stays for the next. */
	free = kerneled_free_pages(m);
	ck_assert_int_eq(kernel_vmalloc(m->vm, &q, MIB(30), &a), -ENOMEM);
	ck_assert_uint_ge(kerneled_free_pages(m) + 1, free);
	ck_assert_uint_eq(m->k->vmalloc_pages, used);
	kernel_purge(m->vm, 0);
	free = kerneled_free_pages(m);
	ck_assert_int_eq(kernel_vmalloc(m->vm, &q, MIB(30), &a), -ENOMEM);
	ck_assert_uint_eq(kerneled_free_pages(m), free);
	kerneled_free(m);
}
END_TEST

START_TEST(addresses_run_out_before_memory_on_32_bit)
{
	struct kerneled *m = kerneled_new(
		&(struct kerneled_kind){.arch = "i386", .memory = "1G"});
	const struct kernel_request q = asking(m);
	struct kernel_area *a;
	int err = 0;

	for (int i = 0; i < 20 && !err; i++)
		err = kernel_vmalloc(m->vm, &q, MIB(16), &a);
	ck_assert_int_eq(err, -ENOMEM);
	ck_assert(told(m, "failed: use vmalloc=<size> to increase size"));
	kerneled_free(m);
}
END_TEST

START_TEST(vmap_shows_the_same_pages_and_keeps_none)
{
	struct kerneled *m = kerneled_new(&kinds[_i]);
	const struct kernel_request q = asking(m);
	pfn_t pages[3];
	struct kernel_area *a;
	uint64_t free;
	uint8_t byte = 0;

	for (int i = 0; i < 3; i++)
		pages[i] = page_of(m, GFP_KERNEL);
	ck_assert_int_eq(kernel_vmap(m->vm, &q, pages, 3, false, &a), 0);
	free = kerneled_free_pages(m);
	ck_assert_int_eq(kernel_poke(m, 0, a->start + 2 * P, 0x5c), 0);
	ck_assert_int_eq(
		kernel_peek(m, 0, kernel_va(m->vm, pages[2] * P), &byte), 0);
	ck_assert_uint_eq(byte, 0x5c);
	free = kerneled_free_pages(m);
	ck_assert_int_eq(kernel_vunmap(m->vm, a->start, 0), 0);
	ck_assert_uint_eq(kerneled_free_pages(m), free);
	/* With VM_MAP_PUT_PAGES they go with vfree. */
	ck_assert_int_eq(kernel_vmap(m->vm, &q, pages, 3, true, &a), 0);
	ck_assert_int_eq(kernel_vfree(m->vm, a->start, 0), 0);
	ck_assert_uint_eq(kerneled_free_pages(m), free + 3);
	kerneled_free(m);
}
END_TEST

START_TEST(vunmap_of_vmalloc_leaks_the_pages)
{
	struct kerneled *m = kerneled_usual();
	va_t a = area_of(m, 5 * P)->start;
	uint64_t free = kerneled_free_pages(m);

	ck_assert_int_eq(kernel_vunmap(m->vm, a, 0), 0);
	ck_assert_uint_eq(kerneled_free_pages(m), free);
	ck_assert_uint_eq(m->k->leaked_pages, 5);
	kerneled_free(m);
}
END_TEST

START_TEST(small_map_ram_is_cut_from_one_block_that_is_not_reused)
{
	struct kerneled *m = kerneled_new(&kinds[_i]);
	const struct kernel_request q = asking(m);
	pfn_t pages[3];
	va_t a, b, c;

	for (int i = 0; i < 3; i++)
		pages[i] = page_of(m, GFP_KERNEL);
	ck_assert_int_eq(kernel_map_ram(m->vm, &q, pages, 3, &a), 0);
	ck_assert_int_eq(kernel_map_ram(m->vm, &q, pages, 1, &b), 0);
	/* Three pages take four. */
	ck_assert_uint_eq(b, a + 4 * P);
	ck_assert_int_eq(kernel_poke(m, 0, a + P, 9), 0);
	kerneled_lawful(m);
	ck_assert_int_eq(kernel_unmap_ram(m->vm, a, 2, 0), -EINVAL);
	ck_assert_int_eq(kernel_unmap_ram(m->vm, a, 3, 0), 0);
	ck_assert_int_eq(kernel_unmap_ram(m->vm, a, 3, 0), -EINVAL);
	ck_assert_int_eq(kernel_map_ram(m->vm, &q, pages, 2, &c), 0);
	ck_assert_uint_eq(c, b + P);
	kerneled_lawful(m);
	ck_assert_int_eq(kernel_unmap_ram(m->vm, b, 1, 0), 0);
	ck_assert_int_eq(kernel_unmap_ram(m->vm, c, 2, 0), 0);
	ck_assert_uint_eq(m->k->blocks->len, 1);
	kernel_purge(m->vm, 0);
	ck_assert_uint_eq(m->k->blocks->len, 0);
	kerneled_free(m);
}
END_TEST

START_TEST(large_map_ram_is_an_area_without_a_guard)
{
	struct kerneled *m = kerneled_usual();
	const struct kernel_request q = asking(m);
	pfn_t pages[65];
	struct kernel_area *area;
	va_t a;

	for (int i = 0; i < 65; i++)
		pages[i] = page_of(m, GFP_KERNEL);
	ck_assert_int_eq(kernel_map_ram(m->vm, &q, pages, 65, &a), 0);
	area = kernel_area_at(m->k, a);
	ck_assert_uint_eq(area->end, a + 65 * P);
	ck_assert_int_eq(kernel_vfree(m->vm, a, 0), -EINVAL);
	ck_assert_int_eq(kernel_unmap_ram(m->vm, a, 65, 0), 0);
	kerneled_free(m);
}
END_TEST

START_TEST(a_module_goes_where_modules_go)
{
	struct kerneled *m = kerneled_usual();
	struct kernel_request q = asking(m);
	struct kernel_area *a;

	q.module = true;
	ck_assert_int_eq(kernel_vmalloc(m->vm, &q, 5 * P, &a), 0);
	ck_assert_uint_eq(a->start, 0xffffffffa0000000);
	kerneled_free(m);
}
END_TEST

START_TEST(all_address_spaces_see_a_new_area)
{
	struct kerneled *m = kerneled_new(&kinds[_i]);
	struct task *t = NULL;
	va_t va;
	uint8_t byte = 0;

	ck_assert_int_eq(task_fork(m->init, 1, 0, "t", &t), 0);
	ck_assert_int_eq(vm_switch_to(m->vm, 1, t), 0);
	va = area_of(m, P)->start;
	ck_assert_int_eq(kernel_poke(m, 0, va, 0x31), 0);
	ck_assert_int_eq(kernel_peek(m, 1, va, &byte), 0);
	ck_assert_uint_eq(byte, 0x31);
	kerneled_free(m);
}
END_TEST

START_TEST(a_random_life_keeps_all_laws)
{
	struct kerneled *m = kerneled_new(&kinds[_i]);
	const struct kernel_request q = asking(m);
	va_t live[32] = {0};
	uint64_t random = 12345 + (uint64_t)_i;

	for (int i = 0; i < 400; i++) {
		va_t *one = &live[(random = random * 6364136223846793005 +
					    1442695040888963407) >>
				  59];
		struct kernel_area *a;

		if (*one) {
			ck_assert_int_eq(kernel_vfree(m->vm, *one, i & 1), 0);
			*one = 0;
		} else if (!kernel_vmalloc(m->vm, &q, random >> 46 & 0x3ffff,
					   &a)) {
			*one = a->start;
		}
		if (i % 50 == 49) {
			kernel_purge(m->vm, 0);
			kerneled_lawful(m);
		}
	}
	kerneled_free(m);
}
END_TEST

Suite *
suite_kernel_area(void)
{
	Suite *s = suite_create("kernel_area");
	TCase *tc = tcase_create("kernel_area");
	const int all = ARRAY_SIZE(kinds);

	tcase_add_loop_test(tc, vmalloc_maps_single_pages_one_after_the_other,
			    0, all);
	tcase_add_loop_test(tc, the_guard_page_faults_with_the_oops_text, 0,
			    all);
	tcase_add_test(tc, areas_get_the_lowest_hole_that_fits);
	tcase_add_loop_test(
		tc, vfree_gives_all_pages_back_and_a_purge_all_addresses, 0,
		all);
	tcase_add_test(tc, a_tlb_may_lead_to_freed_pages_until_the_purge);
	tcase_add_test(tc, more_than_the_most_lazy_pages_are_purged_at_once);
	tcase_add_test(tc, a_long_list_of_pages_is_an_area_itself);
	tcase_add_test(tc, bad_frees_are_warned_of_and_change_nothing);
	tcase_add_test(tc,
		       sizes_that_cannot_be_are_refused_with_the_kernels_words);
	tcase_add_test(tc, too_few_pages_leave_nothing_behind);
	tcase_add_test(tc, addresses_run_out_before_memory_on_32_bit);
	tcase_add_loop_test(tc, vmap_shows_the_same_pages_and_keeps_none, 0,
			    all);
	tcase_add_test(tc, vunmap_of_vmalloc_leaks_the_pages);
	tcase_add_loop_test(
		tc, small_map_ram_is_cut_from_one_block_that_is_not_reused, 0,
		all);
	tcase_add_test(tc, large_map_ram_is_an_area_without_a_guard);
	tcase_add_test(tc, a_module_goes_where_modules_go);
	tcase_add_loop_test(tc, all_address_spaces_see_a_new_area, 0, all);
	tcase_add_loop_test(tc, a_random_life_keeps_all_laws, 0, all);
	suite_add_tcase(s, tc);
	return s;
}
