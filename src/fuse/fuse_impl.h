// SPDX-License-Identifier: MIT
/*
 * fuse_impl.h - the mount: one tree, carried to the kernel
 *
 * The threads:
 *
 *   dispatcher   loop.c: reads requests and answers nearly all of them itself;
 *                with --threads=N there are N
 *   workers      pool.c: writes that may run long, in order for each file
 *   pager        pager.c: has the kernel drop pages that are outdated, then
 *                sends the replies that waited for that
 *   notifier     notify.c: tells the kernel what it should forget, then sends
 *                the replies that waited for that; also wakes sleeping readers
 *   realtime     realtime.c: moves modelled time, when asked to
 *
 * The rule that keeps them from waiting for each other in a circle: the
 * dispatcher never waits for another, nor the pager for the notifier.
 */
#ifndef KMEMFS_FUSE_IMPL_H
#define KMEMFS_FUSE_IMPL_H

#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 312
#endif

#include "kmemfs/tree/tree.h"

#include <fuse_lowlevel.h>
#include <glib.h>
#include <pthread.h>

struct notifier;
struct lists;
struct pager;
struct waits;
struct pool;
struct realtime;

struct server {
	struct tree *tree;	      /* owned */
	struct fuse_session *session; /* set before the first request */
	uid_t uid;		      /* who mounted: owner of every file */
	gid_t gid;
	void (*ready)(void *user); /* once, when the kernel has connected */
	void *ready_user;
	bool draining; /* nothing new is begun; the dispatcher's */
	bool polled;   /* the page cache keeps small files of fixed size */

	struct fuse_buf request; /* room for one; the first dispatcher's */

	struct notifier *notifier;
	struct pager *pager;
	struct lists *lists;
	struct waits *waits;
	struct pool *pool;

	pthread_mutex_t lock;
	GHashTable *handles; /* set of struct handle: what is open */
};

/* One open file; its address is the kernel's fh. */
struct handle {
	struct tree_file *file;
	fuse_ino_t ino;
	bool writable;
	bool paged;		      /* what is read goes to a page cache */
	pthread_mutex_t reading;      /* its text is not made anew meanwhile */
	struct fuse_pollhandle *poll; /* under the lock of waits */
	GQueue jobs;		      /* under the lock of pool, FIFO */
	unsigned int nr_jobs;	      /* atomic: their number */
};

/* --- server.c ------------------------------------------------------------ */

/*
 * Serve @tree, which is taken over.  Sets the tree's hooks, starts pager and
 * notifier; the caller then makes a session with server_ops and this server as
 * userdata and stores it in ->session.
 */
struct server *server_new(struct tree *tree);
/*
 * Finish what was begun, with the session still able to answer: requests are
 * dispatched on until no worker and no notification is under way.  Sleeping
 * readers get EINTR; files still open are released.
 */
void server_drain(struct server *s);
/* After server_drain and the end of the session. */
void server_free(struct server *s);

extern const struct fuse_lowlevel_ops server_ops;

/* The part of server_ops that works on open files, in ops_file.c. */
void serve_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void serve_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
		struct fuse_file_info *fi);
void serve_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size,
		 off_t at, struct fuse_file_info *fi);
void serve_lseek(fuse_req_t req, fuse_ino_t ino, off_t at, int whence,
		 struct fuse_file_info *fi);
void serve_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		struct fuse_pollhandle *ph);
void serve_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
/* Release what is open; no request is under way. */
void server_close_files(struct server *s);
/* Whether someone has @ino open. */
bool server_has_open(struct server *s, fuse_ino_t ino);

/* The server behind a request. */
struct server *server_of(fuse_req_t req);
/* Start a thread that takes no signals: they are the dispatcher's. */
void server_thread(pthread_t *thread, void *(*run)(void *), void *arg);
/* The same for one that can be done without; false: no more are allowed. */
bool server_thread_try(pthread_t *thread, void *(*run)(void *), void *arg);

/* --- loop.c -------------------------------------------------------------- */

/* What a request may write, and the room for it with all that is around. */
#define WRITE_MOST (1U << 20)
#define REQUEST_BYTES (WRITE_MOST + 65536)

/* Room for a request, to be freed with g_free(@buf->mem). */
void request_init(struct fuse_buf *buf);
/*
 * Read one request into @buf, which is the caller's alone, and answer it.
 * Returns 1: go on; 0: the session has ended; or -errno, which was said.
 */
int server_dispatch(struct server *s, struct fuse_buf *buf);
/*
 * Answer requests with @threads threads, this one among them, until the session
 * ends.  Returns 0 or 1, or -errno.
 */
int server_loop(struct server *s, unsigned int threads);

/* --- ending.c ------------------------------------------------------------ */

/*
 * End @session: who looks for a request finds that it has ended, and who reads
 * one does not wait for it.  May be called in a signal handler.
 */
void session_end(struct fuse_session *session);
/*
 * From now on TERM, INT and HUP end @session, unless they are ignored; NULL:
 * they do nothing.  A closed pipe is an error of the write.
 */
void signals_end(struct fuse_session *session);

/* --- realtime.c ---------------------------------------------------------- */

/* Give the op "clock/advance 100ms" ten times a second. */
struct realtime *realtime_start(struct tree *tree);
/* NULL is fine. */
void realtime_stop(struct realtime *r);

#endif
