// SPDX-License-Identifier: MIT
/*
 * stream.c - files that take or give without end
 *
 * batch takes ops, ftrace takes a recording, trace_pipe gives events.  A line
 * cut in two by the size of a write waits in the descriptor for its rest; what
 * is left unfinished runs when the file is closed.  After every few hundred
 * lines others may have the machine.
 */
#include "tree_impl.h"

#include "kmemfs/machine/journal.h"
#include "kmemfs/machine/replay.h"
#include "kmemfs/view/trace_text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>

#define LINES_A_BREATH 512

typedef int (*line_fn)(struct tree_file *f, char *line, size_t len);

/*
 * Run the complete lines of @from with what was left before; the rest is kept.
 * Returns 0 or the first line's error: then nothing is kept.
 */
static int
run_complete(struct tree_file *f, const char *from, size_t len, line_fn run)
{
	unsigned int nr = 0;
	char *at, *end;
	int err = 0;

	if (f->tail.len + len > STREAM_LINE_MAX + len &&
	    !memchr(from, '\n', len)) {
		out_reset(&f->tail);
		return -E2BIG;
	}
	out_mem(&f->tail, from, len);
	at = f->tail.text;
	end = at + f->tail.len;
	while (!err) {
		char *newline = memchr(at, '\n', (size_t)(end - at));

		if (!newline)
			break;
		*newline = '\0';
		err = run(f, at, (size_t)(newline - at));
		at = newline + 1;
		if (++nr % LINES_A_BREATH == 0)
			tree_breathe(f->t);
	}
	if (err)
		at = end;
	memmove(f->tail.text, at, (size_t)(end - at));
	f->tail.len = (size_t)(end - at);
	return err;
}

static void
run_tail(struct tree_file *f, line_fn run)
{
	if (!f->tail.len)
		return;
	out_text(&f->tail);
	run(f, f->tail.text, f->tail.len);
	out_reset(&f->tail);
}

/* --- control/batch
 * ---------------------------------------------------------------- Takes a
 * journal too: its first line must be of the same machine, and a line that
 * tells its outcome must end the same way. */

static bool
is_passed_over(const char *line)
{
	line += strspn(line, " \t\r");
	return !*line || *line == '#';
}

/*
 * What is not an op: a NUL byte, a journal's first line.  Returns 1 for a line
 * to be run, 0 for one that is done with, -errno.  Cuts the outcome off.
 */
static int
batch_prepare(struct machine *m, char *line, size_t len, int *outcome,
	      struct refusal *r)
{
	size_t at;

	*outcome = 0;
	if (is_passed_over(line))
		return 0;
	if (strlen(line) != len)
		return refuse(r, EINVAL, strlen(line),
			      "a NUL byte cannot stand in a line");
	if (g_str_has_prefix(line, JOURNAL_MAGIC)) {
		const char *ours = journal_header(m->journal);

		if (!strncmp(line, ours, strlen(ours) - 1))
			return 0;
		return refuse(r, EINVAL, strlen(JOURNAL_MAGIC),
			      "this journal is of another machine");
	}
	if (journal_outcome(line, len, &at, outcome))
		line[at] = '\0';
	return 1;
}

static void
batch_log(struct tree_file *f, const char *line, const struct refusal *r)
{
	machine_log_refusal(f->t->m, NULL, line, r);
	if (answers_wanted(f))
		out_printf(&f->answers, "error %s %zu %s\n",
			   strerrorname_np(r->err), r->column, r->sentence);
}

/* The op ended in @err; the journal says @outcome. */
static int
batch_compare(int err, int outcome, struct refusal *r)
{
	if (err == outcome && (!err || r->ran))
		return 0;
	if (!outcome)
		return err;
	return refuse(r, EPROTO, 0, "it ended in %s then, in %s now",
		      strerrorname_np(-outcome),
		      err ? strerrorname_np(-err) : "success");
}

static int
batch_line(struct tree_file *f, char *line, size_t len)
{
	struct machine *m = f->t->m;
	struct out *answers = answers_wanted(f) ? &f->answers : NULL;
	size_t answered = answers ? answers->len : 0;
	struct refusal r = {0};
	char short_copy[256], *copy;
	struct op op = {0};
	int outcome, err;

	/* op_parse cuts the line: keep it for the log. */
	copy = len < sizeof(short_copy) ? short_copy : g_malloc(len + 1);
	memcpy(copy, line, len + 1);
	err = batch_prepare(m, line, len, &outcome, &r);
	if (err > 0) {
		err = op_parse(m, NULL, line, &op, &r);
		if (!err)
			err = batch_compare(op_run(m, &op, answers, &r),
					    outcome, &r);
		op_fini(&op);
		if (answers && !err)
			out_char(answers, '\n');
	}
	if (err) {
		if (answers)
			answers->len = answered;
		batch_log(f, copy, &r);
	}
	if (copy != short_copy)
		g_free(copy);
	return err;
}

/* Parse one complete line in @work, a copy of @line; nothing runs. */
static int
batch_check_line(struct tree_file *f, struct out *line, struct out *work)
{
	struct machine *m = f->t->m;
	struct refusal r = {0};
	struct op op = {0};
	int outcome, err;

	out_reset(work);
	out_mem(work, out_text(line), line->len + 1);
	err = batch_prepare(m, work->text, line->len, &outcome, &r);
	if (err > 0)
		err = op_parse(m, NULL, work->text, &op, &r);
	op_fini(&op);
	if (err)
		batch_log(f, line->text, &r);
	return err;
}

/* Parse what is complete before any of it runs. */
static int
batch_check(struct tree_file *f, const char *from, size_t len)
{
	const char *end = from + len;
	struct out line = OUT_INIT, work = OUT_INIT;
	int err = 0;

	out_mem(&line, f->tail.text, f->tail.len);
	while (!err) {
		const char *newline = memchr(from, '\n', (size_t)(end - from));

		if (!newline)
			break;
		out_mem(&line, from, (size_t)(newline - from));
		from = newline + 1;
		err = batch_check_line(f, &line, &work);
		out_reset(&line);
	}
	out_fini(&line);
	out_fini(&work);
	return err;
}

static ssize_t
batch_write(struct tree_file *f, const char *from, size_t len, uint64_t at)
{
	int err;

	answers_begin(f, at);
	err = batch_check(f, from, len);
	if (err)
		out_reset(&f->tail);
	else
		err = run_complete(f, from, len, batch_line);
	return answers_end(f, len, err);
}

static void
batch_close(struct tree_file *f)
{
	run_tail(f, batch_line);
}

/* --- replay/ftrace
 * ------------------------------------------------------------------ */

static int
ftrace_line(struct tree_file *f, char *line, size_t len)
{
	struct refusal r = {0};
	int err = replay_line(f->t->m, line, len, &r);

	if (err)
		machine_log_refusal(f->t->m, "replay/ftrace", line, &r);
	return err;
}

static int
ftrace_open(struct tree_file *f)
{
	int err = 0;

	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return 0;
	if (f->t->replaying)
		return -EBUSY;
	err = replay_begin(f->t->m, NULL);
	if (!err)
		f->t->replaying = true;
	return err;
}

static void
ftrace_close(struct tree_file *f)
{
	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return;
	run_tail(f, ftrace_line);
	replay_end(f->t->m, NULL);
	f->t->replaying = false;
}

static ssize_t
ftrace_write(struct tree_file *f, const char *from, size_t len, uint64_t at)
{
	int err = run_complete(f, from, len, ftrace_line);

	(void)at;
	return err ? err : (ssize_t)len;
}

/* --- trace/trace_pipe
 * ---------------------------------------------------------------- */

static ssize_t
pipe_read(struct tree_file *f, void *to, size_t len, uint64_t at)
{
	size_t got;

	(void)at;
	if (!f->ready.len)
		trace_pipe_take(f->t->m, &f->ready, len);
	if (!f->ready.len)
		return -EAGAIN;
	got = MIN_OF(len, f->ready.len);
	memcpy(to, f->ready.text, got);
	memmove(f->ready.text, f->ready.text + got, f->ready.len - got);
	f->ready.len -= got;
	return (ssize_t)got;
}

static bool
pipe_readable(struct tree_file *f)
{
	return f->ready.len ||
	       trace_oldest(&f->t->m->trace) < f->t->m->trace.written;
}

static const struct stream streams[] = {
	{.name = "batch",  .close = batch_close, .write = batch_write},
	{.name = "ftrace",
	 .open = ftrace_open,
	 .close = ftrace_close,
	 .write = ftrace_write},
	{.name = "trace_pipe",		       .read = pipe_read,		  .readable = pipe_readable	   },
};

const struct stream *
stream_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
		if (!strcmp(streams[i].name, name))
			return &streams[i];
	return NULL;
}
