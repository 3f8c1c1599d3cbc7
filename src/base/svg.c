// SPDX-License-Identifier: MIT
/* svg.c - SVG as text: its frame, and text in it */
#include "kmemfs/base/svg.h"

void
svg_begin(struct out *out, int width, int height)
{
	out_printf(out,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
		   "height=\"%d\" font-family=\"sans-serif\" "
		   "font-size=\"12\">\n"
		   "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		   width, height);
}

void
svg_end(struct out *out)
{
	out_str(out, "</svg>\n");
}

void
svg_escape(struct out *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '<' || *text == '&' || *text == '>')
			out_printf(out, "&#%d;", *text);
		else
			out_char(out, *text);
	}
}
