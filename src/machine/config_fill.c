// SPDX-License-Identifier: MIT
/*
 * config_fill.c - what a machine file leaves out
 *
 * How it works:   in the order in which one needs the other: the firmware map
 *                 from the size of memory, nodes from the map, what boot code
 *                 took from both.  All of it is printed back, so that a filled
 *                 in file fills in nothing when it is read again.
 */
#include "config_impl.h"

#include "kmemfs/phys/cmdline.h"
#include "kmemfs/phys/firmware.h"

#include <string.h>

#define MEMORY_LEAST MIB(1)
#define WHY_SIZE 256

static unsigned int
line_of(const struct config_reader *r, const char *group, const char *key)
{
	const struct config_entry *e = config_entry_find(r, group, key);

	return e ? e->line : 0;
}

static bool
fill_firmware(struct config_reader *r)
{
	struct phys_config *phys = &r->config->phys;
	unsigned int line = line_of(r, "machine", "memory");
	struct firmware_range all = {
		{0, r->memory},
		E820_USABLE
	   };

	if (r->has_firmware && r->memory)
		return config_fail(r, line, "memory",
				   "the [firmware] map says it already");
	if (r->has_firmware)
		return true;
	if (!r->memory)
		return config_fail(r, line, "memory",
				   "say memory = SIZE or [firmware] map");
	if (r->memory < MEMORY_LEAST || r->memory > 1ULL << 51 ||
	    r->memory & ((1ULL << phys->page_shift) - 1))
		return config_fail(r, line, "memory",
				   "it is at least 1M, at most 2048T and in "
				   "whole pages");
	g_array_free(phys->firmware, TRUE);
	if (phys->arch != ARCH_GENERIC) {
		phys->firmware = firmware_pc(r->memory);
		return true;
	}
	phys->firmware =
		g_array_new(FALSE, FALSE, sizeof(struct firmware_range));
	g_array_append_val(phys->firmware, all);
	return true;
}

static bool
fill_from_cmdline(struct config_reader *r)
{
	struct machine_config *config = r->config;
	struct phys_cmdline args;
	struct refusal refusal;

	config->phys.cmdline = config->cmdline;
	if (phys_cmdline_read(&args, config->cmdline, &refusal)) {
		const char *word = config->cmdline + refusal.column;

		return config_fail(r, line_of(r, "machine", "cmdline"),
				   "cmdline", "'%.*s': %s",
				   (int)strcspn(word, " \t"), word,
				   refusal.sentence);
	}
	config->phys.thp_never = args.thp == THP_NEVER;
	config->phys.cma_kernel = r->cma >= 0 ? r->cma == 1 : args.cma_size > 0;
	config->phys.deferred_init = r->deferred >= 0
					     ? r->deferred == 1
					     : config->phys.arch == ARCH_X86_64;
	if (config->phys.cma.end &&
	    (!config->phys.cma_kernel || !args.cma_size))
		config_fail(r, line_of(r, "boot", "cma"), "cma",
			    "no cma= in cmdline asks for this area");
	phys_cmdline_fini(&args);
	return !r->error;
}

/* Rules that tie keys to the architecture. */
static bool
check_arch(struct config_reader *r)
{
	const struct phys_config *phys = &r->config->phys;
	const char *name = archs[phys->arch].name;

	if (phys->arch != ARCH_GENERIC && phys->page_shift != 12)
		return config_fail(r, line_of(r, "machine", "page-size"),
				   "page-size", "pages of %s are 4K", name);
	if (phys->arch != ARCH_GENERIC && phys->nommu)
		return config_fail(r, line_of(r, "machine", "mmu"), "mmu",
				   "%s has one", name);
	if (phys->arch != ARCH_X86_64 && r->deferred == 1)
		return config_fail(r, line_of(r, "machine", "deferred-init"),
				   "deferred-init", "%s kernels do not", name);
	if (phys->arch != ARCH_X86_64 && phys->hotplugged->len)
		return config_fail(r, line_of(r, "boot", "hotplugged"),
				   "hotplugged",
				   "%s kernels know no memory hotplug", name);
	return true;
}

bool
config_fill(struct config_reader *r)
{
	struct phys_config *phys = &r->config->phys;
	char why[WHY_SIZE];

	if (!check_arch(r) || !fill_firmware(r) || !fill_from_cmdline(r) ||
	    !config_nodes(r))
		return false;
	if (!r->has_reserved && !phys_default_reserved(phys, why, sizeof(why)))
		return config_fail(r, line_of(r, "machine", "memory"),
				   "reserved", "%s", why);
	return true;
}
