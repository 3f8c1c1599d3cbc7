// SPDX-License-Identifier: MIT
/*
 * journal_replay.c - doing again what a journal tells
 *
 * How it works: each line is an op like any other; run on a machine of the
 * same machine file from boot on, it must end as it ended then.  The first
 * that does not is where the two programs or machines differ, and nothing after
 * it would mean anything: replay stops there and says so.
 *
 * A state directory's own records are run without becoming text in between.
 * The stories of the newest allocations are told again on the way, those of a
 * long past are not worth the time.
 */
#include "journal_impl.h"

#include "kmemfs/base/text.h"
#include "op_impl.h"

#include <errno.h>
#include <string.h>

#define STORIES 10000 /* lines from the end whose allocations get their why */

/* Compare outcomes; returns 0, or -EPROTO with a message. */
static int
check_outcome(const struct op *op, int then, int now, const struct refusal *r,
	      const char *what, uint64_t line, char **error)
{
	const char *names[2];
	struct out text = OUT_INIT;

	if (then == now && (!now || r->ran))
		return 0;
	names[0] = then ? strerrorname_np(-then) : "success";
	names[1] = now ? strerrorname_np(-now) : "success";
	op_print(op->desc, &op->args, &text);
	*error = g_strdup_printf("%s: line %llu: %s: ended in %s then, in %s "
				 "now%s%s",
				 what, (unsigned long long)line,
				 out_text(&text), names[0], names[1],
				 now ? ": " : "", now ? r->sentence : "");
	out_fini(&text);
	return -EPROTO;
}

/* Whether @value is one that a line for this machine could have had: the rest
 * was checked when the record was taken apart. */
static bool
value_fits(struct machine *m, const struct param *param, const uint8_t *value)
{
	struct refusal r;
	struct out word = OUT_INIT;
	uint64_t number, unused, args[OP_ARGS_MAX / sizeof(uint64_t)];
	const char *text;
	size_t bad_at;
	bool fits;

	memcpy(&number, value, sizeof(number));
	memcpy(&text, value, sizeof(text));
	switch (param->type) {
	case PARAM_CPU:
		return number < m->phys->nr_cpus;
	case PARAM_NODE:
		return (int64_t)number == NODE_LOCAL ||
		       number < m->phys->nr_nodes;
	case PARAM_NAME:
	case PARAM_NEWNAME:
		return !text || text_is_name(text);
	case PARAM_PAGE:
	case PARAM_ADDRESS:
	case PARAM_TASK:
		return !text || text_is_name(text) || text_u64(text, &unused);
	case PARAM_CACHE:
	case PARAM_CTOR:
	case PARAM_ALLOCATOR:
	case PARAM_SYMBOL:
		if (!text)
			return true;
		out_str(&word, text);
		out_text(&word);
		fits = !param_read(m, param, word.text, args, &bad_at, &r);
		out_fini(&word);
		return fits;
	default:
		return true;
	}
}

static bool
args_fit(struct machine *m, const struct journal_record *rec)
{
	for (unsigned int i = 0; i < rec->desc->nr_params; i++) {
		const struct param *param = &rec->desc->params[i];

		if (!value_fits(m, param, rec->args.bytes + param->offset))
			return false;
	}
	return true;
}

static uint32_t
given_of(const struct op_desc *desc, const void *args)
{
	uint32_t given = 0;

	for (unsigned int i = 0; i < desc->nr_params; i++)
		if (param_present(&desc->params[i], args))
			given |= 1u << i;
	return given;
}

int
journal_replay_own(struct machine *m, char **error)
{
	struct journal *j = m->journal;
	struct journal_reader r;
	struct journal_record rec;
	uint64_t line = 1, lines = j->count;
	int err = 0;

	journal_reader_init(&r, j, strlen(j->header), false);
	j->replaying = true;
	while (!err && journal_reader_line(&r, &rec)) {
		struct refusal why = {0};
		struct op op = {0};
		int now;

		line++;
		if (!args_fit(m, &rec)) {
			*error = g_strdup_printf("%s/journal: line %llu: this "
						 "machine cannot have "
						 "had this %s",
						 j->dir,
						 (unsigned long long)line,
						 rec.desc->name);
			err = -EINVAL;
			break;
		}
		op_begin(&op, m, rec.desc);
		memcpy(&op.args, &rec.args, rec.desc->args_size);
		op.given = given_of(rec.desc, &op.args);
		op.want_why = line + STORIES > lines;
		now = op_run(m, &op, NULL, &why);
		err = check_outcome(&op, rec.result, now, &why, j->dir, line,
				    error);
		op_fini(&op);
	}
	j->replaying = false;
	journal_reader_fini(&r);
	return err;
}

/* One line of text, @len bytes without newline; copied to @buf. */
static int
replay_line(struct machine *m, const char *text, size_t len, struct out *buf,
	    uint64_t line, char **error)
{
	struct refusal why = {0};
	struct op op = {0};
	int err, then = 0;

	if (memchr(text, '\0', len)) {
		*error = g_strdup_printf("journal: line %llu: a NUL byte",
					 (unsigned long long)line);
		return -EINVAL;
	}
	journal_outcome(text, len, &len, &then);
	out_reset(buf);
	out_mem(buf, text, len);
	out_text(buf);
	err = op_parse(m, NULL, buf->text, &op, &why);
	if (err)
		*error =
			g_strdup_printf("journal: line %llu: %s",
					(unsigned long long)line, why.sentence);
	else
		err = check_outcome(&op, then, op_run(m, &op, NULL, &why), &why,
				    "journal", line, error);
	op_fini(&op);
	return err;
}

const char *
journal_header(const struct journal *j)
{
	return j->header;
}

int
journal_replay(struct machine *m, const char *text, size_t len, char **error)
{
	const char *end = text + len, *next;
	const char *header = m->journal->header;
	struct out buf = OUT_INIT;
	uint64_t line = 1;
	int err = 0;

	if (len < strlen(JOURNAL_MAGIC) ||
	    memcmp(text, JOURNAL_MAGIC, strlen(JOURNAL_MAGIC))) {
		*error = g_strdup("not a journal: its first line is not "
				  "\"" JOURNAL_MAGIC "...\"");
		return -EINVAL;
	}
	if (len < strlen(header) || memcmp(text, header, strlen(header))) {
		*error = g_strdup("this journal is of another machine");
		return -EINVAL;
	}
	for (text += strlen(header); !err && text < end; text = next) {
		size_t part;

		next = memchr(text, '\n', (size_t)(end - text));
		part = (size_t)((next ? next : end) - text);
		next = next ? next + 1 : end;
		line++;
		if (part && *text != '#')
			err = replay_line(m, text, part, &buf, line, error);
	}
	out_fini(&buf);
	return err;
}
