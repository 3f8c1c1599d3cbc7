// SPDX-License-Identifier: MIT
/*
 * vm.h - virtual memory of one machine: its CPUs, its layout, its tables
 *
 * A task (task.h) has an address space (mm.h); an address space has areas that
 * say what should be where, and page tables, real entries in modelled RAM, that
 * say what is there now.  A CPU that touches an address (fault.h) looks into
 * its TLB, walks the tables (hw/mmu.h) and, when the walk fails, faults; the
 * fault handler puts a page there or tells the task that it has done wrong.
 *
 * What is read back from tables in RAM is untrusted: users may write there.
 *
 * Nothing is allocated before the first task runs: a machine nobody uses has
 * the numbers it booted with.
 *
 * Follows mm/memory.c, mm/mmap.c, kernel/fork.c, arch/x86/mm/fault.c of
 * 6.1.192.
 */
#ifndef KMEMFS_VM_VM_H
#define KMEMFS_VM_VM_H

#include "kmemfs/base/number_stream.h"
#include "kmemfs/base/out.h"
#include "kmemfs/base/refusal.h"
#include "kmemfs/base/symbols.h"
#include "kmemfs/hw/cache.h"
#include "kmemfs/hw/mmu.h"
#include "kmemfs/hw/ram.h"
#include "kmemfs/hw/tlb.h"
#include "kmemfs/phys/pages.h"

struct kernel_config;
struct mm;
struct task;
struct vma;
struct vm_object;
struct anon_vma;
struct kernel_half;

/* The smallest page; tables of other sizes are hw/mmu.h's MMU_CUSTOM, which
 * has no tasks. */
#define VM_PAGE_SHIFT 12
#define VM_PAGE (1ULL << VM_PAGE_SHIFT)

/* What a frame that this layer owns is; by pfn, sparse. */
struct vm_page {
	uint32_t mapping; /* id of an anon_vma, or a vm_object, or an mm */
	uint32_t flags;	  /* enum vm_page_flags */
	uint64_t index;	  /* page offset in it; a table's: first address that
			     it maps, and its level */
};

enum vm_page_flags {
	VMP_ANON = 1 << 0,
	VMP_OBJECT = 1 << 1,
	VMP_EXCLUSIVE = 1 << 2, /* anonymous: one owner for sure */
	VMP_DIRTY = 1 << 3,
	VMP_UPTODATE = 1 << 4,
	VMP_REFERENCED = 1 << 5,
	VMP_ACTIVE = 1 << 6,
	VMP_LRU = 1 << 7,
	VMP_MLOCKED = 1 << 8,
	VMP_SWAPBACKED = 1 << 9,
	VMP_TABLE = 1 << 10,
	VMP_PINNED = 1 << 11, /* get_user_pages; vm->pins tells how often */
	VMP_HUGETLB = 1 << 12,
	VMP_READAHEAD = 1 << 13,
	VMP_HUGE = 1 << 14, /* first frame of a transparent huge page */
	VMP_TAIL = 1 << 15, /* another frame of one that entries of 4 KiB map */
};

#define VM_ASIDS 6 /* TLB_NR_DYN_ASIDS */

/* An address space that a CPU's TLB may still know by a PCID. */
struct vm_asid {
	uint32_t mm; /* id, 0: none */
	uint64_t gen;
};

/* One CPU: what runs there, how it sees memory. */
struct vm_cpu {
	struct mmu_regs regs;
	struct tlb *tlb;
	struct task *current; /* NULL: idle */
	struct mm *mm;	      /* whose tables CR3 points at; NULL: none yet */
	bool user;	      /* mode */
	bool user_tables;     /* CR3 is that of the user half's own tables */
	bool hand_made;	      /* CR3 was loaded by an op: what it points at is
				 nobody's */
	va_t cr2;	      /* address of the last page fault */
	uint16_t pcid;
	uint8_t asid, next_asid;
	struct vm_asid asids[VM_ASIDS];
	uint64_t cycles; /* spent on accesses, walks, switches */
	uint64_t walks, walk_steps, faults, switches;
	uint64_t shootdowns;	  /* flushes that it was told of by others */
	uint64_t shootdowns_sent; /* that it told others of */
};

/* Where things are; x86-64 with nokaslr, i386. */
struct vm_layout {
	va_t task_size;	 /* end of user addresses */
	va_t map_window; /* end of those given without being asked for */
	va_t page_offset;
	va_t vmalloc_start, vmalloc_end;
	va_t vmemmap;
	va_t kernel_text, modules, modules_end;
	va_t fixmap_top, pkmap_base;
	unsigned int pkmap_slots; /* 0: no high memory */
	va_t image_base;	  /* where programs are linked to start */
	uint64_t stack_bytes;	  /* of a kernel stack */
};

/* Settings of /proc/sys/vm and of the kernel's debugfs that play a part. */
struct vm_sysctl_mm {
	int overcommit_memory;	    /* 0, 1, 2 */
	uint64_t overcommit_ratio;  /* percent */
	uint64_t overcommit_kbytes; /* 0: the ratio counts */
	uint64_t max_map_count;
	uint64_t mmap_min_addr;
	uint64_t stack_guard_gap; /* pages */
	uint64_t admin_reserve_kbytes, user_reserve_kbytes;
	uint64_t fault_around_bytes; /* a power of two, a page at least */
	uint64_t flush_ceiling;	     /* pages flushed one by one, at most */
	uint64_t readahead_pages;
};

/* What things take beside accesses to caches, in cycles. */
struct vm_costs {
	uint32_t tlb_l2; /* a hit there, more than one in the first level */
	uint32_t walk;	 /* beside its reads of entries */
	uint32_t cr3;	 /* a load of it */
	uint32_t invlpg;
	uint32_t ipi;  /* telling another CPU to flush */
	uint32_t mode; /* into the kernel, or back */
	uint32_t task; /* from one task to another, CR3 apart */
};

extern const struct vm_costs vm_default_costs;

/* What a machine is made of; zero: what its architecture has. */
struct vm_config {
	enum mmu_mode mode; /* MMU_NONE: by the architecture, unless @no_mmu */
	bool no_mmu;
	const struct mmu_format *format; /* MMU_CUSTOM's */
	uint8_t phys_bits;
	bool no_nx, no_gb_pages, no_wp, smep, smap, pcid;
	bool kpti;	      /* user mode has top tables of its own */
	bool meltdown;	      /* loads that will fault speculate on */
	bool upper_caches;    /* the TLB keeps upper entries */
	uint64_t base, limit; /* MMU_BOUNDS's registers at boot */
	const struct tlb_geometry *tlb;	    /* [NR_TLB_PARTS] */
	const struct cache_config *cache;   /* NULL: accesses cost nothing */
	const struct vm_costs *costs;	    /* NULL: vm_default_costs */
	const struct kernel_config *kernel; /* NULL: what kernels have */
	uint64_t mmap_min_addr;		    /* 0: 65536, as Debian's */
	void (*printk)(void *user, const char *line); /* may be NULL */
	void *printk_user;
};

/*
 * What other parts of the kernel do for this one; any may be NULL.  Filled in
 * by who boots them.
 */
struct vm_hooks {
	void *user;
	/* CPU @cpu used a TLB entry for @va that tables no longer say. */
	void (*stale_used)(void *user, unsigned int cpu, va_t va);
	/* Areas of @mm at @start..@end are no more; the last time, when the
	 * address space itself goes, all. */
	void (*areas_gone)(void *user, const struct mm *mm, va_t start,
			   va_t end);
	/* The frame behind @va of an area of per-CPU memory; PFN_NONE. */
	pfn_t (*percpu_page)(void *user, va_t va);
	/* The kernel cannot go on: a stack ran over. */
	void (*panic)(void *user, const char *why);
	/* A task's record is made, or goes. */
	void (*task_changed)(void *user, struct task *t, bool gone);
};

/* Pages that tables of a mode cover, worked out once. */
struct vm_shape {
	const struct mmu_format *f; /* NULL: no tables of ours */
	unsigned int top;	    /* level of the top table */
	uint8_t bytes;		    /* of an entry */
	uint8_t shift[MMU_LEVELS_MAX];
	uint16_t entries[MMU_LEVELS_MAX];
	uint64_t frame_mask; /* bits of an entry that name a frame */
	uint64_t no_exec;    /* PTE_NX, or 0 */
	uint64_t soft_dirty; /* what a dirty entry has besides D */
	bool inverted;	     /* frames of PROT_NONE entries are */
};

struct vm {
	struct phys *phys;
	struct ram *ram;
	struct symbols *symbols;
	enum mmu_mode mode;
	struct vm_shape shape;
	struct mmu_regs boot_regs; /* as each CPU starts */
	bool pcid, kpti, meltdown;
	bool hand_made; /* a CPU's tables may be anywhere: CR3 was loaded by an
			   op */
	uint8_t page_shift; /* of the smallest page of a CPU's tables */
	struct vm_costs costs;
	struct vm_layout layout;
	struct vm_sysctl_mm sysctl;
	struct vm_hooks hooks;
	struct vm_cpu *cpu; /* [nr_cpus] */
	unsigned int nr_cpus;
	struct caches *caches; /* NULL: none */
	struct mm *init_mm;    /* the kernel half; NULL until a task runs */
	struct kernel_half *kernel; /* what is in it: kernel.h; NULL: nothing
				       but its tables */
	GPtrArray *mms;		    /* of struct mm *, by id; not init_mm */
	GPtrArray *tasks;	    /* of struct task *, by pid */
	GHashTable *by_pid;
	GHashTable *by_name;
	int32_t last_pid;
	uint64_t forks;	     /* tasks ever made, after PID 1 */
	bool ended;	     /* a task has, since somebody set this to false */
	GHashTable *files;   /* name -> struct vm_object */
	GHashTable *objects; /* id -> struct vm_object */
	GHashTable *anon;    /* id -> struct anon_vma */
	uint32_t last_mm, last_object, last_anon;
	struct vm_page *pages; /* [max_pfn], sparse; NULL until used */
	uint64_t pages_bytes;
	GHashTable *pins;	 /* pfn -> how often pinned */
	struct thp *thp;	 /* thp.h */
	struct hugetlb *hugetlb; /* hugetlb.h */
	struct task *acting;	 /* whose fault or call it is that allocates:
				    its memory policy counts; NULL: nobody's */
	pfn_t zero_page;	 /* PFN_NONE: the kernel image has none */
	uint64_t committed;	 /* pages, Committed_AS */
	uint64_t generation;	 /* +1 whenever an entry may say less than
				    before: TLB entries of before are suspect */
	uint64_t tables;       /* +1 whenever a table may not be where it was */
	uint64_t bad_minute;   /* lines about bad entries are few: of this, */
	unsigned int bad_told; /* so many */
	bool told_data_limit;  /* pr_warn_once of may_expand_vm(), */
	bool told_duplicate;   /* of vma_to_resize() */
	uint8_t why;	       /* for what a call was refused last, */
	int why_err;	       /* and with which error; see vm_why() */
	void (*printk)(void *user, const char *line);
	void *printk_user;
};

/*
 * The virtual memory of a booted machine.  Allocates nothing of @phys; PID 1
 * is there, asleep, without an address space until it is first used.  All
 * arguments are borrowed for its life but @config.
 */
struct vm *vm_boot(struct phys *phys, struct ram *ram, struct symbols *symbols,
		   const struct vm_config *config);
/* Frees what the host keeps for it; frames are not given back. */
void vm_free(struct vm *vm);

/* Time has moved: what the kernel does by itself from time to time.  Whether
 * it has done anything. */
bool vm_tick(struct vm *vm);

/* Why the call that gave @err did so, where its name does not say it all, else
 * NULL; of those made since vm_why_none(). */
const char *vm_why(const struct vm *vm, int err);
void vm_why_none(struct vm *vm);

/* Bytes @at..+@len of RAM were written by something other than this layer:
 * what was remembered of tables there is doubtful now. */
void vm_bytes_changed(struct vm *vm, pa_t at, uint64_t len);
/* A line of the modelled kernel's log. */
void vm_printk(struct vm *vm, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --- commit.c: how much is promised ----------------------------------------
 */

/* totalram_pages(). */
uint64_t vm_total_pages(const struct vm *vm);
/* CommitLimit, in pages. */
uint64_t vm_commit_limit(const struct vm *vm);
/*
 * Promise @pages more to @t (NULL: the kernel), if overcommit_memory allows:
 * 0, or -ENOMEM with a line in the log.  __vm_enough_memory.
 */
int vm_commit(struct vm *vm, const struct task *t, uint64_t pages);
void vm_uncommit(struct vm *vm, uint64_t pages);

/* --- verify.c, digest.c -----------------------------------------------------
 */

extern const struct law vm_laws[];
/* As phys_verify(). */
unsigned int vm_verify(const struct vm *vm, finding_fn found, void *user);
/* The state that later calls depend on, as numbers; bytes of tables and pages
 * are RAM's. */
void vm_digest(const struct vm *vm, const struct number_stream *to);

#endif
