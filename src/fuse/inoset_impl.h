// SPDX-License-Identifier: MIT
/*
 * inoset_impl.h - a small set of inode numbers
 *
 * Open addressing with linear probing; 0 is not a member.  A zeroed struct is
 * an empty set.
 */
#ifndef KMEMFS_FUSE_INOSET_IMPL_H
#define KMEMFS_FUSE_INOSET_IMPL_H

#include "kmemfs/base/types.h"

struct inoset {
	uint64_t *slots; /* 0 = free */
	size_t nr_slots; /* power of two, or 0 */
	size_t count;
};

/* Returns whether @ino was not a member before. */
bool inoset_add(struct inoset *set, uint64_t ino);
/* Returns whether @ino was a member. */
bool inoset_remove(struct inoset *set, uint64_t ino);
bool inoset_has(const struct inoset *set, uint64_t ino);
void inoset_fini(struct inoset *set);

#endif
