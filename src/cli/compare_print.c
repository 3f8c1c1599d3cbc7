// SPDX-License-Identifier: MIT
/*
 * compare_print.c - end states as text, a column or a line for each
 *
 * How it works: single numbers stand in a column for each side, and are left
 * out where all are 0; what has a number for each order stands in a line for
 * each side, below a line of orders.
 */
#include "compare_impl.h"

#include <stdio.h>
#include <string.h>

#define KEY_WIDTH 40
#define COLUMN_WIDTH 12
#define NAME_WIDTH 20
#define ORDER_WIDTH 7

struct table {
	const struct side *sides;
	unsigned int nr;
	struct out *out;
};

static char
side_letter(unsigned int n)
{
	return (char)('A' + n);
}

static void
print_heads(const struct table *t)
{
	for (unsigned int i = 0; i < t->nr; i++)
		out_printf(t->out, "%c: %s\n", side_letter(i),
			   t->sides[i].title);
	out_printf(t->out, "\n%-*s", KEY_WIDTH, "");
	for (unsigned int i = 0; i < t->nr; i++)
		out_printf(t->out, "%*c", COLUMN_WIDTH, side_letter(i));
	out_char(t->out, '\n');
}

/* A row of numbers; -1: the side has no such thing. */
static void
print_row(const struct table *t, const char *key, const int64_t *values)
{
	bool any = false;

	for (unsigned int i = 0; i < t->nr; i++)
		any |= values[i] > 0;
	if (!any)
		return;
	out_printf(t->out, "  %-*s", KEY_WIDTH - 2, key);
	for (unsigned int i = 0; i < t->nr; i++) {
		if (values[i] < 0)
			out_printf(t->out, "%*s", COLUMN_WIDTH, "-");
		else
			out_printf(t->out, "%*lld", COLUMN_WIDTH,
				   (long long)values[i]);
	}
	out_char(t->out, '\n');
}

/* The number at offset @at of @record; -1 where there is none. */
static int64_t
number_at(const void *record, size_t at)
{
	const char *bytes = record;
	uint64_t number;

	if (!record)
		return -1;
	memcpy(&number, bytes + at, sizeof(number));
	return (int64_t)number;
}

/* --- the work ----------------------------------------------------------- */

static void
print_pairs(const struct table *t, const char *what, size_t at)
{
	for (int to = 0; to < MIGRATE_TYPES; to++) {
		for (int from = 0; from < MIGRATE_TYPES; from++) {
			int64_t values[COMPARE_MOST];
			char key[64];

			for (unsigned int i = 0; i < t->nr; i++)
				values[i] = number_at(
					&t->sides[i].work,
					at + sizeof(uint64_t) *
							(size_t)(to * MIGRATE_TYPES +
								 from));
			snprintf(key, sizeof(key), "%s %s<-%s", what,
				 migratetype_name((enum migratetype)to),
				 migratetype_name((enum migratetype)from));
			print_row(t, key, values);
		}
	}
}

static void
print_work(const struct table *t)
{
	int64_t values[4][COMPARE_MOST] = {0};
	static const char *const keys[] = {
		"allocated_blocks", "direct_reclaim_called_for", "fallbacks",
		"fallbacks_that_fragment"};

	out_str(t->out, "work\n");
	for (unsigned int i = 0; i < t->nr; i++) {
		const struct work *work = &t->sides[i].work;

		values[0][i] = (int64_t)work->allocated;
		values[1][i] = (int64_t)work->stalls;
		for (int to = 0; to < MIGRATE_TYPES; to++)
			for (int from = 0; from < MIGRATE_TYPES; from++)
				values[2][i] +=
					(int64_t)work->fallbacks[to][from];
		values[3][i] = (int64_t)work->fragmenting;
	}
	print_row(t, keys[0], values[0]);
	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		int64_t failed[COMPARE_MOST];
		char key[32];

		for (unsigned int i = 0; i < t->nr; i++)
			failed[i] = (int64_t)t->sides[i].work.failed[order];
		snprintf(key, sizeof(key), "failed order %u", order);
		print_row(t, key, failed);
	}
	for (size_t row = 1; row < ARRAY_SIZE(keys); row++)
		print_row(t, keys[row], values[row]);
	print_pairs(t, "fallbacks", offsetof(struct work, fallbacks));
	print_pairs(t, "pageblocks_stolen", offsetof(struct work, retagged));
}

/* --- zones -------------------------------------------------------------- */

static const struct {
	const char *key;
	size_t at;
} zone_rows[] = {
#define ROW(key, field)                                                        \
	{                                                                      \
		key, offsetof(struct zone_state, field)                        \
	}
	ROW("managed_pages", managed),
	ROW("free_pages", free),
	ROW("pcp_pages", pcp),
	ROW("watermark_min", min),
	ROW("watermark_low", low),
	ROW("watermark_high", high),
	ROW("watermark_boost", boost),
	ROW("lowest_free_pages", lowest),
	ROW("fell_below_low", below_low),
	ROW("fell_below_min", below_min),
#undef ROW
};

static void
print_zone_rows(const struct table *t, const struct zone_state *const *zones)
{
	int64_t values[COMPARE_MOST];

	for (size_t row = 0; row < ARRAY_SIZE(zone_rows); row++) {
		for (unsigned int i = 0; i < t->nr; i++)
			values[i] = number_at(zones[i], zone_rows[row].at);
		print_row(t, zone_rows[row].key, values);
	}
	for (int type = 0; type < MIGRATE_TYPES; type++) {
		char key[32];

		for (unsigned int i = 0; i < t->nr; i++)
			values[i] =
				zones[i] ? (int64_t)zones[i]->pageblocks[type]
					 : -1;
		snprintf(key, sizeof(key), "pageblocks %s",
			 migratetype_name((enum migratetype)type));
		print_row(t, key, values);
	}
}

/* "0.512", "-1.000" as the debug files have it. */
static void
print_thousandths(struct out *out, int value)
{
	char text[16];
	int size = value < 0 ? -value : value;

	snprintf(text, sizeof(text), "%s%d.%03d", value < 0 ? "-" : "",
		 size / 1000, size % 1000);
	out_printf(out, "%*s", ORDER_WIDTH, text);
}

enum order_row { FREE_BLOCKS, UNUSABLE, FRAGMENTATION, NR_ORDER_ROWS };

static void
print_order_line(const struct table *t, const struct zone_state *zone,
		 enum order_row row)
{
	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		switch (row) {
		case FREE_BLOCKS:
			/* Apart, however many there are. */
			out_printf(t->out, " %*llu", ORDER_WIDTH - 1,
				   (unsigned long long)zone->blocks[order]);
			break;
		case UNUSABLE:
			print_thousandths(t->out, (int)zone->unusable[order]);
			break;
		default:
			print_thousandths(t->out, zone->fragmentation[order]);
			break;
		}
	}
}

static void
print_orders(const struct table *t, const struct zone_state *const *zones)
{
	static const char *const names[] = {"free_blocks", "unusable_index",
					    "fragmentation_index"};

	out_printf(t->out, "  %-*s", NAME_WIDTH + 2, "order");
	for (unsigned int order = 0; order < MAX_ORDER; order++)
		out_printf(t->out, "%*u", ORDER_WIDTH, order);
	out_char(t->out, '\n');
	for (int row = 0; row < NR_ORDER_ROWS; row++) {
		const char *name = names[row];

		for (unsigned int i = 0; i < t->nr; i++) {
			if (!zones[i])
				continue;
			out_printf(t->out, "  %-*s%c ", NAME_WIDTH, name,
				   side_letter(i));
			print_order_line(t, zones[i], (enum order_row)row);
			out_char(t->out, '\n');
			name = "";
		}
	}
}

static void
print_zone(const struct table *t, unsigned int node, enum zone_type type)
{
	const struct zone_state *zones[COMPARE_MOST];
	bool any = false;

	for (unsigned int i = 0; i < t->nr; i++) {
		zones[i] = side_zone(&t->sides[i], node, type);
		any |= zones[i] != NULL;
	}
	if (!any)
		return;
	out_printf(t->out, "\nnode %u %s\n", node, zone_type_name(type));
	print_zone_rows(t, zones);
	print_orders(t, zones);
}

void
compare_print(const struct side *sides, unsigned int nr, struct out *out)
{
	struct table t = {sides, nr, out};
	unsigned int nodes = 0;

	for (unsigned int i = 0; i < nr; i++) {
		for (unsigned int z = 0; z < sides[i].nr_zones; z++)
			nodes = MAX_OF(nodes, sides[i].zones[z].node + 1);
	}
	print_heads(&t);
	print_work(&t);
	for (unsigned int node = 0; node < nodes; node++) {
		for (int type = 0; type < MAX_NR_ZONES; type++)
			print_zone(&t, node, (enum zone_type)type);
	}
}
