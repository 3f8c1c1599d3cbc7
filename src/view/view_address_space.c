// SPDX-License-Identifier: MIT
/*
 * view_address_space.c - picture: the areas of a task, what of them is there
 *
 * How it works: a row for each area, from low addresses up, with a line for
 * each large gap.  The bar in front is its size, on a scale of logarithms, as
 * areas of a page stand beside areas of gigabytes.  The strip is the area from
 * its first page to its last; a cell is a page, or as many as fit into 4
 * pixels, as high as the share of them that is in memory.
 */
#include "kmemfs/view/picture.h"
#include "kmemfs/vm/walk.h"

#include <inttypes.h>

#define ROWS_MOST 60
#define ROW 30
#define GAP_ROW 18
#define SMALL 11
#define CELLS 128
#define STRIP 512.0
#define STRIP_HEIGHT 16
#define NAME 200
#define SIZE_LEFT (PICTURE_MARGIN + 240)
#define SIZE 78.0
#define BYTES_RIGHT (SIZE_LEFT + (int)SIZE + 72)
#define STRIP_LEFT (BYTES_RIGHT + 14)
#define VISIBLE 2

enum page_kind {
	KIND_OWN,    /* anonymous, nobody else maps it */
	KIND_SHARED, /* anonymous, others do: copied when written */
	KIND_ZERO,
	KIND_FILE,
	KIND_DIRTY,
	KIND_HUGE,
	KIND_DEVICE,
	NR_KINDS,
	KIND_NONE = NR_KINDS
};

static const struct picture_key keys[NR_KINDS + 1] = {
	[KIND_OWN] = {COLOUR_GREEN,  "its own"			     },
	[KIND_SHARED] = {COLOUR_ORANGE, "shared until written"		      },
	[KIND_ZERO] = {COLOUR_YELLOW, "the zero page"			     },
	[KIND_FILE] = {COLOUR_SKY,	   "a file's"			     },
	[KIND_DIRTY] = {COLOUR_BLUE,   "a file's or shared memory's, written"},
	[KIND_HUGE] = {COLOUR_PURPLE, "huge"				    },
	[KIND_DEVICE] = {COLOUR_BLACK,  "a device's"			   },
	[KIND_NONE] = {COLOUR_LIGHT,  "not in memory"			    },
};

struct strip {
	const struct vm *vm;
	const struct vma *area;
	uint64_t cells;
	uint32_t count[CELLS][NR_KINDS]; /* pages */
	uint64_t sum[NR_KINDS];
};

/* --- counting ------------------------------------------------------------- */

static enum page_kind
kind_of(const struct strip *s, const struct vm_mapping *mapping)
{
	const struct vm *vm = s->vm;

	if (mapping->level)
		return KIND_HUGE;
	if (mapping->head == PFN_NONE)
		return mapping->pfn == vm->zero_page ? KIND_ZERO : KIND_DEVICE;
	if (!(vm_page_of(vm, mapping->head)->flags & VMP_ANON))
		return mapping->dirty ? KIND_DIRTY : KIND_FILE;
	return vm_mapcount(vm, mapping->pfn) > 1 ? KIND_SHARED : KIND_OWN;
}

static void
count_mapping(void *user, const struct vma *area,
	      const struct vm_mapping *mapping)
{
	struct strip *s = user;
	uint64_t page = (mapping->va - area->start) >> VM_PAGE_SHIFT;
	enum page_kind kind = kind_of(s, mapping);

	for (uint64_t i = page; i < page + mapping->pages; i++)
		s->count[i * s->cells / vma_pages(area)][kind]++;
	s->sum[kind] += mapping->pages;
}

static void
count_area(struct strip *s, const struct vm *vm, const struct vma *area)
{
	*s = (struct strip){.vm = vm,
			    .area = area,
			    .cells = MIN_OF(vma_pages(area), CELLS)};
	vm_walk(vm, area, area->start, area->end, count_mapping, s);
}

/* --- drawing -------------------------------------------------------------- */

static double
logarithm(uint64_t pages)
{
	unsigned int whole = 63U - (unsigned int)__builtin_clzll(pages | 1);

	/* Between powers of two a straight line does. */
	return 1 + whole + (double)pages / (double)(1ULL << whole) - 1;
}

static void
draw_cell(struct picture *p, const struct strip *s, uint64_t cell, double y)
{
	uint64_t first = (cell * vma_pages(s->area) + s->cells - 1) / s->cells;
	uint64_t end =
		((cell + 1) * vma_pages(s->area) + s->cells - 1) / s->cells;
	double width = STRIP / (double)s->cells, high = 0;
	double x = STRIP_LEFT + (double)cell * width;
	double bottom = y + STRIP_HEIGHT;

	for (int k = 0; k < NR_KINDS; k++) {
		if (!s->count[cell][k])
			continue;
		high = picture_round(STRIP_HEIGHT * (double)s->count[cell][k] /
				     (double)MAX_OF(end - first, 1));
		high = MIN_OF(MAX_OF(high, VISIBLE), bottom - y);
		bottom -= high;
		picture_rect(p, (struct picture_box){x, bottom, width, high},
			     keys[k].colour);
	}
}

static void
draw_strip(struct picture *p, const struct strip *s, double y)
{
	picture_rect(p,
		     (struct picture_box){STRIP_LEFT, y, STRIP, STRIP_HEIGHT},
		     keys[KIND_NONE].colour);
	for (uint64_t cell = 0; cell < s->cells; cell++)
		draw_cell(p, s, cell, y);
}

/* What the area is called, cut to its column. */
static void
draw_name(struct picture *p, const struct vma *area, double y)
{
	const char *name = vma_name(area);
	char *text = g_strdup_printf("%c%c%c%c %s",
				     area->flags & VM_READ ? 'r' : '-',
				     area->flags & VM_WRITE ? 'w' : '-',
				     area->flags & VM_EXEC ? 'x' : '-',
				     area->flags & VM_SHARED ? 's' : 'p',
				     *name ? name : "anonymous");
	size_t len = strlen(text);

	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	while (len > 8 && picture_text_width(p, SMALL, text) > NAME)
		memcpy(text + --len - 3, "...", 4);
	picture_text(p, PICTURE_MARGIN, y, SMALL, ALIGN_LEFT, "%s", text);
	g_free(text);
}

static void
draw_area(struct picture *p, const struct strip *s, uint64_t most, double y)
{
	const struct vma *area = s->area;
	double size = picture_round(SIZE * logarithm(vma_pages(area)) /
				    logarithm(most));
	char text[PICTURE_SIZE_TEXT], all[PICTURE_SIZE_TEXT];
	uint64_t there = 0;

	for (int k = 0; k < NR_KINDS; k++)
		there += s->sum[k];
	picture_bold(p, PICTURE_MARGIN, y + 9, SMALL, ALIGN_LEFT, "0x%" PRIx64,
		     area->start);
	draw_name(p, area, y + 23);
	picture_rect(p, (struct picture_box){SIZE_LEFT, y + 4, size, 9},
		     COLOUR_DARK);
	picture_text(p, BYTES_RIGHT, y + 12, SMALL, ALIGN_RIGHT, "%s",
		     picture_bytes(text, area->end - area->start));
	draw_strip(p, s, y);
	picture_text(p, PICTURE_WIDTH - PICTURE_MARGIN, y + 12, SMALL,
		     ALIGN_RIGHT, "%s of %s", picture_count(text, there),
		     picture_count(all, vma_pages(area)));
}

static double
draw_gap(struct picture *p, va_t from, va_t to, double y)
{
	char text[PICTURE_SIZE_TEXT];

	picture_line(p, PICTURE_MARGIN, y + 7.5, SIZE_LEFT - 8, y + 7.5, 1,
		     COLOUR_HAIR);
	picture_text(p, SIZE_LEFT, y + 11, 10, ALIGN_LEFT, "%s unused",
		     picture_bytes(text, to - from));
	return y + GAP_ROW;
}

static double
draw_heads(struct picture *p, double y)
{
	picture_bold(p, PICTURE_MARGIN, y + 12, SMALL, ALIGN_LEFT, "area");
	picture_bold(p, SIZE_LEFT, y + 12, SMALL, ALIGN_LEFT, "size, log");
	picture_bold(p, STRIP_LEFT, y + 12, SMALL, ALIGN_LEFT,
		     "from its first page to its last");
	picture_bold(p, PICTURE_WIDTH - PICTURE_MARGIN, y + 12, SMALL,
		     ALIGN_RIGHT, "pages there");
	picture_line(p, PICTURE_MARGIN, y + 18.5,
		     PICTURE_WIDTH - PICTURE_MARGIN, y + 18.5, 1, COLOUR_HAIR);
	return y + 26;
}

/* How much was asked for, and how much given. */
static double
draw_sum(struct picture *p, const struct mm *mm, double y)
{
	char all[PICTURE_SIZE_TEXT], there[PICTURE_SIZE_TEXT],
		tables[PICTURE_SIZE_TEXT];

	picture_text(p, PICTURE_MARGIN, y + 12, 12, ALIGN_LEFT,
		     "%s of addresses in %u areas; %s of memory for them, and "
		     "%s of page tables",
		     picture_bytes(all, mm->total_vm << VM_PAGE_SHIFT),
		     mm->areas->len,
		     picture_bytes(there, mm_rss(mm) << VM_PAGE_SHIFT),
		     picture_bytes(tables, mm->tables << VM_PAGE_SHIFT));
	return y + 28;
}

static void
draw_areas(struct picture *p, const struct vm *vm, const struct mm *mm,
	   double y)
{
	struct strip *s = g_new(struct strip, 1);
	uint64_t most = 1;
	va_t last = 0;

	for (guint i = 0; i < mm->areas->len; i++)
		most = MAX_OF(most, vma_pages(mm->areas->pdata[i]));
	for (guint i = 0; i < mm->areas->len && i < ROWS_MOST; i++) {
		const struct vma *area = mm->areas->pdata[i];

		if (i && area->start - last >= 1ULL << vm->shape.shift[1])
			y = draw_gap(p, last, area->start, y);
		count_area(s, vm, area);
		draw_area(p, s, most, y);
		y += ROW;
		last = area->end;
	}
	if (mm->areas->len > ROWS_MOST)
		picture_text(p, PICTURE_MARGIN, y + 12, SMALL, ALIGN_LEFT,
			     "and %u more areas, not drawn",
			     mm->areas->len - ROWS_MOST);
	g_free(s);
}

struct picture *
picture_address_space(const struct machine *m, const struct task *t,
		      const char *font)
{
	struct picture *p = picture_new(font);
	char title[TASK_NAME_MAX + 48];
	double y;

	g_snprintf(title, sizeof(title), "Address space of task %d, %s", t->pid,
		   t->name ? t->name : t->comm);
	y = picture_title(p, m, title);
	y = picture_legend(p, y, "Pages:", keys, ARRAY_SIZE(keys));
	if (!t->mm || !m->vm->shape.f) {
		picture_text(p, PICTURE_MARGIN, y + 14, 12, ALIGN_LEFT,
			     "It has no address space.");
		return p;
	}
	y = draw_sum(p, t->mm, y + 2);
	if (t->mm->areas->len)
		y = draw_heads(p, y);
	draw_areas(p, m->vm, t->mm, y);
	return p;
}
