// SPDX-License-Identifier: MIT
/*
 * lab_mmu.h - what addresses cost, and what a speculating load gives away
 */
#ifndef KMEMFS_MACHINE_LAB_MMU_H
#define KMEMFS_MACHINE_LAB_MMU_H

#include "kmemfs/machine/config.h"

struct machine;

/* --- lab_costs.c: the same accesses done in several ways ----------------- */

/* One way. */
struct cost_row {
	char what[56];
	uint64_t operations;
	uint64_t cycles;
	uint64_t misses; /* of the TLB */
	uint64_t reads;	 /* of entries of tables */
};

#define COST_ROWS_MOST 96

struct cost_lab {
	unsigned int nr;
	struct cost_row row[COST_ROWS_MOST];
};

/*
 * Do them on a machine like @config, which boots for it.  NULL and a sentence
 * in @why when it cannot: no page tables, no model of caches, no memory.
 */
struct cost_lab *cost_lab_run(const struct machine_config *config, char *why,
			      size_t why_size);
/* The row called @what, NULL. */
const struct cost_row *cost_lab_row(const struct cost_lab *lab,
				    const char *what);

/* --- lab_meltdown.c: a load that faults, but later ------------------------ */

#define PROBE_LINES 256

struct meltdown_lab {
	va_t address;	     /* that was read */
	int32_t pid;	     /* by whom */
	bool separate;	     /* user tables of its own */
	bool faulted;	     /* the load did, in the end */
	uint32_t error_code; /* as the processor gave it */
	bool forwarded;	     /* its value went on before that */
	uint8_t stored;	     /* the byte that stands there */
	uint32_t threshold;  /* cycles: what is below was in a cache */
	uint32_t latency[PROBE_LINES];
	int byte; /* recovered, -1: none */
};

/*
 * The task that runs on CPU @cpu (PID 1 when none does) maps a probe of 256
 * pages, drops their first lines from all caches, loads the byte at @address
 * in user mode, and with it a line of the probe, survives the fault, and
 * measures.  The kernel has touched the byte just before.  0 and the result,
 * or -errno: as vm_mmap(); -EFAULT: the kernel itself cannot read there;
 * -ENOSYS: no caches, or no tables.
 */
int meltdown_lab_run(struct machine *m, unsigned int cpu, va_t address,
		     struct meltdown_lab *lab);

#endif
