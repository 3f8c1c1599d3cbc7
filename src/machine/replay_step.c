// SPDX-License-Identifier: MIT
/*
 * replay_step.c - what the ops of a replay share: time, notes, known blocks
 *
 * How it works: the map tells which recorded blocks are live.  A recording is
 * no proof: events were lost, a block is freed page by page after split_page or
 * the split of a huge page.  What overlaps and does not match is cut up, or
 * freed before its time, so that the map's blocks never overlap.
 */
#include "replay_impl.h"

#include <errno.h>
#include <string.h>

void
step_note(struct step *s, enum replay_mismatch mismatch)
{
	if (s->noted) {
		s->replay->counts.mismatch[mismatch]++;
		return;
	}
	s->noted = true;
	replay_note(s->replay, mismatch,
		    &(struct replay_note){
			    .at_ns = s->at,
			    .pfn = s->pfn,
			    .cpu = (uint16_t)s->cpu,
			    .event = (uint8_t)s->event,
			    .order = (uint8_t)s->order,
		    });
}

int
step_check(const struct step *s)
{
	if (!replay_is_block(s->pfn, s->order))
		return op_refuse(s->op, 0, EINVAL,
				 "no block of order %u begins at pfn %#llx",
				 s->order, (unsigned long long)s->pfn);
	if (s->at > REPLAY_AT_MAX)
		return op_refuse(s->op, -1, EINVAL,
				 "more than 36 years after the first stamp");
	if (!s->m->phys->cpu_online[s->cpu])
		return op_refuse(s->op, -1, EINVAL, "CPU %u is offline",
				 s->cpu);
	return 0;
}

void
step_stamp(struct step *s)
{
	struct machine *m = s->m;
	struct replay *replay = s->replay;
	const struct ftrace_event *e = replay->current;
	struct trace_now *now = &m->trace.now;
	size_t len;

	if (!replay->based) {
		replay->based = true;
		replay->base_ns = m->now_ns;
	}
	m->now_ns = MAX_OF(m->now_ns, replay->base_ns + s->at);
	now->ns = m->now_ns;
	now->cpu = (uint16_t)s->cpu;
	if (!e)
		return;
	now->context = (e->flags & FTRACE_IRQS_OFF ? TRACE_IRQS_OFF : 0) |
		       (e->flags & FTRACE_HARDIRQ ? TRACE_HARDIRQ : 0) |
		       (e->flags & FTRACE_SOFTIRQ ? TRACE_SOFTIRQ : 0);
	now->preempt = e->preempt;
	now->pid = e->pid;
	len = MIN_OF(e->comm_len, sizeof(now->comm) - 1);
	memcpy(now->comm, e->comm, len);
	now->comm[len] = '\0';
}

/* --- blocks that are known -------------------------------------------------
 */

void
block_release(struct step *s, const struct replay_block *block)
{
	struct phys *phys = s->m->phys;

	replay_map_remove(s->replay->map, block->recorded);
	if (s->replay->policy == REPLAY_MIRROR)
		mirror_free(phys, block->pfn, block->order, s->cpu);
	else
		pages_put(phys, block->pfn, block->order, s->cpu);
}

/*
 * A part of a block is freed: it had been cut up, by split_page or, when it is
 * a compound page, by the split of a huge page, which dissolves the compound.
 */
static void
block_cut(struct step *s, const struct replay_block *block)
{
	struct phys *phys = s->m->phys;
	struct replay_block page = *block;
	uint64_t i;

	replay_map_remove(s->replay->map, block->recorded);
	phys->frames[block->pfn].flags &= 0xf & ~FRAME_COMPOUND;
	pages_split(phys, block->pfn, block->order);
	page.order = 0;
	for (i = 0; i < block_pages(block->order); i++) {
		page.recorded = block->recorded + i;
		page.pfn = block->pfn + i;
		replay_map_add(s->replay->map, &page);
	}
}

void
blocks_evict(struct step *s)
{
	struct replay_map *map = s->replay->map;
	struct replay_block block;
	pfn_t pfn = s->pfn, end = s->pfn + block_pages(s->order);

	if (!replay_map_blocks(map))
		return;
	for (; pfn < end; pfn++) {
		if (pfn == s->pfn ? !replay_map_cover(map, pfn, &block)
				  : !replay_map_find(map, pfn, &block))
			continue;
		if (s->replay->policy == REPLAY_MIRROR) {
			replay_map_remove(map, block.recorded);
			continue;
		}
		step_note(s, MISMATCH_REALLOCATED);
		block_release(s, &block);
	}
}

unsigned int
blocks_free(struct step *s)
{
	struct replay_map *map = s->replay->map;
	struct replay_block block;
	pfn_t pfn = s->pfn, end = s->pfn + block_pages(s->order);
	unsigned int nr = 0;

	while (pfn < end) {
		if (!replay_map_cover(map, pfn, &block)) {
			pfn++;
			continue;
		}
		if (block.recorded < s->pfn ||
		    block.recorded + block_pages(block.order) > end) {
			block_cut(s, &block);
			replay_map_find(map, pfn, &block);
		}
		block_release(s, &block);
		pfn = block.recorded + block_pages(block.order);
		nr++;
	}
	return nr;
}
