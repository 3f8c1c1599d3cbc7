// SPDX-License-Identifier: MIT
/*
 * layout.h - the generated table of all names
 *
 * Children of a directory stand together: fixed names first, sorted, then
 * those that are keys.  A directory that nests has no children of its own but
 * the keyed ones of its parent, itself among them; the value of its key, which
 * each of these gets in the same place, is then that of a whole path.
 */
#ifndef KMEMFS_TREE_LAYOUT_H
#define KMEMFS_TREE_LAYOUT_H

#include "kmemfs/machine/op.h"
#include "kmemfs/view/view.h"

enum layout_kind { LAYOUT_DIR, LAYOUT_FILE, LAYOUT_LINK, LAYOUT_CONTROL };
enum layout_size {
	SIZE_EXACT,
	SIZE_FIXED, /* exact, and nearly always the same: columns are padded */
	SIZE_LAST,
	SIZE_MEMORY,
	SIZE_STREAM
};
enum layout_changes { CHANGES_STATE, CHANGES_CLOCK, CHANGES_NEVER };
/* Which entries of a keyed kind there are; the layout's "entries:". */
enum layout_fills {
	FILLS_FIXED,  /* decided at boot */
	FILLS_TOLD,   /* ops make and remove them, machine_tell_entry says so */
	FILLS_LISTED, /* decided at boot; any op may change which are listed */
	FILLS_STATE,  /* any op may make or remove them */
};

struct layout_entry {
	enum layout_kind kind;
	mode_t mode; /* permissions */
	unsigned int parent;
	unsigned int first_child, nr_children, nr_fixed;
	unsigned int nr_keys; /* in its whole path */
	bool numbered;	      /* its keys do not fit into an inode number */
	unsigned int nested;  /* the child that has the keyed children of this
				 one too, so that it can stand in itself: 0 */
	/* That child: the key of the one that one with key @value stands in, 0:
	 * none, but in this.  For all its keyed siblings too. */
	uint64_t (*up)(const struct view *v, uint64_t value);
	const char *name; /* NULL when the last part is a key */
	const struct key_kind *key;
	void (*show)(const struct view *v, struct out *out);
	ssize_t (*read)(const struct view *v, void *to, size_t len,
			uint64_t at);
	uint64_t (*size_fn)(const struct view *v);
	bool (*next_data)(const struct view *v, uint64_t at, uint64_t *data);
	bool (*when)(const struct view *v);
	const char *write, *pwrite, *mkdir, *rmdir; /* op lines, templates */
	const char *stream;			    /* served by stream.c */
	const char *target;			    /* of a link, template */
	enum layout_size size;
	bool vast; /* bytes by address, more than disks take: hidden from
		      who takes the whole tree along */
	enum layout_changes changes;
	enum layout_fills named; /* its last part, when that is a key */
	enum layout_fills fills; /* a directory: the most changing of its
				    keyed children */
	uint64_t told;		 /* ... and bit 1 << enum entry_kind for each of
				    them that is FILLS_TOLD */
	const struct op_desc *op; /* of a control file */
	const char *unit;
	const char *doc;
};

extern const struct layout_entry layout_table[];
extern const unsigned int layout_table_size;

#endif
