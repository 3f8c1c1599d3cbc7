// SPDX-License-Identifier: MIT
/*
 * pictures.h - what is asked of every picture, and machines to draw
 */
#ifndef TESTS_UNIT_VIEW_PICTURES_H
#define TESTS_UNIT_VIEW_PICTURES_H

#include "unit/view/views.h"

#include "kmemfs/view/picture.h"

typedef struct picture *(*draw_fn)(const struct machine *m, const char *font);

enum {
	PICTURE_BUDDY,
	PICTURE_FRAMES,
	PICTURE_SLAB,
	PICTURE_PAGETABLE, /* those of a task draw the one made last */
	PICTURE_ADDRESS_SPACE,
	NR_PICTURES
};

struct picture_case {
	const char *name;
	draw_fn draw;
	bool of_task;
};

extern const struct picture_case picture_table[NR_PICTURES];

#define NR_PICTURE_MACHINES 9
extern const char *const picture_machines[NR_PICTURE_MACHINES];

/* The task made last. */
const struct task *pictures_task(const struct machine *m);
/* Make a task with areas of all kinds, where the machine has tasks. */
void pictures_use_task(struct machine *m);
/* In all fonts: texts apart, inside, on nothing, large enough, ASCII. */
void pictures_check(struct machine *m, const char *state);
const struct picture_shape *pictures_shape(const struct picture *p, guint i);
/* Pixels of @colour; whether a text holds @text. */
double pictures_area(const struct machine *m, draw_fn draw,
		     enum picture_colour colour);
bool pictures_show(const struct machine *m, draw_fn draw, const char *text);

#endif
