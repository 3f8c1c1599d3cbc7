// SPDX-License-Identifier: MIT
/*
 * bench_views.c - making the texts, in process
 *
 * Formatting is measured on the show functions, against reading the host's own
 * file of that kind, which the kernel formats; where that cannot be read,
 * against a copy of the bytes.  A handler is what a mount runs for one
 * open, read and close, against the system calls on the host's file.
 */
#include "lib/bench.h"
#include "lib/fragment.h"

#include "kmemfs/show.h"
#include "kmemfs/tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE (128 * 1024)

/* --- the other side: a file of the host ---------------------------------- */

struct host_file {
	const char *path;
	char *room;
};

/* Bytes of the file, read from start to end; 0 when it cannot be. */
static uint64_t
host_read(const struct host_file *h)
{
	int fd = open(h->path, O_RDONLY | O_CLOEXEC);
	uint64_t sum = 0;
	ssize_t got;

	if (fd < 0)
		return 0;
	while ((got = read(fd, h->room, PIECE)) > 0)
		sum += (uint64_t)got;
	close(fd);
	return got < 0 ? 0 : sum;
}

/* --- formatting ---------------------------------------------------------- */

struct format {
	struct machine *m;
	const char *what;
	void (*show)(const struct view *v, struct out *out);
	ssize_t (*read)(const struct view *v, void *to, size_t len,
			uint64_t at);
	uint64_t key[KEYS_MAX];
	const char *name;
	struct host_file host;
	struct out out;
	unsigned int times; /* to run long enough to be measured */
};

static uint64_t
format_once(struct format *f)
{
	struct view v = {.m = f->m, .name = f->name};
	uint64_t at = 0;
	ssize_t got;

	memcpy(v.key, f->key, sizeof(v.key));
	if (f->show) {
		out_reset(&f->out);
		f->show(&v, &f->out);
		return f->out.len;
	}
	while ((got = f->read(&v, f->host.room, PIECE, at)) > 0)
		at += (uint64_t)got;
	return at;
}

static double
format_ours(void *with)
{
	struct format *f = with;
	uint64_t bytes = 0, start = bench_cpu();

	for (unsigned int i = 0; i < f->times; i++)
		bytes += format_once(f);
	return bytes ? (double)bytes * 1e3 / (double)(bench_cpu() - start)
		     : NAN;
}

static double
format_host(void *with)
{
	struct format *f = with;
	uint64_t bytes = 0, start = bench_cpu();

	do
		bytes += host_read(&f->host);
	while (bytes && bench_cpu() - start < 3000000);
	return (double)bytes * 1e3 / (double)(bench_cpu() - start);
}

static double
format_copy(void *with)
{
	struct format *f = with;
	char *from = f->show ? f->out.text : f->host.room;
	size_t len = f->show ? f->out.len : PIECE;
	char *to = g_malloc(len);
	uint64_t bytes = 0, start = bench_cpu();

	while (bench_cpu() - start < 1000000) {
		memcpy(to, from, len);
		__asm__ volatile("" : : "r"(to) : "memory");
		bytes += len;
	}
	g_free(to);
	return (double)bytes * 1e3 / (double)(bench_cpu() - start);
}

static void
bench_format(struct format *f)
{
	uint64_t start, one;
	bool host;

	if (!bench_wants(f->what))
		return;
	f->out = OUT_INIT;
	f->host.room = g_malloc(PIECE);
	host = host_read(&f->host) > 0;
	start = bench_cpu();
	format_once(f);
	one = bench_cpu() - start;
	f->times = (unsigned int)(3000000 / (one + 1)) + 1;
	bench_run(&(struct bench_row){
		.what = f->what,
		.unit = "MB/s",
		.reference = host ? f->host.path : "memcpy",
		.ours = format_ours,
		.other = host ? format_host : format_copy,
		.with = f,
		.target = TARGET_OURS_MIN,
		.limit = 400,
	});
	g_free(f->host.room);
	out_fini(&f->out);
}

static void
bench_formats(void)
{
	struct machine *m = bench_boot_named("numa-4");

	bench_format(&(struct format){
		.m = m,
		.what = "formatting proc/zoneinfo, numa-4",
		.show = show_zoneinfo,
		.name = "zoneinfo",
		.host.path = "/proc/zoneinfo",
	});
	machine_free(m);
	m = bench_boot("[machine]\narch = x86-64\nmemory = 8G\ncpus = 4\n");
	bench_format(&(struct format){
		.m = m,
		.what = "formatting proc/kpageflags, 8 GiB",
		.read = read_kpageflags,
		.name = "kpageflags",
		.host.path = "/proc/kpageflags",
	});
	fragment(m, 400000);
	bench_format(&(struct format){
		.m = m,
		.what = "formatting proc/kpageflags, 8 GiB, fragmented",
		.read = read_kpageflags,
		.name = "kpageflags",
		.host.path = "/proc/kpageflags",
	});
	bench_format(&(struct format){
		.m = m,
		.what = "formatting a list of 200,000 free pages",
		.show = show_order_list,
		.key = {0, ZONE_NORMAL, 0, MIGRATE_UNMOVABLE},
		.name = "Unmovable",
		.host.path = "/proc/kallsyms",
	});
	machine_free(m);
	if (!bench_wants("formatting a list of 100 MB"))
		return;
	m = bench_boot(FRAGMENT_MACHINE);
	fragment(m, FRAGMENT_PAGES);
	bench_format(&(struct format){
		.m = m,
		.what = "formatting a list of 100 MB",
		.show = show_order_list,
		.key = {0, ZONE_NORMAL, 0, MIGRATE_UNMOVABLE},
		.name = "Unmovable",
		.host.path = "/proc/kallsyms",
	});
	machine_free(m);
}

/* --- handlers ------------------------------------------------------------ */

#define OPENS 2000

struct handler {
	struct tree *t;
	const char *path, *host;
	uint64_t ino;
	bool changes; /* an op runs before each */
};

static bool
handle(struct handler *h)
{
	static char room[PIECE];
	struct tree_file *f;
	ssize_t got;

	if (tree_open(h->t, h->ino, O_RDONLY, &f))
		return false;
	got = tree_read(f, room, sizeof(room), 0);
	if (got > 0)
		got = tree_read(f, room, sizeof(room), (uint64_t)got);
	tree_close(f);
	return !got;
}

/* The clock's own price is taken off: it is read around each. */
static double
handler_ours(void *with)
{
	struct handler *h = with;
	uint64_t sum = 0, idle = bench_now();

	for (unsigned int i = 0; i < OPENS; i++)
		bench_now();
	idle = bench_now() - idle;
	for (unsigned int i = 0; i < OPENS; i++) {
		uint64_t start;

		if (h->changes && tree_tick(h->t, 1))
			return NAN;
		start = bench_now();
		if (!handle(h))
			return NAN;
		sum += bench_now() - start;
	}
	return (double)(sum - MIN_OF(idle, sum)) / OPENS / 1e3;
}

static double
handler_host(void *with)
{
	struct handler *h = with;
	static char room[PIECE];
	uint64_t start = bench_now();

	for (unsigned int i = 0; i < OPENS; i++) {
		int fd = open(h->host, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return NAN;
		while (read(fd, room, sizeof(room)) > 0)
			;
		close(fd);
	}
	return (double)(bench_now() - start) / OPENS / 1e3;
}

/* Two commands in turns, through control files that stay open. */
struct command {
	struct tree *t;
	const char *path[2], *words[2];
};

static struct tree_file *
command_open(struct tree *t, const char *path)
{
	struct tree_attr attr;
	struct tree_file *f;

	if (tree_path(t, path, &attr) || tree_open(t, attr.ino, O_WRONLY, &f)) {
		fprintf(stderr, "bench: no %s\n", path);
		exit(1);
	}
	return f;
}

static double
command_ours(void *with)
{
	struct command *c = with;
	struct tree_file *f[2];
	uint64_t start;
	bool good = true;
	double us;

	for (int i = 0; i < 2; i++)
		f[i] = command_open(c->t, c->path[i]);
	start = bench_now();
	for (unsigned int i = 0; i < OPENS && good; i++) {
		const char *words = c->words[i & 1];
		ssize_t len = (ssize_t)strlen(words);

		good = tree_write(f[i & 1], words, (size_t)len, 0) == len;
	}
	us = (double)(bench_now() - start) / OPENS / 1e3;
	for (int i = 0; i < 2; i++)
		tree_close(f[i]);
	return good ? us : NAN;
}

/* The host's cheapest kind of write. */
static double
command_host(void *with)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	uint64_t start = bench_now();

	(void)with;
	for (unsigned int i = 0; i < OPENS; i++)
		if (write(fd, "1ns\n", 4) != 4)
			return NAN;
	close(fd);
	return (double)(bench_now() - start) / OPENS / 1e3;
}

static void
bench_command(const char *what, struct command *c)
{
	bench_run(&(struct bench_row){
		.what = what,
		.unit = "us",
		.reference = "/dev/null",
		.ours = command_ours,
		.other = command_host,
		.with = c,
		.target = TARGET_OURS_MAX,
		.limit = 2,
	});
}

static void
bench_commands(struct tree *t)
{
	struct command clock = {
		.t = t,
		.path = {"control/clock/advance", "control/clock/advance"},
		.words = {"1ns\n",		   "1ns\n"		  },
	};
	struct command page = {
		.t = t,
		.path = {"control/page/alloc_page", "control/page/free_page"},
		.words = {"GFP_KERNEL name=turn\n",  "turn\n"		    },
	};

	bench_command("handler of control/clock/advance, kept open", &clock);
	bench_command("handler of alloc_page or free_page, kept open", &page);
}

static void
bench_handlers(void)
{
	static const struct {
		const char *what, *path, *host;
		bool changes;
	} cases[] = {
		{"handler of buddyinfo, nothing changed",			  "proc/buddyinfo",
		 "/proc/buddyinfo",										      false},
		{"handler of buddyinfo, after an op",			      "proc/buddyinfo",
		 "/proc/buddyinfo",										      true },
		{"handler of nodes/0/zones/Normal/free_pages, after an op",
		 "nodes/0/zones/Normal/free_pages",					    "/proc/sys/vm/swappiness",
		 true													 },
	};
	struct tree *t = tree_new(bench_boot_named("default"), false);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct handler h = {.t = t,
				    .path = cases[i].path,
				    .host = cases[i].host,
				    .changes = cases[i].changes};
		struct tree_attr attr;

		if (tree_path(t, h.path, &attr)) {
			bench_skip(cases[i].what, "not there");
			continue;
		}
		h.ino = attr.ino;
		bench_run(&(struct bench_row){
			.what = cases[i].what,
			.unit = "us",
			.reference = h.host,
			.ours = handler_ours,
			.other = handler_host,
			.with = &h,
			.target = TARGET_OURS_MAX,
			.limit = 2,
		});
	}
	bench_commands(t);
	tree_free(t);
}

int
main(int argc, char **argv)
{
	bench_begin(argc, argv);
	bench_formats();
	bench_handlers();
	return bench_end();
}
