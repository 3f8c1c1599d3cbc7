// SPDX-License-Identifier: MIT
/*
 * ops.c - requests on names, and the table of all requests
 *
 * How it works: each handler asks the tree and answers.  What is not in the
 * table is left out on purpose: for flush, fsync, access, and extended
 * attributes the kernel remembers that they are not there and asks no more.
 */
#include "fuse_impl.h"

#include "kmemfs/base/epoch.h"
#include "kmemfs/base/text.h"
#include "lists_impl.h"
#include "notify_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <sys/statvfs.h>

#define BLOCK 512		   /* st_blocks counts in these */
#define WHOLE (UINT64_C(16) << 20) /* larger files may have holes */

static void
stat_of(const struct server *s, const struct tree_attr *attr, struct stat *st)
{
	*st = (struct stat){
		.st_ino = attr->ino,
		.st_mode = attr->mode,
		.st_nlink = attr->nlink,
		.st_uid = s->uid,
		.st_gid = s->gid,
		.st_size = (off_t)attr->size,
		.st_blksize = 4096,
	};
	/* Fewer blocks than bytes: cp then looks for the holes of ram. */
	st->st_blocks = (blkcnt_t)(MIN_OF(attr->size, WHOLE) / BLOCK);
	if (attr->size % BLOCK && attr->size < WHOLE)
		st->st_blocks++;
	st->st_mtim.tv_sec =
		(time_t)(EPOCH_SECONDS + attr->mtime_ns / 1000000000);
	st->st_mtim.tv_nsec = (long)(attr->mtime_ns % 1000000000);
	st->st_atim = st->st_ctim = st->st_mtim;
}

static void
reply_result(fuse_req_t req, int err)
{
	fuse_reply_err(req, -err);
}

/*
 * What a look-up is answered with.  Attributes that change are not to be kept
 * from here: see notify.c.
 */
static struct fuse_entry_param
entry_of(const struct server *s, const struct tree_attr *attr, double keep_name)
{
	struct fuse_entry_param e = {
		.ino = attr->ino,
		.attr_timeout = notify_keep_entry_attr(attr),
		.entry_timeout = keep_name,
	};

	stat_of(s, attr, &e.attr);
	return e;
}

/* The kernel lets longer ones through. */
static int
name_check(const char *name)
{
	return strlen(name) > NAME_MAX ? -ENAMETOOLONG : 0;
}

static void
serve_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct server *s = server_of(req);
	struct seen seen = notify_look(s->notifier);
	struct tree_attr attr;
	int err = name_check(name);

	if (!err)
		err = tree_lookup(s->tree, parent, name, &attr);
	if (err == -ENOENT) {
		struct fuse_entry_param none = {0};

		none.entry_timeout = notify_keep_name(s->notifier, parent, name,
						      attr.name_lasts, seen);
		fuse_reply_entry(req, &none);
	} else if (err) {
		reply_result(req, err);
	} else {
		struct fuse_entry_param e =
			entry_of(s, &attr,
				 notify_keep_name(s->notifier, parent, name,
						  attr.name_lasts, seen));

		fuse_reply_entry(req, &e);
	}
}

static void
reply_attr(fuse_req_t req, fuse_ino_t ino)
{
	struct server *s = server_of(req);
	struct seen seen = notify_look(s->notifier);
	struct tree_attr attr;
	struct stat st;
	int err = tree_getattr(s->tree, ino, &attr);

	/* What a descriptor stands for is gone: not a matter of its name. */
	if (err == -ENOENT && server_has_open(s, ino))
		err = -ENODEV;
	if (err) {
		reply_result(req, err);
		return;
	}
	stat_of(s, &attr, &st);
	fuse_reply_attr(req, &st, notify_keep_attr(s->notifier, &attr, seen));
}

static void
serve_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	reply_attr(req, ino);
}

/* Truncation succeeds and does nothing where writing is possible. */
static int
setattr_decode(struct server *s, fuse_ino_t ino, int what)
{
	struct tree_attr attr;
	int err;

	if (!(what & FUSE_SET_ATTR_SIZE) ||
	    what & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		return -EPERM;
	err = tree_getattr(s->tree, ino, &attr);
	if (err)
		return err;
	return attr.mode & 0222 ? 0 : -EACCES;
}

static void
serve_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int what,
	      struct fuse_file_info *fi)
{
	int err = setattr_decode(server_of(req), ino, what);

	(void)st;
	(void)fi;
	if (err)
		reply_result(req, err);
	else
		reply_attr(req, ino);
}

static void
serve_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct out target = OUT_INIT;
	int err = tree_readlink(server_of(req)->tree, ino, &target);

	if (err)
		reply_result(req, err);
	else
		fuse_reply_readlink(req, out_text(&target));
	out_fini(&target);
}

/* --- directories -----------------------------------------------------------
 */

/* A reply to READDIR that is being filled. */
struct listing {
	fuse_req_t req;
	char *bytes;
	size_t used, room;
};

static bool
listing_add(struct listing *l, const char *name, uint64_t ino, mode_t type,
	    uint64_t next)
{
	struct stat st = {.st_ino = ino, .st_mode = type};
	size_t len =
		fuse_add_direntry(l->req, l->bytes + l->used, l->room - l->used,
				  name, &st, (off_t)next);

	if (len > l->room - l->used)
		return false;
	l->used += len;
	return true;
}

/* The tree's positions come after those of "." and "..". */
#define DOTS 2

static bool
listing_fill(void *user, const char *name, uint64_t ino, enum tree_kind kind,
	     uint64_t cookie)
{
	static const mode_t types[] = {
		[TREE_DIR] = S_IFDIR,
		[TREE_FILE] = S_IFREG,
		[TREE_LINK] = S_IFLNK,
	};

	return listing_add(user, name, ino, types[kind], cookie + DOTS);
}

static void
serve_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
	      struct fuse_file_info *fi)
{
	struct server *s = server_of(req);
	struct listing l = {.req = req, .room = size};
	uint64_t from = at > DOTS ? (uint64_t)at - DOTS : 0;
	int err = 0;

	lists_read(s->lists, fi);
	l.bytes = g_malloc(size + 1);
	if ((at > 0 || listing_add(&l, ".", ino, S_IFDIR, 1)) &&
	    (at > 1 || listing_add(&l, "..", TREE_ROOT, S_IFDIR, DOTS)))
		err = tree_readdir(s->tree, ino, from, listing_fill, &l);
	if (err)
		reply_result(req, err);
	else
		fuse_reply_buf(req, l.bytes, l.used);
	g_free(l.bytes);
}

static void
serve_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct server *s = server_of(req);
	struct tree_attr attr;
	int err = tree_getattr(s->tree, ino, &attr);

	if (err) {
		reply_result(req, err);
		return;
	}
	lists_open(s->lists, &attr, fi);
	/* The opener was killed meanwhile: no release will come. */
	if (fuse_reply_open(req, fi))
		lists_close(s->lists, fi);
}

static void
serve_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	lists_close(server_of(req)->lists, fi);
	fuse_reply_err(req, 0);
}

static void
serve_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct server *s = server_of(req);
	struct change c = {
		.changed = true,
		.own_parent = parent,
		.own_name = name,
	};
	struct fuse_entry_param made = {0};
	struct tree_attr attr;
	int err;

	(void)mode;
	if (s->draining) {
		fuse_reply_err(req, ENOTCONN);
		return;
	}
	notify_begin(s->notifier, &c);
	err = name_check(name);
	if (!err)
		err = tree_mkdir(s->tree, parent, name, &attr);
	notify_end(s->notifier, &c);
	if (!err)
		made = entry_of(s, &attr, 0);
	notify_reply_dir(s->notifier, &c, req, err, &made);
}

static void
serve_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct server *s = server_of(req);
	struct change c = {
		.changed = true,
		.own_parent = parent,
		.own_name = name,
	};
	int err;

	if (s->draining) {
		fuse_reply_err(req, ENOTCONN);
		return;
	}
	notify_begin(s->notifier, &c);
	err = tree_rmdir(s->tree, parent, name);
	notify_end(s->notifier, &c);
	notify_reply_dir(s->notifier, &c, req, err, NULL);
}

/* --- what is not done here -------------------------------------------------
 */

static void
serve_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	     struct fuse_file_info *fi)
{
	(void)parent, (void)name, (void)mode, (void)fi;
	fuse_reply_err(req, EPERM);
}

static void
serve_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	    dev_t device)
{
	(void)parent, (void)name, (void)mode, (void)device;
	fuse_reply_err(req, EPERM);
}

static void
serve_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	reply_result(req, tree_unlink(server_of(req)->tree, parent, name));
}

static void
serve_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
	      const char *name)
{
	(void)target, (void)parent, (void)name;
	fuse_reply_err(req, EPERM);
}

static void
serve_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	(void)ino, (void)parent, (void)name;
	fuse_reply_err(req, EPERM);
}

static void
serve_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
	     fuse_ino_t to_parent, const char *to_name, unsigned int flags)
{
	(void)parent, (void)name, (void)to_parent, (void)to_name, (void)flags;
	fuse_reply_err(req, EPERM);
}

/* --- the file system as a whole --------------------------------------------
 */

/* The kB of one line of @meminfo, 0 when it is not there. */
static uint64_t
meminfo_kb(const char *meminfo, const char *key)
{
	const char *line = strstr(meminfo, key);

	return line ? g_ascii_strtoull(line + strlen(key), NULL, 10) : 0;
}

/* df shows the modelled memory: its size, and what is free. */
static void
serve_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct server *s = server_of(req);
	struct statvfs st = {
		.f_bsize = 4096,
		.f_frsize = 4096,
		.f_namemax = NAME_MAX,
	};
	struct tree_attr attr;
	struct tree_file *f;
	char text[8192];
	ssize_t n;

	(void)ino;
	if (!tree_path(s->tree, "/proc/meminfo", &attr) &&
	    !tree_open(s->tree, attr.ino, O_RDONLY, &f)) {
		n = tree_read(f, text, sizeof(text) - 1, 0);
		text[MAX_OF(n, 0)] = '\0';
		tree_close(f);
		st.f_blocks = meminfo_kb(text, "MemTotal:") * 1024 / st.f_bsize;
		st.f_bfree = meminfo_kb(text, "MemFree:") * 1024 / st.f_bsize;
		st.f_bavail = st.f_bfree;
	}
	fuse_reply_statfs(req, &st);
}

static void
serve_init(void *user, struct fuse_conn_info *conn)
{
	struct server *s = user;

	/* A page cache that writes back would write commands again, later. */
	conn->want &= ~(
		unsigned int)(FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_READDIRPLUS |
			      FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_SPLICE_READ |
			      FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
	conn->max_write = MIN_OF(conn->max_write, WRITE_MOST);
	if (s->ready)
		s->ready(s->ready_user);
}

const struct fuse_lowlevel_ops server_ops = {
	.init = serve_init,
	.lookup = serve_lookup,
	.getattr = serve_getattr,
	.setattr = serve_setattr,
	.readlink = serve_readlink,
	.opendir = serve_opendir,
	.readdir = serve_readdir,
	.releasedir = serve_releasedir,
	.mkdir = serve_mkdir,
	.rmdir = serve_rmdir,
	.create = serve_create,
	.mknod = serve_mknod,
	.unlink = serve_unlink,
	.symlink = serve_symlink,
	.link = serve_link,
	.rename = serve_rename,
	.statfs = serve_statfs,
	.open = serve_open,
	.read = serve_read,
	.write = serve_write,
	.lseek = serve_lseek,
	.poll = serve_poll,
	.release = serve_release,
};
