// SPDX-License-Identifier: MIT
/*
 * ops_slab_cache.c - caches: made, destroyed, tuned
 *
 * What it models: the callers' side of mm/slab_common.c, and the writable
 * attributes of mm/slub.c (slab_attr_store) of 6.1.192.
 *
 * Differs from the kernel: a name that is taken is refused; a kernel without
 * CONFIG_DEBUG_VM goes on, and its sysfs complains.  Caches that the kernel
 * itself makes at boot (kmalloc's, those of descriptors) cannot be destroyed.
 */
#include "kmemfs/ops.h"

#include "kmemfs/base/text.h"
#include "kmemfs/slab/mempool.h"

#include "caller_impl.h"
#include "ops_slab_impl.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* --- create, destroy ----------------------------------------------------- */

static enum slab_allocator
allocator_of(const struct machine *m, const char *name)
{
	for (int i = 0; name && i < NR_SLAB_ALLOCATORS; i++)
		if (!strcmp(slab_allocator_names[i], name))
			return i;
	return m->slab->config.allocator;
}

/* The kernel could not make it: it panics if it must have it.  Not when it
 * crashed on the way, nor when it was the host that had no room. */
static int
create_failed(struct op *op, const char *name, slab_flags_t flags, int err,
	      const struct refusal *why)
{
	struct machine *m = op->m;
	/* calculate_sizes has one errno for all that it cannot do. */
	int kernels = err == -E2BIG ? -EINVAL : err;
	struct out none = OUT_INIT;

	if (err == -ENOSPC)
		return object_failed(op, name, err, &none);
	if (err == -EFAULT)
		return op_fail(op, EFAULT, "%s: %s", name, why->sentence);
	if (flags & SLAB_PANIC)
		machine_panic(m,
			      "kmem_cache_create_usercopy: Failed to create "
			      "slab '%s'. Error %d",
			      name, kernels);
	else
		machine_printk(m,
			       "kmem_cache_create_usercopy(%s) failed with "
			       "error %d",
			       name, kernels);
	return op_fail(op, -err, "%s: %s", name, why->sentence);
}

int
op_slab_kmem_cache_create(struct op *op, struct args_slab_kmem_cache_create *a)
{
	struct calling c = {.op = op,
			    .gfp = GFP_KERNEL,
			    .cpu = a->cpu,
			    .node = NODE_LOCAL,
			    .caller = a->caller};
	struct machine *m = op->m;
	uint32_t symbols = symbols_count(m->symbols);
	struct refusal why = {0};
	struct slab_request who;
	struct kmem_cache_args args = {
		.name = a->name,
		.size = a->size,
		.align = a->align,
		.flags = (slab_flags_t)a->flags,
		.useroffset = a->useroffset,
		.usersize = a->usersize,
		.ctor = a->ctor ? slab_ctor_find(a->ctor) : NULL,
		.allocator = allocator_of(m, a->allocator),
		.who = &who,
	};
	struct kmem_cache *s;
	int err = check_calling(&c, 0);

	if (err)
		return err;
	begin_calling(&c, &who);
	err = kmem_cache_create(m->slab, &args, &s, &why);
	if (err == -EINVAL || err == -EEXIST) {
		symbols_forget(m->symbols, symbols);
		return op_refuse(op,
				 err == -EEXIST
					 ? ARG_SLAB_KMEM_CACHE_CREATE_NAME
					 : ARG_SLAB_KMEM_CACHE_CREATE_SIZE,
				 -err, "%s", why.sentence);
	}
	if (err)
		return create_failed(op, a->name, args.flags, err, &why);
	cache_named(m, s, a->name);
	op_answer(op, "%s cache=%s size=%u order=%u objects=%u", a->name,
		  s->name, s->size, s->order, s->objects);
	return 0;
}

/*
 * SLOB asks nobody: a cache goes while its large objects live, and their blocks
 * are no slab's any more.  They belong to their allocations now, as those of a
 * large kmalloc do, and kfree frees them.
 */
static void
adopt_blocks(struct machine *m, uint32_t cache)
{
	char name[16];

	for (struct allocation *a = allocation_next(m, 0); a;
	     a = allocation_next(m, a->id)) {
		struct frame *head;

		if (a->kind != ALLOCATION_OBJECT || a->cache != cache)
			continue;
		head = &m->phys->frames[a->pfn];
		machine_tell_entry(m, ENTRY_ALLOC, NULL,
				   allocation_name(a, name));
		a->order = head->order;
		a->nr_pages = 1ULL << head->order;
		a->cache = 0;
		a->pool = 0;
		a->free = "slab/kfree";
		head->owner = a->id;
	}
}

int
op_slab_kmem_cache_destroy(struct op *op,
			   struct args_slab_kmem_cache_destroy *a)
{
	const int param = ARG_SLAB_KMEM_CACHE_DESTROY_CACHE;
	struct calling c = {.op = op,
			    .gfp = GFP_KERNEL,
			    .cpu = a->cpu,
			    .node = NODE_LOCAL,
			    .caller = a->caller};
	struct machine *m = op->m;
	struct slab_request who;
	struct kmem_cache *s;
	char buf[32], *dir;
	bool blocks;
	uint32_t id;
	int err = resolve_cache(op, param, a->cache, &s);

	if (!err && !cache_id(m, a->cache))
		err = op_refuse(op, param, EINVAL,
				"%s is its directory in sysfs: name one of its "
				"names, %s",
				a->cache, s->name);
	if (!err && s->boot && !strcmp(a->cache, s->name))
		err = op_refuse(op, param, EINVAL,
				"%s: the kernel itself relies on it", a->cache);
	if (!err)
		err = check_calling(&c, 0);
	if (err)
		return err;
	begin_calling(&c, &who);
	id = s->id;
	blocks = s->all && s->ops->id == ALLOCATOR_SLOB;
	dir = g_strdup(kmem_cache_dir(s, buf));
	err = kmem_cache_destroy(s, a->cache, &who);
	if (err)
		op_fail(op, -err,
			"%s has objects in use: it stays, as a leak, and dmesg "
			"has what the kernel says",
			a->cache);
	else
		cache_unnamed(m, a->cache, dir, !kmem_cache_get(m->slab, id));
	if (blocks && !kmem_cache_get(m->slab, id)) {
		mempools_cache_gone(m->mempools, id);
		adopt_blocks(m, id);
	}
	g_free(dir);
	return err;
}

/* --- tuning -------------------------------------------------------------- */

static int
do_shrink(struct op *op, struct kmem_cache *s, const char *value)
{
	if (*value != '1')
		return op_refuse(op, ARG_SLAB_ATTRIBUTE_VALUE, EINVAL,
				 "only 1 can be written to shrink");
	kmem_cache_shrink(s);
	return 0;
}

static int
check_debugged(struct op *op, int param, const struct kmem_cache *s)
{
	if (!(s->flags & SLAB_DEBUG_FLAGS))
		return op_refuse(op, param, EINVAL,
				 "%s is not debugged: it has none of the flags "
				 "SLAB_CONSISTENCY_CHECKS, SLAB_RED_ZONE, "
				 "SLAB_POISON, SLAB_STORE_USER, SLAB_TRACE",
				 s->name);
	return 0;
}

static int
do_validate(struct op *op, struct kmem_cache *s, const char *value)
{
	int err;

	if (*value != '1')
		return op_refuse(op, ARG_SLAB_ATTRIBUTE_VALUE, EINVAL,
				 "only 1 can be written to validate");
	err = check_debugged(op, ARG_SLAB_ATTRIBUTE_CACHE, s);
	if (!err)
		s->ops->validate(s);
	return err;
}

/* kstrtouint(value, 10, ...): decimal digits, with a plus before them or not.
 */
static int
read_u32(struct op *op, const char *value, uint64_t *number)
{
	const char *digits = value + (*value == '+');

	if (digits[strspn(digits, "0123456789")] || !text_u64(digits, number))
		return op_refuse(op, ARG_SLAB_ATTRIBUTE_VALUE, EINVAL,
				 "%s: not a number", value);
	if (*number > UINT32_MAX)
		return op_refuse(op, ARG_SLAB_ATTRIBUTE_VALUE, ERANGE,
				 "%s: at most %u", value, UINT32_MAX);
	return 0;
}

static int
set_min_partial(struct op *op, struct kmem_cache *s, const char *value)
{
	uint64_t number;
	int err = read_u32(op, value, &number);

	if (!err)
		s->min_partial = (uint32_t)number;
	return err;
}

static int
set_cpu_partial(struct op *op, struct kmem_cache *s, const char *value)
{
	uint64_t number;
	int err = read_u32(op, value, &number);

	if (err)
		return err;
	if (kmem_cache_set_cpu_partial(s, (uint32_t)number))
		return op_refuse(op, ARG_SLAB_ATTRIBUTE_VALUE, EINVAL,
				 "%s keeps no slabs on CPUs' lists", s->name);
	return 0;
}

static int
set_defrag_ratio(struct op *op, struct kmem_cache *s, const char *value)
{
	uint64_t number;
	int err = read_u32(op, value, &number);

	if (err)
		return err;
	if (number > 100)
		return op_refuse(op, ARG_SLAB_ATTRIBUTE_VALUE, ERANGE,
				 "%s: a percentage, 0 to 100", value);
	s->remote_node_defrag_ratio = (uint32_t)number;
	return 0;
}

static const struct {
	const char *name;
	int (*write)(struct op *op, struct kmem_cache *s, const char *value);
} attributes[] = {
	{"cpu_partial",		set_cpu_partial },
	{"min_partial",		set_min_partial },
	{"remote_node_defrag_ratio", set_defrag_ratio},
	{"shrink",		   do_shrink	    },
	{"validate",		     do_validate	},
};

int
op_slab_attribute(struct op *op, struct args_slab_attribute *a)
{
	struct kmem_cache *s;
	int err = resolve_cache(op, ARG_SLAB_ATTRIBUTE_CACHE, a->cache, &s);

	for (size_t i = 0; !err && i < ARRAY_SIZE(attributes); i++)
		if (!strcmp(attributes[i].name, a->attribute))
			return attributes[i].write(op, s, a->value);
	if (err)
		return err;
	return op_refuse(op, ARG_SLAB_ATTRIBUTE_ATTRIBUTE, ENOENT,
			 "%s is no attribute that can be written",
			 a->attribute);
}

int
op_slab_kmem_cache_shrink(struct op *op, struct args_slab_kmem_cache_shrink *a)
{
	struct kmem_cache *s;
	int err = resolve_cache(op, ARG_SLAB_KMEM_CACHE_SHRINK_CACHE, a->cache,
				&s);

	if (!err)
		kmem_cache_shrink(s);
	return err;
}

int
op_slab_validate(struct op *op, struct args_slab_validate *a)
{
	struct kmem_cache *s;
	int err = resolve_cache(op, ARG_SLAB_VALIDATE_CACHE, a->cache, &s);

	if (!err)
		err = check_debugged(op, ARG_SLAB_VALIDATE_CACHE, s);
	if (!err)
		op_answer(op, "findings=%u", s->ops->validate(s));
	return err;
}

int
op_slab_kmem_cache_size(struct op *op, struct args_slab_kmem_cache_size *a)
{
	struct kmem_cache *s;
	int err =
		resolve_cache(op, ARG_SLAB_KMEM_CACHE_SIZE_CACHE, a->cache, &s);

	if (!err)
		op_answer(op, "%u", s->object_size);
	return err;
}
