// SPDX-License-Identifier: MIT
/*
 * digest.c - the canonical state as one hash
 *
 * How it works: everything that decides what later ops do, or that a file of
 * the machine shows as its state, is written as a stream of varints and bytes,
 * and the stream is hashed with SHA-256.  Fields go one by one, never whole
 * structs: the host's byte order, padding and pointers stay out.  Where the
 * host keeps one state in different ways, the stream has one way to write it:
 *
 *     free lists   (first pfn, blocks) for each stretch of the list that
 *                  ascends without a gap, touched or not
 *     RAM          the 4 KiB pieces that are not all zeros, by address
 *     allocations  by id, with their names; whether the name was made up is
 *                  not told
 *
 * Not in it: the journal, logs, the trace ring, mtimes, why an allocation went
 * as it did, and where the host keeps things.
 *
 * Always true: equal states give equal digests on every host.
 */
#include "kmemfs/machine/machine.h"

#include "kmemfs/machine/replay.h"
#include "kmemfs/phys/frame_walk.h"
#include "kmemfs/phys/list_walk.h"

#include <string.h>

#define STREAM_HEADER "kmemfs-state 1\n"
#define PIECE 4096

struct hasher {
	GChecksum *sum;
	size_t len;
	uint8_t buffer[1 << 16];
};

static void
hasher_flush(struct hasher *h)
{
	g_checksum_update(h->sum, h->buffer, (gssize)h->len);
	h->len = 0;
}

static inline void
put(struct hasher *h, uint64_t v)
{
	if (sizeof(h->buffer) - h->len < 10)
		hasher_flush(h);
	while (v >= 0x80) {
		h->buffer[h->len++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	h->buffer[h->len++] = (uint8_t)v;
}

static void
put_signed(struct hasher *h, int64_t v)
{
	put(h, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static void
put_bytes(struct hasher *h, const void *bytes, size_t len)
{
	if (sizeof(h->buffer) - h->len < len)
		hasher_flush(h);
	if (len > sizeof(h->buffer)) {
		g_checksum_update(h->sum, bytes, (gssize)len);
		return;
	}
	memcpy(h->buffer + h->len, bytes, len);
	h->len += len;
}

static void
put_string(struct hasher *h, const char *text)
{
	put(h, strlen(text));
	put_bytes(h, text, strlen(text));
}

/* Sections begin with a name, so that no two streams can read alike. */
static void
put_section(struct hasher *h, const char *name)
{
	put_string(h, name);
}

static void
put_all(struct hasher *h, const uint64_t *values, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		put(h, values[i]);
}

/* Counters, which may be negative. */
static void
put_counters(struct hasher *h, const int64_t *values, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		put_signed(h, values[i]);
}

/* --- the machine --------------------------------------------------------- */

static void
hash_machine(struct hasher *h, const struct machine *m)
{
	struct out config = OUT_INIT;

	put_section(h, "machine");
	config_print(m->config, &config);
	put_string(h, out_text(&config));
	out_fini(&config);
	put(h, m->state);
	put(h, m->now_ns);
	put(h, m->random);
	put(h, replay_fingerprint(m));
}

static void
hash_allocations(struct hasher *h, struct machine *m)
{
	char buf[16];

	put_section(h, "allocations");
	put(h, allocation_count(m));
	put(h, allocation_last_id(m));
	for (const struct allocation *a = allocation_next(m, 0); a;
	     a = allocation_next(m, a->id)) {
		put(h, a->id);
		put_string(h, allocation_name(a, buf));
		put(h, a->exact);
		put(h, a->order);
		put(h, a->context);
		put(h, a->cpu);
		put(h, a->pfn);
		put(h, a->nr_pages);
		put(h, a->gfp);
		put(h, a->born_ns);
		put_string(h, a->op);
		put(h, a->kind);
		if (a->kind == ALLOCATION_PAGES && !a->pool)
			continue;
		put(h, a->address);
		put(h, a->size);
		put(h, a->pool);
		put(h, a->cache);
		put_string(h, a->free ? a->free : "");
	}
}

static void
hash_ram(struct hasher *h, const struct ram *ram)
{
	uint8_t piece[PIECE];
	pa_t at = 0;

	put_section(h, "ram");
	for (; ram_next_data(ram, at, &at); at += PIECE) {
		put(h, at / PIECE + 1);
		ram_read(ram, at, piece, PIECE);
		put_bytes(h, piece, PIECE);
	}
	put(h, 0);
}

/* --- physical memory ----------------------------------------------------- */

static void
hash_knobs(struct hasher *h, const struct phys *phys)
{
	const struct vm_sysctl *s = &phys->sysctl;

	put_section(h, "vm");
	put(h, s->min_free_kbytes);
	put_signed(h, s->user_min_free_kbytes);
	put(h, s->watermark_scale_factor);
	put(h, s->watermark_boost_factor);
	put_all(h, s->lowmem_reserve_ratio, MAX_NR_ZONES);
	put(h, s->percpu_pagelist_high_fraction);
	put(h, s->extfrag_threshold);
	put(h, s->zone_reclaim_mode);
	put(h, s->zonelist_by_zone);
	put(h, phys->mobility_off);
	put(h, phys->total_reserve_pages);
	put(h, phys->vm_total_pages);
	put_all(h, phys->event, NR_VM_EVENTS);
	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++)
		put(h, phys->cpu_online[cpu]);
}

static void
hash_spans(struct hasher *h, const struct phys *phys)
{
	struct pfn_span span = {0};

	put_section(h, "online");
	for (unsigned int i = 0; i < phys->spans->len; i++) {
		const struct pfn_span *next =
			&g_array_index(phys->spans, struct pfn_span, i);

		if (next->start == span.end && next->zone == span.zone) {
			span.end = next->end;
			continue;
		}
		put(h, span.end - span.start);
		span = *next;
		put(h, span.start);
		put(h, span.zone);
	}
	put(h, span.end - span.start);
}

/* Stretches of pageblocks of one type, Movable ones left out. */
static void
hash_pageblocks(struct hasher *h, const struct phys *phys)
{
	unsigned int order = phys->pageblock_order;
	uint64_t first = 0, end = 0;
	enum migratetype of = MIGRATE_MOVABLE;
	pfn_t pfn = 0;

	put_section(h, "pageblocks");
	while ((pfn = pageblock_next_set(phys, pfn, phys->max_pfn)) !=
	       PFN_NONE) {
		enum migratetype type = pageblock_type(phys, pfn);
		uint64_t index = pfn >> order;

		pfn = (index + 1) << order;
		if (type == MIGRATE_MOVABLE)
			continue;
		if (index != end || type != of) {
			put(h, end - first);
			put(h, index);
			put(h, type);
			first = index;
			of = type;
		}
		end = index + 1;
	}
	put(h, end - first);
}

static void
hash_node(struct hasher *h, const struct node *node)
{
	put_section(h, "node");
	put(h, node->start_pfn);
	put(h, node->spanned_pages);
	put(h, node->present_pages);
	put(h, node->nr_cpus);
	put_counters(h, node->stat, NR_NODE_STATS);
	for (int l = 0; l < 2; l++) {
		put(h, node->zonelist[l].nr);
		for (unsigned int i = 0; i < node->zonelist[l].nr; i++)
			put(h, node->zonelist[l].zones[i]->id);
	}
}

static void
hash_free_list(struct hasher *h, const struct zone *zone, unsigned int order,
	       enum migratetype type)
{
	struct list_cursor cursor = {0};
	pfn_t first = 0, end = PFN_NONE, pfn;
	uint64_t nr;

	put(h, zone->free_area[order].nr_free[type]);
	while ((pfn = buddy_list_stride(zone, order, type, &cursor, &nr)) !=
	       PFN_NONE) {
		if (pfn != end) {
			if (end != PFN_NONE)
				put(h, (end - first) >> order);
			put(h, pfn + 1);
			first = pfn;
		}
		end = pfn + (nr << order);
	}
	if (end != PFN_NONE)
		put(h, (end - first) >> order);
	put(h, 0);
}

static void
hash_pcp(struct hasher *h, const struct zone *zone, unsigned int cpu)
{
	const struct per_cpu_pages *pcp = &zone->pcp[cpu];

	put(h, pcp->count);
	put(h, pcp->high);
	put(h, pcp->batch);
	put(h, pcp->free_factor);
	for (unsigned int i = 0; pcp->count && i < NR_PCP_LISTS; i++) {
		struct list_cursor cursor = {0};
		pfn_t pfn;

		put(h, pcp->length[i]);
		while ((pfn = pcp_list_next(zone, cpu, i, &cursor)) !=
		       PFN_NONE) {
			put(h, pfn);
			put(h, zone->phys->frames[pfn].type);
		}
	}
}

static void
hash_zone(struct hasher *h, const struct zone *zone)
{
	put_section(h, zone_type_name(zone->type));
	put(h, zone->start_pfn);
	put(h, zone->spanned_pages);
	put(h, zone->present_pages);
	put(h, zone->managed_pages);
	put(h, zone->cma_pages);
	put_all(h, zone->watermark, NR_WMARK);
	put(h, zone->watermark_boost);
	put_all(h, zone->lowmem_reserve, MAX_NR_ZONES);
	put(h, zone->nr_reserved_highatomic);
	put(h, zone->boosted);
	put(h, zone->pcp_high);
	put(h, zone->pcp_batch);
	put(h, zone->stat_threshold);
	put_counters(h, zone->stat, NR_ZONE_STATS);
	put_all(h, zone->numa, NR_NUMA_STATS);
	if (!zone_populated(zone))
		return;
	for (unsigned int order = 0; order < MAX_ORDER; order++)
		for (int type = 0; type < MIGRATE_TYPES; type++)
			hash_free_list(h, zone, order, type);
	for (unsigned int cpu = 0; cpu < zone->phys->nr_cpus; cpu++)
		hash_pcp(h, zone, cpu);
}

static void
hash_allocated(struct hasher *h, const struct phys *phys)
{
	pfn_t pfn = frame_next_allocated(phys, 0);

	put_section(h, "frames");
	while (pfn != PFN_NONE) {
		const struct frame *f = &phys->frames[pfn];

		put(h, pfn + 1);
		put(h, f->order);
		put_signed(h, f->refs);
		put(h, f->owner);
		put_signed(h, f->mapcount);
		put(h, (uint64_t)f->type << 4 | f->flags);
		put(h, f->zone);
		pfn = frame_next_allocated(phys, pfn + (1ULL << f->order));
	}
	put(h, 0);
}

static void
put_number(void *h, uint64_t v)
{
	put(h, v);
}

/* Callers' addresses depend on the order in which they were first named. */
static void
hash_slab(struct hasher *h, const struct machine *m)
{
	const struct number_stream to = {put_number, h};
	uint32_t nr = symbols_count(m->symbols);
	va_t address;

	put(h, nr);
	for (uint32_t i = 0; i < nr; i++)
		put_string(h, symbols_nth(m->symbols, i, &address));
	slab_digest(m->slab, &to);
	fault_digest(&m->slab->failslab, &to);
	fault_digest(&m->phys->fail_page_alloc, &to);
	mempool_digest(m->mempools, &to);
	percpu_digest(m->percpu, &to);
	for (guint i = 0; m->phys->bootmem && i < m->phys->bootmem->len; i++)
		put(h, g_array_index(m->phys->bootmem, struct boot_grant, i)
			       .freed);
	for (uint32_t i = 0; runner_nth(m, i); i++) {
		const struct runner *r = runner_nth(m, i);

		put_string(h, r->comm);
		put(h, r->cpu);
		put(h, r->preempt);
		put(h, r->variable);
		put(h, r->unit);
		put(h, r->reg);
		put(h, r->loaded);
	}
}

static void
hash_vm(struct hasher *h, const struct machine *m)
{
	const struct number_stream to = {put_number, h};

	put_section(h, "tasks");
	vm_digest(m->vm, &to);
}

void
machine_digest(struct machine *m, char text[DIGEST_TEXT])
{
	const struct phys *phys = m->phys;
	struct hasher *h = g_new(struct hasher, 1);

	h->sum = g_checksum_new(G_CHECKSUM_SHA256);
	h->len = 0;
	put_bytes(h, STREAM_HEADER, strlen(STREAM_HEADER));
	hash_machine(h, m);
	hash_knobs(h, phys);
	hash_spans(h, phys);
	hash_pageblocks(h, phys);
	for (unsigned int n = 0; n < phys->nr_nodes; n++)
		hash_node(h, phys->nodes[n]);
	for (unsigned int z = 0; z < phys->nr_zones; z++)
		hash_zone(h, phys->zones[z]);
	hash_allocated(h, phys);
	hash_allocations(h, m);
	hash_slab(h, m);
	hash_vm(h, m);
	hash_ram(h, m->ram);
	hasher_flush(h);
	memcpy(text, g_checksum_get_string(h->sum), DIGEST_TEXT);
	g_checksum_free(h->sum);
	g_free(h);
}
