// SPDX-License-Identifier: MIT
/*
 * fault.h - touching memory: through the TLB, through faults, around them
 *
 * Source: arch/x86/mm/fault.c, mm/memory.c, mm/gup.c, mm/rmap.c of 6.1.192.
 */
#ifndef KMEMFS_VM_FAULT_H
#define KMEMFS_VM_FAULT_H

#include "kmemfs/vm/task.h"

/* --- a CPU's access ----------------------------------------------------- */

struct vm_access {
	va_t va;
	uint64_t len; /* 0: nothing happens */
	enum mmu_access access;
	bool user;	/* mode that the CPU is in */
	bool ac;	/* EFLAGS.AC: the kernel means to touch user memory */
	uint8_t *bytes; /* read: stored here; written: taken from here; NULL: a
			   write changes nothing but bits of entries */
};

struct vm_access_result {
	uint64_t done; /* bytes */
	uint32_t l1_hits, l2_hits, walks, faults, major;
	bool stale;	     /* a TLB entry was used that tables deny */
	uint32_t sig;	     /* what the task was sent, 0 */
	uint32_t error_code; /* of the last #PF */
	pa_t pa;	     /* of the last byte's page access */
	uint64_t cycles;
};

/*
 * CPU @cpu's current task touches memory.  0; -EFAULT: a signal was sent, or
 * in kernel mode the address is bad; -ENOMEM: no frame; -ENOSPC: the host's
 * limit; -EINVAL: no such CPU, or one that has no tables yet; -ELOOP: damaged
 * tables forbid what the area allows, so that a kernel would fault for ever.
 * What was done before stays.
 */
int vm_access(struct vm *vm, unsigned int cpu, const struct vm_access *a,
	      struct vm_access_result *result);
/*
 * Where an access would go, changing nothing: the walk of @t's tables.
 */
void vm_translate(const struct vm *vm, const struct task *t,
		  const struct mmu_request *request, struct mmu_result *result);
/* As the kernel copies on behalf of @t, which need not run: bytes copied, the
 * rest could not be; faults are handled. */
uint64_t vm_copy_to_user(struct vm *vm, struct task *t, va_t to,
			 const void *from, uint64_t len);
uint64_t vm_copy_from_user(struct vm *vm, struct task *t, void *to, va_t from,
			   uint64_t len);
/* A debugger's look: no fault, no bit set; what is not there reads as zeros.
 * @t NULL: the kernel's tables.  Returns whether all was there. */
bool vm_peek(const struct vm *vm, const struct task *t, va_t from, void *to,
	     uint64_t len);

/* --- faults ------------------------------------------------------------- */

enum vm_fault_flags {
	VMF_WRITE = 1 << 0,
	VMF_EXEC = 1 << 1,
	VMF_USER = 1 << 2,
	VMF_UNSHARE = 1 << 3, /* a page of its own, to read */
};

enum vm_fault_result {
	VM_FAULT_OOM = 1 << 0,
	VM_FAULT_SIGBUS = 1 << 1,
	VM_FAULT_SIGSEGV = 1 << 2,
	VM_FAULT_MAJOR = 1 << 3,
	VM_FAULT_HOST = 1 << 4, /* the host's limit of bytes */
	VM_FAULT_ERROR = VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV |
			 VM_FAULT_HOST
};

/* Put a page at @va, which lies in @v and may be accessed so; @t (NULL:
 * nobody) is counted for.  enum vm_fault_result. */
unsigned int vm_handle_fault(struct vm *vm, struct task *t, struct vma *v,
			     va_t va, unsigned int flags, unsigned int cpu);
/* Fault in @start..@end as mlock and MAP_POPULATE do: 0, or what stopped it:
 * -ENOMEM, -EFAULT, -ENOSPC. */
int vm_populate(struct vm *vm, struct task *t, va_t start, va_t end);
/* Fault in @start..@end of @v, to be written to or read, and mark it used. */
int vma_fault_in(struct vm *vm, struct task *t, struct vma *v, va_t start,
		 va_t end, bool write);

/* --- pages of a task that others use ------------------------------------ */

/*
 * Fault in and pin (FOLL_PIN) up to @nr pages from @va on: how many, fewer when
 * one cannot be had, -EFAULT when not even the first.
 */
int64_t vm_pin_pages(struct vm *vm, struct task *t, va_t va, uint64_t nr,
		     bool write, pfn_t *pfns);
/* Give a pinned page back; with @dirty it was written to.  -EINVAL when it is
 * not pinned. */
int vm_unpin_page(struct vm *vm, pfn_t pfn, bool dirty, unsigned int cpu);

/* --- the way back ------------------------------------------------------- */

typedef void (*vm_rmap_fn)(void *user, struct vma *v, va_t va, pa_t entry_at,
			   uint64_t entry);
/* Tell of each entry that maps frame @pfn; returns how many. */
unsigned int vm_rmap_walk(const struct vm *vm, pfn_t pfn, vm_rmap_fn fn,
			  void *user);

#endif
