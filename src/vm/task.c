// SPDX-License-Identifier: MIT
/*
 * task.c - tasks come, share, and go
 *
 * What it models: copy_process, do_exit, release_task (kernel/fork.c, exit.c),
 * force_sig_fault (kernel/signal.c), as far as memory is concerned.
 *
 * How it works: a record a task; PID 1 is there from boot and gets an address
 * space when it is first used.  Its program is as small as can be.  A task that
 * ends is a zombie until someone asks for it, unless its parent has gone.
 *
 * Always true: pids are unique and names are; every task but a kernel thread, a
 * zombie and a sleeping PID 1 has an address space, whose users are counted.
 *
 * Differs from the kernel: pids are not used again before they have all been
 * given; nothing is charged for the records themselves.
 */
#include "kernel_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* PID 1's program: a page of text, one of data. */
#define INIT_TEXT VM_PAGE
#define INIT_DATA VM_PAGE

struct task *
task_init(const struct vm *vm)
{
	struct task *t = g_ptr_array_index(vm->tasks, 0);

	KM_DEBUG(t->pid == 1);
	return t;
}

struct task *
task_find(const struct vm *vm, int32_t pid)
{
	return g_hash_table_lookup(vm->by_pid, GINT_TO_POINTER(pid));
}

struct task *
task_named(const struct vm *vm, const char *name)
{
	return g_hash_table_lookup(vm->by_name, name);
}

/* Index of the first task with a pid above @after. */
static guint
index_after(const struct vm *vm, int32_t after)
{
	guint low = 0, high = vm->tasks->len;

	while (low < high) {
		guint at = (low + high) / 2;
		const struct task *t = g_ptr_array_index(vm->tasks, at);

		if (t->pid > after)
			high = at;
		else
			low = at + 1;
	}
	return low;
}

struct task *
task_next(const struct vm *vm, int32_t after)
{
	guint n = index_after(vm, after);

	return n < vm->tasks->len ? g_ptr_array_index(vm->tasks, n) : NULL;
}

/* The next pid that nobody has, 0: none. */
static int32_t
next_pid(const struct vm *vm)
{
	int32_t pid = vm->last_pid;

	for (int32_t tries = 0; tries < PID_MAX; tries++) {
		/* Low ones are kept for daemons of the boot. */
		if (++pid >= PID_MAX)
			pid = 300;
		if (!task_find(vm, pid))
			return pid;
	}
	return 0;
}

/* --- PID 1 -------------------------------------------------------------- */

int
task_wake(struct task *t)
{
	const struct vm_image image = {
		.comm = "init", .text = INIT_TEXT, .data = INIT_DATA};
	int err;

	if (likely(!t->asleep))
		return 0;
	err = vm_start(t->vm, t->cpu);
	if (err)
		return err;
	err = kernel_stack_alloc(t);
	if (err)
		return err;
	t->asleep = false;
	err = task_exec(t, &image);
	if (err) {
		t->asleep = true;
		kernel_stack_free(t);
		return err;
	}
	t->state = TASK_RUNNING;
	return 0;
}

/* --- new ones ----------------------------------------------------------- */

static int
name_refused(const struct vm *vm, const char *name)
{
	if (!name)
		return 0;
	if (!*name || strlen(name) > TASK_NAME_MAX)
		return -EINVAL;
	return task_named(vm, name) ? -EEXIST : 0;
}

/* Files of a task hang on its pid and name: they come, or go. */
static void
tell(struct task *t, bool gone)
{
	struct vm *vm = t->vm;

	if (vm->hooks.task_changed)
		vm->hooks.task_changed(vm->hooks.user, t, gone);
}

static void
index_add(struct task *t)
{
	struct vm *vm = t->vm;

	g_ptr_array_insert(vm->tasks, (gint)index_after(vm, t->pid), t);
	g_hash_table_insert(vm->by_pid, GINT_TO_POINTER(t->pid), t);
	if (t->name)
		g_hash_table_insert(vm->by_name, t->name, t);
}

static void
index_remove(struct task *t)
{
	struct vm *vm = t->vm;

	g_ptr_array_remove(vm->tasks, t);
	g_hash_table_remove(vm->by_pid, GINT_TO_POINTER(t->pid));
	if (t->name)
		g_hash_table_remove(vm->by_name, t->name);
}

static void
task_add(struct task *t)
{
	struct vm *vm = t->vm;

	index_add(t);
	vm->last_pid = t->pid;
	vm->forks++;
	tell(t, false);
}

void
task_delete(struct task *t)
{
	struct vm *vm = t->vm;

	tell(t, true);
	if (vm->acting == t)
		vm->acting = NULL;
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		if (vm->cpu[i].current == t)
			vm->cpu[i].current = NULL;
	index_remove(t);
	g_free(t->name);
	g_free(t);
}

/* A record like @like's with a pid and a kernel stack; NULL with *@err. */
static struct task *
task_make(struct vm *vm, const struct task *like, unsigned int cpu,
	  const char *name, int *err)
{
	struct task *t = g_memdup2(like, sizeof(*t));

	t->vm = vm;
	t->name = NULL;
	t->mm = NULL;
	t->kernel_stack = 0;
	t->impl = NULL;
	t->cpu = cpu;
	t->state = TASK_RUNNING;
	t->min_flt = t->maj_flt = 0;
	t->start_ns = *vm->phys->now_ns;
	t->sig = t->sig_code = 0;
	t->sig_addr = 0;
	t->pid = t->tgid = next_pid(vm);
	*err = t->pid ? kernel_stack_alloc(t) : -EAGAIN;
	if (*err) {
		g_free(t);
		return NULL;
	}
	t->name = g_strdup(name);
	return t;
}

int
task_fork(struct task *parent, unsigned int cpu, unsigned int clone,
	  const char *name, struct task **child)
{
	struct vm *vm = parent->vm;
	struct task *t;
	int err = name_refused(vm, name);

	if (err)
		return err;
	if (cpu >= vm->nr_cpus || parent->state == TASK_ZOMBIE ||
	    parent->kthread ||
	    ((clone & TASK_THREAD) && !(clone & TASK_SHARES_VM)))
		return -EINVAL;
	err = task_wake(parent);
	if (err)
		return err;
	t = task_make(vm, parent, cpu, name, &err);
	if (!t)
		return err;
	t->ppid = parent->tgid;
	if (clone & TASK_THREAD) {
		t->tgid = parent->tgid;
		t->ppid = parent->ppid;
	}
	if (clone & TASK_SHARES_VM) {
		t->mm = parent->mm;
		mm_get(t->mm);
	} else {
		t->mm = mm_dup(parent, cpu, &err);
	}
	if (!t->mm) {
		kernel_stack_free(t);
		g_free(t->name);
		g_free(t);
		return err;
	}
	task_add(t);
	*child = t;
	return 0;
}

int
task_kthread(struct vm *vm, unsigned int cpu, const char *comm,
	     const char *name, struct task **made)
{
	struct task like = {.kthread = true}, *t;
	int err = name_refused(vm, name);

	if (err)
		return err;
	if (cpu >= vm->nr_cpus)
		return -EINVAL;
	err = vm_start(vm, cpu);
	if (err)
		return err;
	snprintf(like.comm, sizeof(like.comm), "%s", comm);
	t = task_make(vm, &like, cpu, name, &err);
	if (!t)
		return err;
	task_add(t);
	*made = t;
	return 0;
}

/* --- the end ------------------------------------------------------------ */

/* No thread of @tgid's lives. */
static bool
group_has_ended(const struct vm *vm, int32_t tgid)
{
	for (const struct task *o = task_next(vm, 0); o;
	     o = task_next(vm, o->pid))
		if (o->tgid == tgid && o->state != TASK_ZOMBIE)
			return false;
	return true;
}

bool
task_has_ended(const struct task *t)
{
	return t->state == TASK_ZOMBIE &&
	       (t->tgid != t->pid || group_has_ended(t->vm, t->tgid));
}

/* Children are of a thread group, and when it has ended of PID 1, who asks for
 * zombies at once. */
static void
give_away_children(struct vm *vm, int32_t tgid)
{
	for (struct task *c = task_next(vm, 0), *next; c; c = next) {
		next = task_next(vm, c->pid);
		if (c->ppid != tgid)
			continue;
		c->ppid = 1;
		if (task_has_ended(c))
			task_delete(c);
	}
}

static void
exit_one(struct task *t)
{
	struct vm *vm = t->vm;

	kernel_task_gone(t);
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		if (vm->cpu[i].current == t) {
			vm->cpu[i].current = NULL;
			vm->cpu[i].user = false;
		}
	if (t->mm)
		mm_put(t->mm, t->cpu);
	t->mm = NULL;
	kernel_stack_free(t);
	t->state = TASK_ZOMBIE;
	vm->ended = true;
}

static void
exit_others(struct task *t)
{
	for (struct task *o = task_next(t->vm, 0); o;
	     o = task_next(t->vm, o->pid))
		if (o != t && o->tgid == t->tgid && o->state != TASK_ZOMBIE)
			exit_one(o);
}

int
task_exit(struct task *t, bool group)
{
	if (t->pid == 1 || (group && t->tgid == 1))
		return -EPERM;
	if (t->state == TASK_ZOMBIE)
		return -EINVAL;
	if (group)
		exit_others(t);
	exit_one(t);
	if (group_has_ended(t->vm, t->tgid))
		give_away_children(t->vm, t->tgid);
	return 0;
}

static void
exchange_pids(struct task *a, struct task *b)
{
	int32_t pid = a->pid;
	char *name = a->name;

	index_remove(a);
	index_remove(b);
	a->pid = b->pid;
	a->name = b->name;
	b->pid = pid;
	b->name = name;
	index_add(a);
	index_add(b);
	kernel_stack_own(a);
	kernel_stack_own(b);
}

void
task_end_others(struct task *t)
{
	struct task *first = task_find(t->vm, t->tgid);

	exit_others(t);
	if (first == t)
		return;
	exchange_pids(t, first);
	t->start_ns = first->start_ns;
	tell(t, false);
	tell(first, false);
}

int
task_reap(struct task *t)
{
	if (t->state != TASK_ZOMBIE)
		return -EINVAL;
	task_delete(t);
	return 0;
}

void
task_signal(struct task *t, uint32_t sig, uint32_t code, va_t addr)
{
	t->sig = sig;
	t->sig_code = code;
	t->sig_addr = addr;
	if (t->handles_segv && sig != VM_SIGKILL)
		return;
	(void)task_exit(t, true);
}
