// SPDX-License-Identifier: MIT
/*
 * mempolicy.h - from which nodes the pages of a task and of its areas come
 *
 * An area's own policy wins, then that of the task that faults, then the node
 * of the CPU.  Nodes are bits of a word: 64 can be named.
 *
 * Source: mm/mempolicy.c, include/uapi/linux/mempolicy.h of 6.1.192.
 */
#ifndef KMEMFS_VM_MEMPOLICY_H
#define KMEMFS_VM_MEMPOLICY_H

#include "kmemfs/vm/task.h"

/* They stand in the same word as the mode, as user space passes them. */
enum mempolicy_flags {
	MPOL_F_NUMA_BALANCING = 1 << 13,
	MPOL_F_RELATIVE_NODES = 1 << 14,
	MPOL_F_STATIC_NODES = 1 << 15,
	MPOL_MODE_FLAGS = 7 << 13,
};

enum get_mempolicy_flags {
	MPOL_F_NODE = 1 << 0,
	MPOL_F_ADDR = 1 << 1,
	MPOL_F_MEMS_ALLOWED = 1 << 2,
};

enum mbind_flags {
	MPOL_MF_STRICT = 1 << 0,
	MPOL_MF_MOVE = 1 << 1,
	MPOL_MF_MOVE_ALL = 1 << 2,
};

/* "default", "prefer", ... as numa_maps and tmpfs say it. */
extern const char *const mempolicy_names[NR_MEMPOLICIES];

/*
 * set_mempolicy(2): where @t's pages come from that no area says otherwise.
 * -EINVAL: an unknown mode, flags that exclude each other, no node where one
 * is needed or none of them has memory, nodes where none may be.
 */
int vm_set_mempolicy(struct vm *vm, struct task *t, int mode, uint64_t nodes);
/*
 * mbind(2): where pages of @addr..+@len come from.  Also -EPERM:
 * MPOL_MF_MOVE_ALL without the right; -EFAULT: a hole; -EIO: with
 * MPOL_MF_STRICT, a page is elsewhere; -ENOMEM: too many areas.
 */
int vm_mbind(struct vm *vm, struct task *t, va_t addr, uint64_t len, int mode,
	     uint64_t nodes, unsigned int flags);
/*
 * get_mempolicy(2): *@mode with its flags, or with MPOL_F_NODE a node, and
 * *@nodes.  -EINVAL, -EFAULT: nothing is at @addr.
 */
int vm_get_mempolicy(struct vm *vm, struct task *t, va_t addr,
		     unsigned int flags, int *mode, uint64_t *nodes);

#endif
