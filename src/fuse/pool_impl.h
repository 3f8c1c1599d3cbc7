// SPDX-License-Identifier: MIT
/*
 * pool_impl.h - writes that may run long, away from the dispatcher
 *
 * The writes of one open file run one after the other, as they came; those of
 * different files side by side, as far as the tree's lock lets them.
 */
#ifndef KMEMFS_FUSE_POOL_IMPL_H
#define KMEMFS_FUSE_POOL_IMPL_H

#include "fuse_impl.h"

struct pool;

struct pool *pool_new(struct server *s);
/* Ends the workers after pool_finish.  NULL is fine. */
void pool_free(struct pool *p);
/* What has not begun is answered with ENOTCONN; does not wait. */
void pool_finish(struct pool *p);

/* Run a write of @size bytes and answer @req; @bytes are copied. */
void pool_write(struct pool *p, fuse_req_t req, struct handle *h,
		const char *bytes, size_t size, off_t at);
/* Whether a write to @h has not been run yet. */
bool pool_busy(const struct handle *h);
/* Whether no write runs or waits at all. */
bool pool_idle(struct pool *p);

#endif
