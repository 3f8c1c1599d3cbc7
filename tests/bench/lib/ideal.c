// SPDX-License-Identifier: MIT
/*
 * ideal.c - take splits the smallest block that fits; give merges buddies
 */
#include "ideal.h"

#include "bench.h"

#include <stdlib.h>
#include <sys/mman.h>

static void
push(struct ideal *b, uint32_t page, unsigned int order)
{
	uint32_t head = b->head[order];

	b->link[page] = (struct ideal_link){head, IDEAL_NONE};
	if (head != IDEAL_NONE)
		b->link[head].prev = page;
	b->head[order] = page;
	b->state[page] = (uint8_t)(order + 1);
}

static void
pull(struct ideal *b, uint32_t page, unsigned int order)
{
	struct ideal_link l = b->link[page];

	if (l.prev == IDEAL_NONE)
		b->head[order] = l.next;
	else
		b->link[l.prev].next = l.next;
	if (l.next != IDEAL_NONE)
		b->link[l.next].prev = l.prev;
	b->state[page] = 0;
}

struct ideal *
ideal_new(uint64_t nr_pages)
{
	struct ideal *b = malloc(sizeof(*b));
	const unsigned int top = IDEAL_ORDERS - 1;

	if (!b)
		abort();
	b->nr_pages = nr_pages;
	b->state = bench_memory(nr_pages);
	b->link = bench_memory(nr_pages * sizeof(*b->link));
	for (unsigned int i = 0; i < IDEAL_ORDERS; i++)
		b->head[i] = IDEAL_NONE;
	for (uint64_t page = nr_pages; page; page -= 1U << top)
		push(b, (uint32_t)(page - (1U << top)), top);
	return b;
}

void
ideal_free(struct ideal *b)
{
	munmap(b->state, b->nr_pages);
	munmap(b->link, b->nr_pages * sizeof(*b->link));
	free(b);
}

uint32_t
ideal_take(struct ideal *b, unsigned int order)
{
	unsigned int found = order;
	uint32_t page;

	while (found < IDEAL_ORDERS && b->head[found] == IDEAL_NONE)
		found++;
	if (found == IDEAL_ORDERS)
		return IDEAL_NONE;
	page = b->head[found];
	pull(b, page, found);
	while (found > order) {
		found--;
		push(b, page + (1U << found), found);
	}
	return page;
}

void
ideal_give(struct ideal *b, uint32_t page, unsigned int order)
{
	for (; order < IDEAL_ORDERS - 1; order++) {
		uint32_t buddy = page ^ (1U << order);

		if (b->state[buddy] != order + 1)
			break;
		pull(b, buddy, order);
		page &= ~(1U << order);
	}
	push(b, page, order);
}
