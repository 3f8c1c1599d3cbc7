// SPDX-License-Identifier: MIT
/*
 * mempool.c - /mempools/NAME; and the knobs of fault injection in debugfs
 */
#include "kmemfs/show.h"

#include "kmemfs/view/sums.h"

static const struct mempool *
view_pool(const struct view *v)
{
	return mempool_get(v->m->mempools, (uint32_t)v->key[0]);
}

static bool
is_out_of(const struct allocation *a, const struct mempool *pool)
{
	return a->pool == pool->id && a->free && !strcmp(a->free, MEMPOOL_FREE);
}

void
show_mempool_out(const struct view *v, struct out *out)
{
	const struct mempool *pool = view_pool(v);
	char name[16];

	for (const struct allocation *a = allocation_next(v->m, 0); pool && a;
	     a = allocation_next(v->m, a->id)) {
		if (!is_out_of(a, pool))
			continue;
		out_str(out, allocation_name(a, name));
		out_char(out, '\n');
	}
}

static void
put_pool_data(const struct mempool *pool, struct out *out)
{
	const struct kmem_cache *s = mempool_cache(pool);

	if (pool->kind == MEMPOOL_SLAB)
		out_str(out, s ? s->name : "-");
	else
		out_u64(out, pool->kind == MEMPOOL_KMALLOC ? pool->size
							   : pool->order);
}

void
show_mempool_pool_data(const struct view *v, struct out *out)
{
	const struct mempool *pool = view_pool(v);

	if (!pool)
		return;
	put_pool_data(pool, out);
	out_char(out, '\n');
}

void
show_mempool_kind(const struct view *v, struct out *out)
{
	const struct mempool *pool = view_pool(v);

	if (pool)
		out_printf(out, "%s\n", mempool_kind_names[pool->kind]);
}

void
show_mempool_min_nr(const struct view *v, struct out *out)
{
	const struct mempool *pool = view_pool(v);

	if (pool)
		put_value(out, pool->min_nr);
}

void
show_mempool_curr_nr(const struct view *v, struct out *out)
{
	const struct mempool *pool = view_pool(v);

	if (pool)
		put_value(out, pool->curr_nr);
}

void
show_mempool_info(const struct view *v, struct out *out)
{
	const struct mempool *pool = view_pool(v);
	uint64_t nr_out = 0;

	if (!pool)
		return;
	for (const struct allocation *a = allocation_next(v->m, 0); a;
	     a = allocation_next(v->m, a->id))
		nr_out += is_out_of(a, pool);
	put_text(out, "name", pool->name);
	put_counter(out, "id", pool->id);
	put_text(out, "kind", mempool_kind_names[pool->kind]);
	put_text(out, "alloc", mempool_alloc_fns[pool->kind]);
	put_text(out, "free", mempool_free_fns[pool->kind]);
	out_str(out, "pool_data ");
	put_pool_data(pool, out);
	out_char(out, '\n');
	put_counter(out, "size", pool->size);
	put_counter(out, "min_nr", pool->min_nr);
	put_counter(out, "curr_nr", pool->curr_nr);
	put_counter(out, "out", nr_out);
	put_counter(out, "waiters", pool->waiters.length);
	put_hex(out, "descriptor", pool->descriptor);
	put_hex(out, "elements", pool->elements);
	put_counter(out, "from_allocator", pool->nr_alloc);
	put_counter(out, "from_reserve", pool->nr_reserve);
	put_counter(out, "null", pool->nr_failed);
	put_counter(out, "slept", pool->nr_slept);
	put_counter(out, "to_reserve", pool->nr_refilled);
	put_counter(out, "to_allocator", pool->nr_freed);
}

void
show_mempool_elements(const struct view *v, struct out *out)
{
	const struct mempool *pool = view_pool(v);
	const struct phys *phys = v->m->phys;

	if (!pool)
		return;
	out_str(out, "index element pfn\n");
	for (uint32_t i = 0; i < pool->curr_nr; i++) {
		uint64_t element = mempool_element(pool, i);
		pfn_t pfn = pool->kind == MEMPOOL_PAGES
				    ? mempool_pfn(phys, element)
				    : (element - phys->arch->page_offset) >>
					      phys->page_shift;

		out_printf(out, "%u %#llx ", i, (unsigned long long)element);
		if (pfn < phys->max_pfn)
			out_u64(out, pfn);
		else
			out_char(out, '-');
		out_char(out, '\n');
	}
}

void
show_mempool_waiters(const struct view *v, struct out *out)
{
	const struct mempool *pool = view_pool(v);

	if (!pool)
		return;
	out_str(out, "task cpu since_ns until_ns tries name gfp\n");
	for (GList *l = pool->waiters.head; l; l = l->next) {
		const struct mempool_waiter *w = l->data;

		out_printf(out, "%d %u %llu ", w->who.pid, w->who.cpu,
			   (unsigned long long)w->since_ns);
		if (w->until_ns == UINT64_MAX)
			out_char(out, '-');
		else
			out_u64(out, w->until_ns);
		out_printf(out, " %llu %s ", (unsigned long long)w->tries,
			   w->name ? w->name : "-");
		gfp_print(out, w->who.gfp);
		out_char(out, '\n');
	}
}

/* --- debugfs -------------------------------------------------------------- */

void
show_failslab(const struct view *v, struct out *out)
{
	fault_show(&v->m->slab->failslab, v->name, out);
}

void
show_fail_page_alloc(const struct view *v, struct out *out)
{
	fault_show(&v->m->phys->fail_page_alloc, v->name, out);
}
