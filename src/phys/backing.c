// SPDX-License-Identifier: MIT
/*
 * backing.c - the host's memory behind the array of frames
 *
 * What it models: nothing of the kernel.
 *
 * How it works: the array is reserved and not filled.  A frame touched costs
 * the host a page of 4 KiB, which describes a MiB of the machine's memory; on
 * a large machine that is in use, most of what a step waits for then are the
 * host's page tables.  Blocks nobody has touched are used from the lowest on,
 * so when the 4 GiB below them are in use, the next 512 MiB soon will be: the
 * host may back them with one huge page, made by one fault in place of up to
 * 512.
 *
 * Always true: a host page of the array that is not needed yet is at most one
 * huge page for each part in use, an eighth of what that part has.
 */
#include "buddy_impl.h"

#include <sys/mman.h>
#include <unistd.h>

#define HUGE_BYTES MIB(2)
/* Frames that a huge page of the host describes. */
#define HUGE_FRAMES (HUGE_BYTES / sizeof(struct frame))
/* Huge pages' worth of frames that are in use before the first one is made. */
#define HUGE_BEFORE 8

void *
backing_reserve(uint64_t bytes)
{
	uint64_t full = round_up_to(bytes, (uint64_t)sysconf(_SC_PAGESIZE));
	uint64_t more = full + HUGE_BYTES;
	char *at = mmap(NULL, more, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t skip;

	if (at == MAP_FAILED)
		return NULL;
	/* Only what is aligned can be a huge page. */
	skip = -(uintptr_t)at % HUGE_BYTES;
	if (skip)
		munmap(at, skip);
	munmap(at + skip + full, HUGE_BYTES - skip);
	return at + skip;
}

void
backing_grow(const struct zone *zone, pfn_t floor, pfn_t next, uint64_t nr)
{
	const uint64_t before = HUGE_BEFORE * HUGE_FRAMES;

	if (likely(next % HUGE_FRAMES != 0) || nr < HUGE_FRAMES ||
	    next < floor + before ||
	    !extents_cover(zone, next - before, next + HUGE_FRAMES))
		return;
	/* A host that refuses is as right as one that has no huge pages. */
	(void)madvise(&zone->phys->frames[next], HUGE_BYTES, MADV_HUGEPAGE);
	if (next % HUGE_BYTES == 0 && nr >= HUGE_BYTES)
		(void)madvise(&zone->phys->heads[next], HUGE_BYTES,
			      MADV_HUGEPAGE);
}
