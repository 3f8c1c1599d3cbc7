// SPDX-License-Identifier: MIT
/*
 * ops_kernel_kmap.c - addresses for high pages
 */
#include "ops_kernel_impl.h"

#include "ops_task_impl.h"

#include <errno.h>
#include <string.h>

static int
check_tables(struct op *op, uint64_t cpu)
{
	if (!op->m->vm->shape.f)
		return op_refuse(op, -1, ENOSYS,
				 "the machine has no page tables");
	return op_check_cpu(op, -1, cpu);
}

static uint32_t
slot_of(const struct vm *vm, va_t at)
{
	return (uint32_t)((at - vm->layout.pkmap_base) >> VM_PAGE_SHIFT);
}

static bool
in_slots(const struct vm *vm, va_t at)
{
	return vm->layout.pkmap_slots && at >= vm->layout.pkmap_base &&
	       slot_of(vm, at) < vm->layout.pkmap_slots;
}

static void
answer_slot(struct op *op, va_t at)
{
	const struct vm *vm = op->m->vm;

	op_answer(op, "address=%#llx", (unsigned long long)at);
	if (in_slots(vm, at))
		op_answer(op, " slot=%u count=%u", slot_of(vm, at),
			  vm->kernel->pkmap_count[slot_of(vm, at)]);
}

int
op_vm_kmap(struct op *op, struct args_vm_kmap *a)
{
	pfn_t pfn;
	va_t at;
	int err = find_frame(op, ARG_VM_KMAP_PAGE, a->page, &pfn);

	if (!err)
		err = check_tables(op, a->cpu);
	if (err)
		return err;
	err = kernel_kmap(op->m->vm, (unsigned int)a->cpu, op->task, pfn, &at);
	if (err == -EAGAIN)
		return op_fail(op, EAGAIN,
			       "all %u slots are in use: task %d sleeps until "
			       "one is given back",
			       op->m->vm->layout.pkmap_slots, op->task->pid);
	if (err)
		return op_call_failed(op, "kmap", err);
	answer_slot(op, at);
	return 0;
}

int
op_vm_kunmap(struct op *op, struct args_vm_kunmap *a)
{
	const struct vm *vm = op->m->vm;
	pfn_t pfn, woken;
	va_t at;
	int err = find_frame(op, ARG_VM_KUNMAP_PAGE, a->page, &pfn);

	if (!err)
		err = check_tables(op, a->cpu);
	if (err)
		return err;
	err = kernel_kunmap(op->m->vm, (unsigned int)a->cpu, pfn, &woken);
	if (err)
		return mapping_failed(op, "kunmap", err);
	at = kernel_page_address(vm, pfn);
	op_answer(op, "count=%u",
		  in_slots(vm, at) ? vm->kernel->pkmap_count[slot_of(vm, at)]
				   : 0);
	if (woken != PFN_NONE)
		op_answer(op, " woke=%llu address=%#llx",
			  (unsigned long long)woken,
			  (unsigned long long)kernel_page_address(vm, woken));
	return 0;
}

/* --- temporary ------------------------------------------------------------ */

/* The number of a km_type, -1 for kernels without them. */
static int
find_type(struct op *op, int param, const char *word, int *type)
{
	for (*type = 0; *type < KM_TYPE_NR; ++*type)
		if (!strcmp(km_type_names[*type], word))
			break;
	if (*type == KM_TYPE_NR)
		return op_refuse(op, param, EINVAL, "%s: no km_type", word);
	if (!op->m->config->kernel.kmap_types)
		*type = -1;
	return 0;
}

static int
map_local(struct op *op, uint64_t cpu, int type, pfn_t pfn)
{
	va_t at;
	int err =
		kernel_kmap_local(op->m->vm, (unsigned int)cpu, type, pfn, &at);

	if (err == -ENOSPC || err == -EBUSY)
		return op_fail(op, -err, "the kernel's BUG: see dmesg");
	if (err)
		return op_call_failed(op, "kmap_local", err);
	op_answer(op, "address=%#llx", (unsigned long long)at);
	return 0;
}

static int
unmap_local(struct op *op, uint64_t cpu, int type, va_t at)
{
	int err = check_tables(op, cpu);

	if (!err && kernel_kunmap_local(op->m->vm, (unsigned int)cpu, type, at))
		err = op_fail(op, EINVAL,
			      "%#llx is not what was mapped last: see dmesg",
			      (unsigned long long)at);
	return err;
}

int
op_vm_kmap_atomic(struct op *op, struct args_vm_kmap_atomic *a)
{
	pfn_t pfn;
	int type, err = find_frame(op, ARG_VM_KMAP_ATOMIC_PAGE, a->page, &pfn);

	if (!err)
		err = find_type(op, ARG_VM_KMAP_ATOMIC_TYPE, a->type, &type);
	if (!err)
		err = check_tables(op, a->cpu);
	return err ? err : map_local(op, a->cpu, type, pfn);
}

int
op_vm_kunmap_atomic(struct op *op, struct args_vm_kunmap_atomic *a)
{
	int type,
		err = find_type(op, ARG_VM_KUNMAP_ATOMIC_TYPE, a->type, &type);

	return err ? err : unmap_local(op, a->cpu, type, a->address);
}

/* With types kmap_local does not exist yet. */
static int
check_local(struct op *op)
{
	if (!op->m->config->kernel.kmap_types)
		return 0;
	return op_refuse(op, -1, ENOSYS,
			 "a kernel with km_types has kmap_atomic only");
}

int
op_vm_kmap_local_page(struct op *op, struct args_vm_kmap_local_page *a)
{
	pfn_t pfn;
	int err = find_frame(op, ARG_VM_KMAP_LOCAL_PAGE_PAGE, a->page, &pfn);

	if (!err)
		err = check_local(op);
	if (!err)
		err = check_tables(op, a->cpu);
	return err ? err : map_local(op, a->cpu, -1, pfn);
}

int
op_vm_kunmap_local(struct op *op, struct args_vm_kunmap_local *a)
{
	int err = check_local(op);

	return err ? err : unmap_local(op, a->cpu, -1, a->address);
}
