// SPDX-License-Identifier: MIT
/*
 * view_buddy.c - picture: free memory of each zone by order and migrate type
 *
 * How it works: a panel for each zone.  On its left a bar for each order, as
 * high as the memory in free blocks of that order, in layers by migrate type;
 * the number above it counts blocks.  On its right free pages beside the
 * watermarks, on a scale on which these can be told apart; a bar that is
 * higher than the scale is drawn broken.
 */
#include "kmemfs/show.h"
#include "kmemfs/view/picture.h"
#include "kmemfs/view/sums.h"

#include <inttypes.h>

#define COLUMNS 2
#define GAP 32
#define PANEL_WIDTH                                                            \
	((PICTURE_WIDTH - 2.0 * PICTURE_MARGIN - GAP * (COLUMNS - 1)) / COLUMNS)
#define PANEL_HEIGHT 244
#define PANELS_MOST 64

#define HEAD 44	 /* heading, and room for the number above the highest bar */
#define PLOT 140 /* height of the bars' part */
#define AXIS 60	 /* width of the labels left of it */
#define PITCH 30 /* from bar to bar */
#define BAR 24
#define SMALL 10 /* size of labels */
#define GRID 4
#define VISIBLE 2 /* height of what is there, however little */

#define GAUGE (AXIS + PITCH * MAX_ORDER + 14) /* left edge */
#define GAUGE_BAR 20
#define GAUGE_GAP 10
#define LABEL_APART 14

struct panel {
	const struct zone *zone;
	double x, y;   /* upper left corner */
	double bottom; /* y of the bars' feet */
};

static uint64_t
bytes_of(const struct zone *zone, uint64_t pages)
{
	return pages << zone->phys->page_shift;
}

static void
draw_heading(struct picture *p, const struct panel *panel)
{
	const struct zone *zone = panel->zone;
	char free[PICTURE_SIZE_TEXT], managed[PICTURE_SIZE_TEXT];
	struct picture_box box;

	box = picture_bold(p, panel->x, panel->y + 14, 14, ALIGN_LEFT,
			   "node %u, zone %s", zone->node->id,
			   zone_type_name(zone->type));
	picture_text(
		p, box.x + box.w + 14, panel->y + 14, 12, ALIGN_LEFT,
		"%s free of %s",
		picture_bytes(
			free,
			bytes_of(zone, (uint64_t)zone->stat[ZS_nr_free_pages])),
		picture_bytes(managed, bytes_of(zone, zone->managed_pages)));
}

/* --- bars by order ---------------------------------------------------------
 */

static uint64_t
highest_bar(const struct zone *zone)
{
	uint64_t most = 1;

	for (unsigned int order = 0; order < MAX_ORDER; order++)
		most = MAX_OF(most,
			      bytes_of(zone, zone->free_area[order].nr_free_all
						     << order));
	return picture_scale(most);
}

static void
draw_grid(struct picture *p, const struct panel *panel, uint64_t scale)
{
	double left = panel->x + AXIS;
	char text[PICTURE_SIZE_TEXT];

	for (unsigned int i = 0; i <= GRID; i++) {
		double y = panel->bottom - PLOT * i / (double)GRID;

		picture_line(p, left, y, left + PITCH * MAX_ORDER, y, 1,
			     i ? COLOUR_HAIR : COLOUR_MIDDLE);
		picture_text(p, left - 6, y + 3, SMALL, ALIGN_RIGHT, "%s",
			     picture_bytes(text, scale / GRID * i));
	}
}

/* One order's bar; returns how high it is. */
static double
draw_bar(struct picture *p, const struct panel *panel, unsigned int order,
	 uint64_t scale)
{
	const struct free_area *area = &panel->zone->free_area[order];
	double x = panel->x + AXIS + order * PITCH + (PITCH - BAR) / 2.0;
	double height = 0;

	for (int t = 0; t < MIGRATE_TYPES; t++) {
		uint64_t bytes =
			bytes_of(panel->zone, area->nr_free[t] << order);
		double h = picture_round((double)bytes * PLOT / (double)scale);

		if (!bytes)
			continue;
		h = MAX_OF(h, VISIBLE);
		height += h;
		picture_rect(
			p,
			(struct picture_box){x, panel->bottom - height, BAR, h},
			picture_type_colour(t));
	}
	return height;
}

static void
draw_orders(struct picture *p, const struct panel *panel)
{
	const struct zone *zone = panel->zone;
	uint64_t scale = highest_bar(zone);
	double y = panel->bottom + 17;
	char text[PICTURE_SIZE_TEXT];

	draw_grid(p, panel, scale);
	picture_text(p, panel->x + AXIS - 6, y, SMALL, ALIGN_RIGHT, "order");
	picture_text(p, panel->x + AXIS - 6, y + 14, SMALL, ALIGN_RIGHT,
		     "block KiB");
	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		double x = panel->x + AXIS + (order + 0.5) * PITCH;
		double height = draw_bar(p, panel, order, scale);
		uint64_t blocks = zone->free_area[order].nr_free_all;

		picture_text(p, x, y, SMALL, ALIGN_CENTRE, "%u", order);
		picture_text(p, x, y + 14, SMALL, ALIGN_CENTRE, "%" PRIu64,
			     page_size(zone->phys) << order >> 10);
		if (blocks)
			picture_text(p, x, panel->bottom - height - 4, SMALL,
				     ALIGN_CENTRE, "%s",
				     picture_count(text, blocks));
	}
}

/* --- watermarks --------------------------------------------------------------
 */

static const struct {
	enum wmark wmark;
	const char *name;
	enum picture_colour colour;
} limits[] = {
	{WMARK_MIN,  "min",  COLOUR_VERMILLION},
	{WMARK_LOW,  "low",  COLOUR_ORANGE	},
	{WMARK_HIGH, "high", COLOUR_GREEN	 },
};

/* One of the two bars, broken when it is higher than @scale pages. */
static void
draw_gauge(struct picture *p, const struct panel *panel, double x,
	   uint64_t pages, uint64_t scale, enum picture_colour colour,
	   const char *name)
{
	bool broken = pages > scale;
	double h = broken ? PLOT : (double)pages * PLOT / (double)scale;

	if (pages)
		h = MAX_OF(picture_round(h), VISIBLE);
	picture_rect(p,
		     (struct picture_box){x, panel->bottom - h, GAUGE_BAR, h},
		     colour);
	for (int i = 0; broken && i < 2; i++) {
		double y = panel->bottom - PLOT + 16 + 5 * i;

		picture_line(p, x - 2, y, x + GAUGE_BAR + 2, y - 6, 2,
			     COLOUR_WHITE);
	}
	picture_text(p, x + GAUGE_BAR / 2.0, panel->bottom + 17, SMALL,
		     ALIGN_CENTRE, "%s", name);
}

static void
draw_watermarks(struct picture *p, const struct panel *panel)
{
	const struct zone *zone = panel->zone;
	double x = panel->x + GAUGE, label[ARRAY_SIZE(limits)];
	double right = x + 2 * GAUGE_BAR + GAUGE_GAP;
	uint64_t high = wmark_pages(zone, WMARK_HIGH);
	uint64_t scale = high + high / 2 + 1;
	char text[PICTURE_SIZE_TEXT];

	draw_gauge(p, panel, x, (uint64_t)zone->stat[ZS_nr_free_pages], scale,
		   COLOUR_SKY, "free");
	draw_gauge(p, panel, x + GAUGE_BAR + GAUGE_GAP, sum_pcp(zone), scale,
		   COLOUR_YELLOW, "pcp");
	picture_line(p, x - 4, panel->bottom, right + 4, panel->bottom, 1,
		     COLOUR_MIDDLE);
	/* Labels from the top down, as picture_spread() wants them. */
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		label[i] = panel->bottom -
			   (double)wmark_pages(
				   zone,
				   limits[ARRAY_SIZE(limits) - 1 - i].wmark) *
				   PLOT / (double)scale;
	picture_spread(label, ARRAY_SIZE(limits), LABEL_APART,
		       panel->bottom - PLOT, panel->bottom);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		uint64_t pages = wmark_pages(zone, limits[i].wmark);
		double y = panel->bottom -
			   picture_round((double)pages * PLOT / (double)scale);
		double at = label[ARRAY_SIZE(limits) - 1 - i];

		picture_line(p, x - 4, y, right + 4, y, 2, limits[i].colour);
		picture_line(p, right + 4, y, right + 12, at, 1,
			     limits[i].colour);
		picture_text(p, right + 15, at + 3.5, SMALL, ALIGN_LEFT,
			     "%s %s", limits[i].name,
			     picture_bytes(text, bytes_of(zone, pages)));
	}
}

static double
draw_legends(struct picture *p, const struct phys *phys, double y)
{
	static const struct picture_key keys[] = {
		{COLOUR_SKY,	     "free pages (broken: more than is shown)"},
		{COLOUR_YELLOW,	"pcp: on per-cpu lists"		       },
		{COLOUR_GREEN,      "high: kswapd stops"			   },
		{COLOUR_ORANGE,	"low: kswapd starts"			    },
		{COLOUR_VERMILLION, "min: reserves begin"			 },
	};

	y = picture_type_legend(
		p, y,
		"Left, free memory by order; the numbers count blocks:", phys);
	return picture_legend(p, y, "Right, free memory and its limits:", keys,
			      ARRAY_SIZE(keys));
}

struct picture *
picture_buddy(const struct machine *m, const char *font)
{
	struct picture *p = picture_new(font);
	const struct phys *phys = m->phys;
	unsigned int nr = 0, more = 0;
	double top, y;

	y = picture_title(p, m, "Free memory by order and migrate type");
	top = draw_legends(p, phys, y) + 12;
	for (unsigned int i = 0; i < phys->nr_zones; i++) {
		struct panel panel = {.zone = phys->zones[i]};

		if (!zone_managed(panel.zone))
			continue;
		if (nr == PANELS_MOST) {
			more++;
			continue;
		}
		panel.x = PICTURE_MARGIN + nr % COLUMNS * (PANEL_WIDTH + GAP);
		panel.y = top + nr / COLUMNS * (double)PANEL_HEIGHT;
		panel.bottom = panel.y + HEAD + PLOT;
		draw_heading(p, &panel);
		draw_orders(p, &panel);
		draw_watermarks(p, &panel);
		nr++;
	}
	y = top + (nr + COLUMNS - 1) / COLUMNS * (double)PANEL_HEIGHT;
	if (more)
		picture_text(p, PICTURE_MARGIN, y, 13, ALIGN_LEFT,
			     "and %u more zones, not drawn", more);
	return p;
}
