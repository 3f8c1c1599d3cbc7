// SPDX-License-Identifier: MIT
/*
 * kpage.c - /proc/kpageflags and /proc/kpagecount
 *
 * What it models: fs/proc/page.c: 64 bits for each page frame, for every frame
 * up to the end of memory's last section.
 * How it works: a read goes from block to block and fills in all pages of one
 * at once; what belongs to no block is reserved, or has no struct page.  Pages
 * that tasks map are asked one by one, from the block's first: its record says
 * what they are, vm_mapcount() how many entries each of them has.
 * Differs from the kernel: the bits of file systems (PRIVATE, MAPPEDTODISK of a
 * file's page) are not modelled.
 */
#include "kmemfs/show.h"

#include "kmemfs/phys/memory_block.h"
#include "kmemfs/vm/walk.h"

#include <errno.h>

#define ENTRY sizeof(uint64_t)

/* Bit numbers of include/uapi/linux/kernel-page-flags.h; from 32 on those of
 * include/linux/kernel-page-flags.h. */
enum kpf_bit {
	KPF_REFERENCED = 2,
	KPF_UPTODATE = 3,
	KPF_DIRTY = 4,
	KPF_LRU = 5,
	KPF_ACTIVE = 6,
	KPF_SLAB = 7,
	KPF_BUDDY = 10,
	KPF_MMAP = 11,
	KPF_ANON = 12,
	KPF_SWAPBACKED = 14,
	KPF_COMPOUND_HEAD = 15,
	KPF_COMPOUND_TAIL = 16,
	KPF_HUGE = 17,
	KPF_UNEVICTABLE = 18,
	KPF_NOPAGE = 20,
	KPF_THP = 22,
	KPF_ZERO_PAGE = 24,
	KPF_PGTABLE = 26,
	KPF_RESERVED = 32,
	KPF_MLOCKED = 33,
	KPF_ANON_EXCLUSIVE = 34, /* of a file's page: MAPPEDTODISK */
};

#define KPF(name) (1ULL << KPF_##name)

static uint64_t
end_pfn(const struct phys *phys)
{
	uint64_t section = SECTION_SIZE >> phys->page_shift;

	return memory_sections(phys) ? round_up_to(phys->max_pfn, section)
				     : phys->max_pfn;
}

/* What an entry of a block is. */
struct entry {
	uint64_t head; /* of its first page */
	uint64_t rest; /* of the others */
};

/* Flags of a page that tasks map, as its record has them. */
static uint64_t
flags_of_user(const struct vm_page *p)
{
	static const struct {
		uint32_t ours;
		uint64_t bits;
	} flags[] = {
		{VMP_REFERENCED, KPF(REFERENCED)		},
		{VMP_UPTODATE,   KPF(UPTODATE)		    },
		{VMP_DIRTY,	    KPF(DIRTY)		      },
		{VMP_LRU,	  KPF(LRU)			  },
		{VMP_ACTIVE,     KPF(ACTIVE)			},
		{VMP_ANON,	   KPF(ANON)			    },
		{VMP_SWAPBACKED, KPF(SWAPBACKED)		},
		{VMP_HUGETLB,    KPF(HUGE)		       },
		{VMP_HUGE,	   KPF(THP)			   },
		{VMP_MLOCKED,    KPF(MLOCKED) | KPF(UNEVICTABLE)},
		{VMP_EXCLUSIVE,	KPF(ANON_EXCLUSIVE)		   },
	};
	uint64_t bits = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (p->flags & flags[i].ours)
			bits |= flags[i].bits;
	return bits;
}

/* Whether tasks map the block at @head, or may. */
static bool
is_user(const struct vm *vm, pfn_t head)
{
	return vm->pages &&
	       vm->pages[head].flags & (VMP_ANON | VMP_OBJECT | VMP_HUGETLB);
}

static struct entry
flags_of(const struct vm *vm, pfn_t head, enum frame_state state)
{
	const struct frame *frame = &vm->phys->frames[head];
	struct entry e = {0, 0};
	uint32_t number;

	if (state == FRAME_FREE)
		return (struct entry){KPF(BUDDY), KPF(BUDDY)};
	if (state != FRAME_ALLOCATED)
		return e;
	if (frame->flags & FRAME_COMPOUND && frame->order)
		e = (struct entry){KPF(COMPOUND_HEAD), KPF(COMPOUND_TAIL)};
	if (frame_owned_by(frame->owner, OWNER_SLAB, &number)) {
		e.head |= KPF(SLAB);
		e.rest |= KPF(SLAB);
	}
	if (is_user(vm, head)) {
		uint64_t user = flags_of_user(&vm->pages[head]);

		e.head |= user;
		/* What a tail has it has for itself, but for what it is of. */
		e.rest |= user & (KPF(ANON) | KPF(THP) | KPF(HUGE));
	} else if (vm_is_marked_table(vm, head)) {
		e.head |= KPF(PGTABLE);
	}
	return e;
}

static struct entry
count_of(const struct vm *vm, pfn_t head, enum frame_state state)
{
	(void)vm;
	(void)head;
	(void)state;
	return (struct entry){0, 0};
}

struct kind {
	struct entry (*of)(const struct vm *vm, pfn_t head,
			   enum frame_state state);
	/* Add what @entries of a page of a block make of its word. */
	void (*mapped)(uint64_t *word, uint32_t entries);
	uint64_t absent;   /* there is no struct page */
	uint64_t reserved; /* it is in no block */
	uint64_t zero;	   /* what the zero page has besides */
};

static void
flag_mapped(uint64_t *word, uint32_t entries)
{
	if (entries)
		*word |= KPF(MMAP);
}

static void
count_mapped(uint64_t *word, uint32_t entries)
{
	*word = entries;
}

static const struct kind flags_kind = {
	flags_of, flag_mapped, KPF(NOPAGE), KPF(RESERVED), KPF(ZERO_PAGE),
};
static const struct kind count_kind = {count_of, count_mapped, 0, 0, 0};

/* Entries that map page @pfn of an allocated block. */
static uint32_t
entries_of(const struct vm *vm, pfn_t head, pfn_t pfn)
{
	const struct frame *frame = &vm->phys->frames[head];

	if (is_user(vm, head))
		return vm_mapcount(vm, pfn);
	return frame->mapcount > 0 ? (uint32_t)frame->mapcount : 0;
}

/* Fill in @to for @pfn and those after it that are of one block, at most @nr;
 * returns how many. */
static uint64_t
fill(const struct vm *vm, const struct kind *kind, pfn_t pfn, uint64_t nr,
     uint64_t *to)
{
	const struct phys *phys = vm->phys;
	enum frame_state state;
	enum migratetype type;
	unsigned int order;
	struct entry e;
	pfn_t head, end;

	if (pfn >= phys->max_pfn) {
		*to = kind->reserved;
		return 1;
	}
	state = frame_block(phys, pfn, &head, &order, &type);
	if (state == FRAME_NONE) {
		*to = kind->reserved | (pfn == vm->zero_page ? kind->zero : 0);
		return 1;
	}
	e = kind->of(vm, head, state);
	end = MIN_OF(head + (1ULL << order), pfn + nr);
	nr = end - pfn;
	for (uint64_t i = 0; i < nr; i++) {
		to[i] = pfn + i == head ? e.head : e.rest;
		if (state == FRAME_ALLOCATED)
			kind->mapped(&to[i], entries_of(vm, head, pfn + i));
	}
	return nr;
}

static ssize_t
read_entries(const struct view *v, const struct kind *kind, uint64_t *to,
	     size_t len, uint64_t at)
{
	const struct phys *phys = v->m->phys;
	pfn_t pfn = at / ENTRY, end = end_pfn(phys), until = 0;
	uint64_t *start = to;
	bool there = false;

	/* The end comes first: st_size is told here, and whoever reads that
	 * many bytes tries for one more. */
	if (pfn >= end)
		return 0;
	if (at % ENTRY || len % ENTRY)
		return -EINVAL;
	end = MIN_OF(end, pfn + len / ENTRY);
	while (pfn < end) {
		uint64_t done = 1;

		if (pfn >= until)
			there = memory_has_page(phys, pfn, &until);
		if (there)
			done = fill(v->m->vm, kind, pfn,
				    MIN_OF(end, until) - pfn, to);
		else
			*to = kind->absent;
		to += done;
		pfn += done;
	}
	return (ssize_t)((size_t)(to - start) * ENTRY);
}

ssize_t
read_kpageflags(const struct view *v, void *to, size_t len, uint64_t at)
{
	return read_entries(v, &flags_kind, to, len, at);
}

uint64_t
size_kpageflags(const struct view *v)
{
	return end_pfn(v->m->phys) * ENTRY;
}

ssize_t
read_kpagecount(const struct view *v, void *to, size_t len, uint64_t at)
{
	return read_entries(v, &count_kind, to, len, at);
}

uint64_t
size_kpagecount(const struct view *v)
{
	return size_kpageflags(v);
}
