// SPDX-License-Identifier: MIT
/* booted.c - physical memories as machine files describe them, booted */
#include "booted.h"

static void
keep_line(void *user, const char *line)
{
	g_string_append_printf(user, "%s\n", line);
}

struct booted *
boot_text(const char *text)
{
	struct booted *b = g_new0(struct booted, 1);
	char *error = NULL, why[256] = "";

	b->log = g_string_new(NULL);
	b->config = config_read(text, "test", &error);
	ck_assert_msg(b->config != NULL, "%s", error);
	b->phys = phys_boot(&b->config->phys, &b->trace, &b->now, keep_line,
			    b->log, why, sizeof(why));
	ck_assert_msg(b->phys != NULL, "%s", why);
	return b;
}

struct booted *
boot_short(const char *arch, const char *memory, unsigned int nodes,
	   const char *cmdline)
{
	char *text = g_strdup_printf(
		"[machine]\narch = %s\nmemory = %s\nnodes = %u\n"
		"cpus = %u\ncmdline = %s\n",
		arch, memory, nodes, nodes, cmdline);
	struct booted *b = boot_text(text);

	g_free(text);
	return b;
}

char *
boot_reason(const char *text)
{
	char *error = NULL, why[256] = "";
	struct machine_config *config = config_read(text, "test", &error);
	struct trace trace = {0};
	struct phys *phys;
	uint64_t now = 0;

	if (!config)
		return error;
	phys = phys_boot(&config->phys, &trace, &now, NULL, NULL, why,
			 sizeof(why));
	ck_assert_ptr_null(phys);
	config_free(config);
	return g_strdup(why);
}

void
booted_free(struct booted *b)
{
	phys_free(b->phys);
	config_free(b->config);
	g_string_free(b->log, TRUE);
	g_free(b);
}

struct zone *
booted_zone(const struct booted *b, unsigned int nid, const char *name)
{
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
		if (!strcmp(zone_type_name((enum zone_type)type), name))
			return &b->phys->nodes[nid]->zones[type];
	}
	ck_abort_msg("no zone is called %s", name);
	return NULL;
}

char *
booted_list(const struct booted *b, unsigned int nid, int list)
{
	const struct zonelist *z = &b->phys->nodes[nid]->zonelist[list];
	GString *text = g_string_new(NULL);

	for (unsigned int i = 0; i < z->nr; i++)
		g_string_append_printf(text, "%s%u:%s", i ? " " : "",
				       z->zones[i]->node->id,
				       zone_type_name(z->zones[i]->type));
	return g_string_free(text, FALSE);
}
