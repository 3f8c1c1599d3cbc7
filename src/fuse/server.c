// SPDX-License-Identifier: MIT
/*
 * server.c - starting and ending what stands between a session and a tree
 */
#include "fuse_impl.h"

#include "lists_impl.h"
#include "notify_impl.h"
#include "pager_impl.h"
#include "pool_impl.h"
#include "waits_impl.h"

#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define DRAIN_POLL_MS 5

struct server *
server_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

bool
server_thread_try(pthread_t *thread, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return !err;
}

void
server_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
	if (!server_thread_try(thread, run, arg))
		g_error("cannot start a thread");
}

struct server *
server_new(struct tree *tree)
{
	struct server *s = g_new0(struct server, 1);
	struct tree_hooks hooks;

	s->tree = tree;
	s->uid = getuid();
	s->gid = getgid();
	pthread_mutex_init(&s->lock, NULL);
	request_init(&s->request);
	s->handles = g_hash_table_new(NULL, NULL);
	s->waits = waits_new(s);
	s->pager = pager_new(s);
	s->notifier = notifier_new(s);
	s->lists = lists_new();
	s->pool = pool_new(s);
	hooks = notifier_hooks(s->notifier);
	tree_set_hooks(tree, &hooks);
	return s;
}

/*
 * Answer one request, if one comes soon.  A sender that is killed takes it back
 * between the poll and the read, which does not wait then: session_end.
 */
static void
dispatch_one(struct server *s)
{
	struct pollfd p = {.fd = fuse_session_fd(s->session), .events = POLLIN};

	if (poll(&p, 1, DRAIN_POLL_MS) <= 0)
		return;
	if (!(p.revents & POLLIN)) {
		/* The connection is gone, and poll says so without waiting. */
		poll(NULL, 0, DRAIN_POLL_MS);
		return;
	}
	/* It ends already: another signal changes nothing. */
	fuse_session_reset(s->session);
	server_dispatch(s, &s->request);
}

/*
 * A notification waits for the lock of a directory until the process that
 * holds it has been answered: hence the dispatching.  What would change
 * something is refused, else busy writers could keep the threads at work for
 * ever.
 */
void
server_drain(struct server *s)
{
	s->draining = true;
	pool_finish(s->pool);
	waits_close(s->waits);
	while (!pool_idle(s->pool))
		dispatch_one(s);
	pager_finish(s->pager);
	while (!pager_finished(s->pager))
		dispatch_one(s);
	notifier_finish(s->notifier);
	while (!notifier_finished(s->notifier) || !pool_idle(s->pool))
		dispatch_one(s);
	server_close_files(s);
}

void
server_free(struct server *s)
{
	static const struct tree_hooks none;

	if (!s)
		return;
	tree_set_hooks(s->tree, &none);
	pool_free(s->pool);
	pager_free(s->pager);
	notifier_free(s->notifier);
	lists_free(s->lists);
	waits_free(s->waits);
	tree_free(s->tree);
	g_hash_table_destroy(s->handles);
	pthread_mutex_destroy(&s->lock);
	g_free(s->request.mem);
	g_free(s);
}
