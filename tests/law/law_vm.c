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
found(void *user, const char *law, const char *finding)
{
	fail(user, "%s: %s", law, finding);
}

static void
check_laws(struct run *r)
{
	vm_verify(r->vm, found, r);
	phys_verify(r->phys, found, r);
}

static void
add_number(void *sum, uint64_t v)
{
	uint64_t *hash = sum;

	*hash = (*hash ^ v) * 0x9e3779b97f4a7c15;
	*hash ^= *hash >> 29;
}

static uint64_t
pages_there(const struct run *r)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < r->phys->nr_zones; i++) {
		const struct zone *zone = r->phys->zones[i];

		sum += (uint64_t)zone->stat[ZS_nr_free_pages];
		for (unsigned int cpu = 0; zone->pcp && cpu < r->phys->nr_cpus;
		     cpu++)
			sum += zone->pcp[cpu].count;
	}
	return sum;
}

static void
show_line(void *user, const char *line)
{
	const struct run *r = user;

	if (r->show)
		printf("       | %s\n", line);
	if (!strncmp(line, "BUG:", 4) || strstr(line, ": bad "))
		fail(user, "%s", line);
}

/* --- runs --------------------------------------------------------------- */

static bool
start(struct run *r, const struct machine_kind *kind)
{
	char *text = g_strdup_printf("[machine]\n%s", kind->ini);
	char *error = NULL, why[256];
	struct vm_config config = kind->vm;

	r->kind = kind;
	r->random = seed;
	r->config = config_read(text, "law", &error);
	g_free(text);
	if (!r->config) {
		printf("%s\n", error);
		return false;
	}
	config.printk = show_line;
	config.printk_user = r;
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

	while (r->kind->room && pages_there(r) > r->kind->room &&
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

static uint64_t
run_once(const struct machine_kind *kind, unsigned int ops, bool show,
	 bool *failed)
{
	struct run *r = g_new0(struct run, 1);
	struct task *first = NULL;
	uint64_t pages, digest;

	r->show = show;
	if (!start(r, kind)) {
		*failed = true;
		return 0;
	}
	if (task_wake(task_find(r->vm, 1)))
		fail(r, "PID 1 does not run");
	fill(r);
	pages = pages_there(r);
	make_files(r);
	if (task_fork(task_find(r->vm, 1), 0, 0, "first", &first))
		fail(r, "the first fork");
	first->handles_segv = true;
	first->caps = CAP_IPC_LOCK_BIT;
	r->task[r->nr_tasks] = g_new0(struct mtask, 1);
	r->task[r->nr_tasks++]->t = first;
	for (r->step = 1; r->step <= ops && !r->failed; r->step++) {
		r->now += 1 + below(r, 1000);
		take_step(r);
		check_bytes(r, some_task(r));
		if (ops <= OFTEN || !below(r, SELDOM))
			check_laws(r);
	}
	vm_digest(r->vm, add_number, &r->digest);
	digest = r->digest;
	while (r->nr_tasks)
		drop_task(r, 0);
	if (!r->failed)
		check_files(r);
	check_laws(r);
	if (!r->failed && pages_there(r) != pages)
		fail(r, "%" PRIu64 " pages were free, %" PRIu64 " are", pages,
		     pages_there(r));
	*failed |= r->failed;
	stop(r);
	g_free(r);
	return digest;
}

int
main(int argc, char **argv)
{
	unsigned int most = 3000;
	const char *only = NULL;
	bool show = false, failed = false, seeded = false;
	uint64_t from = 1, to;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--seed") && i + 1 < argc) {
			from = strtoull(argv[++i], NULL, 0);
			seeded = true;
		} else if (!strcmp(argv[i], "--ops") && i + 1 < argc) {
			most = (unsigned int)strtoul(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--machine") && i + 1 < argc) {
			only = argv[++i];
		} else if (!strcmp(argv[i], "--trace")) {
			show = true;
		} else {
			fprintf(stderr, "law_vm [--seed N] [--ops N] "
					"[--machine NAME] [--trace]\n");
			return 2;
		}
	}
	to = seeded ? from : from + 7;
	for (unsigned int ops = MIN_OF(most, 10); !failed; ops *= 4) {
		ops = MIN_OF(ops, most);
		for (seed = from; seed <= to && !failed; seed++)
			for (size_t k = 0; k < ARRAY_SIZE(kinds) && !failed;
			     k++) {
				uint64_t one, two;

				if (only && strcmp(only, kinds[k].name))
					continue;
				one = run_once(&kinds[k], ops, show, &failed);
				if (failed)
					break;
				two = run_once(&kinds[k], ops, false, &failed);
				if (one == two)
					continue;
				printf("FAILED --seed %" PRIu64
				       " --machine %s: two runs differ\n",
				       seed, kinds[k].name);
				failed = true;
			}
		if (ops == most)
			break;
	}
	if (!failed)
		printf("law_vm: up to %u steps on each of %zu machines\n", most,
		       ARRAY_SIZE(kinds));
	return failed;
}
