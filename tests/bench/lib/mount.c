// SPDX-License-Identifier: MIT
/* mount.c - arguments and paths of programs that look at a mount */
#include "mount.h"

#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *ours, *null;
const char *ours_pid, *null_pid;

const char *
mount_begin(int argc, char **argv)
{
	int first = bench_begin(argc, argv);

	if (argc - first < 2 || *argv[first] != '/' ||
	    *argv[first + 1] != '/') {
		fprintf(stderr,
			"usage: %s [options] KMEMFS NULL [TRACE [PID PID]]\n",
			argv[0]);
		exit(2);
	}
	ours = argv[first];
	null = argv[first + 1];
	if (argc - first == 5) {
		ours_pid = argv[first + 3];
		null_pid = argv[first + 4];
	}
	return argv[first + 2];
}

char *
below(const char *dir, const char *name)
{
	return g_build_filename(dir, name, NULL);
}

int
open_below(const char *dir, const char *name, int flags)
{
	char *path = below(dir, name);
	int fd = open(path, flags | O_CLOEXEC);

	g_free(path);
	return fd;
}

const char *
enter(const char *path)
{
	char *dir = g_path_get_dirname(path);
	bool there = !chdir(dir);

	g_free(dir);
	return there ? strrchr(path, '/') + 1 : path;
}

/* The first number of schedstat is the time a thread has run. */
uint64_t
process_time(const char *pid)
{
	char *tasks = g_strdup_printf("/proc/%s/task", pid);
	GDir *dir = g_dir_open(tasks, 0, NULL);
	const char *task;
	uint64_t sum = 0;

	while (dir && (task = g_dir_read_name(dir))) {
		char *path = g_build_filename(tasks, task, "schedstat", NULL);
		char *text = NULL;

		if (g_file_get_contents(path, &text, NULL, NULL))
			sum += g_ascii_strtoull(text, NULL, 10);
		g_free(text);
		g_free(path);
	}
	if (dir)
		g_dir_close(dir);
	g_free(tasks);
	return sum;
}

double
micros(uint64_t start, unsigned int turns)
{
	return (double)(bench_now() - start) / turns / 1e3;
}
