// SPDX-License-Identifier: MIT
/*
 * uaccess.c - the kernel copies from and to a task; a debugger looks
 *
 * What it models: copy_to_user, copy_from_user, access_process_vm.
 *
 * How it works: each page is found in the task's tables by software, faulted in
 * where it is missing, and its bytes are copied; the first that cannot be had
 * ends the copy.
 */
#include "vm_impl.h"

#include <string.h>

/* The frame at @va for the access; false: -EFAULT. */
static bool
user_frame(struct vm *vm, struct task *t, va_t va, bool write, pfn_t *pfn)
{
	uint64_t need = PTE_P | (write ? PTE_RW : 0);

	for (int tries = 0; tries < 4; tries++) {
		struct vma *v = vma_find(t->mm, va);
		uint64_t bits = PTE_A | (write ? pte_dirty_bits(vm) : 0);
		struct vm_leaf leaf;

		if (!v || (v->start > va && vma_expand_stack(vm, t, v, va)) ||
		    !(v->flags & (write ? VM_WRITE : VM_ACCESS_FLAGS)))
			return false;
		if (vm_leaf(vm, t->mm, va, &leaf) &&
		    (leaf.entry & need) == need) {
			if ((leaf.entry & bits) != bits)
				pte_store(vm, leaf.at, leaf.entry | bits);
			*pfn = leaf.pfn;
			return true;
		}
		if (vm_handle_fault(vm, t, v, va, write ? VMF_WRITE : 0,
				    t->cpu) &
		    VM_FAULT_ERROR)
			return false;
	}
	return false;
}

static uint64_t
copy(struct vm *vm, struct task *t, va_t va, void *to, const void *from,
     uint64_t len)
{
	uint64_t done = 0;

	if (!task_mm(vm, t) || va > vm->layout.task_size ||
	    len > vm->layout.task_size - va)
		return 0;
	while (done < len) {
		uint64_t offset = (va + done) & (VM_PAGE - 1);
		uint64_t part = MIN_OF(len - done, VM_PAGE - offset);
		pfn_t pfn;
		pa_t pa;

		if (!user_frame(vm, t, va + done, from != NULL, &pfn))
			break;
		pa = (pfn << VM_PAGE_SHIFT) + offset;
		if (to)
			ram_read(vm->ram, pa, (uint8_t *)to + done, part);
		else if (pg_write_bytes(vm, pa, (const uint8_t *)from + done,
					part))
			break;
		done += part;
	}
	return done;
}

uint64_t
vm_copy_to_user(struct vm *vm, struct task *t, va_t to, const void *from,
		uint64_t len)
{
	return copy(vm, t, to, NULL, from, len);
}

uint64_t
vm_copy_from_user(struct vm *vm, struct task *t, void *to, va_t from,
		  uint64_t len)
{
	return copy(vm, t, from, to, NULL, len);
}

bool
vm_peek(const struct vm *vm, const struct task *t, va_t from, void *to,
	uint64_t len)
{
	bool all = true;

	for (uint64_t done = 0; done < len;) {
		const struct mmu_request q = {
			.va = from + done, .access = MMU_READ, .ac = true};
		uint64_t part =
			MIN_OF(len - done, VM_PAGE - (q.va & (VM_PAGE - 1)));
		uint8_t *into = (uint8_t *)to + done;
		struct mmu_result w = {.outcome = MMU_PAGE_FAULT};

		if (!t || t->mm)
			vm_translate(vm, t, &q, &w);
		if (w.outcome == MMU_OK) {
			ram_read(vm->ram, w.pa, into, part);
		} else {
			memset(into, 0, part);
			all = false;
		}
		done += part;
	}
	return all;
}
