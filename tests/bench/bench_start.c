// SPDX-License-Identifier: MIT
/*
 * bench_start.c - how long a machine takes to start, and its memory
 *
 *   bench_start [options] KMEM
 *
 * Runs KMEM --machine M cat machine/state; the reference is a program that
 * does nothing, so that the host's price of any program can be seen.  Memory
 * is the most that was resident at any time.
 */
#include "lib/bench.h"

#include <fcntl.h>
#include <glib.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

struct program {
	const char *path, *machine;
};

/* Run it, silent; false when it fails.  Says how long and how large it was. */
static bool
run(const char *const *words, double *ms, double *mib)
{
	posix_spawn_file_actions_t actions;
	uint64_t start = bench_now();
	struct rusage usage;
	int status = 1;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (!posix_spawn(&pid, words[0], &actions, NULL,
			 (char *const *)(uintptr_t)words, environ))
		wait4(pid, &status, 0, &usage);
	posix_spawn_file_actions_destroy(&actions);
	*ms = (double)(bench_now() - start) / 1e6;
	*mib = (double)usage.ru_maxrss / 1024;
	return !status;
}

static bool
run_kmem(const struct program *p, double *ms, double *mib)
{
	const char *const words[] = {p->path, "--machine",     p->machine,
				     "cat",   "machine/state", NULL};

	return run(words, ms, mib);
}

static bool
run_true(double *ms, double *mib)
{
	static const char *const words[] = {"/bin/true", NULL};

	return run(words, ms, mib);
}

static double
start_ours(void *with)
{
	double ms, mib;

	return run_kmem(with, &ms, &mib) ? ms : NAN;
}

static double
start_true(void *with)
{
	double ms, mib;

	(void)with;
	return run_true(&ms, &mib) ? ms : NAN;
}

static double
size_ours(void *with)
{
	double ms, mib;

	return run_kmem(with, &ms, &mib) ? mib : NAN;
}

static double
size_true(void *with)
{
	double ms, mib;

	(void)with;
	return run_true(&ms, &mib) ? mib : NAN;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *machine;
		double ms, mib;
	} machines[] = {
		{"default", 20,	16},
		     {"big",     50,	 24},
		      {"huge",    200, 48}
	       };
	int first = bench_begin(argc, argv);

	if (first >= argc) {
		fputs("bench_start: KMEM\n", stderr);
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		struct program p = {argv[first], machines[i].machine};
		char *time = g_strdup_printf("start of %s", p.machine);
		char *size = g_strdup_printf("memory of %s", p.machine);

		bench_run(&(struct bench_row){
			time, "ms", "/bin/true", start_ours, start_true, &p,
			TARGET_OURS_MAX, machines[i].ms, 0, 0});
		bench_run(&(struct bench_row){
			size, "MiB", "/bin/true", size_ours, size_true, &p,
			TARGET_OURS_MAX, machines[i].mib, 0, 3});
		g_free(time);
		g_free(size);
	}
	return bench_end();
}
