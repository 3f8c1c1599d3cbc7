// SPDX-License-Identifier: MIT
/*
 * ops_mmu.c - control/mmu, control/cpu: the processor by itself
 *
 * What it models: instructions of the processor, and #GP of those that user
 * mode may not run (arch/x86/kernel/traps.c: exc_general_protection).
 */
#include "kmemfs/ops.h"

#include "kmemfs/vm/cpu.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* --- walks and accesses -------------------------------------------------- */

static int
read_request(struct op *op, int param, const char *access,
	     struct mmu_request *q)
{
	for (size_t i = 0; i < NR_MMU_ACCESSES; i++) {
		if (strcmp(mmu_access_names[i], access))
			continue;
		q->access = (enum mmu_access)i;
		return 0;
	}
	return op_refuse(op, param, EINVAL, "%s is none of read, write, fetch",
			 access);
}

static void
answer_outcome(struct op *op, enum mmu_outcome outcome, uint32_t code, pa_t pa)
{
	static const char *const names[] = {
		[MMU_OK] = "ok",
		[MMU_PAGE_FAULT] = "page-fault",
		[MMU_GENERAL_PROTECTION] = "general-protection",
	};

	op_answer(op, "outcome=%s", names[outcome]);
	if (outcome == MMU_OK)
		op_answer(op, " pa=%#" PRIx64, pa);
	else if (outcome == MMU_PAGE_FAULT)
		op_answer(op, " error_code=%#x", code);
}

static void
answer_steps(struct op *op, const struct mmu_result *w)
{
	for (unsigned int i = 0; i < w->nr_steps; i++)
		op_answer(op, " %s=%#" PRIx64 "@%#" PRIx64,
			  mmu_entry_name(op->m->vm->mode, w->step[i].level),
			  w->step[i].entry, w->step[i].at);
}

int
op_mmu_walk(struct op *op, struct args_mmu_walk *a)
{
	struct mmu_request q = {.va = a->address, .user = a->user, .ac = a->ac};
	struct mmu_result w;
	int err = read_request(op, ARG_MMU_WALK_ACCESS, a->access, &q);

	if (err)
		return err;
	cpu_walk(op->m->vm, (unsigned int)a->cpu, &q, &w);
	answer_outcome(op, w.outcome, w.error_code, w.pa);
	if (w.outcome == MMU_OK)
		op_answer(op, " page=%llu rights=%c%c%c us=%d",
			  1ULL << w.page_shift, 'r', w.writable ? 'w' : '-',
			  w.no_exec ? '-' : 'x', w.user);
	answer_steps(op, &w);
	return 0;
}

int
op_mmu_access(struct op *op, struct args_mmu_access *a)
{
	static const char *const where[] = {
		[TLB_MISS] = "miss",
		[TLB_HIT_L1] = "l1",
		[TLB_HIT_L2] = "l2",
	};
	struct vm *vm = op->m->vm;
	unsigned int cpu = (unsigned int)a->cpu;
	struct mmu_request q = {.va = a->address, .user = a->user, .ac = a->ac};
	struct cpu_result r;
	int err = read_request(op, ARG_MMU_ACCESS_ACCESS, a->access, &q);

	if (err)
		return err;
	cpu_look(vm, cpu, &q, &r);
	answer_outcome(op, r.outcome, r.error_code, r.pa);
	if (r.outcome == MMU_OK) {
		r.cycles += cpu_cost(vm, cpu, r.pa, 1, q.access == MMU_WRITE);
		op_answer(op, " tlb=%s cycles=%u%s byte=%#x", where[r.where],
			  r.cycles, r.stale ? " stale=yes" : "",
			  (unsigned int)ram_load(vm->ram, r.pa, 1));
	}
	vm->cpu[cpu].cycles += r.cycles;
	return 0;
}

/* --- registers, flushes -------------------------------------------------- */

int
op_mmu_load_cr3(struct op *op, struct args_mmu_load_cr3 *a)
{
	struct vm *vm = op->m->vm;
	int err;

	if (vm->mode == MMU_NONE || vm->mode == MMU_BOUNDS)
		return op_refuse(op, -1, EINVAL, "mode %s has no tables",
				 mmu_mode_names[vm->mode]);
	err = cpu_load_cr3(vm, (unsigned int)a->cpu, a->value);
	if (err)
		return op_fail(op, EFAULT,
			       "#GP: reserved bits are set in CR3 or in what "
			       "is loaded with it");
	op_answer(op, "cr3=%#" PRIx64, cpu_cr3(vm, &vm->cpu[a->cpu]));
	return 0;
}

int
op_mmu_load_bounds(struct op *op, struct args_mmu_load_bounds *a)
{
	struct vm *vm = op->m->vm;
	struct mmu_regs *regs = &vm->cpu[a->cpu].regs;

	if (vm->mode != MMU_BOUNDS)
		return op_refuse(op, -1, EINVAL,
				 "mode %s has no base and limit",
				 mmu_mode_names[vm->mode]);
	regs->base = a->base;
	regs->limit = a->limit;
	return 0;
}

int
op_mmu_invlpg(struct op *op, struct args_mmu_invlpg *a)
{
	cpu_invlpg(op->m->vm, (unsigned int)a->cpu, a->address);
	return 0;
}

int
op_mmu_flush(struct op *op, struct args_mmu_flush *a)
{
	bool all = !strcmp(a->what, "all");

	if (!all && strcmp(a->what, "nonglobal"))
		return op_refuse(op, ARG_MMU_FLUSH_WHAT, EINVAL,
				 "%s is neither all nor nonglobal", a->what);
	cpu_flush(op->m->vm, (unsigned int)a->cpu, all);
	return 0;
}

int
op_mmu_write_cr(struct op *op, struct args_mmu_write_cr *a)
{
	struct vm *vm = op->m->vm;

	for (unsigned int i = 0; i < NR_CPU_BITS; i++) {
		if (strcmp(cpu_bit_names[i], a->bit))
			continue;
		if (!cpu_set_bit(vm, (unsigned int)a->cpu, (enum cpu_bit)i,
				 a->on))
			return 0;
		return op_refuse(op, ARG_MMU_WRITE_CR_BIT, EINVAL,
				 "mode %s has no %s", mmu_mode_names[vm->mode],
				 a->bit);
	}
	return op_refuse(op, ARG_MMU_WRITE_CR_BIT, EINVAL,
			 "%s is none of wp, pse, smep, smap, nxe", a->bit);
}

static int
check_caches(struct op *op)
{
	if (op->m->vm->caches)
		return 0;
	return op_refuse(op, -1, EINVAL,
			 "this machine's caches are not modelled");
}

int
op_mmu_clflush(struct op *op, struct args_mmu_clflush *a)
{
	int err = check_caches(op);

	if (!err)
		caches_flush_line(op->m->vm->caches, a->address);
	return err;
}

int
op_mmu_wbinvd(struct op *op, struct args_mmu_wbinvd *a)
{
	int err = check_caches(op);

	if (!err)
		caches_flush_cpu(op->m->vm->caches, (unsigned int)a->cpu);
	return err;
}

/* --- modes --------------------------------------------------------------- */

int
op_cpu_mode(struct op *op, struct args_cpu_mode *a)
{
	struct vm *vm = op->m->vm;
	struct vm_cpu *c = &vm->cpu[a->cpu];
	bool user = !strcmp(a->mode, "user");
	uint64_t before = c->cycles;

	if (!user && strcmp(a->mode, "kernel"))
		return op_refuse(op, ARG_CPU_MODE_MODE, EINVAL,
				 "%s is neither user nor kernel", a->mode);
	if (user && !c->hand_made && (!c->current || !c->current->mm))
		return op_refuse(op, ARG_CPU_MODE_CPU, EINVAL,
				 "no user task runs on CPU %" PRIu64, a->cpu);
	cpu_set_mode(vm, (unsigned int)a->cpu, user);
	op_answer(op, "mode=%s cycles=%" PRIu64, a->mode, c->cycles - before);
	return 0;
}

static const char *const privileged[] = {
	"hlt",	 "cli", "sti", "lgdt",	  "lidt",    "ltr",    "wrmsr",
	"rdmsr", "in",	"out", "mov_cr3", "mov_cr0", "invlpg", "wbinvd",
};

static bool
is_privileged(const char *instruction)
{
	for (size_t i = 0; i < ARRAY_SIZE(privileged); i++)
		if (!strcmp(privileged[i], instruction))
			return true;
	return false;
}

/* show_signal(), and force_sig(SIGSEGV). */
static int
protection_fault(struct op *op, struct vm_cpu *c, const char *instruction)
{
	struct machine *m = op->m;
	struct task *t = c->current;
	uint64_t cpu = (uint64_t)(c - m->vm->cpu);
	int32_t pid;

	if (!t || !t->mm)
		return op_fail(op, EPERM, "#GP: %s in user mode", instruction);
	pid = t->pid;
	cpu_set_mode(m->vm, (unsigned int)cpu, false);
	if (!t->handles_segv)
		machine_printk(m,
			       "traps: %s[%d] general protection fault "
			       "ip:%" PRIx64 " sp:%" PRIx64 " error:0",
			       t->comm, pid, t->mm->start_code,
			       t->mm->start_stack);
	task_signal(t, VM_SIGSEGV, VM_SI_KERNEL, 0);
	if (c->current == t)
		cpu_set_mode(m->vm, (unsigned int)cpu, true);
	return op_fail(op, EPERM, "#GP: %s in user mode; task %d got SIGSEGV",
		       instruction, pid);
}

int
op_cpu_privileged(struct op *op, struct args_cpu_privileged *a)
{
	struct vm_cpu *c = &op->m->vm->cpu[a->cpu];

	if (!is_privileged(a->instruction))
		return op_refuse(op, ARG_CPU_PRIVILEGED_INSTRUCTION, EINVAL,
				 "%s is no privileged instruction that is "
				 "known here",
				 a->instruction);
	if (c->user)
		return protection_fault(op, c, a->instruction);
	op_answer(op, "instruction=%s mode=kernel", a->instruction);
	return 0;
}
