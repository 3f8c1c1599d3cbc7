// SPDX-License-Identifier: MIT
/*
 * proc_status.c - /proc/PID/status: a key and a value a line
 *
 * What it models: proc_pid_status (fs/proc/array.c), task_mem
 * (fs/proc/task_mmu.c) of 6.1, with PID namespaces, seccomp and cpusets
 * compiled in.
 *
 * Differs from the kernel: all tasks are root's and may do everything unless
 * an op took a right of memory management away; files, groups, pending signals
 * and context switches are not modelled, and so are 0.
 */
#include "kmemfs/show.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"

#include "proc_impl.h"

#include <inttypes.h>

#define ALL_CAPS 0x1ffffffffffULL
#define CAPS_LEN 5

/* Bits of enum task_caps as capability(7) numbers them. */
static uint64_t
effective_caps(const struct task *t)
{
	static const struct {
		uint32_t ours;
		unsigned int bit;
	} caps[CAPS_LEN] = {
		{CAP_IPC_LOCK_BIT,	   14},
		    {CAP_SYS_RAWIO_BIT,	17},
		{CAP_SYS_ADMIN_BIT,    21},
		    {CAP_SYS_NICE_BIT,     23},
		{CAP_SYS_RESOURCE_BIT, 24},
	};
	uint64_t all = ALL_CAPS;

	for (int i = 0; i < CAPS_LEN; i++)
		if (!(t->caps & caps[i].ours))
			all &= ~(1ULL << caps[i].bit);
	return all;
}

static void
put_kb(struct out *out, const char *key, uint64_t kb)
{
	out_str(out, key);
	out_str(out, ":\t");
	out_u64_pad(out, kb, 8);
	out_str(out, " kB\n");
}

static void
put_pages(struct out *out, const char *key, uint64_t pages)
{
	put_kb(out, key, pages << (VM_PAGE_SHIFT - 10));
}

static uint64_t
counted(const struct mm *mm, enum mm_counter c)
{
	return (uint64_t)MAX_OF(mm->counter[c], 0);
}

static void
put_mm(const struct mm *mm, struct out *out)
{
	uint64_t text = round_up_to(mm->end_code, VM_PAGE) -
			round_down_to(mm->start_code, VM_PAGE);
	uint64_t exec = mm->exec_vm << VM_PAGE_SHIFT;

	text = MIN_OF(text, exec);
	put_pages(out, "VmPeak", MAX_OF(mm->hiwater_vm, mm->total_vm));
	put_pages(out, "VmSize", mm->total_vm);
	put_pages(out, "VmLck", mm->locked_vm);
	put_pages(out, "VmPin", 0);
	put_pages(out, "VmHWM", MAX_OF(mm->hiwater_rss, mm_rss(mm)));
	put_pages(out, "VmRSS", mm_rss(mm));
	put_pages(out, "RssAnon", counted(mm, MM_ANONPAGES));
	put_pages(out, "RssFile", counted(mm, MM_FILEPAGES));
	put_pages(out, "RssShmem", counted(mm, MM_SHMEMPAGES));
	put_pages(out, "VmData", mm->data_vm);
	put_pages(out, "VmStk", mm->stack_vm);
	put_kb(out, "VmExe", text >> 10);
	put_kb(out, "VmLib", (exec - text) >> 10);
	put_pages(out, "VmPTE", mm->pgtables);
	put_pages(out, "VmSwap", counted(mm, MM_SWAPENTS));
	put_pages(out, "HugetlbPages", (uint64_t)MAX_OF(mm->hugetlb, 0));
	out_str(out, "CoreDumping:\t0\n"
		     "THP_enabled:\t1\n");
}

static void
put_ids(const struct task *t, struct out *out)
{
	int group = t->kthread ? 0 : 1;

	out_printf(out,
		   "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\n"
		   "TracerPid:\t0\n"
		   "Uid:\t0\t0\t0\t0\n"
		   "Gid:\t0\t0\t0\t0\n"
		   "FDSize:\t0\n"
		   "Groups:\t \n"
		   "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n",
		   t->tgid, t->pid, t->ppid, t->tgid, t->pid, group, group);
}

static void
put_signals(const struct task *t, struct out *out)
{
	out_printf(out,
		   "Threads:\t%u\n"
		   "SigQ:\t0/0\n"
		   "SigPnd:\t%016x\n"
		   "ShdPnd:\t%016x\n"
		   "SigBlk:\t%016x\n"
		   "SigIgn:\t%016x\n"
		   "SigCgt:\t%016" PRIx64 "\n",
		   proc_threads(t), 0, 0, 0, 0, proc_caught(t));
}

static void
put_rights(const struct task *t, struct out *out)
{
	uint64_t caps = effective_caps(t);

	out_printf(out,
		   "CapInh:\t%016x\n"
		   "CapPrm:\t%016" PRIx64 "\n"
		   "CapEff:\t%016" PRIx64 "\n"
		   "CapBnd:\t%016" PRIx64 "\n"
		   "CapAmb:\t%016x\n"
		   "NoNewPrivs:\t0\n"
		   "Seccomp:\t0\n"
		   "Seccomp_filters:\t0\n",
		   0, caps, caps, (uint64_t)ALL_CAPS, 0);
}

static bool
node_has_memory(const struct phys *phys, unsigned int nid, unsigned int with)
{
	(void)with;
	return phys->nodes[nid]->present_pages;
}

static void
put_places(const struct phys *phys, struct out *out)
{
	out_str(out, "Cpus_allowed:\t");
	put_id_mask(out, phys, phys->nr_cpus, cpu_is_online, 0);
	out_str(out, "Cpus_allowed_list:\t");
	put_id_list(out, phys, phys->nr_cpus, cpu_is_online, 0);
	if (!kernel_has(phys, KERNEL_NUMA))
		return;
	out_str(out, "Mems_allowed:\t");
	put_id_mask(out, phys, phys->nr_nodes, node_has_memory, 0);
	out_str(out, "Mems_allowed_list:\t");
	put_id_list(out, phys, phys->nr_nodes, node_has_memory, 0);
}

static void
put_status(const struct view *v, const struct task *t, struct out *out)
{
	if (!t)
		return;
	out_printf(out, "Name:\t%s\n", t->comm);
	if (t->state != TASK_ZOMBIE)
		out_str(out, "Umask:\t0022\n");
	out_printf(out, "State:\t%s\n", proc_state(t));
	put_ids(t, out);
	if (t->mm)
		put_mm(t->mm, out);
	put_signals(t, out);
	put_rights(t, out);
	put_places(v->m->phys, out);
	out_str(out, "voluntary_ctxt_switches:\t0\n"
		     "nonvoluntary_ctxt_switches:\t0\n");
}

void
show_pid_status(const struct view *v, struct out *out)
{
	put_status(v, proc_task(v), out);
}

void
show_tid_status(const struct view *v, struct out *out)
{
	put_status(v, proc_thread(v), out);
}
