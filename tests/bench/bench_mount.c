// SPDX-License-Identifier: MIT
/*
 * bench_mount.c - a mount as its users meet it, against a server that does
 * nothing and against the host's own file systems
 *
 *   bench_mount [options] KMEMFS NULL TRACE
 *
 * KMEMFS is a mounted default machine, which changes; NULL a mounted
 * null_server with long timeouts, 430 files, f0 as long as proc/buddyinfo.
 * Both as absolute paths.
 */
#include "lib/bench.h"
#include "lib/ops.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES 430
#define PIECE (128 * 1024)
#define TURNS 1000 /* of small things, a round */

static const char *ours, *null;
static char room[PIECE];

/* A row's two paths, and what only some rows need. */
struct pair {
	char *path, *other;
	int fd, other_fd;
	const char *words; /* a command */
};

static char *
below(const char *dir, const char *name)
{
	return g_build_filename(dir, name, NULL);
}

static double
micros(uint64_t start, unsigned int turns)
{
	return (double)(bench_now() - start) / turns / 1e3;
}

/*
 * Go where @path is and return its last part: how deep a mount lies is not to
 * be measured.
 */
static const char *
enter(const char *path)
{
	char *dir = g_path_get_dirname(path);
	bool there = !chdir(dir);

	g_free(dir);
	return there ? strrchr(path, '/') + 1 : path;
}

/* --- small files
 * -------------------------------------------------------------- */

static bool
cat(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return false;
	while ((got = read(fd, room, sizeof(room))) > 0)
		;
	close(fd);
	return !got;
}

static double
cat_turns(const char *path)
{
	const char *name = enter(path);
	uint64_t start = bench_now();

	for (unsigned int i = 0; i < TURNS; i++)
		if (!cat(name))
			return NAN;
	return micros(start, TURNS);
}

static double
cat_ours(void *with)
{
	return cat_turns(((struct pair *)with)->path);
}

static double
cat_other(void *with)
{
	return cat_turns(((struct pair *)with)->other);
}

static double
pread_turns(int fd)
{
	uint64_t start = bench_now();

	for (unsigned int i = 0; i < TURNS; i++)
		if (pread(fd, room, 4096, 0) <= 0)
			return NAN;
	return micros(start, TURNS);
}

static double
pread_ours(void *with)
{
	return pread_turns(((struct pair *)with)->fd);
}

static double
pread_other(void *with)
{
	return pread_turns(((struct pair *)with)->other_fd);
}

static double
stat_turns(const char *path)
{
	const char *name = enter(path);
	uint64_t start = bench_now();
	struct stat st;

	for (unsigned int i = 0; i < 10 * TURNS; i++)
		if (stat(name, &st))
			return NAN;
	return micros(start, 10 * TURNS);
}

static double
stat_ours(void *with)
{
	return stat_turns(((struct pair *)with)->path);
}

static double
stat_other(void *with)
{
	return stat_turns(((struct pair *)with)->other);
}

static void
bench_small(void)
{
	struct pair p = {.path = below(ours, "proc/buddyinfo"),
			 .other = below(null, "f0")};
	struct pair host = {.path = p.path,
			    .other = g_strdup("/proc/buddyinfo")};

	p.fd = host.fd = open(p.path, O_RDONLY | O_CLOEXEC);
	p.other_fd = open(p.other, O_RDONLY | O_CLOEXEC);
	host.other_fd = open(host.other, O_RDONLY | O_CLOEXEC);
	bench_run(&(struct bench_row){"mount: open+read+close of buddyinfo",
				      "us", "null server", cat_ours, cat_other,
				      &p, TARGET_RATIO_MAX, 1.11, 0, 0});
	bench_run(&(struct bench_row){
		"mount: open+read+close of buddyinfo, and procfs", "us",
		"procfs", cat_ours, cat_other, &host, TARGET_NONE, 0, 0, 0});
	bench_run(&(struct bench_row){
		"mount: pread of buddyinfo, kept open", "us", "null server",
		pread_ours, pread_other, &p, TARGET_RATIO_MAX, 1.11, 0, 0});
	bench_run(&(struct bench_row){"mount: stat of buddyinfo", "us",
				      "null server", stat_ours, stat_other, &p,
				      TARGET_RATIO_MAX, 1.11, 0, 0});
	bench_run(&(struct bench_row){"mount: stat of buddyinfo, and procfs",
				      "us", "procfs", stat_ours, stat_other,
				      &host, TARGET_RATIO_MAX, 1.18, 0, 0});
	close(p.fd);
	close(p.other_fd);
	close(host.other_fd);
	g_free(p.path);
	g_free(p.other);
	g_free(host.other);
}

/* --- commands
 * ------------------------------------------------------------------- */

static double
write_turns(int fd, const char *words)
{
	size_t len = strlen(words);
	uint64_t start = bench_now();

	for (unsigned int i = 0; i < TURNS; i++)
		if (pwrite(fd, words, len, 0) != (ssize_t)len)
			return NAN;
	return micros(start, TURNS);
}

static double
write_ours(void *with)
{
	struct pair *p = with;

	return write_turns(p->fd, p->words);
}

static double
write_other(void *with)
{
	struct pair *p = with;

	return write_turns(p->other_fd, p->words);
}

/* A page by name, and back: two writes. */
static double
page_ours(void *with)
{
	static const char take[] = "GFP_KERNEL name=turn\n", give[] = "turn\n";
	struct pair *p = with;
	uint64_t start = bench_now();

	for (unsigned int i = 0; i < TURNS / 2; i++)
		if (write(p->fd, take, sizeof(take) - 1) < 0 ||
		    write(p->other_fd, give, sizeof(give) - 1) < 0)
			return NAN;
	return micros(start, TURNS);
}

static double
page_null(void *with)
{
	int fd = open(((struct pair *)with)->other, O_WRONLY | O_CLOEXEC);
	double us = fd < 0 ? NAN : write_turns(fd, "GFP_KERNEL name=turn\n");

	close(fd);
	return us;
}

/* What a monitor does while the machine moves: a command, then a look. */
static double
look_turns(int fd, const char *words, const char *path)
{
	const char *name = enter(path);
	uint64_t start = bench_now();

	for (unsigned int i = 0; i < TURNS; i++)
		if (pwrite(fd, words, strlen(words), 0) < 0 || !cat(name))
			return NAN;
	return micros(start, TURNS);
}

static double
look_ours(void *with)
{
	struct pair *p = with;

	return look_turns(p->fd, p->words, p->path);
}

static double
look_null(void *with)
{
	struct pair *p = with;

	return look_turns(p->other_fd, p->words, p->other);
}

static int
open_below(const char *dir, const char *name, int flags)
{
	char *path = below(dir, name);
	int fd = open(path, flags | O_CLOEXEC);

	g_free(path);
	return fd;
}

static void
bench_commands(void)
{
	struct pair p = {
		.path = below(ours, "proc/buddyinfo"),
		.other = below(null, "f0"),
		.fd = open_below(ours, "control/clock/advance", O_WRONLY),
		.other_fd = open_below(null, "f0", O_WRONLY),
		.words = "1ns\n",
	};
	struct pair page = {
		.other = p.other,
		.fd = open_below(ours, "control/page/alloc_page", O_WRONLY),
		.other_fd =
			open_below(ours, "control/page/free_page", O_WRONLY),
	};

	bench_run(&(struct bench_row){"mount: write of a command, kept open",
				      "us", "null server", write_ours,
				      write_other, &p, TARGET_LINE, 1, 2, 0});
	bench_run(&(struct bench_row){"mount: write of alloc_page or free_page",
				      "us", "null server", page_ours, page_null,
				      &page, TARGET_NONE, 0, 0, 0});
	/* Two handlers, and the kernel is told that attributes are stale. */
	bench_run(&(struct bench_row){"mount: a command, then open+read+close",
				      "us", "null server", look_ours, look_null,
				      &p, TARGET_LINE, 1, 8, 0});
	close(p.fd);
	close(p.other_fd);
	close(page.fd);
	close(page.other_fd);
	g_free(p.path);
	g_free(p.other);
}

/* --- directories
 * ------------------------------------------------------------------- */

static double
list_turns(const char *path, bool stats)
{
	unsigned int entries = 0;
	uint64_t start = bench_now();

	for (unsigned int i = 0; i < 20; i++) {
		DIR *dir = opendir(path);
		struct dirent *d;
		struct stat st;

		if (!dir)
			return NAN;
		while ((d = readdir(dir))) {
			entries++;
			if (stats && fstatat(dirfd(dir), d->d_name, &st,
					     AT_SYMLINK_NOFOLLOW))
				return NAN;
		}
		closedir(dir);
	}
	return entries ? micros(start, entries) : NAN;
}

static double
names_ours(void *with)
{
	return list_turns(((struct pair *)with)->path, false);
}

static double
names_other(void *with)
{
	return list_turns(((struct pair *)with)->other, false);
}

static double
ls_ours(void *with)
{
	return list_turns(((struct pair *)with)->path, true);
}

static double
ls_other(void *with)
{
	return list_turns(((struct pair *)with)->other, true);
}

static uint64_t walked;

static int
walk_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)path;
	(void)st;
	(void)type;
	(void)at;
	walked++;
	return 0;
}

static double
walk(const char *path)
{
	uint64_t start = bench_now();

	walked = 0;
	if (nftw(path, walk_entry, 64, FTW_PHYS | FTW_MOUNT) || !walked)
		return NAN;
	return micros(start, (unsigned int)walked);
}

static double
walk_ours(void *with)
{
	return walk(((struct pair *)with)->path);
}

static double
walk_other(void *with)
{
	return walk(((struct pair *)with)->other);
}

/* A command runs first: every attribute has to be asked for again. */
static double
walk_changed(void *with)
{
	struct pair *p = with;

	return write(p->fd, "1ns\n", 4) == 4 ? walk(p->path) : NAN;
}

static void
bench_directories(void)
{
	const char *slab = "/sys/kernel/slab";
	struct pair p = {.path = below(ours, "allocations"),
			 .other = g_strdup(null)};
	struct pair sys = {.path = p.path, .other = g_strdup(slab)};
	struct pair all = {
		.path = g_strdup(ours),
		.other = sys.other,
		.fd = open_below(ours, "control/clock/advance", O_WRONLY),
	};
	bool has_slab = !access(slab, R_OK);

	bench_run(&(struct bench_row){"mount: ls of 430 entries", "us/entry",
				      "null server", names_ours, names_other,
				      &p, TARGET_RATIO_MAX, 1.11, 0, 0});
	bench_run(&(struct bench_row){"mount: ls -l of 430 entries", "us/entry",
				      "null server", ls_ours, ls_other, &p,
				      TARGET_RATIO_MAX, 1.11, 0, 0});
	if (has_slab) {
		bench_run(&(struct bench_row){
			"mount: ls of 430 entries, and sysfs", "us/entry", slab,
			names_ours, names_other, &sys, TARGET_RATIO_MAX, 1, 0,
			0});
		bench_run(&(struct bench_row){
			"mount: ls -l of 430 entries, and sysfs", "us/entry",
			slab, ls_ours, ls_other, &sys, TARGET_RATIO_MAX, 1.18,
			0, 0});
		bench_run(&(struct bench_row){
			"mount: walk of the whole tree", "us/entry", slab,
			walk_ours, walk_other, &all, TARGET_NONE, 0, 0, 7});
		bench_run(&(struct bench_row){
			"mount: walk of the whole tree after an op", "us/entry",
			slab, walk_changed, walk_other, &all, TARGET_NONE, 0, 0,
			7});
	} else {
		bench_skip("listings against sysfs", "no /sys/kernel/slab");
	}
	close(all.fd);
	g_free(p.path);
	g_free(p.other);
	g_free(sys.other);
	g_free(all.path);
}

/* --- much at once
 * --------------------------------------------------------------------- */

static double
stream_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t bytes = 0, start = bench_now();
	ssize_t got;

	if (fd < 0)
		return NAN;
	while ((got = read(fd, room, sizeof(room))) > 0)
		bytes += (uint64_t)got;
	close(fd);
	return got < 0 || !bytes
		       ? NAN
		       : (double)bytes * 1e3 / (double)(bench_now() - start);
}

static double
stream_ours(void *with)
{
	return stream_file(((struct pair *)with)->path);
}

static double
stream_other(void *with)
{
	return stream_file(((struct pair *)with)->other);
}

/* A text of lines that both sides are fed with. */
struct text {
	char *path, *other;
	struct out lines;
	unsigned int nr;
	bool batch;
};

static double
feed(const char *path, const struct text *t)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	uint64_t start = bench_now();

	if (fd < 0)
		return NAN;
	for (size_t at = 0; at < t->lines.len; at += PIECE) {
		size_t len = MIN_OF(t->lines.len - at, PIECE);

		if (write(fd, t->lines.text + at, len) != (ssize_t)len) {
			close(fd);
			return NAN;
		}
	}
	close(fd);
	return t->nr * 1e3 / (double)(bench_now() - start);
}

/* The machine's last allocation number, from the answer to an op. */
static uint64_t
last_id(void)
{
	int fd = open_below(ours, "control/page/alloc_page", O_RDWR);
	char answer[256] = "", *end = answer;
	uint64_t id;

	if (fd < 0 || write(fd, "\n", 1) != 1 ||
	    write(fd, "GFP_KERNEL\n", 11) != 11 ||
	    read(fd, answer, sizeof(answer) - 1) <= 0 || *answer != 'a')
		exit(1);
	close(fd);
	id = strtoull(answer + 1, &end, 10);
	*end = '\n';
	fd = open_below(ours, "control/page/free_page", O_WRONLY);
	if (write(fd, answer, (size_t)(end - answer) + 1) < 0)
		exit(1);
	close(fd);
	return id;
}

static double
feed_ours(void *with)
{
	struct text *t = with;
	double speed;
	int fd;

	if (t->batch) {
		out_reset(&t->lines);
		t->nr = ops_make_batch(
			&t->lines, bench_quick() ? 50000 : 200000, last_id());
		return feed(t->path, t);
	}
	speed = feed(t->path, t);
	fd = open_below(ours, "control/replay/release", O_WRONLY);
	if (fd < 0 || write(fd, "cpu=0\n", 6) != 6)
		speed = NAN;
	close(fd);
	return speed;
}

static double
feed_null(void *with)
{
	return feed(((struct text *)with)->other, with);
}

static void
bench_streams(const char *text, size_t len)
{
	struct pair flags = {.path = below(ours, "proc/kpageflags"),
			     .other = g_strdup("/proc/kpageflags")};
	struct text batch = {.path = below(ours, "control/batch"),
			     .other = below(null, "f0"),
			     .batch = true};
	struct text replay = {.path = below(ours, "replay/ftrace"),
			      .other = batch.other};

	if (access(flags.other, R_OK))
		bench_skip("kpageflags", "the host's cannot be read");
	else
		bench_run(&(struct bench_row){"mount: cat of kpageflags",
					      "MB/s", "/proc/kpageflags",
					      stream_ours, stream_other, &flags,
					      TARGET_RATIO_MIN, 2, 0, 0});
	bench_run(&(struct bench_row){"mount: control/batch", "M ops/s",
				      "null server", feed_ours, feed_null,
				      &batch, TARGET_NONE, 0, 0, 0});
	if (text) {
		out_mem(&replay.lines, text, len);
		replay.nr = (unsigned int)bench_count_lines(text, len);
		bench_run(&(struct bench_row){
			"mount: replay/ftrace", "M lines/s", "null server",
			feed_ours, feed_null, &replay, TARGET_NONE, 0, 0, 0});
	}
	out_fini(&batch.lines);
	out_fini(&replay.lines);
	g_free(flags.path);
	g_free(flags.other);
	g_free(batch.path);
	g_free(batch.other);
	g_free(replay.path);
}

/* --- 430 allocations to list
 * ------------------------------------------------------------ */

static void
populate(void)
{
	int fd = open_below(ours, "control/page/alloc_page", O_WRONLY);

	for (unsigned int i = 0; i < ENTRIES; i++) {
		char words[64];
		int len = snprintf(words, sizeof(words),
				   "GFP_KERNEL name=entry%u\n", i);

		if (write(fd, words, (size_t)len) != len) {
			perror("bench: control/page/alloc_page");
			exit(1);
		}
	}
	close(fd);
}

int
main(int argc, char **argv)
{
	int first = bench_begin(argc, argv);
	size_t len = 0;
	char *text;

	if (argc - first < 2) {
		fputs("bench_mount: KMEMFS NULL [TRACE]\n", stderr);
		return 2;
	}
	ours = argv[first];
	null = argv[first + 1];
	text = argv[first + 2] ? bench_load(argv[first + 2], &len) : NULL;
	bench_small();
	bench_commands();
	populate();
	bench_directories();
	bench_streams(text, len);
	g_free(text);
	return bench_end();
}
