// SPDX-License-Identifier: MIT
/*
 * kernel_ioremap.c - device memory in the kernel's addresses
 *
 * What it models: __ioremap_caller, iounmap (arch/x86/mm/ioremap.c),
 * memtype_check_conflict (arch/x86/mm/pat/memtype_interval.c).
 *
 * How it works: an area whose entries lead to addresses that are not memory in
 * use, with the caching that was asked for in their PWT, PCD and PAT bits.  All
 * mappings of one address must agree on it: the first one decides.
 *
 * Differs from the kernel: no MTRRs play a part; large mappings have entries of
 * 4 KiB too.
 */
#include "kernel_impl.h"

#include <errno.h>
#include <inttypes.h>

/* Bits of a leaf of 4 KiB, by cache mode, as Linux sets up the PAT. */
static const uint64_t mode_bits[NR_CACHE_MODES] = {
	[CACHE_WB] = 0,
	[CACHE_WC] = PTE_PWT,
	[CACHE_UC_MINUS] = PTE_PCD,
	[CACHE_UC] = PTE_PCD | PTE_PWT,
	[CACHE_WT] = PTE_PS | PTE_PCD | PTE_PWT,
	[CACHE_WP] = PTE_PS | PTE_PWT,
};

/* cattr_name() */
static const char *const mode_names[NR_CACHE_MODES] = {
	[CACHE_WB] = "write-back",	     [CACHE_WC] = "write-combining",
	[CACHE_UC_MINUS] = "uncached-minus", [CACHE_UC] = "uncached",
	[CACHE_WT] = "write-through",	     [CACHE_WP] = "write-protected",
};

/* Whether @start..@end has a page of memory that the page allocator has or had:
 * __ioremap_check_ram. */
static bool
is_used_ram(const struct vm *vm, pa_t start, pa_t end)
{
	const struct phys *phys = vm->phys;

	for (guint i = 0; i < phys->managed->len; i++) {
		const struct pfn_span *s =
			&g_array_index(phys->managed, struct pfn_span, i);

		if (s->start << VM_PAGE_SHIFT < end &&
		    s->end << VM_PAGE_SHIFT > start)
			return true;
	}
	return false;
}

static bool
overlaps(const struct kernel_area *a, pa_t start, pa_t end)
{
	return (a->flags & KA_IOREMAP) && a->phys < end &&
	       a->phys + (a->nr_pages << VM_PAGE_SHIFT) > start;
}

/* memtype_reserve(): the type that @start..@end gets. */
static int
reserve_type(struct vm *vm, pa_t start, pa_t end, enum cache_mode *mode)
{
	const struct kernel_half *k = vm->kernel;
	const struct kernel_area *first = NULL;

	for (guint i = 0; i < k->areas->len; i++) {
		const struct kernel_area *a = g_ptr_array_index(k->areas, i);

		if (overlaps(a, start, end) &&
		    (!first || a->phys < first->phys))
			first = a;
	}
	for (guint i = 0; first && i < k->areas->len; i++) {
		const struct kernel_area *a = g_ptr_array_index(k->areas, i);

		if (!overlaps(a, start, end) || a->mode == first->mode)
			continue;
		vm_printk(vm,
			  "x86/PAT: conflicting memory types %" PRIx64
			  "-%" PRIx64 " %s<->%s",
			  start, end, mode_names[first->mode],
			  mode_names[a->mode]);
		vm_printk(vm, "ioremap memtype_reserve failed %d", -EBUSY);
		return -EBUSY;
	}
	if (first)
		*mode = first->mode;
	return 0;
}

/* is_new_memtype_allowed() */
static bool
type_will_do(enum cache_mode asked, enum cache_mode got)
{
	if (got == CACHE_WB)
		return asked != CACHE_UC_MINUS && asked != CACHE_WC &&
		       asked != CACHE_WT;
	return !(asked == CACHE_WT && got == CACHE_WC);
}

static int
choose_type(struct vm *vm, pa_t start, pa_t end, enum cache_mode *mode)
{
	enum cache_mode asked = *mode;
	int err = reserve_type(vm, start, end, mode);

	if (err || asked == *mode || type_will_do(asked, *mode))
		return err;
	vm_printk(vm,
		  "ioremap error for %#" PRIx64 "-%#" PRIx64
		  ", requested 0x%x, got 0x%x",
		  start, end, asked, *mode);
	return -EBUSY;
}

/* What get_vm_area() aligns these to. */
static uint64_t
alignment(const struct vm *vm, uint64_t size)
{
	uint64_t most = 1ULL << vm->shape.shift[vm->mode >= MMU_4LEVEL ? 2 : 1];
	uint64_t align = VM_PAGE;

	while (align < size && align < most)
		align <<= 1;
	return align;
}

static int
map_device(struct vm *vm, const struct kernel_request *q, pa_t pa, uint64_t nr,
	   enum cache_mode mode, struct kernel_area **area)
{
	struct kernel_area *a = kernel_area_new(
		vm, q, nr, alignment(vm, nr << VM_PAGE_SHIFT), KA_IOREMAP);
	int err;

	if (!a)
		return -ENOMEM;
	a->phys = pa;
	a->mode = mode;
	err = kernel_area_enter(vm, a, kernel_prot(vm) | mode_bits[mode],
				q->cpu);
	if (err)
		kernel_area_drop(vm, a, q->cpu);
	*area = a;
	return err;
}

int
kernel_ioremap(struct vm *vm, const struct kernel_request *q, pa_t pa,
	       uint64_t size, enum cache_mode mode, va_t *at)
{
	pa_t last = pa + size - 1, start, end;
	struct kernel_area *a;
	int err = kernel_start(vm, q->cpu);

	if (err)
		return err;
	if (!size || last < pa)
		return -EINVAL;
	if (last >> vm->boot_regs.phys_bits) {
		vm_printk(vm, "ioremap: invalid physical address %" PRIx64, pa);
		return -EINVAL;
	}
	if (is_used_ram(vm, round_up_to(pa, VM_PAGE),
			round_down_to(last + 1, VM_PAGE))) {
		vm_printk(vm,
			  "ioremap on RAM at 0x%016" PRIx64 " - 0x%016" PRIx64,
			  pa, last);
		return -EBUSY;
	}
	start = round_down_to(pa, VM_PAGE);
	end = page_align(last + 1);
	err = choose_type(vm, start, end, &mode);
	if (!err)
		err = map_device(vm, q, start, (end - start) >> VM_PAGE_SHIFT,
				 mode, &a);
	if (!err)
		*at = a->start + (pa & (VM_PAGE - 1));
	return err;
}

int
kernel_iounmap(struct vm *vm, va_t va, unsigned int cpu)
{
	va_t high = vm->layout.page_offset +
		    (vm->phys->max_low_pfn << VM_PAGE_SHIFT);
	struct kernel_area *a;

	if (va <= high)
		return 0;
	a = kernel_area_find(vm->kernel, round_down_to(va, VM_PAGE));
	if (!a || !(a->flags & KA_IOREMAP)) {
		vm_printk(vm, "iounmap: bad address %016" PRIx64,
			  round_down_to(va, VM_PAGE));
		return -EINVAL;
	}
	kernel_area_drop(vm, a, cpu);
	return 0;
}
