// SPDX-License-Identifier: MIT
/*
 * mremap.c - an area gets another size, another place
 *
 * What it models: sys_mremap, vma_to_resize, mremap_to, move_vma, copy_vma,
 * move_page_tables (mm/mremap.c, mm/mmap.c).
 *
 * How it works: growing in place when what follows is free; else a copy of the
 * area at the new place, to which the entries are moved one by one, and the old
 * one is unmapped.  An anonymous page keeps its index: the new area's pgoff is
 * that of the old one, unless nothing was ever there.
 */
#include "vm_impl.h"

#include <errno.h>

struct move {
	struct vm *vm;
	struct task *t;
	va_t old;
	uint64_t old_len;
	va_t to;
	uint64_t new_len;
	uint64_t flags;
	bool locked; /* the new part is to be faulted in */
};

/* --- moving entries ----------------------------------------------------- */

/* What is moved: a huge leaf as a whole if it can be, else in parts. */
struct mover {
	struct vm *vm;
	struct vma *v; /* whose entries they are */
	va_t old, to, end;
	unsigned int cpu;
	struct flush_notes notes; /* what the pool's pages leave behind */
};

static void
flush_moved(const struct mover *m, va_t low, va_t high)
{
	if (low >= high)
		return;
	m->vm->generation++;
	flush_range(m->vm, m->v->mm, low, high, m->cpu);
}

/* The huge leaf at @from goes to its new place: whether it could. */
static bool
move_huge(struct mover *m, va_t va, pa_t from)
{
	struct vm *vm = m->vm;
	va_t to = m->to + (va - m->old);
	uint64_t size = huge_bytes(vm);
	pa_t into;

	if ((va | to) & (size - 1) || m->end - va < size ||
	    pt_make(vm, m->v->mm, to, 1, m->cpu, &into) || pte_load(vm, into))
		return false;
	thp_move(vm, from, into);
	/* The pool's are flushed together; others, by flush_pmd_tlb_range(), as
	 * if they were small. */
	if (m->v->flags & VM_HUGETLB)
		flush_note(&m->notes, va, va + size, 1);
	else
		flush_moved(m, va, va + size);
	return true;
}

/* Make the tables that small entries need, split huge leaves that cannot move
 * and move the others: then nothing can fail. */
static int
prepare(struct mover *m)
{
	struct vm *vm = m->vm;
	struct mm *mm = m->v->mm;
	unsigned int level;
	pa_t from, into;
	int err = 0;

	for (va_t va = pt_next(vm, mm, m->old, m->end, &from, &level);
	     !err && va < m->end;
	     va = pt_next(vm, mm, va, m->end, &from, &level)) {
		if (level) {
			if (move_huge(m, va, from))
				va += huge_bytes(vm);
			else if (m->v->flags & VM_HUGETLB)
				err = -ENOMEM;
			else
				thp_split_entry(vm, m->v, va, from, m->cpu);
			continue;
		}
		if (pte_load(vm, from))
			err = vm_entry_make(vm, mm, m->to + (va - m->old),
					    m->cpu, &into);
		va += VM_PAGE;
	}
	return err;
}

/* Put huge leaves back that have moved before something failed. */
static void
move_back(const struct mover *m)
{
	struct mover back = {
		m->vm,	m->v,	    m->to, m->old, m->to + (m->end - m->old),
		m->cpu, FLUSH_NOTES};
	unsigned int level;
	pa_t from;

	for (va_t va = pt_next(m->vm, m->v->mm, back.old, back.end, &from,
			       &level);
	     va < back.end;
	     va = pt_next(m->vm, m->v->mm, va, back.end, &from, &level)) {
		if (level)
			(void)move_huge(&back, va, from);
		va += level ? huge_bytes(m->vm) : VM_PAGE;
	}
	flush_noted(m->vm, m->v->mm, &m->notes, m->cpu);
	flush_noted(m->vm, m->v->mm, &back.notes, m->cpu);
}

/* Small entries move with those that lie in one table with them, before and
 * after: get_extent().  The first and the end of those with @va. */
static void
extent_of(const struct mover *m, va_t va, va_t *start, va_t *end)
{
	const va_t inside = huge_bytes(m->vm) - 1;
	va_t to = m->to + (va - m->old);
	va_t before = MIN_OF(va & inside, to & inside);
	va_t after = MIN_OF(inside - (va & inside), inside - (to & inside));

	*start = va - MIN_OF(before, va - m->old);
	*end = va + MIN_OF(after + 1, m->end - va);
}

/* Move entries of @v, @old..@old+@len, to @to: 0; else nothing has moved. */
static int
move_entries(struct vm *vm, struct vma *v, va_t old, va_t to, uint64_t len,
	     unsigned int cpu)
{
	struct mover m = {vm, v, old, to, old + len, cpu, FLUSH_NOTES};
	struct mm *mm = v->mm;
	va_t low = 0, high = 0; /* where small ones have moved */
	unsigned int level;
	pa_t from, into;
	int err = prepare(&m);

	if (err) {
		move_back(&m);
		return err;
	}
	for (va_t va = pt_next(vm, mm, old, m.end, &from, &level); va < m.end;
	     va = pt_next(vm, mm, va + VM_PAGE, m.end, &from, &level)) {
		uint64_t e = pte_load(vm, from);

		if (level || !e ||
		    vm_entry_make(vm, mm, to + (va - old), cpu, &into))
			continue;
		pte_store(vm, from, 0);
		if (pte_there(e))
			e |= vm->shape.soft_dirty;
		pte_store(vm, into, e);
		if (!(e & PTE_P) || va < high)
			continue;
		flush_moved(&m, low, high);
		extent_of(&m, va, &low, &high);
	}
	flush_moved(&m, low, high);
	flush_noted(vm, mm, &m.notes, cpu);
	return 0;
}

/* copy_vma(): the area at the new place; *@v may have become part of it. */
static struct vma *
copy_area(struct vma **v, struct move *mv, bool keep)
{
	struct vma *old = *v, *made;
	struct mm *mm = old->mm;
	struct merge m = {
		.start = mv->to,
		.end = mv->to + mv->new_len,
		.flags = old->flags,
		.anon = old->anon,
		.object = old->object,
		.pgoff = old->pgoff + ((mv->old - old->start) >> VM_PAGE_SHIFT),
		.like = old,
	};
	bool self = vma_is_anonymous(old) && !old->anon;
	guint n = vma_index(mm, mv->to);
	struct vma *prev = n ? vma_nth(mm, n - 1) : NULL;
	va_t start = old->start;

	if (self)
		m.pgoff = mv->to >> VM_PAGE_SHIFT;
	if (self && keep && (m.start == old->end || old->start == m.end))
		made = NULL;
	else
		made = vma_merge(mm, prev, &m, mv->t->cpu);
	if (made) {
		if (start >= made->start && start < made->end)
			*v = made;
		return made;
	}
	made = vma_dup(old, mm);
	made->start = m.start;
	made->end = m.end;
	made->pgoff = m.pgoff;
	if (old->flags & VM_PFNMAP)
		made->pfn += (mv->old - old->start) >> VM_PAGE_SHIFT;
	anon_clone(made, old);
	vma_link(made);
	return made;
}

/* The old area stays, empty: MREMAP_DONTUNMAP. */
static void
keep_old(struct vma *v, const struct move *mv)
{
	v->flags &= ~(uint64_t)(VM_LOCKED | VM_LOCKONFAULT);
	if (v->start != mv->old || v->end != mv->old + mv->old_len)
		return;
	anon_unlink(v);
	if (!v->object)
		v->pgoff = v->start >> VM_PAGE_SHIFT;
}

/* Unmap the old place without giving back what was promised for it. */
static void
unmap_old(struct move *mv, struct vma *v, uint64_t flags, bool account)
{
	struct mm *mm = v->mm;
	uint64_t pages = mv->old_len >> VM_PAGE_SHIFT;
	va_t start = v->start, end = v->end;
	int err;

	/* What was promised has moved too. */
	hugetlb_resv_put(v);
	if (account)
		v->flags &= ~(uint64_t)VM_ACCOUNT;
	err = mm_munmap(mv->vm, mv->t, mm, mv->old, mv->old_len);
	if (err && account)
		mv->vm->committed += pages;
	/* What is left of the area to both sides is promised as before. */
	for (guint n = vma_index(mm, start); account && n < mm->areas->len;
	     n++) {
		struct vma *rest = vma_nth(mm, n);

		if (rest->start >= end)
			break;
		if (rest->start >= mv->old + mv->old_len ||
		    rest->end <= mv->old || err)
			rest->flags |= flags & VM_ACCOUNT;
	}
}

static int
move_area(struct move *mv, struct vma *v, va_t *at)
{
	struct vm *vm = mv->vm;
	struct mm *mm = v->mm;
	bool keep = mv->flags & VM_MREMAP_DONTUNMAP;
	uint64_t flags = v->flags;
	uint64_t more = keep ? mv->new_len : mv->new_len - mv->old_len;
	struct vma *made, *upper;
	int err = 0;

	if (mm->areas->len + 3 >= vm->sysctl.max_map_count)
		return vm_refuse(vm, -ENOMEM, WHY_AREAS);
	if (keep && (flags & VM_LOCKED)) {
		va_t end = mv->old + mv->old_len;

		if (v->start != mv->old) {
			err = vma_split(v, mv->old, &upper);
			v = upper;
		}
		if (!err && v->end != end)
			err = vma_split(v, end, &upper);
		if (err)
			return err;
	}
	if ((flags & VM_ACCOUNT) && vm_commit(vm, mv->t, more >> VM_PAGE_SHIFT))
		return -ENOMEM;
	made = copy_area(&v, mv, keep);
	err = move_entries(vm, v, mv->old, mv->to, mv->old_len, mv->t->cpu);
	vm_stat_account(mm, flags, (int64_t)(mv->new_len >> VM_PAGE_SHIFT));
	if (err) {
		/* The new place goes again; its promise was @more only. */
		uint64_t rest = mv->new_len - more;

		if (flags & VM_ACCOUNT)
			vm->committed += rest >> VM_PAGE_SHIFT;
		if (flags & VM_LOCKED)
			mm->locked_vm += mv->new_len >> VM_PAGE_SHIFT;
		(void)mm_munmap(vm, mv->t, mm,
				made->start < mv->to ? mv->to : made->start,
				mv->new_len);
		return err;
	}
	*at = mv->to;
	if (flags & VM_LOCKED) {
		mm->locked_vm += mv->new_len >> VM_PAGE_SHIFT;
		mv->locked = true;
	}
	if (keep) {
		if (flags & VM_LOCKED)
			mm->locked_vm -= mv->old_len >> VM_PAGE_SHIFT;
		keep_old(v, mv);
		return 0;
	}
	unmap_old(mv, v, flags, flags & VM_ACCOUNT);
	return 0;
}

/* --- checks ------------------------------------------------------------- */

static int
area_to_resize(struct move *mv, struct vma **area)
{
	struct vma *v = vma_at(mv->t->mm, mv->old);
	uint64_t pgoff, more = mv->new_len - mv->old_len;

	if (!v)
		return vm_refuse(mv->vm, -EFAULT, WHY_NOTHING);
	if (!mv->old_len && !(v->flags & (VM_SHARED | VM_MAYSHARE))) {
		if (!mv->vm->told_duplicate)
			vm_printk(mv->vm,
				  "%s (%d): attempted to duplicate a private "
				  "mapping with mremap.  This is not "
				  "supported.",
				  mv->t->comm, mv->t->pid);
		mv->vm->told_duplicate = true;
		return vm_refuse(mv->vm, -EINVAL, WHY_DUPLICATE);
	}
	if ((mv->flags & VM_MREMAP_DONTUNMAP) &&
	    (v->flags & (VM_DONTEXPAND | VM_PFNMAP)))
		return vm_refuse(mv->vm, -EINVAL, WHY_DONTUNMAP);
	if (mv->old_len > v->end - mv->old)
		return vm_refuse(mv->vm, -EFAULT, WHY_OLD_SIZE);
	*area = v;
	if (mv->new_len == mv->old_len)
		return 0;
	pgoff = v->pgoff + ((mv->old - v->start) >> VM_PAGE_SHIFT);
	if (pgoff + (mv->new_len >> VM_PAGE_SHIFT) < pgoff)
		return -EINVAL;
	if (v->flags & (VM_DONTEXPAND | VM_PFNMAP))
		return vm_refuse(mv->vm, -EFAULT, WHY_NO_GROW);
	if (mlock_refused(mv->t, v->flags, more))
		return vm_refuse(mv->vm, -EAGAIN, WHY_LOCK_LIMIT);
	if (may_expand_vm(mv->vm, mv->t, v->flags, more >> VM_PAGE_SHIFT))
		return 0;
	return vm_refuse(mv->vm, -ENOMEM, WHY_RLIMIT);
}

static int
move_to(struct move *mv, va_t new_addr, va_t *at)
{
	struct vm *vm = mv->vm;
	struct mm *mm = mv->t->mm;
	va_t size = vm->layout.task_size;
	bool fixed = mv->flags & VM_MREMAP_FIXED;
	struct vma *v;
	int err;

	if (!page_aligned(new_addr))
		return vm_refuse(vm, -EINVAL, WHY_NEW_UNALIGNED);
	if (mv->new_len > size || new_addr > size - mv->new_len)
		return vm_refuse(vm, -EINVAL, WHY_BEYOND);
	if (mv->old + mv->old_len > new_addr &&
	    new_addr + mv->new_len > mv->old)
		return vm_refuse(vm, -EINVAL, WHY_OVERLAP);
	if (mm->areas->len + 5 >= vm->sysctl.max_map_count)
		return vm_refuse(vm, -ENOMEM, WHY_AREAS);
	if (fixed) {
		err = mm_munmap(vm, mv->t, mm, new_addr, mv->new_len);
		if (err)
			return err;
	}
	if (mv->old_len > mv->new_len) {
		err = mm_munmap(vm, mv->t, mm, mv->old + mv->new_len,
				mv->old_len - mv->new_len);
		if (err)
			return err;
		mv->old_len = mv->new_len;
	}
	err = area_to_resize(mv, &v);
	if (err)
		return err;
	if ((mv->flags & VM_MREMAP_DONTUNMAP) &&
	    !may_expand_vm(vm, mv->t, v->flags, mv->old_len >> VM_PAGE_SHIFT))
		return -ENOMEM;
	err = mm_unmapped_area(vm, mv->t, new_addr, mv->new_len,
			       fixed ? VM_MAP_FIXED : 0, &mv->to);
	return err ? err : move_area(mv, v, at);
}

/* --- growing in place --------------------------------------------------- */

static bool
expandable(struct move *mv, struct vma *v, uint64_t more)
{
	va_t end = v->end + more, at;

	if (end < v->end || vma_intersects(v->mm, v->end, end))
		return false;
	return !mm_unmapped_area(mv->vm, mv->t, v->start, end - v->start,
				 VM_MAP_FIXED, &at);
}

static int
expand(struct move *mv, struct vma *v, uint64_t more)
{
	struct vm *vm = mv->vm;
	uint64_t pages = more >> VM_PAGE_SHIFT;
	const struct merge m = {
		.start = v->end,
		.end = v->end + more,
		.flags = v->flags,
		.anon = v->anon,
		.object = v->object,
		.pgoff = v->pgoff + vma_pages(v),
		.like = v,
	};

	if ((v->flags & VM_ACCOUNT) && vm_commit(vm, mv->t, pages))
		return -ENOMEM;
	v = vma_merge(v->mm, v, &m, mv->t->cpu);
	if (!v) {
		if (m.flags & VM_ACCOUNT)
			vm_uncommit(vm, pages);
		return -ENOMEM;
	}
	vm_stat_account(v->mm, v->flags, (int64_t)pages);
	if (v->flags & VM_LOCKED) {
		v->mm->locked_vm += pages;
		mv->locked = true;
	}
	return 0;
}

static int
grow(struct move *mv, va_t *at)
{
	uint64_t more = mv->new_len - mv->old_len;
	struct vma *v;
	int err = area_to_resize(mv, &v);

	if (err)
		return err;
	if (mv->old_len == v->end - mv->old && expandable(mv, v, more)) {
		*at = mv->old;
		return expand(mv, v, more);
	}
	if (!(mv->flags & VM_MREMAP_MAYMOVE))
		return vm_refuse(mv->vm, -ENOMEM, WHY_MAYMOVE);
	err = mm_unmapped_area(mv->vm, mv->t, 0, mv->new_len, 0, &mv->to);
	return err ? err : move_area(mv, v, at);
}

int
vm_mremap(struct vm *vm, struct task *t, va_t addr, uint64_t old_len,
	  uint64_t new_len, uint64_t flags, va_t new_addr, va_t *at)
{
	const uint64_t known =
		VM_MREMAP_MAYMOVE | VM_MREMAP_FIXED | VM_MREMAP_DONTUNMAP;
	struct mm *mm = task_mm(vm, t);
	struct move mv = {vm, t, addr, 0, 0, 0, flags, false};
	struct vma *v;
	int err;

	if (!mm || (flags & ~known))
		return -EINVAL;
	if (!page_aligned(addr))
		return vm_refuse(vm, -EINVAL, WHY_UNALIGNED);
	if ((flags & (VM_MREMAP_FIXED | VM_MREMAP_DONTUNMAP)) &&
	    !(flags & VM_MREMAP_MAYMOVE))
		return vm_refuse(vm, -EINVAL, WHY_WANTS_MAYMOVE);
	if ((flags & VM_MREMAP_DONTUNMAP) && old_len != new_len)
		return vm_refuse(vm, -EINVAL, WHY_SAME_SIZE);
	mv.old_len = old_len = page_align(old_len);
	mv.new_len = page_align(new_len);
	if (!mv.new_len)
		return vm_refuse(vm, -EINVAL, WHY_NEW_EMPTY);
	v = vma_at(mm, addr);
	if (!v)
		return vm_refuse(vm, -EFAULT, WHY_NOTHING);
	if (v->flags & VM_HUGETLB) {
		uint64_t mask = hugetlb_size(vm) - 1;

		mv.old_len = old_len = (old_len + mask) & ~mask;
		mv.new_len = (mv.new_len + mask) & ~mask;
		/* It cannot grow. */
		if ((addr | new_addr) & mask || mv.new_len > old_len)
			return vm_refuse(vm, -EINVAL, WHY_POOL_MOVE);
	}
	if (flags & (VM_MREMAP_FIXED | VM_MREMAP_DONTUNMAP)) {
		err = move_to(&mv, new_addr, at);
	} else if (mv.old_len >= mv.new_len) {
		err = mm_munmap(vm, t, mm, addr + mv.new_len,
				mv.old_len - mv.new_len);
		if (mv.old_len == mv.new_len)
			err = 0;
		*at = addr;
	} else {
		err = grow(&mv, at);
	}
	if (!err && mv.locked && mv.new_len > old_len)
		(void)vm_populate(vm, t, *at + old_len, *at + mv.new_len);
	return err;
}
