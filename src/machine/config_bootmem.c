// SPDX-License-Identifier: MIT
/*
 * config_bootmem.c - [bootmem]: memory that is asked for while booting
 *
 * How it works: NAME = FUNCTION SIZE, done in the order of the lines before
 * free memory goes to the page allocator.  Without the group nothing is asked
 * for, and none is printed.
 */
#include "config_impl.h"

#include "kmemfs/base/text.h"

#include <string.h>

bool
config_bootmem_key(const char *group, const char *key)
{
	return !strcmp(group, CONFIG_BOOTMEM) && (!key || text_is_name(key));
}

static bool
read_request(struct config_reader *r, const struct config_entry *e)
{
	struct boot_request request = {.call = NR_BOOT_CALLS};
	char **words = g_strsplit(e->value, " ", 2);
	bool good = words[0] && words[1];

	if (good) {
		request.call = boot_call_find(words[0]);
		good = text_size(g_strstrip(words[1]), &request.size) &&
		       request.size && request.size <= 1ULL << 51;
	}
	g_strfreev(words);
	if (!good || request.call == NR_BOOT_CALLS)
		return config_fail(r, e->line, e->key,
				   "'%s' is not a function and a size: "
				   "alloc_bootmem, alloc_bootmem_low, "
				   "alloc_bootmem_pages, "
				   "alloc_bootmem_low_pages or memblock_alloc, "
				   "as in alloc_bootmem_pages 64M",
				   e->value);
	request.name = g_strdup(e->key);
	g_array_append_val(r->config->phys.bootmem, request);
	return true;
}

bool
config_read_bootmem(struct config_reader *r)
{
	struct phys_config *phys = &r->config->phys;

	for (guint i = 0; i < r->entries->len; i++) {
		const struct config_entry *e = g_ptr_array_index(r->entries, i);

		if (strcmp(e->group, CONFIG_BOOTMEM) || !e->key)
			continue;
		if (!phys->bootmem)
			phys->bootmem = g_array_new(
				FALSE, FALSE, sizeof(struct boot_request));
		if (!read_request(r, e))
			return false;
	}
	return true;
}

void
config_print_bootmem(const struct phys_config *phys, struct out *out)
{
	if (!phys->bootmem)
		return;
	out_printf(out, "\n[%s]\n", CONFIG_BOOTMEM);
	for (guint i = 0; i < phys->bootmem->len; i++) {
		const struct boot_request *r =
			&g_array_index(phys->bootmem, struct boot_request, i);

		out_printf(out, "%s = %s %llu\n", r->name,
			   boot_call_names[r->call],
			   (unsigned long long)r->size);
	}
}

void
config_free_bootmem(struct phys_config *phys)
{
	if (!phys->bootmem)
		return;
	for (guint i = 0; i < phys->bootmem->len; i++)
		g_free(g_array_index(phys->bootmem, struct boot_request, i)
			       .name);
	g_array_free(phys->bootmem, TRUE);
}
