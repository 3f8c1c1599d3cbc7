// SPDX-License-Identifier: MIT
/*
 * slab_lists.c - /slab/CACHE: its slabs, its lists and arrays, its objects
 *
 * How it works: lists are shown in their order, free lists as they lie in
 * modelled RAM; one that leads astray ends with "?".
 */
#include "kmemfs/show.h"

#include "kmemfs/view/sums.h"

static const char *const where_names[NR_SLAB_WHERE] = {
	[SLAB_FULL] = "full",	      [SLAB_NODE_PARTIAL] = "partial",
	[SLAB_CPU] = "cpu",	      [SLAB_CPU_PARTIAL] = "cpu_partial",
	[SLAB_FREE] = "free",	      [SLAB_RCU] = "rcu",
	[SLAB_ISOLATED] = "isolated",
};

static const char state_letters[] = "Ufc?";
static const char *const state_names[NR_OBJECT_STATES] = {
	[OBJECT_USED] = "used",
	[OBJECT_FREE] = "free",
	[OBJECT_CPU_FREE] = "cpu_free",
	[OBJECT_LOST] = "lost",
};

/* Numbers with commas between; "-" for none. */
static void
put_next(struct out *out, bool first, uint64_t value)
{
	if (!first)
		out_char(out, ',');
	out_u64(out, value);
}

/* The free list from @first on, as indices. */
static void
put_freelist(const struct slab *slab, va_t first, struct out *out)
{
	uint16_t *index;
	unsigned int nr;
	bool broken;

	if (!slab || !first) {
		out_char(out, '-');
		return;
	}
	index = g_new(uint16_t, slab->objects);
	nr = slab_free_list(slab, first, index, &broken);
	for (unsigned int i = 0; i < nr; i++)
		put_next(out, !i, index[i]);
	if (broken)
		out_str(out, nr ? ",?" : "?");
	else if (!nr)
		out_char(out, '-');
	g_free(index);
}

/* The slabs of @list, by first page frame. */
static void
put_slabs(const struct slab_common *sc, const struct slab_list *list,
	  struct out *out)
{
	const struct slab *slab = slab_list_begin(sc, list);

	if (!slab)
		out_char(out, '-');
	for (bool first = true; slab; first = false) {
		put_next(out, first, slab->pfn);
		slab = slab_list_after(sc, slab);
	}
}

/* --- cpu, node ----------------------------------------------------------- */

static void
put_cpu(const struct slab_common *sc, unsigned int cpu,
	const struct kmem_cache_cpu *c, struct out *out)
{
	const struct slab *slab = c->slab ? slab_get(sc, c->slab - 1) : NULL;

	out_u64(out, cpu);
	out_char(out, ' ');
	if (slab)
		out_u64(out, slab->pfn);
	else
		out_char(out, '-');
	out_char(out, ' ');
	put_freelist(slab, c->freelist, out);
	out_char(out, ' ');
	put_slabs(sc, &c->partial, out);
	out_char(out, '\n');
}

void
show_cache_cpu(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_cache(v);

	out_str(out, "cpu slab freelist partial\n");
	if (!s || !s->cpu)
		return;
	for (unsigned int cpu = 0; cpu < v->m->phys->nr_cpus; cpu++)
		if (s->cpu[cpu].slab || s->cpu[cpu].partial.nr)
			put_cpu(v->m->slab, cpu, &s->cpu[cpu], out);
}

void
show_cache_node(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_cache(v);

	out_str(out, "node slabs objects partial full free\n");
	if (!s || !s->node)
		return;
	for (unsigned int n = 0; n < v->m->phys->nr_nodes; n++) {
		const struct kmem_cache_node *node = &s->node[n];

		out_printf(out, "%u %llu %llu ", n,
			   (unsigned long long)node->nr_slabs,
			   (unsigned long long)node->total_objects);
		put_slabs(v->m->slab, &node->partial, out);
		out_char(out, ' ');
		put_slabs(v->m->slab, &node->full, out);
		out_char(out, ' ');
		put_slabs(v->m->slab, &node->free, out);
		out_char(out, '\n');
	}
}

/* --- slabs --------------------------------------------------------------- */

static void
put_slab(const struct slab *slab, struct out *out)
{
	uint8_t *state = g_malloc(slab->objects);

	slab_states(slab, state);
	out_printf(out, "%llu %u %s ", (unsigned long long)slab->pfn, slab->nid,
		   where_names[slab->where % NR_SLAB_WHERE]);
	if (slab->where == SLAB_CPU || slab->where == SLAB_CPU_PARTIAL)
		out_u64(out, slab->cpu);
	else
		out_char(out, '-');
	out_printf(out, " %u %u %u ", slab->order, slab->inuse, slab->objects);
	for (unsigned int i = 0; i < slab->objects; i++)
		out_char(out, state_letters[state[i] % NR_OBJECT_STATES]);
	out_char(out, ' ');
	put_freelist(slab, slab->freelist, out);
	out_char(out, '\n');
	g_free(state);
}

/* Those of the slabs whose place is in @mask. */
static void
put_where(const struct view *v, unsigned int mask, struct out *out)
{
	const struct kmem_cache *s = view_cache(v);

	out_str(out, "pfn node where cpu order inuse objects states list\n");
	for (const struct slab *slab = s ? slab_next(s, NULL) : NULL; slab;
	     slab = slab_next(s, slab))
		if (mask >> slab->where & 1)
			put_slab(slab, out);
}

void
show_cache_slabs(const struct view *v, struct out *out)
{
	put_where(v, ~0U, out);
}

void
show_cache_slabs_full(const struct view *v, struct out *out)
{
	put_where(v, 1U << SLAB_FULL, out);
}

void
show_cache_slabs_partial(const struct view *v, struct out *out)
{
	put_where(v, 1U << SLAB_NODE_PARTIAL, out);
}

void
show_cache_slabs_cpu(const struct view *v, struct out *out)
{
	put_where(v, 1U << SLAB_CPU | 1U << SLAB_CPU_PARTIAL, out);
}

/* --- objects ------------------------------------------------------------- */

static void
put_objects(const struct view *v, const struct slab *slab, struct out *out)
{
	uint8_t *state = g_malloc(slab->objects);

	slab_states(slab, state);
	for (unsigned int i = 0; i < slab->objects; i++) {
		va_t at = slab_object(slab, i);
		const struct allocation *a = allocation_at(v->m, at);
		char name[16];

		out_hex(out, at);
		out_printf(out, " %llu %u %s %s\n",
			   (unsigned long long)slab->pfn, i,
			   state_names[state[i] % NR_OBJECT_STATES],
			   a ? allocation_name(a, name) : "-");
	}
	g_free(state);
}

void
show_cache_objects(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_cache(v);

	out_str(out, "address slab index state allocation\n");
	for (const struct slab *slab = s ? slab_next(s, NULL) : NULL; slab;
	     slab = slab_next(s, slab))
		put_objects(v, slab, out);
}

/* --- arrays, colour ------------------------------------------------------ */

static void
put_array(struct out *out, const char *whose, unsigned int number,
	  const struct slab_array *array)
{
	if (!array->limit)
		return;
	out_printf(out, "%s%u %u %u %u %s ", whose, number, array->avail,
		   array->limit, array->batchcount,
		   array->touched ? "yes" : "no");
	if (!array->avail)
		out_char(out, '-');
	/* The next to be given first. */
	for (uint32_t i = array->avail; i-- > 0;) {
		out_hex(out, array->entry[i]);
		if (i)
			out_char(out, ',');
	}
	out_char(out, '\n');
}

void
show_cache_arrays(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_cache(v);
	struct slab_array array;

	out_str(out, "whose avail limit batchcount touched buffers\n");
	for (unsigned int i = 0; s && i < v->m->phys->nr_cpus; i++)
		if (slab_array_of_cpu(s, i, &array))
			put_array(out, "cpu", i, &array);
	for (unsigned int i = 0; s && i < v->m->phys->nr_nodes; i++)
		if (slab_array_of_node(s, i, &array))
			put_array(out, "node", i, &array);
}

void
show_cache_colour(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_cache(v);
	struct slab_colours c;

	if (!s || !slab_colouring(s, &c))
		return;
	out_printf(out,
		   "colours %u\ncolour_off %u\ncolour_next %u\n"
		   "descriptor %s\ndescriptor_size %u\n",
		   c.colours, c.offset, c.next,
		   c.off_slab ? "off-slab" : "on-slab", c.descriptor);
}
