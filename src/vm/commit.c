// SPDX-License-Identifier: MIT
/*
 * commit.c - how much memory is promised, and when no more is
 *
 * What it models: __vm_enough_memory, vm_commit_limit (mm/util.c).
 *
 * Always true: vm->committed is the sum of the pages of areas with VM_ACCOUNT
 * and of shared anonymous objects that were charged.
 *
 * Differs from the kernel: every refusal prints its line; there it is limited
 * to ten in five seconds.
 */
#include "vm_impl.h"

#include <errno.h>

uint64_t
vm_total_pages(const struct vm *vm)
{
	uint64_t pages = 0;

	for (unsigned int i = 0; i < vm->phys->nr_zones; i++)
		pages += vm->phys->zones[i]->managed_pages;
	return pages;
}

uint64_t
vm_commit_limit(const struct vm *vm)
{
	const struct vm_sysctl_mm *s = &vm->sysctl;
	uint64_t huge = vm->hugetlb ? vm->hugetlb->nr << vm->hugetlb->order : 0;
	uint64_t pages;

	if (s->overcommit_kbytes)
		pages = s->overcommit_kbytes >> (VM_PAGE_SHIFT - 10);
	else
		pages = (uint64_t)((unsigned __int128)(vm_total_pages(vm) -
						       huge) *
				   s->overcommit_ratio / 100);
	return pages;
}

/* overcommit_memory = 2 */
static bool
never_enough(const struct vm *vm, const struct task *t)
{
	const struct vm_sysctl_mm *s = &vm->sysctl;
	int64_t allowed = (int64_t)vm_commit_limit(vm);
	uint64_t reserve = s->user_reserve_kbytes >> (VM_PAGE_SHIFT - 10);

	if (!t || !(t->caps & CAP_SYS_ADMIN_BIT))
		allowed -= (int64_t)(s->admin_reserve_kbytes >>
				     (VM_PAGE_SHIFT - 10));
	if (t && t->mm)
		allowed -= (int64_t)MIN_OF(t->mm->total_vm / 32, reserve);
	return (int64_t)vm->committed >= allowed;
}

int
vm_commit(struct vm *vm, const struct task *t, uint64_t pages)
{
	bool refused = false;

	vm->committed += pages;
	if (vm->sysctl.overcommit_memory == 0)
		refused = pages > vm_total_pages(vm);
	else if (vm->sysctl.overcommit_memory == 2)
		refused = never_enough(vm, t);
	if (!refused)
		return 0;
	vm->committed -= pages;
	vm_printk(vm,
		  "__vm_enough_memory: pid: %d, comm: %s, no enough memory for "
		  "the allocation",
		  t ? t->pid : 0, t ? t->comm : "swapper/0");
	return vm_refuse(vm, -ENOMEM, WHY_PROMISE);
}

void
vm_uncommit(struct vm *vm, uint64_t pages)
{
	KM_DEBUG(pages <= vm->committed);
	vm->committed -= pages;
}
