// SPDX-License-Identifier: MIT
/*
 * mountpoint.c - taking away a dead mount, then checking what is there
 *
 * How it works: when a daemon was killed, every access to its mount gives
 * ENOTCONN, and a new mount would stack on the dead one.  So it is detached
 * first; mounts may have been stacked already, hence the loop.
 */
#include "main_impl.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define MOST_STACKED 32

/* As an ordinary user only fusermount3 may. */
static bool
detach(const char *path)
{
	const char *argv[] = {"fusermount3", "-u", "-z", "--", path, NULL};
	int status;

	if (!umount2(path, MNT_DETACH))
		return true;
	return g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL,
			    G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
			    &status, NULL) &&
	       g_spawn_check_wait_status(status, NULL);
}

static bool
clean(const char *path)
{
	struct statvfs st;

	/* Not stat: the kernel may still know the root's attributes. */
	for (int i = 0; i < MOST_STACKED; i++) {
		if (!statvfs(path, &st) || errno != ENOTCONN)
			return true;
		if (!detach(path))
			break;
	}
	fprintf(stderr, "kmemfs: %s: a dead mount, which cannot be removed\n",
		path);
	return false;
}

/* Whether a machine is mounted at @path: another would hide it. */
static bool
is_mounted(const char *path)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	const struct mntent *m;
	bool mounted = false;

	while (mounts && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_dir, path))
			mounted = !strcmp(m->mnt_type, "fuse.kmemfs");
	if (mounts)
		endmntent(mounts);
	return mounted;
}

bool
mountpoint_prepare(char **mountpoint)
{
	struct stat st;
	char *absolute;

	/* mount.fuse3 hands over an open connection in place of a path. */
	if (g_str_has_prefix(*mountpoint, "/dev/fd/"))
		return true;
	if (!clean(*mountpoint))
		return false;
	absolute = realpath(*mountpoint, NULL);
	if (!absolute || stat(absolute, &st)) {
		fprintf(stderr, "kmemfs: %s: %s\n", *mountpoint,
			strerror(errno));
		free(absolute);
		return false;
	}
	if (!S_ISDIR(st.st_mode)) {
		fprintf(stderr, "kmemfs: %s: %s\n", *mountpoint,
			strerror(ENOTDIR));
		free(absolute);
		return false;
	}
	if (is_mounted(absolute)) {
		fprintf(stderr,
			"kmemfs: %s: %s: a machine is mounted there already\n",
			*mountpoint, strerror(EBUSY));
		free(absolute);
		return false;
	}
	g_free(*mountpoint);
	*mountpoint = g_strdup(absolute);
	free(absolute);
	return true;
}
