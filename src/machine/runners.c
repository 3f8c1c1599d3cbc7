// SPDX-License-Identifier: MIT
/*
 * runners.c - code that runs on CPUs, as far as per-CPU data needs to know
 *
 * What it models: a task's CPU and preemption count; one register and one
 * pointer, so that an update of a counter can be taken apart into its steps.
 *
 * Always true: on each CPU at most one of them forbids preemption.
 */
#include "kmemfs/machine/machine.h"

#include <glib.h>
#include <string.h>

#define FIRST_PID 100

struct runners {
	GPtrArray *all; /* of struct runner * */
};

struct runners *
runners_new(void)
{
	struct runners *t = g_new0(struct runners, 1);

	t->all = g_ptr_array_new_with_free_func(g_free);
	return t;
}

void
runners_free(struct runners *t)
{
	if (!t)
		return;
	g_ptr_array_free(t->all, TRUE);
	g_free(t);
}

struct runner *
runner_nth(const struct machine *m, uint32_t n)
{
	const GPtrArray *all = m->runners->all;

	return n < all->len ? all->pdata[n] : NULL;
}

struct runner *
runner_find(const struct machine *m, const char *name)
{
	struct runner *r;

	for (uint32_t i = 0; (r = runner_nth(m, i)); i++)
		if (!strcmp(r->comm, name))
			return r;
	return NULL;
}

struct runner *
runner_add(struct machine *m, const char *name, uint32_t cpu)
{
	struct runner *r = g_new0(struct runner, 1);

	g_strlcpy(r->comm, name, sizeof(r->comm));
	r->pid = strcmp(name, "init")
			 ? FIRST_PID + (int32_t)m->runners->all->len
			 : 1;
	r->cpu = cpu;
	g_ptr_array_add(m->runners->all, r);
	return r;
}

struct runner *
runner_holding(const struct machine *m, uint32_t cpu)
{
	struct runner *r;

	for (uint32_t i = 0; (r = runner_nth(m, i)); i++)
		if (r->preempt && r->cpu == cpu)
			return r;
	return NULL;
}
