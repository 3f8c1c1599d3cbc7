// SPDX-License-Identifier: MIT
/*
 * mmu_impl.h - what the machine adds to its CPUs
 */
#ifndef KMEMFS_MACHINE_MMU_IMPL_H
#define KMEMFS_MACHINE_MMU_IMPL_H

#include "kmemfs/machine/machine.h"

/* Let the log tell of stale TLB entries that are used.  Needs m->vm, whose
 * hooks' user is @m. */
void mmu_reports_attach(struct machine *m);

#endif
