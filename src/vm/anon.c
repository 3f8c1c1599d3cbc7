// SPDX-License-Identifier: MIT
/*
 * anon.c - anon_vmas: which areas may hold an anonymous page
 *
 * What it models: anon_vma_prepare, anon_vma_clone, anon_vma_fork,
 * unlink_anon_vmas (mm/rmap.c); find_mergeable_anon_vma (mm/mmap.c).
 *
 * How it works: an area that gets its first anonymous page gets an anon_vma,
 * to which all that is split or forked from it is linked too.  A child's new
 * pages belong to an anon_vma of its own:
 *
 *     parent area -- A                       pages of A: in both areas
 *     child area  -- A, B (its own)          pages of B: in the child only
 *
 * Always true: v->anon is in v->chain; an area is in areas of each anon_vma of
 * its chain once; an anon_vma goes with its last area.
 *
 * Differs from the kernel: areas of an anon_vma are a list, not an interval
 * tree; an anon_vma that only child anon_vmas refer to goes at once.
 */
#include "vm_impl.h"

#include <errno.h>

struct anon_vma *
anon_by_id(const struct vm *vm, uint32_t id)
{
	return g_hash_table_lookup(vm->anon, GUINT_TO_POINTER(id));
}

static struct anon_vma *
anon_new(struct vm *vm, struct anon_vma *parent)
{
	struct anon_vma *a;

	if (vm->last_anon >= OWNER_NUMBER_MAX)
		return NULL;
	a = g_new0(struct anon_vma, 1);
	a->id = ++vm->last_anon;
	a->areas = g_ptr_array_new();
	a->parent = parent;
	/* A first one counts as its own child. */
	a->children = !parent;
	if (parent) {
		parent->children++;
		if (!parent->below)
			parent->below = g_ptr_array_new();
		g_ptr_array_add(parent->below, a);
	}
	g_hash_table_insert(vm->anon, GUINT_TO_POINTER(a->id), a);
	return a;
}

static void
anon_free(struct vm *vm, struct anon_vma *a)
{
	if (a->parent) {
		a->parent->children--;
		g_ptr_array_remove_fast(a->parent->below, a);
	}
	for (guint i = 0; a->below && i < a->below->len; i++) {
		struct anon_vma *child = g_ptr_array_index(a->below, i);

		child->parent = NULL;
	}
	if (a->below)
		g_ptr_array_free(a->below, TRUE);
	g_ptr_array_free(a->areas, TRUE);
	g_hash_table_remove(vm->anon, GUINT_TO_POINTER(a->id));
	g_free(a);
}

static void
anon_link(struct vma *v, struct anon_vma *a)
{
	v->chain = g_renew(struct anon_vma *, v->chain, v->nr_chain + 1);
	v->chain[v->nr_chain++] = a;
	g_ptr_array_add(a->areas, v);
}

bool
anon_singular(const struct vma *v)
{
	return v->nr_chain == 1;
}

bool
anon_has(const struct vma *v, uint32_t id)
{
	for (uint32_t i = 0; i < v->nr_chain; i++)
		if (v->chain[i]->id == id)
			return true;
	return false;
}

/* Whether two neighbours could be one area but for what mprotect changes, so
 * that they should not be kept apart by their anon_vmas. */
static struct anon_vma *
reusable(const struct vma *low, const struct vma *high, const struct vma *from)
{
	const uint64_t may_differ = VM_ACCESS_FLAGS | VM_SOFTDIRTY;

	if (low->end != high->start || low->policy != high->policy ||
	    low->policy_nodes != high->policy_nodes ||
	    low->object != high->object ||
	    ((low->flags ^ high->flags) & ~may_differ) ||
	    high->pgoff != low->pgoff + vma_pages(low))
		return NULL;
	return from->anon && anon_singular(from) ? from->anon : NULL;
}

int
anon_prepare(struct vma *v)
{
	const struct vma *next, *prev;
	struct anon_vma *a = NULL;

	if (likely(v->anon))
		return 0;
	next = vma_next(v);
	prev = vma_prev(v);
	if (next)
		a = reusable(v, next, next);
	if (!a && prev)
		a = reusable(prev, v, prev);
	if (!a)
		a = anon_new(v->mm->vm, NULL);
	if (!a)
		return -ENOMEM;
	v->anon = a;
	a->active++;
	anon_link(v, a);
	return 0;
}

void
anon_clone(struct vma *to, const struct vma *from)
{
	for (uint32_t i = 0; i < from->nr_chain; i++) {
		struct anon_vma *a = from->chain[i];

		anon_link(to, a);
		/* One that no area has as its own serves once more. */
		if (!to->anon && from->anon && a->children < 2 && !a->active)
			to->anon = a;
	}
	if (to->anon)
		to->anon->active++;
}

int
anon_fork(struct vma *child, const struct vma *parent)
{
	struct anon_vma *a;

	if (!parent->anon)
		return 0;
	child->anon = NULL;
	anon_clone(child, parent);
	if (child->anon)
		return 0;
	a = anon_new(child->mm->vm, parent->anon);
	if (!a) {
		anon_unlink(child);
		return -ENOMEM;
	}
	child->anon = a;
	a->active++;
	anon_link(child, a);
	return 0;
}

void
anon_unlink(struct vma *v)
{
	struct vm *vm = v->mm->vm;

	if (v->anon)
		v->anon->active--;
	v->anon = NULL;
	while (v->nr_chain) {
		struct anon_vma *a = v->chain[--v->nr_chain];

		g_ptr_array_remove_fast(a->areas, v);
		if (!a->areas->len)
			anon_free(vm, a);
	}
	g_free(v->chain);
	v->chain = NULL;
}
