// SPDX-License-Identifier: MIT
/*
 * tree.h - names, open files and control lines over one machine
 *
 * What FUSE and the command line tool share: both do nothing but carry these
 * calls.  Thread-safe: the machine's one lock is taken here and nowhere else.
 *
 * Inode numbers are computed: the entry's number in the layout and the values
 * of its keys, packed.  The root is 1.  No state is kept for a look-up.
 */
#ifndef KMEMFS_TREE_TREE_H
#define KMEMFS_TREE_TREE_H

#include "kmemfs/base/out.h"
#include "kmemfs/base/refusal.h"
#include "kmemfs/machine/machine.h"

#include <sys/stat.h>
#include <sys/types.h>

#define TREE_ROOT 1

struct tree;
struct tree_file;

enum tree_kind { TREE_DIR, TREE_FILE, TREE_LINK };

/* Until when something that was told stays true. */
enum tree_lasts {
	TREE_FOREVER, /* as long as the object is there, or the tree */
	TREE_ENTRIES, /* until the entry hook tells of it: of the name, or of
			 one in the directory */
	TREE_STATE,   /* until anything changes: the changed hook */
};

struct tree_attr {
	uint64_t ino;
	enum tree_kind kind;
	mode_t mode; /* type and permissions */
	uint64_t size;
	uint64_t mtime_ns; /* modelled time since boot */
	unsigned int nlink;
	bool memory; /* as large as the memory that it shows, with holes */
	enum tree_lasts attr_lasts; /* all of the above */
	enum tree_lasts name_lasts; /* that the name stands for this */
};

/* Takes over @m.  @nostream hides files whose reads block, and those
 * that are larger than disks. */
struct tree *tree_new(struct machine *m, bool nostream);
void tree_free(struct tree *t);
/* The machine, for front ends that need the lock around something of their
 * own (realtime clock, shutdown). */
struct machine *tree_lock(struct tree *t);
void tree_unlock(struct tree *t);

/* All return 0 or a negative errno. */
/* After -ENOENT @attr->name_lasts, and it alone, is set: how long there is no
 * such name. */
int tree_lookup(struct tree *t, uint64_t parent, const char *name,
		struct tree_attr *attr);
int tree_getattr(struct tree *t, uint64_t ino, struct tree_attr *attr);
/*
 * Resolve a slash-separated path from the root: links are followed, the last
 * one too (tree_path_link: not the last), ".." goes up.  -ELOOP after 40 links,
 * -ENOTDIR where a file has a slash behind it.
 */
int tree_path(struct tree *t, const char *path, struct tree_attr *attr);
int tree_path_link(struct tree *t, const char *path, struct tree_attr *attr);
/* The inode's path from the root, "/proc/meminfo". */
int tree_path_of(struct tree *t, uint64_t ino, struct out *out);
/* Target of a symbolic link, relative. */
int tree_readlink(struct tree *t, uint64_t ino, struct out *out);

/*
 * List a directory: calls @fill for each name after position @cookie (0 =
 * start) until it returns false.  Cookies are stable while entries come and
 * go.  "." and ".." are not listed.
 */
typedef bool (*tree_fill_fn)(void *user, const char *name, uint64_t ino,
			     enum tree_kind kind, uint64_t cookie);
int tree_readdir(struct tree *t, uint64_t ino, uint64_t cookie,
		 tree_fill_fn fill, void *user);

/* mkdir and rmdir are ops where the layout says so; else -EPERM. */
int tree_mkdir(struct tree *t, uint64_t parent, const char *name,
	       struct tree_attr *attr);
int tree_rmdir(struct tree *t, uint64_t parent, const char *name);
/* Always refused, -EPERM or -EISDIR, with the reason in error_log. */
int tree_unlink(struct tree *t, uint64_t parent, const char *name);

/* @flags as open(2).  -EACCES for writing to what is read-only, from root
 * too. */
int tree_open(struct tree *t, uint64_t ino, int flags, struct tree_file **f);
void tree_close(struct tree_file *f);

enum tree_caching {
	TREE_DIRECT, /* direct I/O */
	TREE_CHECK,  /* while mtime and size, as tree_getattr says them, are the
			same; pages are read from the start of the file */
	TREE_KEEP,   /* for good */
};
/*
 * How far a page cache may keep what is read from @f; the caller lets it.
 * @check: it can do TREE_CHECK.  Then a reader who takes the text in pieces may
 * get them of several moments, since all share the pages.
 */
enum tree_caching tree_file_cache(struct tree_file *f, bool check);

/*
 * Read: bytes, 0 at the end, or -errno.  -EAGAIN: a stream has nothing now;
 * ask again after the readable hook has called.  One file is read by one thread
 * at a time: the caller sees to that.
 */
ssize_t tree_read(struct tree_file *f, void *to, size_t len, uint64_t at);
/* The text as one piece, without a copy, while the file stays open and
 * nothing else is read from it: for large replies. -EOPNOTSUPP: use
 * tree_read. */
ssize_t tree_read_ref(struct tree_file *f, const void **from, size_t len,
		      uint64_t at);
/* Write: @len or -errno, never less. */
ssize_t tree_write(struct tree_file *f, const void *from, size_t len,
		   uint64_t at);
/* SEEK_DATA and SEEK_HOLE: the offset or -errno. */
off_t tree_lseek(struct tree_file *f, off_t at, int whence);
/* Whether a read would give something now (poll); the readable hook tells
 * later. */
bool tree_readable(struct tree_file *f);

/*
 * What a front end that caches must know.  Called without the lock, after the
 * change, on the thread that made it, before the call that made it returns.
 */
struct tree_hooks {
	void *user;
	/* A name came or went in directory @parent, which may itself be gone
	 * or never looked at. */
	void (*entry)(void *user, uint64_t parent, const char *name);
	/* Any op ran: what was told of dynamic files may be stale. */
	void (*changed)(void *user);
	/* A stream has something to read. */
	void (*readable)(void *user);
};
void tree_set_hooks(struct tree *t, const struct tree_hooks *hooks);

/* Do one op line as kmem do does; answer (or the error line) in @answer. */
int tree_do(struct tree *t, const char *line, struct out *answer,
	    struct refusal *r);

/* Let @ns of modelled time pass, as op clock/advance; leaves no answer. */
int tree_tick(struct tree *t, uint64_t ns);
/* What the name at @path is: the manual's entry.  It need not exist now, and
 * may be written as the manual does: /allocations/<alloc>/why. */
int tree_doc(struct tree *t, const char *path, struct out *out);
/* The newest entry of error_log if there is one newer than *@seen, which is
 * moved on; false: none. */
bool tree_last_refusal(struct tree *t, uint64_t *seen, struct out *out);

#endif
