// SPDX-License-Identifier: MIT
/*
 * slab_common.c - caches by name: made, merged with others, destroyed
 *
 * What it models: mm/slab_common.c of 6.1.192: kmem_cache_create_usercopy,
 *                 find_mergeable, kmem_cache_destroy; create_unique_id of
 *                 mm/slub.c.
 * How it works:   a request for a cache like one that exists gets that one, by
 *                 a further name.  The oldest that fits is taken.  Whatever
 *                 makes objects unlike others' forbids it: debugging, a
 *                 constructor, a window for copying to user space.
 * Always true:    every name leads to one cache; ids rise with the place in
 *                 sc->caches.
 * Differs from the kernel: two caches never have the same name; a cache that
 *                 was busy when it was to be destroyed can be destroyed later;
 *                 what a caller gets wrong is refused where the kernel warns
 *                 and goes on.
 */
#include "classic_impl.h"
#include "common_impl.h"
#include "slob_impl.h"
#include "slub_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_MOST 63

#define MERGE_SAME                                                             \
	(SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 |            \
	 SLAB_ACCOUNT)

/* SLAB_FLAGS_PERMITTED: the others are SLUB's own. */
#define PERMITTED                                                              \
	(SLAB_DEBUG_FLAGS | SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA |              \
	 SLAB_CACHE_DMA32 | SLAB_PANIC | SLAB_TYPESAFE_BY_RCU |                \
	 SLAB_MEM_SPREAD | SLAB_NOLEAKTRACE | SLAB_RECLAIM_ACCOUNT |           \
	 SLAB_ACCOUNT | SLAB_NO_USER_FLAGS)

/* --- finding ------------------------------------------------------------- */

struct kmem_cache *
kmem_cache_find(const struct slab_common *sc, const char *name)
{
	return g_hash_table_lookup(sc->names, name);
}

/* Index in sc->caches of the oldest with an id of at least @id. */
static guint
cache_index(const struct slab_common *sc, uint32_t id)
{
	guint from = 0, to = sc->caches->len;

	while (from < to) {
		guint middle = from + (to - from) / 2;
		const struct kmem_cache *s =
			g_ptr_array_index(sc->caches, middle);

		if (s->id < id)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

struct kmem_cache *
kmem_cache_next(const struct slab_common *sc, uint32_t after)
{
	guint i = after == UINT32_MAX ? sc->caches->len
				      : cache_index(sc, after + 1);

	return i < sc->caches->len ? g_ptr_array_index(sc->caches, i) : NULL;
}

struct kmem_cache *
kmem_cache_get(const struct slab_common *sc, uint32_t id)
{
	struct kmem_cache *s = id ? kmem_cache_next(sc, id - 1) : NULL;

	return s && s->id == id ? s : NULL;
}

bool
kmem_cache_unmergeable(const struct kmem_cache *s)
{
	return s->common->nomerge || s->flags & SLAB_NEVER_MERGE || s->ctor ||
	       s->usersize || s->refcount < 0 || s->ops != &slub_ops;
}

const char *
kmem_cache_dir(const struct kmem_cache *s, char buf[32])
{
	static const struct {
		slab_flags_t flag;
		char letter;
	} letters[] = {
		{SLAB_CACHE_DMA,		 'd'},
		     {SLAB_CACHE_DMA32,	'D'},
		{SLAB_RECLAIM_ACCOUNT,    'a'},
		     {SLAB_CONSISTENCY_CHECKS, 'F'},
		{SLAB_ACCOUNT,	       'A'},
	};
	const struct slab_common *sc = s->common;
	char *at = buf;

	/* Had debugging not been taken from it, it could not be merged. */
	if (kmem_cache_unmergeable(s) ||
	    (sc->no_higher_order_debug && sc->slub_debug & SLAB_DEBUG_METADATA))
		return s->name;
	*at++ = ':';
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (s->flags & letters[i].flag)
			*at++ = letters[i].letter;
	if (at > buf + 1)
		*at++ = '-';
	snprintf(at, 16, "%07u", s->size);
	return buf;
}

/* --- making -------------------------------------------------------------- */

static bool
cache_fits(const struct kmem_cache *s, uint64_t size, uint32_t align,
	   slab_flags_t flags)
{
	return size <= s->size &&
	       (flags & MERGE_SAME) == (s->flags & MERGE_SAME) &&
	       !(s->size & (align - 1)) && s->size - size < s->common->word;
}

static struct kmem_cache *
find_mergeable(const struct slab_common *sc, const struct kmem_cache_args *args,
	       slab_flags_t flags)
{
	uint64_t size = round_up_to(args->size, sc->word);
	uint32_t align = slab_alignment(sc, flags, args->align, size);

	flags = slab_debug_flags(sc, flags, args->name);
	if (sc->nomerge || args->ctor || args->usersize ||
	    flags & SLAB_NEVER_MERGE || args->allocator != ALLOCATOR_SLUB)
		return NULL;
	size = round_up_to(size, align);
	for (guint i = 0; i < sc->caches->len; i++) {
		struct kmem_cache *s = g_ptr_array_index(sc->caches, i);

		if (!kmem_cache_unmergeable(s) &&
		    s->ops->id == args->allocator &&
		    cache_fits(s, size, align, flags))
			return s;
	}
	return NULL;
}

static void
add_alias(struct kmem_cache *s, const struct kmem_cache_args *args)
{
	uint32_t words = (uint32_t)round_up_to(args->size, s->common->word);

	s->refcount++;
	/* Somebody uses again what was destroyed and could not go. */
	s->dead = false;
	g_ptr_array_add(s->aliases, g_strdup(args->name));
	g_hash_table_insert(s->common->names, g_strdup(args->name), s);
	/* What is zeroed, copied and poisoned must cover every user's. */
	s->object_size = MAX_OF(s->object_size, (uint32_t)args->size);
	s->inuse = MAX_OF(s->inuse, words);
}

static void
cache_free(struct kmem_cache *s)
{
	g_ptr_array_free(s->aliases, TRUE);
	g_free(s->node_descriptor);
	g_free(s->name);
	g_free(s);
}

struct kmem_cache *
slab_cache_new(struct slab_common *sc, const struct kmem_cache_args *args,
	       slab_flags_t flags, uint32_t align, int *err)
{
	struct kmem_cache *s = g_new0(struct kmem_cache, 1);

	s->common = sc;
	s->ops = slab_allocator_ops(args->allocator);
	s->name = g_strdup(args->name);
	s->aliases = g_ptr_array_new_with_free_func(g_free);
	s->refcount = 1;
	s->flags = flags;
	s->object_size = (uint32_t)args->size;
	s->align = align;
	s->ctor = args->ctor;
	s->useroffset = (uint32_t)args->useroffset;
	s->usersize = (uint32_t)args->usersize;
	s->use_freeptr_offset = args->use_freeptr_offset;
	s->freeptr_offset = (uint32_t)args->freeptr_offset;
	s->kmalloc_type = -1;
	s->id = sc->last_id + 1;
	*err = s->ops->open(s);
	if (*err) {
		cache_free(s);
		return NULL;
	}
	sc->last_id = s->id;
	g_ptr_array_add(sc->caches, s);
	g_hash_table_insert(sc->names, g_strdup(s->name), s);
	return s;
}

/* --- descriptors' memory ------------------------------------------------- */

static const struct slab_request *
requester(const struct slab_request *who)
{
	static const struct slab_request nobody = {.nid = NODE_LOCAL, .pid = 1};

	return who ? who : &nobody;
}

struct descriptors {
	va_t cache;
	va_t *node; /* [nr_nodes] */
};

static void
descriptors_free(struct slab_common *sc, const struct descriptors *d,
		 const struct slab_request *who)
{
	for (unsigned int n = 0; d->node && n < sc->phys->nr_nodes; n++)
		if (d->node[n])
			kmem_cache_free(sc->kmem_cache_node, d->node[n], who);
	if (d->cache)
		kmem_cache_free(sc->kmem_cache, d->cache, who);
	g_free(d->node);
}

/* One of each node with memory, of that node if it can be. */
static int
descriptors_alloc(struct slab_common *sc, struct descriptors *d,
		  const struct slab_request *who)
{
	struct slab_request r = *who;
	int err;

	r.gfp = GFP_KERNEL | __GFP_ZERO;
	r.bytes = 0;
	r.nid = NODE_LOCAL;
	d->node = g_new0(va_t, sc->phys->nr_nodes);
	err = kmem_cache_alloc(sc->kmem_cache, &r, &d->cache);
	r.gfp = GFP_KERNEL;
	for (unsigned int n = 0; !err && n < sc->phys->nr_nodes; n++) {
		r.nid = (int)n;
		if (sc->kmem_cache_node && slub_node_has_memory(sc, r.nid))
			err = kmem_cache_alloc(sc->kmem_cache_node, &r,
					       &d->node[n]);
	}
	if (err)
		descriptors_free(sc, d, who);
	return err;
}

/* --- kmem_cache_create --------------------------------------------------- */

static bool
name_is_fine(const char *name)
{
	size_t len = strlen(name);

	/* It becomes a file's name and a column of slabinfo. */
	if (!len || len > NAME_MOST || *name == ':' || *name == '.')
		return false;
	for (const char *c = name; *c; c++)
		if (!g_ascii_isgraph(*c) || *c == '/')
			return false;
	return true;
}

static int
check_numbers(const struct slab_common *sc, const struct kmem_cache_args *args,
	      struct refusal *why)
{
	uint64_t most = kmalloc_max_size(sc);

	if (!args->size)
		return refuse(why, EINVAL, 0, "objects have at least one byte");
	if (args->size > most)
		return refuse(why, EINVAL, 0,
			      "%llu bytes are more than the largest block of "
			      "pages, %llu",
			      (unsigned long long)args->size,
			      (unsigned long long)most);
	if (args->align & (args->align - 1) || args->align > most)
		return refuse(why, EINVAL, 0,
			      "an alignment is a power of two up to %llu",
			      (unsigned long long)most);
	if ((args->useroffset && !args->usersize) ||
	    args->usersize > args->size ||
	    args->useroffset > args->size - args->usersize)
		return refuse(why, EINVAL, 0,
			      "the window for copies to user space lies "
			      "outside the object");
	if (args->use_freeptr_offset &&
	    (args->freeptr_offset % sc->word || args->size < sc->word ||
	     args->freeptr_offset > args->size - sc->word))
		return refuse(why, EINVAL, 0,
			      "a free pointer is a word within the object");
	return 0;
}

static int
check_args(const struct slab_common *sc, const struct kmem_cache_args *args,
	   struct refusal *why)
{
	/* With the size asked for came a test that makes a kmalloc cache. */
	slab_flags_t more = sc->config.orig_size ? SLAB_KMALLOC : 0;
	slab_flags_t bad = args->flags & ~(PERMITTED | more);

	if (!args->name || !name_is_fine(args->name))
		return refuse(why, EINVAL, 0,
			      "a cache's name has 1 to %d printing characters, "
			      "no / in it and no : or . before it",
			      NAME_MOST);
	if (kmem_cache_find(sc, args->name))
		return refuse(why, EEXIST, 0, "there is a cache %s already",
			      args->name);
	if (bad) {
		struct out out = OUT_INIT;
		int err;

		slab_flags_print(&out, bad);
		err = refuse(why, EINVAL, 0,
			     "%s: a cache cannot be made with this",
			     out_text(&out));
		out_fini(&out);
		return err;
	}
	if (!slab_allocator_ops(args->allocator))
		return refuse(why, EINVAL, 0, "there is no such allocator");
	return check_numbers(sc, args, why);
}

/* What the classic SLAB of 2.6 prints before its BUG() about the same. */
static void
classic_says(const struct slab_common *sc, const struct kmem_cache_args *args,
	     int err)
{
	if (args->allocator != ALLOCATOR_SLAB)
		return;
	if (err == -EEXIST)
		slab_printk(sc, "kmem_cache_create: duplicate cache %s",
			    args->name);
	else
		slab_printk(sc, "kmem_cache_create: Early error in slab %.63s",
			    args->name ? args->name : "(null)");
}

/* CACHE_CREATE_MASK: flags that this kernel and allocator know. */
static slab_flags_t
known_flags(const struct slab_common *sc, slab_flags_t flags,
	    enum slab_allocator allocator)
{
	if (!sc->config.memcg)
		flags &= ~(slab_flags_t)SLAB_ACCOUNT;
	if (allocator != ALLOCATOR_SLAB)
		flags &= ~(slab_flags_t)SLAB_MEM_SPREAD;
	if (allocator == ALLOCATOR_SLOB)
		flags &= SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA |
			 SLAB_CACHE_DMA32 | SLAB_PANIC | SLAB_TYPESAFE_BY_RCU |
			 SLAB_NOLEAKTRACE;
	return flags;
}

static int
create_failed(const struct kmem_cache_args *args, int err, struct refusal *why)
{
	if (err == -E2BIG)
		return refuse(why, E2BIG, 0,
			      "no slab can hold objects of %llu bytes with all "
			      "that belongs to them",
			      (unsigned long long)args->size);
	if (err == -EFAULT)
		return refuse(why, EFAULT, 0,
			      "making its descriptor the kernel followed a "
			      "pointer that leads nowhere: see dmesg");
	return refuse(why, -err, 0, "no object can be had for its descriptors");
}

int
kmem_cache_create(struct slab_common *sc, const struct kmem_cache_args *args,
		  struct kmem_cache **made, struct refusal *why)
{
	const struct slab_request *who = requester(args->who);
	struct descriptors d = {0};
	slab_flags_t flags;
	uint32_t align;
	int err = check_args(sc, args, why);

	if (err) {
		classic_says(sc, args, err);
		return err;
	}
	flags = known_flags(sc, args->flags, args->allocator);
	*made = args->apart ? NULL : find_mergeable(sc, args, flags);
	if (*made) {
		add_alias(*made, args);
		return 0;
	}
	err = args->apart ? 0 : descriptors_alloc(sc, &d, who);
	if (err)
		return create_failed(args, err, why);
	align = slab_alignment(sc, flags, args->align, args->size);
	if (args->allocator != ALLOCATOR_SLOB)
		flags = slab_debug_flags(sc, flags, args->name);
	*made = slab_cache_new(sc, args, flags, align, &err);
	if (!*made) {
		descriptors_free(sc, &d, who);
		return create_failed(args, err, why);
	}
	if (args->apart)
		(*made)->refcount = -1;
	(*made)->descriptor = d.cache;
	(*made)->node_descriptor = d.node;
	return 0;
}

/* --- kmem_cache_destroy -------------------------------------------------- */

/* One of several names goes; the oldest that is left is the cache's own. */
static void
drop_name(struct kmem_cache *s, const char *name)
{
	GPtrArray *aliases = s->aliases;
	guint i = 0;

	g_hash_table_remove(s->common->names, name);
	s->refcount--;
	if (!strcmp(s->name, name)) {
		g_free(s->name);
		s->name = g_strdup(g_ptr_array_index(aliases, 0));
	} else {
		while (strcmp(g_ptr_array_index(aliases, i), name))
			i++;
	}
	g_ptr_array_remove_index(aliases, i);
}

/* It is in no table any more; what it had on the host goes. */
static void
cache_remove(struct kmem_cache *s, const struct slab_request *who)
{
	struct slab_common *sc = s->common;
	struct descriptors d = {s->descriptor, s->node_descriptor};

	s->ops->release(s);
	g_hash_table_remove(sc->names, s->name);
	g_ptr_array_remove_index(sc->caches, cache_index(sc, s->id));
	s->node_descriptor = NULL;
	descriptors_free(sc, &d, who);
	cache_free(s);
}

static void
warn_busy(const struct kmem_cache *s, const struct slab_request *who)
{
	struct out message = OUT_INIT;

	out_printf(&message,
		   "kmem_cache_destroy %s: Slab cache still has objects when "
		   "called from ",
		   s->name);
	symbols_print(s->common->symbols, who->caller, &message);
	slab_warn(s->common, who, "mm/slab_common.c:493", "kmem_cache_destroy",
		  out_text(&message));
	out_fini(&message);
}

int
kmem_cache_destroy(struct kmem_cache *s, const char *name,
		   const struct slab_request *who)
{
	char own[NAME_MOST + 1];
	int err;

	who = requester(who);
	/* @name may be what the cache itself calls it. */
	g_strlcpy(own, name, sizeof(own));
	if (s->boot)
		return -EBUSY;
	if (s->refcount > 1) {
		drop_name(s, own);
		return 0;
	}
	err = s->ops->shutdown(s);
	/* The classic one puts it back as it was. */
	if (err && s->ops != &classic_ops) {
		s->dead = true;
		warn_busy(s, who);
	}
	if (err)
		return err;
	cache_remove(s, who);
	return 0;
}

/* --- the end ------------------------------------------------------------- */

void
slab_common_free(struct slab_common *sc)
{
	if (!sc)
		return;
	/* A slab may be on a list of another cache than its own. */
	for (guint i = 0; i < sc->caches->len; i++) {
		struct kmem_cache *s = g_ptr_array_index(sc->caches, i);

		s->ops->release(s);
	}
	for (guint i = 0; i < sc->caches->len; i++)
		cache_free(g_ptr_array_index(sc->caches, i));
	g_ptr_array_free(sc->caches, TRUE);
	g_hash_table_destroy(sc->names);
	slob_fini(sc);
	classic_timers_free(sc);
	slabs_fini(sc);
	g_queue_clear_full(&sc->rcu, g_free);
	g_free(sc->slub_debug_string);
	g_free(sc);
}
