// SPDX-License-Identifier: MIT
/*
 * bench_lists.c - directories of a mount, against a server that does nothing
 * and against sysfs
 *
 *   bench_lists [options] KMEMFS NULL
 *
 * Leaves 430 allocations on the machine, the entries that are listed.
 */
#include "lib/mount.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* From directory to directory, as find goes. */
static double
walk(const char *path)
{
	uint64_t start = bench_now();

	walked = 0;
	if (nftw(path, walk_entry, 64, FTW_PHYS | FTW_MOUNT | FTW_CHDIR) ||
	    !walked)
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

/* The null server's directories have to be as many and as full as ours, or a
 * walk's time by entry is that of another tree. */
static void
same_shape(const char *what, struct pair *p)
{
	uint64_t entries;

	if (!bench_wants(what) || isnan(walk(p->path)))
		return;
	entries = walked;
	if (isnan(walk(p->other)) || walked > entries + entries / 50 ||
	    walked < entries - entries / 50)
		fprintf(stderr,
			"bench: %s: %s has %" PRIu64 " entries, %s %" PRIu64
			"; see null_server.c\n",
			what, p->path, entries, p->other, walked);
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
	struct pair below_it = {.path = p.path, .other = below(null, "tree")};
	struct pair all = {
		.path = g_strdup(ours),
		.other = below(null, "bush"),
		.fd = open_below(ours, "control/clock/advance", O_WRONLY),
	};
	bool has_slab = !access(slab, R_OK);

	same_shape("mount: walk of allocations", &below_it);
	same_shape("mount: walk of the whole tree", &all);
	bench_run(&(struct bench_row){"mount: ls of 430 entries", "us/entry",
				      "null server", names_ours, names_other,
				      &p, TARGET_RATIO_MAX, 1.11, 0, 0});
	bench_run(&(struct bench_row){"mount: ls -l of 430 entries", "us/entry",
				      "null server", ls_ours, ls_other, &p,
				      TARGET_RATIO_MAX, 1.11, 0, 0});
	bench_run(&(struct bench_row){"mount: walk of allocations", "us/entry",
				      "null server", walk_ours, walk_other,
				      &below_it, TARGET_RATIO_MAX, 1.11, 0, 0});
	bench_run(&(struct bench_row){
		"mount: walk of the whole tree", "us/entry", "null server",
		walk_ours, walk_other, &all, TARGET_RATIO_MAX, 1.11, 0, 0});
	bench_run(
		&(struct bench_row){"mount: walk of the whole tree after an op",
				    "us/entry", "null server", walk_changed,
				    walk_other, &all, TARGET_NONE, 0, 0, 7});
	if (has_slab) {
		bench_run(&(struct bench_row){
			"mount: ls of 430 entries, and sysfs", "us/entry", slab,
			names_ours, names_other, &sys, TARGET_RATIO_MAX, 1, 0,
			0});
		bench_run(&(struct bench_row){
			"mount: ls -l of 430 entries, and sysfs", "us/entry",
			slab, ls_ours, ls_other, &sys, TARGET_RATIO_MAX, 1.18,
			0, 0});
	} else {
		bench_skip("listings against sysfs", "no /sys/kernel/slab");
	}
	close(all.fd);
	g_free(p.path);
	g_free(p.other);
	g_free(sys.other);
	g_free(below_it.other);
	g_free(all.other);
	g_free(all.path);
}

int
main(int argc, char **argv)
{
	mount_begin(argc, argv);
	populate();
	bench_directories();
	return bench_end();
}
