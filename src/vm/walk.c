// SPDX-License-Identifier: MIT
/*
 * walk.c - a look at what entries map
 *
 * What it models: walk_page_range with vm_normal_page, for readers only.
 *
 * How it works: where a table of leaves is, its entries are read one after the
 * other; where it is missing the walk goes on behind what the entry that leads
 * nowhere covers, so that a mapping of terabytes costs what is in it.  Tables
 * may hold anything: only a frame that has a record of a user page counts.
 */
#include "kmemfs/vm/walk.h"

#include "vm_impl.h"

#include "kmemfs/vm/thp.h"

/* First address behind the uppermost entry for @va that leads nowhere. */
static va_t
behind_hole(const struct vm *vm, const struct mm *mm, va_t va)
{
	unsigned int level = 1;

	while (level < vm->shape.top && !vm_entry_at(vm, mm, va, level))
		level++;
	return ((va >> vm->shape.shift[level]) + 1) << vm->shape.shift[level];
}

/* The page that frame @pfn is of, PFN_NONE: no user page. */
static pfn_t
page_at(const struct vm *vm, pfn_t pfn, unsigned int level)
{
	const uint32_t user = VMP_ANON | VMP_OBJECT | VMP_HUGETLB;
	uint64_t pages = 1ULL << (vm->shape.shift[level] - vm->shape.shift[0]);
	pfn_t head;

	if (pfn >= vm->phys->max_pfn)
		return PFN_NONE;
	if (vm->thp && pfn - pfn % pages == vm->thp->zero)
		return PFN_NONE;
	head = level ? pfn & ~(pages - 1) : pg_head(vm, pfn);
	if (vm->phys->frames[head].state != FRAME_ALLOCATED ||
	    !(vm->pages[head].flags & user))
		return PFN_NONE;
	return head;
}

static void
tell(const struct vm *vm, const struct vma *v, const struct vm_leaf *leaf,
     va_t va, uint64_t pages, vm_mapping_fn fn, void *user)
{
	uint64_t e = leaf->entry;
	struct vm_mapping m = {
		.va = va,
		.entry = e,
		.pfn = leaf->pfn,
		.pages = pages,
		.level = leaf->level,
		.head = PFN_NONE,
		.young = e & PTE_A,
		.dirty = e & PTE_D,
		.soft_dirty = e & vm->shape.soft_dirty,
	};

	if (m.pfn == PFN_NONE)
		return;
	if (!(e & PTE_SPECIAL) || leaf->level)
		m.head = page_at(vm, m.pfn, leaf->level);
	fn(user, v, &m);
}

/* All that one table of leaves has for @va..@end. */
static void
walk_leaves(const struct vm *vm, const struct vma *v, struct vm_leaf leaf,
	    va_t va, va_t end, vm_mapping_fn fn, void *user)
{
	for (; va < end; va += VM_PAGE, leaf.at += vm->shape.bytes) {
		leaf.entry = pte_load(vm, leaf.at);
		if (!leaf.entry)
			continue;
		leaf.pfn = vm_entry_pfn(vm, leaf.entry);
		tell(vm, v, &leaf, va, 1, fn, user);
	}
}

void
vm_walk(const struct vm *vm, const struct vma *v, va_t start, va_t end,
	vm_mapping_fn fn, void *user)
{
	va_t va = MAX_OF(start, v->start), next;

	end = MIN_OF(end, v->end);
	for (; va && va < end; va = next) {
		struct vm_leaf leaf;

		if (!vm_leaf(vm, v->mm, va, &leaf)) {
			next = behind_hole(vm, v->mm, va);
			continue;
		}
		if (!leaf.level) {
			next = pt_table_end(vm, va);
			walk_leaves(vm, v, leaf, va, MIN_OF(next, end), fn,
				    user);
			continue;
		}
		next = ((va >> vm->shape.shift[leaf.level]) + 1)
		       << vm->shape.shift[leaf.level];
		tell(vm, v, &leaf, va,
		     (MIN_OF(next, end) - va) >> VM_PAGE_SHIFT, fn, user);
	}
}

pfn_t
vm_page_head(const struct vm *vm, pfn_t pfn)
{
	pfn_t first;

	/* A frame of a page that no small entry maps has no record. */
	if (vm->pages[pfn].flags || !vm->shape.f)
		return pg_head(vm, pfn);
	first = pfn & ~((huge_bytes(vm) >> VM_PAGE_SHIFT) - 1);
	return vm->pages[first].flags & (VMP_HUGE | VMP_HUGETLB) ? first : pfn;
}

const struct vm_page *
vm_page_of(const struct vm *vm, pfn_t head)
{
	return &vm->pages[head];
}

bool
vm_is_marked_table(const struct vm *vm, pfn_t pfn)
{
	uint64_t level;

	if (!vm->pages || !(vm->pages[pfn].flags & VMP_TABLE))
		return false;
	level = vm->pages[pfn].index & (VM_PAGE - 1);
	return level <= 1 && level != vm->shape.top;
}
