// SPDX-License-Identifier: MIT
/*
 * lines_kernel.h - lines at random for the kernel's own allocators: caches,
 * objects, mempools, per-CPU memory, failures on order
 *
 * Of law_machine.c, which has run, below(), ONE_OF, gfps, put_common().
 */
#ifndef TESTS_LAW_LINES_KERNEL_H
#define TESTS_LAW_LINES_KERNEL_H

static const char *const slab_flags[] = {
	"0",
	"SLAB_HWCACHE_ALIGN",
	"SLAB_RECLAIM_ACCOUNT",
	"SLAB_TYPESAFE_BY_RCU",
	"SLAB_CACHE_DMA|SLAB_HWCACHE_ALIGN",
	"SLAB_NOLEAKTRACE,SLAB_ACCOUNT",
	"SLAB_NOSUCH",
};

static const char *const slab_attributes[] = {
	"shrink 1",
	"min_partial 0",
	"min_partial 7",
	"cpu_partial 0",
	"cpu_partial 40",
	"validate 1",
	"remote_node_defrag_ratio 0",
};

static void
put_cache(struct out *out)
{
	if (below(3))
		out_printf(out, "c%u", below(12));
	else
		out_printf(out, "kmalloc-%u", 8U << below(8));
}

static void
line_cache(struct out *out)
{
	switch (below(8)) {
	case 0:
	case 1:
	case 2:
		out_printf(out, "slab/kmem_cache_create c%u %u flags=%s",
			   below(12), below(3) ? below(300) : below(9000),
			   ONE_OF(slab_flags));
		if (below(4) == 0)
			out_printf(out, " align=%u", 1U << below(9));
		if (below(4) == 0)
			out_str(out, " ctor=stripes");
		break;
	case 3:
		out_str(out, "slab/kmem_cache_destroy ");
		put_cache(out);
		break;
	case 4:
		out_str(out, "slab/kmem_cache_shrink ");
		put_cache(out);
		break;
	default:
		out_str(out, "slab/attribute ");
		put_cache(out);
		out_printf(out, " %s", ONE_OF(slab_attributes));
	}
}

static void
line_object(struct out *out)
{
	static const char *const by_size[] = {"kmalloc", "kzalloc"};

	switch (below(8)) {
	case 0:
		out_str(out, "slab/kmem_cache_alloc_bulk ");
		put_cache(out);
		out_printf(out, " %u %s", below(40), ONE_OF(gfps));
		break;
	case 1:
	case 2:
	case 3:
		out_str(out, "slab/kmem_cache_alloc ");
		put_cache(out);
		out_printf(out, " %s", ONE_OF(gfps));
		break;
	default:
		out_printf(out, "slab/%s %u %s", ONE_OF(by_size),
			   below(8) ? below(2000) : below(200000),
			   ONE_OF(gfps));
	}
	put_common(out);
}

/* By the op that is right for it. */
static void
line_object_free(struct out *out)
{
	uint32_t last = allocation_last_id(run.m);
	const struct allocation *a =
		allocation_next(run.m, last ? below(last) : 0);
	char name[16];

	while (a && a->kind == ALLOCATION_PAGES)
		a = allocation_next(run.m, a->id);
	if (!a) {
		line_object(out);
		return;
	}
	if (!strcmp(a->free, "slab/kfree") && below(4) == 0) {
		out_printf(out, "slab/krealloc %s %u %s",
			   allocation_name(a, name), below(6000), ONE_OF(gfps));
		return;
	}
	allocation_free_words(run.m, a, out);
	out_printf(out, " %s", allocation_name(a, name));
	if (below(2))
		out_printf(out, " cpu=%u", below(run.m->phys->nr_cpus));
}

static void
line_pool(struct out *out)
{
	switch (below(8)) {
	case 0:
		out_printf(out,
			   "mempool/mempool_create_kmalloc_pool %u %u "
			   "name=p%u",
			   below(20), below(3) ? below(3000) : below(60000),
			   below(6));
		break;
	case 1:
		out_printf(out,
			   "mempool/mempool_create_page_pool %u %u name=p%u",
			   below(12), below(4), below(6));
		break;
	case 2:
		out_printf(out, "mempool/mempool_create_slab_pool %u ",
			   below(20));
		put_cache(out);
		out_printf(out, " name=p%u", below(6));
		break;
	case 3:
		out_printf(out, "mempool/mempool_resize p%u %u", below(6),
			   below(30));
		break;
	case 4:
		out_printf(out, "mempool/mempool_destroy p%u", below(6));
		break;
	default:
		out_printf(out, "mempool/mempool_alloc p%u %s", below(6),
			   ONE_OF(gfps));
	}
}

static void
line_percpu(struct out *out)
{
	static const char *const steps[] = {"this_cpu_ptr", "get_cpu_ptr",
					    "put_cpu_ptr", "this_cpu_add"};
	static const char *const alone[] = {"load", "store", "schedule",
					    "get_cpu", "put_cpu"};

	switch (below(8)) {
	case 0:
	case 1:
		out_printf(out, "percpu/__alloc_percpu_gfp %u %u %s name=v%u",
			   below(4) ? below(500) : below(33000),
			   4U << below(10), ONE_OF(gfps), below(40));
		break;
	case 2:
	case 3:
		out_printf(out, "percpu/free_percpu v%u", below(40));
		break;
	case 4:
		out_printf(out, "percpu/write v%u %u %u hex:0102", below(40),
			   below(run.m->phys->nr_cpus), below(400));
		break;
	case 5:
		out_printf(out, "percpu/migrate t%u %u", below(3),
			   below(run.m->phys->nr_cpus));
		break;
	case 6:
		out_printf(out, "percpu/%s v%u task=t%u", ONE_OF(steps),
			   below(40), below(3));
		break;
	default:
		out_printf(out, "percpu/%s t%u", ONE_OF(alone), below(3));
	}
}

/* Now and then a tenth of all requests fails, for a while. */
static void
line_fault(struct out *out)
{
	static const char *const set[] = {
		"probability 10", "probability 0",     "times 20",
		"times -1",	  "ignore-gfp-wait N", "ignore-gfp-wait Y",
		"interval 3",	  "min-order 0",       "space 5000"};

	out_printf(out, "fault/attribute %s %s",
		   below(2) ? "failslab" : "fail_page_alloc", ONE_OF(set));
}

#endif
