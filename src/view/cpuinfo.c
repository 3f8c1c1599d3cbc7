// SPDX-License-Identifier: MIT
/*
 * cpuinfo.c - /proc/cpuinfo and what sysfs says about CPUs
 *
 * What it models: arch/x86/kernel/cpu/proc.c, drivers/base/cpu.c and
 * drivers/base/topology.c of Linux 6.1, on the CPU that QEMU's pc has by
 * default, with what [mmu] of the machine file says it can do.  The CPUs of a
 * node are the cores of one package.
 */
#include "kmemfs/show.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"

#define ADDRESS_BITS_MIN 40 /* of QEMU's default CPU */

/* The CPU's place among the CPUs of its node; *@nr: how many those are. */
static unsigned int
core_of(const struct phys *phys, unsigned int cpu, unsigned int *nr)
{
	unsigned int core = 0;

	*nr = 0;
	for (unsigned int c = 0; c < phys->nr_cpus; c++) {
		if (phys->cpu_node[c] != phys->cpu_node[cpu])
			continue;
		if (c < cpu)
			core++;
		++*nr;
	}
	return core;
}

/* What the processor's tables can hold; without tables, what its RAM takes. */
static unsigned int
physical_bits(const struct machine *m)
{
	const struct phys *phys = m->phys;
	uint64_t last = (phys->max_pfn << phys->page_shift) - 1;
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(last | 1);

	if (m->config->vm.phys_bits)
		return m->config->vm.phys_bits;
	return MAX_OF(bits, ADDRESS_BITS_MIN);
}

static unsigned int
virtual_bits(const struct machine *m)
{
	if (m->phys->arch->page_offset <= UINT32_MAX)
		return 32;
	return m->config->vm.mode == MMU_5LEVEL ? 57 : 48;
}

static void
put_flag(struct out *out, bool there, const char *name)
{
	if (there)
		out_printf(out, " %s", name);
}

/* Flags and bugs, in the kernel's order. */
static void
put_flags(struct out *out, const struct machine *m)
{
	const struct vm_config *vm = &m->config->vm;
	bool wide = m->phys->arch->page_offset > UINT32_MAX;

	out_str(out, "flags\t\t: fpu de pse tsc msr");
	put_flag(out, m->phys->arch != &archs[ARCH_I386], "pae");
	out_str(out,
		" mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "
		"fxsr sse sse2 ht");
	put_flag(out, wide, "syscall");
	put_flag(out, (wide || vm->mode == MMU_PAE) && !vm->no_nx, "nx");
	put_flag(out, wide && !vm->no_gb_pages, "pdpe1gb");
	put_flag(out, wide, "lm");
	put_flag(out, vm->pcid, "pcid");
	out_str(out, " hypervisor");
	put_flag(out, vm->kpti, "pti");
	put_flag(out, vm->smep, "smep");
	put_flag(out, vm->smap, "smap");
	put_flag(out, vm->mode == MMU_5LEVEL, "la57");
	out_str(out, "\nbugs\t\t:");
	put_flag(out, m->vm->shape.f && vm->meltdown, "cpu_meltdown");
	out_char(out, '\n');
}

static void
put_cpu(struct out *out, const struct machine *m, unsigned int cpu)
{
	const struct phys *phys = m->phys;
	unsigned int nr, core = core_of(phys, cpu, &nr);

	out_printf(out,
		   "processor\t: %u\n"
		   "vendor_id\t: AuthenticAMD\n"
		   "cpu family\t: 15\n"
		   "model\t\t: 107\n"
		   "model name\t: QEMU Virtual CPU version 2.5+\n"
		   "stepping\t: 1\n"
		   "physical id\t: %d\n"
		   "siblings\t: %u\n"
		   "core id\t\t: %u\n"
		   "cpu cores\t: %u\n"
		   "apicid\t\t: %u\n"
		   "initial apicid\t: %u\n"
		   "fpu\t\t: yes\n"
		   "fpu_exception\t: yes\n"
		   "cpuid level\t: 13\n"
		   "wp\t\t: yes\n",
		   cpu, phys->cpu_node[cpu], nr, core, nr, cpu, cpu);
	put_flags(out, m);
	out_printf(out,
		   "clflush size\t: 64\n"
		   "cache_alignment\t: 64\n"
		   "address sizes\t: %u bits physical, %u bits virtual\n"
		   "power management:\n\n",
		   physical_bits(m), virtual_bits(m));
}

void
show_cpuinfo(const struct view *v, struct out *out)
{
	for (unsigned int cpu = 0; cpu < v->m->phys->nr_cpus; cpu++)
		if (v->m->phys->cpu_online[cpu])
			put_cpu(out, v->m, cpu);
}

/* --- sys/devices/system/cpu --- */

static bool
is_any(const struct phys *phys, unsigned int cpu, unsigned int with)
{
	(void)phys;
	(void)cpu;
	(void)with;
	return true;
}

static bool
is_offline(const struct phys *phys, unsigned int cpu, unsigned int with)
{
	(void)with;
	return !phys->cpu_online[cpu];
}

static bool
is_same(const struct phys *phys, unsigned int cpu, unsigned int with)
{
	return phys->cpu_online[cpu] && cpu == with;
}

static void
put_list(const struct view *v, struct out *out, id_fn in, unsigned int with)
{
	put_id_list(out, v->m->phys, v->m->phys->nr_cpus, in, with);
}

static void
put_mask(const struct view *v, struct out *out, id_fn in, unsigned int with)
{
	put_id_mask(out, v->m->phys, v->m->phys->nr_cpus, in, with);
}

static unsigned int
package_of(const struct view *v)
{
	return (unsigned int)v->m->phys->cpu_node[v->key[0]];
}

void
show_sys_cpu_online(const struct view *v, struct out *out)
{
	put_list(v, out, cpu_is_online, 0);
}

void
show_sys_cpu_offline(const struct view *v, struct out *out)
{
	put_list(v, out, is_offline, 0);
}

void
show_sys_cpu_possible(const struct view *v, struct out *out)
{
	put_list(v, out, is_any, 0);
}

void
show_sys_cpu_present(const struct view *v, struct out *out)
{
	put_list(v, out, is_any, 0);
}

void
show_sys_cpu_isolated(const struct view *v, struct out *out)
{
	(void)v;
	out_char(out, '\n');
}

/* NR_CPUS - 1 of the distribution's kernels. */
void
show_sys_cpu_kernel_max(const struct view *v, struct out *out)
{
	bool i386 = kernel_has(v->m->phys, KERNEL_HIGHMEM);

	put_value(out, i386 ? MAX_OF(31, v->m->phys->nr_cpus - 1) : 8191);
}

void
show_cpu_package(const struct view *v, struct out *out)
{
	put_value(out, package_of(v));
}

void
show_cpu_zero(const struct view *v, struct out *out)
{
	(void)v;
	put_value(out, 0);
}

void
show_cpu_core(const struct view *v, struct out *out)
{
	unsigned int nr;

	put_value(out, core_of(v->m->phys, (unsigned int)v->key[0], &nr));
}

void
show_cpu_self_map(const struct view *v, struct out *out)
{
	put_mask(v, out, is_same, (unsigned int)v->key[0]);
}

void
show_cpu_self_list(const struct view *v, struct out *out)
{
	put_list(v, out, is_same, (unsigned int)v->key[0]);
}

void
show_cpu_package_map(const struct view *v, struct out *out)
{
	put_mask(v, out, cpu_is_on_node, package_of(v));
}

void
show_cpu_package_list(const struct view *v, struct out *out)
{
	put_list(v, out, cpu_is_on_node, package_of(v));
}

void
show_cpu_node_link(const struct view *v, struct out *out)
{
	out_str(out, "../../node/node");
	out_u64(out, v->key[1]);
}

/* --- /cpus --- */

void
show_cpu_node(const struct view *v, struct out *out)
{
	put_value(out, package_of(v));
}

void
show_cpu_online(const struct view *v, struct out *out)
{
	put_value(out, v->m->phys->cpu_online[v->key[0]]);
}

void
show_cpu_pcp_link(const struct view *v, struct out *out)
{
	const struct zone *zone = v->m->phys->zones[v->key[1]];

	out_printf(out, "../../../nodes/%u/zones/%s/pcp/%llu", zone->node->id,
		   zone_type_name(zone->type), (unsigned long long)v->key[0]);
}
