// SPDX-License-Identifier: MIT
/* pictures.c - what is asked of every picture, and machines to draw */
#include "unit/view/pictures.h"

#define SMALLEST 9 /* pixels of a font */

/* The task made last. */
const struct task *
pictures_task(const struct machine *m)
{
	const struct task *t = task_next(m->vm, 0), *next;

	while ((next = task_next(m->vm, t->pid)))
		t = next;
	return t;
}

static struct picture *
draw_pagetable(const struct machine *m, const char *font)
{
	return picture_pagetable(m, pictures_task(m), font);
}

static struct picture *
draw_address_space(const struct machine *m, const char *font)
{
	return picture_address_space(m, pictures_task(m), font);
}

const struct picture_case picture_table[NR_PICTURES] = {
	{"buddy",	  picture_buddy,	 false},
	{"frames",	   picture_frames,	   false},
	{"slab",		 picture_slab,       false},
	{"pagetable",     draw_pagetable,     true },
	{"address-space", draw_address_space, true },
};

const char *const picture_machines[NR_PICTURE_MACHINES] = {
	NUMA_MACHINE,
	HIGHMEM_MACHINE,
	"[machine]\narch = x86-64\ncpus = 1\nmemory = 64M\n",
	"[machine]\narch = generic\nmmu = no\ncpus = 1\nmemory = 16M\n",
	"[machine]\narch = i386-pae\ncpus = 2\nmemory = 6G\n",
	"[machine]\narch = x86-64\ncpus = 64\nmemory = 1T\nnodes = 8\n",
	"[machine]\narch = x86-64\ncpus = 128\nmemory = 64T\nnodes = 16\n",
	"[machine]\narch = x86-64\ncpus = 4\nmemory = 16G\nnodes = 100\n",
	"[machine]\narch = x86-64\nmemory = 4G\ncma = yes\ncmdline = cma=64M\n",
};

/* The usual one; a wide one; what cairo has where no font is installed. */
static const char *const fonts[] = {NULL, "monospace", "@cairo:"};

/* --- what is asked of every picture ----------------------------------------
 */

static bool
overlap(const struct picture_box *a, const struct picture_box *b)
{
	return a->x < b->x + b->w && b->x < a->x + a->w && a->y < b->y + b->h &&
	       b->y < a->y + a->h;
}

const struct picture_shape *
pictures_shape(const struct picture *p, guint i)
{
	return &g_array_index(picture_shapes(p), struct picture_shape, i);
}

static void
check_text(const struct picture *p, guint i, const char *what)
{
	const struct picture_shape *s = pictures_shape(p, i);

	ck_assert_msg(s->size >= SMALLEST, "%s: \"%s\" is too small", what,
		      s->text);
	for (const char *c = s->text; *c; c++)
		if (*c < ' ' || *c > '~')
			ck_abort_msg("%s: \"%s\" is not ASCII", what, s->text);
	for (guint j = 0; j < picture_shapes(p)->len; j++) {
		const struct picture_shape *t = pictures_shape(p, j);

		if (j == i || !overlap(&s->box, &t->box))
			continue;
		if (t->kind == PICTURE_TEXT)
			ck_abort_msg("%s: \"%s\" and \"%s\" overlap", what,
				     s->text, t->text);
		/* No text is written on a colour or hidden by one. */
		if (t->kind == PICTURE_RECT)
			ck_abort_msg("%s: \"%s\" lies on a rectangle", what,
				     s->text);
	}
}

static void
check_picture(const struct picture *p, const char *what)
{
	double height = picture_height(p);

	for (guint i = 0; i < picture_shapes(p)->len; i++) {
		const struct picture_shape *s = pictures_shape(p, i);
		const struct picture_box *b = &s->box;

		if (MIN_OF(b->x, b->x + b->w) < 0 ||
		    MAX_OF(b->x, b->x + b->w) > PICTURE_WIDTH ||
		    MIN_OF(b->y, b->y + b->h) < 0 ||
		    MAX_OF(b->y, b->y + b->h) > height)
			ck_abort_msg("%s: %s at %.0f,%.0f of %.0fx%.0f lies "
				     "outside",
				     what, s->text ? s->text : "a shape", b->x,
				     b->y, b->w, b->h);
		if (s->kind == PICTURE_TEXT)
			check_text(p, i, what);
	}
}

void
pictures_check(struct machine *m, const char *state)
{
	for (int i = 0; i < NR_PICTURES; i++) {
		for (size_t f = 0; f < ARRAY_SIZE(fonts); f++) {
			struct picture *p = picture_table[i].draw(m, fonts[f]);
			char *what = g_strdup_printf(
				"%s, %s, %s", picture_table[i].name, state,
				fonts[f] ? fonts[f] : "usual font");

			check_picture(p, what);
			picture_free(p);
			g_free(what);
		}
	}
}

/* A task with areas of all kinds, where the machine has tasks. */
void
pictures_use_task(struct machine *m)
{
	static const char *const ops[] = {
		"task/exec t a_program_whose_name_is_too_long_for_its_column",
		"vm/mmap t 10M name=heap",
		"vm/touch t heap write 900K",
		"vm/touch t heap read 1M",
		"file/create lib 700K",
		"vm/mmap t 700K name=lib file=lib prot=PROT_READ|PROT_EXEC",
		"vm/touch t lib read 300K",
		"vm/mmap t 256K name=shm flags=MAP_SHARED|MAP_ANONYMOUS",
		"vm/touch t shm write 100K",
		"vm/mmap t 1G name=big "
		"flags=MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE",
		"vm/touch t big read 1M",
		"task/fork t name=child",
		"vm/touch child heap write 100K",
	};

	if (views_do(m, "task/fork name=t"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		ck_assert_msg(!views_do(m, "%s", ops[i]), "%s", ops[i]);
}

/* Pixels of @colour. */
double
pictures_area(const struct machine *m, draw_fn draw, enum picture_colour colour)
{
	struct picture *p = draw(m, NULL);
	double area = 0;

	for (guint i = 0; i < picture_shapes(p)->len; i++) {
		const struct picture_shape *s = pictures_shape(p, i);

		if (s->kind == PICTURE_RECT && s->colour == colour)
			area += s->box.w * s->box.h;
	}
	picture_free(p);
	return area;
}

bool
pictures_show(const struct machine *m, draw_fn draw, const char *text)
{
	struct picture *p = draw(m, NULL);
	bool found = false;

	for (guint i = 0; i < picture_shapes(p)->len; i++) {
		const struct picture_shape *s = pictures_shape(p, i);

		found |= s->text && strstr(s->text, text);
	}
	picture_free(p);
	return found;
}
