// SPDX-License-Identifier: MIT
/*
 * doc.c - the manual's entry of a name, whether it exists now or not
 */
#include "tree_impl.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* The entry below @above that @part names: itself, its key as the manual
 * writes it, or any value of a key. */
static unsigned int
doc_child(unsigned int above, const char *part)
{
	const struct layout_entry *dir = &layout_table[above];
	size_t len = strlen(part);

	for (unsigned int i = 0; i < dir->nr_children; i++) {
		const struct layout_entry *e =
			&layout_table[dir->first_child + i];

		if (e->name ? !strcmp(e->name, part)
			    : *part != '<' ||
				      (len == strlen(e->key->name) + 2 &&
				       !strncmp(part + 1, e->key->name,
						len - 2)))
			return dir->first_child + i;
	}
	return 0;
}

static unsigned int
doc_find(const char *path)
{
	char **parts = g_strsplit(path, "/", -1);
	unsigned int at = 0;

	for (char **part = parts; *part; part++) {
		if (!**part)
			continue;
		at = doc_child(at, *part);
		if (!at)
			break;
	}
	g_strfreev(parts);
	return at;
}

static void
doc_path(unsigned int index, struct out *out)
{
	const struct layout_entry *e = &layout_table[index];

	if (!index)
		return;
	doc_path(e->parent, out);
	out_char(out, '/');
	if (e->name)
		out_str(out, e->name);
	else
		out_printf(out, "<%s>", e->key->name);
}

int
tree_doc(struct tree *t, const char *path, struct out *out)
{
	unsigned int index = doc_find(path);
	const struct layout_entry *e = &layout_table[index];

	(void)t;
	if (!index && strspn(path, "/.") != strlen(path))
		return -ENOENT;
	doc_path(index, out);
	out_printf(out, "%s\n\n", index ? "" : "/");
	if (e->op)
		op_help(e->op, out);
	else
		out_printf(out, "%s\n", e->doc);
	if (e->unit)
		out_printf(out, "Unit: %s\n", e->unit);
	if (e->write || e->pwrite)
		out_printf(out, "A write is the op: %s\n",
			   e->write ? e->write : e->pwrite);
	if (e->mkdir)
		out_printf(out, "mkdir is the op: %s\n", e->mkdir);
	if (e->rmdir)
		out_printf(out, "rmdir is the op: %s\n", e->rmdir);
	return 0;
}

bool
tree_last_refusal(struct tree *t, uint64_t *seen, struct out *out)
{
	struct line_ring *log = &tree_lock(t)->error_log;
	uint64_t entries = log->dropped + log->lines.length;
	bool newer = entries > *seen;

	if (newer)
		out_str(out, g_queue_peek_tail(&log->lines));
	*seen = entries;
	tree_unlock(t);
	return newer;
}
