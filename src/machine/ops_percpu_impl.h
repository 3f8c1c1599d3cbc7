// SPDX-License-Identifier: MIT
/*
 * ops_percpu_impl.h - which variable is meant; shared by ops_percpu*.c
 */
#ifndef KMEMFS_MACHINE_OPS_PERCPU_IMPL_H
#define KMEMFS_MACHINE_OPS_PERCPU_IMPL_H

#include "kmemfs/machine/op.h"

/* The per-CPU variable called @name in parameter @param: 0, or refuses with
 * ENOENT. */
int resolve_variable(struct op *op, int param, const char *name,
		     struct percpu_variable **found);

#endif
