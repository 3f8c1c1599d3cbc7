// SPDX-License-Identifier: MIT
/*
 * ops_percpu_run.c - code that uses per-CPU data, step by step
 *
 * What it models: get_cpu_var, put_cpu_var, this_cpu_ptr, smp_processor_id as
 * debug kernels check it (lib/smp_processor_id.c), schedule() while preemption
 * is forbidden (kernel/sched/core.c), 6.1.192.
 *
 * How it works: an update of a counter is a pointer to the copy of the CPU that
 * the task runs on, a load, an addition and a store.  Between two of them it
 * may be moved to another CPU, unless it forbids preemption; then no other
 * runs on its CPU.  Who is moved in between stores to the copy of a CPU on
 * which another may have counted meanwhile: that count is lost.
 */
#include "kmemfs/ops.h"

#include "kmemfs/base/text.h"
#include "caller_impl.h"
#include "ops_percpu_impl.h"

#include <errno.h>
#include <string.h>

/* What task and CPU an op is about; checked, nothing made. */
struct step {
	struct op *op;
	struct runner *r; /* NULL: a new one, called @task */
	const char *task;
	uint32_t cpu;
};

/* The task, whether it runs now or waits. */
static int
find_task(struct op *op, int param, const char *task, struct step *s)
{
	struct machine *m = op->m;

	*s = (struct step){.op = op, .task = task};
	if (!text_is_name(task) || strlen(task) >= RUNNER_COMM)
		return op_refuse(op, param, EINVAL,
				 "%s: a task's name has up to %d letters, "
				 "digits, _ . -",
				 task, RUNNER_COMM - 1);
	s->r = runner_find(m, task);
	s->cpu = s->r ? s->r->cpu : 0;
	if (!s->r && runner_nth(m, RUNNERS_MAX - 1))
		return op_refuse(op, param, EAGAIN, "%d tasks run already",
				 RUNNERS_MAX);
	return 0;
}

/* The task, which runs now. */
static int
find_step(struct op *op, int param, const char *task, struct step *s)
{
	struct machine *m = op->m;
	struct runner *holder;
	int err = find_task(op, param, task, s);

	if (err)
		return err;
	err = op_check_cpu(op, param, s->cpu);
	if (err)
		return err;
	holder = runner_holding(m, s->cpu);
	if (holder && holder != s->r)
		return op_refuse(op, param, EBUSY,
				 "%s has forbidden preemption on CPU %u: "
				 "%s does not run",
				 holder->comm, s->cpu, task);
	return 0;
}

/* From here on it runs. */
static struct runner *
begin_step(struct step *s)
{
	struct machine *m = s->op->m;

	if (!s->r)
		s->r = runner_add(m, s->task, s->cpu);
	caller_stamp(m, s->cpu, CONTEXT_PROCESS);
	m->trace.now.preempt = (uint8_t)s->r->preempt;
	return s->r;
}

static void
point(struct runner *r, const struct percpu_variable *v)
{
	r->variable = v->id;
	r->unit = r->cpu;
}

static void
answer_runner(struct op *op, const struct runner *r)
{
	const struct percpu *pc = op->m->percpu;
	const struct percpu_variable *v = percpu_get(pc, r->variable);

	op_answer(op, "%s cpu=%u preempt_count=%u", r->comm, r->cpu,
		  r->preempt);
	if (v)
		op_answer(op, " pointer=%#llx",
			  (unsigned long long)percpu_address(pc, v, r->unit));
}

/* --- where am I ------------------------------------------------------------
 */

/* check_preemption_disabled() */
static void
check_preemptible(struct machine *m, const struct runner *r)
{
	if (r->preempt)
		return;
	machine_printk(m,
		       "BUG: using smp_processor_id() in preemptible "
		       "[00000000] code: %s/%d",
		       r->comm, r->pid);
	machine_printk(m, "caller is %s+0x0/0x40", "my_function");
}

int
op_percpu_smp_processor_id(struct op *op,
			   struct args_percpu_smp_processor_id *a)
{
	struct runner *r;
	struct step s;
	int err = find_step(op, ARG_PERCPU_SMP_PROCESSOR_ID_TASK, a->task, &s);

	if (err)
		return err;
	r = begin_step(&s);
	check_preemptible(op->m, r);
	op_answer(op, "%u", r->cpu);
	return 0;
}

int
op_percpu_this_cpu_ptr(struct op *op, struct args_percpu_this_cpu_ptr *a)
{
	struct percpu_variable *v;
	struct runner *r;
	struct step s;
	int err = resolve_variable(op, ARG_PERCPU_THIS_CPU_PTR_VARIABLE,
				   a->variable, &v);

	if (!err)
		err = find_step(op, ARG_PERCPU_THIS_CPU_PTR_TASK, a->task, &s);
	if (err)
		return err;
	r = begin_step(&s);
	check_preemptible(op->m, r);
	point(r, v);
	answer_runner(op, r);
	return 0;
}

/* --- get and put -----------------------------------------------------------
 */

static int
get(struct op *op, int task_param, const char *task,
    const struct percpu_variable *v)
{
	struct runner *r;
	struct step s;
	int err = find_step(op, task_param, task, &s);

	if (!err && s.r && s.r->preempt == 0xff)
		err = op_refuse(op, task_param, EINVAL,
				"DEBUG_LOCKS_WARN_ON: preemption is forbidden "
				"255 times");
	if (err)
		return err;
	r = begin_step(&s);
	r->preempt++;
	if (v)
		point(r, v);
	answer_runner(op, r);
	return 0;
}

static int
put(struct op *op, int task_param, const char *task)
{
	struct step s;
	int err = find_step(op, task_param, task, &s);

	if (!err && (!s.r || !s.r->preempt))
		err = op_refuse(op, task_param, EINVAL,
				"%s has not forbidden preemption", task);
	if (err)
		return err;
	begin_step(&s)->preempt--;
	answer_runner(op, s.r);
	return 0;
}

static int
get_variable(struct op *op, int param, const char *name, int task_param,
	     const char *task, bool dynamic)
{
	struct percpu_variable *v;
	int err = resolve_variable(op, param, name, &v);

	if (err)
		return err;
	err = get(op, task_param, task, v);
	if (!err && dynamic != (v->kind == PERCPU_DYNAMIC))
		op_answer(op, " warning: %s is for %s", op->desc->name,
			  dynamic ? "what alloc_percpu gave"
				  : "what DEFINE_PER_CPU made");
	return err;
}

int
op_percpu_get_cpu_var(struct op *op, struct args_percpu_get_cpu_var *a)
{
	return get_variable(op, ARG_PERCPU_GET_CPU_VAR_VARIABLE, a->variable,
			    ARG_PERCPU_GET_CPU_VAR_TASK, a->task, false);
}

int
op_percpu_get_cpu_ptr(struct op *op, struct args_percpu_get_cpu_ptr *a)
{
	return get_variable(op, ARG_PERCPU_GET_CPU_PTR_VARIABLE, a->variable,
			    ARG_PERCPU_GET_CPU_PTR_TASK, a->task, true);
}

static int
put_variable(struct op *op, int param, const char *name, int task_param,
	     const char *task)
{
	struct percpu_variable *v;
	int err = resolve_variable(op, param, name, &v);

	return err ? err : put(op, task_param, task);
}

int
op_percpu_put_cpu_var(struct op *op, struct args_percpu_put_cpu_var *a)
{
	return put_variable(op, ARG_PERCPU_PUT_CPU_VAR_VARIABLE, a->variable,
			    ARG_PERCPU_PUT_CPU_VAR_TASK, a->task);
}

int
op_percpu_put_cpu_ptr(struct op *op, struct args_percpu_put_cpu_ptr *a)
{
	return put_variable(op, ARG_PERCPU_PUT_CPU_PTR_VARIABLE, a->variable,
			    ARG_PERCPU_PUT_CPU_PTR_TASK, a->task);
}

int
op_percpu_get_cpu(struct op *op, struct args_percpu_get_cpu *a)
{
	return get(op, ARG_PERCPU_GET_CPU_TASK, a->task, NULL);
}

int
op_percpu_put_cpu(struct op *op, struct args_percpu_put_cpu *a)
{
	return put(op, ARG_PERCPU_PUT_CPU_TASK, a->task);
}

/* --- moving ----------------------------------------------------------------
 */

int
op_percpu_migrate(struct op *op, struct args_percpu_migrate *a)
{
	struct machine *m = op->m;
	struct runner *holder;
	struct step s;
	int err = find_task(op, ARG_PERCPU_MIGRATE_TASK, a->task, &s);

	if (!err)
		err = op_check_cpu(op, ARG_PERCPU_MIGRATE_CPU, a->cpu);
	if (!err && s.r && s.r->preempt)
		err = op_refuse(op, ARG_PERCPU_MIGRATE_TASK, EBUSY,
				"%s has forbidden preemption: it stays on CPU "
				"%u",
				a->task, s.cpu);
	holder = err ? NULL : runner_holding(m, (uint32_t)a->cpu);
	if (holder)
		err = op_refuse(op, ARG_PERCPU_MIGRATE_CPU, EBUSY,
				"%s has forbidden preemption on CPU %llu",
				holder->comm, (unsigned long long)a->cpu);
	if (err)
		return err;
	begin_step(&s)->cpu = (uint32_t)a->cpu;
	answer_runner(op, s.r);
	return 0;
}

int
op_percpu_schedule(struct op *op, struct args_percpu_schedule *a)
{
	struct runner *r;
	struct step s;
	int err = find_step(op, ARG_PERCPU_SCHEDULE_TASK, a->task, &s);

	if (err)
		return err;
	r = begin_step(&s);
	/* schedule() itself counts one. */
	if (r->preempt) {
		machine_printk(op->m,
			       "BUG: scheduling while atomic: %s/%d/0x%08x",
			       r->comm, r->pid, r->preempt + 1);
		r->preempt = 0;
	}
	answer_runner(op, r);
	return 0;
}

/* --- an update, in its steps ------------------------------------------------
 */

/* The task that has a pointer, and where it points. */
static int
find_pointer(struct op *op, int param, const char *task, struct step *s,
	     struct percpu_variable **v)
{
	int err = find_step(op, param, task, s);

	if (err)
		return err;
	*v = s->r ? percpu_get(op->m->percpu, s->r->variable) : NULL;
	if (!*v)
		return op_refuse(op, param, EFAULT,
				 "%s has no pointer to per-CPU data: "
				 "get_cpu_var or this_cpu_ptr give one",
				 task);
	return 0;
}

static size_t
counter_bytes(const struct percpu_variable *v)
{
	return MIN_OF(v->size, sizeof(uint64_t));
}

static int
store(struct op *op, const struct percpu_variable *v, uint32_t cpu,
      uint64_t value)
{
	uint8_t bytes[sizeof(value)];
	int err;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	err = percpu_write(op->m->percpu, v, cpu, 0, bytes, counter_bytes(v));
	if (err)
		return op_fail(op, -err, "no page can be had for %s on CPU %u",
			       v->name, cpu);
	op_answer(op, "value=%llu cpu=%u",
		  (unsigned long long)percpu_value(op->m->percpu, v, cpu), cpu);
	return 0;
}

int
op_percpu_load(struct op *op, struct args_percpu_load *a)
{
	struct percpu_variable *v;
	struct runner *r;
	struct step s;
	int err = find_pointer(op, ARG_PERCPU_LOAD_TASK, a->task, &s, &v);

	if (err)
		return err;
	r = begin_step(&s);
	r->reg = percpu_value(op->m->percpu, v, r->unit);
	r->loaded = true;
	op_answer(op, "register=%llu from_cpu=%u", (unsigned long long)r->reg,
		  r->unit);
	return 0;
}

int
op_percpu_add(struct op *op, struct args_percpu_add *a)
{
	struct step s;
	int err = find_step(op, ARG_PERCPU_ADD_TASK, a->task, &s);

	if (!err && (!s.r || !s.r->loaded))
		err = op_refuse(op, ARG_PERCPU_ADD_TASK, EINVAL,
				"%s has loaded nothing", a->task);
	if (err)
		return err;
	begin_step(&s)->reg += (uint64_t)a->by;
	op_answer(op, "register=%llu", (unsigned long long)s.r->reg);
	return 0;
}

int
op_percpu_store(struct op *op, struct args_percpu_store *a)
{
	struct percpu_variable *v;
	struct step s;
	int err = find_pointer(op, ARG_PERCPU_STORE_TASK, a->task, &s, &v);

	if (!err && !s.r->loaded)
		err = op_refuse(op, ARG_PERCPU_STORE_TASK, EINVAL,
				"%s has loaded nothing", a->task);
	if (err)
		return err;
	begin_step(&s);
	return store(op, v, s.r->unit, s.r->reg);
}

/* One instruction: nobody comes in between. */
int
op_percpu_this_cpu_add(struct op *op, struct args_percpu_this_cpu_add *a)
{
	struct percpu_variable *v;
	struct step s;
	int err = resolve_variable(op, ARG_PERCPU_THIS_CPU_ADD_VARIABLE,
				   a->variable, &v);

	if (!err)
		err = find_step(op, ARG_PERCPU_THIS_CPU_ADD_TASK, a->task, &s);
	if (err)
		return err;
	begin_step(&s);
	return store(op, v, s.r->cpu,
		     percpu_value(op->m->percpu, v, s.r->cpu) +
			     (uint64_t)a->by);
}
