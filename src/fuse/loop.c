// SPDX-License-Identifier: MIT
/*
 * loop.c - requests are read and answered until the session ends
 *
 * How it works:   the caller's thread dispatches, and with --threads=N others
 *                 beside it.  libfuse has such loops, but they lose a request
 *                 that is read just as a signal ends the session.  Its sender
 *                 then waits until the mount goes; if it holds the lock of a
 *                 directory, the notifier waits for it, and the mount never
 *                 goes.  Here a request that was read is answered.
 *                 A signal that ends the session comes to the first thread,
 *                 which then wakes the others: a signal ends their read, and
 *                 is sent again until they are gone, since it may come just
 *                 before the read.
 * Always true:    when the loop has ended, no request is under way.
 */
#include "fuse_impl.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAKE_AGAIN_NS 5000000

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

/*
 * libfuse gives 0 for a request that was read just when a signal came.  A
 * request starts with its length, so it is seen whether one was read; that
 * takes a buffer which is there before.
 */
int
server_dispatch(struct server *s, struct fuse_buf *buf)
{
	bool known = buf->mem;
	uint32_t len = 0;
	int got;

	if (known)
		memcpy(buf->mem, &len, sizeof(len));
	got = fuse_session_receive_buf(s->session, buf);
	if (!got && known) {
		memcpy(&len, buf->mem, sizeof(len));
		buf->size = len;
		got = (int)len;
	}
	if (got > 0)
		fuse_session_process_buf(s->session, buf);
	return got;
}

static int
dispatch_on(struct server *s, struct fuse_buf *buf)
{
	int got = 1;

	while (got > 0 && !fuse_session_exited(s->session)) {
		got = server_dispatch(s, buf);
		if (got == -EINTR)
			got = 1;
	}
	return got;
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
	fuse_session_exit(h->server->session);
	return NULL;
}

/* Buffers are as large as the one that libfuse made for the first request. */
static struct helper *
helpers_start(struct server *s, unsigned int nr)
{
	struct helper *helpers = g_new0(struct helper, nr);
	struct sigaction wake = {.sa_handler = on_wake};

	sigaction(wake_signal(), &wake, NULL);
	for (unsigned int i = 0; i < nr; i++) {
		struct helper *h = &helpers[i];

		h->server = s;
		h->request.mem = g_malloc0(malloc_usable_size(s->request.mem));
		server_thread(&h->thread, helper_run, h);
	}
	return helpers;
}

static void
helper_wake(struct helper *h)
{
	struct timespec until;

	do {
		pthread_kill(h->thread, wake_signal());
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WAKE_AGAIN_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	} while (pthread_timedjoin_np(h->thread, NULL, &until));
}

int
server_loop(struct server *s, unsigned int threads)
{
	struct helper *helpers = NULL;
	int end = server_dispatch(s, &s->request);

	if (end > 0 && threads > 1)
		helpers = helpers_start(s, threads - 1);
	if (end > 0 || end == -EINTR)
		end = dispatch_on(s, &s->request);
	for (unsigned int i = 0; helpers && i < threads - 1; i++) {
		helper_wake(&helpers[i]);
		end = MIN_OF(end, helpers[i].end);
		g_free(helpers[i].request.mem);
	}
	g_free(helpers);
	return end;
}
