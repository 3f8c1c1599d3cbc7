// SPDX-License-Identifier: MIT
/*
 * mempolicy.c - the calls that say from which nodes pages come
 *
 * What it models: sanitize_mpol_flags, mpol_new, mpol_set_nodemask, do_mbind,
 * mbind_range, queue_pages_range, do_get_mempolicy (mm/mempolicy.c).
 *
 * How it works: what user space asks for is made a policy first, or refused;
 * then areas are cut and merged so that each has one.
 *
 * Differs from the kernel: huge pages are not moved: they count as pages that
 * could not be; the policy of shared memory belongs to the area, not to the
 * object; there are no cpusets.
 */
#include "vm_impl.h"

#include <errno.h>
#include <string.h>

const char *const mempolicy_names[NR_MEMPOLICIES] = {
	"default", "prefer", "bind", "interleave", "local", "prefer (many)",
};

struct wish {
	int mode;
	uint32_t flags;
	uint64_t nodes, user;
};

/* Nodes that have memory. */
static uint64_t
nodes_with_memory(const struct vm *vm)
{
	uint64_t nodes = 0;

	for (unsigned int i = 0; i < MIN_OF(vm->phys->nr_nodes, 64U); i++)
		if (vm->phys->nodes[i]->present_pages)
			nodes |= 1ULL << i;
	return nodes;
}

static unsigned int
nth_bit(uint64_t mask, unsigned int n)
{
	while (n--)
		mask &= mask - 1;
	return (unsigned int)__builtin_ctzll(mask);
}

/* mpol_relative_nodemask(): bit N of @user is the Nth of @allowed, the count
 * beginning anew at its end. */
static uint64_t
relative(uint64_t user, uint64_t allowed)
{
	unsigned int weight = (unsigned int)__builtin_popcountll(allowed);
	uint64_t nodes = 0;

	for (unsigned int i = 0; weight && i < 64; i++)
		if (user >> i & 1)
			nodes |= 1ULL << nth_bit(allowed, i % weight);
	return nodes;
}

/* mpol_new() */
static int
check_mode(struct wish *w)
{
	bool placed = w->flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES);

	switch (w->mode) {
	case MPOL_DEFAULT:
		w->flags = 0;
		return w->nodes ? -EINVAL : 0;
	case MPOL_PREFERRED:
		if (w->nodes)
			return 0;
		w->mode = MPOL_LOCAL;
		return placed ? -EINVAL : 0;
	case MPOL_LOCAL:
		return w->nodes || placed ? -EINVAL : 0;
	default:
		return w->nodes ? 0 : -EINVAL;
	}
}

/* sanitize_mpol_flags() */
static bool
is_sane(int mode)
{
	const int both = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;
	int bare = mode & ~MPOL_MODE_FLAGS;

	return bare >= 0 && bare < NR_MEMPOLICIES && (mode & both) != both &&
	       (!(mode & MPOL_F_NUMA_BALANCING) || bare == MPOL_BIND);
}

/* What user space asked for as a policy: 0, -EINVAL. */
static int
understand(const struct vm *vm, int mode, uint64_t nodes, struct wish *w)
{
	uint64_t allowed = nodes_with_memory(vm);
	int err;

	*w = (struct wish){mode & ~MPOL_MODE_FLAGS,
			   (uint32_t)mode & MPOL_MODE_FLAGS, nodes, nodes};
	err = check_mode(w);
	if (err || w->mode == MPOL_DEFAULT || w->mode == MPOL_LOCAL)
		return err;
	w->nodes = w->flags & MPOL_F_RELATIVE_NODES ? relative(nodes, allowed)
						    : nodes & allowed;
	if (!w->nodes)
		return -EINVAL;
	if (w->mode == MPOL_PREFERRED)
		w->nodes &= -w->nodes;
	return 0;
}

int
vm_set_mempolicy(struct vm *vm, struct task *t, int mode, uint64_t nodes)
{
	struct wish w;
	int err = task_mm(vm, t) && is_sane(mode)
			  ? understand(vm, mode, nodes, &w)
			  : -EINVAL;

	if (err)
		return err;
	t->policy = w.mode;
	t->policy_flags = w.flags;
	t->policy_nodes = w.nodes;
	t->policy_user = w.user;
	if (w.mode == MPOL_INTERLEAVE)
		t->il_prev = -1;
	return 0;
}

/* --- mbind -------------------------------------------------------------- */

/* What is looked for in a range, and found. */
struct strict {
	uint64_t nodes;
	unsigned int flags; /* enum mbind_flags */
	bool misplaced;	    /* a page stays where it should not be */
	GArray *move;	    /* of va_t: pages to be moved */
};

static bool
look_at_page(void *user, struct vma *v, va_t va, pfn_t pfn)
{
	struct strict *s = user;
	const struct vm *vm = v->mm->vm;
	unsigned int node = pg_node(vm, pfn)->id;

	if (node < 64 && (s->nodes >> node & 1))
		return true;
	if (!(s->flags & (MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)))
		s->misplaced = true;
	else if ((s->flags & MPOL_MF_MOVE_ALL) || vm_mapcount(vm, pfn) == 1)
		g_array_append_val(s->move, va);
	return !s->misplaced;
}

/* migrate_pages() of what was found: how many could not be. */
static unsigned int
move_pages(struct vm *vm, struct mm *mm, const GArray *move, unsigned int cpu)
{
	unsigned int failed = 0;

	for (guint i = 0; i < move->len; i++) {
		va_t va = g_array_index(move, va_t, i);
		struct vma *v = vma_at(mm, va);
		struct vm_leaf leaf;

		if (!v || !vm_leaf(vm, mm, va, &leaf))
			continue;
		failed += leaf.level || (v->flags & VM_HUGETLB) ||
			  !pg_migrate(vm, v, va, leaf.pfn, cpu);
	}
	return failed;
}

/* queue_pages_range(): 0, -EFAULT for a hole, -EIO. */
static int
check_range(struct vm *vm, struct mm *mm, va_t start, va_t end,
	    struct strict *s, bool holes)
{
	guint n = vma_index(mm, start);
	va_t at = start;
	bool some = false;

	for (; n < mm->areas->len; n++) {
		struct vma *v = vma_nth(mm, n);

		if (v->start >= end)
			break;
		if (v->start > at && !holes)
			return -EFAULT;
		/* A hole behind it is seen before its pages are. */
		if (v->end < end && !holes &&
		    (n + 1 == mm->areas->len ||
		     vma_nth(mm, n + 1)->start > v->end))
			return -EFAULT;
		some = true;
		if (s->flags && !(v->flags & VM_PFNMAP))
			pg_each(vm, v, MAX_OF(v->start, start),
				MIN_OF(v->end, end), look_at_page, s);
		if (s->misplaced)
			return -EIO;
		at = v->end;
	}
	return some ? 0 : -EFAULT;
}

static bool
has_policy(const struct vma *v, const struct wish *w)
{
	return v->policy == w->mode && v->policy_flags == w->flags &&
	       (w->mode == MPOL_DEFAULT ||
		(v->policy_nodes == w->nodes && v->policy_user == w->user));
}

static void
give_policy(struct vma *v, const struct wish *w)
{
	v->policy = w->mode;
	v->policy_flags = w->flags;
	v->policy_nodes = w->nodes;
	v->policy_user = w->user;
	if (w->mode == MPOL_DEFAULT)
		v->policy_nodes = v->policy_user = 0;
}

/* mbind_range() */
static int
bind_area(struct vma *v, struct vma **prev, va_t start, va_t end,
	  const struct wish *w, unsigned int cpu)
{
	struct merge m = {
		.start = MAX_OF(start, v->start),
		.end = MIN_OF(end, v->end),
		.flags = v->flags,
		.anon = v->anon,
		.object = v->object,
	};
	struct vma like = *v, *merged, *upper;
	int err;

	if (start > v->start)
		*prev = v;
	if (has_policy(v, w)) {
		*prev = v;
		return 0;
	}
	give_policy(&like, w);
	m.pgoff = v->pgoff + ((m.start - v->start) >> VM_PAGE_SHIFT);
	m.like = &like;
	merged = vma_merge(v->mm, *prev, &m, cpu);
	if (merged) {
		*prev = merged;
		return 0;
	}
	if (v->start != m.start) {
		err = vma_split(v, m.start, &upper);
		if (err)
			return err;
		v = upper;
	}
	if (v->end != m.end) {
		err = vma_split(v, m.end, &upper);
		if (err)
			return err;
	}
	give_policy(v, w);
	*prev = v;
	return 0;
}

/* The areas of a range get the policy, and their pages go where it says. */
static int
bind_range(struct vm *vm, struct task *t, va_t addr, va_t end,
	   const struct wish *w, struct strict *s)
{
	struct mm *mm = t->mm;
	int err = check_range(vm, mm, addr, end, s, w->mode == MPOL_DEFAULT);
	struct vma *v = vma_find(mm, addr);
	struct vma *prev = v ? vma_prev(v) : NULL;

	while (!err && v && v->start < end) {
		err = bind_area(v, &prev, addr, end, w, t->cpu);
		v = err ? NULL : vma_find(mm, prev->end);
	}
	if (!err && move_pages(vm, mm, s->move, t->cpu) &&
	    (s->flags & MPOL_MF_STRICT))
		err = -EIO;
	return err;
}

int
vm_mbind(struct vm *vm, struct task *t, va_t addr, uint64_t len, int mode,
	 uint64_t nodes, unsigned int flags)
{
	struct strict s = {.nodes = nodes, .flags = flags};
	struct mm *mm = task_mm(vm, t);
	va_t end = addr + page_align(len);
	struct wish w;
	int err;

	if (!mm || !is_sane(mode) ||
	    (flags &
	     ~(unsigned int)(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)))
		return -EINVAL;
	if ((flags & MPOL_MF_MOVE_ALL) && !(t->caps & CAP_SYS_NICE_BIT))
		return -EPERM;
	if (!page_aligned(addr) || (len && !page_align(len)) || end < addr)
		return -EINVAL;
	if (end == addr)
		return 0;
	err = understand(vm, mode, nodes, &w);
	if (err)
		return err;
	if (w.mode == MPOL_DEFAULT)
		s.flags &= ~(unsigned int)MPOL_MF_STRICT;
	s.move = g_array_new(FALSE, FALSE, sizeof(va_t));
	err = bind_range(vm, t, addr, end, &w, &s);
	g_array_free(s.move, TRUE);
	return err;
}

/* --- get_mempolicy ------------------------------------------------------ */

/* lookup_node(): the page at @addr is faulted in if it is not there. */
static int
node_of_page(struct vm *vm, struct task *t, va_t addr)
{
	pfn_t pfn;
	int64_t got = vm_pin_pages(vm, t, addr, 1, false, &pfn);
	unsigned int node;

	if (got < 1)
		return -EFAULT;
	node = pg_node(vm, pfn)->id;
	(void)vm_unpin_page(vm, pfn, false, t->cpu);
	return (int)node;
}

/* next_node_in() */
static unsigned int
next_node(int after, uint64_t nodes)
{
	uint64_t above = after >= 63 ? 0 : nodes & ~0ULL << (after + 1);

	return (unsigned int)__builtin_ctzll(above ? above : nodes);
}

int
vm_get_mempolicy(struct vm *vm, struct task *t, va_t addr, unsigned int flags,
		 int *mode, uint64_t *nodes)
{
	struct mm *mm = task_mm(vm, t);
	struct wish w;
	const struct vma *v;

	if (!mm || (flags & ~(unsigned int)(MPOL_F_NODE | MPOL_F_ADDR |
					    MPOL_F_MEMS_ALLOWED)))
		return -EINVAL;
	if (flags & MPOL_F_MEMS_ALLOWED) {
		if (flags & (MPOL_F_NODE | MPOL_F_ADDR))
			return -EINVAL;
		*mode = 0;
		*nodes = nodes_with_memory(vm);
		return 0;
	}
	w = (struct wish){t->policy, t->policy_flags, t->policy_nodes,
			  t->policy_user};
	if (flags & MPOL_F_ADDR) {
		v = vma_at(mm, addr);
		if (!v)
			return -EFAULT;
		w = (struct wish){v->policy, v->policy_flags, v->policy_nodes,
				  v->policy_user};
	} else if (addr) {
		return -EINVAL;
	}
	*nodes = w.flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES)
			 ? w.user
			 : w.nodes;
	if (!(flags & MPOL_F_NODE)) {
		*mode = w.mode | (int)w.flags;
		return 0;
	}
	if (flags & MPOL_F_ADDR)
		*mode = node_of_page(vm, t, addr);
	else if (w.mode == MPOL_INTERLEAVE)
		*mode = (int)next_node(t->il_prev, w.nodes);
	else
		return -EINVAL;
	return MIN_OF(*mode, 0);
}

/* --- allocation --------------------------------------------------------- */

/* offset_il_node(): node of the Nth page that is interleaved. */
static int
nth_node(uint64_t nodes, uint64_t n)
{
	return (int)nth_bit(
		nodes,
		(unsigned int)(n % (unsigned int)__builtin_popcountll(nodes)));
}

/* apply_policy_zone(): zones below the highest are everybody's. */
static bool
binds(const struct vm *vm, gfp_t gfp, uint64_t nodes)
{
	enum zone_type policy_zone = ZONE_DMA;
	bool movable_only = true;

	for (unsigned int i = 0; i < vm->phys->nr_zones; i++) {
		const struct zone *z = vm->phys->zones[i];

		if (!zone_populated(z) || z->type == ZONE_MOVABLE)
			continue;
		policy_zone = MAX_OF(policy_zone, z->type);
		if (z->node->id < 64 && (nodes >> z->node->id & 1))
			movable_only = false;
	}
	return request_zone(vm->phys->arch, gfp) >=
	       (movable_only ? ZONE_MOVABLE : policy_zone);
}

static int
alloc_interleaved(struct vm *vm, struct page_request *q, const struct vma *v,
		  va_t va, uint64_t nodes, pfn_t *pfn)
{
	int err;

	if (v) {
		unsigned int shift = VM_PAGE_SHIFT + q->order;

		q->nid = nth_node(nodes, (v->pgoff >> q->order) +
						 ((va - v->start) >> shift));
	} else {
		q->nid = (int)next_node(vm->acting->il_prev, nodes);
		vm->acting->il_prev = q->nid;
	}
	err = pages_alloc(vm->phys, q, pfn);
	if (!err && (int)pg_node(vm, *pfn)->id == q->nid &&
	    vm->phys->arch->numa)
		vm->phys->zones[vm->phys->frames[*pfn].zone]
			->numa[NUMA_numa_interleave - NUMA_BASE]++;
	return err;
}

/* A huge page is worth having near: first there, and only if at hand. */
static int
alloc_near(struct vm *vm, const struct page_request *q, pfn_t *pfn)
{
	struct page_request near = *q;
	int err;

	near.gfp |= __GFP_THISNODE | __GFP_NORETRY;
	near.nodes = 0;
	err = pages_alloc(vm->phys, &near, pfn);
	if (err && (q->gfp & __GFP_DIRECT_RECLAIM))
		err = pages_alloc(vm->phys, q, pfn);
	return err;
}

/* alloc_pages_preferred_many() */
static int
alloc_many(struct vm *vm, struct page_request *q, uint64_t nodes, pfn_t *pfn)
{
	struct page_request first = *q;

	first.gfp |= __GFP_NOWARN;
	first.gfp &= ~(gfp_t)(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL);
	first.nodes = nodes;
	return pages_alloc(vm->phys, &first, pfn)
		       ? pages_alloc(vm->phys, q, pfn)
		       : 0;
}

int
place_alloc(struct vm *vm, const struct vma *v, va_t va, struct page_request *q,
	    bool huge, pfn_t *pfn)
{
	const struct task *t = vm->acting;
	int mode = MPOL_DEFAULT, here = vm->phys->cpu_node[q->cpu];
	uint64_t nodes = 0;

	q->nid = NODE_LOCAL;
	if (v && v->policy) {
		mode = v->policy;
		nodes = v->policy_nodes;
	} else if (t && t->policy) {
		mode = t->policy;
		nodes = t->policy_nodes;
	}
	if (mode == MPOL_INTERLEAVE)
		return alloc_interleaved(vm, q, v, va, nodes, pfn);
	if (mode == MPOL_PREFERRED_MANY)
		return alloc_many(vm, q, nodes, pfn);
	if (mode == MPOL_PREFERRED)
		q->nid = here = nth_node(nodes, 0);
	if (mode == MPOL_BIND && binds(vm, q->gfp, nodes))
		q->nodes = nodes;
	if (huge && (!q->nodes || (here < 64 && (q->nodes >> here & 1))))
		return alloc_near(vm, q, pfn);
	return pages_alloc(vm->phys, q, pfn);
}

void
place_huge(const struct vm *vm, const struct vma *v, uint64_t index,
	   unsigned int *home, uint64_t *nodes)
{
	const struct task *t = vm->acting;
	int mode = v->policy;
	uint64_t mask = v->policy_nodes;

	if (!mode && t) {
		mode = t->policy;
		mask = t->policy_nodes;
	}
	if (mode == MPOL_INTERLEAVE)
		*home = (unsigned int)nth_node(mask, index);
	if (mode == MPOL_PREFERRED)
		*home = (unsigned int)nth_node(mask, 0);
	if (mode == MPOL_BIND)
		*nodes = mask;
}
