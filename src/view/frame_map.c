// SPDX-License-Identifier: MIT
/*
 * frame_map.c - what the frames of a range are, counted in equal shares
 *
 * How it works: the range is cut into cells, and each of the machine's lists
 * of ranges (memory online, memory of the boot, what the page allocator has)
 * is laid over them, so that memory nobody touched costs a step for a cell and
 * not for a frame.  Managed memory is stepped through block by block.  Where
 * a sixteenth of a cell has more blocks than STEPS, those looked at stand for
 * the others: cells of 512 frames or less are always exact.  Blocks of the
 * largest order are not counted among the steps, since a run of them is one
 * step or many as the host has it, and the picture must not tell.
 */
#include "frame_map_impl.h"

#include "kmemfs/phys/block_walk.h"

#include <string.h>

#define SLICES 16
#define STEPS 32

/* The cell of frame @at, which lies in the map; *@next is where it ends, but
 * @end at the most. */
static struct frame_cell *
cell_at(const struct frame_map *map, pfn_t at, pfn_t end, pfn_t *next)
{
	uint64_t i = (at - map->start) >> map->shift;

	*next = MIN_OF(map->start + ((i + 1) << map->shift), end);
	return &map->cells[i];
}

/* --- adding ranges -----------------------------------------------------------
 */

/* Call @nr frames from @start on @to in place of @from. */
static void
reclass(struct frame_map *map, pfn_t start, pfn_t end, enum frame_class from,
	enum frame_class to)
{
	start = MAX_OF(start, map->start);
	end = MIN_OF(end, map->end);
	while (start < end) {
		pfn_t next;
		struct frame_cell *cell = cell_at(map, start, end, &next);

		cell->nr[from] -= next - start;
		cell->nr[to] += next - start;
		start = next;
	}
}

/* --- managed memory
 * ------------------------------------------------------------ */

static enum frame_class
allocated_class(const struct phys *phys, pfn_t head, enum migratetype type)
{
	static const enum frame_class classes[MIGRATE_TYPES] = {
		[MIGRATE_UNMOVABLE] = FRAMES_UNMOVABLE,
		[MIGRATE_MOVABLE] = FRAMES_MOVABLE,
		[MIGRATE_RECLAIMABLE] = FRAMES_RECLAIMABLE,
		[MIGRATE_HIGHATOMIC] = FRAMES_UNMOVABLE,
		[MIGRATE_CMA] = FRAMES_MOVABLE,
		[MIGRATE_ISOLATE] = FRAMES_MOVABLE,
	};
	static const struct {
		enum frame_owner_kind kind;
		enum frame_class class;
	} owners[] = {
		{OWNER_SLAB,    FRAMES_SLAB	},
		      {OWNER_PGTABLE, FRAMES_TABLES},
		{OWNER_STACK,   FRAMES_TABLES},
		      {OWNER_ANON,	   FRAMES_TASKS },
		{OWNER_OBJECT,  FRAMES_TASKS },
	};
	uint32_t number;

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++)
		if (frame_owned_by(phys->frames[head].owner, owners[i].kind,
				   &number))
			return owners[i].class;
	return classes[type];
}

static enum frame_class
class_of(const struct phys *phys, const struct block_span *span)
{
	switch (span->state) {
	case FRAME_FREE:
		return span->type == MIGRATE_ISOLATE ? FRAMES_ISOLATED
						     : FRAMES_FREE;
	case FRAME_PCP:
		return FRAMES_PCP;
	case FRAME_ALLOCATED:
		return allocated_class(phys, span->start, span->type);
	default:
		return FRAMES_ISOLATED;
	}
}

/*
 * Step through managed memory @at..@end, which lies in one slice; what the
 * last block has beyond it, up to @limit, is counted too.  Returns where the
 * slice's end, or that block's, is.
 */
static pfn_t
map_slice(struct frame_map *map, const struct zone *zone, pfn_t at, pfn_t end,
	  pfn_t limit)
{
	uint64_t seen[NR_FRAME_CLASSES] = {0};
	struct frame_cell *cell = cell_at(map, at, end, &end);
	unsigned int steps = 0;
	pfn_t from = at;

	while (at < end && steps < STEPS) {
		struct block_span span = block_span_at(zone, at);
		enum frame_class class = class_of(zone->phys, &span);

		seen[class] += MIN_OF(span.end, end) - at;
		if (span.end > end)
			reclass(map, end, MIN_OF(span.end, limit),
				FRAMES_RESERVED, class);
		at = MIN_OF(span.end, limit);
		steps += span.order < MAX_ORDER - 1;
	}
	for (int class = 0; class < NR_FRAME_CLASSES; class ++) {
		/* Those seen stand for all of the slice. */
		uint64_t part =
			at >= end ? seen[class]
				  : seen[class] * (end - from) / (at - from);

		cell->nr[class] += part;
		cell->nr[FRAMES_RESERVED] -= part;
	}
	return MAX_OF(at, end);
}

static void
map_managed(struct frame_map *map, const struct zone *zone, pfn_t start,
	    pfn_t end)
{
	uint64_t slice = MAX_OF((1ULL << map->shift) / SLICES, 1);
	pfn_t at = MAX_OF(start, map->start);

	end = MIN_OF(end, map->end);
	while (at < end)
		at = map_slice(map, zone, at,
			       MIN_OF(round_down_to(at, slice) + slice, end),
			       end);
}

/* --- pageblocks
 * -------------------------------------------------------------------- */

static void
map_pageblocks(struct frame_map *map, const struct phys *phys,
	       const struct pfn_span *span)
{
	uint64_t pages = 1ULL << phys->pageblock_order;
	pfn_t at = MAX_OF(span->start, map->start);
	pfn_t end = MIN_OF(span->end, map->end);

	if (at >= end)
		return;
	for (pfn_t from = at, next; from < end; from = next)
		cell_at(map, from, end, &next)->of_type[MIGRATE_MOVABLE] +=
			next - from;
	while ((at = pageblock_next_set(phys, at, end)) != PFN_NONE) {
		enum migratetype type = pageblock_type(phys, at);
		pfn_t until = MIN_OF(round_down_to(at, pages) + pages, end);

		while (at < until) {
			pfn_t next;
			struct frame_cell *cell =
				cell_at(map, at, until, &next);

			cell->of_type[MIGRATE_MOVABLE] -= next - at;
			cell->of_type[type] += next - at;
			at = next;
		}
		if (at >= end)
			break;
	}
}

/* --- the map
 * ---------------------------------------------------------------------------
 */

bool
frames_of_boot(const struct phys *phys, guint i, unsigned int nid, pfn_t *start,
	       pfn_t *end)
{
	const struct memblock *memblock = &phys->memblock;
	const struct range *r =
		&g_array_index(memblock->memory, struct range, i);

	*start = (r->start + page_size(phys) - 1) >> phys->page_shift;
	*end = r->end >> phys->page_shift;
	return g_array_index(memblock->memory_node, int, i) == (int)nid;
}

/* Memory of the boot on node @nid. */
static void
map_known(struct frame_map *map, const struct phys *phys, unsigned int nid)
{
	pfn_t start, end;

	for (guint i = 0; i < phys->memblock.memory->len; i++)
		if (frames_of_boot(phys, i, nid, &start, &end))
			reclass(map, start, end, FRAMES_HOLE, FRAMES_OFFLINE);
}

static void
map_online(struct frame_map *map, const struct phys *phys,
	   const struct zone *zone)
{
	for (guint i = 0; i < phys->spans->len; i++) {
		const struct pfn_span *s =
			&g_array_index(phys->spans, struct pfn_span, i);

		if (s->zone == zone->id) {
			reclass(map, s->start, s->end, FRAMES_OFFLINE,
				FRAMES_RESERVED);
			map_pageblocks(map, phys, s);
		} else if (phys->zones[s->zone]->node == zone->node) {
			reclass(map, s->start, s->end, FRAMES_OFFLINE,
				FRAMES_HOLE);
		}
	}
	for (guint i = 0; i < phys->managed->len; i++) {
		const struct pfn_span *s =
			&g_array_index(phys->managed, struct pfn_span, i);

		if (s->zone == zone->id)
			map_managed(map, zone, s->start, s->end);
	}
}

void
frame_map_init(struct frame_map *map, const struct phys *phys,
	       const struct zone *zone, unsigned int nid, pfn_t start,
	       pfn_t end, uint64_t most)
{
	map->shift = 0;
	while (((end - 1) >> map->shift) - (start >> map->shift) + 1 > most)
		map->shift++;
	map->start = round_down_to(start, 1ULL << map->shift);
	map->end = round_up_to(end, 1ULL << map->shift);
	map->nr = (map->end - map->start) >> map->shift;
	map->cells = g_new0(struct frame_cell, map->nr);
	for (uint64_t i = 0; i < map->nr; i++)
		map->cells[i].nr[FRAMES_HOLE] = 1ULL << map->shift;
	map_known(map, phys, nid);
	if (zone)
		map_online(map, phys, zone);
}

void
frame_map_fini(struct frame_map *map)
{
	g_free(map->cells);
}
