// SPDX-License-Identifier: MIT
/*
 * madvise.c - what a task says of its use of areas
 *
 * What it models: do_madvise, madvise_walk_vmas, madvise_vma_behavior
 * (mm/madvise.c), hugepage_madvise, ksm_madvise.
 *
 * How it works: area by area; a hole is passed over and told of at the end.
 * Advice is a flag of the area, or an act on its pages.
 *
 * Differs from the kernel: COLD marks pages as not referenced, and PAGEOUT does
 * no more, since there is no reclaim here; MERGEABLE: as a kernel built without
 * KSM, -EINVAL.
 */
#include "vm_impl.h"

#include <errno.h>

struct advice {
	struct vm *vm;
	struct task *t;
	int what;
};

static bool
is_known(const struct vm *vm, int what)
{
	if (what == VM_MADV_HUGEPAGE || what == VM_MADV_NOHUGEPAGE ||
	    what == VM_MADV_COLLAPSE)
		return vm->thp;
	return (what >= VM_MADV_NORMAL && what <= VM_MADV_DONTNEED) ||
	       (what >= VM_MADV_FREE && what <= VM_MADV_DOFORK) ||
	       (what >= VM_MADV_DONTDUMP && what <= VM_MADV_DONTNEED_LOCKED);
}

/* --- acts on pages ------------------------------------------------------ */

typedef uint64_t (*entry_fn)(struct vm *vm, struct vma *v, va_t va,
			     uint64_t entry);

/* A part of a huge page is meant: it is split if it is this area's alone.
 * Whether small entries are there now. */
static bool
split_for(struct vm *vm, struct vma *v, va_t va, uint64_t entry,
	  unsigned int cpu)
{
	bool bad;
	pfn_t pfn = thp_page(vm, v, va, entry, &bad);

	return pfn != PFN_NONE && huge_mapcount(vm, pfn) == 1 &&
	       !thp_split_page(vm, pfn, cpu);
}

/* The page that a leaf maps, of which it may be one of many frames. */
static pfn_t
leaf_page(struct vm *vm, struct vma *v, va_t va, uint64_t entry, bool *huge)
{
	bool bad;

	*huge = (entry & PTE_PS) && thp_entry_at(vm, v->mm, va);
	return *huge ? thp_page(vm, v, va, entry, &bad)
		     : pt_page(vm, v, va, entry, &bad);
}

/* The page that a leaf maps when no other entry does, PFN_NONE. */
static pfn_t
only_page(struct vm *vm, struct vma *v, va_t va, uint64_t entry)
{
	bool huge;
	pfn_t pfn = leaf_page(vm, v, va, entry, &huge);

	if (pfn == PFN_NONE)
		return pfn;
	if (huge)
		return huge_mapcount(vm, pfn) == 1 ? pfn : PFN_NONE;
	/* Part of a page that is huge still: left alone. */
	if (vm->pages[pfn].flags & (VMP_HUGE | VMP_TAIL))
		return PFN_NONE;
	return vm->phys->frames[pfn].mapcount == 1 ? pfn : PFN_NONE;
}

/* Let @fn change the entries of a range; flushes what lost rights or bits. */
static void
each_entry(struct vma *v, va_t start, va_t end, unsigned int cpu, entry_fn fn)
{
	struct vm *vm = v->mm->vm;
	struct flush_notes notes = FLUSH_NOTES;
	unsigned int level;
	pa_t at;

	for (va_t va = pt_next(vm, v->mm, start, end, &at, &level); va < end;
	     va = pt_next(vm, v->mm, va, end, &at, &level)) {
		uint64_t entry = pte_load(vm, at), next;
		uint64_t size = level ? huge_bytes(vm) : VM_PAGE;

		if (level && (va & (size - 1) || end - va < size)) {
			if (!split_for(vm, v, va, entry, cpu))
				va = (va & ~(size - 1)) + size;
			continue;
		}
		va += size;
		if (!pte_there(entry))
			continue;
		next = fn(vm, v, va - size, entry);
		if (next == entry)
			continue;
		pte_store(vm, at, next);
		/* pmdp_invalidate() */
		if (level)
			flush_range(vm, v->mm, va - size, va, cpu);
		flush_note(&notes, va - size, va, level);
	}
	flush_noted(vm, v->mm, &notes, cpu);
}

static uint64_t
make_cold(struct vm *vm, struct vma *v, va_t va, uint64_t entry)
{
	pfn_t pfn = only_page(vm, v, va, entry);

	if (pfn == PFN_NONE)
		return entry;
	pg_lru(vm, pfn, -1);
	if (vm->pages[pfn].flags & VMP_ACTIVE)
		vm->phys->event[VE_pgdeactivate] += pg_frames(vm, pfn);
	vm->pages[pfn].flags &= ~(uint32_t)(VMP_ACTIVE | VMP_REFERENCED);
	pg_lru(vm, pfn, 1);
	return entry & ~(uint64_t)PTE_A;
}

/* The page whose content a leaf gives up: one that others map as well only
 * while it is dirty in entries alone, for theirs stay so. */
static pfn_t
lost_page(struct vm *vm, struct vma *v, va_t va, uint64_t entry)
{
	const uint32_t kept = VMP_HUGE | VMP_TAIL | VMP_DIRTY;
	pfn_t pfn = only_page(vm, v, va, entry);
	bool huge;

	if (pfn != PFN_NONE)
		return pfn;
	pfn = leaf_page(vm, v, va, entry, &huge);
	if (huge || pfn == PFN_NONE || (vm->pages[pfn].flags & kept))
		return PFN_NONE;
	return pfn;
}

/* Its content may be lost: to the list of files, clean. */
static uint64_t
make_free(struct vm *vm, struct vma *v, va_t va, uint64_t entry)
{
	pfn_t pfn = lost_page(vm, v, va, entry);
	struct vm_page *p;

	if (pfn == PFN_NONE)
		return entry;
	p = &vm->pages[pfn];
	if ((p->flags & (VMP_SWAPBACKED | VMP_MLOCKED)) == VMP_SWAPBACKED) {
		pg_lru(vm, pfn, -1);
		p->flags &= ~(uint32_t)(VMP_SWAPBACKED | VMP_ACTIVE |
					VMP_REFERENCED | VMP_DIRTY);
		pg_lru(vm, pfn, 1);
		vm->phys->event[VE_pglazyfree] += pg_frames(vm, pfn);
	}
	return entry & ~(uint64_t)(PTE_A | PTE_D);
}

static int
dont_need(const struct advice *a, struct vma *v, va_t start, va_t end)
{
	uint64_t forbidden = VM_PFNMAP;

	if (a->what != VM_MADV_DONTNEED_LOCKED)
		forbidden |= VM_LOCKED;
	if (v->flags & VM_HUGETLB) {
		if (a->what == VM_MADV_FREE || !vma_may_cut(v, start))
			return vm_refuse(a->vm, -EINVAL, WHY_POOL_ADVICE);
		end &= ~(huge_bytes(a->vm) - 1);
		if (start < end)
			zap(v, start, end, false, a->t->cpu);
		return 0;
	}
	if (v->flags & forbidden)
		return vm_refuse(a->vm, -EINVAL, WHY_LOCKED);
	if (a->what == VM_MADV_FREE) {
		if (!vma_is_anonymous(v))
			return vm_refuse(a->vm, -EINVAL, WHY_FREE);
		each_entry(v, start, end, a->t->cpu, make_free);
		return 0;
	}
	zap(v, start, end, false, a->t->cpu);
	return 0;
}

static int
will_need(const struct advice *a, const struct vma *v, va_t start, va_t end)
{
	uint64_t first = v->pgoff + ((start - v->start) >> VM_PAGE_SHIFT);

	if (v->object && !v->object->shmem)
		obj_read_ahead(v->object, first,
			       first + ((end - start) >> VM_PAGE_SHIFT),
			       a->t->cpu);
	/* Anonymous memory, and shared, would be read from swap areas. */
	return v->flags & VM_PFNMAP ? -EBADF : 0;
}

static int
remove_pages(const struct advice *a, struct vma *v, va_t start, va_t end)
{
	uint64_t first = v->pgoff + ((start - v->start) >> VM_PAGE_SHIFT);
	uint64_t last = first + ((end - start) >> VM_PAGE_SHIFT) - 1;

	if ((v->flags & (VM_LOCKED | VM_HUGETLB)) || !v->object)
		return vm_refuse(a->vm, -EINVAL, WHY_REMOVE);
	if ((v->flags & (VM_SHARED | VM_MAYWRITE)) != (VM_SHARED | VM_MAYWRITE))
		return vm_refuse(a->vm, -EACCES, WHY_NOT_SHARED);
	obj_punch(v->object, first, last, false, a->t->cpu);
	if (!v->object->shmem)
		device_zero(v->object, first, last);
	return 0;
}

static int
populate(const struct advice *a, struct vma *v, va_t start, va_t end)
{
	bool write = a->what == VM_MADV_POPULATE_WRITE;

	/* check_vma_flags(): who may only write or run may not read so. */
	if ((v->flags & (VM_IO | VM_PFNMAP)) ||
	    !(v->flags & (write ? VM_WRITE : VM_READ)))
		return vm_refuse(a->vm, -EINVAL, WHY_POPULATE);
	return vma_fault_in(a->vm, a->t, v, start, end, write);
}

/* --- flags -------------------------------------------------------------- */

static const struct {
	int what;
	uint64_t clear, set;
} as_flags[] = {
	{VM_MADV_NORMAL,	 VM_RAND_READ | VM_SEQ_READ, 0	      },
	{VM_MADV_SEQUENTIAL, VM_RAND_READ,		   VM_SEQ_READ  },
	{VM_MADV_RANDOM,	 VM_SEQ_READ,		      VM_RAND_READ },
	{VM_MADV_DONTFORK,   0,			      VM_DONTCOPY	 },
	{VM_MADV_DOFORK,	 VM_DONTCOPY,		      0	       },
	{VM_MADV_WIPEONFORK, 0,				VM_WIPEONFORK},
	{VM_MADV_KEEPONFORK, VM_WIPEONFORK,		    0	     },
	{VM_MADV_DONTDUMP,   0,			      VM_DONTDUMP	 },
	{VM_MADV_DODUMP,	 VM_DONTDUMP,		      0	       },
	{VM_MADV_HUGEPAGE,   VM_NOHUGEPAGE,		  VM_HUGEPAGE  },
	{VM_MADV_NOHUGEPAGE, VM_HUGEPAGE,		  VM_NOHUGEPAGE},
};

static int
flags_refused(const struct vma *v, int what)
{
	switch (what) {
	case VM_MADV_DOFORK:
		return v->flags & VM_IO ? -EINVAL : 0;
	case VM_MADV_DODUMP:
		return (v->flags & VM_SPECIAL) && !(v->flags & VM_HUGETLB)
			       ? -EINVAL
			       : 0;
	case VM_MADV_WIPEONFORK:
		return v->object || (v->flags & VM_SHARED) ? -EINVAL : 0;
	default:
		return 0;
	}
}

static int
change_flags(const struct advice *a, struct vma *v, struct vma **prev,
	     va_t start, va_t end)
{
	uint64_t flags = v->flags;
	struct vma *area;
	int err = flags_refused(v, a->what);

	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(as_flags); i++)
		if (as_flags[i].what == a->what)
			flags = (flags & ~as_flags[i].clear) | as_flags[i].set;
	if (flags == v->flags) {
		*prev = v;
		return 0;
	}
	err = vma_set_flags(v, prev, start, end, flags, &area, a->t->cpu);
	if (!err && a->what == VM_MADV_HUGEPAGE)
		khugepaged_enter(a->vm, area);
	/* What user space is told when records run out. */
	return err == -ENOMEM ? -EAGAIN : err;
}

static int
one_area(const struct advice *a, struct vma *v, struct vma **prev, va_t start,
	 va_t end)
{
	*prev = v;
	switch (a->what) {
	case VM_MADV_REMOVE:
		return remove_pages(a, v, start, end);
	case VM_MADV_WILLNEED:
		return will_need(a, v, start, end);
	case VM_MADV_COLD:
	case VM_MADV_PAGEOUT:
		if (v->flags & (VM_LOCKED | VM_PFNMAP | VM_HUGETLB))
			return vm_refuse(a->vm, -EINVAL, WHY_COLD);
		each_entry(v, start, end, a->t->cpu, make_cold);
		return 0;
	case VM_MADV_FREE:
	case VM_MADV_DONTNEED:
	case VM_MADV_DONTNEED_LOCKED:
		return dont_need(a, v, start, end);
	case VM_MADV_COLLAPSE:
		return thp_collapse_range(a->vm, v, start, end, a->t->cpu);
	case VM_MADV_POPULATE_READ:
	case VM_MADV_POPULATE_WRITE:
		return populate(a, v, start, end);
	default:
		return 0;
	}
}

static bool
is_flag(int what)
{
	for (size_t i = 0; i < ARRAY_SIZE(as_flags); i++)
		if (as_flags[i].what == what)
			return true;
	return false;
}

int
vm_madvise(struct vm *vm, struct task *t, va_t addr, uint64_t len, int what)
{
	const struct advice a = {vm, t, what};
	struct mm *mm = task_mm(vm, t);
	struct vma *v, *prev;
	va_t end = addr + page_align(len);
	int holes = 0;

	if (!mm || !is_known(vm, what))
		return vm_refuse(vm, -EINVAL, WHY_ADVICE);
	if (!page_aligned(addr))
		return vm_refuse(vm, -EINVAL, WHY_UNALIGNED);
	if ((len && !page_align(len)) || end < addr)
		return vm_refuse(vm, -EINVAL, WHY_BEYOND);
	if (end == addr)
		return 0;
	v = vma_find(mm, addr);
	prev = v && addr > v->start ? v : v ? vma_prev(v) : NULL;
	for (;;) {
		va_t stop;
		int err;

		if (!v)
			return vm_refuse(vm, -ENOMEM, WHY_HOLE);
		if (addr < v->start) {
			holes = vm_refuse(vm, -ENOMEM, WHY_HOLE);
			addr = v->start;
			if (addr >= end)
				return holes;
		}
		stop = MIN_OF(v->end, end);
		if (is_flag(what))
			err = change_flags(&a, v, &prev, addr, stop);
		else
			err = one_area(&a, v, &prev, addr, stop);
		if (err)
			return err;
		addr = MAX_OF(stop, prev->end);
		if (addr >= end)
			return holes;
		v = vma_find(mm, prev->end);
	}
}
