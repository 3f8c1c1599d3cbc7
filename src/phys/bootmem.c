// SPDX-License-Identifier: MIT
/*
 * bootmem.c - memory that is asked for before the page allocator runs
 *
 * What it models: alloc_bootmem and its relatives of mm/bootmem.c of 2.6,
 *                 memblock_alloc of mm/memblock.c of 6.1, free_bootmem_late.
 * How it works:   bootmem looks upward from a goal, 16 MiB unless _low, or from
 *                 where it last found something if that is higher, and if there
 *                 is nothing once more from 0.  memblock looks from the top
 *                 down.  What is given is reserved, so the page allocator never
 *                 gets it: this is how a block larger than its largest is had.
 * Differs from the kernel: both know the same ranges, where 2.6 had a bit for
 *                 each page; nodes are searched as one.  When there is no
 *                 memory the machine does not start, where the kernel panics.
 */
#include "boot_impl.h"

#include <string.h>

#define GOAL MIB(16) /* MAX_DMA_ADDRESS: what ISA devices reach is spared */
#define CACHE_LINE 64

const char *const boot_call_names[NR_BOOT_CALLS] = {
	"alloc_bootmem",	   "alloc_bootmem_low", "alloc_bootmem_pages",
	"alloc_bootmem_low_pages", "memblock_alloc",
};

enum boot_call
boot_call_find(const char *name)
{
	for (unsigned int i = 0; i < NR_BOOT_CALLS; i++)
		if (!strcmp(boot_call_names[i], name))
			return (enum boot_call)i;
	return NR_BOOT_CALLS;
}

/* Where the request is to look first, and the alignment it wants. */
static pa_t
request_goal(const struct phys *phys, const struct boot_request *r,
	     uint64_t *align)
{
	bool pages = r->call == BOOT_ALLOC_BOOTMEM_PAGES ||
		     r->call == BOOT_ALLOC_BOOTMEM_LOW_PAGES;

	*align = pages ? page_size(phys) : CACHE_LINE;
	return r->call == BOOT_ALLOC_BOOTMEM ||
			       r->call == BOOT_ALLOC_BOOTMEM_PAGES
		       ? GOAL
		       : 0;
}

static bool
boot_request(struct boot *boot, const struct boot_request *r, pa_t *last)
{
	struct phys *phys = boot->phys;
	struct memblock_where where = {
		.max = phys->max_low_pfn << phys->page_shift,
		.nid = NODE_LOCAL,
		.bottom_up = r->call != BOOT_MEMBLOCK_ALLOC,
	};
	struct boot_grant grant = {0};
	uint64_t align;
	pa_t at;

	where.min = request_goal(phys, r, &align);
	if (where.min)
		where.min = MAX_OF(where.min, *last);
	at = memblock_alloc(&boot->mem, r->size, align, &where);
	where.min = 0;
	if (at == PA_NONE)
		at = memblock_alloc(&boot->mem, r->size, align, &where);
	if (at == PA_NONE)
		return boot_fail(boot,
				 "[bootmem] %s: %s of %llu bytes failed: Out "
				 "of memory",
				 r->name, boot_call_names[r->call],
				 (unsigned long long)r->size);
	if (where.bottom_up)
		*last = at;
	grant.range = (struct range){at, at + r->size};
	g_array_append_val(phys->bootmem, grant);
	return true;
}

bool
boot_requests(struct boot *boot)
{
	const GArray *requests = boot->phys->config->bootmem;
	pa_t last = 0;

	if (!requests)
		return true;
	boot->phys->bootmem =
		g_array_new(FALSE, FALSE, sizeof(struct boot_grant));
	for (guint i = 0; i < requests->len; i++)
		if (!boot_request(
			    boot,
			    &g_array_index(requests, struct boot_request, i),
			    &last))
			return false;
	return true;
}

uint64_t
phys_free_bootmem(struct phys *phys, uint32_t n)
{
	struct boot_grant *grant =
		&g_array_index(phys->bootmem, struct boot_grant, n);
	GArray *ranges = g_array_new(FALSE, FALSE, sizeof(struct range));
	uint64_t pages;

	g_array_append_val(ranges, grant->range);
	pages = boot_free_ranges(phys, ranges);
	g_array_free(ranges, TRUE);
	grant->freed = true;
	return pages;
}
