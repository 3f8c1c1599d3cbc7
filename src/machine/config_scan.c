// SPDX-License-Identifier: MIT
/*
 * config_scan.c - a machine file's lines
 *
 * How it works:   three kinds of lines count: "[group]", "key = value", and
 *                 those that say nothing (empty, or a remark from # on).  A
 *                 group or key that comes twice is an error at once: no reader
 *                 then has to know which of the two would win.
 */
#include "config_impl.h"

#include <stdarg.h>
#include <string.h>

bool
config_fail(struct config_reader *r, unsigned int line, const char *what,
	    const char *format, ...)
{
	va_list ap;
	char *reason;

	if (r->error)
		return false;
	va_start(ap, format);
	reason = g_strdup_vprintf(format, ap);
	va_end(ap);
	if (line)
		r->error = g_strdup_printf("%s:%u: %s: %s", r->source, line,
					   what, reason);
	else
		r->error =
			g_strdup_printf("%s: %s: %s", r->source, what, reason);
	g_free(reason);
	return false;
}

void
config_entry_free(void *entry)
{
	struct config_entry *e = entry;

	g_free(e->group);
	g_free(e->key);
	g_free(e->value);
	g_free(e);
}

static char *
entry_name(const char *group, const char *key)
{
	return g_strconcat(group, "\n", key, NULL);
}

struct config_entry *
config_entry_find(const struct config_reader *r, const char *group,
		  const char *key)
{
	char *name = entry_name(group, key);
	struct config_entry *e = g_hash_table_lookup(r->names, name);

	g_free(name);
	return e;
}

static bool
scan_add(struct config_reader *r, const char *group, const char *key,
	 const char *value, unsigned int line)
{
	const struct config_entry *old = config_entry_find(r, group, key);
	struct config_entry *e;

	if (old && key)
		return config_fail(r, line, key,
				   "already set in line %u; a key may stand "
				   "once in a group",
				   old->line);
	if (old)
		return config_fail(r, line, group,
				   "this group began in line %u already",
				   old->line);
	e = g_new0(struct config_entry, 1);
	e->group = g_strdup(group);
	e->key = g_strdup(key);
	e->value = g_strdup(value);
	e->line = line;
	g_ptr_array_add(r->entries, e);
	g_hash_table_insert(r->names, entry_name(group, key), e);
	return true;
}

/* "[ group ]" with the blanks inside and around it taken away. */
static bool
scan_group(struct config_reader *r, char *text, unsigned int line, char **group)
{
	char *end = strchr(text, ']');

	if (!end || end[1])
		return config_fail(r, line, text,
				   "a group is [name] on a line of its own");
	*end = '\0';
	g_free(*group);
	*group = g_strdup(g_strstrip(text + 1));
	return scan_add(r, *group, NULL, NULL, line);
}

static bool
scan_line(struct config_reader *r, char *text, unsigned int line, char **group)
{
	char *equals;

	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' && *c != '\t')
			return config_fail(r, line, "line",
					   "this is not text (byte 0x%02x)",
					   (unsigned char)*c);
	}
	text = g_strstrip(text);
	if (!*text || *text == '#')
		return true;
	if (*text == '[')
		return scan_group(r, text, line, group);
	equals = strchr(text, '=');
	if (!equals || equals == text)
		return config_fail(r, line, "line",
				   "neither [group] nor key = value");
	*equals = '\0';
	text = g_strchomp(text);
	if (!*group)
		return config_fail(r, line, text,
				   "stands before the first [group]");
	return scan_add(r, *group, text, g_strstrip(equals + 1), line);
}

bool
config_scan(struct config_reader *r, const char *text)
{
	char **lines = g_strsplit(text, "\n", -1);
	char *group = NULL;
	bool good = true;

	for (unsigned int i = 0; good && lines[i]; i++) {
		size_t len = strlen(lines[i]);

		/* Files that were written on other systems. */
		if (len && lines[i][len - 1] == '\r')
			lines[i][len - 1] = '\0';
		good = scan_line(r, lines[i], i + 1, &group);
	}
	g_free(group);
	g_strfreev(lines);
	return good;
}

/* --- settings from outside the file -------------------------------------- */

/* The value that a setting makes of @old, which may be NULL. */
static char *
setting_value(const char *old, const char *value, bool append)
{
	if (!append || !old || !*old)
		return g_strdup(value);
	return g_strconcat(old, " ", value, NULL);
}

static bool
setting_apply(struct config_reader *r, const char *group, const char *key,
	      const char *value, bool append)
{
	struct config_entry *e = config_entry_find(r, group, key);
	char *made = setting_value(e ? e->value : NULL, value, append);
	bool good = true;

	if (e) {
		g_free(e->value);
		e->value = g_strdup(made);
		e->line = 0;
	} else {
		if (!config_entry_find(r, group, NULL))
			good = scan_add(r, group, NULL, NULL, 0);
		good = good && scan_add(r, group, key, made, 0);
	}
	g_free(made);
	return good;
}

bool
config_settings(struct config_reader *r, char *const *settings)
{
	bool good = true;

	for (; settings && good && *settings; settings++) {
		char *text = g_strdup(*settings);
		char *equals = strchr(text, '=');
		bool append = equals && equals > text && equals[-1] == '+';
		char *dot;

		if (equals)
			equals[append ? -1 : 0] = '\0';
		dot = equals ? strrchr(text, '.') : NULL;
		if (dot)
			*dot++ = '\0';
		if (!dot || !*text || !*dot)
			good = config_fail(r, 0, *settings,
					   "a setting is group.key=value");
		else
			good = setting_apply(r, g_strstrip(text),
					     g_strstrip(dot),
					     g_strstrip(equals + 1), append);
		g_free(text);
	}
	return good;
}
