// SPDX-License-Identifier: MIT
/*
 * op_text.c - an op as its canonical line, and how to use it
 *
 * The canonical line names every parameter but those that must be given, so
 * that a journal reads by itself and does not depend on defaults.
 */
#include "op_impl.h"

#include <string.h>

static void
print_word(const struct param *param, const void *args, struct out *out)
{
	if (!param_present(param, args))
		return;
	out_char(out, ' ');
	if (param->fallback || param->optional) {
		out_str(out, param->name);
		out_char(out, '=');
	}
	param_print(param, args, out);
}

void
op_print(const struct op_desc *desc, const void *args, struct out *out)
{
	const struct param *text = NULL;

	out_str(out, desc->name);
	for (unsigned int i = 0; i < desc->nr_params; i++)
		if (desc->params[i].type == PARAM_TEXT)
			text = &desc->params[i];
		else
			print_word(&desc->params[i], args, out);
	/* It would take all that stands behind it. */
	if (text)
		print_word(text, args, out);
}

static void
signature(const struct op_desc *desc, struct out *out)
{
	for (unsigned int i = 0; i < desc->nr_params; i++) {
		const struct param *param = &desc->params[i];
		bool may = param->fallback || param->optional;

		out_printf(out, " %s%s%s", may ? "[" : "", param->name,
			   may ? "]" : "");
	}
}

static void
help_param(const struct param *param, struct out *out)
{
	out_printf(out, "  %-12s %s", param->name,
		   param_type_help(param->type));
	if (param->fallback)
		out_printf(out, "; default %s", param->fallback);
	else if (param->optional)
		out_str(out, "; may be left out");
	out_char(out, '\n');
	if (param->doc[0])
		out_printf(out, "  %-12s %s\n", "", param->doc);
}

static void
help_fails(const char *fails, struct out *out)
{
	out_str(out, "\nErrors:\n  ");
	for (; *fails; fails++) {
		out_char(out, *fails);
		if (*fails == '\n')
			out_str(out, "  ");
	}
	out_char(out, '\n');
}

/* "echo WORDS > control/NAME" of a whole op line. */
static void
help_echo(const char *line, size_t len, struct out *out)
{
	size_t name = strcspn(line, " \n");
	const char *words = line + name + strspn(line + name, " ");

	out_printf(out, "  echo \"%.*s\" > control/%.*s\n",
		   words < line + len ? (int)(line + len - words) : 0, words,
		   (int)name, line);
}

static void
help_example(const struct op_desc *desc, struct out *out)
{
	const char *at = desc->before;

	out_str(out, "\nExample:\n");
	while (at && *at) {
		size_t len = strcspn(at, "\n");

		help_echo(at, len, out);
		at += len + (at[len] == '\n');
	}
	out_printf(out, "  echo \"%s\" > control/%s\n", desc->example,
		   desc->name);
}

void
op_help(const struct op_desc *desc, struct out *out)
{
	out_printf(out, "%s\n\nUsage: %s", desc->doc, desc->name);
	signature(desc, out);
	out_char(out, '\n');
	if (desc->nr_params)
		out_char(out, '\n');
	for (unsigned int i = 0; i < desc->nr_params; i++)
		help_param(&desc->params[i], out);
	out_printf(out, "\nAnswers: %s\n", desc->gives ? desc->gives : "ok");
	if (desc->fails)
		help_fails(desc->fails, out);
	if (desc->example)
		help_example(desc, out);
}
