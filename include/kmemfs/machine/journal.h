// SPDX-License-Identifier: MIT
/*
 * journal.h - every op that ran, from boot, compactly on disk
 *
 * A record holds the op's number, its arguments and its outcome, as varints
 * and counted strings; text is made when it is read.  Runs of clock ops are
 * merged into one.  The first line of the text names the format and the
 * machine's hash.
 */
#ifndef KMEMFS_MACHINE_JOURNAL_H
#define KMEMFS_MACHINE_JOURNAL_H

#include "kmemfs/base/out.h"
#include "kmemfs/machine/op.h"

#include <sys/types.h>

/* What the first line of a journal's text starts with. */
#define JOURNAL_MAGIC "kmemfs-journal 1 machine="

#define JOURNAL_MEASURE 50000

struct journal;

/* In @dir (made when it is not there; locked: EBUSY with the pid), or unlinked
 * when NULL.  NULL with a message in @error, to be freed with g_free. */
struct journal *journal_open(const char *dir, const char *machine_hash,
			     char **error);
/* Flushes and unlocks. */
void journal_close(struct journal *j);
/* Append an op that ran, op->result its outcome; sets the machine's position.
 */
void journal_append(struct journal *j, const struct op *op);
/*
 * Get buffered records to the file; with a state directory after each write
 * that was acknowledged.  Returns 0, or -errno when the host cannot store
 * them: they are kept and tried again with the next flush.
 */
int journal_flush(struct journal *j);
/* journal_flush() when there is a state directory, else nothing: what must be
 * done, and succeed, before an op is acknowledged. */
int journal_sync(struct journal *j);
/* Lines of the text after the first. */
uint64_t journal_count(const struct journal *j);

/*
 * Read the text back, piece by piece: *@cursor starts as 0.  Appends whole
 * lines, about @want bytes; false at the end.
 */
bool journal_text(struct journal *j, uint64_t *cursor, size_t want,
		  struct out *out);
/* Read @len bytes of the text from offset @at: how many, 0 at the end.  Fast
 * where it goes on from the last read. */
size_t journal_read(struct journal *j, void *to, size_t len, uint64_t at);
/*
 * Bytes of the text as it is now, 0 while they are not known.  Each call looks
 * at no more than JOURNAL_MEASURE lines that none before has looked at, and at
 * none that journal_read() has given: so it is known after one call for a short
 * journal, after some for a long one, or once that was read to its end.
 */
uint64_t journal_text_length(struct journal *j);

/*
 * Apply the ops of journal @text to a fresh machine of the same machine file;
 * stops with a message at the first outcome that differs.  Returns 0,
 * -EINVAL for text that is no journal of this machine, -EPROTO for an outcome
 * that differs.
 */
int journal_replay(struct machine *m, const char *text, size_t len,
		   char **error);
/* The outcome at the end of a line, " -> ENOMEM": where it starts and what it
 * says; false when there is none. */
bool journal_outcome(const char *line, size_t len, size_t *at, int *result);
/* The first line of this journal's text, with its newline. */
const char *journal_header(const struct journal *j);
/* Apply what m->journal held when it was opened; same errors. */
int journal_replay_own(struct machine *m, char **error);

#endif
