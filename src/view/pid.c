// SPDX-License-Identifier: MIT
/*
 * pid.c - /proc/PID: a task in numbers and by name
 *
 * What it models: do_task_stat, proc_pid_statm (fs/proc/array.c),
 * proc_oom_score and get_mm_cmdline (fs/proc/base.c), oom_badness
 * (mm/oom_kill.c) of 6.1.
 *
 * How it works: stat is a row of 52 numbers, filled in by the numbers that
 * proc(5) gives them.
 *
 * Differs from the kernel: what belongs to a scheduler or a terminal is not
 * modelled: times that tasks have run are 0, all but kernel threads are of
 * PID 1's session, and faults of children are not added to their parents'.
 */
#include "kmemfs/show.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"

#include "proc_impl.h"

#define STAT_FIELDS 52
#define NS_PER_TICK 10000000ULL
#define SIGCHLD 17
#define PF_EXITING 0x4
#define PF_KTHREAD 0x200000
#define OOM_UNKILLABLE (-1000)
#define CMDLINE_MOST 65536U

struct task *
proc_task(const struct view *v)
{
	return task_find(v->m->vm, (int32_t)v->key[0]);
}

struct task *
proc_thread(const struct view *v)
{
	return task_find(v->m->vm, (int32_t)v->key[1]);
}

struct mm *
proc_mm(const struct view *v)
{
	const struct task *t = proc_task(v);

	return t ? t->mm : NULL;
}

struct vma *
proc_area(const struct mm *mm, guint n)
{
	return mm && n < mm->areas->len ? g_ptr_array_index(mm->areas, n)
					: NULL;
}

unsigned int
proc_threads(const struct task *t)
{
	unsigned int nr = 0;

	for (const struct task *o = task_next(t->vm, 0); o;
	     o = task_next(t->vm, o->pid))
		nr += o->tgid == t->tgid &&
		      (o->state != TASK_ZOMBIE || o->pid == o->tgid);
	return nr;
}

const char *
proc_state(const struct task *t)
{
	static const char *const names[NR_TASK_STATES] = {
		[TASK_RUNNING] = "R (running)",
		[TASK_SLEEPING] = "S (sleeping)",
		[TASK_ZOMBIE] = "Z (zombie)",
	};

	return names[t->state];
}

uint64_t
proc_caught(const struct task *t)
{
	return t->handles_segv
		       ? 1ULL << (VM_SIGSEGV - 1) | 1ULL << (VM_SIGBUS - 1)
		       : 0;
}

/* --- stat ----------------------------------------------------------------- */

/* Fields of an address space. */
static void
fill_mm(const struct mm *mm, uint64_t *f)
{
	f[23] = mm->total_vm << VM_PAGE_SHIFT;
	f[24] = mm_rss(mm);
	f[26] = mm->start_code;
	f[27] = mm->end_code;
	f[28] = mm->start_stack;
	f[45] = mm->start_data;
	f[46] = mm->end_data;
	f[47] = mm->start_brk;
	f[48] = mm->arg_start;
	f[49] = mm->arg_end;
	/* An empty environment. */
	f[50] = f[51] = mm->arg_end;
}

/* Faults of the whole group. */
static void
fill_group(const struct task *t, uint64_t *f)
{
	for (const struct task *o = task_next(t->vm, 0); o;
	     o = task_next(t->vm, o->pid))
		if (o->tgid == t->tgid) {
			f[10] += o->min_flt;
			f[12] += o->maj_flt;
		}
}

/* Signed numbers are kept as they are printed. */
static void
fill(const struct task *t, bool whole, uint64_t *f)
{
	bool ended = t->state == TASK_ZOMBIE;
	unsigned int threads = proc_threads(t);

	f[4] = (uint64_t)t->ppid;
	f[5] = f[6] = t->kthread ? 0 : 1;
	f[8] = UINT64_MAX; /* no terminal: -1 */
	f[9] = (t->kthread ? PF_KTHREAD : 0) | (ended ? PF_EXITING : 0);
	if (whole) {
		fill_group(t, f);
	} else {
		f[10] = t->min_flt;
		f[12] = t->maj_flt;
	}
	f[18] = 20;
	f[20] = threads;
	f[22] = t->start_ns / NS_PER_TICK;
	f[25] = UINT64_MAX;
	f[34] = proc_caught(t) & INT32_MAX;
	f[35] = t->state != TASK_RUNNING && (!whole || threads < 2);
	f[38] = t->tgid == t->pid ? SIGCHLD : UINT64_MAX;
	f[39] = t->cpu;
	f[52] = ended ? t->sig : 0;
	if (t->mm)
		fill_mm(t->mm, f);
}

static void
put_stat(const struct view *v, const struct task *t, bool whole,
	 struct out *out)
{
	bool wide = !kernel_has(v->m->phys, KERNEL_HIGHMEM);
	uint64_t f[STAT_FIELDS + 1] = {0};

	if (!t)
		return;
	fill(t, whole, f);
	out_printf(out, "%d (%s) %c", t->pid, t->comm, *proc_state(t));
	for (int i = 4; i <= STAT_FIELDS; i++) {
		out_char(out, ' ');
		if (i == 8 || i == 38)
			out_i64(out, (int64_t)f[i]);
		else
			out_u64(out, wide || i == 22 ? f[i] : (uint32_t)f[i]);
	}
	out_char(out, '\n');
}

void
show_pid_stat(const struct view *v, struct out *out)
{
	put_stat(v, proc_task(v), true, out);
}

void
show_tid_stat(const struct view *v, struct out *out)
{
	put_stat(v, proc_thread(v), false, out);
}

/* --- statm ---------------------------------------------------------------- */

static uint64_t
text_pages(const struct mm *mm)
{
	uint64_t end = round_up_to(mm->end_code, VM_PAGE);

	return (end - round_down_to(mm->start_code, VM_PAGE)) >> VM_PAGE_SHIFT;
}

static void
put_statm(const struct task *t, struct out *out)
{
	const struct mm *mm = t ? t->mm : NULL;
	uint64_t shared;

	if (!mm) {
		out_str(out, "0 0 0 0 0 0 0\n");
		return;
	}
	shared = (uint64_t)(mm->counter[MM_FILEPAGES] +
			    mm->counter[MM_SHMEMPAGES]);
	out_printf(out, "%llu %llu %llu %llu 0 %llu 0\n",
		   (unsigned long long)mm->total_vm,
		   (unsigned long long)mm_rss(mm), (unsigned long long)shared,
		   (unsigned long long)text_pages(mm),
		   (unsigned long long)(mm->data_vm + mm->stack_vm));
}

void
show_pid_statm(const struct view *v, struct out *out)
{
	put_statm(proc_task(v), out);
}

void
show_tid_statm(const struct view *v, struct out *out)
{
	put_statm(proc_thread(v), out);
}

/* --- names ---------------------------------------------------------------- */

static void
put_comm(const struct task *t, struct out *out)
{
	if (!t)
		return;
	out_str(out, t->comm);
	out_char(out, '\n');
}

void
show_pid_comm(const struct view *v, struct out *out)
{
	put_comm(proc_task(v), out);
}

void
show_tid_comm(const struct view *v, struct out *out)
{
	put_comm(proc_thread(v), out);
}

/* What its stack has of its arguments; who has none shows none. */
static void
put_cmdline(const struct task *t, struct out *out)
{
	const struct mm *mm = t ? t->mm : NULL;
	uint64_t len;
	char *bytes;

	if (!mm || mm->arg_end <= mm->arg_start)
		return;
	len = MIN_OF(mm->arg_end - mm->arg_start, CMDLINE_MOST);
	bytes = g_malloc(len);
	(void)vm_peek(t->vm, t, mm->arg_start, bytes, len);
	out_mem(out, bytes, len);
	g_free(bytes);
}

void
show_pid_cmdline(const struct view *v, struct out *out)
{
	put_cmdline(proc_task(v), out);
}

void
show_tid_cmdline(const struct view *v, struct out *out)
{
	put_cmdline(proc_thread(v), out);
}

/* --- OOM ------------------------------------------------------------------ */

/* oom_badness() scaled to 0..2000; PID 1 and kernel threads are never killed.
 */
static uint64_t
oom_score(const struct task *t)
{
	const struct mm *mm = t->mm;
	const struct vm *vm = t->vm;
	int64_t total = (int64_t)vm_total_pages(vm), points;

	if (!mm || t->tgid == 1 || t->kthread ||
	    t->oom_score_adj == OOM_UNKILLABLE || !total)
		return 0;
	points = (int64_t)(mm_rss(mm) + mm->pgtables) +
		 mm->counter[MM_SWAPENTS] + t->oom_score_adj * (total / 1000);
	return (uint64_t)((1000 + points * 1000 / total) * 2 / 3);
}

void
show_pid_oom_score(const struct view *v, struct out *out)
{
	const struct task *t = proc_task(v);

	put_value(out, t ? oom_score(t) : 0);
}

void
show_pid_oom_score_adj(const struct view *v, struct out *out)
{
	const struct task *t = proc_task(v);

	out_i64(out, t ? t->oom_score_adj : 0);
	out_char(out, '\n');
}
