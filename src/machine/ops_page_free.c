// SPDX-License-Identifier: MIT
/*
 * ops_page_free.c - giving pages back, and the kinds of address of a page
 *
 * What it models: __free_pages, free_pages, free_pages_exact, page_address,
 * __pa, __va of 6.1.192.  Freeing what is not allocated, a part, or with the
 * wrong function is refused and changes nothing, where a kernel would be
 * damaged.
 */
#include "kmemfs/ops.h"

#include "kmemfs/base/text.h"
#include "kmemfs/vm/kernel.h"
#include "ops_page_impl.h"

#include <errno.h>

va_t
page_to_virt(const struct machine *m, pfn_t pfn)
{
	return m->phys->arch->page_offset + (pfn << m->phys->page_shift);
}

bool
page_is_logical(const struct machine *m, pfn_t pfn)
{
	return pfn < m->phys->max_low_pfn;
}

static int
resolve_name(struct op *op, int param, const char *name,
	     struct allocation **found)
{
	*found = allocation_find(op->m, name);
	if (!*found)
		return op_refuse(op, param, ENOENT,
				 "there is no allocation called %s", name);
	return 0;
}

/* Pages are what page/ ops work on; objects have their own. */
static int
check_is_pages(struct op *op, int param, const struct allocation *a)
{
	struct out free = OUT_INIT;
	char name[16];

	if (a->kind == ALLOCATION_PAGES)
		return 0;
	allocation_free_words(op->m, a, &free);
	op_refuse(op, param, EINVAL, "%s is an object, not pages: %s frees it",
		  allocation_name(a, name), out_text(&free));
	out_fini(&free);
	return -EINVAL;
}

/* @pfn is of no allocation; if it is a slab's, that is the reason. */
static int
refuse_pfn(struct op *op, int param, pfn_t pfn)
{
	const struct machine *m = op->m;
	const struct slab *slab =
		slab_of(m->slab, m->phys->arch->page_offset +
					 (pfn << m->phys->page_shift));

	if (slab)
		return op_refuse(op, param, EINVAL,
				 "pfn %llu is a page of slab cache %s, which "
				 "gives it back itself",
				 (unsigned long long)pfn, slab->cache->name);
	return op_refuse(op, param, EINVAL,
			 "pfn %llu is not the first page of a live "
			 "allocation",
			 (unsigned long long)pfn);
}

static int
resolve_pfn(struct op *op, int param, pfn_t pfn, struct allocation **found)
{
	const struct phys *phys = op->m->phys;
	const struct frame *frame;

	if (pfn >= phys->max_pfn)
		return op_refuse(op, param, EINVAL,
				 "pfn %llu is beyond the machine's memory",
				 (unsigned long long)pfn);
	frame = &phys->frames[pfn];
	*found = NULL;
	if (frame->state == FRAME_ALLOCATED && frame->owner)
		*found = allocation_get(op->m, frame->owner);
	if (!*found || (*found)->pfn != pfn)
		return refuse_pfn(op, param, pfn);
	return check_is_pages(op, param, *found);
}

int
resolve_page(struct op *op, int param, const char *page,
	     struct allocation **found)
{
	uint64_t pfn;
	int err;

	if (text_u64(page, &pfn))
		return resolve_pfn(op, param, pfn, found);
	err = resolve_name(op, param, page, found);
	return err ? err : check_is_pages(op, param, *found);
}

/* The pfn behind a logical address. */
static int
logical_pfn(struct op *op, int param, uint64_t address, pfn_t *pfn)
{
	const struct phys *phys = op->m->phys;
	va_t start = phys->arch->page_offset;

	*pfn = (address - start) >> phys->page_shift;
	if (address < start || !page_is_logical(op->m, *pfn))
		return op_refuse(op, param, EINVAL,
				 "%#llx is no logical address: they are %#llx "
				 "to %#llx",
				 (unsigned long long)address,
				 (unsigned long long)start,
				 (unsigned long long)page_to_virt(
					 op->m, phys->max_low_pfn) -
					 1);
	return 0;
}

int
resolve_address(struct op *op, int param, const char *address,
		struct allocation **found)
{
	uint64_t value;
	pfn_t pfn;
	int err;

	if (!text_u64(address, &value)) {
		err = resolve_name(op, param, address, found);
		return err ? err : check_is_pages(op, param, *found);
	}
	err = logical_pfn(op, param, value, &pfn);
	return err ? err : resolve_pfn(op, param, pfn, found);
}

/* --- freeing ------------------------------------------------------------- */

static int
check_cpu(struct op *op, uint64_t cpu)
{
	int err = op_check_cpu(op, -1, cpu);

	if (!err)
		op->m->trace.now.cpu = (uint16_t)cpu;
	return err;
}

static int
check_block(struct op *op, int param, const struct allocation *a,
	    bool with_order, uint64_t order)
{
	if (a->exact)
		return op_refuse(op, param, EINVAL,
				 "made by alloc_pages_exact: free it with "
				 "free_pages_exact");
	if (with_order && order != a->order)
		return op_refuse(op, param, EINVAL, "it has order %u, not %llu",
				 a->order, (unsigned long long)order);
	return 0;
}

static int
free_block(struct op *op, struct allocation *a, uint64_t cpu)
{
	pfn_t pfn = a->pfn;
	unsigned int order = a->order;

	allocation_remove(op->m, a);
	op->m->phys->frames[pfn].owner = 0;
	pages_put(op->m->phys, pfn, order, (unsigned int)cpu);
	return 0;
}

/* @order is the op's argument: stored back, so that the journal has it. */
static int
free_found(struct op *op, int param, struct allocation *a, bool with_order,
	   uint64_t *order, uint64_t cpu)
{
	int err = check_block(op, param, a, with_order, *order);

	if (!err)
		err = check_cpu(op, cpu);
	if (err)
		return err;
	*order = a->order;
	return free_block(op, a, cpu);
}

#define GIVEN(op, param) (((op)->given >> (param)) & 1)

int
op_page___free_pages(struct op *op, struct args_page___free_pages *a)
{
	struct allocation *found;
	int err = resolve_page(op, ARG_PAGE___FREE_PAGES_PAGE, a->page, &found);

	if (err)
		return err;
	return free_found(op, ARG_PAGE___FREE_PAGES_PAGE, found,
			  GIVEN(op, ARG_PAGE___FREE_PAGES_ORDER), &a->order,
			  a->cpu);
}

int
op_page___free_page(struct op *op, struct args_page___free_page *a)
{
	struct allocation *found;
	uint64_t single = 0;
	int err = resolve_page(op, ARG_PAGE___FREE_PAGE_PAGE, a->page, &found);

	if (err)
		return err;
	return free_found(op, ARG_PAGE___FREE_PAGE_PAGE, found, true, &single,
			  a->cpu);
}

int
op_page_free_pages(struct op *op, struct args_page_free_pages *a)
{
	struct allocation *found;
	int err = resolve_address(op, ARG_PAGE_FREE_PAGES_ADDRESS, a->address,
				  &found);

	if (err)
		return err;
	return free_found(op, ARG_PAGE_FREE_PAGES_ADDRESS, found,
			  GIVEN(op, ARG_PAGE_FREE_PAGES_ORDER), &a->order,
			  a->cpu);
}

int
op_page_free_page(struct op *op, struct args_page_free_page *a)
{
	struct allocation *found;
	uint64_t single = 0;
	int err = resolve_address(op, ARG_PAGE_FREE_PAGE_ADDRESS, a->address,
				  &found);

	if (err)
		return err;
	return free_found(op, ARG_PAGE_FREE_PAGE_ADDRESS, found, true, &single,
			  a->cpu);
}

int
op_page_free_pages_exact(struct op *op, struct args_page_free_pages_exact *a)
{
	struct phys *phys = op->m->phys;
	struct allocation *found;
	uint64_t nr;
	pfn_t pfn;
	int err = resolve_address(op, ARG_PAGE_FREE_PAGES_EXACT_ADDRESS,
				  a->address, &found);

	if (err)
		return err;
	if (!found->exact)
		return op_refuse(op, ARG_PAGE_FREE_PAGES_EXACT_ADDRESS, EINVAL,
				 "not made by alloc_pages_exact");
	nr = found->nr_pages;
	if (GIVEN(op, ARG_PAGE_FREE_PAGES_EXACT_SIZE) &&
	    (a->size + page_size(phys) - 1) >> phys->page_shift != nr)
		return op_refuse(op, ARG_PAGE_FREE_PAGES_EXACT_SIZE, EINVAL,
				 "it has %llu pages, not so many bytes",
				 (unsigned long long)nr);
	err = check_cpu(op, a->cpu);
	if (err)
		return err;
	a->size = nr << phys->page_shift;
	pfn = found->pfn;
	allocation_remove(op->m, found);
	for (uint64_t i = 0; i < nr; i++) {
		phys->frames[pfn + i].owner = 0;
		pages_put(phys, pfn + i, 0, (unsigned int)a->cpu);
	}
	return 0;
}

/* --- addresses ----------------------------------------------------------- */

int
op_page_page_address(struct op *op, struct args_page_page_address *a)
{
	struct allocation *found;
	pfn_t pfn;
	int err;

	if (!text_u64(a->page, &pfn)) {
		err = resolve_name(op, ARG_PAGE_PAGE_ADDRESS_PAGE, a->page,
				   &found);
		if (err)
			return err;
		pfn = found->pfn;
	}
	if (pfn >= op->m->phys->max_pfn)
		return op_refuse(op, ARG_PAGE_PAGE_ADDRESS_PAGE, EINVAL,
				 "pfn %llu is beyond the machine's memory",
				 (unsigned long long)pfn);
	if (!page_is_logical(op->m, pfn))
		return op_refuse(op, ARG_PAGE_PAGE_ADDRESS_PAGE, EINVAL,
				 "pfn %llu is in HighMem: it has no logical "
				 "address",
				 (unsigned long long)pfn);
	op_answer(op, "%#llx", (unsigned long long)page_to_virt(op->m, pfn));
	return 0;
}

int
op_page___pa(struct op *op, struct args_page___pa *a)
{
	struct allocation *found;
	va_t start = op->m->phys->arch->page_offset;
	uint64_t value;
	pfn_t pfn;
	pa_t pa;
	int err;

	if (!text_u64(a->address, &value)) {
		err = resolve_name(op, ARG_PAGE___PA_ADDRESS, a->address,
				   &found);
		if (err)
			return err;
		value = start + allocation_start(op->m, found);
	}
	/* x86-64 has its image at addresses of its own, which __pa knows. */
	pa = kernel_pa(op->m->vm, value);
	if (pa == UINT64_MAX || pa == value - start) {
		err = logical_pfn(op, ARG_PAGE___PA_ADDRESS, value, &pfn);
		if (err)
			return err;
		pa = value - start;
	}
	op_answer(op, "%#llx", (unsigned long long)pa);
	return 0;
}

int
op_page___va(struct op *op, struct args_page___va *a)
{
	const struct phys *phys = op->m->phys;

	if (!page_is_logical(op->m, a->physical >> phys->page_shift))
		return op_refuse(op, ARG_PAGE___VA_PHYSICAL, EINVAL,
				 "%#llx is beyond the direct map",
				 (unsigned long long)a->physical);
	op_answer(op, "%#llx",
		  (unsigned long long)(phys->arch->page_offset + a->physical));
	return 0;
}
