// SPDX-License-Identifier: MIT
/*
 * mmap.c - new areas: where, whether, and merged with what
 *
 * What it models: ksys_mmap_pgoff, do_mmap, get_unmapped_area, mmap_region
 * (mm/mmap.c), arch_get_unmapped_area_topdown (arch/x86/kernel/sys_x86_64.c),
 * remap_pfn_range (mm/memory.c).
 *
 * How it works: checks in the kernel's order, since the first that fails gives
 * the errno; the highest gap below mmap_base that is long enough, or, when
 * there is none, the lowest above a third of the address space.
 *
 * Differs from the kernel: MAP_32BIT is passed over.
 */
#include "vm_impl.h"

#include <errno.h>

#define LEGACY_MASK                                                            \
	(VM_MAP_SHARED | VM_MAP_PRIVATE | VM_MAP_FIXED | VM_MAP_ANONYMOUS |    \
	 VM_MAP_DENYWRITE | VM_MAP_EXECUTABLE | VM_MAP_GROWSDOWN |             \
	 VM_MAP_LOCKED | VM_MAP_NORESERVE | VM_MAP_POPULATE |                  \
	 VM_MAP_NONBLOCK | VM_MAP_STACK | VM_MAP_HUGETLB | VM_MAP_32BIT)
#define HUGE_SHIFT 26 /* MAP_HUGE_SHIFT */

/* --- where -------------------------------------------------------------- */

/* The highest gap of @len in @low..@high; 0: none. */
static va_t
gap_from_top(struct mm *mm, uint64_t len, va_t low, va_t high)
{
	guint n = vma_index(mm, high);
	const struct vma *above = vma_nth(mm, n);

	for (;;) {
		const struct vma *below = n ? vma_nth(mm, n - 1) : NULL;
		va_t end = above ? MIN_OF(high, vma_gap_start(above)) : high;
		va_t start = below ? MAX_OF(low, below->end) : low;

		if (end > start && end - start >= len)
			return end - len;
		if (!below || below->start <= low)
			return 0;
		above = below;
		n--;
	}
}

static va_t
gap_from_bottom(struct mm *mm, uint64_t len, va_t low, va_t high)
{
	guint n = vma_index(mm, low);
	va_t start = low;

	for (;; n++) {
		const struct vma *v = vma_nth(mm, n);
		va_t end = v ? MIN_OF(high, vma_gap_start(v)) : high;

		if (end > start && end - start >= len)
			return start;
		if (!v || v->end >= high)
			return 0;
		start = MAX_OF(start, v->end);
	}
}

/* Whether the place that was wished for can be had. */
static bool
hint_is_free(struct vm *vm, struct mm *mm, va_t addr, uint64_t len)
{
	va_t window = vm->layout.map_window;
	const struct vma *v = vma_find(mm, addr), *prev;

	if (vm->layout.task_size - len < addr)
		return false;
	if (v && addr + len > vma_gap_start(v))
		return false;
	if (vm->shape.bytes == 8 && vm->mode != MMU_PAE)
		return (addr > window) == (addr + len > window);
	prev = v ? vma_prev(v) : vma_nth(mm, mm->areas->len - 1);
	return addr >= vm->sysctl.mmap_min_addr && (!prev || addr >= prev->end);
}

#define GAP_TOPDOWN 1

/* @len is what was searched for, @mask more than what was asked. */
static void
trace_gap(struct vm *vm, const struct mm *mm, va_t at, uint64_t flags,
	  uint64_t len, va_t low, va_t high, uint64_t mask)
{
	TRACE(vm->phys->trace, VM_UNMAPPED_AREA,
	      at ? (at + mask) & ~mask : (uint64_t)-ENOMEM, mm->total_vm, flags,
	      len - mask, low, high, mask, 0);
}

/* @mask: bits of the address that must be 0. */
static va_t
find_gap(struct vm *vm, struct mm *mm, va_t hint, uint64_t len, uint64_t mask)
{
	const struct vm_layout *l = &vm->layout;
	va_t high = mm->mmap_base, low, end = l->map_window, at;

	len += mask;

	/* Who asks for more than the usual window gets from all there is. */
	if (hint > l->map_window) {
		high += l->task_size - l->map_window;
		end = l->task_size;
	}
	at = gap_from_top(mm, len, VM_PAGE, high);
	trace_gap(vm, mm, at, GAP_TOPDOWN, len, VM_PAGE, high, mask);
	if (at)
		return (at + mask) & ~mask;
	low = page_align(l->map_window / 3);
	at = gap_from_bottom(mm, len, low, end);
	trace_gap(vm, mm, at, 0, len, low, end, mask);
	return at ? (at + mask) & ~mask : 0;
}

int
mm_unmapped_area(struct vm *vm, struct task *t, va_t addr, uint64_t len,
		 uint64_t flags, va_t *at)
{
	struct mm *mm = t->mm;
	va_t size = vm->layout.task_size;
	uint64_t mask = flags & VM_MAP_HUGETLB ? hugetlb_size(vm) - 1 : 0;

	if (len > size)
		return vm_refuse(vm, -ENOMEM, WHY_TOO_LONG);
	if (flags & VM_MAP_FIXED) {
		if (addr & mask)
			return vm_refuse(vm, -EINVAL, WHY_NOT_HUGE);
		*at = addr;
	} else {
		addr = (addr & ~(VM_PAGE - 1)) + mask;
		addr &= ~mask;
		*at = addr && hint_is_free(vm, mm, addr, len)
			      ? addr
			      : find_gap(vm, mm, addr, len, mask);
		if (!*at)
			return vm_refuse(vm, -ENOMEM, WHY_NO_GAP);
	}
	if (*at > size - len)
		return vm_refuse(vm, -ENOMEM, WHY_BEYOND);
	if (!page_aligned(*at))
		return vm_refuse(vm, -EINVAL, WHY_UNALIGNED);
	if (*at < vm->sysctl.mmap_min_addr && !(t->caps & CAP_SYS_RAWIO_BIT))
		return vm_refuse(vm, -EPERM, WHY_MIN_ADDR);
	return 0;
}

/* --- whether ------------------------------------------------------------ */

static int
check_file(struct vm *vm, const struct vm_open *file, uint64_t prot,
	   uint64_t flags, uint64_t *vm_flags)
{
	switch (flags & VM_MAP_TYPE) {
	case VM_MAP_SHARED:
		flags &= LEGACY_MASK;
		/* fallthrough */
	case VM_MAP_SHARED_VALIDATE:
		if (flags & ~(uint64_t)(LEGACY_MASK | VM_MAP_TYPE))
			return vm_refuse(vm, -EOPNOTSUPP, WHY_VALIDATE);
		if (prot & VM_PROT_WRITE) {
			if (!(file->mode & VM_OPEN_WRITE))
				return vm_refuse(vm, -EACCES, WHY_FILE_WRITE);
			if (file->mode & VM_OPEN_SWAPFILE)
				return vm_refuse(vm, -ETXTBSY, WHY_SWAPFILE);
		}
		if ((file->mode & VM_OPEN_APPEND) &&
		    (file->mode & VM_OPEN_WRITE))
			return vm_refuse(vm, -EACCES, WHY_APPEND);
		*vm_flags |= VM_SHARED | VM_MAYSHARE;
		if (!(file->mode & VM_OPEN_WRITE))
			*vm_flags &= ~(uint64_t)(VM_MAYWRITE | VM_SHARED);
		/* fallthrough */
	case VM_MAP_PRIVATE:
		break;
	default:
		return vm_refuse(vm, -EINVAL, WHY_FILE_TYPE);
	}
	if (!(file->mode & VM_OPEN_READ))
		return vm_refuse(vm, -EACCES, WHY_FILE_READ);
	if (file->mode & VM_OPEN_NOEXEC) {
		if (*vm_flags & VM_EXEC)
			return vm_refuse(vm, -EPERM, WHY_NOEXEC);
		*vm_flags &= ~(uint64_t)VM_MAYEXEC;
	}
	if (!file->object)
		return vm_refuse(vm, -ENODEV, WHY_NO_MMAP);
	if (*vm_flags & VM_GROWSDOWN)
		return vm_refuse(vm, -EINVAL, WHY_GROWSDOWN);
	return 0;
}

static int
check_anonymous(struct vm *vm, uint64_t flags, uint64_t *vm_flags)
{
	switch (flags & VM_MAP_TYPE) {
	case VM_MAP_SHARED:
		if (*vm_flags & VM_GROWSDOWN)
			return vm_refuse(vm, -EINVAL, WHY_GROWSDOWN);
		*vm_flags |= VM_SHARED | VM_MAYSHARE;
		return 0;
	case VM_MAP_PRIVATE:
		return 0;
	default:
		return vm_refuse(vm, -EINVAL, WHY_ANON_TYPE);
	}
}

static uint64_t
flags_of(const struct mm *mm, uint64_t prot, uint64_t flags)
{
	uint64_t f = mm->def_flags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC |
		     (prot & VM_ACCESS_FLAGS);

	if (flags & VM_MAP_GROWSDOWN)
		f |= VM_GROWSDOWN;
	if (flags & VM_MAP_LOCKED)
		f |= VM_LOCKED;
	return f;
}

/* Pages of @start..@end that areas have now. */
static uint64_t
pages_there(struct mm *mm, va_t start, va_t end)
{
	uint64_t pages = 0;

	for (guint n = vma_index(mm, start); n < mm->areas->len; n++) {
		const struct vma *v = vma_nth(mm, n);

		if (v->start >= end)
			break;
		pages += (MIN_OF(v->end, end) - MAX_OF(v->start, start)) >>
			 VM_PAGE_SHIFT;
	}
	return pages;
}

/* --- the area ----------------------------------------------------------- */

static bool
accountable(uint64_t flags)
{
	return (flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) == VM_WRITE;
}

/* The neighbours grow over the new area, if they are of its kind. */
static struct vma *
grow_neighbour(struct mm *mm, const struct merge *m, unsigned int cpu)
{
	guint n = vma_index(mm, m->start);
	struct vma *next = vma_nth(mm, n);
	struct vma *prev = n ? vma_nth(mm, n - 1) : NULL;
	struct merge with = *m;
	bool behind, before;

	if (m->flags & VM_SPECIAL)
		return NULL;
	behind = next && next->start == m->end && vma_can_precede(next, m);
	if (behind)
		with.anon = next->anon;
	before = prev && prev->end == m->start &&
		 (behind ? vma_can_follow(prev, &with)
			 : vma_can_follow(prev, m));
	if (before && behind)
		return vma_merge(mm, prev, &with, cpu);
	if (before) {
		prev->end = m->end;
		return prev;
	}
	if (!behind)
		return NULL;
	next->pgoff -= (m->end - m->start) >> VM_PAGE_SHIFT;
	next->start = m->start;
	return next;
}

/* Shared anonymous memory: an object of its own, promised as a whole. */
static int
shmem_setup(struct vm *vm, struct task *t, uint64_t len, uint64_t flags,
	    struct vm_object **o)
{
	bool charged = !(flags & VM_NORESERVE);

	if (charged && vm_commit(vm, t, len >> VM_PAGE_SHIFT))
		return -ENOMEM;
	*o = obj_new_shmem(vm, len);
	if (!*o) {
		if (charged)
			vm_uncommit(vm, len >> VM_PAGE_SHIFT);
		return -ENOMEM;
	}
	(*o)->charged = charged;
	return 0;
}

/* The area of a mapping of the pool: its object, and what it was promised. */
static int
hugetlb_area(struct vm *vm, struct task *t, const struct merge *m)
{
	uint64_t len = m->end - m->start, more = m->pgoff << VM_PAGE_SHIFT;
	struct vm_object *o =
		obj_new_hugetlb(vm, m->flags & VM_WRITE ? len + more : len);
	struct vma *v;
	int err;

	if (!o)
		return -ENOMEM;
	v = vma_new(t->mm, m->start, m->end,
		    (m->flags & ~(uint64_t)VM_LOCKED) | VM_SOFTDIRTY, o,
		    m->pgoff);
	vm_object_put(o, t->cpu);
	err = hugetlb_reserve(vm, v);
	if (err) {
		vma_free(v, t->cpu);
		return err;
	}
	vma_link(v);
	vm_stat_account(t->mm, v->flags, (int64_t)vma_pages(v));
	return 0;
}

static int
mmap_region(struct vm *vm, struct task *t, struct merge *m)
{
	struct mm *mm = t->mm;
	uint64_t pages = (m->end - m->start) >> VM_PAGE_SHIFT;
	struct vm_object *made = NULL;
	struct vma *v;
	int err;

	if (!may_expand_vm(vm, t, m->flags, pages) &&
	    !may_expand_vm(vm, t, m->flags,
			   pages - pages_there(mm, m->start, m->end)))
		return vm_refuse(vm, -ENOMEM, WHY_RLIMIT);
	if (mm_munmap(vm, t, mm, m->start, m->end - m->start))
		return -ENOMEM;
	if (m->flags & VM_HUGETLB)
		return hugetlb_area(vm, t, m);
	if (accountable(m->flags)) {
		if (vm_commit(vm, t, pages))
			return -ENOMEM;
		m->flags |= VM_ACCOUNT;
	}
	v = m->object || !(m->flags & VM_SHARED) ? grow_neighbour(mm, m, t->cpu)
						 : NULL;
	if (!v) {
		if (!m->object && (m->flags & VM_SHARED)) {
			err = shmem_setup(vm, t, m->end - m->start, m->flags,
					  &made);
			if (err)
				return err;
			m->object = made;
		}
		v = vma_new(mm, m->start, m->end, m->flags, m->object,
			    m->pgoff);
		vma_link(v);
		if (made)
			vm_object_put(made, t->cpu);
	}
	vm_stat_account(mm, m->flags, (int64_t)pages);
	if (m->flags & VM_LOCKED)
		mm->locked_vm += pages;
	v->flags |= VM_SOFTDIRTY;
	khugepaged_enter(vm, v);
	return 0;
}

static int
check_descriptor(struct vm *vm, const struct vm_mmap_args *a)
{
	if (a->flags & VM_MAP_ANONYMOUS) {
		unsigned int shift = a->flags >> HUGE_SHIFT & 63;

		if (!(a->flags & VM_MAP_HUGETLB))
			return 0;
		if (vm->hugetlb &&
		    (!shift || 1ULL << shift == hugetlb_size(vm)))
			return 0;
		return vm_refuse(vm, -EINVAL, WHY_NO_POOL);
	}
	if (!a->file)
		return vm_refuse(vm, -EBADF, WHY_NO_FILE);
	if (a->flags & VM_MAP_HUGETLB)
		return vm_refuse(vm, -EINVAL, WHY_NOT_HUGETLB);
	return 0;
}

int
vm_mmap(struct vm *vm, struct task *t, const struct vm_mmap_args *a, va_t *at)
{
	/* A file of the pool; its object is made with the area. */
	struct vm_open pool = {.mode = VM_OPEN_READ | VM_OPEN_WRITE};
	struct mm *mm = task_mm(vm, t);
	const struct vm_open *file = NULL;
	uint64_t flags = a->flags, len = page_align(a->len);
	uint64_t pgoff = a->offset >> VM_PAGE_SHIFT;
	struct merge m = {0};
	va_t addr = a->addr;
	bool huge;
	int err;

	pool.object = (struct vm_object *)(void *)&pool;
	if (!mm || !page_aligned(a->offset))
		return vm_refuse(vm, -EINVAL, WHY_OFFSET);
	err = check_descriptor(vm, a);
	if (err)
		return err;
	huge = (flags & VM_MAP_HUGETLB) && (flags & VM_MAP_ANONYMOUS);
	if (huge)
		len = round_up_to(a->len, hugetlb_size(vm));
	else
		flags &= ~(uint64_t)VM_MAP_HUGETLB;
	if (!(flags & VM_MAP_ANONYMOUS))
		file = a->file;
	if (!a->len)
		return vm_refuse(vm, -EINVAL, WHY_EMPTY);
	if (flags & VM_MAP_FIXED_NOREPLACE)
		flags |= VM_MAP_FIXED;
	if (!(flags & VM_MAP_FIXED)) {
		addr &= ~(VM_PAGE - 1);
		if (addr && addr < vm->sysctl.mmap_min_addr)
			addr = page_align(vm->sysctl.mmap_min_addr);
	}
	if (!len)
		return vm_refuse(vm, -ENOMEM, WHY_LENGTH);
	if (pgoff + (len >> VM_PAGE_SHIFT) < pgoff)
		return vm_refuse(vm, -EOVERFLOW, WHY_OVERFLOW);
	if (mm->areas->len > vm->sysctl.max_map_count)
		return vm_refuse(vm, -ENOMEM, WHY_AREAS);
	err = mm_unmapped_area(vm, t, addr, len, flags, &m.start);
	if (err)
		return err;
	m.end = m.start + len;
	if ((flags & VM_MAP_FIXED_NOREPLACE) &&
	    vma_intersects(mm, m.start, m.end))
		return vm_refuse(vm, -EEXIST, WHY_NOREPLACE);
	m.flags = flags_of(mm, a->prot, flags);
	if ((flags & VM_MAP_LOCKED) && !can_mlock(t))
		return vm_refuse(vm, -EPERM, WHY_NO_LOCK);
	if (mlock_refused(t, m.flags, len))
		return vm_refuse(vm, -EAGAIN, WHY_LOCK_LIMIT);
	if (file && (len > INT64_MAX || a->offset > INT64_MAX - len))
		return vm_refuse(vm, -EOVERFLOW, WHY_OVERFLOW);
	err = file || huge ? check_file(vm, file ? file : &pool, a->prot, flags,
					&m.flags)
			   : check_anonymous(vm, flags, &m.flags);
	if (err)
		return err;
	if ((flags & VM_MAP_NORESERVE) &&
	    (huge || vm->sysctl.overcommit_memory != 2))
		m.flags |= VM_NORESERVE;
	if (huge && a->offset & (hugetlb_size(vm) - 1))
		return vm_refuse(vm, -EINVAL, WHY_HUGE_OFFSET);
	if (huge)
		m.flags |= VM_HUGETLB | VM_DONTEXPAND;
	m.object = file ? file->object : NULL;
	m.pgoff = file || huge		  ? pgoff
		  : m.flags & VM_MAYSHARE ? 0
					  : m.start >> VM_PAGE_SHIFT;
	err = mmap_region(vm, t, &m);
	if (err)
		return err;
	*at = m.start;
	if ((m.flags & VM_LOCKED) ||
	    (flags & (VM_MAP_POPULATE | VM_MAP_NONBLOCK)) == VM_MAP_POPULATE)
		(void)vm_populate(vm, t, m.start, m.end);
	return 0;
}

/* --- device memory ------------------------------------------------------ */

int
vm_remap_pfn(struct vm *vm, struct task *t, va_t *at, pfn_t pfn, uint64_t len,
	     uint64_t prot)
{
	const uint64_t flags = VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP |
			       VM_SHARED | VM_MAYSHARE | VM_MAYREAD |
			       VM_MAYWRITE;
	struct mm *mm = task_mm(vm, t);
	uint64_t last = vm->shape.frame_mask >> VM_PAGE_SHIFT, bits;
	va_t addr = *at;
	struct vma *v;
	int err = 0;

	if (!mm || !len || !page_aligned(addr) || !page_aligned(len) ||
	    addr > vm->layout.task_size || len > vm->layout.task_size - addr ||
	    pfn > last || (len >> VM_PAGE_SHIFT) > last - pfn)
		return vm_refuse(vm, -EINVAL, WHY_DEVICE);
	if (vma_intersects(mm, addr, addr + len))
		return vm_refuse(vm, -EEXIST, WHY_MAPPED);
	err = mm_unmapped_area(vm, t, addr, len, addr ? VM_MAP_FIXED : 0,
			       &addr);
	if (err)
		return err;
	if (mm->areas->len > vm->sysctl.max_map_count ||
	    !may_expand_vm(vm, t, flags, len >> VM_PAGE_SHIFT))
		return vm_refuse(vm, -ENOMEM, WHY_LIMITS);
	v = vma_new(mm, addr, addr + len, flags | (prot & VM_ACCESS_FLAGS),
		    NULL, addr >> VM_PAGE_SHIFT);
	v->pfn = pfn;
	vma_link(v);
	vm_stat_account(mm, v->flags, (int64_t)vma_pages(v));
	bits = pte_prot(vm, v) | PTE_SPECIAL | PTE_PCD;
	for (va_t va = addr; !err && va < addr + len; va += VM_PAGE) {
		pa_t entry;

		err = vm_entry_make(vm, mm, va, t->cpu, &entry);
		if (!err)
			pte_store(vm, entry,
				  pte_make(vm,
					   pfn + ((va - addr) >> VM_PAGE_SHIFT),
					   bits));
	}
	if (err)
		(void)mm_munmap(vm, t, mm, addr, len);
	*at = addr;
	return err;
}
