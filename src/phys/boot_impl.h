// SPDX-License-Identifier: MIT
/*
 * boot_impl.h - the steps of booting physical memory, in their order
 *
 * Each step fills in what the ones after it need; see phys_boot().  Those that
 * can find that no machine can be made of it return false with the reason.
 */
#ifndef KMEMFS_PHYS_BOOT_IMPL_H
#define KMEMFS_PHYS_BOOT_IMPL_H

#include "kmemfs/phys/cmdline.h"
#include "kmemfs/phys/firmware.h"
#include "kmemfs/phys/memblock.h"
#include "kmemfs/phys/phys.h"

/* What exists only while booting. */
struct boot {
	struct phys *phys;
	struct bootmem mem;
	uint64_t dma_reserve; /* pages below 16 MiB that are taken (x86-64) */
	char *why;	      /* where a reason goes */
	size_t why_size;
};

/* Store the reason.  Returns false. */
bool boot_fail(struct boot *boot, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A line in the modelled kernel's log. */
void phys_printk(struct phys *phys, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* boot.c: an empty machine of @config; its arguments; its memory, as far as
 * memblock and nodes, with the reserved ranges and the cma= area taken. */
struct phys *boot_new(const struct phys_config *config);
bool boot_arguments(struct boot *boot);
bool boot_memory(struct boot *boot);

/* bootlog.c: what the kernel's log says on the way. */
void boot_log_firmware(struct phys *phys);
void boot_log_zones(struct phys *phys, const struct bootmem *mem);
void boot_log_memory(struct phys *phys);

/* lowmem.c: max_low_pfn, and max_pfn where i386 cuts it. */
void boot_find_low_pfn(struct phys *phys);

/* nodes.c: whose memory it is; nodes, distances, zones without pages. */
bool boot_nodes(struct boot *boot);

/* cma.c: reserve the cma= area in memblock; later, give it to the buddy. */
bool boot_reserve_cma(struct boot *boot);
void boot_activate_cma(struct phys *phys);

/* movable.c: movable_zone and movable_start of each node. */
void boot_find_movable(struct boot *boot);

/* zones.c: limits, spans, present pages; arrays of frames. */
void boot_zone_limits(struct phys *phys);
bool boot_zones(struct boot *boot);
/* zones.c: what the kernel calls Total pages before anything is managed. */
uint64_t boot_total_pages(const struct phys *phys, uint64_t dma_reserve);
/* pcp_size.c: blocks moved at a time, for what is managed now. */
uint32_t zone_batchsize(const struct zone *zone);
/* zones.c: per-cpu lists of a zone that now has pages. */
void zone_make_pcp(struct zone *zone);

/* handover.c: free memory to the buddy; early and late frees. */
void boot_hand_over(struct boot *boot);
/* Give reserved pages of @ranges (of struct range) back; returns how many. */
uint64_t boot_free_ranges(struct phys *phys, const GArray *ranges);
/* Note that [@start, @end) is managed from now on, and hand it to the buddy;
 * @downwards: the highest block becomes the head of its list. */
void phys_manage(struct phys *phys, struct zone *zone, pfn_t start, pfn_t end,
		 bool downwards);

/* inuse.c: what is free and what taken, and the types of pageblocks, where the
 * description says so. */
bool boot_in_use(struct boot *boot);

/* bootmem.c: what the machine file asks for before the hand-over. */
bool boot_requests(struct boot *boot);

/* zonelist.c: build_all_zonelists(): lists, Total pages, mobility. */
void phys_build_all_zonelists(struct phys *phys, bool see_cpus);

/* watermark.c: THP's second run, hugepage_init(). */
void boot_khugepaged(struct phys *phys);
/* watermark.c: managed pages above the high watermarks of zones up to
 * @highest: nr_free_zone_pages. */
uint64_t phys_pages_above_high(const struct phys *phys, enum zone_type highest);

/* hotplug.c: memory devices that are there at boot. */
void boot_hotplug(struct phys *phys);

#endif
