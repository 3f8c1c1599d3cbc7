// SPDX-License-Identifier: MIT
/*
 * kernel_glue_impl.h - kernel addresses that layers share
 */
#ifndef KMEMFS_MACHINE_KERNEL_GLUE_IMPL_H
#define KMEMFS_MACHINE_KERNEL_GLUE_IMPL_H

#include "kmemfs/machine/machine.h"

/* Per-CPU memory and vmalloc have the same addresses: tell each of the other's
 * areas from now on. */
void kernel_glue_percpu(struct machine *m);

#endif
