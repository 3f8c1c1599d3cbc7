// SPDX-License-Identifier: MIT
/* slab_traces.c - debugfs: who has the objects of a cache that keeps records */
#include "kmemfs/show.h"

bool
when_slab_traced(const struct view *v)
{
	const struct kmem_cache *s = view_cache(v);

	return s && slab_has_traces(s);
}

void
show_slab_alloc_traces(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_cache(v);

	if (s)
		slab_print_traces(s, false, out);
}

void
show_slab_free_traces(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_cache(v);

	if (s)
		slab_print_traces(s, true, out);
}
