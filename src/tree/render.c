// SPDX-License-Identifier: MIT
/*
 * render.c - texts of files, made once for each state of the machine
 *
 * How it works: a text carries the machine's generation at which it was made.
 * A stat that must know the exact size makes the text and leaves it in one of
 * a few hundred slots, where the open that usually follows finds it.
 *
 * A page cache (SIZE_FIXED) asks for the length first and cuts what it reads
 * there.  Should an op have run between that made the text longer or shorter,
 * it gets the text whose length it knows; it asks for both again, since it has
 * been told that they are stale.
 *
 * Always true: a text never changes; whoever holds a reference reads it
 * without the lock.
 */
#include "tree_impl.h"

#include <glib.h>

#define TEXT_TAKEN ((size_t)64 << 10)

struct text *
text_get(struct text *text)
{
	atomic_fetch_add(&text->users, 1);
	return text;
}

void
text_put(struct text *text)
{
	if (!text || atomic_fetch_sub(&text->users, 1) != 1)
		return;
	if (text->bytes != text->room)
		g_free(text->bytes);
	g_free(text);
}

/* What stands in @out, which is empty then; a large text is not copied, but
 * taken with its buffer. */
static struct text *
text_new(struct out *out, uint64_t generation)
{
	bool take = out->len >= TEXT_TAKEN;
	struct text *text = g_malloc(sizeof(*text) + (take ? 0 : out->len));

	atomic_init(&text->users, 1);
	text->generation = generation;
	text->len = out->len;
	text->bytes = take ? out->text : text->room;
	if (take)
		*out = OUT_INIT;
	else if (out->len)
		memcpy(text->bytes, out->text, out->len);
	out_reset(out);
	return text;
}

static struct render_slot *
slot_of(struct render_slot *slots, uint64_t ino)
{
	return &slots[(ino * 0x9e3779b97f4a7c15ULL) >> 55];
}

static void
slot_set(struct render_slot *slot, uint64_t ino, struct text *text)
{
	text_put(slot->text);
	slot->ino = ino;
	slot->text = text_get(text);
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
	struct render_slot *slot = slot_of(t->slots, ino);
	struct text *text;

	if (slot->text && slot->ino == ino && is_current(t, p, slot->text))
		return text_get(slot->text);
	show(p, &t->room);
	text = text_new(&t->room, t->m->generation);
	if (text->len <= RENDER_KEEP_MAX)
		slot_set(slot, ino, text);
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

uint64_t
render_size_told(struct tree *t, const struct place *p)
{
	uint64_t ino = place_ino(p), len;
	struct text *text;

	if (p->entry->size != SIZE_FIXED || p->entry->kind != LAYOUT_FILE)
		return render_size(t, p);
	text = render(t, p);
	len = text->len;
	slot_set(slot_of(t->told_sizes, ino), ino, text);
	text_put(text);
	return len;
}

struct text *
render_page(struct tree *t, const struct place *p)
{
	uint64_t ino = place_ino(p);
	struct render_slot *told = slot_of(t->told_sizes, ino);
	struct text *text = render(t, p);

	if (told->text && told->ino == ino && told->text->len != text->len) {
		text_put(text);
		text = text_get(told->text);
	}
	return text;
}
