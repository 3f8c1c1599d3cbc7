// SPDX-License-Identifier: MIT
/* configs.c - machine files in tests: read, and printed back */
#include "configs.h"

#include <check.h>

struct machine_config *
configs_read(const char *text)
{
	char *error = NULL;
	struct machine_config *config = config_read(text, "m", &error);

	ck_assert_msg(config != NULL, "%s", error);
	return config;
}

char *
configs_print(const struct machine_config *config)
{
	struct out out = OUT_INIT;
	char *copy;

	config_print(config, &out);
	copy = g_strdup(out_text(&out));
	out_fini(&out);
	return copy;
}

char *
configs_printed(const char *text)
{
	struct machine_config *config = configs_read(text);
	char *copy = configs_print(config);

	config_free(config);
	return copy;
}
