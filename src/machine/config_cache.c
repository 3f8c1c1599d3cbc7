// SPDX-License-Identifier: MIT
/*
 * config_cache.c - [tlb], [cache], [costs]: how large buffers are, and what
 * accesses take
 */
#include "config_impl.h"

#include "kmemfs/base/text.h"

#include <stddef.h>
#include <string.h>

#define GROUP_TLB "tlb"
#define GROUP_CACHE "cache"
#define GROUP_COSTS "costs"
#define SETS_MOST 32768
#define WAYS_MOST 64
#define CYCLES_MOST 1000000

static const struct {
	const char *key;
	size_t at; /* in struct mmu_config */
} costs[] = {
	{"memory",	   offsetof(struct mmu_config, cache.memory_cycles)   },
	{"other",	  offsetof(struct mmu_config, cache.other_cycles)	 },
	{"unaligned", offsetof(struct mmu_config, cache.unaligned_cycles)},
	{"tlb_l2",	   offsetof(struct mmu_config, costs.tlb_l2)	    },
	{"walk",	 offsetof(struct mmu_config, costs.walk)		},
	{"cr3",	offsetof(struct mmu_config, costs.cr3)	      },
	{"invlpg",	   offsetof(struct mmu_config, costs.invlpg)	    },
	{"ipi",	offsetof(struct mmu_config, costs.ipi)	      },
	{"mode",	 offsetof(struct mmu_config, costs.mode)		},
	{"task",	 offsetof(struct mmu_config, costs.task)		},
};

static const char *const level_keys[NR_CACHE_LEVELS] = {"l1", "l2", "l3"};

static uint32_t *
cost_of(struct mmu_config *mmu, size_t i)
{
	return (uint32_t *)(void *)((char *)mmu + costs[i].at);
}

bool
config_cache_key(const char *group, const char *key)
{
	bool cache = !strcmp(group, GROUP_CACHE);

	if (!strcmp(group, GROUP_TLB))
		return !key ||
		       config_word_in(tlb_part_names, NR_TLB_PARTS, key);
	if (cache)
		return !key || !strcmp(key, "model") ||
		       config_word_in(level_keys, NR_CACHE_LEVELS, key);
	if (strcmp(group, GROUP_COSTS))
		return false;
	for (size_t i = 0; key && i < ARRAY_SIZE(costs); i++)
		if (!strcmp(costs[i].key, key))
			return true;
	return !key;
}

unsigned int
config_list(struct config_reader *r, const struct config_entry *e,
	    uint64_t *list, unsigned int most)
{
	char **words = g_strsplit_set(e->value, " \t", -1);
	unsigned int n = 0;

	for (char **w = words; *w; w++) {
		if (!**w)
			continue;
		if (n == most || !text_u64(*w, &list[n++])) {
			n = 0;
			break;
		}
	}
	g_strfreev(words);
	if (!n)
		config_fail(r, e->line, e->key,
			    "'%s' is not a list of 1 to %u numbers", e->value,
			    most);
	return n;
}

/* --- reading ---------------------------------------------------- */

static bool
power_of_two(struct config_reader *r, const struct config_entry *e,
	     uint64_t sets, uint64_t ways)
{
	if (sets & (sets - 1) || sets > SETS_MOST)
		return config_fail(r, e->line, e->key,
				   "sets are a power of two, %d at most",
				   SETS_MOST);
	if ((!ways && sets) || ways > WAYS_MOST)
		return config_fail(r, e->line, e->key, "ways are 1 to %d",
				   WAYS_MOST);
	return true;
}

static bool
read_tlb(struct config_reader *r)
{
	struct mmu_config *mmu = &r->config->mmu;

	memcpy(mmu->tlb, tlb_default_geometry, sizeof(mmu->tlb));
	for (unsigned int p = 0; p < NR_TLB_PARTS; p++) {
		const struct config_entry *e =
			config_entry_find(r, GROUP_TLB, tlb_part_names[p]);
		uint64_t list[2] = {0};

		if (!e)
			continue;
		if (!config_list(r, e, list, 2) ||
		    !power_of_two(r, e, list[0], list[1]))
			return false;
		mmu->tlb[p].sets = (uint16_t)list[0];
		mmu->tlb[p].ways = (uint16_t)list[1];
	}
	r->config->vm.tlb = mmu->tlb;
	return true;
}

static bool
read_cache(struct config_reader *r)
{
	struct mmu_config *mmu = &r->config->mmu;
	const struct config_entry *model =
		config_entry_find(r, GROUP_CACHE, "model");

	mmu->cache = cache_default_config;
	mmu->cached = true;
	if (model && !config_bool(r, model, &mmu->cached))
		return false;
	for (unsigned int l = 0; l < NR_CACHE_LEVELS; l++) {
		const struct config_entry *e =
			config_entry_find(r, GROUP_CACHE, level_keys[l]);
		uint64_t list[3] = {0, 0, mmu->cache.level[l].cycles};

		if (!e)
			continue;
		if (!config_list(r, e, list, 3) ||
		    !power_of_two(r, e, list[0], list[1]))
			return false;
		if (list[2] > CYCLES_MOST)
			return config_fail(r, e->line, e->key,
					   "%d cycles at most", CYCLES_MOST);
		mmu->cache.level[l] = (struct cache_geometry){
			(uint32_t)list[0], (uint32_t)list[1],
			(uint32_t)list[2]};
	}
	return true;
}

static bool
read_costs(struct config_reader *r)
{
	struct mmu_config *mmu = &r->config->mmu;

	mmu->costs = vm_default_costs;
	for (size_t i = 0; i < ARRAY_SIZE(costs); i++) {
		const struct config_entry *e =
			config_entry_find(r, GROUP_COSTS, costs[i].key);
		uint64_t cycles;

		if (!e)
			continue;
		if (!config_number(r, e, 0, CYCLES_MOST, &cycles))
			return false;
		*cost_of(mmu, i) = (uint32_t)cycles;
	}
	r->config->vm.costs = &mmu->costs;
	if (mmu->cached)
		r->config->vm.cache = &mmu->cache;
	return true;
}

bool
config_read_cache(struct config_reader *r)
{
	return read_tlb(r) && read_cache(r) && read_costs(r);
}

/* --- printing ------------------------------------------------------------ */

void
config_print_cache(const struct machine_config *config, struct out *out)
{
	const struct mmu_config *mmu = &config->mmu;

	out_printf(out, "\n[%s]\n", GROUP_TLB);
	for (unsigned int p = 0; p < NR_TLB_PARTS; p++)
		out_printf(out, "%s = %u %u\n", tlb_part_names[p],
			   mmu->tlb[p].sets, mmu->tlb[p].ways);
	out_printf(out, "\n[%s]\nmodel = %s\n", GROUP_CACHE,
		   config_yes_no(mmu->cached));
	for (unsigned int l = 0; l < NR_CACHE_LEVELS; l++) {
		const struct cache_geometry *g = &mmu->cache.level[l];

		out_printf(out, "%s = %u %u %u\n", level_keys[l], g->sets,
			   g->ways, g->cycles);
	}
	out_printf(out, "\n[%s]\n", GROUP_COSTS);
	for (size_t i = 0; i < ARRAY_SIZE(costs); i++)
		out_printf(out, "%s = %u\n", costs[i].key,
			   *(const uint32_t *)(const void *)((const char *)mmu +
							     costs[i].at));
}
