// SPDX-License-Identifier: MIT
/*
 * main.c - kmemfs: mount a machine and serve it until it is unmounted
 *
 * How it works: what can fail (the machine, the mount point, the connection to
 * the kernel) is done before the parent process is let go.  A signal ends the
 * loop; then what was begun is finished, and only then the mount goes away.
 */
#include "fuse_impl.h"
#include "main_impl.h"

#include "kmemfs/machine/config.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGE_TEXT (128 << 10) /* bytes; such buffers are mapped */

static struct tree *
load(const struct options *o)
{
	char *error = NULL;
	struct machine_config *config =
		config_load_kept(o->machine, o->state, &error);
	struct machine *m = NULL;

	if (config) {
		if (o->ram_limit)
			config->ram_limit = o->ram_limit;
		m = machine_boot(config, o->state, &error);
	}
	if (!m) {
		fprintf(stderr, "kmemfs: %s\n", error);
		g_free(error);
		return NULL;
	}
	return tree_new(m, o->nostream);
}

static void
when_ready(void *user)
{
	const struct options *o = user;

	if (o->foreground) {
		printf("ready %s\n", o->mountpoint);
		fflush(stdout);
	}
	daemon_ready();
}

static struct fuse_session *
session_new(const struct options *o, struct server *s)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_session *session;
	char *list = g_strdup_printf("-o%s", o->mount->str);

	fuse_opt_add_arg(&args, "kmemfs");
	fuse_opt_add_arg(&args, list);
	if (o->debug)
		fuse_opt_add_arg(&args, "-d");
	session = fuse_session_new(&args, &server_ops, sizeof(server_ops), s);
	fuse_opt_free_args(&args);
	g_free(list);
	return session;
}

/* Mount, serve, unmount. */
static int
serve(const struct options *o, struct server *s)
{
	struct fuse_session *session = session_new(o, s);
	struct realtime *realtime = NULL;
	int status = 1;

	if (!session)
		return 1;
	s->session = session;
	signals_end(session);
	if (fuse_session_mount(session, o->mountpoint))
		goto destroy;
	if (o->realtime)
		realtime = realtime_start(s->tree);
	status = server_loop(s, o->threads) < 0;
	/* Requests are answered until server_drain is through. */
	fuse_session_reset(session);
	realtime_stop(realtime);
	server_drain(s);
	/* It ends: another signal must not be how. */
	signals_end(NULL);
	fuse_session_unmount(session);
destroy:
	signals_end(NULL);
	fuse_session_destroy(session);
	return status;
}

static int
run(struct options *o)
{
	struct server *s;
	struct tree *tree;
	int status;

	if (!o->foreground)
		daemon_split();
	if (!mountpoint_prepare(&o->mountpoint))
		return 1;
	tree = load(o);
	if (!tree)
		return 1;
	s = server_new(tree);
	s->polled = o->polled;
	s->ready = when_ready;
	s->ready_user = o;
	status = serve(o, s);
	server_free(s);
	return status;
}

/*
 * What is freed is to be free for the host: one heap for all threads, as the
 * tree's lock lets few of them work at once, and none of the large texts in it,
 * whatever size they had before.
 */
static void
heap_setup(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, LARGE_TEXT);
}

int
main(int argc, char **argv)
{
	struct options o;
	int status = 1;

	heap_setup();
	signal(SIGXFSZ, SIG_IGN); /* whoever writes is told EFBIG */
	switch (options_read(&o, argc, argv)) {
	case OPTIONS_RUN:
		status = run(&o);
		break;
	case OPTIONS_DONE:
		status = 0;
		break;
	case OPTIONS_WRONG:
		break;
	}
	options_fini(&o);
	return status;
}
