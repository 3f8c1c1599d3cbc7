// SPDX-License-Identifier: MIT
/* views.c - /views: the pictures, and the page that shows them and leads to
 * those of tasks */
#include "kmemfs/show.h"
#include "kmemfs/view/picture.h"

#include <string.h>

void
show_views_index(const struct view *v, struct out *out)
{
	static const char text[] =
#include "views_index.def"
		;

	static const char place[] = "<p id=\"tasks\">";
	const char *at = strstr(text, place) + strlen(place);

	out_mem(out, text, (size_t)(at - text));
	for (const struct task *t = task_next(v->m->vm, 0); t;
	     t = task_next(v->m->vm, t->pid))
		if (t->mm)
			out_printf(out,
				   "task %d %s: "
				   "<a href=\"address-space-%d.svg\">address "
				   "space</a>, "
				   "<a href=\"pagetable-%d.svg\">page "
				   "table</a><br>\n",
				   t->pid, t->name ? t->name : "", t->pid,
				   t->pid);
	out_str(out, at);
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
