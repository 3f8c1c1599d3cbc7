// SPDX-License-Identifier: MIT
/*
 * ops_slab.c - objects of caches: who asks, what is named
 *
 * What it models: the callers' side of kmem_cache_alloc and kmem_cache_free of
 * 6.1.192.  The allocators are slab.h's; here requests are checked and objects
 * get names.
 *
 * How it works: an object by name must be one of ours and of the right kind.
 * An address is passed on as it is, as a kernel would pass a wild pointer on:
 * if an object of ours begins there, it is ours no more.  An allocator whose
 * lists were damaged may give anything: that it lies in a slab is not assumed.
 */
#include "kmemfs/ops.h"

#include "kmemfs/base/text.h"
#include "caller_impl.h"
#include "ops_slab_impl.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#define BULK_MAX 4096
#define FREE_OP "slab/kmem_cache_free"

/* --- who asks ------------------------------------------------------------ */

int
check_calling(const struct calling *c, uint64_t objects)
{
	int err = op_check_allocations(c->op, objects);

	return err ? err : op_check_cpu(c->op, -1, c->cpu);
}

void
begin_calling(const struct calling *c, struct slab_request *r)
{
	struct machine *m = c->op->m;

	caller_stamp(m, c->cpu, c->context);
	*r = (struct slab_request){
		.gfp = (gfp_t)c->gfp,
		.nid = (int)c->node,
		.cpu = (unsigned int)c->cpu,
		.context = (enum alloc_context)c->context,
		.caller = symbols_address(m->symbols, c->caller),
		.pid = c->op->task->pid,
	};
}

int
resolve_cache(struct op *op, int param, const char *name,
	      struct kmem_cache **found)
{
	*found = cache_find(op->m, name);
	if (!*found)
		return op_refuse(op, param, ENOENT,
				 "there is no slab cache called %s", name);
	return 0;
}

int
resolve_object(struct op *op, int param, const char *word,
	       struct allocation **found, va_t *address)
{
	struct out free = OUT_INIT;

	if (text_u64(word, address)) {
		if (op->m->slab->word == 4 && *address > UINT32_MAX)
			return op_refuse(op, param, EINVAL,
					 "%s: this machine's addresses have 32 "
					 "bits",
					 word);
		*found = allocation_at(op->m, *address);
		return 0;
	}
	*found = allocation_find(op->m, word);
	if (!*found)
		return op_refuse(op, param, ENOENT,
				 "there is no allocation called %s", word);
	if ((*found)->kind != ALLOCATION_OBJECT) {
		allocation_free_words(op->m, *found, &free);
		op_refuse(op, param, EINVAL,
			  "%s is pages, not an object: %s frees it", word,
			  out_text(&free));
		out_fini(&free);
		return -EINVAL;
	}
	*address = (*found)->address;
	return 0;
}

int
check_knows_size(struct op *op, int param, const struct kmem_cache *s,
		 va_t address)
{
	if (slab_knows_size(op->m->slab, s, address))
		return 0;
	return op_refuse(op, param, EINVAL,
			 "%#llx lies in pages of SLOB's, which do not say how "
			 "large it is: only its own cache knows",
			 (unsigned long long)address);
}

/* kmem_cache_free of what came from no slab, by its name.  By its address it
 * is passed on. */
static int
check_cached(struct op *op, int param, const char *word,
	     const struct allocation *a)
{
	struct out free = OUT_INIT;

	if (!a || g_ascii_isdigit(*word) || !allocation_owns_pages(op->m, a))
		return 0;
	allocation_free_words(op->m, a, &free);
	op_refuse(op, param, EINVAL,
		  "%s has pages of its own and lies in no slab: %s frees it",
		  word, out_text(&free));
	out_fini(&free);
	return -EINVAL;
}

/* The kernel was told to free @a.  What it did not free, because it took it
 * for something else, stays. */
static void
freed(struct machine *m, struct allocation *a)
{
	if (a && !allocation_owns_pages(m, a))
		allocation_remove(m, a);
}

/* --- what was got -------------------------------------------------------- */

struct allocation *
record_object(const struct calling *c, const char **name, va_t address,
	      uint64_t size, uint32_t pool, const char *free)
{
	struct op *op = c->op;
	struct machine *m = op->m;
	struct allocation *a = allocation_add(m, *name);
	pa_t start = address - m->phys->arch->page_offset;
	const struct slab *slab = slab_of(m->slab, address);

	a->kind = ALLOCATION_OBJECT;
	a->context = (uint8_t)c->context;
	a->cpu = (uint16_t)c->cpu;
	a->pfn = start >> m->phys->page_shift;
	a->nr_pages = ((start + (size ? size - 1 : 0)) >> m->phys->page_shift) -
		      a->pfn + 1;
	a->address = address;
	a->size = size;
	a->pool = pool;
	a->gfp = (gfp_t)c->gfp;
	a->born_ns = m->now_ns;
	a->op = op->desc->name;
	a->free = free;
	if (slab)
		a->cache = slab->cache->id;
	if (c->large) {
		struct frame *head = &m->phys->frames[a->pfn];

		a->order = head->order;
		a->nr_pages = 1ULL << head->order;
		head->owner = a->id;
	}
	allocation_place(m, a);
	if (!*name)
		*name = allocation_name(a, op->made_up);
	return a;
}

void
answer_object(struct op *op, const struct allocation *a)
{
	const struct zone *zone;
	char name[16];

	if (!op->answer)
		return;
	zone = phys_zone_of(op->m->phys, a->pfn);
	op_answer(op, "%s address=%#llx pfn=%llu", allocation_name(a, name),
		  (unsigned long long)a->address, (unsigned long long)a->pfn);
	if (zone)
		op_answer(op, " node=%u", zone->node->id);
}

/* The story of what failed goes into error_log. */
static void
keep_story(struct machine *m, const struct out *why)
{
	if (!why->len)
		return;
	g_free(m->story);
	m->story = g_strndup(why->text, why->len);
}

int
object_failed(struct op *op, const char *what, int err, const struct out *why)
{
	keep_story(op->m, why);
	if (err == -EFAULT)
		return op_fail(op, EFAULT,
			       "%s: the kernel followed a pointer that leads "
			       "nowhere: see dmesg",
			       what);
	if (err == -ENOSPC)
		return op_fail(op, ENOSPC,
			       "the daemon may hold %llu bytes of written "
			       "memory, no more (ram-limit)",
			       (unsigned long long)op->m->config->ram_limit);
	return op_fail(op, -err,
		       "%s: no slab has a free object, and no pages can be had",
		       what);
}

/* --- one object ---------------------------------------------------------- */

static int
alloc_one(const struct calling *c, const char *cache, int name_param,
	  const char **name)
{
	struct op *op = c->op;
	struct machine *m = op->m;
	struct out why = OUT_INIT;
	struct slab_request r;
	struct kmem_cache *s;
	struct allocation *a;
	va_t address;
	int err = resolve_cache(op, 0, cache, &s);

	if (!err)
		err = op_check_new_name(op, name_param, *name);
	if (!err)
		err = check_calling(c, 1);
	if (err)
		return err;
	begin_calling(c, &r);
	r.why = op->want_why ? &why : NULL;
	caller_report_sleep(m, c->gfp, c->context);
	err = kmem_cache_alloc(s, &r, &address);
	if (err) {
		object_failed(op, s->name, err, &why);
	} else {
		a = record_object(c, name, address, s->object_size, s->id,
				  FREE_OP);
		if (op->want_why)
			a->why = g_strdup(out_text(&why));
		answer_object(op, a);
	}
	out_fini(&why);
	return err;
}

int
op_slab_kmem_cache_alloc(struct op *op, struct args_slab_kmem_cache_alloc *a)
{
	struct calling c = CALLING(op, a);

	return alloc_one(&c, a->cache, ARG_SLAB_KMEM_CACHE_ALLOC_NAME,
			 &a->name);
}

int
op_slab_kmem_cache_alloc_node(struct op *op,
			      struct args_slab_kmem_cache_alloc_node *a)
{
	struct calling c = CALLING(op, a);

	return alloc_one(&c, a->cache, ARG_SLAB_KMEM_CACHE_ALLOC_NODE_NAME,
			 &a->name);
}

int
op_slab_kmem_cache_free(struct op *op, struct args_slab_kmem_cache_free *a)
{
	struct calling c = CALLING_FREE(op, a);
	struct allocation *found = NULL;
	struct out why = OUT_INIT;
	struct slab_request r;
	struct kmem_cache *s;
	va_t address = 0;
	int err =
		resolve_cache(op, ARG_SLAB_KMEM_CACHE_FREE_CACHE, a->cache, &s);

	if (!err)
		err = resolve_object(op, ARG_SLAB_KMEM_CACHE_FREE_OBJECT,
				     a->object, &found, &address);
	if (!err)
		err = check_cached(op, ARG_SLAB_KMEM_CACHE_FREE_OBJECT,
				   a->object, found);
	if (!err)
		err = check_knows_size(op, ARG_SLAB_KMEM_CACHE_FREE_OBJECT, s,
				       address);
	if (!err)
		err = check_calling(&c, 0);
	if (err)
		return err;
	begin_calling(&c, &r);
	err = kmem_cache_free(s, address, &r);
	if (err)
		return object_failed(op, s->name, err, &why);
	freed(op->m, found);
	return 0;
}

/* --- many ---------------------------------------------------------------- */

static void
bulk_name(const char *base, uint64_t i, char name[80])
{
	g_snprintf(name, 80, "%s.%llu", base, (unsigned long long)i);
}

static int
check_bulk_names(struct op *op, const char *base, uint64_t nr)
{
	char name[80];

	for (uint64_t i = 0; base && i < nr; i++) {
		bulk_name(base, i, name);
		if (!text_is_name(name) || allocation_find(op->m, name))
			return op_refuse(
				op, ARG_SLAB_KMEM_CACHE_ALLOC_BULK_NAME, EEXIST,
				"%s is taken, or too long a name", name);
	}
	return 0;
}

static void
record_bulk(const struct calling *c, const char *base, uint64_t nr,
	    const struct kmem_cache *s, const va_t *objects)
{
	op_answer(c->op, "nr=%llu", (unsigned long long)nr);
	for (uint64_t i = 0; i < nr; i++) {
		char name[80];
		const char *of = NULL;

		if (base) {
			bulk_name(base, i, name);
			of = name;
		}
		record_object(c, &of, objects[i], s->object_size, s->id,
			      FREE_OP);
		op_answer(c->op, " %s", of);
	}
}

int
op_slab_kmem_cache_alloc_bulk(struct op *op,
			      struct args_slab_kmem_cache_alloc_bulk *a)
{
	struct calling c = CALLING(op, a);
	struct out why = OUT_INIT;
	struct slab_request r;
	struct kmem_cache *s;
	va_t *objects;
	int err = resolve_cache(op, ARG_SLAB_KMEM_CACHE_ALLOC_BULK_CACHE,
				a->cache, &s);

	if (err)
		return err;
	if (!a->nr || a->nr > BULK_MAX)
		return op_refuse(op, ARG_SLAB_KMEM_CACHE_ALLOC_BULK_NR, EINVAL,
				 "%llu objects: from 1 to %d",
				 (unsigned long long)a->nr, BULK_MAX);
	err = check_bulk_names(op, a->name, a->nr);
	if (!err)
		err = check_calling(&c, a->nr);
	if (err)
		return err;
	begin_calling(&c, &r);
	caller_report_sleep(op->m, a->gfp, a->context);
	objects = g_new(va_t, a->nr);
	err = kmem_cache_alloc_bulk(s, &r, (unsigned int)a->nr, objects);
	if (err)
		object_failed(op, s->name, err, &why);
	else
		record_bulk(&c, a->name, a->nr, s, objects);
	g_free(objects);
	return err;
}

/* Names and addresses cut out of @words: of each object its address, and the
 * allocation or NULL. */
static int
resolve_objects(struct op *op, const struct kmem_cache *s, char **words,
		GArray *objects, GPtrArray *allocations)
{
	const int param = ARG_SLAB_KMEM_CACHE_FREE_BULK_OBJECTS;

	for (; *words; words++) {
		struct allocation *found;
		va_t address;
		int err;

		if (!**words)
			continue;
		if (!text_is_name(*words) && !text_u64(*words, &address))
			return op_refuse(op, param, EINVAL,
					 "%s: neither a name nor an address",
					 *words);
		err = resolve_object(op, param, *words, &found, &address);
		if (!err)
			err = check_cached(op, param, *words, found);
		if (!err)
			err = check_knows_size(op, param, s, address);
		if (err)
			return err;
		if (found && g_ptr_array_find(allocations, found, NULL))
			found = NULL; /* twice: gone with the first */
		g_array_append_val(objects, address);
		g_ptr_array_add(allocations, found);
	}
	if (objects->len > BULK_MAX)
		return op_refuse(op, param, EINVAL,
				 "%u objects: at most %d at one go",
				 objects->len, BULK_MAX);
	return 0;
}

static int
free_objects(const struct calling *c, struct kmem_cache *s,
	     const GArray *objects, const GPtrArray *allocations)
{
	struct out why = OUT_INIT;
	struct slab_request r;
	int err = check_calling(c, 0);

	if (err)
		return err;
	begin_calling(c, &r);
	err = kmem_cache_free_bulk(s, &r, objects->len,
				   (const va_t *)(const void *)objects->data);
	if (err)
		return object_failed(c->op, s->name, err, &why);
	for (guint i = 0; i < allocations->len; i++)
		freed(c->op->m, allocations->pdata[i]);
	return 0;
}

int
op_slab_kmem_cache_free_bulk(struct op *op,
			     struct args_slab_kmem_cache_free_bulk *a)
{
	struct calling c = CALLING_FREE(op, a);
	struct kmem_cache *s;
	GPtrArray *allocations;
	GArray *objects;
	char **words;
	int err = resolve_cache(op, ARG_SLAB_KMEM_CACHE_FREE_BULK_CACHE,
				a->cache, &s);

	if (err)
		return err;
	objects = g_array_new(FALSE, FALSE, sizeof(va_t));
	allocations = g_ptr_array_new();
	words = g_strsplit_set(a->objects, " \t", -1);
	err = resolve_objects(op, s, words, objects, allocations);
	if (!err)
		err = free_objects(&c, s, objects, allocations);
	g_strfreev(words);
	g_ptr_array_free(allocations, TRUE);
	g_array_free(objects, TRUE);
	return err;
}
