// SPDX-License-Identifier: MIT
/* test_kernel_stack.c - stacks of tasks and interrupts, and what lies below */
#include "kerneled.h"

Suite *suite_kernel_stack(void);

#define P VM_PAGE

static const struct kerneled_kind kinds[] = {
	{.arch = "x86-64"			 },
	{	      .arch = "x86-64", .kernel = {.vmap_stack_set = true}},
	{	      .arch = "i386"				  },
	{ .arch = "i386",				   .kernel = {.stack = 4096}},
	{			       .arch = "i386-pae",
	 .kernel = {.vmap_stack_set = true, .vmap_stack = true}},
};

static struct task *
child(struct kerneled *m)
{
	struct task *t = NULL;

	ck_assert_int_eq(task_fork(m->init, 0, 0, NULL, &t), 0);
	return t;
}

static void
end(struct task *t)
{
	ck_assert_int_eq(task_exit(t, true), 0);
	ck_assert_int_eq(task_reap(t), 0);
}

static int64_t
kib(const struct kerneled *m)
{
	int64_t sum = 0;

	for (unsigned int i = 0; i < m->b->phys->nr_nodes; i++)
		sum += m->b->phys->nodes[i]->stat[NS_nr_kernel_stack];
	return sum;
}

START_TEST(every_task_has_a_stack_that_is_counted)
{
	struct kerneled *m = kerneled_new(&kinds[_i]);
	struct task *t = child(m);
	uint64_t bytes = m->vm->layout.stack_bytes;

	ck_assert_int_eq(kib(m), 2 * (int64_t)bytes / 1024);
	ck_assert_uint_eq(t->kernel_stack % bytes, 0);
	ck_assert(kernel_stack_intact(t));
	ck_assert_uint_eq(kernel_stack_unused(m->vm, t->kernel_stack, bytes),
			  bytes - (m->vm->mode >= MMU_4LEVEL ? 8 : 4));
	ck_assert_int_eq(kernel_area_at(m->k, t->kernel_stack) != NULL,
			 kernel_stack_is_area(m->vm));
	kerneled_lawful(m);
	end(t);
	ck_assert_int_eq(kib(m), (int64_t)bytes / 1024);
	kerneled_free(m);
}
END_TEST

START_TEST(a_cpu_keeps_two_stacks_for_the_next_tasks)
{
	struct kerneled *m = kerneled_usual();
	struct task *t[3];
	va_t first;

	for (int i = 0; i < 3; i++)
		t[i] = child(m);
	first = t[0]->kernel_stack;
	for (int i = 0; i < 3; i++)
		end(t[i]);
	ck_assert_uint_eq(m->k->stacks[0]->start, first);
	ck_assert_ptr_nonnull(m->k->stacks[1]);
	ck_assert_uint_eq(m->k->lazy_pages, 5);
	kerneled_lawful(m);
	t[0] = child(m);
	ck_assert_uint_eq(t[0]->kernel_stack, first);
	ck_assert(kernel_stack_intact(t[0]));
	kerneled_free(m);
}
END_TEST

START_TEST(a_stack_within_its_bounds_harms_nobody)
{
	struct kerneled *m = kerneled_new(&kinds[_i]);
	struct task *t = child(m);
	uint64_t bytes = m->vm->layout.stack_bytes;
	struct stack_use u;

	ck_assert_int_eq(
		kernel_stack_use(m->vm, t, 0, STACK_TASK, bytes / 2, false, &u),
		0);
	ck_assert_uint_eq(u.left, bytes / 2);
	ck_assert(!u.guard && !u.damaged && kernel_stack_intact(t));
	ck_assert_uint_le(kernel_stack_unused(m->vm, t->kernel_stack, bytes),
			  bytes / 2);
	kerneled_free(m);
}
END_TEST

START_TEST(the_guard_page_stops_what_runs_over)
{
	struct kerneled *m = kerneled_usual();
	struct task *t = child(m);
	struct stack_use u;

	ck_assert_int_eq(kernel_stack_use(m->vm, t, 0, STACK_TASK, 16384 + 24,
					  false, &u),
			 -EFAULT);
	ck_assert(u.guard);
	ck_assert_uint_eq(u.at, t->kernel_stack - 8);
	ck_assert_uint_eq(u.damaged, 0);
	ck_assert(told(m, "BUG: TASK stack guard page was hit at "));
	ck_assert(told(m, "stack guard page: 0000 [#1]"));
	ck_assert_str_eq(m->panics->str, "Fatal exception in interrupt\n");
	kerneled_free(m);
}
END_TEST

START_TEST(without_a_guard_the_neighbour_is_overwritten_and_found_later)
{
	struct kerneled *m =
		kerneled_new(&(struct kerneled_kind){.arch = "i386"});
	struct task *t = child(m);
	pa_t below = kernel_pa(m->vm, t->kernel_stack) - 4;
	struct stack_use u;

	ck_assert_int_eq(
		kernel_stack_use(m->vm, t, 0, STACK_TASK, 8192 + 24, false, &u),
		0);
	ck_assert_uint_eq(u.damaged, 24);
	m->damaged = true;
	ck_assert_uint_eq(u.neighbour, below >> VM_PAGE_SHIFT);
	ck_assert_uint_eq(ram_load(m->ram, below, 4), 0xcccccccc);
	ck_assert(!kernel_stack_intact(t));
	ck_assert_uint_eq(m->panics->len, 0);
	/* The scheduler looks when it takes the CPU from it. */
	ck_assert_int_eq(vm_switch_to(m->vm, 0, t), 0);
	ck_assert_uint_eq(m->panics->len, 0);
	ck_assert_int_eq(vm_switch_to(m->vm, 0, m->init), 0);
	ck_assert_str_eq(m->panics->str,
			 "corrupted stack end detected inside scheduler\n");
	kerneled_free(m);
}
END_TEST

START_TEST(interrupts_have_stacks_of_their_own)
{
	struct kerneled *m = kerneled_new(&kinds[_i]);
	struct task *t = child(m);
	va_t hard = kernel_irq_stack(m->vm, 0, STACK_IRQ);
	va_t soft = kernel_irq_stack(m->vm, 0, STACK_SOFTIRQ);
	struct stack_use u;

	ck_assert_uint_ne(hard, 0);
	ck_assert_uint_ne(hard, kernel_irq_stack(m->vm, 1, STACK_IRQ));
	ck_assert_int_eq(hard == soft, m->vm->mode >= MMU_4LEVEL);
	ck_assert_int_eq(
		kernel_stack_use(m->vm, t, 0, STACK_TASK, 3000, true, &u), 0);
	ck_assert_int_eq(
		kernel_stack_use(m->vm, t, 0, STACK_IRQ, 3000, false, &u), 0);
	ck_assert_uint_eq(u.lowest, hard);
	ck_assert_uint_eq(u.depth, 3000);
	kerneled_free(m);
}
END_TEST

START_TEST(shared_stacks_add_up)
{
	struct kerneled *m = kerneled_new(&(struct kerneled_kind){
		.arch = "i386", .kernel = {.irq_shared = true}});
	struct task *t = child(m);
	struct stack_use u;

	ck_assert_uint_eq(kernel_irq_stack(m->vm, 0, STACK_IRQ), 0);
	ck_assert_int_eq(
		kernel_stack_use(m->vm, t, 0, STACK_TASK, 5000, true, &u), 0);
	ck_assert_int_eq(
		kernel_stack_use(m->vm, t, 0, STACK_IRQ, 5000, false, &u), 0);
	ck_assert_uint_eq(u.lowest, t->kernel_stack);
	ck_assert_uint_eq(u.depth, 10000);
	ck_assert_uint_eq(u.damaged, 10000 - 8192);
	m->damaged = true;
	kerneled_free(m);
}
END_TEST

/* Why stacks of one page were wanted. */
START_TEST(a_fork_without_pairs_of_pages_needs_stacks_of_one)
{
	static const struct {
		uint64_t stack;
		int err;
	} rows[] = {
		{4096, 0	},
		{8192, -ENOMEM},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kerneled *m = kerneled_new(&(struct kerneled_kind){
			.arch = "i386",
			.memory = "64M",
			.kernel = {.stack = rows[i].stack}});
		const struct page_request q = {.gfp = GFP_KERNEL,
					       .nid = NODE_LOCAL,
					       .pf_memalloc = true};
		GArray *all = g_array_new(FALSE, FALSE, sizeof(pfn_t));
		struct task *t = NULL;
		pfn_t pfn;

		ck_assert_int_eq(task_wake(m->init), 0);
		while (!pages_alloc(m->b->phys, &q, &pfn))
			g_array_append_val(all, pfn);
		for (guint n = 0; n < all->len; n++)
			if (g_array_index(all, pfn_t, n) & 1)
				pages_put(m->b->phys,
					  g_array_index(all, pfn_t, n), 0, 0);
		ck_assert_int_eq(task_fork(m->init, 0, 0, NULL, &t),
				 rows[i].err);
		g_array_free(all, TRUE);
		kerneled_free(m);
	}
}
END_TEST

Suite *
suite_kernel_stack(void)
{
	Suite *s = suite_create("kernel_stack");
	TCase *tc = tcase_create("kernel_stack");
	const int all = ARRAY_SIZE(kinds);

	tcase_add_loop_test(tc, every_task_has_a_stack_that_is_counted, 0, all);
	tcase_add_test(tc, a_cpu_keeps_two_stacks_for_the_next_tasks);
	tcase_add_loop_test(tc, a_stack_within_its_bounds_harms_nobody, 0, all);
	tcase_add_test(tc, the_guard_page_stops_what_runs_over);
	tcase_add_test(
		tc,
		without_a_guard_the_neighbour_is_overwritten_and_found_later);
	tcase_add_loop_test(tc, interrupts_have_stacks_of_their_own, 0, all);
	tcase_add_test(tc, shared_stacks_add_up);
	tcase_add_test(tc, a_fork_without_pairs_of_pages_needs_stacks_of_one);
	suite_add_tcase(s, tc);
	return s;
}
