// SPDX-License-Identifier: MIT
/* test_fault.c - what faults put there, and what tasks are told */
#include "vmed.h"

#include <stdio.h>

Suite *suite_fault(void);

#define P VM_PAGE

START_TEST(a_read_maps_the_zero_page_and_takes_no_frame)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 2, RW);
	uint64_t free, rss = mm_rss(m->t->mm);

	ck_assert_uint_eq(byte_at(m, m->t, a), 0); /* tables are made */
	free = vmed_free_pages(m);
	ck_assert_uint_eq(byte_at(m, m->t, a + P), 0);
	ck_assert_uint_eq(vmed_free_pages(m), free);
	ck_assert_uint_eq(mm_rss(m->t->mm), rss);
	ck_assert_uint_eq(pfn_of(m, m->t, a + P), m->vm->zero_page);
	ck_assert(phys_reserved(m->b->phys, m->vm->zero_page));
	/* P, U, A, special, no execution. */
	ck_assert_uint_eq(leaf_of(m, m->t, a) & ~m->vm->shape.frame_mask,
			  0x8000000000000225);
	vmed_free(m);
}
END_TEST

START_TEST(the_first_write_takes_one_zeroed_frame)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 600, RW);
	uint64_t free, minor, faults;
	int64_t anon = node_sum(m, NS_nr_anon_pages);

	ck_assert_int_eq(poke_user(m, m->t, a + 5 * P, 1), 0);
	free = vmed_free_pages(m);
	minor = m->t->min_flt;
	faults = m->b->phys->event[VE_pgfault];
	ck_assert_int_eq(poke_user(m, m->t, a + 6 * P + 9, 0x5a), 0);
	ck_assert_uint_eq(vmed_free_pages(m), free - 1);
	ck_assert_uint_eq(m->t->min_flt, minor + 1);
	ck_assert_uint_eq(m->b->phys->event[VE_pgfault], faults + 1);
	ck_assert_int_eq(node_sum(m, NS_nr_anon_pages), anon + 2);
	ck_assert_uint_eq(byte_at(m, m->t, a + 6 * P + 8), 0);
	ck_assert_uint_eq(byte_at(m, m->t, a + 6 * P + 9), 0x5a);
	/* P RW U A D NX, and soft-dirty. */
	ck_assert_uint_eq(leaf_of(m, m->t, a + 6 * P) &
				  ~m->vm->shape.frame_mask,
			  0x8000000000000867);
	vmed_free(m);
}
END_TEST

START_TEST(a_write_after_a_read_leaves_the_zero_page)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 1, RW);

	ck_assert_uint_eq(byte_at(m, m->t, a), 0);
	ck_assert_int_eq(poke_user(m, m->t, a, 3), 0);
	ck_assert_uint_ne(pfn_of(m, m->t, a), m->vm->zero_page);
	ck_assert_uint_eq(byte_at(m, m->t, a), 3);
	ck_assert_uint_eq(ram_load(m->ram, m->vm->zero_page * P, 8), 0);
	vmed_free(m);
}
END_TEST

START_TEST(a_file_is_read_once_and_its_neighbours_come_with_it)
{
	struct vmed *m = vmed_usual();
	struct vm_object *f = vm_file_new(m->vm, "f", 64 * P, "hello", 5);
	va_t a =
		map_with(m, 0x200000000, 64, VM_PROT_READ, VM_MAP_SHARED, f, 0);

	ck_assert_uint_eq(byte_at(m, m->t, a), 'h');
	ck_assert_uint_eq(m->t->maj_flt, 1);
	ck_assert_uint_eq(m->b->phys->event[VE_pgmajfault], 1);
	/* 32 pages are read; the fault before mapped none of them. */
	ck_assert_uint_eq(f->nr_pages, 32);
	ck_assert_int_eq(m->t->mm->counter[MM_FILEPAGES], 1);
	/* The next fault finds 16 of them, those around it. */
	ck_assert_uint_eq(byte_at(m, m->t, a + 17 * P), 0);
	ck_assert_uint_eq(m->t->maj_flt, 1);
	ck_assert_int_eq(m->t->mm->counter[MM_FILEPAGES], 17);
	ck_assert_uint_eq(leaf_of(m, m->t, a + 15 * P), 0);
	ck_assert_uint_ne(leaf_of(m, m->t, a + 31 * P), 0);
	ck_assert_int_eq(node_sum(m, NS_nr_file_pages), 32);
	ck_assert_int_eq(node_sum(m, NS_nr_mapped), 17);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, 64 * P), 0);
	ck_assert_uint_eq(f->nr_pages, 32);
	vm_object_put(f, 0);
	vmed_free(m);
}
END_TEST

START_TEST(private_writes_to_a_file_stay_private)
{
	struct vmed *m = vmed_usual();
	struct vm_object *f = vm_file_new(m->vm, "f", 2 * P, "hello", 5);
	va_t s = map_with(m, 0, 2, RW, VM_MAP_SHARED, f, 0);
	va_t p = map_with(m, 0, 2, RW, VM_MAP_PRIVATE, f, 0);
	uint8_t byte;

	ck_assert_uint_eq(byte_at(m, m->t, p), 'h');
	ck_assert_int_eq(poke_user(m, m->t, s, 'j'), 0);
	ck_assert_uint_eq(byte_at(m, m->t, p), 'j');
	ck_assert_int_eq(poke_user(m, m->t, p, 'x'), 0);
	ck_assert_uint_eq(byte_at(m, m->t, s), 'j');
	ck_assert_int_eq(node_sum(m, NS_nr_dirty), 1);
	ck_assert_int_eq(vm_object_read(f, 0, 0, &byte, 1), 1);
	ck_assert_uint_eq(byte, 'j');
	/* Thrown away, the file is seen again. */
	ck_assert_int_eq(vm_madvise(m->vm, m->t, p, P, VM_MADV_DONTNEED), 0);
	ck_assert_uint_eq(byte_at(m, m->t, p), 'j');
	ck_assert_int_eq(vm_munmap(m->vm, m->t, s, 2 * P), 0);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, p, 2 * P), 0);
	vm_object_put(f, 0);
	vmed_free(m);
}
END_TEST

START_TEST(the_copy_of_a_files_page_is_taken_before_the_page)
{
	struct vmed *m = vmed_usual();
	struct vm_object *f = vm_file_new(m->vm, "f", P, NULL, 0);
	va_t a = map_with(m, 0, 2, RW, VM_MAP_PRIVATE, f, 0);
	struct vma *v = vma_at(m->t->mm, a);
	uint64_t free;

	/* Also where there is none, which leaves the anon_vma and a table. */
	free = vmed_free_pages(m);
	ck_assert_int_eq(poke_user(m, m->t, a + P, 1), -EFAULT);
	ck_assert_uint_eq(m->t->sig, VM_SIGBUS);
	ck_assert_uint_eq(vmed_free_pages(m), free - 1);
	ck_assert_ptr_nonnull(v->anon);
	ck_assert_int_eq(poke_user(m, m->t, a, 1), 0);
	ck_assert_uint_lt(vm_object_page(f, 0), pfn_of(m, m->t, a));
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, 2 * P), 0);
	vm_object_put(f, 0);
	vmed_free(m);
}
END_TEST

START_TEST(msync_writes_back_and_tells_of_the_next_write)
{
	struct vmed *m = vmed_usual();
	struct vm_object *f = vm_file_new(m->vm, "f", 2 * P, NULL, 0);
	va_t s = map_with(m, 0, 2, RW, VM_MAP_SHARED, f, 0);
	uint8_t byte;

	ck_assert_int_eq(poke_user(m, m->t, s + P, 'a'), 0);
	ck_assert_int_eq(node_sum(m, NS_nr_dirty), 1);
	ck_assert_int_eq(vm_msync(m->vm, m->t, s, 2 * P, VM_MS_SYNC), 0);
	ck_assert_int_eq(node_sum(m, NS_nr_dirty), 0);
	vm_file_look(f, P, &byte, 1);
	ck_assert_uint_eq(byte, 'a');
	ck_assert(!(leaf_of(m, m->t, s + P) & (PTE_RW | PTE_D)));
	ck_assert_int_eq(poke_user(m, m->t, s + P, 'b'), 0);
	ck_assert_int_eq(node_sum(m, NS_nr_dirty), 1);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, s, 2 * P), 0);
	ck_assert_uint_eq(vm_object_sync(f, 0, 1), 1);
	vm_file_look(f, P, &byte, 1);
	ck_assert_uint_eq(byte, 'b');
	vm_object_put(f, 0);
	vmed_free(m);
}
END_TEST

START_TEST(shared_memory_has_pages_even_when_only_read)
{
	struct vmed *m = vmed_usual();
	va_t a = map_with(m, 0, 4, RW, VM_MAP_SHARED, NULL, 0);

	ck_assert_uint_eq(byte_at(m, m->t, a), 0);
	ck_assert_int_eq(node_sum(m, NS_nr_shmem), 1);
	ck_assert_int_eq(m->t->mm->counter[MM_SHMEMPAGES], 1);
	ck_assert_uint_eq(m->b->phys->event[VE_pgmajfault], 0);
	vmed_free(m);
}
END_TEST

static const struct {
	const char *why;
	uint64_t prot; /* of two pages */
	int page;      /* touched; 2: beyond */
	enum mmu_access access;
	uint32_t sig, code;
} wrongs[] = {
	{"nothing there",		  RW,			      2, MMU_READ,  VM_SIGSEGV, VM_SEGV_MAPERR},
	{"write to read-only",      VM_PROT_READ,		     0, MMU_WRITE, VM_SIGSEGV,
	 VM_SEGV_ACCERR										  },
	{"read of nothing allowed", 0,			       0, MMU_READ,  VM_SIGSEGV, VM_SEGV_ACCERR},
	{"fetch of data",		  RW,			      0, MMU_FETCH, VM_SIGSEGV, VM_SEGV_ACCERR},
	{"fetch of code",		  VM_PROT_EXEC | VM_PROT_READ, 0, MMU_FETCH, 0,		0		 },
};

START_TEST(a_wrong_access_is_told_to_the_task)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 2, wrongs[_i].prot);
	const struct vm_access access = {
		.va = a + (va_t)wrongs[_i].page * P + 3,
		.len = 1,
		.access = wrongs[_i].access,
		.user = true,
	};
	struct vm_access_result r;

	vm_switch_to(m->vm, 0, m->t);
	ck_assert_int_eq(vm_access(m->vm, 0, &access, &r),
			 wrongs[_i].sig ? -EFAULT : 0);
	ck_assert_msg(r.sig == wrongs[_i].sig, "%s", wrongs[_i].why);
	ck_assert_msg(m->t->sig_code == wrongs[_i].code, "%s", wrongs[_i].why);
	if (r.sig)
		ck_assert_uint_eq(m->t->sig_addr, access.va);
	vmed_free(m);
}
END_TEST

START_TEST(who_handles_nothing_dies_of_it)
{
	struct vmed *m = vmed_usual();
	struct task *c = child_of(m->t);

	c->handles_segv = false;
	snprintf(c->comm, sizeof(c->comm), "victim");
	ck_assert_int_eq(poke_user(m, c, 0x1234, 1), -EFAULT);
	ck_assert_int_eq(c->state, TASK_ZOMBIE);
	ck_assert_ptr_null(c->mm);
	ck_assert_ptr_nonnull(strstr(m->b->log->str, "]: segfault at 1234 ip"));
	ck_assert_ptr_nonnull(strstr(m->b->log->str, " error 6"));
	ck_assert_int_eq(task_reap(c), 0);
	vmed_free(m);
}
END_TEST

START_TEST(kernel_addresses_and_holes_of_the_space_are_refused)
{
	struct vmed *m = vmed_usual();

	ck_assert_int_eq(poke_user(m, m->t, 0xffff888000000000, 1), -EFAULT);
	ck_assert_uint_eq(m->t->sig_code, VM_SEGV_MAPERR);
	ck_assert_int_eq(poke_user(m, m->t, 0x800000000000, 1), -EFAULT);
	ck_assert_uint_eq(m->t->sig_code, VM_SI_KERNEL);
	ck_assert_uint_eq(m->t->sig_addr, 0);
	vmed_free(m);
}
END_TEST

START_TEST(beyond_the_end_of_a_file_is_a_bus_error)
{
	struct vmed *m = vmed_usual();
	struct vm_object *f = vm_file_new(m->vm, "f", P + 10, "x", 1);
	va_t a = map_with(m, 0, 4, RW, VM_MAP_SHARED, f, 0);

	ck_assert_uint_eq(byte_at(m, m->t, a + P + 100), 0);
	ck_assert_int_eq(poke_user(m, m->t, a + 2 * P, 1), -EFAULT);
	ck_assert_uint_eq(m->t->sig, VM_SIGBUS);
	ck_assert_uint_eq(m->t->sig_code, VM_BUS_ADRERR);
	/* Cut shorter, its pages leave the tables. */
	vm_object_truncate(f, 0, 5);
	ck_assert_uint_eq(leaf_of(m, m->t, a + P), 0);
	ck_assert_int_eq(poke_user(m, m->t, a + P, 1), -EFAULT);
	f->broken = true;
	vm_object_truncate(f, 0, 0);
	vm_object_truncate(f, 0, P);
	ck_assert_int_eq(poke_user(m, m->t, a, 1), -EFAULT);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, 4 * P), 0);
	vm_object_put(f, 0);
	vmed_free(m);
}
END_TEST

START_TEST(a_stack_grows_down_to_its_limit_and_keeps_its_gap)
{
	struct vmed *m = vmed_usual();
	struct vma *v = vma_at(m->t->mm, m->vm->layout.map_window - 1);
	va_t low = v->start;

	ck_assert_str_eq(vma_name(v), "[stack]");
	ck_assert_uint_eq(v->end - v->start, KIB(132));
	ck_assert_int_eq(poke_user(m, m->t, low - 5 * P, 1), 0);
	ck_assert_uint_eq(v->start, low - 5 * P);
	ck_assert_int_eq(poke_user(m, m->t, v->end - MIB(8), 1), 0);
	ck_assert_int_eq(poke_user(m, m->t, v->end - MIB(8) - 1, 1), -EFAULT);
	ck_assert_uint_eq(m->t->sig_code, VM_SEGV_MAPERR);
	/* Another area nearer than 256 pages forbids it. */
	m->t->rlimit[LIMIT_STACK] = MIB(64);
	map_with(m, v->start - 260 * P, 1, RW, VM_MAP_PRIVATE | VM_MAP_FIXED,
		 NULL, 0);
	ck_assert_int_eq(poke_user(m, m->t, v->start - 3 * P, 1), 0);
	ck_assert_int_eq(poke_user(m, m->t, v->start - P, 1), -EFAULT);
	vmed_free(m);
}
END_TEST

START_TEST(damaged_tables_are_told_of_and_never_followed)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 4, RW);
	pa_t leaf, pmd;

	ck_assert_int_eq(poke_user(m, m->t, a, 1), 0);
	ck_assert_int_eq(poke_user(m, m->t, a + P, 2), 0);
	leaf = vm_entry_at(m->vm, m->t->mm, a, 0);
	/* Another frame than the area's: seen when it goes. */
	ram_store(m->ram, leaf, 8, 0x8000000000123067);
	vm_bytes_changed(m->vm, leaf, 8);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, P), 0);
	ck_assert_ptr_nonnull(strstr(m->b->log->str,
				     "BUG: Bad page map in process init  "
				     "pte:8000000000123067 pmd:"));
	/* A table that leads to itself. */
	pmd = vm_entry_at(m->vm, m->t->mm, a, 1);
	ram_store(m->ram, pmd, 8, (pmd & ~0xfffULL) | 0x67);
	vm_bytes_changed(m->vm, pmd, 8);
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, 4 * P), 0);
	ck_assert_ptr_nonnull(strstr(m->b->log->str, ": bad pmd "));
	end_task(m->t);
	ck_assert_ptr_nonnull(strstr(m->b->log->str, "BUG: Bad rss-counter"));
	ck_assert_ptr_nonnull(strstr(m->b->log->str, "BUG: non-zero pgtables"));
	phys_verify(m->b->phys, NULL, NULL);
	vm_free(m->vm);
	symbols_free(m->symbols);
	ram_free(m->ram);
	booted_free(m->b);
	g_free(m);
}
END_TEST

START_TEST(a_reserved_bit_kills_with_the_kernels_words)
{
	struct vmed *m = vmed_usual();
	struct task *c = child_of(m->t);
	va_t a;

	m->t->handles_segv = true;
	a = map(m, 1, RW);
	ck_assert_int_eq(poke_user(m, m->t, a, 1), 0);
	end_task(c);
	c = child_of(m->t);
	ram_store(m->ram, vm_entry_at(m->vm, c->mm, a, 0), 8,
		  0x0008000000123067);
	ck_assert_int_eq(poke_user(m, c, a, 1), -EFAULT);
	ck_assert_int_eq(c->state, TASK_ZOMBIE);
	ck_assert_uint_eq(c->sig, VM_SIGKILL);
	ck_assert_ptr_nonnull(strstr(m->b->log->str,
				     "init: Corrupted page table at address"));
	ck_assert_int_eq(task_reap(c), 0);
	/* The page that the entry pointed at is lost to its owner's count. */
	end_task(m->t);
	vm_free(m->vm);
	symbols_free(m->symbols);
	ram_free(m->ram);
	booted_free(m->b);
	g_free(m);
}
END_TEST

Suite *
suite_fault(void)
{
	Suite *s = suite_create("fault");
	TCase *c = tcase_create("fault");

	tcase_add_test(c, a_read_maps_the_zero_page_and_takes_no_frame);
	tcase_add_test(c, the_first_write_takes_one_zeroed_frame);
	tcase_add_test(c, a_write_after_a_read_leaves_the_zero_page);
	tcase_add_test(c, a_file_is_read_once_and_its_neighbours_come_with_it);
	tcase_add_test(c, private_writes_to_a_file_stay_private);
	tcase_add_test(c, the_copy_of_a_files_page_is_taken_before_the_page);
	tcase_add_test(c, msync_writes_back_and_tells_of_the_next_write);
	tcase_add_test(c, shared_memory_has_pages_even_when_only_read);
	tcase_add_loop_test(c, a_wrong_access_is_told_to_the_task, 0,
			    ARRAY_SIZE(wrongs));
	tcase_add_test(c, who_handles_nothing_dies_of_it);
	tcase_add_test(c, kernel_addresses_and_holes_of_the_space_are_refused);
	tcase_add_test(c, beyond_the_end_of_a_file_is_a_bus_error);
	tcase_add_test(c, a_stack_grows_down_to_its_limit_and_keeps_its_gap);
	tcase_add_test(c, damaged_tables_are_told_of_and_never_followed);
	tcase_add_test(c, a_reserved_bit_kills_with_the_kernels_words);
	suite_add_tcase(s, c);
	return s;
}
