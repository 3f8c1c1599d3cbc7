// SPDX-License-Identifier: MIT
/*
 * kernel_stacks.c - tasks/PID/kernel_stack, cpus/N/interrupt_stack
 */
#include "kmemfs/show.h"

#include "kmemfs/view/sums.h"

#include <inttypes.h>

/* Where it lies, and what of it was ever used. */
static void
put_stack(const struct vm *vm, va_t lowest, struct out *out)
{
	uint64_t size = vm->layout.stack_bytes;
	pa_t pa = kernel_lookup(vm, lowest);

	put_hex(out, "lowest", lowest);
	put_hex(out, "end", lowest + size);
	put_counter(out, "bytes", size);
	put_text(out, "kind",
		 kernel_area_at(vm->kernel, lowest) ? "area" : "direct map");
	if (pa != UINT64_MAX)
		put_counter(out, "pfn", pa >> VM_PAGE_SHIFT);
	put_counter(out, "never_used", kernel_stack_unused(vm, lowest, size));
}

/* What is hit when it runs over. */
static void
put_below(const struct vm *vm, va_t lowest, struct out *out)
{
	pa_t below = kernel_lookup(vm, lowest - 1);

	if (below == UINT64_MAX)
		put_text(out, "below", "guard page");
	else
		out_printf(out, "below pages/%" PRIu64 "\n",
			   below >> VM_PAGE_SHIFT);
}

void
show_task_kernel_stack(const struct view *v, struct out *out)
{
	const struct task *t = view_task(v);
	const struct vm *vm = v->m->vm;
	const struct kernel_local *l;

	if (!t || !t->kernel_stack) {
		out_str(out, "lowest none\n");
		return;
	}
	l = t->impl;
	put_stack(vm, t->kernel_stack, out);
	put_counter(out, "in_use", l ? l->depth : 0);
	put_text(out, "end_mark", kernel_stack_intact(t) ? "intact" : "gone");
	put_below(vm, t->kernel_stack, out);
}

static void
put_irq_stack(const struct vm *vm, unsigned int cpu, enum stack_kind kind,
	      const char *name, struct out *out)
{
	va_t lowest = kernel_irq_stack(vm, cpu, kind);

	out_printf(out, "[%s]\n", name);
	if (lowest) {
		put_stack(vm, lowest, out);
		put_below(vm, lowest, out);
	} else {
		out_printf(out, "lowest %s\n",
			   vm->kernel->config.irq_shared ? "that of the task"
							 : "not made yet");
	}
}

void
show_cpu_interrupt_stack(const struct view *v, struct out *out)
{
	const struct vm *vm = v->m->vm;
	unsigned int cpu = (unsigned int)v->key[0];

	put_irq_stack(vm, cpu, STACK_IRQ, "hardirq", out);
	put_irq_stack(vm, cpu, STACK_SOFTIRQ, "softirq", out);
}
