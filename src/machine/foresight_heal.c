// SPDX-License-Identifier: MIT
/*
 * foresight_heal.c - what a recorded step proves about what was not shown
 *
 * How it works:   none of these are rules of the kernel; they follow from its
 *                 rules and what it did:
 *
 *   - it takes a block of the smallest order that will do, so a smaller one
 *     that it passed over is on a list of another type.  All three are tried
 *     in turn; a block that is on none is not free;
 *   - of two blocks of one order it takes the first: another one goes to the
 *     tail, the order of the list being unknown at the start;
 *   - a split gives the lowest part, so what lies below a block that was taken
 *     was not free;
 *   - a per-cpu list is a stack: what stands before a block that was taken from
 *     it left silently.  A whole list of them rather was on another list;
 *   - a list that is refilled was empty;
 *   - the array of a vmalloc area's pages tells how many pages follow, which
 *     are taken from the CPU's list without an event.
 *
 * Always true:    the laws; what is taken silently has no owner and is not
 *                 known to the map, so that its free counts as unknown.
 */
#include "foresight_impl.h"

#define PASSED_OVER_MOST 64 /* blocks put right in one step */
#define STACK_MOST 64	    /* blocks that may leave a list silently */

/* What @table says of @pfn; 0: nothing. */
static unsigned int
said_of(GHashTable *table, pfn_t pfn)
{
	gint64 key = (gint64)pfn;

	return GPOINTER_TO_UINT(g_hash_table_lookup(table, &key));
}

static void
say_of(GHashTable *table, pfn_t pfn, unsigned int value)
{
	gint64 *key = g_new(gint64, 1);

	*key = (gint64)pfn;
	g_hash_table_insert(table, key, GUINT_TO_POINTER(value));
}

/* Count that a block was found in the wrong place: how often before. */
static unsigned int
tried(struct foresight *f, pfn_t pfn)
{
	unsigned int before = said_of(f->tries, pfn);

	say_of(f->tries, pfn, before + 1);
	return before;
}

static uint64_t
lost_mark(pfn_t pfn, unsigned int order)
{
	return (pfn * pfn + order + 1) << 16;
}

/* Forget the block that was lost at @pfn, if there is one. */
static void
unlose(struct foresight *f, pfn_t pfn)
{
	unsigned int said = said_of(f->lost, pfn);
	gint64 key = (gint64)pfn;

	if (!said)
		return;
	f->marks -= lost_mark(pfn, said - 1);
	g_hash_table_remove(f->lost, &key);
}

/* The end of the block that was lost with @pfn in it, which is forgotten;
 * PFN_NONE when there is none. */
static pfn_t
lost_end(struct foresight *f, pfn_t pfn)
{
	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		pfn_t head = round_down_to(pfn, block_pages(order));

		if (said_of(f->lost, head) != order + 1)
			continue;
		unlose(f, head);
		return head + block_pages(order);
	}
	return PFN_NONE;
}

/* Take the block at @pfn out of the lists: the kernel had it in use. */
static void
lose(struct step *s, pfn_t pfn, unsigned int order)
{
	struct foresight *f = s->replay->foresight;
	pfn_t end = pfn + block_pages(order);

	unlose(f, pfn);
	f->marks += lost_mark(pfn, order);
	say_of(f->lost, pfn, order + 1);
	s->replay->counts.missing += block_pages(order);
	for (; pfn < end; pfn++)
		resync_take(s->m->phys, pfn, 0, MIGRATE_UNMOVABLE, s->cpu);
}

/* The step takes a block from the free lists that we had lost: it was free all
 * the time, and so is what follows in the same block.  Whether it was so. */
static bool
find_again(struct step *s, enum migratetype type)
{
	struct phys *phys = s->m->phys;
	pfn_t end = lost_end(s->replay->foresight, s->pfn), at = s->pfn;

	if (end == PFN_NONE)
		return false;
	while (at < end) {
		enum migratetype own;
		unsigned int order;
		pfn_t head;

		if (frame_block(phys, at, &head, &order, &own) !=
			    FRAME_ALLOCATED ||
		    order || phys->frames[at].owner)
			break;
		at++;
	}
	if (at == s->pfn)
		return false;
	resync_start(phys, s->pfn, at, START_FREE, type);
	s->replay->counts.missing -= at - s->pfn;
	return true;
}

static bool
is_shown(const struct step *s, pfn_t pfn)
{
	return s->replay->foresight->shown[pfn >> s->m->phys->pageblock_order];
}

/* The kernel passed over the free block at @pfn, on the list of @type. */
static void
passed_over(struct step *s, struct zone *zone, pfn_t pfn, unsigned int order,
	    enum migratetype type)
{
	enum migratetype next = (enum migratetype)((type + 1) % 3);
	unsigned int before = tried(s->replay->foresight, pfn);

	if (type >= MIGRATE_PCPTYPES || before >= MIGRATE_PCPTYPES - 1 ||
	    (before && is_shown(s, pfn))) {
		lose(s, pfn, order);
		return;
	}
	s->replay->counts.types++;
	resync_type(zone, pfn, order, next,
		    block_pages(order) >= 1ULL << s->m->phys->pageblock_order);
}

/* What lies below the step's block in the free block at @head was not free. */
static void
lose_below(struct step *s, pfn_t head, unsigned int order)
{
	while (order > s->order && head < s->pfn) {
		pfn_t half = block_pages(--order);

		if (s->pfn < head + half)
			continue;
		lose(s, head, order);
		head += half;
	}
}

/* The pageblock that holds @pfn was of @type all the time: so are its free
 * blocks that we have with @was. */
static void
retype_pageblock(struct step *s, struct zone *zone, pfn_t pfn,
		 enum migratetype was, enum migratetype type)
{
	struct phys *phys = s->m->phys;
	uint64_t nr = 1ULL << phys->pageblock_order;
	pfn_t at = round_down_to(pfn, nr), end = at + nr;

	while (at < end) {
		enum migratetype own;
		unsigned int order;
		pfn_t head;
		enum frame_state state =
			frame_block(phys, at, &head, &order, &own);

		if (state == FRAME_NONE) {
			at++;
			continue;
		}
		if (state == FRAME_FREE && own == was &&
		    phys->frames[head].zone == zone->id) {
			resync_type(zone, head, order, type, true);
			s->replay->counts.types++;
		}
		at = head + block_pages(order);
	}
}

void
foresight_show(struct step *s, pfn_t pfn)
{
	struct foresight *f = s->replay->foresight;
	uint64_t block = pfn >> s->m->phys->pageblock_order;

	f->marks += f->shown[block] ? 0 : (block * block + 1) << 32;
	f->shown[block] = 1;
}

/* Without sections each zone keeps the types of its own pageblocks, so that one
 * across a border is two. */
static bool
owns_pageblock(const struct step *s, const struct zone *zone)
{
	unsigned int order = s->m->phys->pageblock_order;

	return phys_zone_of(s->m->phys, round_down_to(s->pfn, 1ULL << order)) ==
	       zone;
}

/* Whether @pfn's pageblock has a type that was told, and it was not doubted. */
static bool
is_trusted(const struct step *s, pfn_t pfn)
{
	return is_shown(s, pfn) && !said_of(s->replay->foresight->tries, pfn);
}

/* Whether more than one of the first free blocks of @order is to be trusted.
 * From now on they are doubted. */
static bool
many_passed_over(struct step *s, const struct zone *zone, enum migratetype type,
		 unsigned int order)
{
	struct list_cursor cursor = {0};
	unsigned int nr = 0;

	for (unsigned int i = 0; i < PASSED_OVER_MOST; i++) {
		pfn_t pfn = buddy_list_next(zone, order, type, &cursor);

		if (pfn == PFN_NONE)
			break;
		if (!is_trusted(s, pfn))
			continue;
		tried(s->replay->foresight, pfn);
		nr++;
	}
	return nr > 1;
}

/*
 * The step's block is the first part of a free one of @order, and smaller ones
 * were passed over.  Either these are not there, or that one is smaller than
 * we have it, the rest of it being in use: whichever is the smaller change.
 * Returns its order.
 */
static unsigned int
heal_passed_over(struct step *s, struct zone *zone, enum migratetype type,
		 unsigned int order)
{
	unsigned int at;

	for (unsigned int i = 0; i < PASSED_OVER_MOST; i++) {
		pfn_t first = foresee_buddy(zone, s->order, type, &at);

		if (first == PFN_NONE || at >= order)
			break;
		if (!i && many_passed_over(s, zone, type, at)) {
			lose(s, s->pfn + block_pages(at), at);
			return at;
		}
		passed_over(s, zone, first, at, type);
	}
	return order;
}

void
heal_locked(struct step *s, struct zone *zone, enum migratetype type)
{
	struct phys *phys = s->m->phys;
	enum frame_state state;
	enum migratetype was;
	unsigned int order, at;
	pfn_t head, first;

	state = frame_block(phys, s->pfn, &head, &order, &was);
	if (state == FRAME_ALLOCATED && find_again(s, type))
		state = frame_block(phys, s->pfn, &head, &order, &was);
	if (state != FRAME_FREE || order < s->order)
		return;
	if (head < s->pfn) {
		lose_below(s, head, order);
		if (frame_block(phys, s->pfn, &head, &order, &was) !=
			    FRAME_FREE ||
		    order < s->order)
			return;
	}
	order = heal_passed_over(s, zone, type, order);
	/* Blocks of other types are not told from these by being taken. */
	if (was != type && was < MIGRATE_PCPTYPES && type < MIGRATE_PCPTYPES) {
		if (pageblock_type(phys, s->pfn) == was &&
		    !is_shown(s, s->pfn) && owns_pageblock(s, zone) &&
		    order < phys->pageblock_order) {
			retype_pageblock(s, zone, s->pfn, was, type);
			return;
		}
		s->replay->counts.types++;
		resync_type(zone, head, order, type, !is_shown(s, s->pfn));
		return;
	}
	first = foresee_buddy(zone, s->order, type, &at);
	if (first != PFN_NONE && first != head && at == order) {
		s->replay->counts.reordered++;
		resync_type(zone, first, at, type, false);
	}
}

void
heal_extfrag(struct step *s, struct zone *zone, unsigned int asked,
	     enum migratetype type)
{
	for (unsigned int i = 0; i < PASSED_OVER_MOST; i++) {
		unsigned int at;
		pfn_t first = foresee_buddy(zone, asked, type, &at);

		if (first == PFN_NONE || type >= MIGRATE_PCPTYPES)
			break;
		passed_over(s, zone, first, at, type);
	}
}

/* --- per-cpu lists ----------------------------------------------------------
 */

/* The block has left its list without an event. */
static void
take_silently(struct step *s, pfn_t pfn, unsigned int order,
	      enum migratetype type)
{
	resync_take(s->m->phys, pfn, order, type, s->cpu);
	s->replay->counts.missing += block_pages(order);
}

/* The first @nr blocks of the CPU's list are not there: what was assumed of
 * them goes to the tail, the others have left silently. */
static void
take_heads(struct step *s, struct zone *zone, unsigned int order,
	   enum migratetype type, uint64_t nr)
{
	while (nr) {
		uint64_t demoted = assumed_demote(s, zone, order, type, nr);
		pfn_t pfn;

		nr -= demoted;
		if (demoted)
			continue;
		pfn = foresee_pcp(zone, s->cpu, order, type);
		if (pfn == PFN_NONE)
			return;
		take_silently(s, pfn, order, type);
		nr--;
	}
}

/* It was taken silently, we thought: put back from the last to @pfn. */
static bool
take_back(struct step *s, const struct zone *zone)
{
	struct foresight_cpu *c = &s->replay->foresight->cpu[s->cpu];
	GArray *taken = c->silently;
	guint i = taken->len;

	while (i && g_array_index(taken, pfn_t, i - 1) != s->pfn)
		i--;
	if (!i || s->order)
		return false;
	while (taken->len >= i) {
		resync_untake(s->m->phys,
			      g_array_index(taken, pfn_t, taken->len - 1), 0,
			      MIGRATE_UNMOVABLE, s->cpu, false);
		assumed_above(s, zone, MIGRATE_UNMOVABLE, 1);
		g_array_set_size(taken, taken->len - 1);
		s->replay->counts.silent--;
	}
	c->silent = 0;
	return true;
}

static bool
was_freed(const struct step *s, pfn_t pfn)
{
	return s->replay->foresight->was_freed[pfn / 8] >> pfn % 8 & 1;
}

/*
 * Many blocks stand before the one that was taken.  Those of a refill have left
 * silently; those that were freed came to the list of another type, since
 * their pageblock is of that type.
 */
static void
heal_deep(struct step *s, struct zone *zone, enum migratetype type,
	  uint64_t depth)
{
	enum migratetype other = (enum migratetype)((type + 1) % 3);
	struct phys *phys = s->m->phys;
	GArray *moved;

	if (type >= MIGRATE_PCPTYPES)
		return;
	moved = g_array_new(FALSE, FALSE, sizeof(pfn_t));
	while (depth) {
		uint64_t demoted =
			assumed_demote(s, zone, s->order, type, depth);
		pfn_t pfn = foresee_pcp(zone, s->cpu, s->order, type);

		depth -= demoted;
		if (demoted)
			continue;
		if (pfn == PFN_NONE)
			break;
		if (was_freed(s, pfn) && !is_shown(s, pfn) &&
		    pageblock_type(phys, pfn) == type)
			g_array_append_val(moved, pfn);
		take_silently(s, pfn, s->order, type);
		depth--;
	}
	for (guint i = moved->len; i-- > 0;) {
		pfn_t pfn = g_array_index(moved, pfn_t, i);

		s->replay->counts.missing -= block_pages(s->order);
		resync_untake(phys, pfn, s->order, other, s->cpu, false);
		assumed_above(s, zone, other, 1);
		pageblock_set_type(phys, pfn, other);
		s->replay->counts.types++;
	}
	g_array_free(moved, TRUE);
}

/* From the list of another type, so that is its pageblock's; or it was not in
 * use, as we thought. */
static void
heal_elsewhere(struct step *s, const struct zone *zone, enum migratetype type)
{
	struct phys *phys = s->m->phys;
	const struct frame *f = &phys->frames[s->pfn];

	if (f->state == FRAME_PCP && f->order == s->order &&
	    f->type < MIGRATE_PCPTYPES && type < MIGRATE_PCPTYPES &&
	    !is_shown(s, s->pfn) && owns_pageblock(s, zone) &&
	    pageblock_type(phys, s->pfn) == f->type) {
		pageblock_set_type(phys, s->pfn, type);
		s->replay->counts.types++;
	} else if (f->state == FRAME_ALLOCATED) {
		take_back(s, zone);
	}
}

void
heal_alloc(struct step *s, struct zone *zone, enum migratetype type)
{
	uint64_t demoted, depth;

	if (!foresee_on_pcp(zone, s->cpu, s->order, type, s->pfn)) {
		heal_elsewhere(s, zone, type);
		return;
	}
	/* The lists were in use, so it came from the buddy, past them. */
	if (s->pfn == s->replay->foresight->cpu[s->cpu].lone)
		return;
	if (assumed_pass(s, zone, type))
		return;
	demoted = assumed_demote(s, zone, s->order, type, UINT64_MAX);
	depth = foresee_pcp_depth(zone, s->pfn);
	if (demoted + depth > STACK_MOST)
		heal_deep(s, zone, type, depth);
	else
		take_heads(s, zone, s->order, type, depth);
}

/* Pages of the pageblock of @pfn that were freed to the list of @was came to
 * that of @type. */
static void
relist(struct step *s, struct zone *zone, pfn_t pfn, enum migratetype was,
       enum migratetype type)
{
	unsigned int shift = s->m->phys->pageblock_order;
	GArray *all = g_array_new(FALSE, FALSE, sizeof(pfn_t));
	struct list_cursor cursor = {0};
	pfn_t at;

	while ((at = pcp_list_next(zone, s->cpu,
				   foresee_pcp_list(s->order, was), &cursor)) !=
	       PFN_NONE)
		if (at >> shift == pfn >> shift && was_freed(s, at))
			g_array_append_val(all, at);
	assumed_above(s, zone, type, all->len);
	for (guint i = all->len; i-- > 0;)
		resync_move(s->m->phys, g_array_index(all, pfn_t, i), type,
			    s->cpu, false);
	g_array_free(all, TRUE);
}

/* A list is drained from its tail: what is behind the drained block on the
 * list being drained is not there.  What is only assumed to be behind it is
 * before it. */
static void
take_tail(struct step *s, struct drain_step *drain)
{
	enum migratetype type = s->m->phys->frames[s->pfn].type;
	struct zone *zone = drain->zone;
	unsigned int order;
	pfn_t tail;

	if (!zone || !foresee_on_pcp(zone, drain->cpu, s->order, type, s->pfn))
		return;
	for (unsigned int i = 0; i < STACK_MOST; i++) {
		tail = foresee_drained(drain, &order);
		if (tail == PFN_NONE || tail == s->pfn || order != s->order ||
		    s->m->phys->frames[tail].type != type)
			return;
		if (assumed_before(s, tail, type, drain->cpu))
			return;
		resync_take(s->m->phys, tail, order, type, drain->cpu);
		s->replay->counts.missing += block_pages(order);
	}
}

void
heal_drain(struct step *s, struct zone *zone, enum migratetype type)
{
	const struct frame *f = &s->m->phys->frames[s->pfn];
	enum migratetype was = f->type;

	if (f->state != FRAME_PCP || f->order != s->order)
		return;
	if (was == type) {
		take_tail(s, &s->replay->foresight->cpu[s->cpu].drain);
		if (was_freed(s, s->pfn) &&
		    pageblock_type(s->m->phys, s->pfn) == type)
			foresight_show(s, s->pfn);
		return;
	}
	if (was >= MIGRATE_PCPTYPES || type >= MIGRATE_PCPTYPES ||
	    !was_freed(s, s->pfn) || s->order > PAGE_ALLOC_COSTLY_ORDER)
		return;
	if (pageblock_type(s->m->phys, s->pfn) == was)
		pageblock_set_type(s->m->phys, s->pfn, type);
	s->replay->counts.types++;
	foresight_show(s, s->pfn);
	relist(s, zone, s->pfn, was, type);
}

void
heal_refill(struct step *s, struct burst *burst)
{
	assumed_refill(s, burst);
	if (burst->before > STACK_MOST)
		return;
	take_heads(s, burst->zone, burst->order, burst->type, burst->before);
	burst->before = 0;
}

/* --- bulk allocations -------------------------------------------------------
 */

void
heal_silent(struct step *s)
{
	struct foresight_cpu *c = &s->replay->foresight->cpu[s->cpu];

	while (c->silent) {
		pfn_t pfn = foresee_pcp(c->silent_zone, s->cpu, 0,
					MIGRATE_UNMOVABLE);

		if (pfn == PFN_NONE)
			break;
		resync_take(s->m->phys, pfn, 0, MIGRATE_UNMOVABLE, s->cpu);
		g_array_append_val(c->silently, pfn);
		s->replay->counts.silent++;
		c->silent--;
		c->burst.silent = true;
	}
}

void
heal_expect_silent(struct step *s, struct zone *zone, uint64_t pages)
{
	struct foresight_cpu *c = &s->replay->foresight->cpu[s->cpu];

	if (c->silent_zone != zone)
		c->silent = 0;
	if (!c->silent)
		g_array_set_size(c->silently, 0);
	c->silent_zone = zone;
	c->silent += pages;
	heal_silent(s);
}
