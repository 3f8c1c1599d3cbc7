// SPDX-License-Identifier: MIT
/*
 * sysctl.h - the knobs of physical memory, /proc/sys/vm
 *
 * Each write is checked as the kernel's proc handler checks it and takes the
 * effect it has there, at once.
 */
#ifndef KMEMFS_PHYS_SYSCTL_H
#define KMEMFS_PHYS_SYSCTL_H

#include "kmemfs/base/out.h"
#include "kmemfs/base/refusal.h"
#include "kmemfs/phys/phys.h"

/*
 * Write @value (one number, or a list for lowmem_reserve_ratio) to sysctl
 * @name.  Returns 0, -EINVAL (not a number, out of range) or -ENOENT (no such
 * sysctl here) with @r filled in and nothing changed.
 */
int sysctl_write(struct phys *phys, const char *name, const char *value,
		 struct refusal *r);
/* Whether sysctl_write on a machine of @config would accept this: same result,
 * nothing done.  For machine files, which are read before there is memory. */
int sysctl_check(const struct phys_config *config, const char *name,
		 const char *value, struct refusal *r);
/* Print the value as /proc/sys/vm/@name does, with newline; false: unknown. */
bool sysctl_show(const struct phys *phys, const char *name, struct out *out);

#endif
