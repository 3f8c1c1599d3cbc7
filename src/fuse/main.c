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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* As fuse_session_loop, but no request is lost when a signal comes. */
static int
loop_alone(struct server *s)
{
	int got = 1;

	while (got > 0 && !fuse_session_exited(s->session)) {
		got = server_dispatch(s);
		if (got == -EINTR)
			got = 1;
	}
	return got;
}

/* Returns 0 after a clean end, else a status. */
static int
loop(const struct options *o, struct server *s)
{
	struct fuse_session *session = s->session;
	struct fuse_loop_config *config;
	int end;

	if (o->threads == 1) {
		end = loop_alone(s);
	} else {
		config = fuse_loop_cfg_create();
		fuse_loop_cfg_set_max_threads(config, o->threads);
		end = fuse_session_loop_mt(session, config);
		fuse_loop_cfg_destroy(config);
	}
	/* Requests are answered until server_drain is through. */
	fuse_session_reset(session);
	/* The number of the signal that ended it, or -errno. */
	return end < 0 ? 1 : 0;
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
	if (fuse_set_signal_handlers(session))
		goto destroy;
	if (fuse_session_mount(session, o->mountpoint))
		goto handlers;
	if (o->realtime)
		realtime = realtime_start(s->tree);
	status = loop(o, s);
	realtime_stop(realtime);
	server_drain(s);
	fuse_session_unmount(session);
handlers:
	fuse_remove_signal_handlers(session);
destroy:
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

int
main(int argc, char **argv)
{
	struct options o;
	int status = 1;

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
