// SPDX-License-Identifier: MIT
/* tasks_pagetable.c - the leaves of page tables, decoded */
#include "kmemfs/show.h"

#include "kmemfs/view/pagetable.h"
#include "kmemfs/view/sums.h"

#include <inttypes.h>

/* What the entries on the way allow together. */
static void
put_rights(struct out *out, const struct pagetable *pt, const struct slot *s)
{
	bool nx = pt->regs.nxe && (s->in_any & mmu_format(&pt->regs)->no_exec);

	out_printf(out, "rights %s r%s%s\n",
		   s->in_all & PTE_US ? "user" : "supervisor",
		   s->in_all & PTE_RW ? "w" : "-", nx ? "-" : "x");
}

static void
put_leaf(struct out *out, const struct machine *m, const struct pagetable *pt,
	 uint64_t path)
{
	unsigned int shift;
	struct slot s;
	pa_t pa;

	/* An op may have taken it away since the look-up. */
	if (pagetable_slot(pt, path, &s) != SLOT_LEAF)
		return;
	shift = pt->vm->shape.shift[s.level];
	pa = mmu_entry_pa(&pt->regs, s.level, s.entry);
	put_text(out, "level", mmu_entry_name(pt->vm->mode, s.level));
	put_hex(out, "index", pagetable_index(pt->vm, path));
	put_hex(out, "virtual", s.va);
	put_hex(out, "physical", pa);
	put_counter(out, "pfn", pa >> VM_PAGE_SHIFT);
	put_counter(out, "page_bytes", 1ULL << shift);
	out_printf(out, "entry 0x%0*" PRIx64 "\n", 2 * pt->vm->shape.bytes,
		   s.entry);
	put_hex(out, "entry_at", s.at);
	out_str(out, "flags ");
	pagetable_flags(&pt->regs, s.level, s.entry, out);
	out_char(out, '\n');
	put_rights(out, pt, &s);
	put_text(out, "memory_type", pagetable_memory_type(s.level, s.entry));
	if (!machine_is_ram(m, pa, 1ULL << shift))
		put_text(out, "frame", "no RAM there");
	else if (pa >> VM_PAGE_SHIFT == pt->vm->zero_page)
		put_text(out, "frame", "the zero page");
}

void
show_pagetable_leaf(const struct view *v, struct out *out)
{
	struct pagetable pt;

	if (pagetable_of(v->m->vm, view_task(v), &pt))
		put_leaf(out, v->m, &pt, v->key[1]);
}

void
show_kernel_pagetable_leaf(const struct view *v, struct out *out)
{
	struct pagetable pt;

	if (pagetable_of(v->m->vm, NULL, &pt))
		put_leaf(out, v->m, &pt, v->key[0]);
}
