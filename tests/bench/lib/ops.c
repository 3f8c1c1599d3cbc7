// SPDX-License-Identifier: MIT
/* ops.c - ops as text, by the hundred thousand */
#include "ops.h"

#include "bench.h"

#include <fcntl.h>

#define LIVE 1000

static void
put_free(struct out *text, uint64_t id)
{
	out_str(text, "page/free_pages a");
	out_u64(text, id);
	out_char(text, '\n');
}

unsigned int
ops_make_batch(struct out *text, unsigned int nr, uint64_t last_id)
{
	uint64_t live[LIVE], random = 7;
	unsigned int nr_live = 0, lines = 0;

	while (lines + nr_live < nr) {
		uint64_t r = bench_random(&random);
		/* Mostly single pages, as kernels ask for them. */
		unsigned int order = r & 7 ? 0 : (r >> 3) & 3;

		if (nr_live < LIVE) {
			live[nr_live++] = ++last_id;
			out_str(text, "page/alloc_pages GFP_KERNEL ");
			out_u64(text, order);
			out_char(text, '\n');
		} else {
			uint64_t *which = &live[(r >> 8) % nr_live];

			put_free(text, *which);
			*which = live[--nr_live];
		}
		lines++;
	}
	while (nr_live) {
		put_free(text, live[--nr_live]);
		lines++;
	}
	return lines;
}

int
ops_feed(struct tree *t, const char *path, const char *text, size_t len)
{
	struct tree_attr attr;
	struct tree_file *f;
	int err = tree_path(t, path, &attr);

	if (!err)
		err = tree_open(t, attr.ino, O_WRONLY, &f);
	if (err)
		return err;
	for (size_t at = 0; at < len && !err; at += MIB(1)) {
		size_t piece = MIN_OF(len - at, MIB(1));
		ssize_t done = tree_write(f, text + at, piece, at);

		err = done < 0 ? (int)done : 0;
	}
	tree_close(f);
	return err;
}
