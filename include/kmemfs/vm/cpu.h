// SPDX-License-Identifier: MIT
/*
 * cpu.h - a CPU by itself: its registers, its TLB, accesses no kernel helps
 *
 * Here is what the processor does; fault.h has what the kernel makes of it.
 *
 * Source: Intel SDM volume 3, 2.5, 4.7, 4.10, 5.9.
 */
#ifndef KMEMFS_VM_CPU_H
#define KMEMFS_VM_CPU_H

#include "kmemfs/vm/vm.h"

/* PCID of a user half's tables: that of the kernel's and this. */
#define CPU_PCID_USER 2048
/* CR3: leave the TLB alone. */
#define CPU_CR3_NOFLUSH (1ULL << 63)

struct cpu_result {
	enum mmu_outcome outcome;
	uint32_t error_code; /* of a page fault */
	pa_t pa;	     /* MMU_OK */
	enum tlb_where where;
	bool stale;	 /* a TLB entry was used that tables deny */
	uint8_t written; /* entries whose A or D was set */
	uint32_t cycles; /* with its reads of tables, without the access */
	struct mmu_result walk; /* when one was needed: TLB_MISS */
};

/*
 * CPU @cpu looks @request up as before an access: TLB, walk, A and D bits.  A
 * page fault drops the page from the TLB and leaves its address in CR2; nobody
 * mends it.
 */
void cpu_look(struct vm *vm, unsigned int cpu,
	      const struct mmu_request *request, struct cpu_result *result);
/* The walk alone; nothing changes. */
void cpu_walk(const struct vm *vm, unsigned int cpu,
	      const struct mmu_request *request, struct mmu_result *result);
/* Cycles of CPU @cpu for @len bytes at @at, a line's at most; its caches
 * change.  0 without a model of them. */
uint32_t cpu_cost(struct vm *vm, unsigned int cpu, pa_t at, unsigned int len,
		  bool write);
/* The walk of an access, from what the TLB keeps of upper entries; counts and
 * costs it.  Its cycles. */
uint32_t cpu_walk_tables(struct vm *vm, unsigned int cpu,
			 const struct mmu_request *request,
			 struct mmu_result *result);

/*
 * MOV to CR3, by hand: tables may be anywhere.  With PCIDs its low 12 bits are
 * the PCID.  -EFAULT (#GP): reserved bits, a bad PDPTE; -ENOSYS: no tables.
 */
int cpu_load_cr3(struct vm *vm, unsigned int cpu, uint64_t cr3);
/* What reading CR3 gives. */
uint64_t cpu_cr3(const struct vm *vm, const struct vm_cpu *c);
/* INVLPG. */
void cpu_invlpg(struct vm *vm, unsigned int cpu, va_t va);
/* Flush all; global entries too if @global. */
void cpu_flush(struct vm *vm, unsigned int cpu, bool global);

/* Bits of control registers that a walk depends on. */
enum cpu_bit {
	CPU_WP,	  /* CR0 */
	CPU_PSE,  /* CR4 */
	CPU_SMEP, /* CR4 */
	CPU_SMAP, /* CR4 */
	CPU_NXE,  /* EFER */
	NR_CPU_BITS
};

extern const char *const cpu_bit_names[NR_CPU_BITS];

bool cpu_bit(const struct vm_cpu *c, enum cpu_bit bit);
/* Set one; the TLB forgets what the processor then forgets.  -ENOSYS: the
 * mode has no such bit. */
int cpu_set_bit(struct vm *vm, unsigned int cpu, enum cpu_bit bit, bool on);
/* The registers themselves, with those bits that never change here. */
uint64_t cpu_cr0(const struct vm_cpu *c);
uint64_t cpu_cr4(const struct vm *vm, const struct vm_cpu *c);
uint64_t cpu_efer(const struct vm_cpu *c);

/*
 * Enter user or kernel mode.  With separate user tables CR3 changes; without
 * PCIDs that empties the TLB.
 */
void cpu_set_mode(struct vm *vm, unsigned int cpu, bool user);

#endif
