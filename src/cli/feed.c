// SPDX-License-Identifier: MIT
/*
 * feed.c - a host file, plain or compressed, into a stream of the tree or a
 * text
 */
#include "kmem_impl.h"

#include "kmemfs/machine/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define PIECE ((size_t)1 << 20)

static const uint8_t zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd};

/* What is not unpacked here, by its first bytes. */
static const struct {
	const char *magic, *tool;
} packers[] = {
	{"\x1f\x8b",	     "gzip"  },
	{"BZh",		"bzip2" },
	{"\xfd"
	 "7zXZ",	 "xz"    },
	{"\x04\x22\x4d\x18", "lz4"	  },
	{"PK\x03\x04",       "funzip"},
};

/* What is read goes to the end of text, or to the file of the tree, at. */
struct feeding {
	GString *text;
	struct tree *t;
	struct tree_file *to;
	uint64_t at;
	const char *name;
	size_t unfinished; /* zstd: not 0 inside a frame */
};

static int
give(struct feeding *f, const void *bytes, size_t len)
{
	ssize_t done;

	if (f->text) {
		g_string_append_len(f->text, bytes, (gssize)len);
		return 0;
	}
	done = tree_write(f->to, bytes, len, f->at);
	f->at += len;
	return done < 0 ? complain_refused(f->t, f->name, (int)done) : 0;
}

static int
give_zstd(struct feeding *f, ZSTD_DStream *stream, void *bytes, size_t len,
	  void *room)
{
	ZSTD_inBuffer in = {bytes, len, 0};
	bool more = true;
	int err = 0;

	/* A full buffer may have more behind it when the input is used up. */
	while (!err && (in.pos < in.size || more)) {
		ZSTD_outBuffer out = {room, PIECE, 0};

		f->unfinished = ZSTD_decompressStream(stream, &out, &in);
		if (ZSTD_isError(f->unfinished)) {
			fprintf(stderr, "kmem: %s: %s\n", f->name,
				ZSTD_getErrorName(f->unfinished));
			return -EIO;
		}
		more = out.pos == out.size;
		if (out.pos)
			err = give(f, room, out.pos);
	}
	return err;
}

/* The tool that unpacks what begins with @bytes, NULL: it is taken as it is. */
static const char *
packer_of(const char *bytes, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		size_t magic = strlen(packers[i].magic);

		if (len >= magic && !memcmp(bytes, packers[i].magic, magic))
			return packers[i].tool;
	}
	return NULL;
}

/* The first piece of a file: *@packed, whether it is zstd. */
static int
feed_first(const struct feeding *f, const char *piece, size_t len, bool *packed)
{
	const char *tool = packer_of(piece, len);

	*packed = len >= sizeof(zstd_magic) &&
		  !memcmp(piece, zstd_magic, sizeof(zstd_magic));
	if (!tool)
		return 0;
	fprintf(stderr,
		"kmem: %s: of compressed files only zstd is read here; "
		"%s unpacks it, and - is standard input\n",
		f->name, tool);
	return -EINVAL;
}

static int
feed_all(struct feeding *f, int fd)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	void *piece = g_malloc(PIECE), *room = g_malloc(PIECE);
	bool packed = false, first = true;
	ssize_t got;
	int err = 0;

	while (!err && (got = read(fd, piece, PIECE)) > 0) {
		if (first)
			err = feed_first(f, piece, (size_t)got, &packed);
		first = false;
		if (err)
			break;
		err = packed ? give_zstd(f, stream, piece, (size_t)got, room)
			     : give(f, piece, (size_t)got);
	}
	if (!err && got < 0)
		err = complain(f->name, -errno);
	if (!err && f->unfinished) {
		fprintf(stderr, "kmem: %s: the compressed file is cut off\n",
			f->name);
		err = -EIO;
	}
	ZSTD_freeDStream(stream);
	g_free(piece);
	g_free(room);
	return err;
}

static int
host_open(const char *host_file)
{
	int fd = strcmp(host_file, "-") ? open(host_file, O_RDONLY) : dup(0);

	return fd < 0 ? complain(host_file, -errno) : fd;
}

int
feed_text(const char *host_file, GString *text)
{
	struct feeding f = {.text = text, .name = host_file};
	int fd = host_open(host_file), err;

	if (fd < 0)
		return fd;
	err = feed_all(&f, fd);
	close(fd);
	return err;
}

int
feed(struct tree *t, const char *tree_file, const char *host_file)
{
	struct feeding f = {.t = t, .name = host_file};
	struct tree_attr attr;
	int fd = host_open(host_file), err;

	if (fd < 0)
		return fd;
	err = tree_path(t, tree_file, &attr);
	if (!err)
		err = tree_open(t, attr.ino, O_WRONLY, &f.to);
	if (err)
		complain_refused(t, tree_file, err);
	else {
		err = feed_all(&f, fd);
		tree_close(f.to);
	}
	close(fd);
	return err;
}

int
feed_recording(struct tree *t, const char *host_file)
{
	const struct replay_counts *counts;
	uint64_t events = 0, unparsed;
	int err = feed(t, "replay/ftrace", host_file);

	if (err)
		return err;
	counts = &replay_of(tree_lock(t))->counts;
	for (unsigned int i = 0; i < NR_FTRACE_EVENTS; i++)
		events += counts->event[i];
	unparsed = counts->unparsed;
	tree_unlock(t);
	if (events || !unparsed)
		return 0;
	fprintf(stderr,
		"kmem: %s: none of its lines is an event as tracefs prints "
		"it\n",
		host_file);
	return -EINVAL;
}
