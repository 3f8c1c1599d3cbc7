// SPDX-License-Identifier: MIT
/*
 * cmdline.h - the kernel's arguments that shape physical memory
 *
 * Words that are about memory and not modelled are refused, so that nobody
 * believes they had an effect; all other unknown words are passed over, as
 * the kernel passes them on to user space.
 */
#ifndef KMEMFS_PHYS_CMDLINE_H
#define KMEMFS_PHYS_CMDLINE_H

#include "kmemfs/base/refusal.h"
#include "kmemfs/phys/phys.h"

/* One change of the firmware map, in the order of the arguments. */
enum firmware_op {
	FIRMWARE_CUT,	/* mem=size: no RAM at or above @start */
	FIRMWARE_CLEAR, /* memmap=exactmap: forget the firmware's map */
	FIRMWARE_ADD,	/* memmap=size@start and such: @type at the range */
};

struct firmware_change {
	enum firmware_op op;
	struct range range;
	enum firmware_type type;
};

/* kernelcore= or movablecore=: bytes, or percent of all memory. */
struct core_size {
	uint64_t bytes;
	uint64_t percent;
};

enum thp_mode { THP_ALWAYS, THP_MADVISE, THP_NEVER };

/* memhp_default_state= */
enum memhp_state {
	MEMHP_OFFLINE,
	MEMHP_ONLINE,
	MEMHP_ONLINE_KERNEL,
	MEMHP_ONLINE_MOVABLE
};

struct phys_cmdline {
	GArray *firmware; /* of struct firmware_change */
	struct core_size kernelcore;
	struct core_size movablecore;
	uint64_t cma_size; /* cma=size@base-limit; 0: none */
	pa_t cma_base;
	pa_t cma_limit;
	enum thp_mode thp;
	uint64_t hugepages;	/* in the pool at boot */
	uint64_t hugepage_size; /* bytes; 0: not given */
	uint64_t vmalloc;	/* vmalloc=, bytes; 0: not given (i386) */
	uint64_t highmem;	/* highmem=, bytes; UINT64_MAX: not given */
	enum memhp_state memhp;
	bool zonelist_by_zone;
	bool numa_off;
	bool movable_node; /* memory plugged in goes to Movable */
};

/*
 * Read @text.  Returns 0, or -EINVAL with @r filled in (its column is the
 * offset of the word at fault); the result then needs no fini.
 */
int phys_cmdline_read(struct phys_cmdline *args, const char *text,
		      struct refusal *r);
void phys_cmdline_fini(struct phys_cmdline *args);

#endif
