// SPDX-License-Identifier: MIT
/*
 * told.c - names that come and go, and how long what was told stays true
 *
 * How it works: an op that makes or removes an object tells the machine, which
 * tells the tree, under the lock; the tree keeps a note until the lock is free
 * again and then calls the entry hook, once for each directory of the layout
 * whose children are of that kind.
 */
#include "tree_impl.h"

#include <glib.h>
#include <string.h>

/* One behind the other, each aligned as this is. */
struct told_entry {
	enum entry_kind kind;
	uint32_t size; /* with the name and what aligns the next one */
	uint64_t above[KEYS_MAX];
	char name[];
};

/* Directories that hold entries of each kind, as indices of the layout. */
static GArray *holders[NR_ENTRY_KINDS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
find_holders(void)
{
	for (unsigned int kind = 0; kind < NR_ENTRY_KINDS; kind++) {
		holders[kind] = g_array_new(false, false, sizeof(unsigned int));
		for (unsigned int i = 0; i < layout_table_size; i++)
			if (layout_table[i].told & 1ULL << kind)
				g_array_append_val(holders[kind], i);
	}
}

/* The number of keys above is the same in every directory (layoutgen.py). */
static unsigned int
keys_above(enum entry_kind kind)
{
	pthread_once(&once, find_holders);
	return layout_table[g_array_index(holders[kind], unsigned int, 0)]
		.nr_keys;
}

void
told_note(void *user, enum entry_kind kind, const uint64_t *above,
	  const char *name)
{
	struct tree *t = user;
	guint at = t->entries->len;
	struct told_entry *entry;
	size_t len = strlen(name) + 1;
	uint32_t size = (uint32_t)round_up_to(sizeof(*entry) + len,
					      _Alignof(struct told_entry));

	if (!t->hooks.entry)
		return;
	g_byte_array_set_size(t->entries, at + size);
	entry = (void *)(t->entries->data + at);
	entry->kind = kind;
	entry->size = size;
	for (unsigned int i = 0; i < keys_above(kind); i++)
		entry->above[i] = above[i];
	memcpy(entry->name, name, len);
}

void
told_tell(struct tree *t, const GByteArray *entries)
{
	const struct told_entry *entry;

	for (guint at = 0; at < entries->len; at += entry->size) {
		const GArray *dirs;

		entry = (const void *)(entries->data + at);
		dirs = holders[entry->kind];
		for (guint d = 0; d < dirs->len; d++)
			t->hooks.entry(
				t->hooks.user,
				place_dir_ino(
					g_array_index(dirs, unsigned int, d),
					entry->above),
				entry->name);
	}
}

uint64_t
told_mtime(const struct machine *m, const struct layout_entry *dir)
{
	uint64_t last = 0;

	if (dir->fills == FILLS_LISTED || dir->fills == FILLS_STATE)
		return m->changed_ns;
	for (unsigned int kind = 0; kind < NR_ENTRY_KINDS; kind++)
		if (dir->told & 1ULL << kind)
			last = MAX_OF(last, m->entries_ns[kind]);
	return last;
}

/* --- how long ------------------------------------------------------------ */

enum tree_lasts
lasts_attr(const struct layout_entry *entry)
{
	static const enum tree_lasts of_dir[] = {
		[FILLS_FIXED] = TREE_FOREVER,
		[FILLS_TOLD] = TREE_ENTRIES,
		[FILLS_LISTED] = TREE_STATE,
		[FILLS_STATE] = TREE_STATE,
	};

	switch (entry->kind) {
	case LAYOUT_DIR:
		return of_dir[entry->fills];
	case LAYOUT_CONTROL:
		return TREE_FOREVER;
	case LAYOUT_FILE:
	case LAYOUT_LINK:
		break;
	}
	return entry->changes == CHANGES_NEVER ? TREE_FOREVER : TREE_STATE;
}

static enum tree_lasts
lasts_as(enum layout_fills fills)
{
	static const enum tree_lasts of[] = {
		[FILLS_FIXED] = TREE_FOREVER,
		[FILLS_TOLD] = TREE_ENTRIES,
		[FILLS_LISTED] = TREE_FOREVER,
		[FILLS_STATE] = TREE_STATE,
	};

	return of[fills];
}

enum tree_lasts
lasts_name(const struct layout_entry *entry)
{
	return lasts_as(entry->named);
}

enum tree_lasts
lasts_no_name(const struct layout_entry *dir)
{
	/* It may come as one of any kind that stands there. */
	if (dir->told && dir->fills != FILLS_STATE)
		return TREE_ENTRIES;
	return lasts_as(dir->fills);
}
