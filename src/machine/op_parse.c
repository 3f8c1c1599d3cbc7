// SPDX-License-Identifier: MIT
/*
 * op_parse.c - from a line to an op with typed arguments
 *
 * How it works: the line is cut into words in place.  "key=value" names its
 * parameter; bare words fill, from left to right, the parameters that the line
 * does not name, so names must all be known before any bare word is placed:
 * two passes over at most 32 words.  A parameter of type text takes the rest
 * of the line, blanks and all.
 *
 * Always true: nothing is changed but the line's own bytes; arguments point
 * into the line.
 */
#include "op_impl.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#define WORDS_MAX 32
#define NAMES 512 /* slots of the name table, a power of two */

struct word {
	char *text;    /* the value, without "key=" */
	size_t column; /* where it starts in the line */
	int param;     /* the parameter it names, -1: bare */
};

/* --- op names ---------------------------------------------------------------
 * Open addressing, filled once; arguments' defaults are read then too. */

static uint16_t name_table[NAMES]; /* index in op_table plus 1 */
static uint8_t *default_args;	   /* OP_ARGS_MAX bytes for each op */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int filled; /* atomic: once is through, there is no need to ask it */

static unsigned int
name_hash(const char *name, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619u;
	return h & (NAMES - 1);
}

static void
read_defaults(const struct op_desc *desc, uint8_t *args)
{
	for (unsigned int i = 0; i < desc->nr_params; i++) {
		const struct param *param = &desc->params[i];
		struct refusal r;
		size_t bad_at;
		char *word;
		int err;

		if (!param->fallback)
			continue;
		word = g_strdup(param->fallback);
		err = param_read(NULL, param, word, args, &bad_at, &r);
		if (err)
			g_error("%s: bad default: %s", desc->name, r.sentence);
		/* A default that is a word is kept, as long as the table. */
		if (!param_is_word(param))
			g_free(word);
	}
}

static void
fill_tables(void)
{
	default_args = g_malloc0((size_t)op_table_size * OP_ARGS_MAX);
	for (unsigned int i = 0; i < op_table_size; i++) {
		const char *name = op_table[i].name;
		unsigned int at = name_hash(name, strlen(name));

		while (name_table[at])
			at = (at + 1) & (NAMES - 1);
		name_table[at] = (uint16_t)(i + 1);
		read_defaults(&op_table[i], default_args + i * OP_ARGS_MAX);
	}
	__atomic_store_n(&filled, 1, __ATOMIC_RELEASE);
}

static inline void
tables_needed(void)
{
	if (!__atomic_load_n(&filled, __ATOMIC_ACQUIRE))
		pthread_once(&once, fill_tables);
}

static const struct op_desc *
find(const char *name, size_t len)
{
	tables_needed();
	for (unsigned int at = name_hash(name, len); name_table[at];
	     at = (at + 1) & (NAMES - 1)) {
		const struct op_desc *desc = &op_table[name_table[at] - 1];

		if (!strncmp(desc->name, name, len) && !desc->name[len])
			return desc;
	}
	return NULL;
}

const struct op_desc *
op_find(const char *name)
{
	return find(name, strlen(name));
}

/* --- words -------------------------------------------------------------------
 */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Which parameter "key=..." at @text names: -1 none of that name, -2 no key. */
static int
named_param(const struct op_desc *desc, const char *text, size_t len,
	    size_t *value_at)
{
	size_t key = 0;

	while (key < len && (g_ascii_islower(text[key]) || text[key] == '_'))
		key++;
	if (!key || key == len || text[key] != '=')
		return -2;
	*value_at = key + 1;
	for (unsigned int i = 0; i < desc->nr_params; i++)
		if (!strncmp(desc->params[i].name, text, key) &&
		    !desc->params[i].name[key])
			return (int)i;
	return -1;
}

/* Whether the next bare word begins the rest-of-line parameter. */
static bool
text_is_next(const struct op_desc *desc, uint32_t named, unsigned int bare)
{
	unsigned int free_before = 0;

	for (unsigned int i = 0; i < desc->nr_params; i++) {
		if (named & (1u << i))
			continue;
		if (desc->params[i].type == PARAM_TEXT)
			return free_before == bare;
		free_before++;
	}
	return false;
}

struct cutting {
	struct op *op;
	char *line;
	struct refusal *r;
	struct word words[WORDS_MAX];
	unsigned int nr;
	unsigned int bare;
};

static int
cut_word(struct cutting *c, char *start, char *end)
{
	const struct op_desc *desc = c->op->desc;
	struct word *word = &c->words[c->nr];
	size_t column = (size_t)(start - c->line);
	size_t value_at = 0;
	int param = named_param(desc, start, (size_t)(end - start), &value_at);

	if (c->nr == WORDS_MAX)
		return refuse(c->r, EINVAL, column, "too many words");
	if (param == -1) {
		*end = '\0';
		start[value_at - 1] = '\0';
		return refuse(c->r, EINVAL, column, "%s has no parameter '%s'",
			      desc->name, start);
	}
	if (param >= 0) {
		if (c->op->given & (1u << param))
			return refuse(c->r, EINVAL, column,
				      "parameter '%s' is given twice",
				      desc->params[param].name);
		c->op->given |= 1u << param;
	} else {
		c->bare++;
	}
	word->text = start + value_at;
	word->column = column + value_at;
	word->param = param >= 0 ? param : -1;
	c->nr++;
	return 0;
}

static int
cut(struct cutting *c, char *at)
{
	for (;;) {
		char *start;
		bool last;
		int err;

		while (is_blank(*at))
			at++;
		if (!*at)
			return 0;
		start = at;
		if (text_is_next(c->op->desc, c->op->given, c->bare)) {
			size_t value_at;

			at += strlen(at);
			while (at > start && is_blank(at[-1]))
				at--;
			if (named_param(c->op->desc, start,
					(size_t)(at - start), &value_at) < 0) {
				*at = '\0';
				c->words[c->nr] = (struct word){
					start, (size_t)(start - c->line), -1};
				c->nr++;
				c->bare++;
				return 0;
			}
			at = start;
		}
		while (*at && !is_blank(*at))
			at++;
		last = !*at;
		err = cut_word(c, start, at);
		if (err)
			return err;
		*at = '\0';
		if (last)
			return 0;
		at++;
	}
}

static int
read_words(struct cutting *c)
{
	struct op *op = c->op;
	const struct op_desc *desc = op->desc;
	unsigned int next = 0;

	for (unsigned int i = 0; i < c->nr; i++) {
		struct word *word = &c->words[i];
		size_t bad_at;
		int err;

		if (word->param < 0) {
			while (next < desc->nr_params &&
			       op->given & (1u << next))
				next++;
			if (next == desc->nr_params)
				return refuse(c->r, EINVAL, word->column,
					      "'%s' is one word too many",
					      word->text);
			word->param = (int)next;
			op->given |= 1u << next;
		}
		op->column[word->param] = (uint32_t)word->column;
		err = param_read(op->m, &desc->params[word->param], word->text,
				 &op->args, &bad_at, c->r);
		if (err) {
			if (c->r)
				c->r->column = word->column + bad_at;
			return err;
		}
	}
	for (unsigned int i = 0; i < desc->nr_params; i++)
		if (!(op->given & (1u << i)) && !desc->params[i].fallback &&
		    !desc->params[i].optional)
			return refuse(c->r, EINVAL, strlen(c->line),
				      "%s wants its parameter '%s'", desc->name,
				      desc->params[i].name);
	return 0;
}

void
op_begin(struct op *op, struct machine *m, const struct op_desc *desc)
{
	tables_needed();
	memset(op, 0, offsetof(struct op, args));
	op->m = m;
	op->desc = desc;
	memcpy(&op->args, default_args + (desc - op_table) * OP_ARGS_MAX,
	       desc->args_size);
	memset(op->column, 0xff, sizeof(op->column));
	op->owned = NULL;
}

/* The words from @at on, in @line, of an op that is begun. */
static int
parse_words(struct op *op, char *line, char *at, struct refusal *r)
{
	struct cutting c;
	int err;

	/* Not all of it: the words are filled in one by one. */
	c.op = op;
	c.line = line;
	c.r = r;
	c.nr = c.bare = 0;
	err = cut(&c, at);
	if (!err)
		err = read_words(&c);
	return err;
}

int
op_parse_words(struct machine *m, const struct op_desc *desc, char *words,
	       struct op *op, struct refusal *r)
{
	op_begin(op, m, desc);
	return parse_words(op, words, words, r);
}

int
op_parse(struct machine *m, const char *name, char *line, struct op *op,
	 struct refusal *r)
{
	const struct op_desc *desc;
	char *at = line, *start;

	if (name)
		return op_parse_words(m, op_find(name), line, op, r);
	op->owned = NULL;
	op->desc = NULL;
	while (is_blank(*at))
		at++;
	start = at;
	while (*at && !is_blank(*at))
		at++;
	desc = find(start, (size_t)(at - start));
	if (!desc) {
		*at = '\0';
		return refuse(r, EINVAL, (size_t)(start - line),
			      "%s: no such op", start);
	}
	op_begin(op, m, desc);
	return parse_words(op, line, at, r);
}

void
op_fini(struct op *op)
{
	if (op->owned)
		g_free(op->owned);
	op->owned = NULL;
}
