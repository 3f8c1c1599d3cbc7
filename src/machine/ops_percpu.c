// SPDX-License-Identifier: MIT
/*
 * ops_percpu.c - per-CPU memory: allocated, freed, written from outside
 *
 * What it models: the callers' side of mm/percpu.c of 6.1.192: alloc_percpu and
 * its relatives, free_percpu, DEFINE_PER_CPU of a module.
 */
#include "kmemfs/ops.h"

#include "caller_impl.h"
#include "ops_percpu_impl.h"

#include <errno.h>
#include <glib.h>

int
resolve_variable(struct op *op, int param, const char *name,
		 struct percpu_variable **found)
{
	*found = percpu_find(op->m->percpu, name);
	if (!*found)
		return op_refuse(op, param, ENOENT,
				 "there is no per-CPU variable called %s",
				 name);
	return 0;
}

static void
answer_variable(struct op *op, const struct percpu_variable *v)
{
	const struct percpu *pc = op->m->percpu;

	op_answer(op, "%s pointer=%#llx cpu0=%#llx size=%llu", v->name,
		  (unsigned long long)percpu_pointer(pc, v),
		  (unsigned long long)percpu_address(pc, v, 0),
		  (unsigned long long)v->size);
}

/* var<id>, or the first after it that is free. */
static const char *
make_up_name(struct op *op)
{
	const struct percpu *pc = op->m->percpu;
	uint32_t id = pc->last_id;

	do
		g_snprintf(op->made_up, sizeof(op->made_up), "var%u", ++id);
	while (percpu_find(pc, op->made_up));
	return op->made_up;
}

static int
ask(struct op *op, struct percpu_request *r, int name_param, const char **name,
    uint64_t context)
{
	struct machine *m = op->m;
	struct percpu_variable *v;
	int err = op_check_cpu(op, -1, r->cpu);

	if (!err && *name && percpu_find(m->percpu, *name))
		err = op_refuse(op, name_param, EEXIST,
				"there is a per-CPU variable called %s already",
				*name);
	if (err)
		return err;
	if (!*name)
		*name = make_up_name(op);
	r->name = *name;
	caller_stamp(m, r->cpu, context);
	caller_report_sleep(m, r->gfp, context);
	err = percpu_alloc(m->percpu, r, &v);
	if (err == -EINVAL)
		return op_fail(op, EINVAL,
			       "from 1 to %llu bytes, at a multiple of a power "
			       "of two up to %llu",
			       (unsigned long long)PERCPU_MIN_UNIT,
			       (unsigned long long)page_size(m->phys));
	if (err)
		return op_fail(op, -err,
			       "no chunk has room and pages, and none can be "
			       "made: see dmesg");
	machine_tell_entry(m, ENTRY_PCPUVAR, NULL, v->name);
	answer_variable(op, v);
	return 0;
}

#define REQUEST(a, what)                                                       \
	{                                                                      \
		.size = (a)->size, .align = (a)->align, .kind = (what),        \
		.gfp = GFP_KERNEL, .cpu = (unsigned int)(a)->cpu               \
	}

int
op_percpu_alloc_percpu(struct op *op, struct args_percpu_alloc_percpu *a)
{
	struct percpu_request r = REQUEST(a, PERCPU_DYNAMIC);

	return ask(op, &r, ARG_PERCPU_ALLOC_PERCPU_NAME, &a->name, a->context);
}

int
op_percpu___alloc_percpu(struct op *op, struct args_percpu___alloc_percpu *a)
{
	struct percpu_request r = REQUEST(a, PERCPU_DYNAMIC);

	return ask(op, &r, ARG_PERCPU___ALLOC_PERCPU_NAME, &a->name,
		   a->context);
}

int
op_percpu___alloc_percpu_gfp(struct op *op,
			     struct args_percpu___alloc_percpu_gfp *a)
{
	struct percpu_request r = REQUEST(a, PERCPU_DYNAMIC);

	r.gfp = (gfp_t)a->gfp;
	return ask(op, &r, ARG_PERCPU___ALLOC_PERCPU_GFP_NAME, &a->name,
		   a->context);
}

int
op_percpu_define_per_cpu(struct op *op, struct args_percpu_define_per_cpu *a)
{
	struct percpu_request r = {.size = a->size,
				   .align = a->align,
				   .kind = PERCPU_RESERVED,
				   .gfp = GFP_KERNEL};

	return ask(op, &r, ARG_PERCPU_DEFINE_PER_CPU_NAME, &a->name,
		   CONTEXT_PROCESS);
}

int
op_percpu_free_percpu(struct op *op, struct args_percpu_free_percpu *a)
{
	struct percpu_variable *v;
	struct machine *m = op->m;
	struct runner *r;
	int err = resolve_variable(op, ARG_PERCPU_FREE_PERCPU_VARIABLE,
				   a->variable, &v);

	if (!err && v->kind == PERCPU_STATIC)
		err = op_refuse(op, ARG_PERCPU_FREE_PERCPU_VARIABLE, EINVAL,
				"%s is part of the kernel", a->variable);
	if (!err)
		err = op_check_cpu(op, -1, a->cpu);
	if (err)
		return err;
	for (uint32_t i = 0; (r = runner_nth(m, i)); i++)
		if (r->variable == v->id)
			r->variable = 0;
	caller_stamp(m, a->cpu, CONTEXT_PROCESS);
	machine_tell_entry(m, ENTRY_PCPUVAR, NULL, v->name);
	percpu_release(m->percpu, v, (unsigned int)a->cpu);
	return 0;
}

/* --- bytes from outside ----------------------------------------------------
 */

int
op_percpu_write(struct op *op, struct args_percpu_write *a)
{
	struct machine *m = op->m;
	struct percpu_variable *v;
	int err = resolve_variable(op, ARG_PERCPU_WRITE_VARIABLE, a->variable,
				   &v);

	if (err)
		return err;
	if (!a->data.len)
		return op_refuse(op, ARG_PERCPU_WRITE_DATA, EINVAL,
				 "there are no bytes to write");
	if (a->offset > v->size || a->data.len > v->size - a->offset)
		return op_refuse(op, ARG_PERCPU_WRITE_OFFSET, EFBIG,
				 "%s ends at offset %llu", v->name,
				 (unsigned long long)v->size);
	err = percpu_write(m->percpu, v, (unsigned int)a->cpu, a->offset,
			   a->data.data, a->data.len);
	if (err == -ENOSPC)
		return op_fail(op, ENOSPC,
			       "the daemon may hold %llu bytes of written "
			       "memory, no more (ram-limit)",
			       (unsigned long long)m->config->ram_limit);
	if (err)
		return op_fail(op, -err,
			       "no page can be had for it on CPU %llu",
			       (unsigned long long)a->cpu);
	op_answer(op, "address=%#llx bytes=%zu",
		  (unsigned long long)(percpu_address(m->percpu, v,
						      (unsigned int)a->cpu) +
				       a->offset),
		  a->data.len);
	return 0;
}
