// SPDX-License-Identifier: MIT
/*
 * ops_slab_impl.h - who asks for an object, and which one is meant; shared by
 * ops_slab*.c and the ops of other allocators of objects
 */
#ifndef KMEMFS_MACHINE_OPS_SLAB_IMPL_H
#define KMEMFS_MACHINE_OPS_SLAB_IMPL_H

#include "kmemfs/machine/op.h"

/* Who runs and calls, and how: what all ops on objects have in common. */
struct calling {
	struct op *op;
	uint64_t gfp;
	uint64_t cpu;
	int64_t node;
	uint64_t context;
	const char *caller;
	bool large; /* what comes has pages of its own */
};

/* From an op's arguments with common: alloc caller; and with free caller. */
#define CALLING(o, a)                                                          \
	{                                                                      \
		.op = (o), .gfp = (a)->gfp, .cpu = (a)->cpu,                   \
		.node = (a)->node, .context = (a)->context,                    \
		.caller = (a)->caller                                          \
	}
#define CALLING_FREE(o, a)                                                     \
	{                                                                      \
		.op = (o), .gfp = GFP_KERNEL, .cpu = (a)->cpu,                 \
		.node = NODE_LOCAL, .caller = (a)->caller                      \
	}

/* Refuse what cannot run: the CPU is offline, no id is left for @objects more
 * allocations.  0 or -errno. */
int check_calling(const struct calling *c, uint64_t objects);
/* Stamp the trace with who runs; fill in @r.  The caller's function gets its
 * address now, so that nothing may be refused any more. */
void begin_calling(const struct calling *c, struct slab_request *r);

/* The cache called @name in parameter @param: 0, or refuses with ENOENT. */
int resolve_cache(struct op *op, int param, const char *name,
		  struct kmem_cache **found);
/*
 * What the word names: a live object of ours by name (ENOENT none, EINVAL it is
 * pages), or any address.  *@found is NULL when none of ours is at @address.
 */
int resolve_object(struct op *op, int param, const char *word,
		   struct allocation **found, va_t *address);

/* Refuse to give @address to @s (NULL: to kfree), where that cannot know how
 * large it is.  0 or -EINVAL. */
int check_knows_size(struct op *op, int param, const struct kmem_cache *s,
		     va_t address);

/* What was got: entered as the allocation *@name (made up when NULL, and
 * stored there), to be freed by @free. */
struct allocation *record_object(const struct calling *c, const char **name,
				 va_t address, uint64_t size, uint32_t pool,
				 const char *free);
/* "NAME address=0x pfn=N node=N" of it. */
void answer_object(struct op *op, const struct allocation *a);

/* The modelled kernel failed with @err at @what; @why goes into error_log. */
int object_failed(struct op *op, const char *what, int err,
		  const struct out *why);

#endif
