// SPDX-License-Identifier: MIT
/*
 * control.c - control files: lines of one op, and their answers
 *
 * How it works: one write is one transaction of one or more lines.  All are
 * parsed before any runs; the first that fails ends it, and the write returns
 * its errno.  On a descriptor that can also read, each op leaves a line of
 * answer.  Answers not read yet begin at the offset where the last write
 * ended: the shell shares one position between reading and writing, so it
 * stands just there.
 *
 * The kernel cuts a write of more than a MiB in requests, each of which is done
 * by itself; a line that the cut went through is put together again.
 */
#include "tree_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>

bool
answers_wanted(const struct tree_file *f)
{
	return (f->flags & O_ACCMODE) == O_RDWR;
}

void
answers_begin(struct tree_file *f, uint64_t at)
{
	size_t have = f->answers.len;

	if (f->talking && have) {
		/* The descriptor's position tells what was read; where a
		 * write goes elsewhere (O_APPEND), what was given out. */
		bool there = at >= f->answers_at && at - f->answers_at <= have;
		size_t used =
			there ? (size_t)(at - f->answers_at) : f->delivered;

		memmove(f->answers.text, f->answers.text + used, have - used);
		f->answers.len = have - used;
	}
	f->talking = answers_wanted(f);
	f->answers_at = at;
	f->delivered = 0;
}

ssize_t
answers_end(struct tree_file *f, size_t len, int err)
{
	/* A write that failed leaves the descriptor's position alone. */
	if (err)
		return err;
	f->answers_at += len;
	return (ssize_t)len;
}

ssize_t
control_read(struct tree_file *f, void *to, size_t len, uint64_t at)
{
	ssize_t got;

	if (at < f->answers_at)
		return 0;
	tree_lock(f->t);
	got = copy_part(f->answers.text, f->answers.len, to, len,
			at - f->answers_at);
	if (got > 0)
		f->delivered =
			MAX_OF(f->delivered,
			       (size_t)(at - f->answers_at) + (size_t)got);
	tree_unlock(f->t);
	return got;
}

void
log_line(struct tree_file *f, const char *op_name, const char *line,
	 const struct refusal *r)
{
	struct out answer = OUT_INIT;

	machine_log_refusal(f->t->m, op_name, line, r);
	op_answer_error(&answer, r);
	line_ring_add(&f->t->m->answers, out_text(&answer));
	if (answers_wanted(f)) {
		out_mem(&f->answers, answer.text, answer.len);
		out_char(&f->answers, '\n');
	}
	out_fini(&answer);
}

static const char *
op_of(const struct tree_file *f)
{
	return f->place.entry->op->name;
}

static const char *
skip_blanks(const char *text)
{
	while (*text == ' ' || *text == '\t' || *text == '\r')
		text++;
	return text;
}

/* An empty line among others is passed over; alone (echo > control/...) it is
 * the op with all its defaults. */
static bool
is_empty(const char *text)
{
	for (text = skip_blanks(text); *text == '\n';)
		text = skip_blanks(text + 1);
	return !*text;
}

bool
is_passed_over(const char *line)
{
	line = skip_blanks(line);
	return !*line || *line == '#';
}

/* Parse a line without doing anything. */
static int
check_line(struct tree_file *f, const char *line)
{
	struct refusal r = {0};
	struct op op;
	char *copy;
	int err;

	if (strlen(line) > CONTROL_LINE_MAX) {
		err = refuse(&r, E2BIG, 0, "the line is longer than 64 KiB");
		log_line(f, op_of(f), "", &r);
		return err;
	}
	copy = g_strdup(line);
	err = op_parse(f->t->m, op_of(f), copy, &op, &r);
	op_fini(&op);
	g_free(copy);
	if (err)
		log_line(f, op_of(f), line, &r);
	return err;
}

static int
run_line(struct tree_file *f, const char *line)
{
	struct out *answers = answers_wanted(f) ? &f->answers : &f->t->unread;
	int err = machine_do_words(f->t->m, f->place.entry->op, line, answers,
				   NULL);

	out_char(answers, '\n');
	out_reset(&f->t->unread);
	return err;
}

static int
do_lines(struct tree_file *f, const char *text)
{
	char **lines = g_strsplit(text, "\n", -1);
	int err = 0;

	for (char **line = lines; *line && !err; line++)
		if (!is_passed_over(*line))
			err = check_line(f, *line);
	for (char **line = lines; *line && !err; line++)
		if (!is_passed_over(*line))
			err = run_line(f, *line);
	g_strfreev(lines);
	return err;
}

/* All lines of @text, @len bytes, which it changes: parsed, then run. */
static int
do_text(struct tree_file *f, char *text, size_t len)
{
	char *newline = memchr(text, '\n', len);
	struct refusal r;
	int err;

	if (memchr(text, '\0', len)) {
		err = refuse(&r, EINVAL, strlen(text),
			     "a NUL byte cannot stand in a line");
		log_line(f, op_of(f), text, &r);
		return err;
	}
	if (is_empty(text))
		return run_line(f, "");
	if (len > CONTROL_LINE_MAX || (newline && newline + 1 < text + len))
		return do_lines(f, text);
	/* The usual case: one line, which is parsed as it runs. */
	if (newline)
		*newline = '\0';
	return is_passed_over(text) ? 0 : run_line(f, text);
}

/*
 * A request this large is a part of a larger write, which the kernel cut
 * somewhere: its unfinished last line waits for the rest.
 */
static size_t
held_back(const char *from, size_t len)
{
	const char *last = memrchr(from, '\n', len);

	if (len < CONTROL_WHOLE)
		return 0;
	return last ? len - (size_t)(last + 1 - from) : 0;
}

ssize_t
control_write(struct tree_file *f, const char *from, size_t len, uint64_t at)
{
	size_t held = held_back(from, len);
	ssize_t done;
	int err;

	tree_lock(f->t);
	answers_begin(f, at);
	out_mem(&f->tail, from, len - held);
	out_text(&f->tail);
	err = do_text(f, f->tail.text, f->tail.len);
	out_reset(&f->tail);
	if (!err)
		out_mem(&f->tail, from + len - held, held);
	done = answers_end(f, len, tree_acknowledge(f->t, err));
	tree_unlock_changed(f->t);
	return done;
}

void
control_close(struct tree_file *f)
{
	if (!f->tail.len)
		return;
	tree_lock(f->t);
	out_text(&f->tail);
	do_text(f, f->tail.text, f->tail.len);
	tree_acknowledge(f->t, 0);
	tree_unlock_changed(f->t);
}
