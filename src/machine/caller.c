// SPDX-License-Identifier: MIT
/*
 * caller.c - the code that asks for memory: where it runs
 *
 * What it models: the preemption count that trace records carry, and
 * might_sleep() of kernel/sched/core.c as might_alloc() calls it.
 */
#include "caller_impl.h"

void
caller_stamp(struct machine *m, uint64_t cpu, uint64_t context)
{
	static const uint8_t flags[NR_CONTEXTS] = {
		[CONTEXT_SOFTIRQ] = TRACE_SOFTIRQ,
		[CONTEXT_IRQ] = TRACE_IRQS_OFF | TRACE_HARDIRQ,
	};

	m->trace.now.cpu = (uint16_t)cpu;
	m->trace.now.context = flags[context];
	m->trace.now.preempt =
		context == CONTEXT_ATOMIC || context == CONTEXT_SPINLOCK;
}

void
caller_report_sleep(struct machine *m, uint64_t gfp, uint64_t context)
{
	bool irqs_off = context == CONTEXT_IRQ;
	unsigned int count = context == CONTEXT_IRQ	  ? 0x10000
			     : context == CONTEXT_SOFTIRQ ? 0x100
							  : 1;

	if (context == CONTEXT_PROCESS || !(gfp & __GFP_DIRECT_RECLAIM))
		return;
	machine_printk(m, "BUG: sleeping function called from invalid context "
			  "at include/linux/sched/mm.h:274");
	machine_printk(m,
		       "in_atomic(): 1, irqs_disabled(): %d, non_block: 0, "
		       "pid: 1, name: init",
		       irqs_off);
	machine_printk(m, "preempt_count: %x, expected: 0", count);
}
