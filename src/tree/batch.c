// SPDX-License-Identifier: MIT
/*
 * batch.c - control/batch: ops by the million
 *
 * How it works: the complete lines of a write are parsed once, all before any
 * runs, into a row of records: which op, its arguments, where its line stood.
 * The arguments' words stay in the text, cut in place, so the line itself is
 * copied while it is parsed, for the log, and found again in what was written
 * when it fails as it runs.  A line cut in two by the size of a write waits for
 * its rest; what is left unfinished runs when the file is closed.
 *
 * Takes a journal too: its first line must be of the same machine, and a line
 * that tells its outcome must end the same way.
 */
#include "stream_impl.h"

#include "kmemfs/machine/journal.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* One parsed line; args_size bytes of arguments follow. */
struct step {
	const struct op_desc *desc;
	uint32_t line;	 /* where the line starts in the text */
	uint32_t len;	 /* its length */
	int32_t outcome; /* 0 or -errno that the journal tells */
	uint32_t given;
};

struct batch {
	struct tree_file *f;
	char *text;	   /* lines, cut in place */
	const char *whole; /* the same, as it was written */
	struct out steps;
};

static void
batch_log(struct tree_file *f, const char *line, size_t len,
	  const struct refusal *r)
{
	char *copy = g_strndup(line, len);

	log_line(f, NULL, copy, r);
	g_free(copy);
}

/*
 * What is not an op: a remark, a NUL byte, a journal's first line.  Returns 1
 * for a line to be run, 0 for one that is done with, -errno.  Cuts the outcome
 * off.
 */
static int
batch_prepare(struct machine *m, char *line, size_t len, int *outcome,
	      struct refusal *r)
{
	size_t at;

	*outcome = 0;
	if (is_passed_over(line))
		return 0;
	if (memchr(line, '\0', len))
		return refuse(r, EINVAL, strlen(line),
			      "a NUL byte cannot stand in a line");
	if (*line == 'k' && g_str_has_prefix(line, JOURNAL_MAGIC)) {
		const char *ours = journal_header(m->journal);

		if (!strncmp(line, ours, strlen(ours) - 1))
			return 0;
		return refuse(r, EINVAL, strlen(JOURNAL_MAGIC),
			      "this journal is of another machine");
	}
	/* An outcome is in capitals: no other line ends so. */
	if (g_ascii_isupper(line[len - 1]) &&
	    journal_outcome(line, len, &at, outcome))
		line[at] = '\0';
	return 1;
}

/* Parse the line of @len bytes at @at, its newline a NUL now. */
static int
batch_parse(struct batch *b, size_t at, size_t len)
{
	struct machine *m = b->f->t->m;
	struct step step = {.line = (uint32_t)at, .len = (uint32_t)len};
	struct refusal r;
	struct op op;
	int err, outcome;

	err = batch_prepare(m, b->text + at, len, &outcome, &r);
	if (!err)
		return 0;
	if (err > 0)
		err = op_parse(m, NULL, b->text + at, &op, &r);
	if (err) {
		r.ran = false;
		batch_log(b->f, b->whole + at, len, &r);
		return err;
	}
	step.desc = op.desc;
	step.outcome = outcome;
	step.given = op.given;
	out_mem(&b->steps, &step, sizeof(step));
	out_mem(&b->steps, &op.args, op.desc->args_size);
	return 0;
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
batch_step(struct batch *b, const struct step *step)
{
	struct tree_file *f = b->f;
	struct machine *m = f->t->m;
	struct out *answers = answers_wanted(f) ? &f->answers : NULL;
	size_t answered = f->answers.len;
	struct refusal r;
	struct op op;
	int err;

	r.ran = false;
	op_begin(&op, m, step->desc);
	memcpy(&op.args, step + 1, step->desc->args_size);
	op.given = step->given;
	err = batch_compare(op_run(m, &op, answers, &r), step->outcome, &r);
	op_fini(&op);
	if (err) {
		f->answers.len = answered;
		batch_log(f, b->whole + step->line, step->len, &r);
	} else if (answers) {
		out_char(answers, '\n');
	}
	return err;
}

static int
batch_run(struct batch *b)
{
	unsigned int nr = 0;
	size_t at = 0;
	int err = 0;

	while (!err && at < b->steps.len) {
		const struct step *step = (const void *)(b->steps.text + at);

		at += sizeof(*step) + step->desc->args_size;
		err = batch_step(b, step);
		if (++nr % LINES_A_BREATH == 0)
			tree_breathe(b->f->t);
	}
	return err;
}

/* Parse and run @len bytes of complete lines, the last one's newline among
 * them or a NUL behind it. */
static int
batch_do(struct tree_file *f, char *text, size_t len)
{
	struct batch b = {.f = f, .text = text};
	char *whole = g_memdup2(text, len + 1);
	unsigned int nr = 0;
	size_t at = 0;
	int err = 0;

	b.whole = whole;
	while (!err && at < len) {
		char *newline = memchr(text + at, '\n', len - at);
		size_t part =
			newline ? (size_t)(newline - text) - at : len - at;

		text[at + part] = '\0';
		err = batch_parse(&b, at, part);
		at += part + 1;
		if (++nr % LINES_A_BREATH == 0)
			tree_breathe(f->t);
	}
	if (!err)
		err = batch_run(&b);
	out_fini(&b.steps);
	g_free(whole);
	return err;
}

ssize_t
batch_write(struct tree_file *f, const char *from, size_t len, uint64_t at)
{
	const char *last = memrchr(from, '\n', len);
	size_t whole = last ? (size_t)(last + 1 - from) : 0;
	int err = 0;

	answers_begin(f, at);
	if (whole) {
		out_mem(&f->tail, from, whole);
		out_text(&f->tail);
		err = batch_do(f, f->tail.text, f->tail.len);
		out_reset(&f->tail);
	}
	if (!err && f->tail.len + len - whole > STREAM_LINE_MAX) {
		err = stream_too_long(f, NULL);
	}
	if (!err)
		out_mem(&f->tail, from + whole, len - whole);
	return answers_end(f, len, err);
}

void
batch_close(struct tree_file *f)
{
	if (!f->tail.len)
		return;
	out_text(&f->tail);
	batch_do(f, f->tail.text, f->tail.len);
	out_reset(&f->tail);
}
