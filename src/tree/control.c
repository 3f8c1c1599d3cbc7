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

	if (f->talking && at >= f->answers_at && at - f->answers_at <= have) {
		size_t used = (size_t)(at - f->answers_at);

		memmove(f->answers.text, f->answers.text + used, have - used);
		f->answers.len = have - used;
	}
	f->talking = answers_wanted(f);
	f->answers_at = at;
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
	tree_unlock(f->t);
	return got;
}

/* Log a line that could not even be parsed, as machine_do does. */
static int
refuse_line(struct tree_file *f, const char *line, int err, size_t column,
	    const char *sentence)
{
	const char *name = f->place.entry->op->name;
	struct refusal r;

	refuse(&r, err, column, "%s", sentence);
	machine_log_refusal(f->t->m, name, line, &r);
	if (answers_wanted(f))
		out_printf(&f->answers, "error %s %zu %s\n",
			   strerrorname_np(err), column, sentence);
	return -err;
}

/* An empty line among others is passed over; alone (echo > control/...) it is
 * the op with all its defaults. */
static bool
is_empty(const char *text)
{
	return !text[strspn(text, " \t\r\n")];
}

static bool
is_passed_over(const char *line, bool alone)
{
	line += strspn(line, " \t\r");
	return (!*line && !alone) || *line == '#';
}

/* Parse every line without doing anything. */
static int
check_lines(struct tree_file *f, char **lines, bool alone)
{
	const char *name = f->place.entry->op->name;

	for (; *lines; lines++) {
		struct refusal r = {0};
		struct op op;
		char *copy;
		int err;

		if (is_passed_over(*lines, alone))
			continue;
		if (strlen(*lines) > CONTROL_LINE_MAX)
			return refuse_line(f, "", E2BIG, 0,
					   "the line is longer than 64 KiB");
		copy = g_strdup(*lines);
		err = op_parse(f->t->m, name, copy, &op, &r);
		op_fini(&op);
		g_free(copy);
		if (err)
			return refuse_line(f, *lines, r.err, r.column,
					   r.sentence);
	}
	return 0;
}

static int
run_lines(struct tree_file *f, char **lines, bool alone)
{
	struct machine *m = f->t->m;
	const char *name = f->place.entry->op->name;
	struct out *answers = answers_wanted(f) ? &f->answers : NULL;
	int err = 0;

	for (; *lines && !err; lines++) {
		if (is_passed_over(*lines, alone))
			continue;
		err = machine_do_words(m, name, *lines, answers, NULL);
		if (answers)
			out_char(answers, '\n');
	}
	return err;
}

ssize_t
control_write(struct tree_file *f, const char *from, size_t len, uint64_t at)
{
	const char *nul = memchr(from, '\0', len);
	char *text, **lines;
	ssize_t done;
	bool alone;
	int err;

	tree_lock(f->t);
	answers_begin(f, at);
	text = g_strndup(from, len);
	alone = !nul && is_empty(text);
	lines = g_strsplit(alone ? " " : text, "\n", -1);
	if (nul)
		err = refuse_line(f, text, EINVAL, (size_t)(nul - from),
				  "a NUL byte cannot stand in a line");
	else
		err = check_lines(f, lines, alone);
	if (!err)
		err = run_lines(f, lines, alone);
	g_strfreev(lines);
	g_free(text);
	done = answers_end(f, len, tree_acknowledge(f->t, err));
	tree_unlock_changed(f->t);
	return done;
}
