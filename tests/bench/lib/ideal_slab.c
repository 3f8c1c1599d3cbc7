// SPDX-License-Identifier: MIT
/* ideal_slab.c - the smallest slab allocator that works, as a yardstick */
#include "ideal_slab.h"

#include "bench.h"

#include <glib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096U
#define CLASSES 10 /* 8 16 32 64 96 128 192 256 512 1024 */

static const uint32_t sizes[CLASSES] = {8,   16,  32,  64,  96,
					128, 192, 256, 512, 1024};

/* One page.  Links are page numbers, 0 ends: page 0 is not used. */
struct page {
	uint32_t next, prev; /* of its class's pages with free objects */
	union {
		uint16_t *free; /* [nr] indices of free objects; */
		uint64_t first; /* or of a list: index + 1, 0 */
	};
	uint16_t nr;
	uint16_t objects;
	uint8_t class;
};

struct ideal_slabs {
	struct page *page;
	uint8_t *bytes;	  /* of all pages, with the lists in them; or NULL */
	uint32_t *unused; /* pages of no class */
	uint32_t nr_unused, nr_pages;
	uint32_t head[CLASSES];
	uint8_t class_of[1025];
};

struct ideal_slabs *
ideal_slabs_new(uint32_t pages, bool in_bytes)
{
	struct ideal_slabs *s = g_new0(struct ideal_slabs, 1);

	if (in_bytes)
		s->bytes = bench_memory((pages + 1ULL) * PAGE);
	s->page = g_new0(struct page, pages + 1UL);
	s->unused = g_new(uint32_t, pages);
	s->nr_pages = pages;
	for (uint32_t i = pages; i; i--)
		s->unused[s->nr_unused++] = i;
	for (uint32_t bytes = 1, class = 0; bytes <= 1024; bytes++) {
		class += bytes > sizes[class];
		s->class_of[bytes] = (uint8_t) class;
	}
	return s;
}

void
ideal_slabs_free(struct ideal_slabs *s)
{
	for (uint32_t i = 1; i <= s->nr_pages; i++)
		if (!s->bytes)
			g_free(s->page[i].free);
	if (s->bytes)
		munmap(s->bytes, (s->nr_pages + 1UL) * PAGE);
	g_free(s->page);
	g_free(s->unused);
	g_free(s);
}

static void
list(struct ideal_slabs *s, uint32_t number)
{
	struct page *p = &s->page[number];
	uint32_t *head = &s->head[p->class];

	p->next = *head;
	p->prev = 0;
	s->page[*head].prev = number;
	*head = number;
}

static void
unlist(struct ideal_slabs *s, uint32_t number)
{
	struct page *p = &s->page[number];

	if (p->prev)
		s->page[p->prev].next = p->next;
	else
		s->head[p->class] = p->next;
	s->page[p->next].prev = p->prev;
}

/* Object @index is the @at-th that is free. */
static inline void
push_free(struct ideal_slabs *s, uint32_t number, uint32_t at, uint32_t index)
{
	struct page *p = &s->page[number];

	if (s->bytes) {
		memcpy(s->bytes + (uint64_t)number * PAGE +
			       index * sizes[p->class],
		       &p->first, sizeof(p->first));
		p->first = index + 1;
	} else {
		p->free[at] = (uint16_t)index;
	}
}

/* The last of @at + 1 that are free. */
static inline uint32_t
pop_free(struct ideal_slabs *s, uint32_t number, uint32_t at)
{
	struct page *p = &s->page[number];
	uint32_t index;

	if (!s->bytes)
		return p->free[at];
	index = (uint32_t)p->first - 1;
	memcpy(&p->first,
	       s->bytes + (uint64_t)number * PAGE + index * sizes[p->class],
	       sizeof(p->first));
	return index;
}

static uint32_t
new_page(struct ideal_slabs *s, uint8_t class)
{
	struct page *p;
	uint32_t number;

	if (!s->nr_unused)
		return 0;
	number = s->unused[--s->nr_unused];
	p = &s->page[number];
	p->class = class;
	p->nr = p->objects = (uint16_t)(PAGE / sizes[class]);
	p->first = 0;
	if (!s->bytes)
		p->free = g_new(uint16_t, p->nr);
	for (uint32_t i = 0; i < p->nr; i++)
		push_free(s, number, i, p->nr - 1U - i);
	list(s, number);
	return number;
}

uint64_t
ideal_slabs_take(struct ideal_slabs *s, uint32_t bytes)
{
	uint8_t class = s->class_of[bytes];
	uint32_t number = s->head[class];
	struct page *p;

	if (!number && !(number = new_page(s, class)))
		return 0;
	p = &s->page[number];
	p->nr--;
	if (!p->nr)
		unlist(s, number);
	return (uint64_t)number * PAGE +
	       pop_free(s, number, p->nr) * sizes[class];
}

void
ideal_slabs_give(struct ideal_slabs *s, uint64_t object)
{
	uint32_t number = (uint32_t)(object / PAGE);
	struct page *p = &s->page[number];

	push_free(s, number, p->nr++,
		  (uint32_t)(object % PAGE / sizes[p->class]));
	if (p->nr == 1)
		list(s, number);
	if (p->nr < p->objects)
		return;
	unlist(s, number);
	if (!s->bytes)
		g_free(p->free);
	p->free = NULL;
	s->unused[s->nr_unused++] = number;
}
