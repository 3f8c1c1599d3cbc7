// SPDX-License-Identifier: MIT
/* slob.c - /slob: the pages of SLOB, their lists, what of them is free */
#include "kmemfs/show.h"

#include <inttypes.h>

/* Free blocks of @page as offset+length, in bytes. */
static void
put_blocks(struct out *out, const struct slab *page)
{
	uint8_t *state = g_malloc(page->objects);
	uint32_t unit = page->cache->size, i = 0;
	const char *between = "";

	slab_states(page, state);
	while (i < page->objects) {
		uint32_t from = i;

		while (i < page->objects && state[i] == OBJECT_FREE)
			i++;
		if (i > from) {
			out_printf(out, "%s%u+%u", between, from * unit,
				   (i - from) * unit);
			between = ",";
		} else {
			i++;
		}
	}
	if (!*between)
		out_char(out, '-');
	g_free(state);
}

void
show_slob(const struct view *v, struct out *out)
{
	static const char *const lists[] = {"small", "medium", "large"};
	const struct kmem_cache *pool = slob_pool(v->m->slab);

	out_str(out, "pfn node list free_bytes blocks\n");
	for (const struct slab *page = pool ? slab_next(pool, NULL) : NULL;
	     page; page = slab_next(pool, page)) {
		bool listed = page->where == SLAB_NODE_PARTIAL;

		out_printf(out, "%" PRIu64 " %u %s %u ", page->pfn, page->nid,
			   listed ? lists[page->colour % ARRAY_SIZE(lists)]
				  : "-",
			   (page->objects - page->inuse) * pool->size);
		put_blocks(out, page);
		out_char(out, '\n');
	}
}
