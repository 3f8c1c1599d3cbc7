// SPDX-License-Identifier: MIT
/*
 * ops_kmalloc.c - memory by size: kmalloc and its relatives
 *
 * What it models: the callers' side of kmalloc, krealloc, kfree, ksize of
 * 6.1.192, include/linux/slab.h and mm/slab_common.c.
 */
#include "kmemfs/ops.h"

#include "kmemfs/slab/kmalloc.h"

#include "caller_impl.h"
#include "ops_slab_impl.h"

#include <errno.h>
#include <string.h>

#define FREE_OP "slab/kfree"

static uint64_t
largest(const struct machine *m)
{
	return kmalloc_largest(m->slab);
}

static int
check_size(struct op *op, int param, uint64_t bytes)
{
	if (bytes > largest(op->m))
		return op_refuse(op, param, EINVAL,
				 "%llu bytes: at most %llu can be asked for",
				 (unsigned long long)bytes,
				 (unsigned long long)largest(op->m));
	return 0;
}

/* Of @bytes with @c's gfp: from pages of its own. */
static bool
is_large(const struct calling *c, uint64_t bytes)
{
	return kmalloc_takes_pages(c->op->m->slab, bytes);
}

static void
answer_zero(struct op *op)
{
	op_answer(op, "ZERO_SIZE_PTR address=%#x", (unsigned int)ZERO_SIZE_PTR);
}

static int
ask(struct calling *c, uint64_t bytes, int size_param, int name_param,
    const char **name)
{
	struct op *op = c->op;
	struct out why = OUT_INIT;
	struct slab_request r;
	struct allocation *a;
	va_t address;
	int err = check_size(op, size_param, bytes);

	if (!err)
		err = op_check_new_name(op, name_param, *name);
	if (!err)
		err = check_calling(c, 1);
	if (err)
		return err;
	begin_calling(c, &r);
	r.why = op->want_why ? &why : NULL;
	c->large = is_large(c, bytes);
	caller_report_sleep(op->m, c->gfp, c->context);
	err = kmalloc(op->m->slab, bytes, &r, &address);
	if (err) {
		object_failed(op, "kmalloc", err, &why);
	} else if (address == ZERO_SIZE_PTR) {
		answer_zero(op);
	} else {
		a = record_object(c, name, address, bytes, 0, FREE_OP);
		if (op->want_why)
			a->why = g_strdup(out_text(&why));
		answer_object(op, a);
	}
	out_fini(&why);
	return err;
}

#define ASK(c, a, bytes, ID)                                                   \
	ask(c, bytes, ARG_SLAB_##ID##_SIZE, ARG_SLAB_##ID##_NAME, &(a)->name)

int
op_slab_kmalloc(struct op *op, struct args_slab_kmalloc *a)
{
	struct calling c = CALLING(op, a);

	return ASK(&c, a, a->size, KMALLOC);
}

int
op_slab_kmalloc_node(struct op *op, struct args_slab_kmalloc_node *a)
{
	struct calling c = CALLING(op, a);

	return ASK(&c, a, a->size, KMALLOC_NODE);
}

int
op_slab_kzalloc(struct op *op, struct args_slab_kzalloc *a)
{
	struct calling c = CALLING(op, a);

	c.gfp |= __GFP_ZERO;
	return ASK(&c, a, a->size, KZALLOC);
}

int
op_slab_kcalloc(struct op *op, struct args_slab_kcalloc *a)
{
	unsigned int word = op->m->slab->word; /* of a size_t */
	struct calling c = CALLING(op, a);
	uint64_t bytes;
	int err;

	c.gfp |= __GFP_ZERO;
	if (!__builtin_mul_overflow(a->nr, a->size, &bytes) &&
	    (word == 8 || bytes <= UINT32_MAX))
		return ASK(&c, a, bytes, KCALLOC);
	err = check_calling(&c, 0);
	if (err)
		return err;
	return op_fail(op, ENOMEM, "%llu * %llu is beyond %u bits: NULL",
		       (unsigned long long)a->nr, (unsigned long long)a->size,
		       8 * word);
}

/* --- giving back --------------------------------------------------------- */

/* kfree of an object that a cache or a pool handed out, by its name. */
static int
check_kfree(struct op *op, int param, const char *word,
	    const struct allocation *a)
{
	struct out free = OUT_INIT;

	if (!a || !strcmp(a->free, FREE_OP) || g_ascii_isdigit(*word))
		return 0;
	allocation_free_words(op->m, a, &free);
	op_refuse(op, param, EINVAL, "%s was made by %s: %s frees it", word,
		  a->op, out_text(&free));
	out_fini(&free);
	return -EINVAL;
}

/* The allocation whose pages @address lies in, and whose owner they name. */
static struct allocation *
owner_of(struct machine *m, va_t address)
{
	pfn_t pfn =
		(address - m->phys->arch->page_offset) >> m->phys->page_shift;
	enum migratetype type;
	unsigned int order;
	pfn_t head;

	if (address < m->phys->arch->page_offset || pfn >= m->phys->max_pfn ||
	    frame_block(m->phys, pfn, &head, &order, &type) != FRAME_ALLOCATED)
		return NULL;
	return m->phys->frames[head].owner
		       ? allocation_get(m, m->phys->frames[head].owner)
		       : NULL;
}

/* The kernel was given a place in the pages of @owner, and may have freed
 * them: then it goes. */
static void
forget_owner(struct machine *m, struct allocation *owner)
{
	if (owner && !allocation_owns_pages(m, owner))
		allocation_remove(m, owner);
}

/*
 * kfree() frees whatever pages it is pointed at.  Those of an allocation that
 * has more than the one block it was given are refused: the rest would be
 * nobody's.
 */
static int
check_pages(struct op *op, int param, const struct allocation *a)
{
	if (!a || a->kind != ALLOCATION_PAGES)
		return 0;
	if (a->exact ||
	    (a->order && !(op->m->phys->frames[a->pfn].flags & FRAME_COMPOUND)))
		return op_refuse(op, param, EINVAL,
				 "pfn %llu begins pages that kfree would free "
				 "one of, and leak the rest: free them with %s",
				 (unsigned long long)a->pfn,
				 a->exact ? "page/free_pages_exact"
					  : "page/free_pages");
	return 0;
}

int
op_slab_kfree(struct op *op, struct args_slab_kfree *a)
{
	struct calling c = CALLING_FREE(op, a);
	struct allocation *found, *owner;
	struct out why = OUT_INIT;
	struct slab_request r;
	va_t address;
	int err = resolve_object(op, ARG_SLAB_KFREE_OBJECT, a->object, &found,
				 &address);

	if (err)
		return err;
	owner = owner_of(op->m, address);
	err = check_kfree(op, ARG_SLAB_KFREE_OBJECT, a->object, found);
	if (!err)
		err = check_pages(op, ARG_SLAB_KFREE_OBJECT, owner);
	if (!err)
		err = check_knows_size(op, ARG_SLAB_KFREE_OBJECT, NULL,
				       address);
	if (!err)
		err = check_calling(&c, 0);
	if (err)
		return err;
	begin_calling(&c, &r);
	err = kfree(op->m->slab, address, &r);
	if (err)
		return object_failed(op, "kfree", err, &why);
	if (owner != found)
		forget_owner(op->m, owner);
	if (found)
		allocation_remove(op->m, found);
	return 0;
}

/* Addresses that no object can have make a kernel oops, or are refused where
 * only a look is taken. */
static int
check_object(struct op *op, int param, va_t address)
{
	const struct machine *m = op->m;
	struct allocation *owner;

	if (!address || address == ZERO_SIZE_PTR || slab_of(m->slab, address))
		return 0;
	owner = owner_of(op->m, address);
	if (owner && owner->kind == ALLOCATION_OBJECT)
		return 0;
	return op_refuse(op, param, EFAULT, "%#llx lies in no slab",
			 (unsigned long long)address);
}

int
op_slab_ksize(struct op *op, struct args_slab_ksize *a)
{
	struct calling c = CALLING_FREE(op, a);
	struct slab_common *sc = op->m->slab;
	struct allocation *found;
	struct slab_request r;
	va_t address;
	pa_t pa;
	int err = resolve_object(op, ARG_SLAB_KSIZE_OBJECT, a->object, &found,
				 &address);

	if (!err && address > ZERO_SIZE_PTR &&
	    !slab_mapped(sc, address, 1, &pa))
		err = op_refuse(op, ARG_SLAB_KSIZE_OBJECT, EFAULT,
				"%#llx is no address of memory: a kernel "
				"that looks for its page would crash",
				(unsigned long long)address);
	if (!err)
		err = check_calling(&c, 0);
	if (err)
		return err;
	begin_calling(&c, &r);
	op_answer(op, "%llu", (unsigned long long)ksize_warn(sc, address, &r));
	return 0;
}

int
op_slab_kmalloc_size_roundup(struct op *op,
			     struct args_slab_kmalloc_size_roundup *a)
{
	op_answer(op, "%llu",
		  (unsigned long long)kmalloc_size(op->m->slab, a->size,
						   (gfp_t)a->gfp));
	return 0;
}

/* --- krealloc ------------------------------------------------------------ */

/* The object moved, was freed or stayed: what of that is ours. */
static void
moved(struct calling *c, struct args_slab_krealloc *a, struct allocation *found,
      va_t from, va_t to)
{
	char buf[16], *name = NULL;

	if (found && to == from) {
		found->size = a->size;
		answer_object(c->op, found);
		return;
	}
	if (found) {
		name = g_strdup(allocation_name(found, buf));
		allocation_remove(c->op->m, found);
	}
	if (to == ZERO_SIZE_PTR) {
		answer_zero(c->op);
	} else if (to == from) {
		op_answer(c->op, "- address=%#llx", (unsigned long long)to);
	} else {
		const char *as = name ? name : a->name;

		c->large = is_large(c, a->size);
		answer_object(c->op,
			      record_object(c, &as, to, a->size, 0, FREE_OP));
		if (!name)
			a->name = as;
	}
	g_free(name);
}

int
op_slab_krealloc(struct op *op, struct args_slab_krealloc *a)
{
	struct calling c = CALLING(op, a);
	struct out why = OUT_INIT;
	struct allocation *found, *owner;
	struct slab_request r;
	va_t from, to;
	int err = resolve_object(op, ARG_SLAB_KREALLOC_OBJECT, a->object,
				 &found, &from);

	if (!err)
		err = check_object(op, ARG_SLAB_KREALLOC_OBJECT, from);
	if (!err)
		err = check_knows_size(op, ARG_SLAB_KREALLOC_OBJECT, NULL,
				       from);
	if (!err)
		err = check_size(op, ARG_SLAB_KREALLOC_SIZE, a->size);
	if (!err && !found)
		err = op_check_new_name(op, ARG_SLAB_KREALLOC_NAME, a->name);
	if (!err)
		err = check_calling(&c, 1);
	if (err)
		return err;
	begin_calling(&c, &r);
	r.why = op->want_why ? &why : NULL;
	caller_report_sleep(op->m, c.gfp, c.context);
	to = from;
	owner = owner_of(op->m, from);
	err = krealloc(op->m->slab, a->size, &r, &to);
	if (!err && owner != found)
		forget_owner(op->m, owner);
	if (err)
		object_failed(op, "krealloc", err, &why);
	else
		moved(&c, a, found, from, to);
	out_fini(&why);
	return err;
}
