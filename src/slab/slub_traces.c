// SPDX-License-Identifier: MIT
/*
 * slub_traces.c - whose the objects in use are
 *
 * What it models: add_location, process_slab, slab_debugfs_show of mm/slub.c of
 *                 6.1.192: alloc_traces and free_traces of a cache in debugfs.
 * How it works:   the records behind all objects in use are sorted into places,
 *                 by caller, stack and, for kmalloc, by the bytes that were not
 *                 asked for; what a record holds may be anything.
 */
#include "slub_debug_impl.h"

/* Objects with one caller: struct location. */
struct place {
	va_t addr;
	uint32_t handle;
	uint32_t waste;
	uint64_t count;
	uint64_t sum, min, max; /* jiffies since */
	int32_t min_pid, max_pid;
	GArray *cpus;  /* of bool */
	GArray *nodes; /* of bool */
};

struct places {
	const struct kmem_cache *s;
	enum track_item what;
	GTree *all; /* of struct place *, by itself */
};

static gint
compare(gconstpointer a, gconstpointer b, gpointer unused)
{
	const struct place *p = a, *q = b;

	(void)unused;
	if (p->addr != q->addr)
		return p->addr < q->addr ? -1 : 1;
	if (p->handle != q->handle)
		return p->handle < q->handle ? -1 : 1;
	return p->waste == q->waste ? 0 : p->waste < q->waste ? -1 : 1;
}

static void
place_free(gpointer data)
{
	struct place *p = data;

	g_array_free(p->cpus, TRUE);
	g_array_free(p->nodes, TRUE);
	g_free(p);
}

static void
mark(GArray *set, uint32_t member)
{
	if (member < set->len)
		g_array_index(set, bool, member) = true;
}

static GArray *
empty_set(unsigned int nr)
{
	return g_array_set_size(g_array_new(FALSE, TRUE, sizeof(bool)), nr);
}

/* add_location */
static void
add(struct places *t, const struct slab *slab, va_t object)
{
	const struct phys *phys = t->s->common->phys;
	struct place key, *p;
	struct slub_track track;
	uint64_t age;

	slub_get_track(t->s, object, t->what, &track);
	key.addr = track.addr;
	key.handle = track.handle;
	key.waste = t->what == TRACK_FREE
			    ? 0
			    : t->s->object_size - slub_kept_size(t->s, object);
	age = slub_jiffies(t->s->common) - track.when;
	if (t->s->common->word == 4)
		age = (uint32_t)age;
	p = g_tree_lookup(t->all, &key);
	if (!p) {
		p = g_new(struct place, 1);
		*p = (struct place){.addr = key.addr,
				    .handle = key.handle,
				    .waste = key.waste,
				    .min = age,
				    .max = age,
				    .min_pid = track.pid,
				    .max_pid = track.pid,
				    .cpus = empty_set(phys->nr_cpus),
				    .nodes = empty_set(phys->nr_nodes)};
		g_tree_insert(t->all, p, p);
	}
	if (!p->count++ || track.when) {
		p->sum += age;
		p->min = MIN_OF(p->min, age);
		p->max = MAX_OF(p->max, age);
		p->min_pid = MIN_OF(p->min_pid, track.pid);
		p->max_pid = MAX_OF(p->max_pid, track.pid);
		mark(p->cpus, track.cpu);
	}
	mark(p->nodes, slab->nid);
}

/* process_slab */
static void
add_list(struct places *t, const struct slab_list *list)
{
	const struct slab_common *sc = t->s->common;

	for (const struct slab *slab = slab_list_first(sc, list); slab;
	     slab = slab_list_next(sc, slab)) {
		uint8_t *free = g_malloc0(slab->objects + 1UL);

		slub_walk(slab, slab->freelist, free, 1, NULL);
		for (uint32_t i = 0; i < slab->objects; i++)
			if (!free[i])
				add(t, slab, slab_object(slab, i));
		g_free(free);
	}
}

/* --- printing ------------------------------------------------------------ */

/* %*pbl: "0-2,5"; nothing for an empty set. */
static void
print_set(const char *name, const GArray *set, struct out *out)
{
	const char *before = name;

	for (guint i = 0; i < set->len; i++) {
		guint end = i;

		if (!g_array_index(set, bool, i))
			continue;
		while (end + 1 < set->len && g_array_index(set, bool, end + 1))
			end++;
		out_printf(out, "%s%u", before, i);
		if (end > i)
			out_printf(out, "-%u", end);
		before = ",";
		i = end;
	}
}

static unsigned int
online_cpus(const struct phys *phys)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < phys->nr_cpus; i++)
		nr += phys->cpu_online[i];
	return nr;
}

static void
print_place(const struct slab_common *sc, const struct place *p,
	    struct out *out)
{
	out_printf(out, "%7" PRIu64 " ", p->count);
	if (p->addr)
		symbols_print(sc->symbols, p->addr, out);
	else
		out_str(out, "<not-available>");
	if (p->waste)
		out_printf(out, " waste=%" PRIu64 "/%u", p->count * p->waste,
			   p->waste);
	out_printf(out, " age=%" PRId64, (int64_t)p->min);
	if (p->sum != p->min)
		out_printf(out, "/%" PRIu64 "/%" PRId64, p->sum / p->count,
			   (int64_t)p->max);
	out_printf(out, " pid=%d", p->min_pid);
	if (p->min_pid != p->max_pid)
		out_printf(out, "-%d", p->max_pid);
	if (online_cpus(sc->phys) > 1)
		print_set(" cpus=", p->cpus, out);
	if (sc->phys->nr_nodes > 1)
		print_set(" nodes=", p->nodes, out);
	if (p->handle) {
		out_char(out, '\n');
		if (slub_stack_handle(sc, p->addr) == p->handle) {
			out_str(out, "        ");
			symbols_print(sc->symbols, p->addr, out);
			out_char(out, '\n');
		}
	}
	out_char(out, '\n');
}

static gboolean
collect(gpointer key, gpointer value, gpointer list)
{
	(void)key;
	g_ptr_array_add(list, value);
	return FALSE;
}

static gint
by_count(gconstpointer a, gconstpointer b)
{
	const struct place *const *p = a, *const *q = b;

	if ((*p)->count != (*q)->count)
		return (*p)->count > (*q)->count ? -1 : 1;
	return compare(*p, *q, NULL);
}

bool
slab_has_traces(const struct kmem_cache *s)
{
	return s->ops->id == ALLOCATOR_SLUB && s->flags & SLAB_STORE_USER;
}

void
slab_print_traces(const struct kmem_cache *s, bool of_frees, struct out *out)
{
	struct places t = {.s = s, .what = of_frees ? TRACK_FREE : TRACK_ALLOC};
	GPtrArray *list = g_ptr_array_new();

	t.all = g_tree_new_full(compare, NULL, NULL, place_free);
	for (unsigned int i = 0; i < s->common->phys->nr_nodes; i++) {
		add_list(&t, &s->node[i].partial);
		add_list(&t, &s->node[i].full);
	}
	g_tree_foreach(t.all, collect, list);
	g_ptr_array_sort(list, by_count);
	for (guint i = 0; i < list->len; i++)
		print_place(s->common, list->pdata[i], out);
	if (!list->len)
		out_str(out, "No data\n");
	g_ptr_array_free(list, TRUE);
	g_tree_destroy(t.all);
}
