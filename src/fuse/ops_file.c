// SPDX-License-Identifier: MIT
/*
 * ops_file.c - requests on open files
 *
 * How it works: a short write runs here, on the dispatcher's thread: handing it
 * to another would cost more than most ops do.  A long one goes to the pool, so
 * that the requests of others go on meanwhile; so does a short one while the
 * file still has one there, since a file's writes stay in order.
 */
#include "fuse_impl.h"
#include "notify_impl.h"
#include "pager_impl.h"
#include "pool_impl.h"
#include "waits_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>

#define INLINE_WRITE 4096	      /* bytes; more goes to the pool */
#define REF_READ (16 << 10)	      /* bytes; less is copied */
#define READ_ROOM ((size_t)128 << 10) /* what cat asks for */

static struct handle *
handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

static void
handle_note(struct server *s, struct handle *h, bool open)
{
	pthread_mutex_lock(&s->lock);
	if (open)
		g_hash_table_add(s->handles, h);
	else
		g_hash_table_remove(s->handles, h);
	pthread_mutex_unlock(&s->lock);
}

bool
server_has_open(struct server *s, fuse_ino_t ino)
{
	GHashTableIter i;
	gpointer key;
	bool found = false;

	pthread_mutex_lock(&s->lock);
	g_hash_table_iter_init(&i, s->handles);
	while (!found && g_hash_table_iter_next(&i, &key, NULL))
		found = ((struct handle *)key)->ino == ino;
	pthread_mutex_unlock(&s->lock);
	return found;
}

static void
handle_close(struct server *s, struct handle *h)
{
	struct change c = {0};

	/* The kernel releases a file when it has the answer to its last read,
	 * which may be before the thread that sent it has let go. */
	pthread_mutex_lock(&h->reading);
	pthread_mutex_unlock(&h->reading);
	handle_note(s, h, false);
	waits_forget(s->waits, h);
	notify_begin(s->notifier, &c);
	tree_close(h->file);
	notify_end(s->notifier, &c);
	pthread_mutex_destroy(&h->reading);
	g_free(h);
}

void
server_close_files(struct server *s)
{
	GHashTableIter i;
	gpointer key;

	for (;;) {
		g_hash_table_iter_init(&i, s->handles);
		if (!g_hash_table_iter_next(&i, &key, NULL))
			break;
		handle_close(s, key);
	}
}

void
serve_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct server *s = server_of(req);
	struct change c = {.changed = fi->flags & O_TRUNC};
	enum tree_caching caching;
	struct tree_file *file;
	struct handle *h;
	int err;

	notify_begin(s->notifier, &c);
	err = tree_open(s->tree, ino, fi->flags, &file);
	notify_end(s->notifier, &c);
	if (err) {
		fuse_reply_err(req, -err);
		return;
	}
	h = g_new0(struct handle, 1);
	h->file = file;
	pthread_mutex_init(&h->reading, NULL);
	h->ino = ino;
	h->writable = (fi->flags & O_ACCMODE) != O_RDONLY;
	handle_note(s, h, true);
	fi->fh = (uintptr_t)h;
	caching = tree_file_cache(file, s->polled);
	h->paged = caching == TREE_CHECK;
	fi->keep_cache = caching != TREE_DIRECT;
	fi->direct_io = !fi->keep_cache;
	fi->noflush = 1;
	/* The opener was killed meanwhile: no release will come. */
	if (fuse_reply_open(req, fi))
		handle_close(s, h);
}

/* Room for one answer of this thread, kept for its next. */
static char *
read_buffer(size_t size)
{
	static GPrivate kept = G_PRIVATE_INIT(g_free);
	struct buffer {
		size_t room;
		char bytes[];
	} *buffer = g_private_get(&kept);

	if (!buffer || buffer->room < size) {
		size_t room = MAX(size, READ_ROOM);

		buffer = g_malloc(sizeof(*buffer) + room);
		buffer->room = room;
		g_private_replace(&kept, buffer);
	}
	return buffer->bytes;
}

/*
 * A large piece of text without a copy; false: not this way.  Holds: reading,
 * so that no other reader has the text made anew under the reply.
 */
static bool
read_ref(fuse_req_t req, struct handle *h, size_t size, off_t at)
{
	const void *from;
	ssize_t n;

	/* An answer's text may move while another thread writes. */
	if (size < REF_READ || h->writable)
		return false;
	n = tree_read_ref(h->file, &from, size, (uint64_t)at);
	if (n < 0)
		return false;
	fuse_reply_buf(req, from, (size_t)n);
	return true;
}

/* Answer a read unless there is nothing to read yet: then false. */
static bool
read_now(fuse_req_t req, struct handle *h, size_t size, off_t at, bool wait)
{
	char *bytes = NULL;
	ssize_t n = 0;
	bool done;

	pthread_mutex_lock(&h->reading);
	done = read_ref(req, h, size, at);
	if (!done) {
		bytes = read_buffer(size);
		n = tree_read(h->file, bytes, size, (uint64_t)at);
	}
	pthread_mutex_unlock(&h->reading);
	if (done)
		return true;
	if (n == -EAGAIN && wait)
		return false;
	if (n < 0)
		fuse_reply_err(req, (int)-n);
	else
		fuse_reply_buf(req, bytes, (size_t)n);
	return true;
}

void
serve_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
	   struct fuse_file_info *fi)
{
	struct waits *w = server_of(req)->waits;
	struct handle *h = handle_of(fi);
	uint64_t seen;

	if (h->paged)
		pager_note(server_of(req)->pager, ino);
	do {
		seen = waits_look(w);
		if (read_now(req, h, size, at, !(fi->flags & O_NONBLOCK)))
			return;
	} while (!waits_park(w, seen, req, h, size, at));
}

void
serve_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size,
	    off_t at, struct fuse_file_info *fi)
{
	struct server *s = server_of(req);
	struct handle *h = handle_of(fi);
	struct change c = {.changed = true};
	ssize_t n;

	(void)ino;
	if (s->draining) {
		fuse_reply_err(req, ENOTCONN);
		return;
	}
	if (size > INLINE_WRITE || pool_busy(h)) {
		pool_write(s->pool, req, h, bytes, size, at);
		return;
	}
	notify_begin(s->notifier, &c);
	n = tree_write(h->file, bytes, size, (uint64_t)at);
	notify_end(s->notifier, &c);
	notify_reply_write(s->notifier, &c, req, n);
}

void
serve_lseek(fuse_req_t req, fuse_ino_t ino, off_t at, int whence,
	    struct fuse_file_info *fi)
{
	off_t to = tree_lseek(handle_of(fi)->file, at, whence);

	(void)ino;
	if (to < 0)
		fuse_reply_err(req, (int)-to);
	else
		fuse_reply_lseek(req, to);
}

void
serve_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
	   struct fuse_pollhandle *ph)
{
	struct server *s = server_of(req);
	struct handle *h = handle_of(fi);
	unsigned int events = h->writable ? POLLOUT | POLLWRNORM : 0;

	(void)ino;
	/* First the bell, then the look: else a record between is missed. */
	if (ph)
		waits_poll(s->waits, h, ph);
	if (tree_readable(h->file))
		events |= POLLIN | POLLRDNORM;
	fuse_reply_poll(req, events);
}

void
serve_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	/* A stream's unfinished last line runs now. */
	handle_close(server_of(req), handle_of(fi));
	fuse_reply_err(req, 0);
}
