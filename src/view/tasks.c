// SPDX-License-Identifier: MIT
/*
 * tasks.c - tasks/PID: who it is, what it may, its bytes by virtual address
 */
#include "kmemfs/show.h"

#include "kmemfs/view/sums.h"

#include <inttypes.h>

static const char *const state_names[NR_TASK_STATES] = {
	[TASK_RUNNING] = "running",
	[TASK_SLEEPING] = "sleeping",
	[TASK_ZOMBIE] = "zombie",
};

void
show_task_link(const struct view *v, struct out *out)
{
	out_u64(out, v->key[0]);
}

void
show_task_pid(const struct view *v, struct out *out)
{
	put_value(out, v->key[0]);
}

/* --- who it is ------------------------------------------------------------ */

static const char *
kind_of(const struct task *t)
{
	return t->kthread  ? "kernel thread"
	       : t->asleep ? "not used yet"
			   : "user";
}

/* CPUs that run it now. */
static void
put_cpus(struct out *out, const struct vm *vm, const struct task *t)
{
	const char *before = " ";

	out_str(out, "runs_on");
	for (unsigned int i = 0; i < vm->nr_cpus; i++) {
		if (vm->cpu[i].current != t)
			continue;
		out_printf(out, "%s%u%s", before, i,
			   vm->cpu[i].user ? " user" : " kernel");
		before = ", ";
	}
	out_str(out, *before == ' ' ? " -\n" : "\n");
}

static void
put_mm(struct out *out, const struct mm *mm)
{
	put_counter(out, "mm", mm->id);
	put_counter(out, "mm_users", (uint64_t)mm->users);
	put_hex(out, "cr3", mm->top);
	put_counter(out, "areas", mm->areas->len);
	put_counter(out, "virtual_pages", mm->total_vm);
	put_counter(out, "resident_pages", mm_rss(mm));
	put_counter(out, "table_pages", mm->tables);
	put_hex(out, "start_code", mm->start_code);
	put_hex(out, "end_code", mm->end_code);
	put_hex(out, "start_data", mm->start_data);
	put_hex(out, "end_data", mm->end_data);
	put_hex(out, "start_brk", mm->start_brk);
	put_hex(out, "brk", mm->brk);
	put_hex(out, "mmap_base", mm->mmap_base);
	put_hex(out, "start_stack", mm->start_stack);
}

void
show_task_info(const struct view *v, struct out *out)
{
	const struct task *t = view_task(v);

	if (t->name)
		put_text(out, "name", t->name);
	put_text(out, "comm", t->comm);
	put_counter(out, "pid", (uint64_t)t->pid);
	put_counter(out, "tgid", (uint64_t)t->tgid);
	put_counter(out, "ppid", (uint64_t)t->ppid);
	put_text(out, "kind", kind_of(t));
	put_text(out, "state", state_names[t->state]);
	put_counter(out, "cpu", t->cpu);
	put_cpus(out, v->m->vm, t);
	put_counter(out, "start_ns", t->start_ns);
	put_counter(out, "minor_faults", t->min_flt);
	put_counter(out, "major_faults", t->maj_flt);
	out_printf(out, "oom_score_adj %d\n", t->oom_score_adj);
	put_text(out, "handles_segv", t->handles_segv ? "yes" : "no");
	if (t->sig)
		out_printf(out, "signal %u code %u address %#" PRIx64 "\n",
			   t->sig, t->sig_code, t->sig_addr);
	if (t->mm)
		put_mm(out, t->mm);
}

void
show_task_cr3(const struct view *v, struct out *out)
{
	const struct task *t = view_task(v);

	out_printf(out, "0x%" PRIx64 "\n", t->mm ? t->mm->top : 0);
}

void
show_task_rlimits(const struct view *v, struct out *out)
{
	static const char *const names[NR_RLIMITS] = {
		[LIMIT_DATA] = "RLIMIT_DATA",
		[LIMIT_STACK] = "RLIMIT_STACK",
		[LIMIT_AS] = "RLIMIT_AS",
		[LIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",
	};
	const struct task *t = view_task(v);

	for (unsigned int i = 0; i < NR_RLIMITS; i++) {
		if (t->rlimit[i] == LIMIT_INFINITY)
			put_text(out, names[i], "infinity");
		else
			put_counter(out, names[i], t->rlimit[i]);
	}
}

/* --- its bytes ------------------------------------------------------------ */

uint64_t
size_task_mem(const struct view *v)
{
	(void)v;
	return 0;
}

/* As a debugger looks: up to the end of the areas that touch one another; what
 * is not in memory reads as zeros. */
ssize_t
read_task_mem(const struct view *v, void *to, size_t len, uint64_t at)
{
	struct task *t = view_task(v);
	uint64_t done = 0;

	while (t->mm && done < len) {
		const struct vma *area = vma_at(t->mm, at + done);
		uint64_t part;

		if (!area)
			break;
		part = MIN_OF(len - done, area->end - (at + done));
		vm_peek(v->m->vm, t, at + done, (char *)to + done, part);
		done += part;
	}
	return (ssize_t)done;
}
