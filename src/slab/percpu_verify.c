// SPDX-License-Identifier: MIT
/*
 * percpu_verify.c - the laws of per-CPU memory, and its state as numbers
 */
#include "percpu_impl.h"

#include "kmemfs/phys/frame_walk.h"

#include <stdarg.h>
#include <stdio.h>

enum { LAW_BYTES, LAW_FRAMES, LAW_COUNTS, LAW_UNITS };

const struct law percpu_laws[] = {
	{"percpu.bytes",	 "in every chunk free bytes + allocated ones + what is "
			 "not its own = its size"	 },
	{"percpu.frames", "frames of per-CPU memory are allocated, name their "
			  "area, and lie in it once"},
	{"percpu.counts",
	 "nr_cur_alloc = nr_alloc - nr_dealloc = what is known "
	 "by name; pages and chunks are counted"				},
	{"percpu.units",	 "addresses of one variable on two CPUs differ by the "
			 "distance of their units"	  },
	{NULL,	       NULL					       },
};

struct percpu_audit {
	struct audit audit;
	const struct percpu *pc;
};

/* Bytes of variables that lie in @c. */
static uint64_t
named_bytes(const struct percpu *pc, const struct percpu_chunk *c, uint64_t *nr)
{
	uint64_t bytes = 0;

	*nr = 0;
	for (guint i = 0; i < pc->variables->len; i++) {
		const struct percpu_variable *v = pc->variables->pdata[i];

		if (v->chunk != c)
			continue;
		bytes += v->size;
		++*nr;
	}
	return bytes;
}

static void
audit_chunk(struct percpu_audit *a, const struct percpu_chunk *c)
{
	uint64_t bits = c->nr_pages * page_size(a->pc->phys) / PERCPU_MIN_ALLOC;
	uint64_t named, nr, free = 0;

	for (uint64_t i = 0; i < bits; i++)
		free += c->map[i] == PERCPU_FREE;
	named = named_bytes(a->pc, c, &nr);
	if (free * PERCPU_MIN_ALLOC != c->free_bytes ||
	    c->free_bytes + named + c->start_offset + c->end_offset !=
		    bits * PERCPU_MIN_ALLOC)
		audit_tell(
			&a->audit, LAW_BYTES,
			"chunk of area %u: %llu free, %llu allocated of %llu",
			c->area->id, (unsigned long long)c->free_bytes,
			(unsigned long long)named,
			(unsigned long long)bits * PERCPU_MIN_ALLOC);
	if (nr != c->nr_alloc)
		audit_tell(&a->audit, LAW_COUNTS,
			   "chunk of area %u: %llu allocations, counted %llu",
			   c->area->id, (unsigned long long)nr,
			   (unsigned long long)c->nr_alloc);
}

static void
audit_area(struct percpu_audit *a, const struct percpu_area *area,
	   GHashTable *seen)
{
	const struct phys *phys = a->pc->phys;
	uint64_t held = 0;

	for (uint64_t i = 0; i < a->pc->nr_cpus * area->unit_pages; i++) {
		pfn_t pfn = area->frames[i];
		const struct frame *f = &phys->frames[pfn];
		uint32_t number;

		if (!pfn)
			continue;
		held++;
		if (f->state != FRAME_ALLOCATED || f->order ||
		    !frame_owned_by(f->owner, OWNER_PERCPU, &number) ||
		    number != area->id ||
		    !g_hash_table_add(seen, GSIZE_TO_POINTER(pfn)))
			audit_tell(&a->audit, LAW_FRAMES,
				   "pfn %llu is not area %u's",
				   (unsigned long long)pfn, area->id);
	}
	if (held != area->held)
		audit_tell(&a->audit, LAW_COUNTS,
			   "area %u holds %llu frames, counted %llu", area->id,
			   (unsigned long long)held,
			   (unsigned long long)area->held);
}

static void
audit_frames(struct percpu_audit *a)
{
	const struct phys *phys = a->pc->phys;
	GHashTable *seen = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < a->pc->areas->len; i++)
		if (a->pc->areas->pdata[i])
			audit_area(a, a->pc->areas->pdata[i], seen);
	for (pfn_t pfn = frame_next_allocated(phys, 0); pfn != PFN_NONE;
	     pfn = frame_next_allocated(phys, pfn + 1)) {
		uint32_t number;

		if (frame_owned_by(phys->frames[pfn].owner, OWNER_PERCPU,
				   &number) &&
		    !g_hash_table_contains(seen, GSIZE_TO_POINTER(pfn)))
			audit_tell(&a->audit, LAW_FRAMES,
				   "pfn %llu lies in no area",
				   (unsigned long long)pfn);
	}
	g_hash_table_destroy(seen);
}

static void
audit_counts(struct percpu_audit *a)
{
	const struct percpu *pc = a->pc;
	uint64_t named = 0, chunks = 0, empty = 0;

	for (guint i = 0; i < pc->variables->len; i++)
		named += ((const struct percpu_variable *)
				  pc->variables->pdata[i])
				 ->kind != PERCPU_STATIC;
	for (const struct percpu_chunk *c = percpu_chunk_next(pc, NULL); c;
	     c = percpu_chunk_next(pc, c)) {
		chunks += !c->reserved;
		empty += c->reserved ? 0 : c->nr_empty_pop;
	}
	if (pc->stats.nr_cur_alloc !=
		    pc->stats.nr_alloc - pc->stats.nr_dealloc ||
	    named != pc->stats.nr_cur_alloc)
		audit_tell(&a->audit, LAW_COUNTS,
			   "%llu allocations, %llu have names",
			   (unsigned long long)pc->stats.nr_cur_alloc,
			   (unsigned long long)named);
	if (chunks != pc->stats.nr_chunks || empty != pc->nr_empty_pop)
		audit_tell(&a->audit, LAW_COUNTS,
			   "%llu chunks, %llu empty pages counted",
			   (unsigned long long)pc->stats.nr_chunks,
			   (unsigned long long)pc->nr_empty_pop);
}

static void
audit_units(struct percpu_audit *a)
{
	const struct percpu *pc = a->pc;

	for (guint i = 0; i < pc->variables->len; i++) {
		const struct percpu_variable *v = pc->variables->pdata[i];

		for (unsigned int cpu = 0; cpu < pc->nr_cpus; cpu++)
			if (percpu_address(pc, v, cpu) -
				    percpu_address(pc, v, 0) !=
			    percpu_offset(pc, cpu) - percpu_offset(pc, 0))
				audit_tell(&a->audit, LAW_UNITS, "%s on CPU %u",
					   v->name, cpu);
	}
}

unsigned int
percpu_verify(const struct percpu *pc, finding_fn found, void *user)
{
	struct percpu_audit a = {
		.audit = {.laws = percpu_laws, .found = found, .user = user},
		.pc = pc,
	};

	for (const struct percpu_chunk *c = percpu_chunk_next(pc, NULL); c;
	     c = percpu_chunk_next(pc, c))
		audit_chunk(&a, c);
	if (pc->areas->len > 1 || percpu_frames(pc))
		audit_frames(&a);
	audit_counts(&a);
	audit_units(&a);
	return a.audit.nr;
}

static void
digest_chunk(const struct percpu_chunk *c, const struct number_stream *to)
{
	stream_put(to, c->area->id);
	stream_put(to, c->reserved);
	stream_put(to, c->slot);
	stream_put(to, c->max_alloc_size);
	for (uint64_t page = 0; page < c->nr_pages; page++)
		if (c->populated[page])
			stream_put(to, page + 1);
	stream_put(to, 0);
}

void
percpu_digest(const struct percpu *pc, const struct number_stream *to)
{
	const struct percpu_stats *s = &pc->stats;
	const uint64_t values[] = {pc->last_id,	      s->nr_alloc,
				   s->nr_dealloc,     s->nr_max_alloc,
				   s->nr_max_chunks,  s->min_alloc_size,
				   s->max_alloc_size, pc->warnings,
				   pc->atomic_failed, pc->areas->len};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		stream_put(to, values[i]);
	for (const struct percpu_chunk *c = percpu_chunk_next(pc, NULL); c;
	     c = percpu_chunk_next(pc, c))
		digest_chunk(c, to);
	for (guint i = 0; i < pc->areas->len; i++) {
		const struct percpu_area *area = pc->areas->pdata[i];

		stream_put(to, area ? area->base : 0);
		for (uint64_t n = 0;
		     area && area->held && n < pc->nr_cpus * area->unit_pages;
		     n++)
			if (area->frames[n]) {
				stream_put(to, n + 1);
				stream_put(to, area->frames[n]);
			}
	}
	for (guint i = 0; i < pc->variables->len; i++) {
		const struct percpu_variable *v = pc->variables->pdata[i];

		stream_put(to, v->id);
		stream_put(to, v->kind);
		stream_put(to, v->size);
		stream_put(to, v->align);
		stream_put(to, v->area->id);
		stream_put(to, v->off);
		for (const char *c = v->name; *c; c++)
			stream_put(to, (uint8_t)*c);
	}
}
