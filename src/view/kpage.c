// SPDX-License-Identifier: MIT
/*
 * kpage.c - /proc/kpageflags and /proc/kpagecount
 *
 * What it models: fs/proc/page.c: 64 bits for each page frame, for every frame
 * up to the end of memory's last section.
 * How it works: a read goes from block to block and fills in all pages of one
 * at once; what belongs to no block is reserved, or has no struct page.
 * Differs from the kernel: pages of an allocation that was not made with
 * __GFP_COMP carry no flag, as there; but there is none yet that is mapped or
 * on an LRU list.
 */
#include "kmemfs/show.h"

#include "kmemfs/phys/memory_block.h"

#include <errno.h>

#define ENTRY sizeof(uint64_t)

/* Bit numbers of include/uapi/linux/kernel-page-flags.h. */
enum kpf_bit {
	KPF_SLAB = 7,
	KPF_BUDDY = 10,
	KPF_MMAP = 11,
	KPF_COMPOUND_HEAD = 15,
	KPF_COMPOUND_TAIL = 16,
	KPF_NOPAGE = 20,
	KPF_RESERVED = 32,
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

static struct entry
flags_of(const struct frame *frame, enum frame_state state)
{
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
	if (frame->mapcount > 0) {
		e.head |= KPF(MMAP);
		e.rest |= KPF(MMAP);
	}
	return e;
}

static struct entry
count_of(const struct frame *frame, enum frame_state state)
{
	uint64_t count = 0;

	if (state == FRAME_ALLOCATED && frame->mapcount > 0)
		count = (uint64_t)frame->mapcount;
	return (struct entry){count, count};
}

struct kind {
	struct entry (*of)(const struct frame *frame, enum frame_state state);
	uint64_t absent;   /* there is no struct page */
	uint64_t reserved; /* it is in no block */
};

static const struct kind flags_kind = {flags_of, KPF(NOPAGE), KPF(RESERVED)};
static const struct kind count_kind = {count_of, 0, 0};

/* Fill in @to for @pfn and those after it that are of one block, at most @nr;
 * returns how many. */
static uint64_t
fill(const struct phys *phys, const struct kind *kind, pfn_t pfn, uint64_t nr,
     uint64_t *to)
{
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
		*to = kind->reserved;
		return 1;
	}
	e = kind->of(&phys->frames[head], state);
	end = MIN_OF(head + (1ULL << order), pfn + nr);
	nr = end - pfn;
	for (uint64_t i = 0; i < nr; i++)
		to[i] = pfn + i == head ? e.head : e.rest;
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
			done = fill(phys, kind, pfn, MIN_OF(end, until) - pfn,
				    to);
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
