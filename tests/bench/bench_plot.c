// SPDX-License-Identifier: MIT
/*
 * bench_plot.c - the rows of bench_growth.c as a picture
 *
 * Reads the rows on stdin, writes SVG to stdout: three panels, logarithmic
 * both ways, so that a cost which grows with what is on the axis is a line
 * upwards, and one that does not is level.
 */
#include "kmemfs/base/svg.h"
#include "kmemfs/base/types.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PANEL_WIDTH 270
#define PANEL_HEIGHT 240
#define PANEL_LEFT 62
#define PANEL_GAP 18
#define PANEL_TOP 44
#define PANEL_BOTTOM 88
#define POINTS_MOST 32

/* Okabe and Ito's colours: told apart by all eyes. */
#define BLUE "#0072b2"
#define VERMILION "#d55e00"

struct series {
	double x[POINTS_MOST], y[POINTS_MOST];
	unsigned int nr;
};

struct panel {
	const char *prefix; /* of the rows */
	const char *title, *x_title, *y_title;
	bool bytes;		 /* the x axis counts bytes, else things */
	double low, high;	 /* of y */
	struct series series[2]; /* ours, the reference */
	int left;
};

static struct panel panels[] = {
	{.prefix = "alloc+free by size of the machine, ",
	 .title = "A block taken and one given back",
	 .x_title = "size of the machine; up to 100,000 blocks live",
	 .y_title = "ns",
	 .bytes = true    },
	{.prefix = "alloc+free by live allocations, ",
	 .title = "The same, by what is live",
	 .x_title = "live blocks of orders 0-3, machine of 256G",
	 .y_title = "ns"},
	{.prefix = "start by size of the machine, ",
	 .title = "Start of a machine",
	 .x_title = "size of the machine",
	 .y_title = "ms",
	 .bytes = true},
};

/* "64G" and "1000" as numbers. */
static double
axis_value(const char *text)
{
	static const char units[] = "KMGTP";
	char *end;
	double value = g_ascii_strtod(text, &end);
	const char *unit = *end ? strchr(units, *end) : NULL;

	return unit ? ldexp(value, 10 * (int)(unit - units + 1)) : value;
}

static void
series_add(struct series *s, double x, const char *y)
{
	if (s->nr == POINTS_MOST || !g_ascii_isdigit(*y))
		return;
	s->x[s->nr] = x;
	s->y[s->nr++] = g_ascii_strtod(y, NULL);
}

/* A row: what, ours, unit, name of the reference, reference, ... */
static void
read_row(char **field)
{
	for (size_t i = 0; i < ARRAY_SIZE(panels); i++) {
		struct panel *p = &panels[i];
		double x;

		if (!g_str_has_prefix(field[0], p->prefix))
			continue;
		x = axis_value(field[0] + strlen(p->prefix));
		series_add(&p->series[0], x, field[1]);
		series_add(&p->series[1], x, field[4]);
	}
}

static void
read_rows(void)
{
	char line[1024];

	while (fgets(line, sizeof(line), stdin)) {
		char **field = g_strsplit(g_strchomp(line), "\t", -1);

		if (g_strv_length(field) >= 5)
			read_row(field);
		g_strfreev(field);
	}
}

/* The next of 1, 2, 5, 10, 20, ... from @v on, downwards or upwards. */
static double
tick_near(double v, bool up)
{
	static const double steps[] = {1, 2, 5, 10};
	double ten = pow(10, floor(log10(v))), best = up ? 10 : 1;

	for (int i = 0; i < 4; i++) {
		if (up && steps[3 - i] * ten >= v * 0.999)
			best = steps[3 - i];
		if (!up && steps[i] * ten <= v * 1.001)
			best = steps[i];
	}
	return best * ten;
}

static void
panel_range(struct panel *p)
{
	double low = INFINITY, high = 0;

	for (int s = 0; s < 2; s++)
		for (unsigned int i = 0; i < p->series[s].nr; i++) {
			low = MIN_OF(low, p->series[s].y[i]);
			high = MAX_OF(high, p->series[s].y[i]);
		}
	p->low = tick_near(low, false);
	p->high = tick_near(high, true);
}

static double
panel_x(const struct panel *p, double x)
{
	const struct series *s = &p->series[0];
	double low = log(s->x[0]), high = log(s->x[s->nr - 1]);

	return p->left + 12 +
	       (PANEL_WIDTH - 24) * (log(x) - low) / (high - low);
}

static double
panel_y(const struct panel *p, double y)
{
	return PANEL_TOP + PANEL_HEIGHT -
	       PANEL_HEIGHT * log(y / p->low) / log(p->high / p->low);
}

static void
put_text(struct out *out, double x, double y, const char *anchor,
	 const char *text)
{
	out_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y,
		   anchor);
	svg_escape(out, text);
	out_str(out, "</text>\n");
}

static void
put_line(struct out *out, double x1, double y1, double x2, double y2,
	 const char *colour)
{
	out_printf(out,
		   "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
		   "stroke=\"%s\"/>\n",
		   x1, y1, x2, y2, colour);
}

static void
put_y_axis(const struct panel *p, struct out *out)
{
	for (double y = p->low; y <= p->high * 1.001;
	     y = tick_near(y * 1.5, true)) {
		char text[32];

		snprintf(text, sizeof(text), "%g", y);
		put_line(out, p->left, panel_y(p, y), p->left + PANEL_WIDTH,
			 panel_y(p, y), "#ddd");
		put_text(out, p->left - 6, panel_y(p, y) + 4, "end", text);
	}
	put_text(out, p->left - 6, PANEL_TOP - 12, "end", p->y_title);
}

/* Every second size has room for its name. */
static void
put_x_axis(const struct panel *p, struct out *out)
{
	const struct series *s = &p->series[0];
	double bottom = PANEL_TOP + PANEL_HEIGHT;

	for (unsigned int i = 0; i < s->nr; i++) {
		double x = panel_x(p, s->x[i]), value = s->x[i];
		char text[32];
		int unit = 0;

		put_line(out, x, bottom, x, bottom + 5, "#444");
		if (p->bytes && i % 2)
			continue;
		for (; p->bytes && value >= 1024; value /= 1024)
			unit++;
		if (p->bytes)
			snprintf(text, sizeof(text), "%g%c", value,
				 " KMGTP"[unit]);
		else
			snprintf(text, sizeof(text), "%g%s",
				 value < 1e6 ? value / 1e3 : value / 1e6,
				 value < 1e6 ? "k" : "M");
		put_text(out, x, bottom + 19, "middle", text);
	}
	put_text(out, p->left + PANEL_WIDTH / 2.0, bottom + 38, "middle",
		 p->x_title);
}

static void
put_series(const struct panel *p, const struct series *s, const char *colour,
	   struct out *out)
{
	if (!s->nr)
		return;
	out_printf(out,
		   "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" "
		   "points=\"",
		   colour);
	for (unsigned int i = 0; i < s->nr; i++)
		out_printf(out, "%.1f,%.1f ", panel_x(p, s->x[i]),
			   panel_y(p, s->y[i]));
	out_str(out, "\"/>\n");
	for (unsigned int i = 0; i < s->nr; i++)
		out_printf(out,
			   "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" "
			   "fill=\"%s\"/>\n",
			   panel_x(p, s->x[i]), panel_y(p, s->y[i]), colour);
}

static void
put_panel(struct panel *p, struct out *out)
{
	double bottom = PANEL_TOP + PANEL_HEIGHT;

	panel_range(p);
	put_y_axis(p, out);
	put_x_axis(p, out);
	put_line(out, p->left, bottom, p->left + PANEL_WIDTH, bottom, "#444");
	put_text(out, p->left + PANEL_WIDTH / 2.0, PANEL_TOP - 24, "middle",
		 p->title);
	put_series(p, &p->series[1], VERMILION, out);
	put_series(p, &p->series[0], BLUE, out);
}

static void
put_legend(struct out *out, double x, double y, const char *colour,
	   const char *name)
{
	out_printf(out,
		   "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
		   "stroke=\"%s\" stroke-width=\"2\"/>\n"
		   "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n",
		   x, y - 4, x + 28, y - 4, colour, x + 14, y - 4, colour);
	put_text(out, x + 36, y, "start", name);
}

int
main(void)
{
	const int step = PANEL_LEFT + PANEL_WIDTH + PANEL_GAP;
	const int bottom = PANEL_TOP + PANEL_HEIGHT + PANEL_BOTTOM;
	struct out out = {0};

	read_rows();
	svg_begin(&out, (int)ARRAY_SIZE(panels) * step, bottom);
	for (size_t i = 0; i < ARRAY_SIZE(panels); i++) {
		if (panels[i].series[0].nr < 2) {
			fprintf(stderr, "bench_plot: no rows \"%s\"\n",
				panels[i].prefix);
			return 1;
		}
		panels[i].left = PANEL_LEFT + (int)i * step;
		put_panel(&panels[i], &out);
	}
	put_legend(&out, PANEL_LEFT, bottom - 16, BLUE, "kmemfs");
	put_legend(&out, PANEL_LEFT + 120, bottom - 16, VERMILION,
		   "ideal buddy: lists and a state byte, no rules of a kernel");
	svg_end(&out);
	fwrite(out.text, 1, out.len, stdout);
	out_fini(&out);
	return 0;
}
