// SPDX-License-Identifier: MIT
/*
 * migrate.c - a page gets another frame, its bytes and entries go with it
 *
 * What it models: migrate_pages, move_to_new_folio, remove_migration_ptes
 * (mm/migrate.c), as mbind needs them.
 *
 * How it works: the new frame is had first, and the bytes copied; then all that
 * counted the old one counts the new one, each entry is written anew, and the
 * old frame is freed.
 *
 * Differs from the kernel: huge pages stay where they are.
 */
#include "vm_impl.h"

struct mover {
	struct vm *vm;
	pfn_t from, to;
	unsigned int cpu;
};

/* All that is counted by node or zone of page @pfn, taken or given. */
static void
count(struct vm *vm, pfn_t pfn, int sign)
{
	const struct vm_page *p = &vm->pages[pfn];
	struct zone *zone = vm->phys->zones[vm->phys->frames[pfn].zone];
	int64_t *stat = zone->node->stat;
	bool object = p->flags & VMP_OBJECT;

	pg_lru(vm, pfn, sign);
	if (vm->phys->frames[pfn].mapcount > 0)
		stat[object ? NS_nr_mapped : NS_nr_anon_pages] += sign;
	if (p->flags & VMP_MLOCKED)
		zone->stat[ZS_nr_mlock] += sign;
	if (!object)
		return;
	stat[NS_nr_file_pages] += sign;
	if (p->flags & VMP_SWAPBACKED) {
		stat[NS_nr_shmem] += sign;
	} else if (p->flags & VMP_DIRTY) {
		stat[NS_nr_dirty] += sign;
		zone->stat[ZS_nr_zone_write_pending] += sign;
	}
}

static void
rewrite_entry(void *user, struct vma *v, va_t va, pa_t at, uint64_t entry)
{
	struct mover *m = user;
	struct vm *vm = m->vm;
	uint64_t bits = entry & ~vm->shape.frame_mask;

	pte_store(vm, at, pte_make(vm, m->to, bits));
	vm->generation++;
	flush_range(vm, v->mm, va, va + VM_PAGE, m->cpu);
	pages_get(vm->phys, m->to);
	pages_put(vm->phys, m->from, 0, m->cpu);
}

/* Whether nobody holds the page but its entries and its object. */
static bool
is_movable(const struct vm *vm, pfn_t pfn)
{
	const struct frame *f = &vm->phys->frames[pfn];
	uint32_t flags = vm->pages[pfn].flags;

	return !(flags & (VMP_HUGE | VMP_TAIL | VMP_HUGETLB)) &&
	       f->refs == f->mapcount + (flags & VMP_OBJECT ? 1 : 0);
}

bool
pg_migrate(struct vm *vm, struct vma *v, va_t va, pfn_t pfn, unsigned int cpu)
{
	struct mover m = {.vm = vm, .from = pfn, .cpu = cpu};
	struct vm_page *old = &vm->pages[pfn];
	struct frame *frames = vm->phys->frames;
	struct vm_object *o = NULL;
	int err;

	if (!is_movable(vm, pfn) ||
	    pg_alloc(vm, v, va, GFP_HIGHUSER_MOVABLE, cpu, &m.to))
		goto fail;
	pg_copy(vm, m.to, pfn, &err);
	if (err) {
		pages_put(vm->phys, m.to, 0, cpu);
		goto fail;
	}
	if (old->flags & VMP_OBJECT)
		o = g_hash_table_lookup(vm->objects,
					GUINT_TO_POINTER(old->mapping));
	count(vm, pfn, -1);
	vm->pages[m.to] = *old;
	frames[m.to].owner = frames[pfn].owner;
	frames[m.to].mapcount = frames[pfn].mapcount;
	count(vm, m.to, 1);
	/* The new frame's first reference stands for the last of the old. */
	pages_get(vm->phys, pfn);
	(void)vm_rmap_walk(vm, pfn, rewrite_entry, &m);
	if (o) {
		page_tree_set(o->pages, old->index, m.to);
		pages_get(vm->phys, m.to);
		pages_put(vm->phys, pfn, 0, cpu);
	}
	pages_put(vm->phys, m.to, 0, cpu);
	*old = (struct vm_page){0};
	frames[pfn].mapcount = 0;
	pages_put(vm->phys, pfn, 0, cpu);
	vm->phys->event[VE_pgmigrate_success]++;
	return true;

fail:
	vm->phys->event[VE_pgmigrate_fail]++;
	return false;
}
