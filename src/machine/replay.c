// SPDX-License-Identifier: MIT
/*
 * replay.c - lines of a recording become ops
 *
 * How it works: a line is read (ftrace.c), its time stamp made relative to the
 * first one, its CPU folded to one that this machine has, and what changes
 * state under the policy is run as an op whose arguments are filled in here,
 * without text in between.  The ops themselves are in ops_replay.c.
 *
 *     event                       model         mirror
 *     mm_page_alloc               alloc         alloc
 *     mm_page_free                free          free
 *     mm_page_free_batched        -             -       (also an mm_page_free;
 *                                                       see replay_queue.c)
 *     mm_page_alloc_zone_locked   -             zone_locked
 *     mm_page_pcpu_drain          -             drain
 *     mm_page_alloc_extfrag       -             extfrag
 *     kmalloc, kmem_cache_alloc   the same      -       (replay_slab.c)
 *     kfree, kmem_cache_free      the same      -
 *     others                      -             -
 *
 * Always true: what a journal of the ops does again, and what the lines did,
 * end in the same state; only the counts of lines are not in the journal.
 */
#include "kmemfs/ops.h"

#include "kmemfs/base/check.h"
#include "foresight_impl.h"
#include "replay_slab_impl.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static const struct {
	const char *name, *meaning;
} mismatches[] = {
#define REPLAY_WORD(id, word, means) {word, means},
	REPLAY_MISMATCHES(REPLAY_WORD)
#undef REPLAY_WORD
};

static const char *const op_names[FTRACE_KMALLOC] = {
	[FTRACE_ALLOC] = "replay/alloc",
	[FTRACE_FREE] = "replay/free",
	[FTRACE_ZONE_LOCKED] = "replay/zone_locked",
	[FTRACE_DRAIN] = "replay/drain",
	[FTRACE_EXTFRAG] = "replay/extfrag",
};

struct replay *
replay_of(struct machine *m)
{
	unsigned int i;

	if (m->replay)
		return m->replay;
	m->replay = g_new0(struct replay, 1);
	m->replay->map = replay_map_new();
	ftrace_init(&m->replay->reader);
	for (i = 0; i < ARRAY_SIZE(op_names); i++)
		if (op_names[i])
			m->replay->op[i] = op_find(op_names[i]);
	return m->replay;
}

void
replay_free(struct replay *replay, unsigned int nr_cpus)
{
	if (!replay)
		return;
	replay_map_free(replay->map);
	foresight_free(replay->foresight, nr_cpus);
	queue_free(replay->queue, nr_cpus);
	replay_slab_free(replay->slab);
	g_free(replay);
}

const char *
replay_mismatch_name(enum replay_mismatch mismatch)
{
	KM_ASSERT(mismatch < NR_MISMATCHES);
	return mismatches[mismatch].name;
}

const char *
replay_mismatch_meaning(enum replay_mismatch mismatch)
{
	KM_ASSERT(mismatch < NR_MISMATCHES);
	return mismatches[mismatch].meaning;
}

uint64_t
replay_live_blocks(const struct replay *replay)
{
	return replay_map_blocks(replay->map);
}

uint64_t
replay_live_pages(const struct replay *replay)
{
	return replay_map_pages(replay->map);
}

uint64_t
replay_fingerprint(const struct machine *m)
{
	const struct replay *replay = m->replay;
	uint64_t print;

	if (!replay)
		return 0;
	print = replay_map_fingerprint(replay->map);
	if (replay->slab)
		print += 31 * replay_slab_fingerprint(replay->slab);
	print = print * 31 + replay->policy;
	print = print * 31 + replay->running;
	print = print * 31 + (replay->based ? replay->base_ns + 1 : 0);
	if (replay_started(replay))
		print = print * 31 +
			foresight_fingerprint(replay->foresight, m);
	return print;
}

void
replay_note(struct replay *replay, enum replay_mismatch mismatch,
	    const struct replay_note *where)
{
	struct replay_note *note =
		&replay->notes[replay->nr_notes++ % REPLAY_NOTES];

	/* Most have no lists. */
	memcpy(note, where, offsetof(struct replay_note, lists));
	note->lists[0] = '\0';
	if (*where->lists)
		memcpy(note->lists, where->lists, sizeof(note->lists));
	note->mismatch = (uint8_t)mismatch;
	replay->counts.mismatch[mismatch]++;
}

/* --- one line ------------------------------------------------------------- */

/* A recorded CPU that this machine has not, or has switched off, is another
 * one's work. */
unsigned int
replay_fold_cpu(struct machine *m, uint32_t recorded)
{
	const struct phys *phys = m->phys;
	unsigned int cpu = recorded % phys->nr_cpus, tries;

	for (tries = 0; tries < phys->nr_cpus && !phys->cpu_online[cpu];
	     tries++)
		cpu = (cpu + 1) % phys->nr_cpus;
	return cpu;
}

/* The stamp of @e since the first one; stamps of several CPUs may go back. */
static uint64_t
replay_at(struct replay *replay, const struct ftrace_event *e)
{
	uint64_t at;

	if (!replay->stamped) {
		replay->stamped = true;
		replay->first_ts = e->ts_ns;
	}
	at = e->ts_ns > replay->first_ts ? e->ts_ns - replay->first_ts : 0;
	if (at > REPLAY_AT_MAX)
		at = replay->last_at;
	if (at > replay->last_at)
		replay->last_at = at;
	return at;
}

static uint64_t
replay_context(const struct ftrace_event *e)
{
	if (e->flags & FTRACE_HARDIRQ)
		return CONTEXT_IRQ;
	return e->flags & FTRACE_SOFTIRQ ? CONTEXT_SOFTIRQ : CONTEXT_PROCESS;
}

#define FILL(op, name, ...)                                                    \
	(*(struct args_##name *)(void *)&(op)->args =                          \
		 (struct args_##name){__VA_ARGS__})

static void
replay_fill(struct op *op, const struct ftrace_event *e, unsigned int cpu,
	    uint64_t at, bool past)
{
	switch (e->kind) {
	case FTRACE_ALLOC:
		FILL(op, replay_alloc, .pfn = e->pfn, .order = e->order,
		     .migratetype = e->migratetype, .gfp = e->gfp, .cpu = cpu,
		     .context = replay_context(e), .at = at);
		break;
	case FTRACE_FREE:
		FILL(op, replay_free, .pfn = e->pfn, .order = e->order,
		     .cpu = cpu, .context = replay_context(e), .past = past,
		     .at = at);
		break;
	case FTRACE_ZONE_LOCKED:
		FILL(op, replay_zone_locked, .pfn = e->pfn, .order = e->order,
		     .migratetype = e->migratetype, .refill = e->percpu_refill,
		     .cpu = cpu, .at = at);
		break;
	case FTRACE_DRAIN:
		FILL(op, replay_drain, .pfn = e->pfn, .order = e->order,
		     .migratetype = e->migratetype, .cpu = cpu, .at = at);
		break;
	default:
		FILL(op, replay_extfrag, .pfn = e->pfn,
		     .order = e->fallback_order, .from = e->fallback_type,
		     .to = e->migratetype, .asked = e->order,
		     .ownership = e->change_ownership, .cpu = cpu, .at = at);
		break;
	}
}

/* Whether the op's parameters can hold what the line says. */
static bool
replay_fits(const struct ftrace_event *e)
{
	uint32_t order =
		e->kind == FTRACE_EXTFRAG ? e->fallback_order : e->order;

	return order < MAX_ORDER && replay_is_block(e->pfn, order) &&
	       e->migratetype < MIGRATE_TYPES &&
	       e->fallback_type < MIGRATE_TYPES;
}

int
replay_step(struct machine *m, const struct ftrace_event *e, uint64_t at,
	    struct refusal *r)
{
	struct replay *replay = m->replay;
	unsigned int cpu = replay_fold_cpu(m, e->cpu);
	struct refusal own;
	struct op op;
	int err;

	if (!replay_fits(e)) {
		replay_note(replay, MISMATCH_IMPOSSIBLE,
			    &(struct replay_note){
				    .at_ns = at,
				    .pfn = e->pfn,
				    .cpu = (uint16_t)cpu,
				    .event = (uint8_t)e->kind,
				    .order = (uint8_t)MIN_OF(e->order, 255),
			    });
		m->generation++;
		return 0;
	}
	op_begin(&op, m, replay->op[e->kind]);
	replay_fill(&op, e, cpu, at, queue_interrupted(m, e, cpu));
	replay->current = e;
	err = op_run(m, &op, NULL, &own);
	replay->current = NULL;
	if (err && !own.ran) {
		if (r)
			*r = own;
		return err;
	}
	return 0;
}

/* Whether an event of this kind does something under the policy. */
static bool
replay_acts(const struct replay *replay, enum ftrace_kind kind)
{
	switch (kind) {
	case FTRACE_ALLOC:
	case FTRACE_FREE:
		return true;
	case FTRACE_ZONE_LOCKED:
	case FTRACE_DRAIN:
	case FTRACE_EXTFRAG:
		return replay->policy == REPLAY_MIRROR;
	default:
		return false;
	}
}

int
replay_line(struct machine *m, const char *line, size_t len, struct refusal *r)
{
	struct replay *replay = replay_of(m);
	struct replay_counts *counts = &replay->counts;
	struct ftrace_event e;
	uint64_t at;
	int err;

	if (!replay->running)
		return refuse(r, EINVAL, 0, "no replay has begun");
	counts->lines++;
	switch (ftrace_parse(&replay->reader, line, len, &e)) {
	case FTRACE_HEADER:
		counts->headers++;
		break;
	case FTRACE_LOST:
		counts->lost += e.lost;
		break;
	case FTRACE_UNPARSED:
		counts->unparsed++;
		break;
	default:
		counts->event[e.kind]++;
		counts->unknown_gfp += e.unknown_gfp;
		counts->folded_cpus += replay_fold_cpu(m, e.cpu) != e.cpu;
		at = replay_at(replay, &e);
		if (replay_slab_line(m, &e, at, r, &err))
			return err;
		if (replay->policy == REPLAY_MIRROR && replay_started(replay)) {
			if (queue_event(m, &e, at))
				return 0;
			replay_hint(m, &e, line, len, at);
		}
		if (replay_acts(replay, e.kind))
			return replay_step(m, &e, at, r);
		break;
	}
	/* No op, but replay/progress has changed. */
	m->generation++;
	return 0;
}

/* --- begin and end ---------------------------------------------------------
 */

int
replay_begin(struct machine *m, struct refusal *r)
{
	struct refusal own;
	struct op op;
	int err = 0;

	if (replay_of(m)->running)
		err = replay_end(m, r);
	if (err)
		return err;
	op_begin(&op, m, op_find("replay/begin"));
	return op_run(m, &op, NULL, r ? r : &own);
}

int
replay_end(struct machine *m, struct refusal *r)
{
	struct refusal own;
	struct op op;
	struct args_replay_end *args = (void *)&op.args;

	queue_flush(m);
	replay_slab_flush(m);
	op_begin(&op, m, op_find("replay/end"));
	args->at = replay_of(m)->last_at;
	return op_run(m, &op, NULL, r ? r : &own);
}
