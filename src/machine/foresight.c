// SPDX-License-Identifier: MIT
/*
 * foresight.c - what the model would do, compared with what was recorded
 *
 * How it works:   each kind of step is asked of phys/foresight.h and counted
 *                 by kind, zone and order.  A drain is foretold as a whole
 *                 when the free is done that sets it off: which list, how many
 *                 pages.  Each drained block is compared with the next one;
 *                 one that does not come, or one too many, is wrong.  A list
 *                 whose drains come too early or too late holds pages that the
 *                 model does not know of: hidden says how many.
 * Always true:    with equal ops, equal counts; the digest has all that later
 *                 steps depend on.
 */
#include "foresight_impl.h"

#include <stdio.h>
#include <string.h>

#define HIDDEN_MOST 2 /* batches that a list may have and nobody saw come */

static const char *const names[] = {
#define FORESEEN_NAME(id, word, event, right) word,
	REPLAY_FORESEEN(FORESEEN_NAME)
#undef FORESEEN_NAME
};

const char *
replay_foreseen_name(enum replay_foreseen kind)
{
	return names[kind];
}

struct foresight *
foresight_of(struct machine *m)
{
	struct replay *replay = replay_of(m);
	struct foresight *f = replay->foresight;

	if (f)
		return f;
	f = g_new0(struct foresight, 1);
	f->phase = PCP_FINAL;
	f->cpu = g_new0(struct foresight_cpu, m->phys->nr_cpus);
	f->hidden = g_new0(int64_t, m->phys->nr_zones * m->phys->nr_cpus);
	f->tally = g_malloc0_n(m->phys->nr_zones, sizeof(*f->tally));
	f->late = g_array_new(FALSE, FALSE, sizeof(struct pfn_span));
	f->was_freed = g_new0(uint8_t, m->phys->max_pfn / 8 + 1);
	f->shown = g_new0(uint8_t,
			  (m->phys->max_pfn >> m->phys->pageblock_order) + 1);
	f->tries = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
					 NULL);
	f->lost = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
					NULL);
	for (unsigned int cpu = 0; cpu < m->phys->nr_cpus; cpu++)
		f->cpu[cpu].silently = g_array_new(FALSE, FALSE, sizeof(pfn_t));
	replay->foresight = f;
	return f;
}

void
foresight_free(struct foresight *f, unsigned int nr_cpus)
{
	if (!f)
		return;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		g_array_free(f->cpu[cpu].silently, TRUE);
	g_free(f->cpu);
	g_free(f->hidden);
	g_free(f->tally);
	g_free(f->was_freed);
	g_free(f->shown);
	g_array_free(f->late, TRUE);
	g_hash_table_destroy(f->tries);
	g_hash_table_destroy(f->lost);
	assumed_free(f);
	g_free(f);
}

bool
replay_started(const struct replay *replay)
{
	return replay->foresight && replay->foresight->started;
}

void
replay_foreseen(const struct replay *replay, unsigned int zone,
		enum replay_foreseen kind, unsigned int order, uint64_t *steps,
		uint64_t *right)
{
	const struct foresight *f = replay->foresight;

	*steps = f ? f->tally[zone][kind][order][0] : 0;
	*right = f ? f->tally[zone][kind][order][1] : 0;
}

/* --- counting ---------------------------------------------------------------
 */

/* "free/Movable/0:0/1:3:100,104": blocks on the lists of @type from @order to
 * the first that has some. */
static size_t
text_free(char *text, size_t room, const struct zone *zone, unsigned int order,
	  enum migratetype type)
{
	size_t len =
		(size_t)snprintf(text, room, "free/%s", migratetype_name(type));

	for (bool found = false; order < MAX_ORDER && !found && len < room;
	     order++) {
		struct list_cursor cursor = {0};
		uint64_t nr = zone->free_area[order].nr_free[type];

		found = nr != 0;
		len += (size_t)snprintf(text + len, room - len, "/%u:%llu",
					order, (unsigned long long)nr);
		for (uint64_t i = 0; i < MIN_OF(nr, 3) && len < room; i++)
			len += (size_t)snprintf(
				text + len, room - len, "%c%llu", i ? ',' : ':',
				(unsigned long long)buddy_list_next(
					zone, order, type, &cursor));
	}
	return MIN_OF(len, room - 1);
}

static void
text_pcp(char *text, size_t room, const struct zone *zone, unsigned int cpu,
	 unsigned int order, enum migratetype type)
{
	const struct per_cpu_pages *pcp = zone->pcp ? &zone->pcp[cpu] : NULL;
	int len;

	if (!pcp)
		return;
	len = snprintf(text, room, "pcp/%u/%s:%u/count:%u/high:%u/factor:%u",
		       order, migratetype_name(type),
		       order < PCP_ORDERS ? pcp->length[order * 3 + type % 3]
					  : 0,
		       pcp->count, pcp->high, pcp->free_factor);
	(void)len;
}

/* Where the model has the recorded block. */
static void
text_state(char *text, size_t room, const struct phys *phys, pfn_t pfn)
{
	static const char *const states[] = {"nowhere", "free", "pcp",
					     "allocated"};
	enum migratetype type = MIGRATE_UNMOVABLE;
	unsigned int order = 0;
	pfn_t head = pfn;
	enum frame_state state = frame_block(phys, pfn, &head, &order, &type);

	snprintf(text, room, ";it:%s/%llu/%u/%s", states[state],
		 (unsigned long long)head, order, migratetype_name(type));
}

static void
judge(struct step *s, const struct zone *zone, enum replay_foreseen kind,
      pfn_t expected, bool right, enum migratetype type)
{
	struct replay *replay = s->replay;
	struct foresight *f = replay->foresight;
	struct replay_note note = {
		.at_ns = s->at,
		.pfn = s->pfn,
		.cpu = (uint16_t)s->cpu,
		.event = (uint8_t)s->event,
		.order = (uint8_t)s->order,
		.foreseen = (uint8_t)kind,
		.expected = expected,
	};
	size_t len;

	replay->counts.foreseen[kind].steps++;
	replay->counts.foreseen[kind].right += right;
	f->tally[zone->id][kind][s->order][0]++;
	f->tally[zone->id][kind][s->order][1] += right;
	if (right || !f->started)
		return;
	if (kind == FORESEEN_PCP || kind == FORESEEN_DRAIN)
		text_pcp(note.lists, sizeof(note.lists), zone, s->cpu, s->order,
			 type);
	else
		text_free(note.lists, sizeof(note.lists), zone, s->order, type);
	len = strlen(note.lists);
	text_state(note.lists + len, sizeof(note.lists) - len, s->m->phys,
		   s->pfn);
	replay_note(replay, MISMATCH_FORESEEN, &note);
	s->noted = true;
}

/* Note how a block came to a per-cpu list: by a free, or by a refill. */
static void
foresight_mark(struct foresight *f, pfn_t pfn, bool freed)
{
	uint8_t bit = (uint8_t)(1 << pfn % 8);

	if (!(f->was_freed[pfn / 8] & bit) == !freed)
		return;
	f->was_freed[pfn / 8] ^= bit;
	f->marks += freed ? pfn * pfn + 1 : -(pfn * pfn + 1);
}

/* --- drains -----------------------------------------------------------------
 */

static int64_t *
hidden_of(struct step *s, const struct zone *zone)
{
	return &s->replay->foresight
			->hidden[zone->id * s->m->phys->nr_cpus + s->cpu];
}

static void
set_phase(struct machine *m, enum pcp_phase phase)
{
	m->replay->foresight->phase = phase;
	for (unsigned int i = 0; i < m->phys->nr_zones; i++)
		resync_pcp_phase(m->phys->zones[i], phase);
}

/* A drain was foretold and did not come, or ended too early. */
static void
drain_failed(struct step *s, struct foresight_cpu *c)
{
	struct foresight *f = s->replay->foresight;
	struct zone *zone = c->drain.zone;
	struct per_cpu_pages *pcp = &zone->pcp[s->cpu];
	struct step none = *s;
	unsigned int order = 0;
	pfn_t expected = foresee_drained(&c->drain, &order);

	if (expected == PFN_NONE)
		return;
	none.pfn = c->freed_pfn;
	none.order = order;
	judge(&none, zone, FORESEEN_DRAIN, expected, false,
	      s->m->phys->frames[expected].type);
	if (c->drained || !f->started)
		return;
	pcp->free_factor = c->factor;
	if (f->phase == PCP_EARLY)
		set_phase(s->m, PCP_FINAL);
	else if (zone->reclaim_active)
		zone->reclaim_active = false;
	else if (*hidden_of(s, zone) > 0)
		*hidden_of(s, zone) = 0;
	else
		*hidden_of(s, zone) = (int64_t)pcp->high - 1 -
				      (int64_t)pcp->count -
				      MAX_OF((int64_t)assumed_slack(f, pcp),
					     (int64_t)pcp->batch);
}

static void
drain_close(struct step *s, struct foresight_cpu *c)
{
	if (c->drain.zone && c->drain.left)
		drain_failed(s, c);
	c->drain = (struct drain_step){0};
	c->drained = false;
}

static void
burst_close(struct step *s, struct foresight_cpu *c)
{
	struct foresight *f = s->replay->foresight;
	struct burst *burst = &c->burst;
	struct zone *zone = burst->zone;
	uint32_t last, early;

	burst->zone = NULL;
	if (!zone || burst->order || burst->nr < 2 || f->phase == PCP_FINAL)
		return;
	last = foresee_pcp_batch(zone, PCP_FINAL);
	/* The early batch stays what it was while more memory comes. */
	early = f->phase == PCP_EARLY ? zone->pcp[s->cpu].batch
				      : foresee_pcp_batch(zone, PCP_EARLY);
	if (last > 1 && last != early && burst->nr % last == 0)
		set_phase(s->m, PCP_FINAL);
	else if (f->phase == PCP_BOOT && burst->nr % early == 0)
		set_phase(s->m, PCP_EARLY);
}

bool
foresee_is_excess(const struct step *s)
{
	const struct foresight_cpu *c = &s->replay->foresight->cpu[s->cpu];

	return c->exact_order && !s->order && s->pfn > c->exact &&
	       s->pfn < c->exact + block_pages(c->exact_order);
}

void
foresee_step(struct step *s, enum alloc_context context)
{
	struct foresight *f = foresight_of(s->m);
	struct foresight_cpu *c = &f->cpu[s->cpu];

	if (s->event != FTRACE_ALLOC || s->order)
		assumed_shown(s);
	if (c->drain.zone && s->event != FTRACE_DRAIN &&
	    (context == c->drain_context || !c->drained))
		drain_close(s, c);
	if (s->event != FTRACE_DRAIN)
		c->freed = NULL;
	if (s->event != FTRACE_FREE || !foresee_is_excess(s))
		c->exact_order = 0;
	if (s->event != FTRACE_ZONE_LOCKED && s->event != FTRACE_EXTFRAG)
		burst_close(s, c);
	if (s->event != FTRACE_ZONE_LOCKED && f->started)
		heal_silent(s);
}

bool
foresee_list_busy(struct step *s, enum alloc_context context)
{
	const struct foresight_cpu *c = &s->replay->foresight->cpu[s->cpu];
	const struct zone *zone = phys_zone_of(s->m->phys, s->pfn);

	if (!s->replay->foresight->started || !zone)
		return false;
	return c->held == zone ||
	       (c->drain.zone == zone && c->drained && c->drain.left &&
		context != c->drain_context);
}

void
foreseen_free(struct step *s, enum alloc_context context)
{
	struct foresight *f = s->replay->foresight;
	struct foresight_cpu *c = &f->cpu[s->cpu];
	struct zone *zone = phys_zone_of(s->m->phys, s->pfn);

	if (!zone || !foresee_pcp_order(s->m->phys, s->order))
		return;
	foresight_mark(f, s->pfn, true);
	assumed_above(s, zone, s->m->phys->frames[s->pfn].type, 1);
	c->freed = zone;
	c->freed_pfn = s->pfn;
	c->freed_order = s->order;
	c->drain_context = context;
	c->drained = false;
	c->factor = zone->pcp[s->cpu].free_factor;
	foresee_drain(zone, s->cpu, s->pfn, s->order, *hidden_of(s, zone),
		      false, &c->drain);
}

/* Whether the list is as long as it may be while kswapd balances the node:
 * that is what began, then. */
static bool
drain_by_reclaim(struct step *s, struct foresight_cpu *c, struct zone *zone)
{
	struct per_cpu_pages *pcp = &zone->pcp[s->cpu];
	uint32_t most = pcp->batch * 4;

	if (zone->reclaim_active || pcp->high <= most || pcp->count < most ||
	    pcp->count >= most + pcp->batch)
		return false;
	zone->reclaim_active = true;
	foresee_drain(zone, s->cpu, c->freed_pfn, c->freed_order, 0, false,
		      &c->drain);
	return true;
}

/* A drain that nobody foretold has begun: what is it? */
static void
drain_begun(struct step *s, struct foresight_cpu *c, struct zone *zone)
{
	bool goes_on = c->drain.zone == zone && c->drained && !c->drain.left;
	int64_t lacks;

	c->drain = (struct drain_step){0};
	if (!s->replay->foresight->started)
		return;
	if (c->freed != zone) {
		foresee_drain_all(zone, s->cpu, s->pfn, &c->drain);
		/* More than what a batch takes: all of the list goes. */
		if (goes_on && c->drain.zone)
			c->drain.left = zone->pcp[c->drain.cpu].count;
		return;
	}
	if (drain_by_reclaim(s, c, zone))
		return;
	lacks = (int64_t)zone->pcp[s->cpu].high -
		(int64_t)zone->pcp[s->cpu].count;
	if (lacks > HIDDEN_MOST * (int64_t)zone->pcp[s->cpu].batch) {
		foresee_drain_all(zone, s->cpu, s->pfn, &c->drain);
		return;
	}
	/* A free set it off, so the list is as long as it may be. */
	foresee_drain(zone, s->cpu, c->freed_pfn, c->freed_order, 0, true,
		      &c->drain);
	*hidden_of(s, zone) = lacks;
}

void
foresee_drain_step(struct step *s, enum migratetype type)
{
	struct foresight *f = s->replay->foresight;
	struct foresight_cpu *c = &f->cpu[s->cpu];
	struct zone *zone = phys_zone_of(s->m->phys, s->pfn);
	unsigned int order = MAX_ORDER;
	bool known = true;
	pfn_t expected;

	if (!zone || !zone->pcp)
		return;
	if (c->drain.zone != zone || !c->drain.left) {
		known = false;
		drain_begun(s, c, zone);
	}
	expected = foresee_drained(&c->drain, &order);
	judge(s, zone, FORESEEN_DRAIN, expected,
	      known && expected == s->pfn && order == s->order,
	      s->m->phys->frames[s->pfn].type);
	if (expected != s->pfn && *hidden_of(s, zone) > 0 &&
	    s->m->phys->frames[s->pfn].state != FRAME_PCP)
		*hidden_of(s, zone) -=
			MIN_OF(*hidden_of(s, zone), 1LL << s->order);
	if (f->started)
		heal_drain(s, zone, type);
	c->drained = true;
	c->freed = NULL;
	c->drain.left -= MIN_OF(c->drain.left, 1U << s->order);
}

/* --- allocations ------------------------------------------------------------
 */

/* Whether the block is the first of another refill, in a row with the last, of
 * a bulk allocation.  Kernels since 6.7 refill with more than a batch, so that
 * the length alone proves nothing. */
static bool
refill_begins(const struct burst *burst, unsigned int cpu)
{
	uint32_t batch = burst->zone->pcp[cpu].batch;

	if (!burst->silent || batch < 2 || burst->nr < 2 ||
	    batch != foresee_pcp_batch(burst->zone, PCP_FINAL))
		return false;
	return (burst->nr - 1) % MAX_OF(batch >> burst->order, 2) == 0;
}

/* Whether the list is in use by who was preempted in its refill. */
static bool
holds(const struct foresight_cpu *c, const struct zone *zone,
      unsigned int order, enum migratetype type)
{
	return c->held == zone && c->held_list == foresee_pcp_list(order, type);
}

void
foresee_locked(struct step *s, enum migratetype type, bool refill)
{
	struct foresight *f = s->replay->foresight;
	struct burst *burst = &f->cpu[s->cpu].burst;
	struct zone *zone = phys_zone_of(s->m->phys, s->pfn);
	pfn_t expected;

	if (!zone || !zone->pcp)
		return;
	if (burst->zone != zone || burst->order != s->order ||
	    burst->type != type)
		burst_close(s, &f->cpu[s->cpu]);
	if (refill && !burst->zone) {
		*burst = (struct burst){
			.zone = zone, .order = s->order, .type = type};
		/* One that had been preempted goes on. */
		if (!holds(&f->cpu[s->cpu], zone, s->order, type))
			burst->before = foresee_pcp_length(zone, s->cpu,
							   s->order, type);
	}
	burst->nr++;
	f->cpu[s->cpu].lone = PFN_NONE;
	if (burst->zone && !burst->silent &&
	    foresee_pcp_length(zone, s->cpu, s->order, type))
		f->cpu[s->cpu].lone = s->pfn;
	expected = foresee_buddy(zone, s->order, type, NULL);
	judge(s, zone, FORESEEN_BUDDY, expected, expected == s->pfn, type);
	foresight_mark(f, s->pfn, false);
	if (!f->started)
		return;
	if (burst->zone)
		assumed_below(s, zone, type);
	if (burst->zone && refill_begins(burst, s->cpu))
		burst->before =
			foresee_pcp_length(zone, s->cpu, s->order, type);
	if (burst->zone && burst->nr > 1)
		heal_refill(s, burst);
	heal_locked(s, zone, type);
}

void
foreseen_locked(struct step *s)
{
	if (s->replay->foresight->started)
		heal_silent(s);
}

/* Whether the last block from the buddy went past the CPU's list, to whom will
 * have it: nobody refills a list that is not empty, nor more than once. */
static bool
went_past(const struct step *s, const struct zone *zone, enum migratetype type)
{
	const struct foresight_cpu *c = &s->replay->foresight->cpu[s->cpu];
	const struct burst *burst = &c->burst;
	uint32_t batch = zone->pcp[s->cpu].batch;

	if (!s->replay->foresight->started || c->lone == PFN_NONE ||
	    burst->order != s->order || burst->type != type ||
	    phys_zone_of(s->m->phys, c->lone) != zone)
		return false;
	if (burst->nr == 1)
		return burst->before || holds(c, zone, s->order, type);
	return batch > 1 && batch == foresee_pcp_batch(zone, PCP_FINAL) &&
	       burst->nr == MAX_OF(batch >> s->order, 2) + 1;
}

/* The block goes to its user from the CPU's list, or past it, since that is in
 * use: by who was preempted, or interrupted, in a refill. */
static void
foresee_use(struct step *s, struct zone *zone, enum migratetype type,
	    bool is_head)
{
	struct foresight_cpu *c = &s->replay->foresight->cpu[s->cpu];

	if (is_head || s->pfn != c->lone || !s->replay->foresight->started) {
		zone->pcp[s->cpu].free_factor >>= 1;
		c->held = NULL;
	} else if (c->burst.nr > 1) {
		c->held = zone;
		c->held_list = foresee_pcp_list(s->order, type);
	}
}

void
foresee_alloc(struct step *s, enum migratetype type)
{
	struct foresight_cpu *c = &s->replay->foresight->cpu[s->cpu];
	struct zone *zone = phys_zone_of(s->m->phys, s->pfn);
	pfn_t expected, head;

	if (!zone || !zone->pcp || !foresee_pcp_order(s->m->phys, s->order))
		return;
	head = foresee_pcp(zone, s->cpu, s->order, type);
	expected = went_past(s, zone, type) ? c->lone : head;
	foresee_use(s, zone, type, head == s->pfn);
	judge(s, zone, FORESEEN_PCP, expected, expected == s->pfn, type);
	if (s->replay->foresight->started && head != s->pfn)
		heal_alloc(s, zone, type);
	c->lone = PFN_NONE;
	assumed_alloc(s, zone, type);
}

void
foreseen_alloc(struct step *s, gfp_t gfp)
{
	struct foresight_cpu *c = &s->replay->foresight->cpu[s->cpu];

	c->exact = s->pfn;
	c->exact_order = gfp & __GFP_COMP ? 0 : s->order;
}

void
foresee_extfrag(struct step *s, unsigned int asked, enum migratetype from,
		enum migratetype to, bool ownership)
{
	struct zone *zone = phys_zone_of(s->m->phys, s->pfn);
	struct fallback_step step = {.pfn = PFN_NONE};
	bool found;

	if (!zone || !zone->pcp)
		return;
	found = foresee_buddy(zone, asked, to, NULL) == PFN_NONE &&
		foresee_fallback(zone, asked, to, &step);
	judge(s, zone, FORESEEN_FALLBACK, found ? step.pfn : PFN_NONE,
	      found && step.pfn == s->pfn && step.order == s->order &&
		      step.from == from && step.ownership == ownership,
	      from);
	if (!s->replay->foresight->started)
		return;
	heal_extfrag(s, zone, asked, to);
	foresight_show(s, s->pfn);
}

bool
foresee_is_late(const struct step *s)
{
	const GArray *late = s->replay->foresight->late;

	for (guint i = 0; i < late->len; i++) {
		const struct pfn_span *span =
			&g_array_index(late, struct pfn_span, i);

		if (s->pfn >= span->start &&
		    s->pfn + block_pages(s->order) <= span->end)
			return true;
	}
	return false;
}

/* --- begin and end ----------------------------------------------------------
 */

void
foresight_begin(struct machine *m)
{
	struct foresight *f = foresight_of(m);

	memset(f->tally, 0, m->phys->nr_zones * sizeof(*f->tally));
	assumed_begin(m);
}

void
foresight_end(struct machine *m)
{
	struct foresight *f = m->replay->foresight;

	if (!f)
		return;
	for (unsigned int cpu = 0; cpu < m->phys->nr_cpus; cpu++) {
		struct foresight_cpu *c = &f->cpu[cpu];
		GArray *silently = c->silently;

		g_array_set_size(silently, 0);
		*c = (struct foresight_cpu){.silently = silently};
	}
	memset(f->hidden, 0,
	       m->phys->nr_zones * m->phys->nr_cpus * sizeof(*f->hidden));
	g_array_set_size(f->late, 0);
	g_hash_table_remove_all(f->tries);
	g_hash_table_remove_all(f->lost);
	if (f->phase != PCP_FINAL)
		set_phase(m, PCP_FINAL);
	f->started = false;
}

uint64_t
foresight_fingerprint(const struct foresight *f, const struct machine *m)
{
	uint64_t print = f->started * 2 + f->phase * 8;

	for (unsigned int cpu = 0; cpu < m->phys->nr_cpus; cpu++) {
		const struct foresight_cpu *c = &f->cpu[cpu];

		print = print * 31 + c->silent;
		print = print * 31 + c->drain.left;
		print = print * 31 + c->burst.nr;
		print = print * 31 + c->silently->len;
		print = print * 31 + c->lone;
		print = print * 31 +
			(c->held ? c->held->id * 64 + c->held_list + 1 : 0);
		print = print * 31 + c->exact_order;
		print = print * 31 + c->assumed;
	}
	for (unsigned int i = 0; i < m->phys->nr_zones * m->phys->nr_cpus;
	     i++) {
		print = print * 31 + (uint64_t)f->hidden[i];
		for (int type = 0; f->mixed && type < MIGRATE_PCPTYPES; type++)
			print = print * 31 + f->mixed[i][type];
	}
	for (guint i = 0; i < f->late->len; i++)
		print = print * 31 +
			g_array_index(f->late, struct pfn_span, i).start;
	print = print * 31 + f->assumed_sum;
	print = print * 31 + f->marks;
	return print * 31 + g_hash_table_size(f->tries);
}
