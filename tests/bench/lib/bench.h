// SPDX-License-Identifier: MIT
/*
 * bench.h - measuring two things side by side, and a row for the table
 *
 * Speed of a shared host comes and goes, so nothing is measured alone: each
 * row has a reference, and both run in turns, A B A B.  What counts is the
 * median of the ratios of neighbours, with its quartiles.
 */
#ifndef KMEMFS_BENCH_H
#define KMEMFS_BENCH_H

#include "kmemfs/base/types.h"
#include "kmemfs/machine/machine.h"

#include <stdio.h>

/* What a row must reach.  @limit and @plus are in the row's unit, or a ratio.
 */
enum bench_target {
	TARGET_NONE,
	TARGET_RATIO_MAX, /* ours / reference <= limit */
	TARGET_RATIO_MIN, /* ours / reference >= limit */
	TARGET_OURS_MAX,  /* ours <= limit */
	TARGET_OURS_MIN,  /* ours >= limit */
	TARGET_LINE,	  /* ours <= limit * reference + plus */
};

/* One run of one side: the value in the row's unit, NAN when it failed. */
typedef double (*bench_fn)(void *with);

struct bench_row {
	const char *what;
	const char *unit;
	const char *reference; /* what the other side is */
	bench_fn ours;
	bench_fn other; /* NULL: there is none, and no target */
	void *with;	/* given to both */
	enum bench_target target;
	double limit, plus;
	unsigned int rounds; /* 0: as the command line says */
};

/*
 * Read the options common to all (--quick, --rounds N, --only WORD, --alone:
 * without references, for profilers); returns the index of the first argument
 * after them.  Ends the program when they are wrong.
 */
int bench_begin(int argc, char **argv);
/* Whether a row called @what is wanted: to leave out what it needs. */
bool bench_wants(const char *what);
/* Measure @row and print it. */
void bench_run(const struct bench_row *row);
/* Say on stderr why a row is not there. */
void bench_skip(const char *what, const char *why);
/* The exit status: 1 when a measurement failed. */
int bench_end(void);
bool bench_quick(void);

/* Nanoseconds of a steady clock. */
uint64_t bench_now(void);
/* Nanoseconds that this thread has run: what others do meanwhile does not
 * count.  Reading it costs a system call. */
uint64_t bench_cpu(void);
/* A fast generator; *@state is any number. */
uint64_t bench_random(uint64_t *state);
/* Zeros, in huge pages where the host has them, to be given back by munmap();
 * ends the program when there are no addresses. */
void *bench_memory(uint64_t bytes);
/* Bytes of memory this process has now. */
uint64_t bench_resident(void);
/* Read file @path, unpack it when it is zstd; NULL when it cannot be read.
 * NUL-terminated; to be freed with g_free. */
char *bench_load(const char *path, size_t *len);
/* Newlines in @text, the fast way: what any reader of lines must spend. */
uint64_t bench_count_lines(const char *text, size_t len);
/* Boot a machine from a machine file's text; ends the program if it fails. */
struct machine *bench_boot(const char *ini);
/* Boot a shipped machine. */
struct machine *bench_boot_named(const char *name);

#endif
