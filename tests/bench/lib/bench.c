// SPDX-License-Identifier: MIT
/*
 * bench.c - rounds, medians, rows
 *
 * A row goes to stdout as fields with tabs between them, for tests/bench/run:
 * what, ours, unit, reference's name, reference's value, ratio, its quartiles,
 * target, whether it was met.  Without a reference these fields are "-".
 */
#include "bench.h"

#include "kmemfs/base/random.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#define ROUNDS 15
#define ROUNDS_QUICK 5
#define ROUNDS_MAX 201

static struct {
	unsigned int rounds;
	bool quick, alone, failed;
	const char *only;
} options = {.rounds = ROUNDS};

static _Noreturn void
usage(const char *program)
{
	fprintf(stderr,
		"usage: %s [--quick] [--rounds N] [--only WORD] [--alone] "
		"...\n",
		program);
	exit(2);
}

int
bench_begin(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && !strncmp(argv[i], "--", 2); i++) {
		if (!strcmp(argv[i], "--quick")) {
			options.quick = true;
			options.rounds = ROUNDS_QUICK;
		} else if (!strcmp(argv[i], "--alone")) {
			options.alone = true;
		} else if (!strcmp(argv[i], "--rounds") && i + 1 < argc) {
			options.rounds = (unsigned int)atoi(argv[++i]);
		} else if (!strcmp(argv[i], "--only") && i + 1 < argc) {
			options.only = argv[++i];
		} else {
			usage(argv[0]);
		}
	}
	if (!options.rounds || options.rounds > ROUNDS_MAX)
		usage(argv[0]);
	return i;
}

bool
bench_quick(void)
{
	return options.quick;
}

bool
bench_wants(const char *what)
{
	return !options.only || strstr(what, options.only);
}

void
bench_skip(const char *what, const char *why)
{
	fprintf(stderr, "bench: left out: %s: %s\n", what, why);
}

int
bench_end(void)
{
	return options.failed ? 1 : 0;
}

static uint64_t
read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

uint64_t
bench_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t
bench_cpu(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t
bench_random(uint64_t *state)
{
	return random_next(state);
}

void *
bench_memory(uint64_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED) {
		perror("bench: mmap");
		exit(1);
	}
	/* All of it will be in use: the host may take huge pages at once. */
	(void)madvise(at, bytes, MADV_HUGEPAGE);
	return at;
}

uint64_t
bench_resident(void)
{
	FILE *statm = fopen("/proc/self/statm", "re");
	unsigned long total, resident = 0;

	if (!statm)
		return 0;
	if (fscanf(statm, "%lu %lu", &total, &resident) != 2)
		resident = 0;
	fclose(statm);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* --- rows -------------------------------------------------------------------
 */

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The @part-quantile of @nr values, which are sorted here. */
static double
quantile(double *value, unsigned int nr, double part)
{
	double at = part * (nr - 1);
	unsigned int below = (unsigned int)at;

	qsort(value, nr, sizeof(*value), by_value);
	if (below + 1 >= nr)
		return value[nr - 1];
	return value[below] + (at - below) * (value[below + 1] - value[below]);
}

/* Three digits that mean something. */
static void
number(double value, char text[24])
{
	double size = fabs(value);

	snprintf(text, 24, "%.*f",
		 size >= 100  ? 0
		 : size >= 10 ? 1
		 : size >= 1  ? 2
			      : 3,
		 value);
}

static bool
is_met(const struct bench_row *row, double ours, double other, double ratio)
{
	switch (row->target) {
	case TARGET_NONE:
		return true;
	case TARGET_RATIO_MAX:
		return ratio <= row->limit;
	case TARGET_RATIO_MIN:
		return ratio >= row->limit;
	case TARGET_OURS_MAX:
		return ours <= row->limit;
	case TARGET_OURS_MIN:
		return ours >= row->limit;
	case TARGET_LINE:
		return ours <= row->limit * other + row->plus;
	}
	return false;
}

static void
target_text(const struct bench_row *row, char text[64])
{
	static const char *const form[] = {
		[TARGET_NONE] = "-",
		[TARGET_RATIO_MAX] = "ratio <= %g",
		[TARGET_RATIO_MIN] = "ratio >= %g",
		[TARGET_OURS_MAX] = "<= %g %s",
		[TARGET_OURS_MIN] = ">= %g %s",
	};

	if (row->target == TARGET_LINE)
		snprintf(text, 64, "<= %g x + %g %s", row->limit, row->plus,
			 row->unit);
	else
		snprintf(text, 64, form[row->target], row->limit, row->unit);
}

static void
print_row(const struct bench_row *row, double ours, double other,
	  const double ratio[3])
{
	bool met = is_met(row, ours, other, ratio[1]);
	char a[24], b[24], target[64];

	number(ours, a);
	if (!row->other || options.alone) {
		printf("%s\t%s\t%s\t-\t-\t-\t-\t-\t-\t-\n", row->what, a,
		       row->unit);
		fflush(stdout);
		return;
	}
	number(other, b);
	target_text(row, target);
	printf("%s\t%s\t%s\t%s\t%s\t%.2f\t%.2f\t%.2f\t%s\t%s\n", row->what, a,
	       row->unit, row->reference, b, ratio[1], ratio[0], ratio[2],
	       target,
	       row->target == TARGET_NONE ? "-"
	       : met			  ? "yes"
					  : "MISSED");
	fflush(stdout);
}

void
bench_run(const struct bench_row *row)
{
	static double ours[ROUNDS_MAX], other[ROUNDS_MAX], ratio[ROUNDS_MAX];
	unsigned int nr = row->rounds ? MIN_OF(row->rounds, options.rounds)
				      : options.rounds;
	double part[3];

	if (!bench_wants(row->what))
		return;
	/* The first turn of each warms up and is not counted. */
	row->ours(row->with);
	if (row->other && !options.alone)
		row->other(row->with);
	for (unsigned int i = 0; i < nr; i++) {
		ours[i] = row->ours(row->with);
		other[i] = options.alone || !row->other ? 1
							: row->other(row->with);
		/* Nor is a speed of nothing a result. */
		if (!isfinite(ours[i]) || !isfinite(other[i])) {
			bench_skip(row->what, "a run failed");
			options.failed = true;
			return;
		}
		ratio[i] = ours[i] / other[i];
	}
	for (int i = 0; i < 3; i++)
		part[i] = quantile(ratio, nr, 0.25 * (i + 1));
	print_row(row, quantile(ours, nr, 0.5), quantile(other, nr, 0.5), part);
}

/* --- inputs ------------------------------------------------------------------
 */

static char *
unpack(const char *bytes, size_t len, size_t *full)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	ZSTD_inBuffer in = {bytes, len, 0};
	GByteArray *text = g_byte_array_new();
	size_t left = 1;

	while (in.pos < in.size) {
		char piece[65536];
		ZSTD_outBuffer out = {piece, sizeof(piece), 0};

		left = ZSTD_decompressStream(stream, &out, &in);
		if (ZSTD_isError(left))
			break;
		g_byte_array_append(text, (guint8 *)piece, (guint)out.pos);
	}
	ZSTD_freeDStream(stream);
	*full = text->len;
	g_byte_array_append(text, (const guint8 *)"", 1);
	return (char *)g_byte_array_free(text, FALSE);
}

char *
bench_load(const char *path, size_t *len)
{
	char *bytes, *text;
	gsize size;

	if (!g_file_get_contents(path, &bytes, &size, NULL))
		return NULL;
	*len = size;
	if (size < 4 || memcmp(bytes, "\x28\xb5\x2f\xfd", 4) != 0)
		return bytes;
	text = unpack(bytes, size, len);
	g_free(bytes);
	return text;
}

uint64_t
bench_count_lines(const char *text, size_t len)
{
	const char *end = text + len;
	uint64_t lines = 0;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		if (!newline)
			break;
		lines++;
		text = newline + 1;
	}
	return lines;
}

static struct machine *
boot(struct machine_config *config, char *error)
{
	struct machine *m = config ? machine_boot(config, NULL, &error) : NULL;

	if (!m) {
		fprintf(stderr, "bench: %s\n", error);
		exit(1);
	}
	return m;
}

struct machine *
bench_boot(const char *ini)
{
	char *error = NULL;
	struct machine_config *config = config_read(ini, "bench", &error);

	return boot(config, error);
}

struct machine *
bench_boot_named(const char *name)
{
	char *error = NULL;
	struct machine_config *config = config_load(name, &error);

	return boot(config, error);
}
