// SPDX-License-Identifier: MIT
/*
 * picture.c - a picture as a list of shapes
 *
 * How it works: shapes are only noted, so that a picture can be written in
 * several formats and looked over by tests.  A text is measured when it is
 * noted, with the font that will draw it; metrics are not rounded to pixels,
 * so its box is the same in all formats.
 */
#include "picture_impl.h"

#define FONT "sans-serif"

struct picture *
picture_new(const char *font)
{
	struct picture *p = g_new0(struct picture, 1);

	p->shapes = g_array_new(FALSE, FALSE, sizeof(struct picture_shape));
	p->font = g_strdup(font ? font : FONT);
	p->ruler_surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
	p->ruler = cairo_create(p->ruler_surface);
	return p;
}

void
picture_free(struct picture *p)
{
	for (guint i = 0; i < p->shapes->len; i++)
		g_free(g_array_index(p->shapes, struct picture_shape, i).text);
	g_array_free(p->shapes, TRUE);
	cairo_destroy(p->ruler);
	cairo_surface_destroy(p->ruler_surface);
	g_free(p->font);
	g_free(p);
}

const GArray *
picture_shapes(const struct picture *p)
{
	return p->shapes;
}

double
picture_height(const struct picture *p)
{
	return picture_round(p->bottom + 0.5) + PICTURE_MARGIN;
}

static void
add(struct picture *p, const struct picture_shape *shape)
{
	const struct picture_box *box = &shape->box;

	g_array_append_vals(p->shapes, shape, 1);
	p->bottom = MAX_OF(p->bottom, MAX_OF(box->y, box->y + box->h));
}

void
picture_rect(struct picture *p, struct picture_box box,
	     enum picture_colour colour)
{
	add(p, &(struct picture_shape){
		       .kind = PICTURE_RECT, .box = box, .colour = colour});
}

void
picture_outline(struct picture *p, struct picture_box box,
		enum picture_colour colour)
{
	add(p, &(struct picture_shape){.kind = PICTURE_OUTLINE,
				       .box = box,
				       .colour = colour,
				       .size = 1});
}

void
picture_line(struct picture *p, double x1, double y1, double x2, double y2,
	     double width, enum picture_colour colour)
{
	add(p, &(struct picture_shape){
		       .kind = PICTURE_LINE,
		       .box = {x1, y1, x2 - x1, y2 - y1},
		       .size = width,
		       .colour = colour
	       });
}

void
picture_set_font(const struct picture *p, cairo_t *cr, double size, bool bold)
{
	cairo_font_options_t *options = cairo_font_options_create();

	cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
	cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
	cairo_set_font_options(cr, options);
	cairo_font_options_destroy(options);
	cairo_select_font_face(cr, p->font, CAIRO_FONT_SLANT_NORMAL,
			       bold ? CAIRO_FONT_WEIGHT_BOLD
				    : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, size);
}

double
picture_text_width(struct picture *p, double size, const char *text)
{
	cairo_text_extents_t extents;

	picture_set_font(p, p->ruler, size, false);
	cairo_text_extents(p->ruler, text, &extents);
	return extents.x_advance;
}

static struct picture_box
add_text(struct picture *p, double x, double y, double size, bool bold,
	 enum picture_align align, const char *format, va_list ap)
{
	struct picture_shape shape = {.kind = PICTURE_TEXT,
				      .colour = COLOUR_INK,
				      .size = size,
				      .baseline = y,
				      .bold = bold};
	cairo_font_extents_t font;
	cairo_text_extents_t extents;

	shape.text = g_strdup_vprintf(format, ap);
	picture_set_font(p, p->ruler, size, bold);
	cairo_font_extents(p->ruler, &font);
	cairo_text_extents(p->ruler, shape.text, &extents);
	if (align == ALIGN_CENTRE)
		x -= extents.x_advance / 2;
	else if (align == ALIGN_RIGHT)
		x -= extents.x_advance;
	shape.box = (struct picture_box){x, y - font.ascent, extents.x_advance,
					 font.ascent + font.descent};
	add(p, &shape);
	return shape.box;
}

struct picture_box
picture_text(struct picture *p, double x, double y, double size,
	     enum picture_align align, const char *format, ...)
{
	struct picture_box box;
	va_list ap;

	va_start(ap, format);
	box = add_text(p, x, y, size, false, align, format, ap);
	va_end(ap);
	return box;
}

struct picture_box
picture_bold(struct picture *p, double x, double y, double size,
	     enum picture_align align, const char *format, ...)
{
	struct picture_box box;
	va_list ap;

	va_start(ap, format);
	box = add_text(p, x, y, size, true, align, format, ap);
	va_end(ap);
	return box;
}
