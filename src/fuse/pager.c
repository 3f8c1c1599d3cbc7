// SPDX-License-Identifier: MIT
/*
 * pager.c - pages of files that the kernel keeps, and dropping them
 *
 * How it works: a read notes its inode before it looks at the tree, a change
 * takes the notes after it was made: so whatever pages hold an older text are
 * dropped.  A page that a read is filling just now is locked; dropping it
 * waits for that read.
 *
 * Always true: nothing that the dispatcher does waits for this thread, and this
 * thread waits for nothing but reads.  It sends no names, whose notifications
 * wait for the lock of a directory: so the answers to mkdir and rmdir, which
 * hold that lock, may wait here.
 */
#include "pager_impl.h"

#include "inoset_impl.h"
#include "notify_impl.h"

#include <glib.h>
#include <pthread.h>

struct pager {
	struct server *server;
	pthread_t thread;
	int pending;	      /* atomic: notes, or drops not done yet */
	pthread_mutex_t lock; /* all below */
	pthread_cond_t work;
	struct inoset noted;
	struct inoset queue;
	uint64_t queued; /* number of the last drop that was asked for */
	uint64_t done;	 /* ... and that has been done */
	GQueue answers;	 /* of struct answer */
	bool quit;
	bool finished;
};

void
pager_note(struct pager *p, uint64_t ino)
{
	pthread_mutex_lock(&p->lock);
	inoset_add(&p->noted, ino);
	__atomic_store_n(&p->pending, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&p->lock);
}

uint64_t
pager_drop(struct pager *p)
{
	uint64_t number = 0;

	/* Whoever read the tree before the change had noted it before. */
	if (!__atomic_load_n(&p->pending, __ATOMIC_SEQ_CST))
		return 0;
	pthread_mutex_lock(&p->lock);
	if (p->noted.count && !p->finished) {
		for (size_t i = 0; i < p->noted.nr_slots; i++)
			if (p->noted.slots[i])
				inoset_add(&p->queue, p->noted.slots[i]);
		inoset_fini(&p->noted);
		p->queued++;
		pthread_cond_signal(&p->work);
	}
	/* Those that another thread took may be under way still. */
	if (p->done < p->queued)
		number = p->queued;
	pthread_mutex_unlock(&p->lock);
	return number;
}

bool
pager_park(struct pager *p, struct answer *a)
{
	bool parked;

	pthread_mutex_lock(&p->lock);
	parked = p->done < a->drop;
	if (parked)
		g_queue_push_tail(&p->answers, a);
	pthread_mutex_unlock(&p->lock);
	return parked;
}

/* Errors are not ours to mend: the inode is not in the kernel's memory. */
static void
pager_send(struct pager *p, const struct inoset *set)
{
	for (size_t i = 0; i < set->nr_slots; i++)
		if (set->slots[i])
			fuse_lowlevel_notify_inval_inode(p->server->session,
							 set->slots[i], 0, 0);
}

/* Pass on all answers that wait for nothing more.  Holds: lock, but not while
 * one is passed on. */
static void
pager_answer(struct pager *p)
{
	unsigned int nr = g_queue_get_length(&p->answers);

	while (nr--) {
		struct answer *a = g_queue_pop_head(&p->answers);

		if (a->drop > p->done) {
			g_queue_push_tail(&p->answers, a);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		answer_pass(p->server->notifier, a);
		pthread_mutex_lock(&p->lock);
	}
}

static void *
pager_run(void *arg)
{
	struct pager *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct inoset set = p->queue;
		uint64_t number = p->queued;

		if (p->done == p->queued) {
			p->finished = p->quit;
			if (p->finished)
				break;
			pthread_cond_wait(&p->work, &p->lock);
			continue;
		}
		p->queue = (struct inoset){0};
		pthread_mutex_unlock(&p->lock);
		pager_send(p, &set);
		inoset_fini(&set);
		pthread_mutex_lock(&p->lock);
		p->done = number;
		if (p->done == p->queued && !p->noted.count)
			__atomic_store_n(&p->pending, 0, __ATOMIC_SEQ_CST);
		pager_answer(p);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct pager *
pager_new(struct server *s)
{
	struct pager *p = g_new0(struct pager, 1);

	p->server = s;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	server_thread(&p->thread, pager_run, p);
	return p;
}

void
pager_finish(struct pager *p)
{
	pthread_mutex_lock(&p->lock);
	p->quit = true;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

bool
pager_finished(struct pager *p)
{
	bool finished;

	pthread_mutex_lock(&p->lock);
	finished = p->finished;
	pthread_mutex_unlock(&p->lock);
	return finished;
}

void
pager_free(struct pager *p)
{
	if (!p)
		return;
	pager_finish(p);
	pthread_join(p->thread, NULL);
	inoset_fini(&p->noted);
	inoset_fini(&p->queue);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	g_free(p);
}
