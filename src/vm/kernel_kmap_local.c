// SPDX-License-Identifier: MIT
/*
 * kernel_kmap_local.c - mappings for a few instructions: kmap_local,
 * kmap_atomic
 *
 * What it models: __kmap_local_pfn_prot, kunmap_local_indexed,
 * __kmap_local_sched_out and _in (mm/highmem.c); with [kernel] kmap_atomic =
 * type, kmap_atomic and kunmap_atomic of 2.6 (arch/i386/mm/highmem.c).
 *
 * How it works: each CPU has slots in the fixmap, one a depth or one a type.  A
 * task has a stack of entries; those of the one that runs stand in its CPU's
 * slots, those of others do not.  What is taken last is given back first.
 *
 * Always true: the slots of a CPU hold the entries of its task, and no more.
 */
#include "kernel_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

const char *const km_type_names[KM_TYPE_NR] = {
	"KM_BOUNCE_READ",
	"KM_SKB_SUNRPC_DATA",
	"KM_SKB_DATA_SOFTIRQ",
	"KM_USER0",
	"KM_USER1",
	"KM_BIO_SRC_IRQ",
	"KM_BIO_DST_IRQ",
	"KM_PTE0",
	"KM_PTE1",
	"KM_IRQ0",
	"KM_IRQ1",
	"KM_SOFTIRQ0",
	"KM_SOFTIRQ1",
};

struct kernel_local *
kernel_local_get(struct vm *vm, unsigned int cpu)
{
	struct task *t = vm->cpu[cpu].current;

	if (!t)
		return &vm->kernel->idle[cpu];
	if (!t->impl)
		t->impl = g_new0(struct kernel_local, 1);
	return t->impl;
}

const struct kernel_local *
kernel_local_of(const struct vm *vm, unsigned int cpu)
{
	static const struct kernel_local none;
	const struct task *t = vm->cpu[cpu].current;

	if (!t)
		return &vm->kernel->idle[cpu];
	return t->impl ? t->impl : &none;
}

/* The slots of kmap in the fixmap: address of slot @index of CPU @cpu's. */
static va_t
slot_va(const struct vm *vm, unsigned int cpu, unsigned int index)
{
	struct kernel_fixed run;
	unsigned int each =
		vm->kernel->config.kmap_types ? KM_TYPE_NR : KM_MAX_IDX;

	for (unsigned int n = 0; kernel_fixed_nth(vm, n, &run); n++)
		if (!strcmp(run.name, "FIX_KMAP"))
			break;
	return kernel_fix_to_virt(vm, run.first + each * cpu + index);
}

static bool
is_high(const struct vm *vm, pfn_t pfn)
{
	return vm->mode < MMU_4LEVEL && pfn >= vm->phys->max_low_pfn;
}

static int
enter(struct vm *vm, unsigned int cpu, va_t at, pfn_t pfn)
{
	const struct kernel_source from = {&pfn, 0, kernel_prot(vm)};

	return kernel_enter(vm, at, &from, 1, cpu);
}

static void
leave(struct vm *vm, unsigned int cpu, va_t at)
{
	kernel_clear(vm, at, 1);
	kernel_flush_one(vm, at, cpu);
}

static int
map_typed(struct vm *vm, unsigned int cpu, unsigned int type, pfn_t pfn,
	  va_t *at)
{
	uint64_t *entry = &vm->kernel->typed[cpu * KM_TYPE_NR + type];
	int err;

	*at = slot_va(vm, cpu, type);
	if (*entry) {
		vm_printk(vm,
			  "kernel BUG at arch/i386/mm/highmem.c: "
			  "kmap_atomic: %s of CPU %u is in use",
			  km_type_names[type], cpu);
		return -EBUSY;
	}
	err = enter(vm, cpu, *at, pfn);
	if (!err)
		*entry = pte_make(vm, pfn, kernel_prot(vm));
	return err;
}

int
kernel_kmap_local(struct vm *vm, unsigned int cpu, int type, pfn_t pfn,
		  va_t *at)
{
	struct kernel_local *l;
	int err = kernel_start(vm, cpu);

	if (err)
		return err;
	if (!is_high(vm, pfn)) {
		*at = kernel_page_address(vm, pfn);
		return 0;
	}
	if (type >= 0)
		return map_typed(vm, cpu, (unsigned int)type, pfn, at);
	l = kernel_local_get(vm, cpu);
	if (l->nr + 1 >= KM_MAX_IDX) {
		vm_printk(vm,
			  "kernel BUG at mm/highmem.c: "
			  "kmap_local_idx_push: %u mappings are nested",
			  l->nr);
		return -ENOSPC;
	}
	*at = slot_va(vm, cpu, l->nr);
	err = enter(vm, cpu, *at, pfn);
	if (!err)
		l->entry[l->nr++] = pte_make(vm, pfn, kernel_prot(vm));
	return err;
}

static int
unmap_typed(struct vm *vm, unsigned int cpu, unsigned int type, va_t at)
{
	uint64_t *entry = &vm->kernel->typed[cpu * KM_TYPE_NR + type];

	if (at != slot_va(vm, cpu, type) || !*entry) {
		vm_printk(vm,
			  "kernel BUG at arch/i386/mm/highmem.c: "
			  "kunmap_atomic(%08" PRIx64 ", %s)",
			  at, km_type_names[type]);
		return -EINVAL;
	}
	*entry = 0;
	leave(vm, cpu, at);
	return 0;
}

int
kernel_kunmap_local(struct vm *vm, unsigned int cpu, int type, va_t at)
{
	struct kernel_local *l = kernel_local_get(vm, cpu);
	va_t low_end = vm->layout.page_offset +
		       (vm->phys->max_low_pfn << VM_PAGE_SHIFT);

	at = round_down_to(at, VM_PAGE);
	/* A low page's address: nothing was mapped for it. */
	if (at >= vm->layout.page_offset && at < low_end)
		return 0;
	if (type >= 0)
		return unmap_typed(vm, cpu, (unsigned int)type, at);
	if (!l->nr || at != slot_va(vm, cpu, l->nr - 1)) {
		vm_printk(vm,
			  "WARNING: CPU: %u PID: %d at mm/highmem.c "
			  "kunmap_local_indexed: %016" PRIx64
			  " is not what was mapped last",
			  cpu,
			  vm->cpu[cpu].current ? vm->cpu[cpu].current->pid : 0,
			  at);
		return -EINVAL;
	}
	l->entry[--l->nr] = 0;
	leave(vm, cpu, at);
	return 0;
}

/* --- who runs next -------------------------------------------------------- */

static void
switch_out(struct vm *vm, unsigned int cpu, const struct kernel_local *l)
{
	for (unsigned int i = 0; i < l->nr; i++)
		leave(vm, cpu, slot_va(vm, cpu, i));
}

static void
switch_in(struct vm *vm, unsigned int cpu, const struct kernel_local *l)
{
	for (unsigned int i = 0; i < l->nr; i++) {
		pa_t at = vm_entry_at(vm, vm->init_mm, slot_va(vm, cpu, i), 0);

		/* The table has been there since the first was mapped. */
		if (at)
			pte_store(vm, at, l->entry[i]);
	}
}

bool
kernel_may_switch(unsigned int cpu, const struct task *t)
{
	const struct kernel_local *l = t ? t->impl : NULL;

	return !l || !l->nr || t->cpu == cpu;
}

void
kernel_switch(struct vm *vm, unsigned int cpu, struct task *prev,
	      struct task *next)
{
	const struct kernel_local *from =
		prev ? prev->impl : &vm->kernel->idle[cpu];
	const struct kernel_local *to =
		next ? next->impl : &vm->kernel->idle[cpu];

	if (from && from->nr)
		switch_out(vm, cpu, from);
	if (to && to->nr)
		switch_in(vm, cpu, to);
	if (prev && prev->kernel_stack && !kernel_stack_intact(prev) &&
	    vm->hooks.panic)
		vm->hooks.panic(vm->hooks.user,
				"corrupted stack end detected inside "
				"scheduler");
}

void
kernel_task_gone(struct task *t)
{
	struct vm *vm = t->vm;
	const struct kernel_local *l = t->impl;

	/* Where it runs the idle task does now. */
	for (unsigned int i = 0; i < vm->nr_cpus; i++) {
		if (vm->cpu[i].current != t)
			continue;
		if (l)
			switch_out(vm, i, l);
		switch_in(vm, i, &vm->kernel->idle[i]);
	}
	g_free(t->impl);
	t->impl = NULL;
}
