// SPDX-License-Identifier: MIT
/*
 * caches.c - the names of slab caches, and who must know when one comes or goes
 *
 * How it works: a cache that was merged goes by several names, and each has a
 * directory.  A name gets the next number when it is given and loses it with
 * the name; numbers are never used twice, so that they can stand in inode
 * numbers.  What a name stands for is looked up by the name each time.
 */
#include "kmemfs/machine/machine.h"

#include "kmemfs/base/check.h"

struct cache_table {
	GPtrArray *names; /* of char *, NULL when gone; number - 1 */
	GHashTable *ids;  /* name -> number */
};

bool
cache_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > CACHE_NAME_MAX || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (!g_ascii_isgraph(*name) || *name == '/')
			return false;
	return true;
}

static void
number(struct cache_table *t, const char *name)
{
	char *copy = g_strdup(name);

	KM_DEBUG(!g_hash_table_contains(t->ids, name));
	g_ptr_array_add(t->names, copy);
	g_hash_table_insert(t->ids, copy, GUINT_TO_POINTER(t->names->len));
}

struct cache_table *
cache_table_new(const struct slab_common *sc)
{
	struct cache_table *t = g_new0(struct cache_table, 1);

	t->names = g_ptr_array_new_with_free_func(g_free);
	t->ids = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < sc->caches->len; i++) {
		const struct kmem_cache *s = sc->caches->pdata[i];

		number(t, s->name);
		for (guint a = 0; s->aliases && a < s->aliases->len; a++)
			number(t, s->aliases->pdata[a]);
	}
	return t;
}

void
cache_table_free(struct cache_table *t)
{
	if (!t)
		return;
	g_hash_table_destroy(t->ids);
	g_ptr_array_free(t->names, TRUE);
	g_free(t);
}

static void
tell(struct machine *m, const char *name, const char *dir, bool with_dir)
{
	machine_tell_entry(m, ENTRY_CACHE, NULL, name);
	if (strcmp(dir, name))
		machine_tell_entry(m, ENTRY_SLABLINK, NULL, name);
	if (with_dir)
		machine_tell_entry(m, ENTRY_SLABDIR, NULL, dir);
}

void
cache_named(struct machine *m, const struct kmem_cache *s, const char *name)
{
	char buf[32];

	number(m->caches, name);
	tell(m, name, kmem_cache_dir(s, buf), s->refcount <= 1);
}

void
cache_unnamed(struct machine *m, const char *name, const char *dir, bool gone)
{
	uint32_t id = cache_id(m, name);

	KM_ASSERT(id);
	tell(m, name, dir, gone);
	g_hash_table_remove(m->caches->ids, name);
	g_free(m->caches->names->pdata[id - 1]);
	m->caches->names->pdata[id - 1] = NULL;
}

struct kmem_cache *
cache_by_id(const struct machine *m, uint32_t id, const char **name)
{
	if (!id || id > m->caches->names->len)
		return NULL;
	*name = m->caches->names->pdata[id - 1];
	return *name ? kmem_cache_find(m->slab, *name) : NULL;
}

uint32_t
cache_id(const struct machine *m, const char *name)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(m->caches->ids, name));
}

uint32_t
cache_id_next(const struct machine *m, uint32_t after)
{
	for (uint32_t id = after + 1; id <= m->caches->names->len; id++)
		if (m->caches->names->pdata[id - 1])
			return id;
	return 0;
}

struct kmem_cache *
cache_find(const struct machine *m, const char *name)
{
	struct kmem_cache *s = kmem_cache_find(m->slab, name);

	for (guint i = 0; !s && *name == ':' && i < m->slab->caches->len; i++) {
		struct kmem_cache *of = m->slab->caches->pdata[i];
		char buf[32];

		if (!strcmp(kmem_cache_dir(of, buf), name))
			s = of;
	}
	return s;
}
