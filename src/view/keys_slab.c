// SPDX-License-Identifier: MIT
/*
 * keys_slab.c - the variable parts of paths: names of slab caches
 *
 * How it works: a name's value is its serial number (machine.h), a directory's
 * in sysfs the cache's own.
 */
#include "kmemfs/view/keys.h"

/* --- slab/NAME ----------------------------------------------------------- */

static bool
cache_exists(const struct view *v, uint64_t id)
{
	const char *name;

	return id <= UINT32_MAX && cache_by_id(v->m, (uint32_t)id, &name);
}

static bool
cache_parse(const struct view *v, const char *name, uint64_t *id)
{
	*id = cache_id(v->m, name);
	return *id != 0;
}

static bool
cache_next(const struct view *v, bool first, uint64_t after, uint64_t *id)
{
	*id = cache_id_next(v->m, first ? 0 : (uint32_t)after);
	return *id != 0;
}

static void
cache_print(const struct view *v, uint64_t id, struct out *out)
{
	const char *name;

	if (cache_by_id(v->m, (uint32_t)id, &name))
		out_str(out, name);
}

const struct key_kind key_cache = {
	"cache", 32, cache_parse, cache_next, cache_print, cache_exists,
};

/* --- sys/kernel/slab/DIR ------------------------------------------------- */

/* Caches of other allocators have no place there. */
static bool
in_sysfs(const struct kmem_cache *s)
{
	return s && s->ops == &slub_ops;
}

static bool
slabdir_exists(const struct view *v, uint64_t id)
{
	return id <= UINT32_MAX &&
	       in_sysfs(kmem_cache_get(v->m->slab, (uint32_t)id));
}

static bool
slabdir_parse(const struct view *v, const char *name, uint64_t *id)
{
	const struct kmem_cache *s = cache_find(v->m, name);
	char buf[32];

	if (!in_sysfs(s) || strcmp(kmem_cache_dir(s, buf), name))
		return false;
	*id = s->id;
	return true;
}

static bool
slabdir_next(const struct view *v, bool first, uint64_t after, uint64_t *id)
{
	const struct kmem_cache *s =
		kmem_cache_next(v->m->slab, first ? 0 : (uint32_t)after);

	while (s && !in_sysfs(s))
		s = kmem_cache_next(v->m->slab, s->id);
	if (s)
		*id = s->id;
	return s;
}

static void
slabdir_print(const struct view *v, uint64_t id, struct out *out)
{
	const struct kmem_cache *s = kmem_cache_get(v->m->slab, (uint32_t)id);
	char buf[32];

	if (s)
		out_str(out, kmem_cache_dir(s, buf));
}

const struct key_kind key_slabdir = {
	"slabdir",	32, slabdir_parse, slabdir_next, slabdir_print,
	slabdir_exists,
};

/* --- sys/kernel/slab/LINK ------------------------------------------------ */

static bool
slablink_exists(const struct view *v, uint64_t id)
{
	const struct kmem_cache *s;
	const char *name;
	char buf[32];

	if (id > UINT32_MAX)
		return false;
	s = cache_by_id(v->m, (uint32_t)id, &name);
	return in_sysfs(s) && strcmp(kmem_cache_dir(s, buf), name);
}

static bool
slablink_parse(const struct view *v, const char *name, uint64_t *id)
{
	*id = cache_id(v->m, name);
	return *id && slablink_exists(v, *id);
}

static bool
slablink_next(const struct view *v, bool first, uint64_t after, uint64_t *id)
{
	*id = cache_id_next(v->m, first ? 0 : (uint32_t)after);
	while (*id && !slablink_exists(v, *id))
		*id = cache_id_next(v->m, (uint32_t)*id);
	return *id != 0;
}

const struct key_kind key_slablink = {
	"slablink",    32,	    slablink_parse,
	slablink_next, cache_print, slablink_exists,
};
