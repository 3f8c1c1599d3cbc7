// SPDX-License-Identifier: MIT
/*
 * memblock.c - memory while the kernel boots: what there is, what is taken
 *
 * What it models: mm/memblock.c of Linux 6.1: adding, reserving, top-down and
 *                 bottom-up search, the walk over free ranges.
 * How it works:   two rangesets.  Free memory is never stored: it is what the
 *                 walk over memory finds between the reserved ranges.
 *
 *                   memory    [=========0=========][====1====]   [===1===]
 *                   reserved   [==]     [=======]               [==]
 *                   free      f    fffff         ffffffffffff     ffffff
 *
 * Differs from the kernel: no flags (hotplug, mirror, nomap), no growth of the
 *                 arrays inside the memory that they describe.
 */
#include "kmemfs/phys/memblock.h"

void
memblock_init(struct bootmem *boot, uint64_t page_size)
{
	rangeset_init(&boot->memory);
	rangeset_init(&boot->reserved);
	boot->page_size = page_size;
}

void
memblock_fini(struct bootmem *boot)
{
	rangeset_fini(&boot->memory);
	rangeset_fini(&boot->reserved);
}

void
memblock_add(struct bootmem *boot, pa_t start, pa_t end, int nid)
{
	rangeset_add(&boot->memory, start, end, nid);
}

void
memblock_remove(struct bootmem *boot, pa_t start, pa_t end)
{
	rangeset_remove(&boot->memory, start, end);
}

void
memblock_set_node(struct bootmem *boot, pa_t start, pa_t end, int nid)
{
	rangeset_set_tag(&boot->memory, start, end, nid);
}

void
memblock_reserve(struct bootmem *boot, pa_t start, pa_t end)
{
	rangeset_add(&boot->reserved, start, end, 0);
}

void
memblock_free(struct bootmem *boot, pa_t start, pa_t end)
{
	rangeset_remove(&boot->reserved, start, end);
}

void
memblock_trim(struct bootmem *boot, uint64_t align)
{
	struct rangeset trimmed;

	rangeset_init(&trimmed);
	for (unsigned int i = 0; i < rangeset_size(&boot->memory); i++) {
		const struct rangeset_item *m = rangeset_at(&boot->memory, i);
		pa_t start = round_up_to(m->start, align);
		pa_t end = round_down_to(m->end, align);

		if (start < end)
			rangeset_add(&trimmed, start, end, m->tag);
	}
	rangeset_fini(&boot->memory);
	boot->memory = trimmed;
}

pa_t
memblock_end(const struct bootmem *boot)
{
	unsigned int n = rangeset_size(&boot->memory);

	return n ? rangeset_at(&boot->memory, n - 1)->end : 0;
}

bool
memblock_next_free(const struct bootmem *boot, pa_t from, struct range *free,
		   int *nid)
{
	unsigned int i = rangeset_search(&boot->memory, from);

	for (; i < rangeset_size(&boot->memory); i++) {
		const struct rangeset_item *m = rangeset_at(&boot->memory, i);
		pa_t start = MAX_OF(m->start, from);
		unsigned int r = rangeset_search(&boot->reserved, start);

		/* Step over what is reserved right at the start. */
		while (r < rangeset_size(&boot->reserved) &&
		       rangeset_at(&boot->reserved, r)->start <= start)
			start = rangeset_at(&boot->reserved, r++)->end;
		if (start >= m->end)
			continue;
		free->start = start;
		free->end = m->end;
		if (r < rangeset_size(&boot->reserved))
			free->end = MIN_OF(
				m->end, rangeset_at(&boot->reserved, r)->start);
		*nid = m->tag;
		return true;
	}
	return false;
}

pa_t
memblock_find(const struct bootmem *boot, uint64_t size, uint64_t align,
	      const struct memblock_where *where)
{
	pa_t min = MAX_OF(where->min, boot->page_size);
	pa_t max = where->max ? where->max : UINT64_MAX;
	pa_t found = PA_NONE, from = min;
	struct range free;
	int nid;

	while (memblock_next_free(boot, from, &free, &nid)) {
		pa_t start = MAX_OF(free.start, min);
		pa_t end = MIN_OF(free.end, max);
		pa_t at;

		if (start >= max)
			break;
		from = free.end;
		if (where->nid != NODE_LOCAL && nid != where->nid)
			continue;
		if (end < start || end - start < size)
			continue;
		at = where->bottom_up ? round_up_to(start, align)
				      : round_down_to(end - size, align);
		if (at < start || at > end || end - at < size)
			continue;
		found = at;
		if (where->bottom_up)
			break;
	}
	return found;
}

pa_t
memblock_alloc(struct bootmem *boot, uint64_t size, uint64_t align,
	       const struct memblock_where *where)
{
	struct memblock_where anywhere = *where;
	pa_t at = memblock_find(boot, size, align, where);

	anywhere.nid = NODE_LOCAL;
	if (at == PA_NONE)
		at = memblock_find(boot, size, align, &anywhere);
	if (at != PA_NONE)
		memblock_reserve(boot, at, at + size);
	return at;
}

void
memblock_export(const struct bootmem *boot, struct memblock *to)
{
	to->memory = g_array_new(FALSE, FALSE, sizeof(struct range));
	to->memory_node = g_array_new(FALSE, FALSE, sizeof(int));
	to->reserved = g_array_new(FALSE, FALSE, sizeof(struct range));
	for (unsigned int i = 0; i < rangeset_size(&boot->memory); i++) {
		const struct rangeset_item *m = rangeset_at(&boot->memory, i);
		struct range range = {m->start, m->end};
		int nid = m->tag;

		g_array_append_val(to->memory, range);
		g_array_append_val(to->memory_node, nid);
	}
	for (unsigned int i = 0; i < rangeset_size(&boot->reserved); i++) {
		const struct rangeset_item *r = rangeset_at(&boot->reserved, i);
		struct range range = {r->start, r->end};

		g_array_append_val(to->reserved, range);
	}
}

void
memblock_export_fini(struct memblock *to)
{
	GArray **arrays[] = {&to->memory, &to->memory_node, &to->reserved};

	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++) {
		if (*arrays[i])
			g_array_free(*arrays[i], TRUE);
		*arrays[i] = NULL;
	}
}
