// SPDX-License-Identifier: MIT
/*
 * areas.c - allocations that are mappings: found by where they lie
 *
 * How it works: a tree orders them by address space and address.  Whatever
 * unmaps addresses says so before they are used again, and the allocations
 * there are cut: what is unmapped as a whole is removed, one that loses its
 * beginning begins later, one that loses anything else ends there.
 *
 * Always true: no two of one address space overlap.
 */
#include "kmemfs/machine/machine.h"

struct area_table {
	GTree *tree; /* of struct allocation *, each its own key */
};

static gint
compare(gconstpointer a, gconstpointer b, gpointer user)
{
	const struct allocation *x = a, *y = b;

	(void)user;
	if (x->pool != y->pool)
		return x->pool < y->pool ? -1 : 1;
	return (x->address > y->address) - (x->address < y->address);
}

static va_t
area_end(const struct allocation *a)
{
	return (a->address + a->size + VM_PAGE - 1) & ~(VM_PAGE - 1);
}

/* The one of address space @mm that begins last below @end, NULL. */
static struct allocation *
last_below(const struct area_table *t, uint32_t mm, va_t end)
{
	const struct allocation key = {.pool = mm, .address = end};
	GTreeNode *n = g_tree_lower_bound(t->tree, &key);
	struct allocation *a;

	n = n ? g_tree_node_previous(n) : g_tree_node_last(t->tree);
	a = n ? g_tree_node_value(n) : NULL;
	return a && a->pool == mm ? a : NULL;
}

static void
cut(struct machine *m, struct allocation *a, va_t start, va_t end)
{
	if (start > a->address)
		a->size = start - a->address;
	else if (end < area_end(a))
		area_move(m, a, end, a->address + a->size - end);
	else
		allocation_remove(m, a);
}

static void
areas_gone(void *user, const struct mm *mm, va_t start, va_t end)
{
	struct machine *m = user;
	va_t below = end;
	struct allocation *a;

	while ((a = last_below(m->areas, mm->id, below)) &&
	       area_end(a) > start) {
		below = a->address;
		cut(m, a, start, end);
	}
}

struct area_table *
area_table_new(struct machine *m)
{
	struct area_table *t = g_new0(struct area_table, 1);

	t->tree = g_tree_new_full(compare, NULL, NULL, NULL);
	m->vm->hooks.areas_gone = areas_gone;
	return t;
}

void
area_table_free(struct area_table *t)
{
	if (!t)
		return;
	g_tree_destroy(t->tree);
	g_free(t);
}

void
area_place(struct machine *m, struct allocation *a)
{
	g_tree_insert(m->areas->tree, a, a);
}

void
area_lift(struct machine *m, const struct allocation *a)
{
	g_tree_remove(m->areas->tree, a);
}

void
area_move(struct machine *m, struct allocation *a, va_t address, uint64_t size)
{
	area_lift(m, a);
	a->address = address;
	a->size = size;
	area_place(m, a);
}

uint64_t
area_room(const struct machine *m, const struct allocation *a)
{
	GTreeNode *n = g_tree_upper_bound(m->areas->tree, a);
	const struct allocation *next = n ? g_tree_node_value(n) : NULL;

	return next && next->pool == a->pool ? next->address - a->address
					     : UINT64_MAX;
}

struct allocation *
area_at(const struct machine *m, uint32_t mm, va_t address)
{
	const struct allocation key = {.pool = mm, .address = address};

	return g_tree_lookup(m->areas->tree, &key);
}

struct task *
area_task(const struct machine *m, const struct allocation *a)
{
	for (struct task *t = task_next(m->vm, 0); t && a->pool;
	     t = task_next(m->vm, t->pid))
		if (t->mm && t->mm->id == a->pool)
			return t;
	return NULL;
}
