// SPDX-License-Identifier: MIT
/*
 * tree.c - look-ups, attributes and lists over one machine, under its lock
 *
 * How it works: the layout says what there is, place.c turns names to inode
 * numbers and back, render.c makes texts.  Here is the lock.
 *
 * Locks: `gate` then `lock`.  A thread that finds the machine taken waits at
 * the gate; the one before it waits for the lock.  A long batch that lets go of
 * the lock for a moment has to pass the gate again, behind whoever stood there,
 * so readers get in (tree_breathe).  Hooks are called with neither held.
 */
#include "tree_impl.h"

#include "kmemfs/machine/journal.h"
#include "kmemfs/view/trace_text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#define KEY_COOKIE_SHIFT 48 /* cookies of keyed children start above */

/* Behind whoever waits. */
static void
lock_in_turn(struct tree *t)
{
	pthread_mutex_lock(&t->gate);
	pthread_mutex_lock(&t->lock);
	pthread_mutex_unlock(&t->gate);
}

static void
lock(struct tree *t)
{
	if (pthread_mutex_trylock(&t->lock))
		lock_in_turn(t);
}

static void
unlock(struct tree *t)
{
	pthread_mutex_unlock(&t->lock);
}

struct machine *
tree_lock(struct tree *t)
{
	lock(t);
	return t->m;
}

void
tree_unlock(struct tree *t)
{
	unlock(t);
}

/* --- telling the front end ----------------------------------------------- */

void
tree_unlock_changed(struct tree *t)
{
	bool changed = t->told != t->m->generation;
	bool readable = (trace_oldest(&t->m->trace) < t->m->trace.written);
	GByteArray *entries = NULL;

	t->told = t->m->generation;
	if (t->entries->len) {
		entries = t->entries;
		t->entries = g_byte_array_new();
	}
	unlock(t);
	if (entries) {
		told_tell(t, entries);
		g_byte_array_unref(entries);
	}
	if (changed && t->hooks.changed)
		t->hooks.changed(t->hooks.user);
	if (readable && t->hooks.readable)
		t->hooks.readable(t->hooks.user);
}

int
tree_acknowledge(struct tree *t, int err)
{
	int unsafe = journal_sync(t->m->journal);

	if (unsafe && !t->unsafe) {
		struct refusal r;

		refuse(&r, -unsafe, 0,
		       "%s: the journal cannot be stored; what was done "
		       "is kept in memory and stored with the next op that "
		       "can be",
		       strerror(-unsafe));
		machine_log_refusal(t->m, "history/journal", "", &r);
	}
	t->unsafe = unsafe;
	return err ? err : unsafe;
}

void
tree_breathe(struct tree *t)
{
	tree_unlock_changed(t);
	lock_in_turn(t);
}

/* --- life ---------------------------------------------------------------- */

struct tree *
tree_new(struct machine *m, bool nostream)
{
	struct tree *t = g_new0(struct tree, 1);

	places_init();
	t->m = m;
	t->nostream = nostream;
	pthread_mutex_init(&t->gate, NULL);
	pthread_mutex_init(&t->lock, NULL);
	t->last_sizes = g_hash_table_new_full(g_int64_hash, g_int64_equal,
					      g_free, NULL);
	t->entries = g_byte_array_new();
	m->entry_changed = told_note;
	m->entry_changed_user = t;
	return t;
}

void
tree_free(struct tree *t)
{
	for (unsigned int i = 0; i < RENDER_SLOTS; i++) {
		text_put(t->slots[i].text);
		text_put(t->told_sizes[i].text);
	}
	out_fini(&t->unread);
	out_fini(&t->room);
	g_hash_table_destroy(t->last_sizes);
	g_byte_array_unref(t->entries);
	pthread_mutex_destroy(&t->lock);
	pthread_mutex_destroy(&t->gate);
	machine_free(t->m);
	g_free(t);
}

void
tree_set_hooks(struct tree *t, const struct tree_hooks *hooks)
{
	lock(t);
	t->hooks = *hooks;
	unlock(t);
}

/* --- finding ------------------------------------------------------------- */

static bool
hidden(const struct tree *t, const struct layout_entry *entry)
{
	const struct stream *stream;

	if (!t->nostream)
		return false;
	if (!entry->stream)
		return entry->vast;
	stream = stream_find(entry->stream);
	return stream && stream->read;
}

static uint64_t
mtime_of(const struct tree *t, const struct layout_entry *entry)
{
	if (entry->kind == LAYOUT_DIR)
		return told_mtime(t->m, entry);
	if (entry->kind != LAYOUT_FILE || entry->changes == CHANGES_NEVER)
		return 0;
	return entry->changes == CHANGES_CLOCK ? t->m->now_ns
					       : t->m->changed_ns;
}

static void
link_target(const struct place *p, struct out *out)
{
	if (p->entry->show)
		p->entry->show(&p->view, out);
	else
		template_expand(p, p->entry->target, NULL, out);
}

static enum tree_kind
kind_of(const struct layout_entry *entry)
{
	return entry->kind == LAYOUT_DIR    ? TREE_DIR
	       : entry->kind == LAYOUT_LINK ? TREE_LINK
					    : TREE_FILE;
}

static void
fill_attr(struct tree *t, const struct place *p, struct tree_attr *attr)
{
	static const mode_t types[] = {
		[TREE_DIR] = S_IFDIR,
		[TREE_FILE] = S_IFREG,
		[TREE_LINK] = S_IFLNK,
	};
	const struct layout_entry *entry = p->entry;

	*attr = (struct tree_attr){
		.ino = place_ino(p),
		.kind = kind_of(entry),
		.mode = types[kind_of(entry)] | entry->mode,
		.mtime_ns = mtime_of(t, entry),
		.nlink = 1,
		.memory = entry->size == SIZE_MEMORY,
		.attr_lasts = lasts_attr(entry),
		.name_lasts = lasts_name(entry),
	};
	if (entry->kind == LAYOUT_LINK) {
		struct out target = OUT_INIT;

		link_target(p, &target);
		attr->size = target.len;
		out_fini(&target);
	} else if (entry->kind != LAYOUT_DIR) {
		attr->size = render_size_told(t, p);
	}
}

static int
find(struct tree *t, uint64_t ino, struct place *p)
{
	if (!place_unpack(t->m, ino, p) || !place_exists(p))
		return -ENOENT;
	return 0;
}

static int
find_child(struct tree *t, uint64_t parent, const char *name, struct place *p)
{
	struct place dir;
	int err = find(t, parent, &dir);

	if (err)
		return err;
	if (dir.entry->kind != LAYOUT_DIR)
		return -ENOTDIR;
	if (!place_child(&dir, name, p) || hidden(t, p->entry))
		return -ENOENT;
	return 0;
}

int
tree_lookup(struct tree *t, uint64_t parent, const char *name,
	    struct tree_attr *attr)
{
	struct place p;
	int err;

	lock(t);
	err = find_child(t, parent, name, &p);
	if (!err)
		fill_attr(t, &p, attr);
	else if (err == -ENOENT)
		attr->name_lasts = place_unpack(t->m, parent, &p)
					   ? lasts_no_name(p.entry)
					   : TREE_STATE;
	unlock(t);
	return err;
}

int
tree_getattr(struct tree *t, uint64_t ino, struct tree_attr *attr)
{
	struct place p;
	int err;

	lock(t);
	err = find(t, ino, &p);
	if (!err)
		fill_attr(t, &p, attr);
	unlock(t);
	return err;
}

int
tree_path_of(struct tree *t, uint64_t ino, struct out *out)
{
	struct place p;
	int err;

	lock(t);
	err = find(t, ino, &p);
	if (!err)
		place_path(&p, out);
	unlock(t);
	return err;
}

int
tree_readlink(struct tree *t, uint64_t ino, struct out *out)
{
	struct place p;
	int err;

	lock(t);
	err = find(t, ino, &p);
	if (!err && p.entry->kind != LAYOUT_LINK)
		err = -EINVAL;
	if (!err)
		link_target(&p, out);
	unlock(t);
	return err;
}

/* --- listing ------------------------------------------------------------- */

struct listing {
	struct tree *t;
	const struct place *dir;
	tree_fill_fn fill;
	void *user;
	struct out name;
};

static bool
give(struct listing *l, const struct place *child, uint64_t cookie)
{
	if (hidden(l->t, child->entry))
		return true;
	if (child->entry->when && !child->entry->when(&child->view))
		return true;
	out_reset(&l->name);
	place_name(child, &l->name);
	return l->fill(l->user, out_text(&l->name), place_ino(child),
		       kind_of(child->entry), cookie);
}

/* Values of one keyed child above @after; false: the reader has enough. */
static bool
give_keyed(struct listing *l, unsigned int child_nr, bool first, uint64_t after)
{
	unsigned int index = l->dir->entry->first_child + child_nr;
	const struct key_kind *key = layout_table[index].key;
	uint64_t value;

	while (key->next(&l->dir->view, first, after, &value)) {
		uint64_t cookie = ((uint64_t)child_nr + 1) << KEY_COOKIE_SHIFT |
				  (value + 1);
		struct place child;

		place_make_child(l->dir, index, value, &child);
		if (!give(l, &child, cookie))
			return false;
		first = false;
		after = value;
	}
	return true;
}

/* @cookie may be any number: a position that was never given ends the list. */
static void
give_all(struct listing *l, uint64_t cookie)
{
	const struct layout_entry *entry = l->dir->entry;
	uint64_t keyed = cookie >> KEY_COOKIE_SHIFT;
	uint64_t low = cookie & ((1ULL << KEY_COOKIE_SHIFT) - 1);
	unsigned int i;

	if (keyed && (keyed <= entry->nr_fixed || keyed > entry->nr_children))
		return;
	for (uint64_t n = low; !keyed && n < entry->nr_fixed; n++) {
		struct place child;

		place_make_child(l->dir, entry->first_child + (unsigned int)n,
				 0, &child);
		if (!give(l, &child, n + 1))
			return;
	}
	if (!keyed && low > entry->nr_fixed)
		return;
	for (i = keyed ? (unsigned int)keyed - 1 : entry->nr_fixed;
	     i < entry->nr_children; i++) {
		bool first = i + 1 != keyed || !low;

		if (!give_keyed(l, i, first, first ? 0 : low - 1))
			return;
	}
}

int
tree_readdir(struct tree *t, uint64_t ino, uint64_t cookie, tree_fill_fn fill,
	     void *user)
{
	struct listing l = {.t = t, .fill = fill, .user = user};
	struct place dir;
	int err;

	lock(t);
	err = find(t, ino, &dir);
	if (!err && dir.entry->kind != LAYOUT_DIR)
		err = -ENOTDIR;
	if (!err) {
		l.dir = &dir;
		give_all(&l, cookie);
	}
	unlock(t);
	out_fini(&l.name);
	return err;
}

/* --- directories that ops make and remove -------------------------------- */

static int
do_template(struct tree *t, const struct place *p, const char *template,
	    const struct template_words *words)
{
	struct out line = OUT_INIT;
	int err;

	template_expand(p, template, words, &line);
	err = tree_acknowledge(t,
			       machine_do(t->m, out_text(&line), NULL, NULL));
	out_fini(&line);
	return err;
}

/* What is not allowed at all, with its reason in error_log.  Returns -EPERM. */
static int
say_no(struct tree *t, const struct place *p, const char *name,
       const char *sentence)
{
	struct out path = OUT_INIT;
	struct refusal r;

	place_path(p, &path);
	if (name)
		out_printf(&path, "/%s", name);
	refuse(&r, EPERM, 0, "%s", sentence);
	machine_log_refusal(t->m, "tree", out_text(&path), &r);
	out_fini(&path);
	return -EPERM;
}

int
tree_mkdir(struct tree *t, uint64_t parent, const char *name,
	   struct tree_attr *attr)
{
	struct template_words words = {.name = name};
	struct place dir, child;
	int err;

	lock(t);
	err = find(t, parent, &dir);
	if (!err && dir.entry->kind != LAYOUT_DIR)
		err = -ENOTDIR;
	if (!err && place_child(&dir, name, &child))
		err = -EEXIST;
	if (!err)
		err = dir.entry->mkdir
			      ? do_template(t, &dir, dir.entry->mkdir, &words)
			      : -EPERM;
	if (!err)
		err = place_child(&dir, name, &child) ? 0 : -ENOENT;
	if (!err)
		fill_attr(t, &child, attr);
	tree_unlock_changed(t);
	return err;
}

int
tree_rmdir(struct tree *t, uint64_t parent, const char *name)
{
	struct place p;
	int err;

	lock(t);
	err = find_child(t, parent, name, &p);
	if (!err && p.entry->kind != LAYOUT_DIR)
		err = -ENOTDIR;
	if (!err)
		err = p.entry->rmdir ? do_template(t, &p, p.entry->rmdir, NULL)
				     : say_no(t, &p, NULL,
					      "this directory cannot be "
					      "removed");
	tree_unlock_changed(t);
	return err;
}

int
tree_unlink(struct tree *t, uint64_t parent, const char *name)
{
	struct place dir, p;
	int err;

	lock(t);
	err = find_child(t, parent, name, &p);
	if (!err)
		err = find(t, parent, &dir);
	if (!err && p.entry->kind == LAYOUT_DIR)
		err = -EISDIR;
	if (!err)
		err = say_no(t, &p, NULL,
			     dir.entry->rmdir
				     ? "files cannot be removed one by one: "
				       "rmdir of their directory frees it "
				       "(not rm -r)"
				     : "this file cannot be removed");
	tree_unlock_changed(t);
	return err;
}

/* --- ops from outside a file --------------------------------------------- */

int
tree_do(struct tree *t, const char *line, struct out *answer, struct refusal *r)
{
	int err;

	lock(t);
	err = tree_acknowledge(t, machine_do(t->m, line, answer, r));
	tree_unlock_changed(t);
	return err;
}

int
tree_tick(struct tree *t, uint64_t ns)
{
	char words[32];
	struct op op;
	int err;

	g_snprintf(words, sizeof(words), "%lluns", (unsigned long long)ns);
	lock(t);
	err = op_parse(t->m, "clock/advance", words, &op, NULL);
	if (!err)
		err = op_run(t->m, &op, NULL, NULL);
	op_fini(&op);
	err = tree_acknowledge(t, err);
	tree_unlock_changed(t);
	return err;
}
