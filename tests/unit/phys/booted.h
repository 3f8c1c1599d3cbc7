// SPDX-License-Identifier: MIT
/*
 * booted.h - physical memories as machine files describe them, booted
 */
#ifndef TESTS_UNIT_PHYS_BOOTED_H
#define TESTS_UNIT_PHYS_BOOTED_H

#include "kmemfs/machine/config.h"
#include "kmemfs/phys/pages.h"

#include <check.h>
#include <string.h>

struct booted {
	struct machine_config *config;
	struct phys *phys;
	struct trace trace;
	uint64_t now;
	GString *log; /* what the modelled kernel printed, a line each */
};

/* Boot @text, a machine file; the test fails when it does not. */
struct booted *boot_text(const char *text);
/* A machine of @arch with @memory and @nodes nodes and one CPU on each, and
 * the kernel's arguments @cmdline. */
struct booted *boot_short(const char *arch, const char *memory,
			  unsigned int nodes, const char *cmdline);
void booted_free(struct booted *b);
/* Why @text does not boot, to be freed; the test fails when it does. */
char *boot_reason(const char *text);
/* The zone called @name of node @nid. */
struct zone *booted_zone(const struct booted *b, unsigned int nid,
			 const char *name);
/* "0:Normal 0:DMA32 ..." of one of a node's lists, to be freed. */
char *booted_list(const struct booted *b, unsigned int nid, int list);

#endif
