// SPDX-License-Identifier: MIT
/*
 * ops_page_impl.h - names and addresses to allocations; ops_page*.c only
 */
#ifndef KMEMFS_MACHINE_OPS_PAGE_IMPL_H
#define KMEMFS_MACHINE_OPS_PAGE_IMPL_H

#include "kmemfs/machine/op.h"

/* Logical address of @pfn, which lies in the direct map. */
va_t page_to_virt(const struct machine *m, pfn_t pfn);
/* Whether @pfn lies in the direct map: not HighMem, not beyond memory. */
bool page_is_logical(const struct machine *m, pfn_t pfn);

/*
 * The live allocation that the word @page names, by name or by its first pfn.
 * Returns 0, or refuses @op: ENOENT no such name, EINVAL not the first frame
 * of an allocation of ours.
 */
int resolve_page(struct op *op, int param, const char *page,
		 struct allocation **found);
/* Ditto by name or logical address. */
int resolve_address(struct op *op, int param, const char *address,
		    struct allocation **found);

#endif
