// SPDX-License-Identifier: MIT
/*
 * kernel_percpu.c - areas that per-CPU memory has among the kernel's
 *
 * How it works: it chooses its addresses itself and knows its frames; here they
 * are taken out of what vmalloc may give, and an entry is made when a CPU first
 * walks there.
 *
 * Differs from the kernel: entries are made at once there, and freed chunks
 * wait for the purge with one flush of their own.
 */
#include "kernel_impl.h"

va_t
kernel_area_conflict(const struct vm *vm, va_t start, va_t end)
{
	const struct kernel_half *k = vm->kernel;

	for (guint i = k->areas->len; i--;) {
		const struct kernel_area *a = g_ptr_array_index(k->areas, i);

		if (a->start < end && a->end > start)
			return a->start;
	}
	for (unsigned int i = rangeset_size(&k->lazy); i--;) {
		const struct rangeset_item *r = rangeset_at(&k->lazy, i);

		if (r->start < end && r->end > start)
			return r->start;
	}
	return 0;
}

void
kernel_percpu_area(struct vm *vm, va_t start, va_t end, va_t caller, bool gone)
{
	struct kernel_half *k = vm->kernel;
	struct kernel_area *a = kernel_area_find(k, start);

	if (gone) {
		if (a && (a->flags & KA_PERCPU))
			kernel_area_drop(vm, a, 0);
		return;
	}
	if (!rangeset_covers(&k->free, start, end))
		return;
	a = g_new0(struct kernel_area, 1);
	a->start = start;
	a->end = end;
	a->flags = KA_PERCPU;
	a->caller = caller;
	kernel_area_adopt(vm, a);
}

pfn_t
kernel_percpu_pfn(const struct vm *vm, va_t va)
{
	if (!vm->hooks.percpu_page)
		return PFN_NONE;
	return vm->hooks.percpu_page(vm->hooks.user, va);
}

bool
kernel_percpu_fault(struct vm *vm, unsigned int cpu, va_t va)
{
	const struct kernel_area *a = kernel_area_at(vm->kernel, va);
	pfn_t pfn;

	if (!a || !(a->flags & KA_PERCPU))
		return false;
	pfn = kernel_percpu_pfn(vm, va);
	if (pfn == PFN_NONE)
		return false;
	return !kernel_enter(vm, round_down_to(va, VM_PAGE),
			     &(struct kernel_source){&pfn, 0, kernel_prot(vm)},
			     1, cpu);
}

void
kernel_percpu_page_gone(struct vm *vm, va_t va)
{
	if (!vm->init_mm || !vm->kernel->started)
		return;
	kernel_clear(vm, va, 1);
	kernel_flush(vm, va, va + VM_PAGE, 0);
}
