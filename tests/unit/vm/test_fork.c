// SPDX-License-Identifier: MIT
/* test_fork.c - copies of address spaces, and of pages when they are written */
#include "vmed.h"

Suite *suite_fork(void);

#define P VM_PAGE

START_TEST(fork_takes_tables_and_a_stack_and_no_page)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 64, RW);
	struct task *c;
	uint64_t free;

	for (int i = 0; i < 64; i++)
		ck_assert_int_eq(
			poke_user(m, m->t, a + (va_t)i * P, (uint8_t)i), 0);
	free = vmed_free_pages(m);
	c = child_of(m->t);
	/* Four pages of kernel stack, and its tables. */
	ck_assert_uint_eq(vmed_free_pages(m), free - 4 - c->mm->tables);
	ck_assert_uint_eq(mm_rss(c->mm), mm_rss(m->t->mm));
	ck_assert_uint_eq(pfn_of(m, c, a), pfn_of(m, m->t, a));
	ck_assert(!(leaf_of(m, m->t, a) & PTE_RW));
	ck_assert(!(leaf_of(m, c, a) & PTE_RW));
	vmed_lawful(m);
	end_task(c);
	vmed_free(m);
}
END_TEST

START_TEST(the_first_writer_copies_and_the_last_one_does_not)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 3, RW);
	struct task *c;
	pfn_t was;
	uint64_t reuse, free;

	ck_assert_int_eq(poke_user(m, m->t, a, 'h'), 0);
	was = pfn_of(m, m->t, a);
	c = child_of(m->t);
	free = vmed_free_pages(m);
	ck_assert_int_eq(poke_user(m, c, a, 'j'), 0);
	ck_assert_uint_eq(vmed_free_pages(m), free - 1);
	ck_assert_uint_ne(pfn_of(m, c, a), was);
	ck_assert_uint_eq(byte_at(m, m->t, a), 'h');
	ck_assert_uint_eq(byte_at(m, c, a), 'j');
	reuse = m->b->phys->event[VE_pgreuse];
	ck_assert_int_eq(poke_user(m, m->t, a, 'k'), 0);
	ck_assert_uint_eq(pfn_of(m, m->t, a), was);
	ck_assert_uint_eq(m->b->phys->event[VE_pgreuse], reuse + 1);
	ck_assert_uint_eq(byte_at(m, c, a), 'j');
	ck_assert_int_eq(m->b->phys->frames[was].mapcount, 1);
	end_task(c);
	vmed_free(m);
}
END_TEST

START_TEST(after_the_child_has_gone_the_parent_writes_in_place)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 1, RW);
	pfn_t was;

	ck_assert_int_eq(poke_user(m, m->t, a, 1), 0);
	was = pfn_of(m, m->t, a);
	end_task(child_of(m->t));
	ck_assert_int_eq(poke_user(m, m->t, a, 2), 0);
	ck_assert_uint_eq(pfn_of(m, m->t, a), was);
	vmed_free(m);
}
END_TEST

START_TEST(shared_memory_is_seen_by_both)
{
	struct vmed *m = vmed_usual();
	va_t a = map_with(m, 0, 2, RW, VM_MAP_SHARED, NULL, 0);
	struct task *c = child_of(m->t);

	ck_assert_int_eq(poke_user(m, m->t, a + P, 7), 0);
	ck_assert_uint_eq(byte_at(m, c, a + P), 7);
	ck_assert_int_eq(poke_user(m, c, a + P, 8), 0);
	ck_assert_uint_eq(byte_at(m, m->t, a + P), 8);
	end_task(c);
	vmed_free(m);
}
END_TEST

START_TEST(advice_says_what_a_child_gets)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 3, RW);
	struct task *c;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(poke_user(m, m->t, a + (va_t)i * P, 5), 0);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a, P, VM_MADV_DONTFORK), 0);
	ck_assert_int_eq(vm_madvise(m->vm, m->t, a + P, P, VM_MADV_WIPEONFORK),
			 0);
	ck_assert_int_eq(vm_mlock(m->vm, m->t, a + 2 * P, P, false), 0);
	c = child_of(m->t);
	c->handles_segv = true;
	ck_assert_int_eq(poke_user(m, c, a, 1), -EFAULT);
	ck_assert_uint_eq(byte_at(m, c, a + P), 0);
	ck_assert_uint_eq(byte_at(m, c, a + 2 * P), 5);
	ck_assert_uint_eq(c->mm->locked_vm, 0);
	ck_assert_uint_eq(byte_at(m, m->t, a + P), 5);
	vmed_lawful(m);
	end_task(c);
	vmed_free(m);
}
END_TEST

START_TEST(threads_share_all_and_the_last_one_ends_it)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 1, RW);
	struct task *c, *thread = NULL;

	c = child_of(m->t);
	ck_assert_int_eq(
		task_fork(c, 0, TASK_SHARES_VM | TASK_THREAD, "th", &thread),
		0);
	ck_assert_ptr_eq(thread->mm, c->mm);
	ck_assert_int_eq(thread->tgid, c->tgid);
	ck_assert_ptr_eq(task_named(m->vm, "th"), thread);
	ck_assert_int_eq(task_fork(c, 0, 0, "th", &thread), -EEXIST);
	thread = task_named(m->vm, "th");
	ck_assert_int_eq(poke_user(m, thread, a, 4), 0);
	ck_assert_uint_eq(byte_at(m, c, a), 4);
	ck_assert_int_eq(task_exit(c, false), 0);
	ck_assert_uint_eq(byte_at(m, thread, a), 4);
	ck_assert_int_eq(task_exit(thread, true), 0);
	ck_assert_int_eq(task_reap(c), 0);
	ck_assert_int_eq(task_reap(thread), 0);
	vmed_free(m);
}
END_TEST

START_TEST(a_fork_that_is_refused_leaves_nothing)
{
	struct vmed *m = vmed_usual();
	uint64_t free, committed;
	struct task *c = NULL;
	va_t a = map(m, 300, RW);

	for (int i = 0; i < 300; i++)
		ck_assert_int_eq(poke_user(m, m->t, a + (va_t)i * P, 1), 0);
	m->vm->sysctl.overcommit_memory = 2;
	m->vm->sysctl.admin_reserve_kbytes = 0;
	m->vm->sysctl.overcommit_kbytes = (m->vm->committed + 200) * 4;
	free = vmed_free_pages(m);
	committed = m->vm->committed;
	ck_assert_int_eq(task_fork(m->t, 0, 0, NULL, &c), -ENOMEM);
	ck_assert_uint_eq(vmed_free_pages(m), free);
	ck_assert_uint_eq(m->vm->committed, committed);
	ck_assert_ptr_nonnull(
		strstr(m->b->log->str, "__vm_enough_memory: pid:"));
	vmed_lawful(m);
	vmed_free(m);
}
END_TEST

START_TEST(pinned_pages_stay_with_the_parent)
{
	struct vmed *m = vmed_usual();
	va_t a = map(m, 2, RW);
	struct task *c;
	pfn_t pfns[2];

	ck_assert_int_eq(poke_user(m, m->t, a, 1), 0);
	ck_assert_int_eq(vm_pin_pages(m->vm, m->t, a, 2, true, pfns), 2);
	ck_assert_uint_eq(pfns[0], pfn_of(m, m->t, a));
	c = child_of(m->t);
	ck_assert_uint_ne(pfn_of(m, c, a), pfns[0]);
	ck_assert_uint_eq(byte_at(m, c, a), 1);
	ck_assert_int_eq(poke_user(m, m->t, a, 2), 0);
	ck_assert_uint_eq(pfn_of(m, m->t, a), pfns[0]);
	vmed_lawful(m);
	/* A page that was pinned outlives its mapping. */
	ck_assert_int_eq(vm_munmap(m->vm, m->t, a, P), 0);
	ck_assert_int_eq(m->b->phys->frames[pfns[0]].refs, 1);
	ck_assert_int_eq(vm_unpin_page(m->vm, pfns[0], true, 0), 0);
	ck_assert_int_eq(vm_unpin_page(m->vm, pfns[0], true, 0), -EINVAL);
	ck_assert_int_eq(vm_unpin_page(m->vm, pfns[1], false, 0), 0);
	end_task(c);
	vmed_free(m);
}
END_TEST

START_TEST(exec_begins_anew_and_gives_all_back)
{
	struct vmed *m = vmed_usual();
	struct vm_object *f = vm_file_new(m->vm, "prog", 4 * P,
					  "\x7f"
					  "ELF",
					  4);
	const struct vm_image image = {
		.comm = "prog",
		.file = f,
		.text = 2 * P + 5,
		.data = P,
		.bss = 3 * P,
		.heap = 2 * P,
	};
	va_t a = map(m, 20, RW);

	ck_assert_int_eq(poke_user(m, m->t, a, 1), 0);
	ck_assert_int_eq(task_exec(m->t, &image), 0);
	ck_assert_str_eq(m->t->comm, "prog");
	ck_assert_int_eq(poke_user(m, m->t, a, 1), -EFAULT);
	ck_assert_uint_eq(byte_at(m, m->t, 0x400000), 0x7f);
	ck_assert_int_eq(poke_user(m, m->t, 0x400000, 1), -EFAULT);
	ck_assert_uint_eq(m->t->sig_code, VM_SEGV_ACCERR);
	ck_assert_int_eq(poke_user(m, m->t, m->t->mm->start_data, 1), 0);
	ck_assert_int_eq(poke_user(m, m->t, m->t->mm->brk - 1, 1), 0);
	ck_assert_uint_eq(byte_at(m, m->t, m->t->mm->arg_start), 'p');
	ck_assert_int_eq(
		task_exec(m->t, &(struct vm_image){.text = UINT64_MAX}),
		-EINVAL);
	ck_assert_int_eq(task_exec(m->t, &(struct vm_image){.text = P}), 0);
	vm_object_put(f, 0);
	vmed_free(m);
}
END_TEST

START_TEST(kernel_threads_have_a_stack_and_nothing_else)
{
	struct vmed *m = vmed_usual();
	int64_t kib = node_sum(m, NS_nr_kernel_stack);
	struct task *k = NULL;

	ck_assert_int_eq(task_kthread(m->vm, 1, "kswapd0", NULL, &k), 0);
	ck_assert_int_eq(node_sum(m, NS_nr_kernel_stack), kib + 16);
	ck_assert_ptr_null(k->mm);
	ck_assert_int_eq(vm_mlockall(m->vm, k, VM_MCL_CURRENT), -EINVAL);
	/* It runs in the address space of the task before. */
	ck_assert_int_eq(vm_switch_to(m->vm, 0, m->t), 0);
	ck_assert_int_eq(vm_switch_to(m->vm, 0, k), 0);
	ck_assert_ptr_eq(m->vm->cpu[0].mm, m->t->mm);
	end_task(k);
	vmed_free(m);
}
END_TEST

Suite *
suite_fork(void)
{
	Suite *s = suite_create("fork");
	TCase *c = tcase_create("fork");

	tcase_add_test(c, fork_takes_tables_and_a_stack_and_no_page);
	tcase_add_test(c, the_first_writer_copies_and_the_last_one_does_not);
	tcase_add_test(c, after_the_child_has_gone_the_parent_writes_in_place);
	tcase_add_test(c, shared_memory_is_seen_by_both);
	tcase_add_test(c, advice_says_what_a_child_gets);
	tcase_add_test(c, threads_share_all_and_the_last_one_ends_it);
	tcase_add_test(c, a_fork_that_is_refused_leaves_nothing);
	tcase_add_test(c, pinned_pages_stay_with_the_parent);
	tcase_add_test(c, exec_begins_anew_and_gives_all_back);
	tcase_add_test(c, kernel_threads_have_a_stack_and_nothing_else);
	suite_add_tcase(s, c);
	return s;
}
