// SPDX-License-Identifier: MIT
/*
 * memory_block.c - memory in blocks that can go offline
 *
 * What it models: the memory blocks of drivers/base/memory.c and the size that
 * arch/x86/mm/init_64.c gives them; mm/memory_hotplug.c:pfn_to_online_page.
 * How it works: nothing is kept; all is computed from the memory ranges of the
 * boot and from what is online now.
 * Differs from the kernel: the machine counts as a virtual one (its firmware
 * map is that of QEMU's pc), so blocks over 128 MiB are aligned to memory's
 * end.
 */
#include "kmemfs/phys/memory_block.h"

#define LARGE_MEMORY GIB(64)
#define BLOCK_MAX GIB(2)

bool
memory_sections(const struct phys *phys)
{
	return phys->arch == &archs[ARCH_X86_64];
}

static const struct range *
memory_range(const struct phys *phys, guint i)
{
	return &g_array_index(phys->memblock.memory, struct range, i);
}

uint64_t
memory_block_bytes(const struct phys *phys)
{
	uint64_t end = phys->max_pfn << phys->page_shift;
	uint64_t bytes = BLOCK_MAX;

	if (!memory_sections(phys))
		return 0;
	if (end < LARGE_MEMORY)
		return SECTION_SIZE;
	while (bytes > SECTION_SIZE && end & (bytes - 1))
		bytes >>= 1;
	return bytes;
}

uint64_t
memory_block_pages(const struct phys *phys)
{
	return memory_block_bytes(phys) >> phys->page_shift;
}

bool
memory_block_next(const struct phys *phys, uint64_t from, uint64_t *block)
{
	uint64_t bytes = memory_block_bytes(phys);

	if (!bytes)
		return false;
	for (guint i = 0; i < phys->memblock.memory->len; i++) {
		const struct range *range = memory_range(phys, i);
		uint64_t last = (range->end - 1) / bytes;

		if (range->end == range->start || last < from)
			continue;
		*block = MAX_OF(from, range->start / bytes);
		return true;
	}
	return false;
}

bool
memory_block_exists(const struct phys *phys, uint64_t block)
{
	uint64_t found;

	return memory_block_next(phys, block, &found) && found == block;
}

/* Calls for each memory range's part in @block: stores its bounds, its node;
 * @i is the range to start with and is moved past the one found. */
static bool
block_part(const struct phys *phys, uint64_t block, guint *i,
	   struct range *part, int *nid)
{
	uint64_t bytes = memory_block_bytes(phys);
	pa_t start = block * bytes, end = start + bytes;

	for (; *i < phys->memblock.memory->len; ++*i) {
		const struct range *range = memory_range(phys, *i);

		part->start = MAX_OF(start, range->start);
		part->end = MIN_OF(end, range->end);
		if (part->start >= part->end)
			continue;
		*nid = g_array_index(phys->memblock.memory_node, int, *i);
		++*i;
		return true;
	}
	return false;
}

bool
memory_block_online(const struct phys *phys, uint64_t block)
{
	struct range part;
	guint i = 0;
	int nid;

	return block_part(phys, block, &i, &part, &nid) &&
	       phys_present(phys, (part.start + page_size(phys) - 1) >>
					  phys->page_shift);
}

int
memory_block_node(const struct phys *phys, uint64_t block)
{
	struct range part;
	guint i = 0;
	int nid = 0;

	while (block_part(phys, block, &i, &part, &nid))
		;
	return nid;
}

bool
memory_block_has_hole(const struct phys *phys, uint64_t block)
{
	uint64_t sum = 0;
	struct range part;
	guint i = 0;
	int nid;

	while (block_part(phys, block, &i, &part, &nid))
		sum += part.end - part.start;
	return sum != memory_block_bytes(phys);
}

struct zone *
memory_block_zone(const struct phys *phys, uint64_t block)
{
	struct zone *match = NULL;
	unsigned int matches = 0;
	struct range all = {0}, part;
	int nid = -1, part_nid;
	pfn_t first, last;
	guint i = 0;

	while (block_part(phys, block, &i, &part, &part_nid)) {
		if (nid >= 0 && part_nid != nid)
			return NULL;
		if (nid < 0)
			all.start = part.start;
		all.end = part.end;
		nid = part_nid;
	}
	if (nid < 0)
		return NULL;
	first = (all.start + page_size(phys) - 1) >> phys->page_shift;
	last = (all.end >> phys->page_shift) - 1;
	for (int t = 0; t < MAX_NR_ZONES; t++) {
		struct zone *zone = &phys->nodes[nid]->zones[t];

		if (!zone_populated(zone) || zone->start_pfn > last ||
		    zone_end_pfn(zone) <= first)
			continue;
		match = zone;
		matches++;
	}
	/* Zones may overlap once blocks went from one to the other. */
	if (matches > 1) {
		match = phys_zone_of(phys, first);
		if (match != phys_zone_of(phys, last))
			return NULL;
	}
	return match;
}

bool
memory_has_page(const struct phys *phys, pfn_t pfn, pfn_t *until)
{
	uint64_t pages = SECTION_SIZE >> phys->page_shift;
	uint64_t section = pfn / pages, block_pages;

	*until = phys->max_pfn;
	if (!memory_sections(phys))
		return pfn < phys->max_pfn;
	for (guint i = 0; i < phys->memblock.memory->len; i++) {
		const struct range *range = memory_range(phys, i);
		uint64_t first = range->start / SECTION_SIZE;
		uint64_t last = (range->end - 1) / SECTION_SIZE;

		if (range->start == range->end || last < section)
			continue;
		if (first > section) {
			*until = first * pages;
			return false;
		}
		block_pages = memory_block_pages(phys);
		*until = MIN_OF((pfn / block_pages + 1) * block_pages,
				(last + 1) * pages);
		return memory_block_online(phys, pfn / block_pages);
	}
	*until = PFN_NONE;
	return false;
}
