// SPDX-License-Identifier: MIT
/*
 * compare_plot.c - end states as a picture: where free memory is, by order
 *
 * How it works: SVG as text.  For each order a group of bars, one a side, as
 * high as the share of free memory that lies in blocks of that order.
 */
#include "compare_impl.h"

#include "kmemfs/base/svg.h"

#include <stdio.h>

#define WIDTH 760
#define HEIGHT 300
#define LEFT 56
#define TOP 24
#define LINE 18
#define GRID 4

static const char *const colours[COMPARE_MOST] = {
	"#1b6ca8", "#d1603d", "#3f8f4f", "#8a5ca8",
	"#b8962e", "#4aa0a0", "#a84a6a", "#666666"};

/* Free memory in blocks of @order, all zones: pages may differ in size. */
static uint64_t
kib_in(const struct side *side, unsigned int order)
{
	uint64_t pages = 0;

	for (unsigned int z = 0; z < side->nr_zones; z++)
		pages += side->zones[z].blocks[order] << order;
	return pages * side->page_kib;
}

/* The unit in which @most KiB has at most four digits before the point. */
static const char *
plot_unit(uint64_t most, double *kib)
{
	static const char *const names[] = {"MiB", "GiB", "TiB"};
	size_t unit = 0;

	for (*kib = 1024;
	     (double)most >= 10000 * *kib && unit + 1 < ARRAY_SIZE(names);
	     unit++)
		*kib *= 1024;
	return names[unit];
}

static void
plot_grid(uint64_t most, struct out *out)
{
	double kib;
	const char *unit = plot_unit(most, &kib);

	for (unsigned int i = 0; i <= GRID; i++) {
		int y = TOP + HEIGHT - (int)(HEIGHT * i / GRID);

		out_printf(out,
			   "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" "
			   "stroke=\"#ccc\"/>\n"
			   "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">"
			   "%.1f</text>\n",
			   LEFT, y, LEFT + WIDTH, y, LEFT - 6, y + 4,
			   (double)most * i / GRID / kib);
	}
	out_printf(out, "<text x=\"4\" y=\"%d\">%s</text>\n", TOP - 8, unit);
}

static void
plot_bars(const struct side *sides, unsigned int nr, uint64_t most,
	  struct out *out)
{
	double group = (double)WIDTH / MAX_ORDER;
	double bar = group * 0.8 / nr;

	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		double x = LEFT + group * order + group * 0.1;

		for (unsigned int i = 0; i < nr; i++) {
			double h = (double)kib_in(&sides[i], order) * HEIGHT /
				   (double)most;

			out_printf(out,
				   "<rect x=\"%.1f\" y=\"%.1f\" "
				   "width=\"%.1f\" height=\"%.1f\" "
				   "fill=\"%s\"/>\n",
				   x + bar * i, TOP + HEIGHT - h, bar, h,
				   colours[i]);
		}
		out_printf(out,
			   "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">"
			   "%u</text>\n",
			   x + group * 0.4, TOP + HEIGHT + LINE, order);
	}
}

void
compare_plot(const struct side *sides, unsigned int nr, struct out *out)
{
	int height = TOP + HEIGHT + LINE * ((int)nr + 3);
	uint64_t most = 1;

	for (unsigned int i = 0; i < nr; i++) {
		for (unsigned int order = 0; order < MAX_ORDER; order++)
			most = MAX_OF(most, kib_in(&sides[i], order));
	}
	svg_begin(out, LEFT + WIDTH + 16, height);
	plot_grid(most, out);
	plot_bars(sides, nr, most, out);
	out_printf(out,
		   "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">free memory "
		   "by the order of its blocks</text>\n",
		   LEFT + WIDTH / 2, TOP + HEIGHT + 2 * LINE);
	for (unsigned int i = 0; i < nr; i++) {
		int y = TOP + HEIGHT + LINE * ((int)i + 3);

		out_printf(out,
			   "<rect x=\"%d\" y=\"%d\" width=\"12\" "
			   "height=\"12\" fill=\"%s\"/>\n"
			   "<text x=\"%d\" y=\"%d\">",
			   LEFT, y - 10, colours[i], LEFT + 18, y);
		svg_escape(out, sides[i].title);
		out_str(out, "</text>\n");
	}
	svg_end(out);
}
