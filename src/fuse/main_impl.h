// SPDX-License-Identifier: MIT
/*
 * main_impl.h - the command line, the process, and the mount point
 */
#ifndef KMEMFS_FUSE_MAIN_IMPL_H
#define KMEMFS_FUSE_MAIN_IMPL_H

#include "kmemfs/base/types.h"

#include <glib.h>

/* --- options.c ----------------------------------------------------------- */

struct options {
	char *machine;	    /* NULL: the default one */
	char *mountpoint;   /* as given; absolute after mountpoint_prepare */
	char *state;	    /* directory, absolute, or NULL */
	uint64_t ram_limit; /* bytes, 0 = as the machine says */
	unsigned int threads;
	bool realtime;
	bool foreground;
	bool debug; /* print each request; libfuse does that */
	bool nostream;
	bool polled;
	GString *mount; /* for libfuse: "a,b=c", commas in values escaped */
};

enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

/*
 * Read the command line.  OPTIONS_DONE: help or version was asked for and
 * printed.  OPTIONS_WRONG: a message is on stderr.
 */
enum options_result options_read(struct options *o, int argc, char **argv);
void options_fini(struct options *o);

/* --- mountpoint.c -------------------------------------------------------- */

/*
 * Take away what a dead daemon left at *@mountpoint, check that it is a
 * directory, and make the path absolute.  Returns false with a message on
 * stderr.
 */
bool mountpoint_prepare(char **mountpoint);

/* --- daemon.c ------------------------------------------------------------ */

/*
 * Go on in a child.  The parent waits here until the child calls daemon_ready
 * and then exits with 0, or with the child's status if that ends first.
 */
void daemon_split(void);
/* Let the parent go and give up terminal and folder.  Without daemon_split
 * nothing happens. */
void daemon_ready(void);

#endif
