// SPDX-License-Identifier: MIT
/*
 * bench_vm.c - virtual memory: hits, walks, faults, forks
 *
 * Rows: an access that the TLB knows; a walk of four levels against the four
 * loads that it consists of; a fault that brings a page of zeros and a fork,
 * against the host's own; touches as lines of control/batch.
 */
#include "kmemfs/vm/mm.h"
#include "kmemfs/vm/task.h"
#include "lib/bench.h"
#include "lib/ops.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Small pages only: a huge one would be one fault for 512 of them. */
#define MACHINE                                                                \
	"[machine]\narch = x86-64\nmemory = 4G\ncpus = 1\n"                    \
	"cmdline = transparent_hugepage=never\n"

static const char usual[] = MACHINE;
/* Nor are caches modelled, which have a price of their own at each access. */
static const char no_caches[] = MACHINE "[cache]\nmodel = no\n";

static _Noreturn void
give_up(const char *what)
{
	fprintf(stderr, "bench_vm: %s\n", what);
	exit(1);
}

/* --- a machine with a task that has memory ---------------------------------
 */

struct running {
	struct machine *m;
	struct vm *vm;
	struct task *t;
	va_t at;	/* of its memory */
	uint64_t pages; /* mapped and touched */
	volatile uint64_t sink;
};

static va_t
map(const struct running *r, uint64_t pages)
{
	const struct vm_mmap_args args = {
		.len = pages * VM_PAGE,
		.prot = VM_PROT_READ | VM_PROT_WRITE,
		.flags = VM_MAP_PRIVATE | VM_MAP_ANONYMOUS,
	};
	va_t at;

	if (vm_mmap(r->vm, r->t, &args, &at))
		give_up("no memory can be mapped");
	return at;
}

static bool
touch(const struct running *r, va_t at)
{
	const struct vm_access a = {
		.va = at, .len = 1, .access = MMU_WRITE, .user = true};
	struct vm_access_result result;

	return !vm_access(r->vm, 0, &a, &result);
}

static void
touch_all(const struct running *r, va_t at, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		if (!touch(r, at + i * VM_PAGE))
			give_up("a page cannot be touched");
}

static struct running
run(const char *ini, uint64_t pages)
{
	struct running r = {.m = bench_boot(ini), .pages = pages};
	struct task *init = task_find(r.m->vm, 1);

	r.vm = r.m->vm;
	if (task_wake(init) || task_fork(init, 0, 0, "bench", &r.t) ||
	    vm_switch_to(r.vm, 0, r.t))
		give_up("no task can be made");
	r.at = map(&r, pages);
	touch_all(&r, r.at, pages);
	return r;
}

/* --- a hit of the TLB ------------------------------------------------------
 */

#define HITS 2000000U
#define HIT_PAGES 32
/* A line further in each page, or all would share one set of the L1 cache. */
#define HIT_STEP (VM_PAGE + 64)

static double
hit_ours(void *with)
{
	struct running *r = with;
	struct vm_access a = {.len = 1, .access = MMU_READ, .user = true};
	struct vm_access_result result;
	uint64_t sum = 0, start = bench_cpu();

	for (unsigned int i = 0; i < HITS; i++) {
		a.va = r->at + i % HIT_PAGES * HIT_STEP;
		if (vm_access(r->vm, 0, &a, &result))
			return NAN;
		sum += result.pa;
	}
	r->sink = sum;
	return (double)(bench_cpu() - start) / HITS;
}

static double
hit_loop(void *with)
{
	struct running *r = with;
	uint64_t start = bench_cpu();

	for (unsigned int i = 0; i < HITS; i++)
		r->sink = r->at + i % HIT_PAGES * HIT_STEP;
	return (double)(bench_cpu() - start) / HITS;
}

static void
bench_hit(const char *what, const char *ini, enum bench_target target)
{
	struct running r;

	if (!bench_wants(what))
		return;
	r = run(ini, HIT_PAGES);
	bench_run(&(struct bench_row){
		.what = what,
		.unit = "ns",
		.reference = "the loop alone",
		.ours = hit_ours,
		.other = hit_loop,
		.with = &r,
		.target = target,
		.limit = 15,
	});
	machine_free(r.m);
}

/* --- a walk ----------------------------------------------------------------
 */

#define WALKS 500000U
#define WALK_PAGES 65536U /* their tables: half a megabyte */
#define LEVELS 4
#define ENTRIES 512U

struct walks {
	struct running r;
	struct mmu_regs regs;
	GArray *flat; /* of uint64_t: the tables one behind the other, each
			 entry the place of the next table or the page */
};

/* The walk's next address; it waits for what the last gave. */
static inline va_t
next_address(const struct running *r, uint64_t *random, pa_t last)
{
	*random = (*random + (last >> 63)) * 6364136223846793005ULL + 1;
	return r->at + (*random >> 40) % WALK_PAGES * VM_PAGE;
}

static double
walk_ours(void *with)
{
	struct walks *w = with;
	struct mmu_request q = {.access = MMU_READ, .user = true};
	struct mmu_result result = {0};
	uint64_t random = 7, start = bench_cpu();

	for (unsigned int i = 0; i < WALKS; i++) {
		q.va = next_address(&w->r, &random, result.pa);
		mmu_walk(w->r.m->ram, &w->regs, &q, &result);
		if (result.outcome != MMU_OK)
			return NAN;
	}
	w->r.sink = result.pa;
	return (double)(bench_cpu() - start) / WALKS;
}

static double
walk_loads(void *with)
{
	struct walks *w = with;
	const uint64_t *flat = (const uint64_t *)(void *)w->flat->data;
	uint64_t random = 7, at = 0, start = bench_cpu();

	for (unsigned int i = 0; i < WALKS; i++) {
		va_t va = next_address(&w->r, &random, at);

		at = flat[va >> 39 & (ENTRIES - 1)];
		at = flat[at + (va >> 30 & (ENTRIES - 1))];
		at = flat[at + (va >> 21 & (ENTRIES - 1))];
		at = flat[at + (va >> 12 & (ENTRIES - 1))];
	}
	w->r.sink = at;
	return (double)(bench_cpu() - start) / WALKS;
}

/* Copy the table of @level at @pa and those below; where it begins in flat.
 * Of the top one the entries of user space. */
static uint64_t
flatten(struct walks *w, unsigned int level, pa_t pa)
{
	uint64_t begin = w->flat->len;
	unsigned int nr = level == LEVELS - 1 ? ENTRIES / 2 : ENTRIES;

	g_array_set_size(w->flat, (guint)begin + ENTRIES);
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t entry = vm_entry_get(w->r.vm, pa + 8 * i), to;

		if (!(entry & PTE_P))
			continue;
		to = mmu_entry_pa(&w->regs, level, entry);
		if (!mmu_is_leaf(&w->regs, level, entry))
			to = flatten(w, level - 1, to);
		g_array_index(w->flat, uint64_t, begin + i) = to;
	}
	return begin;
}

static void
bench_walk(void)
{
	const char *what = "walk of four levels";
	struct walks w;

	if (!bench_wants(what))
		return;
	w.r = run(usual, WALK_PAGES);
	w.regs = w.r.vm->boot_regs;
	w.regs.cr3 = w.r.t->mm->top;
	w.flat = g_array_new(FALSE, TRUE, sizeof(uint64_t));
	flatten(&w, LEVELS - 1, w.regs.cr3);
	bench_run(&(struct bench_row){
		.what = what,
		.unit = "ns",
		.reference = "its four loads",
		.ours = walk_ours,
		.other = walk_loads,
		.with = &w,
		.target = TARGET_RATIO_MAX,
		.limit = 3,
	});
	g_array_free(w.flat, TRUE);
	machine_free(w.r.m);
}

/* --- minor faults ----------------------------------------------------------
 */

#define FAULTS 20000U

static double
fault_ours(void *with)
{
	struct running *r = with;
	va_t at = map(r, FAULTS);
	uint64_t start = bench_cpu();
	double ns;

	touch_all(r, at, FAULTS);
	ns = (double)(bench_cpu() - start) / FAULTS;
	vm_munmap(r->vm, r->t, at, FAULTS * VM_PAGE);
	return ns;
}

/* Memory of the host's small pages, not touched yet. */
static volatile uint8_t *
map_host(uint64_t pages)
{
	void *at = mmap(NULL, pages * VM_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || madvise(at, pages * VM_PAGE, MADV_NOHUGEPAGE))
		give_up("no memory of the host's");
	return at;
}

static void
unmap_host(volatile uint8_t *at, uint64_t pages)
{
	munmap((void *)(uintptr_t)at, pages * VM_PAGE);
}

static double
fault_host(void *with)
{
	volatile uint8_t *at = map_host(FAULTS);
	uint64_t start = bench_cpu();
	double ns;

	(void)with;
	for (uint64_t i = 0; i < FAULTS; i++)
		at[i * VM_PAGE] = 1;
	ns = (double)(bench_cpu() - start) / FAULTS;
	unmap_host(at, FAULTS);
	return ns;
}

static void
bench_fault(void)
{
	const char *what = "minor fault, a page of zeros";
	struct running r;

	if (!bench_wants(what))
		return;
	r = run(usual, 1);
	bench_run(&(struct bench_row){
		.what = what,
		.unit = "ns",
		.reference = "the host's",
		.ours = fault_ours,
		.other = fault_host,
		.with = &r,
		.target = TARGET_OURS_MAX,
		.limit = 1000,
	});
	machine_free(r.m);
}

/* --- fork ------------------------------------------------------------------
 */

#define FORK_PAGES 100000U

struct forks {
	struct running r;
	volatile uint8_t *host;
};

static double
fork_ours(void *with)
{
	struct forks *f = with;
	struct task *child;
	uint64_t start = bench_cpu(), took;

	if (task_fork(f->r.t, 0, 0, NULL, &child))
		return NAN;
	took = bench_cpu() - start;
	if (task_exit(child, true) || task_reap(child))
		return NAN;
	return (double)took / 1e6;
}

static double
fork_host(void *with)
{
	uint64_t start = bench_cpu(), took;
	pid_t pid = fork();

	(void)with;
	if (!pid)
		_exit(0);
	took = bench_cpu() - start;
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		return NAN;
	return (double)took / 1e6;
}

static void
bench_fork(void)
{
	const char *what = "fork of 100,000 pages";
	struct forks f;

	if (!bench_wants(what))
		return;
	f.r = run(usual, FORK_PAGES);
	f.host = map_host(FORK_PAGES);
	for (uint64_t i = 0; i < FORK_PAGES; i++)
		f.host[i * VM_PAGE] = 1;
	bench_run(&(struct bench_row){
		.what = what,
		.unit = "ms",
		.reference = "the host's",
		.ours = fork_ours,
		.other = fork_host,
		.with = &f,
		.target = TARGET_OURS_MAX,
		.limit = 10,
	});
	unmap_host(f.host, FORK_PAGES);
	machine_free(f.r.m);
}

/* --- touches as ops --------------------------------------------------------
 */

#define TOUCH_PAGES 1000U

struct touches {
	struct running r;
	struct tree *t;
	struct out text;
	unsigned int nr;
};

static void
put_touch(struct touches *x, va_t at)
{
	out_printf(&x->text, "vm/touch bench 0x%llx write\n",
		   (unsigned long long)at);
}

/* Millions of lines a second, their text made before. */
static double
feed(struct touches *x)
{
	uint64_t start = bench_cpu();

	if (ops_feed(x->t, "control/batch", x->text.text, x->text.len))
		return NAN;
	return x->nr * 1e3 / (double)(bench_cpu() - start);
}

static double
touches_ours(void *with)
{
	struct touches *x = with;
	uint64_t random = 7;

	out_reset(&x->text);
	for (unsigned int i = 0; i < x->nr; i++)
		put_touch(x, x->r.at + bench_random(&random) % TOUCH_PAGES *
					       VM_PAGE);
	return feed(x);
}

static double
faults_ours(void *with)
{
	struct touches *x = with;
	va_t at = map(&x->r, x->nr);
	double speed;

	out_reset(&x->text);
	for (unsigned int i = 0; i < x->nr; i++)
		put_touch(x, at + i * VM_PAGE);
	speed = feed(x);
	vm_munmap(x->r.vm, x->r.t, at, x->nr * VM_PAGE);
	return 1e3 / speed;
}

static double
touches_lines(void *with)
{
	struct touches *x = with;
	uint64_t start = bench_cpu();

	x->r.sink = bench_count_lines(x->text.text, x->text.len);
	return x->nr * 1e3 / (double)(bench_cpu() - start);
}

static void
bench_touches(void)
{
	const char *hits = "control/batch of touches, in process";
	const char *faults = "minor fault as a line of control/batch";
	struct touches x = {.text = OUT_INIT};

	if (!bench_wants(hits) && !bench_wants(faults))
		return;
	x.r = run(usual, TOUCH_PAGES);
	x.t = tree_new(x.r.m, false);
	x.nr = bench_quick() ? 100000 : 300000;
	bench_run(&(struct bench_row){
		.what = hits,
		.unit = "M ops/s",
		.reference = "count of lines",
		.ours = touches_ours,
		.other = touches_lines,
		.with = &x,
		.target = TARGET_OURS_MIN,
		.limit = 2,
	});
	x.nr = FAULTS;
	bench_run(&(struct bench_row){
		.what = faults,
		.unit = "ns",
		.reference = "the host's",
		.ours = faults_ours,
		.other = fault_host,
		.with = &x,
		.target = TARGET_OURS_MAX,
		.limit = 1000,
	});
	out_fini(&x.text);
	tree_free(x.t);
}

int
main(int argc, char **argv)
{
	bench_begin(argc, argv);
	bench_hit("access, hit of the TLB", no_caches, TARGET_OURS_MAX);
	bench_hit("access, hit of the TLB, caches modelled", usual,
		  TARGET_NONE);
	bench_walk();
	bench_fault();
	bench_fork();
	bench_touches();
	return bench_end();
}
