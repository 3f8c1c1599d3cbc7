// SPDX-License-Identifier: MIT
/*
 * trace.c - the ring of events
 *
 * What it models: the ring buffer behind tracefs (kernel/trace/ring_buffer.c)
 * in overwrite mode.
 *
 * How it works: record number n lies in slot n modulo the capacity.  Numbers
 * only grow; "overwritten", "cleared" and "consumed" are nothing but lower
 * bounds of what may still be shown.
 *
 * Always true: cleared <= written, consumed <= written, lost_told <= lost.
 *
 * Differs from the kernel: one ring for all CPUs, so that records are in the
 * order in which they happened even where their time stamps are equal.
 */
#include "kmemfs/base/trace.h"

#include "kmemfs/base/check.h"

#include <glib.h>
#include <string.h>

#define CAPACITY_MIN 16

static const struct {
	const char *system;
	const char *name;
} events[] = {
#define EVENT(id, system, name) {system, name},
#include "kmemfs/base/trace.def"
#undef EVENT
};

_Static_assert(ARRAY_SIZE(events) == NR_TRACE_EVENTS, "one row an event");
_Static_assert(NR_TRACE_EVENTS <= 32, "a bit an event in struct trace");

static uint64_t
trace_round(uint64_t capacity)
{
	uint64_t to = CAPACITY_MIN;

	while (to < capacity)
		to *= 2;
	return to;
}

void
trace_init(struct trace *t, uint64_t capacity)
{
	*t = (struct trace){.on = true, .capacity = trace_round(capacity)};
}

void
trace_fini(struct trace *t)
{
	g_free(t->ring);
	*t = (struct trace){.capacity = CAPACITY_MIN};
}

void
trace_resize(struct trace *t, uint64_t capacity)
{
	struct trace_record *ring;
	uint64_t n, from = trace_oldest(t);

	capacity = trace_round(capacity);
	if (t->ring) {
		if (t->written - from > capacity) {
			t->lost += t->written - from - capacity;
			from = t->written - capacity;
		}
		ring = g_new(struct trace_record, capacity);
		for (n = from; n < t->written; n++)
			ring[n & (capacity - 1)] = *trace_get(t, n);
		g_free(t->ring);
		t->ring = ring;
		t->cleared = from;
	}
	t->capacity = capacity;
}

void
trace_emit(struct trace *t, enum trace_event event, const uint64_t *arg,
	   size_t nr)
{
	struct trace_record *record;

	KM_ASSERT(nr <= TRACE_ARGS_MAX && event < NR_TRACE_EVENTS);
	if ((t->counted >> event) & 1) {
		t->count[event]++;
		if (t->watch)
			t->watch(t->watch_user, event, arg);
	}
	if (!t->on || !((t->enabled >> event) & 1))
		return;
	if (!t->ring)
		t->ring = g_new(struct trace_record, t->capacity);
	if (t->written - trace_oldest(t) == t->capacity)
		t->lost++;
	record = &t->ring[t->written & (t->capacity - 1)];
	record->now = t->now;
	record->event = event;
	memcpy(record->arg, arg, nr * sizeof(*arg));
	memset(record->arg + nr, 0, (TRACE_ARGS_MAX - nr) * sizeof(*arg));
	t->written++;
}

uint64_t
trace_oldest(const struct trace *t)
{
	uint64_t oldest = MAX_OF(t->cleared, t->consumed);

	if (t->written > t->capacity && t->written - t->capacity > oldest)
		oldest = t->written - t->capacity;
	return oldest;
}

void
trace_consume(struct trace *t)
{
	uint64_t oldest = trace_oldest(t);

	KM_ASSERT(oldest < t->written);
	t->consumed = oldest + 1;
}

const struct trace_record *
trace_get(const struct trace *t, uint64_t n)
{
	KM_ASSERT(n < t->written && t->written - n <= t->capacity);
	return &t->ring[n & (t->capacity - 1)];
}

void
trace_clear(struct trace *t)
{
	t->cleared = t->written;
	t->lost = 0;
	t->lost_told = 0;
}

enum trace_event
trace_find(const char *system, const char *name)
{
	unsigned int i;

	for (i = 0; i < NR_TRACE_EVENTS; i++)
		if (!strcmp(events[i].system, system) &&
		    !strcmp(events[i].name, name))
			break;
	return i;
}

uint32_t
trace_events(const char *word)
{
	const char *colon = strchr(word, ':');
	uint32_t mask = 0;

	for (unsigned int i = 0; i < NR_TRACE_EVENTS; i++) {
		const char *system = events[i].system;
		size_t len = strlen(system);
		bool hit;

		if (colon)
			hit = (size_t)(colon - word) == len &&
			      !memcmp(word, system, len) &&
			      (!strcmp(colon + 1, "*") ||
			       !strcmp(colon + 1, events[i].name));
		else
			hit = !strcmp(word, "all") || !strcmp(word, system) ||
			      !strcmp(word, events[i].name);
		mask |= (uint32_t)hit << i;
	}
	return mask;
}

const char *
trace_system(enum trace_event event)
{
	KM_ASSERT(event < NR_TRACE_EVENTS);
	return events[event].system;
}

const char *
trace_name(enum trace_event event)
{
	KM_ASSERT(event < NR_TRACE_EVENTS);
	return events[event].name;
}
