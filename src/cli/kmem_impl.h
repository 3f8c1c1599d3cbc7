// SPDX-License-Identifier: MIT
/*
 * kmem_impl.h - the commands of kmem
 */
#ifndef KMEMFS_CLI_KMEM_IMPL_H
#define KMEMFS_CLI_KMEM_IMPL_H

#include "kmemfs/base/version.h"
#include "kmemfs/tree/tree.h"

struct command {
	const char *name;
	int least, most; /* words after the name; a script's last word is the
			    rest of its line */
	bool more;	 /* a shell may give more words */
	int (*run)(struct tree *t, int nr, char **words);
	const char *words, *doc;
};

extern const struct command commands[]; /* ends with a NULL name */

/* Say @what failed with -errno @err; returns @err. */
int complain(const char *what, int err);
/* The same, with the tree's own sentence where it has a new one. */
int complain_refused(struct tree *t, const char *what, int err);
/*
 * The command compare: @argv from its name on; @machine and @settings (NULL at
 * its end, may be NULL) are those of kmem itself.  0 or a negative errno, said.
 */
int compare(const char *machine, char **settings, int argc, char **argv);
/* Feed a host file, plain or zstd, to a stream of the tree.  Files that are
 * compressed otherwise are refused. */
int feed(struct tree *t, const char *tree_file, const char *host_file);
/* Ditto, to the end of @text. */
int feed_text(const char *host_file, GString *text);
/* Replay a recording.  One of lines that are all no event's is refused, with
 * -EINVAL, after it was given. */
int feed_recording(struct tree *t, const char *host_file);

#endif
