// SPDX-License-Identifier: MIT
/*
 * slab.c - /slab/CACHE: a cache's geometry, one value a file
 */
#include "kmemfs/show.h"

#include "kmemfs/view/sums.h"

/* A number of the cache, one a line. */
#define SHOW_VALUE(field)                                                      \
	void show_cache_##field(const struct view *v, struct out *out)         \
	{                                                                      \
		const struct kmem_cache *s = view_cache(v);                    \
                                                                               \
		if (s)                                                         \
			put_value(out, s->field);                              \
	}

SHOW_VALUE(object_size)
SHOW_VALUE(size)
SHOW_VALUE(align)
SHOW_VALUE(order)
SHOW_VALUE(offset)
SHOW_VALUE(inuse)
SHOW_VALUE(red_left_pad)
SHOW_VALUE(usersize)
SHOW_VALUE(useroffset)
SHOW_VALUE(min_partial)
SHOW_VALUE(cpu_partial)

void
show_cache_objs_per_slab(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_cache(v);

	if (s)
		put_value(out, s->objects);
}

void
show_cache_flags(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_cache(v);

	if (!s)
		return;
	slab_flags_print(out, s->flags);
	out_char(out, '\n');
}

void
show_cache_ctor(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_cache(v);

	if (!s || !s->ctor)
		return;
	out_str(out, slab_ctor_name(s->ctor));
	out_char(out, '\n');
}

void
show_cache_allocator(const struct view *v, struct out *out)
{
	const struct kmem_cache *s = view_cache(v);

	if (!s)
		return;
	out_str(out, slab_allocator_names[s->ops->id]);
	out_char(out, '\n');
}

/* All names of @s but @but. */
static void
put_names(const struct kmem_cache *s, const char *but, const char *between,
	  struct out *out)
{
	const char *before = "";

	if (strcmp(s->name, but)) {
		out_str(out, s->name);
		before = between;
	}
	for (guint i = 0; s->aliases && i < s->aliases->len; i++) {
		if (!strcmp(s->aliases->pdata[i], but))
			continue;
		out_str(out, before);
		out_str(out, s->aliases->pdata[i]);
		before = between;
	}
}

void
show_cache_aliases(const struct view *v, struct out *out)
{
	const char *name;
	const struct kmem_cache *s =
		cache_by_id(v->m, (uint32_t)v->key[0], &name);
	size_t before = out->len;

	if (!s)
		return;
	put_names(s, name, "\n", out);
	if (out->len > before)
		out_char(out, '\n');
}

/* What is only written to. */
void
show_cache_nothing(const struct view *v, struct out *out)
{
	(void)v;
	(void)out;
}

static void
put_geometry(const struct kmem_cache *s, struct out *out)
{
	put_counter(out, "object_size", s->object_size);
	put_counter(out, "size", s->size);
	put_counter(out, "align", s->align);
	put_counter(out, "order", s->order);
	put_counter(out, "min_order", s->min_order);
	put_counter(out, "objs_per_slab", s->objects);
	put_counter(out, "offset", s->offset);
	put_counter(out, "inuse", s->inuse);
	put_counter(out, "red_left_pad", s->red_left_pad);
	put_counter(out, "useroffset", s->useroffset);
	put_counter(out, "usersize", s->usersize);
	put_counter(out, "min_partial", s->min_partial);
	put_counter(out, "cpu_partial", s->cpu_partial);
	put_counter(out, "cpu_partial_slabs", s->cpu_partial_slabs);
}

void
show_cache_info(const struct view *v, struct out *out)
{
	const char *name;
	const struct kmem_cache *s =
		cache_by_id(v->m, (uint32_t)v->key[0], &name);
	struct slabinfo info;
	size_t before;
	char buf[32];

	if (!s)
		return;
	slab_info(s, &info);
	put_text(out, "name", name);
	put_counter(out, "id", s->id);
	put_text(out, "sysfs", kmem_cache_dir(s, buf));
	out_str(out, "aliases ");
	before = out->len;
	put_names(s, name, ",", out);
	out_str(out, out->len > before ? "\n" : "-\n");
	put_text(out, "allocator", slab_allocator_names[s->ops->id]);
	out_str(out, "flags ");
	slab_flags_print(out, s->flags);
	out_char(out, '\n');
	put_text(out, "ctor", s->ctor ? slab_ctor_name(s->ctor) : "-");
	put_geometry(s, out);
	put_counter(out, "active_objects", info.active_objs);
	put_counter(out, "total_objects", info.num_objs);
	put_counter(out, "slabs", info.num_slabs);
	put_counter(out, "ctor_runs", s->nr_ctor);
	put_text(out, "state",
		 s->dead ? "destroyed with objects in use" : "live");
}
