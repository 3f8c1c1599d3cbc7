// SPDX-License-Identifier: MIT
/* picture_impl.h - a picture from inside, for the files that know cairo */
#ifndef KMEMFS_VIEW_PICTURE_IMPL_H
#define KMEMFS_VIEW_PICTURE_IMPL_H

#include "kmemfs/view/picture.h"

#include <cairo.h>

struct picture {
	GArray *shapes; /* of struct picture_shape */
	char *font;	/* family */
	double bottom;	/* of the lowest shape */

	/* What texts are measured with. */
	cairo_surface_t *ruler_surface;
	cairo_t *ruler;
};

/* Make @cr draw and measure texts as the picture's are. */
void picture_set_font(const struct picture *p, cairo_t *cr, double size,
		      bool bold);

#endif
