// SPDX-License-Identifier: MIT
/* fragment.c - a machine whose free lists are long */
#include "fragment.h"

#include <glib.h>
#include <stdlib.h>

void
fragment(struct machine *m, unsigned int nr)
{
	struct page_request request = {.gfp = GFP_KERNEL, .nid = NODE_LOCAL};
	pfn_t *pfns = g_new(pfn_t, nr);

	for (unsigned int i = 0; i < nr; i++)
		if (pages_alloc(m->phys, &request, &pfns[i]))
			abort();
	for (unsigned int i = 0; i < nr; i += 2)
		pages_put(m->phys, pfns[i], 0, 0);
	pages_drain(m->phys, NULL, -1);
	g_free(pfns);
}
