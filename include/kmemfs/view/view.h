// SPDX-License-Identifier: MIT
/*
 * view.h - state to text: what every file of the tree shows
 *
 * For each file that fs-layout/ declares with "show: NAME" there is one
 *
 *     void show_NAME(const struct view *v, struct out *out);
 *
 * which renders the file's text at this moment from the machine alone.  Files
 * with "read: NAME" are random access (ram, kpageflags) and have
 *
 *     ssize_t read_NAME(const struct view *v, void *to, size_t len,
 *                       uint64_t at);
 *     uint64_t size_NAME(const struct view *v);
 *
 * A path's variable parts (<node>, <zone>, <pfn>, ...) are keys: v->key holds
 * their values in the order of the path.  fs-layout/keys.layout declares each
 * kind of key; view/keys.c lists, reads and prints them.
 */
#ifndef KMEMFS_VIEW_VIEW_H
#define KMEMFS_VIEW_VIEW_H

#include "kmemfs/base/out.h"
#include "kmemfs/machine/machine.h"

#include <sys/types.h>

#define KEYS_MAX 4

struct view {
	struct machine *m;	/* to be read only */
	uint64_t key[KEYS_MAX]; /* by place in the path */
	const char *name;	/* last part of the path, for shared shows */
};

/*
 * One kind of key.  @keys are those left of it in the path.
 * parse: the value that @name stands for, if such a thing exists now.
 * next: the smallest value above @after (*first: from the start) that is to be
 *       listed; false at the end.
 * print: the name of a value.
 * Existence is checked by parse and by exists.
 */
struct key_kind {
	const char *name;  /* "node" */
	unsigned int bits; /* of an inode number */
	bool (*parse)(const struct view *v, const char *name, uint64_t *value);
	bool (*next)(const struct view *v, bool first, uint64_t after,
		     uint64_t *value);
	void (*print)(const struct view *v, uint64_t value, struct out *out);
	bool (*exists)(const struct view *v, uint64_t value);
};

/* "node", "zone", ... : defined in view/keys.c, named by the layout. */
const struct key_kind *key_kind_find(const char *name);

/* Helpers that shows share. */
struct node *view_node(const struct view *v); /* key[0] is a node */
struct zone *view_zone(const struct view *v); /* key[0] node, key[1] zone */
/* key[0] is a cache's name (machine.h); NULL when it names none. */
struct kmem_cache *view_cache(const struct view *v);
/* key[0] is a PID; NULL when nobody has it. */
struct task *view_task(const struct view *v);
/* key[0] is a PID, key[1] the number of the page where an area of it begins. */
struct vma *view_vma(const struct view *v);
/* Read from @size bytes of modelled memory at @base, from the @at-th on: how
 * many, 0 at their end. */
ssize_t view_read_ram(const struct view *v, pa_t base, uint64_t size, void *to,
		      size_t len, uint64_t at);

#endif
