// SPDX-License-Identifier: MIT
/* mount.c - arguments and paths of programs that look at a mount */
#include "mount.h"

#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *ours, *null;

const char *
mount_begin(int argc, char **argv)
{
	int first = bench_begin(argc, argv);

	if (argc - first < 2 || *argv[first] != '/' ||
	    *argv[first + 1] != '/') {
		fprintf(stderr, "usage: %s [options] KMEMFS NULL [TRACE]\n",
			argv[0]);
		exit(2);
	}
	ours = argv[first];
	null = argv[first + 1];
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

double
micros(uint64_t start, unsigned int turns)
{
	return (double)(bench_now() - start) / turns / 1e3;
}
