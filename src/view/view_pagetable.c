// SPDX-License-Identifier: MIT
/*
 * view_pagetable.c - picture: the tables of a task, each entry a cell
 *
 * How it works: a row for each table of the user half, depth first, as deep
 * into the page as it is below the top one.  All entries of a table are cells,
 * in rows of 64 (128 where a table has 1024); what they are follows from the
 * bits that stand in RAM.  More tables than fit are counted.
 */
#include "kmemfs/view/pagetable.h"
#include "kmemfs/view/picture.h"

#include <inttypes.h>

#define ROWS_MOST 28
#define GRID_LINES 8
#define GRID_WIDTH 640.0
#define CELL_HEIGHT 5
#define ROW (GRID_LINES * CELL_HEIGHT + 12)
#define INDENT 16
#define GRID_LEFT (PICTURE_MARGIN + 262)
#define COUNT_LEFT (GRID_LEFT + GRID_WIDTH + 18)
#define SMALL 11

enum cell {
	CELL_NONE,
	CELL_TABLE,
	CELL_WRITABLE,
	CELL_READ,
	CELL_EXEC,
	CELL_ZERO,
	CELL_LARGE,
	CELL_BAD,
	CELL_KERNEL,
	NR_CELLS
};

static const struct picture_key cell_keys[NR_CELLS] = {
	[CELL_NONE] = {COLOUR_LIGHT,	     "not present"		  },
	[CELL_TABLE] = {COLOUR_BLUE,	     "a table"		      },
	[CELL_WRITABLE] = {COLOUR_GREEN,	 "page, writable"	 },
	[CELL_READ] = {COLOUR_SKY,	   "page, read only"	    },
	[CELL_EXEC] = {COLOUR_ORANGE,     "page, read and execute"},
	[CELL_ZERO] = {COLOUR_YELLOW,     "the zero page"	     },
	[CELL_LARGE] = {COLOUR_PURPLE,     "large page"		   },
	[CELL_BAD] = {COLOUR_VERMILLION, "leads nowhere"		},
	[CELL_KERNEL] = {COLOUR_MIDDLE,	"kernel half"	     },
};

struct drawing {
	struct picture *p;
	const struct machine *m;
	struct pagetable pt;
	double y;
	unsigned int rows;
	uint64_t leaves; /* of tables that were drawn */
};

static enum cell
cell_of(const struct drawing *d, const struct slot *s)
{
	const struct mmu_regs *regs = &d->pt.regs;
	bool leaf = s->kind == SLOT_LEAF;
	pa_t pa;

	if (s->kind == SLOT_NONE)
		return CELL_NONE;
	pa = mmu_entry_pa(regs, s->level, s->entry);
	if ((s->entry & mmu_reserved(regs, s->level, leaf)) ||
	    !machine_is_ram(d->m, pa, 1))
		return CELL_BAD;
	if (!leaf)
		return CELL_TABLE;
	if (s->level)
		return CELL_LARGE;
	if (pa >> VM_PAGE_SHIFT == d->pt.vm->zero_page)
		return CELL_ZERO;
	if (s->in_all & PTE_RW)
		return CELL_WRITABLE;
	return regs->nxe && (s->in_any & mmu_format(regs)->no_exec) ? CELL_READ
								    : CELL_EXEC;
}

/* Entries of a table that are alike and stand side by side. */
static void
draw_run(const struct drawing *d, unsigned int first, unsigned int end,
	 unsigned int per_line, enum cell cell)
{
	double width = GRID_WIDTH / per_line;
	struct picture_box box = {
		GRID_LEFT + (first % per_line) * width,
		d->y + (double)(first / per_line) * CELL_HEIGHT,
		(end - first) * width,
		CELL_HEIGHT - 1,
	};

	picture_rect(d->p, box, cell_keys[cell].colour);
}

/* The cells of the table at @path; how many there are of each. */
static void
draw_cells(const struct drawing *d, uint64_t path, unsigned int level,
	   unsigned int count[NR_CELLS])
{
	unsigned int entries = d->pt.vm->shape.entries[level];
	unsigned int per_line = MAX_OF(entries / GRID_LINES, 1), first = 0;
	bool top = level == d->pt.vm->shape.top;
	va_t users = d->pt.vm->layout.task_size;
	enum cell before = NR_CELLS;

	for (unsigned int i = 0; i <= entries; i++) {
		enum cell cell = NR_CELLS;
		struct slot s;

		if (i < entries && top &&
		    (va_t)i << d->pt.vm->shape.shift[level] >= users) {
			cell = CELL_KERNEL;
		} else if (i < entries) {
			pagetable_slot(&d->pt,
				       pagetable_below(d->pt.vm, path, i), &s);
			cell = cell_of(d, &s);
		}
		if (i < entries)
			count[cell]++;
		if (i && (cell != before || i % per_line == 0)) {
			draw_run(d, first, i, per_line, before);
			first = i;
		}
		before = cell;
	}
}

static void
draw_labels(const struct drawing *d, const struct slot *s, unsigned int level,
	    const unsigned int count[NR_CELLS])
{
	static const char *const names[MMU_LEVELS_MAX] = {
		"PT", "PD", "PDPT", "PML4", "PML5",
	};
	const struct vm_shape *shape = &d->pt.vm->shape;
	double x = PICTURE_MARGIN + (shape->top - level) * INDENT;
	unsigned int leaves = 0;
	pa_t at = s ? mmu_entry_pa(&d->pt.regs, s->level, s->entry)
		    : d->pt.regs.cr3;

	picture_bold(d->p, x, d->y + 11, SMALL, ALIGN_LEFT, "%s at 0x%" PRIx64,
		     names[level], at);
	if (s)
		picture_text(d->p, x, d->y + 26, SMALL, ALIGN_LEFT,
			     "from 0x%" PRIx64, s->va);
	else
		picture_text(d->p, x, d->y + 26, SMALL, ALIGN_LEFT,
			     "CR3 points here");
	for (int c = CELL_WRITABLE; c <= CELL_LARGE; c++)
		leaves += count[c];
	if (count[CELL_TABLE])
		picture_text(d->p, COUNT_LEFT, d->y + 11, SMALL, ALIGN_LEFT,
			     "%u table%s", count[CELL_TABLE],
			     count[CELL_TABLE] == 1 ? "" : "s");
	if (leaves)
		picture_text(d->p, COUNT_LEFT, d->y + 26, SMALL, ALIGN_LEFT,
			     "%u page%s, %u writable", leaves,
			     leaves == 1 ? "" : "s", count[CELL_WRITABLE]);
}

/* The table at @path and those below it; @s: the entry that points to it. */
static void
draw_table(struct drawing *d, uint64_t path, const struct slot *s)
{
	const struct vm *vm = d->pt.vm;
	unsigned int level = s ? s->level - 1 : vm->shape.top, from = 0;
	unsigned int count[NR_CELLS] = {0};
	uint64_t below;

	if (d->rows == ROWS_MOST)
		return;
	d->rows++;
	draw_cells(d, path, level, count);
	draw_labels(d, s, level, count);
	for (int c = CELL_WRITABLE; c <= CELL_LARGE; c++)
		d->leaves += count[c];
	d->y += ROW;
	while (d->rows < ROWS_MOST &&
	       (below = pagetable_next(&d->pt, path, SLOT_TABLE, from))) {
		struct slot next;

		pagetable_slot(&d->pt, below, &next);
		if (cell_of(d, &next) == CELL_TABLE)
			draw_table(d, below, &next);
		from = pagetable_index(vm, below) + 1;
	}
}

static void
draw_sum(struct drawing *d, const struct mm *mm)
{
	uint64_t more = mm->tables > d->rows ? mm->tables - d->rows : 0;
	char text[PICTURE_SIZE_TEXT];

	if (d->rows == ROWS_MOST)
		picture_text(d->p, PICTURE_MARGIN, d->y + 12, 12, ALIGN_LEFT,
			     "and %" PRIu64 " more tables, not drawn", more);
	else
		picture_text(
			d->p, PICTURE_MARGIN, d->y + 12, 12, ALIGN_LEFT,
			"%u tables take %s; %" PRIu64 " present leaves in them",
			d->rows,
			picture_bytes(text, (uint64_t)d->rows << VM_PAGE_SHIFT),
			d->leaves);
	if (more && d->rows < ROWS_MOST)
		picture_text(d->p, PICTURE_MARGIN, d->y + 30, 12, ALIGN_LEFT,
			     "and %" PRIu64 " that no entry points to yet, "
			     "kept for when a large page is split",
			     more);
}

struct picture *
picture_pagetable(const struct machine *m, const struct task *t,
		  const char *font)
{
	struct picture *p = picture_new(font);
	struct drawing d = {.p = p, .m = m};
	char title[TASK_NAME_MAX + 48];

	g_snprintf(title, sizeof(title), "Page table of task %d, %s", t->pid,
		   t->name ? t->name : t->comm);
	d.y = picture_title(p, m, title);
	d.y = picture_legend(p, d.y, "An entry of a table:", cell_keys,
			     NR_CELLS);
	if (!pagetable_of(m->vm, t, &d.pt)) {
		picture_text(p, PICTURE_MARGIN, d.y + 14, 12, ALIGN_LEFT,
			     "It has no tables.");
		return p;
	}
	d.y += 10;
	draw_table(&d, 0, NULL);
	draw_sum(&d, t->mm);
	return p;
}
