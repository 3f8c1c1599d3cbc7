// SPDX-License-Identifier: MIT
/*
 * rangeset.h - sorted ranges of numbers that do not overlap, each with a tag
 *
 * What memblock, the map of zones and the list of managed memory are made of.
 * Neighbours that touch and have equal tags are one range.  Meant for tens to
 * thousands of ranges: look-up is a binary search, changes move the array.
 */
#ifndef KMEMFS_PHYS_RANGESET_H
#define KMEMFS_PHYS_RANGESET_H

#include "kmemfs/base/types.h"

#include <glib.h>

struct rangeset_item {
	uint64_t start;
	uint64_t end; /* exclusive */
	int32_t tag;
};

struct rangeset {
	GArray *items; /* of struct rangeset_item, ascending */
};

void rangeset_init(struct rangeset *set);
void rangeset_fini(struct rangeset *set);
/* Add [@start, @end); what is in the set already keeps its tag. */
void rangeset_add(struct rangeset *set, uint64_t start, uint64_t end,
		  int32_t tag);
/* Take [@start, @end) out, cutting ranges in two where needed. */
void rangeset_remove(struct rangeset *set, uint64_t start, uint64_t end);
/* Give the parts of [@start, @end) that are in the set the tag @tag. */
void rangeset_set_tag(struct rangeset *set, uint64_t start, uint64_t end,
		      int32_t tag);
/* Index of the first range that ends above @at; the set's size if none. */
unsigned int rangeset_search(const struct rangeset *set, uint64_t at);
/* The range that holds @at, or NULL. */
const struct rangeset_item *rangeset_find(const struct rangeset *set,
					  uint64_t at);
/* Whether any number of [@start, @end) is in the set. */
bool rangeset_overlaps(const struct rangeset *set, uint64_t start,
		       uint64_t end);
/* Whether all of [@start, @end) is in the set. */
bool rangeset_covers(const struct rangeset *set, uint64_t start, uint64_t end);

static inline unsigned int
rangeset_size(const struct rangeset *set)
{
	return set->items->len;
}

static inline const struct rangeset_item *
rangeset_at(const struct rangeset *set, unsigned int i)
{
	return &g_array_index(set->items, struct rangeset_item, i);
}

#endif
