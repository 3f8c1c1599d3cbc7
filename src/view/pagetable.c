// SPDX-License-Identifier: MIT
/*
 * pagetable.c - page tables as a tree of names, read as hardware reads them
 *
 * How it works: from the top table down, one entry for each part of the path.
 * An entry points on when it is present and no leaf; one that has a reserved
 * bit set points on too, but to nothing, as a walk faults there.  What lies
 * beyond RAM reads as zeros: an empty table.
 */
#include "kmemfs/view/pagetable.h"

#include "kmemfs/vm/mm.h"

#include <inttypes.h>

/* Bits of a path's part. */
static unsigned int
width(const struct vm *vm)
{
	return vm->shape.f->index_bits[0];
}

/* How many parts a path has; 0: none, or it is no path. */
static unsigned int
length(const struct vm *vm, uint64_t path)
{
	unsigned int bits =
		path ? 63U - (unsigned int)__builtin_clzll(path) : 0;

	if (bits % width(vm) || bits / width(vm) > vm->shape.top + 1)
		return 0;
	return bits / width(vm);
}

uint64_t
pagetable_above(const struct vm *vm, uint64_t path)
{
	uint64_t above = vm->shape.f ? path >> width(vm) : 0;

	return above == 1 ? 0 : above;
}

unsigned int
pagetable_index(const struct vm *vm, uint64_t path)
{
	return (unsigned int)(path & ((1U << width(vm)) - 1));
}

uint64_t
pagetable_below(const struct vm *vm, uint64_t path, unsigned int index)
{
	return (path ? path : 1) << width(vm) | index;
}

bool
pagetable_of(const struct vm *vm, const struct task *t, struct pagetable *pt)
{
	const struct mm *mm = t ? t->mm : vm->init_mm;

	if (!vm->shape.f || !mm)
		return false;
	*pt = (struct pagetable){vm, vm->boot_regs, !t};
	pt->regs.cr3 = mm->top;
	return true;
}

/* Indices of the top table that are in the half: from, and the first beyond. */
static void
half(const struct pagetable *pt, unsigned int *from, unsigned int *end)
{
	const struct vm_shape *s = &pt->vm->shape;
	va_t users = pt->vm->layout.task_size + (1ULL << s->shift[s->top]) - 1;
	unsigned int border = (unsigned int)(users >> s->shift[s->top]);

	*from = pt->kernel ? border : 0;
	*end = pt->kernel ? s->entries[s->top] : border;
}

/* --- one entry ----------------------------------------------------------- */

static void
load(const struct pagetable *pt, pa_t table, unsigned int level,
     unsigned int index, struct slot *slot)
{
	const struct vm_shape *s = &pt->vm->shape;

	slot->level = level;
	slot->at = table + (uint64_t)index * s->bytes;
	slot->entry = ram_load(pt->vm->ram, slot->at, s->bytes);
	slot->kind = !(slot->entry & PTE_P)			  ? SLOT_NONE
		     : mmu_is_leaf(&pt->regs, level, slot->entry) ? SLOT_LEAF
								  : SLOT_TABLE;
}

/* The table that @slot, one of SLOT_TABLE, leads to; UINT64_MAX: none. */
static pa_t
table_of(const struct pagetable *pt, const struct slot *slot)
{
	if (slot->entry & mmu_reserved(&pt->regs, slot->level, false))
		return UINT64_MAX;
	return mmu_entry_pa(&pt->regs, slot->level, slot->entry);
}

static va_t
sign_extended(const struct mmu_format *f, va_t va)
{
	unsigned int unused = 64 - f->va_bits;

	return f->sign_extends ? (va_t)((int64_t)(va << unused) >> unused) : va;
}

enum slot_kind
pagetable_slot(const struct pagetable *pt, uint64_t path, struct slot *slot)
{
	const struct vm_shape *s = &pt->vm->shape;
	unsigned int parts = length(pt->vm, path), from, end;
	pa_t table = pt->regs.cr3;

	*slot = (struct slot){.in_all = UINT64_MAX};
	half(pt, &from, &end);
	for (unsigned int n = 0; n < parts; n++) {
		unsigned int level = s->top - n;
		unsigned int index = pagetable_index(
			pt->vm, path >> (parts - 1 - n) * width(pt->vm));

		if (index >= s->entries[level] ||
		    (!n && (index < from || index >= end)))
			return slot->kind = SLOT_NONE;
		if (n && slot->kind == SLOT_TABLE)
			table = table_of(pt, slot);
		if (n && (slot->kind != SLOT_TABLE || table == UINT64_MAX))
			return slot->kind = SLOT_NONE;
		load(pt, table, level, index, slot);
		slot->va |= (va_t)index << s->shift[level];
		/* A PAE top entry has no rights. */
		if (pt->regs.mode != MMU_PAE || level != s->top) {
			slot->in_all &= slot->entry;
			slot->in_any |= slot->entry;
		}
	}
	slot->va = sign_extended(s->f, slot->va);
	return slot->kind;
}

uint64_t
pagetable_next(const struct pagetable *pt, uint64_t path, enum slot_kind kind,
	       unsigned int from)
{
	const struct vm_shape *s = &pt->vm->shape;
	unsigned int level = s->top, end = s->entries[level], first = 0;
	pa_t table = pt->regs.cr3;
	struct slot slot;

	if (path) {
		if (pagetable_slot(pt, path, &slot) != SLOT_TABLE)
			return 0;
		table = table_of(pt, &slot);
		level = slot.level - 1;
		end = s->entries[level];
	} else {
		half(pt, &first, &end);
	}
	if (table == UINT64_MAX)
		return 0;
	for (unsigned int i = MAX_OF(from, first); i < end; i++) {
		load(pt, table, level, i, &slot);
		if (slot.kind == kind)
			return pagetable_below(pt->vm, path, i);
	}
	return 0;
}

/* --- words ---------------------------------------------------------------- */

void
pagetable_flags(const struct mmu_regs *regs, unsigned int level, uint64_t entry,
		struct out *out)
{
	bool leaf = mmu_is_leaf(regs, level, entry);
	const struct {
		uint64_t bit;
		const char *name;
	} bits[] = {
		{PTE_P,						 "P"		   },
		{PTE_RW,						"RW"		     },
		{PTE_US,						"US"		     },
		{PTE_PWT,					       "PWT"	       },
		{PTE_PCD,					       "PCD"	       },
		{PTE_A,						 "A"		   },
		{PTE_D,						 "D"		   },
		{PTE_PS,						level ? "PS" : "PAT"},
		{PTE_G,						 "G"		   },
		{leaf && level ? 1ULL << 12 : 0,			 "PAT"		      },
		{leaf ? 1ULL << 9 : 0,				       "special"		},
		{leaf && mmu_format(regs)->levels > 3 ? 1ULL << 11 : 0,
		 "soft_dirty"							       },
		{regs->nxe ? mmu_format(regs)->no_exec : 0,		    "NX"		},
	};
	uint64_t reserved = mmu_reserved(regs, level, leaf) & entry;
	const char *before = "";

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		if (!(entry & bits[i].bit))
			continue;
		out_str(out, before);
		out_str(out, bits[i].name);
		before = " ";
	}
	if (reserved)
		out_printf(out, "%sreserved=%#" PRIx64, before, reserved);
}

const char *
pagetable_memory_type(unsigned int level, uint64_t entry)
{
	static const char *const linux_pat[8] = {
		"WB", "WC", "UC-", "UC", "WB", "WP", "UC-", "WT",
	};
	unsigned int pat = entry >> (level ? 12 : 7) & 1;

	return linux_pat[pat << 2 | (entry >> 3 & 3)];
}
