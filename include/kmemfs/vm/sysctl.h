// SPDX-License-Identifier: MIT
/*
 * sysctl.h - the knobs of tasks' memory in /proc/sys/vm
 *
 * The contract is that of kmemfs/phys/sysctl.h, for other names.
 */
#ifndef KMEMFS_VM_SYSCTL_H
#define KMEMFS_VM_SYSCTL_H

#include "kmemfs/base/out.h"
#include "kmemfs/base/refusal.h"
#include "kmemfs/vm/vm.h"

/* Write @value to sysctl @name: 0, -EINVAL, or -ENOENT (no such one here). */
int vm_sysctl_write(struct vm *vm, const char *name, const char *value,
		    struct refusal *r);
/* Whether that would be accepted. */
int vm_sysctl_check(const char *name, const char *value, struct refusal *r);
/* Print its value with newline; false: unknown. */
bool vm_sysctl_show(const struct vm *vm, const char *name, struct out *out);

#endif
