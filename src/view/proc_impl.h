// SPDX-License-Identifier: MIT
/*
 * proc_impl.h - what the files of /proc/PID share
 *
 * Their paths begin with the PID of any task; those below task/ have a thread's
 * as well.
 */
#ifndef KMEMFS_VIEW_PROC_IMPL_H
#define KMEMFS_VIEW_PROC_IMPL_H

#include "kmemfs/vm/walk.h"

#include "kmemfs/view/view.h"

/* The task of /proc/PID, of /proc/PID/task/TID; NULL: it is gone. */
struct task *proc_task(const struct view *v);
struct task *proc_thread(const struct view *v);
/* Its address space: NULL: a kernel thread's, a zombie's, PID 1's before it is
 * first used. */
struct mm *proc_mm(const struct view *v);
/* The @n-th area of @mm, NULL at the end. */
struct vma *proc_area(const struct mm *mm, guint n);

/* Threads of @t's group that have not ended, and its first one. */
unsigned int proc_threads(const struct task *t);
/* "R (running)" */
const char *proc_state(const struct task *t);
/* Signals that it handles, as a set. */
uint64_t proc_caught(const struct task *t);

/* "5582ceba6000-5582ceba7000 r--p 00000000 08:01 11    /bin/sh", no newline. */
void proc_put_area(const struct vma *v, struct out *out);
/* The same columns for what is no area; @name at the place of names. */
void proc_put_range(const struct vm *vm, va_t start, va_t end, uint64_t flags,
		    const char *name, struct out *out);
/* "r-xp" */
void proc_put_rights(uint64_t flags, struct out *out);
/* Name of the file that @v maps, with a slash before it; false: none. */
bool proc_put_file(const struct vma *v, struct out *out);

#endif
