// SPDX-License-Identifier: MIT
/*
 * pager_impl.h - pages of files that the kernel keeps, and dropping them
 *
 * To drop a page the kernel waits for a read that is filling it, which only
 * the dispatcher can answer.  So a thread of its own sends these, and answers
 * that must not come before wait here.
 */
#ifndef KMEMFS_FUSE_PAGER_IMPL_H
#define KMEMFS_FUSE_PAGER_IMPL_H

#include "fuse_impl.h"

struct pager;
struct answer;

struct pager *pager_new(struct server *s);
/* Send what is queued, end the thread.  NULL is fine. */
void pager_free(struct pager *p);
/* Ask the thread to end when nothing is queued; does not wait. */
void pager_finish(struct pager *p);
bool pager_finished(struct pager *p);

/* A read is going to fill pages of @ino: call before it looks at the tree. */
void pager_note(struct pager *p, uint64_t ino);
/*
 * After a change: have all noted pages dropped.  Returns the number to wait for
 * until the kernel has none that are older, 0 when there are none now.
 */
uint64_t pager_drop(struct pager *p);
/* Give @a to answer_pass when number a->drop is done; false: it is. */
bool pager_park(struct pager *p, struct answer *a);

#endif
