// SPDX-License-Identifier: MIT
/*
 * memblock.h - memory while the kernel boots: what there is, what is taken
 *
 * Two sorted lists of byte ranges, memory (each range with its node) and
 * reserved.  What is memory and not reserved is free, and is handed over to
 * the page allocator.  Source: mm/memblock.c.
 */
#ifndef KMEMFS_PHYS_MEMBLOCK_H
#define KMEMFS_PHYS_MEMBLOCK_H

#include "kmemfs/phys/phys.h"
#include "kmemfs/phys/rangeset.h"

#define PA_NONE UINT64_MAX

struct bootmem {
	struct rangeset memory;	  /* tag: node */
	struct rangeset reserved; /* tag: 0 */
	uint64_t page_size;	  /* the first page is never given out */
};

void memblock_init(struct bootmem *boot, uint64_t page_size);
void memblock_fini(struct bootmem *boot);
/* There is memory at [@start, @end) on node @nid; what was known stays. */
void memblock_add(struct bootmem *boot, pa_t start, pa_t end, int nid);
void memblock_remove(struct bootmem *boot, pa_t start, pa_t end);
/* Known memory of [@start, @end) belongs to node @nid. */
void memblock_set_node(struct bootmem *boot, pa_t start, pa_t end, int nid);
void memblock_reserve(struct bootmem *boot, pa_t start, pa_t end);
/* Undo memblock_reserve. */
void memblock_free(struct bootmem *boot, pa_t start, pa_t end);
/* Cut each memory range inwards to multiples of @align. */
void memblock_trim(struct bootmem *boot, uint64_t align);

/* Where to look for free memory. */
struct memblock_where {
	pa_t min;	/* not below */
	pa_t max;	/* end not above; 0: end of memory */
	int nid;	/* NODE_LOCAL (-1): any node */
	bool bottom_up; /* lowest place first; else highest */
};

/*
 * Find @size free bytes at a multiple of @align (a power of two).  Returns the
 * address or PA_NONE.  Source: memblock_find_in_range_node.
 */
pa_t memblock_find(const struct bootmem *boot, uint64_t size, uint64_t align,
		   const struct memblock_where *where);
/* memblock_find, on any node when @where's has no room, and reserve it. */
pa_t memblock_alloc(struct bootmem *boot, uint64_t size, uint64_t align,
		    const struct memblock_where *where);

/* The first free range that ends above @from, cut to start there or later;
 * false when there is none.  Ranges of different nodes are apart. */
bool memblock_next_free(const struct bootmem *boot, pa_t from,
			struct range *free, int *nid);
/* End of the last memory range, 0 without memory. */
pa_t memblock_end(const struct bootmem *boot);
/* Copy the lists to where the machine keeps them. */
void memblock_export(const struct bootmem *boot, struct memblock *to);
void memblock_export_fini(struct memblock *to);

#endif
