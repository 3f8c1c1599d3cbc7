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

#define BUFFER_KB_MAX (1 << 18)

int
op_trace_enable(struct op *op, struct args_trace_enable *a)
{
	uint32_t mask = trace_events(a->event);

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
