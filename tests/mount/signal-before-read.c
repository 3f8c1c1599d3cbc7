// SPDX-License-Identifier: MIT
/*
 * signal-before-read.c - loaded into kmemfs: a SIGTERM that comes just before
 * a request is waited for, once the mount can be used
 *
 * A reader of requests offers much room, and nothing else at that time does.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MUCH 100000 /* bytes */

ssize_t
read(int fd, void *bytes, size_t size)
{
	static int nr_requests;

	/* The first is how the kernel greets. */
	if (size > MUCH && ++nr_requests == 2)
		raise(SIGTERM);
	return syscall(SYS_read, fd, bytes, size);
}
