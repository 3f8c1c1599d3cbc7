// SPDX-License-Identifier: MIT
/* ops_labs.c - control/labs: what is tried on machines beside this one */
#include "kmemfs/ops.h"

#include "kmemfs/machine/lab_slabs.h"

#include <errno.h>

static int
refuse_workload(struct op *op, const char *name)
{
	struct out known = OUT_INIT;
	const struct slab_workload *w;

	for (unsigned int i = 0; (w = slab_workload_nth(i)); i++)
		out_printf(&known, "%s%s", i ? ", " : "", w->name);
	op_refuse(op, ARG_LABS_COMPARE_SLABS_WORKLOAD, EINVAL,
		  "%s is no workload; there are %s", name, out_text(&known));
	out_fini(&known);
	return -EINVAL;
}

int
op_labs_compare_slabs(struct op *op, struct args_labs_compare_slabs *a)
{
	const struct slab_workload *workload = slab_workload_find(a->workload);
	struct machine *m = op->m;
	struct slab_lab *lab;
	char why[256] = "";

	if (!workload)
		return refuse_workload(op, a->workload);
	if (!a->operations || a->operations > SLAB_LAB_OPERATIONS_MOST)
		return op_refuse(op, ARG_LABS_COMPARE_SLABS_OPERATIONS, EINVAL,
				 "%llu operations: from 1 to %d",
				 (unsigned long long)a->operations,
				 SLAB_LAB_OPERATIONS_MOST);
	if (!a->live || a->live > SLAB_LAB_LIVE_MOST)
		return op_refuse(op, ARG_LABS_COMPARE_SLABS_LIVE, EINVAL,
				 "%llu live objects: from 1 to %d",
				 (unsigned long long)a->live,
				 SLAB_LAB_LIVE_MOST);
	lab = slab_lab_run(m->config, workload, a->seed, a->operations, a->live,
			   why, sizeof(why));
	if (!lab)
		return op_refuse(op, -1, ENOMEM,
				 "a machine like this one is too small for it: "
				 "%s",
				 why);
	g_free(m->slab_lab);
	m->slab_lab = lab;
	op_answer(op, "workload=%s", workload->name);
	for (unsigned int i = 0; i < NR_SLAB_ALLOCATORS; i++)
		op_answer(op, " %s=%llu", slab_allocator_names[i],
			  (unsigned long long)lab->result[i].pages);
	return 0;
}
