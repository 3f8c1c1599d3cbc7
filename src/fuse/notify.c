// SPDX-License-Identifier: MIT
/*
 * notify.c - what the kernel remembers of the tree, and telling it to forget
 *
 * How it works: whoever answers a request first calls notify_look, then asks
 * the tree, then notify_keep_*: if the tree changed between, the answer gets
 * timeout 0; else a note is made.  A change counts first and takes the notes
 * after, so one of the two always sees the other.  An answer that is still on
 * its way when its notification overtakes it does no harm: the kernel drops
 * attributes older than the last invalidation of their inode, and holds the
 * directory's lock during a look-up.  The one gap is an inode that the kernel
 * has only just heard of, so the answer to a look-up carries no attributes
 * that may be kept unless they are constant; the next stat asks for them.
 *
 * Three kinds of notification, sent in three ways:
 * - Attributes of an inode (offset -1).  Takes no lock that a request could
 *   hold, so the thread that made the change sends it itself.
 * - Pages of a file: pager.c.  That its mtime is another would make the kernel
 *   drop them too, but a reader who comes between its noting the one and its
 *   doing the other finds them.
 * - A name in a directory.  Takes the directory's lock, which the process
 *   behind a LOOKUP, MKDIR or RMDIR holds until it is answered: so it must be
 *   sent by a thread on which no answer depends.  That is the notifier; a
 *   write that changed names is answered by the notifier, after them.  mkdir
 *   and rmdir are answered by the dispatcher or the pager, never here.
 *
 * Always true: no lock of the model is held while something is sent; the
 * dispatcher never waits for the notifier or the pager, nor the pager for the
 * notifier.
 *
 * Locks: send, then lock.  send is held while attributes are sent, so that
 * nobody answers while another thread still has notes in its hands.
 */
#include "notify_impl.h"

#include "inoset_impl.h"
#include "kmemfs/base/check.h"
#include "pager_impl.h"
#include "waits_impl.h"

#include <errno.h>
#include <glib.h>
#include <limits.h>
#include <pthread.h>

#define FOREVER 86400.0		 /* seconds, for what never changes */
#define LONG 60.0		 /* seconds, for what is noted */
#define NAME_LIFE_MS (61 * 1000) /* a note outlives the kernel's name */
#define MOST_INODES 8192 /* one change sends at most so many: some 6 ms */
#define MOST_NAMES 65536

/* A noted or queued name. */
struct name {
	uint64_t parent;
	uint64_t until_ms; /* host time when the kernel drops it by itself */
	char text[];
};

struct notifier {
	struct server *server;
	pthread_t thread;
	pthread_mutex_t send;
	pthread_mutex_t lock; /* all below but the atomics */
	pthread_cond_t work;

	uint64_t changes; /* atomic: ops that ran */
	uint64_t entries; /* atomic: names that came or went */
	size_t noted;	  /* atomic: files.count; more while one is added */
	int sending;	  /* atomic: of inodes that were taken out of files */
	int dirty;	  /* atomic: notes are to be taken */

	struct inoset files; /* inodes whose attributes the kernel keeps */
	struct inoset dirs;  /* the same; only an entry makes them stale */
	GHashTable *names;   /* set of struct name */
	uint64_t swept_ms;   /* when outdated names were last removed */
	GPtrArray *queue;    /* of struct name: to be sent */
	uint64_t queued;     /* number of the last one ever queued */
	GQueue answers;	     /* of struct answer, by number */
	bool woken;
	bool quit;
	bool finished; /* the thread sends nothing any more */
};

/* Of the call into the tree that this thread is in. */
static _Thread_local struct change *current_change;

static uint64_t
now_ms(void)
{
	return (uint64_t)g_get_monotonic_time() / 1000;
}

static guint
name_hash(gconstpointer p)
{
	const struct name *name = p;

	return g_str_hash(name->text) ^
	       (guint)((name->parent * 0x9e3779b97f4a7c15ULL) >> 32);
}

static gboolean
name_equal(gconstpointer a, gconstpointer b)
{
	const struct name *x = a, *y = b;

	return x->parent == y->parent && !strcmp(x->text, y->text);
}

static struct name *
name_new(uint64_t parent, const char *text)
{
	size_t len = strlen(text) + 1;
	struct name *name = g_malloc(sizeof(*name) + len);

	name->parent = parent;
	name->until_ms = 0;
	memcpy(name->text, text, len);
	return name;
}

/* --- notes -----------------------------------------------------------------
 */

struct seen
notify_look(struct notifier *n)
{
	return (struct seen){
		.changes = __atomic_load_n(&n->changes, __ATOMIC_SEQ_CST),
		.entries = __atomic_load_n(&n->entries, __ATOMIC_SEQ_CST),
	};
}

double
notify_keep_attr(struct notifier *n, const struct tree_attr *attr,
		 struct seen seen)
{
	bool dir = attr->attr_lasts == TREE_ENTRIES;
	struct inoset *set = dir ? &n->dirs : &n->files;
	double seconds = 0;
	struct seen now;

	if (attr->attr_lasts == TREE_FOREVER)
		return FOREVER;
	pthread_mutex_lock(&n->lock);
	/* Said before the look: who changes something looks at it after. */
	if (!dir)
		__atomic_store_n(&n->noted, set->count + 1, __ATOMIC_SEQ_CST);
	now = notify_look(n);
	if ((dir ? now.entries == seen.entries : now.changes == seen.changes) &&
	    (set->count < MOST_INODES || inoset_has(set, attr->ino))) {
		inoset_add(set, attr->ino);
		seconds = LONG;
	}
	if (!dir)
		__atomic_store_n(&n->noted, set->count, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&n->lock);
	return seconds;
}

double
notify_keep_entry_attr(const struct tree_attr *attr)
{
	return attr->attr_lasts == TREE_FOREVER ? FOREVER : 0;
}

static gboolean
name_is_outdated(gpointer key, gpointer value, gpointer now)
{
	(void)value;
	return ((struct name *)key)->until_ms < *(uint64_t *)now;
}

/* Whether there is room for another name. */
static bool
names_have_room(struct notifier *n, uint64_t now)
{
	if (g_hash_table_size(n->names) < MOST_NAMES)
		return true;
	if (now - n->swept_ms < 1000)
		return false;
	n->swept_ms = now;
	return g_hash_table_foreach_remove(n->names, name_is_outdated, &now);
}

double
notify_keep_name(struct notifier *n, uint64_t parent, const char *name,
		 enum tree_lasts lasts, struct seen seen)
{
	uint64_t now = now_ms();
	double seconds = 0;

	if (lasts != TREE_ENTRIES)
		return lasts == TREE_FOREVER ? FOREVER : 0;
	pthread_mutex_lock(&n->lock);
	if (notify_look(n).entries == seen.entries && names_have_room(n, now)) {
		struct name *note = name_new(parent, name);

		note->until_ms = now + NAME_LIFE_MS;
		g_hash_table_replace(n->names, note, note);
		seconds = LONG;
	}
	pthread_mutex_unlock(&n->lock);
	return seconds;
}

/* --- hooks of the tree -----------------------------------------------------
 */

static void
notify_changed(void *user)
{
	struct notifier *n = user;
	struct change *c = current_change;

	__atomic_add_fetch(&n->changes, 1, __ATOMIC_SEQ_CST);
	if (c)
		c->changed = c->counted = true;
	if (c && !c->shared)
		return;
	pager_drop(n->server->pager);
	if (!__atomic_load_n(&n->noted, __ATOMIC_SEQ_CST) ||
	    __atomic_exchange_n(&n->dirty, 1, __ATOMIC_SEQ_CST))
		return;
	pthread_mutex_lock(&n->lock);
	pthread_cond_signal(&n->work);
	pthread_mutex_unlock(&n->lock);
}

static bool
change_is_own(const struct change *c, uint64_t parent, const char *name)
{
	return c && c->own_name && c->own_parent == parent &&
	       !strcmp(c->own_name, name);
}

/* Holds: lock. */
static void
notify_queue(struct notifier *n, struct change *c, struct name *name)
{
	g_ptr_array_add(n->queue, name);
	n->queued++;
	if (c)
		c->entry = n->queued;
	pthread_cond_signal(&n->work);
}

static void
notify_entry(void *user, uint64_t parent, const char *text)
{
	struct notifier *n = user;
	struct change *c = current_change;
	union {
		struct name name;
		char bytes[sizeof(struct name) + NAME_MAX + 1];
	} key;
	gpointer name;
	bool noted;

	pthread_mutex_lock(&n->lock);
	__atomic_add_fetch(&n->entries, 1, __ATOMIC_SEQ_CST);
	noted = g_hash_table_size(n->names);
	if (noted) {
		key.name.parent = parent;
		g_strlcpy(key.name.text, text, NAME_MAX + 1);
		noted = g_hash_table_steal_extended(n->names, &key, &name,
						    NULL);
	}
	if (noted && change_is_own(c, parent, text))
		g_free(name);
	else if (noted)
		notify_queue(n, c, name);
	/* Its attributes go the way of files': the changed hook comes next. */
	if (inoset_remove(&n->dirs, parent)) {
		inoset_add(&n->files, parent);
		__atomic_store_n(&n->noted, n->files.count, __ATOMIC_SEQ_CST);
	}
	pthread_mutex_unlock(&n->lock);
}

/* --- sending ---------------------------------------------------------------
 */

/*
 * Errors are not ours to mend: the inode or name is not in the kernel's
 * memory, or the connection has ended.
 */
static void
send_attr(struct notifier *n, uint64_t ino)
{
	fuse_lowlevel_notify_inval_inode(n->server->session, ino, -1, 0);
}

/*
 * Whether nothing is noted and nobody else is sending what was.  Whoever takes
 * notes says that he is sending before he says that none are left.
 */
static bool
nothing_to_send(struct notifier *n)
{
	return !__atomic_load_n(&n->noted, __ATOMIC_SEQ_CST) &&
	       !__atomic_load_n(&n->sending, __ATOMIC_SEQ_CST);
}

static void
send_files(struct notifier *n)
{
	struct inoset taken;

	if (nothing_to_send(n))
		return;
	pthread_mutex_lock(&n->send);
	pthread_mutex_lock(&n->lock);
	taken = n->files;
	n->files = (struct inoset){0};
	__atomic_store_n(&n->sending, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&n->noted, 0, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&n->lock);
	for (size_t i = 0; i < taken.nr_slots; i++)
		if (taken.slots[i])
			send_attr(n, taken.slots[i]);
	__atomic_store_n(&n->sending, 0, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&n->send);
	inoset_fini(&taken);
}

static void
send_names(struct notifier *n, GPtrArray *names)
{
	for (guint i = 0; i < names->len; i++) {
		struct name *name = g_ptr_array_index(names, i);

		fuse_lowlevel_notify_inval_entry(n->server->session,
						 name->parent, name->text,
						 strlen(name->text));
	}
}

static void
answer_send(const struct answer *a)
{
	switch (a->kind) {
	case ANSWER_ERR:
		fuse_reply_err(a->req, (int)a->result);
		break;
	case ANSWER_WRITE:
		fuse_reply_write(a->req, a->result);
		break;
	case ANSWER_ENTRY:
		fuse_reply_entry(a->req, &a->made);
		break;
	}
}

/* Send the answers that waited for notifications up to number @done. */
static void
send_answers(struct notifier *n, uint64_t done)
{
	for (;;) {
		struct answer *a;

		pthread_mutex_lock(&n->lock);
		a = g_queue_peek_head(&n->answers);
		if (a && a->entry <= done)
			g_queue_pop_head(&n->answers);
		else
			a = NULL;
		pthread_mutex_unlock(&n->lock);
		if (!a)
			return;
		answer_send(a);
		g_free(a);
	}
}

void
notify_begin(struct notifier *n, struct change *c)
{
	(void)n;
	KM_ASSERT(!current_change);
	current_change = c;
}

void
notify_end(struct notifier *n, struct change *c)
{
	KM_ASSERT(current_change == c);
	current_change = NULL;
	if (!c->changed)
		return;
	/* The logs change without an op when a line is refused. */
	if (!c->counted)
		__atomic_add_fetch(&n->changes, 1, __ATOMIC_SEQ_CST);
	c->drop = pager_drop(n->server->pager);
	send_files(n);
}

static gint
answer_order(gconstpointer a, gconstpointer b, gpointer user)
{
	const struct answer *x = a, *y = b;

	(void)user;
	return (x->entry > y->entry) - (x->entry < y->entry);
}

void
answer_pass(struct notifier *n, struct answer *a)
{
	bool later = false;

	if (a->entry) {
		pthread_mutex_lock(&n->lock);
		later = !n->finished;
		if (later) {
			g_queue_insert_sorted(&n->answers, a, answer_order,
					      NULL);
			pthread_cond_signal(&n->work);
		}
		pthread_mutex_unlock(&n->lock);
	}
	if (!later) {
		answer_send(a);
		g_free(a);
	}
}

static void
answer(struct notifier *n, const struct answer *a)
{
	struct answer *kept;

	if (!a->drop && !a->entry) {
		answer_send(a);
		return;
	}
	kept = g_memdup2(a, sizeof(*a));
	if (!a->drop || !pager_park(n->server->pager, kept))
		answer_pass(n, kept);
}

void
notify_reply_write(struct notifier *n, const struct change *c, fuse_req_t req,
		   ssize_t result)
{
	/* The usual case, first: the struct is large. */
	if (result >= 0 && !c->drop && !c->entry) {
		fuse_reply_write(req, (size_t)result);
		return;
	}
	answer(n, &(struct answer){
			  .req = req,
			  .kind = result < 0 ? ANSWER_ERR : ANSWER_WRITE,
			  .result = (size_t)(result < 0 ? -result : result),
			  .drop = c->drop,
			  .entry = c->entry,
		  });
}

void
notify_reply_dir(struct notifier *n, const struct change *c, fuse_req_t req,
		 int err, const struct fuse_entry_param *made)
{
	struct answer a = {
		.req = req,
		.kind = made && !err ? ANSWER_ENTRY : ANSWER_ERR,
		.result = (size_t)-err,
		.drop = c->drop,
	};

	if (a.kind == ANSWER_ENTRY)
		a.made = *made;
	answer(n, &a);
}

/* --- the thread ------------------------------------------------------------
 */

/* Holds: lock. */
static bool
notifier_idle(struct notifier *n)
{
	return !n->queue->len && g_queue_is_empty(&n->answers) && !n->woken &&
	       !__atomic_load_n(&n->dirty, __ATOMIC_SEQ_CST);
}

static void *
notifier_run(void *arg)
{
	struct notifier *n = arg;

	pthread_mutex_lock(&n->lock);
	for (;;) {
		GPtrArray *names = n->queue;
		uint64_t done;
		bool woken;

		if (notifier_idle(n)) {
			n->finished = n->quit;
			if (n->finished)
				break;
			pthread_cond_wait(&n->work, &n->lock);
			continue;
		}
		n->queue = g_ptr_array_new_with_free_func(g_free);
		done = n->queued;
		woken = n->woken;
		n->woken = false;
		pthread_mutex_unlock(&n->lock);
		send_names(n, names);
		g_ptr_array_unref(names);
		if (__atomic_exchange_n(&n->dirty, 0, __ATOMIC_SEQ_CST))
			send_files(n);
		send_answers(n, done);
		if (woken)
			waits_serve(n->server->waits);
		pthread_mutex_lock(&n->lock);
	}
	pthread_mutex_unlock(&n->lock);
	return NULL;
}

static void
notify_readable(void *user)
{
	struct notifier *n = user;

	waits_readable(n->server->waits);
}

struct tree_hooks
notifier_hooks(struct notifier *n)
{
	return (struct tree_hooks){
		.user = n,
		.entry = notify_entry,
		.changed = notify_changed,
		.readable = notify_readable,
	};
}

void
notifier_wake(struct notifier *n)
{
	pthread_mutex_lock(&n->lock);
	n->woken = true;
	pthread_cond_signal(&n->work);
	pthread_mutex_unlock(&n->lock);
}

struct notifier *
notifier_new(struct server *s)
{
	struct notifier *n = g_new0(struct notifier, 1);

	n->server = s;
	pthread_mutex_init(&n->send, NULL);
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->work, NULL);
	n->names = g_hash_table_new_full(name_hash, name_equal, g_free, NULL);
	n->queue = g_ptr_array_new_with_free_func(g_free);
	server_thread(&n->thread, notifier_run, n);
	return n;
}

void
notifier_finish(struct notifier *n)
{
	pthread_mutex_lock(&n->lock);
	n->quit = true;
	pthread_cond_signal(&n->work);
	pthread_mutex_unlock(&n->lock);
}

bool
notifier_finished(struct notifier *n)
{
	bool finished;

	pthread_mutex_lock(&n->lock);
	finished = n->finished;
	pthread_mutex_unlock(&n->lock);
	return finished;
}

void
notifier_free(struct notifier *n)
{
	if (!n)
		return;
	notifier_finish(n);
	pthread_join(n->thread, NULL);
	inoset_fini(&n->files);
	inoset_fini(&n->dirs);
	g_hash_table_destroy(n->names);
	g_ptr_array_unref(n->queue);
	pthread_cond_destroy(&n->work);
	pthread_mutex_destroy(&n->lock);
	pthread_mutex_destroy(&n->send);
	g_free(n);
}
