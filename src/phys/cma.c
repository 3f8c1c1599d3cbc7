// SPDX-License-Identifier: MIT
/*
 * cma.c - the cma= area: taken while booting, lent to the page allocator
 *
 * What it models: dma_contiguous_reserve of kernel/dma/contiguous.c;
 *                 cma_declare_contiguous_nid and cma_activate_area of
 *                 mm/cma.c; init_cma_reserved_pageblock.
 * How it works:   the area is a whole number of pageblocks.  Without a base it
 *                 lies above 4 GiB, as low as can be, when memory reaches so
 *                 far; else as high as can be below the end of the direct map.
 *                 Once the allocator runs, its pageblocks get type CMA and are
 *                 freed to it.
 * Differs from the kernel: the kernel looks for the place before it allocates
 *                 its memory map; a machine file that says what was reserved
 *                 says where the area lies, too (cma of [boot]).
 */
#include "boot_impl.h"

static uint64_t
cma_alignment(const struct phys *phys)
{
	return page_size(phys) << phys->pageblock_order;
}

static pa_t
cma_find(const struct boot *boot, uint64_t size, pa_t limit)
{
	uint64_t align = cma_alignment(boot->phys);
	struct memblock_where where = {
		.min = round_up_to(boot->phys->cmdline->cma_base, align),
		.max = limit,
		.nid = NODE_LOCAL,
	};
	struct memblock_where low_first = {
		.min = GIB(4),
		.max = limit,
		.nid = NODE_LOCAL,
		.bottom_up = true,
	};
	pa_t at = PA_NONE;

	/* Away from the zones of devices that reach 32 bits only. */
	if (memblock_end(&boot->mem) >= GIB(4) + size)
		at = memblock_find(&boot->mem, size, align, &low_first);
	if (at == PA_NONE)
		at = memblock_find(&boot->mem, size, align, &where);
	return at;
}

/* Whether the area is asked for at one place only. */
static bool
cma_fixed(const struct phys_cmdline *args)
{
	return args->cma_base &&
	       args->cma_base + args->cma_size == args->cma_limit;
}

/* Where the area starts, PA_NONE when there is no place for it. */
static pa_t
cma_place(const struct boot *boot, uint64_t size)
{
	const struct phys *phys = boot->phys;
	const struct phys_cmdline *args = phys->cmdline;
	pa_t limit = phys->max_low_pfn << phys->page_shift;

	if (cma_fixed(args)) {
		pa_t end = args->cma_base + size;

		if (args->cma_base & (cma_alignment(phys) - 1) ||
		    end > memblock_end(&boot->mem) ||
		    rangeset_overlaps(&boot->mem.reserved, args->cma_base, end))
			return PA_NONE;
		return args->cma_base;
	}
	if (args->cma_limit)
		limit = MIN_OF(limit, args->cma_limit);
	return cma_find(boot, size,
			round_down_to(MIN_OF(limit, memblock_end(&boot->mem)),
				      cma_alignment(phys)));
}

bool
boot_reserve_cma(struct boot *boot)
{
	struct phys *phys = boot->phys;
	const struct phys_config *config = phys->config;
	uint64_t size =
		round_up_to(phys->cmdline->cma_size, cma_alignment(phys));
	pa_t at;

	if (!config->cma_kernel || !size)
		return true;
	if (config->cma.end) {
		if ((config->cma.start | config->cma.end) &
		    (cma_alignment(phys) - 1))
			return boot_fail(
				boot,
				"the cma area's bounds are not "
				"multiples of a pageblock (%llu KiB)",
				(unsigned long long)cma_alignment(phys) >> 10);
		phys->cma = config->cma;
		memblock_reserve(&boot->mem, phys->cma.start, phys->cma.end);
		return true;
	}
	at = cma_place(boot, size);
	if (at == PA_NONE) {
		phys_printk(phys, "cma: Failed to reserve %llu MiB",
			    (unsigned long long)size >> 20);
		return true;
	}
	phys->cma = (struct range){at, at + size};
	memblock_reserve(&boot->mem, at, at + size);
	phys_printk(phys, "cma: Reserved %llu MiB at 0x%llx",
		    (unsigned long long)size >> 20, (unsigned long long)at);
	return true;
}

void
boot_activate_cma(struct phys *phys)
{
	uint64_t block = 1ULL << phys->pageblock_order;
	pfn_t start = phys->cma.start >> phys->page_shift;
	pfn_t end = phys->cma.end >> phys->page_shift;
	struct zone *zone;

	if (start == end)
		return;
	zone = phys_zone_of(phys, start);
	for (pfn_t at = start; at < end; at += block) {
		/* An area in two zones, or not all memory, is of no use as
		 * one: its pages become ordinary ones. */
		if (!zone || phys_zone_of(phys, at) != zone ||
		    phys_zone_of(phys, at + block - 1) != zone ||
		    !phys_reserved(phys, at)) {
			GArray *whole =
				g_array_new(FALSE, FALSE, sizeof(struct range));

			phys_printk(phys, "CMA area reserved could not be "
					  "activated");
			g_array_append_val(whole, phys->cma);
			phys->late_pages += boot_free_ranges(phys, whole);
			g_array_free(whole, TRUE);
			phys->cma = (struct range){0, 0};
			return;
		}
	}
	for (pfn_t at = start; at < end; at += block)
		pageblock_set_type(phys, at, MIGRATE_CMA);
	zone->cma_pages += end - start;
	phys_manage(phys, zone, start, end, true);
}
