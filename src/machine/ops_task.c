// SPDX-License-Identifier: MIT
/*
 * ops_task.c - tasks: made, run, told and ended
 *
 * What it models: fork, vfork, clone with CLONE_VM and CLONE_THREAD, execve,
 * exit and exit_group, wait, kill, sigaction, setrlimit, capset, and the
 * scheduler's choice of who runs on a CPU.
 *
 * Differs from the kernel: a program is sizes and a modelled file, nothing is
 * executed; PID 1 waits for its children as soon as they end.
 */
#include "ops_task_impl.h"

#include "kmemfs/base/check.h"
#include "kmemfs/base/text.h"
#include "kmemfs/vm/walk.h"

#include <errno.h>
#include <string.h>

int
op_check_live(struct op *op, int param, const struct task *t)
{
	if (t->state != TASK_ZOMBIE)
		return 0;
	return op_refuse(op, param, ESRCH, "task %d has ended", t->pid);
}

int
op_check_user_task(struct op *op, int param, const struct task *t)
{
	int err = op_check_live(op, param, t);

	if (!err && t->kthread)
		err = op_refuse(op, param, EINVAL,
				"task %d is a kernel thread: it has no address "
				"space",
				t->pid);
	if (!err && !op->m->vm->shape.f)
		err = op_refuse(op, param, ENOSYS,
				"the machine has no page tables for tasks");
	return err;
}

int
op_call_failed(struct op *op, const char *call, int err)
{
	const char *why;

	if (err == -ENOSPC)
		return op_fail(op, ENOSPC,
			       "%s: the daemon may hold %llu bytes of written "
			       "memory, no more (ram-limit)",
			       call,
			       (unsigned long long)op->m->config->ram_limit);
	why = vm_why(op->m->vm, err);
	return op_fail(op, -err, "%s: %s%s%s", call, strerror(-err),
		       why ? ": " : "", why ? why : "");
}

int
op_begin_call(struct op *op)
{
	int err = task_wake(op->task);

	return err ? op_call_failed(op, "PID 1 cannot be started", err) : 0;
}

/* --- making -------------------------------------------------------------- */

static const struct {
	const char *word;
	unsigned int clone;
} shares[] = {
	{"no",     0			   },
	{"vm",     TASK_SHARES_VM		     },
	{"thread", TASK_SHARES_VM | TASK_THREAD},
};

static int
check_task_name(struct op *op, int param, const char *name)
{
	if (!name)
		return 0;
	if (task_named(op->m->vm, name))
		return op_refuse(op, param, EEXIST, "there is a task called %s",
				 name);
	if (!strcmp(name, "init"))
		return op_refuse(op, param, EEXIST, "init is PID 1");
	return 0;
}

static void
answer_task(struct op *op, const struct task *t)
{
	op_answer(op, "%d", t->pid);
	if (t->name)
		op_answer(op, " %s", t->name);
	op_answer(op, " cpu=%u", t->cpu);
}

int
op_task_fork(struct op *op, struct args_task_fork *a)
{
	struct task *t = op->task, *child;
	size_t how = 0;
	int err;

	while (how < ARRAY_SIZE(shares) && strcmp(shares[how].word, a->share))
		how++;
	if (how == ARRAY_SIZE(shares))
		return op_refuse(op, ARG_TASK_FORK_SHARE, EINVAL,
				 "%s: not no, vm or thread", a->share);
	err = check_task_name(op, ARG_TASK_FORK_NAME, a->name);
	if (!err)
		err = op_check_cpu(op, ARG_TASK_FORK_CPU, a->cpu);
	if (!err)
		err = op_check_user_task(op, ARG_TASK_FORK_TASK, t);
	if (err)
		return err;
	err = task_fork(t, (unsigned int)a->cpu, shares[how].clone, a->name,
			&child);
	if (err)
		return op_call_failed(op, "fork", err);
	/* It calls itself by the name it was given: PR_SET_NAME. */
	if (a->name)
		task_set_comm(child, a->name);
	answer_task(op, child);
	return 0;
}

int
op_task_kthread(struct op *op, struct args_task_kthread *a)
{
	struct task *t;
	int err = check_task_name(op, ARG_TASK_KTHREAD_NAME, a->name);

	if (!err)
		err = op_check_cpu(op, ARG_TASK_KTHREAD_CPU, a->cpu);
	if (err)
		return err;
	if (!op->m->vm->shape.f)
		return op_refuse(op, -1, ENOSYS,
				 "the machine has no page tables for tasks");
	err = task_kthread(op->m->vm, (unsigned int)a->cpu, a->name, a->name,
			   &t);
	if (err)
		return op_call_failed(op, "kthread_create", err);
	answer_task(op, t);
	return 0;
}

/* The program's file: the one named so, or a new one that is large enough. */
static struct vm_object *
image_file(struct vm *vm, const char *name, uint64_t size, bool *is_new)
{
	struct vm_object *o = vm_file_find(vm, name);

	*is_new = !o;
	if (!o)
		return vm_file_new(vm, name, size, NULL, 0);
	vm_object_get(o);
	return o;
}

int
op_task_exec(struct op *op, struct args_task_exec *a)
{
	struct vm *vm = op->m->vm;
	struct vm_image image = {
		.comm = a->program,
		.text = a->text,
		.data = a->data,
		.bss = a->bss,
		.heap = a->heap,
	};
	bool is_new;
	int err = op_check_user_task(op, ARG_TASK_EXEC_TASK, op->task);

	if (err)
		return err;
	if (a->text >> 40 || a->data >> 40 || a->bss >> 40 || a->heap >> 40)
		return op_refuse(op, ARG_TASK_EXEC_TEXT, ENOMEM,
				 "a part of more than a terabyte");
	if (!a->text)
		return op_refuse(op, ARG_TASK_EXEC_TEXT, EINVAL,
				 "a program without text");
	image.file = image_file(vm, a->program, a->text + a->data, &is_new);
	if (!image.file)
		return op_refuse(op, -1, ENFILE, "no more files can be made");
	err = task_exec(op->task, &image);
	if (!err && is_new)
		machine_tell_entry(op->m, ENTRY_FILE, NULL, a->program);
	/* A new file of a failed exec goes with its only reference. */
	if (err || !is_new)
		vm_object_put(image.file, op->task->cpu);
	if (err)
		return op_call_failed(op, "execve", err);
	op_answer(op, "%d %s", op->task->pid, op->task->comm);
	return 0;
}

/* --- running ------------------------------------------------------------- */

int
op_task_run(struct op *op, struct args_task_run *a)
{
	int err = op_check_cpu(op, ARG_TASK_RUN_CPU, a->cpu);

	if (!err)
		err = op_check_live(op, ARG_TASK_RUN_TASK, op->task);
	if (!err && !op->m->vm->shape.f)
		err = op_refuse(op, -1, ENOSYS,
				"the machine has no page tables for tasks");
	if (err)
		return err;
	err = vm_switch_to(op->m->vm, (unsigned int)a->cpu, op->task);
	if (err)
		return op_call_failed(op, "switch_to", err);
	answer_task(op, op->task);
	return 0;
}

int
op_task_idle(struct op *op, struct args_task_idle *a)
{
	int err = vm_switch_to(op->m->vm, (unsigned int)a->cpu, NULL);

	KM_ASSERT(!err);
	return err;
}

/* --- telling ------------------------------------------------------------- */

int
op_task_kill(struct op *op, struct args_task_kill *a)
{
	uint64_t sig;
	int err = op_read_words(op, ARG_TASK_KILL_SIG, WORDS_SIGNAL, a->sig,
				&sig);

	if (!err && sig != VM_SIGKILL && sig != VM_SIGSEGV && sig != VM_SIGBUS)
		err = op_refuse(op, ARG_TASK_KILL_SIG, EINVAL,
				"%s: only SIGKILL, SIGSEGV and SIGBUS are "
				"modelled",
				a->sig);
	if (!err)
		err = op_check_live(op, ARG_TASK_KILL_TASK, op->task);
	if (!err && op->task->pid == 1)
		err = op_refuse(op, ARG_TASK_KILL_TASK, EPERM,
				"PID 1 is not killed");
	if (!err)
		task_signal(op->task, (uint32_t)sig, 0, 0);
	return err;
}

int
op_task_sigaction(struct op *op, struct args_task_sigaction *a)
{
	int err = op_check_live(op, ARG_TASK_SIGACTION_TASK, op->task);

	if (!err)
		op->task->handles_segv = a->handle;
	return err;
}

int
op_task_setrlimit(struct op *op, struct args_task_setrlimit *a)
{
	uint64_t limit, value = LIMIT_INFINITY;
	int err = op_read_words(op, ARG_TASK_SETRLIMIT_LIMIT, WORDS_RLIMIT,
				a->limit, &limit);

	if (!err && strcmp(a->value, "infinity") &&
	    !text_size(a->value, &value))
		err = op_refuse(op, ARG_TASK_SETRLIMIT_VALUE, EINVAL,
				"%s: neither a size nor infinity", a->value);
	if (!err)
		err = op_check_live(op, ARG_TASK_SETRLIMIT_TASK, op->task);
	if (!err)
		op->task->rlimit[limit] = value;
	return err;
}

int
op_task_capset(struct op *op, struct args_task_capset *a)
{
	uint64_t caps;
	int err = op_read_words(op, ARG_TASK_CAPSET_CAPS, WORDS_CAPS, a->caps,
				&caps);

	if (!err)
		err = op_check_live(op, ARG_TASK_CAPSET_TASK, op->task);
	if (!err)
		op->task->caps = caps;
	return err;
}

/* --- ending -------------------------------------------------------------- */

/* Nobody waits for threads, and PID 1 waits all the time. */
void
tasks_settle(struct machine *m)
{
	struct vm *vm = m->vm;

	vm->ended = false;
	for (struct task *t = task_next(vm, 0), *next; t; t = next) {
		next = task_next(vm, t->pid);
		if ((t->tgid != t->pid || t->ppid == 1) && task_has_ended(t))
			(void)task_reap(t);
	}
}

int
op_task_exit(struct op *op, struct args_task_exit *a)
{
	struct task *t = op->task;
	int err;

	if (t->pid == 1 || (a->group && t->tgid == 1))
		return op_refuse(op, ARG_TASK_EXIT_TASK, EPERM,
				 "PID 1 does not end");
	err = op_check_live(op, ARG_TASK_EXIT_TASK, t);
	if (err)
		return err;
	return task_exit(t, a->group);
}

int
op_task_wait(struct op *op, struct args_task_wait *a)
{
	struct vm *vm = op->m->vm;
	bool any = false;

	(void)a;
	for (struct task *t = task_next(vm, 0); t; t = task_next(vm, t->pid)) {
		if (t->ppid != op->task->tgid || t->tgid != t->pid)
			continue;
		any = true;
		if (!task_has_ended(t))
			continue;
		answer_task(op, t);
		return task_reap(t);
	}
	if (any)
		return op_fail(op, EAGAIN, "no child of task %d has ended",
			       op->task->pid);
	return op_fail(op, ECHILD, "task %d has no children", op->task->pid);
}
