// SPDX-License-Identifier: MIT
/*
 * kmem.c - the tree without a mount: look, act, replay, from a shell
 *
 * How it works: the same src/tree that FUSE serves, called directly; nothing
 * here knows what a file holds.  A machine lives for one call, unless --state
 * keeps it.  Without a command, commands are read from standard input.
 */
#include "kmem_impl.h"

#include "kmemfs/machine/config.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *machine_name, *state_dir, **settings;
static gboolean keep_going, show_version;

static const GOptionEntry options[] = {
	{"machine",	    'm', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &machine_name,
	 "the machine: a name, a file, or - for standard input", "NAME"},
	{"state", 's', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME, &state_dir,
	 "keep the machine here between calls", "DIR"},
	{"set",	'S', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING_ARRAY, &settings,
	 "let a key of the machine file have this value; += adds a word", "GROUP.KEY=VALUE"},
	{"keep-going",	       'k', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &keep_going,
	 "in a script: go on after a failure", NULL},
	{"version",		    'V', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &show_version,
	 "print the version and exit", NULL},
	{0},
};

int
complain(const char *what, int err)
{
	/* What was printed before stands before it. */
	fflush(stdout);
	fprintf(stderr, "kmem: %s: %s\n", what, strerror(-err));
	return err;
}

int
complain_refused(struct tree *t, const char *what, int err)
{
	static uint64_t seen; /* entries of error_log that were shown */
	struct out entry = OUT_INIT;

	complain(what, err);
	if (tree_last_refusal(t, &seen, &entry))
		fprintf(stderr, "%s\n", out_text(&entry));
	out_fini(&entry);
	return err;
}

static const struct command *
find_command(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static int
run_words(struct tree *t, int nr, char **words)
{
	const struct command *command = find_command(words[0]);

	if (!command) {
		fprintf(stderr, "kmem: %s: no such command\n", words[0]);
		return -EINVAL;
	}
	if (nr - 1 < command->least ||
	    (nr - 1 > command->most && !command->more)) {
		fprintf(stderr, "kmem: usage: %s %s\n", command->name,
			command->words);
		return -EINVAL;
	}
	return command->run(t, nr - 1, words + 1);
}

/*
 * Cut a script's line in at most as many words as its command takes; the last
 * is the rest of the line, as it is, and one too many of a command without any.
 */
static int
run_line(struct tree *t, char *line)
{
	char *words[4] = {NULL};
	const struct command *command;
	int nr = 0, most = 2;

	g_strchug(line);
	if (!*line || *line == '#')
		return 0;
	for (;;) {
		line += strspn(line, " \t");
		if (!*line)
			break;
		words[nr++] = line;
		if (nr > 1 && nr >= most)
			break;
		line += strcspn(line, " \t");
		if (*line)
			*line++ = '\0';
		if (nr == 1) {
			command = find_command(words[0]);
			most = 1 + (command ? command->most : 1);
		}
	}
	return run_words(t, nr, words);
}

static int
run_script(struct tree *t)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int err = 0, first = 0;

	while ((!err || keep_going) &&
	       (len = getline(&line, &room, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		err = run_line(t, line);
		if (!first)
			first = err;
	}
	free(line);
	return first;
}

static struct tree *
start(void)
{
	char *error = NULL;
	struct machine_config *config =
		config_load_set(machine_name, state_dir, settings, &error);
	struct machine *m = NULL;

	if (config)
		m = machine_boot(config, state_dir, &error);
	if (m)
		return tree_new(m, false);
	fprintf(stderr, "kmem: %s\n", error);
	g_free(error);
	return NULL;
}

static char *
summary(void)
{
	GString *text = g_string_new("Commands:\n");

	for (const struct command *c = commands; c->name; c++)
		g_string_append_printf(text, "  %-8s %-16s %s\n", c->name,
				       c->words, c->doc);
	g_string_append(text, "  compare  SIDE SIDE...     machines that did "
			      "the same, side by side\n");
	return g_string_free(text, FALSE);
}

/* The exit status after @err; what could not be printed is a failure, too. */
static int
status(int err)
{
	if (fflush(stdout))
		err = complain("standard output", -errno);
	else if (ferror(stdout))
		err = complain("standard output", -EIO);
	return err ? 1 : 0;
}

int
main(int argc, char **argv)
{
	GOptionContext *context =
		g_option_context_new("COMMAND... - a kmemfs tree without a "
				     "mount");
	GError *error = NULL;
	char *about = summary();
	struct tree *t;
	int err;

	g_option_context_add_main_entries(context, options, NULL);
	g_option_context_set_description(context, about);
	g_option_context_set_strict_posix(context, TRUE);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "kmem: %s\n", error->message);
		return 2;
	}
	g_option_context_free(context);
	g_free(about);
	if (show_version) {
		puts("kmem " KMEMFS_VERSION);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "compare"))
		return status(
			compare(machine_name, settings, argc - 1, argv + 1));
	t = start();
	if (!t)
		return 1;
	err = argc > 1 ? run_words(t, argc - 1, argv + 1) : run_script(t);
	tree_free(t);
	return status(err);
}
