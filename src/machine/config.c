// SPDX-License-Identifier: MIT
/*
 * config.c - machine files: what each key means
 *
 * How it works:   the file is cut into entries (config_scan.c); a table tells
 *                 which group has which keys and who reads them; entries that
 *                 nobody read are unknown.  Then what was left out is filled
 *                 in (config_fill.c).
 * Always true:    the first thing that is wrong is reported with its line, and
 *                 nothing is made.
 */
#include "config_impl.h"

#include "kmemfs/base/text.h"
#include "kmemfs/phys/sysctl.h"
#include "kmemfs/vm/sysctl.h"

#include <string.h>

#define RAM_LIMIT_DEFAULT GIB(1)
/* Of a large machine that has been running, the free frames alone are some
 * megabytes. */
#define TEXT_MOST MIB(64)
#define FIRMWARE_MOST 320 /* E820_MAX_ENTRIES */
#define PAGE_SHIFT_LEAST 12
#define PAGE_SHIFT_MOST 16

typedef bool (*key_reader)(struct config_reader *r,
			   const struct config_entry *e);

static bool
key_arch(struct config_reader *r, const struct config_entry *e)
{
	r->config->phys.arch = arch_find(e->value);
	if (r->config->phys.arch == NR_ARCHS)
		return config_fail(r, e->line, e->key,
				   "'%s' is none of x86-64, i386, i386-pae, "
				   "generic",
				   e->value);
	return true;
}

static bool
key_page_size(struct config_reader *r, const struct config_entry *e)
{
	uint64_t bytes;

	if (!config_size(r, e, &bytes))
		return false;
	for (unsigned int s = PAGE_SHIFT_LEAST; s <= PAGE_SHIFT_MOST; s++) {
		if (bytes != 1ULL << s)
			continue;
		r->config->phys.page_shift = s;
		return true;
	}
	return config_fail(r, e->line, e->key,
			   "pages are of 4K, 8K, 16K, 32K or 64K");
}

static bool
key_mmu(struct config_reader *r, const struct config_entry *e)
{
	bool mmu = true;

	if (!config_bool(r, e, &mmu))
		return false;
	r->config->phys.nommu = !mmu;
	return true;
}

/* Above the orders that per-cpu lists have of their own. */
static bool
key_pageblock_order(struct config_reader *r, const struct config_entry *e)
{
	uint64_t order;

	if (!config_number(r, e, PAGE_ALLOC_COSTLY_ORDER + 1, MAX_ORDER - 1,
			   &order))
		return false;
	r->config->phys.pageblock_order = (unsigned int)order;
	return true;
}

static bool
key_cpus(struct config_reader *r, const struct config_entry *e)
{
	uint64_t cpus;

	if (!config_number(r, e, 1, MAX_CPUS, &cpus))
		return false;
	r->config->phys.nr_cpus = (unsigned int)cpus;
	return true;
}

static bool
key_memory(struct config_reader *r, const struct config_entry *e)
{
	return config_size(r, e, &r->memory);
}

static bool
key_nodes(struct config_reader *r, const struct config_entry *e)
{
	return config_number(r, e, 1, MAX_NODES, &r->nodes);
}

static bool
key_cmdline(struct config_reader *r, const struct config_entry *e)
{
	g_free(r->config->cmdline);
	r->config->cmdline = g_strdup(e->value);
	return true;
}

static bool
key_seed(struct config_reader *r, const struct config_entry *e)
{
	return config_number(r, e, 0, UINT64_MAX, &r->config->seed);
}

static bool
key_ram_limit(struct config_reader *r, const struct config_entry *e)
{
	return config_size(r, e, &r->config->ram_limit);
}

static bool
key_hostname(struct config_reader *r, const struct config_entry *e)
{
	if (!text_is_name(e->value))
		return config_fail(r, e->line, e->key,
				   "'%s' is not a name (letters, digits, _ . "
				   "-)",
				   e->value);
	g_free(r->config->hostname);
	r->config->hostname = g_strdup(e->value);
	return true;
}

static bool
key_switch(struct config_reader *r, const struct config_entry *e, int *to)
{
	bool on = false;

	if (!config_bool(r, e, &on))
		return false;
	*to = on;
	return true;
}

static bool
key_cma(struct config_reader *r, const struct config_entry *e)
{
	return key_switch(r, e, &r->cma);
}

static bool
key_deferred(struct config_reader *r, const struct config_entry *e)
{
	return key_switch(r, e, &r->deferred);
}

static bool
key_map(struct config_reader *r, const struct config_entry *e)
{
	r->has_firmware = true;
	if (!config_map(r, e, r->config->phys.firmware))
		return false;
	if (r->config->phys.firmware->len > FIRMWARE_MOST)
		return config_fail(r, e->line, e->key,
				   "firmware tells of %d ranges at most",
				   FIRMWARE_MOST);
	return true;
}

static bool
key_reserved(struct config_reader *r, const struct config_entry *e)
{
	r->has_reserved = true;
	return config_ranges(r, e, r->config->phys.reserved);
}

static bool
key_freed_early(struct config_reader *r, const struct config_entry *e)
{
	return config_ranges(r, e, r->config->phys.freed_early);
}

static bool
key_freed_late(struct config_reader *r, const struct config_entry *e)
{
	return config_ranges(r, e, r->config->phys.freed_late);
}

#define HOTPLUG_ALIGN MIB(128)

static bool
key_hotplugged(struct config_reader *r, const struct config_entry *e)
{
	GArray *ranges = r->config->phys.hotplugged;

	if (!config_ranges(r, e, ranges))
		return false;
	for (guint i = 0; i < ranges->len; i++) {
		const struct range *range =
			&g_array_index(ranges, struct range, i);

		if ((range->start | range->end) & (HOTPLUG_ALIGN - 1))
			return config_fail(r, e->line, e->key,
					   "memory is plugged in and out in "
					   "multiples of 128M");
	}
	return true;
}

static bool
key_cma_area(struct config_reader *r, const struct config_entry *e)
{
	GArray *ranges = g_array_new(FALSE, FALSE, sizeof(struct range));
	bool good = config_ranges(r, e, ranges);

	if (good && ranges->len != 1)
		good = config_fail(r, e->line, e->key, "the area is one range");
	if (good)
		r->config->phys.cma = g_array_index(ranges, struct range, 0);
	g_array_free(ranges, TRUE);
	return good;
}

static const struct {
	const char *group;
	const char *key;
	key_reader read;
} keys[] = {
	{"machine",  "arch",	    key_arch	    },
	{"machine",  "page-size",	 key_page_size      },
	{"machine",  "pageblock-order", key_pageblock_order},
	{"machine",  "mmu",		   key_mmu		  },
	{"machine",  "cpus",	    key_cpus	    },
	{"machine",  "memory",	      key_memory		},
	{"machine",  "nodes",	     key_nodes	      },
	{"machine",  "cmdline",	       key_cmdline	  },
	{"machine",  "seed",	    key_seed	    },
	{"machine",  "ram-limit",	 key_ram_limit      },
	{"machine",  "hostname",	key_hostname	    },
	{"machine",  "cma",		   key_cma		  },
	{"machine",  "deferred-init",   key_deferred	 },
	{"firmware", "map",		    key_map		   },
	{"boot",	 "reserved",	     key_reserved	 },
	{"boot",	 "freed-early",	key_freed_early    },
	{"boot",	 "freed-late",      key_freed_late     },
	{"boot",	 "hotplugged",      key_hotplugged     },
	{"boot",	 "cma",		key_cma_area	    },
};

static bool
read_keys(struct config_reader *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct config_entry *e =
			config_entry_find(r, keys[i].group, keys[i].key);

		if (e && !keys[i].read(r, e))
			return false;
	}
	return true;
}

static bool
read_sysctls(struct config_reader *r)
{
	for (guint i = 0; i < r->entries->len; i++) {
		const struct config_entry *e = g_ptr_array_index(r->entries, i);
		struct sysctl_setting setting;
		struct refusal refusal;

		if (strcmp(e->group, "vm") || !e->key)
			continue;
		if (sysctl_check(&r->config->phys, e->key, e->value,
				 &refusal) &&
		    (refusal.err != ENOENT ||
		     vm_sysctl_check(e->key, e->value, &refusal)))
			return config_fail(r, e->line, e->key, "%s",
					   refusal.sentence);
		setting.name = g_strdup(e->key);
		setting.value = g_strdup(e->value);
		g_array_append_val(r->config->sysctls, setting);
	}
	return true;
}

static bool
is_in_table(const struct config_entry *e)
{
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		if (!strcmp(keys[k].group, e->group) &&
		    (!e->key || !strcmp(keys[k].key, e->key)))
			return true;
	}
	return false;
}

/* Unknown names are found first, so that a mistyped key is what is said, not
 * what its absence led to. */
static bool
check_names(struct config_reader *r)
{
	static const char *const node_keys[] = {"memory", "cpus", "distances"};

	for (guint i = 0; i < r->entries->len; i++) {
		const struct config_entry *e = g_ptr_array_index(r->entries, i);
		bool known = is_in_table(e) || !strcmp(e->group, "vm") ||
			     config_frames_key(e->group, e->key) ||
			     config_slab_key(e->group, e->key) ||
			     config_mmu_key(e->group, e->key) ||
			     config_cache_key(e->group, e->key) ||
			     config_kernel_key(e->group, e->key) ||
			     config_percpu_key(e->group, e->key) ||
			     config_bootmem_key(e->group, e->key);

		if (g_str_has_prefix(e->group, "node ")) {
			known = !e->key;
			for (size_t k = 0; e->key && k < ARRAY_SIZE(node_keys);
			     k++)
				known |= !strcmp(node_keys[k], e->key);
		}
		if (known)
			continue;
		if (!e->key)
			return config_fail(
				r, e->line, e->group,
				"there is no such group (machine, "
				"firmware, boot, bootmem, node N, vm, "
				"mmu, tlb, cache, costs, kernel, slab, percpu, "
				"free, "
				"pcp, pageblocks)");
		return config_fail(r, e->line, e->key,
				   "group [%s] has no such key", e->group);
	}
	return true;
}

static GArray *
new_ranges(void)
{
	return g_array_new(FALSE, FALSE, sizeof(struct range));
}

static struct machine_config *
config_new(const char *source)
{
	struct machine_config *config = g_new0(struct machine_config, 1);

	config->phys.page_shift = PAGE_SHIFT_LEAST;
	config->phys.nr_cpus = 1;
	config->phys.firmware =
		g_array_new(FALSE, FALSE, sizeof(struct firmware_range));
	config->phys.reserved = new_ranges();
	config->phys.freed_early = new_ranges();
	config->phys.freed_late = new_ranges();
	config->phys.hotplugged = new_ranges();
	config->phys.late_holes = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	config->cmdline = g_strdup("");
	config->seed = 1;
	config->ram_limit = RAM_LIMIT_DEFAULT;
	config->hostname = g_strdup("kmemfs");
	config->sysctls =
		g_array_new(FALSE, FALSE, sizeof(struct sysctl_setting));
	config->source = g_strdup(source);
	return config;
}

struct machine_config *
config_read_set(const char *text, const char *source, char *const *settings,
		char **error)
{
	struct config_reader r = {
		.config = config_new(source),
		.source = source,
		.entries = g_ptr_array_new_with_free_func(config_entry_free),
		.cma = -1,
		.deferred = -1,
	};
	bool good = true;

	r.names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (strlen(text) > TEXT_MOST)
		good = config_fail(&r, 0, "file", "it is longer than 64M");
	good = good && config_scan(&r, text) && config_settings(&r, settings) &&
	       check_names(&r) && read_keys(&r) && config_fill(&r) &&
	       read_sysctls(&r) && config_read_mmu(&r) &&
	       config_read_cache(&r) && config_read_kernel(&r) &&
	       config_read_slab(&r) && config_read_percpu(&r) &&
	       config_read_bootmem(&r) && config_read_free(&r);
	g_hash_table_destroy(r.names);
	g_ptr_array_free(r.entries, TRUE);
	if (good)
		return r.config;
	config_free(r.config);
	*error = r.error;
	return NULL;
}

struct machine_config *
config_read(const char *text, const char *source, char **error)
{
	return config_read_set(text, source, NULL, error);
}

static void
free_array(GArray *array)
{
	if (array)
		g_array_free(array, TRUE);
}

void
config_free(struct machine_config *config)
{
	struct phys_config *phys = &config->phys;

	config_free_percpu(&config->percpu);
	config_free_bootmem(phys);
	for (guint i = 0; i < config->sysctls->len; i++) {
		struct sysctl_setting *s = &g_array_index(
			config->sysctls, struct sysctl_setting, i);

		g_free(s->name);
		g_free(s->value);
	}
	for (unsigned int n = 0; phys->nodes && n < phys->nr_nodes; n++) {
		free_array(phys->nodes[n].memory);
		free_array(phys->nodes[n].distances);
	}
	free_array(config->sysctls);
	free_array(phys->firmware);
	free_array(phys->reserved);
	free_array(phys->freed_early);
	free_array(phys->freed_late);
	free_array(phys->hotplugged);
	free_array(phys->late_holes);
	free_array(phys->free_frames);
	free_array(phys->pageblocks);
	free_array(phys->pcp_frames);
	g_free(phys->nodes);
	g_free(phys->cpu_node);
	g_free(config->cmdline);
	g_free(config->hostname);
	g_free(config->source);
	g_free(config);
}
