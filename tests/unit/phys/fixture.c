// SPDX-License-Identifier: MIT
/* fixture.c - small physical memories, made by hand, frame by frame */
#include "fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define FIXTURE_NODES 4

static void *
sparse(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert(at != MAP_FAILED);
	return at;
}

static void
add_node(struct phys *phys, unsigned int id)
{
	struct node *node = g_new0(struct node, 1);

	node->phys = phys;
	node->id = id;
	phys->nodes[id] = node;
	for (int type = 0; type < MAX_NR_ZONES; type++) {
		struct zone *zone = &node->zones[type];

		zone->phys = phys;
		zone->node = node;
		zone->type = type;
		zone->id = (uint16_t)(id * MAX_NR_ZONES + (unsigned int)type);
		phys->zones[zone->id] = zone;
	}
}

static void
add_zone(struct phys *phys, const struct fixture_zone *made)
{
	struct zone *zone = &phys->nodes[made->node]->zones[made->type];
	struct pfn_span span = {made->start, made->end, zone->id};

	zone->start_pfn = made->start;
	zone->spanned_pages = made->end - made->start;
	zone->present_pages = zone->spanned_pages;
	zone->pcp = g_new0(struct per_cpu_pages, phys->nr_cpus);
	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++)
		zone->pcp[cpu].batch = 1;
	g_array_append_val(phys->spans, span);
}

static gint
by_start(gconstpointer a, gconstpointer b)
{
	const struct pfn_span *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* A node's own zones from the highest down, then the other nodes'. */
static void
add_zonelists(struct phys *phys, struct node *node)
{
	for (int list = 0; list < 2; list++) {
		struct zonelist *z = &node->zonelist[list];

		z->zones = g_new0(struct zone *, phys->nr_zones);
		for (unsigned int i = 0; i < phys->nr_nodes; i++) {
			unsigned int n = (node->id + i) % phys->nr_nodes;

			for (int type = MAX_NR_ZONES; type-- > 0;) {
				struct zone *zone =
					&phys->nodes[n]->zones[type];

				if (zone_populated(zone) &&
				    (!list || n == node->id))
					z->zones[z->nr++] = zone;
			}
		}
	}
}

static void
add_arrays(struct fixture *f)
{
	struct phys *phys = &f->phys;

	phys->frames_len = phys->max_pfn;
	phys->pageblocks_len = (phys->max_pfn >> phys->pageblock_order) + 1;
	phys->frames = sparse(phys->frames_len * sizeof(struct frame));
	phys->heads = sparse(phys->frames_len);
	phys->pageblocks = sparse(phys->pageblocks_len);
	g_array_sort(phys->spans, by_start);
	phys_index_spans(phys);
}

struct fixture *
fixture_new(enum arch_id arch, unsigned int cpus,
	    const struct fixture_zone *zones, unsigned int nr)
{
	struct fixture *f = g_new0(struct fixture, 1);
	struct phys *phys = &f->phys;

	trace_init(&f->trace, 4096);
	f->trace.on = true;
	phys->arch = &archs[arch];
	phys->pageblock_order = phys->arch->pageblock_order;
	phys->numa = phys->arch->numa;
	phys->config = &f->config;
	phys->page_shift = 12;
	phys->nr_cpus = cpus;
	phys->nr_nodes = zones[nr - 1].node + 1;
	ck_assert_uint_le(phys->nr_nodes, FIXTURE_NODES);
	phys->cpu_node = g_new0(int32_t, cpus);
	phys->cpu_online = g_new0(bool, cpus);
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		phys->cpu_node[cpu] = (int32_t)(cpu % phys->nr_nodes);
		phys->cpu_online[cpu] = true;
	}
	phys->nr_zones = phys->nr_nodes * MAX_NR_ZONES;
	phys->nodes = g_new0(struct node *, phys->nr_nodes);
	phys->zones = g_new0(struct zone *, phys->nr_zones);
	phys->spans = g_array_new(FALSE, FALSE, sizeof(struct pfn_span));
	phys->managed = g_array_new(FALSE, FALSE, sizeof(struct pfn_span));
	phys->movable_zone = ZONE_NORMAL;
	phys->trace = &f->trace;
	phys->now_ns = &f->now;
	phys->sysctl.watermark_boost_factor = 15000;
	for (unsigned int n = 0; n < phys->nr_nodes; n++)
		add_node(phys, n);
	for (unsigned int i = 0; i < nr; i++) {
		add_zone(phys, &zones[i]);
		phys->max_pfn = MAX_OF(phys->max_pfn, zones[i].end);
	}
	for (unsigned int n = 0; n < phys->nr_nodes; n++)
		add_zonelists(phys, phys->nodes[n]);
	add_arrays(f);
	return f;
}

struct fixture *
fixture_simple(unsigned int blocks)
{
	pfn_t end = 1024 + (pfn_t)blocks * 1024;
	const struct fixture_zone zone = {0, ZONE_NORMAL, 1024, end};
	struct fixture *f = fixture_new(ARCH_X86_64, 1, &zone, 1);

	buddy_hand_over(fixture_zone(f, 0, ZONE_NORMAL), 1024, end);
	return f;
}

void
fixture_free(struct fixture *f)
{
	struct phys *phys = &f->phys;

	for (unsigned int i = 0; i < phys->nr_zones; i++) {
		buddy_zone_fini(phys->zones[i]);
		g_free(phys->zones[i]->pcp);
	}
	for (unsigned int n = 0; n < phys->nr_nodes; n++) {
		g_free(phys->nodes[n]->zonelist[0].zones);
		g_free(phys->nodes[n]->zonelist[1].zones);
		g_free(phys->nodes[n]);
	}
	munmap(phys->frames, phys->frames_len * sizeof(struct frame));
	munmap(phys->heads, phys->frames_len);
	munmap(phys->pageblocks, phys->pageblocks_len);
	g_free(phys->span_index);
	g_array_free(phys->spans, TRUE);
	g_array_free(phys->managed, TRUE);
	g_free(phys->nodes);
	g_free(phys->zones);
	g_free(phys->cpu_node);
	g_free(phys->cpu_online);
	trace_fini(&f->trace);
	g_free(f);
}

struct zone *
fixture_zone(struct fixture *f, unsigned int node, enum zone_type type)
{
	return &f->phys.nodes[node]->zones[type];
}

void
fixture_set_pcp(struct fixture *f, uint32_t batch, uint32_t high)
{
	for (unsigned int i = 0; i < f->phys.nr_zones; i++)
		for (unsigned int cpu = 0;
		     f->phys.zones[i]->pcp && cpu < f->phys.nr_cpus; cpu++) {
			f->phys.zones[i]->pcp[cpu].batch = batch;
			f->phys.zones[i]->pcp[cpu].high = high;
		}
}

pfn_t
fixture_alloc(struct fixture *f, gfp_t gfp, unsigned int order)
{
	const struct page_request request = {
		.gfp = gfp, .order = order, .nid = NODE_LOCAL};
	pfn_t pfn;

	return pages_alloc(&f->phys, &request, &pfn) ? PFN_NONE : pfn;
}

static char text[1 << 16];

static size_t
append_pfn(size_t len, pfn_t pfn)
{
	ck_assert_uint_lt(len, sizeof(text) - 32);
	return len +
	       (size_t)sprintf(text + len, "%s%" PRIu64, len ? " " : "", pfn);
}

const char *
free_list(struct zone *zone, unsigned int order, enum migratetype type)
{
	struct list_cursor cursor = {0};
	size_t len = 0;
	pfn_t pfn;

	text[0] = '\0';
	while ((pfn = buddy_list_next(zone, order, type, &cursor)) != PFN_NONE)
		len = append_pfn(len, pfn);
	return text;
}

const char *
pcp_list(struct zone *zone, unsigned int cpu, unsigned int order,
	 enum migratetype type)
{
	unsigned int index = order * MIGRATE_PCPTYPES + type;
	struct list_cursor cursor = {0};
	size_t len = 0;
	pfn_t pfn;

	if (order >= PCP_ORDERS)
		index = NR_PCP_LISTS - 2 + (type == MIGRATE_MOVABLE);
	text[0] = '\0';
	while ((pfn = pcp_list_next(zone, cpu, index, &cursor)) != PFN_NONE)
		len = append_pfn(len, pfn);
	return text;
}

static const unsigned int nr_args[NR_TRACE_EVENTS] = {
	[TRACE_MM_PAGE_ALLOC] = 4,	  [TRACE_MM_PAGE_FREE] = 2,
	[TRACE_MM_PAGE_FREE_BATCHED] = 1, [TRACE_MM_PAGE_ALLOC_ZONE_LOCKED] = 4,
	[TRACE_MM_PAGE_PCPU_DRAIN] = 3,	  [TRACE_MM_PAGE_ALLOC_EXTFRAG] = 8,
};

const char *
events(struct fixture *f)
{
	size_t len = 0;

	text[0] = '\0';
	for (uint64_t n = trace_oldest(&f->trace); n < f->trace.written; n++) {
		const struct trace_record *r = trace_get(&f->trace, n);

		len += (size_t)sprintf(text + len, "%s%s", len ? "; " : "",
				       trace_name(r->event));
		for (unsigned int i = 0; i < nr_args[r->event]; i++)
			len += (size_t)sprintf(text + len, " %" PRIu64,
					       r->arg[i]);
		ck_assert_uint_lt(len, sizeof(text) - 256);
	}
	trace_clear(&f->trace);
	return text;
}

static void
collect(void *user, const char *law, const char *finding)
{
	GString *all = user;

	g_string_append_printf(all, "\n%s: %s", law, finding);
}

void
assert_lawful(struct fixture *f)
{
	GString *all = g_string_new(NULL);
	unsigned int nr = phys_verify(&f->phys, collect, all);

	ck_assert_msg(!nr, "%s", all->str);
	g_string_free(all, TRUE);
}
