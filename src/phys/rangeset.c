// SPDX-License-Identifier: MIT
/*
 * rangeset.c - sorted ranges of numbers that do not overlap, each with a tag
 *
 * How it works:   additions are put in as the gaps between what is there, as
 *                 memblock_add_range() does, then neighbours are joined.
 * Always true:    ranges ascend, none is empty, and no two that touch have
 *                 the same tag.
 */
#include "kmemfs/phys/rangeset.h"

void
rangeset_init(struct rangeset *set)
{
	set->items = g_array_new(FALSE, FALSE, sizeof(struct rangeset_item));
}

void
rangeset_fini(struct rangeset *set)
{
	if (set->items)
		g_array_free(set->items, TRUE);
	set->items = NULL;
}

unsigned int
rangeset_search(const struct rangeset *set, uint64_t at)
{
	unsigned int low = 0, high = set->items->len;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (rangeset_at(set, mid)->end > at)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

const struct rangeset_item *
rangeset_find(const struct rangeset *set, uint64_t at)
{
	unsigned int i = rangeset_search(set, at);

	if (i == set->items->len || rangeset_at(set, i)->start > at)
		return NULL;
	return rangeset_at(set, i);
}

bool
rangeset_overlaps(const struct rangeset *set, uint64_t start, uint64_t end)
{
	unsigned int i = rangeset_search(set, start);

	return start < end && i < set->items->len &&
	       rangeset_at(set, i)->start < end;
}

bool
rangeset_covers(const struct rangeset *set, uint64_t start, uint64_t end)
{
	for (unsigned int i = rangeset_search(set, start); start < end; i++) {
		if (i == set->items->len || rangeset_at(set, i)->start > start)
			return false;
		start = rangeset_at(set, i)->end;
	}
	return true;
}

/* Join range @i with the one after it while they touch and agree. */
static void
rangeset_join(struct rangeset *set, unsigned int i)
{
	while (i + 1 < set->items->len) {
		struct rangeset_item *item =
			&g_array_index(set->items, struct rangeset_item, i);
		const struct rangeset_item *next = rangeset_at(set, i + 1);

		if (item->end != next->start || item->tag != next->tag)
			return;
		item->end = next->end;
		g_array_remove_index(set->items, i + 1);
	}
}

static void
rangeset_insert(struct rangeset *set, unsigned int i, uint64_t start,
		uint64_t end, int32_t tag)
{
	struct rangeset_item item = {start, end, tag};

	g_array_insert_val(set->items, i, item);
}

void
rangeset_add(struct rangeset *set, uint64_t start, uint64_t end, int32_t tag)
{
	unsigned int i = rangeset_search(set, start);
	unsigned int first = i;

	for (; start < end; i++) {
		uint64_t gap_end = end;

		if (i < set->items->len)
			gap_end = MIN_OF(end, rangeset_at(set, i)->start);
		if (start < gap_end)
			rangeset_insert(set, i++, start, gap_end, tag);
		if (gap_end == end || i == set->items->len)
			break;
		start = rangeset_at(set, i)->end;
	}
	/* Joining shortens the array; going down keeps indices valid. */
	for (i = MIN_OF(i + 1, set->items->len); i-- > first;)
		rangeset_join(set, i);
	if (first)
		rangeset_join(set, first - 1);
}

void
rangeset_remove(struct rangeset *set, uint64_t start, uint64_t end)
{
	unsigned int i = rangeset_search(set, start);

	while (start < end && i < set->items->len) {
		struct rangeset_item *item =
			&g_array_index(set->items, struct rangeset_item, i);
		uint64_t old_end = item->end;

		if (item->start >= end)
			return;
		if (item->start < start) {
			item->end = start;
			i++;
			if (old_end > end)
				rangeset_insert(set, i, end, old_end,
						item->tag);
		} else if (old_end > end) {
			item->start = end;
			return;
		} else {
			g_array_remove_index(set->items, i);
		}
	}
}

void
rangeset_set_tag(struct rangeset *set, uint64_t start, uint64_t end,
		 int32_t tag)
{
	struct rangeset in;

	rangeset_init(&in);
	for (unsigned int i = rangeset_search(set, start);
	     i < set->items->len && rangeset_at(set, i)->start < end; i++)
		rangeset_add(&in, MAX_OF(start, rangeset_at(set, i)->start),
			     MIN_OF(end, rangeset_at(set, i)->end), tag);
	rangeset_remove(set, start, end);
	for (unsigned int i = 0; i < rangeset_size(&in); i++)
		rangeset_add(set, rangeset_at(&in, i)->start,
			     rangeset_at(&in, i)->end, tag);
	rangeset_fini(&in);
}
