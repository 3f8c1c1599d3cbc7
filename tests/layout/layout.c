// SPDX-License-Identifier: MIT
/*
 * layout.c - every declared name is there and does what its stanza says
 *
 *     layout CASES.tsv
 *
 * The cases are made from fs-layout/ by the generator.  The whole tree of
 * several machines is walked: each name found must be declared, its inode
 * number lead back to it, its mode be the declared one, its text as long as
 * stat says; what is read-only must refuse to be opened for writing.  Each
 * control file's "try" must succeed, each "fails" give its errno with a
 * sentence, and what is refused must leave the digest as it was.  A declared
 * name that no machine shows is a failure.
 */
#include "kmemfs/machine/op.h"
#include "kmemfs/tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned int passed, failed;

static void
result(bool good, const char *claim, const char *what)
{
	if (good) {
		passed++;
		return;
	}
	failed++;
	printf("not so: %s: %s\n", what, claim);
}

static struct tree *
boot(const char *machine)
{
	char *error = NULL;
	struct machine_config *config = config_load(machine, &error);
	struct machine *m = config ? machine_boot(config, NULL, &error) : NULL;

	if (!m) {
		fprintf(stderr, "%s: %s\n", machine, error);
		exit(2);
	}
	return tree_new(m, false);
}

/* --- declared names ------------------------------------------------------ */

struct declared {
	char *kind, *path, *size, *stream;
	unsigned int mode;
	bool seen;
	uint64_t index;
};

static GPtrArray *declared;

static void
declare(char **cell)
{
	struct declared *d = g_new0(struct declared, 1);

	d->kind = g_strdup(cell[1]);
	d->path = g_strdup(cell[2]);
	d->mode = (unsigned int)strtoul(cell[3], NULL, 8);
	d->size = g_strdup(cell[4]);
	d->stream = g_strdup(cell[5]);
	d->index = g_ascii_strtoull(cell[7], NULL, 10);
	g_ptr_array_add(declared, d);
}

static void
forget(struct declared *d)
{
	g_free(d->kind);
	g_free(d->path);
	g_free(d->size);
	g_free(d->stream);
	g_free(d);
}

/* An inode number's upper part is the entry's place in the layout, plus one. */
static struct declared *
declaration_of(uint64_t ino)
{
	for (guint i = 0; i < declared->len; i++) {
		struct declared *d = declared->pdata[i];

		if (d->index + 1 == ino >> 48)
			return d;
	}
	return NULL;
}

/* --- walking ------------------------------------------------------------- */

struct name {
	char *name;
	uint64_t ino;
};

static bool
collect(void *user, const char *name, uint64_t ino, enum tree_kind kind,
	uint64_t cookie)
{
	struct name n = {g_strdup(name), ino};

	(void)kind;
	(void)cookie;
	g_array_append_val(user, n);
	return true;
}

static void
check_text(struct tree *t, const struct declared *d, const char *path,
	   const struct tree_attr *attr)
{
	bool memory = !strcmp(d->size, "memory");
	char piece[4096];
	struct tree_file *f;
	uint64_t from = 0, until = UINT64_MAX, len = 0;
	ssize_t got = 0;
	int err = tree_open(t, attr->ino, O_RDONLY, &f);

	result(!err, "it can be opened for reading", path);
	if (err)
		return;
	/* In a hole of a task's memory nothing can be read. */
	if (memory) {
		off_t data = tree_lseek(f, 0, SEEK_DATA);

		from = data < 0 ? attr->size : (uint64_t)data;
		data = tree_lseek(f, (off_t)from, SEEK_HOLE);
		until = data < 0 ? from : (uint64_t)data;
	}
	while (from + len < until &&
	       (got = tree_read(f, piece, sizeof(piece), from + len)) > 0) {
		len += (uint64_t)got;
		if (memory && len > (1 << 20))
			break;
	}
	tree_close(f);
	result(got >= 0 || got == -EAGAIN, "it can be read", path);
	if (!strcmp(d->stream, "-") &&
	    (!strcmp(d->size, "exact") || !strcmp(d->size, "fixed")))
		result(len == attr->size, "stat tells its length", path);
}

static void
check_file(struct tree *t, const struct declared *d, const char *path,
	   const struct tree_attr *attr)
{
	struct tree_file *f;
	int err;

	if (attr->kind == TREE_LINK) {
		struct out target = OUT_INIT;
		struct tree_attr to;
		char *dir = g_path_get_dirname(path), *full;

		err = tree_readlink(t, attr->ino, &target);
		result(!err && *out_text(&target) != '/', "a relative link",
		       path);
		full = g_canonicalize_filename(out_text(&target), dir);
		result(!tree_path(t, full, &to), "the link leads somewhere",
		       path);
		g_free(full);
		g_free(dir);
		out_fini(&target);
		return;
	}
	if (attr->mode & 0444)
		check_text(t, d, path, attr);
	if (!(attr->mode & 0222)) {
		err = tree_open(t, attr->ino, O_WRONLY, &f);
		result(err == -EACCES, "read-only refuses writers", path);
	}
}

static void
walk(struct tree *t, const char *path, uint64_t ino)
{
	GArray *names = g_array_new(FALSE, FALSE, sizeof(struct name));

	result(!tree_readdir(t, ino, 0, collect, names), "it can be listed",
	       path);
	for (guint i = 0; i < names->len; i++) {
		struct name *n = &g_array_index(names, struct name, i);
		char *child = g_strdup_printf(
			"%s/%s", strcmp(path, "/") ? path : "", n->name);
		struct declared *d = declaration_of(n->ino);
		struct out again = OUT_INIT;
		struct tree_attr attr;

		result(d, "every name is declared", child);
		result(!tree_lookup(t, ino, n->name, &attr) &&
			       attr.ino == n->ino,
		       "look-up finds what the list has", child);
		result(!tree_path_of(t, n->ino, &again) &&
			       !strcmp(out_text(&again), child),
		       "its inode number leads back to it", child);
		if (d) {
			d->seen = true;
			result((attr.mode & 07777) == d->mode,
			       "its mode is the declared one", child);
			if (attr.kind == TREE_DIR)
				walk(t, child, n->ino);
			else
				check_file(t, d, child, &attr);
		}
		out_fini(&again);
		g_free(child);
		g_free(n->name);
	}
	g_array_free(names, TRUE);
}

/* Names that are found though no list has them. */
static void
look_up(struct tree *t, const char *path)
{
	struct tree_attr attr;
	struct declared *d;

	if (tree_path(t, path, &attr)) {
		result(false, "it can be found", path);
		return;
	}
	d = declaration_of(attr.ino);
	result(d, "every name is declared", path);
	if (!d)
		return;
	d->seen = true;
	check_file(t, d, path, &attr);
}

/* --- control files: try and fails ---------------------------------------- */

static void
do_lines(struct tree *t, const char *lines)
{
	char **each = g_strsplit(lines, ";", -1);

	for (char **line = each; *line; line++)
		if (*g_strstrip(*line))
			result(!tree_do(t, *line, NULL, NULL),
			       "the preparation succeeds", *line);
	g_strfreev(each);
}

static void
digest(struct tree *t, char text[DIGEST_TEXT])
{
	machine_digest(tree_lock(t), text);
	tree_unlock(t);
}

/* Write @words to the control file of @op; returns the write's result. */
static ssize_t
say(struct tree *t, const char *op, const char *words)
{
	char *path = g_strdup_printf("/control/%s", op);
	struct tree_attr attr;
	struct tree_file *f;
	ssize_t done = tree_path(t, path, &attr);

	if (!done)
		done = tree_open(t, attr.ino, O_WRONLY, &f);
	if (!done) {
		char *line = g_strconcat(words, "\n", NULL);

		done = tree_write(f, line, strlen(line), 0);
		tree_close(f);
		g_free(line);
	}
	g_free(path);
	return done;
}

static void
case_try(char **cell)
{
	struct tree *t = boot("default");
	char *what = g_strdup_printf("%s %s", cell[1], cell[2]);

	do_lines(t, cell[3]);
	result(say(t, cell[1], cell[2]) > 0, "the example succeeds", what);
	g_free(what);
	tree_free(t);
}

static void
case_fails(char **cell)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];
	struct tree *t = boot("default");
	char *what = g_strdup_printf("%s %s", cell[1], cell[2]);
	struct machine *m;
	ssize_t done;

	do_lines(t, cell[3]);
	digest(t, before);
	done = say(t, cell[1], cell[2]);
	result(done < 0 && !strcmp(strerrorname_np((int)-done), cell[4]),
	       "it fails with the declared errno", what);
	digest(t, after);
	m = tree_lock(t);
	result(!g_queue_is_empty(&m->error_log.lines),
	       "error_log has a sentence", what);
	/* What ran and failed is journaled; what was refused changed
	 * nothing. */
	result(m->position > 0 || !strcmp(before, after),
	       "a refusal changes nothing", what);
	tree_unlock(t);
	g_free(what);
	tree_free(t);
}

/* An unknown word, whatever the op. */
static void
case_unknown(const char *path)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];
	struct tree *t = boot("uma-small");

	digest(t, before);
	result(say(t, path + strlen("/control/"), "no_such_parameter=1") ==
		       -EINVAL,
	       "an unknown word is EINVAL", path);
	digest(t, after);
	result(!strcmp(before, after), "and changes nothing", path);
	tree_free(t);
}

/* --- main ---------------------------------------------------------------- */

static void
walk_machine(const char *name, const char *const *ops)
{
	struct tree *t = boot(name);
	char before[DIGEST_TEXT], after[DIGEST_TEXT];

	for (; *ops; ops++)
		result(!tree_do(t, *ops, NULL, NULL), "it can be done", *ops);
	digest(t, before);
	walk(t, "/", TREE_ROOT);
	look_up(t, "/tasks/1/translate/0x7ffff0000000");
	look_up(t, "/cpus/0/translate/0x400000");
	digest(t, after);
	result(!strcmp(before, after), "no read changes the digest", name);
	tree_free(t);
}

int
main(int argc, char **argv)
{
	static const char *const some[] = {
		"page/alloc_pages GFP_KERNEL 3 name=block",
		"page/alloc_pages GFP_KERNEL|__GFP_COMP 2 name=compound",
		"page/alloc_pages_exact 20K name=exact",
		"file/create lib 10000 content=hello",
		"task/fork name=sh",
		"vm/mmap sh 1M name=map",
		"vm/write sh map hello",
		"slab/kmem_cache_create mine 100",
		"slab/kmem_cache_create merged 100",
		"slab/kmem_cache_create made 40 ctor=zero",
		"slab/kmem_cache_alloc_bulk mine 50 name=many",
		"slab/kmem_cache_alloc made",
		"slab/kmalloc 100 name=msg",
		"slab/kmalloc 100K name=large",
		"slab/kmem_cache_free mine many.7",
		"mempool/mempool_create_page_pool 3 2 name=pages",
		"mempool/mempool_create_kmalloc_pool 3 20K name=pool",
		"mempool/mempool_alloc pages name=element",
		"percpu/alloc_percpu 100 name=counter",
		"percpu/get_cpu_ptr counter",
		NULL};
	static const char *const none[] = {NULL};
	char *text, **lines;

	if (argc != 2 || !g_file_get_contents(argv[1], &text, NULL, NULL)) {
		fprintf(stderr, "usage: layout CASES.tsv\n");
		return 2;
	}
	declared = g_ptr_array_new();
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		char **cell = g_strsplit(*line, "\t", -1);

		if (cell[0] && !strcmp(cell[0], "entry"))
			declare(cell);
		else if (cell[0] && !strcmp(cell[0], "try"))
			case_try(cell);
		else if (cell[0] && !strcmp(cell[0], "fails"))
			case_fails(cell);
		g_strfreev(cell);
	}
	walk_machine("default", some);
	walk_machine("uma-small", none);
	walk_machine("i386-highmem", some);
	walk_machine("numa-4", some);
	walk_machine("slub-debug", some);
	walk_machine("boot-buffers", none);
	for (guint i = 0; i < declared->len; i++) {
		struct declared *d = declared->pdata[i];

		result(d->seen || !strcmp(d->path, "/"),
		       "some machine shows it", d->path);
		if (!strcmp(d->kind, "control") && !strcmp(d->stream, "-"))
			case_unknown(d->path);
	}
	for (guint i = 0; i < declared->len; i++)
		forget(declared->pdata[i]);
	g_ptr_array_unref(declared);
	g_strfreev(lines);
	g_free(text);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
