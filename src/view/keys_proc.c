// SPDX-License-Identifier: MIT
/*
 * keys_proc.c - the variable parts of paths: /proc/PID, and its threads
 *
 * As on Linux every thread can be looked up, but the first of each group is
 * listed alone.
 */
#include "kmemfs/view/keys.h"

static const struct task *
find(const struct view *v, uint64_t pid)
{
	return pid && pid <= PID_MAX ? task_find(v->m->vm, (int32_t)pid) : NULL;
}

static bool
proc_exists(const struct view *v, uint64_t pid)
{
	return find(v, pid);
}

static bool
proc_parse(const struct view *v, const char *name, uint64_t *pid)
{
	return key_decimal(name, pid) && proc_exists(v, *pid);
}

static bool
proc_next(const struct view *v, bool first, uint64_t after, uint64_t *pid)
{
	const struct task *t = task_next(v->m->vm, first ? 0 : (int32_t)after);

	while (t && t->tgid != t->pid)
		t = task_next(v->m->vm, t->pid);
	if (t)
		*pid = (uint64_t)t->pid;
	return t;
}

const struct key_kind key_proc = {
	"proc", 22, proc_parse, proc_next, key_print_decimal, proc_exists,
};

/* --- threads; the key before is one of their group ------------------------ */

static bool
same_group(const struct view *v, const struct task *t)
{
	const struct task *group = find(v, v->key[0]);

	return t && group && t->tgid == group->tgid;
}

static bool
thread_exists(const struct view *v, uint64_t tid)
{
	return same_group(v, find(v, tid));
}

static bool
thread_parse(const struct view *v, const char *name, uint64_t *tid)
{
	return key_decimal(name, tid) && thread_exists(v, *tid);
}

static bool
thread_next(const struct view *v, bool first, uint64_t after, uint64_t *tid)
{
	const struct task *t = task_next(v->m->vm, first ? 0 : (int32_t)after);

	while (t && !same_group(v, t))
		t = task_next(v->m->vm, t->pid);
	if (t)
		*tid = (uint64_t)t->pid;
	return t;
}

const struct key_kind key_thread = {
	"thread",      22, thread_parse, thread_next, key_print_decimal,
	thread_exists,
};
