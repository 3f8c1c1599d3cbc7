// SPDX-License-Identifier: MIT
/*
 * config_load.c - finding a machine file by its name
 *
 * How it works:   shipped machines lie beside the program: in the source tree
 *                 the folder machines above the build's, where installed
 *                 share/kmemfs/machines beside bin.
 */
#include "kmemfs/machine/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_MACHINE "default"
#define SELF "/proc/self/exe"

/* Relative to the folder that the program lies in. */
static const char *const folders[] = {
	"machines",
	"../machines",
	"../../machines",
	"../../../machines",
	"../share/kmemfs/machines",
};

/* The program's folder, to be freed; NULL when it cannot be told. */
static char *
program_folder(void)
{
	char *self = g_file_read_link(SELF, NULL);
	char *folder = self ? g_path_get_dirname(self) : NULL;

	g_free(self);
	return folder;
}

static char *
existing(const char *folder, const char *file)
{
	char *path = g_build_filename(folder, file, NULL);

	if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
		return path;
	g_free(path);
	return NULL;
}

/* The path of machine @name, to be freed; NULL when nobody has it. */
static char *
machine_path(const char *name)
{
	char *file = g_strconcat(name, ".ini", NULL);
	const char *chosen = g_getenv("KMEMFS_MACHINES");
	char *program = program_folder();
	char *path = chosen ? existing(chosen, file) : NULL;

	for (size_t i = 0; program && !path && i < ARRAY_SIZE(folders); i++) {
		char *folder = g_build_filename(program, folders[i], NULL);

		path = existing(folder, file);
		g_free(folder);
	}
	g_free(program);
	g_free(file);
	return path;
}

/* What a machine file says, and where that was found. */
struct source {
	char *text;
	char *name;
};

static bool
take_bytes(struct source *source, char *bytes, gsize len, const char *name,
	   char **error)
{
	if (strlen(bytes) != len) {
		*error = g_strdup_printf("%s: this is not text", name);
		g_free(bytes);
		return false;
	}
	source->text = bytes;
	source->name = g_strdup(name);
	return true;
}

static bool
load_stdin(struct source *source, char **error)
{
	struct out text = OUT_INIT;
	char piece[4096];
	ssize_t got;
	bool good = false;

	while ((got = read(STDIN_FILENO, piece, sizeof(piece))) > 0 ||
	       (got < 0 && errno == EINTR)) {
		if (got > 0)
			out_mem(&text, piece, (size_t)got);
	}
	if (got < 0)
		*error = g_strdup_printf("standard input: %s",
					 g_strerror(errno));
	else
		good = take_bytes(source, g_strdup(out_text(&text)), text.len,
				  "standard input", error);
	out_fini(&text);
	return good;
}

static bool
load_file(struct source *source, const char *path, char **error)
{
	GError *trouble = NULL;
	char *text;
	gsize len;

	if (g_file_get_contents(path, &text, &len, &trouble))
		return take_bytes(source, text, len, path, error);
	*error = g_strdup_printf("%s: %s", path, trouble->message);
	g_error_free(trouble);
	return false;
}

static bool
load_named(struct source *source, const char *name, char **error)
{
	char *path;
	bool good;

	if (!name)
		name = DEFAULT_MACHINE;
	if (!strcmp(name, "-"))
		return load_stdin(source, error);
	if (strchr(name, '/') || g_str_has_suffix(name, ".ini"))
		path = g_strdup(name);
	else
		path = machine_path(name);
	if (!path) {
		*error = g_strdup_printf("%s: there is no machine of this name "
					 "(a file is named with a / or .ini)",
					 name);
		return false;
	}
	good = load_file(source, path, error);
	g_free(path);
	return good;
}

/* The machine's file in @state_dir, to be freed; NULL when there is none. */
static char *
kept_path(const char *state_dir)
{
	char *path = g_build_filename(state_dir, STATE_MACHINE, NULL);

	if (g_file_test(path, G_FILE_TEST_EXISTS))
		return path;
	g_free(path);
	return NULL;
}

struct machine_config *
config_load_set(const char *name, const char *state_dir, char *const *settings,
		char **error)
{
	char *kept = !name && state_dir ? kept_path(state_dir) : NULL;
	struct machine_config *config = NULL;
	struct source source = {0};

	if (kept ? load_file(&source, kept, error)
		 : load_named(&source, name, error))
		config = config_read_set(source.text, source.name, settings,
					 error);
	g_free(source.text);
	g_free(source.name);
	g_free(kept);
	return config;
}

struct machine_config *
config_load(const char *name, char **error)
{
	return config_load_set(name, NULL, NULL, error);
}

struct machine_config *
config_load_kept(const char *name, const char *state_dir, char **error)
{
	return config_load_set(name, state_dir, NULL, error);
}
