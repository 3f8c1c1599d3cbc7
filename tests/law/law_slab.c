// SPDX-License-Identifier: MIT
/*
 * law_slab.c - random steps of caches and objects, all laws checked after each
 *
 *   law_slab [--seed N] [--ops N] [--machine NAME] [--trace]
 *
 * Runs go from few steps to many and from small machines to large ones, so
 * that the first failure is near the smallest.  Steps: objects come and go one
 * by one and in bulk, on all CPUs and nodes; kmalloc and kfree; caches are
 * made, shrunk and destroyed; CPUs go; time passes.  Nobody misuses anything,
 * so the laws of slabs and of pages hold, each object's bytes are what its
 * owner wrote, and no two objects overlap.  At the end all is freed, and the
 * page allocator has what it had.  Each run is done twice, once with a story
 * told for each request: the digests must be equal.
 *
 * A failure prints seed, machine and step; --seed N --machine NAME --trace
 * reruns it and shows each step.
 */
#include "common.h"
#include "driver.h"

#include "kmemfs/slab/kmalloc.h"
#include "kmemfs/slab/slab.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define HELD_MOST 2048
#define CACHES_MOST 12
#define BULK_MOST 40
/* Steps after which laws are checked: each of a short run, some of a long. */
#define OFTEN 400
#define SELDOM 25

static const struct machine_kind {
	const char *name;
	const char *ini; /* of its [machine] group */
	struct slab_config slab;
} kinds[] = {
	{"small",	  "arch = x86-64\nmemory = 48M\ncpus = 2\n", {0}							},
	{"i386",	 "arch = i386\nmemory = 64M\ncpus = 2\n",	  {0}							     },
	{"nodes",
	 "arch = x86-64\nmemory = 192M\nnodes = 3\ncpus = 6\n",	 {.memcg = true}					    },
	{"hardened",
	 "arch = x86-64\nmemory = 64M\nnodes = 2\ncpus = 4\n",	 {.hardened = true, .random = true}			   },
	{"debug",
	 "arch = x86-64\nmemory = 64M\ncpus = 2\n",	       {.cmdline = "slub_debug=FZPU"}			       },
	{"nomerge",
	 "arch = x86-64\nmemory = 64M\ncpus = 4\n",	       {.cmdline = "slab_nomerge slub_max_order=1"}		     },
	{"slab",
	 "arch = x86-64\nmemory = 48M\ncpus = 2\n",	       {.allocator = ALLOCATOR_SLAB}			      },
	{"slab-i386",
	 "arch = i386\nmemory = 64M\ncpus = 2\n",		 {.allocator = ALLOCATOR_SLAB}			      },
	{"slab-nodes",
	 "arch = x86-64\nmemory = 192M\nnodes = 3\ncpus = 6\n",	 {.allocator = ALLOCATOR_SLAB}			      },
	{"slab-debug",
	 "arch = x86-64\nmemory = 64M\ncpus = 2\n",	       {.allocator = ALLOCATOR_SLAB, .cmdline = "slub_debug=FZPU"}},
	{"slob",
	 "arch = x86-64\nmemory = 64M\ncpus = 1\n",	       {.allocator = ALLOCATOR_SLOB}			      },
	{"slob-nodes",
	 "arch = x86-64\nmemory = 96M\nnodes = 2\ncpus = 2\n",	 {.allocator = ALLOCATOR_SLOB}			      },
};

/* An object in use.  Its bytes are those of pattern @id. */
struct held {
	struct kmem_cache *cache; /* NULL: of kmalloc */
	va_t at;
	uint32_t bytes;
	uint32_t id;
};

struct run {
	struct law_run law;
	const struct machine_kind *kind;
	struct machine_config *config;
	struct trace trace;
	uint64_t now;
	struct phys *phys;
	struct ram *ram;
	struct symbols *symbols;
	struct slab_common *sc;
	struct held held[HELD_MOST];
	unsigned int nr_held;
	struct kmem_cache *cache[CACHES_MOST];
	char *name[CACHES_MOST];
	unsigned int nr_caches;
	unsigned int named; /* caches that were given a name so far */
	uint32_t last_id;
	bool tell;
	struct out why;
};

/* --- objects ---------------------------------------------------------------
 */

/* Byte @i of pattern @id. */
static uint8_t
pattern(uint32_t id, uint32_t i)
{
	return (uint8_t)((id * 2654435761U + i * 40503U) >> 16);
}

static pa_t
pa_of(const struct run *r, va_t at)
{
	return at - r->phys->arch->page_offset;
}

static void
write_object(struct run *r, const struct held *h)
{
	uint8_t *bytes = g_malloc(h->bytes);

	for (uint32_t i = 0; i < h->bytes; i++)
		bytes[i] = pattern(h->id, i);
	ram_write(r->ram, pa_of(r, h->at), bytes, h->bytes);
	g_free(bytes);
}

static void
check_object(struct run *r, const struct held *h)
{
	uint8_t *bytes = g_malloc(h->bytes);
	uint32_t i = 0;

	ram_read(r->ram, pa_of(r, h->at), bytes, h->bytes);
	while (i < h->bytes && bytes[i] == pattern(h->id, i))
		i++;
	if (i < h->bytes)
		fail(r, "byte %u of object %016" PRIx64 " of %s has changed", i,
		     h->at, h->cache ? h->cache->name : "kmalloc");
	g_free(bytes);
}

static struct slab_request
some_request(struct run *r)
{
	struct slab_request q = {
		.gfp = below(r, 4) ? GFP_KERNEL : GFP_ATOMIC,
		.nid = NODE_LOCAL,
		.cpu = (unsigned int)below(r, r->phys->nr_cpus),
		.caller = symbols_address(r->symbols, "law"),
	};

	while (!r->phys->cpu_online[q.cpu])
		q.cpu = (q.cpu + 1) % r->phys->nr_cpus;
	if (!below(r, 5))
		q.nid = (int)below(r, r->phys->nr_nodes);
	if (!below(r, 8))
		q.gfp |= __GFP_ZERO;
	q.gfp |= __GFP_NOWARN;
	if (r->tell) {
		out_reset(&r->why);
		q.why = &r->why;
	}
	return q;
}

static void
hold(struct run *r, struct kmem_cache *s, va_t at, uint32_t bytes, gfp_t gfp)
{
	struct held h = {s, at, bytes, ++r->last_id};

	if (gfp & __GFP_ZERO) {
		uint8_t *b = g_malloc(bytes);

		ram_read(r->ram, pa_of(r, at), b, bytes);
		for (uint32_t i = 0; i < bytes; i++)
			if (b[i]) {
				fail(r, "zeroed object %016" PRIx64 " is not",
				     at);
				break;
			}
		g_free(b);
	}
	write_object(r, &h);
	r->held[r->nr_held++] = h;
}

static struct held
unhold(struct run *r)
{
	unsigned int i = (unsigned int)below(r, r->nr_held);
	struct held h = r->held[i];

	r->held[i] = r->held[--r->nr_held];
	check_object(r, &h);
	return h;
}

static void
step_alloc(struct run *r)
{
	struct kmem_cache *s = r->cache[below(r, r->nr_caches)];
	struct slab_request q = some_request(r);
	va_t at;
	int err;

	if (r->nr_held == HELD_MOST)
		return;
	err = kmem_cache_alloc(s, &q, &at);
	say(r, "alloc %s cpu %u node %d: %d", s->name, q.cpu, q.nid, err);
	if (!err)
		hold(r, s, at, s->object_size, q.gfp);
	else if (err != -ENOMEM)
		fail(r, "kmem_cache_alloc: %d", err);
}

static void
step_kmalloc(struct run *r)
{
	uint64_t bytes = 1 + below(r, below(r, 10) ? 600 : 20000);
	struct slab_request q = some_request(r);
	va_t at;
	int err;

	if (r->nr_held == HELD_MOST)
		return;
	err = kmalloc(r->sc, bytes, &q, &at);
	say(r, "kmalloc %" PRIu64 " cpu %u node %d: %d", bytes, q.cpu, q.nid,
	    err);
	if (!err)
		hold(r, NULL, at, (uint32_t)bytes, q.gfp);
	else if (err != -ENOMEM)
		fail(r, "kmalloc: %d", err);
}

static void
free_held(struct run *r, const struct held *h)
{
	struct slab_request q = some_request(r);
	int err = h->cache ? kmem_cache_free(h->cache, h->at, &q)
			   : kfree(r->sc, h->at, &q);

	say(r, "free %016" PRIx64 " cpu %u: %d", h->at, q.cpu, err);
	if (err)
		fail(r, "free: %d", err);
}

static void
step_free(struct run *r)
{
	struct held h;

	if (!r->nr_held)
		return;
	h = unhold(r);
	free_held(r, &h);
}

static void
step_alloc_bulk(struct run *r)
{
	struct kmem_cache *s = r->cache[below(r, r->nr_caches)];
	unsigned int nr = 1 + (unsigned int)below(r, BULK_MOST);
	struct slab_request q = some_request(r);
	va_t at[BULK_MOST];
	int err;

	if (r->nr_held + nr > HELD_MOST)
		return;
	err = kmem_cache_alloc_bulk(s, &q, nr, at);
	say(r, "bulk %u of %s cpu %u: %d", nr, s->name, q.cpu, err);
	for (unsigned int i = 0; i < nr && !err; i++)
		hold(r, s, at[i], s->object_size, q.gfp);
}

/* Up to @BULK_MOST objects of the cache of one of them. */
static void
step_free_bulk(struct run *r)
{
	struct slab_request q = some_request(r);
	unsigned int nr = 0;
	va_t at[BULK_MOST];
	struct kmem_cache *s;

	if (!r->nr_held)
		return;
	s = r->held[below(r, r->nr_held)].cache;
	for (unsigned int i = r->nr_held; s && i-- && nr < BULK_MOST;) {
		if (r->held[i].cache != s || !below(r, 3))
			continue;
		check_object(r, &r->held[i]);
		at[nr++] = r->held[i].at;
		r->held[i] = r->held[--r->nr_held];
	}
	say(r, "bulk free of %u cpu %u", nr, q.cpu);
	if (nr && kmem_cache_free_bulk(s, &q, nr, at))
		fail(r, "kmem_cache_free_bulk");
}

/* --- caches ----------------------------------------------------------------
 */

static void
step_create(struct run *r)
{
	static const slab_flags_t flags[] = {0,
					     SLAB_HWCACHE_ALIGN,
					     SLAB_RECLAIM_ACCOUNT,
					     SLAB_TYPESAFE_BY_RCU,
					     SLAB_CACHE_DMA,
					     0,
					     0};
	struct slab_request q = some_request(r);
	struct kmem_cache_args args = {
		.size = 8 + below(r, below(r, 5) ? 700 : 9000),
		.flags = flags[below(r, ARRAY_SIZE(flags))],
		.ctor = below(r, 6) ? NULL : slab_ctor_nth(0),
		.allocator = r->kind->slab.allocator,
		.who = &q,
	};
	char name[16];
	struct refusal why = {0};
	int err;

	if (r->nr_caches == CACHES_MOST)
		return;
	if (!below(r, 3))
		args.usersize = args.size;
	snprintf(name, sizeof(name), "c%u", r->named++);
	args.name = name;
	err = kmem_cache_create(r->sc, &args, &r->cache[r->nr_caches], &why);
	say(r, "create %s of %" PRIu64 " bytes, flags %x: %d", name, args.size,
	    args.flags, err);
	if (!err)
		r->name[r->nr_caches++] = g_strdup(name);
	else if (err != -ENOMEM)
		fail(r, "kmem_cache_create: %s", why.sentence);
}

static bool
has_objects(const struct run *r, const struct kmem_cache *s)
{
	for (unsigned int i = 0; i < r->nr_held; i++)
		if (r->held[i].cache == s)
			return true;
	return false;
}

/* Destroy cache number @i, which nobody has objects of, or is shared. */
static void
destroy(struct run *r, unsigned int i)
{
	struct slab_request q = some_request(r);
	int err = kmem_cache_destroy(r->cache[i], r->name[i], &q);

	say(r, "destroy %s: %d", r->name[i], err);
	if (err)
		fail(r, "destroy %s: %d", r->name[i], err);
	g_free(r->name[i]);
	r->cache[i] = r->cache[--r->nr_caches];
	r->name[i] = r->name[r->nr_caches];
}

static void
step_destroy(struct run *r)
{
	unsigned int i = (unsigned int)below(r, r->nr_caches);

	if (r->nr_caches > 1 &&
	    (r->cache[i]->refcount > 1 || !has_objects(r, r->cache[i])))
		destroy(r, i);
}

static void
step_shrink(struct run *r)
{
	struct kmem_cache *s = r->cache[below(r, r->nr_caches)];

	say(r, "shrink %s", s->name);
	kmem_cache_shrink(s);
}

static void
step_cpu(struct run *r)
{
	unsigned int cpu = (unsigned int)below(r, r->phys->nr_cpus);

	say(r, "cpu %u goes and comes", cpu);
	if (r->phys->nr_cpus < 2)
		return;
	phys_set_cpu_online(r->phys, cpu, false);
	slab_cpu_dead(r->sc, cpu);
	phys_set_cpu_online(r->phys, cpu, true);
}

static void
step_time(struct run *r)
{
	/* Sometimes as long as the classic one's timers take. */
	r->now += below(r, below(r, 3) ? 2 * SLAB_RCU_GRACE_NS : 5000000000ULL);
	say(r, "time is %" PRIu64, r->now);
	slab_tick(r->sc);
}

/* --- runs ------------------------------------------------------------------
 */

static const struct law_step steps[] = {
	{30, step_alloc     },
	      {14, step_kmalloc   },
	   {36, step_free	 },
	{4,  step_alloc_bulk},
	      {6,  step_free_bulk },
	   {3,  step_create	  },
	{2,  step_destroy	},
	      {2,  step_shrink    },
	   {1,  step_cpu       },
	{3,  step_time	     },
};

static void
check_laws(struct run *r)
{
	slab_verify(r->sc, law_found, &r->law);
	phys_verify(r->phys, law_found, &r->law);
}

/* All objects and caches go: so must all pages. */
static void
empty(struct run *r, uint64_t pages)
{
	while (r->nr_held)
		step_free(r);
	while (r->nr_caches)
		destroy(r, 0);
	/* Descriptors of the classic one's slabs are objects of others, whose
	 * caches are older: the youngest first. */
	for (guint i = r->sc->caches->len; i-- > 0;)
		kmem_cache_shrink(g_ptr_array_index(r->sc->caches, i));
	check_laws(r);
	if (unused_pages(r->phys) != pages)
		fail(r, "%" PRIu64 " pages were free, %" PRIu64 " are", pages,
		     unused_pages(r->phys));
	for (unsigned int i = 0; i < r->phys->nr_nodes; i++)
		if (r->phys->nodes[i]->stat[NS_nr_slab_unreclaimable])
			fail(r, "node %u still counts slab pages", i);
}

static bool
start(struct run *r, const struct machine_kind *kind)
{
	char why[256];

	r->kind = kind;
	r->config = law_config(kind->ini);
	if (!r->config)
		return false;
	r->phys = phys_boot(&r->config->phys, &r->trace, &r->now, NULL, NULL,
			    why, sizeof(why));
	r->ram = ram_new(r->phys->max_pfn << r->phys->page_shift, UINT64_MAX);
	r->symbols = symbols_new(0xffffffff81000000, 64);
	r->sc = slab_boot(&kind->slab, r->phys, r->ram, r->symbols);
	return true;
}

static void
stop(struct run *r)
{
	while (r->nr_caches)
		g_free(r->name[--r->nr_caches]);
	slab_common_free(r->sc);
	symbols_free(r->symbols);
	ram_free(r->ram);
	phys_free(r->phys);
	config_free(r->config);
	out_fini(&r->why);
}

static const char *
kind_name(size_t i)
{
	return kinds[i].name;
}

/* The second time with a story told. */
static bool
run_once(size_t i, const struct law_run *law, unsigned int nr, bool second,
	 uint64_t *digest)
{
	struct run *r = g_new0(struct run, 1);
	bool passed;
	uint64_t pages;

	r->law = *law;
	r->tell = second;
	passed = start(r, &kinds[i]);
	if (passed) {
		pages = unused_pages(r->phys);
		while (!r->nr_caches)
			step_create(r);
		for (; r->law.step < nr && !r->law.failed; r->law.step++) {
			law_take_step(&r->law, r, steps, ARRAY_SIZE(steps));
			if (nr <= OFTEN || r->law.step % SELDOM == 0)
				check_laws(r);
		}
		slab_digest(r->sc,
			    &(struct number_stream){hash_number, digest});
		if (!r->law.failed)
			empty(r, pages);
		passed = !r->law.failed;
		stop(r);
	}
	g_free(r);
	return passed;
}

int
main(int argc, char **argv)
{
	static const struct law_test test = {
		.nr_machines = ARRAY_SIZE(kinds),
		.machine = kind_name,
		.run = run_once,
		.differ = "telling why changes what happens",
		.first = 30,
		.factor = 10,
		.seeds = 1,
	};

	return law_main(argc, argv, &test);
}
