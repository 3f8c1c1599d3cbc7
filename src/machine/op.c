// SPDX-License-Identifier: MIT
/*
 * op.c - running one op: time, the handler, the journal, the answer
 *
 * Always true: an op that is refused leaves the machine as it was, time
 * included; one that ran, well or not, is in the journal and moved time on by
 * at least 1 ns.
 */
#include "op_impl.h"

#include "kmemfs/base/text.h"
#include "kmemfs/machine/journal.h"

#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHORT_LINE 256 /* bytes; longer ones are copied to the heap */

static void
say(struct refusal *r, int err, bool ran, size_t column, const char *format,
    va_list ap)
{
	if (!r)
		return;
	r->err = err;
	r->ran = ran;
	r->column = column;
	vsnprintf(r->sentence, sizeof(r->sentence), format, ap);
	refusal_tidy(r->sentence);
}

/*
 * op->result tells op_run which of the two ways a handler ended: refusing
 * leaves it 0, failing stores the errno.
 */
int
op_refuse(struct op *op, int param, int err, const char *format, ...)
{
	size_t column = 0;
	va_list ap;

	if (param >= 0 && op->column[param] != UINT32_MAX)
		column = op->column[param];
	va_start(ap, format);
	say(op->refusal, err, false, column, format, ap);
	va_end(ap);
	return -err;
}

int
op_fail(struct op *op, int err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(op->refusal, err, true, 0, format, ap);
	va_end(ap);
	op->result = -err;
	return -err;
}

int
op_find_task(struct op *op, int param, const char *word, struct task **task)
{
	const struct vm *vm = op->m->vm;
	uint64_t pid;

	*task = text_u64(word, &pid)
			? pid <= PID_MAX ? task_find(vm, (int32_t)pid) : NULL
			: task_named(vm, word);
	if (!*task && !strcmp(word, "init"))
		*task = task_init(vm);
	if (*task)
		return 0;
	return op_refuse(op, param, ESRCH, "there is no task %s", word);
}

int
op_check_cpu(struct op *op, int param, uint64_t cpu)
{
	if (op->m->phys->cpu_online[cpu])
		return 0;
	return op_refuse(op, param, EINVAL, "CPU %llu is offline",
			 (unsigned long long)cpu);
}

int
op_check_new_name(struct op *op, int param, const char *name)
{
	if (!name || !allocation_find(op->m, name))
		return 0;
	return op_refuse(op, param, EEXIST,
			 "there is an allocation called %s already", name);
}

int
op_check_allocations(struct op *op, uint64_t nr)
{
	if (nr <= ALLOCATION_ID_MAX - allocation_last_id(op->m))
		return 0;
	return op_refuse(op, -1, ENFILE,
			 "all 2^31 - 1 allocations have been made");
}

void
op_answer(struct op *op, const char *format, ...)
{
	va_list ap;

	if (!op->answer)
		return;
	va_start(ap, format);
	out_vprintf(op->answer, format, ap);
	va_end(ap);
}

/* What the passing of time does by itself is a change, too. */
static void
pass_time(struct machine *m)
{
	if ((m->slab->rcu.length || m->slab->classic) && slab_tick(m->slab))
		m->changed_ns = m->now_ns;
	if (m->mempools->waiting)
		mempool_tick(m);
	if (vm_tick(m->vm))
		m->changed_ns = m->now_ns;
}

/* The task that an op is done by or for, and who traces say it is. */
static int
find_task(struct op *op)
{
	struct machine *m = op->m;
	const char *word = NULL;
	int err = 0;

	if (op->desc->task >= 0)
		memcpy(&word,
		       op->args.bytes + op->desc->params[op->desc->task].offset,
		       sizeof(word));
	if (!word || !strcmp(word, "1"))
		op->task = task_init(m->vm);
	else
		err = op_find_task(op, op->desc->task, word, &op->task);
	if (err)
		return err;
	/* Whoever has allocated last plays no part in what comes. */
	m->vm->acting = NULL;
	m->trace.now.pid = op->task->pid;
	memcpy(m->trace.now.comm, op->task->comm, TASK_COMM_LEN);
	return 0;
}

static void
keep(struct op *op, uint64_t before)
{
	struct machine *m = op->m;

	if (op->desc->flags & OP_TRANSIENT) {
		m->generation++;
		return;
	}
	if (m->now_ns == before)
		m->now_ns++;
	if (!(op->desc->flags & OP_CLOCK))
		m->changed_ns = m->now_ns;
	m->generation++;
	m->position++;
	if (m->vm->ended)
		tasks_settle(m);
	pass_time(m);
	journal_append(m->journal, op);
}

int
op_run(struct machine *m, struct op *op, struct out *answer, struct refusal *r)
{
	uint64_t before = m->now_ns;
	size_t answered = answer ? answer->len : 0;
	int err;

	if (m->state == MACHINE_PANIC && !(op->desc->flags & OP_ALWAYS))
		return refuse(r, EIO, 0, "the machine has panicked");
	op->m = m;
	op->answer = answer;
	op->refusal = r;
	op->result = 0;
	m->trace.now.ns = before + 1;
	m->trace.now.cpu = 0;
	m->trace.now.context = 0;
	m->trace.now.preempt = 0;
	err = find_task(op);
	if (err)
		return err;
	if (!(op->desc->flags & (OP_CLOCK | OP_TRANSIENT)))
		m->now_ns = before + 1;
	vm_why_none(m->vm);
	err = op->desc->run(op, &op->args);
	if (err && !op->result) {
		m->now_ns = before;
		if (answer)
			answer->len = answered;
		return err;
	}
	op->result = err;
	keep(op, before);
	if (answer && !err && answer->len == answered)
		out_str(answer, "ok");
	return err;
}

void
op_answer_error(struct out *answer, const struct refusal *r)
{
	const char *name = strerrorname_np(r->err);

	out_printf(answer, "error %s %zu %s", name ? name : "EIO", r->column,
		   r->sentence);
}

void
machine_log_refusal(struct machine *m, const char *op_name, const char *line,
		    const struct refusal *r)
{
	struct out entry = OUT_INIT;
	size_t from = 0, len = strlen(line), column = r->column;
	const size_t around = 60;

	/* A very long line is shown around the word at fault. */
	if (len > 2 * around && column > around)
		from = column - around;
	if (len - from > 2 * around)
		len = from + 2 * around;
	out_printf(&entry, "[%5llu.%06llu] %s: error: %s\n  Command: ",
		   (unsigned long long)(m->now_ns / 1000000000),
		   (unsigned long long)(m->now_ns / 1000 % 1000000),
		   op_name ? op_name : "batch", r->sentence);
	for (size_t i = from; i < len; i++)
		out_char(&entry, g_ascii_isprint(line[i]) ? line[i] : '?');
	out_str(&entry, "\n           ");
	for (size_t i = from; i < column && i < len; i++)
		out_char(&entry, ' ');
	out_char(&entry, '^');
	if (m->story)
		out_printf(&entry, "\n%s", g_strchomp(m->story));
	g_clear_pointer(&m->story, g_free);
	line_ring_add(&m->error_log, out_text(&entry));
	m->generation++;
	out_fini(&entry);
}

int
machine_do_words(struct machine *m, const struct op_desc *desc,
		 const char *line, struct out *answer, struct refusal *r)
{
	struct out own_answer = OUT_INIT;
	struct out *to = answer ? answer : &own_answer;
	struct refusal own;
	size_t start = to->len, len = strlen(line) + 1;
	char room[SHORT_LINE];
	char *copy = len <= sizeof(room) ? room : g_malloc(len);
	struct op op;
	int err;

	/* Both are large: what nobody looks at is not cleared. */
	op.desc = NULL;
	r = r ? r : &own;
	r->err = 0;
	r->ran = false;
	r->column = 0;
	r->sentence[0] = '\0';
	memcpy(copy, line, len);
	err = desc ? op_parse_words(m, desc, copy, &op, r)
		   : op_parse(m, NULL, copy, &op, r);
	if (!err) {
		op.want_why = true;
		err = op_run(m, &op, to, r);
	}
	if (err) {
		to->len = start;
		op_answer_error(to, r);
		machine_log_refusal(m, op.desc ? op.desc->name : NULL, line, r);
	}
	line_ring_add(&m->answers, out_text(to) + start);
	m->generation++;
	op_fini(&op);
	if (copy != room)
		g_free(copy);
	out_fini(&own_answer);
	return err;
}

int
machine_do(struct machine *m, const char *line, struct out *answer,
	   struct refusal *r)
{
	return machine_do_words(m, NULL, line, answer, r);
}
