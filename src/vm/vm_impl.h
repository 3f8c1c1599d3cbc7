// SPDX-License-Identifier: MIT
/*
 * vm_impl.h - what the files of this layer share
 */
#ifndef KMEMFS_VM_VM_IMPL_H
#define KMEMFS_VM_VM_IMPL_H

#include "kmemfs/base/check.h"
#include "kmemfs/vm/fault.h"
#include "kmemfs/vm/hugetlb.h"
#include "kmemfs/vm/mempolicy.h"
#include "kmemfs/vm/thp.h"

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

/* --- device.c: bytes behind a file ------------------------------------------
 */

void device_write(struct vm_object *o, uint64_t at, const void *from,
		  uint64_t len);
bool device_has(const struct vm_object *o, uint64_t index);
/* Pages @first to @last become zeros. */
void device_zero(struct vm_object *o, uint64_t first, uint64_t last);
/* So does all from @size on. */
void device_cut(struct vm_object *o, uint64_t size);
void device_digest(const struct vm_object *o, const struct number_stream *to);
void device_free(struct vm_object *o);

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

struct gather;

struct page_tree *page_tree_new(void);
void page_tree_free(struct page_tree *tree);
pfn_t page_tree_get(const struct page_tree *tree, uint64_t index);
void page_tree_set(struct page_tree *tree, uint64_t index, pfn_t pfn);
void page_tree_clear(struct page_tree *tree, uint64_t index);
/* The first page at or after *@index, PFN_NONE at the end. */
pfn_t page_tree_next(const struct page_tree *tree, uint64_t *index);

/* --- boot.c ------------------------------------------------------------- */

/* Records of frames: 0, -ENOSPC. */
int pages_make(struct vm *vm);
/* Make what the first task needs; 0 or -errno. */
int vm_start(struct vm *vm, unsigned int cpu);

/* --- mempolicy.c -------------------------------------------------------- */

/* A block for @v (NULL: nobody's) at @va, from where the policy says; @q with
 * gfp, order and cpu.  @huge: only if near, or hard wanted.  0, -ENOMEM. */
int place_alloc(struct vm *vm, const struct vma *v, va_t va,
		struct page_request *q, bool huge, pfn_t *pfn);

/* Move page @pfn, which @v has at @va, to a frame where the policy wants it:
 * false when it is held otherwise, or none is free. */
bool pg_migrate(struct vm *vm, struct vma *v, va_t va, pfn_t pfn,
		unsigned int cpu);
/* Where the policy wants huge page @index of @v: *@home first, of *@nodes (0:
 * all) only. */
void place_huge(const struct vm *vm, const struct vma *v, uint64_t index,
		unsigned int *home, uint64_t *nodes);

/* --- huge.c: pages of many frames --------------------------------------- */

/* Small entries of a huge page, for each of its frames. */
struct huge_parts {
	uint32_t mapped; /* frames with any */
	uint32_t entries[];
};

static inline unsigned int
huge_frames(const struct vm *vm)
{
	return 1U << vm->thp->order;
}

/* Bytes that an entry of level 1 maps. */
static inline uint64_t
huge_bytes(const struct vm *vm)
{
	return 1ULL << vm->shape.shift[1];
}

/* The first frame of the page that @pfn belongs to. */
static inline pfn_t
pg_head(const struct vm *vm, pfn_t pfn)
{
	if (likely(!(vm->pages[pfn].flags & VMP_TAIL)))
		return pfn;
	return pfn & ~((1ULL << vm->thp->order) - 1);
}

/* Frames of the page that begins at @pfn. */
static inline uint64_t
pg_frames(const struct vm *vm, pfn_t pfn)
{
	return vm->pages[pfn].flags & VMP_HUGE ? 1ULL << vm->thp->order : 1;
}

struct thp *thp_new(const struct vm *vm);
void thp_free(struct vm *vm);
void thp_digest(const struct vm *vm, const struct number_stream *to);
/* NULL: no small entry maps any of it. */
struct huge_parts *huge_parts(const struct vm *vm, pfn_t head);
/* From now on its frames have records: they can be pinned, or mapped by small
 * entries. */
struct huge_parts *huge_make_parts(struct vm *vm, pfn_t head);
/* Make the order-9 block @pfn a page of anonymous memory that one huge entry
 * maps. */
void huge_new_anon(struct vm *vm, struct vma *v, va_t va, pfn_t pfn);
/* One more huge entry, one less; as pg_map(), pg_unmap(). */
void huge_map(struct vm *vm, const struct vma *v, pfn_t head);
void huge_unmap(struct vm *vm, const struct vma *v, pfn_t head);
/* A huge entry becomes small ones: counts and references only. */
void huge_map_parts(struct vm *vm, const struct vma *v, pfn_t head,
		    bool exclusive);
void huge_map_part(struct vm *vm, pfn_t pfn);
void huge_unmap_part(struct vm *vm, pfn_t pfn);
void huge_forget(struct vm *vm, pfn_t head);
/* All entries that map any frame of it. */
uint32_t huge_mapcount(const struct vm *vm, pfn_t head);
/* Whether someone has pinned any frame of the page @pfn belongs to. */
bool pg_pinned(const struct vm *vm, pfn_t pfn);

/* Whoever shared the anonymous page has gone: it is @v's alone. */
void pg_take_over(struct vm *vm, const struct vma *v, pfn_t pfn);

/* Visit each counted page that entries of @start..@end map, a huge one once
 * with its first frame, until @fn says false. */
typedef bool (*pg_each_fn)(void *user, struct vma *v, va_t va, pfn_t pfn);
void pg_each(struct vm *vm, struct vma *v, va_t start, va_t end, pg_each_fn fn,
	     void *user);

/* --- thp.c, thp_entry.c, khugepaged.c ----------------------------------- */

#define VM_FAULT_FALLBACK (1U << 8) /* not huge: go on with small pages */

static inline bool
huge_leaf_bits(uint64_t e)
{
	return (e & PTE_PS) && pte_there(e);
}

/* The leaf of @level for the page that begins at @pfn. */
static inline uint64_t
huge_make(const struct vm *vm, pfn_t pfn, uint64_t bits, unsigned int level)
{
	uint64_t frame = pfn << VM_PAGE_SHIFT;

	if (vm->shape.inverted && pte_is_protnone(bits))
		frame = ~frame;
	frame &= vm->shape.frame_mask & ~((1ULL << vm->shape.shift[level]) - 1);
	return frame | bits | PTE_PS;
}

/* First frame of a huge leaf. */
static inline pfn_t
huge_pfn(const struct vm *vm, uint64_t e, unsigned int level)
{
	uint64_t mask =
		vm->shape.frame_mask & ~((1ULL << vm->shape.shift[level]) - 1);

	if (vm->shape.inverted && pte_is_protnone(e))
		e = ~e;
	return (e & mask) >> VM_PAGE_SHIFT;
}

/* The page that a huge leaf of level 1 maps and that is counted; PFN_NONE: the
 * huge zero page, or *@bad. */
pfn_t thp_page(struct vm *vm, const struct vma *v, va_t va, uint64_t entry,
	       bool *bad);
/* The huge leaf for all of @va's 2 MiB in @mm: where, 0: there is none. */
pa_t thp_entry_at(const struct vm *vm, const struct mm *mm, va_t va);
/* Whether a fault in @v may put a huge page at @va's 2 MiB. */
bool thp_suits(const struct vm *vm, const struct vma *v, va_t va);
bool thp_allowed(const struct vm *vm, const struct vma *v, bool in_fault);
/* A page of 2^9 frames as the settings say; 0, -ENOMEM. */
int thp_alloc(struct vm *vm, const struct vma *v, va_t va, unsigned int cpu,
	      pfn_t *pfn);
/* Nothing is at entry @at: enum vm_fault_result, or VM_FAULT_FALLBACK. */
unsigned int thp_fault(struct vm *vm, struct vma *v, va_t va, pa_t at,
		       unsigned int flags, unsigned int cpu);
/* A huge leaf is at @at. */
unsigned int thp_fault_present(struct vm *vm, struct vma *v, va_t va, pa_t at,
			       unsigned int flags, unsigned int cpu);
/* Small entries take the place of the huge one at @at. */
void thp_split_entry(struct vm *vm, struct vma *v, va_t va, pa_t at,
		     unsigned int cpu);
/* Ditto for what lies across @va, if anything does: @va becomes a border. */
void thp_split_at(struct vma *v, va_t va);
void thp_zap(struct gather *g, struct vma *v, va_t va, pa_t at);
/* Give the child's area what the parent's has: 0, -errno; -EAGAIN: the entry
 * was split, go on with small ones. */
int thp_copy(struct vm *vm, struct vma *from, struct vma *to, va_t va, pa_t at,
	     unsigned int cpu);
/* Ditto at another place; what CPUs know of the old one stays. */
void thp_move(struct vm *vm, pa_t from, pa_t into);
/* mprotect of all of it: whether TLBs may know what it does not say now. */
bool thp_change(struct vm *vm, const struct vma *v, pa_t at);
/* Keep a table of leaves for the huge entry at @at; take one back. */
int thp_deposit_new(struct vm *vm, struct mm *mm, va_t va, pa_t at,
		    unsigned int cpu);
void thp_deposit(struct vm *vm, pa_t at, pfn_t table);
pfn_t thp_withdraw(struct vm *vm, pa_t at);
/* The address space gets the huge zero page: its frame, PFN_NONE. */
pfn_t thp_zero_get(struct vm *vm, struct mm *mm, unsigned int cpu);
/* It goes: khugepaged forgets it, the huge zero page loses a user. */
void thp_mm_gone(struct vm *vm, struct mm *mm);
void khugepaged_enter(struct vm *vm, const struct vma *v);
void khugepaged_fork(struct vm *vm, struct mm *mm, const struct mm *old);
bool khugepaged_tick(struct vm *vm);

/* --- hugetlb.c, hugetlb_fault.c ----------------------------------------- */

/* Pages of a private area whose promise was used up; shared by its parts. */
struct hugetlb_resv {
	unsigned int refs;
	GHashTable *used; /* page numbers */
};

struct hugetlb *hugetlb_new(const struct vm *vm);
void hugetlb_free(struct vm *vm);
/* Fill the pool as the kernel's arguments say. */
void hugetlb_boot(struct vm *vm);
void hugetlb_digest(const struct vm *vm, const struct number_stream *to);
/* Promise pages, surplus ones if there must be: 0, -ENOMEM; the opposite. */
int hugetlb_promise(struct vm *vm, uint64_t pages);
void hugetlb_unpromise(struct vm *vm, uint64_t pages);
/* What a new area may need is promised: 0, -ENOMEM. */
int hugetlb_reserve(struct vm *vm, struct vma *v);
/* Drop its share of the record; nothing is given back. */
void hugetlb_resv_put(struct vma *v);
/* It goes, and its object: unused promises are given back, and pages. */
void hugetlb_area_gone(struct vm *vm, struct vma *v);
void hugetlb_object_gone(struct vm_object *o);
/* A page for page @index of @v, its bytes as they are; @avoid: not a promised
 * one.  0, -ENOSPC: the pool is empty. */
int hugetlb_alloc(struct vm *vm, struct vma *v, uint64_t index, bool avoid,
		  unsigned int cpu, pfn_t *pfn);
/* Drop a reference; the last one gives the page back to the pool. */
void hugetlb_put(struct vm *vm, pfn_t pfn);
unsigned int hugetlb_fault(struct vm *vm, struct vma *v, va_t va,
			   unsigned int flags, unsigned int cpu);
void hugetlb_zap(struct gather *g, struct vma *v, va_t start, va_t end);
int hugetlb_copy(struct vm *vm, struct vma *from, struct vma *to,
		 unsigned int cpu);
void hugetlb_protect(struct vma *v, va_t start, va_t end, unsigned int cpu);
/* Whether @va may be a border of @v. */
static inline bool
vma_may_cut(const struct vma *v, va_t va)
{
	return !(v->flags & VM_HUGETLB) ||
	       !(va & ((1ULL << v->mm->vm->shape.shift[1]) - 1));
}

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
/* What a write to physical memory does there: nothing where no RAM is, since
 * devices keep no bytes.  -ENOSPC: the host may hold no more. */
int pg_write_bytes(struct vm *vm, pa_t at, const void *from, uint64_t len);
void pg_set_dirty(struct vm *vm, pfn_t pfn);
void pg_clear_dirty(struct vm *vm, pfn_t pfn);
/* Somebody has used it: referenced, when it is that already active. */
void pg_mark_accessed(struct vm *vm, pfn_t pfn);
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
/* The first address from @va on, below @end, that has a table of leaves or a
 * huge leaf of *@level, and where its entry is; @end when there is none. */
va_t pt_next(struct vm *vm, struct mm *mm, va_t va, va_t end, pa_t *at,
	     unsigned int *level);
/* vm_entry_make() for an entry of @level. */
int pt_make(struct vm *vm, struct mm *mm, va_t va, unsigned int level,
	    unsigned int cpu, pa_t *at);
/* A table of leaves, empty, that no entry leads to yet; and the opposite,
 * freed at once.  0, -ENOMEM, -ENOSPC. */
int pt_spare_new(struct vm *vm, struct mm *mm, va_t va, unsigned int cpu,
		 pfn_t *table);
void pt_spare_free(struct vm *vm, struct mm *mm, pfn_t table, unsigned int cpu);
/* The entry @at of level 1 leads to @table of leaves for @va from now on. */
void pt_link(struct vm *vm, struct mm *mm, va_t va, pa_t at, pfn_t table);
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

/* What must be flushed, as mmu_gather notes it. */
struct flush_notes {
	va_t start, end;     /* empty: start > end */
	unsigned int levels; /* bit n: entries of level n */
};

#define FLUSH_NOTES ((struct flush_notes){.start = UINT64_MAX})

/* Pages and tables that go when the TLBs have forgotten them: mmu_gather. */
struct gather {
	struct vm *vm;
	struct mm *mm;
	unsigned int cpu;
	GArray *pages;	/* of pfn_t */
	GArray *tables; /* ditto */
	struct flush_notes notes;
	bool keep_anon; /* only pages of objects go */
};

/* An entry of @level changed, or went, that CPUs may know: from @start on, and
 * not beyond @end. */
void flush_note(struct flush_notes *notes, va_t start, va_t end,
		unsigned int level);
/* Make all CPUs that run @mm forget what was noted, if anything; @cpu does
 * it.  One step for each of the smallest entries that were noted. */
void flush_noted(struct vm *vm, struct mm *mm, const struct flush_notes *notes,
		 unsigned int cpu);
void gather_init(struct gather *g, struct mm *mm, unsigned int cpu);
/* Flush and free. */
void gather_finish(struct gather *g);
/* Make all CPUs that run @mm forget the huge page that @va lies in: one step,
 * as flush_tlb_page().  Most of the kernel's calls for a huge entry go page by
 * page instead, and so beyond the ceiling: flush_range(). */
void flush_huge(struct vm *vm, struct mm *mm, va_t va, unsigned int cpu);
/* Make all CPUs that run @mm forget @start..@end; @cpu does it. */
void flush_range(struct vm *vm, struct mm *mm, va_t start, va_t end,
		 unsigned int cpu);
void flush_mm(struct vm *vm, struct mm *mm, unsigned int cpu);
/* The PDPTEs of @mm have changed: CPUs load them anew. */
void flush_top(struct vm *vm, struct mm *mm);
/* No CPU may keep @mm, which goes. */
void flush_gone(struct vm *vm, struct mm *mm);

/* --- cpu.c -------------------------------------------------------------- */

/* CPU @cpu uses TLB entry @e, for which some entry of a table has lost a right
 * since it was known to be good: *@stale when it was this one. */
void cpu_use_entry(struct vm *vm, unsigned int cpu, const struct mmu_request *q,
		   struct tlb_entry *e, bool *stale);

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
/* Pages of the pool, for @size bytes; NULL: no number is left. */
struct vm_object *obj_new_hugetlb(struct vm *vm, uint64_t size);
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

/* --- rmap.c ------------------------------------------------------------- */

/* Put areas into the order in which all that visit them do. */
void areas_sort(GPtrArray *areas);

/* --- why a call fails --------------------------------------------------- */

enum vm_reason {
	WHY_NONE,
#define WHY(id, sentence) WHY_##id,
#include "why.def"
#undef WHY
};

/* Fail with @err, for a reason that vm_why() tells. */
static inline int
vm_refuse(struct vm *vm, int err, enum vm_reason why)
{
	vm->why = (uint8_t)why;
	vm->why_err = err;
	return err;
}

/* --- task.c ------------------------------------------------------------- */

void task_delete(struct task *t);
/* End @t's thread group but @t, which gets the first thread's pid and name;
 * that one, a zombie now, @t's.  Follows de_thread() of fs/exec.c. */
void task_end_others(struct task *t);

#endif
