// SPDX-License-Identifier: MIT
/*
 * firmware.h - the e820 map: what the firmware says about physical addresses
 *
 * Source: arch/x86/kernel/e820.c.
 */
#ifndef KMEMFS_PHYS_FIRMWARE_H
#define KMEMFS_PHYS_FIRMWARE_H

#include "kmemfs/base/out.h"
#include "kmemfs/phys/cmdline.h"
#include "kmemfs/phys/memblock.h"

/* "usable", "acpi", ... as machine files have it. */
const char *firmware_type_name(enum firmware_type type);
/* As Linux prints it: "usable", "ACPI data", ... */
const char *firmware_type_text(enum firmware_type type);
/* Read a name of either kind; false when it is none. */
bool firmware_type_find(const char *name, enum firmware_type *type);

/*
 * The map that the kernel works with: @given after mem= and memmap= of @args
 * (NULL: none), sorted, without overlaps (the stronger type wins, as in
 * e820__update_table), and for PCs page 0 and the BIOS hole taken from
 * usable.  Returns a new GArray of struct firmware_range.
 */
GArray *firmware_map(const GArray *given, const struct phys_cmdline *args,
		     bool pc, uint64_t page_size);
/*
 * Add usable ranges below @limit, cut inwards to pages, as node 0's memory
 * (e820__memblock_setup).
 */
void firmware_to_memblock(const GArray *map, pa_t limit, struct bootmem *boot);

/*
 * The map that QEMU's pc machine of @bytes of RAM has: a hole for PCI below
 * 4 GiB, the BIOS, ACPI tables at the end of low memory.
 */
GArray *firmware_pc(uint64_t bytes);

#endif
