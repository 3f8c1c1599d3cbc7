// SPDX-License-Identifier: MIT
/*
 * runs.c - memory that was handed over and not touched since
 *
 * What it models: nothing of the kernel.  It makes a machine of 64 TiB as
 * cheap as a small one.
 *
 * How it works: consecutive free blocks of the largest order stand in their
 * list as one element: the first block's frame, flagged FRAME_RUN; how many
 * blocks it stands for is kept here.  All others stay undescribed:
 *
 *     list  <-> [A] <-> [run: 4096 5120 6144 7168] <-> [B]
 *     take the head of the run:          [5120 6144 7168]
 *     take 6144 from the middle:   [5120] <-> [7168]
 *
 * A run of one block is an ordinary block.  The order of the list is that
 * which it would have if each block were an element of its own.
 *
 * The extents tell which frames of the zone were ever given to the buddy, so
 * that verify.c can visit these and no others.
 *
 * Always true: runs and extents are sorted and disjoint; a run has at least
 * two blocks and lies inside one extent.
 *
 * Where it lies: on the host, a few records a zone.
 */
#include "buddy_impl.h"

#include <string.h>

struct free_runs *
runs_get(struct zone *zone)
{
	if (!zone->runs)
		zone->runs = g_new0(struct free_runs, 1);
	return zone->runs;
}

void
buddy_zone_fini(struct zone *zone)
{
	if (!zone->runs)
		return;
	g_free(zone->runs->run);
	g_free(zone->runs->managed);
	g_free(zone->runs);
	zone->runs = NULL;
}

/* --- runs -------------------------------------------------------------------
 */

/* Index of the first run that starts above @pfn. */
static size_t
runs_above(const struct free_runs *runs, pfn_t pfn)
{
	size_t low = 0, high = runs->nr;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (runs->run[mid].start > pfn)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

struct run *
runs_find(const struct zone *zone, pfn_t pfn)
{
	const struct free_runs *runs = zone->runs;
	struct run *run;
	size_t above;

	if (!runs)
		return NULL;
	above = runs_above(runs, pfn);
	if (!above)
		return NULL;
	run = &runs->run[above - 1];
	return pfn < run->start + run->nr * MAX_BLOCK_PAGES ? run : NULL;
}

static void
runs_insert(struct free_runs *runs, pfn_t start, uint64_t nr)
{
	size_t at = runs_above(runs, start);

	if (runs->nr == runs->capacity) {
		runs->capacity = MAX_OF(runs->capacity * 2, 8);
		runs->run = g_renew(struct run, runs->run, runs->capacity);
	}
	memmove(&runs->run[at + 1], &runs->run[at],
		(runs->nr - at) * sizeof(runs->run[0]));
	runs->run[at] = (struct run){start, nr};
	runs->nr++;
}

static void
runs_drop(struct free_runs *runs, struct run *run)
{
	size_t at = (size_t)(run - runs->run);

	runs->nr--;
	memmove(run, run + 1, (runs->nr - at) * sizeof(*run));
}

/* Let the element at @start stand for @nr blocks: describe its frame, links
 * apart. */
static void
run_describe(struct zone *zone, pfn_t start, uint64_t nr, enum migratetype type)
{
	struct frame *f = &zone->phys->frames[start];

	frame_describe(f, zone, MAX_BLOCK_ORDER, FRAME_FREE, type,
		       nr > 1 ? FRAME_RUN : 0);
}

/* Put the element at @link between its neighbours, as its frame says. */
static void
run_link(struct zone *zone, struct block_list *list, uint32_t link)
{
	const struct frame *f = link_frame(zone, link);

	if (f->prev)
		link_frame(zone, f->prev)->next = link;
	else
		list->head = link;
	if (f->next)
		link_frame(zone, f->next)->prev = link;
	else
		list->tail = link;
}

/* Where the run below @run ends: no run has frames between it and @run. */
static pfn_t
run_floor(const struct free_runs *runs, const struct run *run)
{
	const struct run *below = run - 1;

	return run == runs->run ? 0
				: below->start + below->nr * MAX_BLOCK_PAGES;
}

void
runs_take(struct zone *zone, struct run *run, pfn_t first, uint64_t nr)
{
	struct free_runs *runs = zone->runs;
	struct free_area *area = &zone->free_area[MAX_BLOCK_ORDER];
	struct frame *frames = zone->phys->frames;
	struct frame old = frames[run->start];
	struct block_list *list = &area->list[old.type];
	pfn_t start = run->start;
	pfn_t after = first + nr * MAX_BLOCK_PAGES;
	uint64_t left = (first - start) / MAX_BLOCK_PAGES;
	uint64_t right = run->nr - left - nr;
	uint32_t prev = old.prev;

	frames[start].state = FRAME_NONE;
	frame_note(zone->phys, start);
	if (!left && !right)
		list_del(zone, list, &old);
	if (left) {
		run_describe(zone, start, left, old.type);
		prev = link_of(zone, start);
	}
	if (right) {
		if (!left && nr == 1)
			backing_grow(zone, run_floor(runs, run), after,
				     right * MAX_BLOCK_PAGES);
		run_describe(zone, after, right, old.type);
		frames[after].prev = prev;
		frames[after].next = old.next;
		run_link(zone, list, link_of(zone, after));
	}
	/* Keep one record for what is longest-lived without moving others. */
	if (left > 1) {
		run->nr = left;
		if (right > 1)
			runs_insert(runs, after, right);
	} else if (right > 1) {
		*run = (struct run){after, right};
	} else {
		runs_drop(runs, run);
	}
	area_sub(zone, MAX_BLOCK_ORDER, old.type, nr);
}

/* Append @nr undescribed blocks to the list of @type. */
static void
runs_append(struct zone *zone, pfn_t start, uint64_t nr, enum migratetype type)
{
	struct free_area *area = &zone->free_area[MAX_BLOCK_ORDER];
	struct block_list *list = &area->list[type];
	struct free_runs *runs = zone->runs;
	struct frame *frames = zone->phys->frames;

	area_add(zone, MAX_BLOCK_ORDER, type, nr);
	zone_mod_free(zone, (int64_t)(nr * MAX_BLOCK_PAGES), type);
	if (list->tail) {
		pfn_t last = link_pfn(zone, list->tail);
		struct run *run = runs_find(zone, last);
		uint64_t had = run ? run->nr : 1;

		if (last + had * MAX_BLOCK_PAGES == start) {
			frames[last].flags = FRAME_RUN;
			if (run)
				run->nr += nr;
			else
				runs_insert(runs, last, 1 + nr);
			return;
		}
	}
	run_describe(zone, start, nr, type);
	list_add_tail(zone, list, &frames[start], link_of(zone, start));
	if (nr > 1)
		runs_insert(runs, start, nr);
}

/* --- extents ----------------------------------------------------------------
 */

/* Index of the first extent that ends above @pfn. */
static size_t
extents_at(const struct free_runs *runs, pfn_t pfn)
{
	size_t low = 0, high = runs->nr_managed;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (runs->managed[mid].end > pfn)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

bool
extents_cover(const struct zone *zone, pfn_t start, pfn_t end)
{
	const struct free_runs *runs = zone->runs;
	size_t at;

	if (!runs)
		return false;
	at = extents_at(runs, start);
	return at < runs->nr_managed && runs->managed[at].start <= start &&
	       end <= runs->managed[at].end;
}

/* Put @nr records in place of @drop records at @at. */
static void
extents_splice(struct free_runs *runs, size_t at, size_t drop,
	       const struct extent *with, size_t nr)
{
	if (runs->nr_managed + nr > runs->managed_capacity) {
		runs->managed_capacity = MAX_OF(runs->managed_capacity * 2, 8);
		runs->managed = g_renew(struct extent, runs->managed,
					runs->managed_capacity);
	}
	memmove(&runs->managed[at + nr], &runs->managed[at + drop],
		(runs->nr_managed - at - drop) * sizeof(*with));
	memcpy(&runs->managed[at], with, nr * sizeof(*with));
	runs->nr_managed += nr - drop;
}

void
extents_add(struct zone *zone, pfn_t start, pfn_t end)
{
	struct free_runs *runs = runs_get(zone);
	size_t at = start ? extents_at(runs, start - 1) : 0;
	size_t drop = 0;
	struct extent e = {start, end};

	if (at < runs->nr_managed && runs->managed[at].start <= start &&
	    end <= runs->managed[at].end)
		return;
	while (at + drop < runs->nr_managed &&
	       runs->managed[at + drop].start <= end) {
		e.start = MIN_OF(e.start, runs->managed[at + drop].start);
		e.end = MAX_OF(e.end, runs->managed[at + drop].end);
		drop++;
	}
	extents_splice(runs, at, drop, &e, 1);
}

void
extents_remove(struct zone *zone, pfn_t start, pfn_t end)
{
	struct free_runs *runs = zone->runs;
	size_t at = extents_at(runs, start);
	struct extent old = runs->managed[at];
	struct extent rest[2];
	size_t nr = 0;

	KM_ASSERT(old.start <= start && end <= old.end);
	if (old.start < start)
		rest[nr++] = (struct extent){old.start, start};
	if (end < old.end)
		rest[nr++] = (struct extent){end, old.end};
	extents_splice(runs, at, 1, rest, nr);
}

/* --- giving and taking memory ------------------------------------------------
 */

/* Add @delta to the links of all elements of a list. */
static void
list_shift(struct zone *zone, struct block_list *list, uint32_t delta)
{
	for (uint32_t at = list->head, next; at; at = next) {
		struct frame *f = link_frame(zone, at);

		next = f->next;
		f->next += f->next ? delta : 0;
		f->prev += f->prev ? delta : 0;
	}
	list->head += list->head ? delta : 0;
	list->tail += list->tail ? delta : 0;
}

/* The zone grew downwards: count links from its new start. */
static void
zone_move_links(struct zone *zone)
{
	uint32_t delta = (uint32_t)(zone->link_base - zone->start_pfn);

	for (unsigned int order = 0; order < MAX_ORDER; order++)
		for (int t = 0; t < MIGRATE_TYPES; t++)
			list_shift(zone, &zone->free_area[order].list[t],
				   delta);
	for (unsigned int cpu = 0; zone->pcp && cpu < zone->phys->nr_cpus;
	     cpu++)
		for (int i = 0; i < NR_PCP_LISTS; i++)
			list_shift(zone, &zone->pcp[cpu].list[i], delta);
	zone->link_base = zone->start_pfn;
}

static void
zone_set_links(struct zone *zone)
{
	struct free_runs *runs = runs_get(zone);

	if (!runs->nr_managed)
		zone->link_base = zone->start_pfn;
	else if (zone->start_pfn < zone->link_base)
		zone_move_links(zone);
}

/* How many blocks of the largest order from @start on go to one list. */
static uint64_t
nr_alike(const struct phys *phys, pfn_t start, pfn_t end)
{
	uint64_t nr = (end - start) / MAX_BLOCK_PAGES;
	pfn_t set;

	if (nr < 2 || block_type(phys, start) != MIGRATE_MOVABLE)
		return 1;
	set = pageblock_next_set(phys, start, end);
	if (set != PFN_NONE)
		nr = MIN_OF(nr, (set - start) / MAX_BLOCK_PAGES);
	return MAX_OF(nr, 1);
}

static void
trace_handed_over(const struct phys *phys, pfn_t start, unsigned int order,
		  uint64_t nr)
{
	if (!trace_is_on(phys->trace, TRACE_MM_PAGE_FREE))
		return;
	for (; nr; nr--, start += 1ULL << order)
		TRACE(phys->trace, MM_PAGE_FREE, start, order);
}

void
buddy_expect(struct zone *zone, pfn_t start, pfn_t end)
{
	zone_set_links(zone);
	extents_add(zone, start, end);
}

void
buddy_hand_over(struct zone *zone, pfn_t start, pfn_t end)
{
	struct phys *phys = zone->phys;

	if (start >= end)
		return;
	KM_ASSERT(zone_spans(zone, start) && zone_spans(zone, end - 1));
	zone_set_links(zone);
	extents_add(zone, start, end);
	zone->managed_pages += end - start;
	phys->event[VE_pgfree] += end - start;
	while (start < end) {
		unsigned int order = MAX_BLOCK_ORDER;
		uint64_t nr = 1;

		if (start)
			order = (unsigned int)MIN_OF(__builtin_ctzll(start),
						     MAX_BLOCK_ORDER);
		while (start + (1ULL << order) > end)
			order--;
		if (order == MAX_BLOCK_ORDER)
			nr = nr_alike(phys, start, end);
		trace_handed_over(phys, start, order, nr);
		if (order == MAX_BLOCK_ORDER)
			runs_append(zone, start, nr, block_type(phys, start));
		else
			buddy_free(zone, start, order, block_type(phys, start),
				   true);
		start += nr << order;
	}
}

/* Take the block or the part of a run at @pfn; returns where it ends. */
static pfn_t
buddy_take_part(struct zone *zone, pfn_t pfn, pfn_t end)
{
	struct run *run = runs_find(zone, pfn);
	enum migratetype type;
	unsigned int order;
	pfn_t head;
	bool is_free;

	if (run && pfn % MAX_BLOCK_PAGES == 0 && pfn + MAX_BLOCK_PAGES <= end) {
		pfn_t last = run->start + run->nr * MAX_BLOCK_PAGES;
		uint64_t nr = (MIN_OF(last, end) - pfn) / MAX_BLOCK_PAGES;

		type = zone->phys->frames[run->start].type;
		runs_take(zone, run, pfn, nr);
		zone_mod_free(zone, -(int64_t)(nr * MAX_BLOCK_PAGES), type);
		return pfn + nr * MAX_BLOCK_PAGES;
	}
	is_free = buddy_covering(zone, pfn, &head, &order);
	KM_ASSERT(is_free);
	type = buddy_del(zone, head, order);
	if (head < pfn || head + (1ULL << order) > end) {
		/* It reaches out: leave the rest, come again for a part. */
		pfn_t half = 1ULL << (order - 1);

		buddy_add(zone, head, order - 1, type, false);
		buddy_add(zone, head + half, order - 1, type, false);
		return pfn;
	}
	zone_mod_free(zone, -((int64_t)1 << order), type);
	return head + (1ULL << order);
}

/* Whether all frames of a range are free blocks of @zone. */
static bool
range_is_free(const struct zone *zone, pfn_t start, pfn_t end)
{
	while (start < end) {
		const struct run *run = runs_find(zone, start);
		unsigned int order;
		pfn_t head;

		if (run) {
			start = run->start + run->nr * MAX_BLOCK_PAGES;
			continue;
		}
		if (!buddy_covering(zone, start, &head, &order))
			return false;
		start = head + (1ULL << order);
	}
	return true;
}

bool
buddy_take_range(struct zone *zone, pfn_t start, pfn_t end)
{
	if (start >= end || !extents_cover(zone, start, end) ||
	    !range_is_free(zone, start, end))
		return false;
	for (pfn_t pfn = start; pfn < end;)
		pfn = buddy_take_part(zone, pfn, end);
	extents_remove(zone, start, end);
	zone->managed_pages -= end - start;
	return true;
}
