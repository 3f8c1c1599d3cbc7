// SPDX-License-Identifier: MIT
/*
 * ops_replay.c - the steps of a replay
 *
 * How it works: under policy model an allocation is made as any other, and the
 * map remembers which block stands for which recorded one until the recording
 * frees it.  Under policy mirror the allocator is told which frames to take
 * (pages.h, mirror_*), and the map, recorded frames standing for themselves,
 * tells which of them are known to be allocated.
 *
 * Always true: a block in the map is allocated and has no owner; no two blocks
 * of the map overlap, neither in recorded frames nor in ours; while the map
 * holds a block the policy under which it was put there stays.
 */
#include "kmemfs/ops.h"

#include "kmemfs/base/check.h"
#include "foresight_impl.h"
#include "replay_slab_impl.h"

#include <errno.h>
#include <glib.h>

#define STEP(o, a, kind)                                                       \
	{                                                                      \
		.op = (o), .m = (o)->m, .replay = replay_of((o)->m),           \
		.pfn = (a)->pfn, .order = (unsigned int)(a)->order,            \
		.cpu = (unsigned int)(a)->cpu, .event = (kind), .at = (a)->at  \
	}

/* --- mirror ----------------------------------------------------------------
 */

static void
step_result(struct step *s, enum mirror_result result)
{
	static const enum replay_mismatch what[] = {
		[MIRROR_ELSEWHERE] = MISMATCH_ELSEWHERE,
		[MIRROR_NOT_FREE] = MISMATCH_NOT_FREE,
		[MIRROR_NOT_MANAGED] = MISMATCH_NOT_MANAGED,
		[MIRROR_IMPOSSIBLE] = MISMATCH_IMPOSSIBLE,
	};

	if (result != MIRROR_OK)
		step_note(s, what[result]);
}

/*
 * Whether one of the frames belongs to an allocation that an op made: nothing
 * that a recording says takes it away.
 */
static bool
mirror_owned(struct step *s)
{
	const struct phys *phys = s->m->phys;
	pfn_t pfn = s->pfn, end = s->pfn + block_pages(s->order);

	if (!allocation_count(s->m))
		return false;
	while (pfn < end && pfn < phys->max_pfn) {
		enum migratetype type;
		enum frame_state state;
		unsigned int order;
		pfn_t head;

		state = frame_block(phys, pfn, &head, &order, &type);
		if (state == FRAME_ALLOCATED && phys->frames[head].owner) {
			step_note(s, MISMATCH_OWNED);
			return true;
		}
		pfn = state == FRAME_NONE ? pfn + 1 : head + block_pages(order);
	}
	return false;
}

static void
zero_frames(struct step *s, pfn_t pfn)
{
	unsigned int shift = s->m->phys->page_shift;

	ram_zero(s->m->ram, pfn << shift, block_pages(s->order) << shift);
}

static int
mirror_alloc(struct step *s, const struct args_replay_alloc *a)
{
	enum mirror_result result;

	foresee_step(s, (enum alloc_context)a->context);
	if (mirror_owned(s))
		return 0;
	blocks_evict(s);
	foresee_alloc(s, (enum migratetype)a->migratetype);
	result = mirror_take(s->m->phys, s->pfn, s->order, (gfp_t)a->gfp,
			     (enum migratetype)a->migratetype, s->cpu);
	step_result(s, result);
	if (result == MIRROR_IMPOSSIBLE)
		return 0;
	replay_map_add(s->replay->map,
		       &(struct replay_block){s->pfn, s->pfn, s->order});
	s->replay->counts.allocated++;
	foreseen_alloc(s, (gfp_t)a->gfp);
	if (a->gfp & __GFP_ZERO)
		zero_frames(s, s->pfn);
	op_answer(s->op, "pfn=%llu recorded=%llu", (unsigned long long)s->pfn,
		  (unsigned long long)s->pfn);
	return 0;
}

/* --- model -----------------------------------------------------------------
 */

static int
model_alloc(struct step *s, const struct args_replay_alloc *a)
{
	struct phys *phys = s->m->phys;
	struct replay_block block = {.recorded = s->pfn, .order = s->order};
	const struct page_request request = {
		.gfp = (gfp_t)a->gfp,
		.order = s->order,
		.nid = phys->cpu_node[s->cpu],
		.cpu = s->cpu,
		.context = (enum alloc_context)a->context,
	};
	int err;

	blocks_evict(s);
	err = pages_alloc(phys, &request, &block.pfn);
	if (err) {
		step_note(s, MISMATCH_FAILED);
		return op_fail(s->op, -err,
			       "order %u: no zone of the list can give it",
			       s->order);
	}
	replay_map_add(s->replay->map, &block);
	s->replay->counts.allocated++;
	s->replay->counts.same_frame += block.pfn == s->pfn;
	if (a->gfp & __GFP_ZERO)
		zero_frames(s, block.pfn);
	op_answer(s->op, "pfn=%llu recorded=%llu",
		  (unsigned long long)block.pfn, (unsigned long long)s->pfn);
	return 0;
}

/* --- the ops ---------------------------------------------------------------
 */

int
op_replay_alloc(struct op *op, struct args_replay_alloc *a)
{
	struct step s = STEP(op, a, FTRACE_ALLOC);
	int err = step_check(&s);

	if (err)
		return err;
	step_stamp(&s);
	/* Whoever asked got nothing, and will free nothing. */
	if (!s.pfn) {
		s.replay->counts.had_failed++;
		return 0;
	}
	if (s.replay->policy == REPLAY_MIRROR)
		return mirror_alloc(&s, a);
	return model_alloc(&s, a);
}

/*
 * What is not known was allocated before the recording began, or its
 * allocation was lost.  Under mirror the recorded frames become free even so.
 */
static void
free_unknown(struct step *s, bool past)
{
	enum mirror_result result;

	if (s->replay->policy == REPLAY_MIRROR) {
		if (mirror_owned(s))
			return;
		result =
			past ? resync_free(s->m->phys, s->pfn, s->order, s->cpu)
			     : mirror_free(s->m->phys, s->pfn, s->order,
					   s->cpu);
		step_result(s, result);
		/* The start state told that it was in use. */
		if (result == MIRROR_OK && replay_started(s->replay))
			return;
	}
	step_note(s, MISMATCH_UNKNOWN);
}

/* A free that finds the CPU's list in use passes it by. */
static void
free_known(struct step *s, const struct replay_block *block, bool past)
{
	if (s->replay->policy == REPLAY_MIRROR && past) {
		replay_map_remove(s->replay->map, block->recorded);
		resync_free(s->m->phys, block->pfn, block->order, s->cpu);
		return;
	}
	block_release(s, block);
}

/* Memory that is initialised late is given to its zone by a free. */
static bool
free_late(struct step *s)
{
	if (!replay_started(s->replay) || !foresee_is_late(s) ||
	    resync_late(s->m->phys, s->pfn, s->order) != MIRROR_OK)
		return false;
	s->replay->counts.late += block_pages(s->order);
	return true;
}

static unsigned int
free_recorded(struct step *s, bool past)
{
	struct replay_block block;
	unsigned int nr;

	if (replay_map_find(s->replay->map, s->pfn, &block) &&
	    block.order == s->order) {
		free_known(s, &block, past);
		op_answer(s->op, "pfn=%llu recorded=%llu",
			  (unsigned long long)block.pfn,
			  (unsigned long long)s->pfn);
		return 1;
	}
	nr = blocks_free(s);
	if (nr)
		step_note(s, MISMATCH_PARTIAL);
	else
		free_unknown(s, past);
	return nr;
}

int
op_replay_free(struct op *op, struct args_replay_free *a)
{
	struct step s = STEP(op, a, FTRACE_FREE);
	enum alloc_context context = (enum alloc_context)a->context;
	int err = step_check(&s);
	bool past;

	if (err)
		return err;
	step_stamp(&s);
	if (s.replay->policy != REPLAY_MIRROR) {
		s.replay->counts.freed += free_recorded(&s, false);
		return 0;
	}
	foresee_step(&s, context);
	if (free_late(&s))
		return 0;
	past = a->past || foresee_list_busy(&s, context);
	s.replay->counts.freed += free_recorded(&s, past);
	if (replay_started(s.replay) && foresee_is_excess(&s))
		resync_excess(op->m->phys, s.pfn);
	if (!past)
		foreseen_free(&s, context);
	return 0;
}

int
op_replay_zone_locked(struct op *op, struct args_replay_zone_locked *a)
{
	struct step s = STEP(op, a, FTRACE_ZONE_LOCKED);
	int err = step_check(&s);

	if (err)
		return err;
	step_stamp(&s);
	if (s.replay->policy != REPLAY_MIRROR)
		return 0;
	foresee_step(&s, CONTEXT_PROCESS);
	if (mirror_owned(&s))
		return 0;
	blocks_evict(&s);
	foresee_locked(&s, (enum migratetype)a->migratetype, a->refill);
	step_result(&s, mirror_zone_locked(s.m->phys, s.pfn, s.order,
					   (enum migratetype)a->migratetype,
					   a->refill, s.cpu));
	foreseen_locked(&s);
	return 0;
}

int
op_replay_drain(struct op *op, struct args_replay_drain *a)
{
	struct step s = STEP(op, a, FTRACE_DRAIN);
	int err = step_check(&s);

	if (err)
		return err;
	step_stamp(&s);
	if (s.replay->policy != REPLAY_MIRROR)
		return 0;
	foresee_step(&s, CONTEXT_PROCESS);
	if (mirror_owned(&s))
		return 0;
	blocks_evict(&s);
	foresee_drain_step(&s, (enum migratetype)a->migratetype);
	step_result(&s, mirror_drain(s.m->phys, s.pfn, s.order,
				     (enum migratetype)a->migratetype, s.cpu));
	return 0;
}

int
op_replay_extfrag(struct op *op, struct args_replay_extfrag *a)
{
	struct step s = STEP(op, a, FTRACE_EXTFRAG);
	int err = step_check(&s);

	if (err)
		return err;
	step_stamp(&s);
	if (s.replay->policy != REPLAY_MIRROR)
		return 0;
	foresee_step(&s, CONTEXT_PROCESS);
	foresee_extfrag(&s, (unsigned int)a->asked, (enum migratetype)a->from,
			(enum migratetype)a->to, a->ownership);
	step_result(&s,
		    mirror_extfrag(s.m->phys, s.pfn, (unsigned int)a->asked,
				   s.order, (enum migratetype)a->to,
				   (enum migratetype)a->from, a->ownership));
	return 0;
}

int
op_replay_policy(struct op *op, struct args_replay_policy *a)
{
	struct replay *replay = replay_of(op->m);

	if (replay->running)
		return op_refuse(op, ARG_REPLAY_POLICY_POLICY, EBUSY,
				 "a recording is being replayed; "
				 "control/replay/end ends one left open");
	if (a->policy != replay->policy && replay_live_blocks(replay))
		return op_refuse(
			op, ARG_REPLAY_POLICY_POLICY, EBUSY,
			"%llu blocks of the other policy are live; "
			"control/replay/release frees them",
			(unsigned long long)replay_live_blocks(replay));
	if (a->policy != replay->policy && replay_standing_objects(replay))
		return op_refuse(
			op, ARG_REPLAY_POLICY_POLICY, EBUSY,
			"%llu objects of the other policy are live; "
			"control/replay/release frees them",
			(unsigned long long)replay_standing_objects(replay));
	replay->policy = (enum replay_policy)a->policy;
	return 0;
}

/* What the model does by itself is compared with the recording, as counts. */
#define COMPARED                                                               \
	(1U << TRACE_MM_PAGE_ALLOC_ZONE_LOCKED |                               \
	 1U << TRACE_MM_PAGE_PCPU_DRAIN | 1U << TRACE_MM_PAGE_ALLOC_EXTFRAG)

int
op_replay_begin(struct op *op, struct args_replay_begin *a)
{
	struct replay *replay = replay_of(op->m);
	struct trace *trace = &op->m->trace;

	(void)a;
	replay->running = true;
	replay->based = false;
	replay->stamped = false;
	replay->last_at = 0;
	replay->nr_notes = 0;
	replay->counts = (struct replay_counts){0};
	memset(trace->count, 0, sizeof(trace->count));
	replay_slab_begin(replay);
	if (replay->policy == REPLAY_MODEL)
		trace->counted |= COMPARED;
	else
		foresight_begin(op->m);
	return 0;
}

int
op_replay_end(struct op *op, struct args_replay_end *a)
{
	struct replay *replay = replay_of(op->m);

	if (a->at > REPLAY_AT_MAX)
		return op_refuse(op, ARG_REPLAY_END_AT, EINVAL,
				 "more than 36 years after the first stamp");
	if (replay->based)
		op->m->now_ns = MAX_OF(op->m->now_ns, replay->base_ns + a->at);
	replay->running = false;
	replay->based = false;
	op->m->trace.counted &= ~COMPARED;
	foresight_end(op->m);
	return 0;
}

int
op_replay_release(struct op *op, struct args_replay_release *a)
{
	struct step s = {.op = op,
			 .m = op->m,
			 .replay = replay_of(op->m),
			 .cpu = (unsigned int)a->cpu};
	uint64_t i, nr, pages = replay_live_pages(s.replay);
	struct replay_block *list;
	uint64_t objects;

	if (!op->m->phys->cpu_online[a->cpu])
		return op_refuse(op, ARG_REPLAY_RELEASE_CPU, EINVAL,
				 "CPU %u is offline", s.cpu);
	op->m->trace.now.cpu = (uint16_t)a->cpu;
	objects = replay_slab_release(&s);
	list = replay_map_list(s.replay->map, &nr);
	for (i = 0; i < nr; i++)
		block_release(&s, &list[i]);
	g_free(list);
	op_answer(op, "blocks=%llu pages=%llu objects=%llu",
		  (unsigned long long)nr, (unsigned long long)pages,
		  (unsigned long long)objects);
	return 0;
}
