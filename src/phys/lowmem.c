// SPDX-License-Identifier: MIT
/*
 * lowmem.c - where the direct map of an i386 kernel ends
 *
 * What it models: arch/x86/mm/init_32.c:find_low_pfn_range, and the address
 *                 layout of arch/x86/include/asm/pgtable_32_areas.h that gives
 *                 MAXMEM, for kernels built with NR_CPUS=32.
 * How it works:   the kernel's half is filled from the top down, each part
 *                 aligned down to what one page middle directory entry maps:
 *
 *                   0xfffff000  FIXADDR_TOP
 *                               fixmap pages
 *                               CPU entry areas, one IDT page
 *                               LDT remap
 *                               PKMAP (1024 or 512 pages)
 *                   VMALLOC_END two pages below
 *                               vmalloc space, 128 MiB unless vmalloc=
 *                   high_memory lowmem's end
 *                   0xc0000000  PAGE_OFFSET: lowmem
 */
#include "boot_impl.h"

#define PAGE 4096ULL
#define NR_CPUS_32 32ULL
#define FIXADDR_TOP 0xfffff000ULL
#define VMALLOC_DEFAULT MIB(128)
#define VMALLOC_OFFSET MIB(8)
#define LOWMEM_LEAST MIB(64)

/*
 * Fixmap: hole, debug port, early console, local APIC; 64 I/O APICs; 16
 * kmap slots a CPU; PCI configuration space; APEI.  Then the boot-time
 * mappings, 8 slots of 64 pages, moved up so that they share one page table:
 * 582 pages become 1024.  Two more follow (write protect test, tboot).
 */
#define FIX_PERMANENT (4 + 64 + 16 * NR_CPUS_32 + 2)
#define FIX_BTMAPS (8 * 64ULL)
#define FIX_BTMAP_END                                                          \
	(FIX_PERMANENT + FIX_BTMAPS - (FIX_PERMANENT & (FIX_BTMAPS - 1)))
#define FIX_PAGES (FIX_BTMAP_END + FIX_BTMAPS + 2)

/*
 * A CPU's entry area: GDT, guard, entry stack, guard, double fault stack, TSS
 * with two I/O bitmaps of 8 KiB (5 pages), debug store, its BTS and PEBS
 * buffers (16 pages each).
 */
#define ENTRY_PAGES (1 + 1 + 1 + 1 + 1 + 5 + 1 + 16 + 16)

/* MAXMEM: bytes that the direct map can take. */
static uint64_t
lowmem_most(const struct phys *phys)
{
	uint64_t pmd = phys->arch == &archs[ARCH_I386_PAE] ? MIB(2) : MIB(4);
	uint64_t vmalloc = VMALLOC_DEFAULT;
	uint64_t at = FIXADDR_TOP - FIX_PAGES * PAGE;

	at = round_down_to(at - PAGE * (ENTRY_PAGES * NR_CPUS_32 + 1), pmd);
	at = round_down_to(at - PAGE, pmd); /* LDT remap */
	at = round_down_to(at - PAGE, pmd); /* PKMAP */
	at -= 2 * PAGE;			    /* VMALLOC_END */
	if (phys->cmdline->vmalloc)
		vmalloc = phys->cmdline->vmalloc + VMALLOC_OFFSET;
	if (vmalloc > at - phys->arch->page_offset)
		return 0;
	return at - phys->arch->page_offset - vmalloc;
}

/* All memory fits in the direct map: highmem= may take some out of it. */
static void
lowmem_all(struct phys *phys, uint64_t highmem)
{
	phys->max_low_pfn = phys->max_pfn;
	if (phys->cmdline->highmem == UINT64_MAX || !highmem)
		return;
	if (highmem >= phys->max_pfn) {
		phys_printk(phys,
			    "highmem size (%luMB) is bigger than pages "
			    "available (%luMB)!",
			    (unsigned long)(highmem >> 8),
			    (unsigned long)(phys->max_pfn >> 8));
		return;
	}
	if (phys->max_low_pfn - highmem < LOWMEM_LEAST / PAGE) {
		phys_printk(phys,
			    "highmem size (%luMB) results in <64MB lowmem, "
			    "ignoring it!",
			    (unsigned long)(highmem >> 8));
		return;
	}
	phys->max_low_pfn -= highmem;
}

/* More memory than the direct map takes: the rest is high. */
static void
lowmem_and_high(struct phys *phys, uint64_t highmem, pfn_t most)
{
	phys->max_low_pfn = most;
	if (phys->cmdline->highmem == UINT64_MAX)
		highmem = phys->max_pfn - most;
	if (highmem + most < phys->max_pfn)
		phys->max_pfn = most + highmem;
	if (highmem + most > phys->max_pfn)
		phys_printk(phys,
			    "only %luMB highmem pages available, ignoring "
			    "highmem size of %luMB!",
			    (unsigned long)((phys->max_pfn - most) >> 8),
			    (unsigned long)(highmem >> 8));
}

void
boot_find_low_pfn(struct phys *phys)
{
	uint64_t highmem = phys->cmdline->highmem >> phys->page_shift;
	pfn_t most;

	if (!arch_has_zone(phys->arch, ZONE_HIGHMEM)) {
		phys->max_low_pfn = phys->max_pfn;
		return;
	}
	most = lowmem_most(phys) / PAGE;
	if (phys->max_pfn <= most)
		lowmem_all(phys, highmem);
	else
		lowmem_and_high(phys, highmem, most);
}
