// SPDX-License-Identifier: MIT
/* views.c - /views: the pictures, and the page that shows them */
#include "kmemfs/show.h"
#include "kmemfs/view/picture.h"

void
show_views_index(const struct view *v, struct out *out)
{
	static const char text[] =
#include "views_index.def"
		;

	(void)v;
	out_mem(out, text, sizeof(text) - 1);
}

typedef struct picture *(*draw_fn)(const struct machine *m, const char *font);

static void
show_svg(const struct view *v, draw_fn draw, struct out *out)
{
	struct picture *p = draw(v->m, NULL);

	picture_svg(p, out);
	picture_free(p);
}

static void
show_png(const struct view *v, draw_fn draw, struct out *out)
{
	struct picture *p = draw(v->m, NULL);

	picture_png(p, out);
	picture_free(p);
}

#define PICTURE(name)                                                          \
	void show_views_##name##_svg(const struct view *v, struct out *out)    \
	{                                                                      \
		show_svg(v, picture_##name, out);                              \
	}                                                                      \
                                                                               \
	void show_views_##name##_png(const struct view *v, struct out *out)    \
	{                                                                      \
		show_png(v, picture_##name, out);                              \
	}

typedef struct picture *(*draw_task_fn)(const struct machine *m,
					const struct task *t, const char *font);

static void
show_task_picture(const struct view *v, draw_task_fn draw,
		  void (*print)(const struct picture *p, struct out *out),
		  struct out *out)
{
	struct picture *p = draw(v->m, view_task(v), NULL);

	print(p, out);
	picture_free(p);
}

#define TASK_PICTURE(name)                                                     \
	void show_views_##name##_svg(const struct view *v, struct out *out)    \
	{                                                                      \
		show_task_picture(v, picture_##name, picture_svg, out);        \
	}                                                                      \
                                                                               \
	void show_views_##name##_png(const struct view *v, struct out *out)    \
	{                                                                      \
		show_task_picture(v, picture_##name, picture_png, out);        \
	}

TASK_PICTURE(pagetable)
TASK_PICTURE(address_space)
PICTURE(buddy)
PICTURE(frames)
PICTURE(slab)
