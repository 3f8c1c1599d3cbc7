// SPDX-License-Identifier: MIT
/*
 * kernel.h - the kernel half: what stands above user addresses
 *
 * Low memory stands there one to one (the direct map); everything else is made
 * on demand in areas of its own: vmalloc and vmap, ioremap, kmap's slots, the
 * fixmap, kernel stacks.  All of it is entries of one set of tables, init_mm's,
 * which every address space shares.
 *
 *     page_offset    direct map        logical addresses: pa + page_offset
 *     vmalloc_start  areas, each with a guard page after it
 *     pkmap_base     kmap's slots      32 bit only
 *     fixmap_top     fixed slots, down from there
 *
 * Nothing is mapped before it is used: tables of the direct map are made when a
 * CPU first walks there, interrupt stacks with the first area.
 *
 * Source: mm/vmalloc.c, mm/highmem.c, arch/x86/mm/{init,ioremap,init_32}.c,
 * arch/x86/include/asm/fixmap.h, kernel/fork.c, arch/x86/kernel/irq_{32,64}.c
 * of 6.1.192.
 */
#ifndef KMEMFS_VM_KERNEL_H
#define KMEMFS_VM_KERNEL_H

#include "kmemfs/phys/rangeset.h"
#include "kmemfs/vm/task.h"

/* How the kernel was built, as far as it concerns addresses. */
struct kernel_config {
	uint64_t stack; /* bytes of a task's, a power of two of pages; 0: the
			   architecture's */
	bool vmap_stack_set, vmap_stack; /* stacks are areas; not set: on 64
					    bit they are */
	bool irq_shared; /* interrupts run on the stack of whom they interrupt
			  */
	bool kmap_types; /* kmap_atomic takes a km_type, as before 2.6.37 */
};

/* --- areas ---------------------------------------------------------------- */

enum kernel_area_flags {
	KA_IOREMAP = 0x1,
	KA_ALLOC = 0x2, /* vmalloc: its pages are its own */
	KA_MAP = 0x4,	/* vmap */
	KA_USERMAP = 0x8,
	KA_PUT_PAGES = 0x200, /* vmap that frees them with vfree */
	KA_RAM = 0x10000,     /* vm_map_ram: no guard */
	KA_BLOCK = 0x20000,   /* addresses for small vm_map_ram */
	KA_STACK = 0x40000,   /* of a task */
	KA_MODULE = 0x80000,
	KA_PERCPU = 0x100000, /* per-CPU memory's: entries are made when first
				 walked */
};

/* Memory types by their numbers in the kernel's enum page_cache_mode. */
enum cache_mode {
	CACHE_WB,
	CACHE_WC,
	CACHE_UC_MINUS,
	CACHE_UC,
	CACHE_WT,
	CACHE_WP,
	NR_CACHE_MODES
};

extern const char *const cache_mode_names[NR_CACHE_MODES];

/* An area of kernel addresses (struct vmap_area, struct vm_struct). */
struct kernel_area {
	uint32_t id;	 /* serial, from 1 */
	va_t start, end; /* with the guard page */
	uint32_t flags;
	va_t caller;
	uint64_t nr_pages; /* mapped */
	pfn_t *pages;	   /* [nr_pages]; NULL: one after the other from phys */
	pa_t phys;	   /* KA_IOREMAP: of the first page */
	enum cache_mode mode;
	struct kernel_area *array; /* that its list of pages lies in, NULL: a
				      page or less, not an area */
};

/* Who asks, and how. */
struct kernel_request {
	unsigned int cpu;
	gfp_t gfp;
	int nid; /* NODE_LOCAL: the CPU's */
	va_t caller;
	bool module; /* where modules go */
};

/* Addresses that vm_map_ram cuts small mappings from (struct vmap_block). */
struct kernel_block {
	struct kernel_area *area;
	unsigned int cpu; /* whose list it is on; UINT_MAX: full */
	uint32_t free;	  /* pages never given */
	uint32_t dirty;	  /* pages given back, not to be given again */
};

/* --- kmap_local ----------------------------------------------------------- */

#define KM_MAX_IDX 16
#define KM_TYPE_NR 13
extern const char *const km_type_names[KM_TYPE_NR];

/* Temporary mappings of one task, or of a CPU's idle one. */
struct kernel_local {
	unsigned int nr;
	uint64_t entry[KM_MAX_IDX];
	uint64_t depth; /* bytes of its kernel stack that are in use */
};

/* Who sleeps in kmap(). */
struct kmap_waiter {
	pfn_t pfn;
	int32_t pid;
};

#define STACK_CACHE 2 /* stacks that a CPU keeps for the next tasks */
#define STACK_END_MAGIC 0x57AC6E9DU
#define KMAP_WAITERS_MOST 1024U

struct kernel_half {
	struct vm *vm;
	struct kernel_config config;
	bool started;	      /* init_mm is there */
	bool irq_stacks;      /* so are the interrupts' */
	GPtrArray *areas;     /* of struct kernel_area *, by address; mapped */
	struct rangeset free; /* addresses that areas may get */
	struct rangeset lazy; /* were given back; TLBs may still know them */
	uint64_t lazy_pages;
	uint64_t vmalloc_pages; /* VmallocUsed */
	uint64_t leaked_pages;	/* of these, vunmapped instead of freed */
	uint32_t last_area;
	GArray *blocks;	  /* of struct kernel_block, in their order */
	GHashTable *rams; /* address -> pages of each vm_map_ram */

	uint32_t *pkmap_count; /* [pkmap_slots] */
	pfn_t *pkmap_pfn;      /* ditto */
	GHashTable *pkmap_of;  /* pfn -> slot + 1 */
	unsigned int last_pkmap;
	GQueue waiters; /* of struct kmap_waiter *, oldest first */

	struct kernel_local *idle; /* [nr_cpus] */
	uint64_t *typed; /* [nr_cpus * KM_TYPE_NR]: entries; kmap_types */
	struct kernel_area **stacks;	 /* [nr_cpus * STACK_CACHE] */
	va_t *irq_stack, *softirq_stack; /* [nr_cpus]: lowest address, 0 */

	uint64_t purges, range_flushes, full_flushes;
	uint64_t pkmap_flushes, kmap_sleeps;
};

/* The kernel half of @vm, NULL: as kernels have it; part of vm_boot(). */
void kernel_half_new(struct vm *vm, const struct kernel_config *config);
void kernel_half_free(struct kernel_half *k);
/* Make what all areas need: 0, -ENOSYS without tables, -ENOMEM, -ENOSPC.  All
 * that map call it. */
int kernel_start(struct vm *vm, unsigned int cpu);

/* --- direct map ----------------------------------------------------------- */

/* __pa: of a logical address, or one of the kernel's image; UINT64_MAX: @va is
 * neither, and the kernel's own arithmetic would give nonsense. */
pa_t kernel_pa(const struct vm *vm, va_t va);
/* __va: where the direct map has @pa; 0: it does not (high memory, a device).
 */
va_t kernel_va(const struct vm *vm, pa_t pa);
/* Level of the leaf that maps @pa in the direct map, -1: none does. */
int kernel_direct_level(const struct vm *vm, pa_t pa);
/* Bytes that the direct map covers by leaves of 4K, of 2M (4M), of 1G. */
void kernel_direct_bytes(const struct vm *vm, uint64_t bytes[3]);
/* Whether there is an entry for @va now that was not made before: whoever
 * walked there tries again. */
bool kernel_fault(struct vm *vm, unsigned int cpu, va_t va,
		  uint32_t error_code);
/*
 * Where the kernel's tables lead from @va, by what this layer knows, tables
 * made or not: UINT64_MAX when nothing is mapped there.
 */
pa_t kernel_lookup(const struct vm *vm, va_t va);
/* Copy between @va and @bytes as kernel code would, without a fault: bytes that
 * could be copied before something was not mapped, or the host's limit. */
uint64_t kernel_read(const struct vm *vm, va_t va, void *bytes, uint64_t len);
uint64_t kernel_write(struct vm *vm, va_t va, const void *bytes, uint64_t len);

/* A part of the kernel's image. */
struct kernel_section {
	const char *name; /* "Kernel code" */
	struct range range;
};
#define KERNEL_SECTIONS 4
/* The sections of the image, as they lie in the boot reservation; how many. */
unsigned int kernel_image(const struct vm *vm,
			  struct kernel_section sections[KERNEL_SECTIONS]);

/* --- vmalloc -------------------------------------------------------------- */

/*
 * vmalloc: @size bytes in pages of their own, one by one.  0; -EINVAL for no
 * bytes (WARN); -ENOMEM: pages or addresses are out, which the log tells unless
 * __GFP_NOWARN; -ENOSPC: the host's limit.
 */
int kernel_vmalloc(struct vm *vm, const struct kernel_request *q, uint64_t size,
		   struct kernel_area **area);
/* vfree: 0 (also of address 0), -EINVAL with the kernel's warning. */
int kernel_vfree(struct vm *vm, va_t va, unsigned int cpu);
/* vmap: @nr pages of others; with @put they go with vfree.  -EINVAL: none. */
int kernel_vmap(struct vm *vm, const struct kernel_request *q,
		const pfn_t *pages, uint64_t nr, bool put,
		struct kernel_area **area);
int kernel_vunmap(struct vm *vm, va_t va, unsigned int cpu);
/* vm_map_ram: stores where. */
int kernel_map_ram(struct vm *vm, const struct kernel_request *q,
		   const pfn_t *pages, uint64_t nr, va_t *at);
/* vm_unmap_ram: -EINVAL when @nr pages at @va are not what was mapped. */
int kernel_unmap_ram(struct vm *vm, va_t va, uint64_t nr, unsigned int cpu);
/* lazy_max_pages(). */
uint64_t kernel_lazy_max(const struct vm *vm);
/* Flush all TLBs of what was given back, whose addresses may then be given
 * again: pages of them. */
uint64_t kernel_purge(struct vm *vm, unsigned int cpu);

/* Where something begins that overlaps @start..@end and is not free; 0. */
va_t kernel_area_conflict(const struct vm *vm, va_t start, va_t end);
/* Per-CPU memory has @start..@end from now on, or no more; one of its pages has
 * gone.  Nothing happens where addresses are not the kernel half's. */
void kernel_percpu_area(struct vm *vm, va_t start, va_t end, va_t caller,
			bool gone);
void kernel_percpu_page_gone(struct vm *vm, va_t va);
/* The area that holds @va, guard page included; NULL. */
struct kernel_area *kernel_area_at(const struct kernel_half *k, va_t va);
/* vmalloc_to_page: the frame that @a has at @va, PFN_NONE at its guard page. */
pfn_t kernel_area_pfn(const struct kernel_area *a, va_t va);
/* First address after its pages: where the guard page begins. */
static inline va_t
kernel_area_guard(const struct kernel_area *a)
{
	return a->start + (a->nr_pages << VM_PAGE_SHIFT);
}

/* --- ioremap -------------------------------------------------------------- */

/*
 * Map device memory: stores the address of the byte @pa.  -EINVAL: no bytes, or
 * they wrap, or the address is beyond what the processor has; -EBUSY: memory in
 * use (WARN), or mapped with a type that does not go with @mode; -ENOMEM.
 */
int kernel_ioremap(struct vm *vm, const struct kernel_request *q, pa_t pa,
		   uint64_t size, enum cache_mode mode, va_t *at);
int kernel_iounmap(struct vm *vm, va_t va, unsigned int cpu);

/* --- kmap ----------------------------------------------------------------- */

/* page_address: 0: a high page that is not mapped. */
va_t kernel_page_address(const struct vm *vm, pfn_t pfn);
/*
 * kmap: 0 with the address; -EAGAIN: all slots are in use, so @t sleeps until
 * one is given back (kmap_waiter); -ENOMEM.
 */
int kernel_kmap(struct vm *vm, unsigned int cpu, const struct task *t,
		pfn_t pfn, va_t *at);
/*
 * kunmap: 0; -EINVAL: it is not mapped, the kernel's BUG.  Who slept longest is
 * given what came free: *@woken its frame, else PFN_NONE.
 */
int kernel_kunmap(struct vm *vm, unsigned int cpu, pfn_t pfn, pfn_t *woken);
/*
 * A temporary mapping by CPU @cpu's task: kmap_local_page(), and kmap_atomic()
 * with @type -1.  -ENOSPC: KM_MAX_IDX are nested, the kernel's BUG; with types
 * -EBUSY: the slot is in use; -ENOMEM.
 */
int kernel_kmap_local(struct vm *vm, unsigned int cpu, int type, pfn_t pfn,
		      va_t *at);
/* -EINVAL: it is not the mapping that was made last (WARN). */
int kernel_kunmap_local(struct vm *vm, unsigned int cpu, int type, va_t at);
/* Mappings that CPU @cpu's task holds; its task may be NULL. */
const struct kernel_local *kernel_local_of(const struct vm *vm,
					   unsigned int cpu);

/* --- fixmap --------------------------------------------------------------- */

struct kernel_fixed {
	const char *name; /* "FIX_APIC_BASE" */
	unsigned int first, count;
};

/* The @n-th run of slots, in order; false at the end. */
bool kernel_fixed_nth(const struct vm *vm, unsigned int n,
		      struct kernel_fixed *run);
/* Address of slot @index: __fix_to_virt. */
va_t kernel_fix_to_virt(const struct vm *vm, unsigned int index);
/* How many there are; the run that slot @index is of. */
unsigned int kernel_fixed_count(const struct vm *vm);
bool kernel_fixed_find(const struct vm *vm, unsigned int index,
		       struct kernel_fixed *run);

/* --- vmemmap -------------------------------------------------------------- */

/* Address of frame @pfn's struct page; 0 without one. */
va_t kernel_struct_page(const struct vm *vm, pfn_t pfn);

/* --- stacks --------------------------------------------------------------- */

/* A stack for @t: an area or a block of the direct map.  0, -ENOMEM, -ENOSPC,
 * -ENOSYS: no paging. */
int kernel_stack_alloc(struct task *t);
void kernel_stack_free(struct task *t);
/* Its frames say @t's pid, which has changed. */
void kernel_stack_own(struct task *t);
/* Whether stacks are areas with a guard page. */
bool kernel_stack_is_area(const struct vm *vm);
/* Whether the lowest word of @t's says that nobody has passed the end. */
bool kernel_stack_intact(const struct task *t);
/* Bytes at its low end that nobody has used, beyond the end's mark. */
uint64_t kernel_stack_unused(const struct vm *vm, va_t lowest, uint64_t size);

enum stack_kind { STACK_TASK, STACK_IRQ, STACK_SOFTIRQ };

struct stack_use {
	enum stack_kind kind;
	va_t lowest, end; /* the stack that was used */
	uint64_t depth;	  /* bytes in use at the deepest */
	uint64_t left;	  /* bytes left then */
	bool guard;	  /* the guard page was hit, at: */
	va_t at;
	uint64_t damaged; /* bytes below the stack that were written */
	pfn_t neighbour;  /* the frame just below, PFN_NONE */
};

/*
 * Code of @t's, in an interrupt when @kind says so, uses @bytes of stack; with
 * @keep it stays that deep, so that what comes next adds to it.  0; -EFAULT:
 * the guard page stopped it, or nothing is below; -ENOSPC; -EINVAL: no stack.
 */
int kernel_stack_use(struct vm *vm, struct task *t, unsigned int cpu,
		     enum stack_kind kind, uint64_t bytes, bool keep,
		     struct stack_use *use);
/* The stack that interrupts of @kind run on, on CPU @cpu; 0: that of whom they
 * interrupt. */
va_t kernel_irq_stack(const struct vm *vm, unsigned int cpu,
		      enum stack_kind kind);
/* CPU @cpu turns from @prev to @next, either may be NULL: temporary mappings go
 * with their owner; the end of @prev's stack is looked at. */
void kernel_switch(struct vm *vm, unsigned int cpu, struct task *prev,
		   struct task *next);
/* Whether @t, which may be NULL, may run on CPU @cpu. */
bool kernel_may_switch(unsigned int cpu, const struct task *t);
/* @t ends: what it holds of all this goes. */
void kernel_task_gone(struct task *t);

/* --- kinds of addresses --------------------------------------------------- */

enum address_kind {
	ADDRESS_USER,	  /* user virtual */
	ADDRESS_PHYSICAL, /* between processor and memory */
	ADDRESS_BUS,	  /* between devices and memory */
	ADDRESS_LOGICAL,  /* kernel logical: one to one */
	ADDRESS_KERNEL,	  /* kernel virtual: through tables */
	ADDRESS_NONE,	  /* no address at all */
	NR_ADDRESS_KINDS
};

extern const char *const address_kind_names[NR_ADDRESS_KINDS];

/* In which world the number is meant. */
enum address_space { SPACE_GUESS, SPACE_VIRTUAL, SPACE_PHYSICAL, SPACE_BUS };

struct address_class {
	enum address_kind kind;
	const char *region; /* "vmalloc", "direct map", "System RAM", ... */
	bool mapped;	    /* a CPU that went there would find something */
	pa_t pa;	    /* UINT64_MAX: none */
	char why[256];	    /* a sentence */
};

/* What address @a is to @t (NULL: to the kernel only). */
void kernel_classify(const struct vm *vm, const struct task *t, uint64_t a,
		     enum address_space space, struct address_class *c);

/* --- what is checked and counted ------------------------------------------ */

/* Whether TLBs may know more of @va than tables do, as they may of what was
 * given back and not purged. */
bool kernel_is_lazy(const struct vm *vm, va_t va);
/* The part of vm_verify() that is this half's. */
void kernel_verify(const struct vm *vm, struct audit *audit);
/* The part of vm_digest() that is this half's. */
void kernel_digest(const struct vm *vm, const struct number_stream *to);

#endif
