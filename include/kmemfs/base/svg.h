// SPDX-License-Identifier: MIT
/*
 * svg.h - the few things that pictures written as SVG text have in common
 */
#ifndef KMEMFS_BASE_SVG_H
#define KMEMFS_BASE_SVG_H

#include "kmemfs/base/out.h"

/* Open a picture of @width x @height on white, sans-serif text of 12. */
void svg_begin(struct out *out, int width, int height);
void svg_end(struct out *out);
/* @text, with what would be read as a tag or an entity made harmless. */
void svg_escape(struct out *out, const char *text);

#endif
