// SPDX-License-Identifier: MIT
/*
 * kernel_args.c - the kernel's command line, cut into its arguments
 *
 * What it models: next_arg (lib/cmdline.c), parse_args and parameqn
 *                 (kernel/params.c);
 *                 cmdline_find_option and cmdline_find_option_bool
 *                 (arch/x86/lib/cmdline.c).
 * Differs from the kernel: a line may be longer than COMMAND_LINE_SIZE.
 */
#include "kmemfs/base/kernel_args.h"

#include <ctype.h>
#include <glib.h>
#include <string.h>

/* --- parse_args() -------------------------------------------------------- */

static size_t
blanks(const char *text)
{
	size_t n = 0;

	while (isspace((unsigned char)text[n]))
		n++;
	return n;
}

/* How long the argument at @text is; it begins @in_quote. */
static size_t
arg_length(const char *text, bool in_quote)
{
	size_t n = 0;

	for (; text[n] && (in_quote || !isspace((unsigned char)text[n])); n++)
		in_quote ^= text[n] == '"';
	return n;
}

/* A copy of @text without the quotes that are not its own; @quoted: it began
 * with one, which is gone already. */
static char *
arg_unquoted(const char *text, size_t len, bool quoted)
{
	char *word = g_strndup(text, len);
	/* A key has one character at least, even if that is a =. */
	char *equals = len ? strchr(word + 1, '=') : NULL;

	if (equals && equals[1] == '"') {
		memmove(equals + 1, equals + 2, strlen(equals + 1));
		len--;
		quoted = true;
	}
	if (quoted && len && word[len - 1] == '"')
		word[len - 1] = '\0';
	return word;
}

char *
kernel_args_next(const char **at, const char **start)
{
	const char *text = *at + blanks(*at);
	bool quoted = *text == '"';
	size_t len;
	char *word;

	*start = *at = text;
	if (!*text)
		return NULL;
	text += quoted;
	len = arg_length(text, quoted);
	*at = text + len;
	word = arg_unquoted(text, len, quoted);
	if (strcmp(word, "--"))
		return word;
	g_free(word);
	return NULL;
}

const char *
kernel_args_behind(const char *arg, const char *key)
{
	for (; *key; arg++, key++)
		if (*arg != *key && !(*arg == '-' && *key == '_'))
			return NULL;
	return arg;
}

/* --- the boot code of x86 ------------------------------------------------ */

/* It takes every control character for a blank. */
static bool
early_blank(char c)
{
	return (unsigned char)c <= ' ';
}

/* The next word at or behind *@at, which is moved on; NULL at the end. */
static char *
early_next(const char **at)
{
	const char *start;

	while (**at && early_blank(**at))
		(*at)++;
	start = *at;
	while (!early_blank(**at))
		(*at)++;
	return *at > start ? g_strndup(start, (gsize)(*at - start)) : NULL;
}

char *
kernel_args_find(const char *text, const char *key)
{
	size_t len = strlen(key);
	char *found = NULL, *word;

	while ((word = early_next(&text))) {
		if (!strncmp(word, key, len) && word[len] == '=') {
			g_free(found);
			found = g_strdup(word + len + 1);
		}
		g_free(word);
	}
	return found;
}

bool
kernel_args_has(const char *text, const char *option)
{
	bool found = false;
	char *word;

	while (!found && (word = early_next(&text))) {
		found = !strcmp(word, option);
		g_free(word);
	}
	return found;
}
