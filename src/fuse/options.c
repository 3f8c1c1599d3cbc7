// SPDX-License-Identifier: MIT
/*
 * options.c - the command line
 *
 * How it works: GLib reads the words.  Lists after -o are a mixture, since
 * mount(8) and fstab have only those: our own keys are taken out, what mount(8)
 * keeps for itself is dropped, the rest goes to libfuse, which refuses what it
 * does not know.
 */
#include "main_impl.h"

#include "kmemfs/base/text.h"
#include "kmemfs/base/version.h"

#include <stdio.h>
#include <string.h>

#define MOST_THREADS 64

/* Also as keys of -o; kept as text until they have all been read. */
struct words {
	char *state;
	char *ram_limit;
	char *threads;
	gboolean realtime;
	gboolean nostream;
	gboolean polled;
};

static bool
complain(const char *what, const char *value)
{
	fprintf(stderr, "kmemfs: %s: %s\n", value, what);
	return false;
}

/* What mount(8) and fstab pass on, and only they understand. */
static bool
is_for_mount_program(const char *key)
{
	static const char *const keys[] = {
		"auto",	    "defaults",	  "group",   "noauto",	 "nofail",
		"nogroup",  "noowner",	  "nouser",  "nousers",	 "owner",
		"user",	    "users",	  "_netdev", "relatime", "norelatime",
		"lazytime", "nolazytime", "silent",  "loud",	 NULL,
	};

	return g_strv_contains(keys, key) || g_str_has_prefix(key, "x-") ||
	       g_str_has_prefix(key, "X-") ||
	       g_str_has_prefix(key, "comment=") ||
	       g_str_has_prefix(key, "user=") || !*key;
}

/* @key as "name=value": @value into *@word. */
static bool
take_word(const char *key, const char *name, char **word)
{
	size_t len = strlen(name);

	if (strncmp(key, name, len) || key[len] != '=')
		return false;
	g_free(*word);
	*word = g_strdup(key + len + 1);
	return true;
}

static bool
take_flag(const char *key, const char *name, gboolean *flag)
{
	if (strcmp(key, name))
		return false;
	*flag = TRUE;
	return true;
}

static void
add_mount_option(GString *mount, const char *name, const char *value)
{
	if (mount->len)
		g_string_append_c(mount, ',');
	g_string_append(mount, name);
	for (; *value; value++) {
		if (*value == ',' || *value == '\\')
			g_string_append_c(mount, '\\');
		g_string_append_c(mount, *value);
	}
}

/* The next key of a list; a backslash takes the comma after it in. */
static char *
next_key(const char **list)
{
	GString *key = g_string_new(NULL);
	const char *p = *list;

	for (; *p && *p != ','; p++) {
		if (*p == '\\' && p[1])
			p++;
		g_string_append_c(key, *p);
	}
	*list = *p ? p + 1 : p;
	return g_string_free(key, FALSE);
}

static void
read_list(struct options *o, struct words *w, const char *list)
{
	while (*list) {
		char *key = next_key(&list);

		if (!take_word(key, "state", &w->state) &&
		    !take_word(key, "ram_limit", &w->ram_limit) &&
		    !take_word(key, "ram-limit", &w->ram_limit) &&
		    !take_word(key, "threads", &w->threads) &&
		    !take_flag(key, "realtime", &w->realtime) &&
		    !take_flag(key, "nostream", &w->nostream) &&
		    !take_flag(key, "polled", &w->polled) &&
		    !is_for_mount_program(key))
			add_mount_option(o->mount, "", key);
		g_free(key);
	}
}

/* Words into numbers and paths. */
static bool
decode(struct options *o, struct words *w)
{
	uint64_t threads = 1;

	if (w->ram_limit &&
	    (!text_size(w->ram_limit, &o->ram_limit) || !o->ram_limit))
		return complain("not a size for ram_limit", w->ram_limit);
	if (w->threads && (!text_u64(w->threads, &threads) || !threads ||
			   threads > MOST_THREADS))
		return complain("threads must be 1 to 64", w->threads);
	if (w->state && !*w->state)
		return complain("state wants a directory", "");
	o->threads = (unsigned int)threads;
	o->state = w->state ? g_canonicalize_filename(w->state, NULL) : NULL;
	o->realtime = w->realtime;
	o->nostream = w->nostream;
	o->polled = w->polled;
	return true;
}

static bool
read_places(struct options *o, char **places)
{
	guint nr = places ? g_strv_length(places) : 0;

	if (nr < 1 || nr > 2) {
		fprintf(stderr, "kmemfs: %s; see kmemfs --help\n",
			nr ? "too many words" : "no mount point given");
		return false;
	}
	if (nr == 2)
		o->machine = g_strdup(places[0]);
	o->mountpoint = g_strdup(places[nr - 1]);
	return true;
}

/* -oLIST as other mount programs allow it: GLib wants -o LIST. */
static char **
split_attached(int argc, char **argv)
{
	GPtrArray *words = g_ptr_array_new();
	bool plain = false;

	for (int i = 0; i < argc; i++) {
		plain = plain || !strcmp(argv[i], "--");
		if (!plain && !strncmp(argv[i], "-o", 2) && argv[i][2]) {
			g_ptr_array_add(words, g_strdup("-o"));
			g_ptr_array_add(words, g_strdup(argv[i] + 2));
		} else {
			g_ptr_array_add(words, g_strdup(argv[i]));
		}
	}
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(words, FALSE);
}

static void
add_names(struct options *o)
{
	const char *name = o->machine ? o->machine : "default";

	if (!strstr(o->mount->str, "fsname="))
		add_mount_option(o->mount, "fsname=", name);
	if (!strstr(o->mount->str, "subtype="))
		add_mount_option(o->mount, "subtype=", "kmemfs");
	add_mount_option(o->mount, "default_permissions", "");
}

static bool
parse(GOptionContext *context, const GOptionEntry *entries, int argc,
      char **argv)
{
	char **words = split_attached(argc, argv);
	GError *error = NULL;
	bool ok;

	g_option_context_set_summary(
		context,
		"Mounts a modelled machine's memory.  MACHINE is the name of "
		"a machine,\na machine file, or - for one on standard input.");
	g_option_context_set_description(
		context,
		"Keys of -o, besides those of fuse(8): state=DIR, realtime, "
		"threads=N,\nram_limit=SIZE, polled (the kernel keeps small "
		"files), "
		"nostream (no files whose reads "
		"block, none larger than disks).");
	g_option_context_add_main_entries(context, entries, NULL);
	ok = g_option_context_parse_strv(context, &words, &error);
	if (!ok) {
		fprintf(stderr, "kmemfs: %s\n", error->message);
		g_error_free(error);
	}
	g_strfreev(words);
	return ok;
}

enum options_result
options_read(struct options *o, int argc, char **argv)
{
	gboolean foreground = FALSE, debug = FALSE, version = FALSE;
	struct words w = {0};
	char **lists = NULL, **places = NULL;
	/* clang-format off */
	const GOptionEntry entries[] = {
		{"options", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &lists,
		 "mount options, separated by commas", "OPTIONS"},
		{"state", 0, 0, G_OPTION_ARG_FILENAME, &w.state,
		 "keep the machine in this directory between mounts", "DIR"},
		{"realtime", 0, 0, G_OPTION_ARG_NONE, &w.realtime,
		 "modelled time goes on with the host's", NULL},
		{"ram-limit", 0, 0, G_OPTION_ARG_STRING, &w.ram_limit,
		 "host memory for the contents of modelled RAM", "SIZE"},
		{"threads", 0, 0, G_OPTION_ARG_STRING, &w.threads,
		 "threads that answer requests (1)", "N"},
		{"foreground", 'f', 0, G_OPTION_ARG_NONE, &foreground,
		 "stay in the foreground", NULL},
		{"debug", 'd', 0, G_OPTION_ARG_NONE, &debug,
		 "print each request; stay in the foreground", NULL},
		{"version", 'V', 0, G_OPTION_ARG_NONE, &version,
		 "print the version and exit", NULL},
		{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &places,
		 NULL, NULL},
		{0},
	};
	/* clang-format on */
	GOptionContext *context = g_option_context_new("[MACHINE] MOUNTPOINT");
	enum options_result result = OPTIONS_WRONG;

	*o = (struct options){.mount = g_string_new(NULL)};
	if (!parse(context, entries, argc, argv))
		goto out;
	if (version) {
		puts("kmemfs " KMEMFS_VERSION);
		result = OPTIONS_DONE;
		goto out;
	}
	for (char **list = lists; list && *list; list++)
		read_list(o, &w, *list);
	if (!read_places(o, places) || !decode(o, &w))
		goto out;
	add_names(o);
	o->foreground = foreground || debug;
	o->debug = debug;
	result = OPTIONS_RUN;
out:
	g_option_context_free(context);
	g_strfreev(lists);
	g_strfreev(places);
	g_free(w.state);
	g_free(w.ram_limit);
	g_free(w.threads);
	return result;
}

void
options_fini(struct options *o)
{
	g_free(o->machine);
	g_free(o->mountpoint);
	g_free(o->state);
	g_string_free(o->mount, TRUE);
}
