// SPDX-License-Identifier: MIT
/* ops_lab_mmu.c - control/labs/costs, control/labs/meltdown */
#include "kmemfs/ops.h"

#include "kmemfs/base/text.h"
#include "kmemfs/machine/lab_mmu.h"

#include <errno.h>
#include <string.h>

int
op_labs_costs(struct op *op, struct args_labs_costs *a)
{
	const struct vm *vm = op->m->vm;
	struct cost_lab *lab;
	char why[128] = "";

	(void)a;
	if (!vm->shape.f || !vm->caches)
		return op_refuse(op, -1, EINVAL, "%s are not modelled",
				 vm->shape.f ? "this machine's caches"
					     : "x86 page tables");
	lab = cost_lab_run(op->m->config, why, sizeof(why));
	if (!lab)
		return op_refuse(op, -1, ENOMEM,
				 "a machine like this one is too small: %s",
				 why);
	g_free(op->m->cost_lab);
	op->m->cost_lab = lab;
	op_answer(op, "%u ways", lab->nr);
	return 0;
}

/* The kernel's address of what @word names. */
static int
kernel_address(struct op *op, const char *word, va_t *at)
{
	const struct allocation *a;

	if (text_u64(word, at))
		return 0;
	a = allocation_find(op->m, word);
	if (!a)
		return op_refuse(op, ARG_LABS_MELTDOWN_ADDRESS, ENOENT,
				 "there is no allocation %s", word);
	*at = a->kind == ALLOCATION_PAGES ? op->m->vm->layout.page_offset +
						    (a->pfn << VM_PAGE_SHIFT)
					  : a->address;
	return 0;
}

int
op_labs_meltdown(struct op *op, struct args_labs_meltdown *a)
{
	struct machine *m = op->m;
	struct meltdown_lab lab;
	va_t at = 0;
	int err = kernel_address(op, a->address, &at);

	if (err)
		return err;
	if (!m->vm->shape.f || !m->vm->caches)
		return op_refuse(op, -1, EINVAL, "%s are not modelled",
				 m->vm->shape.f ? "this machine's caches"
						: "x86 page tables");
	err = meltdown_lab_run(m, (unsigned int)a->cpu, at, &lab);
	if (err)
		return op_fail(op, -err, "%s",
			       err == -EFAULT
				       ? "the kernel itself cannot read there"
				       : strerror(-err));
	g_free(m->meltdown_lab);
	m->meltdown_lab = g_memdup2(&lab, sizeof(lab));
	if (lab.byte < 0)
		op_answer(op, "byte=none");
	else
		op_answer(op, "byte=0x%02x", (unsigned int)lab.byte);
	op_answer(op, " stored=0x%02x error_code=%#x", lab.stored,
		  lab.error_code);
	return 0;
}
