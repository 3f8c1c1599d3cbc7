// SPDX-License-Identifier: MIT
/*
 * slab_boot.c - the caches that are there before anything else runs
 *
 * What it models: kmem_cache_init of mm/slub.c, create_boot_cache,
 *                 create_kmalloc_caches, kmalloc_info of mm/slab_common.c, of
 *                 6.1.192.
 * How it works:   first the caches of the descriptors themselves, then those
 *                 of kmalloc: type by type, sizes upwards, 96 behind 64 and 192
 *                 behind 128.
 * Always true:    no page is taken: what these caches consist of is part of
 *                 the kernel's image.
 * Differs from the kernel: there they are objects of kmem_cache and
 *                 kmem_cache_node as all others are; sizes of the structures
 *                 are those of a kernel with CONFIG_SLUB_DEBUG,
 *                 CONFIG_SLUB_CPU_PARTIAL and CONFIG_SYSFS.
 */
#include "classic_impl.h"
#include "common_impl.h"
#include "slub_impl.h"

#include "kmemfs/base/check.h"
#include "kmemfs/slab/kmalloc.h"

#include <stdio.h>
#include <string.h>

const char *const slab_allocator_names[NR_SLAB_ALLOCATORS] = {
	[ALLOCATOR_SLUB] = "slub",
	[ALLOCATOR_SLAB] = "slab",
	[ALLOCATOR_SLOB] = "slob",
};

const struct slab_ops *const slab_allocators[NR_SLAB_ALLOCATORS] = {
	[ALLOCATOR_SLUB] = &slub_ops,
	[ALLOCATOR_SLAB] = &classic_ops,
	[ALLOCATOR_SLOB] = &slob_ops,
};

const struct slab_ops *
slab_allocator_ops(enum slab_allocator id)
{
	return id < NR_SLAB_ALLOCATORS ? slab_allocators[id] : NULL;
}

/* From 6.11 on objects of kmalloc are aligned to the largest power of two that
 * divides their size; before, only those of such a size themselves. */
#define KERNEL_ALIGNS_ALL_SIZES SLAB_KERNEL(6, 11)

/* --- descriptors --------------------------------------------------------- */

/* sizeof(struct kmem_cache) up to its node pointers. */
static uint64_t
cache_struct_size(const struct slab_common *sc)
{
	uint64_t size = sc->word == 8 ? 200 : 128;

	if (sc->config.hardened)
		size += sc->word; /* unsigned long random */
	if (sc->config.random)
		size += sc->word; /* unsigned int *random_seq */
	return size;
}

/* A lock, a counter, two lists, two atomic counters. */
static uint64_t
node_struct_size(const struct slab_common *sc)
{
	return 8 * sc->word;
}

static struct kmem_cache *
boot_cache(struct slab_common *sc, const char *name, uint64_t size,
	   slab_flags_t flags, uint64_t usersize)
{
	const struct kmem_cache_args args = {
		.name = name,
		.size = size,
		.usersize = usersize,
		.allocator = sc->config.allocator,
	};
	uint64_t align = SLAB_ALIGN_LEAST, natural = size & -size;
	struct kmem_cache *s;
	int err;

	if (size == natural || (flags & SLAB_KMALLOC &&
				slab_kernel_from(sc, KERNEL_ALIGNS_ALL_SIZES)))
		align = MAX_OF(align, natural);
	s = slab_cache_new(sc, &args, slab_debug_flags(sc, flags, name),
			   slab_alignment(sc, flags, align, size), &err);
	/* Sizes are ours, and every one of them fits. */
	KM_ASSERT(s);
	s->boot = true;
	return s;
}

static void
boot_descriptors(struct slab_common *sc)
{
	uint64_t nodes = (uint64_t)sc->phys->nr_nodes * sc->word;

	sc->kmem_cache =
		boot_cache(sc, "kmem_cache", cache_struct_size(sc) + nodes,
			   SLAB_HWCACHE_ALIGN, 0);
	sc->kmem_cache_node =
		boot_cache(sc, "kmem_cache_node", node_struct_size(sc),
			   SLAB_HWCACHE_ALIGN, 0);
	sc->kmem_cache->refcount = -1;
	sc->kmem_cache_node->refcount = -1;
}

/* --- kmalloc ------------------------------------------------------------- */

static const struct {
	const char *prefix;
	slab_flags_t flags;
} kmalloc_types[NR_KMALLOC_TYPES] = {
	[KMALLOC_NORMAL] = {"kmalloc-",	0			 },
	[KMALLOC_CGROUP] = {"kmalloc-cg-",  SLAB_ACCOUNT	       },
	[KMALLOC_RECLAIM] = {"kmalloc-rcl-", SLAB_RECLAIM_ACCOUNT},
	[KMALLOC_DMA] = {"dma-kmalloc-", SLAB_CACHE_DMA      },
};

static uint64_t
kmalloc_index_size(unsigned int index)
{
	return index == 1 ? 96 : index == 2 ? 192 : 1ULL << index;
}

/* "96", "512", "8k", "2M" behind the type's prefix. */
static void
kmalloc_name(char *buf, size_t len, enum kmalloc_type type, uint64_t size)
{
	const char *unit = "";

	if (size >= MIB(1)) {
		size >>= 20;
		unit = "M";
	} else if (size >= KIB(1)) {
		size >>= 10;
		unit = "k";
	}
	snprintf(buf, len, "%s%llu%s", kmalloc_types[type].prefix,
		 (unsigned long long)size, unit);
}

static void
boot_kmalloc_cache(struct slab_common *sc, enum kmalloc_type type,
		   unsigned int index)
{
	uint64_t size = kmalloc_index_size(index);
	struct kmem_cache *s;
	char name[32];

	kmalloc_name(name, sizeof(name), type, size);
	s = boot_cache(sc, name, size, kmalloc_types[type].flags | SLAB_KMALLOC,
		       size);
	s->kmalloc_type = (int8_t)type;
	/* Accounted objects shall never come to lie among those. */
	if (sc->config.memcg && type == KMALLOC_NORMAL)
		s->refcount = -1;
	sc->kmalloc[type][index] = s;
}

/* Kernels without cgroups or a zone DMA have the type, but no caches of it. */
static bool
kmalloc_type_exists(const struct slab_common *sc, unsigned int type)
{
	if (type == KMALLOC_CGROUP)
		return sc->config.memcg;
	if (type == KMALLOC_DMA)
		return arch_has_zone(sc->phys->arch, ZONE_DMA);
	return true;
}

static void
boot_kmalloc(struct slab_common *sc)
{
	for (unsigned int type = 0; type < NR_KMALLOC_TYPES; type++) {
		enum kmalloc_type t = (enum kmalloc_type)type;

		if (!kmalloc_type_exists(sc, type)) {
			memcpy(sc->kmalloc[type], sc->kmalloc[KMALLOC_NORMAL],
			       sizeof(sc->kmalloc[type]));
			continue;
		}
		for (unsigned int i = KMALLOC_SHIFT_LOW;
		     i <= kmalloc_shift_high(sc); i++) {
			boot_kmalloc_cache(sc, t, i);
			if (i == 6)
				boot_kmalloc_cache(sc, t, 1);
			if (i == 7)
				boot_kmalloc_cache(sc, t, 2);
		}
	}
}

static void
boot_slub(struct slab_common *sc)
{
	boot_descriptors(sc);
	boot_kmalloc(sc);
	slab_printk(sc,
		    "SLUB: HWalign=%u, Order=%u-%u, MinObjects=%u, CPUs=%u, "
		    "Nodes=%u",
		    CACHE_LINE, sc->slub_min_order, sc->slub_max_order,
		    sc->slub_min_objects, sc->nr_cpu_ids, sc->phys->nr_nodes);
}

/* --- the others ---------------------------------------------------------- */

/* malloc_sizes of 2.6: a cache and its twin for DMA, of one size after the
 * other; 96 comes with cache lines of 32 bytes only. */
static void
boot_classic_size(struct slab_common *sc, unsigned int index)
{
	uint64_t size = kmalloc_index_size(index);
	bool dma = arch_has_zone(sc->phys->arch, ZONE_DMA);
	char name[32];

	for (unsigned int type = 0; type < NR_KMALLOC_TYPES; type++) {
		bool own = type == KMALLOC_DMA && dma;
		struct kmem_cache *s = sc->kmalloc[KMALLOC_NORMAL][index];

		if (!s || own) {
			snprintf(name, sizeof(name), "size-%llu%s",
				 (unsigned long long)size, own ? "(DMA)" : "");
			s = boot_cache(sc, name, size,
				       SLAB_HWCACHE_ALIGN |
					       (own ? SLAB_CACHE_DMA : 0U),
				       0);
			s->kmalloc_type = (int8_t)type;
			s->refcount = -1;
		}
		sc->kmalloc[type][index] = s;
	}
}

/* kmem_list3: three lists, a counter, two arrays, a timer and some bits. */
static uint64_t
list3_struct_size(const struct slab_common *sc)
{
	return 12UL * sc->word;
}

static void
boot_classic(struct slab_common *sc)
{
	uint64_t nodes = (uint64_t)sc->phys->nr_nodes * sc->word;

	sc->kmem_cache =
		boot_cache(sc, "kmem_cache", cache_struct_size(sc) + nodes,
			   SLAB_HWCACHE_ALIGN, 0);
	sc->kmem_cache->refcount = -1;
	for (unsigned int i = CLASSIC_KMALLOC_LOW;
	     1U << i <= CLASSIC_KMALLOC_MOST; i++) {
		boot_classic_size(sc, i);
		if (i == 7)
			boot_classic_size(sc, 2);
	}
	sc->kmem_cache_node = kmalloc_cache(sc, list3_struct_size(sc), 0);
}

/* What a cache has of its nodes is in its descriptor; kmalloc needs none. */
static void
boot_slob(struct slab_common *sc)
{
	sc->kmem_cache =
		boot_cache(sc, "kmem_cache", cache_struct_size(sc), 0, 0);
	sc->kmem_cache->refcount = -1;
}

/* --- the whole ----------------------------------------------------------- */

struct slab_common *
slab_boot(const struct slab_config *config, struct phys *phys, struct ram *ram,
	  struct symbols *symbols)
{
	struct slab_common *sc = g_new0(struct slab_common, 1);

	KM_ASSERT(slab_allocator_ops(config->allocator));
	sc->config = *config;
	if (!sc->config.kernel)
		sc->config.kernel = SLAB_KERNEL(6, 1);
	sc->phys = phys;
	sc->page_shift = phys->page_shift;
	sc->page_offset = phys->arch->page_offset;
	sc->ram = ram;
	sc->symbols = symbols;
	sc->random = config->seed;
	fault_init(&sc->failslab, "failslab", 0, config->seed);
	sc->word = phys->config->arch == ARCH_I386 ||
				   phys->config->arch == ARCH_I386_PAE
			   ? 4
			   : 8;
	sc->nr_cpu_ids = phys->nr_cpus;
	sc->caches = g_ptr_array_new();
	sc->names =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_queue_init(&sc->rcu);
	sc->slub_max_order = PAGE_ALLOC_COSTLY_ORDER;
	slab_cmdline_read(sc);
	if (sc->config.allocator != ALLOCATOR_SLOB)
		kmalloc_boot_sizes(sc);
	if (sc->config.allocator == ALLOCATOR_SLAB)
		boot_classic(sc);
	else if (sc->config.allocator == ALLOCATOR_SLOB)
		boot_slob(sc);
	else
		boot_slub(sc);
	return sc;
}
