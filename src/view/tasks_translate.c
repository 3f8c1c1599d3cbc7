// SPDX-License-Identifier: MIT
/*
 * tasks_translate.c - tasks/PID/translate/VADDR: where an access would go
 *
 * How it works: the walk is the hardware's own, on the registers of the CPU
 * that the task runs on, or ran on last; the TLB is looked into without
 * counting.  What a fault would make the kernel do follows from the area, in
 * the order in which the fault handler asks:
 *
 *     area there?  access allowed by it?  entry there?  then which page
 *
 * Always true: nothing changes, no TLB entry, no bit of a table.
 */
#include "kmemfs/show.h"

#include "kmemfs/view/pagetable.h"
#include "kmemfs/view/sums.h"
#include "kmemfs/vm/cpu.h"
#include "kmemfs/vm/thp.h"

#include <inttypes.h>

struct look {
	const struct vm *vm;
	const struct task *t;
	const struct vm_cpu *c;
	struct mmu_regs regs;
	va_t va;
	struct mmu_result walk; /* of a user's read */
};

/* --- what the kernel would do ------------------------------------------- */

struct follow {
	const char *text;
	bool signal; /* the access ends in one; else it goes on */
};

static struct follow
ends(const char *text)
{
	return (struct follow){.text = text, .signal = true};
}

static struct follow
goes_on(const char *text)
{
	return (struct follow){.text = text};
}

static struct follow
of_file(const struct look *l, const struct vma *area, bool write)
{
	const struct vm_object *o = area->object;
	uint64_t index = area->pgoff + ((l->va - area->start) >> VM_PAGE_SHIFT);
	bool cow = write && !(area->flags & VM_SHARED);

	if (index << VM_PAGE_SHIFT >= o->size)
		return ends("SIGBUS, BUS_ADRERR: beyond the end of what is "
			    "mapped");
	if (vm_object_page(o, index) != PFN_NONE)
		return goes_on(cow ? "a copy of the page of the file, which is "
				     "in memory"
				   : "the page of the file, which is in "
				     "memory");
	if (o->shmem)
		return goes_on("a page of zeros, which all see who share the "
			       "memory");
	if (o->broken)
		return ends("SIGBUS, BUS_ADRERR: the file's device fails");
	return goes_on(cow ? "a copy of the page of the file, read from its "
			     "device"
			   : "the page of the file, read from its device");
}

/* access_error(): a fetch that finds no page is a read to it. */
static bool
forbidden(const struct vma *area, uint32_t code)
{
	if (code & PF_WRITE)
		return !(area->flags & VM_WRITE);
	return (code & PF_PROT) || !(area->flags & VM_ACCESS_FLAGS);
}

/* Whether the area itself is why the access ends in a signal. */
static bool
area_forbids(const struct vma *area, uint32_t code)
{
	if (code & PF_WRITE)
		return !(area->flags & VM_WRITE);
	if (code & PF_INSTR)
		return !(area->flags & VM_EXEC);
	return !(area->flags & VM_ACCESS_FLAGS);
}

/* Whether a huge page may come: no table of leaves is there yet, and all that
 * the entry above covers is of the area. */
static bool
huge_fits(const struct look *l, const struct vma *area,
	  const struct mmu_result *r)
{
	va_t size = 1ULL << l->vm->shape.shift[1];
	va_t start = l->va & ~(size - 1);

	return r->nr_steps && r->step[r->nr_steps - 1].level &&
	       start >= area->start && start + size <= area->end &&
	       thp_eligible(l->vm, area);
}

static struct follow
of_nobody(const struct look *l, const struct vma *area,
	  const struct mmu_result *r)
{
	bool write = r->error_code & PF_WRITE;

	if (huge_fits(l, area, r))
		return goes_on(write ? "a huge page of zeros of its own, if "
				       "one is free, else a small one"
				     : "the huge zero page");
	return goes_on(write ? "a page of zeros of its own" : "the zero page");
}

/* The page that comes where there is none. */
static struct follow
of_missing(const struct look *l, const struct vma *area,
	   const struct mmu_result *r)
{
	if (area->flags & VM_PFNMAP)
		return ends("SIGBUS, BUS_ADRERR: its device gives no page");
	if (area->flags & VM_HUGETLB)
		return goes_on("a huge page of the pool");
	return area->object ? of_file(l, area, r->error_code & PF_WRITE)
			    : of_nobody(l, area, r);
}

static struct follow
of_area(const struct look *l, const struct vma *area,
	const struct mmu_result *r)
{
	struct follow why = ends("SIGSEGV, SEGV_ACCERR: the area forbids it");
	uint32_t code = r->error_code;
	struct follow page;

	if (forbidden(area, code))
		return area_forbids(area, code)
			       ? why
			       : ends("SIGSEGV, SEGV_ACCERR: the tables forbid "
				      "what the area allows");
	if (code & PF_PROT)
		return goes_on(area->flags & VM_SHARED
				       ? "the entry is made writable"
				       : "copy on write: a copy of the page, "
					 "or the page itself if nobody else "
					 "has it");
	page = of_missing(l, area, r);
	/* A page comes first, and then it is forbidden to run it. */
	return area_forbids(area, code) && !page.signal ? why : page;
}

static struct follow
what_follows(const struct look *l, const struct mmu_result *r)
{
	struct vma *area;

	if (r->error_code & PF_RSVD)
		return ends("SIGKILL: the page table is corrupted");
	area = l->va < l->vm->layout.task_size ? vma_find(l->t->mm, l->va)
					       : NULL;
	if (!area)
		return ends("SIGSEGV, SEGV_MAPERR: no area is there");
	if (area->start <= l->va)
		return of_area(l, area, r);
	if (!(area->flags & VM_GROWSDOWN))
		return ends("SIGSEGV, SEGV_MAPERR: no area is there");
	return goes_on("the stack grows down to it, as far as its limit and "
		       "its gap allow");
}

/* --- the parts of a look-up ----------------------------------------------- */

/* The registers that the task's accesses would use. */
static void
load_regs(struct look *l)
{
	const struct mmu_regs *now = &l->c->regs;
	/* With separate tables those of user mode are behind the kernel's. */
	pa_t top = l->t->mm->top + (l->vm->kpti ? VM_PAGE : 0);

	l->regs = l->vm->boot_regs;
	if (now->mode == l->regs.mode) {
		l->regs.wp = now->wp;
		l->regs.pse = now->pse;
		l->regs.nxe = now->nxe;
		l->regs.smep = now->smep;
		l->regs.smap = now->smap;
	}
	if (l->c->current == l->t && l->c->hand_made)
		l->regs = *now;
	else if (!mmu_load_cr3(l->vm->ram, &l->regs, top))
		l->regs.cr3 = top;
}

static void
walk(const struct look *l, enum mmu_access access, bool user,
     struct mmu_result *r)
{
	const struct mmu_request q = {
		.va = l->va, .access = access, .user = user, .ac = true};

	mmu_walk(l->vm->ram, &l->regs, &q, r);
}

static void
put_size(struct out *out, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
	unsigned int unit = 0;

	for (; bytes >= 1024 && unit + 1 < ARRAY_SIZE(units); unit++)
		bytes /= 1024;
	out_printf(out, "%" PRIu64 " %s", bytes, units[unit]);
}

static void
put_step(struct out *out, const struct look *l, const struct mmu_step *s)
{
	const struct mmu_format *f = mmu_format(&l->regs);
	unsigned int shift = mmu_level_shift(f, s->level);
	uint64_t index = l->va >> shift & ((1U << f->index_bits[s->level]) - 1);
	bool leaf = mmu_is_leaf(&l->regs, s->level, s->entry);
	pa_t pa = mmu_entry_pa(&l->regs, s->level, s->entry);

	out_printf(out, "%s[%03" PRIx64 "] at 0x%" PRIx64 ": 0x%0*" PRIx64 " ",
		   mmu_entry_name(l->vm->mode, s->level), index, s->at,
		   2 * f->entry_bytes, s->entry);
	if (!(s->entry & PTE_P)) {
		out_str(out, s->entry ? "not present, the kernel's own bits\n"
				      : "not present\n");
		return;
	}
	pagetable_flags(&l->regs, s->level, s->entry, out);
	out_printf(out, ", %s at 0x%" PRIx64, leaf ? "page" : "table", pa);
	if (leaf) {
		out_str(out, ", ");
		put_size(out, 1ULL << shift);
	}
	out_char(out, '\n');
}

/* The tag that the task's entries have in the TLB; -1: it has none there. */
static int
pcid_of(const struct look *l)
{
	const struct vm_cpu *c = l->c;
	int user = l->vm->kpti && l->vm->pcid ? CPU_PCID_USER : 0;

	if (c->current == l->t && c->hand_made)
		return c->pcid;
	if (c->mm == l->t->mm)
		return (c->pcid & ~CPU_PCID_USER) | user;
	for (unsigned int i = 0; l->vm->pcid && i < VM_ASIDS; i++)
		if (c->asids[i].mm == l->t->mm->id &&
		    c->asids[i].gen == l->t->mm->gen)
			return (int)(i + 1) | user;
	return -1;
}

static const char *
part_of(const struct tlb *tlb, const struct tlb_entry *e)
{
	for (enum tlb_part p = 0; p < NR_TLB_PARTS; p++) {
		struct tlb_geometry g = tlb_geometry(tlb, p);

		for (unsigned int n = 0; n < (unsigned int)g.sets * g.ways; n++)
			if (tlb_entry(tlb, p, n) == e)
				return tlb_part_names[p];
	}
	return "?";
}

static bool
is_stale(const struct look *l, const struct tlb_entry *e)
{
	pa_t page = l->walk.pa & ~((1ULL << e->page_shift) - 1);

	return l->walk.outcome != MMU_OK ||
	       l->walk.page_shift != e->page_shift || page != e->frame ||
	       l->walk.writable < e->writable || l->walk.user < e->user ||
	       l->walk.no_exec > e->no_exec;
}

/* One buffer for data, one for code; a second level for both. */
static void
put_tlb(struct out *out, const struct look *l, enum mmu_access access,
	const char *what)
{
	const struct tlb_entry *e = NULL;
	enum tlb_where where;
	int pcid = pcid_of(l);

	out_printf(out, "TLB of CPU %u, %s: ", l->t->cpu, what);
	if (pcid < 0) {
		out_str(out, "miss, the CPU has other tables\n");
		return;
	}
	e = tlb_peek(l->c->tlb, l->va, (uint16_t)pcid, access, &where);
	if (!e) {
		out_str(out, "miss\n");
		return;
	}
	out_printf(out, "hit in %s, PCID %u, page at 0x%" PRIx64 ", %s r%s%s",
		   part_of(l->c->tlb, e), e->pcid, e->frame,
		   e->user ? "user" : "supervisor", e->writable ? "w" : "-",
		   e->no_exec ? "-" : "x");
	if (e->dirty)
		out_str(out, " dirty");
	if (e->global)
		out_str(out, " global");
	out_str(out,
		is_stale(l, e) ? ", stale: the tables say otherwise\n" : "\n");
}

static void
put_error_code(struct out *out, uint32_t code)
{
	out_printf(out, "fault 0x%x (%s, %s, %s mode%s)", code,
		   code & PF_PROT ? "protection" : "not present",
		   code & PF_INSTR   ? "execute"
		   : code & PF_WRITE ? "write"
				     : "read",
		   code & PF_USER ? "user" : "kernel",
		   code & PF_RSVD ? ", reserved bit" : "");
}

static void
put_outcome(struct out *out, const struct look *l, const char *what,
	    const struct mmu_result *r, bool user)
{
	out_printf(out, "%s: ", what);
	switch (r->outcome) {
	case MMU_OK:
		out_str(out, "0x");
		out_printf(out, "%" PRIx64 "\n", r->pa);
		break;
	case MMU_PAGE_FAULT:
		put_error_code(out, r->error_code);
		if (user)
			out_printf(out, ": %s", what_follows(l, r).text);
		out_char(out, '\n');
		break;
	case MMU_GENERAL_PROTECTION:
		out_str(out, "#GP, the address is not canonical: SIGSEGV, "
			     "SI_KERNEL\n");
		break;
	}
}

static void
put_look(struct out *out, struct look *l)
{
	struct mmu_result r;

	load_regs(l);
	walk(l, MMU_READ, true, &l->walk);
	if (l->regs.mode < MMU_32BIT || l->regs.mode > MMU_5LEVEL)
		put_text(out, "mode", mmu_mode_names[l->regs.mode]);
	else
		put_hex(out, "CR3", l->regs.cr3);
	for (unsigned int i = 0; i < l->walk.nr_steps; i++)
		put_step(out, l, &l->walk.step[i]);
	put_tlb(out, l, MMU_READ, "data");
	put_tlb(out, l, MMU_FETCH, "code");
	if (l->walk.outcome == MMU_OK)
		put_hex(out, "physical", l->walk.pa);
	put_outcome(out, l, "read", &l->walk, true);
	walk(l, MMU_WRITE, true, &r);
	put_outcome(out, l, "write", &r, true);
	walk(l, MMU_FETCH, true, &r);
	put_outcome(out, l, "execute", &r, true);
	if (l->va < l->vm->layout.task_size ||
	    l->walk.outcome == MMU_GENERAL_PROTECTION)
		return;
	walk(l, MMU_READ, false, &r);
	put_outcome(out, l, "read by the kernel", &r, false);
}

void
show_task_translate(const struct view *v, struct out *out)
{
	const struct task *t = view_task(v);
	struct look l = {.vm = v->m->vm, .t = t, .va = v->key[1]};

	put_hex(out, "address", l.va);
	out_printf(out, "task %d %s\n", t->pid, t->name ? t->name : t->comm);
	if (!t->mm) {
		out_str(out, t->asleep
				     ? "no tables: it has not been used yet\n"
				     : "no tables: it has no address space\n");
		return;
	}
	l.c = &l.vm->cpu[t->cpu];
	put_look(out, &l);
}
