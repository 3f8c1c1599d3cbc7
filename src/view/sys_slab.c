// SPDX-License-Identifier: MIT
/*
 * sys_slab.c - /sys/kernel/slab
 *
 * What it models: the attributes of mm/slub.c of 6.1 (slab_attrs) with
 * CONFIG_SLUB_DEBUG, without CONFIG_SLUB_STATS, FAILSLAB and KFENCE.
 */
#include "kmemfs/show.h"

#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"

bool
when_slub(const struct view *v)
{
	return v->m->slab->config.allocator == ALLOCATOR_SLUB;
}

static const struct kmem_cache *
view_dir(const struct view *v)
{
	return kmem_cache_get(v->m->slab, (uint32_t)v->key[0]);
}

void
show_slab_link(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_cache(v);
	char buf[32];

	if (s)
		out_str(out, kmem_cache_dir(s, buf));
}

/* --- numbers ------------------------------------------------------------- */

#define SHOW_VALUE(name, value)                                                \
	void show_slab_##name(const struct view *v, struct out *out)           \
	{                                                                      \
		const struct kmem_cache *s = view_dir(v);                      \
                                                                               \
		if (s)                                                         \
			put_value(out, value);                                 \
	}

#define SHOW_FLAG(name, flag) SHOW_VALUE(name, (s->flags & (flag)) != 0)

SHOW_VALUE(size, s->size)
SHOW_VALUE(object_size, s->object_size)
SHOW_VALUE(objs_per_slab, s->objects)
SHOW_VALUE(order, s->order)
SHOW_VALUE(min_partial, s->min_partial)
SHOW_VALUE(cpu_partial, s->cpu_partial)
SHOW_VALUE(align, s->align)
SHOW_VALUE(usersize, s->usersize)
SHOW_VALUE(remote_node_defrag_ratio, s->remote_node_defrag_ratio)
SHOW_VALUE(aliases, s->refcount < 0 ? 0 : (uint64_t)MAX_OF(s->refcount - 1, 0))
SHOW_FLAG(hwcache_align, SLAB_HWCACHE_ALIGN)
SHOW_FLAG(reclaim_account, SLAB_RECLAIM_ACCOUNT)
SHOW_FLAG(destroy_by_rcu, SLAB_TYPESAFE_BY_RCU)
SHOW_FLAG(cache_dma, SLAB_CACHE_DMA)
SHOW_FLAG(sanity_checks, SLAB_CONSISTENCY_CHECKS)
SHOW_FLAG(trace, SLAB_TRACE)
SHOW_FLAG(red_zone, SLAB_RED_ZONE)
SHOW_FLAG(poison, SLAB_POISON)
SHOW_FLAG(store_user, SLAB_STORE_USER)

void
show_slab_ctor(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_dir(v);

	if (!s || !s->ctor)
		return;
	out_str(out, slab_ctor_name(s->ctor));
	out_char(out, '\n');
}

/* --- counts: "total N0=a N1=b" ------------------------------------------- */

static void
put_count(const struct view *v, enum slab_count what, struct out *out)
{
	const struct kmem_cache *s = view_dir(v);
	const struct phys *phys = v->m->phys;

	if (!s)
		return;
	out_u64(out, slab_count(s, what, -1));
	for (unsigned int n = 0; n < phys->nr_nodes; n++) {
		uint64_t count = slab_count(s, what, (int)n);

		if (count && kernel_has(phys, KERNEL_NUMA))
			out_printf(out, " N%u=%llu", n,
				   (unsigned long long)count);
	}
	out_char(out, '\n');
}

#define SHOW_COUNT(name, what)                                                 \
	void show_slab_##name(const struct view *v, struct out *out)           \
	{                                                                      \
		put_count(v, what, out);                                       \
	}

SHOW_COUNT(objects, SLAB_COUNT_OBJECTS)
SHOW_COUNT(objects_partial, SLAB_COUNT_OBJECTS_PARTIAL)
SHOW_COUNT(partial, SLAB_COUNT_PARTIAL)
SHOW_COUNT(cpu_slabs, SLAB_COUNT_CPU_SLABS)
SHOW_COUNT(total_objects, SLAB_COUNT_TOTAL_OBJECTS)
SHOW_COUNT(slabs, SLAB_COUNT_SLABS)

/* The kernel counts slabs on CPUs' lists, and takes each for half empty. */
static uint64_t
guessed_objects(const struct kmem_cache *s, uint64_t slabs)
{
	return slabs * s->objects / 2;
}

void
show_slab_slabs_cpu_partial(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_dir(v);
	uint64_t slabs = 0;

	if (!s || !s->cpu)
		return;
	for (unsigned int cpu = 0; cpu < v->m->phys->nr_cpus; cpu++)
		slabs += s->cpu[cpu].partial_slabs;
	out_printf(out, "%llu(%llu)",
		   (unsigned long long)guessed_objects(s, slabs),
		   (unsigned long long)slabs);
	for (unsigned int cpu = 0; cpu < v->m->phys->nr_cpus; cpu++) {
		slabs = s->cpu[cpu].partial_slabs;
		if (slabs)
			out_printf(
				out, " C%u=%llu(%llu)", cpu,
				(unsigned long long)guessed_objects(s, slabs),
				(unsigned long long)slabs);
	}
	out_char(out, '\n');
}
