// SPDX-License-Identifier: MIT
/*
 * view_frames.c - picture: a map of physical memory
 *
 * How it works: a panel for each zone, and one for each node's memory that is
 * offline and belongs to no zone.  A panel has rows of cells; each cell is an
 * equal share of frames, a power of two, filled from below by what they are.
 * What is there shows, however little.  The strip below a row tells the types
 * of its pageblocks.
 */
#include "kmemfs/show.h"
#include "kmemfs/view/picture.h"

#include "frame_map_impl.h"

#include <inttypes.h>

#define COLUMNS 128
#define CELL 8
#define CELL_HEIGHT 12
#define STRIP 3
#define STRIP_GAP 2
#define ROW (CELL_HEIGHT + STRIP_GAP + STRIP + 4)
#define AXIS 96
#define MAP_LEFT (PICTURE_MARGIN + AXIS)
#define SMALL 10
#define HEAD 24
#define AFTER 18
#define ROWS_ALL 40 /* of all panels, about */
#define ROWS_LEAST 4
#define ROWS_MOST 32
#define PANELS_MOST 64
#define VISIBLE 2 /* pixels of what is there, however little */

_Static_assert(MAP_LEFT + COLUMNS * CELL + PICTURE_MARGIN == PICTURE_WIDTH,
	       "a row fills the picture");

_Static_assert((int)NR_FRAME_CLASSES >= (int)MIGRATE_TYPES,
	       "room for the shares of both");

static const struct picture_key keys[NR_FRAME_CLASSES] = {
	[FRAMES_FREE] = {COLOUR_SKY,	     "free"			   },
	[FRAMES_PCP] = {COLOUR_YELLOW,     "free, on a per-cpu list"	},
	[FRAMES_MOVABLE] = {COLOUR_GREEN,	  "allocated, movable"	      },
	[FRAMES_RECLAIMABLE] = {COLOUR_ORANGE,     "allocated, reclaimable"      },
	[FRAMES_UNMOVABLE] = {COLOUR_VERMILLION, "allocated, unmovable"	       },
	[FRAMES_SLAB] = {COLOUR_PURPLE,	"slab"			      },
	[FRAMES_TABLES] = {COLOUR_BLACK,	 "page tables, kernel stacks"  },
	[FRAMES_TASKS] = {COLOUR_BLUE,       "tasks and files"		},
	[FRAMES_RESERVED] = {COLOUR_DARK,	  "reserved"		    },
	[FRAMES_ISOLATED] = {COLOUR_MIDDLE,	    "isolated"		      },
	[FRAMES_OFFLINE] = {COLOUR_LIGHT,	  "offline"			   },
	[FRAMES_HOLE] = {COLOUR_WHITE,      "no memory, or another zone's"},
};

struct panel {
	const struct zone *zone; /* NULL: offline memory of @nid */
	unsigned int nid;
	pfn_t start, end;
};

/* --- cells -------------------------------------------------------------------
 */

/* Rectangles, kept by colour so that each colour is one path. */
struct rects {
	GArray *of[NR_COLOURS]; /* of struct picture_box */
};

static void
rects_add(struct rects *rects, enum picture_colour colour,
	  struct picture_box box)
{
	GArray *list = rects->of[colour];

	if (colour == COLOUR_WHITE || box.w <= 0 || box.h <= 0)
		return;
	if (list && list->len) {
		struct picture_box *last =
			&g_array_index(list, struct picture_box, list->len - 1);

		if (last->y == box.y && last->h == box.h &&
		    last->x + last->w == box.x) {
			last->w += box.w;
			return;
		}
	}
	if (!list)
		list = rects->of[colour] =
			g_array_new(FALSE, FALSE, sizeof(struct picture_box));
	g_array_append_val(list, box);
}

static void
rects_draw(struct rects *rects, struct picture *p)
{
	for (int c = 0; c < NR_COLOURS; c++) {
		for (guint i = 0; rects->of[c] && i < rects->of[c]->len; i++)
			picture_rect(p,
				     g_array_index(rects->of[c],
						   struct picture_box, i),
				     c);
		if (rects->of[c])
			g_array_free(rects->of[c], TRUE);
	}
}

static void
draw_cell(struct rects *rects, const struct frame_cell *cell, double x,
	  double y)
{
	unsigned int share[NR_FRAME_CLASSES];
	double at = y + CELL_HEIGHT;

	picture_shares(cell->nr, NR_FRAME_CLASSES, CELL_HEIGHT, VISIBLE, share);
	for (int i = 0; i < NR_FRAME_CLASSES; i++) {
		at -= share[i];
		rects_add(rects, keys[i].colour,
			  (struct picture_box){x, at, CELL, share[i]});
	}
	at = x;
	picture_shares(cell->of_type, MIGRATE_TYPES, CELL, VISIBLE, share);
	for (int t = 0; t < MIGRATE_TYPES; t++) {
		rects_add(rects, picture_type_colour(t),
			  (struct picture_box){at, y + CELL_HEIGHT + STRIP_GAP,
					       share[t], STRIP});
		at += share[t];
	}
}

/* --- panels ------------------------------------------------------------------
 */

static void
draw_heading(struct picture *p, const struct phys *phys,
	     const struct panel *panel, const struct frame_map *map, double y)
{
	uint64_t frames = 1ULL << map->shift;
	char bytes[PICTURE_SIZE_TEXT], free[PICTURE_SIZE_TEXT] = "";
	struct picture_box box;

	box = panel->zone
		      ? picture_bold(p, PICTURE_MARGIN, y + 14, 14, ALIGN_LEFT,
				     "node %u, zone %s", panel->nid,
				     zone_type_name(panel->zone->type))
		      : picture_bold(p, PICTURE_MARGIN, y + 14, 14, ALIGN_LEFT,
				     "node %u, offline", panel->nid);
	if (panel->zone)
		picture_bytes(free,
			      (uint64_t)panel->zone->stat[ZS_nr_free_pages]
				      << phys->page_shift);
	picture_text(p, box.x + box.w + 14, y + 14, 12, ALIGN_LEFT,
		     "0x%" PRIx64 " to 0x%" PRIx64 "; %s%s; a cell is %" PRIu64
		     " frame%s, %s",
		     panel->start << phys->page_shift,
		     (panel->end << phys->page_shift) - 1, free,
		     panel->zone ? " free" : "in no zone", frames,
		     frames == 1 ? "" : "s",
		     picture_bytes(bytes, frames << phys->page_shift));
}

/* White lines between cells, over the whole height of the panel. */
static void
draw_lattice(struct picture *p, double y, uint64_t rows, uint64_t cells)
{
	uint64_t columns = MIN_OF(cells, COLUMNS);

	for (uint64_t i = 1; i < columns; i++)
		picture_line(p, MAP_LEFT + (double)i * CELL - 0.5, y,
			     MAP_LEFT + (double)i * CELL - 0.5,
			     y + (double)rows * ROW, 1, COLOUR_WHITE);
}

/* Returns the y below it. */
static double
draw_panel(struct picture *p, const struct phys *phys,
	   const struct panel *panel, unsigned int rows, double y)
{
	struct frame_map map;
	struct rects rects = {{NULL}};
	uint64_t nr_rows;

	frame_map_init(&map, phys, panel->zone, panel->nid, panel->start,
		       panel->end, (uint64_t)rows * COLUMNS);
	nr_rows = (map.nr + COLUMNS - 1) / COLUMNS;
	draw_heading(p, phys, panel, &map, y);
	y += HEAD;
	for (uint64_t row = 0; row < nr_rows; row++) {
		double at = y + (double)row * ROW;
		pfn_t first = map.start + (row * COLUMNS << map.shift);

		picture_text(p, MAP_LEFT - 8, at + CELL_HEIGHT - 2, SMALL,
			     ALIGN_RIGHT, "0x%" PRIx64,
			     first << phys->page_shift);
		for (uint64_t i = 0; i < COLUMNS && row * COLUMNS + i < map.nr;
		     i++)
			draw_cell(&rects, &map.cells[row * COLUMNS + i],
				  MAP_LEFT + (double)i * CELL, at);
		picture_outline(p,
				(struct picture_box){
					MAP_LEFT - 1, at - 1,
					(double)MIN_OF(map.nr - row * COLUMNS,
						       COLUMNS) *
							CELL +
						2,
					CELL_HEIGHT + 2},
				COLOUR_HAIR);
	}
	rects_draw(&rects, p);
	draw_lattice(p, y, nr_rows, map.nr);
	frame_map_fini(&map);
	return y + (double)nr_rows * ROW + AFTER;
}

/* Whether a zone of @node spans frame @at.  *@next is where that zone ends;
 * without one where the next begins, but @end at the most. */
static bool
is_spanned(const struct node *node, pfn_t at, pfn_t end, pfn_t *next)
{
	*next = end;
	for (int t = 0; t < MAX_NR_ZONES; t++) {
		const struct zone *z = &node->zones[t];

		if (!zone_populated(z))
			continue;
		if (zone_spans(z, at)) {
			*next = zone_end_pfn(z);
			return true;
		}
		if (z->start_pfn > at)
			*next = MIN_OF(*next, z->start_pfn);
	}
	return false;
}

/* The part of node @nid's memory that is offline and spanned by none of its
 * zones: from the first such frame to the last. */
static bool
find_offline(const struct phys *phys, unsigned int nid, struct panel *panel)
{
	const struct node *node = phys->nodes[nid];
	pfn_t at, end, next;

	*panel = (struct panel){.nid = nid, .start = PFN_NONE};
	for (guint i = 0; i < phys->memblock.memory->len; i++) {
		if (!frames_of_boot(phys, i, nid, &at, &end))
			continue;
		for (; at < end; at = next) {
			if (is_spanned(node, at, end, &next))
				continue;
			panel->start = MIN_OF(panel->start, at);
			panel->end = MAX_OF(panel->end, next);
		}
	}
	return panel->start != PFN_NONE;
}

/* What is to be drawn: a new array of struct panel. */
static GArray *
list_panels(const struct phys *phys)
{
	GArray *panels = g_array_new(FALSE, FALSE, sizeof(struct panel));

	for (unsigned int n = 0; n < phys->nr_nodes; n++) {
		struct panel panel;

		for (int t = 0; t < MAX_NR_ZONES; t++) {
			const struct zone *zone = &phys->nodes[n]->zones[t];

			panel = (struct panel){zone, n, zone->start_pfn,
					       zone_end_pfn(zone)};
			if (zone_populated(zone))
				g_array_append_val(panels, panel);
		}
		if (find_offline(phys, n, &panel))
			g_array_append_val(panels, panel);
	}
	return panels;
}

static double
draw_legends(struct picture *p, const struct phys *phys, double y)
{
	static const enum frame_class order[] = {
		FRAMES_FREE,	 FRAMES_PCP,	     FRAMES_MOVABLE,
		FRAMES_TASKS,	 FRAMES_RECLAIMABLE, FRAMES_UNMOVABLE,
		FRAMES_SLAB,	 FRAMES_TABLES,	     FRAMES_RESERVED,
		FRAMES_ISOLATED, FRAMES_OFFLINE,     FRAMES_HOLE};
	struct picture_key shown[ARRAY_SIZE(order)];

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		shown[i] = keys[order[i]];
	y = picture_legend(p, y, "Cells, in layers by share:", shown,
			   ARRAY_SIZE(shown));
	return picture_type_legend(p, y,
				   "Strip below, type of pageblocks:", phys);
}

struct picture *
picture_frames(const struct machine *m, const char *font)
{
	const struct phys *phys = m->phys;
	struct picture *p = picture_new(font);
	GArray *panels = list_panels(phys);
	guint nr = MIN_OF(panels->len, PANELS_MOST);
	unsigned int rows = nr ? ROWS_ALL / nr : 0;
	double y = picture_title(p, m, "Map of physical memory");

	rows = MIN_OF(MAX_OF(rows, ROWS_LEAST), ROWS_MOST);
	y = draw_legends(p, phys, y) + 12;
	for (guint i = 0; i < nr; i++)
		y = draw_panel(p, phys, &g_array_index(panels, struct panel, i),
			       rows, y);
	if (panels->len > nr)
		picture_text(p, PICTURE_MARGIN, y + 14, 13, ALIGN_LEFT,
			     "and %u more zones, not drawn", panels->len - nr);
	g_array_free(panels, TRUE);
	return p;
}
