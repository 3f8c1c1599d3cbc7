// SPDX-License-Identifier: MIT
/*
 * lists.c - which open directories may use the kernel's copy of a list
 *
 * What it models: nothing; it keeps a list that two processes fill from being
 * stale.  The kernel makes its copy from the answers to READDIR, and drops it
 * when the directory's mtime is another than at the start of the copy.  But an
 * answer that is older than a change can be added after another process has
 * started the copy anew, with the new mtime.
 *
 * How it works: a directory's mtime is its stamp.  Directories that are open
 * and may fill the copy all have one stamp: as long as one with an older stamp
 * is open, others read without the copy.  The first ones after a change have
 * the kernel drop what is there as they are opened; only when one of these
 * reads, and so has been opened, may later ones use the copy as it is.  So
 * whatever an open directory finds in the copy was read after its stamp.
 *
 * Directories that never change need none of that.
 */
#include "lists_impl.h"

#include <glib.h>
#include <pthread.h>

#define MOST_LISTS 4096 /* more directories are read without a copy */

struct list {
	uint64_t ino;
	uint64_t stamp;	       /* of the newest that was opened */
	unsigned int open;     /* with that stamp */
	unsigned int open_old; /* with an older one */
	bool dropped;	       /* the copy is not older than the stamp */
};

/* An open directory that may fill the copy. */
struct filler {
	struct list *list;
	uint64_t stamp;
	bool drops; /* the kernel dropped the copy when it was opened */
};

struct lists {
	pthread_mutex_t lock;
	GHashTable *of;	     /* inode number -> struct list */
	GHashTable *fillers; /* set of struct filler: what is open */
};

static struct list *
list_of(struct lists *l, uint64_t ino)
{
	struct list *list = g_hash_table_lookup(l->of, &ino);

	if (!list && g_hash_table_size(l->of) < MOST_LISTS) {
		list = g_new0(struct list, 1);
		list->ino = ino;
		g_hash_table_insert(l->of, &list->ino, list);
	}
	return list;
}

void
lists_open(struct lists *l, const struct tree_attr *attr,
	   struct fuse_file_info *fi)
{
	struct filler *filler;
	struct list *list;

	fi->fh = 0;
	if (attr->attr_lasts == TREE_FOREVER) {
		fi->cache_readdir = 1;
		fi->keep_cache = 1;
		return;
	}
	pthread_mutex_lock(&l->lock);
	list = list_of(l, attr->ino);
	if (list && list->stamp != attr->mtime_ns) {
		list->stamp = attr->mtime_ns;
		list->open_old += list->open;
		list->open = 0;
		list->dropped = false;
	}
	if (list && !list->open_old) {
		filler = g_new(struct filler, 1);
		*filler = (struct filler){list, list->stamp, !list->dropped};
		g_hash_table_add(l->fillers, filler);
		list->open++;
		fi->fh = (uintptr_t)filler;
		fi->cache_readdir = 1;
		fi->keep_cache = list->dropped;
	}
	pthread_mutex_unlock(&l->lock);
}

static struct filler *
filler_of(const struct fuse_file_info *fi)
{
	return (struct filler *)(uintptr_t)fi->fh;
}

void
lists_read(struct lists *l, const struct fuse_file_info *fi)
{
	struct filler *filler = filler_of(fi);

	if (!filler || !filler->drops)
		return;
	pthread_mutex_lock(&l->lock);
	if (filler->stamp == filler->list->stamp)
		filler->list->dropped = true;
	pthread_mutex_unlock(&l->lock);
}

void
lists_close(struct lists *l, const struct fuse_file_info *fi)
{
	struct filler *filler = filler_of(fi);

	if (!filler)
		return;
	pthread_mutex_lock(&l->lock);
	if (filler->stamp == filler->list->stamp)
		filler->list->open--;
	else
		filler->list->open_old--;
	g_hash_table_remove(l->fillers, filler);
	pthread_mutex_unlock(&l->lock);
}

struct lists *
lists_new(void)
{
	struct lists *l = g_new0(struct lists, 1);

	pthread_mutex_init(&l->lock, NULL);
	l->of = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
				      g_free);
	l->fillers = g_hash_table_new_full(NULL, NULL, g_free, NULL);
	return l;
}

void
lists_free(struct lists *l)
{
	g_hash_table_destroy(l->fillers);
	g_hash_table_destroy(l->of);
	pthread_mutex_destroy(&l->lock);
	g_free(l);
}
