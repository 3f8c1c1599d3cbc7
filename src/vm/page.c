// SPDX-License-Identifier: MIT
/*
 * page.c - frames that user space maps: what they are, who counts them
 *
 * What it models: page_add_new_anon_rmap, page_add_file_rmap, page_remove_rmap
 * (mm/rmap.c), mlock_page (mm/mlock.c), the counters of the LRU lists.
 *
 * How it works: struct vm_page says what a frame is; each entry that maps it
 * is one of its map count and one reference; an object has one reference to
 * each of its pages.  Counters follow the flags: pg_lru() takes a page out of
 * the sums before flags change and puts it back after.
 *
 * A transparent huge page is one page of 512 frames: huge.c.
 *
 * Always true: nr_anon_pages and nr_mapped count frames with a map count above
 * zero; the sums of the LRU counters count all that are there.
 */
#include "vm_impl.h"

#include <errno.h>

/* Areas with VM_LOCKED that map a page, in the upper bits of its flags. */
#define MLOCK_ONE (1U << 20)
#define MLOCK_MASK (~(MLOCK_ONE - 1))

int
pg_alloc(struct vm *vm, const struct vma *v, va_t va, gfp_t gfp,
	 unsigned int cpu, pfn_t *pfn)
{
	struct page_request q = {.gfp = gfp, .cpu = cpu};
	int err = place_alloc(vm, v, va, &q, false, pfn);

	if (err)
		return err;
	ram_zero(vm->ram, *pfn << VM_PAGE_SHIFT, VM_PAGE);
	return 0;
}

static unsigned int
lru_of(const struct vm_page *p)
{
	if (p->flags & VMP_MLOCKED)
		return 4;
	return (p->flags & VMP_SWAPBACKED ? 0U : 2U) +
	       (p->flags & VMP_ACTIVE ? 1U : 0U);
}

void
pg_lru(struct vm *vm, pfn_t pfn, int sign)
{
	struct zone *zone = vm->phys->zones[vm->phys->frames[pfn].zone];
	const struct vm_page *p = &vm->pages[pfn];
	unsigned int lru = lru_of(p);

	if (!(p->flags & VMP_LRU))
		return;
	sign *= (int)pg_frames(vm, pfn);
	zone->node->stat[NS_nr_inactive_anon + lru] += sign;
	zone->stat[ZS_nr_zone_inactive_anon + lru] += sign;
}

void
pg_mark_accessed(struct vm *vm, pfn_t pfn)
{
	struct vm_page *p;

	pfn = pg_head(vm, pfn);
	p = &vm->pages[pfn];
	if (!(p->flags & VMP_REFERENCED)) {
		p->flags |= VMP_REFERENCED;
		return;
	}
	if (p->flags & (VMP_MLOCKED | VMP_ACTIVE))
		return;
	pg_lru(vm, pfn, -1);
	p->flags |= VMP_ACTIVE;
	p->flags &= ~(uint32_t)VMP_REFERENCED;
	pg_lru(vm, pfn, 1);
	if (p->flags & VMP_LRU)
		vm->phys->event[VE_pgactivate] += pg_frames(vm, pfn);
}

void
pg_mlock(struct vm *vm, pfn_t pfn)
{
	struct vm_page *p = &vm->pages[pfn];
	int64_t nr = (int64_t)pg_frames(vm, pfn);

	if ((p->flags & MLOCK_MASK) != MLOCK_MASK)
		p->flags += MLOCK_ONE;
	if (p->flags & VMP_MLOCKED)
		return;
	pg_lru(vm, pfn, -1);
	p->flags |= VMP_MLOCKED;
	p->flags &= ~(uint32_t)VMP_ACTIVE;
	pg_lru(vm, pfn, 1);
	vm->phys->zones[vm->phys->frames[pfn].zone]->stat[ZS_nr_mlock] += nr;
	vm->phys->event[VE_unevictable_pgs_mlocked] += (uint64_t)nr;
	vm->phys->event[VE_unevictable_pgs_culled] += (uint64_t)nr;
}

static void
mlock_end(struct vm *vm, pfn_t pfn)
{
	struct vm_page *p = &vm->pages[pfn];

	pg_lru(vm, pfn, -1);
	p->flags &= ~(MLOCK_MASK | VMP_MLOCKED);
	pg_lru(vm, pfn, 1);
	vm->phys->zones[vm->phys->frames[pfn].zone]->stat[ZS_nr_mlock] -=
		(int64_t)pg_frames(vm, pfn);
}

void
pg_munlock(struct vm *vm, pfn_t pfn)
{
	struct vm_page *p = &vm->pages[pfn];

	if (!(p->flags & VMP_MLOCKED))
		return;
	if (p->flags & MLOCK_MASK)
		p->flags -= MLOCK_ONE;
	if (p->flags & MLOCK_MASK)
		return;
	mlock_end(vm, pfn);
	vm->phys->event[VE_unevictable_pgs_munlocked] += pg_frames(vm, pfn);
	vm->phys->event[VE_unevictable_pgs_rescued] += pg_frames(vm, pfn);
}

void
pg_new_anon(struct vm *vm, struct vma *v, va_t va, pfn_t pfn)
{
	struct frame *f = &vm->phys->frames[pfn];

	vm->pages[pfn] = (struct vm_page){
		.mapping = v->anon->id,
		.flags = VMP_ANON | VMP_EXCLUSIVE | VMP_UPTODATE |
			 VMP_SWAPBACKED | VMP_LRU,
		.index = v->pgoff + ((va - v->start) >> VM_PAGE_SHIFT),
	};
	f->owner = frame_owner(OWNER_ANON, v->anon->id);
	f->mapcount = 1;
	pg_lru(vm, pfn, 1);
	pg_node(vm, pfn)->stat[NS_nr_anon_pages]++;
	if (v->flags & VM_LOCKED)
		pg_mlock(vm, pfn);
}

void
pg_new_object(struct vm *vm, struct vm_object *o, uint64_t index, pfn_t pfn)
{
	struct frame *f = &vm->phys->frames[pfn];
	int64_t *stat = pg_node(vm, pfn)->stat;

	vm->pages[pfn] = (struct vm_page){
		.mapping = o->id,
		.flags = VMP_OBJECT | VMP_UPTODATE | VMP_LRU |
			 (o->shmem ? VMP_SWAPBACKED : 0),
		.index = index,
	};
	f->owner = frame_owner(OWNER_OBJECT, o->id);
	f->mapcount = 0;
	pg_lru(vm, pfn, 1);
	stat[NS_nr_file_pages]++;
	stat[NS_nr_shmem] += o->shmem;
	page_tree_set(o->pages, index, pfn);
	o->nr_pages++;
}

void
pg_map(struct vm *vm, const struct vma *v, pfn_t pfn)
{
	struct frame *f = &vm->phys->frames[pfn];

	if (unlikely(vm->pages[pfn].flags & (VMP_HUGE | VMP_TAIL))) {
		huge_map_part(vm, pfn);
		return;
	}
	pages_get(vm->phys, pfn);
	if (!f->mapcount++)
		pg_node(vm, pfn)->stat[vm->pages[pfn].flags & VMP_ANON
					       ? NS_nr_anon_pages
					       : NS_nr_mapped]++;
	if (unlikely(v->flags & VM_LOCKED))
		pg_mlock(vm, pfn);
}

void
pg_unmap(struct vm *vm, const struct vma *v, pfn_t pfn)
{
	struct frame *f = &vm->phys->frames[pfn];

	if (unlikely(vm->pages[pfn].flags & (VMP_HUGE | VMP_TAIL))) {
		huge_unmap_part(vm, pfn);
		return;
	}
	if (!--f->mapcount)
		pg_node(vm, pfn)->stat[vm->pages[pfn].flags & VMP_ANON
					       ? NS_nr_anon_pages
					       : NS_nr_mapped]--;
	if (unlikely(v->flags & VM_LOCKED))
		pg_munlock(vm, pfn);
}

void
pg_forget(struct vm *vm, pfn_t pfn)
{
	if (vm->pages[pfn].flags & VMP_MLOCKED) {
		mlock_end(vm, pfn);
		vm->phys->event[VE_unevictable_pgs_cleared] +=
			pg_frames(vm, pfn);
	}
	pg_lru(vm, pfn, -1);
	if (unlikely(vm->pages[pfn].flags & VMP_HUGE))
		huge_forget(vm, pfn);
	vm->pages[pfn] = (struct vm_page){0};
}

void
pg_put(struct vm *vm, pfn_t pfn, unsigned int cpu)
{
	unsigned int order;

	if (unlikely(vm->pages[pfn].flags & VMP_HUGETLB)) {
		hugetlb_put(vm, pfn);
		return;
	}
	pfn = pg_head(vm, pfn);
	order = vm->phys->frames[pfn].order;
	if (vm->phys->frames[pfn].refs == 1)
		pg_forget(vm, pfn);
	pages_put(vm->phys, pfn, order, cpu);
}

/* Whether its content has a device to go to. */
static bool
counts_dirty(const struct vm_page *p)
{
	return (p->flags & (VMP_OBJECT | VMP_SWAPBACKED)) == VMP_OBJECT;
}

int
pg_write_bytes(struct vm *vm, pa_t at, const void *from, uint64_t len)
{
	int err;

	if (!phys_is_ram(vm->phys, at, len, ram_end(vm->ram)))
		return 0;
	err = ram_write(vm->ram, at, from, len);
	/* Mapped as a device's, or by damaged tables, they may be a table's. */
	if (!err)
		vm_bytes_changed(vm, at, len);
	return err;
}

void
pg_set_dirty(struct vm *vm, pfn_t pfn)
{
	struct vm_page *p = &vm->pages[pfn];
	struct zone *zone = vm->phys->zones[vm->phys->frames[pfn].zone];

	if (p->flags & VMP_DIRTY)
		return;
	p->flags |= VMP_DIRTY;
	if (!counts_dirty(p))
		return;
	zone->node->stat[NS_nr_dirty]++;
	zone->node->stat[NS_nr_dirtied]++;
	zone->stat[ZS_nr_zone_write_pending]++;
}

void
pg_clear_dirty(struct vm *vm, pfn_t pfn)
{
	struct vm_page *p = &vm->pages[pfn];
	struct zone *zone = vm->phys->zones[vm->phys->frames[pfn].zone];

	if (!(p->flags & VMP_DIRTY))
		return;
	p->flags &= ~(uint32_t)VMP_DIRTY;
	if (!counts_dirty(p))
		return;
	zone->node->stat[NS_nr_dirty]--;
	zone->stat[ZS_nr_zone_write_pending]--;
}

void
pg_copy(struct vm *vm, pfn_t to, pfn_t from, int *err)
{
	uint8_t bytes[VM_PAGE];

	ram_read(vm->ram, from << VM_PAGE_SHIFT, bytes, sizeof(bytes));
	*err = ram_write(vm->ram, to << VM_PAGE_SHIFT, bytes, sizeof(bytes));
}

enum mm_counter
pg_counter(const struct vm *vm, pfn_t pfn)
{
	uint32_t flags = vm->pages[pfn].flags;

	if (flags & VMP_ANON)
		return MM_ANONPAGES;
	return flags & VMP_SWAPBACKED ? MM_SHMEMPAGES : MM_FILEPAGES;
}
