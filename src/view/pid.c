// SPDX-License-Identifier: MIT
/*
 * pid.c - /proc/1: the first task
 *
 * What it models: fs/proc/array.c of Linux 6.1 for a task without an address
 * space, which is all that the first task has before there is a program.
 */
#include "kmemfs/show.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"

#define COMM "init"
#define STAT_FIELDS 52
#define TPGID 8 /* the field's number */
#define SIGCHLD 17

void
show_pid_stat(const struct view *v, struct out *out)
{
	/* Fields that are not 0, by their numbers in proc(5). */
	static const struct {
		int field;
		uint64_t value;
	} set[] = {
		{5,  1	     }, /* pgrp */
		{6,  1	     }, /* session */
		{18, 20	       }, /* priority */
		{20, 1	      }, /* num_threads */
		{25, UINT64_MAX}, /* rsslim */
		{38, SIGCHLD   }, /* exit_signal */
	};
	bool wide = !kernel_has(v->m->phys, KERNEL_HIGHMEM);

	out_str(out, "1 (" COMM ") S 0");
	for (int field = 5; field <= STAT_FIELDS; field++) {
		uint64_t value = 0;

		if (field == TPGID) { /* no terminal */
			out_str(out, " -1");
			continue;
		}
		for (size_t i = 0; i < ARRAY_SIZE(set); i++)
			if (set[i].field == field)
				value = set[i].value;
		out_char(out, ' ');
		out_u64(out, wide ? value : (uint32_t)value);
	}
	out_char(out, '\n');
}

void
show_pid_statm(const struct view *v, struct out *out)
{
	(void)v;
	out_str(out, "0 0 0 0 0 0 0\n");
}

static bool
node_has_memory(const struct phys *phys, unsigned int nid, unsigned int with)
{
	(void)with;
	return phys->nodes[nid]->present_pages;
}

void
show_pid_status(const struct view *v, struct out *out)
{
	const struct phys *phys = v->m->phys;

	out_str(out, "Name:\t" COMM "\n"
		     "Umask:\t0022\n"
		     "State:\tS (sleeping)\n"
		     "Tgid:\t1\n"
		     "Ngid:\t0\n"
		     "Pid:\t1\n"
		     "PPid:\t0\n"
		     "TracerPid:\t0\n"
		     "Uid:\t0\t0\t0\t0\n"
		     "Gid:\t0\t0\t0\t0\n"
		     "FDSize:\t0\n"
		     "Groups:\t \n"
		     "NStgid:\t1\n"
		     "NSpid:\t1\n"
		     "NSpgid:\t1\n"
		     "NSsid:\t1\n"
		     "Threads:\t1\n"
		     "SigQ:\t0/0\n"
		     "SigPnd:\t0000000000000000\n"
		     "ShdPnd:\t0000000000000000\n"
		     "SigBlk:\t0000000000000000\n"
		     "SigIgn:\t0000000000000000\n"
		     "SigCgt:\t0000000000000000\n"
		     "CapInh:\t0000000000000000\n"
		     "CapPrm:\t000001ffffffffff\n"
		     "CapEff:\t000001ffffffffff\n"
		     "CapBnd:\t000001ffffffffff\n"
		     "CapAmb:\t0000000000000000\n"
		     "NoNewPrivs:\t0\n"
		     "Cpus_allowed:\t");
	put_id_mask(out, phys, phys->nr_cpus, cpu_is_online, 0);
	out_str(out, "Cpus_allowed_list:\t");
	put_id_list(out, phys, phys->nr_cpus, cpu_is_online, 0);
	if (kernel_has(phys, KERNEL_NUMA)) {
		out_str(out, "Mems_allowed:\t");
		put_id_mask(out, phys, phys->nr_nodes, node_has_memory, 0);
		out_str(out, "Mems_allowed_list:\t");
		put_id_list(out, phys, phys->nr_nodes, node_has_memory, 0);
	}
	out_str(out, "voluntary_ctxt_switches:\t0\n"
		     "nonvoluntary_ctxt_switches:\t0\n");
}

void
show_pid_cmdline(const struct view *v, struct out *out)
{
	(void)v;
	out_mem(out, COMM, sizeof(COMM));
}

void
show_pid_comm(const struct view *v, struct out *out)
{
	(void)v;
	out_str(out, COMM "\n");
}

/* A task without an address space has no mappings: an empty file. */
void
show_pid_maps(const struct view *v, struct out *out)
{
	(void)v;
	(void)out;
}

void
show_pid_oom_score(const struct view *v, struct out *out)
{
	(void)v;
	put_value(out, 0);
}
