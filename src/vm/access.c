// SPDX-License-Identifier: MIT
/*
 * access.c - a CPU touches memory
 *
 * What it models: the processor's look-up (TLB, walk, A and D bits, #PF), and
 * do_user_addr_fault, bad_area, page_fault_oops (arch/x86/mm/fault.c).
 *
 * How it works: page by page; a TLB entry that allows the access is used as it
 * is, stale or not, as hardware does.  Whether it is stale is asked only when
 * some entry has lost a right since it was last known to be good, so that a hit
 * does not wait for tables:
 *
 *     entry->seen == vm->generation   good, nothing asked
 *     else                            walk; if it still says so, seen = now
 *
 * Always true: hits + walks = look-ups; nothing is done beyond what the result
 * says was done.
 *
 * Differs from the kernel: the instruction and stack pointers in messages are
 * the program's first ones, as no instructions run here.
 */
#include "kernel_impl.h"

#include "kmemfs/vm/cpu.h"

#include <errno.h>
#include <inttypes.h>

/* Faults on one page after which nothing can be expected of the next. */
#define TRIES 8

struct touch {
	struct vm *vm;
	struct vm_cpu *c;
	unsigned int cpu;
	const struct vm_access *a;
	struct vm_access_result *r;
	va_t va;
};

/* --- faults ------------------------------------------------------------- */

static const char *
why_oops(uint32_t code)
{
	if (!(code & PF_PROT))
		return "not-present page";
	return code & PF_RSVD ? "reserved bit violation"
			      : "permissions violation";
}

/* A fault in the kernel that nothing mends. */
static int
oops(struct touch *x, uint32_t code)
{
	const char *what = code & PF_INSTR   ? "instruction fetch"
			   : code & PF_WRITE ? "write access"
					     : "read access";

	if (x->va < VM_PAGE)
		vm_printk(x->vm,
			  "BUG: kernel NULL pointer dereference, address: "
			  "%016" PRIx64,
			  x->va);
	else
		vm_printk(x->vm,
			  "BUG: unable to handle page fault for address: "
			  "%016" PRIx64,
			  x->va);
	vm_printk(x->vm, "#PF: %s %s in %s mode",
		  code & PF_USER ? "user" : "supervisor", what,
		  x->a->user ? "user" : "kernel");
	vm_printk(x->vm, "#PF: error_code(0x%04x) - %s", code, why_oops(code));
	return -EFAULT;
}

/* show_signal_msg() */
static void
tell_segfault(struct touch *x, const struct task *t, uint32_t code)
{
	const struct mm *mm = t->mm;
	const struct vma *v = vma_at(t->mm, mm->start_code);

	if (t->handles_segv)
		return;
	if (v && v->object && v->object->name)
		vm_printk(x->vm,
			  "%s[%d]: segfault at %" PRIx64 " ip %016" PRIx64
			  " sp %016" PRIx64 " error %x in %s[%" PRIx64
			  "+%" PRIx64 "]",
			  t->comm, t->pid, x->va, mm->start_code,
			  mm->start_stack, code, v->object->name, v->start,
			  v->end - v->start);
	else
		vm_printk(x->vm,
			  "%s[%d]: segfault at %" PRIx64 " ip %016" PRIx64
			  " sp %016" PRIx64 " error %x",
			  t->comm, t->pid, x->va, mm->start_code,
			  mm->start_stack, code);
}

/* The task has done wrong; the kernel itself only learns of it. */
static int
bad_area(struct touch *x, uint32_t code, uint32_t why)
{
	struct task *t = x->c->current;

	if (!x->a->user)
		return -EFAULT;
	/* Do not tell user space what the kernel's tables are like. */
	if (x->va >= x->vm->layout.task_size)
		code |= PF_PROT;
	tell_segfault(x, t, code);
	x->r->sig = VM_SIGSEGV;
	task_signal(t, VM_SIGSEGV, why, x->va);
	return -EFAULT;
}

static int
general_protection(struct touch *x)
{
	struct task *t = x->c->current;

	if (!x->a->user || !t)
		return -EFAULT;
	x->r->sig = VM_SIGSEGV;
	task_signal(t, VM_SIGSEGV, VM_SI_KERNEL, 0);
	return -EFAULT;
}

/* access_error() */
static bool
forbidden(const struct vma *v, uint32_t code)
{
	if (code & PF_WRITE)
		return !(v->flags & VM_WRITE);
	return (code & PF_PROT) || !(v->flags & VM_ACCESS_FLAGS);
}

static int
fault_failed(struct touch *x, unsigned int result)
{
	if (result & VM_FAULT_OOM)
		return -ENOMEM;
	if (result & VM_FAULT_HOST)
		return -ENOSPC;
	if (x->a->user) {
		x->r->sig = VM_SIGBUS;
		task_signal(x->c->current, VM_SIGBUS, VM_BUS_ADRERR, x->va);
	}
	return -EFAULT;
}

static int
user_fault(struct touch *x, uint32_t code)
{
	struct vm *vm = x->vm;
	struct task *t = x->c->current;
	unsigned int flags = x->a->user ? VMF_USER : 0, result;
	struct vma *v;

	if (code & PF_RSVD) {
		vm_printk(vm, "%s: Corrupted page table at address %" PRIx64,
			  t ? t->comm : "swapper/0", x->va);
		(void)oops(x, code);
		if (t && t->mm) {
			x->r->sig = VM_SIGKILL;
			task_signal(t, VM_SIGKILL, VM_SI_KERNEL, x->va);
		}
		return -EFAULT;
	}
	if (!t || !t->mm)
		return oops(x, code);
	if (!x->a->user && x->c->regs.smap && !x->a->ac)
		return oops(x, code);
	v = vma_find(t->mm, x->va);
	if (!v)
		return bad_area(x, code, VM_SEGV_MAPERR);
	if (v->start > x->va &&
	    (!(v->flags & VM_GROWSDOWN) || vma_expand_stack(vm, t, v, x->va)))
		return bad_area(x, code, VM_SEGV_MAPERR);
	if (forbidden(v, code))
		return bad_area(x, code, VM_SEGV_ACCERR);
	if (code & PF_WRITE)
		flags |= VMF_WRITE;
	if (code & PF_INSTR)
		flags |= VMF_EXEC;
	result = vm_handle_fault(vm, t, v, x->va, flags, x->cpu);
	if (result & VM_FAULT_ERROR)
		return fault_failed(x, result);
	if (result & VM_FAULT_MAJOR)
		x->r->major++;
	return 0;
}

/* No instructions run here: the code is the program's first, the kernel's. */
static void
trace_fault(const struct touch *x, uint32_t code)
{
	const struct task *t = x->c->current;
	struct trace *trace = x->vm->phys->trace;

	if (x->a->user)
		TRACE(trace, PAGE_FAULT_USER, x->va,
		      t && t->mm ? t->mm->start_code : 0, code);
	else
		TRACE(trace, PAGE_FAULT_KERNEL, x->va,
		      x->vm->layout.kernel_text, code);
}

static int
page_fault(struct touch *x, uint32_t code)
{
	struct vm *vm = x->vm;

	x->r->faults++;
	x->c->faults++;
	x->r->error_code = code;
	x->c->cr2 = x->va;
	trace_fault(x, code);
	if (x->va < vm->layout.task_size)
		return user_fault(x, code);
	if (x->a->user)
		return x->c->current ? bad_area(x, code, VM_SEGV_MAPERR)
				     : -EFAULT;
	if (kernel_fault(vm, x->cpu, x->va, code))
		return 0;
	return oops(x, code);
}

/* Into the kernel, and back if there is someone to go back to. */
static int
enter_fault(struct touch *x, uint32_t code)
{
	const struct task *t = x->c->current;
	int err;

	cpu_set_mode(x->vm, x->cpu, false);
	err = page_fault(x, code);
	if (x->a->user && x->c->current == t)
		cpu_set_mode(x->vm, x->cpu, true);
	return err;
}

/* --- translation -------------------------------------------------------- */

static void
cost(struct touch *x, pa_t at, uint64_t len, bool write)
{
	struct vm *vm = x->vm;

	if (likely(!vm->caches))
		return;
	for (; len;
	     at += MIN_OF(len, CACHE_LINE), len -= MIN_OF(len, CACHE_LINE))
		x->r->cycles +=
			cpu_cost(vm, x->cpu, at,
				 (unsigned int)MIN_OF(len, CACHE_LINE), write);
}

/* Whether the entry lets the access through without asking the tables. */
static inline bool
allows(const struct touch *x, const struct tlb_entry *e)
{
	const struct vm_access *a = x->a;
	const struct mmu_regs *regs = &x->c->regs;

	if (a->access == MMU_WRITE && !e->dirty)
		return false;
	if (a->access == MMU_FETCH && e->no_exec)
		return false;
	if (a->user)
		return e->user && (a->access != MMU_WRITE || e->writable);
	if (a->access == MMU_FETCH && regs->smep && e->user)
		return false;
	if (a->access == MMU_WRITE && regs->wp && !e->writable)
		return false;
	return !(regs->smap && e->user && !a->ac);
}

/* Some entry has lost a right since: has this one? */
static __attribute__((noinline)) void
ask_tables(struct touch *x, struct tlb_entry *e)
{
	const struct mmu_request q = {
		.va = x->va,
		.access = x->a->access,
		.user = x->a->user,
		.ac = x->a->ac,
	};

	cpu_use_entry(x->vm, x->cpu, &q, e, &x->r->stale);
}

/* Walk and, when that succeeds, fill: 1; a fault mended: 0; -errno. */
static int
walk(struct touch *x, pa_t *pa)
{
	struct vm *vm = x->vm;
	const struct mmu_request q = {
		.va = x->va,
		.access = x->a->access,
		.user = x->a->user,
		.ac = x->a->ac,
	};
	struct mmu_result w;

	x->r->cycles += cpu_walk_tables(vm, x->cpu, &q, &w);
	x->r->walks++;
	if (w.outcome == MMU_GENERAL_PROTECTION)
		return general_protection(x);
	if (w.outcome == MMU_PAGE_FAULT)
		return enter_fault(x, w.error_code);
	*pa = w.pa;
	if (!w.nr_steps)
		return 1;
	mmu_set_bits(vm->ram, &x->c->regs, &q, &w);
	tlb_fill(x->c->tlb, x->va, x->c->pcid, q.access, &w,
		 w.dirty || q.access == MMU_WRITE, vm->generation);
	return 1;
}

static inline int
translate(struct touch *x, pa_t *pa)
{
	struct vm *vm = x->vm;

	for (int tries = 0; tries < TRIES; tries++) {
		enum tlb_where where;
		struct tlb_entry *e = tlb_lookup(x->c->tlb, x->va, x->c->pcid,
						 x->a->access, &where);
		int got;

		if (likely(e && allows(x, e))) {
			if (unlikely(e->seen != vm->generation))
				ask_tables(x, e);
			x->r->l1_hits += where == TLB_HIT_L1;
			if (where == TLB_HIT_L2) {
				x->r->l2_hits++;
				x->r->cycles += vm->costs.tlb_l2;
			}
			*pa = e->frame |
			      (x->va & ((1ULL << e->page_shift) - 1));
			return 0;
		}
		got = walk(x, pa);
		if (got)
			return MIN_OF(got, 0);
	}
	return -ELOOP;
}

static int
move_bytes(struct touch *x, pa_t pa, uint64_t len)
{
	const struct vm_access *a = x->a;

	if (!a->bytes)
		return 0;
	if (a->access == MMU_WRITE)
		return pg_write_bytes(x->vm, pa, a->bytes + x->r->done, len);
	ram_read(x->vm->ram, pa, a->bytes + x->r->done, len);
	return 0;
}

int
vm_access(struct vm *vm, unsigned int cpu, const struct vm_access *a,
	  struct vm_access_result *r)
{
	struct touch x = {vm, NULL, cpu, a, r, a->va};
	uint64_t page;

	*r = (struct vm_access_result){0};
	if (cpu >= vm->nr_cpus)
		return -EINVAL;
	x.c = &vm->cpu[cpu];
	if (vm->shape.f && !x.c->hand_made &&
	    (!x.c->mm || (a->user && !x.c->current)))
		return -EINVAL;
	if (unlikely(x.c->user != a->user))
		cpu_set_mode(vm, cpu, a->user);
	page = 1ULL << vm->page_shift;
	while (r->done < a->len) {
		uint64_t part =
			MIN_OF(a->len - r->done, page - (x.va & (page - 1)));
		pa_t pa = 0;
		int err = translate(&x, &pa);

		if (!err)
			err = move_bytes(&x, pa, part);
		if (err)
			return err;
		/* Who moves no bytes touches one of each page. */
		cost(&x, pa, a->bytes ? part : 1, a->access == MMU_WRITE);
		r->pa = pa;
		r->done += part;
		x.va += part;
	}
	x.c->cycles += r->cycles;
	return 0;
}

void
vm_translate(const struct vm *vm, const struct task *t,
	     const struct mmu_request *request, struct mmu_result *result)
{
	const struct mm *mm = t && t->mm ? t->mm : vm->init_mm;
	struct mmu_regs regs = vm->boot_regs;

	/* Without tables nothing is there. */
	if (mm && !mmu_load_cr3(vm->ram, &regs, mm->top))
		regs.cr3 = mm->top;
	if (mm && mm->id && vm->kpti && request->user)
		regs.cr3 += VM_PAGE;
	mmu_walk(vm->ram, &regs, request, result);
}
