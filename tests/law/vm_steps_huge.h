// SPDX-License-Identifier: MIT
/*
 * vm_steps_huge.h - law_vm's steps with huge pages, pools, policies and time
 *
 * Read by vm_steps.h, whose functions it uses.
 */
#ifndef TESTS_LAW_VM_STEPS_HUGE_H
#define TESTS_LAW_VM_STEPS_HUGE_H

/* Frames of a page of the pool: those that an entry of level 1 maps. */
static uint64_t
huge_frames(const struct run *r)
{
	return (1ULL << r->vm->shape.shift[1]) >> VM_PAGE_SHIFT;
}

static void
step_time(struct run *r)
{
	r->now += below(r, 60) * 1000000000ULL;
	vm_tick(r->vm);
	say(r, "time: %u collapsed",
	    r->vm->thp ? r->vm->thp->pages_collapsed : 0);
}

static void
step_settings(struct run *r)
{
	struct thp *t = r->vm->thp;
	unsigned int what = (unsigned int)below(r, 8);

	if (!r->kind->huge)
		return;
	say(r, "settings %u", what);
	switch (what) {
	case 0:
		t->enabled = (enum thp_mode)below(r, NR_THP_MODES);
		thp_wake(r->vm);
		break;
	case 1:
		t->defrag = (enum thp_defrag)below(r, NR_THP_DEFRAGS);
		break;
	case 2:
		t->use_zero_page = below(r, 2);
		break;
	case 3:
		t->max_ptes_none = (uint32_t)below(r, 2) ? 511 : 64;
		break;
	case 4:
		for (unsigned int n = 0; n < r->phys->nr_nodes; n++)
			(void)thp_deferred_scan(r->vm, n, 4, 0);
		break;
	case 5:
		(void)thp_shrink_zero(r->vm, 0);
		break;
	case 6:
		t->max_ptes_shared = (uint32_t)below(r, 2) * 256;
		break;
	default:
		t->enabled = THP_ALWAYS;
		break;
	}
}

static void
step_split(struct run *r)
{
	struct mtask *m = some_task(r);
	unsigned int nr, n = some_range(r, &nr);
	struct vm_leaf leaf;
	int err;

	if (!r->vm->thp || !vm_leaf(r->vm, m->t->mm, address(m, n), &leaf) ||
	    leaf.pfn == PFN_NONE)
		return;
	err = thp_split_page(r->vm, leaf.pfn & ~(pfn_t)(huge_frames(r) - 1), 0);
	say(r, "%d split page %u: %d", m->t->pid, n, err);
}

static void
step_collapse(struct run *r)
{
	struct mtask *m = some_task(r);
	unsigned int nr, n = some_range(r, &nr);
	int err = vm_madvise(r->vm, m->t, address(m, n), nr * VM_PAGE,
			     VM_MADV_COLLAPSE);

	say(r, "%d collapse page %u +%u: %d", m->t->pid, n, nr, err);
	if (err != -EINVAL && err != -ENOMEM && err != -EAGAIN && err)
		fail(r, "MADV_COLLAPSE: %d", err);
}

/* Memory that huge pages can be had for, and some bytes in it; small ones
 * first, now and then, which are collapsed. */
static void
step_huge_map(struct run *r)
{
	struct mtask *m = some_task(r);
	unsigned int n = huge_page(m, (unsigned int)below(r, WINDOW));
	unsigned int nr = HUGE * (1 + (unsigned int)below(r, 2));
	struct vm_mmap_args a = {
		.addr = address(m, n),
		.len = nr * VM_PAGE,
		.prot = VM_PROT_READ | VM_PROT_WRITE,
		.flags = VM_MAP_PRIVATE | VM_MAP_ANONYMOUS | VM_MAP_FIXED,
	};
	enum thp_mode mode;
	bool small = below(r, 2);
	va_t at;
	int err;

	if (!r->kind->huge || n + nr > WINDOW)
		return;
	err = vm_mmap(r->vm, m->t, &a, &at);
	say(r, "%d huge mmap page %u +%u: %d", m->t->pid, n, nr, err);
	if (err)
		return;
	model_map(r, m, n, nr, &a, 0);
	mode = r->vm->thp->enabled;
	if (small)
		r->vm->thp->enabled = THP_NEVER;
	for (int i = 0; i < 4; i++) {
		unsigned int page = n + (unsigned int)below(r, nr);
		uint8_t byte = (uint8_t)below(r, 256);

		if (touch(r, m, address(m, page), &byte, 1, true, &err))
			writable(&m->page[page])[0] = byte;
	}
	r->vm->thp->enabled = mode;
	if (small && below(r, 2)) {
		err = vm_madvise(r->vm, m->t, a.addr, a.len, VM_MADV_COLLAPSE);
		say(r, "%d collapse: %d", m->t->pid, err);
	}
}

static void
step_policy(struct run *r)
{
	struct mtask *m = some_task(r);
	unsigned int nr, n = some_range(r, &nr);
	int mode = (int)below(r, NR_MEMPOLICIES), err, got;
	uint64_t nodes = 1 + below(r, (1ULL << r->phys->nr_nodes) - 1), is;
	bool hole = false;

	if (mode == MPOL_DEFAULT || mode == MPOL_LOCAL)
		nodes = 0;
	if (!below(r, 4)) {
		err = vm_set_mempolicy(r->vm, m->t, mode, nodes);
		say(r, "%d set_mempolicy %d %u: %d", m->t->pid, mode,
		    (unsigned int)nodes, err);
		if (err)
			fail(r, "set_mempolicy: %d", err);
		return;
	}
	for (unsigned int i = 0; i < nr; i++)
		hole |= !m->page[n + i].mapped;
	err = vm_mbind(r->vm, m->t, address(m, n), nr * VM_PAGE, mode, nodes,
		       below(r, 2) ? MPOL_MF_MOVE : 0);
	say(r, "%d mbind page %u +%u %d %u: %d", m->t->pid, n, nr, mode,
	    (unsigned int)nodes, err);
	if (hole || err) {
		if (err != (hole ? -EFAULT : 0) &&
		    (mode != MPOL_DEFAULT || err))
			fail(r, "mbind: %d, %s hole", err, hole ? "a" : "no");
		return;
	}
	err = vm_get_mempolicy(r->vm, m->t, address(m, n), MPOL_F_ADDR, &got,
			       &is);
	if (err || got != mode)
		fail(r, "get_mempolicy: %d, policy %d is %d", err, mode, got);
}

static void
step_pool_size(struct run *r)
{
	uint64_t pages = below(r, 12);

	if (!r->kind->huge)
		return;
	(void)hugetlb_resize(r->vm, pages, HUGETLB_ALL_NODES, 0);
	(void)hugetlb_set_overcommit(r->vm, below(r, 3));
	say(r, "pool of %u: %u", (unsigned int)pages,
	    (unsigned int)r->vm->hugetlb->nr);
}

static void
step_pool_map(struct run *r)
{
	struct mtask *m = some_task(r);
	unsigned int n = (unsigned int)below(r, POOL_MOST);
	unsigned int nr = 1 + (unsigned int)below(r, POOL_MOST - n);
	struct vm_mmap_args a = {
		.addr = POOL_AT + n * huge_frames(r) * VM_PAGE,
		.len = nr * huge_frames(r) * VM_PAGE - below(r, VM_PAGE),
		.prot = VM_PROT_READ | VM_PROT_WRITE,
		.flags = VM_MAP_ANONYMOUS | VM_MAP_FIXED | VM_MAP_HUGETLB |
			 (below(r, 2) ? VM_MAP_SHARED : VM_MAP_PRIVATE) |
			 (below(r, 4) ? 0 : VM_MAP_NORESERVE),
	};
	bool shared = a.flags & VM_MAP_SHARED;
	va_t at;
	int err;

	if (!r->kind->huge || r->nr_made + nr > SHARED_MOST)
		return;
	if (below(r, 3) == 0) {
		err = vm_munmap(r->vm, m->t, a.addr,
				nr * huge_frames(r) * VM_PAGE);
		say(r, "%d unmap pool %u +%u: %d", m->t->pid, n, nr, err);
		if (err)
			fail(r, "munmap of the pool: %d", err);
		memset(&m->pool[n], 0, nr * sizeof(m->pool[0]));
		return;
	}
	err = vm_mmap(r->vm, m->t, &a, &at);
	say(r, "%d map pool %u +%u flags %x: %d", m->t->pid, n, nr,
	    (unsigned int)a.flags, err);
	if (err && err != -ENOMEM)
		fail(r, "mmap of the pool: %d", err);
	memset(&m->pool[n], 0, nr * sizeof(m->pool[0]));
	for (unsigned int i = 0; !err && i < nr; i++) {
		struct mpool *p = &m->pool[n + i];

		p->mapped = true;
		p->weak = a.flags & VM_MAP_NORESERVE;
		if (shared)
			r->made[r->nr_made++] = p->shared =
				g_new0(struct shared, 2);
	}
}

static void
step_pool_touch(struct run *r)
{
	struct mtask *m = some_task(r);
	unsigned int n = (unsigned int)below(r, POOL_MOST), end = 0;
	struct mpool *p = &m->pool[n];
	uint64_t offset = below(r, VM_PAGE), done;
	bool write = below(r, 2);
	uint8_t byte = (uint8_t)below(r, 256), *is;
	va_t va;
	int err;

	if (!p->mapped)
		return;
	end = (unsigned int)below(r, 2);
	is = p->shared ? p->shared[end].bytes : p->own[end];
	va = POOL_AT + n * huge_frames(r) * VM_PAGE +
	     end * (huge_frames(r) - 1) * VM_PAGE + offset;
	done = touch(r, m, va, &byte, 1, write, &err);
	say(r, "%d %s pool %u: %u", m->t->pid, write ? "write" : "read", n,
	    (unsigned int)done);
	/* Free ones may lie on nodes that the task's policy leaves out. */
	if (!done && !p->weak && !r->kind->room && m->t->policy != MPOL_BIND)
		fail(r, "page %u of the pool was promised and is not there: %d",
		     n, err);
	if (done && write)
		is[offset] = byte;
	else if (done && byte != is[offset] && !(p->weak && !byte))
		fail(r, "page %u of the pool reads %02x, not %02x", n, byte,
		     is[offset]);
	/* What a child had may have been taken for its parent: it begins anew.
	 */
	if (done && p->weak && !p->shared && !write && !byte)
		is[offset] = 0;
}

#endif
