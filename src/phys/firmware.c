// SPDX-License-Identifier: MIT
/*
 * firmware.c - the e820 map: what the firmware says about physical addresses
 *
 * What it models: arch/x86/kernel/e820.c: e820__range_add, e820__range_remove,
 *                 e820__update_table, e820__memblock_setup, and
 *                 trim_bios_range of arch/x86/kernel/setup.c.
 * How it works:   arguments change the list as given; then all bounds are
 *                 sorted and each piece between two of them gets the strongest
 *                 type that covers it.  The cost is quadratic in a list of
 *                 tens.
 * Differs from the kernel: memmap=size%start-old+new is not known; soft
 *                 reserved memory is not.
 */
#include "kmemfs/phys/firmware.h"

#include <string.h>

/* Machine file's name, Linux's text, Linux's number: the highest wins. */
static const struct {
	const char *name;
	const char *text;
	unsigned int strength;
} firmware_types[NR_E820_TYPES] = {
	[E820_USABLE] = {"usable",   "usable",		     1 },
	[E820_RESERVED] = {"reserved", "reserved",		   2 },
	[E820_ACPI] = {"acpi",     "ACPI data",	    3 },
	[E820_NVS] = {"nvs",	     "ACPI NVS",		 4 },
	[E820_UNUSABLE] = {"unusable", "unusable",		   5 },
	[E820_PMEM] = {"pmem",     "persistent (type 12)", 12},
};

const char *
firmware_type_name(enum firmware_type type)
{
	return firmware_types[type].name;
}

const char *
firmware_type_text(enum firmware_type type)
{
	return firmware_types[type].text;
}

bool
firmware_type_find(const char *name, enum firmware_type *type)
{
	for (unsigned int i = 0; i < NR_E820_TYPES; i++) {
		if (strcmp(firmware_types[i].name, name) &&
		    strcmp(firmware_types[i].text, name))
			continue;
		*type = (enum firmware_type)i;
		return true;
	}
	return false;
}

static void
firmware_add(GArray *map, pa_t start, pa_t end, enum firmware_type type)
{
	struct firmware_range range = {
		{start, end},
		      type
	  };

	if (start < end)
		g_array_append_val(map, range);
}

/* Take [@start, @end) away from all usable ranges of @map. */
static void
firmware_remove_usable(GArray *map, pa_t start, pa_t end)
{
	for (guint i = 0; i < map->len; i++) {
		struct firmware_range *f =
			&g_array_index(map, struct firmware_range, i);
		struct range old = f->range;

		if (f->type != E820_USABLE || old.start >= end ||
		    old.end <= start)
			continue;
		f->range.end = MIN_OF(old.end, MAX_OF(old.start, start));
		if (old.end > end)
			firmware_add(map, end, old.end, E820_USABLE);
	}
	for (guint i = map->len; i-- > 0;) {
		const struct firmware_range *f =
			&g_array_index(map, struct firmware_range, i);

		if (f->range.start >= f->range.end)
			g_array_remove_index(map, i);
	}
}

static void
firmware_apply(GArray *map, const struct phys_cmdline *args)
{
	for (guint i = 0; i < args->firmware->len; i++) {
		const struct firmware_change *c = &g_array_index(
			args->firmware, struct firmware_change, i);

		switch (c->op) {
		case FIRMWARE_CUT:
			firmware_remove_usable(map, c->range.start,
					       c->range.end);
			break;
		case FIRMWARE_CLEAR:
			g_array_set_size(map, 0);
			break;
		case FIRMWARE_ADD:
			firmware_add(map, c->range.start, c->range.end,
				     c->type);
			break;
		}
	}
}

static gint
compare_bounds(gconstpointer a, gconstpointer b)
{
	const pa_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The strongest type that covers [@start, ...), a piece between two bounds;
 * NR_E820_TYPES when nothing does. */
static enum firmware_type
firmware_strongest(const GArray *map, pa_t start)
{
	enum firmware_type best = NR_E820_TYPES;

	for (guint i = 0; i < map->len; i++) {
		const struct firmware_range *f =
			&g_array_index(map, struct firmware_range, i);

		if (start < f->range.start || start >= f->range.end)
			continue;
		if (best == NR_E820_TYPES ||
		    firmware_types[f->type].strength >
			    firmware_types[best].strength)
			best = f->type;
	}
	return best;
}

/* Sorted, no overlaps, equal neighbours joined. */
static GArray *
firmware_sanitize(const GArray *map)
{
	GArray *bounds = g_array_new(FALSE, FALSE, sizeof(pa_t));
	GArray *clean =
		g_array_new(FALSE, FALSE, sizeof(struct firmware_range));

	for (guint i = 0; i < map->len; i++) {
		const struct firmware_range *f =
			&g_array_index(map, struct firmware_range, i);

		g_array_append_val(bounds, f->range.start);
		g_array_append_val(bounds, f->range.end);
	}
	g_array_sort(bounds, compare_bounds);
	for (guint i = 0; i + 1 < bounds->len; i++) {
		pa_t start = g_array_index(bounds, pa_t, i);
		pa_t end = g_array_index(bounds, pa_t, i + 1);
		enum firmware_type type = firmware_strongest(map, start);
		struct firmware_range *last = NULL;

		if (start == end || type == NR_E820_TYPES)
			continue;
		if (clean->len)
			last = &g_array_index(clean, struct firmware_range,
					      clean->len - 1);
		if (last && last->type == type && last->range.end == start)
			last->range.end = end;
		else
			firmware_add(clean, start, end, type);
	}
	g_array_free(bounds, TRUE);
	return clean;
}

GArray *
firmware_map(const GArray *given, const struct phys_cmdline *args, bool pc,
	     uint64_t page_size)
{
	GArray *map = g_array_new(FALSE, FALSE, sizeof(struct firmware_range));
	GArray *clean;

	g_array_append_vals(map, given->data, given->len);
	if (args)
		firmware_apply(map, args);
	if (pc) {
		/* The real-mode vectors, and video RAM and BIOS. */
		if (firmware_strongest(map, 0) == E820_USABLE)
			firmware_add(map, 0, page_size, E820_RESERVED);
		firmware_remove_usable(map, 0xa0000, 0x100000);
	}
	clean = firmware_sanitize(map);
	g_array_free(map, TRUE);
	return clean;
}

void
firmware_to_memblock(const GArray *map, pa_t limit, struct bootmem *boot)
{
	for (guint i = 0; i < map->len; i++) {
		const struct firmware_range *f =
			&g_array_index(map, struct firmware_range, i);

		if (f->type == E820_USABLE && f->range.start < limit)
			memblock_add(boot, f->range.start,
				     MIN_OF(f->range.end, limit), 0);
	}
	memblock_trim(boot, boot->page_size);
}

/* QEMU's pc: where low memory ends when it must, and when it must. */
#define PC_LOW_END GIB(3)
#define PC_LOW_MOST 0xe0000000ULL
#define PC_ACPI_TABLES KIB(128)
/* AMD's HyperTransport window; left out where RAM reaches it. */
#define PC_HT_START 0xfd00000000ULL
#define PC_HT_END 0x10000000000ULL

GArray *
firmware_pc(uint64_t bytes)
{
	GArray *map = g_array_new(FALSE, FALSE, sizeof(struct firmware_range));
	uint64_t low = bytes >= PC_LOW_MOST ? PC_LOW_END : bytes;
	pa_t end = bytes > low ? GIB(4) + (bytes - low) : low;

	firmware_add(map, 0x0, 0x9fc00, E820_USABLE);
	firmware_add(map, 0x9fc00, 0xa0000, E820_RESERVED);
	firmware_add(map, 0xf0000, 0x100000, E820_RESERVED);
	firmware_add(map, 0x100000, low - PC_ACPI_TABLES, E820_USABLE);
	firmware_add(map, low - PC_ACPI_TABLES, low, E820_RESERVED);
	firmware_add(map, 0xfffc0000, GIB(4), E820_RESERVED);
	if (bytes > low)
		firmware_add(map, GIB(4), end, E820_USABLE);
	if (end <= PC_HT_START)
		firmware_add(map, PC_HT_START, PC_HT_END, E820_RESERVED);
	return map;
}
