// SPDX-License-Identifier: MIT
/*
 * kernel_area.c - addresses for mappings: the lowest hole that fits
 *
 * What it models: alloc_vmap_area, find_vmap_lowest_match,
 * free_vmap_area_noflush,
 * __purge_vmap_area_lazy, lazy_max_pages (mm/vmalloc.c).
 *
 * How it works: three sets of addresses that have nothing in common:
 *
 *     areas   in use, one record each, the guard page included
 *     lazy    given back and unmapped, but TLBs may still know them
 *     free    what the next area may get
 *
 * An area that goes moves from the first to the second; a purge flushes all
 * TLBs once and moves all of the second to the third.  It comes when more than
 * 32 MiB for each bit of the number of CPUs wait, when no hole fits, or when
 * asked for.
 *
 * Always true: the three sets together are the addresses there were at boot.
 *
 * Differs from the kernel: the purge that too many lazy pages cause is done at
 * once, not by a worker.  Records are the host's, not objects of vmap_area.
 */
#include "kernel_impl.h"

#include <errno.h>
#include <inttypes.h>

/* Index of the first area that ends above @va. */
static guint
area_index(const struct kernel_half *k, va_t va)
{
	guint low = 0, high = k->areas->len;

	while (low < high) {
		guint at = (low + high) / 2;
		const struct kernel_area *a = g_ptr_array_index(k->areas, at);

		if (a->end > va)
			high = at;
		else
			low = at + 1;
	}
	return low;
}

struct kernel_area *
kernel_area_at(const struct kernel_half *k, va_t va)
{
	guint n = area_index(k, va);
	struct kernel_area *a;

	if (n == k->areas->len)
		return NULL;
	a = g_ptr_array_index(k->areas, n);
	return a->start <= va ? a : NULL;
}

struct kernel_area *
kernel_area_find(const struct kernel_half *k, va_t va)
{
	struct kernel_area *a = kernel_area_at(k, va);

	return a && a->start == va ? a : NULL;
}

pfn_t
kernel_area_pfn(const struct kernel_area *a, va_t va)
{
	uint64_t n = (va - a->start) >> VM_PAGE_SHIFT;

	if (va < a->start || n >= a->nr_pages)
		return PFN_NONE;
	return a->pages ? a->pages[n] : (a->phys >> VM_PAGE_SHIFT) + n;
}

/* Where @size bytes fit first in @start..@end; 0: nowhere. */
static va_t
lowest_match(const struct kernel_half *k, uint64_t size, uint64_t align,
	     va_t start, va_t end)
{
	for (unsigned int i = rangeset_search(&k->free, start);
	     i < rangeset_size(&k->free); i++) {
		const struct rangeset_item *hole = rangeset_at(&k->free, i);
		va_t at = round_up_to(MAX_OF(hole->start, start), align);
		va_t top = MIN_OF(hole->end, end);

		if (hole->start >= end)
			break;
		if (at < top && top - at >= size)
			return at;
	}
	return 0;
}

uint64_t
kernel_lazy_max(const struct vm *vm)
{
	unsigned int online = 0, bits = 0;

	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		online += vm->phys->cpu_online[i];
	for (; online; online >>= 1)
		bits++;
	return bits * (MIB(32) >> VM_PAGE_SHIFT);
}

uint64_t
kernel_purge(struct vm *vm, unsigned int cpu)
{
	struct kernel_half *k = vm->kernel;
	unsigned int nr;
	uint64_t pages;

	kernel_blocks_purge(vm);
	nr = rangeset_size(&k->lazy);
	pages = k->lazy_pages;
	if (!nr)
		return 0;
	kernel_flush(vm, rangeset_at(&k->lazy, 0)->start,
		     rangeset_at(&k->lazy, nr - 1)->end, cpu);
	for (unsigned int i = 0; i < nr; i++) {
		const struct rangeset_item *r = rangeset_at(&k->lazy, i);

		rangeset_add(&k->free, r->start, r->end, 0);
	}
	rangeset_fini(&k->lazy);
	rangeset_init(&k->lazy);
	k->lazy_pages = 0;
	k->purges++;
	return pages;
}

bool
kernel_is_lazy(const struct vm *vm, va_t va)
{
	const struct kernel_half *k = vm->kernel;
	const struct kernel_area *a;

	if (!k)
		return false;
	if (rangeset_find(&k->lazy, va))
		return true;
	/* Pages of a block wait for the purge too. */
	a = kernel_area_at(k, va);
	return a && (a->flags & KA_BLOCK);
}

static void
area_insert(struct kernel_half *k, struct kernel_area *a)
{
	g_ptr_array_insert(k->areas, (gint)area_index(k, a->start), a);
}

void
kernel_area_adopt(struct vm *vm, struct kernel_area *a)
{
	struct kernel_half *k = vm->kernel;

	rangeset_remove(&k->free, a->start, a->end);
	a->id = ++k->last_area & OWNER_NUMBER_MAX;
	area_insert(k, a);
}

struct kernel_area *
kernel_area_new(struct vm *vm, const struct kernel_request *q, uint64_t nr,
		uint64_t align, uint32_t flags)
{
	struct kernel_half *k = vm->kernel;
	const struct vm_layout *l = &vm->layout;
	va_t start = q->module ? l->modules : l->vmalloc_start;
	va_t end = q->module ? l->modules_end : l->vmalloc_end;
	uint64_t size = nr << VM_PAGE_SHIFT;
	struct kernel_area *a;
	va_t at;

	if (!(flags & (KA_RAM | KA_BLOCK)))
		size += VM_PAGE;
	at = lowest_match(k, size, align, start, end);
	if (!at && kernel_purge(vm, q->cpu))
		at = lowest_match(k, size, align, start, end);
	if (!at) {
		if (!(q->gfp & __GFP_NOWARN))
			vm_printk(vm,
				  "vmap allocation for size %" PRIu64
				  " failed: use vmalloc=<size> to increase "
				  "size",
				  size);
		return NULL;
	}
	a = g_new0(struct kernel_area, 1);
	a->start = at;
	a->end = at + size;
	a->flags = flags | (q->module ? KA_MODULE : 0);
	a->caller = q->caller;
	a->nr_pages = nr;
	kernel_area_adopt(vm, a);
	return a;
}

void
kernel_area_free(struct kernel_area *a)
{
	g_free(a->pages);
	g_free(a);
}

void
kernel_area_retire(struct vm *vm, struct kernel_area *a)
{
	struct kernel_half *k = vm->kernel;

	if (vm->init_mm)
		kernel_clear(vm, a->start, a->nr_pages);
	if (vm->init_mm && vm->hooks.areas_gone)
		vm->hooks.areas_gone(vm->hooks.user, vm->init_mm, a->start,
				     a->end);
	g_ptr_array_remove_index(k->areas, area_index(k, a->start));
	rangeset_add(&k->lazy, a->start, a->end, 0);
	k->lazy_pages += (a->end - a->start) >> VM_PAGE_SHIFT;
	kernel_area_free(a);
}

void
kernel_area_drop(struct vm *vm, struct kernel_area *a, unsigned int cpu)
{
	kernel_area_retire(vm, a);
	if (vm->kernel->lazy_pages > kernel_lazy_max(vm))
		kernel_purge(vm, cpu);
}
