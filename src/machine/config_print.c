// SPDX-License-Identifier: MIT
/*
 * config_print.c - a machine as a machine file
 *
 * Always true:    what is printed, read and printed again, is the same text.
 */
#include "config_impl.h"

#include "kmemfs/phys/firmware.h"

static void
print_yes_no(struct out *out, const char *key, bool value)
{
	out_printf(out, "%s = %s\n", key, value ? "yes" : "no");
}

/* The largest unit that leaves no remainder. */
static void
print_size(struct out *out, const char *key, uint64_t bytes)
{
	static const char units[] = "KMGT";
	unsigned int unit = 0;

	while (unit < sizeof(units) - 1 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	out_printf(out, "%s = %llu", key, (unsigned long long)bytes);
	if (unit)
		out_char(out, units[unit - 1]);
	out_char(out, '\n');
}

static void
print_range(struct out *out, const struct range *range)
{
	out_hex(out, range->start);
	out_char(out, '-');
	out_hex(out, range->end - 1);
}

static void
print_ranges(struct out *out, const char *key, const GArray *ranges)
{
	out_printf(out, "%s =", key);
	for (guint i = 0; i < ranges->len; i++) {
		out_str(out, i ? "; " : " ");
		print_range(out, &g_array_index(ranges, struct range, i));
	}
	out_char(out, '\n');
}

static void
print_machine(const struct machine_config *config, struct out *out)
{
	const struct phys_config *phys = &config->phys;

	out_printf(out, "[machine]\narch = %s\n", archs[phys->arch].name);
	print_size(out, "page-size", 1ULL << phys->page_shift);
	out_printf(out, "pageblock-order = %u\n",
		   phys_config_pageblock_order(phys));
	print_yes_no(out, "mmu", !phys->nommu);
	out_printf(out, "cpus = %u\n", phys->nr_cpus);
	out_printf(out, "cmdline =%s%s\n", *config->cmdline ? " " : "",
		   config->cmdline);
	out_printf(out, "seed = %llu\n", (unsigned long long)config->seed);
	print_size(out, "ram-limit", config->ram_limit);
	out_printf(out, "hostname = %s\n", config->hostname);
	print_yes_no(out, "cma", phys->cma_kernel);
	print_yes_no(out, "deferred-init", phys->deferred_init);
}

static void
print_firmware(const struct phys_config *phys, struct out *out)
{
	out_str(out, "\n[firmware]\nmap =");
	for (guint i = 0; i < phys->firmware->len; i++) {
		const struct firmware_range *f = &g_array_index(
			phys->firmware, struct firmware_range, i);

		out_str(out, i ? "; " : " ");
		print_range(out, &f->range);
		out_char(out, ' ');
		out_str(out, firmware_type_name(f->type));
	}
	out_char(out, '\n');
}

static void
print_boot(const struct phys_config *phys, struct out *out)
{
	out_str(out, "\n[boot]\n");
	print_ranges(out, "reserved", phys->reserved);
	print_ranges(out, "freed-early", phys->freed_early);
	print_ranges(out, "freed-late", phys->freed_late);
	print_ranges(out, "hotplugged", phys->hotplugged);
	if (!phys->cma.end)
		return;
	out_str(out, "cma = ");
	print_range(out, &phys->cma);
	out_char(out, '\n');
}

/* "0-3,8" */
static void
print_cpus(const struct phys_config *phys, unsigned int node, struct out *out)
{
	const char *before = " ";

	out_str(out, "cpus =");
	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++) {
		unsigned int first = cpu;

		if (phys->cpu_node[cpu] != (int32_t)node)
			continue;
		while (cpu + 1 < phys->nr_cpus &&
		       phys->cpu_node[cpu + 1] == (int32_t)node)
			cpu++;
		out_str(out, before);
		out_u64(out, first);
		if (cpu > first)
			out_printf(out, "-%u", cpu);
		before = ",";
	}
	out_char(out, '\n');
}

static void
print_node(const struct phys_config *phys, unsigned int n, struct out *out)
{
	const struct node_config *node = &phys->nodes[n];

	out_printf(out, "\n[node %u]\n", n);
	print_ranges(out, "memory", node->memory);
	print_cpus(phys, n, out);
	out_str(out, "distances =");
	for (guint i = 0; i < node->distances->len; i++)
		out_printf(out, "%s%u", i ? "; " : " ",
			   g_array_index(node->distances, uint32_t, i));
	out_char(out, '\n');
}

void
config_print(const struct machine_config *config, struct out *out)
{
	print_machine(config, out);
	print_firmware(&config->phys, out);
	print_boot(&config->phys, out);
	for (unsigned int n = 0; n < config->phys.nr_nodes; n++)
		print_node(&config->phys, n, out);
	out_str(out, "\n[vm]\n");
	for (guint i = 0; i < config->sysctls->len; i++) {
		const struct sysctl_setting *s = &g_array_index(
			config->sysctls, struct sysctl_setting, i);

		out_printf(out, "%s = %s\n", s->name, s->value);
	}
	config_print_mmu(&config->vm, out);
	config_print_cache(config, out);
	config_print_kernel(config, out);
	config_print_slab(&config->slab, out);
	config_print_percpu(&config->percpu, out);
	config_print_bootmem(&config->phys, out);
	config_print_free(&config->phys, out);
}
