// SPDX-License-Identifier: MIT
/*
 * file.c - open files: texts, bytes at an offset, writes that are ops
 *
 * How it works: what is read is one moment's text, made at open's first read
 * and again when a read at offset 0 finds that the machine has moved on, so
 * that head, split reads and monitors that keep a file open all see whole
 * states.
 */
#include "tree_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

static const struct stream *
stream_of(const struct tree_file *f)
{
	return f->place.entry->stream ? stream_find(f->place.entry->stream)
				      : NULL;
}

static bool
wants_write(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

static bool
wants_read(int flags)
{
	return (flags & O_ACCMODE) != O_WRONLY;
}

static int
check_open(const struct place *p, int flags)
{
	const struct layout_entry *entry = p->entry;

	if (entry->kind == LAYOUT_DIR)
		return wants_write(flags) ? -EISDIR : 0;
	if (entry->kind == LAYOUT_LINK)
		return -ELOOP;
	if (wants_write(flags) && !(entry->mode & 0222))
		return -EACCES;
	if (wants_read(flags) && !(entry->mode & 0444))
		return -EACCES;
	return 0;
}

int
tree_open(struct tree *t, uint64_t ino, int flags, struct tree_file **file)
{
	struct tree_file *f;
	struct place p;
	int err = 0;

	tree_lock(t);
	if (!place_unpack(t->m, ino, &p) || !place_exists(&p))
		err = -ENOENT;
	if (!err)
		err = check_open(&p, flags);
	if (!err) {
		const struct stream *stream;

		f = g_new0(struct tree_file, 1);
		f->t = t;
		f->place = p;
		f->flags = flags;
		stream = stream_of(f);
		if (stream && stream->open)
			err = stream->open(f);
		if (err)
			g_free(f);
		else
			*file = f;
	}
	tree_unlock(t);
	return err;
}

void
tree_close(struct tree_file *f)
{
	const struct stream *stream = stream_of(f);

	if (stream && stream->close) {
		tree_lock(f->t);
		stream->close(f);
		tree_acknowledge(f->t, 0);
		tree_unlock_changed(f->t);
	}
	if (f->place.entry->kind == LAYOUT_CONTROL && !stream)
		control_close(f);
	text_put(f->text);
	out_fini(&f->answers);
	out_fini(&f->tail);
	out_fini(&f->ready);
	g_free(f);
}

enum tree_caching
tree_file_cache(struct tree_file *f, bool check)
{
	const struct layout_entry *entry = f->place.entry;

	if (wants_write(f->flags) || entry->kind != LAYOUT_FILE)
		return TREE_DIRECT;
	if (entry->changes == CHANGES_NEVER)
		return entry->nr_keys ? TREE_DIRECT : TREE_KEEP;
	if (entry->size != SIZE_FIXED || !check)
		return TREE_DIRECT;
	tree_lock(f->t);
	f->paged = render_size(f->t, &f->place) <= RENDER_PAGE;
	tree_unlock(f->t);
	return f->paged ? TREE_CHECK : TREE_DIRECT;
}

/* --- reading ------------------------------------------------------------- */

ssize_t
copy_part(const char *bytes, size_t have, void *to, size_t len, uint64_t at)
{
	if (at >= have)
		return 0;
	len = MIN_OF(len, have - at);
	memcpy(to, bytes + at, len);
	return (ssize_t)len;
}

/* Make f->text what a read at @at is to see; the lock is held. */
static int
refresh(struct tree_file *f, uint64_t at)
{
	struct tree *t = f->t;

	if (f->text && (at || f->text->generation == t->m->generation))
		return 0;
	if (!place_exists(&f->place))
		return -ENODEV;
	text_put(f->text);
	f->text = f->paged ? render_page(t, &f->place) : render(t, &f->place);
	return 0;
}

static ssize_t
read_bytes(struct tree_file *f, void *to, size_t len, uint64_t at)
{
	ssize_t got;

	tree_lock(f->t);
	got = place_exists(&f->place)
		      ? f->place.entry->read(&f->place.view, to, len, at)
		      : -ENODEV;
	tree_unlock(f->t);
	return got;
}

ssize_t
tree_read(struct tree_file *f, void *to, size_t len, uint64_t at)
{
	const struct layout_entry *entry = f->place.entry;
	const struct stream *stream = stream_of(f);
	int err;

	if (!wants_read(f->flags))
		return -EBADF;
	if (stream && stream->read) {
		ssize_t got;

		tree_lock(f->t);
		got = stream->read(f, to, len, at);
		tree_unlock(f->t);
		return got;
	}
	if (entry->read)
		return read_bytes(f, to, len, at);
	if (f->talking)
		return control_read(f, to, len, at);
	tree_lock(f->t);
	err = refresh(f, at);
	tree_unlock(f->t);
	return err ? err : copy_part(f->text->bytes, f->text->len, to, len, at);
}

ssize_t
tree_read_ref(struct tree_file *f, const void **from, size_t len, uint64_t at)
{
	int err;

	if (!wants_read(f->flags))
		return -EBADF;
	if (f->place.entry->stream || f->place.entry->read || f->talking)
		return -EOPNOTSUPP;
	tree_lock(f->t);
	err = refresh(f, at);
	tree_unlock(f->t);
	if (err)
		return err;
	if (at >= f->text->len)
		return 0;
	*from = f->text->bytes + at;
	return (ssize_t)MIN_OF(len, f->text->len - at);
}

bool
tree_readable(struct tree_file *f)
{
	const struct stream *stream = stream_of(f);
	bool readable = true;

	if (stream && stream->readable) {
		tree_lock(f->t);
		readable = stream->readable(f);
		tree_unlock(f->t);
	}
	return readable;
}

off_t
tree_lseek(struct tree_file *f, off_t at, int whence)
{
	const struct layout_entry *entry = f->place.entry;
	uint64_t data, size, from = (uint64_t)at;
	off_t result;

	if (at < 0 || (whence != SEEK_DATA && whence != SEEK_HOLE))
		return -EINVAL;
	tree_lock(f->t);
	size = render_size(f->t, &f->place);
	if (from >= size)
		result = -ENXIO;
	else if (!entry->next_data)
		result = whence == SEEK_DATA ? at : (off_t)size;
	else if (whence == SEEK_DATA)
		result = entry->next_data(&f->place.view, from, &data)
				 ? (off_t)MAX_OF(data, from)
				 : -ENXIO;
	else {
		uint64_t page = page_size(f->t->m->phys);

		/* Data lies in whole pages: go on while the next is data. */
		while (from < size &&
		       entry->next_data(&f->place.view, from, &data) &&
		       data <= from)
			from = round_down_to(from, page) + page;
		result = (off_t)MIN_OF(from, size);
	}
	tree_unlock(f->t);
	return result;
}

/* --- writing ------------------------------------------------------------- */

/* Run the op that the layout declares for a write to this file. */
static int
write_op(struct tree_file *f, const char *template,
	 const struct template_words *words)
{
	struct out line = OUT_INIT;
	struct tree *t = f->t;
	int err = -ENODEV;

	tree_lock(t);
	if (place_exists(&f->place)) {
		template_expand(&f->place, template, words, &line);
		err = tree_acknowledge(
			t, machine_do(t->m, out_text(&line), NULL, NULL));
	}
	tree_unlock_changed(t);
	out_fini(&line);
	return err;
}

/* Log why what was written is no value. */
static int
refuse_value(struct tree_file *f, int err, size_t column, const char *from,
	     size_t len, const char *sentence)
{
	struct out path = OUT_INIT;
	char *shown = g_strndup(from, MIN_OF(len, (size_t)80));
	struct refusal r;

	refuse(&r, err, column, "%s", sentence);
	tree_lock(f->t);
	place_path(&f->place, &path);
	machine_log_refusal(f->t->m, out_text(&path), shown, &r);
	tree_unlock_changed(f->t);
	out_fini(&path);
	g_free(shown);
	return -err;
}

static ssize_t
write_value(struct tree_file *f, const char *from, size_t len)
{
	struct template_words words = {0};
	const char *nul = memchr(from, '\0', len), *line;
	char *value;
	int err;

	if (len > CONTROL_LINE_MAX)
		return refuse_value(f, E2BIG, 0, from, len,
				    "the value is longer than 64 KiB");
	if (nul)
		return refuse_value(f, EINVAL, (size_t)(nul - from), from, len,
				    "a NUL byte cannot stand in a value");
	value = g_strndup(from, len);
	g_strchomp(value);
	line = strchr(value, '\n');
	if (line)
		err = refuse_value(f, EINVAL, (size_t)(line - value), value,
				   len, "a value is one line");
	else {
		words.value = value;
		err = write_op(f, f->place.entry->write, &words);
	}
	g_free(value);
	return err ? err : (ssize_t)len;
}

ssize_t
tree_write(struct tree_file *f, const void *from, size_t len, uint64_t at)
{
	const struct layout_entry *entry = f->place.entry;
	const struct stream *stream = stream_of(f);

	if (!wants_write(f->flags))
		return -EBADF;
	if (!len)
		return 0;
	if (stream && stream->write) {
		ssize_t done;
		int unsafe;

		tree_lock(f->t);
		done = stream->write(f, from, len, at);
		unsafe = tree_acknowledge(f->t, 0);
		if (done >= 0 && unsafe)
			done = unsafe;
		tree_unlock_changed(f->t);
		return done;
	}
	if (entry->kind == LAYOUT_CONTROL)
		return control_write(f, from, len, at);
	if (entry->pwrite) {
		struct template_words words = {
			.offset = &at, .bytes = from, .bytes_len = len};
		int err = write_op(f, entry->pwrite, &words);

		return err ? err : (ssize_t)len;
	}
	return entry->write ? write_value(f, from, len) : -EACCES;
}
