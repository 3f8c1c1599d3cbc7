// SPDX-License-Identifier: MIT
/*
 * memory_block.h - memory in blocks that can go offline
 *
 * Source: drivers/base/memory.c, arch/x86/mm/init_64.c of Linux 6.1.  A block
 * exists when a part of it was memory at boot.  Kernels without sparse memory
 * (i386, generic) have no blocks.
 */
#ifndef KMEMFS_PHYS_MEMORY_BLOCK_H
#define KMEMFS_PHYS_MEMORY_BLOCK_H

#include "kmemfs/phys/phys.h"

#define SECTION_SIZE MIB(128)

/* Whether the kernel keeps its memmap in sections (SPARSEMEM). */
bool memory_sections(const struct phys *phys);
/* Bytes of a block, a power of two; 0 when there are no blocks. */
uint64_t memory_block_bytes(const struct phys *phys);
/* Pages of a block. */
uint64_t memory_block_pages(const struct phys *phys);
/* Whether block number @block exists, online or not. */
bool memory_block_exists(const struct phys *phys, uint64_t block);
/* The smallest existing block >= @from; false when there is none. */
bool memory_block_next(const struct phys *phys, uint64_t from, uint64_t *block);
/* Whether an existing block's memory is in use by the kernel. */
bool memory_block_online(const struct phys *phys, uint64_t block);
/* The node of an existing block (the last one that has a part of it). */
int memory_block_node(const struct phys *phys, uint64_t block);
/* Whether a part of the block was not memory at boot. */
bool memory_block_has_hole(const struct phys *phys, uint64_t block);
/* The zone an online block lies in; NULL when it lies in several zones or
 * nodes, and can therefore not go offline. */
struct zone *memory_block_zone(const struct phys *phys, uint64_t block);

/*
 * Whether the kernel has a struct page for @pfn that is in use: memory that is
 * online, and holes that share a section with memory (pfn_to_online_page).
 * *@until is set to a pfn above @pfn up to which the answer is the same.
 */
bool memory_has_page(const struct phys *phys, pfn_t pfn, pfn_t *until);

#endif
