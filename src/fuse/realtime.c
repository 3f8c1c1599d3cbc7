// SPDX-License-Identifier: MIT
/*
 * realtime.c - the only place where the host's clock moves the modelled one
 *
 * How it works: ticks lie on a fixed grid of the host's monotonic clock, so
 * the work of an op does not make the next one later.  Whoever falls behind by
 * a whole tick leaves ticks out instead of catching up.  Each tick is an op
 * like any other: the journal has it, and a replay needs no clock.
 */
#include "fuse_impl.h"

#include <glib.h>
#include <pthread.h>
#include <time.h>

#define TICK_NS 100000000LL /* 100 ms */

struct realtime {
	struct tree *tree;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stopped;
	bool stop;
};

static int64_t
monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static struct timespec
timespec_of(int64_t ns)
{
	return (struct timespec){
		.tv_sec = ns / 1000000000LL,
		.tv_nsec = ns % 1000000000LL,
	};
}

static void *
realtime_run(void *arg)
{
	struct realtime *r = arg;
	int64_t next = monotonic_ns() + TICK_NS;

	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		struct timespec at = timespec_of(next);
		int64_t late;

		if (!pthread_cond_timedwait(&r->stopped, &r->lock, &at))
			continue;
		pthread_mutex_unlock(&r->lock);
		/* Refused after a panic: time stands still then. */
		tree_tick(r->tree, TICK_NS);
		pthread_mutex_lock(&r->lock);
		late = monotonic_ns() - next;
		next += TICK_NS * (1 + (late > 0 ? late / TICK_NS : 0));
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

struct realtime *
realtime_start(struct tree *tree)
{
	struct realtime *r = g_new0(struct realtime, 1);
	pthread_condattr_t attr;

	r->tree = tree;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->stopped, &attr);
	pthread_condattr_destroy(&attr);
	server_thread(&r->thread, realtime_run, r);
	return r;
}

void
realtime_stop(struct realtime *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->stopped);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->stopped);
	pthread_mutex_destroy(&r->lock);
	g_free(r);
}
