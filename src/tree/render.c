// SPDX-License-Identifier: MIT
/*
 * render.c - texts of files, made once for each state of the machine
 *
 * How it works: a text carries the machine's generation at which it was made.
 * A stat that must know the exact size makes the text and leaves it in one of
 * a few hundred slots, where the open that usually follows finds it.
 *
 * Always true: a text never changes; whoever holds a reference reads it
 * without the lock.
 */
#include "tree_impl.h"

#include <glib.h>

struct text *
text_get(struct text *text)
{
	atomic_fetch_add(&text->users, 1);
	return text;
}

void
text_put(struct text *text)
{
	if (text && atomic_fetch_sub(&text->users, 1) == 1)
		g_free(text);
}

static struct text *
text_new(const struct out *out, uint64_t generation)
{
	struct text *text = g_malloc(sizeof(*text) + out->len);

	atomic_init(&text->users, 1);
	text->generation = generation;
	text->len = out->len;
	if (out->len)
		memcpy(text->bytes, out->text, out->len);
	return text;
}

static struct render_slot *
slot_of(struct tree *t, uint64_t ino)
{
	return &t->slots[(ino * 0x9e3779b97f4a7c15ULL) >> 55];
}

_Static_assert(RENDER_SLOTS == 1 << (64 - 55), "the hash picks a slot");

static void
show(const struct place *p, struct out *out)
{
	const struct layout_entry *entry = p->entry;

	if (entry->kind == LAYOUT_CONTROL && entry->op)
		op_help(entry->op, out);
	else if (entry->kind == LAYOUT_CONTROL)
		out_printf(out, "%s\n", entry->doc);
	else if (entry->show)
		entry->show(&p->view, out);
}

static bool
is_current(const struct tree *t, const struct place *p, const struct text *text)
{
	return text->generation == t->m->generation ||
	       p->entry->changes == CHANGES_NEVER ||
	       p->entry->kind == LAYOUT_CONTROL;
}

struct text *
render(struct tree *t, const struct place *p)
{
	uint64_t ino = place_ino(p);
	struct render_slot *slot = slot_of(t, ino);
	struct out out = OUT_INIT;
	struct text *text;

	if (slot->text && slot->ino == ino && is_current(t, p, slot->text))
		return text_get(slot->text);
	show(p, &out);
	text = text_new(&out, t->m->generation);
	out_fini(&out);
	if (text->len <= RENDER_KEEP_MAX) {
		text_put(slot->text);
		slot->ino = ino;
		slot->text = text_get(text);
	}
	if (p->entry->size == SIZE_LAST)
		g_hash_table_insert(t->last_sizes, g_memdup2(&ino, sizeof(ino)),
				    GSIZE_TO_POINTER(text->len));
	return text;
}

uint64_t
render_size(struct tree *t, const struct place *p)
{
	const struct layout_entry *entry = p->entry;
	struct text *text;
	uint64_t ino, len;

	if (entry->size_fn)
		return entry->size_fn(&p->view);
	if (entry->stream && entry->kind == LAYOUT_FILE)
		return 0;
	ino = place_ino(p);
	if (entry->size == SIZE_LAST &&
	    g_hash_table_contains(t->last_sizes, &ino))
		return GPOINTER_TO_SIZE(
			g_hash_table_lookup(t->last_sizes, &ino));
	text = render(t, p);
	len = text->len;
	text_put(text);
	return len;
}
