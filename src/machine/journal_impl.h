// SPDX-License-Identifier: MIT
/*
 * journal_impl.h - the file behind the journal, for journal*.c
 *
 * The file begins with the text line that names format and machine; then come
 * records, each a varint with the length of what follows and then
 *
 *     0     name  n  (name type){n}      from here on, the next number,
 *                                        counted from 1, is this op
 *     tag   [errno]  argument{n}         op number tag / 2 ran; it failed when
 *                                        tag is odd
 *
 * Numbers are varints (7 bits a byte, low ones first), signed ones zigzag,
 * strings and bytes a varint length + 1 (0: absent), the bytes, and a NUL.
 * The number of an op that only moves the clock is padded to ten bytes, so
 * that it can grow in place.
 */
#ifndef KMEMFS_MACHINE_JOURNAL_IMPL_H
#define KMEMFS_MACHINE_JOURNAL_IMPL_H

#include "kmemfs/machine/journal.h"

#include <glib.h>

#define JOURNAL_BUFFER (256U << 10) /* written to the file when it is full */
#define JOURNAL_PADDED 10	    /* bytes of a padded varint */

/* A place where a line of text starts, and its record. */
struct journal_anchor {
	uint64_t text_at;
	uint64_t file_at;
};

struct journal {
	char *dir;  /* NULL: the file has no name */
	int dir_fd; /* -1 without a directory */
	int lock_fd;
	int lock_pid;	/* whose number stands in the lock file */
	int fd;		/* -1: no file yet, all is in the buffer */
	char *header;	/* the first line, with its newline */
	uint64_t count; /* lines of text after the first */
	bool replaying; /* what runs now is in the file already */

	struct out buffer; /* what follows the file's first file_len bytes */
	uint64_t file_len;

	GPtrArray *ops;	   /* by number - 1: const struct op_desc * */
	uint32_t *numbers; /* by index in op_table; 0 = not yet defined */

	/* The last line, when it is a run of a clock op that succeeded. */
	const struct op_desc *run;
	uint64_t run_total; /* what the line says */
	uint64_t run_value; /* what its last record says */
	uint64_t run_at;    /* where the record's padded number stands */

	GArray *anchors; /* of struct journal_anchor, every 64 KiB of text */
	struct journal_anchor hot; /* start of the line that was read last */
	struct journal_anchor measured; /* ... that was measured last */
};

/* One record, taken apart. */
struct journal_record {
	const struct op_desc *desc; /* NULL: a definition, already learnt */
	int result;		    /* 0 or -errno */
	union {
		uint64_t align;
		uint8_t bytes[OP_ARGS_MAX];
	} args;		  /* strings point into the reader */
	uint64_t at, end; /* in the file */
};

/* Reads records one after the other, the file's and the buffer's. */
struct journal_reader {
	struct journal *j;
	uint64_t at;	/* of the next record */
	bool learn;	/* definitions are new: add them to j->ops */
	uint8_t *bytes; /* window of the file */
	size_t have, room;
	uint64_t base; /* file offset of bytes[0] */
	char *damage;  /* why reading stopped, owned; NULL: at the end */
};

/* --- journal.c ----------------------------------------------------------- */

/* Bytes of the journal from @at on, file and buffer alike; how many. */
size_t journal_bytes(const struct journal *j, uint64_t at, void *to,
		     size_t len);
/* Length of file and buffer together. */
uint64_t journal_length(const struct journal *j);

/* --- journal_record.c ---------------------------------------------------- */

/* Append a record for @op to @out, defining the op first when it is new.
 * Returns the offset in @out of a padded number, 0 when it has none. */
size_t journal_encode(struct journal *j, const struct op *op, struct out *out);
/* Write @v as a padded varint. */
void journal_pad(uint8_t to[JOURNAL_PADDED], uint64_t v);
/* Whether runs of this op are one line: its only argument is a time. */
bool journal_merges(const struct op_desc *desc);

void journal_reader_init(struct journal_reader *r, struct journal *j,
			 uint64_t at, bool learn);
void journal_reader_fini(struct journal_reader *r);
/*
 * The next op that ran.  Valid until the next call.  False at the end, and when
 * what follows is not a whole record: then r->at is where that starts, and
 * r->damage says what is wrong, NULL when only the rest is missing.
 */
bool journal_reader_next(struct journal_reader *r, struct journal_record *rec);
/* As journal_reader_next, runs of a clock op taken together. */
bool journal_reader_line(struct journal_reader *r, struct journal_record *rec);

#endif
