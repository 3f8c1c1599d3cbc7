// SPDX-License-Identifier: MIT
/* test_table.c - tables of each format: made, counted, freed; TLB and flushes
 */
#include "vmed.h"

Suite *suite_table(void);

#define P VM_PAGE

static const struct {
	const char *arch;
	enum mmu_mode mode;
	/* Frames of tables that a first page far from all others takes, and
	 * what of them nr_page_table_pages counts. */
	unsigned int tables, counted;
	va_t va;
} formats[] = {
	{"i386",	 MMU_32BIT,  1, 1, 0x20000000    },
	{"i386-pae", MMU_PAE,    1, 1, 0x20000000    },
	{"x86-64",   MMU_4LEVEL, 3, 2, 0x100000000000},
	{"x86-64",   MMU_5LEVEL, 3, 2, 0x100000000000},
};

START_TEST(tables_are_made_when_needed_and_freed_when_empty)
{
	struct vmed *m = vmed_new(&(struct vmed_kind){
		.arch = formats[_i].arch, .vm = {.mode = formats[_i].mode}});
	va_t a = map_with(m, formats[_i].va, 2, RW, VM_MAP_PRIVATE, NULL, 0);
	uint64_t tables = m->t->mm->tables, free = vmed_free_pages(m);
	int64_t counted = node_sum(m, NS_nr_page_table_pages);

	ck_assert_uint_eq(a, formats[_i].va);
	ck_assert_int_eq(poke_user(m, m->t, a, 0x11), 0);
	ck_assert_uint_eq(m->t->mm->tables, tables + formats[_i].tables);
	ck_assert_int_eq(node_sum(m, NS_nr_page_table_pages),
			 counted + formats[_i].counted);
	ck_assert_uint_eq(vmed_free_pages(m), free - 1 - formats[_i].tables);
	ck_assert_int_eq(poke_user(m, m->t, a + P, 0x22), 0);
	ck_assert_uint_eq(m->t->mm->tables, tables + formats[_i].tables);
	ck_assert_uint_eq(byte_at(m, m->t, a), 0x11);
	vmed_lawful(m);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, 2 * P), 0);
	ck_assert_int_eq(poke_user(m, m->t, a, 1), -EFAULT);
	/* All of PAE's second level was there, and its part goes now too. */
	if (formats[_i].mode == MMU_PAE)
		ck_assert_uint_le(m->t->mm->tables, tables);
	else
		ck_assert_uint_eq(m->t->mm->tables, tables);
	vmed_lawful(m);
	a = map_with(m, formats[_i].va, 2, RW, VM_MAP_PRIVATE, NULL, 0);
	ck_assert_int_eq(poke_user(m, m->t, a, 1), 0);
	vmed_free(m);
}
END_TEST

START_TEST(a_table_stays_while_a_neighbour_uses_it)
{
	struct vmed *m = vmed_usual();
	va_t base = 0x100000000000;
	va_t a = map_with(m, base, 1, RW, VM_MAP_PRIVATE, NULL, 0);
	va_t b = map_with(m, base + 8 * P, 1, RW, VM_MAP_PRIVATE, NULL, 0);
	uint64_t tables;

	ck_assert_int_eq(poke_user(m, m->t, a, 1), 0);
	tables = m->t->mm->tables;
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, P), 0);
	ck_assert_uint_eq(m->t->mm->tables, tables);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, b, P), 0);
	ck_assert_uint_eq(m->t->mm->tables, tables - 3);
	vmed_free(m);
}
END_TEST

START_TEST(forbidding_all_keeps_the_page_where_hardware_sees_none)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 1, RW);
	uint64_t entry;
	pfn_t was;

	ck_assert_int_eq(poke_user(m, m->t, a, 6), 0);
	was = pfn_of(m, m->t, a);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, P, 0), 0);
	entry = leaf_of(m, m->t, a);
	ck_assert(!(entry & PTE_P));
	ck_assert(entry & PTE_G);
	ck_assert_uint_ne((entry & m->vm->shape.frame_mask) >> 12, was);
	ck_assert_uint_eq(pfn_of(m, m->t, a), was);
	ck_assert_int_eq(poke_user(m, m->t, a, 1), -EFAULT);
	ck_assert_uint_eq(m->t->sig_code, VM_SEGV_ACCERR);
	vmed_lawful(m);
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, P, RW), 0);
	/* It was dirty and nobody else's: writable at once. */
	ck_assert(leaf_of(m, m->t, a) & PTE_RW);
	ck_assert_uint_eq(byte_at(m, m->t, a), 6);
	vmed_free(m);
}
END_TEST

static struct vm_access_result
touch(struct vmed *m, unsigned int cpu, va_t va, enum mmu_access access)
{
	const struct vm_access a = {va, 1, access, true, false, NULL};
	struct vm_access_result r;

	ck_assert_int_eq(vm_access(m->vm, cpu, &a, &r), 0);
	return r;
}

START_TEST(a_second_touch_hits_and_the_first_write_walks_once_more)
{
	struct vmed *m = vmed_usual();
	va_t a = map_with(m, 0, 1, RW, VM_MAP_SHARED, NULL, 0);

	ck_assert_int_eq(vm_switch_to(m->vm, 0, m->t), 0);
	ck_assert_uint_eq(touch(m, 0, a, MMU_READ).faults, 1);
	ck_assert_uint_eq(touch(m, 0, a, MMU_READ).l1_hits, 1);
	ck_assert(leaf_of(m, m->t, a) & PTE_A);
	ck_assert(!(leaf_of(m, m->t, a) & PTE_D));
	ck_assert_uint_eq(touch(m, 0, a, MMU_WRITE).walks, 1);
	ck_assert(leaf_of(m, m->t, a) & PTE_D);
	ck_assert_uint_eq(touch(m, 0, a, MMU_WRITE).walks, 0);
	vmed_free(m);
}
END_TEST

START_TEST(other_cpus_are_told_when_a_right_goes)
{
	struct vmed *m = vmed_usual();
	struct task *thread = NULL;
	va_t a = map(m, 40, RW);
	uint64_t pages;

	ck_assert_int_eq(task_fork(m->t, 1, TASK_SHARES_VM, NULL, &thread), 0);
	thread->handles_segv = true;
	vm_switch_to(m->vm, 0, m->t);
	vm_switch_to(m->vm, 1, thread);
	touch(m, 0, a, MMU_WRITE);
	ck_assert_uint_eq(touch(m, 1, a, MMU_WRITE).faults, 0);
	pages = tlb_stats(m->vm->cpu[1].tlb)->flushes_page;
	ck_assert_int_eq(vm_mprotect(m->vm, m->t, a, P, VM_PROT_READ), 0);
	ck_assert_uint_eq(m->vm->cpu[1].shootdowns, 1);
	ck_assert_uint_eq(tlb_stats(m->vm->cpu[1].tlb)->flushes_page,
			  pages + 1);
	ck_assert_int_eq(poke_user(m, thread, a, 1), -EFAULT);
	/* Many at once: all. */
	vm_switch_to(m->vm, 1, thread);
	vm_switch_to(m->vm, 0, m->t);
	pages = tlb_stats(m->vm->cpu[1].tlb)->flushes_pcid;
	for (int i = 0; i < 40; i++)
		(void)byte_at(m, m->t, a + (va_t)i * P);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, 40 * P), 0);
	ck_assert_uint_gt(tlb_stats(m->vm->cpu[1].tlb)->flushes_pcid, pages);
	ck_assert_uint_eq(tlb_stats(m->vm->cpu[1].tlb)->stale_used, 0);
	vmed_lawful(m);
	end_task(thread);
	vmed_free(m);
}
END_TEST

START_TEST(an_entry_that_was_not_flushed_is_used_and_told_of)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 1, RW);
	pa_t leaf;
	struct vm_access_result r;

	vm_switch_to(m->vm, 0, m->t);
	touch(m, 0, a, MMU_WRITE);
	leaf = vm_entry_at(m->vm, m->t->mm, a, 0);
	/* Behind the kernel's back the right to write goes. */
	ram_store(m->ram, leaf, 8, ram_load(m->ram, leaf, 8) & ~2ULL);
	vm_bytes_changed(m->vm, leaf, 8);
	r = touch(m, 0, a, MMU_WRITE);
	ck_assert(r.stale);
	ck_assert_uint_eq(r.faults, 0);
	ck_assert_uint_eq(tlb_stats(m->vm->cpu[0].tlb)->stale_used, 1);
	ck_assert_uint_gt(vm_verify(m->vm, NULL, NULL), 0);
	tlb_flush_page(m->vm->cpu[0].tlb, a, 0);
	r = touch(m, 0, a, MMU_WRITE);
	ck_assert(!r.stale);
	ck_assert_uint_eq(r.faults, 1);
	vmed_free(m);
}
END_TEST

START_TEST(pcids_keep_entries_over_a_switch)
{
	struct vmed *m = vmed_new(&(struct vmed_kind){.vm = {.pcid = true}});
	struct task *c = child_of(m->t);
	va_t a = map(m, 1, RW);

	vm_switch_to(m->vm, 0, m->t);
	touch(m, 0, a, MMU_WRITE);
	vm_switch_to(m->vm, 0, c);
	vm_switch_to(m->vm, 0, m->t);
	ck_assert_uint_eq(touch(m, 0, a, MMU_WRITE).walks, 0);
	/* A flush that it missed is made up for. */
	vm_switch_to(m->vm, 0, c);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, P, VM_MADV_DONTNEED), 0);
	vm_switch_to(m->vm, 0, m->t);
	ck_assert_uint_eq(touch(m, 0, a, MMU_READ).faults, 1);
	end_task(c);
	vmed_free(m);
	m = vmed_usual();
	a = map(m, 1, RW);
	c = child_of(m->t);
	vm_switch_to(m->vm, 0, m->t);
	touch(m, 0, a, MMU_WRITE);
	vm_switch_to(m->vm, 0, c);
	vm_switch_to(m->vm, 0, m->t);
	ck_assert_uint_eq(touch(m, 0, a, MMU_WRITE).walks, 1);
	end_task(c);
	vmed_free(m);
}
END_TEST

Suite *
suite_table(void)
{
	Suite *s = suite_create("table");
	TCase *c = tcase_create("table");

	tcase_add_loop_test(c, tables_are_made_when_needed_and_freed_when_empty,
			    0, ARRAY_SIZE(formats));
	tcase_add_test(c, a_table_stays_while_a_neighbour_uses_it);
	tcase_add_test(c,
		       forbidding_all_keeps_the_page_where_hardware_sees_none);
	tcase_add_test(c,
		       a_second_touch_hits_and_the_first_write_walks_once_more);
	tcase_add_test(c, other_cpus_are_told_when_a_right_goes);
	tcase_add_test(c, an_entry_that_was_not_flushed_is_used_and_told_of);
	tcase_add_test(c, pcids_keep_entries_over_a_switch);
	suite_add_tcase(s, c);
	return s;
}
