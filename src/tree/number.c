// SPDX-License-Identifier: MIT
/*
 * number.c - inode numbers of names whose keys are too many bits for one
 *
 * How it works: such a name gets the next serial number when it is first seen,
 * and keeps it as long as it is remembered.  A fixed number of names is: the
 * one that nobody has asked for longest is forgotten first, and gets a new
 * number when it is seen again.  A number means the same in every tree.
 *
 * Always true: no number ever stands for two names.
 *
 * Locks: one of its own, taken last.
 */
#include "tree_impl.h"

#include <glib.h>
#include <string.h>

struct numbered {
	uint64_t number;
	uint64_t index;
	uint64_t key[KEYS_MAX]; /* those that the name lacks are 0 */
	struct numbered *older, *newer;
};

static struct {
	pthread_mutex_t lock;
	GHashTable *by_number, *by_name; /* the same struct numbered */
	struct numbered *oldest, *newest;
	uint64_t last;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

static guint
hash_name(gconstpointer a)
{
	const struct numbered *n = a;
	uint64_t h = n->index;

	for (unsigned int i = 0; i < KEYS_MAX; i++)
		h = (h ^ n->key[i]) * 0x9e3779b97f4a7c15ULL;
	return (guint)(h >> 32);
}

static gboolean
equal_name(gconstpointer a, gconstpointer b)
{
	const struct numbered *x = a, *y = b;

	return x->index == y->index && !memcmp(x->key, y->key, sizeof(x->key));
}

static void
take_out(struct numbered *n)
{
	*(n->older ? &n->older->newer : &all.oldest) = n->newer;
	*(n->newer ? &n->newer->older : &all.newest) = n->older;
}

static void
put_newest(struct numbered *n)
{
	n->older = all.newest;
	n->newer = NULL;
	*(all.newest ? &all.newest->newer : &all.oldest) = n;
	all.newest = n;
}

static void
used(struct numbered *n)
{
	if (n == all.newest)
		return;
	take_out(n);
	put_newest(n);
}

static void
forget_oldest(void)
{
	struct numbered *n = all.oldest;

	take_out(n);
	g_hash_table_remove(all.by_number, &n->number);
	g_hash_table_remove(all.by_name, n);
	g_free(n);
}

static struct numbered *
remember(const struct numbered *name)
{
	struct numbered *n = g_memdup2(name, sizeof(*name));

	if (g_hash_table_size(all.by_name) == NUMBERS_MOST)
		forget_oldest();
	n->number = ++all.last;
	g_hash_table_insert(all.by_number, &n->number, n);
	g_hash_table_add(all.by_name, n);
	put_newest(n);
	return n;
}

uint64_t
number_of(unsigned int index, const uint64_t *keys, unsigned int nr_keys)
{
	struct numbered name = {.index = index}, *n;
	uint64_t number;

	memcpy(name.key, keys, nr_keys * sizeof(*keys));
	pthread_mutex_lock(&all.lock);
	if (!all.by_name) {
		all.by_number = g_hash_table_new(g_int64_hash, g_int64_equal);
		all.by_name = g_hash_table_new(hash_name, equal_name);
	}
	n = g_hash_table_lookup(all.by_name, &name);
	if (n)
		used(n);
	else
		n = remember(&name);
	number = n->number;
	pthread_mutex_unlock(&all.lock);
	return number;
}

bool
number_find(unsigned int index, uint64_t number, uint64_t *keys,
	    unsigned int nr_keys)
{
	struct numbered *n = NULL;

	pthread_mutex_lock(&all.lock);
	if (all.by_number)
		n = g_hash_table_lookup(all.by_number, &number);
	if (n && n->index != index)
		n = NULL;
	if (n) {
		memcpy(keys, n->key, nr_keys * sizeof(*keys));
		used(n);
	}
	pthread_mutex_unlock(&all.lock);
	return n;
}
