// SPDX-License-Identifier: MIT
/*
 * list_server.c - mounts a machine one of whose free lists is a text of 100 MB
 *
 * What it is: kmemfs itself, over a machine of 160 GiB that was fragmented
 * before: single pages were taken, and every second one was given back.  A
 * batch that does so takes half a minute and needs an allocation for each page;
 * here the pages have no names.
 *
 *   list_server MOUNTPOINT
 *
 * The list is nodes/0/zones/Normal/orders/0/Unmovable.  Stays in the
 * foreground; SIGTERM unmounts.
 */
#include "../../src/fuse/fuse_impl.h"
#include "lib/bench.h"
#include "lib/fragment.h"

#include <glib.h>

static int
serve(struct server *s, const char *mountpoint)
{
	char name[] = "list_server";
	char options[] = "-odefault_permissions,fsname=list,subtype=kmemfs";
	char *argv[] = {name, options};
	struct fuse_args args = FUSE_ARGS_INIT(2, argv);
	int end = -1;

	s->session =
		fuse_session_new(&args, &server_ops, sizeof(server_ops), s);
	fuse_opt_free_args(&args);
	if (!s->session)
		return 1;
	if (!fuse_set_signal_handlers(s->session)) {
		if (!fuse_session_mount(s->session, mountpoint)) {
			puts("ready");
			fflush(stdout);
			end = fuse_session_loop(s->session);
			fuse_session_reset(s->session);
			server_drain(s);
			fuse_session_unmount(s->session);
		}
		fuse_remove_signal_handlers(s->session);
	}
	fuse_session_destroy(s->session);
	/* A signal's number is a clean end. */
	return end < 0;
}

int
main(int argc, char **argv)
{
	struct machine *m;
	struct server *s;
	int status;

	if (argc != 2) {
		fputs("usage: list_server MOUNTPOINT\n", stderr);
		return 2;
	}
	m = bench_boot(FRAGMENT_MACHINE);
	fragment(m, FRAGMENT_PAGES);
	s = server_new(tree_new(m, false));
	status = serve(s, argv[1]);
	server_free(s);
	return status;
}
