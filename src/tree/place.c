// SPDX-License-Identifier: MIT
/*
 * place.c - inode numbers, names and what they stand for
 *
 * How it works: an inode number is the entry's number in the layout, plus
 * one, and the values of its keys, packed in the order of the path:
 *
 *     63        48 47                                   0
 *     [ entry + 1 ][ ... key 1 | key 0, each of its bits ]
 *
 * The root is 1.  So a number is unpacked without any table of live inodes,
 * and is never used for another thing: values of keys that name things made
 * at run time are serial numbers.  Where the keys take more bits (an address
 * of a task), number.c has a serial number for them together.
 */
#include "tree_impl.h"

#include "kmemfs/base/check.h"

#include <string.h>

#define ENTRY_SHIFT 48
#define LAYOUT_MAX 4096

/* The keys of each entry's path, in order. */
static const struct key_kind *chains[LAYOUT_MAX][KEYS_MAX];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
fill_chains(void)
{
	KM_ASSERT(layout_table_size <= LAYOUT_MAX);
	for (unsigned int i = 1; i < layout_table_size; i++) {
		const struct layout_entry *entry = &layout_table[i];

		/* A parent stands before its children in the table. */
		memcpy(chains[i], chains[entry->parent], sizeof(chains[i]));
		if (entry->key)
			chains[i][entry->nr_keys - 1] = entry->key;
	}
}

void
places_init(void)
{
	pthread_once(&once, fill_chains);
}

uint64_t
place_ino(const struct place *p)
{
	uint64_t packed = 0;
	unsigned int shift = 0;

	if (!p->index)
		return TREE_ROOT;
	if (p->entry->numbered)
		return (uint64_t)(p->index + 1) << ENTRY_SHIFT |
		       number_of(p->index, p->view.key, p->entry->nr_keys);
	for (unsigned int i = 0; i < p->entry->nr_keys; i++) {
		packed |= p->view.key[i] << shift;
		shift += chains[p->index][i]->bits;
	}
	return (uint64_t)(p->index + 1) << ENTRY_SHIFT | packed;
}

uint64_t
place_dir_ino(unsigned int index, const uint64_t *keys)
{
	struct place p = {.index = index, .entry = &layout_table[index]};

	for (unsigned int i = 0; i < p.entry->nr_keys; i++)
		p.view.key[i] = keys[i];
	return place_ino(&p);
}

static void
place_set(struct place *p, struct machine *m, unsigned int index)
{
	p->index = index;
	p->entry = &layout_table[index];
	p->view.m = m;
	p->view.name = p->entry->name;
}

void
place_above(const struct place *p, struct place *dir)
{
	const struct layout_entry *entry = p->entry;
	const struct layout_entry *parent = &layout_table[entry->parent];
	unsigned int last = entry->nr_keys - 1;
	uint64_t up = 0;

	*dir = *p;
	if (entry->key && parent->nested)
		up = layout_table[parent->nested].up(&p->view,
						     p->view.key[last]);
	place_set(dir, p->view.m, up ? parent->nested : entry->parent);
	if (entry->key)
		dir->view.key[last] = up;
}

/* Unpack a serial number.  What @p stands in stays known as long as it is, for
 * who walks through all that is below. */
static bool
unpack_number(uint64_t ino, struct place *p)
{
	unsigned int nr_keys = p->entry->nr_keys;
	struct place above;

	if (!number_find(p->index, ino & ((1ULL << ENTRY_SHIFT) - 1),
			 p->view.key, nr_keys))
		return false;
	for (place_above(p, &above); above.entry->numbered;
	     place_above(&above, &above))
		number_of(above.index, above.view.key, above.entry->nr_keys);
	return true;
}

bool
place_unpack(struct machine *m, uint64_t ino, struct place *p)
{
	uint64_t index = ino >> ENTRY_SHIFT, packed = ino;

	memset(p->view.key, 0, sizeof(p->view.key));
	if (ino == TREE_ROOT) {
		place_set(p, m, 0);
		return true;
	}
	if (index < 2 || index > layout_table_size)
		return false;
	place_set(p, m, (unsigned int)index - 1);
	if (p->entry->numbered)
		return unpack_number(ino, p);
	for (unsigned int i = 0; i < p->entry->nr_keys; i++) {
		unsigned int bits = chains[p->index][i]->bits;

		p->view.key[i] = packed & ((1ULL << bits) - 1);
		packed >>= bits;
	}
	return true;
}

bool
place_exists(const struct place *p)
{
	for (unsigned int i = 0; i < p->entry->nr_keys; i++)
		if (!chains[p->index][i]->exists(&p->view, p->view.key[i]))
			return false;
	return !p->entry->when || p->entry->when(&p->view);
}

void
place_make_child(const struct place *dir, unsigned int index, uint64_t value,
		 struct place *child)
{
	child->view = dir->view;
	place_set(child, dir->view.m, index);
	if (child->entry->key)
		child->view.key[child->entry->nr_keys - 1] = value;
}

/* The fixed child called @name, by bisection; layout_table_size: none. */
static unsigned int
find_fixed(const struct layout_entry *dir, const char *name)
{
	unsigned int low = dir->first_child, high = low + dir->nr_fixed;

	while (low < high) {
		unsigned int middle = (low + high) / 2;
		int order = strcmp(name, layout_table[middle].name);

		if (!order)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return layout_table_size;
}

bool
place_child(const struct place *dir, const char *name, struct place *child)
{
	const struct layout_entry *entry = dir->entry;
	unsigned int index = find_fixed(entry, name);

	if (index < layout_table_size) {
		place_make_child(dir, index, 0, child);
		return !child->entry->when || child->entry->when(&child->view);
	}
	for (unsigned int i = entry->nr_fixed; i < entry->nr_children; i++) {
		uint64_t value;

		index = entry->first_child + i;
		if (!layout_table[index].key->parse(&dir->view, name, &value))
			continue;
		place_make_child(dir, index, value, child);
		return !child->entry->when || child->entry->when(&child->view);
	}
	return false;
}

void
place_name(const struct place *p, struct out *out)
{
	if (p->entry->key)
		p->entry->key->print(&p->view,
				     p->view.key[p->entry->nr_keys - 1], out);
	else
		out_str(out, p->entry->name);
}

void
place_path(const struct place *p, struct out *out)
{
	struct place above;

	if (!p->index) {
		if (!out->len)
			out_char(out, '/');
		return;
	}
	place_above(p, &above);
	if (above.index)
		place_path(&above, out);
	out_char(out, '/');
	place_name(p, out);
}
