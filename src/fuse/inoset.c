// SPDX-License-Identifier: MIT
/* inoset.c - a small set of inode numbers */
#include "inoset_impl.h"

#include <glib.h>

#define FIRST_SLOTS 64

/* Inode numbers are packed fields; the multiplication spreads them. */
static size_t
inoset_home(const struct inoset *set, uint64_t ino)
{
	return (ino * 0x9e3779b97f4a7c15ULL) >> 32 & (set->nr_slots - 1);
}

/* The slot that holds @ino, or the free one where it belongs. */
static size_t
inoset_slot(const struct inoset *set, uint64_t ino)
{
	size_t i = inoset_home(set, ino);

	while (set->slots[i] && set->slots[i] != ino)
		i = (i + 1) & (set->nr_slots - 1);
	return i;
}

static void
inoset_grow(struct inoset *set)
{
	struct inoset old = *set;

	set->nr_slots = old.nr_slots ? old.nr_slots * 2 : FIRST_SLOTS;
	set->slots = g_new0(uint64_t, set->nr_slots);
	for (size_t i = 0; i < old.nr_slots; i++)
		if (old.slots[i])
			set->slots[inoset_slot(set, old.slots[i])] =
				old.slots[i];
	g_free(old.slots);
}

bool
inoset_add(struct inoset *set, uint64_t ino)
{
	size_t i;

	if (set->count * 2 >= set->nr_slots)
		inoset_grow(set);
	i = inoset_slot(set, ino);
	if (set->slots[i])
		return false;
	set->slots[i] = ino;
	set->count++;
	return true;
}

bool
inoset_remove(struct inoset *set, uint64_t ino)
{
	size_t gap, i;

	if (!set->count)
		return false;
	gap = inoset_slot(set, ino);
	if (!set->slots[gap])
		return false;
	set->count--;
	/* Close the gap: whatever a probe would not find past it moves up. */
	for (i = gap;;) {
		size_t home;

		i = (i + 1) & (set->nr_slots - 1);
		if (!set->slots[i])
			break;
		home = inoset_home(set, set->slots[i]);
		if (((i - home) & (set->nr_slots - 1)) <
		    ((i - gap) & (set->nr_slots - 1)))
			continue;
		set->slots[gap] = set->slots[i];
		gap = i;
	}
	set->slots[gap] = 0;
	return true;
}

bool
inoset_has(const struct inoset *set, uint64_t ino)
{
	return set->count && set->slots[inoset_slot(set, ino)];
}

void
inoset_fini(struct inoset *set)
{
	g_free(set->slots);
	*set = (struct inoset){0};
}
