// SPDX-License-Identifier: MIT
/*
 * daemon.c - into the background, but not before everything works
 *
 * How it works: the process splits before it does anything, since threads do
 * not survive a fork.  The child keeps stderr until it is ready, so that its
 * messages arrive; the parent's exit status says how it went.
 */
#include "main_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready_fd = -1;

/* Exit as the child did, or with 0 once it is ready. */
static void
wait_for_child(pid_t child, int fd)
{
	int status;
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(0);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		fprintf(stderr, "kmemfs: ended by signal %d\n",
			WTERMSIG(status));
	_exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status)
						       : 1);
}

void
daemon_split(void)
{
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) || (child = fork()) < 0) {
		fprintf(stderr, "kmemfs: %s\n", strerror(errno));
		exit(1);
	}
	if (child) {
		close(fds[1]);
		wait_for_child(child, fds[0]);
	}
	close(fds[0]);
	ready_fd = fds[1];
}

void
daemon_ready(void)
{
	int null;

	if (ready_fd < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	setsid();
	if (chdir("/"))
		perror("kmemfs: /");
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	close(null);
	while (write(ready_fd, "", 1) < 0 && errno == EINTR)
		;
	close(ready_fd);
	ready_fd = -1;
}
