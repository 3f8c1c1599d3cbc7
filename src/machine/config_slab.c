// SPDX-License-Identifier: MIT
/*
 * config_slab.c - [slab]: which allocator of objects the kernel was built with
 */
#include "config_impl.h"

#include "kmemfs/base/text.h"

#include <string.h>

/* Versions whose rules of geometry are known. */
#define KERNEL_FIRST SLAB_KERNEL(6, 1)
#define KERNEL_LAST SLAB_KERNEL(6, 18)
/* From here on kmalloc's red zone begins where the request ended. */
#define KERNEL_ORIG_SIZE SLAB_KERNEL(6, 2)

static bool
read_allocator(struct config_reader *r, const struct config_entry *e)
{
	struct out known = OUT_INIT;
	bool found = false;

	for (unsigned int i = 0; i < NR_SLAB_ALLOCATORS; i++) {
		enum slab_allocator id = (enum slab_allocator)i;

		if (!slab_allocator_ops(id))
			continue;
		out_printf(&known, "%s%s", known.len ? ", " : "",
			   slab_allocator_names[i]);
		if (strcmp(slab_allocator_names[i], e->value))
			continue;
		r->config->slab.allocator = id;
		found = true;
	}
	if (!found)
		config_fail(r, e->line, e->key, "'%s' is none of %s", e->value,
			    out_text(&known));
	out_fini(&known);
	return found;
}

/* "6.1" */
static bool
read_kernel(struct config_reader *r, const struct config_entry *e)
{
	char *copy = g_strdup(e->value), *dot = strchr(copy, '.');
	uint64_t major = 0, minor = 0;
	bool good;

	if (dot)
		*dot++ = '\0';
	good = dot && text_u64(copy, &major) && text_u64(dot, &minor) &&
	       major < 100 && minor < 100 &&
	       SLAB_KERNEL(major, minor) >= KERNEL_FIRST &&
	       SLAB_KERNEL(major, minor) <= KERNEL_LAST;
	g_free(copy);
	if (!good)
		return config_fail(r, e->line, e->key,
				   "'%s' is not a version from %u.%u to %u.%u",
				   e->value, KERNEL_FIRST / 100,
				   KERNEL_FIRST % 100, KERNEL_LAST / 100,
				   KERNEL_LAST % 100);
	r->config->slab.kernel = (unsigned int)SLAB_KERNEL(major, minor);
	return true;
}

static bool
read_hardened(struct config_reader *r, const struct config_entry *e)
{
	return config_bool(r, e, &r->config->slab.hardened);
}

static bool
read_random(struct config_reader *r, const struct config_entry *e)
{
	return config_bool(r, e, &r->config->slab.random);
}

static bool
read_memcg(struct config_reader *r, const struct config_entry *e)
{
	return config_bool(r, e, &r->config->slab.memcg);
}

static bool
read_orig_size(struct config_reader *r, const struct config_entry *e)
{
	return config_bool(r, e, &r->config->slab.orig_size);
}

/* The defaults of the last depend on the one before. */
static const struct config_key keys[] = {
	{"allocator", read_allocator},
	       {"kernel",	  read_kernel   },
	{"hardened",  read_hardened },
	       {"random",	  read_random   },
	{"memcg",	  read_memcg    },
	       {"orig_size", read_orig_size},
};

bool
config_slab_key(const char *group, const char *key)
{
	return !strcmp(group, CONFIG_SLAB) &&
	       config_keys_have(keys, ARRAY_SIZE(keys), key);
}

bool
config_read_slab(struct config_reader *r)
{
	struct slab_config *slab = &r->config->slab;

	slab->allocator = ALLOCATOR_SLUB;
	slab->kernel = KERNEL_FIRST;
	slab->memcg = r->config->phys.arch != ARCH_GENERIC;
	slab->seed = r->config->seed;
	slab->cmdline = r->config->cmdline;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct config_entry *e =
			config_entry_find(r, CONFIG_SLAB, keys[i].key);

		if (e && !keys[i].read(r, e))
			return false;
		if (keys[i].read == read_kernel)
			slab->orig_size = slab->kernel >= KERNEL_ORIG_SIZE;
	}
	return true;
}

void
config_print_slab(const struct slab_config *slab, struct out *out)
{
	out_printf(out, "\n[%s]\nallocator = %s\nkernel = %u.%u\n", CONFIG_SLAB,
		   slab_allocator_names[slab->allocator], slab->kernel / 100,
		   slab->kernel % 100);
	out_printf(out, "hardened = %s\nrandom = %s\n",
		   config_yes_no(slab->hardened), config_yes_no(slab->random));
	out_printf(out, "memcg = %s\norig_size = %s\n",
		   config_yes_no(slab->memcg), config_yes_no(slab->orig_size));
}
