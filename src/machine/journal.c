// SPDX-License-Identifier: MIT
/*
 * journal.c - the file that keeps every op that ran
 *
 * How it works: records (journal_impl.h) gather in a buffer, which goes to the
 * file when it is full and when journal_flush() asks.  Without a state
 * directory the file is unlinked, made only when the first buffer is full, and
 * nothing asks before; with one, whoever acknowledges an op flushes first, so
 * that a killed daemon has lost nothing it acknowledged: what write() took
 * survives the process.
 *
 * A run of a clock op is one record that grows: its number is padded to its
 * full width and overwritten in place.  Where those ten bytes would cross a
 * page of the file, which a kill could tear, a new record is begun instead, and
 * reading takes the two for one.
 *
 * Always true: the file ends in whole records, or in one that was torn off by
 * a kill and never acknowledged; that one is cut when the file is opened.
 * One process at a time has a state directory: flock() on its lock file, which
 * holds the pid for whoever is told EBUSY.
 */
#include "journal_impl.h"

#include "kmemfs/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define LOCK_NAPS 300 /* of 10 ms */

uint64_t
journal_length(const struct journal *j)
{
	return j->file_len + j->buffer.len;
}

uint64_t
journal_count(const struct journal *j)
{
	return j->count;
}

size_t
journal_bytes(const struct journal *j, uint64_t at, void *to, size_t len)
{
	uint8_t *into = to;
	size_t got = 0;

	while (at < j->file_len && got < len) {
		ssize_t n =
			pread(j->fd, into + got,
			      MIN_OF(len - got, j->file_len - at), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return got;
		got += (size_t)n;
		at += (uint64_t)n;
	}
	if (got < len && at < journal_length(j)) {
		size_t from = (size_t)(at - j->file_len);
		size_t part = MIN_OF(len - got, j->buffer.len - from);

		memcpy(into + got, j->buffer.text + from, part);
		got += part;
	}
	return got;
}

/* --- writing ------------------------------------------------------------- */

/* A file without a name, in $TMPDIR. */
static int
unlinked_file(void)
{
	const char *dir = g_get_tmp_dir();
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char *name;

	if (fd >= 0)
		return fd;
	name = g_build_filename(dir, "kmemfs-journal-XXXXXX", NULL);
	fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlink(name);
	g_free(name);
	return fd;
}

static int
write_all(int fd, const char *bytes, size_t len, uint64_t at, size_t *done)
{
	for (*done = 0; *done < len;) {
		ssize_t n = pwrite(fd, bytes + *done, len - *done,
				   (off_t)(at + *done));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			*done += (size_t)n;
	}
	return 0;
}

/* The lock file says who has it: after a fork, the child. */
static void
write_pid(struct journal *j)
{
	char text[16];
	size_t done;

	if (j->lock_fd < 0 || j->lock_pid == getpid())
		return;
	j->lock_pid = getpid();
	g_snprintf(text, sizeof(text), "%d\n", j->lock_pid);
	if (!ftruncate(j->lock_fd, 0))
		write_all(j->lock_fd, text, strlen(text), 0, &done);
}

int
journal_flush(struct journal *j)
{
	size_t done;
	int err;

	if (!j->buffer.len)
		return 0;
	write_pid(j);
	if (j->fd < 0)
		j->fd = unlinked_file();
	if (j->fd < 0)
		return -errno;
	err = write_all(j->fd, j->buffer.text, j->buffer.len, j->file_len,
			&done);
	j->file_len += done;
	j->buffer.len -= done;
	if (done && j->buffer.len)
		memmove(j->buffer.text, j->buffer.text + done, j->buffer.len);
	return err;
}

int
journal_sync(struct journal *j)
{
	return j->dir ? journal_flush(j) : 0;
}

/* Try to let the last record grow by @ns; false: begin a new one. */
static bool
grow_run(struct journal *j, uint64_t ns)
{
	uint8_t padded[JOURNAL_PADDED];
	size_t done;

	if (j->run_at < j->file_len &&
	    j->run_at / PAGE != (j->run_at + JOURNAL_PADDED - 1) / PAGE)
		return false;
	journal_pad(padded, j->run_value + ns);
	if (j->run_at >= j->file_len)
		memcpy(j->buffer.text + (j->run_at - j->file_len), padded,
		       JOURNAL_PADDED);
	else if (write_all(j->fd, (char *)padded, JOURNAL_PADDED, j->run_at,
			   &done))
		return false;
	j->run_value += ns;
	return true;
}

static void
append_clock(struct journal *j, const struct op *op)
{
	uint64_t ns;
	size_t padded;

	memcpy(&ns, op->args.bytes + op->desc->params[0].offset, sizeof(ns));
	if (j->run == op->desc && ns <= UINT64_MAX - j->run_total) {
		j->run_total += ns;
		if (grow_run(j, ns))
			return;
	} else {
		j->run = op->desc;
		j->run_total = ns;
		j->count++;
	}
	j->run_value = ns;
	padded = journal_encode(j, op, &j->buffer);
	j->run_at = j->file_len + padded;
}

void
journal_append(struct journal *j, const struct op *op)
{
	if (!j->replaying) {
		if (!op->result && journal_merges(op->desc)) {
			append_clock(j, op);
		} else {
			j->run = NULL;
			j->count++;
			journal_encode(j, op, &j->buffer);
		}
		/* A full disk: kept in memory, tried again each time. */
		if (j->buffer.len >= JOURNAL_BUFFER)
			journal_flush(j);
	}
	op->m->position = j->count;
}

/* --- opening ------------------------------------------------------------- */

/* Fill in @error and return false. */
static bool
fail(char **error, char *message)
{
	*error = message;
	return false;
}

/* Lock @fd.  A daemon whose mount is gone has the lock until it has stored its
 * journal, so whoever mounts again at once waits a moment.  0 or -errno. */
static int
lock_soon(int fd)
{
	const struct timespec nap = {.tv_nsec = 10000000};

	for (int naps = 0; flock(fd, LOCK_EX | LOCK_NB); naps++) {
		if (errno != EWOULDBLOCK || naps == LOCK_NAPS)
			return -errno;
		nanosleep(&nap, NULL);
	}
	return 0;
}

static bool
lock_directory(struct journal *j, char **error)
{
	char pid[16] = "";
	ssize_t n;
	int err;

	if (mkdir(j->dir, 0700) && errno != EEXIST)
		return fail(error,
			    g_strdup_printf("%s: %s", j->dir, strerror(errno)));
	j->dir_fd = open(j->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dir_fd >= 0)
		j->lock_fd = openat(j->dir_fd, "lock",
				    O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (j->lock_fd < 0)
		return fail(error,
			    g_strdup_printf("%s: %s", j->dir, strerror(errno)));
	err = lock_soon(j->lock_fd);
	if (!err) {
		write_pid(j);
		return true;
	}
	if (err != -EWOULDBLOCK)
		return fail(error, g_strdup_printf("%s/lock: %s", j->dir,
						   strerror(-err)));
	n = pread(j->lock_fd, pid, sizeof(pid) - 1, 0);
	pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
	return fail(error, g_strdup_printf("%s: this state is in use by pid "
					   "%s (EBUSY)",
					   j->dir, pid));
}

/* The first line: written to a new file, checked in one that is there. */
static bool
open_header(struct journal *j, char **error)
{
	size_t len = strlen(j->header), done;
	char *have = g_malloc0(len + 1);
	struct stat st;
	bool ok = true;

	if (fstat(j->fd, &st)) {
		g_free(have);
		return fail(error, g_strdup_printf("%s/journal: %s", j->dir,
						   strerror(errno)));
	}
	j->file_len = (uint64_t)st.st_size;
	done = journal_bytes(j, 0, have, len);
	if (done < len && !memcmp(have, j->header, done)) {
		/* New, or killed in its first moment. */
		int err = write_all(j->fd, j->header, len, 0, &done);

		j->file_len = len;
		if (err)
			ok = fail(error,
				  g_strdup_printf("%s/journal: %s", j->dir,
						  strerror(-err)));
	} else if (!g_str_has_prefix(have, JOURNAL_MAGIC)) {
		ok = fail(error, g_strdup_printf("%s/journal: not a journal "
						 "of this version",
						 j->dir));
	} else if (memcmp(have, j->header, len)) {
		ok = fail(error, g_strdup_printf("%s: this state belongs to "
						 "another machine, "
						 "%s/machine.ini",
						 j->dir, j->dir));
	}
	g_free(have);
	return ok;
}

/* Walk what is there: learn its ops, count its lines, cut a torn record. */
static bool
scan(struct journal *j, char **error)
{
	struct journal_reader r;
	struct journal_record rec;
	uint64_t end;
	bool ok = true;

	journal_reader_init(&r, j, strlen(j->header), true);
	while (journal_reader_line(&r, &rec))
		j->count++;
	end = r.at;
	if (r.damage)
		ok = fail(error,
			  g_strdup_printf("%s/journal: byte %llu: %s", j->dir,
					  (unsigned long long)end, r.damage));
	else if (end < j->file_len && ftruncate(j->fd, (off_t)end))
		ok = fail(error, g_strdup_printf("%s/journal: %s", j->dir,
						 strerror(errno)));
	journal_reader_fini(&r);
	j->file_len = end;
	return ok;
}

static bool
open_directory(struct journal *j, char **error)
{
	if (!lock_directory(j, error))
		return false;
	j->fd = openat(j->dir_fd, "journal", O_RDWR | O_CREAT | O_CLOEXEC,
		       0600);
	if (j->fd < 0)
		return fail(error, g_strdup_printf("%s/journal: %s", j->dir,
						   strerror(errno)));
	return open_header(j, error) && scan(j, error);
}

struct journal *
journal_open(const char *dir, const char *machine_hash, char **error)
{
	struct journal *j = g_new0(struct journal, 1);

	j->dir = g_strdup(dir);
	j->fd = j->dir_fd = j->lock_fd = -1;
	j->header = g_strdup_printf(JOURNAL_MAGIC "%s\n", machine_hash);
	j->ops = g_ptr_array_new();
	j->numbers = g_new0(uint32_t, op_table_size);
	j->anchors = g_array_new(FALSE, FALSE, sizeof(struct journal_anchor));
	if (!dir) {
		out_str(&j->buffer, j->header);
	} else if (!open_directory(j, error)) {
		journal_close(j);
		return NULL;
	}
	return j;
}

void
journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->dir && j->fd >= 0)
		journal_flush(j);
	/* Closing the lock file gives the lock up, too. */
	for (int *fd = (int[]){j->fd, j->dir_fd, j->lock_fd, -2}; *fd != -2;
	     fd++)
		if (*fd >= 0)
			close(*fd);
	out_fini(&j->buffer);
	g_ptr_array_free(j->ops, TRUE);
	g_array_free(j->anchors, TRUE);
	g_free(j->numbers);
	g_free(j->header);
	g_free(j->dir);
	g_free(j);
}
