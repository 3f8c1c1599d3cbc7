// SPDX-License-Identifier: MIT
/*
 * lab_mmu.c - /labs/costs, /labs/meltdown, and what the kernel says of the flaw
 */
#include "kmemfs/show.h"

#include "kmemfs/machine/lab_mmu.h"

#include <inttypes.h>

void
show_lab_costs(const struct view *v, struct out *out)
{
	const struct cost_lab *lab = v->m->cost_lab;

	if (!lab)
		return;
	out_printf(out, "%-42s %10s %10s %8s %10s %11s\n", "what", "operations",
		   "cycles", "each", "tlb_misses", "table_reads");
	for (unsigned int i = 0; i < lab->nr; i++) {
		const struct cost_row *r = &lab->row[i];
		uint64_t tenths = r->cycles * 10 / r->operations;

		out_printf(out,
			   "%-42s %10" PRIu64 " %10" PRIu64 " %6" PRIu64
			   ".%" PRIu64 " %10" PRIu64 " %11" PRIu64 "\n",
			   r->what, r->operations, r->cycles, tenths / 10,
			   tenths % 10, r->misses, r->reads);
	}
}

void
show_lab_meltdown_byte(const struct view *v, struct out *out)
{
	const struct meltdown_lab *lab = v->m->meltdown_lab;

	if (lab && lab->byte >= 0)
		out_printf(out, "0x%02x\n", (unsigned int)lab->byte);
	else if (lab)
		out_str(out, "none\n");
}

void
show_lab_meltdown_latencies(const struct view *v, struct out *out)
{
	const struct meltdown_lab *lab = v->m->meltdown_lab;

	for (unsigned int i = 0; lab && i < PROBE_LINES; i++)
		out_printf(out, "%u %u%s\n", i, lab->latency[i],
			   lab->latency[i] < lab->threshold ? " hot" : "");
}

static const char *
how_it_ended(const struct meltdown_lab *lab)
{
	if (!lab->faulted)
		return "no fault: the address is the task's own";
	if (lab->error_code & 1)
		return "page fault: the page is there, but the kernel's";
	return lab->error_code ? "page fault: no page is there"
			       : "general protection";
}

void
show_lab_meltdown_report(const struct view *v, struct out *out)
{
	const struct meltdown_lab *lab = v->m->meltdown_lab;

	if (!lab)
		return;
	out_printf(out, "address %#" PRIx64 "\npid %d\n", lab->address,
		   lab->pid);
	out_printf(out, "separate_user_tables %s\n",
		   lab->separate ? "yes" : "no");
	out_printf(out, "load %s\nerror_code %#x\n", how_it_ended(lab),
		   lab->error_code);
	out_printf(out, "went_on %s\nthreshold_cycles %u\n",
		   lab->forwarded ? "yes" : "no", lab->threshold);
	out_printf(out, "stored 0x%02x\nrecovered ", lab->stored);
	show_lab_meltdown_byte(v, out);
}

bool
when_x86(const struct view *v)
{
	return v->m->vm->shape.f != NULL;
}

void
show_vulnerability_meltdown(const struct view *v, struct out *out)
{
	const struct vm *vm = v->m->vm;

	out_str(out, !vm->meltdown ? "Not affected\n"
		     : vm->kpti	   ? "Mitigation: PTI\n"
				   : "Vulnerable\n");
}
