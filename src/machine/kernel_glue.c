// SPDX-License-Identifier: MIT
/*
 * kernel_glue.c - who has which of the kernel's addresses
 *
 * How it works: per-CPU memory chooses the places of its chunks by itself, from
 * the top of the vmalloc range down; it asks the kernel half what is free there
 * and tells it what it takes, so that vmalloc does not give the same addresses.
 */
#include "kernel_glue_impl.h"

static va_t
conflict(void *user, va_t start, va_t end)
{
	const struct machine *m = user;

	return kernel_area_conflict(m->vm, start, end);
}

static void
area(void *user, va_t start, va_t end, bool gone)
{
	struct machine *m = user;

	kernel_percpu_area(m->vm, start, end,
			   symbols_address(m->symbols, "pcpu_get_vm_areas"),
			   gone);
}

static void
page_gone(void *user, va_t va)
{
	struct machine *m = user;

	kernel_percpu_page_gone(m->vm, va);
}

static pfn_t
percpu_page(void *user, va_t va)
{
	const struct machine *m = user;

	return percpu_frame_at(m->percpu, va);
}

void
kernel_glue_percpu(struct machine *m)
{
	const struct percpu *pc = m->percpu;
	uint64_t bytes = (uint64_t)pc->nr_units * pc->unit_size;

	m->vm->hooks.percpu_page = percpu_page;
	m->percpu->space = (struct percpu_space){m, conflict, area, page_gone};
	for (guint i = 0; i < pc->areas->len; i++) {
		const struct percpu_area *a = pc->areas->pdata[i];

		if (a)
			kernel_percpu_area(m->vm, a->base, a->base + bytes, 0,
					   false);
	}
}
