// SPDX-License-Identifier: MIT
/*
 * bench_cat.c - reading whole files of a mount as cat does, against procfs
 *
 *   bench_cat [options] NUMA FLAGS LIST
 *
 * NUMA: a mounted machine numa-4; FLAGS: one of 8 GiB; LIST: list_server's.
 * Each file is compared with one of the host that is of its kind, by bytes a
 * second.
 */
#include "lib/bench.h"

#include <fcntl.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE (128 * 1024)	 /* what cat asks for */
#define LEAST UINT64_C(20000000) /* nanoseconds of a round */

static char room[PIECE];

struct cat {
	char *path;
	const char *other; /* the host's */
	int command;	   /* written to before each turn, or -1 */
};

/* Bytes a nanosecond of some turns, of cat alone. */
static double
cat_turns(const char *path, int command)
{
	uint64_t bytes = 0, spent = 0;

	while (spent < LEAST) {
		uint64_t before = bytes, start;
		ssize_t got;
		int fd;

		if (command >= 0 && pwrite(command, "1ns\n", 4, 0) != 4)
			return NAN;
		start = bench_now();
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return NAN;
		while ((got = read(fd, room, sizeof(room))) > 0)
			bytes += (uint64_t)got;
		close(fd);
		spent += bench_now() - start;
		if (got < 0 || bytes == before)
			return NAN;
	}
	return (double)bytes * 1e3 / (double)spent;
}

static double
cat_ours(void *with)
{
	struct cat *c = with;

	return cat_turns(c->path, c->command);
}

static double
cat_other(void *with)
{
	return cat_turns(((struct cat *)with)->other, -1);
}

static void
bench_cat(const char *what, const char *mount, const char *file,
	  const char *other, bool changes)
{
	struct cat c = {
		.path = g_build_filename(mount, file, NULL),
		.other = other,
		.command = -1,
	};
	char *control = g_build_filename(mount, "control/clock/advance", NULL);

	if (changes)
		c.command = open(control, O_WRONLY | O_CLOEXEC);
	if (access(other, R_OK))
		bench_skip(what, "the host's cannot be read");
	else
		bench_run(&(struct bench_row){what, "MB/s", other, cat_ours,
					      cat_other, &c, TARGET_RATIO_MIN,
					      3, 0, 0});
	if (changes)
		close(c.command);
	g_free(control);
	g_free(c.path);
}

int
main(int argc, char **argv)
{
	int first = bench_begin(argc, argv);

	if (argc - first != 3) {
		fprintf(stderr, "usage: %s [options] NUMA FLAGS LIST\n",
			argv[0]);
		return 2;
	}
	bench_cat("mount: cat of zoneinfo, numa-4", argv[first],
		  "proc/zoneinfo", "/proc/zoneinfo", false);
	bench_cat("mount: cat of zoneinfo, numa-4, after an op", argv[first],
		  "proc/zoneinfo", "/proc/zoneinfo", true);
	bench_cat("mount: cat of kpageflags, 8 GiB", argv[first + 1],
		  "proc/kpageflags", "/proc/kpageflags", false);
	bench_cat("mount: cat of a list of 100 MB", argv[first + 2],
		  "nodes/0/zones/Normal/orders/0/Unmovable", "/proc/kallsyms",
		  false);
	bench_cat("mount: cat of a list of 100 MB, after an op",
		  argv[first + 2], "nodes/0/zones/Normal/orders/0/Unmovable",
		  "/proc/kallsyms", true);
	return bench_end();
}
