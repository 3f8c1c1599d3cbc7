// SPDX-License-Identifier: MIT
/*
 * lab_costs.c - the same accesses done in several ways
 *
 * How it works: a machine of the same description boots beside this one; its
 * kernel gives pages, and tables of the MMU's own format are written by hand.
 * Every number is then the sum of what the model's TLB, walks and caches say:
 *
 *     user part    0x400000          tasks A and B, a few pages each
 *     kernel part  direct map        large pages; a few pages of it as "the
 *                                    kernel's data"
 *                  vmalloc           the same frames, small pages, shuffled
 *
 * Each task has two top tables: with and without the kernel part.
 */
#include "kmemfs/machine/lab_mmu.h"

#include "kmemfs/phys/pages.h"
#include "kmemfs/vm/cpu.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BLOCKS 8      /* of large pages */
#define ROUNDS 4      /* over all pages */
#define USER_PAGES 24 /* that a task works on between two calls */
#define KERNEL_PAGES 24
#define CALLS 200
#define LINES 256
#define BOUNCES 1000
#define USER_VA 0x400000
#define TASKS 2

enum top { TOP_SHARED, TOP_USER, NR_TOPS };

struct bench {
	struct trace trace;
	uint64_t now;
	struct phys *phys;
	struct ram *ram;
	struct symbols *symbols;
	struct vm *vm;
	struct cost_lab *lab;
	const char *trouble;
	pa_t block[BLOCKS]; /* of large pages */
	uint64_t large;	    /* bytes of one */
	va_t direct, scattered;
	pa_t user[TASKS][USER_PAGES];
	pa_t top[TASKS][NR_TOPS];
};

/* --- pages and tables ---------------------------------------------------- */

static pa_t
page(struct bench *b, unsigned int order, int nid)
{
	const struct page_request q = {
		.gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_THISNODE,
		.order = order,
		.nid = nid,
	};
	pfn_t pfn;

	if (pages_alloc(b->phys, &q, &pfn)) {
		b->trouble = "it has no memory for it";
		return 0;
	}
	return pfn << VM_PAGE_SHIFT;
}

/* Map one page of @level at @va below @top. */
static void
map(struct bench *b, pa_t top, va_t va, pa_t to, unsigned int level,
    uint64_t bits)
{
	const struct vm_shape *s = &b->vm->shape;
	pa_t table = top;

	for (unsigned int l = s->top;; l--) {
		pa_t at = table +
			  (va >> s->shift[l] & (s->entries[l] - 1U)) * s->bytes;
		uint64_t e = ram_load(b->ram, at, s->bytes);

		if (l == level) {
			ram_store(b->ram, at, s->bytes,
				  to | bits | (l ? PTE_PS : 0));
			return;
		}
		if (!(e & PTE_P)) {
			e = page(b, 0, 0) | PTE_P;
			/* A PDPTE of PAE has no rights. */
			if (b->vm->mode != MMU_PAE || l != 2)
				e |= PTE_RW | PTE_US | PTE_A;
			ram_store(b->ram, at, s->bytes, e);
		}
		table = e & s->frame_mask;
	}
}

#define KERNEL_BITS (PTE_P | PTE_RW | PTE_A | PTE_D)
#define USER_BITS (KERNEL_BITS | PTE_US)

/* The direct map and its copy in small pages, in a shuffled order. */
static void
map_kernel(struct bench *b, pa_t top, uint64_t global)
{
	uint64_t pages = BLOCKS * b->large / VM_PAGE;

	for (unsigned int i = 0; i < BLOCKS; i++)
		map(b, top, b->direct + i * b->large, b->block[i], 1,
		    KERNEL_BITS | global);
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t from = (i * 1021 + 7) % pages;

		map(b, top, b->scattered + i * VM_PAGE,
		    b->block[from * VM_PAGE / b->large] +
			    from * VM_PAGE % b->large,
		    0, KERNEL_BITS | global);
	}
}

static void
make_tables(struct bench *b)
{
	const struct vm_shape *s = &b->vm->shape;
	unsigned int order = 0;

	b->large = 1ULL << s->shift[1];
	while (VM_PAGE << order < b->large)
		order++;
	b->direct = round_up_to(b->vm->layout.page_offset, b->large);
	b->scattered = b->direct + BLOCKS * b->large;
	for (unsigned int i = 0; i < BLOCKS; i++)
		b->block[i] = page(b, order, 0);
	for (unsigned int t = 0; t < TASKS; t++) {
		for (unsigned int i = 0; i < USER_PAGES; i++)
			b->user[t][i] = page(b, 0, 0);
		for (unsigned int k = 0; k < NR_TOPS; k++) {
			b->top[t][k] = page(b, 0, 0);
			for (unsigned int i = 0; !b->trouble && i < USER_PAGES;
			     i++)
				map(b, b->top[t][k], USER_VA + i * VM_PAGE,
				    b->user[t][i], 0, USER_BITS);
		}
	}
}

/* The kernel part is in both tasks' shared tables, G or not. */
static void
kernel_part(struct bench *b, bool global)
{
	for (unsigned int t = 0; !b->trouble && t < TASKS; t++)
		map_kernel(b, b->top[t][TOP_SHARED], global ? PTE_G : 0);
}

/* --- counting ------------------------------------------------------------ */

static struct cost_row *
row(struct bench *b, const char *format, ...)
{
	struct cost_row *r = &b->lab->row[b->lab->nr++];
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->what, sizeof(r->what), format, ap);
	va_end(ap);
	return r;
}

static void
begin(struct bench *b, struct cost_row *r, unsigned int cpu)
{
	struct vm_cpu *c = &b->vm->cpu[cpu];

	r->misses = 0 - tlb_stats(c->tlb)->misses;
	r->reads = 0 - c->walk_steps;
	r->cycles = 0 - c->cycles;
}

static void
end(struct bench *b, struct cost_row *r, unsigned int cpu, uint64_t operations)
{
	struct vm_cpu *c = &b->vm->cpu[cpu];

	r->operations = operations;
	r->misses += tlb_stats(c->tlb)->misses;
	r->reads += c->walk_steps;
	r->cycles += c->cycles;
}

static void
load(struct bench *b, va_t va, bool user)
{
	const struct mmu_request q = {.va = va, .user = user, .ac = true};
	struct vm_cpu *c = &b->vm->cpu[0];
	struct cpu_result r;

	cpu_look(b->vm, 0, &q, &r);
	if (r.outcome != MMU_OK) {
		b->trouble = "its tables are not what they should be";
		return;
	}
	c->cycles += r.cycles + cpu_cost(b->vm, 0, r.pa, 8, false);
}

/* Each page of an area, and in each a line of another set of the caches. */
static void
pass(struct bench *b, va_t at, uint64_t pages, bool user)
{
	for (uint64_t i = 0; i < pages; i++)
		load(b, at + i * VM_PAGE + i / 16 % 64 * CACHE_LINE, user);
}

static void
cold(struct bench *b)
{
	cpu_flush(b->vm, 0, true);
	for (unsigned int cpu = 0; cpu < b->vm->nr_cpus; cpu++)
		caches_flush_cpu(b->vm->caches, cpu);
}

/* --- trials -------------------------------------------------------------- */

static void
trial_mapping(struct bench *b)
{
	uint64_t pages = BLOCKS * b->large / VM_PAGE;
	const struct {
		const char *what;
		va_t at;
	} ways[] = {
		{"kmalloc", b->direct   },
		{"vmalloc", b->scattered},
	};

	cpu_load_cr3(b->vm, 0, b->top[0][TOP_SHARED]);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct cost_row *r = row(b, "%s", ways[i].what);

		cold(b);
		begin(b, r, 0);
		for (unsigned int n = 0; n < ROUNDS; n++)
			pass(b, ways[i].at, pages, false);
		end(b, r, 0, ROUNDS * pages);
	}
}

static void
trial_nodes(struct bench *b)
{
	for (unsigned int n = 0; n < b->phys->nr_nodes; n++) {
		unsigned int distance =
			b->phys->nodes[n]->distance[b->phys->cpu_node[0]];
		struct vm_cpu *c = &b->vm->cpu[0];
		struct cost_row *r;
		pa_t at;

		/* A node without memory for it has no row. */
		at = page(b, 2, (int)n);
		if (!at) {
			b->trouble = NULL;
			continue;
		}
		if (b->lab->nr == COST_ROWS_MOST / 2)
			break;
		r = row(b, "memory_at_distance_%u_node_%u", distance, n);
		begin(b, r, 0);
		for (unsigned int i = 0; i < LINES; i++) {
			caches_flush_line(b->vm->caches, at + i * CACHE_LINE);
			c->cycles += cpu_cost(b->vm, 0, at + i * CACHE_LINE, 8,
					      false);
		}
		end(b, r, 0, LINES);
	}
}

/* A CPU of another node, or of the same one; 0: there is none. */
static unsigned int
partner(const struct bench *b, bool other_node)
{
	for (unsigned int cpu = 1; cpu < b->vm->nr_cpus; cpu++)
		if ((b->phys->cpu_node[cpu] != b->phys->cpu_node[0]) ==
		    other_node)
			return cpu;
	return 0;
}

static void
bounce(struct bench *b, const char *what, unsigned int cpu, unsigned int apart)
{
	struct vm *vm = b->vm;
	struct cost_row *r = row(b, "%s", what);

	cold(b);
	begin(b, r, 0);
	for (unsigned int i = 0; i < BOUNCES; i++) {
		vm->cpu[0].cycles += cpu_cost(vm, 0, b->block[0], 8, true);
		vm->cpu[0].cycles +=
			cpu_cost(vm, cpu, b->block[0] + apart, 8, true);
	}
	end(b, r, 0, 2 * BOUNCES);
}

static void
trial_lines(struct bench *b)
{
	unsigned int near = partner(b, false), far = partner(b, true);
	struct vm_cpu *c = &b->vm->cpu[0];

	if (near || far)
		bounce(b, "two_cpus_a_line_each", near ? near : far,
		       CACHE_LINE);
	if (near)
		bounce(b, "two_cpus_one_line", near, 8);
	if (far)
		bounce(b, "two_cpus_of_two_nodes_one_line", far, 8);
	for (unsigned int off = 0; off <= 60; off += 60) {
		struct cost_row *r = row(b, off ? "unaligned_read_of_two_lines"
						: "aligned_read");

		cpu_cost(b->vm, 0, b->block[0] + off, 8, false);
		begin(b, r, 0);
		for (unsigned int i = 0; i < LINES; i++)
			c->cycles +=
				cpu_cost(b->vm, 0, b->block[0] + off, 8, false);
		end(b, r, 0, LINES);
	}
}

/* How kernel and user mode get at their halves. */
struct space {
	const char *what;
	bool separate, pcid;
};

static void
enter(struct bench *b, const struct space *s, unsigned int task, bool user)
{
	struct vm_cpu *c = &b->vm->cpu[0];
	uint64_t pcid = task + 1ULL;

	c->cycles += b->vm->costs.mode;
	if (!s->separate)
		return;
	if (user)
		pcid |= CPU_PCID_USER;
	cpu_load_cr3(b->vm, 0,
		     b->top[task][user ? TOP_USER : TOP_SHARED] |
			     (s->pcid ? pcid | CPU_CR3_NOFLUSH : 0));
}

/* A call of the kernel by each task in turn, or by one task only. */
static void
calls(struct bench *b, const struct space *s, const char *what,
      unsigned int tasks)
{
	struct cost_row *r = row(b, "%s_%s", what, s->what);
	struct vm *vm = b->vm;

	vm->pcid = s->pcid;
	kernel_part(b, !s->separate);
	cold(b);
	cpu_load_cr3(vm, 0, b->top[0][TOP_SHARED]);
	for (unsigned int i = 0; i < CALLS + tasks; i++) {
		unsigned int task = i % tasks;

		/* The first time round fills caches. */
		if (i == tasks)
			begin(b, r, 0);
		if (tasks > 1) {
			vm->cpu[0].cycles += vm->costs.task;
			cpu_load_cr3(vm, 0,
				     b->top[task][TOP_SHARED] |
					     (s->pcid ? (task + 1ULL) |
								CPU_CR3_NOFLUSH
						      : 0));
		}
		enter(b, s, task, true);
		pass(b, USER_VA, USER_PAGES, true);
		enter(b, s, task, false);
		pass(b, b->scattered, KERNEL_PAGES, false);
	}
	end(b, r, 0, CALLS);
}

static void
trial_spaces(struct bench *b)
{
	static const struct space spaces[] = {
		{"shared",	   false, false},
		{"separate",	     true,  false},
		{"shared_pcid",	false, true },
		{"separate_pcid", true,	true },
	};
	bool wide = b->vm->mode >= MMU_4LEVEL;

	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		if (wide || !spaces[i].pcid)
			calls(b, &spaces[i], "system_call", 1);
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		if (wide || !spaces[i].pcid)
			calls(b, &spaces[i], "task_switch", TASKS);
}

/* --- all ----------------------------------------------------------------- */

static void
run(struct bench *b)
{
	make_tables(b);
	kernel_part(b, true);
	if (!b->trouble)
		trial_mapping(b);
	if (!b->trouble)
		trial_nodes(b);
	if (!b->trouble)
		trial_lines(b);
	if (!b->trouble)
		trial_spaces(b);
}

struct cost_lab *
cost_lab_run(const struct machine_config *config, char *why, size_t why_size)
{
	struct bench b = {.lab = g_new0(struct cost_lab, 1)};
	struct vm_config vm = config->vm;

	if (vm.mode < MMU_32BIT || vm.mode > MMU_5LEVEL || !vm.cache) {
		snprintf(why, why_size, "%s are not modelled",
			 vm.cache ? "x86 page tables" : "its caches");
		g_free(b.lab);
		return NULL;
	}
	vm.kpti = false;
	b.phys = phys_boot(&config->phys, &b.trace, &b.now, NULL, NULL, why,
			   why_size);
	if (b.phys) {
		b.ram = ram_new(b.phys->max_pfn << b.phys->page_shift,
				config->ram_limit);
		b.symbols = symbols_new(0, 64);
		b.vm = vm_boot(b.phys, b.ram, b.symbols, &vm);
		run(&b);
		if (b.trouble)
			snprintf(why, why_size, "%s", b.trouble);
		vm_free(b.vm);
		symbols_free(b.symbols);
		ram_free(b.ram);
		phys_free(b.phys);
	}
	if (!b.phys || b.trouble)
		g_clear_pointer(&b.lab, g_free);
	return b.lab;
}

const struct cost_row *
cost_lab_row(const struct cost_lab *lab, const char *what)
{
	for (unsigned int i = 0; i < lab->nr; i++)
		if (!strcmp(lab->row[i].what, what))
			return &lab->row[i];
	return NULL;
}
