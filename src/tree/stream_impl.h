// SPDX-License-Identifier: MIT
/*
 * stream_impl.h - the streams that have a file of their own; stream.c's table
 */
#ifndef KMEMFS_TREE_STREAM_IMPL_H
#define KMEMFS_TREE_STREAM_IMPL_H

#include "tree_impl.h"

/* After so many lines others may have the machine. */
#define LINES_A_BREATH 512

/* A line that does not end: forget it, say so.  Returns -E2BIG. */
int stream_too_long(struct tree_file *f, const char *op_name);

ssize_t batch_write(struct tree_file *f, const char *from, size_t len,
		    uint64_t at);
void batch_close(struct tree_file *f);

#endif
