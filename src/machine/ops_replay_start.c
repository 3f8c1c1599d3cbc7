// SPDX-License-Identifier: MIT
/*
 * ops_replay_start.c - what a recording does not show by events of pages
 *
 * How it works: replay/start and replay/pcp tell how things stood when the
 * recording began, before replay/begin; replay/silent and replay/reclaim are
 * made from lines of the recording that are no events of pages.
 */
#include "kmemfs/ops.h"

#include "foresight_impl.h"

#include <errno.h>
#include <string.h>

static const char *const states[] = {"free", "used", "absent", "late", "same"};
#define STATE_LATE 3
#define STATE_SAME 4

static const char *const phases[] = {
	[PCP_BOOT] = "boot",
	[PCP_EARLY] = "early",
	[PCP_FINAL] = "final",
};

#define PCP_BATCH_MOST 65535

static int
word_find(const char *const *words, unsigned int nr, const char *word)
{
	for (unsigned int i = 0; i < nr; i++)
		if (!strcmp(words[i], word))
			return (int)i;
	return -1;
}

static int
start_check(struct op *op, const struct args_replay_start *a, int state)
{
	struct replay *replay = replay_of(op->m);

	if (a->last < a->first || a->last >= REPLAY_PFN_MAX)
		return op_refuse(op, ARG_REPLAY_START_LAST, EINVAL,
				 "the last frame is not one after the first");
	if (state < 0)
		return op_refuse(op, ARG_REPLAY_START_STATE, EINVAL,
				 "free, used, late, absent or same");
	if (a->type < -1 || a->type >= MIGRATE_PCPTYPES)
		return op_refuse(
			op, ARG_REPLAY_START_TYPE, EINVAL,
			"0 unmovable, 1 movable, 2 reclaimable, or -1");
	if (replay->running)
		return op_refuse(op, -1, EBUSY,
				 "a recording is being replayed; "
				 "control/replay/end ends one left open");
	if (replay_live_blocks(replay))
		return op_refuse(
			op, -1, EBUSY,
			"%llu blocks of an earlier recording are live; "
			"control/replay/release frees them",
			(unsigned long long)replay_live_blocks(replay));
	return 0;
}

int
op_replay_start(struct op *op, struct args_replay_start *a)
{
	int state = word_find(states, ARRAY_SIZE(states), a->state);
	int err = start_check(op, a, state);
	struct phys *phys = op->m->phys;
	struct foresight *f;
	pfn_t end = a->last + 1;

	if (err)
		return err;
	if (phys_range_is_owned(phys, a->first, end))
		return op_refuse(op, ARG_REPLAY_START_FIRST, EBUSY,
				 "an allocation has one of these frames");
	f = foresight_of(op->m);
	f->started = true;
	if (a->type >= 0)
		resync_pageblocks(phys, a->first, end,
				  (enum migratetype)a->type);
	if (state == STATE_LATE)
		g_array_append_val(f->late,
				   ((struct pfn_span){a->first, end, 0}));
	if (state != STATE_SAME)
		resync_start(phys, a->first, end,
			     state == STATE_LATE ? START_ABSENT
						 : (enum start_state)state,
			     a->type >= 0 ? (enum migratetype)a->type
					  : MIGRATE_UNMOVABLE);
	return 0;
}

static struct zone *
zone_named(struct phys *phys, int64_t nid, const char *name)
{
	for (unsigned int i = 0; i < phys->nr_zones; i++) {
		struct zone *zone = phys->zones[i];

		if (name && zone->node->id == nid && zone->pcp &&
		    !strcmp(zone_type_name(zone->type), name))
			return zone;
	}
	return NULL;
}

int
op_replay_pcp(struct op *op, struct args_replay_pcp *a)
{
	int phase = word_find(phases, ARRAY_SIZE(phases), a->phase);
	struct zone *zone = zone_named(op->m->phys, a->node, a->zone);
	struct foresight *f;

	if (phase < 0)
		return op_refuse(op, ARG_REPLAY_PCP_PHASE, EINVAL,
				 "boot, early or final");
	if (a->node >= 0 && !zone)
		return op_refuse(op, ARG_REPLAY_PCP_ZONE, EINVAL,
				 "the machine has no such zone");
	if (zone && (a->batch - 1 >= PCP_BATCH_MOST || a->high > UINT32_MAX))
		return op_refuse(op, ARG_REPLAY_PCP_BATCH, EINVAL,
				 "a batch is 1 to %d", PCP_BATCH_MOST);
	if (zone) {
		zone->pcp_batch = (uint32_t)a->batch;
		zone->pcp_high = (uint32_t)a->high;
	}
	f = foresight_of(op->m);
	f->started = true;
	f->phase = (enum pcp_phase)phase;
	/* The boot pageset keeps nothing. */
	if (phase == PCP_BOOT)
		pages_drain(op->m->phys, NULL, -1);
	for (unsigned int i = 0; i < op->m->phys->nr_zones; i++)
		resync_pcp_phase(op->m->phys->zones[i], f->phase);
	return 0;
}

static struct node *
node_of(struct op *op, int64_t nid, uint64_t cpu)
{
	struct phys *phys = op->m->phys;

	return phys->nodes[nid == NODE_LOCAL ? phys->cpu_node[cpu] : nid];
}

/* Where a vmalloc area's pages come from: the highest zone but Movable. */
static struct zone *
vmalloc_zone(const struct node *node)
{
	const struct zonelist *list = &node->zonelist[ZONELIST_FALLBACK];

	for (unsigned int i = 0; i < list->nr; i++)
		if (list->zones[i]->type != ZONE_MOVABLE)
			return list->zones[i];
	return NULL;
}

int
op_replay_silent(struct op *op, struct args_replay_silent *a)
{
	struct step s = {.op = op,
			 .m = op->m,
			 .replay = replay_of(op->m),
			 .cpu = (unsigned int)a->cpu,
			 .event = FTRACE_KMALLOC,
			 .at = a->at};
	int err = step_check(&s);
	struct zone *zone;

	if (err)
		return err;
	if (!a->pages || a->pages > op->m->phys->max_pfn)
		return op_refuse(op, ARG_REPLAY_SILENT_PAGES, EINVAL,
				 "as many pages as the machine has, at most");
	step_stamp(&s);
	zone = vmalloc_zone(node_of(op, a->node, a->cpu));
	if (s.replay->policy != REPLAY_MIRROR || !zone || !zone->pcp ||
	    !replay_started(s.replay))
		return 0;
	foresee_step(&s, CONTEXT_PROCESS);
	heal_expect_silent(&s, zone, a->pages);
	return 0;
}

int
op_replay_reclaim(struct op *op, struct args_replay_reclaim *a)
{
	struct step s = {.op = op,
			 .m = op->m,
			 .replay = replay_of(op->m),
			 .event = FTRACE_OTHER,
			 .at = a->at};
	struct node *node = node_of(op, a->node, 0);

	if (a->at > REPLAY_AT_MAX)
		return op_refuse(op, ARG_REPLAY_RECLAIM_AT, EINVAL,
				 "more than 36 years after the first stamp");
	step_stamp(&s);
	for (unsigned int i = 0; i < MAX_NR_ZONES; i++)
		node->zones[i].reclaim_active = a->active;
	return 0;
}
