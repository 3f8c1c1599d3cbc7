// SPDX-License-Identifier: MIT
/*
 * ftrace.c - one line of a recorded trace: what kind of line is it
 *
 * How it works: remarks and banners are told by how they begin; of the rest,
 * the columns must read as an event's (ftrace_columns.c), the name is looked
 * up, and the events of pages and of slabs have their fields read
 * (ftrace_fields.c, ftrace_slab.c).
 *
 * Differs from the kernel: the latency format ("0us : name") and raw records
 * are not read.
 */
#include "ftrace_impl.h"

#include "kmemfs/base/check.h"

#include <string.h>

static const struct {
	const char *name;
	size_t len;
} events[] = {
#define FTRACE_EVENT(id, name, needs) {name, sizeof(name) - 1},
#include "kmemfs/machine/ftrace.def"
#undef FTRACE_EVENT
};

void
ftrace_init(struct ftrace *f)
{
	memset(f, 0, sizeof(*f));
}

const char *
ftrace_kind_name(enum ftrace_kind kind)
{
	KM_ASSERT(kind < NR_FTRACE_EVENTS);
	return kind < FTRACE_OTHER ? events[kind].name : "other";
}

static bool
ftrace_starts(const struct ftrace_text *t, const char *with)
{
	size_t len = strlen(with);

	return (size_t)(t->end - t->at) >= len && !memcmp(t->at, with, len);
}

/* "CPU:0 [LOST 123 EVENTS]", trace-cmd: "CPU:0 [123 EVENTS DROPPED]". */
static bool
ftrace_lost(struct ftrace_text t, struct ftrace_event *e)
{
	uint64_t cpu;

	if (!ftrace_starts(&t, "CPU:"))
		return false;
	t.at += strlen("CPU:");
	if (!ftrace_decimal(&t, &cpu) || !ftrace_starts(&t, " ["))
		return false;
	if (!memmem(t.at, (size_t)(t.end - t.at), "EVENTS", 6))
		return false;
	while (t.at < t.end && !ftrace_is_digit(*t.at))
		t.at++;
	if (!ftrace_decimal(&t, &e->lost) || !e->lost)
		e->lost = 1;
	e->cpu = (uint32_t)cpu;
	e->kind = FTRACE_LOST;
	return true;
}

/* What trace-cmd report prints before the first event. */
static bool
ftrace_banner(const struct ftrace_text *t)
{
	if (ftrace_starts(t, "cpus=") || ftrace_starts(t, "version = ") ||
	    ftrace_starts(t, "trace-cmd: "))
		return true;
	return ftrace_starts(t, "CPU ") && t->end - t->at > 8 &&
	       !memcmp(t->end - 8, "is empty", 8);
}

/* One of the events that are known, its colon and a blank: most lines.  The
 * slab events are the last, and they begin alike. */
static enum ftrace_kind
ftrace_known(struct ftrace_text *t, struct ftrace_event *e)
{
	size_t left = (size_t)(t->end - t->at);
	unsigned int i = left && *t->at == 'k' ? FTRACE_KMALLOC : 0;

	for (; i < ARRAY_SIZE(events); i++) {
		size_t len = events[i].len;

		if (len + 1 >= left || t->at[len] != ':' ||
		    t->at[len + 1] != ' ' || memcmp(t->at, events[i].name, len))
			continue;
		e->name = t->at;
		e->name_len = (uint32_t)len;
		t->at += len + 1;
		return (enum ftrace_kind)i;
	}
	return FTRACE_OTHER;
}

/* Any event's name up to its colon, without "kmem:" before it. */
static enum ftrace_kind
ftrace_name(struct ftrace_text *t, struct ftrace_event *e)
{
	const char *from = t->at, *last = NULL; /* the last colon */

	for (; t->at < t->end && *t->at != ' ' && *t->at != '\t'; t->at++)
		if (*t->at == ':') {
			from = last ? last + 1 : from;
			last = t->at;
		}
	e->name = from;
	e->name_len = (uint32_t)((last ? last : t->at) - from);
	if (!last || last + 1 != t->at)
		return FTRACE_OTHER;
	for (unsigned int i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i].len == e->name_len &&
		    !memcmp(events[i].name, from, e->name_len))
			return (enum ftrace_kind)i;
	return FTRACE_OTHER;
}

/* Read the columns; false: the line is none with an event, and @e->kind says
 * what it is. */
static bool
ftrace_begin(struct ftrace *f, struct ftrace_text *t, struct ftrace_event *e)
{
	struct ftrace_text bare = *t;

	if (ftrace_columns_again(f, t, e))
		return true;
	ftrace_blanks(&bare);
	e->kind = FTRACE_HEADER;
	if (bare.at == bare.end || *bare.at == '#')
		return false;
	if (*t->at == 'C' && ftrace_lost(*t, e))
		return false;
	if (ftrace_columns(f, t, e))
		return true;
	if (!ftrace_banner(&bare))
		e->kind = FTRACE_UNPARSED;
	return false;
}

enum ftrace_kind
ftrace_parse(struct ftrace *f, const char *line, size_t len,
	     struct ftrace_event *e)
{
	struct ftrace_text t = {line, line + len};

	memset(e, 0, sizeof(*e));
	while (t.end > t.at && (t.end[-1] == '\n' || t.end[-1] == '\r'))
		t.end--;
	if (!ftrace_begin(f, &t, e))
		return e->kind;
	e->kind = ftrace_known(&t, e);
	if (e->kind == FTRACE_OTHER)
		e->kind = ftrace_name(&t, e);
	if (e->kind < FTRACE_KMALLOC && !ftrace_fields(f, t, e))
		e->kind = FTRACE_UNPARSED;
	else if (e->kind >= FTRACE_KMALLOC && e->kind < FTRACE_OTHER &&
		 !ftrace_slab(f, t, e))
		e->kind = FTRACE_UNPARSED;
	return e->kind;
}
