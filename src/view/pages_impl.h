// SPDX-License-Identifier: MIT
/* pages_impl.h - what pages/PFN says of frames that tasks and tables have */
#ifndef KMEMFS_VIEW_PAGES_IMPL_H
#define KMEMFS_VIEW_PAGES_IMPL_H

#include "kmemfs/view/view.h"

/* The line "owner ..." of a block that virtual memory has, by its first frame;
 * false, and nothing is printed, when it is another's. */
bool page_put_vm_owner(const struct machine *m, pfn_t head, struct out *out);
/* What is known of a page of virtual memory, each name after *@before, which
 * becomes "|". */
void page_put_vm_flags(const struct machine *m, pfn_t head, const char **before,
		       struct out *out);

#endif
