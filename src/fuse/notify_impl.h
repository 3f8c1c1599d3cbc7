// SPDX-License-Identifier: MIT
/*
 * notify_impl.h - what the kernel remembers of the tree, and telling it to
 * forget
 *
 * Attributes and names are handed out with long timeouts, so that stat and
 * path walks cost no round trip.  For each that can change, the notifier keeps
 * a note; a change sends one notification for each note and drops it.  So a
 * model that runs a million steps sends at most one notification for each
 * answer that it gave, not one for each step.
 */
#ifndef KMEMFS_FUSE_NOTIFY_IMPL_H
#define KMEMFS_FUSE_NOTIFY_IMPL_H

#include "fuse_impl.h"

/* What one call into the tree changed; belongs to the calling thread. */
struct change {
	bool shared;	      /* runs long: others should see parts of it */
	bool changed;	      /* files may show something else: an op ran, or
				 the caller says so beforehand */
	bool counted;	      /* the tree has told of a change */
	uint64_t entry;	      /* number of its last queued notification, or 0 */
	uint64_t drop;	      /* number of the pager's work to wait for, or 0 */
	uint64_t own_parent;  /* the name that the kernel itself makes or */
	const char *own_name; /* removes (mkdir, rmdir); NULL: none */
};

/* How far the tree had come before something was read from it. */
struct seen {
	uint64_t changes;
	uint64_t entries;
};

struct notifier *notifier_new(struct server *s);
/* Send what is queued, end the thread.  NULL is fine. */
void notifier_free(struct notifier *n);
/* Ask the thread to end when its queues are empty; does not wait. */
void notifier_finish(struct notifier *n);
/* Whether the thread has ended. */
bool notifier_finished(struct notifier *n);
/* For tree_set_hooks; the readable hook is waits_impl.h's. */
struct tree_hooks notifier_hooks(struct notifier *n);
/* Have the thread call waits_serve soon. */
void notifier_wake(struct notifier *n);

/* Call before reading attributes or a name that are to be cached. */
struct seen notify_look(struct notifier *n);
/*
 * For how many seconds the kernel may keep what tree_getattr said after @seen.
 * 0 when a change came between, or when too much is noted already.
 */
double notify_keep_attr(struct notifier *n, const struct tree_attr *attr,
			struct seen seen);
/*
 * The same in the answer to a look-up: only what never changes, since the
 * kernel could miss an invalidation of an inode it has only just heard of.
 */
double notify_keep_entry_attr(const struct tree_attr *attr);
/* The same for what tree_lookup said of a name, also that there is none. */
double notify_keep_name(struct notifier *n, uint64_t parent, const char *name,
			enum tree_lasts lasts, struct seen seen);

/* Around every call into the tree that may change something. */
void notify_begin(struct notifier *n, struct change *c);
/* If something changed, invalidates attributes; returns when the kernel has
 * forgotten them. */
void notify_end(struct notifier *n, struct change *c);
/* What a request is answered with, once the kernel has forgotten. */
struct answer {
	fuse_req_t req;
	enum { ANSWER_ERR, ANSWER_WRITE, ANSWER_ENTRY } kind;
	size_t result; /* errno, 0 for none; bytes written */
	struct fuse_entry_param made;
	uint64_t drop; /* what it still waits for, as in struct change */
	uint64_t entry;
};

/*
 * Answer a write: @result bytes or -errno.  Sent when the kernel has forgotten
 * the pages that are older than @c, and the names that came and went with it;
 * at once if there are none.
 */
void notify_reply_write(struct notifier *n, const struct change *c,
			fuse_req_t req, ssize_t result);
/*
 * Answer mkdir or rmdir: @err is 0 or -errno, @made the new directory or NULL.
 * Waits for pages only: the kernel holds the directory's lock.
 */
void notify_reply_dir(struct notifier *n, const struct change *c,
		      fuse_req_t req, int err,
		      const struct fuse_entry_param *made);
/* Send @a, which has waited for pages, or have it wait for names. */
void answer_pass(struct notifier *n, struct answer *a);

#endif
