// SPDX-License-Identifier: MIT
/*
 * law_vm.c - random programs on many tasks beside a flat model of their bytes
 *
 *   law_vm [--seed N] [--ops N] [--machine NAME] [--trace]
 *
 * The model knows nothing of tables, faults or frames: for each task an array
 * of pages, each with its rights and its bytes, or the page of the file or
 * shared memory that it shows.  After each step all that a task has in its
 * tables must be what the model says, and every so often all laws are checked.
 * Runs go from few steps to many.  At the end every task has exited, and the
 * page allocator has what it had.  Each run is done twice: the digests must be
 * equal.
 *
 * A failure prints seed, machine and step; --seed N --machine NAME --trace
 * reruns it and shows each step.
 */
#include "vm_steps.h"

#include "kmemfs/vm/kernel.h"

/* --- checks ------------------------------------------------------------- */

/* All that @m has in its tables is what the model says. */
static void
check_bytes(struct run *r, const struct mtask *m)
{
	uint8_t bytes[VM_PAGE];

	for (unsigned int n = 0; n < PAGES; n++) {
		const struct mpage *p = &m->page[n];

		if (!vm_peek(r->vm, m->t, address(m, n), bytes, VM_PAGE))
			continue;
		if (!can_read(p))
			fail(r, "%d has page %u in its tables", m->t->pid, n);
		else if (memcmp(bytes, content(p), VM_PAGE))
			fail(r, "%d has other bytes in page %u", m->t->pid, n);
	}
}

static void
check_laws(struct run *r)
{
	vm_verify(r->vm, law_found, &r->law);
	phys_verify(r->phys, law_found, &r->law);
}

static void
show_line(void *user, const char *line)
{
	struct run *r = user;

	if (r->law.show)
		printf("       | %s\n", line);
	if (!strncmp(line, "BUG:", 4) || strstr(line, ": bad "))
		fail(r, "%s", line);
}

/* --- runs --------------------------------------------------------------- */

/* Stacks are blocks, which come free with their tasks. */
static const struct kernel_config kernel = {
	.vmap_stack_set = true,
	.irq_shared = true,
};

static bool
start(struct run *r, const struct machine_kind *kind)
{
	struct vm_config config = kind->vm;
	char why[256];

	r->kind = kind;
	r->config = law_config(kind->ini);
	if (!r->config)
		return false;
	config.printk = show_line;
	config.printk_user = r;
	config.kernel = &kernel;
	r->phys = phys_boot(&r->config->phys, &r->trace, &r->now, NULL, NULL,
			    why, sizeof(why));
	r->ram = ram_new(r->phys->max_pfn << r->phys->page_shift, UINT64_MAX);
	r->symbols = symbols_new(0xffffffff81000000, 64);
	r->vm = vm_boot(r->phys, r->ram, r->symbols, &config);
	return true;
}

/* Someone else has most of the memory. */
static void
fill(struct run *r)
{
	const struct page_request q = {
		.gfp = GFP_HIGHUSER_MOVABLE | __GFP_NOWARN, .nid = NODE_LOCAL};
	pfn_t pfn;

	while (r->kind->room && unused_pages(r->phys) > r->kind->room &&
	       !pages_alloc(r->phys, &q, &pfn))
		;
}

static void
make_files(struct run *r)
{
	for (unsigned int i = 0; i < FILES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "file%u", i);
		r->content[i] = g_new0(struct shared, FILE_PAGES);
		for (unsigned int n = 0; n < FILE_PAGES; n += 2)
			memset(r->content[i][n].bytes, (int)(i * 50 + n + 1),
			       VM_PAGE);
		r->file[i] = vm_file_new(r->vm, name, FILE_PAGES * VM_PAGE,
					 r->content[i], FILE_PAGES * VM_PAGE);
	}
}

static void
stop(struct run *r)
{
	window = 192;
	for (unsigned int i = 0; i < FILES; i++)
		g_free(r->content[i]);
	for (unsigned int i = 0; i < r->nr_made; i++)
		g_free(r->made[i]);
	vm_free(r->vm);
	symbols_free(r->symbols);
	ram_free(r->ram);
	phys_free(r->phys);
	config_free(r->config);
}

/* What a file's device has after all is what was written to its pages. */
static void
check_files(struct run *r)
{
	static uint8_t bytes[FILE_PAGES * VM_PAGE];

	for (unsigned int i = 0; i < FILES; i++) {
		int64_t got =
			vm_object_read(r->file[i], 0, 0, bytes, sizeof(bytes));

		vm_object_put(r->file[i], 0);
		/* There may be no room for all of it at once. */
		if (got < (int64_t)sizeof(bytes) && r->kind->room)
			continue;
		if (got != (int64_t)sizeof(bytes))
			fail(r, "file %u: %d bytes read", i, (int)got);
		for (unsigned int n = 0; n < FILE_PAGES; n++)
			if (memcmp(bytes + n * VM_PAGE, r->content[i][n].bytes,
				   VM_PAGE))
				fail(r, "file %u, page %u has other bytes", i,
				     n);
	}
}

static void
run_steps(struct run *r, unsigned int ops)
{
	for (r->law.step = 1; r->law.step <= ops && !r->law.failed;
	     r->law.step++) {
		r->now += 1 + below(r, 1000);
		law_take_step(&r->law, r, steps, ARRAY_SIZE(steps));
		check_bytes(r, some_task(r));
		if (ops <= OFTEN || !below(r, SELDOM))
			check_laws(r);
	}
}

/* The first of all tasks is a child of PID 1. */
static void
fork_first(struct run *r)
{
	struct task *first = NULL;

	if (task_fork(task_find(r->vm, 1), 0, 0, "first", &first))
		fail(r, "the first fork");
	first->handles_segv = true;
	first->caps = CAP_IPC_LOCK_BIT;
	r->task[r->nr_tasks] = g_new0(struct mtask, 1);
	r->task[r->nr_tasks++]->t = first;
}

static const char *
kind_name(size_t i)
{
	return kinds[i].name;
}

/* Both times alike. */
static bool
run_once(size_t i, const struct law_run *law, unsigned int ops, bool second,
	 uint64_t *digest)
{
	struct run *r = g_new0(struct run, 1);
	uint64_t pages;
	bool passed;

	(void)second;
	r->law = *law;
	if (!start(r, &kinds[i])) {
		g_free(r);
		return false;
	}
	if (task_wake(task_find(r->vm, 1)))
		fail(r, "PID 1 does not run");
	if (r->kind->huge) {
		window = WINDOW_MOST;
		r->vm->thp->enabled = THP_ALWAYS;
		r->vm->thp->use_zero_page = true;
		r->vm->thp->defrag = THP_DEFRAG_MADVISE;
	}
	fill(r);
	pages = unused_pages(r->phys);
	make_files(r);
	fork_first(r);
	run_steps(r, ops);
	vm_digest(r->vm, &(struct number_stream){hash_number, digest});
	say(r,
	    "huge pages: %u at once, %u collapsed, %u entries split, %u pages",
	    (unsigned int)r->phys->event[VE_thp_fault_alloc],
	    (unsigned int)r->phys->event[VE_thp_collapse_alloc],
	    (unsigned int)r->phys->event[VE_thp_split_pmd],
	    (unsigned int)r->phys->event[VE_thp_split_page]);
	while (r->nr_tasks)
		drop_task(r, 0);
	if (!r->law.failed)
		check_files(r);
	(void)thp_shrink_zero(r->vm, 0);
	(void)hugetlb_resize(r->vm, 0, HUGETLB_ALL_NODES, 0);
	check_laws(r);
	if (!r->law.failed && unused_pages(r->phys) != pages)
		fail(r, "%" PRIu64 " pages were free, %" PRIu64 " are", pages,
		     unused_pages(r->phys));
	passed = !r->law.failed;
	stop(r);
	g_free(r);
	return passed;
}

int
main(int argc, char **argv)
{
	static const struct law_test test = {
		.nr_machines = ARRAY_SIZE(kinds),
		.machine = kind_name,
		.run = run_once,
		.differ = "two runs differ",
		.first = 10,
		.factor = 4,
		.seeds = 8,
	};

	return law_main(argc, argv, &test);
}
