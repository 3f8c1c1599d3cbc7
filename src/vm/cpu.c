// SPDX-License-Identifier: MIT
/*
 * cpu.c - a CPU by itself: registers, TLB, look-ups that no kernel helps
 *
 * How it works: one look-up is
 *
 *     TLB entry that allows it      used as it is; stale if tables differ
 *     else a walk                   from what is kept of upper entries
 *       that ends well              A and D are set, the TLB filled
 *       that does not               the page leaves the TLB; CR2
 *
 * Separate user tables (page table isolation): the user's top table lies one
 * page behind the kernel's, its PCID is the kernel's + 2048; whoever changes
 * mode loads CR3.
 */
#include "vm_impl.h"

#include "kmemfs/vm/cpu.h"

#include <errno.h>

const char *const cpu_bit_names[NR_CPU_BITS] = {
	"wp", "pse", "smep", "smap", "nxe",
};

/* --- what it takes ------------------------------------------------------- */

static unsigned int
distance_to(const struct vm *vm, unsigned int cpu, pa_t at)
{
	const struct zone *zone = phys_zone_of(vm->phys, at >> VM_PAGE_SHIFT);
	int32_t from = vm->phys->cpu_node[cpu];

	return zone && from >= 0 ? zone->node->distance[from] : 10;
}

uint32_t
cpu_cost(struct vm *vm, unsigned int cpu, pa_t at, unsigned int len, bool write)
{
	enum cache_level from;
	uint32_t cycles;

	if (!vm->caches)
		return 0;
	if (caches_hit(vm->caches, cpu, at, len, write, &cycles))
		return cycles;
	return caches_access(vm->caches, cpu, at, len, write,
			     distance_to(vm, cpu, at), &from);
}

uint32_t
cpu_walk_tables(struct vm *vm, unsigned int cpu, const struct mmu_request *q,
		struct mmu_result *w)
{
	struct vm_cpu *c = &vm->cpu[cpu];
	struct psc *upper = tlb_upper(c->tlb);
	const struct mmu_start *start = NULL;
	uint32_t cycles = 0;

	if (likely(!upper)) {
		mmu_walk(vm->ram, &c->regs, q, w);
	} else {
		start = psc_find(upper, q->va, c->pcid);
		mmu_walk_from(vm->ram, &c->regs, q, start, w);
		if (w->outcome == MMU_OK)
			psc_fill(upper, &c->regs, q->va, c->pcid, start, w);
	}
	c->walks++;
	c->walk_steps += w->nr_steps;
	if (w->nr_steps)
		cycles = vm->costs.walk;
	for (unsigned int i = 0; vm->caches && i < w->nr_steps; i++)
		cycles += cpu_cost(vm, cpu, w->step[i].at,
				   mmu_format(&c->regs)->entry_bytes, false);
	return cycles;
}

/* --- look-ups ------------------------------------------------------------ */

void
cpu_walk(const struct vm *vm, unsigned int cpu, const struct mmu_request *q,
	 struct mmu_result *w)
{
	mmu_walk(vm->ram, &vm->cpu[cpu].regs, q, w);
}

/* Whether tables say less than @e does. */
static bool
is_stale(const struct vm *vm, const struct vm_cpu *c,
	 const struct mmu_request *q, const struct tlb_entry *e)
{
	uint64_t offset = (1ULL << e->page_shift) - 1;
	struct mmu_result w;

	mmu_walk(vm->ram, &c->regs, q, &w);
	return w.outcome != MMU_OK || w.page_shift != e->page_shift ||
	       (w.pa & ~offset) != e->frame || w.writable < e->writable ||
	       w.user < e->user || w.no_exec > e->no_exec;
}

void
cpu_use_entry(struct vm *vm, unsigned int cpu, const struct mmu_request *q,
	      struct tlb_entry *e, bool *stale)
{
	struct vm_cpu *c = &vm->cpu[cpu];

	if (!is_stale(vm, c, q, e)) {
		e->seen = vm->generation;
		return;
	}
	tlb_stats(c->tlb)->stale_used++;
	*stale = true;
	if (vm->hooks.stale_used)
		vm->hooks.stale_used(vm->hooks.user, cpu, q->va);
}

static void
look_walk(struct vm *vm, unsigned int cpu, const struct mmu_request *q,
	  struct cpu_result *r)
{
	struct vm_cpu *c = &vm->cpu[cpu];
	struct mmu_result *w = &r->walk;

	r->cycles += cpu_walk_tables(vm, cpu, q, w);
	r->outcome = w->outcome;
	r->error_code = w->error_code;
	r->pa = w->pa;
	if (w->outcome == MMU_PAGE_FAULT) {
		c->cr2 = q->va;
		c->faults++;
		tlb_flush_page(c->tlb, q->va, c->pcid);
		tlb_stats(c->tlb)->flushes_page--; /* nobody asked for it */
	}
	if (w->outcome != MMU_OK || !w->nr_steps)
		return;
	r->written = (uint8_t)mmu_set_bits(vm->ram, &c->regs, q, w);
	tlb_fill(c->tlb, q->va, c->pcid, q->access, w,
		 w->dirty || q->access == MMU_WRITE, vm->generation);
}

void
cpu_look(struct vm *vm, unsigned int cpu, const struct mmu_request *q,
	 struct cpu_result *r)
{
	struct vm_cpu *c = &vm->cpu[cpu];
	struct tlb_entry *e;

	*r = (struct cpu_result){0};
	if (c->regs.mode == MMU_NONE || c->regs.mode == MMU_BOUNDS) {
		look_walk(vm, cpu, q, r);
		return;
	}
	e = tlb_lookup(c->tlb, q->va, c->pcid, q->access, &r->where);
	if (!e || (q->access == MMU_WRITE && !e->dirty) ||
	    !mmu_allows(&c->regs, q, e->writable, e->user, e->no_exec)) {
		r->where = TLB_MISS;
		look_walk(vm, cpu, q, r);
		return;
	}
	if (e->seen != vm->generation)
		cpu_use_entry(vm, cpu, q, e, &r->stale);
	if (r->where == TLB_HIT_L2)
		r->cycles += vm->costs.tlb_l2;
	r->pa = e->frame | (q->va & ((1ULL << e->page_shift) - 1));
}

/* --- registers ----------------------------------------------------------- */

static bool
has_tables(const struct vm *vm)
{
	return vm->mode != MMU_NONE && vm->mode != MMU_BOUNDS;
}

static bool
is_long(const struct vm *vm)
{
	return vm->mode == MMU_4LEVEL || vm->mode == MMU_5LEVEL;
}

uint64_t
cpu_cr3(const struct vm *vm, const struct vm_cpu *c)
{
	return vm->pcid ? c->regs.cr3 | c->pcid : c->regs.cr3;
}

int
cpu_load_cr3(struct vm *vm, unsigned int cpu, uint64_t cr3)
{
	struct vm_cpu *c = &vm->cpu[cpu];
	bool keep = vm->pcid && (cr3 & CPU_CR3_NOFLUSH);
	uint64_t value = keep ? cr3 & ~CPU_CR3_NOFLUSH : cr3;
	uint16_t pcid = 0;

	if (!has_tables(vm))
		return -ENOSYS;
	if ((is_long(vm) && value >> c->regs.phys_bits) ||
	    ((vm->mode == MMU_32BIT || vm->mode == MMU_PAE) && value >> 32))
		return -EFAULT;
	if (vm->pcid) {
		pcid = (uint16_t)(value & 0xfff);
		value &= ~0xfffULL;
	}
	if (!mmu_load_cr3(vm->ram, &c->regs, value))
		return -EFAULT;
	c->pcid = pcid;
	c->hand_made = vm->hand_made = true;
	c->user_tables = false;
	/* What other tables said is not what these do. */
	vm->generation++;
	if (!keep)
		tlb_flush_pcid(c->tlb, pcid);
	c->cycles += vm->costs.cr3;
	return 0;
}

void
cpu_invlpg(struct vm *vm, unsigned int cpu, va_t va)
{
	struct vm_cpu *c = &vm->cpu[cpu];

	tlb_flush_page(c->tlb, va, c->pcid);
	c->cycles += vm->costs.invlpg;
}

void
cpu_flush(struct vm *vm, unsigned int cpu, bool global)
{
	struct vm_cpu *c = &vm->cpu[cpu];

	tlb_flush_all(c->tlb, global);
	c->cycles += vm->costs.cr3;
}

static bool *
bit_of(struct mmu_regs *r, enum cpu_bit bit)
{
	switch (bit) {
	case CPU_WP:
		return &r->wp;
	case CPU_PSE:
		return &r->pse;
	case CPU_SMEP:
		return &r->smep;
	case CPU_SMAP:
		return &r->smap;
	default:
		return &r->nxe;
	}
}

bool
cpu_bit(const struct vm_cpu *c, enum cpu_bit bit)
{
	struct mmu_regs regs = c->regs;

	return *bit_of(&regs, bit);
}

int
cpu_set_bit(struct vm *vm, unsigned int cpu, enum cpu_bit bit, bool on)
{
	struct vm_cpu *c = &vm->cpu[cpu];
	bool *at = bit_of(&c->regs, bit);

	if (vm->mode < MMU_32BIT || vm->mode > MMU_5LEVEL ||
	    (bit == CPU_NXE && vm->mode == MMU_32BIT))
		return -ENOSYS;
	if (*at == on)
		return 0;
	*at = on;
	vm->hand_made = true;
	vm->generation++;
	if (bit == CPU_SMEP && on)
		tlb_flush_pcid(c->tlb, c->pcid);
	else if (bit == CPU_PSE)
		tlb_flush_all(c->tlb, true);
	return 0;
}

/* PE, MP, ET, NE, WP, AM, PG as Linux sets them. */
uint64_t
cpu_cr0(const struct vm_cpu *c)
{
	uint64_t paged = c->regs.mode >= MMU_32BIT && c->regs.mode <= MMU_5LEVEL
				 ? 1ULL << 31
				 : 0;

	return 0x40033ULL | paged | (uint64_t)c->regs.wp << 16;
}

/* PSE 4, PAE 5, PGE 7, LA57 12, PCIDE 17, SMEP 20, SMAP 21. */
uint64_t
cpu_cr4(const struct vm *vm, const struct vm_cpu *c)
{
	const struct mmu_regs *r = &c->regs;
	bool wide = r->mode >= MMU_PAE && r->mode <= MMU_5LEVEL;

	return (uint64_t)r->pse << 4 | (uint64_t)wide << 5 | 1ULL << 7 |
	       (uint64_t)(r->mode == MMU_5LEVEL) << 12 |
	       (uint64_t)vm->pcid << 17 | (uint64_t)r->smep << 20 |
	       (uint64_t)r->smap << 21;
}

/* SCE 0, LME 8, LMA 10, NXE 11. */
uint64_t
cpu_efer(const struct vm_cpu *c)
{
	bool wide = c->regs.mode == MMU_4LEVEL || c->regs.mode == MMU_5LEVEL;

	return (wide ? 0x501ULL : 0) | (uint64_t)c->regs.nxe << 11;
}

/* --- modes --------------------------------------------------------------- */

void
cpu_set_mode(struct vm *vm, unsigned int cpu, bool user)
{
	struct vm_cpu *c = &vm->cpu[cpu];
	bool tables;

	if (c->user != user) {
		c->user = user;
		c->cycles += vm->costs.mode;
	}
	tables = user && vm->kpti && c->mm && c->mm->id && !c->hand_made;
	if (likely(c->user_tables == tables))
		return;
	c->user_tables = tables;
	c->regs.cr3 ^= VM_PAGE;
	if (vm->pcid)
		c->pcid ^= CPU_PCID_USER;
	else
		tlb_flush_pcid(c->tlb, 0);
	c->cycles += vm->costs.cr3;
}
