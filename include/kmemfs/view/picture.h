// SPDX-License-Identifier: MIT
/*
 * picture.h - pictures of the machine, and the kit that they are drawn with
 *
 * A picture is a list of shapes.  It is built once, knows where each of its
 * texts stands, and can be written as SVG or PNG; the same machine in the same
 * state gives the same bytes (of a PNG: with the same fonts).  Lengths are in
 * pixels, y grows downwards.
 */
#ifndef KMEMFS_VIEW_PICTURE_H
#define KMEMFS_VIEW_PICTURE_H

#include "kmemfs/base/out.h"
#include "kmemfs/machine/machine.h"

#define PICTURE_WIDTH 1168
#define PICTURE_MARGIN 24

/* The colours of Okabe and Ito, which all eyes tell apart, and greys. */
enum picture_colour {
	COLOUR_BLACK,
	COLOUR_ORANGE,
	COLOUR_SKY,
	COLOUR_GREEN,
	COLOUR_YELLOW,
	COLOUR_BLUE,
	COLOUR_VERMILLION,
	COLOUR_PURPLE,
	COLOUR_WHITE,
	COLOUR_INK,  /* texts */
	COLOUR_DARK, /* grey, as are those below */
	COLOUR_MIDDLE,
	COLOUR_LIGHT,
	COLOUR_HAIR, /* grid lines */
	NR_COLOURS
};

struct picture_box {
	double x, y; /* upper left corner */
	double w, h;
};

enum picture_kind { PICTURE_RECT, PICTURE_OUTLINE, PICTURE_LINE, PICTURE_TEXT };

struct picture_shape {
	enum picture_kind kind;
	enum picture_colour colour;
	struct picture_box box; /* a line goes from (x, y) to (x+w, y+h); a
				   text's is its line: its advance, from the
				   font's ascent to its descent */
	double size;		/* of the font; width of the line */
	double baseline;	/* of a text */
	bool bold;
	char *text; /* NULL unless it is one */
};

enum picture_align { ALIGN_LEFT, ALIGN_CENTRE, ALIGN_RIGHT };

struct picture;

/* --- picture.c: the list of shapes ---------------------------------------- */

/* An empty picture.  @font: a family, NULL for "sans-serif"; "@cairo:" is what
 * cairo has where no font is installed. */
struct picture *picture_new(const char *font);
void picture_free(struct picture *p);
/* All shapes, in the order in which they are painted: struct picture_shape. */
const GArray *picture_shapes(const struct picture *p);
/* How high it is: that of the lowest thing and a margin. */
double picture_height(const struct picture *p);

void picture_rect(struct picture *p, struct picture_box box,
		  enum picture_colour colour);
void picture_outline(struct picture *p, struct picture_box box,
		     enum picture_colour colour);
void picture_line(struct picture *p, double x1, double y1, double x2, double y2,
		  double width, enum picture_colour colour);
/*
 * One line of text at baseline @y; @x is where it starts, its middle or its
 * end.  ASCII only: cairo's own font has no more.  Returns its box.
 */
struct picture_box picture_text(struct picture *p, double x, double y,
				double size, enum picture_align align,
				const char *format, ...)
	__attribute__((format(printf, 6, 7)));
/* The same in bold. */
struct picture_box picture_bold(struct picture *p, double x, double y,
				double size, enum picture_align align,
				const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* How wide a text would be. */
double picture_text_width(struct picture *p, double size, const char *text);

/* --- picture_out.c: as files -----------------------------------------------
 */

void picture_svg(const struct picture *p, struct out *out);
void picture_png(const struct picture *p, struct out *out);

/* --- picture_parts.c: what pictures have in common --------------------------
 */

/* Title, and below it which machine this is and when.  Returns the y below. */
double picture_title(struct picture *p, const struct machine *m,
		     const char *title);
struct picture_key {
	enum picture_colour colour;
	const char *label;
};
/* A row of swatches with labels at @y, going on in more rows where it is too
 * long; @what in front of it.  Returns the y below. */
double picture_legend(struct picture *p, double y, const char *what,
		      const struct picture_key *keys, size_t nr);
/* "512 KiB", "2.93 GiB": three digits, exact below 1 KiB.  @text has
 * PICTURE_SIZE_TEXT bytes; returns it. */
#define PICTURE_SIZE_TEXT 16
const char *picture_bytes(char *text, uint64_t bytes);
/* "9999", "16.8M": at most five characters up to 10^15. */
const char *picture_count(char *text, uint64_t count);
/* Move @nr ascending @places apart until each is @apart from the next, between
 * @low and @high where they fit. */
void picture_spread(double *places, unsigned int nr, double apart, double low,
		    double high);
/* To the nearest whole number; @v is not negative. */
static inline double
picture_round(double v)
{
	return (double)(int64_t)(v + 0.5);
}
/* The smallest of 1, 1.5, 2, 3, 4, 6, 8, 12 ... that is @most or more. */
uint64_t picture_scale(uint64_t most);
/* Share @pixels out by the @nr numbers of @count, @least for each that is not
 * 0 as long as there are any. */
void picture_shares(const uint64_t *count, unsigned int nr, unsigned int pixels,
		    unsigned int least, unsigned int *share);
/* The colour of a migrate type, the same in all pictures. */
enum picture_colour picture_type_colour(enum migratetype type);
/* Legend of the migrate types that the machine's kernel has. */
double picture_type_legend(struct picture *p, double y, const char *what,
			   const struct phys *phys);

/* --- the pictures -----------------------------------------------------------
 */

/* Free memory of each zone by order and type, and the zone's watermarks. */
struct picture *picture_buddy(const struct machine *m, const char *font);
/* A map of physical memory, zone by zone. */
struct picture *picture_frames(const struct machine *m, const char *font);
/* The memory of each slab cache: what of it is in use, free, lost. */
struct picture *picture_slab(const struct machine *m, const char *font);
/* The tables of a task, each entry a cell. */
struct picture *picture_pagetable(const struct machine *m, const struct task *t,
				  const char *font);
/* The areas of a task, what of each is in memory. */
struct picture *picture_address_space(const struct machine *m,
				      const struct task *t, const char *font);

#endif
