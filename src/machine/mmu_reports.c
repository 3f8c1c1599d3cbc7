// SPDX-License-Identifier: MIT
/*
 * mmu_reports.c - what the log says of a TLB entry that should be gone
 *
 * How it works: a CPU that uses a stale entry is caught in the act; what the
 * entry says and what tables say now tell which flush was forgotten.  Hardware
 * would say nothing.
 */
#include "mmu_impl.h"

#include "kmemfs/vm/cpu.h"

#include <inttypes.h>

/* What tables say now, as against @e. */
static const char *
tables_say(const struct tlb_entry *e, const struct mmu_result *w, pa_t frame)
{
	if (w->outcome == MMU_GENERAL_PROTECTION)
		return "no such address";
	if (w->outcome != MMU_OK && (w->error_code & PF_RSVD))
		return "an entry with reserved bits";
	if (w->outcome != MMU_OK && !(w->error_code & PF_PROT))
		return "no page";
	if (w->outcome == MMU_OK && frame != e->frame)
		return "another frame";
	return "fewer rights";
}

static void
stale_used(void *user, unsigned int cpu, va_t va)
{
	struct machine *m = user;
	const struct vm_cpu *c = &m->vm->cpu[cpu];
	struct mmu_request q = {.va = va, .user = c->user, .ac = true};
	enum tlb_where where;
	const struct tlb_entry *e =
		tlb_peek(c->tlb, va, c->pcid, MMU_READ, &where);
	struct mmu_result w;
	uint64_t offset;

	if (!e)
		e = tlb_peek(c->tlb, va, c->pcid, MMU_FETCH, &where);
	if (!e)
		return;
	offset = (1ULL << e->page_shift) - 1;
	mmu_walk(m->ram, &c->regs, &q, &w);
	machine_printk(m,
		       "TLB: CPU %u used a stale entry for %#" PRIx64
		       ": it says frame %#" PRIx64 " %s%s, tables say %s",
		       cpu, e->page, e->frame, e->user ? "user" : "kernel",
		       e->writable ? " writable" : "",
		       tables_say(e, &w, w.pa & ~offset));
	machine_printk(m,
		       "TLB: missing is a flush of %#" PRIx64
		       " on CPU %u after the change: INVLPG%s, PCID %u",
		       e->page, cpu,
		       e->global ? " (a CR3 load keeps global entries)"
				 : " or a CR3 load",
		       c->pcid);
}

void
mmu_reports_attach(struct machine *m)
{
	m->vm->hooks.stale_used = stale_used;
}
