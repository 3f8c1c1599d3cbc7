// SPDX-License-Identifier: MIT
/*
 * bench_streams.c - much at once through a mount: batches, recordings
 *
 *   bench_streams [options] KMEMFS NULL [TRACE]
 */
#include "lib/mount.h"
#include "lib/ops.h"

#include <fcntl.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE (128 * 1024)

/* A text of lines that both sides are fed with. */
struct text {
	char *path, *other;
	struct out lines;
	unsigned int nr;
	bool batch;
};

static double
feed(const char *path, const struct text *t)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	uint64_t start = bench_now();

	if (fd < 0)
		return NAN;
	for (size_t at = 0; at < t->lines.len; at += PIECE) {
		size_t len = MIN_OF(t->lines.len - at, PIECE);

		if (write(fd, t->lines.text + at, len) != (ssize_t)len) {
			close(fd);
			return NAN;
		}
	}
	close(fd);
	return t->nr * 1e3 / (double)(bench_now() - start);
}

/* The machine's last allocation number, from the answer to an op. */
static uint64_t
last_id(void)
{
	int fd = open_below(ours, "control/page/alloc_page", O_RDWR);
	char answer[256] = "", *end = answer;
	uint64_t id;

	if (fd < 0 || write(fd, "\n", 1) != 1 ||
	    write(fd, "GFP_KERNEL\n", 11) != 11 ||
	    read(fd, answer, sizeof(answer) - 1) <= 0 || *answer != 'a')
		exit(1);
	close(fd);
	id = strtoull(answer + 1, &end, 10);
	*end = '\n';
	fd = open_below(ours, "control/page/free_page", O_WRONLY);
	if (write(fd, answer, (size_t)(end - answer) + 1) < 0)
		exit(1);
	close(fd);
	return id;
}

static double
feed_ours(void *with)
{
	struct text *t = with;
	double speed;
	int fd;

	if (t->batch) {
		out_reset(&t->lines);
		t->nr = ops_make_batch(
			&t->lines, bench_quick() ? 50000 : 200000, last_id());
		return feed(t->path, t);
	}
	speed = feed(t->path, t);
	fd = open_below(ours, "control/replay/release", O_WRONLY);
	if (fd < 0 || write(fd, "cpu=0\n", 6) != 6)
		speed = NAN;
	close(fd);
	return speed;
}

static double
feed_null(void *with)
{
	return feed(((struct text *)with)->other, with);
}

static void
bench_streams(const char *text, size_t len)
{
	struct text batch = {.path = below(ours, "control/batch"),
			     .other = below(null, "f0"),
			     .batch = true};
	struct text replay = {.path = below(ours, "replay/ftrace"),
			      .other = batch.other};

	bench_run(&(struct bench_row){"mount: control/batch", "M ops/s",
				      "null server", feed_ours, feed_null,
				      &batch, TARGET_OURS_MIN, 3, 0, 0});
	if (text) {
		out_mem(&replay.lines, text, len);
		replay.nr = (unsigned int)bench_count_lines(text, len);
		bench_run(&(struct bench_row){"mount: replay/ftrace",
					      "M lines/s", "null server",
					      feed_ours, feed_null, &replay,
					      TARGET_OURS_MIN, 3, 0, 0});
	} else {
		bench_skip("mount: replay/ftrace", "no recording to be read");
	}
	out_fini(&batch.lines);
	out_fini(&replay.lines);
	g_free(batch.path);
	g_free(batch.other);
	g_free(replay.path);
}

int
main(int argc, char **argv)
{
	const char *recording = mount_begin(argc, argv);
	size_t len = 0;
	char *text = recording ? bench_load(recording, &len) : NULL;

	bench_streams(text, len);
	g_free(text);
	return bench_end();
}
