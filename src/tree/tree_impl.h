// SPDX-License-Identifier: MIT
/*
 * tree_impl.h - what the files of src/tree share
 */
#ifndef KMEMFS_TREE_TREE_IMPL_H
#define KMEMFS_TREE_TREE_IMPL_H

#include "kmemfs/tree/layout.h"
#include "kmemfs/tree/tree.h"

#include <pthread.h>
#include <stdatomic.h>

#define CONTROL_LINE_MAX 65536
#define CONTROL_WHOLE ((1 << 20) - 65536) /* larger requests may be parts */
#define STREAM_LINE_MAX (4 << 20)

/* --- number.c: inode numbers of names with keys of many bits -----------------
 */

#define NUMBERS_MOST (1U << 17) /* names that are remembered */

/* The number of entry @index of the layout with these keys, from 1 up; the
 * same as before while it is remembered, else a new one. */
uint64_t number_of(unsigned int index, const uint64_t *keys,
		   unsigned int nr_keys);
/* The keys of what @number stands for; false: for nothing of entry @index, or
 * it is forgotten. */
bool number_find(unsigned int index, uint64_t number, uint64_t *keys,
		 unsigned int nr_keys);

/* --- place.c: inode numbers and what they stand for -------------------------
 */

/* A name of the tree, found: its entry in the layout and its keys' values. */
struct place {
	unsigned int index;
	const struct layout_entry *entry;
	struct view view; /* keys by place in the path; name is entry's */
};

void places_init(void);
uint64_t place_ino(const struct place *p);
/* Unpack @ino; false when no such entry is declared. Does not look whether
 * the object still exists. */
bool place_unpack(struct machine *m, uint64_t ino, struct place *p);
/* Whether every key of it stands for something and its "when" holds. */
bool place_exists(const struct place *p);
/* Inode number of directory @index of the layout with these keys. */
uint64_t place_dir_ino(unsigned int index, const uint64_t *keys);
/* The child @name of directory @dir; false: none. */
bool place_child(const struct place *dir, const char *name,
		 struct place *child);
/* Child @index of @dir with key value @value (ignored for fixed names). */
void place_make_child(const struct place *dir, unsigned int index,
		      uint64_t value, struct place *child);
/* The directory that @p, not the root, stands in. */
void place_above(const struct place *p, struct place *dir);
/* The last part of its path. */
void place_name(const struct place *p, struct out *out);
/* Its path from the root, "/" for the root. */
void place_path(const struct place *p, struct out *out);

/* --- template.c --------------------------------------------------------------
 */

/* What $words of a template stand for; NULL when they cannot occur. */
struct template_words {
	const char *name;	/* $name */
	const char *value;	/* $value */
	const uint64_t *offset; /* $offset */
	const void *bytes;	/* $bytes, as base64: */
	size_t bytes_len;
};

/* Expand <key> and $word of @template for @p. */
void template_expand(const struct place *p, const char *template,
		     const struct template_words *words, struct out *out);

/* --- render.c: texts, made once for each state -------------------------------
 */

struct text {
	atomic_uint users;
	uint64_t generation; /* of the machine when it was made */
	size_t len;
	char *bytes; /* room, or a buffer of its own */
	char room[];
};

struct text *text_get(struct text *text);
void text_put(struct text *text);

struct render_slot {
	uint64_t ino;
	struct text *text;
};
#define RENDER_SLOTS 512
#define RENDER_KEEP_MAX (256 * 1024) /* larger texts are not kept */
#define RENDER_PAGE 4096 /* a larger text could be cached in parts */

/* The text of @p as it is now, with a reference for the caller. */
struct text *render(struct tree *t, const struct place *p);
/* Its length, cheaply where that is possible. */
uint64_t render_size(struct tree *t, const struct place *p);
/* The same for a front end, which may then keep pages for SIZE_FIXED. */
uint64_t render_size_told(struct tree *t, const struct place *p);
/*
 * The text for a page cache: that of now, unless its length is not the one that
 * was told last; then the one whose length was told.
 */
struct text *render_page(struct tree *t, const struct place *p);

/* --- tree.c -------------------------------------------------------------- */

struct tree {
	struct machine *m;
	pthread_mutex_t gate; /* taken before lock: makes it fair */
	pthread_mutex_t lock; /* the one lock of the machine */
	bool nostream;
	bool replaying; /* replay/ftrace is open for writing */
	bool unsafe;	/* the journal could not be stored last time */
	struct tree_hooks hooks;
	struct render_slot slots[RENDER_SLOTS];
	struct render_slot told_sizes[RENDER_SLOTS]; /* SIZE_FIXED: the text
							whose length was told */
	struct out unread;	/* room for an answer that nobody wants */
	struct out room;	/* ... and for a text while it is made */
	GHashTable *last_sizes; /* ino -> length of the last rendering */
	GByteArray *entries;	/* that came or went: struct told_entry */
	uint64_t told;		/* generation the hooks were told of */
};

/*
 * Before the result @err of ops is told to whoever asked for them: with a state
 * directory they must be on disk.  Returns @err, or the host's own error; the
 * first of those in a row is in error_log.
 */
int tree_acknowledge(struct tree *t, int err);
/* Unlock after ops ran, and tell the hooks what changed. */
void tree_unlock_changed(struct tree *t);
/* Let others have the lock, if anyone waits; the caller holds it. */
void tree_breathe(struct tree *t);

/* --- told.c: entries that ops make and remove --------------------------------
 */

/* For struct machine's entry_changed; @user is the tree, the lock is held. */
void told_note(void *user, enum entry_kind kind, const uint64_t *above,
	       const char *name);
/* Call the entry hook for each of @entries in every directory that has it. */
void told_tell(struct tree *t, const GByteArray *entries);
/* How long it stays true what the attributes of @entry say, that its name
 * stands for it, and that there is no such name in directory @dir. */
enum tree_lasts lasts_attr(const struct layout_entry *entry);
enum tree_lasts lasts_name(const struct layout_entry *entry);
enum tree_lasts lasts_no_name(const struct layout_entry *dir);
/* Modelled time when the entries of @dir last came or went. */
uint64_t told_mtime(const struct machine *m, const struct layout_entry *dir);

/* --- file.c, control.c, stream.c ----------------------------------------- */

/*
 * One descriptor.  A control file holds a conversation: the answers not read
 * yet, which begin at offset @answers_at, where the last write ended.
 */
struct tree_file {
	struct tree *t;
	struct place place;
	int flags;	   /* of open */
	struct text *text; /* what is being read */
	bool paged;	   /* ... by a page cache */
	bool talking;	   /* something was written to it */
	uint64_t answers_at;
	size_t delivered; /* bytes of them that reads have given out */
	struct out answers;
	struct out tail;  /* stream: a line not finished yet */
	struct out ready; /* stream: rendered, not read yet */
};

/* A remark or an empty line. */
bool is_passed_over(const char *line);
/* Log a line that was not done; tell it on the descriptor too. */
void log_line(struct tree_file *f, const char *op_name, const char *line,
	      const struct refusal *r);
void control_close(struct tree_file *f);
ssize_t control_read(struct tree_file *f, void *to, size_t len, uint64_t at);
ssize_t control_write(struct tree_file *f, const char *from, size_t len,
		      uint64_t at);

/* A file that is served by hand: layout key "stream". */
struct stream {
	const char *name;
	int (*open)(struct tree_file *f);
	void (*close)(struct tree_file *f);
	ssize_t (*read)(struct tree_file *f, void *to, size_t len, uint64_t at);
	ssize_t (*write)(struct tree_file *f, const char *from, size_t len,
			 uint64_t at);
	bool (*readable)(struct tree_file *f);
};
const struct stream *stream_find(const char *name);

/* Copy out of a text. */
ssize_t copy_part(const char *bytes, size_t have, void *to, size_t len,
		  uint64_t at);
/* Answers of a conversation before a write at @at: forget what was read. */
void answers_begin(struct tree_file *f, uint64_t at);
/* ... and after it: where they stand now.  Returns the write's result. */
ssize_t answers_end(struct tree_file *f, size_t len, int err);
bool answers_wanted(const struct tree_file *f);

#endif
