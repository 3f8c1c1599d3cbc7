// SPDX-License-Identifier: MIT
/*
 * lab_meltdown.c - a load that faults, but later
 *
 * What it models: rogue data cache load (CVE-2017-5754), flush and reload.
 *
 * How it works: on a processor that has the flaw, a user's load of a page that
 * is there but the kernel's goes on with the value until it retires:
 *
 *     value = load(kernel address)      will fault, but not yet
 *     load(probe + value * 4096)        its line is in the cache now
 *     fault                             registers are rolled back, the line
 *                                       stays
 *
 * Where the tables of user mode do not have the page at all there is no value
 * to go on with: that is all that page table isolation does.
 *
 * Differs from hardware: the race between the fault and the second load is
 * always won, and no other access disturbs the caches.
 */
#include "kmemfs/machine/lab_mmu.h"

#include "kmemfs/machine/machine.h"
#include "kmemfs/vm/cpu.h"

#include <errno.h>

#define STRIDE 4096 /* a page each, where no prefetcher follows */
#define PROBE_BYTES (PROBE_LINES * (uint64_t)STRIDE)

struct attack {
	struct vm *vm;
	unsigned int cpu;
	struct task *t;
	va_t probe;
	struct meltdown_lab *lab;
};

/* The task's own access in user mode: its place, or false. */
static bool
touch(struct attack *a, va_t va, uint32_t *cycles)
{
	struct mmu_request q = {.va = va, .user = true};
	struct cpu_result r;

	cpu_look(a->vm, a->cpu, &q, &r);
	if (r.outcome != MMU_OK)
		return false;
	*cycles = cpu_cost(a->vm, a->cpu, r.pa, 1, false);
	return true;
}

static int
map_probe(struct attack *a)
{
	const struct vm_mmap_args args = {
		.len = PROBE_BYTES,
		.prot = VM_PROT_READ | VM_PROT_WRITE,
		.flags = VM_MAP_PRIVATE | VM_MAP_ANONYMOUS,
	};
	int err = vm_mmap(a->vm, a->t, &args, &a->probe);

	/* Written to: else all would be the one page of zeros. */
	for (unsigned int i = 0; !err && i < PROBE_LINES; i++) {
		uint8_t one = 1;
		const struct vm_access write = {
			.va = a->probe + i * (va_t)STRIDE,
			.len = 1,
			.access = MMU_WRITE,
			.user = true,
			.bytes = &one,
		};
		struct vm_access_result result;

		err = vm_access(a->vm, a->cpu, &write, &result);
	}
	return err;
}

static void
flush_probe(struct attack *a)
{
	for (unsigned int i = 0; i < PROBE_LINES; i++) {
		const struct mmu_request q = {.va = a->probe + i * (va_t)STRIDE,
					      .user = true};
		struct mmu_result w;

		cpu_walk(a->vm, a->cpu, &q, &w);
		if (w.outcome == MMU_OK)
			caches_flush_line(a->vm->caches, w.pa);
	}
}

/* The kernel uses the byte; its line is in the cache then. */
static int
victim(struct attack *a, va_t address)
{
	const struct vm_access read = {
		.va = address,
		.len = 1,
		.access = MMU_READ,
		.ac = true,
		.bytes = &a->lab->stored,
	};
	struct vm_access_result result;

	return vm_access(a->vm, a->cpu, &read, &result);
}

/* The load; whether its value went on, and so where the fault came late. */
static void
load(struct attack *a, va_t address)
{
	struct mmu_request q = {.va = address, .user = true};
	struct meltdown_lab *lab = a->lab;
	struct cpu_result r;
	uint32_t cycles;
	pa_t pa;

	cpu_look(a->vm, a->cpu, &q, &r);
	lab->faulted = r.outcome != MMU_OK;
	lab->error_code = r.error_code;
	pa = r.pa;
	if (lab->faulted) {
		struct mmu_result w;

		/* There, but not for user mode. */
		if (r.outcome != MMU_PAGE_FAULT ||
		    r.error_code != (PF_PROT | PF_USER) || !a->vm->meltdown)
			return;
		q.user = false;
		q.ac = true;
		cpu_walk(a->vm, a->cpu, &q, &w);
		pa = w.pa;
	}
	lab->forwarded = true;
	touch(a, a->probe + ram_load(a->vm->ram, pa, 1) * (va_t)STRIDE,
	      &cycles);
}

static void
measure(struct attack *a)
{
	const struct caches *caches = a->vm->caches;
	struct meltdown_lab *lab = a->lab;
	unsigned int hot = 0;

	lab->threshold = (caches_geometry(caches, CACHE_L3).cycles +
			  caches_memory_cycles(caches)) /
			 2;
	lab->byte = -1;
	for (unsigned int i = 0; i < PROBE_LINES; i++) {
		/* Not in order, lest a prefetcher guess what comes. */
		unsigned int slot = (i * 167 + 13) % PROBE_LINES;
		uint32_t cycles = 0;

		touch(a, a->probe + slot * (va_t)STRIDE, &cycles);
		lab->latency[slot] = cycles;
		if (cycles >= lab->threshold)
			continue;
		hot++;
		lab->byte = (int)slot;
	}
	if (hot != 1)
		lab->byte = -1;
}

static int
attack(struct attack *a, va_t address)
{
	struct vm *vm = a->vm;
	int err = map_probe(a);

	if (!err)
		err = victim(a, address);
	if (err)
		return err;
	cpu_set_mode(vm, a->cpu, true);
	flush_probe(a);
	load(a, address);
	if (a->lab->faulted) {
		cpu_set_mode(vm, a->cpu, false);
		task_signal(a->t, VM_SIGSEGV, VM_SEGV_ACCERR, address);
		cpu_set_mode(vm, a->cpu, true);
	}
	measure(a);
	return 0;
}

int
meltdown_lab_run(struct machine *m, unsigned int cpu, va_t address,
		 struct meltdown_lab *lab)
{
	struct vm *vm = m->vm;
	struct vm_cpu *c = &vm->cpu[cpu];
	struct attack a = {.vm = vm, .cpu = cpu, .lab = lab};
	bool handles;
	int err = 0;

	if (!vm->caches || !vm->shape.f)
		return -ENOSYS;
	if (!c->current || !c->current->mm)
		err = vm_switch_to(vm, cpu, task_init(vm));
	if (err)
		return err;
	a.t = c->current;
	*lab = (struct meltdown_lab){
		.address = address, .pid = a.t->pid, .separate = vm->kpti};
	/* The attacker has a handler for what it knows will come. */
	handles = a.t->handles_segv;
	a.t->handles_segv = true;
	err = attack(&a, address);
	a.t->handles_segv = handles;
	if (a.probe)
		(void)vm_munmap(vm, a.t, a.probe, PROBE_BYTES);
	return err;
}
