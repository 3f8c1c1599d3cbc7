// SPDX-License-Identifier: MIT
/* test_vma.c - areas: where they are put, merged, cut, counted */
#include "vmed.h"

Suite *suite_vma(void);

#define P VM_PAGE

START_TEST(nothing_is_allocated_before_the_first_task_runs)
{
	struct booted *b = boot_short("x86-64", "64M", 1, "");
	struct ram *ram = ram_new(b->phys->max_pfn << 12, UINT64_MAX);
	struct symbols *symbols = symbols_new(0xffffffff81000000, 64);
	int64_t free = b->phys->zones[ZONE_DMA32]->stat[ZS_nr_free_pages];
	uint64_t events = b->phys->event[VE_pgalloc_dma32];
	struct vm *vm = vm_boot(b->phys, ram, symbols, &(struct vm_config){0});

	ck_assert_int_eq(b->phys->zones[ZONE_DMA32]->stat[ZS_nr_free_pages],
			 free);
	ck_assert_uint_eq(b->phys->event[VE_pgalloc_dma32], events);
	ck_assert_uint_eq(ram_held(ram), 0);
	ck_assert_ptr_nonnull(task_find(vm, 1));
	ck_assert_ptr_null(task_find(vm, 1)->mm);
	vm_free(vm);
	symbols_free(symbols);
	ram_free(ram);
	booted_free(b);
}
END_TEST

START_TEST(new_areas_lie_below_the_stack_from_the_top_down)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 4, RW), b = map(m, 2, VM_PROT_READ);

	ck_assert_uint_eq(m->t->mm->mmap_base, 0x7ffff7fff000);
	ck_assert_uint_eq(a, 0x7ffff7fff000 - 4 * P);
	ck_assert_uint_eq(b, a - 2 * P);
	/* The highest hole that is long enough comes first. */
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a + P, 2 * P), 0);
	ck_assert_uint_eq(map(m, 3, VM_PROT_NONE), b - 3 * P);
	ck_assert_uint_eq(map(m, 2, VM_PROT_NONE), a + P);
	vmed_free(m);
}
END_TEST

START_TEST(a_hint_is_rounded_and_taken_when_it_is_free)
{
	struct vmed *m = vmed_usual();
	va_t at = map_with(m, 0x10000000123, 1, RW, VM_MAP_PRIVATE, NULL, 0);

	ck_assert_uint_eq(at, 0x10000000000);
	at = map_with(m, 0x10000000000, 1, RW, VM_MAP_PRIVATE, NULL, 0);
	ck_assert_uint_ne(at, 0x10000000000);
	/* Below mmap_min_addr: raised to it. */
	at = map_with(m, 0x1000, 1, RW, VM_MAP_PRIVATE, NULL, 0);
	ck_assert_uint_eq(at, 65536);
	vmed_free(m);
}
END_TEST

START_TEST(five_levels_give_high_addresses_only_to_who_asks)
{
	struct vmed *m =
		vmed_new(&(struct vmed_kind){.vm = {.mode = MMU_5LEVEL}});
	va_t low = map(m, 1, RW);
	va_t high = map_with(m, 1ULL << 55, 1, RW, VM_MAP_PRIVATE, NULL, 0);

	ck_assert_uint_lt(low, 1ULL << 47);
	ck_assert_uint_eq(high, 1ULL << 55);
	ck_assert_int_eq(poke_user(m, m->t, high, 7), 0);
	ck_assert_uint_eq(byte_at(m, m->t, high), 7);
	vmed_free(m);
}
END_TEST

START_TEST(neighbours_of_one_kind_are_one_area)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 6, RW);

	ck_assert_uint_eq(map(m, 2, RW), a - 2 * P);
	ck_assert_uint_eq(areas_in(m->t, a - 2 * P, a + 6 * P), 1);
	/* In the middle others: three; and back: one. */
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a + P, 2 * P, VM_PROT_READ),
			 0);
	ck_assert_uint_eq(areas_in(m->t, a - 2 * P, a + 6 * P), 3);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a + P, 2 * P, RW), 0);
	ck_assert_uint_eq(areas_in(m->t, a - 2 * P, a + 6 * P), 1);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, P), 0);
	ck_assert_uint_eq(areas_in(m->t, a - 2 * P, a + 6 * P), 2);
	vmed_free(m);
}
END_TEST

START_TEST(pieces_of_a_touched_area_merge_again)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 6, RW);

	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(poke_user(m, m->t, a + (va_t)i * P, 1), 0);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a + 2 * P, P, 0), 0);
	ck_assert_uint_eq(areas_in(m->t, a, a + 6 * P), 3);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a + 2 * P, P, RW), 0);
	ck_assert_uint_eq(areas_in(m->t, a, a + 6 * P), 1);
	vmed_lawful(m);
	vmed_free(m);
}
END_TEST

START_TEST(an_untouched_area_does_not_take_over_its_neighbours_pages)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 4, RW);

	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, 2 * P, VM_PROT_READ), 0);
	ck_assert_int_eq(poke_user(m, m->t, a + 3 * P, 1), 0);
	/* The touched one becomes like the other: they stay two. */
	ck_assert_int_eq(
		vm_mprotect(m->vm, m->t, a + 2 * P, 2 * P, VM_PROT_READ), 0);
	ck_assert_uint_eq(areas_in(m->t, a, a + 4 * P), 2);
	/* The untouched one becomes like the other: they are one. */
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, 2 * P, RW), 0);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, 2 * P, VM_PROT_READ), 0);
	ck_assert_uint_eq(areas_in(m->t, a, a + 4 * P), 1);
	vmed_lawful(m);
	vmed_free(m);
}
END_TEST

START_TEST(files_merge_when_their_pages_follow_each_other)
{
	struct vmed *m = vmed_usual();
	struct vm_object *f = vm_file_new(m->vm, "f", 16 * P, NULL, 0);
	va_t a = map(m, 8, 0);
	const uint64_t how = VM_MAP_SHARED | VM_MAP_FIXED;

	map_with(m, a, 2, RW, how, f, 3);
	map_with(m, a + 2 * P, 2, RW, how, f, 5);
	ck_assert_uint_eq(areas_in(m->t, a, a + 4 * P), 1);
	map_with(m, a + 4 * P, 2, RW, how, f, 8);
	ck_assert_uint_eq(areas_in(m->t, a, a + 6 * P), 2);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, 8 * P), 0);
	vm_object_put(f, 0);
	vmed_free(m);
}
END_TEST

START_TEST(the_heap_grows_merges_and_stops_before_the_next_area)
{
	struct vmed *m = vmed_usual();
	va_t heap = m->t->mm->start_brk;

	ck_assert_uint_eq(vm_brk(m->vm, m->t, 0), heap);
	ck_assert_uint_eq(vm_brk(m->vm, m->t, heap + 100), heap + 100);
	ck_assert_uint_eq(vm_brk(m->vm, m->t, heap + 3 * P), heap + 3 * P);
	ck_assert_uint_eq(areas_in(m->t, heap, heap + 3 * P), 1);
	ck_assert_str_eq(vma_name(vma_at(m->t->mm, heap)), "[heap]");
	map_with(m, heap + 8 * P, 1, RW, VM_MAP_PRIVATE | VM_MAP_FIXED, NULL,
		 0);
	ck_assert_uint_eq(vm_brk(m->vm, m->t, heap + 8 * P), heap + 3 * P);
	ck_assert_uint_eq(vm_brk(m->vm, m->t, heap + 7 * P), heap + 7 * P);
	ck_assert_uint_eq(vm_brk(m->vm, m->t, heap), heap);
	ck_assert_uint_eq(areas_in(m->t, heap, heap + 7 * P), 0);
	m->t->rlimit[LIMIT_DATA] = 2 * P;
	ck_assert_uint_eq(vm_brk(m->vm, m->t, heap + 3 * P), heap);
	vmed_free(m);
}
END_TEST

START_TEST(too_many_areas_are_refused)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 9, RW);

	m->vm->sysctl.max_map_count = m->t->mm->areas->len;
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a + P, P), -ENOMEM);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a + P, P, 0), -ENOMEM);
	/* One more is allowed to mmap than the number says. */
	map_with(m, 0x10000000000, 1, RW, VM_MAP_PRIVATE, NULL, 0);
	ck_assert_int_eq(
		map_error(m, &(struct vm_mmap_args){.len = P,
						    .flags = VM_MAP_PRIVATE |
							     VM_MAP_ANONYMOUS}),
		-ENOMEM);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, P), 0);
	vmed_free(m);
}
END_TEST

START_TEST(sums_follow_the_kind_of_area)
{
	struct vmed *m = vmed_usual();
	const struct mm *mm = m->t->mm;
	uint64_t total = mm->total_vm, data = mm->data_vm, exec = mm->exec_vm;
	va_t a = map(m, 5, RW);

	ck_assert_uint_eq(mm->total_vm, total + 5);
	ck_assert_uint_eq(mm->data_vm, data + 5);
	ck_assert_int_eq(
		vm_mprotect(m->vm, m->t, a, 2 * P, VM_PROT_READ | VM_PROT_EXEC),
		0);
	ck_assert_uint_eq(mm->data_vm, data + 3);
	ck_assert_uint_eq(mm->exec_vm, exec + 2);
	m->t->rlimit[LIMIT_AS] = (mm->total_vm + 3) * P;
	ck_assert_int_eq(
		map_error(m, &(struct vm_mmap_args){.len = 4 * P,
						    .flags = VM_MAP_PRIVATE |
							     VM_MAP_ANONYMOUS}),
		-ENOMEM);
	map(m, 3, 0);
	vmed_free(m);
}
END_TEST

START_TEST(mremap_moves_pages_and_keeps_their_frames)
{
	struct vmed *m = vmed_usual();
	/* Something above, so that it cannot grow in place. */
	va_t above = map(m, 1, VM_PROT_READ), a = map(m, 3, RW), b = 0;
	pfn_t pfn;

	ck_assert_uint_eq(a + 3 * P, above);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
			poke_user(m, m->t, a + (va_t)i * P, (uint8_t)i), 0);
	pfn = pfn_of(m, m->t, a + 2 * P);
	ck_assert_int_eq(vm_mremap(m->vm, m->t, a, 3 * P, 5 * P, 0, 0, &b),
			 -ENOMEM);
	ck_assert_int_eq(vm_mremap(m->vm, m->t, a, 3 * P, 5 * P,
				   VM_MREMAP_MAYMOVE, 0, &b),
			 0);
	ck_assert_uint_ne(b, a);
	ck_assert_uint_eq(byte_at(m, m->t, b + P), 1);
	ck_assert_uint_eq(pfn_of(m, m->t, b + 2 * P), pfn);
	ck_assert_uint_eq(byte_at(m, m->t, b + 4 * P), 0);
	ck_assert_int_eq(poke_user(m, m->t, a, 1), -EFAULT);
	vmed_lawful(m);
	ck_assert_int_eq(vm_mremap(m->vm, m->t, b, 5 * P, P, 0, 0, &a), 0);
	ck_assert_uint_eq(a, b);
	ck_assert_uint_eq(areas_in(m->t, b, b + 5 * P), 1);
	ck_assert_uint_eq(vma_pages(vma_at(m->t->mm, b)), 1);
	vmed_free(m);
}
END_TEST

START_TEST(dontunmap_leaves_an_empty_area_behind)
{
	struct vmed *m = vmed_usual();
	uint64_t committed;
	va_t a = map(m, 2, RW), b = 0;

	ck_assert_int_eq(poke_user(m, m->t, a, 9), 0);
	committed = m->vm->committed;
	ck_assert_int_eq(vm_mremap(m->vm, m->t, a, 2 * P, 2 * P,
				   VM_MREMAP_MAYMOVE | VM_MREMAP_DONTUNMAP, 0,
				   &b),
			 0);
	ck_assert_uint_eq(byte_at(m, m->t, b), 9);
	ck_assert_uint_eq(byte_at(m, m->t, a), 0);
	ck_assert_uint_eq(m->vm->committed, committed + 2);
	vmed_free(m);
}
END_TEST

Suite *
suite_vma(void)
{
	Suite *s = suite_create("vma");
	TCase *c = tcase_create("vma");

	tcase_add_test(c, nothing_is_allocated_before_the_first_task_runs);
	tcase_add_test(c, new_areas_lie_below_the_stack_from_the_top_down);
	tcase_add_test(c, a_hint_is_rounded_and_taken_when_it_is_free);
	tcase_add_test(c, five_levels_give_high_addresses_only_to_who_asks);
	tcase_add_test(c, neighbours_of_one_kind_are_one_area);
	tcase_add_test(c, pieces_of_a_touched_area_merge_again);
	tcase_add_test(
		c, an_untouched_area_does_not_take_over_its_neighbours_pages);
	tcase_add_test(c, files_merge_when_their_pages_follow_each_other);
	tcase_add_test(c, the_heap_grows_merges_and_stops_before_the_next_area);
	tcase_add_test(c, too_many_areas_are_refused);
	tcase_add_test(c, sums_follow_the_kind_of_area);
	tcase_add_test(c, mremap_moves_pages_and_keeps_their_frames);
	tcase_add_test(c, dontunmap_leaves_an_empty_area_behind);
	suite_add_tcase(s, c);
	return s;
}
