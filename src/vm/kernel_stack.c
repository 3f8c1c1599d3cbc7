// SPDX-License-Identifier: MIT
/*
 * kernel_stack.c - where kernel code has its stack, and what lies below it
 *
 * What it models: alloc_thread_stack_node, free_thread_stack (kernel/fork.c),
 * set_task_stack_end_magic, irq_init_percpu_irqstack (arch/x86/kernel/irq_*.c),
 * handle_stack_overflow (arch/x86/kernel/traps.c).
 *
 * How it works: a task's stack is an area with a guard page on either side, as
 * every area follows one, or a block of the direct map.  The lowest word says
 * that nobody has passed the end:
 *
 *     end     top: where it starts, growing down
 *             ...
 *     lowest  STACK_END_MAGIC
 *     below   guard page: the fault cannot be handled on this stack
 *             direct map: whatever frame lies there is written to
 *
 * Areas of tasks that ended are kept, two a CPU, for the next.  Interrupts have
 * stacks of their own, once for each CPU, in the kernel's image; or none, and
 * run on the stack of whom they interrupt.
 *
 * Differs from the kernel: interrupt stacks stand at the image's end; CPUs for
 * which it is too small have none.
 */
#include "kernel_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* What code leaves on a stack. */
#define USED_BYTE 0xcc

bool
kernel_stack_is_area(const struct vm *vm)
{
	return vm->kernel && vm->kernel->config.vmap_stack;
}

static unsigned int
stack_order(const struct vm *vm)
{
	unsigned int order = 0;

	while (VM_PAGE << order < vm->layout.stack_bytes)
		order++;
	return order;
}

/* --- who has which frames ------------------------------------------------- */

static void
count(struct vm *vm, pfn_t pfn, int sign)
{
	pg_node(vm, pfn)->stat[NS_nr_kernel_stack] +=
		sign * (int64_t)(VM_PAGE / 1024);
}

/* Its frames belong to the stack of @pid (0: one that is kept). */
static void
own(struct vm *vm, const struct kernel_area *a, int32_t pid)
{
	for (uint64_t n = 0; n < a->nr_pages; n++)
		vm->phys->frames[a->pages[n]].owner =
			frame_owner(OWNER_STACK, (uint32_t)pid);
}

static void
count_area(struct vm *vm, const struct kernel_area *a, int by)
{
	for (uint64_t n = 0; n < a->nr_pages; n++)
		count(vm, a->pages[n], by);
}

static void
set_end(struct vm *vm, va_t lowest)
{
	pa_t pa = kernel_lookup(vm, lowest);

	ram_store(vm->ram, pa, vm->mode >= MMU_4LEVEL ? 8 : 4, STACK_END_MAGIC);
}

bool
kernel_stack_intact(const struct task *t)
{
	pa_t pa = kernel_lookup(t->vm, t->kernel_stack);
	unsigned int word = t->vm->mode >= MMU_4LEVEL ? 8 : 4;

	return ram_load(t->vm->ram, pa, word) == STACK_END_MAGIC;
}

/* --- areas ---------------------------------------------------------------- */

static struct kernel_area *
from_cache(struct kernel_half *k, unsigned int cpu)
{
	for (unsigned int i = 0; i < STACK_CACHE; i++) {
		struct kernel_area **slot = &k->stacks[cpu * STACK_CACHE + i];
		struct kernel_area *a = *slot;

		if (!a)
			continue;
		*slot = NULL;
		for (uint64_t n = 0; n < a->nr_pages; n++)
			ram_zero(k->vm->ram, a->pages[n] << VM_PAGE_SHIFT,
				 VM_PAGE);
		return a;
	}
	return NULL;
}

static int
area_alloc(struct vm *vm, unsigned int cpu, struct kernel_area **area)
{
	uint64_t size = vm->layout.stack_bytes;
	const struct kernel_request q = {
		.cpu = cpu,
		.gfp = GFP_KERNEL | __GFP_ZERO,
		.nid = NODE_LOCAL,
		.caller = symbols_address(vm->symbols, "kernel_clone"),
	};
	struct kernel_area *a;
	int err;

	*area = from_cache(vm->kernel, cpu);
	if (*area)
		return 0;
	a = kernel_area_new(vm, &q, size >> VM_PAGE_SHIFT, size,
			    KA_ALLOC | KA_STACK);
	if (!a)
		return -ENOMEM;
	err = kernel_pages_get(vm, a, &q, frame_owner(OWNER_STACK, 0));
	if (!err) {
		err = kernel_area_enter(vm, a, kernel_prot(vm), cpu);
		if (err)
			kernel_pages_put(vm, a, cpu);
	}
	if (!err)
		err = ram_may_write(vm->ram, a->pages[0] << VM_PAGE_SHIFT, 8);
	if (err) {
		kernel_area_drop(vm, a, cpu);
		return err;
	}
	vm->kernel->vmalloc_pages += a->nr_pages;
	*area = a;
	return 0;
}

static int
area_stack(struct task *t)
{
	struct vm *vm = t->vm;
	struct kernel_area *a = NULL;
	int err = area_alloc(vm, t->cpu, &a);

	if (err)
		return err;
	own(vm, a, t->pid);
	count_area(vm, a, 1);
	t->kernel_stack = a->start;
	set_end(vm, a->start);
	return 0;
}

static void
area_put(struct task *t)
{
	struct vm *vm = t->vm;
	struct kernel_half *k = vm->kernel;
	struct kernel_area *a = kernel_area_find(k, t->kernel_stack);

	own(vm, a, 0);
	count_area(vm, a, -1);
	for (unsigned int i = 0; i < STACK_CACHE; i++) {
		struct kernel_area **slot =
			&k->stacks[t->cpu * STACK_CACHE + i];

		if (!*slot) {
			*slot = a;
			return;
		}
	}
	(void)kernel_vfree(vm, a->start, t->cpu);
}

/* --- blocks of the direct map --------------------------------------------- */

static pfn_t
block_pfn(const struct task *t)
{
	return (t->kernel_stack - t->vm->layout.page_offset) >> VM_PAGE_SHIFT;
}

static int
block_stack(struct task *t)
{
	struct vm *vm = t->vm;
	const struct page_request q = {
		.gfp = GFP_KERNEL | __GFP_ZERO,
		.order = stack_order(vm),
		.nid = NODE_LOCAL,
		.cpu = t->cpu,
	};
	pfn_t pfn;
	int err = pages_alloc(vm->phys, &q, &pfn);

	if (err)
		return err;
	ram_zero(vm->ram, pfn << VM_PAGE_SHIFT, VM_PAGE << q.order);
	err = ram_may_write(vm->ram, pfn << VM_PAGE_SHIFT, 8);
	if (err) {
		pages_put(vm->phys, pfn, q.order, t->cpu);
		return err;
	}
	vm->phys->frames[pfn].owner =
		frame_owner(OWNER_STACK, (uint32_t)t->pid);
	t->kernel_stack = vm->layout.page_offset + (pfn << VM_PAGE_SHIFT);
	for (uint64_t n = 0; n < 1ULL << q.order; n++)
		count(vm, pfn, 1);
	set_end(vm, t->kernel_stack);
	return 0;
}

static void
block_put(struct task *t)
{
	struct vm *vm = t->vm;
	pfn_t pfn = block_pfn(t);
	unsigned int order = stack_order(vm);

	for (uint64_t n = 0; n < 1ULL << order; n++)
		count(vm, pfn, -1);
	vm->phys->frames[pfn].owner = 0;
	pages_put(vm->phys, pfn, order, t->cpu);
}

int
kernel_stack_alloc(struct task *t)
{
	int err = kernel_start(t->vm, t->cpu);

	if (err)
		return err;
	return kernel_stack_is_area(t->vm) ? area_stack(t) : block_stack(t);
}

void
kernel_stack_free(struct task *t)
{
	if (!t->kernel_stack)
		return;
	if (kernel_stack_is_area(t->vm))
		area_put(t);
	else
		block_put(t);
	t->kernel_stack = 0;
}

void
kernel_stack_own(struct task *t)
{
	struct vm *vm = t->vm;

	if (!t->kernel_stack)
		return;
	if (kernel_stack_is_area(vm))
		own(vm, kernel_area_find(vm->kernel, t->kernel_stack), t->pid);
	else
		vm->phys->frames[block_pfn(t)].owner =
			frame_owner(OWNER_STACK, (uint32_t)t->pid);
}

/* --- interrupts ----------------------------------------------------------- */

/* Physical address of the @n-th stack below the image's end, 0: no room. */
static pa_t
image_stack(const struct vm *vm, unsigned int n)
{
	struct kernel_section s[KERNEL_SECTIONS];
	uint64_t size = vm->layout.stack_bytes, down = (n + 1ULL) * size;
	const struct range *bss;

	/* The last page is the zero page. */
	if (!kernel_image(vm, s))
		return 0;
	bss = &s[KERNEL_SECTIONS - 1].range;
	if (bss->end - bss->start < down + size)
		return 0;
	return round_down_to(bss->end - VM_PAGE, size) - down;
}

/* An area that maps it, as map_irq_stack(). */
static int
map_irq_stack(struct vm *vm, unsigned int cpu, pa_t pa, va_t *at)
{
	uint64_t nr = vm->layout.stack_bytes >> VM_PAGE_SHIFT;
	const struct kernel_request q = {
		.cpu = cpu,
		.gfp = GFP_KERNEL,
		.nid = NODE_LOCAL,
		.caller = symbols_address(vm->symbols,
					  "irq_init_percpu_irqstack"),
	};
	pfn_t *pages = g_new(pfn_t, nr);
	struct kernel_area *a;
	int err;

	for (uint64_t n = 0; n < nr; n++)
		pages[n] = (pa >> VM_PAGE_SHIFT) + n;
	err = kernel_vmap(vm, &q, pages, nr, false, &a);
	g_free(pages);
	if (!err)
		*at = a->start;
	return err;
}

static int
one_irq_stack(struct vm *vm, unsigned int cpu, unsigned int n, va_t *at)
{
	pa_t pa = image_stack(vm, n);

	if (!pa || *at)
		return 0;
	if (kernel_stack_is_area(vm))
		return map_irq_stack(vm, cpu, pa, at);
	*at = vm->layout.page_offset + pa;
	return 0;
}

int
kernel_irq_stacks(struct vm *vm, unsigned int cpu)
{
	struct kernel_half *k = vm->kernel;
	bool wide = vm->mode >= MMU_4LEVEL;
	int err = 0;

	if (k->config.irq_shared)
		return 0;
	/* On 64 bit both kinds of interrupts share one. */
	for (unsigned int i = 0; i < vm->nr_cpus && !err; i++) {
		err = one_irq_stack(vm, cpu, wide ? i : 2 * i,
				    &k->irq_stack[i]);
		if (!err && !wide)
			err = one_irq_stack(vm, cpu, 2 * i + 1,
					    &k->softirq_stack[i]);
		if (wide)
			k->softirq_stack[i] = k->irq_stack[i];
	}
	return err;
}

va_t
kernel_irq_stack(const struct vm *vm, unsigned int cpu, enum stack_kind kind)
{
	if (kind == STACK_IRQ)
		return vm->kernel->irq_stack[cpu];
	return kind == STACK_SOFTIRQ ? vm->kernel->softirq_stack[cpu] : 0;
}

/* --- used ----------------------------------------------------------------- */

uint64_t
kernel_stack_unused(const struct vm *vm, va_t lowest, uint64_t size)
{
	unsigned int word = vm->mode >= MMU_4LEVEL ? 8 : 4;
	uint64_t at = word;

	while (at < size &&
	       !ram_load(vm->ram, kernel_lookup(vm, lowest + at), word))
		at += word;
	return at - word;
}

/* stack_type_name(), and what the fault in the guard page ends in. */
static void
tell_guard(struct vm *vm, const struct stack_use *u)
{
	static const char *const names[] = {"TASK", "IRQ", "SOFTIRQ"};

	vm_printk(vm,
		  "BUG: %s stack guard page was hit at %016" PRIx64
		  " (stack is %016" PRIx64 "..%016" PRIx64 ")",
		  names[u->kind], u->at, u->lowest, u->end - 1);
	vm_printk(vm, "stack guard page: 0000 [#1] PREEMPT SMP");
	if (vm->hooks.panic)
		vm->hooks.panic(vm->hooks.user, "Fatal exception in interrupt");
}

/* Write what code leaves from @from up to @to. */
static int
leave_traces(struct vm *vm, va_t from, va_t to)
{
	uint8_t *bytes = g_malloc(to - from);
	uint64_t done;

	memset(bytes, USED_BYTE, to - from);
	done = kernel_write(vm, from, bytes, to - from);
	g_free(bytes);
	if (done == to - from)
		return 0;
	return kernel_lookup(vm, from + done) == UINT64_MAX ? -EFAULT : -ENOSPC;
}

/* The stack goes on below its end: in a guard page, or in other frames. */
static int
overflow(struct vm *vm, struct stack_use *u, uint64_t below)
{
	va_t from = u->lowest - below;
	pa_t low;

	u->at = u->lowest - MIN_OF(below, sizeof(uint64_t));
	low = kernel_lookup(vm, u->at);
	if (kernel_stack_is_area(vm) || low == UINT64_MAX) {
		u->guard = true;
		return -EFAULT;
	}
	u->neighbour = low >> VM_PAGE_SHIFT;
	/* Never below the direct map's first byte. */
	if (from < vm->layout.page_offset)
		from = vm->layout.page_offset;
	u->damaged = u->lowest - from;
	return leave_traces(vm, from, u->lowest);
}

static bool
choose(struct vm *vm, const struct task *t, unsigned int cpu,
       struct stack_use *u)
{
	va_t own =
		u->kind == STACK_TASK ? 0 : kernel_irq_stack(vm, cpu, u->kind);

	u->lowest = own ? own : t->kernel_stack;
	u->end = u->lowest + vm->layout.stack_bytes;
	return own;
}

int
kernel_stack_use(struct vm *vm, struct task *t, unsigned int cpu,
		 enum stack_kind kind, uint64_t bytes, bool keep,
		 struct stack_use *u)
{
	struct kernel_local *l;
	uint64_t before, size = vm->layout.stack_bytes;
	bool own_stack;
	int err = 0;

	*u = (struct stack_use){.kind = kind, .neighbour = PFN_NONE};
	own_stack = choose(vm, t, cpu, u);
	if (!u->lowest)
		return -EINVAL;
	if (!t->impl)
		t->impl = g_new0(struct kernel_local, 1);
	l = t->impl;
	before = own_stack ? 0 : l->depth;
	u->depth = before + bytes;
	u->left = u->depth < size ? size - u->depth : 0;
	err = leave_traces(vm, u->end - MIN_OF(u->depth, size),
			   u->end - MIN_OF(before, size));
	if (!err && u->depth > size)
		err = overflow(vm, u, u->depth - size);
	if (!own_stack)
		l->depth = keep && !err ? u->depth : 0;
	if (u->guard)
		tell_guard(vm, u);
	return err;
}
