// SPDX-License-Identifier: MIT
/*
 * view_slab.c - picture: what the slabs of each cache hold
 *
 * How it works: a row for each cache that has slabs, the largest first.  Its
 * bar is all the cache's memory, in layers: objects in use, free ones by who
 * keeps them, what objects take beyond the size that was asked for, what is
 * left at the end of slabs.  The strip below it tells on which lists the slabs
 * are.  Only slabs that a CPU keeps are looked into; of others SLUB counts the
 * objects in use itself.
 */
#include "kmemfs/show.h"
#include "kmemfs/slab/slab.h"
#include "kmemfs/view/picture.h"

#include <inttypes.h>

#define ROWS_MOST 48
#define ROW 25
#define BAR_HEIGHT 11
#define STRIP_GAP 2
#define STRIP 4
#define NAME 210 /* width of the name's column */
#define MEMORY_RIGHT (PICTURE_MARGIN + NAME + 74)
#define SIZE_LEFT (MEMORY_RIGHT + 10)
#define SIZE 90 /* of the largest cache */
#define BAR_LEFT (SIZE_LEFT + SIZE + 16)
#define BAR 420
#define USED_RIGHT (BAR_LEFT + BAR + 78)
#define TOTAL_RIGHT (USED_RIGHT + 68)
#define SLABS_RIGHT (TOTAL_RIGHT + 62)
#define OBJECT_RIGHT (PICTURE_WIDTH - PICTURE_MARGIN)
#define SMALL 11
#define VISIBLE 2 /* pixels of what is there, however little */

enum part {
	PART_USED,
	PART_CPU,  /* free, in slabs that a CPU keeps */
	PART_FREE, /* free, in other slabs */
	PART_LOST,
	PART_PADDING,
	PART_REST,
	NR_PARTS
};

static const struct picture_key part_keys[NR_PARTS] = {
	[PART_USED] = {COLOUR_GREEN,	     "in use"		     },
	[PART_CPU] = {COLOUR_YELLOW,     "free, kept by a CPU"	  },
	[PART_FREE] = {COLOUR_SKY,	   "free"			 },
	[PART_LOST] = {COLOUR_BLACK,	     "lost"			   },
	[PART_PADDING] = {COLOUR_PURPLE,	 "padding and debugging data"},
	[PART_REST] = {COLOUR_VERMILLION, "left over at a slab's end" },
};

static const struct picture_key where_keys[NR_SLAB_WHERE] = {
	[SLAB_FULL] = {COLOUR_GREEN,	     "full"	   },
	[SLAB_NODE_PARTIAL] = {COLOUR_SKY,	   "partial"	    },
	[SLAB_CPU] = {COLOUR_YELLOW,     "a CPU's"	      },
	[SLAB_CPU_PARTIAL] = {COLOUR_ORANGE,     "a CPU's partial"},
	[SLAB_FREE] = {COLOUR_MIDDLE,     "free"	    },
	[SLAB_RCU] = {COLOUR_BLACK,	    "waits for RCU"  },
	[SLAB_ISOLATED] = {COLOUR_VERMILLION, "found broken"   },
};

struct row {
	const struct kmem_cache *cache;
	uint64_t bytes;
	uint64_t part[NR_PARTS];       /* bytes */
	uint64_t where[NR_SLAB_WHERE]; /* slabs */
	uint64_t used, total;	       /* objects */
	uint64_t slabs;
};

/* --- counting
 * ------------------------------------------------------------------ */

/* Objects of @slab by what they are, PART_USED to PART_LOST; @state has room
 * for all. */
static void
count_objects(const struct slab *slab, uint8_t *state, uint64_t nr[NR_PARTS])
{
	bool frozen =
		slab->where == SLAB_CPU || slab->where == SLAB_CPU_PARTIAL;
	static const enum part parts[NR_OBJECT_STATES] = {
		[OBJECT_USED] = PART_USED,
		[OBJECT_FREE] = PART_FREE,
		[OBJECT_CPU_FREE] = PART_CPU,
		[OBJECT_LOST] = PART_LOST,
	};

	if (slab->cache->ops->id == ALLOCATOR_SLUB && !frozen) {
		nr[PART_USED] += slab->inuse;
		nr[PART_FREE] += slab->objects - slab->inuse;
		return;
	}
	slab_states(slab, state);
	for (unsigned int i = 0; i < slab->objects; i++) {
		enum part part = parts[state[i] % NR_OBJECT_STATES];

		nr[frozen && part == PART_FREE ? PART_CPU : part]++;
	}
}

static void
count_cache(const struct kmem_cache *s, uint8_t *state, struct row *row)
{
	uint64_t page = page_size(s->common->phys);
	uint64_t nr[NR_PARTS] = {0}, padding = s->size - s->object_size;

	*row = (struct row){.cache = s};
	for (const struct slab *slab = slab_next(s, NULL); slab;
	     slab = slab_next(s, slab)) {
		uint64_t bytes = page << slab->order;
		uint64_t taken = (uint64_t)slab->objects * s->size;

		count_objects(slab, state, nr);
		row->bytes += bytes;
		row->part[PART_PADDING] += slab->objects * padding;
		row->part[PART_REST] += bytes - MIN_OF(taken, bytes);
		row->where[slab->where % NR_SLAB_WHERE]++;
		row->total += slab->objects;
		row->slabs++;
	}
	row->used = nr[PART_USED];
	for (int i = PART_USED; i <= PART_LOST; i++)
		row->part[i] = nr[i] * s->object_size;
}

/* The largest first; of equal ones the oldest. */
static gint
by_bytes(gconstpointer a, gconstpointer b)
{
	const struct row *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x->cache->id < y->cache->id ? -1 : x->cache->id > y->cache->id;
}

/* All caches with slabs: a new array of struct row. */
static GArray *
list_rows(const struct slab_common *sc)
{
	GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct row));
	uint8_t *state = g_malloc(UINT16_MAX);

	for (guint i = 0; i < sc->caches->len; i++) {
		struct row row;

		count_cache(sc->caches->pdata[i], state, &row);
		if (row.slabs)
			g_array_append_val(rows, row);
	}
	g_free(state);
	g_array_sort(rows, by_bytes);
	return rows;
}

/* --- drawing
 * --------------------------------------------------------------------- */

#define SHARES_MOST 8
_Static_assert((int)NR_PARTS <= SHARES_MOST &&
		       (int)NR_SLAB_WHERE <= SHARES_MOST,
	       "room for the shares of both");

/* Shares of @width side by side, in the order of @keys. */
static void
draw_bars(struct picture *p, double y, double height, const uint64_t *count,
	  const struct picture_key *keys, unsigned int nr)
{
	unsigned int share[SHARES_MOST];
	double x = BAR_LEFT;

	picture_shares(count, nr, BAR, VISIBLE, share);
	for (unsigned int i = 0; i < nr; i++) {
		if (share[i])
			picture_rect(
				p, (struct picture_box){x, y, share[i], height},
				keys[i].colour);
		x += share[i];
	}
}

/* @name in ASCII, cut to the width of its column. */
static void
draw_name(struct picture *p, double y, const char *name)
{
	char *text = g_strdup(name);
	size_t len = strlen(text);

	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	while (len > 3 && picture_text_width(p, SMALL, text) > NAME)
		memcpy(text + --len - 3, "...", 4);
	picture_text(p, PICTURE_MARGIN, y, SMALL, ALIGN_LEFT, "%s", text);
	g_free(text);
}

static void
draw_row(struct picture *p, const struct row *row, uint64_t most, double y)
{
	double base = y + BAR_HEIGHT - 1;
	double size = picture_round((double)row->bytes * SIZE / (double)most);
	char text[PICTURE_SIZE_TEXT];

	draw_name(p, base, row->cache->name);
	picture_text(p, MEMORY_RIGHT, base, SMALL, ALIGN_RIGHT, "%s",
		     picture_bytes(text, row->bytes));
	picture_rect(p,
		     (struct picture_box){SIZE_LEFT, y, MAX_OF(size, VISIBLE),
					  BAR_HEIGHT},
		     COLOUR_BLUE);
	draw_bars(p, y, BAR_HEIGHT, row->part, part_keys, NR_PARTS);
	draw_bars(p, y + BAR_HEIGHT + STRIP_GAP, STRIP, row->where, where_keys,
		  NR_SLAB_WHERE);
	picture_text(p, USED_RIGHT, base, SMALL, ALIGN_RIGHT, "%s",
		     picture_count(text, row->used));
	picture_text(p, TOTAL_RIGHT, base, SMALL, ALIGN_RIGHT, "%s",
		     picture_count(text, row->total));
	picture_text(p, SLABS_RIGHT, base, SMALL, ALIGN_RIGHT, "%s",
		     picture_count(text, row->slabs));
	picture_text(p, OBJECT_RIGHT, base, SMALL, ALIGN_RIGHT, "%u",
		     row->cache->object_size);
}

static double
draw_heads(struct picture *p, double y)
{
	static const struct {
		double x;
		enum picture_align align;
		const char *text;
	} heads[] = {
		{PICTURE_MARGIN, ALIGN_LEFT,  "cache"	    },
		{MEMORY_RIGHT,   ALIGN_RIGHT, "memory"	    },
		{BAR_LEFT,	   ALIGN_LEFT,  "what it holds"},
		{USED_RIGHT,     ALIGN_RIGHT, "in use"	  },
		{TOTAL_RIGHT,    ALIGN_RIGHT, "objects"	    },
		{SLABS_RIGHT,    ALIGN_RIGHT, "slabs"	  },
		{OBJECT_RIGHT,   ALIGN_RIGHT, "bytes each"	},
	};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		picture_bold(p, heads[i].x, y + 12, SMALL, heads[i].align, "%s",
			     heads[i].text);
	picture_line(p, PICTURE_MARGIN, y + 18.5,
		     PICTURE_WIDTH - PICTURE_MARGIN, y + 18.5, 1, COLOUR_HAIR);
	return y + 26;
}

static void
draw_rest(struct picture *p, const GArray *rows, guint from, double y)
{
	uint64_t bytes = 0;
	char text[PICTURE_SIZE_TEXT];

	for (guint i = from; i < rows->len; i++)
		bytes += g_array_index(rows, struct row, i).bytes;
	picture_text(p, PICTURE_MARGIN, y + BAR_HEIGHT, SMALL, ALIGN_LEFT,
		     "and %u more caches with %s, not drawn", rows->len - from,
		     picture_bytes(text, bytes));
}

/* How much there is of what, in a sentence. */
static double
draw_sum(struct picture *p, const struct slab_common *sc, const GArray *rows,
	 double y)
{
	uint64_t bytes = 0, used = 0;
	char all[PICTURE_SIZE_TEXT], in_use[PICTURE_SIZE_TEXT];

	for (guint i = 0; i < rows->len; i++) {
		bytes += g_array_index(rows, struct row, i).bytes;
		used += g_array_index(rows, struct row, i).part[PART_USED];
	}
	picture_text(p, PICTURE_MARGIN, y + 12, 12, ALIGN_LEFT,
		     "%s in slabs of %u caches, %s of it in use; %u caches "
		     "have no slab",
		     picture_bytes(all, bytes), rows->len,
		     picture_bytes(in_use, used), sc->caches->len - rows->len);
	return y + 30;
}

struct picture *
picture_slab(const struct machine *m, const char *font)
{
	struct picture *p = picture_new(font);
	GArray *rows = list_rows(m->slab);
	guint nr = MIN_OF(rows->len, ROWS_MOST);
	double y = picture_title(p, m, "Slab caches, the largest first");

	y = picture_legend(p, y, "Bar, memory of all slabs:", part_keys,
			   NR_PARTS);
	y = picture_legend(p, y,
			   "Strip below, lists the slabs are on:", where_keys,
			   NR_SLAB_WHERE);
	y = draw_sum(p, m->slab, rows, y + 2);
	if (nr)
		y = draw_heads(p, y);
	for (guint i = 0; i < nr; i++, y += ROW)
		draw_row(p, &g_array_index(rows, struct row, i),
			 g_array_index(rows, struct row, 0).bytes, y);
	if (rows->len > nr)
		draw_rest(p, rows, nr, y);
	g_array_free(rows, TRUE);
	return p;
}
