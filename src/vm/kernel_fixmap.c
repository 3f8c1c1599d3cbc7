// SPDX-License-Identifier: MIT
/*
 * kernel_fixmap.c - addresses that are fixed when the kernel is built
 *
 * How it works: slots are counted down from the top, one page each; what they
 * are for is a list of runs (kernel_fixmap.def).  512 more for mappings at boot
 * follow, in one table of leaves.  Only kmap's temporary slots are ever mapped
 * here; the devices behind the others are not modelled.
 */
#include "kernel_impl.h"

/* CPUs that a 32-bit kernel is built for. */
#define NR_CPUS_32 32U
#define BOOT_SLOTS 512U

struct run {
	const char *name;
	unsigned int narrow, wide;
};

#define KMAP UINT_MAX
#define FIX(name, narrow, wide) {name, narrow, wide},
static const struct run runs[] = {
#include "kernel_fixmap.def"
};

static unsigned int
slots_of(const struct vm *vm, const struct run *r)
{
	if (vm->mode >= MMU_4LEVEL)
		return r->wide;
	return r->narrow == KMAP ? KM_MAX_IDX * MAX_OF(NR_CPUS_32, vm->nr_cpus)
				 : r->narrow;
}

/* Those for boot begin at a multiple of 512 unless they fit before it. */
static unsigned int
boot_begin(unsigned int permanent)
{
	if ((permanent ^ (permanent + BOOT_SLOTS - 1)) & ~(BOOT_SLOTS - 1))
		return permanent + BOOT_SLOTS - (permanent & (BOOT_SLOTS - 1));
	return permanent;
}

bool
kernel_fixed_nth(const struct vm *vm, unsigned int n, struct kernel_fixed *run)
{
	unsigned int first = 0;

	if (!vm->layout.fixmap_top)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		unsigned int count = slots_of(vm, &runs[i]);

		if (!count)
			continue;
		if (!n--) {
			*run = (struct kernel_fixed){runs[i].name, first,
						     count};
			return true;
		}
		first += count;
	}
	*run = (struct kernel_fixed){"FIX_BTMAP", boot_begin(first),
				     BOOT_SLOTS};
	return !n;
}

unsigned int
kernel_fixed_count(const struct vm *vm)
{
	struct kernel_fixed run = {0};

	for (unsigned int n = 0; kernel_fixed_nth(vm, n, &run); n++)
		;
	return run.first + run.count;
}

bool
kernel_fixed_find(const struct vm *vm, unsigned int index,
		  struct kernel_fixed *run)
{
	for (unsigned int n = 0; kernel_fixed_nth(vm, n, run); n++)
		if (index >= run->first && index - run->first < run->count)
			return true;
	return false;
}

va_t
kernel_fix_to_virt(const struct vm *vm, unsigned int index)
{
	return vm->layout.fixmap_top - ((va_t)index << VM_PAGE_SHIFT);
}
