// SPDX-License-Identifier: MIT
/*
 * commands.c - ls, cat, write and their like over the tree
 */
#include "kmem_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 131072

static int
open_path(struct tree *t, const char *path, int flags, struct tree_file **f)
{
	struct tree_attr attr;
	int err = tree_path(t, path, &attr);

	if (!err && attr.kind == TREE_DIR)
		err = -EISDIR;
	if (!err)
		err = tree_open(t, attr.ino, flags, f);
	return err ? complain(path, err) : 0;
}

static int
copy_out(struct tree *t, const char *path, FILE *to)
{
	char *piece = g_malloc(PIECE);
	struct tree_file *f;
	uint64_t at = 0;
	ssize_t got = 0;
	int err = open_path(t, path, O_RDONLY, &f);

	if (!err) {
		while ((got = tree_read(f, piece, PIECE, at)) > 0) {
			fwrite(piece, 1, (size_t)got, to);
			at += (uint64_t)got;
		}
		tree_close(f);
		/* A stream that has nothing now has ended, for a file. */
		if (got < 0 && got != -EAGAIN)
			err = complain(path, (int)got);
	}
	g_free(piece);
	return err;
}

static int
do_op(struct tree *t, int nr, char **words)
{
	struct out answer = OUT_INIT;
	char *line;
	int err;

	words[nr] = NULL;
	line = g_strjoinv(" ", words);
	err = tree_do(t, line, &answer, NULL);
	fflush(stdout);
	fprintf(err ? stderr : stdout, "%s\n", out_text(&answer));
	out_fini(&answer);
	g_free(line);
	return err;
}

static int
do_cat(struct tree *t, int nr, char **words)
{
	int err = 0;

	for (int i = 0; i < nr; i++) {
		int one = copy_out(t, words[i], stdout);

		err = err ? err : one;
	}
	return err;
}

static bool
collect(void *user, const char *name, uint64_t ino, enum tree_kind kind,
	uint64_t cookie)
{
	(void)ino;
	(void)cookie;
	g_ptr_array_add(user, g_strdup_printf("%s%s", name,
					      kind == TREE_DIR	  ? "/"
					      : kind == TREE_LINK ? "@"
								  : ""));
	return true;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in @path, sorted, with / and @ marks; NULL and an error. */
static GPtrArray *
names_in(struct tree *t, const char *path, int *err)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	struct tree_attr attr;

	*err = tree_path(t, path, &attr);
	if (!*err && attr.kind == TREE_DIR)
		*err = tree_readdir(t, attr.ino, 0, collect, names);
	else if (!*err)
		g_ptr_array_add(names, g_strdup(path));
	if (*err) {
		complain(path, *err);
		g_ptr_array_unref(names);
		return NULL;
	}
	g_ptr_array_sort(names, by_name);
	return names;
}

static int
list(struct tree *t, const char *path, bool deep)
{
	GPtrArray *names;
	int err;

	names = names_in(t, path, &err);
	if (!names)
		return err;
	if (deep)
		printf("%s:\n", path);
	for (guint i = 0; i < names->len; i++)
		puts(names->pdata[i]);
	for (guint i = 0; deep && i < names->len; i++) {
		char *name = names->pdata[i];

		if (!g_str_has_suffix(name, "/"))
			continue;
		name[strlen(name) - 1] = '\0';
		name = g_strdup_printf("%s%s%s", path,
				       g_str_has_suffix(path, "/") ? "" : "/",
				       name);
		puts("");
		err = list(t, name, deep);
		g_free(name);
		if (err)
			break;
	}
	g_ptr_array_unref(names);
	return err;
}

static int
do_ls(struct tree *t, int nr, char **words)
{
	bool deep = nr && !strcmp(words[0], "-R");
	int first = deep ? 1 : 0;

	if (nr - first > 1) {
		fprintf(stderr, "kmem: usage: ls [-R] [PATH]\n");
		return -EINVAL;
	}
	return list(t, first < nr ? words[first] : "/", deep);
}

static int
put_bytes(struct tree *t, const char *path, const char *bytes, size_t len)
{
	struct tree_file *f;
	uint64_t at = 0;
	int err = open_path(t, path, O_WRONLY, &f);

	if (err)
		return err;
	while (!err && at < len) {
		size_t piece = MIN_OF(len - at, (size_t)1 << 20);
		ssize_t done = tree_write(f, bytes + at, piece, at);

		if (done < 0)
			err = complain_refused(t, path, (int)done);
		at += piece;
	}
	tree_close(f);
	return err;
}

static int
do_write(struct tree *t, int nr, char **words)
{
	char *text;
	int err;

	words[nr] = NULL;
	text = g_strjoinv(" ", words + 1);
	err = put_bytes(t, words[0], text, strlen(text));
	g_free(text);
	return err;
}

static int
do_put(struct tree *t, int nr, char **words)
{
	GError *error = NULL;
	char *bytes;
	gsize len;
	int err;

	(void)nr;
	if (!g_file_get_contents(words[1], &bytes, &len, &error)) {
		fprintf(stderr, "kmem: %s\n", error->message);
		g_error_free(error);
		return -EIO;
	}
	err = put_bytes(t, words[0], bytes, len);
	g_free(bytes);
	return err;
}

/* Split "a/b/c" in the directory's inode and the last name. */
static int
parent_of(struct tree *t, const char *path, uint64_t *ino, char **name)
{
	char *dir = g_path_get_dirname(path);
	struct tree_attr attr;
	int err = tree_path(t, dir, &attr);

	g_free(dir);
	*ino = attr.ino;
	*name = err ? NULL : g_path_get_basename(path);
	return err;
}

static int
do_mkdir(struct tree *t, int nr, char **words)
{
	struct tree_attr attr;
	uint64_t dir;
	char *name;
	int err = parent_of(t, words[0], &dir, &name);

	(void)nr;
	if (!err)
		err = tree_mkdir(t, dir, name, &attr);
	g_free(name);
	return err ? complain_refused(t, words[0], err) : 0;
}

static int
do_rmdir(struct tree *t, int nr, char **words)
{
	uint64_t dir;
	char *name;
	int err = parent_of(t, words[0], &dir, &name);

	(void)nr;
	if (!err)
		err = tree_rmdir(t, dir, name);
	g_free(name);
	return err ? complain_refused(t, words[0], err) : 0;
}

static int
do_doc(struct tree *t, int nr, char **words)
{
	struct out text = OUT_INIT;
	int err = tree_doc(t, words[0], &text);

	(void)nr;
	fputs(out_text(&text), stdout);
	out_fini(&text);
	return err ? complain(words[0], err) : 0;
}

static int
do_verify(struct tree *t, int nr, char **words)
{
	struct out rows = OUT_INIT;
	unsigned int found = machine_verify(tree_lock(t), &rows);

	(void)nr;
	(void)words;
	tree_unlock(t);
	fputs(out_text(&rows), stdout);
	out_fini(&rows);
	return found ? -EIO : 0;
}

static int
do_replay(struct tree *t, int nr, char **words)
{
	int err = 0;

	if (nr > 1)
		err = put_bytes(t, "replay/policy", words[1], strlen(words[1]));
	if (!err)
		err = feed_recording(t, words[0]);
	return err ? err : copy_out(t, "replay/progress", stdout);
}

static int
do_batch(struct tree *t, int nr, char **words)
{
	(void)nr;
	return feed(t, "control/batch", words[0]);
}

/* --- export: every file of the tree below a host directory --------------- */

static int export_dir(struct tree *t, const char *path, const char *to);

static int
export_entry(struct tree *t, const char *path, const char *to)
{
	struct tree_attr attr;
	int err = tree_path_link(t, path, &attr);
	FILE *file;

	if (err)
		return complain(path, err);
	if (attr.kind == TREE_DIR)
		return export_dir(t, path, to);
	if (attr.kind == TREE_LINK) {
		struct out target = OUT_INIT;

		err = tree_readlink(t, attr.ino, &target);
		unlink(to); /* of an export before */
		if (!err && symlink(out_text(&target), to))
			err = complain(to, -errno);
		out_fini(&target);
		return err;
	}
	/* RAM and its dumps are as large as the machine, a task's memory
	 * larger; write-only files have nothing to say. */
	if (attr.memory || !(attr.mode & 0444))
		return 0;
	file = fopen(to, "w");
	if (!file)
		return complain(to, -errno);
	err = copy_out(t, path, file);
	if (fclose(file) && !err)
		err = complain(to, -errno);
	return err;
}

static int
export_dir(struct tree *t, const char *path, const char *to)
{
	GPtrArray *names;
	int err;

	if (mkdir(to, 0755) && errno != EEXIST)
		return complain(to, -errno);
	names = names_in(t, path, &err);
	for (guint i = 0; names && !err && i < names->len; i++) {
		char *name = names->pdata[i];
		size_t len = strlen(name);
		char *from, *below;

		if (strchr("/@", name[len - 1]))
			name[len - 1] = '\0';
		from = g_strdup_printf("%s/%s", strcmp(path, "/") ? path : "",
				       name);
		below = g_build_filename(to, name, NULL);
		err = export_entry(t, from, below);
		g_free(from);
		g_free(below);
	}
	if (names)
		g_ptr_array_unref(names);
	return err;
}

static int
do_export(struct tree *t, int nr, char **words)
{
	(void)nr;
	return export_dir(t, "/", words[0]);
}

const struct command commands[] = {
	{"do",			  1, 1, true, do_op, "OP ARGS", "do an op, print its answer"},
	{"cat",			    1, 1, true, do_cat, "PATH...", "print files"},
	{"ls",			0, 2, false, do_ls, "[-R] [PATH]", "list a directory"},
	{"write", 2, 2, true, do_write, "PATH TEXT", "write text to a file"},
	{"put",			 2, 2, false, do_put, "PATH HOSTFILE",
	 "write a host file's bytes to a file"},
	{"mkdir",			    1, 1, false, do_mkdir, "PATH", "make a directory"},
	{"rmdir",		       1, 1, false, do_rmdir, "PATH", "remove one"},
	{"replay",		   1, 2, false, do_replay, "FILE [POLICY]",
	 "replay a recording, plain or zstd"},
	{"batch",			  1, 1, false, do_batch, "FILE", "run a file of ops"},
	{"doc",			    1, 1, false, do_doc, "PATH", "explain a name"},
	{"verify",			0, 0, false, do_verify, "",
	 "check every law; status 1 when one is broken"},
	{"export",	   1, 1, false, do_export, "DIR",
	 "write the tree, but RAM, to a host folder"},
	{0		      },
};
