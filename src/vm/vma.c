// SPDX-License-Identifier: MIT
/*
 * vma.c - areas: found, cut, merged, counted
 *
 * What it models: find_vma, __split_vma, vma_merge, can_vma_merge_before,
 * may_expand_vm, vm_stat_account (mm/mmap.c), mlock_future_check.
 *
 * How it works: an array of areas by address; searches halve it, after a look
 * at the area found last.
 *
 * Always true: areas are sorted, not empty, and do not overlap; neighbours that
 * could be one are one, unless they were made so by something that does not
 * merge (brk of a forked heap, as in the kernel).
 */
#include "vm_impl.h"

#include <errno.h>
#include <string.h>

struct vma *
vma_nth(const struct mm *mm, guint n)
{
	return n < mm->areas->len ? g_ptr_array_index(mm->areas, n) : NULL;
}

guint
vma_index(struct mm *mm, va_t va)
{
	guint low = 0, high = mm->areas->len;
	const struct vma *v = vma_nth(mm, mm->last);

	if (v && v->start <= va && va < v->end)
		return mm->last;
	while (low < high) {
		guint at = (low + high) / 2;

		v = g_ptr_array_index(mm->areas, at);
		if (v->end > va)
			high = at;
		else
			low = at + 1;
	}
	mm->last = low;
	return low;
}

struct vma *
vma_find(struct mm *mm, va_t va)
{
	return vma_nth(mm, vma_index(mm, va));
}

struct vma *
vma_at(struct mm *mm, va_t va)
{
	struct vma *v = vma_find(mm, va);

	return v && v->start <= va ? v : NULL;
}

struct vma *
vma_next(const struct vma *v)
{
	return vma_nth(v->mm, vma_index(v->mm, v->start) + 1);
}

struct vma *
vma_prev(const struct vma *v)
{
	guint n = vma_index(v->mm, v->start);

	return n ? vma_nth(v->mm, n - 1) : NULL;
}

bool
vma_intersects(struct mm *mm, va_t start, va_t end)
{
	const struct vma *v = vma_find(mm, start);

	return v && v->start < end;
}

va_t
vma_gap_start(const struct vma *v)
{
	va_t gap = v->mm->vm->sysctl.stack_guard_gap << VM_PAGE_SHIFT;

	if (!(v->flags & VM_GROWSDOWN))
		return v->start;
	return v->start > gap ? v->start - gap : 0;
}

const char *
vma_name(const struct vma *v)
{
	const struct mm *mm = v->mm;

	if (v->object && v->object->name)
		return v->object->name;
	if (v->flags & VM_HUGETLB)
		return "/anon_hugepage (deleted)";
	if (v->object)
		return "/dev/zero (deleted)";
	if (v->special)
		return v->special;
	if (v->start <= mm->brk && v->end >= mm->start_brk)
		return "[heap]";
	if (v->start <= mm->start_stack && v->end >= mm->start_stack)
		return "[stack]";
	return "";
}

/* --- one area ----------------------------------------------------------- */

static void
object_link(struct vma *v)
{
	if (!v->object)
		return;
	vm_object_get(v->object);
	g_ptr_array_add(v->object->areas, v);
}

struct vma *
vma_new(struct mm *mm, va_t start, va_t end, uint64_t flags,
	struct vm_object *o, uint64_t pgoff)
{
	struct vma *v = g_new0(struct vma, 1);

	v->mm = mm;
	v->start = start;
	v->end = end;
	v->flags = flags;
	v->object = o;
	v->pgoff = pgoff;
	object_link(v);
	return v;
}

struct vma *
vma_dup(const struct vma *v, struct mm *mm)
{
	struct vma *copy = g_memdup2(v, sizeof(*v));

	copy->mm = mm;
	copy->chain = NULL;
	copy->nr_chain = 0;
	if (copy->resv)
		copy->resv->refs++;
	object_link(copy);
	return copy;
}

void
vma_link(struct vma *v)
{
	g_ptr_array_insert(v->mm->areas, (gint)vma_index(v->mm, v->start), v);
}

void
vma_unlink(struct vma *v)
{
	guint n = vma_index(v->mm, v->start);

	KM_ASSERT(vma_nth(v->mm, n) == v);
	g_ptr_array_remove_index(v->mm->areas, n);
}

void
vma_free(struct vma *v, unsigned int cpu)
{
	anon_unlink(v);
	if (v->resv)
		hugetlb_area_gone(v->mm->vm, v);
	if (v->object) {
		g_ptr_array_remove_fast(v->object->areas, v);
		vm_object_put(v->object, cpu);
	}
	g_free(v);
}

struct vma *
vma_cut(struct vma *v, va_t at)
{
	struct vma *upper;

	thp_split_at(v, at);
	upper = vma_dup(v, v->mm);
	upper->start = at;
	upper->pgoff += (at - v->start) >> VM_PAGE_SHIFT;
	if (v->flags & VM_PFNMAP)
		upper->pfn += (at - v->start) >> VM_PAGE_SHIFT;
	anon_clone(upper, v);
	v->end = at;
	vma_link(upper);
	return upper;
}

int
vma_split(struct vma *v, va_t at, struct vma **upper)
{
	if (v->mm->areas->len >= v->mm->vm->sysctl.max_map_count)
		return -ENOMEM;
	if (!vma_may_cut(v, at))
		return -EINVAL;
	*upper = vma_cut(v, at);
	return 0;
}

/* --- merging ------------------------------------------------------------ */

static bool
same_policy(const struct vma *v, const struct vma *like)
{
	if (!like)
		return v->policy == MPOL_DEFAULT && !v->special;
	return v->policy == like->policy &&
	       v->policy_nodes == like->policy_nodes &&
	       v->policy_flags == like->policy_flags &&
	       v->policy_user == like->policy_user &&
	       v->special == like->special;
}

static bool
mergeable(const struct vma *v, const struct merge *m)
{
	return !((v->flags ^ m->flags) & ~(uint64_t)VM_SOFTDIRTY) &&
	       v->object == m->object && same_policy(v, m->like);
}

static bool
anon_mergeable(const struct anon_vma *a, const struct anon_vma *b,
	       const struct vma *v)
{
	/* An area with none of its own does not take over one that a
	 * neighbour has, though it could: list_is_singular() is false of an
	 * empty list. */
	if ((!a || !b) && (!v || anon_singular(v)))
		return true;
	return a == b;
}

bool
vma_can_follow(const struct vma *v, const struct merge *m)
{
	return mergeable(v, m) && anon_mergeable(m->anon, v->anon, v) &&
	       v->pgoff + vma_pages(v) == m->pgoff;
}

bool
vma_can_precede(const struct vma *v, const struct merge *m)
{
	return mergeable(v, m) && anon_mergeable(m->anon, v->anon, v) &&
	       v->pgoff == m->pgoff + ((m->end - m->start) >> VM_PAGE_SHIFT);
}

/* @v takes over what @gone had: it may now hold its anonymous pages. */
static void
absorb_anon(struct vma *v, const struct vma *gone)
{
	if (gone && gone->anon && !v->anon) {
		v->anon = gone->anon;
		anon_clone(v, gone);
	}
}

static void
drop(struct vma *v, unsigned int cpu)
{
	if (!v)
		return;
	vma_unlink(v);
	vma_free(v, cpu);
}

/* Move the start of @v, which keeps its place among the others. */
static void
set_start(struct vma *v, va_t start)
{
	v->pgoff += (uint64_t)(((int64_t)start - (int64_t)v->start) >>
			       VM_PAGE_SHIFT);
	v->start = start;
	v->mm->last = 0;
}

static struct vma *
merge_into_prev(struct vma *prev, struct vma *mid, struct vma *next,
		const struct merge *m, unsigned int cpu)
{
	if (next) {
		absorb_anon(prev, mid);
		absorb_anon(prev, next);
		drop(mid, cpu);
		m = &(struct merge){.end = next->end};
		drop(next, cpu);
		prev->end = m->end;
		return prev;
	}
	absorb_anon(prev, mid);
	if (mid && mid->end > m->end) {
		thp_split_at(mid, m->end);
		set_start(mid, m->end);
	} else
		drop(mid, cpu);
	prev->end = m->end;
	return prev;
}

static struct vma *
merge_into_next(struct vma *prev, struct vma *mid, struct vma *next,
		const struct merge *m, unsigned int cpu)
{
	if (prev && m->start < prev->end) {
		absorb_anon(next, prev);
		thp_split_at(prev, m->start);
		prev->end = m->start;
	} else {
		absorb_anon(next, mid);
		drop(mid, cpu);
	}
	set_start(next, m->start);
	return next;
}

struct vma *
vma_merge(struct mm *mm, struct vma *prev, const struct merge *m,
	  unsigned int cpu)
{
	struct vma *mid, *next;
	bool before, behind;

	if (m->flags & VM_SPECIAL)
		return NULL;
	/* What lies in the range now, and what begins where it ends. */
	next = prev ? vma_next(prev) : vma_nth(mm, 0);
	mid = next;
	if (next && next->end == m->end)
		next = vma_next(next);
	if (mid == next || (mid && mid->start >= m->end))
		mid = NULL;
	if (mid == NULL && next && next->start < m->end)
		mid = next;
	before = prev && prev->end == m->start && vma_can_follow(prev, m);
	behind = next && next->start == m->end && vma_can_precede(next, m);
	if (before && behind && anon_mergeable(prev->anon, next->anon, NULL))
		return merge_into_prev(prev, mid, next, m, cpu);
	if (before)
		return merge_into_prev(prev, mid, NULL, m, cpu);
	if (behind)
		return merge_into_next(prev, mid, next, m, cpu);
	return NULL;
}

int
vma_set_flags(struct vma *v, struct vma **prev, va_t start, va_t end,
	      uint64_t flags, struct vma **area, unsigned int cpu)
{
	const struct merge m = {
		.start = start,
		.end = end,
		.flags = flags,
		.anon = v->anon,
		.object = v->object,
		.pgoff = v->pgoff + ((start - v->start) >> VM_PAGE_SHIFT),
		.like = v,
	};
	struct vma *merged = vma_merge(v->mm, *prev, &m, cpu), *upper;
	int err = 0;

	if (merged) {
		*area = *prev = merged;
		return 0;
	}
	*prev = v;
	if (start != v->start) {
		err = vma_split(v, start, &upper);
		if (err)
			return err;
		*prev = v = upper;
	}
	if (end != v->end)
		err = vma_split(v, end, &upper);
	if (err)
		return err;
	*area = v;
	v->flags = flags;
	return 0;
}

/* --- sums and limits ---------------------------------------------------- */

static bool
is_data(uint64_t flags)
{
	return (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE;
}

void
vm_stat_account(struct mm *mm, uint64_t flags, int64_t pages)
{
	uint64_t n = (uint64_t)pages;

	mm->total_vm += n;
	if ((flags & (VM_EXEC | VM_WRITE | VM_GROWSDOWN)) == VM_EXEC)
		mm->exec_vm += n;
	else if (flags & VM_GROWSDOWN)
		mm->stack_vm += n;
	else if (is_data(flags))
		mm->data_vm += n;
}

bool
may_expand_vm(struct vm *vm, const struct task *t, uint64_t flags,
	      uint64_t pages)
{
	const struct mm *mm = t->mm;
	uint64_t data = t->rlimit[LIMIT_DATA];

	if (mm->total_vm + pages > t->rlimit[LIMIT_AS] >> VM_PAGE_SHIFT)
		return false;
	if (!is_data(flags) || mm->data_vm + pages <= data >> VM_PAGE_SHIFT)
		return true;
	if (!vm->told_data_limit)
		vm_printk(vm,
			  "%s (%d): VmData %llu exceed data ulimit %llu. "
			  "Update limits or use boot option "
			  "ignore_rlimit_data.",
			  t->comm, t->pid,
			  (unsigned long long)(mm->data_vm + pages)
				  << VM_PAGE_SHIFT,
			  (unsigned long long)data);
	vm->told_data_limit = true;
	return false;
}

bool
can_mlock(const struct task *t)
{
	return t->rlimit[LIMIT_MEMLOCK] || (t->caps & CAP_IPC_LOCK_BIT);
}

bool
mlock_refused(const struct task *t, uint64_t flags, uint64_t len)
{
	if (!(flags & VM_LOCKED) || (t->caps & CAP_IPC_LOCK_BIT))
		return false;
	return t->mm->locked_vm + (len >> VM_PAGE_SHIFT) >
	       t->rlimit[LIMIT_MEMLOCK] >> VM_PAGE_SHIFT;
}
