// SPDX-License-Identifier: MIT
/*
 * slab_look.c - what files show of slabs beyond their counters
 *
 * How it works: free lists are read out of modelled RAM object by object, as
 * the allocator would follow them, but without its oops: a list that leads
 * astray simply ends there.
 */
#include "slub_impl.h"

#include <errno.h>

unsigned int
slab_free_list(const struct slab *slab, va_t first, uint16_t *index,
	       bool *broken)
{
	const struct kmem_cache *s = slab->cache;
	unsigned int nr = 0;
	va_t at = first;
	uint8_t *seen;
	bool astray;

	if (s->ops->free_list)
		return s->ops->free_list(slab, index,
					 broken ? broken : &astray);
	seen = g_malloc0(slab->objects);

	while (at && slub_valid_pointer(s, slab, at)) {
		uint32_t i = slab_object_index(slab, at);

		if (i >= slab->objects || seen[i])
			break;
		seen[i] = 1;
		index[nr++] = (uint16_t)i;
		if (!slub_peek_pointer(s, at, &at))
			at = first; /* not mapped: seen, so broken */
	}
	g_free(seen);
	if (broken)
		*broken = at != 0;
	return nr;
}

struct slab *
slab_list_begin(const struct slab_common *sc, const struct slab_list *list)
{
	return list->head ? slab_get(sc, list->head - 1) : NULL;
}

struct slab *
slab_list_after(const struct slab_common *sc, const struct slab *slab)
{
	return slab->next ? slab_get(sc, slab->next - 1) : NULL;
}

int
kmem_cache_set_cpu_partial(struct kmem_cache *s, uint32_t objects)
{
	if (s->ops != &slub_ops || (objects && slub_debugged(s)))
		return -EINVAL;
	s->cpu_partial = objects;
	/* In 32 bits, as there: a number near their end gives 0. */
	s->cpu_partial_slabs = (objects * 2 + s->objects - 1) / s->objects;
	for (unsigned int cpu = 0; cpu < s->common->phys->nr_cpus; cpu++)
		slub_flush_cpu(s, cpu);
	return 0;
}
