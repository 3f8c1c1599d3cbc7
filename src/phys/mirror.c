// SPDX-License-Identifier: MIT
/*
 * mirror.c - taking and giving the very frames that a recording names
 *
 * What it models: the same steps as a kernel's, with its choices given.
 *
 * How it works: what a step needs is compared with where the model has these
 * frames.  If they are there, the step is the kernel's own.  If not, as little
 * as possible is changed to make it possible: blocks around them are merged
 * into the buddy and split again, what remains of a split block goes to the
 * heads of the lists of its pageblock's type, and the caller learns what had
 * to be done.  All laws hold after each step.
 *
 * Differs from the kernel: nobody's preferred zone is known, so each page
 * counts as numa_hit of its own zone; free_factor is left alone.
 */
#include "alloc_impl.h"
#include "boot_impl.h"

/* A recorded block and what it took to get it. */
struct step {
	struct phys *phys;
	struct zone *zone;
	pfn_t pfn;
	pfn_t end;
	unsigned int order;
	bool is_split; /* the kernel splits the block that holds it */
	enum mirror_result worst;
};

static void
note(struct step *s, enum mirror_result result)
{
	if (result > s->worst)
		s->worst = result;
}

/* Whether all of it is memory of one zone. */
static bool
step_init(struct step *s, struct phys *phys, pfn_t pfn, unsigned int order,
	  enum migratetype type)
{
	*s = (struct step){.phys = phys, .pfn = pfn, .order = order};
	if (order >= MAX_ORDER || pfn >= phys->max_pfn ||
	    type >= MIGRATE_TYPES || pfn & ((1ULL << order) - 1))
		return false;
	s->end = pfn + (1ULL << order);
	if (s->end > phys->max_pfn)
		return false;
	if (head_is(phys, pfn, order)) {
		s->zone = phys->zones[phys->frames[pfn].zone];
		return true;
	}
	s->zone = phys_zone_of(phys, pfn);
	if (!s->zone || phys_zone_of(phys, s->end - 1) != s->zone)
		return false;
	for (pfn_t at = pfn; at < s->end; at++)
		if (!extents_cover(s->zone, at, at + 1) &&
		    !phys_present(phys, at))
			return false;
	return true;
}

/* The block's state when the model has it in one piece of that size, else
 * FRAME_NONE. */
static enum frame_state
step_exact(const struct step *s)
{
	const struct frame *f = &s->phys->frames[s->pfn];

	if (!head_is(s->phys, s->pfn, s->order) ||
	    (f->flags & FRAME_RUN && f->state == FRAME_FREE))
		return FRAME_NONE;
	return f->state;
}

/* Take the block off the per-cpu list it is on. */
static void
pcp_unlink(struct step *s, pfn_t pfn, unsigned int cpu)
{
	unsigned int index;
	struct per_cpu_pages *pcp = pcp_holding(s->zone, pfn, &index);

	if (pcp != &s->zone->pcp[cpu])
		note(s, MIRROR_ELSEWHERE);
	pcp_del(s->zone, pcp, index, pfn);
}

/* Free whatever covers the step's frames, so that all are in the buddy. */
static void
step_release(struct step *s, unsigned int cpu)
{
	struct phys *phys = s->phys;
	pfn_t at = s->pfn;

	while (at < s->end) {
		enum migratetype type;
		unsigned int order;
		pfn_t head;

		switch (frame_block(phys, at, &head, &order, &type)) {
		case FRAME_PCP:
			note(s, MIRROR_ELSEWHERE);
			pcp_unlink(s, head, cpu);
			buddy_free(s->zone, head, order, type, false);
			break;
		case FRAME_ALLOCATED:
			note(s, MIRROR_NOT_FREE);
			buddy_free(s->zone, head, order, block_type(phys, head),
				   false);
			break;
		case FRAME_FREE:
			break;
		default:
			note(s, MIRROR_NOT_MANAGED);
			phys_manage(phys, s->zone, at, at + 1, false);
			head = at;
			order = 0;
		}
		at = head + (1ULL << order);
	}
}

/* Put the block at @head of order @high on the lists, without the step's: as a
 * split does it, on the lists of @own, else of its pageblock's type. */
static void
step_leave_rest(struct step *s, pfn_t head, unsigned int high,
		enum migratetype own)
{
	while (high > s->order) {
		pfn_t half = 1ULL << --high;
		pfn_t rest = head + half;
		enum migratetype type;

		if (s->pfn >= rest) {
			rest = head;
			head += half;
		}
		type = s->is_split ? own : block_type(s->phys, rest);
		buddy_add(s->zone, rest, high, type, false);
		zone_mod_free(s->zone, (int64_t)half, type);
	}
}

/* Take the step's frames, all of them free, out of the buddy. */
static void
step_extract(struct step *s)
{
	struct zone *zone = s->zone;
	pfn_t at = s->pfn;

	while (at < s->end) {
		enum migratetype type;
		unsigned int order;
		pfn_t head;
		bool is_free;

		is_free = buddy_covering(zone, at, &head, &order);
		KM_ASSERT(is_free);
		/* Inside a run it may be untouched, and is not even read. */
		type = s->phys->heads[head] ? buddy_del(zone, head, order)
					    : buddy_del_in_run(zone, head);
		zone_mod_free(zone, -(1LL << order), type);
		step_leave_rest(s, head, order, type);
		at = head + (1ULL << order);
	}
}

/* Make the frames of the step belong to nobody; @cpu should have them. */
static void
step_take(struct step *s, unsigned int cpu, enum frame_state expected)
{
	enum frame_state state = step_exact(s);
	enum migratetype was;
	unsigned int order;
	pfn_t head;

	if (state == FRAME_PCP) {
		if (expected != FRAME_PCP)
			note(s, MIRROR_ELSEWHERE);
		pcp_unlink(s, s->pfn, cpu);
		return;
	}
	if (state == FRAME_ALLOCATED) {
		if (expected != FRAME_ALLOCATED)
			note(s, MIRROR_NOT_FREE);
		s->phys->frames[s->pfn].state = FRAME_NONE;
		return;
	}
	/* One free block holds all of it: that is where a split takes it. */
	state = frame_block(s->phys, s->pfn, &head, &order, &was);
	if (state != FRAME_FREE || order < s->order || expected != FRAME_FREE)
		note(s, MIRROR_ELSEWHERE);
	if (state != FRAME_FREE || order < s->order)
		step_release(s, cpu);
	step_extract(s);
}

static void
count_taken(const struct step *s, unsigned int cpu)
{
	struct zone *zone = s->zone;
	struct phys *phys = s->phys;
	bool local = phys->cpu_node[cpu] == (int32_t)zone->node->id;

	phys->event[VE_pgalloc_dma + zone->type] += 1ULL << s->order;
	if (!phys->arch->numa)
		return;
	zone->numa[NUMA_numa_hit - NUMA_BASE]++;
	zone->numa[(local ? NUMA_numa_local : NUMA_numa_other) - NUMA_BASE]++;
}

/* The type to file the step's frames under: the recorded one, unless the model
 * knows better which pageblocks do not mix with others. */
static enum migratetype
step_type(const struct step *s, enum migratetype recorded)
{
	enum migratetype own = block_type(s->phys, s->pfn);

	if (!type_is_mergeable(recorded) || own == MIGRATE_CMA ||
	    own == MIGRATE_ISOLATE)
		return own;
	return recorded;
}

enum mirror_result
mirror_take(struct phys *phys, pfn_t pfn, unsigned int order, gfp_t gfp,
	    enum migratetype type, unsigned int cpu)
{
	enum frame_state expected = FRAME_ALLOCATED; /* by zone_locked */
	enum migratetype was;
	struct step s;
	struct frame *f;

	if (!step_init(&s, phys, pfn, order, type))
		return MIRROR_IMPOSSIBLE;
	f = &phys->frames[pfn];
	if (step_exact(&s) != FRAME_ALLOCATED || !(f->flags & FRAME_TAKEN))
		expected = pcp_order(phys, order) ? FRAME_PCP : FRAME_FREE;
	was = phys->heads[pfn] ? (enum migratetype)f->type : type;
	step_take(&s, cpu, expected);
	frame_set_head(f, s.zone, order, FRAME_NONE, was);
	prep_new_page(phys, pfn, order, gfp, type);
	count_taken(&s, cpu);
	TRACE(phys->trace, MM_PAGE_ALLOC, pfn, order, type, gfp);
	return s.worst;
}

enum mirror_result
mirror_zone_locked(struct phys *phys, pfn_t pfn, unsigned int order,
		   enum migratetype type, bool pcp_refill, unsigned int cpu)
{
	struct step s;

	if (!step_init(&s, phys, pfn, order, type))
		return MIRROR_IMPOSSIBLE;
	s.is_split = true;
	step_take(&s, cpu, FRAME_FREE);
	TRACE(phys->trace, MM_PAGE_ALLOC_ZONE_LOCKED, pfn, order, type,
	      pcp_refill);
	if (pcp_refill && pcp_order(phys, order)) {
		pcp_add(s.zone, &s.zone->pcp[cpu],
			pcp_index(pcp_list_type(type), order), pfn,
			step_type(&s, type), true);
		return s.worst;
	}
	frame_set_head(&phys->frames[pfn], s.zone, order, FRAME_NONE, type);
	prep_new_page(phys, pfn, order, 0, type);
	phys->frames[pfn].flags |= FRAME_TAKEN;
	return s.worst;
}

/* Make the part of a larger allocation that the step names one of its own. */
static void
step_cut(struct step *s, pfn_t head, unsigned int high)
{
	struct frame *frames = s->phys->frames;

	frames[head].flags &= (uint8_t)~FRAME_COMPOUND & 15;
	while (high > s->order) {
		pfn_t half = 1ULL << --high;

		frames[head].order = high & 15;
		frames[head + half] = frames[head];
		frame_note(s->phys, head);
		frame_note(s->phys, head + half);
		if (s->pfn >= head + half)
			head += half;
	}
}

/* Let an allocation that is larger than the step's block be cut to it. */
static void
step_cut_larger(struct step *s)
{
	enum migratetype type;
	unsigned int order;
	pfn_t head;

	if (step_exact(s) == FRAME_NONE &&
	    frame_block(s->phys, s->pfn, &head, &order, &type) ==
		    FRAME_ALLOCATED &&
	    order > s->order)
		step_cut(s, head, order);
}

/* The type of the step's pageblock.  Without sections each zone keeps those of
 * its own, and a first one that begins in another zone was never set. */
static enum migratetype
step_block_type(const struct step *s)
{
	pfn_t start = round_down_to(s->pfn, pageblock_pages(s->phys));

	if (s->phys->arch->page_offset <= UINT32_MAX &&
	    !zone_spans(s->zone, start))
		return MIGRATE_UNMOVABLE;
	return block_type(s->phys, s->pfn);
}

enum mirror_result
mirror_free(struct phys *phys, pfn_t pfn, unsigned int order, unsigned int cpu)
{
	enum migratetype type;
	struct step s;

	if (!step_init(&s, phys, pfn, order, MIGRATE_UNMOVABLE))
		return MIRROR_IMPOSSIBLE;
	step_cut_larger(&s);
	type = step_block_type(&s);
	step_take(&s, cpu, FRAME_ALLOCATED);
	TRACE(phys->trace, MM_PAGE_FREE, pfn, order);
	phys->event[VE_pgfree] += 1ULL << order;
	if (pcp_order(phys, order) && type != MIGRATE_ISOLATE)
		pcp_add(s.zone, &s.zone->pcp[cpu],
			pcp_index(pcp_list_type(type), order), pfn, type,
			false);
	else
		buddy_free(s.zone, pfn, order, type, false);
	return s.worst;
}

enum mirror_result
mirror_drain(struct phys *phys, pfn_t pfn, unsigned int order,
	     enum migratetype type, unsigned int cpu)
{
	enum migratetype was;
	unsigned int at_order;
	struct step s;
	pfn_t head;

	if (!step_init(&s, phys, pfn, order, type))
		return MIRROR_IMPOSSIBLE;
	if (frame_block(phys, pfn, &head, &at_order, &was) == FRAME_FREE &&
	    at_order >= order) {
		note(&s, MIRROR_ELSEWHERE); /* it is there already */
	} else {
		step_cut_larger(&s);
		step_take(&s, cpu, FRAME_PCP);
		buddy_free(s.zone, pfn, order, step_type(&s, type), false);
	}
	TRACE(phys->trace, MM_PAGE_PCPU_DRAIN, pfn, order, type);
	return s.worst;
}

/* Move the free block that holds the step's frames, and if the kernel would
 * have, all free blocks of its pageblock, to the lists of @type. */
static void
step_steal(struct step *s, enum migratetype type)
{
	unsigned int pageblock = s->phys->pageblock_order;
	bool settles = s->order >= pageblock / 2 || type != MIGRATE_MOVABLE ||
		       s->phys->mobility_off;
	enum migratetype from;
	unsigned int order;
	pfn_t head;

	if (frame_block(s->phys, s->pfn, &head, &order, &from) != FRAME_FREE ||
	    order < s->order || !type_is_mergeable(from)) {
		note(s, MIRROR_NOT_FREE);
		return;
	}
	/* A larger block stays whole: half of it has no place of its own. */
	if (order > s->order)
		note(s, MIRROR_ELSEWHERE);
	if (order >= pageblock || !settles ||
	    block_type(s->phys, s->pfn) == MIGRATE_HIGHATOMIC ||
	    !move_freepages_block(s->zone, s->pfn, type, NULL))
		buddy_move(s->zone, head, order, type);
}

enum mirror_result
mirror_extfrag(struct phys *phys, pfn_t pfn, unsigned int alloc_order,
	       unsigned int fallback_order, enum migratetype type,
	       enum migratetype fallback_type, bool change_ownership)
{
	unsigned int pageblock = phys->pageblock_order;
	enum migratetype own;
	struct step s;

	if (!step_init(&s, phys, pfn, fallback_order, type) ||
	    !type_is_mergeable(type))
		return MIRROR_IMPOSSIBLE;
	own = block_type(phys, pfn);
	step_steal(&s, type);
	for (pfn_t at = pfn;
	     change_ownership && type_is_mergeable(own) && at < s.end;
	     at += pageblock_pages(phys))
		pageblock_set_type(phys, at, type);
	TRACE(phys->trace, MM_PAGE_ALLOC_EXTFRAG, pfn, alloc_order,
	      fallback_order, pageblock, type, fallback_type,
	      fallback_order < pageblock, change_ownership);
	return s.worst;
}
