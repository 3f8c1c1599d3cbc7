// SPDX-License-Identifier: MIT
/*
 * stream.c - files that take or give without end
 *
 * batch takes ops (batch.c), ftrace takes a recording, trace_pipe gives events.
 * A line cut in two by the size of a write waits in the descriptor for its
 * rest; what is left unfinished runs when the file is closed.  After every few
 * hundred lines others may have the machine.
 */
#include "stream_impl.h"

#include "kmemfs/machine/replay.h"
#include "kmemfs/view/trace_text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>

int
stream_too_long(struct tree_file *f, const char *op_name)
{
	struct refusal r;
	int err = refuse(&r, E2BIG, 0, "the line is longer than 4 MiB");

	out_reset(&f->tail);
	log_line(f, op_name, "", &r);
	return err;
}

/* --- replay/ftrace ----------------------------------------------------------
 */

static int
ftrace_line(struct tree_file *f, const char *line, size_t len)
{
	struct refusal r;
	char *copy;
	int err;

	r.ran = false;
	err = replay_line(f->t->m, line, len, &r);
	if (!err)
		return 0;
	copy = g_strndup(line, len);
	machine_log_refusal(f->t->m, "replay/ftrace", copy, &r);
	g_free(copy);
	return err;
}

/* The end of a line whose start came with the write before. */
static int
ftrace_joined(struct tree_file *f, const char *from, size_t len)
{
	int err;

	out_mem(&f->tail, from, len);
	err = ftrace_line(f, out_text(&f->tail), f->tail.len);
	out_reset(&f->tail);
	return err;
}

/* Lines are read where they lie; only one that is cut in two is copied. */
static int
ftrace_lines(struct tree_file *f, const char *at, size_t len)
{
	const char *end = at + len;
	unsigned int nr = 0;
	int err = 0;

	while (!err) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		if (!newline)
			break;
		if (f->tail.len)
			err = ftrace_joined(f, at, (size_t)(newline - at));
		else
			err = ftrace_line(f, at, (size_t)(newline - at));
		at = newline + 1;
		if (++nr % LINES_A_BREATH == 0)
			tree_breathe(f->t);
	}
	if (!err && f->tail.len + (size_t)(end - at) > STREAM_LINE_MAX)
		err = stream_too_long(f, "replay/ftrace");
	if (err)
		out_reset(&f->tail);
	else
		out_mem(&f->tail, at, (size_t)(end - at));
	return err;
}

static int
ftrace_open(struct tree_file *f)
{
	struct refusal r = {0};
	int err;

	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return 0;
	if (f->t->replaying)
		err = refuse(&r, EBUSY, 0,
			     "another writer is giving a recording");
	else
		err = replay_begin(f->t->m, &r);
	if (err)
		machine_log_refusal(f->t->m, "replay/ftrace", "", &r);
	else
		f->t->replaying = true;
	return err;
}

static void
ftrace_close(struct tree_file *f)
{
	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return;
	if (f->tail.len)
		ftrace_joined(f, "", 0);
	replay_end(f->t->m, NULL);
	f->t->replaying = false;
}

static ssize_t
ftrace_write(struct tree_file *f, const char *from, size_t len, uint64_t at)
{
	int err = ftrace_lines(f, from, len);

	(void)at;
	return err ? err : (ssize_t)len;
}

/* --- trace/trace_pipe -------------------------------------------------------
 */

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
