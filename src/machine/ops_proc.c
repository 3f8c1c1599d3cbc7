// SPDX-License-Identifier: MIT
/*
 * ops_proc.c - what is written to the files of /proc/PID
 *
 * What it models: the writes of oom_score_adj, clear_refs, comm and mem
 * (fs/proc/base.c, fs/proc/task_mmu.c).
 *
 * Differs from the kernel: whoever writes may do it, to whatever value.
 */
#include "ops_task_impl.h"

#include "kmemfs/vm/walk.h"

#include <errno.h>

int
op_task_oom_score_adj(struct op *op, struct args_task_oom_score_adj *a)
{
	if (task_set_oom_score_adj(op->task, a->value))
		return op_refuse(op, ARG_TASK_OOM_SCORE_ADJ_VALUE, EINVAL,
				 "%lld is not from -1000 to 1000",
				 (long long)a->value);
	op_answer(op, "%d oom_score_adj=%lld", op->task->pid,
		  (long long)a->value);
	return 0;
}

int
op_task_clear_refs(struct op *op, struct args_task_clear_refs *a)
{
	struct task *t = op->task;

	if (a->what < CLEAR_REFS_ALL || a->what >= NR_CLEAR_REFS)
		return op_refuse(op, ARG_TASK_CLEAR_REFS_WHAT, EINVAL,
				 "%llu is not from 1 to 5",
				 (unsigned long long)a->what);
	(void)vm_clear_refs(op->m->vm, t, (unsigned int)a->what, t->cpu);
	op_answer(op, "%d", t->pid);
	return 0;
}

int
op_task_comm(struct op *op, struct args_task_comm *a)
{
	for (const char *c = a->comm; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return op_refuse(op, ARG_TASK_COMM_COMM, EINVAL,
					 "a name is made of visible "
					 "characters and blanks");
	task_set_comm(op->task, a->comm);
	op_answer(op, "%d (%s)", op->task->pid, op->task->comm);
	return 0;
}

int
op_task_mem_write(struct op *op, struct args_task_mem_write *a)
{
	struct task *t = op->task;

	if (!t->mm)
		return op_refuse(op, ARG_TASK_MEM_WRITE_TASK, EIO,
				 "task %d has no address space", t->pid);
	return op_poke_user(op, t, a->address, &a->data, EIO);
}
