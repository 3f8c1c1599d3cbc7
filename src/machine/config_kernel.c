// SPDX-License-Identifier: MIT
/*
 * config_kernel.c - [kernel]: how the kernel was built, as its addresses go
 */
#include "config_impl.h"

#include <string.h>

static bool
has_mmu(const struct machine_config *c)
{
	return c->phys.arch != ARCH_GENERIC && !c->phys.nommu;
}

static bool
read_stack(struct config_reader *r, const struct config_entry *e)
{
	uint64_t bytes;

	if (!config_size(r, e, &bytes))
		return false;
	if (bytes != KIB(4) && bytes != KIB(8) && bytes != KIB(16))
		return config_fail(r, e->line, e->key,
				   "'%s' is none of 4K, 8K, 16K", e->value);
	r->config->kernel.stack = bytes;
	return true;
}

static bool
read_vmap_stack(struct config_reader *r, const struct config_entry *e)
{
	return config_bool(r, e, &r->config->kernel.vmap_stack);
}

/* One of two words. */
static bool
read_either(struct config_reader *r, const struct config_entry *e,
	    const char *no, const char *yes, bool *value)
{
	*value = !strcmp(e->value, yes);
	if (!*value && strcmp(e->value, no) != 0)
		return config_fail(r, e->line, e->key, "'%s' is not %s or %s",
				   e->value, no, yes);
	return true;
}

static bool
read_interrupt_stack(struct config_reader *r, const struct config_entry *e)
{
	return read_either(r, e, "own", "shared",
			   &r->config->kernel.irq_shared);
}

static bool
read_kmap_atomic(struct config_reader *r, const struct config_entry *e)
{
	return read_either(r, e, "stack", "type",
			   &r->config->kernel.kmap_types);
}

static const struct config_key keys[] = {
	{"stack",		  read_stack	    },
	{"vmap_stack",      read_vmap_stack     },
	{"interrupt_stack", read_interrupt_stack},
	{"kmap_atomic",	read_kmap_atomic	},
};

bool
config_kernel_key(const char *group, const char *key)
{
	return !strcmp(group, CONFIG_KERNEL) &&
	       config_keys_have(keys, ARRAY_SIZE(keys), key);
}

bool
config_read_kernel(struct config_reader *r)
{
	struct kernel_config *kernel = &r->config->kernel;
	bool wide = r->config->phys.arch == ARCH_X86_64;

	kernel->stack = wide ? KIB(16) : KIB(8);
	kernel->vmap_stack_set = true;
	kernel->vmap_stack = wide;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct config_entry *e =
			config_entry_find(r, CONFIG_KERNEL, keys[i].key);

		if (!e)
			continue;
		if (!has_mmu(r->config))
			return config_fail(r, e->line, e->key,
					   "this machine's kernel has no "
					   "addresses of its own");
		if (!keys[i].read(r, e))
			return false;
	}
	return true;
}

void
config_print_kernel(const struct machine_config *config, struct out *out)
{
	const struct kernel_config *k = &config->kernel;

	if (!has_mmu(config))
		return;
	out_printf(out,
		   "\n[" CONFIG_KERNEL "]\nstack = %lluK\nvmap_stack = %s\n"
		   "interrupt_stack = %s\nkmap_atomic = %s\n",
		   (unsigned long long)k->stack / 1024,
		   config_yes_no(k->vmap_stack),
		   k->irq_shared ? "shared" : "own",
		   k->kmap_types ? "type" : "stack");
}
