// SPDX-License-Identifier: MIT
/*
 * ops_trace.c - the switches of event tracing
 *
 * What it models: the control files of tracefs (kernel/trace/trace.c).
 *
 * Always true: none of these changes what the model does next, so none is
 * journaled and the digest knows nothing of them.
 */
#include "kmemfs/ops.h"

#include <errno.h>
#include <string.h>

#define BUFFER_KB_MAX (1 << 18)

/* The events that @word names: system:event, system, all, as set_event. */
static uint32_t
trace_mask(const char *word)
{
	const char *colon = strchr(word, ':');
	uint32_t mask = 0;
	unsigned int i;

	for (i = 0; i < NR_TRACE_EVENTS; i++) {
		const char *system = trace_system(i);
		size_t len = strlen(system);
		bool hit;

		if (colon)
			hit = (size_t)(colon - word) == len &&
			      !memcmp(word, system, len) &&
			      !strcmp(colon + 1, trace_name(i));
		else
			hit = !strcmp(word, "all") || !strcmp(word, system) ||
			      !strcmp(word, trace_name(i));
		mask |= (uint32_t)hit << i;
	}
	return mask;
}

int
op_trace_enable(struct op *op, struct args_trace_enable *a)
{
	uint32_t mask = trace_mask(a->event);

	if (!mask)
		return op_refuse(op, ARG_TRACE_ENABLE_EVENT, ENOENT,
				 "%s: no such event or system", a->event);
	if (a->on)
		op->m->trace.enabled |= mask;
	else
		op->m->trace.enabled &= ~mask;
	return 0;
}

int
op_trace_tracing_on(struct op *op, struct args_trace_tracing_on *a)
{
	op->m->trace.on = a->on;
	return 0;
}

int
op_trace_buffer_size_kb(struct op *op, struct args_trace_buffer_size_kb *a)
{
	uint64_t records;

	if (a->kb < 1 || a->kb > BUFFER_KB_MAX)
		return op_refuse(op, ARG_TRACE_BUFFER_SIZE_KB_KB, EINVAL,
				 "%llu: from 1 to %d",
				 (unsigned long long)a->kb, BUFFER_KB_MAX);
	records = a->kb * 1024 / sizeof(struct trace_record);
	trace_resize(&op->m->trace, records);
	return 0;
}

int
op_trace_clear(struct op *op, struct args_trace_clear *a)
{
	(void)a;
	trace_clear(&op->m->trace);
	return 0;
}
