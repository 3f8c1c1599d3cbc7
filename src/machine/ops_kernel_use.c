// SPDX-License-Identifier: MIT
/*
 * ops_kernel_use.c - kernel code touches memory and uses stack; what an address
 * is
 */
#include "ops_kernel_impl.h"

#include "ops_task_impl.h"

#include <errno.h>
#include <string.h>

#define STACK_MOST MIB(1)

int
op_vm_classify(struct op *op, struct args_vm_classify *a)
{
	static const char *const spaces[] = {"guess", "virtual", "physical",
					     "bus"};
	struct address_class c;
	size_t space = 0;
	va_t address;
	int err;

	while (space < ARRAY_SIZE(spaces) && strcmp(spaces[space], a->space))
		space++;
	if (space == ARRAY_SIZE(spaces))
		return op_refuse(op, ARG_VM_CLASSIFY_SPACE, EINVAL,
				 "%s: guess, virtual, physical or bus",
				 a->space);
	err = op_find_address(op, ARG_VM_CLASSIFY_ADDRESS, a->address, &address,
			      NULL);
	if (err)
		return err;
	kernel_classify(op->m->vm, op->task, address, (enum address_space)space,
			&c);
	op_answer(op, "kind=%s region=\"%s\" mapped=%s",
		  address_kind_names[c.kind], c.region,
		  c.mapped ? "yes" : "no");
	if (c.pa != UINT64_MAX)
		op_answer(op, " physical=%#llx", (unsigned long long)c.pa);
	op_answer(op, " why=\"%s\"", c.why);
	return 0;
}

/* --- touching ------------------------------------------------------------- */

/* The kernel runs on @cpu: in the tables of whom it ran last, or of PID 1. */
static int
enter_kernel(struct op *op, unsigned int cpu)
{
	struct vm *vm = op->m->vm;
	int err = vm->cpu[cpu].mm || !vm->shape.f
			  ? 0
			  : vm_switch_to(vm, cpu, task_init(vm));

	return err ? op_call_failed(op, "the first task", err) : 0;
}

int
op_vm_kernel_touch(struct op *op, struct args_vm_kernel_touch *a)
{
	struct vm_access x = {.len = a->size};
	unsigned int cpu = (unsigned int)a->cpu;
	struct vm_access_result r;
	int err = op_read_access(op, ARG_VM_KERNEL_TOUCH_ACCESS, a->access,
				 &x.access);

	if (!err)
		err = op_find_address(op, ARG_VM_KERNEL_TOUCH_ADDRESS,
				      a->address, &x.va, NULL);
	if (!err)
		err = op_check_cpu(op, ARG_VM_KERNEL_TOUCH_CPU, a->cpu);
	if (!err)
		err = enter_kernel(op, cpu);
	if (err)
		return err;
	err = vm_access(op->m->vm, cpu, &x, &r);
	if (err == -EFAULT)
		return op_fail(op, EFAULT,
			       "the kernel may not touch %#llx: see dmesg",
			       (unsigned long long)(x.va + r.done));
	if (err)
		return op_call_failed(op, "access", err);
	op_answer(op,
		  "bytes=%llu physical=%#llx l1=%u l2=%u walks=%u faults=%u",
		  (unsigned long long)r.done, (unsigned long long)r.pa,
		  r.l1_hits, r.l2_hits, r.walks, r.faults);
	if (r.cycles)
		op_answer(op, " cycles=%llu", (unsigned long long)r.cycles);
	if (r.stale)
		op_answer(op, " stale");
	return 0;
}

/* --- stacks --------------------------------------------------------------- */

int
op_vm_use_stack(struct op *op, struct args_vm_use_stack *a)
{
	static const enum stack_kind kinds[NR_CONTEXTS] = {
		[CONTEXT_IRQ] = STACK_IRQ,
		[CONTEXT_SOFTIRQ] = STACK_SOFTIRQ,
	};
	struct stack_use u;
	int err = op_check_live(op, ARG_VM_USE_STACK_TASK, op->task);

	if (!err && a->size > STACK_MOST)
		err = op_refuse(op, ARG_VM_USE_STACK_SIZE, EINVAL,
				"at most %llu bytes",
				(unsigned long long)STACK_MOST);
	if (!err && !op->m->vm->shape.f)
		err = op_refuse(op, -1, ENOSYS,
				"the machine has no page tables");
	if (!err)
		err = op_begin_call(op);
	if (err)
		return err;
	err = kernel_stack_use(op->m->vm, op->task, op->task->cpu,
			       kinds[a->context], a->size, a->keep, &u);
	if (u.guard)
		return op_fail(op, EFAULT,
			       "the guard page below %#llx was hit: see dmesg",
			       (unsigned long long)u.lowest);
	if (err == -EFAULT)
		return op_fail(op, EFAULT, "there is no memory below %#llx",
			       (unsigned long long)u.lowest);
	if (err)
		return op_call_failed(op, "stack", err);
	op_answer(op, "stack=%#llx depth=%llu left=%llu",
		  (unsigned long long)u.lowest, (unsigned long long)u.depth,
		  (unsigned long long)u.left);
	if (u.damaged)
		op_answer(op, " damaged=%llu neighbour=%llu",
			  (unsigned long long)u.damaged,
			  (unsigned long long)u.neighbour);
	return 0;
}
