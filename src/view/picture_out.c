// SPDX-License-Identifier: MIT
/*
 * picture_out.c - pictures as SVG and PNG
 *
 * How it works: cairo paints the shapes; those that follow one another with
 * one colour are one path.  Texts become outlines, so that an SVG looks the
 * same where other fonts are installed.
 *
 * Always true: two writings of one picture are equal.  cairo numbers its
 * surfaces through the life of a process and writes the number into the SVG,
 * as an id that nothing refers to; it is cut off.
 */
#include "picture_impl.h"

#include <cairo-svg.h>
#include <glib.h>

static const uint32_t colours[NR_COLOURS] = {
	[COLOUR_BLACK] = 0x000000,	[COLOUR_ORANGE] = 0xe69f00,
	[COLOUR_SKY] = 0x56b4e9,	[COLOUR_GREEN] = 0x009e73,
	[COLOUR_YELLOW] = 0xf0e442,	[COLOUR_BLUE] = 0x0072b2,
	[COLOUR_VERMILLION] = 0xd55e00, [COLOUR_PURPLE] = 0xcc79a7,
	[COLOUR_WHITE] = 0xffffff,	[COLOUR_INK] = 0x222222,
	[COLOUR_DARK] = 0x4d4d4d,	[COLOUR_MIDDLE] = 0x8c8c8c,
	[COLOUR_LIGHT] = 0xc8c8c8,	[COLOUR_HAIR] = 0xdedede,
};

static void
set_colour(cairo_t *cr, enum picture_colour colour)
{
	uint32_t rgb = colours[colour];

	cairo_set_source_rgb(cr, (rgb >> 16) / 255.0, (rgb >> 8 & 255) / 255.0,
			     (rgb & 255) / 255.0);
}

/* Whether both can be painted as parts of one path. */
static bool
goes_on(const struct picture_shape *a, const struct picture_shape *b)
{
	return a->kind == b->kind && a->kind != PICTURE_TEXT &&
	       a->colour == b->colour && a->size == b->size;
}

static void
add_path(cairo_t *cr, const struct picture_shape *s)
{
	const struct picture_box *box = &s->box;

	switch (s->kind) {
	case PICTURE_RECT:
		cairo_rectangle(cr, box->x, box->y, box->w, box->h);
		break;
	case PICTURE_OUTLINE:
		/* The line lies inside. */
		cairo_rectangle(cr, box->x + 0.5, box->y + 0.5, box->w - 1,
				box->h - 1);
		break;
	case PICTURE_LINE:
		cairo_move_to(cr, box->x, box->y);
		cairo_line_to(cr, box->x + box->w, box->y + box->h);
		break;
	case PICTURE_TEXT:
		cairo_move_to(cr, box->x, s->baseline);
		break;
	}
}

static void
paint(const struct picture *p, cairo_t *cr)
{
	cairo_rectangle(cr, 0, 0, PICTURE_WIDTH, picture_height(p));
	set_colour(cr, COLOUR_WHITE);
	cairo_fill(cr);
	for (guint i = 0; i < p->shapes->len; i++) {
		const struct picture_shape *s =
			&g_array_index(p->shapes, struct picture_shape, i);

		add_path(cr, s);
		if (i + 1 < p->shapes->len && goes_on(s, s + 1))
			continue;
		set_colour(cr, s->colour);
		if (s->kind == PICTURE_RECT) {
			cairo_fill(cr);
		} else if (s->kind == PICTURE_TEXT) {
			picture_set_font(p, cr, s->size, s->bold);
			cairo_show_text(cr, s->text);
		} else {
			cairo_set_line_width(cr, s->size);
			cairo_stroke(cr);
		}
	}
}

static cairo_status_t
append(void *out, const unsigned char *bytes, unsigned int len)
{
	out_mem(out, bytes, len);
	return CAIRO_STATUS_SUCCESS;
}

/* Copy @svg without the numbers of surfaces. */
static void
without_numbers(const struct out *svg, struct out *out)
{
	static const char id[] = " id=\"surface";
	const char *at = svg->text, *end = svg->text + svg->len, *found;

	while ((found = memmem(at, (size_t)(end - at), id, sizeof(id) - 1))) {
		found += sizeof(id) - 1;
		out_mem(out, at, (size_t)(found - at));
		for (at = found; at < end && g_ascii_isdigit(*at); at++)
			;
	}
	out_mem(out, at, (size_t)(end - at));
}

void
picture_svg(const struct picture *p, struct out *out)
{
	struct out svg = OUT_INIT;
	cairo_surface_t *surface = cairo_svg_surface_create_for_stream(
		append, &svg, PICTURE_WIDTH, picture_height(p));
	cairo_t *cr = cairo_create(surface);

	cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
	paint(p, cr);
	cairo_destroy(cr);
	cairo_surface_finish(surface);
	cairo_surface_destroy(surface);
	without_numbers(&svg, out);
	out_fini(&svg);
}

void
picture_png(const struct picture *p, struct out *out)
{
	cairo_surface_t *surface = cairo_image_surface_create(
		CAIRO_FORMAT_RGB24, PICTURE_WIDTH, (int)picture_height(p));
	cairo_t *cr = cairo_create(surface);

	paint(p, cr);
	cairo_destroy(cr);
	cairo_surface_write_to_png_stream(surface, append, out);
	cairo_surface_destroy(surface);
}
