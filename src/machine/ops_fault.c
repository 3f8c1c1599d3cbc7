// SPDX-License-Identifier: MIT
/*
 * ops_fault.c - knobs that make allocations fail
 *
 * What it models: writes to failslab/ and fail_page_alloc/ in debugfs, 6.1.192.
 */
#include "kmemfs/ops.h"

#include <errno.h>
#include <string.h>

static struct fault_attr *
find(struct machine *m, const char *name)
{
	struct fault_attr *const all[] = {&m->slab->failslab,
					  &m->phys->fail_page_alloc};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}

int
op_fault_attribute(struct op *op, struct args_fault_attribute *a)
{
	struct fault_attr *attr = find(op->m, a->which);
	struct refusal why = {0};
	int err;

	if (!attr)
		return op_refuse(op, ARG_FAULT_ATTRIBUTE_WHICH, ENOENT,
				 "%s: it is failslab or fail_page_alloc",
				 a->which);
	err = fault_write(attr, a->attribute, a->value, &why);
	if (err)
		return op_refuse(op,
				 err == -ENOENT ? ARG_FAULT_ATTRIBUTE_ATTRIBUTE
						: ARG_FAULT_ATTRIBUTE_VALUE,
				 -err, "%s", why.sentence);
	return 0;
}
