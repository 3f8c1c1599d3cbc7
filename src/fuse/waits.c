// SPDX-License-Identifier: MIT
/*
 * waits.c - readers that sleep until a stream has something, and poll
 *
 * How it works: one list of kept reads and one of handles that are polled.
 * Everything is answered by the notifier, which takes a read off the list,
 * tries it, and puts it back when there is still nothing.  libfuse calls the
 * interrupt function with a lock of the request held, so that one only leaves
 * a mark and wakes the notifier.
 *
 * Why no wake-up is lost: the hook counts, then looks whether anyone sleeps; a
 * sleeper lies down, then looks whether the count has moved.
 */
#include "waits_impl.h"

#include "kmemfs/base/check.h"
#include "notify_impl.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>

struct sleeper {
	struct waits *waits;
	fuse_req_t req;
	struct handle *handle;
	size_t size;
	off_t at;
	bool interrupted; /* under lock */
};

struct waits {
	struct server *server;
	pthread_mutex_t lock;
	uint64_t readable; /* atomic: how often the hook was called */
	unsigned int nr;   /* atomic: sleepers and polled handles */
	GQueue sleepers;   /* of struct sleeper, oldest first */
	GPtrArray *polled; /* of struct handle */
	bool closed;
};

static void
waits_count(struct waits *w)
{
	__atomic_store_n(&w->nr,
			 g_queue_get_length(&w->sleepers) + w->polled->len,
			 __ATOMIC_SEQ_CST);
}

uint64_t
waits_look(struct waits *w)
{
	return __atomic_load_n(&w->readable, __ATOMIC_SEQ_CST);
}

void
waits_readable(struct waits *w)
{
	__atomic_add_fetch(&w->readable, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&w->nr, __ATOMIC_SEQ_CST))
		notifier_wake(w->server->notifier);
}

static void
waits_interrupted(fuse_req_t req, void *arg)
{
	struct sleeper *s = arg;
	struct waits *w = s->waits;

	(void)req;
	pthread_mutex_lock(&w->lock);
	s->interrupted = true;
	pthread_mutex_unlock(&w->lock);
	notifier_wake(w->server->notifier);
}

/* After this nothing of libfuse knows of @s any more. */
static void
sleeper_answer(struct sleeper *s, ssize_t result, const void *bytes)
{
	fuse_req_interrupt_func(s->req, NULL, NULL);
	if (result < 0)
		fuse_reply_err(s->req, (int)-result);
	else
		fuse_reply_buf(s->req, bytes, (size_t)result);
	g_free(s);
}

static bool
waits_closed(struct waits *w)
{
	bool closed;

	pthread_mutex_lock(&w->lock);
	closed = w->closed;
	pthread_mutex_unlock(&w->lock);
	return closed;
}

/* Lie down, unless something came since @seen. */
static bool
sleeper_add(struct waits *w, struct sleeper *s, uint64_t seen)
{
	bool wake, added;

	pthread_mutex_lock(&w->lock);
	g_queue_push_tail(&w->sleepers, s);
	waits_count(w);
	wake = s->interrupted || w->closed;
	added = wake || waits_look(w) == seen;
	if (!added) {
		g_queue_pop_tail(&w->sleepers);
		waits_count(w);
	}
	pthread_mutex_unlock(&w->lock);
	if (wake)
		notifier_wake(w->server->notifier);
	return added;
}

bool
waits_park(struct waits *w, uint64_t seen, fuse_req_t req, struct handle *h,
	   size_t size, off_t at)
{
	struct sleeper *s;

	if (waits_closed(w)) {
		fuse_reply_err(req, EINTR);
		return true;
	}
	s = g_new(struct sleeper, 1);
	*s = (struct sleeper){
		.waits = w,
		.req = req,
		.handle = h,
		.size = size,
		.at = at,
	};
	/* Before it lies down: after that the notifier may answer it. */
	fuse_req_interrupt_func(req, waits_interrupted, s);
	if (sleeper_add(w, s, seen))
		return true;
	fuse_req_interrupt_func(req, NULL, NULL);
	g_free(s);
	return false;
}

/* Try one read again; it is off the list. */
static void
sleeper_retry(struct waits *w, struct sleeper *s)
{
	void *bytes = g_malloc(s->size);

	for (;;) {
		uint64_t seen = waits_look(w);
		ssize_t n;

		pthread_mutex_lock(&s->handle->reading);
		n = tree_read(s->handle->file, bytes, s->size, (uint64_t)s->at);
		pthread_mutex_unlock(&s->handle->reading);
		if (n != -EAGAIN) {
			sleeper_answer(s, n, bytes);
			break;
		}
		if (sleeper_add(w, s, seen))
			break;
	}
	g_free(bytes);
}

static void
waits_wake_pollers(struct waits *w)
{
	pthread_mutex_lock(&w->lock);
	for (guint i = 0; i < w->polled->len; i++) {
		struct handle *h = g_ptr_array_index(w->polled, i);

		fuse_lowlevel_notify_poll(h->poll);
		fuse_pollhandle_destroy(h->poll);
		h->poll = NULL;
	}
	g_ptr_array_set_size(w->polled, 0);
	waits_count(w);
	pthread_mutex_unlock(&w->lock);
}

void
waits_serve(struct waits *w)
{
	unsigned int nr;

	pthread_mutex_lock(&w->lock);
	nr = g_queue_get_length(&w->sleepers);
	pthread_mutex_unlock(&w->lock);
	while (nr--) {
		struct sleeper *s;
		bool interrupted;

		pthread_mutex_lock(&w->lock);
		s = g_queue_pop_head(&w->sleepers);
		interrupted = s->interrupted || w->closed;
		waits_count(w);
		pthread_mutex_unlock(&w->lock);
		if (interrupted)
			sleeper_answer(s, -EINTR, NULL);
		else
			sleeper_retry(w, s);
	}
	waits_wake_pollers(w);
}

void
waits_poll(struct waits *w, struct handle *h, struct fuse_pollhandle *ph)
{
	pthread_mutex_lock(&w->lock);
	if (h->poll)
		fuse_pollhandle_destroy(h->poll);
	else
		g_ptr_array_add(w->polled, h);
	h->poll = ph;
	waits_count(w);
	pthread_mutex_unlock(&w->lock);
}

void
waits_forget(struct waits *w, struct handle *h)
{
	pthread_mutex_lock(&w->lock);
	if (h->poll) {
		fuse_pollhandle_destroy(h->poll);
		h->poll = NULL;
		g_ptr_array_remove_fast(w->polled, h);
		waits_count(w);
	}
	pthread_mutex_unlock(&w->lock);
}

void
waits_close(struct waits *w)
{
	pthread_mutex_lock(&w->lock);
	w->closed = true;
	pthread_mutex_unlock(&w->lock);
	notifier_wake(w->server->notifier);
}

struct waits *
waits_new(struct server *s)
{
	struct waits *w = g_new0(struct waits, 1);

	w->server = s;
	pthread_mutex_init(&w->lock, NULL);
	w->polled = g_ptr_array_new();
	return w;
}

void
waits_free(struct waits *w)
{
	if (!w)
		return;
	KM_ASSERT(g_queue_is_empty(&w->sleepers));
	g_ptr_array_unref(w->polled);
	pthread_mutex_destroy(&w->lock);
	g_free(w);
}
