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

int
main(int argc, char **argv)
{
	mount_begin(argc, argv);
	bench_small();
	bench_commands();
	return bench_end();
}
