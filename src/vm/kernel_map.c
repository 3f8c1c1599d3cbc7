// SPDX-License-Identifier: MIT
/*
 * kernel_map.c - entries of the kernel half, and what CPUs forget of them
 *
 * What it models: vmap_pages_range, vunmap_range_noflush (mm/vmalloc.c),
 * flush_tlb_kernel_range (arch/x86/mm/tlb.c).
 *
 * How it works: all kernel entries are init_mm's.  Tables that are made for
 * them stay when they are empty, as there.  A flush of the kernel half goes to
 * all CPUs, whatever they run, since its entries are global.
 */
#include "kernel_impl.h"

#include <errno.h>

static pfn_t
source_pfn(const struct kernel_source *from, uint64_t n)
{
	return from->pages ? from->pages[n] : from->first + n;
}

int
kernel_enter(struct vm *vm, va_t va, const struct kernel_source *from,
	     uint64_t nr, unsigned int cpu)
{
	for (uint64_t n = 0; n < nr; n++) {
		pa_t at;
		int err = vm_entry_make(vm, vm->init_mm,
					va + (n << VM_PAGE_SHIFT), cpu, &at);

		if (err) {
			kernel_clear(vm, va, n);
			return err;
		}
		pte_store(vm, at,
			  pte_make(vm, source_pfn(from, n), from->bits));
	}
	return 0;
}

void
kernel_clear(struct vm *vm, va_t va, uint64_t nr)
{
	for (uint64_t n = 0; n < nr; n++) {
		pa_t at = vm_entry_at(vm, vm->init_mm,
				      va + (n << VM_PAGE_SHIFT), 0);

		if (at)
			pte_store(vm, at, 0);
	}
	vm->generation++;
}

/* What the flush costs who asks for it, beside what each CPU does. */
static void
count_shootdowns(struct vm *vm, unsigned int cpu)
{
	for (unsigned int i = 0; i < vm->nr_cpus; i++) {
		if (i == cpu)
			continue;
		vm->cpu[i].shootdowns++;
		vm->cpu[cpu].shootdowns_sent++;
		vm->cpu[cpu].cycles += vm->costs.ipi;
	}
}

void
kernel_flush(struct vm *vm, va_t start, va_t end, unsigned int cpu)
{
	bool all = (end - start) >> VM_PAGE_SHIFT > vm->sysctl.flush_ceiling;

	if (start >= end)
		return;
	for (unsigned int i = 0; i < vm->nr_cpus; i++) {
		struct vm_cpu *c = &vm->cpu[i];

		if (all) {
			tlb_flush_all(c->tlb, true);
			c->cycles += vm->costs.cr3;
			continue;
		}
		for (va_t va = start; va < end; va += VM_PAGE) {
			tlb_flush_page(c->tlb, va, c->pcid);
			c->cycles += vm->costs.invlpg;
		}
	}
	count_shootdowns(vm, cpu);
	if (all)
		vm->kernel->full_flushes++;
	else
		vm->kernel->range_flushes++;
}

void
kernel_flush_one(struct vm *vm, va_t va, unsigned int cpu)
{
	struct vm_cpu *c = &vm->cpu[cpu];

	tlb_flush_page(c->tlb, va, c->pcid);
	c->cycles += vm->costs.invlpg;
}
