// SPDX-License-Identifier: MIT
/* picture_parts.c - titles, legends, scales and units of pictures */
#include "kmemfs/view/picture.h"

#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"

#include <inttypes.h>
#include <stdio.h>

#define SWATCH 12
#define LEGEND_SIZE 12
#define LEGEND_LINE 20

const char *
picture_bytes(char *text, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double v = (double)bytes;
	int unit = -1;

	/* 1023.7 would be printed as 1024. */
	while (v >= 1023.5 && units[unit + 1]) {
		v /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(text, PICTURE_SIZE_TEXT, "%" PRIu64 " B", bytes);
	else
		snprintf(text, PICTURE_SIZE_TEXT, "%.*f %ciB",
			 v == (double)(uint64_t)v || v >= 99.95 ? 0
			 : v >= 9.995				? 1
								: 2,
			 v, units[unit]);
	return text;
}

const char *
picture_count(char *text, uint64_t count)
{
	static const char units[] = "kMGT";
	double v = (double)count;
	int unit = -1;

	if (count < 10000) {
		snprintf(text, PICTURE_SIZE_TEXT, "%" PRIu64, count);
		return text;
	}
	while (v >= 999.5 && units[unit + 1]) {
		v /= 1000;
		unit++;
	}
	snprintf(text, PICTURE_SIZE_TEXT, "%.*f%c", v >= 99.95 ? 0 : 1, v,
		 units[unit]);
	return text;
}

double
picture_title(struct picture *p, const struct machine *m, const char *title)
{
	const struct phys *phys = m->phys;
	uint64_t pages = 0;
	char size[PICTURE_SIZE_TEXT];

	for (unsigned int i = 0; i < phys->nr_zones; i++)
		pages += phys->zones[i]->present_pages;
	picture_bold(p, PICTURE_MARGIN, 38, 18, ALIGN_LEFT, "%s", title);
	picture_text(p, PICTURE_MARGIN, 60, 13, ALIGN_LEFT,
		     "%.32s: %s, %u node%s, %u CPU%s, %s of memory online; "
		     "%" PRIu64 ".%09" PRIu64 " s after boot, %" PRIu64
		     " op%s done%s",
		     m->config->hostname, phys->arch->name, phys->nr_nodes,
		     phys->nr_nodes == 1 ? "" : "s", phys->nr_cpus,
		     phys->nr_cpus == 1 ? "" : "s",
		     picture_bytes(size, pages << phys->page_shift),
		     m->now_ns / 1000000000, m->now_ns % 1000000000,
		     m->position, m->position == 1 ? "" : "s",
		     m->state == MACHINE_PANIC ? "; panic" : "");
	return 76;
}

double
picture_legend(struct picture *p, double y, const char *what,
	       const struct picture_key *keys, size_t nr)
{
	struct picture_box box =
		picture_text(p, PICTURE_MARGIN, y + SWATCH - 1, LEGEND_SIZE,
			     ALIGN_LEFT, "%s", what);
	double left = box.x + box.w + 16, x = left;

	for (size_t i = 0; i < nr; i++) {
		double width =
			picture_text_width(p, LEGEND_SIZE, keys[i].label);

		if (x > left &&
		    x + SWATCH + 6 + width > PICTURE_WIDTH - PICTURE_MARGIN) {
			x = left;
			y += LEGEND_LINE;
		}
		picture_rect(p, (struct picture_box){x, y, SWATCH, SWATCH},
			     keys[i].colour);
		if (keys[i].colour == COLOUR_WHITE)
			picture_outline(
				p, (struct picture_box){x, y, SWATCH, SWATCH},
				COLOUR_LIGHT);
		picture_text(p, x + SWATCH + 6, y + SWATCH - 1, LEGEND_SIZE,
			     ALIGN_LEFT, "%s", keys[i].label);
		x += SWATCH + 6 + width + 18;
	}
	return y + LEGEND_LINE;
}

void
picture_spread(double *places, unsigned int nr, double apart, double low,
	       double high)
{
	double limit = low;

	/* Up until each is far enough from the one before, then back down from
	 * the upper end. */
	for (unsigned int i = 0; i < nr; i++) {
		places[i] = MAX_OF(places[i], limit);
		limit = places[i] + apart;
	}
	limit = high;
	for (unsigned int i = nr; i-- > 0;) {
		places[i] = MIN_OF(places[i], limit);
		limit = places[i] - apart;
	}
}

uint64_t
picture_scale(uint64_t most)
{
	uint64_t scale = 1;

	while (scale < most && scale < UINT64_MAX / 2) {
		if (scale >= 2 && scale / 2 * 3 >= most)
			return scale / 2 * 3;
		scale *= 2;
	}
	return scale;
}

/* Index of the largest of @nr numbers. */
static unsigned int
largest(const unsigned int *of, unsigned int nr)
{
	unsigned int at = 0;

	for (unsigned int i = 1; i < nr; i++)
		if (of[i] > of[at])
			at = i;
	return at;
}

void
picture_shares(const uint64_t *count, unsigned int nr, unsigned int pixels,
	       unsigned int least, unsigned int *share)
{
	unsigned int there = 0, given = 0;
	double sum = 0;

	for (unsigned int i = 0; i < nr; i++) {
		sum += (double)count[i];
		there += !!count[i];
	}
	if (there)
		least = MIN_OF(least, pixels / there);
	for (unsigned int i = 0; i < nr; i++) {
		share[i] = 0;
		if (!count[i])
			continue;
		share[i] = (unsigned int)((double)count[i] * pixels / sum);
		share[i] = MAX_OF(share[i], least);
		given += share[i];
	}
	/* Small ones were given more than their share: the large ones pay. */
	for (; given > pixels; given--)
		share[largest(share, nr)]--;
	if (there)
		share[largest(share, nr)] += pixels - given;
}

static const enum picture_colour type_colours[MIGRATE_TYPES] = {
	[MIGRATE_UNMOVABLE] = COLOUR_VERMILLION,
	[MIGRATE_MOVABLE] = COLOUR_GREEN,
	[MIGRATE_RECLAIMABLE] = COLOUR_ORANGE,
	[MIGRATE_HIGHATOMIC] = COLOUR_BLACK,
	[MIGRATE_CMA] = COLOUR_BLUE,
	[MIGRATE_ISOLATE] = COLOUR_MIDDLE,
};

enum picture_colour
picture_type_colour(enum migratetype type)
{
	return type_colours[type];
}

double
picture_type_legend(struct picture *p, double y, const char *what,
		    const struct phys *phys)
{
	struct picture_key keys[MIGRATE_TYPES];
	size_t nr = 0;

	for (int t = 0; t < MIGRATE_TYPES; t++)
		if (kernel_has_type(phys, t))
			keys[nr++] = (struct picture_key){type_colours[t],
							  migratetype_name(t)};
	return picture_legend(p, y, what, keys, nr);
}
