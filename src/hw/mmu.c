// SPDX-License-Identifier: MIT
/*
 * mmu.c - from a virtual to a physical address, through tables in RAM
 *
 * How it works: what differs between the modes is in a table of formats; one
 * loop walks them all.  At each level, in the order in which hardware looks:
 *
 *     not present            -> page fault, P = 0
 *     a reserved bit is set  -> page fault, P = 1, RSVD
 *     a leaf                 -> done
 *
 * and rights are judged at the end, from all entries together: a missing
 * entry below is told before a forbidden one above.  A base and a limit need
 * no tables; what is beyond the limit is a general protection.
 *
 * Always true: the walk reads at most five entries and writes nothing.
 */
#include "kmemfs/hw/mmu.h"

#include <string.h>

#define X86_BITS                                                               \
	.present = PTE_P, .write = PTE_RW, .user = PTE_US, .accessed = PTE_A,  \
	.dirty = PTE_D, .leaf = PTE_PS, .global = PTE_G

const char *const mmu_mode_names[NR_MMU_MODES] = {
	"none", "32-bit", "pae", "4-level", "5-level", "custom", "base-bounds",
};

const char *const mmu_access_names[NR_MMU_ACCESSES] = {
	[MMU_READ] = "read",
	[MMU_WRITE] = "write",
	[MMU_FETCH] = "fetch",
};

const char *
mmu_entry_name(enum mmu_mode mode, unsigned int level)
{
	static const char *const x86[MMU_LEVELS_MAX] = {
		"PTE", "PDE", "PDPTE", "PML4E", "PML5E",
	};
	static const char *const custom[MMU_LEVELS_MAX] = {
		"L0", "L1", "L2", "L3", "L4",
	};

	return mode == MMU_CUSTOM ? custom[level] : x86[level];
}

static const struct mmu_format formats[NR_MMU_MODES] = {
	[MMU_32BIT] = {2,  32,    false, 4, 12, 12, 20, {10, 10}, X86_BITS},
	[MMU_PAE] = { 3,
		       32, false,
		       8,		     12,
		       12,		      40,
		       {9, 9, 2},
		       X86_BITS,			 .no_exec = PTE_NX},
	[MMU_4LEVEL] = { 4,
			48,	true,
			8,		12,
			12,			40,
			{9, 9, 9, 9},
			X86_BITS,			 .no_exec = PTE_NX},
	[MMU_5LEVEL] = { 5,
			57,	true,
			8,		12,
			12,			40,
			{9, 9, 9, 9, 9},
			X86_BITS,			 .no_exec = PTE_NX},
};

const struct mmu_format *
mmu_format(const struct mmu_regs *regs)
{
	return regs->mode == MMU_CUSTOM ? regs->format : &formats[regs->mode];
}

unsigned int
mmu_level_shift(const struct mmu_format *f, unsigned int level)
{
	unsigned int shift = f->page_shift;

	for (unsigned int l = 0; l < level; l++)
		shift += f->index_bits[l];
	return shift;
}

/* Whether the walk can begin with @va at all. */
static bool
canonical(const struct mmu_format *f, va_t va)
{
	int64_t high = (int64_t)va >> (f->va_bits - f->sign_extends);

	return high == 0 || (f->sign_extends && high == -1);
}

/* Bits @from..@to of a number, both included; none when they are swapped. */
static uint64_t
bits(unsigned int from, unsigned int to)
{
	if (from > to)
		return 0;
	return (UINT64_MAX >> (63 - to)) & (UINT64_MAX << from);
}

/* Whether entries of @level may be leaves at all. */
static bool
level_has_leaves(const struct mmu_regs *regs, unsigned int level)
{
	switch (regs->mode) {
	case MMU_32BIT:
		return level == 1 && regs->pse;
	case MMU_PAE:
		return level == 1;
	case MMU_4LEVEL:
	case MMU_5LEVEL:
		return level == 1 || (level == 2 && regs->gb_pages);
	default:
		return false;
	}
}

static uint64_t
reserved_32bit(const struct mmu_regs *regs, unsigned int level, bool leaf)
{
	/* PSE-36: 4 MiB pages reach up to 40 bits. */
	if (level == 1 && leaf)
		return bits(MIN_OF(regs->phys_bits, 40) - 19U, 21);
	return 0;
}

uint64_t
mmu_reserved(const struct mmu_regs *regs, unsigned int level, bool leaf)
{
	uint64_t mask;

	switch (regs->mode) {
	case MMU_32BIT:
		return reserved_32bit(regs, level, leaf);
	case MMU_PAE:
		if (level == 2)
			return bits(1, 2) | bits(5, 8) |
			       bits(regs->phys_bits, 63);
		mask = bits(regs->phys_bits, 62);
		break;
	case MMU_4LEVEL:
	case MMU_5LEVEL:
		mask = bits(regs->phys_bits, 51);
		if (level > 2 || (level == 2 && !regs->gb_pages))
			mask |= PTE_PS;
		break;
	default:
		return 0;
	}
	if (leaf && level)
		mask |= bits(13, mmu_level_shift(mmu_format(regs), level) - 1);
	return regs->nxe ? mask : mask | PTE_NX;
}

/* Bits without which an entry has no reserved one set, at whatever level: a
 * test that most entries pass. */
static uint64_t
may_be_reserved(const struct mmu_regs *regs)
{
	if (regs->mode != MMU_4LEVEL && regs->mode != MMU_5LEVEL)
		return UINT64_MAX;
	return bits(regs->phys_bits, 51) | PTE_PS | (regs->nxe ? 0 : PTE_NX);
}

/* The bits of an entry that name a frame. */
static uint64_t
frame_mask(const struct mmu_regs *regs, const struct mmu_format *f)
{
	unsigned int frame_bits = f->frame_bits;

	if (regs->mode != MMU_CUSTOM)
		frame_bits = MIN_OF(frame_bits, regs->phys_bits - 12U);
	return bits(0, frame_bits - 1) << f->frame_shift;
}

/* The frame that an entry names, as an address; @mask is frame_mask(). */
static inline pa_t
masked_frame(const struct mmu_format *f, uint64_t entry, uint64_t mask)
{
	/* Of all processors but made-up ones.  What reads the next table waits
	 * for this. */
	if (f->frame_shift == f->page_shift)
		return entry & mask;
	return (entry & mask) >> f->frame_shift << f->page_shift;
}

static pa_t
entry_frame(const struct mmu_regs *regs, const struct mmu_format *f,
	    uint64_t entry)
{
	return masked_frame(f, entry, frame_mask(regs, f));
}

static pa_t
leaf_address(const struct mmu_regs *regs, const struct mmu_format *f,
	     uint64_t entry, unsigned int shift, va_t va)
{
	uint64_t offset = va & bits(0, shift - 1);
	pa_t frame;

	if (regs->mode == MMU_32BIT && shift == 22)
		frame = (entry & bits(22, 31)) | (entry & bits(13, 20)) << 19;
	else
		frame = entry_frame(regs, f, entry) & ~bits(0, shift - 1);
	return frame | offset;
}

bool
mmu_is_leaf(const struct mmu_regs *regs, unsigned int level, uint64_t entry)
{
	return !level || ((entry & mmu_format(regs)->leaf) &&
			  level_has_leaves(regs, level));
}

pa_t
mmu_entry_pa(const struct mmu_regs *regs, unsigned int level, uint64_t entry)
{
	const struct mmu_format *f = mmu_format(regs);

	if (!mmu_is_leaf(regs, level, entry))
		return entry_frame(regs, f, entry);
	return leaf_address(regs, f, entry, mmu_level_shift(f, level), 0);
}

static pa_t
top_table(const struct mmu_regs *regs)
{
	switch (regs->mode) {
	case MMU_32BIT:
		return regs->cr3 & bits(12, 31);
	case MMU_PAE:
		return regs->cr3 & bits(5, 31);
	case MMU_CUSTOM:
		return regs->cr3;
	default:
		return regs->cr3 & bits(12, regs->phys_bits - 1U);
	}
}

/* Bits of all entries of a walk together. */
struct bits_seen {
	uint64_t in_all, in_any;
};

bool
mmu_allows(const struct mmu_regs *regs, const struct mmu_request *q,
	   bool writable, bool user, bool no_exec)
{
	bool shut = regs->smap && user && (!q->ac || q->implicit);

	if (q->access == MMU_FETCH && no_exec)
		return false;
	if (q->user && !q->implicit)
		return user && (q->access != MMU_WRITE || writable);
	if (q->access == MMU_FETCH)
		return !(regs->smep && user);
	if (q->access == MMU_WRITE && regs->wp && !writable)
		return false;
	return !shut;
}

static void
fault(const struct mmu_regs *regs, const struct mmu_request *q,
      struct mmu_result *r, uint32_t why)
{
	r->outcome = MMU_PAGE_FAULT;
	r->error_code = why;
	if (q->access == MMU_WRITE)
		r->error_code |= PF_WRITE;
	if (q->user && !q->implicit)
		r->error_code |= PF_USER;
	if (q->access == MMU_FETCH && (regs->nxe || regs->smep))
		r->error_code |= PF_INSTR;
}

static void
finish(const struct mmu_regs *regs, const struct mmu_format *f,
       const struct mmu_request *q, const struct bits_seen *b,
       struct mmu_result *r)
{
	const struct mmu_step *leaf = &r->step[r->nr_steps - 1];
	unsigned int pat_bit = leaf->level ? 12 : 7;

	r->writable = !f->write || (b->in_all & f->write);
	r->user = !f->user || (b->in_all & f->user);
	r->no_exec = regs->nxe && (b->in_any & f->no_exec);
	if (!mmu_allows(regs, q, r->writable, r->user, r->no_exec)) {
		fault(regs, q, r, PF_PROT);
		return;
	}
	r->outcome = MMU_OK;
	r->page_shift = (uint8_t)mmu_level_shift(f, leaf->level);
	r->pa = leaf_address(regs, f, leaf->entry, r->page_shift, q->va);
	r->global = leaf->entry & f->global;
	r->dirty = leaf->entry & f->dirty;
	if (regs->mode != MMU_CUSTOM)
		r->memory_type = (uint8_t)((leaf->entry >> pat_bit & 1) << 2 |
					   (leaf->entry >> 3 & 3));
}

static void
walk_none(const struct mmu_request *q, struct mmu_result *r)
{
	r->outcome = MMU_OK;
	r->pa = q->va;
	r->page_shift = 12;
	r->writable = r->user = true;
}

static void
walk_bounds(const struct mmu_regs *regs, const struct mmu_request *q,
	    struct mmu_result *r)
{
	walk_none(q, r);
	r->pa += regs->base;
	if (q->va >= regs->limit)
		*r = (struct mmu_result){.outcome = MMU_GENERAL_PROTECTION};
}

static inline __attribute__((always_inline)) void
walk(const struct ram *ram, const struct mmu_regs *regs,
     const struct mmu_request *q, const struct mmu_start *start,
     struct mmu_result *r)
{
	struct bits_seen b = {.in_all = UINT64_MAX};
	const struct mmu_format *f;
	unsigned int level;
	uint64_t doubtful, frames;
	unsigned int shift;
	pa_t table;

	memset(r, 0, sizeof(*r));
	if (regs->mode == MMU_NONE) {
		walk_none(q, r);
		return;
	}
	if (regs->mode == MMU_BOUNDS) {
		walk_bounds(regs, q, r);
		return;
	}
	f = mmu_format(regs);
	if (!canonical(f, q->va)) {
		r->outcome = MMU_GENERAL_PROTECTION;
		return;
	}
	table = top_table(regs);
	level = f->levels;
	if (start) {
		table = start->table;
		level = start->level + 1U;
		b = (struct bits_seen){start->in_all, start->in_any};
	}
	shift = mmu_level_shift(f, level);
	doubtful = may_be_reserved(regs);
	frames = frame_mask(regs, f);
	while (level--) {
		struct mmu_step *s = &r->step[r->nr_steps++];
		uint64_t index;
		bool leaf;

		shift -= f->index_bits[level];
		index = q->va >> shift & bits(0, f->index_bits[level] - 1U);
		s->level = (uint8_t)level;
		s->at = table + index * f->entry_bytes;
		s->entry = regs->mode == MMU_PAE && level == 2
				   ? regs->pdpte[index]
				   : ram_load(ram, s->at, f->entry_bytes);
		if (!(s->entry & f->present)) {
			fault(regs, q, r, 0);
			return;
		}
		leaf = !level ||
		       ((s->entry & f->leaf) && level_has_leaves(regs, level));
		if ((s->entry & doubtful) &&
		    (s->entry & mmu_reserved(regs, level, leaf))) {
			fault(regs, q, r, PF_PROT | PF_RSVD);
			return;
		}
		/* A PAE PDPTE has no rights. */
		if (regs->mode != MMU_PAE || level != 2) {
			b.in_all &= s->entry;
			b.in_any |= s->entry;
		}
		if (leaf)
			break;
		table = masked_frame(f, s->entry, frames);
	}
	finish(regs, f, q, &b, r);
}

void
mmu_walk(const struct ram *ram, const struct mmu_regs *regs,
	 const struct mmu_request *q, struct mmu_result *r)
{
	walk(ram, regs, q, NULL, r);
}

void
mmu_walk_from(const struct ram *ram, const struct mmu_regs *regs,
	      const struct mmu_request *q, const struct mmu_start *start,
	      struct mmu_result *r)
{
	walk(ram, regs, q, start, r);
}

bool
mmu_start_below(const struct mmu_regs *regs, const struct mmu_start *start,
		const struct mmu_result *r, unsigned int n,
		struct mmu_start *below)
{
	struct bits_seen b = {.in_all = UINT64_MAX};

	if (n + 1 >= r->nr_steps ||
	    (regs->mode == MMU_PAE && r->step[n].level == 2))
		return false;
	if (start)
		b = (struct bits_seen){start->in_all, start->in_any};
	for (unsigned int i = 0; i <= n; i++) {
		if (regs->mode == MMU_PAE && r->step[i].level == 2)
			continue;
		b.in_all &= r->step[i].entry;
		b.in_any |= r->step[i].entry;
	}
	*below = (struct mmu_start){
		.table = entry_frame(regs, mmu_format(regs), r->step[n].entry),
		.in_all = b.in_all,
		.in_any = b.in_any,
		.level = (uint8_t)(r->step[n].level - 1),
	};
	return true;
}

unsigned int
mmu_set_bits(struct ram *ram, const struct mmu_regs *regs,
	     const struct mmu_request *q, const struct mmu_result *r)
{
	const struct mmu_format *f = mmu_format(regs);
	unsigned int written = 0;

	if (r->outcome != MMU_OK || !r->nr_steps)
		return 0;
	for (unsigned int i = 0; i < r->nr_steps; i++) {
		const struct mmu_step *s = &r->step[i];
		uint64_t set = f->accessed;

		if (regs->mode == MMU_PAE && s->level == 2)
			continue;
		if (i == r->nr_steps - 1U && q->access == MMU_WRITE)
			set |= f->dirty;
		if ((s->entry & set) == set)
			continue;
		ram_store(ram, s->at, f->entry_bytes, s->entry | set);
		written++;
	}
	return written;
}

bool
mmu_load_cr3(const struct ram *ram, struct mmu_regs *regs, uint64_t cr3)
{
	struct mmu_regs next = *regs;

	next.cr3 = cr3;
	if (regs->mode == MMU_PAE) {
		uint64_t reserved = mmu_reserved(regs, 2, false);

		for (unsigned int i = 0; i < 4; i++) {
			uint64_t e = ram_load(ram, top_table(&next) + 8 * i, 8);

			if ((e & PTE_P) && (e & reserved))
				return false;
			next.pdpte[i] = e;
		}
	}
	*regs = next;
	return true;
}
