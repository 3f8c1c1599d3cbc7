// SPDX-License-Identifier: MIT
/* ops.h - texts of many ops, and ways to feed them in process */
#ifndef KMEMFS_BENCH_OPS_H
#define KMEMFS_BENCH_OPS_H

#include "kmemfs/base/out.h"
#include "kmemfs/tree/tree.h"

/*
 * At least @nr lines for control/batch: pages of orders 0 to 3 come and go
 * around a thousand live ones; at the end all are free again.  @last_id: of
 * the machine's allocations, so that frees know the made-up names.  Returns
 * the number of lines.
 */
unsigned int ops_make_batch(struct out *text, unsigned int nr,
			    uint64_t last_id);
/* Write @text to file @path of @t in pieces of 1 MiB; 0 or -errno. */
int ops_feed(struct tree *t, const char *path, const char *text, size_t len);

#endif
