// SPDX-License-Identifier: MIT
/*
 * ops_kernel.c - the kernel's mappings: who asks, what is named
 *
 * How it works: what is mapped by an op is an allocation of the kernel's
 * address space, found by name, and by its address when that is what ends it.
 * A kernel function that only warns has run and failed.
 */
#include "ops_kernel_impl.h"

#include "caller_impl.h"
#include "kmemfs/base/text.h"
#include "ops_task_impl.h"

#include <errno.h>
#include <string.h>

/* Pages that one op may name. */
#define FRAMES_MOST (1U << 20)

int
check_mapping(struct mapping *g)
{
	int err = op_check_new_name(g->op, g->name_param, *g->name);

	if (!err)
		err = op_check_allocations(g->op, 1);
	if (!err)
		err = op_check_cpu(g->op, -1, g->cpu);
	if (!err && !g->op->m->vm->shape.f)
		err = op_refuse(g->op, -1, ENOSYS,
				"the machine has no page tables");
	return err;
}

/* BUG_ON(in_interrupt()) of __get_vm_area_node(). */
static int
in_interrupt(struct op *op, const char *where)
{
	machine_printk(op->m, "kernel BUG at %s!", where);
	machine_printk(op->m, "invalid opcode: 0000 [#1] PREEMPT SMP");
	machine_panic(op->m, "Fatal exception in interrupt");
	return op_fail(op, EFAULT, "in an interrupt: the kernel's BUG");
}

int
begin_mapping(struct mapping *g, struct kernel_request *q)
{
	struct machine *m = g->op->m;

	caller_stamp(m, g->cpu, g->context);
	caller_report_sleep(m, g->gfp, g->context);
	if (g->context == CONTEXT_IRQ || g->context == CONTEXT_SOFTIRQ)
		return in_interrupt(g->op, "mm/vmalloc.c:2554");
	*q = (struct kernel_request){
		.cpu = (unsigned int)g->cpu,
		.gfp = (gfp_t)g->gfp,
		.nid = (int)g->node,
		.caller = symbols_address(m->symbols, g->caller),
	};
	return 0;
}

void
record_mapping(struct mapping *g, va_t at, uint64_t size, uint64_t pages,
	       const char *free)
{
	struct op *op = g->op;
	struct allocation *a = allocation_add(op->m, *g->name);

	a->kind = ALLOCATION_AREA;
	a->address = at;
	a->size = size;
	a->nr_pages = pages;
	a->context = (uint8_t)g->context;
	a->cpu = (uint16_t)g->cpu;
	a->gfp = (gfp_t)g->gfp;
	a->born_ns = op->m->now_ns;
	a->op = op->desc->name;
	a->free = free;
	area_place(op->m, a);
	if (!*g->name)
		*g->name = allocation_name(a, op->made_up);
	op_answer(op, "%s address=%#llx size=%llu pages=%llu", *g->name,
		  (unsigned long long)at, (unsigned long long)size,
		  (unsigned long long)pages);
}

int
mapping_failed(struct op *op, const char *call, int err)
{
	if (err == -EINVAL)
		return op_fail(op, EINVAL, "%s: the kernel warns: see dmesg",
			       call);
	return op_call_failed(op, call, err);
}

/* --- frames --------------------------------------------------------------- */

static int
check_frame(struct op *op, int param, pfn_t pfn)
{
	if (phys_present(op->m->phys, pfn))
		return 0;
	return op_refuse(op, param, EINVAL, "there is no page %llu",
			 (unsigned long long)pfn);
}

static int
add_frames(struct op *op, int param, pfn_t first, uint64_t nr, GArray *pfns)
{
	if (nr > FRAMES_MOST - pfns->len)
		return op_refuse(op, param, EINVAL, "more than %u pages",
				 FRAMES_MOST);
	for (uint64_t n = 0; n < nr; n++) {
		pfn_t pfn = first + n;
		int err = check_frame(op, param, pfn);

		if (err)
			return err;
		g_array_append_val(pfns, pfn);
	}
	return 0;
}

/* All frames of an allocation, in the order of its bytes. */
static int
add_allocation(struct op *op, int param, const char *name, GArray *pfns)
{
	const struct allocation *a = allocation_find(op->m, name);
	int err = 0;

	if (!a)
		return op_refuse(op, param, ENOENT,
				 "there is no allocation called %s", name);
	if (a->kind != ALLOCATION_AREA)
		return add_frames(op, param, a->pfn, a->nr_pages, pfns);
	for (uint64_t at = 0; !err && at < a->size; at += VM_PAGE) {
		pa_t pa = a->pool ? UINT64_MAX
				  : kernel_lookup(op->m->vm, a->address + at);

		if (pa == UINT64_MAX)
			return op_refuse(op, param, EINVAL,
					 "%s is a task's mapping: name pages",
					 name);
		err = add_frames(op, param, pa >> VM_PAGE_SHIFT, 1, pfns);
	}
	return err;
}

static int
add_word(struct op *op, int param, char *word, GArray *pfns)
{
	char *dash = g_ascii_isdigit(*word) ? strchr(word, '-') : NULL;
	uint64_t first, last;

	if (dash)
		*dash++ = '\0';
	if (!text_u64(word, &first))
		return add_allocation(op, param, word, pfns);
	last = first;
	if (dash && (!text_u64(dash, &last) || last < first))
		return op_refuse(op, param, EINVAL, "%s-%s is no range", word,
				 dash);
	if (last - first >= FRAMES_MOST)
		return op_refuse(op, param, EINVAL, "more than %u pages",
				 FRAMES_MOST);
	return add_frames(op, param, first, last - first + 1, pfns);
}

int
find_frames(struct op *op, int param, const char *words, GArray *pfns)
{
	char **list = g_strsplit(words, ",", -1);
	int err = 0;

	for (char **word = list; *word && !err; word++)
		err = add_word(op, param, *word, pfns);
	g_strfreev(list);
	if (!err && !pfns->len)
		err = op_refuse(op, param, EINVAL, "no page is named");
	return err;
}

int
find_frame(struct op *op, int param, const char *word, pfn_t *pfn)
{
	const struct allocation *a;

	if (text_u64(word, pfn))
		return check_frame(op, param, *pfn);
	a = allocation_find(op->m, word);
	if (!a)
		return op_refuse(op, param, ENOENT,
				 "there is no allocation called %s", word);
	if (a->kind == ALLOCATION_AREA)
		return op_refuse(op, param, EINVAL,
				 "%s is a mapping, not a page", word);
	*pfn = a->pfn;
	return 0;
}
