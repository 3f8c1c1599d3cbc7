// SPDX-License-Identifier: MIT
/*
 * caller_impl.h - the code that asks for memory: where it runs
 */
#ifndef KMEMFS_MACHINE_CALLER_IMPL_H
#define KMEMFS_MACHINE_CALLER_IMPL_H

#include "kmemfs/machine/machine.h"

/* Events from now on are of @cpu in @context (enum alloc_context). */
void caller_stamp(struct machine *m, uint64_t cpu, uint64_t context);
/* might_alloc(): a caller that must not sleep asks with a gfp that may.  The
 * kernel complains and goes on. */
void caller_report_sleep(struct machine *m, uint64_t gfp, uint64_t context);

#endif
