// SPDX-License-Identifier: MIT
/*
 * config_percpu.c - [percpu]: variables that the kernel is linked with
 *
 * How it works: NAME = SIZE [ALIGN], in the order in which they stand in the
 * static part of the first chunk.  Without the group there is none, and none is
 * printed.
 */
#include "config_impl.h"

#include "kmemfs/base/text.h"

#include <string.h>

#define STATIC_MOST MIB(1) /* of all of them together */

bool
config_percpu_key(const char *group, const char *key)
{
	return !strcmp(group, CONFIG_PERCPU) && (!key || text_is_name(key));
}

static bool
read_variable(struct config_reader *r, const struct config_entry *e,
	      uint64_t *total)
{
	struct percpu_static s = {.align = 8};
	char **words = g_strsplit(e->value, " ", 2);
	bool good = words[0] && text_size(words[0], &s.size) && s.size &&
		    s.size <= STATIC_MOST;

	if (good && words[1])
		good = text_size(g_strstrip(words[1]), &s.align) && s.align &&
		       !(s.align & (s.align - 1)) &&
		       s.align <= 1ULL << r->config->phys.page_shift;
	g_strfreev(words);
	if (!good)
		return config_fail(r, e->line, e->key,
				   "'%s' is not SIZE [ALIGN], the alignment a "
				   "power of two up to a page",
				   e->value);
	*total += s.size + s.align;
	if (*total > STATIC_MOST)
		return config_fail(r, e->line, e->key,
				   "more than %lluK of variables",
				   (unsigned long long)STATIC_MOST >> 10);
	s.name = g_strdup(e->key);
	g_array_append_val(r->config->percpu.variables, s);
	return true;
}

bool
config_read_percpu(struct config_reader *r)
{
	uint64_t total = 0;

	for (guint i = 0; i < r->entries->len; i++) {
		const struct config_entry *e = g_ptr_array_index(r->entries, i);

		if (strcmp(e->group, CONFIG_PERCPU) || !e->key)
			continue;
		if (!r->config->percpu.variables)
			r->config->percpu.variables = g_array_new(
				FALSE, FALSE, sizeof(struct percpu_static));
		if (!read_variable(r, e, &total))
			return false;
	}
	return true;
}

void
config_print_percpu(const struct percpu_config *percpu, struct out *out)
{
	if (!percpu->variables)
		return;
	out_printf(out, "\n[%s]\n", CONFIG_PERCPU);
	for (guint i = 0; i < percpu->variables->len; i++) {
		const struct percpu_static *s = &g_array_index(
			percpu->variables, struct percpu_static, i);

		out_printf(out, "%s = %llu %llu\n", s->name,
			   (unsigned long long)s->size,
			   (unsigned long long)s->align);
	}
}

void
config_free_percpu(struct percpu_config *percpu)
{
	if (!percpu->variables)
		return;
	for (guint i = 0; i < percpu->variables->len; i++)
		g_free(g_array_index(percpu->variables, struct percpu_static, i)
			       .name);
	g_array_free(percpu->variables, TRUE);
}
