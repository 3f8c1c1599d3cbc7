// SPDX-License-Identifier: MIT
/*
 * law_phys.c - random steps of the page allocator, all laws checked after each
 *
 *   law_phys [--seed N] [--ops N] [--machine NAME] [--trace]
 *
 * Runs go from few steps to many and from small machines to large ones, so
 * that the first failure is near the smallest.  Every step acts on struct phys
 * directly: requests of all kinds, frees, splits, drains, recorded steps at
 * random frames, sysctls, CPUs and memory that come and go.  Each run is done
 * twice, once with a story told for each request: the lists must be equal.
 *
 * A failure prints seed, machine and step; --seed N --machine NAME --trace
 * reruns it and shows each step.
 */
#include "common.h"
#include "driver.h"

#include "kmemfs/phys/pages.h"
#include "kmemfs/phys/phys.h"
#include "kmemfs/phys/sysctl.h"

#include <inttypes.h>

#define HELD_MOST 4096

static const struct machine_kind {
	const char *name;
	enum arch_id arch;
	uint64_t bytes; /* of each node */
	unsigned int nodes, cpus;
	bool cma_kernel;
	const char *cmdline;
} kinds[] = {
	{"tiny",	 ARCH_GENERIC,  MIB(8),    1, 1, false, ""		      },
	{"small",	  ARCH_X86_64,   MIB(32),	1, 1, false, ""	       },
	{"cma",	ARCH_X86_64,   MIB(96),   1, 2, true,  "cma=16M"	   },
	{"movable",  ARCH_X86_64,	 MIB(128),  1, 2, false, "movablecore=48M"},
	{"nodes",	  ARCH_X86_64,   MIB(96),	3, 4, true,  ""		      },
	{"i386",	 ARCH_I386,	    MIB(1024), 1, 2, false, ""		      },
	{"i386-pae", ARCH_I386_PAE, MIB(1024), 1, 2, false, ""		      },
	{"zones",	  ARCH_X86_64,   GIB(5),    1, 4, false, ""		      },
};

struct held {
	pfn_t pfn;
	unsigned int order;
	uint32_t owner; /* in the frame too, while it is ours */
};

/* One run of one machine. */
struct run {
	struct law_run law;
	const struct machine_kind *kind;
	struct phys_config config;
	struct trace trace;
	uint64_t now;
	struct phys *phys;
	struct held held[HELD_MOST];
	unsigned int nr_held;
	uint32_t last_owner;
	bool tell; /* ask why each time */
	struct out why;
};

/* --- machines ------------------------------------------------------------ */

static void
add_usable(GArray *firmware, GArray *memory, pa_t start, pa_t end)
{
	const struct firmware_range f = {
		{start, end},
		      E820_USABLE
	 };
	const struct range m = {start, end};

	g_array_append_val(firmware, f);
	g_array_append_val(memory, m);
}

static void
config_make(struct run *r)
{
	const struct machine_kind *kind = r->kind;
	struct phys_config *c = &r->config;
	const struct range first = {0, MIB(1)};

	*c = (struct phys_config){
		.arch = kind->arch,
		.page_shift = 12,
		.nr_cpus = kind->cpus,
		.nr_nodes = kind->nodes,
		.cmdline = kind->cmdline,
		.cma_kernel = kind->cma_kernel,
	};
	c->nodes = g_new0(struct node_config, kind->nodes);
	c->cpu_node = g_new0(int32_t, kind->cpus);
	c->firmware = g_array_new(FALSE, FALSE, sizeof(struct firmware_range));
	c->reserved = g_array_new(FALSE, FALSE, sizeof(struct range));
	g_array_append_val(c->reserved, first);
	for (unsigned int n = 0; n < kind->nodes; n++) {
		GArray *memory =
			g_array_new(FALSE, FALSE, sizeof(struct range));
		pa_t start = n * kind->bytes;
		/* Ragged ends: not all zones end at whole blocks. */
		const struct range hole = {start + MIB(5),
					   start + MIB(5) + KIB(36)};

		c->nodes[n].memory = memory;
		add_usable(c->firmware, memory, start, start + kind->bytes);
		g_array_append_val(c->reserved, hole);
	}
	for (unsigned int cpu = 0; cpu < kind->cpus; cpu++)
		c->cpu_node[cpu] = (int32_t)(cpu % kind->nodes);
}

static void
config_clear(struct phys_config *c)
{
	for (unsigned int n = 0; n < c->nr_nodes; n++)
		g_array_free(c->nodes[n].memory, TRUE);
	g_array_free(c->firmware, TRUE);
	g_array_free(c->reserved, TRUE);
	g_free(c->nodes);
	g_free(c->cpu_node);
}

/* --- steps --------------------------------------------------------------- */

static unsigned int
some_order(struct run *r)
{
	return below(r, 4) ? (unsigned int)below(r, 4)
			   : (unsigned int)below(r, MAX_ORDER);
}

static unsigned int
some_cpu(struct run *r)
{
	unsigned int cpu = (unsigned int)below(r, r->phys->nr_cpus);

	while (!r->phys->cpu_online[cpu])
		cpu = (cpu + 1) % r->phys->nr_cpus;
	return cpu;
}

static pfn_t
some_pfn(struct run *r, unsigned int order)
{
	/* Most near the start, where there is most going on. */
	uint64_t end = below(r, 3) ? MIN_OF(r->phys->max_pfn, 16384)
				   : r->phys->max_pfn + 100;

	return round_down_to(below(r, end), 1ULL << order);
}

static void
hold(struct run *r, pfn_t pfn, unsigned int order)
{
	if (r->nr_held == HELD_MOST) {
		/* Forget one: it stays allocated and nobody's. */
		r->phys->frames[r->held[0].pfn].owner = 0;
		r->held[0] = r->held[--r->nr_held];
	}
	r->phys->frames[pfn].owner = ++r->last_owner;
	r->held[r->nr_held++] = (struct held){pfn, order, r->last_owner};
}

/* Take one out of those that are held; false when it is not there any more,
 * since recorded steps take what they want. */
static bool
unhold(struct run *r, struct held *h)
{
	const struct frame *f;
	unsigned int i;

	if (!r->nr_held)
		return false;
	i = (unsigned int)below(r, r->nr_held);
	*h = r->held[i];
	r->held[i] = r->held[--r->nr_held];
	f = &r->phys->frames[h->pfn];
	return f->state == FRAME_ALLOCATED && f->order == h->order &&
	       f->owner == h->owner;
}

static const gfp_t some_gfp[] = {
	GFP_KERNEL,
	GFP_KERNEL | __GFP_COMP,
	GFP_HIGHUSER_MOVABLE,
	GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_ZERO,
	GFP_HIGHUSER,
	GFP_KERNEL | __GFP_RECLAIMABLE,
	GFP_ATOMIC,
	GFP_NOWAIT,
	GFP_DMA | GFP_KERNEL,
	GFP_DMA32 | GFP_KERNEL,
	GFP_KERNEL | __GFP_THISNODE | __GFP_NORETRY,
	GFP_TRANSHUGE,
	GFP_KERNEL | __GFP_NOFAIL,
	GFP_KERNEL | __GFP_MEMALLOC,
	GFP_KERNEL | __GFP_RETRY_MAYFAIL,
	__GFP_HIGH | __GFP_NOMEMALLOC | __GFP_MOVABLE,
};

static struct page_request
some_request(struct run *r)
{
	struct page_request request = {
		.gfp = some_gfp[below(r, ARRAY_SIZE(some_gfp))],
		.order = some_order(r),
		.nid = NODE_LOCAL,
		.cpu = some_cpu(r),
		.context = (enum alloc_context)below(r, NR_CONTEXTS),
		.pf_memalloc = !below(r, 30),
	};

	if (below(r, 3) == 0)
		request.nid = (int)below(r, r->phys->nr_nodes);
	if (r->tell) {
		out_reset(&r->why);
		request.why = &r->why;
	}
	return request;
}

static void
step_alloc(struct run *r)
{
	struct page_request request = some_request(r);
	pfn_t pfn;
	int err = pages_alloc(r->phys, &request, &pfn);

	say(r, "alloc 0x%x order %u cpu %u nid %d: %d", request.gfp,
	    request.order, request.cpu, request.nid, err);
	if (!err)
		hold(r, pfn, request.order);
}

/* Fill memory: many requests at once, so that reserves are reached. */
static void
step_fill(struct run *r)
{
	struct page_request request = some_request(r);
	uint64_t most = below(r, 400);
	pfn_t pfn;

	say(r, "fill 0x%x order %u", request.gfp, request.order);
	while (most-- && !pages_alloc(r->phys, &request, &pfn)) {
		hold(r, pfn, request.order);
		if (r->tell)
			out_reset(&r->why);
	}
}

static void
step_put(struct run *r)
{
	unsigned int cpu = some_cpu(r);
	struct held h;

	if (!unhold(r, &h))
		return;
	say(r, "put %" PRIu64 " order %u cpu %u", h.pfn, h.order, cpu);
	pages_put(r->phys, h.pfn, h.order, cpu);
}

static void
step_put_many(struct run *r)
{
	unsigned int cpu = some_cpu(r);
	struct held h;
	uint64_t most = below(r, 400);

	say(r, "put up to %" PRIu64, most);
	while (most-- && r->nr_held)
		if (unhold(r, &h))
			pages_put(r->phys, h.pfn, h.order, cpu);
}

static void
step_put_list(struct run *r)
{
	pfn_t pfns[64];
	unsigned int nr = 0;
	struct held h;

	while (nr < ARRAY_SIZE(pfns) && below(r, 40) && r->nr_held) {
		if (!unhold(r, &h))
			continue;
		if (h.order) {
			hold(r, h.pfn, h.order);
			break;
		}
		pfns[nr++] = h.pfn;
	}
	say(r, "put a list of %u", nr);
	pages_put_list(r->phys, pfns, nr, some_cpu(r));
}

static void
step_bulk(struct run *r)
{
	struct page_request request = some_request(r);
	pfn_t pfns[100];
	int nr;

	request.order = 0;
	nr = pages_alloc_bulk(r->phys, &request,
			      (unsigned int)below(r, ARRAY_SIZE(pfns) + 1),
			      pfns);
	say(r, "bulk 0x%x: %d", request.gfp, nr);
	for (int i = 0; i < nr; i++)
		hold(r, pfns[i], 0);
}

static void
step_split(struct run *r)
{
	struct held h;

	if (!unhold(r, &h))
		return;
	if (r->phys->frames[h.pfn].flags & FRAME_COMPOUND) {
		hold(r, h.pfn, h.order);
		return;
	}
	say(r, "split %" PRIu64 " order %u", h.pfn, h.order);
	pages_split(r->phys, h.pfn, h.order);
	for (uint64_t i = 0; i < 1ULL << h.order; i++)
		hold(r, h.pfn + i, 0);
}

static void
step_drain(struct run *r)
{
	struct zone *zone = r->phys->zones[below(r, r->phys->nr_zones)];
	bool all = below(r, 2);

	say(r, "drain");
	if (!zone->pcp)
		zone = NULL;
	if (zone && below(r, 2))
		pages_drain_batch(zone, some_cpu(r));
	else
		pages_drain(r->phys, zone, all ? -1 : (int)some_cpu(r));
}

static void
step_mirror(struct run *r)
{
	enum migratetype type = (enum migratetype)below(r, MIGRATE_TYPES);
	unsigned int order = some_order(r), cpu = some_cpu(r);
	pfn_t pfn = some_pfn(r, order);
	uint64_t kind = below(r, 5);
	enum mirror_result result;

	switch (kind) {
	case 0:
		result =
			mirror_take(r->phys, pfn, order, GFP_KERNEL, type, cpu);
		if (result != MIRROR_IMPOSSIBLE)
			hold(r, pfn, order);
		break;
	case 1:
		result = mirror_zone_locked(r->phys, pfn, order, type,
					    below(r, 2), cpu);
		break;
	case 2:
		result = mirror_free(r->phys, pfn, order, cpu);
		break;
	case 3:
		result = mirror_drain(r->phys, pfn, order, type, cpu);
		break;
	default:
		result = mirror_extfrag(r->phys, pfn, 0, order, type, type,
					below(r, 2));
	}
	say(r, "mirror %" PRIu64 ": %" PRIu64 " order %u type %d cpu %u: %d",
	    kind, pfn, order, type, cpu, result);
}

static const struct {
	const char *name;
	const char *values[4];
} settings[] = {
	{"min_free_kbytes",		    {"128", "1024", "4096", "2000"}},
	{"watermark_scale_factor",	   {"10", "100", "1000", "1"}     },
	{"watermark_boost_factor",	   {"0", "15000", "5000", "30000"}},
	{"percpu_pagelist_high_fraction", {"0", "8", "64", "1000"}	  },
	{"lowmem_reserve_ratio",
	 {"256 256 32 0 0", "1 1 1 0 0", "32 32 32 0 0", "0 0 0 0 0"}    },
};

static void
step_sysctl(struct run *r)
{
	unsigned int i = (unsigned int)below(r, ARRAY_SIZE(settings));
	const char *value = settings[i].values[below(r, 4)];
	struct refusal refusal;
	int err = sysctl_write(r->phys, settings[i].name, value, &refusal);

	say(r, "sysctl %s %s: %d", settings[i].name, value, err);
}

static void
step_cpu(struct run *r)
{
	unsigned int cpu = (unsigned int)below(r, r->phys->nr_cpus);
	bool online = below(r, 2);

	say(r, "cpu %u %s", cpu, online ? "online" : "offline");
	phys_set_cpu_online(r->phys, cpu, online);
}

/* A memory block of 128 MiB away and, as likely, back. */
static void
step_hotplug(struct run *r)
{
	const uint64_t block = MIB(128) >> r->phys->page_shift;
	pfn_t start;
	int err;

	if (r->kind->arch != ARCH_X86_64 || r->phys->max_pfn < 3 * block)
		return;
	start = block * (1 + below(r, r->phys->max_pfn / block - 1));
	if (phys_present(r->phys, start)) {
		pages_drain(r->phys, NULL, -1);
		err = hotplug_offline(r->phys, start, block);
		say(r, "offline %" PRIu64 ": %d", start, err);
	} else {
		enum online_type how = (enum online_type)below(r, 3);

		err = hotplug_online(r->phys, start, block, how);
		say(r, "online %" PRIu64 " %d: %d", start, how, err);
	}
}

static const struct law_step steps[] = {
	{40, step_alloc   },
	    {36, step_put	 },
	{2,  step_fill    },
	{2,  step_put_many},
	    {4,	step_put_list},
	{2,  step_bulk    },
	{2,  step_split   },
	    {3,	step_drain	  },
	{12, step_mirror	},
	{2,  step_sysctl  },
	    {1,	step_cpu	},
	{1,  step_hotplug },
};

/* --- runs ---------------------------------------------------------------- */

/* A number for all lists in their order and all counters. */
static uint64_t
fingerprint(const struct phys *phys)
{
	uint64_t hash = 0;

	for (unsigned int i = 0; i < phys->nr_zones; i++) {
		struct zone *zone = phys->zones[i];

		for (unsigned int at = 0; at < MAX_ORDER * MIGRATE_TYPES;
		     at++) {
			struct list_cursor cursor = {0};
			pfn_t pfn;

			do {
				pfn = buddy_list_next(zone, at / MIGRATE_TYPES,
						      at % MIGRATE_TYPES,
						      &cursor);
				hash_number(&hash, pfn);
			} while (pfn != PFN_NONE);
		}
		for (int s = 0; s < NR_ZONE_STATS; s++)
			hash_number(&hash, (uint64_t)zone->stat[s]);
	}
	for (int e = 0; e < NR_VM_EVENTS; e++)
		hash_number(&hash, phys->event[e]);
	return hash;
}

static void
run_steps(struct run *r, unsigned int ops)
{
	for (r->law.step = 0; r->law.step <= ops; r->law.step++) {
		if (r->law.step)
			law_take_step(&r->law, r, steps, ARRAY_SIZE(steps));
		if (phys_verify(r->phys, law_found, &r->law))
			break;
	}
}

static const char *
kind_name(size_t i)
{
	return kinds[i].name;
}

/* The second time with stories and events, the first without. */
static bool
run_once(size_t i, const struct law_run *law, unsigned int ops, bool second,
	 uint64_t *digest)
{
	struct run *r = g_new0(struct run, 1);
	char why[256];
	bool passed;

	r->law = *law;
	r->kind = &kinds[i];
	r->tell = second;
	config_make(r);
	trace_init(&r->trace, 1024);
	r->trace.on = r->tell;
	r->trace.enabled = ~0U;
	r->phys = phys_boot(&r->config, &r->trace, &r->now, NULL, NULL, why,
			    sizeof(why));
	if (r->phys) {
		run_steps(r, ops);
		*digest = fingerprint(r->phys);
		phys_free(r->phys);
	} else {
		fail(r, "cannot boot: %s", why);
	}
	passed = !r->law.failed;
	trace_fini(&r->trace);
	out_fini(&r->why);
	config_clear(&r->config);
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
		.differ = "told and untold it ends differently",
		.first = 30,
		.factor = 10,
		.seeds = 1,
	};

	return law_main(argc, argv, &test);
}
