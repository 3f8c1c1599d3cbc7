// SPDX-License-Identifier: MIT
/*
 * ops_clock.c - modelled time passes
 *
 * Always true: time advanced in two steps is time advanced once by their sum,
 * which is why the journal may take runs of this op together.
 */
#include "kmemfs/ops.h"

#include <errno.h>

/* 292 years after boot: what fits a signed number of nanoseconds, so that
 * every tool that reads time stamps can hold them. */
#define TIME_END ((uint64_t)INT64_MAX)

int
op_clock_advance(struct op *op, struct args_clock_advance *a)
{
	struct machine *m = op->m;

	if (!a->by)
		return op_refuse(op, ARG_CLOCK_ADVANCE_BY, EINVAL,
				 "time moves on by at least 1ns");
	if (a->by > TIME_END - MIN_OF(m->now_ns, TIME_END))
		return op_refuse(op, ARG_CLOCK_ADVANCE_BY, EINVAL,
				 "time would pass the end of a 64-bit clock");
	m->now_ns += a->by;
	if (op->answer) {
		out_str(op->answer, "now_ns=");
		out_u64(op->answer, m->now_ns);
	}
	return 0;
}
