// SPDX-License-Identifier: MIT
/*
 * mm.h - address spaces, their areas, and the calls that change them
 *
 * Source: include/linux/mm_types.h, mm/mmap.c, mprotect.c, mremap.c, madvise.c,
 * mlock.c, msync.c, mincore.c of 6.1.192.
 */
#ifndef KMEMFS_VM_MM_H
#define KMEMFS_VM_MM_H

#include "kmemfs/vm/vm.h"

/* Bits of vm_flags, with the kernel's values. */
enum vm_flag_bits {
	VM_READ = 0x1,
	VM_WRITE = 0x2,
	VM_EXEC = 0x4,
	VM_SHARED = 0x8,
	VM_MAYREAD = 0x10,
	VM_MAYWRITE = 0x20,
	VM_MAYEXEC = 0x40,
	VM_MAYSHARE = 0x80,
	VM_GROWSDOWN = 0x100,
	VM_PFNMAP = 0x400,
	VM_LOCKED = 0x2000,
	VM_IO = 0x4000,
	VM_SEQ_READ = 0x8000,
	VM_RAND_READ = 0x10000,
	VM_DONTCOPY = 0x20000,
	VM_DONTEXPAND = 0x40000,
	VM_LOCKONFAULT = 0x80000,
	VM_ACCOUNT = 0x100000,
	VM_NORESERVE = 0x200000,
	VM_HUGETLB = 0x400000,
	VM_WIPEONFORK = 0x2000000,
	VM_DONTDUMP = 0x4000000,
	VM_SOFTDIRTY = 0x8000000,
	VM_MIXEDMAP = 0x10000000,
	VM_HUGEPAGE = 0x20000000,
	VM_NOHUGEPAGE = 0x40000000,
};
#define VM_MERGEABLE 0x80000000ULL
#define VM_ACCESS_FLAGS (VM_READ | VM_WRITE | VM_EXEC)
#define VM_SPECIAL (VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_MIXEDMAP)

/* The numbers that user space passes, as <sys/mman.h> has them. */
enum vm_abi {
	VM_PROT_NONE = 0,
	VM_PROT_READ = 1,
	VM_PROT_WRITE = 2,
	VM_PROT_EXEC = 4,
	VM_PROT_SEM = 8,
	VM_PROT_GROWSDOWN = 0x01000000,
	VM_PROT_GROWSUP = 0x02000000,
	VM_MAP_SHARED = 0x01,
	VM_MAP_PRIVATE = 0x02,
	VM_MAP_SHARED_VALIDATE = 0x03,
	VM_MAP_TYPE = 0x0f,
	VM_MAP_FIXED = 0x10,
	VM_MAP_ANONYMOUS = 0x20,
	VM_MAP_32BIT = 0x40,
	VM_MAP_GROWSDOWN = 0x0100,
	VM_MAP_DENYWRITE = 0x0800,
	VM_MAP_EXECUTABLE = 0x1000,
	VM_MAP_LOCKED = 0x2000,
	VM_MAP_NORESERVE = 0x4000,
	VM_MAP_POPULATE = 0x8000,
	VM_MAP_NONBLOCK = 0x10000,
	VM_MAP_STACK = 0x20000,
	VM_MAP_HUGETLB = 0x40000,
	VM_MAP_SYNC = 0x80000,
	VM_MAP_FIXED_NOREPLACE = 0x100000,
	VM_MREMAP_MAYMOVE = 1,
	VM_MREMAP_FIXED = 2,
	VM_MREMAP_DONTUNMAP = 4,
	VM_MS_ASYNC = 1,
	VM_MS_INVALIDATE = 2,
	VM_MS_SYNC = 4,
	VM_MCL_CURRENT = 1,
	VM_MCL_FUTURE = 2,
	VM_MCL_ONFAULT = 4,
};

enum vm_advice {
	VM_MADV_NORMAL = 0,
	VM_MADV_RANDOM = 1,
	VM_MADV_SEQUENTIAL = 2,
	VM_MADV_WILLNEED = 3,
	VM_MADV_DONTNEED = 4,
	VM_MADV_FREE = 8,
	VM_MADV_REMOVE = 9,
	VM_MADV_DONTFORK = 10,
	VM_MADV_DOFORK = 11,
	VM_MADV_MERGEABLE = 12,
	VM_MADV_UNMERGEABLE = 13,
	VM_MADV_HUGEPAGE = 14,
	VM_MADV_NOHUGEPAGE = 15,
	VM_MADV_DONTDUMP = 16,
	VM_MADV_DODUMP = 17,
	VM_MADV_WIPEONFORK = 18,
	VM_MADV_KEEPONFORK = 19,
	VM_MADV_COLD = 20,
	VM_MADV_PAGEOUT = 21,
	VM_MADV_POPULATE_READ = 22,
	VM_MADV_POPULATE_WRITE = 23,
	VM_MADV_DONTNEED_LOCKED = 24,
	VM_MADV_COLLAPSE = 25,
};

/* --- objects: bytes with pages of their own ---------------------------------
 */

struct page_tree; /* index -> pfn */

/*
 * A modelled file, or shared anonymous memory.  Its pages are found by their
 * index; they stay when nobody maps them.
 */
struct vm_object {
	struct vm *vm;
	uint32_t id;   /* serial, from 1 */
	char *name;    /* of a file; NULL: shared anonymous memory */
	uint64_t size; /* bytes */
	bool shmem;
	bool charged;  /* its size is promised: shared anonymous memory */
	uint32_t refs; /* areas and others that use it */
	struct page_tree *pages;
	uint64_t nr_pages; /* in it */
	GPtrArray *areas;  /* of struct vma *: who maps it */
	GTree *device;	   /* of a file: index -> bytes of a page that its
			      device holds; NULL, missing: zeros */
	bool broken;	   /* its device answers with errors: SIGBUS */
	/* Of huge pages of the pool: numbers of those that are promised or
	 * there; NULL: another. */
	GHashTable *reserved;
};

/* A new file of @size bytes that begins with @content (copied, @len may be 0);
 * one reference.  NULL: there is one called @name, or no number is left. */
struct vm_object *vm_file_new(struct vm *vm, const char *name, uint64_t size,
			      const void *content, uint64_t len);
/* What its device holds, whatever its pages say: @len bytes from @at on. */
void vm_file_look(const struct vm_object *o, uint64_t at, void *to,
		  uint64_t len);
struct vm_object *vm_file_find(const struct vm *vm, const char *name);
void vm_object_get(struct vm_object *o);
/* Drop a reference; the last one frees its pages. */
void vm_object_put(struct vm_object *o, unsigned int cpu);
/* The frame of page @index, PFN_NONE: it is not in memory. */
pfn_t vm_object_page(const struct vm_object *o, uint64_t index);
/* The first page at or after *@index; stores where.  PFN_NONE at the end. */
pfn_t vm_object_next(const struct vm_object *o, uint64_t *index);
/*
 * Copy @len bytes at @at to or from the object through its pages, which are
 * read in when they are not there; stops at the end of the object.  Returns
 * bytes copied or -errno (-EIO, -ENOMEM, -ENOSPC).
 */
int64_t vm_object_read(struct vm_object *o, unsigned int cpu, uint64_t at,
		       void *to, uint64_t len);
int64_t vm_object_write(struct vm_object *o, unsigned int cpu, uint64_t at,
			const void *from, uint64_t len);
/* Write dirty pages @first..@last (both included) of a file to its device, and
 * make their entries clean.  Returns pages written. */
uint64_t vm_object_sync(struct vm_object *o, uint64_t first, uint64_t last);
/* Set its size: pages wholly beyond the new end leave it and all entries, the
 * rest of the last page becomes zero. */
void vm_object_truncate(struct vm_object *o, unsigned int cpu, uint64_t size);

/* --- areas -------------------------------------------------------------------
 */

/*
 * The areas that may hold anonymous pages that say they belong to it: that of
 * the first fault, what was split from it, and what was forked from these.
 */
struct anon_vma {
	uint32_t id;
	struct anon_vma *parent; /* NULL: none, or gone */
	uint32_t children, active;
	GPtrArray *areas; /* of struct vma * linked to it */
	GPtrArray *below; /* of struct anon_vma *: its children; NULL: none */
};

/* An area (struct vm_area_struct); start and end are page-aligned. */
struct vma {
	struct mm *mm;
	va_t start, end;
	uint64_t flags;
	struct vm_object *object; /* NULL: private anonymous */
	uint64_t pgoff; /* pages into the object; anonymous: start >> shift
			   when it was first made */
	struct anon_vma *anon;	 /* NULL until it has had an anonymous page */
	struct anon_vma **chain; /* [nr_chain] all that it is linked to */
	uint32_t nr_chain;
	int policy;		   /* enum mempolicy */
	uint64_t policy_nodes;	   /* bit per node, up to 64 */
	uint64_t policy_user;	   /* nodes as they were asked for */
	uint32_t policy_flags;	   /* enum mempolicy_flags */
	pfn_t pfn;		   /* VM_PFNMAP: first frame */
	struct hugetlb_resv *resv; /* VM_HUGETLB, private: promised pages that
				      were used; NULL: none is promised */
	const char *special;	   /* "[vdso]", static; NULL */
};

enum mempolicy {
	MPOL_DEFAULT,
	MPOL_PREFERRED,
	MPOL_BIND,
	MPOL_INTERLEAVE,
	MPOL_LOCAL,
	MPOL_PREFERRED_MANY,
	NR_MEMPOLICIES
};

enum mm_counter {
	MM_FILEPAGES,
	MM_ANONPAGES,
	MM_SWAPENTS,
	MM_SHMEMPAGES,
	NR_MM_COUNTERS
};

/* An address space (struct mm_struct). */
struct mm {
	struct vm *vm;
	uint32_t id;
	int users;	  /* tasks */
	pa_t top;	  /* its top table */
	GPtrArray *areas; /* of struct vma *, by address */
	uint64_t total_vm, locked_vm, data_vm, exec_vm, stack_vm; /* pages */
	uint64_t hiwater_rss, hiwater_vm;			  /* pages */
	int64_t counter[NR_MM_COUNTERS];			  /* pages */
	uint64_t pgtables; /* frames of tables, without the top ones */
	uint64_t tables;   /* all frames of tables */
	va_t start_code, end_code, start_data, end_data;
	va_t start_brk, brk, start_stack, arg_start, arg_end;
	va_t mmap_base;
	uint64_t def_flags; /* mlockall(MCL_FUTURE) */
	uint64_t *cpus;	    /* bit per CPU that has it loaded */
	uint64_t gen;	    /* flushes of it so far, from 1 */
	guint last;	    /* area found last */
	/* The table of leaves used last, while vm->tables is leaf_gen. */
	uint64_t leaf_of, leaf_gen;
	pa_t leaf;
	bool khugepaged; /* it is scanned: MMF_VM_HUGEPAGE */
	bool huge_zero;	 /* it has the huge zero page: MMF_HUGE_ZERO_PAGE */
	int64_t hugetlb; /* pages, outside of all other counts */
};

static inline uint64_t
vma_pages(const struct vma *v)
{
	return (v->end - v->start) >> VM_PAGE_SHIFT;
}

/* Anonymous: its untouched pages are zeros of nobody's object. */
static inline bool
vma_is_anonymous(const struct vma *v)
{
	return !v->object && !(v->flags & VM_PFNMAP);
}

/* The first area that ends above @va, NULL: none.  find_vma. */
struct vma *vma_find(struct mm *mm, va_t va);
/* The area that holds @va, NULL. */
struct vma *vma_at(struct mm *mm, va_t va);
/* Resident pages. */
uint64_t mm_rss(const struct mm *mm);
/* What /proc/PID/maps says in its last column, "" for most. */
const char *vma_name(const struct vma *v);

/* --- calls
 * --------------------------------------------------------------------
 *
 * All are made by a live user task; -EINVAL for another.  Each returns 0 or the
 * negative errno of the system call.
 */

/* An open file, as far as mapping it goes. */
enum vm_open_mode {
	VM_OPEN_READ = 1 << 0,
	VM_OPEN_WRITE = 1 << 1,
	VM_OPEN_APPEND = 1 << 2, /* the file is append-only */
	VM_OPEN_NOEXEC = 1 << 3, /* its mount is */
	VM_OPEN_SWAPFILE = 1 << 4,
};

struct vm_open {
	struct vm_object *object; /* NULL: cannot be mapped */
	unsigned int mode;
};

struct vm_mmap_args {
	va_t addr;
	uint64_t len;
	uint64_t prot, flags;
	const struct vm_open *file; /* NULL: a bad descriptor */
	uint64_t offset;	    /* bytes */
};

int vm_mmap(struct vm *vm, struct task *t, const struct vm_mmap_args *args,
	    va_t *at);
int vm_munmap(struct vm *vm, struct task *t, va_t addr, uint64_t len);
int vm_mprotect(struct vm *vm, struct task *t, va_t addr, uint64_t len,
		uint64_t prot);
int vm_mremap(struct vm *vm, struct task *t, va_t addr, uint64_t old_len,
	      uint64_t new_len, uint64_t flags, va_t new_addr, va_t *at);
/* The break afterwards, moved or not. */
va_t vm_brk(struct vm *vm, struct task *t, va_t to);
int vm_madvise(struct vm *vm, struct task *t, va_t addr, uint64_t len,
	       int advice);
int vm_msync(struct vm *vm, struct task *t, va_t addr, uint64_t len,
	     uint64_t flags);
/* mlock2: @on_fault is MLOCK_ONFAULT. */
int vm_mlock(struct vm *vm, struct task *t, va_t addr, uint64_t len,
	     bool on_fault);
int vm_munlock(struct vm *vm, struct task *t, va_t addr, uint64_t len);
int vm_mlockall(struct vm *vm, struct task *t, uint64_t flags);
int vm_munlockall(struct vm *vm, struct task *t);
/* A byte for each page goes to @vec; NULL: -EFAULT, as a bad address. */
int vm_mincore(struct vm *vm, struct task *t, va_t addr, uint64_t len,
	       uint8_t *vec);
/*
 * Map frames @pfn.. at *@at, 0: anywhere, and store where: a driver's mmap that
 * ends in remap_pfn_range.  Frames are neither counted nor kept.  -EEXIST:
 * something is mapped there.
 */
int vm_remap_pfn(struct vm *vm, struct task *t, va_t *at, pfn_t pfn,
		 uint64_t len, uint64_t prot);

/* --- table.c: entries of page tables ------------------------------------ */

/*
 * Where the entry of @level for @va stands in @mm's tables; 0 when a table on
 * the way is missing or bad.  Level 0: the leaf.
 */
pa_t vm_entry_at(const struct vm *vm, const struct mm *mm, va_t va,
		 unsigned int level);
uint64_t vm_entry_get(const struct vm *vm, pa_t at);
/* Frame of a leaf that maps one, PROT_NONE too; PFN_NONE: it does not. */
pfn_t vm_entry_pfn(const struct vm *vm, uint64_t entry);
/* The kernel half's top entry that covers @va was made: all address spaces
 * get it.  Whoever maps kernel memory calls it. */
void vm_kernel_entry_made(struct vm *vm, va_t va);
/* Like vm_entry_at() but makes the tables that are missing: 0, -ENOMEM,
 * -ENOSPC (the host's limit), -EFAULT (a bad table). */
int vm_entry_make(struct vm *vm, struct mm *mm, va_t va, unsigned int cpu,
		  pa_t *at);
/* What maps an address, be it an entry of a small or of a huge page. */
struct vm_leaf {
	pa_t at;	    /* of the entry */
	uint64_t entry;	    /* 0: nothing there */
	unsigned int level; /* 0: of the smallest pages */
	pfn_t pfn;	    /* frame of this very address, PFN_NONE: none */
};
/* False: there is no table that could have an entry. */
bool vm_leaf(const struct vm *vm, const struct mm *mm, va_t va,
	     struct vm_leaf *leaf);
/* How many entries map frame @pfn, large and small: page_mapcount(). */
uint32_t vm_mapcount(const struct vm *vm, pfn_t pfn);
/* Write a leaf of @mm, the kernel's too; TLBs are the caller's business. */
void vm_entry_set(struct vm *vm, pa_t at, uint64_t entry);

#endif
