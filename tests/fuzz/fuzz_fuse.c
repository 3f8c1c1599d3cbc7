// SPDX-License-Identifier: MIT
/*
 * fuzz_fuse.c - arbitrary requests to the server, as if from /dev/fuse
 *
 * How it works: an input is a program of requests.  They go through libfuse's
 * own reader to the real server over a real, small machine; the answers are
 * looked through for what later requests may use.  As with the kernel, a
 * descriptor that a request names has been given out and not been released;
 * everything else is arbitrary: inodes, names, offsets, sizes, bytes.
 *
 * What it finds: crashes, sanitizer reports, hangs, requests that were never
 * answered or answered twice.
 *
 * With libFuzzer (-DFUZZ): fuzz_fuse SEEDS.  Without: fuzz_fuse [FILE...] runs
 * those, or some hundred made-up programs.
 */
#include "../../src/fuse/fuse_impl.h"

#include "kmemfs/base/check.h"
#include "kmemfs/machine/config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_OPEN 32
#define MOST_NODES 64
#define MOST_REQUESTS 400
#define MOST_BYTES 4096 /* of one write; more goes to the pool */

/* What the server was asked and has not answered yet. */
struct asked {
	uint64_t unique;
	uint64_t node;
	uint32_t opcode;
	int open; /* index of the descriptor it uses, -1: none */
};

struct open_file {
	uint64_t fh;
	uint64_t node;
	unsigned int used; /* requests under way */
	bool there;
};

static struct fuzz {
	const uint8_t *data;
	size_t left;
	struct server *server;
	uint64_t unique;
	unsigned int nr_requests;

	pthread_mutex_t lock; /* what the answering threads touch */
	GArray *asked;	      /* of struct asked */
	struct open_file open[MOST_OPEN];
	unsigned int nr_open; /* with those that are being opened */
	uint64_t nodes[MOST_NODES];
	unsigned int nr_nodes;
} z;

static const char paths[] =
	"README answers error_log verify dmesg ram control/batch "
	"control/page/alloc_pages control/page/free_pages "
	"control/clock/advance replay/ftrace replay/policy "
	"trace/trace trace/trace_pipe trace/events/enable "
	"history/journal history/digest allocations/a1/data "
	"allocations/buf/info pages/4096/data proc/meminfo "
	"proc/buddyinfo proc/kpageflags proc/sys/vm/min_free_kbytes "
	"sys/devices/system/memory/memory1/state";

/* Parts of paths, so that walks get deep. */
static const char parts[] =
	"allocations a1 buf data control page alloc_pages batch nodes "
	"0 zones DMA32 orders proc sys vm min_free_kbytes devices "
	"system memory memory1 pages 4096 trace trace_pipe history "
	"journal snapshots cpus 1";

/* Writes that a control file understands: random bytes seldom are. */
static const char *const lines[] = {
	"GFP_KERNEL 0 name=buf\n",
	"page/alloc_pages GFP_KERNEL 3 name=buf\npage/free_pages buf\n",
	"page/alloc_pages GFP_DMA 1\n",
	"buf\n",
	"1ms\n",
	"1",
	"mirror",
	"all 1\n",
	"offline",
	"page/alloc_pa",
	"",
};

/* --- taking the input apart ---------------------------------------------- */

static uint64_t
take(size_t bytes)
{
	uint64_t v = 0;

	while (bytes-- && z.left) {
		v = v << 8 | *z.data++;
		z.left--;
	}
	return v;
}

/* One of the words of a list, into @to of 256 bytes; returns its length. */
static size_t
pick_word(const char *list, size_t nr, char *to)
{
	char **words = g_strsplit(list, " ", -1);
	size_t len = g_strlcpy(to, words[nr % g_strv_length(words)], 256);

	g_strfreev(words);
	return len;
}

/* A name of up to 255 bytes, seldom so long, NUL-terminated, into @to. */
static size_t
take_name(char *to)
{
	size_t len = take(1);

	if (len < 240)
		len %= 64;
	len = MIN_OF(len, z.left);
	if (len & 1)
		len = pick_word(parts, len / 2, to);
	else
		for (size_t i = 0; i < len; i++)
			to[i] = (char)take(1);
	to[len] = '\0';
	return strlen(to) + 1;
}

static uint64_t
take_offset(void)
{
	uint64_t how = take(1);

	return how & 1 ? take(1) : how & 2 ? take(8) & INT64_MAX : 0;
}

/* --- requests ------------------------------------------------------------ */

/* One request under construction. */
struct request {
	struct fuse_in_header header;
	char bytes[MOST_BYTES * 3 + 512];
	size_t used;
	int open;
};

static void *
request_add(struct request *r, size_t size)
{
	void *at = r->bytes + r->used;

	KM_ASSERT(r->used + size <= sizeof(r->bytes));
	memset(at, 0, size);
	r->used += size;
	return at;
}

static void
request_name(struct request *r)
{
	char name[256];
	size_t len = take_name(name);

	memcpy(request_add(r, len), name, len);
}

/* Let it use a descriptor; false: none is open. */
static bool
request_open(struct request *r, uint64_t *fh)
{
	unsigned int want = (unsigned int)take(1);

	pthread_mutex_lock(&z.lock);
	for (unsigned int i = 0; i < MOST_OPEN && r->open < 0; i++) {
		unsigned int nr = (want + i) % MOST_OPEN;

		if (!z.open[nr].there)
			continue;
		r->open = (int)nr;
		r->header.nodeid = z.open[nr].node;
		*fh = z.open[nr].fh;
	}
	pthread_mutex_unlock(&z.lock);
	return r->open >= 0;
}

/* Whether a request on the descriptor of @r is under way. */
static bool
request_is_shared(const struct request *r)
{
	bool shared;

	pthread_mutex_lock(&z.lock);
	shared = z.open[r->open].used;
	pthread_mutex_unlock(&z.lock);
	return shared;
}

static bool
make_open(struct request *r)
{
	static const uint32_t modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
	struct fuse_open_in *in = request_add(r, sizeof(*in));
	uint64_t how = take(1);
	struct tree_attr attr;
	char path[256];
	bool room;

	in->flags = modes[how % 3] | (how & 0x40 ? O_TRUNC : 0);
	if (how & 0x80) {
		pick_word(paths, take(1), path);
		if (!tree_path(z.server->tree, path, &attr))
			r->header.nodeid = attr.ino;
	}
	pthread_mutex_lock(&z.lock);
	room = z.nr_open < MOST_OPEN;
	z.nr_open += room;
	pthread_mutex_unlock(&z.lock);
	return room;
}

static bool
make_read(struct request *r)
{
	struct fuse_read_in *in = request_add(r, sizeof(*in));
	uint64_t how = take(1);

	in->offset = take_offset();
	in->size = (uint32_t)take(3) & 0xfffff;
	in->flags = how & 1 ? O_NONBLOCK : 0;
	return request_open(r, &in->fh);
}

static bool
make_write(struct request *r)
{
	struct fuse_write_in *in = request_add(r, sizeof(*in));
	uint64_t how = take(1);
	const char *line = lines[how % ARRAY_SIZE(lines)];
	size_t size = how & 0x80 ? take(2) % (MOST_BYTES * 3) : strlen(line);
	char *bytes;

	in->offset = take_offset();
	in->size = (uint32_t)size;
	if (!request_open(r, &in->fh))
		return false;
	bytes = request_add(r, size);
	if (how & 0x80)
		for (size_t i = 0; i < size; i++)
			bytes[i] = z.left ? (char)take(1) : '\n';
	else
		memcpy(bytes, line, size);
	return true;
}

static bool
make_release(struct request *r)
{
	struct fuse_release_in *in = request_add(r, sizeof(*in));

	/* Fewer than opens, so that some stay. */
	return take(1) & 1 && request_open(r, &in->fh) && !request_is_shared(r);
}

static bool
make_poll(struct request *r)
{
	struct fuse_poll_in *in = request_add(r, sizeof(*in));

	in->kh = take(1);
	in->flags = take(1) & 1 ? FUSE_POLL_SCHEDULE_NOTIFY : 0;
	return request_open(r, &in->fh);
}

static bool
make_lseek(struct request *r)
{
	struct fuse_lseek_in *in = request_add(r, sizeof(*in));

	in->offset = take_offset();
	in->whence = take(1) & 1 ? SEEK_DATA : SEEK_HOLE;
	return request_open(r, &in->fh);
}

static bool
make_readdir(struct request *r)
{
	struct fuse_read_in *in = request_add(r, sizeof(*in));

	in->offset = take_offset();
	in->size = (uint32_t)take(2);
	return true;
}

static bool
make_setattr(struct request *r)
{
	struct fuse_setattr_in *in = request_add(r, sizeof(*in));

	in->valid = (uint32_t)take(3);
	in->valid &= ~(uint32_t)FATTR_FH;
	return true;
}

static bool
make_interrupt(struct request *r)
{
	struct fuse_interrupt_in *in = request_add(r, sizeof(*in));
	uint64_t pick = take(1);

	pthread_mutex_lock(&z.lock);
	in->unique = z.asked->len ? g_array_index(z.asked, struct asked,
						  pick % z.asked->len)
					    .unique
				  : pick;
	pthread_mutex_unlock(&z.lock);
	return true;
}

static bool
make_name(struct request *r)
{
	request_name(r);
	return true;
}

static bool
make_two_names(struct request *r)
{
	request_name(r);
	request_name(r);
	return true;
}

static bool
make_plain(struct request *r)
{
	(void)r;
	return true;
}

/*
 * @size of the fixed part before the names; made by @make in full if 0.  What
 * matters most is there more than once.
 */
static const struct kind {
	uint32_t opcode;
	size_t size;
	bool (*make)(struct request *r);
	bool silent; /* the kernel wants no answer */
} kinds[] = {
	{FUSE_LOOKUP,     0,			       make_name,	    false},
	{FUSE_LOOKUP,     0,			       make_name,	    false},
	{FUSE_LOOKUP,     0,			       make_name,	    false},
	{FUSE_WRITE,	     0,			       make_write,	    false},
	{FUSE_WRITE,	     0,			       make_write,	    false},
	{FUSE_WRITE,	     0,			       make_write,	    false},
	{FUSE_OPEN,	    0,			       make_open,	  false},
	{FUSE_OPEN,	    0,			       make_open,	  false},
	{FUSE_OPEN,	    0,			       make_open,	  false},
	{FUSE_READ,	    0,			       make_read,	  false},
	{FUSE_READ,	    0,			       make_read,	  false},
	{FUSE_READ,	    0,			       make_read,	  false},
	{FUSE_GETATTR,    sizeof(struct fuse_getattr_in),  make_plain,	   false},
	{FUSE_SETATTR,    0,			       make_setattr,	false},
	{FUSE_READLINK,	0,			       make_plain,     false},
	{FUSE_MKDIR,	     sizeof(struct fuse_mkdir_in),	   make_name,      false},
	{FUSE_RMDIR,	     0,			       make_name,	   false},
	{FUSE_UNLINK,     0,			       make_name,	    false},
	{FUSE_MKNOD,	     sizeof(struct fuse_mknod_in),	   make_name,      false},
	{FUSE_CREATE,     sizeof(struct fuse_create_in),   make_name,	false},
	{FUSE_SYMLINK,    0,			       make_two_names, false},
	{FUSE_LINK,	    sizeof(struct fuse_link_in),	 make_name,	    false},
	{FUSE_RENAME,     sizeof(struct fuse_rename_in),   make_two_names, false},
	{FUSE_STATFS,     0,			       make_plain,     false},
	{FUSE_RELEASE,    0,			       make_release,	false},
	{FUSE_READDIR,    0,			       make_readdir,	false},
	{FUSE_LSEEK,	     0,			       make_lseek,	    false},
	{FUSE_POLL,	    0,			       make_poll,	  false},
	{FUSE_FORGET,     sizeof(struct fuse_forget_in),   make_plain,	 true },
	{FUSE_INTERRUPT,	 0,			       make_interrupt, true },
	{FUSE_ACCESS,     sizeof(struct fuse_access_in),   make_plain,	 false},
	{FUSE_GETXATTR,	sizeof(struct fuse_getxattr_in), make_name,	    false},
	{FUSE_FLUSH,	     sizeof(struct fuse_flush_in),	   make_plain,     false},
	{FUSE_OPENDIR,    sizeof(struct fuse_open_in),	    make_plain,	false},
	{FUSE_RELEASEDIR, sizeof(struct fuse_release_in),  make_plain,     false},
	{9999,	       0,			       make_plain,     false},
};

static void
note_asked(const struct request *r, bool silent)
{
	struct asked asked = {
		.unique = r->header.unique,
		.node = r->header.nodeid,
		.opcode = r->header.opcode,
		.open = r->open,
	};

	pthread_mutex_lock(&z.lock);
	if (r->open >= 0)
		z.open[r->open].used++;
	if (!silent)
		g_array_append_val(z.asked, asked);
	pthread_mutex_unlock(&z.lock);
}

static uint64_t
pick_node(void)
{
	uint64_t pick = take(1);

	if (pick == 0xff)
		return take(8);
	return z.nodes[pick % z.nr_nodes];
}

/* The next request of the program; false when it is over. */
static bool
next_request(struct request *r)
{
	while (z.left && z.nr_requests++ < MOST_REQUESTS) {
		const struct kind *kind = &kinds[take(1) % ARRAY_SIZE(kinds)];
		bool made;

		*r = (struct request){.open = -1};
		pthread_mutex_lock(&z.lock);
		r->header.nodeid = pick_node();
		pthread_mutex_unlock(&z.lock);
		r->header.opcode = kind->opcode;
		request_add(r, kind->size);
		made = kind->make(r);
		if (!made)
			continue;
		z.unique += 2;
		r->header.unique = z.unique | kind->silent;
		note_asked(r, kind->silent);
		return true;
	}
	return false;
}

static void
first_request(struct request *r)
{
	struct fuse_init_in *in;

	*r = (struct request){.open = -1};
	in = request_add(r, sizeof(*in));
	in->major = FUSE_KERNEL_VERSION;
	in->minor = FUSE_KERNEL_MINOR_VERSION;
	in->max_readahead = 128 << 10;
	in->flags = FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES | FUSE_ASYNC_READ;
	r->header.opcode = FUSE_INIT;
	z.unique += 2;
	r->header.unique = z.unique;
	note_asked(r, false);
}

static ssize_t
fuzz_read(int fd, void *to, size_t room, void *user)
{
	static struct request r;
	bool more = true;

	(void)fd;
	(void)user;
	if (!z.unique)
		first_request(&r);
	else
		more = next_request(&r);
	if (!more) {
		fuse_session_exit(z.server->session);
		return 0;
	}
	r.header.len = (uint32_t)(sizeof(r.header) + r.used);
	KM_ASSERT(r.header.len <= room);
	memcpy(to, &r.header, sizeof(r.header));
	memcpy((char *)to + sizeof(r.header), r.bytes, r.used);
	return (ssize_t)r.header.len;
}

/* --- answers ------------------------------------------------------------- */

/* Holds: lock. */
static void
answer_open(const struct asked *asked, const struct fuse_open_out *out)
{
	for (int i = 0; i < MOST_OPEN; i++) {
		if (z.open[i].there)
			continue;
		z.open[i] = (struct open_file){
			.fh = out->fh,
			.node = asked->node,
			.there = true,
		};
		return;
	}
	km_panic(__FILE__, __LINE__, "more is open than was opened");
}

/* Holds: lock. */
static void
answer_use(const struct asked *asked, int error, const void *body, size_t len)
{
	if (asked->open >= 0)
		z.open[asked->open].used--;
	if (asked->opcode == FUSE_RELEASE)
		z.open[asked->open].there = false;
	if (asked->opcode == FUSE_RELEASE ||
	    (asked->opcode == FUSE_OPEN && error))
		z.nr_open--;
	if (error || len < sizeof(struct fuse_open_out))
		return;
	if (asked->opcode == FUSE_OPEN)
		answer_open(asked, body);
	if (asked->opcode == FUSE_LOOKUP || asked->opcode == FUSE_MKDIR) {
		const struct fuse_entry_out *out = body;

		if (out->nodeid)
			z.nodes[z.nr_nodes < MOST_NODES
					? z.nr_nodes++
					: out->nodeid % MOST_NODES] =
				out->nodeid;
	}
}

static ssize_t
fuzz_writev(int fd, struct iovec *iov, int count, void *user)
{
	const struct fuse_out_header *header = iov[0].iov_base;
	bool found = false;

	(void)fd;
	(void)user;
	/* A notification, or "what is to be interrupted is not here". */
	if (!header->unique || header->unique & 1)
		return (ssize_t)header->len;
	pthread_mutex_lock(&z.lock);
	for (guint i = 0; i < z.asked->len && !found; i++) {
		struct asked asked = g_array_index(z.asked, struct asked, i);

		if (asked.unique != header->unique)
			continue;
		found = true;
		g_array_remove_index_fast(z.asked, i);
		answer_use(&asked, header->error,
			   count > 1 ? iov[1].iov_base : NULL,
			   count > 1 ? iov[1].iov_len : 0);
	}
	pthread_mutex_unlock(&z.lock);
	KM_ASSERT(found);
	return (ssize_t)header->len;
}

/* --- one input ----------------------------------------------------------- */

static struct tree *
boot(void)
{
	char *error = NULL;
	struct machine_config *config = config_read(
		"[machine]\narch = x86-64\nmemory = 64M\ncpus = 2\n", "fuzz",
		&error);
	struct machine *m = config ? machine_boot(config, NULL, &error) : NULL;

	if (!m) {
		fprintf(stderr, "fuzz_fuse: %s\n", error);
		exit(1);
	}
	return tree_new(m, false);
}

static void
run_session(int fd)
{
	static const struct fuse_custom_io io = {
		.writev = fuzz_writev,
		.read = fuzz_read,
	};
	char name[] = "fuzz_fuse";
	char *argv[] = {name};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_session *session = fuse_session_new(
		&args, &server_ops, sizeof(server_ops), z.server);

	KM_ASSERT(session && !fuse_session_custom_io(session, &io, fd));
	z.server->session = session;
	fuse_session_loop(session);
	server_drain(z.server);
	fuse_session_destroy(session);
	fuse_opt_free_args(&args);
}

/*
 * An interrupt of what is not under way waits in libfuse for it, and is not
 * freed at the end.
 */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libfuse3";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	z = (struct fuzz){
		.data = data,
		.left = size,
		.server = server_new(boot()),
		.asked = g_array_new(FALSE, FALSE, sizeof(struct asked)),
		.nodes = {TREE_ROOT},
		.nr_nodes = 1,
	};
	pthread_mutex_init(&z.lock, NULL);
	run_session(eventfd(0, EFD_CLOEXEC));
	KM_ASSERT(!z.asked->len);
	server_free(z.server);
	g_array_unref(z.asked);
	pthread_mutex_destroy(&z.lock);
	return 0;
}

#ifndef FUZZ
#define MADE_UP 300

/* Programs of a generator with a fixed start: the same on every run. */
static void
run_made_up(void)
{
	uint64_t state = 1;
	uint8_t data[4096];

	for (unsigned int n = 0; n < MADE_UP; n++) {
		for (size_t i = 0; i < sizeof(data); i++) {
			state = state * 6364136223846793005ULL +
				1442695040888963407ULL;
			data[i] = (uint8_t)(state >> 56);
		}
		LLVMFuzzerTestOneInput(data, sizeof(data));
	}
	printf("%d passed, 0 failed\n", MADE_UP);
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		run_made_up();
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		char *data;
		gsize size;

		if (!g_file_get_contents(argv[i], &data, &size, NULL)) {
			perror(argv[i]);
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)data, size);
		g_free(data);
	}
	printf("%d passed, 0 failed\n", argc - 1);
	return 0;
}
#endif
