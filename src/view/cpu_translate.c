// SPDX-License-Identifier: MIT
/*
 * cpu_translate.c - cpus/N/translate/VADDR: what a CPU's tables say
 *
 * How it works: the hardware's own walk on the CPU's registers, for each kind
 * of access; neither the TLB nor the kernel is asked.  Accesses of the kernel
 * have EFLAGS.AC clear.
 */
#include "kmemfs/show.h"

#include "kmemfs/vm/cpu.h"

#include <inttypes.h>

static void
put_steps(const struct view *v, struct out *out, const struct mmu_result *w)
{
	for (unsigned int i = 0; i < w->nr_steps; i++) {
		const struct mmu_step *s = &w->step[i];

		out_printf(out, "%s %#" PRIx64 " at %#" PRIx64 "\n",
			   mmu_entry_name(v->m->vm->mode, s->level), s->entry,
			   s->at);
	}
}

static void
put_outcome(struct out *out, const struct mmu_result *w)
{
	if (w->outcome == MMU_OK)
		out_printf(out, "ok %#" PRIx64 "\n", w->pa);
	else if (w->outcome == MMU_PAGE_FAULT)
		out_printf(out, "page-fault %#x\n", w->error_code);
	else
		out_str(out, "general-protection\n");
}

void
show_cpu_translate(const struct view *v, struct out *out)
{
	unsigned int cpu = (unsigned int)v->key[0];
	struct mmu_request q = {.va = v->key[1], .user = true};
	struct mmu_result w;

	cpu_walk(v->m->vm, cpu, &q, &w);
	out_printf(out, "address %#" PRIx64 "\n", q.va);
	put_steps(v, out, &w);
	for (int user = 1; user >= 0; user--) {
		q.user = user;
		for (unsigned int i = 0; i < NR_MMU_ACCESSES; i++) {
			q.access = (enum mmu_access)i;
			cpu_walk(v->m->vm, cpu, &q, &w);
			out_printf(out, "%s_%s ", user ? "user" : "kernel",
				   mmu_access_names[i]);
			put_outcome(out, &w);
		}
	}
}
