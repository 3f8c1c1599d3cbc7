// SPDX-License-Identifier: MIT
/*
 * defaults.c - what the boot code of an ordinary machine has taken
 *
 * What it models: the ranges that are reserved in memblock when free memory
 *                 goes to the page allocator, reduced to the large ones: the
 *                 first megabyte, the kernel's image, the cma= area, the struct
 *                 pages of each node at the top of its memory.
 * How it works:   the first half of a boot is done for show, with the same
 *                 functions; then the memory maps are allocated as the kernel
 *                 does, from the top down, in directly mapped memory.
 * Differs from the kernel: hash tables, per-cpu areas and page tables, a
 *                 megabyte or two in all, are left free.
 */
#include "boot_impl.h"

#define PC_FIRST MIB(1)
#define PC_KERNEL_START 0x1000000ULL
#define PC_KERNEL_END 0x2c00000ULL
/* A small kernel without the PC's history: in the first two megabytes. */
#define GENERIC_KERNEL_END MIB(2)

static void
add_range(GArray *ranges, pa_t start, pa_t end)
{
	struct range range = {start, end};

	g_array_append_val(ranges, range);
}

static uint64_t
node_memory(const struct boot *boot, unsigned int nid)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < rangeset_size(&boot->mem.memory); i++) {
		const struct rangeset_item *m =
			rangeset_at(&boot->mem.memory, i);

		if (m->tag == (int)nid)
			bytes += m->end - m->start;
	}
	return bytes;
}

/* Allocate the struct pages of node @nid's memory. */
static bool
default_memmap(struct boot *boot, unsigned int nid)
{
	struct phys *phys = boot->phys;
	uint64_t pages = node_memory(boot, nid) >> phys->page_shift;
	uint64_t bytes = pages * phys->arch->struct_page_size;
	/* Mapped by large pages where there is one's worth. */
	uint64_t align = bytes >= MIB(2) ? MIB(2) : page_size(phys);
	struct memblock_where where = {
		.max = phys->max_low_pfn << phys->page_shift,
		.nid = (int)nid,
	};

	bytes = round_up_to(bytes, align);
	if (!bytes ||
	    memblock_alloc(&boot->mem, bytes, align, &where) != PA_NONE)
		return true;
	return boot_fail(boot,
			 "there is no room for the memory map of node %u "
			 "(%llu KiB): give it more memory",
			 nid, (unsigned long long)bytes >> 10);
}

static bool
default_reserved(struct boot *boot, bool pc)
{
	pa_t kernel = pc ? PC_KERNEL_START : 0;
	pa_t end = pc ? PC_KERNEL_END : GENERIC_KERNEL_END;

	if (!boot_memory(boot))
		return false;
	if (pc && !rangeset_covers(&boot->mem.memory, kernel, end))
		return boot_fail(boot,
				 "the kernel's place, 0x%llx-0x%llx, is not "
				 "memory: say more memory, or reserved of "
				 "[boot]",
				 (unsigned long long)kernel,
				 (unsigned long long)end - 1);
	for (unsigned int n = 0; n < boot->phys->nr_nodes; n++) {
		if (!default_memmap(boot, n))
			return false;
	}
	return true;
}

bool
phys_default_reserved(struct phys_config *config, char *why, size_t why_size)
{
	bool pc = config->arch != ARCH_GENERIC;
	struct phys *phys = boot_new(config);
	struct boot boot = {.phys = phys, .why = why, .why_size = why_size};
	bool done;

	memblock_init(&boot.mem, page_size(phys));
	g_array_set_size(config->reserved, 0);
	add_range(config->reserved, 0, pc ? PC_FIRST : GENERIC_KERNEL_END);
	if (pc)
		add_range(config->reserved, PC_KERNEL_START, PC_KERNEL_END);
	done = boot_arguments(&boot) && default_reserved(&boot, pc);
	g_array_set_size(config->reserved, 0);
	config->cma = phys->cma;
	/* The area is named on its own. */
	memblock_free(&boot.mem, phys->cma.start, phys->cma.end);
	for (unsigned int i = 0; done && i < rangeset_size(&boot.mem.reserved);
	     i++)
		add_range(config->reserved,
			  rangeset_at(&boot.mem.reserved, i)->start,
			  rangeset_at(&boot.mem.reserved, i)->end);
	memblock_fini(&boot.mem);
	phys_free(phys);
	return done;
}
