// SPDX-License-Identifier: MIT
/*
 * vm_impl.h - what the files of this layer share
 */
#ifndef KMEMFS_VM_VM_IMPL_H
#define KMEMFS_VM_VM_IMPL_H

#include "kmemfs/base/check.h"
#include "kmemfs/vm/fault.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define GFP_PGTABLE_USER (GFP_KERNEL_ACCOUNT | __GFP_ZERO)

/* Linux's own bits of a leaf. */
#define PTE_SPECIAL (1ULL << 9) /* the frame is not counted */
#define PTE_SOFT_DIRTY (1ULL << 11)
#define PTE_PROTNONE (1ULL << 8) /* P = 0: there, but nobody may touch it */

static inline uint64_t
page_align(uint64_t len)
{
	return (len + VM_PAGE - 1) & ~(VM_PAGE - 1);
}

static inline bool
page_aligned(uint64_t v)
{
	return !(v & (VM_PAGE - 1));
}

static inline struct node *
pg_node(const struct vm *vm, pfn_t pfn)
{
	return vm->phys->zones[vm->phys->frames[pfn].zone]->node;
}

/* --- entries of leaves ------------------------------------------------------
 */

static inline bool
pte_there(uint64_t e)
{
	return e & (PTE_P | PTE_PROTNONE);
}

static inline bool
pte_is_protnone(uint64_t e)
{
	return (e & (PTE_P | PTE_PROTNONE)) == PTE_PROTNONE;
}

/* The leaf for @pfn with the rights @bits of pte_prot(). */
static inline uint64_t
pte_make(const struct vm *vm, pfn_t pfn, uint64_t bits)
{
	uint64_t frame = pfn << VM_PAGE_SHIFT;

	if (vm->shape.inverted && pte_is_protnone(bits))
		frame = ~frame;
	return (frame & vm->shape.frame_mask) | bits;
}

static inline uint64_t
pte_dirty_bits(const struct vm *vm)
{
	return PTE_D | vm->shape.soft_dirty;
}

/* vm_page_prot: rights that a new leaf of an area has; never writable in a
 * private one, nor where the first write must be told. */
uint64_t pte_prot(const struct vm *vm, const struct vma *v);

/* --- page_tree.c -------------------------------------------------------- */

struct page_tree *page_tree_new(void);
void page_tree_free(struct page_tree *tree);
pfn_t page_tree_get(const struct page_tree *tree, uint64_t index);
void page_tree_set(struct page_tree *tree, uint64_t index, pfn_t pfn);
void page_tree_clear(struct page_tree *tree, uint64_t index);
/* The first page at or after *@index, PFN_NONE at the end. */
pfn_t page_tree_next(const struct page_tree *tree, uint64_t *index);

/* --- boot.c ------------------------------------------------------------- */

/* Make what the first task needs; 0 or -errno. */
int vm_start(struct vm *vm, unsigned int cpu);

/* --- page.c: frames that user space maps -------------------------------- */

/* A zeroed frame for @v (NULL: nobody's) at @va: 0, -ENOMEM. */
int pg_alloc(struct vm *vm, const struct vma *v, va_t va, gfp_t gfp,
	     unsigned int cpu, pfn_t *pfn);
/* Make it a page of anonymous memory that one entry maps. */
void pg_new_anon(struct vm *vm, struct vma *v, va_t va, pfn_t pfn);
/* Make it page @index of @o, which has a reference to it; no entry does. */
void pg_new_object(struct vm *vm, struct vm_object *o, uint64_t index,
		   pfn_t pfn);
/* One more entry maps it, and so refers to it. */
void pg_map(struct vm *vm, const struct vma *v, pfn_t pfn);
/* One entry less maps it; the reference stays, for pg_put(). */
void pg_unmap(struct vm *vm, const struct vma *v, pfn_t pfn);
/* Drop a reference, the last one frees. */
void pg_put(struct vm *vm, pfn_t pfn, unsigned int cpu);
/* What must be undone before its last reference goes. */
void pg_forget(struct vm *vm, pfn_t pfn);
void pg_set_dirty(struct vm *vm, pfn_t pfn);
void pg_clear_dirty(struct vm *vm, pfn_t pfn);
void pg_mlock(struct vm *vm, pfn_t pfn);
void pg_munlock(struct vm *vm, pfn_t pfn);
/* Put it on the list that its flags say: call around a change of them. */
void pg_lru(struct vm *vm, pfn_t pfn, int sign);
void pg_copy(struct vm *vm, pfn_t to, pfn_t from, int *err);
enum mm_counter pg_counter(const struct vm *vm, pfn_t pfn);

/* --- table.c ------------------------------------------------------------ */

/* A top table for @mm: 0, -ENOMEM, -ENOSPC. */
int pt_new(struct vm *vm, struct mm *mm, unsigned int cpu);
void pt_free(struct vm *vm, struct mm *mm, unsigned int cpu);
/* The first address from @va on, below @end, that has a table of leaves, and
 * where its entry is; @end when there is none. */
va_t pt_next(struct vm *vm, struct mm *mm, va_t va, va_t end, pa_t *at);
/* First address beyond the table of leaves that covers @va. */
static inline va_t
pt_table_end(const struct vm *vm, va_t va)
{
	return ((va >> vm->shape.shift[1]) + 1) << vm->shape.shift[1];
}

/* print_bad_pte(). */
void pt_bad(struct vm *vm, const struct vma *v, va_t va, uint64_t entry);
/*
 * The frame that leaf @entry of @v at @va maps and that is counted, PFN_NONE:
 * a special one.  One that cannot be the area's is told of: *@bad.
 */
pfn_t pt_page(struct vm *vm, const struct vma *v, va_t va, uint64_t entry,
	      bool *bad);
struct gather;
/* Free tables that map nothing after @start..@end went; nothing below @floor
 * and from @ceiling on (0: none) may be touched.  free_pgd_range. */
void pt_free_range(struct gather *g, va_t start, va_t end, va_t floor,
		   va_t ceiling);

static inline uint64_t
pte_load(const struct vm *vm, pa_t at)
{
	return ram_load(vm->ram, at, vm->shape.bytes);
}

static inline void
pte_store(struct vm *vm, pa_t at, uint64_t entry)
{
	ram_store(vm->ram, at, vm->shape.bytes, entry);
}

/* --- flush.c ------------------------------------------------------------ */

/* Pages and tables that go when the TLBs have forgotten them: mmu_gather. */
struct gather {
	struct vm *vm;
	struct mm *mm;
	unsigned int cpu;
	GArray *pages;	 /* of pfn_t */
	GArray *tables;	 /* ditto */
	va_t start, end; /* what must be flushed; empty: start > end */
	bool keep_anon;	 /* only pages of objects go */
};

void gather_init(struct gather *g, struct mm *mm, unsigned int cpu);
void gather_note(struct gather *g, va_t start, va_t end);
/* Flush and free. */
void gather_finish(struct gather *g);
/* Make all CPUs that run @mm forget @start..@end; @cpu does it. */
void flush_range(struct vm *vm, struct mm *mm, va_t start, va_t end,
		 unsigned int cpu);
void flush_mm(struct vm *vm, struct mm *mm, unsigned int cpu);
/* The PDPTEs of @mm have changed: CPUs load them anew. */
void flush_top(struct vm *vm, struct mm *mm);
/* No CPU may keep @mm, which goes. */
void flush_gone(struct vm *vm, struct mm *mm);

/* --- zap.c -------------------------------------------------------------- */

/* Clear entries of @v in @start..@end.  unmap_page_range. */
void zap_range(struct gather *g, struct vma *v, va_t start, va_t end);
/* Ditto and flush, for calls that only want this. */
void zap(struct vma *v, va_t start, va_t end, bool keep_anon, unsigned int cpu);

/* --- anon.c ------------------------------------------------------------- */

/* 0, or -ENOMEM when all numbers have been used up. */
int anon_prepare(struct vma *v);
void anon_clone(struct vma *to, const struct vma *from);
int anon_fork(struct vma *child, const struct vma *parent);
void anon_unlink(struct vma *v);
bool anon_singular(const struct vma *v);
bool anon_has(const struct vma *v, uint32_t id);
struct anon_vma *anon_by_id(const struct vm *vm, uint32_t id);

/* --- vma.c -------------------------------------------------------------- */

struct vma *vma_new(struct mm *mm, va_t start, va_t end, uint64_t flags,
		    struct vm_object *o, uint64_t pgoff);
/* A copy that is linked to nothing but its object. */
struct vma *vma_dup(const struct vma *v, struct mm *mm);
void vma_link(struct vma *v);
/* Take out of the list; nothing else. */
void vma_unlink(struct vma *v);
/* Free; drops its object and anon_vmas. */
void vma_free(struct vma *v, unsigned int cpu);
/* Index of the first area that ends above @va, and so len when none. */
guint vma_index(struct mm *mm, va_t va);
struct vma *vma_nth(const struct mm *mm, guint n);
struct vma *vma_prev(const struct vma *v);
struct vma *vma_next(const struct vma *v);
bool vma_intersects(struct mm *mm, va_t start, va_t end);
/* Cut in two at @at; @v stays the lower part.  Returns the upper one. */
struct vma *vma_cut(struct vma *v, va_t at);
/* vma_cut() unless there are too many areas: -ENOMEM. */
int vma_split(struct vma *v, va_t at, struct vma **upper);
/* What an area of @start..@end with these would be merged with. */
struct merge {
	va_t start, end;
	uint64_t flags;
	struct anon_vma *anon;
	struct vm_object *object;
	uint64_t pgoff;
	const struct vma *like; /* policy, special; NULL: default */
};
/* vma_merge(): @prev as there.  The area that now holds all, or NULL. */
struct vma *vma_merge(struct mm *mm, struct vma *prev, const struct merge *m,
		      unsigned int cpu);
bool vma_can_follow(const struct vma *v, const struct merge *m);
bool vma_can_precede(const struct vma *v, const struct merge *m);
/* Give @start..@end of @v the flags @flags, merging or splitting; *@prev as
 * mprotect_fixup's.  Stores the area. */
int vma_set_flags(struct vma *v, struct vma **prev, va_t start, va_t end,
		  uint64_t flags, struct vma **area, unsigned int cpu);
void vm_stat_account(struct mm *mm, uint64_t flags, int64_t pages);
bool may_expand_vm(struct vm *vm, const struct task *t, uint64_t flags,
		   uint64_t pages);
bool mlock_refused(const struct task *t, uint64_t flags, uint64_t len);
bool can_mlock(const struct task *t);
/* Start of @v with the gap that a stack keeps below it. */
va_t vma_gap_start(const struct vma *v);

/* --- mmap.c, munmap.c, stack.c ------------------------------------------ */

int mm_unmapped_area(struct vm *vm, struct task *t, va_t addr, uint64_t len,
		     uint64_t flags, va_t *at);
/* do_munmap(). */
int mm_munmap(struct vm *vm, struct task *t, struct mm *mm, va_t addr,
	      uint64_t len);
/* do_brk_flags(). */
int mm_add_brk(struct vm *vm, struct task *t, va_t addr, uint64_t len);
/* Let a stack grow down to @va: 0, -errno. */
int vma_expand_stack(struct vm *vm, struct task *t, struct vma *v, va_t va);

/* --- mm.c --------------------------------------------------------------- */

/* An empty address space with a top table; NULL with *@err. */
struct mm *mm_new(struct vm *vm, unsigned int cpu, int *err);
void mm_get(struct mm *mm);
/* Drop a user; the last one tears it down. */
void mm_put(struct mm *mm, unsigned int cpu);
/* A copy for a child: dup_mm. */
struct mm *mm_dup(struct task *t, unsigned int cpu, int *err);
void mm_layout(struct vm *vm, struct mm *mm, const struct task *t);
/* The task's, when it can make calls: NULL otherwise. */
struct mm *task_mm(struct vm *vm, struct task *t);
/* Remember the most it had. */
void mm_update_hiwater(struct mm *mm);

static inline void
mm_count(struct mm *mm, enum mm_counter c, int64_t n)
{
	mm->counter[c] += n;
}

/* --- object.c ----------------------------------------------------------- */

/* Shared anonymous memory of @size bytes; NULL: no number is left. */
struct vm_object *obj_new_shmem(struct vm *vm, uint64_t size);
/* Page @index of @o, read in or made if it is not there; @v (NULL): for its
 * read-ahead.  enum vm_fault_result. */
unsigned int obj_fault(struct vm_object *o, const struct vma *v, uint64_t index,
		       unsigned int cpu, pfn_t *pfn);
/* Pages @from..@to of a file that are not there are read, if frames are. */
void obj_read_ahead(struct vm_object *o, uint64_t from, uint64_t to,
		    unsigned int cpu);
/* Take pages @first..@last out of all entries and out of the object; with
 * @copies private copies of them too. */
void obj_punch(struct vm_object *o, uint64_t first, uint64_t last, bool copies,
	       unsigned int cpu);
/* What the device has of these pages becomes zero. */
void obj_zero_device(struct vm_object *o, uint64_t first, uint64_t last);

/* --- rmap.c ------------------------------------------------------------- */

/* Put areas into the order in which all that visit them do. */
void areas_sort(GPtrArray *areas);

/* --- task.c ------------------------------------------------------------- */

void task_delete(struct task *t);

#endif
