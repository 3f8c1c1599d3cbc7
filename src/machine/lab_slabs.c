// SPDX-License-Identifier: MIT
/*
 * lab_slabs.c - the same work done by SLUB, the classic SLAB and SLOB
 *
 * How it works:   a machine is booted for each allocator in turn.  A generator
 *                 of its own decides what is asked for and which object goes
 *                 next, and nothing that an allocator does has a part in it.
 *                 An operation is the more likely a free the more objects live,
 *                 so that their number stays around what was asked for.
 *                 At the end the objects that live are counted: what users
 *                 asked for, what an object takes, what all pages have.
 *
 *     internal fragmentation    taken - asked, of what is taken
 *     external fragmentation    pages - taken, of all pages' bytes
 */
#include "kmemfs/machine/lab_slabs.h"

#include "kmemfs/base/random.h"
#include "kmemfs/slab/kmalloc.h"

#include <stdio.h>
#include <string.h>

#define LINE 64
#define OPERATION_NS 100000 /* ten thousand operations a second */
#define TEXT 0xffffffff81000000
#define FUNCTION 64

/* --- workloads -----------------------------------------------------------
 */

/* A request: of a cache, or of kmalloc from @size to @most bytes. */
struct kind {
	unsigned int weight;
	const char *cache; /* NULL: kmalloc */
	uint32_t size, most;
};

#define KINDS 8

struct work {
	struct slab_workload told;
	struct kind kind[KINDS]; /* weight 0 ends */
};

static const struct work works[] = {
	{{"small", "kmalloc of 8 to 128 bytes"},				 {{1, NULL, 8, 128}}},
	{{"kmalloc", "kmalloc of 8 bytes to 8 KiB, small ones more often"},
	 {{40, NULL, 8, 64},
	  {30, NULL, 65, 256},
	  {20, NULL, 257, 1024},
	  {8, NULL, 1025, 4096},
	  {2, NULL, 4097, 8192}}							       },
	{{"caches", "objects of the sizes of a kernel's own caches"},
	 {{30, "dentry", 192, 0},
	  {20, "inode", 600, 0},
	  {20, "vm_area", 152, 0},
	  {15, "filp", 232, 0},
	  {10, "skbuff", 232, 0},
	  {5, "task", 5960, 0}}								},
	{{"mixed", "half from caches, half from kmalloc"},
	 {{15, "dentry", 192, 0},
	  {10, "inode", 600, 0},
	  {20, "vm_area", 152, 0},
	  {5, "task", 5960, 0},
	  {25, NULL, 8, 128},
	  {20, NULL, 129, 1024},
	  {5, NULL, 1025, 8192}}							       },
};

const struct slab_workload *
slab_workload_nth(unsigned int n)
{
	return n < ARRAY_SIZE(works) ? &works[n].told : NULL;
}

const struct slab_workload *
slab_workload_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		if (!strcmp(works[i].told.name, name))
			return &works[i].told;
	return NULL;
}

static const struct work *
work_of(const struct slab_workload *told)
{
	size_t i = 0;

	while (&works[i].told != told)
		i++;
	return &works[i];
}

/* --- a machine of its own --------------------------------------------------
 */

struct object {
	va_t at;
	uint32_t bytes;
	uint8_t kind;
};

struct bench {
	const struct work *work;
	struct trace trace;
	uint64_t now;
	struct phys *phys;
	struct ram *ram;
	struct symbols *symbols;
	struct slab_common *sc;
	struct kmem_cache *cache[KINDS];
	struct object *live; /* [2 * target] */
	uint64_t nr, target;
	uint64_t random;
	struct slab_lab_result *result;
};

static uint64_t
below(struct bench *b, uint64_t limit)
{
	return random_next(&b->random) % limit;
}

static bool
make_caches(struct bench *b, enum slab_allocator allocator, char *why,
	    size_t why_size)
{
	const struct slab_request who = {
		.gfp = GFP_KERNEL, .nid = NODE_LOCAL, .pid = 1};

	for (unsigned int i = 0; i < KINDS && b->work->kind[i].weight; i++) {
		const struct kind *k = &b->work->kind[i];
		struct kmem_cache_args args = {
			.name = k->cache,
			.size = k->size,
			.usersize = k->size, /* never merged */
			.allocator = allocator,
			.who = &who,
		};
		struct refusal r = {0};

		if (k->cache &&
		    kmem_cache_create(b->sc, &args, &b->cache[i], &r)) {
			snprintf(why, why_size, "cache %s: %s", k->cache,
				 r.sentence);
			return false;
		}
	}
	return true;
}

static bool
boot(struct bench *b, const struct machine_config *config,
     enum slab_allocator allocator, char *why, size_t why_size)
{
	struct slab_config slab = config->slab;

	slab.allocator = allocator;
	b->phys = phys_boot(&config->phys, &b->trace, &b->now, NULL, NULL, why,
			    why_size);
	if (!b->phys)
		return false;
	b->ram = ram_new(b->phys->max_pfn << b->phys->page_shift,
			 config->ram_limit);
	b->symbols = symbols_new(TEXT, FUNCTION);
	b->sc = slab_boot(&slab, b->phys, b->ram, b->symbols);
	return make_caches(b, allocator, why, why_size);
}

static void
shut(struct bench *b)
{
	slab_common_free(b->sc);
	symbols_free(b->symbols);
	if (b->phys)
		phys_free(b->phys);
	ram_free(b->ram);
}

/* --- work ------------------------------------------------------------------
 */

static uint64_t
pages(const struct bench *b)
{
	int64_t sum = 0;

	for (unsigned int i = 0; i < b->phys->nr_nodes; i++) {
		const int64_t *stat = b->phys->nodes[i]->stat;

		sum += stat[NS_nr_slab_reclaimable] +
		       stat[NS_nr_slab_unreclaimable];
	}
	return (uint64_t)sum;
}

static unsigned int
pick_kind(struct bench *b)
{
	const struct kind *k = b->work->kind;
	unsigned int total = 0, at, i = 0;

	for (unsigned int n = 0; n < KINDS; n++)
		total += k[n].weight;
	for (at = (unsigned int)below(b, total); at >= k[i].weight; i++)
		at -= k[i].weight;
	return i;
}

static void
ask(struct bench *b, struct slab_request *r)
{
	struct object o = {.kind = (uint8_t)pick_kind(b)};
	const struct kind *k = &b->work->kind[o.kind];
	int err;

	o.bytes = k->size;
	if (!k->cache)
		o.bytes += (uint32_t)below(b, k->most - k->size + 1);
	err = k->cache ? kmem_cache_alloc(b->cache[o.kind], r, &o.at)
		       : kmalloc(b->sc, o.bytes, r, &o.at);
	b->result->allocated += !err;
	b->result->failed += err != 0;
	if (!err)
		b->live[b->nr++] = o;
	b->result->peak = MAX_OF(b->result->peak, pages(b));
}

static void
give(struct bench *b, uint64_t i, struct slab_request *r)
{
	const struct object o = b->live[i];

	b->live[i] = b->live[--b->nr];
	if (b->cache[o.kind])
		kmem_cache_free(b->cache[o.kind], o.at, r);
	else
		kfree(b->sc, o.at, r);
	b->result->freed++;
}

static void
operate(struct bench *b)
{
	struct slab_request r = {
		.gfp = GFP_KERNEL | __GFP_NOWARN,
		.nid = NODE_LOCAL,
		.cpu = (unsigned int)below(b, b->phys->nr_cpus),
		.pid = 1};

	b->now += OPERATION_NS;
	b->trace.now.cpu = r.cpu;
	slab_tick(b->sc);
	if (below(b, 2 * b->target) >= b->nr)
		ask(b, &r);
	else
		give(b, below(b, b->nr), &r);
}

/* --- what came of it -------------------------------------------------------
 */

static void
count(struct bench *b)
{
	struct slab_lab_result *result = b->result;

	result->live = b->nr;
	result->pages = pages(b);
	for (uint64_t i = 0; i < b->nr; i++) {
		const struct object *o = &b->live[i];

		result->asked += o->bytes;
		result->taken += slab_footprint(b->sc, b->cache[o->kind], o->at,
						o->bytes);
		result->line[o->at / LINE % SLAB_LAB_SETS]++;
	}
	/* Youngest first: what describes the slabs of one lies in older ones.
	 */
	for (guint i = b->sc->caches->len; i-- > 0;)
		kmem_cache_shrink(g_ptr_array_index(b->sc->caches, i));
	result->shrunk = pages(b);
}

static bool
run_one(struct slab_lab *lab, const struct machine_config *config,
	enum slab_allocator allocator, char *why, size_t why_size)
{
	struct bench b = {
		.work = work_of(lab->workload),
		.target = lab->live,
		.random = lab->seed,
		.result = &lab->result[allocator],
	};
	bool ok = boot(&b, config, allocator, why, why_size);

	if (ok) {
		b.live = g_new(struct object, 2 * lab->live + 1);
		for (uint64_t i = 0; i < lab->operations; i++)
			operate(&b);
		count(&b);
		g_free(b.live);
	}
	shut(&b);
	return ok;
}

struct slab_lab *
slab_lab_run(const struct machine_config *config,
	     const struct slab_workload *workload, uint64_t seed,
	     uint64_t operations, uint64_t live, char *why, size_t why_size)
{
	struct slab_lab *lab = g_new0(struct slab_lab, 1);

	lab->workload = workload;
	lab->seed = seed;
	lab->operations = operations;
	lab->live = live;
	for (unsigned int i = 0; i < NR_SLAB_ALLOCATORS; i++)
		if (!run_one(lab, config, (enum slab_allocator)i, why,
			     why_size)) {
			g_free(lab);
			return NULL;
		}
	return lab;
}
