// SPDX-License-Identifier: MIT
/*
 * resolve.c - paths from the root, as a kernel walks them for a mount
 *
 * How it works: a stack of directories.  A link's target is walked from the
 * directory that holds it, with the same stack.
 */
#include "tree_impl.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#define DEPTH_MAX 64
#define LINKS_MAX 40 /* as Linux has it */

struct walk {
	struct tree *t;
	uint64_t dir[DEPTH_MAX]; /* from the root down to where we are */
	unsigned int depth;	 /* directories on the stack */
	unsigned int links;	 /* followed so far */
	struct tree_attr at;	 /* what was found last */
};

static int walk_path(struct walk *w, const char *path, bool follow_last);

static int
walk_up(struct walk *w)
{
	if (w->depth > 1)
		w->depth--;
	return tree_getattr(w->t, w->dir[w->depth - 1], &w->at);
}

static int
walk_link(struct walk *w)
{
	struct out target = OUT_INIT;
	int err = -ELOOP;

	if (++w->links <= LINKS_MAX)
		err = tree_readlink(w->t, w->at.ino, &target);
	if (!err)
		err = tree_getattr(w->t, w->dir[w->depth - 1], &w->at);
	if (!err)
		err = walk_path(w, out_text(&target), true);
	out_fini(&target);
	return err;
}

static int
walk_down(struct walk *w, const char *name, bool follow)
{
	int err = tree_lookup(w->t, w->dir[w->depth - 1], name, &w->at);

	if (err)
		return err;
	if (w->at.kind == TREE_LINK)
		return follow ? walk_link(w) : 0;
	if (w->at.kind != TREE_DIR)
		return 0;
	if (w->depth == DEPTH_MAX)
		return -ENAMETOOLONG;
	w->dir[w->depth++] = w->at.ino;
	return 0;
}

static int
walk_path(struct walk *w, const char *path, bool follow_last)
{
	char **parts = g_strsplit(path, "/", -1);
	int err = 0;

	for (char **part = parts; *part && !err; part++) {
		bool last = !part[1];

		if (**part && strcmp(*part, ".") && w->at.kind != TREE_DIR)
			err = -ENOTDIR;
		else if (!strcmp(*part, ".."))
			err = walk_up(w);
		else if (**part && strcmp(*part, "."))
			err = walk_down(w, *part, !last || follow_last);
		else if (part > parts && w->at.kind != TREE_DIR)
			err = -ENOTDIR; /* a slash behind a file */
	}
	g_strfreev(parts);
	return err;
}

static int
resolve(struct tree *t, const char *path, bool follow_last,
	struct tree_attr *attr)
{
	struct walk w = {.t = t, .dir = {TREE_ROOT}, .depth = 1};
	int err = tree_getattr(t, TREE_ROOT, &w.at);

	if (!err)
		err = walk_path(&w, path, follow_last);
	*attr = w.at;
	return err;
}

int
tree_path(struct tree *t, const char *path, struct tree_attr *attr)
{
	return resolve(t, path, true, attr);
}

int
tree_path_link(struct tree *t, const char *path, struct tree_attr *attr)
{
	return resolve(t, path, false, attr);
}
