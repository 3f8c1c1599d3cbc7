// SPDX-License-Identifier: MIT
/*
 * kernel_map_ram.c - vm_map_ram: mappings for a short while
 *
 * What it models: vm_map_ram, vm_unmap_ram, vb_alloc, vb_free,
 * purge_fragmented_blocks (mm/vmalloc.c).
 *
 * How it works: up to as many pages as a word has bits are cut from a block of
 * addresses that the CPU has on its list; what is given back is dirty, and is
 * not given again: when all of a block is dirty, or at a purge all that is not
 * free, it goes as a whole.  Larger ones are areas without a guard page.
 */
#include "kernel_impl.h"

#include <errno.h>
#include <limits.h>

/* VMAP_BBMAP_BITS for 8192 CPUs, and for 32. */
#define BLOCK_PAGES_64 256U
#define BLOCK_PAGES_32 64U

static bool
is_wide(const struct vm *vm)
{
	return vm->mode >= MMU_4LEVEL;
}

static uint32_t
block_pages(const struct vm *vm)
{
	return is_wide(vm) ? BLOCK_PAGES_64 : BLOCK_PAGES_32;
}

/* VMAP_MAX_ALLOC */
static uint64_t
small_most(const struct vm *vm)
{
	return is_wide(vm) ? 64 : 32;
}

/* Pages that a request for @nr takes of a block. */
static uint32_t
taken(uint64_t nr)
{
	uint32_t pages = 1;

	while (pages < nr)
		pages <<= 1;
	return pages;
}

static struct kernel_block *
block_nth(const struct kernel_half *k, guint n)
{
	return &g_array_index(k->blocks, struct kernel_block, n);
}

static struct kernel_block *
new_block(struct vm *vm, const struct kernel_request *q)
{
	struct kernel_half *k = vm->kernel;
	uint32_t pages = block_pages(vm);
	struct kernel_block b = {.cpu = q->cpu, .free = pages};

	b.area = kernel_area_new(vm, q, pages, (uint64_t)pages << VM_PAGE_SHIFT,
				 KA_RAM | KA_BLOCK);
	if (!b.area)
		return NULL;
	b.area->pages = g_new(pfn_t, pages);
	for (uint32_t n = 0; n < pages; n++)
		b.area->pages[n] = PFN_NONE;
	g_array_append_val(k->blocks, b);
	return block_nth(k, k->blocks->len - 1);
}

/* vb_alloc(): where @nr pages may be mapped, 0. */
static va_t
block_alloc(struct vm *vm, const struct kernel_request *q, uint64_t nr,
	    struct kernel_area **area)
{
	struct kernel_half *k = vm->kernel;
	uint32_t pages = taken(nr);
	struct kernel_block *b = NULL;
	va_t at;

	for (guint n = 0; n < k->blocks->len && !b; n++)
		if (block_nth(k, n)->cpu == q->cpu &&
		    block_nth(k, n)->free >= pages)
			b = block_nth(k, n);
	if (!b)
		b = new_block(vm, q);
	if (!b)
		return 0;
	at = b->area->start +
	     ((uint64_t)(block_pages(vm) - b->free) << VM_PAGE_SHIFT);
	b->free -= pages;
	if (!b->free)
		b->cpu = UINT_MAX;
	*area = b->area;
	return at;
}

static void
block_free(struct vm *vm, guint n, unsigned int cpu)
{
	struct kernel_area *a = block_nth(vm->kernel, n)->area;

	g_array_remove_index(vm->kernel->blocks, n);
	a->nr_pages = 0;
	kernel_area_drop(vm, a, cpu);
}

static void
block_put(struct vm *vm, va_t at, uint64_t nr, unsigned int cpu)
{
	struct kernel_half *k = vm->kernel;
	guint n = 0;

	while (block_nth(k, n)->area != kernel_area_at(k, at))
		n++;
	block_nth(k, n)->dirty += taken(nr);
	if (block_nth(k, n)->dirty == block_pages(vm))
		block_free(vm, n, cpu);
}

void
kernel_blocks_purge(struct vm *vm)
{
	struct kernel_half *k = vm->kernel;

	for (guint n = 0; n < k->blocks->len;) {
		const struct kernel_block *b = block_nth(k, n);
		struct kernel_area *a = b->area;

		if (b->free + b->dirty != block_pages(vm) || !b->dirty) {
			n++;
			continue;
		}
		/* As block_free(), without a purge in the purge. */
		g_array_remove_index(k->blocks, n);
		a->nr_pages = 0;
		kernel_area_retire(vm, a);
	}
}

/* --- the calls ------------------------------------------------------------ */

static int
enter(struct vm *vm, struct kernel_area *a, va_t at, const pfn_t *pages,
      uint64_t nr, unsigned int cpu)
{
	const struct kernel_source from = {pages, 0, kernel_prot(vm)};
	int err = kernel_enter(vm, at, &from, nr, cpu);

	for (uint64_t n = 0; !err && n < nr; n++)
		a->pages[((at - a->start) >> VM_PAGE_SHIFT) + n] = pages[n];
	return err;
}

/* Its entries are out; give the addresses back. */
static void
give_back(struct vm *vm, struct kernel_area *a, va_t at, uint64_t nr,
	  unsigned int cpu)
{
	if (!(a->flags & KA_BLOCK)) {
		kernel_area_drop(vm, a, cpu);
		return;
	}
	kernel_clear(vm, at, nr);
	if (vm->hooks.areas_gone)
		vm->hooks.areas_gone(vm->hooks.user, vm->init_mm, at,
				     at + (nr << VM_PAGE_SHIFT));
	for (uint64_t n = 0; n < nr; n++)
		a->pages[((at - a->start) >> VM_PAGE_SHIFT) + n] = PFN_NONE;
	block_put(vm, at, nr, cpu);
}

int
kernel_map_ram(struct vm *vm, const struct kernel_request *q,
	       const pfn_t *pages, uint64_t nr, va_t *at)
{
	struct kernel_area *a = NULL;
	int err = kernel_start(vm, q->cpu);

	if (err)
		return err;
	if (!nr)
		return -EINVAL;
	if (nr > vm_total_pages(vm))
		return -ENOMEM;
	if (nr <= small_most(vm)) {
		*at = block_alloc(vm, q, nr, &a);
	} else {
		a = kernel_area_new(vm, q, nr, VM_PAGE, KA_RAM);
		if (a)
			a->pages = g_new0(pfn_t, nr);
		*at = a ? a->start : 0;
	}
	if (!a)
		return -ENOMEM;
	err = enter(vm, a, *at, pages, nr, q->cpu);
	if (err)
		give_back(vm, a, *at, nr, q->cpu);
	else
		g_hash_table_insert(vm->kernel->rams, (gpointer)(uintptr_t)*at,
				    (gpointer)(uintptr_t)nr);
	return err;
}

int
kernel_unmap_ram(struct vm *vm, va_t va, uint64_t nr, unsigned int cpu)
{
	struct kernel_half *k = vm->kernel;
	gpointer key = (gpointer)(uintptr_t)va;

	if (!nr || (uintptr_t)g_hash_table_lookup(k->rams, key) != nr)
		return -EINVAL;
	g_hash_table_remove(k->rams, key);
	give_back(vm, kernel_area_at(k, va), va, nr, cpu);
	return 0;
}
