// SPDX-License-Identifier: MIT
/*
 * null_server.c - a FUSE server that does nothing: the floor for benchmarks
 *
 * What it is: the low-level API, one thread, constant answers.  What kmemfs
 * takes longer than this is kmemfs; the rest is the kernel, the wake-ups and
 * libfuse.
 *
 *   null_server [-kl] [-t SECONDS] [-s BYTES] [-n FILES] MOUNTPOINT
 *
 * The root holds f0 to f<FILES-1> of BYTES each, 0644.  Reads give 'x', writes
 * are taken and forgotten.  -k: of odd files the page cache keeps contents
 * (else direct I/O).  -l: the kernel keeps lists.  -t: timeout of names and
 * attributes (0).  Stays in the foreground; SIGTERM unmounts.
 *
 * Two directories that the root does not list hold directories of files: as
 * many as kmemfs has with 430 allocations, "tree" in allocations/ and "bush" in
 * all.
 */
#define FUSE_USE_VERSION 312

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_FILE 2	 /* inode of f0; the root is 1 */
#define DIR_STEP 0x10000 /* inodes of directories are multiples of it */
#define MOST_FILES 4096

static const struct big {
	const char *name;
	fuse_ino_t ino;
	unsigned long dirs, files; /* in it, in all of them */
} bigs[] = {
	{"tree", 0x10000000, 430,  4300 },
	{"bush", 0x20000000, 1415, 10767},
};

static struct {
	bool keep, lists;
	double timeout;
	size_t size;
	unsigned long nr_files;
	char *bytes;
} null_fs = {.size = 256, .nr_files = 1};

static bool
is_dir(fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID || ino % DIR_STEP == 0;
}

/* The inode of the first entry of @dir, their number, and how far apart they
 * are. */
static fuse_ino_t
children(fuse_ino_t dir, unsigned long *nr, fuse_ino_t *step)
{
	*nr = null_fs.nr_files;
	*step = 1;
	if (dir == FUSE_ROOT_ID)
		return FIRST_FILE;
	for (size_t i = 0; i < sizeof(bigs) / sizeof(*bigs); i++) {
		if (dir == bigs[i].ino) {
			*nr = bigs[i].dirs;
			*step = DIR_STEP;
		} else if (dir > bigs[i].ino) {
			unsigned long at = (dir - bigs[i].ino) / DIR_STEP - 1;

			/* The first ones have one more. */
			*nr = bigs[i].files / bigs[i].dirs +
			      (at < bigs[i].files % bigs[i].dirs);
		}
	}
	return dir + *step;
}

static fuse_ino_t
find_big(const char *name)
{
	for (size_t i = 0; i < sizeof(bigs) / sizeof(*bigs); i++)
		if (!strcmp(name, bigs[i].name))
			return bigs[i].ino;
	return 0;
}

static struct stat
null_stat(fuse_ino_t ino)
{
	bool dir = is_dir(ino);
	struct stat st = {
		.st_ino = ino,
		.st_mode = dir ? S_IFDIR | 0755 : S_IFREG | 0644,
		.st_nlink = 1,
		.st_uid = getuid(),
		.st_gid = getgid(),
		.st_size = dir ? 0 : (off_t)null_fs.size,
	};

	return st;
}

static void
null_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = {
		.attr_timeout = null_fs.timeout,
		.entry_timeout = null_fs.timeout,
	};
	char *end = NULL;
	unsigned long most, nr = *name == 'f' ? strtoul(name + 1, &end, 10) : 0;
	fuse_ino_t step, first = children(parent, &most, &step);

	if (end && !*end && nr < most)
		e.ino = first + nr * step;
	else if (parent == FUSE_ROOT_ID)
		e.ino = find_big(name);
	if (!e.ino) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	e.attr = null_stat(e.ino);
	fuse_reply_entry(req, &e);
}

static void
null_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st = null_stat(ino);

	(void)fi;
	fuse_reply_attr(req, &st, null_fs.timeout);
}

static void
null_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *to, int what,
	     struct fuse_file_info *fi)
{
	(void)to;
	(void)what;
	null_getattr(req, ino, fi);
}

static void
null_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->cache_readdir = null_fs.lists;
	fi->keep_cache = null_fs.lists;
	fuse_reply_open(req, fi);
}

static void
null_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
	     struct fuse_file_info *fi)
{
	unsigned long nr;
	fuse_ino_t step, first = children(ino, &nr, &step);
	char *bytes = malloc(size);
	size_t used = 0;

	(void)fi;
	for (; bytes && (unsigned long)at < nr; at++) {
		struct stat st = null_stat(first + (fuse_ino_t)at * step);
		char name[24];
		size_t len;

		snprintf(name, sizeof(name), "f%ld", (long)at);
		len = fuse_add_direntry(req, bytes + used, size - used, name,
					&st, at + 1);
		if (len > size - used)
			break;
		used += len;
	}
	fuse_reply_buf(req, bytes, used);
	free(bytes);
}

static void
null_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fi->keep_cache = null_fs.keep && (ino - FIRST_FILE) % 2;
	fi->direct_io = !fi->keep_cache;
	fi->noflush = 1;
	fuse_reply_open(req, fi);
}

static void
null_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
	  struct fuse_file_info *fi)
{
	size_t rest = (size_t)at < null_fs.size ? null_fs.size - (size_t)at : 0;

	(void)ino;
	(void)fi;
	fuse_reply_buf(req, null_fs.bytes, size < rest ? size : rest);
}

static void
null_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size,
	   off_t at, struct fuse_file_info *fi)
{
	(void)ino;
	(void)bytes;
	(void)at;
	(void)fi;
	fuse_reply_write(req, size);
}

static void
null_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops null_ops = {
	.lookup = null_lookup,
	.getattr = null_getattr,
	.setattr = null_setattr,
	.opendir = null_opendir,
	.readdir = null_readdir,
	.open = null_open,
	.read = null_read,
	.write = null_write,
	.release = null_release,
};

static int
null_serve(const char *mountpoint)
{
	char name[] = "null_server";
	char options[] = "-odefault_permissions,fsname=null,subtype=null";
	char *argv[] = {name, options};
	struct fuse_args args = FUSE_ARGS_INIT(2, argv);
	struct fuse_session *session =
		fuse_session_new(&args, &null_ops, sizeof(null_ops), NULL);
	int end = 1;

	fuse_opt_free_args(&args);
	if (!session)
		return 1;
	if (!fuse_set_signal_handlers(session)) {
		if (!fuse_session_mount(session, mountpoint)) {
			puts("ready");
			fflush(stdout);
			end = fuse_session_loop(session);
			fuse_session_unmount(session);
		}
		fuse_remove_signal_handlers(session);
	}
	fuse_session_destroy(session);
	/* A signal's number is a clean end. */
	return end < 0;
}

int
main(int argc, char **argv)
{
	int option, status;

	while ((option = getopt(argc, argv, "klt:s:n:")) != -1) {
		switch (option) {
		case 'k':
			null_fs.keep = true;
			break;
		case 'l':
			null_fs.lists = true;
			break;
		case 't':
			null_fs.timeout = strtod(optarg, NULL);
			break;
		case 's':
			null_fs.size = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			null_fs.nr_files = strtoul(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc || null_fs.nr_files > MOST_FILES) {
		fputs("usage: null_server [-kl] [-t SECONDS] [-s BYTES] "
		      "[-n FILES] MOUNTPOINT\n",
		      stderr);
		return 2;
	}
	null_fs.bytes = malloc(null_fs.size + 1);
	if (!null_fs.bytes)
		return 1;
	memset(null_fs.bytes, 'x', null_fs.size);
	status = null_serve(argv[optind]);
	free(null_fs.bytes);
	return status;
}
