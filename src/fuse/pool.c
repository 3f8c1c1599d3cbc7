// SPDX-License-Identifier: MIT
/*
 * pool.c - writes that may run long, away from the dispatcher
 *
 * How it works: each handle has a queue of jobs; a handle with jobs is in the
 * pool's queue once, or in the hands of one worker, never both.  A worker
 * takes a handle, runs its first job, and puts the handle back at the end if
 * it has more, so that one long stream does not shut out the others.  The first
 * worker is always there; others are started, if that is allowed, when there is
 * more work than workers that rest.  What streams made
 * and freed again goes back to the host when there was no work for a moment.
 */
#include "pool_impl.h"

#include "notify_impl.h"

#include <errno.h>
#include <glib.h>
#include <malloc.h>
#include <pthread.h>
#include <time.h>

#define MOST_WORKERS 4
#define QUIET_NS 200000000

struct job {
	fuse_req_t req;
	off_t at;
	size_t size;
	char bytes[];
};

struct pool {
	struct server *server;
	pthread_mutex_t lock;
	pthread_cond_t work;
	GQueue ready;		 /* of struct handle: has jobs, nobody's */
	unsigned int unfinished; /* jobs that wait or run */
	unsigned int resting;	 /* workers that wait for work */
	unsigned int nr_workers;
	bool untidy; /* a job has run since the heap was trimmed */
	pthread_t workers[MOST_WORKERS];
	bool quit;
};

/* Holds: lock. */
static void
pool_count(struct handle *h)
{
	__atomic_store_n(&h->nr_jobs, g_queue_get_length(&h->jobs),
			 __ATOMIC_RELEASE);
}

/*
 * Run the first job of @h, which is nobody else's.  When the answer is out, the
 * kernel may release the file: so the handle is put back before it, and not
 * touched after.  Holds: lock, but not while the job runs.
 */
static void
pool_run_one(struct pool *p, struct handle *h)
{
	struct notifier *n = p->server->notifier;
	struct job *job = g_queue_peek_head(&h->jobs);
	struct change c = {.shared = true, .changed = true};
	ssize_t result = -ENOTCONN;
	bool quit = p->quit;

	pthread_mutex_unlock(&p->lock);
	if (!quit) {
		notify_begin(n, &c);
		result = tree_write(h->file, job->bytes, job->size,
				    (uint64_t)job->at);
		notify_end(n, &c);
	}
	pthread_mutex_lock(&p->lock);
	g_queue_pop_head(&h->jobs);
	pool_count(h);
	if (!g_queue_is_empty(&h->jobs))
		g_queue_push_tail(&p->ready, h);
	pthread_mutex_unlock(&p->lock);
	notify_reply_write(n, &c, job->req, result);
	g_free(job);
	pthread_mutex_lock(&p->lock);
	p->unfinished--;
	p->untidy = true;
}

/* Holds: lock, but not while it trims. */
static void
pool_trim(struct pool *p)
{
	p->untidy = false;
	pthread_mutex_unlock(&p->lock);
	malloc_trim(0);
	pthread_mutex_lock(&p->lock);
}

/* Wait for work; when there is none for a moment, tidy up.  Holds: lock. */
static void
pool_rest(struct pool *p)
{
	struct timespec until;
	int err = 0;

	p->resting++;
	if (p->untidy) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += QUIET_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		err = pthread_cond_timedwait(&p->work, &p->lock, &until);
	} else {
		pthread_cond_wait(&p->work, &p->lock);
	}
	p->resting--;
	if (err && !p->unfinished && p->untidy)
		pool_trim(p);
}

static void *
pool_worker(void *arg)
{
	struct pool *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct handle *h = g_queue_pop_head(&p->ready);

		if (h)
			pool_run_one(p, h);
		else if (!p->quit)
			pool_rest(p);
		else
			break;
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

void
pool_write(struct pool *p, fuse_req_t req, struct handle *h, const char *bytes,
	   size_t size, off_t at)
{
	struct job *job = g_malloc(sizeof(*job) + size);

	job->req = req;
	job->at = at;
	job->size = size;
	memcpy(job->bytes, bytes, size);
	pthread_mutex_lock(&p->lock);
	p->unfinished++;
	g_queue_push_tail(&h->jobs, job);
	pool_count(h);
	if (g_queue_get_length(&h->jobs) == 1)
		g_queue_push_tail(&p->ready, h);
	/* One that is woken counts as resting until it has taken its work. */
	if (g_queue_get_length(&p->ready) > p->resting &&
	    p->nr_workers < MOST_WORKERS &&
	    server_thread_try(&p->workers[p->nr_workers], pool_worker, p))
		p->nr_workers++;
	else
		pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

bool
pool_busy(const struct handle *h)
{
	return __atomic_load_n(&h->nr_jobs, __ATOMIC_ACQUIRE);
}

bool
pool_idle(struct pool *p)
{
	bool idle;

	pthread_mutex_lock(&p->lock);
	idle = !p->unfinished;
	pthread_mutex_unlock(&p->lock);
	return idle;
}

struct pool *
pool_new(struct server *s)
{
	struct pool *p = g_new0(struct pool, 1);
	pthread_condattr_t attr;

	p->server = s;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->work, &attr);
	pthread_condattr_destroy(&attr);
	server_thread(&p->workers[p->nr_workers++], pool_worker, p);
	return p;
}

void
pool_finish(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->quit = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
}

void
pool_free(struct pool *p)
{
	if (!p)
		return;
	pool_finish(p);
	for (unsigned int i = 0; i < p->nr_workers; i++)
		pthread_join(p->workers[i], NULL);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	g_free(p);
}
