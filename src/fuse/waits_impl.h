// SPDX-License-Identifier: MIT
/*
 * waits_impl.h - readers that sleep until a stream has something, and poll
 *
 * A read that finds nothing keeps its request here; it is answered by the
 * notifier when the tree says that something may be read, or with EINTR when
 * the kernel says that the reader was sent a signal.
 */
#ifndef KMEMFS_FUSE_WAITS_IMPL_H
#define KMEMFS_FUSE_WAITS_IMPL_H

#include "fuse_impl.h"

struct waits;

struct waits *waits_new(struct server *s);
/* Nobody may sleep any more.  NULL is fine. */
void waits_free(struct waits *w);

/* How often the tree has said "readable"; take it before the read. */
uint64_t waits_look(struct waits *w);
/*
 * Keep @req, a read that found nothing after @seen.  Returns false, and does
 * not take @req, when something may have come since: read again.
 */
bool waits_park(struct waits *w, uint64_t seen, fuse_req_t req,
		struct handle *h, size_t size, off_t at);
/* Remember whom to wake for @h, instead of the one before. */
void waits_poll(struct waits *w, struct handle *h, struct fuse_pollhandle *ph);
/* Before @h goes. */
void waits_forget(struct waits *w, struct handle *h);

/* The tree's hook. */
void waits_readable(struct waits *w);
/* On the notifier's thread: try all reads again, wake the pollers. */
void waits_serve(struct waits *w);
/* From now on every sleeper, also later ones, gets EINTR. */
void waits_close(struct waits *w);

#endif
