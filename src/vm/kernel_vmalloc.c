// SPDX-License-Identifier: MIT
/*
 * kernel_vmalloc.c - vmalloc, vmap, and their ends
 *
 * What it models: __vmalloc_node_range, __vmalloc_area_node,
 * vm_area_alloc_pages, vmap, __vunmap (mm/vmalloc.c).
 *
 * How it works: pages come from the page allocator in bulks of up to a hundred
 * single ones, so that they need not be neighbours, each with an entry of its
 * own.  The list of them, when it is longer than a page, is itself vmalloc'd:
 * an area of its own that the kernel's list shows too.  What is freed is
 * unmapped and its pages go at once; its addresses wait for a purge
 * (kernel_area.c), so a TLB may lead to pages that are somebody else's by now.
 *
 * Differs from the kernel: shorter lists take no memory of a slab; no huge
 * pages.
 */
#include "kernel_impl.h"

#include <errno.h>
#include <inttypes.h>

#define BULK_MOST 100

/* --- pages ---------------------------------------------------------------- */

static void
own(struct vm *vm, pfn_t pfn, uint32_t owner, gfp_t gfp)
{
	vm->phys->frames[pfn].owner = owner;
	if (gfp & __GFP_ZERO)
		ram_zero(vm->ram, pfn << VM_PAGE_SHIFT, VM_PAGE);
}

static void
put_first(struct vm *vm, const pfn_t *pages, uint64_t nr, unsigned int cpu)
{
	for (uint64_t n = 0; n < nr; n++) {
		vm->phys->frames[pages[n]].owner = 0;
		pages_put(vm->phys, pages[n], 0, cpu);
	}
}

void
kernel_pages_put(struct vm *vm, const struct kernel_area *a, unsigned int cpu)
{
	put_first(vm, a->pages, a->nr_pages, cpu);
}

/* Bulks first; what they do not give is asked for one by one. */
static uint64_t
take_pages(struct vm *vm, const struct page_request *r, pfn_t *pages,
	   uint64_t nr)
{
	uint64_t have = 0;

	while (have < nr) {
		unsigned int want = (unsigned int)MIN_OF(nr - have, BULK_MOST);
		int got = pages_alloc_bulk(vm->phys, r, want, pages + have);

		have += (uint64_t)MAX_OF(got, 0);
		if (got != (int)want)
			break;
	}
	while (have < nr && !pages_alloc(vm->phys, r, &pages[have]))
		have++;
	return have;
}

int
kernel_pages_get(struct vm *vm, struct kernel_area *a,
		 const struct kernel_request *q, uint32_t owner)
{
	const struct page_request r = {
		.gfp = q->gfp | __GFP_NOWARN |
		       (q->gfp & (__GFP_DMA | __GFP_DMA32) ? 0 : __GFP_HIGHMEM),
		.nid = q->nid,
		.cpu = q->cpu,
	};
	uint64_t have;

	a->pages = g_new(pfn_t, a->nr_pages);
	have = take_pages(vm, &r, a->pages, a->nr_pages);
	if (have == a->nr_pages) {
		for (uint64_t n = 0; n < have; n++)
			own(vm, a->pages[n], owner, q->gfp);
		return 0;
	}
	put_first(vm, a->pages, have, q->cpu);
	g_free(a->pages);
	a->pages = NULL;
	if (!(q->gfp & __GFP_NOWARN))
		vm_printk(vm,
			  "vmalloc error: size %" PRIu64
			  ", page order 0, failed to allocate pages",
			  have << VM_PAGE_SHIFT);
	return -ENOMEM;
}

int
kernel_area_enter(struct vm *vm, const struct kernel_area *a, uint64_t bits,
		  unsigned int cpu)
{
	const struct kernel_source from = {a->pages, a->phys >> VM_PAGE_SHIFT,
					   bits};

	return kernel_enter(vm, a->start, &from, a->nr_pages, cpu);
}

/* --- vmalloc -------------------------------------------------------------- */

static int vmalloc_area(struct vm *vm, const struct kernel_request *q,
			uint64_t nr, struct kernel_area **area);

/* The list of its pages has an area of its own when it is long. */
static int
array_for(struct vm *vm, struct kernel_area *a, const struct kernel_request *q)
{
	uint64_t bytes = a->nr_pages * (vm->mode <= MMU_PAE ? 4 : 8);
	struct kernel_request nested = *q;
	int err;

	if (bytes <= VM_PAGE)
		return 0;
	nested.gfp = GFP_KERNEL | __GFP_ZERO | (q->gfp & __GFP_NOWARN);
	nested.module = false;
	err = vmalloc_area(vm, &nested, page_align(bytes) >> VM_PAGE_SHIFT,
			   &a->array);
	if (err == -ENOMEM && !(q->gfp & __GFP_NOWARN))
		vm_printk(vm,
			  "vmalloc error: size %" PRIu64
			  ", failed to allocated page array size %" PRIu64,
			  a->nr_pages << VM_PAGE_SHIFT, bytes);
	return err;
}

static void free_area(struct vm *vm, struct kernel_area *a, bool pages,
		      unsigned int cpu);

static int
vmalloc_area(struct vm *vm, const struct kernel_request *q, uint64_t nr,
	     struct kernel_area **area)
{
	struct kernel_half *k = vm->kernel;
	struct kernel_area *a;
	int err;

	a = kernel_area_new(vm, q, nr, VM_PAGE, KA_ALLOC);
	if (!a) {
		if (!(q->gfp & __GFP_NOWARN))
			vm_printk(vm,
				  "vmalloc error: size %" PRIu64
				  ", vm_struct allocation failed",
				  nr << VM_PAGE_SHIFT);
		return -ENOMEM;
	}
	err = array_for(vm, a, q);
	if (!err)
		err = kernel_pages_get(vm, a, q,
				       frame_owner(OWNER_VMALLOC, a->id));
	if (err) {
		a->nr_pages = 0;
		free_area(vm, a, false, q->cpu);
		return err;
	}
	k->vmalloc_pages += nr;
	err = kernel_area_enter(vm, a, kernel_prot(vm), q->cpu);
	if (err) {
		if (err == -ENOMEM && !(q->gfp & __GFP_NOWARN))
			vm_printk(vm,
				  "vmalloc error: size %" PRIu64
				  ", failed to map pages",
				  nr << VM_PAGE_SHIFT);
		free_area(vm, a, true, q->cpu);
		return err;
	}
	*area = a;
	return 0;
}

int
kernel_vmalloc(struct vm *vm, const struct kernel_request *q, uint64_t size,
	       struct kernel_area **area)
{
	uint64_t nr = size >> VM_PAGE_SHIFT;
	int err = kernel_start(vm, q->cpu);

	if (err)
		return err;
	if (!size) {
		vm_printk(vm,
			  "WARNING: CPU: %u PID: %d at mm/vmalloc.c:3227 "
			  "__vmalloc_node_range",
			  q->cpu,
			  vm->cpu[q->cpu].current ? vm->cpu[q->cpu].current->pid
						  : 0);
		return -EINVAL;
	}
	if (nr > vm_total_pages(vm)) {
		if (!(q->gfp & __GFP_NOWARN))
			vm_printk(vm,
				  "vmalloc error: size %" PRIu64
				  ", exceeds total pages",
				  size);
		return -ENOMEM;
	}
	return vmalloc_area(vm, q, (size + VM_PAGE - 1) >> VM_PAGE_SHIFT, area);
}

/* --- the end -------------------------------------------------------------- */

/* Unmap; with @pages its pages go too. */
static void
free_area(struct vm *vm, struct kernel_area *a, bool pages, unsigned int cpu)
{
	struct kernel_half *k = vm->kernel;
	struct kernel_area *array = a->array;
	struct kernel_area gone = *a;

	/* The record goes before its pages do. */
	a->pages = NULL;
	kernel_area_drop(vm, a, cpu);
	if (pages && gone.pages) {
		kernel_pages_put(vm, &gone, cpu);
		if (!(gone.flags & KA_PUT_PAGES))
			k->vmalloc_pages -= gone.nr_pages;
	}
	g_free(gone.pages);
	if (array)
		free_area(vm, array, true, cpu);
}

/* vunmap() of what vmalloc() made: its pages, and their list, stay for ever. */
static void
leak(struct vm *vm, struct kernel_area *a)
{
	for (uint64_t n = 0; n < a->nr_pages; n++)
		vm->phys->frames[a->pages[n]].owner = 0;
	vm->kernel->leaked_pages += a->nr_pages;
	a->array = NULL;
}

static int
vunmap(struct vm *vm, va_t va, bool pages, unsigned int cpu)
{
	struct kernel_area *a;

	if (!va)
		return 0;
	if (!page_aligned(va)) {
		vm_printk(vm, "Trying to vfree() bad address (%016" PRIx64 ")",
			  va);
		return -EINVAL;
	}
	a = kernel_area_find(vm->kernel, va);
	if (!a || (a->flags & (KA_RAM | KA_BLOCK))) {
		vm_printk(vm,
			  "Trying to vfree() nonexistent vm area (%016" PRIx64
			  ")",
			  va);
		return -EINVAL;
	}
	if (a->flags & KA_ALLOC && !pages)
		leak(vm, a);
	free_area(vm, a, pages && (a->flags & (KA_ALLOC | KA_PUT_PAGES)), cpu);
	return 0;
}

int
kernel_vfree(struct vm *vm, va_t va, unsigned int cpu)
{
	return vunmap(vm, va, true, cpu);
}

int
kernel_vunmap(struct vm *vm, va_t va, unsigned int cpu)
{
	return vunmap(vm, va, false, cpu);
}

/* --- vmap ----------------------------------------------------------------- */

int
kernel_vmap(struct vm *vm, const struct kernel_request *q, const pfn_t *pages,
	    uint64_t nr, bool put, struct kernel_area **area)
{
	struct kernel_area *a;
	int err = kernel_start(vm, q->cpu);

	if (err)
		return err;
	if (!nr)
		return -EINVAL;
	if (nr > vm_total_pages(vm))
		return -ENOMEM;
	a = kernel_area_new(vm, q, nr, VM_PAGE,
			    KA_MAP | (put ? KA_PUT_PAGES : 0));
	if (!a)
		return -ENOMEM;
	a->pages = g_memdup2(pages, nr * sizeof(*pages));
	err = kernel_area_enter(vm, a, kernel_prot(vm), q->cpu);
	if (err) {
		free_area(vm, a, false, q->cpu);
		return err;
	}
	*area = a;
	return 0;
}
