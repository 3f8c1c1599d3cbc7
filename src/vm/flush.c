// SPDX-License-Identifier: MIT
/*
 * flush.c - what CPUs must forget, and which address space they have loaded
 *
 * What it models: flush_tlb_mm_range, switch_mm_irqs_off, choose_new_asid
 * (arch/x86/mm/tlb.c), mmu_gather.
 *
 * How it works: an address space knows the CPUs that have it loaded; whoever
 * lowers a right tells them, page by page or, beyond a ceiling, all at once.
 * A page is as large as the smallest of the entries that changed.
 * With PCIDs a CPU keeps entries of the last six address spaces, each with the
 * count of flushes that it has seen: one that missed some flushes when it comes
 * back.  Frames are freed only after the flush: a gather holds them so long.
 */
#include "kernel_impl.h"

#include "kmemfs/vm/cpu.h"

#include <errno.h>
#include <string.h>

static inline bool
has_cpu(const struct mm *mm, unsigned int cpu)
{
	return mm->cpus[cpu / 64] >> (cpu % 64) & 1;
}

static void
set_cpu(struct mm *mm, unsigned int cpu, bool on)
{
	uint64_t bit = 1ULL << (cpu % 64);

	if (on)
		mm->cpus[cpu / 64] |= bit;
	else
		mm->cpus[cpu / 64] &= ~bit;
}

static void
flush_pcid(const struct vm *vm, struct vm_cpu *c, uint16_t pcid, va_t start,
	   va_t end, unsigned int shift, bool all)
{
	if (all) {
		tlb_flush_pcid(c->tlb, pcid);
		c->cycles += vm->costs.cr3;
		return;
	}
	for (va_t va = start; va < end; va += 1ULL << shift) {
		tlb_flush_page(c->tlb, va, pcid);
		c->cycles += vm->costs.invlpg;
	}
}

static void
flush_cpu(struct vm *vm, struct vm_cpu *c, const struct mm *mm, va_t start,
	  va_t end, unsigned int shift, bool all)
{
	flush_pcid(vm, c, c->pcid, start, end, shift, all);
	/* What the other half's tables left there must go too. */
	if (vm->kpti && vm->pcid)
		flush_pcid(vm, c, c->pcid ^ CPU_PCID_USER, start, end, shift,
			   all);
	if (vm->pcid)
		c->asids[c->asid].gen = mm->gen;
}

/* The others' CPUs tell of themselves, the sender of what it sent. */
static void
trace_flush(struct vm *vm, unsigned int on, enum trace_tlb_reason reason,
	    uint64_t pages)
{
	struct trace *trace = vm->phys->trace;
	uint16_t cpu = trace->now.cpu;

	trace->now.cpu = (uint16_t)on;
	TRACE(trace, TLB_FLUSH, pages, reason);
	trace->now.cpu = cpu;
}

/* flush_tlb_mm_range: in steps of @shift. */
static void
flush(struct vm *vm, struct mm *mm, va_t start, va_t end, unsigned int shift,
      unsigned int cpu)
{
	bool all = end == UINT64_MAX ||
		   (end - start) >> shift > vm->sysctl.flush_ceiling;
	uint64_t steps = all ? UINT64_MAX : (end - start) >> shift;
	uint64_t pages = all ? UINT64_MAX : (end - start) >> VM_PAGE_SHIFT;

	mm->gen++;
	for (unsigned int i = 0; i < vm->nr_cpus; i++) {
		struct vm_cpu *c = &vm->cpu[i];

		if (!has_cpu(mm, i) || c->mm != mm)
			continue;
		flush_cpu(vm, c, mm, start, end, shift, all);
		trace_flush(vm, i,
			    i == cpu ? TRACE_TLB_LOCAL_MM_SHOOTDOWN
				     : TRACE_TLB_REMOTE_SHOOTDOWN,
			    steps);
		if (i == cpu)
			continue;
		trace_flush(vm, cpu, TRACE_TLB_REMOTE_SEND_IPI, pages);
		c->shootdowns++;
		vm->cpu[cpu].shootdowns_sent++;
		vm->cpu[cpu].cycles += vm->costs.ipi;
	}
}

void
flush_range(struct vm *vm, struct mm *mm, va_t start, va_t end,
	    unsigned int cpu)
{
	flush(vm, mm, round_down_to(start, VM_PAGE), end, VM_PAGE_SHIFT, cpu);
}

void
flush_huge(struct vm *vm, struct mm *mm, va_t va, unsigned int cpu)
{
	va = round_down_to(va, VM_PAGE);
	flush_range(vm, mm, va, va + VM_PAGE, cpu);
}

void
flush_mm(struct vm *vm, struct mm *mm, unsigned int cpu)
{
	flush_range(vm, mm, 0, UINT64_MAX, cpu);
}

void
flush_top(struct vm *vm, struct mm *mm)
{
	if (vm->mode != MMU_PAE)
		return;
	for (unsigned int i = 0; i < vm->nr_cpus; i++)
		if (vm->cpu[i].mm == mm)
			mmu_load_cr3(vm->ram, &vm->cpu[i].regs, mm->top);
}

/* --- switching ---------------------------------------------------------- */

/* Choose a PCID for @mm; whether its entries of before must go. */
static bool
choose_asid(struct vm_cpu *c, const struct mm *mm)
{
	for (unsigned int i = 0; i < VM_ASIDS; i++) {
		if (c->asids[i].mm != mm->id)
			continue;
		c->asid = (uint8_t)i;
		if (c->asids[i].gen == mm->gen)
			return false;
		c->asids[i].gen = mm->gen;
		return true;
	}
	c->asid = c->next_asid;
	c->next_asid = (uint8_t)((c->next_asid + 1) % VM_ASIDS);
	c->asids[c->asid] = (struct vm_asid){mm->id, mm->gen};
	return true;
}

static void
load_mm(struct vm *vm, unsigned int cpu, struct mm *mm)
{
	struct vm_cpu *c = &vm->cpu[cpu];
	bool flush = true;

	if (c->mm == mm && !c->hand_made)
		return;
	if (c->mm)
		set_cpu(c->mm, cpu, false);
	if (c->hand_made) {
		/* PCIDs may have been used for anything. */
		memset(c->asids, 0, sizeof(c->asids));
		tlb_flush_all(c->tlb, true);
		c->hand_made = false;
	}
	c->mm = mm;
	c->user_tables = false;
	set_cpu(mm, cpu, true);
	if (vm->pcid && mm->id) {
		flush = choose_asid(c, mm);
		c->pcid = (uint16_t)(c->asid + 1);
	} else {
		c->pcid = 0;
	}
	if (flush)
		tlb_flush_pcid(c->tlb, c->pcid);
	if (flush && vm->kpti && vm->pcid)
		tlb_flush_pcid(c->tlb, c->pcid | CPU_PCID_USER);
	trace_flush(vm, cpu, TRACE_TLB_ON_TASK_SWITCH, flush ? UINT64_MAX : 0);
	/* A damaged PAE top table is refused; the old PDPTEs must not stay. */
	if (!mmu_load_cr3(vm->ram, &c->regs, mm->top)) {
		c->regs.cr3 = mm->top;
		for (unsigned int i = 0; i < 4; i++)
			c->regs.pdpte[i] = 0;
	}
	c->cycles += vm->costs.cr3;
}

int
vm_switch_to(struct vm *vm, unsigned int cpu, struct task *t)
{
	struct vm_cpu *c;
	int err = 0;

	if (cpu >= vm->nr_cpus || (t && t->state == TASK_ZOMBIE))
		return -EINVAL;
	if (t)
		err = task_wake(t);
	if (err)
		return err;
	c = &vm->cpu[cpu];
	if (t == c->current)
		return 0;
	if (!kernel_may_switch(cpu, t))
		return -EBUSY;
	/* A task runs on one CPU at a time. */
	for (unsigned int i = 0; t && i < vm->nr_cpus; i++)
		if (vm->cpu[i].current == t) {
			kernel_switch(vm, i, t, NULL);
			vm->cpu[i].current = NULL;
		}
	kernel_switch(vm, cpu, c->current, t);
	c->switches++;
	c->cycles += vm->costs.task;
	cpu_set_mode(vm, cpu, false);
	c->current = t;
	if (t)
		t->cpu = cpu;
	/* Who has no address space runs in that of the task before. */
	if (t && t->mm)
		load_mm(vm, cpu, t->mm);
	cpu_set_mode(vm, cpu, t && t->mm);
	return 0;
}

void
flush_gone(struct vm *vm, struct mm *mm)
{
	for (unsigned int i = 0; i < vm->nr_cpus; i++) {
		struct vm_cpu *c = &vm->cpu[i];

		if (c->mm == mm)
			load_mm(vm, i, vm->init_mm);
		for (unsigned int a = 0; a < VM_ASIDS; a++)
			if (c->asids[a].mm == mm->id)
				c->asids[a].mm = 0;
	}
}

void
flush_note(struct flush_notes *notes, va_t start, va_t end, unsigned int level)
{
	notes->start = MIN_OF(notes->start, start);
	notes->end = MAX_OF(notes->end, end);
	notes->levels |= 1U << level;
}

void
flush_noted(struct vm *vm, struct mm *mm, const struct flush_notes *notes,
	    unsigned int cpu)
{
	/* tlb_get_unmap_shift() */
	unsigned int level =
		(unsigned int)__builtin_ctz(notes->levels | 1U << 31);

	if (notes->start >= notes->end)
		return;
	vm->generation++;
	flush(vm, mm, notes->start, notes->end, vm->shape.shift[level], cpu);
}

/* --- what waits for the flush ------------------------------------------- */

void
gather_init(struct gather *g, struct mm *mm, unsigned int cpu)
{
	g->vm = mm->vm;
	g->mm = mm;
	g->cpu = cpu;
	g->keep_anon = false;
	g->pages = g_array_new(FALSE, FALSE, sizeof(pfn_t));
	g->tables = g_array_new(FALSE, FALSE, sizeof(pfn_t));
	g->notes = FLUSH_NOTES;
}

/* Pages whose last reference this is go together. */
static void
gather_free_pages(struct gather *g)
{
	const struct frame *frames = g->vm->phys->frames;
	pfn_t *pfns = (pfn_t *)(void *)g->pages->data;
	unsigned int last = 0;

	for (guint i = 0; i < g->pages->len; i++) {
		pfn_t pfn = pfns[i];

		if (unlikely(g->vm->pages[pfn].flags &
			     (VMP_HUGE | VMP_TAIL | VMP_HUGETLB))) {
			pg_put(g->vm, pfn, g->cpu);
			continue;
		}
		if (frames[pfn].refs > 1) {
			pages_put(g->vm->phys, pfn, 0, g->cpu);
			continue;
		}
		pg_forget(g->vm, pfn);
		pfns[last++] = pfn;
	}
	pages_put_list(g->vm->phys, pfns, last, g->cpu);
}

void
gather_finish(struct gather *g)
{
	flush_noted(g->vm, g->mm, &g->notes, g->cpu);
	for (guint i = 0; i < g->tables->len; i++)
		pages_put(g->vm->phys, g_array_index(g->tables, pfn_t, i), 0,
			  g->cpu);
	gather_free_pages(g);
	g_array_free(g->pages, TRUE);
	g_array_free(g->tables, TRUE);
}
