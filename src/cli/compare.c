// SPDX-License-Identifier: MIT
/*
 * compare.c - kmem compare: the same work on several machines, side by side
 *
 * How it works: each side is booted, made to do the work (a recording, ops)
 * while it is watched, and put away when its end state is taken: one machine
 * is there at a time.
 */
#include "compare_impl.h"

#include "kmemfs/machine/config.h"
#include "kmemfs/machine/journal.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

struct plan {
	const char *machine; /* of sides that name none */
	char **settings;     /* of all sides, before their own */
	char *replay;
	char *policy;
	char *batch;
	GString *ops; /* what the batch says, NULL: there is none */
	char *plot;
};

/* What one argument says: [MACHINE or state directory] [group.key=value]... */
struct side_words {
	char **words;
	const char *machine;
	const char *state;
	char **settings; /* all, NULL at the end; the strings are others' */
};

static int
say(const char *what, char *why)
{
	fprintf(stderr, "kmem: %s: %s\n", what, why);
	g_free(why);
	return -EINVAL;
}

static int
say_error(GError *error)
{
	fprintf(stderr, "kmem: %s\n", error->message);
	g_error_free(error);
	return -EIO;
}

static int
side_read(struct side_words *side, const struct plan *plan, const char *text)
{
	GPtrArray *settings = g_ptr_array_new();
	GError *error = NULL;
	int nr = 0, first = 0;

	*side = (struct side_words){.machine = plan->machine};
	if (!g_shell_parse_argv(text, &nr, &side->words, &error)) {
		bool empty = g_error_matches(error, G_SHELL_ERROR,
					     G_SHELL_ERROR_EMPTY_STRING);

		g_ptr_array_free(settings, TRUE);
		g_error_free(error);
		return say(text, g_strdup(empty ? "the side is empty"
						: "its quotes do not match"));
	}
	if (nr && !strchr(side->words[0], '=')) {
		first = 1;
		side->machine = side->words[0];
	}
	if (first && g_file_test(side->words[0], G_FILE_TEST_IS_DIR)) {
		side->state = side->words[0];
		side->machine = NULL;
	}
	for (char **s = plan->settings; s && *s; s++)
		g_ptr_array_add(settings, *s);
	for (int i = first; i < nr; i++)
		g_ptr_array_add(settings, side->words[i]);
	g_ptr_array_add(settings, NULL);
	side->settings = (char **)g_ptr_array_free(settings, FALSE);
	return 0;
}

static void
side_words_fini(struct side_words *side)
{
	g_strfreev(side->words);
	g_free(side->settings);
}

/* Lines of ops, one by one: that one finds no memory is a result. */
static int
do_ops(struct tree *t, const struct plan *plan)
{
	char **lines = g_strsplit(plan->ops->str, "\n", -1);
	int err = 0;

	for (unsigned int i = 0; !err && lines[i]; i++) {
		struct out answer = OUT_INIT;
		const char *line = g_strstrip(lines[i]);

		if (*line && *line != '#')
			err = tree_do(t, line, &answer, NULL);
		if (err == -ENOMEM)
			err = 0;
		if (err)
			fprintf(stderr, "kmem: %s:%u: %s\n", plan->batch, i + 1,
				out_text(&answer));
		out_fini(&answer);
	}
	g_strfreev(lines);
	return err;
}

static int
set_policy(struct tree *t, const char *policy)
{
	struct out answer = OUT_INIT;
	char *line = g_strconcat("replay/policy ", policy, NULL);
	int err = tree_do(t, line, &answer, NULL);

	if (err)
		fprintf(stderr, "kmem: %s\n", out_text(&answer));
	out_fini(&answer);
	g_free(line);
	return err;
}

static int
work(struct tree *t, const struct plan *plan)
{
	int err = 0;

	if (plan->ops)
		err = do_ops(t, plan);
	if (!err && plan->policy)
		err = set_policy(t, plan->policy);
	if (!err && plan->replay)
		err = feed_recording(t, plan->replay);
	return err;
}

/* Else a machine would be put there. */
static bool
holds_state(const char *dir)
{
	char *journal = g_build_filename(dir, "journal", NULL);
	bool found = g_file_test(journal, G_FILE_TEST_IS_REGULAR);

	g_free(journal);
	return found;
}

/* The work is only tried: a state directory does not keep it. */
static bool
leave_state(struct machine *m, char **error)
{
	char hash[65];

	journal_close(m->journal);
	machine_hash(m, hash);
	m->journal = journal_open(NULL, hash, error);
	return m->journal != NULL;
}

static int
side_run(struct side *side, const struct plan *plan, const char *text)
{
	struct machine_config *config = NULL;
	struct machine *m = NULL;
	struct side_words words;
	struct watch *watch;
	struct tree *t;
	char *error = NULL;
	int err = side_read(&words, plan, text);

	if (err)
		return err;
	if (words.state && !holds_state(words.state)) {
		err = say(text, g_strdup("no state is kept there"));
		side_words_fini(&words);
		return err;
	}
	config = config_load_set(words.machine, words.state, words.settings,
				 &error);
	if (config)
		m = machine_boot(config, words.state, &error);
	if (m && words.state && !leave_state(m, &error)) {
		machine_free(m);
		m = NULL;
	}
	side_words_fini(&words);
	if (!m)
		return say(text, error);
	side->title = g_strdup(text);
	watch = watch_new(m);
	t = tree_new(m, false);
	err = work(t, plan);
	watch_end(watch, side);
	tree_free(t);
	return err;
}

static int
write_plot(const struct side *sides, unsigned int nr, const char *file)
{
	struct out picture = OUT_INIT;
	GError *error = NULL;
	int err = 0;

	compare_plot(sides, nr, &picture);
	if (!g_file_set_contents(file, out_text(&picture), (gssize)picture.len,
				 &error))
		err = say_error(error);
	out_fini(&picture);
	return err;
}

/* The batch is read once: it may be standard input, which a recording, read by
 * each side, cannot be. */
static int
read_ops(struct plan *plan)
{
	if (!g_strcmp0(plan->replay, "-"))
		return say("-", g_strdup("each side reads the recording, so it "
					 "cannot be standard input"));
	if (!plan->batch)
		return 0;
	plan->ops = g_string_new(NULL);
	return feed_text(plan->batch, plan->ops);
}

static int
run_sides(const struct plan *plan, unsigned int nr, char **texts)
{
	struct side sides[COMPARE_MOST] = {0};
	struct out table = OUT_INIT;
	int err = 0;

	for (unsigned int i = 0; !err && i < nr; i++)
		err = side_run(&sides[i], plan, texts[i]);
	if (!err) {
		compare_print(sides, nr, &table);
		fputs(out_text(&table), stdout);
	}
	if (!err && plan->plot)
		err = write_plot(sides, nr, plan->plot);
	out_fini(&table);
	for (unsigned int i = 0; i < nr; i++)
		side_fini(&sides[i]);
	return err;
}

static bool
read_options(struct plan *plan, int *argc, char ***argv)
{
	const GOptionEntry options[] = {
		{"replay",	   'r', 0, G_OPTION_ARG_FILENAME, &plan->replay,
		 "a recording that each side replays", "FILE"},
		{"policy",		   'p', 0, G_OPTION_ARG_STRING, &plan->policy,
		 "of the replay: model or mirror", "POLICY"},
		{"batch", 'b', 0, G_OPTION_ARG_FILENAME, &plan->batch,
		 "ops that each side does, before the replay", "FILE"},
		{"plot",	 0, 0, G_OPTION_ARG_FILENAME, &plan->plot,
		 "write a picture too", "FILE.svg"},
		{0	  },
	};
	GOptionContext *context = g_option_context_new(
		"SIDE SIDE... - machines that did the same, side by side");
	GError *error = NULL;
	bool good;

	g_option_context_add_main_entries(context, options, NULL);
	good = g_option_context_parse(context, argc, argv, &error);
	g_option_context_free(context);
	if (!good)
		say_error(error);
	return good;
}

int
compare(const char *machine, char **settings, int argc, char **argv)
{
	struct plan plan = {.machine = machine, .settings = settings};
	int err = -EINVAL;

	if (!read_options(&plan, &argc, &argv))
		return err;
	if (argc < 3 || argc - 1 > COMPARE_MOST)
		fprintf(stderr,
			"kmem: usage: compare [--replay FILE] [--policy "
			"POLICY] [--batch FILE] [--plot FILE] SIDE SIDE..., "
			"at most %d\n",
			COMPARE_MOST);
	else
		err = read_ops(&plan);
	if (!err)
		err = run_sides(&plan, (unsigned int)argc - 1, argv + 1);
	if (plan.ops)
		g_string_free(plan.ops, TRUE);
	g_free(plan.replay);
	g_free(plan.policy);
	g_free(plan.batch);
	g_free(plan.plot);
	return err;
}
