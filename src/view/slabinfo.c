// SPDX-License-Identifier: MIT
/*
 * slabinfo.c - /proc/slabinfo and /kmalloc: caches, one a line
 *
 * What it models: cache_show of mm/slab_common.c of 6.1, format 2.1.
 */
#include "kmemfs/show.h"

#include "kmemfs/slab/kmalloc.h"

/* The kernels with SLAB or SLUB have the file, those with SLOB do not. */
bool
when_slabinfo(const struct view *v)
{
	return v->m->slab->config.allocator != ALLOCATOR_SLOB;
}

/* "%-17s" */
static void
put_name(struct out *out, const char *name)
{
	size_t len = strlen(name);

	out_mem(out, name, len);
	for (; len < 17; len++)
		out_char(out, ' ');
}

static void
put_cache(struct out *out, const struct kmem_cache *s)
{
	struct slabinfo info;

	slab_info(s, &info);
	put_name(out, s->name);
	out_printf(out, " %6llu %6llu %6u %4u %4d",
		   (unsigned long long)info.active_objs,
		   (unsigned long long)info.num_objs, s->size,
		   info.objects_per_slab, 1 << info.order);
	out_printf(out, " : tunables %4u %4u %4u", info.limit, info.batchcount,
		   info.shared);
	out_printf(out, " : slabdata %6llu %6llu %6llu\n",
		   (unsigned long long)info.active_slabs,
		   (unsigned long long)info.num_slabs,
		   (unsigned long long)info.shared_avail);
}

void
show_slabinfo(const struct view *v, struct out *out)
{
	const GPtrArray *caches = v->m->slab->caches;

	out_str(out, "slabinfo - version: 2.1\n");
	out_str(out, "# name            <active_objs> <num_objs> <objsize> "
		     "<objperslab> <pagesperslab>");
	out_str(out, " : tunables <limit> <batchcount> <sharedfactor>");
	out_str(out, " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	/* New caches are put at the head of the kernel's list. */
	for (guint i = caches->len; i-- > 0;)
		put_cache(out, caches->pdata[i]);
}

/* --- /kmalloc ------------------------------------------------------------ */

struct asked {
	uint64_t objects, bytes, given;
};

/* What live allocations of ops asked of each cache, by its id. */
static GHashTable *
sum_asked(struct machine *m)
{
	GHashTable *by_cache = g_hash_table_new_full(NULL, NULL, NULL, g_free);

	for (const struct allocation *a = allocation_next(m, 0); a;
	     a = allocation_next(m, a->id)) {
		gpointer id = GUINT_TO_POINTER(a->cache);
		struct asked *sum;

		if (a->kind != ALLOCATION_OBJECT || a->pool)
			continue;
		sum = g_hash_table_lookup(by_cache, id);
		if (!sum) {
			sum = g_new0(struct asked, 1);
			g_hash_table_insert(by_cache, id, sum);
		}
		sum->objects++;
		sum->bytes += a->size;
		sum->given += ksize(m->slab, a->address);
	}
	return by_cache;
}

static void
put_asked(struct out *out, const struct asked *sum)
{
	uint64_t waste = 0;

	if (!sum) {
		out_printf(out, " %8d %10d %10d %5s\n", 0, 0, 0, "-");
		return;
	}
	if (sum->given)
		waste = (sum->given - MIN_OF(sum->bytes, sum->given)) * 1000 /
			sum->given;
	out_printf(out, " %8llu %10llu %10llu %3llu.%llu\n",
		   (unsigned long long)sum->objects,
		   (unsigned long long)sum->bytes,
		   (unsigned long long)sum->given,
		   (unsigned long long)(waste / 10),
		   (unsigned long long)(waste % 10));
}

void
show_kmalloc(const struct view *v, struct out *out)
{
	const struct slab_common *sc = v->m->slab;
	GHashTable *by_cache = sum_asked(v->m);

	out_printf(out, "%-17s %8s %8s %8s %6s %8s %10s %10s %5s\n", "cache",
		   "size", "in_use", "total", "slabs", "ours", "asked", "given",
		   "waste%");
	for (guint i = 0; i < sc->caches->len; i++) {
		const struct kmem_cache *s = sc->caches->pdata[i];
		struct slabinfo info;

		if (s->kmalloc_type < 0)
			continue;
		slab_info(s, &info);
		out_printf(out, "%-17s %8u %8llu %8llu %6llu", s->name,
			   s->object_size, (unsigned long long)info.active_objs,
			   (unsigned long long)info.num_objs,
			   (unsigned long long)info.num_slabs);
		put_asked(out, g_hash_table_lookup(by_cache,
						   GUINT_TO_POINTER(s->id)));
	}
	out_printf(out, "%-17s %8s %8s %8s %6s", "pages", "-", "-", "-", "-");
	put_asked(out, g_hash_table_lookup(by_cache, NULL));
	g_hash_table_destroy(by_cache);
}
