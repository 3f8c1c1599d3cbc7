// SPDX-License-Identifier: MIT
/*
 * lists_impl.h - which open directories may use the kernel's copy of a list
 */
#ifndef KMEMFS_FUSE_LISTS_IMPL_H
#define KMEMFS_FUSE_LISTS_IMPL_H

#include "fuse_impl.h"

struct lists;

struct lists *lists_new(void);
void lists_free(struct lists *l);

/* A directory is opened whose attributes are @attr now: says so in @fi. */
void lists_open(struct lists *l, const struct tree_attr *attr,
		struct fuse_file_info *fi);
/* It is read: the kernel has opened it. */
void lists_read(struct lists *l, const struct fuse_file_info *fi);
void lists_close(struct lists *l, const struct fuse_file_info *fi);

#endif
