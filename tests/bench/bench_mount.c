// SPDX-License-Identifier: MIT
/*
 * bench_mount.c - small files and commands of a mount, against a server that
 * does nothing and against procfs
 *
 *   bench_mount [options] KMEMFS NULL
 */
#include "lib/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TURNS 1000 /* of small things, a round */

static char room[128 * 1024];

/* --- small files --------------------------------------------------------- */

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

/* What a row is called, and how it is measured. */
struct small {
	const char *what;
	bench_fn ours, other;
};

/* --- what the servers run for it ------------------------------------------ */

/* A row's functions, and whose time counts instead of the client's. */
struct served {
	const struct small *small;
	struct pair *pair;
};

static double
served(const char *pid, bench_fn turns, struct pair *pair)
{
	uint64_t start = process_time(pid);

	if (isnan(turns(pair)))
		return NAN;
	return (double)(process_time(pid) - start) / TURNS / 1e3;
}

static double
served_ours(void *with)
{
	struct served *s = with;

	return served(ours_pid, s->small->ours, s->pair);
}

static double
served_null(void *with)
{
	struct served *s = with;

	return served(null_pid, s->small->other, s->pair);
}

/* The servers' own time: what ours needs more is its handlers, 2 us each. */
static void
bench_served(const struct small *small, struct pair *pair, double handlers)
{
	struct served s = {small, pair};
	char *what = g_strdup_printf("served: %s", small->what);

	if (!ours_pid || !process_time(ours_pid))
		bench_skip(what, "the servers' times are not known");
	else
		bench_run(&(struct bench_row){what, "us", "null server",
					      served_ours, served_null, &s,
					      TARGET_LINE, 1, 2 * handlers, 0});
	g_free(what);
}

/* Against a server that does nothing, in the same way: 0.9 of its rate. */
static void
bench_floor(const struct small *small, struct pair *pair)
{
	char *what = g_strdup_printf("mount: %s", small->what);

	bench_run(&(struct bench_row){what, "us", "null server", small->ours,
				      small->other, pair, TARGET_RATIO_MAX,
				      1.11, 0, 0});
	g_free(what);
}

/* Against the file of the host; @most: time in its times. */
static void
bench_procfs(const struct small *small, struct pair *pair, double most)
{
	char *what = g_strdup_printf("mount: %s, and procfs", small->what);

	bench_run(&(struct bench_row){
		what, "us", "procfs", small->ours, small->other, pair,
		most > 0 ? TARGET_RATIO_MAX : TARGET_NONE, most, 0, 0});
	g_free(what);
}

/* --- small files -----------------------------------------------------------
 */

static struct pair
pair_open(char *path, char *other)
{
	return (struct pair){
		.path = path,
		.other = other,
		.fd = open(path, O_RDONLY | O_CLOEXEC),
		.other_fd = open(other, O_RDONLY | O_CLOEXEC),
	};
}

static void
pair_close(struct pair *p)
{
	close(p->fd);
	close(p->other_fd);
	g_free(p->path);
	g_free(p->other);
}

/* free_pages is read from the server each time; buddyinfo, whose size is
 * fixed, from the page cache until it changes, as the null server's f1. */
static void
bench_small(void)
{
	static const struct small one[] = {
		{"open+read+close of free_pages",  cat_ours,   cat_other  },
		{"pread of free_pages, kept open", pread_ours, pread_other},
		{"open+read+close of buddyinfo",	 cat_ours,   cat_other  },
		{"pread of buddyinfo, kept open",  pread_ours, pread_other},
		{"stat of buddyinfo",	      stat_ours,	 stat_other },
	};
	struct pair plain =
		pair_open(below(ours, "nodes/0/zones/Normal/free_pages"),
			  below(null, "f0"));
	struct pair fixed =
		pair_open(below(ours, "proc/buddyinfo"), below(null, "f1"));
	struct pair host = pair_open(below(ours, "proc/buddyinfo"),
				     g_strdup("/proc/buddyinfo"));

	bench_floor(&one[0], &plain);
	bench_served(&one[0], &plain, 1);
	bench_floor(&one[1], &plain);
	bench_served(&one[1], &plain, 1);
	bench_floor(&one[2], &fixed);
	bench_procfs(&one[2], &host, 0);
	bench_procfs(&one[3], &host, 0.2);
	bench_floor(&one[4], &fixed);
	bench_procfs(&one[4], &host, 1.18);
	pair_close(&plain);
	pair_close(&fixed);
	pair_close(&host);
}

/* --- commands ------------------------------------------------------------ */

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

/* The same of a monitor that keeps the file open. */
static double
poll_turns(int fd, const char *words, const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t start = bench_now();
	double us;

	for (unsigned int i = 0; i < TURNS; i++)
		if (pwrite(fd, words, strlen(words), 0) < 0 ||
		    pread(file, room, 4096, 0) <= 0) {
			close(file);
			return NAN;
		}
	us = micros(start, TURNS);
	close(file);
	return us;
}

static double
poll_ours(void *with)
{
	struct pair *p = with;

	return poll_turns(p->fd, p->words, p->path);
}

static double
poll_null(void *with)
{
	struct pair *p = with;

	return poll_turns(p->other_fd, p->words, p->other);
}

static void
bench_commands(void)
{
	static const struct small command = {"write of a command, kept open",
					     write_ours, write_other};
	static const struct small page = {"write of alloc_page or free_page",
					  page_ours, page_null};
	static const struct small look = {"a command, then open+read+close",
					  look_ours, look_null};
	static const struct small poll = {
		"a command, then pread of buddyinfo, kept open", poll_ours,
		poll_null};
	struct pair p = {
		.path = below(ours, "nodes/0/zones/Normal/free_pages"),
		.other = below(null, "f0"),
		.fd = open_below(ours, "control/clock/advance", O_WRONLY),
		.other_fd = open_below(null, "f0", O_WRONLY),
		.words = "1ns\n",
	};
	struct pair pages = {
		.other = p.other,
		.fd = open_below(ours, "control/page/alloc_page", O_WRONLY),
		.other_fd =
			open_below(ours, "control/page/free_page", O_WRONLY),
	};
	struct pair polled = p;

	polled.path = below(ours, "proc/buddyinfo");
	bench_floor(&command, &p);
	bench_served(&command, &p, 1);
	/* The kernel is told of names. */
	bench_run(&(struct bench_row){
		"mount: write of alloc_page or free_page", "us", "null server",
		page.ours, page.other, &pages, TARGET_NONE, 0, 0, 0});
	bench_served(&page, &pages, 1);
	/* Two handlers, and the kernel is told that attributes are stale. */
	bench_run(&(struct bench_row){"mount: a command, then open+read+close",
				      "us", "null server", look.ours,
				      look.other, &p, TARGET_LINE, 1, 8, 0});
	bench_served(&look, &p, 2);
	bench_run(
		&(struct bench_row){"mount: a command, then pread of buddyinfo",
				    "us", "null server", poll.ours, poll.other,
				    &polled, TARGET_LINE, 1, 12, 0});
	g_free(polled.path);
	close(p.fd);
	close(p.other_fd);
	close(pages.fd);
	close(pages.other_fd);
	g_free(p.path);
	g_free(p.other);
}

int
main(int argc, char **argv)
{
	mount_begin(argc, argv);
	bench_small();
	bench_commands();
	return bench_end();
}
