// SPDX-License-Identifier: MIT
/*
 * loop.c - requests are read and answered until the session ends
 *
 * How it works:   the caller's thread dispatches, and with --threads=N others
 *                 beside it.  libfuse has such loops, but what it reads with,
 *                 fuse_session_receive_buf(), drops a request that comes just
 *                 as a signal ends the session.  Its sender then waits until
 *                 the mount goes; if it holds the lock of a directory, the
 *                 notifier waits for it, and the mount never goes.  Here a
 *                 request that was read is answered.
 *                 A signal that ends the session comes to the first thread,
 *                 which then wakes the others with a signal.  It may come just
 *                 before the read, but that does not wait any more: ending.c.
 * Always true:    when the loop has ended, no request is under way.
 */
#include "fuse_impl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct helper {
	struct server *server;
	struct fuse_buf request;
	pthread_t thread;
	int end; /* what ended it: 0 or -errno */
};

static int
wake_signal(void)
{
	return SIGRTMIN;
}

static void
on_wake(int number)
{
	(void)number;
}

/* No request was read: whether to go on, as server_dispatch() returns it. */
static int
without_request(struct server *s, int err)
{
	if (err == EINTR || err == EAGAIN)
		return 1;
	/* Its sender was killed as it was read. */
	if (err == ENOENT)
		return 1;
	fuse_session_exit(s->session);
	/* Unmounted, or by force, or while it was read. */
	if (err == ENODEV || err == ECONNABORTED)
		return 0;
	fprintf(stderr, "kmemfs: cannot read requests: %s\n", g_strerror(err));
	return -err;
}

void
request_init(struct fuse_buf *buf)
{
	*buf = (struct fuse_buf){.mem = g_malloc(REQUEST_BYTES)};
}

int
server_dispatch(struct server *s, struct fuse_buf *buf)
{
	ssize_t got;

	got = read(fuse_session_fd(s->session), buf->mem, REQUEST_BYTES);
	if (got <= 0)
		return without_request(s, got ? errno : ENODEV);
	buf->size = (size_t)got;
	fuse_session_process_buf(s->session, buf);
	return 1;
}

static int
dispatch_on(struct server *s, struct fuse_buf *buf)
{
	int more = 1;

	while (more > 0 && !fuse_session_exited(s->session))
		more = server_dispatch(s, buf);
	return more;
}

static void *
helper_run(void *arg)
{
	struct helper *h = arg;
	sigset_t wake;

	sigemptyset(&wake);
	sigaddset(&wake, wake_signal());
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	h->end = dispatch_on(h->server, &h->request);
	/* The others need not find out the same. */
	session_end(h->server->session);
	return NULL;
}

/* Start as many of @helpers as are allowed, at most @most; returns how many. */
static unsigned int
helpers_start(struct server *s, struct helper *helpers, unsigned int most)
{
	struct sigaction wake = {.sa_handler = on_wake};
	unsigned int nr;

	sigaction(wake_signal(), &wake, NULL);
	for (nr = 0; nr < most; nr++) {
		struct helper *h = &helpers[nr];

		h->server = s;
		request_init(&h->request);
		if (!server_thread_try(&h->thread, helper_run, h)) {
			g_free(h->request.mem);
			break;
		}
	}
	return nr;
}

int
server_loop(struct server *s, unsigned int threads)
{
	struct helper *helpers = g_new0(struct helper, threads);
	unsigned int nr = helpers_start(s, helpers, threads - 1);
	int end = dispatch_on(s, &s->request);

	session_end(s->session);
	for (unsigned int i = 0; i < nr; i++) {
		pthread_kill(helpers[i].thread, wake_signal());
		pthread_join(helpers[i].thread, NULL);
		end = MIN_OF(end, helpers[i].end);
		g_free(helpers[i].request.mem);
	}
	g_free(helpers);
	return end;
}
