// SPDX-License-Identifier: MIT
/*
 * ending.c - TERM, INT and HUP end the session
 *
 * How it works:   libfuse's own handler leaves a mark.  A reader that has just
 *                 looked for one would not see it, and wait for a request that
 *                 may never come.  So reads are made such that they do not
 *                 wait, too: then a signal that came before the read does as
 *                 much as one that comes in it.
 * Always true:    signals come to the first thread only.
 */
#include "fuse_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

static struct fuse_session *volatile ending; /* NULL: signals do nothing */

void
session_end(struct fuse_session *session)
{
	fuse_session_exit(session);
	fcntl(fuse_session_fd(session), F_SETFL, O_NONBLOCK);
}

static void
on_end(int number)
{
	struct fuse_session *session = ending;
	int before = errno;

	(void)number;
	if (session)
		session_end(session);
	errno = before;
}

/* What is ignored, as below nohup, stays so. */
static void
signal_set(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler}, old;

	if (!sigaction(number, NULL, &old) && old.sa_handler == SIG_DFL)
		sigaction(number, &action, NULL);
}

void
signals_end(struct fuse_session *session)
{
	ending = session;
	signal_set(SIGHUP, on_end);
	signal_set(SIGINT, on_end);
	signal_set(SIGTERM, on_end);
	signal_set(SIGPIPE, SIG_IGN);
}
