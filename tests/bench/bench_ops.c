// SPDX-License-Identifier: MIT
/*
 * bench_ops.c - ops in process: batches, recordings, the journal
 *
 *   bench_ops [options] TRACE
 *
 * Batches and recordings take the way of the mount without the mount:
 * tree_write() of pieces of 1 MiB.  The reference of text is one search for
 * its newlines, that of the journal the op's line added to a plain log file.
 */
#include "lib/bench.h"
#include "lib/ops.h"

#include "kmemfs/machine/journal.h"
#include "kmemfs/machine/replay.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- control/batch ------------------------------------------------------- */

struct batch {
	struct tree *t;
	struct out text;
	unsigned int nr;
	volatile uint64_t sink;
};

static double
batch_ours(void *with)
{
	struct batch *b = with;
	struct machine *m = tree_lock(b->t);
	uint64_t last_id = allocation_last_id(m), start;
	unsigned int lines;
	int err;

	tree_unlock(b->t);
	out_reset(&b->text);
	lines = ops_make_batch(&b->text, b->nr, last_id);
	start = bench_cpu();
	err = ops_feed(b->t, "control/batch", b->text.text, b->text.len);
	if (err)
		return NAN;
	return lines * 1e3 / (double)(bench_cpu() - start);
}

static double
batch_lines(void *with)
{
	struct batch *b = with;
	uint64_t start = bench_cpu();

	b->sink = bench_count_lines(b->text.text, b->text.len);
	return (double)b->sink * 1e3 / (double)(bench_cpu() - start);
}

static void
bench_batch(void)
{
	const char *what = "control/batch, in process";
	struct batch b = {.text = OUT_INIT,
			  .nr = bench_quick() ? 100000 : 300000};

	if (!bench_wants(what))
		return;
	b.t = tree_new(bench_boot_named("default"), false);
	bench_run(&(struct bench_row){
		.what = what,
		.unit = "M ops/s",
		.reference = "count of lines",
		.ours = batch_ours,
		.other = batch_lines,
		.with = &b,
		.target = TARGET_OURS_MIN,
		.limit = 3,
	});
	out_fini(&b.text);
	tree_free(b.t);
}

/* --- replay/ftrace ------------------------------------------------------- */

struct recording {
	char *text;
	const char *policy;
	size_t len;
	const char *machine; /* that it is replayed on */
	uint64_t events;
	volatile uint64_t sink;
};

static double
replay_ours(void *with)
{
	struct recording *r = with;
	struct tree *t = tree_new(bench_boot_named(r->machine), false);
	uint64_t start, took;
	int err = ops_feed(t, "replay/policy", r->policy, strlen(r->policy));

	start = bench_cpu();
	if (!err)
		err = ops_feed(t, "replay/ftrace", r->text, r->len);
	took = bench_cpu() - start;
	if (!err) {
		const struct replay_counts *c =
			&replay_of(tree_lock(t))->counts;

		r->events = c->lines - c->headers;
		tree_unlock(t);
	}
	tree_free(t);
	return err ? NAN : (double)r->events * 1e3 / (double)took;
}

static double
replay_lines(void *with)
{
	struct recording *r = with;
	uint64_t start = bench_cpu();

	r->sink = bench_count_lines(r->text, r->len);
	return (double)r->sink * 1e3 / (double)(bench_cpu() - start);
}

static void
bench_replay(const char *events, const struct recording *of, const char *policy,
	     double limit)
{
	char *what = g_strdup_printf("replay/ftrace%s, in process, policy %s",
				     events, policy);
	struct recording r = *of;

	r.policy = policy;
	bench_run(&(struct bench_row){
		.what = what,
		.unit = "M events/s",
		.reference = "count of lines",
		.ours = replay_ours,
		.other = replay_lines,
		.with = &r,
		.target = TARGET_OURS_MIN,
		.limit = limit,
	});
	g_free(what);
}

static const char *const of_slabs[] = {": kmalloc", ": kfree", ": kmem_cache_",
				       NULL};
static const char *const of_pages[] = {": mm_page_", NULL};

/* The lines of @text that have one of @events. */
static GString *
lines_with(const char *const *events, const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	GString *lines = g_string_new(NULL);

	while (at < end) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((next ? next + 1 : end) - at);

		for (const char *const *e = events; *e; e++)
			if (memmem(at, n, *e, strlen(*e))) {
				g_string_append_len(lines, at, (gssize)n);
				break;
			}
		at += n;
	}
	return lines;
}

/* Only a part of the recording. */
static void
bench_part(const char *name, const char *const *events, double limit,
	   const struct recording *whole)
{
	GString *lines = lines_with(events, whole->text, whole->len);
	struct recording part = *whole;

	if (!lines->len) {
		bench_skip(name, "the recording has none");
		g_string_free(lines, TRUE);
		return;
	}
	part.text = lines->str;
	part.len = lines->len;
	bench_replay(name, &part, "model", limit);
	bench_replay(name, &part, "mirror", limit);
	g_string_free(lines, TRUE);
}

/* The recording at @path, on the machine that it was made on when that stands
 * beside it. */
static void
bench_replays(const char *path)
{
	char *dir = g_path_get_dirname(path);
	char *machine = g_build_filename(dir, "machine.ini", NULL);
	struct recording r = {.machine = machine};

	if (!g_file_test(machine, G_FILE_TEST_EXISTS))
		r.machine = "default";
	r.text = bench_load(path, &r.len);
	if (r.text) {
		bench_replay("", &r, "model", 5);
		bench_replay("", &r, "mirror", 5);
		bench_part(" of page events", of_pages, 5, &r);
		bench_part(" of slab events", of_slabs, 3, &r);
	} else {
		bench_skip("replay/ftrace", "the recording cannot be read");
	}
	g_free(r.text);
	g_free(machine);
	g_free(dir);
}

/* --- the journal --------------------------------------------------------- */

#define APPENDS 300000

struct appends {
	struct machine *m;
	struct op op;
	struct out line; /* the op's text, with newline */
	char *words;	 /* what it was parsed from */
};

static double
journal_ours(void *with)
{
	struct appends *a = with;
	uint64_t start = bench_cpu();

	for (unsigned int i = 0; i < APPENDS; i++)
		journal_append(a->m->journal, &a->op);
	journal_flush(a->m->journal);
	return (double)(bench_cpu() - start) / APPENDS;
}

/* A log of text lines, 64 KiB a write, in a file without a name. */
static double
journal_log(void *with)
{
	struct appends *a = with;
	FILE *log = tmpfile();
	static char buffer[65536];
	uint64_t start;
	double ns;

	if (!log)
		return NAN;
	setvbuf(log, buffer, _IOFBF, sizeof(buffer));
	start = bench_cpu();
	for (unsigned int i = 0; i < APPENDS; i++)
		fwrite_unlocked(a->line.text, 1, a->line.len, log);
	fflush(log);
	ns = (double)(bench_cpu() - start) / APPENDS;
	fclose(log);
	return ns;
}

static void
bench_journal(void)
{
	const char *what = "journal, one op";
	struct appends a = {.line = OUT_INIT};
	struct refusal r = {0};

	if (!bench_wants(what))
		return;
	a.m = bench_boot_named("default");
	a.words = g_strdup("page/alloc_pages GFP_KERNEL 3 name=buf cpu=1");
	if (op_parse(a.m, NULL, a.words, &a.op, &r)) {
		bench_skip(what, r.sentence);
		exit(1);
	}
	op_print(a.op.desc, &a.op.args, &a.line);
	out_char(&a.line, '\n');
	bench_run(&(struct bench_row){
		.what = what,
		.unit = "ns",
		.reference = "its line to a log file",
		.ours = journal_ours,
		.other = journal_log,
		.with = &a,
		.target = TARGET_RATIO_MAX,
		.limit = 2,
	});
	op_fini(&a.op);
	out_fini(&a.line);
	g_free(a.words);
	machine_free(a.m);
}

int
main(int argc, char **argv)
{
	int first = bench_begin(argc, argv);

	bench_batch();
	if (first < argc)
		bench_replays(argv[first]);
	else
		bench_skip("replay/ftrace", "no recording was given");
	bench_journal();
	return bench_end();
}
