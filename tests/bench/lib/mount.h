// SPDX-License-Identifier: MIT
/*
 * mount.h - what programs share that look at a mount from outside
 *
 * Their arguments are KMEMFS NULL [TRACE [PID PID]]: a mounted default machine,
 * which they change, and a mounted null_server with long timeouts and kept
 * lists, 430 files as long as proc/buddyinfo, the odd ones in the page cache;
 * both as absolute paths.  Then the numbers of the processes that serve them.
 */
#ifndef KMEMFS_BENCH_MOUNT_H
#define KMEMFS_BENCH_MOUNT_H

#include "bench.h"

#define ENTRIES 430

extern const char *ours, *null;
extern const char *ours_pid, *null_pid; /* NULL: not known */

/* A row's two paths, and what only some rows need. */
struct pair {
	char *path, *other;
	int fd, other_fd;
	const char *words; /* a command */
};

/* Read options and arguments; ends the program when they are wrong.  Returns
 * the third argument or NULL. */
const char *mount_begin(int argc, char **argv);
/* Path of @name in @dir, to be freed with g_free. */
char *below(const char *dir, const char *name);
/* open(2) of it. */
int open_below(const char *dir, const char *name, int flags);
/*
 * Go where @path is and return its last part: how deep a mount lies is not to
 * be measured.
 */
const char *enter(const char *path);
/* Nanoseconds that process @pid has run, all its threads; 0: not known. */
uint64_t process_time(const char *pid);
/* Time since @start for each of @turns. */
double micros(uint64_t start, unsigned int turns);

#endif
