// SPDX-License-Identifier: MIT
/*
 * config_free.c - [free], [pcp], [pageblocks]: a machine that has been running
 *
 * How it works:   one key for each migrate type, or for [pcp] each CPU, whose
 *                 value lists frames: a number, or first-last.  The group being
 *                 there is what counts: with none of its keys, nothing is free.
 * Always true:    no frame is in two ranges of a group, or of [free] and [pcp].
 */
#include "config_impl.h"

#include "kmemfs/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_END (1ULL << 40)

struct frames_key {
	const char *key;
	enum migratetype type;
	bool block; /* [pageblocks] has it too: it is not implied */
};

/* Blocks that are isolated are nobody's, and not free for long. */
static const struct frames_key frames_keys[] = {
	{"unmovable",   MIGRATE_UNMOVABLE,	 true },
	{"movable",	    MIGRATE_MOVABLE,     false},
	{"reclaimable", MIGRATE_RECLAIMABLE, true },
	{"highatomic",  MIGRATE_HIGHATOMIC,  true },
	{"cma",		MIGRATE_CMA,	     false},
};

static bool
in_group(const struct frames_key *k, const char *group)
{
	return !strcmp(group, CONFIG_FREE) || k->block;
}

/* The CPU that @key is the number of. */
static bool
cpu_of(const char *key, unsigned int *cpu)
{
	size_t digits = strspn(key, "0123456789");

	if (!digits || digits > 5 || key[digits] || (*key == '0' && digits > 1))
		return false;
	*cpu = (unsigned int)strtoul(key, NULL, 10);
	return true;
}

bool
config_frames_key(const char *group, const char *key)
{
	unsigned int cpu;

	if (!strcmp(group, CONFIG_PCP))
		return !key || cpu_of(key, &cpu);
	if (strcmp(group, CONFIG_FREE) && strcmp(group, CONFIG_PAGEBLOCKS))
		return false;
	for (size_t i = 0; key && i < ARRAY_SIZE(frames_keys); i++) {
		if (!strcmp(frames_keys[i].key, key))
			return in_group(&frames_keys[i], group);
	}
	return !key;
}

/* A decimal number at *@at, moved past it and blanks. */
static bool
read_frame(const char **at, uint64_t *frame)
{
	const char *c = *at;
	uint64_t v = 0;

	if (!isdigit((unsigned char)*c))
		return false;
	for (; isdigit((unsigned char)*c) && v < FRAME_END; c++)
		v = v * 10 + (uint64_t)(*c - '0');
	*at = c + strspn(c, " \t");
	*frame = v;
	return v < FRAME_END;
}

static bool
fail_at(struct config_reader *r, const struct config_entry *e, const char *at)
{
	return config_fail(r, e->line, e->key,
			   "'%.*s' is not a frame's number or first-last",
			   (int)MIN_OF(strcspn(at, ";"), 40), at);
}

/* "1; 5-9": appended to @to.  There may be millions, so nothing is copied. */
static bool
read_frames(struct config_reader *r, const struct config_entry *e,
	    struct typed_frames range, GArray *to)
{
	const char *at = e->value;

	while (*at) {
		const char *item;
		uint64_t last;

		at += strspn(at, " \t");
		item = at;
		if (!read_frame(&at, &range.start))
			return fail_at(r, e, item);
		last = range.start;
		if (*at == '-') {
			at++;
			at += strspn(at, " \t");
			if (!read_frame(&at, &last))
				return fail_at(r, e, item);
		}
		if ((*at && *at != ';') || last < range.start ||
		    (*at == ';' && !at[1]))
			return fail_at(r, e, item);
		at += *at == ';';
		range.end = last + 1;
		g_array_append_val(to, range);
	}
	return true;
}

static const char *
key_of(enum migratetype type)
{
	if (type == MIGRATE_TYPES)
		return CONFIG_PCP;
	for (size_t i = 0; i < ARRAY_SIZE(frames_keys); i++) {
		if (frames_keys[i].type == type)
			return frames_keys[i].key;
	}
	return NULL;
}

static bool
check_disjoint(struct config_reader *r, const struct config_entry *group,
	       const GArray *ranges, const GArray *others)
{
	GArray *sorted = typed_frames_sorted(ranges, others);
	bool good = true;

	for (guint i = 1; good && i < sorted->len; i++) {
		const struct typed_frames *a =
			&g_array_index(sorted, struct typed_frames, i - 1);
		const struct typed_frames *b = a + 1;

		if (a->end > b->start)
			good = config_fail(r, group->line, group->group,
					   "frame %llu stands twice (%s, %s)",
					   (unsigned long long)b->start,
					   key_of(a->type), key_of(b->type));
	}
	g_array_free(sorted, TRUE);
	return good;
}

static bool
read_group(struct config_reader *r, const char *group, GArray **to)
{
	const struct config_entry *line = config_entry_find(r, group, NULL);
	bool good = true;

	if (!line)
		return true;
	*to = g_array_new(FALSE, FALSE, sizeof(struct typed_frames));
	for (size_t i = 0; good && i < ARRAY_SIZE(frames_keys); i++) {
		const struct config_entry *e =
			config_entry_find(r, group, frames_keys[i].key);

		good = !e || read_frames(r, e,
					 (struct typed_frames){
						 .type = frames_keys[i].type},
					 *to);
	}
	return good && check_disjoint(r, line, *to, NULL);
}

/* [pcp]: its types are those of the pageblocks, which are not known yet. */
static bool
read_pcp(struct config_reader *r)
{
	struct phys_config *phys = &r->config->phys;
	const struct config_entry *line =
		config_entry_find(r, CONFIG_PCP, NULL);
	bool good = true;

	if (!line)
		return true;
	if (!phys->free_frames)
		return config_fail(r, line->line, line->group,
				   "per-cpu lists without a group [free]");
	phys->pcp_frames =
		g_array_new(FALSE, FALSE, sizeof(struct typed_frames));
	for (guint i = 0; good && i < r->entries->len; i++) {
		const struct config_entry *e = g_ptr_array_index(r->entries, i);
		struct typed_frames range = {.type = MIGRATE_TYPES};

		if (strcmp(e->group, CONFIG_PCP) || !e->key)
			continue;
		good = cpu_of(e->key, &range.cpu) && range.cpu < phys->nr_cpus
			       ? read_frames(r, e, range, phys->pcp_frames)
			       : config_fail(r, e->line, e->key,
					     "the machine has CPUs 0 to %u",
					     phys->nr_cpus - 1);
	}
	return good &&
	       check_disjoint(r, line, phys->pcp_frames, phys->free_frames);
}

bool
config_read_free(struct config_reader *r)
{
	struct phys_config *phys = &r->config->phys;

	return read_group(r, CONFIG_FREE, &phys->free_frames) && read_pcp(r) &&
	       read_group(r, CONFIG_PAGEBLOCKS, &phys->pageblocks);
}

static void
print_key(const char *key, enum migratetype type, unsigned int cpu,
	  const GArray *ranges, struct out *out)
{
	const char *before = " = ";

	for (guint i = 0; i < ranges->len; i++) {
		const struct typed_frames *range =
			&g_array_index(ranges, struct typed_frames, i);

		if (range->type != type || range->cpu != cpu)
			continue;
		if (*before == ' ')
			out_str(out, key);
		out_str(out, before);
		out_u64(out, range->start);
		if (range->end > range->start + 1) {
			out_char(out, '-');
			out_u64(out, range->end - 1);
		}
		before = "; ";
	}
	if (*before == ';')
		out_char(out, '\n');
}

void
config_print_free(const struct phys_config *phys, struct out *out)
{
	const struct {
		const char *group;
		const GArray *ranges;
	} groups[] = {
		{CONFIG_FREE,	      phys->free_frames},
		{CONFIG_PAGEBLOCKS, phys->pageblocks },
	};

	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		if (!groups[g].ranges)
			continue;
		out_printf(out, "\n[%s]\n", groups[g].group);
		for (size_t i = 0; i < ARRAY_SIZE(frames_keys); i++)
			print_key(frames_keys[i].key, frames_keys[i].type, 0,
				  groups[g].ranges, out);
	}
	if (!phys->pcp_frames)
		return;
	out_printf(out, "\n[%s]\n", CONFIG_PCP);
	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++) {
		char key[16];

		snprintf(key, sizeof(key), "%u", cpu);
		print_key(key, MIGRATE_TYPES, cpu, phys->pcp_frames, out);
	}
}
