// SPDX-License-Identifier: MIT
/*
 * configs.h - machine files in tests: read, and printed back
 */
#ifndef TESTS_UNIT_MACHINE_CONFIGS_H
#define TESTS_UNIT_MACHINE_CONFIGS_H

#include "kmemfs/machine/config.h"

/* Must be a good one. */
struct machine_config *configs_read(const char *text);
/* Ditto: the text that it prints, to be freed with g_free(). */
char *configs_printed(const char *text);
char *configs_print(const struct machine_config *config);

#endif
