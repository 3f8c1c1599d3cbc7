// SPDX-License-Identifier: MIT
/*
 * kernel_direct.c - low memory one to one, and the kernel's own image
 *
 * What it models: init_memory_mapping, split_mem_range,
 * adjust_range_page_size_mask (arch/x86/mm/init.c), __pa and __va.
 *
 * How it works: a page of 1 GiB or of 2 MiB (4 MiB) stands where all that it
 * would map is memory, pages of 4 KiB where not, and in the first MiB; on 32
 * bit in the whole first large page, and up to the end of low memory.  Which it
 * is follows from the boot allocator's list; the entry is made when a CPU first
 * walks there.
 *
 *     va ---- page_offset ----> pa      no tables needed to know where
 *
 * Differs from the kernel: tables come from the page allocator when they are
 * first walked, not from the boot allocator; nothing splits large pages later.
 */
#include "kernel_impl.h"

#include <errno.h>

#define IMAGE_START MIB(16)
#define ISA_END MIB(1)

/* Whether all of @start..@end is memory. */
static bool
is_memory(const struct vm *vm, pa_t start, pa_t end)
{
	const GArray *memory = vm->phys->memblock.memory;

	for (guint i = 0; start < end && i < memory->len; i++) {
		const struct range *r = &g_array_index(memory, struct range, i);

		if (r->start <= start && start < r->end)
			start = r->end;
	}
	return start >= end;
}

static pa_t
low_end(const struct vm *vm)
{
	return vm->phys->max_low_pfn << VM_PAGE_SHIFT;
}

/* Whether a leaf of @level maps @pa. */
static bool
fits(const struct vm *vm, pa_t pa, unsigned int level)
{
	uint64_t size = 1ULL << vm->shape.shift[level];
	pa_t start = round_down_to(pa, size);

	if (vm->mode < MMU_4LEVEL && (!start || start + size > low_end(vm)))
		return false;
	return is_memory(vm, start, start + size);
}

/* The largest leaf that the processor has. */
static unsigned int
top_leaf(const struct vm *vm)
{
	return vm->mode >= MMU_4LEVEL && vm->boot_regs.gb_pages ? 2 : 1;
}

int
kernel_direct_level(const struct vm *vm, pa_t pa)
{
	if (!vm->shape.f || pa >= low_end(vm))
		return -1;
	for (unsigned int level = top_leaf(vm); level; level--)
		if (fits(vm, pa, level))
			return (int)level;
	if (pa < ISA_END || is_memory(vm, pa, pa + 1))
		return 0;
	/* Plugged in later: by its pages. */
	return phys_present(vm->phys, pa >> VM_PAGE_SHIFT) ? 0 : -1;
}

/* Bytes of @start..@end by the level of their leaves. */
static void
count_range(const struct vm *vm, pa_t start, pa_t end, uint64_t bytes[3])
{
	while (start < end) {
		int level = kernel_direct_level(vm, start);
		uint64_t step = 1ULL << vm->shape.shift[MAX_OF(level, 0)];
		pa_t next = MIN_OF(round_down_to(start, step) + step, end);

		/* Where there are small ones, up to the next large one. */
		if (!level)
			next = MIN_OF(round_up_to(start + 1,
						  1ULL << vm->shape.shift[1]),
				      end);
		if (level >= 0)
			bytes[level] += next - start;
		start = next;
	}
}

void
kernel_direct_bytes(const struct vm *vm, uint64_t bytes[3])
{
	const GArray *memory = vm->phys->memblock.memory;
	pa_t done = MIN_OF(ISA_END, low_end(vm));

	bytes[0] = bytes[1] = bytes[2] = 0;
	if (!vm->shape.f)
		return;
	bytes[0] = done;
	for (guint i = 0; i < memory->len; i++) {
		const struct range *r = &g_array_index(memory, struct range, i);
		pa_t end = MIN_OF(r->end, low_end(vm));

		if (end <= done)
			continue;
		count_range(vm, MAX_OF(r->start, done), end, bytes);
		done = end;
	}
}

/* --- the image ------------------------------------------------------------ */

/* Where the boot reservation that holds the kernel ends; 0: it is not there. */
static pa_t
image_end(const struct vm *vm)
{
	const GArray *reserved = vm->phys->memblock.reserved;

	for (guint i = 0; i < reserved->len; i++) {
		const struct range *r =
			&g_array_index(reserved, struct range, i);

		if (r->start <= IMAGE_START && IMAGE_START < r->end)
			return r->end;
	}
	return 0;
}

unsigned int
kernel_image(const struct vm *vm,
	     struct kernel_section sections[KERNEL_SECTIONS])
{
	static const struct {
		const char *name;
		unsigned int sixteenths; /* of the image */
	} parts[KERNEL_SECTIONS] = {
		{"Kernel code",	7},
		{"Kernel rodata", 4},
		{"Kernel data",	2},
		{"Kernel bss",    3},
	};
	uint64_t size = image_end(vm) - IMAGE_START;
	pa_t at = IMAGE_START;

	if (image_end(vm) < IMAGE_START + 16 * VM_PAGE)
		return 0;
	for (unsigned int i = 0; i < KERNEL_SECTIONS; i++) {
		pa_t end = round_down_to(at + size / 16 * parts[i].sixteenths,
					 VM_PAGE);

		if (i == KERNEL_SECTIONS - 1)
			end = IMAGE_START + size;
		sections[i] = (struct kernel_section){
			parts[i].name, {at, end}
		};
		at = end;
	}
	return KERNEL_SECTIONS;
}

/* The address in the image's own mapping; UINT64_MAX: not there.  32-bit
 * kernels run in the direct map. */
static pa_t
image_pa(const struct vm *vm, va_t va)
{
	pa_t pa = va - vm->layout.kernel_text;

	if (vm->mode < MMU_4LEVEL || va < vm->layout.kernel_text ||
	    va >= vm->layout.modules)
		return UINT64_MAX;
	return pa;
}

/* --- __pa, __va ----------------------------------------------------------- */

static bool
in_direct_map(const struct vm *vm, va_t va)
{
	return va >= vm->layout.page_offset &&
	       va - vm->layout.page_offset < low_end(vm);
}

pa_t
kernel_pa(const struct vm *vm, va_t va)
{
	if (in_direct_map(vm, va))
		return va - vm->layout.page_offset;
	return image_pa(vm, va);
}

va_t
kernel_va(const struct vm *vm, pa_t pa)
{
	if (kernel_direct_level(vm, pa) < 0)
		return 0;
	return vm->layout.page_offset + pa;
}

/* --- made when first walked ----------------------------------------------- */

/* Enter the leaf of @level that maps @pa at @va. */
static bool
make_leaf(struct vm *vm, unsigned int cpu, va_t va, pa_t pa, unsigned int level)
{
	uint64_t size = 1ULL << vm->shape.shift[level];
	uint64_t entry = round_down_to(pa, size) | kernel_prot(vm);
	pa_t at;

	if (pt_make(vm, vm->init_mm, va, level, cpu, &at) ||
	    (pte_load(vm, at) & PTE_P))
		return false;
	pte_store(vm, at, level ? entry | PTE_PS : entry);
	if (level == vm->shape.top)
		vm_kernel_entry_made(vm, va);
	return true;
}

bool
kernel_fault(struct vm *vm, unsigned int cpu, va_t va, uint32_t error_code)
{
	pa_t pa;
	int level;

	if ((error_code & (PF_PROT | PF_RSVD | PF_USER)) ||
	    kernel_start(vm, cpu))
		return false;
	if (in_direct_map(vm, va)) {
		pa = va - vm->layout.page_offset;
		level = kernel_direct_level(vm, pa);
		return level >= 0 &&
		       make_leaf(vm, cpu, va, pa, (unsigned int)level);
	}
	pa = image_pa(vm, va);
	if (pa >= IMAGE_START && pa < image_end(vm))
		return make_leaf(vm, cpu, va, pa, 1);
	return kernel_percpu_fault(vm, cpu, va);
}

/* --- by what is known ----------------------------------------------------- */

pa_t
kernel_lookup(const struct vm *vm, va_t va)
{
	const struct kernel_area *a;
	pa_t pa = kernel_pa(vm, va), at;
	pfn_t pfn;

	if (in_direct_map(vm, va))
		return kernel_direct_level(vm, pa) < 0 ? UINT64_MAX : pa;
	if (pa != UINT64_MAX)
		return pa >= IMAGE_START && pa < image_end(vm) ? pa
							       : UINT64_MAX;
	if (va < vm->layout.page_offset || !vm->init_mm)
		return UINT64_MAX;
	a = kernel_area_at(vm->kernel, va);
	if (a && (a->flags & KA_PERCPU)) {
		pfn = kernel_percpu_pfn(vm, va);
	} else if (a) {
		pfn = kernel_area_pfn(a, va);
	} else {
		at = vm_entry_at(vm, vm->init_mm, va, 0);
		pfn = at ? vm_entry_pfn(vm, pte_load(vm, at)) : PFN_NONE;
	}
	return pfn == PFN_NONE ? UINT64_MAX
			       : (pfn << VM_PAGE_SHIFT) | (va & (VM_PAGE - 1));
}

uint64_t
kernel_read(const struct vm *vm, va_t va, void *bytes, uint64_t len)
{
	uint8_t *to = bytes;
	uint64_t done = 0;

	while (done < len) {
		pa_t pa = kernel_lookup(vm, va + done);
		uint64_t part = MIN_OF(len - done,
				       VM_PAGE - ((va + done) & (VM_PAGE - 1)));

		if (pa == UINT64_MAX)
			break;
		ram_read(vm->ram, pa, to + done, part);
		done += part;
	}
	return done;
}

uint64_t
kernel_write(struct vm *vm, va_t va, const void *bytes, uint64_t len)
{
	const uint8_t *from = bytes;
	uint64_t done = 0;

	while (done < len) {
		pa_t pa = kernel_lookup(vm, va + done);
		uint64_t part = MIN_OF(len - done,
				       VM_PAGE - ((va + done) & (VM_PAGE - 1)));

		if (pa == UINT64_MAX ||
		    ram_write(vm->ram, pa, from + done, part))
			break;
		vm_bytes_changed(vm, pa, part);
		done += part;
	}
	return done;
}

va_t
kernel_struct_page(const struct vm *vm, pfn_t pfn)
{
	const struct arch *arch = vm->phys->arch;

	if (pfn >= vm->phys->max_pfn || !arch->vmemmap ||
	    !phys_present(vm->phys, pfn))
		return 0;
	return (vm->layout.vmemmap ? vm->layout.vmemmap : arch->vmemmap) +
	       pfn * arch->struct_page_size;
}
